//! `trun`: the samples of a fragment.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Track fragment run: the samples that lie one after the other from `data_offset`.
///
/// The entries stay bytes; [`Trun::samples`] decodes them as it walks. Without per-sample fields
/// an entry takes no bytes, so that a count is no measure of anything until it has met a budget.
///
/// Spec: ISO/IEC 14496-12, 8.8.8; [MS-SSTR] 2.2.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trun {
    /// Flags 0x100 to 0x800 say which fields an entry has; 0x1 and 0x4 are set anew when written.
    pub full: FullBox,
    /// Samples in the run.
    pub sample_count: u32,
    /// Offset of the samples from the first byte of the `moof`.
    pub data_offset: Option<i32>,
    /// Flags of the first sample, in place of the default.
    pub first_sample_flags: Option<u32>,
    /// `sample_count` entries of [`Trun::entry_len`] bytes.
    pub entries: Bytes,
}

/// The fields of one entry; what it does not say is `tfhd`'s, else `trex`'s, to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrunSample {
    /// Ticks of the track.
    pub duration: Option<u32>,
    /// Bytes.
    pub size: Option<u32>,
    /// Dependency and sync flags.
    pub flags: Option<u32>,
    /// Presentation time less decode time. Read as signed in every version: Expression Encoder
    /// writes negative offsets in version 0.
    pub composition_offset: Option<i32>,
}

impl Trun {
    const DATA_OFFSET: u32 = 0x1;
    const FIRST_SAMPLE_FLAGS: u32 = 0x4;
    /// Entries have a duration.
    pub const DURATION: u32 = 0x100;
    /// Entries have a size.
    pub const SIZE: u32 = 0x200;
    /// Entries have flags.
    pub const FLAGS: u32 = 0x400;
    /// Entries have a composition offset.
    pub const COMPOSITION_OFFSET: u32 = 0x800;

    /// Bytes of one entry: 0 to 16.
    pub fn entry_len(&self) -> usize {
        Self::entry_len_of(self.full)
    }

    fn entry_len_of(full: FullBox) -> usize {
        (full.flags & 0xf00).count_ones() as usize * 4
    }

    /// The samples in order; as many as `sample_count` says, which may be four billion without a
    /// byte behind them: check it first.
    pub fn samples(&self) -> impl Iterator<Item = TrunSample> + '_ {
        let len = self.entry_len();
        let full = self.full;
        (0..self.sample_count as usize).map(move |i| {
            let entry = self.entries.get(i * len..(i + 1) * len).unwrap_or_default();
            let mut words = entry.chunks_exact(4);
            let mut word = |flag| {
                let bytes: [u8; 4] = full.has(flag).then(|| words.next())??.try_into().ok()?;
                Some(u32::from_be_bytes(bytes))
            };
            TrunSample {
                duration: word(Self::DURATION),
                size: word(Self::SIZE),
                flags: word(Self::FLAGS),
                composition_offset: word(Self::COMPOSITION_OFFSET).map(|offset| offset as i32),
            }
        })
    }

    /// Returns this run with these samples, whose fields must be those that the flags name.
    pub(crate) fn with_samples(&self, samples: &[TrunSample]) -> Self {
        let mut sink = Sink::with_len(samples.len() * self.entry_len());
        for sample in samples {
            let fields = [
                (Self::DURATION, sample.duration),
                (Self::SIZE, sample.size),
                (Self::FLAGS, sample.flags),
                (Self::COMPOSITION_OFFSET, sample.composition_offset.map(|offset| offset as u32)),
            ];
            for (_, value) in fields.into_iter().filter(|&(flag, _)| self.full.has(flag)) {
                sink.u32(value.unwrap_or(0));
            }
        }
        Self { sample_count: samples.len() as u32, entries: sink.finish(), ..self.clone() }
    }

    fn flags(&self) -> u32 {
        let fields = self.full.flags & !(Self::DATA_OFFSET | Self::FIRST_SAMPLE_FLAGS);
        let offset = self.data_offset.map_or(0, |_| Self::DATA_OFFSET);
        fields | offset | self.first_sample_flags.map_or(0, |_| Self::FIRST_SAMPLE_FLAGS)
    }
}

impl Content for Trun {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let sample_count = body.u32()?;
        let data_offset = full.has(Self::DATA_OFFSET).then(|| body.i32()).transpose()?;
        let first_sample_flags =
            full.has(Self::FIRST_SAMPLE_FLAGS).then(|| body.u32()).transpose()?;
        let entries = body.entries(sample_count, Self::entry_len_of(full))?;
        Ok(Self { full, sample_count, data_offset, first_sample_flags, entries })
    }

    fn len(&self) -> u64 {
        let words = 1 + self.data_offset.iter().count() + self.first_sample_flags.iter().count();
        FullBox::LEN + 4 * words as u64 + self.entries.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        FullBox { flags: self.flags(), ..self.full }.write(sink);
        sink.u32(self.sample_count);
        if let Some(offset) = self.data_offset {
            sink.i32(offset);
        }
        if let Some(flags) = self.first_sample_flags {
            sink.u32(flags);
        }
        sink.put(&self.entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_of_a_real_encoder_reads_with_signed_offsets_in_version_0() {
        // The first samples of an Expression Encoder fragment: flags 0xB05, version 0.
        let mut body = vec![0, 0, 0x0b, 0x05, 0, 0, 0, 3, 0, 0, 0x05, 0xf0, 0, 0, 0x40, 0x02];
        for word in [0x668a0_u32, 0x1e6c, 0, 0x668a0, 0x96b, 0x64190, 0x64190, 0x413, 0xfff99760] {
            body.extend(word.to_be_bytes());
        }
        let body = Bytes::from(body);
        let trun = Trun::parse(&mut Cursor::new(&body, 0)).unwrap();
        assert_eq!(trun.data_offset, Some(1520));
        assert_eq!(trun.first_sample_flags, Some(0x4002));
        let samples: Vec<_> = trun.samples().collect();
        assert_eq!(samples[0].size, Some(7788));
        assert_eq!(samples[2].composition_offset, Some(-420_000));
        assert_eq!(trun.with_samples(&samples), trun);
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_anything_is_made_of_it() {
        let body = Bytes::from_static(&[0, 0, 2, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]);
        let error = Trun::parse(&mut Cursor::new(&body, 0)).unwrap_err();
        assert_eq!(error.to_string(), "at byte 8: needs 17179869180 bytes, has 4");
    }

    #[test]
    fn a_count_without_bytes_stays_a_count() {
        let body = Bytes::from_static(&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        let trun = Trun::parse(&mut Cursor::new(&body, 0)).unwrap();
        assert_eq!((trun.sample_count, trun.entries.len()), (u32::MAX, 0));
        assert_eq!(trun.samples().next(), Some(TrunSample::default()));
    }
}
