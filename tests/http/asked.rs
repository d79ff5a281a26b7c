//! Requests of a client, and the rules that every response must follow.

use std::future::poll_fn;
use std::pin::Pin;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use smooth_origin::origin::block_on;
use smooth_origin::service::{OriginService, ServiceBody};

/// A response with all of its body.
#[derive(Clone, Debug)]
pub struct Asked {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Asked {
    /// All lines of a field as one value; empty if there is none.
    pub fn header(&self, name: &str) -> String {
        let lines = self.headers.get_all(name).iter().map(|value| value.to_str().unwrap());
        lines.collect::<Vec<_>>().join(", ")
    }

    /// The sentence of a failure; empty if there is none.
    pub fn detail(&self) -> String {
        let text = String::from_utf8(self.body.clone()).unwrap();
        let detail = text.split_once("\"detail\":\"").map(|(_, detail)| json_string(detail).0);
        detail.unwrap_or_default()
    }

    /// The word of a failure.
    pub fn code(&self) -> String {
        let text = String::from_utf8(self.body.clone()).unwrap();
        let (_, code) = text.split_once("\"code\":\"").unwrap_or_default();
        code.split('"').next().unwrap_or_default().to_owned()
    }
}

/// A request of HTTP/1.1; fields are `("name", "value")`, sent byte for byte. Without a `Host` among
/// them, it has one.
pub fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri(target).body(()).unwrap();
    for (name, value) in fields {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let host = HeaderValue::from_static("vod.example.com");
    request.headers_mut().entry("host").or_insert(host);
    request
}

/// Sends a request, and checks the rules for all responses.
pub fn ask(service: &OriginService, method: &str, target: &str, fields: &[(&str, &str)]) -> Asked {
    let response = block_on(service.respond(&request(method, target, fields)));
    let (asked, whole) = collect(response);
    let line = format!("{method} {target} {fields:?}");
    assert!(whole, "{line}: the body was cut off");
    check(&line, method, &asked);
    asked
}

/// GET without fields.
pub fn get(service: &OriginService, target: &str) -> Asked {
    ask(service, "GET", target, &[])
}

/// Reads a body to its end, or to its error.
pub fn collect(response: Response<ServiceBody>) -> (Asked, bool) {
    let (head, mut content) = response.into_parts();
    let (mut body, mut whole) = (Vec::new(), true);
    loop {
        match block_on(poll_fn(|context| Pin::new(&mut content).poll_frame(context))) {
            Some(Ok(frame)) => body.extend_from_slice(&frame.into_data().unwrap()),
            Some(Err(_)) => whole = false,
            None => break,
        }
    }
    (Asked { status: head.status.as_u16(), headers: head.headers, body }, whole)
}

fn check(line: &str, method: &str, asked: &Asked) {
    let header = |name: &str| asked.header(name);
    let line = format!("{line}: {} {:?}", asked.status, asked.headers);
    match asked.status {
        // RFC 9110, 8.6: never on 204; a 304 would have to tell that of the 200.
        204 | 304 => {
            assert_eq!((header("content-length"), asked.body.len()), (String::new(), 0), "{line}");
        }
        _ if method == "HEAD" => {
            assert!(header("content-length").parse::<u64>().is_ok(), "{line}");
            assert_eq!(asked.body.len(), 0, "{line}");
        }
        _ => assert_eq!(header("content-length"), asked.body.len().to_string(), "{line}"),
    }
    // nginx before 1.23 reads the last line alone.
    assert!(asked.headers.get_all("vary").iter().count() <= 1, "{line}");
    let etag = header("etag");
    match asked.status {
        200 | 206 => {
            assert_eq!(header("accept-ranges"), "bytes", "{line}");
            assert!(!header("content-type").is_empty(), "{line}");
            let opaque = etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"'));
            assert!(opaque.is_some_and(|tag| !tag.contains('"')), "a strong tag: {line}");
        }
        // RFC 9110, 15.4.5.
        304 => assert!(!etag.is_empty(), "{line}"),
        302 | 307 => assert!(!header("location").is_empty(), "{line}"),
        204 | 405 => assert_eq!(header("allow"), "GET, HEAD, OPTIONS", "{line}"),
        // RFC 9110, 15.5.17.
        416 => assert!(header("content-range").starts_with("bytes */"), "{line}"),
        503 => assert!(header("retry-after").parse::<u32>().is_ok(), "{line}"),
        _ => assert!([400, 403, 404, 412, 415, 500].contains(&asked.status), "{line}"),
    }
    // RFC 9110, 14.4 and 15.3.7.2: one of several ranges is told in its part alone.
    let is_multipart = header("content-type").starts_with("multipart/byteranges");
    let has_range = !header("content-range").is_empty();
    let expected = asked.status == 416 || asked.status == 206 && !is_multipart;
    assert_eq!(has_range, expected, "{line}");
    if asked.status >= 400 && method != "HEAD" {
        check_problem(&line, asked);
    }
}

/// An object of two or three members, without the name of any file.
fn check_problem(line: &str, asked: &Asked) {
    let text = std::str::from_utf8(&asked.body).unwrap();
    let line = format!("{line}: {text}");
    assert_eq!(asked.header("content-type"), "application/problem+json", "{line}");
    let rest = text.strip_prefix(&format!("{{\"status\":{},\"code\":\"", asked.status)).unwrap();
    let (code, rest) = rest.split_once('"').unwrap();
    assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{line}");
    let rest = match rest.strip_prefix(",\"detail\":\"") {
        Some(detail) => {
            let (detail, rest) = json_string(detail);
            assert!((1..=300).contains(&detail.chars().count()), "{line}");
            for name in [".ism", ".mp4", "film", "poster", "secret"] {
                assert!(!detail.contains(name), "{line}");
            }
            rest
        }
        None => rest,
    };
    assert_eq!(rest, "}\n", "{line}");
}

/// Reads a JSON string behind its opening quote, and gives what follows it (RFC 8259, 7).
pub fn json_string(text: &str) -> (String, &str) {
    let (mut value, mut characters) = (String::new(), text.chars());
    loop {
        value.push(match characters.next().expect("a closing quote") {
            '"' => return (value, characters.as_str()),
            '\\' => match characters.next().unwrap() {
                'u' => {
                    let digits: String = characters.by_ref().take(4).collect();
                    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap()
                }
                itself @ ('"' | '\\' | '/') => itself,
                other => panic!("`\\{other}` is not written here"),
            },
            character => {
                assert!(character >= ' ', "an unescaped control character in {text:?}");
                character
            }
        });
    }
}
