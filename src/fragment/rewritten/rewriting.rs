//! Rewriting one track of a `moof`.

use std::ops::Range;

use bytes::Bytes;

use super::head::Head;
use super::places::{Place, places};
use super::shared::{Shared, SharedParsed, is_of};
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{Boxes, Trex};
use crate::fragment::samples::Defaults;

/// A fragment whose `moof` is written anew, and whose samples stay where they are stored.
///
/// ```
/// # #[cfg(feature = "unstable-formats")] {
/// use bytes::Bytes;
/// use smooth_origin::Limits;
/// use smooth_origin::bmff::Trex;
/// use smooth_origin::fragment::rewritten;
///
/// # let stored = Bytes::from_static(b"\0\0\0\x64moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x07\
/// #     \0\0\0\x4ctraf\0\0\0\x18tfhd\0\0\0\x01\0\0\0\x02\0\0\0\0\0\0\0\0\
/// #     \0\0\0\x14tfdt\x01\0\0\0\0\0\0\0\0\0\0\0\
/// #     \0\0\0\x18trun\0\0\x02\x01\0\0\0\x01\0\0\0\x6c\0\0\0\x04\0\0\0\x0cmdatbody");
/// // A `moof` whose offsets count from the start of its file, in which it is the first box.
/// let trex = Trex { track_id: 2, ..Trex::default() };
/// let fragment = rewritten::rewrite(&stored, 0, &trex, &Limits::default()).unwrap();
/// assert_eq!(fragment.head[4..8], *b"moof");
/// assert_eq!(fragment.head[fragment.head.len() - 8..], *b"\0\0\0\x0cmdat");
/// assert_eq!(stored[fragment.ranges[0].start as usize..fragment.ranges[0].end as usize], *b"body");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fragment {
    /// The `moof`, and the header of the `mdat`.
    pub head: Bytes,
    /// The samples, as bytes of the file, in their order.
    pub ranges: Vec<Range<u64>>,
}

impl Fragment {
    /// Bytes of the whole fragment.
    pub fn length(&self) -> u64 {
        self.head.len() as u64
            + self.ranges.iter().map(|range| range.end - range.start).sum::<u64>()
    }
}

/// Rewrites the samples of one track of a fragment, whose `moof` begins at byte `start` of its file
/// and with the first byte of `fragment`. The track is that of `trex`.
///
/// # Errors
/// Errors of a fragment that cannot be read; [`ErrorKind::Missing`] if it has none of the track;
/// [`ErrorKind::NotSliceable`] if samples are outside of its `mdat`, are of unknown size, or have boxes
/// that cannot be rewritten;
/// [`ErrorKind::Budget`] if it claims more samples than [`Limits::samples`], if more than 16,384 of
/// them take no bytes in the source, or if they are in more than 4,096 places.
pub fn rewrite(
    fragment: &Bytes,
    start: u64,
    trex: &Trex,
    limits: &Limits,
) -> Result<Fragment, Error> {
    let has = fragment.len() as u64;
    match Shared::parse(fragment, start, start.saturating_add(has), limits)? {
        SharedParsed::Whole(shared) => shared.rewrite(trex.track_id, trex.into(), limits),
        SharedParsed::Needs(needs) => Err(Error::at(start, ErrorKind::Truncated { needs, has })),
    }
}

impl Shared {
    /// Rewrites the samples of a track.
    ///
    /// # Errors
    /// As [`rewrite`], but for errors of reading.
    pub(crate) fn rewrite(
        &self,
        track_id: u32,
        defaults: Defaults,
        limits: &Limits,
    ) -> Result<Fragment, Error> {
        let at = |error: Error| Error::at(self.start, error.kind);
        let Place { runs, ranges } = places(self, track_id, defaults, limits).map_err(at)?;
        let trafs: Vec<&Boxes> = self.trafs.iter().filter(|traf| is_of(traf, track_id)).collect();
        let payload = ranges.iter().map(|range| range.end - range.start).sum();
        let head = Head::plan(&trafs, &runs, limits).map_err(at)?;
        Ok(Fragment { head: head.write(&self.others, payload).map_err(at)?, ranges })
    }
}
