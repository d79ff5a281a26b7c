//! The page: presentations, what is in them, and their timeline as a picture; the same as JSON.

#[allow(dead_code)]
mod hosts;
mod options;

use http::Response;
use hyper::Request;
use hyper::body::Incoming;
use smooth_origin::Origin;

pub(crate) use hosts::Hosts;
pub(crate) use options::PageOptions;

use crate::site::SiteBody;

/// Answers requests for the page, its files and its JSON.
pub(crate) struct Page {
    #[allow(dead_code)]
    origin: Origin,
}

impl Page {
    pub(crate) fn new(origin: Origin) -> Self {
        Self { origin }
    }

    /// Returns the response, if the request is one for the page.
    pub(crate) async fn respond(&self, _request: &Request<Incoming>) -> Option<Response<SiteBody>> {
        None
    }
}
