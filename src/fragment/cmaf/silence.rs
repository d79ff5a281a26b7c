//! A fragment of silence.

use bytes::Bytes;

use crate::base::{Limits, Sink};
use crate::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfdt, Tfhd, Trun, TrunSample};

/// Samples of a fragment of silence.
const MAX_SAMPLES: u64 = 65_536;

/// Offsets count from the first byte of the `moof`.
const DEFAULT_BASE_IS_MOOF: u32 = 0x2_0000;

/// Flags of a sample that depends on no other.
const INDEPENDENT: u32 = 0x200_0000;

/// Writes a fragment of a track that repeats a frame from `start` for `ticks`, both in ticks of the
/// track. Each frame lasts `frame_ticks`, but for the last, which ends where the fragment does.
///
/// # Errors
/// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if it would have more than 65,536 samples.
pub(crate) fn silence(
    track_id: u32,
    start: u64,
    ticks: u64,
    frame: &[u8],
    frame_ticks: u32,
) -> Result<Bytes, crate::base::Error> {
    let each = u64::from(frame_ticks.max(1));
    let count = (ticks.saturating_add(each / 2) / each).max(1);
    Limits::check("frames of silence", count, MAX_SAMPLES)?;
    let last = ticks.saturating_sub(each * (count - 1));
    let duration = |number: u64| if number + 1 < count { each } else { last };
    let sample = |number| TrunSample {
        // The last one is not longer than one and a half of the others.
        duration: Some(u32::try_from(duration(number)).unwrap_or(u32::MAX)),
        ..TrunSample::default()
    };
    let samples: Vec<_> = (0..count).map(sample).collect();
    let tfhd = Tfhd {
        full: FullBox { version: 0, flags: DEFAULT_BASE_IS_MOOF },
        track_id,
        default_sample_size: u32::try_from(frame.len()).ok(),
        default_sample_flags: Some(INDEPENDENT),
        ..Tfhd::default()
    };
    let tfdt = Tfdt { full: FullBox { version: 1, flags: 0 }, base_media_decode_time: start };
    let moof = |data_offset| {
        let trun = Trun {
            full: FullBox { version: 0, flags: Trun::DURATION },
            data_offset: Some(data_offset),
            ..Trun::default()
        };
        let trun = AnyBox::new(trun.with_samples(&samples));
        let traf = [AnyBox::new(tfhd.clone()), AnyBox::new(tfdt.clone()), trun];
        let traf = AnyBox::container(*b"traf", traf);
        AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf])
    };
    // Its length fits: the samples are limited.
    let header = 8;
    let moof = moof(moof(0).len() as i32 + header);
    let mdat = AnyBox::other(*b"mdat", frame.repeat(samples.len()));
    let boxes: Boxes = [moof, mdat].into_iter().collect();
    let mut sink = Sink::with_len(boxes.len() as usize);
    boxes.write(&mut sink);
    Ok(sink.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durations(fragment: &Bytes) -> Vec<u32> {
        let boxes = Boxes::parse(fragment, 0, &Limits::default()).unwrap();
        let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
        assert_eq!(traf.get::<Tfdt>().unwrap().base_media_decode_time, 5);
        let trun = traf.get::<Trun>().unwrap();
        let at = trun.data_offset.unwrap() as usize;
        assert_eq!(fragment[at..], [1, 2].repeat(trun.sample_count as usize));
        trun.samples().map(|sample| sample.duration.unwrap()).collect()
    }

    #[test]
    fn the_last_frame_ends_where_the_fragment_does() {
        for (ticks, expected) in [
            (1024, &[1024][..]),
            (600, &[600]),
            (100, &[100]),
            (1535, &[1535]),
            (1536, &[1024, 512]),
            (2048 + 40, &[1024, 1064]),
        ] {
            let fragment = silence(7, 5, ticks, &[1, 2], 1024).unwrap();
            assert_eq!(durations(&fragment), expected, "{ticks}");
        }
        assert!(silence(7, 5, u64::MAX, &[1, 2], 1024).is_err());
        assert!(silence(7, 5, 100_000, &[1, 2], 0).is_err());
    }
}
