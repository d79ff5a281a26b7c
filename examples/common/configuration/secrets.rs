//! Errors of a command line that print no password: the URL of a store may have been given with one.

use clap::error::ContextValue;

use crate::place::without_secret;

/// Leaves URLs that may hold a secret out of what an error repeats of the command line.
pub(super) fn left_out(mut error: clap::Error) -> clap::Error {
    let repeated: Vec<_> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, without_secret(text))),
            _ => None,
        })
        .collect();
    for (kind, text) in repeated {
        error.insert(kind, ContextValue::String(text));
    }
    error
}
