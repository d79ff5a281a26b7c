//! `c` elements, and the times they stand for.

use std::num::NonZeroU64;

use super::other_attributes::{self, OtherAttributes};
use crate::base::{Error, ErrorKind, Run};

/// One `c` element, as written: one chunk, or a run of equal ones.
///
/// An absent `t` is the end of the chunk before (0 for the first); an absent `d` reaches to the next
/// `t`.
///
/// Spec: [MS-SSTR] 2.2.2.6.
///
/// ```
/// use smooth_origin::Limits;
/// use smooth_origin::manifest::ClientManifest;
/// # let text = br#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="1" Duration="40000000">
/// #   <Protection><ProtectionHeader SystemID="9a04f079-9840-4286-ab92-e65be0885f95">AA==</ProtectionHeader></Protection>
/// #   <StreamIndex Type="video" Url="QualityLevels({bitrate})/Fragments(video={start time})">
/// #     <QualityLevel Index="0" Bitrate="952962" FourCC="H264" CodecPrivateData=""/>
/// #     <c t="0" d="20000000" n="0"><f i="0" s="1234"/></c><c d="20000000"/>
/// #   </StreamIndex>
/// # </SmoothStreamingMedia>"#;
///
/// let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
/// let chunks = &manifest.streams[0].chunks;
/// assert_eq!((chunks[0].time, chunks[0].duration), (Some(0), Some(20_000_000)));
/// // It begins where the first one ends.
/// assert_eq!(chunks[1].time, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// `t`: start, in ticks of the stream.
    pub time: Option<u64>,
    /// `d`: duration, in ticks of the stream.
    pub duration: Option<u64>,
    /// `r`: how many equal chunks this stands for, itself included (unlike DASH).
    pub repeat: Option<NonZeroU64>,
    /// `n`: ordinal, informative.
    pub number: Option<u32>,
    /// Content that few chunks have.
    pub details: Option<Box<ChunkDetails>>,
}

/// The content of a `c` element beside its times.
///
/// ```
/// use smooth_origin::Limits;
/// use smooth_origin::manifest::ClientManifest;
/// # let text = br#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="1" Duration="40000000">
/// #   <Protection><ProtectionHeader SystemID="9a04f079-9840-4286-ab92-e65be0885f95">AA==</ProtectionHeader></Protection>
/// #   <StreamIndex Type="video" Url="QualityLevels({bitrate})/Fragments(video={start time})">
/// #     <QualityLevel Index="0" Bitrate="952962" FourCC="H264" CodecPrivateData=""/>
/// #     <c t="0" d="20000000" n="0"><f i="0" s="1234"/></c><c d="20000000"/>
/// #   </StreamIndex>
/// # </SmoothStreamingMedia>"#;
///
/// let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
/// let details = manifest.streams[0].chunks[0].details.as_ref().unwrap();
/// assert_eq!(details.fragments.len(), 1);
/// assert!(details.other.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkDetails {
    /// `f` children: what it says of single qualities, or their samples.
    pub fragments: Vec<FragmentData>,
    /// Attributes that are not understood.
    pub other: OtherAttributes,
}

impl ChunkDetails {
    /// There is nothing but times.
    pub(super) fn is_empty(&self) -> bool {
        self.fragments.is_empty() && self.other.is_empty()
    }
}

impl Chunk {
    /// Its `f` children.
    pub fn fragments(&self) -> &[FragmentData] {
        self.details.as_deref().map_or(&[], |details| &details.fragments)
    }
}

/// An `f` element: data of one chunk in one quality.
///
/// Spec: [MS-SSTR] 2.2.2.6.1.
///
/// ```
/// use smooth_origin::Limits;
/// use smooth_origin::manifest::ClientManifest;
/// # let text = br#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="1" Duration="40000000">
/// #   <Protection><ProtectionHeader SystemID="9a04f079-9840-4286-ab92-e65be0885f95">AA==</ProtectionHeader></Protection>
/// #   <StreamIndex Type="video" Url="QualityLevels({bitrate})/Fragments(video={start time})">
/// #     <QualityLevel Index="0" Bitrate="952962" FourCC="H264" CodecPrivateData=""/>
/// #     <c t="0" d="20000000" n="0"><f i="0" s="1234"/></c><c d="20000000"/>
/// #   </StreamIndex>
/// # </SmoothStreamingMedia>"#;
///
/// let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
/// let fragment = &manifest.streams[0].chunks[0].fragments()[0];
/// assert_eq!((fragment.index, fragment.size), (Some(0), Some(1234)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FragmentData {
    /// `i`: `Index` of the quality.
    pub index: Option<u32>,
    /// `s`: size in bytes, by some producers.
    pub size: Option<u32>,
    /// `q`: quality, by some producers; no source says how it is measured.
    pub quality: Option<u32>,
    /// Data, and the attributes that are not understood behind a zero, where there are any. An
    /// element may take eight bytes: what it is kept in must be small.
    text: Box<str>,
}

impl FragmentData {
    /// An element of this data and these attributes that are not understood. It says nothing else.
    ///
    /// Data that XML cannot hold ends before its first zero character.
    pub fn new(data: &str, other: &OtherAttributes) -> Self {
        let mut text = data.split('\0').next().unwrap_or_default().to_owned();
        if !other.is_empty() {
            text.push('\0');
        }
        other.iter().for_each(|(name, value)| other_attributes::push(&mut text, name, value));
        Self { text: text.into(), ..Self::default() }
    }

    /// Base64 of the sample's bytes, white space removed; empty where the stream is not embedded.
    pub fn data(&self) -> &str {
        self.text.split('\0').next().unwrap_or_default()
    }

    /// Attributes that are not understood, by name, in document order.
    pub fn other(&self) -> impl Iterator<Item = (&str, &str)> {
        let other = self.text.split_once('\0').map_or("", |(_, other)| other);
        other_attributes::pairs(other)
    }
}

/// The times of `chunks`: a missing `t` is the end of the chunk before (0 for the first), a
/// missing `d` reaches to the next `t`.
///
/// Spec: [MS-SSTR] 3.1.5.1 (2.2.2.6 words the missing `d` the other way round).
///
/// # Errors
/// [`ErrorKind::Invalid`] for a run without a duration, and for times beyond 64 bits.
#[cfg_attr(not(feature = "unstable-formats"), allow(unreachable_pub))]
pub fn runs(chunks: &[Chunk]) -> impl Iterator<Item = Result<Run, Error>> + '_ {
    let mut next = 0_u64;
    chunks.iter().enumerate().map(move |(i, chunk)| {
        let start = chunk.time.unwrap_or(next);
        let count = chunk.repeat.unwrap_or(NonZeroU64::MIN);
        let duration = match chunk.duration {
            Some(duration) => duration,
            None if count.get() > 1 => return Err(invalid("a run (`r`) without a duration (`d`)")),
            None => {
                let following = chunks.get(i + 1).and_then(|chunk| chunk.time);
                following.map_or(0, |following| following.saturating_sub(start))
            }
        };
        let run = Run { start, duration, count };
        next = run.checked_end().ok_or_else(|| invalid("a time beyond 64 bits"))?;
        Ok(run)
    })
}

fn invalid(what: &str) -> Error {
    ErrorKind::Invalid { what: what.into(), clause: "[MS-SSTR] 2.2.2.6" }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(time: Option<u64>, duration: Option<u64>, repeat: u64) -> Chunk {
        Chunk { time, duration, repeat: NonZeroU64::new(repeat), ..Chunk::default() }
    }

    fn starts(chunks: &[Chunk]) -> Vec<(u64, u64, u64)> {
        runs(chunks).map(|run| run.unwrap()).map(|r| (r.start, r.duration, r.count.get())).collect()
    }

    #[test]
    fn an_f_keeps_its_data_and_its_attributes_apart() {
        for data in ["", "QUJD"] {
            for attributes in [&[][..], &[("a", "")], &[("a", "1"), ("b", "QUJD")]] {
                let f = FragmentData::new(data, &attributes.iter().copied().collect());
                assert_eq!((f.data(), f.other().collect::<Vec<_>>()), (data, attributes.to_vec()));
            }
        }
        assert!(size_of::<FragmentData>() <= 40 && size_of::<ChunkDetails>() <= 40);
    }

    #[test]
    fn times_follow_from_neighbours() {
        let durations = [20_201_360, 19_969_161, 19_969_161].map(|d| chunk(None, Some(d), 0));
        let times: Vec<_> = starts(&durations).iter().map(|run| run.0).collect();
        assert_eq!(times, [0, 20_201_360, 40_170_521]);

        let gap = [chunk(Some(5), None, 0), chunk(Some(25), Some(10), 0), chunk(None, Some(1), 0)];
        assert_eq!(starts(&gap), [(5, 20, 1), (25, 10, 1), (35, 1, 1)]);

        let azure = [chunk(Some(14_730_376), Some(2000), 110), chunk(None, Some(7), 0)];
        assert_eq!(starts(&azure), [(14_730_376, 2000, 110), (14_950_376, 7, 1)]);
        assert_eq!(starts(&[chunk(Some(3), None, 0)]), [(3, 0, 1)]);
    }

    #[test]
    fn a_run_stays_a_run_however_long() {
        let long = [chunk(Some(0), Some(0), u64::MAX)];
        assert_eq!(starts(&long), [(0, 0, u64::MAX)]);
    }

    #[test]
    fn times_that_cannot_be_are_errors() {
        for chunks in [
            vec![chunk(Some(0), None, 2)],
            vec![chunk(Some(0), Some(2), u64::MAX)],
            vec![chunk(Some(u64::MAX), Some(1), 0)],
        ] {
            assert!(runs(&chunks).any(|run| run.is_err()), "{chunks:?}");
        }
    }
}
