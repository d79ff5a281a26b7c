//! An output with several texts, initialization segments and segments with a written head.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use http_body::Body as _;

use super::*;
use crate::base::Name;
use crate::origin::{Origin, block_on};
use crate::presentation::{
    Liveness, MediaType, OpenOptions, Representation, RepresentationId, StoredRange, Tag,
    TextBudget,
};
use crate::service::{Cors, ServiceOptions};
use crate::storage::MemoryStore;

const FILM: &str = "films/ffmpeg.ism";
const MEDIA: &[u8] = include_bytes!("../../../testdata/dialects/ffmpeg/ffmpeg.ismv");

/// Beginning and end of the stored part of the segment.
const STORED: std::ops::Range<u64> = 1000..9000;

/// A representation of an output that is not there yet.
#[derive(Clone, Copy)]
enum Fake {
    Mpd,
    Playlist(u32),
    Init,
    Segment,
}

impl Fake {
    fn id(self) -> RepresentationId {
        let (tag, track) = match self {
            Self::Mpd => (Tag::new(*b"mp"), 0),
            Self::Playlist(track) => (Tag::new(*b"pl"), track),
            Self::Init => (Tag::new(*b"in"), 1),
            Self::Segment => (Tag::new(*b"sg"), 1),
        };
        RepresentationId { tag, revision: 1, track, start: 0 }
    }

    /// The bytes that are made, without those that are stored.
    fn made(self) -> Bytes {
        match self {
            Self::Mpd => format!("<MPD>{}</MPD>", "<S d=\"20000000\"/>".repeat(400)).into(),
            Self::Playlist(track) => {
                format!("#EXTM3U {track}\n{}", "#EXTINF:2,\n".repeat(200)).into()
            }
            Self::Init => Bytes::from_static(b"ftyp and moov"),
            Self::Segment => Bytes::from_static(b"a written moof"),
        }
    }

    fn body(self) -> Vec<u8> {
        let mut body = self.made().to_vec();
        if let Self::Segment = self {
            body.extend(&MEDIA[STORED.start as usize..STORED.end as usize]);
        }
        body
    }

    fn reply(self, opened: &Opened) -> Reply {
        let presentation = opened.presentation();
        let validator = presentation.validator().of_output(self.id());
        let kept = || presentation.kept(self.id(), || Ok(self.made())).unwrap();
        match self {
            Self::Mpd => Reply::of_bytes(Representation::text(MediaType::Mpd, validator), kept()),
            Self::Playlist(_) => {
                Reply::of_bytes(Representation::text(MediaType::Playlist, validator), kept())
            }
            Self::Init => {
                Reply::of_bytes(Representation::init(MediaType::VideoMp4, validator), kept())
            }
            Self::Segment => {
                let file = presentation.streams()[0].tracks()[0].source().unwrap().0;
                let stored = StoredRange::new(file, STORED, &Bytes::new(), 0);
                let representation = Representation::media(MediaType::VideoMp4, validator);
                Reply::of_parts(representation, self.made(), [crate::presentation::Piece::Stored(stored)].into_iter())
            }
        }
    }
}

struct Host {
    service: OriginService,
    opened: Arc<Opened>,
}

impl Host {
    /// A service with every policy, which keeps this many bytes of texts.
    fn new(text_bytes: usize) -> Self {
        Self::with_budget(TextBudget::new(text_bytes))
    }

    fn with_budget(budget: TextBudget) -> Self {
        let store = MemoryStore::new();
        let name = |file: &str| Name::new(&format!("films/{file}")).unwrap();
        store.put(name("ffmpeg.ismv"), MEDIA);
        let server = include_bytes!("../../../testdata/dialects/ffmpeg/ffmpeg.ism");
        store.put(name("ffmpeg.ism"), &server[..]);
        let client = include_bytes!("../../../testdata/dialects/ffmpeg/ffmpeg.ismc");
        store.put(name("ffmpeg.ismc"), &client[..]);
        let options = OpenOptions::default().text_budget(budget);
        let origin = Origin::builder(store).open_options(options).offload(|work| work()).build();
        let opened = block_on(origin.open(&name("ffmpeg.ism"))).unwrap();
        let options = ServiceOptions::default().cors(Cors::any()).text_xml(true);
        #[cfg(feature = "compression")]
        let options = options.compression(true);
        Self { service: OriginService::with_options(origin, options), opened }
    }

    fn respond(&self, method: &str, reply: Reply, fields: &[(&str, &str)]) -> Response<Vec<u8>> {
        let mut request = Request::builder().method(method).uri("/x").header("host", "a");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        let head = Head::read(request.version(), request.uri(), request.headers()).unwrap();
        let is_head = method == "HEAD";
        let (uri, headers) = (request.uri(), request.headers());
        let asked = Asked { is_head, uri, path: uri.path(), headers, head };
        let mut response = Response::new(ServiceBody::empty());
        self.service.respond_now(Arc::clone(&self.opened), reply, &asked, &mut response);
        let (head, mut body) = response.into_parts();
        let mut bytes = Vec::new();
        while let Some(frame) =
            block_on(std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)))
        {
            bytes.extend(frame.unwrap().into_data().unwrap());
        }
        Response::from_parts(head, bytes)
    }

    fn get(&self, fake: Fake, fields: &[(&str, &str)]) -> Response<Vec<u8>> {
        self.respond("GET", fake.reply(&self.opened), fields)
    }

    fn etag(&self, fake: Fake) -> String {
        format!("\"{}\"", fake.reply(&self.opened).validator())
    }

    /// A response of the service to a request of Smooth Streaming.
    fn smooth(&self, path: &str, accepted: &str) -> http::response::Parts {
        let uri = format!("/{FILM}/{path}");
        let request = Request::get(uri).header("host", "a").header("accept-encoding", accepted);
        block_on(self.service.respond(&request.body(()).unwrap())).into_parts().0
    }
}

/// The fields of a response, with the ETag and the length apart.
fn policies(headers: &HeaderMap) -> HeaderMap {
    let mut policies = headers.clone();
    policies.remove(ETAG);
    policies.remove(CONTENT_LENGTH);
    policies
}

#[test]
fn segments_and_initialization_segments_have_the_header_fields_of_fragments() {
    let host = Host::new(1 << 20);
    let chunk = host.opened.presentation().streams()[0].timeline().iter().next().unwrap();
    let bitrate = host.opened.presentation().streams()[0].tracks()[0].bitrate();
    let fragment = format!("QualityLevels({bitrate})/Fragments(video={})", chunk.0);
    let fragment = host.smooth(&fragment, "br");
    assert_eq!(fragment.status, 200);
    for fake in [Fake::Segment, Fake::Init] {
        for _ in 0..2 {
            let response = host.get(fake, &[("accept-encoding", "br, gzip")]);
            assert_eq!(response.status(), 200);
            assert_eq!(*response.body(), fake.body());
            let headers = response.headers();
            assert_eq!(headers[ETAG], host.etag(fake));
            assert_eq!(headers[CONTENT_LENGTH], fake.body().len().to_string());
            assert_eq!(headers["surrogate-key"], FILM);
            assert_eq!(policies(headers), policies(&fragment.headers));
            let head = host.respond("HEAD", fake.reply(&host.opened), &[]);
            assert_eq!((head.headers(), head.body().len()), (headers, 0));
        }
    }
}

#[test]
fn a_range_may_cross_from_the_written_head_into_the_stored_part() {
    let host = Host::new(1 << 20);
    let (body, etag) = (Fake::Segment.body(), host.etag(Fake::Segment));
    let total = body.len();
    for (range, bytes) in
        [("10-20", 10..21), ("0-3", 0..4), ("14-14", 14..15), ("-5", total - 5..total)]
    {
        let fields = [("range", &*format!("bytes={range}")), ("if-range", &etag)];
        let response = host.get(Fake::Segment, &fields);
        assert_eq!(response.status(), 206, "{range}");
        let field = format!("bytes {}-{}/{total}", bytes.start, bytes.end - 1);
        assert_eq!(response.headers()[CONTENT_RANGE], field);
        assert_eq!(*response.body(), body[bytes], "{range}");
    }
    let other = host.get(Fake::Segment, &[("range", "bytes=0-3"), ("if-range", "\"x\"")]);
    assert_eq!((other.status(), other.body()), (StatusCode::OK, &body));
    let parts = host.get(Fake::Segment, &[("range", "bytes=0-3,200-203")]);
    assert_eq!(parts.status(), 206);
    assert!(parts.body().windows(4).any(|bytes| *bytes == body[200..204]));
    let none = host.get(Fake::Segment, &[("range", "bytes=99999-")]);
    assert_eq!(none.status(), 416);
}

#[test]
fn conditions_hold_for_every_class() {
    let host = Host::new(1 << 20);
    for fake in [Fake::Mpd, Fake::Playlist(7), Fake::Init, Fake::Segment] {
        let whole = host.get(fake, &[]);
        let etag = host.etag(fake);
        assert_eq!(whole.headers()[ETAG], etag);
        for field in [&*etag, &format!("\"x\", W/{etag}"), "*"] {
            let response = host.get(fake, &[("if-none-match", field)]);
            assert_eq!((response.status(), response.body().len()), (StatusCode::NOT_MODIFIED, 0));
            for name in [ETAG, CACHE_CONTROL, http::HeaderName::from_static("surrogate-key")] {
                assert_eq!(response.headers()[&name], whole.headers()[&name], "{name}");
            }
        }
        assert_eq!(host.get(fake, &[("if-none-match", "\"x\"")]).body(), whole.body());
        assert_eq!(host.get(fake, &[("if-match", &etag)]).body(), whole.body());
        assert_eq!(host.get(fake, &[("if-match", "\"x\"")]).status(), 412);
    }
}

#[test]
fn texts_have_the_policies_of_manifests_and_media_types_of_their_own() {
    let host = Host::new(1 << 20);
    let manifest = policies(&host.smooth("Manifest", "identity").headers);
    // The name that IIS had for manifests is for those of Smooth Streaming alone.
    assert_eq!(manifest[CONTENT_TYPE], "text/xml");
    for (fake, media_type) in
        [(Fake::Mpd, "application/dash+xml"), (Fake::Playlist(1), "application/vnd.apple.mpegurl")]
    {
        let response = host.get(fake, &[]);
        assert_eq!(*response.body(), fake.body());
        let mut expected = manifest.clone();
        expected.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        assert_eq!(policies(response.headers()), expected);
        let head = host.respond("HEAD", fake.reply(&host.opened), &[]);
        assert_eq!((head.headers(), head.body().len()), (response.headers(), 0));
        let part = host.get(fake, &[("range", "bytes=3-6")]);
        assert_eq!(
            (part.status(), &**part.body()),
            (StatusCode::PARTIAL_CONTENT, &fake.body()[3..7])
        );
    }
}

#[test]
fn liveness_is_that_of_the_class() {
    let host = Host::new(1 << 20);
    let validator = host.opened.presentation().validator().of_output(Fake::Mpd.id());
    let control = |representation: Representation, liveness| {
        let representation = representation.with_liveness(liveness);
        let reply = Reply::of_bytes(representation, Bytes::from_static(b"x"));
        // Header fields are kept for the life of a presentation, which is live or is not.
        let response = Host::new(1 << 20).respond("GET", reply, &[]);
        response.headers()[CACHE_CONTROL].to_str().unwrap().to_owned()
    };
    let text = Representation::text(MediaType::Mpd, validator);
    let init = Representation::init(MediaType::AudioMp4, validator);
    let media = Representation::media(MediaType::WebVtt, validator);
    assert_eq!(control(text, Liveness::Live), "max-age=1");
    assert_eq!(control(init, Liveness::Live), control(media, Liveness::Live));
    assert_eq!(control(media, Liveness::Ahead), "max-age=1");
    assert_ne!(control(media, Liveness::Live), control(media, Liveness::Final));
}

#[cfg(feature = "compression")]
mod compressed {
    use super::*;
    use crate::service::compression::decompress;
    use http::header::{CONTENT_ENCODING, VARY};

    fn coding(headers: &HeaderMap) -> Option<&str> {
        headers.get(CONTENT_ENCODING).map(|coding| coding.to_str().unwrap())
    }

    fn plain(response: &Response<Vec<u8>>) -> Vec<u8> {
        match coding(response.headers()) {
            None => response.body().clone(),
            Some(coding) => decompress(coding, response.body()),
        }
    }

    #[test]
    fn each_of_hundreds_of_texts_has_forms_and_header_fields_of_its_own() {
        let host = Host::new(8 << 20);
        for _ in 0..2 {
            let playlists = (0..300).map(Fake::Playlist);
            for fake in playlists.chain([Fake::Mpd]) {
                for accepted in ["br", "gzip", "identity"] {
                    let response = host.get(fake, &[("accept-encoding", accepted)]);
                    let headers = response.headers();
                    assert_eq!(coding(headers).unwrap_or("identity"), accepted);
                    assert_eq!(plain(&response), fake.body());
                    let etag = match coding(headers) {
                        Some(coding) => host.etag(fake).replace("-0\"", &format!("-0-{coding}\"")),
                        None => host.etag(fake),
                    };
                    assert_eq!(headers[ETAG], etag);
                    assert_eq!(headers[CONTENT_LENGTH], response.body().len().to_string());
                    assert_eq!(headers[VARY], "accept-encoding");
                }
            }
        }
        let (manifest, other) =
            (host.smooth("Manifest", "br"), host.smooth("Manifest", "identity"));
        assert_eq!((coding(&manifest.headers), coding(&other.headers)), (Some("br"), None));
    }

    #[test]
    fn texts_beyond_the_budget_are_sent_plain() {
        for (room, least, most) in [(0, 0, 0), (64 << 10, 5, 40)] {
            let host = Host::new(room);
            let mut count = 0;
            for fake in (0..100).map(Fake::Playlist) {
                let response = host.get(fake, &[("accept-encoding", "gzip")]);
                assert_eq!(plain(&response), fake.body());
                assert_eq!(response.headers()[CONTENT_TYPE], "application/vnd.apple.mpegurl");
                assert_eq!(response.headers()["surrogate-key"], FILM);
                let is_compressed = coding(response.headers()).is_some();
                count += usize::from(is_compressed);
                let again = host.get(fake, &[("accept-encoding", "gzip")]);
                assert_eq!(again.headers(), response.headers());
            }
            assert!((least..=most).contains(&count), "{room}: {count}");
            // There always is room for the manifest of Smooth Streaming.
            assert_eq!(coding(&host.smooth("Manifest", "gzip").headers), Some("gzip"));
        }
    }

    #[test]
    fn presentations_share_the_memory_for_texts() {
        let budget = TextBudget::new(64 << 10);
        let count = |host: &Host| {
            let fakes = (0..100).map(Fake::Playlist);
            let compressed = fakes.filter(|fake| {
                let response = host.get(*fake, &[("accept-encoding", "gzip")]);
                coding(response.headers()).is_some()
            });
            compressed.count()
        };
        let one = Host::with_budget(budget.clone());
        assert!(count(&one) > 0);
        assert_eq!(count(&Host::with_budget(budget.clone())), 0, "the other has used it up");
        drop(one);
        assert!(count(&Host::with_budget(budget)) > 0, "it was given back");
    }
}
