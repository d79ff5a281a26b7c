//! Checks of reads through a source.

use std::io::ErrorKind;
use std::ops::Range;

use futures_util::future::join_all;

use super::polls::{DROPPED_AFTER, begin_and_drop, poll_up_to};
use crate::storage::RangeSource;

/// Ranges of an object of `len` bytes, four or more: all of it, its ends, its parts, and none.
fn ranges(len: u64) -> Vec<Range<u64>> {
    let quarter = len / 4;
    let parts = (0..4).map(|n| n * quarter..(n + 1) * quarter);
    [0..len, 0..1, 1..3, len - 1..len, len / 2..len].into_iter().chain(parts).collect()
}

/// The bytes of a range that lies in the content.
pub(super) fn part<'a>(content: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    &content[range.start as usize..range.end as usize]
}

/// Sizes, single reads, and what lies past the end.
pub(super) async fn check(source: &impl RangeSource, content: &[u8]) {
    let len = content.len() as u64;
    let stat = source.stat().await;
    let size = stat.as_ref().map(|stat| stat.size).ok();
    promise!("equal-looks", size == Some(len), "an object of {len} bytes gives {stat:?}");
    let empty = [0..0, 2..2, len..len];
    for range in ranges(len).into_iter().chain(empty) {
        check_read(source, content, range, "exact-reads").await;
    }
    // A claim of what is not there must take no memory.
    for range in [0..len + 1, len..len + 1, len + 1..len + 2, 0..u64::MAX, u64::MAX - 1..u64::MAX] {
        let read = source.read(range.clone()).await;
        let kind = read.as_ref().err().map(|error| error.kind());
        let gives = read.as_ref().map(|bytes| bytes.len());
        promise!(
            "past-the-end",
            kind == Some(ErrorKind::UnexpectedEof),
            "{range:?} of {len} bytes gives {gives:?}"
        );
    }
    check_many(source, content).await;
}

/// Several ranges in one call: none, one, two, and many that overlap.
async fn check_many(source: &impl RangeSource, content: &[u8]) {
    let len = content.len() as u64;
    let all: Vec<_> =
        ranges(len).into_iter().rev().chain(std::iter::once(2..2)).cycle().take(20).collect();
    for count in [0, 1, 2, 3, all.len()] {
        let read = source.read_many(&all[..count]).await;
        let expected = all[..count].iter().map(|range| part(content, range));
        let is_right = read.as_ref().is_ok_and(|read| read.iter().eq(expected));
        let gives = read.map(|read| read.iter().map(|bytes| bytes.len()).collect::<Vec<_>>());
        promise!("many-reads", is_right, "{:?} give {gives:?}", &all[..count]);
    }
    let read = source.read_many(&[0..1, len..len + 1, 1..2]).await;
    let kind = read.as_ref().err().map(|error| error.kind());
    let is_right = kind == Some(ErrorKind::UnexpectedEof);
    promise!("many-reads", is_right, "a range past the end among others gives {kind:?}");
}

/// Two sources of one unchanged object.
pub(super) async fn check_looks(first: &impl RangeSource, second: &impl RangeSource) {
    let (first, second) = (first.stat().await, second.stat().await);
    let is_equal = matches!((&first, &second), (Ok(first), Ok(second))
        if (first.size, &first.version) == (second.size, &second.version));
    promise!("equal-looks", is_equal, "two looks give {first:?} and {second:?}");
}

/// Many reads at one time, in turn through these sources, begun in two orders.
pub(super) async fn check_concurrent<S: RangeSource>(sources: &[&S], content: &[u8]) {
    let mut ranges = ranges(content.len() as u64);
    for order in ["ascending", "descending"] {
        let reads = ranges.iter().zip(sources.iter().cycle());
        let reads = join_all(reads.map(|(range, source)| source.read(range.clone()))).await;
        for (range, read) in ranges.iter().zip(reads) {
            let is_right = read.as_ref().is_ok_and(|bytes| bytes == part(content, range));
            let why = read.err();
            promise!("concurrent-reads", is_right, "{range:?} in {order} order: {why:?}");
        }
        ranges.reverse();
    }
}

/// Reads that are dropped, alone and beside another one.
pub(super) async fn check_dropped(source: &impl RangeSource, content: &[u8]) {
    let len = content.len() as u64;
    for polls in DROPPED_AFTER {
        begin_and_drop(source.read(1..len), polls).await;
        check_read(source, content, 0..len, "dropped-futures").await;

        let mut dropped = Box::pin(source.read(0..len));
        let mut kept = Box::pin(source.read(1..3));
        poll_up_to(dropped.as_mut(), polls).await;
        // Once, because it may wait for the other one, which nobody polls.
        let early = poll_up_to(kept.as_mut(), polls.min(1)).await;
        drop(dropped);
        let read = match early {
            Some(read) => read,
            None => kept.await,
        };
        let is_right = read.as_ref().is_ok_and(|bytes| bytes == part(content, &(1..3)));
        let why = read.err();
        promise!("dropped-futures", is_right, "a read beside one that was dropped: {why:?}");
        check_read(source, content, len / 2..len, "dropped-futures").await;
    }
}

async fn check_read(
    source: &impl RangeSource,
    content: &[u8],
    range: Range<u64>,
    promise: &'static str,
) {
    let read = source.read(range.clone()).await;
    let expected = part(content, &range);
    let is_right = read.as_ref().is_ok_and(|bytes| bytes == expected);
    let gives = read.map(|bytes| bytes.len());
    assert!(
        is_right,
        "broken promise `{promise}`: {range:?} gives {gives:?} bytes that are not those stored"
    );
}
