//! Content that no browser plays, whatever serves it.

use serde_json::{Value, json};
use smooth_origin::presentation::{Presentation, Stream, Track};

/// A remark about a presentation that is served as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The remark.
    pub message: String,
    /// The next step.
    pub advice: String,
}

impl Note {
    /// Returns the note for programs.
    pub fn json(&self) -> Value {
        json!({ "message": self.message, "advice": self.advice })
    }
}

/// Codecs that no browser decodes: tags of manifests, and their names.
const UNPLAYABLE: &[(&str, &str)] = &[
    ("WVC1", "VC-1"),
    ("OVC1", "VC-1"),
    ("WMAPRO", "Windows Media Audio"),
    ("WMAP", "Windows Media Audio"),
    ("WMA2", "Windows Media Audio"),
    ("WMA", "Windows Media Audio"),
];

/// Returns a note for each stream of a presentation of which browsers can play no track.
pub fn notes(presentation: &Presentation) -> Vec<Note> {
    let of = |stream: &Stream| {
        let mut codecs = stream.tracks().iter().map(unplayable);
        let codec = codecs.next()??;
        // Another quality may be playable.
        codecs.all(|other| other.is_some()).then(|| {
            let (name, kind) = (stream.name(), stream.kind());
            let (library, format) = match codec {
                "VC-1" => ("libx264", "H.264"),
                _ => ("aac", "AAC"),
            };
            Note {
                message: format!("no browser plays the {kind} `{name}`: its codec is {codec}"),
                advice: format!(
                    "to play it in browsers, encode it again as {format} (ffmpeg: `-c:{} {library}`) \
                     and package that; VLC, and players of Windows and Xbox, play it as it is",
                    if format == "AAC" { 'a' } else { 'v' },
                ),
            }
        })
    };
    presentation.streams().iter().filter_map(of).collect()
}

/// Returns the name of a track's codec if no browser decodes it.
fn unplayable(track: &Track) -> Option<&'static str> {
    let description = track.description()?;
    // MP3 is announced as WMAP, too; it has a string by RFC 6381, which only VC-1 of these has.
    let (_, name) =
        UNPLAYABLE.iter().find(|(tag, _)| description.tag.as_str().eq_ignore_ascii_case(tag))?;
    (*name == "VC-1" || description.rfc6381().is_none()).then_some(*name)
}
