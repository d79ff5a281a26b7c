//! The header of a body: its `moov`, with the names of the live server manifest.

use std::collections::HashSet;

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use super::coding::coding;
use super::names::{Listed, Named, name_tracks};
use super::track_file::head;
use super::unit::{Header, HeaderTrack};
use crate::base::{Cursor, Error, ErrorKind, FourCc, Limits, Place, Timescale};
use crate::bmff::{
    AnyBox, Body, Boxes, Co64, Edit, Elst, Hdlr, Mdhd, Mvhd, SampleEntry, Stco, Stsd, Stsz, Stts,
    Tkhd, Trex,
};
use crate::codec::Description;
use crate::fragment::Defaults;
use crate::manifest::{ServerManifest, StreamKind, language_tag};

/// The tracks whose fragments a body may have. The next body of the same stream may go on with them.
#[derive(Clone, Debug)]
pub struct Known {
    pub(super) header: Header,
    pub(super) tracks: Vec<Track>,
    /// The boxes that it was read from.
    pub(super) boxes: Bytes,
}

/// The facts of a track that its fragments are read with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) track_id: u32,
    pub(super) kind: StreamKind,
    pub(super) defaults: Defaults,
    /// Time of the media that is shown at 0 by its edit list, in ticks: 0 if it has none, and before 0 if nothing is
    /// shown at first. Only times of `tfdt` count without it.
    pub(super) media_time: i64,
}

impl Known {
    /// Returns the header that these tracks are of.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> u64 {
        let tracks = self.header.tracks.iter().map(HeaderTrack::memory);
        tracks.sum::<u64>() + self.boxes.len() as u64
    }

    /// Returns the boxes that it was read from: the live server manifest, if there was one, and the `moov`.
    pub fn boxes(&self) -> &Bytes {
        &self.boxes
    }

    /// Returns whether fragments are read alike with both, and are of the same tracks. `mvhd` may differ: that of
    /// ffmpeg does with each connection.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&HeaderTrack, &HeaderTrack)| {
            let of = |t: &HeaderTrack| (t.track_id, t.kind, t.timescale, t.codec);
            of(one) == of(other) && one.server == other.server
        };
        let (one, two) = (&self.header.tracks, &other.header.tracks);
        self.tracks == other.tracks && one.len() == two.len() && one.iter().zip(two).all(is_same)
    }

    pub(super) fn track(&self, track_id: u32) -> Option<&Track> {
        self.tracks.iter().find(|track| track.track_id == track_id)
    }

    /// Reads a `moov`, a whole box, that begins at byte `start` of the body.
    ///
    /// A `trak` that cannot be read is left out if others can be: the reasons are beside what was read.
    ///
    /// # Errors
    /// Errors of a `moov` that cannot be read, or that has no track; [`ErrorKind::NotSliceable`] if it has samples;
    /// [`ErrorKind::Budget`] for too many tracks, or tracks whose headers take too many bytes together.
    pub(super) fn read(
        moov: &Bytes,
        start: u64,
        manifest: Option<&(ServerManifest, Bytes)>,
        limits: &Limits,
    ) -> Result<(Self, Vec<LeftOut>), Error> {
        let boxes = Boxes::parse(moov, start, limits)?;
        let at = |error: Error| match error.place {
            Place::Nowhere => Error::at(start, error.kind).inside(FourCc(*b"moov")),
            _ => error,
        };
        let list = manifest.map(|(list, _)| list);
        let mut left_out = Vec::new();
        let read = Self::of(&boxes, list, limits, &mut left_out);
        let (header, tracks) = read.map_err(at)?;
        let boxes = match manifest {
            Some((_, manifest)) => [&manifest[..], moov].concat().into(),
            None => moov.clone(),
        };
        let left_out = left_out.into_iter().map(|(track_id, error)| (track_id, at(error)));
        Ok((Self { header, tracks, boxes }, left_out.collect()))
    }

    fn of(
        boxes: &Boxes,
        manifest: Option<&ServerManifest>,
        limits: &Limits,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<(Header, Vec<Track>), Error> {
        let missing =
            || ErrorKind::Missing { what: "`trak` that can be read", clause: "[MS-SSTR] 2.2.7" };
        let moov = boxes.inside(*b"moov").ok_or_else(missing)?;
        let found = moov.each(*b"trak").count() as u64;
        Limits::check("tracks of a header", found, limits.tracks as u64)?;
        let movie = moov.get::<Mvhd>().and_then(|mvhd| Timescale::new(mvhd.timescale.into()));
        let is_broken =
            |item: &&AnyBox| item.header.kind == *b"trak" && matches!(item.body, Body::Other(_));
        let broken = moov.list.iter().filter(is_broken);
        left_out.extend(broken.map(|_| (None, missing().into())));
        let mut described = Vec::new();
        for trak in moov.each(*b"trak") {
            match Described::of(trak, movie, limits) {
                None => {}
                Some(Ok(track)) => described.push(track),
                // Others of its encoder have samples, too, or will: it writes another kind of file.
                Some(Err(error)) if matches!(error.kind, ErrorKind::NotSliceable(_)) => {
                    return Err(error);
                }
                Some(Err(error)) => {
                    left_out.push((trak.get::<Tkhd>().map(|tkhd| tkhd.track_id), error));
                }
            }
        }
        if described.is_empty() {
            let first = left_out.first().map(|(_, error)| error.clone());
            return Err(first.unwrap_or_else(|| missing().into()));
        }
        let mut numbers = HashSet::new();
        if let Some(twice) = described.iter().find(|track| !numbers.insert(track.track_id)) {
            let what = format!("two tracks of number {}", twice.track_id);
            return Err(ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.3.2" }.into());
        }
        let listed = described.iter().map(|track| Listed {
            track_id: track.track_id,
            kind: track.kind,
            language: track.language.as_deref(),
            description: track.description.as_ref(),
            roles: &track.roles,
            has_events: track.has_events,
        });
        let servers = name_tracks(&listed.collect::<Vec<_>>(), manifest);
        let (mut tracks, mut of_header, mut bytes) = (Vec::new(), Vec::new(), 0);
        for (track, named) in described.into_iter().zip(servers) {
            let trex = trex_of(moov, track.track_id);
            let head = head(moov, track.trak, &trex);
            bytes += head.len() as u64;
            // What tracks share is written for each of them.
            let limit = limits.moov.saturating_mul(4);
            Limits::check("bytes of the headers of all tracks", bytes, limit)?;
            let Described { track_id, kind, timescale, codec, coding, media_time, .. } = track;
            let Named { server, is_named } = named;
            of_header.push(HeaderTrack {
                track_id,
                kind,
                server,
                timescale,
                head,
                codec,
                coding,
                is_named,
            });
            tracks.push(Track { track_id, kind, defaults: Defaults::from(&trex), media_time });
        }
        Ok((Header { tracks: of_header }, tracks))
    }
}

/// A `trak` that was left out: its number, if it is known, and the reason.
pub(super) type LeftOut = (Option<u32>, Error);

/// Returns the defaults of a track's fragments.
fn trex_of(moov: &Boxes, track_id: u32) -> Trex {
    let mut all = moov.each(*b"mvex").flat_map(|mvex| mvex.all::<Trex>());
    let found = all.find(|trex| trex.track_id == track_id).cloned();
    found.unwrap_or(Trex { track_id, default_sample_description_index: 1, ..Trex::default() })
}

/// The facts that a `trak` has.
struct Described<'a> {
    trak: &'a Boxes,
    track_id: u32,
    kind: StreamKind,
    timescale: Timescale,
    language: Option<String>,
    description: Option<Description>,
    codec: u128,
    /// See [`coding`].
    coding: String,
    media_time: i64,
    /// See [`roles`].
    roles: Vec<String>,
    /// Its handler is `meta`: its samples are events, and no captions.
    has_events: bool,
}

impl<'a> Described<'a> {
    /// `None` for a track of no kind that is known, such as a hint track. `movie`: timescale of the `moov`.
    fn of(
        trak: &'a Boxes,
        movie: Option<Timescale>,
        limits: &Limits,
    ) -> Option<Result<Self, Error>> {
        let mdia = trak.inside(*b"mdia")?;
        let handler = mdia.get::<Hdlr>()?.handler_type.0;
        let kind = match &handler {
            b"vide" => StreamKind::Video,
            b"soun" => StreamKind::Audio,
            b"text" | b"subt" | b"sbtl" | b"meta" | b"clcp" => StreamKind::Text,
            _ => return None,
        };
        let read = Self::read(trak, mdia, kind, movie, limits);
        Some(read.map(|read| Self { has_events: handler == *b"meta", ..read }))
    }

    fn read(
        trak: &'a Boxes,
        mdia: &'a Boxes,
        kind: StreamKind,
        movie: Option<Timescale>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let missing = |what| ErrorKind::Missing { what, clause: "ISO/IEC 14496-12, 8.3" };
        let tkhd = trak.get::<Tkhd>().ok_or(missing("`tkhd`"))?;
        let mdhd = mdia.get::<Mdhd>().ok_or(missing("`mdhd`"))?;
        let timescale = Timescale::new(mdhd.timescale.into()).ok_or(missing("timescale"))?;
        let stbl = mdia.path(&[*b"minf", *b"stbl"]).ok_or(missing("`stbl`"))?;
        let stsd = stbl.get::<Stsd>().ok_or(missing("`stsd`"))?;
        if has_samples(stbl) {
            let what = "a header with samples of its own: push fragments alone, as ffmpeg does with \
                `-f ismv -movflags isml+frag_keyframe`";
            return Err(ErrorKind::NotSliceable(what).into());
        }
        let entry = stsd.entries().next().ok_or(missing("sample entry"))?;
        let description = Description::of_entry(kind, &entry, limits).ok();
        let edits = trak.inside(*b"edts").and_then(|edts| edts.get::<Elst>());
        Ok(Self {
            trak,
            track_id: tkhd.track_id,
            kind,
            timescale,
            language: extended_language(mdia)
                .or_else(|| mdhd.language().filter(|language| language != "und")),
            coding: coding(kind, &entry, description.as_ref()),
            codec: codec(kind, timescale, stsd, description.as_ref()),
            description,
            media_time: edits.map_or(0, |elst| begin_of(elst, timescale, movie)),
            roles: roles(trak, limits),
            has_events: false,
        })
    }
}

/// Returns the language that the box `elng` says: `pt-BR`, where `mdhd` has no more than `por`. `None` if it has none
/// that is known.
///
/// Spec: ISO/IEC 14496-12, 8.4.6; DASH-IF ingest 1.2, interface 1, formatting media tracks, 5.
fn extended_language(mdia: &Boxes) -> Option<String> {
    let found = mdia.list.iter().find(|item| item.header.kind == *b"elng")?;
    let Body::Other(bytes) = &found.body else { return None };
    // Behind version and flags, which some writers leave out.
    let behind = bytes.get(4..).filter(|_| bytes.first() == Some(&0)).unwrap_or(bytes.as_ref());
    let text = behind.split(|&byte| byte == 0).next()?;
    let text = std::str::from_utf8(text).ok()?.trim();
    language_tag(text).map(|_| text.to_owned())
}

/// Returns the time of the media that is shown at 0, in ticks of the track: where the first stretch of media begins,
/// less the empty edits before it, which last so many ticks of the movie.
///
/// Spec: ISO/IEC 14496-12, 8.6.6.
fn begin_of(elst: &Elst, timescale: Timescale, movie: Option<Timescale>) -> i64 {
    let empty = elst.edits().take_while(Edit::is_empty);
    let delay = empty.fold(0, |sum: u64, edit| sum.saturating_add(edit.segment_duration));
    let first = elst.edits().find(|edit| !edit.is_empty()).map_or(0, |edit| edit.media_time);
    // Without a timescale of the movie, nothing says how long they last. Too long ones make times out of range, which
    // fragments are refused for.
    let delay = movie.map_or(0, |movie| {
        let ticks = movie.rescale_round(delay, timescale);
        ticks.and_then(|ticks| i64::try_from(ticks).ok()).unwrap_or(i64::MAX)
    });
    first.saturating_sub(delay)
}

/// Returns what a track is for, by its boxes `kind`: words of DASH, such as `description`, without `main`.
///
/// Spec: ISO/IEC 14496-12, 8.10.4; ISO/IEC 23009-1, 5.8.5.5.
fn roles(trak: &Boxes, limits: &Limits) -> Vec<String> {
    let of_udta = |item: &AnyBox| match &item.body {
        Body::Other(bytes) if item.header.kind == *b"udta" => {
            Boxes::parse_in(&mut Cursor::new(bytes, 0), limits).ok()
        }
        _ => None,
    };
    let Some(udta) = trak.list.iter().find_map(of_udta) else { return Vec::new() };
    let role = |item: &AnyBox| {
        let Body::Other(bytes) = &item.body else { return None };
        // Behind version and flags.
        let mut texts = bytes.get(4..)?.split(|&byte| byte == 0);
        let (scheme, value) = (texts.next()?, std::str::from_utf8(texts.next()?).ok()?);
        let role = match (scheme, value) {
            (b"urn:mpeg:dash:role:2011", role) => role,
            // For people who do not see.
            (b"urn:tva:metadata:cs:AudioPurposeCS:2007", "1") => "description",
            _ => return None,
        };
        let is_word = !role.is_empty() && role.len() <= LONGEST_ROLE && role != "main";
        is_word.then(|| role.to_ascii_lowercase())
    };
    let kinds = udta.list.iter().filter(|item| item.header.kind == *b"kind");
    let mut roles: Vec<_> = kinds.filter_map(role).take(MOST_ROLES).collect();
    roles.sort();
    roles.dedup();
    roles
}

/// Bytes of a role, and roles of a track.
const LONGEST_ROLE: usize = 64;
const MOST_ROLES: usize = 4;

fn has_samples(stbl: &Boxes) -> bool {
    stbl.get::<Stsz>().is_some_and(|stsz| stsz.sample_count > 0)
        || stbl.get::<Stts>().is_some_and(|stts| !stts.entries.is_empty())
        || stbl.get::<Stco>().is_some_and(|stco| stco.count() > 0)
        || stbl.get::<Co64>().is_some_and(|co64| co64.count() > 0)
}

/// Returns the hash of what a decoder is set up with. Bitrates that an entry says are no part of it.
fn codec(
    kind: StreamKind,
    timescale: Timescale,
    stsd: &Stsd,
    description: Option<&Description>,
) -> u128 {
    let mut hash = Xxh3::new();
    let mut field = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    field(kind.as_str().as_bytes());
    field(&timescale.get().to_be_bytes());
    for entry in stsd.entries() {
        field(&entry.format().0);
    }
    let is_encrypted =
        |entry: SampleEntry| matches!(&entry.format().0, b"encv" | b"enca" | b"enct");
    match description.filter(|_| stsd.entries().count() == 1 && !stsd.entries().any(is_encrypted)) {
        Some(known) => {
            field(known.tag.as_str().as_bytes());
            field(&known.private_data);
            field(format!("{:?}", known.format).as_bytes());
        }
        None => stsd.entries().for_each(|entry| field(&entry.body)),
    }
    hash.digest128()
}
