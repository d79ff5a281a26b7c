//! From a request to a response: method, status and headers.

use http::header::{
    ALLOW, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
    RETRY_AFTER,
};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};

use super::{OriginService, ServiceBody};
use crate::base::{Error, Group};
use crate::origin::{Answer, Served};
use crate::presentation::Validator;

impl OriginService {
    /// Answers a request; its body is not looked at.
    ///
    /// Failures are responses too: 400 and 404 for requests, 405 for methods, 415 for what cannot
    /// be served as Smooth Streaming, 500 for content that is broken, 503 where the same request
    /// may succeed later.
    pub fn respond<'a, B>(
        &'a self,
        request: &'a Request<B>,
    ) -> impl Future<Output = Response<ServiceBody>> + Send + use<'a, B> {
        // The body is left behind here: the future can be sent whatever it is.
        self.respond_to(request.method(), request.uri(), request.headers())
    }

    async fn respond_to(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Response<ServiceBody> {
        let head = match *method {
            Method::GET => false,
            Method::HEAD => true,
            _ => return not_allowed(),
        };
        let mut response = match self.origin.answer(uri.path()).await {
            Ok(Answer::Reply(served)) => reply(&served, headers),
            Ok(Answer::Redirect(location)) => redirect(location, uri.query()),
            Err(error) => failure(&error),
        };
        if head {
            *response.body_mut() = ServiceBody::default();
        }
        response
    }
}

fn reply(served: &Served, request: &HeaderMap) -> Response<ServiceBody> {
    let reply = served.reply();
    let etag = etag(reply.validator());
    if none_match(request, &etag) {
        return respond(StatusCode::NOT_MODIFIED, [(ETAG, etag)], ServiceBody::default());
    }
    let media_type = HeaderValue::from_static(reply.content().media_type());
    let headers =
        [(CONTENT_TYPE, media_type), (CONTENT_LENGTH, reply.length().into()), (ETAG, etag)];
    respond(StatusCode::OK, headers, ServiceBody::reply(served.body()))
}

/// The query goes along: it may hold what lets the client in.
fn redirect(location: String, query: Option<&str>) -> Response<ServiceBody> {
    let location = query.map(|query| format!("{location}?{query}")).unwrap_or(location);
    match HeaderValue::from_str(&location) {
        Ok(location) => {
            let headers = [(LOCATION, location), (CONTENT_LENGTH, 0_u64.into())];
            respond(StatusCode::FOUND, headers, ServiceBody::default())
        }
        // It is percent-encoded: nothing is left in it that a header cannot hold.
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "invalid-location", None),
    }
}

fn not_allowed() -> Response<ServiceBody> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", None);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// What went wrong: to the client its own fault in words, ours by its code alone.
fn failure(error: &Error) -> Response<ServiceBody> {
    let kind = &error.kind;
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let words = (kind.group() == Group::Request).then(|| kind.to_string());
    let mut response = text(status, kind.code(), words);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn text(status: StatusCode, code: &str, words: Option<String>) -> Response<ServiceBody> {
    let text = match words {
        Some(words) => format!("{code}: {words}\n"),
        None => format!("{code}\n"),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CONTENT_LENGTH, text.len().into()),
    ];
    respond(status, headers, ServiceBody::text(text))
}

fn respond<const N: usize>(
    status: StatusCode,
    headers: [(HeaderName, HeaderValue); N],
    body: ServiceBody,
) -> Response<ServiceBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    response
}

fn etag(validator: Validator) -> HeaderValue {
    let quoted = format!("\"{validator}\"");
    // Hexadecimal digits, letters and dashes.
    HeaderValue::from_str(&quoted).unwrap_or(HeaderValue::from_static("\"\""))
}

/// `If-None-Match` names this validator, weakly compared (RFC 9110, 13.1.2).
fn none_match(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let fields = request.get_all(IF_NONE_MATCH).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(str::trim).any(|tag| {
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
    })
}
