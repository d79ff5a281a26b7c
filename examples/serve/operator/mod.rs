//! What is for the operator and their machines: health, metrics, purge.

use http::Response;
use hyper::Request;
use hyper::body::Incoming;

use crate::access::Client;
use crate::site::SiteBody;

/// Answers the operator's requests.
pub(crate) struct Operator {}

impl Operator {
    /// Returns the response, if the request is one of the operator's.
    pub(crate) async fn respond(
        &self,
        _request: &Request<Incoming>,
        _client: &Client,
    ) -> Option<Response<SiteBody>> {
        None
    }
}
