//! Rewriting for Smooth Streaming: any bytes as a fragment, behind a few that say where it begins and
//! which track is wanted.

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::bmff::{Boxes, Tfhd, Trex, Trun};
use smooth_origin::fragment::rewritten;

/// Bytes in front of the fragment.
const PARAMETERS: usize = 8;

/// Bytes that samples without stored bytes may take.
const EXPANDED: usize = 16_384 * 16;

/// Rewrites a fragment, and compares its samples with the stored ones.
pub fn rewritten(data: &[u8]) {
    let Some((parameters, fragment)) = data.split_at_checked(PARAMETERS) else { return };
    let trex = Trex {
        track_id: u32::from(parameters[0] % 4),
        default_sample_duration: parameters[1].into(),
        default_sample_size: parameters[2].into(),
        default_sample_flags: u32::from(parameters[3]) << 16,
        ..Trex::default()
    };
    let start = u32::from_be_bytes(parameters[4..].try_into().unwrap()).into();
    let stored = Bytes::copy_from_slice(fragment);
    let limits = Limits::default();
    let Ok(made) = rewritten::rewrite(&stored, start, &trex, &limits) else { return };

    let mut whole = made.head.to_vec();
    for range in &made.ranges {
        assert!(start <= range.start && range.start < range.end, "an empty range");
        let (from, to) = ((range.start - start) as usize, (range.end - start) as usize);
        whole.extend(stored.get(from..to).expect("samples are in the fragment"));
    }
    assert_eq!(whole.len() as u64, made.length());
    assert!(made.head.len() <= 5 * stored.len() + EXPANDED + 256, "the head is too long");
    assert!(whole.len() - made.head.len() <= stored.len(), "samples are told twice");
    let whole = Bytes::from(whole);
    let boxes = Boxes::parse(&whole, 0, &limits).expect("what is written parses");
    let [moof, mdat] = &boxes.list[..] else { panic!("one moof and its mdat") };
    assert_eq!((moof.header.kind.0, mdat.header.kind.0), (*b"moof", *b"mdat"));
    let moof = boxes.inside(*b"moof").expect("it is first");
    assert_eq!(moof.each(*b"traf").count(), 1);
    let after = moof.inside(*b"traf").expect("one traf");
    let tfhd = after.get::<Tfhd>().expect("one tfhd");
    assert_eq!((tfhd.track_id, tfhd.base_data_offset), (trex.track_id, None));
    let trun = after.get::<Trun>().expect("one trun");
    assert_eq!(after.all::<Trun>().count(), 1);
    assert_eq!(trun.data_offset, Some(made.head.len() as i32));

    let before = Boxes::parse(&stored, 0, &limits);
    // What is behind the fragment may be anything.
    let Ok(before) = before else { return };
    let trafs = before.inside(*b"moof").expect("it was rewritten").each(*b"traf");
    let is_own = |traf: &&Boxes| traf.get::<Tfhd>().is_some_and(|of| of.track_id == trex.track_id);
    let old: Vec<_> = trafs.filter(is_own).flat_map(|traf| samples(traf, &trex)).collect();
    let new: Vec<_> = samples(after, &Trex::default()).collect();
    assert!(old == new, "other samples");
    let sizes: u64 = new.iter().map(|sample| u64::from(sample.0)).sum();
    assert_eq!(made.head.len() as u64 + sizes, made.length());
    // It is a fragment that is cut out of its file.
    let again = rewritten::rewrite(&whole, 0, &trex, &limits).expect("it is a fragment");
    assert_eq!(again.length() - again.head.len() as u64, sizes);
}

/// Size, duration, flags and composition offset of all samples.
fn samples<'a>(
    traf: &'a Boxes,
    trex: &Trex,
) -> impl Iterator<Item = (u32, u32, u32, i32)> + use<'a> {
    let of = |field: fn(&Tfhd) -> Option<u32>| traf.get::<Tfhd>().and_then(field);
    let size = of(|tfhd| tfhd.default_sample_size).unwrap_or(trex.default_sample_size);
    let duration = of(|tfhd| tfhd.default_sample_duration).unwrap_or(trex.default_sample_duration);
    let flags = of(|tfhd| tfhd.default_sample_flags).unwrap_or(trex.default_sample_flags);
    traf.all::<Trun>().flat_map(move |trun| {
        trun.samples().enumerate().map(move |(number, sample)| {
            let first = trun.first_sample_flags.filter(|_| number == 0);
            (
                sample.size.unwrap_or(size),
                sample.duration.unwrap_or(duration),
                sample.flags.or(first).unwrap_or(flags),
                sample.composition_offset.unwrap_or(0),
            )
        })
    })
}
