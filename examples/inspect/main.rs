//! Reports what presentations are: their streams, tracks and findings.
//!
//! ```sh
//! cargo run --release --example inspect testdata/ladder/ladder.ism
//! cargo run --release --example inspect -- --json testdata | jq -r 'select(.outcome != "served") | .path'
//! cargo run --release --example inspect -- --deep testdata/ladder/ladder.ism
//! cargo run --release --features s3 --example inspect -- s3://films/2026/film.ism
//! ```

mod deep;
mod entry;
mod folder;
mod json;
mod open;
mod remote;
mod text;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

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
  inspect film.mp4             what the file is, and the command that packages it

Exit status, also of serve --check:
  0  everything is served, perhaps with findings of severity `warning` or `info`
  1  every presentation is served, but one has a finding of severity `error`:
     something that it announces is not served
  2  the command line is wrong, or the report cannot be written
  3  something that was named cannot be served at all, or was not looked at:
     a path that is missing or is no presentation, an .ism of which nothing can be
     served, a folder without an .ism, what lies beyond --depth or --most";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut report = Report {
        // On a terminal the report itself shows how far it is; a bar of --deep shows more.
        has_status: !io::stdout().is_terminal() && (arguments.json || !arguments.deep),
        out: BufWriter::new(io::stdout().lock()),
        json: arguments.json,
        entries: 0,
        counts: [0; Health::ALL.len()],
    };
    match report.write(&arguments) {
        Ok(()) => {}
        // `inspect … | head -1`: the reader has what it wants.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            // Nothing is left to do if that cannot be written either.
            let reason = common::without_numbers(error.to_string());
            let _ = writeln!(io::stderr(), "error: the report cannot be written: {reason}");
            return ExitCode::from(2);
        }
    }
    ExitCode::from(report.worst().exit_status())
}

/// The output, entry by entry.
struct Report<W: Write> {
    /// The numbers so far are shown on stderr, if that is a terminal.
    has_status: bool,
    out: W,
    json: bool,
    entries: usize,
    /// Entries by health.
    counts: [usize; Health::ALL.len()],
}

impl<W: Write> Report<W> {
    fn write(&mut self, arguments: &Arguments) -> io::Result<()> {
        let bounds = Bounds {
            depth: arguments.depth.into(),
            presentations: arguments.most as usize,
            ignore_case: !arguments.exact_names,
            of_each: match arguments.deep {
                true => Depth::All { has_bar: !arguments.json },
                false => Depth::Ends,
            },
        };
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
        self.counts[entry.health() as usize] += 1;
        if self.has_status {
            common::show_status(|| format!("inspected so far: {}", self.numbers()));
        }
        if self.json {
            writeln!(self.out, "{}", json::entry(entry))?;
        } else {
            if self.entries > 0 {
                writeln!(self.out)?;
            }
            text::entry(&mut self.out, entry)?;
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
