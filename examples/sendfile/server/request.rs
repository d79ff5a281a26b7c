//! The head of a request, by RFC 9112.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
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
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(bad)?;
        let value = HeaderValue::from_maybe_shared(shared(field.value)).map_err(bad)?;
        request.headers_mut().append(name, value);
    }
    framing(head, request).map(Some)
}

fn framing(head: usize, request: &Request<()>) -> Result<Framing, StatusCode> {
    let headers = request.headers();
    let is_old = request.version() == Version::HTTP_10;
    if !is_host_told(headers, is_old) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let body = match (content_length(headers)?, headers.contains_key(TRANSFER_ENCODING)) {
        (Some(_), true) => return Err(StatusCode::BAD_REQUEST),
        (None, true) if is_old || !is_chunked(headers) => return Err(StatusCode::BAD_REQUEST),
        (None, true) => None,
        // Who expects to be asked for a body may send none.
        (Some(_), false) if headers.contains_key(EXPECT) => None,
        (length, false) => Some(length.unwrap_or(0)),
    };
    let asks = |word| connection_has(headers, word);
    let keep_alive = !asks("close") && (!is_old || asks("keep-alive"));
    Ok(Framing { head, body, keep_alive: keep_alive && body.is_some() })
}

/// RFC 9112, 3.2: one field, with nothing in it that no authority has.
fn is_host_told(headers: &HeaderMap, is_old: bool) -> bool {
    let mut lines = headers.get_all(HOST).iter();
    let may_stand =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+,;=".contains(byte);
    match (lines.next(), lines.next()) {
        (Some(host), None) => host.as_bytes().iter().all(may_stand),
        (None, _) => is_old,
        (Some(_), Some(_)) => false,
    }
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, StatusCode> {
    let mut lines = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = lines.next() else { return Ok(None) };
    let text = length.to_str().map_err(bad)?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || lines.next().is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    text.parse().map(Some).map_err(bad)
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(TRANSFER_ENCODING).iter();
    let is_it = |line: &HeaderValue| line.as_bytes().eq_ignore_ascii_case(b"chunked");
    lines.next().is_some_and(is_it) && lines.next().is_none()
}

fn connection_has(headers: &HeaderMap, word: &str) -> bool {
    let lines = headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|option| option.trim().eq_ignore_ascii_case(word))
}

fn bad<E>(_: E) -> StatusCode {
    StatusCode::BAD_REQUEST
}
