//! TLS: protocols, certificates that are wrong, certificates that change.

use std::fs;
use std::io::Read;

use hyper::Version;

use crate::encrypted::{Certificate, ask_over_tls};
use crate::observed::{Empty, Observed, TESTDATA, wait_for};
use crate::program::run;

const MANIFEST: &str = "/bframes/bframes.ism/Manifest";

fn options(folder: &Empty) -> Vec<String> {
    let (certificate, key) = (folder.path("cert.pem"), folder.path("key.pem"));
    vec!["--tls-certificate".into(), certificate, "--tls-key".into(), key]
}

fn start(folder: &Empty, more: &[&str]) -> Observed {
    let options = options(folder);
    let options: Vec<_> = options.iter().map(String::as_str).chain(more.iter().copied()).collect();
    Observed::start(TESTDATA, &options)
}

#[test]
fn http2_and_http1_have_the_same_bytes_as_without_tls() {
    let folder = Empty::new("tls");
    let certificate = Certificate::write(&folder, true);
    let server = start(&folder, &["--operator-listen", "127.0.0.1:0"]);
    let plain = server.ask_at(server.operator(), &format!("GET {MANIFEST}"), &[]);
    for (alpn, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let got = ask_over_tls(server.address, &certificate, alpn, MANIFEST).unwrap();
        assert_eq!((got.status, got.version), (200, version));
        assert_eq!(got.body, plain.body.as_bytes());
    }
}

#[test]
fn a_client_without_tls_reads_what_to_do() {
    let folder = Empty::new("tls-plain");
    Certificate::write(&folder, true);
    let server = start(&folder, &[]);
    let got = server.ask(&format!("GET {MANIFEST}"), &[]);
    assert_eq!(got.status, 400);
    assert_eq!(got.body, "This port takes HTTPS: begin the URL with https://.\n");
    assert!(got.head.contains(&format!("content-length: {}", got.body.len())));
}

#[test]
fn a_client_that_does_not_end_its_handshake_is_disconnected() {
    let folder = Empty::new("tls-slow");
    Certificate::write(&folder, true);
    let server = start(&folder, &["--handshake-timeout", "2", "--log-level", "debug"]);
    let mut silent = std::net::TcpStream::connect(server.address).unwrap();
    let mut begun = std::net::TcpStream::connect(server.address).unwrap();
    std::io::Write::write_all(&mut begun, b"\x16\x03\x01\x02\x00\x01").unwrap();
    for stream in [&mut silent, &mut begun] {
        assert_eq!(stream.read(&mut [0; 9]).unwrap_or(0), 0);
    }
    for line in ["no request came in time", "the handshake of TLS did not end in time"] {
        wait_for(line, || server.errors().contains(line).then_some(()));
    }
}

#[test]
fn files_that_are_wrong_are_refused_with_what_to_do() {
    let folder = Empty::new("tls-wrong");
    Certificate::write(&folder, true);
    let (certificate, key) = (folder.path("cert.pem"), folder.path("key.pem"));
    let other = Empty::new("tls-other");
    Certificate::write(&other, true);
    let encrypted = folder.path("encrypted.pem");
    fs::write(
        &encrypted,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    let broken = folder.path("broken.pem");
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n").unwrap();
    let absent = folder.path("absent.pem");
    for (certificate, key, sentence) in [
        (&absent, &key, format!("error: cannot read the certificate in {absent}: ")),
        (
            &certificate,
            &absent,
            format!("error: cannot read the key of the certificate in {absent}: "),
        ),
        (
            &key,
            &key,
            format!("error: {key}: no certificate is in it; in PEM it begins with -----BEGIN"),
        ),
        (&certificate, &certificate, format!("error: {certificate}: no key is in it; in PEM")),
        (
            &certificate,
            &encrypted,
            format!("error: {encrypted}: the key is encrypted; write it without"),
        ),
        (
            &certificate,
            &other.path("key.pem"),
            format!(
                "error: {}: the key is not the one of the certificate in {certificate}",
                other.path("key.pem")
            ),
        ),
        (&broken, &key, format!("error: {broken}: the certificate is broken")),
    ] {
        let ended =
            run(&[TESTDATA, "--listen", "0", "--tls-certificate", certificate, "--tls-key", key]);
        assert!(ended.errors.starts_with(&sentence), "{sentence}\n{}", ended.errors);
        assert_eq!(ended.status, 1);
    }
}

#[test]
fn one_file_without_the_other_is_refused_by_line_and_by_file() {
    let ended = run(&[TESTDATA, "--tls-key", "key.pem"]);
    assert!(ended.errors.contains("--tls-certificate <FILE>"), "{}", ended.errors);
    let folder = Empty::new("tls-alone");
    let file = folder.path("serve.toml");
    fs::write(&file, "list = 1\ntls-key = \"key.pem\"\n").unwrap();
    let ended = run(&["--config", &file]);
    let sentence = format!("error: {file}:2:1: `tls-key` needs `tls-certificate` as well\n");
    assert!(ended.errors.starts_with(&sentence), "{}", ended.errors);
}

#[test]
fn a_certificate_that_has_ended_is_served_with_a_warning() {
    let folder = Empty::new("tls-ended");
    Certificate::write(&folder, false);
    let server = start(&folder, &[]);
    let warning = "the certificate ended at 2011-01-01T00:00:00Z; clients refuse it";
    wait_for(warning, || server.errors().contains(warning).then_some(()));
}

#[cfg(unix)]
#[test]
fn a_signal_takes_a_new_certificate_and_keeps_the_old_one_if_the_new_one_is_wrong() {
    let folder = Empty::new("tls-again");
    let first = Certificate::write(&folder, true);
    let server = start(&folder, &[]);
    let is_of = |certificate| ask_over_tls(server.address, certificate, &["h2"], MANIFEST).is_ok();
    assert!(is_of(&first));

    let old_key = fs::read(folder.path("key.pem")).unwrap();
    let second = Certificate::write(&folder, true);
    server.signal("HUP");
    wait_for("the new certificate", || is_of(&second).then_some(()));
    assert!(!is_of(&first));

    fs::write(folder.path("key.pem"), old_key).unwrap();
    server.signal("HUP");
    let sentence = "the old certificate stays, because the new one is wrong: ";
    wait_for(sentence, || server.errors().contains(sentence).then_some(()));
    assert!(is_of(&second));
}

#[test]
fn a_healthcheck_finds_a_server_with_tls() {
    let folder = Empty::new("tls-probe");
    Certificate::write(&folder, true);
    let server = start(&folder, &[]);
    let (certificate, key) = (folder.path("cert.pem"), folder.path("key.pem"));
    let listen = server.address.to_string();
    let options = ["--listen", &listen, "--tls-certificate", &certificate, "--tls-key", &key];
    let ended = run(&[&options[..], &["--healthcheck"]].concat());
    assert_eq!(ended.status, 0, "{}", ended.errors);
}
