//! Bytes that bodies are sending.

use std::sync::Arc;

use bytes::Bytes;

use super::whole_reads::Listed;
use crate::storage::budget::Share;

/// Bytes in use. They count once, however many bodies send them, until the last has sent them.
#[derive(Clone, Debug)]
pub(in crate::origin) struct Lent(pub(super) Arc<InUse>);

/// The bytes, with all that ends when they are no longer in use.
#[derive(Debug)]
pub(super) struct InUse {
    bytes: Bytes,
    _listed: Option<Listed>,
    _share: Share,
}

/// Owner of the bytes of one body.
struct Owner(Lent);

impl Lent {
    /// Bytes that count as `share`.
    pub(in crate::origin) fn new(bytes: Bytes, share: Share) -> Self {
        Self(Arc::new(InUse { bytes, _listed: None, _share: share }))
    }

    /// Bytes that are found in a list as long as they are in use.
    pub(super) fn listed(bytes: Bytes, share: Share, listed: Listed) -> Self {
        Self(Arc::new(InUse { bytes, _listed: Some(listed), _share: share }))
    }

    /// The bytes, for a body.
    pub(in crate::origin) fn bytes(&self) -> Bytes {
        Bytes::from_owner(Owner(self.clone()))
    }

    /// The bytes, for a cache: they do not count as in use.
    pub(super) fn kept(&self) -> &Bytes {
        &self.0.bytes
    }
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0.0.bytes
    }
}
