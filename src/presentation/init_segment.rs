//! Initialization segments of tracks.

use bytes::Bytes;

use super::stream::{StoredTrack, Track};
use super::{Presentation, Stream};
use crate::base::Error;
use crate::codec::InitSegment;
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::codec::{CodecTag, Description, Format};

/// The number of a track whose fragments are files of their own.
pub(crate) const ONLY_TRACK: u32 = 1;

impl Presentation {
    /// Returns an initialization segment for a track of a stream: `ftyp` and `moov`, with which
    /// players of DASH and HLS set up a decoder for its fragments.
    ///
    /// The track has the number and the timescale that it has in its file, so that they fit its
    /// fragments; if each fragment is a file, the number is 1 and the timescale is the stream's.
    /// Sample entries are those of the file, with the boxes of Common Encryption in place of PIFF's,
    /// or one that is made from the manifest if the file's cannot be read. `avcC` and `hvcC` indicate
    /// the profile and level of the parameter sets in them, as the manifests do. A `pssh` is added for each
    /// [protection system](Self::protection) if samples are encrypted.
    ///
    /// # Errors
    /// The reason why the track has no media, if it has none.
    /// [`NotServed`](crate::base::ErrorKind::NotServed) if there is no sample entry and none can be
    /// made, or if the key of encrypted samples is not known.
    /// [`Invalid`](crate::base::ErrorKind::Invalid) if the private data in the manifest is not what
    /// the codec needs.
    ///
    /// Spec: ISO/IEC 23000-19, 7.3.1.
    ///
    /// ```
    /// # fn example(film: &smooth_origin::presentation::Presentation) -> Result<(), smooth_origin::Error> {
    /// let stream = &film.streams()[0];
    /// let segment = film.init_segment(stream, &stream.tracks()[0])?;
    /// assert_eq!(&segment[4..8], b"ftyp");
    /// # Ok(())
    /// # }
    /// ```
    pub fn init_segment(&self, stream: &Stream, track: &Track) -> Result<Bytes, Error> {
        track.check_media()?;
        self.init_segment_of(stream, track).to_bytes(&self.limits)
    }

    /// Checks that [`init_segment`](Self::init_segment) can be written, without writing it.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn check_init_segment(&self, stream: &Stream, track: &Track) -> Result<(), Error> {
        track.check_media()?;
        self.init_segment_of(stream, track).check(&self.limits)
    }

    /// Returns an initialization segment for a track of text as WebVTT. Number, timescale and language
    /// are those of [`init_segment`](Self::init_segment).
    ///
    /// # Errors
    /// The reason why the track has no media, if it has none.
    ///
    /// Spec: ISO/IEC 14496-30, 7.5.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn wvtt_init_segment(&self, stream: &Stream, track: &Track) -> Result<Bytes, Error> {
        track.check_media()?;
        let description = Description::new(CodecTag::WVTT, Bytes::new(), Format::Text);
        let segment = InitSegment {
            entries: Vec::new(),
            description: Some(&description),
            defaults: (0, 0, 0),
            systems: &[],
            ..self.init_segment_of(stream, track)
        };
        segment.to_bytes(&self.limits)
    }

    fn init_segment_of<'a>(&'a self, stream: &'a Stream, track: &'a Track) -> InitSegment<'a> {
        let stored = track.stored().ok();
        let code = |tag: String| tag.as_bytes().try_into().ok();
        let language = stored.and_then(|stored| stored.language);
        InitSegment {
            track_id: stored.map_or(ONLY_TRACK, |stored| stored.track_id),
            kind: stream.kind,
            timescale: stored.map_or(stream.timescale, |stored| stored.timescale),
            language: language.or_else(|| stream.language.clone().and_then(code)),
            entries: track.sample_entries().collect(),
            description: track.description(),
            pixel_aspect: track.pixel_aspect_ratio(),
            defaults: stored.map_or((0, 0, 0), StoredTrack::sample_defaults),
            systems: self.protection(),
        }
    }
}

impl StoredTrack {
    /// Returns duration, size and flags of samples whose fragments do not say.
    fn sample_defaults(&self) -> (u32, u32, u32) {
        (self.defaults.duration, self.defaults.size, self.defaults.flags)
    }
}
