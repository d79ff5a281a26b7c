//! The names by which the page is reached. A page elsewhere could otherwise read this one, by giving its
//! own name the address of this machine (DNS rebinding).

use std::net::IpAddr;
use std::str::FromStr;

use http::header::HOST;
use hyper::Request;

/// A name that the page may be asked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostName(String);

/// All names that the page may be asked by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Vec<HostName>);

/// The sentence for requests by other names.
pub(super) const REFUSAL: &str = "The page is not served by this name. Ask for it by localhost, or \
     name the host with --page-host when the server starts.";

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        match !text.is_empty() && text.bytes().all(is_part) {
            true => Ok(Self(text.trim_end_matches('.').to_ascii_lowercase())),
            false => Err("give a name alone, as media.example.org: no scheme, no port".into()),
        }
    }
}

impl std::fmt::Display for HostName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Hosts {
    /// Loopback names, addresses, and these.
    pub(crate) fn new(names: &[HostName]) -> Self {
        Self(names.to_vec())
    }

    /// Returns whether a request names this machine, or a host that was allowed. An address is no name
    /// that somebody else could have pointed here, so every address is allowed.
    pub(crate) fn allow<B>(&self, request: &Request<B>) -> bool {
        let uri = request.uri().authority().map(|authority| authority.as_str());
        let mut headers = request.headers().get_all(HOST).iter();
        let (header, second) = (headers.next(), headers.next());
        let header = header.map(|value| value.to_str().unwrap_or_default());
        if second.is_some() {
            return false;
        }
        // A target with an authority takes precedence, and a header that differs is suspicious.
        let mut named = uri.into_iter().chain(header).peekable();
        named.peek().is_some() && named.all(|authority| self.allows(authority))
    }

    fn allows(&self, authority: &str) -> bool {
        let Some(host) = host(authority) else { return false };
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if address.unwrap_or(host).parse::<IpAddr>().is_ok() {
            return true;
        }
        let host = host.trim_end_matches('.');
        host.eq_ignore_ascii_case("localhost")
            || self.0.iter().any(|HostName(name)| name.eq_ignore_ascii_case(host))
    }
}

/// Returns the host of `HOST` or `HOST:PORT`; `None` for anything else.
pub(super) fn host(authority: &str) -> Option<&str> {
    let behind = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at_checked(behind)?;
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(target: &str, hosts: &[&str]) -> bool {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let names = ["Media.Example.org".parse().unwrap()];
        Hosts::new(&names).allow(&request.body(()).unwrap())
    }

    #[test]
    fn loopback_names_addresses_and_allowed_names_are_served() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.:1",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8080",
            "192.0.2.1:80",
            "media.example.org:443",
        ] {
            assert!(allows("/", &[host]), "{host}");
        }
        assert!(allows("http://localhost:1/", &[]));
    }

    #[test]
    fn other_names_are_refused() {
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:127.0.0.1",
            "localhost:80:80",
            "localhost@evil.example",
            "[::1",
            "[::1]x",
            "[evil]",
        ] {
            assert!(!allows("/", &[host]), "{host}");
        }
        assert!(!allows("/", &[]));
        assert!(!allows("/", &["localhost", "localhost"]));
        assert!(!allows("http://evil.example/", &["localhost"]));
        assert!(!allows("http://localhost/", &["evil.example"]));
    }

    #[test]
    fn a_name_with_a_port_or_a_scheme_is_refused_at_start() {
        for text in ["", "a:80", "http://a", "a/b", "[::1]"] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
    }
}
