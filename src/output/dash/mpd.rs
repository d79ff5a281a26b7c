//! The media presentation description of a film, or of a live event.

use super::elements::{descriptor, iso_duration};
use super::set_ids::SetIds;
use super::switching::{family, of_one_codec};
use super::{Request, events, live, protection};
use crate::base::{Error, ErrorKind, Timescale};
use crate::codec::{ChannelLayout, Sound};
use crate::manifest::{StreamKind, XmlWriter};
use crate::presentation::{Form, Listed, Moment, Presentation, Rendition, Role, Segment, Track};

/// Profiles that the MPD follows: segments with a template, and CMAF.
const PROFILES: &str = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019";

/// Scheme of roles, which is also used to describe accessibility.
///
/// Spec: ISO/IEC 23009-1, 5.8.5.5.
const ROLE: &str = "urn:mpeg:dash:role:2011";

/// Scheme of an Adaptation Set that has only the key frames of another.
///
/// Spec: DASH-IF IOP, 3.2.9.
const TRICK_MODE: &str = "http://dashif.org/guidelines/trickmode";

/// Scheme of the other Adaptation Sets that a player can switch to.
///
/// Spec: DASH-IF IOP, 3.8; ISO/IEC 23009-1, 5.3.3.5.
const SWITCHING: &str = "urn:mpeg:dash:adaptation-set-switching:2016";

/// Bytes of the limit of a manifest for each segment of the lists that tracks have of their own: about a quarter of it is
/// for them. Tracks without such a list are listed as if they had all segments of their stream.
const OWN_SEGMENT: u64 = 256;

/// Writes the MPD that a request names.
///
/// All streams share one Period, and all have the same presentation time offset: the first time of
/// the presentation. So the times of all streams stay what they are. The offset of an event is the
/// first time that it ever announced, also after its end: Shaka Player moves all segments that
/// it has if the offset changes, and players that tell Periods by their start take another one for a new one.
///
/// # Errors
/// [`ErrorKind::NotServed`] if the presentation is a live folder, or if no track can be listed;
/// [`ErrorKind::NotYet`] if a live event has no chunk to list.
pub(super) fn write(presentation: &Presentation, request: Request) -> Result<String, Error> {
    let not_served = |what| Error::request("MPD", ErrorKind::NotServed(what));
    if presentation.is_live() && presentation.live().is_none() {
        return Err(not_served("a live folder as DASH"));
    }
    let mut listed = presentation.listed();
    // A `SegmentTimeline` has at least one segment.
    listed.retain(|of| !of.stream.timeline().is_empty());
    let Some(first) = listed.iter().map(Listed::begin).min() else {
        return Err(match presentation.live() {
            Some(_) => Error::request("MPD", ErrorKind::NotYet),
            None => {
                presentation.notice_left_out();
                not_served("DASH of a presentation without a track that DASH can name")
            }
        });
    };
    presentation.notice_left_out();
    let begin = presentation.event_begins().unwrap_or(first);

    let mut xml = XmlWriter::new(presentation.limits().client_manifest);
    xml.open("MPD");
    xml.attribute("xmlns", "urn:mpeg:dash:schema:mpd:2011");
    xml.attribute("xmlns:cenc", "urn:mpeg:cenc:2013");
    xml.attribute("xmlns:mspr", "urn:microsoft:playready");
    xml.attribute("profiles", PROFILES);
    match presentation.live() {
        Some(live) => live::attributes(&mut xml, presentation, live, begin, &listed),
        None => {
            let duration = listed.iter().map(|of| shown_until(of, begin)).max().unwrap_or(0);
            xml.attribute("type", "static");
            xml.attribute("mediaPresentationDuration", &iso_duration(duration));
        }
    }
    xml.attribute("minBufferTime", "PT2S");
    xml.children();
    xml.open("Period");
    xml.attribute("id", "0");
    xml.attribute("start", "PT0S");
    xml.children();
    events::write(&mut xml, presentation, begin);
    let ids = SetIds::new(presentation.is_of_event());
    let mut sets = Sets { presentation, xml, ids, own: 0 };
    let mut pictures = Vec::new();
    for of in &listed {
        let offset = begin.rescaled(of.stream.timescale());
        let there = with_segments(presentation, of);
        let mut beside = None;
        for set in of_one_codec(&of.tracks, presentation.is_of_event()) {
            let (mut tracks, late) = (set.tracks, set.late);
            tracks.retain(|(number, _)| there.contains(number));
            if tracks.is_empty() {
                continue;
            }
            let form = match of.stream.kind() {
                StreamKind::Text if request == Request::MpdWithWebVtt && are_ttml(&tracks) => {
                    Form::Wvtt
                }
                _ => Form::Stored,
            };
            let id = sets.write(&Set {
                listed: of,
                tracks: &tracks,
                form,
                offset,
                of: None,
                late: late.as_deref(),
                beside: beside.filter(|_| late.is_some()),
            })?;
            if late.is_none() {
                beside = Some(id);
            }
            if request == Request::MpdWithKeyFrames && of.stream.kind() == StreamKind::Video {
                pictures.push((of, tracks, offset, id, late));
            }
        }
    }
    for &(listed, ref tracks, offset, id, ref late) in &pictures {
        let (form, of, late) = (Form::KeyFrames, Some(id), late.as_deref());
        sets.write(&Set { listed, tracks, form, offset, of, late, beside: None })?;
    }
    let mut xml = sets.xml;
    xml.end("Period");
    if let Some(live) = presentation.live() {
        live::clock(&mut xml, presentation, live, &listed);
    }
    xml.end("MPD");
    xml.finish()
}

/// An Adaptation Set.
#[derive(Clone, Copy)]
struct Set<'a> {
    listed: &'a Listed<'a>,
    tracks: &'a [(usize, &'a Track)],
    form: Form,
    /// Presentation time offset in ticks of the stream.
    offset: u64,
    /// Identifier of the Adaptation Set whose key frames these are.
    of: Option<u32>,
    /// The codec of a set of tracks that joined late.
    late: Option<&'a str>,
    /// Identifier of the Adaptation Set with which it can be switched.
    beside: Option<u32>,
}

struct Sets<'a> {
    presentation: &'a Presentation,
    xml: XmlWriter,
    ids: SetIds,
    /// Segments of the lists that tracks have of their own.
    own: u64,
}

impl Sets<'_> {
    /// Writes an Adaptation Set and returns its identifier.
    fn write(&mut self, set: &Set<'_>) -> Result<u32, Error> {
        let stream = set.listed.stream;
        let id = self.id(set);
        let xml = &mut self.xml;
        xml.open("AdaptationSet");
        xml.number("id", id);
        let (content, mime) = match stream.kind() {
            StreamKind::Video => ("video", "video/mp4"),
            StreamKind::Audio => ("audio", "audio/mp4"),
            StreamKind::Text => ("text", "application/mp4"),
        };
        xml.attribute("contentType", content);
        xml.attribute("mimeType", mime);
        xml.attribute_if("lang", stream.language_tag());
        xml.attribute("segmentAlignment", "true");
        xml.attribute("startWithSAP", "1");
        if let Some((width, height)) = common_shape(set.tracks) {
            xml.attribute("par", &format!("{width}:{height}"));
        }
        if set.of.is_some() {
            xml.attribute("codingDependency", "false");
        }
        xml.children();
        protection::write(xml, self.presentation, set.tracks);
        if let Some(of) = set.of {
            descriptor(xml, "EssentialProperty", TRICK_MODE, &of.to_string());
        }
        if let Some(beside) = set.beside {
            descriptor(xml, "SupplementalProperty", SWITCHING, &beside.to_string());
        }
        // The schema has it before all that only an Adaptation Set can have.
        if stream.kind() != StreamKind::Video {
            xml.open("Label");
            xml.content(stream.label().unwrap_or(stream.name()), "Label");
        }
        let role = stream.role();
        if matches!(role, Role::Caption | Role::Description | Role::Sign) {
            descriptor(xml, "Accessibility", ROLE, role.as_str());
        }
        descriptor(xml, "Role", ROLE, role.as_str());
        self.template(set, None)?;
        let has_own_keys = protection::has_own_keys(set.tracks);
        for (number, track) in set.tracks {
            self.representation(set, *number, track, has_own_keys)?;
            self.xml.check()?;
        }
        self.xml.end("AdaptationSet");
        Ok(id)
    }

    /// Returns the identifier of a set: its tracks are those of a stream that a player can switch between.
    fn id(&mut self, set: &Set<'_>) -> u32 {
        let stream = set.listed.stream;
        let (family, scheme) =
            set.tracks.first().map(|(_, track)| family(track)).unwrap_or_default();
        let words = [stream.kind().as_str(), stream.name(), &family, scheme, set.form.suffix()];
        let words: Vec<&str> = words.into_iter().chain(set.late).collect();
        self.ids.next(&words)
    }

    /// Writes how segments are addressed, and when they are: those of a set, or of a track that lacks some of them.
    fn template(&mut self, set: &Set<'_>, of: Option<&Track>) -> Result<(), Error> {
        let xml = &mut self.xml;
        let stream = set.listed.stream;
        xml.open("SegmentTemplate");
        xml.number("timescale", stream.timescale().get());
        if set.offset > 0 {
            xml.number("presentationTimeOffset", set.offset);
        }
        xml.attribute("initialization", "$RepresentationID$/init.mp4");
        xml.attribute("media", &format!("$RepresentationID$/$Time$.{}", set.form.extension()));
        xml.children();
        xml.open("SegmentTimeline");
        xml.children();
        let is_there = |segment: &Segment| of.is_none_or(|track| !track.lacks(segment.chunk));
        let mut segments = stream.segments().filter(is_there).peekable();
        let mut end = None;
        while let Some(Segment { start, lasts, .. }) = segments.next() {
            // Most segments last to the next one, which then needs no time.
            let is_behind = end == Some(start);
            let mut until = start.saturating_add(lasts);
            let mut repeats: u64 = 0;
            while segments.next_if(|next| next.lasts == lasts && next.start == until).is_some() {
                until = until.saturating_add(lasts);
                repeats += 1;
            }
            end = Some(until);
            xml.open("S");
            if !is_behind {
                xml.number("t", start);
            }
            xml.number("d", lasts);
            if repeats > 0 {
                xml.number("r", repeats);
            }
            xml.close();
            xml.check()?;
        }
        xml.end("SegmentTimeline");
        xml.end("SegmentTemplate");
        Ok(())
    }

    /// Returns the declared bitrate of a track, or the mean of its segments if that is more: no buffer
    /// keeps a film going that takes more than it declares. Sound has the declared bitrate, because dash.js
    /// begins with the language of the lowest one: an accident of sizes must not choose it.
    ///
    /// Spec: ISO/IEC 23009-1, 5.3.5.2.
    fn bandwidth(&self, set: &Set<'_>, number: usize, track: &Track) -> u64 {
        let rates = self.presentation.rates(set.listed.number, number);
        let is_sound = set.listed.stream.kind() == StreamKind::Audio;
        let rates = rates.filter(|_| set.form != Form::KeyFrames && !is_sound);
        // A bandwidth of 0 is not allowed, and sparse text often declares it.
        u64::from(track.bitrate()).max(rates.map_or(0, |rates| rates.mean)).max(1)
    }

    /// Returns whether a track of an event has a list of segments of its own, because it lacks some of those of its set:
    /// it joined late, or has a gap.
    ///
    /// Spec: ISO/IEC 23009-1, 5.3.9.1.
    fn has_own_list(&mut self, set: &Set<'_>, track: &Track) -> bool {
        let stream = set.listed.stream;
        if !self.presentation.is_of_event() || !track.may_lack(stream.timeline().len()) {
            return false;
        }
        let (mut count, mut lacks) = (0, false);
        for segment in stream.segments() {
            count += 1;
            lacks |= track.lacks(segment.chunk);
        }
        let own = self.own.saturating_add(count);
        let is_long = own.saturating_mul(OWN_SEGMENT) > self.presentation.limits().client_manifest;
        if !lacks || is_long {
            return false;
        }
        self.own = own;
        true
    }

    fn representation(
        &mut self,
        set: &Set<'_>,
        number: usize,
        track: &Track,
        has_own_key: bool,
    ) -> Result<(), Error> {
        let has_own_list = self.has_own_list(set, track);
        let rendition = Rendition { stream: set.listed.number, track: number, form: set.form };
        let name = self.presentation.rendition_name(rendition).to_string();
        let bandwidth = self.bandwidth(set, number, track);
        let xml = &mut self.xml;
        xml.open("Representation");
        xml.attribute("id", &name);
        xml.number("bandwidth", bandwidth);
        match set.form {
            Form::Wvtt => xml.attribute("codecs", "wvtt"),
            _ => xml.attribute_if("codecs", track.codecs()),
        }
        if let Some((width, height)) = track.picture_size() {
            xml.number("width", width);
            xml.number("height", height);
            let (across, down) = track.pixel_aspect_ratio().unwrap_or((1, 1));
            xml.attribute("sar", &format!("{across}:{down}"));
        }
        if let Some(rate) = track.frame_rate().filter(|_| set.of.is_none()) {
            let rate = match rate.denominator() {
                1 => rate.numerator().to_string(),
                seconds => format!("{}/{seconds}", rate.numerator()),
            };
            xml.attribute("frameRate", &rate);
        }
        let sound = track.sound();
        if let Some(sound) = sound {
            xml.number("audioSamplingRate", sound.sampling_rate);
        }
        if sound.is_none() && !has_own_key && !has_own_list {
            xml.close();
            return Ok(());
        }
        xml.children();
        if let Some(sound) = sound {
            let (scheme, value) = channel_configuration(sound);
            descriptor(xml, "AudioChannelConfiguration", scheme, &value);
        }
        if has_own_key {
            protection::write_key(xml, track);
        }
        if has_own_list {
            self.template(set, Some(track))?;
        }
        self.xml.end("Representation");
        Ok(())
    }
}

/// Returns the numbers of a stream's tracks that have any of the segments that are listed; of an event in which no track
/// has, and of a film, those of all.
fn with_segments(presentation: &Presentation, listed: &Listed<'_>) -> Vec<usize> {
    let (stream, tracks) = (listed.stream, &listed.tracks);
    let has_any = |track: &Track| {
        !track.may_lack(stream.timeline().len())
            || stream.segments().any(|segment| !track.lacks(segment.chunk))
    };
    let some: Vec<_> = match presentation.is_of_event() {
        true => tracks.iter().filter(|(_, track)| has_any(track)).map(|(of, _)| *of).collect(),
        false => Vec::new(),
    };
    if some.is_empty() { tracks.iter().map(|(of, _)| *of).collect() } else { some }
}

/// Returns ticks of 100 ns from the beginning of the presentation to the end of a stream, rounded up: no
/// segment ends later than the presentation.
fn shown_until(listed: &Listed<'_>, begin: Moment) -> u64 {
    let Moment { ticks, timescale } = listed.end();
    let ticks = ticks.saturating_sub(begin.rescaled(timescale));
    let product = u128::from(ticks) * u128::from(Timescale::SMOOTH.get());
    u64::try_from(product.div_ceil(u128::from(timescale.get()))).unwrap_or(u64::MAX)
}

fn are_ttml(tracks: &[(usize, &Track)]) -> bool {
    tracks.iter().all(|(_, track)| track.is_ttml())
}

/// Returns the aspect ratio that all pictures of a set have.
fn common_shape(tracks: &[(usize, &Track)]) -> Option<(u64, u64)> {
    let mut shapes = tracks.iter().map(|(_, track)| display_shape(track));
    let first = shapes.next()??;
    shapes.all(|shape| shape == Some(first)).then_some(first)
}

/// Returns the aspect ratio of the picture as it is shown, in lowest terms.
fn display_shape(track: &Track) -> Option<(u64, u64)> {
    let (width, height) = track.picture_size()?;
    let (across, down) = track.pixel_aspect_ratio().unwrap_or((1, 1));
    let (width, height) =
        (u64::from(width) * u64::from(across), u64::from(height) * u64::from(down));
    let divisor = greatest_common_divisor(width, height);
    (divisor > 0).then(|| (width / divisor, height / divisor))
}

fn greatest_common_divisor(mut one: u64, mut other: u64) -> u64 {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Returns the scheme and the value that say which channels there are.
///
/// Spec: ETSI TS 102 366, I.1.2.1; ISO/IEC 23091-3, table 3.
fn channel_configuration(sound: Sound) -> (&'static str, String) {
    const MPEG: &str = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
    match sound.layout {
        Some(ChannelLayout::Dolby(map)) => {
            ("tag:dolby.com,2014:dash:audio_channel_configuration:2011", format!("{map:04X}"))
        }
        Some(ChannelLayout::Mpeg(configuration)) => (MPEG, configuration.to_string()),
        // Up to six channels, the number of a configuration is that of its channels.
        _ => (MPEG, sound.channels.to_string()),
    }
}
