//! Reading the fragments that follow one that was answered.

use std::sync::Arc;

use super::answering;
use super::read::{Opened, Place, ReadAhead};
use crate::base::{Error, FileId, Step};
use crate::presentation::{FragmentAddress, Located, Need, Reply};

/// Begins to read the fragments of a track that follow the one which a reply has bytes of, if the origin
/// reads ahead.
pub(super) fn after(opened: &Arc<Opened>, reply: &Reply) {
    if opened.shared().ahead.is_some()
        && let Some((file, byte)) = reply.first_stored()
    {
        after_byte(opened, file, byte);
    }
}

/// Begins to read the fragments of a track that follow the one which has this byte of a file.
pub(super) fn after_byte(opened: &Arc<Opened>, file: FileId, byte: u64) {
    if let Some(ahead) = &opened.shared().ahead
        && !opened.is_stale()
        && let Some(at) = opened.presentation().located_at(file, byte)
    {
        for next in 1..=ahead.fragments() {
            let at = Located { chunk: at.chunk + next, ..at };
            if let Some(place) = place(ahead, opened, at) {
                let opened = Arc::clone(opened);
                ahead.run(Box::pin(async move {
                    // A client that requests it has the error.
                    let _ = read(&opened, at, &place).await;
                }));
            }
        }
    }
}

/// Returns a place for a fragment, if it is to be read now: clients leave the store and the memory at
/// least half idle, and the fragment is not there.
fn place(ahead: &Arc<ReadAhead>, opened: &Opened, at: Located) -> Option<Place> {
    let shared = opened.shared();
    let limit = &shared.access.limit;
    let is_idle = limit.waiting() == 0 && limit.used() * 2 < limit.operations() as u64;
    let (file, range) = opened.presentation().stored_range(at)?;
    let len = range.end.saturating_sub(range.start);
    let key = opened.key(file, range);
    let (whole, bodies) = (shared.whole_reads.as_ref()?, &shared.bodies);
    let is_roomy = bodies.free() >= (bodies.total() / 2).saturating_add(len);
    let is_kept = || shared.fragments.as_ref().is_some_and(|fragments| fragments.has(&key));
    if !is_idle || !is_roomy || len > whole.most() || is_kept() || whole.has(&key) {
        return None;
    }
    ahead.take(key)
}

/// Reads a fragment, and keeps it in the cache.
async fn read(opened: &Arc<Opened>, at: Located, place: &Place) -> Result<(), Error> {
    let address = FragmentAddress::Chunk(at);
    let looked = match opened.presentation().fragment(address, Need::Lengths, |_| Ok(()))? {
        Step::Ready(()) => match opened.presentation().stored_range(at) {
            Some((file, range)) => Some(opened.look(file, range).await?),
            None => None,
        },
        step => answering::read_for(step, opened, None).await?.looked,
    };
    if let Some(looked) = looked {
        opened.keep(&looked, place.is_unused());
        place.done();
    }
    Ok(())
}
