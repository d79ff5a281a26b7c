//! The page: presentations, what is in them, and their timeline as a picture; the same as JSON.
//!
//! ```text
//!  request ─► hosts ─► query ─► server, presentations, presentation, timeline, boxes ─► answer
//!               │ by another name: 403                     assets, player ──────────────┘
//! ```

mod answer;
mod assets;
mod boxes;
mod codec_words;
mod failure;
mod findings;
mod health;
mod hosts;
mod languages;
mod live;
mod media;
mod open;
mod options;
mod player;
mod presentation;
mod presentations;
mod query;
mod server;
mod sizes;
mod timeline;
mod unsent;
mod urls;

use std::net::SocketAddr;
use std::sync::Arc;

use common::{Catalogue, Format};
use http::{Method, Response, StatusCode};
use hyper::Request;
use smooth_origin::Origin;
use smooth_origin::origin::LivePoints;

pub(crate) use hosts::Hosts;
pub(crate) use media::Media;
pub(crate) use options::PageOptions;

use crate::site::SiteBody;
use answer::Answer;
use failure::Failure;
use health::Healths;
use query::Query;

/// Answers requests for the page, its files and its JSON.
pub(crate) struct Page {
    pub(crate) origin: Origin,
    /// The names of all presentations.
    pub(crate) catalogue: Catalogue,
    /// The address that the page says the server listens on.
    pub(crate) address: SocketAddr,
    /// The formats that are served.
    pub(crate) formats: Vec<Format>,
    /// Names by which the page is reached.
    pub(crate) hosts: Hosts,
    /// The health of presentations that the page has opened.
    pub(crate) healths: Arc<Healths>,
    /// Where clients find the presentations.
    pub(crate) media: Media,
    /// The publishing points, if encoders may push.
    pub(crate) live: Option<LivePoints>,
}

impl Page {
    /// Returns the response, if the request is one for the page.
    pub(crate) async fn respond<B>(&self, request: &Request<B>) -> Option<Response<SiteBody>> {
        let path = request.uri().path();
        if path != "/" && path != "/-" && !path.starts_with("/-/") {
            return None;
        }
        let answer = match self.refusal(request) {
            Some(refusal) => refusal,
            None => {
                let query = request.uri().query().unwrap_or("");
                self.answer(path, query, self.media.base(request)).await
            }
        };
        Some(answer.into_response(request))
    }

    /// Returns the answer to a request that is not for this page.
    fn refusal<B>(&self, request: &Request<B>) -> Option<Answer> {
        if !self.hosts.allow(request) {
            return Some(Answer::sentence(StatusCode::FORBIDDEN, hosts::REFUSAL));
        }
        // A page elsewhere cannot read an answer, but could have many made.
        let site = request.headers().get("sec-fetch-site").map(|site| site.as_bytes());
        if matches!(site, Some(b"cross-site" | b"same-site"))
            && request.uri().path().starts_with("/-/api/")
        {
            let sentence = "Pages of other sites do not get this.";
            return Some(Answer::sentence(StatusCode::FORBIDDEN, sentence));
        }
        let is_read = [Method::GET, Method::HEAD].contains(request.method());
        (!is_read).then(Answer::not_allowed)
    }

    async fn answer(&self, path: &str, query: &str, base: Option<String>) -> Answer {
        let Some(name) = path.strip_prefix("/-/api/") else {
            return match file(path) {
                Some(asset) => Answer::file(asset),
                None if path.starts_with("/-/player/") => {
                    Answer::sentence(StatusCode::NOT_FOUND, player::MISSING)
                }
                None => Answer::sentence(StatusCode::NOT_FOUND, "The page has no such file."),
            };
        };
        match self.api(name, query, base).await {
            Ok(answer) => answer,
            Err(failure) => failure.into_answer(),
        }
    }

    async fn api(&self, name: &str, query: &str, base: Option<String>) -> Result<Answer, Failure> {
        let query = Query::parse(query)?;
        match name {
            "server" => Ok(server::answer(self)),
            "presentations" => presentations::answer(self, &query).await,
            "presentation" => presentation::answer(self, &query, base).await,
            "health" => health::answer(self, &query).await,
            "live" => Ok(live::answer(self)),
            "timeline" => timeline::answer(self, &query).await,
            "boxes" => boxes::answer(self, &query).await,
            _ => Err(Failure::new(StatusCode::NOT_FOUND, "the page has no such part").advise(
                "ask for server, presentations, presentation, health, live, timeline or boxes",
            )),
        }
    }
}

/// Returns a file of the page or of a player.
fn file(path: &str) -> Option<assets::Asset> {
    match path.strip_prefix("/-/player/") {
        Some(name) => player::asset(name),
        None => assets::asset(path),
    }
}
