//! The parts that the example servers `serve` and `sendfile` share: their options, how they start and stop,
//! the list of presentations that they print, and their log. `export` prints and ends as they do.
//!
//! ```text
//!  configuration ─► arguments ─► roots, rules (place) ─► origin (stores) ─► service     host: binds, prints, starts the listing
//!                                                               accept, signals: what the servers wait for
//!  check, listing: walk ─► opener ─► report              terminal ◄─ log, listing
//!                                     └─► not_served ─► other_file, refused_link, trouble: the words
//! ```

mod accept;
mod archive_place;
mod arguments;
pub mod browsers;
mod cache_control;
mod cache_folder;
mod catalogue;
mod check;
pub mod client_limits;
mod configuration;
mod content;
mod failure;
mod file_kind;
mod formats;
mod host;
mod limits;
mod listen;
mod listing;
pub mod log;
mod nearest;
mod not_served;
mod number;
mod open_files;
mod origin;
pub mod other_file;
mod place;
mod plain;
mod redirects;
pub mod refused_link;
mod remote_store;
mod roots;
mod rules;
mod signals;
mod start;
#[cfg(feature = "remote")]
mod stores;
mod terminal;
mod trouble;

pub use accept::{Accepted, Acceptor};
pub use archive_place::ArchivePlace;
pub use arguments::{Arguments, Memory};
pub use catalogue::{Catalogue, Names};
pub use check::{Checked, check};
pub use configuration::{Configured, Settings, configured, options};
pub use content::Content;
pub use failure::{Failure, exit_code};
pub use formats::Format;
pub use host::{Host, check_host};
pub use listen::Listen;
pub use listing::Listing;
pub use not_served::{Stored, advice, explain_links, findings, for_people, reason};
pub use number::{fractional_seconds, mebibytes, positive_seconds, seconds};
pub use place::without_secret;
pub use plain::Plain;
pub use remote_store::{Named, RemoteStore, is_url};
pub use rules::HostRules;
pub use start::{announce, announce_page};
pub use terminal::{error_line, hide_status, line, show_status};
pub use trouble::{Trouble, without_numbers};

/// Records the numbers of the stores that are reached over a network, each with its URL as the label `store`.
pub fn record_stores() {
    #[cfg(feature = "remote")]
    stores::record();
}

/// Writes what the cache of stores on local disk has still to write. Nothing is kept afterwards.
pub async fn close_stores() {
    #[cfg(feature = "remote")]
    stores::disk::close().await;
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_servers_have_the_version_of_the_crate() {
        let manifest = include_str!("../../Cargo.toml");
        let version = format!("\nversion = \"{}\"\n", env!("CARGO_PKG_VERSION"));
        assert!(manifest.contains(&version), "{version}");
    }
}
