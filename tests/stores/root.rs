//! A root that another folder takes the place of.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::time::Duration;

use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::{LocalStore, RangeSource, Store};

use super::{FRAGMENT, value, versioned};
use testkit::folder::Folder;
use testkit::{Hands, get, name};

fn read(store: &LocalStore, path: &str) -> Result<Vec<u8>, ErrorKind> {
    let source = block_on(store.open(&name(path))).map_err(|error| error.kind())?;
    let len = block_on(source.stat()).unwrap().size;
    Ok(block_on(source.read(0..len)).unwrap().to_vec())
}

#[test]
fn a_root_that_is_replaced_by_rename_is_noticed() {
    let folder = Folder::new("root-rename");
    folder.write("root/file", b"old");
    folder.write("new/file", b"new");
    let store = LocalStore::new(folder.0.join("root")).unwrap();
    let opened = block_on(store.open(&name("file"))).unwrap();
    fs::rename(folder.0.join("root"), folder.0.join("before")).unwrap();
    // In the middle of the swap, what was there is there still.
    assert_eq!(read(&store, "file").as_deref(), Ok(&b"old"[..]));
    let kind = read(&store, "new-file").unwrap_err();
    assert!(!matches!(kind, ErrorKind::NotFound), "it may be there in a moment: {kind}");
    fs::rename(folder.0.join("new"), folder.0.join("root")).unwrap();
    assert_eq!(read(&store, "file").as_deref(), Ok(&b"new"[..]));
    assert_eq!(read(&store, "new-file"), Err(ErrorKind::NotFound));
    assert_eq!(block_on(opened.read(0..3)).unwrap(), b"old"[..]);
}

#[test]
fn a_root_that_is_a_link_is_followed_to_its_new_target() {
    let folder = Folder::new("root-link");
    folder.write("1/file", b"old");
    folder.write("2/file", b"new");
    let current = folder.0.join("current");
    symlink("1", &current).unwrap();
    let store = LocalStore::new(&current).unwrap();
    assert_eq!(read(&store, "file").as_deref(), Ok(&b"old"[..]));
    symlink("2", folder.0.join("next")).unwrap();
    fs::rename(folder.0.join("next"), &current).unwrap();
    assert_eq!(read(&store, "file").as_deref(), Ok(&b"new"[..]));
}

#[test]
fn a_root_whose_path_leads_to_no_folder_is_kept() {
    let folder = Folder::new("root-gone");
    folder.write("root/file", b"content");
    let root = folder.0.join("root");
    let store = LocalStore::new(&root).unwrap();
    fs::rename(&root, folder.0.join("before")).unwrap();
    fs::write(&root, "a file").unwrap();
    assert_eq!(read(&store, "file").as_deref(), Ok(&b"content"[..]));
    fs::remove_file(&root).unwrap();
    // Its files are gone with it: that is no reason to say that they are not there.
    fs::remove_dir_all(folder.0.join("before")).unwrap();
    assert!(!matches!(read(&store, "file").unwrap_err(), ErrorKind::NotFound));
    folder.write("root/file", b"again");
    assert_eq!(read(&store, "file").as_deref(), Ok(&b"again"[..]));
}

#[test]
fn an_allowed_folder_that_is_replaced_is_noticed() {
    let (folder, root) = (Folder::new("root-allowed"), Folder::new("root-allowed-root"));
    folder.write("media/file", b"old");
    folder.write("new/file", b"new");
    symlink(folder.0.join("media"), root.0.join("media")).unwrap();
    let store = LocalStore::new(&root).unwrap().links_into(folder.0.join("media")).unwrap();
    assert_eq!(read(&store, "media/file").as_deref(), Ok(&b"old"[..]));
    fs::rename(folder.0.join("media"), folder.0.join("before")).unwrap();
    fs::rename(folder.0.join("new"), folder.0.join("media")).unwrap();
    assert_eq!(read(&store, "media/file").as_deref(), Ok(&b"new"[..]));
}

#[test]
fn a_presentation_is_opened_again_in_the_new_root_and_goes_on_during_the_swap() {
    let folder = Folder::new("root-film");
    for (version, content) in [("root", 0x11), ("new", 0x22)] {
        let (server, media) = versioned(content);
        folder.write(&format!("{version}/film.ism"), &server);
        folder.write(&format!("{version}/film.ismv"), &media);
    }
    let hands = Hands::default();
    let store = LocalStore::new(folder.0.join("root")).unwrap();
    let origin = Origin::builder(store).settling_time(Duration::ZERO).clock(hands.clock()).build();
    assert_eq!(value(&get(&origin, FRAGMENT).unwrap()), Some(0x11));
    fs::rename(folder.0.join("root"), folder.0.join("before")).unwrap();
    hands.pass(10);
    assert_eq!(value(&get(&origin, FRAGMENT).unwrap()), Some(0x11));
    fs::rename(folder.0.join("new"), folder.0.join("root")).unwrap();
    hands.pass(10);
    assert_eq!(value(&get(&origin, FRAGMENT).unwrap()), Some(0x22));
}
