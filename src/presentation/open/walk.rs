//! The walk through files whose index is of no use: which files, and what comes of it.

use std::mem;

use super::assign::assign;
use super::matching::match_announced;
use super::media::{MediaFile, Trouble};
use super::resolve::Resolved;
use super::tracks::MediaTrack;
use crate::base::{Error, ErrorKind, FileId, Limits};
use crate::index::{Indexed, Outcome, Scan, Scanned};
use crate::manifest::{ClientManifest, ServerManifest, runs};
use crate::presentation::finding::{Finding, Findings};
use crate::presentation::{FindingCode, Timeline};

/// The files that have to be walked through: where a track that is to be served has no index, or
/// one that lies, or one of fewer fragments than its stream has chunks; or where fragments say other
/// times than an index that does not fit the manifest.
pub(super) fn files_to_walk(
    server: &ServerManifest,
    client: Option<&ClientManifest>,
    resolved: &[Resolved<'_>],
    limits: &Limits,
) -> Vec<FileId> {
    let mut files: Vec<FileId> = Vec::new();
    for track in resolved {
        // Without a manifest, nothing says which of the two times is right.
        let is_in_doubt =
            |media: &MediaTrack| media.is_in_doubt() || client.is_none() && media.has_time_doubt();
        if track.media.as_ref().is_ok_and(|media| is_in_doubt(media)) {
            files.push(track.file);
        }
    }
    if let Some(client) = client {
        // What does not fit is told later.
        let assignment = assign(client, server, &mut Findings::none());
        for (stream, tracks) in client.streams.iter().zip(assignment) {
            let counts = runs(&stream.chunks).map(|run| run.map_or(0, |run| run.count.get()));
            let chunks = counts.fold(0_u64, u64::saturating_add);
            let tracks = tracks.into_iter().flatten().filter_map(|number| resolved.get(number));
            let tracks: Vec<_> = tracks.filter(|_| !stream.is_embedded()).collect();
            let short = tracks.iter().filter(|track| track.has_less_than(chunks));
            files.extend(short.map(|track| track.file));
            let doubtful = tracks.iter().filter_map(|track| track.in_time_doubt());
            let mut doubtful = doubtful.peekable();
            if doubtful.peek().is_none() {
                continue;
            }
            let Ok(timeline) = Timeline::new(&stream.chunks, limits) else { continue };
            let timescale = client.timescale_of(stream);
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
    /// Its file and media, if its fragments say other times than its index.
    fn in_time_doubt(&self) -> Option<(FileId, &MediaTrack)> {
        let media = self.media.as_ref().ok().filter(|media| media.has_time_doubt())?;
        Some((self.file, media))
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

    /// Its fragments say other times than its index.
    pub(super) fn has_time_doubt(&self) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| doubt.code == FindingCode::TimeInFragment)
    }
}

impl MediaFile {
    /// A walk through this file.
    pub(super) fn scan(&self) -> Option<Scan> {
        let tracks = self.tracks.as_ref().ok()?.iter();
        let tracks = tracks.map(|track| (track.track_id, track.defaults));
        Some(Scan::new(self.header_end, self.size, tracks))
    }

    /// Takes over what a walk found, where that is more than the index said, or where that was not
    /// believed.
    pub(super) fn walked(&mut self, mut scanned: Scanned, is_distrusted: bool) -> Vec<Finding> {
        let Ok(tracks) = &mut self.tracks else { return Vec::new() };
        let given_up = match &scanned.outcome {
            Outcome::Lost(error) => Some(error.clone()),
            Outcome::Walking | Outcome::End | Outcome::CutOff(_) => None,
        };
        let is_beyond_budget =
            given_up.as_ref().is_some_and(|error| matches!(error.kind, ErrorKind::Budget { .. }));
        let (mut used, mut untimed) = (false, 0);
        for track in tracks {
            let mut of_scan = scanned.tracks.iter_mut();
            let of_scan = of_scan.find(|found| found.track_id == track.track_id);
            let Some(found) = of_scan else { continue };
            untimed += found.take_times_from(track.fragments.as_deref().unwrap_or_default());
            let known = track.fragments.as_ref().map_or(0, Vec::len);
            let is_doubted = is_distrusted || track.is_in_doubt() || track.has_time_doubt();
            // A walk that was given up knows less of the rest than an index in doubt.
            let is_better = found.fragments.len() > known
                || is_doubted && given_up.is_none() && !found.fragments.is_empty();
            if is_better && !is_beyond_budget {
                // Taken: any number of `trak`s may have one number.
                track.rebuild(mem::take(&mut found.fragments), found.last_duration);
                used = true;
                continue;
            }
            match (&mut track.fragments, &scanned.broken) {
                (Ok(fragments), _) => tighten(fragments, &found.fragments),
                // Nothing of it was found, and this is why.
                (Err(trouble), Some(error)) => *trouble = Trouble::of(trouble.code, error),
                (Err(_), None) => {}
            }
        }
        findings(&scanned, given_up, used, untimed)
    }
}

impl MediaTrack {
    fn rebuild(&mut self, fragments: Vec<Indexed>, last_duration: u64) {
        let before = match (&self.fragments, &self.doubt) {
            (Err(trouble), _) | (Ok(_), Some(trouble)) => trouble.message.clone(),
            (Ok(index), None) => format!("its index has {} of its fragments", index.len()),
        };
        let message = format!("{before}; {} were found in the file", fragments.len());
        self.doubt = Some(Trouble::new(FindingCode::IndexRebuilt, message));
        self.last_duration = (last_duration > 0).then_some(last_duration);
        self.fragments = Ok(fragments);
    }
}

/// Gives the fragments of an index that is believed the ends that a walk found: an entry of another
/// track may have lied about where they end.
fn tighten(fragments: &mut [Indexed], found: &[Indexed]) {
    let mut ends: Vec<(u64, u64)> = found.iter().map(|f| (f.start, f.bound)).collect();
    ends.sort_unstable();
    for fragment in fragments {
        if let Ok(at) = ends.binary_search_by_key(&fragment.start, |end| end.0) {
            fragment.bound = ends[at].1;
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
    let mut tell = |code, message: String| findings.push(Finding::new(code, message));
    match (&scanned.outcome, given_up) {
        (Outcome::CutOff(at), _) => tell(
            FindingCode::RecordingCutOff,
            format!("the file ends in the middle of what begins at byte {at}"),
        ),
        (_, Some(error)) => {
            tell(FindingCode::ScanGivenUp, format!("nothing behind this place was found: {error}"))
        }
        _ => {}
    }
    if let Some(error) = scanned.broken.as_ref().filter(|_| used) {
        let behind = match untimed {
            0 => String::new(),
            _ => format!("; {untimed} fragments behind it do not say their times: not served"),
        };
        tell(FindingCode::FragmentBroken, format!("it was passed over: {error}{behind}"));
    }
    findings
}
