//! PIFF's sample encryption box, the model of `senc`.

use crate::base::{Cursor, Error, Guid, Sink};
use crate::bmff::table::same_content;
use crate::bmff::{Content, SampleEncryption};

/// Encryption of each sample of a fragment; inside `traf`.
///
/// Spec: [MS-SSTR] 2.2.4.7; PIFF 1.1, 5.3.2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PiffSenc(pub SampleEncryption);

impl PiffSenc {
    /// Extended type that marks the box.
    pub const UUID: Guid = Guid::from_u128(0xa2394f52_5a9b_4f14_a244_6c427c648df4);
}

same_content!(PiffSenc, SampleEncryption);
