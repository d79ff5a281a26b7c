//! The query of a request to the API.

use std::str::FromStr;

use http::StatusCode;
use percent_encoding::percent_decode_str;
use smooth_origin::base::{ErrorKind, Name};

use super::failure::Failure;

/// The parameters of a query, decoded; of two of a name the first counts.
pub(super) struct Query(Vec<(String, String)>);

/// Longest query that is read, in bytes; a name has fewer than 4,096.
const LONGEST: usize = 16 << 10;

impl Query {
    /// # Errors
    /// A query that is long, or that is not UTF-8.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        if text.len() > LONGEST {
            return Err(bad("the query is too long"));
        }
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            let text = percent_decode_str(&text).decode_utf8();
            text.map(String::from).map_err(|_| bad("the query is not UTF-8"))
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        };
        pairs.map(pair).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Returns a number that may be left out.
    ///
    /// # Errors
    /// Anything but a number.
    pub(super) fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, Failure> {
        let parse = |text: &str| {
            text.parse().map_err(|_| bad(&format!("the parameter `{name}` is not a number")))
        };
        self.get(name).map(parse).transpose()
    }

    /// Returns a number that is needed.
    ///
    /// # Errors
    /// Anything but a number.
    pub(super) fn needed<N: FromStr>(&self, name: &str) -> Result<N, Failure> {
        self.number(name)?.ok_or_else(|| bad(&format!("the parameter `{name}` is missing")))
    }

    /// Returns the presentation that the parameter `name` names.
    ///
    /// # Errors
    /// No name, or one that nothing can have.
    pub(super) fn presentation(&self) -> Result<Name, Failure> {
        let name = self.get("name").ok_or_else(|| bad("the parameter `name` is missing"))?;
        let name = Name::new(name.trim_start_matches('/'));
        let name = name.map_err(|error| Failure::of(&error, None, None))?;
        // Other files are not read as if they were manifests.
        let lower = name.as_str().to_ascii_lowercase();
        match lower.ends_with(".ism") || lower.ends_with(".isml") {
            true => Ok(name),
            false => Err(Failure::of(&ErrorKind::NoPresentation.into(), Some(&name), None)),
        }
    }
}

fn bad(what: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, what)
}
