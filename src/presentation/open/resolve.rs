//! The tracks of the server manifest with the tracks of the files that they name.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

use super::assign::describe;
use super::matching::Matched;
use super::media::MediaFile;
use super::tracks::MediaTrack;
use super::trouble::Trouble;
use super::twins::{Told, tell_apart};
use crate::base::{FileId, Limits};
use crate::bmff::SampleEntry;
use crate::index::Fragments;
use crate::manifest::{ClientManifest, ServerManifest, ServerTrack, StreamKind};
use crate::presentation::finding::{Finding, FindingCode, Findings, WRONG_OFFSET};
use crate::presentation::stream::{LONGEST_KEPT, Media, StoredTrack};

/// A track of the server manifest, and what its file has for it.
#[derive(Debug)]
pub(super) struct Resolved<'a> {
    pub(super) server: &'a ServerTrack,
    pub(super) file_name: String,
    /// The track in the file; why there is none has been told.
    pub(super) media: Result<&'a MediaTrack, Trouble>,
}

/// A file that a track of the server manifest names.
pub(super) struct Named {
    /// None where the name is refused.
    pub(super) file: Option<FileId>,
    pub(super) name: String,
}

/// Finds the media of every track. What is wrong with a file is told once, what is wrong with a
/// track for each.
pub(super) fn resolve<'a>(
    server: &'a ServerManifest,
    client: Option<&ClientManifest>,
    named: &[Named],
    media: &'a [(FileId, MediaFile)],
    limits: &Limits,
    findings: &mut Findings,
) -> Vec<Resolved<'a>> {
    let mut resolved: Vec<Resolved<'a>> = Vec::new();
    let files: HashMap<FileId, &MediaFile> = media.iter().map(|(file, m)| (*file, m)).collect();
    let mut twins = tell_apart(server, client, named, &files, limits);
    let mut without_id: HashMap<(Option<FileId>, StreamKind), usize> = HashMap::new();
    let mut uses: HashMap<(Option<FileId>, u32), usize> = HashMap::new();
    let mut fragments = 0_u64;
    // This is needed only if the file does not have the number.
    let numbered = LazyCell::new(|| {
        let all = server.tracks.iter().zip(named);
        let numbers =
            all.filter_map(|(track, named)| Some((named.file, track.track_id()?, track.kind)));
        numbers.collect::<HashSet<Numbered>>()
    });
    // This is needed only if the file has a track that cannot be read.
    let unnumbered = LazyCell::new(|| {
        let mut unnumbered: HashMap<(Option<FileId>, StreamKind), usize> = HashMap::new();
        for (track, named) in server.tracks.iter().zip(named) {
            if track.track_id().is_none() {
                *unnumbered.entry((named.file, track.kind)).or_default() += 1;
            }
        }
        unnumbered
    });
    for (number, (track, named)) in server.tracks.iter().zip(named).enumerate() {
        let of_file = named.file.and_then(|file| files.get(&file));
        let mut nth = 0;
        if track.track_id().is_none() {
            let before = without_id.entry((named.file, track.kind)).or_default();
            nth = *before;
            *before += 1;
        }
        let found = match of_file.map(|media| &media.tracks) {
            None => Err(Trouble::new(FindingCode::NameRefused, "")),
            Some(Err(trouble)) => {
                findings.push(trouble.finding(&named.name));
                Err(trouble.clone())
            }
            Some(Ok(tracks)) => {
                let is_numbered = |track_id| numbered.contains(&(named.file, track_id, track.kind));
                let unread = of_file.and_then(|media| media.unread_track.as_deref());
                let found = match (twins.remove(&number), unread) {
                    (Some(Told { media, doubt }), _) => {
                        if let Some((code, message)) = doubt {
                            let finding = Finding::new(code, message).in_file(&named.name);
                            findings.push(finding.of_track(&describe(track)));
                        }
                        media
                    }
                    (None, Some(unread)) => {
                        let is_only = unnumbered.get(&(named.file, track.kind)) == Some(&1);
                        find_beside_unread(track, tracks, is_only, unread)
                    }
                    (None, None) => find(track, tracks, nth, named, is_numbered, findings),
                };
                found.inspect_err(|trouble| {
                    findings.push(trouble.finding(&named.name).of_track(&describe(track)));
                })
            }
        };
        let found = found.and_then(|media| {
            let uses = uses.entry((named.file, media.track_id)).or_default();
            *uses += 1;
            if *uses > limits.uses_of_track {
                let message = format!(
                    "more tracks than the budget (`uses_of_track`) of {} name track {} of the file",
                    limits.uses_of_track, media.track_id
                );
                let trouble = Trouble::new(FindingCode::BudgetExceeded, message);
                findings.push(trouble.finding(&named.name).of_track(&describe(track)));
                return Err(trouble);
            }
            fragments += media.fragments.as_ref().map_or(0, Vec::len) as u64;
            if fragments <= limits.fragments {
                return Ok(media);
            }
            let message = format!(
                "its fragments and those before are more than the budget (`fragments`) of {}",
                limits.fragments
            );
            let trouble = Trouble::new(FindingCode::BudgetExceeded, message);
            findings.push(trouble.finding(&named.name).of_track(&describe(track)));
            Err(trouble)
        });
        if found.as_ref().is_ok_and(|media| media.needs_header) {
            let message = "its fragments leave durations or sizes of samples to the `moov`";
            let finding = Finding::new(FindingCode::DefaultsInHeader, message);
            findings.push(finding.in_file(&named.name).of_track(&describe(track)));
        }
        if found.as_ref().is_ok_and(|media| media.has_wrong_offset) {
            let is_absolute = found.as_ref().is_ok_and(|media| media.has_absolute_base);
            let message = if is_absolute { ABSOLUTE_BASE } else { WRONG_OFFSET };
            let finding = Finding::new(FindingCode::DataOffsetWrong, message);
            findings.push(finding.in_file(&named.name).of_track(&describe(track)));
        }
        if found.as_ref().is_ok_and(|media| media.is_rewritten) {
            let message = "its fragments share a `moof` with other tracks, count offsets from the start of the file, or have their IVs in a `senc` alone: they are served with a `moof` of their own";
            let finding = Finding::new(FindingCode::FragmentsRewritten, message);
            findings.push(finding.in_file(&named.name).of_track(&describe(track)));
        }
        if let Ok(MediaTrack { samples_in_header: Some(count), track_id, .. }) = &found {
            let message = format!(
                "the first {count} samples of track {track_id} are in the file's header (`moov`) and in no fragment"
            );
            let finding = Finding::new(FindingCode::SamplesInHeader, message);
            findings.push(finding.in_file(&named.name).of_track(&describe(track)));
        }
        if let Ok(MediaTrack { unread: Some(unread), .. }) = &found {
            findings.push(unread.finding(&named.name));
        }
        if let Ok(
            MediaTrack { fragments: Err(trouble), .. } | MediaTrack { doubt: Some(trouble), .. },
        ) = &found
        {
            findings.push(trouble.finding(&named.name).of_track(&describe(track)));
        }
        resolved.push(Resolved { server: track, file_name: named.name.clone(), media: found });
    }
    resolved
}

/// The message for offsets that are right in their file, but wrong once fragments are cut out of
/// it.
const ABSOLUTE_BASE: &str = "the `tfhd` of its fragments has an absolute `base_data_offset`, which leads nowhere once a fragment is cut out of the file";

/// A track of a file to which an element of this kind refers by number.
type Numbered = (Option<FileId>, u32, StreamKind);

/// As many tracks of a file are named where one is missing.
const SOME: usize = 16;

/// Finds the track by its number, or without one the next track of its kind. If the file does not
/// have the number, or gives it to a track of another kind, the only track of the kind is taken,
/// unless another element of the kind refers to it by number.
fn find<'a>(
    track: &ServerTrack,
    tracks: &'a [MediaTrack],
    nth: usize,
    named: &Named,
    is_numbered: impl Fn(u32) -> bool,
    findings: &mut Findings,
) -> Result<&'a MediaTrack, Trouble> {
    let mut of_kind = tracks.iter().filter(|media| media.kind == Some(track.kind));
    let Some(id) = track.track_id() else {
        return of_kind.nth(nth).ok_or_else(|| {
            let message = format!("it has no other {} track", track.kind);
            Trouble::new(FindingCode::TrackMissing, message)
        });
    };
    let of_id = |media: &&MediaTrack| media.track_id == id;
    // One of another kind is not what is meant.
    let of_kind_or_none = |media: &&MediaTrack| media.kind.is_none_or(|kind| kind == track.kind);
    if let Some(media) = tracks.iter().find(|media| of_id(media) && of_kind_or_none(media)) {
        return Ok(media);
    }
    match (of_kind.next(), of_kind.next()) {
        (Some(only), None) if !is_numbered(only.track_id) => {
            let message = format!(
                "trackID {id} is not one of the file's {0} tracks; its only one is {1}",
                track.kind, only.track_id
            );
            let finding = Finding::new(FindingCode::ManifestsDisagree, message);
            findings.push(finding.in_file(&named.name).of_track(&describe(track)));
            Ok(only)
        }
        _ => {
            let some = tracks.iter().take(SOME).map(|media| match media.kind {
                Some(kind) => format!("{} ({kind})", media.track_id),
                None => media.track_id.to_string(),
            });
            let more = (tracks.len() > SOME).then(|| "…".to_owned());
            let ids = some.chain(more).collect::<Vec<_>>().join(", ");
            let message = match (ids.is_empty(), tracks.iter().find(of_id)) {
                (true, _) => "it has no tracks".to_owned(),
                (false, Some(_)) => format!("its track {id} is not {}: it has {ids}", track.kind),
                (false, None) => format!("it has no track {id}, only {ids}"),
            };
            Err(Trouble::new(FindingCode::TrackMissing, message))
        }
    }
}

/// Finds the track in a file with a track that cannot be read. No other track may take the place of
/// one that is not found by its number, because the unreadable track may be the one that is meant.
/// An element without a number finds a track only if it `is_only` and the track is the only one of
/// its kind.
fn find_beside_unread<'a>(
    track: &ServerTrack,
    tracks: &'a [MediaTrack],
    is_only: bool,
    unread: &Trouble,
) -> Result<&'a MediaTrack, Trouble> {
    let mut of_kind = tracks.iter().filter(|media| media.kind == Some(track.kind));
    let found = match track.track_id() {
        Some(id) => tracks
            .iter()
            .find(|media| media.track_id == id && media.kind.is_none_or(|kind| kind == track.kind)),
        None => of_kind.next().filter(|_| is_only && of_kind.next().is_none()),
    };
    found.ok_or_else(|| unread.clone())
}

impl Resolved<'_> {
    /// Why its media is not served, if it is not.
    pub(super) fn trouble(&self) -> Option<&Trouble> {
        match &self.media {
            Ok(media) => media.fragments.as_ref().err(),
            Err(trouble) => Some(trouble),
        }
    }

    /// The media of a track whose fragments have been matched with chunks.
    pub(super) fn stored(&self, media: &MediaTrack, matched: Matched) -> Media {
        let entries = media.entry.iter().chain(&media.more_entries);
        let are_short = entries.map(|entry| entry.body.len()).sum::<usize>() <= LONGEST_KEPT;
        let kept = |entry: &SampleEntry| are_short.then(|| entry.detached());
        let code = |language: &String| language.as_bytes().try_into().ok();
        Media::Stored(Box::new(StoredTrack {
            file: media.file,
            track_id: media.track_id,
            timescale: media.timescale,
            shift: matched.shift,
            defaults: media.defaults,
            entry: media.entry.as_ref().and_then(kept),
            more_entries: media.more_entries.iter().filter_map(kept).collect(),
            language: media.language.as_ref().and_then(code),
            durations: media.durations,
            #[cfg(any(feature = "dash", feature = "hls"))]
            growth: media.growth,
            is_settled: media.is_settled || matched.is_of_other_clock,
            is_time_told: (media.has_time_doubt() || matched.is_by_number).into(),
            fragments: Fragments::of_shared(matched.fragments, |of| media.own_bytes.of(of)),
            is_growing: false,
            joined: None,
            made: media.made.clone(),
            header_chunk: media.header_chunk.clone(),
        }))
    }
}
