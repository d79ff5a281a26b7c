//! MP3: `.mp3`, or `mp4a` whose `esds` says so ◄► `WMAP` with `AudioTag` 85 ◄► `mp4a.6B`.

use bytes::Bytes;

use super::{Codec, CodecTag, Description, Format, audio, sound};
use crate::base::Error;
use crate::bmff::{AnyBox, AudioSampleEntry, DecoderConfig, Esds, SampleEntry};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b".mp3"],
    tags: &[NAME, ".MP3"],
    describe: |entry, limits| Ok(of_audio(&AudioSampleEntry::parse(entry, limits)?)),
    sample_entry,
    rfc6381: |description| Some(format!("mp4a.{:02X}", object_type(description))),
};

/// The table's name for it.
pub(super) const NAME: &str = "MP3";

/// `wFormatTag`.
pub(super) const AUDIO_TAG: u32 = 85;

/// Object type indications of `esds` (ISO/IEC 14496-1, table 5).
pub(super) const OBJECT_TYPES: [u8; 2] = [MPEG_2, MPEG_1];
const MPEG_1: u8 = 0x6b;
const MPEG_2: u8 = 0x69;

/// nginx-vod-module announces it in this way; no other convention is known.
pub(super) fn of_audio(entry: &AudioSampleEntry) -> Description {
    let mut format = audio(entry);
    if let Format::Audio { audio_tag, bits_per_sample, .. } = &mut format {
        (*audio_tag, *bits_per_sample) = (AUDIO_TAG, 16);
    }
    Description::new(CodecTag::WMAP, Bytes::new(), format)
}

fn sample_entry(description: &Description) -> Result<SampleEntry, Error> {
    let config = DecoderConfig {
        object_type: object_type(description),
        max_bitrate: description.bitrate,
        average_bitrate: description.bitrate,
        specific: Bytes::new(),
    };
    let boxes = [AnyBox::new(Esds::of(&config))].into_iter().collect();
    Ok(sound(description, *b"mp4a", boxes)?.to_entry())
}

/// MPEG-1 has three sampling rates, MPEG-2 the halves of them.
fn object_type(description: &Description) -> u8 {
    match description.format {
        Format::Audio { sampling_rate: 1..=24_000, .. } => MPEG_2,
        _ => MPEG_1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FourCc, Limits};
    use crate::manifest::StreamKind;

    fn entry(format: &[u8; 4], rate: u32) -> AudioSampleEntry {
        AudioSampleEntry {
            format: FourCc(*format),
            channel_count: 2,
            sample_size: 16,
            sample_rate: rate << 16,
            boxes: Default::default(),
        }
    }

    #[test]
    fn it_is_announced_by_its_audio_tag_becomes_an_mp4a_and_comes_back() {
        let limits = Limits::default();
        for (rate, string) in [(44_100, "mp4a.6B"), (24_000, "mp4a.69")] {
            let plain = entry(b".mp3", rate).to_entry();
            let said = Description::of_entry(StreamKind::Audio, &plain, &limits).unwrap();
            assert_eq!((said.tag.as_str(), said.rfc6381().as_deref()), ("WMAP", Some(string)));
            let quality = said.quality(128_000);
            assert_eq!(quality.audio_tag, Some(85));
            let again = said.sample_entry().unwrap();
            assert_eq!(again.format(), *b"mp4a");
            assert_eq!(Description::of_entry(StreamKind::Audio, &again, &limits).unwrap(), said);
        }
    }
}
