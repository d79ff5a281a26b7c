//! Purge and look again over HTTP, for whoever may.

use std::borrow::Cow;
use std::collections::HashSet;

use common::{Failure, Plain};
use http::header::AUTHORIZATION;
use http::{Method, Request, Response, StatusCode};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use serde_json::json;
use smooth_origin::Origin;
use smooth_origin::base::{ErrorKind, Name};

use super::answer::{of, other_method, words};
use super::{OperatorArguments, Place, other_origin};
use crate::access::{Access, Client, is_presentation};
use crate::page::Hosts;
use crate::site::SiteBody;
use crate::tokens::Tokens;

/// Those that may purge, besides the operator.
pub(super) struct Rights {
    networks: Vec<IpNet>,
    tokens: Tokens,
}

/// Something that can be asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// `PURGE /path`.
    PurgePath,
    /// `POST /-/purge`.
    Purge,
    /// `POST /-/look-again`.
    LookAgain,
}

/// Most presentations that one path may name, as in the library.
const MOST_NAMES: usize = 4;

/// Most names in one query.
const MOST_IN_QUERY: usize = 1000;

impl Order {
    /// Returns what a request asks for, if it is of this kind.
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        match request.uri().path() {
            "/-/purge" => Some(Self::Purge),
            "/-/look-again" => Some(Self::LookAgain),
            _ if request.method().as_str() == "PURGE" => Some(Self::PurgePath),
            _ => None,
        }
    }

    /// Does what is asked for. The client may.
    pub(super) async fn carry_out<B>(
        self,
        origin: &Origin,
        request: &Request<B>,
    ) -> Response<SiteBody> {
        if self == Self::PurgePath {
            return match names_in_path(request.uri().path()) {
                Ok(names) => purge(origin, &names),
                Err(sentence) => words(StatusCode::BAD_REQUEST, &sentence),
            };
        }
        if *request.method() != Method::POST {
            return other_method("POST");
        }
        match (Asked::read(request.uri().query().unwrap_or_default()), self) {
            (Ok(Asked::Names(names)), Self::LookAgain) => look_again(origin, &names).await,
            (Ok(Asked::All), Self::LookAgain) => look_again(origin, &all(origin)).await,
            (Ok(Asked::Names(names)), _) => purge(origin, &names),
            (Ok(Asked::All), _) => purge(origin, &all(origin)),
            (Err(sentence), _) => words(StatusCode::BAD_REQUEST, &sentence),
        }
    }
}

impl Rights {
    pub(super) fn new(arguments: &OperatorArguments) -> Result<Self, Failure> {
        Ok(Self { networks: arguments.purge_from.clone(), tokens: arguments.tokens()? })
    }

    /// Returns whether nobody but the operator may purge.
    pub(super) fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.tokens.is_empty()
    }

    /// Checks whether the client of a request may purge.
    ///
    /// # Errors
    /// A sentence about why it may not.
    pub(super) fn check<B>(
        &self,
        request: &Request<B>,
        client: &Client,
        access: &Access,
        place: Place,
        hosts: &Hosts,
    ) -> Result<(), &'static str> {
        if let Some(value) = request.headers().get(AUTHORIZATION)
            && !self.tokens.is_empty()
        {
            return match self.has_token(value.as_bytes()) {
                true => Ok(()),
                false => Err("the token of Authorization is none of --purge-token-file"),
            };
        }
        if other_origin::is_of_other_origin(request) {
            return Err("a page of another site must not do this");
        }
        let caller = access.trust().caller(request.headers(), client);
        if caller.is_certain
            && self.networks.iter().any(|network| network.contains(&caller.address))
            // A page may have its own name resolved to this server.
            && (!other_origin::is_of_browser(request.headers()) || hosts.allow(request))
        {
            return Ok(());
        }
        if place.is_here(request) {
            return match hosts.allow(request) {
                true => Ok(()),
                false => Err(super::HOST_SENTENCE),
            };
        }
        Err(match (caller.is_certain, self.networks.is_empty()) {
            (_, true) => "this needs a token: Authorization: Bearer TOKEN",
            (false, _) => {
                "the request came through a proxy that is not trusted, or whose client is not \
                 known: see --trust-proxy"
            }
            (true, _) => "the client's address is in no network of --purge-from",
        })
    }

    /// Returns whether a value of `Authorization` has one of the tokens.
    fn has_token(&self, value: &[u8]) -> bool {
        let Some((scheme, token)) = value.split_at_checked(7) else { return false };
        scheme.eq_ignore_ascii_case(b"bearer ") && self.tokens.has(token.trim_ascii())
    }
}

/// The presentations that a query names.
#[derive(Debug)]
pub(super) enum Asked {
    All,
    Names(Vec<Name>),
}

impl Asked {
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut names = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                None if part == "all" => return Ok(Self::All),
                Some(("name", value)) if names.len() < MOST_IN_QUERY => {
                    // Forms and scripts write a space as a plus.
                    names.push(name(&value.replace('+', " "))?);
                }
                Some(("name", _)) => return Err(format!("give at most {MOST_IN_QUERY} names")),
                _ => return Err(format!("`{part}` is neither name=NAME nor all")),
            }
        }
        match names.is_empty() {
            true => Err("give ?name=NAME, such as ?name=films/a.ism, or ?all".into()),
            false => Ok(Self::Names(names)),
        }
    }
}

fn name(text: &str) -> Result<Name, String> {
    let decoded: Cow<'_, str> =
        percent_decode_str(text).decode_utf8().map_err(|_| format!("`{text}` is not UTF-8"))?;
    let trimmed = decoded.trim_start_matches('/');
    // The place of the error says `name` once more.
    Name::new(trimmed)
        .map_err(|error| format!("`{trimmed}` is no name of a presentation: {}", error.kind))
}

/// Returns the presentations that a path may be below: `/a.ism/x` is below `a.ism`.
fn names_in_path(path: &str) -> Result<Vec<Name>, String> {
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let decoded: Vec<_> =
        segments.iter().map(|one| percent_decode_str(one).decode_utf8_lossy()).collect();
    let ends = decoded.iter().enumerate().filter(|(_, one)| is_presentation(one.as_bytes()));
    ends.take(MOST_NAMES).map(|(place, _)| name(&segments[..=place].join("/"))).collect()
}

/// Returns the presentations that are open.
fn all(origin: &Origin) -> Vec<Name> {
    origin.presentations().map(|open| open.name().clone()).collect()
}

fn purge(origin: &Origin, names: &[Name]) -> Response<SiteBody> {
    let purged: Vec<_> = names
        .iter()
        .map(|name| json!({ "name": name.as_str(), "was_open": origin.forget(name) }))
        .collect();
    in_json(&json!({ "purged": purged }))
}

async fn look_again(origin: &Origin, names: &[Name]) -> Response<SiteBody> {
    let open: HashSet<_> = all(origin).into_iter().collect();
    let mut missing = Vec::new();
    for name in names {
        origin.look_again(name);
        // Others are opened, which finds those that are not there.
        if !open.contains(name)
            && let Err(error) = origin.open(name).await
            && matches!(error.kind, ErrorKind::NoPresentation)
        {
            missing.push(format!("`{}`", Plain(name)));
        }
    }
    if missing.is_empty() {
        let names: Vec<_> = names.iter().map(Name::as_str).collect();
        return in_json(&json!({ "looked_at_again": names }));
    }
    let others = match names.len() > missing.len() {
        true => "; the others are looked at again",
        false => "",
    };
    let sentence = format!("there is no presentation {}{others}", missing.join(", "));
    words(StatusCode::NOT_FOUND, &sentence)
}

pub(super) fn in_json(value: &serde_json::Value) -> Response<SiteBody> {
    of(StatusCode::OK, "application/json", format!("{value}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_presentation_of_a_path_is_named() {
        let names = |path| {
            names_in_path(path).map(|names| names.iter().map(|n| n.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(names("/a/b.ism/Manifest"), Ok(vec!["a/b.ism".into()]));
        assert_eq!(names("//a%20b.ISML"), Ok(vec!["a b.ISML".into()]));
        assert_eq!(names("/a.ism/b%2Eism/x"), Ok(vec!["a.ism".into(), "a.ism/b.ism".into()]));
        assert_eq!(names("/film.jpg"), Ok(vec![]));
        assert_eq!(names("/"), Ok(vec![]));
        assert!(names("/%2e%2e/a.ism").is_err() && names("/a%00.ism").is_err());
        assert_eq!(names(&"/a.ism".repeat(100)).map(|names| names.len()), Ok(MOST_NAMES));
    }

    #[test]
    fn a_query_names_presentations_or_all() {
        let Ok(Asked::Names(names)) = Asked::read("name=a+b%2Bc.ism&name=/x/%C3%A9.ism") else {
            panic!("names");
        };
        let names: Vec<_> = names.iter().map(Name::as_str).collect();
        assert_eq!(names, ["a b+c.ism", "x/é.ism"]);
        assert!(matches!(Asked::read("all"), Ok(Asked::All)));
        for wrong in ["", "name", "name=", "name=..%2Fa.ism", "name=%FF", "other=1", "everything"] {
            assert!(Asked::read(wrong).is_err(), "{wrong}");
        }
        assert!(Asked::read(&"name=a.ism&".repeat(1001)).is_err());
    }

    #[test]
    fn a_token_is_right_or_wrong_as_a_whole() {
        let tokens = ["0123456789abcdef", "another-token-of-this-file"].map(String::from);
        let rights = Rights { networks: Vec::new(), tokens: Vec::from(tokens).into() };
        assert!(rights.has_token(b"Bearer 0123456789abcdef"));
        assert!(rights.has_token(b"bearer another-token-of-this-file "));
        for wrong in [
            &b""[..],
            b"Bearer",
            b"Bearer ",
            b"Bearer 0123456789abcde",
            b"Bearer 0123456789abcdeff",
            b"Basic 0123456789abcdef",
            b"0123456789abcdef",
            b"Bearer 0123456789abcdef another",
        ] {
            assert!(!rights.has_token(wrong), "{wrong:?}");
        }
    }
}
