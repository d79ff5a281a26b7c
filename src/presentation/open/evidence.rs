//! What the media of a track shows of the quality that it is.

use bytes::Bytes;

use super::resolve::Resolved;
use crate::base::Limits;
use crate::codec::{Description, Format};
use crate::manifest::StreamKind;

/// What the sample entry of a track says that a quality of a client manifest says as well.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    private_data: Option<Bytes>,
    size: Option<(u32, u32)>,
}

/// Pixels that sizes differ by where one is cut to whole macroblocks, and the other is not.
const CROPPED: u32 = 16;

/// Where a video sample entry has its width and height. Spec: ISO/IEC 14496-12, 12.1.3.
const SIZE: usize = 16;

impl Evidence {
    /// Of the media of a track; none where that is missing or cannot be read.
    pub(super) fn of(resolved: &Resolved<'_>, limits: &Limits) -> Self {
        let entry = resolved.media.as_ref().ok().and_then(|media| media.entry.as_ref());
        let kind = resolved.server.kind;
        let described = entry.and_then(|entry| Description::of_entry(kind, entry, limits).ok());
        described.map_or_else(Self::default, |described| Self {
            size: size_of(&described),
            private_data: Some(described.private_data).filter(|data| !data.is_empty()),
        })
    }

    /// How pictures or sound are coded, as far as it is known.
    pub(super) fn private_data(&self) -> Option<&Bytes> {
        self.private_data.as_ref()
    }

    /// Size of the pictures, as far as it is known.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        self.size
    }
}

/// Sizes of pictures that differ by more than cropping.
pub(super) fn are_other_sizes(one: (u32, u32), other: (u32, u32)) -> bool {
    one.0.abs_diff(other.0) > CROPPED || one.1.abs_diff(other.1) > CROPPED
}

/// The size of the pictures of a track in its sample entry, which is read in its place: cheap enough
/// to look at where everything is well.
pub(super) fn entry_size(resolved: &Resolved<'_>) -> Option<(u32, u32)> {
    let entry = resolved.media.as_ref().ok()?.entry.as_ref()?;
    let size =
        entry.body.get(SIZE..SIZE + 4).filter(|_| resolved.server.kind == StreamKind::Video)?;
    let &[w, width, h, height] = size else { return None };
    let size = (u32::from_be_bytes([0, 0, w, width]), u32::from_be_bytes([0, 0, h, height]));
    Some(size).filter(|size| size.0 > 0 && size.1 > 0)
}

fn size_of(described: &Description) -> Option<(u32, u32)> {
    match described.format {
        Format::Video { width, height, .. } if width > 0 && height > 0 => Some((width, height)),
        _ => None,
    }
}
