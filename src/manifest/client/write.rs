//! Writing a client manifest in the form that most players read.

use std::num::NonZeroU64;

use super::{
    Chunk, ChunkDetails, ClientManifest, CustomAttribute, FragmentData, QualityLevel, StreamIndex,
    runs,
};
use crate::base::{Error, Limits, Run};
use crate::manifest::Attributes;
use crate::manifest::xml::Writer;

/// The form in which chunks are written.
///
/// ```
/// use smooth_origin::manifest::Layout;
/// use smooth_origin::presentation::OpenOptions;
///
/// // Manifests that are generated have `<c t="0" d="20000000" r="900"/>` for 900 equal chunks.
/// let options = OpenOptions::default().layout(Layout::Compact);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// One `c` a chunk: what every player reads. The default.
    #[default]
    Full,
    /// Equal chunks as one `c` with `r`, which needs version 2.2.
    Compact,
}

impl ClientManifest {
    /// Writes the manifest in UTF-8, attributes in a fixed order: the same value gives the same
    /// bytes.
    ///
    /// `t` stands on the first chunk of a stream and after every gap, `d` on every one. The
    /// version is raised to 2.2 where runs are written.
    ///
    /// # Errors
    /// [`Budget`](crate::base::ErrorKind::Budget) when the text would exceed
    /// [`Limits::client_manifest`], [`Invalid`](crate::base::ErrorKind::Invalid) for a run
    /// without a duration, for times beyond 64 bits, and for characters that XML cannot hold.
    pub fn to_xml(&self, layout: Layout, limits: &Limits) -> Result<String, Error> {
        let mut w = Writer::new(limits.client_manifest);
        let version = (self.major_version, self.minor_version);
        let has_repeats = self.streams.iter().any(|stream| stream.has_repeats(layout));
        let (major, minor) = if has_repeats { version.max((2, 2)) } else { version };
        w.open("SmoothStreamingMedia");
        w.number("MajorVersion", major);
        w.number("MinorVersion", minor);
        w.number_if("TimeScale", self.timescale.map(|timescale| timescale.get()));
        w.number("Duration", self.duration);
        w.boolean_if("IsLive", self.is_live);
        w.number_if("LookaheadCount", self.lookahead_count);
        w.number_if("LookAheadFragmentCount", self.look_ahead_fragment_count);
        w.number_if("DVRWindowLength", self.dvr_window_length);
        w.boolean_if("CanSeek", self.can_seek);
        w.boolean_if("CanPause", self.can_pause);
        others(&mut w, &self.other);
        w.children();
        custom_attributes(&mut w, &self.custom_attributes);
        self.write_protection(&mut w);
        for stream in &self.streams {
            stream.write(&mut w, layout)?;
        }
        w.end("SmoothStreamingMedia");
        w.finish()
    }

    fn write_protection(&self, w: &mut Writer) {
        if self.protection.is_empty() {
            return;
        }
        w.open("Protection");
        w.children();
        for header in &self.protection {
            w.open("ProtectionHeader");
            w.attribute_if("SystemID", header.system_id.map(|id| id.to_string().to_uppercase()));
            others(w, &header.other);
            w.content(&header.data, "ProtectionHeader");
        }
        w.end("Protection");
    }
}

impl StreamIndex {
    fn write(&self, w: &mut Writer, layout: Layout) -> Result<(), Error> {
        let mut count = 0_u64;
        for run in runs(&self.chunks) {
            count = count.saturating_add(run?.count.get());
        }
        w.open("StreamIndex");
        w.attribute("Type", self.kind.as_str());
        w.attribute_if("Subtype", self.subtype.as_deref());
        w.attribute_if("Name", self.name.as_deref());
        w.number_if("TimeScale", self.timescale.map(|timescale| timescale.get()));
        w.attribute_if("Language", self.language.as_deref());
        w.number("Chunks", count);
        w.number("QualityLevels", self.qualities.len() as u64);
        w.number_if("MaxWidth", self.max_width);
        w.number_if("MaxHeight", self.max_height);
        w.number_if("DisplayWidth", self.display_width);
        w.number_if("DisplayHeight", self.display_height);
        w.attribute_if("ParentStreamIndex", self.parent.as_deref());
        w.boolean_if("ManifestOutput", self.manifest_output);
        w.attribute_if("FourCC", self.four_cc.as_deref());
        w.number_if("Index", self.index);
        w.attribute_if("Scheme", self.scheme.as_deref());
        w.attribute_if("Url", self.url.as_deref());
        others(w, &self.other);
        w.children();
        for quality in &self.qualities {
            quality.write(w);
        }
        self.write_chunks(w, layout)?;
        w.end("StreamIndex");
        Ok(())
    }

    fn write_chunks(&self, w: &mut Writer, layout: Layout) -> Result<(), Error> {
        let mut expected = None;
        match layout {
            Layout::Full => runs(&self.chunks)
                .zip(&self.chunks)
                .try_for_each(|(run, chunk)| write_each(w, run?, chunk, &mut expected)),
            Layout::Compact => joined(&self.chunks).try_for_each(|joined| {
                let (run, chunk) = joined?;
                write_c(w, run, chunk, 0, &mut expected)
            }),
        }
    }

    fn has_repeats(&self, layout: Layout) -> bool {
        layout == Layout::Compact
            && joined(&self.chunks).any(|run| run.is_ok_and(|(run, _)| run.count.get() > 1))
    }
}

/// The longest runs that one `c` can stand for, each with the one that it begins with.
fn joined(chunks: &[Chunk]) -> impl Iterator<Item = Result<(Run, &Chunk), Error>> {
    let mut runs = runs(chunks).zip(chunks).peekable();
    std::iter::from_fn(move || {
        let (run, first) = runs.next()?;
        let mut run = match run {
            Ok(run) => run,
            Err(error) => return Some(Err(error)),
        };
        let joins = |run: &Run, (next, chunk): &(Result<Run, Error>, &Chunk)| {
            next.as_ref().is_ok_and(|next| joins(run, first, next, chunk))
        };
        while let Some((Ok(next), _)) = runs.next_if(|next| joins(&run, next)) {
            run.count = run.count.saturating_add(next.count.get());
        }
        Some(Ok((run, first)))
    })
}

/// Returns whether `next` goes on as `run` does, which begins with `first`, and says nothing of its
/// own.
fn joins(run: &Run, first: &Chunk, next: &Run, chunk: &Chunk) -> bool {
    let number = number(first, run.count.get());
    let plain = first.details.is_none() && chunk.details.is_none() && chunk.number == number;
    plain && run.end() == next.start && run.duration == next.duration
}

/// The number of the chunk so many after `first`.
fn number(first: &Chunk, after: u64) -> Option<u32> {
    u32::try_from(u64::from(first.number?).checked_add(after)?).ok()
}

/// Writes every chunk of a run as a `c` of its own.
fn write_each(
    w: &mut Writer,
    run: Run,
    chunk: &Chunk,
    expected: &mut Option<u64>,
) -> Result<(), Error> {
    let mut one = Run { count: NonZeroU64::MIN, ..run };
    for i in 0..run.count.get() {
        write_c(w, one, chunk, i, expected)?;
        one.start = one.end();
    }
    Ok(())
}

/// Writes a run as one `c`, which stands so many chunks after `chunk`; `expected` is where the
/// next one starts without a `t`.
fn write_c(
    w: &mut Writer,
    run: Run,
    chunk: &Chunk,
    after: u64,
    expected: &mut Option<u64>,
) -> Result<(), Error> {
    w.open("c");
    w.number_if("n", number(chunk, after));
    if *expected != Some(run.start) {
        w.number("t", run.start);
    }
    w.number("d", run.duration);
    if run.count > NonZeroU64::MIN {
        w.number("r", run.count.get());
    }
    match &chunk.details {
        Some(details) if after == 0 => write_details(w, details),
        _ => w.close(),
    }
    *expected = Some(run.end());
    w.check()
}

fn write_details(w: &mut Writer, details: &ChunkDetails) {
    details.other.iter().for_each(|(name, value)| w.attribute_once(name, value));
    if details.fragments.is_empty() {
        return w.close();
    }
    w.children();
    details.fragments.iter().for_each(|fragment| write_fragment(w, fragment));
    w.end("c");
}

fn write_fragment(w: &mut Writer, fragment: &FragmentData) {
    w.open("f");
    w.number_if("i", fragment.index);
    w.number_if("s", fragment.size);
    w.number_if("q", fragment.quality);
    fragment.other().for_each(|(name, value)| w.attribute_once(name, value));
    match fragment.data() {
        "" => w.close(),
        data => w.content(data, "f"),
    }
}

impl QualityLevel {
    fn write(&self, w: &mut Writer) {
        w.open("QualityLevel");
        w.number_if("Index", self.index);
        w.number("Bitrate", self.bitrate);
        w.number_if("NominalBitrate", self.nominal_bitrate);
        w.number_if("BufferTime", self.buffer_time);
        w.attribute_if("FourCC", self.four_cc.as_deref());
        w.number_if("MaxWidth", self.max_width);
        w.number_if("MaxHeight", self.max_height);
        w.attribute_if("CodecPrivateData", self.codec_private_data.as_deref());
        w.number_if("NALUnitLengthField", self.nal_unit_length_field);
        w.number_if("SamplingRate", self.sampling_rate);
        w.number_if("Channels", self.channels);
        w.number_if("BitsPerSample", self.bits_per_sample);
        w.number_if("PacketSize", self.packet_size);
        w.number_if("AudioTag", self.audio_tag);
        w.attribute_if("WaveFormatEx", self.wave_format_ex.as_deref());
        others(w, &self.other);
        if self.custom_attributes.is_empty() {
            return w.close();
        }
        w.children();
        custom_attributes(w, &self.custom_attributes);
        w.end("QualityLevel");
    }
}

/// Writes attributes that were not understood; the place of a known name may have been taken since.
fn others(w: &mut Writer, attributes: &Attributes) {
    for (name, value) in attributes {
        w.attribute_once(name, value);
    }
}

fn custom_attributes(w: &mut Writer, custom: &[CustomAttribute]) {
    if custom.is_empty() {
        return;
    }
    w.open("CustomAttributes");
    w.children();
    for CustomAttribute { name, value } in custom {
        w.open("Attribute");
        w.attribute("Name", name);
        w.attribute("Value", value);
        w.close();
    }
    w.end("CustomAttributes");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::client::read::tests::{ODD, parse};

    #[test]
    fn what_is_written_is_what_was_read() {
        let mut m = parse(ODD);
        let compact = m.to_xml(Layout::Compact, &Limits::default()).unwrap();
        // Declared counts are counted anew.
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
    fn a_run_that_claims_more_than_the_text_may_hold_is_not_written_out() {
        let claim = r#"<SmoothStreamingMedia><StreamIndex Type="video"><c t="0" d="0" r="18446744073709551615"/></StreamIndex></SmoothStreamingMedia>"#;
        let limits = Limits { client_manifest: 4096, ..Limits::default() };
        let error = parse(claim).to_xml(Layout::Full, &limits).unwrap_err();
        assert!(error.to_string().contains("budget of 4096"), "{error}");
        assert!(parse(claim).to_xml(Layout::Compact, &limits).is_ok());
    }
}
