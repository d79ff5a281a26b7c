//! Addresses in the header fields of proxies: `X-Forwarded-For`, and `Forwarded` (RFC 7239).

use std::net::{IpAddr, Ipv6Addr};

use http::HeaderValue;

/// Returns the addresses of one field `X-Forwarded-For`, the last one first. `None` stands for an entry
/// that is no address.
pub(super) fn in_list(field: &HeaderValue) -> impl Iterator<Item = Option<IpAddr>> {
    // An empty entry is no entry (RFC 9110, 5.6.1).
    let entries = field.as_bytes().rsplit(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    entries.filter(|entry| !entry.is_empty()).map(|entry| {
        let text = str::from_utf8(entry).ok()?;
        text.parse().ok().or_else(|| node(text))
    })
}

/// Returns the addresses of one field `Forwarded`, the last one first. `None` stands for an element
/// without an address. A field that is malformed somewhere has no address at all: a quote that a client
/// has left open may have swallowed what the proxy added.
pub(super) fn in_forwarded(field: &HeaderValue) -> impl Iterator<Item = Option<IpAddr>> {
    let mut addresses = Elements(field.as_bytes()).all().unwrap_or_else(|| vec![None]);
    addresses.reverse();
    addresses.into_iter()
}

/// The rest of a field.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// Reads all elements; `None` if the field is malformed.
    fn all(mut self) -> Option<Vec<Option<IpAddr>>> {
        let mut addresses = Vec::new();
        loop {
            // The outer `Option`: the element has a `for`.
            let (mut found, mut is_empty) = (None, true);
            loop {
                self.skip_space();
                if !matches!(self.0.first(), None | Some(b',' | b';')) {
                    is_empty = false;
                    let name = self.token()?;
                    let value = self.take(b'=').then(|| self.value())??;
                    // The same parameter must not occur twice in an element (section 4).
                    if name.eq_ignore_ascii_case(b"for") && found.replace(node(&value)).is_some() {
                        return None;
                    }
                    self.skip_space();
                }
                if !self.take(b';') {
                    break;
                }
            }
            if !is_empty {
                addresses.push(found.flatten());
            }
            if self.0.is_empty() {
                return Some(addresses);
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    fn skip_space(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let length = self.0.iter().take_while(|byte| is_part(byte)).count();
        let (token, rest) = self.0.split_at(length);
        self.0 = rest;
        (length > 0).then_some(token)
    }

    /// Reads a token or a quoted string.
    fn value(&mut self) -> Option<String> {
        let mut value = Vec::new();
        if !self.take(b'"') {
            value.extend_from_slice(self.token()?);
            return String::from_utf8(value).ok();
        }
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            match byte {
                b'"' => return String::from_utf8(value).ok(),
                b'\\' => {
                    let (&escaped, rest) = self.0.split_first()?;
                    self.0 = rest;
                    value.push(escaped);
                }
                _ => value.push(byte),
            }
        }
    }
}

/// Returns the address of a node: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let (address, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']')?;
            (IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?), port)
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            (IpAddr::V4(text[..end].parse().ok()?), &text[end..])
        }
    };
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(address)
}

/// Returns whether a text is a port, or a word in its place (RFC 7239, 6.3).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(word) => {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !word.is_empty() && word.bytes().all(is_part)
        }
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(addresses: impl Iterator<Item = Option<IpAddr>>) -> String {
        let words: Vec<_> =
            addresses.map(|one| one.map_or("?".into(), |one| one.to_string())).collect();
        words.join(" ")
    }

    #[test]
    fn a_list_is_read_from_its_end() {
        for (field, addresses) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1 ,\t2001:db8::1", "2001:db8::1 192.0.2.1"),
            (
                "192.0.2.1:1234, [2001:db8::1]:80, [2001:db8::2]",
                "2001:db8::2 2001:db8::1 192.0.2.1",
            ),
            ("", ""),
            (",, 192.0.2.1 ,,", "192.0.2.1"),
            ("unknown, 192.0.2.1", "192.0.2.1 ?"),
            ("192.0.2.1 192.0.2.2", "?"),
            ("192.0.2.1;", "?"),
            ("\"192.0.2.1\"", "?"),
            ("192.0.2.01", "?"),
            ("192.0.2", "?"),
            ("192.0.2.256", "?"),
            ("0x7f.1", "?"),
            ("192.0.2.1:", "?"),
            ("192.0.2.1:999999", "?"),
            ("192.0.2.1:+1", "?"),
            ("[192.0.2.1]", "?"),
            ("[2001:db8::1", "?"),
            ("[2001:db8::1]x", "?"),
            ("fe80::1%eth0", "?"),
            ("localhost", "?"),
            ("192.0.2.1\u{e9}", "?"),
        ] {
            let value = HeaderValue::from_bytes(field.as_bytes()).unwrap();
            assert_eq!(texts(in_list(&value)), addresses, "{field}");
        }
    }

    #[test]
    fn a_forwarded_field_is_read_whole_or_not_at_all() {
        for (field, addresses) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17 192.0.2.43"),
            ("proto=http;FOR=\"192.0.2.1:_secret\" , by=x", "? 192.0.2.1"),
            ("for=\"192.0.2\\.1\"", "192.0.2.1"),
            ("for=unknown, for=_hidden", "? ?"),
            ("for=192.0.2.1;, ,;for=192.0.2.2", "192.0.2.2 192.0.2.1"),
            ("", ""),
            ("by=\"a, for=192.0.2.9\";for=192.0.2.1", "192.0.2.1"),
            // An address of IPv6 and a port need quotes.
            ("for=2001:db8::1", "?"),
            ("for=[2001:db8::1]", "?"),
            ("for=192.0.2.1:80", "?"),
            // Quotes that are left open, or closed too early.
            ("for=\"192.0.2.9, for=192.0.2.1", "?"),
            ("for=192.0.2.9;x=\", for=\"[2001:db8::1]\"", "?"),
            ("for=\"192.0.2.9\\\", for=192.0.2.1", "?"),
            ("for=\"192.0.2.1\"x", "?"),
            ("for=192.0.2.9;for=192.0.2.1", "?"),
            ("for = 192.0.2.1", "?"),
            ("for", "?"),
            ("for=", "?"),
            ("=192.0.2.1", "?"),
            ("for=192.0.2.1 for=192.0.2.2", "?"),
            ("for=\"\"", "?"),
            ("for=\"2001:db8::1\"", "?"),
        ] {
            let value = HeaderValue::from_bytes(field.as_bytes()).unwrap();
            assert_eq!(texts(in_forwarded(&value)), addresses, "{field}");
        }
    }
}
