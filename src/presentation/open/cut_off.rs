//! Files that were cut off: the end of a copy or a recording that is not whole.

use super::media::MediaFile;
use super::tracks::MediaTrack;
use crate::base::FourCc;
use crate::index::Outcome;
use crate::manifest::StreamKind;
use crate::presentation::finding::{Counted, Finding, FindingCode};

/// The box at the end of a file that the file does not hold to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct CutOff {
    /// Its first byte: everything before it is whole.
    at: u64,
    /// `None` if not even its header is there.
    kind: Option<FourCc>,
}

impl CutOff {
    /// Returns the box that is not whole, if that ended the walk.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        match *outcome {
            Outcome::CutOff { at, kind } => Some(Self { at, kind }),
            Outcome::Walking | Outcome::End | Outcome::Lost(_) => None,
        }
    }

    /// Returns whether only the index is not whole: all fragments are there.
    pub(super) fn is_in_index(self) -> bool {
        self.kind.is_some_and(|kind| kind == *b"mfra")
    }

    /// Returns the finding about the file; `None` if nothing but its index is lost, which the
    /// tracks report.
    pub(super) fn finding(self, file: &MediaFile) -> Option<Finding> {
        let Self { at, kind } = self;
        if self.is_in_index() {
            return None;
        }
        if file.mfra.is_empty() {
            let message = self.message(file);
            return Some(Finding::new(FindingCode::RecordingCutOff, message));
        }
        // The index is the end of a file: what lost bytes is not the end.
        Some(match kind {
            Some(kind) => {
                let message = format!("the box `{kind}` at byte {at} is longer than the file");
                Finding::new(FindingCode::FragmentBroken, message)
            }
            None => {
                let message = format!("the last bytes, from byte {at} on, are no box");
                Finding::new(FindingCode::BoxUnreadable, message)
            }
        })
    }

    fn message(self, file: &MediaFile) -> String {
        let size = file.size;
        let is_fragment = self.kind.is_some_and(|kind| kind == *b"moof" || kind == *b"mdat");
        let what = if is_fragment { "fragment" } else { "box" };
        let cut = format!(
            "the file was cut off: it ends at byte {size}, inside the {what} that begins at byte {}",
            self.at
        );
        let tracks = file.tracks.as_deref().unwrap_or_default();
        let is_begun = |track: &&MediaTrack| count(track) > 0;
        let begun: Vec<&MediaTrack> = tracks.iter().filter(is_begun).collect();
        let fragments = begun.iter().map(|track| count(track)).sum();
        if fragments == 0 {
            return format!("{cut}; it has no whole fragment");
        }
        let of_tracks = match tracks.len() {
            1 => String::new(),
            all if all == begun.len() => format!(" of {}", Counted(all, "track")),
            all => format!(" of {} of its {all} tracks", begun.len()),
        };
        let whole = Counted(fragments, "whole fragment");
        format!("{cut}; it has {whole}{of_tracks}{}", length(&begun))
    }
}

/// Describes for how long all tracks have their fragments, from their first one on. Text ends with its
/// last words, so it counts only if there is nothing else.
fn length(tracks: &[&MediaTrack]) -> String {
    let length = |track: &&MediaTrack| {
        let fragments = track.fragments.as_ref().ok()?;
        let (first, last) = (fragments.first()?.time, fragments.last()?.time);
        let ticks = last.abs_diff(first).saturating_add(track.last_duration.unwrap_or(0));
        Some((track.kind == Some(StreamKind::Text), ticks as f64 / track.timescale.get() as f64))
    };
    let lengths = tracks.iter().filter_map(length);
    let least = lengths.reduce(|one, other| if other < one { other } else { one });
    least.map_or_else(String::new, |(_, seconds)| format!(", the first {seconds:.3} s"))
}

fn count(track: &MediaTrack) -> usize {
    track.fragments.as_ref().map_or(0, Vec::len)
}
