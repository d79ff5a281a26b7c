//! Reads a client manifest, element by element.

mod chunk;
mod stream;

use std::borrow::Cow;

use super::attribute_value::{set, set_bool, set_some, set_timescale};
use super::{ClientManifest, CustomAttribute, Edit, ProtectionHeader, Spans, runs};
use crate::base::{Error, ErrorKind, Limits, Timescale};
use crate::manifest::xml::{Element, Reader};
pub(super) use chunk::Times;

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
    use crate::manifest::StreamKind;

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
