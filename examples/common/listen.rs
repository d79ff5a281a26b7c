//! The value of `--listen`: where a server accepts connections.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::str::FromStr;
#[cfg(any(target_os = "android", target_os = "linux"))]
use std::time::Duration;

use crate::Failure;

/// An address and a port, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    host: Host,
    port: u16,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// Every address of this machine.
    All,
    Address(IpAddr),
    /// A name that is looked up.
    Name(String),
}

impl FromStr for Listen {
    type Err = String;

    /// `ADDRESS:PORT`, `NAME:PORT`, `:PORT` for every address, `PORT` for this machine alone.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, rest)) = text.split_once("://") {
            let rest = rest.trim_end_matches('/');
            return Err(format!("leave out the scheme: {rest}"));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err("an IPv6 address stands in brackets before its port: [::1]:8080".into());
        }
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (Host::parse(host)?, port),
            None if is_number => (Host::Address(Ipv4Addr::LOCALHOST.into()), text),
            _ if text.is_empty() => return Err("give an address and a port: 127.0.0.1:8080".into()),
            _ => return Err(format!("give a port as well: {text}:8080")),
        };
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| is_number);
        let port = port.ok_or("a port is a number from 0 to 65535; 0 takes one that is free")?;
        Ok(Self { host, port, text: text.into() })
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let address = inner.parse().map(|address: Ipv6Addr| Self::Address(address.into()));
            return address.map_err(|_| format!("`{inner}` is no IPv6 address, as ::1 is"));
        }
        if matches!(text, "" | "*") {
            return Ok(Self::All);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        if text.contains(':') {
            return Err("an IPv6 address stands in brackets before its port: [::1]:8080".into());
        }
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        match !is_number && text.bytes().all(is_in_name) {
            true => Ok(Self::Name(text.into())),
            false => Err(format!("`{text}` is no address and no name of a host")),
        }
    }
}

impl Listen {
    /// Opens the first of the addresses that can be listened on, in non-blocking mode. `option` is the
    /// one that has them.
    ///
    /// # Errors
    /// With what to do about the usual reasons.
    pub async fn bind(&self, option: &str) -> Result<TcpListener, Failure> {
        let bound = async {
            let listener = tokio::net::TcpListener::bind(&self.addresses()?[..]).await?;
            let listener = listener.into_std()?;
            prepare(&listener)?;
            Ok(listener)
        };
        bound.await.map_err(|error: io::Error| {
            let advice = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    format!("; another program listens there: choose another {option}")
                }
                io::ErrorKind::PermissionDenied => {
                    "; ports below 1024 need a right (CAP_NET_BIND_SERVICE)".to_owned()
                }
                io::ErrorKind::AddrNotAvailable => {
                    "; that is no address of this machine".to_owned()
                }
                _ => format!("; choose another {option}"),
            };
            Failure::system(
                format_args!("cannot listen on {self}"),
                format_args!("{error}{advice}"),
            )
        })
    }

    /// Returns whether both are the same port of the same address, so that only one can be opened.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        // A free port is another one each time.
        if self.port != other.port || self.port == 0 {
            return false;
        }
        let first = |listen: &Self| listen.addresses().ok()?.first().map(SocketAddr::ip);
        let (Some(one), Some(two)) = (first(self), first(other)) else { return false };
        let has = |all: IpAddr, other: IpAddr| {
            // `[::]` takes IPv4 as well.
            all.is_unspecified() && (all.is_ipv6() || other.is_ipv4())
        };
        one == two || has(one, two) || has(two, one)
    }

    /// Returns the addresses to try, in their order.
    ///
    /// # Errors
    /// The name is not known.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        let with_port = |address: IpAddr| SocketAddr::new(address, self.port);
        Ok(match &self.host {
            // The first takes IPv4 as well; machines without IPv6 only have the second.
            Host::All => {
                vec![
                    with_port(Ipv6Addr::UNSPECIFIED.into()),
                    with_port(Ipv4Addr::UNSPECIFIED.into()),
                ]
            }
            Host::Address(address) => vec![with_port(*address)],
            Host::Name(name) => {
                let mut addresses: Vec<_> = (name.as_str(), self.port).to_socket_addrs()?.collect();
                // A client that tries both protocols finds either; an old one only IPv4.
                addresses.sort_by_key(|address| !address.is_ipv4());
                addresses
            }
        })
    }
}

/// Most bytes of a connection that the system takes before they are on their way to the client.
///
/// Without this, the system takes megabytes at once and is ready for more when a third of them are gone:
/// a slow client would seem to take nothing for so long that a time-out ends it. With this, it is ready when
/// half of it is gone. Less would cost fast clients of long bodies more calls.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNSENT: u32 = 1 << 20;

/// Silence of a connection after which the system asks the other side whether it lives, time between two such
/// questions, and number of those without an answer that end the connection: a minute. An encoder that lost its
/// connection without closing it would otherwise seem to push for ever.
#[cfg(any(target_os = "android", target_os = "linux"))]
const KEEP_ALIVE: (Duration, Duration, u32) = (Duration::from_secs(30), Duration::from_secs(10), 3);

/// Has a socket become writable as its client reads, and notice that its client is gone. Accepted connections
/// have the options of their listener.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn prepare(listener: &TcpListener) -> io::Result<()> {
    let socket = socket2::SockRef::from(listener);
    let (silence, interval, questions) = KEEP_ALIVE;
    let keep_alive = socket2::TcpKeepalive::new();
    let keep_alive = keep_alive.with_time(silence).with_interval(interval).with_retries(questions);
    socket.set_tcp_keepalive(&keep_alive)?;
    socket.set_tcp_notsent_lowat(UNSENT)
}

/// Other systems hold less per connection.
#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn prepare(_listener: &TcpListener) -> io::Result<()> {
    Ok(())
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        text.parse::<Listen>().unwrap().addresses().unwrap()[0].to_string()
    }

    #[test]
    fn addresses_names_and_ports_alone_are_accepted() {
        for (text, address) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("8080", "127.0.0.1:8080"),
            (":8080", "[::]:8080"),
            ("*:8080", "[::]:8080"),
            ("[::1]:8080", "[::1]:8080"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("127.0.0.1:0", "127.0.0.1:0"),
        ] {
            assert_eq!(first(text), address);
        }
    }

    #[cfg(any(target_os = "android", target_os = "linux"))]
    #[test]
    fn accepted_connections_notice_that_the_other_side_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        prepare(&listener).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let socket = socket2::SockRef::from(&accepted);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEP_ALIVE.0);
    }

    #[test]
    fn two_that_only_one_program_can_open_meet() {
        let meet = |one: &str, two: &str| {
            let (one, two): (Listen, Listen) = (one.parse().unwrap(), two.parse().unwrap());
            assert_eq!(one.meets(&two), two.meets(&one));
            one.meets(&two)
        };
        for (one, two) in [
            ("127.0.0.1:80", "80"),
            (":80", "127.0.0.1:80"),
            ("*:80", ":80"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
        ] {
            assert!(meet(one, two), "{one} {two}");
        }
        for (one, two) in [
            ("127.0.0.1:80", "127.0.0.1:81"),
            ("127.0.0.1:80", "127.0.0.2:80"),
            ("0.0.0.0:80", "[::1]:80"),
            (":0", ":0"),
        ] {
            assert!(!meet(one, two), "{one} {two}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_a_sentence() {
        for (text, sentence) in [
            ("", "give an address and a port: 127.0.0.1:8080"),
            ("localhost", "give a port as well: localhost:8080"),
            ("127.0.0.1", "give a port as well: 127.0.0.1:8080"),
            ("[::1]", "give a port as well: [::1]:8080"),
            ("::1", "an IPv6 address stands in brackets before its port: [::1]:8080"),
            ("::1:8080", "an IPv6 address stands in brackets before its port: [::1]:8080"),
            ("[x]:1", "`x` is no IPv6 address, as ::1 is"),
            ("http://localhost:8080/", "leave out the scheme: localhost:8080"),
            ("999.0.0.1:80", "`999.0.0.1` is no address and no name of a host"),
            ("a b:80", "`a b` is no address and no name of a host"),
            (":", "a port is a number from 0 to 65535; 0 takes one that is free"),
            (":+80", "a port is a number from 0 to 65535; 0 takes one that is free"),
            ("65536", "a port is a number from 0 to 65535; 0 takes one that is free"),
            ("localhost:http", "a port is a number from 0 to 65535; 0 takes one that is free"),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap_err(), sentence, "{text}");
        }
    }
}
