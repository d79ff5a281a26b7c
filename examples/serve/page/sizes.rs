//! The fragments of a track: chunk, place in the file and size.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use smooth_origin::Origin;
use smooth_origin::base::Name;
use smooth_origin::origin::Answer;
use smooth_origin::presentation::{Presentation, Stream, Track};

use super::urls;

/// A fragment of a track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    /// Start in ticks of the stream.
    pub(super) start: u64,
    /// Duration in ticks of the stream.
    pub(super) duration: u64,
    /// First byte in the file.
    pub(super) offset: u64,
    /// Number of bytes; 0 if it is broken or not known.
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

/// Sizes of fragments that have a file each, as far as they were found out, by stream and track.
#[derive(Default)]
pub(super) struct FileSizes(BTreeMap<(usize, usize), Vec<u64>>);

/// A track by its place.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) stream: &'a Stream,
    pub(super) track: &'a Track,
    place: (usize, usize),
}

/// Time in which the sizes of files are found out.
const MEASURING: Duration = Duration::from_millis(250);

/// Files that are looked at before other requests have their turn.
const TURN: usize = 16;

impl FileSizes {
    /// Looks at the files of fragments, as many as there is time for.
    pub(super) async fn of(origin: &Origin, presentation: &Presentation) -> Self {
        let mut sizes = Self::default();
        let began = Instant::now();
        for placed in tracks(presentation).filter(|placed| placed.track.folder().is_some()) {
            let mut found = Vec::new();
            for (start, _) in placed.stream.timeline().iter() {
                if began.elapsed() > MEASURING {
                    break;
                }
                if found.len() % TURN == TURN - 1 {
                    tokio::task::yield_now().await;
                }
                let below = urls::fragment(placed.stream, placed.track, &start.to_string());
                found.push(size(origin, presentation.name(), &below).await.unwrap_or(0));
            }
            sizes.0.insert(placed.place, found);
        }
        sizes
    }
}

/// Returns the bytes of a fragment that has a file of its own.
async fn size(origin: &Origin, name: &Name, below: &str) -> Option<u64> {
    match origin.ask_in(name, below, None).await.ok()?.answer().await.ok()? {
        Answer::Reply(served) => Some(served.reply().length()),
        _ => None,
    }
}

/// Returns all tracks with their places.
pub(super) fn tracks(presentation: &Presentation) -> impl Iterator<Item = Placed<'_>> {
    let streams = presentation.streams().iter().enumerate();
    streams.flat_map(|(number, stream)| of_stream(stream, number))
}

/// Returns the tracks of a stream, which has this number.
pub(super) fn of_stream(stream: &Stream, number: usize) -> impl Iterator<Item = Placed<'_>> {
    let tracks = stream.tracks().iter().enumerate();
    tracks.map(move |(place, track)| Placed { stream, track, place: (number, place) })
}

impl Placed<'_> {
    /// Gives `each` the first `most` fragments, in the order of the stream's chunks. Returns the number
    /// of all.
    pub(super) fn each(
        self,
        sizes: &FileSizes,
        most: usize,
        mut each: impl FnMut(Fragment),
    ) -> usize {
        let timeline = self.stream.timeline();
        if self.track.folder().is_some() {
            // A manifest can claim millions of chunks in a few bytes.
            let mut sizes = sizes.0.get(&self.place).map(Vec::as_slice).unwrap_or_default().iter();
            for (start, duration) in timeline.iter().take(most) {
                let size = sizes.next().copied().unwrap_or(0);
                each(Fragment { start, duration, offset: 0, size });
            }
            return timeline.len();
        }
        let mut left = most;
        self.track.each_stored(|chunk, bytes| {
            if left > 0
                && let Some((start, duration)) = timeline.chunk(chunk)
            {
                left -= 1;
                let size = bytes.end.saturating_sub(bytes.start);
                each(Fragment { start, duration, offset: bytes.start, size });
            }
        });
        self.track.fragment_count()
    }

    /// Returns whether the size of a fragment of its own file is not known.
    pub(super) fn has_unknown(self, sizes: &FileSizes) -> bool {
        let known = sizes.0.get(&self.place);
        self.track.folder().is_some()
            && known.is_none_or(|known| {
                known.len() < self.stream.timeline().len() || known.contains(&0)
            })
    }

    /// Returns the fragment at a place.
    pub(super) fn nth(self, place: usize) -> Option<Fragment> {
        if self.track.folder().is_some() {
            let (start, duration) = self.stream.timeline().chunk(place)?;
            return Some(Fragment { start, duration, offset: 0, size: 0 });
        }
        let mut last = None;
        let mut number = 0;
        self.each(&FileSizes::default(), place.checked_add(1)?, |fragment| {
            number += 1;
            last = Some(fragment);
        });
        last.filter(|_| number == place + 1)
    }
}

impl Rates {
    pub(super) fn of(track: Placed<'_>, sizes: &FileSizes) -> Self {
        // Fragments in files of their own count as far as they were looked at.
        let most = match track.track.folder().is_some() {
            true => sizes.0.get(&track.place).map_or(0, Vec::len),
            false => usize::MAX,
        };
        let (mut bytes, mut ticks, mut count) = (0_u64, 0_u64, 0_u64);
        track.each(sizes, most, |fragment| {
            if fragment.size == 0 {
                return;
            }
            bytes = bytes.saturating_add(fragment.size);
            ticks = ticks.saturating_add(fragment.duration);
            count += 1;
        });
        let rate = |bytes: u64, ticks: u64| {
            let bits = u128::from(bytes) * 8 * u128::from(track.stream.timescale().get());
            let rate = bits.checked_div(ticks.into()).and_then(|rate| u64::try_from(rate).ok());
            rate.filter(|_| bytes > 0)
        };
        let least = ticks / (2 * count.max(1));
        let mut peak = None;
        track.each(sizes, most, |fragment| {
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
