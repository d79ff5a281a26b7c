//! The headings below which `--help` lists options.

use clap::Command;

const FOLDERS: &str = "Folders";
const STORES: &str = "Stores over a network";
const LISTENING: &str = "Listening";
const LIVE: &str = "Live";
const LOGS: &str = "Logs";
const OPERATOR: &str = "Page and operator";
const CACHING: &str = "Caching";
const FORMATS: &str = "Formats";
const SITES: &str = "Web sites";
const LIMITS: &str = "Memory and limits";

/// Names of options with their headings; a name that ends in `-` stands for all that begin with it. Options
/// with other names are listed first, below no heading of their own.
const TABLE: &[(&str, &str)] = &[
    ("links-into", FOLDERS),
    ("exact-names", FOLDERS),
    ("store", FOLDERS),
    ("index-folder", FOLDERS),
    ("store-", STORES),
    ("read-ahead", STORES),
    ("disk-cache", STORES),
    ("disk-cache-", STORES),
    ("bare-mp4", FOLDERS),
    ("list", FOLDERS),
    ("revalidate", FOLDERS),
    ("revalidate-media", FOLDERS),
    ("settling-time", FOLDERS),
    ("replace-grace", FOLDERS),
    ("copy-younger", FOLDERS),
    ("files", FOLDERS),
    ("pass-media", FOLDERS),
    ("no-files", FOLDERS),
    ("redirect", FOLDERS),
    ("redirect-", FOLDERS),
    ("listen", LISTENING),
    ("workers", LISTENING),
    ("max-connections", LISTENING),
    ("tls-", LISTENING),
    ("trust-proxy", LISTENING),
    ("proxy-header", LISTENING),
    ("header-timeout", LISTENING),
    ("write-timeout", LISTENING),
    ("handshake-timeout", LISTENING),
    ("stop-timeout", LISTENING),
    ("live", LIVE),
    ("live-", LIVE),
    ("quiet", LOGS),
    ("log-", LOGS),
    ("access-log", LOGS),
    ("access-log-", LOGS),
    ("send-request-id", LOGS),
    ("operator-", OPERATOR),
    ("no-page", OPERATOR),
    ("page-", OPERATOR),
    ("purge-", OPERATOR),
    ("no-metrics", OPERATOR),
    ("epoch", CACHING),
    ("immutable", CACHING),
    ("cache-control", CACHING),
    ("no-caching", CACHING),
    ("surrogate-key", CACHING),
    ("without", FORMATS),
    ("no-event-streams", FORMATS),
    ("compact-manifests", FORMATS),
    ("no-compression", FORMATS),
    ("text-xml", FORMATS),
    ("allow-origin", SITES),
    ("allow-credentials", SITES),
    ("expose-header", SITES),
    ("preflight-age", SITES),
    ("no-cross-domain-policies", SITES),
    ("limit", LIMITS),
    ("max-", LIMITS),
    ("presentation-memory", LIMITS),
    ("text-memory", LIMITS),
    ("body-memory", LIMITS),
    ("hot-memory", LIMITS),
    ("opening-timeout", LIMITS),
    ("read-timeout", LIMITS),
];

/// Returns the command with its options below their headings. A negative number is taken for a value, which
/// an option then refuses with what would be right.
pub(crate) fn grouped(command: Command) -> Command {
    command.mut_args(|option| {
        let takes_values = option.get_long().is_some() && option.get_action().takes_values();
        let option = option.allow_negative_numbers(takes_values);
        match option.get_long().and_then(heading) {
            Some(heading) if option.get_help_heading().is_none() => option.help_heading(heading),
            _ => option,
        }
    })
}

/// Returns the heading of an option.
fn heading(name: &str) -> Option<&'static str> {
    let is_of = |pattern: &str| match pattern.ends_with('-') {
        true => name.starts_with(pattern),
        false => name == pattern,
    };
    TABLE.iter().find(|(pattern, _)| is_of(pattern)).map(|(_, heading)| *heading)
}
