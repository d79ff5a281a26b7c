//! The `Url` template of a stream.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The stream's name in a template `QualityLevels({bitrate})/Fragments(NAME={start time})`,
/// percent-decoded as in a request. Reserved words are read in any letter case.
///
/// `None` if the template has no such place, or if no request can carry the name: it is empty, is
/// itself a placeholder, is not UTF-8, or holds a slash, a backslash or a zero.
pub(super) fn stream_name(template: &str) -> Option<Cow<'_, str>> {
    let path = template.split(['?', '#']).next().unwrap_or_default();
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

const NOUN: &[u8] = b"fragments(";

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
}
