//! The names by which a browser may reach the operator's part. A page elsewhere can give its own name
//! the address of this server, and would then read everything: its name is in `Host`.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Request};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns whether a request names this server as it may be named: by a loopback name or address, or
/// by one of `names`. On a listener of its own, any address does: a page cannot make up an address.
pub(super) fn is_own<B>(request: &Request<B>, names: &[String], takes_addresses: bool) -> bool {
    let mut fields = request.headers().get_all(HOST).iter();
    let host = match (fields.next(), request.uri().authority()) {
        (Some(field), _) => field.to_str().ok(),
        (None, authority) => authority.map(|authority| authority.as_str()),
    };
    let Some(host) = host.filter(|_| fields.next().is_none()).map(without_port) else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match address {
        Ok(address) if takes_addresses || address.to_canonical().is_loopback() => true,
        _ => {
            host.eq_ignore_ascii_case("localhost")
                || names.iter().any(|name| host.eq_ignore_ascii_case(name))
        }
    }
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

fn without_port(host: &str) -> &str {
    let end = match host.rfind(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    // `end` is behind a bracket or before a colon, which are characters of one byte.
    host.get(..end).unwrap_or(host)
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
    fn names_that_a_page_elsewhere_could_have_are_not_own() {
        let own = |fields: &[(&str, &str)], addresses| {
            is_own(&request(fields), &["origin.example".to_owned()], addresses)
        };
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]:8080",
            "[::1]",
            "127.9.9.9",
            "Origin.Example:443",
        ] {
            assert!(own(&[("host", host)], false), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.example:127.0.0.1",
            "192.0.2.1",
            "127.0.0.1.evil.example",
            "[2001:db8::1]",
            "origin.example.",
            "a@localhost",
        ] {
            assert!(!own(&[("host", host)], false), "{host}");
        }
        assert!(
            !own(&[], false) && !own(&[("host", "localhost"), ("host", "evil.example")], false)
        );
        assert!(
            own(&[("host", "192.0.2.1:9090")], true) && own(&[("host", "[2001:db8::1]")], true)
        );
        assert!(!own(&[("host", "evil.example")], true));
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
