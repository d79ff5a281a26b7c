//! `presentations`: the names of the presentations, in pages.

use common::Names;
use http::StatusCode;
use serde::Serialize;

use super::Page;
use super::answer::Answer;
use super::failure::Failure;
use super::open::aside;
use super::query::Query;

#[derive(Serialize)]
struct Presentations {
    presentations: Vec<Named>,
    next: Option<String>,
    walked: usize,
    complete: bool,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Named {
    name: String,
}

#[derive(Serialize)]
struct Problem {
    what: String,
}

/// Number of names of an answer if the query has none, and the most that it may have.
const USUAL: usize = 100;
const MOST: usize = 1000;

pub(super) async fn answer(page: &Page, query: &Query) -> Result<Answer, Failure> {
    let search = query.get("search").unwrap_or_default().to_owned();
    let after = query.get("after").map(str::to_owned);
    let limit = query.number("limit")?.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        let what = format!("`limit` is {limit}: an answer has 1 to {MOST} names");
        return Err(Failure::new(StatusCode::BAD_REQUEST, what)
            .advise(format!("ask for {MOST} at most, and go on with `after`")));
    }
    let catalogue = page.catalogue.clone();
    aside(move || {
        let Names { names, next, walked, is_complete, problems } =
            catalogue.find(&search, after.as_deref(), limit);
        let presentations = names.into_iter().map(|name| Named { name }).collect();
        let problems = problems.into_iter().map(|what| Problem { what }).collect();
        let complete = is_complete;
        let answer = Presentations { presentations, next, walked, complete, problems };
        Answer::json(StatusCode::OK, &answer)
    })
    .await
}
