//! The list of what there is to play, for people to try. It is made in the background, one
//! presentation at a time, so that requests are answered however many or broken they are.

mod few;
pub(crate) mod opener;
mod report;
pub(crate) mod walk;
mod watch;

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use smooth_origin::base::{Error, ErrorKind, Name, ReadErrorKind};
use smooth_origin::origin::Origin;

use crate::formats::Format;
use crate::log::{Level, log};
use crate::roots::Roots;
use crate::terminal;

use few::Few;
use opener::{OPENING_TIME, Opener};
use report::Report;
pub(crate) use report::{Outcome, reached};
use walk::{Found, WalkOptions, find};
use watch::Watch;

/// The thread that lists, and the one that watches the served folders. Both end when this is dropped.
pub struct Listing {
    again: SyncSender<()>,
    limit: usize,
    watch: Watch,
}

/// The facts and bounds of a listing.
pub(crate) struct Shown {
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Address on which the server listens.
    pub(crate) address: SocketAddr,
    pub(crate) roots: Roots,
    pub(crate) walk: WalkOptions,
    /// Formats that are served.
    pub(crate) formats: Vec<Format>,
    /// No more presentations than these are opened.
    pub(crate) limit: usize,
}

/// No presentation is opened after this time.
const LISTING_TIME: Duration = Duration::from_secs(300);

/// Seconds after which a server is asked again if it is busy or waits for files to settle.
const BUSY_SECONDS: usize = 10;

impl Listing {
    /// Lists now, and whenever it is asked to.
    pub(crate) fn start(origin: Origin, shown: Shown) -> Self {
        // One waiting request is enough, however many signals come.
        let (again, asked) = sync_channel(1);
        let (limit, watch) = (shown.limit, Watch::start(&shown.roots));
        if limit > 0 {
            let list = move || list_whenever(&asked, &origin, &shown);
            if let Err(error) = thread::Builder::new().name("listing".into()).spawn(list) {
                log(Level::Error, format_args!("presentations are not listed: {error}"));
            }
        }
        Self { again, limit, watch }
    }

    /// Has the files of all listed presentations looked at again, and lists them.
    pub fn again(&self) {
        self.watch.look();
        if self.limit == 0 {
            return log(Level::Info, "SIGHUP: no presentation is listed, because --list is 0");
        }
        log(Level::Info, "SIGHUP: looking at all presentations again");
        // If the channel is full, a listing that has not begun yet will do.
        let _ = self.again.try_send(());
    }
}

fn list_whenever(asked: &Receiver<()>, origin: &Origin, shown: &Shown) {
    list(origin, shown, false);
    while asked.recv().is_ok() {
        list(origin, shown, true);
    }
}

/// Prints presentations and what is wrong with them: healthy ones as they are found, then the others,
/// then what was not looked at, and a summary. Of many, the first few are printed, and a count.
fn list(origin: &Origin, shown: &Shown, again: bool) {
    let found = find(shown.roots.as_slice(), &shown.walk, shown.limit);
    if again {
        found.names.iter().for_each(|name| origin.look_again(name));
    }
    let mut report = Report::new(shown.scheme, shown.address, shown.formats.clone());
    let is_read = look_at(&found, origin, &shown.roots, &mut report);
    terminal::hide_status();
    let mut lines = report.problems().chain(found.left_out.lines());
    if !is_read || !lines.all(|line| terminal::line(&line)) {
        log(Level::Debug, "nobody reads the list of presentations");
    }
    let summary = match report.is_empty() {
        // What stores have is not known.
        true if shown.roots.has_stores() => return,
        true => found.advice(&shown.roots.folders()),
        false => report.summary(),
    };
    let _ = terminal::line(&summary);
}

/// Opens what was found; `false` where nobody reads the list any more.
fn look_at(found: &Found, origin: &Origin, roots: &Roots, report: &mut Report) -> bool {
    let began = Instant::now();
    let mut opener = Opener::new(origin.clone(), OPENING_TIME);
    let mut few = Few::of(found.names.len());
    for (place, name) in found.names.iter().enumerate() {
        if began.elapsed() > LISTING_TIME || opener.is_stuck() {
            report.give_up(found.names.len() - place);
            break;
        }
        let count = found.names.len();
        terminal::show_status(|| format!("looking at presentations: {place} of {count}"));
        let outcome = look(&mut opener, name);
        let urls = report.add(name, outcome, roots.stored(name.as_str()).as_ref());
        let is_shown = !urls.is_empty() && few.shows(name);
        if is_shown && !urls.iter().all(|line| terminal::line(line)) {
            return false;
        }
    }
    few.line().is_none_or(|line| terminal::line(&line))
}

/// Opens a presentation, again if it may succeed in a moment.
pub(crate) fn look(opener: &mut Opener, name: &Name) -> Outcome {
    for _ in 1..BUSY_SECONDS {
        match opener.open(name) {
            Ok(Err(error)) if is_passing(&error) => {
                thread::sleep(Duration::from_secs(1));
            }
            outcome => return outcome,
        }
    }
    opener.open(name)
}

/// Returns whether the same opening may succeed in a moment.
fn is_passing(error: &Error) -> bool {
    match &error.kind {
        ErrorKind::Busy(_) => true,
        ErrorKind::Read(read) => matches!(read.kind, ReadErrorKind::Unsettled { .. }),
        _ => false,
    }
}
