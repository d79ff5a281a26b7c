//! Tokens in a file, by which a client shows that it may do something.

use std::fs;
use std::path::Path;

use common::{Failure, Trouble};
use subtle::{Choice, ConstantTimeEq};

/// The tokens of a file.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Vec<String>);

/// Fewest characters of a token.
const SHORTEST: usize = 16;

impl Tokens {
    /// Reads the tokens of a file, one per line. `option` is the option that names the file.
    ///
    /// # Errors
    /// The file cannot be read, or a token can be guessed.
    pub(crate) fn read(path: &Path, option: &str) -> Result<Self, Failure> {
        let lines = read_lines(path, option)?;
        if let Some(number) = lines.iter().position(|(_, words)| !words.is_empty()) {
            return Err(Failure::Usage(format!(
                "{}: token {} has something behind it, which {option} does not take",
                path.display(),
                number + 1
            )));
        }
        Ok(Self(lines.into_iter().map(|(token, _)| token).collect()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether this is one of the tokens. The time that it takes says nothing about how much of a
    /// token is right.
    pub(crate) fn has(&self, token: &[u8]) -> bool {
        let found = self.0.iter().map(|known| known.as_bytes().ct_eq(token));
        bool::from(found.fold(Choice::from(0), |any, one| any | one))
    }
}

/// Reads a file of tokens, one per line, each with the words behind it. `option` is the option that names the file.
///
/// # Errors
/// The file cannot be read, or a token can be guessed.
pub(crate) fn read_lines(path: &Path, option: &str) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let shown = path.display();
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(Failure::System(format!("{shown} is no regular file, as {option} needs")));
    }
    let text = fs::read_to_string(path).map_err(|error| {
        let trouble = Trouble::of(path, &error);
        Failure::system(format_args!("cannot read the tokens in {shown}"), trouble)
    })?;
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    let lines: Vec<_> = lines.filter(|(_, line)| !line.is_empty()).collect();
    if lines.is_empty() {
        return Err(Failure::Usage(format!(
            "{shown} has no token; make one: head -c 24 /dev/urandom | base64 >{shown}"
        )));
    }
    let mut tokens = Vec::new();
    for (number, line) in lines {
        let mut words = line.split_whitespace().map(str::to_owned);
        let token = words.next().unwrap_or_default();
        if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Usage(format!(
                "{shown}:{number}: a token has at least {SHORTEST} characters, letters, \
                 digits and signs of ASCII"
            )));
        }
        tokens.push((token, words.collect()));
    }
    Ok(tokens)
}

impl From<Vec<String>> for Tokens {
    fn from(tokens: Vec<String>) -> Self {
        Self(tokens)
    }
}
