//! Findings of a survey, summed up per track and kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Surveyed;
use crate::base::Error;
use crate::presentation::finding::{FindingCode, LONGEST_MESSAGE, label, shortened};
use crate::presentation::stream::Media;
use crate::presentation::{Finding, Presentation};

/// Reports by track and code. Their number does not depend on the number of fragments.
#[derive(Default)]
pub(super) struct Reports {
    reports: BTreeMap<(usize, FindingCode), Report>,
}

/// A fault of a fragment.
pub(super) struct Fault {
    code: FindingCode,
    message: String,
    /// The failure that the message reports.
    cause: Option<Error>,
}

impl Fault {
    pub(super) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), cause: None }
    }

    /// Makes a fault of a failure.
    pub(super) fn of(code: FindingCode, error: Error) -> Self {
        Self { code, message: error.to_string(), cause: Some(error) }
    }
}

/// One kind of finding about a track.
struct Report {
    /// The number of the first chunk, and the message about it.
    first: usize,
    message: String,
    cause: Option<Arc<Error>>,
    /// Number of chunks with the finding.
    count: u64,
}

impl Reports {
    /// Adds a fault of a chunk of a track.
    pub(super) fn add(&mut self, track: usize, chunk: usize, fault: Fault) {
        let Fault { code, message, cause } = fault;
        let empty = || Report { first: usize::MAX, message: String::new(), cause: None, count: 0 };
        let report = self.reports.entry((track, code)).or_insert_with(empty);
        report.count += 1;
        // A chunk that takes another read is judged after later ones.
        if chunk < report.first {
            report.first = chunk;
            // The number of chunks goes in front.
            report.message = shortened(message, LONGEST_MESSAGE - LONGEST_COUNT);
            report.cause = cause.map(Arc::new);
        }
    }

    /// Turns the reports into findings.
    pub(super) fn findings(
        &self,
        presentation: &Presentation,
        tracks: &[Surveyed],
    ) -> Vec<Finding> {
        let finding = |(&(number, code), report): (&(usize, FindingCode), &Report)| {
            let surveyed = tracks.get(number)?;
            let stream = presentation.streams.get(surveyed.stream)?;
            let track = stream.tracks.get(surveyed.track)?;
            let time = stream.timeline.chunk(report.first).map(|chunk| chunk.0);
            let (all, file) = match &track.media {
                Media::Stored(stored) => {
                    (stored.fragments.len(), presentation.file_name(stored.file))
                }
                Media::Files(files) => {
                    let name = time.and_then(|time| files.name(time).ok());
                    let name = name.as_ref().unwrap_or(files.folder());
                    (stream.timeline.len(), name.to_string())
                }
                Media::Absent(_) => return None,
            };
            let message = match (report.count, all) {
                (1, _) => report.message.clone(),
                (count, all) => {
                    format!("{count} of {all} fragments; the first: {}", report.message)
                }
            };
            let finding = Finding::new(code, message)
                .of_track(&label(&stream.name, track.bitrate))
                .at_chunk(time)
                .in_file(&file);
            Some(match &report.cause {
                Some(cause) => finding.because(cause.clone()),
                None => finding,
            })
        };
        self.reports.iter().filter_map(finding).collect()
    }
}

/// Maximum bytes that the number of chunks takes in a message.
const LONGEST_COUNT: usize = 80;
