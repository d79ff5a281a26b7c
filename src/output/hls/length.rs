//! The budget of a playlist's length.

use crate::base::{Error, Limits};
use crate::presentation::Presentation;

/// Checks that a playlist is not longer than a client manifest may be.
pub(super) fn check_length(playlist: &str, presentation: &Presentation) -> Result<(), Error> {
    let limit = presentation.limits().client_manifest;
    Ok(Limits::check("bytes of a playlist", playlist.len() as u64, limit)?)
}
