//! Ranges: RFC 9110, 14, byte for byte.

use std::ops::Range;

use smooth_origin::origin::Origin;
use smooth_origin::service::{OriginService, PassedFiles, ServiceOptions};

use crate::asked::{Asked, ask, get};
use crate::stores::{MODIFIED, POSTER, TARGETS, VIDEO, film, film_media, film_objects, poster};

fn service() -> OriginService {
    let options = ServiceOptions::default().files(PassedFiles::all());
    OriginService::with_options(Origin::new(film()), options)
}

fn range_of(service: &OriginService, target: &str, range: &str) -> Asked {
    ask(service, "GET", target, &[("range", range)])
}

/// A part of a body in parts: its media type, what `Content-Range` says, its bytes.
#[derive(Debug, PartialEq)]
struct Part<'a> {
    media_type: String,
    range: Range<u64>,
    total: u64,
    bytes: &'a [u8],
}

/// Reads `multipart/byteranges` by RFC 2046, 5.1.1: delimiters at the start of a line, the line
/// break before them theirs.
fn parts(asked: &Asked) -> Vec<Part<'_>> {
    let content_type = asked.header("content-type");
    let boundary = content_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    assert!((1..=70).contains(&boundary.len()), "{boundary}");
    assert!(boundary.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{boundary}");
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may stand at the very start.
    let body = [b"\r\n", &asked.body[..]].concat();
    let skipped = if asked.body.starts_with(b"--") { 0 } else { 2 };
    let places: Vec<_> =
        (0..body.len()).filter(|&at| body[at..].starts_with(delimiter.as_bytes())).collect();
    assert_eq!(places.first(), Some(&skipped), "nothing comes before the first delimiter");
    let mut parts = Vec::new();
    for pair in places.windows(2) {
        let part = &asked.body[pair[0] + delimiter.len() - 2..pair[1] - 2];
        let part = part.strip_prefix(b"\r\n").unwrap();
        let end = part.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let (head, bytes) = (std::str::from_utf8(&part[..end]).unwrap(), &part[end + 4..]);
        let mut fields = head.split("\r\n").map(|line| line.split_once(": ").unwrap());
        let mut field = |name: &str| {
            let (found, value) = fields.next().unwrap();
            assert!(found.eq_ignore_ascii_case(name), "{head}");
            value.to_owned()
        };
        let (media_type, range) = (field("content-type"), field("content-range"));
        let (range, total) = content_range(&range);
        parts.push(Part { media_type, range, total, bytes });
    }
    let last = places.last().unwrap() + delimiter.len() - 2;
    assert_eq!(&asked.body[last..], b"--\r\n", "the last delimiter ends the body");
    parts
}

fn content_range(field: &str) -> (Range<u64>, u64) {
    let (range, total) = field.strip_prefix("bytes ").unwrap().split_once('/').unwrap();
    let (first, last) = range.split_once('-').unwrap();
    (first.parse().unwrap()..last.parse::<u64>().unwrap() + 1, total.parse().unwrap())
}

#[test]
fn the_whole_is_what_is_stored() {
    let service = service();
    let (media, stored) = (film_media(), film_media().to_bytes());
    let (.., range) = &media.fragments[0];
    let fragment = &stored[range.start as usize..range.end as usize];
    assert!(get(&service, VIDEO).body == fragment);
    assert!(get(&service, POSTER).body == poster());
}

#[test]
fn a_range_is_those_bytes_of_the_whole() {
    let service = service();
    for target in TARGETS {
        let whole = get(&service, target);
        let len = whole.body.len() as u64;
        for (field, expected) in [
            ("bytes=0-0".to_owned(), 0..1),
            ("bytes=0-".to_owned(), 0..len),
            (format!("bytes=0-{}", len - 1), 0..len),
            (format!("bytes=0-{len}"), 0..len),
            (format!("bytes={}-", len - 1), len - 1..len),
            ("bytes=1-7".to_owned(), 1..8),
            ("bytes=-1".to_owned(), len - 1..len),
            (format!("bytes=-{len}"), 0..len),
            (format!("bytes=-{}", len + 1), 0..len),
            ("bytes=100-99999999999999999999999999".to_owned(), 100..len),
            ("bytes=-99999999999999999999999999".to_owned(), 0..len),
            ("bytes=00000000000000000000000001-7".to_owned(), 1..8),
            ("Bytes=1-7".to_owned(), 1..8),
            ("bytes=,,1-7 ,".to_owned(), 1..8),
            // As far as they can be had.
            (format!("bytes=1-7,{len}-"), 1..8),
            // What overlaps, touches or nearly touches is one.
            ("bytes=0-9,5-19,20-29".to_owned(), 0..30),
            ("bytes=20-29,0-9,10-19".to_owned(), 0..30),
            ("bytes=0-,0-,0-,-1".to_owned(), 0..len),
            (format!("bytes={}-{},{}-", len / 2, len / 2, len / 2 + 1), len / 2..len),
        ] {
            let asked = range_of(&service, target, &field);
            assert_eq!(asked.status, 206, "{target} {field}");
            let found = content_range(&asked.header("content-range"));
            assert_eq!(found, (expected.clone(), len), "{target} {field}");
            let bytes = &whole.body[expected.start as usize..expected.end as usize];
            assert!(asked.body == bytes, "{target} {field}");
            for name in ["etag", "content-type", "last-modified", "vary"] {
                assert_eq!(asked.header(name), whole.header(name), "{target} {field} {name}");
            }
        }
    }
}

/// A `KeyFrames` reply is made of several pieces: ranges that begin and end in each.
#[cfg(feature = "fs")]
#[test]
fn a_range_of_key_frames_is_cut_over_the_borders_of_its_pieces() {
    use smooth_origin::storage::LocalStore;

    let testdata = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let service = OriginService::new(Origin::new(LocalStore::new(testdata).unwrap()));
    let manifest = String::from_utf8(get(&service, "/ladder/ladder.ism/Manifest").body).unwrap();
    let bitrate = manifest.split("Bitrate=\"").nth(1).unwrap().split('"').next().unwrap();
    let of = |noun: &str| {
        let target = format!("/ladder/ladder.ism/QualityLevels({bitrate})/{noun}(video=0)");
        (get(&service, &target), target)
    };
    let (fragment, (whole, target)) = (of("Fragments").0, of("KeyFrames"));
    assert_eq!(whole.status, 200);
    let len = whole.body.len();
    assert!(len < fragment.body.len(), "some samples are left out");
    let moof = u32::from_be_bytes(whole.body[..4].try_into().unwrap()) as usize;
    let mdat = u32::from_be_bytes(whole.body[moof..][..4].try_into().unwrap()) as usize;
    assert_eq!((&whole.body[4..8], &whole.body[moof + 4..][..4]), (&b"moof"[..], &b"mdat"[..]));
    assert_eq!(moof + mdat, len);
    // The first key sample is the first of the fragment.
    let stored_moof = u32::from_be_bytes(fragment.body[..4].try_into().unwrap()) as usize;
    assert_eq!(whole.body[moof + 8..][..64], fragment.body[stored_moof + 8..][..64]);

    let edges = [0, 1, moof - 1, moof, moof + 7, moof + 8, moof + 9, len / 2, len - 1, len];
    for (from, to) in edges.iter().flat_map(|&from| edges.map(|to| (from, to))) {
        if from < to {
            let asked = range_of(&service, &target, &format!("bytes={from}-{}", to - 1));
            assert_eq!(asked.status, 206);
            assert!(asked.body == whole.body[from..to], "{from}-{to}");
        }
    }
    let asked = range_of(&service, &target, &format!("bytes=0-{},-5,{}-{}", 3, len / 2, len / 2));
    let found = parts(&asked);
    let bytes: Vec<_> = found.iter().map(|part| part.bytes).collect();
    let (half, end) = (&whole.body[len / 2..len / 2 + 1], &whole.body[len - 5..]);
    assert!(bytes == [&whole.body[..4], end, half] || bytes == [&whole.body[..4], half, end]);
}

#[test]
fn several_ranges_are_parts_each_with_its_own_head() {
    let service = service();
    for target in TARGETS {
        let whole = get(&service, target);
        let len = whole.body.len() as u64;
        if len < 500 {
            // Ranges with little between them are joined.
            continue;
        }
        let asked = range_of(&service, target, "bytes=0-4, 300-309, -2");
        assert_eq!(asked.status, 206, "{target}");
        assert_eq!(asked.header("etag"), whole.header("etag"));
        let found = parts(&asked);
        let expected: Vec<_> = [0..5, 300..310, len - 2..len]
            .into_iter()
            .map(|range: Range<u64>| Part {
                media_type: whole.header("content-type"),
                bytes: &whole.body[range.start as usize..range.end as usize],
                range,
                total: len,
            })
            .collect();
        assert_eq!(found, expected, "{target}");
        // One part more that there is not is left out; every machine sends the same bytes.
        let again = range_of(&service, target, "bytes=0-4, 300-309,99999999-, -2");
        assert_eq!(again.body, asked.body);
    }
}

/// RFC 9110, 15.3.7.2: in the order that they were asked for, without what became part of others.
#[test]
fn parts_come_in_the_order_of_the_request() {
    let service = service();
    let asked = range_of(&service, POSTER, "bytes=-2,5000-5009,0-4,5010-5019");
    let ranges: Vec<_> = parts(&asked).into_iter().map(|part| part.range).collect();
    assert_eq!(ranges, [99_998..100_000, 5000..5020, 0..5]);
}

/// Parts cost their heads: ranges so near that they cost more apart come as one.
#[test]
fn no_set_of_ranges_makes_a_body_much_larger_than_the_whole() {
    let service = service();
    let spread = |count: u64, step: u64| {
        let specs: Vec<_> = (0..count).map(|n| format!("{0}-{0}", n * step)).collect();
        format!("bytes={}", specs.join(","))
    };
    for (count, step) in [(2, 90), (16, 82), (16, 5000), (17, 5000), (200, 2), (200, 400)] {
        let asked = range_of(&service, POSTER, &spread(count, step));
        assert!(asked.body.len() <= 100_000 + 4096, "{count} {step}");
        match asked.status {
            206 => assert!(count <= 16 || step < 80, "{count} {step}"),
            status => assert_eq!((status, asked.body.len()), (200, 100_000), "{count} {step}"),
        }
    }
    let overlaps: String = (0..100).map(|n| format!("{n}-,")).collect();
    assert_eq!(range_of(&service, POSTER, &format!("bytes={overlaps}")).body.len(), 100_000);
    // RFC 7233 errata and CVE-2011-3192: many copies of one range.
    let copies = "0-99999,".repeat(100);
    assert_eq!(range_of(&service, POSTER, &format!("bytes={copies}")).body.len(), 100_000);
}

#[test]
fn ranges_that_there_are_not_are_told_the_length() {
    let service = service();
    for target in TARGETS {
        let len = get(&service, target).body.len();
        for field in [
            format!("bytes={len}-"),
            format!("bytes={len}-{}", len + 10),
            "bytes=99999999999999999999999-".to_owned(),
            "bytes=-0".to_owned(),
            format!("bytes=-0,{len}-,{len}-{len}"),
        ] {
            let asked = range_of(&service, target, &field);
            assert_eq!(asked.status, 416, "{target} {field}");
            assert_eq!(asked.header("content-range"), format!("bytes */{len}"));
            assert_eq!(asked.code(), "range-not-satisfiable");
        }
    }
}

/// RFC 9110, 14.1.2: no first byte lies within nothing, but a suffix of a length other than zero
/// can be had of everything, and is then the whole.
#[test]
fn the_last_bytes_of_an_empty_file_are_the_whole_of_it() {
    let service = service();
    for (field, status) in [
        ("bytes=0-", 416),
        ("bytes=0-0", 416),
        ("bytes=-0", 416),
        ("bytes=-1", 200),
        ("bytes=-5,0-", 200),
    ] {
        assert_eq!(range_of(&service, "/art/empty.txt", field).status, status, "{field}");
    }
}

/// RFC 9110, 14.2: a range is defined for GET alone.
#[test]
fn head_knows_no_range() {
    let service = service();
    for target in TARGETS {
        let plain = ask(&service, "HEAD", target, &[]);
        for range in ["bytes=0-1", "bytes=0-1,500-501", "bytes=99999999-"] {
            let asked = ask(&service, "HEAD", target, &[("range", range)]);
            assert_eq!((asked.status, &asked.headers), (200, &plain.headers), "{target} {range}");
        }
    }
}

/// RFC 9110, 13.1.5: of another version the whole, never a 416 or a 412.
#[test]
fn if_range_wants_the_same_version_by_the_strong_comparison() {
    let service = service();
    for target in TARGETS {
        let whole = get(&service, target);
        let tag = whole.header("etag");
        for (condition, range, status) in [
            (tag.clone(), "bytes=0-1", 206),
            (tag.clone(), "bytes=99999999-", 416),
            (MODIFIED.to_owned(), "bytes=0-1", 206),
            ("Wednesday, 01-Jan-20 00:00:00 GMT".to_owned(), "bytes=0-1", 206),
            (format!("W/{tag}"), "bytes=0-1", 200),
            ("\"a\"".to_owned(), "bytes=0-1", 200),
            ("\"a\"".to_owned(), "bytes=99999999-", 200),
            ("*".to_owned(), "bytes=0-1", 200),
            // One tag, not a list.
            (format!("{tag}, {tag}"), "bytes=0-1", 200),
            (format!("\"a\", {tag}"), "bytes=0-1", 200),
            // Exactly this date.
            ("Wed, 01 Jan 2020 00:00:01 GMT".to_owned(), "bytes=0-1", 200),
            ("Tue, 31 Dec 2019 23:59:59 GMT".to_owned(), "bytes=0-1", 200),
        ] {
            let fields = [("if-range", condition.as_str()), ("range", range)];
            let asked = ask(&service, "GET", target, &fields);
            assert_eq!(asked.status, status, "{target} {fields:?}");
            if status == 200 {
                assert_eq!(asked.body.len(), whole.body.len());
            }
        }
        // Without a range it says nothing.
        assert_eq!(ask(&service, "GET", target, &[("if-range", "\"a\"")]).status, 200);
    }
}

/// Without a time of change, and of what failed, there is nothing to take a range of.
#[test]
fn failures_have_no_ranges() {
    let service = OriginService::new(Origin::new(film_objects()));
    for (target, status) in [("/none.ism/Manifest", 404), ("/film.ism/x", 400), ("/film.ism", 302)]
    {
        let asked = range_of(&service, target, "bytes=0-1");
        assert_eq!((asked.status, asked.header("content-range")), (status, String::new()));
    }
}
