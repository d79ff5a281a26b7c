//! The part for the operator and their machines: health, metrics, purge.

mod answer;
mod arguments;
mod health;
mod live;
mod meters;
mod other_origin;
mod probe;
mod purge;

use std::sync::Arc;

use common::{Content, Failure};
use http::{Method, Request, Response, StatusCode, Version};
use smooth_origin::Origin;
use smooth_origin::origin::LivePoints;

pub(crate) use arguments::OperatorArguments;
pub(crate) use meters::{Connected, Meters};
pub(crate) use other_origin::is_of_browser;
pub(crate) use probe::probe;

use crate::access::{Access, Client, came_through_a_proxy};
use crate::page::Hosts;
use crate::site::SiteBody;
use answer::{of, other_method, words};
use health::Health;
use purge::{Order, Rights};

/// Answers the operator's requests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Operator {
    shared: Arc<Shared>,
    place: Place,
}

struct Shared {
    origin: Origin,
    /// The publishing points, if encoders may push.
    live: Option<LivePoints>,
    health: Health,
    rights: Rights,
    /// Names by which the operator's part is reached.
    hosts: Hosts,
}

/// The listener on which requests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One for the operator alone.
    Own,
    /// The one of the presentations, on a loopback address. Only programs on this machine reach it,
    /// some of them proxies that pass on what others ask.
    Loopback,
    /// The one of the presentations, which anybody may reach.
    Public,
}

const HOST_SENTENCE: &str = "The operator's part is not served by this name. Ask for it by localhost, or \
     name the host with --page-host when the server starts.";

impl Place {
    /// Returns whether the operator's part is where a request came in.
    fn is_here<B>(self, request: &Request<B>) -> bool {
        match self {
            Self::Own => true,
            // nginx, unless told otherwise, asks by HTTP/1.0 and adds no header field.
            Self::Loopback => {
                request.version() > Version::HTTP_10 && !came_through_a_proxy(request.headers())
            }
            Self::Public => false,
        }
    }
}

impl Operator {
    /// The operator's part for one listener.
    ///
    /// # Errors
    /// The tokens cannot be read.
    pub(crate) fn new(
        content: &Content,
        arguments: &OperatorArguments,
        hosts: Hosts,
        place: Place,
    ) -> Result<Self, Failure> {
        let rights = Rights::new(arguments)?;
        let shared = Shared {
            origin: content.origin().clone(),
            live: content.live().cloned(),
            health: Health::new(content.folders()),
            rights,
            hosts,
        };
        Ok(Self { shared: Arc::new(shared), place })
    }

    /// Has `/readyz` say that the server stops.
    pub(crate) fn stopping(&self) {
        self.shared.health.stopping();
    }

    /// Returns whether the operator's part is where a request came in.
    pub(crate) fn is_here<B>(&self, request: &Request<B>) -> bool {
        self.place.is_here(request)
    }

    /// Refuses a request that calls this server by a name that is not its own.
    fn refuse_host<B>(&self, request: &Request<B>) -> Option<Response<SiteBody>> {
        (!self.shared.hosts.allow(request)).then(|| words(StatusCode::FORBIDDEN, HOST_SENTENCE))
    }

    /// Returns the response, if the request is one of the operator's.
    pub(crate) async fn respond<B>(
        &self,
        request: &Request<B>,
        client: &Client,
        access: &Access,
    ) -> Option<Response<SiteBody>> {
        let is_reading = [Method::GET, Method::HEAD].contains(request.method());
        match request.uri().path() {
            "/healthz" | "/readyz" | "/metrics"
                if !is_reading && request.method().as_str() != "PURGE" =>
            {
                Some(other_method("GET, HEAD"))
            }
            "/healthz" if is_reading => Some(Health::alive()),
            "/readyz" if is_reading => Some(self.shared.health.ready(self.is_here(request)).await),
            "/metrics" if is_reading => self.metrics(request, access),
            _ => self.order(request, client, access).await,
        }
    }

    fn metrics<B>(&self, request: &Request<B>, access: &Access) -> Option<Response<SiteBody>> {
        let meters = access.meters().filter(|_| self.is_here(request))?;
        let refusal = self.refuse_host(request);
        refusal.or_else(|| {
            self.shared.origin.record_metrics();
            common::record_stores();
            let text = meters.text(access.dropped_lines());
            Some(of(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
        })
    }

    async fn order<B>(
        &self,
        request: &Request<B>,
        client: &Client,
        access: &Access,
    ) -> Option<Response<SiteBody>> {
        if let Some(change) = live::Change::of(request) {
            return self.change(change, request).await;
        }
        let order = Order::of(request)?;
        let Shared { origin, rights, hosts, .. } = &*self.shared;
        if rights.is_empty() && !self.is_here(request) {
            return None;
        }
        Some(match rights.check(request, client, access, self.place, hosts) {
            Ok(()) => order.carry_out(origin, request).await,
            Err(sentence) => words(StatusCode::FORBIDDEN, sentence),
        })
    }

    /// Starts or stops publishing points: on the operator's part alone, whoever may purge elsewhere.
    async fn change<B>(
        &self,
        change: live::Change,
        request: &Request<B>,
    ) -> Option<Response<SiteBody>> {
        let points = self.shared.live.as_ref().filter(|_| self.is_here(request))?;
        if other_origin::is_of_other_origin(request) {
            let sentence = "a page of another site must not do this";
            return Some(words(StatusCode::FORBIDDEN, sentence));
        }
        match self.refuse_host(request) {
            Some(refusal) => Some(refusal),
            None => Some(change.carry_out(points, request).await),
        }
    }
}
