//! One fragment of a presentation, as every output sees it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::made::MadeFragment;
use super::probe::{broken, known, place_of};
use super::stream::{Media, StoredTrack};
use super::{Liveness, Located, LocatedFile, Piece, Presentation, StoredRange, Validator};
use crate::base::{Error, ErrorKind, FileId, Got, Step, Want};
use crate::fragment::{Defaults, Lengths, Noun, Stored};
use crate::index::Place;
use crate::manifest::StreamKind;

/// The address of a fragment: what the names, numbers and times of a request lead to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FragmentAddress {
    /// A chunk that the manifest announces, of a track.
    Chunk(Located),
    /// A file that a live track may have for a time that its manifest does not announce.
    Unannounced(LocatedFile),
}

/// The part of a fragment that an answer needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The lengths of its parts. Nothing is read to find this out if the fragment was looked at before.
    Lengths,
    /// Its head, which is read each time.
    Head,
}

/// A fragment that was found, with what is known of it.
///
/// It was checked to be the fragment that the index promises, and one that can be cut out of its
/// file.
#[derive(Clone, Copy)]
pub(crate) struct FragmentView<'a> {
    presentation: &'a Presentation,
    pub(crate) kind: StreamKind,
    /// Its file.
    pub(super) file: FileId,
    pub(super) owner: Owner,
    /// Properties of its samples that it does not state itself.
    pub(crate) defaults: Defaults,
    /// First byte of the `moof` in the file.
    pub(super) start: u64,
    /// Bytes of its parts.
    pub(crate) lengths: Lengths,
    pub(super) looked: Option<&'a Looked>,
    /// The fragment, if it is not stored as one.
    made: Option<&'a MadeFragment>,
}

/// The source of a fragment's validator.
#[derive(Clone, Copy)]
pub(super) enum Owner {
    /// The fragment is a part of this track's file.
    Track {
        track_id: u32,
        /// Start of its chunk, in ticks of the stream, if its validator depends on it.
        time: u64,
    },
    /// The fragment has a file of its own.
    File(OwnFile),
}

/// A fragment's own file.
#[derive(Clone, Copy)]
pub(super) struct OwnFile {
    /// Hash of its content.
    pub(super) content: u128,
    pub(super) liveness: Liveness,
}

/// The bytes that a look at a fragment read.
pub(super) struct Looked {
    /// First bytes of the fragment, which need not be read again.
    pub(super) read: Bytes,
    pub(super) head: Box<Stored>,
}

impl Presentation {
    /// Finds the fragment of a track of this name, bitrate and attributes that starts at `time`, in
    /// ticks of the stream.
    ///
    /// # Errors
    /// As [`locate`](Self::locate).
    #[inline(always)]
    pub(crate) fn address(
        &self,
        stream: &str,
        bitrate: u32,
        attributes: &str,
        time: u64,
    ) -> Result<FragmentAddress, ErrorKind> {
        match self.locate(stream, bitrate, attributes, time) {
            Ok(at) => Ok(FragmentAddress::Chunk(at)),
            Err(error) => self.address_ahead(stream, bitrate, attributes, time, error),
        }
    }

    /// Finds a fragment that cannot be located because of `error`.
    #[cold]
    fn address_ahead(
        &self,
        stream: &str,
        bitrate: u32,
        attributes: &str,
        time: u64,
        error: ErrorKind,
    ) -> Result<FragmentAddress, ErrorKind> {
        let file = match error {
            ErrorKind::NoFragment => self.unannounced_file(stream, bitrate, attributes, time),
            _ => None,
        };
        file.map(FragmentAddress::Unannounced).ok_or(error)
    }

    /// Returns the kind of the stream of a fragment.
    #[inline]
    pub(crate) fn kind_of(&self, at: FragmentAddress) -> StreamKind {
        let stream = match at {
            FragmentAddress::Chunk(at) => at.stream,
            FragmentAddress::Unannounced(at) => at.stream,
        };
        self.streams[stream].kind
    }

    /// Returns the validator of the part of a fragment that a noun asks for; `None` if only the
    /// answer shows it.
    ///
    /// # Errors
    /// As [`fragment`](Self::fragment), as far as that is known.
    pub(crate) fn fragment_validator(
        &self,
        at: FragmentAddress,
        noun: Noun,
    ) -> Result<Option<Validator>, Error> {
        let FragmentAddress::Chunk(at) = at else { return Ok(None) };
        let track = match &self.track_of(at).media {
            Media::Stored(track) => track,
            Media::Files(_) => return Ok(None),
            Media::Absent(absent) => return Err(ErrorKind::from(*absent).into()),
        };
        match place_of(track, at)? {
            Place::Known { lengths, .. } if self.is_grown() => {
                let (of_track, time) = ((track.file, track.track_id), self.time_of(at));
                Ok(Some(self.grown_validator(of_track, time, lengths, noun)))
            }
            Place::Bounded { .. } if self.is_grown() => Ok(None),
            Place::Known { start, .. } | Place::Bounded { start, .. } => {
                Ok(Some(self.validator().of_fragment(track.track_id, start, noun)))
            }
            Place::Broken { start, sliceable } => Err(broken(track, start, sliceable)),
        }
    }

    /// Finds out about a fragment what `need` says, and goes on with `then`: at once if that is
    /// known, else after a read.
    ///
    /// # Errors
    /// [`ErrorKind::NoMedia`] or [`ErrorKind::NotSliceable`] if there is nothing to serve,
    /// [`ErrorKind::NotYet`] or [`ErrorKind::NoFragment`] if the fragment is not announced and not
    /// there; errors of the fragment itself, which are also kept as a finding; errors of `then`.
    // A view that is not moved through memory costs a request nothing.
    #[inline(always)]
    pub(crate) fn fragment<T: 'static>(
        self: &Arc<Self>,
        at: FragmentAddress,
        need: Need,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Step<T>, Error> {
        if let (FragmentAddress::Chunk(at), Need::Lengths) = (at, need)
            && let Media::Stored(track) = &self.track_of(at).media
            && let Some((start, lengths)) = known(track, at)?
        {
            let view = FragmentView::of_track(self, at, track, start, lengths, None);
            return then(view).map(Step::Ready);
        }
        self.look_at(at, need, then)
    }

    #[inline(never)]
    fn look_at<T: 'static>(
        self: &Arc<Self>,
        at: FragmentAddress,
        need: Need,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Step<T>, Error> {
        let at = match at {
            FragmentAddress::Chunk(at) => match self.file_of(at) {
                None => {
                    let track = self.track_of(at).stored()?;
                    if let Some(chunk) = &track.header_chunk
                        && let Place::Bounded { start, .. } = place_of(track, at)?
                        && chunk.is_at(start)
                    {
                        let (made, head) = chunk.fragment();
                        let looked = Looked { read: Bytes::new(), head: Box::new(head.clone()) };
                        let lengths = made.lengths();
                        let view =
                            FragmentView::of_track(self, at, track, start, lengths, Some(&looked));
                        return then(view.with_made(made)).map(Step::Ready);
                    }
                    return match track.made {
                        Some(_) => self.make(at, track, need, then),
                        None => self.probe(at, then),
                    };
                }
                Some(file) => file,
            },
            FragmentAddress::Unannounced(file) => file,
        };
        self.look_at_file(at, then)
    }

    /// Makes a fragment of a progressive file, and goes on with `then`: at once if its group of chunks has
    /// been prepared, else after a read of their part of the sample tables.
    fn make<T: 'static>(
        self: &Arc<Self>,
        at: Located,
        track: &StoredTrack,
        need: Need,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Step<T>, Error> {
        let (Some(made), Place::Bounded { start, bound }) = (&track.made, place_of(track, at)?)
        else {
            return Err(ErrorKind::NoMedia.into());
        };
        let (file, place) = (track.file, start..bound);
        let found =
            made.fragment_at(place.clone(), self.limits()).map_err(|error| error.in_file(file))?;
        let ranges = match found {
            Ok(fragment) => return self.made(at, track, &fragment, need, then).map(Step::Ready),
            Err(ranges) => ranges,
        };
        let wants = ranges.iter().map(|range| Want::Range { file, range: range.clone() }).collect();
        let presentation = Arc::clone(self);
        Ok(Step::read(wants, move |got| {
            let track = presentation.track_of(at).stored()?;
            let mut read = Vec::with_capacity(ranges.len());
            for (range, got) in ranges.iter().zip(got) {
                if let Got::Range(bytes) = got.map_err(|error| Error::from(error).in_file(file))? {
                    read.push((range.start, bytes));
                }
            }
            let made = track.made.as_ref().ok_or(ErrorKind::NoMedia)?;
            let fragment = made.feed(place, &read, presentation.limits());
            let fragment = fragment.map_err(|error| error.in_file(file))?;
            presentation.made(at, track, &fragment, need, then).map(Step::Ready)
        }))
    }

    /// Goes on with a fragment that was made.
    fn made<T>(
        &self,
        at: Located,
        track: &StoredTrack,
        made: &MadeFragment,
        need: Need,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Place::Bounded { start, .. } = place_of(track, at)? else {
            return Err(ErrorKind::NoMedia.into());
        };
        let in_file = |error: Error| error.in_file(track.file);
        let looked = match need {
            Need::Lengths => None,
            Need::Head => {
                let head = made.stored(self.limits()).map_err(in_file)?;
                Some(Looked { read: Bytes::new(), head })
            }
        };
        let (lengths, looked) = (made.lengths(), looked.as_ref());
        let view = FragmentView::of_track(self, at, track, start, lengths, looked);
        then(view.with_made(made)).map_err(in_file)
    }
}

impl<'a> FragmentView<'a> {
    /// Creates a view of a part of a track's file.
    #[inline(always)]
    pub(super) fn of_track(
        presentation: &'a Presentation,
        at: Located,
        track: &StoredTrack,
        start: u64,
        lengths: Lengths,
        looked: Option<&'a Looked>,
    ) -> Self {
        Self {
            presentation,
            kind: presentation.stream_of(at).kind,
            file: track.file,
            owner: Owner::Track {
                track_id: track.track_id,
                time: if presentation.is_grown() { presentation.time_of(at) } else { 0 },
            },
            defaults: track.defaults,
            start,
            lengths,
            looked,
            made: None,
        }
    }

    /// Returns the view of a fragment that is not stored as it is served.
    pub(super) fn with_made(self, made: &'a MadeFragment) -> Self {
        Self { made: Some(made), ..self }
    }

    /// Creates a view of a fragment in a file of its own.
    pub(super) fn of_file(
        presentation: &'a Presentation,
        at: LocatedFile,
        file: FileId,
        own: OwnFile,
        start: u64,
        looked: &'a Looked,
    ) -> Self {
        Self {
            presentation,
            kind: presentation.streams[at.stream].kind,
            file,
            owner: Owner::File(own),
            defaults: Defaults::default(),
            start,
            lengths: looked.head.lengths(),
            looked: Some(looked),
            made: None,
        }
    }

    /// The presentation that it belongs to.
    pub(crate) fn presentation(&self) -> &'a Presentation {
        self.presentation
    }

    /// Its `moof` with its samples, and where its `mdat` is; `None` if it was not
    /// [needed](Need::Head).
    pub(crate) fn head(&self) -> Option<&'a Stored> {
        self.looked.map(|looked| &*looked.head)
    }

    /// Returns the validator of the part that a noun asks for.
    #[inline(always)]
    pub(crate) fn validator(&self, noun: Noun) -> Validator {
        match &self.owner {
            Owner::Track { track_id, time } if self.presentation.is_grown() => {
                let of_track = (self.file, *track_id);
                self.presentation.grown_validator(of_track, *time, self.lengths, noun)
            }
            Owner::Track { track_id, .. } => {
                self.presentation.validator().of_fragment(*track_id, self.start, noun)
            }
            Owner::File(file) => Validator::of_fragment_file(file.content, noun),
        }
    }

    /// Returns how long the answer stays the same.
    #[inline(always)]
    pub(crate) fn liveness(&self) -> Liveness {
        match &self.owner {
            Owner::Track { .. } => self.presentation.liveness(),
            Owner::File(file) => file.liveness,
        }
    }

    /// Returns whether it is stored, and not made of the samples of a progressive file.
    #[inline(always)]
    pub(crate) fn is_stored(&self) -> bool {
        self.made.is_none()
    }

    /// Returns some of its bytes, counted from the first of its `moof`: a range of its file if it
    /// [is stored](Self::is_stored), else written bytes and several ranges.
    pub(crate) fn pieces(&self, bytes: Range<u64>) -> impl Iterator<Item = Piece> + use<> {
        let (stored, made) = match self.made {
            None => (Some(Piece::Stored(self.stored(bytes))), Vec::new()),
            Some(made) => (None, made.pieces(self.file, bytes)),
        };
        stored.into_iter().chain(made).filter(|piece| piece.len() > 0)
    }

    /// Returns some of the bytes of a fragment that [is stored](Self::is_stored), counted from the
    /// first of its `moof`, as a range of its file.
    #[inline(always)]
    pub(crate) fn stored(&self, bytes: Range<u64>) -> StoredRange {
        let range = self.start + bytes.start..self.start + bytes.end;
        match &self.looked {
            Some(looked) => StoredRange::new(self.file, range, &looked.read, self.start),
            None => StoredRange { file: self.file, range, read: Bytes::new(), before: 0 },
        }
    }

    /// Returns whether it is a part of its track's file, which has one version as long as it is open.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn is_part_of_file(&self) -> bool {
        matches!(self.owner, Owner::Track { .. })
    }

    /// Returns the payload of its `mdat`, if it has any bytes.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn payload(&self) -> impl Iterator<Item = Piece> + use<> {
        let range = self.lengths.part(Noun::RawFragments);
        let before = match self.made {
            None => u32::try_from(range.start).unwrap_or(0),
            Some(_) => 0,
        };
        self.pieces(range).map(move |piece| match piece {
            Piece::Stored(stored) => Piece::Stored(StoredRange { before, ..stored }),
            Piece::Bytes(bytes) => Piece::Bytes(bytes),
        })
    }
}
