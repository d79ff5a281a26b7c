//! The table of faults. Each is met by an opening, by a read of an opened object, by a read that may be
//! tried again, and by a request to an origin.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smooth_origin::origin::{Event, Origin};
use smooth_origin::storage::{
    Bucket, Ends, Protocol, RangeSource, Resilience, ResilientStore, Store, Timer,
};
use testkit::name;

use super::answers::{
    SIZE, TAG, WRONG, answer, coded, content, dripping, headers, honest, part, version, whole,
    wrong,
};
use super::server::{Asked, Deed, Server};
use super::{ALL, CLOUDS, PREFIX, SECRETS, bucket, on_tokio};

/// A fault, and what comes of it.
struct Row {
    fault: &'static str,
    on: &'static [Protocol],
    answer: fn(&Asked) -> Vec<Deed>,
    kind: ErrorKind,
    /// Words of the sentence for the operator.
    words: &'static str,
    /// A read that is made again succeeds if the fault has passed.
    passes: bool,
    /// The status that a client gets for the presentation.
    status: u16,
}

const WEB: &[Protocol] = &[Protocol::Http];
const S3: &[Protocol] = &[Protocol::S3];
const AZURE: &[Protocol] = &[Protocol::Azure];

/// No answer in this time is a failure, in rows about time.
const LIMIT: Duration = Duration::from_millis(800);

const PART: &str = "206 Partial Content";

const OK: &[u8] = b"HTTP/1.1 2";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // The set-up.
    Row { fault: "the bucket is not there", on: &[Protocol::S3, Protocol::Google], answer: |asked| coded(asked, "404 Not Found", "NoSuchBucket"),
          kind: ErrorKind::Other, words: "the bucket does not exist: check its name", passes: true, status: 503 },
    Row { fault: "the container is not there", on: AZURE, answer: |asked| coded(asked, "404 Not Found", "ContainerNotFound"),
          kind: ErrorKind::Other, words: "the bucket does not exist: check its name", passes: true, status: 503 },
    Row { fault: "the key is not known", on: S3, answer: |asked| coded(asked, "403 Forbidden", "InvalidAccessKeyId"),
          kind: ErrorKind::Other, words: "does not know the access key", passes: true, status: 503 },
    Row { fault: "the secret is wrong", on: S3, answer: |asked| coded(asked, "403 Forbidden", "SignatureDoesNotMatch"),
          kind: ErrorKind::Other, words: "does not accept the credentials", passes: true, status: 503 },
    Row { fault: "the key is wrong", on: AZURE, answer: |asked| coded(asked, "403 Forbidden", "AuthenticationFailed"),
          kind: ErrorKind::Other, words: "does not accept the credentials", passes: true, status: 503 },
    Row { fault: "the credentials are wrong", on: &ALL, answer: |_| whole("401 Unauthorized", "WWW-Authenticate: Bearer\r\n", ""),
          kind: ErrorKind::Other, words: "does not accept the credentials", passes: true, status: 503 },
    Row { fault: "the credentials have expired", on: S3, answer: |asked| coded(asked, "400 Bad Request", "ExpiredToken"),
          kind: ErrorKind::Other, words: "the credentials have expired: renew them", passes: true, status: 503 },
    Row { fault: "the credentials have expired (403)", on: S3, answer: |asked| coded(asked, "403 Forbidden", "ExpiredToken"),
          kind: ErrorKind::Other, words: "the credentials have expired: renew them", passes: true, status: 503 },
    Row { fault: "the clock is off", on: S3, answer: |asked| coded(asked, "403 Forbidden", "RequestTimeTooSkewed"),
          kind: ErrorKind::Other, words: "set the clock", passes: true, status: 503 },
    Row { fault: "the clock is off, as the answer's date shows", on: &CLOUDS, answer: |_| whole("403 Forbidden", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ""),
          kind: ErrorKind::Other, words: "set the clock", passes: true, status: 503 },
    Row { fault: "the region is another", on: S3, answer: |asked| coded(asked, "400 Bad Request", "AuthorizationHeaderMalformed"),
          kind: ErrorKind::Other, words: "set AWS_REGION", passes: true, status: 503 },
    Row { fault: "the object may not be read", on: &ALL, answer: |_| whole("403 Forbidden", "", ""),
          kind: ErrorKind::PermissionDenied, words: "check the rights of the credentials", passes: false, status: 503 },

    // Answers that are none.
    Row { fault: "the server fails", on: &ALL, answer: |_| whole("500 Internal Server Error", "", "the-key sig=1"),
          kind: ErrorKind::Other, words: "the store failed (status 500", passes: true, status: 503 },
    Row { fault: "the connection is reset at once", on: &ALL, answer: |_| vec![Deed::Reset],
          kind: ErrorKind::ConnectionReset, words: "the connection to the store broke", passes: true, status: 503 },
    Row { fault: "the connection is closed at once", on: &ALL, answer: |_| vec![Deed::Close],
          kind: ErrorKind::ConnectionAborted, words: "the connection to the store broke", passes: true, status: 503 },
    Row { fault: "the answer is no HTTP", on: &ALL, answer: |_| vec![Deed::Send(vec![WRONG; 4000]), Deed::Close],
          kind: ErrorKind::Other, words: "the connection to the store broke", passes: true, status: 503 },
    Row { fault: "the headers never end", on: &ALL, answer: |_| vec![Deed::Send([b"HTTP/1.1 206 Partial Content\r\n".to_vec(), b"a: b\r\n".repeat(20_000)].concat()), Deed::Close],
          kind: ErrorKind::Other, words: "the connection to the store broke", passes: true, status: 503 },
    Row { fault: "nothing is answered", on: &[Protocol::S3, Protocol::Http], answer: |_| vec![Deed::Wait(Duration::from_secs(3600))],
          kind: ErrorKind::TimedOut, words: "did not answer within 0.8 s", passes: true, status: 503 },
    Row { fault: "a byte comes per second", on: &[Protocol::S3, Protocol::Http], answer: dripping,
          kind: ErrorKind::TimedOut, words: "did not answer within 0.8 s", passes: true, status: 503 },
    Row { fault: "redirects", on: &ALL, answer: |asked| whole("307 Temporary Redirect", &format!("Location: http://{PREFIX}.example{}?sig=1\r\n", asked.target), ""),
          kind: ErrorKind::Other, words: "redirects to another place (status 307)", passes: true, status: 503 },

    // Answers that are not the range.
    Row { fault: "the range is ignored", on: &ALL, answer: |asked| answer("200 OK", &format!("{}Content-Length: {SIZE}\r\n", version(TAG)), &if asked.method == "HEAD" { Vec::new() } else { content(0..SIZE) }),
          kind: ErrorKind::Unsupported, words: "must support ranges", passes: false, status: 503 },
    Row { fault: "the range has no place", on: &ALL, answer: |asked| answer(PART, &format!("{}Content-Length: {}\r\n", version(TAG), wrong(asked).len()), &wrong(asked)),
          kind: ErrorKind::Unsupported, words: "must support ranges", passes: false, status: 503 },
    Row { fault: "several parts are given", on: &ALL, answer: |asked| answer(PART, &format!("{}Content-Type: multipart/byteranges; boundary=x\r\nContent-Length: {}\r\n", version(TAG), wrong(asked).len()), &wrong(asked)),
          kind: ErrorKind::Unsupported, words: "must support ranges", passes: false, status: 503 },
    Row { fault: "another range is given", on: &ALL, answer: |asked| answer(PART, &format!("{}Content-Range: bytes {}-{}/{SIZE}\r\nContent-Length: {}\r\n", version(TAG), part(asked).start + 1, part(asked).end - 1, wrong(asked).len() - 1), &wrong(asked)[1..]),
          kind: ErrorKind::Other, words: "the store gives bytes ", passes: true, status: 503 },
    Row { fault: "the range is not in the size", on: &ALL, answer: |_| answer(PART, &format!("{}Content-Range: bytes 0-9/5\r\nContent-Length: 10\r\n", version(TAG)), &[WRONG; 10]),
          kind: ErrorKind::Unsupported, words: "size in Content-Range", passes: false, status: 503 },
    Row { fault: "the size is not told", on: &ALL, answer: |asked| answer(PART, &headers(asked).replace(&format!("/{SIZE}"), "/*"), &wrong(asked)),
          kind: ErrorKind::Unsupported, words: "size in Content-Range", passes: false, status: 503 },
    Row { fault: "the body is cut", on: &ALL, answer: |asked| { let mut deeds = answer(PART, &headers(asked), &content(part(asked))[1..]); deeds.push(Deed::Close); deeds },
          kind: ErrorKind::ConnectionAborted, words: "broke", passes: true, status: 503 },
    Row { fault: "the connection is reset in the body", on: &ALL, answer: |asked| { let mut deeds = answer(PART, &headers(asked), &content(part(asked))[1..]); deeds.extend([Deed::Wait(Duration::from_millis(20)), Deed::Reset]); deeds },
          kind: ErrorKind::ConnectionReset, words: "the connection to the store broke", passes: true, status: 503 },
    Row { fault: "the length is not that of the range", on: &ALL, answer: |asked| { let len = wrong(asked).len(); answer(PART, &headers(asked).replace(&format!("Length: {len}"), &format!("Length: {}", len + 5)), &[wrong(asked), vec![WRONG; 5]].concat()) },
          kind: ErrorKind::Other, words: "bytes", passes: true, status: 503 },
    Row { fault: "there are two lengths", on: &ALL, answer: |asked| answer(PART, &format!("{}Content-Length: 1\r\n", headers(asked)), &wrong(asked)),
          kind: ErrorKind::Other, words: "the connection to the store broke", passes: true, status: 503 },
    Row { fault: "the body is in chunks", on: &ALL, answer: |asked| answer(PART, &format!("{}Content-Range: bytes {}-{}/{SIZE}\r\nTransfer-Encoding: chunked\r\n", version(TAG), part(asked).start, part(asked).end - 1), &[format!("{:x}\r\n", wrong(asked).len()).into_bytes(), wrong(asked), b"\r\n0\r\n\r\n".to_vec()].concat()),
          kind: ErrorKind::Unsupported, words: "switch off chunked encoding", passes: false, status: 503 },
    Row { fault: "the body is compressed", on: &ALL, answer: |asked| answer(PART, &format!("{}Content-Encoding: gzip\r\n", headers(asked)), &wrong(asked)),
          kind: ErrorKind::InvalidData, words: "stored compressed (Content-Encoding)", passes: true, status: 503 },
    Row { fault: "a page is given", on: WEB, answer: |asked| answer(PART, &format!("{}Content-Type: text/html\r\n", headers(asked)), &wrong(asked)),
          kind: ErrorKind::IsADirectory, words: "(text/html)", passes: false, status: 404 },
    Row { fault: "a page with status 200 is given", on: WEB, answer: |_| whole("200 OK", "Content-Type: text/html\r\n", "<!doctype html><title>Log in</title>"),
          kind: ErrorKind::IsADirectory, words: "(text/html)", passes: false, status: 404 },
    Row { fault: "a page is given by a cloud", on: &CLOUDS, answer: |_| whole("200 OK", "Content-Type: text/html\r\n", "<!doctype html><title>Log in</title>"),
          kind: ErrorKind::Unsupported, words: "must support ranges", passes: false, status: 503 },
];

/// A timer that ends nothing soon until it is started: what comes before it is not about time.
#[derive(Clone, Default)]
struct Started(Arc<AtomicBool>);

impl Started {
    fn now() -> Self {
        Self(Arc::new(true.into()))
    }

    fn start(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Timer for Started {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let least = match self.0.load(Ordering::Relaxed) {
            true => Duration::ZERO,
            false => Duration::from_secs(60),
        };
        Box::pin(tokio::time::sleep(duration.max(least)))
    }
}

fn limited(row: &Row, bucket: Bucket, tries: u32, timer: Started) -> ResilientStore<Bucket> {
    let limit = match row.kind {
        ErrorKind::TimedOut => LIMIT,
        _ => Duration::from_secs(60),
    };
    let quick = Duration::from_millis(1);
    let limited = Resilience::new().timeout(limit, 0).tries(tries).delay(quick, quick);
    limited.timer(timer).around(bucket)
}

/// A server that is good to the first requests, then commits the fault so many times, and is good again.
async fn server(row: &Row, good: usize, faults: usize) -> Server {
    let fault = row.answer;
    Server::start(move |number, asked| {
        let is_fault = number >= good && number - good < faults;
        let deeds = if is_fault { fault(asked) } else { honest(asked) };
        match deeds.first() {
            // What is wrong with a body is not seen in an answer that has none.
            Some(Deed::Send(bytes)) if asked.method == "HEAD" && bytes.starts_with(OK) => {
                honest(asked)
            }
            _ => deeds,
        }
    })
    .await
}

/// The error of a row, as it must be.
fn check(row: &Row, error: &io::Error) -> Result<(), String> {
    let text = format!("{error} {error:?}");
    let is_right = error.to_string().contains(row.words) && error.kind() == row.kind;
    let has_secret = SECRETS.iter().any(|secret| text.contains(secret));
    if is_right && !has_secret { Ok(()) } else { Err(format!("{error:?}")) }
}

/// Tests each row on each of its stores, and fails with all that is not as the table says.
fn each(test: impl AsyncFn(&Row, Protocol) -> Result<(), String>) {
    on_tokio(async {
        let mut wrong = Vec::new();
        for row in TABLE {
            for &protocol in row.on {
                if let Err(why) = test(row, protocol).await {
                    wrong.push(format!("{} ({protocol:?}): {why}", row.fault));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn an_opening_fails_with_the_sentence_of_its_fault() {
    each(async |row, protocol| {
        let server = server(row, 0, usize::MAX).await;
        let store = limited(row, bucket(protocol, &server), 1, Started::now());
        let error = store.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap_err();
        check(row, &error)?;
        // A look at a sick store never says that the object is there in another version.
        if let Ok(stat) = store.stat(&name("a.ismv")).await {
            assert_eq!(stat.size, SIZE, "{}", row.fault);
        }
        for asked in server.asked() {
            let is_below = ["/films/", "%2Ffilms%2F", "/films%2F"];
            assert!(is_below.iter().any(|part| asked.target.contains(part)), "{asked:?}");
        }
        Ok(())
    });
}

#[test]
fn a_read_fails_with_the_sentence_of_its_fault_and_gives_no_byte() {
    each(async |row, protocol| {
        let server = server(row, 1, usize::MAX).await;
        let timer = Started::default();
        let store = limited(row, bucket(protocol, &server), 1, timer.clone());
        let opening = store.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap();
        assert_eq!(opening.head.unwrap(), content(0..10));
        timer.start();
        check(row, &opening.source.read(100..200).await.unwrap_err())?;
        match opening.source.read_many(&[0..10, 500..510]).await {
            Err(_) => Ok(()),
            Ok(read) => Err(format!("{read:?}")),
        }
    });
}

#[test]
fn a_read_is_made_again_if_its_fault_may_pass_and_only_then() {
    each(async |row, protocol| {
        let server = server(row, 1, 1).await;
        let timer = Started::default();
        let store = limited(row, bucket(protocol, &server), 3, timer.clone());
        let source = store.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap().source;
        timer.start();
        match source.read(100..200).await {
            Ok(bytes) if row.passes && bytes == content(100..200) => Ok(()),
            Err(error) if !row.passes => check(row, &error),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn a_client_gets_a_status_and_the_operator_the_sentence() {
    each(async |row, protocol| {
        let server = server(row, 0, usize::MAX).await;
        let told = Arc::<Mutex<Vec<String>>>::default();
        let kept = told.clone();
        let origin = Origin::builder(limited(row, bucket(protocol, &server), 1, Started::now()))
            .on_event(move |event: &Event<'_>| kept.lock().unwrap().push(event.to_string()))
            .build();
        let error = origin.answer("/film.ism/Manifest").await.unwrap_err();
        let (status, told) = (error.kind.status(), told.lock().unwrap().clone());
        let is_told = told.iter().any(|text| text.contains(row.words));
        if status == row.status && (is_told || status == 404) {
            Ok(())
        } else {
            Err(format!("{status}, {told:?}"))
        }
    });
}
