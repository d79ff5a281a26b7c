//! The players that the page plays with, as `build.rs` found them: perhaps none.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::read::GzDecoder;

use super::assets::Asset;

include!(concat!(env!("OUT_DIR"), "/players.rs"));

/// Sentence for builds without players.
pub(super) const MISSING: &str =
    "This build has no player: install Node.js with npm and build again.";

/// Returns the names and versions of the players in this build.
pub(super) fn versions() -> &'static [(&'static str, &'static str)] {
    VERSIONS
}

/// Returns the file at a path below `/-/player/`.
pub(super) fn asset(path: &str) -> Option<Asset> {
    PLAYER.get(path).cloned()
}

static PLAYER: LazyLock<HashMap<&str, Asset>> = LazyLock::new(|| {
    let files = FILES.iter().map(|&(path, gzip)| {
        let mut plain = Vec::new();
        // The build has compressed it.
        GzDecoder::new(gzip).read_to_end(&mut plain).expect("the file is whole");
        (path, Asset::new(path, plain.into(), Bytes::from_static(gzip)))
    });
    files.collect()
});
