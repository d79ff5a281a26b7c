//! Signed URLs of objects in buckets: their version, their life, and what has none.

#![cfg(all(feature = "s3", feature = "azure"))]

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use smooth_origin::storage::{
    AnyStore, Bucket, CountingStore, Ends, LimitStore, Link, Links, Location, MemoryStore, Mounts,
    SignedLinks, Source, Store,
};
use testkit::name;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Runs a test on Tokio, which the clients need.
fn on_tokio(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

const LIFE: Duration = Duration::from_secs(300);

/// A server that gives ten bytes of an object of ten, whatever is asked. Returns its address.
async fn server(headers: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            let answer = format!(
                "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nETag: \"tag\"\r\nContent-Length: 10\r\n\
                 Last-Modified: Sun, 29 Nov 2026 08:00:00 GMT\r\nContent-Range: bytes 0-9/10\r\n{headers}\r\n0123456789"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

fn connect(location: &str, variables: &[(&str, &str)]) -> Bucket {
    let location = Location::parse(location).unwrap();
    let value = |name: &str| variables.iter().find(|(known, _)| *known == name);
    Bucket::connect(&location, |name| value(name).map(|(_, value)| value.to_string())).unwrap()
}

fn s3(address: &str, more: &[(&str, &str)]) -> Bucket {
    let keys = [
        ("AWS_ENDPOINT_URL", address),
        ("AWS_ACCESS_KEY_ID", "the-key"),
        ("AWS_SECRET_ACCESS_KEY", "the-secret"),
    ];
    connect("s3://films/2026", &[&keys, more].concat())
}

/// The URL of an object of a store, which reads it by ranges of ten bytes.
async fn link_of(store: impl Store, object: &str) -> std::io::Result<Option<Link>> {
    let opening = store.open_with(&name(object), Ends::new(10, 0)).await.unwrap();
    SignedLinks.link(&Source::new(opening.source), LIFE).await
}

#[test]
fn a_url_of_s3_names_the_version_that_was_opened() {
    on_tokio(async {
        let address = server("x-amz-version-id: version/1\r\n").await;
        let link = link_of(s3(&address, &[]), "a b/é(1)=2.ismv").await.unwrap().unwrap();
        assert!(link.is_pinned());
        let (path, query) = link.url().split_once('?').unwrap();
        assert!(path.starts_with(&format!("{address}/films/2026/a%20b/%C3%A9")), "{path}");
        for part in ["versionId=version%2F1", "X-Amz-Expires=300", "X-Amz-SignedHeaders=host"] {
            assert!(query.split('&').any(|known| known == part), "{query}");
        }
        assert!(query.contains("X-Amz-Signature=") && !query.contains("the-secret"), "{query}");
        assert!(!format!("{link:?}").contains("Signature"), "{link:?}");
    });
}

#[test]
fn a_bucket_without_versions_has_urls_of_the_object_alone() {
    on_tokio(async {
        let address = server("").await;
        let bucket = s3(&address, &[("AWS_SESSION_TOKEN", "the-token")]);
        let link = link_of(bucket, "film.ismv").await.unwrap().unwrap();
        assert!(!link.is_pinned() && !link.url().contains("versionId"), "{}", link.url());
        assert!(link.url().contains("X-Amz-Security-Token=the-token"));
    });
}

#[test]
fn stores_around_a_bucket_leave_its_urls() {
    on_tokio(async {
        let address = server("").await;
        let bucket = LimitStore::new(CountingStore::new(s3(&address, &[])), 4);
        let all = Mounts::new().mount("on/s3", AnyStore::new(bucket)).unwrap();
        let memory = MemoryStore::new();
        memory.put(name("film.ismv"), "content");
        let all = Arc::new(all.mount("memory", AnyStore::new(memory)).unwrap());
        let link = link_of(Arc::clone(&all), "on/s3/film.ismv").await.unwrap().unwrap();
        assert!(
            link.url().starts_with(&format!("{address}/films/2026/film.ismv?")),
            "{}",
            link.url()
        );
        assert_eq!(link_of(all, "memory/film.ismv").await.unwrap(), None);
    });
}

#[test]
fn a_life_that_the_store_would_refuse_is_refused() {
    on_tokio(async {
        let bucket = s3(&server("").await, &[]);
        let opening = bucket.open_with(&name("film.ismv"), Ends::new(10, 0)).await.unwrap();
        let source = Source::new(opening.source);
        for (seconds, is_valid) in [(0, false), (1, true), (604_800, true), (604_801, false)] {
            let link = SignedLinks.link(&source, Duration::from_secs(seconds)).await;
            match is_valid {
                true => assert!(link.unwrap().is_some()),
                false => assert_eq!(link.unwrap_err().kind(), ErrorKind::InvalidInput, "{seconds}"),
            }
        }
    });
}

#[test]
fn a_bucket_that_is_read_without_keys_has_no_urls() {
    on_tokio(async {
        let address = server("").await;
        for on in ["true", "1", "TRUE"] {
            let bucket = s3(&address, &[("AWS_SKIP_SIGNATURE", on)]);
            assert_eq!(link_of(bucket, "film.ismv").await.unwrap(), None);
        }
        let bucket = s3(&address, &[("AWS_SKIP_SIGNATURE", "false")]);
        assert!(link_of(bucket, "film.ismv").await.unwrap().is_some());
    });
}

#[test]
fn azure_signs_for_names_that_need_no_encoding() {
    on_tokio(async {
        let address = server("").await;
        let with = |credential: (&'static str, &'static str)| {
            let endpoint = ("AZURE_STORAGE_ENDPOINT", address.as_str());
            connect(
                "az://films",
                &[endpoint, ("AZURE_STORAGE_ACCOUNT_NAME", "account"), credential],
            )
        };
        let keyed = || with(("AZURE_STORAGE_ACCOUNT_KEY", "dGhlLWtleQ=="));
        let file = "film.ism/QualityLevels(300)/Fragments(video=0)";
        let link = link_of(keyed(), file).await.unwrap().unwrap();
        assert!(!link.is_pinned());
        assert!(link.url().contains(&format!("/films/{file}?")), "{}", link.url());
        assert!(link.url().contains("&sig=") || link.url().contains("?sig="), "{}", link.url());
        for odd in ["été.ism/a", "a b/a", "a%41"] {
            assert_eq!(link_of(keyed(), odd).await.unwrap(), None, "{odd}");
        }
        let sas = "sv=2024-01-01&sig=the-secret";
        let shared = with(("AZURE_STORAGE_SAS_TOKEN", sas));
        let error = link_of(shared, file).await.unwrap_err().to_string();
        assert!(
            error.contains("AZURE_STORAGE_ACCOUNT_KEY") && !error.contains("the-secret"),
            "{error}"
        );
    });
}
