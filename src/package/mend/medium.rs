//! A media file: what is wrong with its end, and what mends it.

use bytes::Bytes;

use super::change::{Change, ChangeKind, Remark};
use super::index;
use super::walk::{TrackHeader, Walked};
use crate::base::{ErrorKind, Name};
use crate::index::{Indexed, Outcome, Starts, read_mfra, written_mfra};
use crate::package::bitrates::measured;
use crate::presentation::{Finding, FindingCode};
use crate::{base::Timescale, index::ScannedTrack};

/// A media file that was walked through.
#[derive(Debug)]
pub(super) struct Medium {
    pub(super) name: Name,
    /// Its tracks that have fragments.
    pub(super) tracks: Vec<MediumTrack>,
    pub(super) change: Option<Change>,
    pub(super) remark: Option<Remark>,
}

#[derive(Debug)]
pub(super) struct MediumTrack {
    pub(super) header: TrackHeader,
    /// Bits a second of its fragments.
    pub(super) bitrate: u32,
}

/// Advice for damage that has whole fragments behind it.
const COPY: &str = "the damage is in the middle of the file and not at its end, so nothing is changed: copy the file again from its source";
const NO_MOOV: &str = "without its header (`moov`), the samples of a file cannot be told: copy the file again from its source, or package it again";
const PACKAGE: &str = "nothing can be written behind it: package the file again (`ffmpeg -i in.ismv -c copy -movflags frag_keyframe -f ismv out.ismv`)";

impl Medium {
    pub(super) fn failed(name: Name, message: String) -> Self {
        let remark = Remark::new(&name, FindingCode::FileBroken, message).advice(NO_MOOV);
        Self { name, tracks: Vec::new(), change: None, remark: Some(remark) }
    }

    /// Judges a file. `findings` are those of opening it as it is.
    pub(super) fn new(name: Name, walked: Walked, findings: &[Finding]) -> Self {
        let mut medium = Self { name, tracks: Vec::new(), change: None, remark: None };
        match medium.judge(walked, findings) {
            Ok(change) => medium.change = change,
            Err((code, message, advice)) => {
                let remark = Remark::new(&medium.name, code, message);
                medium.remark = Some(match advice {
                    "" => remark,
                    advice => remark.advice(advice),
                });
            }
        }
        medium
    }

    fn judge(
        &mut self,
        walked: Walked,
        findings: &[Finding],
    ) -> Result<Option<Change>, (FindingCode, String, &'static str)> {
        let Walked { size, tracks, has_others, scanned, end } = walked;
        let Some(mut scanned) = scanned else { return Ok(None) };
        for header in tracks {
            let of = scanned.tracks.iter().find(|track| track.track_id == header.track_id);
            if let Some(found) = of.filter(|found| !found.places.is_empty()) {
                let bitrate = bitrate(found, header.timescale);
                self.tracks.push(MediumTrack { header, bitrate });
            }
        }
        if let Outcome::Lost(error) = &scanned.outcome
            && matches!(error.kind, ErrorKind::Budget { .. })
        {
            return Err((FindingCode::ScanGivenUp, error.to_string(), ""));
        }
        if let Some(error) = &scanned.broken {
            let message = format!("a fragment in front of others cannot be read: {error}");
            return Err((FindingCode::FragmentBroken, message, COPY));
        }
        if let Some((at, next)) = end.rest.map(|(at, _)| at).zip(end.continues) {
            let message = format!(
                "no whole box begins at byte {at}, and another fragment begins at byte {next}"
            );
            return Err((FindingCode::FragmentBroken, message, COPY));
        }
        if self.tracks.is_empty() {
            if end.rest.is_none() {
                // A file of a recording that has not begun.
                return Ok(None);
            }
            let message = "no fragment of it is whole".to_owned();
            return Err((
                FindingCode::RecordingCutOff,
                message,
                "copy the file again from its source",
            ));
        }
        let ids: Vec<u32> = scanned.tracks.iter().map(|track| track.track_id).collect();
        let index = end.index.as_ref().map(|boxes| read_mfra(boxes, end.whole, &ids));
        let of = |id: u32| index.iter().flatten().find(|track| track.track_id == id);
        let is_shared = scanned.tracks.iter().any(|track| track.is_shared);
        let mut fault = match &index {
            None => None,
            Some(_) => {
                scanned.tracks.iter().find_map(|track| index::fault(of(track.track_id), track))
            }
        };
        if fault.is_none() && index.is_some() && end.rest.is_none() && !end.is_found_from_end {
            let at = end.mfra.as_ref().map_or(0, |range| range.start);
            fault =
                Some(format!("it begins at byte {at} and is not found from the end of the file"));
        }
        let is_of_index = |finding: &&Finding| {
            use FindingCode::{IndexBroken, IndexMissing, IndexRebuilt};
            finding.file.as_deref() == Some(self.name.as_str())
                && matches!(finding.code, IndexBroken | IndexMissing | IndexRebuilt)
        };
        if fault.is_none()
            && index.is_some()
            && let Some(finding) = findings.iter().find(is_of_index)
            // A track without fragments is no fault of the index.
            && finding.code != FindingCode::IndexMissing
        {
            fault = Some(finding.message.clone());
        }
        let (kind, code, reason) = match (end.rest, &index, fault) {
            (None, Some(_), None) => return Ok(None),
            (None, Some(_), Some(fault)) => (
                ChangeKind::IndexRebuilt,
                FindingCode::IndexBroken,
                format!("its index (`mfra`) is wrong: {fault}"),
            ),
            (None, None, _) if end.mfra.is_some() => (
                ChangeKind::IndexRebuilt,
                FindingCode::IndexBroken,
                "its index (`mfra`) cannot be read".to_owned(),
            ),
            (None, None, _) => (
                ChangeKind::IndexAdded,
                FindingCode::IndexMissing,
                "it has no index (`mfra`) of its fragments".to_owned(),
            ),
            (Some((at, kind)), ..) => {
                let whole = scanned.tracks.iter().map(|track| track.places.len()).sum::<usize>();
                let what = match kind.map(|kind| kind.0) {
                    Some([b'm', b'o', b'o', b'f'] | [b'm', b'd', b'a', b't']) => {
                        format!("fragment {} is not whole: it begins at byte {at}", whole + 1)
                    }
                    Some([b'm', b'f', b'r', b'a']) => {
                        format!("its index (`mfra`) is not whole: it begins at byte {at}")
                    }
                    Some(_) => format!("its last box, at byte {at}, is not whole"),
                    None => format!("its bytes from byte {at} on are no box"),
                };
                let is_index = kind.is_some_and(|kind| kind == *b"mfra");
                let reason = format!("{what}; the file ends at byte {size}");
                match is_index {
                    true => (ChangeKind::IndexRebuilt, FindingCode::IndexBroken, reason),
                    false => (ChangeKind::Cut, FindingCode::RecordingCutOff, reason),
                }
            }
        };
        if end.is_open && end.rest.is_none() {
            let message = format!("{reason}; its last box has no length of its own");
            return Err((code, message, PACKAGE));
        }
        if is_shared || has_others {
            let why = match is_shared {
                true => "several tracks are in one `moof`",
                false => "a track has no header that can be read",
            };
            return Err((code, format!("{reason}; {why}"), PACKAGE));
        }
        let mut starts = Vec::new();
        let mut count = 0;
        for track in scanned.tracks.iter_mut().filter(|track| !track.places.is_empty()) {
            let old = of(track.track_id).and_then(|track| track.fragments.as_ref().ok());
            let old: &[Indexed] = old.map_or(&[], Vec::as_slice);
            let track_id = track.track_id;
            let Some(entries) = index::entries(track, old).filter(|entries| !entries.is_empty())
            else {
                let message = format!(
                    "{reason}; the order of times of track {track_id} is not that of its fragments"
                );
                return Err((code, message, PACKAGE));
            };
            count += entries.len();
            starts.push(Starts { track_id, entries });
        }
        let written = written_mfra(&starts).map_err(|error| (code, error.to_string(), PACKAGE))?;
        let at = end.whole;
        let fragments =
            if count == 1 { "1 fragment".to_owned() } else { format!("{count} fragments") };
        let reason = match size - at {
            0 => format!("{reason}; an index of {fragments} is written behind byte {at}"),
            cut => format!(
                "{reason}; its last {cut} bytes, from byte {at} on, are replaced by an index of {fragments}"
            ),
        };
        Ok(Some(self.change(kind, code, reason, (size, at), written)))
    }

    fn change(
        &self,
        kind: ChangeKind,
        code: FindingCode,
        reason: String,
        (size, at): (u64, u64),
        bytes: Bytes,
    ) -> Change {
        Change { file: self.name.clone(), kind, code, reason, size: Some(size), at, bytes }
    }
}

/// Bits a second of the fragments of a track.
fn bitrate(found: &ScannedTrack, timescale: Timescale) -> u32 {
    let bytes = found.places.iter().map(|place| place.end - place.start).sum();
    let (first, last) = (found.fragments.first(), found.fragments.last());
    let times = first.zip(last).map_or(0, |(first, last)| last.time.abs_diff(first.time));
    let ticks = times.saturating_add(found.last_duration);
    measured(bytes, timescale.rescale_round(ticks, Timescale::SMOOTH).unwrap_or(u64::MAX))
}
