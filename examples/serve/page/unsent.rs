//! Memory for answers that wait to be sent: clients that ask for much and take nothing hold no more.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes of answers that wait to be sent, of all clients.
const MOST: usize = 64 << 20;

/// An answer of fewer bytes is not counted, so that clients can be told that there is no room.
const UNCOUNTED: usize = 1024;

static ROOM: Semaphore = Semaphore::const_new(MOST);

/// Room for an answer, until this is dropped. `None` is that of a small one.
pub(super) type Room = Option<SemaphorePermit<'static>>;

/// Takes room for an answer of so many bytes.
///
/// # Errors
/// Other answers have it.
pub(super) fn room(bytes: usize) -> Result<Room, Full> {
    room_of(&ROOM, MOST, bytes)
}

/// No room is left.
#[derive(Debug)]
pub(super) struct Full;

fn room_of(all: &'static Semaphore, most: usize, bytes: usize) -> Result<Room, Full> {
    if bytes < UNCOUNTED {
        return Ok(None);
    }
    // An answer that is longer than all room is the only one.
    let count = u32::try_from(bytes.min(most)).map_err(|_| Full)?;
    all.try_acquire_many(count).map(Some).map_err(|_| Full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_share_room_until_they_are_sent() {
        static ALL: Semaphore = Semaphore::const_new(10_000);
        let room = |bytes| room_of(&ALL, 10_000, bytes);
        let first = room(6_000).unwrap();
        assert!(room(6_000).is_err());
        let second = room(4_000).unwrap();
        assert!(room(1_024).is_err());
        assert!(room(1_023).is_ok(), "a small answer is always sent");
        drop((first, second));
        let alone = room(1_000_000).unwrap();
        assert!(room(1_024).is_err());
        drop(alone);
        assert!(room(10_000).is_ok());
    }
}
