//! What each fuzz target holds true, as ordinary functions over any bytes.
//!
//! Plain Rust over the public API of the crate: the targets in `fuzz_targets/` call them under a
//! fuzzer, and `tests/fuzz_corpus.rs` replays the committed corpus through them.

pub mod boxes;
#[cfg(feature = "object-store")]
pub mod bucket;
#[cfg(any(feature = "dash", feature = "hls"))]
pub mod captions;
pub mod client_manifest;
pub mod cmaf;
pub mod container;
pub mod fragments;
#[cfg(feature = "http")]
pub mod http_requests;
pub mod index;
pub mod index_file;
#[cfg(feature = "live")]
pub mod live_journal;
#[cfg(feature = "live")]
pub mod live_push;
#[cfg(feature = "package")]
mod mend;
pub mod opening;
#[cfg(feature = "package")]
mod package;
#[cfg(feature = "live")]
mod publishing;
pub mod request_paths;
pub mod rewritten;
pub mod sample_tables;
#[cfg(any(feature = "dash", feature = "hls"))]
mod segmented;
pub mod server_manifest;
mod stored_manifest;
#[cfg(any(feature = "dash", feature = "hls"))]
pub mod subtitles;
mod survey;
