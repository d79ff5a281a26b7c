//! An entry for programs.

use std::path::Path;

use common::Format;
use common::browsers::{self, Note};
use serde_json::{Value, json};
use smooth_origin::base::{FourCc, Place};
use smooth_origin::presentation::{Finding, Presentation, Stream, Track};

use crate::entry::{Entry, Health, Outcome, gravest};
use crate::timeline::Fragments;
use crate::{Sections, protection, timeline};

/// Returns one object per entry. `path` and `outcome` are always present; `outcome` is `served`,
/// `not-served` or `not-looked-at`. `message` and `advice` say why a presentation is not served.
///
/// An entry that was opened has a `name`, `manifest`, `urls`, `live`, `streams`, `severity`, `findings`
/// and `notes` as well. `urls` has the path of the manifest in each format. `severity` is the highest
/// among the findings. `notes` are remarks about content that is served as it should be, each with
/// `message` and `advice`. A track has a `file` and a `track_id`, or the `folder` of its fragments. Its
/// `codec` is the string by RFC 6381, or else the `FourCC`; `key_id` is the key of its samples, if its
/// file says that they are encrypted. Each `path` and `file` is relative to the current directory.
///
/// `timeline` and `protection` are there if they were asked for.
pub(crate) fn entry(entry: &Entry, sections: Sections) -> Value {
    let explanation = entry.explanation();
    let mut value = json!({
        "path": entry.path.to_string_lossy(),
        "outcome": match entry.health(false) {
            Health::Fine | Health::Warnings | Health::Errors => "served",
            Health::NotServed => "not-served",
            Health::NotLookedAt => "not-looked-at",
        },
        "message": explanation.as_ref().map(|why| &why.message),
        "advice": explanation.as_ref().and_then(|why| why.advice.as_ref()),
    });
    if let Outcome::Opened { root, presentation, findings, looked } = &entry.outcome {
        value["name"] = presentation.name().as_str().into();
        value["manifest"] = match presentation.manifest() {
            Ok(_) => format!("{:?}", presentation.manifest_source()).to_lowercase().into(),
            Err(_) => "none".into(),
        };
        value["urls"] = urls(presentation);
        value["live"] = presentation.is_live().into();
        let streams = presentation.streams().iter();
        value["streams"] = streams.map(|of| stream(root, presentation, of)).collect();
        value["severity"] = gravest(findings).map(|severity| severity.to_string()).into();
        value["findings"] = findings.iter().map(finding).collect();
        value["notes"] = browsers::notes(presentation).iter().map(Note::json).collect();
        if sections.timeline {
            value["timeline"] = timeline::value(presentation, &Fragments::new(looked));
        }
        if sections.protection {
            value["protection"] = protection::value(presentation);
        }
    }
    value
}

/// Returns one path per format, relative to the folder of the presentation; `null` for a format in
/// which it is not served.
fn urls(presentation: &Presentation) -> Value {
    let path = |format: Format| {
        let is_served = format.check(presentation).is_ok();
        let path = is_served.then(|| format.path(presentation.name().as_str()));
        (format.as_str().to_owned(), path.into())
    };
    Value::Object(Format::ALL.map(path).into_iter().collect())
}

fn stream(root: &Path, presentation: &Presentation, stream: &Stream) -> Value {
    json!({
        "kind": stream.kind().as_str(),
        "name": stream.name(),
        "language": stream.language(),
        "subtype": stream.subtype(),
        "parent": stream.parent(),
        "timescale": stream.timescale().get(),
        "chunks": stream.timeline().len(),
        "seconds": seconds(stream),
        "tracks": stream.tracks().iter().map(|of| track(root, presentation, of)).collect::<Value>(),
    })
}

fn track(root: &Path, presentation: &Presentation, track: &Track) -> Value {
    let codec = track.description().map(|of| of.rfc6381().unwrap_or_else(|| of.tag.to_string()));
    let file = |id: usize| presentation.files().get(id).map(|file| root.join(file.as_str()));
    json!({
        "bitrate": track.bitrate(),
        "fragments": track.fragment_count(),
        "codec": codec,
        "width": track.picture_size().map(|size| size.0),
        "height": track.picture_size().map(|size| size.1),
        "key_id": track.key_id().map(|key| key.to_string()),
        "file": track.source().and_then(|(id, _)| file(id.index())).map(|path| path.to_string_lossy().into_owned()),
        "folder": track.folder().map(|name| root.join(name.as_str()).to_string_lossy().into_owned()),
        "track_id": track.source().map(|(_, id)| id),
    })
}

/// Returns one object per finding. `track` is the text of `stream` and `bitrate`. If the finding
/// reports a failure, `cause` is the stable word for its kind, `clause` is the clause that is not
/// met, and the place in the `file` is an `offset` in bytes with the `boxes` around it, the
/// outermost first (`moof/traf/tfxd`), or a `line` (from 1) and an `element` of a manifest. What is
/// not known is `null`.
fn finding(finding: &Finding) -> Value {
    let cause = finding.cause();
    let (mut offset, mut boxes, mut line, mut element) = (None, None, None, None);
    match cause.map(|cause| &cause.place) {
        Some(Place::Box { offset: at, path, .. }) => {
            let path: Vec<_> = path.iter().rev().map(FourCc::to_string).collect();
            (offset, boxes) = (Some(*at), Some(path.join("/")).filter(|path| !path.is_empty()));
        }
        Some(Place::Xml { line: at, element: name, .. }) => {
            (line, element) = (Some(*at), Some(name).filter(|name| !name.is_empty()));
        }
        _ => {}
    }
    json!({
        "code": finding.code.as_str(),
        "severity": finding.severity().to_string(),
        "file": finding.file,
        "track": finding.track(),
        "stream": finding.stream,
        "bitrate": finding.bitrate,
        "chunk": finding.chunk,
        "message": finding.message,
        "advice": finding.code.advice(),
        "cause": cause.map(|cause| cause.kind.code()),
        "clause": cause.and_then(|cause| cause.kind.clause()),
        "offset": offset,
        "boxes": boxes,
        "line": line,
        "element": element,
    })
}

/// From the start of the first chunk to the end of the last.
pub(crate) fn seconds(stream: &Stream) -> f64 {
    let start = stream.timeline().chunk(0).map_or(0, |(start, _)| start);
    stream.timeline().end().saturating_sub(start) as f64 / stream.timescale().get() as f64
}
