//! The cause of a failed response, for the host.

use std::fmt::{self, Write};
use std::sync::Arc;

use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response};

use super::problem::Problem;
use super::{OriginService, ServiceBody};
use crate::base::{Error, Name};
use crate::origin::OneLine;

/// The cause of a response with a status of 4xx or 5xx, for logs and middleware.
///
/// Each such response of the service has one among its extensions. It is not sent to the client, so
/// it may name files of the server. A body that fails after its response has begun yields its error
/// itself.
///
/// `Display` writes one line. Control characters are escaped, so that content cannot forge a line of
/// a log.
///
/// ```
/// use smooth_origin::origin::{Origin, block_on};
/// use smooth_origin::service::{Failure, OriginService};
/// use smooth_origin::storage::MemoryStore;
///
/// let service = OriginService::new(Origin::new(MemoryStore::new()));
/// let request = http::Request::get("http://localhost/film.ism/Manifest").body(())?;
/// let response = block_on(service.respond(&request));
/// if let Some(failure) = response.extensions().get::<Failure>() {
///     // 404 /film.ism/Manifest: no such presentation
///     eprintln!("{} {}: {failure}", response.status().as_u16(), request.uri().path());
///     assert_eq!(failure.code(), "no-presentation");
/// }
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Failure(Arc<Cause>);

#[derive(Debug)]
struct Cause {
    code: &'static str,
    error: Option<Error>,
    /// A sentence about a failure of HTTP itself.
    detail: Option<String>,
    presentation: Option<Name>,
    file: Option<Name>,
}

impl Failure {
    /// A failure of HTTP itself, such as a range that does not exist.
    pub(super) fn of_request(
        code: &'static str,
        detail: Option<String>,
        presentation: Option<Name>,
    ) -> Self {
        Self(Arc::new(Cause { code, error: None, detail, presentation, file: None }))
    }

    /// The `code` in the body of the response: that of
    /// [`ErrorKind::code`](crate::base::ErrorKind::code), or `method-not-allowed`,
    /// `precondition-failed`, `range-not-satisfiable` or `malformed-request`.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The error of the origin. `None` if the request failed by the rules of HTTP alone: its method,
    /// conditions, range, or header fields.
    pub fn error(&self) -> Option<&Error> {
        self.0.error.as_ref()
    }

    /// The presentation that the request was for. `None` if there is no such presentation, for files
    /// beside the presentations, and if a request that failed by the rules of HTTP alone was for a
    /// presentation that is not open.
    pub fn presentation(&self) -> Option<&Name> {
        self.0.presentation.as_ref()
    }

    /// The file in which the error occurred, if it is known.
    pub fn file(&self) -> Option<&Name> {
        self.0.file.as_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cause { code, error, detail, presentation, file } = &*self.0;
        let mut line = OneLine(f);
        for name in presentation.iter().chain(file.as_ref().filter(|_| presentation != file)) {
            write!(line, "{name}: ")?;
        }
        match (error, detail) {
            (Some(error), _) => write!(line, "{error}"),
            (None, Some(detail)) => write!(line, "{code}: {detail}"),
            (None, None) => line.write_str(code),
        }
    }
}

impl OriginService {
    /// Makes the response to a request that fails by the rules of HTTP alone.
    #[cold]
    pub(super) fn problem(&self, problem: &Problem, path: &str) -> Response<ServiceBody> {
        let mut response = self.problem_without_failure(problem, path);
        let presentation = self.inner.origin.presentation_at(path);
        response.extensions_mut().insert(problem.failure(presentation));
        response
    }

    fn problem_without_failure(&self, problem: &Problem, path: &str) -> Response<ServiceBody> {
        let mut response = problem.response();
        if let Some(class) = problem.class() {
            self.add_policy(class, path, None, response.headers_mut());
        } else {
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }

    /// Makes the response to a request that the origin cannot answer.
    #[cold]
    pub(super) fn failed(&self, error: Error, path: &str) -> Response<ServiceBody> {
        let is_awaited = self.inner.origin.is_awaited(path, &error);
        let problem = Problem::from(&error).awaited_if(is_awaited);
        let mut response = self.problem_without_failure(&problem, path);
        let code = error.kind.code();
        let (presentation, file) = self.inner.origin.place_of(path, &error);
        let cause = Cause { code, error: Some(error), detail: None, presentation, file };
        response.extensions_mut().insert(Failure(Arc::new(cause)));
        response
    }
}
