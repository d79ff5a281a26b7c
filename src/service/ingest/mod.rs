//! Pushes over HTTP: [MS-SSTR] 2.2.7, Azure's variant of it, and DASH-IF ingest 1.2, interface 1.
//!
//! ```text
//!  request ─► path, method, framing ─► authorize ─► body, frame by frame ─► Push ─► LivePoint
//! ```

mod flat;
mod path;
mod peers;
mod receiving;
mod refusal;
mod request;
mod said;
#[cfg(feature = "tower")]
mod tower;

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};
use http_body::Body;

pub use request::{IngestRequest, Peer, Verdict};

use super::{OriginService, ServiceBody};
use crate::origin::LivePoints;
use flat::FlatFiles;
use path::IngestPath;
use peers::Peers;

/// Takes what encoders push to publishing points: POST and PUT, by RFC 9110.
///
/// | Path | Body |
/// |---|---|
/// | `/NAME.isml/Streams(ID)` | a stream of boxes, as long as the event or as short as one fragment |
/// | `/NAME.isml/Events(EVENT)/Streams(ID)` | the same; another `EVENT` begins another presentation |
/// | `/NAME.isml/TRACK.cmfv`, `/NAME.isml/TRACK/….m4s` | a CMAF header, then a segment per request |
/// | `/NAME.isml/init-TRACK.m4s`, `/NAME.isml/chunk-TRACK-00001.m4s` | the same, of several tracks side by side, as ffmpeg names files of DASH and HLS |
/// | `/NAME.isml/….mpd`, `….m3u8` | the encoder's own manifest, of which only the end is used: of an MPD that is no longer `dynamic`, and of a playlist |
///
/// DELETE of a file, as encoders send it when segments leave their own window, is answered with 200 and changes
/// nothing.
///
/// An empty body is a probe: it is answered with 200 if the encoder may push, and creates nothing. The
/// query `encoder=ID` tells two encoders of one stream apart that have one address.
///
/// Anyone who can push can fill memory and disks: without [`authorize`](Self::authorize), a push is taken
/// from this machine alone, and only if the host puts a [`Peer`] into the request's extensions.
///
/// ```
/// use smooth_origin::live::PointOptions;
/// use smooth_origin::origin::{LiveOptions, LivePoints, Origin};
/// use smooth_origin::service::{IngestService, OriginService, Verdict};
/// use smooth_origin::storage::MemoryStore;
///
/// let options = LiveOptions::default().on_first_push(|_| Some(PointOptions::default()));
/// let points = LivePoints::new(options);
/// let origin = Origin::builder(MemoryStore::new()).live(points.clone()).build();
/// let service = IngestService::new(points)
///     .authorize(|request| match request.token().as_deref() {
///         Some("a secret") => Verdict::Allow,
///         _ => Verdict::Forbid("it has not the token"),
///     })
///     // Requests that push nothing.
///     .otherwise(OriginService::new(origin));
/// # let _ = service;
/// ```
#[derive(Clone)]
pub struct IngestService {
    points: LivePoints,
    authorize: Arc<Authorize>,
    idle_timeout: Option<Duration>,
    peers: Peers,
    pushes_per_address: usize,
    flat: Arc<FlatFiles>,
    otherwise: Option<OriginService>,
}

type Authorize = dyn Fn(&IngestRequest<'_>) -> Verdict + Send + Sync;

impl IngestService {
    /// Takes pushes to these points, from this machine alone.
    pub fn new(points: LivePoints) -> Self {
        Self {
            points,
            authorize: Arc::new(only_loopback),
            idle_timeout: None,
            peers: Peers::default(),
            pushes_per_address: 200,
            flat: Arc::default(),
            otherwise: None,
        }
    }

    /// Sets who may push; default: whoever [is on this machine](IngestRequest::is_from_loopback). The rule is
    /// asked before anything of the body is read, and before it shows whether there is such a point.
    pub fn authorize(
        mut self,
        rule: impl Fn(&IngestRequest<'_>) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        self.authorize = Arc::new(rule);
        self
    }

    /// Longest time in which nothing comes of a body that is not at its end; default: any time, because
    /// encoders are silent for as long as a fragment lasts, and ffmpeg sends sound alone at the end of the
    /// event. A push that is silent for longer is ended with 408, with a line in the log.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Number of pushes that may run at one time from one address ([`Peer`]); default 200, so that no address has
    /// all that may run at a publishing point. Others are refused with 503.
    pub fn pushes_per_address(mut self, pushes: usize) -> Self {
        self.pushes_per_address = pushes;
        self
    }

    /// Has requests that push nothing answered by this service; default: they are refused with 404 or 405.
    pub fn otherwise(mut self, service: OriginService) -> Self {
        self.otherwise = Some(service);
        self
    }

    /// The publishing points.
    pub fn points(&self) -> &LivePoints {
        &self.points
    }

    /// Returns whether a request pushes something, so that this service answers it.
    pub fn takes<B>(request: &Request<B>) -> bool {
        let path = request.uri().path();
        let may_be = match *request.method() {
            Method::POST | Method::PUT => true,
            Method::DELETE => IngestPath::is_of_file(path),
            _ => false,
        };
        may_be && IngestPath::has_point(path)
    }

    /// Takes a body and answers when it has ended, or as soon as it is refused: with 200, 400, 401, 403, 404,
    /// 405, 408, 411, 412, 415 or 503, and a short JSON body (RFC 9457) as that of
    /// [`OriginService::respond`]. A refusal closes the connection, because the rest of the body is not
    /// read: encoders do not look at responses while they send.
    ///
    /// The body is read no faster than its fragments are published. If the future is dropped, the connection
    /// of the encoder counts as lost.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<ServiceBody>
    where
        B: Body,
        B::Error: Display,
    {
        if let Some(service) = &self.otherwise
            && !Self::takes(&request)
        {
            let request = request.map(drop);
            return service.respond(&request).await;
        }
        self.receive(request).await
    }
}

fn only_loopback(request: &IngestRequest<'_>) -> Verdict {
    match request.is_from_loopback() {
        true => Verdict::Allow,
        false => Verdict::Forbid("it comes from another machine"),
    }
}

impl fmt::Debug for IngestService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngestService")
            .field("points", &self.points)
            .field("idle_timeout", &self.idle_timeout)
            .finish_non_exhaustive()
    }
}
