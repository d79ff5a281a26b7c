//! The stream manifest: which streams an encoder will push.

use crate::base::{Cursor, Error, Guid, Sink};
use crate::bmff::Content;
use crate::bmff::table::same_content;
use crate::bmff::uuid::LiveServerManifest;

/// The list of the streams of a broadcast, before the live server manifest of one of them. The document
/// is read by `manifest::StreamManifest`.
///
/// Spec: [MS-SSTR] 2.2.7.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamManifestBox(pub LiveServerManifest);

impl StreamManifestBox {
    /// Extended type that marks the box.
    pub const UUID: Guid = Guid::from_u128(0x3c2fe51b_efee_40a3_ae81_5300199dc348);
}

same_content!(StreamManifestBox, LiveServerManifest);
