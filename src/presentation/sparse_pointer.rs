//! The pointers from fragments of a live presentation to those of its sparse streams.

use std::fmt::Write;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Presentation, Stream};
use crate::base::Timescale;

/// Characters of a stream's name that would end it, its set, or the quoted string.
const ESCAPED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',').add(b';').add(b'=').add(b'\\');

impl Presentation {
    /// Returns the pointer that a fragment of a live presentation carries: `ChildTrack="events=90000000"`.
    ///
    /// A fragment of a parent stream points to the last fragment of each of its sparse streams that begins no
    /// later; a fragment of a sparse stream points to the one before it. `None` if there is none, and for a
    /// film.
    ///
    /// Spec: [MS-SSTR] 2.2.5.
    pub(crate) fn sparse_pointer(&self, name: &str, time: u64) -> Option<String> {
        if !self.is_live {
            return None;
        }
        let stream = self.streams.iter().find(|stream| stream.name == name)?;
        let mut set = String::new();
        let mut add = |of: &Stream, time: u64| {
            let comma = if set.is_empty() { "" } else { "," };
            // Writing into a `String` cannot fail.
            let _ = write!(set, "{comma}{}={time}", utf8_percent_encode(&of.name, ESCAPED));
        };
        match stream.parent {
            Some(_) => {
                let before = stream.timeline.locate(time)?.checked_sub(1)?;
                add(stream, stream.timeline.chunk(before)?.0);
            }
            None => {
                let children = self.streams.iter();
                for child in children.filter(|of| of.parent.as_deref() == Some(&*stream.name)) {
                    let last = child.timeline.last_start(time, stream.timescale, child.timescale);
                    last.into_iter().for_each(|last| add(child, last));
                }
            }
        }
        (!set.is_empty()).then(|| format!("ChildTrack=\"{set}\""))
    }
}

impl super::Timeline {
    /// Returns the start of the last chunk that begins at or before a time in ticks of `of`.
    fn last_start(&self, time: u64, of: Timescale, own: Timescale) -> Option<u64> {
        let time = of.rescale_floor(time, own).unwrap_or(u64::MAX);
        let chunks = self.overlapping(0, time.saturating_add(1));
        Some(self.chunk(chunks.end.checked_sub(1)?)?.0)
    }
}
