//! `stsd`: how a track's samples are coded.

use bytes::Bytes;

use super::{Content, FullBox, Header};
use crate::base::{Cursor, Error, FourCc, Sink};

/// Sample descriptions.
///
/// Spec: ISO/IEC 14496-12, 8.5.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stsd {
    /// Version 1 has audio entries of the newer layout.
    pub full: FullBox,
    /// One entry a coding; fragments name them from 1.
    pub entries: Vec<SampleEntry>,
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
    /// Where the body lies in its file, for errors.
    pub(crate) offset: u64,
}

impl SampleEntry {
    /// An entry of `format`, for samples in the file itself.
    pub(crate) fn new(format: FourCc, body: Bytes) -> Self {
        let header = Header::new(format);
        Self { header, reserved: [0; 6], data_reference_index: 1, body, offset: 0 }
    }

    /// The format.
    pub fn format(&self) -> FourCc {
        self.header.kind
    }

    fn body_len(&self) -> u64 {
        8 + self.body.len() as u64
    }
}

/// Where an entry was read from is not part of what it is.
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
        // An entry takes 16 bytes at least.
        let most = body.remaining() / 16;
        let mut entries = Vec::with_capacity(most.min(count as usize));
        for _ in 0..count {
            let header = Header::parse(body)?;
            let len = header.total().map_or(body.remaining() as u64, |size| size - header.len());
            let mut entry = body
                .split(usize::try_from(len).unwrap_or(usize::MAX))
                .map_err(|error| error.inside(header.kind))?;
            entries.push(SampleEntry {
                header,
                reserved: entry.array()?,
                data_reference_index: entry.u16()?,
                offset: entry.offset(),
                body: entry.rest(),
            });
        }
        Ok(Self { full, entries })
    }

    fn len(&self) -> u64 {
        let entries = self.entries.iter().map(|entry| {
            let body = entry.body_len();
            entry.header.around(body).len() + body
        });
        FullBox::LEN + 4 + entries.sum::<u64>()
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.entries.len() as u32);
        for entry in &self.entries {
            entry.header.around(entry.body_len()).write(sink);
            sink.put(&entry.reserved);
            sink.u16(entry.data_reference_index);
            sink.put(&entry.body);
        }
    }
}
