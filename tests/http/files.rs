//! Files beside the presentations, from a real folder: what is there for clients and what never is.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, SystemTime};

use smooth_origin::service::{Cors, OriginService, PassedFiles, ServiceOptions};

use crate::asked::{ask, get};
use smooth_origin::storage::LocalStore;
use testkit::film::ism;
use testkit::folder::{Folder, trusting};

fn service_of(folder: &Folder, files: PassedFiles) -> OriginService {
    let options = ServiceOptions::default()
        .caching(Default::default())
        .cors(Cors::any())
        .cross_domain_policies(true)
        .files(files);
    OriginService::with_options(trusting(LocalStore::new(folder).unwrap()), options)
}

fn status(service: &OriginService, target: &str) -> u16 {
    get(service, target).status
}

#[test]
fn only_plain_files_below_the_root_are_served() {
    let (root, outside) = (Folder::new("files-root"), Folder::new("files-outside"));
    let secret = outside.write("secret.txt", b"secret");
    root.write("a/plain.txt", b"plain");
    root.write(".hidden", b"secret");
    root.write(".git/config", b"secret");
    root.write("a/.b/c.txt", b"secret");
    root.write("folder.jpg/inside.txt", b"inside");
    let link = |target: &str, name: &str| symlink(target, root.0.join(name)).unwrap();
    let out = outside.0.to_str().unwrap();
    link(secret.to_str().unwrap(), "absolute.txt");
    link(&format!("../{}/secret.txt", outside.0.file_name().unwrap().to_str().unwrap()), "up.txt");
    link(out, "out");
    link("round.txt", "round.txt");
    link("nowhere.txt", "dangling.txt");
    link("/proc/self/environ", "environ.txt");
    link("/dev/zero", "zero.txt");
    link("a/plain.txt", "within.txt");
    link("a", "b");
    link(".hidden", "to-hidden.txt");
    let fifo = root.0.join("fifo.txt");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(root.0.join("socket.txt")).unwrap();

    let service = service_of(&root, PassedFiles::all());
    assert_eq!(get(&service, "/a/plain.txt").body, b"plain");
    for target in [
        "/.hidden",
        "/%2ehidden",
        "/.git/config",
        "/a/.b/c.txt",
        "/a/..",
        "/a/../.hidden",
        "/folder.jpg",
        "/folder.jpg/",
        "/a/plain.txt/",
        "/a/plain.txt/x",
        "/absolute.txt",
        "/up.txt",
        "/out/secret.txt",
        "/out",
        "/round.txt",
        "/dangling.txt",
        "/environ.txt",
        "/zero.txt",
        "/fifo.txt",
        "/socket.txt",
        &format!("/{out}/secret.txt"),
        secret.to_str().unwrap(),
        "/a//plain.txt",
        "//a/plain.txt",
        "/./a/plain.txt",
        "/A/PLAIN.TXT",
        &format!("/{}", "x".repeat(300)),
    ] {
        for method in ["GET", "HEAD"] {
            let asked = ask(&service, method, target, &[("range", "bytes=0-99")]);
            assert_eq!(asked.status, 404, "{target}");
        }
    }
    // A link that stays below the root is the owner's own.
    if cfg!(target_os = "linux") {
        assert_eq!(get(&service, "/within.txt").body, b"plain");
        assert_eq!(get(&service, "/b/plain.txt").body, b"plain");
    }
}

#[test]
fn what_presentations_are_made_of_is_refused_by_every_spelling() {
    let root = Folder::new("files-media");
    let extensions = ["ism", "isml", "ismc", "ismv", "isma", "ismt", "ismx", "mpi", "mp4"];
    for extension in extensions {
        root.write(&format!("a.{extension}"), b"media");
        root.write(&format!("a.{}", extension.to_ascii_uppercase()), b"media");
    }
    let service = service_of(&root, PassedFiles::matching(["*", "*.ismv", "*.mp4", "*.mpi"]));
    for extension in &extensions[2..8] {
        let last = extension.chars().last().unwrap();
        let start = &extension[..extension.len() - 1];
        for target in [
            format!("/a.{extension}"),
            format!("/a.{}", extension.to_ascii_uppercase()),
            format!("/a%2E{extension}"),
            format!("/a.{start}%{:02x}", last as u32),
            format!("/a.{extension}?x=.jpg"),
            format!("/none.{extension}"),
            format!("/a.{extension}."),
            format!("/a.{extension}%20"),
        ] {
            let asked = get(&service, &target);
            assert_eq!((asked.status, asked.code().as_str()), (403, "refused"), "{target}");
        }
    }
    // Server manifests are presentations: broken ones here, and never given out.
    for target in ["/a.ism", "/a.isml", "/a.ISM", "/a.ism/", "/a%2eism", "/a.ism/Manifest"] {
        let asked = get(&service, target);
        assert!([403, 500].contains(&asked.status), "{target}: {}", asked.status);
    }
    let with_media = service_of(&root, PassedFiles::matching(["*.ismv"]).media(true));
    assert_eq!(get(&with_media, "/a.ismv").body, b"media");
    assert_eq!(status(&with_media, "/a.ismc"), 403);
}

/// An `.mp4` is media where a server manifest of its folder, or of one above, names it.
#[test]
fn an_mp4_that_a_presentation_is_made_of_is_refused_by_every_spelling() {
    let root = Folder::new("files-mp4");
    let ism =
        ism(None, &[("video", "film_1.mp4", 300, 1, ""), ("audio", "below/a%20b.mp4", 64, 2, "")]);
    root.write("films/film.ism", &ism);
    for file in [
        "films/film_1.mp4",
        "films/below/a b.mp4",
        "films/below/a%20b.mp4",
        "films/trailer.mp4",
        "film_1.mp4",
    ] {
        root.write(file, b"media");
    }
    let service = service_of(&root, PassedFiles::matching(["*.mp4"]));
    for (target, expected) in [
        ("/films/film_1.mp4", 403),
        ("/films/film%5F1.mp4", 403),
        ("/films/film_1.m%704", 403),
        ("/films/below/a%20b.mp4", 403),
        ("/films/below/a%2520b.mp4", 403),
        ("/films/trailer.mp4", 200),
        ("/film_1.mp4", 200),
        ("/films/none.mp4", 404),
        ("/films/film_1.mp4/", 404),
    ] {
        assert_eq!(status(&service, target), expected, "{target}");
        let asked = ask(&service, "HEAD", target, &[("range", "bytes=0-1")]);
        assert_eq!(asked.status, expected, "{target}");
    }
    // Without a pattern that names them, no request tells which are there.
    for files in [PassedFiles::all(), PassedFiles::matching(["*", "films/*"])] {
        let service = service_of(&root, files);
        for target in ["/films/film_1.mp4", "/films/trailer.mp4", "/films/none.mp4"] {
            let asked = get(&service, target);
            assert_eq!((asked.status, asked.code().as_str()), (404, "no-file"), "{target}");
        }
    }
}

#[test]
fn files_that_are_not_for_clients_are_as_if_they_were_not_there() {
    let root = Folder::new("files-withheld");
    let withheld = [
        "film.ismv.part",
        "film.ism.bak",
        "film.ismc.old",
        "film.mp4",
        "mezzanine.mov",
        "film.ts",
        "film.mkv",
        "tls.key",
        "tls.pem",
        "tls.key.txt",
        "poster.jpg.bak",
        "poster.jpg~",
        "poster.jpg.tmp",
        "poster.old.jpg",
        "dump.sql",
        "no-extension",
        "site.bak/index.html",
    ];
    for file in withheld {
        root.write(file, b"secret");
    }
    let patterns = PassedFiles::matching(["*", "*.part", "*.bak", "*.key", "*.pem", "*.tmp", "*~"]);
    for files in [PassedFiles::all(), patterns] {
        let service = service_of(&root, files);
        for file in withheld {
            let upper = file.replace("bak", "BAK").replace("key", "%6Bey");
            for target in [format!("/{file}"), format!("/{upper}"), format!("/{file}?a=.jpg")] {
                let asked = get(&service, &target);
                assert_eq!((asked.status, asked.code().as_str()), (404, "no-file"), "{target}");
            }
        }
    }
}

#[test]
fn every_file_of_the_list_has_its_media_type_and_is_never_sniffed() {
    let root = Folder::new("files-types");
    let service = service_of(&root, PassedFiles::all());
    for (extension, media_type) in [
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
        ("webp", "image/webp"),
        ("svg", "image/svg+xml"),
        ("ico", "image/vnd.microsoft.icon"),
        ("vtt", "text/vtt; charset=utf-8"),
        ("srt", "application/x-subrip"),
        ("ttml", "application/ttml+xml"),
        ("dfxp", "application/ttml+xml"),
        ("xml", "application/xml"),
        ("json", "application/json"),
        ("txt", "text/plain; charset=utf-8"),
        ("html", "text/html; charset=utf-8"),
        ("css", "text/css; charset=utf-8"),
        ("js", "text/javascript; charset=utf-8"),
        ("m3u8", "application/vnd.apple.mpegurl"),
        ("mpd", "application/dash+xml"),
        ("csm", "text/xml"),
    ] {
        for name in [format!("a.{extension}"), format!("B.{}", extension.to_ascii_uppercase())] {
            root.write(&name, b"x");
            for (method, fields, status) in
                [("GET", &[][..], 200), ("HEAD", &[], 200), ("GET", &[("range", "bytes=0-0")], 206)]
            {
                let asked = ask(&service, method, &format!("/{name}"), fields);
                assert_eq!(
                    (asked.status, asked.header("content-type")),
                    (status, media_type.into())
                );
                assert_eq!(asked.header("x-content-type-options"), "nosniff");
            }
        }
    }
    let by_pattern =
        service_of(&root, PassedFiles::matching(["*.mp4", "*.mkv", "*.bin", "COPYING"]));
    for (name, media_type) in [
        ("a.mp4", "video/mp4"),
        ("a.mkv", "video/matroska"),
        ("a.bin", "application/octet-stream"),
        ("COPYING", "application/octet-stream"),
    ] {
        root.write(name, b"x");
        let asked = get(&by_pattern, &format!("/{name}"));
        assert_eq!((asked.status, asked.header("content-type")), (200, media_type.into()));
        assert_eq!(asked.header("x-content-type-options"), "nosniff");
        assert_eq!(status(&service, &format!("/{name}")), 404);
    }
    // The policies of plug-ins are files as well.
    assert_eq!(get(&service, "/crossdomain.xml").header("x-content-type-options"), "nosniff");
}

#[test]
fn patterns_choose_and_never_widen() {
    let root = Folder::new("files-patterns");
    for file in ["a.jpg", "a%20b.jpg", "b/c.jpg", "b/d.txt", "b/e.ismv", ".x.jpg"] {
        root.write(file, b"x");
    }
    let service = service_of(&root, PassedFiles::matching(["*.jpg", "*.ismv"]));
    let expected = [("/a.jpg", 200), ("/b/c.jp%67", 200), ("/b/d.txt", 404), ("/b/e.ismv", 403)];
    for (target, status) in expected.into_iter().chain([("/.x.jpg", 404), ("/b/none.jpg", 404)]) {
        assert_eq!(self::status(&service, target), status, "{target}");
    }
    let folder = service_of(&root, PassedFiles::matching(["/b/*"]));
    for (target, expected) in [("/b/c.jpg", 200), ("/%62/c.jpg", 200), ("/a.jpg", 404)] {
        assert_eq!(status(&folder, target), expected, "{target}");
    }
    let none = OriginService::new(trusting(LocalStore::new(&root).unwrap()));
    assert_eq!(status(&none, "/a.jpg"), 404);
}

/// Two machines with copies of a file, made at the same time: one tag. Any change: another.
#[test]
fn the_tag_of_a_file_is_of_its_size_and_its_time() {
    let [here, there] = [Folder::new("files-here"), Folder::new("files-there")];
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_577_836_800, 123_456_789);
    let write = |folder: &Folder, content: &[u8], time| {
        let path = folder.write("a.txt", content);
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        let asked = get(&service_of(folder, PassedFiles::all()), "/a.txt");
        (asked.header("etag"), asked.header("last-modified"))
    };
    let first = write(&here, b"content", time);
    assert_eq!(first.1, "Wed, 01 Jan 2020 00:00:00 GMT");
    assert_eq!(write(&there, b"content", time), first);
    assert_ne!(write(&there, b"contents", time).0, first.0);
    assert_ne!(write(&there, b"content", time + Duration::from_nanos(1)).0, first.0);
    // A copy under another name has the same bytes; but a path is what a tag is of.
    assert_eq!(write(&there, b"content", time), first);
}

/// RFC 9110, 8.8.2.1: none later than now.
#[test]
fn a_time_that_is_still_to_come_is_not_told() {
    let root = Folder::new("files-future");
    let path = root.write("a.txt", b"x");
    let future = SystemTime::now() + Duration::from_secs(86_400);
    fs::File::options().write(true).open(path).unwrap().set_modified(future).unwrap();
    let service = service_of(&root, PassedFiles::all());
    let asked = get(&service, "/a.txt");
    assert_eq!((asked.status, asked.header("last-modified")), (200, String::new()));
    // What was changed just now is too new for a date to tell it from the next (8.8.2.2).
    root.write("b.txt", b"x");
    let date = get(&service, "/b.txt").header("last-modified");
    let fields = [("if-range", date.as_str()), ("range", "bytes=0-0")];
    assert_eq!(ask(&service, "GET", "/b.txt", &fields).status, 200);
}

/// A name that only begins like one of Smooth Streaming is a file: web apps have a `manifest.json`.
#[test]
fn names_that_only_begin_like_a_manifest_are_files() {
    let root = Folder::new("files-names");
    for file in ["manifest.json", "site/manifest.xml", "Manifesto.txt", "copy (1).txt", "a.ism.txt"]
    {
        root.write(file, b"x");
    }
    let service = service_of(&root, PassedFiles::all());
    for target in
        ["/manifest.json", "/site/manifest.xml", "/Manifesto.txt", "/copy%20(1).txt", "/a.ism.txt"]
    {
        assert_eq!(status(&service, target), 200, "{target}");
    }
}

#[test]
fn a_file_that_is_replaced_is_the_new_one_at_once_and_has_its_media_type() {
    let root = Folder::new("files-replaced");
    let service = service_of(&root, PassedFiles::all());
    assert_eq!(status(&service, "/a.json"), 404);
    for (content, name, media_type) in [
        (&b"one"[..], "a.json", "application/json"),
        (b"other", "a.json", "application/json"),
        (b"x", "a.png", "image/png"),
    ] {
        root.write(name, content);
        let asked = get(&service, &format!("/{name}"));
        assert_eq!((asked.status, &asked.body[..]), (200, content));
        assert_eq!(asked.header("content-type"), media_type, "{name}");
    }
    fs::remove_file(root.0.join("a.json")).unwrap();
    assert_eq!(status(&service, "/a.json"), 404);
}
