//! `elst`: which part of a track is shown when.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Edit list: the stretches of a track in the order in which they are shown.
///
/// The entries stay bytes; [`Elst::edits`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.6.6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elst {
    /// Version 1 has entries of 64-bit times.
    pub full: FullBox,
    /// Entries of 12 bytes in version 0, of 20 in others.
    pub entries: Bytes,
}

/// One stretch of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Length in ticks of the movie (`mvhd`). 0 as the length of the last edit stands for the rest
    /// of the track.
    pub segment_duration: u64,
    /// Time of the media at which it begins, in ticks of the track; -1 if nothing is shown.
    pub media_time: i64,
    /// Rate, 16.16 fixed point; 0x1_0000 unless something stands still or is slower or faster.
    pub media_rate: i32,
}

impl Edit {
    /// It shows nothing for its length.
    pub fn is_empty(&self) -> bool {
        self.media_time == -1
    }
}

impl Elst {
    fn entry_len(full: FullBox) -> usize {
        if full.wide() { 20 } else { 12 }
    }

    /// Number of edits.
    pub fn count(&self) -> usize {
        self.entries.len() / Self::entry_len(self.full)
    }

    /// The edits in order.
    pub fn edits(&self) -> impl Iterator<Item = Edit> + '_ {
        let is_wide = self.full.wide();
        self.entries.chunks_exact(Self::entry_len(self.full)).map(move |entry| {
            let word = |bytes: &[u8]| bytes.iter().fold(0, |word, &b| word << 8 | u64::from(b));
            let (times, rate) = entry.split_at(entry.len() - 4);
            let (duration, time) = times.split_at(times.len() / 2);
            let time = word(time);
            Edit {
                segment_duration: word(duration),
                media_time: if is_wide { time as i64 } else { i64::from(time as u32 as i32) },
                media_rate: word(rate) as u32 as i32,
            }
        })
    }
}

impl Content for Elst {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let count = body.u32()?;
        Ok(Self { full, entries: body.entries(count, Self::entry_len(full))? })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 4 + self.entries.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.count() as u32);
        sink.put(&self.entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_read_alike() {
        let edit = |segment_duration, media_time| Edit {
            segment_duration,
            media_time,
            media_rate: 0x1_0000,
        };
        let short: Vec<u32> = vec![0, 2, 40, u32::MAX, 0x1_0000, 1000, 1024, 0x1_0000];
        let long =
            vec![1 << 24, 2, 0, 40, u32::MAX, u32::MAX, 0x1_0000, 0, 1000, 0, 1024, 0x1_0000];
        for words in [short, long] {
            let body: Bytes = words.into_iter().flat_map(u32::to_be_bytes).collect();
            let elst = Elst::parse(&mut Cursor::new(&body, 0)).unwrap();
            assert_eq!(elst.edits().collect::<Vec<_>>(), [edit(40, -1), edit(1000, 1024)]);
            assert!(elst.edits().next().unwrap().is_empty());
        }
    }
}
