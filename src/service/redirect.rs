//! Redirects to a manifest.

use http::header::{CONTENT_LENGTH, LOCATION};
use http::{HeaderValue, Response, StatusCode};

use super::{CacheClass, OriginService, ServiceBody};
use crate::base::{Error, ErrorKind};

impl OriginService {
    /// Redirects to `location`. The query is kept: it may hold a token that the client needs.
    pub(super) fn redirect(
        &self,
        location: String,
        query: Option<&str>,
        path: &str,
    ) -> Result<Response<ServiceBody>, Error> {
        let location = query.map(|query| format!("{location}?{query}")).unwrap_or(location);
        let malformed = |_| ErrorKind::Malformed("its query cannot stand in a header field");
        let location = HeaderValue::from_str(&location)
            .map_err(malformed)
            .map_err(|kind| Error::request("query", kind))?;
        let mut response = Response::new(ServiceBody::empty());
        *response.status_mut() = StatusCode::FOUND;
        let headers = response.headers_mut();
        headers.insert(LOCATION, location);
        headers.insert(CONTENT_LENGTH, 0.into());
        self.add_policy(CacheClass::Manifest, path, None, headers);
        Ok(response)
    }
}
