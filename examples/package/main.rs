//! Packages MP4s, progressive or fragmented, and captions as a Smooth Streaming presentation.
//!
//! ```sh
//! cargo run --release --example package -- film.mp4 film.eng.srt --output /srv/films/film.ism
//! cargo run --release --example package -- 1080.mp4 720.mp4 fr.m4a --output film/film.ism --language und --language und --language fre
//! ```
//!
//! Files are written under other names and renamed when all of them are whole. A run that fails or is
//! interrupted leaves none of them.

mod copy;
mod folder;
mod inputs;
mod interrupt;
mod language_hint;
#[cfg(any(target_os = "android", target_os = "linux"))]
mod pipe;
mod progress;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::{Failure, error_line, exit_code, line, positive_seconds};
use indicatif::HumanBytes;
use smooth_origin::package::{Captions, Files, PackageOptions, TextTimes};

use folder::Folder;
use inputs::Inputs;
use interrupt::Interrupt;
use progress::Progress;

/// Packages MP4s, progressive or fragmented, and captions as a Smooth Streaming presentation.
#[derive(Parser)]
#[command(name = "package", version, after_help = NOTES)]
struct Arguments {
    /// MP4s, progressive or fragmented (CMAF, ISMV), each of which has one or several tracks of video and
    /// sound; and captions: SubRip (.srt), WebVTT (.vtt) or TTML (.ttml, .dfxp, .xml)
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
    /// Server manifest to write. The other files are written beside it, and the folder is created if it
    /// is missing
    #[arg(long, value_name = "FOLDER/NAME.ism")]
    output: PathBuf,
    /// Wanted duration of a chunk. Chunks begin with the key frames that are nearest to it
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = positive_seconds)]
    chunk: Duration,
    /// Language of the sound or captions of an input, in the order of the inputs: give one for all of them,
    /// or one for each, with `und` for what the file says. One for all does not count for captions
    /// whose file name says another, such as film.fre.srt
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    language: Vec<String>,
    /// Write all tracks into one file, NAME.ismv, in place of one file a track
    #[arg(long)]
    in_one: bool,
    /// Leave start and duration (tfxd) out of the fragments
    #[arg(long)]
    without_tfxd: bool,
    /// Have the times in documents of captions count from the start of the film, in place of the start of
    /// each fragment, from which players of Smooth Streaming count
    #[arg(long)]
    absolute_text_times: bool,
    /// Do not wait until the files are on the disk, as cp does not: a computer that crashes a moment later
    /// may leave files without their content
    #[arg(long)]
    no_sync: bool,
}

const NOTES: &str = "\
Examples:
  package film.mp4 --output /srv/films/film.ism
  package 1080.mp4 720.mp4 --output film/film.ism --chunk 4 --language eng
  package film.mp4 film.eng.srt film.fre.vtt --output film/film.ism

Video of all inputs becomes one stream with a quality a track, and sound a stream a language. The
qualities need key frames at the same times. Sound that several inputs have alike is written once.

Exit status:
  0    the presentation is whole; notes say what is left out
  1    something cannot be read, packaged or written: no file is left
  2    the command line is wrong
  130  a signal ended the run: no file is left";

fn main() -> ExitCode {
    let interrupt = match Interrupt::watch() {
        Ok(interrupt) => interrupt,
        Err(error) => return exit_code(Err(Failure::system("cannot heed signals", error))),
    };
    let result = run(&Arguments::parse(), &interrupt);
    match result {
        Err(_) if interrupt.is_set() => {
            error_line("interrupted: no file is left");
            ExitCode::from(130)
        }
        result => exit_code(result),
    }
}

fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<(), Failure> {
    let (folder, name) = output(&arguments.output)?;
    let inputs = Inputs::open(&arguments.inputs, &languages(arguments)?)?;
    let mut options = PackageOptions::default();
    // Units of 100 ns; a year has fewer than 64 bits of them.
    options.chunk = u64::try_from(arguments.chunk.as_nanos() / 100).unwrap_or(u64::MAX).max(1);
    options.has_tfxd = !arguments.without_tfxd;
    if arguments.absolute_text_times {
        options.text_times = TextTimes::Presentation;
    }
    options.files = if arguments.in_one { Files::InOne } else { Files::EachTrack };
    let package = inputs.package(name, options)?;
    for notice in package.notices() {
        error_line(&format!("note: {notice}"));
    }
    let total = package.outputs().iter().map(|output| output.len()).sum();
    let progress = Progress::new(total);
    let mut folder = Folder::create(folder, &format!("{name}.ism"), !arguments.no_sync)?;
    for output in package.outputs() {
        inputs.check_is_none(&folder.path(output.name()))?;
        let mut file = folder.add(output.name())?;
        copy::copy(output, &inputs, &mut file, interrupt, &progress)?;
        folder.end(&file)?;
    }
    inputs.check_unchanged()?;
    folder.finish()?;
    progress.finish();
    // Nobody need read it.
    let _ = line(&format!("{}: {}", arguments.output.display(), HumanBytes(total)));
    for output in package.outputs() {
        let _ = line(&format!("  {} {}", output.name(), HumanBytes(output.len())));
    }
    Ok(())
}

/// The folder of the server manifest, and its name without extension.
fn output(path: &Path) -> Result<(&Path, &str), Failure> {
    let is_ism = path.extension().is_some_and(|extension| extension == "ism");
    let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_ism);
    let stem = stem.ok_or_else(|| {
        let shown = path.display();
        Failure::Usage(format!(
            "--output {shown}: give a name that ends in .ism, such as film/film.ism"
        ))
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")), stem))
}

/// The language of each input, if it is declared.
fn languages<'a>(arguments: &'a Arguments) -> Result<Vec<Option<&'a str>>, Failure> {
    let inputs = arguments.inputs.len();
    let declared = |language: &String| language != "und";
    let given: Vec<_> =
        arguments.language.iter().map(|l| declared(l).then_some(l.as_str())).collect();
    let by_name = |path: &'a PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str())?;
        Captions::of_extension(extension).and_then(|_| language_hint::language(path))
    };
    let or_by_name =
        |all: Option<&'a str>| arguments.inputs.iter().map(|path| by_name(path).or(all)).collect();
    match given.len() {
        0 => Ok(or_by_name(None)),
        1 if inputs > 1 => Ok(or_by_name(given[0])),
        count if count == inputs => {
            let by_name = arguments.inputs.iter().map(by_name);
            Ok(given.into_iter().zip(by_name).map(|(given, name)| given.or(name)).collect())
        }
        count => Err(Failure::Usage(format!(
            "{count} languages for {inputs} inputs: give --language once for all of them, or once for \
             each, with `und` for what the file says"
        ))),
    }
}

fn language(text: &str) -> Result<String, String> {
    let is_tag = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match text.split('-').all(is_tag) {
        true => Ok(text.to_owned()),
        false => Err("give a language as RFC 1766 writes it, such as `eng` or `pt-BR`".to_owned()),
    }
}
