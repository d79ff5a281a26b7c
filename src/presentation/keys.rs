//! Which chunk of which track a request names: by name, bitrate, attributes and time.

use super::stream::Media;
use super::{Presentation, Stream};
use crate::base::ErrorKind;

/// A chunk of a track, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) stream: usize,
    pub(crate) track: usize,
    pub(crate) chunk: usize,
}

impl Presentation {
    /// Finds what a fragment request names.
    ///
    /// # Errors
    /// [`ErrorKind::NoStream`], [`ErrorKind::NoTrack`], [`ErrorKind::NoFragment`];
    /// [`ErrorKind::NotYet`] for a time behind the last chunk of a live event; for a track that is not served, [`ErrorKind::NoMedia`] or [`ErrorKind::NotSliceable`].
    pub(crate) fn locate(
        &self,
        stream: &str,
        bitrate: u32,
        attributes: &str,
        time: u64,
    ) -> Result<Located, ErrorKind> {
        let (stream, track) = self.find_track(stream, bitrate, attributes)?;
        let of = &self.streams[stream];
        match (&of.tracks[track].media, of.timeline.locate(time)) {
            (Media::Stored(_) | Media::Files(_), Some(chunk)) => {
                Ok(Located { stream, track, chunk })
            }
            _ => self.locate_rounded(stream, track, time),
        }
    }

    /// Returns the chunk for a time that a player has rounded, or the reason why there is none.
    #[cold]
    fn locate_rounded(&self, stream: usize, track: usize, time: u64) -> Result<Located, ErrorKind> {
        self.streams[stream].tracks[track].check_media()?;
        let chunk = self.streams[stream].timeline.locate_double(time);
        let chunk = chunk.ok_or_else(|| self.no_chunk(stream, time))?;
        Ok(Located { stream, track, chunk })
    }

    /// Returns the reason why no chunk of a stream starts at this time.
    #[cold]
    pub(super) fn no_chunk(&self, stream: usize, time: u64) -> ErrorKind {
        let timeline = &self.streams[stream].timeline;
        let last = timeline.len().checked_sub(1).and_then(|last| timeline.chunk(last));
        match self.live().is_some() && last.is_none_or(|(start, _)| start < time) {
            true => ErrorKind::NotYet,
            false => ErrorKind::NoFragment,
        }
    }

    /// The first track whose stream has this name, if its bitrate and attributes are these. This is
    /// what nearly every request names.
    pub(super) fn find_track(
        &self,
        name: &str,
        bitrate: u32,
        attributes: &str,
    ) -> Result<(usize, usize), ErrorKind> {
        for (number, stream) in self.streams.iter().enumerate() {
            if stream.name == name
                && let Some(track) = stream.find_tracks(true, bitrate, attributes).next()
            {
                match stream.tracks[track].is_gone() {
                    false => return Ok((number, track)),
                    true => break,
                }
            }
        }
        self.search_track(name, bitrate, attributes)
    }

    /// Finds a track by the exact name; else by the label; else by the name, then by the label, in another letter
    /// case. Names in URLs lead to the first track, because the first is what players get from other
    /// servers; by another spelling, only one track may fit.
    #[cold]
    fn search_track(
        &self,
        name: &str,
        bitrate: u32,
        attributes: &str,
    ) -> Result<(usize, usize), ErrorKind> {
        let mut error = ErrorKind::NoStream;
        for way in Naming::ALL {
            let named =
                || self.streams.iter().enumerate().filter(|(_, stream)| way.names(stream, name));
            if named().next().is_none() {
                continue;
            }
            error = ErrorKind::NoTrack;
            for is_exact in [true, false] {
                let found = || {
                    named().flat_map(|(number, stream)| {
                        let tracks = stream.find_tracks(is_exact, bitrate, attributes);
                        tracks.map(move |track| (number, track))
                    })
                };
                let is_served = |&(s, t): &(usize, usize)| !self.streams[s].tracks[t].is_gone();
                let mut served = found().filter(is_served);
                let Some(first) = served.next().or_else(|| found().next()) else { continue };
                return match way == Naming::Name || served.all(|other| other.0 == first.0) {
                    true => Ok(first),
                    false => Err(error),
                };
            }
        }
        Err(error)
    }
}

/// The ways in which a name leads to a stream, best first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Name,
    Label,
    NameInOtherCase,
    LabelInOtherCase,
}

impl Naming {
    const ALL: [Self; 4] = [Self::Name, Self::Label, Self::NameInOtherCase, Self::LabelInOtherCase];

    fn names(self, stream: &Stream, name: &str) -> bool {
        match self {
            Self::Name => stream.name == name,
            Self::Label => stream.label() == Some(name),
            Self::NameInOtherCase => is_alike(&stream.name, name),
            Self::LabelInOtherCase => stream.label().is_some_and(|label| is_alike(label, name)),
        }
    }
}

/// The names differ in letter case at most.
fn is_alike(one: &str, other: &str) -> bool {
    match one.is_ascii() && other.is_ascii() {
        true => one.eq_ignore_ascii_case(other),
        false => {
            let lower = one.chars().flat_map(char::to_lowercase);
            lower.eq(other.chars().flat_map(char::to_lowercase))
        }
    }
}
