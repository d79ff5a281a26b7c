//! Bytes that bodies are sending.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use super::key::Key;
use crate::storage::budget::Share;

/// Bytes in use. They count once, however many bodies send them, until the last has sent them.
#[derive(Clone, Debug)]
pub(in crate::origin) struct Lent(Arc<InUse>);

/// Bytes that may still be in use.
#[derive(Debug, Default)]
pub(super) struct WeakLent(Weak<InUse>);

/// The bytes, with all that ends when they are no longer in use.
#[derive(Debug)]
struct InUse {
    bytes: Bytes,
    _listed: Option<Listed>,
    _share: Share,
}

/// Owner of the bytes of one body.
struct Owner(Lent);

/// Bytes in use, by what they are. Clones share the list.
#[derive(Clone, Debug, Default)]
pub(super) struct LentList(Arc<Mutex<HashMap<Key, Weak<InUse>>>>);

/// Takes bytes out of the list when they are no longer in use.
#[derive(Debug)]
struct Listed {
    key: Key,
    list: LentList,
}

impl Lent {
    /// Bytes that count as `share`.
    pub(in crate::origin) fn new(bytes: Bytes, share: Share) -> Self {
        Self(Arc::new(InUse { bytes, _listed: None, _share: share }))
    }

    /// The bytes, for a body.
    pub(in crate::origin) fn bytes(&self) -> Bytes {
        Bytes::from_owner(Owner(self.clone()))
    }

    /// The bytes, for a cache: they do not count as in use.
    pub(super) fn kept(&self) -> &Bytes {
        &self.0.bytes
    }

    pub(super) fn downgrade(&self) -> WeakLent {
        WeakLent(Arc::downgrade(&self.0))
    }
}

impl WeakLent {
    /// The bytes, if they are still in use.
    pub(super) fn upgrade(&self) -> Option<Lent> {
        self.0.upgrade().map(Lent)
    }
}

impl LentList {
    /// Bytes that are found in the list as long as they are in use.
    pub(super) fn lend(&self, key: Key, bytes: Bytes, share: Share) -> Lent {
        let listed = Listed { key: key.clone(), list: self.clone() };
        let lent = Arc::new(InUse { bytes, _listed: Some(listed), _share: share });
        self.locked().insert(key, Arc::downgrade(&lent));
        Lent(lent)
    }

    /// The bytes, if they are in use.
    pub(super) fn get(&self, key: &Key) -> Option<Lent> {
        self.locked().get(key).and_then(Weak::upgrade).map(Lent)
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.locked().get(key).is_some_and(|lent| lent.strong_count() > 0)
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Key, Weak<InUse>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut list = self.list.locked();
        // The same bytes may have been read again meanwhile.
        if list.get(&self.key).is_some_and(|lent| lent.strong_count() == 0) {
            list.remove(&self.key);
        }
    }
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0.0.bytes
    }
}
