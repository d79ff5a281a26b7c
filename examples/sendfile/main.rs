//! Serves the presentations of folders as `serve` does, without an HTTP library: fragments go from
//! the files to the sockets by `sendfile`, and their bytes never come into this process.
//!
//! ```sh
//! cargo run --release --example sendfile -- /srv/media --listen :80
//! ```
//!
//! `server/connection.rs` shows how a host uses `OriginService::respond_plain`, `ServiceBody::stored`
//! and `LocalFile`. The rest is as much of HTTP/1.1 (RFC 9112) as GET and HEAD need.

#[cfg(target_os = "linux")]
mod server;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    server::run()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("this example uses sendfile as Linux has it; elsewhere there is the example serve");
    std::process::ExitCode::FAILURE
}
