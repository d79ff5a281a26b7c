//! A request to a presentation, in the grammar of one of the outputs.

use std::sync::Arc;

#[cfg(any(feature = "dash", feature = "hls"))]
use super::cmaf;
#[cfg(feature = "dash")]
use super::dash;
#[cfg(feature = "hls")]
use super::hls;
use super::{Identity, Outputs, clip, mss};
use crate::base::{Error, ErrorKind, Step};
use crate::presentation::{ClipTimes, Presentation, Reply};

/// A request to a presentation: one row per output.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use smooth_origin::base::{Error, Step};
/// # use smooth_origin::presentation::Presentation;
/// use smooth_origin::output::{Identity, Request};
/// # fn main() -> Result<(), Error> {
/// # let presentation: Arc<Presentation> = unimplemented!();
/// let request = Request::parse("QualityLevels(952962)/Fragments(video=0)", None)?;
/// if let Identity::Known(representation) = request.identify(&presentation)? {
///     println!("its ETag is \"{}\"", representation.validator());
/// }
/// match request.answer(&presentation)? {
///     Step::Ready(reply) => println!("{} bytes, nothing to read first", reply.length()),
///     Step::Read(reads) => println!("wants {:?}", reads.wanted()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Smooth Streaming.
    Mss(mss::Request<'a>),
    /// A part of a track that DASH and HLS share.
    #[cfg(any(feature = "dash", feature = "hls"))]
    Cmaf(cmaf::Request<'a>),
    /// DASH.
    #[cfg(feature = "dash")]
    Dash(dash::Request),
    /// HLS.
    #[cfg(feature = "hls")]
    Hls(hls::Request<'a>),
    /// A manifest or a playlist of a part of the presentation.
    Clip(Box<ClipRequest<'a>>),
}

/// A request for a manifest of a part of a presentation: `Manifest?start=60&end=120`.
///
/// The options are `start` and `end`, or `vbegin` and `vend`; `t` with a time, or with two divided by `--`;
/// and `delay` or `time_delay` in seconds, by which the live edge is later. A time is one of
///
/// - an ISO 8601 date, with or without a time of day and a zone: `2026-11-24T10:00:00Z`;
/// - seconds since 1970, if the number is 1,000,000,000 or more;
/// - milliseconds since 1970, if it is 100,000,000,000 or more;
/// - else seconds since the begin of the presentation: `90`, `90.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipRequest<'a> {
    times: ClipTimes,
    manifest: Request<'a>,
}

impl<'a> Request<'a> {
    /// Reads what follows the presentation's name in a URL, percent-encoded, with or without slashes
    /// before and behind it, and the query of the URL, if it has one.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::base::ErrorKind::Malformed) if it is a request by the grammar
    /// of no output, [`ErrorKind::NotServed`](crate::base::ErrorKind::NotServed) if it is one by the
    /// grammar of an output that is not served here.
    pub fn parse(rest: &'a str, query: Option<&'a str>) -> Result<Self, Error> {
        Self::parse_for(rest, query, Outputs::ALL)
    }

    /// Reads a request to the outputs that are on: see [`parse`](Self::parse).
    #[inline]
    pub(crate) fn parse_for(
        rest: &'a str,
        query: Option<&'a str>,
        outputs: Outputs,
    ) -> Result<Self, Error> {
        #[cfg(any(feature = "dash", feature = "hls"))]
        if let Some(request) = Self::parse_segmented(rest, query, outputs) {
            return request;
        }
        if !outputs.smooth {
            return Self::parse_other(rest, query, outputs);
        }
        match mss::Request::parse(rest, query) {
            Ok(request) => Self::of_mss(request, outputs),
            Err(error) => Err(under_another_name(error, outputs)),
        }
    }

    /// Reads a request for DASH, HLS or one of their segments. `None` if it is not one.
    #[cfg(any(feature = "dash", feature = "hls"))]
    fn parse_segmented(
        rest: &'a str,
        query: Option<&'a str>,
        outputs: Outputs,
    ) -> Option<Result<Self, Error>> {
        // Requests of Smooth Streaming end in `)`, `t` or `/`, those here in `d`, `8`, `s`, `4` or `t`.
        if rest.ends_with(')') || rest.ends_with("anifest") {
            return None;
        }
        let path = rest.trim_matches('/');
        if let Some(request) = cmaf::Request::parse(path) {
            return Some(match outputs.has_segments() {
                true => Ok(Self::Cmaf(request)),
                false => Err(Error::request("segment", ErrorKind::NoFragment)),
            });
        }
        if let Some(request) = Self::parse_with_extension(path, query, outputs) {
            return Some(request);
        }
        let request = Self::parse_playlist(path, outputs)?;
        let mut options = mss::ManifestOptions::default();
        if let Some(query) = query {
            options.add_query(query);
        }
        Some(request.and_then(|request| {
            let times = clip::take_times(&mut options.others)?;
            options.check()?;
            Ok(request.in_times(times))
        }))
    }

    /// Returns the request for the part of the presentation between these times, if there are any.
    fn in_times(self, times: Option<ClipTimes>) -> Self {
        match times {
            Some(times) => Self::Clip(Box::new(ClipRequest { times, manifest: self })),
            None => self,
        }
    }

    /// Reads Azure's form with the extension that some players demand:
    /// `manifest(format=m3u8-cmaf).m3u8`. `None` if it is not one.
    #[cfg(any(feature = "dash", feature = "hls"))]
    fn parse_with_extension(
        path: &'a str,
        query: Option<&'a str>,
        outputs: Outputs,
    ) -> Option<Result<Self, Error>> {
        let (path, extension) = path.rsplit_once('.')?;
        if !path.ends_with(')') || !matches!(extension, "mpd" | "m3u8") {
            return None;
        }
        match mss::Request::parse(path, query) {
            Ok(mss::Request::Manifest(options)) if options.asks_for_more_than_a_part() => {
                Some(Self::of_mss(mss::Request::Manifest(options), outputs))
            }
            Err(error) if matches!(error.kind, ErrorKind::NotServed(_)) => {
                Some(Err(under_another_name(error, outputs)))
            }
            _ => None,
        }
    }

    /// Reads a request for a manifest of DASH or a playlist of HLS. `None` if it is not one.
    #[cfg(any(feature = "dash", feature = "hls"))]
    fn parse_playlist(path: &'a str, outputs: Outputs) -> Option<Result<Self, Error>> {
        /// Reserved words, which are read in any letter case.
        const NAMES: [&str; 4] = ["manifest.mpd", "master.m3u8", ".mpd", ".m3u8"];
        let path = NAMES.into_iter().find(|name| name.eq_ignore_ascii_case(path)).unwrap_or(path);
        #[cfg(feature = "dash")]
        if let Some(request) = dash::Request::parse(path) {
            return Some(match outputs.dash {
                true => Ok(Self::Dash(request)),
                false => Err(not_served("DASH")),
            });
        }
        #[cfg(feature = "hls")]
        if let Some(request) = hls::Request::parse(path) {
            return Some(match outputs.hls {
                true => Ok(Self::Hls(request)),
                false => Err(not_served("HLS")),
            });
        }
        // Other names of manifests are not those of outputs that are not served.
        let is = |extension: &str, is_served: bool| {
            let extension =
                path.rsplit_once('.').filter(|(_, end)| end.eq_ignore_ascii_case(extension));
            is_served && extension.is_some()
        };
        #[cfg(feature = "dash")]
        let is_other = is("mpd", outputs.dash);
        #[cfg(not(feature = "dash"))]
        let is_other = false;
        #[cfg(feature = "hls")]
        let is_other = is_other || is("m3u8", outputs.hls);
        let no_file = || Err(Error::request("path", ErrorKind::NoFile));
        (is_other && !path.contains(['/', '('])).then(no_file)
    }

    /// Reads a request in the grammar of Smooth Streaming, which is off.
    #[cold]
    fn parse_other(rest: &'a str, query: Option<&'a str>, outputs: Outputs) -> Result<Self, Error> {
        let request = mss::Request::parse(rest, query);
        match request.map_err(|error| under_another_name(error, outputs))? {
            // It is for another output, or is refused for its options.
            mss::Request::Manifest(options) if options.asks_for_more_than_a_part() => {
                Self::of_mss(mss::Request::Manifest(options), outputs)
            }
            mss::Request::Fragment(_) => Err(Error::request("fragment", ErrorKind::NoFragment)),
            _ => Err(not_served("Smooth Streaming")),
        }
    }

    /// Returns the request for a manifest of Smooth Streaming, or for the one that its options ask for,
    /// as Azure names them.
    fn of_mss(mut request: mss::Request<'a>, outputs: Outputs) -> Result<Self, Error> {
        match &mut request {
            mss::Request::Manifest(options) if !options.others.is_empty() => {
                let times = clip::take_times(&mut options.others)?;
                Ok(Self::in_format(request, outputs)?.in_times(times))
            }
            _ => Self::in_format(request, outputs),
        }
    }

    /// Returns the request for a manifest in the format that its options ask for.
    #[cfg_attr(
        not(any(feature = "dash", feature = "hls")),
        allow(unused_mut, unused_variables, reason = "no other format is served")
    )]
    fn in_format(mut request: mss::Request<'a>, outputs: Outputs) -> Result<Self, Error> {
        #[cfg(any(feature = "dash", feature = "hls"))]
        if let mss::Request::Manifest(options) = &mut request
            && let Some(mss::ManifestOption::Format(format)) = options.others.first()
        {
            let found = match format {
                #[cfg(feature = "dash")]
                mss::ManifestFormat::Dash if outputs.dash => Some(Self::Dash(dash::Request::Mpd)),
                #[cfg(feature = "hls")]
                mss::ManifestFormat::HlsCmaf if outputs.hls => {
                    Some(Self::Hls(hls::Request::Multivariant))
                }
                _ => None,
            };
            if let Some(found) = found {
                if options.others.len() == 1 {
                    return Ok(found);
                }
                // It is refused by the first option that is not served.
                let is_format = |option: &_| matches!(option, mss::ManifestOption::Format(format) if outputs.has(*format));
                options.others.retain(|option| !is_format(option));
                if options.others.is_empty() {
                    let what = "a manifest in several formats";
                    return Err(Error::request("manifest options", ErrorKind::NotServed(what)));
                }
            }
        }
        Ok(Self::Mss(request))
    }

    /// Returns whether the path of a URL looks like a request by the grammar of an output, though no
    /// segment of it may name a presentation: `/film/Manifest`, `/film.ism`.
    pub fn is_addressed(path: &str) -> bool {
        mss::Request::is_addressed(path)
    }

    /// Returns where a host redirects the request to, relative to the presentation; `None` if the
    /// request is [answered](Self::answer) under its own URL.
    pub fn redirect(&self) -> Option<&'static str> {
        match self {
            Self::Mss(mss::Request::Presentation) => Some("Manifest"),
            _ => None,
        }
    }

    /// Returns whether it is for something that a manifest of the presentation lists, and not for a manifest that
    /// players begin with.
    pub(crate) fn is_listed(&self) -> bool {
        match self {
            Self::Mss(request) => matches!(request, mss::Request::Fragment(_)),
            #[cfg(any(feature = "dash", feature = "hls"))]
            Self::Cmaf(_) => true,
            #[cfg(feature = "dash")]
            Self::Dash(_) => false,
            #[cfg(feature = "hls")]
            Self::Hls(request) => matches!(request, hls::Request::Media(_)),
            Self::Clip(request) => request.manifest.is_listed(),
        }
    }

    /// Returns what is known of the answer without a read.
    ///
    /// # Errors
    /// As [`answer`](Self::answer), as far as is known already.
    pub fn identify(&self, presentation: &Presentation) -> Result<Identity, Error> {
        match self {
            Self::Mss(request) => mss::identify(presentation, request),
            #[cfg(any(feature = "dash", feature = "hls"))]
            Self::Cmaf(request) => cmaf::identify(presentation, request),
            #[cfg(feature = "dash")]
            Self::Dash(request) => or_broken(presentation, dash::identify(presentation, *request)),
            #[cfg(feature = "hls")]
            Self::Hls(request) => or_broken(presentation, hls::identify(presentation, *request)),
            Self::Clip(request) => {
                let of_part = |part: &Arc<Presentation>| request.manifest.identify(part);
                Ok(match presentation.with_clip(&request.times, of_part)? {
                    Identity::Known(known) => Identity::Known(known.of_clip()),
                    other => other,
                })
            }
        }
    }

    /// Answers the request: at once where all is known, else after a read.
    ///
    /// # Errors
    /// [`ErrorKind::NoStream`](crate::base::ErrorKind::NoStream) and similar kinds for something that
    /// the presentation does not have, errors for outputs that are not served, and errors of the stored
    /// media.
    pub fn answer(&self, presentation: &Arc<Presentation>) -> Result<Step<Reply>, Error> {
        match self {
            Self::Mss(request) => mss::answer(presentation, request),
            #[cfg(any(feature = "dash", feature = "hls"))]
            Self::Cmaf(request) => cmaf::answer(presentation, request),
            #[cfg(feature = "dash")]
            Self::Dash(request) => {
                or_broken(presentation, dash::answer(presentation, *request)).map(Step::Ready)
            }
            #[cfg(feature = "hls")]
            Self::Hls(request) => {
                or_broken(presentation, hls::answer(presentation, *request)).map(Step::Ready)
            }
            Self::Clip(request) => {
                let of_part = |part: &Arc<Presentation>| request.manifest.answer(part);
                Ok(match presentation.with_clip(&request.times, of_part)? {
                    Step::Ready(reply) => Step::Ready(reply.of_clip()),
                    step => step,
                })
            }
        }
    }
}

/// Returns the error for an output that is off.
#[cold]
fn not_served(output: &'static str) -> Error {
    Error::request("path", ErrorKind::NotServed(output))
}

/// Replaces the error that names an output which is served: the request has its name in another place
/// than the origin reads it, such as `manifest(format=mpd-time-csf).m4s`.
#[cold]
fn under_another_name(error: Error, outputs: Outputs) -> Error {
    let formats = [mss::ManifestFormat::Dash, mss::ManifestFormat::HlsCmaf];
    let mut served = formats.into_iter().filter(|format| outputs.has(*format));
    match error.kind {
        ErrorKind::NotServed(what) if served.any(|format| format.what() == what) => {
            not_served("a manifest of DASH or HLS under this name")
        }
        _ => error,
    }
}

/// Replaces the error of a format that a presentation cannot have, if nothing of it can be served in
/// any format: its content is broken.
#[cfg(any(feature = "dash", feature = "hls"))]
#[inline]
fn or_broken<T>(presentation: &Presentation, answer: Result<T, Error>) -> Result<T, Error> {
    answer.map_err(|error| match (&error.kind, presentation.manifest()) {
        (ErrorKind::NotServed(_), Err(broken)) => broken,
        _ => error,
    })
}
