//! The samples of a chunk with the times of a fragment.

use super::{LocalClock, Sample};
use crate::base::ErrorKind;
use crate::fragment::written;

/// A sample as the tables have it, without its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Media {
    /// Bytes.
    pub size: u32,
    /// Ticks of the track's media.
    pub duration: u32,
    /// Presentation time less decode time, in ticks of the track's media.
    pub composition_offset: i32,
    /// It can be decoded on its own.
    pub is_sync: bool,
    /// Its byte of `sdtp`, or 0.
    pub dependencies: u8,
}

impl From<&Sample> for Media {
    fn from(sample: &Sample) -> Self {
        Self {
            size: sample.size,
            duration: sample.duration,
            composition_offset: sample.composition_offset,
            is_sync: sample.is_sync,
            dependencies: sample.dependencies.unwrap_or(0),
        }
    }
}

/// Gives the samples of a chunk the times of a fragment that starts at `start`, and appends them.
///
/// `clock` counts from the time at which the first sample is composed. If the chunk has an `end`,
/// which is the start of the next one, the last sample lasts until then, so that the durations are
/// that of the chunk.
///
/// Decode times count from the start of the chunk. Each decode and presentation time is rounded by
/// itself; durations and offsets are differences. A time before `start`, or a presentation time
/// before 0, is moved there.
///
/// # Errors
/// [`ErrorKind::NotSliceable`] if a sample lasts longer than 32 bits, or is shown more than 31 bits
/// away from when it is decoded.
pub fn timed(
    samples: impl IntoIterator<Item = Media>,
    clock: &LocalClock,
    start: u64,
    end: Option<u64>,
    into: &mut Vec<written::Sample>,
) -> Result<(), ErrorKind> {
    // Times of a plan have 62 bits.
    let start = start as i64;
    let (mut ticks, mut decoded, mut first) = (0_i64, start, None);
    for Media { size, duration, composition_offset, is_sync, dependencies } in samples {
        let offset = i64::from(composition_offset);
        let from_first = offset - *first.get_or_insert(offset);
        let shown = if from_first == 0 { decoded } else { clock.at(ticks + from_first).max(0) };
        // At most 2^24 samples of less than 2^31 ticks.
        ticks += i64::from(duration);
        let next = clock.at(ticks).max(decoded);
        into.push(written::Sample {
            duration: u32::try_from(next - decoded).map_err(|_| too_long())?,
            size,
            composition_offset: i32::try_from(shown - decoded).map_err(|_| too_far())?,
            is_sync,
            dependencies,
        });
        decoded = next;
    }
    if let (Some(end), Some(last)) = (end, into.last_mut()) {
        let longer = (end as i64).saturating_sub(decoded);
        let duration = i64::from(last.duration).saturating_add(longer).max(0);
        last.duration = u32::try_from(duration).map_err(|_| too_long())?;
    }
    Ok(())
}

fn too_long() -> ErrorKind {
    ErrorKind::NotSliceable("a sample that lasts longer than 32 bits")
}

fn too_far() -> ErrorKind {
    ErrorKind::NotSliceable("a sample that is shown more than 31 bits away from when it is decoded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timescale;
    use crate::index::sample_table::Clock;

    fn media(duration: u32, composition_offset: i32) -> Media {
        Media { duration, composition_offset, size: 1, is_sync: false, dependencies: 0 }
    }

    fn written(samples: &[Media], first: i64, start: u64, end: Option<u64>) -> Vec<(u32, i32)> {
        let clock = Clock::new(Timescale::new(30_000).unwrap());
        let clock = clock.from(first, Timescale::SMOOTH).unwrap();
        let mut into = Vec::new();
        timed(samples.iter().copied(), &clock, start, end, &mut into).unwrap();
        into.iter().map(|sample| (sample.duration, sample.composition_offset)).collect()
    }

    #[test]
    fn durations_are_differences_of_rounded_times() {
        let samples = [media(1001, 2002), media(1001, 4004), media(1001, 1001), media(1001, 1001)];
        // 333,666.67 ticks each: two of three are longer.
        assert_eq!(
            written(&samples, 2002, 667_333, None),
            [(333_667, 0), (333_667, 667_333), (333_666, -333_667), (333_667, -333_666)]
        );
        let all = written(&[media(1001, 0); 30_000], 0, 0, None);
        assert_eq!(all.iter().map(|sample| u64::from(sample.0)).sum::<u64>(), 10_010_000_000);
    }

    #[test]
    fn the_last_sample_lasts_until_the_next_chunk_and_nothing_is_before_the_start() {
        assert_eq!(
            written(&[media(3000, 0); 2], 0, 0, Some(2_000_003)),
            [(1_000_000, 0), (1_000_003, 0)]
        );
        assert_eq!(
            written(&[media(3000, 0); 2], 0, 0, Some(1_900_000)),
            [(1_000_000, 0), (900_000, 0)]
        );
        // The first one straddles 0.
        let straddling = written(&[media(3000, 0), media(3000, 0)], -1500, 0, None);
        assert_eq!(straddling, [(500_000, 0), (1_000_000, 0)]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let clock = Clock::new(Timescale::new(1).unwrap()).from(0, Timescale::SMOOTH).unwrap();
        for samples in [[media(430, 0), media(1, 0)], [media(1, 0), media(1, 215)]] {
            assert!(timed(samples, &clock, 0, None, &mut Vec::new()).is_err());
        }
    }
}
