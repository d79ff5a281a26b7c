//! Fragments that cannot be cut out of their file: several tracks in one `moof`, offsets that count from
//! the start of the file. They are served with a `moof` of their own, and their samples as they are.

use std::sync::Arc;

use smooth_origin::Limits;
use smooth_origin::base::ErrorKind;
use smooth_origin::bmff::uuid::{PiffSenc, Tfxd};
use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfhd, Trex, Trun};
use smooth_origin::fragment::rewritten;
use smooth_origin::origin::Origin;
use smooth_origin::storage::MemoryStore;
use testkit::film::ism;
use testkit::record::RecordingStore;
use testkit::shared_moofs::{Base, FRAGMENTS, Sample, Shape, TICKS, file, iv, of_tracks, samples};
use testkit::{codes, get, open, status, store};

const TRACKS: [(&str, u32, u32); 2] = [("video", 300, 1), ("audio", 64, 2)];

fn film(file: Vec<u8>) -> MemoryStore {
    let tracks = TRACKS.map(|(kind, bitrate, track)| (kind, "film.mp4", bitrate, track, ""));
    store([("film.ism", ism(None, &tracks)), ("film.mp4", file)])
}

fn path(noun: &str, track: (&str, u32, u32), fragment: usize) -> String {
    let (kind, bitrate, _) = track;
    format!("film.ism/QualityLevels({bitrate})/{noun}({kind}={})", fragment as u64 * TICKS)
}

/// The samples of a fragment as a player finds them.
fn read(fragment: &[u8]) -> (Boxes, Vec<Sample>) {
    let bytes = fragment.to_vec().into();
    let boxes = Boxes::parse(&bytes, 0, &Limits::default()).unwrap();
    let kinds: Vec<_> = boxes.list.iter().map(|item| item.header.kind.to_string()).collect();
    assert_eq!(kinds, ["moof", "mdat"]);
    let moof = boxes.inside(*b"moof").unwrap();
    assert_eq!(moof.each(*b"traf").count(), 1);
    let traf = moof.inside(*b"traf").unwrap().clone();
    let tfhd = traf.get::<Tfhd>().unwrap();
    assert_eq!((tfhd.base_data_offset, tfhd.default_sample_size), (None, None));
    assert_eq!(tfhd.default_sample_duration, None);
    let mut samples = Vec::new();
    for trun in traf.all::<Trun>() {
        let mut at = trun.data_offset.unwrap() as usize;
        for (number, sample) in trun.samples().enumerate() {
            let size = sample.size.unwrap() as usize;
            let first = trun.first_sample_flags.filter(|_| number == 0);
            samples.push(Sample {
                duration: sample.duration.unwrap(),
                flags: sample.flags.or(first).or(tfhd.default_sample_flags).unwrap(),
                composition_offset: sample.composition_offset.unwrap_or(0),
                bytes: fragment[at..at + size].to_vec(),
            });
            at += size;
        }
    }
    (traf, samples)
}

fn shapes() -> Vec<Shape> {
    let bases = [Base::Absolute, Base::Moof, Base::Implicit];
    let shape = |base| {
        [(true, 1), (false, 1), (true, 3)].map(|(mfra, runs)| Shape {
            base,
            mfra,
            runs,
            senc: false,
        })
    };
    bases.into_iter().flat_map(shape).collect()
}

#[test]
fn fragments_that_share_a_moof_are_served_with_one_of_their_own() {
    for shape in shapes() {
        let store = film(file(shape));
        let opened = open(&store).unwrap();
        let found = codes(opened.presentation());
        let rewritten = found.iter().filter(|code| *code == "info fragments-rewritten").count();
        assert_eq!(rewritten, 2, "{shape:?}: {found:?}");
        assert!(!found.iter().any(|code| code.starts_with("error")), "{shape:?}: {found:?}");
        let origin = Origin::new(store);
        for track in TRACKS {
            for fragment in 0..FRAGMENTS {
                let whole = get(&origin, &path("Fragments", track, fragment)).unwrap();
                let (traf, found) = read(&whole);
                let wanted = samples(track.2, fragment);
                assert!(found == wanted, "{shape:?} {track:?} {fragment}: {found:?}");
                let tfxd = traf.get::<Tfxd>().unwrap();
                let duration = wanted.iter().map(|sample| u64::from(sample.duration)).sum();
                assert_eq!((tfxd.time, tfxd.duration), (fragment as u64 * TICKS, duration));
                // Every noun is of the same fragment.
                let raw = get(&origin, &path("RawFragments", track, fragment)).unwrap();
                let payload: Vec<u8> =
                    wanted.iter().flat_map(|sample| sample.bytes.clone()).collect();
                assert_eq!(raw, payload);
                let info = get(&origin, &path("FragmentInfo", track, fragment)).unwrap();
                assert!(whole.starts_with(&info) && info.len() + 8 + raw.len() == whole.len());
                let keys = get(&origin, &path("KeyFrames", track, fragment)).unwrap();
                match track.2 {
                    1 => assert_eq!(read(&keys).1.len(), 1),
                    _ => assert_eq!(keys, whole),
                }
                assert!(keys.ends_with(if track.2 == 1 { &wanted[0].bytes } else { &payload }));
            }
        }
    }
}

#[test]
fn a_head_that_was_rewritten_is_kept_for_the_next_request() {
    for (bytes, is_kept) in [(8 << 20, true), (0, false)] {
        let shape = Shape { base: Base::Absolute, mfra: true, runs: 1, senc: false };
        let recording = RecordingStore::new(film(file(shape)));
        let reads = Arc::clone(&recording.reads);
        let origin = Origin::builder(recording).segment_head_bytes(bytes).build();
        for noun in ["Fragments", "FragmentInfo", "RawFragments", "KeyFrames"] {
            let (path, mut before) = (path(noun, TRACKS[1], 1), None);
            for number in 0..3 {
                let served = testkit::served(&origin, &path).unwrap();
                let is_read = !std::mem::take(&mut *reads.lock().unwrap()).is_empty();
                // Only the first request of all finds nothing.
                if number > 0 || noun != "Fragments" {
                    assert_eq!(is_read, !is_kept, "{noun} {number}: before the answer");
                }
                let whole = testkit::read(&served).unwrap();
                reads.lock().unwrap().clear();
                assert!(before.as_ref().is_none_or(|before| *before == whole), "{noun} {number}");
                before = Some(whole);
            }
        }
    }
}

#[test]
fn one_track_whose_offsets_count_from_the_start_of_the_file_is_served_with_offsets_that_are_right()
{
    let store = store([
        ("film.ism", ism(None, &[("video", "film.mp4", 300, 1, "")])),
        ("film.mp4", of_tracks(&[1], Shape::default())),
    ]);
    assert_eq!(codes(open(&store).unwrap().presentation()), ["info fragments-rewritten"]);
    let origin = Origin::new(store);
    for fragment in 0..FRAGMENTS {
        let whole = get(&origin, &path("Fragments", TRACKS[0], fragment)).unwrap();
        assert_eq!(read(&whole).1, samples(1, fragment));
    }
}

#[test]
fn ivs_stay_with_their_samples_in_the_box_that_players_look_for() {
    let shape = |base| Shape { base, senc: true, ..Shape::default() };
    let single = |track| film(of_tracks(&[track], shape(Base::Moof)));
    let both = || film(file(shape(Base::Absolute)));
    for (track, store) in
        [(TRACKS[0], both()), (TRACKS[1], both()), (TRACKS[0], single(1)), (TRACKS[1], single(2))]
    {
        let opened = open(&store).unwrap();
        assert!(codes(opened.presentation()).contains(&"info fragments-rewritten".into()));
        let origin = Origin::new(store);
        for fragment in 0..FRAGMENTS {
            let whole = get(&origin, &path("Fragments", track, fragment)).unwrap();
            let (traf, found) = read(&whole);
            assert_eq!(found, samples(track.2, fragment));
            let ivs: Vec<u8> =
                (0..found.len()).flat_map(|number| iv(track.2, fragment, number)).collect();
            let piff = &traf.get::<PiffSenc>().unwrap().0;
            assert_eq!((&piff.entries[..], piff.track_override), (&ivs[..], None));
            let others = [*b"senc", *b"saiz", *b"saio"];
            assert!(traf.list.iter().all(|item| !others.contains(&item.header.kind.0)));
        }
    }
}

#[cfg(feature = "hls")]
#[test]
fn dash_and_hls_have_the_same_samples() {
    for shape in shapes() {
        let origin = Origin::new(film(file(shape)));
        for (name, track) in [("video-300", 1), ("audio-64", 2)] {
            for fragment in 0..FRAGMENTS {
                let time = fragment as u64 * TICKS;
                let segment = get(&origin, &format!("film.ism/{name}/{time}.m4s")).unwrap();
                let payload: Vec<u8> =
                    samples(track, fragment).into_iter().flat_map(|sample| sample.bytes).collect();
                assert!(segment.ends_with(&payload), "{shape:?} {name} {fragment}");
            }
        }
    }
}

/// A fragment of one sample a track: the size that its run says, its offset, and its base.
fn fragment(trafs: &[(u32, u32, Option<i32>, Option<u64>)], payload: usize) -> Vec<u8> {
    let traf = |&(track_id, size, data_offset, base): &(u32, u32, Option<i32>, Option<u64>)| {
        let full = FullBox { version: 0, flags: Trun::SIZE };
        let entries = size.to_be_bytes().to_vec().into();
        let trun = Trun { full, sample_count: 1, data_offset, entries, ..Trun::default() };
        let tfhd = Tfhd { track_id, base_data_offset: base, ..Tfhd::default() };
        AnyBox::container(*b"traf", [AnyBox::new(tfhd), AnyBox::new(trun)])
    };
    let boxes = [AnyBox::new(Mfhd::default())].into_iter().chain(trafs.iter().map(traf));
    let moof = AnyBox::container(*b"moof", boxes.collect::<Vec<_>>());
    Boxes::from_iter([moof, AnyBox::other(*b"mdat", vec![7; payload])]).to_bytes().to_vec()
}

fn rewrite(bytes: Vec<u8>, start: u64, track_id: u32) -> Result<rewritten::Fragment, ErrorKind> {
    let trex = Trex { track_id, ..Trex::default() };
    rewritten::rewrite(&bytes.into(), start, &trex, &Limits::default()).map_err(|error| error.kind)
}

#[test]
fn samples_outside_of_the_mdat_behind_the_moof_are_not_served() {
    const START: u64 = 5000;
    let len = fragment(&[(1, 4, Some(0), Some(0)), (2, 4, Some(0), Some(0))], 8).len() as u64;
    let payload = len - 8;
    let rewritten = |base: u64, offset: i32, size: u32| {
        let trafs = [(1, 4, Some(0), Some(START)), (2, size, Some(offset), Some(base))];
        rewrite(fragment(&trafs, 8), START, 2)
    };
    let good = rewritten(START, payload as i32 + 4, 4).unwrap();
    assert_eq!(good.ranges, vec![START + payload + 4..START + len]);
    assert_eq!(
        rewritten(0, (START + payload) as i32, 8).unwrap().ranges,
        vec![START + payload..START + len]
    );
    for (base, offset, size) in [
        (START, payload as i32 - 1, 4),
        (START, payload as i32 + 5, 4),
        (START, payload as i32, 9),
        (START, 0, 4),
        (START, i32::MIN, 4),
        (0, 0, 4),
        (0, -1, 4),
        (u64::MAX, 1, 4),
        (u64::MAX, i32::MAX, u32::MAX),
        (START, payload as i32, u32::MAX),
    ] {
        let error = rewritten(base, offset, size).unwrap_err();
        assert!(matches!(error, ErrorKind::NotSliceable(_)), "{base} {offset} {size}: {error:?}");
    }
    let error = rewrite(fragment(&[(1, 4, None, None)], 4), START, 3).unwrap_err();
    assert!(matches!(error, ErrorKind::Missing { .. }), "{error:?}");
}

#[test]
fn samples_that_are_told_twice_are_no_more_than_the_mdat_holds() {
    let full = FullBox { version: 0, flags: Trun::SIZE };
    let run = |offset| {
        let entries = 8_u32.to_be_bytes().to_vec().into();
        AnyBox::new(Trun {
            full,
            sample_count: 1,
            data_offset: Some(offset),
            entries,
            ..Trun::default()
        })
    };
    let moof = |offset| {
        let tfhd = AnyBox::new(Tfhd { track_id: 1, ..Tfhd::default() });
        let traf = AnyBox::container(*b"traf", [tfhd, run(offset), run(offset)]);
        AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf])
    };
    let moof = moof(moof(0).len() as i32 + 8);
    let bytes = Boxes::from_iter([moof, AnyBox::other(*b"mdat", vec![7; 8])]).to_bytes();
    let error = rewrite(bytes.to_vec(), 0, 1).unwrap_err();
    assert!(matches!(error, ErrorKind::NotSliceable(_)), "{error:?}");
}

#[test]
fn samples_that_take_no_bytes_meet_a_budget() {
    for (count, is_refused) in [(16_384, false), (16_385, true), (u32::MAX, true)] {
        let trun = Trun { sample_count: count, ..Trun::default() };
        let tfhd = Tfhd { track_id: 1, ..Tfhd::default() };
        let traf = AnyBox::container(*b"traf", [AnyBox::new(tfhd), AnyBox::new(trun)]);
        let moof = AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf]);
        let bytes = Boxes::from_iter([moof, AnyBox::other(*b"mdat", vec![])]).to_bytes();
        let result = rewrite(bytes.to_vec(), 0, 1);
        let is_budget = matches!(result, Err(ErrorKind::Budget { .. }));
        assert_eq!(is_budget, is_refused, "{count}: {result:?}");
    }
}

#[test]
fn a_file_whose_offsets_lead_out_of_the_mdat_is_refused_and_its_other_track_is_served() {
    let mut file = file(Shape::default());
    // The base of the second `traf` of every fragment.
    let trafs: Vec<_> =
        file.windows(4).enumerate().filter(|(_, word)| word == b"tfhd").map(|(at, _)| at).collect();
    for at in trafs.into_iter().skip(1).step_by(2) {
        file[at + 12..at + 20].copy_from_slice(&u64::MAX.to_be_bytes());
    }
    let store = film(file);
    let found = codes(open(&store).unwrap().presentation());
    assert!(found.iter().any(|code| code == "error not-sliceable"), "{found:?}");
    let origin = Origin::new(store);
    assert_eq!(status(&origin, &path("Fragments", TRACKS[0], 0)), 200);
    assert_ne!(status(&origin, &path("Fragments", TRACKS[1], 0)), 200);
}
