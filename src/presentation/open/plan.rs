//! The chunks of progressive files.
//!
//! A stream has one list of chunks for all its tracks, which may be in several files. So the chunks are
//! planned once all files have been read. Where the client manifest has a stream, its chunks are the
//! wanted ones; else chunks of pictures last about two seconds, and those of sound follow them.

use std::collections::{HashMap, HashSet};

use super::assign::assign;
use super::listed::Listed;
use super::media::MediaFile;
use super::resolve::{Resolved, resolve};
use super::tracks::MediaTrack;
use super::trouble::Trouble;
use crate::base::{Error, FileId, Limits, Name, Timescale};
use crate::index::chunk_plan::{ChunkPlan, PlanTrack, Wanted};
use crate::index::sample_table::{Points, Track};
use crate::manifest::{ClientManifest, StreamIndex, StreamKind};
use crate::presentation::finding::Findings;
use crate::presentation::made::{MadeTrack, TIMESCALE};
use crate::presentation::{FindingCode, Timeline};

/// A track among those of all files: the number of the file, and of the track in it.
type At = (usize, usize);

/// Tracks that have one list of chunks.
struct Group {
    kind: StreamKind,
    /// Starts of the chunks that the client manifest has.
    announced: Vec<u64>,
    tracks: Vec<At>,
}

/// Plans the chunks of all progressive files, and makes fragments of their samples.
pub(super) fn plan(
    listed: &Listed,
    client: Option<&ClientManifest>,
    media: &mut [(FileId, MediaFile)],
) {
    if !media.iter().any(|(_, file)| file.is_progressive) {
        return;
    }
    let limits = &listed.options.limits;
    let (mut guide, mut samples) = (Vec::new(), 0);
    for group in groups(listed, client, media) {
        let mut planning = Planning { media, files: &listed.files, limits, samples };
        let plan = planning.plan(&group, &guide);
        samples = planning.samples;
        if let Some(plan) = plan
            && group.kind == StreamKind::Video
            && guide.is_empty()
        {
            guide = plan.times;
        }
    }
}

/// Returns the tracks that have one list of chunks: those of a stream of the client manifest, else those
/// that would be one stream of a generated one. Pictures are first.
fn groups(
    listed: &Listed,
    client: Option<&ClientManifest>,
    media: &[(FileId, MediaFile)],
) -> Vec<Group> {
    let (server, limits) = (&listed.server, &listed.options.limits);
    // The same is reported when all tracks are known.
    let mut unheard = Findings::new(limits);
    let resolved = resolve(server, client, &listed.named, media, limits, &mut unheard);
    let files: HashMap<FileId, usize> =
        media.iter().enumerate().map(|(number, (file, _))| (*file, number)).collect();
    let mut seen = HashSet::new();
    let mut place = |resolved: &Resolved<'_>| {
        let of = *resolved.media.as_ref().ok()?;
        let is_made = matches!(of.kind, Some(StreamKind::Video | StreamKind::Audio));
        let file = *files.get(&of.file).filter(|_| is_made && of.tables.is_some())?;
        let tracks = media[file].1.tracks.as_ref().ok()?;
        let track = tracks.iter().position(|track| std::ptr::eq(track, of))?;
        seen.insert((file, track)).then_some((file, track))
    };
    let mut groups = Vec::new();
    if let Some(client) = client {
        let assignment = assign(client, server, &resolved, limits, &mut unheard);
        for (stream, tracks) in client.streams.iter().zip(assignment) {
            let tracks = tracks.into_iter().flatten().filter_map(|number| resolved.get(number));
            let tracks: Vec<At> = tracks.filter_map(&mut place).collect();
            if !tracks.is_empty() {
                let announced = announced(stream, client.timescale_of(stream), limits);
                groups.push(Group { kind: stream.kind, announced, tracks });
            }
        }
    }
    let mut known = HashMap::new();
    for of in &resolved {
        let Some(at) = place(of) else { continue };
        let kind = of.server.kind;
        let language = of.media.as_ref().ok().and_then(|media| media.language.as_deref());
        let language = of.server.language().or(language).filter(|_| kind != StreamKind::Video);
        let number = *known.entry((kind, of.server.track_name(), language)).or_insert(groups.len());
        match groups.get_mut(number) {
            Some(group) => group.tracks.push(at),
            None => groups.push(Group { kind, announced: Vec::new(), tracks: vec![at] }),
        }
    }
    groups.sort_by_key(|group| group.kind);
    groups
}

/// Returns the starts of the chunks of a stream, in ticks of a plan.
fn announced(stream: &StreamIndex, timescale: Timescale, limits: &Limits) -> Vec<u64> {
    let Ok(timeline) = Timeline::new(&stream.chunks, limits) else { return Vec::new() };
    // A run of chunks takes no bytes, however long it is; samples have their budget.
    let most = usize::try_from(limits.fragments).unwrap_or(usize::MAX);
    let starts = timeline.iter().take(most);
    starts.map_while(|(start, _)| timescale.rescale_round(start, TIMESCALE)).collect()
}

/// A time that no track reaches: the last chunk of a manifest goes on to the end.
const NEVER: u64 = 1 << 62;

struct Planning<'a> {
    media: &'a mut [(FileId, MediaFile)],
    /// Names of files by id.
    files: &'a [Name],
    limits: &'a Limits,
    /// Number of samples of the tracks so far.
    samples: u64,
}

impl Planning<'_> {
    fn track(&mut self, (file, track): At) -> Option<&mut MediaTrack> {
        self.media.get_mut(file)?.1.tracks.as_mut().ok()?.get_mut(track)
    }

    fn refuse(&mut self, at: At, code: FindingCode, error: &Error) {
        if let Some(track) = self.track(at) {
            track.fragments = Err(Trouble::of(code, error));
        }
    }

    /// Makes the fragments of the tracks of a group. A track that cannot be cut like the others is not
    /// served.
    fn plan(&mut self, group: &Group, guide: &[u64]) -> Option<ChunkPlan> {
        let mut tracks: Vec<(At, Box<Track>, Points)> = Vec::new();
        for &at in &group.tracks {
            let Some(track) = self.track(at).and_then(|track| track.tables.take()) else {
                continue;
            };
            match self.points(&track) {
                Ok(points) => tracks.push((at, track, points)),
                Err(error) => self.refuse(at, FindingCode::SampleTablesBroken, &error),
            }
        }
        let (guide, wanted) = match group.announced.is_empty() {
            true => (guide.to_vec(), Wanted::SMOOTH),
            // A chunk ends where the next one is announced, however short it is.
            false => {
                let times = group.announced.iter().copied().chain([NEVER, NEVER]);
                (times.collect(), Wanted { duration: 0, ..Wanted::SMOOTH })
            }
        };
        let media = &*self.media;
        let name = |(file, _): At| self.files.get(media[file].0.index()).map_or("", Name::as_str);
        let planned = |(at, track, points): &'_ (At, Box<Track>, Points)| {
            (name(*at).to_owned(), track.track_id, track.clock, points.clone())
        };
        let planned: Vec<_> = tracks.iter().map(planned).collect();
        let planned: Vec<PlanTrack<'_>> = planned
            .iter()
            .map(|(file, track_id, clock, points)| PlanTrack {
                file,
                track_id: *track_id,
                clock: *clock,
                points,
            })
            .collect();
        let of = |numbers: &[usize]| {
            let tracks: Vec<_> = numbers.iter().map(|&number| planned[number]).collect();
            ChunkPlan::new(&tracks, &guide, wanted)
        };
        let mut kept: Vec<usize> = (0..tracks.len()).collect();
        let mut refused: Vec<(usize, Error)> = Vec::new();
        let plan = loop {
            match of(&kept) {
                Ok(plan) => break plan,
                Err(error) => match kept[..] {
                    [] => return None,
                    [only] => {
                        refused.push((only, error));
                        kept.clear();
                    }
                    // Each of the others is compared with the first one that can be cut at all.
                    [first, ..] if refused.is_empty() => match of(&[first]) {
                        Err(error) => {
                            refused.push((first, error));
                            kept.remove(0);
                        }
                        Ok(_) => kept.retain(|&other| match of(&[first, other]) {
                            _ if other == first => true,
                            Ok(_) => true,
                            Err(error) => {
                                refused.push((other, error));
                                false
                            }
                        }),
                    },
                    [first, ..] => {
                        refused.extend(kept.drain(1..).map(|other| (other, error.clone())));
                        kept = vec![first];
                    }
                },
            }
            if kept.is_empty() {
                break ChunkPlan { times: Vec::new(), tracks: Vec::new() };
            }
        };
        drop(planned);
        for (number, error) in refused {
            self.refuse(tracks[number].0, FindingCode::QualitiesNotAligned, &error);
        }
        for (&number, cuts) in kept.iter().zip(&plan.tracks) {
            let (at, track, _) = &tracks[number];
            let limits = self.limits;
            let made = MadeTrack::open(track, cuts, &plan.times, limits);
            let made = made.and_then(|made| match self.track(*at) {
                Some(track) => track.set_made(made, limits),
                None => Ok(()),
            });
            if let Err(error) = made {
                self.refuse(*at, FindingCode::SampleTablesBroken, &error);
            }
        }
        (!kept.is_empty()).then_some(plan)
    }

    /// Returns the samples of a track with which chunks may begin.
    fn points(&mut self, track: &Track) -> Result<Points, Error> {
        let samples = self.samples + u64::from(track.tables.count());
        Limits::check("samples of progressive files", samples, self.limits.progressive_samples)?;
        self.samples = samples;
        track.tables.points()
    }
}
