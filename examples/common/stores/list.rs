//! The presentations of a bucket, page by page.

use smooth_origin::base::Name;
use smooth_origin::origin::block_on;

use crate::Failure;
use crate::place::StoreUrl;

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
    let mut token = None;
    loop {
        let page = block_on(bucket.list_page(token.take())).map_err(|error| error.to_string())?;
        if !page.names.iter().all(&mut *each) {
            return Ok(());
        }
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(()),
        }
    }
}
