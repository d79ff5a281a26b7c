//! Requests to the service: whatever the method, the path and the header fields, the response is
//! one by RFC 9110, and what it gives of a presentation or a file are the bytes that lie there.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::OnceLock;

use http::header::{ACCEPT_ENCODING, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body::Body;
use smooth_origin::base::Name;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::{
    Caching, Cors, OriginService, PassedFiles, ServiceBody, ServiceOptions,
};
use smooth_origin::storage::MemoryStore;

/// The files of the store, with a poster and files that are not for clients.
const FILES: &[(&str, &[u8])] = &[
    ("films/azure.ism", include_bytes!("../../testdata/dialects/azure/azure.ism")),
    ("films/azure.ismc", include_bytes!("../../testdata/dialects/azure/azure.ismc")),
    ("films/azure_60.mp4", include_bytes!("../../testdata/dialects/azure/azure_60.mp4")),
    ("films/azure_audio.mp4", include_bytes!("../../testdata/dialects/azure/azure_audio.mp4")),
    ("films/poster one.jpg", b"a picture of a poster, in a few more bytes than one"),
    ("films/.hidden", SECRET),
    ("films/spare.ismv", SECRET),
    ("empty.txt", b""),
];

const SECRET: &[u8] = b"for nobody";

/// Statuses that a request can be answered with over a store that never fails.
const STATUSES: &[u16] = &[200, 204, 206, 302, 304, 400, 403, 404, 405, 412, 415, 416];

/// Reads any text as a request: a line with method and target, then a header field a line.
pub fn http_requests(data: &[u8]) {
    let Some((method, uri, headers)) = parse(data) else { return };
    let response = respond(&method, &uri, &headers);
    let (status, fields) = (response.status().as_u16(), response.headers().clone());
    assert!(STATUSES.contains(&status), "{status} for {method} {uri}");
    let body = read(response);
    let field = |name: &str| fields.get(name).map(|value| value.to_str().unwrap().to_owned());

    let length: Option<usize> = field("content-length").map(|length| length.parse().unwrap());
    assert_eq!(length.is_none(), matches!(status, 204 | 304), "{status}");
    match method {
        Method::HEAD => assert!(body.is_empty()),
        _ => assert_eq!(body.len(), length.unwrap_or(0), "{method} {uri}"),
    }
    assert!(!body.windows(SECRET.len()).any(|window| window == SECRET), "{uri}");
    assert_eq!(
        status == 206,
        field("content-range").is_some_and(|r| !r.contains('*')) || is_many(&fields)
    );
    assert_eq!(status == 416, field("content-range").is_some_and(|range| range.contains('*')));
    if matches!(status, 200 | 206 | 304) {
        let etag = field("etag").expect("a validator");
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 3, "{etag}");
    }
    if matches!(status, 200 | 206) && method == Method::GET {
        let mut codings = HeaderMap::new();
        for value in headers.get_all(ACCEPT_ENCODING) {
            codings.append(ACCEPT_ENCODING, value.clone());
        }
        check_content(&uri, &body, &fields, codings);
    }
}

/// The same target without conditions and ranges gives the whole, of which this is a part.
fn check_content(uri: &Uri, body: &[u8], fields: &HeaderMap, codings: HeaderMap) {
    let whole = respond(&Method::GET, uri, &codings);
    assert_eq!(whole.status(), 200, "{uri}");
    for name in ["etag", "content-encoding", "vary"] {
        assert_eq!(whole.headers().get(name), fields.get(name), "{name}");
    }
    let whole = read(whole);
    if is_many(fields) {
        let text = fields["content-type"].to_str().unwrap();
        let boundary = text.split_once("boundary=").expect("a boundary").1;
        return check_parts(body, boundary, &whole);
    }
    match fields.get("content-range") {
        None => assert_eq!(body, whole),
        Some(range) => assert_eq!(body, of_range(range.to_str().unwrap(), &whole)),
    }
}

fn check_parts(mut body: &[u8], boundary: &str, whole: &[u8]) {
    let start = format!("\r\n--{boundary}\r\n");
    let mut parts = 0;
    while let Some(rest) = body.strip_prefix(start.as_bytes()) {
        let end = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head's end");
        let head = std::str::from_utf8(&rest[..end]).unwrap();
        let range = head.lines().find_map(|line| line.strip_prefix("Content-Range: ")).unwrap();
        let expected = of_range(range, whole);
        let content = &rest[end + 4..];
        assert_eq!(&content[..expected.len()], expected);
        body = &content[expected.len()..];
        parts += 1;
    }
    assert!(parts > 1 && body == format!("\r\n--{boundary}--\r\n").as_bytes());
}

/// `bytes first-last/total`.
fn of_range<'a>(range: &str, whole: &'a [u8]) -> &'a [u8] {
    let (range, total) = range.strip_prefix("bytes ").unwrap().split_once('/').unwrap();
    assert_eq!(total.parse::<usize>().unwrap(), whole.len());
    let (first, last) = range.split_once('-').unwrap();
    &whole[first.parse().unwrap()..=last.parse().unwrap()]
}

fn is_many(fields: &HeaderMap) -> bool {
    fields.get("content-type").is_some_and(|t| t.as_bytes().starts_with(b"multipart/byteranges;"))
}

fn parse(data: &[u8]) -> Option<(Method, Uri, HeaderMap)> {
    let mut lines = data.split(|&byte| byte == b'\n');
    let line = lines.next()?;
    let space = line.iter().position(|&byte| byte == b' ')?;
    let method = Method::from_bytes(&line[..space]).ok()?;
    let uri = Uri::try_from(&line[space + 1..]).ok()?;
    let mut headers = HeaderMap::new();
    for line in lines.take(32) {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
    Some((method, uri, headers))
}

fn respond(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response<ServiceBody> {
    static SERVICE: OnceLock<OriginService> = OnceLock::new();
    let mut request = Request::new(());
    *request.method_mut() = method.clone();
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers.clone();
    // Most requests have one; two are refused.
    request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("vod.example.com"));
    block_on(SERVICE.get_or_init(service).respond(&request))
}

fn service() -> OriginService {
    let store = MemoryStore::new();
    for (name, content) in FILES {
        store.put(Name::new(name).unwrap(), *content);
    }
    let options = ServiceOptions::default()
        .caching(Caching::default())
        .cors(Cors::origins(["https://*.example.com"]).expect("an origin").credentials(true))
        .cross_domain_policies(true)
        .files(PassedFiles::all());
    #[cfg(feature = "compression")]
    let options = options.compression(true);
    let service = OriginService::with_options(Origin::new(store), options);
    #[cfg(feature = "compression")]
    compress(&service);
    service
}

/// Has all forms of the manifest made: what requests are answered then depends on them alone.
#[cfg(feature = "compression")]
fn compress(service: &OriginService) {
    for coding in ["br", "gzip"] {
        let request = Request::get("/films/azure.ism/Manifest").header(HOST, "localhost");
        let request = request.header(ACCEPT_ENCODING, coding).body(()).unwrap();
        while block_on(service.respond(&request)).headers().get("content-encoding").is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

fn read(response: Response<ServiceBody>) -> Vec<u8> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = block_on(poll_fn(|context| Pin::new(&mut body).poll_frame(context))) {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    bytes
}
