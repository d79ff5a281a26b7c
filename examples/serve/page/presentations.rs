//! `presentations`: the names of the presentations, in pages.

use std::sync::Arc;

use common::Names;
use http::StatusCode;
use serde::Serialize;

use super::Page;
use super::answer::Answer;
use super::failure::Failure;
use super::health::{Health, Healths};
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
    /// `None` if it was not opened lately.
    health: Option<Health>,
}

#[derive(Serialize)]
struct Problem {
    what: String,
}

/// Number of names of an answer if the query has none, and the most that it may have.
const USUAL: usize = 100;
const MOST: usize = 1000;

/// Presentations that are asked for.
#[derive(Clone, Copy)]
enum Wanted {
    All,
    /// Opened, and not fine.
    Sick,
    /// Not opened lately.
    Unchecked,
}

impl Wanted {
    fn takes(self, healths: &Healths, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Sick => healths.get(name).is_some_and(|health| health != Health::Fine),
            Self::Unchecked => healths.get(name).is_none(),
        }
    }
}

pub(super) async fn answer(page: &Page, query: &Query) -> Result<Answer, Failure> {
    let search = query.get("search").unwrap_or_default().to_owned();
    let after = query.get("after").map(str::to_owned);
    let limit = query.number("limit")?.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        let what = format!("`limit` is {limit}: an answer has 1 to {MOST} names");
        return Err(Failure::new(StatusCode::BAD_REQUEST, what)
            .advise(format!("ask for {MOST} at most, and go on with `after`")));
    }
    let wanted = match query.get("health").unwrap_or("all") {
        "all" => Wanted::All,
        "sick" => Wanted::Sick,
        "unchecked" => Wanted::Unchecked,
        _ => {
            let what = "`health` is none of all, sick, unchecked";
            return Err(Failure::new(StatusCode::BAD_REQUEST, what));
        }
    };
    let (catalogue, healths) = (page.catalogue.clone(), Arc::clone(&page.healths));
    let mut answer = aside(move || {
        let Names { names, next, walked, is_complete, problems } =
            catalogue.find(&search, &|name| wanted.takes(&healths, name), after.as_deref(), limit);
        let presentations = names.into_iter().map(|name| Named { name, health: None }).collect();
        let problems = problems.into_iter().map(|what| Problem { what }).collect();
        let complete = is_complete;
        Presentations { presentations, next, walked, complete, problems }
    })
    .await?;
    for named in &mut answer.presentations {
        named.health = page.healths.get(&named.name);
    }
    Ok(Answer::json(StatusCode::OK, &answer))
}
