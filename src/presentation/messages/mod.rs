//! Messages of sparse streams, which manifests of DASH and HLS have: SCTE 35, which tells where advertisements
//! begin and end, and ID3.

mod id3;
mod newest;
mod scheme;
#[cfg(any(feature = "dash", feature = "hls"))]
mod shown;
mod splice;

use std::sync::Arc;

use bytes::Bytes;

pub(crate) use newest::Newest;
pub(crate) use scheme::Scheme;
pub(super) use scheme::is_data;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use splice::Splice;

use super::Presentation;
#[cfg(feature = "hls")]
use super::validator::ContentHash;
use crate::base::piece;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) scheme: Scheme,
    pub(crate) id: u32,
    /// The media time for which it is, in ticks of 100 ns.
    pub(crate) time: u64,
    /// The `splice_info_section`, from its table id to its CRC; or the tag, from its header on.
    pub(crate) payload: Bytes,
}

/// Messages of a presentation that are kept: the last ones.
const MOST: usize = 1024;

/// Longest payload: the length of a section has 12 bits.
const LONGEST: usize = 4 << 10;

/// Adds messages in the order of their times. One that is sent again is not added.
pub(super) fn add(all: &mut Vec<Message>, more: Vec<Message>) {
    for message in more {
        if !all.contains(&message) {
            let at = all.partition_point(|of| of.time <= message.time);
            all.insert(at, message);
        }
    }
    let beyond = all.len().saturating_sub(MOST);
    all.drain(..beyond);
}

impl Message {
    /// Returns bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        size_of_val(self) + piece(self.payload.len())
    }

    /// Returns a hash of the payload.
    #[cfg(feature = "hls")]
    pub(crate) fn hash(&self) -> u128 {
        let mut hash = ContentHash::new("scte35");
        hash.part(Some(&self.payload));
        hash.finish()
    }
}

impl Presentation {
    /// Returns the message before another one with which the break of an event began, unless another one has ended
    /// it. It may have left the window.
    #[cfg(feature = "hls")]
    pub(crate) fn break_before(&self, message: &Message, event: u32) -> Option<&Message> {
        let (last, is_begin) = self.splices_before(message, event, 0).next()?;
        is_begin.then_some(last)
    }

    /// Returns whether the break of an event that a message begins was begun for the same time by another one: encoders
    /// send a command again with other bytes, for example with another `pts_adjustment`.
    #[cfg(feature = "hls")]
    pub(crate) fn has_begun(&self, message: &Message, event: u32) -> bool {
        self.splices_before(message, event, message.time).any(|(_, is_begin)| is_begin)
    }

    /// Returns the messages between a time and a message with which breaks of an event begin (`true`) or end, from the
    /// last to the first.
    #[cfg(feature = "hls")]
    fn splices_before(
        &self,
        message: &Message,
        event: u32,
        since: u64,
    ) -> impl Iterator<Item = (&Message, bool)> {
        let all = self.messages.iter().rev().filter(|of| of.scheme == Scheme::Scte35);
        let before = all.skip_while(move |of| !std::ptr::eq(*of, message)).skip(1);
        before.take_while(move |of| of.time >= since).filter_map(move |of| {
            match Splice::of(&of.payload) {
                Splice::Out { event: begun, .. } if begun == event => Some((of, true)),
                Splice::In { event: ended } if ended == event => Some((of, false)),
                Splice::Out { .. } | Splice::In { .. } | Splice::Other => None,
            }
        })
    }

    /// Takes messages that its files have.
    pub(super) fn add_messages(&mut self, more: Vec<Message>) {
        if !more.is_empty() {
            add(Arc::make_mut(&mut self.messages), more);
        }
    }
}
