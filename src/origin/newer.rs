//! One more look at the archive of a publishing point that another process writes.
//!
//! Origins that follow one point look at its archive at different times. What one of them has listed may be asked of
//! another, which answers that it is not there only after it has looked once more.

use super::Origin;
use crate::base::{Error, ErrorKind};

impl Origin {
    /// Returns whether a request that has failed at an open presentation may succeed after a
    /// [look](Self::look_at_archive).
    #[cold]
    pub(super) fn may_be_newer(&self, name: &str, error: &Error) -> bool {
        may_come(&error.kind) && self.is_followed(name)
    }

    /// Number of looks at the archive that have begun for the publishing point of this name. `None` if no other
    /// process writes it.
    #[cfg(feature = "live")]
    pub(super) fn looks(&self, name: &str) -> Option<u64> {
        self.inner.live.as_ref()?.looks(name)
    }

    #[cfg(not(feature = "live"))]
    pub(super) fn looks(&self, _: &str) -> Option<u64> {
        None
    }

    /// Looks at the archive for a request that has failed, before which so many looks had begun. Returns false if
    /// that changes nothing.
    pub(super) async fn look_at_archive(&self, name: &str, looks: Option<u64>) -> bool {
        #[cfg(feature = "live")]
        if let (Some(live), Some(looks)) = (&self.inner.live, looks) {
            return Box::pin(live.look_again(name, looks)).await;
        }
        #[cfg(not(feature = "live"))]
        let _ = (name, looks);
        false
    }

    #[cfg(feature = "live")]
    fn is_followed(&self, name: &str) -> bool {
        self.inner.live.as_ref().is_some_and(|live| live.is_followed(name))
    }

    #[cfg(not(feature = "live"))]
    fn is_followed(&self, _: &str) -> bool {
        false
    }

    /// Returns whether what a request was for may be there at any moment, because another process writes it.
    #[cfg(feature = "http")]
    #[cold]
    pub(crate) fn is_awaited(&self, path: &str, error: &Error) -> bool {
        let may_come = may_come(&error.kind) || matches!(error.kind, ErrorKind::NoPresentation);
        let mut names = super::path::presentations(path).map_while(Result::ok);
        may_come && names.any(|found| self.is_followed(&found.name))
    }
}

/// Returns whether a later snapshot of a live event may have what is missing.
pub(super) fn may_come(kind: &ErrorKind) -> bool {
    use ErrorKind::{NoFragment, NoMedia, NoStream, NoSuchTime, NoTrack, NotYet};
    matches!(kind, NotYet | NoStream | NoTrack | NoFragment | NoMedia | NoSuchTime)
}
