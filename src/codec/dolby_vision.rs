//! Dolby Vision: what `dvcC` or `dvvC` says of a track that is H.264 or HEVC otherwise.
//!
//! No private data carries it: a manifest can say it as the attribute `codecs` alone.

use crate::base::FourCc;
use crate::bmff::{Boxes, DvcC, DvvC};

/// `dvh1.05.06`: the entry's name, profile and level.
///
/// Spec: Dolby Vision Streams Within the ISO Base Media File Format, 2.4.
pub(super) fn codecs(format: FourCc, boxes: &Boxes) -> Option<String> {
    if !matches!(&format.0, b"dvh1" | b"dvhe" | b"dva1" | b"dvav") {
        return None;
    }
    let first = boxes.get::<DvcC>().map(|config| config.0);
    let config = first.or_else(|| boxes.get::<DvvC>().map(|config| config.0))?;
    Some(format!("{format}.{:02}.{:02}", config.profile(), config.level()))
}
