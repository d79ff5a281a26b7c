//! The presentations of a bucket, page by page.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use smooth_origin::base::Name;
use smooth_origin::origin::block_on;
use smooth_origin::storage::{Bucket, ListedPage};

use super::StoreOptions;
use crate::place::StoreUrl;
use crate::{Failure, Trouble};

/// Tries for each page, and the pause before another one.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_secs(1);

/// Calls a function with each name of a store, in the order of the store, until it returns `false`.
///
/// # Errors
/// Why the store cannot be listed, and what to do.
pub(crate) fn visit(url: &StoreUrl, each: &mut dyn FnMut(&Name) -> bool) -> Result<(), Trouble> {
    let connected = super::connected(url, &StoreOptions::default()).map_err(|failure| {
        let (Failure::System(sentence) | Failure::Usage(sentence)) = failure;
        Trouble::new(sentence, None)
    })?;
    let Some(bucket) = connected.buckets.one() else {
        let one = url.as_str().replacen('*', "NAME", 1);
        return Err(Trouble::advised(
            "its buckets or containers cannot be listed: a store lists what is in one of them",
            format!(
                "name one of them ({one}), or open a presentation by its name, which begins with what \
                 stands for the *"
            ),
        ));
    };
    // Hashes of the tokens so far. A store may lead in a circle of several pages.
    let (hasher, mut tokens) = (RandomState::new(), HashSet::new());
    let mut token: Option<String> = None;
    loop {
        let page = page(bucket, &token).map_err(|sentence| Trouble::advised(sentence, BY_NAME))?;
        if !page.names.iter().all(&mut *each) {
            return Ok(());
        }
        match page.next {
            Some(next) if !tokens.insert(hasher.hash_one(&next)) => {
                return Err(Trouble::advised(
                    "the list of the store does not end: it gives a continuation token for a second time",
                    "look at the store, or at a cache or proxy before it",
                ));
            }
            Some(next) => token = Some(next),
            None => return Ok(()),
        }
    }
}

const BY_NAME: &str = "open a presentation by its name, which is its key in the store";

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
