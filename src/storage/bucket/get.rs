//! One request for a part of an object, and its answer.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use object_store::path::Path;
use object_store::{
    Attribute, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, ObjectStore,
};

use super::problem::Problem;

/// The facts that an answer gives about an object.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) meta: ObjectMeta,
    /// The time of the answer by the clock that stamps the object, if that is known.
    pub(super) now: Option<SystemTime>,
}

/// The date of an answer over HTTP, beside the answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dated(pub(super) Option<SystemTime>);

/// An answer with all its bytes.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) seen: Seen,
    pub(super) range: Range<u64>,
    pub(super) bytes: Bytes,
}

/// Bytes for which memory is taken at once. Longer answers take it as they come.
const AT_ONCE: usize = 16 << 20;

/// Asks for a range. The answer has as many bytes as its range says, and no more than were asked
/// for.
pub(super) async fn get(
    store: Arc<dyn ObjectStore>,
    path: Path,
    range: GetRange,
    options: GetOptions,
) -> Result<Got, Problem> {
    let options = GetOptions { range: Some(range.clone()), ..options };
    let result = store.get_opts(&path, options).await.map_err(|error| Problem::of(&error))?;
    check_encoding(&result)?;
    let (meta, given) = (result.meta.clone(), result.range.clone());
    let expected = expected(&range, meta.size);
    if expected.as_ref() != Some(&given) {
        return Err(other(format!(
            "the store was asked for {range} of an object of {} bytes, and gave those from {} up to {}",
            meta.size, given.start, given.end
        )));
    }
    let now = now(&result);
    let bytes = collect(result, given.end - given.start).await?;
    Ok(Got { seen: Seen { meta, now }, range: given, bytes })
}

/// Looks at an object.
pub(super) async fn head(store: Arc<dyn ObjectStore>, path: Path) -> Result<Seen, Problem> {
    let options = GetOptions::new().with_head(true);
    let result = store.get_opts(&path, options).await.map_err(|error| Problem::of(&error))?;
    Ok(Seen { now: now(&result), meta: result.meta })
}

/// Local files and the like are stamped by the clock of this machine.
fn now(result: &GetResult) -> Option<SystemTime> {
    match result.extensions.get() {
        Some(Dated(date)) => *date,
        None => Some(SystemTime::now()),
    }
}

/// The range that answers a request for an object of this size; `None` if there is none.
fn expected(range: &GetRange, size: u64) -> Option<Range<u64>> {
    let range = match range {
        GetRange::Bounded(range) => range.start..range.end.min(size),
        GetRange::Offset(start) => *start..size,
        GetRange::Suffix(len) => size.saturating_sub(*len)..size,
    };
    (range.start < range.end).then_some(range)
}

/// Refuses what is stored in a coding: its ranges are not those of the media.
fn check_encoding(result: &GetResult) -> Result<(), Problem> {
    let coding = result.attributes.get(&Attribute::ContentEncoding).map(|value| value.as_ref());
    match coding {
        None | Some("" | "identity") => Ok(()),
        Some(_) => Err(Problem::told(
            std::io::ErrorKind::InvalidData,
            "the object is stored compressed (Content-Encoding): store it as it is",
        )),
    }
}

/// Reads the answer to its end: as many bytes, or an error.
async fn collect(result: GetResult, wanted: u64) -> Result<Bytes, Problem> {
    let Ok(wanted) = usize::try_from(wanted) else {
        return Err(other("the range does not fit into memory"));
    };
    let mut stream = match result.payload {
        GetResultPayload::Stream(stream) => stream,
        // A file, in stores of local files. Its length was compared with the range.
        #[allow(unreachable_patterns)]
        payload => {
            let file = GetResult { payload, ..result };
            let bytes = file.bytes().await.map_err(|error| Problem::of(&error))?;
            return if bytes.len() == wanted {
                Ok(bytes)
            } else {
                Err(unequal(bytes.len(), wanted))
            };
        }
    };
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| Problem::of(&error))?;
        let len = first.len() + all.len();
        if chunk.len() > wanted - len {
            return Err(unequal(len.saturating_add(chunk.len()), wanted));
        }
        if len == 0 {
            first = chunk;
            continue;
        }
        if all.is_empty() {
            all.reserve(wanted.min(AT_ONCE));
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&chunk);
    }
    let bytes = if all.is_empty() { first } else { all.freeze() };
    if bytes.len() == wanted { Ok(bytes) } else { Err(unequal(bytes.len(), wanted)) }
}

fn unequal(given: usize, wanted: usize) -> Problem {
    other(format!("the store gave {given} bytes of {wanted}"))
}

fn other(sentence: impl Into<String>) -> Problem {
    Problem::told(std::io::ErrorKind::Other, sentence)
}
