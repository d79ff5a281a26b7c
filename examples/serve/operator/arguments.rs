//! The options of what is for the operator.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use common::{Failure, Trouble};
use ipnet::IpNet;

use crate::access::network;

/// The options of what is for the operator.
#[derive(Args)]
pub(crate) struct OperatorArguments {
    /// Record no metrics, and do not answer /metrics
    #[arg(long)]
    pub(crate) no_metrics: bool,

    /// Network of clients that may purge on every listener, such as 10.0.0.0/8 or 192.0.2.1;
    /// repeatable [default: only the operator's part purges]
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(super) purge_from: Vec<IpNet>,

    /// File with tokens, one per line; a client that sends one of them (Authorization: Bearer TOKEN)
    /// may purge on every listener [default: none]
    #[arg(long, value_name = "FILE")]
    pub(super) purge_token_file: Option<PathBuf>,
}

/// Fewest characters of a token.
const SHORTEST_TOKEN: usize = 16;

impl OperatorArguments {
    /// Reads the tokens of the file.
    ///
    /// # Errors
    /// The file cannot be read, or a token can be guessed.
    pub(crate) fn tokens(&self) -> Result<Vec<String>, Failure> {
        let Some(path) = &self.purge_token_file else { return Ok(Vec::new()) };
        let shown = path.display();
        if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            return Err(Failure::System(format!(
                "{shown} is no regular file, as --purge-token-file needs"
            )));
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
        for (number, token) in &lines {
            if token.len() < SHORTEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(Failure::Usage(format!(
                    "{shown}:{number}: a token has at least {SHORTEST_TOKEN} characters, letters, \
                     digits and signs of ASCII"
                )));
            }
        }
        Ok(lines.into_iter().map(|(_, token)| token.to_owned()).collect())
    }
}
