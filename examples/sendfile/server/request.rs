//! The head of a request, by RFC 9112.

use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::BytesMut;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use httparse::{ParserConfig, Status};

/// A request has no more fields than these.
const MAX_FIELDS: usize = 100;

/// What a head says of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framing {
    /// Bytes of a body, to be passed over; `None` where its end is not looked for.
    pub(super) body: Option<u64>,
    /// The client will have another response on this connection.
    pub(super) keep_alive: bool,
}

/// Reads heads, one after the other.
#[derive(Default)]
pub(super) struct Parser {
    /// Names, and where their values stand: here between heads for their memory alone.
    fields: Vec<(HeaderName, Range<usize>)>,
}

impl Parser {
    /// Takes the first request out of `input` if all of its head is there.
    ///
    /// What is not framed beyond doubt is refused: nobody shall see another request in it than a
    /// proxy in front.
    pub(super) fn parse(
        &mut self,
        input: &mut BytesMut,
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
        let method = parsed.method.unwrap_or("");
        *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(bad)?;
        *request.version_mut() =
            if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
        let path = place(parsed.path.unwrap_or("").as_bytes(), input);
        let mut told = Told::default();
        self.fields.clear();
        for field in parsed.headers.iter() {
            let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(bad)?;
            told.note(&name, field.value)?;
            self.fields.push((name, place(field.value, input)));
        }
        // What is kept of the head is not copied: it is parts of the input that was read.
        let head = input.split_to(head).freeze();
        *request.uri_mut() = Uri::from_maybe_shared(head.slice(path)).map_err(bad)?;
        request.headers_mut().reserve(self.fields.len());
        for (name, place) in self.fields.drain(..) {
            let value = HeaderValue::from_maybe_shared(head.slice(place)).map_err(bad)?;
            request.headers_mut().append(name, value);
        }
        told.framing(request.version() == Version::HTTP_10).map(Some)
    }
}

/// Where a part of the input stands in it.
fn place(part: &[u8], input: &[u8]) -> Range<usize> {
    match part {
        [] => 0..0,
        _ => {
            let start = part.as_ptr() as usize - input.as_ptr() as usize;
            start..start + part.len()
        }
    }
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

    fn framing(self, is_old: bool) -> Result<Framing, StatusCode> {
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
        Ok(Framing { body, keep_alive })
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
