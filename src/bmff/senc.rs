//! `senc`: how each sample of a fragment is encrypted.

use bytes::Bytes;

use super::table::same_content;
use super::{Content, FullBox};
use crate::base::{Cursor, Error, Guid, Sink};

/// Common-encryption sample information.
///
/// Spec: ISO/IEC 23001-7, 7.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Senc(pub SampleEncryption);

/// Content that `senc` and PIFF's older `uuid` box share.
///
/// The length of an IV is in the track, not in this box; the entries therefore stay bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleEncryption {
    /// Flag 1, set anew when written: the fragment overrides the track (PIFF); flag 2: entries have
    /// subsamples.
    pub full: FullBox,
    /// PIFF's override: algorithm (24 bits) and IV size in one word, then the key id.
    pub track_override: Option<(u32, Guid)>,
    /// Entries.
    pub sample_count: u32,
    /// The entries, undivided.
    pub entries: Bytes,
}

impl SampleEncryption {
    const OVERRIDE: u32 = 0x1;
    /// Entries have subsamples.
    pub const SUBSAMPLES: u32 = 0x2;

    /// Returns the offset of the entries in the box's body.
    pub(crate) fn entries_offset(&self) -> u64 {
        FullBox::LEN + if self.track_override.is_some() { 20 } else { 0 } + 4
    }

    /// The entries one by one, when IVs of `iv_size` bytes divide them without a rest.
    ///
    /// Entries of no bytes (constant IVs without subsamples) are not divided: `None`.
    pub fn split(&self, iv_size: usize) -> Option<impl Iterator<Item = &[u8]>> {
        let has_subsamples = self.full.has(Self::SUBSAMPLES);
        let entries = || EncryptionEntries { bytes: &self.entries, iv_size, has_subsamples };
        // As they are counted, nothing is kept: an entry may take two bytes.
        let (mut count, mut len) = (0, 0);
        for entry in entries().take(self.sample_count as usize) {
            count += 1;
            len += entry.len();
        }
        let fits = count == self.sample_count as usize && len == self.entries.len();
        fits.then(entries)
    }

    /// Returns whether each entry has an IV of its own.
    pub(crate) fn has_ivs(&self) -> bool {
        self.split(8).is_some() || self.split(16).is_some()
    }

    /// As [`split`](Self::split), with IVs of the size that fits: 8 bytes, 16, or none.
    pub fn split_any(&self) -> Option<impl Iterator<Item = &[u8]>> {
        [8, 16, 0]
            .into_iter()
            .filter(|&size| size > 0 || self.full.has(Self::SUBSAMPLES))
            .find_map(|size| self.split(size))
    }
}

/// The entries in front that are whole and take bytes.
struct EncryptionEntries<'a> {
    bytes: &'a [u8],
    iv_size: usize,
    has_subsamples: bool,
}

impl<'a> Iterator for EncryptionEntries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let subsamples = match self.has_subsamples {
            true => {
                let count = self.bytes.get(self.iv_size..)?.first_chunk()?;
                2 + usize::from(u16::from_be_bytes(*count)) * 6
            }
            false => 0,
        };
        let len = self.iv_size.checked_add(subsamples).filter(|&len| len > 0)?;
        let (entry, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(entry)
    }
}

impl Content for SampleEncryption {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let track_override =
            if full.has(Self::OVERRIDE) { Some((body.u32()?, body.guid()?)) } else { None };
        Ok(Self { full, track_override, sample_count: body.u32()?, entries: body.rest() })
    }

    fn len(&self) -> u64 {
        self.entries_offset() + self.entries.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.with_flag(Self::OVERRIDE, self.track_override.is_some()).write(sink);
        if let Some((algorithm_and_iv_size, key_id)) = self.track_override {
            sink.u32(algorithm_and_iv_size);
            sink.guid(key_id);
        }
        sink.u32(self.sample_count);
        sink.put(&self.entries);
    }
}

same_content!(Senc, SampleEncryption);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_divide_by_the_size_of_iv_that_fits() {
        let iv = [7; 8];
        let subsample = [0, 1, 0, 5, 0, 0, 0x1e, 0x67]; // one entry: 5 clear, 7783 encrypted
        let entry = [&iv[..], &subsample[..]].concat();
        let info = SampleEncryption {
            full: FullBox { version: 0, flags: SampleEncryption::SUBSAMPLES },
            sample_count: 2,
            entries: entry.repeat(2).into(),
            ..Default::default()
        };
        assert_eq!(info.split_any().unwrap().collect::<Vec<_>>(), [&entry[..], &entry]);
        let lying = SampleEncryption { sample_count: u32::MAX, ..info };
        assert!(lying.split_any().is_none());
    }
}
