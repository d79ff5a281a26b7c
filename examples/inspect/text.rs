//! An entry for people.

use std::fmt;
use std::io::{self, Write};

use common::{Format, browsers};
use smooth_origin::base::Name;
use smooth_origin::presentation::Presentation;

use crate::entry::{Entry, Outcome};
use crate::timeline::Fragments;
use crate::{Sections, protection, timeline};

/// Writes an entry: its path, and beneath it what it is.
///
/// # Errors
/// Those of `out`.
pub(crate) fn entry(out: &mut impl Write, entry: &Entry, sections: Sections) -> io::Result<()> {
    line(out, format_args!("{}", entry.path.display()))?;
    if let Some(explanation) = entry.explanation() {
        let not_looked_at = match entry.outcome {
            Outcome::NotLookedAt(_) => "not looked at: ",
            _ => "not served: ",
        };
        line(out, format_args!("{not_looked_at}{}", explanation.message))?;
        if let Some(advice) = explanation.advice {
            line(out, format_args!("  {advice}"))?;
        }
    }
    let Outcome::Opened { presentation, findings, looked, .. } = &entry.outcome else {
        return Ok(());
    };
    if let Ok(text) = presentation.manifest() {
        let source = format!("{:?}", presentation.manifest_source()).to_lowercase();
        let live = if presentation.is_live() { ", live" } else { "" };
        line(out, format_args!("manifest: {source}, {} bytes{live}", text.len()))?;
    }
    for format in Format::ALL {
        match format.check(presentation) {
            Ok(()) => {
                let path = format.path(presentation.name().as_str());
                line(out, format_args!("{}: {path}", format.as_str()))?;
            }
            Err(error) if presentation.manifest().is_ok() => {
                line(out, format_args!("{}: not served: {error}", format.as_str()))?;
            }
            Err(_) => {}
        }
    }
    streams(out, presentation)?;
    if sections.timeline {
        timeline::write(out, presentation, &Fragments::new(looked))?;
    }
    if sections.protection {
        protection::write(out, presentation)?;
    }
    for finding in findings {
        line(out, format_args!("{finding}"))?;
        line(out, format_args!("  {}", finding.code.advice()))?;
    }
    for note in browsers::notes(presentation) {
        line(out, format_args!("note: {}", note.message))?;
        line(out, format_args!("  {}", note.advice))?;
    }
    Ok(())
}

fn streams(out: &mut impl Write, presentation: &Presentation) -> io::Result<()> {
    for stream in presentation.streams() {
        let language = stream.language().map(|l| format!(", {l}")).unwrap_or_default();
        line(
            out,
            format_args!(
                "{} `{}`{language}: {} chunks, {:.3} s",
                stream.kind(),
                stream.name(),
                stream.timeline().len(),
                crate::json::seconds(stream),
            ),
        )?;
        for track in stream.tracks() {
            let (bitrate, fragments) = (track.bitrate(), track.fragment_count());
            let place = match (track.source(), track.folder()) {
                (Some((file, id)), _) => {
                    let name = presentation.files().get(file.index());
                    format!("{}, track {id}", name.map_or("", |name| beside(presentation, name)))
                }
                (None, Some(folder)) => format!("{}/", beside(presentation, folder)),
                (None, None) => "not served".into(),
            };
            line(out, format_args!("  {bitrate:>9} bit/s  {fragments} fragments  {place}"))?;
        }
    }
    Ok(())
}

/// A file's name as its `.ism` may call it: none lies outside of the `.ism`'s folder.
fn beside<'a>(presentation: &Presentation, name: &'a Name) -> &'a str {
    let name = name.as_str();
    let folder = presentation.name().folder();
    let beneath = folder.and_then(|folder| name.strip_prefix(folder.as_str())?.strip_prefix('/'));
    beneath.unwrap_or(name)
}

/// A line. Names come from strangers: none of them breaks the line or reaches the terminal as a
/// command.
pub(crate) fn line(out: &mut impl Write, text: fmt::Arguments<'_>) -> io::Result<()> {
    let text = text.to_string();
    if !text.contains(char::is_control) {
        return writeln!(out, "{text}");
    }
    let escaped = text
        .chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() });
    writeln!(out, "{}", escaped.collect::<String>())
}
