//! The objects of a folder, within a budget.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io;

use object_store::ObjectStore;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;

use super::problem::Problem;
use crate::base::Name;

/// Pages that are asked for, of 1,000 keys or so: a store might go on for ever with empty ones.
const MAX_PAGES: usize = 10_000;

/// A page of the names in a bucket, from [`Bucket::list_page`](super::Bucket::list_page).
///
/// ```
/// let page = smooth_origin::storage::ListedPage::default();
/// assert!(page.names.is_empty() && page.next.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedPage {
    /// The names below the prefix of the bucket.
    pub names: Vec<Name>,
    /// The token of the next page; `None` after the last one.
    pub next: Option<String>,
}

/// Lists a page of all keys below a prefix.
pub(super) async fn page(
    store: &dyn PaginatedListStore,
    prefix: &Path,
    page_token: Option<String>,
) -> Result<(Vec<Path>, Option<String>), Problem> {
    let prefix = (!prefix.as_ref().is_empty()).then(|| format!("{prefix}/"));
    let asked = page_token.clone();
    let options = PaginatedListOptions { page_token, ..PaginatedListOptions::default() };
    let page = store.list_paginated(prefix.as_deref(), options).await;
    let page = page.map_err(|error| Problem::of(&error))?;
    if page.page_token.is_some() && page.page_token == asked {
        return Err(endless());
    }
    let keys = page.result.objects.into_iter().map(|meta| meta.location).collect();
    Ok((keys, page.page_token))
}

/// Lists page by page, and ends when the budget is exceeded.
pub(super) async fn paged(
    store: &dyn PaginatedListStore,
    folder: &Path,
    most: usize,
) -> Result<Vec<Path>, Problem> {
    let prefix = (!folder.as_ref().is_empty()).then(|| format!("{folder}/"));
    let (mut keys, mut seen, mut page_token) = (Vec::new(), 0_usize, None);
    // Hashes of the tokens so far: tokens may be long.
    let (hasher, mut tokens) = (RandomState::new(), HashSet::new());
    for _ in 0..MAX_PAGES {
        let options = PaginatedListOptions {
            delimiter: Some("/".into()),
            page_token,
            ..PaginatedListOptions::default()
        };
        let page = store.list_paginated(prefix.as_deref(), options).await;
        let page = page.map_err(|error| Problem::of(&error))?;
        // Subfolders count: they take a page as objects do.
        seen += page.result.objects.len() + page.result.common_prefixes.len();
        check(seen, most)?;
        keys.extend(page.result.objects.into_iter().map(|meta| meta.location));
        page_token = page.page_token;
        match &page_token {
            None => return Ok(keys),
            Some(token) if !tokens.insert(hasher.hash_one(token)) => return Err(endless()),
            Some(_) => {}
        }
    }
    Err(too_many(most))
}

/// Lists by one call, which gives all or nothing.
pub(super) async fn whole(
    store: &dyn ObjectStore,
    folder: &Path,
    most: usize,
) -> Result<Vec<Path>, Problem> {
    let prefix = (!folder.as_ref().is_empty()).then_some(folder);
    let listed = store.list_with_delimiter(prefix).await;
    let listed = listed.map_err(|error| Problem::of(&error))?;
    check(listed.objects.len() + listed.common_prefixes.len(), most)?;
    Ok(listed.objects.into_iter().map(|meta| meta.location).collect())
}

/// An error that does not pass when the list is asked for again.
fn endless() -> Problem {
    let sentence = "the list of the store does not go on: it gives the same continuation token again; \
                    look at the store, or at a cache or proxy before it";
    Problem::told(io::ErrorKind::Unsupported, sentence)
}

fn check(seen: usize, most: usize) -> Result<(), Problem> {
    if seen > most { Err(too_many(most)) } else { Ok(()) }
}

fn too_many(most: usize) -> Problem {
    let sentence = format!(
        "the folder has more than {most} objects and subfolders: give each presentation a folder of its own"
    );
    Problem::told(io::ErrorKind::QuotaExceeded, sentence)
}
