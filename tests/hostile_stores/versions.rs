//! Objects that shrink, change or go while they are read, and bytes that nobody asked for.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::time::Duration;

use smooth_origin::storage::{
    BucketObject, ChangedError, Ends, Protocol, RangeSource, Resilience, Store,
};
use testkit::name;

use super::answers::{NOW, SIZE, TAG, WRONG, answer, content, honest, part, version, whole};
use super::server::{Asked, Deed, Server};
use super::{ALL, bucket, on_tokio};

/// The deeds of a server after a good opening, and the read of the bytes from 100 to 200 that meets it.
async fn read_after(then: fn(usize, &Asked) -> Vec<Deed>, test: impl Fn(io::Result<Vec<u8>>)) {
    for protocol in ALL {
        let server = Server::start(move |number, asked| match number {
            0 => honest(asked),
            number => then(number, asked),
        })
        .await;
        let quick = Duration::from_millis(1);
        let tries = Resilience::new().timeout(Duration::from_secs(60), 0).tries(3);
        let store = tries.delay(quick, quick).around(bucket(protocol, &server));
        let source = store.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap().source;
        test(source.read(100..200).await.map(|bytes| bytes.to_vec()));
    }
}

fn is_change(read: io::Result<Vec<u8>>) {
    let error = read.unwrap_err();
    assert!(error.get_ref().is_some_and(|inner| inner.is::<ChangedError>()), "{error:?}");
}

/// An answer about an object of 150 bytes.
fn short(asked: &Asked, tag: &str) -> Vec<Deed> {
    let version = version(tag);
    match &asked.range {
        None => answer("200 OK", &format!("{version}Content-Length: 150\r\n"), b""),
        Some(range) if range.start >= 150 => {
            whole("416 Range Not Satisfiable", "Content-Range: bytes */150\r\n", "")
        }
        Some(range) => {
            let (first, end) = (range.start, range.end.min(150));
            let (last, len) = (end - 1, end - first);
            let headers = format!(
                "{version}Content-Range: bytes {first}-{last}/150\r\nContent-Length: {len}\r\n"
            );
            answer("206 Partial Content", &headers, &vec![WRONG; len as usize])
        }
    }
}

#[test]
fn an_object_that_has_shrunk_before_the_read_has_changed() {
    on_tokio(async {
        read_after(|_, asked| short(asked, "\"2\""), is_change).await;
        // A server whose tags do not change with the content has a size all the same.
        read_after(|_, asked| short(asked, TAG), is_change).await;
    });
}

#[test]
fn an_object_that_shrinks_below_the_range_has_changed() {
    let gone = |_, asked: &Asked| match asked.method.as_str() {
        "HEAD" => short(asked, "\"2\""),
        _ => whole("416 Range Not Satisfiable", "", ""),
    };
    on_tokio(read_after(gone, is_change));
}

#[test]
fn an_object_that_shrinks_inside_of_a_read_has_changed() {
    let cut = |number, asked: &Asked| match number {
        1 => {
            let mut deeds = honest(asked);
            let Deed::Send(bytes) = &mut deeds[0] else { unreachable!() };
            bytes.truncate(bytes.len() - 50);
            deeds.push(Deed::Close);
            deeds
        }
        _ => short(asked, "\"2\""),
    };
    on_tokio(read_after(cut, is_change));
}

#[test]
fn an_object_that_was_replaced_has_changed_and_one_that_was_removed_is_gone() {
    let other_tag = |_, asked: &Asked| {
        let mut deeds = honest(asked);
        let Deed::Send(bytes) = &mut deeds[0] else { unreachable!() };
        *bytes = String::from_utf8_lossy(bytes).replace("ETag: \"1\"", "ETag: \"2\"").into_bytes();
        deeds
    };
    on_tokio(async {
        read_after(other_tag, is_change).await;
        read_after(|_, _| whole("412 Precondition Failed", "", ""), is_change).await;
        let is_gone = |read: io::Result<Vec<u8>>| {
            assert_eq!(read.unwrap_err().kind(), ErrorKind::NotFound);
        };
        read_after(|_, _| whole("404 Not Found", "", ""), is_gone).await;
        read_after(|_, _| whole("410 Gone", "", ""), is_gone).await;
    });
}

#[test]
fn an_answer_that_nobody_asked_for_is_never_that_of_the_next_read() {
    // Each answer is followed by another one, of the same version, with bytes that the object does not have.
    let followed = |asked: &Asked| {
        let mut deeds = honest(asked);
        let headers = format!(
            "{}Content-Range: bytes 100-199/{SIZE}\r\nContent-Length: 100\r\n",
            version(TAG)
        );
        deeds.extend(answer("206 Partial Content", &headers, &[WRONG; 100]));
        deeds
    };
    on_tokio(async {
        for protocol in ALL {
            let server = Server::start(move |_, asked| followed(asked)).await;
            let store = bucket(protocol, &server);
            let opening = store.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap();
            let source: BucketObject = opening.source;
            for _ in 0..50 {
                if let Ok(bytes) = source.read(100..200).await {
                    assert_eq!(bytes, content(100..200), "{protocol:?}");
                }
            }
        }
    });
}

#[test]
fn a_body_that_is_longer_than_it_says_is_cut_where_it_says() {
    on_tokio(async {
        for protocol in ALL {
            let server = Server::start(|_, asked| {
                let mut deeds = honest(asked);
                deeds.extend([Deed::Send(vec![WRONG; 50]), Deed::Close]);
                deeds
            })
            .await;
            let store = bucket(protocol, &server);
            let source = store.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap().source;
            for range in [0..10, 100..200, 990..1000] {
                if let Ok(bytes) = source.read(range.clone()).await {
                    assert_eq!(bytes, content(range), "{protocol:?}");
                }
            }
            let asked = server.asked();
            assert!(asked.iter().all(|asked| asked.range.is_none() || part(asked).end <= SIZE));
        }
    });
}

/// The honest answer at another time.
fn honest_at(asked: &Asked, now: &str) -> Vec<Deed> {
    let mut deeds = honest(asked);
    let Deed::Send(bytes) = &mut deeds[0] else { unreachable!() };
    let date = format!("Date: {NOW}\r\n");
    let at = bytes.windows(date.len()).position(|part| part == date.as_bytes()).unwrap();
    let new = if now.is_empty() { String::new() } else { format!("Date: {now}\r\n") };
    bytes.splice(at..at + date.len(), new.into_bytes());
    deeds
}

/// Seconds after the last change; after ten minutes it counts as there for long.
const YOUNG: &str = "Sun, 29 Nov 2026 08:10:00 GMT";
const OLD: &str = "Sun, 29 Nov 2026 08:10:01 GMT";

#[test]
fn a_young_file_is_looked_at_again_after_its_bytes_have_come() {
    on_tokio(async {
        for (now, younger_than, looks) in [
            (YOUNG, None, true),
            (OLD, None, false),
            // A server without a clock.
            ("", None, true),
            (YOUNG, Some(Duration::ZERO), false),
            ("Mon, 29 Nov 2027 08:00:00 GMT", Some(Duration::MAX), true),
        ] {
            // The file is written to while the first read of it is sent: the tag is the old one, the bytes are not.
            let server = Server::start(move |_, asked| match asked.range.clone() {
                Some(Range { start: 100, end: 200 }) => {
                    let mut deeds = honest_at(asked, now);
                    let Deed::Send(bytes) = &mut deeds[0] else { unreachable!() };
                    let len = bytes.len();
                    bytes[len - 50..].fill(WRONG);
                    deeds
                }
                Some(Range { start: 0, end: 1 }) => short(asked, "\"2\""),
                _ => honest_at(asked, now),
            })
            .await;
            let mut store = bucket(Protocol::Http, &server);
            if let Some(younger_than) = younger_than {
                store = store.look_again(younger_than);
            }
            let opening = store.open_with(&name("a.ismv"), Ends::new(10, 0)).await;
            if looks {
                // Opening reads, too.
                is_change(opening.map(|_| Vec::new()));
                assert_eq!(server.asked().len(), 2, "{now}");
                continue;
            }
            let source = opening.unwrap().source;
            assert_eq!(source.read(200..300).await.unwrap(), content(200..300));
            assert_eq!(source.read(100..200).await.unwrap()[50..], [WRONG; 50]);
            assert_eq!(server.asked().len(), 3, "{now}");
        }
    });
}

#[test]
fn a_read_of_a_young_file_is_one_request_more_and_fails_if_the_file_has_changed() {
    on_tokio(async {
        let server = Server::start(|number, asked| match number {
            0..8 => honest_at(asked, YOUNG),
            _ => short(asked, "\"2\""),
        })
        .await;
        let store = bucket(Protocol::Http, &server);
        let opening = store.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap();
        assert_eq!(opening.stat.age.unwrap().at_least, Duration::from_secs(599));
        let source = opening.source;
        assert_eq!(source.read(100..200).await.unwrap(), content(100..200));
        // Several ranges are looked at once, after the last of them.
        let read = source.read_many(&[0..10, 100..110, 20..30]).await.unwrap();
        assert_eq!(read, [content(0..10), content(100..110), content(20..30)]);
        let ranges: Vec<_> = server.asked().into_iter().map(|asked| asked.range.unwrap()).collect();
        assert_eq!(ranges, [0..10, 0..1, 100..200, 0..1, 0..110, 0..1]);
        assert!(source.read(100..200).await.is_ok());
        is_change(source.read(100..200).await.map(|bytes| bytes.to_vec()));
    });
}

#[test]
fn the_age_of_a_file_is_by_the_clock_of_its_server() {
    on_tokio(async {
        for (now, seconds) in [
            ("Sun, 29 Nov 2026 08:00:05 GMT", 4),
            ("Sun, 29 Nov 2026 08:00:00 GMT", 0),
            ("Sun, 29 Nov 2026 07:00:00 GMT", 0),
            // Nobody knows, so the origin measures how long it has seen the same version.
            ("", 0),
        ] {
            let server = Server::start(move |_, asked| honest_at(asked, now)).await;
            let store = bucket(Protocol::Http, &server);
            for stat in [
                store.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap().stat,
                store.stat(&name("a.ismv")).await.unwrap(),
            ] {
                let age = stat.age.unwrap();
                assert_eq!(age.at_least, Duration::from_secs(seconds), "{now}");
                assert_eq!(age.resolution, Duration::from_secs(1));
            }
            let cloud = bucket(Protocol::S3, &server);
            assert_eq!(cloud.stat(&name("a.ismv")).await.unwrap().age, None);
        }
    });
}
