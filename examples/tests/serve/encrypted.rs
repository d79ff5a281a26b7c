//! A client of HTTP/2 and HTTP/1.1 over TLS, and certificates for it.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty as NoBody};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::observed::Empty;

/// A certificate for `localhost` in a folder, as `cert.pem` and `key.pem`.
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
}

impl Certificate {
    /// Writes a certificate that is valid for long, or ended long ago.
    pub(crate) fn write(folder: &Empty, is_valid: bool) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        if !is_valid {
            params.not_before = rcgen::date_time_ymd(2010, 1, 1);
            params.not_after = rcgen::date_time_ymd(2011, 1, 1);
        }
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.path("key.pem"), key.serialize_pem()).unwrap();
        fs::write(folder.path("cert.pem"), certificate.pem()).unwrap();
        Self { der: certificate.der().to_vec() }
    }
}

/// A response with its body.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) body: Bytes,
}

/// Asks over TLS; the server must have this certificate. `alpn` says which protocols the client offers.
///
/// # Errors
/// The sentence of the handshake or of HTTP.
pub(crate) fn ask_over_tls(
    address: SocketAddr,
    certificate: &Certificate,
    alpn: &[&str],
    path: &str,
) -> Result<Answered, String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der.clone().into()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    block_on(async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.map_err(|error| error.to_string())?;
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => over_http2(TokioIo::new(stream), "https", path).await,
            _ => over_http1(TokioIo::new(stream), path).await,
        }
    })
}

/// Asks by HTTP/2 without TLS.
///
/// # Errors
/// The sentence of HTTP.
pub(crate) fn ask_by_http2(address: SocketAddr, path: &str) -> Result<Answered, String> {
    block_on(async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        over_http2(TokioIo::new(stream), "http", path).await
    })
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn over_http2<S>(stream: S, scheme: &str, path: &str) -> Result<Answered, String>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .map_err(|error| format!("{error:?}"))?;
    tokio::spawn(connection);
    let request = Request::get(format!("{scheme}://localhost{path}"));
    let request = request.body(NoBody::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.map_err(|error| format!("{error:?}"))?;
    Ok(answered(response).await)
}

async fn over_http1<S>(stream: S, path: &str) -> Result<Answered, String>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        http1::handshake(stream).await.map_err(|error| format!("{error:?}"))?;
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "localhost");
    let request = request.body(NoBody::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.map_err(|error| format!("{error:?}"))?;
    Ok(answered(response).await)
}

async fn answered(response: Response<hyper::body::Incoming>) -> Answered {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answered { status: head.status.as_u16(), version: head.version, body }
}
