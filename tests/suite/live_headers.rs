//! Pushes without a header go on after a restart of the server, if it has an archive.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use smooth_origin::Name;
use smooth_origin::live::PointOptions;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{LiveOptions, LivePoints, Origin, block_on};
use smooth_origin::service::{IngestService, Peer};
use smooth_origin::storage::{Archive, MemoryArchive, MemoryStore, RangeSource, Store};
use testkit::Hands;
use testkit::film::{self, Media, Style, Track};

use super::live_archive::{TICKS, fragments};

const CHUNKS: u32 = 6;

/// A body of one piece.
struct Whole(Option<Bytes>);

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// A server, of which another one takes the place.
struct Server {
    service: IngestService,
    origin: Origin,
}

impl Server {
    fn begin(archive: &MemoryArchive) -> Self {
        let options = LiveOptions::default().archive(archive.clone());
        let options = options.on_first_push(|_| Some(PointOptions::default().look_ahead(0)));
        let points = LivePoints::new(options);
        let builder = Origin::builder(MemoryStore::new()).clock(Hands::default().clock());
        let origin = builder.live(points.clone()).build();
        Self { service: IngestService::new(points), origin }
    }

    fn put(&self, path: &str, body: &[u8]) -> u16 {
        let request = Request::put(path).header("host", "x").header("content-length", body.len());
        let body = Whole(Some(Bytes::copy_from_slice(body)));
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Peer::new([127, 0, 0, 1].into()));
        block_on(self.service.respond(request)).status().as_u16()
    }
}

/// The header of a track of an encoder, and its fragments.
fn encoder(kind: StreamKind) -> (Vec<u8>, Vec<Vec<u8>>) {
    let track = Track::regular(1, kind, CHUNKS, TICKS, 200);
    let media: Media = film::media(&[track], Style { tfxd: true, mfra: false });
    let bytes = media.filled(7);
    let of = |range: &std::ops::Range<u64>| bytes[range.start as usize..range.end as usize].into();
    let header = of(&(0..media.fragments[0].2.start));
    (header, media.fragments.iter().map(|(.., range)| of(range)).collect())
}

/// Paths of the header of a track and of its segments.
type Paths = fn(usize, usize) -> (String, String);

/// Pushes one request per fragment, the headers to the first of the servers alone. `between` happens to the archive
/// when the server ends.
fn pushed(paths: Paths, between: impl Fn(&MemoryArchive)) -> (MemoryArchive, Vec<u16>) {
    let archive = MemoryArchive::new();
    let encoders = [StreamKind::Video, StreamKind::Audio].map(encoder);
    let mut server = Server::begin(&archive);
    for (track, (header, _)) in encoders.iter().enumerate() {
        assert_eq!(server.put(&paths(track, 0).0, header), 200);
    }
    let mut answers = Vec::new();
    for chunk in 0..CHUNKS as usize {
        if chunk == 3 || chunk == 5 {
            between(&archive);
            server = Server::begin(&archive);
        }
        for (track, (_, fragments)) in encoders.iter().enumerate() {
            answers.push(server.put(&paths(track, chunk).1, &fragments[chunk]));
        }
    }
    if answers.iter().all(|&status| status == 200) {
        let served = fragments(&server.origin, "news.isml");
        assert!(served.len() >= 2 * (CHUNKS as usize - 1), "{:?}", served.keys());
    }
    (archive, answers)
}

#[test]
fn pushes_without_a_header_go_on_after_a_restart() {
    let ways: [(&str, Paths); 5] = [
        ("ffmpeg -f dash", |track, chunk| {
            let (header, segment) = ("init-stream", "chunk-stream");
            let header = format!("/news.isml/{header}{track}.m4s");
            (header, format!("/news.isml/{segment}{track}-{:05}.m4s", chunk + 1))
        }),
        ("ffmpeg -f hls", |track, chunk| {
            let header = format!("/news.isml/init_{track}.mp4");
            (header, format!("/news.isml/s_{track}_{}.m4s", chunk + 2))
        }),
        ("a folder for each track", |track, chunk| {
            let header = format!("/news.isml/r{track}/init.mp4");
            (header, format!("/news.isml/r{track}/{chunk}.m4s"))
        }),
        ("Smooth Streaming", |track, _| {
            let path = format!("/news.isml/Streams(enc{track})");
            (path.clone(), path)
        }),
        ("an event with a name", |track, _| {
            let path = format!("/news.isml/Events(Finale)/Streams(enc{track})");
            (path.clone(), path)
        }),
    ];
    for (way, paths) in ways {
        let (_, answers) = pushed(paths, |_| ());
        assert!(answers.iter().all(|&status| status == 200), "{way}: {answers:?}");
    }
}

#[test]
fn an_encoder_may_end_its_streams_by_a_manifest_after_a_restart() {
    let archive = MemoryArchive::new();
    let (header, fragments) = encoder(StreamKind::Video);
    let manifest = |kind: &str| format!("<MPD type=\"{kind}\"><Period/></MPD>");
    let server = Server::begin(&archive);
    assert_eq!(server.put("/news.isml/v/init.mp4", &header), 200);
    assert_eq!(server.put("/news.isml/v/1.m4s", &fragments[0]), 200);
    let server = Server::begin(&archive);
    assert_eq!(server.put("/news.isml/v/2.m4s", &fragments[1]), 200);
    for kind in ["dynamic", "static"] {
        assert_eq!(server.put("/news.isml/manifest.mpd", manifest(kind).as_bytes()), 200);
    }
    assert_eq!(server.put("/news.isml/v/3.m4s", &fragments[2]), 503, "the event has ended");
}

#[test]
fn without_the_record_of_a_header_its_encoder_is_told_to_send_it() {
    // A journal of an earlier version: the records of headers are of a kind that it does not have.
    let forget = |archive: &MemoryArchive| {
        let name = Name::new("news.journal").unwrap();
        let source = block_on(archive.store().open(&name)).unwrap();
        let size = block_on(source.stat()).unwrap().size;
        let bytes = block_on(source.read(0..size)).unwrap();
        block_on(archive.put(&name, without_headers(&bytes))).unwrap();
    };
    let path: Paths = |track, _| {
        let path = format!("/news.isml/Streams(enc{track})");
        (path.clone(), path)
    };
    let (archive, answers) = pushed(path, forget);
    let (known, unknown) = answers.split_at(6);
    assert!(known.iter().all(|&status| status == 200), "{known:?}");
    assert!(unknown.iter().all(|&status| status == 412), "{unknown:?}");
    // The event goes on with its header.
    let (header, fragments) = encoder(StreamKind::Video);
    let server = Server::begin(&archive);
    let body = [&header[..], &fragments[3]].concat();
    assert_eq!(server.put("/news.isml/Streams(enc0)", &body), 200);
}

/// A journal without the records of headers.
fn without_headers(journal: &Bytes) -> Bytes {
    let (mut records, mut at) = (Vec::new(), 8);
    while let Some(head) = journal.get(at..at + 12) {
        let len = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        let record = &journal[at + 12..at + 12 + len];
        if record[0] != 17 {
            records.push(record);
        }
        at += 12 + len;
    }
    smooth_origin::live::journal::journal_of(&records)
}
