//! Descriptions of paths that are no presentations, and the next step for each.

use std::io::Read;
use std::path::{Path, PathBuf};

use smooth_origin::base::{Limits, Name};
use smooth_origin::manifest::ServerManifest;

use crate::Trouble;
use crate::file_kind::{FileKind, cut_off_in, open};

/// The place from which an `.ism` of a few lines can be copied.
pub const SMALLEST: &str = "see \"The smallest presentation\" in README.md";

/// A sort of file that has to do with presentations and is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Media as presentations store it, by its name.
    Media,
    /// An MP4 file by its name.
    Mp4,
    /// A client manifest.
    ClientManifest,
    /// A publishing point.
    PublishingPoint,
}

impl Sort {
    /// Tells by the extension, in any letter case.
    pub fn by_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "ismv" | "isma" | "ismt" => Some(Self::Media),
            "mp4" | "m4v" | "m4a" | "mov" | "cmfv" | "cmfa" | "cmft" => Some(Self::Mp4),
            "ismc" => Some(Self::ClientManifest),
            "isml" => Some(Self::PublishingPoint),
            _ => None,
        }
    }
}

/// Returns whether the name is one that players can ask for.
pub fn is_server_manifest(path: &Path) -> bool {
    is_publishing_point(path)
        || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ism"))
}

pub fn is_publishing_point(path: &Path) -> bool {
    Sort::by_name(path) == Some(Sort::PublishingPoint)
}

/// Returns whether the file begins as ISO base media files do.
pub fn is_mp4(path: &Path) -> bool {
    matches!(FileKind::of(path), Some(FileKind::Mp4 { .. }))
}

/// A file without bytes.
pub fn empty() -> Trouble {
    Trouble::advised("the file is empty (0 bytes)", COPY_AGAIN)
}

/// A file that is no server manifest.
pub fn file(path: &Path) -> Trouble {
    let content = FileKind::of(path);
    match (Sort::by_name(path), content) {
        (_, Some(FileKind::Empty)) => empty(),
        (_, None) => match open(path) {
            Some(_) => Trouble::new("it cannot be read", None),
            None => match std::fs::File::open(path) {
                Err(error) => Trouble::of(path, &error),
                Ok(_) => unknown(path),
            },
        },
        (_, Some(FileKind::ClientManifest)) | (Some(Sort::ClientManifest), _) => {
            client_manifest(path)
        }
        (sort, Some(FileKind::Mp4 { is_fragmented })) => match cut_off_in(path) {
            Some(at) => cut_off(path, at),
            None if is_fragmented => {
                let what = match sort {
                    Some(Sort::Media) => "this is the media of a presentation",
                    _ => "this is a fragmented MP4 file",
                };
                Trouble::advised(format!("{what}, not a presentation"), look_at_or_write(path))
            }
            None => {
                let message = "this is a progressive MP4 file, not a presentation: an .ism that names \
                               it is served, with fragments that are made on the fly";
                Trouble::advised(message, serve_or_package(path))
            }
        },
        (_, Some(FileKind::Html)) => Trouble::advised(
            "this is a web page (HTML), not a presentation",
            "the page of an error or of a login was saved in its place, most likely: copy the file \
             again from its source",
        ),
        (_, Some(FileKind::Mpd)) => generated("a manifest of DASH (MPD)"),
        (_, Some(FileKind::Playlist)) => generated("a playlist of HLS (M3U8)"),
        (Some(Sort::Media | Sort::Mp4), _) => {
            let message = "by its name this is an MP4 file, but it does not begin as one";
            Trouble::advised(message, COPY_AGAIN)
        }
        _ => unknown(path),
    }
}

/// A FIFO, a socket or a device, which are not opened.
pub fn neither() -> Trouble {
    Trouble::advised("this is neither a file nor a folder", "put a regular file in its place")
}

const COPY_AGAIN: &str = "copy the file again from its source";

/// An MP4 file whose end is missing; `at` is the offset of the box that is not whole.
fn cut_off(path: &Path, at: u64) -> Trouble {
    let length = path.metadata().map_or(0, |metadata| metadata.len());
    let message = format!(
        "this is an MP4 file that is cut off: it ends after {length} bytes, within the part (box) \
         that begins at byte {at}"
    );
    let advice = match named_by(path) {
        Some(server) => {
            format!("{COPY_AGAIN}, then inspect {}, which names it", server.display())
        }
        None => COPY_AGAIN.into(),
    };
    Trouble::advised(message, advice)
}

/// A text that the server makes from a presentation, or that belongs to another server.
fn generated(what: &str) -> Trouble {
    Trouble::advised(
        format!("this is {what}, not a presentation"),
        "name the .ism of the film, if it has one: DASH and HLS are made from it, so they need no \
         file of their own",
    )
}

/// A folder without presentations, and the first file of each other sort in it.
pub fn folder(path: &Path, files: Vec<(Sort, PathBuf)>) -> Trouble {
    let is_empty = path.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    let message = match is_empty {
        true => "this is a folder without a presentation: it is empty",
        false => "this is a folder without a presentation: there is no .ism in it or beneath it",
    };
    let first = |sort| files.iter().find(|(other, _)| *other == sort).map(|(_, path)| path);
    let advice = if let Some(media) = first(Sort::Media).or(first(Sort::Mp4)) {
        match FileKind::of(media) {
            Some(FileKind::Mp4 { is_fragmented: false }) => serve_or_package(media),
            _ => look_at_or_write(media),
        }
    } else if first(Sort::PublishingPoint).is_some() {
        LIVE_ADVICE.to_owned()
    } else {
        "name a folder with presentations, or an .ism (a server manifest)".to_owned()
    };
    Trouble::advised(message, advice)
}

/// Live streams are ingested at these.
pub fn publishing_point() -> Trouble {
    let message = "this is a publishing point (.isml) of a live stream, which is not served";
    Trouble::advised(message, LIVE_ADVICE)
}

const LIVE_ADVICE: &str = "live streams are not served yet: name the .ism of a recording";

fn client_manifest(path: &Path) -> Trouble {
    let message = "this is a client manifest (.ismc), not a presentation";
    if is_server_manifest(path) {
        let name = file_name(&path.with_extension("ismc"));
        let advice = format!(
            "give it the name {name}, and put the server manifest here in its place: copy it from \
             where the film was made, or write one ({SMALLEST})"
        );
        return Trouble::advised(message, advice);
    }
    let beside = path.with_extension("ism");
    let named = named_by(path).or(beside.is_file().then_some(beside));
    match named {
        Some(server) => {
            Trouble::advised(message, format!("inspect {}, which is beside it", server.display()))
        }
        None => {
            Trouble::advised(message, format!("no .ism beside it names it: write one ({SMALLEST})"))
        }
    }
}

fn unknown(path: &Path) -> Trouble {
    match server_manifest(path) {
        Some(_) => {
            let message = "this is a server manifest, but its name does not end in .ism";
            Trouble::advised(message, "no player can ask for it: rename it")
        }
        None => Trouble::advised(
            "this is not a presentation: its name does not end in .ism",
            "name an .ism (a server manifest), or a folder with some",
        ),
    }
}

/// Returns the next step for media that can be served.
fn look_at_or_write(media: &Path) -> String {
    if is_server_manifest(media) {
        let name = file_name(&media.with_extension("ismv"));
        return format!(
            "an .ism is a server manifest, not media: give it the name {name}, and write an .ism \
             that names it ({SMALLEST})"
        );
    }
    match named_by(media) {
        Some(server) => format!("inspect {}, which names it", server.display()),
        None => format!("write an .ism that names {} ({SMALLEST})", file_name(media)),
    }
}

/// Returns the two ways in which a progressive MP4 file is served.
fn serve_or_package(file: &Path) -> String {
    if is_server_manifest(file) {
        return look_at_or_write(file);
    }
    if let Some(server) = named_by(file) {
        return format!("inspect {}, which names it", server.display());
    }
    let server = file.with_extension("ism");
    format!(
        "write an .ism that names {} ({SMALLEST}); or package it into files: `package {} --output {}`",
        file_name(file),
        word(file),
        word(&server)
    )
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A path as a word of a shell's command line.
fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    // An option is no file, whatever its quotes.
    let text = if text.starts_with('-') { format!("./{text}").into() } else { text };
    let is_plain = |c: char| c.is_alphanumeric() || "-_./+,@%=".contains(c);
    if text.chars().all(is_plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// More names of a folder, and more server manifests in it, are not looked at.
const MAX_NAMES: usize = 10_000;
const MAX_MANIFESTS: usize = 100;

/// The first `.ism` in the file's folder that names the file.
fn named_by(file: &Path) -> Option<PathBuf> {
    // None names another as media, and a folder may be full of such files.
    if is_server_manifest(file) {
        return None;
    }
    let folder = file.parent()?;
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(listed).ok()?.take(MAX_NAMES).flatten();
    let mut servers: Vec<_> = entries
        .map(|entry| folder.join(entry.file_name()))
        .filter(|path| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("ism")))
        .take(MAX_MANIFESTS)
        .collect();
    servers.sort_unstable();
    servers.into_iter().find(|server| names(server, file).unwrap_or(false))
}

/// Returns whether a server manifest names a file of its folder.
fn names(server: &Path, file: &Path) -> Option<bool> {
    let own = Name::new(server.file_name()?.to_str()?).ok()?;
    let file = Name::new(file.file_name()?.to_str()?).ok()?;
    let manifest = server_manifest(server)?;
    let sources = manifest.tracks.iter().filter_map(|track| track.src());
    let mut named = sources.chain(manifest.client_manifest());
    Some(named.any(|name| {
        own.beside(name).is_ok_and(|name| name == file)
            || own.beside_otherwise(name).is_some_and(|name| name == file)
    }))
}

fn server_manifest(path: &Path) -> Option<ServerManifest> {
    let limits = Limits::default();
    let mut text = Vec::new();
    open(path)?.take(limits.server_manifest + 1).read_to_end(&mut text).ok()?;
    ServerManifest::parse(&text, &limits).ok()
}
