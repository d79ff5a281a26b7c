//! The forms of a line of the access log.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Display};
use std::io::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderValue, Method, Uri, Version};
use serde::Serialize;

/// The form of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LineForm {
    /// That of Apache and nginx, and behind it: request id, seconds, presentation, end
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
    pub(super) request: &'a dyn Display,
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
        add(to, format_args!("{} - - [", self.client));
        add_clock_time(to, self.at);
        to.extend_from_slice(b"] \"");
        escape(to, self.method.as_str().as_bytes());
        to.push(b' ');
        match self.uri.path_and_query() {
            Some(path) => escape(to, path.as_str().as_bytes()),
            None => escape(to, self.uri.to_string().as_bytes()),
        }
        add(to, format_args!(" {:?}\" {} {} ", self.version, self.status, self.bytes));
        for field in [self.referer, self.user_agent] {
            add_quoted(to, field.map(HeaderValue::as_bytes));
            to.push(b' ');
        }
        add(to, format_args!("{} {:.6} ", self.request, self.took.as_secs_f64()));
        add_quoted(to, self.presentation);
        add(to, format_args!(" {}", self.end.as_str()));
    }

    fn json(&self, to: &mut Vec<u8>) {
        let text = |bytes: &HeaderValue| String::from_utf8_lossy(bytes.as_bytes()).into_owned();
        let object = Object {
            time: humantime::format_rfc3339_millis(self.at),
            client: self.client,
            method: self.method.as_str(),
            path: self.uri.path(),
            query: self.uri.query(),
            protocol: format_args!("{:?}", self.version),
            tls: self.is_encrypted,
            status: self.status,
            bytes: self.bytes,
            seconds: self.took.as_secs_f64(),
            referer: self.referer.map(text),
            user_agent: self.user_agent.map(text),
            request: self.request,
            presentation: self.presentation.map(String::from_utf8_lossy),
            end: self.end.as_str(),
        };
        // Writing to memory does not fail, and every value has a form in JSON.
        let _ = serde_json::to_writer(to, &object);
    }
}

/// A line as JSON.
#[derive(Serialize)]
struct Object<'a> {
    #[serde(serialize_with = "as_text")]
    time: humantime::Rfc3339Timestamp,
    client: IpAddr,
    method: &'a str,
    path: &'a str,
    query: Option<&'a str>,
    protocol: fmt::Arguments<'a>,
    tls: bool,
    status: u16,
    bytes: u64,
    seconds: f64,
    referer: Option<String>,
    user_agent: Option<String>,
    #[serde(serialize_with = "as_text")]
    request: &'a dyn Display,
    presentation: Option<std::borrow::Cow<'a, str>>,
    end: &'static str,
}

fn as_text<S: serde::Serializer>(value: impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&value)
}

fn add(to: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = to.write_fmt(text);
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
fn escape(to: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => add(to, format_args!("\\x{byte:02X}")),
            b' '..=b'~' => to.push(byte),
            _ => add(to, format_args!("\\x{byte:02X}")),
        }
    }
}

/// Adds `29/Nov/2026:03:41:18 +0000`.
fn add_clock_time(to: &mut Vec<u8>, at: SystemTime) {
    thread_local! {
        static LAST: Cell<(u64, [u8; 26])> = const { Cell::new((u64::MAX, [0; 26])) };
    }
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (known, mut text) = LAST.get();
    if known != seconds {
        // `Sun, 29 Nov 2026 03:41:18 GMT`
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        let part = |from, to| date.get(from..to).unwrap_or_default();
        let (day, month, year, time) = (part(5, 7), part(8, 11), part(12, 16), part(17, 25));
        let shown = format!("{day}/{month}/{year}:{time} +0000");
        text = shown.as_bytes().try_into().unwrap_or([b'-'; 26]);
        LAST.set((seconds, text));
    }
    to.extend_from_slice(&text);
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
            request: &"00ff",
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
             206 1234 \"-\" \"curl/8\" 00ff 0.001500 \"a b.ism\" aborted\n"
        );
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
