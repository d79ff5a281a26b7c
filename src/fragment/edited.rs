//! Changing the boxes of a `traf` while everything else stays as it is.

use bytes::Bytes;

use crate::base::{Error, ErrorKind, FourCc, Limits};
use crate::bmff::{AnyBox, Body, Boxes};

/// A box of a `traf`, with its old place.
pub(super) struct Slot {
    pub(super) item: AnyBox,
    /// Offset in the old `moof`, and bytes there; 0 bytes for a box that is new.
    from: u64,
    len: u64,
}

impl Slot {
    /// A box that was not there.
    pub(super) fn new(item: AnyBox) -> Self {
        Self { item, from: 0, len: 0 }
    }

    /// Returns whether it is a box of this extended type, readable or not.
    pub(super) fn is_extended(&self, kind: crate::base::Guid) -> bool {
        self.item.header.extended == Some(kind)
    }
}

/// Returns a `moof` of one `traf`, whose boxes `change` has changed. The offsets of runs and of auxiliary
/// information lead to the same bytes as before; `dropped` bytes between the `moof` and the payload will be
/// left out. Every other box stays as it is, byte for byte.
///
/// # Errors
/// Errors of a `moof` that cannot be read; [`ErrorKind::NotSliceable`] if it has several `traf`s, or if an
/// offset cannot be kept right.
pub(super) fn edited(
    moof: &Bytes,
    dropped: i64,
    limits: &Limits,
    change: impl FnOnce(&mut Vec<Slot>) -> Result<(), Error>,
) -> Result<Bytes, Error> {
    let mut boxes = Boxes::parse(moof, 0, limits)?;
    let old_len = moof.len() as u64;
    let is_only = boxes.list.len() == 1;
    let item = boxes.list.first_mut();
    let Some(item) = item.filter(|item| is_only && item.header.kind == *b"moof") else {
        return Err(missing("`moof`"));
    };
    let mut at = item.header_len();
    let Body::Boxes(inside) = &mut item.body else { return Err(missing("boxes in the `moof`")) };
    let (mut found, mut trafs) = (None, 0);
    for (number, item) in inside.list.iter().enumerate() {
        if item.header.kind == *b"traf" {
            trafs += 1;
            found.get_or_insert((number, at + item.header_len(), at + item.len()));
        }
        at += item.len();
    }
    let Some((number, from, end)) = found.filter(|_| trafs == 1) else {
        return Err(ErrorKind::NotSliceable("a `moof` that has not one `traf`").into());
    };
    let Some(AnyBox { body: Body::Boxes(traf), .. }) = inside.list.get_mut(number) else {
        return Err(missing("boxes in the `traf`"));
    };
    if traf.list.iter().any(|item| item.header.total().is_none()) {
        let what = "a box of size 0 inside a `traf`, which would swallow what is written behind it";
        return Err(ErrorKind::NotSliceable(what).into());
    }

    let mut at = from;
    let slots = std::mem::take(&mut traf.list).into_iter().map(|item| {
        let (from, len) = (at, item.len());
        at += len;
        Slot { item, from, len }
    });
    let mut slots: Vec<Slot> = slots.collect();
    change(&mut slots)?;

    let places =
        Places { from, slots: slots.iter().map(|s| (s.from, s.len, s.item.len())).collect() };
    traf.list = slots.into_iter().map(|slot| slot.item).collect();
    let new_len = boxes.len();
    let grown = new_len as i64 - old_len as i64;
    let moved = Moved { places, end, old_len, grown, of_payload: grown - dropped };
    let traf = boxes.inside_mut(*b"moof").and_then(|moof| moof.inside_mut(*b"traf"));
    for item in traf.map(|traf| traf.list.as_mut_slice()).unwrap_or_default() {
        moved.correct(&mut item.body).map_err(|error| error.inside(FourCc(*b"traf")))?;
    }
    // A corrected offset may have needed more bytes than the old one.
    if boxes.len() != new_len {
        return Err(beyond());
    }
    Ok(boxes.to_bytes())
}

/// The boxes of a `traf`, in their new order.
struct Places {
    /// Offset of the first one, which the change of the `traf` does not move.
    from: u64,
    /// Old offset, old length and new length.
    slots: Vec<(u64, u64, u64)>,
}

/// Where the parts of a `moof`, and the payload behind it, have moved.
struct Moved {
    places: Places,
    /// Old end of the `traf`.
    end: u64,
    old_len: u64,
    grown: i64,
    of_payload: i64,
}

impl Moved {
    fn correct(&self, body: &mut Body) -> Result<(), Error> {
        match body {
            Body::Trun(trun) => {
                if let Some(offset) = &mut trun.data_offset {
                    let moved = i64::from(*offset) + self.of_payload;
                    *offset = i32::try_from(moved).map_err(|_| beyond())?;
                }
            }
            Body::Saio(saio) => {
                for offset in &mut saio.offsets {
                    *offset = self.of(*offset).ok_or_else(beyond)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the new offset of a byte, from the first of the `moof`. `None` if it was left out.
    fn of(&self, offset: u64) -> Option<u64> {
        if offset >= self.old_len {
            return offset.checked_add_signed(self.of_payload);
        }
        if offset >= self.end {
            return offset.checked_add_signed(self.grown);
        }
        if offset < self.places.from {
            return Some(offset);
        }
        let mut to = self.places.from;
        for &(from, old_len, new_len) in &self.places.slots {
            if (from..from.saturating_add(old_len)).contains(&offset) {
                return Some(to + (offset - from));
            }
            to += new_len;
        }
        None
    }
}

fn beyond() -> Error {
    ErrorKind::NotSliceable("an offset in a `traf` that cannot be kept right").into()
}

fn missing(what: &'static str) -> Error {
    ErrorKind::Missing { what, clause: "[MS-SSTR] 2.2.4" }.into()
}
