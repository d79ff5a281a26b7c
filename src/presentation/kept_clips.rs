//! Clips that were made before, for the next requests for the same times.

use std::fmt;
use std::sync::Arc;

use super::Presentation;
use super::clip::ClipTimes;
use crate::base::{Error, piece};

/// The name of a clip among those of all openings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClipKey {
    /// Number of the opening. Another one may have other files.
    opening: u64,
    /// Hash of the whole: another one for each snapshot of an event.
    content: u128,
    times: ClipTimes,
}

/// A clip, and bytes of memory that it takes.
#[derive(Clone, Debug)]
pub(crate) struct KeptClip {
    clip: Arc<Presentation>,
    pub(crate) memory: usize,
}

/// A place that keeps clips as long as it has room for them.
pub(crate) trait KeptClips: fmt::Debug + Send + Sync {
    /// Returns a clip, if it is kept.
    fn get(&self, key: &ClipKey) -> Option<KeptClip>;

    /// Keeps a clip for a while, in place of the one that it was.
    fn put(&self, key: ClipKey, clip: KeptClip);
}

/// The place for the clips of one opening.
#[derive(Debug)]
pub(super) struct Clips {
    opening: u64,
    kept: Arc<dyn KeptClips>,
}

impl Presentation {
    /// Sets the place that keeps clips, unless there is one already. No other opening has the same number, but
    /// those of the snapshots of one event.
    pub(crate) fn keep_clips(&self, opening: u64, kept: Arc<dyn KeptClips>) {
        let _ = self.clips.set(Clips { opening, kept });
    }

    /// Gives `answer` the clip of these times: one that was made before, if it is kept.
    ///
    /// # Errors
    /// As [`clip`](Self::clip); those of `answer`.
    pub(crate) fn with_clip<T>(
        &self,
        times: &ClipTimes,
        answer: impl FnOnce(&Arc<Self>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(Clips { opening, kept }) = self.clips.get() else {
            return answer(&Arc::new(self.clip(times)?));
        };
        let content = self.content_of_manifest();
        let key = ClipKey { opening: *opening, content, times: times.clone() };
        let (clip, memory) = match kept.get(&key) {
            Some(KeptClip { clip, memory }) => (clip, memory),
            None => (Arc::new(self.clip(times)?), 0),
        };
        let answered = answer(&clip);
        // An answer may have written a manifest, which is kept with the clip.
        let now = clip.memory_of_clip();
        if now != memory {
            kept.put(key, KeptClip { clip, memory: now });
        }
        answered
    }

    /// Returns bytes of memory of a clip, with its texts and with the manifest that it is cut out of.
    fn memory_of_clip(&self) -> usize {
        let film = self.clip.as_ref().map_or(0, |clip| clip.film_len());
        self.memory() + piece(film) + self.kept.memory()
    }
}
