//! A push as the host judges it: who may push.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue, Method, Uri};
use percent_encoding::percent_decode_str;

use crate::base::Name;

/// A push that the host allows or refuses, before anything of its body is read: see
/// [`IngestService::authorize`](super::IngestService::authorize).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IngestRequest<'a> {
    /// POST or PUT.
    pub method: &'a Method,
    /// The target of the request.
    pub uri: &'a Uri,
    /// The publishing point. There may be none of this name.
    pub point: &'a Name,
    /// The identifier of the event, if the path has one.
    pub event: Option<&'a str>,
    /// The identifier of the stream; `None` for a manifest that the encoder writes of its own.
    pub stream: Option<&'a str>,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The extensions, in which a host may have put facts about the connection, such as a [`Peer`].
    pub extensions: &'a Extensions,
}

/// The other end of a connection. A host puts it into the extensions of a request.
///
/// ```
/// use smooth_origin::service::Peer;
///
/// # let address = std::net::Ipv4Addr::LOCALHOST.into();
/// let mut request = http::Request::post("/news.isml/Streams(enc1)").body(())?;
/// request.extensions_mut().insert(Peer::new(address));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Its address, or the client's that a trusted proxy has reported.
    pub address: IpAddr,
    /// The certificates that it has proved to own, in DER, its own one first; empty without TLS, or if the
    /// host did not ask for one.
    pub certificates: Vec<Bytes>,
}

/// The decision about a push.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The push is taken.
    Allow,
    /// The push is refused with 403. The sentence is for the log, not for the encoder.
    Forbid(&'static str),
    /// The push is refused with 401 and this value of `WWW-Authenticate`: the encoder may try again with
    /// credentials.
    Challenge(HeaderValue),
}

impl Peer {
    /// A peer without a certificate.
    pub fn new(address: IpAddr) -> Self {
        Self { address, certificates: Vec::new() }
    }

    /// Sets the certificates that it has proved to own.
    pub fn certificates(self, certificates: Vec<Bytes>) -> Self {
        Self { certificates, ..self }
    }
}

impl IngestRequest<'_> {
    /// The other end of the connection, if the host has said who it is.
    pub fn peer(&self) -> Option<&Peer> {
        self.extensions.get()
    }

    /// Returns whether the other end is on this machine. `false` if that is not known.
    pub fn is_from_loopback(&self) -> bool {
        self.peer().is_some_and(|peer| peer.address.to_canonical().is_loopback())
    }

    /// The token with which the encoder proves who it is: that of `Authorization: Bearer`, the password of
    /// `Authorization: Basic`, or the `token` of the query. Compare it in constant time.
    pub fn token(&self) -> Option<String> {
        if let Some(value) = self.headers.get(AUTHORIZATION) {
            return token_of(value.to_str().ok()?);
        }
        query(self.uri, "token")
    }
}

fn token_of(authorization: &str) -> Option<String> {
    let (scheme, value) = authorization.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

/// The decoded value of a key of the query.
pub(super) fn query(uri: &Uri, key: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(known, _)| *known == key).map(|(_, value)| value).next()?;
    Some(percent_decode_str(value).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(uri: &str, authorization: Option<&str>) -> Option<String> {
        let mut request = http::Request::post(uri);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let point = Name::new("x.isml").unwrap();
        let request = IngestRequest {
            method: &parts.method,
            uri: &parts.uri,
            point: &point,
            event: None,
            stream: Some("a"),
            headers: &parts.headers,
            extensions: &parts.extensions,
        };
        request.token()
    }

    #[test]
    fn a_token_is_in_the_authorization_or_in_the_query() {
        assert_eq!(token("/x", Some("Bearer abc")).unwrap(), "abc");
        assert_eq!(token("/x", Some("basic dXNlcjpwYTpzcw==")).unwrap(), "pa:ss");
        assert_eq!(token("/x?a=b&token=a%2Bb", None).unwrap(), "a+b");
        // What is sent is looked at, and nothing in its place.
        assert_eq!(token("/x?token=abc", Some("Digest x")), None);
        assert_eq!(token("/x?token=abc", Some("Basic !")), None);
        assert_eq!(token("/x?tok=abc", None), None);
    }
}
