//! Requests for hosts that have a rule: their paths lie below a prefix.

use common::HostRules;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{Request, Uri};

/// Returns a request with the path that it stands for, if its host has a rule.
pub(crate) fn placed<B>(hosts: &HostRules, request: &Request<B>) -> Option<Request<()>> {
    if hosts.is_empty() {
        return None;
    }
    // That of the request line counts (RFC 9112, 3.2.2); HTTP/2 has it alone.
    let host = match request.uri().host() {
        Some(host) => host,
        None => request.headers().get(HOST)?.to_str().ok()?,
    };
    let before = hosts.before(host)?;
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(format!("{before}{path}").parse().ok()?);
    let mut placed = Request::new(());
    *placed.uri_mut() = Uri::from_parts(parts).ok()?;
    *placed.method_mut() = request.method().clone();
    *placed.version_mut() = request.version();
    *placed.headers_mut() = request.headers().clone();
    Some(placed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rules_requests_stay_as_they_are() {
        let request = Request::new(());
        assert!(placed(&HostRules::default(), &request).is_none());
    }
}
