//! Rewriting into CMAF: any bytes as a stored fragment, behind a few that say how it is rewritten.

use std::ops::Range;

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::base::Guid;
use smooth_origin::bmff::{Boxes, Saio, Saiz, Senc, Tfdt, Tfhd, Trex, Trun, uuid::PiffSenc};
use smooth_origin::fragment::cmaf::{self, Start, Track};
use smooth_origin::manifest::StreamKind;

/// Bytes in front of the fragment.
const PARAMETERS: usize = 16;

/// Bytes that samples without stored bytes may take.
const EXPANDED: usize = 16_384 * 8;

/// Rewrites a fragment, and compares its samples with the stored ones.
pub fn cmaf(data: &[u8]) {
    let Some((parameters, fragment)) = data.split_at_checked(PARAMETERS) else { return };
    let word = |at: usize| u32::from_be_bytes(parameters[at..at + 4].try_into().unwrap());
    let kind = [StreamKind::Video, StreamKind::Audio, StreamKind::Text][parameters[0] as usize % 3];
    let trex = Trex {
        default_sample_duration: parameters[1].into(),
        default_sample_size: parameters[2].into(),
        default_sample_flags: u32::from(parameters[3]) << 16,
        ..Trex::default()
    };
    let start = i64::from(word(4) as i32) << (parameters[12] % 32);
    let start = if parameters[13] % 2 == 0 { Start::Shown(start) } else { Start::Decoded(start) };
    let delay = word(8);
    let key = Guid::from_u128(parameters[15].into());
    let track = Track::new(2, kind).defaults(&trex).delay(delay).protection(parameters[14], key);

    let stored = Bytes::copy_from_slice(fragment);
    let Ok(made) = cmaf::rewrite(&stored, start, &track, &Limits::default()) else { return };
    let payload = &stored[made.payload.start as usize..made.payload.end as usize];
    let whole: Bytes = [&made.head, payload].concat().into();
    assert!(made.head.len() <= 5 * stored.len() + EXPANDED + 256, "the head is too long");
    let boxes = Boxes::parse(&whole, 0, &Limits::default()).expect("what is written parses");
    assert_eq!(boxes.to_bytes(), whole);
    let [moof, mdat] = &boxes.list[..] else { panic!("one moof and its mdat") };
    assert_eq!((moof.header.kind.0, mdat.header.kind.0), (*b"moof", *b"mdat"));

    let before = Boxes::parse(&head(&stored), 0, &Limits::default()).expect("it was read before");
    let before = before.path(&[*b"moof", *b"traf"]).expect("it was rewritten");
    let after = boxes.path(&[*b"moof", *b"traf"]).expect("one traf");
    let tfhd = after.get::<Tfhd>().expect("one tfhd");
    assert_eq!((tfhd.track_id, tfhd.base_data_offset), (2, None));
    assert!(tfhd.full.has(0x2_0000), "offsets count from the moof");
    assert_eq!(after.all::<Tfdt>().count(), 1);
    assert!(after.get::<PiffSenc>().is_none());
    if after.get::<Senc>().is_some() {
        auxiliary(after, &whole);
    }

    let none = Trex::default();
    let sizes_and_durations =
        |traf, trex| samples(traf, trex).map(|(size, ticks, _)| (size, ticks));
    let (old, new) = (sizes_and_durations(before, &trex), sizes_and_durations(after, &none));
    assert!(old.eq(new), "other sizes or durations");
    // All samples are shown earlier by as much as they are decoded later.
    let offsets = samples(before, &trex).zip(samples(after, &none));
    let mut later = offsets.map(|(old, new)| i64::from(old.2) - i64::from(new.2));
    if let Some(first) = later.next() {
        assert!(first >= 0 && later.all(|ticks| ticks == first), "the order of pictures changes");
    }
    for run in runs(after) {
        assert!(made.head.len() <= run.start && run.end <= whole.len(), "outside of the mdat");
    }
}

/// The `moof` of a fragment, whose size may be any that a box can have.
fn head(fragment: &Bytes) -> Bytes {
    let short = u32::from_be_bytes(fragment[..4].try_into().unwrap());
    let len = match short {
        0 => fragment.len(),
        1 => u64::from_be_bytes(fragment[8..16].try_into().unwrap()) as usize,
        len => len as usize,
    };
    fragment.slice(..len)
}

/// Size, duration and composition offset of all samples.
fn samples<'a>(traf: &'a Boxes, trex: &Trex) -> impl Iterator<Item = (u32, u32, i32)> + use<'a> {
    let tfhd = traf.get::<Tfhd>();
    let size = tfhd.and_then(|t| t.default_sample_size).unwrap_or(trex.default_sample_size);
    let duration = tfhd.and_then(|t| t.default_sample_duration);
    let duration = duration.unwrap_or(trex.default_sample_duration);
    traf.all::<Trun>().flat_map(Trun::samples).map(move |sample| {
        let offset = sample.composition_offset.unwrap_or(0);
        (sample.size.unwrap_or(size), sample.duration.unwrap_or(duration), offset)
    })
}

/// The bytes of the written runs, by their offsets.
fn runs(traf: &Boxes) -> impl Iterator<Item = Range<usize>> + '_ {
    let size = traf.get::<Tfhd>().and_then(|tfhd| tfhd.default_sample_size).unwrap_or(0);
    traf.all::<Trun>().map(move |trun| {
        let at = trun.data_offset.expect("every run has an offset") as usize;
        let sizes = trun.samples().map(|sample| sample.size.unwrap_or(size) as usize);
        at..at + sizes.sum::<usize>()
    })
}

/// Checks that `saiz` and `saio` describe the entries of `senc`.
fn auxiliary(traf: &Boxes, whole: &[u8]) {
    let senc = &traf.get::<Senc>().expect("the caller has seen it").0;
    let (saiz, saio) = (traf.get::<Saiz>(), traf.get::<Saio>());
    assert_eq!(saiz.is_some(), saio.is_some());
    let (Some(saiz), Some(saio)) = (saiz, saio) else { return };
    let [at] = saio.offsets[..] else { panic!("one offset") };
    let at = at as usize;
    assert_eq!(whole[at..at + senc.entries.len()], senc.entries[..]);
    let sum = match saiz.default_sample_info_size {
        0 => saiz.sizes.iter().map(|&size| u64::from(size)).sum(),
        size => u64::from(size) * u64::from(saiz.sample_count),
    };
    assert_eq!((saiz.sample_count, sum), (senc.sample_count, senc.entries.len() as u64));
}
