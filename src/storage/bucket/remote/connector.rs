//! The HTTP client below the stores: it checks answers before `object_store` sees them.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, HeaderValue, RANGE};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use reqwest::redirect::Policy;
use reqwest::{Body, Client, NoProxy, Proxy, Request, Response, Url};

use super::super::ConnectError;
use super::super::problem::Problem;
use super::Environment;
use super::answer::{Asked, RangeHeader, checked, refused};
use super::tls;

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
    authorization: Option<HeaderValue>,
    is_plain: bool,
}

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
        let authorization = match environment.get("HTTP_STORE_AUTHORIZATION").filter(|_| is_plain) {
            None => None,
            Some(value) => {
                let mut value = HeaderValue::from_str(value.trim()).map_err(|_| {
                    ConnectError::new(
                        "HTTP_STORE_AUTHORIZATION has characters that a header cannot have",
                    )
                })?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self { client, authorization, is_plain })
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
        let url = Url::parse(&parts.uri.to_string());
        let url = url.map_err(|_| other("the endpoint of the store is not a URL"))?;
        let mut request = Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        if !body.is_empty() {
            *request.body_mut() = Some(Body::wrap(body));
        }
        let mut response = self.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            let body = beginning(&mut response).await;
            return Err(refused(&asked, status, &headers, &body));
        }
        let len = checked(&asked, range.as_ref(), status, &headers)?;
        let body = whole(&mut response, len).await?;
        let mut answer = HttpResponse::new(body.into());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // `Unknown` is not tried again.
        self.exchange(request).await.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// Reads a body to its end: as many bytes as the header says, or a bounded number.
async fn whole(response: &mut Response, len: Option<u64>) -> Result<Bytes, Problem> {
    let most = len.map_or(MOST_OTHER, |len| usize::try_from(len).unwrap_or(usize::MAX));
    let mut all = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if all.is_empty() {
            // No overflow: the constant fits into memory.
            all.reserve(len.unwrap_or_default().min(AT_ONCE) as usize);
        }
        if chunk.len() > most - all.len() {
            return Err(other("the store's answer is longer than it may be"));
        }
        all.extend_from_slice(&chunk);
    }
    match len {
        Some(len) if len != all.len() as u64 => Err(Problem::told(
            ErrorKind::UnexpectedEof,
            format!("the store's answer broke off after {} bytes of {len}", all.len()),
        )),
        _ => Ok(all.freeze()),
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

fn is_reset(error: &reqwest::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            let kinds = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
            return !error.is_connect() && kinds.contains(&io.kind());
        }
        // What hyper says of a connection that ended before any answer; it has no type for it.
        if inner.to_string() == "connection closed before message completed" {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// A request that got no answer, or half of one. The error's own text has the URL in it.
fn unreachable(error: &reqwest::Error) -> Problem {
    let mut text = String::new();
    let mut cause = error.source();
    let mut io = None;
    while let Some(inner) = cause {
        io = io.or(inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind));
        text = inner.to_string();
        cause = inner.source();
        if text.contains("invalid peer certificate") {
            break;
        }
    }
    let has = |words: &str| text.contains(words);
    if error.is_timeout() {
        return Problem::told(ErrorKind::TimedOut, "the store did not answer in time");
    }
    if has("invalid peer certificate") {
        return Problem::told(
            ErrorKind::Other,
            "the certificate of the store is not trusted: name a file with its root certificate in STORE_ROOT_CERTIFICATES",
        );
    }
    if has("InvalidContentType") {
        return Problem::told(
            ErrorKind::NotConnected,
            "the port of the store does not speak TLS: write its endpoint with http://, or name the port for https://",
        );
    }
    match io {
        Some(ErrorKind::ConnectionRefused) => Problem::told(
            ErrorKind::ConnectionRefused,
            "the store refuses connections: check its endpoint, and that it runs",
        ),
        Some(kind) if !error.is_connect() => {
            Problem::told(kind, format!("the connection to the store broke: {kind}"))
        }
        _ if error.is_connect() => Problem::told(
            ErrorKind::NotConnected,
            "the store cannot be reached: check its endpoint and the name of its host",
        ),
        _ => other("the connection to the store broke"),
    }
}

fn other(sentence: &str) -> Problem {
    Problem::told(ErrorKind::Other, sentence)
}
