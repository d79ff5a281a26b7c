//! Boxes with their offsets in the file, for errors that name a byte.

use crate::bmff::{AnyBox, Body, Boxes};

/// The boxes of a list, each with the offset of its first byte. The list begins at byte `at`.
pub(super) fn located(boxes: &Boxes, mut at: u64) -> impl Iterator<Item = (&AnyBox, u64)> + Clone {
    boxes.list.iter().map(move |item| {
        let offset = at;
        at += item.len();
        (item, offset)
    })
}

/// The first box of a type, with its offset.
pub(super) fn first(boxes: &Boxes, at: u64, kind: [u8; 4]) -> Option<(&AnyBox, u64)> {
    located(boxes, at).find(|(item, _)| item.header.kind == kind)
}

/// The list inside the first box of a type, with the offset of its first byte.
pub(super) fn inside(boxes: &Boxes, at: u64, kind: [u8; 4]) -> Option<(&Boxes, u64)> {
    let (item, offset) = first(boxes, at, kind)?;
    match &item.body {
        Body::Boxes(boxes) => Some((boxes, offset + item.header_len())),
        _ => None,
    }
}
