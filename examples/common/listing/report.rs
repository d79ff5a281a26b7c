//! The state of presentations, as lines to print.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use smooth_origin::base::{Error, ErrorKind, Name};
use smooth_origin::origin::Opened;
use smooth_origin::presentation::{Finding, Severity};

use crate::formats::Format;
use crate::{Stored, Trouble};

/// The result of an opening, or the reason why it is not known.
pub(crate) type Outcome = Result<Result<Arc<Opened>, Error>, String>;

/// The health of a presentation.
#[derive(Debug, PartialEq, Eq)]
enum Health {
    /// All of it is served as it should be.
    Fine,
    /// All of it is served, with the first warning.
    Warned(String),
    /// Some of it is not served: the first error.
    Failed(String),
    /// Nothing of it is served, and why.
    NotServed(String),
}

/// Presentations by their health.
pub(super) struct Report {
    scheme: &'static str,
    address: SocketAddr,
    formats: Vec<Format>,
    fine: usize,
    warned: Vec<Problem>,
    failed: Vec<Problem>,
    not_served: Vec<Problem>,
    /// Number of presentations that were not opened because time ran out.
    given_up: usize,
}

struct Problem {
    name: Name,
    /// URLs in each format, the one of Smooth Streaming first.
    urls: Vec<String>,
    what: String,
}

/// Number of presentations with problems of one kind that are printed.
const MOST_PROBLEMS: usize = 10;

/// Messages of more characters are cut.
const MAX_MESSAGE: usize = 300;

impl Health {
    /// Returns the health of a presentation by the result of its opening.
    fn of(outcome: &Outcome, stored: Option<&Stored>) -> Self {
        let opened = match outcome {
            Ok(Ok(opened)) => opened,
            Ok(Err(error)) => {
                return Self::NotServed(cut(&Trouble::of_opening(error, stored).to_string()));
            }
            Err(reason) => return Self::NotServed(reason.clone()),
        };
        let presentation = opened.presentation();
        let mut findings = crate::findings(presentation);
        if let Some(stored) = stored {
            crate::explain_links(&mut findings, presentation.name().as_str(), stored);
        }
        match presentation.manifest() {
            Ok(_) => Self::with_findings(&findings),
            Err(error) => {
                let first = findings.iter().find(|finding| finding.severity() == Severity::Error);
                Self::NotServed(match (&error.kind, first) {
                    // The error has no file; its finding has.
                    (
                        ErrorKind::NotSliceable(_) | ErrorKind::NothingToServe { .. },
                        Some(first),
                    ) => with_advice(first),
                    _ => Trouble::of_manifest(&error, &findings).to_string(),
                })
            }
        }
    }

    /// The gravest finding comes first.
    fn with_findings(findings: &[Finding]) -> Self {
        let mut grave = findings.iter().filter(|finding| finding.severity() > Severity::Info);
        let Some(first) = grave.next() else { return Self::Fine };
        let mut what = with_advice(first);
        match grave.count() {
            0 => {}
            1 => what.push_str(" (and 1 more finding)"),
            more => what.push_str(&format!(" (and {more} more findings)")),
        }
        match first.severity() {
            Severity::Error => Self::Failed(what),
            Severity::Info | Severity::Warning => Self::Warned(what),
        }
    }
}

impl Report {
    /// For a server that listens there and serves these formats.
    pub(super) fn new(scheme: &'static str, address: SocketAddr, formats: Vec<Format>) -> Self {
        let (warned, failed, not_served) = (Vec::new(), Vec::new(), Vec::new());
        Self { scheme, address, formats, fine: 0, warned, failed, not_served, given_up: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        let problems = [&self.warned, &self.failed, &self.not_served];
        self.fine + self.given_up == 0 && problems.iter().all(|problems| problems.is_empty())
    }

    /// Takes note of a presentation. Returns the lines with its URLs if it is fine.
    pub(super) fn add(
        &mut self,
        name: &Name,
        outcome: Outcome,
        stored: Option<&Stored>,
    ) -> Vec<String> {
        let urls = match &outcome {
            Ok(Ok(opened)) => self.urls(name, opened),
            _ => Vec::new(),
        };
        self.add_health(name, Health::of(&outcome, stored), urls)
    }

    fn add_health(&mut self, name: &Name, health: Health, urls: Vec<String>) -> Vec<String> {
        let (problems, what) = match health {
            Health::Fine => {
                self.fine += 1;
                return urls;
            }
            Health::Warned(what) => (&mut self.warned, what),
            Health::Failed(what) => (&mut self.failed, what),
            Health::NotServed(what) => (&mut self.not_served, what),
        };
        problems.push(Problem { name: name.clone(), urls, what });
        Vec::new()
    }

    /// Takes note of the number of presentations that were not opened.
    pub(super) fn give_up(&mut self, count: usize) {
        self.given_up = count;
    }

    /// Lines for the presentations that are not fine, the worst last; no more of a kind than
    /// [`MOST_PROBLEMS`].
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let served = |problems: &[Problem], kind| {
            let few = problems.iter().take(MOST_PROBLEMS);
            let lines =
                few.flat_map(|of| of.urls.iter().cloned().chain([format!("  {}", of.what)]));
            lines.chain(more(problems, kind)).collect::<Vec<_>>()
        };
        let not_served = self.not_served.iter().take(MOST_PROBLEMS);
        let not_served =
            not_served.map(|Problem { name, what, .. }| format!("{name} is not served: {what}"));
        let given_up = (self.given_up > 0).then(|| {
            format!(
                "not looked at: {} presentations, because the others took so long",
                self.given_up
            )
        });
        let served = served(&self.warned, "with warnings")
            .into_iter()
            .chain(served(&self.failed, "with errors"));
        served
            .chain(not_served)
            .chain(more(&self.not_served, "that are not served"))
            .chain(given_up)
    }

    /// `96 fine, 3 with errors, 1 not served; first problem: …`
    pub(super) fn summary(&self) -> String {
        let mut summary = format!("{} fine", self.fine);
        let counts = [
            (self.warned.len(), "with warnings"),
            (self.failed.len(), "with errors"),
            (self.not_served.len(), "not served"),
            (self.given_up, "not looked at"),
        ];
        for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
            summary.push_str(&format!(", {count} {what}"));
        }
        let worst = [&self.not_served, &self.failed, &self.warned];
        if let Some(Problem { name, what, .. }) = worst.iter().find_map(|problems| problems.first())
        {
            summary.push_str(&format!("; first problem: {name}: {what}"));
        }
        summary
    }

    /// Returns lines with the URL of a presentation in each format that it has; those behind the first
    /// are indented.
    fn urls(&self, name: &Name, opened: &Opened) -> Vec<String> {
        let (scheme, address) = (self.scheme, reached(self.address));
        let has = |format: &&Format| format.check(opened.presentation()).is_ok();
        let formats = self.formats.iter().filter(has);
        let urls =
            formats.map(|format| format!("{scheme}://{address}/{}", format.path(name.as_str())));
        urls.enumerate().map(|(at, url)| if at == 0 { url } else { format!("  {url}") }).collect()
    }
}

/// Returns the address by which this machine reaches a server that listens on `address`.
pub(crate) fn reached(mut address: SocketAddr) -> SocketAddr {
    // A server that listens on every address is reached by this one as well.
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}

/// Returns a line for the presentations of a kind that are not printed.
fn more(problems: &[Problem], kind: &str) -> Option<String> {
    let more = problems.len().checked_sub(MOST_PROBLEMS).filter(|more| *more > 0)?;
    Some(format!("and {more} more {kind}: --check prints them, with what to do"))
}

/// Returns a finding and what to do about it.
fn with_advice(finding: &Finding) -> String {
    format!("{}; {}", cut(&finding.to_string()), finding.code.advice())
}

fn cut(message: &str) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(healths: impl IntoIterator<Item = Health>) -> Report {
        let mut report = Report::new("http", ([0, 0, 0, 0], 80).into(), Format::ALL.to_vec());
        for (number, health) in healths.into_iter().enumerate() {
            let name = Name::new(&format!("{number}.ism")).unwrap();
            let is_fine = health == Health::Fine;
            let urls = vec![format!("http://127.0.0.1:80/{name}/Manifest")];
            assert_eq!(!report.add_health(&name, health, urls).is_empty(), is_fine);
        }
        report
    }

    #[test]
    fn the_summary_counts_each_kind_and_names_the_worst_problem() {
        let healths = [
            Health::Warned("w".into()),
            Health::Fine,
            Health::NotServed("n".into()),
            Health::Failed("e".into()),
        ];
        let mut report = report(healths);
        report.give_up(7);
        assert_eq!(
            report.summary(),
            "1 fine, 1 with warnings, 1 with errors, 1 not served, 7 not looked at; \
             first problem: 2.ism: n"
        );
        let lines: Vec<_> = report.problems().collect();
        assert_eq!(
            lines,
            [
                "http://127.0.0.1:80/0.ism/Manifest",
                "  w",
                "http://127.0.0.1:80/3.ism/Manifest",
                "  e",
                "2.ism is not served: n",
                "not looked at: 7 presentations, because the others took so long",
            ]
        );
    }

    #[test]
    fn of_many_problems_the_first_are_printed_and_the_others_are_counted() {
        let healths = (0..MOST_PROBLEMS + 2).map(|_| Health::NotServed("n".into()));
        let lines: Vec<_> = report(healths).problems().collect();
        assert_eq!(lines.len(), MOST_PROBLEMS + 1);
        let last = "and 2 more that are not served: --check prints them, with what to do";
        assert_eq!(lines.last().unwrap(), last);
    }

    #[test]
    fn if_all_are_fine_nothing_else_is_said() {
        assert_eq!(report([Health::Fine, Health::Fine]).summary(), "2 fine");
        assert!(report([]).is_empty());
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let message = cut(&"é".repeat(MAX_MESSAGE + 1));
        assert_eq!(message, "é".repeat(MAX_MESSAGE) + "…");
        assert_eq!(cut("é"), "é");
    }
}
