//! Properties of a track's sound, from its sample entry and its decoder's configuration.

use super::{Description, Format, aac, eac3};
use crate::base::Limits;
use crate::bmff::{AudioSampleEntry, Dac3, Dec3, SampleEntry};

/// The sound of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Sound {
    /// Samples per second that a decoder gives.
    pub sampling_rate: u32,
    /// Number of channels that a decoder gives.
    pub channels: u32,
    /// Which channels these are; `None` if nothing says so.
    pub layout: Option<ChannelLayout>,
    /// The complexity of its objects, if it has any: the 16 of HLS's `CHANNELS="16/JOC"`.
    ///
    /// Spec: ETSI TS 103 420, 8.3.
    pub objects: Option<u8>,
}

/// Which channels there are, as `AudioChannelConfiguration` of DASH has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelLayout {
    /// `ChannelConfiguration`: 2 for stereo, 6 for 5.1, 12 for 7.1 with surround channels at the
    /// back.
    ///
    /// Spec: ISO/IEC 23091-3, table 3.
    Mpeg(u8),
    /// Dolby's map of 16 channels, left front first: 0xA000 for stereo, 0xF801 for 5.1.
    ///
    /// Spec: ETSI TS 102 366, I.1.2.1 and table E.5.
    Dolby(u16),
}

impl Sound {
    /// Returns the sound that a sample entry describes, or that a manifest announces if there is no
    /// entry. `None` if neither has a number of channels and a rate.
    pub(crate) fn of(
        entry: Option<&SampleEntry>,
        description: Option<&Description>,
        limits: &Limits,
    ) -> Option<Self> {
        let described = entry.and_then(|entry| {
            Description::of_entry(crate::manifest::StreamKind::Audio, entry, limits).ok()
        });
        let described = described.as_ref().or(description)?;
        let Format::Audio { sampling_rate, channels, .. } = described.format else { return None };
        let boxes = entry.and_then(|entry| AudioSampleEntry::parse(entry, limits).ok());
        let boxes = boxes.map(|entry| entry.boxes).unwrap_or_default();
        let mut sound = Self { sampling_rate, channels, layout: None, objects: None };
        let name = described.tag.as_str().to_ascii_uppercase();
        match name.as_str() {
            "AACL" | "AACH" | "AACP" | "AAC" => aac::complete(described, &mut sound),
            "AC-3" | "DAC3" => {
                let map = boxes.get::<Dac3>().map(|dac3| map(dac3.acmod(), dac3.lfe_on(), 0));
                sound.layout = map.or_else(|| usual_map(channels)).map(ChannelLayout::Dolby);
            }
            "EC-3" | "DEC3" => {
                let dec3 = boxes.get::<Dec3>().cloned().or_else(|| eac3::configuration(described));
                let substream = dec3.as_ref().and_then(Dec3::substream);
                let map = substream.map(|s| map(s.acmod, s.lfe_on, s.chan_loc));
                sound.layout = map.or_else(|| usual_map(channels)).map(ChannelLayout::Dolby);
                sound.objects = dec3.as_ref().and_then(Dec3::objects);
            }
            _ => sound.layout = usual(channels).map(ChannelLayout::Mpeg),
        }
        (sound.sampling_rate > 0 && sound.channels > 0).then_some(sound)
    }
}

/// Returns the `ChannelConfiguration` that this number of channels usually has.
pub(super) fn usual(channels: u32) -> Option<u8> {
    match channels {
        1..=6 => Some(channels as u8),
        7 => Some(11),
        8 => Some(12),
        24 => Some(13),
        _ => None,
    }
}

/// Channels of Dolby's map.
mod at {
    pub(super) const LEFT: u16 = 0x8000;
    pub(super) const CENTRE: u16 = 0x4000;
    pub(super) const RIGHT: u16 = 0x2000;
    pub(super) const SURROUND: u16 = 0x1800;
    pub(super) const BEHIND: u16 = 0x0100;
    pub(super) const LOW: u16 = 0x0001;
    pub(super) const SECOND_LOW: u16 = 0x0002;
    /// The first of the places where dependent substreams add channels.
    pub(super) const FIRST_ADDED: u16 = 0x0400;
}

/// Returns Dolby's map of the channels of `acmod`, and those that dependent substreams add by
/// `chan_loc`.
fn map(acmod: u8, lfe_on: bool, chan_loc: u16) -> u16 {
    let stereo = at::LEFT | at::RIGHT;
    let front = match acmod & 7 {
        1 => at::CENTRE,
        3 => stereo | at::CENTRE,
        4 => stereo | at::BEHIND,
        5 => stereo | at::CENTRE | at::BEHIND,
        6 => stereo | at::SURROUND,
        7 => stereo | at::CENTRE | at::SURROUND,
        _ => stereo,
    };
    let low = if lfe_on { at::LOW } else { 0 };
    let added = (0..8).filter(|place| chan_loc >> place & 1 == 1);
    let added = added.fold(0, |map, place| map | at::FIRST_ADDED >> place);
    let second = if chan_loc & 0x100 != 0 { at::SECOND_LOW } else { 0 };
    front | low | added | second
}

fn usual_map(channels: u32) -> Option<u16> {
    match channels {
        1 => Some(map(1, false, 0)),
        2 => Some(map(2, false, 0)),
        6 => Some(map(7, true, 0)),
        8 => Some(map(7, true, 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{CodecTag, hex};

    fn announced(tag: &str, data: &str, sampling_rate: u32, channels: u32) -> Description {
        let format = Format::Audio {
            sampling_rate,
            channels,
            bits_per_sample: 16,
            packet_size: 4,
            audio_tag: 0,
        };
        Description::new(CodecTag::new(tag), hex(data).unwrap(), format)
    }

    /// The sound as it is announced and as it is stored.
    fn both(tag: &str, data: &str, sampling_rate: u32, channels: u32) -> [Option<Sound>; 2] {
        let announced = announced(tag, data, sampling_rate, channels);
        let limits = Limits::default();
        let entry = announced.sample_entry().unwrap();
        [Sound::of(None, Some(&announced), &limits), Sound::of(Some(&entry), None, &limits)]
    }

    fn sound(sampling_rate: u32, channels: u32, layout: ChannelLayout) -> Option<Sound> {
        Some(Sound { sampling_rate, channels, layout: Some(layout), objects: None })
    }

    #[test]
    fn aac_has_the_channels_and_the_rate_that_a_decoder_gives() {
        use ChannelLayout::Mpeg;
        for (tag, data, said, is) in [
            ("AACL", "1190", (48_000, 2), sound(48_000, 2, Mpeg(2))),
            ("AACL", "11B0", (48_000, 2), sound(48_000, 6, Mpeg(6))),
            ("AACL", "11B8", (48_000, 8), sound(48_000, 8, Mpeg(7))),
            // The manifest has the rate of the core, or one channel of parametric stereo.
            ("AACH", "2B118800", (24_000, 2), sound(48_000, 2, Mpeg(2))),
            ("AACP", "EB098800", (24_000, 1), sound(48_000, 2, Mpeg(2))),
        ] {
            assert_eq!(both(tag, data, said.0, said.1), [is; 2], "{tag} {data}");
        }
        let empty = announced("AACL", "", 44_100, 2);
        let found = Sound::of(None, Some(&empty), &Limits::default());
        assert_eq!(found, sound(44_100, 2, Mpeg(2)));
    }

    #[test]
    fn dolby_has_a_map_of_its_channels() {
        use ChannelLayout::Dolby;
        let head = "00063F000000AF87FBA7022DFB42A4D405CD93843BDD";
        let of = |dec3: &str, channels| both("EC-3", &format!("{head}{dec3}"), 48_000, channels);
        assert_eq!(of("0700200F00", 6), [sound(48_000, 6, Dolby(0xf801)); 2]);
        assert_eq!(of("0600200400", 2), [sound(48_000, 2, Dolby(0xa000)); 2]);
        assert_eq!(of("0700200F0202", 8), [sound(48_000, 8, Dolby(0xfa01)); 2]);
        // Objects in 5.1, as a real packager wrote it: complexity 16.
        let objects = of("1400200F000110", 6)[1].unwrap();
        assert_eq!((objects.objects, objects.layout), (Some(16), Some(Dolby(0xf801))));
        let ac3 = announced("AC-3", "", 48_000, 6);
        let found = Sound::of(None, Some(&ac3), &Limits::default());
        assert_eq!(found, sound(48_000, 6, Dolby(0xf801)));
    }

    #[test]
    fn a_manifest_that_says_nothing_gives_no_sound() {
        let silent = announced("WMA2", "", 0, 0);
        assert_eq!(Sound::of(None, Some(&silent), &Limits::default()), None);
        assert_eq!(Sound::of(None, None, &Limits::default()), None);
    }
}
