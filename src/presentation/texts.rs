//! Manifests of DASH and HLS that were written once and are kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::Rendition;
use crate::base::Error;

/// Bytes of memory that the manifests of DASH and HLS of all presentations of an origin may take.
///
/// Each is written when it is first asked for, and kept as long as its presentation is open. When
/// they take more than the budget, further ones are written for each request.
///
/// ```
/// use smooth_origin::presentation::{OpenOptions, TextBudget};
/// let budget = TextBudget::new(16 << 20);
/// let options = OpenOptions::default().text_budget(budget.clone());
/// ```
#[derive(Clone, Debug)]
pub struct TextBudget {
    left: Arc<AtomicUsize>,
}

impl Default for TextBudget {
    /// 64 MiB.
    fn default() -> Self {
        Self::new(64 << 20)
    }
}

impl TextBudget {
    /// Allows for this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(bytes)) }
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// A manifest of DASH or HLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Text {
    /// The media presentation description.
    Mpd,
    /// The multivariant playlist.
    Multivariant,
    /// A media playlist.
    Playlist(Rendition),
}

/// Bytes that an entry of the table takes beside its text.
const ENTRY: usize = 128;

/// The manifests of a presentation that were written.
#[derive(Debug)]
pub(super) struct Texts {
    budget: TextBudget,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    texts: HashMap<Text, Bytes>,
    taken: usize,
}

impl Texts {
    pub(super) fn new(budget: TextBudget) -> Self {
        Self { budget, written: Mutex::default() }
    }

    /// Returns a text that is kept, or writes it and keeps it if the budget allows for it.
    pub(super) fn get(
        &self,
        text: Text,
        write: impl FnOnce() -> Result<String, Error>,
    ) -> Result<Bytes, Error> {
        let lock = || self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = lock().texts.get(&text) {
            return Ok(bytes.clone());
        }
        // Others may write the same meanwhile. They write the same bytes.
        let bytes = Bytes::from(write()?.into_bytes().into_boxed_slice());
        let weight = bytes.len() + ENTRY;
        let mut written = lock();
        if !written.texts.contains_key(&text) && self.budget.take(weight) {
            written.taken += weight;
            written.texts.insert(text, bytes.clone());
        }
        Ok(bytes)
    }
}

impl Drop for Texts {
    fn drop(&mut self) {
        let taken = self.written.get_mut().unwrap_or_else(PoisonError::into_inner).taken;
        self.budget.left.fetch_add(taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_once_while_the_budget_lasts() {
        let budget = TextBudget::new(2 * (ENTRY + 10));
        let (one, other) = (Texts::new(budget.clone()), Texts::new(budget.clone()));
        let mut count = 0;
        let mut get = |texts: &Texts, text| {
            texts.get(text, || {
                count += 1;
                Ok("0123456789".into())
            })
        };
        for text in [Text::Mpd, Text::Mpd, Text::Multivariant, Text::Multivariant] {
            assert_eq!(get(&one, text).unwrap(), "0123456789");
        }
        // The budget is used up: these are written each time.
        get(&other, Text::Mpd).unwrap();
        get(&other, Text::Mpd).unwrap();
        drop(one);
        get(&other, Text::Mpd).unwrap();
        get(&other, Text::Mpd).unwrap();
        assert_eq!(count, 2 + 2 + 1);
        drop(other);
        assert!(budget.take(2 * (ENTRY + 10)), "all is given back");
    }

    #[test]
    fn a_failure_is_not_kept() {
        let texts = Texts::new(TextBudget::default());
        let failed = texts.get(Text::Mpd, || Err(crate::base::ErrorKind::NoTrack.into()));
        assert!(failed.is_err());
        assert_eq!(texts.get(Text::Mpd, || Ok("x".into())).unwrap(), "x");
    }
}
