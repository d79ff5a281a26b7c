//! The options about who asks, and the log of it.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;

use super::line::LineForm;
use super::trust::ProxyHeader;

/// The options about who asks, and the log of it.
#[derive(Args)]
pub(crate) struct AccessArguments {
    /// File to which a line is appended for each request, when its response has ended; - for stdout;
    /// SIGHUP opens it again, so that it can be rotated [default: no access log]
    #[arg(long, value_name = "FILE")]
    pub(super) access_log: Option<PathBuf>,

    /// Form of the lines of --access-log: combined as Apache and nginx have it, or json
    #[arg(long, default_value = "combined", value_name = "FORM", value_enum)]
    pub(super) access_log_format: LineForm,

    /// Network of proxies that are trusted, such as 10.0.0.0/8 or 192.0.2.1; they say who the client
    /// is and name the request (X-Request-Id); repeatable [default: no proxy is trusted]
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(super) trust_proxy: Vec<IpNet>,

    /// Header field in which the proxies of --trust-proxy pass the client's address on [default: the
    /// one that a request has; the proxy's address counts if both contradict each other]
    #[arg(long, value_name = "NAME", value_enum)]
    pub(super) proxy_header: Option<ProxyHeader>,

    /// Send X-Request-Id with each response: the name of the request in the logs
    #[arg(long)]
    pub(super) send_request_id: bool,
}

/// A network, or an address, which is a network of one.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(network) = text.parse::<IpNet>() {
        // `10.0.0.1/8` has bits that count for nothing: the wrong length, most often.
        return match network == network.trunc() {
            true => Ok(network),
            false => Err(format!("the network of {text} is {}; write that", network.trunc())),
        };
    }
    text.parse::<IpAddr>().map(IpNet::from).map_err(|_| {
        format!("`{text}` is no network, as 10.0.0.0/8 or 2001:db8::/32 is, and no address")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses_are_taken() {
        let text = |text| network(text).map(|network| network.to_string());
        assert_eq!(text("10.0.0.0/8").unwrap(), "10.0.0.0/8");
        assert_eq!(text("192.0.2.1").unwrap(), "192.0.2.1/32");
        assert_eq!(text("2001:db8::1").unwrap(), "2001:db8::1/128");
        assert!(text("10.0.0.1/8").unwrap_err().ends_with("is 10.0.0.0/8; write that"));
        for wrong in ["", "10.0.0.0/33", "10.0.0", "localhost", "::1/129"] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
    }
}
