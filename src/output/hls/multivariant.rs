//! The multivariant playlist: which renditions there are, and which go together.

use std::collections::{HashMap, HashSet};

use super::attributes::{Tag, without_quotes};
use super::length::check_length;
use super::protection;
use crate::base::{Error, ErrorKind};
use crate::manifest::StreamKind;
use crate::presentation::{Form, Listed, Presentation, Rendition, Role, Track};

/// Maximum number of groups of sound. Each quality of pictures is a variant with each of them.
const MOST_GROUPS: usize = 16;

/// Group of all text.
const TEXT: &str = "text";

/// Codec of text in segments: the text profile of IMSC1.
///
/// Spec: RFC 8216bis, 3.1.5; W3C TTML Profile Registry, `im1t`.
const IMSC: &str = "stpp.ttml.im1t";

/// Writes the multivariant playlist, with text in this form.
///
/// Each quality of all streams of pictures is a variant, once per group of sound. The first qualities of
/// all streams of sound are one group, the second qualities another, so that a player that chooses a
/// language keeps the quality; each codec has groups of its own.
///
/// # Errors
/// [`ErrorKind::NotServed`] if no track of pictures or sound can be listed; [`ErrorKind::Budget`] if it
/// is longer than a client manifest may be.
pub(super) fn write(presentation: &Presentation, text_form: Form) -> Result<String, Error> {
    let listed = presentation.listed();
    presentation.notice_left_out();
    let of = |kind| listed.iter().filter(move |of| of.stream.kind() == kind);
    let audio: Vec<&Listed<'_>> = of(StreamKind::Audio).collect();
    let is_ttml = |of: &&Listed<'_>| of.tracks.first().is_some_and(|(_, track)| track.is_ttml());
    // Only WebVTT has a segment in place of captions that have not come.
    let is_there = |of: &&Listed<'_>| text_form != Form::Stored || !of.stream.timeline().is_empty();
    let (text, other): (Vec<_>, Vec<_>) = of(StreamKind::Text).filter(is_there).partition(is_ttml);
    let mut playlist = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    let tracks = listed.iter().flat_map(|of| &of.tracks);
    protection::write_session(&mut playlist, presentation, tracks.map(|(_, track)| *track))?;
    let (audio_names, text_names) = (names(&audio), names(&text));
    let groups = groups(&audio, &audio_names);
    notice_left_out(presentation, &audio, &groups, &text, &other);
    for (group, members) in groups.iter().enumerate() {
        for (at, member) in members.iter().enumerate() {
            member.write(&mut playlist, presentation, &audio_group(group), at == 0);
            check_length(&playlist, presentation)?;
        }
    }
    for (at, of) in text.iter().enumerate() {
        let track = text_track(of);
        let member = Member { of, track, form: text_form, name: &text_names[at] };
        member.write(&mut playlist, presentation, TEXT, at == 0);
        check_length(&playlist, presentation)?;
    }
    let text_rates = text.iter().map(|of| text_rates(presentation, of)).fold((0, 0), most);
    let text_form = Some(text_form).filter(|_| !text.is_empty());
    let variants = Variants { presentation, text_rates, text_form, groups: &groups };
    let mut is_empty = true;
    for of in of(StreamKind::Video) {
        for &(number, track) in &of.tracks {
            variants.write(&mut playlist, of, number, track)?;
            is_empty = false;
        }
    }
    if is_empty {
        for (group, members) in groups.iter().enumerate() {
            if let Some(member) = members.first() {
                variants.write_audio(&mut playlist, group, member);
                is_empty = false;
            }
        }
    }
    match is_empty {
        true if presentation.live().is_some_and(|_| listed.is_empty()) => {
            Err(Error::request("playlist", ErrorKind::NotYet))
        }
        true => {
            let what = "HLS of a presentation without a track that HLS can name";
            Err(Error::request("playlist", ErrorKind::NotServed(what)))
        }
        false => Ok(playlist),
    }
}

/// Reports the tracks that are in no group: sound above the number of groups, all but the first quality
/// of text, and text that is not TTML in the clear.
fn notice_left_out(
    presentation: &Presentation,
    audio: &[&Listed<'_>],
    groups: &[Vec<Member<'_>>],
    text: &[&Listed<'_>],
    other: &[&Listed<'_>],
) {
    let sound: HashSet<_> = groups.iter().flatten().map(|of| (of.of.number, of.track)).collect();
    let mut tracks = Vec::new();
    for of in audio {
        let is_listed = |track| sound.contains(&(of.number, track));
        for &(track, _) in of.tracks.iter().filter(|&&(track, _)| !is_listed(track)) {
            tracks.push((*of, track, "HLS lists sound in at most 16 qualities"));
        }
    }
    for of in text {
        let listed = text_track(of);
        for &(track, _) in of.tracks.iter().filter(|&&(track, _)| track != listed) {
            tracks.push((*of, track, "HLS lists one quality per stream of text"));
        }
    }
    for of in other {
        for &(track, _) in &of.tracks {
            tracks.push((*of, track, "HLS lists no text that is encrypted"));
        }
    }
    presentation.notice_left_out_of_hls(
        tracks
            .into_iter()
            .map(|(of, track, reason)| (of.stream, &of.stream.tracks()[track], reason)),
    );
}

/// A rendition in a group.
struct Member<'a> {
    of: &'a Listed<'a>,
    track: usize,
    form: Form,
    name: &'a str,
}

/// Returns the groups of sound: in each, one track per stream, all of about the same rank, and all of
/// one codec.
///
/// hls.js 1.7.4 plays no variant with a codec that the browser does not have, even if a rendition of its
/// group has another one.
///
/// Spec: RFC 8216bis, 4.4.6.2, `CODECS`.
fn groups<'a>(audio: &[&'a Listed<'a>], names: &'a [String]) -> Vec<Vec<Member<'a>>> {
    let mut of_codecs: Vec<(String, Vec<OfCodec<'a>>)> = Vec::new();
    for (&of, name) in audio.iter().zip(names) {
        for &(track, properties) in &of.tracks {
            let codecs = properties.codecs().unwrap_or_default();
            let family = codecs.split('.').next().unwrap_or_default();
            let at = of_codecs.iter().position(|(known, _)| known == family);
            let at = at.unwrap_or_else(|| {
                of_codecs.push((family.to_owned(), Vec::new()));
                of_codecs.len() - 1
            });
            let streams = &mut of_codecs[at].1;
            match streams.last_mut().filter(|last| last.of.number == of.number) {
                Some(stream) => stream.tracks.push(track),
                None => streams.push(OfCodec { of, name, tracks: vec![track] }),
            }
        }
    }
    let of_rank = |streams: &[OfCodec<'a>], rank: usize| -> Vec<Member<'a>> {
        let member = |stream: &OfCodec<'a>| {
            // There is at least one.
            let track = stream.tracks[rank.min(stream.tracks.len() - 1)];
            Member { of: stream.of, track, form: Form::Stored, name: stream.name }
        };
        streams.iter().map(member).collect()
    };
    let groups = of_codecs.iter().flat_map(|(_, streams)| {
        let most = streams.iter().map(|stream| stream.tracks.len()).max().unwrap_or(0);
        (0..most).map(move |rank| of_rank(streams, rank))
    });
    groups.take(MOST_GROUPS).collect()
}

/// The tracks of a stream that have one codec.
struct OfCodec<'a> {
    of: &'a Listed<'a>,
    name: &'a str,
    tracks: Vec<usize>,
}

fn audio_group(number: usize) -> String {
    format!("audio-{number}")
}

impl<'a> Member<'a> {
    fn track(&self) -> &'a Track {
        &self.of.stream.tracks()[self.track]
    }

    fn uri(&self, presentation: &Presentation) -> String {
        uri(presentation, self.of, self.track, self.form)
    }

    /// Writes the tag of a rendition of a group.
    fn write(
        &self,
        playlist: &mut String,
        presentation: &Presentation,
        group: &str,
        is_first: bool,
    ) {
        let stream = self.of.stream;
        let is_text = stream.kind() == StreamKind::Text;
        let mut tag = Tag::new(playlist, "#EXT-X-MEDIA")
            .plain("TYPE", if is_text { "SUBTITLES" } else { "AUDIO" })
            .quoted("GROUP-ID", group)
            .quoted("NAME", self.name);
        if let Some(language) = stream.language_tag() {
            tag = tag.quoted("LANGUAGE", &language);
        }
        // Text is shown when somebody chooses it.
        let is_default = is_first && !is_text;
        tag = tag.plain("DEFAULT", if is_default { "YES" } else { "NO" });
        tag = tag.plain("AUTOSELECT", "YES");
        if is_text {
            let is_forced = stream.role() == Role::ForcedSubtitle;
            tag = tag.plain("FORCED", if is_forced { "YES" } else { "NO" });
        }
        if let Some(characteristics) = characteristics(self.of) {
            tag = tag.quoted("CHARACTERISTICS", characteristics);
        }
        if let Some(sound) = self.track().sound() {
            let channels = match sound.objects {
                Some(objects) => format!("{objects}/JOC"),
                None => sound.channels.to_string(),
            };
            tag = tag.quoted("CHANNELS", &channels);
        }
        tag.quoted("URI", &self.uri(presentation)).end();
    }
}

/// Returns the names that a player shows: one for each stream, none twice, because no two renditions of
/// a group may have one name.
fn names(all: &[&Listed<'_>]) -> Vec<String> {
    let (mut taken, mut alike) = (HashSet::new(), HashMap::new());
    let unique = |of: &&Listed<'_>| {
        let name = without_quotes(of.stream.label().unwrap_or(of.stream.name()));
        let number = alike.entry(name.clone()).or_insert(0_u64);
        loop {
            *number += 1;
            let numbered = match *number {
                1 => name.clone(),
                number => format!("{name} {number}"),
            };
            if taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    };
    all.iter().map(unique).collect()
}

/// Returns what a rendition is for, in Apple's words.
fn characteristics(of: &Listed<'_>) -> Option<&'static str> {
    match (of.stream.kind(), of.stream.role()) {
        (StreamKind::Text, Role::Caption) => Some(
            "public.accessibility.transcribes-spoken-dialog,\
             public.accessibility.describes-music-and-sound",
        ),
        (_, Role::Description) => Some("public.accessibility.describes-video"),
        _ => None,
    }
}

fn uri(presentation: &Presentation, of: &Listed<'_>, track: usize, form: Form) -> String {
    let rendition = Rendition { stream: of.number, track, form };
    let name = presentation.rendition_name(rendition);
    match presentation.clip_query() {
        Some(query) => format!("{name}.m3u8?{query}"),
        None => format!("{name}.m3u8"),
    }
}

/// Writes the variants.
struct Variants<'a> {
    presentation: &'a Presentation,
    /// Rates of the most demanding text.
    text_rates: (u64, u64),
    /// Form of the text; `None` if there is none.
    text_form: Option<Form>,
    groups: &'a [Vec<Member<'a>>],
}

impl Variants<'_> {
    /// Writes a quality of pictures, with each group of sound.
    fn write(
        &self,
        playlist: &mut String,
        of: &Listed<'_>,
        number: usize,
        track: &Track,
    ) -> Result<(), Error> {
        let groups = 0..self.groups.len().max(1);
        for group in groups {
            let members = self.groups.get(group).map_or(&[][..], |members| members);
            let tag = Tag::new(playlist, "#EXT-X-STREAM-INF");
            let pictures = rates(self.presentation, of, number);
            let tag = self.rates_and_codecs(tag, pictures, Some(track), members);
            let mut tag = picture(tag, track, true);
            if !members.is_empty() {
                tag = tag.quoted("AUDIO", &audio_group(group));
            }
            self.text(tag).end();
            playlist.push_str(&uri(self.presentation, of, number, Form::Stored));
            playlist.push('\n');
            check_length(playlist, self.presentation)?;
        }
        let rates = rates(self.presentation, of, number);
        let tag = Tag::new(playlist, "#EXT-X-I-FRAME-STREAM-INF")
            .plain("BANDWIDTH", rates.0)
            .quoted("CODECS", &track.codecs().unwrap_or_default());
        let uri = uri(self.presentation, of, number, Form::KeyFrames);
        picture(tag, track, false).quoted("URI", &uri).end();
        Ok(())
    }

    /// Writes a variant of sound alone.
    fn write_audio(&self, playlist: &mut String, group: usize, member: &Member<'_>) {
        let tag = Tag::new(playlist, "#EXT-X-STREAM-INF");
        let tag = self.rates_and_codecs(tag, (0, 0), None, &self.groups[group]);
        self.text(tag.quoted("AUDIO", &audio_group(group))).end();
        playlist.push_str(&member.uri(self.presentation));
        playlist.push('\n');
    }

    /// Adds the rates and codecs of pictures and of the most demanding member of a group of sound.
    fn rates_and_codecs<'t>(
        &self,
        tag: Tag<'t>,
        pictures: (u64, u64),
        video: Option<&Track>,
        members: &[Member<'_>],
    ) -> Tag<'t> {
        let rate = |member: &Member<'_>| rates(self.presentation, member.of, member.track);
        let sound = members.iter().map(rate);
        let sound = sound.fold((0, 0), most);
        let text = self.text_rates;
        let sum = |rates: [u64; 3]| rates.into_iter().fold(0, u64::saturating_add);
        let mut codecs: Vec<String> = video.and_then(Track::codecs).into_iter().collect();
        for codec in members.iter().filter_map(|member| member.track().codecs()) {
            if !codecs.iter().any(|known| *known == *codec) {
                codecs.push(codec);
            }
        }
        if self.text_form == Some(Form::Stored) {
            codecs.push(IMSC.to_owned());
        }
        tag.plain("BANDWIDTH", sum([pictures.0, sound.0, text.0]).max(1))
            .plain("AVERAGE-BANDWIDTH", sum([pictures.1, sound.1, text.1]).max(1))
            .quoted("CODECS", &codecs.join(","))
    }

    fn text<'t>(&self, tag: Tag<'t>) -> Tag<'t> {
        let tag = if self.text_form.is_some() { tag.quoted("SUBTITLES", TEXT) } else { tag };
        tag.plain("CLOSED-CAPTIONS", "NONE")
    }
}

/// Adds what a tag says of pictures.
fn picture<'t>(mut tag: Tag<'t>, track: &Track, with_rate: bool) -> Tag<'t> {
    if let Some((width, height)) = track.picture_size() {
        tag = tag.plain("RESOLUTION", format_args!("{width}x{height}"));
    }
    if let Some(rate) = track.frame_rate().filter(|_| with_rate) {
        tag = tag.plain("FRAME-RATE", format_args!("{:.3}", rate.to_f64()));
    }
    if let Some(range) = track.video_range() {
        tag = tag.plain("VIDEO-RANGE", range.as_str());
    }
    tag
}

/// Returns the larger peak and the larger mean.
fn most(one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
    (one.0.max(other.0), one.1.max(other.1))
}

/// Returns the peak and the mean of a text: those of its fragments, whatever its form. Its documents are
/// read only when they are asked for; WebVTT usually takes less.
fn text_rates(presentation: &Presentation, of: &Listed<'_>) -> (u64, u64) {
    rates(presentation, of, text_track(of))
}

/// Returns the quality of a text that is listed: the first one, but for one of an event that was announced and had no
/// fragment while another had.
fn text_track(of: &Listed<'_>) -> usize {
    let joined = of.tracks.iter().find(|(_, track)| track.has_joined());
    joined.or(of.tracks.first()).map_or(0, |&(track, _)| track)
}

/// Returns the peak and the mean of the segments of a track; the declared bitrate for both if the sizes
/// of its fragments are not known.
fn rates(presentation: &Presentation, of: &Listed<'_>, track: usize) -> (u64, u64) {
    match presentation.rates(of.number, track) {
        Some(rates) => (rates.peak, rates.mean),
        None => {
            let declared = of.stream.tracks()[track].bitrate().into();
            (declared, declared)
        }
    }
}
