//! Links that lead out of the root, into folders that the operator names.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use smooth_origin::origin::block_on;
use smooth_origin::storage::{LocalStore, RangeSource, Store};

use testkit::folder::Folder;
use testkit::name;

fn read(store: &LocalStore, path: &str) -> Result<Vec<u8>, ErrorKind> {
    let source = block_on(store.open(&name(path))).map_err(|error| error.kind())?;
    let len = block_on(source.stat()).unwrap().size;
    Ok(block_on(source.read(0..len)).unwrap().to_vec())
}

/// Another folder, as a relative link from within `folder` has it.
fn beside(folder: &Folder) -> PathBuf {
    Path::new("..").join(folder.0.file_name().unwrap())
}

/// A root with links, a folder that they may lead into, and one that they may not.
fn folders(test: &str) -> (Folder, Folder, Folder) {
    let folders = ["root", "allowed", "other"].map(|name| Folder::new(&format!("{test}-{name}")));
    let [root, allowed, other] = folders;
    allowed.write("film/video", b"allowed");
    other.write("secret", b"secret");
    root.write("inside/file", b"inside");
    let link = |target: PathBuf, name: &str| symlink(target, root.0.join(name)).unwrap();
    link(allowed.0.clone(), "folder");
    link(allowed.0.join("film"), "absolute");
    link(beside(&allowed).join("film"), "relative");
    link(allowed.0.join("film/video"), "file");
    link("folder/film".into(), "chain");
    link(other.0.clone(), "other");
    link(beside(&other).join("secret"), "secret");
    link("round".into(), "round");
    link(allowed.0.join("missing"), "dangling");
    link("/proc/self/environ".into(), "magic");
    link(root.0.join("inside"), "absolute-inside");
    symlink(&other.0, allowed.0.join("on")).unwrap();
    symlink("film", allowed.0.join("within")).unwrap();
    symlink(root.0.join("inside"), allowed.0.join("back")).unwrap();
    symlink(allowed.0.join("round"), allowed.0.join("round")).unwrap();
    (root, allowed, other)
}

#[test]
fn a_link_is_followed_into_a_folder_that_is_allowed_and_into_no_other() {
    let (root, allowed, _other) = folders("links-into");
    let store = LocalStore::new(&root).unwrap().links_into(&allowed.0).unwrap();
    for path in [
        "folder/film/video",
        "absolute/video",
        "relative/video",
        "file",
        "chain/video",
        "folder/within/video",
    ] {
        assert_eq!(read(&store, path).as_deref(), Ok(&b"allowed"[..]), "{path}");
        assert_eq!(
            read(&LocalStore::new(&root).unwrap(), path),
            Err(ErrorKind::NotFound),
            "{path} by default"
        );
    }
    for path in [
        "other/secret",
        "secret",
        "round",
        "folder/round",
        "folder/on/secret",
        "folder/back/file",
        "dangling",
        "folder/missing",
        "magic",
        "absolute-inside/file",
    ] {
        assert_eq!(read(&store, path), Err(ErrorKind::NotFound), "{path}");
    }
    assert_eq!(read(&store, "folder/film"), Err(ErrorKind::IsADirectory));
    let listed = block_on(store.list(Some(&name("folder/film")))).unwrap();
    assert_eq!(listed, [name("folder/film/video")]);
    assert!(block_on(LocalStore::new(&root).unwrap().list(Some(&name("folder/film")))).is_err());
}

#[test]
fn the_root_itself_can_be_allowed_for_links_with_absolute_paths() {
    let (root, ..) = folders("links-root");
    let store = LocalStore::new(&root).unwrap().links_into(&root.0).unwrap();
    assert_eq!(read(&store, "absolute-inside/file").as_deref(), Ok(&b"inside"[..]));
    assert_eq!(read(&store, "other/secret"), Err(ErrorKind::NotFound));
}

#[test]
fn several_folders_are_allowed_and_a_name_that_begins_like_one_is_not() {
    let (root, allowed, other) = folders("links-several");
    let store = LocalStore::new(&root)
        .unwrap()
        .links_into(&allowed.0)
        .unwrap()
        .links_into(&other.0)
        .unwrap();
    for path in ["other/secret", "secret", "folder/on/secret"] {
        assert_eq!(read(&store, path).as_deref(), Ok(&b"secret"[..]), "{path}");
    }
    let begins_like = Folder::new("links-several-allowed-not");
    begins_like.write("file", b"content");
    symlink(&begins_like.0, root.0.join("like")).unwrap();
    assert_eq!(read(&store, "like/file"), Err(ErrorKind::NotFound));
    assert!(LocalStore::new(&root).unwrap().links_into(root.0.join("missing")).is_err());
    assert!(LocalStore::new(&root).unwrap().links_into(root.0.join("inside/file")).is_err());
}

#[test]
fn only_regular_files_are_opened_behind_links() {
    let (root, allowed, _other) = folders("links-special");
    let fifo = std::process::Command::new("mkfifo").arg(allowed.0.join("fifo")).status().unwrap();
    assert!(fifo.success());
    symlink(allowed.0.join("fifo"), root.0.join("fifo")).unwrap();
    let store = LocalStore::new(&root).unwrap().links_into(&allowed.0).unwrap();
    for path in ["fifo", "folder/fifo"] {
        assert_eq!(read(&store, path), Err(ErrorKind::NotFound), "{path}");
    }
}

#[test]
fn other_spellings_are_found_behind_links_too() {
    let (root, allowed, _other) = folders("links-case");
    let store = LocalStore::new(&root).unwrap().links_into(&allowed.0).unwrap().ignore_case(true);
    assert_eq!(read(&store, "FOLDER/Film/VIDEO").as_deref(), Ok(&b"allowed"[..]));
    assert_eq!(read(&store, "OTHER/Secret"), Err(ErrorKind::NotFound));
    let stored = block_on(store.stored_name(&name("FOLDER/Film/VIDEO"))).unwrap();
    assert_eq!(stored, Some(name("folder/film/video")));
}

#[test]
fn links_that_are_not_followed_are_reported_within_a_bound() {
    let (root, allowed, other) = folders("links-refused");
    let names = |store: &LocalStore, most| {
        let refused = store.refused_links(most).unwrap();
        let names = refused.links.iter().map(|link| link.name.to_str().unwrap().to_owned());
        (names.collect::<Vec<_>>(), refused.is_complete)
    };
    fs::create_dir_all(root.0.join("deep/er")).unwrap();
    symlink(&other.0, root.0.join("deep/er/out")).unwrap();
    let refused = [
        "absolute",
        "absolute-inside",
        "chain",
        "dangling",
        "deep/er/out",
        "file",
        "folder",
        "magic",
        "other",
        "relative",
        "round",
        "secret",
    ];
    let store = LocalStore::new(&root).unwrap();
    assert_eq!(names(&store, 1000), (refused.map(str::to_owned).to_vec(), true));
    let link = &store.refused_links(1000).unwrap().links[4];
    assert_eq!(link.target, other.0);
    assert!(!store.refused_links(5).unwrap().is_complete);

    let store = LocalStore::new(&root).unwrap().links_into(&allowed.0).unwrap();
    let refused = ["absolute-inside", "deep/er/out", "magic", "other", "round", "secret"];
    assert_eq!(names(&store, 1000), (refused.map(str::to_owned).to_vec(), true));
    let store = store.links_into(&other.0).unwrap().links_into(&root.0).unwrap();
    assert_eq!(names(&store, 1000).0, ["magic", "round"]);
}
