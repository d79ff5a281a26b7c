//! The lines that say where a server is to be found.

use std::net::SocketAddr;

use crate::listing::reached;
use crate::terminal;

/// Prints where the server listens.
pub fn announce(address: SocketAddr) {
    // A closed stdout is not a failure.
    let _ = terminal::line(&format!("listening on {address}; stop with Ctrl-C"));
}

/// Prints the URL of the page, for a click.
pub fn announce_page(scheme: &str, address: SocketAddr) {
    let _ = terminal::line(&format!("page: {scheme}://{}/", reached(address)));
}
