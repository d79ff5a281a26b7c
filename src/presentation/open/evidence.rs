//! Evidence for the quality of a track: what the server manifest declares and what its media shows.

use bytes::Bytes;

use super::resolve::Resolved;
use super::tracks::MediaTrack;
use crate::base::Limits;
use crate::codec::{Description, Format, hex};
use crate::manifest::{ServerTrack, StreamKind};

/// Properties that a track shares with a quality of a client manifest: how it is coded, and the
/// size of its pictures.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// As declared by its element in the server manifest.
    pub(super) said: Coding,
    /// As shown by its sample entry in the file.
    pub(super) shown: Coding,
}

/// Known properties of how a track is coded.
#[derive(Clone, Debug, Default)]
pub(super) struct Coding {
    pub(super) private_data: Option<Bytes>,
    pub(super) size: Option<(u32, u32)>,
}

/// Maximum difference in pixels between sizes of which only one is cut to whole macroblocks.
const CROPPED: u32 = 16;

/// Offset of width and height in a video sample entry. Spec: ISO/IEC 14496-12, 12.1.3.
const SIZE: usize = 16;

impl Evidence {
    /// Collects the evidence for a track. Properties of its media are unknown if it is missing or
    /// cannot be read.
    pub(super) fn of(
        track: &ServerTrack,
        resolved: Option<&Resolved<'_>>,
        limits: &Limits,
    ) -> Self {
        let said = Coding { private_data: said_private_data(track), size: said_size(track) };
        let media = resolved.and_then(|resolved| resolved.media.as_ref().ok());
        let shown = media.map(|media| Coding::shown(track.kind, media, limits));
        let shown = shown.unwrap_or_default();
        Self { said, shown }
    }

    /// Returns the size of the pictures: the server manifest takes precedence over the file.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        self.said.size.or(self.shown.size)
    }

    /// Returns whether sizes are known and all of them differ from `size`.
    pub(super) fn contradicts(&self, size: (u32, u32)) -> bool {
        let mut sizes = [self.said.size, self.shown.size].into_iter().flatten().peekable();
        sizes.peek().is_some() && sizes.all(|other| are_other_sizes(other, size))
    }
}

impl Coding {
    /// Reads the sample entry of a track. Properties are unknown if it cannot be read.
    pub(super) fn shown(kind: StreamKind, media: &MediaTrack, limits: &Limits) -> Self {
        let described = media.entry.as_ref();
        let described = described.and_then(|e| Description::of_entry(kind, e, limits).ok());
        described.map_or_else(Self::default, |described| Self {
            size: size_of(&described),
            private_data: Some(described.private_data).filter(|data| !data.is_empty()),
        })
    }
}

/// Returns the picture size that the server manifest gives for a track.
pub(super) fn said_size(track: &ServerTrack) -> Option<(u32, u32)> {
    let number = |name| track.value(name)?.trim().parse().ok();
    Some((number("MaxWidth")?, number("MaxHeight")?)).filter(|size| size.0 > 0 && size.1 > 0)
}

/// Returns the decoder configuration that the server manifest gives for a track.
pub(super) fn said_private_data(track: &ServerTrack) -> Option<Bytes> {
    let data = hex(track.value("CodecPrivateData")?).ok()?;
    Some(data).filter(|data| !data.is_empty())
}

/// Returns whether sizes of pictures differ by more than cropping.
pub(super) fn are_other_sizes(one: (u32, u32), other: (u32, u32)) -> bool {
    one.0.abs_diff(other.0) > CROPPED || one.1.abs_diff(other.1) > CROPPED
}

/// Returns the picture size in the sample entry of a track. It is read without parsing the entry,
/// which is cheap enough to do for presentations without faults.
pub(super) fn entry_size(resolved: &Resolved<'_>) -> Option<(u32, u32)> {
    let entry = resolved.media.as_ref().ok()?.entry.as_ref()?;
    let size =
        entry.body.get(SIZE..SIZE + 4).filter(|_| resolved.server.kind == StreamKind::Video)?;
    let &[w, width, h, height] = size else { return None };
    let size = (u32::from_be_bytes([0, 0, w, width]), u32::from_be_bytes([0, 0, h, height]));
    Some(size).filter(|size| size.0 > 0 && size.1 > 0)
}

/// Returns the size of pictures, if it is known.
pub(super) fn size_of(described: &Description) -> Option<(u32, u32)> {
    match described.format {
        Format::Video { width, height, .. } if width > 0 && height > 0 => Some((width, height)),
        _ => None,
    }
}
