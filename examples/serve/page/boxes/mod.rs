//! `boxes`: the boxes of a stored fragment, or of the beginning and the end of a file, with their fields.

mod fields;
mod names;
mod reading;
mod table;
mod tree;

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use smooth_origin::base::Name;
use smooth_origin::origin::{Answer as OriginAnswer, Opened};
use smooth_origin::presentation::Presentation;

use super::answer::Answer;
use super::failure::Failure;
use super::open::{aside, track};
use super::query::Query;
use super::sizes::{self, Fragment, Placed, file};
use super::{Page, urls};
use reading::{Extent, Stored};
use tree::BoxJson;

#[derive(Serialize)]
struct Boxes {
    name: String,
    file: Option<String>,
    /// First byte in the file.
    offset: u64,
    size: u64,
    url: Option<String>,
    boxes: Vec<BoxJson>,
}

pub(super) async fn answer(page: &Page, query: &Query) -> Result<Answer, Failure> {
    let name = query.presentation()?;
    let opened = page.open(&name).await?;
    let presentation = opened.presentation();
    if let Some(file) = query.get("file") {
        return of_file(page, presentation, file).await;
    }
    let placed = track(presentation, query.needed("stream")?, query.needed("track")?)?;
    let place: usize = query.needed("fragment")?;
    let fragment = placed.nth(place).ok_or_else(|| {
        let what = match placed.track.is_served() {
            true => "the track has no such fragment: they are counted from 0",
            false => "the track has no media, and so no fragments: see the findings",
        };
        Failure::new(StatusCode::NOT_FOUND, what)
    })?;
    of_fragment(page, &opened, placed, fragment).await
}

/// Answers with the boxes of a fragment.
async fn of_fragment(
    page: &Page,
    opened: &Arc<Opened>,
    placed: Placed<'_>,
    fragment: Fragment,
) -> Result<Answer, Failure> {
    let (presentation, stream, track) = (opened.presentation(), placed.stream, placed.track);
    let below = urls::fragment(stream, track, &fragment.start.to_string());
    let source = track.source().and_then(|(id, _)| presentation.files().get(id.index()));
    let stored = match source {
        Some(name) => Stored::open(&page.origin, name, presentation).await?,
        // A fragment with a file of its own is what its URL gives.
        None => of_url(page, presentation, &below).await?,
    };
    let extent = Extent::Fragment { start: fragment.offset };
    let tops = stored.read(extent).await.map_err(|error| failed(&error, presentation))?;
    let file = file(presentation, track).map(|file| match source {
        Some(_) => file.to_owned(),
        None => format!("{file}/Fragments({}={})", stream.name(), fragment.start),
    });
    let url = format!("{}/{below}", urls::presentation(presentation.name()));
    let name = presentation.name().as_str().to_owned();
    aside(move || {
        let size = tops.iter().fold(0, |sum: u64, top| sum.saturating_add(top.size));
        let (offset, url) = (fragment.offset, Some(url));
        let boxes = Boxes { name, file, offset, size, url, boxes: tree::of(&tops, offset) };
        Answer::json(StatusCode::OK, &boxes)
    })
    .await
}

/// Returns the file of a fragment, as a request for it gives it.
async fn of_url(page: &Page, presentation: &Presentation, below: &str) -> Result<Stored, Failure> {
    let asked = page.origin.ask_in(presentation.name(), below, None).await;
    let asked = asked.map_err(|error| failed(&error, presentation))?;
    match asked.answer().await.map_err(|error| failed(&error, presentation))? {
        OriginAnswer::Reply(served) => Ok(Stored::of(served)),
        _ => Err(Failure::new(StatusCode::NOT_FOUND, "the fragment is elsewhere")),
    }
}

/// Answers with the boxes of a file up to its first fragment, and of its index behind the last one.
async fn of_file(page: &Page, of: &Presentation, asked: &str) -> Result<Answer, Failure> {
    // Files of the presentation alone: this is no way to look at others.
    let mut files = of.files().iter();
    let name = files.find(|name| sizes::beside(of.name(), name) == asked).ok_or_else(|| {
        Failure::new(StatusCode::NOT_FOUND, "the presentation has no such file")
            .advise("name a file as the tracks do")
    })?;
    let stored = Stored::open(&page.origin, name, of).await?;
    let tops = stored.read(Extent::Ends).await.map_err(|error| failed(&error, of))?;
    let (name, file) = (of.name().as_str().to_owned(), Some(asked.to_owned()));
    let size = stored.size();
    aside(move || {
        let boxes = tree::of(&tops, 0);
        Answer::json(StatusCode::OK, &Boxes { name, file, offset: 0, size, url: None, boxes })
    })
    .await
}

fn failed(error: &smooth_origin::Error, presentation: &Presentation) -> Failure {
    Failure::of(error, Some(presentation.name()), Some(presentation))
}

impl Stored {
    /// Opens a file of a presentation.
    async fn open(
        origin: &smooth_origin::Origin,
        name: &Name,
        presentation: &Presentation,
    ) -> Result<Self, Failure> {
        let served = origin.file(name).await;
        served.map(Self::of).map_err(|error| failed(&error, presentation).in_file(name.as_str()))
    }
}
