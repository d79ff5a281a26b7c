//! A resource under the range and the conditions of a request.

use std::time::SystemTime;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::byte_ranges::{ByteRanges, content_range};
use super::conditions::{self, IfRange, Verdict};
use super::fields::decimal;
use super::problem::Problem;
use super::range::{Selection, select};
use super::resource::Resource;
use super::respond::Asked;
use super::{OriginService, ServiceBody};
use crate::base::Error;

impl OriginService {
    /// Responds with a resource under the range of a request, and under its conditions if they must be
    /// judged.
    pub(super) fn respond_with(
        &self,
        resource: Resource,
        asked: &Asked<'_>,
        judge: bool,
    ) -> Result<Response<ServiceBody>, Error> {
        if judge {
            let present = asked.head.conditions;
            match conditions::evaluate(present, asked.headers, resource.current()) {
                Verdict::Failed => return Ok(self.precondition_failed(asked.path)),
                Verdict::NotModified => return Ok(not_modified(self.told_again(resource.fields))),
                Verdict::Met => {}
            }
        }
        let selection = match asked.head.has_range && !asked.is_head {
            true => selection(&resource, asked.headers, || self.inner.origin.wall_time()),
            // A range is defined for GET alone (RFC 9110, 14.2).
            false => Selection::Whole,
        };
        if selection == Selection::Unsatisfiable {
            return Ok(self.unsatisfiable(resource.content.length(), asked.path));
        }
        if !asked.is_head {
            resource.content.admit()?;
        }
        Ok(selected(resource, selection, asked.is_head))
    }

    pub(super) fn precondition_failed(&self, path: &str) -> Response<ServiceBody> {
        let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "precondition-failed");
        self.problem(&problem, path)
    }

    fn unsatisfiable(&self, length: u64, path: &str) -> Response<ServiceBody> {
        let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range-not-satisfiable")
            .because(format!("no byte of the range is among the {length} that there are"));
        let mut response = self.problem(&problem, path);
        if let Ok(range) = HeaderValue::from_maybe_shared(format!("bytes */{length}")) {
            response.headers_mut().insert(CONTENT_RANGE, range);
        }
        response
    }
}

/// Returns the range that the request asks for; the whole if it asks for one of another version.
fn selection(
    resource: &Resource,
    headers: &HeaderMap,
    now: impl FnOnce() -> SystemTime,
) -> Selection {
    match select(headers, resource.content.length()) {
        Selection::Whole => Selection::Whole,
        selection => match IfRange::of(headers) {
            Some(condition) if !condition.is_met(resource.current(), now()) => Selection::Whole,
            _ => selection,
        },
    }
}

/// Makes a response with status 200 or 206.
fn selected(resource: Resource, selection: Selection, is_head: bool) -> Response<ServiceBody> {
    let Resource { mut fields, content, .. } = resource;
    let total = content.length();
    let mut response = Response::new(ServiceBody::empty());
    let length = match selection {
        _ if is_head => total,
        Selection::Whole | Selection::Unsatisfiable => {
            *response.body_mut() = content.into_body();
            total
        }
        Selection::One(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let field = HeaderValue::from_maybe_shared(content_range(&range, total));
            fields.extend(field.ok().map(|field| (CONTENT_RANGE, field)));
            *response.body_mut() = content.range(range.clone()).into();
            range.end - range.start
        }
        Selection::Many(ranges) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let part = |range| content.range(range);
            let (of, etag) = (&fields[CONTENT_TYPE], fields[ETAG].as_bytes());
            let parts = ByteRanges::new(ranges, total, of, etag, part);
            *response.body_mut() = parts.body;
            fields.insert(CONTENT_TYPE, parts.content_type);
            parts.length
        }
    };
    if length != total {
        fields.insert(CONTENT_LENGTH, decimal(length));
    }
    *response.headers_mut() = fields;
    response
}

pub(super) fn not_modified(fields: HeaderMap) -> Response<ServiceBody> {
    let mut response = Response::new(ServiceBody::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.headers_mut() = fields;
    response
}
