//! A fragment that stands for the first one of captions, of which none has come yet.

use bytes::Bytes;

use crate::base::{Error, Limits};
use crate::bmff::{Boxes, Stsd};
use crate::fragment::written::{Head, Sample};

/// A document without captions.
const EMPTY: &[u8] = br#"<tt xmlns="http://www.w3.org/ns/ttml"><body/></tt>"#;

/// Returns whether the track of a header has captions in the clear: all of its fragments are served as they are stored,
/// so that the track can be opened without one.
pub(crate) fn has_captions(head: &Bytes) -> bool {
    let Ok(boxes) = Boxes::parse(head, 0, &Limits::default()) else { return false };
    let stbl = boxes.path(&[*b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl"]);
    let Some(stsd) = stbl.and_then(|stbl| stbl.get::<Stsd>()) else { return false };
    let mut formats = stsd.entries().map(|entry| entry.format().0).peekable();
    formats.peek().is_some() && formats.all(|format| matches!(&format, b"stpp" | b"dfxp"))
}

/// Writes the fragment. It is in no file, and no presentation has a chunk of it.
pub(super) fn fragment(track_id: u32, limits: &Limits) -> Result<Bytes, Error> {
    let duration = 10_000_000;
    let size = EMPTY.len() as u32;
    let samples = &[Sample { duration, size, is_sync: true, ..Sample::default() }];
    let (duration, has_tfxd) = (duration.into(), true);
    let head = Head { number: 1, track_id, start: 0, duration, samples, has_tfxd };
    Ok([&head.to_bytes(limits)?[..], EMPTY].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::StreamKind;
    use crate::presentation::growing::samples::Pushed;

    #[test]
    fn captions_are_known_by_their_header() {
        let head = |kind| Pushed::new(kind, 1, 1000).head();
        let captions = head(StreamKind::Text);
        assert!(has_captions(&captions));
        let of = |format: &[u8; 4]| {
            let at = captions.windows(4).position(|bytes| bytes == b"stpp").unwrap();
            Bytes::from([&captions[..at], format, &captions[at + 4..]].concat())
        };
        assert!(has_captions(&of(b"dfxp")));
        for format in [b"enct", b"tx3g", b"wvtt", b"scte"] {
            assert!(!has_captions(&of(format)));
        }
        assert!(!has_captions(&head(StreamKind::Video)));
        assert!(!has_captions(&captions.slice(..100)) && !has_captions(&Bytes::new()));
    }
}
