//! The head of a request, by RFC 9112.

use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::{Buf, BytesMut};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use httparse::{ParserConfig, Status};

/// A request has no more fields than these.
const MAX_FIELDS: usize = 100;

/// The head of a request, which is still in the input.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) framing: Framing,
    pub(super) version: Version,
    /// Set if the request is a GET that [`OriginService::respond_plain`] may answer.
    ///
    /// [`OriginService::respond_plain`]: smooth_origin::service::OriginService::respond_plain
    pub(super) plain: Option<Plain>,
    length: usize,
    method: Range<usize>,
    target: Range<usize>,
}

/// The places in the input of the parts of a plain GET.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) path: Range<usize>,
    /// The value of the field `Accept-Encoding`; empty if there is none.
    pub(super) accept_encoding: Range<usize>,
}

/// The statements of a head about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framing {
    /// Bytes of a body, to be passed over; `None` if its end is not looked for.
    pub(super) body: Option<u64>,
    /// The client will have another response on this connection.
    pub(super) keep_alive: bool,
}

/// Reads heads, one after the other.
#[derive(Default)]
pub(super) struct Parser {
    /// The places of names and values in the head that was read last.
    fields: Vec<(Range<usize>, Range<usize>)>,
}

impl Parser {
    /// Reads the first head of `input` if all of it is there.
    ///
    /// A head that is not framed beyond doubt is refused: nobody shall see another request in it than
    /// a proxy in front.
    pub(super) fn parse(&mut self, input: &[u8]) -> Result<Option<Head>, StatusCode> {
        let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut parsed = httparse::Request::new(&mut []);
        let config = ParserConfig::default();
        let length = match config.parse_request_with_uninit_headers(&mut parsed, input, &mut fields)
        {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
            }
            Err(_) => return Err(StatusCode::BAD_REQUEST),
        };
        let mut told = Told::default();
        self.fields.clear();
        for field in parsed.headers.iter() {
            let value = place(field.value, input);
            told.note(field.name, field.value, &value)?;
            self.fields.push((place(field.name.as_bytes(), input), value));
        }
        let is_old = parsed.version == Some(0);
        let (method, target) = (parsed.method.unwrap_or(""), parsed.path.unwrap_or(""));
        let framing = told.framing(is_old)?;
        let is_plain = method == "GET" && !told.is_not_plain && is_plain(target.as_bytes());
        let target = place(target.as_bytes(), input);
        let plain = is_plain.then(|| Plain {
            path: target.clone(),
            accept_encoding: told.accept_encoding.unwrap_or(0..0),
        });
        let version = if is_old { Version::HTTP_10 } else { Version::HTTP_11 };
        let method = place(method.as_bytes(), input);
        Ok(Some(Head { framing, version, plain, length, method, target }))
    }

    /// Takes the request whose head was read last out of the input.
    pub(super) fn take(
        &mut self,
        head: Head,
        input: &mut BytesMut,
        request: &mut Request<()>,
    ) -> Result<(), StatusCode> {
        // What is kept of the head is not copied: it is parts of the input that was read.
        let text = input.split_to(head.length).freeze();
        *request.method_mut() = Method::from_bytes(&text[head.method]).map_err(bad)?;
        *request.version_mut() = head.version;
        *request.uri_mut() = Uri::from_maybe_shared(text.slice(head.target)).map_err(bad)?;
        request.headers_mut().reserve(self.fields.len());
        for (name, value) in self.fields.drain(..) {
            let name = HeaderName::from_bytes(&text[name]).map_err(bad)?;
            let value = HeaderValue::from_maybe_shared(text.slice(value)).map_err(bad)?;
            request.headers_mut().append(name, value);
        }
        Ok(())
    }
}

impl Head {
    /// Takes the head out of the input, whose memory can be used again.
    pub(super) fn skip(&self, input: &mut BytesMut) {
        if input.len() == self.length {
            input.clear();
        } else {
            input.advance(self.length);
        }
    }
}

/// The place in the input of a part of it.
fn place(part: &[u8], input: &[u8]) -> Range<usize> {
    match part {
        [] => 0..0,
        _ => {
            let start = part.as_ptr() as usize - input.as_ptr() as usize;
            start..start + part.len()
        }
    }
}

/// The statements of the fields of a head: about the connection, a body, and the response that the
/// client wants.
#[derive(Default)]
struct Told {
    has_host: bool,
    length: Option<u64>,
    is_chunked: bool,
    expects: bool,
    closes: bool,
    keeps: bool,
    accept_encoding: Option<Range<usize>>,
    is_not_plain: bool,
}

impl Told {
    /// Takes note of a field. A second field of a name that may stand once is refused.
    #[inline]
    fn note(&mut self, name: &str, value: &[u8], place: &Range<usize>) -> Result<(), StatusCode> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        // Most names are told apart by their length.
        match name.len() {
            4 if is("host") => {
                let is_new = !std::mem::replace(&mut self.has_host, true);
                // RFC 9112, 3.2: one field, with nothing in it that no authority has.
                return allow(is_new && value.iter().all(|&byte| IN_AUTHORITY[usize::from(byte)]));
            }
            5 if is("range") => self.is_not_plain = true,
            6 if is("expect") => (self.expects, self.is_not_plain) = (true, true),
            10 if is("connection") => {
                for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    self.closes |= option.eq_ignore_ascii_case(b"close");
                    self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if is("content-length") => {
                return allow(self.length.replace(number(value)?).is_none());
            }
            15 if is("accept-encoding") => {
                self.is_not_plain |= self.accept_encoding.replace(place.clone()).is_some();
            }
            17 if is("transfer-encoding") => {
                let is_new = !std::mem::replace(&mut self.is_chunked, true);
                return allow(is_new && value.eq_ignore_ascii_case(b"chunked"));
            }
            // The conditions of RFC 9110, and any that may come.
            _ => self.is_not_plain |= name.as_bytes().get(..3).is_some_and(is_condition),
        }
        Ok(())
    }

    fn framing(&self, is_old: bool) -> Result<Framing, StatusCode> {
        allow(self.has_host || is_old)?;
        let body = match (self.length, self.is_chunked) {
            (Some(_), true) => return Err(StatusCode::BAD_REQUEST),
            (None, true) if is_old => return Err(StatusCode::BAD_REQUEST),
            (None, true) => None,
            // A client that expects to be asked for a body may send none.
            (Some(_), false) if self.expects => None,
            (length, false) => Some(length.unwrap_or(0)),
        };
        let keep_alive = !self.closes && (!is_old || self.keeps) && body.is_some();
        Ok(Framing { body, keep_alive })
    }
}

fn is_condition(start: &[u8]) -> bool {
    start.eq_ignore_ascii_case(b"if-")
}

/// Returns whether a target is a path without a query and without bytes that need a second look.
fn is_plain(target: &[u8]) -> bool {
    target.first() == Some(&b'/') && target.iter().all(|&byte| IN_PLAIN_PATH[usize::from(byte)])
}

fn allow(is_good: bool) -> Result<(), StatusCode> {
    if is_good { Ok(()) } else { Err(StatusCode::BAD_REQUEST) }
}

/// A number of digits and nothing else.
fn number(value: &[u8]) -> Result<u64, StatusCode> {
    allow(value.iter().all(u8::is_ascii_digit))?;
    std::str::from_utf8(value).map_err(bad)?.parse().map_err(bad)
}

/// The bytes of an authority (RFC 3986, 3.2).
const IN_AUTHORITY: [bool; 256] = letters_digits_and(b"-._~:[]%!$&'()*+,;=");

/// The bytes of a path (RFC 3986, 3.3).
const IN_PLAIN_PATH: [bool; 256] = letters_digits_and(b"/-._~:@%!$&'()*+,;=");

const fn letters_digits_and(others: &[u8]) -> [bool; 256] {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        allowed[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        allowed[others[at] as usize] = true;
        at += 1;
    }
    allowed
}

fn bad<E>(_: E) -> StatusCode {
    StatusCode::BAD_REQUEST
}
