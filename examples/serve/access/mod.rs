//! The client of each request: the other end of the connection, or what a trusted proxy says. Each
//! request is counted and logged when its response has ended.
//!
//! ```text
//!  request ─► trust (who), request_id ─► record ─── of the body, until its last byte is sent
//!                                          │
//!                                          └─ dropped ─► meters
//!                                                    └─► line (combined, JSON) ─► writer, a thread
//! ```

mod arguments;
mod class;
mod forwarded;
mod line;
mod record;
mod request_id;
mod trust;
mod writer;

use std::net::SocketAddr;
use std::sync::Arc;

use common::Failure;
use common::log::RequestId;
use http::{HeaderMap, Request};

pub(crate) use arguments::{AccessArguments, network};
pub(crate) use class::{Class, is_presentation};
pub(crate) use line::End;
pub(crate) use record::Record;
pub(crate) use trust::{Trust, came_through_a_proxy};

use crate::operator::Meters;
use line::LineForm;
use writer::{Lines, Writer};

/// The client of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    /// The other end of the connection, which may be a proxy.
    pub(crate) peer: SocketAddr,
    /// Set if the connection is encrypted.
    pub(crate) is_encrypted: bool,
    /// Set if it has proved to own a certificate that was asked for.
    pub(crate) has_certificate: bool,
}

impl Client {
    pub(crate) fn new(peer: SocketAddr) -> Self {
        Self { peer, is_encrypted: false, has_certificate: false }
    }

    /// Returns this client as one whose connection is encrypted, with a certificate of its own or without.
    pub(crate) fn over_tls(self, has_certificate: bool) -> Self {
        Self { is_encrypted: true, has_certificate, ..self }
    }
}

/// Records the requests of all listeners. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Access {
    observers: Arc<Observers>,
    sends_ids: bool,
    /// Set if requests are recorded at all.
    is_on: bool,
}

/// The parts that see how each request ends.
struct Observers {
    trust: Trust,
    log: Option<(LineForm, Lines)>,
    meters: Option<Arc<Meters>>,
}

/// The end of the access log.
pub(crate) struct AccessLog(Option<Writer>);

impl Access {
    /// Opens the access log, if there is to be one.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn open(
        arguments: &AccessArguments,
        meters: Option<Arc<Meters>>,
    ) -> Result<(Self, AccessLog), Failure> {
        let trust = Trust::new(arguments.trust_proxy.clone(), arguments.proxy_header);
        let (lines, writer) =
            arguments.access_log.as_deref().map(writer::open).transpose()?.unzip();
        let log = lines.map(|lines| (arguments.access_log_format, lines));
        let sends_ids = arguments.send_request_id;
        let is_on = sends_ids || !trust.is_empty() || log.is_some() || meters.is_some();
        let access =
            Self { observers: Arc::new(Observers { trust, log, meters }), sends_ids, is_on };
        Ok((access, AccessLog(writer)))
    }

    /// Checks what [`open`](Self::open) would refuse. Makes no file.
    ///
    /// # Errors
    /// The access log could not be opened.
    pub(crate) fn check(arguments: &AccessArguments) -> Result<(), Failure> {
        arguments.access_log.as_deref().map_or(Ok(()), writer::check)
    }

    /// Begins the record of a request, if requests are recorded.
    pub(crate) fn begin<B>(&self, request: &Request<B>, client: &Client) -> Option<Record> {
        self.is_on.then(|| {
            let is_given = self.observers.trust.has(client);
            let id = is_given.then(|| request_id::given(request.headers())).flatten();
            let id = id.unwrap_or_else(request_id::new);
            Record::new(&self.observers, request, client, id)
        })
    }

    /// Adds the name of a request to the response's fields, if clients are told.
    pub(crate) fn tell_id(&self, id: &RequestId, headers: &mut HeaderMap) {
        if let Some(value) = self.sends_ids.then(|| id.to_field()).flatten() {
            headers.insert(request_id::X_REQUEST_ID, value);
        }
    }

    /// Returns whether a proxy may say who the client is.
    pub(crate) fn trusts_proxies(&self) -> bool {
        !self.observers.trust.is_empty()
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.observers.trust
    }

    pub(crate) fn meters(&self) -> Option<&Arc<Meters>> {
        self.observers.meters.as_ref()
    }

    /// Returns the number of lines of the access log that were dropped.
    pub(crate) fn dropped_lines(&self) -> u64 {
        self.observers.log.as_ref().map_or(0, |(_, lines)| lines.dropped())
    }
}

impl AccessLog {
    /// Writes what still waits to be written.
    pub(crate) fn end(self) {
        if let Some(writer) = self.0 {
            writer.end();
        }
    }
}
