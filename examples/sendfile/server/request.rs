//! The head of a request, by RFC 9112.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use httparse::{ParserConfig, Status};

/// A request has no more fields than these.
const MAX_FIELDS: usize = 100;

/// What a head says of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framing {
    /// Bytes of the head.
    pub(super) head: usize,
    /// Bytes of a body, to be passed over; `None` where its end is not looked for.
    pub(super) body: Option<u64>,
    /// The client will have another response on this connection.
    pub(super) keep_alive: bool,
}

/// Takes the first request of `input` if all of its head is there.
///
/// What is not framed beyond doubt is refused: nobody shall see another request in it than a proxy
/// in front.
pub(super) fn parse(
    input: &[u8],
    request: &mut Request<()>,
) -> Result<Option<Framing>, StatusCode> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut []);
    let config = ParserConfig::default();
    let head = match config.parse_request_with_uninit_headers(&mut parsed, input, &mut fields) {
        Ok(Status::Complete(head)) => head,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        Err(_) => return Err(StatusCode::BAD_REQUEST),
    };
    let bytes = Bytes::copy_from_slice(&input[..head]);
    let shared = |part: &[u8]| match part {
        [] => Bytes::new(),
        // Both are copies of one text: a part lies in one where it lies in the other.
        _ => {
            let start = part.as_ptr() as usize - input.as_ptr() as usize;
            bytes.slice(start..start + part.len())
        }
    };
    let (method, path) = (parsed.method.unwrap_or(""), parsed.path.unwrap_or(""));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(bad)?;
    *request.uri_mut() = Uri::from_maybe_shared(shared(path.as_bytes())).map_err(bad)?;
    *request.version_mut() =
        if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    request.headers_mut().reserve(parsed.headers.len());
    let mut told = Told::default();
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(bad)?;
        told.note(&name, field.value)?;
        let value = HeaderValue::from_maybe_shared(shared(field.value)).map_err(bad)?;
        request.headers_mut().append(name, value);
    }
    told.framing(head, request.version() == Version::HTTP_10).map(Some)
}

/// What the fields of a head say of the connection and of a body.
#[derive(Default)]
struct Told {
    has_host: bool,
    length: Option<u64>,
    is_chunked: bool,
    expects: bool,
    closes: bool,
    keeps: bool,
}

impl Told {
    /// Takes note of a field. What may stand once alone is refused the second time.
    fn note(&mut self, name: &HeaderName, value: &[u8]) -> Result<(), StatusCode> {
        if *name == HOST {
            let is_new = !std::mem::replace(&mut self.has_host, true);
            // RFC 9112, 3.2: one field, with nothing in it that no authority has.
            return allow(is_new && value.iter().all(|&byte| IN_AUTHORITY[usize::from(byte)]));
        } else if *name == CONNECTION {
            for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                self.closes |= option.eq_ignore_ascii_case(b"close");
                self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        } else if *name == CONTENT_LENGTH {
            return allow(self.length.replace(number(value)?).is_none());
        } else if *name == TRANSFER_ENCODING {
            let is_new = !std::mem::replace(&mut self.is_chunked, true);
            return allow(is_new && value.eq_ignore_ascii_case(b"chunked"));
        } else if *name == EXPECT {
            self.expects = true;
        }
        Ok(())
    }

    fn framing(self, head: usize, is_old: bool) -> Result<Framing, StatusCode> {
        allow(self.has_host || is_old)?;
        let body = match (self.length, self.is_chunked) {
            (Some(_), true) => return Err(StatusCode::BAD_REQUEST),
            (None, true) if is_old => return Err(StatusCode::BAD_REQUEST),
            (None, true) => None,
            // Who expects to be asked for a body may send none.
            (Some(_), false) if self.expects => None,
            (length, false) => Some(length.unwrap_or(0)),
        };
        let keep_alive = !self.closes && (!is_old || self.keeps) && body.is_some();
        Ok(Framing { head, body, keep_alive })
    }
}

fn allow(is_good: bool) -> Result<(), StatusCode> {
    if is_good { Ok(()) } else { Err(StatusCode::BAD_REQUEST) }
}

/// Digits alone.
fn number(value: &[u8]) -> Result<u64, StatusCode> {
    allow(value.iter().all(u8::is_ascii_digit))?;
    std::str::from_utf8(value).map_err(bad)?.parse().map_err(bad)
}

/// What an authority is made of (RFC 3986, 3.2).
const IN_AUTHORITY: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        allowed[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"-._~:[]%!$&'()*+,;=";
    let mut at = 0;
    while at < others.len() {
        allowed[others[at] as usize] = true;
        at += 1;
    }
    allowed
};

fn bad<E>(_: E) -> StatusCode {
    StatusCode::BAD_REQUEST
}
