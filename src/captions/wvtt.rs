//! Samples of a `wvtt` track.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};

use super::cue::Cue;
use super::time_base::Window;
use crate::base::{Error, Limits};

/// A sample of a `wvtt` track.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WvttSample {
    /// Duration in ticks of the window's timescale; never 0.
    pub duration: u32,
    /// The boxes: one `vttc` per cue, or a `vtte`.
    pub data: Bytes,
}

/// Bytes of a box's size and type.
const HEADER: usize = 8;

/// Returns the samples that show these cues within a window.
///
/// The samples cover the window without a gap: the durations add up to that of the window, and an empty
/// cue (`vtte`) stands where nothing is visible. A cue that needs several samples, or that continues
/// outside of the window, has the same `vsid` in all of them.
///
/// Spec: ISO/IEC 14496-30, 7.4.
///
/// # Errors
/// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if there are more samples than
/// [`Limits::cues`] or more bytes than [`Limits::caption_bytes`].
pub fn wvtt_samples(
    cues: &[Cue],
    window: &Window,
    limits: &Limits,
) -> Result<Vec<WvttSample>, Error> {
    // So much that the boxes of all cues together fit into 32 bits.
    let total = cues.iter().map(|cue| cue.text.len() as u64 + 256).sum();
    Limits::check("bytes of captions", total, u32::MAX.into())?;
    let changes = changes(cues, window);
    let mut visible: BTreeMap<usize, &Cue> = BTreeMap::new();
    let mut samples = Vec::new();
    let mut bytes = 0;
    for pair in changes.windows(2) {
        let [(start, change), (end, _)] = pair else { continue };
        match *change {
            Change::Start(cue) => {
                cues.get(cue).map(|found| visible.insert(cue, found));
            }
            Change::End(cue) => {
                visible.remove(&cue);
            }
            Change::Window => {}
        }
        if start == end {
            continue;
        }
        let data = sample(&visible, (*start, *end));
        bytes += data.len() as u64;
        Limits::check("bytes of captions", bytes, limits.caption_bytes)?;
        let mut left = end - start;
        while left > 0 {
            // A sample's duration has 32 bits.
            let duration = u32::try_from(left).unwrap_or(u32::MAX);
            Limits::check("samples of captions", samples.len() as u64 + 1, limits.cues as u64)?;
            samples.push(WvttSample { duration, data: data.clone() });
            left -= u64::from(duration);
        }
    }
    Ok(samples)
}

/// A reason for a new sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Window,
    End(usize),
    Start(usize),
}

/// Returns the changes within a window in order of time, among them its start and its end.
fn changes(cues: &[Cue], window: &Window) -> Vec<(u64, Change)> {
    let mut changes = Vec::with_capacity(2 * cues.len() + 2);
    changes.push((window.start, Change::Window));
    for (number, cue) in cues.iter().enumerate() {
        let (start, end) = (cue.start.max(window.start), cue.end.min(window.end()));
        if start < end {
            changes.push((start, Change::Start(number)));
            changes.push((end, Change::End(number)));
        }
    }
    changes.push((window.end(), Change::Window));
    changes.sort_unstable();
    changes
}

/// Returns the number of the source of a cue if it is not within one sample.
fn source(cue: &Cue, sample: (u64, u64)) -> Option<u32> {
    ((cue.whole_start, cue.whole_end) != sample).then(|| {
        // FNV-1a: equal for the same cue in every window.
        let times = [cue.whole_start.to_be_bytes(), cue.whole_end.to_be_bytes()].concat();
        let hashed = times.iter().chain(cue.text.as_bytes());
        let hash = hashed.fold(0x811c_9dc5_u32, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        // A signed number, and -1 is none.
        hash & 0x7fff_ffff
    })
}

fn sample(visible: &BTreeMap<usize, &Cue>, times: (u64, u64)) -> Bytes {
    let mut bytes = BytesMut::new();
    if visible.is_empty() {
        put_box(&mut bytes, *b"vtte", &[]);
    }
    for cue in visible.values() {
        let mut inside = BytesMut::new();
        if let Some(source) = source(cue, times) {
            put_box(&mut inside, *b"vsid", &source.to_be_bytes());
        }
        let settings = cue.settings.to_string();
        if !settings.is_empty() {
            put_box(&mut inside, *b"sttg", settings.as_bytes());
        }
        put_box(&mut inside, *b"payl", cue.text.as_bytes());
        put_box(&mut bytes, *b"vttc", &inside);
    }
    bytes.freeze()
}

fn put_box(bytes: &mut BytesMut, kind: [u8; 4], content: &[u8]) {
    // All boxes together fit into 32 bits.
    bytes.put_u32((HEADER + content.len()) as u32);
    bytes.put_slice(&kind);
    bytes.put_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timescale;
    use crate::captions::cue::{CueSettings, Percent};

    fn cue(start: u64, end: u64, text: &str) -> Cue {
        let settings = CueSettings::default();
        Cue { start, end, whole_start: start, whole_end: end, settings, text: text.into() }
    }

    fn samples(cues: &[Cue], start: u64, duration: u64) -> Vec<(u32, String)> {
        let window = Window { timescale: Timescale::SMOOTH, start, duration };
        let samples = wvtt_samples(cues, &window, &Limits::default()).unwrap();
        let text = |data: &[u8]| data.escape_ascii().to_string();
        samples.iter().map(|sample| (sample.duration, text(&sample.data))).collect()
    }

    #[test]
    fn samples_cover_the_window_without_a_gap() {
        let empty = r"\x00\x00\x00\x08vtte".to_owned();
        let a = r"\x00\x00\x00\x11vttc\x00\x00\x00\tpayla".to_owned();
        let expected = [(10, empty.clone()), (20, a), (70, empty.clone())];
        assert_eq!(samples(&[cue(110, 130, "a")], 100, 100), expected);
        assert_eq!(samples(&[], 100, 100), [(100, empty.clone())]);
        assert_eq!(samples(&[cue(0, 100, "a"), cue(200, 300, "b")], 100, 100), [(100, empty)]);
        assert_eq!(samples(&[cue(0, 10, "a")], 5, 0), []);
    }

    #[test]
    fn cues_that_overlap_share_samples_and_keep_their_source() {
        let mut b = cue(10, 20, "b");
        b.settings.size = Some(Percent::from_hundredths(5000));
        let samples = samples(&[cue(0, 15, "a"), b], 0, 20);
        assert_eq!(samples.iter().map(|(duration, _)| *duration).collect::<Vec<_>>(), [10, 5, 5]);
        let source = |text: &str| {
            text.split("vsid").nth(1).unwrap().split("\\x00\\x00\\x00").next().unwrap().to_owned()
        };
        assert_eq!(source(&samples[0].1), source(&samples[1].1));
        let both = &samples[1].1;
        assert_eq!(both.matches("vttc").count(), 2);
        assert!(both.contains(r"\x00\x00\x00\x10sttgsize:50%\x00\x00\x00\tpaylb"), "{both}");
    }

    #[test]
    fn a_cue_that_crosses_a_boundary_has_one_source_in_both_windows() {
        let cues = [cue(0, 20, "a")];
        let (first, second) = (samples(&cues, 0, 10), samples(&cues, 10, 10));
        assert!(first[0].1.contains("vsid"));
        assert_eq!(first, second);
    }

    #[test]
    fn long_durations_are_divided_and_many_are_refused() {
        let long = samples(&[], 0, u64::from(u32::MAX) + 5);
        assert_eq!(long.iter().map(|(duration, _)| *duration).collect::<Vec<_>>(), [u32::MAX, 5]);
        let window = Window { timescale: Timescale::SMOOTH, start: 0, duration: u64::MAX };
        assert!(wvtt_samples(&[], &window, &Limits::default()).is_err());
        let overlapping: Vec<_> = (0..8000).map(|n| cue(n, 20_000, "text of a cue")).collect();
        let window = Window { duration: 20_000, ..window };
        assert!(wvtt_samples(&overlapping, &window, &Limits::default()).is_err());
    }
}
