//! Objects that shrink, change or go while they are read, and bytes that nobody asked for.

use std::io::{self, ErrorKind};
use std::time::Duration;

use smooth_origin::storage::{BucketObject, ChangedError, Ends, RangeSource, Resilience, Store};
use testkit::name;

use super::answers::{SIZE, TAG, WRONG, answer, content, honest, part, version, whole};
use super::server::{Asked, Deed, Server};
use super::{ALL, bucket, on_tokio};

/// What a server does after a good opening, and the read of the bytes from 100 to 200 that meets it.
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
