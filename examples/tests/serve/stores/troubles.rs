//! Stores that do not answer: the sentences of the log, and the responses to clients.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::client::fetch;
use super::fake_s3::FakeS3;
use super::store;
use crate::observed::{Observed, refusing, wait_for};

/// Sends a request that fails, and returns its status and what the log has.
fn failed(store: &FakeS3, location: &str, words: &str) -> u16 {
    let server = Observed::start_by(store.command(), &[location]);
    let (status, body) = fetch(&server, "/split/split.ism/Manifest");
    let body = String::from_utf8_lossy(&body).into_owned();
    let log = wait_for(words, || {
        let log = server.errors();
        log.contains(words).then_some(log)
    });
    for secret in ["the-key", "the-secret", "Signature"] {
        assert!(!log.contains(secret) && !body.contains(secret), "{log}{body}");
    }
    for of_operator in ["s3:", "bucket", "credentials", "clock", "127.0.0.1", words] {
        assert!(!body.contains(of_operator), "{of_operator}: {body}");
    }
    status
}

#[test]
fn the_operator_reads_what_is_wrong_and_the_client_does_not() {
    let store = store();
    assert_eq!(failed(&store, "s3://absent", "the bucket does not exist"), 503);
    for (status, code, words, of_client) in [
        (403, "InvalidAccessKeyId", "does not know the access key", 503),
        (403, "SignatureDoesNotMatch", "check the secret key", 503),
        (400, "ExpiredToken", "the credentials have expired", 503),
        (403, "RequestTimeTooSkewed", "set the clock", 503),
        (500, "InternalError", "the store failed", 503),
    ] {
        store.fail(Some((status, code)));
        assert_eq!(failed(&store, "s3://films", words), of_client, "{code}");
    }
}

#[test]
fn a_store_that_answers_again_is_served_again() {
    let store = store();
    let server = Observed::start_by(store.command(), &["s3://films"]);
    store.fail(Some((503, "SlowDown")));
    assert_eq!(fetch(&server, "/split/split.ism/Manifest").0, 503);
    store.fail(None);
    wait_for("the store", || (fetch(&server, "/split/split.ism/Manifest").0 == 200).then_some(()));
}

#[test]
fn a_store_that_does_not_run_gives_503() {
    let (address, _socket) = refusing();
    let mut command = store().command();
    command.env("AWS_ENDPOINT_URL", format!("http://{address}"));
    let server = Observed::start_by(command, &["s3://films"]);
    assert_eq!(fetch(&server, "/split/split.ism/Manifest").0, 503);
    wait_for("the line", || server.errors().contains("refuses connections").then_some(()));
}

#[test]
fn a_name_that_the_store_does_not_have_is_not_found() {
    let store = store();
    let server = Observed::start_by(store.command(), &["s3://films"]);
    assert_eq!(fetch(&server, "/no/no.ism/Manifest").0, 404);
}

#[test]
fn what_is_missing_in_the_environment_is_missed_at_the_start() {
    let store = store();
    let output = store.command_without_key().args(["s3://films"]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("s3://films: AWS_ACCESS_KEY_ID is not set"), "{errors}");
    #[cfg(target_os = "linux")]
    {
        let sendfile = crate::program::program().with_file_name("sendfile");
        let output = std::process::Command::new(sendfile).arg("s3://films").output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(
            errors.contains("sendfile sends files of folders, and s3://films is none"),
            "{errors}"
        );
    }
    let (status, errors) = crate::program::refused(&["--store", "prefix=a,location=ftp://a"]);
    assert_eq!(status, 2);
    assert!(errors.contains("s3://, az://, gs://"), "{errors}");
}

#[test]
fn a_refused_location_is_not_repeated() {
    let store = store();
    for (location, words) in [
        ("s3://user:xyzzy@films/2026", "no user or password"),
        ("https://host/x?sig=xyzzy", "no query"),
        ("s3:/key:xyzzy@films", "two slashes"),
        ("ftp://user:xyzzy@host/x", "s3://, az://, gs://"),
        ("s3://films#xyzzy", "no query"),
    ] {
        let (prefixed, rule) = (format!("a={location}"), format!("prefix=a,location={location}"));
        let (no_location, no_key) =
            (format!("prefix=a,lcoation={location}"), format!("prefix=a,{location},location=x"));
        let as_host = format!("host={location},location=s3://films");
        let misspelled = format!("--stroe={location}");
        for arguments in [
            &[location][..],
            &["--check", location],
            &[&prefixed],
            &["--store", &rule],
            &["--check", "--store", &rule],
            &["--store", &no_location],
            &["--store", &no_key],
            &["--store", &as_host],
            &[&misspelled],
        ] {
            let output = store.command().args(arguments).output().unwrap();
            let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(!text.contains("xyzzy"), "{text}");
            let is_location = arguments.last().is_some_and(|last| {
                last.ends_with(location)
                    && !["--stroe", "lcoation"].iter().any(|no| last.contains(no))
            });
            assert!(text.contains(words) || !is_location, "{text}");
        }
        let (status, entries) = super::inspected::inspect(&store, &[location]);
        assert_eq!(status, 3);
        let text = entries[0].to_string();
        assert!(!text.contains("xyzzy") && text.contains(words), "{text}");
    }
}

#[test]
fn a_name_that_no_bucket_has_is_refused_with_the_rule() {
    for (location, words) in [
        ("s3://Films/2026", "3 to 63 small letters, digits, dots and hyphens"),
        ("s3://my_films", "3 to 63 small letters, digits, dots and hyphens"),
        ("s3://films-*_", "3 to 63 small letters, digits, dots and hyphens"),
        #[cfg(feature = "azure")]
        ("az://Films", "3 to 63 small letters, digits and single hyphens"),
        #[cfg(feature = "gcs")]
        ("gs://Films", "small letters, digits, dots, hyphens and underscores"),
    ] {
        let place = format!("prefix=*,location={location}");
        let (status, errors) = match location.contains('*') {
            true => crate::program::refused(&["--store", &place]),
            false => crate::program::refused(&[location]),
        };
        assert_eq!(status, 2, "{errors}");
        assert!(errors.contains(words) && errors.contains(location), "{errors}");
    }
}

#[test]
fn a_server_without_tls_is_named_as_that() {
    let mut command = store().command();
    // What a plain server answers to the first bytes of TLS.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    command.env("AWS_ENDPOINT_URL", format!("https://{address}"));
    let server = Observed::start_by(command, &["s3://films"]);
    assert_eq!(fetch(&server, "/split/split.ism/Manifest").0, 503);
    let words = "the port of the store does not speak TLS: write its endpoint with http://";
    wait_for(words, || server.errors().contains(words).then_some(()));
}

#[test]
fn a_check_of_a_store_that_cannot_be_listed_says_why_and_fails() {
    let store = store();
    store.fail(Some((403, "InvalidAccessKeyId")));
    let output = store.command().args(["--check", "s3://films"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    let line = "not looked at: the store s3://films: the store does not know the access key";
    assert!(text.starts_with(line) && !text.contains("no presentation"), "{text}");
}
