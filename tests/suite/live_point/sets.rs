//! Which tracks are qualities of one stream, and what a header of an encoder costs.

use smooth_origin::bmff::uuid::LiveServerManifest;
use smooth_origin::bmff::{AnyBox, Boxes, FullBox};
use smooth_origin::live::PointOptions;

use super::encoder::{END, Spec, audio, header, text, video};
use super::watch::Watch;
use super::{LONG, push};

/// Names of the streams of the event, with the number of tracks of each.
fn streams(watch: &Watch) -> Vec<(String, usize)> {
    let streams = watch.point.status().streams;
    streams.iter().map(|stream| (stream.name.to_string(), stream.tracks.len())).collect()
}

fn of(streams: &[(&str, usize)]) -> Vec<(String, usize)> {
    streams.iter().map(|(name, tracks)| ((*name).to_owned(), *tracks)).collect()
}

#[test]
fn texts_of_one_language_are_streams_of_their_own() {
    let caption = |id| Spec { bitrate: 0, language: "deu", ..text(id) };
    let (all, signs) = (caption(2), caption(3));
    let mut watch = Watch::with(PointOptions::default(), 0);
    let id = watch.begin("enc", "a");
    watch.push(id, &header(&[video(1, 1_000_000), all.clone(), signs.clone()])).unwrap();
    let one = of(&[("video", 1), ("captions", 1), ("captions_deu", 1)]);
    assert_eq!(streams(&watch), one);
    push(&mut watch, id, &[video(1, 1_000_000)], 0..2);
    // A cue of one begins before the last one of the other.
    watch.push(id, &all.fragment(20_000_000, LONG, 0)).unwrap();
    watch.push(id, &signs.fragment(10_000_000, LONG / 2, 0)).unwrap();
    push(&mut watch, id, &[video(1, 1_000_000)], 2..5);
    watch.push(id, END).unwrap();
    watch.end(id).unwrap();
    assert_eq!((watch.times("captions"), watch.times("captions_deu")), (vec![2000], vec![1000]));
    // Another encoder of the same stream feeds the same tracks.
    let mut watch = Watch::with(PointOptions::default(), 0);
    for encoder in ["a", "b"] {
        let id = watch.begin("enc", encoder);
        watch.push(id, &header(&[video(1, 1_000_000), all.clone(), signs.clone()])).unwrap();
    }
    assert_eq!(streams(&watch), one);
    // Captions of which the bitrate is said are qualities, as all other tracks.
    let said = |bitrate| Spec { bitrate, ..text(2 + bitrate) };
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("enc", "a");
    watch.push(id, &header(&[video(1, 1_000_000), said(1), said(2)])).unwrap();
    assert_eq!(streams(&watch), of(&[("video", 1), ("captions", 2)]));
}

#[test]
fn a_track_of_another_timescale_is_one_of_another_stream() {
    let sound = |id, timescale| Spec { timescale, bitrate: 0, ..audio(id, 0) };
    let specs = [sound(1, 48_000), sound(2, 44_100)];
    let mut watch = Watch::with(PointOptions::default(), 0);
    // As ffmpeg pushes DASH: a stream for each track.
    let ids: Vec<_> = specs
        .iter()
        .zip(["stream0", "stream1"])
        .map(|(spec, stream)| {
            let id = watch.begin(stream, "a");
            watch.push(id, &header(std::slice::from_ref(spec))).unwrap();
            id
        })
        .collect();
    assert_eq!(streams(&watch), of(&[("audio", 1), ("audio_2", 1)]));
    for number in 0..3 {
        watch.pass(2000);
        for (spec, id) in specs.iter().zip(&ids) {
            let long = 2 * spec.timescale;
            watch.push(*id, &spec.fragment(number * i64::from(long), long, 0)).unwrap();
        }
        watch.tick();
    }
    let count = |stream| watch.chunks(stream).len();
    assert_eq!((count("audio"), count("audio_2")), (3, 3), "{:#?}", watch.notices);
    assert_eq!(watch.count("timescale-differs"), 0);
    // The track with which an encoder began keeps its timescale.
    let id = watch.begin("stream0", "a");
    assert!(watch.push(id, &header(&[sound(1, 44_100)])).is_err());
    assert_eq!(watch.count("timescale-differs"), 1);
}

#[test]
fn a_header_that_does_not_fit_is_told_the_first_the_second_the_fourth_time() {
    let mut watch = Watch::with(PointOptions::default(), 0);
    let spec = video(1, 1_000_000);
    let id = watch.begin("enc", "a");
    watch.push(id, &header(std::slice::from_ref(&spec))).unwrap();
    push(&mut watch, id, std::slice::from_ref(&spec), 0..2);
    for _ in 0..20 {
        let other = watch.begin("enc", "b");
        let pushed = watch.push(other, &header(&[Spec { level: 2, ..spec.clone() }]));
        assert!(pushed.and_then(|()| watch.end(other)).is_err());
    }
    assert_eq!(watch.count("codec-changed"), 5, "{:#?}", watch.notices);
}

#[test]
fn fragments_of_a_track_without_a_file_count_with_all_that_is_said_of_it() {
    // One parameter of the live server manifest, and a name.
    let long = "x".repeat(100_000);
    let sound = Spec { bitrate: 0, ..audio(2, 0) };
    let body = header(&[video(1, 1_000_000), sound.clone()]);
    let at = body.windows(4).position(|bytes| bytes == b"uuid").unwrap() - 4;
    let len = u32::from_be_bytes(body[at..at + 4].try_into().unwrap()) as usize;
    let boxes = Boxes::parse(&body.slice(at..at + len), 0, &Default::default()).unwrap();
    let mut manifest = boxes.get::<LiveServerManifest>().unwrap().document.to_vec();
    let audio = manifest.windows(6).position(|bytes| bytes == b"<audio").unwrap();
    let end = audio + manifest[audio..].iter().position(|byte| *byte == b'>').unwrap() + 1;
    manifest.splice(end..end, format!(r#"<param name="x" value="{long}"/>"#).into_bytes());
    let document = manifest.into();
    let boxed = AnyBox::new(LiveServerManifest { full: FullBox::default(), document });
    let boxed = [boxed].into_iter().collect::<Boxes>().to_bytes();
    let body = [&body[..at], &boxed, &body[at + len..]].concat();
    let mut watch = Watch::with(PointOptions::default().held_bytes(3_000_000), 2);
    let id = watch.begin("enc", "a");
    watch.push(id, &body).unwrap();
    // The event waits for the pictures until half of the budget is used.
    let mut most = 0;
    for number in 0..40 {
        let fragment = sound.fragment(number * i64::from(LONG), LONG, 0);
        watch.push(id, &fragment).unwrap();
        most = most.max(watch.point.status().held_bytes);
        assert_eq!(watch.times("audio").is_empty(), number < 14, "{number}");
    }
    assert!((1_300_000..1_500_000).contains(&most), "{most}");
    assert_eq!(watch.count("dropped"), 0, "{:?}", watch.notices);
}

#[test]
fn messages_beside_the_fragments_are_told_and_lose_nothing_else() {
    let spec = video(1, 1_000_000);
    let mut watch = Watch::with(PointOptions::default(), 0);
    let id = watch.begin("enc", "a");
    watch.push(id, &header(std::slice::from_ref(&spec))).unwrap();
    for number in 0..3 {
        watch.pass(2000);
        watch.push(id, &[&b"\0\0\0\x0cemsg\0\0\0\0"[..]; 3].concat()).unwrap();
        watch.push(id, &spec.fragment(number * i64::from(LONG), LONG, 0)).unwrap();
    }
    assert_eq!(watch.count("messages-passed"), 3, "{:#?}", watch.notices);
    assert!(watch.notices.last().unwrap().contains("(8 so far)"), "{:#?}", watch.notices);
    assert_eq!(watch.chunks("video").len(), 3);
}
