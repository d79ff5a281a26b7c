//! The cause of a failed response, for the host.

use std::fmt::{self, Write};
use std::sync::Arc;

use http::Response;

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
    presentation: Option<Name>,
    file: Option<Name>,
}

impl Failure {
    /// A failure of HTTP itself, such as a range that does not exist.
    pub(super) fn of_request(code: &'static str) -> Self {
        Self(Arc::new(Cause { code, error: None, presentation: None, file: None }))
    }

    /// The word that the body of the response has as `code`: that of
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

    /// The presentation that the request was for. `None` if there is no such presentation, and for
    /// files beside the presentations.
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
        let Cause { code, error, presentation, file } = &*self.0;
        let mut line = OneLine(f);
        for name in presentation.iter().chain(file.as_ref().filter(|_| presentation != file)) {
            write!(line, "{name}: ")?;
        }
        match error {
            Some(error) => write!(line, "{error}"),
            None => line.write_str(code),
        }
    }
}

impl OriginService {
    /// The response to a request that the origin cannot answer.
    #[cold]
    pub(super) fn failed(&self, error: Error, path: &str) -> Response<ServiceBody> {
        let mut response = self.problem(&Problem::from(&error), path);
        let code = error.kind.code();
        let (presentation, file) = self.inner.origin.place_of(path, &error);
        let cause = Cause { code, error: Some(error), presentation, file };
        response.extensions_mut().insert(Failure(Arc::new(cause)));
        response
    }
}
