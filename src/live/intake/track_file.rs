//! The beginning of a file of one pushed track.

use bytes::Bytes;

use crate::base::{FourCc, Limits};
use crate::bmff::{AnyBox, Body, Boxes, Ftyp, Mdhd, Mvhd, Tkhd, Trex, uuid::PiffPssh};

/// Returns `ftyp` and `moov` of a file of this `trak` alone, with what the pushed `moov` says of it: its number, its
/// sample entries, its handler, how it is shown, and the systems that give licences. Durations are 0,
/// because fragments follow; encoders write all ones.
pub(super) fn head(moov: &Boxes, trak: &Boxes, trex: &Trex) -> Bytes {
    let ftyp = AnyBox::new(Ftyp {
        major_brand: FourCc(*b"isml"),
        minor_version: 1,
        compatible_brands: [*b"piff", *b"iso2"].map(FourCc).to_vec(),
    });
    let mvhd = moov.list.iter().find(|item| matches!(item.body, Body::Mvhd(_)));
    let mut written: Vec<AnyBox> =
        mvhd.map(|item| movie(item, trex.track_id)).into_iter().collect();
    let is_license = |item: &&AnyBox| {
        item.header.kind == *b"pssh" || item.header.extended == Some(PiffPssh::UUID)
    };
    written.extend(moov.list.iter().filter(is_license).cloned());
    written.push(AnyBox::container(*b"trak", track(trak)));
    written.push(AnyBox::container(*b"mvex", [AnyBox::new(trex.clone())]));
    Boxes::from_iter([ftyp, AnyBox::container(*b"moov", written)]).to_bytes()
}

/// Returns what the fragments of such a file leave to its beginning, with the number of the track.
pub(in crate::live) fn defaults_of(head: &Bytes) -> Option<Trex> {
    let boxes = Boxes::parse(head, 0, &Limits::default()).ok()?;
    boxes.path(&[*b"moov", *b"mvex"])?.get::<Trex>().cloned()
}

/// Returns the `mvhd` of a file without a duration. Encoders write a next track that is there already.
fn movie(mvhd: &AnyBox, track_id: u32) -> AnyBox {
    let mut mvhd = mvhd.clone();
    if let Body::Mvhd(Mvhd { duration, .. }) = &mut mvhd.body {
        *duration = 0;
    }
    if let Some(fields) = mvhd.rest.len().checked_sub(4) {
        let next = track_id.saturating_add(1).to_be_bytes();
        mvhd.rest = [&mvhd.rest[..fields], &next].concat().into();
    }
    mvhd
}

/// Returns the boxes of a `trak` that say what the track is. Its edit list, which has been applied, and
/// references to tracks of other files are left out.
fn track(trak: &Boxes) -> Vec<AnyBox> {
    let is_kept = |item: &&AnyBox| matches!(&item.header.kind.0, b"tkhd" | b"mdia");
    let mut kept: Vec<AnyBox> = trak.list.iter().filter(is_kept).cloned().collect();
    for item in &mut kept {
        match &mut item.body {
            Body::Tkhd(Tkhd { duration, .. }) => *duration = 0,
            Body::Boxes(mdia) => {
                if let Some(mdhd) = mdia.get_mut::<Mdhd>() {
                    mdhd.duration = 0;
                }
            }
            _ => {}
        }
    }
    kept
}
