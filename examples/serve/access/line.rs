//! The forms of a line of the access log.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::log::RequestId;
use http::{HeaderValue, Method, Uri, Version};

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LineForm {
    /// The form of Apache and nginx, and behind it: request id, seconds, presentation, end
    Combined,
    /// An object for each line
    Json,
}

/// The facts of a line.
pub(super) struct Line<'a> {
    pub(super) at: SystemTime,
    pub(super) client: IpAddr,
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) version: Version,
    pub(super) is_encrypted: bool,
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) took: Duration,
    pub(super) referer: Option<&'a HeaderValue>,
    pub(super) user_agent: Option<&'a HeaderValue>,
    pub(super) request: &'a RequestId,
    pub(super) presentation: Option<&'a [u8]>,
    pub(super) end: End,
}

/// The end of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All of it was given to the system.
    Complete,
    /// The client broke off, was too slow, or the server stopped.
    Aborted,
    /// The server could not read the rest.
    Failed,
}

impl End {
    pub(crate) const ALL: [Self; 3] = [Self::Complete, Self::Aborted, Self::Failed];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }
}

impl LineForm {
    /// Makes a line and gives it to `take`. No memory is allocated for most lines.
    pub(super) fn write(self, line: &Line<'_>, take: impl FnOnce(&[u8])) {
        thread_local! {
            static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let mut buffer = BUFFER.take();
        buffer.clear();
        match self {
            Self::Combined => line.combined(&mut buffer),
            Self::Json => line.json(&mut buffer),
        }
        buffer.push(b'\n');
        take(&buffer);
        BUFFER.set(buffer);
    }
}

impl Line<'_> {
    fn combined(&self, to: &mut Vec<u8>) {
        add_address(to, self.client);
        to.extend_from_slice(b" - - [");
        to.extend_from_slice(&Second::of(self.at).clock);
        to.extend_from_slice(b"] \"");
        escape(to, self.method.as_str().as_bytes());
        to.push(b' ');
        match self.uri.path_and_query() {
            Some(path) => {
                escape(to, path.path().as_bytes());
                if let Some(query) = path.query() {
                    to.push(b'?');
                    escape(to, without_token(query).as_bytes());
                }
            }
            None => escape(to, self.uri.to_string().as_bytes()),
        }
        to.push(b' ');
        to.extend_from_slice(self.protocol().as_bytes());
        to.extend_from_slice(b"\" ");
        add_number(to, self.status.into(), 3);
        to.push(b' ');
        add_number(to, self.bytes, 1);
        to.push(b' ');
        for field in [self.referer, self.user_agent] {
            add_quoted(to, field.map(HeaderValue::as_bytes));
            to.push(b' ');
        }
        self.request.write_to(to);
        to.push(b' ');
        add_seconds(to, self.took);
        to.push(b' ');
        add_quoted(to, self.presentation);
        to.push(b' ');
        to.extend_from_slice(self.end.as_str().as_bytes());
    }

    fn json(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(b"{\"time\":\"");
        to.extend_from_slice(&Second::of(self.at).iso);
        to.push(b'.');
        let since = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        add_number(to, since.subsec_millis().into(), 3);
        to.extend_from_slice(b"Z\",\"client\":\"");
        add_address(to, self.client);
        to.push(b'"');
        add_field(to, "method", Some(self.method.as_str().as_bytes()));
        add_field(to, "path", Some(self.uri.path().as_bytes()));
        let query = self.uri.query().map(without_token);
        add_field(to, "query", query.as_deref().map(str::as_bytes));
        add_field(to, "protocol", Some(self.protocol().as_bytes()));
        let tls = if self.is_encrypted { "true" } else { "false" };
        for part in [",\"tls\":", tls, ",\"status\":"] {
            to.extend_from_slice(part.as_bytes());
        }
        add_number(to, self.status.into(), 3);
        to.extend_from_slice(b",\"bytes\":");
        add_number(to, self.bytes, 1);
        to.extend_from_slice(b",\"seconds\":");
        add_seconds(to, self.took);
        add_field(to, "referer", self.referer.map(HeaderValue::as_bytes));
        add_field(to, "user_agent", self.user_agent.map(HeaderValue::as_bytes));
        // A name of a request needs no escapes.
        to.extend_from_slice(b",\"request\":\"");
        self.request.write_to(to);
        to.push(b'"');
        add_field(to, "presentation", self.presentation);
        add_field(to, "end", Some(self.end.as_str().as_bytes()));
        to.push(b'}');
    }

    fn protocol(&self) -> &'static str {
        match self.version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_11 => "HTTP/1.1",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP",
        }
    }
}

fn add(to: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = to.write_fmt(text);
}

/// Adds a number with at least so many digits, up to 20.
fn add_number(to: &mut Vec<u8>, mut number: u64, least: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while number > 0 || digits.len() - start < least {
        start -= 1;
        // A digit is less than 10.
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    to.extend_from_slice(&digits[start..]);
}

/// Adds `0.001500`.
fn add_seconds(to: &mut Vec<u8>, time: Duration) {
    add_number(to, time.as_secs(), 1);
    to.push(b'.');
    add_number(to, time.subsec_micros().into(), 6);
}

fn add_address(to: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            for (place, octet) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    to.push(b'.');
                }
                add_number(to, octet.into(), 1);
            }
        }
        IpAddr::V6(address) => add(to, format_args!("{address}")),
    }
}

/// Adds a field of an object; bytes that are not UTF-8 are replaced.
/// Returns a query with stars in the place of the token of an encoder.
fn without_token(query: &str) -> Cow<'_, str> {
    let is_token = |pair: &str| pair.starts_with("token=");
    if !query.split('&').any(is_token) {
        return query.into();
    }
    let shown = |pair| if is_token(pair) { "token=***" } else { pair };
    query.split('&').map(shown).collect::<Vec<_>>().join("&").into()
}

fn add_field(to: &mut Vec<u8>, name: &str, value: Option<&[u8]>) {
    for part in [",\"", name, "\":"] {
        to.extend_from_slice(part.as_bytes());
    }
    match value {
        // Writing to memory does not fail.
        Some(value) => drop(serde_json::to_writer(to, &String::from_utf8_lossy(value))),
        None => to.extend_from_slice(b"null"),
    }
}

fn add_quoted(to: &mut Vec<u8>, value: Option<&[u8]>) {
    to.push(b'"');
    match value {
        Some(value) => escape(to, value),
        None => to.push(b'-'),
    }
    to.push(b'"');
}

/// Adds bytes of a client so that they end neither the field nor the line, as nginx does.
fn escape(to: &mut Vec<u8>, mut bytes: &[u8]) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    loop {
        let length = bytes.iter().position(|&byte| !is_plain(byte)).unwrap_or(bytes.len());
        let (plain, rest) = bytes.split_at(length);
        to.extend_from_slice(plain);
        let Some((byte, rest)) = rest.split_first() else { return };
        add(to, format_args!("\\x{byte:02X}"));
        bytes = rest;
    }
}

/// A second in the two forms of lines.
#[derive(Clone, Copy)]
struct Second {
    since_1970: u64,
    /// `29/Nov/2026:03:41:18 +0000`
    clock: [u8; 26],
    /// `2026-11-29T03:41:18`
    iso: [u8; 19],
}

impl Second {
    /// Returns the second of a time. Each thread makes it once.
    fn of(at: SystemTime) -> Self {
        thread_local! {
            static LAST: Cell<Option<Second>> = const { Cell::new(None) };
        }
        let since_1970 = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let known = LAST.get().filter(|known| known.since_1970 == since_1970);
        known.unwrap_or_else(|| {
            let second = Self::new(since_1970);
            LAST.set(Some(second));
            second
        })
    }

    fn new(since_1970: u64) -> Self {
        let at = UNIX_EPOCH + Duration::from_secs(since_1970);
        // `Sun, 29 Nov 2026 03:41:18 GMT`
        let date = httpdate::fmt_http_date(at);
        let part = |from, to| date.get(from..to).unwrap_or_default();
        let (day, month, year, time) = (part(5, 7), part(8, 11), part(12, 16), part(17, 25));
        let clock = format!("{day}/{month}/{year}:{time} +0000");
        let iso = humantime::format_rfc3339_seconds(at).to_string();
        let iso = iso.as_bytes().first_chunk().copied();
        Self {
            since_1970,
            clock: clock.as_bytes().try_into().unwrap_or([b'-'; 26]),
            iso: iso.unwrap_or([b'-'; 19]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(form: LineForm, user_agent: &[u8], uri: &str) -> String {
        let user_agent = HeaderValue::from_bytes(user_agent).unwrap();
        let line = Line {
            at: UNIX_EPOCH + Duration::from_millis(1_795_923_678_250),
            client: "2001:db8::1".parse().unwrap(),
            method: &Method::GET,
            uri: &uri.parse().unwrap(),
            version: Version::HTTP_11,
            is_encrypted: false,
            status: 206,
            bytes: 1234,
            took: Duration::from_micros(1500),
            referer: None,
            user_agent: Some(&user_agent),
            request: &RequestId::Own(255),
            presentation: Some(b"a b.ism"),
            end: End::Aborted,
        };
        let mut text = String::new();
        form.write(&line, |line| text = String::from_utf8(line.to_vec()).unwrap());
        text
    }

    #[test]
    fn combined_lines_are_those_of_apache_with_more_at_the_end() {
        assert_eq!(
            written(LineForm::Combined, b"curl/8", "/a%20b.ism/Manifest?x=1"),
            "2001:db8::1 - - [29/Nov/2026:03:41:18 +0000] \"GET /a%20b.ism/Manifest?x=1 HTTP/1.1\" \
             206 1234 \"-\" \"curl/8\" 00000000000000ff 0.001500 \"a b.ism\" aborted\n"
        );
    }

    #[test]
    fn the_token_of_an_encoder_is_not_written() {
        for form in [LineForm::Combined, LineForm::Json] {
            let line = written(form, b"-", "/a.isml/Streams(1)?encoder=b&token=secret&x=1");
            assert!(line.contains("encoder=b&token=***&x=1") && !line.contains("secret"), "{line}");
        }
    }

    #[test]
    fn values_of_clients_end_neither_field_nor_line() {
        let hostile = b"x\" 200 \\ \t\x80\xe2\x80\xa8";
        let combined = written(LineForm::Combined, hostile, "/");
        assert!(combined.contains(r#" "x\x22 200 \x5C \x09\x80\xE2\x80\xA8" "#), "{combined}");
        assert_eq!(combined.matches('"').count(), 8);
        let json = written(LineForm::Json, hostile, "/?q");
        assert_eq!(json.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["user_agent"], "x\" 200 \\ \t\u{fffd}\u{2028}");
        assert_eq!(value["time"], "2026-11-29T03:41:18.250Z");
        assert_eq!(value["protocol"], "HTTP/1.1");
        assert_eq!(value["seconds"], 0.0015);
        assert_eq!((&value["query"], &value["referer"]), (&"q".into(), &serde_json::Value::Null));
    }
}
