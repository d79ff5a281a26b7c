//! Pushes of encoders: their rights, and the publishing points that take them.
//!
//! ```text
//!  request ─► rights (address, token, certificate) ─► IngestService ─► LivePoints ◄─ the origin's requests
//! ```

mod archive;
mod arguments;
mod of_each;
mod rights;
mod settings;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use common::log::{Level, log};
use common::{Failure, HostRules};
use http::header::{CONNECTION, HeaderValue};
use http::{Response, StatusCode, Version};
use hyper::Request;
use hyper::body::Incoming;
use smooth_origin::Name;
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{LiveOptions, LivePoints};
use smooth_origin::service::{IngestService, Peer};

pub(crate) use archive::{Kept, Unrecovered};
pub(crate) use arguments::LiveArguments;
pub(crate) use of_each::OfEach;

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

/// How often the archive deletes what it does not need any more.
const DELETE: Duration = Duration::from_secs(10);

/// How often events are tried that could not be recovered at the start.
const RECOVER: Duration = Duration::from_secs(10);

/// Makes the publishing points, if there are to be any, and their archive. They go on with the events of the archive.
///
/// # Errors
/// The archive cannot be used.
pub(crate) async fn points(
    arguments: &LiveArguments,
    of_each: &OfEach,
    folders: &[(String, PathBuf)],
) -> Result<(Option<LivePoints>, Option<(Kept, Unrecovered)>), Failure> {
    if !arguments.live && arguments.live_follow.is_empty() {
        return Ok((None, None));
    }
    let kept = arguments.live_archive.as_ref().map(Kept::open).transpose()?;
    let options = LiveOptions::default()
        .memory(arguments.live_memory << 20)
        .held_in_memory(arguments.live_held_in_memory as usize);
    let options = followed(options, arguments, of_each);
    let options = match &kept {
        Some(kept) => kept.given_to(options),
        None => options,
    };
    if !arguments.live {
        let kept = kept.map(|kept| (kept, Unrecovered::new()));
        return Ok((Some(LivePoints::new(options)), kept));
    }
    let patterns = arguments.live_create.clone();
    let creates_all = patterns.is_empty() && arguments.live_point.is_empty();
    let others = arguments.clone();
    let may_be = move |name: &Name| {
        let is_created =
            creates_all || patterns.iter().any(|pattern| pattern.matches(name.as_str()));
        is_created && !others.is_followed(name)
    };
    let is_created = may_be.clone();
    let named = named(arguments, of_each, &settings::find(folders));
    let (own, of_others) = (named.clone(), of_each.clone());
    let options = options.on_first_push(move |name| {
        let is_it =
            |(own, _): &&(Name, PointOptions)| own.as_str().eq_ignore_ascii_case(name.as_str());
        // A point that could not be recovered yet is tried again by each push.
        let own = own.iter().find(is_it).map(|(_, options)| options.clone());
        own.or_else(|| is_created(name).then(|| of_others.now()))
    });
    let points = LivePoints::new(options);
    let kept = match kept {
        Some(kept) => {
            let of_each = of_each.now();
            let waiting = archive::recover_all(&kept, &points, &of_each, &named, may_be).await;
            Some((kept, waiting))
        }
        None => None,
    };
    configure(&points, arguments, of_each, folders);
    Ok((Some(points), kept))
}

/// Adds the points that another server writes.
fn followed(options: LiveOptions, arguments: &LiveArguments, of_each: &OfEach) -> LiveOptions {
    if arguments.live_follow.is_empty() {
        return options;
    }
    let (of_each, arguments) = (of_each.clone(), arguments.clone());
    options.follow(move |name| arguments.is_followed(name).then(|| of_each.now()))
}

/// Makes the points that the options and `.isml` files name, and gives all of them their window, but for those whose file
/// cannot be read.
pub(crate) fn configure(
    points: &LivePoints,
    arguments: &LiveArguments,
    of_each: &OfEach,
    folders: &[(String, PathBuf)],
) {
    of_each.change(arguments);
    if !arguments.live {
        return;
    }
    let settings = settings::find(folders);
    settings.iter().for_each(settings::Setting::tell);
    let mut windows = HashMap::new();
    for (name, options) in named(arguments, of_each, &settings) {
        windows.entry(key(&name)).or_insert(options.window_length());
        if points.get(&name).is_none()
            && let Err(error) = points.create(name.clone(), options)
        {
            // Its archive is looked into when the server starts.
            log(Level::Warn, format_args!("{name} is not there before the next start: {error}"));
        }
    }
    let unread = settings.iter().filter(|setting| setting.file.is_err());
    let unread: HashSet<_> = unread.map(|setting| key(&setting.name)).collect();
    let of_others = of_each.now().window_length();
    for point in points.list() {
        let key = key(point.name());
        if !unread.contains(&key) {
            point.set_window(windows.get(&key).copied().unwrap_or(of_others));
        }
    }
}

fn key(name: &Name) -> String {
    name.as_str().to_ascii_lowercase()
}

/// The points that have a name at the start: by their `.isml` files, or by an option.
fn named(
    arguments: &LiveArguments,
    of_each: &OfEach,
    settings: &[settings::Setting],
) -> Vec<(Name, PointOptions)> {
    let of_each = of_each.now();
    let by_file = settings
        .iter()
        .filter_map(|setting| Some((setting.name.clone(), setting.options(&of_each)?)));
    let by_option = arguments.live_point.iter().map(|name| (name.clone(), of_each.clone()));
    let is_here = |(name, _): &(Name, PointOptions)| !arguments.is_followed(name);
    by_file.chain(by_option).filter(is_here).collect()
}

/// Returns what is wrong with the `.isml` files, in sentences.
pub(crate) fn faults(folders: &[(String, PathBuf)]) -> Vec<String> {
    settings::find(folders).iter().flat_map(settings::Setting::faults).collect()
}

/// Has publishing points look at the time as long as the server runs. They do not wait for the archive.
pub(crate) async fn tick(points: Option<LivePoints>, kept: Option<(Kept, Unrecovered)>) {
    let Some(points) = points else { return };
    tokio::spawn(keep(points.clone(), kept));
    let mut interval = every(TICK);
    loop {
        interval.tick().await;
        points.tick();
    }
}

/// Has the archive take what no push waits for, such as the end of an event whose connection was lost, and deletes what
/// it does not need any more.
async fn keep(points: LivePoints, kept: Option<(Kept, Unrecovered)>) {
    let Some((kept, mut waiting)) = kept else { return };
    let (deleting, settling) = (kept.clone(), points.clone());
    tokio::spawn(async move {
        let mut interval = every(DELETE);
        loop {
            interval.tick().await;
            deleting.delete_due().await;
        }
    });
    tokio::spawn(async move {
        let mut interval = every(TICK);
        loop {
            interval.tick().await;
            settling.flush().await;
        }
    });
    tokio::spawn(make_films(points.clone()));
    let mut interval = every(RECOVER);
    while !waiting.is_empty() {
        interval.tick().await;
        waiting = archive::recover_again(&points, waiting).await;
    }
}

/// Makes the films of events that have ended. It may take long, and no point waits for another one.
async fn make_films(points: LivePoints) {
    let mut running: HashMap<Name, tokio::task::JoinHandle<()>> = HashMap::new();
    let mut interval = every(TICK);
    loop {
        interval.tick().await;
        running.retain(|_, task| !task.is_finished());
        for point in points.list() {
            running.entry(point.name().clone()).or_insert_with(|| {
                // A failure was reported.
                tokio::spawn(async move { drop(point.make_films().await) })
            });
        }
    }
}

fn every(time: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(time);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    interval
}

/// Ends all pushes, and tells encoders. With an archive, which has so much time to take what was pushed, events go on
/// with the next start; without one, they end.
pub(crate) async fn stop(points: Option<LivePoints>, within: Duration) {
    let Some(points) = points else { return };
    points.suspend();
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

impl Live {
    /// # Errors
    /// The tokens of encoders cannot be read.
    pub(crate) fn new(service: IngestService, arguments: &LiveArguments) -> Result<Self, Failure> {
        let rights = Rights::new(arguments)?;
        let service = service
            .authorize(move |request| rights.judge(request))
            .pushes_per_address(arguments.live_pushes);
        let service = match arguments.live_idle_timeout {
            Some(timeout) => service.idle_timeout(timeout),
            None => service,
        };
        Ok(Self { service })
    }

    /// Checks what [`new`](Self::new) would refuse.
    pub(crate) fn check(arguments: &LiveArguments) -> Result<(), Failure> {
        arguments.live_archive.as_ref().map_or(Ok(()), Kept::check)?;
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
        // nginx, unless told otherwise, asks by HTTP/1.0 and adds no header field.
        let may_be_a_proxy = request.version() <= Version::HTTP_10
            && caller.address == client.peer.ip().to_canonical();
        request.extensions_mut().insert(Encoder {
            is_certain: caller.is_certain && !may_be_a_proxy,
            has_certificate: client.has_certificate,
        });
        // An encoder may close its side right behind the body, as ffmpeg does. hyper then drops the future of
        // the response, which must not end before the archive has what was pushed.
        let service = self.service.clone();
        let response = tokio::spawn(async move { service.respond(request).await }).await;
        response.map_or_else(|_| failed(), |response| response.map(SiteBody::from))
    }
}
