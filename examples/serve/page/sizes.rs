//! The fragments of a track: chunk, place in the file and size.

use smooth_origin::base::Name;
use smooth_origin::presentation::{Presentation, Stream, Track};

/// A fragment of a track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    /// Start in ticks of the stream.
    pub(super) start: u64,
    /// Duration in ticks of the stream.
    pub(super) duration: u64,
    /// First byte in the file.
    pub(super) offset: u64,
    /// Number of bytes; 0 if it is broken, or if each fragment has a file of its own.
    pub(super) size: u64,
}

/// The bytes of a track, and the rates that follow from them.
#[derive(Default)]
pub(super) struct Rates {
    pub(super) bytes: u64,
    /// Bits per second on average; `None` if the sizes or durations are not known.
    pub(super) mean: Option<u64>,
    /// Bits per second of the densest fragment, without those that are shorter than half of the others.
    pub(super) peak: Option<u64>,
}

/// Gives `each` the fragments of a track, in the order of its stream's chunks.
pub(super) fn each(stream: &Stream, track: &Track, mut each: impl FnMut(Fragment)) {
    let timeline = stream.timeline();
    if track.folder().is_some() {
        for (start, duration) in timeline.iter() {
            each(Fragment { start, duration, offset: 0, size: 0 });
        }
        return;
    }
    track.each_stored(|chunk, bytes| {
        if let Some((start, duration)) = timeline.chunk(chunk) {
            let size = bytes.end.saturating_sub(bytes.start);
            each(Fragment { start, duration, offset: bytes.start, size });
        }
    });
}

/// Returns the fragment at a place of a track.
pub(super) fn nth(stream: &Stream, track: &Track, place: usize) -> Option<Fragment> {
    let (mut number, mut found) = (0, None);
    each(stream, track, |fragment| {
        if number == place {
            found = Some(fragment);
        }
        number += 1;
    });
    found
}

impl Rates {
    pub(super) fn of(stream: &Stream, track: &Track) -> Self {
        let (mut bytes, mut ticks, mut count) = (0_u64, 0_u64, 0_u64);
        each(stream, track, |fragment| {
            bytes = bytes.saturating_add(fragment.size);
            ticks = ticks.saturating_add(fragment.duration);
            count += 1;
        });
        let rate = |bytes: u64, ticks: u64| {
            let bits = u128::from(bytes) * 8 * u128::from(stream.timescale().get());
            let rate = bits.checked_div(ticks.into()).and_then(|rate| u64::try_from(rate).ok());
            rate.filter(|_| bytes > 0)
        };
        let least = ticks / (2 * count.max(1));
        let mut peak = None;
        each(stream, track, |fragment| {
            if fragment.duration >= least {
                peak = peak.max(rate(fragment.size, fragment.duration));
            }
        });
        Self { bytes, mean: rate(bytes, ticks), peak }
    }
}

/// Returns the file of a track, or the folder of its fragments, as the `.ism` may name it.
pub(super) fn file<'a>(presentation: &'a Presentation, track: &'a Track) -> Option<&'a str> {
    let name = match track.source() {
        Some((file, _)) => presentation.files().get(file.index()),
        None => track.folder(),
    };
    name.map(|name| beside(presentation.name(), name))
}

/// Returns a file's name relative to the folder of the presentation.
pub(super) fn beside<'a>(presentation: &Name, name: &'a Name) -> &'a str {
    let name = name.as_str();
    let folder = presentation.folder();
    let beneath = folder.and_then(|folder| name.strip_prefix(folder.as_str())?.strip_prefix('/'));
    beneath.unwrap_or(name)
}
