//! Writes a presentation as a static folder of CMAF with HLS and DASH manifests.
//!
//! ```sh
//! cargo run --release --example export testdata/ladder/ladder.ism --output /tmp/ladder
//! cargo run --release --example export -- film.ism --output /srv/bucket/film --hls --verify
//! ```
//!
//! The folder has the layout of the URLs below `/film.ism/`, and each file is what an origin answers
//! under that URL. Segments are written first and manifests last, so a folder with manifests is whole.

mod copy;
mod dash;
mod digest;
mod folder;
mod hls;
mod listing;
mod plan;
mod progress;
mod source;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use common::{Failure, exit_code, line};

use copy::Copied;
use folder::Folder;
use plan::{Formats, Plan};
use source::Source;

/// Writes a Smooth Streaming presentation as a static folder of CMAF with HLS and DASH manifests.
#[derive(Parser)]
#[command(name = "export", version, after_help = NOTES)]
struct Arguments {
    /// Server manifest (.ism), or folder of fragments (NAME.ism)
    #[arg(value_name = "FILE.ism")]
    presentation: PathBuf,
    /// Folder to write into; it is created if it is missing. Files in it that are complete are kept,
    /// so an export that was stopped continues
    #[arg(long, value_name = "FOLDER", help_heading = "Folder")]
    output: PathBuf,
    /// Write HLS; without --dash, nothing else [default: HLS and DASH]
    #[arg(long, help_heading = "Formats")]
    hls: bool,
    /// Write DASH; without --hls, nothing else [default: HLS and DASH]
    #[arg(long, help_heading = "Formats")]
    dash: bool,
    /// Read each written file back, and compare the content of files that are there already instead
    /// of their lengths alone
    #[arg(long, help_heading = "Folder")]
    verify: bool,
}

const NOTES: &str = "\
Example:
  export film/film.ism --output /srv/bucket/film

The folder gets master.m3u8 and a playlist per track (HLS), manifest.mpd (DASH), and a folder per
track with init.mp4 and its segments, which both share. File names are those of the URLs, decoded.
Manifests are written last. A file is written under a name that ends in `.unfinished`, and gets
its own name when it is whole; the next run removes what an interrupted one left.

A server or bucket should send the files with these media types:
  .m3u8  application/vnd.apple.mpegurl      .mp4, .m4s  video/mp4
  .mpd   application/dash+xml               .vtt        text/vtt

Exit status:
  0  the folder is complete; findings say what the presentation lacks
  1  something cannot be read or written, or segments are missing
  2  the command line is wrong";

fn main() -> ExitCode {
    exit_code(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let source = Source::open(&arguments.presentation)?;
    source.print_findings();
    source.check()?;
    let formats = Formats::asked(arguments.hls, arguments.dash);
    let plan = Plan::of(&source, formats)?;
    let folder = Folder::create(&arguments.output, arguments.verify)?;
    let copied = copy::all(&source, plan.listing(), plan.manifests(), folder)?;
    report(arguments, &plan, &copied)
}

/// Prints the result.
fn report(arguments: &Arguments, plan: &Plan, copied: &Copied) -> Result<(), Failure> {
    let output = arguments.output.display();
    // Nobody need read it.
    let _ = line(&format!("{output}: {copied}"));
    for entrance in plan.entrances() {
        let _ = line(&format!("  {}", arguments.output.join(entrance).display()));
    }
    match copied.left_out() {
        0 => Ok(()),
        count => Err(Failure::System(format!(
            "{count} files are missing in {output}: the presentation has no whole media for them; \
             `inspect --deep` says where"
        ))),
    }
}
