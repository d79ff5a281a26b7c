//! Lists of names: keys that lie elsewhere, a million keys, and lists that never end.

use std::io::ErrorKind;
use std::sync::mpsc;
use std::thread;

use smooth_origin::storage::{Protocol, Store};
use testkit::name;

use super::answers::whole;
use super::server::{Asked, Deed, Server};
use super::{CLOUDS, bucket, on_tokio};

/// A page with these keys, as S3 and Google write it, or as Azure does.
fn page(asked: &Asked, keys: impl Iterator<Item = String>, next: Option<&str>) -> Vec<Deed> {
    let is_azure = asked.head.contains("x-ms-version");
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    if is_azure {
        text += "<EnumerationResults><Blobs>";
        for key in keys {
            text += &format!(
                "<Blob><Name>{key}</Name><Properties><Last-Modified>Sun, 29 Nov 2026 08:00:00 GMT</Last-Modified><Content-Length>1</Content-Length><Content-Type>video/mp4</Content-Type><Etag>1</Etag></Properties></Blob>"
            );
        }
        text += &format!(
            "</Blobs><NextMarker>{}</NextMarker></EnumerationResults>",
            next.unwrap_or_default()
        );
    } else {
        text += &format!("<ListBucketResult><IsTruncated>{}</IsTruncated>", next.is_some());
        if let Some(next) = next {
            text += &format!("<NextContinuationToken>{next}</NextContinuationToken>");
        }
        for key in keys {
            text += &format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-29T08:00:00.000Z</LastModified><ETag>\"1\"</ETag><Size>1</Size></Contents>"
            );
        }
        text += "</ListBucketResult>";
    }
    whole("200 OK", "Content-Type: application/xml\r\n", &text)
}

/// Keys of which no page has the same.
fn keys(number: usize, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |at| format!("films/a/{number:06}-{at:04}.ismv"))
}

#[test]
fn keys_that_a_store_lists_outside_of_the_prefix_are_no_names() {
    on_tokio(async {
        for protocol in CLOUDS {
            let server = Server::start(|_, asked| {
                let keys = [
                    "secret",
                    "films2/secret",
                    "films",
                    "films/a.ism",
                    "films/../secret",
                    "films//a.ism",
                    "films/./a.ism",
                    "films/a&#x1;.ism",
                    "/films/a.ism",
                    "films/a.ism/",
                ];
                page(asked, keys.into_iter().map(str::to_owned), None)
            })
            .await;
            let bucket = bucket(protocol, &server);
            // A key that cannot be reached hides no other one.
            assert_eq!(bucket.list(None).await.unwrap(), [name("a.ism")], "{protocol:?}");
            let page = bucket.list_page(None).await.unwrap();
            assert_eq!(page.names, [name("a.ism")], "{protocol:?}");
            let asked = server.asked();
            assert!(
                asked.iter().all(|asked| asked.target.contains("prefix=films%2F")),
                "{asked:?}"
            );
        }
    });
}

#[test]
fn a_list_beyond_its_budget_ends_with_the_page_that_exceeds_it() {
    on_tokio(async {
        for protocol in CLOUDS {
            let server = Server::start(|number, asked| {
                page(asked, keys(number, 10), Some(&number.to_string()))
            })
            .await;
            let bucket = bucket(protocol, &server).max_listed(95);
            let error = bucket.list(Some(&name("a"))).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{protocol:?}");
            assert!(error.to_string().contains("give each presentation a folder"), "{error}");
            assert_eq!(server.asked().len(), 10, "{protocol:?}");
        }
    });
}

#[test]
fn a_list_that_goes_round_in_a_circle_ends() {
    on_tokio(async {
        for protocol in CLOUDS {
            for pages in [1, 3] {
                let server = Server::start(move |number, asked| {
                    page(asked, keys(number, 10), Some(&(number % pages).to_string()))
                })
                .await;
                let error = bucket(protocol, &server).list(None).await.unwrap_err();
                // Which is not tried again.
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{protocol:?}");
                assert!(error.to_string().contains("continuation token again"), "{error}");
                assert_eq!(server.asked().len(), pages + 1, "{protocol:?}");
            }
            let server =
                Server::start(|number, asked| page(asked, keys(number, 10), Some("x"))).await;
            let bucket = bucket(protocol, &server);
            let first = bucket.list_page(None).await.unwrap();
            let error = bucket.list_page(first.next).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{protocol:?}");
        }
    });
}

/// The most memory, in bytes, that a walk through so many pages of 1,000 keys holds at one time.
fn memory_of_a_walk(protocol: Protocol, pages: usize) -> u64 {
    let (send, receive) = mpsc::channel();
    // The server has a thread of its own, so that its memory does not count.
    thread::spawn(move || {
        on_tokio(async move {
            let server = Server::start(move |number, asked| {
                let next = (number + 1 < pages).then(|| number.to_string());
                page(asked, keys(number, 1000), next.as_deref())
            });
            send.send(server.await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let server = receive.recv().unwrap();
    let bucket = bucket(protocol, &server);
    let counted = allocation_counter::measure(|| {
        on_tokio(async {
            let (mut count, mut next) = (0, None);
            loop {
                let page = bucket.list_page(next).await.unwrap();
                count += page.names.len();
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
            assert_eq!(count, pages * 1000);
        });
    });
    counted.bytes_max
}

/// A walk through so many pages holds no more than one through three.
fn walks(protocol: Protocol, pages: usize) {
    let (few, many) = (memory_of_a_walk(protocol, 3), memory_of_a_walk(protocol, pages));
    assert!(many < few + (1 << 20), "{few} bytes for three pages, {many} for {pages}");
}

#[test]
fn a_walk_through_many_keys_holds_one_page_at_a_time() {
    for protocol in CLOUDS {
        walks(protocol, 12);
    }
}

#[test]
#[ignore = "takes a minute without optimization"]
fn a_walk_through_a_million_keys_holds_one_page_at_a_time() {
    walks(Protocol::S3, 1000);
}

/// The entry of a file in a list of WebDAV.
fn response(href: &str) -> String {
    format!(
        "<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getlastmodified>Sun, 29 Nov 2026 08:00:00 GMT</D:getlastmodified><D:getcontentlength>1</D:getcontentlength><D:resourcetype/></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )
}

#[test]
fn names_that_a_web_server_lists_outside_of_the_folder_are_no_names() {
    on_tokio(async {
        for (href, is_listed) in [
            ("/films/a.ism", true),
            ("/films/sub/a.ism", false),
            ("/secret", false),
            ("/films2/secret", false),
            ("/films/../secret", false),
            ("/films/%2e%2e/secret", false),
            ("/films/..%2fsecret", false),
            // Only the name counts: it is asked for at the server that was given.
            ("http://elsewhere.example/films/a.ism", true),
        ] {
            let server = Server::start(move |_, _| {
                let list = response(href);
                let text = format!("<D:multistatus xmlns:D=\"DAV:\">{list}</D:multistatus>");
                whole("207 Multi-Status", "Content-Type: application/xml\r\n", &text)
            })
            .await;
            let listed = bucket(Protocol::Http, &server).list(None).await;
            match (listed, is_listed) {
                (Ok(listed), true) => assert_eq!(listed, [name("a.ism")]),
                (Ok(listed), false) => assert_eq!(listed, [], "{href}"),
                (Err(error), _) => assert!(!is_listed, "{href}: {error}"),
            }
        }
    });
}
