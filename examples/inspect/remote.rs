//! Presentations in stores that are reached over a network.

use std::io;
use std::path::Path;
use std::time::Duration;

use common::{Named, RemoteStore, Trouble};
use smooth_origin::base::Name;
use smooth_origin::origin::Origin;

use crate::entry::Entry;
use crate::folder::Bounds;
use crate::open;

/// Gives `each` an entry for the presentation that a URL names, or one per presentation below it.
///
/// # Errors
/// Those of `each`.
pub(crate) fn entries(
    path: &Path,
    bounds: Bounds,
    mut each: impl FnMut(Entry) -> io::Result<()>,
) -> io::Result<()> {
    let opened = Named::parse(&path.to_string_lossy())
        .and_then(|named| Ok((origin(&named.store, bounds.ignore_case)?, named)));
    let (origin, Named { store, presentation }) = match opened {
        Ok(opened) => opened,
        Err(trouble) => {
            let shown = common::without_secret(&path.to_string_lossy());
            return each(Entry::troubled(shown, trouble));
        }
    };
    let root = store.url(None);
    let mut look = |name: &Name| {
        each(open::presentation(&origin, Path::new(&root), name.as_str(), bounds.of_each))
    };
    if let Some(name) = presentation {
        return look(&name);
    }
    let (mut result, mut count, mut has_more) = (Ok(()), 0, false);
    let listed = store.visit(&mut |name| {
        has_more = count == bounds.presentations;
        if !has_more {
            count += 1;
            result = look(name);
        }
        !has_more && result.is_ok()
    });
    result?;
    if has_more {
        let message = format!("not all of it: there are more than {count} presentations");
        let entry = Entry::not_looked_at(root, message);
        return each(entry.advise("raise --most, or name the folders one by one"));
    }
    match listed {
        Err(Trouble { reason, advice }) => {
            let entry = Entry::not_looked_at(root, reason);
            each(match advice {
                Some(advice) => entry.advise(advice),
                None => entry,
            })
        }
        Ok(()) if count == 0 => {
            let reason = "there is no presentation: no key that is listed ends with .ism";
            let advice = "name a key above those of presentations, as s3://BUCKET/FOLDER";
            each(Entry::troubled(
                root,
                Trouble { reason: reason.into(), advice: Some(advice.into()) },
            ))
        }
        Ok(()) => Ok(()),
    }
}

fn origin(store: &RemoteStore, ignore_case: bool) -> Result<Origin, Trouble> {
    let builder = Origin::builder(store.open(!ignore_case)?).remote_store();
    Ok(builder.settling_time(Duration::ZERO).cache_bytes(0).build())
}
