//! The manifest that is served, and the streams that it announces: stored, mended or generated.

use std::collections::HashMap;

use bytes::Bytes;

use super::adopt::{Adopted, adopt};
use super::assign::Assignment;
use super::complete::{Complete, Pairs};
use super::generate::{Generated, generate};
use super::mend::{Cut, mend};
use super::resolve::Resolved;
use super::{licences, mix_ups, protection};
use crate::base::{ErrorKind, FileId, Name, Timescale};
use crate::manifest::{ClientDocument, Decoded, Stored, StreamKind};
use crate::presentation::client_manifest::ClientManifestText;
use crate::presentation::finding::{Finding, FindingCode, Findings};
use crate::presentation::stream::{Absent, Media};
use crate::presentation::{ManifestSource, OpenOptions, Stream, Timeline, Track, Window};

/// The streams and the manifest that a presentation serves.
pub(super) struct Served {
    pub(super) streams: Vec<Stream>,
    pub(super) manifest: ClientManifestText,
}

impl Complete {
    /// Returns what is served: the stored manifest, if there is one and some of it can be served,
    /// else a generated one.
    pub(super) fn served(&self, pairs: Pairs<'_>, findings: &mut Findings) -> Served {
        let Pairs { resolved, assignment } = pairs;
        let adopted = match (&self.client, assignment) {
            (Some(Ok(client)), Some(assignment)) => {
                self.adopted(client, assignment, &resolved, findings)
            }
            (Some(Err(error)), _) => {
                let message = format!("it is no usable client manifest: {error}");
                self.listed.generated_because(message, Some(error.clone()), findings);
                None
            }
            _ => None,
        };
        let served = adopted.unwrap_or_else(|| self.generated(&resolved, findings));
        let name_of = |file: FileId| self.listed.files.get(file.index()).map_or("", Name::as_str);
        mix_ups::check(&served.streams, &self.media, name_of, findings);
        served
    }

    /// Returns the stored manifest, if some of it can be served.
    fn adopted(
        &self,
        client: &ClientDocument,
        assignment: Assignment,
        resolved: &[Resolved<'_>],
        findings: &mut Findings,
    ) -> Option<Served> {
        let options = &self.listed.options;
        let adopted = adopt(client.manifest(), assignment, resolved, options, findings);
        if !adopted.is_of_use() {
            let message = "nothing that it announces has media".into();
            self.listed.generated_because(message, None, findings);
            return None;
        }
        if client.manifest().protection.is_empty() {
            licences::check_keys(resolved, &options.limits, findings);
        }
        licences::check_schemes(resolved, &options.limits, findings);
        let file = self.listed.client_name().unwrap_or_default();
        let (text, decoded) = (client.bytes(), client.decoded());
        let (manifest, source) =
            served_text(text, &decoded, client.stored(), &adopted.cuts, file, findings);
        let Adopted { streams, has_left_out, .. } = adopted;
        let manifest = ClientManifestText::new(Ok(manifest), source, options.layout);
        Some(Served { streams, manifest: manifest.with_left_out(has_left_out) })
    }

    /// Returns a manifest made from the media.
    fn generated(&self, resolved: &[Resolved<'_>], findings: &mut Findings) -> Served {
        let OpenOptions { limits, layout, .. } = &self.listed.options;
        let mut generated = generate(resolved, &self.listed.options, findings);
        let systems = self.media.iter().flat_map(|(_, file)| &file.protection);
        generated.manifest.protection = protection::headers(systems, findings);
        if generated.manifest.protection.is_empty() {
            licences::check_keys(resolved, limits, findings);
        }
        licences::check_schemes(resolved, limits, findings);
        let Generated { manifest, mut streams, has_left_out } = generated;
        let is_empty = manifest.streams.is_empty();
        let manifest = match manifest.to_xml(*layout, limits) {
            // A manifest made from the readable files would change as soon as the others can be
            // read again.
            Ok(_) if resolved.iter().any(is_unreadable) => Err(Absent::Unreadable.into()),
            Ok(_) if is_empty => Err(nothing(resolved, findings)),
            Ok(mut manifest) => {
                // The room that the text could still have grown into.
                manifest.shrink_to_fit();
                // With an owner the first reply allocates no more than the others.
                Ok(Bytes::from_owner(manifest))
            }
            Err(error) => {
                streams.clear();
                Err(error.kind)
            }
        };
        add_unserved(&mut streams, resolved);
        let manifest = ClientManifestText::new(manifest, ManifestSource::Generated, *layout);
        Served { streams, manifest: manifest.with_left_out(has_left_out) }
    }
}

/// Returns why nothing can be served.
fn nothing(resolved: &[Resolved<'_>], findings: &Findings) -> ErrorKind {
    if resolved.is_empty() {
        let why = String::from("the server manifest names no track");
        return ErrorKind::NothingToServe { findings: why.clone(), public: why };
    }
    let mut absent = resolved.iter().filter_map(Resolved::trouble).map(|why| why.absent);
    if let Some(why @ Absent::NotSliceable(_)) = absent.find(|a| *a != Absent::Missing) {
        return why.into();
    }
    let findings = findings.clone().sorted();
    let first: Vec<_> = findings.iter().take(3).map(Finding::to_string).collect();
    let public = findings.first().map(Finding::public).unwrap_or_default();
    ErrorKind::NothingToServe { findings: first.join("; "), public }
}

/// Returns the text of a client manifest as it is served: readable for players, and without
/// elements that have no media.
pub(super) fn served_text(
    text: &Bytes,
    decoded: &Decoded<'_>,
    stored: &Stored<'_>,
    cuts: &[Cut],
    file: &str,
    findings: &mut Findings,
) -> (Bytes, ManifestSource) {
    report_corrections(decoded, stored, file, findings);
    let readable = decoded.is_readable_as_stored();
    let whole = cuts.iter().all(|cut| *cut == Cut::Nothing) && stored.edits.is_empty();
    if readable && whole && !stored.is_rewritten && decoded.stripped.is_empty() {
        return (text.clone(), ManifestSource::Stored);
    }
    let mended = mend(&decoded.text, &stored.spans, cuts, &stored.edits);
    (decoded.to_utf8(mended).into(), ManifestSource::Mended)
}

/// Reports what reading a stored manifest corrected.
pub(super) fn report_corrections(
    decoded: &Decoded<'_>,
    stored: &Stored<'_>,
    file: &str,
    findings: &mut Findings,
) {
    let left_out = decoded.stripped.iter().map(|what| format!("{what} is left out"));
    for message in left_out.chain(stored.corrections.iter().cloned()) {
        findings.push(Finding::new(FindingCode::ManifestCorrected, message).in_file(file));
    }
    for message in &stored.left_out {
        let finding = Finding::new(FindingCode::ManifestPartLeftOut, message.clone());
        findings.push(finding.in_file(file));
    }
    if stored.braced_systems > 0 {
        let count = stored.braced_systems;
        let message = format!("`SystemID` values in braces: {count}");
        findings.push(Finding::new(FindingCode::SystemIdBraced, message).in_file(file));
    }
    if !decoded.is_readable_as_stored() {
        let encoding = decoded.encoding.name();
        let message = format!("it is {encoding} without declaring it, and is served as UTF-8");
        findings.push(Finding::new(FindingCode::ManifestReencoded, message).in_file(file));
    }
}

/// Adds what a generated manifest cannot announce, so that requests for it learn why.
fn add_unserved(streams: &mut Vec<Stream>, resolved: &[Resolved<'_>]) {
    let mut known: HashMap<(StreamKind, String), usize> = HashMap::new();
    for (number, stream) in streams.iter().enumerate() {
        known.entry((stream.kind, stream.name.clone())).or_insert(number);
    }
    for track in resolved {
        let (Some(trouble), Some(bitrate)) = (track.trouble(), track.server.bitrate()) else {
            continue;
        };
        let (kind, name) = (track.server.kind, track.server.name());
        let track = Track {
            kind,
            bitrate,
            attributes: Vec::new(),
            media: Media::Absent(trouble.absent),
            description: None,
            pixel_aspect: None,
        };
        let number = *known.entry((kind, name.to_owned())).or_insert(streams.len());
        match streams.get_mut(number) {
            Some(stream) => stream.tracks.push(track),
            None => streams.push(Stream {
                kind,
                name: name.to_owned(),
                label: None,
                language: None,
                timescale: Timescale::SMOOTH,
                timeline: Timeline::default(),
                tracks: vec![track],
                subtype: None,
                parent: None,
                scheme: None,
                role: None,
                window: Window::default(),
            }),
        }
    }
}

fn is_unreadable(track: &Resolved<'_>) -> bool {
    track.trouble().is_some_and(|trouble| trouble.absent == Absent::Unreadable)
}
