//! Parts of captions that other forms cannot keep, as findings.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::base::Error;
use crate::captions::{Loss, LossKind};
use crate::presentation::finding::{Finding, FindingCode, label};
use crate::presentation::{Located, Presentation};

/// Kinds of losses that were reported, by stream and track; `None` for a document that cannot be read.
#[derive(Debug, Default)]
pub(super) struct ReportedLosses(Mutex<HashSet<(usize, usize, Option<LossKind>)>>);

impl ReportedLosses {
    /// Returns whether it is the first one of this kind of the track.
    fn is_first(&self, at: Located, kind: Option<LossKind>) -> bool {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reported.insert((at.stream, at.track, kind))
    }
}

impl Presentation {
    /// Reports the losses of a document of a chunk: each kind once per track, whatever the form.
    pub(crate) fn notice_losses(&self, at: Located, losses: &[Loss]) {
        for loss in losses {
            if self.segmented.reported.losses.is_first(at, Some(loss.kind)) {
                let code = match loss.kind {
                    LossKind::Image | LossKind::Time => FindingCode::CaptionsLost,
                    LossKind::Region
                    | LossKind::Layout
                    | LossKind::Animation
                    | LossKind::Ruby
                    | LossKind::Colour
                    | LossKind::Style => FindingCode::CaptionsSimplified,
                };
                self.notice_caption(at, Finding::new(code, loss.to_string()));
            }
        }
    }

    /// Reports a document of a chunk that cannot be read, once per track.
    pub(crate) fn notice_unreadable(&self, at: Located, error: &Error) {
        if self.segmented.reported.losses.is_first(at, None) {
            let message = format!("a document cannot be read: {error}");
            self.notice_caption(at, Finding::new(FindingCode::CaptionsLost, message));
        }
    }

    fn notice_caption(&self, at: Located, finding: Finding) {
        let (stream, track) = (self.stream_of(at), self.track_of(at));
        let finding = finding.of_track(&label(&stream.name, track.bitrate));
        self.notice(finding.at_chunk(stream.timeline.chunk(at.chunk).map(|chunk| chunk.0)));
    }
}
