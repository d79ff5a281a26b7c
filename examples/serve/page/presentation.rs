//! `presentation`: what is in a presentation, what is wrong with it, and its URLs.

use std::sync::Arc;

use common::Format;
use http::StatusCode;
use serde::Serialize;
use smooth_origin::base::Guid;
use smooth_origin::codec::Format as CodecFormat;
use smooth_origin::presentation::{Presentation, ProtectionSystem, Stream};

use super::answer::Answer;
use super::failure::Failure;
use super::findings::{self, FindingJson};
use super::open::aside;
use super::query::Query;
use super::sizes::{FileSizes, Placed, Rates, file, of_stream};
use super::{Page, codec_words, languages, urls};

#[derive(Serialize)]
struct PresentationJson<'a> {
    name: &'a str,
    live: bool,
    /// Seconds from 1970 to the moment at which media time 0 of an event that goes on was live.
    epoch_seconds: Option<f64>,
    duration_seconds: f64,
    size: u64,
    protection: Vec<ProtectionJson>,
    streams: Vec<StreamJson<'a>>,
    findings: Vec<FindingJson>,
    /// Where the URLs are, if that is not where the page is.
    base: Option<String>,
    urls: Vec<UrlJson>,
}

#[derive(Serialize)]
struct ProtectionJson {
    system: Option<&'static str>,
    system_id: String,
    key_ids: Vec<String>,
}

#[derive(Serialize)]
struct StreamJson<'a> {
    r#type: &'static str,
    name: &'a str,
    language: Option<String>,
    language_words: Option<String>,
    role: &'static str,
    timescale: u64,
    fragments: usize,
    tracks: Vec<TrackJson<'a>>,
}

#[derive(Serialize)]
struct TrackJson<'a> {
    id: Option<u32>,
    name: Option<String>,
    bitrate: u32,
    measured_bitrate: Option<u64>,
    peak_bitrate: Option<u64>,
    codec: Option<String>,
    rfc6381: Option<String>,
    fourcc: Option<&'a str>,
    width: Option<u32>,
    height: Option<u32>,
    frame_rate: Option<f64>,
    channels: Option<u32>,
    sampling_rate: Option<u32>,
    language: Option<String>,
    fragments: usize,
    size: u64,
    file: Option<&'a str>,
    encrypted: Option<&'static str>,
    quality_url: String,
}

#[derive(Serialize)]
struct UrlJson {
    format: &'static str,
    label: &'static str,
    url: String,
}

/// Names of protection systems.
const SYSTEMS: [(u128, &str); 7] = [
    (0x9a04f079_9840_4286_ab92_e65be0885f95, "PlayReady"),
    (0xedef8ba9_79d6_4ace_a3c8_27dcd51d21ed, "Widevine"),
    (0x94ce86fb_07ff_4f43_adb8_93d2fa968ca2, "FairPlay"),
    (0x1077efec_c0b2_4d02_ace3_3c1e52e2fb4b, "Common PSSH"),
    (0xe2719d58_a985_b3c9_781a_b030af78d30e, "ClearKey"),
    (0x5e629af5_38da_4063_8977_97ffbd9902d4, "Marlin"),
    (0xf239e769_efa3_4850_9c16_a903c6932efb, "Primetime"),
];

pub(super) async fn answer(
    page: &Page,
    query: &Query,
    base: Option<String>,
) -> Result<Answer, Failure> {
    let name = query.presentation()?;
    let opened = page.open(&name).await?;
    let presentation = Arc::clone(opened.presentation());
    let formats = page.formats.clone();
    let sizes = FileSizes::of(&page.origin, &presentation).await;
    let stored = page.catalogue.stored(&name);
    aside(move || {
        let found = findings::in_json(findings::of(&presentation, stored.as_ref()));
        let json = PresentationJson::of(&presentation, &sizes, &formats, base, found);
        Answer::json(StatusCode::OK, &json)
    })
    .await
}

impl<'a> PresentationJson<'a> {
    fn of(
        presentation: &'a Presentation,
        sizes: &FileSizes,
        formats: &[Format],
        base: Option<String>,
        findings: Vec<FindingJson>,
    ) -> Self {
        let streams = presentation.streams().iter().enumerate();
        let stream = |(number, stream)| StreamJson::of(presentation, stream, number, sizes);
        let streams: Vec<_> = streams.map(stream).collect();
        let tracks = streams.iter().flat_map(|stream| &stream.tracks);
        Self {
            name: presentation.name().as_str(),
            live: presentation.is_live(),
            epoch_seconds: presentation.live().map(|live| live.epoch as f64 / 1e7),
            duration_seconds: seconds(presentation),
            size: tracks.fold(0, |sum, track| sum.saturating_add(track.size)),
            protection: presentation.protection().iter().map(ProtectionJson::of).collect(),
            streams,
            findings,
            base,
            urls: urls_of(presentation, formats),
        }
    }
}

/// From the start of the earliest chunk to the end of the last.
fn seconds(presentation: &Presentation) -> f64 {
    let streams = presentation.streams().iter().filter(|stream| !stream.timeline().is_empty());
    let ends = streams.map(|stream| {
        let scale = stream.timescale().get() as f64;
        let start = stream.timeline().chunk(0).map_or(0, |(start, _)| start);
        (start as f64 / scale, stream.timeline().end() as f64 / scale)
    });
    let both = ends.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
    both.map_or(0.0, |(start, end)| (end - start).max(0.0))
}

fn urls_of(presentation: &Presentation, formats: &[Format]) -> Vec<UrlJson> {
    let served = formats.iter().filter(|format| format.check(presentation).is_ok());
    let url = |format: &Format| UrlJson {
        format: format.as_str(),
        label: match format {
            Format::Smooth => "Smooth Streaming",
            Format::Dash => "DASH",
            Format::Hls => "HLS",
        },
        url: format!("/{}", format.path(presentation.name().as_str())),
    };
    served.map(url).collect()
}

impl ProtectionJson {
    fn of(system: &ProtectionSystem) -> Self {
        let known = SYSTEMS.iter().find(|(id, _)| system.system_id == Guid::from_u128(*id));
        Self {
            system: known.map(|(_, name)| *name),
            system_id: system.system_id.to_string(),
            key_ids: system.keys().iter().map(Guid::to_string).collect(),
        }
    }
}

impl<'a> StreamJson<'a> {
    fn of(
        presentation: &'a Presentation,
        stream: &'a Stream,
        number: usize,
        sizes: &FileSizes,
    ) -> Self {
        let language = stream.language_tag().or_else(|| {
            let language = stream.language().filter(|language| !language.is_empty());
            language.map(str::to_owned)
        });
        let tracks = of_stream(stream, number);
        Self {
            r#type: stream.kind().as_str(),
            name: stream.name(),
            language_words: language.as_deref().and_then(languages::words),
            language,
            role: stream.role().as_str(),
            timescale: stream.timescale().get(),
            fragments: stream.timeline().len(),
            tracks: tracks.map(|track| TrackJson::of(presentation, track, sizes)).collect(),
        }
    }
}

impl<'a> TrackJson<'a> {
    fn of(presentation: &'a Presentation, placed: Placed<'a>, sizes: &FileSizes) -> Self {
        let track = placed.track;
        let description = track.description();
        let rfc6381 = track.codecs();
        let fourcc = description.map(|of| of.tag.as_str()).filter(|tag| !tag.is_empty());
        let (sound, size) = (track.sound(), track.picture_size());
        let announced = description.and_then(|of| match of.format {
            CodecFormat::Audio { sampling_rate, channels, .. } => Some((sampling_rate, channels)),
            _ => None,
        });
        let rates = Rates::of(placed, sizes);
        let is_atmos = sound.is_some_and(|sound| sound.objects.is_some());
        let codec = codec_words::words(rfc6381.as_deref(), fourcc);
        let attributes = track.attributes().iter();
        let name: Vec<_> = attributes.map(|of| format!("{}={}", of.name, of.value)).collect();
        let above_zero = |number: u32| (number > 0).then_some(number);
        Self {
            id: track.source().map(|(_, id)| id),
            name: (!name.is_empty()).then(|| name.join(", ")),
            bitrate: track.bitrate(),
            measured_bitrate: rates.mean,
            peak_bitrate: rates.peak,
            codec: codec.map(|codec| if is_atmos { codec + " with Atmos" } else { codec }),
            rfc6381,
            fourcc,
            width: size.map(|size| size.0),
            height: size.map(|size| size.1),
            frame_rate: track.frame_rate().map(|rate| rate.to_f64()),
            channels: sound.map(|of| of.channels).or(announced.and_then(|of| above_zero(of.1))),
            sampling_rate: sound
                .map(|of| of.sampling_rate)
                .or(announced.and_then(|of| above_zero(of.0))),
            language: None,
            fragments: track.fragment_count(),
            size: rates.bytes,
            file: file(presentation, track),
            encrypted: track.encryption().map(|of| of.scheme.as_str()),
            quality_url: urls::quality(track),
        }
    }
}
