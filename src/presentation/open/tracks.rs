//! The tracks of a media file: what its `moov` says of each, and what its index and a look at some
//! fragments add.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::own_bytes::OwnBytes;
use super::trouble::Trouble;
use crate::base::{Error, ErrorKind, FileId, Limits, Timescale};
use crate::bmff::{
    AnyBox, Body, Boxes, Co64, Hdlr, Mdhd, SampleEntry, Stco, Stsd, Stsz, Stz2, Tfhd, Tkhd, Trex,
    uuid::Tfxd,
};
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::codec::encryption;
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::fragment::cmaf::{self, Growth};
use crate::fragment::{Defaults, OtherTime, Stored, Whereabouts};
use crate::index::sample_table::Track;
use crate::index::{Indexed, Subsegments, TrackIndex};
use crate::manifest::StreamKind;
use crate::presentation::FindingCode;
use crate::presentation::header_chunk::HeaderChunk;
use crate::presentation::made::{self, MadeTrack, OpenedTrack};
use crate::presentation::rewritten::{Found, Source};
use crate::presentation::stream::Absent;
use crate::presentation::timeline::tolerance;

/// A track of a media file.
#[derive(Debug)]
pub(super) struct MediaTrack {
    pub(super) file: FileId,
    pub(super) track_id: u32,
    /// The kind by its handler; `None` for one that no stream has.
    pub(super) kind: Option<StreamKind>,
    pub(super) timescale: Timescale,
    /// `None` where it is unknown or undetermined.
    pub(super) language: Option<String>,
    pub(super) entry: Option<SampleEntry>,
    /// The sample entries after the first.
    pub(super) more_entries: Vec<SampleEntry>,
    /// Width and height at which it is shown, 16.16 fixed point; `None` if it is rotated.
    pub(super) shown: Option<(u32, u32)>,
    pub(super) defaults: Defaults,
    pub(super) fragments: Result<Vec<Indexed>, Trouble>,
    /// Its fragments need what the header says of their samples.
    pub(super) needs_header: bool,
    /// The offsets in its fragments do not lead to their samples.
    pub(super) has_wrong_offset: bool,
    /// True if its fragments count their offsets from the start of the file.
    pub(super) has_absolute_base: bool,
    /// True if its fragments are rewritten as they are served.
    pub(super) is_rewritten: bool,
    /// Bytes of its fragments that are its own, if they share their `moof`s.
    pub(super) own_bytes: OwnBytes,
    /// Number of samples that are in the file's header and in no fragment.
    pub(super) samples_in_header: Option<u32>,
    /// The chunk that is made of them.
    pub(super) header_chunk: Option<Arc<HeaderChunk>>,
    /// A part of the header or of a fragment that cannot be read and that nothing needs.
    pub(super) unread: Option<Trouble>,
    /// Something to tell, though the track is served.
    pub(super) doubt: Option<Trouble>,
    /// The fragments by a `sidx`, until they have been looked at.
    pub(super) subsegments: Option<Box<Subsegments>>,
    /// The samples of a progressive file, before its chunks are planned.
    pub(super) tables: Option<Box<Track>>,
    /// The same, once its fragments are made of them.
    pub(super) made: Option<Arc<MadeTrack>>,
    /// Duration of the last fragment, in ticks of the track.
    pub(super) last_duration: Option<u64>,
    /// The shortest and the longest duration of a sample in the first fragment, in ticks of the
    /// track.
    pub(super) durations: Option<(u32, u32)>,
    /// The bytes that its segments of CMAF are longer by than its fragments.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(super) growth: Growth,
    /// Times in its fragments are no evidence of where they belong: a walk weighed them, or they
    /// are all one.
    pub(super) is_settled: bool,
    /// True if its index gives one time for several fragments.
    pub(super) has_repeats: bool,
    /// True if times in its fragments repeat or step back.
    pub(super) is_disordered: bool,
    /// True if its file ends inside a fragment.
    pub(super) is_cut_off: bool,
}

/// Results of a look at a fragment.
#[derive(Default)]
struct Examined {
    /// Its duration, in ticks of the track.
    duration: Option<u64>,
    /// The shortest and the longest duration of a sample, in ticks of the track.
    durations: Option<(u32, u32)>,
    #[cfg(any(feature = "dash", feature = "hls"))]
    growth: Option<Growth>,
    /// The start that it says, in ticks of the track.
    said: Option<i64>,
    /// The start that it says, if the index says another.
    other: Option<OtherTime>,
}

/// Returns the tracks that a `moov` describes. A `trak` that cannot be read, or that has no number,
/// timescale or handler, is left out, and [`unread`] describes it.
pub(super) fn of_moov(file: FileId, moov: &Boxes, limits: &Limits) -> Vec<MediaTrack> {
    // The first of a number counts.
    let mut defaults: HashMap<u32, Defaults> = HashMap::new();
    for trex in moov.each(*b"mvex").flat_map(|mvex| mvex.all::<Trex>()) {
        defaults.entry(trex.track_id).or_insert(Defaults::from(trex));
    }
    let is_fragmented = moov.inside(*b"mvex").is_some();
    let track = |trak: &Boxes| {
        let tkhd = trak.get::<Tkhd>()?;
        let track_id = tkhd.track_id;
        let mdia = trak.inside(*b"mdia")?;
        let (mdhd, hdlr) = (mdia.get::<Mdhd>()?, mdia.get::<Hdlr>()?);
        let stbl = mdia.path(&[*b"minf", *b"stbl"]);
        let stsd = stbl.and_then(|stbl| stbl.get::<Stsd>());
        let no_index = "its file has no index (`mfra`) of its fragments, and no fragment of it was found in the file";
        Some(MediaTrack {
            file,
            track_id,
            kind: kind_of(hdlr),
            timescale: Timescale::new(mdhd.timescale.into())?,
            language: mdhd.language().filter(|language| language != "und"),
            entry: stsd.and_then(|stsd| stsd.entries().next()),
            more_entries: more_entries(stsd),
            shown: (!tkhd.is_turned()).then_some((tkhd.width, tkhd.height)),
            defaults: defaults.get(&track_id).copied().unwrap_or_default(),
            fragments: Err(Trouble::new(FindingCode::IndexMissing, no_index)),
            needs_header: false,
            has_wrong_offset: false,
            has_absolute_base: false,
            is_rewritten: false,
            own_bytes: OwnBytes::default(),
            samples_in_header: stbl.filter(|_| is_fragmented).and_then(samples_in_header),
            header_chunk: None,
            unread: None,
            doubt: None,
            subsegments: None,
            tables: None,
            made: None,
            last_duration: None,
            durations: None,
            #[cfg(any(feature = "dash", feature = "hls"))]
            growth: Growth::default(),
            is_settled: false,
            has_repeats: false,
            is_disordered: false,
            is_cut_off: false,
        })
    };
    moov.each(*b"trak").take(limits.tracks).filter_map(track).collect()
}

/// Maximum sample entries of a track.
const MOST_ENTRIES: usize = 16;

/// Returns the sample entries after the first, if they are few.
fn more_entries(stsd: Option<&Stsd>) -> Vec<SampleEntry> {
    let entries = stsd.into_iter().flat_map(|stsd| stsd.entries().skip(1));
    entries.take(MOST_ENTRIES).collect()
}

/// Returns the shortest and the longest duration of a sample. The number of samples has met its
/// budget.
fn durations(stored: &Stored, defaults: Defaults) -> Option<(u32, u32)> {
    let alike = stored.runs(defaults).flat_map(|run| run.samples());
    let durations = alike.map(|alike| alike.sample.duration);
    durations.fold(None, |range, duration| {
        let (shortest, longest) = range.unwrap_or((duration, duration));
        Some((shortest.min(duration), longest.max(duration)))
    })
}

/// Returns the number of samples that a sample table describes, if it gives the position of any.
fn samples_in_header(stbl: &Boxes) -> Option<u32> {
    let count = match stbl.get::<Stsz>() {
        Some(stsz) => Some(stsz.sample_count),
        None => stbl.get::<Stz2>().map(|stz2| stz2.sample_count),
    };
    // The count alone proves nothing: there must be an entry.
    let has_chunk = stbl.all::<Stco>().any(|stco| stco.count() > 0)
        || stbl.all::<Co64>().any(|co64| co64.count() > 0);
    count.filter(|&count| count > 0 && has_chunk)
}

/// Returns the fault of the first `trak` that is left out, in a `moov` that ends at byte `end`.
pub(super) fn unread(moov: &Boxes, end: u64, limits: &Limits) -> Option<Trouble> {
    let mut at = end - moov.list.iter().map(AnyBox::len).sum::<u64>() - moov.padding.len() as u64;
    for item in &moov.list {
        let start = at;
        at += item.len();
        if item.header.kind != *b"trak" {
            continue;
        }
        let error = match &item.body {
            Body::Boxes(trak) => {
                let mdia = trak.inside(*b"mdia");
                let clock = mdia.and_then(|mdia| mdia.get::<Mdhd>()).map(|mdhd| mdhd.timescale);
                let has_handler = mdia.is_some_and(|mdia| mdia.get::<Hdlr>().is_some());
                let is_track = has_handler && clock > Some(0) && trak.get::<Tkhd>().is_some();
                let (what, clause) = ("number, timescale or handler", "ISO/IEC 14496-12, 8.3");
                (!is_track).then(|| Error::at(start, ErrorKind::Missing { what, clause }))
            }
            Body::Other(bytes) => Boxes::parse(bytes, start + item.header_len(), limits).err(),
            _ => None,
        };
        if let Some(error) = error {
            let error = error.inside(item.header.kind);
            let message = format!("its `trak` at byte {start} cannot be used: {error}");
            return Some(Trouble::new(FindingCode::FileBroken, message).because(error));
        }
    }
    None
}

fn kind_of(hdlr: &Hdlr) -> Option<StreamKind> {
    match &hdlr.handler_type.0 {
        b"vide" => Some(StreamKind::Video),
        b"soun" => Some(StreamKind::Audio),
        b"text" | b"subt" | b"sbtl" | b"meta" | b"clcp" => Some(StreamKind::Text),
        _ => None,
    }
}

/// Gives each track its part of the index.
pub(super) fn set_index(tracks: &mut [MediaTrack], index: Vec<TrackIndex>) {
    let mut numbers = HashMap::new();
    for (number, track) in tracks.iter().enumerate() {
        numbers.entry(track.track_id).or_insert(number);
    }
    for of_track in index {
        let number = numbers.get(&of_track.track_id);
        if let Some(track) = number.and_then(|&number| tracks.get_mut(number)) {
            track.has_repeats = of_track.has_repeats;
            track.fragments = match of_track.fragments {
                Ok(fragments) if fragments.is_empty() => continue,
                Ok(fragments) => Ok(fragments),
                Err(error) => Err(Trouble::of(FindingCode::IndexBroken, &error)),
            };
        }
    }
}

/// Notes for tracks without an index that a part of the index cannot be read.
pub(super) fn set_index_unread(tracks: &mut [MediaTrack], unread: &str) {
    for trouble in tracks.iter_mut().filter_map(|track| track.fragments.as_mut().err()) {
        if trouble.code == FindingCode::IndexMissing {
            *trouble = Trouble::new(FindingCode::IndexBroken, format!("{unread} in its `mfra`"));
        }
    }
}

impl MediaTrack {
    /// The fragments to look at, with the first `len` bytes of each.
    pub(super) fn looks(&self, len: u64) -> Vec<(Indexed, Range<u64>)> {
        let Ok(fragments) = &self.fragments else { return Vec::new() };
        let mut looks: Vec<Indexed> =
            fragments.first().into_iter().chain(fragments.last()).copied().collect();
        looks.dedup();
        let range = |f: &Indexed| f.start..f.bound.min(f.start.saturating_add(len));
        looks.into_iter().map(|fragment| (fragment, range(&fragment))).collect()
    }

    /// Judges the index by the fragments that were looked at. The index is in doubt if one of them
    /// is not what the index says. A fragment of the track that merely declares another time is a
    /// finding, unless that is the time of another entry of the index.
    pub(super) fn judge(
        &mut self,
        len: u64,
        get: impl Fn(Range<u64>) -> Option<Bytes>,
        limits: &Limits,
    ) {
        let looks = self.looks(len);
        let (mut seen, mut wrong, mut said, mut others) = (0, Vec::new(), Vec::new(), Vec::new());
        for (i, (fragment, range)) in looks.iter().enumerate() {
            let Some(bytes) = get(range.clone()) else { continue };
            seen += 1;
            match self.examine(&bytes, fragment, limits) {
                Ok(examined) => {
                    if i == 0 {
                        self.durations = examined.durations;
                        #[cfg(any(feature = "dash", feature = "hls"))]
                        {
                            self.growth = examined.growth.unwrap_or_default();
                        }
                    }
                    if i + 1 == looks.len() {
                        self.last_duration = examined.duration;
                    }
                    said.extend(examined.said);
                    others.extend(examined.other);
                }
                Err(error) => wrong.push(error),
            }
        }
        self.is_settled = matches!(said[..], [first, last] if first == last);
        let index = self.fragments.as_deref().unwrap_or_default();
        let is_start = |time| index.binary_search_by_key(&time, |entry| entry.time).is_ok();
        let is_of_another = |other: &&OtherTime| !self.is_settled && other.is_of_another(is_start);
        wrong.extend(others.iter().filter(is_of_another).map(OtherTime::misled));
        let Some(error) = wrong.first() else {
            let of_time =
                |other: &OtherTime| Trouble::new(FindingCode::TimeInFragment, other.to_string());
            self.doubt = others.first().map(of_time);
            return;
        };
        let all = wrong.len() == seen;
        let code = if all { FindingCode::IndexBroken } else { FindingCode::FragmentBroken };
        let trouble = Trouble::of(code, error);
        if trouble.absent != Absent::Missing {
            self.fragments = Err(trouble);
        } else {
            self.doubt = Some(trouble);
        }
    }

    /// Takes over the fragments that are made of its samples.
    ///
    /// # Errors
    /// The error of the first or of the last fragment, if it cannot be read.
    pub(super) fn set_made(&mut self, made: OpenedTrack, limits: &Limits) -> Result<(), Error> {
        let OpenedTrack { track, fragments, first, last } = made;
        let (first, last) = (first.stored(limits)?, last.stored(limits)?);
        self.timescale = made::TIMESCALE;
        self.durations = durations(&first, self.defaults);
        #[cfg(any(feature = "dash", feature = "hls"))]
        {
            self.growth = self.growth_of(&first, self.durations, limits).unwrap_or_default();
        }
        self.last_duration = Some(last.duration(self.defaults, limits)?).filter(|&ticks| ticks > 0);
        self.is_settled = true;
        self.fragments = Ok(fragments);
        self.made = Some(Arc::new(track));
        Ok(())
    }

    /// Checks that a fragment is what the index says. Returns what it says itself, if its head is all
    /// there.
    fn examine(
        &mut self,
        bytes: &Bytes,
        fragment: &Indexed,
        limits: &Limits,
    ) -> Result<Examined, Error> {
        let Indexed { time, start, bound } = *fragment;
        let (track_id, defaults) = (self.track_id, self.defaults);
        let source = Source { block: bytes, start, bound, track_id, defaults };
        let stored = match source.find(limits)? {
            Found::Stored(stored) => stored,
            Found::Made(_, stored) => {
                self.is_rewritten = true;
                self.own_bytes.look(stored.bytes(defaults), bound.saturating_sub(start));
                stored
            }
            Found::Needs(_) => return Ok(Examined::default()),
        };
        stored.check_track(self.track_id)?;
        let other = stored.other_time(time, tolerance(self.timescale, self.timescale));
        let whereabouts = stored.check_samples(self.defaults, limits)?;
        self.has_wrong_offset |= matches!(whereabouts, Whereabouts::Elsewhere { .. });
        let tfhd = stored.traf.get::<Tfhd>();
        self.has_absolute_base |= tfhd.is_some_and(|tfhd| tfhd.base_data_offset.is_some());
        self.needs_header |= stored.needs_defaults();
        let unread = |what| Trouble::new(FindingCode::BoxUnreadable, what);
        self.unread = self.unread.take().or_else(|| stored.unread().map(unread));
        let duration = stored.duration(self.defaults, limits)?;
        let declared = stored.traf.get::<Tfxd>().map(|tfxd| tfxd.duration);
        // ffmpeg writes durations below 0, in two's complement.
        let declared = declared.filter(|&declared| i64::try_from(declared).is_ok());
        let duration = if duration > 0 { Some(duration) } else { declared };
        let durations = durations(&stored, self.defaults);
        Ok(Examined {
            duration,
            durations,
            #[cfg(any(feature = "dash", feature = "hls"))]
            growth: self.growth_of(&stored, durations, limits),
            said: stored.time(),
            other,
        })
    }

    #[cfg(any(feature = "dash", feature = "hls"))]
    fn growth_of(
        &self,
        stored: &Stored,
        durations: Option<(u32, u32)>,
        limits: &Limits,
    ) -> Option<Growth> {
        let track = cmaf::Track::new(self.track_id, self.kind?).with_defaults(self.defaults);
        let entries = self.entry.iter().chain(&self.more_entries);
        let mut encryptions = entries.filter_map(|entry| encryption(entry, limits));
        let track = match encryptions.find_map(|found| Some((found.iv_size, found.key_id?))) {
            Some((iv_size, key_id)) => track.protection(iv_size, key_id),
            None => track,
        };
        Growth::of(stored, &track, durations.map_or(0, |(shortest, _)| shortest), limits)
    }
}
