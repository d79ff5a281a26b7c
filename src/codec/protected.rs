//! Encrypted sample entries: which entry lies behind `encv`, `enca`, `enct` and `encu`.

use super::missing;
use crate::base::{Cursor, Error, Limits};
use crate::bmff::{AudioSampleEntry, Boxes, Frma, Header, SampleEntry, VisualSampleEntry};

/// The entry under the name it had before it was encrypted; one that is not encrypted as it is.
///
/// Its boxes stay, `sinf` with them: what a codec needs lies beside it, in the clear.
///
/// Spec: ISO/IEC 14496-12, 8.12; PIFF 1.1 and ISO/IEC 23001-7 alike.
///
/// # Errors
/// What is broken in the entry, and [`Missing`](crate::base::ErrorKind::Missing) without `frma`.
pub(super) fn original(entry: &SampleEntry, limits: &Limits) -> Result<SampleEntry, Error> {
    let boxes = match &entry.format().0 {
        b"encv" => VisualSampleEntry::parse(entry, limits)?.boxes,
        b"enca" => AudioSampleEntry::parse(entry, limits)?.boxes,
        b"enct" => text(entry, 0, limits)?,
        // Subtitles of XML: namespace, schema location and auxiliary types come first.
        b"encu" => text(entry, 3, limits)?,
        _ => return Ok(entry.clone()),
    };
    let frma = boxes.inside(*b"sinf").and_then(|sinf| sinf.get::<Frma>());
    let Some(frma) = frma else {
        return Err(missing(
            entry,
            "`frma` in the sample entry's `sinf`",
            "ISO/IEC 14496-12, 8.12.2",
        ));
    };
    let header = Header { kind: frma.data_format, ..entry.header };
    Ok(SampleEntry { header, ..entry.clone() })
}

/// The boxes behind some strings that end with a zero.
fn text(entry: &SampleEntry, strings: usize, limits: &Limits) -> Result<Boxes, Error> {
    let read = || {
        let mut body = Cursor::new(&entry.body, entry.offset);
        for _ in 0..strings {
            while body.u8()? != 0 {}
        }
        Boxes::parse_in(&mut body, limits)
    };
    read().map_err(|error: Error| error.inside(entry.format()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::FourCc;
    use crate::bmff::AnyBox;
    use crate::codec::{CodecTag, Description};
    use crate::manifest::StreamKind;

    fn sinf(data_format: &[u8; 4]) -> AnyBox {
        let frma = Frma { data_format: FourCc(*data_format) };
        AnyBox::container(*b"sinf", [AnyBox::new(frma)])
    }

    fn described(format: &[u8; 4], body: Vec<u8>) -> Result<CodecTag, Error> {
        let entry = SampleEntry::new(FourCc(*format), body.into());
        let described = Description::of_entry(StreamKind::Text, &entry, &Limits::default());
        described.map(|described| described.tag)
    }

    #[test]
    fn text_is_announced_by_the_format_behind_its_protection() {
        let boxes = |format| Boxes::from_iter([sinf(format)]).to_bytes();
        let plain = boxes(b"wvtt").to_vec();
        assert_eq!(described(b"enct", plain.clone()).unwrap(), CodecTag::WVTT);
        let behind = [&b"http://www.w3.org/ns/ttml\0\0\0"[..], &boxes(b"stpp")].concat();
        assert_eq!(described(b"encu", behind.clone()).unwrap(), CodecTag::TTML);
        assert!(described(b"encu", plain).is_err());
        for len in 0..behind.len() {
            assert!(described(b"encu", behind[..len].to_vec()).is_err(), "{len}");
        }
    }

    #[test]
    fn an_entry_without_its_original_format_says_what_is_missing_and_where() {
        let mut entry = SampleEntry::new(FourCc(*b"enct"), Bytes::new());
        entry.offset = 600;
        let error = original(&entry, &Limits::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "enct at byte 600: no `frma` in the sample entry's `sinf` (ISO/IEC 14496-12, 8.12.2)"
        );
    }

    #[test]
    fn protection_that_names_itself_ends() {
        let body = Boxes::from_iter([sinf(b"enct")]).to_bytes().to_vec();
        assert_eq!(described(b"enct", body).unwrap().as_str(), "ENCT");
    }
}
