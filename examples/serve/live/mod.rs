//! Pushes of encoders: their rights, and the publishing points that take them.
//!
//! ```text
//!  request ─► rights (address, token, certificate) ─► IngestService ─► LivePoints ◄─ the origin's requests
//! ```

mod archive;
mod arguments;
mod rights;

use std::time::Duration;

use bytes::Bytes;
use common::log::{Level, log};
use common::{Failure, HostRules};
use http::header::{CONNECTION, HeaderValue};
use http::{Response, StatusCode};
use hyper::Request;
use hyper::body::Incoming;
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{LiveOptions, LivePoints};
use smooth_origin::service::{IngestService, Peer};

pub(crate) use arguments::LiveArguments;

use crate::access::{Access, Client};
use crate::site::{SiteBody, placed};
use rights::{Encoder, Rights};

/// Takes pushes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Live {
    service: IngestService,
}

/// Interval at which publishing points look at the time.
const TICK: Duration = Duration::from_secs(1);

/// Makes the publishing points, if there are to be any. They go on with the events of the archive.
///
/// # Errors
/// The archive cannot be used.
pub(crate) async fn points(arguments: &LiveArguments) -> Result<Option<LivePoints>, Failure> {
    if !arguments.live {
        return Ok(None);
    }
    let patterns = arguments.live_create.clone();
    let creates_all = patterns.is_empty() && arguments.live_point.is_empty();
    let of_each = options_of(arguments);
    let options = LiveOptions::default().on_first_push(move |name| {
        let is_named = || patterns.iter().any(|pattern| pattern.matches(name.as_str()));
        (creates_all || is_named()).then(|| of_each.clone())
    });
    let points = match &arguments.live_archive {
        Some(folder) => archive::recovered(folder, options, &options_of(arguments)).await?,
        None => LivePoints::new(options),
    };
    configure(&points, arguments);
    Ok(Some(points))
}

/// Makes the points that the options name, and gives all of them the window of the options.
pub(crate) fn configure(points: &LivePoints, arguments: &LiveArguments) {
    for name in &arguments.live_point {
        // The option takes nothing but names of points.
        let _ = points.create(name.clone(), options_of(arguments));
    }
    for point in points.list() {
        point.set_window(window(arguments));
    }
}

/// Has publishing points look at the time as long as the server runs.
pub(crate) async fn tick(points: Option<LivePoints>) {
    let Some(points) = points else { return };
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        points.tick();
        // What ends without a push, such as a connection that was lost, is written now.
        points.settle().await;
    }
}

/// Ends all events: what is pushed is published, and encoders are told. The archive has so much time to take it.
pub(crate) async fn stop(points: Option<LivePoints>, within: Duration) {
    let Some(points) = points else { return };
    points.stop();
    if tokio::time::timeout(within, points.settle()).await.is_err() {
        let lost = "the archive of live events did not take everything in time: it goes on at the next start";
        log(Level::Warn, format_args!("{lost}"));
    }
}

/// The answer to a push that could not be taken because of a fault of the server.
fn failed() -> Response<SiteBody> {
    let mut response = Response::new(SiteBody::from(Bytes::new()));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn options_of(arguments: &LiveArguments) -> PointOptions {
    PointOptions::default().look_ahead(arguments.live_look_ahead).window(window(arguments))
}

fn window(arguments: &LiveArguments) -> Option<Duration> {
    Some(arguments.live_window).filter(|window| !window.is_zero())
}

impl Live {
    /// # Errors
    /// The tokens of encoders cannot be read.
    pub(crate) fn new(points: LivePoints, arguments: &LiveArguments) -> Result<Self, Failure> {
        let rights = Rights::new(arguments)?;
        let service = IngestService::new(points).authorize(move |request| rights.judge(request));
        let service = match arguments.live_idle_timeout {
            Some(timeout) => service.idle_timeout(timeout),
            None => service,
        };
        Ok(Self { service })
    }

    /// Checks what [`new`](Self::new) would refuse.
    pub(crate) fn check(arguments: &LiveArguments) -> Result<(), Failure> {
        Rights::new(arguments).map(drop)
    }

    /// Takes a push and answers it.
    pub(crate) async fn respond(
        &self,
        mut request: Request<Incoming>,
        client: &Client,
        access: &Access,
        hosts: &HostRules,
    ) -> Response<SiteBody> {
        let caller = access.trust().caller(request.headers(), client);
        if let Some(placed) = placed(hosts, &request) {
            *request.uri_mut() = placed.uri().clone();
        }
        request.extensions_mut().insert(Peer::new(caller.address));
        request.extensions_mut().insert(Encoder {
            is_certain: caller.is_certain,
            has_certificate: client.has_certificate,
        });
        // An encoder may close its side right behind the body, as ffmpeg does. hyper then drops the future of
        // the response, which must not end before the archive has what was pushed.
        let service = self.service.clone();
        let response = tokio::spawn(async move { service.respond(request).await }).await;
        response.map_or_else(|_| failed(), |response| response.map(SiteBody::from))
    }
}
