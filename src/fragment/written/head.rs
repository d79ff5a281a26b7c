//! The head of a fragment.

use bytes::Bytes;

use super::Sample;
use super::dependencies::Dependencies;
use crate::base::{Error, ErrorKind, FourCc, Limits, Sink};
use crate::bmff::{AnyBox, FullBox, Header, Mfhd, Tfhd, Trun, uuid::Tfxd};

/// A fragment whose head is written.
///
/// ```
/// # #[cfg(feature = "unstable-formats")] {
/// use smooth_origin::Limits;
/// use smooth_origin::fragment::written::{Head, Sample};
///
/// let sample = Sample { duration: 213_333, size: 341, is_sync: true, ..Sample::default() };
/// let samples = [sample; 94];
/// let head = Head { number: 1, track_id: 2, start: 0, duration: 20_053_333, samples: &samples, has_tfxd: true };
/// let bytes = head.to_bytes(&Limits::default()).unwrap();
/// assert_eq!(bytes[4..8], *b"moof");
/// assert_eq!(bytes[bytes.len() - 8..], *b"\0\0\x7d\x3emdat");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Number of the chunk in its track, from 1.
    pub number: u32,
    /// The track.
    pub track_id: u32,
    /// Time at which the first sample is shown, in ticks of the track.
    pub start: u64,
    /// Duration of the chunk, in ticks of the track.
    pub duration: u64,
    /// Its samples, which follow one another in the `mdat`.
    pub samples: &'a [Sample],
    /// Start and duration are written into the fragment. Players of live streams need them; those of
    /// stored ones ignore them.
    pub has_tfxd: bool,
}

/// All that the length of a head depends on, which is known without its samples one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadShape {
    /// Number of samples.
    pub samples: u64,
    /// Sum of their sizes.
    pub bytes: u64,
    /// A sample is shown at another time than it is decoded.
    pub has_offsets: bool,
    /// Samples behind the first one have different flags.
    pub has_flags: bool,
    /// They have the same, and the first one has others.
    pub has_first_flags: bool,
    /// See [`Head::has_tfxd`].
    pub has_tfxd: bool,
}

impl HeadShape {
    /// Returns the length of the head: of its `moof` and of the header of its `mdat`.
    pub fn len(self) -> u64 {
        let Self { samples, bytes, has_offsets, has_flags, has_first_flags, has_tfxd } = self;
        let optional = |is_there: bool, len: u64| if is_there { len } else { 0 };
        let boxed = |body: u64| Header::new(FourCc(*b"trun")).around(body).len() + body;
        let mfhd = boxed(FULL_BOX + 4);
        let tfhd = boxed(FULL_BOX + 4 + optional(!has_flags, 4));
        let of_sample = 8 + optional(has_flags, 4) + optional(has_offsets, 4);
        let trun = boxed(FULL_BOX + 8 + optional(has_first_flags, 4) + of_sample * samples);
        let sdtp = boxed(FULL_BOX + samples);
        let tfxd = optional(has_tfxd, boxed(UUID + FULL_BOX + 16));
        let mdat = Header::new(FourCc(*b"mdat")).around(bytes).len();
        boxed(mfhd + boxed(tfhd + trun + sdtp + tfxd)) + mdat
    }
}

/// How the samples are written.
struct Layout {
    full: FullBox,
    default_flags: Option<u32>,
    first_flags: Option<u32>,
    dependencies: Dependencies,
}

const DATA_OFFSET: u32 = 0x1;
const FIRST_SAMPLE_FLAGS: u32 = 0x4;

impl Head<'_> {
    /// Writes the `moof` and the header of the `mdat`. It is allocated once.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] beyond [`Limits::samples`], and [`ErrorKind::NotSliceable`] if the head
    /// has more than 2 GiB.
    pub fn to_bytes(self, limits: &Limits) -> Result<Bytes, Error> {
        Limits::check("samples of a fragment", self.samples.len() as u64, limits.samples)?;
        let layout = Layout::of(self.samples);
        let count = self.samples.len() as u64;
        let mfhd = AnyBox::new(Mfhd { sequence_number: self.number, ..Mfhd::default() });
        let tfhd = AnyBox::new(Tfhd {
            track_id: self.track_id,
            default_sample_flags: layout.default_flags,
            ..Tfhd::default()
        });
        let (time, duration) = (self.start, self.duration);
        let full = FullBox { version: 1, flags: 0 };
        let tfxd = self.has_tfxd.then(|| AnyBox::new(Tfxd { full, time, duration }));
        let trun_body = layout.trun_len(count);
        let trun = Header::new(FourCc(*b"trun")).around(trun_body);
        let sdtp = Header::new(FourCc(*b"sdtp")).around(FULL_BOX + count);
        let traf_body = tfhd.len()
            + trun.len()
            + trun_body
            + sdtp.len()
            + FULL_BOX
            + count
            + tfxd.as_ref().map_or(0, AnyBox::len);
        let traf = Header::new(FourCc(*b"traf")).around(traf_body);
        let moof_body = mfhd.len() + traf.len() + traf_body;
        let moof = Header::new(FourCc(*b"moof")).around(moof_body);
        let payload: u64 = self.samples.iter().map(|sample| u64::from(sample.size)).sum();
        let mdat = Header::new(FourCc(*b"mdat")).around(payload);
        let len = moof.len() + moof_body + mdat.len();
        debug_assert_eq!(len, layout.shape(count, payload, self.has_tfxd).len());
        let too_large = ErrorKind::NotSliceable("a fragment with a head of more than 2 GiB");
        let data_offset = i32::try_from(len).map_err(|_| too_large)?;

        let mut sink = Sink::with_len(len as usize);
        moof.write(&mut sink);
        mfhd.write(&mut sink);
        traf.write(&mut sink);
        tfhd.write(&mut sink);
        trun.write(&mut sink);
        layout.write_trun(&mut sink, self.samples, data_offset);
        sdtp.write(&mut sink);
        sink.u32(0);
        for sample in self.samples {
            sink.u8(layout.dependencies.byte(sample));
        }
        if let Some(tfxd) = tfxd {
            tfxd.write(&mut sink);
        }
        mdat.write(&mut sink);
        Ok(sink.finish())
    }
}

/// Bytes of version and flags.
const FULL_BOX: u64 = 4;
/// Bytes of an extended type.
const UUID: u64 = 16;

impl Layout {
    fn of(samples: &[Sample]) -> Self {
        let dependencies = Dependencies::of(samples);
        let flags = |sample: &Sample| dependencies.flags(sample);
        let first = samples.first().map_or(0, flags);
        // Those of the others, if there are others.
        let others = samples.get(1).map_or(first, flags);
        let vary = samples.iter().skip(1).any(|sample| flags(sample) != others);
        let has_offsets = samples.iter().any(|sample| sample.composition_offset != 0);
        let is_negative = samples.iter().any(|sample| sample.composition_offset < 0);
        let is_other = !vary && first != others;
        let fields = [
            (DATA_OFFSET | Trun::DURATION | Trun::SIZE, true),
            (FIRST_SAMPLE_FLAGS, is_other),
            (Trun::FLAGS, vary),
            (Trun::COMPOSITION_OFFSET, has_offsets),
        ];
        let fields = fields.into_iter().filter(|(_, is_there)| *is_there);
        Self {
            full: FullBox {
                version: is_negative.into(),
                flags: fields.map(|(flag, _)| flag).sum(),
            },
            default_flags: (!vary).then_some(others),
            first_flags: is_other.then_some(first),
            dependencies,
        }
    }

    fn shape(&self, samples: u64, bytes: u64, has_tfxd: bool) -> HeadShape {
        HeadShape {
            samples,
            bytes,
            has_offsets: self.full.has(Trun::COMPOSITION_OFFSET),
            has_flags: self.full.has(Trun::FLAGS),
            has_first_flags: self.first_flags.is_some(),
            has_tfxd,
        }
    }

    /// Bytes of the body of the `trun`.
    fn trun_len(&self, count: u64) -> u64 {
        let fields = u64::from((self.full.flags & 0xf00).count_ones());
        FULL_BOX + 8 + self.first_flags.map_or(0, |_| 4) + 4 * fields * count
    }

    fn write_trun(&self, sink: &mut Sink, samples: &[Sample], data_offset: i32) {
        sink.u8(self.full.version);
        sink.u24(self.full.flags);
        // Fewer than the budget.
        sink.u32(samples.len() as u32);
        sink.i32(data_offset);
        if let Some(flags) = self.first_flags {
            sink.u32(flags);
        }
        let (has_flags, has_offsets) =
            (self.full.has(Trun::FLAGS), self.full.has(Trun::COMPOSITION_OFFSET));
        for sample in samples {
            sink.u32(sample.duration);
            sink.u32(sample.size);
            if has_flags {
                sink.u32(self.dependencies.flags(sample));
            }
            if has_offsets {
                sink.i32(sample.composition_offset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fragment::{Parsed, Stored};

    fn video(count: usize) -> Vec<Sample> {
        let sample = |at: usize| Sample {
            duration: 400_000 + at as u32 % 2,
            size: 9000 + at as u32,
            composition_offset: [0, 800_000, -400_000][at % 3],
            is_sync: at == 0,
            dependencies: 0,
        };
        (0..count).map(sample).collect()
    }

    fn head(samples: &[Sample], has_tfxd: bool) -> Head<'_> {
        Head { number: 7, track_id: 3, start: 40_000_000, duration: 20_000_000, samples, has_tfxd }
    }

    /// Reads a head with its samples behind it.
    fn stored(head: &Head<'_>) -> Box<Stored> {
        let mut bytes = head.to_bytes(&Limits::default()).unwrap().to_vec();
        bytes.extend(head.samples.iter().flat_map(|sample| vec![0; sample.size as usize]));
        let bytes = Bytes::from(bytes);
        match Stored::parse(&bytes, 0, bytes.len() as u64, &Limits::default()).unwrap() {
            Parsed::Whole(stored) => stored,
            Parsed::Needs(needs) => panic!("it needs {needs} bytes"),
        }
    }

    fn trun(stored: &Stored) -> Trun {
        stored.traf.get::<Trun>().unwrap().clone()
    }

    #[test]
    fn what_is_written_is_read_as_a_stored_fragment() {
        let samples = video(48);
        let read = stored(&head(&samples, true));
        assert_eq!(read.unread(), None);
        read.check_track(3).unwrap();
        assert_eq!(read.time(), Some(40_000_000));
        let trun = trun(&read);
        assert_eq!(trun.data_offset, Some(read.payload as i32));
        assert_eq!((trun.full.version, trun.full.flags), (1, 0xb05));
        assert_eq!(trun.first_sample_flags, Some(0x200_0000));
        assert_eq!(read.traf.get::<Tfhd>().unwrap().default_sample_flags, Some(0x101_0000));
        for (read, written) in trun.samples().zip(&samples) {
            assert_eq!(read.duration, Some(written.duration));
            assert_eq!(read.size, Some(written.size));
            assert_eq!(read.composition_offset, Some(written.composition_offset));
        }
        let sdtp = read.traf.get::<crate::bmff::Sdtp>().unwrap();
        assert_eq!(sdtp.samples[..3], [0x24, 0x10, 0x10]);
        let kinds: Vec<_> =
            read.traf.list.iter().map(|item| item.header.kind.to_string()).collect();
        assert_eq!(kinds, ["tfhd", "trun", "sdtp", "uuid"]);
    }

    #[test]
    fn fields_that_do_not_vary_are_left_out() {
        let sound = vec![Sample { duration: 1, size: 2, is_sync: true, ..Sample::default() }; 9];
        let read = stored(&head(&sound, false));
        assert_eq!(trun(&read).full, FullBox { version: 0, flags: 0x301 });
        assert_eq!(read.traf.get::<Tfhd>().unwrap().default_sample_flags, Some(0x200_0000));
        assert_eq!(read.time(), None);
        let mut samples = video(9);
        samples.iter_mut().for_each(|sample| sample.composition_offset = 0);
        samples[4].is_sync = true;
        let read = stored(&head(&samples, false));
        assert_eq!(trun(&read).full, FullBox { version: 0, flags: 0x701 });
        assert_eq!(read.traf.get::<Tfhd>().unwrap().default_sample_flags, None);
        let read = stored(&head(&samples[..1], false));
        assert_eq!(trun(&read).full, FullBox { version: 0, flags: 0x301 });
    }

    #[test]
    fn a_head_takes_one_allocation_and_a_large_mdat_a_long_size() {
        let samples = video(48);
        let limits = Limits::default();
        let measured = allocation_counter::measure(|| {
            head(&samples, true).to_bytes(&limits).unwrap();
        });
        assert_eq!(measured.count_total, 1);
        let large = vec![Sample { size: u32::MAX, ..Sample::default() }; 2];
        let bytes = head(&large, false).to_bytes(&limits).unwrap();
        let at = bytes.len() - 16;
        assert_eq!(bytes[at..at + 8], *b"\0\0\0\x01mdat");
        assert_eq!(bytes[at + 8..], (16 + 2 * u64::from(u32::MAX)).to_be_bytes());
        let limits = Limits { samples: 47, ..limits };
        assert!(head(&samples, true).to_bytes(&limits).is_err());
    }
}
