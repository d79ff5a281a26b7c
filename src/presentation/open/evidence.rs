//! What the media of a track shows of the quality that it is.

use bytes::Bytes;

use super::resolve::Resolved;
use crate::base::Limits;
use crate::codec::{Description, Format};

/// What the sample entry of a track says that a quality of a client manifest says as well.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    private_data: Option<Bytes>,
    size: Option<(u32, u32)>,
}

/// Pixels that sizes differ by where one is cut to whole macroblocks, and the other is not.
const CROPPED: u32 = 16;

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

    /// The pictures are not of this size.
    pub(super) fn contradicts(&self, announced: Option<(u32, u32)>) -> bool {
        self.size.zip(announced).is_some_and(|((width, height), (other_width, other_height))| {
            width.abs_diff(other_width) > CROPPED || height.abs_diff(other_height) > CROPPED
        })
    }
}

fn size_of(described: &Description) -> Option<(u32, u32)> {
    match described.format {
        Format::Video { width, height, .. } if width > 0 && height > 0 => Some((width, height)),
        _ => None,
    }
}
