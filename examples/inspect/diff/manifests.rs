//! Comparing what two manifests say: streams, qualities and chunks, whatever their order and spelling.

use smooth_origin::base::Limits;
use smooth_origin::manifest::{ClientManifest, QualityLevel, StreamIndex};
use smooth_origin::presentation::Timeline;

use super::{Difference, Differences};

/// A quality that both have.
pub(super) struct Pair<'a> {
    pub(super) name: String,
    pub(super) a: (&'a StreamIndex, &'a QualityLevel),
    pub(super) b: (&'a StreamIndex, &'a QualityLevel),
    /// Number and start of each chunk that both have.
    pub(super) chunks: Vec<(usize, u64)>,
}

/// Compares two manifests, and returns the qualities that both have.
pub(super) fn compare<'a>(
    a: &'a ClientManifest,
    b: &'a ClientManifest,
    differences: &mut Differences,
) -> Vec<Pair<'a>> {
    let mut tell = Tell { place: String::new(), stream: None, bitrate: None, differences };
    tell.if_other("TimeScale", &a.timescale(), &b.timescale());
    tell.if_other("Duration", &a.duration, &b.duration);
    tell.if_other("IsLive", &(a.is_live == Some(true)), &(b.is_live == Some(true)));
    let systems = |of: &ClientManifest| {
        let systems = of.protection.iter().map(|header| match header.system_id {
            Some(id) => format!("{id} ({} characters)", header.data.len()),
            None => "a system without an id".to_owned(),
        });
        systems.collect::<Vec<_>>().join(", ")
    };
    tell.if_other("Protection", &systems(a), &systems(b));
    let headers = |of: &ClientManifest| -> Vec<String> {
        of.protection.iter().map(|header| header.data.clone()).collect()
    };
    if systems(a) == systems(b) && headers(a) != headers(b) {
        tell.push("Protection", Some("a header"), Some("another header"));
    }
    let is_same = |one: &StreamIndex, other: &StreamIndex| {
        one.kind == other.kind && one.name() == other.name()
    };
    let mut pairs = Vec::new();
    for index in &a.streams {
        tell.stream = Some(index.name().into_owned());
        tell.place = format!("{} `{}`", index.kind, index.name());
        match b.streams.iter().find(|other| is_same(index, other)) {
            Some(other) => stream((a, index), (b, other), &mut tell, &mut pairs),
            None => tell.push("", Some("a stream"), None),
        }
    }
    for index in &b.streams {
        tell.stream = Some(index.name().into_owned());
        tell.place = format!("{} `{}`", index.kind, index.name());
        if !a.streams.iter().any(|other| is_same(index, other)) {
            tell.push("", None, Some("a stream"));
        }
    }
    pairs
}

/// Where differences are told.
struct Tell<'a> {
    place: String,
    stream: Option<String>,
    bitrate: Option<u32>,
    differences: &'a mut Differences,
}

impl Tell<'_> {
    fn push(&mut self, what: &str, a: Option<&str>, b: Option<&str>) {
        self.push_at(what, None, a, b);
    }

    fn push_at(&mut self, what: &str, chunk: Option<u64>, a: Option<&str>, b: Option<&str>) {
        let place = match (&*self.place, what) {
            ("", what) => what.to_owned(),
            (place, "") => place.to_owned(),
            (place, what) => format!("{place}, {what}"),
        };
        let (stream, bitrate) = (self.stream.clone(), self.bitrate);
        let (a, b) = (a.map(str::to_owned), b.map(str::to_owned));
        self.differences.push(Difference {
            place,
            stream,
            bitrate,
            chunk,
            a,
            b,
            ..Difference::default()
        });
    }

    fn if_other<T: PartialEq + ToString>(&mut self, what: &str, a: &T, b: &T) {
        if a != b {
            self.push(what, Some(&a.to_string()), Some(&b.to_string()));
        }
    }

    fn if_other_option<T: PartialEq + ToString>(
        &mut self,
        what: &str,
        a: &Option<T>,
        b: &Option<T>,
    ) {
        if a != b {
            let text = |value: &Option<T>| value.as_ref().map(ToString::to_string);
            self.push(what, text(a).as_deref(), text(b).as_deref());
        }
    }
}

fn stream<'a>(
    (in_a, a): (&ClientManifest, &'a StreamIndex),
    (in_b, b): (&ClientManifest, &'a StreamIndex),
    tell: &mut Tell<'_>,
    pairs: &mut Vec<Pair<'a>>,
) {
    tell.if_other("TimeScale", &in_a.timescale_of(a), &in_b.timescale_of(b));
    tell.if_other_option("Language", &a.language, &b.language);
    tell.if_other_option("Subtype", &a.subtype, &b.subtype);
    tell.if_other_option("ParentStreamIndex", &a.parent, &b.parent);
    let chunks = chunks(a, b, tell);
    let place = tell.place.clone();
    let is_same = |one: &QualityLevel, other: &QualityLevel| {
        one.bitrate == other.bitrate && one.custom_attributes == other.custom_attributes
    };
    for quality in &a.qualities {
        tell.bitrate = Some(quality.bitrate);
        tell.place = format!("{place} at {}", quality.bitrate);
        let Some(other) = b.qualities.iter().find(|other| is_same(quality, other)) else {
            tell.push("", Some("a quality"), None);
            continue;
        };
        attributes((a, quality), (b, other), tell);
        let name = format!("{} `{}` at {}", a.kind, a.name(), quality.bitrate);
        let chunks = if a.is_embedded() { Vec::new() } else { chunks.clone() };
        pairs.push(Pair { name, a: (a, quality), b: (b, other), chunks });
    }
    for quality in &b.qualities {
        tell.bitrate = Some(quality.bitrate);
        tell.place = format!("{place} at {}", quality.bitrate);
        if !a.qualities.iter().any(|other| is_same(quality, other)) {
            tell.push("", None, Some("a quality"));
        }
    }
    tell.bitrate = None;
}

/// Compares what sets a decoder up.
fn attributes(
    (in_a, a): (&StreamIndex, &QualityLevel),
    (in_b, b): (&StreamIndex, &QualityLevel),
    tell: &mut Tell<'_>,
) {
    let four_cc = |index: &StreamIndex, quality: &QualityLevel| {
        quality.four_cc.clone().or_else(|| index.four_cc.clone())
    };
    tell.if_other_option("FourCC", &four_cc(in_a, a), &four_cc(in_b, b));
    // Hexadecimal digits are the same in any letter case.
    let data = |quality: &QualityLevel| {
        quality.codec_private_data.as_deref().unwrap_or_default().trim().to_ascii_uppercase()
    };
    tell.if_other("CodecPrivateData", &data(a), &data(b));
    tell.if_other_option("MaxWidth", &a.max_width, &b.max_width);
    tell.if_other_option("MaxHeight", &a.max_height, &b.max_height);
    tell.if_other_option("SamplingRate", &a.sampling_rate, &b.sampling_rate);
    tell.if_other_option("Channels", &a.channels, &b.channels);
    tell.if_other_option("AudioTag", &a.audio_tag, &b.audio_tag);
    let nal_length = |quality: &QualityLevel| quality.nal_unit_length_field.unwrap_or(4);
    tell.if_other("NALUnitLengthField", &nal_length(a), &nal_length(b));
}

/// Compares the chunks, and returns those that both have: numbers are those of A.
fn chunks(a: &StreamIndex, b: &StreamIndex, tell: &mut Tell<'_>) -> Vec<(usize, u64)> {
    let limits = Limits::default();
    let timelines = (Timeline::new(&a.chunks, &limits), Timeline::new(&b.chunks, &limits));
    let (Ok(of_a), Ok(of_b)) = timelines else {
        tell.push("its times", Some("read or not"), Some("read or not"));
        return Vec::new();
    };
    if of_a.len() != of_b.len() {
        tell.if_other("number of chunks", &of_a.len(), &of_b.len());
    }
    let mut common = Vec::new();
    for (number, (start, duration)) in of_a.iter().enumerate() {
        let what = format!("chunk {number} ({start})");
        match of_b.locate(start).and_then(|number| of_b.chunk(number)) {
            None => tell.push_at(&what, Some(start), Some("announced"), None),
            Some((_, other)) => {
                if other != duration {
                    let durations = (duration.to_string(), other.to_string());
                    let what = format!("{what}, duration");
                    tell.push_at(&what, Some(start), Some(&durations.0), Some(&durations.1));
                }
                common.push((number, start));
            }
        }
    }
    for (number, (start, _)) in of_b.iter().enumerate() {
        if of_a.locate(start).is_none() {
            let what = format!("chunk {number} ({start})");
            tell.push_at(&what, Some(start), None, Some("announced"));
        }
    }
    common
}
