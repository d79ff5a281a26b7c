//! Fragments that say other times than the index and the manifest of their file: they are served,
//! with a finding, and never those of another track.

use std::sync::Arc;

use bytes::Bytes;
use smooth_origin::base::{Error, Got, Want};
use smooth_origin::bmff::uuid::Tfxd;
use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfdt, Tfhd, Trun};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::output::mss::{Request, answer};
use smooth_origin::presentation::{Presentation, Reply};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Fragment, Media, Style, Track, ism, ismc};
use testkit::{codes, get, name, open, status, store};

const AUDIO: (&str, &str, u32, u32, &str) = ("audio", "film.ismv", 64, 1, "");
const TIME: &str = "warning time-in-fragment";

/// The box with which a fragment declares its start.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    Tfxd(u8, u64),
    Tfdt(u8, u64),
}

/// A file of one audio track, and where its fragments lie.
struct Film {
    bytes: Vec<u8>,
    places: Vec<std::ops::Range<usize>>,
}

/// A file of fragments of these durations; `index` gives the time of each entry.
fn film(
    durations: &[u64],
    says: impl Fn(usize, u64) -> Says,
    index: Option<&dyn Fn(usize, u64) -> u64>,
) -> Film {
    let mut media = Media::default();
    media.push(b"\0\0\0\x18ftypisml\0\0\0\x01piffiso2".to_vec());
    let tracks = [Track::new(1, StreamKind::Audio, Vec::new())];
    media.push(Boxes::from_iter([film::moov(&tracks)]).to_bytes().to_vec());
    let (mut time, mut entries, mut places) = (0, Vec::new(), Vec::new());
    for (i, &duration) in durations.iter().enumerate() {
        let start = media.len;
        entries.push((index.map_or(0, |index| index(i, time)), start));
        let full = |version| FullBox { version, flags: 0 };
        let mut traf = vec![AnyBox::new(Tfhd { track_id: 1, ..Tfhd::default() })];
        match says(i, time) {
            Says::Tfxd(version, time) => {
                traf.push(AnyBox::new(Tfxd { full: full(version), time, duration }));
            }
            Says::Tfdt(version, base_media_decode_time) => {
                traf.push(AnyBox::new(Tfdt { full: full(version), base_media_decode_time }));
            }
        }
        let trun = film::trun(&[(duration as u32, 50)], 0);
        traf.push(AnyBox::new(Trun { data_offset: None, ..trun }));
        let moof = [AnyBox::new(Mfhd::default()), AnyBox::container(*b"traf", traf)];
        let moof = AnyBox::container(*b"moof", moof);
        let mdat = AnyBox::other(*b"mdat", vec![i as u8; 50]);
        media.push(Boxes::from_iter([moof, mdat]).to_bytes().to_vec());
        places.push(start as usize..media.len as usize);
        time += duration;
    }
    if index.is_some() {
        film::push_mfra(&mut media, &vec![(1, entries)]);
    }
    Film { bytes: media.read(0..media.len), places }
}

fn starts(durations: &[u64]) -> Vec<u64> {
    let durations = durations.iter().scan(0, |next, duration| {
        *next += duration;
        Some(*next - duration)
    });
    durations.collect()
}

/// Durations of frames of 1024 samples at 44.1 kHz, 93 per fragment: 21594557 or 21594558.
fn sound(count: u64) -> Vec<u64> {
    let end = |i: u64| (i * 93 * 1024 * 10_000_000 + 22_050) / 44_100;
    (0..count).map(|i| end(i + 1) - end(i)).collect()
}

fn presentation(film: &Film, chunks: Option<&[u64]>) -> MemoryStore {
    let client = |chunks| ismc(&[(StreamKind::Audio, "audio", &[64], chunks)]);
    let store = store([
        ("film.ism", ism(chunks.map(|_| "film.ismc"), &[AUDIO])),
        ("film.ismv", film.bytes.clone()),
    ]);
    if let Some(chunks) = chunks {
        store.put(name("film.ismc"), client(chunks));
    }
    store
}

/// Asks for every chunk, in order, and gives the findings.
fn all_served(store: &MemoryStore, film: &Film, chunks: &[u64], what: &str) -> Vec<String> {
    let origin = Origin::new(store.clone());
    assert_eq!(chunks.len(), film.places.len());
    for (time, place) in chunks.iter().zip(&film.places) {
        let path = format!("film.ism/QualityLevels(64)/Fragments(audio={time})");
        let body = get(&origin, &path).unwrap_or_else(|error| panic!("{what}, {path}: {error}"));
        assert!(body == film.bytes[place.clone()], "{what}, {path}");
    }
    codes(block_on(origin.open(&name("film.ism"))).unwrap().presentation())
}

type Saying = fn(usize, u64) -> Says;

const LOW: u64 = u32::MAX as u64;

#[test]
fn times_in_fragments_are_a_finding_where_index_and_manifest_agree() {
    let sayings: [(&str, Saying); 12] = [
        ("tfdt zero", |_, _| Says::Tfdt(1, 0)),
        ("tfxd zero", |_, _| Says::Tfxd(1, 0)),
        ("constant", |_, _| Says::Tfxd(1, 7 * 21_594_558)),
        ("milliseconds", |_, time| Says::Tfxd(1, time / 10_000 * 10_000)),
        ("90 kHz", |_, time| Says::Tfdt(1, time * 9 / 1000 * 1000 / 9)),
        ("in units of 90 kHz", |_, time| Says::Tfdt(1, time * 9 / 1000)),
        ("one microsecond in one fragment", |i, time| {
            Says::Tfxd(1, time + if i == 7 { 10 } else { 0 })
        }),
        ("zero in one fragment", |i, time| Says::Tfxd(1, if i == 7 { 0 } else { time })),
        ("drifting", |i, time| Says::Tfxd(1, time + 500 * i as u64)),
        ("tfxd of 32 bits", |_, time| Says::Tfxd(0, time & LOW)),
        ("tfdt of 32 bits", |_, time| Says::Tfdt(0, time & LOW)),
        ("cut to 32 bits", |_, time| Says::Tfxd(1, time & LOW)),
    ];
    let durations = sound(240);
    let chunks = starts(&durations);
    for (what, says) in sayings {
        let film = film(&durations, says, Some(&|_, time| time));
        let store = presentation(&film, Some(&chunks));
        assert_eq!(all_served(&store, &film, &chunks, what), [TIME], "{what}: once per track");
        if what != "one microsecond in one fragment" && what != "zero in one fragment" {
            let found = codes(open(&store).unwrap().presentation());
            assert_eq!(found, [TIME], "{what}: opening sees it");
        }
    }
}

#[test]
fn a_fragment_of_another_track_is_refused_whatever_its_time() {
    // The middle entry of the audio's index leads to a fragment of the video.
    let tracks = [
        Track::regular(1, StreamKind::Video, 5, 20_000_000, 200),
        Track::regular(2, StreamKind::Audio, 5, 20_000_000, 50),
    ];
    let mut media = film::media(&tracks, film::Style::default());
    let mut index = film::index(&media);
    index[1].1[2].1 = index[0].1[2].1;
    // There is no other fragment of the audio in its place.
    let place = media.fragments.iter().filter(|(track, ..)| *track == 2).nth(2).unwrap().2.clone();
    media = Media { len: media.mfra, ..media };
    media.parts.retain(|(offset, _)| *offset < media.len);
    film::push_mfra(&mut media, &index);
    let mut bytes = media.to_bytes();
    let moof = place.start as usize;
    bytes[moof + 4..moof + 8].copy_from_slice(b"free");
    let chunks: Vec<u64> = (0..5).map(|i| i * 20_000_000).collect();
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[("audio", "film.ismv", 64, 2, "")])),
        ("film.ismc", ismc(&[(StreamKind::Audio, "audio", &[64], &chunks)])),
        ("film.ismv", bytes),
    ]);
    let origin = Origin::new(store);
    let statuses = chunks.iter().map(|time| {
        status(&origin, &format!("film.ism/QualityLevels(64)/Fragments(audio={time})"))
    });
    let statuses: Vec<u16> = statuses.collect();
    assert!(statuses[2] >= 400, "{statuses:?}");
    assert_eq!([statuses[0], statuses[1], statuses[3], statuses[4]], [200; 4]);
}

#[test]
fn an_index_that_leads_to_another_fragment_of_the_track_is_not_served_by() {
    // The entries of two middle fragments lead to the ones before them.
    let durations = sound(12);
    let chunks = starts(&durations);
    let honest = film(&durations, |_, time| Says::Tfxd(1, time), Some(&|_, time| time));
    let places = honest.places.clone();
    let mut lying = honest.bytes.clone();
    let mfra = places[11].end;
    let find = |offset: usize| {
        let word = (offset as u64).to_be_bytes();
        mfra + lying[mfra..].windows(8).position(|eight| eight == word).unwrap()
    };
    let (fifth, sixth) = (find(places[5].start), find(places[6].start));
    lying[fifth..fifth + 8].copy_from_slice(&(places[4].start as u64 + 1).to_be_bytes());
    lying[sixth..sixth + 8].copy_from_slice(&(places[5].start as u64).to_be_bytes());
    let film = Film { bytes: lying, places };
    let found = all_served(&presentation(&film, Some(&chunks)), &film, &chunks, "lying");
    assert_eq!(found, ["warning index-rebuilt"]);
}

#[test]
fn as_many_chunks_as_fragments_are_served_by_number_where_times_drift() {
    let durations = sound(240);
    let exact = starts(&durations);
    let rounded: Vec<u64> = (0..240).map(|i| i * 21_594_557).collect();
    let film = film(&durations, |_, time| Says::Tfxd(1, time), Some(&|_, time| time));
    let store = presentation(&film, Some(&rounded));
    let wanted = ["warning times-inexact"];
    assert_eq!(all_served(&store, &film, &rounded, "one duration for all"), wanted);
    // One chunk more, and the times decide again.
    let more: Vec<u64> = (0..241).map(|i| i * 21_594_557).collect();
    let found = codes(open(&presentation(&film, Some(&more))).unwrap().presentation());
    assert!(found.contains(&"error chunks-without-media".into()), "{found:?}");

    let late = |i: usize, time| time + if i == 0 { 800_000 } else { 0 };
    let film = self::film(&durations, |_, time| Says::Tfxd(1, time), Some(&late));
    let store = presentation(&film, Some(&exact));
    let found = all_served(&store, &film, &exact, "a first entry that is late");
    assert!(found.iter().all(|code| code.starts_with("warning")), "{found:?}");
}

#[test]
fn without_an_index_times_that_repeat_step_back_or_wrap_cost_no_chunk() {
    let sayings: [(&str, Saying); 6] = [
        ("zero", |_, _| Says::Tfdt(1, 0)),
        ("constant", |_, _| Says::Tfxd(1, 7 * 21_594_558)),
        ("stepping back", |i, time| Says::Tfxd(1, time - if i < 120 { 0 } else { 2_000_000_000 })),
        ("one repeats", |i, time| Says::Tfxd(1, time - if i == 7 { 21_594_558 } else { 0 })),
        ("tfxd of 32 bits", |_, time| Says::Tfxd(0, time & LOW)),
        ("cut to 32 bits", |_, time| Says::Tfxd(1, time & LOW)),
    ];
    let durations = sound(240);
    let chunks = starts(&durations);
    for (what, says) in sayings {
        let film = film(&durations, says, None);
        let found = all_served(&presentation(&film, Some(&chunks)), &film, &chunks, what);
        assert!(found.contains(&"warning index-rebuilt".into()), "{what}: {found:?}");
        assert!(!found.iter().any(|code| code.starts_with("error")), "{what}: {found:?}");
    }
}

#[test]
fn a_walk_of_twenty_fragments_at_time_0_finds_twenty_without_a_manifest_too() {
    let durations = sound(20);
    for index in [None, Some(&(|_, time| time) as &dyn Fn(usize, u64) -> u64)] {
        let film = film(&durations, |_, _| Says::Tfdt(1, 0), index);
        let store = presentation(&film, None);
        let opened = open(&store).unwrap();
        let timeline = opened.presentation().streams()[0].timeline();
        let times: Vec<u64> = timeline.iter().map(|chunk| chunk.0).collect();
        assert_eq!(times, starts(&durations));
        all_served(&store, &film, &times, "generated");
    }
}

#[test]
fn fragments_that_a_second_encoder_sent_again_are_one_chunk() {
    let durations = [20_000_000; 12];
    // Of every two neighbours, both say the time of the first but for the last four.
    let says = |i: usize, _| Says::Tfxd(1, 20_000_000 * [0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9][i]);
    let film = film(&durations, says, None);
    let opened = open(&presentation(&film, None)).unwrap();
    assert_eq!(opened.presentation().streams()[0].timeline().len(), 10);
}

#[test]
fn the_time_of_another_chunk_in_one_fragment_does_not_cost_the_chunk() {
    let sayings: [(&str, Saying); 3] = [
        ("of the one before", |i, time| Says::Tfxd(1, time - if i == 7 { 20_000_000 } else { 0 })),
        ("of one behind", |i, time| Says::Tfxd(1, time + if i == 7 { 80_000_000 } else { 0 })),
        ("drifting by one chunk", |i, time| Says::Tfxd(1, time + 100_000 * i as u64)),
    ];
    let durations = [20_000_000; 240];
    let chunks = starts(&durations);
    for (what, says) in sayings {
        let film = film(&durations, says, Some(&|_, time| time));
        let found = all_served(&presentation(&film, Some(&chunks)), &film, &chunks, what);
        assert!(found.iter().all(|code| code.starts_with("warning")), "{what}: {found:?}");
    }
}

#[test]
fn an_index_of_another_clock_or_beginning_finds_as_many_chunks_as_it_has_entries() {
    let durations = sound(20);
    let chunks = starts(&durations);
    type Clock = fn(u64) -> u64;
    let clocks: [(&str, Clock); 4] = [
        ("milliseconds", |time| time / 10_000),
        ("90 kHz", |time| time * 9 / 1000),
        ("a fifth too fast", |time| time * 6 / 5),
        ("an hour later, in milliseconds of 10 MHz", |time| {
            36_000_000_000 + time / 10_000 * 10_000
        }),
    ];
    for (what, clock) in clocks {
        let film =
            film(&durations, |_, time| Says::Tfxd(1, clock(time)), Some(&|_, time| clock(time)));
        let findings = all_served(&presentation(&film, Some(&chunks)), &film, &chunks, what);
        let is_of_times = |code: &String| {
            ["times-inexact", "index-rebuilt", "time-in-fragment"].iter().any(|c| code.contains(c))
        };
        assert!(findings.iter().any(is_of_times), "{what}: {findings:?}");
        assert!(!findings.iter().any(|code| code.starts_with("error")), "{what}: {findings:?}");
    }
}

#[test]
fn recordings_that_were_joined_are_served_one_after_the_other() {
    let durations = vec![20_000_000; 20];
    let chunks = starts(&durations);
    let joined = |i: usize, time| Says::Tfxd(1, if i < 10 { time } else { time - 200_000_000 });
    let film = film(&durations, joined, None);
    for manifest in [None, Some(&chunks[..])] {
        all_served(&presentation(&film, manifest), &film, &chunks, "joined");
    }
}

/// Asks a presentation itself: an origin would walk through the file after a refusal.
fn ask(presentation: &Arc<Presentation>, media: &Bytes, time: u64) -> Result<Reply, Error> {
    let path = format!("QualityLevels(64)/Fragments(audio={time})");
    answer(presentation, &Request::parse(&path, None)?)?.drive(|want| match want {
        Want::Range { range, .. } => {
            Ok(Got::Range(media.slice(range.start as usize..range.end as usize)))
        }
        other => panic!("{other:?}"),
    })
}

/// The origin walks through the file then, and serves what it finds.
#[test]
fn a_fragment_with_the_time_of_another_chunk_is_refused_until_a_walk_has_settled_it() {
    let durations = [20_000_000; 12];
    let chunks = starts(&durations);
    let says = |i: usize, time| Says::Tfxd(1, if i == 6 { chunks[5] } else { time });
    let film = film(&durations, says, Some(&|_, time| time));
    let opened = open(&presentation(&film, Some(&chunks))).unwrap();
    let presentation = opened.presentation();
    assert_eq!(codes(presentation), [""; 0], "opening does not look there");
    let bytes = Bytes::from(film.bytes);
    let refused: Vec<_> =
        chunks.iter().filter_map(|&time| ask(presentation, &bytes, time).err()).collect();
    let [error] = &refused[..] else { panic!("{refused:?}") };
    let says = "a fragment of time 100000000 where the index says 120000000";
    assert!(error.to_string().contains(says), "{error}");
    assert_eq!(codes(presentation), ["error fragment-broken"]);
}

#[test]
fn times_in_the_units_of_the_manifest_are_served_whatever_the_header_says() {
    // In the units of the header, each fragment has the time of the chunk of four times its number.
    let fragment =
        |i: u32| Fragment { time: 20_000_000 * i64::from(i), samples: vec![(20_000_000, 50 + i)] };
    let track = Track::new(1, StreamKind::Audio, (0..12).map(fragment).collect());
    let track = Track { timescale: 2_500_000, ..track };
    let chunks = starts(&[20_000_000; 12]);
    let bytes = film::media(&[track], Style::default()).to_bytes();
    let film = Film { bytes: bytes.clone(), places: Vec::new() };
    let opened = open(&presentation(&film, Some(&chunks))).unwrap();
    let presentation = opened.presentation();
    for &time in &chunks {
        let reply = ask(presentation, &bytes.clone().into(), time);
        assert!(reply.is_ok(), "{time}: {reply:?}");
    }
    let found = codes(presentation);
    assert!(!found.iter().any(|code| code.starts_with("error")), "{found:?}");
}
