//! Opus: `Opus` and `dOps` ► `OPUS` ► `opus`.

use bytes::Bytes;

use super::{Codec, CodecTag, Description, Format, missing};
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{AudioSampleEntry, DOps, SampleEntry};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"Opus"],
    tags: &["OPUS"],
    describe,
    sample_entry: |_| Err(ErrorKind::NotServed("a sample entry for Opus").into()),
    rfc6381: |_| Some("opus".into()),
};

/// The layout of the private data is unconfirmed, and no `AudioTag` is known: so there is neither.
fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let audio = AudioSampleEntry::parse(entry, limits)?;
    let Some(opus) = audio.boxes.get::<DOps>() else {
        let clause = "Encapsulation of Opus in ISO Base Media File Format, 4.3.1";
        return Err(missing(entry, "`dOps` in the sample entry", clause));
    };
    let format = Format::Audio {
        sampling_rate: 48_000, // whatever went in, this comes out
        channels: opus.channels.into(),
        bits_per_sample: 16,
        packet_size: 4,
        audio_tag: 0,
    };
    Ok(Description::new(CodecTag::OPUS, Bytes::new(), format))
}
