//! Files in which one track is bad: the others are served as if it did not exist, and nothing is
//! served in its place.

use std::ops::Range;

use smooth_origin::bmff::uuid::Tfxd;
use smooth_origin::bmff::{AnyBox, Body, Boxes, FullBox, Mfhd, Tfhd, Trun};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Index, Media, Track, ism, ismc};
use testkit::{codes, get, name, status, store};

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 300, 1, "");
const AUDIO: (&str, &str, u32, u32, &str) = ("audio", "film.ismv", 64, 2, "");

/// A fragment of one sample.
#[derive(Clone, Copy)]
struct Made {
    track: u32,
    /// The time and duration in its `tfxd`.
    says: Option<(i64, i64)>,
    /// The duration in its `trun`; none if it is 0.
    duration: u32,
    /// Number of samples that its `trun` claims; only the first one exists.
    claims: u32,
}

/// A file, and the positions of its fragments.
struct Film {
    media: Media,
    places: Vec<(u32, Range<usize>)>,
}

/// Makes a file of a video track, an audio track and these fragments.
fn film(tracks: &[AnyBox], fragments: &[Made]) -> Film {
    let mut media = Media::default();
    media.push(b"\0\0\0\x18ftypisml\0\0\0\x01piffiso2".to_vec());
    media.push(Boxes::from_iter(tracks.iter().cloned()).to_bytes().to_vec());
    let mut places = Vec::new();
    for (i, made) in fragments.iter().enumerate() {
        let size = 40 + i as u32;
        let has_duration = made.duration > 0;
        let flags = Trun::SIZE | if has_duration { Trun::DURATION } else { 0 };
        let words = [has_duration.then_some(made.duration), Some(size)];
        let trun = Trun {
            full: FullBox { version: 0, flags },
            sample_count: made.claims,
            entries: words.into_iter().flatten().flat_map(u32::to_be_bytes).collect(),
            ..Trun::default()
        };
        let mut traf = vec![AnyBox::new(Tfhd { track_id: made.track, ..Tfhd::default() })];
        traf.push(AnyBox::new(trun));
        traf.extend(made.says.map(|(time, duration)| {
            let full = FullBox { version: 1, flags: 0 };
            AnyBox::new(Tfxd { full, time: time as u64, duration: duration as u64 })
        }));
        let moof = [AnyBox::new(Mfhd::default()), AnyBox::container(*b"traf", traf)];
        let moof = AnyBox::container(*b"moof", moof);
        let mdat = AnyBox::other(*b"mdat", vec![i as u8; size as usize]);
        let start = media.len as usize;
        media.push(Boxes::from_iter([moof, mdat]).to_bytes().to_vec());
        places.push((made.track, start..media.len as usize));
    }
    Film { media, places }
}

/// Makes the `moov` of a video and an audio track.
fn moov() -> AnyBox {
    let track = |id, kind| Track::new(id, kind, Vec::new());
    film::moov(&[track(1, StreamKind::Video), track(2, StreamKind::Audio)])
}

impl Film {
    /// Adds an index with the times of each track's fragments.
    fn index(mut self, tracks: &[(u32, &[i64])]) -> Self {
        let starts = |track: u32| {
            let own = self.places.iter().filter(move |place| place.0 == track);
            own.map(|place| place.1.start as u64)
        };
        let entries = |(track, times): &(u32, &[i64])| {
            (*track, times.iter().map(|time| *time as u64).zip(starts(*track)).collect())
        };
        let index: Index = tracks.iter().map(entries).collect();
        film::push_mfra(&mut self.media, &index);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        self.media.read(0..self.media.len)
    }

    /// Makes a presentation of this file. If there are starts of video and audio, it has a manifest
    /// of them.
    fn store(&self, starts: Option<[&[u64]; 2]>) -> MemoryStore {
        let store = store([
            ("film.ism", ism(starts.map(|_| "film.ismc"), &[VIDEO, AUDIO])),
            ("film.ismv", self.bytes()),
        ]);
        if let Some([video, audio]) = starts {
            let client = ismc(&[
                (StreamKind::Video, "video", &[300], video),
                (StreamKind::Audio, "audio", &[64], audio),
            ]);
            store.put(name("film.ismc"), client);
        }
        store
    }

    /// Checks that the chunks at these starts are the fragments of this track, in the order of the
    /// file.
    fn check(&self, store: &MemoryStore, (bitrate, stream, track): (u32, &str, u32), at: &[u64]) {
        let origin = Origin::new(store.clone());
        let bytes = self.bytes();
        let places: Vec<_> = self.places.iter().filter(|place| place.0 == track).collect();
        assert_eq!(places.len(), at.len(), "{stream}");
        for (start, (_, place)) in at.iter().zip(places) {
            let path = format!("film.ism/QualityLevels({bitrate})/Fragments({stream}={start})");
            let body = get(&origin, &path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(body == bytes[place.clone()], "{path}");
        }
    }
}

fn findings(store: &MemoryStore) -> Vec<String> {
    let opened = block_on(Origin::new(store.clone()).open(&name("film.ism"))).unwrap();
    codes(opened.presentation())
}

/// Returns the starts of the chunks that are announced for a stream.
fn announced(store: &MemoryStore, stream: &str) -> Vec<u64> {
    let opened = block_on(Origin::new(store.clone()).open(&name("film.ism"))).unwrap();
    let mut streams = opened.presentation().streams().iter();
    let stream = streams.find(|of| of.name() == stream);
    stream.map_or(Vec::new(), |of| of.timeline().iter().map(|chunk| chunk.0).collect())
}

const OF_VIDEO: (u32, &str, u32) = (300, "video", 1);
const OF_AUDIO: (u32, &str, u32) = (64, "audio", 2);
const FRAME: u32 = 400_000;
const SOUND: u32 = 232_200;
const COUNT: u64 = 40;

/// Interleaves the fragments of the two tracks.
fn interleaved(video: impl Fn(u64) -> Made, audio: impl Fn(u64) -> Made) -> Vec<Made> {
    (0..COUNT).flat_map(|i| [video(i), audio(i)]).collect()
}

fn made(track: u32, says: Option<(i64, i64)>, duration: u32) -> Made {
    Made { track, says, duration, claims: 1 }
}

fn audio(i: u64) -> Made {
    let time = (i * u64::from(SOUND)) as i64;
    made(2, Some((time, SOUND.into())), SOUND)
}

fn video(i: u64) -> Made {
    let time = (i * u64::from(FRAME)) as i64;
    made(1, Some((time, FRAME.into())), FRAME)
}

fn starts(duration: u32) -> Vec<u64> {
    (0..COUNT).map(|i| i * u64::from(duration)).collect()
}

fn times(fragments: &[Made], track: u32) -> Vec<i64> {
    let own = fragments.iter().filter(|made| made.track == track);
    own.map(|made| made.says.unwrap().0).collect()
}

/// A fragment of one frame as ffmpeg writes it: `tfxd` and `tfra` have the times at which pictures
/// are shown, and durations from one stored picture to the next, which are below 0 if the next one
/// is shown earlier.
fn as_shown(i: u64) -> Made {
    let shown = |i: u64| i64::from(FRAME) * (i / 3 * 3 + [3, 1, 2][(i % 3) as usize]) as i64;
    made(1, Some((shown(i), shown(i + 1) - shown(i))), FRAME)
}

#[test]
fn pictures_stored_in_the_order_of_decoding_are_served_in_it_and_cost_no_sound() {
    // ffmpeg did not have the next sample of the sound yet: no duration, and the time of its end.
    let audio = |i: u64| match i % 4 {
        3 => made(2, Some(((i + 1) as i64 * i64::from(SOUND), 0)), 0),
        _ => audio(i),
    };
    let fragments = interleaved(as_shown, audio);
    let (shown, sounds) = (times(&fragments, 1), times(&fragments, 2));
    let (frames, sound) = (starts(FRAME), starts(SOUND));
    let film = film(&[moov()], &fragments);
    let film = film.index(&[(1, &shown), (2, &sounds)]);
    // The first picture is not shown at 0.
    let frames: Vec<u64> = frames.iter().map(|start| start + 3 * u64::from(FRAME)).collect();

    let generated = film.store(None);
    assert_eq!(announced(&generated, "video"), frames);
    assert_eq!(announced(&generated, "audio"), sound);
    film.check(&generated, OF_VIDEO, &frames);
    film.check(&generated, OF_AUDIO, &sound);
    let wanted = ["warning index-rebuilt", "warning defaults-in-header", "warning index-rebuilt"];
    assert_eq!(findings(&generated), wanted);

    let stored = film.store(Some([&frames, &sound]));
    film.check(&stored, OF_VIDEO, &frames);
    film.check(&stored, OF_AUDIO, &sound);
    assert_eq!(findings(&stored), wanted);
}

#[test]
fn durations_below_0_are_no_durations() {
    // The last duration is below 0 in one film, and all durations in the other.
    for is_last in [true, false] {
        let video = |i: u64| {
            let Made { says, .. } = video(i);
            let declared = if !is_last || i == COUNT - 1 { -400_000 } else { FRAME.into() };
            made(1, says.map(|(time, _)| (time, declared)), FRAME)
        };
        let fragments = interleaved(video, audio);
        let film = film(&[moov()], &fragments);
        let store = film.store(None);
        film.check(&store, OF_VIDEO, &starts(FRAME));
        film.check(&store, OF_AUDIO, &starts(SOUND));
        assert!(!findings(&store).iter().any(|code| code.starts_with("error")));
    }
}

/// A muxer that measures from picture to picture as they are shown writes durations below 0 where a
/// picture is stored before one that is shown earlier. Players decode in the order of the file.
#[test]
fn pictures_with_the_times_at_which_they_are_shown_are_served_in_the_order_of_the_file() {
    // Each group begins with the picture that is shown last.
    let shown = |i: u64| match i {
        0 => 0,
        1..5 => [4, 1, 2, 3][i as usize - 1],
        5..37 => (i as i64 - 5) / 4 * 4 + [8, 6, 5, 7][(i as usize - 5) % 4],
        _ => i as i64,
    };
    let video = |i: u64| {
        let duration = (shown(i + 1) - shown(i)) * i64::from(FRAME);
        made(1, Some((shown(i) * i64::from(FRAME), duration)), FRAME)
    };
    let fragments = interleaved(video, audio);
    let film = film(&[moov()], &fragments);
    for manifest in [None, Some([&starts(FRAME)[..], &starts(SOUND)])] {
        let store = film.store(manifest);
        film.check(&store, OF_VIDEO, &starts(FRAME));
        film.check(&store, OF_AUDIO, &starts(SOUND));
    }
}

#[test]
fn an_index_that_is_missing_or_broken_for_one_track_costs_no_other() {
    let fragments = interleaved(video, audio);
    let sounds = times(&fragments, 2);
    let make = || film(&[moov()], &fragments);
    let missing = make().index(&[(2, &sounds)]);
    let mut unreadable = make().index(&[(1, &times(&fragments, 1)), (2, &sounds)]);
    let (_, mfra) = unreadable.media.parts.last_mut().unwrap();
    // This is the number of entries of the first `tfra`.
    mfra[8 + 20] = 0xff;
    let disordered: Vec<i64> = (0..COUNT as i64).map(|i| (i * 7_919 % 40) * 400_000).collect();
    let disordered = make().index(&[(1, &disordered), (2, &sounds)]);
    for (film, is_broken) in [(missing, false), (unreadable, true), (disordered, true)] {
        for manifest in [None, Some([&starts(FRAME)[..], &starts(SOUND)])] {
            let store = film.store(manifest);
            film.check(&store, OF_VIDEO, &starts(FRAME));
            film.check(&store, OF_AUDIO, &starts(SOUND));
            assert_eq!(findings(&store), ["warning index-rebuilt"], "{is_broken}");
        }
    }
}

#[test]
fn times_at_random_in_one_track_cost_no_other() {
    let random = |i: u64| (i * 7_919 % 1009 * 123_457) as i64;
    let video = |i: u64| made(1, Some((random(i), FRAME.into())), FRAME);
    let fragments = interleaved(video, audio);
    let sounds = times(&fragments, 2);
    for film in [film(&[moov()], &fragments), film(&[moov()], &fragments).index(&[(2, &sounds)])] {
        let store = film.store(None);
        film.check(&store, OF_AUDIO, &starts(SOUND));
        let store = film.store(Some([&starts(FRAME), &starts(SOUND)]));
        film.check(&store, OF_VIDEO, &starts(FRAME));
        film.check(&store, OF_AUDIO, &starts(SOUND));
        assert!(!findings(&store).iter().any(|code| code.starts_with("error")));
    }
}

#[test]
fn a_broken_fragment_of_one_track_costs_no_time_of_another() {
    // Neither the index nor the fragments declare the starts of the sound.
    let audio = |i: u64| Made { says: None, ..audio(i) };
    // More samples than the `trun` has room for, and, without any fields, more than the budget.
    let claims_bytes = |i: u64| Made { claims: if i == 5 { 1000 } else { 1 }, ..video(i) };
    let fragments = interleaved(claims_bytes, audio);
    let film = film(&[moov()], &fragments);
    let store = film.store(Some([&starts(FRAME), &starts(SOUND)]));
    film.check(&store, OF_AUDIO, &starts(SOUND));
    let wanted = ["error fragment-broken", "error chunks-without-media"];
    assert_eq!(findings(&store)[..2], wanted);
}

#[test]
fn samples_beyond_the_budget_in_one_fragment_do_not_end_the_walk() {
    let audio = |i: u64| Made { says: None, ..audio(i) };
    let mut fragments = interleaved(video, audio);
    fragments[4].claims = 1;
    let mut film = film(&[moov()], &fragments);
    // A `trun` without fields may claim any number.
    let place = film.places[4].1.clone();
    let (_, bytes) = film.media.parts.iter_mut().find(|p| p.0 == place.start as u64).unwrap();
    let trun = bytes.windows(4).position(|word| word == b"trun").unwrap();
    bytes[trun + 4..trun + 8].copy_from_slice(&[0; 4]);
    bytes[trun + 8..trun + 12].copy_from_slice(&u32::MAX.to_be_bytes());
    let store = film.store(Some([&starts(FRAME), &starts(SOUND)]));
    film.check(&store, OF_AUDIO, &starts(SOUND));
    let found = findings(&store);
    assert!(found.contains(&"error fragment-broken".into()), "{found:?}");
    assert!(!found.contains(&"error scan-given-up".into()), "{found:?}");
}

/// Makes a `moov` whose first `trak` is changed.
fn with_bad_trak(mut moov: AnyBox, damage: impl Fn(&mut Boxes)) -> AnyBox {
    if let Body::Boxes(boxes) = &mut moov.body
        && let Some(Body::Boxes(trak)) = boxes.list.first_mut().map(|item| &mut item.body)
    {
        damage(trak);
    }
    moov
}

/// Makes a track header with an unreadable box, or without that box.
fn bad_traks() -> Vec<AnyBox> {
    let cut = |kind: &'static [u8; 4]| {
        with_bad_trak(moov(), move |trak| {
            let list = match kind {
                b"tkhd" => &mut trak.list,
                _ => match trak.list.iter_mut().find_map(|item| match &mut item.body {
                    Body::Boxes(mdia) => Some(mdia),
                    _ => None,
                }) {
                    Some(mdia) => &mut mdia.list,
                    None => panic!("no mdia"),
                },
            };
            let item = list.iter_mut().find(|item| item.header.kind == *kind).unwrap();
            *item = AnyBox::other(*kind, vec![0; 3]);
        })
    };
    let without_clock = with_bad_trak(moov(), |trak| trak.list.truncate(1));
    vec![cut(b"tkhd"), cut(b"mdhd"), cut(b"hdlr"), without_clock]
}

#[test]
fn a_track_whose_header_cannot_be_read_costs_no_other() {
    let fragments = interleaved(video, |i| Made { says: None, ..audio(i) });
    for moov in bad_traks() {
        // Without an index, the fragments of the unknown track are between those of the sound.
        let film = film(&[moov], &fragments);
        for manifest in [None, Some([&starts(FRAME)[..], &starts(SOUND)])] {
            let store = film.store(manifest);
            film.check(&store, OF_AUDIO, &starts(SOUND));
            let found = findings(&store);
            assert_eq!(found[0], "error file-broken", "{found:?}");
            let opened = testkit::open(&store).unwrap();
            let broken = opened.presentation().findings().remove(0);
            let cause = broken.cause().unwrap().to_string();
            assert!(cause.starts_with("trak"), "{cause}");
            assert!(broken.message.ends_with(&cause), "{}", broken.message);
            let origin = Origin::new(store);
            let path = "film.ism/QualityLevels(300)/Fragments(video=0)";
            assert_eq!(status(&origin, path), 404);
        }
    }
}

#[test]
fn no_other_track_is_served_for_one_whose_header_cannot_be_read() {
    // A third track, of video, is the only one of its kind that can be read.
    let traks = |moov: AnyBox| {
        let third = film::moov(&[Track::new(3, StreamKind::Video, Vec::new())]);
        let (Body::Boxes(mut boxes), Body::Boxes(third)) = (moov.body, third.body) else {
            panic!("no boxes")
        };
        boxes.list.insert(1, third.list[0].clone());
        AnyBox::container(*b"moov", boxes.list)
    };
    let third = |i: u64| Made { track: 3, ..video(i) };
    for moov in bad_traks() {
        let film = film(&[traks(moov)], &interleaved(third, audio));
        let store = film.store(Some([&starts(FRAME), &starts(SOUND)]));
        film.check(&store, OF_AUDIO, &starts(SOUND));
        let path = "film.ism/QualityLevels(300)/Fragments(video=0)";
        assert_eq!(status(&Origin::new(store), path), 404);
    }
}

#[test]
fn a_track_of_an_unknown_codec_costs_no_other() {
    let moov = with_bad_trak(moov(), |trak| {
        let text = trak.list.iter_mut().find_map(|item| match &mut item.body {
            Body::Boxes(mdia) => mdia.list.last_mut(),
            _ => None,
        });
        *text.unwrap() = AnyBox::container(
            *b"minf",
            [AnyBox::container(*b"stbl", [AnyBox::other(*b"stsd", vec![0xff; 9])])],
        );
    });
    let fragments = interleaved(video, audio);
    let film = film(&[moov], &fragments);
    let film = film.index(&[(1, &times(&fragments, 1)), (2, &times(&fragments, 2))]);
    let store = film.store(None);
    film.check(&store, OF_VIDEO, &starts(FRAME));
    film.check(&store, OF_AUDIO, &starts(SOUND));
    let found = findings(&store);
    assert!(found.contains(&"warning codec-unknown".into()), "{found:?}");
}

#[test]
fn the_chunks_of_a_generated_stream_are_those_of_a_track_whose_times_are_in_order() {
    let low = film(&[moov()], &interleaved(video, audio));
    let low = low.index(&[(1, &times(&interleaved(video, audio), 1)), (2, &[])]);
    // The index has the same number of fragments plus one, at random times.
    let random = |i: u64| (i * 7_919 % 1009 * 123_457) as i64;
    let high = |i: u64| made(1, Some((random(i), FRAME.into())), FRAME);
    let mut fragments = interleaved(high, audio);
    fragments.push(high(COUNT));
    let high = film(&[moov()], &fragments);
    let tracks = [("video", "high.ismv", 900, 1, ""), VIDEO];
    let store = store([
        ("film.ism", ism(None, &tracks)),
        ("film.ismv", low.bytes()),
        ("high.ismv", high.bytes()),
    ]);
    low.check(&store, OF_VIDEO, &starts(FRAME));
}
