//! Identifying the track of a fragment whose `moof` cannot be read.

use bytes::Bytes;

use crate::base::{Cursor, FourCc};
use crate::bmff::Header;

/// Returns the track of the fragment that `block` begins with. `None` unless the `moof` is complete
/// and has exactly one `traf`, which begins with a `tfhd`. Only as many boxes as the `moof` of one
/// track has are looked at.
pub(crate) fn track_of_broken(block: &Bytes) -> Option<u32> {
    const MOST: usize = 16;
    let (kind, moof) = next(&mut Cursor::new(block, 0))?;
    let (mut inside, mut only_traf) = (Cursor::new(&moof, 0), None);
    for _ in 0..MOST {
        if inside.remaining() == 0 {
            let (first, tfhd) = next(&mut Cursor::new(&only_traf?, 0))?;
            let id = tfhd.get(4..)?.first_chunk()?;
            return (kind == *b"moof" && first == *b"tfhd").then_some(u32::from_be_bytes(*id));
        }
        let (kind, body) = next(&mut inside)?;
        if kind == *b"traf" && only_traf.replace(body).is_some() {
            return None;
        }
    }
    None
}

/// Takes the next box: its type and its content.
fn next(cursor: &mut Cursor<'_>) -> Option<(FourCc, Bytes)> {
    let header = Header::parse(cursor).ok()?;
    let len = header.total()?.checked_sub(header.len())?;
    let mut body = cursor.split(usize::try_from(len).ok()?).ok()?;
    Some((header.kind, body.rest()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::{AnyBox, Boxes, Mfhd, Tfhd};

    #[test]
    fn the_track_is_known_where_one_traf_begins_with_its_tfhd() {
        let tfhd = |track_id| AnyBox::new(Tfhd { track_id, ..Tfhd::default() });
        let broken = || AnyBox::other(*b"trun", vec![0, 0, 2, 0, 255, 255, 255, 255]);
        let traf = |boxes: Vec<AnyBox>| AnyBox::container(*b"traf", boxes);
        let moof = |trafs: Vec<AnyBox>| {
            let boxes = [vec![AnyBox::new(Mfhd::default())], trafs].concat();
            Boxes::from_iter([AnyBox::container(*b"moof", boxes)]).to_bytes()
        };
        let one = moof(vec![traf(vec![tfhd(7), broken()])]);
        assert_eq!(track_of_broken(&one), Some(7));
        let two = vec![traf(vec![tfhd(7), broken()]), traf(vec![tfhd(8)])];
        assert_eq!(track_of_broken(&moof(two)), None, "it may be of either");
        assert_eq!(track_of_broken(&moof(vec![traf(vec![broken(), tfhd(7)])])), None);
        assert_eq!(track_of_broken(&moof(vec![])), None);
        for len in 0..one.len() {
            assert_eq!(track_of_broken(&one.slice(..len)), None, "{len}");
        }
        let many = vec![AnyBox::other(*b"free", vec![]); 20];
        assert_eq!(track_of_broken(&moof([many, vec![traf(vec![tfhd(7)])]].concat())), None);
    }
}
