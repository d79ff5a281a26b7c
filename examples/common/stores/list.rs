//! The presentations of a bucket, page by page.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use smooth_origin::base::Name;
use smooth_origin::origin::block_on;
use smooth_origin::storage::{Bucket, ListedPage};

use crate::Failure;
use crate::place::StoreUrl;

/// Tries for each page, and the pause before another one.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_secs(1);

/// Operations at a time, of a store that is listed before it is served.
const READS: usize = 64;

/// Calls a function with each name of a store, in the order of the store, until it returns `false`.
///
/// # Errors
/// A sentence why the store cannot be listed.
pub(crate) fn visit(url: &StoreUrl, each: &mut dyn FnMut(&Name) -> bool) -> Result<(), String> {
    let connected = super::connected(url, READS).map_err(|failure| match failure {
        Failure::System(sentence) | Failure::Usage(sentence) => sentence,
    })?;
    let Some(bucket) = connected.buckets.one() else {
        return Err("the containers of an account are not listed".into());
    };
    // Hashes of the tokens so far. A store may lead in a circle of several pages.
    let (hasher, mut tokens) = (RandomState::new(), HashSet::new());
    let mut token: Option<String> = None;
    loop {
        let page = page(bucket, &token)?;
        if !page.names.iter().all(&mut *each) {
            return Ok(());
        }
        match page.next {
            Some(next) if !tokens.insert(hasher.hash_one(&next)) => {
                return Err(
                    "the list of the store does not end: it gives a continuation token for a \
                            second time; look at the store, or at a cache or proxy before it"
                        .into(),
                );
            }
            Some(next) => token = Some(next),
            None => return Ok(()),
        }
    }
}

/// A page. It is worth some tries, as those before it are.
fn page(bucket: &Bucket, token: &Option<String>) -> Result<ListedPage, String> {
    for number in 1..TRIES {
        match block_on(bucket.list_page(token.clone())) {
            Ok(page) => return Ok(page),
            // Neither passes by itself.
            Err(error)
                if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) =>
            {
                return Err(error.to_string());
            }
            // A store that takes its time for a list takes it again.
            Err(error) if error.kind() == ErrorKind::TimedOut && number > 1 => {
                return Err(error.to_string());
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
    block_on(bucket.list_page(token.clone())).map_err(|error| error.to_string())
}
