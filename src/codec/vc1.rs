//! VC-1: `vc-1`, `ovc1` and `dvc1` ◄► `WVC1` with sequence header and entry point ◄► `vc-1`.

use bytes::Bytes;
use memchr::memmem;

use super::bits::{Bits, without_emulation_prevention};
use super::{Codec, CodecTag, Description, invalid, missing, picture, video};
use crate::base::{Error, FourCc, Limits};
use crate::bmff::{AnyBox, Dvc1, SampleEntry, VisualSampleEntry};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"vc-1", *b"ovc1"],
    tags: &["WVC1"],
    describe,
    sample_entry,
    rfc6381: |_| Some("vc-1".into()),
};

const SEQUENCE_HEADER: [u8; 4] = [0, 0, 1, 0x0f];

/// The byte before the headers wherever Windows holds them: ASF's binding byte. Encoders write
/// 0x25 or 0x27; decoders look at its lowest bit at the most, which is always set.
const BINDING: u8 = 0x25;

/// Bytes of a visual entry's fields, before its boxes.
const VISUAL_FIELDS: usize = 70;

fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let (visual, data) = headers(entry, limits)?;
    let at = memmem::find(&data, &SEQUENCE_HEADER).ok_or_else(|| no_headers(entry))?;
    // ffmpeg keeps the binding byte in the box where it had one.
    let binding = at.checked_sub(1).map(|before| data[before]).filter(|byte| byte & 1 == 1);
    let private_data = [&[binding.unwrap_or(BINDING)], &data[at..]].concat().into();
    Ok(Description::new(CodecTag::WVC1, private_data, video(&visual, 4)))
}

/// The entry's fields, and bytes with the headers in them.
///
/// What IIS-made files call the entry, and what `ovc1` holds, is unconfirmed: isoparser takes it
/// for bytes that are no boxes.
fn headers(entry: &SampleEntry, limits: &Limits) -> Result<(VisualSampleEntry, Bytes), Error> {
    match VisualSampleEntry::parse(entry, limits) {
        Ok(visual) => {
            let data = visual.boxes.get::<Dvc1>().and_then(Dvc1::headers);
            Ok((visual, data.ok_or_else(|| no_headers(entry))?))
        }
        Err(_) if entry.format() == *b"ovc1" && entry.body.len() > VISUAL_FIELDS => {
            let data = entry.body.slice(VISUAL_FIELDS..);
            let fields = SampleEntry { body: entry.body.slice(..VISUAL_FIELDS), ..entry.clone() };
            Ok((VisualSampleEntry::parse(&fields, limits)?, data))
        }
        Err(error) => Err(error),
    }
}

fn no_headers(entry: &SampleEntry) -> Error {
    missing(entry, "VC-1 headers behind a start code in the sample entry", "SMPTE RP 2025")
}

fn sample_entry(description: &Description) -> Result<SampleEntry, Error> {
    let data = &description.private_data;
    let at = memmem::find(data, &SEQUENCE_HEADER).ok_or_else(|| invalid("no sequence header"))?;
    let headers = data.slice(at..);
    let sequence =
        Sequence::parse(&headers).ok_or_else(|| invalid("a sequence header cut short"))?;
    let mut entry = picture(description, FourCc(*b"vc-1"))?;
    entry.boxes.list.push(AnyBox::new(sequence.dvc1(&headers)));
    Ok(entry.to_entry())
}

/// The fields of a sequence header that are needed.
///
/// Spec: SMPTE ST 421, 6.1.
struct Sequence {
    level: u8,
    interlace: bool,
}

impl Sequence {
    /// Reads a header of the advanced profile; no other has start codes.
    fn parse(headers: &[u8]) -> Option<Self> {
        let payload = without_emulation_prevention(headers.get(SEQUENCE_HEADER.len()..)?);
        let mut bits = Bits::new(&payload);
        if bits.take(2)? != 3 {
            return None;
        }
        let level = bits.take(3)? as u8;
        // Chroma, frame and bit rates, post-processing, size, pull-down.
        bits.skip(2 + 3 + 5 + 1 + 12 + 12 + 1)?;
        Some(Self { level, interlace: bits.take(1)? == 1 })
    }

    /// With no promise about the frames: other headers, slices and B-frames may come.
    fn dvc1(&self, headers: &[u8]) -> Dvc1 {
        let no_interlace = if self.interlace { 0 } else { 0x20 };
        // Level and constant bitrate; the promises; the frame rate, unknown.
        let flags = [self.level << 5, no_interlace, 0xff, 0xff, 0xff, 0xff];
        Dvc1 {
            profile_level: Dvc1::ADVANCED << 4 | self.level << 1,
            specific: Bytes::from([&flags, headers].concat()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Format, hex};
    use crate::manifest::StreamKind;

    /// CodecPrivateData of Expression Encoder, 1280 × 720.
    const REAL: &str = "250000010FD3FE27F1678A27F859E80C9082E948C1CD400000010E5A67F840";

    fn real(data: &str) -> Description {
        let format = Format::Video { width: 1280, height: 720, nal_length_size: 4 };
        Description::new(CodecTag::WVC1, hex(data).unwrap(), format)
    }

    fn back(entry: &SampleEntry) -> Result<Description, Error> {
        Description::of_entry(StreamKind::Video, entry, &Limits::default())
    }

    #[test]
    fn private_data_becomes_a_sample_entry_and_comes_back() {
        let entry = real(REAL).sample_entry().unwrap();
        assert_eq!(back(&entry).unwrap(), real(REAL));
        let visual = VisualSampleEntry::parse(&entry, &Limits::default()).unwrap();
        let dvc1 = visual.boxes.get::<Dvc1>().unwrap();
        // Level 2, progressive; the headers begin with their start code.
        assert_eq!((dvc1.profile_level, dvc1.specific[..2].to_vec()), (0xc4, vec![0x40, 0x20]));
        assert_eq!(dvc1.headers().unwrap(), hex(&REAL[2..]).unwrap());
        assert_eq!(real(REAL).rfc6381().unwrap(), "vc-1");
    }

    #[test]
    fn a_binding_byte_in_the_box_is_kept_and_one_that_is_not_there_is_added() {
        for (stored, announced) in
            [(&REAL[2..], "25"), (REAL, "25"), (&REAL.replacen('5', "7", 1), "27")]
        {
            let mut entry = picture(&real(REAL), FourCc(*b"ovc1")).unwrap();
            let specific = [&[0; 6][..], &hex(stored).unwrap()].concat().into();
            entry.boxes.list.push(AnyBox::new(Dvc1 { profile_level: 0xc4, specific }));
            let expected = format!("{announced}{}", &REAL[2..]);
            assert_eq!(back(&entry.to_entry()).unwrap(), real(&expected));
        }
    }

    #[test]
    fn headers_that_lie_in_an_ovc1_without_a_box_are_found() {
        let mut entry = picture(&real(REAL), FourCc(*b"ovc1")).unwrap().to_entry();
        entry.body = [&entry.body[..], &[0x33; 40], &hex(REAL).unwrap()].concat().into();
        assert_eq!(back(&entry).unwrap(), real(REAL));
        entry.header.kind = FourCc(*b"vc-1");
        assert!(back(&entry).is_err());
    }

    #[test]
    fn private_data_and_entries_cut_anywhere_give_no_panic() {
        let whole = hex(REAL).unwrap();
        for len in 0..whole.len() {
            let cut = Description { private_data: whole.slice(..len), ..real(REAL) };
            assert_eq!(cut.sample_entry().is_ok(), len >= 11, "{len}");
        }
        let entry = real(REAL).sample_entry().unwrap();
        for format in [b"vc-1", b"ovc1"] {
            for len in 0..entry.body.len() {
                let mut cut = SampleEntry { body: entry.body.slice(..len), ..entry.clone() };
                cut.header.kind = FourCc(*format);
                let _ = back(&cut);
            }
        }
        // Simple and main profile: their headers have no start codes, and are not known here.
        let main = Dvc1 { profile_level: 0x40, specific: whole };
        assert_eq!(main.headers(), None);
    }
}
