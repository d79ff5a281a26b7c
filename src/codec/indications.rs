//! Profile and level in a decoder configuration, as its parameter sets have them.

use bytes::Bytes;

use super::{h264, hevc};
use crate::base::Limits;
use crate::bmff::{AvcC, HvcC, SampleEntry, VisualSampleEntry};

/// Returns a sample entry whose `avcC` or `hvcC` indicates the profile, compatibility and level of its
/// sequence parameter sets. Other bytes stay as they are. An entry that already does so, that has no
/// sets or sets that differ, or that cannot be read is returned unchanged.
///
/// Encoders of Azure set a compatibility flag in `avcC` that the set does not have. Manifests announce
/// what the set says; mp4box.js 2.4.1 and Shaka Packager 3.8.0 take what `avcC` says, and find another codec.
///
/// Spec: ISO/IEC 14496-15, 5.3.3.1.2 and 8.3.3.1.2.
pub(super) fn by_parameter_sets(entry: SampleEntry, limits: &Limits) -> SampleEntry {
    let Ok(mut visual) = VisualSampleEntry::parse(&entry, limits) else { return entry };
    let Some(before) = entry.body.len().checked_sub(visual.boxes.len() as usize) else {
        return entry;
    };
    let is_changed = if let Some(avcc) = visual.boxes.get_mut::<AvcC>() {
        let stored = [avcc.profile, avcc.compatibility, avcc.level];
        let indicated = common(avcc.sps.iter().map(|set| h264::profile_of(&set))).unwrap_or(stored);
        [avcc.profile, avcc.compatibility, avcc.level] = indicated;
        indicated != stored
    } else if let Some(hvcc) = visual.boxes.get_mut::<HvcC>() {
        let arrays = hvcc.arrays().filter(|array| array.nal_type() == hevc::SPS);
        let sets: Vec<Bytes> =
            arrays.flat_map(|array| array.units.iter().collect::<Vec<_>>()).collect();
        let [_, general @ .., _, _, _, _, _, _, _, _, _] = &mut hvcc.general;
        let indicated = common(sets.iter().map(|set| hevc::profile_of(set))).unwrap_or(*general);
        std::mem::replace(general, indicated) != indicated
    } else {
        false
    };
    if !is_changed {
        return entry;
    }
    let body = [&entry.body[..before], &visual.boxes.to_bytes()].concat();
    SampleEntry { body: body.into(), ..entry }
}

/// Returns what all sets indicate; `None` if there are none, if one cannot be read, or if they differ.
fn common<T: PartialEq>(mut sets: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = sets.next()??;
    sets.all(|set| set.as_ref() == Some(&first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{CodecTag, Description, Format, hex};

    const AVC: &str = "0000000167640015ACD941E08FEB011000003E90000EA600F162D9600000000168EBECB22C";
    const HEVC: &str = "\
        0000000140010C01FFFF01600000030090000003000003003C959809\
        0000000142010101600000030090000003000003003CA00A080B9F796566924CAF016808000003000800000300\
        C840000000014401C172B46240";

    fn entry(tag: CodecTag, private_data: &str) -> SampleEntry {
        let format = Format::Video { width: 320, height: 180, nal_length_size: 4 };
        Description::new(tag, hex(private_data).unwrap(), format).sample_entry().unwrap()
    }

    /// Returns a copy with another byte at this place behind the name of a box.
    fn changed(entry: &SampleEntry, kind: &[u8; 4], at: usize, byte: u8) -> SampleEntry {
        let mut body = entry.body.to_vec();
        let place = body.windows(4).position(|name| name == kind).unwrap() + 4 + at;
        assert_ne!(body[place], byte);
        body[place] = byte;
        SampleEntry { body: body.into(), ..entry.clone() }
    }

    #[test]
    fn profile_and_level_become_those_of_the_parameter_set_and_no_other_byte_changes() {
        let limits = Limits::default();
        for (tag, private_data, kind, places) in
            [(CodecTag::H264, AVC, b"avcC", 1..4), (CodecTag::HVC1, HEVC, b"hvcC", 1..13)]
        {
            let right = entry(tag, private_data);
            assert_eq!(by_parameter_sets(right.clone(), &limits), right);
            for at in places.clone() {
                let wrong = changed(&right, kind, at, 0x2a);
                assert_eq!(by_parameter_sets(wrong, &limits), right, "{at}");
            }
            let length = changed(&right, kind, if kind == b"avcC" { 4 } else { 21 }, 0xfd);
            assert_eq!(by_parameter_sets(length.clone(), &limits), length, "length of NAL units");
            let clear = changed(&right, kind, 1, 0x2a);
            // The fields of the entry before its boxes stay too.
            let mut body = clear.body.to_vec();
            body[40] = 7;
            let named = SampleEntry { body: body.into(), ..clear };
            let found = by_parameter_sets(named, &limits);
            assert_eq!((found.body[40], &found.body[41..]), (7, &right.body[41..]));
        }
    }

    #[test]
    fn sets_that_differ_or_that_are_not_there_change_nothing() {
        let limits = Limits::default();
        // Another level in the second set: the configuration is for both.
        let both = format!("{AVC}000000016764001FACD941E08FEB01");
        for private_data in [&*both, AVC] {
            let stored = changed(&entry(CodecTag::H264, private_data), b"avcC", 3, 0x28);
            let found = by_parameter_sets(stored.clone(), &limits);
            assert_eq!(found == stored, private_data == both);
        }
        for (name, sets) in [(b"avcC", &[1, 0x64, 0x40, 0x15, 0xff, 0xe0, 0][..]), (b"avcC", &[1])]
        {
            let right = entry(CodecTag::H264, AVC);
            let configuration = crate::bmff::AnyBox::other(*name, sets.to_vec());
            let boxes = crate::bmff::Boxes::from_iter([configuration]).to_bytes();
            let stored = SampleEntry { body: [&right.body[..70], &boxes].concat().into(), ..right };
            assert_eq!(by_parameter_sets(stored.clone(), &limits), stored);
        }
        let short = SampleEntry::new(crate::base::FourCc(*b"avc1"), Bytes::from_static(&[0; 9]));
        assert_eq!(by_parameter_sets(short.clone(), &limits), short);
    }
}
