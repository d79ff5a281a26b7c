//! `timeline`: when each fragment starts, how long and how large it is, and where it is stored.

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use smooth_origin::presentation::{Presentation, Stream};

use super::answer::Answer;
use super::failure::Failure;
use super::open::aside;
use super::query::Query;
use super::sizes::{FileSizes, Fragment, Placed, of_stream};
use super::{Page, urls};

#[derive(Serialize)]
struct Timeline<'a> {
    name: &'a str,
    streams: Vec<StreamTimes<'a>>,
}

#[derive(Serialize)]
struct StreamTimes<'a> {
    r#type: &'static str,
    name: &'a str,
    timescale: u64,
    first: String,
    tracks: Vec<TrackTimes>,
}

#[derive(Default, Serialize)]
struct TrackTimes {
    starts: Vec<i64>,
    durations: Vec<u64>,
    sizes: Vec<u64>,
    offsets: Vec<u64>,
    url: String,
    gaps: Vec<Step>,
    overlaps: Vec<Step>,
    misaligned: Vec<usize>,
    /// Number of fragments that the lists do not have, because there are too many.
    left_out: usize,
    /// Set if each fragment has a file of its own, and there was no time to look at all of them: other
    /// sizes are 0.
    sizes_unknown: bool,
}

/// A place where one fragment does not end when the next one starts.
#[derive(Serialize)]
struct Step {
    after: usize,
    ticks: u64,
}

/// Maximum number of fragments of an answer.
const MOST_FRAGMENTS: usize = 500_000;

/// Maximum number of gaps, of overlaps and of misaligned fragments of a track.
const MOST_STEPS: usize = 10_000;

/// Largest number that a script keeps exactly.
const EXACT: u64 = (1 << 53) - 1;

pub(super) async fn answer(page: &Page, query: &Query) -> Result<Answer, Failure> {
    let opened = page.open(&query.presentation()?).await?;
    let presentation = Arc::clone(opened.presentation());
    let sizes = FileSizes::of(&page.origin, &presentation).await;
    aside(move || Answer::json(StatusCode::OK, &Timeline::of(&presentation, &sizes))).await
}

impl<'a> Timeline<'a> {
    fn of(presentation: &'a Presentation, sizes: &FileSizes) -> Self {
        let mut room = MOST_FRAGMENTS;
        let streams = presentation.streams().iter().enumerate();
        let times = |(number, stream)| StreamTimes::of(stream, number, sizes, &mut room);
        let streams = streams.map(times).collect();
        Self { name: presentation.name().as_str(), streams }
    }
}

impl<'a> StreamTimes<'a> {
    fn of(stream: &'a Stream, number: usize, sizes: &FileSizes, room: &mut usize) -> Self {
        let first = stream.timeline().chunk(0).map_or(0, |(start, _)| start);
        let mut tracks: Vec<TrackTimes> = Vec::new();
        // A track without media is no measure of others.
        let mut measure: Option<Measure> = None;
        for track in of_stream(stream, number) {
            let mut times = TrackTimes::of(track, sizes, first, room);
            match &mut measure {
                Some(measure) => times.compare(measure),
                None => measure = Measure::of(&times),
            }
            tracks.push(times);
        }
        Self {
            r#type: stream.kind().as_str(),
            name: stream.name(),
            timescale: stream.timescale().get(),
            first: first.to_string(),
            tracks,
        }
    }
}

impl TrackTimes {
    fn of(track: Placed<'_>, sizes: &FileSizes, first: u64, room: &mut usize) -> Self {
        let mut times = Self {
            url: urls::fragment(track.stream, track.track, "{start time}"),
            sizes_unknown: track.has_unknown(sizes),
            ..Self::default()
        };
        let mut before: Option<Fragment> = None;
        let most = *room;
        let all = track.each(sizes, most, |fragment| {
            *room -= 1;
            if let Some(before) = before.replace(fragment) {
                times.step(before.start.saturating_add(before.duration), fragment.start);
            }
            times.starts.push(relative(fragment.start, first));
            times.durations.push(fragment.duration.min(EXACT));
            times.sizes.push(fragment.size);
            times.offsets.push(fragment.offset.min(EXACT));
        });
        times.left_out = all.saturating_sub(times.starts.len());
        times
    }

    /// Notes that the next fragment starts earlier or later than the last one ends.
    fn step(&mut self, end: u64, next: u64) {
        let after = self.starts.len().saturating_sub(1);
        let list = if next > end { &mut self.gaps } else { &mut self.overlaps };
        if next != end && list.len() < MOST_STEPS {
            list.push(Step { after, ticks: next.abs_diff(end).min(EXACT) });
        }
    }

    /// Notes the fragments that start when the first track has none.
    fn compare(&mut self, measure: &mut Measure) {
        if measure.starts == self.starts {
            return;
        }
        let known = measure.known();
        let places = self.starts.iter().enumerate();
        let misaligned = places.filter(|(_, start)| known.binary_search(start).is_err());
        self.misaligned = misaligned.map(|(place, _)| place).take(MOST_STEPS).collect();
    }
}

/// The starts that the tracks of a stream are compared with.
struct Measure {
    starts: Vec<i64>,
    /// The same, ascending, once they are needed.
    sorted: Option<Vec<i64>>,
}

impl Measure {
    fn of(first: &TrackTimes) -> Option<Self> {
        // What is left out is not known.
        let is_whole = first.left_out == 0 && !first.starts.is_empty();
        is_whole.then(|| Self { starts: first.starts.clone(), sorted: None })
    }

    fn known(&mut self) -> &[i64] {
        self.sorted.get_or_insert_with(|| {
            let mut sorted = self.starts.clone();
            sorted.sort_unstable();
            sorted
        })
    }
}

/// Returns a start relative to the first, as far as a script keeps it exactly.
fn relative(start: u64, first: u64) -> i64 {
    let distance = start.abs_diff(first).min(EXACT) as i64;
    if start < first { -distance } else { distance }
}
