//! The rights of encoders to push.

use common::Failure;
use http::HeaderValue;
use smooth_origin::service::{IngestRequest, Verdict};

use super::LiveArguments;
use super::arguments::From;
use crate::operator::is_of_browser;
use crate::tokens::Tokens;

/// Those who may push.
#[derive(Clone)]
pub(super) struct Rights {
    from: Vec<From>,
    /// Set if encoders on this machine may push.
    from_here: bool,
    tokens: Tokens,
}

/// Facts about the connection of an encoder.
#[derive(Clone, Copy)]
pub(super) struct Encoder {
    /// Set if the address is the encoder's, and not that of a proxy that is not trusted.
    pub(super) is_certain: bool,
    /// Set if it has proved to own a certificate of `--live-client-ca`.
    pub(super) has_certificate: bool,
}

const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"live\", charset=\"UTF-8\"");

impl Rights {
    pub(super) fn new(arguments: &LiveArguments) -> Result<Self, Failure> {
        let tokens = match &arguments.live_token_file {
            Some(path) => Tokens::read(path, "--live-token-file")?,
            None => Tokens::default(),
        };
        let from = arguments.live_from.clone();
        let from_here = from.is_empty() && tokens.is_empty() && arguments.live_client_ca.is_none();
        Ok(Self { from, from_here, tokens })
    }

    /// Judges a push by its certificate, its token, and its address, in this order.
    pub(super) fn judge(&self, request: &IngestRequest<'_>) -> Verdict {
        let encoder = request.extensions.get::<Encoder>();
        if encoder.is_some_and(|encoder| encoder.has_certificate) {
            return Verdict::Allow;
        }
        if !self.tokens.is_empty()
            && let Some(token) = request.token()
        {
            return match self.tokens.has(token.as_bytes()) {
                true => Verdict::Allow,
                false => Verdict::Challenge(CHALLENGE),
            };
        }
        let Some(peer) = request.peer() else { return Verdict::Forbid("its address is not known") };
        let is_known = self.from.iter().any(|from| match from {
            From::Any => true,
            From::Network(network) => network.contains(&peer.address.to_canonical()),
        });
        if is_known || self.from_here && request.is_from_loopback() {
            return match encoder {
                // A page that someone on this machine looks at could push from here, too.
                _ if is_of_browser(request.headers) => {
                    Verdict::Forbid("a browser sends it for a page: give pages a token")
                }
                Some(Encoder { is_certain: true, .. }) => Verdict::Allow,
                _ => Verdict::Forbid(
                    "it came through a proxy that is not trusted, or whose client is not known: see \
                     --trust-proxy",
                ),
            };
        }
        match (self.tokens.is_empty(), self.from_here) {
            (false, _) => Verdict::Challenge(CHALLENGE),
            (true, true) => Verdict::Forbid(
                "it comes from another machine: see --live-from and --live-token-file",
            ),
            (true, false) => Verdict::Forbid("its address is in no network of --live-from"),
        }
    }
}
