//! The HTTP client below the stores: it checks answers before `object_store` sees them.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{AUTHORIZATION, DATE, HeaderValue, RANGE};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, NoProxy, Proxy, Request, Response, Url};

use super::super::ConnectError;
use super::super::get::Dated;
use super::super::problem::Problem;
use super::Environment;
use super::answer::{Asked, RangeHeader, checked, date, refused};
use super::buffers::Buffers;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
use super::list_xml;
use super::secret_file::SecretFile;
use super::tls;
use super::unreachable::{is_reset, unreachable};
use crate::storage::Clock;

/// Bytes of a list of names, or of another answer that is no range.
const MOST_OTHER: usize = 32 << 20;

/// Bytes of the body of an error that are looked at.
const MOST_OF_ERROR: usize = 16 << 10;

/// Memory that is taken for a range before it comes.
const AT_ONCE: u64 = 16 << 20;

/// Makes no redirects, tries nothing again, and reads each answer whole at the pace of the network,
/// so that a slow client never holds a connection to the store.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    client: Client,
    authorization: Authorization,
    is_plain: bool,
    is_for_credentials: bool,
    buffers: Buffers,
}

/// The value of `Authorization` that a server of files wants.
#[derive(Clone, Debug)]
enum Authorization {
    None,
    Value(HeaderValue),
    File(Arc<SecretFile<HeaderValue>>),
}

/// Time for an answer of the service that gives credentials: the last ones stand in for it.
const CREDENTIALS: Duration = Duration::from_millis(1500);

impl Connector {
    pub(super) fn new(is_plain: bool, environment: &Environment) -> Result<Self, ConnectError> {
        let roots = environment.get("STORE_ROOT_CERTIFICATES");
        let roots = roots.or_else(|| environment.get("AWS_CA_BUNDLE").filter(|_| !is_plain));
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls::config(roots.as_deref())?)
            .http1_only()
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("smooth-origin/", env!("CARGO_PKG_VERSION")));
        for (name, is_secure) in [("HTTPS_PROXY", true), ("HTTP_PROXY", false)] {
            let lower = || environment.get(&name.to_ascii_lowercase());
            let Some(url) = environment.get(name).or_else(lower) else { continue };
            let proxy = if is_secure { Proxy::https(url) } else { Proxy::http(url) };
            let proxy = proxy
                .map_err(|_| ConnectError::new(format!("{name} is not the URL of a proxy")))?;
            let except = environment.get("NO_PROXY").or_else(|| environment.get("no_proxy"));
            client =
                client.proxy(proxy.no_proxy(except.and_then(|list| NoProxy::from_string(&list))));
        }
        let client =
            client.build().map_err(|_| ConnectError::new("the HTTP client cannot be set up"))?;
        let authorization =
            if is_plain { Authorization::of(environment)? } else { Authorization::None };
        let buffers = Buffers::default();
        Ok(Self { client, authorization, is_plain, is_for_credentials: false, buffers })
    }

    /// The same client for the service that gives the credentials of a store.
    #[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
    pub(super) fn for_credentials(&self) -> Self {
        Self { is_for_credentials: true, ..self.clone() }
    }

    /// Sends a request, and once more if the connection was reset before any answer: a server may
    /// close a kept connection at the moment in which it is used again (RFC 9112, 9.3.1).
    async fn execute(&self, request: Request) -> Result<Response, Problem> {
        let again = if request.method().is_safe() { request.try_clone() } else { None };
        let error = match self.client.execute(request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        match again {
            Some(again) if is_reset(&error) => {
                self.client.execute(again).await.map_err(|error| unreachable(&error))
            }
            _ => Err(unreachable(&error)),
        }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Problem> {
        let (parts, body) = request.into_parts();
        let range = parts.headers.get(RANGE).and_then(|value| value.to_str().ok());
        let range = range.and_then(RangeHeader::parse);
        let asked = Asked {
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            is_ranged: range.is_some(),
            is_plain: self.is_plain,
        };
        #[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
        let is_list = !self.is_plain && is_list(parts.uri.query().unwrap_or_default());
        let url = Url::parse(&parts.uri.to_string());
        let url = url.map_err(|_| other("the endpoint of the store is not a URL"))?;
        let mut request = Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        if let Some(value) = self.authorization.value() {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        if self.is_for_credentials {
            *request.timeout_mut() = Some(CREDENTIALS);
        }
        // `is_empty` of a body of several pieces says the opposite in object_store 0.14.
        if body.content_length() > 0 {
            *request.body_mut() = Some(Body::wrap(body));
        }
        let mut response = self.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            let body = beginning(&mut response).await;
            return Err(refused(&asked, status, &headers, &body, SystemTime::now()));
        }
        let len = checked(&asked, range.as_ref(), status, &headers)?;
        // Lists and other answers are of any length: their memory would seldom be used again.
        let buffers = range.is_some().then_some(&self.buffers);
        let body = whole(&mut response, len, buffers).await?;
        #[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
        let body = if is_list { list_xml::reachable(body) } else { body };
        let mut answer = HttpResponse::new(body.into());
        *answer.status_mut() = status;
        answer.extensions_mut().insert(Dated(date(&headers, DATE)));
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.exchange(request).await;
        #[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
        let answer = match answer {
            Err(problem) if self.is_for_credentials => Err(problem.of_credentials()),
            answer => answer,
        };
        // `Unknown` is not tried again.
        answer.map_err(|problem| HttpError::new(HttpErrorKind::Unknown, problem))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl Authorization {
    fn of(environment: &Environment<'_>) -> Result<Self, ConnectError> {
        if let Some(value) = environment.get("HTTP_STORE_AUTHORIZATION") {
            return header(&value, "").map(Self::Value).ok_or_else(|| {
                ConnectError::new(
                    "HTTP_STORE_AUTHORIZATION has characters that a header cannot have",
                )
            });
        }
        let variable = "HTTP_STORE_AUTHORIZATION_FILE";
        let Some(path) = environment.get(variable) else { return Ok(Self::None) };
        let file = SecretFile::open(variable, path, String::new(), header, Clock::default())?;
        Ok(Self::File(Arc::new(file)))
    }

    fn value(&self) -> Option<HeaderValue> {
        match self {
            Self::None => None,
            Self::Value(value) => Some(value.clone()),
            Self::File(file) => Some(file.value()),
        }
    }
}

fn header(text: &str, _: &str) -> Option<HeaderValue> {
    let text = text.trim();
    let mut value = HeaderValue::from_str(text).ok().filter(|_| !text.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

/// Returns whether a query asks S3, Google or Azure for a list of names.
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
fn is_list(query: &str) -> bool {
    query.split('&').any(|part| part == "list-type=2" || part == "comp=list")
}

/// Returns whether a text is a URL that requests can be made to.
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
pub(super) fn is_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Reads a body to its end: as many bytes as the header says, or a bounded number.
async fn whole(
    response: &mut Response,
    len: Option<u64>,
    buffers: Option<&Buffers>,
) -> Result<Bytes, Problem> {
    let most = len.map_or(MOST_OTHER, |len| usize::try_from(len).unwrap_or(usize::MAX));
    let mut all = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if all.is_empty() {
            // No overflow: the constant fits into memory.
            let room = len.unwrap_or_default().min(AT_ONCE) as usize;
            all = buffers.map_or_else(|| Vec::with_capacity(room), |buffers| buffers.take(room));
        }
        if chunk.len() > most - all.len() {
            return Err(other("the store's answer is longer than it may be"));
        }
        all.extend_from_slice(&chunk);
    }
    match len {
        Some(len) if len != all.len() as u64 => Err(Problem::told(
            ErrorKind::ConnectionAborted,
            format!("the store's answer broke off after {} bytes of {len}", all.len()),
        )),
        _ => Ok(match buffers {
            Some(buffers) => buffers.lend(all),
            None => all.into(),
        }),
    }
}

async fn beginning(response: &mut Response) -> Vec<u8> {
    let mut all = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        all.extend_from_slice(&chunk[..chunk.len().min(MOST_OF_ERROR - all.len())]);
        if all.len() == MOST_OF_ERROR {
            break;
        }
    }
    all
}

fn other(sentence: &str) -> Problem {
    Problem::told(ErrorKind::Other, sentence)
}
