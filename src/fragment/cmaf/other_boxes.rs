//! Boxes that are written as they are stored.

use crate::base::Sink;
use crate::bmff::{AnyBox, Body, uuid};

/// Boxes of a `moof` or a `traf`, of which those that CMAF has no use for are left out.
#[derive(Clone, Copy)]
pub(super) struct OtherBoxes<'a> {
    list: &'a [AnyBox],
    is_kept: fn(&AnyBox) -> bool,
}

impl<'a> OtherBoxes<'a> {
    /// Boxes beside the `traf`.
    pub(super) fn of_moof(list: &'a [AnyBox]) -> Self {
        Self { list, is_kept: |item| !is_dropped(item) && !matches!(item.body, Body::Mfhd(_)) }
    }

    /// Boxes of the `traf` that are neither rewritten nor replaced.
    pub(super) fn of_traf(list: &'a [AnyBox]) -> Self {
        Self { list, is_kept: |item| !is_dropped(item) && !is_rewritten(item) }
    }

    pub(super) fn len(self) -> u64 {
        self.kept().map(AnyBox::len).sum()
    }

    pub(super) fn write(self, sink: &mut Sink) {
        self.kept().for_each(|item| item.write(sink));
    }

    fn kept(self) -> impl Iterator<Item = &'a AnyBox> {
        self.list.iter().filter(move |item| (self.is_kept)(item))
    }
}

/// Returns whether a box is Smooth Streaming's, or fills a gap.
fn is_dropped(item: &AnyBox) -> bool {
    let smooth = [Some(uuid::Tfxd::UUID), Some(uuid::Tfrf::UUID)];
    match &item.header.kind.0 {
        b"uuid" => smooth.contains(&item.header.extended),
        b"free" | b"skip" => true,
        _ => false,
    }
}

/// Returns whether a box of a `traf` is written in another form, or replaced. One that cannot be
/// read is of no use in its stored form either.
fn is_rewritten(item: &AnyBox) -> bool {
    match &item.header.kind.0 {
        b"tfhd" | b"tfdt" | b"trun" | b"sdtp" => true,
        b"subs" | b"sbgp" => matches!(item.body, Body::Other(_)),
        _ => is_encryption(item),
    }
}

/// Returns whether a box has to do with the encryption of samples.
pub(super) fn is_encryption(item: &AnyBox) -> bool {
    match &item.header.kind.0 {
        b"senc" | b"saiz" | b"saio" => true,
        b"uuid" => item.header.extended == Some(uuid::PiffSenc::UUID),
        _ => false,
    }
}
