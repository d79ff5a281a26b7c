//! The tracks of a fragmented input: what its `moof`s say is gathered, fragment by fragment.

use super::gathered::{Gathered, InTables};
use super::source::Source;
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::Trex;
use crate::fragment::{Listed, Shared};
use crate::index::sample_table::Sample;
use crate::manifest::StreamKind;

/// The tracks of an input while its fragments are read.
pub(super) struct Fragments {
    tracks: Vec<FragmentedTrack>,
}

struct FragmentedTrack {
    source: Source,
    trex: Trex,
    gathered: Gathered,
}

impl Fragments {
    /// Begins with the tracks of the `moov`, and the samples that it has itself.
    pub(super) fn new(sources: Vec<Source>, trexs: &[Trex]) -> Result<Self, Error> {
        let track = |source: Source| {
            let track_id = source.track.track_id;
            let trex = trexs.iter().find(|trex| trex.track_id == track_id).cloned();
            let mut gathered = Gathered::default();
            for sample in source.track.tables.samples() {
                gathered.push(&sample?)?;
            }
            let trex = trex.unwrap_or(Trex { track_id, ..Trex::default() });
            Ok(FragmentedTrack { source, trex, gathered })
        };
        Ok(Self { tracks: sources.into_iter().map(track).collect::<Result<_, Error>>()? })
    }

    /// Takes the samples of a fragment.
    pub(super) fn take(&mut self, fragment: &Shared, limits: &Limits) -> Result<(), Error> {
        for FragmentedTrack { source, trex, gathered } in &mut self.tracks {
            let description = trex.default_sample_description_index.max(1);
            let is_sound = source.kind == StreamKind::Audio;
            let of_track = |kind| match kind {
                ErrorKind::Invalid { what, clause } => {
                    let what = format!("track {}: {what}", trex.track_id);
                    ErrorKind::Invalid { what, clause }
                }
                kind => kind,
            };
            let mut each = |listed: Listed| {
                // Where nothing is said, a fragment of video begins with its only key frame.
                let is_sync = listed.is_sync.unwrap_or(is_sound || listed.traf.is_some());
                if let Some(traf) = listed.traf {
                    if traf.description.is_some_and(|other| other != description) {
                        let what = "a track of several codings";
                        return Err(ErrorKind::NotSliceable(what));
                    }
                    gathered.begin(traf.time, is_sync)?;
                }
                gathered.push(&Sample {
                    number: 0,
                    offset: listed.offset,
                    size: listed.size,
                    decode_time: 0,
                    duration: listed.duration,
                    composition_offset: listed.composition_offset,
                    is_sync,
                    dependencies: Some(listed.dependencies),
                })
            };
            let each = |listed: Listed| each(listed).map_err(of_track);
            fragment.each_sample(trex.track_id, (&*trex).into(), limits, each)?;
        }
        let samples = self.tracks.iter().map(|track| u64::from(track.gathered.count())).sum();
        Limits::check("samples of an input", samples, limits.progressive_samples)?;
        Ok(())
    }

    /// Returns the tracks with their samples, of a file of so many bytes.
    pub(super) fn finish(
        self,
        file_len: u64,
        limits: &Limits,
        notices: &mut Vec<String>,
    ) -> Result<Vec<Source>, Error> {
        let mut sources = Vec::new();
        for FragmentedTrack { mut source, trex, gathered } in self.tracks {
            let (name, id) = (&source.name, trex.track_id);
            if gathered.count() == 0 {
                notices.push(format!("{name}: track {id} is left out: it has no samples"));
                continue;
            }
            let InTables { tables, stretches, starts } = gathered.finish(id, file_len, limits)?;
            let gaps = stretches.len() - 1;
            if gaps > 0 {
                let at = stretches[1].first + 1;
                notices.push(match gaps {
                    1 => format!("{name}: track {id} has a gap in time before sample {at}: it is kept"),
                    _ => format!(
                        "{name}: track {id} has {gaps} gaps in time, the first of them before sample \
                         {at}: they are kept"
                    ),
                });
            }
            source.track.tables = tables;
            (source.stretches, source.starts) = (stretches, starts);
            sources.push(source);
        }
        Ok(sources)
    }
}
