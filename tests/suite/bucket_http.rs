//! Buckets on servers that misbehave: each answer is written here.

#![cfg(all(feature = "s3", feature = "http-store"))]

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smooth_origin::storage::{
    Bucket, BucketObject, ChangedError, Ends, Location, RangeSource, SlowDown, Store,
};
use testkit::name;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

/// A server that answers the requests in turn, the last answer for ever. It keeps them.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (answers, asked): (Vec<String>, Arc<Mutex<Vec<String>>>) =
            (answers.iter().map(|answer| answer.to_string()).collect(), Arc::default());
        let kept = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { break };
                    head.push(byte);
                }
                let text = String::from_utf8_lossy(&head).to_lowercase();
                let len = text.split("content-length: ").nth(1).and_then(|len| len.lines().next());
                for _ in 0..len.and_then(|len| len.parse().ok()).unwrap_or(0) {
                    let Ok(byte) = stream.read_u8().await else { break };
                    head.push(byte);
                }
                let number = {
                    let mut asked = kept.lock().unwrap();
                    asked.push(String::from_utf8_lossy(&head).into_owned());
                    asked.len() - 1
                };
                let answer = answers.get(number).or(answers.last()).unwrap();
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// An answer that closes its connection.
fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n{body}")
}

/// Ten bytes of an object of 100.
fn part(e_tag: &str) -> String {
    let headers = format!(
        "ETag: {e_tag}\r\nLast-Modified: Sun, 29 Nov 2026 08:00:00 GMT\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\n"
    );
    answer("206 Partial Content", &headers, "0123456789")
}

fn s3(server: &Server) -> Bucket {
    let address = server.address.clone();
    let location = Location::parse("s3://films").unwrap();
    Bucket::connect(&location, |variable| match variable {
        "AWS_ENDPOINT_URL" => Some(address.clone()),
        "AWS_ACCESS_KEY_ID" => Some("the-key".into()),
        "AWS_SECRET_ACCESS_KEY" => Some("the-secret".into()),
        "AWS_SESSION_TOKEN" => Some("the-token".into()),
        _ => None,
    })
    .unwrap()
}

fn web(server: &Server) -> Bucket {
    let location = Location::parse(&server.address).unwrap();
    let variable = |name: &str| {
        (name == "HTTP_STORE_AUTHORIZATION").then(|| "Basic dXNlcjpzZWNyZXQ=".to_owned())
    };
    Bucket::connect(&location, variable).unwrap()
}

fn on_tokio(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

async fn open(bucket: &Bucket) -> io::Result<BucketObject> {
    Ok(bucket.open_with(&name("a.ismv"), Ends::new(10, 0)).await?.source)
}

/// The error of an opening that gets this answer; nothing secret is in it.
async fn refusal(answer: &str, of: fn(&Server) -> Bucket) -> io::Error {
    let server = Server::start(&[answer]).await;
    let error = open(&of(&server)).await.unwrap_err();
    let texts = format!("{error} {error:?}");
    for secret in ["the-key", "the-secret", "the-token", "Signature", "dXNl", "127.0.0.1", "sig="] {
        assert!(!texts.contains(secret), "{texts}");
    }
    error
}

#[test]
fn an_opening_is_one_request_and_a_read_is_one() {
    on_tokio(async {
        let server = Server::start(&[&part("\"1\"")]).await;
        let object = open(&s3(&server)).await.unwrap();
        assert_eq!(object.read(0..10).await.unwrap(), "0123456789");
        let asked = server.asked();
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[0].starts_with("GET /films/a.ismv HTTP/1.1\r\n"), "{asked:?}");
        assert!(asked[0].contains("range: bytes=0-9\r\n"), "{asked:?}");
        assert!(asked[1].contains("if-match: \"1\"\r\n"), "{asked:?}");
    });
}

#[test]
fn another_version_is_noticed_if_the_store_ignores_the_condition() {
    on_tokio(async {
        let server = Server::start(&[&part("\"1\""), &part("\"2\"")]).await;
        let error = open(&s3(&server)).await.unwrap().read(0..10).await.unwrap_err();
        assert!(error.get_ref().is_some_and(|inner| inner.is::<ChangedError>()), "{error}");
    });
}

#[test]
fn a_weak_tag_is_compared_and_not_sent() {
    on_tokio(async {
        let server = Server::start(&[&part("W/\"1\""), &part("W/\"1\""), &part("W/\"2\"")]).await;
        let object = open(&s3(&server)).await.unwrap();
        assert!(object.read(0..10).await.is_ok());
        assert!(!server.asked()[1].contains("if-match"));
        let error = object.read(0..10).await.unwrap_err();
        assert!(error.get_ref().is_some_and(|inner| inner.is::<ChangedError>()), "{error}");
    });
}

#[test]
fn an_empty_tag_is_no_version() {
    on_tokio(async {
        let server = Server::start(&[&part("\"\"")]).await;
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = told.clone();
        let bucket = s3(&server).notify_by(move |text| kept.lock().unwrap().push(text.to_owned()));
        let object = open(&bucket).await.unwrap();
        assert!(object.read(0..10).await.is_ok());
        assert!(!server.asked()[1].contains("if-match"));
        open(&bucket).await.unwrap();
        let told = told.lock().unwrap().clone();
        assert!(told.len() == 1 && told[0].contains("gives no ETag"), "{told:?}");
        // Time and size are all that there is, so the origin waits until they have settled.
        assert!(object.stat().await.unwrap().age.is_some());
    });
}

#[test]
fn a_store_that_wants_fewer_requests_is_heard_and_nothing_is_tried_again() {
    on_tokio(async {
        let date = "Date: Sun, 29 Nov 2026 08:00:00 GMT\r\n";
        for (status, wait, seconds) in [
            ("503 Slow Down", "7", 7),
            ("429 Too Many Requests", "1", 1),
            ("503 Service Unavailable", "Sun, 29 Nov 2026 08:00:09 GMT", 9),
            ("503 Service Unavailable", "Fri, 29 Nov 2126 08:00:09 GMT", 600),
        ] {
            let headers = format!("{date}Retry-After: {wait}\r\nContent-Length: 0\r\n");
            let server = Server::start(&[&answer(status, &headers, "")]).await;
            let error = open(&s3(&server)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResourceBusy);
            let slow_down = *error.get_ref().unwrap().downcast_ref::<SlowDown>().unwrap();
            assert_eq!(slow_down.retry_after, Some(Duration::from_secs(seconds)));
            assert_eq!(server.asked().len(), 1);
        }
    });
}

#[test]
fn each_fault_of_the_set_up_has_its_own_sentence() {
    let faults = [
        ("403 Forbidden", "SignatureDoesNotMatch", "does not accept the credentials"),
        ("403 Forbidden", "InvalidAccessKeyId", "does not know the access key"),
        ("400 Bad Request", "ExpiredToken", "have expired"),
        ("403 Forbidden", "RequestTimeTooSkewed", "set the clock"),
        ("400 Bad Request", "AuthorizationHeaderMalformed", "another region"),
        ("404 Not Found", "NoSuchBucket", "bucket does not exist"),
        ("403 Forbidden", "AccessDenied", "check the rights"),
        ("500 Internal Server Error", "InternalError", "status 500, code InternalError"),
        ("500 Internal Server Error", "sig=the-secret", "status 500)"),
    ];
    on_tokio(async {
        let mut sentences = Vec::new();
        for (status, code, words) in faults {
            let body = format!(
                "<Error><Code>{code}</Code><Message>the-secret</Message><StringToSign>the-key</StringToSign></Error>"
            );
            let headers = format!("Content-Length: {}\r\n", body.len());
            let error = refusal(&answer(status, &headers, &body), s3).await;
            assert!(error.to_string().contains(words), "{code}: {error}");
            assert_ne!(error.kind(), ErrorKind::NotFound, "{code}");
            sentences.push(error.to_string());
        }
        sentences.sort();
        sentences.dedup();
        assert_eq!(sentences.len(), faults.len());
    });
}

#[test]
fn redirects_are_not_followed() {
    on_tokio(async {
        let other = Server::start(&[&part("\"1\"")]).await;
        let headers = format!("Location: {}/a?sig=x\r\nContent-Length: 0\r\n", other.address);
        let redirect = answer("302 Found", &headers, "");
        for of in [s3, web] {
            let error = refusal(&redirect, of).await;
            assert!(error.to_string().contains("redirects to another place"), "{error}");
        }
        assert!(other.asked().is_empty());
        let region = "x-amz-bucket-region: eu-west-1\r\nContent-Length: 0\r\n";
        let error = refusal(&answer("301 Moved Permanently", region, ""), s3).await;
        assert!(error.to_string().contains("set AWS_REGION"), "{error}");
    });
}

#[test]
fn answers_that_are_not_the_range_are_refused_with_the_remedy() {
    let tag = "ETag: \"1\"\r\nLast-Modified: Sun, 29 Nov 2026 08:00:00 GMT\r\n";
    let chunked = "a\r\n0123456789\r\n0\r\n\r\n";
    let cases = [
        ("200 OK", "Content-Length: 10\r\n", "0123456789", "must support ranges"),
        ("206 Partial Content", "Content-Length: 10\r\n", "0123456789", "must support ranges"),
        (
            "206 Partial Content",
            "Content-Range: bytes 0-9/100\r\nTransfer-Encoding: chunked\r\n",
            chunked,
            "switch off chunked encoding",
        ),
        (
            "206 Partial Content",
            "Content-Range: bytes 0-9/*\r\nContent-Length: 10\r\n",
            "0123456789",
            "size in Content-Range",
        ),
        (
            "206 Partial Content",
            "Content-Range: bytes 0-18446744073709551615/10\r\nContent-Length: 10\r\n",
            "0123456789",
            "size in Content-Range",
        ),
        (
            "206 Partial Content",
            "Content-Range: bytes 10-19/100\r\nContent-Length: 10\r\n",
            "0123456789",
            "the store gives bytes 10-19 of 100 for bytes 0 to 9, in 10 bytes",
        ),
        (
            "206 Partial Content",
            "Content-Range: bytes 0-9/100\r\nContent-Length: 10\r\nContent-Type: Multipart/byteranges; boundary=x\r\n",
            "0123456789",
            "several parts",
        ),
        (
            "206 Partial Content",
            "Content-Range: bytes 0-9/100\r\nContent-Length: 5\r\n",
            "01234",
            "in 5 bytes",
        ),
        (
            "206 Partial Content",
            "Content-Range: bytes 0-9/100\r\nContent-Length: 10\r\n",
            "01234",
            "broke",
        ),
        (
            "206 Partial Content",
            "Content-Range: bytes 0-9/100\r\nContent-Length: 10\r\nContent-Encoding: gzip\r\n",
            "0123456789",
            "stored compressed",
        ),
    ];
    on_tokio(async {
        for (status, headers, body, words) in cases {
            let headers = format!("{tag}{headers}");
            for of in [s3, web] {
                let error = refusal(&answer(status, &headers, body), of).await;
                assert!(error.to_string().contains(words), "{headers}: {error}");
            }
        }
    });
}

#[test]
fn a_page_in_place_of_a_file_is_refused() {
    let headers = "Date: Sun, 29 Nov 2026 09:00:00 GMT\r\nETag: \"1\"\r\nLast-Modified: Sun, 29 Nov 2026 08:00:00 GMT\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 10\r\nContent-Type: text/html; charset=utf-8\r\n";
    on_tokio(async {
        let page = answer("206 Partial Content", headers, "<!doctype ");
        let error = refusal(&page, web).await;
        assert_eq!(error.kind(), ErrorKind::IsADirectory);
        assert!(error.to_string().contains("text/html"), "{error}");
        let server = Server::start(&[&page]).await;
        assert!(web(&server).open_with(&name("player.html"), Ends::new(10, 0)).await.is_ok());
    });
}

#[test]
fn a_server_that_tells_versions_by_nothing_is_refused() {
    on_tokio(async {
        let headers = "Content-Range: bytes 0-9/100\r\nContent-Length: 10\r\n";
        let error = refusal(&answer("206 Partial Content", headers, "0123456789"), web).await;
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("ETag"), "{error}");
    });
}

#[test]
fn a_range_that_is_gone_means_that_the_object_shrank() {
    on_tokio(async {
        let gone = answer("416 Range Not Satisfiable", "Content-Length: 0\r\n", "");
        let short = answer(
            "200 OK",
            "ETag: \"2\"\r\nLast-Modified: Sun, 29 Nov 2026 08:00:01 GMT\r\nContent-Length: 5\r\n",
            "",
        );
        let server = Server::start(&[&part("\"1\""), &gone, &short]).await;
        let error = open(&s3(&server)).await.unwrap().read(50..60).await.unwrap_err();
        assert!(error.get_ref().is_some_and(|inner| inner.is::<ChangedError>()), "{error}");
        assert!(server.asked()[2].starts_with("HEAD "));
    });
}

#[test]
fn a_store_that_cannot_be_reached_says_so() {
    on_tokio(async {
        // It is not listened on.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = format!("http://{}", socket.local_addr().unwrap());
        let server = Server { address, asked: Arc::default() };
        let error = open(&s3(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(error.to_string().contains("check its endpoint"), "{error}");
    });
}

#[test]
fn keys_that_are_missing_are_named_before_anything_is_asked() {
    let connect = |location: &str, set: &[&str]| {
        let location = Location::parse(location).unwrap();
        let variable = |name: &str| set.contains(&name).then(|| "the-secret".to_owned());
        Bucket::connect(&location, variable).unwrap_err().to_string()
    };
    for (location, set, missing) in [
        ("s3://films", &["AWS_REGION"][..], "AWS_ACCESS_KEY_ID is not set"),
        ("s3://films", &["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY is not set"),
        ("s3://films", &["AWS_SECRET_ACCESS_KEY"], "AWS_ACCESS_KEY_ID is not set"),
        ("s3://films", &["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"], "AWS_REGION is not set"),
        ("https://host/films", &["STORE_ROOT_CERTIFICATES"], "cannot be read"),
    ] {
        let error = connect(location, set);
        assert!(error.contains(missing), "{error}");
    }
}

#[test]
fn an_endpoint_that_is_no_url_is_refused_before_anything_is_asked() {
    let credentials = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    for variable in
        ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_METADATA_ENDPOINT", "AWS_ENDPOINT_URL_STS"]
    {
        let connect = |endpoint: &str| {
            let location = Location::parse("s3://films").unwrap();
            let bucket = Bucket::connect(&location, |name| match name {
                "AWS_REGION" => Some("eu-west-1".into()),
                name if name == variable => Some(endpoint.to_owned()),
                name => credentials.contains(&name).then(|| "x".to_owned()),
            });
            bucket.map_err(|error| error.to_string())
        };
        for (endpoint, why) in [
            ("127.0.0.1:9000", "does not begin with http://"),
            ("not a url", "does not begin with http://"),
            ("the-secret", "does not begin with http://"),
            ("http:/the-secret:9000", "does not begin with http://"),
            ("http://", "does not begin with http://"),
            ("http://the-secret host", "is not a URL"),
            ("https://host:the-secret", "is not a URL"),
            ("https://host:70000", "is not a URL"),
            ("https://user:the-secret@host", "more than a host"),
            ("https://the-secret@host", "more than a host"),
            ("https://host/?the-secret", "more than a host"),
        ] {
            let error = connect(endpoint).unwrap_err();
            assert!(error.starts_with(variable) && error.contains(why), "{endpoint}: {error}");
            assert!(error.contains("such as https://"), "{error}");
            assert!(!error.contains("the-secret"), "{error}");
        }
        for endpoint in ["http://127.0.0.1:9000", "https://[::1]:9000/", "https://host/path/"] {
            assert!(connect(endpoint).is_ok(), "{endpoint}");
        }
    }
}

#[test]
fn a_store_whose_tags_never_stay_the_same_is_told_of_once() {
    on_tokio(async {
        let refused = answer("412 Precondition Failed", "Content-Length: 0\r\n", "");
        let tags: Vec<String> = (0..20).map(|number| part(&format!("\"{number}\""))).collect();
        let refusing: Vec<String> =
            (0..10).flat_map(|_| [part("\"1\""), refused.clone()]).collect();
        for answers in [tags, refusing] {
            let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
            let server = Server::start(&answers).await;
            let told = Arc::new(Mutex::new(Vec::new()));
            let kept = told.clone();
            let bucket =
                s3(&server).notify_by(move |text| kept.lock().unwrap().push(text.to_owned()));
            for turn in 1..=5 {
                let object = open(&bucket).await.unwrap();
                assert!(object.read(0..10).await.is_err());
                assert_eq!(told.lock().unwrap().len(), usize::from(turn >= 3), "{turn}");
            }
            let told = told.lock().unwrap().clone();
            assert!(told[0].contains("another ETag with each answer: `a.ismv`"), "{told:?}");
        }
    });
}

#[test]
fn readers_of_an_object_that_is_replaced_once_find_one_change() {
    on_tokio(async {
        let (old, new) = (part("\"1\""), part("\"2\""));
        let server = Server::start(&[&old, &new]).await;
        let told = Arc::new(Mutex::new(0));
        let kept = told.clone();
        let bucket = s3(&server).notify_by(move |_| *kept.lock().unwrap() += 1);
        let object = open(&bucket).await.unwrap();
        for _ in 0..5 {
            assert!(object.read(0..10).await.is_err());
            assert!(open(&bucket).await.unwrap().read(0..10).await.is_ok());
        }
        assert_eq!(*told.lock().unwrap(), 0);
    });
}

#[test]
#[cfg(feature = "live")]
fn what_an_archive_writes_has_its_bytes() {
    use bytes::Bytes;
    use smooth_origin::storage::{Archive, BucketArchive};

    on_tokio(async {
        let list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
        let listed = answer("200 OK", &format!("Content-Length: {}\r\n", list.len()), list);
        let missing = answer("404 Not Found", "Content-Length: 0\r\n", "");
        let put = answer("200 OK", "ETag: \"1\"\r\nContent-Length: 0\r\n", "");
        let server = Server::start(&[&missing, &listed, &put]).await;
        let archive = BucketArchive::new(s3(&server));
        archive.append(&name("a.ismv"), 0, Bytes::from_static(b"fragment")).await.unwrap();
        let asked = server.asked();
        assert!(asked[2].starts_with("PUT /films/.parts/a.ismv/0000"), "{asked:?}");
        assert!(asked[2].ends_with("\r\n\r\nfragment"), "{asked:?}");
    });
}
