//! The options of what is for the operator.

use std::path::PathBuf;

use clap::Args;
use common::Failure;
use ipnet::IpNet;

use crate::access::network;
use crate::tokens::Tokens;

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

impl OperatorArguments {
    /// Reads the tokens of the file.
    ///
    /// # Errors
    /// The file cannot be read, or a token can be guessed.
    pub(crate) fn tokens(&self) -> Result<Tokens, Failure> {
        match &self.purge_token_file {
            Some(path) => Tokens::read(path, "--purge-token-file"),
            None => Ok(Tokens::default()),
        }
    }
}
