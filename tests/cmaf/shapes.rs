//! Fragments of unusual shapes, and times that do not fit.

use proptest::collection::vec;
use proptest::prelude::*;
use smooth_origin::Limits;
use smooth_origin::base::FourCc;
use smooth_origin::bmff::{
    AnyBox, Boxes, FullBox, Mfhd, Sbgp, Sdtp, Subs, SubsEntry, Tfdt, Tfhd, Trex, Trun,
    uuid::{Tfrf, Tfxd},
};
use smooth_origin::fragment::cmaf::{self, Start, Track};
use smooth_origin::manifest::StreamKind::{Audio, Text, Video};

use super::samples::{Sample, kinds, ours, theirs, traf};
use super::{Stored, claim, refused, rewritten, run, without};

/// Fields of three samples.
const SAMPLES: [(u32, u32, u32, i32); 3] =
    [(10, 4, 0x0200_0000, 20), (11, 5, 0x0101_0000, -30), (12, 6, 0x0101_0000, 0)];

const NOTHING: (u32, u32, u32) = (0, 0, 0);
const ZERO: Start = Start::Shown(0);

fn track() -> Track {
    Track::new(2, Video)
}

fn decode_time(whole: &bytes::Bytes) -> u64 {
    traf(whole).get::<Tfdt>().unwrap().base_media_decode_time
}

fn flags(whole: &bytes::Bytes) -> Vec<u32> {
    let samples = ours(whole, NOTHING);
    assert_eq!(samples, theirs(whole, NOTHING));
    samples.iter().map(|sample| sample.flags).collect()
}

fn sdtp(bytes: &'static [u8]) -> AnyBox {
    AnyBox::new(Sdtp { full: FullBox::default(), samples: bytes::Bytes::from_static(bytes) })
}

#[test]
fn boxes_are_in_the_order_of_cmaf_and_smooths_own_are_gone() {
    let full = FullBox { version: 1, flags: 0 };
    let stored = Stored::new([run(&SAMPLES)], 15).with([
        AnyBox::other(*b"abcd", vec![1, 2, 3]),
        AnyBox::new(Tfxd { full, time: 5, duration: 6 }),
        AnyBox::new(Tfrf { full, entries: Vec::new() }),
        AnyBox::other(*b"free", vec![0; 9]),
        AnyBox::new(Tfdt { full, base_media_decode_time: 77 }),
        sdtp(&[0x24, 0x14, 0x14]),
    ]);
    let whole = stored.rewritten(Start::Shown(500), &track()).unwrap();
    assert_eq!(kinds(&whole), ["tfhd", "tfdt", "trun", "abcd"]);
    assert_eq!(decode_time(&whole), 480);
    let moof = Boxes::parse(&whole, 0, &Limits::default()).unwrap();
    let moof = moof.inside(*b"moof").unwrap();
    assert_eq!(moof.get::<Mfhd>().unwrap().sequence_number, 5);
}

#[test]
fn a_chunk_that_starts_when_its_first_sample_is_decoded_stays_so() {
    let whole = Stored::new([run(&SAMPLES)], 15).rewritten(Start::Decoded(500), &track()).unwrap();
    assert_eq!(decode_time(&whole), 500);
}

#[test]
fn negative_offsets_are_written_in_version_1() {
    let whole = Stored::new([run(&SAMPLES)], 15).rewritten(Start::Shown(20), &track()).unwrap();
    let traf = traf(&whole);
    let trun = traf.get::<Trun>().unwrap();
    assert_eq!(trun.full.version, 1);
    let offsets: Vec<_> = trun.samples().map(|sample| sample.composition_offset).collect();
    assert_eq!(offsets, [Some(20), Some(-30), Some(0)]);
}

#[test]
fn a_picture_that_would_be_decoded_before_0_is_decoded_at_0_and_shown_when_it_was() {
    let offsets = |start, track: &Track| {
        let whole = Stored::new([run(&SAMPLES)], 15).rewritten(start, track).unwrap();
        let samples = ours(&whole, NOTHING);
        assert_eq!(samples, theirs(&whole, NOTHING));
        let offsets: Vec<_> = samples.iter().map(|sample| sample.offset).collect();
        (decode_time(&whole), offsets)
    };
    assert_eq!(offsets(ZERO, &track()), (0, vec![0, -50, -20]));
    assert_eq!(offsets(Start::Shown(5), &track()), (0, vec![5, -45, -15]));
    assert_eq!(offsets(Start::Shown(-5), &track()), (0, vec![-5, -55, -25]));
    // With the delay of the track, each fragment follows the one before it.
    let delayed = track().delay(20);
    assert_eq!(offsets(ZERO, &delayed), (0, vec![0, -50, -20]));
    assert_eq!(offsets(Start::Shown(33), &delayed), (33, vec![0, -50, -20]));
}

#[test]
fn sound_before_0_has_a_composition_offset() {
    let bare = without(run(&SAMPLES), Trun::COMPOSITION_OFFSET | Trun::FLAGS);
    let stored = Stored::new([bare], 15);
    let whole = stored.rewritten(Start::Shown(-7), &Track::new(2, Audio)).unwrap();
    let offsets = ours(&whole, NOTHING).iter().map(|sample| sample.offset).collect::<Vec<_>>();
    assert_eq!((decode_time(&whole), offsets), (0, vec![-7; 3]));
    assert_eq!(flags(&whole), [0x0200_0000; 3]);
}

#[test]
fn times_and_offsets_that_do_not_fit_are_refused() {
    let stored = Stored::new([run(&SAMPLES)], 15);
    for start in [i64::MIN, -(1 << 40), i64::from(i32::MIN)] {
        let says = refused(stored.rewritten(Start::Shown(start), &track()));
        assert_eq!(says, "a composition offset of more than 32 bits");
    }
    assert!(stored.rewritten(Start::Shown(i64::MAX), &track()).is_ok());
    let low = Stored::new([run(&[(1, 1, 0, 5), (1, 1, 0, i32::MIN + 4)])], 2);
    refused(low.rewritten(ZERO, &track()));
    assert!(low.rewritten(Start::Shown(1), &track()).is_ok());
    refused(stored.rewritten(ZERO, &track().delay(u32::MAX)));
}

#[test]
fn several_runs_keep_their_offsets_or_get_them() {
    let runs = || [run(&SAMPLES[..1]), run(&SAMPLES[1..2]), run(&SAMPLES[2..])];
    let placed = Stored::new(runs(), 15).placed(NOTHING);
    let mut relative = placed.clone();
    (relative.truns[1].data_offset, relative.truns[2].data_offset) = (None, None);
    // Nothing changes with the length of the `moof` but the offset of the first run.
    relative.truns[0].data_offset = Some(relative.start());
    let mut silent = Stored::new(runs(), 15);
    silent.truns.iter_mut().for_each(|trun| trun.data_offset = None);
    // The second run is stored before the first one.
    let mut swapped = placed.clone();
    swapped.truns[0].data_offset = Some(placed.start() + 5);
    swapped.truns[1].data_offset = Some(placed.start());
    for (stored, wanted) in
        [(placed, [0, 4, 9]), (relative, [0, 4, 9]), (silent, [0, 4, 9]), (swapped, [5, 0, 9])]
    {
        let whole = stored.rewritten(Start::Shown(99), &track()).unwrap();
        let samples = ours(&whole, NOTHING);
        assert_eq!(samples, theirs(&whole, NOTHING));
        let data = samples.iter().map(|sample| whole[sample.at as usize]).collect::<Vec<_>>();
        assert_eq!(data, wanted);
    }
}

#[test]
fn wrong_offsets_are_mended_if_the_samples_fill_the_mdat() {
    for offset in [0, -1, i32::MAX] {
        let mut stored = Stored::new([run(&SAMPLES)], 15);
        stored.truns[0].data_offset = Some(offset);
        let whole = stored.rewritten(Start::Shown(99), &track()).unwrap();
        assert_eq!(whole[ours(&whole, NOTHING)[0].at as usize..][..3], [0, 1, 2]);
    }
    // Some bytes belong to no sample: which, nobody can say.
    let mut stored = Stored::new([run(&SAMPLES)], 20);
    stored.truns[0].data_offset = Some(stored.start() - 1);
    assert!(refused(stored.rewritten(ZERO, &track())).contains("outside"));
    stored.truns[0].data_offset = Some(stored.start() + 2);
    let whole = stored.rewritten(Start::Shown(99), &track()).unwrap();
    assert_eq!(whole[ours(&whole, NOTHING)[0].at as usize..][..3], [2, 3, 4]);
}

#[test]
fn an_absolute_offset_goes() {
    let mut stored = Stored::new([run(&SAMPLES)], 15);
    stored.tfhd.base_data_offset = Some(1 << 40);
    stored.truns[0].data_offset = Some(stored.start());
    let whole = stored.rewritten(Start::Shown(99), &track()).unwrap();
    let tfhd = traf(&whole).get::<Tfhd>().unwrap().clone();
    assert_eq!((tfhd.base_data_offset, tfhd.full.has(0x2_0000)), (None, true));
    assert_eq!(whole[ours(&whole, NOTHING)[0].at as usize], 0);
    stored.payload = 16;
    refused(stored.rewritten(ZERO, &track()));
}

#[test]
fn defaults_of_the_file_and_of_the_fragment_are_the_fragments_own_afterwards() {
    let trex = Trex {
        default_sample_duration: 10,
        default_sample_size: 5,
        default_sample_flags: 0x0200_0000,
        ..Trex::default()
    };
    let from_file = Stored::new([claim(3)], 15).placed((10, 5, 0));
    let mut own = from_file.clone();
    own.tfhd.default_sample_size = Some(4);
    own.tfhd.default_sample_duration = Some(9);
    own.payload = 12;
    for (stored, duration, size) in [(from_file, 10, 5), (own, 9, 4)] {
        let stored = stored.placed((10, 5, 0));
        let whole = stored.rewritten(ZERO, &Track::new(2, Audio).defaults(&trex)).unwrap();
        let samples = ours(&whole, NOTHING);
        assert_eq!(samples, theirs(&whole, NOTHING));
        let at = samples[0].at;
        let one = |i| Sample {
            at: at + i * i64::from(size),
            duration,
            size,
            flags: 0x0200_0000,
            offset: 0,
        };
        assert_eq!(samples, [one(0), one(1), one(2)]);
        assert!(traf(&whole).get::<Trun>().unwrap().entries.is_empty());
    }
    let unknown = refused(Stored::new([claim(3)], 15).placed((0, 5, 0)).rewritten(ZERO, &track()));
    assert!(unknown.contains("unknown size"), "{unknown}");
}

#[test]
fn a_fragment_without_samples_gets_an_empty_mdat() {
    for truns in [vec![], vec![claim(0)], vec![claim(0), claim(0)]] {
        let stored = Stored::new(truns, 0);
        let moof = Boxes::from_iter([stored.moof()]).to_bytes();
        for bytes in [moof, stored.bytes()] {
            let whole = rewritten(&bytes, Start::Shown(7), &track()).unwrap();
            assert_eq!(whole[whole.len() - 8..], *b"\0\0\0\x08mdat");
            assert_eq!((decode_time(&whole), ours(&whole, NOTHING).len()), (7, 0));
        }
    }
}

#[test]
fn the_mdat_has_a_short_header_whatever_stands_before_the_stored_payload() {
    let stored = Stored::new([run(&SAMPLES)], 15);
    let payload: Vec<u8> = (0..15).collect();
    let long = [&[0, 0, 0, 1], &b"mdat"[..], &31_u64.to_be_bytes(), &payload].concat();
    let free = [&b"\0\0\0\x0bfreexyz"[..], &b"\0\0\0\x17mdat"[..], &payload].concat();
    let behind = [&b"\0\0\0\x17mdat"[..], &payload, b"\0\0\0\x08free"].concat();
    let wanted = stored.clone().placed(NOTHING).rewritten(Start::Shown(99), &track()).unwrap();
    for (mdat, by) in [(long, 16), (free, 19), (behind, 8)] {
        let mut stored = stored.clone();
        stored.truns[0].data_offset = Some(stored.start() - 8 + by);
        let moof = Boxes::from_iter([stored.moof()]).to_bytes();
        let bytes = [&moof[..], &mdat].concat().into();
        assert_eq!(rewritten(&bytes, Start::Shown(99), &track()).unwrap(), wanted);
    }
}

#[test]
fn claims_of_samples_without_bytes_stay_claims_or_are_refused() {
    let says = refused(Stored::new([claim(u32::MAX)], 0).rewritten(ZERO, &track()));
    assert!(says.contains("samples of a fragment: 4294967295"), "{says}");
    // A million equal samples take one run, a million that differ too many bytes.
    let many = || Stored::new([claim(1_000_000)], 0);
    let whole = many().rewritten(Start::Shown(9), &track()).unwrap();
    assert!(whole.len() < 200);
    assert_eq!(traf(&whole).get::<Trun>().unwrap().sample_count, 1_000_000);
    let different = many().with([sdtp(&[0x24, 0x14, 0x24])]);
    let says = refused(different.rewritten(Start::Shown(9), &track()));
    assert!(says.contains("samples that are written one by one"), "{says}");
    refused(many().rewritten(Start::Shown(-9), &track()));
    let few = Stored::new([claim(16_384)], 0).with([sdtp(&[0x24, 0x14, 0x24])]);
    assert!(few.rewritten(Start::Shown(-9), &track()).is_ok());
}

#[test]
fn one_flag_for_the_first_sample_takes_no_entry_of_its_own() {
    let bare = || without(run(&SAMPLES), Trun::FLAGS);
    // Expression Encoder's, which say nothing about dependencies.
    let mut encoder = Stored::new([bare()], 15);
    encoder.tfhd.default_sample_flags = Some(0x4001);
    encoder.truns[0].first_sample_flags = Some(0x4002);
    for (stored, wanted) in [
        (encoder.clone(), [0x0200_0000, 0x0101_0000, 0x0101_0000]),
        (
            encoder.clone().with([sdtp(&[0x24, 0x14, 0x14])]),
            [0x0240_0000, 0x0141_0000, 0x0141_0000],
        ),
        // Too few bytes in `sdtp`: nothing is known of the last sample.
        (encoder.clone().with([sdtp(&[0x20, 0x10])]), [0x0200_0000, 0x0101_0000, 0x0101_0000]),
        (encoder.with([sdtp(&[0x24])]), [0x0240_0000, 0x0101_0000, 0x0101_0000]),
        (
            Stored::new([bare()], 15).with([sdtp(&[0, 0, 0])]),
            [0x0200_0000, 0x0101_0000, 0x0101_0000],
        ),
    ] {
        let whole = stored.placed(NOTHING).rewritten(Start::Shown(99), &track()).unwrap();
        assert_eq!(flags(&whole), wanted);
        let traf = traf(&whole);
        let trun = traf.get::<Trun>().unwrap();
        assert_eq!(trun.first_sample_flags, Some(wanted[0]));
        assert_eq!((trun.entry_len(), trun.full.has(Trun::FLAGS)), (12, false));
    }
}

#[test]
fn flags_that_differ_are_written_for_each_sample() {
    let bare = without(run(&SAMPLES), Trun::FLAGS);
    for (trun, bytes, wanted) in [
        (bare.clone(), &[0x24, 0x14, 0x24][..], [0x0240_0000, 0x0141_0000, 0x0240_0000]),
        (bare.clone(), &[0x14, 0x24], [0x0141_0000, 0x0240_0000, 0x0101_0000]),
        // Flags have a field already.
        (run(&SAMPLES), &[0x24, 0x18, 0x18], [0x0240_0000, 0x0181_0000, 0x0181_0000]),
    ] {
        let stored = Stored::new([trun], 15).with([sdtp(bytes)]).placed(NOTHING);
        let whole = stored.rewritten(Start::Shown(99), &track()).unwrap();
        assert_eq!(flags(&whole), wanted);
        assert_eq!(traf(&whole).get::<Trun>().unwrap().first_sample_flags, None);
    }
    // Sound and text can be decoded from any sample.
    for kind in [Audio, Text] {
        let stored = Stored::new([bare.clone()], 15).placed(NOTHING);
        assert_eq!(flags(&stored.rewritten(ZERO, &Track::new(2, kind)).unwrap()), [0x0200_0000; 3]);
    }
}

#[test]
fn a_run_does_not_get_flags_of_its_first_sample_twice() {
    let mut stored = Stored::new([run(&SAMPLES)], 15).placed(NOTHING);
    stored.truns[0].first_sample_flags = Some(0x0101_0000);
    let stored = stored.placed(NOTHING);
    let whole = stored.rewritten(Start::Shown(99), &track()).unwrap();
    assert_eq!(flags(&whole), [0x0200_0000, 0x0101_0000, 0x0101_0000]);
    assert_eq!(traf(&whole).get::<Trun>().unwrap().first_sample_flags, None);
}

#[test]
fn groups_and_subsamples_stay_and_those_that_cannot_be_read_go() {
    let sbgp = Sbgp {
        full: FullBox::default(),
        grouping_type: FourCc(*b"roll"),
        grouping_type_parameter: None,
        entries: vec![0, 0, 0, 3, 0, 0, 0, 1].into(),
    };
    let entry = SubsEntry { sample_delta: 1, subsamples: vec![0; 8].into() };
    let boxes = [AnyBox::new(Subs::new(FullBox::default(), [entry])), AnyBox::new(sbgp)];
    let stored = Stored::new([run(&SAMPLES)], 15).with(boxes.clone());
    let broken = [AnyBox::other(*b"sbgp", vec![0; 5]), AnyBox::other(*b"subs", vec![0; 5])];
    let stored = stored.with(broken).placed(NOTHING);
    let whole = stored.rewritten(Start::Shown(99), &track()).unwrap();
    assert_eq!(kinds(&whole)[3..], ["subs", "sbgp"]);
    for item in &boxes {
        assert!(traf(&whole).list.iter().any(|kept| kept.body == item.body));
    }
}

#[test]
fn a_part_of_a_fragment_is_refused() {
    let bytes = Stored::new([run(&SAMPLES)], 15).placed(NOTHING).bytes();
    for len in 0..bytes.len() {
        let part = bytes.slice(..len);
        assert!(cmaf::rewrite(&part, ZERO, &track(), &Limits::default()).is_err(), "{len}");
    }
}

/// Runs of a few samples with any of the fields.
fn any_runs() -> impl Strategy<Value = Vec<Trun>> {
    let small = || prop_oneof![Just(0_u32), 0..40_u32];
    let flags = prop::sample::select(vec![0, 0x4001, 0x0200_0000, 0x0101_0000, 0x0240_0000]);
    let offset = -1000..1000_i32;
    let samples = vec((any::<u16>().prop_map(u32::from), small(), flags.clone(), offset), 0..6);
    let fields = (0..16_u32).prop_map(|fields| fields << 8);
    vec((samples, fields, prop::option::of(flags), any::<bool>()), 0..4).prop_map(|runs| {
        let one = |(samples, missing, first, has_offset): (Vec<_>, u32, Option<u32>, bool)| {
            let mut trun = without(run(&samples), missing);
            let has_flags = trun.full.has(Trun::FLAGS);
            trun.first_sample_flags = first.filter(|_| !has_flags);
            trun.data_offset = has_offset.then_some(0);
            trun
        };
        runs.into_iter().map(one).collect()
    })
}

proptest! {
    #[test]
    fn two_readers_see_the_same_samples_as_before(
        truns in any_runs(),
        defaults in (0..5000_u32, 0..9_u32, prop::sample::select(vec![0, 0x0101_0000])),
        by_sdtp in prop::option::of(vec(prop::sample::select(vec![0_u8, 0x24, 0x14, 0x18]), 0..20)),
        start in -3000..1_i64 << 40,
        delay in 0..1200_u32,
        is_video: bool,
    ) {
        let mut stored = Stored::new(truns, 0);
        if let Some(bytes) = &by_sdtp {
            let samples = bytes.clone().into();
            stored = stored.with([AnyBox::new(Sdtp { full: FullBox::default(), samples })]);
        }
        // Sizes add up, and each run follows the one before it.
        let sizes = stored.truns.iter().flat_map(|trun| trun.samples().map(|sample| sample.size));
        stored.payload = sizes.map(|size| size.unwrap_or(defaults.1)).sum();
        let stored = stored.placed(defaults);
        let bytes = stored.bytes();
        let (duration, sample_size, sample_flags) = defaults;
        let trex = Trex {
            default_sample_duration: duration,
            default_sample_size: sample_size,
            default_sample_flags: sample_flags,
            ..Trex::default()
        };
        let kind = if is_video { Video } else { Audio };
        let track = Track::new(3, kind).defaults(&trex).delay(delay);
        let whole = rewritten(&bytes, Start::Shown(start), &track).unwrap();

        let before = ours(&bytes, defaults);
        let after = ours(&whole, (77, 77, 77));
        prop_assert_eq!(&after, &theirs(&whole, (77, 77, 77)));
        prop_assert_eq!(before.len(), after.len());
        let first = before.first().map_or(0, |sample| i64::from(sample.offset));
        let decoded = start - first;
        let later = i64::from(delay).max(-decoded);
        prop_assert_eq!(decode_time(&whole) as i64, decoded + later);
        let mut data = stored.moof().len() as i64 + 8;
        for (number, (before, after)) in before.iter().zip(&after).enumerate() {
            prop_assert_eq!((before.duration, before.size), (after.duration, after.size));
            prop_assert_eq!(i64::from(before.offset) - later, i64::from(after.offset));
            let (from, to) = (data as usize, after.at as usize);
            let size = after.size as usize;
            prop_assert_eq!(&bytes[from..from + size], &whole[to..to + size]);
            data += size as i64;
            let has_key = |bytes: &Vec<u8>| bytes.iter().take(before_len(&stored)).any(|&b| b == 0x24);
            if !by_sdtp.as_ref().is_some_and(has_key) {
                let says = |stored: &[Sample]| stored.iter().any(|s| s.flags & 0x301_0000 != 0);
                let made = if number == 0 || !is_video { 0x0200_0000 } else { 0x0101_0000 };
                let wanted = if says(&ours(&bytes, defaults)) { before.flags } else { made };
                prop_assert_eq!(wanted, after.flags);
            }
        }
    }
}

fn before_len(stored: &Stored) -> usize {
    stored.truns.iter().map(|trun| trun.sample_count as usize).sum()
}
