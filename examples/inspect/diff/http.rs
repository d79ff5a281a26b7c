//! Another origin over HTTP/1.1, one request after another on a connection that stays open.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use super::side::Answered;

/// A longer answer is refused.
const LONGEST: usize = 512 << 20;

/// Time for an answer, with its body.
const TIME: Duration = Duration::from_secs(60);

/// A client of one origin.
pub(super) struct Client {
    runtime: Runtime,
    host: String,
    /// Host and port, as `Host` has them.
    authority: String,
    port: u16,
    /// Path of the presentation, without a slash at its end.
    path: String,
    open: Option<SendRequest<Empty<Bytes>>>,
}

impl Client {
    /// Creates a client for the URL of a presentation, or of its manifest. Nothing is asked yet.
    ///
    /// # Errors
    /// A sentence about a URL that cannot be used.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let shown = common::without_secret(url);
        if url.starts_with("https://") {
            return Err(format!(
                "{shown}: TLS is not spoken here: name the origin itself by http://, or a proxy to it"
            ));
        }
        let uri: Uri = url.parse().map_err(|error| format!("{shown} is no URL: {error}"))?;
        let authority = uri.authority().ok_or_else(|| format!("{shown} names no host"))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(80);
        let path = uri.path().trim_end_matches('/');
        let is_manifest =
            path.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case("manifest"));
        let path = match path.rsplit_once('/') {
            Some((folder, _)) if is_manifest => folder,
            _ => path,
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let authority = match authority.port_u16() {
            Some(port) => format!("{}:{port}", authority.host()),
            None => authority.host().to_owned(),
        };
        Ok(Self { runtime, host, authority, port, path: path.to_owned(), open: None })
    }

    pub(super) fn shown(&self) -> String {
        format!("http://{}{}", self.authority, self.path)
    }

    /// Asks for a path below that of the presentation. A connection that was closed in the meantime is
    /// opened once more.
    ///
    /// # Errors
    /// A sentence about a connection that fails.
    pub(super) fn get(&mut self, path: &str) -> Result<Answered, String> {
        let target = format!("{}/{}", self.path, path.replace(' ', "%20"));
        let was_open = self.open.is_some();
        let sent = match self.sent(&target) {
            Err(_) if was_open => self.sent(&target),
            sent => sent,
        };
        sent.map_err(|error| {
            let shown = format!("http://{}{target}", self.authority);
            format!("{shown} is not answered: {error}")
        })
    }

    fn sent(&mut self, target: &str) -> Result<Answered, String> {
        let open = self.open.take();
        let (host, port, authority) = (&self.host, self.port, &self.authority);
        let exchange = async {
            let mut open = match open {
                Some(open) if open.is_ready() => open,
                _ => connect(host, port).await?,
            };
            let request = Request::get(target)
                .header(header::HOST, authority)
                .header(header::USER_AGENT, "smooth-origin-inspect")
                .body(Empty::new())
                .map_err(|error| error.to_string())?;
            let answer = open.send_request(request).await.map_err(|error| error.to_string())?;
            let status = answer.status();
            let elsewhere = answer.headers().get(header::LOCATION).cloned();
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            let _ = open.ready().await;
            let answered = match (status, elsewhere) {
                (StatusCode::OK, _) => Answered::Bytes(body),
                (_, Some(to)) if status.is_redirection() => Answered::Status(
                    status.as_u16(),
                    format!(" (it is at {})", String::from_utf8_lossy(to.as_bytes())),
                ),
                _ => Answered::Status(status.as_u16(), String::new()),
            };
            Ok::<_, String>((open, answered))
        };
        let in_time = self.runtime.block_on(async { tokio::time::timeout(TIME, exchange).await });
        let (open, answered) =
            in_time.map_err(|_| format!("no answer within {} s", TIME.as_secs()))??;
        self.open = Some(open);
        Ok(answered)
    }
}

async fn connect(host: &str, port: u16) -> Result<SendRequest<Empty<Bytes>>, String> {
    let stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
    let shaken = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let (sender, connection) = shaken;
    // Its failure is that of the request.
    tokio::spawn(async {
        let _ = connection.await;
    });
    Ok(sender)
}
