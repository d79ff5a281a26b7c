//! A request to a presentation, in the grammar of one of the outputs.

use std::sync::Arc;

#[cfg(any(feature = "dash", feature = "hls"))]
use super::cmaf;
#[cfg(feature = "dash")]
use super::dash;
#[cfg(feature = "hls")]
use super::hls;
use super::{Identity, mss};
use crate::base::{Error, Step};
use crate::presentation::{Presentation, Reply};

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
        #[cfg(any(feature = "dash", feature = "hls"))]
        if let Some(request) = Self::parse_segmented(rest, query) {
            return request;
        }
        mss::Request::parse(rest, query).map(Self::of_mss)
    }

    /// Reads a request for DASH, HLS or one of their segments. `None` if it is not one.
    #[cfg(any(feature = "dash", feature = "hls"))]
    fn parse_segmented(rest: &'a str, query: Option<&'a str>) -> Option<Result<Self, Error>> {
        // Requests of Smooth Streaming end in `)`, `t` or `/`, those here in `d`, `8`, `s`, `4` or `t`.
        if rest.ends_with(')') || rest.ends_with("anifest") {
            return None;
        }
        let path = rest.trim_matches('/');
        if let Some(request) = cmaf::Request::parse(path) {
            return Some(Ok(Self::Cmaf(request)));
        }
        #[cfg(feature = "dash")]
        let found = dash::Request::parse(path).map(Self::Dash);
        #[cfg(not(feature = "dash"))]
        let found = None;
        #[cfg(feature = "hls")]
        let found = found.or_else(|| hls::Request::parse(path).map(Self::Hls));
        let mut options = mss::ManifestOptions::default();
        if let Some(query) = query {
            options.add_query(query);
        }
        let whole = |request| options.check().map(|()| request);
        found.map(whole)
    }

    /// A manifest of Smooth Streaming, or the one that its options ask for, as Azure names them.
    fn of_mss(request: mss::Request<'a>) -> Self {
        #[cfg(any(feature = "dash", feature = "hls"))]
        if let mss::Request::Manifest(options) = &request
            && let [mss::ManifestOption::Format(format)] = options.others[..]
        {
            match format {
                #[cfg(feature = "dash")]
                mss::ManifestFormat::Dash => return Self::Dash(dash::Request::Mpd),
                #[cfg(feature = "hls")]
                mss::ManifestFormat::HlsCmaf => return Self::Hls(hls::Request::Multivariant),
                _ => {}
            }
        }
        Self::Mss(request)
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
            Self::Dash(request) => dash::identify(presentation, *request),
            #[cfg(feature = "hls")]
            Self::Hls(request) => hls::identify(presentation, *request),
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
            Self::Dash(request) => dash::answer(presentation, *request).map(Step::Ready),
            #[cfg(feature = "hls")]
            Self::Hls(request) => hls::answer(presentation, *request).map(Step::Ready),
        }
    }
}
