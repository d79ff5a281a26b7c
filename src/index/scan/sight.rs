//! The box at one position of a file, as far as a walk needs it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use bytes::Bytes;

use super::HEADER;
use crate::base::{Cursor, Error, ErrorKind, FourCc, Limits};
use crate::bmff::Header;
use crate::bmff::uuid::Tfxd;
use crate::fragment::{Parsed, Shared, SharedParsed, Stored, track_of_broken};
use crate::index::ScannedTrack;

/// The box at one position of a file.
///
/// It depends only on the bytes of the file, and not on how a walk came to its position. So a walk
/// may use one that something else has looked at before.
#[derive(Clone, Debug)]
pub(super) enum Sight {
    /// There is no box.
    NoBox(Box<Error>),
    /// A box that is no fragment, or a `moof` that the file does not hold to its end.
    Other {
        kind: FourCc,
        /// Bytes of the header.
        header: u64,
        /// Bytes of the box; `None` if it reaches to the end of the file.
        len: Option<u64>,
    },
    /// A `moof` with its `mdat`.
    Fragment(FragmentSight),
    /// A `moof` that cannot be used.
    Broken {
        /// Bytes of the `moof`; `None` if it reaches to the end of the file.
        len: Option<u64>,
        error: Box<Error>,
        /// Id of its track, if that is known.
        of: Option<u32>,
    },
}

/// A fragment that a walk can use.
#[derive(Clone, Debug)]
pub(super) struct FragmentSight {
    /// True if the `moof` declares its length.
    pub(super) is_sized: bool,
    /// Id of its track.
    pub(super) of: Option<u32>,
    /// Bytes of the `moof`.
    pub(super) moof: u64,
    /// Bytes of the fragment.
    pub(super) len: u64,
    /// Start that it declares, in ticks of the track.
    pub(super) said: Option<i64>,
    /// True if the start is declared in 32 bits.
    pub(super) is_short_time: bool,
    /// Duration that its `tfxd` declares; 0 without one.
    pub(super) declared: u64,
    /// Sum of the durations of its samples; 0 if the walk does not collect its track.
    pub(super) duration: Result<u64, Box<Error>>,
    /// True if it has no samples.
    pub(super) is_empty: bool,
    /// Bytes of its samples, if its `moof` has fragments of other tracks; else 0.
    pub(super) bytes: u64,
    /// The fragments of other tracks that have the same `moof`.
    pub(super) others: Vec<Self>,
}

/// The outcome of a look at the first bytes of a box.
pub(super) enum Look {
    Seen(Sight),
    /// This many bytes of the box are needed.
    Needs(u64),
}

impl Sight {
    /// Looks at the box at byte `at` of a file of `size` bytes. `block` has the first bytes of the
    /// box.
    pub(super) fn of(
        block: &Bytes,
        at: u64,
        size: u64,
        tracks: &[ScannedTrack],
        limits: &Limits,
    ) -> Look {
        let left = size - at;
        if (block.len() as u64) < HEADER.min(left) {
            return Look::Needs(HEADER);
        }
        let header = match Header::parse(&mut Cursor::new(block, at)) {
            Ok(header) => header,
            Err(error) => return Look::Seen(Self::NoBox(Box::new(error))),
        };
        let len = header.total();
        if header.kind != *b"moof" || len.is_some_and(|len| len > left) {
            let (kind, header) = (header.kind, header.len());
            return Look::Seen(Self::Other { kind, header, len });
        }
        Look::Seen(match Stored::parse(block, at, size, limits) {
            Ok(Parsed::Whole(fragment)) => {
                Self::Fragment(FragmentSight::of(&fragment, len.is_some(), tracks, limits))
            }
            Ok(Parsed::Needs(bytes)) => return Look::Needs(bytes),
            Err(error) => {
                if matches!(error.kind, ErrorKind::NotSliceable(_))
                    && let Some(look) =
                        Self::of_several(block, at, len.is_some(), size, tracks, limits)
                {
                    return look;
                }
                Self::Broken { len, error: Box::new(error), of: track_of_broken(block) }
            }
        })
    }

    /// Looks at a `moof` that may have a `traf` for each of several tracks. `None` if it cannot be used.
    fn of_several(
        block: &Bytes,
        at: u64,
        is_sized: bool,
        size: u64,
        tracks: &[ScannedTrack],
        limits: &Limits,
    ) -> Option<Look> {
        let shared = match Shared::parse(block, at, size, limits).ok()? {
            SharedParsed::Whole(shared) => shared,
            SharedParsed::Needs(bytes) => return Some(Look::Needs(bytes)),
        };
        // There may be any number of them: those of the tracks of the walk count.
        let mut parts: Vec<FragmentSight> = Vec::new();
        let mut of_tracks: HashMap<usize, usize> = HashMap::new();
        for part in shared.parts() {
            let number = part.track_id().and_then(|id| number_of(tracks, id));
            let sight =
                |part| FragmentSight::of(part, is_sized, tracks, limits).with_bytes(part, tracks);
            match number.map(|number| of_tracks.entry(number)) {
                Some(Entry::Occupied(at)) => parts[*at.get()].add(sight(&part)),
                Some(Entry::Vacant(at)) => {
                    at.insert(parts.len());
                    parts.push(sight(&part));
                }
                None => {}
            }
        }
        if parts.is_empty() {
            let first = shared.parts().next()?;
            parts.push(FragmentSight::of(&first, is_sized, tracks, limits));
        }
        let others = parts.split_off(1);
        let first = parts.pop()?;
        Some(Look::Seen(Self::Fragment(FragmentSight { others, ..first })))
    }

    /// Returns whether it is a `moof` that declares its length and is in the file to its end.
    pub(super) fn is_moof(&self) -> bool {
        match self {
            Self::NoBox(_) | Self::Other { .. } => false,
            Self::Fragment(fragment) => fragment.is_sized,
            Self::Broken { len, .. } => len.is_some(),
        }
    }

    /// Returns the number of bytes to the next box, if there is one and nothing contradicts it.
    pub(super) fn step(&self) -> Option<u64> {
        match self {
            Self::NoBox(_) => None,
            Self::Other { len, .. } | Self::Broken { len, .. } => *len,
            Self::Fragment(fragment) => Some(fragment.len),
        }
    }
}

impl FragmentSight {
    fn of(fragment: &Stored, is_sized: bool, tracks: &[ScannedTrack], limits: &Limits) -> Self {
        let of = fragment.track_id();
        let track = of.and_then(|id| number_of(tracks, id)).and_then(|number| tracks.get(number));
        // The durations of decoding count: `tfxd` may count from picture to picture as they are
        // shown.
        let duration = track.map_or(Ok(0), |track| fragment.duration(track.defaults, limits));
        Self {
            is_sized,
            of,
            moof: fragment.moof.len() as u64,
            len: fragment.len,
            said: fragment.time(),
            is_short_time: fragment.has_short_time(),
            declared: fragment.traf.get::<Tfxd>().map_or(0, |tfxd| tfxd.duration),
            duration: duration.map_err(Box::new),
            is_empty: fragment.is_empty(),
            bytes: 0,
            others: Vec::new(),
        }
    }

    /// Counts the bytes of its samples.
    fn with_bytes(self, fragment: &Stored, tracks: &[ScannedTrack]) -> Self {
        let track = self.of.and_then(|id| number_of(tracks, id));
        let track = track.and_then(|number| tracks.get(number));
        Self { bytes: track.map_or(0, |track| fragment.bytes(track.defaults)), ..self }
    }

    /// Adds the samples of another `traf` of the same track.
    fn add(&mut self, other: Self) {
        self.duration = match (std::mem::replace(&mut self.duration, Ok(0)), other.duration) {
            (Ok(ticks), Ok(more)) => Ok(ticks.saturating_add(more)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        self.is_empty &= other.is_empty;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Returns the number of the track with this id.
pub(super) fn number_of(tracks: &[ScannedTrack], track_id: u32) -> Option<usize> {
    tracks.binary_search_by_key(&track_id, |track| track.track_id).ok()
}
