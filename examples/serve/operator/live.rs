//! The operator starts and stops publishing points.

use std::sync::Arc;

use common::Plain;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;
use smooth_origin::origin::{LivePoint, LivePoints};

use super::answer::{other_method, words};
use super::purge::{Asked, in_json};
use crate::site::SiteBody;

/// A change of publishing points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// `POST /-/live/start`.
    Start,
    /// `POST /-/live/stop`.
    Stop,
}

impl Change {
    /// Returns what a request asks for, if it is of this kind.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        match request.uri().path() {
            "/-/live/start" => Some(Self::Start),
            "/-/live/stop" => Some(Self::Stop),
            _ => None,
        }
    }

    /// Does what is asked for. The client may.
    pub(super) async fn carry_out<B>(
        self,
        points: &LivePoints,
        request: &Request<B>,
    ) -> Response<SiteBody> {
        if *request.method() != Method::POST {
            return other_method("POST");
        }
        let found = match Asked::read(request.uri().query().unwrap_or_default()) {
            Err(sentence) => return words(StatusCode::BAD_REQUEST, &sentence),
            Ok(Asked::All) => points.list(),
            Ok(Asked::Names(names)) => {
                let mut found = Vec::new();
                for name in names {
                    let Some(point) = points.get(&name) else {
                        let sentence = format!("there is no publishing point `{}`", Plain(&name));
                        return words(StatusCode::NOT_FOUND, &sentence);
                    };
                    found.push(point);
                }
                found
            }
        };
        // All of them at once: the client may leave while one makes its film.
        found.iter().for_each(|point| self.change(point));
        acknowledged(&found).await;
        let states: Vec<_> = found.iter().map(|point| state_of(point)).collect();
        in_json(&json!({ "points": states }))
    }

    fn change(self, point: &LivePoint) {
        match self {
            Self::Start => point.start(),
            Self::Stop => point.stop(),
        }
    }
}

fn state_of(point: &LivePoint) -> serde_json::Value {
    json!({ "name": point.name().as_str(), "state": point.state().as_str() })
}

/// Waits until the archive has what has changed. It goes on if nobody waits any more.
async fn acknowledged(points: &[Arc<LivePoint>]) {
    let acknowledge = |point: &Arc<LivePoint>| {
        let point = Arc::clone(point);
        // A failure of the archive is in the log.
        tokio::spawn(async move { drop(point.acknowledge().await) })
    };
    let waited: Vec<_> = points.iter().map(acknowledge).collect();
    for point in waited {
        let _ = point.await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, pending};
    use std::io;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use bytes::Bytes;
    use smooth_origin::Name;
    use smooth_origin::live::{PointOptions, PointState};
    use smooth_origin::origin::LiveOptions;
    use smooth_origin::storage::{Archive, Source};

    use super::*;

    /// An archive that has nothing and takes nothing.
    struct Hangs;

    impl Archive for Hangs {
        async fn append(&self, _: &Name, _: u64, _: Bytes) -> io::Result<()> {
            pending().await
        }

        async fn finish(&self, _: &Name) -> io::Result<()> {
            pending().await
        }

        async fn open(&self, _: &Name) -> io::Result<Source> {
            Err(io::ErrorKind::NotFound.into())
        }

        async fn put(&self, _: &Name, _: Bytes) -> io::Result<()> {
            pending().await
        }
    }

    #[tokio::test]
    async fn all_points_stop_though_the_archive_hangs_and_the_client_leaves() {
        let points = LivePoints::new(LiveOptions::default().archive(Hangs));
        for name in ["a.isml", "b.isml", "c.isml"] {
            points.recover(Name::new(name).unwrap(), PointOptions::default()).await.unwrap();
        }
        let order = |what: &str| {
            Request::builder().method("POST").uri(format!("/-/live/{what}?all")).body(()).unwrap()
        };
        for (change, state) in
            [(Change::Stop, PointState::Stopped), (Change::Start, PointState::Idle)]
        {
            let request = order(if change == Change::Stop { "stop" } else { "start" });
            {
                let mut asked = pin!(change.carry_out(&points, &request));
                let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(polled.is_pending(), "it waits for the archive");
            }
            assert!(points.list().iter().all(|point| point.state() == state), "{change:?}");
        }
    }
}
