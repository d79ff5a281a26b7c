//! Qualities whose media are not their own: those of another quality, or of another bitrate.

use std::collections::{HashMap, HashSet};

use super::media::MediaFile;
use crate::base::{FileId, FourCc};
use crate::manifest::StreamKind;
use crate::presentation::finding::{Counted, Finding, FindingCode, Findings, label};
use crate::presentation::stream::{Media, StoredTrack};
use crate::presentation::validator::ContentHash;
use crate::presentation::{Stream, Timeline};

/// Reports qualities that have the media of another quality of their stream, or media whose bitrate
/// is far from the declared one.
///
/// A declared bitrate is mostly a ceiling, so media with fewer bits say nothing, unless a quality of
/// a much lower bitrate has more.
pub(super) fn check<'a>(
    streams: &[Stream],
    files: &[(FileId, MediaFile)],
    name_of: impl Fn(FileId) -> &'a str,
    findings: &mut Findings,
) {
    let files: HashMap<FileId, &MediaFile> = files.iter().map(|(id, file)| (*id, file)).collect();
    for stream in streams.iter().filter(|stream| stream.kind != StreamKind::Text) {
        let qualities: Vec<Quality<'_>> = stream
            .tracks
            .iter()
            .filter_map(|track| match &track.media {
                Media::Stored(stored) => {
                    let is_measurable = files.get(&stored.file).is_some_and(|f| is_measurable(f));
                    Some(Quality::of(track.bitrate, stored, &stream.timeline, is_measurable))
                }
                _ => None,
            })
            .filter(|quality| quality.declared > 0)
            .map(|quality| quality.rated(stream.timescale.get()))
            .collect();
        let mut tell = |code, of: &Quality<'_>, message: String| {
            let finding = Finding::new(code, message).of_track(&label(&stream.name, of.declared));
            findings.push(finding.in_file(name_of(of.stored.file)));
        };
        let mut is_explained: HashSet<usize> = HashSet::new();
        for (wrong, right) in shared(&qualities, &files) {
            let (Some(of), Some(other)) = (qualities.get(wrong), qualities.get(right)) else {
                continue;
            };
            is_explained.extend([wrong, right]);
            let own = label(&stream.name, other.declared);
            let fragments = Counted(of.fragments, "fragment");
            let how = match (of.stored.file == other.stored.file, of.source() == other.source()) {
                (_, true) => "both are the same track of the same file".to_owned(),
                (true, false) => format!(
                    "its {fragments} have the same sizes as those of track {} of the same file",
                    other.stored.track_id
                ),
                (false, false) => format!(
                    "its {fragments} have the same sizes as those in {}",
                    name_of(other.stored.file)
                ),
            };
            let rate = of.rate.map_or_else(String::new, |rate| format!(", {rate} bit/s"));
            let message = format!("its media are those of {own}{rate}: {how}");
            tell(FindingCode::SameMedia, of, message);
        }
        for (number, of) in qualities.iter().enumerate() {
            let declared = u64::from(of.declared);
            let Some(rate) = of.rate.filter(|_| !is_explained.contains(&number)) else { continue };
            if rate > TIMES * declared && rate - declared > SLACK {
                let message = format!("its media have {rate} bit/s");
                tell(FindingCode::BitrateContradicted, of, message);
            }
        }
        for (of, other) in crossed(&qualities, &is_explained) {
            let rates = of.rate.zip(other.rate).unwrap_or_default();
            let message = format!(
                "its media have {} bit/s, less than the {} bit/s of {}",
                rates.0,
                rates.1,
                label(&stream.name, other.declared)
            );
            tell(FindingCode::BitrateContradicted, of, message);
        }
    }
}

/// Media with more bits than this many times the declared bitrate contradict it.
const TIMES: u64 = 2;

/// Bits per second beyond the declared ones that say nothing: headers of short fragments.
const SLACK: u64 = 32_000;

/// Shorter media say nothing about their bitrate, in seconds.
const SHORTEST: u64 = 4;

/// A quality, and the size of its media.
struct Quality<'a> {
    stored: &'a StoredTrack,
    declared: u32,
    fragments: usize,
    bytes: u64,
    /// Ticks of the stream that its chunks last; 0 if that is not known.
    ticks: u64,
    /// Bits per second of its media, if they are known.
    rate: Option<u64>,
}

impl<'a> Quality<'a> {
    fn of(
        declared: u32,
        stored: &'a StoredTrack,
        timeline: &Timeline,
        is_measurable: bool,
    ) -> Self {
        let (mut bytes, mut sum, mut ends) = (0_u64, 0_u64, None::<(u64, u64)>);
        let mut last_duration = 0;
        let mut chunks = timeline.iter().enumerate();
        stored.fragments.each_range(|number, range| {
            bytes = bytes.saturating_add(range.end - range.start);
            let Some((_, (start, duration))) = chunks.find(|(chunk, _)| *chunk == number) else {
                return;
            };
            (sum, last_duration) = (sum.saturating_add(duration), duration);
            let (first, end) = ends.unwrap_or((start, start));
            ends = Some((first.min(start), end.max(start.saturating_add(duration))));
        });
        // Durations in a manifest may be wrong while its times are right, and that of the last chunk
        // may be missing.
        let is_known = is_measurable && !timeline.steps_back();
        let ticks = ends.filter(|_| is_known).map_or(0, |(first, end)| sum.max(end - first));
        let chunks_before =
            (stored.fragments.len() as u64).saturating_sub(u64::from(last_duration == 0));
        let mean = ticks.checked_div(chunks_before).unwrap_or(0);
        let ticks = if last_duration == 0 { ticks.saturating_add(mean) } else { ticks };
        Self { stored, declared, fragments: stored.fragments.len(), bytes, ticks, rate: None }
    }

    /// Adds the bitrate, if the media are long enough to have one.
    fn rated(self, ticks_per_second: u64) -> Self {
        let is_long = self.ticks / ticks_per_second.max(1) >= SHORTEST && self.fragments > 1;
        let bits = 8 * u128::from(self.bytes) * u128::from(ticks_per_second);
        let rate = bits.checked_div(u128::from(self.ticks)).filter(|_| is_long);
        Self { rate: rate.and_then(|rate| u64::try_from(rate).ok()), ..self }
    }

    fn source(&self) -> (FileId, u32) {
        (self.stored.file, self.stored.track_id)
    }

    fn format(&self) -> Option<FourCc> {
        self.stored.entry.as_ref().map(|entry| entry.header.kind)
    }

    /// Returns by what factor the media miss the declared bitrate.
    fn miss(&self) -> f64 {
        let Some(rate) = self.rate else { return f64::INFINITY };
        let (rate, declared) = (rate.max(1) as f64, f64::from(self.declared.max(1)));
        (rate / declared).max(declared / rate)
    }

    /// Returns whether another quality declares a bitrate that is more than a tenth away.
    fn is_far_from(&self, other: &Self) -> bool {
        let lower = u64::from(self.declared.min(other.declared));
        10 * u64::from(self.declared.abs_diff(other.declared)) > lower
    }
}

/// Returns whether all bytes between two fragments of this file are those of the first: only then is
/// the size of a fragment known without a look at it.
fn is_measurable(file: &MediaFile) -> bool {
    let tracks = file.tracks.as_deref().unwrap_or_default();
    file.unread_track.is_none() && tracks.iter().all(|track| track.fragments.is_ok())
}

/// Evidence that the media of two qualities are the same.
#[derive(PartialEq, Eq, Hash)]
enum Likeness {
    /// A hash of the sizes of all fragments, which differ among themselves. No two encodings agree in
    /// all of them.
    Sizes(u128),
    /// The sizes say nothing, as in sound of a constant bitrate: a hash of the length of the file, its
    /// header and its index; and the number of the track.
    File(u128, u32),
}

impl Likeness {
    fn of(stored: &StoredTrack, files: &HashMap<FileId, &MediaFile>) -> Self {
        let (mut hash, mut first, mut differ, mut last) = (ContentHash::new(""), None, false, None);
        stored.fragments.each_range(|chunk, range| {
            let size = range.end - range.start;
            hash.number(chunk as u64);
            hash.number(size);
            // Behind the last one there may be other boxes.
            if let Some(before) = last.replace(size) {
                differ |= *first.get_or_insert(before) != before;
            }
        });
        if differ {
            return Self::Sizes(hash.finish());
        }
        let mut hash = ContentHash::new("");
        if let Some(file) = files.get(&stored.file) {
            hash.number(file.size);
            hash.part(Some(&file.moov));
            hash.part(Some(&file.mfra));
        }
        Self::File(hash.finish(), stored.track_id)
    }
}

/// Returns pairs of qualities that have the same media. The first of a pair is the one whose declared
/// bitrate fits them less.
fn shared(qualities: &[Quality<'_>], files: &HashMap<FileId, &MediaFile>) -> Vec<(usize, usize)> {
    let mut same_size: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    for (number, quality) in qualities.iter().enumerate() {
        same_size.entry((quality.fragments, quality.bytes)).or_default().push(number);
    }
    let mut alike: HashMap<Likeness, Vec<usize>> = HashMap::new();
    for number in same_size.into_values().filter(|numbers| numbers.len() > 1).flatten() {
        if let Some(quality) = qualities.get(number) {
            alike.entry(Likeness::of(quality.stored, files)).or_default().push(number);
        }
    }
    let mut pairs = Vec::new();
    for mut numbers in alike.into_values() {
        numbers.sort_unstable();
        let of = |number: usize| qualities.get(number);
        let miss = |number: usize| of(number).map_or(f64::INFINITY, Quality::miss);
        let best = numbers
            .iter()
            .copied()
            .reduce(|best, number| if miss(number) < miss(best) { number } else { best });
        let Some((best, right)) = best.and_then(|best| Some((best, of(best)?))) else { continue };
        let is_wrong = |number: &usize| {
            of(*number).is_some_and(|quality| match quality.source() == right.source() {
                true => quality.declared != right.declared,
                false => quality.is_far_from(right),
            })
        };
        pairs.extend(numbers.into_iter().filter(is_wrong).map(|number| (number, best)));
    }
    pairs.sort_unstable();
    pairs
}

/// Returns qualities that have far fewer bits than one that declares far fewer, each with that one.
fn crossed<'a, 'b>(
    qualities: &'b [Quality<'a>],
    is_explained: &HashSet<usize>,
) -> Vec<(&'b Quality<'a>, &'b Quality<'a>)> {
    let mut alike: HashMap<(FourCc, usize), Vec<&Quality<'_>>> = HashMap::new();
    for (number, quality) in qualities.iter().enumerate() {
        if let Some(format) = quality.format()
            && quality.rate.is_some()
            && !is_explained.contains(&number)
        {
            alike.entry((format, quality.fragments)).or_default().push(quality);
        }
    }
    let mut crossed = Vec::new();
    for mut group in alike.into_values() {
        group.sort_by_key(|quality| quality.declared);
        let (mut lower, mut most) = (group.iter().copied().peekable(), None::<&Quality<'_>>);
        for &quality in &group {
            let is_far_lower = |lower: &&Quality<'_>| {
                3 * u64::from(lower.declared) <= 2 * u64::from(quality.declared)
            };
            while let Some(next) = lower.next_if(is_far_lower) {
                most = most.filter(|most| most.rate >= next.rate).or(Some(next));
            }
            if let Some(most) = most
                && let (Some(rate), Some(other)) = (quality.rate, most.rate)
                && rate.saturating_mul(3) < other.saturating_mul(2)
            {
                crossed.push((quality, most));
            }
        }
    }
    crossed.sort_by_key(|(quality, _)| quality.declared);
    crossed
}
