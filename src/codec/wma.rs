//! Windows Media Audio: `wma `, `owma` and `wfex` ◄► `WMAP`, `WMA2` with what follows WAVEFORMATEX.

use bytes::Bytes;

use super::{Codec, CodecTag, Description, Format, invalid, missing};
use crate::base::{Cursor, Error, FourCc, Limits};
use crate::bmff::{AnyBox, AudioSampleEntry, SampleEntry, Wfex};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"wma ", *b"owma"],
    tags: &["WMAP", "WMAPRO", "WMA2", "WMA"],
    describe,
    sample_entry,
    // By RFC 6381, 3.3 it would be the entry's name, and that ends in a space: no token holds it.
    rfc6381: |_| None,
};

const STANDARD: u16 = 0x161;
const PROFESSIONAL: u16 = 0x162;

fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let wave = wave_format(entry, limits)?;
    let tag = match wave.format_tag {
        STANDARD => CodecTag::WMA2,
        PROFESSIONAL => CodecTag::WMAP,
        _ => CodecTag::new("WMA"),
    };
    let format = Format::Audio {
        sampling_rate: wave.sampling_rate,
        channels: wave.channels.into(),
        bits_per_sample: wave.bits_per_sample.into(),
        packet_size: wave.block_align.into(),
        audio_tag: wave.format_tag.into(),
    };
    let bitrate = wave.bytes_per_second.saturating_mul(8);
    Ok(Description { bitrate, ..Description::new(tag, wave.extra, format) })
}

fn wave_format(entry: &SampleEntry, limits: &Limits) -> Result<Wfex, Error> {
    let parsed = AudioSampleEntry::parse(entry, limits);
    match parsed.map(|audio| audio.boxes.get::<Wfex>().cloned()) {
        Ok(Some(wave)) => Ok(wave),
        // What IIS-made files call the entry, and what `owma` holds, is unconfirmed: isoparser
        // takes it for bytes that are no boxes.
        _ if entry.format() == *b"owma" => {
            let read = || {
                let mut body = Cursor::new(&entry.body, entry.offset);
                body.take(20)?;
                Wfex::read(&mut body)
            };
            read().map_err(|error: Error| error.inside(entry.format()))
        }
        Ok(None) => Err(missing(entry, "`wfex` in the sample entry", "[MS-SSTR] 2.2.2.5")),
        Err(error) => Err(error),
    }
}

fn sample_entry(description: &Description) -> Result<SampleEntry, Error> {
    let wave = match whole(&description.private_data) {
        Some(wave) => wave,
        None => from_attributes(description)?,
    };
    let entry = AudioSampleEntry {
        format: FourCc(*b"wma "),
        channel_count: wave.channels,
        sample_size: wave.bits_per_sample,
        sample_rate: u16::try_from(wave.sampling_rate).map_or(0, |rate| u32::from(rate) << 16),
        boxes: [AnyBox::new(wave)].into_iter().collect(),
    };
    Ok(entry.to_entry())
}

/// Some old manifests hold the whole structure where its tail belongs.
fn whole(data: &Bytes) -> Option<Wfex> {
    let mut cursor = Cursor::new(data, 0);
    let wave = Wfex::read(&mut cursor).ok()?;
    let of_wma = matches!(wave.format_tag, 0x160..=0x163);
    (of_wma && cursor.is_empty()).then_some(wave)
}

fn from_attributes(description: &Description) -> Result<Wfex, Error> {
    let Format::Audio { sampling_rate, channels, bits_per_sample, packet_size, audio_tag } =
        description.format
    else {
        return Err(invalid("an audio codec for a stream that is not audio"));
    };
    let short =
        |value| u16::try_from(value).map_err(|_| invalid("more than WAVEFORMATEX can hold"));
    let pro = description.tag.as_str().to_ascii_uppercase().starts_with("WMAP");
    Ok(Wfex {
        format_tag: match short(audio_tag)? {
            0 if pro => PROFESSIONAL,
            0 => STANDARD,
            tag => tag,
        },
        channels: short(channels)?,
        sampling_rate,
        bytes_per_second: description.bitrate / 8,
        block_align: short(packet_size)?,
        bits_per_sample: short(bits_per_sample)?,
        extra: description.private_data.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;
    use crate::manifest::StreamKind;

    fn described(tag: CodecTag, data: &str, audio_tag: u32) -> Description {
        let format = Format::Audio {
            sampling_rate: 48_000,
            channels: 2,
            bits_per_sample: 16,
            packet_size: 5462,
            audio_tag,
        };
        Description { bitrate: 128_000, ..Description::new(tag, hex(data).unwrap(), format) }
    }

    fn back(entry: &SampleEntry) -> Result<Description, Error> {
        Description::of_entry(StreamKind::Audio, entry, &Limits::default())
    }

    #[test]
    fn both_sorts_become_a_sample_entry_and_come_back() {
        for described in [
            described(CodecTag::WMAP, "1000030000000000000000000000E00042C0", 354),
            described(CodecTag::WMA2, "008800000F0000000000", 353),
            described(CodecTag::new("WMA"), "00000000", 352),
        ] {
            let entry = described.sample_entry().unwrap();
            let back = back(&entry).unwrap();
            assert_eq!((&back, back.bitrate), (&described, 128_000));
            assert!(described.is_known() && described.rfc6381().is_none());
        }
        // The name says it where no `AudioTag` does.
        for (name, audio_tag) in [("WmaPro", 354), ("WMAP", 354), ("WMA", 353)] {
            let entry = described(CodecTag::new(name), "", 0).sample_entry().unwrap();
            let Format::Audio { audio_tag: found, .. } = back(&entry).unwrap().format else {
                panic!("audio")
            };
            assert_eq!(found, audio_tag, "{name}");
        }
    }

    #[test]
    fn a_whole_structure_in_the_private_data_rules() {
        // A manifest of Microsoft's documentation, whose attributes say 48 kHz.
        let data = "6101020044AC0000853E00009D0B10000A00008800000F0000000000";
        let back = back(&described(CodecTag::WMA2, data, 0).sample_entry().unwrap()).unwrap();
        assert_eq!(back.private_data, hex("008800000F0000000000").unwrap());
        let Format::Audio { sampling_rate, packet_size, .. } = back.format else { panic!("audio") };
        assert_eq!((sampling_rate, packet_size, back.bitrate), (44_100, 2973, 8 * 16_005));
    }

    #[test]
    fn a_structure_that_lies_in_an_owma_without_a_box_is_found() {
        let real = described(CodecTag::WMA2, "008800000F0000000000", 353);
        let mut entry = real.sample_entry().unwrap();
        let bare = [&entry.body[..20], &entry.body[28..]].concat();
        for body in [entry.body.clone(), bare.clone().into()] {
            entry.body = body;
            entry.header.kind = FourCc(*b"owma");
            assert_eq!(back(&entry).unwrap(), real);
        }
        for len in 0..bare.len() {
            entry.body = Bytes::copy_from_slice(&bare[..len]);
            assert!(back(&entry).is_err(), "{len}");
        }
    }

    #[test]
    fn an_entry_without_the_structure_and_values_that_it_cannot_hold_are_refused() {
        let mut entry = described(CodecTag::WMAP, "", 0).sample_entry().unwrap();
        entry.body = entry.body.slice(..20);
        assert!(back(&entry).unwrap_err().to_string().contains("no `wfex`"));
        let mut wide = described(CodecTag::WMAP, "", 0);
        let Format::Audio { channels, .. } = &mut wide.format else { panic!("audio") };
        *channels = 65_536;
        assert!(wide.sample_entry().is_err());
    }
}
