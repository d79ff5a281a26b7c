//! Reading a client manifest, element by element.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::ops::Range;

use super::attribute_value::{
    set, set_before_0, set_bool, set_repeat, set_some, set_text, set_timescale,
};
use super::{
    Chunk, ChunkDetails, ClientManifest, CustomAttribute, Edit, FragmentData, OtherAttributes,
    ProtectionHeader, QualityLevel, Spans, StreamIndex, other_attributes, runs,
};
use crate::base::{Error, ErrorKind, Limits, Timescale};
use crate::manifest::StreamKind;
use crate::manifest::plain_element::PlainElement;
use crate::manifest::xml::{Element, Reader};

/// A document being read.
pub(super) struct Document<'t> {
    pub(super) reader: Reader<'t>,
    pub(super) text: &'t str,
    pub(super) limits: &'t Limits,
    pub(super) is_lenient: bool,
    pub(super) spans: Vec<Spans>,
    pub(super) streams: usize,
    pub(super) qualities: usize,
    pub(super) edits: Vec<Edit>,
    pub(super) corrections: Vec<String>,
    pub(super) left_out: Vec<String>,
    /// Timescale of streams that declare none.
    pub(super) timescale: Timescale,
    /// Elements that were cut out.
    pub(super) cuts: usize,
    pub(super) braced_systems: usize,
}

/// Results beside the manifest itself: the positions of its streams, the edits that the text needs,
/// and their reasons.
pub(super) struct Beside {
    pub(super) spans: Vec<Spans>,
    pub(super) edits: Vec<Edit>,
    pub(super) corrections: Vec<String>,
    pub(super) left_out: Vec<String>,
    pub(super) braced_systems: usize,
}

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
            left_out: Vec::new(),
            timescale: Timescale::SMOOTH,
            cuts: 0,
            braced_systems: 0,
        })
    }

    /// Reads a whole document.
    pub(super) fn read(
        text: &'t str,
        limits: &'t Limits,
        is_lenient: bool,
    ) -> Result<(ClientManifest, Beside), Error> {
        let mut document = Self::new(text, limits, is_lenient)?;
        let manifest = document.manifest()?;
        let Self { reader, spans, edits, corrections, left_out, braced_systems, .. } = document;
        reader.finish()?;
        Ok((manifest, Beside { spans, edits, corrections, left_out, braced_systems }))
    }

    fn manifest(&mut self) -> Result<ClientManifest, Error> {
        let root = self.reader.root("SmoothStreamingMedia")?;
        let mut m = ClientManifest::default();
        let (mut duration, mut duration_0) = (None, None);
        for attribute in root.attributes() {
            let a = self.plain(&root, attribute?);
            let kept = match a.name {
                "MajorVersion" => set(&mut m.major_version, &a) || self.replace(&root, &a, 2),
                "MinorVersion" => set(&mut m.minor_version, &a) || self.replace(&root, &a, 0),
                "TimeScale" => {
                    set_timescale(&mut m.timescale, &a)
                        || self.replace_timescale(&mut m.timescale, &root, &a)
                }
                "Duration" if set(&mut m.duration, &a) => {
                    duration_0 = (m.duration == 0).then(|| a.span.clone());
                    true
                }
                "Duration" => self.replace_later(&mut duration, &root, &a),
                "IsLive" => set_bool(&mut m.is_live, &a),
                "LookaheadCount" => {
                    set_some(&mut m.lookahead_count, &a) || self.take_out(&root, &a)
                }
                "LookAheadFragmentCount" => {
                    set_some(&mut m.look_ahead_fragment_count, &a) || self.take_out(&root, &a)
                }
                "DVRWindowLength" => {
                    set_some(&mut m.dvr_window_length, &a) || self.take_out(&root, &a)
                }
                "CanSeek" => set_bool(&mut m.can_seek, &a),
                "CanPause" => set_bool(&mut m.can_pause, &a),
                _ => false,
            };
            if !kept {
                m.other.push((a.name.into(), a.value.into_owned()));
            }
        }
        self.timescale = m.timescale();
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
                _ => {
                    self.check_unknown(&child);
                    self.reader.skip()?;
                }
            }
        }
        if let Some(edit) = duration {
            m.duration = if m.is_live == Some(true) { 0 } else { length(&m) };
            edit.fill(&mut self.edits, m.duration);
        }
        if let Some(at) = duration_0.filter(|_| m.is_live != Some(true)) {
            let length = length(&m);
            self.correct_duration_0(&root, at, &mut m.duration, length);
        }
        Ok(m)
    }

    fn stream(&mut self, element: &Element<'t>) -> Result<StreamIndex, Error> {
        self.streams += 1;
        let (found, limit) = (self.streams as u64, self.limits.tracks as u64);
        Limits::check("streams of a client manifest", found, limit)
            .map_err(|kind| element.failure(kind))?;
        let mut s = StreamIndex::new(StreamKind::Text);
        let mut kind = None;
        let (mut declared_chunks, mut declared_qualities) = (None, None);
        let mut spans = Spans::default();
        for attribute in element.attributes() {
            let a = self.plain(element, attribute?);
            if a.name == "QualityLevels" {
                spans.declared_qualities = Some(a.span.clone());
            }
            let kept = match a.name {
                "Type" => {
                    kind = StreamKind::parse(&a.value);
                    if let Some(kind) = kind {
                        self.correct_kind(element, &a, kind);
                    }
                    true
                }
                "Subtype" => set_text(&mut s.subtype, &a),
                "Name" => set_text(&mut s.name, &a),
                "TimeScale" => {
                    set_timescale(&mut s.timescale, &a)
                        || self.replace_timescale(&mut s.timescale, element, &a)
                }
                "Language" => set_text(&mut s.language, &a),
                "Chunks" => {
                    set_some(&mut s.declared_chunks, &a)
                        || self.replace_later(&mut declared_chunks, element, &a)
                }
                "QualityLevels" => {
                    set_some(&mut s.declared_qualities, &a)
                        || self.replace_later(&mut declared_qualities, element, &a)
                }
                "MaxWidth" => set_some(&mut s.max_width, &a) || self.take_out(element, &a),
                "MaxHeight" => set_some(&mut s.max_height, &a) || self.take_out(element, &a),
                "DisplayWidth" => set_some(&mut s.display_width, &a) || self.take_out(element, &a),
                "DisplayHeight" => {
                    set_some(&mut s.display_height, &a) || self.take_out(element, &a)
                }
                "ParentStreamIndex" => set_text(&mut s.parent, &a),
                "ManifestOutput" => set_bool(&mut s.manifest_output, &a),
                "FourCC" => set_text(&mut s.four_cc, &a),
                "Index" => set_some(&mut s.index, &a) || self.take_out(element, &a),
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
                    match self.quality(&child, s.kind) {
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
        let is_empty = s.qualities.is_empty() && !s.chunks.is_empty() && !s.is_embedded();
        if self.is_lenient && is_empty {
            return Err(invalid(element, "it has chunks and no `QualityLevel`"));
        }
        if let Some((first, times)) = start {
            self.begin_at_0(&first, &times, &mut s.chunks);
        }
        if let Some(edit) = declared_chunks {
            let runs = runs(&s.chunks).filter_map(Result::ok);
            let count = runs.fold(0, |sum: u64, run| sum.saturating_add(run.count.get()));
            s.declared_chunks = Some(count);
            edit.fill(&mut self.edits, count);
        }
        if let Some(edit) = declared_qualities {
            let count = s.qualities.len() as u32;
            s.declared_qualities = Some(count);
            edit.fill(&mut self.edits, count.into());
        }
        spans.element = element.start..self.reader.position();
        self.spans.push(spans);
        Ok(s)
    }

    fn quality(&mut self, element: &Element<'t>, kind: StreamKind) -> Result<QualityLevel, Error> {
        self.qualities += 1;
        let (found, limit) = (self.qualities as u64, self.limits.tracks as u64);
        Limits::check("qualities of a client manifest", found, limit)
            .map_err(|kind| element.failure(kind))?;
        let mut q = QualityLevel::default();
        let mut has_bitrate = false;
        for attribute in element.attributes() {
            let a = self.plain(element, attribute?);
            let kept = match a.name {
                "Index" => set_some(&mut q.index, &a) || self.take_out(element, &a),
                "Bitrate" if !set(&mut q.bitrate, &a) => {
                    return Err(invalid(element, "`Bitrate` is not a 32-bit number"));
                }
                "Bitrate" => {
                    has_bitrate = true;
                    true
                }
                "NominalBitrate" => {
                    set_some(&mut q.nominal_bitrate, &a) || self.take_out(element, &a)
                }
                "BufferTime" => set_some(&mut q.buffer_time, &a) || self.take_out(element, &a),
                "FourCC" => set_text(&mut q.four_cc, &a),
                "MaxWidth" => set_some(&mut q.max_width, &a) || self.take_out(element, &a),
                "MaxHeight" => set_some(&mut q.max_height, &a) || self.take_out(element, &a),
                "Width" if q.max_width.is_none() => {
                    set_some(&mut q.max_width, &a) || self.take_out(element, &a)
                }
                "Height" if q.max_height.is_none() => {
                    set_some(&mut q.max_height, &a) || self.take_out(element, &a)
                }
                "CodecPrivateData" => set_text(&mut q.codec_private_data, &a),
                "NALUnitLengthField" => {
                    set_some(&mut q.nal_unit_length_field, &a) || self.take_out(element, &a)
                }
                "SamplingRate" => set_some(&mut q.sampling_rate, &a) || self.take_out(element, &a),
                "Channels" => set_some(&mut q.channels, &a) || self.take_out(element, &a),
                "BitsPerSample" => {
                    set_some(&mut q.bits_per_sample, &a) || self.take_out(element, &a)
                }
                "PacketSize" => set_some(&mut q.packet_size, &a) || self.take_out(element, &a),
                "AudioTag" => set_some(&mut q.audio_tag, &a) || self.take_out(element, &a),
                "WaveFormatEx" => set_text(&mut q.wave_format_ex, &a),
                _ => false,
            };
            if !kept {
                q.other.push((a.name.into(), a.value.into_owned()));
            }
        }
        if self.is_lenient && !has_bitrate && kind != StreamKind::Text {
            return Err(invalid(element, "it has no `Bitrate`, by which players ask for it"));
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
                self.take_out(element, &a);
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
                Limits::check("custom attributes of one element", found, limit)
                    .map_err(|kind| child.failure(kind))?;
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
pub(super) struct Times {
    pub(super) time: Option<Range<usize>>,
    pub(super) duration: Option<Range<usize>>,
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
pub(super) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().div_ceil(2).max(1));
    }
    list.push(item);
}

/// Returns the time from the start of the first stream to the end of the last one, in ticks of the
/// presentation.
fn length(manifest: &ClientManifest) -> u64 {
    let own = manifest.timescale();
    let (mut start, mut end) = (u64::MAX, 0);
    for stream in &manifest.streams {
        let timescale = manifest.timescale_of(stream);
        let ticks = |ticks| timescale.rescale_round(ticks, own).unwrap_or(0);
        let mut runs = runs(&stream.chunks).filter_map(Result::ok);
        let Some(first) = runs.next() else { continue };
        start = start.min(ticks(first.start));
        end = end.max(ticks(runs.fold(first.end(), |end, run| end.max(run.end()))));
    }
    end.saturating_sub(start)
}

pub(super) fn invalid(element: &Element<'_>, what: &str) -> Error {
    element.failure(ErrorKind::Invalid { what: what.into(), clause: "[MS-SSTR] 2.2.2" })
}

fn without_space(text: String) -> String {
    match text.contains(|c: char| c.is_ascii_whitespace()) {
        true => text.split_ascii_whitespace().map(Cow::Borrowed).collect(),
        false => text,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::manifest::client::Stored;

    pub(in crate::manifest::client) const ODD: &str = r#"<?xml version="1.0"?>
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

    pub(in crate::manifest::client) fn parse(text: &str) -> ClientManifest {
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
}
