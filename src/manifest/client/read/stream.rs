//! Reads `StreamIndex` and `QualityLevel`.

use super::chunk::plain_chunk;
use super::{Document, invalid, push};
use crate::base::{Error, Limits};
use crate::manifest::StreamKind;
use crate::manifest::client::attribute_value::{set, set_bool, set_some, set_text, set_timescale};
use crate::manifest::client::{Chunk, QualityLevel, Spans, StreamIndex, runs};
use crate::manifest::xml::Element;

impl<'t> Document<'t> {
    pub(super) fn stream(&mut self, element: &Element<'t>) -> Result<StreamIndex, Error> {
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
}
