//! The walk through files whose index is of no use: which files, and what comes of it.

use std::mem;
use std::ops::Range;

use super::announced::Announced;
use super::complete::Pairs;
use super::cut_off::CutOff;
use super::matching::match_announced;
use super::media::MediaFile;
use super::resolve::Resolved;
use super::tracks::MediaTrack;
use super::trouble::Trouble;
use crate::base::{Error, ErrorKind, FileId, Limits, Timescale};
use crate::index::{Indexed, KnownStarts, Outcome, Scan, Scanned, ScannedTrack};
use crate::manifest::{ClientDocument, runs};
use crate::presentation::finding::{Counted, Finding};
use crate::presentation::timeline::tolerance;
use crate::presentation::{FindingCode, Timeline};

/// The files that have to be walked through: where a track that is to be served has no index, or
/// one that lies, or one of fewer fragments than its stream has chunks; or where fragments say other
/// times than an index that does not fit the manifest.
pub(super) fn files_to_walk(
    client: Option<&ClientDocument>,
    pairs: &Pairs<'_>,
    limits: &Limits,
) -> Vec<FileId> {
    let Pairs { resolved, assignment } = pairs;
    let mut files: Vec<FileId> = Vec::new();
    for track in resolved {
        // Without a manifest, nothing says which of the two times is right.
        let is_in_doubt =
            |media: &MediaTrack| media.is_in_doubt() || client.is_none() && media.may_misfit();
        if track.media.as_ref().is_ok_and(|media| is_in_doubt(media)) {
            files.extend(track.file());
        }
    }
    if let Some((client, assignment)) =
        client.map(ClientDocument::manifest).zip(assignment.as_ref())
    {
        for (stream, tracks) in client.streams.iter().zip(assignment) {
            let (mut chunks, mut last) = (0_u64, None);
            for run in runs(&stream.chunks) {
                chunks = chunks.saturating_add(run.as_ref().map_or(0, |run| run.count.get()));
                last = run.ok().map(|run| run.end().saturating_sub(run.duration));
            }
            let tracks = tracks.iter().flatten().filter_map(|&number| resolved.get(number));
            let tracks: Vec<_> = tracks.filter(|_| !stream.is_embedded()).collect();
            let short = tracks.iter().filter(|track| track.has_less_than(chunks));
            files.extend(short.filter_map(|track| track.file()));
            let timescale = client.timescale_of(stream);
            let doubtful = tracks.iter().filter_map(|track| track.in_time_doubt(last, timescale));
            let mut doubtful = doubtful.peekable();
            if doubtful.peek().is_none() {
                continue;
            }
            let Ok(timeline) = Timeline::new(&stream.chunks, limits) else { continue };
            let misfits = doubtful.filter(|(_, media)| {
                let fragments = media.fragments.as_deref().unwrap_or_default();
                let matched = match_announced(&timeline, timescale, fragments, media.timescale);
                matched.fragments.len() < timeline.len()
            });
            files.extend(misfits.map(|(file, _)| file));
        }
    }
    files.sort_unstable();
    files.dedup();
    files
}

impl Resolved<'_> {
    /// Returns its file and media if its fragments declare other times than its index, if the index
    /// gives one time for several of them, or if the last one is not the `last` chunk of the
    /// manifest.
    fn in_time_doubt(
        &self,
        last: Option<u64>,
        timescale: Timescale,
    ) -> Option<(FileId, &MediaTrack)> {
        let is_doubtful =
            |media: &MediaTrack| media.may_misfit() || !media.ends_at(last, timescale);
        let media = self.media.as_ref().ok().filter(|media| is_doubtful(media))?;
        Some((media.file, media))
    }

    fn file(&self) -> Option<FileId> {
        self.media.as_ref().ok().map(|media| media.file)
    }

    fn has_less_than(&self, chunks: u64) -> bool {
        let fragments = self.media.as_ref().ok().and_then(|media| media.fragments.as_ref().ok());
        fragments.is_some_and(|fragments| (fragments.len() as u64) < chunks)
    }
}

impl MediaTrack {
    /// Its index is missing, or does not say what the file holds.
    fn is_in_doubt(&self) -> bool {
        let lies = |trouble: &Trouble| {
            use FindingCode::{FragmentBroken, IndexBroken, IndexMissing};
            matches!(trouble.code, IndexMissing | IndexBroken | FragmentBroken)
        };
        self.fragments.as_ref().err().or(self.doubt.as_ref()).is_some_and(lies)
    }

    /// Returns whether its fragments declare other times than its index, or the index gives one
    /// time for several of them.
    fn may_misfit(&self) -> bool {
        self.has_time_doubt() || self.has_repeats
    }

    /// Returns whether its last fragment starts at this time, in ticks of a stream, within
    /// rounding.
    fn ends_at(&self, time: Option<u64>, stream: Timescale) -> bool {
        let last = self.fragments.as_ref().ok().and_then(|fragments| fragments.last());
        let last = last.and_then(|last| self.timescale.rescale_signed(last.time, stream));
        let tolerance = tolerance(stream, self.timescale);
        last.zip(time).is_none_or(|(last, time)| (time as i64).abs_diff(last) <= tolerance)
    }

    /// Its fragments say other times than its index.
    pub(super) fn has_time_doubt(&self) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| doubt.code == FindingCode::TimeInFragment)
    }
}

impl MediaFile {
    /// A walk through this file; `None` if it has no fragments.
    pub(super) fn scan(&self) -> Option<Scan> {
        if self.is_progressive {
            return None;
        }
        let tracks = self.tracks.as_ref().ok()?.iter();
        let tracks = tracks.map(|track| (track.track_id, track.defaults));
        let known = self.tracks.as_ref().ok()?.iter();
        let starts = |track: &MediaTrack| {
            let fragments = track.fragments.as_deref().unwrap_or_default().iter();
            let starts = fragments.map(|fragment| fragment.start);
            let is_of_header =
                |at: &u64| track.header_chunk.as_ref().is_some_and(|of| of.is_at(*at));
            starts.filter(|at| !is_of_header(at)).collect::<Vec<_>>()
        };
        let known = known.flat_map(starts).filter(|&at| at >= self.header_end);
        let known = KnownStarts::new(known.collect());
        Some(Scan::new(self.header_end, self.size, tracks, self.unread_track.is_some(), known))
    }

    /// Takes back that the times of its fragments were looked at.
    pub(super) fn unsettle(&mut self) {
        for track in self.tracks.iter_mut().flatten() {
            track.is_settled = false;
        }
    }

    /// Some track of this file has a usable index.
    pub(super) fn has_index(&self) -> bool {
        self.tracks.as_ref().is_ok_and(|tracks| tracks.iter().any(|track| track.fragments.is_ok()))
    }

    /// Takes over what a walk found, if that is more than the index has or if the index was not
    /// trusted. Of the two, the one that gives more chunks of the manifest their fragment wins:
    /// `announced` counts these.
    pub(super) fn walked(
        &mut self,
        mut scanned: Scanned,
        is_distrusted: bool,
        announced: &Announced,
    ) -> Vec<Finding> {
        let chunks_with =
            |track: &MediaTrack, fragments: &[Indexed]| announced.chunks_with(track, fragments);
        let has_index_box = !self.mfra.is_empty();
        let Ok(tracks) = &mut self.tracks else { return Vec::new() };
        // It is not found by a walk.
        tracks.iter_mut().for_each(MediaTrack::remove_header_chunk);
        let cut_off = CutOff::of(&scanned.outcome);
        let given_up = match &scanned.outcome {
            Outcome::Lost(error) => Some(error.clone()),
            Outcome::Walking | Outcome::End | Outcome::CutOff { .. } => None,
        };
        let is_beyond_budget =
            given_up.as_ref().is_some_and(|error| matches!(error.kind, ErrorKind::Budget { .. }));
        let (mut used, mut untimed, mut lost) = (false, 0, 0);
        for track in tracks.iter_mut() {
            track.is_cut_off =
                cut_off.is_some_and(|cut_off| !cut_off.is_in_index()) && !has_index_box;
            // Any number of `trak`s may have one number: the first has the fragments.
            let of_scan = scanned.tracks.iter().position(|found| found.track_id == track.track_id);
            let Some(mut found) = of_scan.map(|at| scanned.tracks.swap_remove(at)) else {
                continue;
            };
            let found = &mut found;
            untimed += found.take_times_from(track.fragments.as_deref().unwrap_or_default());
            let mut is_honest = given_up.is_none();
            if given_up.is_none()
                && let Ok(index) = &mut track.fragments
            {
                // An entry that leads to no fragment of the track gives no chunk its fragment.
                let entries = index.len();
                index.retain(|entry| found.has(entry.start));
                is_honest = index.len() == entries;
                lost += entries - index.len();
            }
            // Entry by entry, the index has the fragments in the order of the file.
            let is_whole = is_honest
                && track.fragments.as_ref().is_ok_and(|index| index.len() == found.places.len());
            let index = track.fragments.as_deref().unwrap_or_default();
            // Of several fragments at one time, only the first one can be requested.
            let known = index.chunk_by(|a, b| track.has_repeats && a.time == b.time).count();
            let of_index = (known > 0).then(|| chunks_with(track, index)).flatten();
            // An index with several times identifies the fragments.
            let by_count = (known < 2).then(|| announced.by_count(track, found)).flatten();
            let walk = Found::of(found, |fragments| chunks_with(track, fragments), known);
            let walk = walk.or_by_count(by_count, of_index);
            let is_doubted = is_distrusted || track.is_in_doubt() || track.has_time_doubt();
            // A walk that was given up knows less of the rest than an index in doubt. An index of
            // all
            // fragments that agrees with the manifest's times is right, whatever the fragments
            // declare.
            let is_right = is_whole && of_index.is_some() && of_index == announced.chunks(track);
            let is_taken_on_tie =
                is_doubted && given_up.is_none() && !walk.fragments.is_empty() && !is_right;
            let is_better = match of_index.zip(walk.chunks) {
                Some((index, walk)) if index != walk => walk > index,
                Some(_) => walk.fragments.len() > known || is_taken_on_tie,
                None => {
                    walk.fragments.len() > known || walk.fragments.len() == known && is_taken_on_tie
                }
            };
            let is_taken = is_better && !is_beyond_budget;
            track.is_rewritten |= found.is_shared;
            track.own_bytes.count(mem::take(&mut found.own));
            track.is_settled |= given_up.is_none() && (is_doubted || is_taken || is_whole);
            if is_taken {
                track.rebuild(walk, cut_off);
                used = true;
                continue;
            }
            if is_honest && let Some(doubt) = &mut track.doubt {
                // What was taken for another fragment only says the time of one.
                doubt.code = match doubt.code {
                    FindingCode::FragmentBroken => FindingCode::TimeInFragment,
                    code => code,
                };
            }
            if track.fragments.as_ref().is_ok_and(Vec::is_empty) {
                let why = || Trouble::new(FindingCode::IndexBroken, "it leads to no fragment");
                track.fragments = Err(track.doubt.take().unwrap_or_else(why));
            }
            match (&mut track.fragments, &scanned.broken) {
                (Ok(fragments), _) => tighten(fragments, &found.places),
                // Nothing of it was found, and this is why.
                (Err(trouble), Some(error)) => *trouble = Trouble::of(trouble.code, error),
                (Err(_), None) => {}
            }
        }
        tracks.iter_mut().for_each(MediaTrack::add_header_chunk);
        let of_end = cut_off.and_then(|cut_off| cut_off.finding(self));
        let of_walk = findings(&scanned, given_up, used || lost > 0, untimed);
        of_end.into_iter().chain(of_walk).collect()
    }
}

impl MediaTrack {
    /// Takes over the fragments that a walk found. That it had to is no news if the file was cut off,
    /// because its index is at its end.
    fn rebuild(&mut self, found: Found, cut_off: Option<CutOff>) {
        let Found { fragments, last_duration, placed_by, is_disordered, .. } = found;
        let is_missing = |trouble: &Trouble| trouble.code == FindingCode::IndexMissing;
        let is_missing = self.fragments.as_ref().err().is_some_and(is_missing);
        let before = match (&self.fragments, &self.doubt) {
            (Err(_), _) if is_missing && cut_off.is_some_and(CutOff::is_in_index) => {
                "its file was cut off inside the index (`mfra`), behind all fragments".into()
            }
            (Err(_), _) if is_missing => "its file has no index (`mfra`) of its fragments".into(),
            (Err(trouble), _) | (Ok(_), Some(trouble)) => trouble.message.clone(),
            (Ok(_), None) if self.has_repeats => {
                "its index gives one time for several fragments".into()
            }
            (Ok(index), None) => format!("its index has {} of its fragments", index.len()),
        };
        let how = match placed_by {
            PlacedBy::Times => "",
            PlacedBy::Durations => {
                ", placed in order and by their durations: the times inside repeat, step back or overlap"
            }
            PlacedBy::Numbers => ", placed by number, one per chunk: no times are inside",
        };
        let found = Counted(fragments.len(), "fragment");
        let message = format!("{before}; a search of the file found {found}{how}");
        self.doubt = (!(is_missing && self.is_cut_off))
            .then(|| Trouble::new(FindingCode::IndexRebuilt, message));
        self.last_duration = (last_duration > 0).then_some(last_duration);
        (self.has_repeats, self.is_disordered) = (false, is_disordered);
        self.fragments = Ok(fragments);
    }
}

/// The way in which fragments that a walk found get their times.
#[derive(Clone, Copy, Debug)]
enum PlacedBy {
    /// They say them.
    Times,
    /// They are the sums of the durations before them.
    Durations,
    /// They are those of the chunks of the same number.
    Numbers,
}

/// The fragments of a track that a walk found.
struct Found {
    fragments: Vec<Indexed>,
    last_duration: u64,
    placed_by: PlacedBy,
    /// Number of chunks of the manifest that have one of the fragments.
    chunks: Option<usize>,
    /// True if the declared times repeat or step back.
    is_disordered: bool,
}

impl Found {
    /// Takes the fragments by their number, if that gives more chunks of the manifest their
    /// fragment than the index and the walk by times do.
    fn or_by_count(self, by_count: Option<Vec<Indexed>>, of_index: Option<usize>) -> Self {
        match by_count {
            Some(fragments) if Some(fragments.len()) > self.chunks.max(of_index) => {
                let chunks = Some(fragments.len());
                Self { fragments, chunks, placed_by: PlacedBy::Numbers, ..self }
            }
            _ => self,
        }
    }

    /// Takes the fragments by their declared times; or by their order, if that gives more chunks of
    /// the manifest their fragment, or as many while the times are those at which pictures are
    /// shown, because a player decodes chunk by chunk. Without a manifest, times are of no use if
    /// most of them repeat or some are repeated wrongly, unless the index has as many fragments.
    fn of(
        found: &mut ScannedTrack,
        chunks_with: impl Fn(&[Indexed]) -> Option<usize>,
        known: usize,
    ) -> Self {
        let by_order = found.take_by_order();
        // Counted only where there is a choice.
        let has_choice = by_order.is_some() || known > 0 || !found.says_several();
        let chunks = has_choice.then(|| chunks_with(&found.fragments)).flatten();
        let of_order = by_order.as_deref().and_then(&chunks_with);
        let is_by_order = match chunks.zip(of_order) {
            Some((by_time, by_order)) => {
                by_order > by_time || by_order == by_time && found.is_as_shown
            }
            None => {
                let count = by_order.as_ref().map_or(0, Vec::len);
                let is_useless = found.has_wrong_times();
                chunks.is_none() && known < count && (is_useless || found.is_as_shown)
            }
        };
        let is_disordered = found.steps_back;
        match by_order.filter(|_| is_by_order) {
            Some(fragments) => {
                let last_duration = found.final_duration;
                let (placed_by, chunks) = (PlacedBy::Durations, of_order);
                Self { fragments, last_duration, placed_by, chunks, is_disordered }
            }
            None => {
                let (fragments, last_duration) =
                    (mem::take(&mut found.fragments), found.last_duration);
                let placed_by = PlacedBy::Times;
                Self { fragments, last_duration, placed_by, chunks, is_disordered }
            }
        }
    }
}

/// Gives the fragments of an index that is believed the ends that a walk found: an entry of another
/// track may have lied about where they end.
fn tighten(fragments: &mut [Indexed], places: &[Range<u64>]) {
    for fragment in fragments {
        if let Ok(at) = places.binary_search_by_key(&fragment.start, |place| place.start) {
            fragment.bound = places[at].end;
        }
    }
}

fn findings(
    scanned: &Scanned,
    given_up: Option<Error>,
    used: bool,
    untimed: usize,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |code, message: String, cause: Option<Error>| {
        let finding = Finding::new(code, message);
        findings.push(match cause {
            Some(cause) => finding.because(cause),
            None => finding,
        });
    };
    if let Some(error) = given_up {
        let message = format!("nothing behind this place was found: {error}");
        tell(FindingCode::ScanGivenUp, message, Some(error));
    }
    if let Some(error) = scanned.broken.as_ref().filter(|_| used) {
        let behind = match untimed {
            0 => String::new(),
            1 => "; 1 fragment behind it does not say its time: not served".into(),
            _ => format!("; {untimed} fragments behind it do not say their times: not served"),
        };
        let message = format!("it was passed over: {error}{behind}");
        tell(FindingCode::FragmentBroken, message, Some(error.clone()));
    }
    findings
}
