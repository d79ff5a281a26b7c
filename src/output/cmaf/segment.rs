//! The segment of a chunk: a written `moof`, and the stored samples.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::{failed, representation};
use crate::base::{Error, ErrorKind, Limits, Step};
use crate::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfhd, Trun, TrunSample};
use crate::fragment::cmaf::{self, Start, Track};
use crate::fragment::{Defaults, Keep, KeyFrames, Noun, Parsed, Stored};
use crate::presentation::{
    Form, FragmentAddress, FragmentView, Located, Need, Piece, Presentation, Rendition, Reply,
};

/// Answers with a segment: at once if its head was written before and is kept, else after a read of
/// the stored head.
///
/// # Errors
/// Errors of the stored fragment, and of its rewriting.
pub(super) fn answer(
    presentation: &Arc<Presentation>,
    of: Rendition,
    at: Located,
) -> Result<Step<Reply>, Error> {
    let address = FragmentAddress::Chunk(at);
    if of.form == Form::Stored
        && let Some(head) = presentation.kept_head(at)
    {
        let with = move |view: FragmentView<'_>| Ok(of_parts(&view, of, at, head));
        return presentation.fragment(address, Need::Lengths, with);
    }
    presentation.fragment(address, Need::Head, move |view| {
        let reply = reply(&view, of, at)?;
        // The file of a fragment of its own may change, and one without samples is not read again.
        if of.form == Form::Stored
            && view.is_part_of_file()
            && let [Piece::Bytes(head), Piece::Stored(_), ..] = reply.pieces()
        {
            view.presentation().keep_head(at, head);
        }
        Ok(reply)
    })
}

/// Makes a segment of its head and the payload of a fragment.
fn of_parts(view: &FragmentView<'_>, of: Rendition, at: Located, head: Bytes) -> Reply {
    let presentation = view.presentation();
    let representation = representation(presentation, view.validator(Noun::Fragments), of, at);
    let representation = representation.with_liveness(view.liveness());
    Reply::of_parts(representation, head, view.payload())
}

/// Makes a segment of a fragment of which the head was read.
pub(super) fn reply(view: &FragmentView<'_>, of: Rendition, at: Located) -> Result<Reply, Error> {
    let presentation = view.presentation();
    let limits = presentation.limits();
    let head = view.head().ok_or_else(|| failed(ErrorKind::NoMedia))?;
    let rewrite = |head: &Stored| {
        cmaf::rewrite_stored(head, start(view, of, at), &track(view, of, head), limits)
    };
    let written = rewrite(head)?;
    if of.form == Form::KeyFrames
        && let Some(cut) = first_key_frame(&written, limits)?
        && let Some(head) = parse_written(&cut.head, length(&cut.head, &cut.samples), limits)?
    {
        let representation = representation(presentation, view.validator(Noun::Fragments), of, at);
        let representation = representation.with_liveness(view.liveness());
        let samples = cut.samples.into_iter().flat_map(|range| view.pieces(range));
        return Ok(Reply::of_parts(representation, rewrite(&head)?.head, samples));
    }
    Ok(of_parts(view, of, at, written.head))
}

/// Returns bytes of a cut fragment.
pub(super) fn length(head: &Bytes, samples: &[Range<u64>]) -> u64 {
    head.len() as u64 + samples.iter().map(|range| range.end - range.start).sum::<u64>()
}

/// Bytes behind the head of a fragment that its parser wants to see: the header of a box at most.
const BEHIND: u64 = 32;

/// Parses the written head of a fragment of `length` bytes, whose samples are elsewhere.
pub(super) fn parse_written(
    head: &Bytes,
    length: u64,
    limits: &Limits,
) -> Result<Option<Box<Stored>>, Error> {
    let behind = length.saturating_sub(head.len() as u64).min(BEHIND);
    let block = [head, &[0; BEHIND as usize][..behind as usize]].concat();
    Ok(match Stored::parse(&block.into(), 0, length, limits)? {
        Parsed::Whole(whole) => Some(whole),
        _ => None,
    })
}

/// Cuts a written segment down to its first key frame. Its ranges are those of the stored fragment.
///
/// Offsets of a stored fragment may count from the start of the file; those of a written one do not.
fn first_key_frame(written: &cmaf::Fragment, limits: &Limits) -> Result<Option<KeyFrames>, Error> {
    let cmaf::Fragment { head, payload, .. } = written;
    let before = head.len() as u64;
    let bound = before.saturating_add(payload.end.saturating_sub(payload.start));
    let Some(whole) = parse_written(head, bound, limits)? else { return Ok(None) };
    let cut = KeyFrames::cut(&whole, Keep::First, Defaults::default(), limits)?;
    let moved = |at: u64| at.saturating_sub(before).saturating_add(payload.start);
    Ok(cut.map(|cut| KeyFrames {
        head: cut.head,
        samples: cut.samples.iter().map(|range| moved(range.start)..moved(range.end)).collect(),
    }))
}

/// All of a segment but its samples.
pub(super) struct Frame {
    start: Start,
    track: Track,
    /// Ticks of all samples.
    ticks: u64,
}

impl Frame {
    /// Returns the frame of the segment of a chunk.
    pub(super) fn of(view: &FragmentView<'_>, of: Rendition, at: Located, head: &Stored) -> Self {
        let ticks = head.ticks(view.defaults);
        Self { start: start(view, of, at), track: track(view, of, head), ticks }
    }

    /// Writes a segment of one sample. `None` if its duration is not known, or too long for one.
    pub(super) fn around(self, sample: &[u8], limits: &Limits) -> Result<Option<Bytes>, Error> {
        match u32::try_from(self.ticks) {
            Ok(ticks) if ticks > 0 => self.around_all(&[(ticks, sample)], limits),
            _ => Ok(None),
        }
    }

    /// Writes a segment of samples with their durations in ticks. `None` if there are too many bytes.
    pub(super) fn around_all(
        self,
        samples: &[(u32, &[u8])],
        limits: &Limits,
    ) -> Result<Option<Bytes>, Error> {
        let mut entries = Vec::with_capacity(samples.len());
        for &(duration, sample) in samples {
            let Ok(size) = u32::try_from(sample.len()) else { return Ok(None) };
            let (duration, size) = (Some(duration), Some(size));
            entries.push(TrunSample { duration, size, ..TrunSample::default() });
        }
        let full = FullBox { version: 0, flags: Trun::DURATION | Trun::SIZE };
        let trun = Trun { full, ..Trun::default() }.with_samples(&entries);
        let boxes = [AnyBox::new(Tfhd::default()), AnyBox::new(trun)];
        let traf = AnyBox::container(*b"traf", boxes);
        let payload: Vec<u8> = samples.iter().flat_map(|(_, sample)| *sample).copied().collect();
        let moof = AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf]);
        let whole: Boxes = [moof, AnyBox::other(*b"mdat", payload.clone())].into_iter().collect();
        let whole = whole.to_bytes();
        match Stored::parse(&whole, 0, whole.len() as u64, limits)? {
            Parsed::Whole(head) => {
                let written = cmaf::rewrite_stored(&head, self.start, &self.track, limits)?;
                Ok(Some([&written.head[..], &payload].concat().into()))
            }
            _ => Ok(None),
        }
    }
}

/// Returns the start of a chunk in ticks of its samples.
pub(super) fn start(view: &FragmentView<'_>, of: Rendition, at: Located) -> Start {
    let stream = &view.presentation().streams()[of.stream];
    let (start, _) = view.presentation().chunk_of(at);
    let ticks =
        stream.timescale().rescale_round(start, view.presentation().segment_track(of).timescale);
    Start::Shown(ticks.and_then(|ticks| i64::try_from(ticks).ok()).unwrap_or(i64::MAX))
}

/// Returns the track of a segment. Its first sample is decoded when the chunk starts, so that no time
/// is before the start of the presentation.
pub(super) fn track(view: &FragmentView<'_>, of: Rendition, head: &Stored) -> Track {
    let first = head.first_offset(view.defaults).max(0).unsigned_abs();
    let track = Track::new(view.presentation().segment_track(of).id, view.kind)
        .with_defaults(view.defaults);
    let track = track.delay(first);
    let media = &view.presentation().streams()[of.stream].tracks()[of.track];
    match media.encryption() {
        Some(encryption) => match encryption.key_id {
            Some(key) => track.protection(encryption.iv_size, key),
            None => track,
        },
        None => track,
    }
}
