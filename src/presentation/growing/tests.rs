use std::sync::Arc;

use super::samples::{Event, Pushed, SECOND};
use super::*;
use crate::base::{ErrorKind, Timescale};
use crate::fragment::Noun;
use crate::manifest::{ClientManifest, Layout, StreamKind};
use crate::presentation::{FragmentAddress, Liveness, Need, Validator};

fn manifest(of: &Presentation) -> ClientManifest {
    ClientManifest::parse(of.manifest().unwrap(), &Limits::default()).unwrap()
}

fn address(of: &Presentation, bitrate: u32, time: u64) -> Result<FragmentAddress, ErrorKind> {
    let stream = if bitrate == 128_000 { "audio" } else { "video" };
    of.address(stream, bitrate, "", time)
}

const NOT_YET: &str = "not-yet";
const NO_FRAGMENT: &str = "no-fragment";

/// The code of the error of a request for a fragment, or its bytes.
fn ask(
    event: &Event,
    of: &Arc<Presentation>,
    bitrate: u32,
    time: u64,
) -> Result<Bytes, &'static str> {
    let at = address(of, bitrate, time).map_err(|kind| kind.code())?;
    let step = of.fragment(at, Need::Head, |view| {
        let range = view.stored(view.lengths.part(Noun::Fragments)).range;
        Ok((view.file, range, view.liveness(), view.validator(Noun::Fragments)))
    });
    let (file, range, liveness, validator) =
        step.and_then(|step| event.drive(step)).map_err(|error| error.kind.code())?;
    assert_eq!(liveness, of.liveness());
    assert_eq!(of.fragment_validator(at, Noun::Fragments).unwrap(), Some(validator));
    let bytes = &event.files[file.index() - 1][range.start as usize..range.end as usize];
    Ok(Bytes::copy_from_slice(bytes))
}

fn validator(of: &Presentation, bitrate: u32, time: u64) -> Validator {
    let at = address(of, bitrate, time).unwrap();
    of.fragment_validator(at, Noun::Fragments).unwrap().unwrap()
}

#[test]
fn a_snapshot_serves_the_fragments_that_were_added_and_says_that_it_is_live() {
    let mut event = Event::usual();
    (0..3).for_each(|number| event.add_chunk(number));
    let snapshot = event.snapshot(Some(60));
    let manifest = manifest(&snapshot);
    assert_eq!((manifest.is_live, manifest.duration), (Some(true), 0));
    assert_eq!((manifest.can_seek, manifest.can_pause), (Some(true), Some(true)));
    assert_eq!((manifest.lookahead_count, manifest.look_ahead_fragment_count), (Some(2), Some(2)));
    assert_eq!(manifest.dvr_window_length, Some(60 * SECOND));
    let bitrates: Vec<Vec<u32>> = manifest
        .streams
        .iter()
        .map(|stream| stream.qualities.iter().map(|quality| quality.bitrate).collect())
        .collect();
    assert_eq!(bitrates, [vec![3_000_000, 800_000], vec![128_000]]);
    assert_eq!(snapshot.live(), Some(&Event::live(Some(60))));
    for (track, bitrate) in [(0, 3_000_000), (1, 800_000), (2, 128_000)] {
        for number in 0..3 {
            let time = 2 * SECOND * number;
            let wanted = event.tracks[track].fragment(time, 2 * SECOND).0;
            assert_eq!(ask(&event, &snapshot, bitrate, time).unwrap(), wanted);
        }
        assert_eq!(ask(&event, &snapshot, bitrate, 6 * SECOND), Err(NOT_YET));
        assert_eq!(ask(&event, &snapshot, bitrate, SECOND), Err(NO_FRAGMENT));
    }
    assert_eq!(ask(&event, &snapshot, 5, 0), Err("no-track"));
    assert!(snapshot.findings().is_empty(), "{:?}", snapshot.findings());
}

#[test]
fn an_event_without_chunks_announces_nothing_yet() {
    let mut event = Event::usual();
    let empty = event.snapshot(None);
    assert_eq!(empty.manifest().unwrap_err().kind.code(), NOT_YET);
    assert_eq!(ask(&event, &empty, 800_000, 0), Err(NOT_YET));
    // A stream without chunks is left out until it has one.
    event.add(1, 0, 2 * SECOND);
    let first = event.snapshot(None);
    let streams = manifest(&first).streams;
    assert_eq!(streams.len(), 1);
    // All qualities are announced: players read the manifest only once.
    assert_eq!((streams[0].kind, streams[0].qualities.len()), (StreamKind::Video, 2));
    assert_eq!(ask(&event, &first, 128_000, 0), Err(NOT_YET));
    event.add(2, 5, 2 * SECOND);
    assert_eq!(manifest(&event.snapshot(None)).streams.len(), 2);
}

#[test]
fn captions_are_opened_without_a_fragment() {
    let mut captions = Pushed::new(StreamKind::Text, 2, 1000);
    captions.name = Some("words");
    let tracks = [Pushed::new(StreamKind::Video, 1, 800_000), captions];
    let files = || tracks.each_ref().map(Pushed::file).to_vec();
    let open = |files| {
        let name = Name::new("event/x.isml").unwrap();
        Growing::open(&name, files, &OpenOptions::default()).unwrap()
    };
    let without = || {
        let mut files = files();
        files[1].first = Bytes::new();
        files
    };
    let (mut growing, with) = (open(without()), open(files()));
    assert_eq!(growing.server_manifest(), with.server_manifest());
    assert!(growing.findings().is_empty(), "{:?}", growing.findings());
    let (video, words) = (FileId::new(1), FileId::new(2));
    assert_eq!(growing.track_of_file(words), with.track_of_file(words));
    let names = |of: &mut Growing, number| -> Vec<String> {
        let snapshot = of.snapshot(Some(Event::live(None)), number);
        assert!(snapshot.streams().iter().all(|of| of.tracks().iter().all(|of| of.is_served())));
        manifest(&snapshot).streams.iter().map(|of| of.name().into_owned()).collect()
    };
    let lengths = tracks[0].fragment(0, 2 * SECOND).1;
    growing.add(video, 0, 2 * SECOND, 1000, lengths).unwrap();
    assert_eq!(names(&mut growing, 1), ["video"], "it has no chunk");
    let mut more = open(vec![files().remove(0)]);
    more.add(video, 0, 2 * SECOND, 1000, lengths).unwrap();
    let mut more = more.with_files(vec![without().remove(1)]).unwrap();
    for (number, of) in [(2, &mut growing), (3, &mut more)] {
        let lengths = tracks[1].fragment(0, SECOND).1;
        of.add(words, 0, SECOND, 1000, lengths).unwrap();
        assert_eq!(names(of, number), ["video", "words"]);
    }
    // Pictures need one.
    let mut files = files();
    files[0].first = Bytes::new();
    assert_eq!(open(files).track_of_file(video), None);
}

#[test]
fn a_track_that_lacks_a_chunk_may_still_get_it_until_it_has_a_later_one() {
    let mut event = Event::usual();
    event.add_chunk(0);
    for number in 1..3 {
        event.add(0, 2 * SECOND * number, 2 * SECOND);
    }
    let snapshot = event.snapshot(None);
    for time in [2, 4] {
        assert_eq!(ask(&event, &snapshot, 800_000, time * SECOND), Err(NOT_YET));
        assert!(ask(&event, &snapshot, 3_000_000, time * SECOND).is_ok());
    }
    event.add(1, 4 * SECOND, 2 * SECOND);
    let later = event.snapshot(None);
    assert_eq!(ask(&event, &later, 800_000, 2 * SECOND), Err(NO_FRAGMENT));
    assert!(ask(&event, &later, 800_000, 4 * SECOND).is_ok());
    // The older snapshot stays what it was.
    assert_eq!(ask(&event, &snapshot, 800_000, 4 * SECOND), Err(NOT_YET));
    // Nothing comes after the end.
    event.add(0, 6 * SECOND, 2 * SECOND);
    let film = event.film();
    assert_eq!(ask(&event, &film, 800_000, 6 * SECOND), Err("no-media"));
    assert_eq!(ask(&event, &film, 800_000, 8 * SECOND), Err(NO_FRAGMENT));
}

#[test]
#[cfg(feature = "hls")]
fn a_quality_whose_first_fragment_was_refused_lacks_all_chunks() {
    let mut event = Event::usual();
    event.add(0, 0, 2 * SECOND);
    event.add(0, 2 * SECOND, 2 * SECOND);
    event.try_add(1, SECOND, 2 * SECOND).unwrap_err();
    let lacks = |of: &Presentation| [0, 1].map(|chunk| of.streams[0].tracks[1].lacks(chunk));
    assert_eq!(lacks(&event.snapshot(Some(60))), [true; 2]);
    event.add(1, 2 * SECOND, 2 * SECOND);
    assert_eq!(lacks(&event.snapshot(Some(60))), [true, false]);
    let mut event = Event::usual();
    event.add(0, 0, 2 * SECOND);
    let film = event.film();
    let served = film.streams[0].tracks.iter().map(|track| track.is_served());
    assert_eq!(served.collect::<Vec<_>>(), [true, false], "nothing comes of it");
}

#[test]
fn fragments_that_do_not_fit_are_refused() {
    let mut event = Event::usual();
    event.add_chunk(0);
    event.add_chunk(1);
    let kind = |result: Result<(), Error>| result.unwrap_err().kind;
    assert!(matches!(kind(event.try_add(0, 2 * SECOND, 2 * SECOND)), ErrorKind::Invalid { .. }));
    assert_eq!(kind(event.try_add(0, SECOND, 2 * SECOND)).code(), NO_FRAGMENT);
    event.add(0, 4 * SECOND, 2 * SECOND);
    // As another encoder rounds the same time.
    event.add(1, 4 * SECOND + 2, 2 * SECOND);
    let of = event.growing.add(Event::file_id(8), 0, 1, 0, event.tracks[0].fragment(0, 9).1);
    assert!(matches!(kind(of), ErrorKind::NoTrack));
    let lengths = event.tracks[0].fragment(0, 9).1;
    let before = event.growing.add(Event::file_id(0), 6 * SECOND, 9, 40, lengths);
    assert!(matches!(kind(before), ErrorKind::Invalid { .. }));
    assert_eq!(event.snapshot(None).streams()[0].timeline().len(), 3);
    let limits = Limits { fragments: 4, ..Limits::default() };
    let mut small = Event::with_options(event.tracks, &OpenOptions::default().limits(limits));
    small.add_chunk(0);
    small.add(0, 2 * SECOND, 2 * SECOND);
    assert!(matches!(kind(small.try_add(1, 2 * SECOND, 5)), ErrorKind::Budget { .. }));
    small.growing.drop_before(2 * SECOND);
    small.add(1, 2 * SECOND, 2 * SECOND);
}

#[test]
fn a_window_hides_chunks_before_they_are_dropped() {
    let mut event = Event::usual();
    (0..20).for_each(|number| event.add_chunk(number));
    let snapshot = event.snapshot(Some(10));
    let chunks = |of: &Presentation| {
        let manifest = manifest(of);
        let of = &manifest.streams[0].chunks;
        (of[0].time.unwrap() / SECOND, of.len())
    };
    assert_eq!((chunks(&snapshot), snapshot.streams()[0].dropped()), ((30, 5), 15));
    // They are still served.
    assert!(ask(&event, &snapshot, 800_000, 0).is_ok());
    let needed = event.growing.drop_before(20 * SECOND);
    let heads: Vec<_> = event.tracks.iter().map(|track| track.head().len() as u64).collect();
    for (track, (file, first)) in needed.into_iter().enumerate() {
        let len = event.tracks[track].fragment(0, 2 * SECOND).1.len;
        assert_eq!((file, first), (Event::file_id(track), heads[track] + 10 * len));
    }
    let dropped = event.snapshot(Some(10));
    assert_eq!((chunks(&dropped), dropped.streams()[0].dropped()), ((30, 5), 15));
    assert_eq!(ask(&event, &dropped, 800_000, 18 * SECOND), Err(NO_FRAGMENT));
    assert!(ask(&event, &dropped, 800_000, 20 * SECOND).is_ok());
    assert!(ask(&event, &snapshot, 800_000, 18 * SECOND).is_ok(), "the older one has it");
    // What was hidden once is not announced again.
    let wider = event.snapshot(Some(1000));
    assert_eq!((chunks(&wider), wider.streams()[0].dropped()), ((30, 5), 15));
    event.add_chunk(20);
    assert_eq!(chunks(&event.snapshot(None)), (30, 6));
    // The last chunk stays.
    event.growing.drop_before(u64::MAX);
    let last = event.snapshot(Some(1));
    assert_eq!((chunks(&last), last.streams()[0].dropped()), ((40, 1), 20));
    assert!(ask(&event, &last, 128_000, 40 * SECOND).is_ok());
}

/// The kinds of the streams that a manifest has.
fn kinds(of: &Presentation) -> Vec<StreamKind> {
    manifest(of).streams.iter().map(|stream| stream.kind).collect()
}

#[test]
fn a_stream_of_which_all_was_dropped_is_left_out_until_it_comes_back() {
    let both = [StreamKind::Video, StreamKind::Audio];
    let mut event = Event::usual();
    (0..5).for_each(|number| event.add_chunk(number));
    for number in 5..30 {
        (0..2).for_each(|track| event.add(track, 2 * SECOND * number, 2 * SECOND));
    }
    event.growing.drop_before(10 * SECOND - 1);
    assert_eq!(kinds(&event.snapshot(Some(8))), both);
    event.growing.drop_before(10 * SECOND);
    let without = event.snapshot(Some(8));
    assert_eq!(kinds(&without), both[..1]);
    assert_eq!(ask(&event, &without, 128_000, 8 * SECOND), Err("no-media"));
    assert_eq!(kinds(&event.film()), both[..1]);
    // With another track, too.
    let more = Pushed { name: Some("more"), ..Pushed::new(StreamKind::Audio, 9, 64_000) };
    event.growing = event.growing.with_files(vec![more.file()]).unwrap();
    assert_eq!(kinds(&event.snapshot(Some(8))), both[..1]);
    event.add(2, 60 * SECOND, 2 * SECOND);
    let again = event.snapshot(Some(8));
    assert_eq!(kinds(&again), both);
    assert!(ask(&event, &again, 128_000, 60 * SECOND).is_ok());
}

#[test]
fn streams_that_are_over_leave_their_longest_chunk_to_the_others() {
    let sound = |id: u32, name, timescale| Pushed {
        name: Some(name),
        timescale: Timescale::new(timescale).unwrap(),
        ..Pushed::new(StreamKind::Audio, id, 64_000)
    };
    let pictures = Pushed::new(StreamKind::Video, 1, 800_000);
    let mut event = Event::new(vec![pictures, sound(2, "one", 90_000), sound(3, "other", 48_000)]);
    (0..30).for_each(|number| event.add(0, 2 * SECOND * number, 2 * SECOND));
    event.add(1, 0, 5 * 90_000);
    event.add(2, 0, 6 * 48_000);
    let longest = |event: &mut Event| -> Vec<_> {
        event.snapshot(Some(20)).streams().iter().map(|of| of.window.longest).collect()
    };
    assert_eq!(longest(&mut event), [2 * SECOND, 5 * 90_000, 6 * 48_000]);
    event.growing.drop_before(10 * SECOND);
    assert_eq!(longest(&mut event)[0], 6 * SECOND);
}

#[test]
fn a_wrong_duration_leaves_no_other_stream_out() {
    let mut event = Event::usual();
    (0..5).for_each(|number| event.add_chunk(number));
    (0..2).for_each(|track| event.add(track, 10 * SECOND, 300 * SECOND));
    event.add(2, 10 * SECOND, 2 * SECOND);
    event.growing.drop_before((310 - 38) * SECOND);
    assert_eq!(kinds(&event.snapshot(Some(8))), [StreamKind::Video, StreamKind::Audio]);
}

#[test]
fn an_event_that_has_ended_is_a_film() {
    let mut event = Event::usual();
    (3..9).for_each(|number| event.add_chunk(number));
    let live = event.snapshot(None);
    let film = event.film();
    assert!(live.is_live() && !film.is_live() && film.live().is_none());
    let manifest = manifest(&film);
    assert_eq!((manifest.is_live, manifest.duration), (None, 12 * SECOND));
    assert_eq!((manifest.can_seek, manifest.dvr_window_length), (None, None));
    // Another event may come to the URL of the point.
    assert_eq!(film.manifest_representation().liveness(), Liveness::Live);
    assert_eq!(live.manifest_representation().liveness(), Liveness::Live);
    assert_eq!(validator(&film, 800_000, 6 * SECOND), validator(&live, 800_000, 6 * SECOND));
    assert_eq!(ask(&event, &film, 800_000, 18 * SECOND), Err(NO_FRAGMENT));
}

#[test]
fn validators_of_fragments_last_and_those_of_manifests_change() {
    let mut event = Event::usual();
    (0..5).for_each(|number| event.add_chunk(number));
    let first = event.snapshot(None);
    let again = event.snapshot(None);
    event.add_chunk(5);
    let next = event.snapshot(None);
    assert_ne!(first.validator(), again.validator());
    assert_ne!(again.validator(), next.validator());
    let of = |snapshot: &Presentation| validator(snapshot, 800_000, 4 * SECOND);
    assert_eq!((of(&first), of(&again)), (of(&next), of(&next)));
    assert_ne!(of(&first), validator(&first, 800_000, 6 * SECOND));
    assert_ne!(of(&first), validator(&first, 3_000_000, 4 * SECOND));
    // Another origin began later, without the first track, and with an index of its own.
    let mut other = Event::new(event.tracks[1..].to_vec());
    (2..5).for_each(|number| other.add_chunk(number));
    assert_eq!(of(&other.snapshot(Some(9))), of(&first));
    // Another event, and a fragment that differs.
    let options = OpenOptions::default().epoch("event 2");
    let mut second = Event::with_options(event.tracks.clone(), &options);
    (0..5).for_each(|number| second.add_chunk(number));
    assert_ne!(of(&second.snapshot(None)), of(&first));
    let mut longer = event.tracks.clone();
    longer[1].samples = 3;
    let mut longer = Event::new(longer);
    (0..5).for_each(|number| longer.add_chunk(number));
    assert_ne!(of(&longer.snapshot(None)), of(&first));
}

#[test]
fn the_layout_of_the_manifest_is_that_of_the_options() {
    let tracks = Event::usual().tracks;
    let options = OpenOptions::default().layout(Layout::Compact);
    let mut event = Event::with_options(tracks, &options);
    (0..5).for_each(|number| event.add_chunk(number));
    event.add(0, 20 * SECOND, SECOND);
    let compact = event.snapshot(None);
    let text = String::from_utf8(compact.manifest().unwrap().to_vec()).unwrap();
    assert!(text.contains(r#"<c t="0" d="20000000" r="5"/>"#), "{text}");
    assert!(text.contains(r#"TimeScale="10000000" Duration="0" IsLive="TRUE""#), "{text}");
    assert!(compact.manifest_has_repeats().unwrap());
    let mut event = Event::usual();
    (0..5).for_each(|number| event.add_chunk(number));
    let full = event.snapshot(None);
    let text = String::from_utf8(full.manifest().unwrap().to_vec()).unwrap();
    assert_eq!(text.matches(r#"<c d="20000000"/>"#).count(), 8, "{text}");
    assert!(!full.manifest_has_repeats().unwrap());
}

#[test]
fn tracks_are_added_and_all_others_stay_as_they_are() {
    let mut audio = Pushed::new(StreamKind::Audio, 2, 64_000);
    audio.language = Some("eng");
    let mut event = Event::new(vec![Pushed::new(StreamKind::Video, 1, 800_000), audio.clone()]);
    (0..3).for_each(|number| event.add_chunk(number));
    let before = event.snapshot(None);
    let names = |of: &Presentation| {
        let of = of.streams().iter().map(|stream| stream.name().to_owned());
        of.collect::<Vec<_>>()
    };
    assert_eq!(names(&before), ["video", "audio"]);
    let mut french = Pushed::new(StreamKind::Audio, 3, 64_000);
    french.language = Some("fra");
    let mut second = audio.clone();
    (second.track_id, second.bitrate) = (4, 128_000);
    let better = Pushed::new(StreamKind::Video, 5, 3_000_000);
    let more = vec![french, second, better];
    let files: Vec<_> = more.iter().map(Pushed::file).collect();
    event.files.extend(files.iter().map(|file| file.head.to_vec()));
    event.growing = event.growing.with_files(files).unwrap();
    event.tracks.extend(more);
    for track in 2..5 {
        event.add(track, 4 * SECOND, 2 * SECOND);
    }
    (3..5).for_each(|number| event.add_chunk(number));
    let after = event.snapshot(None);
    // A second quality joins the stream of its language.
    assert_eq!(after.streams().len(), 3);
    assert_eq!(names(&after)[..2], ["video", "audio"]);
    assert_eq!(event.growing.track_of_file(Event::file_id(3)), Some((1, 0)));
    assert_eq!(event.growing.track_of_file(Event::file_id(4)), Some((0, 0)));
    assert_eq!(event.growing.track_of_file(Event::file_id(0)), Some((0, 1)));
    assert_eq!(validator(&before, 800_000, 0), validator(&after, 800_000, 0));
    for time in 0..5 {
        assert!(ask(&event, &after, 800_000, 2 * time * SECOND).is_ok());
    }
    assert_eq!(ask(&event, &after, 3_000_000, 0), Err(NO_FRAGMENT));
    assert!(ask(&event, &after, 3_000_000, 4 * SECOND).is_ok());
    let server = event.growing.server_manifest();
    assert!(server.tracks.iter().all(|track| track.track_name().is_some()));
    assert_eq!(event.growing.files().len(), 5);
    assert!(event.growing.with_files(vec![event.tracks[0].file()]).is_err(), "one name twice");
}

#[test]
fn what_the_server_manifest_does_not_declare_is_declared() {
    let mut tracks = Event::usual().tracks;
    let files: Vec<_> = tracks
        .iter_mut()
        .map(|track| {
            let mut file = track.file();
            file.server.attributes.retain(|(name, _)| name == "src");
            file
        })
        .collect();
    let name = Name::new("event/x.isml").unwrap();
    let growing = Growing::open(&name, files, &OpenOptions::default()).unwrap();
    let server = growing.server_manifest();
    let declared: Vec<_> = server.tracks.iter().map(|of| (of.name(), of.bitrate())).collect();
    assert_eq!((declared[0].0, declared[1].0, declared[2].0), ("video", "video", "audio"));
    assert!(declared.iter().all(|(_, bitrate)| bitrate.is_some_and(|bitrate| bitrate > 0)));
    assert_ne!(declared[0].1, declared[1].1, "two of one bitrate are told apart");
    let again = Growing::open(&name, growing.files().to_vec(), &OpenOptions::default()).unwrap();
    assert_eq!(again.server_manifest(), server);
}

#[test]
fn a_publication_copies_a_few_blocks() {
    let mut event = Event::usual();
    let audio = |number: u64| number * 94 * 1024 * SECOND / 48_000;
    let mut before = event.snapshot(Some(600));
    let mut most = 0;
    for number in 0..2000 {
        event.add(0, 2 * SECOND * number, 2 * SECOND);
        event.add(1, 2 * SECOND * number, 2 * SECOND);
        event.add(2, audio(number), audio(number + 1) - audio(number));
        event.growing.drop_before((2 * SECOND * number).saturating_sub(900 * SECOND));
        let next = event.snapshot(Some(600));
        let mut copied = 0;
        for (old, new) in before.streams().iter().zip(next.streams()) {
            copied += new.timeline().bytes_apart_from(old.timeline());
            for (old, new) in old.tracks().iter().zip(new.tracks()) {
                let (old, new) = (old.stored().unwrap(), new.stored().unwrap());
                copied += new.fragments.bytes_apart_from(&old.fragments);
            }
        }
        most = most.max(copied);
        before = next;
    }
    // A block of fragments for each track, and the first and the last list of the times of sound.
    assert!((10_000..=(3 + 2) * 256 * 16).contains(&most), "{most}");
    assert_eq!(before.streams()[0].timeline().len(), 450 + 1);
    assert!(before.memory() < 100_000, "{}", before.memory());
}

#[test]
fn times_of_tracks_with_other_units_are_kept() {
    let mut audio = Pushed::new(StreamKind::Audio, 2, 64_000);
    audio.timescale = Timescale::new(48_000).unwrap();
    let mut event = Event::new(vec![Pushed::new(StreamKind::Video, 1, 800_000), audio]);
    for number in 0..9 {
        event.add(0, 20 * SECOND * number, 20 * SECOND);
        event.add(1, 960_000 * number, 960_000);
    }
    let snapshot = event.snapshot(Some(100));
    let manifest = manifest(&snapshot);
    let first = |stream: usize| manifest.streams[stream].chunks[0].time;
    assert_eq!((first(0), first(1)), (Some(80 * SECOND), Some(80 * 48_000)));
    event.growing.drop_before(60 * SECOND);
    assert_eq!(event.snapshot(None).streams()[1].timeline().chunk(0), Some((2_880_000, 960_000)));
}

/// Files of fragments of one length each, as an archive has them, without their bytes.
struct Archive {
    server: Bytes,
    files: Vec<Archived>,
}

/// The header of a file, its track, the times of its fragments, and its index.
type Archived = (Bytes, Pushed, Vec<(u64, u64)>, Bytes);

impl Archive {
    fn of(event: &Event, times: impl Fn(&Pushed) -> Vec<(u64, u64)>) -> Self {
        let server = event.growing.server_manifest().to_xml().unwrap().into();
        let file = |track: &Pushed| {
            let (head, times) = (track.head(), times(track));
            let len = track.fragment(0, times[0].1).1.len;
            let entry =
                |(number, time): (u64, &(u64, u64))| (time.0, head.len() as u64 + number * len);
            let entries = (0..).zip(&times).map(entry).collect();
            let starts = crate::index::Starts { track_id: track.track_id, entries };
            let index = crate::index::written_mfra(&[starts]).unwrap();
            (head, track.clone(), times, index)
        };
        Self { server, files: event.tracks.iter().map(file).collect() }
    }

    fn read(&self, file: FileId, range: std::ops::Range<u64>) -> Bytes {
        let (head, track, times, index) = match file.index() {
            0 => return self.server.slice(range.start as usize..range.end as usize),
            file => &self.files[file - 1],
        };
        let len = track.fragment(0, times[0].1).1.len;
        let media = head.len() as u64..head.len() as u64 + len * times.len() as u64;
        let number = |byte: u64| (byte.clamp(media.start, media.end) - media.start) / len;
        let (first, last) = (number(range.start), number(range.end) + 1);
        let fragments = times.iter().skip(first as usize).take((last - first) as usize);
        let fragments: Vec<u8> =
            fragments.flat_map(|&(time, lasts)| track.fragment(time, lasts).0).collect();
        let begin = if first == 0 { 0 } else { media.start + first * len };
        let head = if first == 0 { &head[..] } else { &[] };
        let index = if last >= times.len() as u64 { &index[..] } else { &[] };
        let all = Bytes::from([head, &fragments, index].concat());
        all.slice((range.start - begin) as usize..(range.end - begin) as usize)
    }

    fn len(&self, file: FileId) -> u64 {
        match file.index() {
            0 => self.server.len() as u64,
            file => {
                let (head, track, times, index) = &self.files[file - 1];
                let len = track.fragment(0, times[0].1).1.len * times.len() as u64;
                head.len() as u64 + len + index.len() as u64
            }
        }
    }

    fn open(&self) -> Presentation {
        use crate::base::{FileEnds, Got, Want};
        let name = Name::new("event/x.ism").unwrap();
        let step = crate::presentation::open(name, &OpenOptions::default());
        let opened = step.drive(|want| {
            Ok(match want {
                Want::Open { file, head, tail, .. } => {
                    let len = self.len(*file);
                    let (head, tail) = (len.min(*head), len - len.min(*tail));
                    let (head, tail) = (self.read(*file, 0..head), self.read(*file, tail..len));
                    Got::Opened(FileEnds::new(len, head, tail))
                }
                Want::Range { file, range } => Got::Range(self.read(*file, range.clone())),
                other => panic!("{other:?}"),
            })
        });
        opened.unwrap()
    }
}

/// A day of chunks of two seconds, in three qualities of pictures and one of sound.
fn day() -> (Event, impl Fn(&Pushed) -> Vec<(u64, u64)>) {
    let times = |track: &Pushed| -> Vec<(u64, u64)> {
        let start = |number: u64| match track.kind {
            // 94 frames of AAC, rounded.
            StreamKind::Audio => number * 94 * 1024 * SECOND / 48_000,
            _ => 2 * SECOND * number,
        };
        (0..43_200).map(|number| (start(number), start(number + 1) - start(number))).collect()
    };
    let mut event = Event::new(vec![
        Pushed::new(StreamKind::Video, 1, 3_000_000),
        Pushed::new(StreamKind::Video, 2, 1_500_000),
        Pushed::new(StreamKind::Video, 3, 800_000),
        Pushed::new(StreamKind::Audio, 4, 128_000),
    ]);
    for track in 0..4 {
        let pushed = &event.tracks[track];
        let (times, lengths) = (times(pushed), pushed.fragment(0, 2 * SECOND).1);
        let mut start = pushed.head().len() as u64;
        for (time, lasts) in times {
            event.growing.add(Event::file_id(track), time, lasts, start, lengths).unwrap();
            start += lengths.len;
        }
    }
    (event, times)
}

#[test]
fn a_day_of_chunks_takes_about_as_much_memory_as_the_same_film_and_is_the_same() {
    let (mut event, times) = day();
    let archive = Archive::of(&event, times).open();
    let live = event.snapshot(None);
    live.manifest().unwrap();
    let (found, wanted) = (live.memory(), archive.memory());
    assert!(found * 10 <= wanted * 11, "{found} and {wanted} bytes");
    println!("{found} bytes live, {wanted} bytes as a film");
    let film = event.film();
    let text = |of: &Presentation| String::from_utf8(of.manifest().unwrap().to_vec()).unwrap();
    assert_eq!(text(&film), text(&archive));
    assert!(archive.findings().is_empty(), "{:?}", archive.findings());
    let last = live.streams()[0].timeline().last().unwrap();
    assert_eq!(last, (43_199, (2 * SECOND * 43_199, 2 * SECOND)));
}
