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
        let mut states = Vec::new();
        for point in &found {
            self.change(point).await;
            states.push(json!({ "name": point.name().as_str(), "state": point.state().as_str() }));
        }
        in_json(&json!({ "points": states }))
    }

    async fn change(self, point: &Arc<LivePoint>) {
        match self {
            Self::Start => point.start(),
            Self::Stop => point.stop(),
        }
        // A failure of the archive is in the log.
        let _ = point.acknowledge().await;
    }
}
