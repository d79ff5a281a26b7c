//! Fragments of a file that are served rewritten, because they cannot be cut out of it.

use bytes::Bytes;

use super::made::MadeFragment;
use crate::base::{Error, ErrorKind, Limits};
use crate::fragment::{Defaults, Parsed, Shared, SharedParsed, Stored};

/// The first bytes of a fragment in its file.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) block: &'a Bytes,
    /// First byte of its `moof`.
    pub(super) start: u64,
    /// It ends before this byte.
    pub(super) bound: u64,
    pub(super) track_id: u32,
    pub(super) defaults: Defaults,
}

/// The form in which a fragment is served.
pub(super) enum Found {
    /// As it is stored.
    Stored(Box<Stored>),
    /// With a `moof` of its own, whose boxes are in the second field.
    Made(Box<MadeFragment>, Box<Stored>),
    /// So many of its bytes are needed to find that out.
    Needs(u64),
}

impl Source<'_> {
    /// Reads the head of a fragment, and rewrites it if it has several tracks, offsets that count from the
    /// start of its file, or IVs that players of Smooth Streaming do not find.
    ///
    /// # Errors
    /// As [`Stored::parse`]; errors of a fragment of several tracks that cannot be rewritten.
    pub(super) fn find(self, limits: &Limits) -> Result<Found, Error> {
        match Stored::parse(self.block, self.start, self.bound, limits) {
            // Where its offsets lead elsewhere, it is judged as it is.
            Ok(Parsed::Whole(stored)) if stored.is_absolute() || stored.is_encrypted_cmaf() => {
                match self.rewrite(limits) {
                    Ok(found) => Ok(found),
                    Err(_) => Ok(Found::Stored(stored)),
                }
            }
            Ok(Parsed::Whole(stored)) => Ok(Found::Stored(stored)),
            Ok(Parsed::Needs(bytes)) => Ok(Found::Needs(bytes)),
            Err(Error { kind: ErrorKind::NotSliceable(_), .. }) => self.rewrite(limits),
            Err(error) => Err(error),
        }
    }

    fn rewrite(self, limits: &Limits) -> Result<Found, Error> {
        let Self { block, start, bound, track_id, defaults } = self;
        let shared = match Shared::parse(block, start, bound, limits)? {
            SharedParsed::Whole(shared) => shared,
            SharedParsed::Needs(bytes) => return Ok(Found::Needs(bytes)),
        };
        let rewritten = shared.rewrite(track_id, defaults, limits)?;
        let made = MadeFragment::of(rewritten, block, start);
        let stored = made.stored(limits)?;
        Ok(Found::Made(Box::new(made), stored))
    }
}
