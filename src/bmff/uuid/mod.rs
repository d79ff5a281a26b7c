//! Extended types: the boxes that Smooth Streaming and PIFF add.
//!
//! Spec: [MS-SSTR] 2.2.4.4 to 2.2.4.7 and 2.2.7; PIFF 1.1.

mod live_server_manifest;
mod piff_pssh;
mod piff_senc;
mod piff_tenc;
mod stream_manifest;
mod tfrf;
mod tfxd;

pub use live_server_manifest::LiveServerManifest;
pub use piff_pssh::PiffPssh;
pub use piff_senc::PiffSenc;
pub use piff_tenc::PiffTenc;
pub use stream_manifest::StreamManifestBox;
pub use tfrf::{Tfrf, TfrfEntry};
pub use tfxd::Tfxd;
