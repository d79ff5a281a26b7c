//! A stored client manifest with the media that fits it.

use super::assign::Assignment;
use super::for_players;
use super::keys::{Labels, check_keys};
use super::lacking::lacking;
use super::matching::match_announced;
use super::mend::Cut;
use super::resolve::Resolved;
use crate::base::Timescale;
use crate::codec::{lowest_terms, pixel_aspect_of_track};
use crate::manifest::{ClientManifest, QualityLevel, ServerTrack, StreamIndex, StreamKind};
use crate::presentation::finding::{Finding, FindingCode, Findings, Label, label};
use crate::presentation::stream::{Absent, Media, announced, word};
use crate::presentation::{OpenOptions, Role, Stream, Timeline, Track, Window};

/// The streams of a stored manifest, and what of it has no media.
pub(super) struct Adopted {
    pub(super) streams: Vec<Stream>,
    /// One a stream.
    pub(super) cuts: Vec<Cut>,
    /// True if event streams are left out, as the options require.
    pub(super) has_left_out: bool,
}

impl Adopted {
    /// Something of it can be served.
    pub(super) fn is_of_use(&self) -> bool {
        self.cuts.iter().any(|cut| *cut != Cut::All)
    }
}

/// Finds the media for everything that a stored manifest announces.
///
/// A stream whose times are impossible is not served, unless the manifest itself holds its samples.
/// If the options say so, event streams are left out of the manifest, but are still served.
pub(super) fn adopt(
    client: &ClientManifest,
    assignment: Assignment,
    resolved: &[Resolved<'_>],
    options: &OpenOptions,
    findings: &mut Findings,
) -> Adopted {
    let limits = &options.limits;
    let labels = Labels::new(&client.streams);
    let mut adopted = Adopted { streams: Vec::new(), cuts: Vec::new(), has_left_out: false };
    for_players::check_live(client, findings);
    for_players::check(client, findings);
    for (index, assigned) in client.streams.iter().zip(assignment) {
        let (name, timescale) = (index.name(), client.timescale_of(index));
        let (timeline, is_possible) = match Timeline::new(&index.chunks, limits) {
            Ok(timeline) => (timeline, true),
            Err(error) => {
                let finding = Finding::new(FindingCode::TimesInvalid, error.to_string());
                findings.push(finding.of_track(&name).because(error));
                (Timeline::default(), false)
            }
        };
        let track = |(quality, number): (&QualityLevel, Option<usize>)| {
            let attributes = quality.custom_attributes.clone();
            let description = announced(index, quality);
            // If the samples are in the manifest, nobody asks for them.
            let is_asked_for = is_possible && !(number.is_none() && index.is_embedded());
            let media = match is_asked_for {
                true => {
                    let resolved = number.and_then(|number| resolved.get(number));
                    let label = label(&name, quality.bitrate);
                    media(resolved, &timeline, timescale, &label, findings)
                }
                false => Media::Absent(Absent::Missing),
            };
            let resolved = number.and_then(|number| resolved.get(number));
            let pixel_aspect = pixel_aspect(index, quality, resolved).map(Box::new);
            let (kind, bitrate) = (index.kind, quality.bitrate);
            Track { kind, bitrate, attributes, media, description, pixel_aspect }
        };
        let server = assigned.iter().flatten().find_map(|&number| resolved.get(number));
        let role = role(index, &labels, server.map(|resolved| resolved.server));
        let qualities = index.qualities.iter().zip(assigned);
        let tracks = qualities.map(track).collect();
        let stream = Stream {
            kind: index.kind,
            name: name.into_owned(),
            label: labels.of(index).map(str::to_owned),
            language: index.language.clone(),
            timescale,
            timeline,
            tracks,
            subtype: word(index.subtype.as_deref()),
            parent: word(index.parent.as_deref()),
            scheme: word(index.event_scheme()),
            role,
            window: Window::default(),
        };
        let mut cut = cut(index, &stream, findings);
        if options.without_event_streams && index.is_of_events() {
            adopted.has_left_out = true;
            cut = Cut::All;
        }
        if cut != Cut::All {
            for_players::check_stream(index, &stream, findings);
        }
        adopted.cuts.push(cut);
        check(&stream, findings);
        adopted.streams.push(stream);
    }
    check_keys(&client.streams, &adopted.streams, findings);
    adopted
}

/// Returns the role that the manifests give a stream.
pub(super) fn role(
    index: &StreamIndex,
    labels: &Labels,
    server: Option<&ServerTrack>,
) -> Option<Role> {
    let name = index.name();
    let names = [Some(&*name), labels.of(index), server.and_then(ServerTrack::track_name)];
    Role::declared(index.kind, index.subtype.as_deref(), &names, server)
}

/// Returns width and height of a pixel by the track's header, or else by the size at which the
/// manifest wants pictures to be shown.
///
/// Spec: ISO/IEC 14496-12, 8.3.2; [MS-SSTR] 2.2.2.3.
pub(super) fn pixel_aspect(
    index: &StreamIndex,
    quality: &QualityLevel,
    resolved: Option<&Resolved<'_>>,
) -> Option<(u32, u32)> {
    if index.kind != StreamKind::Video {
        return None;
    }
    let of_file = || {
        let media = resolved?.media.as_ref().ok()?;
        pixel_aspect_of_track(media.entry.as_ref()?, media.shown?)
    };
    let of_manifest = || {
        let shown = index.display_width.zip(index.display_height)?;
        let width = index.max_width.or(quality.max_width)?;
        let height = index.max_height.or(quality.max_height)?;
        let product = |one: u32, other: u32| u64::from(one) * u64::from(other);
        lowest_terms((product(shown.0, height), product(shown.1, width)))
    };
    of_file().or_else(of_manifest)
}

/// The media of a quality, if it has any for the chunks of its stream.
fn media(
    resolved: Option<&Resolved<'_>>,
    timeline: &Timeline,
    timescale: Timescale,
    label: &Label<'_>,
    findings: &mut Findings,
) -> Media {
    let Some(resolved) = resolved else {
        let message = "the server manifest has no track for it";
        findings.push(Finding::new(FindingCode::TrackMissing, message).of_track(label));
        return Media::Absent(Absent::Missing);
    };
    let media = match &resolved.media {
        Ok(media) => *media,
        Err(trouble) => return Media::Absent(trouble.absent),
    };
    let fragments = match &media.fragments {
        Ok(fragments) => fragments,
        Err(trouble) => return Media::Absent(trouble.absent),
    };
    if timescale != media.timescale {
        let message =
            format!("the manifest counts 1/{timescale} s, the file 1/{} s", media.timescale);
        let finding = Finding::new(FindingCode::TimescalesDiffer, message).of_track(label);
        findings.push(finding.in_file(&resolved.file_name));
    }
    let matched = match_announced(timeline, timescale, fragments, media.timescale);
    let mut tell = |code, message, chunk: Option<usize>| {
        let time = chunk.and_then(|chunk| timeline.chunk(chunk)).map(|chunk| chunk.0);
        let finding = Finding::new(code, message).of_track(label).at_chunk(time);
        findings.push(finding.in_file(&resolved.file_name));
    };
    let (found, chunks) = (matched.fragments.len(), timeline.len());
    let (shift, is_by_number) = (matched.shift, matched.is_by_number);
    let stored = resolved.stored(media, matched);
    if let Media::Stored(track) = &stored
        && let Some(first) = track.fragments.first_missing(chunks)
    {
        tell(FindingCode::ChunksWithoutMedia, lacking(media, found, chunks), Some(first));
    }
    if found < fragments.len() {
        let message = match fragments.len() - found {
            1 => "1 fragment of the file is not announced".into(),
            count => format!("{count} fragments of the file are not announced"),
        };
        tell(FindingCode::FragmentsWithoutChunk, message, None);
    }
    if found == 0 {
        return Media::Absent(Absent::Missing);
    }
    if is_by_number {
        let message = "times of the file and the manifest differ: chunks are found by number";
        tell(FindingCode::TimesInexact, message.into(), None);
    }
    if shift != 0 {
        tell(FindingCode::TimesShifted, shifted(shift, timescale), None);
    }
    stored
}

/// Describes by how much the times of a file differ from the manifest's. `shift` is what must be
/// added to them, in ticks.
fn shifted(shift: i64, timescale: Timescale) -> String {
    let ticks = shift.unsigned_abs();
    let seconds = ticks as f64 / timescale.get() as f64;
    let than = if shift > 0 { "earlier" } else { "later" };
    format!("the times in the file are {ticks} ticks ({seconds:.3} s) {than} than the manifest's")
}

/// Returns the part of a stream that must be left out: tracks without media, unless the manifest
/// itself holds the samples. Media that could just not be read may be there the next time, and its
/// tracks stay.
pub(super) fn cut(index: &StreamIndex, stream: &Stream, findings: &mut Findings) -> Cut {
    if index.is_embedded() {
        return Cut::Nothing;
    }
    let without = |(number, track): (usize, &Track)| track.is_gone().then_some(number);
    let gone: Vec<usize> = stream.tracks.iter().enumerate().filter_map(without).collect();
    let (cut, message) = match gone.len() {
        0 if !stream.tracks.is_empty() => return Cut::Nothing,
        // A stream without qualities or chunks announces nothing that could be asked for.
        0 => return Cut::Nothing,
        1 if stream.tracks.len() == 1 => (Cut::All, "its only track has".into()),
        all if all == stream.tracks.len() => (Cut::All, format!("all of its {all} tracks have")),
        1 => (Cut::Qualities(gone), format!("1 of its {} tracks has", stream.tracks.len())),
        some => {
            let message = format!("{some} of its {} tracks have", stream.tracks.len());
            (Cut::Qualities(gone), message)
        }
    };
    let message = format!("{message} no media: left out of the manifest");
    findings.push(Finding::new(FindingCode::ManifestMended, message).of_track(&stream.name));
    cut
}

/// Reports properties that a player may stumble over.
pub(super) fn check(stream: &Stream, findings: &mut Findings) {
    let mut tell = |code, message: String| {
        findings.push(Finding::new(code, message).of_track(&stream.name));
    };
    if stream.kind != StreamKind::Text && stream.tracks.iter().any(|track| track.bitrate == 0) {
        tell(FindingCode::BitrateZero, "a quality is announced with 0 bit/s".into());
    }
    if stream.timeline.steps_back() {
        tell(FindingCode::ChunksOverlap, "its chunks step back in time".into());
    }
    if stream.timescale != Timescale::SMOOTH {
        let message = format!("times are in units of 1/{} s", stream.timescale);
        tell(FindingCode::TimescaleUnusual, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_says_its_direction_and_its_seconds() {
        for (shift, says) in [
            (
                20_000_000,
                "the times in the file are 20000000 ticks (2.000 s) earlier than the manifest's",
            ),
            (
                -20_000_000,
                "the times in the file are 20000000 ticks (2.000 s) later than the manifest's",
            ),
        ] {
            assert_eq!(shifted(shift, Timescale::SMOOTH), says);
        }
    }
}
