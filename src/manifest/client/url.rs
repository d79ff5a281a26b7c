//! The `Url` template of a stream.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters that are not escaped in a template: those that URLs never give a meaning.
const IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns the usual template of a stream of this name.
pub(super) fn template(name: &str) -> String {
    let name = utf8_percent_encode(name, IN_URL);
    format!("QualityLevels({{bitrate}})/Fragments({name}={{start time}})")
}

/// The stream's name in a template `QualityLevels({bitrate})/Fragments(NAME={start time})`,
/// percent-decoded as in a request. Reserved words are recognized in any letter case, and the
/// punctuation may be percent-encoded.
///
/// `None` if the template has no such place, or if no request can carry the name: it is empty, is
/// itself a placeholder, is not UTF-8, or holds a slash, a backslash or a zero.
pub(super) fn stream_name(template: &str) -> Option<Cow<'_, str>> {
    let path = path(template);
    if PUNCTUATION.iter().any(|(encoded, _)| path.contains(encoded)) {
        let mut plain = path.to_owned();
        for (encoded, character) in PUNCTUATION {
            plain = plain.replace(encoded, character);
        }
        return name_in(&plain).map(|name| Cow::Owned(name.into_owned()));
    }
    name_in(path)
}

fn name_in(path: &str) -> Option<Cow<'_, str>> {
    let is_noun = |bytes: &[u8]| bytes.eq_ignore_ascii_case(NOUN);
    let at = path.as_bytes().windows(NOUN.len()).rposition(is_noun)? + NOUN.len();
    let predicate = path.get(at..)?;
    // Requests end the name at the last `=`; in a template, that is the one before a placeholder.
    let (name, _) = predicate.split_once("={").or_else(|| predicate.split_once('='))?;
    let name = match name.contains(['{', '}']) {
        true => return None,
        false => percent_decode_str(name).decode_utf8().ok()?,
    };
    let is_possible = !name.is_empty() && !name.contains(['/', '\\', '\0']);
    is_possible.then_some(name)
}

/// Returns the bitrate that the template names in the place of its placeholder, if any.
pub(super) fn fixed_bitrate(template: &str) -> Option<u32> {
    let path = path(template).trim_end_matches('/');
    let (before, _) = path.rsplit_once('/')?;
    let before = before.trim_end_matches('/');
    let level = before.rsplit_once('/').map_or(before, |(_, level)| level);
    let level = percent_decode_str(level).decode_utf8().ok()?;
    bitrate_of(&level)?.parse().ok()
}

/// Returns whether requests made from the template are fragment requests for the stream `name`.
///
/// Players resolve the template against the URL of the manifest. A template that is a whole URL,
/// or that begins at the root of the host or above the presentation, leads elsewhere. Otherwise only
/// the last two segments count. The usual form, without percent-encoding, allocates nothing.
pub(super) fn asks_for(template: &str, name: &str) -> bool {
    let path = path(template).trim_end_matches('/');
    if leads_away(path) {
        return false;
    }
    let Some((before, fragment)) = path.rsplit_once('/') else { return false };
    let before = before.trim_end_matches('/');
    let level = before.rsplit_once('/').map_or(before, |(_, level)| level);
    // Players insert numbers into the template before this origin decodes the request.
    let filled = |text, places| fill(text, places).filter(|text| !text.contains(['/', '\\', '\0']));
    match (filled(level, BITRATE), filled(fragment, START)) {
        (Some(level), Some(fragment)) => is_level(&level) && is_fragment(&fragment, name),
        _ => false,
    }
}

/// Returns whether a path has a scheme, begins with a slash, or leads above its start.
fn leads_away(path: &str) -> bool {
    let path = path.trim_start();
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    path.starts_with(['/', '\\'])
        || path.trim_start_matches(in_scheme).starts_with(':')
        || path.split('/').any(|segment| segment == "..")
}

/// Percent-decodes a segment around its placeholder. Returns a segment without `%` as it is, and
/// `None` if the bytes are not UTF-8.
fn fill<'t>(segment: &'t str, places: &[&str]) -> Option<Cow<'t, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let lower = segment.to_ascii_lowercase();
    let place = places.iter().find_map(|place| Some((lower.find(place)?, place.len())));
    let (at, len) = place?;
    let decode = |text| percent_decode_str(text).decode_utf8().ok();
    let (before, behind) = (decode(segment.get(..at)?)?, decode(segment.get(at + len..)?)?);
    let place = segment.get(at..at + len)?;
    Some(Cow::Owned(format!("{before}{place}{behind}")))
}

/// Returns whether a segment is `QualityLevels({bitrate})`, with or without attributes. The
/// placeholder may be replaced by a number if the stream has one quality.
fn is_level(level: &str) -> bool {
    bitrate_of(level).is_some_and(|bitrate| {
        is_place(bitrate, BITRATE)
            || bitrate.bytes().all(|byte| byte.is_ascii_digit()) && bitrate.parse::<u32>().is_ok()
    })
}

/// Returns the bitrate, or its placeholder, of a segment `QualityLevels(…)`.
fn bitrate_of(level: &str) -> Option<&str> {
    let inside = strip_word(level, "QualityLevels(")?.strip_suffix(')')?;
    Some(inside.split_once(',').map_or(inside, |(first, _)| first))
}

/// Returns whether a segment is `Fragments(NAME={start time})`.
fn is_fragment(fragment: &str, name: &str) -> bool {
    let nouns = ["Fragments(", "RawFragments(", "FragmentInfo(", "KeyFrames("];
    let predicate = nouns.into_iter().find_map(|noun| strip_word(fragment, noun));
    let pair = predicate.and_then(|rest| rest.strip_suffix(')')).and_then(|p| p.rsplit_once('='));
    // Attributes after the time are ignored.
    let time = |time: &'_ str| is_place(time.split_once(',').map_or(time, |(time, _)| time), START);
    pair.is_some_and(|(word, start)| word == name && time(start) && !has_option(start))
}

/// Returns whether the template asks for another output, by `,format=…` after the time.
fn has_option(start: &str) -> bool {
    let behind = start.split_once(',').map_or("", |(_, behind)| behind);
    !behind.is_empty() && !behind.eq_ignore_ascii_case("{CustomAttributes}")
}

fn is_place(text: &str, places: &[&str]) -> bool {
    places.iter().any(|place| text.eq_ignore_ascii_case(place))
}

fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

/// Returns a template without its query.
fn path(template: &str) -> &str {
    template.split(['?', '#']).next().unwrap_or_default()
}

const NOUN: &[u8] = b"fragments(";

/// Placeholders for the bitrate, in lower case.
const BITRATE: &[&str] = &["{bitrate}"];

/// Placeholders for the start time, in lower case.
const START: &[&str] = &["{start time}", "{start_time}"];

/// The punctuation of a template, as some writers encode it.
const PUNCTUATION: [(&str, &str); 4] = [("%28", "("), ("%29", ")"), ("%3D", "="), ("%3d", "=")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_before_the_start_time_and_is_decoded_once() {
        for (template, name) in [
            ("QualityLevels({bitrate})/Fragments(video={start time})", "video"),
            ("QualityLevels({bitrate},{CustomAttributes})/Fragments(video={start_time})", "video"),
            ("qualitylevels({Bitrate})/FRAGMENTS(a b={Start Time})", "a b"),
            ("QualityLevels({bitrate})/Fragments(audio%20eng={start time})", "audio eng"),
            ("QualityLevels({bitrate})/Fragments(a%2520b={start time})", "a%20b"),
            ("QualityLevels({bitrate})/Fragments(fran%C3%A7ais+1={start time})", "français+1"),
            ("QualityLevels({bitrate})/Fragments(a=b={start time})", "a=b"),
            (
                "QualityLevels({bitrate})/Fragments(audio (5.1), eng={start time})",
                "audio (5.1), eng",
            ),
            (
                "http://h/Fragments(x=1)/QualityLevels({bitrate})/Fragments(y={start time})?k={z}",
                "y",
            ),
            ("QualityLevels({bitrate})/Fragments(x=%7Bstart time%7D)", "x"),
            ("QualityLevels%28{bitrate}%29/Fragments%28snd%3D{start time}%29", "snd"),
            ("QualityLevels({bitrate})/Fragments%28a%2528b%3d{start time}%29", "a%28b"),
        ] {
            assert_eq!(stream_name(template).as_deref(), Some(name), "{template}");
        }
    }

    #[test]
    fn a_name_that_no_request_can_carry_is_none() {
        for template in [
            "",
            "QualityLevels({bitrate})",
            "QualityLevels({bitrate})/Fragments(x",
            "QualityLevels({bitrate})/Fragments(={start time})",
            "QualityLevels({bitrate})/Fragments({name}={start time})",
            "QualityLevels({bitrate})/Fragments(a%2Fb={start time})",
            "QualityLevels({bitrate})/Fragments(a%5Cb={start time})",
            "QualityLevels({bitrate})/Fragments(a%00={start time})",
            "QualityLevels({bitrate})/Fragments(%FF={start time})",
            "\u{130}ragments(\u{df}=",
        ] {
            assert_eq!(stream_name(template), None, "{template}");
        }
    }

    #[test]
    fn a_template_asks_for_its_stream_below_the_manifest() {
        for template in [
            "QualityLevels({bitrate})/Fragments(snd={start time})",
            "qualitylevels({Bitrate},{CustomAttributes})//FRAGMENTS(snd={start_time})/",
            "QualityLevels(64000)/Fragments(snd={start time})?key=/x",
            "a b/QualityLevels({bitrate})/Fragments(snd={start time})",
            "./QualityLevels%28{bitrate}%29/Fragments%28s%6Ed%3D{start time}%29",
            "QualityLevels({bitrate})/KeyFrames(snd={start time})",
            "QualityLevels({bitrate})/Fragments(snd={start time},{CustomAttributes})",
        ] {
            assert!(asks_for(template, "snd"), "{template}");
        }
        for template in [
            "",
            "/",
            "http://host/a b/film.ism/QualityLevels({bitrate})/Fragments(snd={start time})",
            "//host/film.ism/QualityLevels({bitrate})/Fragments(snd={start time})",
            "/QualityLevels({bitrate})/Fragments(snd={start time})",
            "../other.ism/QualityLevels({bitrate})/Fragments(snd={start time})",
            "content?stream=snd&bitrate={bitrate}&start={start time}",
            "QualityLevels({bitrate})",
            "QualityLevels( {bitrate} )/Fragments(snd={start time})",
            "QualityLevels({bitrate})/Fragments( snd = {start time} )",
            "QualityLevels({bitrate})/Fragments(snd={start time},format=mpd-time-csf)",
            "QualityLevels({bitrate})/Fragments(snd=%7Bstart time%7D)",
            "QualityLevels({bitrate})/Fragments(snd=0)",
            "QualityLevels({bitrate})/Fragments(s%2Fnd={start time})",
            "QualityLevels({bitrate})/Fragments(s%E7={start time})",
            "QualityLevels({bitrate})/Fragments(other={start time})",
            "QualityLevels(4294967296)/Fragments(snd={start time})",
            "QualityLevels()/Fragments(snd={start time})",
        ] {
            assert!(!asks_for(template, "snd"), "{template}");
        }
    }

    #[test]
    fn a_bitrate_in_the_place_of_the_placeholder_is_fixed() {
        for (template, bitrate) in [
            ("QualityLevels(64000)/Fragments(snd={start time})?key=/x", Some(64_000)),
            (
                "a/qualitylevels%2864000,{CustomAttributes})/Fragments(snd={start time})",
                Some(64_000),
            ),
            ("QualityLevels({bitrate})/Fragments(snd={start time})", None),
            ("content?stream=snd", None),
        ] {
            assert_eq!(fixed_bitrate(template), bitrate, "{template}");
        }
    }
}
