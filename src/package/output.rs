//! The files that are written, each as pieces.

use std::collections::VecDeque;

use bytes::Bytes;

use super::track::Track;
use crate::base::Error;
use crate::fragment::written::Sample;
use crate::presentation::{Piece, StoredRange};

/// A presentation that can be written. It holds about two bytes a sample, and no media.
#[derive(Debug)]
pub struct Package {
    pub(super) outputs: Vec<Output>,
    pub(super) notices: Vec<String>,
}

impl Package {
    /// Its files. Those with media come first, then the client manifest, and the server manifest, by
    /// which the presentation is found, comes last.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Sentences about parts of the inputs that are left out, and about contradictions in them that do no harm.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }
}

/// A file of a package.
#[derive(Debug)]
pub struct Output {
    pub(super) name: String,
    pub(super) len: u64,
    /// Its first bytes: all of a manifest.
    pub(super) header: Bytes,
    pub(super) tracks: Vec<Track>,
    pub(super) end: Bytes,
}

impl Output {
    /// Its file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Its pieces in order: bytes that are written, and ranges of inputs, whose
    /// [`FileId`](crate::base::FileId) is their place in the list of inputs. Each walk makes them
    /// anew, one chunk at a time.
    pub fn pieces(&self) -> Pieces<'_> {
        Pieces {
            output: self,
            next: vec![0; self.tracks.len()],
            queue: [Piece::Bytes(self.header.clone())].into(),
            samples: Vec::new(),
            is_at_end: false,
        }
    }
}

/// The pieces of an output, in order.
///
/// # Errors
/// None that [`package`](super::package) has not found: it makes each fragment's head once.
#[derive(Debug)]
pub struct Pieces<'a> {
    output: &'a Output,
    /// Next chunk of each track.
    next: Vec<usize>,
    queue: VecDeque<Piece>,
    samples: Vec<Sample>,
    is_at_end: bool,
}

impl Iterator for Pieces<'_> {
    type Item = Result<Piece, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.queue.is_empty()
            && let Err(error) = self.fill()
        {
            self.is_at_end = true;
            return Some(Err(error));
        }
        self.queue.pop_front().map(Ok)
    }
}

impl Pieces<'_> {
    fn fill(&mut self) -> Result<(), Error> {
        let Some(at) = next_track(&self.output.tracks, &self.next) else {
            if !self.is_at_end && !self.output.end.is_empty() {
                self.queue.push_back(Piece::Bytes(self.output.end.clone()));
            }
            self.is_at_end = true;
            return Ok(());
        };
        if self.is_at_end {
            return Ok(());
        }
        let track = &self.output.tracks[at];
        let fragment = track.fragment(self.next[at], &mut self.samples)?;
        self.next[at] += 1;
        self.queue.push_back(Piece::Bytes(fragment.head));
        if !fragment.written.is_empty() {
            self.queue.push_back(Piece::Bytes(fragment.written));
        }
        let file = fragment.file;
        let stored = |range| Piece::Stored(StoredRange::new(file, range, &Bytes::new(), 0));
        self.queue.extend(fragment.ranges.map(stored));
        Ok(())
    }
}

/// The track whose next chunk starts first; of several, the first one.
pub(super) fn next_track(tracks: &[Track], next: &[usize]) -> Option<usize> {
    let starts = tracks.iter().zip(next).enumerate();
    let starts = starts.filter_map(|(at, (track, &chunk))| Some((track.start(chunk)?, at)));
    starts.min().map(|(_, at)| at)
}
