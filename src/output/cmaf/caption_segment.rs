//! The captions of a chunk as WebVTT.

use std::sync::Arc;

use bytes::Bytes;

use super::{failed, representation};
use crate::base::{Error, ErrorKind, Got, Limits, Step, Want};
use crate::captions::{Document, TimeBase, TimestampMap, WebVttSegment, Window};
use crate::fragment::Noun;
use crate::presentation::{
    FragmentAddress, FragmentView, Located, Need, Presentation, Rendition, Reply, Representation,
    StoredRange,
};

/// Answers with the captions of a chunk, after a read of its fragment.
///
/// # Errors
/// Errors of the stored fragment; errors of a document that cannot be read.
pub(super) fn answer(
    presentation: &Arc<Presentation>,
    of: Rendition,
    at: Located,
) -> Result<Step<Reply>, Error> {
    let address = FragmentAddress::Chunk(at);
    let found = presentation.fragment(address, Need::Head, move |view| find(&view, of, at))?;
    let presentation = Arc::clone(presentation);
    found.and_then(move |Found { stored, representation }| {
        let limits = presentation.limits().clone();
        let stream = &presentation.streams()[of.stream];
        let (start, duration) = presentation.chunk_of(at);
        let window = Window { timescale: stream.timescale(), start, duration };
        let reply = move |document: &[u8]| {
            let text = write(document, &window, &limits)?;
            Ok(Step::Ready(Reply::of_bytes(representation, Bytes::from(text))))
        };
        let StoredRange { file, range, read } = stored;
        if read.len() as u64 == range.end - range.start {
            return reply(&read);
        }
        Limits::check(
            "bytes of captions",
            range.end - range.start,
            presentation.limits().caption_document,
        )?;
        Ok(Step::read(vec![Want::Range { file, range }], move |got| match got.into_iter().next() {
            Some(Ok(Got::Range(bytes))) => reply(&bytes),
            Some(Err(error)) => Err(Error::from(ErrorKind::Read(error)).in_file(file)),
            Some(Ok(_)) | None => Err(failed(ErrorKind::NoMedia)),
        }))
    })
}

/// The document of a fragment, before it is read.
struct Found {
    stored: StoredRange,
    representation: Representation,
}

fn find(view: &FragmentView<'_>, of: Rendition, at: Located) -> Result<Found, Error> {
    let representation =
        representation(view.presentation(), view.validator(Noun::Fragments), of, at);
    let representation = representation.with_liveness(view.liveness());
    Ok(Found { stored: view.stored(view.lengths.payload..view.lengths.len), representation })
}

/// Writes the captions of a document as a segment of WebVTT. All times are those of the presentation.
///
/// A document that fits both readings of its times is read as players of Smooth Streaming do: its times
/// count from the fragment.
fn write(document: &[u8], window: &Window, limits: &Limits) -> Result<String, Error> {
    let segment = WebVttSegment::new(window.timescale);
    let segment = segment.with_map(TimestampMap::at(window.start, window.timescale));
    if document.iter().all(u8::is_ascii_whitespace) {
        return segment.write(&[], limits);
    }
    let document = Document::parse(document, limits)?;
    let base = TimeBase::of_document(&document, window).unwrap_or(TimeBase::Fragment);
    let cues = document.cues(base, window, limits)?;
    segment.with_whole_times(true).write(&cues, limits)
}
