//! Events of an origin, for its host's log.

use std::fmt::{self, Write};
use std::io;
use std::time::Duration;

use crate::base::{Error, ErrorKind, Name, ReadErrorKind};
#[cfg(feature = "live")]
use crate::live::LiveEvent;
use crate::presentation::{Finding, Presentation, Severity};

/// Something that an operator may want to know: see
/// [`OriginBuilder::on_event`](super::OriginBuilder::on_event).
///
/// `Display` writes one line with the cause. Control characters in names and messages are escaped,
/// so that content cannot forge a line of a log.
///
/// ```
/// use smooth_origin::Origin;
/// use smooth_origin::origin::{Event, Level};
/// use smooth_origin::storage::MemoryStore;
///
/// let origin = Origin::builder(MemoryStore::new())
///     .on_event(|event| match event {
///         Event::Opened { presentation, .. } => {
///             println!("{} has {} findings", presentation.name(), presentation.findings().len());
///         }
///         other if other.level() >= Level::Warn => eprintln!("{other}"),
///         _ => {}
///     })
///     .build();
/// # let _ = origin;
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A presentation was opened. It may still have grave findings, or no track that can be served:
    /// see [`level`](Self::level).
    #[non_exhaustive]
    Opened {
        /// The server manifest.
        name: &'a Name,
        /// The opened presentation, with its findings.
        presentation: &'a Presentation,
        /// Time that the opening took, by the origin's clock.
        took: Duration,
        /// True if it replaces an earlier opening of the same name, whose files have changed.
        replaces: bool,
    },
    /// A presentation could not be opened. Not reported for a name that never was a presentation.
    #[non_exhaustive]
    OpeningFailed {
        /// The server manifest.
        name: &'a Name,
        /// Why the opening failed.
        error: &'a Error,
        /// Time that the opening took, by the origin's clock.
        took: Duration,
    },
    /// The files of a presentation have changed for the worse: players would lose something if the
    /// new version were served. The origin serves the old version, as far as its files can still be
    /// read, until the new one is no worse or the grace is over. Reported once per grace.
    #[non_exhaustive]
    ReplacementWaits {
        /// The server manifest.
        name: &'a Name,
        /// The loss of players.
        why: &'a str,
        /// The longest time for which the new version waits:
        /// [`OriginBuilder::replace_grace`](super::OriginBuilder::replace_grace).
        grace: Duration,
    },
    /// A file of a presentation changed a moment ago, so its current files are not opened yet: see
    /// [`OriginBuilder::settling_time`](super::OriginBuilder::settling_time). Reported like a
    /// failure.
    #[non_exhaustive]
    Unsettled {
        /// The server manifest.
        name: &'a Name,
        /// The error, which says which file changed.
        error: &'a Error,
        /// True if the version that was opened before continues to be served, except for fragments
        /// of files that were rewritten in place. Otherwise all requests for the presentation are
        /// answered with 503.
        is_served: bool,
    },
    /// A request, or a body that was begun, failed because of the content or the storage.
    #[non_exhaustive]
    RequestFailed {
        /// The server manifest, or the file beside the presentations, that was requested.
        name: &'a Name,
        /// The file in which the error occurred, if it is known.
        file: Option<&'a Name>,
        /// Why the request failed, and where in the file.
        error: &'a Error,
    },
    /// A request revealed a finding that the opening of its presentation had not made. Reported once
    /// per opening.
    #[non_exhaustive]
    LateFinding {
        /// The server manifest.
        name: &'a Name,
        /// The new finding.
        finding: &'a Finding,
    },
    /// An index file could not be read or kept: see
    /// [`OriginBuilder::index_store`](super::OriginBuilder::index_store). The media file was walked
    /// through, or will be by the next opening.
    #[non_exhaustive]
    IndexFileFailed {
        /// The media file.
        name: &'a Name,
        /// The error of the index store.
        error: &'a io::Error,
    },
    /// Something has happened at a publishing point: its state, an encoder, a gap.
    #[cfg(feature = "live")]
    #[non_exhaustive]
    Live {
        /// The publishing point.
        name: &'a Name,
        /// The event of the point.
        event: &'a LiveEvent,
    },
    /// A push was refused, or ended because nothing more could be taken of it. Reported like a failure.
    #[cfg(feature = "live")]
    #[non_exhaustive]
    PushRefused {
        /// The publishing point, if the path of the request names one.
        name: Option<&'a Name>,
        /// The stream that was pushed, and where from, as far as they are known.
        what: &'a str,
        /// The status of the response.
        status: u16,
        /// The reason.
        why: &'a str,
    },
    /// The archive of a publishing point does not take what was published. Reported like a failure.
    #[cfg(feature = "live")]
    #[non_exhaustive]
    ArchiveFailed {
        /// The publishing point.
        name: &'a Name,
        /// The error of the archive.
        error: &'a io::Error,
    },
    /// Some failures were not reported, because the same failure, or too many others, had been
    /// reported shortly before.
    #[non_exhaustive]
    LeftOut {
        /// Number of failures that were not reported.
        count: u64,
    },
}

/// The importance of an [`Event`].
///
/// ```
/// use smooth_origin::origin::Level;
///
/// assert!(Level::Error > Level::Warn && Level::Warn > Level::Info);
/// assert_eq!(Level::Warn.to_string(), "warn");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing needs attention.
    Info,
    /// Something may need attention, or may pass by itself: a part of a presentation is not served,
    /// or the origin has too much to do.
    Warn,
    /// Something is not served.
    Error,
}

impl Event<'_> {
    /// A stable word for the variant, such as `opening-failed`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::OpeningFailed { .. } => "opening-failed",
            Self::ReplacementWaits { .. } => "replacement-waits",
            Self::Unsettled { .. } => "unsettled",
            Self::RequestFailed { .. } => "request-failed",
            Self::LateFinding { .. } => "late-finding",
            Self::IndexFileFailed { .. } => "index-file-failed",
            #[cfg(feature = "live")]
            Self::Live { event, .. } => event.kind(),
            #[cfg(feature = "live")]
            Self::PushRefused { .. } => "push-refused",
            #[cfg(feature = "live")]
            Self::ArchiveFailed { .. } => "archive-failed",
            Self::LeftOut { .. } => "left-out",
        }
    }

    /// The server manifest, or the file beside the presentations, that the event is about.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Self::Opened { name, .. }
            | Self::OpeningFailed { name, .. }
            | Self::ReplacementWaits { name, .. }
            | Self::Unsettled { name, .. }
            | Self::RequestFailed { name, .. }
            | Self::LateFinding { name, .. }
            | Self::IndexFileFailed { name, .. } => Some(name),
            #[cfg(feature = "live")]
            Self::Live { name, .. } | Self::ArchiveFailed { name, .. } => Some(name),
            #[cfg(feature = "live")]
            Self::PushRefused { name, .. } => *name,
            Self::LeftOut { .. } => None,
        }
    }

    /// The code of the error or finding, if the event has one: [`ErrorKind::code`] or
    /// [`FindingCode::as_str`](crate::presentation::FindingCode::as_str).
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::OpeningFailed { error, .. }
            | Self::Unsettled { error, .. }
            | Self::RequestFailed { error, .. } => Some(error.kind.code()),
            Self::Opened { presentation, .. } => {
                presentation.manifest().err().map(|error| error.kind.code())
            }
            Self::LateFinding { finding, .. } => Some(finding.code.as_str()),
            Self::ReplacementWaits { .. } | Self::IndexFileFailed { .. } | Self::LeftOut { .. } => {
                None
            }
            #[cfg(feature = "live")]
            Self::Live { .. } | Self::PushRefused { .. } | Self::ArchiveFailed { .. } => None,
        }
    }

    /// The file in which an error or a late finding occurred, if it is known.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::RequestFailed { file, .. } => file.map(Name::as_str),
            Self::LateFinding { finding, .. } => finding.file.as_deref(),
            _ => None,
        }
    }

    /// Time that an opening took, by the origin's clock.
    pub fn took(&self) -> Option<Duration> {
        match self {
            Self::Opened { took, .. } | Self::OpeningFailed { took, .. } => Some(*took),
            _ => None,
        }
    }

    /// The importance of the event.
    pub fn level(&self) -> Level {
        match self {
            Self::Opened { presentation, .. } if presentation.manifest().is_err() => Level::Error,
            Self::Opened { presentation, .. } => match gravest(presentation) {
                Some(finding) if finding.severity() == Severity::Error => Level::Warn,
                _ => Level::Info,
            },
            Self::OpeningFailed { error, .. } | Self::RequestFailed { error, .. } => {
                level_of(error)
            }
            // This passes by itself, and every replacement by rename begins with it.
            Self::Unsettled { is_served: true, .. } => Level::Info,
            Self::Unsettled { .. }
            | Self::ReplacementWaits { .. }
            | Self::IndexFileFailed { .. }
            | Self::LeftOut { .. } => Level::Warn,
            #[cfg(feature = "live")]
            Self::Live { event: LiveEvent::Notice(notice), .. } if notice.kind.is_warning() => {
                Level::Warn
            }
            #[cfg(feature = "live")]
            Self::Live { .. } => Level::Info,
            #[cfg(feature = "live")]
            Self::PushRefused { .. } => Level::Warn,
            #[cfg(feature = "live")]
            Self::ArchiveFailed { .. } => Level::Error,
            Self::LateFinding { finding, .. } => level_of_severity(finding.severity()),
        }
    }
}

fn level_of_severity(severity: Severity) -> Level {
    match severity {
        Severity::Info => Level::Info,
        Severity::Warning => Level::Warn,
        Severity::Error => Level::Error,
    }
}

fn level_of(error: &Error) -> Level {
    match &error.kind {
        ErrorKind::Busy(_) => Level::Warn,
        // The next request gets what is stored now.
        ErrorKind::Read(read) => match read.kind {
            ReadErrorKind::Changed | ReadErrorKind::Unsettled { .. } => Level::Warn,
            _ => Level::Error,
        },
        _ => Level::Error,
    }
}

/// The first of the gravest findings.
fn gravest(presentation: &Presentation) -> Option<Finding> {
    presentation.findings().into_iter().next()
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        match self {
            Self::Opened { name, presentation, took, replaces } => {
                let again = if *replaces { " again" } else { "" };
                write!(line, "{name}: opened{again} in {}: ", Taken(*took))?;
                write_opened(&mut line, presentation)
            }
            Self::OpeningFailed { name, error, took } => {
                write!(line, "{name}: cannot be opened: {error} (after {})", Taken(*took))
            }
            Self::ReplacementWaits { name, why, grace } => write!(
                line,
                "{name}: its files have changed, and players would lose by it ({why}): served as before for up to {}",
                Taken(*grace)
            ),
            Self::Unsettled { name, error, is_served: true } => {
                write!(line, "{name}: served as before, as far as its files are intact: {error}")
            }
            Self::Unsettled { name, error, .. } => write!(line, "{name}: not served yet: {error}"),
            Self::RequestFailed { name, file: Some(file), error } if name != file => {
                write!(line, "{name}: a request failed: {file}: {error}")
            }
            Self::RequestFailed { name, error, .. } => {
                write!(line, "{name}: a request failed: {error}")
            }
            Self::LateFinding { name, finding } => write!(line, "{name}: {finding}"),
            Self::IndexFileFailed { name, error } => {
                write!(line, "{name}: its index file cannot be read or kept: {error}")
            }
            #[cfg(feature = "live")]
            Self::Live { name, event } => write!(line, "{name}: {event}"),
            #[cfg(feature = "live")]
            Self::PushRefused { name, what, status, why } => {
                if let Some(name) = name {
                    write!(line, "{name}: ")?;
                }
                write!(line, "a push ({what}) was refused with {status}: {why}")
            }
            #[cfg(feature = "live")]
            Self::ArchiveFailed { name, error } => {
                write!(line, "{name}: the archive does not take what was published: {error}")
            }
            Self::LeftOut { count } => {
                write!(line, "{count} more failures, like those reported or too many to report")
            }
        }
    }
}

fn write_opened(line: &mut impl Write, presentation: &Presentation) -> fmt::Result {
    let mut repeats_findings = false;
    if let Err(error) = presentation.manifest() {
        repeats_findings = matches!(error.kind, ErrorKind::NothingToServe { .. });
        write!(line, "{error}")?;
    } else {
        let tracks = presentation.streams().iter().flat_map(|stream| stream.tracks());
        let (all, served) = (tracks.clone().count(), tracks.filter(|t| t.is_served()));
        write!(line, "tracks served: {} of {all}", served.count())?;
    }
    let findings = presentation.findings();
    let count = |severity| findings.iter().filter(|f| f.severity() == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    match findings.first().filter(|first| first.severity() > Severity::Info) {
        Some(first) => {
            write!(line, ", errors: {errors}, warnings: {warnings}")?;
            if repeats_findings { Ok(()) } else { write!(line, ", first: {first}") }
        }
        None => Ok(()),
    }
}

/// Seconds and milliseconds: `0.012 s`, `30 s`.
struct Taken(Duration);

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_secs(), self.0.subsec_millis()) {
            (0, 0) if !self.0.is_zero() => f.write_str("less than 1 ms"),
            (seconds, 0) => write!(f, "{seconds} s"),
            (seconds, millis) => write!(f, "{seconds}.{millis:03} s"),
        }
    }
}

/// Escapes what would end a line or hide a part of it.
pub(crate) struct OneLine<'a, 'f>(pub(crate) &'a mut fmt::Formatter<'f>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(char::is_control) {
            match part.char_indices().next_back() {
                Some((at, last)) if last.is_control() => {
                    self.0.write_str(&part[..at])?;
                    write!(self.0, "{}", last.escape_default())?;
                }
                _ => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presentation::FindingCode;

    #[test]
    fn an_event_is_one_line_whatever_it_names() {
        let name = Name::new("films/a.ism").unwrap();
        let finding = Finding::new(FindingCode::FragmentBroken, "no\r\nerror b.ism: \u{1b}[2J");
        let line = Event::LateFinding { name: &name, finding: &finding }.to_string();
        let expected = "films/a.ism: error fragment-broken: no\\r\\nerror b.ism: \\u{1b}[2J";
        assert_eq!(line, expected);
        let error = Error::from(ErrorKind::Xml("line\u{85}".into()));
        let took = Duration::from_millis(1012);
        let line = Event::OpeningFailed { name: &name, error: &error, took }.to_string();
        let expected =
            "films/a.ism: cannot be opened: not well-formed XML: line\\u{85} (after 1.012 s)";
        assert_eq!(line, expected);
    }
}
