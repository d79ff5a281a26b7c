//! Requests that got no answer, or half of one, and why.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use rustls::{CertificateError, InvalidMessage};

use super::super::problem::Problem;

const NO_TLS: &str = "the port of the store does not speak TLS: write its endpoint with http://, or name the port \
                      for https://";

/// Returns whether a connection ended before any answer.
pub(super) fn is_reset(error: &reqwest::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            let kinds = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
            return !error.is_connect() && kinds.contains(&io.kind());
        }
        // What hyper says of a connection that ended before any answer; it has no type for it.
        if inner.to_string() == "connection closed before message completed" {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// A request that got no answer, or half of one. The error's own text has the URL in it.
pub(super) fn unreachable(error: &reqwest::Error) -> Problem {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut io = None;
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            io = io.or(Some(error.kind()));
            match of_tls(error) {
                Some(rustls::Error::InvalidCertificate(why)) => return other(certificate(why)),
                Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                    return Problem::told(ErrorKind::NotConnected, NO_TLS);
                }
                _ => {}
            }
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        return Problem::told(ErrorKind::TimedOut, "the store did not answer in time");
    }
    match io {
        Some(ErrorKind::ConnectionRefused) => Problem::told(
            ErrorKind::ConnectionRefused,
            "the store refuses connections: check its endpoint, and that it runs",
        ),
        // It is not the object that has ended, which is what `UnexpectedEof` would mean.
        None | Some(ErrorKind::UnexpectedEof) if is_reset(error) => Problem::told(
            ErrorKind::ConnectionAborted,
            "the connection to the store broke before the end of the answer",
        ),
        Some(kind) if !error.is_connect() => {
            Problem::told(kind, format!("the connection to the store broke: {kind}"))
        }
        _ if error.is_connect() => Problem::told(
            ErrorKind::NotConnected,
            "the store cannot be reached: check its endpoint and the name of its host",
        ),
        _ => other("the connection to the store broke"),
    }
}

/// The error of TLS inside of errors of this kind, whose `source` is that of the error inside of them.
fn of_tls(mut error: &io::Error) -> Option<&rustls::Error> {
    loop {
        let inside = error.get_ref()?;
        match inside.downcast_ref::<io::Error>() {
            Some(inner) => error = inner,
            None => return inside.downcast_ref(),
        }
    }
}

fn certificate(why: &CertificateError) -> &'static str {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext,
    };
    match why {
        Expired | ExpiredContext { .. } => {
            "the certificate of the store has expired: renew it there, or set the clock of this machine"
        }
        NotValidYet | NotValidYetContext { .. } => {
            "the certificate of the store is not valid yet: set the clock of this machine"
        }
        NotValidForName | NotValidForNameContext { .. } => {
            "the certificate of the store is for another name: check the endpoint"
        }
        _ => {
            "the certificate of the store is not trusted: name a file with its root certificate in STORE_ROOT_CERTIFICATES"
        }
    }
}

fn other(sentence: &str) -> Problem {
    Problem::told(ErrorKind::Other, sentence)
}
