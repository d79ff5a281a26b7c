//! `server`: what the server is.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;

use super::answer::Answer;
use super::{Page, player};

#[derive(Serialize)]
struct Server {
    version: &'static str,
    listening: String,
    roots: Vec<RootJson>,
    formats: Vec<&'static str>,
    players: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
struct RootJson {
    prefix: Option<String>,
    folder: String,
}

pub(super) fn answer(page: &Page) -> Answer {
    let root = |(prefix, folder): (Option<&str>, String)| RootJson {
        prefix: prefix.map(str::to_owned),
        folder,
    };
    let server = Server {
        version: env!("CARGO_PKG_VERSION"),
        listening: page.address.to_string(),
        roots: page.catalogue.folders().map(root).collect(),
        formats: page.formats.iter().map(|format| format.as_str()).collect(),
        players: player::versions().iter().copied().collect(),
    };
    Answer::json(StatusCode::OK, &server)
}
