//! Requests that a browser sends for pages of other origins.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Request};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns whether a request has what browsers add for the sake of pages, and programs do not.
pub(crate) fn is_of_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) || headers.contains_key(SEC_FETCH_SITE)
}

/// Returns whether a browser sent a request for a page of another origin.
pub(super) fn is_of_other_origin<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    if let Some(site) = headers.get(SEC_FETCH_SITE)
        && !["same-origin", "none"].iter().any(|own| site == own)
    {
        return true;
    }
    headers.get_all(ORIGIN).iter().any(|origin| !is_same(origin.as_bytes(), headers, request))
}

/// Returns whether an origin is that of the request: `http://localhost:8080` of `localhost:8080`.
fn is_same<B>(origin: &[u8], headers: &HeaderMap, request: &Request<B>) -> bool {
    let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let Some(host) = headers.get(HOST).map(|host| host.as_bytes()).or(authority) else {
        return false;
    };
    let origin = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::new(());
        for (name, value) in fields {
            let name = name.parse::<HeaderName>().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn pages_of_other_origins_are_noticed() {
        let other = |fields: &[(&str, &str)]| {
            is_of_other_origin(&request(&[&[("host", "localhost:8080")], fields].concat()))
        };
        assert!(!other(&[]));
        assert!(!other(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")]));
        assert!(!other(&[("sec-fetch-site", "none")]));
        assert!(other(&[("sec-fetch-site", "cross-site")]));
        assert!(other(&[("sec-fetch-site", "same-site")]));
        for origin in ["null", "http://evil.example", "http://localhost", "http://localhost:80800"]
        {
            assert!(other(&[("origin", origin)]), "{origin}");
        }
    }
}
