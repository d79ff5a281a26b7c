//! Encrypted sample entries: which entry lies behind `encv`, `enca`, `enct` and `encu`.

use super::missing;
use crate::base::{Cursor, Error, FourCc, Guid, Limits};
use crate::bmff::uuid::PiffTenc;
use crate::bmff::{AudioSampleEntry, Boxes, Frma, Header, SampleEntry, Tenc, VisualSampleEntry};

/// Returns the key that the samples of an encrypted entry need, unless fragments override it: that
/// of `tenc`, or of the track encryption box of PIFF. `None` if the entry is not encrypted or names
/// no key.
pub(crate) fn key_id(entry: &SampleEntry, limits: &Limits) -> Option<Guid> {
    let boxes = match &entry.format().0 {
        b"encv" => VisualSampleEntry::parse(entry, limits).ok()?.boxes,
        b"enca" => AudioSampleEntry::parse(entry, limits).ok()?.boxes,
        _ => return None,
    };
    let schi = boxes.path(&[*b"sinf", *b"schi"])?;
    let cenc = schi.get::<Tenc>().filter(|tenc| tenc.is_protected != 0).map(|tenc| tenc.key_id);
    cenc.or_else(|| schi.get::<PiffTenc>().map(|tenc| tenc.key_id))
}

/// The entry under the name it had before it was encrypted; one that is not encrypted as it is.
///
/// Its boxes stay, `sinf` with them: what a codec needs lies beside it, in the clear.
///
/// Spec: ISO/IEC 14496-12, 8.12; PIFF 1.1 and ISO/IEC 23001-7 alike.
///
/// If `frma` is missing, is misspelled (`mfra`), or names an encrypted entry again, the decoder
/// configuration shows which entry it was.
///
/// # Errors
/// Errors of a broken entry, and [`Missing`](crate::base::ErrorKind::Missing) if neither `frma` nor
/// a configuration identifies the entry.
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
    let named = frma.map(|frma| frma.data_format).filter(|named| !ENCRYPTED.contains(&named.0));
    let Some(kind) = named.or_else(|| by_configuration(&boxes)).or(frma.map(|f| f.data_format))
    else {
        return Err(missing(
            entry,
            "`frma` in the sample entry's `sinf`",
            "ISO/IEC 14496-12, 8.12.2",
        ));
    };
    let header = Header { kind, ..entry.header };
    Ok(SampleEntry { header, ..entry.clone() })
}

/// Types of encrypted entries.
const ENCRYPTED: [[u8; 4]; 4] = [*b"encv", *b"enca", *b"enct", *b"encu"];

/// Boxes of decoder configurations, each with the entry that contains it.
const CONFIGURATIONS: [([u8; 4], [u8; 4]); 9] = [
    (*b"avcC", *b"avc1"),
    (*b"hvcC", *b"hvc1"),
    (*b"dvc1", *b"vc-1"),
    (*b"esds", *b"mp4a"),
    (*b"dac3", *b"ac-3"),
    (*b"dec3", *b"ec-3"),
    (*b"dOps", *b"Opus"),
    (*b"wfex", *b"owma"),
    (*b"vttC", *b"wvtt"),
];

/// Returns the entry type for the first decoder configuration among these boxes.
fn by_configuration(boxes: &Boxes) -> Option<FourCc> {
    boxes.list.iter().find_map(|item| {
        let of_item = CONFIGURATIONS.iter().find(|(name, _)| item.header.kind == *name);
        of_item.map(|&(_, entry)| FourCc(entry))
    })
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
    use crate::bmff::AnyBox;
    use crate::codec::{CodecTag, Description, Format};
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
    fn an_entry_whose_original_format_is_misspelled_or_missing_is_known_by_its_configuration() {
        let format = Format::Audio {
            sampling_rate: 44_100,
            channels: 2,
            bits_per_sample: 16,
            packet_size: 4,
            audio_tag: 255,
        };
        let data = Bytes::from_static(&[0x12, 0x10]);
        let clear = Description::new(CodecTag::AACL, data, format);
        let entry = clear.sample_entry().unwrap();
        let misspelled = AnyBox::other(*b"mfra", &b"mp4a"[..]);
        let without = AnyBox::other(*b"schm", &[0; 12][..]);
        for sinf in [
            Some(AnyBox::container(*b"sinf", [misspelled])),
            Some(AnyBox::container(*b"sinf", [without])),
            Some(sinf(b"enca")),
            None,
        ] {
            let sinf = Boxes::from_iter(sinf).to_bytes();
            let body = [&entry.body[..], &sinf].concat();
            let encrypted = SampleEntry::new(FourCc(*b"enca"), body.into());
            let described =
                Description::of_entry(StreamKind::Audio, &encrypted, &Limits::default());
            assert_eq!(described.unwrap(), clear);
        }
    }

    #[test]
    fn protection_that_names_itself_ends() {
        let body = Boxes::from_iter([sinf(b"enct")]).to_bytes().to_vec();
        assert_eq!(described(b"enct", body).unwrap().as_str(), "ENCT");
    }
}
