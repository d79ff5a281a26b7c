//! E-AC-3: `ec-3` and `dec3` ◄► `EC-3` with the tail of WAVEFORMATEXTENSIBLE and `dec3` ◄► `ec-3`.

use super::ac3::{AUDIO_TAG, sampling_rate, speakers};
use super::{Codec, CodecTag, Description, Format, invalid, missing, sound};
use crate::base::{Error, Limits};
use crate::bmff::{AnyBox, AudioSampleEntry, Dec3, Dec3Substream, SampleEntry};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"ec-3"],
    tags: &["EC-3", "DEC3"],
    describe,
    sample_entry,
    rfc6381: |_| Some("ec-3".into()),
};

/// Samples of a frame: `wSamplesPerBlock`.
const SAMPLES: u16 = 1536;

/// `SubFormat`: A7FB87AF-2D02-42FB-A4D4-05CD93843BDD in the memory order of Windows.
const SUB_FORMAT: [u8; 16] = [
    0xaf, 0x87, 0xfb, 0xa7, 0x02, 0x2d, 0xfb, 0x42, 0xa4, 0xd4, 0x05, 0xcd, 0x93, 0x84, 0x3b, 0xdd,
];

/// Bytes of `wSamplesPerBlock`, `dwChannelMask` and `SubFormat`.
const TAIL: usize = 22;

/// As Bento4 announces it, and Unified Streaming.
fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let audio = AudioSampleEntry::parse(entry, limits)?;
    let dec3 = audio.boxes.get::<Dec3>();
    let fields = dec3.and_then(|dec3| Some((dec3, dec3.data_rate()?, dec3.substream()?)));
    let Some((dec3, data_rate, substream)) = fields else {
        let what = "`dec3` with a substream in the sample entry";
        return Err(missing(entry, what, "ETSI TS 102 366, F.5"));
    };
    let format = Format::Audio {
        sampling_rate: sampling_rate(substream.fscod).unwrap_or(audio.sample_rate >> 16),
        channels: channels(substream),
        bits_per_sample: 16,
        packet_size: 4 * u32::from(data_rate),
        audio_tag: AUDIO_TAG,
    };
    let mask = mask(substream).to_le_bytes();
    let data = [&SAMPLES.to_le_bytes()[..], &mask, &SUB_FORMAT, &dec3.payload].concat();
    let described = Description::new(CodecTag::EC_3, data.into(), format);
    Ok(Description { bitrate: 1000 * u32::from(data_rate), ..described })
}

fn sample_entry(description: &Description) -> Result<SampleEntry, Error> {
    let dec3 = configuration(description)
        .ok_or_else(|| invalid("not the tail of WAVEFORMATEXTENSIBLE for E-AC-3"))?;
    if dec3.substream().is_none() {
        return Err(invalid("no `dec3` behind WAVEFORMATEXTENSIBLE"));
    }
    let boxes = [AnyBox::new(dec3)].into_iter().collect();
    Ok(sound(description, *b"ec-3", boxes)?.to_entry())
}

/// Returns the configuration that the private data of a manifest contains.
pub(super) fn configuration(description: &Description) -> Option<Dec3> {
    let data = &description.private_data;
    let is_tail = data.get(TAIL - SUB_FORMAT.len()..TAIL) == Some(&SUB_FORMAT[..]);
    is_tail.then(|| Dec3 { payload: data.slice(TAIL..) })
}

/// A place where dependent substreams add channels, lowest bit of `chan_loc` first: how many
/// channels, and the speakers that Windows has for them.
///
/// Spec: ETSI TS 102 366, table F.2; the speakers as Bento4 has them, which calls the rear
/// surrounds of 7.1 side speakers.
const PLACES: [(u32, u32); 9] = [
    (2, 0xc0),   // left and right of the centre
    (2, 0x600),  // left and right rear surround
    (1, 0x100),  // centre surround
    (1, 0x800),  // top surround
    (2, 0),      // left and right surround direct
    (2, 0),      // left and right wide
    (2, 0x5000), // left and right vertical height
    (1, 0x2000), // centre vertical height
    (1, 0),      // a second one for low frequencies
];

fn places(substream: Dec3Substream) -> impl Iterator<Item = (u32, u32)> {
    let there = move |bit: &usize| substream.chan_loc >> bit & 1 == 1;
    (0..PLACES.len()).filter(there).map(|bit| PLACES[bit])
}

fn channels(substream: Dec3Substream) -> u32 {
    let more = places(substream).map(|(channels, _)| channels).sum::<u32>();
    speakers(substream.acmod, substream.lfe_on).count_ones() + more
}

fn mask(substream: Dec3Substream) -> u32 {
    let more = places(substream).fold(0, |mask, (_, speakers)| mask | speakers);
    speakers(substream.acmod, substream.lfe_on) | more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;
    use crate::manifest::StreamKind;

    /// A real packager's, for 5.1 at 224 kbit/s.
    const REAL: &str = "00063F000000AF87FBA7022DFB42A4D405CD93843BDD0700200F00";

    fn real(data: &str) -> Description {
        let format = Format::Audio {
            sampling_rate: 48_000,
            channels: 6,
            bits_per_sample: 16,
            packet_size: 896,
            audio_tag: 65_534,
        };
        Description::new(CodecTag::EC_3, hex(data).unwrap(), format)
    }

    fn back(description: &Description) -> Result<Description, Error> {
        let entry = description.sample_entry()?;
        Description::of_entry(StreamKind::Audio, &entry, &Limits::default())
    }

    #[test]
    fn private_data_becomes_a_sample_entry_and_comes_back() {
        assert_eq!(back(&real(REAL)).unwrap(), real(REAL));
        assert_eq!(back(&real(REAL)).unwrap().bitrate, 224_000);
        assert_eq!(real(REAL).rfc6381().unwrap(), "ec-3");
    }

    #[test]
    fn channels_of_dependent_substreams_are_counted() {
        // 7.1: one dependent substream with the rear surrounds.
        let surround = format!("{}{}", &REAL[..44], "0700200F0202");
        let back = back(&real(&surround)).unwrap();
        assert_eq!(back.private_data[2..6], 0x63f_u32.to_le_bytes());
        let Format::Audio { channels, .. } = back.format else { panic!("audio") };
        assert_eq!(channels, 8);
    }

    #[test]
    fn private_data_that_is_cut_or_of_another_codec_is_refused() {
        let whole = hex(REAL).unwrap();
        for len in 0..whole.len() {
            let cut = Description { private_data: whole.slice(..len), ..real(REAL) };
            assert!(cut.sample_entry().is_err(), "{len}");
        }
        assert!(real(&REAL.replace("AF87", "BF87")).sample_entry().is_err());
    }
}
