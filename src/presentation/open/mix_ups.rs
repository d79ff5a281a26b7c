//! Qualities whose media are not their own: those of another quality, or of another bitrate.

use std::collections::{HashMap, HashSet};

use super::measured::{Measured, is_measurable};
use super::media::MediaFile;
use crate::base::{FileId, FourCc};
use crate::manifest::StreamKind;
use crate::presentation::Stream;
use crate::presentation::finding::{Counted, Finding, FindingCode, Findings, label};
use crate::presentation::validator::ContentHash;

/// Media with more bits than this many times the declared bitrate contradict it.
const TIMES: u64 = 2;

/// Bits per second beyond the declared ones that say nothing: headers of short fragments.
const SLACK: u64 = 32_000;

/// Reports qualities that have the media of another quality of their stream, pictures of the size of
/// another, or media whose bitrate is far from the declared one: one finding per quality.
pub(super) fn check<'a>(
    streams: &[Stream],
    files: &[(FileId, MediaFile)],
    name_of: impl Fn(FileId) -> &'a str,
    findings: &mut Findings,
) {
    let measurable: HashSet<FileId> =
        files.iter().filter(|(_, file)| is_measurable(file)).map(|(file, _)| *file).collect();
    let files: HashMap<FileId, &MediaFile> = files.iter().map(|(id, file)| (*id, file)).collect();
    let mut of_files = HashMap::new();
    for stream in streams.iter().filter(|stream| stream.kind != StreamKind::Text) {
        let qualities = Measured::all_of(stream, |file| measurable.contains(&file));
        let mut check = Check { stream, qualities: &qualities, explained: HashSet::new() };
        let shared = check.shared(&files, &mut of_files, &name_of);
        let pictures = check.pictures();
        let bitrates = check.bitrates();
        for (code, of, message) in [shared, pictures, bitrates].into_iter().flatten() {
            let finding = Finding::new(code, message).of_track(&label(&stream.name, of.declared));
            findings.push(finding.in_file(name_of(of.stored.file)));
        }
    }
}

/// A code, the quality that the finding is about, and the message.
type Told<'a, 'b> = (FindingCode, &'b Measured<'a>, String);

/// A check of the qualities of one stream.
struct Check<'a, 'b> {
    stream: &'b Stream,
    qualities: &'b [Measured<'a>],
    /// Qualities that nothing more is said about, by number.
    explained: HashSet<usize>,
}

impl<'a, 'b> Check<'a, 'b> {
    /// Finds qualities that have the media of another.
    fn shared<'n>(
        &mut self,
        files: &HashMap<FileId, &MediaFile>,
        of_files: &mut HashMap<FileId, u128>,
        name_of: impl Fn(FileId) -> &'n str,
    ) -> Vec<Told<'a, 'b>> {
        let mut told = Vec::new();
        for (wrong, right) in shared(self.qualities, files, of_files) {
            let pair = self.qualities.get(wrong).zip(self.qualities.get(right));
            let Some((of, other)) = pair else { continue };
            self.explained.extend([wrong, right]);
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
            let owner = label(&self.stream.name, other.declared);
            let rate = of.rate.map_or_else(String::new, |rate| format!(", {rate} bit/s"));
            let message = format!("its media are those of {owner}{rate}: {how}");
            told.push((FindingCode::SameMedia, of, message));
        }
        told
    }

    /// Finds qualities that have pictures of the size of another. Pictures of a size that no quality
    /// declares say nothing: manifests have the size at which they are shown, or that of the largest.
    fn pictures(&mut self) -> Vec<Told<'a, 'b>> {
        let owners: HashMap<(u32, u32), u32> =
            self.qualities.iter().rev().filter_map(|of| Some((of.said?, of.declared))).collect();
        let mut told = Vec::new();
        for (number, of) in self.qualities.iter().enumerate() {
            if self.explained.contains(&number) || !of.has_other_pictures() {
                continue;
            }
            let (Some(said), Some(shown)) = (of.said, of.shown) else { continue };
            let Some(owner) = owners.get(&shown) else { continue };
            self.explained.insert(number);
            let message = format!(
                "its media have pictures of {} × {}, as {} should; the manifest says {} × {}",
                shown.0,
                shown.1,
                label(&self.stream.name, *owner),
                said.0,
                said.1
            );
            told.push((FindingCode::PicturesContradicted, of, message));
        }
        told
    }

    /// Finds qualities whose media have far more bits than declared. A declared bitrate is mostly a
    /// ceiling, so fewer bits say nothing, unless a quality of a much lower bitrate has more.
    fn bitrates(&mut self) -> Vec<Told<'a, 'b>> {
        let mut told = Vec::new();
        for (number, of) in self.qualities.iter().enumerate() {
            let declared = u64::from(of.declared);
            let rate = of.rate.filter(|rate| {
                *rate > TIMES * declared
                    && rate - declared > SLACK
                    && !self.explained.contains(&number)
            });
            if let Some(rate) = rate {
                let message = format!("its media have {rate} bit/s");
                told.push((FindingCode::BitrateContradicted, of, message));
            }
        }
        for (of, other) in crossed(self.qualities, &self.explained) {
            let (rate, more) = of.rate.zip(other.rate).unwrap_or_default();
            let other = label(&self.stream.name, other.declared);
            let message =
                format!("its media have {rate} bit/s, less than the {more} bit/s of {other}");
            told.push((FindingCode::BitrateContradicted, of, message));
        }
        told
    }
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
    /// `of_files` keeps the hashes of files: any number of tracks may be in one.
    fn of(
        quality: &Measured<'_>,
        files: &HashMap<FileId, &MediaFile>,
        of_files: &mut HashMap<FileId, u128>,
    ) -> Self {
        let stored = quality.stored;
        if quality.varies {
            let mut hash = ContentHash::new("");
            stored.fragments.each_range(|chunk, range| {
                hash.number(chunk as u64);
                hash.number(range.end - range.start);
            });
            return Self::Sizes(hash.finish());
        }
        let hash = of_files.entry(stored.file).or_insert_with(|| {
            let mut hash = ContentHash::new("");
            if let Some(file) = files.get(&stored.file) {
                hash.number(file.size);
                hash.part(Some(&file.moov));
                hash.part(Some(&file.mfra));
                file.sidx.iter().for_each(|sidx| hash.part(Some(sidx)));
            }
            hash.finish()
        });
        Self::File(*hash, stored.track_id)
    }
}

/// Returns pairs of qualities that have the same media. The first of a pair is the one whose declared
/// bitrate fits them less.
fn shared(
    qualities: &[Measured<'_>],
    files: &HashMap<FileId, &MediaFile>,
    of_files: &mut HashMap<FileId, u128>,
) -> Vec<(usize, usize)> {
    let mut same_size: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    for (number, quality) in qualities.iter().enumerate() {
        same_size.entry((quality.fragments, quality.bytes)).or_default().push(number);
    }
    let mut alike: HashMap<Likeness, Vec<usize>> = HashMap::new();
    for number in same_size.into_values().filter(|numbers| numbers.len() > 1).flatten() {
        if let Some(quality) = qualities.get(number) {
            alike.entry(Likeness::of(quality, files, of_files)).or_default().push(number);
        }
    }
    let mut pairs = Vec::new();
    for mut numbers in alike.into_values() {
        numbers.sort_unstable();
        let of = |number: usize| qualities.get(number);
        let miss = |number: usize| of(number).map_or((true, f64::INFINITY), Measured::miss);
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
    qualities: &'b [Measured<'a>],
    is_explained: &HashSet<usize>,
) -> Vec<(&'b Measured<'a>, &'b Measured<'a>)> {
    let mut alike: HashMap<(FourCc, usize), Vec<&Measured<'_>>> = HashMap::new();
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
        let (mut lower, mut most) = (group.iter().copied().peekable(), None::<&Measured<'_>>);
        for &quality in &group {
            let is_far_lower = |lower: &&Measured<'_>| {
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
