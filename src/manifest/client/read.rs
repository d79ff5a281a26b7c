//! Reading a client manifest, and remembering where its parts lie in the text.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::ops::Range;
use std::str::FromStr;

use super::{
    Chunk, ChunkDetails, ClientManifest, CustomAttribute, FragmentData, OtherAttributes,
    ProtectionHeader, QualityLevel, StreamIndex, other_attributes,
};
use crate::base::{Error, ErrorKind, Limits, Timescale};
use crate::manifest::StreamKind;
use crate::manifest::encoding::Decoded;
use crate::manifest::plain_element::PlainElement;
use crate::manifest::xml::{Attribute, Element, Reader};

/// A client manifest with the text it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) manifest: ClientManifest,
    pub(crate) decoded: Decoded<'a>,
    /// One per stream.
    pub(crate) spans: Vec<Spans>,
    /// What must change in the text, so that it says what was read.
    pub(crate) edits: Vec<Edit>,
    /// What the edits are for, with line and element; the first few.
    pub(crate) corrections: Vec<String>,
    /// How many protection systems are named in braces.
    pub(crate) braced_systems: usize,
}

/// A part of the text that is replaced by a number, or cut out.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) at: Range<usize>,
    pub(crate) instead: Option<u64>,
}

/// Where a stream lies in the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans {
    /// The whole `StreamIndex` element.
    pub(crate) element: Range<usize>,
    /// The value of its `QualityLevels` attribute.
    pub(crate) declared_qualities: Option<Range<usize>>,
    /// Each `QualityLevel` element that was read.
    pub(crate) qualities: Vec<Range<usize>>,
    /// Some `QualityLevel` elements cannot be used, and are cut out by edits.
    pub(crate) has_unusable_qualities: bool,
}

impl<'a> Stored<'a> {
    /// Reads what can be used: a number with a fraction is rounded, and a quality or stream that
    /// holds an unusable value is left out.
    ///
    /// # Errors
    /// As [`ClientManifest::parse`], but [`ErrorKind::Invalid`] only if very much is unusable.
    pub(crate) fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        Self::read(bytes, limits, true)
    }

    /// The same, where every unusable value is an error.
    pub(super) fn parse_strictly(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        Self::read(bytes, limits, false)
    }

    fn read(bytes: &'a [u8], limits: &Limits, is_lenient: bool) -> Result<Self, Error> {
        let (found, limit) = (bytes.len() as u64, limits.client_manifest);
        if found > limit {
            let what = "bytes of a client manifest";
            return Err(ErrorKind::Budget { what, found, limit }.into());
        }
        let decoded = Decoded::new(bytes)?;
        let mut document = Document::new(&decoded.text, limits, is_lenient)?;
        let manifest = document.manifest()?;
        let Document { reader, spans, edits, corrections, braced_systems, .. } = document;
        reader.finish()?;
        Ok(Self { manifest, decoded, spans, edits, corrections, braced_systems })
    }
}

/// A document being read.
struct Document<'t> {
    reader: Reader<'t>,
    text: &'t str,
    limits: &'t Limits,
    is_lenient: bool,
    spans: Vec<Spans>,
    streams: usize,
    qualities: usize,
    edits: Vec<Edit>,
    corrections: Vec<String>,
    /// Elements that were cut out.
    cuts: usize,
    braced_systems: usize,
}

/// Corrections that are described: each takes a count of the lines before it.
const MOST_DESCRIBED: usize = 16;

/// A manifest with more unusable elements is not used at all.
const MOST_CUTS: usize = 64;

impl<'t> Document<'t> {
    fn new(text: &'t str, limits: &'t Limits, is_lenient: bool) -> Result<Self, Error> {
        Ok(Self {
            reader: Reader::new(text, limits)?,
            text,
            limits,
            is_lenient,
            spans: Vec::new(),
            streams: 0,
            qualities: 0,
            edits: Vec::new(),
            corrections: Vec::new(),
            cuts: 0,
            braced_systems: 0,
        })
    }

    /// An edit of the text, and what it is for.
    fn correct(
        &mut self,
        element: &Element<'t>,
        at: Range<usize>,
        instead: Option<u64>,
        what: impl FnOnce() -> String,
    ) {
        push(&mut self.edits, Edit { at, instead });
        if self.corrections.len() < MOST_DESCRIBED {
            self.corrections.push(invalid(element, &what()).to_string());
        }
    }

    /// Cuts an element out that cannot be used; any other error, or one too many, is given back.
    fn cut(&mut self, element: &Element<'t>, depth: usize, error: Error) -> Result<(), Error> {
        let is_invalid = matches!(error.kind, ErrorKind::Invalid { .. });
        if !self.is_lenient || !is_invalid || self.cuts >= MOST_CUTS {
            return Err(error);
        }
        self.cuts += 1;
        self.reader.leave(depth)?;
        // Edits inside of it go with it.
        while self.edits.pop_if(|edit| edit.at.start >= element.start).is_some() {}
        push(&mut self.edits, Edit { at: element.start..self.reader.position(), instead: None });
        if self.corrections.len() < MOST_DESCRIBED {
            self.corrections.push(format!("{error}: the {} is left out", element.name()));
        }
        Ok(())
    }

    /// The attribute as it should be: a number with a fraction (`500000.0`) is rounded.
    fn plain<'e>(&mut self, element: &Element<'t>, mut a: Attribute<'e>) -> Attribute<'e> {
        if self.is_lenient
            && a.value.contains('.')
            && NUMBERS.contains(&a.name)
            && let Some(number) = rounded(&a.value)
        {
            let what = || format!("`{}` is \"{}\", served as {number}", a.name, brief(&a.value));
            self.correct(element, a.span.clone(), Some(number), what);
            a.value = number.to_string().into();
        }
        a
    }

    fn manifest(&mut self) -> Result<ClientManifest, Error> {
        let root = self.reader.root("SmoothStreamingMedia")?;
        let mut m = ClientManifest { major_version: 2, ..ClientManifest::default() };
        for attribute in root.attributes() {
            let a = self.plain(&root, attribute?);
            let kept = match a.name {
                "MajorVersion" => set(&mut m.major_version, &a),
                "MinorVersion" => set(&mut m.minor_version, &a),
                "TimeScale" => set_timescale(&mut m.timescale, &a),
                "Duration" => set(&mut m.duration, &a),
                "IsLive" => set_bool(&mut m.is_live, &a),
                "LookaheadCount" => set_some(&mut m.lookahead_count, &a),
                "LookAheadFragmentCount" => set_some(&mut m.look_ahead_fragment_count, &a),
                "DVRWindowLength" => set_some(&mut m.dvr_window_length, &a),
                "CanSeek" => set_bool(&mut m.can_seek, &a),
                "CanPause" => set_bool(&mut m.can_pause, &a),
                _ => false,
            };
            if !kept {
                m.other.push((a.name.into(), a.value.into_owned()));
            }
        }
        while let Some(child) = self.reader.child()? {
            match child.name() {
                "StreamIndex" => {
                    let outside = self.reader.depth() - 1;
                    match self.stream(&child) {
                        Ok(stream) => m.streams.push(stream),
                        Err(error) => self.cut(&child, outside, error)?,
                    }
                }
                "Protection" => self.protection(&mut m.protection)?,
                "CustomAttributes" => self.custom_attributes(&mut m.custom_attributes)?,
                _ => self.reader.skip()?,
            }
        }
        Ok(m)
    }

    fn stream(&mut self, element: &Element<'t>) -> Result<StreamIndex, Error> {
        self.streams += 1;
        let (found, limit) = (self.streams as u64, self.limits.tracks as u64);
        if found > limit {
            let what = "streams of a client manifest";
            return Err(element.failure(ErrorKind::Budget { what, found, limit }));
        }
        let mut s = StreamIndex::new(StreamKind::Text);
        let mut kind = None;
        let mut spans = Spans::default();
        for attribute in element.attributes() {
            let a = self.plain(element, attribute?);
            if a.name == "QualityLevels" {
                spans.declared_qualities = Some(a.span.clone());
            }
            let kept = match a.name {
                "Type" => {
                    kind = StreamKind::parse(&a.value);
                    true
                }
                "Subtype" => set_text(&mut s.subtype, &a),
                "Name" => set_text(&mut s.name, &a),
                "TimeScale" => set_timescale(&mut s.timescale, &a),
                "Language" => set_text(&mut s.language, &a),
                "Chunks" => set_some(&mut s.declared_chunks, &a),
                "QualityLevels" => set_some(&mut s.declared_qualities, &a),
                "MaxWidth" => set_some(&mut s.max_width, &a),
                "MaxHeight" => set_some(&mut s.max_height, &a),
                "DisplayWidth" => set_some(&mut s.display_width, &a),
                "DisplayHeight" => set_some(&mut s.display_height, &a),
                "ParentStreamIndex" => set_text(&mut s.parent, &a),
                "ManifestOutput" => set_bool(&mut s.manifest_output, &a),
                "FourCC" => set_text(&mut s.four_cc, &a),
                "Index" => set_some(&mut s.index, &a),
                "Scheme" => set_text(&mut s.scheme, &a),
                "Url" => set_text(&mut s.url, &a),
                _ => false,
            };
            if !kept {
                s.other.push((a.name.into(), a.value.into_owned()));
            }
        }
        s.kind = kind.ok_or_else(|| invalid(element, "`Type` is not video, audio or text"))?;
        let mut start = None;
        while let Some(child) = self.reader.child()? {
            match child.name() {
                "QualityLevel" => {
                    let outside = self.reader.depth() - 1;
                    match self.quality(&child) {
                        Ok(quality) => {
                            s.qualities.push(quality);
                            spans.qualities.push(child.start..self.reader.position());
                        }
                        Err(error) => {
                            self.cut(&child, outside, error)?;
                            spans.has_unusable_qualities = true;
                        }
                    }
                }
                "c" => {
                    let (chunk, times) = self.chunk(&child)?;
                    if s.chunks.is_empty() {
                        start = Some((child, times));
                    }
                    let is_open = |chunk: &Chunk| chunk.time.or(chunk.duration).is_none();
                    if is_open(&chunk) && s.chunks.last().is_some_and(|c| c.duration.is_none()) {
                        return Err(invalid(element, "neither this `c` nor the last says a time"));
                    }
                    push(&mut s.chunks, chunk);
                    while let Some(chunk) = self.reader.plain_sibling("c", plain_chunk) {
                        push(&mut s.chunks, chunk);
                    }
                }
                _ => self.reader.skip()?,
            }
        }
        if spans.has_unusable_qualities && s.qualities.is_empty() {
            return Err(invalid(element, "no quality has a usable `Bitrate`"));
        }
        if let Some((first, times)) = start {
            self.begin_at_0(&first, &times, &mut s.chunks);
        }
        spans.element = element.start..self.reader.position();
        self.spans.push(spans);
        Ok(s)
    }

    /// A stream that begins before 0 (audio with priming samples, as two's complement or with a
    /// sign) is announced from 0, as in a manifest that is made from the media.
    fn begin_at_0(&mut self, element: &Element<'t>, times: &Times, chunks: &mut [Chunk]) {
        let later = chunks.get(1).and_then(|chunk| chunk.time);
        let Some(first) = chunks.first_mut().filter(|_| self.is_lenient) else { return };
        let (Some(time), Some(at)) = (first.time, &times.time) else { return };
        if time <= i64::MAX as u64 {
            return;
        }
        let before_0 = time.wrapping_neg();
        let what = || format!("`t` is {before_0} ticks before 0, served as 0");
        self.correct(element, at.clone(), Some(0), what);
        first.time = Some(0);
        // What follows keeps its time if it says one: the first chunk ends there.
        let later = later.filter(|&later| later <= i64::MAX as u64 && first.repeat.is_none());
        if let (Some(later), Some(at)) = (later, &times.duration) {
            first.duration = Some(later);
            push(&mut self.edits, Edit { at: at.clone(), instead: Some(later) });
        }
    }

    fn quality(&mut self, element: &Element<'t>) -> Result<QualityLevel, Error> {
        self.qualities += 1;
        if self.qualities > self.limits.tracks {
            let (found, limit) = (self.qualities as u64, self.limits.tracks as u64);
            let what = "qualities of a client manifest";
            return Err(element.failure(ErrorKind::Budget { what, found, limit }));
        }
        let mut q = QualityLevel::default();
        for attribute in element.attributes() {
            let a = self.plain(element, attribute?);
            let kept = match a.name {
                "Index" => set_some(&mut q.index, &a),
                "Bitrate" if !set(&mut q.bitrate, &a) => {
                    return Err(invalid(element, "`Bitrate` is not a 32-bit number"));
                }
                "Bitrate" => true,
                "NominalBitrate" => set_some(&mut q.nominal_bitrate, &a),
                "BufferTime" => set_some(&mut q.buffer_time, &a),
                "FourCC" => set_text(&mut q.four_cc, &a),
                "MaxWidth" => set_some(&mut q.max_width, &a),
                "MaxHeight" => set_some(&mut q.max_height, &a),
                "Width" if q.max_width.is_none() => set_some(&mut q.max_width, &a),
                "Height" if q.max_height.is_none() => set_some(&mut q.max_height, &a),
                "CodecPrivateData" => set_text(&mut q.codec_private_data, &a),
                "NALUnitLengthField" => set_some(&mut q.nal_unit_length_field, &a),
                "SamplingRate" => set_some(&mut q.sampling_rate, &a),
                "Channels" => set_some(&mut q.channels, &a),
                "BitsPerSample" => set_some(&mut q.bits_per_sample, &a),
                "PacketSize" => set_some(&mut q.packet_size, &a),
                "AudioTag" => set_some(&mut q.audio_tag, &a),
                "WaveFormatEx" => set_text(&mut q.wave_format_ex, &a),
                _ => false,
            };
            if !kept {
                q.other.push((a.name.into(), a.value.into_owned()));
            }
        }
        while let Some(child) = self.reader.child()? {
            match child.name() {
                "CustomAttributes" => self.custom_attributes(&mut q.custom_attributes)?,
                _ => self.reader.skip()?,
            }
        }
        Ok(q)
    }

    fn chunk(&mut self, element: &Element<'t>) -> Result<(Chunk, Times), Error> {
        let mut chunk = Chunk::default();
        let mut times = Times::default();
        let (mut fragments, mut other) = (Vec::new(), String::new());
        for attribute in element.attributes() {
            let a = self.plain(element, attribute?);
            if self.is_lenient && matches!(a.name, "t" | "d" | "r") && a.value.trim().is_empty() {
                let name = self.text[..a.span.start].rfind(a.name).unwrap_or(a.span.start);
                let what = || format!("`{}` is empty and is left out", a.name);
                self.correct(element, name..a.span.end + 1, None, what);
                continue;
            }
            match a.name {
                "t" => times.time = Some(a.span.clone()),
                "d" => times.duration = Some(a.span.clone()),
                _ => {}
            }
            let understood = match a.name {
                "t" if self.is_lenient => {
                    set_some(&mut chunk.time, &a) || set_before_0(&mut chunk.time, &a)
                }
                "t" => set_some(&mut chunk.time, &a),
                "d" => set_some(&mut chunk.duration, &a),
                "r" => set_repeat(&mut chunk.repeat, &a),
                "n" if set_some(&mut chunk.number, &a) => true,
                _ => {
                    other_attributes::push(&mut other, a.name, &a.value);
                    continue;
                }
            };
            if !understood {
                return Err(invalid(element, &format!("`{}` is not a number", a.name)));
            }
        }
        while let Some(child) = self.reader.child()? {
            match child.name() {
                "f" => {
                    let fragment = self.fragment(&child)?;
                    // One that says nothing is none.
                    if fragment != FragmentData::default() {
                        push(&mut fragments, fragment);
                    }
                }
                _ => self.reader.skip()?,
            }
        }
        let details = ChunkDetails { fragments, other: OtherAttributes::of_text(other) };
        chunk.details = (!details.is_empty()).then(|| details.into());
        Ok((chunk, times))
    }

    fn fragment(&mut self, element: &Element<'t>) -> Result<FragmentData, Error> {
        let (mut index, mut size, mut quality) = (None, None, None);
        let mut other = String::new();
        for attribute in element.attributes() {
            let a = attribute?;
            let kept = match a.name {
                "i" => set_some(&mut index, &a),
                "s" => set_some(&mut size, &a),
                "q" => set_some(&mut quality, &a),
                _ => false,
            };
            if !kept {
                other_attributes::push(&mut other, a.name, &a.value);
            }
        }
        let data = without_space(self.reader.text()?);
        let mut fragment = FragmentData::new(&data, &OtherAttributes::of_text(other));
        (fragment.index, fragment.size, fragment.quality) = (index, size, quality);
        Ok(fragment)
    }

    fn protection(&mut self, headers: &mut Vec<ProtectionHeader>) -> Result<(), Error> {
        while let Some(child) = self.reader.child()? {
            if child.name() != "ProtectionHeader" {
                self.reader.skip()?;
                continue;
            }
            let mut header = ProtectionHeader::default();
            for attribute in child.attributes() {
                let a = attribute?;
                self.braced_systems +=
                    usize::from(a.name == "SystemID" && a.value.trim_start().starts_with('{'));
                if a.name != "SystemID" || !set_some(&mut header.system_id, &a) {
                    push(&mut header.other, (a.name.into(), a.value.into_owned()));
                }
            }
            header.data = without_space(self.reader.text()?);
            push(headers, header);
        }
        Ok(())
    }

    fn custom_attributes(&mut self, custom: &mut Vec<CustomAttribute>) -> Result<(), Error> {
        while let Some(child) = self.reader.child()? {
            if child.name() == "Attribute" {
                let limit = self.limits.custom_attributes as u64;
                let found = custom.len() as u64 + 1;
                if found > limit {
                    let what = "custom attributes of one element";
                    return Err(child.failure(ErrorKind::Budget { what, found, limit }));
                }
                let mut one = CustomAttribute::default();
                for attribute in child.attributes() {
                    let a = attribute?;
                    match a.name {
                        "Name" => one.name = a.value.into_owned(),
                        "Value" => one.value = a.value.into_owned(),
                        _ => {}
                    }
                }
                custom.push(one);
            }
            self.reader.skip()?;
        }
        Ok(())
    }
}

/// Where the times of a chunk lie in the text.
#[derive(Default)]
struct Times {
    time: Option<Range<usize>>,
    duration: Option<Range<usize>>,
}

/// Attributes that are numbers.
const NUMBERS: &[&str] = &[
    "t",
    "d",
    "r",
    "n",
    "Bitrate",
    "NominalBitrate",
    "Duration",
    "TimeScale",
    "MajorVersion",
    "MinorVersion",
    "LookaheadCount",
    "LookAheadFragmentCount",
    "DVRWindowLength",
    "Chunks",
    "QualityLevels",
    "Index",
    "BufferTime",
    "MaxWidth",
    "MaxHeight",
    "Width",
    "Height",
    "DisplayWidth",
    "DisplayHeight",
    "SamplingRate",
    "Channels",
    "BitsPerSample",
    "PacketSize",
    "AudioTag",
    "NALUnitLengthField",
];

/// The whole number that is nearest to a decimal fraction.
fn rounded(value: &str) -> Option<u64> {
    let (whole, fraction) = value.trim().split_once('.')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let half = u64::from(fraction.as_bytes().first().is_some_and(|&digit| digit >= b'5'));
    whole.parse::<u64>().ok()?.checked_add(half)
}

/// The first characters of a value.
fn brief(value: &str) -> String {
    value.chars().take(40).collect()
}

/// A chunk that says a time or a duration and nothing beside numbers that are understood.
fn plain_chunk(element: &PlainElement<'_>) -> Option<Chunk> {
    let mut chunk = Chunk::default();
    for (name, value) in element.attributes() {
        match *name {
            "t" => chunk.time = Some(value.parse().ok()?),
            "d" => chunk.duration = Some(value.parse().ok()?),
            "r" => chunk.repeat = NonZeroU64::new(value.parse().ok()?),
            "n" => chunk.number = Some(value.parse().ok()?),
            _ => return None,
        }
    }
    chunk.time.or(chunk.duration).is_some().then_some(chunk)
}

/// Adds to a list that may be as long as the text allows: it grows by half, from one.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().div_ceil(2).max(1));
    }
    list.push(item);
}

/// Takes a value over when it is of its type; otherwise it is for the caller to keep or refuse.
fn set<T: FromStr>(field: &mut T, a: &Attribute<'_>) -> bool {
    a.value.trim().parse().map(|value| *field = value).is_ok()
}

fn set_some<T: FromStr>(field: &mut Option<T>, a: &Attribute<'_>) -> bool {
    a.value.trim().parse().map(|value| *field = Some(value)).is_ok()
}

/// A time before 0, as two's complement.
fn set_before_0(field: &mut Option<u64>, a: &Attribute<'_>) -> bool {
    let time = a.value.trim().parse::<i64>().ok().filter(|&time| time < 0);
    *field = time.map(|time| time as u64);
    field.is_some()
}

fn set_text(field: &mut Option<String>, a: &Attribute<'_>) -> bool {
    *field = Some(a.value.clone().into_owned());
    true
}

fn set_timescale(field: &mut Option<Timescale>, a: &Attribute<'_>) -> bool {
    *field = a.value.trim().parse().ok().and_then(Timescale::new);
    field.is_some()
}

/// A count of 0 says no more than none.
fn set_repeat(field: &mut Option<NonZeroU64>, a: &Attribute<'_>) -> bool {
    a.value.trim().parse().map(|count| *field = NonZeroU64::new(count)).is_ok()
}

/// Booleans are met in every case ([MS-SSTR] 2.2.2).
fn set_bool(field: &mut Option<bool>, a: &Attribute<'_>) -> bool {
    let words = [("true", true), ("false", false), ("1", true), ("0", false)];
    let word = words.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(a.value.trim()));
    *field = word.map(|(_, value)| value);
    field.is_some()
}

fn invalid(element: &Element<'_>, what: &str) -> Error {
    element.failure(ErrorKind::Invalid { what: what.into(), clause: "[MS-SSTR] 2.2.2" })
}

fn without_space(text: String) -> String {
    match text.contains(|c: char| c.is_ascii_whitespace()) {
        true => text.split_ascii_whitespace().map(Cow::Borrowed).collect(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Layout, runs};

    const ODD: &str = r#"<?xml version="1.0"?>
<SmoothStreamingMedia MinorVersion="2" MajorVersion="2" Duration="60000000" IsLive="true"
    LookAheadFragmentCount="2" timeScaleZeroPoint="x" CanSeek="maybe">
  <Protection><ProtectionHeader SystemID="{9A04F079-9840-4286-AB92-E65BE0885F95}">
    AB
    CD==
  </ProtectionHeader></Protection>
  <Vendor><Thing/></Vendor>
  <StreamIndex Type = "Video" Chunks="3" QualityLevels="2" Subtype="" Index="4"
      Url="QualityLevels({bitrate},{CustomAttributes})/Fragments(video={start time})">
    <QualityLevel Index="7" Bitrate="300" Width="640" Height="360" Oddity="&lt;&amp;" BitsPerSample="">
      <CustomAttributes><Attribute Name="Compatibility" Value="Handheld"/></CustomAttributes>
    </QualityLevel>
    <QualityLevel Bitrate="400" MaxWidth="1280" Width="640"/>
    <c n="0" t="10" d="5" r="2"><f i="7" s="95" q="3"/><f>QUJD
      RA==</f></c>
    <c d="7"/>
  </StreamIndex>
  <StreamIndex Type="text" Name="scte" ParentStreamIndex="video" ManifestOutput="TRUE"/>
</SmoothStreamingMedia>"#;

    fn parse(text: &str) -> ClientManifest {
        ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn every_attribute_is_read_and_what_is_not_understood_is_kept() {
        let m = parse(ODD);
        assert_eq!((m.major_version, m.minor_version, m.duration), (2, 2, 60_000_000));
        assert_eq!(
            (m.is_live, m.look_ahead_fragment_count, m.can_seek),
            (Some(true), Some(2), None)
        );
        let other = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(m.other, [other("timeScaleZeroPoint", "x"), other("CanSeek", "maybe")]);
        assert_eq!(m.protection[0].data, "ABCD==");
        assert!(m.protection[0].system_id.is_some());
        let video = &m.streams[0];
        assert_eq!(
            (video.kind, &*video.name(), video.index),
            (StreamKind::Video, "video", Some(4))
        );
        assert_eq!(video.qualities[0].custom_attributes[0].value, "Handheld");
        assert_eq!(video.qualities[0].max_width, Some(640));
        assert_eq!(video.qualities[0].other, [other("Oddity", "<&"), other("BitsPerSample", "")]);
        assert_eq!(video.qualities[1].max_width, Some(1280));
        assert_eq!(video.qualities[1].other, [other("Width", "640")]);
        let [first, second] = &video.chunks[..] else { panic!("two `c` elements") };
        assert_eq!((first.number, first.repeat.unwrap().get()), (Some(0), 2));
        let [measured, embedded] = first.fragments() else { panic!("two `f` elements") };
        assert_eq!((measured.size, measured.quality), (Some(95), Some(3)));
        assert_eq!(embedded.data(), "QUJDRA==");
        assert_eq!((second.time, second.duration), (None, Some(7)));
        assert!(m.streams[1].is_embedded());
        assert_eq!(m.streams[1].parent.as_deref(), Some("video"));
    }

    /// Pieces of a stream: chunks of every form, and what may lie between them.
    const PIECES: &[&str] = &[
        r#"<c d="5"/>"#,
        r#"<c t="10" d="5"/>"#,
        "\n\t<c  t=\"7\"\r\n d=\"5\" r=\"3\" />",
        r#"<c n="1" t="20"></c>"#,
        r#"<c n="1" d="4" r="0" t="9"/>"#,
        r#"<c d="5" t="1" n="99999999999"/>"#,
        r#"<c d="99999999999999999999"/>"#,
        r#"<c d="5" d="5"/>"#,
        r#"<c d=""/>"#,
        r#"<c d=" 5"/>"#,
        r#"<c d="5"n="1"/>"#,
        r#"<c d="&#53;"/>"#,
        r#"<c d="5" x="y" é="1"/>"#,
        r#"<c t="1" d="2" n="3" r="4" x="5"/>"#,
        "<c/>",
        r#"<c n="4"/>"#,
        r#"<cc d="5"/>"#,
        r#"<f i="1"/>"#,
        r#"<QualityLevel Bitrate="5"/>"#,
        r#"<c d="5"><f s="1"/></c>"#,
        "<!-- <c d=\"5\"/> -->",
        "text",
        "<c d=\"5\"",
        "</StreamIndex>",
        "<StreamIndex Type=\"audio\"/>",
    ];

    /// All that reading gives. Plain chunks have double quotes: with single ones, the library reads
    /// them all.
    fn read(pieces: &[&str], quote: &str) -> Result<String, String> {
        let text = format!(
            "<SmoothStreamingMedia><StreamIndex Type=\"video\">{}</StreamIndex></SmoothStreamingMedia>",
            pieces.concat()
        );
        let text = text.replace('"', quote);
        let limits = Limits { xml_depth: 4, ..Limits::default() };
        let stored = Stored::parse(text.as_bytes(), &limits).map_err(|error| error.to_string())?;
        Ok(format!("{:?} {:?}", stored.manifest, stored.spans))
    }

    proptest::proptest! {
        #[test]
        fn plain_chunks_are_what_the_library_reads_of_them(
            pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..9),
        ) {
            proptest::prop_assert_eq!(read(&pieces, "\""), read(&pieces, "'"));
        }
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        let mut m = parse(ODD);
        let compact = m.to_xml(Layout::Compact, &Limits::default()).unwrap();
        // What is declared is counted anew.
        m.streams[0].declared_chunks = Some(3);
        m.streams[1].declared_chunks = Some(0);
        m.streams[1].declared_qualities = Some(0);
        assert_eq!(parse(&compact), m);
        assert_eq!(parse(&compact).to_xml(Layout::Compact, &Limits::default()).unwrap(), compact);

        let full = m.to_xml(Layout::Full, &Limits::default()).unwrap();
        let times = |m: &ClientManifest| -> Vec<u64> {
            let runs = runs(&m.streams[0].chunks).map(|run| run.unwrap());
            runs.flat_map(|run| (0..run.count.get()).map(move |i| run.start + i * run.duration))
                .collect()
        };
        assert_eq!(times(&parse(&full)), [10, 15, 20]);
        assert!(!full.contains(" r="));
    }

    #[test]
    fn runs_are_joined_in_the_compact_layout_and_gaps_keep_their_time() {
        let m = parse(
            r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="0"><StreamIndex Type="audio">
            <c t="0" d="2"/><c t="2" d="2"/><c d="2" r="3"/><c t="20" d="2"/><c d="3"/></StreamIndex></SmoothStreamingMedia>"#,
        );
        let compact = m.to_xml(Layout::Compact, &Limits::default()).unwrap();
        assert!(compact.contains("MinorVersion=\"2\""));
        assert!(
            compact.contains(
                "<c t=\"0\" d=\"2\" r=\"5\"/>\n<c t=\"20\" d=\"2\"/>\n<c d=\"3\"/>\n</Stream"
            ),
            "{compact}"
        );
        let full = m.to_xml(Layout::Full, &Limits::default()).unwrap();
        assert!(full.contains("<c t=\"0\" d=\"2\"/>\n<c d=\"2\"/>\n<c d=\"2\"/>\n<c d=\"2\"/>\n<c d=\"2\"/>\n<c t=\"20\""), "{full}");
    }

    #[test]
    fn spans_cut_the_elements_out_of_the_text() {
        let stored = Stored::parse(ODD.as_bytes(), &Limits::default()).unwrap();
        let text = &stored.decoded.text;
        let [video, scte] = &stored.spans[..] else { panic!("two streams") };
        assert!(text[video.element.clone()].starts_with("<StreamIndex Type = \"Video\""));
        assert!(text[video.element.clone()].ends_with("</StreamIndex>"));
        assert_eq!(&text[video.declared_qualities.clone().unwrap()], "2");
        assert!(text[video.qualities[0].clone()].ends_with("</QualityLevel>"));
        assert_eq!(
            &text[video.qualities[1].clone()],
            r#"<QualityLevel Bitrate="400" MaxWidth="1280" Width="640"/>"#
        );
        assert!(text[scte.element.clone()].ends_with("ManifestOutput=\"TRUE\"/>"));
    }

    #[test]
    fn what_nothing_can_be_served_by_is_refused() {
        let refuse = |inside: &str| {
            let text = format!(
                "<SmoothStreamingMedia>
{inside}</SmoothStreamingMedia>"
            );
            ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap_err().to_string()
        };
        for (inside, says) in [
            ("<StreamIndex Type='film'/>", "line 2, StreamIndex: `Type` is not video"),
            (
                "<StreamIndex Type='video'><QualityLevel Bitrate='-1'/></StreamIndex>",
                "`Bitrate` is not",
            ),
            (
                "<StreamIndex Type='video'><c t='-5' d='1'/></StreamIndex>",
                "line 2, c: `t` is not a number",
            ),
        ] {
            let error = refuse(inside);
            assert!(error.contains(says), "{inside} gave {error}");
        }
    }

    /// What is read leniently of streams, the text with the edits, and the corrections.
    fn lenient(streams: &str) -> (ClientManifest, String, Vec<String>) {
        let text = format!("<SmoothStreamingMedia>\n{streams}</SmoothStreamingMedia>");
        let stored = Stored::parse(text.as_bytes(), &Limits::default()).unwrap();
        let mut edited = text.clone();
        for edit in stored.edits.iter().rev() {
            let instead = edit.instead.map_or_else(String::new, |number| number.to_string());
            edited.replace_range(edit.at.clone(), &instead);
        }
        assert_eq!(edited == text, stored.corrections.is_empty());
        let inside = edited.trim_start_matches("<SmoothStreamingMedia>\n");
        let inside = inside.trim_end_matches("</SmoothStreamingMedia>").to_owned();
        (stored.manifest, inside, stored.corrections)
    }

    #[test]
    fn numbers_with_a_fraction_are_rounded_in_their_place() {
        let (m, text, corrections) = lenient(
            "<StreamIndex Type='video' Name='1.0'><QualityLevel Bitrate='500000.0' MaxWidth=' 319.5 '/>\n\
             <c t='0.' d='20000000.49'/><c d='7'/></StreamIndex>",
        );
        assert_eq!(
            text,
            "<StreamIndex Type='video' Name='1.0'><QualityLevel Bitrate='500000' MaxWidth='320'/>\n\
             <c t='0' d='20000000'/><c d='7'/></StreamIndex>"
        );
        let video = &m.streams[0];
        assert_eq!(
            (video.qualities[0].bitrate, video.qualities[0].max_width),
            (500_000, Some(320))
        );
        assert_eq!((video.chunks[0].time, video.chunks[0].duration), (Some(0), Some(20_000_000)));
        assert_eq!(corrections.len(), 4);
        assert!(
            corrections[0]
                .starts_with("line 2, QualityLevel: `Bitrate` is \"500000.0\", served as 500000"),
            "{}",
            corrections[0]
        );
    }

    #[test]
    fn what_cannot_be_used_is_cut_out_alone() {
        const GOOD: &str =
            "<StreamIndex Type='audio'><QualityLevel Bitrate='1'/><c d='1'/></StreamIndex>";
        for bad in [
            "<StreamIndex Type='data'><QualityLevel Bitrate='1'><x/></QualityLevel><c d='1'/></StreamIndex>",
            "<StreamIndex/>",
            "<StreamIndex Type='video'><QualityLevel Bitrate=''/></StreamIndex>",
            "<StreamIndex Type='video'><QualityLevel Bitrate='-5'/></StreamIndex>",
            "<StreamIndex Type='video'><QualityLevel Bitrate='1'/><c t='0' d='-7'><f/></c></StreamIndex>",
            "<StreamIndex Type='video'><c t='99999999999999999999' d='1'/></StreamIndex>",
            "<StreamIndex Type='video'><c t='0' d='1' r='many'/></StreamIndex>",
        ] {
            for (before, after) in [(GOOD, ""), ("", GOOD)] {
                let (m, text, corrections) = lenient(&format!("{before}{bad}{after}"));
                assert_eq!((m.streams.len(), text.as_str()), (1, GOOD), "{bad}");
                assert!(corrections[0].starts_with("line 2, "), "{corrections:?}");
            }
        }
        let (m, text, corrections) = lenient(
            "<StreamIndex Type='video'><QualityLevel Bitrate='1e6'/><QualityLevel Bitrate='2'/></StreamIndex>",
        );
        assert_eq!(text, "<StreamIndex Type='video'><QualityLevel Bitrate='2'/></StreamIndex>");
        assert_eq!((m.streams[0].qualities.len(), corrections.len()), (1, 1));
    }

    #[test]
    fn empty_times_are_taken_out() {
        let (m, text, _) =
            lenient("<StreamIndex Type='video'><c t='0' d=''/><c t='9' d='5' r=''/></StreamIndex>");
        assert_eq!(text, "<StreamIndex Type='video'><c t='0' /><c t='9' d='5' /></StreamIndex>");
        assert_eq!((m.streams[0].chunks[0].duration, m.streams[0].chunks[1].time), (None, Some(9)));
    }

    #[test]
    fn a_stream_that_begins_before_0_begins_at_0() {
        for (chunks, mended) in [
            ("<c t='18446744073709338283' d='20'/><c d='20'/>", "<c t='0' d='20'/><c d='20'/>"),
            ("<c t='-5' d='20'/><c t='15' d='20'/>", "<c t='0' d='15'/><c t='15' d='20'/>"),
            ("<c t='-5' d='20'/><c t='-1' d='20'/>", "<c t='0' d='20'/><c t='-1' d='20'/>"),
        ] {
            let stream = |chunks| format!("<StreamIndex Type='audio'>{chunks}</StreamIndex>");
            let (m, text, corrections) = lenient(&stream(chunks));
            assert_eq!(text, stream(mended));
            assert_eq!((m.streams[0].chunks[0].time, corrections.len()), (Some(0), 1));
        }
    }

    #[test]
    fn a_manifest_with_very_many_unusable_streams_is_refused() {
        let of = |count: usize| {
            let streams = "<StreamIndex Type='data'/>".repeat(count);
            let text = format!("<SmoothStreamingMedia>{streams}</SmoothStreamingMedia>");
            let stored = Stored::parse(text.as_bytes(), &Limits::default());
            stored.map(|stored| (stored.edits.len(), stored.corrections.len()))
        };
        assert_eq!(of(MOST_CUTS).unwrap(), (MOST_CUTS, MOST_DESCRIBED));
        assert!(of(MOST_CUTS + 1).is_err());
    }

    #[test]
    fn a_run_that_claims_more_than_the_text_may_hold_is_not_written_out() {
        let claim = r#"<SmoothStreamingMedia><StreamIndex Type="video"><c t="0" d="0" r="18446744073709551615"/></StreamIndex></SmoothStreamingMedia>"#;
        let limits = Limits { client_manifest: 4096, ..Limits::default() };
        let error = parse(claim).to_xml(Layout::Full, &limits).unwrap_err();
        assert!(error.to_string().contains("budget of 4096"), "{error}");
        assert!(parse(claim).to_xml(Layout::Compact, &limits).is_ok());
    }
}
