//! The end of a file, which says where the fragments of each track begin.

use bytes::Bytes;

use crate::base::{Error, ErrorKind};
use crate::bmff::{AnyBox, Boxes, FullBox, Mfro, Tfra};

/// Starts of the fragments of one track, and the offsets of their `moof`s.
pub(crate) struct Starts {
    pub(crate) track_id: u32,
    pub(crate) entries: Vec<(u64, u64)>,
}

/// Returns the `mfra` of a file with these tracks.
///
/// Spec: ISO/IEC 14496-12, 8.8.9 to 8.8.11.
pub(crate) fn written_mfra(tracks: &[Starts]) -> Result<Bytes, Error> {
    let with_size = |size| {
        let mfro = AnyBox::new(Mfro { full: FullBox::default(), size });
        AnyBox::container(*b"mfra", tracks.iter().map(tfra).chain([mfro]))
    };
    let len = with_size(0).len();
    let size = u32::try_from(len).map_err(|_| {
        let what = "bytes of `mfra`";
        Error::from(ErrorKind::Budget { what, found: len, limit: u32::MAX.into() })
    })?;
    Ok(Boxes::from_iter([with_size(size)]).to_bytes())
}

fn tfra(track: &Starts) -> AnyBox {
    let mut bytes = Vec::with_capacity(19 * track.entries.len());
    for (time, offset) in &track.entries {
        bytes.extend(time.to_be_bytes());
        bytes.extend(offset.to_be_bytes());
        // The first sample of the first `trun` of the first `traf`.
        bytes.extend([1, 1, 1]);
    }
    // 64 bits for times and offsets, and 8 for the numbers.
    let full = FullBox { version: 1, flags: 0 };
    AnyBox::new(Tfra { full, track_id: track.track_id, widths: 0, bytes: bytes.into() })
}
