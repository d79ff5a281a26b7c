//! Rewriting a stored fragment into one of CMAF.
//!
//! The `moof` is written anew, and the payload of the `mdat` is passed on as a range of the stored
//! fragment: no sample is copied or changed.
//!
//! | Stored | Written |
//! |---|---|
//! | `mfhd` | with its sequence number |
//! | `tfhd` | the track's number, no base offset, offsets count from the `moof`; defaults that were the file's |
//! | `tfdt`, `tfxd`, `tfrf` | one `tfdt` of 64 bits |
//! | `trun` | with an offset that is right; in version 1 if it has composition offsets, which are signed |
//! | `sdtp` | in the samples' flags |
//! | PIFF's sample encryption, `senc`, `saiz`, `saio` | `senc`, `saiz`, `saio`; a key of the fragment's own as a `seig` group |
//! | `free`, `skip`, bytes that are no box | nothing |
//! | everything else | as it is stored, after the boxes above |
//!
//! Spec: ISO/IEC 23000-19, 7.3 and 7.5; ISO/IEC 14496-12, 8.8; ISO/IEC 23001-7, 7.

mod encryption;
mod flags;
#[cfg(any(feature = "dash", feature = "hls"))]
mod growth;
mod other_boxes;
mod runs;
#[cfg(any(feature = "dash", feature = "hls"))]
mod silence;
mod track;
mod traf;

use std::ops::Range;

use bytes::Bytes;

use self::other_boxes::OtherBoxes;
use self::traf::Traf;
use super::{Parsed, Stored};
use crate::base::{Error, ErrorKind, FourCc, Limits, Sink};
use crate::bmff::{AnyBox, Header, Mfhd};

#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use self::growth::Growth;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use self::silence::silence;
pub use self::track::{Start, Track};

/// A fragment of CMAF: a written head, and samples that stay where they are stored.
///
/// ```
/// use bytes::Bytes;
/// use smooth_origin::Limits;
/// use smooth_origin::fragment::cmaf::{self, Start, Track};
/// use smooth_origin::manifest::StreamKind;
///
/// # fn main() -> Result<(), smooth_origin::Error> {
/// # let stored = Bytes::from_static(b"\0\0\0\x34moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x07\
/// #     \0\0\0\x1ctraf\0\0\0\x14tfhd\0\0\0\x20\0\0\0\x02\0\0\0\0\0\0\0\x0cmdatbody");
/// let track = Track::new(1, StreamKind::Video);
/// let fragment = cmaf::rewrite(&stored, Start::Shown(40_040_000), &track, &Limits::default())?;
/// assert_eq!(fragment.head[4..8], *b"moof");
/// assert_eq!(stored[fragment.payload.start as usize..fragment.payload.end as usize], *b"body");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fragment {
    /// The `moof`, and the header of the `mdat`.
    pub head: Bytes,
    /// The payload of the `mdat`, as bytes of the stored fragment.
    pub payload: Range<u64>,
}

impl Fragment {
    /// Bytes of the whole fragment.
    pub fn length(&self) -> u64 {
        self.head.len() as u64 + (self.payload.end - self.payload.start)
    }
}

/// Maximum number of samples that get fields of their own and take no bytes where they are stored.
const MAX_EXPANDED: u64 = 16_384;

/// Rewrites a whole fragment, as it is stored.
///
/// # Errors
/// Errors of a fragment that cannot be read;
/// [`ErrorKind::NotSliceable`] if it cannot be a fragment of CMAF: samples that are outside of its
/// `mdat` or of unknown size, sample encryption that cannot be read or that Common Encryption does
/// not have, times or offsets that do not fit into their fields;
/// [`ErrorKind::Budget`] if it claims more samples than [`Limits::samples`], or if more than 16,384
/// samples that take no bytes would have to be written one by one.
pub fn rewrite(
    fragment: &Bytes,
    start: Start,
    track: &Track,
    limits: &Limits,
) -> Result<Fragment, Error> {
    let has = fragment.len() as u64;
    match Stored::parse(fragment, 0, has, limits)? {
        Parsed::Whole(stored) => rewrite_stored(&stored, start, track, limits),
        Parsed::Needs(needs) => Err(Error::at(0, ErrorKind::Truncated { needs, has })),
    }
}

/// Rewrites a fragment of which the head was read.
///
/// # Errors
/// As [`rewrite`], but for errors of reading.
pub(crate) fn rewrite_stored(
    stored: &Stored,
    start: Start,
    track: &Track,
    limits: &Limits,
) -> Result<Fragment, Error> {
    let moof = stored.moof_boxes();
    let mfhd = AnyBox::new(moof.iter().find_map(mfhd).cloned().unwrap_or_default());
    let is_traf = |item: &AnyBox| item.header.kind == *b"traf";
    let at = moof.iter().position(is_traf).unwrap_or(moof.len());
    // The position is in the list; at the end there is no `traf`.
    let (before, behind) = (&moof[..at], moof.get(at + 1..).unwrap_or_default());
    let (before, behind) = (OtherBoxes::of_moof(before), OtherBoxes::of_moof(behind));

    let traf = Traf::plan(stored, start, track, limits)?;
    let traf_len = traf.len();
    let traf_header = Header::new(FourCc(*b"traf")).around(traf_len);
    let body = mfhd.len() + before.len() + traf_header.len() + traf_len + behind.len();
    let moof_header = Header::new(FourCc(*b"moof")).around(body);
    let payload = stored.payload..stored.len;
    let mdat = Header::new(FourCc(*b"mdat")).around(payload.end - payload.start);

    let traf_at = moof_header.len() + mfhd.len() + before.len() + traf_header.len();
    let moof_len = moof_header.len() + body;
    let head_len = moof_len + mdat.len();
    let mut sink = Sink::with_len(head_len as usize);
    moof_header.write(&mut sink);
    mfhd.write(&mut sink);
    before.write(&mut sink);
    traf_header.write(&mut sink);
    traf.write(&mut sink, traf_at, head_len)?;
    behind.write(&mut sink);
    mdat.write(&mut sink);
    Ok(Fragment { head: sink.finish(), payload })
}

fn mfhd(item: &AnyBox) -> Option<&Mfhd> {
    match &item.body {
        crate::bmff::Body::Mfhd(mfhd) => Some(mfhd),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::{Boxes, FullBox, SampleEncryption, Sdtp, Tfhd, Trun, uuid::PiffSenc};
    use crate::manifest::StreamKind;

    /// A fragment of 50 samples with IVs, as Expression Encoder writes them.
    fn encoder() -> Bytes {
        let words = (0..50_u32).flat_map(|_| [420_000, 10, 0]);
        let trun = Trun {
            full: FullBox { version: 0, flags: 0xb00 },
            sample_count: 50,
            entries: words.flat_map(u32::to_be_bytes).collect(),
            ..Trun::default()
        };
        let samples = [&[0x24][..], &[0x14; 49]].concat().into();
        let piff = SampleEncryption {
            sample_count: 50,
            entries: vec![1; 400].into(),
            ..Default::default()
        };
        let traf = [
            AnyBox::new(Tfhd { track_id: 1, ..Tfhd::default() }),
            AnyBox::new(trun),
            AnyBox::new(Sdtp { full: FullBox::default(), samples }),
            AnyBox::new(PiffSenc(piff)),
        ];
        let moof = [AnyBox::new(Mfhd::default()), AnyBox::container(*b"traf", traf)];
        let moof = AnyBox::container(*b"moof", moof);
        Boxes::from_iter([moof, AnyBox::other(*b"mdat", vec![0; 500])]).to_bytes()
    }

    #[test]
    fn a_head_takes_one_allocation() {
        let (bytes, limits) = (encoder(), Limits::default());
        let stored = match Stored::parse(&bytes, 0, bytes.len() as u64, &limits).unwrap() {
            Parsed::Whole(stored) => stored,
            Parsed::Needs(_) => panic!("the whole fragment is there"),
        };
        let track = Track::new(1, StreamKind::Video);
        let measured = allocation_counter::measure(|| {
            let made = rewrite_stored(&stored, Start::Shown(5), &track, &limits).unwrap();
            assert_eq!(made.payload.end - made.payload.start, 500);
        });
        assert_eq!(measured.count_total, 1);
    }
}
