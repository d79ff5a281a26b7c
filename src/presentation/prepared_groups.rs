//! The samples of the chunks that were asked for lately, of one track of a progressive file.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::{piece, shared_piece};
use crate::index::sample_table::{Outline, Prepared};

/// Groups of chunks that were prepared, within some room. What was prepared first goes first.
#[derive(Debug)]
pub(super) struct PreparedGroups {
    kept: Mutex<Kept>,
    room: usize,
}

#[derive(Debug)]
struct Kept {
    groups: Box<[Option<Arc<Prepared>>]>,
    order: VecDeque<u32>,
    bytes: usize,
}

/// Bytes for each sample of a track, which nearly all groups of nearly all films fit into.
const FOR_A_SAMPLE: usize = 2;

/// Bytes of one group at most, for each of its samples and for all: samples of which each has a duration of
/// its own take as many.
const IN_A_GROUP: usize = 16;
const A_GROUP: usize = 1 << 10;

/// Bytes of the place of a group in both lists.
const A_PLACE: usize = size_of::<Option<Arc<Prepared>>>() + size_of::<u32>();

impl PreparedGroups {
    /// Groups of a track that takes `other` bytes beside them.
    pub(super) fn new(outline: &Outline, other: usize) -> Self {
        let groups = outline.groups();
        let others = other + groups * A_PLACE;
        let room = (FOR_A_SAMPLE * outline.samples()).saturating_sub(others);
        // The group that is in use is always there.
        Self::with_room(groups, room.max(IN_A_GROUP * outline.largest() + A_GROUP))
    }

    fn with_room(groups: usize, room: usize) -> Self {
        let kept = Kept {
            groups: vec![None; groups].into(),
            order: VecDeque::with_capacity(groups),
            bytes: 0,
        };
        Self { kept: Mutex::new(kept), room }
    }

    /// Returns a group, if it is there.
    pub(super) fn get(&self, group: usize) -> Option<Arc<Prepared>> {
        self.locked().groups.get(group)?.clone()
    }

    /// Keeps a group, unless another request has prepared it in the meantime. Others go if there is no
    /// room for all.
    pub(super) fn keep(&self, group: usize, prepared: Prepared) {
        let mut kept = self.locked();
        if matches!(kept.groups.get(group), Some(Some(_))) {
            return;
        }
        let prepared = Arc::new(prepared);
        let bytes = bytes_of(&prepared);
        while kept.bytes + bytes > self.room
            && let Some(first) = kept.order.pop_front()
        {
            if let Some(gone) = kept.groups.get_mut(first as usize).and_then(Option::take) {
                kept.bytes -= bytes_of(&gone);
            }
        }
        if let Some(place) = kept.groups.get_mut(group) {
            *place = Some(prepared);
            kept.bytes += bytes;
            // Groups are fewer than samples, which 32 bits count.
            kept.order.push_back(group as u32);
        }
    }

    /// Bytes of memory on the heap once all groups that there is room for have been prepared.
    pub(super) fn memory(&self) -> usize {
        let kept = self.locked();
        let list = piece(size_of_val(&*kept.groups));
        list + piece(size_of::<u32>() * kept.order.capacity()) + self.room
    }

    fn locked(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes_of(prepared: &Prepared) -> usize {
    shared_piece(size_of::<Prepared>()) + prepared.heap()
}
