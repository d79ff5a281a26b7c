//! The address of a client: the other end of the connection, or what a trusted proxy says.

use std::net::IpAddr;

use http::header::{FORWARDED, HeaderMap, HeaderName, VIA};
use ipnet::IpNet;

use super::Client;
use super::forwarded::{in_forwarded, in_list};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Most proxies on the way of a request; further ones are not believed.
const MOST_PROXIES: usize = 64;

/// The proxies that are trusted.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    networks: Vec<IpNet>,
    /// The field that the proxies set; `None` for either.
    header: Option<ProxyHeader>,
}

/// The field by which a proxy passes addresses on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ProxyHeader {
    /// X-Forwarded-For
    XForwardedFor,
    /// Forwarded (RFC 7239)
    Forwarded,
}

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    /// Set if the address is that of the client. Otherwise it is that of the last proxy that is known,
    /// and gives no rights.
    pub(crate) is_certain: bool,
}

impl Trust {
    pub(super) fn new(networks: Vec<IpNet>, header: Option<ProxyHeader>) -> Self {
        Self { networks, header }
    }

    /// Returns whether the other end of a connection is a trusted proxy.
    pub(super) fn has(&self, client: &Client) -> bool {
        self.trusts(client.peer.ip().to_canonical())
    }

    /// Returns whether no proxy is trusted.
    pub(super) fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Returns the address of the client of a request, for logs.
    pub(super) fn address(&self, headers: &HeaderMap, client: &Client) -> IpAddr {
        match self.has(client) {
            true => self.caller(headers, client).address,
            false => client.peer.ip().to_canonical(),
        }
    }

    /// Returns the client of a request.
    pub(crate) fn caller(&self, headers: &HeaderMap, client: &Client) -> Caller {
        let peer = client.peer.ip().to_canonical();
        if !self.trusts(peer) {
            return Caller { address: peer, is_certain: !came_through_a_proxy(headers) };
        }
        let list = headers.get_all(X_FORWARDED_FOR).iter().rev().flat_map(in_list);
        let list = (self.header != Some(ProxyHeader::Forwarded))
            .then(|| self.last_untrusted(peer, list))
            .flatten();
        let forwarded = headers.get_all(FORWARDED).iter().rev().flat_map(in_forwarded);
        let forwarded = (self.header != Some(ProxyHeader::XForwardedFor))
            .then(|| self.last_untrusted(peer, forwarded))
            .flatten();
        match (list, forwarded) {
            (Some(caller), None) | (None, Some(caller)) => caller,
            (None, None) => Caller { address: peer, is_certain: !headers.contains_key(VIA) },
            (Some(caller), Some(other)) if caller == other => caller,
            // A proxy sets one of the fields and passes on the other, which the client may have made up.
            (Some(_), Some(_)) => Caller { address: peer, is_certain: false },
        }
    }

    /// Returns the last address that is no trusted proxy's; `None` if there is no address.
    fn last_untrusted(
        &self,
        peer: IpAddr,
        from_the_end: impl Iterator<Item = Option<IpAddr>>,
    ) -> Option<Caller> {
        let mut last = None;
        for (count, address) in from_the_end.enumerate() {
            let Some(address) = address.filter(|_| count < MOST_PROXIES) else {
                return Some(Caller { address: last.unwrap_or(peer), is_certain: false });
            };
            let address = address.to_canonical();
            last = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        last.map(|address| Caller { address, is_certain: true })
    }
}

/// Returns whether a proxy has passed a request on, trusted or not.
pub(crate) fn came_through_a_proxy(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str();
        OF_PROXIES.contains(&name) || OF_PROXIES_BEGIN.iter().any(|begin| name.starts_with(begin))
    })
}

/// Header fields that proxies and CDNs add.
const OF_PROXIES: &[&str] =
    &["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cdn-loop"];

/// Beginnings of such fields.
const OF_PROXIES_BEGIN: &[&str] = &["x-forwarded-", "x-original-", "x-envoy-", "cf-", "fastly-"];

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(header: Option<ProxyHeader>, peer: &str, fields: &[(&str, &str)]) -> String {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap());
        let trust = Trust::new(networks.into(), header);
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let client = Client::new((peer.parse::<IpAddr>().unwrap(), 1).into());
        let Caller { address, is_certain } = trust.caller(&headers, &client);
        format!("{address}{}", if is_certain { "" } else { "?" })
    }

    #[test]
    fn the_last_address_that_is_not_trusted_is_the_client() {
        let (list, forwarded, via) = ("x-forwarded-for", "forwarded", "via");
        for (peer, fields, expected) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // Nobody but a trusted proxy is believed.
            ("192.0.2.1", &[(list, "192.0.2.9")], "192.0.2.1?"),
            ("192.0.2.1", &[(forwarded, "for=10.0.0.1")], "192.0.2.1?"),
            ("192.0.2.1", &[(via, "1.1 x")], "192.0.2.1?"),
            ("10.0.0.1", &[(via, "1.1 x")], "10.0.0.1?"),
            ("10.0.0.1", &[(list, "192.0.2.9")], "192.0.2.9"),
            ("10.0.0.1", &[(forwarded, "for=192.0.2.9")], "192.0.2.9"),
            // Addresses of IPv4 in IPv6 are those of IPv4.
            ("::ffff:10.0.0.1", &[(list, "::ffff:192.0.2.9")], "192.0.2.9"),
            ("2001:db8:1::1", &[(list, "2001:db8:2::1, 10.1.1.1")], "2001:db8:2::1"),
            // What a client has made up is before what the proxies have added.
            ("10.0.0.1", &[(list, "10.9.9.9, 192.0.2.9, 10.0.0.2")], "192.0.2.9"),
            (
                "10.0.0.1",
                &[(list, "10.9.9.9"), (list, "192.0.2.9"), (list, "10.0.0.2")],
                "192.0.2.9",
            ),
            ("10.0.0.1", &[(list, "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            ("10.0.0.1", &[(list, "192.0.2.8, junk, 10.0.0.2")], "10.0.0.2?"),
            ("10.0.0.1", &[(list, "junk")], "10.0.0.1?"),
            ("10.0.0.1", &[(list, "")], "10.0.0.1"),
            ("10.0.0.1", &[(forwarded, "for=\"192.0.2.8, for=192.0.2.9")], "10.0.0.1?"),
            ("10.0.0.1", &[(forwarded, "for=192.0.2.8"), (forwarded, "for=unknown")], "10.0.0.1?"),
            // Two fields that contradict each other.
            ("10.0.0.1", &[(list, "192.0.2.9"), (forwarded, "for=192.0.2.9")], "192.0.2.9"),
            ("10.0.0.1", &[(list, "192.0.2.9"), (forwarded, "for=192.0.2.8")], "10.0.0.1?"),
        ] {
            assert_eq!(caller(None, peer, fields), expected, "{peer} {fields:?}");
        }
        let both = &[(list, "192.0.2.9"), (forwarded, "for=192.0.2.8")][..];
        assert_eq!(caller(Some(ProxyHeader::XForwardedFor), "10.0.0.1", both), "192.0.2.9");
        assert_eq!(caller(Some(ProxyHeader::Forwarded), "10.0.0.1", both), "192.0.2.8");
        let long = vec!["10.0.0.2"; 1000].join(",");
        assert_eq!(caller(None, "10.0.0.1", &[(list, &long)]), "10.0.0.2?");
    }
}
