//! Findings: problems and peculiarities that opening a presentation notices, for its operator.

mod code;
mod counted;
mod cut;
mod findings;
mod label;

use std::cmp::Reverse;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::base::{Error, ErrorKind, Place, piece};
pub use code::{FindingCode, Severity};
pub(crate) use counted::Counted;
pub(crate) use cut::{LONGEST_MESSAGE, cut, shortened};
pub(crate) use findings::Findings;
pub(crate) use label::{Label, Labelled, label};

/// Something about a presentation that its operator may want to know, and perhaps to mend.
///
/// Texts that come from files are cut: names to 256 bytes, messages to 512, with `…` at the cut.
///
/// Two findings are equal if they report the same: of a [cause](Self::cause), only its text counts.
///
/// ```
/// use smooth_origin::presentation::{Finding, Severity};
///
/// /// The lines that an operator should read.
/// fn grave(findings: &[Finding]) -> Vec<String> {
///     let grave = findings.iter().filter(|finding| finding.code.severity() == Severity::Error);
///     grave.map(|finding| format!("{}: {}", finding.code.as_str(), finding.message)).collect()
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of finding.
    pub code: FindingCode,
    /// The file that the finding is about, relative to the store's root.
    pub file: Option<String>,
    /// The name of the stream that the finding is about: by the client manifest, or by the server
    /// manifest if the stream of a track is not known.
    pub stream: Option<String>,
    /// The bitrate of the track that the finding is about, in bits per second. `None` if the
    /// finding is about the whole stream, or if the track has no bitrate.
    pub bitrate: Option<u32>,
    /// Start of the chunk, in ticks of the stream.
    pub chunk: Option<u64>,
    /// The finding in one sentence. It includes the text of the [cause](Self::cause).
    pub message: String,
    cause: Option<Arc<Error>>,
}

/// The message of [`FindingCode::DataOffsetWrong`], at open and later.
pub(crate) const WRONG_OFFSET: &str =
    "the `data_offset` of a `trun` does not lead into the `mdat` that follows the `moof`";

impl Finding {
    /// Returns everything that tells it from another.
    fn key(&self) -> impl Eq + Hash {
        let Self { code, file, stream, bitrate, chunk, message, cause: _ } = self;
        (code, file, stream, bitrate, chunk, message)
    }

    /// A finding about the presentation as a whole.
    pub(crate) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        let message = shortened(message.into(), LONGEST_MESSAGE);
        let (file, stream, bitrate, chunk, cause) = (None, None, None, None, None);
        Self { code, file, stream, bitrate, chunk, message, cause }
    }

    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.file = Some(cut(file).into_owned());
        self
    }

    /// About a stream, or about one of its tracks.
    pub(crate) fn of_track(mut self, track: &(impl Labelled + ?Sized)) -> Self {
        let Label { stream, bitrate } = track.label();
        (self.stream, self.bitrate) = (Some(cut(stream).into_owned()), bitrate);
        self
    }

    /// Keeps the failure that it reports, unless that quotes a long text of a file.
    pub(crate) fn because(mut self, cause: impl Into<Arc<Error>>) -> Self {
        self.cause = Some(cause.into()).filter(|cause| text_of(cause) <= LONGEST_MESSAGE);
        self
    }

    pub(crate) fn at_chunk(mut self, time: Option<u64>) -> Self {
        self.chunk = time;
        self
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, |text| piece(text.len()));
        size_of_val(self)
            + piece(self.message.len())
            + text(&self.file)
            + text(&self.stream)
            + self
                .cause
                .as_ref()
                .map_or(0, |cause| piece(size_of_val(&**cause) + 16) + piece(text_of(cause)))
    }

    /// The failure that the finding reports, if there is one, with its kind and place. Its file is
    /// [`file`](Self::file). `None` as well if the failure quotes more than 512 bytes of a file.
    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_deref()
    }

    /// The stream or track in words: `video`, `video at 1200000`.
    pub fn track(&self) -> Option<String> {
        let stream = self.stream.as_deref()?;
        let label = Label { stream, bitrate: self.bitrate }.to_string();
        Some(cut(&label).into_owned())
    }

    /// The severity of its code.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// Returns what findings are sorted by: the gravest first, and of equally grave ones those about
    /// whole files, which are the reason for others. That some were left out comes last.
    pub(crate) fn rank(&self) -> (Reverse<Severity>, u8) {
        use FindingCode::*;
        let rank = match self.code {
            FileMissing | FileUnreadable | NameRefused | FileBroken | NeedsPackaging
            | RecordingCutOff | ScanGivenUp | BudgetExceeded => 0,
            FindingsLeftOut => 2,
            _ => 1,
        };
        (Reverse(self.severity()), rank)
    }

    /// The finding for clients: without the names of files and streams, and without what the
    /// storage said. Only the messages of the codes below are made of numbers and words of formats.
    pub(crate) fn public(&self) -> String {
        use FindingCode::*;
        let what = match self.code {
            FileBroken | NeedsPackaging | NotSliceable | IndexMissing | IndexBroken
            | ScanGivenUp | BudgetExceeded | RecordingCutOff | TrackMissing | FragmentBroken
            | SamplesEncrypted | SamplesElsewhere | TimesInvalid => &*self.message,
            FragmentFileMissing => "fragments have no files",
            FileMissing => "a file that the server manifest names is missing",
            FileUnreadable => "a media file cannot be read",
            NameRefused => "a name in the server manifest leads out of the presentation",
            code => return code.to_string(),
        };
        format!("{}: {what}", self.code)
    }
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Finding {}

impl Hash for Finding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// `error file-missing: films/a.ismv, video at 300000, chunk 20000000: it is not there`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.severity(), self.code)?;
        let chunk = self.chunk.map(|time| format!("chunk {time}"));
        let track = self.track();
        let place = [self.file.as_deref(), track.as_deref(), chunk.as_deref()];
        let place: Vec<_> = place.into_iter().flatten().collect();
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        f.write_str(&self.message)
    }
}

/// Bytes of the texts that an error keeps.
fn text_of(error: &Error) -> usize {
    let kind = match &error.kind {
        ErrorKind::Invalid { what, .. } => what.len(),
        ErrorKind::Xml(text) => text.len(),
        ErrorKind::NothingToServe { findings, public } => findings.len() + public.len(),
        _ => 0,
    };
    let place = match &error.place {
        Place::Box { path, .. } => size_of_val(&**path),
        Place::Xml { element, .. } => element.len(),
        _ => 0,
    };
    kind + place
}

#[cfg(test)]
mod tests {
    use super::cut::LONGEST_NAME;
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let name = "é".repeat(4000);
        let finding = Finding::new(FindingCode::FileBroken, name.clone());
        let finding = finding.in_file(&name).of_track(&label(&name, 5));
        let lengths = [finding.file.clone(), finding.track()].map(|text| text.unwrap().len());
        assert!(lengths.iter().all(|&len| (250..=LONGEST_NAME).contains(&len)), "{lengths:?}");
        assert!((500..=LONGEST_MESSAGE).contains(&finding.message.len()));
        assert!(finding.message.ends_with("é…"));
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn a_cause_that_quotes_much_is_not_kept() {
        let caused = |len: usize| {
            let cause = Error::from(ErrorKind::Xml("x".repeat(len)));
            Finding::new(FindingCode::ManifestGenerated, "x").because(cause)
        };
        assert!(caused(LONGEST_MESSAGE).cause().is_some());
        assert!(caused(LONGEST_MESSAGE).memory() > LONGEST_MESSAGE);
        assert!(caused(LONGEST_MESSAGE + 1).cause().is_none());
        assert_eq!(caused(1), caused(2), "two findings with one text are one");
    }
}
