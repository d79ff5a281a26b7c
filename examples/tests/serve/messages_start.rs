//! Sentences of a start that is refused, and of `--check-config`, which refuses the same.

use std::fs;

use crate::observed::{Empty, TESTDATA};
use crate::program::run;

/// The sentence with which a start is refused; `--check-config` has the same.
fn refused(arguments: &[&str]) -> String {
    let start = run(arguments);
    let check = run(&[arguments, &["--check-config"]].concat());
    assert_eq!((check.status, &check.errors), (start.status, &start.errors));
    assert!(start.status != 0 && start.output.is_empty() && check.output.is_empty());
    assert!(!start.errors.contains("os error"), "{}", start.errors);
    let first = start.errors.lines().next().unwrap();
    first.strip_prefix("error: ").unwrap().to_owned()
}

#[test]
fn a_log_whose_folder_is_missing_is_named_with_what_to_do() {
    let folder = Empty::new("no-log");
    let missing = folder.path("logs");
    for (option, word) in [("--log-file", "log"), ("--access-log", "access log")] {
        let file = format!("{missing}/serve.log");
        assert_eq!(
            refused(&[TESTDATA, option, &file]),
            format!(
                "cannot write the {word} {file}: there is no folder {missing}; make it (`mkdir -p \
                 {missing}`), or name another file"
            )
        );
        let own = folder.path("");
        let sentence = refused(&[TESTDATA, option, &own]);
        assert!(sentence.contains(": it is a folder; name a file in it, such as "), "{sentence}");
    }
}

#[test]
fn a_configuration_is_checked_without_a_port_and_without_a_file() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = Empty::new("check-config");
    let (log, access_log) = (folder.path("log"), folder.path("access"));
    let options =
        ["--check-config", TESTDATA, "--listen", &address, "--log-file", &log, "--access-log"];
    let ended = run(&[&options[..], &[&access_log]].concat());
    assert_eq!((ended.status, ended.errors.as_str()), (0, ""));
    assert_eq!(ended.output, "the configuration is right: a start would take it\n");
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);

    let missing = folder.path("films");
    let sentence = refused(&[&missing, "--listen", "127.0.0.1:0"]);
    assert!(sentence.starts_with(&format!("cannot serve the folder {missing}: ")), "{sentence}");
    // A configuration for another machine can be printed.
    assert_eq!(run(&["--print-config", &missing]).status, 0);
}

#[test]
fn two_listeners_at_the_same_address_are_named() {
    for (main, operator) in [("127.0.0.1:18", "18"), (":18", "127.0.0.1:18")] {
        let sentence = refused(&[TESTDATA, "--listen", main, "--operator-listen", operator]);
        assert_eq!(
            sentence,
            format!(
                "--operator-listen ({operator}) and --listen ({main}) are the same port of the same \
                 address: give one of them another port"
            )
        );
    }
}

#[test]
fn a_key_that_is_too_short_is_named_with_its_length() {
    let folder = Empty::new("short-key");
    let pem = |name: &str, word: &str, base64: &str| {
        let file = folder.path(name);
        fs::write(&file, format!("-----BEGIN {word}-----\n{base64}\n-----END {word}-----\n"))
            .unwrap();
        file
    };
    let certificate = pem("certificate.pem", "CERTIFICATE", CERTIFICATE_1024);
    let key = pem("key.pem", "PRIVATE KEY", KEY_1024);
    assert_eq!(
        refused(&[TESTDATA, "--tls-certificate", &certificate, "--tls-key", &key]),
        format!(
            "{key}: the key is one of RSA with 1024 bits, and TLS takes 2048 to 4096; make a new key, \
             and have a certificate made for it"
        )
    );
    let missing = folder.path("no/key.pem");
    let sentence = refused(&[TESTDATA, "--tls-certificate", &certificate, "--tls-key", &missing]);
    let start =
        format!("cannot read the key of the certificate in {missing}: there is no such file");
    assert!(sentence.starts_with(&start), "{sentence}");
}

/// A key of RSA with 1,024 bits, which nothing else uses, and a certificate for it.
const KEY_1024: &str = "\
    MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAMuSYvBGHX2a9++F\n\
    sgf3OBj4ke+CSyTDrhKwigOPzELCD6H49Ea1ZMTk8EXIaA8i+FGCaum/Z8B/iLUp\n\
    gFVUJc3c86CauI6cQ/ULZbDhIEUAyxbv3ZiMgftd5pG6STlbNf7l9t3ObszLoYAp\n\
    94mWascQEzZsSRUVP3j6Zh6dNXsbAgMBAAECgYA3VLmJnzUiz702IDusiJh5yQ45\n\
    cEumWX113QAWSb52IrMHDliu41zZW3SnMvp9qr6dwPn4QKsdmkx5GSelibKgTjWd\n\
    +9ePDKfY0LY+XO+JxGKSGTat3KHtZ9ZTX7iXosuIlp0oliMJhrzyxAMZW239XhDf\n\
    /q3WRtCm8TqtHWYD+QJBAPhK0ruURPdd0YkpKgfFHaKPPjb9lahutobvbi96nRr9\n\
    Kc3LUu4PFYRXZOouN8lx+s5GQy/1CkD1SdkXxXscCNUCQQDR5CuRQTC8Ngmhx/VO\n\
    V3qb7QazJN07qIufc7j6B19szM98xj/EQRSnTH/Oq4lTHFdxyJvrsSuhTPYXWiC8\n\
    /mwvAkEAkP8hEWoE3HBtbSwc32y9YbFFI9fzDemZrjMkpZV1Kc2uHAAg7eThK+fd\n\
    huR2r61gShW+JsNyuXyFI8I+ESbOAQJBAMEoUk/ixo7uy/5unnnyV4uXnkrO6io0\n\
    +glL3jd7AX6HHYuehqB9pBwycownoMEzm+XC0HsfGR/gS7lB4E8NdVECQAedA1l2\n\
    9cYpKU+7HkJ7xNUg6mCFD9+MidIjXRUpF5aOKNdzP68COEpgZKwAO3//AOZ/ztyj\n\
    gzpoLaToIEA7HWI=";
const CERTIFICATE_1024: &str = "\
    MIICBDCCAW2gAwIBAgIUBJB2UZK0AUY8DPrXUds1gK5lDtgwDQYJKoZIhvcNAQEL\n\
    BQAwFDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyOTA3NDEwNFoXDTI2MTIy\n\
    OTA3NDEwNFowFDESMBAGA1UEAwwJbG9jYWxob3N0MIGfMA0GCSqGSIb3DQEBAQUA\n\
    A4GNADCBiQKBgQDLkmLwRh19mvfvhbIH9zgY+JHvgkskw64SsIoDj8xCwg+h+PRG\n\
    tWTE5PBFyGgPIvhRgmrpv2fAf4i1KYBVVCXN3POgmriOnEP1C2Ww4SBFAMsW792Y\n\
    jIH7XeaRukk5WzX+5fbdzm7My6GAKfeJlmrHEBM2bEkVFT94+mYenTV7GwIDAQAB\n\
    o1MwUTAdBgNVHQ4EFgQUHlOuABDAP1LZAeQ4g09IKLqvGh4wHwYDVR0jBBgwFoAU\n\
    HlOuABDAP1LZAeQ4g09IKLqvGh4wDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0B\n\
    AQsFAAOBgQCewOD/YLeCV9eLlfwSMfrPR4cNrUVxmw/PcYTVRNvy9qcpNANVVwM/\n\
    9JAzyMzYnawrB98rPJm1NMRfNNUoVIXWtxHl/9W4Px2ymncBackM9VVqhZh2Szeb\n\
    rtZ8syvBCHj48HUcK32hHIy/ELQVCRwtR/gPgVb/5dsX2defggiNuw==";
