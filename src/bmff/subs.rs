//! `subs`: parts of samples, such as the pictures of a text sample.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Sub-sample information.
///
/// The entries stay bytes; [`Subs::entries`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.7.7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subs {
    full: FullBox,
    count: u32,
    bytes: Bytes,
}

/// A sample that has parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubsEntry {
    /// Number of samples after the previous entry (or before the first sample).
    pub sample_delta: u32,
    /// The parts, of 8 bytes each, of 10 in version 1.
    pub subsamples: Bytes,
}

impl Subs {
    /// A box of these entries, whose parts are of the layout that the version has.
    pub fn new(full: FullBox, entries: impl IntoIterator<Item = SubsEntry>) -> Self {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for SubsEntry { sample_delta, subsamples } in entries {
            let parts = (subsamples.len() / part_len(full)).min(u16::MAX.into());
            bytes.extend(sample_delta.to_be_bytes());
            bytes.extend((parts as u16).to_be_bytes());
            bytes.extend(&subsamples[..parts * part_len(full)]);
            count += 1;
        }
        Self { full, count, bytes: bytes.into() }
    }

    /// Version and flags. Version 1 has 32-bit sizes.
    pub fn full(&self) -> FullBox {
        self.full
    }

    /// The samples that have parts, in order.
    pub fn entries(&self) -> impl Iterator<Item = SubsEntry> + '_ {
        let mut left = Cursor::new(&self.bytes, 0);
        (0..self.count).map_while(move |_| entry(&mut left, self.full).ok())
    }
}

/// Bytes of one part.
fn part_len(full: FullBox) -> usize {
    if full.wide() { 10 } else { 8 }
}

fn entry(cursor: &mut Cursor<'_>, full: FullBox) -> Result<SubsEntry, Error> {
    let sample_delta = cursor.u32()?;
    let parts = usize::from(cursor.u16()?);
    Ok(SubsEntry { sample_delta, subsamples: cursor.bytes(parts * part_len(full))? })
}

impl Content for Subs {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let count = body.u32()?;
        let mut end = body.clone();
        for _ in 0..count {
            entry(&mut end, full)?;
        }
        let bytes = body.bytes(body.remaining() - end.remaining())?;
        Ok(Self { full, count, bytes })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 4 + self.bytes.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.count);
        sink.put(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_those_that_were_given_and_a_part_that_is_not_whole_goes() {
        for (version, len) in [(0, 8), (1, 10)] {
            let full = FullBox { version, flags: 0 };
            let entry = |sample_delta, parts| SubsEntry {
                sample_delta,
                subsamples: vec![7; parts * len].into(),
            };
            let entries = vec![entry(1, 2), entry(5, 0), entry(u32::MAX, 1)];
            let subs = Subs::new(full, entries.clone());
            assert_eq!(subs.entries().collect::<Vec<_>>(), entries);
            let odd = SubsEntry { sample_delta: 5, subsamples: vec![7; len - 1].into() };
            assert_eq!(Subs::new(full, [odd]).entries().next(), Some(entry(5, 0)));
        }
    }

    #[test]
    fn entries_that_are_claimed_and_not_there_are_refused() {
        let body = [&[0; 4][..], &[0xff; 4], &[0, 0, 0, 1, 0, 0]].concat().into();
        let error = Subs::parse(&mut Cursor::new(&body, 0)).unwrap_err();
        assert_eq!(error.to_string(), "at byte 14: needs 4 bytes, has 0");
    }
}
