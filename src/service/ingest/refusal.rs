//! A push that is refused: the status for its encoder, and the reason for the log.

use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode, Version};

use crate::base::{Error, ErrorGroup, ErrorKind, Name};
use crate::service::ServiceBody;
use crate::service::problem::Problem;

/// Why a push is refused, or ended before its end.
#[derive(Debug)]
pub(super) enum Refusal {
    /// By its content, its path, or the state of its point.
    Error(Error),
    /// By its head alone: a status, a stable word, and a sentence.
    Head(StatusCode, &'static str, &'static str),
    /// The host does not allow it.
    Forbidden(&'static str),
    /// The host wants credentials.
    Challenged(HeaderValue),
    /// The connection was lost: nobody gets the response.
    Lost(String),
    /// Nothing came for as long as the host has patience.
    Idle,
}

const METHODS: HeaderValue = HeaderValue::from_static("POST, PUT");

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Refusal {
    fn problem(&self) -> Problem {
        match self {
            Self::Error(error) => {
                let mut problem = Problem::from(error);
                problem.status = status_of(error);
                problem
            }
            Self::Head(status, code, sentence) => Problem::new(*status, code).saying(sentence),
            Self::Forbidden(_) => Problem::new(StatusCode::FORBIDDEN, "refused"),
            Self::Challenged(_) => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Lost(_) => Problem::malformed("the body ended before its end"),
            Self::Idle => Problem::new(StatusCode::REQUEST_TIMEOUT, "idle"),
        }
    }

    /// The reason, for the log.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Error(error) => error.to_string(),
            Self::Head(_, _, sentence) | Self::Forbidden(sentence) => (*sentence).into(),
            Self::Challenged(_) => "it has no credentials, or others than are wanted".into(),
            Self::Lost(why) => format!("the connection was lost: {why}"),
            Self::Idle => {
                "nothing came for as long as the idle timeout allows; an encoder that sends \
                 sound alone may wait for the end of its stream (ffmpeg: add -frag_duration)"
                    .into()
            }
        }
    }

    /// Returns whether it is worth a line of the log by itself. A connection that was lost is an event of
    /// the point.
    pub(super) fn is_reported(&self) -> bool {
        !matches!(self, Self::Lost(_))
    }

    pub(super) fn status(&self) -> StatusCode {
        self.problem().status
    }

    /// The response. The connection is closed behind it, because the rest of the body is not read.
    pub(super) fn response(&self, version: Version, point: Option<Name>) -> Response<ServiceBody> {
        let problem = self.problem().because(self.reason());
        let mut response = problem.response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Self::Challenged(challenge) = self {
            headers.insert(WWW_AUTHENTICATE, challenge.clone());
        }
        if problem.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, METHODS);
        }
        // HTTP/2 ends the stream alone, and has no such field.
        if version <= Version::HTTP_11 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(problem.failure(point));
        response
    }
}

/// The status of an error in what an encoder has sent (DASH-IF ingest 1.2, 5.3.2): 400 where the error in a
/// stored file would be the server's.
fn status_of(error: &Error) -> StatusCode {
    let status = match error.kind.group() {
        ErrorGroup::Content if !matches!(error.kind, ErrorKind::NotSliceable(_)) => {
            match error.kind.status() {
                500 => 400,
                status => status,
            }
        }
        _ => error.kind.status(),
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST)
}
