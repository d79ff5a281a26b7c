//! Everything that one listener answers: presentations first, and beside them what is for the operator alone.
//!
//! ```text
//!  connection ─► access (who asks, log) ─► site ─┬─► operator: health, metrics, purge
//!                                                ├─► live: what encoders push
//!                                                ├─► page: the page, its files, its JSON
//!                                                └─► service: presentations
//! ```

mod body;
mod tenant;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use common::HostRules;
use common::log::during;
use http::header::HOST;
use http::{Method, Response, Version};
use hyper::Request;
use hyper::body::Incoming;
use smooth_origin::service::{IngestService, OriginService};

pub(crate) use body::SiteBody;
pub(crate) use tenant::placed;

use crate::access::{Access, Class, Client};
use crate::live::Live;
use crate::operator::{Connected, Operator};
use crate::page::Page;

/// Answers the requests of a listener. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Site(Arc<Parts>);

/// The parts of a site; those that a listener does not have are `None`.
pub(crate) struct Parts {
    pub(crate) service: OriginService,
    pub(crate) hosts: HostRules,
    pub(crate) access: Access,
    pub(crate) live: Option<Live>,
    pub(crate) operator: Option<Operator>,
    pub(crate) page: Option<Page>,
}

impl Site {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) async fn respond(
        &self,
        request: Request<Incoming>,
        client: &Client,
    ) -> Response<SiteBody> {
        let parts = &*self.0;
        let Some(mut record) = parts.access.begin(&request, client) else {
            return parts.respond(request, client).await.0;
        };
        let (id, is_head) = (record.id().clone(), *request.method() == Method::HEAD);
        let mut responding = pin!(parts.respond(request, client));
        let (mut response, class) =
            poll_fn(|context| during(&id, || responding.as_mut().poll(context))).await;
        parts.access.tell_id(&id, response.headers_mut());
        record.answered(&response, class, is_head);
        response.map(|body| body.recorded(record))
    }

    /// Counts and logs a response that the connection itself makes.
    pub(crate) fn record(
        &self,
        request: &Request<Incoming>,
        client: &Client,
        response: Response<SiteBody>,
    ) -> Response<SiteBody> {
        match self.0.access.begin(request, client) {
            Some(mut record) => {
                record.answered(&response, None, *request.method() == Method::HEAD);
                response.map(|body| body.recorded(record))
            }
            None => response,
        }
    }

    /// Counts a connection until the guard is dropped.
    pub(crate) fn connection(&self) -> Option<Connected> {
        self.0.access.meters().map(Connected::new)
    }

    /// Returns whether encoders may push.
    pub(crate) fn takes_pushes(&self) -> bool {
        self.0.live.is_some()
    }

    /// Returns whether this listener has the page.
    pub(crate) fn has_page(&self) -> bool {
        self.0.page.is_some()
    }

    /// Counts a connection whose TLS handshake failed.
    pub(crate) fn tls_failed(&self) {
        if let Some(meters) = self.0.access.meters() {
            meters.tls_failed();
        }
    }

    /// Has `/readyz` say that the server stops.
    pub(crate) fn stopping(&self) {
        if let Some(operator) = &self.0.operator {
            operator.stopping();
        }
    }
}

impl Parts {
    /// Returns the response, and the class of the request if a part other than the service has answered.
    async fn respond(
        &self,
        request: Request<Incoming>,
        client: &Client,
    ) -> (Response<SiteBody>, Option<Class>) {
        if let Some(live) = &self.live
            && IngestService::takes(&request)
        {
            return (live.respond(request, client, &self.access, &self.hosts).await, None);
        }
        let request = &request;
        if !is_health(request.uri().path()) && !has_one_host(request) {
            // Refused with 400, whatever is asked for.
            return (self.service.respond(request).await.map(SiteBody::from), None);
        }
        if let Some(operator) = &self.operator
            && let Some(response) = operator.respond(request, client, &self.access).await
        {
            return (response, Some(Class::Operator));
        }
        if let Some(page) = &self.page
            && is_of_page(request.uri().path())
            && self.operator.as_ref().is_some_and(|operator| operator.is_here(request))
            && let Some(response) = page.respond(request).await
        {
            return (response, Some(Class::Page));
        }
        if let Some(request) = tenant::placed(&self.hosts, request) {
            return (self.service.respond(&request).await.map(SiteBody::from), None);
        }
        (self.service.respond(request).await.map(SiteBody::from), None)
    }
}

/// Returns whether a path is one of the probes of load balancers, which may leave `Host` out.
fn is_health(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// Returns whether a request names its host as HTTP/1.1 demands (RFC 9112, 3.2), not twice, and need not in
/// other versions.
fn has_one_host(request: &Request<Incoming>) -> bool {
    match request.headers().get_all(HOST).iter().count() {
        0 => request.version() != Version::HTTP_11,
        count => count == 1,
    }
}

/// Returns whether a path is the page's.
fn is_of_page(path: &str) -> bool {
    matches!(path, "/" | "/-") || path.starts_with("/-/")
}
