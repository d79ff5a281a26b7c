//! The vendored players.

use super::assets::Asset;

/// Sentence for builds without players.
pub(super) const MISSING: &str = "This build has no player.";

/// Returns a file of a player.
pub(super) fn asset(_name: &str) -> Option<Asset> {
    None
}

/// Returns the names and versions of the players.
pub(super) fn versions() -> &'static [(&'static str, &'static str)] {
    &[]
}
