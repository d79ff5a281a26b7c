//! Stores below prefixes.

use std::io::ErrorKind;

use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::{MemoryObject, MemoryStore, Mounts, RangeSource, Store};

use super::{FRAGMENT, value, versioned};
use testkit::{get, name, store};

fn objects(objects: &[&str]) -> MemoryStore {
    store(objects.iter().map(|object| (*object, object.as_bytes().to_vec())))
}

fn read(store: &impl Store, path: &str) -> Result<String, ErrorKind> {
    let source = block_on(store.open(&name(path))).map_err(|error| error.kind())?;
    let len = block_on(source.stat()).unwrap().size;
    Ok(String::from_utf8(block_on(source.read(0..len)).unwrap().to_vec()).unwrap())
}

fn list(store: &impl Store, folder: &str) -> Result<Vec<String>, ErrorKind> {
    let folder = (!folder.is_empty()).then(|| name(folder));
    let names = block_on(store.list(folder.as_ref())).map_err(|error| error.kind())?;
    let mut names: Vec<_> = names.iter().map(ToString::to_string).collect();
    names.sort();
    Ok(names)
}

#[test]
fn the_longest_prefix_rules() {
    let root = objects(&["top", "vod/hidden", "vodka/x"]);
    let mounts = Mounts::new().mount("vod", objects(&["film", "archive/hidden"])).unwrap();
    let mounts = mounts.mount("", root).unwrap().mount("/vod/archive/", objects(&["old"])).unwrap();
    for (path, object) in
        [("top", "top"), ("vod/film", "film"), ("vod/archive/old", "old"), ("vodka/x", "vodka/x")]
    {
        assert_eq!(read(&mounts, path).as_deref(), Ok(object), "{path}");
    }
    for path in ["vod/hidden", "vod/archive/hidden", "film", "vod/top"] {
        assert_eq!(read(&mounts, path), Err(ErrorKind::NotFound), "{path}");
    }
    for path in ["vod", "vod/archive"] {
        assert_eq!(read(&mounts, path), Err(ErrorKind::IsADirectory), "{path}");
    }
}

#[test]
fn prefixes_match_in_any_spelling_if_case_is_ignored() {
    let mounts = |ignored| {
        let mounts = Mounts::new().ignore_case(ignored).mount("", objects(&["top"])).unwrap();
        let mounts = mounts.mount("Films", objects(&["film"])).unwrap();
        let mounts = mounts.mount("FILMS", objects(&["loud"])).unwrap();
        mounts.mount("films/\u{c9}t\u{e9}", objects(&["old"])).unwrap()
    };
    let exact = mounts(false);
    let any = mounts(true);
    // Unicode's other form of an accent is known with the feature `fs` alone.
    let (upper, lower) = match cfg!(feature = "fs") {
        true => ("e\u{301}TE\u{301}", "e\u{301}te\u{301}"),
        false => ("\u{e9}T\u{c9}", "\u{e9}t\u{c9}"),
    };
    let (old, folder) = (format!("FILMS/{upper}/old"), format!("Films/{lower}"));
    for (path, object) in [("Films/film", "film"), ("FILMS/loud", "loud"), ("top", "top")] {
        assert_eq!(read(&exact, path).as_deref(), Ok(object), "{path}");
        assert_eq!(read(&any, path).as_deref(), Ok(object), "{path}");
        assert_eq!(block_on(any.stored_name(&name(path))).unwrap(), None, "{path}");
    }
    for (path, stored) in [("fILMs/film", "Films/film"), (old.as_str(), "films/\u{c9}t\u{e9}/old")]
    {
        assert_eq!(read(&exact, path), Err(ErrorKind::NotFound), "{path}");
        assert!(read(&any, path).is_ok(), "{path}");
        assert_eq!(block_on(any.stored_name(&name(path))).unwrap(), Some(name(stored)), "{path}");
    }
    for path in ["films", "FiLmS", folder.as_str()] {
        assert_eq!(read(&any, path), Err(ErrorKind::IsADirectory), "{path}");
    }
    assert_eq!(list(&any, "fiLMs").unwrap(), ["Films/film"]);
}

#[test]
fn lists_are_of_the_mounted_store_and_hide_what_a_mount_covers() {
    let root = objects(&["top", "a", "vod/hidden"]);
    let mounts = Mounts::new().mount("", root).unwrap();
    let mounts = mounts.mount("vod", objects(&["film", "folder/x"])).unwrap();
    let mounts = mounts.mount("a/b", objects(&["c"])).unwrap();
    assert_eq!(list(&mounts, "").unwrap(), ["top"]);
    assert_eq!(list(&mounts, "vod").unwrap(), ["vod/film"]);
    assert_eq!(list(&mounts, "vod/folder").unwrap(), ["vod/folder/x"]);
    assert_eq!(list(&mounts, "a").unwrap(), [""; 0]);
    assert_eq!(list(&mounts, "a/b").unwrap(), ["a/b/c"]);
    let without_root = Mounts::new().mount("a/b", objects(&["c"])).unwrap();
    assert_eq!(list(&without_root, "").unwrap(), [""; 0]);
    assert_eq!(list(&without_root, "x"), Err(ErrorKind::NotFound));
    assert_eq!(list(&Mounts::<MemoryStore>::new(), "x"), Err(ErrorKind::NotFound));
}

#[test]
fn prefixes_are_names_and_each_is_taken_once() {
    let mount = |prefix| Mounts::new().mount(prefix, MemoryStore::new()).map_err(|e| e.kind());
    for prefix in ["../a", "a//b", "a/./b", "//a", "a\\b", "http://a", "a\0"] {
        assert_eq!(mount(prefix).unwrap_err(), ErrorKind::InvalidInput, "{prefix:?}");
    }
    for prefix in ["a", "/a", "a/", "/a/"] {
        let again = mount("a").unwrap().mount(prefix, MemoryStore::new());
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists, "{prefix}");
    }
}

#[test]
fn a_presentation_is_served_below_a_prefix_from_the_stores_own_source() {
    let (server, media) = versioned(0x33);
    let mounted = store([("film.ism", server), ("film.ismv", media)]);
    let mounts = Mounts::new().mount("vod/2026", mounted).unwrap();
    let origin = Origin::new(mounts.clone());
    let path = format!("vod/2026/{FRAGMENT}");
    assert_eq!(value(&get(&origin, &path).unwrap()), Some(0x33));
    let source = block_on(mounts.open(&name("vod/2026/film.ismv"))).unwrap();
    let _: MemoryObject = source;
}

#[cfg(all(unix, feature = "fs"))]
#[test]
fn a_local_file_is_found_behind_a_stored_body_and_other_spellings_below_a_prefix() {
    use smooth_origin::storage::{LocalFile, LocalStore};
    use testkit::folder::{Folder, trusting};
    use testkit::served;

    let folder = Folder::new("mounted");
    let (server, media) = versioned(0x44);
    folder.write("Film.ism", &server);
    folder.write("film.ismv", &media);
    let mounts =
        Mounts::new().mount("vod", LocalStore::new(&folder).unwrap().ignore_case(true)).unwrap();
    let origin = trusting(mounts);
    let body = served(&origin, &format!("vod/{FRAGMENT}")).unwrap().body();
    let stored = body.stored().expect("a fragment is a range of a file");
    let source = block_on(stored.source()).unwrap();
    assert!(source.downcast_ref::<LocalFile>().is_some());
    let opened = block_on(origin.open(&name("vod/FILM.ism"))).unwrap();
    assert_eq!(opened.presentation().name().as_str(), "vod/Film.ism");
}
