//! Buckets on real servers, which `e2e/stores/check.py` starts: it runs these tests with their
//! addresses in the environment.

#![cfg(all(feature = "s3", feature = "azure", feature = "gcs", feature = "http-store"))]

use std::collections::HashMap;
use std::env;
use std::fs;
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use smooth_origin::base::Name;
use smooth_origin::storage::conformance::{self, Fixture};
use smooth_origin::storage::{
    AnyStore, Bucket, ChangedError, Ends, Link, Links, Location, RangeSource, SignedLinks, Source,
    Store,
};
use testkit::name;

/// Needed by all tests of this file.
const WHY: &str = "run e2e/stores/check.py, which starts the servers";

fn var(name: &str) -> String {
    env::var(format!("STORE_{name}")).expect(WHY)
}

/// Runs a test on Tokio, which the clients need.
fn on_tokio(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

fn connect(location: &str, variables: &[(&str, &str)]) -> Bucket {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let location = Location::parse(location).unwrap();
    Bucket::connect(&location, |name| variables.get(name).cloned()).unwrap()
}

/// Sends one request over a connection of its own; the answer must be a success.
fn send(method: &str, server: &str, target: &str, headers: &str, body: &[u8]) {
    let host = server.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 2"), "{method} {target}: {answer}");
}

/// Writes by requests: a method, a target and headers to put an object and to remove one.
struct Requests {
    server: String,
    put: fn(&Name) -> (&'static str, String, &'static str),
    remove: fn(&Name) -> String,
}

impl Fixture for Requests {
    async fn put(&self, name: &Name, content: Vec<u8>) {
        let (method, target, headers) = (self.put)(name);
        send(method, &self.server, &target, headers, &content);
    }

    async fn remove(&self, name: &Name) {
        let headers = (self.put)(name).2;
        send("DELETE", &self.server, &(self.remove)(name), headers, b"");
    }
}

/// Writes into the folder that a server serves. The versions are times in whole seconds.
struct Folder(PathBuf);

impl Fixture for Folder {
    async fn put(&self, name: &Name, content: Vec<u8>) {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let path = self.0.join(name.as_str());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(self.0.join("new"), content).unwrap();
        fs::rename(self.0.join("new"), path).unwrap();
    }

    async fn remove(&self, name: &Name) {
        fs::remove_file(self.0.join(name.as_str())).unwrap();
    }
}

const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 \
    Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00\r\n";

fn moto(prefix: &str) -> (Bucket, Requests) {
    let server = var("MOTO");
    let variables = [
        ("AWS_ENDPOINT_URL", server.as_str()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let bucket = connect(&format!("s3://vod{prefix}"), &variables);
    // Signatures are not checked, but anonymous requests may not replace an object.
    let put = |name: &Name| ("PUT", format!("/vod/{name}"), SIGNED);
    (bucket, Requests { server, put, remove: |name| format!("/vod/{name}") })
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn s3_by_moto_passes() {
    on_tokio(async {
        let (bucket, writer) = moto("");
        conformance::all(&bucket, &writer).await;
        let (bucket, writer) = moto("");
        conformance::all(&AnyStore::new(bucket), &writer).await;
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn a_listing_of_several_pages_is_whole_or_exceeds_its_budget() {
    on_tokio(async {
        let (bucket, writer) = moto("");
        for number in 0..1200 {
            writer.put(&name(&format!("many/{number}.ismv")), Vec::new()).await;
        }
        let folder = name("many");
        assert_eq!(bucket.list(Some(&folder)).await.unwrap().len(), 1200);
        let error = bucket.max_listed(1199).list(Some(&folder)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn s3_that_ignores_conditions_by_hadro_passes() {
    on_tokio(async {
        let server = var("HADRO");
        let variables = [("AWS_ENDPOINT_URL", server.as_str()), ("AWS_SKIP_SIGNATURE", "true")];
        let bucket = connect("s3://vod", &variables);
        conformance::all(&bucket, &Folder(var("HADRO_FOLDER").into())).await;
    });
}

fn azurite() -> (String, Requests) {
    let server = var("AZURITE");
    let endpoint = format!("{server}/devstoreaccount1");
    let target = |name: &Name| format!("/devstoreaccount1/vod/{name}?{}", var("AZURITE_WRITE"));
    let put = |name: &Name| {
        let target = format!("/devstoreaccount1/vod/{name}?{}", var("AZURITE_WRITE"));
        ("PUT", target, "x-ms-blob-type: BlockBlob\r\nx-ms-version: 2020-08-04\r\n")
    };
    (endpoint, Requests { server, put, remove: target })
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn azure_by_azurite_passes_with_a_key_and_with_a_signature() {
    on_tokio(async {
        let (endpoint, writer) = azurite();
        let (key, signature) = (var("AZURITE_KEY"), var("AZURITE_READ"));
        for secret in
            [("AZURE_STORAGE_ACCOUNT_KEY", key.as_str()), ("AZURE_STORAGE_SAS_TOKEN", &signature)]
        {
            let account = ("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1");
            let endpoint = ("AZURE_STORAGE_ENDPOINT", endpoint.as_str());
            let bucket = connect("az://vod", &[account, endpoint, secret]);
            conformance::all(&bucket, &writer).await;
        }
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn google_by_fake_gcs_server_passes() {
    on_tokio(async {
        let server = var("GOOGLE");
        let variables = [("GOOGLE_BASE_URL", server.as_str()), ("GOOGLE_SKIP_SIGNATURE", "true")];
        let bucket = connect("gs://vod", &variables);
        let put = |name: &Name| {
            let target = format!("/upload/storage/v1/b/vod/o?uploadType=media&name={name}");
            ("POST", target, "Content-Type: video/mp4\r\n")
        };
        let remove =
            |name: &Name| format!("/storage/v1/b/vod/o/{}", name.as_str().replace('/', "%2F"));
        conformance::all(&bucket, &Requests { server, put, remove }).await;
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn a_web_server_by_nginx_passes() {
    on_tokio(async {
        let bucket = connect(&var("NGINX"), &[]);
        conformance::all(&bucket, &Folder(var("NGINX_FOLDER").into())).await;
    });
}

/// Writes a file in place, with one letter after the other, until it is told to end. Each time takes a
/// while, and is followed by a rest in which the file settles.
fn rewrite(path: PathBuf, until: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for letter in (b'a'..=b'z').cycle() {
            if until.load(Ordering::Relaxed) {
                return;
            }
            let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            for _ in 0..32 {
                file.write_all(&vec![letter; 256 << 10]).unwrap();
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(3500));
        }
    })
}

/// How many reads of a file that is rewritten in place were whole, of two versions, and refused. Reading goes on until
/// that is enough.
async fn reads_of_a_rewritten_file(
    look_again: Duration,
    is_enough: impl Fn(u32, u32, u32) -> bool,
) -> (u32, u32, u32) {
    // The server sends 8 MiB in a second from this folder.
    let path = PathBuf::from(var("NGINX_FOLDER")).join("slow/rewritten.bin");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, vec![b'.'; 8 << 20]).unwrap();
    let bucket = connect(&var("NGINX"), &[]).look_again(look_again);
    let end = Arc::new(AtomicBool::new(false));
    let writer = rewrite(path, end.clone());
    let (mut whole, mut mixed, mut refused) = (0, 0, 0);
    while !is_enough(whole, mixed, refused) {
        let opened = bucket.open_with(&name("slow/rewritten.bin"), Ends::new(1, 0)).await;
        // As an origin does: what changed a moment ago is not opened.
        let settled = opened
            .ok()
            .filter(|opened| opened.stat.age.unwrap().at_least >= Duration::from_secs(1));
        let Some(opened) = settled else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        loop {
            match opened.source.read(0..8 << 20).await {
                Ok(bytes) if bytes.iter().all(|byte| *byte == bytes[0]) => whole += 1,
                Ok(_) => mixed += 1,
                Err(error) => {
                    let is_change = error.get_ref().is_some_and(|inner| inner.is::<ChangedError>());
                    assert!(is_change, "{error}");
                    refused += 1;
                    break;
                }
            }
        }
    }
    end.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    (whole, mixed, refused)
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn a_file_that_nginx_sends_while_it_is_rewritten_is_never_a_mix_if_it_is_looked_at_again() {
    let few = |whole: u32, mixed: u32, refused: u32| whole + mixed >= 2 && refused >= 2;
    // Which read meets a writer is chance.
    let until_mixed = |_, mixed: u32, refused: u32| mixed > 0 || refused >= 20;
    on_tokio(async {
        for look_again in [Duration::from_secs(600), Duration::MAX] {
            let (whole, mixed, refused) = reads_of_a_rewritten_file(look_again, few).await;
            println!("{look_again:?}: {whole} whole, {mixed} mixed, {refused} refused");
            assert_eq!(mixed, 0, "beside {whole} whole reads, and {refused} that failed");
        }
        let (whole, mixed, refused) = reads_of_a_rewritten_file(Duration::ZERO, until_mixed).await;
        println!("without a second look: {whole} whole, {mixed} mixed, {refused} refused");
        assert!(mixed > 0, "the server does not show what the second look is for");
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn a_server_over_tls_is_trusted_by_its_root_certificate() {
    on_tokio(async {
        fs::write(PathBuf::from(var("NGINX_FOLDER")).join("secure.bin"), vec![7; 1000]).unwrap();
        let (server, root) = (var("NGINX_SECURE"), var("NGINX_ROOT"));
        let error = connect(&server, &[]).open(&name("secure.bin")).await.unwrap_err();
        assert!(error.to_string().contains("is not trusted"), "{error}");
        for (server, words) in
            [("EXPIRED", "has expired: renew it"), ("OTHER", "is for another name")]
        {
            let server = connect(
                &var(&format!("NGINX_{server}")),
                &[("STORE_ROOT_CERTIFICATES", root.as_str())],
            );
            let error = server.open(&name("secure.bin")).await.unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        let trusting = connect(&server, &[("STORE_ROOT_CERTIFICATES", root.as_str())]);
        let object = trusting.open(&name("secure.bin")).await.unwrap();
        assert_eq!(object.read(990..1000).await.unwrap(), vec![7; 10]);
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn webdav_by_rclone_passes() {
    on_tokio(async {
        let bucket = connect(&var("WEBDAV"), &[]);
        conformance::all(&bucket, &Folder(var("WEBDAV_FOLDER").into())).await;
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn a_server_without_ranges_by_python_is_refused_with_the_remedy() {
    on_tokio(async {
        let folder = PathBuf::from(var("PYTHON_FOLDER"));
        fs::create_dir_all(folder.join("films")).unwrap();
        fs::write(folder.join("films/a.ismv"), vec![7; 100_000]).unwrap();
        let bucket = connect(&format!("{}/films", var("PYTHON")), &[]);
        let error = bucket.open_with(&name("a.ismv"), Ends::new(100, 100)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("must support ranges"), "{error}");
        let missing = bucket.open(&name("b.ismv")).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        let root = connect(&var("PYTHON"), &[]);
        let folder = root.open(&name("films")).await.unwrap_err();
        assert_eq!(folder.kind(), ErrorKind::IsADirectory);
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn requests_for_odd_keys_are_signed_as_amazon_signs_them() {
    on_tokio(async {
        let server = var("SIGNED");
        let connect = |secret, token: Option<&'static str>| {
            let mut variables = vec![
                ("AWS_ENDPOINT_URL", server.as_str()),
                ("AWS_ACCESS_KEY_ID", "key"),
                ("AWS_SECRET_ACCESS_KEY", secret),
            ];
            variables.extend(token.map(|token| ("AWS_SESSION_TOKEN", token)));
            connect("s3://vod/films 1/\u{e9}t\u{e9}", &variables)
        };
        let object = name("a.ismv");
        for (secret, token) in [("wrong", None), ("secret", Some("other"))] {
            let error = connect(secret, token).open(&object).await.unwrap_err();
            assert!(error.to_string().contains("does not accept the credentials"), "{error}");
        }
        for token in [None, Some("token")] {
            let bucket = connect("secret", token);
            for key in [
                "a b.ismv",
                "a+b.ismv",
                "\u{c9}t\u{e9} \u{65e5}\u{672c}/\u{1f600}.ismv",
                "(1)[2]{3}.ismv",
                "a;b&c=d,e.ismv",
                "it's #1!?*.ismv",
                "~a-b._c$@:.ismv",
                "100%41%2f%.ismv",
                "\"<>|^`.ismv",
                "cafe\u{301}.ismv",
            ] {
                let opening = bucket.open_with(&name(key), Ends::new(1000, 0)).await;
                let opening = opening.unwrap_or_else(|error| panic!("{key}: {error}"));
                let whole = format!("vod/films 1/\u{e9}t\u{e9}/{key}");
                assert_eq!(opening.head.unwrap(), whole.as_bytes(), "{key}");
                let read = opening.source.read(1..3).await.unwrap();
                assert_eq!(read, "od", "{key}");
            }
        }
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn an_object_of_no_bytes_opens_on_every_store() {
    on_tokio(async {
        let empty = name("empty.bin");
        let mut all: Vec<(&str, AnyStore)> = Vec::new();
        let (bucket, writer) = moto("");
        writer.put(&empty, Vec::new()).await;
        all.push(("moto", AnyStore::new(bucket)));
        let (endpoint, writer) = azurite();
        writer.put(&empty, Vec::new()).await;
        let variables = [
            ("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1"),
            ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
            ("AZURE_STORAGE_ACCOUNT_KEY", &var("AZURITE_KEY")),
        ];
        all.push(("azurite", AnyStore::new(connect("az://vod", &variables))));
        for store in ["NGINX", "WEBDAV", "PYTHON"] {
            fs::write(PathBuf::from(var(&format!("{store}_FOLDER"))).join("empty.bin"), "")
                .unwrap();
            all.push((store, AnyStore::new(connect(&var(store), &[]))));
        }
        for (server, store) in all {
            let opening = store.open_with(&empty, Ends::new(100, 100)).await;
            let opening = opening.unwrap_or_else(|error| panic!("{server}: {error}"));
            assert_eq!(opening.stat.size, 0, "{server}");
            let _: &Source = &opening.source;
        }
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn what_is_wrong_is_said_without_secrets() {
    on_tokio(async {
        let (server, object) = (var("MOTO"), name("a.ismv"));
        let variables = [
            ("AWS_ENDPOINT_URL", server.as_str()),
            ("AWS_ACCESS_KEY_ID", "key"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        let error = connect("s3://missing", &variables).open(&object).await.unwrap_err();
        assert!(error.to_string().contains("bucket does not exist"), "{error}");

        let (endpoint, _) = azurite();
        let account = ("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1");
        let place = ("AZURE_STORAGE_ENDPOINT", endpoint.as_str());
        let broken = var("AZURITE_READ").replace("sig=", "sig=AAAA");
        let secret = ("AZURE_STORAGE_SAS_TOKEN", broken.as_str());
        let error = connect("az://vod", &[account, place, secret]).open(&object).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(error.to_string().contains("does not accept the credentials"), "{error}");
        assert!(!format!("{error:?}").contains("sig"), "{error:?}");
        let key = ("AZURE_STORAGE_ACCOUNT_KEY", &var("AZURITE_KEY")[..]);
        let error = connect("az://other", &[account, place, key]).open(&object).await.unwrap_err();
        assert!(error.to_string().contains("bucket does not exist"), "{error}");
    });
}

/// A client without keys: the status and the body of a URL.
fn follow(method: &str, url: &str, headers: &str) -> (u16, Vec<u8>) {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1).unwrap().parse();
    (status.unwrap(), answer.split_off(end + 4))
}

async fn link_of(bucket: &Bucket, object: &Name) -> Option<Link> {
    let source = Source::new(bucket.open(object).await.unwrap());
    SignedLinks.link(&source, Duration::from_secs(60)).await.unwrap()
}

const FRAGMENT: &str = "film.ism/QualityLevels(300000)/Fragments(video=0)";

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn a_signed_url_of_moto_gives_the_version_that_was_opened() {
    on_tokio(async {
        let (bucket, writer) = moto("");
        let object = name(FRAGMENT);
        writer.put(&object, b"the first version".to_vec()).await;
        let link = link_of(&bucket, &object).await.unwrap();
        assert!(!link.is_pinned());
        assert_eq!(follow("GET", link.url(), ""), (200, b"the first version".to_vec()));
        assert_eq!(follow("GET", link.url(), "Range: bytes=4-8\r\n"), (206, b"first".to_vec()));
        writer.put(&object, b"another version".to_vec()).await;
        assert_eq!(follow("GET", link.url(), ""), (200, b"another version".to_vec()));

        let on = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        send("PUT", &writer.server, "/vod?versioning", SIGNED, on);
        writer.put(&object, b"the first version".to_vec()).await;
        let link = link_of(&bucket, &object).await.unwrap();
        writer.put(&object, b"another version".to_vec()).await;
        let off = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
        send("PUT", &writer.server, "/vod?versioning", SIGNED, off);
        assert!(link.is_pinned());
        assert_eq!(follow("GET", link.url(), ""), (200, b"the first version".to_vec()));
    });
}

#[test]
#[ignore = "needs e2e/stores/check.py"]
fn a_signed_url_of_azurite_is_for_this_object_and_for_reading() {
    on_tokio(async {
        let (endpoint, writer) = azurite();
        let key = var("AZURITE_KEY");
        let variables = [
            ("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1"),
            ("AZURE_STORAGE_ENDPOINT", endpoint.as_str()),
            ("AZURE_STORAGE_ACCOUNT_KEY", key.as_str()),
        ];
        let bucket = connect("az://vod", &variables);
        let object = name(FRAGMENT);
        writer.put(&object, b"the content".to_vec()).await;
        let link = link_of(&bucket, &object).await.unwrap();
        let version = "x-ms-version: 2020-08-04\r\n";
        assert_eq!(follow("GET", link.url(), ""), (200, b"the content".to_vec()));
        assert_eq!(follow("GET", link.url(), "Range: bytes=4-6\r\n"), (206, b"con".to_vec()));
        assert_eq!(follow("GET", &link.url().replace("video=0", "video=1"), version).0, 403);
        assert_eq!(follow("DELETE", link.url(), version).0, 403);
        // Azure would refuse the signature.
        let odd = name("a%20b");
        send(
            "PUT",
            &writer.server,
            &(writer.put)(&name("a%2520b")).1,
            (writer.put)(&odd).2,
            b"any",
        );
        assert_eq!(link_of(&bucket, &odd).await, None);
    });
}
