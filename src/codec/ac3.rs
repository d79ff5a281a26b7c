//! AC-3: `ac-3` and `dac3` ► `AC-3` ► `ac-3`.

use bytes::Bytes;

use super::{Codec, CodecTag, Description, Format, missing};
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{AudioSampleEntry, Dac3, SampleEntry};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"ac-3"],
    tags: &["AC-3", "DAC3"],
    describe,
    sample_entry: |_| Err(ErrorKind::NotServed("a sample entry for AC-3").into()),
    rfc6381: |_| Some("ac-3".into()),
};

/// `wFormatTag` of what Windows calls extensible: Dolby's formats.
pub(super) const AUDIO_TAG: u32 = 65_534;

/// Kilobits per second by `bit_rate_code`: ETSI TS 102 366, table F.4.
const RATES: [u32; 19] =
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];

/// The layout of the private data is unconfirmed, so there is none: a decoder finds all that it
/// needs at the start of each frame.
fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let audio = AudioSampleEntry::parse(entry, limits)?;
    let Some(dac3) = audio.boxes.get::<Dac3>() else {
        return Err(missing(entry, "`dac3` in the sample entry", "ETSI TS 102 366, F.3"));
    };
    let rate = RATES.get(usize::from(dac3.bit_rate_code())).copied().unwrap_or(0);
    let format = Format::Audio {
        sampling_rate: sampling_rate(dac3.fscod()).unwrap_or(audio.sample_rate >> 16),
        channels: speakers(dac3.acmod(), dac3.lfe_on()).count_ones(),
        bits_per_sample: 16,
        packet_size: 4 * rate,
        audio_tag: AUDIO_TAG,
    };
    let described = Description::new(CodecTag::AC_3, Bytes::new(), format);
    Ok(Description { bitrate: 1000 * rate, ..described })
}

/// Hertz by `fscod`; `None` for the value that does not say.
pub(super) fn sampling_rate(fscod: u8) -> Option<u32> {
    [48_000, 44_100, 32_000].get(usize::from(fscod)).copied()
}

/// Channels by `acmod`, in the bits that Windows has for speakers: front left, right and centre,
/// low frequencies, back left and right; the one at the back centre is 0x100.
///
/// Spec: ETSI TS 102 366, 4.4.2.3.
pub(super) fn speakers(acmod: u8, lfe_on: bool) -> u32 {
    let speakers = match acmod & 7 {
        1 => 0x4,
        3 => 0x7,
        4 => 0x103,
        5 => 0x107,
        6 => 0x33,
        7 => 0x37,
        _ => 0x3, // two channels, of one programme or of two
    };
    speakers | if lfe_on { 0x8 } else { 0 }
}
