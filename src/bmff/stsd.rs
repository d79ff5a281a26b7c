//! `stsd`: how a track's samples are coded.

use bytes::Bytes;

use super::{Content, FullBox, Header};
use crate::base::{Cursor, Error, FourCc, Sink};

/// Sample descriptions.
///
/// The entries stay bytes; [`Stsd::entries`] decodes them as it walks.
///
/// Spec: ISO/IEC 14496-12, 8.5.2.
#[derive(Clone, Debug, Default)]
pub struct Stsd {
    full: FullBox,
    count: u32,
    bytes: Bytes,
    /// Offset of the entries in their file, for errors.
    offset: u64,
}

/// Ignores the offset that a box was read from.
impl PartialEq for Stsd {
    fn eq(&self, other: &Self) -> bool {
        (self.full, self.count, &self.bytes) == (other.full, other.count, &other.bytes)
    }
}

impl Eq for Stsd {}

impl Stsd {
    /// A box of these entries.
    pub fn new(full: FullBox, entries: impl IntoIterator<Item = SampleEntry>) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        let len: u64 = entries.iter().map(SampleEntry::len).sum();
        let mut sink = Sink::with_len(len as usize);
        entries.iter().for_each(|entry| entry.write(&mut sink));
        Self { full, count: entries.len() as u32, bytes: sink.finish(), offset: 0 }
    }

    /// Version and flags. Version 1 has audio entries of the newer layout.
    pub fn full(&self) -> FullBox {
        self.full
    }

    /// One entry for each coding; fragments name them from 1.
    pub fn entries(&self) -> impl Iterator<Item = SampleEntry> + '_ {
        let mut left = Cursor::new(&self.bytes, self.offset);
        (0..self.count).map_while(move |_| SampleEntry::parse(&mut left).ok())
    }
}

/// One sample description: its format, and the bytes that only that format explains.
///
/// [`VisualSampleEntry`](super::VisualSampleEntry) and
/// [`AudioSampleEntry`](super::AudioSampleEntry) read them.
#[derive(Clone, Debug)]
pub struct SampleEntry {
    /// The format: `avc1`, `mp4a`, `dfxp`, …
    pub header: Header,
    /// As read; zeros.
    pub reserved: [u8; 6],
    /// Which `dref` entry has the samples.
    pub data_reference_index: u16,
    /// All that follows.
    pub body: Bytes,
    /// Offset of the body in its file, for errors.
    pub(crate) offset: u64,
}

impl SampleEntry {
    /// An entry of `format`, for samples in the file itself.
    pub(crate) fn new(format: FourCc, body: Bytes) -> Self {
        let header = Header::new(format);
        Self { header, reserved: [0; 6], data_reference_index: 1, body, offset: 0 }
    }

    /// Returns a copy that does not hold on to the block that the entry was read from.
    pub(crate) fn detached(&self) -> Self {
        Self { body: Bytes::copy_from_slice(&self.body), ..self.clone() }
    }

    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let header = Header::parse(cursor)?;
        let len = header.total().map_or(cursor.remaining() as u64, |size| size - header.len());
        let mut entry = cursor
            .split(usize::try_from(len).unwrap_or(usize::MAX))
            .map_err(|error| error.inside(header.kind))?;
        Ok(Self {
            header,
            reserved: entry.array()?,
            data_reference_index: entry.u16()?,
            offset: entry.offset(),
            body: entry.rest(),
        })
    }

    /// The format.
    pub fn format(&self) -> FourCc {
        self.header.kind
    }

    fn len(&self) -> u64 {
        let body = self.body_len();
        self.header.around(body).len() + body
    }

    fn body_len(&self) -> u64 {
        8 + self.body.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.header.around(self.body_len()).write(sink);
        sink.put(&self.reserved);
        sink.u16(self.data_reference_index);
        sink.put(&self.body);
    }
}

/// Ignores the offset that an entry was read from.
impl PartialEq for SampleEntry {
    fn eq(&self, other: &Self) -> bool {
        (self.header, self.reserved, self.data_reference_index, &self.body)
            == (other.header, other.reserved, other.data_reference_index, &other.body)
    }
}

impl Eq for SampleEntry {}

impl Content for Stsd {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let count = body.u32()?;
        let (offset, mut end) = (body.offset(), body.clone());
        // A box that counts more entries than it has is read as far as possible.
        for number in 0..count {
            let mut next = end.clone();
            match SampleEntry::parse(&mut next) {
                Ok(_) => end = next,
                Err(error) if number == 0 => return Err(error),
                Err(_) => break,
            }
        }
        let bytes = body.bytes(body.remaining() - end.remaining())?;
        Ok(Self { full, count, bytes, offset })
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
    fn entries_know_where_they_lie_and_a_box_that_counts_more_is_read_as_far_as_it_goes() {
        let entries = [b"avc1", b"mp4a"]
            .map(|format| SampleEntry::new(FourCc(*format), Bytes::from_static(b"body")));
        let mut sink = Sink::with_len(48);
        Stsd::new(FullBox::default(), entries.clone()).write(&mut sink);
        let bytes = sink.finish();
        let stsd = Stsd::parse(&mut Cursor::new(&bytes, 100)).unwrap();
        let read: Vec<_> = stsd.entries().collect();
        assert_eq!(
            read.iter().map(SampleEntry::format).collect::<Vec<_>>(),
            ["avc1", "mp4a"].map(|format| FourCc(format.as_bytes().try_into().unwrap()))
        );
        assert_eq!(read.iter().map(|entry| entry.offset).collect::<Vec<_>>(), [124, 144]);
        for len in 0..bytes.len() {
            let cut = bytes.slice(..len);
            let found = Stsd::parse(&mut Cursor::new(&cut, 0)).map(|stsd| stsd.entries().count());
            // 8 bytes before the entries, of 20 bytes each.
            assert_eq!(found.ok(), (len >= 28).then_some(1), "{len}");
        }
    }
}
