//! Options of a manifest request, as other origins have them.
//!
//! All of them are parsed into values. Azure's names of the Smooth Streaming manifest itself are
//! served. Every other option that would change the manifest is refused by name when the request
//! is answered: a client that asked for a part, or for another format, must not get the whole.

use std::borrow::Cow;

use crate::base::{Error, ErrorKind};

/// Options of a manifest request: from the parentheses behind `Manifest`, and from the query.
///
/// ```
/// use smooth_origin::output::mss::{ManifestOption, ManifestOptions, Request};
/// let request = Request::parse("Manifest(format=fmp4-v20)", Some("filter=type%3D%3D%22audio%22"))?;
/// let Request::Manifest(options) = request else { panic!("it is a request for a manifest") };
/// assert!(options.without_repeats);
/// assert_eq!(options.others, [ManifestOption::Filter("type%3D%3D%22audio%22".into())]);
/// assert!(options.check().is_err());
/// # Ok::<(), smooth_origin::base::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestOptions<'a> {
    /// True for `format=fmp4-v20`: Azure's name for a manifest of version 2.0, which has no `r`.
    pub without_repeats: bool,
    /// Options for something other than the whole Smooth Streaming manifest, in the order of the
    /// request. At most the first 16 are kept.
    pub others: Vec<ManifestOption<'a>>,
}

/// An option that asks for something other than the whole Smooth Streaming manifest.
///
/// Values are those of the request: decoded if they come from the path, as they are if they come
/// from the query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestOption<'a> {
    /// `format=…`, in a format that is not `fmp4` or `fmp4-v20`.
    Format(ManifestFormat),
    /// `filter=…`, or one of MediaPackage's `aws.manifestfilter` and `aws.manifestsettings`.
    Filter(Cow<'a, str>),
    /// `encryption=…`.
    Encryption(Cow<'a, str>),
    /// `start=…` or `vbegin=…`: the first part is left out.
    Begin(Cow<'a, str>),
    /// `end=…` or `vend=…`: the last part is left out.
    End(Cow<'a, str>),
    /// `t=…` with a date and a time, or a range of them.
    Times(Cow<'a, str>),
    /// `delay=…` or `time_delay=…`: the live edge is shown later.
    Delay(Cow<'a, str>),
    /// An option of the path that is not known.
    Other(Cow<'a, str>, Cow<'a, str>),
}

/// A format of manifests that clients ask for by name.
///
/// ```
/// use smooth_origin::output::mss::{ManifestFormat, ManifestOption, Request};
///
/// let request = Request::parse("Manifest(format=m3u8-aapl)", None).unwrap();
/// let Request::Manifest(options) = request else { panic!("it asks for the manifest") };
/// assert_eq!(options.others, [ManifestOption::Format(ManifestFormat::Hls)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManifestFormat {
    /// `m3u8-…`: HLS with segments of MPEG-TS.
    Hls,
    /// `m3u8-cmaf`: HLS with segments of CMAF.
    HlsCmaf,
    /// `mpd-…`.
    Dash,
    /// `f4m-…`.
    Hds,
    /// `fmp4…`, of a version that is not known.
    Smooth,
    /// Any other word.
    Unknown,
}

/// More options are not kept: the first one decides.
const MAX_OTHERS: usize = 16;

impl<'a> ManifestOptions<'a> {
    /// Reads what follows the word `Manifest`: nothing, or `(key=value,…)` as Azure has it, perhaps
    /// with the extension of a virtual file.
    pub(super) fn of_predicate(text: &'a str) -> Result<Self, Error> {
        let malformed = |what| Err(Error::request(PART, ErrorKind::Malformed(what)));
        let mut options = Self::default();
        let list = match text.strip_prefix('(').map(|rest| rest.strip_suffix(')')) {
            None if text.is_empty() => return Ok(options),
            None => return malformed("a manifest is asked for by `Manifest` alone or with `(…)`"),
            Some(None) => {
                let none = "the options of a manifest have no closing parenthesis";
                let named = text[1..].rsplit_once(").").and_then(|(list, _)| of_list(list));
                return named
                    .or_else(|| of_virtual_file(text))
                    .map_or_else(|| malformed(none), Err);
            }
            Some(Some(list)) => list,
        };
        if list.trim().is_empty() {
            return Ok(options);
        }
        for option in list.split(',') {
            let (key, value) = option.split_once('=').unwrap_or((option, ""));
            let (key, value) = (key.trim(), value.trim());
            if key.is_empty() || value.is_empty() || value.contains(['(', ')']) {
                return malformed("the options of a manifest are `key=value`, divided by commas");
            }
            match value.to_ascii_lowercase().as_str() {
                "fmp4" if key.eq_ignore_ascii_case("format") => {}
                "fmp4-v20" if key.eq_ignore_ascii_case("format") => options.without_repeats = true,
                _ => options.push(ManifestOption::of_pair(key, value)),
            }
        }
        Ok(options)
    }

    /// Adds the options of the query. Most keys of a query are not options: they let the client in
    /// (`token`, `sv`). Unified's and MediaPackage's options choose what the manifest has.
    pub(in crate::output) fn add_query(&mut self, query: &'a str) {
        for pair in query.split('&') {
            let Some((key, value)) = pair.split_once('=').filter(|(_, value)| !value.is_empty())
            else {
                continue;
            };
            let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
            let value_of = || Cow::Borrowed(value);
            if is(&["filter", "aws.manifestfilter", "aws.manifestsettings"]) {
                self.push(ManifestOption::Filter(value_of()));
            } else if is(&["start", "vbegin"]) {
                self.push(ManifestOption::Begin(value_of()));
            } else if is(&["end", "vend"]) {
                self.push(ManifestOption::End(value_of()));
            } else if is(&["delay", "time_delay"]) {
                self.push(ManifestOption::Delay(value_of()));
            } else if is(&["t"]) && is_date_and_time(value) {
                // Pages add the time of the request, in seconds or milliseconds, to bypass caches.
                self.push(ManifestOption::Times(value_of()));
            }
        }
    }

    fn push(&mut self, option: ManifestOption<'a>) {
        if self.others.len() < MAX_OTHERS {
            self.others.push(option);
        }
    }

    /// Checks that all options are served.
    ///
    /// # Errors
    /// [`ErrorKind::NotServed`] for the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        match self.others.first() {
            None => Ok(()),
            Some(other) => Err(Error::request(PART, ErrorKind::NotServed(other.what()))),
        }
    }

    /// Returns whether there is an option that is no bound of a clip.
    pub(in crate::output) fn asks_for_more_than_a_part(&self) -> bool {
        self.others.iter().any(|option| !option.is_time())
    }

    pub(super) fn into_owned(self) -> ManifestOptions<'static> {
        ManifestOptions {
            without_repeats: self.without_repeats,
            others: self.others.into_iter().map(ManifestOption::into_owned).collect(),
        }
    }
}

impl<'a> ManifestOption<'a> {
    fn of_pair(key: &'a str, value: &'a str) -> Self {
        match key.to_ascii_lowercase().as_str() {
            "format" => Self::Format(ManifestFormat::of_word(value)),
            "filter" => Self::Filter(value.into()),
            "encryption" => Self::Encryption(value.into()),
            _ => Self::Other(key.into(), value.into()),
        }
    }

    /// Returns whether it is a bound of a clip.
    pub(in crate::output) fn is_time(&self) -> bool {
        matches!(self, Self::Begin(_) | Self::End(_) | Self::Times(_) | Self::Delay(_))
    }

    /// Returns a name for the option's request, as the subject of a sentence.
    fn what(&self) -> &'static str {
        match self {
            Self::Format(format) => format.what(),
            Self::Filter(_) => "a filtered manifest",
            Self::Encryption(_) => "a manifest of another encryption",
            Self::Begin(_) | Self::End(_) | Self::Times(_) | Self::Delay(_) => {
                "a part of a presentation"
            }
            Self::Other(..) => "a manifest with an option that is not known",
        }
    }

    fn into_owned(self) -> ManifestOption<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Format(format) => ManifestOption::Format(format),
            Self::Filter(value) => ManifestOption::Filter(owned(value)),
            Self::Encryption(value) => ManifestOption::Encryption(owned(value)),
            Self::Begin(value) => ManifestOption::Begin(owned(value)),
            Self::End(value) => ManifestOption::End(owned(value)),
            Self::Times(value) => ManifestOption::Times(owned(value)),
            Self::Delay(value) => ManifestOption::Delay(owned(value)),
            Self::Other(key, value) => ManifestOption::Other(owned(key), owned(value)),
        }
    }
}

impl ManifestFormat {
    fn of_word(value: &str) -> Self {
        let begins = |word: &str| {
            value
                .split_at_checked(word.len())
                .is_some_and(|(start, _)| start.eq_ignore_ascii_case(word))
        };
        match () {
            () if begins("m3u8-cmaf") => Self::HlsCmaf,
            () if begins("m3u8") => Self::Hls,
            () if begins("mpd") => Self::Dash,
            () if begins("f4m") => Self::Hds,
            () if begins("fmp4") => Self::Smooth,
            () => Self::Unknown,
        }
    }

    /// Returns a name for the format, as the subject of a sentence.
    pub(in crate::output) fn what(self) -> &'static str {
        match self {
            Self::Hls => "HLS with segments of MPEG-TS",
            Self::HlsCmaf => "HLS",
            Self::Dash => "DASH",
            Self::Hds => "HDS",
            Self::Smooth => "a manifest of another version",
            Self::Unknown => "a manifest in a format that is not known",
        }
    }
}

/// The output that a list of options asks for, where it is not Smooth Streaming. Words without a
/// value, such as the name of a stream, are passed over.
pub(super) fn of_list(options: &str) -> Option<Error> {
    let pairs = options.split(',').filter_map(|option| option.split_once('='));
    let format = pairs.into_iter().find(|(key, _)| key.trim().eq_ignore_ascii_case("format"));
    let format = ManifestFormat::of_word(format?.1.trim());
    Some(Error::request(PART, ErrorKind::NotServed(format.what())))
}

/// Returns the error for a virtual file of Unified's: `.m3u8`, `.mpd`, `.f4m`.
pub(super) fn of_virtual_file(segment: &str) -> Option<Error> {
    let format = match segment.rsplit_once('.')?.1 {
        extension if extension.eq_ignore_ascii_case("m3u8") => ManifestFormat::HlsCmaf,
        extension if extension.eq_ignore_ascii_case("mpd") => ManifestFormat::Dash,
        extension if extension.eq_ignore_ascii_case("f4m") => ManifestFormat::Hds,
        _ => return None,
    };
    Some(Error::request(PART, ErrorKind::NotServed(format.what())))
}

const PART: &str = "manifest options";

/// `2026-…`.
fn is_date(value: &str) -> bool {
    value.bytes().take_while(u8::is_ascii_digit).count() == 4 && value[4..].starts_with('-')
}

/// `2026-11-28T10:00:00` and similar; a date alone may be a version.
fn is_date_and_time(value: &str) -> bool {
    is_date(value) && value.contains(['T', 't'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_predicate(text: &str) -> Result<(), Error> {
        ManifestOptions::of_predicate(text)?.check()
    }

    fn of_query(query: &str) -> Result<(), Error> {
        let mut options = ManifestOptions::default();
        options.add_query(query);
        options.check()
    }

    fn status<T>(result: Result<T, Error>) -> (u16, String) {
        result.map_or_else(|e| (e.kind.status(), e.kind.to_string()), |_| (200, String::new()))
    }

    #[test]
    fn names_of_the_smooth_manifest_itself_are_served() {
        for (text, without_repeats) in
            [("(format=fmp4)", false), ("( Format = FMP4 )", false), ("(format=fmp4-v20)", true)]
        {
            let options = ManifestOptions { without_repeats, others: Vec::new() };
            assert_eq!(ManifestOptions::of_predicate(text).unwrap(), options, "{text}");
            assert!(options.check().is_ok());
        }
        let other = of_list("video,format=m3u8-aapl-v3,audiotrack=a").unwrap();
        assert_eq!(
            status::<()>(Err(other)),
            (415, "HLS with segments of MPEG-TS is not served here".into())
        );
        assert!(of_list("video").is_none());
    }

    #[test]
    fn options_of_other_origins_are_refused_by_name() {
        for (text, what) in [
            ("(format=m3u8-aapl)", "HLS with segments of MPEG-TS"),
            ("(format=m3u8-aapl-v3)", "HLS with segments of MPEG-TS"),
            ("(format=m3u8-cmaf,encryption=cbc)", "HLS"),
            ("(format=mpd-time-csf)", "DASH"),
            ("( Format = MPD-time-cmaf , encryption=cenc )", "DASH"),
            ("(format=f4m-f4f)", "HDS"),
            ("(format=fmp4-v30)", "a manifest of another version"),
            ("(format=fmp4,encryption=cenc)", "a manifest of another encryption"),
            ("(format=m3u8-aapl).m3u8", "HLS with segments of MPEG-TS"),
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
    fn the_first_option_that_is_not_served_is_named_and_few_are_kept() {
        let (status, words) = status(of_predicate("(filter=a,format=m3u8-aapl)"));
        assert_eq!((status, &*words), (415, "a filtered manifest is not served here"));
        let (mut options, query) = (ManifestOptions::default(), "filter=a&".repeat(1000));
        options.add_query(&query);
        assert_eq!(options.others.len(), MAX_OTHERS);
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
        for query in ["", "token=abc&sv=1", "t=17", "filter=", "start=", "vbegin", "x&&=&="] {
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
