//! Prints what a presentation is: its streams, tracks and findings.
//!
//! ```sh
//! cargo run --release --example inspect testdata/ladder/ladder.ism
//! ```
//!
//! Exits with 0 when there is nothing to mend, with 1 for warnings, with 2 for errors, and with 3
//! when it cannot be opened.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};
use smooth_origin::base::Name;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::{Presentation, Severity, Stream, Track};
use smooth_origin::storage::LocalStore;

/// Prints what a Smooth Streaming presentation is: its streams, tracks and findings.
#[derive(Parser)]
struct Arguments {
    /// Server manifest: a file that ends in .ism
    presentation: PathBuf,
    /// Print JSON instead of text [default: text]
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let presentation = match open(&arguments.presentation) {
        Ok(presentation) => presentation,
        Err(error) => {
            eprintln!("{} cannot be opened: {error}", arguments.presentation.display());
            return ExitCode::from(3);
        }
    };
    if arguments.json {
        println!("{:#}", to_json(&presentation));
    } else {
        print_text(&presentation);
    }
    match presentation.findings().iter().map(|finding| finding.severity()).max() {
        None | Some(Severity::Info) => ExitCode::SUCCESS,
        Some(Severity::Warning) => ExitCode::from(1),
        Some(Severity::Error) => ExitCode::from(2),
    }
}

fn open(path: &Path) -> Result<std::sync::Arc<Presentation>, Box<dyn std::error::Error>> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().and_then(|name| name.to_str()).ok_or("not a file's name")?;
    let origin = Origin::new(LocalStore::new(folder)?);
    let opened = block_on(origin.open(&Name::new(name)?))?;
    Ok(opened.presentation().clone())
}

fn print_text(presentation: &Presentation) {
    println!("{}", presentation.name());
    match presentation.manifest() {
        Ok(text) => {
            println!("manifest: {:?}, {} bytes", presentation.manifest_source(), text.len())
        }
        Err(error) => println!("manifest: {error}"),
    }
    for stream in presentation.streams() {
        let language = stream.language().map(|l| format!(", {l}")).unwrap_or_default();
        println!(
            "{} `{}`{language}: {} chunks, {:.3} s",
            stream.kind(),
            stream.name(),
            stream.timeline().len(),
            seconds(stream),
        );
        for track in stream.tracks() {
            let place = match track.source() {
                Some((file, id)) => {
                    format!("{}, track {id}", presentation.files()[file.index()].file_name())
                }
                None => "not served".into(),
            };
            println!(
                "  {:>9} bit/s  {} fragments  {place}",
                track.bitrate(),
                track.fragment_count()
            );
        }
    }
    for finding in presentation.findings() {
        println!("{finding}\n  {}", finding.code.advice());
    }
}

fn to_json(presentation: &Presentation) -> Value {
    let track = |track: &Track| {
        json!({
            "bitrate": track.bitrate(),
            "fragments": track.fragment_count(),
            "file": track.source().map(|(file, _)| presentation.files()[file.index()].as_str()),
            "track_id": track.source().map(|(_, id)| id),
        })
    };
    let stream = |stream: &Stream| {
        json!({
            "kind": stream.kind().as_str(),
            "name": stream.name(),
            "language": stream.language(),
            "timescale": stream.timescale().get(),
            "chunks": stream.timeline().len(),
            "seconds": seconds(stream),
            "tracks": stream.tracks().iter().map(track).collect::<Vec<_>>(),
        })
    };
    let findings: Vec<Value> = presentation
        .findings()
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code.as_str(),
                "severity": finding.severity().to_string(),
                "file": finding.file,
                "track": finding.track,
                "chunk": finding.chunk,
                "message": finding.message,
                "advice": finding.code.advice(),
            })
        })
        .collect();
    json!({
        "name": presentation.name().as_str(),
        "manifest": match presentation.manifest() {
            Ok(_) => format!("{:?}", presentation.manifest_source()).to_lowercase(),
            Err(_) => "none".into(),
        },
        "streams": presentation.streams().iter().map(stream).collect::<Vec<_>>(),
        "findings": findings,
    })
}

/// From the start of the first chunk to the end of the last.
fn seconds(stream: &Stream) -> f64 {
    let start = stream.timeline().chunk(0).map_or(0, |(start, _)| start);
    stream.timeline().end().saturating_sub(start) as f64 / stream.timescale().get() as f64
}
