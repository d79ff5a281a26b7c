//! `--healthcheck`: asks a server that runs with the same options whether it lives, for containers in which
//! no other program could.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use common::{Failure, Listen};

/// Time to connect, to send and to be answered, for each.
const PATIENCE: Duration = Duration::from_secs(2);

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Beginning of the answer of a server that lives.
const ALIVE: &[u8] = b"HTTP/1.1 200 ";

/// Beginning of the answer on a port with TLS, to a request without. Only a server that lives says so.
const ALIVE_WITH_TLS: &[u8] = b"HTTP/1.1 400 ";

/// Most bytes of an answer that are looked at.
const LONGEST: usize = 1024;

/// Asks the server on `listen`, and returns the address that answered.
///
/// # Errors
/// No server answers there, or it gives another answer.
pub(crate) fn probe(listen: &Listen, has_tls: bool) -> Result<SocketAddr, Failure> {
    let alive = if has_tls { ALIVE_WITH_TLS } else { ALIVE };
    let unknown = |error| Failure::system(format_args!("cannot look up {listen}"), error);
    let mut problems = Vec::new();
    for address in listen.addresses().map_err(unknown)?.into_iter().map(near) {
        match ask(address) {
            Ok(answer) if answer.starts_with(alive) => return Ok(address),
            Ok(answer) => {
                let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
                problems.push(format!("{address} answered `{}`", line.escape_ascii()));
            }
            Err(error) => problems.push(format!("{address}: {error}")),
        }
    }
    Err(Failure::System(format!("no healthy server answers: {}", problems.join("; "))))
}

/// Returns the address by which this machine reaches a server that listens on `address`.
fn near(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Returns the beginning of the answer to a request for `/healthz`.
fn ask(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(REQUEST)?;
    let mut answer = vec![0; LONGEST];
    let mut length = 0;
    // The first line says all.
    while !answer[..length].contains(&b'\n') && length < answer.len() {
        match stream.read(&mut answer[length..])? {
            0 => break,
            read => length += read,
        }
    }
    answer.truncate(length);
    Ok(answer)
}
