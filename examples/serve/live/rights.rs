//! The rights of encoders to push.

use common::Failure;
use http::HeaderValue;
use smooth_origin::service::{IngestRequest, Pattern, Verdict};

use super::LiveArguments;
use super::arguments::From;
use crate::operator::is_of_browser;
use crate::tokens::{self, Tokens};

/// Those who may push.
#[derive(Clone)]
pub(super) struct Rights {
    from: Vec<From>,
    /// Set if encoders on this machine may push.
    from_here: bool,
    tokens: Vec<Token>,
}

/// A token, and the points that it is for: all of them if there is no pattern.
#[derive(Clone)]
struct Token {
    token: Tokens,
    points: Vec<Pattern>,
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
            Some(path) => tokens_of(tokens::read_lines(path, "--live-token-file")?),
            None => Vec::new(),
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
            // All are looked at, so that the time says nothing about which one is nearly right.
            let known: Vec<_> =
                self.tokens.iter().filter(|known| known.token.has(token.as_bytes())).collect();
            let point = request.point.as_str();
            let is_for = |token: &&Token| {
                token.points.is_empty() || token.points.iter().any(|points| points.matches(point))
            };
            return match (known.is_empty(), known.iter().any(is_for)) {
                (true, _) => Verdict::Challenge(CHALLENGE),
                (false, true) => Verdict::Allow,
                (false, false) => Verdict::Forbid("its token is for other publishing points"),
            };
        }
        let Some(peer) = request.peer() else { return Verdict::Forbid("its address is not known") };
        let address = peer.address.to_canonical();
        let is_known = self.from.iter().any(|from| from.allows(address, request.point));
        if is_known || self.from_here && request.is_from_loopback() {
            return match encoder {
                // A page that someone on this machine looks at could push from here, too.
                _ if is_of_browser(request.headers) => {
                    Verdict::Forbid("a browser sends it for a page: give pages a token")
                }
                Some(Encoder { is_certain: true, .. }) => Verdict::Allow,
                _ => Verdict::Forbid(
                    "it came through a proxy that is not trusted, or whose client is not known, or by \
                     HTTP/1.0, as some proxies ask: see --trust-proxy",
                ),
            };
        }
        match (self.tokens.is_empty(), self.from_here) {
            (false, _) => Verdict::Challenge(CHALLENGE),
            (true, true) => Verdict::Forbid(
                "it comes from another machine: see --live-from and --live-token-file",
            ),
            (true, false) => {
                Verdict::Forbid("its address is in no network of --live-from for this point")
            }
        }
    }
}

fn tokens_of(lines: Vec<(String, Vec<String>)>) -> Vec<Token> {
    let tokens = lines.into_iter().map(|(token, points)| Token {
        token: vec![token].into(),
        points: points.into_iter().map(Pattern::new).collect(),
    });
    tokens.collect()
}
