//! `presentations`: the names of the presentations, in pages.

use std::sync::Arc;

use common::{Catalogue, Names};
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
    /// Opened, and not fine; the worst come first.
    Sick,
    /// Not opened lately.
    Unchecked,
}

/// Healths of sick presentations, the worst first.
const SICK: &[Health] = &[Health::NotServed, Health::Errors, Health::Warnings];

impl Wanted {
    /// Returns up to `limit` names behind `after`.
    fn find(
        self,
        catalogue: &Catalogue,
        healths: &Healths,
        (search, after): (&str, Option<&str>),
        limit: usize,
    ) -> Names {
        match self {
            Self::All => catalogue.find(search, &|_| true, after, limit),
            Self::Unchecked => {
                catalogue.find(search, &|name| healths.get(name).is_none(), after, limit)
            }
            Self::Sick => worst(catalogue, healths, (search, after), limit),
        }
    }
}

/// Returns the sick presentations, the worst first, and those of one health in the order of their names.
fn worst(
    catalogue: &Catalogue,
    healths: &Healths,
    (search, after): (&str, Option<&str>),
    limit: usize,
) -> Names {
    // One whose health has changed since the page before may be shown twice or left out.
    let before = after.and_then(|after| healths.get(after));
    let begin = SICK.iter().position(|health| Some(*health) == before).unwrap_or(0);
    let mut all: Option<Names> = None;
    for health in &SICK[begin..] {
        if all.as_ref().is_some_and(|all| all.next.is_some()) {
            break;
        }
        let after = after.filter(|_| Some(*health) == before);
        let room = limit - all.as_ref().map_or(0, |all| all.names.len());
        // With no room left, one of them shows that there are more.
        let of_health = |name: &str| healths.get(name) == Some(*health);
        let found = catalogue.find(search, &of_health, after, room.max(1));
        let Some(all) = &mut all else {
            all = Some(found);
            continue;
        };
        let has_more = found.next.is_some() || room == 0 && !found.names.is_empty();
        all.names.extend(found.names.into_iter().take(room));
        if has_more {
            all.next = all.names.last().cloned();
        }
        (all.is_complete, all.problems) = (found.is_complete, found.problems);
        all.walked = found.walked;
    }
    all.unwrap_or_else(|| catalogue.find(search, &|_| false, None, limit))
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
            wanted.find(&catalogue, &healths, (&search, after.as_deref()), limit);
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
