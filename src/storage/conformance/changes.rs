//! Checks of objects that change.

use std::io::{self, ErrorKind};
use std::ops::Range;

use bytes::Bytes;

use super::polls::poll_up_to;
use super::reads::part;
use super::{Fixture, names};
use crate::base::{Name, ReadErrorKind};
use crate::storage::error::read_error_kind;
use crate::storage::{RangeSource, Store, Version};

/// Size of an object in bytes: several reads' worth.
const LEN: u64 = 100_000;

/// Shown if a version may have been taken for another one.
const ADVICE: &str = "if versions have a resolution in time, let `Fixture::put` wait for it";

/// The content of a version: no byte is that of another version, nor is one part that of another.
pub(super) fn content(version: u8) -> Vec<u8> {
    let byte = |at: u64| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8;
    (0..LEN).map(|at| byte(at) ^ version).collect()
}

/// New versions of an object, its end, and its return. It is there in version 0, and not at the
/// end.
pub(super) async fn check<F: Fixture>(store: &impl Store, fixture: &F, name: &Name) {
    let mut versions = Vec::new();
    let mut known = content(0);
    for version in 1..=3 {
        let new = content(version);
        let old = names::open(store, name).await;
        // One read before the change, one that is under way when it comes, and those after it.
        let before = old.read(0..LEN / 2).await;
        let is_right = before.is_ok_and(|bytes| bytes == known[..LEN as usize / 2]);
        promise!("exact-reads", is_right, "an unchanged object is not read as it is");
        let mut during = Box::pin(old.read(0..LEN));
        let early = poll_up_to(during.as_mut(), 1).await;
        fixture.put(name, new.clone()).await;
        let during = match early {
            Some(read) => read,
            None => during.await,
        };
        check_old(during, &known, 0..LEN);
        check_old_source(&old, &known).await;
        check_new(store, name, &new, &mut versions).await;
        check_old_source(&old, &known).await;
        known = new;
    }
    check_shorter(store, fixture, name, &mut versions).await;
    check_end(store, fixture, name).await;
    fixture.put(name, content(5)).await;
    check_new(store, name, &content(5), &mut versions).await;
    fixture.remove(name).await;
}

/// A new version that is shorter than the old one.
async fn check_shorter<F: Fixture>(
    store: &impl Store,
    fixture: &F,
    name: &Name,
    versions: &mut Vec<Version>,
) {
    let old = names::open(store, name).await;
    let mut short = content(4);
    short.truncate(1000);
    fixture.put(name, short.clone()).await;
    check_old_source(&old, &content(3)).await;
    check_new(store, name, &short, versions).await;
}

/// An object that is removed.
async fn check_end<F: Fixture>(store: &impl Store, fixture: &F, name: &Name) {
    let old = names::open(store, name).await;
    fixture.remove(name).await;
    let kind = names::refusal(store, name).await;
    promise!(
        "changes-are-noticed",
        kind == Some(ErrorKind::NotFound),
        "{name}, which was removed, gives {kind:?}"
    );
    let read = old.read(0..1000).await;
    promise!(
        "one-version",
        read_is_old(&read, &content(4)[..1000]),
        "a source of an object that was removed gives {read:?}"
    );
    if let Ok(names) = store.list(name.folder().as_ref()).await {
        promise!("listing", !names.contains(name), "{name} is listed, and was removed");
    }
}

/// Checks an opening, and a look without one, after a change.
async fn check_new(store: &impl Store, name: &Name, content: &[u8], versions: &mut Vec<Version>) {
    let source = match store.open(name).await {
        Ok(source) => source,
        Err(error) => panic!("broken promise `changes-are-noticed`: it is there: {error}"),
    };
    let stat = match source.stat().await {
        Ok(stat) => stat,
        Err(error) => panic!("broken promise `changes-are-noticed`: it is there: {error}"),
    };
    let len = content.len() as u64;
    promise!("changes-are-noticed", stat.size == len, "{} bytes, not {len}", stat.size);
    let is_new = !versions.contains(&stat.version);
    promise!(
        "changes-are-noticed",
        is_new,
        "the version of new content is one of before ({ADVICE})"
    );
    versions.push(stat.version);
    let read = source.read(0..len).await;
    let is_right = read.as_ref().is_ok_and(|bytes| bytes == content);
    let why = read.err();
    promise!("changes-are-noticed", is_right, "the new content is not read: {why:?}");
    names::check_openings(store, name, content).await;
}

/// Reads through a source whose object has been replaced.
async fn check_old_source(old: &impl RangeSource, content: &[u8]) {
    for range in [0..LEN, 0..10, LEN / 2..LEN / 2 + 10, LEN - 10..LEN, 10..20] {
        check_old(old.read(range.clone()).await, content, range);
    }
}

fn check_old(read: io::Result<Bytes>, content: &[u8], range: Range<u64>) {
    let is_old = read_is_old(&read, part(content, &range));
    let gives = read.map(|bytes| bytes.len());
    promise!(
        "one-version",
        is_old,
        "{range:?} of an object that was replaced gives {gives:?}, not its version or `ChangedError` ({ADVICE})"
    );
}

/// Returns whether a read gave the bytes of its version, or an error that says that it is gone.
fn read_is_old(read: &io::Result<Bytes>, expected: &[u8]) -> bool {
    match read {
        Ok(bytes) => bytes == expected,
        Err(error) => {
            matches!(read_error_kind(error), ReadErrorKind::Changed | ReadErrorKind::Gone)
        }
    }
}
