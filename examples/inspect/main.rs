//! Reports what presentations are: their streams, tracks and findings.
//!
//! ```sh
//! cargo run --release --example inspect testdata/ladder/ladder.ism
//! cargo run --release --example inspect -- --json testdata | jq -r 'select(.outcome != "served") | .path'
//! cargo run --release --example inspect -- --deep testdata/ladder/ladder.ism
//! cargo run --release --example inspect -- --boxes testdata/ladder/ladder.ismv
//! cargo run --release --example inspect -- --diff old/film.ism http://origin/film.ism
//! cargo run --release --features s3 --example inspect -- s3://films/2026/film.ism
//! ```

mod boxes;
mod deep;
mod diff;
mod entry;
mod folder;
mod json;
mod open;
mod protection;
mod remote;
mod text;
mod timeline;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use boxes::Walked;
use deep::Depth;
use entry::{Entry, Health};
use folder::Bounds;

/// Shows the streams, tracks and findings of Smooth Streaming presentations.
#[derive(Parser)]
#[command(name = "inspect", version, after_help = EXIT_STATUS)]
struct Arguments {
    /// Server manifests (.ism), folders of fragments (NAME.ism with a manifest and a file per
    /// fragment), or other folders, in which all presentations are inspected. A store stands where a
    /// folder stands: s3://BUCKET/film.ism, az://CONTAINER. Any other file is named with what it is and
    /// what to do with it
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print a line of JSON for each presentation, also for those that cannot be opened, instead of
    /// text
    #[arg(long, help_heading = "Report")]
    json: bool,
    /// Look at every fragment, not only at the first and the last of each track: report what requests
    /// would find later, chunks that begin without a key frame, encrypted fragments without IVs, and
    /// fragments that are longer or shorter than their chunks
    #[arg(long, help_heading = "Report")]
    deep: bool,
    /// List the chunks of each stream as well: start, duration, gaps, overlaps, the size of each
    /// fragment, and those of pictures that begin without a key frame. Includes --deep
    #[arg(long, help_heading = "Report")]
    timeline: bool,
    /// List the protection systems as well, with their keys and the URLs of their licences, and what
    /// each track says about its encryption
    #[arg(long, help_heading = "Report")]
    protection: bool,
    /// Exit with status 4 if there are warnings and nothing is worse
    #[arg(long, help_heading = "Report")]
    strict: bool,
    /// List the boxes of media files instead: the offset, size and type of each, its fields, and errors
    /// where they are
    #[arg(long, help_heading = "Files", conflicts_with_all = ["deep", "timeline", "protection", "diff"])]
    boxes: bool,
    /// Compare two presentations instead: what their manifests say, and each fragment byte by byte. Each
    /// is an .ism, or the URL of one at an origin (http://HOST/film.ism)
    #[arg(long, help_heading = "Comparison", conflicts_with_all = ["deep", "timeline", "protection", "strict"])]
    diff: bool,
    /// Number of differences to look for
    #[arg(long, value_name = "NUMBER", default_value_t = 20, help_heading = "Comparison",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    most_differences: u32,
    /// Levels of folders to search below a named folder
    #[arg(long, value_name = "LEVELS", default_value_t = 16, help_heading = "Folders",
        value_parser = clap::value_parser!(u8).range(..=64))]
    depth: u8,
    /// Number of presentations to inspect in a named folder
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, help_heading = "Folders",
        value_parser = clap::value_parser!(u32).range(1..))]
    most: u32,
    /// Match file names exactly, as `serve --exact-names` does; by default letter case is ignored, as
    /// on IIS
    #[arg(long, help_heading = "Folders")]
    exact_names: bool,
}

const EXIT_STATUS: &str = "\
Examples:
  inspect film/film.ism        one presentation: streams, tracks, findings with what to do
  inspect /srv/films           all presentations in a folder, and a summary
  inspect --json /srv/films    the same for programs
  inspect s3://films/a/a.ism   the same in a store, by credentials of the environment
  inspect film.mp4             what the file is, and how it is served
  inspect --boxes film.ismv    the boxes of a file
  inspect --diff a/film.ism http://origin/film.ism
                               the differences between files and another origin

Exit status, also of serve --check:
  0  everything is served, perhaps with findings of severity `warning` or `info`
  1  every presentation is served, but one has a finding of severity `error`:
     something that it announces is not served
  2  the command line is wrong, or the report cannot be written
  3  something that was named cannot be served at all, or was not looked at:
     a path that is missing or is no presentation, an .ism of which nothing can be
     served, a folder without an .ism, what lies beyond --depth or --most
  4  only with --strict: there are warnings, and nothing is worse

Exit status of --boxes: 0 if all boxes can be read, 1 if one cannot, 3 if a file cannot.
Exit status of --diff: 0 if there is no difference, 1 if there is one, 3 if one of the
two cannot be read.";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.boxes || arguments.diff {
        let mut out = BufWriter::new(io::stdout().lock());
        let status = match arguments.boxes {
            true => boxes(&mut out, &arguments),
            false => diff(&mut out, &arguments),
        };
        return status
            .and_then(|status| out.flush().map(|()| ExitCode::from(status)))
            .unwrap_or_else(|error| unwritten(&error));
    }
    let mut report = Report {
        // On a terminal the report itself shows how far it is; a bar of --deep shows more.
        has_status: !io::stdout().is_terminal()
            && (arguments.json || !(arguments.deep || arguments.timeline)),
        out: BufWriter::new(io::stdout().lock()),
        json: arguments.json,
        is_strict: arguments.strict,
        sections: Sections { timeline: arguments.timeline, protection: arguments.protection },
        entries: 0,
        counts: [0; Health::ALL.len()],
    };
    match report.write(&arguments) {
        Ok(()) => {}
        // `inspect … | head -1`: the reader has what it wants.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => return unwritten(&error),
    }
    ExitCode::from(report.worst().exit_status())
}

/// Says that the report cannot be written, unless its reader has enough of it.
fn unwritten(error: &io::Error) -> ExitCode {
    if error.kind() == ErrorKind::BrokenPipe {
        return ExitCode::SUCCESS;
    }
    // Nothing is left to do if that cannot be written either.
    let reason = common::without_numbers(error.to_string());
    let _ = writeln!(io::stderr(), "error: the report cannot be written: {reason}");
    ExitCode::from(2)
}

/// Lists the boxes of all files. Returns the exit status.
fn boxes(out: &mut impl Write, arguments: &Arguments) -> io::Result<u8> {
    let mut worst = 0;
    for (number, path) in arguments.paths.iter().enumerate() {
        if number > 0 && !arguments.json {
            writeln!(out)?;
        }
        worst = worst.max(match boxes::write(out, path, arguments.json)? {
            Walked::Whole => 0,
            Walked::Faulty => 1,
            Walked::Unread => 3,
        });
    }
    Ok(worst)
}

/// Compares two presentations. Returns the exit status.
fn diff(out: &mut impl Write, arguments: &Arguments) -> io::Result<u8> {
    let [a, b] = &arguments.paths[..] else {
        // Nothing is left to do if that cannot be written.
        let _ = writeln!(io::stderr(), "error: --diff compares two presentations: name both");
        return Ok(2);
    };
    let (bounds, most) = (Bounds::of(arguments), arguments.most_differences as usize);
    diff::write(out, (a, b), bounds, most, arguments.json).map(diff::Compared::exit_status)
}

/// The parts of a report that are there only if they are asked for.
#[derive(Clone, Copy)]
struct Sections {
    timeline: bool,
    protection: bool,
}

impl Bounds {
    fn of(arguments: &Arguments) -> Self {
        Self {
            depth: arguments.depth.into(),
            presentations: arguments.most as usize,
            ignore_case: !arguments.exact_names,
            of_each: match arguments.deep || arguments.timeline {
                true => Depth::All { has_bar: !arguments.json, is_recorded: arguments.timeline },
                false => Depth::Ends,
            },
        }
    }
}

/// The output, entry by entry.
struct Report<W: Write> {
    /// The numbers so far are shown on stderr, if that is a terminal.
    has_status: bool,
    out: W,
    json: bool,
    is_strict: bool,
    sections: Sections,
    entries: usize,
    /// Entries by health.
    counts: [usize; Health::ALL.len()],
}

impl<W: Write> Report<W> {
    fn write(&mut self, arguments: &Arguments) -> io::Result<()> {
        let bounds = Bounds::of(arguments);
        for path in &arguments.paths {
            if common::is_url(path) {
                remote::entries(path, bounds, |entry| self.add(&entry))?;
            } else if open::is_folder_presentation(
                &path.canonicalize().unwrap_or_else(|_| path.clone()),
            ) {
                self.add(&open::folder(path, bounds))?;
            } else if path.is_dir() {
                folder::entries(path, bounds, |entry| self.add(&entry))?;
            } else {
                self.add(&open::file(path, bounds))?;
            }
        }
        self.finish()
    }

    fn add(&mut self, entry: &Entry) -> io::Result<()> {
        self.counts[entry.health(self.is_strict) as usize] += 1;
        if self.has_status {
            common::show_status(|| format!("inspected so far: {}", self.numbers()));
        }
        if self.json {
            writeln!(self.out, "{}", json::entry(entry, self.sections))?;
        } else {
            if self.entries > 0 {
                writeln!(self.out)?;
            }
            text::entry(&mut self.out, entry, self.sections)?;
        }
        self.entries += 1;
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        common::hide_status();
        if !self.json && self.entries > 1 {
            writeln!(self.out, "\n{}", self.numbers())?;
        }
        self.out.flush()
    }

    /// `96 fine, 3 with errors`
    fn numbers(&self) -> String {
        let counted = Health::ALL.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        let counted: Vec<_> =
            counted.map(|(health, count)| format!("{count} {}", health.summary())).collect();
        counted.join(", ")
    }

    fn worst(&self) -> Health {
        let counted = Health::ALL.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        counted.map(|(health, _)| *health).max().unwrap_or(Health::Fine)
    }
}
