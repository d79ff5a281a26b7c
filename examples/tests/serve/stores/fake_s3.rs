//! A server that speaks as much of S3 as reading takes, over objects in memory. It writes down what it is
//! asked for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use xxhash_rust::xxh3::xxh3_64;

use crate::program::program;

#[derive(Default)]
struct State {
    /// By bucket and key: `films/a/a.ism`.
    objects: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
    /// The answer to everything: a status, and a code.
    fault: Option<(u16, &'static str)>,
    /// Time that an answer takes.
    delay: Duration,
    /// Time that the next answer takes instead.
    delay_once: Option<Duration>,
    /// The most answers that came one after the other.
    rounds: usize,
}

pub(super) struct FakeS3 {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct Answer {
    status: u16,
    fields: String,
    body: Vec<u8>,
}

/// Keys of a page of a list.
const PAGE: usize = 7;

impl FakeS3 {
    pub(super) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    pub(super) fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.state.lock().unwrap().objects.insert(key.to_owned(), bytes.into());
    }

    /// Uploads all files below a folder.
    pub(super) fn put_all(&self, bucket: &str, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let key = format!("{bucket}/{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => self.put_all(&key, &entry.path()),
                false => self.put(&key, fs::read(entry.path()).unwrap()),
            }
        }
    }

    pub(super) fn fail(&self, fault: Option<(u16, &'static str)>) {
        self.state.lock().unwrap().fault = fault;
    }

    /// Has each answer take so long.
    pub(super) fn delay(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    /// Has the next answer take so long.
    pub(super) fn delay_once(&self, delay: Duration) {
        self.state.lock().unwrap().delay_once = Some(delay);
    }

    /// The most answers that came one after the other.
    pub(super) fn rounds(&self) -> usize {
        self.state.lock().unwrap().rounds
    }

    /// The requests since the last call: `GET films/a/a.ism bytes=0-9`.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// `serve` with credentials for this store.
    pub(super) fn command(&self) -> Command {
        let mut command = self.command_without_key();
        command.env("AWS_ACCESS_KEY_ID", "the-key").env("AWS_SECRET_ACCESS_KEY", "the-secret");
        command
    }

    pub(super) fn command_without_key(&self) -> Command {
        let mut command = Command::new(program());
        for (name, _) in std::env::vars() {
            let upper = name.to_ascii_uppercase();
            if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        command
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address));
        command
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut fields) = (String::new(), Vec::new());
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut field = String::new();
            if reader.read_line(&mut field).unwrap_or(0) == 0 {
                return;
            }
            match field.trim_end().split_once(": ") {
                Some((name, value)) => {
                    fields.push((name.to_ascii_lowercase(), value.to_owned()));
                }
                None => break,
            }
        }
        let length = field(&fields, "content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let (Answer { status, fields, body }, round, delay) = {
            let mut state = state.lock().unwrap();
            // It was asked for after all answers so far.
            let delay = state.delay_once.take().unwrap_or(state.delay);
            (state.answer(method, target, &fields), state.rounds + 1, delay)
        };
        thread::sleep(delay);
        {
            let mut state = state.lock().unwrap();
            state.rounds = round.max(state.rounds);
        }
        let mut bytes =
            format!("HTTP/1.1 {status} Any\r\nContent-Length: {}\r\n{fields}\r\n", body.len())
                .into_bytes();
        if method != "HEAD" {
            bytes.extend(body);
        }
        if reader.get_mut().write_all(&bytes).is_err() {
            return;
        }
    }
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

impl State {
    fn answer(&mut self, method: &str, target: &str, fields: &[(String, String)]) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let path = decoded(path.trim_start_matches('/'));
        let range = field(fields, "range");
        self.asked.push(format!("{method} {path} {}", range.unwrap_or(query)));
        if let Some((status, code)) = self.fault {
            return error(status, code);
        }
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        let inside = format!("{bucket}/");
        if !self.objects.keys().any(|key| key.starts_with(&inside)) {
            return error(404, "NoSuchBucket");
        }
        if key.is_empty() {
            let value = |name: &str| {
                let mut all = query.split('&').filter_map(|part| part.split_once('='));
                all.find(|(known, _)| *known == name).map(|(_, value)| decoded(value))
            };
            return self.list(&inside, value);
        }
        let Some(bytes) = self.objects.get(&path) else { return error(404, "NoSuchKey") };
        let tag = format!("\"{:016x}\"", xxh3_64(bytes));
        if field(fields, "if-match").is_some_and(|wanted| wanted != tag) {
            return error(412, "PreconditionFailed");
        }
        let fields = format!(
            "ETag: {tag}\r\nLast-Modified: Sun, 01 Nov 2026 00:00:00 GMT\r\nContent-Type: video/mp4\r\n"
        );
        let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")) else {
            return Answer { status: 200, fields, body: bytes.clone() };
        };
        let (first, last) = range.split_once('-').unwrap();
        let (first, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) => (first, (last + 1).min(bytes.len())),
            (Ok(first), Err(_)) => (first, bytes.len()),
            (Err(_), Ok(len)) => (bytes.len().saturating_sub(len), bytes.len()),
            _ => return error(400, "InvalidArgument"),
        };
        if first >= end {
            return error(416, "InvalidRange");
        }
        let of = format!("Content-Range: bytes {first}-{}/{}\r\n", end - 1, bytes.len());
        Answer { status: 206, fields: fields + &of, body: bytes[first..end].to_vec() }
    }

    /// ListObjectsV2.
    fn list(&self, inside: &str, value: impl Fn(&str) -> Option<String>) -> Answer {
        let prefix = value("prefix").unwrap_or_default();
        let after = value("continuation-token").or_else(|| value("start-after"));
        let mut xml = String::from("<?xml version=\"1.0\"?><ListBucketResult>");
        let (mut count, mut last, mut folders) = (0, String::new(), Vec::new());
        for (key, bytes) in &self.objects {
            let Some(key) = key.strip_prefix(inside).filter(|key| key.starts_with(&prefix)) else {
                continue;
            };
            if after.as_deref().is_some_and(|after| key <= after) {
                continue;
            }
            if count == PAGE {
                write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>").unwrap();
                break;
            }
            last = key.to_owned();
            let delimiter = value("delimiter").filter(|_| key[prefix.len()..].contains('/'));
            if delimiter.is_some() {
                let folder = key[prefix.len()..].split('/').next().unwrap();
                folders.push(format!("{prefix}{folder}/"));
                continue;
            }
            count += 1;
            write!(
                xml,
                "<Contents><Key>{key}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified>\
                 <ETag>&quot;{:016x}&quot;</ETag><Size>{}</Size></Contents>",
                xxh3_64(bytes),
                bytes.len()
            )
            .unwrap();
        }
        folders.dedup();
        for folder in folders {
            write!(xml, "<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>").unwrap();
        }
        xml += "</ListBucketResult>";
        let fields = "Content-Type: application/xml\r\n".to_owned();
        Answer { status: 200, fields, body: xml.into_bytes() }
    }
}

fn error(status: u16, code: &str) -> Answer {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>").into_bytes();
    Answer { status, fields: "Content-Type: application/xml\r\n".into(), body }
}
