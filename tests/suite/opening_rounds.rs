//! Opening costs few round trips, whatever the duration. They are counted in virtual time: a store
//! whose requests take one tick each, however many are made at once.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Opened, Origin};
use testkit::film::{self, Media, Style, Track, ism, ismc};
use testkit::name;
use testkit::rounds::{Content, Requested, RoundsStore, Ticks};

/// Time that a request takes.
const TICK: Duration = Duration::from_millis(50);

type Files = Vec<(Name, Content)>;

/// Opens the presentation of this name. Returns what that took.
fn opened(presentation: &str, files: &Files) -> (Arc<Opened>, Requested) {
    opened_from(presentation, files, |store| store)
}

fn opened_from(
    presentation: &str,
    files: &Files,
    options: impl FnOnce(RoundsStore) -> RoundsStore,
) -> (Arc<Opened>, Requested) {
    let ticks = Ticks::default();
    let store = options(RoundsStore::new(files.clone(), &ticks));
    let origin = Origin::builder(store).clock(ticks.clock(TICK)).build();
    let opened = ticks.run(origin.open(&name(presentation)));
    (opened.unwrap(), ticks.requested())
}

/// The files of a folder of the test data.
fn stored(folder: &str) -> Files {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let files = fs::read_dir(path).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        (name(file), Content::Bytes(fs::read(&path).unwrap()))
    });
    files.collect()
}

/// Bytes of all manifests, `moov`s and `mfra`s.
fn indexes(files: &Files) -> u64 {
    let of = |(name, content): &(Name, Content)| match content {
        Content::Bytes(bytes) if name.as_str().contains(".ismv") => boxes(bytes),
        Content::Bytes(bytes) if name.as_str().contains(".isma") => boxes(bytes),
        Content::Bytes(bytes) => bytes.len() as u64,
        Content::Media(media) => media.moov + media.len - media.mfra,
    };
    files.iter().map(of).sum()
}

/// Bytes of the `moov` and the `mfra` of a file.
fn boxes(mut file: &[u8]) -> u64 {
    let mut sum = 0;
    while let Some((header, _)) = file.split_first_chunk::<8>() {
        let len = u32::from_be_bytes(header[..4].try_into().unwrap());
        if matches!(&header[4..], b"moov" | b"mfra") {
            sum += u64::from(len);
        }
        file = &file[len as usize..];
    }
    sum
}

/// A film of chunks of two seconds, of these qualities in kbit/s and with sound.
struct Plan {
    chunks: u32,
    qualities: &'static [u32],
    is_one_file: bool,
    has_manifest: bool,
    style: Style,
}

const FOUR: &[u32] = &[1000, 1500, 2000, 3000];

impl Default for Plan {
    fn default() -> Self {
        let style = Style::default();
        Self { chunks: 5400, qualities: FOUR, is_one_file: false, has_manifest: true, style }
    }
}

impl Plan {
    fn files(&self) -> Files {
        let Self { chunks, qualities, is_one_file, has_manifest, style } = *self;
        let duration = 20_000_000;
        let mut tracks: Vec<(u32, Track)> = Vec::new();
        for (id, &kbps) in (1..).zip(qualities) {
            let track = Track::regular(id, StreamKind::Video, chunks, duration, 250 * kbps);
            tracks.push((kbps * 1000, track));
        }
        let id = tracks.len() as u32 + 1;
        let sound = Track::regular(id, StreamKind::Audio, chunks, duration, 250 * 128);
        tracks.push((128_000, sound));

        let file = |id: u32| match is_one_file {
            true => "film.ismv".to_owned(),
            false => format!("film_{id}.ismv"),
        };
        let names: Vec<String> = tracks.iter().map(|(_, track)| file(track.id)).collect();
        let elements = tracks.iter().zip(&names).map(|((bitrate, track), file)| {
            let element = if track.kind == StreamKind::Audio { "audio" } else { "video" };
            (element, &**file, *bitrate, track.id, element)
        });
        let elements: Vec<_> = elements.collect();
        let client = has_manifest.then_some("film.ismc");
        let mut files = vec![(name("film.ism"), Content::Bytes(ism(client, &elements)))];
        if has_manifest {
            let starts: Vec<u64> = (0..chunks).map(|i| u64::from(i) * 20_000_000).collect();
            let bitrates: Vec<u32> = qualities.iter().map(|kbps| kbps * 1000).collect();
            let video = (StreamKind::Video, "video", &*bitrates, &*starts);
            let audio = (StreamKind::Audio, "audio", &[128_000][..], &*starts);
            files.push((name("film.ismc"), Content::Bytes(ismc(&[video, audio]))));
        }
        let mut add = |file: &str, media: Media| {
            files.push((name(file), Content::Media(Arc::new(media))));
        };
        let tracks: Vec<Track> = tracks.into_iter().map(|(_, track)| track).collect();
        if is_one_file {
            add("film.ismv", film::media(&tracks, style));
        } else {
            for (track, file) in tracks.into_iter().zip(&names) {
                add(file, film::media(&[track], style));
            }
        }
        files
    }
}

/// Checks that every chunk of every track has its fragment.
fn check_all_there(opened: &Opened, chunks: u32) {
    let presentation = opened.presentation();
    let tracks = presentation.streams().iter().flat_map(|stream| stream.tracks());
    let counts: Vec<_> = tracks.map(|track| track.fragment_count()).collect();
    assert!(counts.iter().all(|&count| count == chunks as usize), "{counts:?}");
}

/// A presentation, its rounds and requests, and kilobytes without `moov`, `mfra` and manifests.
type Row = (&'static str, &'static str, Files, u64, u64, u64);

#[test]
fn openings_take_no_more_round_trips_requests_and_bytes_than_this_table_says() {
    let three_hours = Plan::default;
    let many = &[100; 40];
    let table: [Row; 11] = [
        ("ladder", "ladder.ism", stored("ladder"), 3, 13, 51),
        ("split", "split.ism", stored("split"), 3, 13, 78),
        ("ntsc", "ntsc.ism", stored("ntsc"), 3, 12, 83),
        ("without .ismc", "bframes.ism", stored("bframes"), 3, 7, 46),
        ("1 min", "film.ism", Plan { chunks: 30, ..three_hours() }.files(), 3, 22, 157),
        ("3 h", "film.ism", three_hours().files(), 4, 27, 120),
        ("20 h", "film.ism", Plan { chunks: 36_000, ..three_hours() }.files(), 4, 27, 120),
        (
            "3 h, without .ismc",
            "film.ism",
            Plan { has_manifest: false, ..three_hours() }.files(),
            4,
            26,
            120,
        ),
        (
            "3 h, in one file",
            "film.ism",
            Plan { is_one_file: true, ..three_hours() }.files(),
            4,
            14,
            45,
        ),
        (
            "41 tracks in one file: a long moov",
            "film.ism",
            Plan { qualities: many, is_one_file: true, ..three_hours() }.files(),
            4,
            50,
            44,
        ),
        (
            "41 files",
            "film.ism",
            Plan { qualities: many, chunks: 1000, ..three_hours() }.files(),
            4,
            207,
            984,
        ),
    ];
    for (kind, presentation, files, rounds, requests, kilobytes) in table {
        let (_, requested) = opened(presentation, &files);
        let more = requested.bytes.saturating_sub(indexes(&files)) >> 10;
        assert!(requested.rounds <= rounds && rounds <= 4, "{kind}: {requested:?}");
        assert!(requested.requests <= requests, "{kind}: {requested:?}");
        assert!(more <= kilobytes && kilobytes <= 1024, "{kind}: {more} kB");
    }
}

#[test]
fn a_store_that_reads_no_ends_of_unknown_objects_takes_no_more_round_trips() {
    for chunks in [30, 5400, 36_000] {
        for is_one_file in [false, true] {
            let plan = Plan { chunks, is_one_file, ..Plan::default() };
            let files = plan.files();
            let (opened, requested) = opened_from("film.ism", &files, RoundsStore::without_tails);
            check_all_there(&opened, chunks);
            let more = requested.bytes.saturating_sub(indexes(&files)) >> 10;
            assert!(requested.rounds <= 4 && more <= 250, "{requested:?}, {more} kB");
        }
    }
    // Nothing says how long the index is.
    let files = Plan { has_manifest: false, ..Plan::default() }.files();
    let (opened, requested) = opened_from("film.ism", &files, RoundsStore::without_tails);
    check_all_there(&opened, 5400);
    assert!(requested.rounds <= 5, "{requested:?}");
}

#[test]
fn a_recording_of_three_hours_without_an_index_opens_in_ten_seconds() {
    let style = Style { mfra: false, ..Style::default() };
    for (is_one_file, has_manifest) in [(false, true), (false, false), (true, true)] {
        let plan = Plan { style, is_one_file, has_manifest, ..Plan::default() };
        let (opened, requested) = opened("film.ism", &plan.files());
        check_all_there(&opened, plan.chunks);
        let time = TICK * requested.rounds as u32;
        assert!(time <= Duration::from_secs(10), "{time:?}: {requested:?}");
    }
}
