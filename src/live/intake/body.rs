//! The boxes of a pushed body, in any order that encoders send them in.

use std::collections::HashMap;

use bytes::Bytes;

use super::chunks::Chunks;
use super::fragment::Pushed;
use super::framing::{Framing, Part};
use super::header::Known;
use super::payload::Filling;
use super::unit::{BodyEnd, Unit, memory_of};
use crate::base::{Cursor, Error, ErrorKind, Limits, Sink};
use crate::bmff::uuid::{LiveServerManifest, StreamManifestBox};
use crate::bmff::{Boxes, Content, Ftyp, Header, Trun};
use crate::fragment::track_of_broken;
use crate::live::LiveLimits;
use crate::manifest::{ServerManifest, StreamManifest};

/// One pushed body: takes its bytes, and gives headers and fragments.
#[derive(Debug)]
pub struct Intake {
    limits: LiveLimits,
    of_content: Limits,
    framing: Framing,
    current: Current,
    /// The newest live server manifest, and its box.
    manifest: Option<(ServerManifest, Bytes)>,
    /// The newest `moov`, and its place, if the manifest may still follow it.
    moov: Option<(u64, Bytes)>,
    /// The newest `moov` that was read, and the box of the manifest that it was read with.
    read: Option<(Bytes, Option<Bytes>)>,
    known: Option<Known>,
    /// The `moof` that waits for its `mdat`.
    pending: Option<Pending>,
    /// The `mdat` of a `moof` that was refused comes next.
    skips_mdat: bool,
    chunks: Chunks,
    /// Ends of the newest fragments, by track.
    ends: HashMap<u32, i64>,
    /// The segment that comes is the last one.
    is_last: bool,
    /// Number of messages (`emsg`) that were passed over, and not told yet.
    events: u64,
    /// End of the last box that was of use, or was passed over.
    whole: u64,
}

/// A `moof` that waits for its `mdat`.
#[derive(Debug)]
struct Pending {
    moof: Bytes,
    start: u64,
    between: u64,
}

/// The box that is arriving.
#[derive(Debug)]
enum Current {
    Skipped,
    /// All of it is kept until it is whole.
    Kept {
        kind: Kept,
        start: u64,
        bytes: Vec<u8>,
    },
    Payload(Box<Filling>),
    /// It says that nothing follows.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    Moov,
    Moof,
    LiveServerManifest,
    StreamManifest,
    SegmentType,
}

/// Maximum bytes of other boxes between a `moof` and its `mdat`.
const MAX_BETWEEN: u64 = 64 << 10;
/// Maximum bytes of a `styp` that is looked at.
const MAX_STYP: u64 = 4096;
/// Brands of a `styp` with which a segment or a fragment begins. One of `cmfl` without them is that of a chunk which
/// goes on with a fragment (DASH-IF ingest 1.2, interface 1, formatting media tracks, 7).
const SEGMENTS: &[&[u8; 4]] = &[b"cmff", b"cmfs", b"cmfr", b"msdh", b"msix"];

impl Intake {
    /// A body that begins with its header.
    pub fn new(limits: &LiveLimits) -> Self {
        Self {
            limits: limits.clone(),
            of_content: limits.of_content(),
            framing: Framing::default(),
            current: Current::Skipped,
            manifest: None,
            moov: None,
            read: None,
            known: None,
            pending: None,
            skips_mdat: false,
            chunks: Chunks::default(),
            ends: HashMap::new(),
            is_last: false,
            events: 0,
            whole: 0,
        }
    }

    /// A body that may begin with fragments of these tracks, because an earlier body of the same stream had their
    /// header: encoders of CMAF push one segment per request.
    pub fn continuing(limits: &LiveLimits, known: Known) -> Self {
        Self { known: Some(known), ..Self::new(limits) }
    }

    /// Reads the [boxes](Known::boxes) of a header. `None` if they are none, or are beyond the limits.
    pub fn read_header(boxes: &Bytes, limits: &LiveLimits) -> Option<Known> {
        let (mut intake, mut units) = (Self::new(limits), Vec::new());
        intake.push(boxes, &mut units).ok()?;
        intake.settle(&mut units);
        intake.known
    }

    /// Returns the tracks that are known so far, for the next body of the same stream.
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// Returns the bytes of memory of what has arrived and is no unit yet.
    pub fn memory(&self) -> u64 {
        let current = match &self.current {
            Current::Kept { bytes, .. } => bytes.capacity(),
            Current::Payload(filling) => filling.memory(),
            Current::Skipped | Current::End => 0,
        };
        let pending = self.pending.as_ref().map_or(0, |pending| pending.moof.len());
        (current + pending) as u64 + self.chunks.memory()
    }

    /// Returns the bytes of memory of the header that is known.
    pub(in crate::live) fn header_memory(&self) -> u64 {
        let moov = self.moov.as_ref().map(|(_, moov)| moov);
        let moov = moov.or(self.read.as_ref().map(|(moov, _)| moov));
        let of_manifest = |(list, boxed): &(ServerManifest, Bytes)| {
            boxed.len() as u64 + list.tracks.iter().map(memory_of).sum::<u64>()
        };
        let manifest = self.manifest.as_ref().map_or(0, of_manifest);
        let known = self.known.as_ref().map_or(0, Known::memory);
        known + manifest + moov.map_or(0, |moov| moov.len() as u64)
    }

    /// Returns how many messages (`emsg`) were passed over since the last call.
    pub(in crate::live) fn take_events(&mut self) -> u64 {
        std::mem::take(&mut self.events)
    }

    /// Takes the next bytes of the body. What is whole by them is appended to `units`, also before an
    /// error.
    ///
    /// # Errors
    /// The body is refused, and nothing more of it can be understood: [`ErrorKind::NoHeader`] for
    /// fragments without a header, [`ErrorKind::NotSliceable`] for what is no Smooth Streaming and
    /// no CMAF, [`ErrorKind::Budget`] for a header beyond its limit, [`ErrorKind::Invalid`],
    /// [`ErrorKind::BoxTooSmall`] and others for a header or sizes that cannot be.
    pub fn push(&mut self, bytes: &Bytes, units: &mut Vec<Unit>) -> Result<(), Error> {
        let mut piece = bytes.clone();
        while let Some(part) = self.framing.next(&mut piece)? {
            match part {
                Part::Begin { header, start } => self.begin(header, start, units)?,
                Part::Content(bytes) => match &mut self.current {
                    Current::Kept { bytes: kept, .. } => kept.extend_from_slice(&bytes),
                    Current::Payload(filling) => filling.push(&bytes),
                    Current::Skipped | Current::End => {}
                },
                Part::End => self.end_of_box(units)?,
            }
        }
        Ok(())
    }

    /// Has a header without fragments be a unit, because nothing follows. Its tracks are [known](Self::known) then.
    pub fn settle(&mut self, units: &mut Vec<Unit>) {
        if let Err(error) = self.settle_header(units) {
            units.push(Unit::Refused { track_id: None, error });
        }
    }

    /// The body has ended. A header without fragments is a unit only now, because its manifest might have followed.
    pub fn end(mut self, units: &mut Vec<Unit>) -> BodyEnd {
        let at = self.framing.at();
        self.settle(units);
        self.chunks.end(units, &self.of_content);
        self.end_of_last(units);
        self.forget_empty();
        match at {
            0 => BodyEnd::Empty,
            _ if self.framing.is_inside() || self.pending.is_some() => {
                BodyEnd::Cut { bytes: at - self.whole }
            }
            _ => BodyEnd::Complete,
        }
    }

    fn begin(&mut self, header: Header, start: u64, units: &mut Vec<Unit>) -> Result<(), Error> {
        let kind = header.kind.0;
        let total = header.total().unwrap_or(header.len());
        if start == 0 && !is_beginning(&kind) {
            let what =
                format!("a body that begins with `{}`, not with `ftyp` or `moov`", header.kind);
            return Err(Error::at(0, ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.7" }));
        }
        let keep = |kind| Current::Kept { kind, start, bytes: head_of(&header) };
        let over = |what, limit| {
            Limits::check(what, total, limit)
                .map_err(|kind| Error::at(start, kind).inside(header.kind))
        };
        if matches!(&kind, b"moof" | b"mdat" | b"mfra" | b"styp" | b"moov") {
            self.settle_header(units)?;
        }
        self.current = match &kind {
            b"moov" => {
                self.without_mdat(units);
                self.chunks.end(units, &self.of_content);
                over("bytes of a header", self.limits.header)?;
                keep(Kept::Moov)
            }
            b"uuid" if header.extended == Some(LiveServerManifest::UUID) => {
                over("bytes of a live server manifest", self.limits.header)?;
                keep(Kept::LiveServerManifest)
            }
            b"uuid" if header.extended == Some(StreamManifestBox::UUID) => {
                over("bytes of a stream manifest", self.limits.header)?;
                keep(Kept::StreamManifest)
            }
            b"moof" => {
                self.without_mdat(units);
                self.skips_mdat = false;
                if self.known.is_none() {
                    return Err(Error::at(start, ErrorKind::NoHeader));
                }
                match over("bytes of a `moof`", self.limits.moof) {
                    Ok(()) => keep(Kept::Moof),
                    Err(error) => {
                        self.skips_mdat = true;
                        units.push(Unit::Refused { track_id: None, error });
                        Current::Skipped
                    }
                }
            }
            b"mdat" => self.begin_payload(header, start, total, units)?,
            b"mfra" => {
                self.without_mdat(units);
                self.chunks.end(units, &self.of_content);
                Current::End
            }
            b"styp" if total <= MAX_STYP => keep(Kept::SegmentType),
            b"styp" => {
                self.begin_segment(units);
                Current::Skipped
            }
            b"emsg" => {
                self.events += 1;
                Current::Skipped
            }
            _ => Current::Skipped,
        };
        if let (Current::Skipped | Current::Kept { .. }, Some(pending)) =
            (&self.current, &mut self.pending)
        {
            pending.between = pending.between.saturating_add(total);
        }
        Ok(())
    }

    /// Begins the `mdat` of the fragment whose `moof` waits.
    fn begin_payload(
        &mut self,
        mdat: Header,
        start: u64,
        total: u64,
        units: &mut Vec<Unit>,
    ) -> Result<Current, Error> {
        let Some(known) = &self.known else { return Err(Error::at(start, ErrorKind::NoHeader)) };
        let Some(Pending { moof, start: of_moof, between }) = self.pending.take() else {
            if !std::mem::take(&mut self.skips_mdat) {
                let kind = ErrorKind::Missing {
                    what: "`moof` before its `mdat`",
                    clause: "[MS-SSTR] 2.2.4",
                };
                units.push(Unit::Refused { track_id: None, error: Error::at(start, kind) });
            }
            return Ok(Current::Skipped);
        };
        let at = |kind| Error::at(of_moof, kind);
        let all = (moof.len() as u64).saturating_add(total);
        let checked =
            Limits::check("bytes of a fragment", all, self.limits.fragment).and_then(|()| {
                Limits::check("bytes between a `moof` and its `mdat`", between, MAX_BETWEEN)
            });
        if let Err(kind) = checked {
            let track_id = track_of_broken(&moof);
            units.push(Unit::Refused { track_id, error: at(kind) });
            return Ok(Current::Skipped);
        }
        let pushed = Pushed { moof: &moof, start: of_moof, between, mdat };
        match pushed.plan(known, |track_id| self.ends.get(&track_id).copied(), &self.of_content) {
            // Within the budget of a fragment, which memory can hold.
            Ok(plan) => {
                let filling = Filling::new(plan, (total - mdat.len()) as usize);
                Ok(Current::Payload(Box::new(filling)))
            }
            Err(refusal) if refusal.is_empty => Ok(Current::Skipped),
            Err(refusal) if refusal.is_final => Err(refusal.error),
            Err(refusal) => {
                units.push(Unit::Refused { track_id: refusal.track_id, error: refusal.error });
                Ok(Current::Skipped)
            }
        }
    }

    fn end_of_box(&mut self, units: &mut Vec<Unit>) -> Result<(), Error> {
        let current = std::mem::replace(&mut self.current, Current::Skipped);
        match current {
            Current::Skipped => {}
            Current::End => units.push(Unit::EndOfStream),
            Current::Payload(filling) => {
                let chunk = filling.chunk();
                let arrived = filling.finish();
                // Checked to be far from the ends of the range.
                let end = arrived.time.saturating_add_unsigned(arrived.duration);
                self.ends.insert(arrived.track_id, end);
                match chunk {
                    Some(chunk) => {
                        let most = self.limits.fragment;
                        self.chunks.push(arrived, chunk, most, units, &self.of_content);
                    }
                    None => {
                        self.chunks.end(units, &self.of_content);
                        units.push(Unit::Fragment(arrived));
                    }
                }
            }
            Current::Kept { kind, start, bytes } => {
                let bytes = Bytes::from(bytes);
                self.end_of_kept(kind, start, bytes, units)?;
            }
        }
        if self.pending.is_none() {
            self.whole = self.framing.at();
        }
        Ok(())
    }

    fn end_of_kept(
        &mut self,
        kind: Kept,
        start: u64,
        bytes: Bytes,
        units: &mut Vec<Unit>,
    ) -> Result<(), Error> {
        let inside = |skip: usize| {
            let mut cursor = Cursor::new(&bytes, start);
            cursor.take(skip).map(|_| cursor)
        };
        match kind {
            Kept::Moof => self.pending = Some(Pending { moof: bytes, start, between: 0 }),
            Kept::Moov => {
                self.moov = Some((start, bytes));
                // The manifest came before it, as it mostly does.
                if self.manifest.is_some() {
                    self.settle_header(units)?;
                }
            }
            Kept::LiveServerManifest => {
                let read = inside(header_len(&bytes)).and_then(|mut body| {
                    let LiveServerManifest { document, .. } = LiveServerManifest::parse(&mut body)?;
                    ServerManifest::parse_leniently(&document, &self.of_content)
                });
                match read {
                    Ok((mut manifest, _)) => {
                        // Only the tracks are looked at.
                        manifest.metas = Vec::new();
                        self.manifest = Some((manifest, bytes));
                    }
                    // The `moov` says what is needed.
                    Err(error) => units.push(Unit::Refused { track_id: None, error }),
                }
                self.settle_header(units)?;
            }
            Kept::StreamManifest => {
                let read = inside(header_len(&bytes)).and_then(|mut body| {
                    let StreamManifestBox(list) = StreamManifestBox::parse(&mut body)?;
                    StreamManifest::parse(&list.document, &self.of_content)
                });
                units.push(match read {
                    Ok(manifest) => Unit::StreamManifest(manifest),
                    Err(error) => Unit::Refused { track_id: None, error },
                });
            }
            Kept::SegmentType => {
                let brands = inside(header_len(&bytes)).and_then(|mut body| Ftyp::parse(&mut body));
                let has = |some: &[&[u8; 4]]| {
                    brands.as_ref().is_ok_and(|ftyp| {
                        let mut all = ftyp.compatible_brands.iter().chain([&ftyp.major_brand]);
                        all.any(|brand| some.iter().any(|one| *brand == **one))
                    })
                };
                if !has(&[b"cmfl"]) || has(SEGMENTS) {
                    self.begin_segment(units);
                }
                self.is_last |= has(&[b"lmsg"]);
            }
        }
        Ok(())
    }

    /// Reads the `moov` that waits, with the manifest that came before or behind it. A header that says the same as
    /// the one before in this body is no unit.
    fn settle_header(&mut self, units: &mut Vec<Unit>) -> Result<(), Error> {
        let Some((start, moov)) = self.moov.take() else { return Ok(()) };
        let manifest = self.manifest.as_ref().map(|(_, boxed)| boxed);
        let is_read =
            |(read, with): &(Bytes, Option<Bytes>)| *read == moov && with.as_ref() == manifest;
        if self.read.as_ref().is_some_and(is_read) {
            return Ok(());
        }
        let (known, left_out) =
            Known::read(&moov, start, self.manifest.as_ref(), &self.of_content)?;
        let is_first = self.read.replace((moov, manifest.cloned())).is_none();
        let is_same = self.known.as_ref().is_some_and(|old| old.is_same(&known));
        if is_first || !is_same {
            // Before the header, without which they would have the push fail: the tracks that remain are taken.
            let left_out = left_out.into_iter();
            units.extend(left_out.map(|(track_id, error)| Unit::Refused { track_id, error }));
            units.push(Unit::Header(known.header().clone()));
        }
        self.ends.retain(|track_id, _| known.track(*track_id).is_some());
        self.known = Some(known);
        Ok(())
    }

    /// A segment begins: the one before is whole.
    fn begin_segment(&mut self, units: &mut Vec<Unit>) {
        self.chunks.begin(units, &self.of_content);
        self.end_of_last(units);
    }

    /// Something else follows a `moof` than its `mdat`.
    fn without_mdat(&mut self, units: &mut Vec<Unit>) {
        self.forget_empty();
        if let Some(Pending { moof, start, .. }) = self.pending.take() {
            let (what, clause) = ("`mdat` behind its `moof`", "[MS-SSTR] 2.2.4");
            let error = Error::at(start, ErrorKind::Missing { what, clause });
            let track_id = track_of_broken(&moof);
            units.push(Unit::Refused { track_id, error });
        }
    }

    /// Forgets a `moof` that waits for its `mdat` if it has no samples, and so needs none.
    fn forget_empty(&mut self) {
        let is_empty = |Pending { moof, .. }: &Pending| {
            Boxes::parse(moof, 0, &self.of_content).is_ok_and(|boxes| {
                let trafs =
                    || boxes.inside(*b"moof").into_iter().flat_map(|moof| moof.each(*b"traf"));
                let runs = || trafs().flat_map(|traf| traf.all::<Trun>());
                trafs().count() == 1 && runs().all(|run| run.sample_count == 0)
            })
        };
        self.pending.take_if(|pending| is_empty(pending));
    }

    fn end_of_last(&mut self, units: &mut Vec<Unit>) {
        if std::mem::take(&mut self.is_last) {
            units.push(Unit::EndOfStream);
        }
    }
}

/// Returns whether a body may begin with a box of this type.
fn is_beginning(kind: &[u8; 4]) -> bool {
    const KINDS: [&[u8; 4]; 13] = [
        b"ftyp", b"moov", b"uuid", b"styp", b"sidx", b"free", b"skip", b"prft", b"emsg", b"moof",
        b"mdat", b"mfra", b"wide",
    ];
    KINDS.contains(&kind)
}

/// Returns the header of a box, to which its content is added.
fn head_of(header: &Header) -> Vec<u8> {
    let mut sink = Sink::with_len(header.len() as usize);
    header.write(&mut sink);
    sink.finish().into()
}

/// Returns the length of the header with which these bytes begin.
fn header_len(bytes: &Bytes) -> usize {
    Header::parse(&mut Cursor::new(bytes, 0)).map_or(0, |header| header.len() as usize)
}
