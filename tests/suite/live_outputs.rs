//! Answers to players of a live event: statuses and what caches may keep, for each output; and the pointers to
//! sparse streams.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request};
use http_body::{Body, Frame};
use smooth_origin::bmff::Boxes;
use smooth_origin::live::PointOptions;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{LiveOptions, LivePoints, Origin, block_on};
use smooth_origin::service::{Caching, IngestService, OriginService, Peer, ServiceOptions};
use smooth_origin::storage::MemoryStore;
use testkit::{Hands, film};

use crate::live_point::encoder::{END, Spec, audio, header, text, video};

/// A body of one piece.
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

pub(crate) struct Server {
    service: IngestService,
}

const SECOND: i64 = 10_000_000;

impl Server {
    /// A server with a window of 8 s, and 30 s behind it, which nothing is held back from.
    fn new(options: ServiceOptions) -> Self {
        let window = Some(Duration::from_secs(8));
        let point = PointOptions::default().look_ahead(1).window(window);
        let live = LiveOptions::default().on_first_push(move |_| Some(point.clone()));
        Self::of(LivePoints::new(live), options)
    }

    pub(crate) fn of(points: LivePoints, options: ServiceOptions) -> Self {
        let builder = Origin::builder(MemoryStore::new()).clock(Hands::default().clock());
        let origin = builder.live(points.clone()).build();
        let files = OriginService::with_options(origin, options);
        Self { service: IngestService::new(points).otherwise(files) }
    }

    pub(crate) fn push(&self, stream: &str, body: Vec<u8>) {
        let target = format!("/x.isml/Streams({stream})");
        let request =
            Request::post(target).header("host", "x").header("content-length", body.len());
        let mut request = request.body(Whole(Some(body.into()))).unwrap();
        request.extensions_mut().insert(Peer::new(Ipv4Addr::LOCALHOST.into()));
        let status = block_on(self.service.respond(request)).status();
        assert_eq!(status, 200);
    }

    pub(crate) fn get(&self, path: &str, field: Option<(&str, &str)>) -> (u16, HeaderMap) {
        let request = Request::get(format!("/x.isml/{path}")).header("host", "x");
        let request = match field {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let response = block_on(self.service.respond(request.body(Whole(None)).unwrap()));
        (response.status().as_u16(), response.headers().clone())
    }

    /// Pushes pictures, sound and events of so many chunks of 2 s.
    fn push_event(&self, chunks: i64, events: &[i64]) {
        if !events.is_empty() {
            let fragment = |time: &i64| text(3).fragment(time * SECOND, 20_000_000, 0).to_vec();
            let fragments = events.iter().flat_map(fragment);
            self.push("events", header(&[text(3)]).iter().copied().chain(fragments).collect());
        }
        // The first ones are published before others push them out of the window.
        self.push_media(0..3);
        self.push_media(3..chunks);
    }

    /// Pushes chunks of pictures and sound.
    pub(crate) fn push_media(&self, numbers: Range<i64>) {
        let specs = [video(1, 3_000_000), audio(2, 64_000)];
        let fragments = numbers.flat_map(|number| {
            let time = 2 * number * SECOND;
            specs.each_ref().map(|spec| spec.fragment(time, 20_000_000, 0).to_vec()).concat()
        });
        self.push("media", header(&specs).iter().copied().chain(fragments).collect());
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let request = Request::get(format!("/x.isml/{path}")).header("host", "x");
        let mut response = block_on(self.service.respond(request.body(Whole(None)).unwrap()));
        assert_eq!(response.status(), 200, "{path}");
        let frame = block_on(std::future::poll_fn(|context| {
            Pin::new(response.body_mut()).poll_frame(context)
        }));
        String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
    }
}

#[test]
fn each_answer_about_a_live_event_has_its_status_and_is_kept_as_long_as_it_holds() {
    let server = Server::new(ServiceOptions::default().caching(Caching::default()));
    server.push_event(60, &[]);
    // One chunk is held back: the last one that is announced begins at 116 s.
    let smooth =
        |noun: &str, time: i64| format!("QualityLevels(3000000)/{noun}(video={})", time * SECOND);
    let segment = |time: i64| format!("video-3000000/{}.m4s", time * SECOND);
    let (announced, behind, gone, ahead) = (112, 100, 40, 118);
    let mut rows = Vec::new();
    for noun in ["Fragments", "FragmentInfo", "RawFragments", "KeyFrames"] {
        rows.push((smooth(noun, announced), 200, "max-age=60"));
        rows.push((smooth(noun, behind), 200, "max-age=60"));
        rows.push((smooth(noun, gone), 404, "max-age=5"));
        rows.push((smooth(noun, announced + 1), 404, "max-age=5"));
        rows.push((smooth(noun, ahead), 412, "max-age=1"));
        rows.push((smooth(noun, 10_000), 412, "max-age=1"));
    }
    for (time, status, control) in [
        (announced, 200, "max-age=60"),
        (behind, 200, "max-age=60"),
        (gone, 404, "max-age=5"),
        (ahead, 412, "max-age=1"),
    ] {
        rows.push((segment(time), status, control));
        rows.push((segment(time).replace("3000000/", "3000000.key/"), status, control));
        let audio = segment(time).replace("video-3000000", "audio-64000");
        rows.push((audio, status, control));
    }
    for name in ["Manifest", "manifest.mpd", "master.m3u8", "video-3000000.m3u8"] {
        rows.push((name.into(), 200, "max-age=1"));
        rows.push((format!("{name}?start=100"), 200, "max-age=1"));
        rows.push((format!("{name}?start=100&end=104"), 200, "max-age=1"));
        rows.push((format!("{name}?delay=10"), 200, "max-age=1"));
        rows.push((format!("{name}?start=40"), 200, "max-age=1"));
        rows.push((format!("{name}?start=40&end=50"), 404, "max-age=5"));
        rows.push((format!("{name}?start=200"), 412, "max-age=1"));
        rows.push((format!("{name}?delay=600"), 404, "max-age=5"));
        rows.push((format!("{name}?start=2&end=1"), 400, "max-age=5"));
    }
    for (path, status, control) in rows {
        let (found, fields) = server.get(&path, None);
        assert_eq!(found, status, "{path}");
        assert_eq!(fields["cache-control"], control, "{path}");
    }
    // The event ends: what was not there yet will never be.
    server.push("media", [&header(&[video(1, 3_000_000), audio(2, 64_000)])[..], END].concat());
    for (path, status) in [
        (smooth("Fragments", 118), 200),
        (smooth("Fragments", 120), 404),
        ("Manifest?start=200".into(), 404),
        ("Manifest?delay=600".into(), 200),
        ("manifest.mpd?start=100".into(), 200),
    ] {
        assert_eq!(server.get(&path, None).0, status, "{path}");
    }
}

/// `splice_insert` of the specification: an advertisement of 60.293 s.
///
/// Spec: ANSI/SCTE 35, 14.2.
pub(crate) const OUT: &str = "/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=";

/// `time_signal` of the specification: the start of a placement opportunity.
///
/// Spec: ANSI/SCTE 35, 14.1.
const SIGNAL: &str = "/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==";

/// A sample: version, id, ticks until the splice, and the section.
pub(crate) fn sample(id: u32, delta: u32, section: &[u8]) -> Vec<u8> {
    [&[1, id, delta].map(u32::to_be_bytes).concat()[..], section].concat()
}

/// A fragment of the stream of events with one sample.
pub(crate) fn event(time: i64, sample: &[u8]) -> Vec<u8> {
    let samples = vec![(20_000_000, sample.len() as u32)];
    let track = film::Track::new(3, StreamKind::Text, Vec::new());
    let track = film::Track { timescale: 10_000_000, ..track };
    let moof = track.moof(&film::Fragment { time, samples }, 1, film::Style::default());
    let moof = [moof].into_iter().collect::<Boxes>().to_bytes();
    let len = (sample.len() as u32 + 8).to_be_bytes();
    [&moof[..], &len, b"mdat", sample].concat()
}

#[test]
fn a_playlist_marks_the_segments_that_its_quality_lacks() {
    let server = Server::new(ServiceOptions::default());
    let specs = [video(1, 3_000_000), video(2, 6_000_000)];
    let fragments = (0..6).flat_map(|number| {
        let had = specs.iter().filter(move |spec| (number, spec.id) != (2, 2));
        had.map(move |spec| spec.fragment(2 * number * SECOND, 20_000_000, 0).to_vec())
    });
    let body = header(&specs).to_vec().into_iter().chain(fragments.flatten());
    server.push("media", body.chain(END.to_vec()).collect());

    let marked = |playlist: &str| {
        let text = server.text(playlist);
        let lines: Vec<&str> = text.lines().collect();
        let gaps =
            lines.windows(3).filter(|of| of[0] == "#EXT-X-GAP" && of[1].starts_with("#EXTINF:2.0"));
        gaps.map(|of| of[2].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(marked("video-3000000.m3u8"), Vec::<String>::new());
    assert_eq!(marked("video-6000000.m3u8"), ["video-6000000/40000000.m4s"]);
    assert_eq!(server.get("video-6000000/40000000.m4s", None).0, 404);
}

#[test]
fn messages_of_scte_35_are_events_of_dash_and_dates_of_hls() {
    let bytes = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let (out, signal) = (bytes(OUT), bytes(SIGNAL));
    let mut back = out.clone();
    // `out_of_network_indicator`.
    back[19] &= 0x7f;
    let server = Server::new(ServiceOptions::default());
    let spec = Spec { name: "events", ..text(3) };
    let second = |seconds: i64| seconds * SECOND;
    let both = [sample(7, 60_000_000, &out), sample(8, 60_000_000, &signal)].concat();
    let events = [
        header(std::slice::from_ref(&spec)).to_vec(),
        event(second(4), &both),
        event(second(6), &sample(7, 40_000_000, &out)),
        event(second(8), b"\0\0\0\x01 no message \xfc"),
        event(second(12), &sample(9, 20_000_000, &back)),
    ];
    server.push("events", events.concat());
    server.push_media(0..8);
    let mpd = server.text("manifest.mpd");
    let stream = mpd.split_once("<EventStream").unwrap().1.split_once("</EventStream>").unwrap().0;
    assert!(mpd.find("<EventStream") < mpd.find("<AdaptationSet"), "{mpd}");
    let expected = [
        ("100000000", " duration=\"602935666\"", "7", OUT.to_owned()),
        ("100000000", "", "8", SIGNAL.to_owned()),
        ("140000000", "", "9", base64::engine::general_purpose::STANDARD.encode(&back)),
    ];
    for (time, duration, id, payload) in &expected {
        let event = format!("<Event presentationTime=\"{time}\"{duration} id=\"{id}\">");
        assert_eq!(stream.matches(&event).count(), 1, "{event}: {stream}");
        assert!(stream.contains(&format!("<Binary>{payload}</Binary>")), "{stream}");
    }
    assert_eq!(stream.matches("<Event ").count(), expected.len());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    for name in ["video-3000000.m3u8", "audio-64000.m3u8"] {
        let playlist = server.text(name);
        let dates: Vec<&str> =
            playlist.lines().filter(|line| line.starts_with("#EXT-X-DATERANGE")).collect();
        assert_eq!(dates.len(), 3, "{playlist}");
        let starts = |line: &str| {
            let rest = line.split_once("START-DATE=\"").unwrap().1;
            rest.split('"').next().unwrap().to_owned()
        };
        let id =
            |line: &str| line.split_once("ID=\"").unwrap().1.split('"').next().unwrap().to_owned();
        assert!(
            dates[0].ends_with(&format!(",PLANNED-DURATION=60.293,SCTE35-OUT=0x{}", hex(&out)))
        );
        assert!(dates[1].ends_with(&format!(",SCTE35-CMD=0x{}", hex(&signal))), "{playlist}");
        assert!(dates[2].ends_with(&format!("\",SCTE35-IN=0x{}", hex(&back))));
        assert!(dates[2].contains(",END-DATE=\"") && !dates[2].contains("DURATION"));
        assert_eq!((id(dates[0]), starts(dates[0])), (id(dates[2]), starts(dates[2])));
        assert_ne!(id(dates[0]), id(dates[1]));
    }
    assert!(!server.text("video-3000000.key.m3u8").contains("DATERANGE"));
    let of = |query: &str| server.text(&format!("manifest.mpd?{query}")).matches("<Event ").count();
    assert_eq!((of("start=8&end=12"), of("start=12"), of("start=4&end=10")), (2, 2, 0));
    // The rest of the break.
    let part = server.text("manifest.mpd?start=12");
    let rest = "<Event presentationTime=\"0\" duration=\"582935666\" id=\"7\">";
    assert!(part.contains(rest), "{part}");
    // Lines stay as they are when those of older messages leave the window.
    let later = event(second(14), &sample(10, 20_000_000, &signal));
    server.push("events", [&header(std::slice::from_ref(&spec))[..], &later].concat());
    let dates = || -> Vec<String> {
        let playlist = server.text("video-3000000.m3u8");
        let lines = playlist.lines().filter(|line| line.starts_with("#EXT-X-DATERANGE"));
        lines.map(str::to_owned).collect()
    };
    server.push_media(8..9);
    let before = dates();
    assert_eq!(before.len(), 4);
    server.push_media(9..11);
    let going_on = [&before[..1], &before[2..]].concat();
    assert_eq!(dates(), going_on, "the break began before the window, and ends in it");
    server.push_media(11..13);
    assert_eq!(dates(), before[3..], "the break is over");
}

#[test]
fn a_break_that_is_said_again_in_other_words_has_one_begin_and_one_end() {
    let out = base64::engine::general_purpose::STANDARD.decode(OUT).unwrap();
    let back = |adjustment| {
        let mut back = out.clone();
        // `out_of_network_indicator` and `pts_adjustment`.
        (back[8], back[19]) = (adjustment, back[19] & 0x7f);
        back
    };
    let mut other = out.clone();
    other[8] = 7;
    let server = Server::new(ServiceOptions::default());
    let spec = Spec { name: "events", ..text(3) };
    let events = [
        header(std::slice::from_ref(&spec)).to_vec(),
        event(4 * SECOND, &[sample(7, 40_000_000, &out), sample(8, 40_000_000, &other)].concat()),
        event(
            8 * SECOND,
            &[sample(9, 20_000_000, &back(0)), sample(10, 20_000_000, &back(7))].concat(),
        ),
    ];
    server.push("events", events.concat());
    server.push_media(0..8);
    let playlist = server.text("video-3000000.m3u8");
    let dates = playlist.lines().filter(|line| line.starts_with("#EXT-X-DATERANGE"));
    let names = dates.map(|line| line.rsplit_once('=').unwrap().0.rsplit_once(',').unwrap().1);
    assert_eq!(names.collect::<Vec<_>>(), ["SCTE35-OUT", "SCTE35-IN", "SCTE35-CMD"], "{playlist}");
}

#[test]
fn fragments_point_to_those_of_sparse_streams_if_a_field_is_named() {
    let name = HeaderName::from_static("x-sparse");
    let options = ServiceOptions::default().sparse_pointers(Some(name));
    let server = Server::new(options);
    server.push_event(12, &[4, 5, 11]);
    let video = |time: i64| format!("QualityLevels(3000000)/Fragments(video={})", time * SECOND);
    let events = |time: i64| format!("QualityLevels(1000)/Fragments(captions={})", time * SECOND);
    for (path, expected) in [
        (video(0), None),
        (video(2), None),
        (video(4), Some("ChildTrack=\"captions=40000000\"")),
        (video(6), Some("ChildTrack=\"captions=50000000\"")),
        (video(10), Some("ChildTrack=\"captions=50000000\"")),
        (video(12), Some("ChildTrack=\"captions=110000000\"")),
        (video(20), Some("ChildTrack=\"captions=110000000\"")),
        // The chain back.
        (events(11), Some("ChildTrack=\"captions=50000000\"")),
        (events(5), Some("ChildTrack=\"captions=40000000\"")),
        (events(4), None),
        (video(12).replace("Fragments", "FragmentInfo"), Some("ChildTrack=\"captions=110000000\"")),
        (format!("QualityLevels(64000)/Fragments(audio={})", 12 * SECOND), None),
        (format!("video-3000000/{}.m4s", 12 * SECOND), None),
        ("Manifest".into(), None),
    ] {
        let (status, fields) = server.get(&path, None);
        let found = fields.get("x-sparse").map(|value| value.to_str().unwrap());
        assert_eq!((status, found), (200, expected), "{path}");
        let etag = fields["etag"].to_str().unwrap();
        let (status, again) = server.get(&path, Some(("if-none-match", etag)));
        assert_eq!((status, again.get("x-sparse")), (304, None), "{path}");
    }
    let plain = Server::new(ServiceOptions::default());
    let carried = ServiceOptions::default().sparse_pointers(Some(http::header::CONTENT_TYPE));
    let carried = Server::new(carried);
    for (server, expected) in
        [(plain, "video/mp4"), (carried, "video/mp4;ChildTrack=\"captions=40000000\"")]
    {
        server.push_event(12, &[4]);
        assert_eq!(server.get(&video(8), None).1["content-type"], expected);
    }
}
