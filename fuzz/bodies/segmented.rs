//! DASH and HLS of a presentation: every URL that a manifest names is answered, or fails because of
//! what is stored.

use std::sync::Arc;

use smooth_origin::base::{Error, ErrorGroup, ErrorKind};
use smooth_origin::output::{Identity, Request};
use smooth_origin::presentation::{Presentation, Reply};

use super::opening::{Files, body, drive};

/// Batches that a reply may take: those of a look at a head, and the payload of text; the same for eight
/// other fragments if they decide what the times of the text count from.
const LOOKS: usize = 9 * 9;

/// Segments of a track that are asked for: the first and the last.
const ASKED: usize = 3;

/// Asks for the manifests, and for a part of all that they name.
pub(super) fn segmented(files: &Files, presentation: &Arc<Presentation>) {
    let ask = |path: &str| ask(files, presentation, path);
    #[cfg(feature = "dash")]
    for mpd in ["trick.mpd", "wvtt.mpd"].into_iter().filter_map(ask) {
        let mpd = text(mpd);
        assert!(mpd.ends_with("</MPD>") || mpd.ends_with("</MPD>\n"), "{mpd}");
        for set in mpd.split("<AdaptationSet ").skip(1) {
            let times = times(set);
            assert!(!times.is_empty(), "a set without a segment: {set}");
            for representation in set.split("<Representation ").skip(1) {
                let id = attribute(representation, "id").expect("an id");
                ask(&format!("{id}/init.mp4"));
                for time in asked(&times) {
                    ask(&format!("{id}/{time}.m4s"));
                }
            }
        }
    }
    #[cfg(feature = "hls")]
    for multivariant in ["master.m3u8", "imsc.m3u8"].into_iter().filter_map(ask) {
        let multivariant = text(multivariant);
        let uris = multivariant.lines().filter_map(|line| match line.split_once("URI=\"") {
            Some((_, uri)) if !uri.starts_with("data:") => uri.split('"').next(),
            _ => (!line.starts_with('#')).then_some(line),
        });
        for uri in uris {
            let Some(playlist) = ask(uri) else { continue };
            let playlist = text(playlist);
            assert!(playlist.starts_with("#EXTM3U\n"), "{playlist}");
            let segments: Vec<&str> =
                playlist.lines().filter(|line| !line.starts_with('#')).collect();
            let map = playlist.split("#EXT-X-MAP:URI=\"").nth(1);
            if let Some(uri) = map.and_then(|map| map.split('"').next()) {
                ask(uri);
            }
            for uri in asked(&segments) {
                ask(uri);
            }
        }
    }
    assert!(presentation.memory() > 0);
}

/// Returns the first and the last of many.
fn asked<T>(all: &[T]) -> impl Iterator<Item = &T> {
    let last = all.len().saturating_sub(ASKED);
    all.iter().enumerate().filter(move |(at, _)| *at < ASKED || *at >= last).map(|(_, one)| one)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("a manifest in UTF-8")
}

#[cfg(feature = "dash")]
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let tag = element.split('>').next()?;
    let (_, value) = tag.split_once(&format!("{name}=\""))?;
    value.split('"').next()
}

/// Returns the times of a `SegmentTimeline`.
#[cfg(feature = "dash")]
fn times(set: &str) -> Vec<u64> {
    let (mut times, mut next) = (Vec::new(), 0_u64);
    for s in set.split("<S ").skip(1) {
        let number = |name| attribute(&format!(" {s}"), name).map(|n| n.parse::<u64>().unwrap());
        let start = number(" t").unwrap_or(next);
        let duration = number(" d").expect("a duration");
        next = start;
        for _ in 0..=number(" r").unwrap_or(0) {
            times.push(next);
            next = next.saturating_add(duration);
        }
    }
    assert!(times.is_sorted_by(|one, other| one < other), "times that step back: {times:?}");
    times
}

/// Asks for a path. `None` if that cannot be served.
fn ask(files: &Files, presentation: &Arc<Presentation>, path: &str) -> Option<Vec<u8>> {
    let request = Request::parse(path, None).unwrap_or_else(|error| panic!("{path}: {error}"));
    match reply(files, presentation, &request) {
        Ok(reply) => {
            let identity = request.identify(presentation).expect("what is answered is identified");
            if let Identity::Known(representation) = identity {
                assert_eq!(&representation, reply.representation(), "{path}");
            }
            let bytes = body(files, &reply);
            let again = self::reply(files, presentation, &request).expect("it is answered again");
            assert_eq!(again.validator(), reply.validator(), "{path}");
            assert!(body(files, &again) == bytes, "{path}: other bytes");
            Some(bytes)
        }
        Err(error) => {
            assert_ne!(error.kind.group(), ErrorGroup::Misuse, "{path}: {error}");
            let is_lost = matches!(
                error.kind,
                ErrorKind::NoStream | ErrorKind::NoTrack | ErrorKind::NoFragment
            );
            assert!(!is_lost || files.is_faulty(), "{path} is named and not there: {error}");
            None
        }
    }
}

fn reply(
    files: &Files,
    presentation: &Arc<Presentation>,
    request: &Request<'_>,
) -> Result<Reply, Error> {
    drive(request.answer(presentation)?, LOOKS, |want| files.get(want))
}
