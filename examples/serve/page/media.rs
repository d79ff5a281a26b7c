//! Where clients find the presentations, if that is not where the page is.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::Uri;
use http::header::HOST;
use hyper::Request;

use super::hosts::host;

/// The scheme and host by which clients reach the presentations: `https://media.example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaUrl(String);

/// Where clients find the presentations.
#[derive(Clone, Debug)]
pub(crate) enum Media {
    /// On the listener of the page.
    Here,
    /// On another listener: its scheme and address.
    There(&'static str, SocketAddr),
    /// By the URL of an option.
    Named(MediaUrl),
}

impl FromStr for MediaUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted =
            || "give a scheme and a host, as https://media.example.org: no path".to_owned();
        let uri: Uri = text.parse().map_err(|_| wanted())?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(wanted)?;
        let is_plain = matches!(scheme, "http" | "https")
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none()
            && host(authority.as_str()).is_some_and(|host| !host.is_empty() && !host.contains('@'));
        match is_plain {
            true => Ok(Self(format!("{scheme}://{authority}"))),
            false => Err(wanted()),
        }
    }
}

impl std::fmt::Display for MediaUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Media {
    /// Returns what the paths of presentations come after, for a client that reaches the page by this
    /// request; `None` if they are where the page is.
    pub(super) fn base<B>(&self, request: &Request<B>) -> Option<String> {
        let (scheme, address) = match self {
            Self::Here => return None,
            Self::Named(MediaUrl(url)) => return Some(url.clone()),
            Self::There(scheme, address) => (scheme, address),
        };
        let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
        let authority = request.uri().authority().map(|authority| authority.as_str()).or(header);
        let own = address.ip().to_canonical();
        let asked = authority.and_then(host).filter(|host| !host.is_empty());
        // A listener with an address of its own is reached by that alone, unless the page was asked by a name.
        let host = match asked {
            Some(host) if own.is_unspecified() || !is_address(host) => host.to_owned(),
            Some(host) if own.is_loopback() && is_loopback(host) => host.to_owned(),
            None if own.is_unspecified() => "localhost".to_owned(),
            _ if own.is_ipv6() => format!("[{own}]"),
            _ => own.to_string(),
        };
        Some(match (*scheme, address.port()) {
            ("http", 80) | ("https", 443) => format!("{scheme}://{host}"),
            (_, port) => format!("{scheme}://{host}:{port}"),
        })
    }
}

fn address(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

/// Returns whether a host is an address, or the name of this machine for itself.
fn is_address(host: &str) -> bool {
    address(host).is_some() || is_loopback(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || address(host).is_some_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_the_listener_of_presentations() {
        for (scheme, address, host, wanted) in [
            ("http", "0.0.0.0:8080", "127.0.0.1:8081", "http://127.0.0.1:8080"),
            ("https", "[::]:443", "media.example.org:8081", "https://media.example.org"),
            ("https", "[::]:8443", "[::1]:8081", "https://[::1]:8443"),
            ("http", "10.0.0.5:80", "localhost:8081", "http://10.0.0.5"),
            ("http", "127.0.0.1:8080", "localhost:8081", "http://localhost:8080"),
            ("http", "127.0.0.1:8080", "10.0.0.5:8081", "http://127.0.0.1:8080"),
        ] {
            let request = Request::builder().header(HOST, host).body(()).unwrap();
            let media = Media::There(scheme, address.parse().unwrap());
            assert_eq!(media.base(&request).as_deref(), Some(wanted), "{address} {host}");
        }
    }

    #[test]
    fn a_url_with_a_path_or_without_a_scheme_is_refused_at_start() {
        for text in ["media.example.org", "ftp://a", "http://a/b", "http://u@a", "http://", ""] {
            assert!(text.parse::<MediaUrl>().is_err(), "{text}");
        }
        let url: MediaUrl = "https://media.example.org:444/".parse().unwrap();
        assert_eq!(url.to_string(), "https://media.example.org:444");
    }
}
