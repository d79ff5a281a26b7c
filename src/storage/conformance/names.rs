//! Checks of names.

use std::io::ErrorKind;

use super::polls::{DROPPED_AFTER, begin_and_drop};
use super::reads::part;
use crate::base::Name;
use crate::storage::{Ends, RangeSource, Stat, Store};

/// Opens an object that is there.
pub(super) async fn open<S: Store>(store: &S, name: &Name) -> S::Source {
    match store.open(name).await {
        Ok(source) => source,
        Err(error) => panic!("{name} is there, and cannot be opened: {error}"),
    }
}

/// Missing names, folders, and other spellings.
pub(super) async fn check(store: &impl Store, name: &Name) {
    for missing in [format!("{name}.missing"), format!("{name}-/x"), format!("missing/{name}")] {
        let missing = Name::new(&missing).expect("a name");
        let kind = refusal(store, &missing).await;
        promise!(
            "missing-is-not-found",
            kind == Some(ErrorKind::NotFound),
            "{missing} gives {kind:?}"
        );
    }
    let below = Name::new(&format!("{name}/x")).expect("a name");
    let kind = refusal(store, &below).await;
    promise!(
        "missing-is-not-found",
        matches!(kind, Some(ErrorKind::NotFound | ErrorKind::NotADirectory)),
        "{below}, below an object, gives {kind:?}"
    );
    let mut folder = name.folder();
    while let Some(name) = folder {
        let kind = refusal(store, &name).await;
        promise!(
            "folders-are-no-objects",
            matches!(kind, Some(ErrorKind::NotFound | ErrorKind::IsADirectory)),
            "{name}, a folder, gives {kind:?}"
        );
        folder = name.folder();
    }
    let stored = store.stored_name(name).await;
    let is_itself = stored.as_ref().is_ok_and(|other| other.as_ref().is_none_or(|n| n == name));
    promise!("stored-names", is_itself, "{name} is stored as {stored:?}");
}

/// Returns how opening a name fails; `None` if it does not. It fails in the same way with ends, and
/// if the name is only looked at.
pub(super) async fn refusal(store: &impl Store, name: &Name) -> Option<ErrorKind> {
    let kind = store.open(name).await.err().map(|error| error.kind());
    let with_ends = store.open_with(name, Ends::new(8, 8)).await.err().map(|error| error.kind());
    let looked = store.stat(name).await.err().map(|error| error.kind());
    promise!(
        "missing-is-not-found",
        with_ends == kind && looked == kind,
        "{name} gives {kind:?}, {with_ends:?} with ends, and {looked:?} for a look"
    );
    kind
}

/// Openings with ends, and looks without an opening.
pub(super) async fn check_openings(store: &impl Store, name: &Name, content: &[u8]) {
    let known = open(store, name).await.stat().await;
    let is_known = |stat: &Stat| {
        known.as_ref().is_ok_and(|known| (known.size, &known.version) == (stat.size, &stat.version))
    };
    let looked = store.stat(name).await;
    let is_equal = looked.as_ref().is_ok_and(is_known);
    promise!("equal-looks", is_equal, "a source gives {known:?}, and its name {looked:?}");
    let len = content.len() as u64;
    let all = [(0, 0), (1, 0), (0, 1), (3, 2), (len, len), (u64::MAX, u64::MAX)];
    for ends in all.map(|(head, tail)| Ends::new(head, tail)) {
        let opening = match store.open_with(name, ends).await {
            Ok(opening) => opening,
            Err(error) => panic!("{name} is there, and cannot be opened with {ends:?}: {error}"),
        };
        let stat = &opening.stat;
        promise!("equal-looks", is_known(stat), "a source gives {known:?}, an opening {stat:?}");
        let (head, tail) = ends.ranges(len);
        for (read, range) in [(&opening.head, head), (&opening.tail, tail)] {
            let is_right = read.as_ref().is_none_or(|bytes| bytes == part(content, &range));
            let gives = read.as_ref().map(|bytes| bytes.len());
            promise!("exact-ends", is_right, "{range:?} of {name} gives {gives:?} bytes");
        }
        let read = opening.source.read(1..len.min(3)).await;
        let is_right = read.as_ref().is_ok_and(|bytes| bytes == part(content, &(1..len.min(3))));
        promise!("exact-reads", is_right, "{name}, opened with {ends:?}, gives other bytes");
    }
}

/// The lists of the object's folder and of those above.
pub(super) async fn check_listing(store: &impl Store, name: &Name) {
    let (mut inside, mut folder) = (name.clone(), name.folder());
    let mut is_object = true;
    loop {
        let names = match store.list(folder.as_ref()).await {
            Ok(names) => names,
            Err(error) if error.kind() == ErrorKind::Unsupported => return,
            Err(error) => panic!("broken promise `listing`: {folder:?} is there: {error}"),
        };
        let times = names.iter().filter(|listed| **listed == inside).count();
        promise!(
            "listing",
            times == usize::from(is_object),
            "{inside} is listed {times} times in {folder:?}"
        );
        let stranger = names.iter().find(|listed| listed.folder() != folder);
        promise!("listing", stranger.is_none(), "{stranger:?} is listed in {folder:?}");
        let Some(above) = folder else { break };
        (folder, inside) = (above.folder(), above);
        is_object = false;
    }
    let missing = Name::new(&format!("missing/{name}")).expect("a name");
    let listed = store.list(Some(&missing)).await;
    let is_empty = match &listed {
        Ok(names) => names.is_empty(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    promise!("listing", is_empty, "a folder that is not there gives {listed:?}");
}

/// Openings that are dropped.
pub(super) async fn check_dropped(store: &impl Store, name: &Name, content: &[u8]) {
    for polls in DROPPED_AFTER {
        begin_and_drop(store.open(name), polls).await;
        begin_and_drop(store.list(name.folder().as_ref()), polls).await;
        let range = 0..content.len() as u64;
        let read = match store.open(name).await {
            Ok(source) => source.read(range.clone()).await,
            Err(error) => Err(error),
        };
        let is_right = read.as_ref().is_ok_and(|bytes| bytes == part(content, &range));
        let why = read.err();
        promise!("dropped-futures", is_right, "after an opening that was dropped: {why:?}");
    }
}
