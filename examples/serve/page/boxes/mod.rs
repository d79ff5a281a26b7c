//! `boxes`: the boxes of a stored fragment, or of the head of a file.
use super::Page;
use super::answer::Answer;
use super::failure::Failure;
use super::query::Query;

pub(super) async fn answer(_page: &Page, _query: &Query) -> Result<Answer, Failure> {
    Err(Failure::new(http::StatusCode::NOT_IMPLEMENTED, "not yet"))
}
