//! Properties of tracks that manifests of other formats announce.

use super::Stream;
use super::stream::{StoredTrack, Track};
use crate::base::Limits;
use crate::bmff::SampleEntry;
use crate::codec::{
    Colour, Encryption, FrameRate, Pictures, Sound, VideoRange, codec_string, encryption,
};
use crate::manifest::{StreamKind, language_tag};

/// Parameter sets and sample entries are read for each call.
impl Track {
    /// The codec string of RFC 6381, as `codecs` of DASH and `CODECS` of HLS have it: `avc1.64001F`,
    /// `mp4a.40.2`, `ec-3`, `stpp`. `None` if the codec has no such string, or if it is not known.
    ///
    /// The sample entry takes precedence over the manifest, because an initialization segment has
    /// the entry.
    pub fn codecs(&self) -> Option<String> {
        codec_string(self.kind, self.sample_entry(), self.description(), &Limits::default())
    }

    /// Frames per second. `None` for a track without pictures, or if nothing says so.
    ///
    /// The durations of the samples in the first fragment count if they are constant and differ from
    /// what the parameter sets declare; else the parameter sets, which are exact.
    pub fn frame_rate(&self) -> Option<FrameRate> {
        if self.kind != StreamKind::Video {
            return None;
        }
        let stored = self.stored().ok();
        let counted = stored.and_then(StoredTrack::frame_rate);
        match (self.pictures().frame_rate, counted) {
            (Some(declared), Some(counted)) if !declared.is_near(counted) => Some(counted),
            (declared, counted) => declared.or(counted),
        }
    }

    /// Width and height of a pixel, in lowest terms: (1, 1) if pixels are square. `None` for a track
    /// without pictures, or if nothing says so.
    ///
    /// It is that of the box `pasp`, of the parameter sets, of the size in the track's header, or of
    /// `DisplayWidth` and `DisplayHeight` in the manifest, in this order.
    ///
    /// Spec: ISO/IEC 14496-12, 12.1.4.
    pub fn pixel_aspect_ratio(&self) -> Option<(u32, u32)> {
        (self.kind == StreamKind::Video)
            .then(|| self.pictures().pixel_aspect.or(self.pixel_aspect.as_deref().copied()))?
    }

    /// The colour of its pictures: of the box `colr`, or of the parameter sets. `None` if nothing
    /// says so.
    pub fn colour(&self) -> Option<Colour> {
        (self.kind == StreamKind::Video).then(|| self.pictures().colour)?
    }

    /// The dynamic range of its pictures. `None` for a track without pictures, or if nothing says
    /// so, which players take for [`VideoRange::Sdr`].
    pub fn video_range(&self) -> Option<VideoRange> {
        (self.kind == StreamKind::Video).then(|| self.pictures().range)?
    }

    /// Its sampling rate and channels. `None` for a track without sound, or if they are not known.
    ///
    /// ```
    /// # fn example(track: &smooth_origin::presentation::Track) {
    /// use smooth_origin::codec::ChannelLayout;
    /// if let Some(sound) = track.sound() {
    ///     println!("{} Hz, {} channels", sound.sampling_rate, sound.channels);
    ///     if let Some(ChannelLayout::Dolby(map)) = sound.layout {
    ///         println!("{map:04X}");
    ///     }
    /// }
    /// # }
    /// ```
    pub fn sound(&self) -> Option<Sound> {
        if self.kind != StreamKind::Audio {
            return None;
        }
        Sound::of(self.sample_entry(), self.description(), &Limits::default())
    }

    /// The encryption of its samples, unless a fragment has its own parameters. `None` if they are
    /// not, or if its [sample entry](Self::sample_entry) is not known.
    ///
    /// Spec: ISO/IEC 23001-7, 8.2; PIFF 1.1, 5.3.3.
    pub fn encryption(&self) -> Option<Encryption> {
        self.sample_entries().find_map(|entry| {
            encryption(entry, &Limits::default()).filter(|found| found.key_id.is_some())
        })
    }

    /// All sample entries in the header of its file, in order.
    pub(crate) fn sample_entries(&self) -> impl Iterator<Item = &SampleEntry> {
        let stored = self.stored().ok();
        stored.into_iter().flat_map(|stored| stored.entry.iter().chain(&*stored.more_entries))
    }

    fn pictures(&self) -> Pictures {
        Pictures::of(self.sample_entry(), self.description(), &Limits::default())
    }
}

#[cfg(any(feature = "dash", feature = "hls"))]
impl Track {
    /// Returns a frame of silence for its decoder, if that is known and its samples are not
    /// encrypted.
    pub(crate) fn silence(&self) -> Option<crate::codec::Silence> {
        let limits = Limits::default();
        let silence = crate::codec::Silence::of(self.sample_entry(), self.description(), &limits)?;
        self.encryption().is_none().then_some(silence)
    }
}

impl StoredTrack {
    /// Returns the rate of the samples in the first fragment, or of those that leave their duration
    /// to the file's header.
    fn frame_rate(&self) -> Option<FrameRate> {
        let default = self.defaults.duration;
        let (shortest, longest) = self.durations.unwrap_or((default, default));
        FrameRate::of_durations(shortest, longest, self.timescale)
    }
}

impl Stream {
    /// Its language as a tag of BCP 47: the manifest's, or else that in the header of its first
    /// file. `None` if it is not known.
    pub fn language_tag(&self) -> Option<String> {
        let of_manifest = self.language.as_deref().and_then(language_tag);
        let of_files = || {
            let stored = self.tracks.iter().filter_map(|track| track.stored().ok());
            stored
                .filter_map(|stored| stored.language)
                .find_map(|code| language_tag(std::str::from_utf8(&code).ok()?))
        };
        of_manifest.or_else(of_files)
    }
}
