//! Origins of pages, as an operator lists them (RFC 6454, 6.2).

use super::pattern::stands_for;

/// A listed origin: scheme, host and port, in which `*` stands for any run of characters. In lower
/// case and without the scheme's own port, as browsers send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AllowedOrigin(Box<str>);

/// An entry in a list of origins that cannot match the origin of any page. The message says what to
/// write instead.
///
/// ```
/// use smooth_origin::service::Cors;
/// let error = Cors::origins(["tv.example.com"]).unwrap_err();
/// assert_eq!(error.to_string(), r#""tv.example.com" has no scheme: write https://tv.example.com"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entry:?} {fault}: write {instead}")]
pub struct InvalidOrigin {
    entry: String,
    fault: &'static str,
    instead: String,
}

const EXAMPLE: &str = "an origin such as https://tv.example.com";

impl AllowedOrigin {
    /// All origins.
    pub(super) fn any() -> Self {
        Self("*".into())
    }

    pub(super) fn parse(entry: &str) -> Result<Self, InvalidOrigin> {
        let origin = match entry {
            "*" => return Ok(Self::any()),
            _ => read(entry),
        };
        let (fault, instead) = match origin {
            Ok(origin) => return Ok(Self(origin.into())),
            Err(fault) => fault,
        };
        // Nothing is proposed that would be refused as well.
        let instead = instead.and_then(|text| read(&text).ok()).unwrap_or(EXAMPLE.into());
        Err(InvalidOrigin { entry: entry.to_owned(), fault, instead })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a page is of this origin, from its `Origin` field.
    pub(super) fn matches(&self, origin: &str) -> bool {
        stands_for(self.0.as_bytes(), origin.as_bytes(), u8::eq)
    }
}

/// The fault of an entry, and the entry that was probably meant.
type Fault = (&'static str, Option<String>);

/// An origin as browsers send it.
fn read(entry: &str) -> Result<String, Fault> {
    match entry {
        "" => return Err(("is empty", None)),
        "null" => return Err(("is what browsers send for pages without an origin", None)),
        _ if entry.contains([',', ';']) => return Err(("is more than one origin", None)),
        _ if entry.contains(char::is_whitespace) => {
            return Err(("holds a space", Some(entry.split_whitespace().collect())));
        }
        _ => {}
    }
    let Some((scheme, rest)) = entry.split_once("://") else {
        let scheme = if is_local(entry) { "http" } else { "https" };
        let authority = entry.trim_start_matches('/').split('/').next().unwrap_or_default();
        return Err(("has no scheme", Some(format!("{scheme}://{authority}"))));
    };
    let is_in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.*".contains(&byte);
    if scheme.is_empty() || !scheme.bytes().all(is_in_scheme) {
        return Err(("has no proper scheme", Some(format!("https://{rest}"))));
    }
    if let Some(end) = rest.find(['/', '?', '#', '\\']) {
        return Err(("has a path", Some(format!("{scheme}://{}", &rest[..end]))));
    }
    if let Some((_, host)) = rest.rsplit_once('@') {
        return Err(("has a user name", Some(format!("{scheme}://{host}"))));
    }
    let (host, port) = divide(rest);
    check_host(host).map_err(|(fault, host)| (fault, host.map(|h| format!("{scheme}://{h}"))))?;
    if port.is_some_and(|port| !is_port(port)) {
        return Err((
            "has a port that is no number up to 65535",
            Some(format!("{scheme}://{host}")),
        ));
    }
    let scheme = scheme.to_ascii_lowercase();
    let own = [("http", "80"), ("https", "443")];
    let port = port.filter(|port| !own.contains(&(&*scheme, *port)));
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{}{port}", host.to_ascii_lowercase()))
}

/// Host and port. The colons of an IPv6 address stand in brackets.
fn divide(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn check_host(host: &str) -> Result<(), Fault> {
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_valid = match inside {
        Some(address) => address.bytes().all(|b| b.is_ascii_hexdigit() || b":.*".contains(&b)),
        None => host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._*".contains(&b)),
    };
    if host.is_empty() || inside == Some("") {
        Err(("has no host", None))
    } else if !host.is_ascii() {
        Err(("has a host that is not in its ASCII form (xn--…)", None))
    } else if !is_valid {
        Err(("has a host with a character that no host has", None))
    } else if host.starts_with('.') {
        Err(("has a host that begins with a dot", Some(format!("*{host}"))))
    } else if host.contains("..") {
        Err(("has a host with two dots in a row", None))
    } else {
        Ok(())
    }
}

/// Digits of a port, stars among them.
fn is_port(port: &str) -> bool {
    let is_pattern = port.contains('*') && port.bytes().all(|b| b.is_ascii_digit() || b == b'*');
    let is_number = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
    is_pattern || is_number && port.parse::<u16>().is_ok()
}

/// Returns whether an entry without a scheme names the local machine, where pages seldom have TLS.
fn is_local(entry: &str) -> bool {
    ["localhost", "127.", "[::1]"].iter().any(|start| entry.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_kept_as_browsers_send_them() {
        for (entry, kept) in [
            ("*", "*"),
            ("https://tv.example.com", "https://tv.example.com"),
            ("HTTPS://TV.Example.com:443", "https://tv.example.com"),
            ("http://tv.example.com:80", "http://tv.example.com"),
            ("http://tv.example.com:443", "http://tv.example.com:443"),
            ("http*://*.example.com:*", "http*://*.example.com:*"),
            ("https://*", "https://*"),
            ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
            ("http://[::1]", "http://[::1]"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(AllowedOrigin::parse(entry).unwrap().as_str(), kept, "{entry}");
        }
    }

    #[test]
    fn an_entry_that_matches_no_page_says_what_to_write() {
        for (entry, message) in [
            ("", "is empty: write an origin such as https://tv.example.com"),
            ("tv.example.com", "has no scheme: write https://tv.example.com"),
            ("tv.example.com/", "has no scheme: write https://tv.example.com"),
            ("//tv.example.com/x", "has no scheme: write https://tv.example.com"),
            ("localhost:3000", "has no scheme: write http://localhost:3000"),
            ("*.example.com", "has no scheme: write https://*.example.com"),
            (".example.com", "has no scheme: write an origin such as https://tv.example.com"),
            (
                "https:tv.example.com",
                "has no scheme: write an origin such as https://tv.example.com",
            ),
            ("https://tv.example.com/", "has a path: write https://tv.example.com"),
            ("https://TV.example.com/a?b", "has a path: write https://tv.example.com"),
            (
                "https://.example.com",
                "has a host that begins with a dot: write https://*.example.com",
            ),
            ("https://a:b@tv.example.com", "has a user name: write https://tv.example.com"),
            (" https://tv.example.com", "holds a space: write https://tv.example.com"),
            (
                "https://a.example, https://b.example",
                "is more than one origin: write an origin such as https://tv.example.com",
            ),
            (
                "https://a.example:x",
                "has a port that is no number up to 65535: write https://a.example",
            ),
            (
                "https://a.example:65536",
                "has a port that is no number up to 65535: write https://a.example",
            ),
            (
                "https://a.example:",
                "has a port that is no number up to 65535: write https://a.example",
            ),
            ("https://", "has no host: write an origin such as https://tv.example.com"),
            ("://tv.example.com", "has no proper scheme: write https://tv.example.com"),
        ] {
            let error = AllowedOrigin::parse(entry).unwrap_err();
            assert_eq!(error.to_string(), format!("{entry:?} {message}"));
        }
        for entry in
            ["null", "https://b\u{fc}cher.example", "https://a\"><x", "https://a..b", "https://::1"]
        {
            assert!(AllowedOrigin::parse(entry).is_err(), "{entry}");
        }
    }
}
