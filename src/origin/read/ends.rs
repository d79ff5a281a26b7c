//! Files that are opened together with their first and last bytes.

use bytes::Bytes;

use super::access::Access;
use super::settling::Patience;
use crate::base::{FileEnds, Name, ReadError, ReadErrorKind};
use crate::storage::{Ends, Opening, Source, Stat};

/// Maximum attempts to open the file of a fragment, because an encoder may rewrite it while its
/// head is read.
const OPENINGS: usize = 3;

/// The purpose for which the file of a fragment is opened.
#[derive(Clone, Copy, Debug)]
pub(in crate::origin) enum Purpose {
    /// A look while the presentation is opened; none of its bytes are served.
    Look,
    /// An answer.
    Answer,
}

/// Opens the file of a fragment in its current version, and reads its first bytes.
pub(in crate::origin) async fn open_fragment(
    access: &Access,
    name: &Name,
    head: u64,
    purpose: Purpose,
) -> Result<(FileEnds, Source, Stat), ReadError> {
    let patience = Patience::default();
    for _ in 1..OPENINGS {
        match try_open_fragment(access, name, head, purpose, &patience).await {
            Err(error) if error.kind == ReadErrorKind::Changed => {}
            opened => return opened,
        }
    }
    try_open_fragment(access, name, head, purpose, &patience).await
}

async fn try_open_fragment(
    access: &Access,
    name: &Name,
    head: u64,
    purpose: Purpose,
    patience: &Patience,
) -> Result<(FileEnds, Source, Stat), ReadError> {
    let ends = Ends::new(head, 0);
    let opening = match purpose {
        Purpose::Look => access.look(name, ends).await?,
        Purpose::Answer => access.open_briefly(name, ends, patience).await?,
    };
    let (read, source, stat) = read_ends(access, opening, ends).await?;
    let version = access.validated_version(&stat);
    Ok((read.of_version(version), source, stat))
}

/// Reads the head of a file if the store did not read it when it opened the file, and then the tail
/// too. A tail alone would take a round trip of its own, in which other things can be read too: it
/// is left out.
pub(in crate::origin) async fn read_head(
    access: &Access,
    opening: Opening<Source>,
    ends: Ends,
) -> Result<(FileEnds, Source, Stat), ReadError> {
    match opening {
        Opening { source, stat, head: Some(head), tail: None, .. } => {
            Ok((FileEnds::new(stat.size, head, Bytes::new()), source, stat))
        }
        opening => read_ends(access, opening, ends).await,
    }
}

/// Reads those ends of a file that the store did not read when it opened the file.
async fn read_ends(
    access: &Access,
    opening: Opening<Source>,
    ends: Ends,
) -> Result<(FileEnds, Source, Stat), ReadError> {
    let Opening { source, stat, head, tail, .. } = opening;
    let (of_head, of_tail) = ends.ranges(stat.size);
    let tail = tail.or_else(|| of_tail.is_empty().then(Bytes::new));
    let (head, tail) = match (head, tail) {
        (Some(head), Some(tail)) => (head, tail),
        (Some(head), None) => (head, access.read(&source, of_tail).await?),
        (None, Some(tail)) => (access.read(&source, of_head).await?, tail),
        (None, None) => {
            let read = access.read_many(&source, &[of_head, of_tail]).await?;
            let mut read = read.into_iter();
            (read.next().unwrap_or_default(), read.next().unwrap_or_default())
        }
    };
    Ok((FileEnds::new(stat.size, head, tail), source, stat))
}
