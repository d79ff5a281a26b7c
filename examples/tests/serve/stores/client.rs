//! A client that takes all bytes of presentations.

use std::io::Read;

use crate::observed::Observed;

/// The status and the bytes of a response.
pub(super) fn fetch(server: &Observed, path: &str) -> (u16, Vec<u8>) {
    fetch_as(server, path, &[])
}

pub(super) fn fetch_as(server: &Observed, path: &str, fields: &[&str]) -> (u16, Vec<u8>) {
    let mut bytes = Vec::new();
    server.send(&format!("GET {path}"), fields).read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    (status, bytes.split_off(end + 4))
}

/// The paths of all fragments of a client manifest, relative to the presentation.
pub(super) fn fragments(manifest: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for stream in manifest.split("<StreamIndex").skip(1) {
        let (head, body) = stream.split_once('>').unwrap();
        let url = attribute(head, "Url").unwrap();
        let levels = body.split("<QualityLevel ").skip(1);
        let rates: Vec<_> = levels.map(|level| attribute(level, "Bitrate").unwrap()).collect();
        let mut next = 0;
        for c in body.split("<c ").skip(1) {
            let c = c.split('>').next().unwrap();
            let number = |name| attribute(c, name).map(|text| text.parse::<u64>().unwrap());
            next = number("t").unwrap_or(next);
            for _ in 0..number("r").unwrap_or(1) {
                for rate in &rates {
                    let time = next.to_string();
                    let path = url.replace("{bitrate}", rate).replace("{start time}", &time);
                    paths.push(path);
                }
                next += number("d").unwrap_or(0);
            }
        }
    }
    paths
}

fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

/// Compares a presentation that two servers have: the manifest, and every fragment. Returns the number of
/// fragments.
pub(super) fn compare(one: (&Observed, &str), other: (&Observed, &str)) -> usize {
    let manifests = [one, other].map(|(server, at)| fetch(server, &format!("{at}/Manifest")));
    assert_eq!(manifests[0].0, 200, "{}", one.1);
    assert!(manifests[0] == manifests[1], "{} differs: {}", one.1, manifests[1].0);
    let paths = fragments(&String::from_utf8(manifests[0].1.clone()).unwrap());
    for path in &paths {
        let bodies = [one, other].map(|(server, at)| fetch(server, &format!("{at}/{path}")));
        assert_eq!(bodies[0].0, 200, "{}/{path}", one.1);
        assert!(bodies[0] == bodies[1], "{}/{path} differs", one.1);
    }
    paths.len()
}
