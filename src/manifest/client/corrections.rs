//! The lenient reading: what it corrects in a client manifest instead of refusing it.

use std::ops::Range;

use super::read::{Document, Times, invalid, push};
use super::{Chunk, Edit, Replacement};
use crate::base::{Error, ErrorKind, Timescale};
use crate::manifest::StreamKind;
use crate::manifest::xml::{Attribute, Element};

/// Maximum corrections that are described, because each counts the lines before it.
const MOST_DESCRIBED: usize = 16;

/// A manifest with more unusable elements is not used at all.
const MOST_CUTS: usize = 64;

impl<'t> Document<'t> {
    /// Adds an edit of the text, and describes its reason.
    pub(super) fn correct(
        &mut self,
        element: &Element<'t>,
        at: Range<usize>,
        instead: Option<Replacement>,
        what: impl FnOnce() -> String,
    ) {
        push(&mut self.edits, Edit { at, instead });
        if self.corrections.len() < MOST_DESCRIBED {
            self.corrections.push(invalid(element, &what()).to_string());
        }
    }

    /// Cuts out an element that cannot be used. Returns any other error, or this one if too many
    /// elements were cut.
    pub(super) fn cut(
        &mut self,
        element: &Element<'t>,
        depth: usize,
        error: Error,
    ) -> Result<(), Error> {
        let is_invalid = matches!(error.kind, ErrorKind::Invalid { .. });
        if !self.is_lenient || !is_invalid || self.cuts >= MOST_CUTS {
            return Err(error);
        }
        self.cuts += 1;
        self.reader.leave(depth)?;
        // Edits inside of the element are dropped with it.
        while self.edits.pop_if(|edit| edit.at.start >= element.start).is_some() {}
        push(&mut self.edits, Edit { at: element.start..self.reader.position(), instead: None });
        if self.left_out.len() < MOST_DESCRIBED {
            self.left_out.push(format!("{error}: the {} is left out", element.name()));
        }
        Ok(())
    }

    /// Corrects a `Type` in another letter case or with blanks, which only some players understand.
    pub(super) fn correct_kind(
        &mut self,
        element: &Element<'t>,
        a: &Attribute<'_>,
        kind: StreamKind,
    ) {
        if self.is_lenient && a.value != kind.as_str() {
            let what = || format!("`Type` is \"{}\", served as {kind}", brief(&a.value));
            self.correct(element, a.span.clone(), Some(Replacement::Kind(kind)), what);
        }
    }

    /// Corrects the duration 0 of a film that has chunks.
    pub(super) fn correct_duration_0(
        &mut self,
        root: &Element<'t>,
        at: Range<usize>,
        duration: &mut u64,
        length: u64,
    ) {
        if self.is_lenient && length > 0 {
            *duration = length;
            // The value may have been corrected to the digit 0 before.
            self.edits.retain(|edit| edit.at != at);
            let what = || format!("`Duration` is 0, served as {length}");
            self.correct(root, at, Some(Replacement::Number(length)), what);
        }
    }

    /// Reports an element of another name that has the `Type` of a stream: its name is misspelt, and
    /// players pass over it.
    pub(super) fn check_unknown(&mut self, element: &Element<'t>) {
        let is_kind = |a: &Attribute<'_>| a.name == "Type" && StreamKind::parse(&a.value).is_some();
        if self.is_lenient
            && self.left_out.len() < MOST_DESCRIBED
            && element.attributes().filter_map(Result::ok).any(|a| is_kind(&a))
        {
            let what = "it has the `Type` of a stream and is not named `StreamIndex`";
            self.left_out.push(format!("{}: the stream is left out", invalid(element, what)));
        }
    }

    /// Corrects a number to digits alone. Blanks or a plus sign (` 500000 `) would end up in a
    /// player's URL, and a fraction (`500000.0`) is rounded.
    pub(super) fn plain<'e>(
        &mut self,
        element: &Element<'t>,
        mut a: Attribute<'e>,
    ) -> Attribute<'e> {
        if self.is_lenient
            && !a.value.bytes().all(|byte| byte.is_ascii_digit())
            && NUMBERS.contains(&a.name)
            && let Some(number) = rounded(a.value.trim())
        {
            let what = || format!("`{}` is \"{}\", served as {number}", a.name, brief(&a.value));
            self.correct(element, a.span.clone(), Some(Replacement::Number(number)), what);
            a.value = number.to_string().into();
        }
        a
    }

    /// Replaces a number that no field can hold. Returns `false` if the reading is not lenient.
    pub(super) fn replace(
        &mut self,
        element: &Element<'t>,
        a: &Attribute<'_>,
        number: u64,
    ) -> bool {
        let what = || format!("`{}` is \"{}\", served as {number}", a.name, brief(&a.value));
        self.correct_unusable(element, a, a.span.clone(), Some(Replacement::Number(number)), what)
    }

    /// Replaces a timescale by that of the presentation.
    pub(super) fn replace_timescale(
        &mut self,
        field: &mut Option<Timescale>,
        element: &Element<'t>,
        a: &Attribute<'_>,
    ) -> bool {
        let timescale = self.timescale;
        let is_replaced = self.replace(element, a, timescale.get());
        *field = is_replaced.then_some(timescale);
        is_replaced
    }

    /// Replaces a number by one that is known only after the element's children were read.
    pub(super) fn replace_later(
        &mut self,
        later: &mut Option<LaterEdit>,
        element: &Element<'t>,
        a: &Attribute<'_>,
    ) -> bool {
        let what = || {
            let (name, value) = (a.name, brief(&a.value));
            format!("`{name}` is \"{value}\", served as the streams and chunks are")
        };
        let is_replaced =
            self.correct_unusable(element, a, a.span.clone(), Some(Replacement::Number(0)), what);
        *later = is_replaced.then(|| LaterEdit(self.edits.len() - 1));
        is_replaced
    }

    /// Takes out an attribute that players would read as a number and that is none, or a number
    /// that is too large. Returns `false` if the reading is not lenient.
    pub(super) fn take_out(&mut self, element: &Element<'t>, a: &Attribute<'_>) -> bool {
        let name = self.text[..a.span.start].rfind(a.name).unwrap_or(a.span.start);
        let what = || match a.value.trim() {
            "" => format!("`{}` is empty and is left out", a.name),
            value => format!("`{}` is \"{}\" and is left out", a.name, brief(value)),
        };
        self.correct_unusable(element, a, name..a.span.end + 1, None, what)
    }

    fn correct_unusable(
        &mut self,
        element: &Element<'t>,
        a: &Attribute<'_>,
        at: Range<usize>,
        instead: Option<Replacement>,
        what: impl FnOnce() -> String,
    ) -> bool {
        if self.is_lenient {
            // The value may have been corrected to plain digits that are too many.
            self.edits.pop_if(|edit| edit.at == a.span);
            self.correct(element, at, instead, what);
        }
        self.is_lenient
    }

    /// Lets a stream that begins before 0 (audio with priming samples, as two's complement or with
    /// a sign) begin at 0, as in a generated manifest.
    pub(super) fn begin_at_0(
        &mut self,
        element: &Element<'t>,
        times: &Times,
        chunks: &mut [Chunk],
    ) {
        let later = chunks.get(1).and_then(|chunk| chunk.time);
        let Some(first) = chunks.first_mut().filter(|_| self.is_lenient) else { return };
        let (Some(time), Some(at)) = (first.time, &times.time) else { return };
        if time <= i64::MAX as u64 {
            return;
        }
        let before_0 = time.wrapping_neg();
        let what = || format!("`t` is {before_0} ticks before 0, served as 0");
        self.correct(element, at.clone(), Some(Replacement::Number(0)), what);
        first.time = Some(0);
        // If the second chunk declares its time, it keeps it: the first chunk ends there.
        let later = later.filter(|&later| later <= i64::MAX as u64 && first.repeat.is_none());
        if let (Some(later), Some(at)) = (later, &times.duration) {
            first.duration = Some(later);
            let instead = Some(Replacement::Number(later));
            push(&mut self.edits, Edit { at: at.clone(), instead });
        }
    }
}

/// An edit whose number is not known yet.
pub(super) struct LaterEdit(
    /// Position in the list of edits. Edits of an element's own tag stay when a child is cut out.
    usize,
);

impl LaterEdit {
    pub(super) fn fill(self, edits: &mut [Edit], number: u64) {
        if let Some(edit) = edits.get_mut(self.0) {
            edit.instead = Some(Replacement::Number(number));
        }
    }
}

/// Names of attributes that are numbers.
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

/// Returns the whole number that is nearest to a decimal fraction, or the number itself.
fn rounded(value: &str) -> Option<u64> {
    let Some((whole, fraction)) = value.split_once('.') else { return value.parse().ok() };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let half = u64::from(fraction.as_bytes().first().is_some_and(|&digit| digit >= b'5'));
    whole.parse::<u64>().ok()?.checked_add(half)
}

/// Returns the first characters of a value.
fn brief(value: &str) -> String {
    value.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;
    use crate::manifest::ClientManifest;
    use crate::manifest::client::Stored;

    /// Reads streams leniently; returns the manifest, the text with the edits, and the corrections.
    fn lenient(streams: &str) -> (ClientManifest, String, Vec<String>) {
        let text = format!("<SmoothStreamingMedia>\n{streams}</SmoothStreamingMedia>");
        let stored = Stored::parse(text.as_bytes(), &Limits::default()).unwrap();
        let mut edited = text.clone();
        for edit in stored.edits.iter().rev() {
            let instead = edit.instead.map_or_else(String::new, |number| number.to_string());
            edited.replace_range(edit.at.clone(), &instead);
        }
        let mut corrections = stored.corrections;
        corrections.extend(stored.left_out);
        assert_eq!(edited == text, corrections.is_empty());
        let inside = edited.trim_start_matches("<SmoothStreamingMedia>\n");
        let inside = inside.trim_end_matches("</SmoothStreamingMedia>").to_owned();
        (stored.manifest, inside, corrections)
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
            "<StreamIndex Type='text'><c t='0' d='7'/></StreamIndex>",
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
        let (m, text, _) = lenient(
            "<StreamIndex Type='video'><QualityLevel Bitrate='1'/><c t='0' d=''/><c t='9' d='5' r=''/></StreamIndex>",
        );
        assert_eq!(
            text,
            "<StreamIndex Type='video'><QualityLevel Bitrate='1'/><c t='0' /><c t='9' d='5' /></StreamIndex>"
        );
        assert_eq!((m.streams[0].chunks[0].duration, m.streams[0].chunks[1].time), (None, Some(9)));
    }

    #[test]
    fn a_stream_that_begins_before_0_begins_at_0() {
        for (chunks, mended) in [
            ("<c t='18446744073709338283' d='20'/><c d='20'/>", "<c t='0' d='20'/><c d='20'/>"),
            ("<c t='-5' d='20'/><c t='15' d='20'/>", "<c t='0' d='15'/><c t='15' d='20'/>"),
            ("<c t='-5' d='20'/><c t='-1' d='20'/>", "<c t='0' d='20'/><c t='-1' d='20'/>"),
        ] {
            let stream = |chunks| {
                format!(
                    "<StreamIndex Type='audio'><QualityLevel Bitrate='1'/>{chunks}</StreamIndex>"
                )
            };
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
            stored.map(|stored| (stored.edits.len(), stored.left_out.len()))
        };
        assert_eq!(of(MOST_CUTS).unwrap(), (MOST_CUTS, MOST_DESCRIBED));
        assert!(of(MOST_CUTS + 1).is_err());
    }
}
