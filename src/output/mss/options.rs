//! Options of a manifest request, as other origins have them.
//!
//! Azure's names of the Smooth Streaming manifest itself are served. Every other option that would
//! change the manifest is refused by name: a client that asked for a part, or for another format,
//! must not be given the whole.

use super::Request;
use crate::base::{Error, ErrorKind};

/// The manifest request by what follows the word `Manifest`: nothing, or `(key=value,…)` as Azure
/// has it, perhaps with the extension of a virtual file.
pub(super) fn of_predicate<'a>(text: &str) -> Result<Request<'a>, Error> {
    let malformed = |what| Err(Error::request(PART, ErrorKind::Malformed(what)));
    let options = match text.strip_prefix('(').map(|rest| rest.strip_suffix(')')) {
        None if text.is_empty() => return Ok(Request::Manifest),
        None => return malformed("a manifest is asked for by `Manifest` alone or with `(…)`"),
        Some(None) => {
            let none = "the options of a manifest have no closing parenthesis";
            return of_virtual_file(text).map_or_else(|| malformed(none), Err);
        }
        Some(Some(options)) => options,
    };
    if options.trim().is_empty() {
        return Ok(Request::Manifest);
    }
    // All are read before one is refused: what is malformed stays so when that one is served.
    let (mut request, mut refused) = (Request::Manifest, None);
    for option in options.split(',') {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || value.is_empty() || value.contains(['(', ')']) {
            return malformed("the options of a manifest are `key=value`, divided by commas");
        }
        match value.to_ascii_lowercase().as_str() {
            "fmp4" if key.eq_ignore_ascii_case("format") => {}
            "fmp4-v20" if key.eq_ignore_ascii_case("format") => {
                request = Request::ManifestWithoutRepeats;
            }
            _ => refused = refused.or(Some(not_served(key, value))),
        }
    }
    refused.map_or(Ok(request), |what| Err(Error::request(PART, ErrorKind::NotServed(what))))
}

/// The output that a list of options asks for, where it is not Smooth Streaming. Words without a
/// value, such as the name of a stream, are passed over.
pub(super) fn of_list(options: &str) -> Option<Error> {
    let pairs = options.split(',').filter_map(|option| option.split_once('='));
    let format = pairs.into_iter().find(|(key, _)| key.trim().eq_ignore_ascii_case("format"));
    let (key, value) = format.map(|(key, value)| (key.trim(), value.trim()))?;
    Some(Error::request(PART, ErrorKind::NotServed(not_served(key, value))))
}

/// The query of a manifest request: most of them let the client in (`token`, `sv`) and are none of
/// ours; Unified's and MediaPackage's choose what the manifest has.
pub(super) fn of_query(query: &str) -> Result<(), Error> {
    for pair in query.split('&') {
        let Some((key, value)) = pair.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            continue;
        };
        let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        let what = if is(&["filter", "aws.manifestfilter", "aws.manifestsettings"]) {
            "a filtered manifest"
        } else if is(&["vbegin", "vend"])
            // Words that others use for other things: with a date they mean a time.
            || is(&["start", "end"]) && (is_date(value) || is_seconds(value))
            // Pages add the time of the request, in seconds or milliseconds, to bypass caches.
            || is(&["t"]) && is_date_and_time(value)
        {
            "a part of a presentation"
        } else {
            continue;
        };
        return Err(Error::request(PART, ErrorKind::NotServed(what)));
    }
    Ok(())
}

/// What a virtual file of Unified's asks for: `.m3u8`, `.mpd`, `.f4m`.
pub(super) fn of_virtual_file(segment: &str) -> Option<Error> {
    let format = match segment.rsplit_once('.')?.1 {
        extension if extension.eq_ignore_ascii_case("m3u8") => "HLS",
        extension if extension.eq_ignore_ascii_case("mpd") => "DASH",
        extension if extension.eq_ignore_ascii_case("f4m") => "HDS",
        _ => return None,
    };
    Some(Error::request(PART, ErrorKind::NotServed(format)))
}

const PART: &str = "manifest options";

fn not_served(key: &str, value: &str) -> &'static str {
    let begins = |word: &str| {
        value
            .split_at_checked(word.len())
            .is_some_and(|(start, _)| start.eq_ignore_ascii_case(word))
    };
    match key.to_ascii_lowercase().as_str() {
        "format" if begins("m3u8") => "HLS",
        "format" if begins("mpd") => "DASH",
        "format" if begins("f4m") => "HDS",
        "format" if begins("fmp4") => "a manifest of another version",
        "format" => "a manifest in a format that is not known",
        "filter" => "a filtered manifest",
        "encryption" => "a manifest of another encryption",
        _ => "a manifest with an option that is not known",
    }
}

/// `2026-…`.
fn is_date(value: &str) -> bool {
    value.bytes().take_while(u8::is_ascii_digit).count() == 4 && value[4..].starts_with('-')
}

/// `2026-11-28T10:00:00` and similar; a date alone may be a version.
fn is_date_and_time(value: &str) -> bool {
    is_date(value) && value.contains(['T', 't'])
}

/// Seconds since 1970, or smaller units.
fn is_seconds(value: &str) -> bool {
    value.len() >= 10 && value.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status<T>(result: Result<T, Error>) -> (u16, String) {
        result.map_or_else(|e| (e.kind.status(), e.kind.to_string()), |_| (200, String::new()))
    }

    #[test]
    fn names_of_the_smooth_manifest_itself_are_served() {
        for (text, request) in [
            ("(format=fmp4)", Request::Manifest),
            ("( Format = FMP4 )", Request::Manifest),
            ("(format=fmp4-v20)", Request::ManifestWithoutRepeats),
        ] {
            assert_eq!(of_predicate(text).unwrap(), request, "{text}");
        }
        let other = of_list("video,format=m3u8-aapl-v3,audiotrack=a").unwrap();
        assert_eq!(status::<()>(Err(other)), (415, "HLS is not served here".into()));
        assert!(of_list("video").is_none());
    }

    #[test]
    fn options_of_other_origins_are_refused_by_name() {
        for (text, what) in [
            ("(format=m3u8-aapl)", "HLS"),
            ("(format=m3u8-aapl-v3)", "HLS"),
            ("(format=m3u8-cmaf,encryption=cbc)", "HLS"),
            ("(format=mpd-time-csf)", "DASH"),
            ("( Format = MPD-time-cmaf , encryption=cenc )", "DASH"),
            ("(format=f4m-f4f)", "HDS"),
            ("(format=fmp4-v30)", "a manifest of another version"),
            ("(format=fmp4,encryption=cenc)", "a manifest of another encryption"),
            ("(format=m3u8-aapl).m3u8", "HLS"),
            ("(format=mpd-time-csf).mpd", "DASH"),
            ("(filter=NameA;NameB)", "a filtered manifest"),
            ("(encryption=cenc)", "a manifest of another encryption"),
            ("(audio-only=false)", "a manifest with an option that is not known"),
        ] {
            let (status, words) = status(of_predicate(text));
            assert_eq!((status, words), (415, format!("{what} is not served here")), "{text}");
        }
        for text in ["", "()", "( )"] {
            assert_eq!(status(of_predicate(text)).0, 200, "{text}");
        }
        for text in
            ["(", "x", "(format)", "(format=)", "(=x)", "(a=b", "(a=b)c", "(a=b,)", "(a=(b))"]
        {
            assert_eq!(status(of_predicate(text)).0, 400, "{text}");
        }
    }

    #[test]
    fn a_query_is_looked_at_for_what_changes_the_manifest() {
        for query in [
            "filter=type%3D%3D%22audio%22",
            "token=x&aws.manifestfilter=video_height:1-720",
            "vbegin=10&vend=20",
            "t=2026-11-21T10:00:00",
            "start=1763719200&end=1763719260",
        ] {
            assert_eq!(status(of_query(query)).0, 415, "{query}");
        }
        for query in ["", "token=abc&sv=1", "t=17", "filter=", "start=1", "vbegin", "x&&=&="] {
            assert_eq!(status(of_query(query)).0, 200, "{query}");
        }
    }

    #[test]
    fn what_gets_a_page_past_caches_is_no_option() {
        for query in [
            "t=1690000000",
            "T=1690000000123",
            "t=2026-11-28",
            "t=0.8123891",
            "_=1690000000123",
            "1690000000",
            "v=3",
            "ts=1690000000&cb=2026-11-28T10:00:00",
            "t",
            "t=",
        ] {
            assert_eq!(status(of_query(query)).0, 200, "{query}");
        }
        for query in ["t=2026-11-28T10:00:00Z--2026-11-28T11:00:00Z", "_=5&end=1690000000"] {
            assert_eq!(status(of_query(query)).0, 415, "{query}");
        }
    }
}
