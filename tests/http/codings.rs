//! Content codings of manifests: RFC 9110, 8.4 and 12.5.3.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use smooth_origin::origin::Origin;
use smooth_origin::service::{Cors, OriginService, PassedFiles, ServiceOptions};

use crate::asked::{Asked, ask, get};
use crate::stores::{MANIFEST, POSTER, VIDEO, film};

fn service(compression: bool) -> OriginService {
    let options = ServiceOptions::default()
        .caching(Default::default())
        .compression(compression)
        .files(PassedFiles::all());
    OriginService::with_options(Origin::new(film()), options)
}

fn accepting(service: &OriginService, accepted: &str) -> Asked {
    ask(service, "GET", MANIFEST, &[("accept-encoding", accepted)])
}

/// A service whose manifest is compressed already: that is done in the background.
fn ready() -> OriginService {
    let service = service(true);
    let began = Instant::now();
    for coding in ["br", "gzip"] {
        while accepting(&service, coding).header("content-encoding") != coding {
            assert!(began.elapsed() < Duration::from_secs(300), "{coding} is never made");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    service
}

fn decoded(asked: &Asked) -> Vec<u8> {
    let mut plain = Vec::new();
    match asked.header("content-encoding").as_str() {
        "" => plain.clone_from(&asked.body),
        "gzip" => {
            flate2::read::GzDecoder::new(&asked.body[..]).read_to_end(&mut plain).unwrap();
        }
        "br" => brotli::BrotliDecompress(&mut &asked.body[..], &mut plain).unwrap(),
        other => panic!("{other}"),
    }
    plain
}

#[test]
fn the_coding_is_the_one_that_is_wanted_most_and_decodes_to_the_manifest() {
    let service = ready();
    let plain = get(&service, MANIFEST);
    assert_eq!(plain.header("content-encoding"), "");
    for (accepted, coding) in [
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0.1, gzip;q=0.2", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("*;q=0.5, br;q=0", "gzip"),
        ("*", "br"),
        ("gzip;q=0.001", "gzip"),
        ("gzip ; q=1.000", "gzip"),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0.5, gzip;q=0.4", ""),
        ("identity", ""),
        ("deflate", ""),
        ("compress, zstd", ""),
        ("", ""),
        ("gzip;q=0", ""),
        ("gzip;q=0.0, br;q=0.000", ""),
        ("*;q=0", ""),
        ("identity;q=0", ""),
        // By no grammar: nothing is accepted by it.
        ("gzip;q=1.5", ""),
        ("gzip;q=-1", ""),
        ("gzip;q=0.0001", ""),
        ("gzip;q=", ""),
        ("gzip;x=1", ""),
        ("gzipped", ""),
        ("br gzip", ""),
        ("\u{e9}", ""),
    ] {
        let asked = accepting(&service, accepted);
        assert_eq!(asked.header("content-encoding"), coding, "{accepted:?}");
        assert_eq!(asked.header("vary"), "accept-encoding", "{accepted:?}");
        assert!(decoded(&asked) == plain.body, "{accepted:?}");
        assert_eq!(asked.body.len() < plain.body.len(), !coding.is_empty());
        let head = ask(&service, "HEAD", MANIFEST, &[("accept-encoding", accepted)]);
        assert_eq!(head.headers, asked.headers);
    }
}

#[test]
fn each_coding_has_its_own_tag_which_all_machines_share() {
    let [here, there] = [ready(), ready()];
    let mut tags = vec![get(&here, MANIFEST).header("etag")];
    for coding in ["br", "gzip"] {
        let [one, other] = [&here, &there].map(|service| accepting(service, coding));
        assert_eq!((&one.body, one.header("etag")), (&other.body, other.header("etag")));
        assert!(!tags.contains(&one.header("etag")));
        tags.push(one.header("etag"));
    }
    // A condition is about the form that this request would be given.
    for (number, accepted) in ["identity", "br", "gzip"].into_iter().enumerate() {
        for (other, tag) in tags.iter().enumerate() {
            let status = |name: &str| {
                let fields = [("accept-encoding", accepted), (name, tag.as_str())];
                let asked = ask(&here, "GET", MANIFEST, &fields);
                assert!(asked.status == 412 || asked.header("vary") == "accept-encoding");
                asked.status
            };
            let expected = if number == other { (304, 200) } else { (200, 412) };
            assert_eq!((status("if-none-match"), status("if-match")), expected);
            let fields = [("accept-encoding", accepted), ("if-range", tag), ("range", "bytes=0-9")];
            let expected = if number == other { 206 } else { 200 };
            assert_eq!(ask(&here, "GET", MANIFEST, &fields).status, expected);
        }
    }
}

/// RFC 9110, 14.1: ranges are those of the coded form.
#[test]
fn a_range_is_one_of_the_coded_bytes() {
    let service = ready();
    for coding in ["br", "gzip"] {
        let whole = accepting(&service, coding);
        let fields = [("accept-encoding", coding), ("range", "bytes=10-49")];
        let part = ask(&service, "GET", MANIFEST, &fields);
        assert_eq!((part.status, part.header("content-encoding")), (206, coding.to_owned()));
        assert_eq!(part.header("etag"), whole.header("etag"));
        assert_eq!(part.header("vary"), "accept-encoding");
        let expected = format!("bytes 10-49/{}", whole.body.len());
        assert_eq!((part.header("content-range"), &part.body[..]), (expected, &whole.body[10..50]));
        let range = format!("bytes={}-", whole.body.len());
        let fields = [("accept-encoding", coding), ("range", &range)];
        assert_eq!(ask(&service, "GET", MANIFEST, &fields).status, 416);
    }
}

/// The first client does not wait, and never gets an unfinished form.
#[test]
fn until_a_form_is_made_the_plain_one_goes_out() {
    for _ in 0..20 {
        let service = service(true);
        let plain = get(&service, MANIFEST);
        let first = accepting(&service, "br");
        assert!(decoded(&first) == plain.body);
        assert_eq!(first.header("vary"), "accept-encoding");
    }
}

#[test]
fn the_threads_of_the_host_compress_and_what_they_drop_is_handed_over_again() {
    type Work = Box<dyn FnOnce() + Send>;
    let handed: Arc<Mutex<Vec<Work>>> = Arc::default();
    let queue = Arc::clone(&handed);
    let builder = Origin::builder(film()).offload(move |work| queue.lock().unwrap().push(work));
    let origin = builder.build();
    let options = ServiceOptions::default().compression(true);
    let service = OriginService::with_options(origin, options);
    let take = || std::mem::take(&mut *handed.lock().unwrap());
    let coding = || accepting(&service, "gzip").header("content-encoding");
    assert_eq!(coding(), "");
    let work = take();
    assert_eq!(work.len(), 1, "opening a short film hands nothing over");
    assert_eq!((coding(), take().len()), (String::new(), 0), "once");
    drop(work);
    assert_eq!(coding(), "");
    let work = take();
    assert_eq!(work.len(), 1, "what was dropped");
    work.into_iter().for_each(|work| work());
    assert_eq!((coding().as_str(), take().len()), ("gzip", 0));
}

#[test]
fn nothing_else_is_coded_nor_varies() {
    let service = ready();
    for target in [VIDEO, POSTER, "/none.ism/Manifest"] {
        let asked = ask(&service, "GET", target, &[("accept-encoding", "gzip, br")]);
        assert_eq!(asked.header("content-encoding") + &asked.header("vary"), "", "{target}");
    }
    let off = self::service(false);
    let asked = accepting(&off, "gzip, br");
    assert_eq!(asked.header("content-encoding") + &asked.header("vary"), "");
    assert_eq!(asked.header("etag"), get(&service, MANIFEST).header("etag"));
}

/// A cache that reads one line of `Vary` alone must not mix forms, nor what sites are allowed.
#[test]
fn codings_and_origins_vary_in_one_line() {
    let cors = Cors::origins(["https://a.example"]);
    let options = ServiceOptions::default().compression(true).cors(cors.unwrap());
    let service = OriginService::with_options(Origin::new(film()), options);
    let tag = get(&service, MANIFEST).header("etag");
    for (name, value) in [
        ("origin", "https://a.example"),
        ("origin", "https://b.example"),
        ("if-none-match", &tag),
        ("range", "bytes=0-1"),
    ] {
        let asked = ask(&service, "GET", MANIFEST, &[(name, value)]);
        assert_eq!(asked.headers["vary"], "accept-encoding, origin", "{name}");
    }
}

#[test]
fn a_manifest_is_text_xml_by_choice() {
    let options = ServiceOptions::default().text_xml(true).compression(true);
    let service = OriginService::with_options(Origin::new(film()), options);
    assert_eq!(get(&service, MANIFEST).header("content-type"), "text/xml");
    assert_eq!(accepting(&service, "br").header("content-type"), "text/xml");
    assert_eq!(get(&service, VIDEO).header("content-type"), "video/mp4");
}
