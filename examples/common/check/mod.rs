//! A check of all presentations of the served folders, without a server.

mod health;
mod openers;
mod worst;

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use smooth_origin::base::Name;

use crate::listing::opener::{OPENING_TIME, Opener};
use crate::listing::walk::{self, Place};
use crate::{Arguments, Failure, Memory, log, open_files, origin, terminal};

use health::Health;
use worst::Worst;

/// The result of a check, as `inspect` has it too; a later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Checked {
    /// All presentations are served completely; some may have warnings.
    Healthy,
    /// All presentations are served, one of them with errors.
    WithErrors,
    /// A presentation is not served, something was not looked at, or there is no presentation.
    NotServed,
}

impl Checked {
    /// Returns the status with which a program ends. 2 is for command lines that are wrong.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::WithErrors => 1,
            Self::NotServed => 3,
        }
    }
}

/// Number of sick presentations that are printed as text.
const MOST_PRINTED: usize = 1000;

/// Numbers of presentations.
#[derive(Default)]
struct Numbers {
    /// Number of presentations of each health.
    of: [u64; Health::ALL.len()],
    /// Number of those that were not opened, because too many of the others could not be opened in their time.
    not_looked_at: u64,
}

/// Opens all presentations of the folders, several at a time, and prints those that are sick: as
/// text, the worst first, or all as lines of JSON in the order of the folders.
///
/// Memory does not grow with the number of presentations: names are not kept, none stays open, and the
/// worst 1,000 are kept for the text, with ten findings each.
///
/// # Errors
/// A folder cannot be opened.
pub fn check(arguments: &Arguments, json: bool) -> Result<Checked, Failure> {
    log::show(log::Level::Error);
    open_files::allow_many(0);
    let roots = arguments.roots()?;
    // None stays open; events are what the check prints.
    let builder = origin::builder(&roots, arguments, Memory::default())?;
    let opener = Opener::new(builder.cache_bytes(0).build(), OPENING_TIME);
    let openers = (0..at_once(arguments)).map(|_| opener.another()).collect();
    let walk = arguments.walk_options();
    let visit = |each: &mut dyn FnMut(Name)| walk::visit(roots.as_slice(), &walk, each);

    let mut count = 0;
    visit(&mut |_| count += 1);
    let bar = bar(count);
    let (mut numbers, mut worst) = (Numbers::default(), Worst::new(MOST_PRINTED));
    let found = openers::open_all(&roots, openers, visit, |title| {
        bar.inc(1);
        let Some(title) = title else {
            numbers.not_looked_at += 1;
            return;
        };
        numbers.of[title.health as usize] += 1;
        if json {
            // A reader that has gone away does not end the check: its status counts.
            let _ = bar.suspend(|| terminal::line(&title.json().to_string()));
        } else {
            worst.add(title);
        }
    });
    bar.finish_and_clear();

    let left_out = &found.left_out;
    if json {
        let places = left_out.places().iter().map(|Place { path, trouble }| {
            json!({
                "path": path.to_string_lossy(),
                "health": NOT_LOOKED_AT,
                "error": trouble.reason,
                "advice": trouble.advice,
            })
        });
        let mut summary = numbers.json();
        summary["folders-not-looked-at"] = left_out.count().into();
        let mut lines = places.chain([json!({ "summary": summary })]);
        let _ = lines.all(|line| terminal::line(&line.to_string()));
    } else {
        // A store that was not listed may have some.
        let knows_none = numbers.all() == 0 && !(roots.has_stores() && left_out.has_places());
        let advice = knows_none.then(|| found.advice(&roots.folders()));
        let summary = advice.unwrap_or_else(|| numbers.text());
        let mut lines = worst.lines().into_iter().chain(left_out.lines()).chain([summary]);
        let _ = lines.all(|line| terminal::line(&line));
    }
    Ok(numbers.result(left_out.has_places()))
}

/// The word in JSON for what was not looked at.
const NOT_LOOKED_AT: &str = "not-looked-at";

/// Returns the number of presentations that are opened at the same time: that of `--workers`, or a few
/// per processor, because most of the time of an opening is spent waiting for the disk.
fn at_once(arguments: &Arguments) -> usize {
    let few = || std::thread::available_parallelism().map_or(4, |of| (2 * of.get()).clamp(4, 32));
    arguments.workers.unwrap_or_else(few).min(arguments.origin.max_openings())
}

/// Returns a bar on stderr, if that is a terminal.
fn bar(count: u64) -> ProgressBar {
    let target = match stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let template = "{wide_bar} {human_pos}/{human_len} presentations, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(count), target).with_style(style)
}

impl Numbers {
    fn all(&self) -> u64 {
        self.of.iter().sum::<u64>() + self.not_looked_at
    }

    fn result(&self, has_left_out: bool) -> Checked {
        let not_served = self.of[Health::NotServed as usize] + self.not_looked_at;
        match (not_served > 0 || has_left_out || self.all() == 0, self.of[Health::Failed as usize])
        {
            (true, _) => Checked::NotServed,
            (false, 0) => Checked::Healthy,
            (false, _) => Checked::WithErrors,
        }
    }

    /// `96 fine, 1 with warnings, 3 with errors, 0 not served`
    fn text(&self) -> String {
        let of =
            Health::ALL.map(|health| format!("{} {}", self.of[health as usize], health.words()));
        match self.not_looked_at {
            0 => of.join(", "),
            more => format!("{}, {more} not looked at, because others took so long", of.join(", ")),
        }
    }

    fn json(&self) -> serde_json::Value {
        let of =
            Health::ALL.map(|health| (health.code().to_owned(), self.of[health as usize].into()));
        let mut object: serde_json::Map<_, _> = of.into_iter().collect();
        object.insert(NOT_LOOKED_AT.into(), self.not_looked_at.into());
        object.into()
    }
}
