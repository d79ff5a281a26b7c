//! Files beside the presentations.

use crate::base::{Error, ErrorKind, Name, decode_segment};
use percent_encoding::percent_decode_str;

use super::{Pattern, media_type};

/// Files beside the presentations that clients may have: posters, subtitles, pages.
///
/// Files are passed by the extensions of their names, without regard to letter case: `csm`, `css`,
/// `dfxp`, `html`, `ico`, `jpeg`, `jpg`, `js`, `json`, `m3u8`, `mpd`, `png`, `srt`, `svg`, `ttml`,
/// `txt`, `vtt`, `webp` and `xml`. Every other file, media among them, needs a pattern that names its
/// extension (`*.mp4`, but not `films/*`) or is its whole path. All other requests are answered as
/// if there were no such file (404).
///
/// No pattern passes
///
/// - names that begin with a dot, and names in such folders (404);
/// - files in folders of fragments, `QualityLevels(…)` (404);
/// - names with one of the extensions `part`, `tmp`, `bak`, `old`, `key` and `pem` in any place
///   (`a.ismv.part`, `a.bak.jpg`), or with `~` at their end (404);
/// - server and client manifests: `.ism`, `.isml`, `.ismc`, `.ismx` (403);
/// - media of presentations: `.ismv`, `.isma`, `.ismt`, `.mpi`, and any file that is not on the list
///   above and that an `.ism` in its folder, or in one of three above, names (403). If the store
///   cannot list folders, that is every file that is not on the list. See [`media`](Self::media).
///
/// A client manifest is recognized by its extension alone: do not name one `.xml`.
///
/// Pages, scripts and SVG pictures run with the rights of the site that serves them. Where others can
/// put files beside the presentations, choose by patterns, or serve from a site of its own.
///
/// ```
/// use smooth_origin::service::PassedFiles;
/// let posters = PassedFiles::matching(["*.jpg", "*.json"]);
/// let trailers_too = PassedFiles::matching(["*.jpg", "trailers/*.mp4"]);
/// ```
#[derive(Clone, Debug)]
pub struct PassedFiles {
    /// `None` stands for all files of the list.
    patterns: Option<Vec<Pattern>>,
    media: bool,
}

/// Extensions of the manifests of presentations.
const MANIFESTS: &[&str] = &["ism", "isml", "ismc", "ismx"];

/// Extensions of media that only presentations have.
const MEDIA: &[&str] = &["ismv", "isma", "ismt", "mpi"];

/// Extensions of unfinished copies, backups and secrets.
const NEVER: &[&str] = &["part", "tmp", "bak", "old", "key", "pem"];

impl PassedFiles {
    /// Passes all files whose extensions are on the list.
    pub fn all() -> Self {
        Self { patterns: None, media: false }
    }

    /// Passes files whose path matches one of these [patterns](Pattern): those whose extensions are
    /// on the list, and those whose extension or whole path the pattern names.
    pub fn matching(patterns: impl IntoIterator<Item = impl Into<Pattern>>) -> Self {
        let patterns = patterns.into_iter().map(Into::into).collect();
        Self { patterns: Some(patterns), ..Self::all() }
    }

    /// Sets whether a pattern such as `*.ismv` may also pass media of presentations. Default: no,
    /// because a client could then download a whole film in one request.
    pub fn media(mut self, allowed: bool) -> Self {
        self.media = allowed;
        self
    }

    /// Returns whether clients may have this file only if it is no media of a presentation.
    pub(super) fn may_be_media(&self, name: &Name) -> bool {
        !self.media && !media_type::is_listed(extension(name))
    }

    /// Returns the name that a path asks for, if clients may have the file.
    pub(super) fn name(&self, path: &str) -> Result<Name, Error> {
        let no_file = || Error::request("path", ErrorKind::NoFile);
        let name = decode(path.strip_prefix('/').unwrap_or(path))?;
        if name.split('/').any(|segment| is_withheld(segment) || is_quality(segment)) {
            return Err(no_file());
        }
        // A path that ends with a slash is a folder's.
        let name = Name::new(&name).map_err(|_| no_file())?;
        if has_extension(&name, MANIFESTS) || !self.media && has_extension(&name, MEDIA) {
            return Err(refused());
        }
        if self.passes(&name) { Ok(name) } else { Err(no_file()) }
    }

    fn passes(&self, name: &Name) -> bool {
        let is_listed = media_type::is_listed(extension(name));
        let Some(patterns) = &self.patterns else { return is_listed };
        let is_named_by = |pattern: &&Pattern| is_listed || names(pattern, extension(name));
        let mut patterns = patterns.iter().filter(is_named_by);
        patterns.any(|pattern| pattern.matches(name.as_str()))
    }
}

/// Returns the media type of a file by the extension of its name.
pub(super) fn media_type_of(name: &Name) -> Option<&'static str> {
    media_type::of(extension(name))
}

/// Returns the error for a file that only the origin may read.
pub(super) fn refused() -> Error {
    Error::request("path", ErrorKind::Refused("a file of a presentation"))
}

/// Returns the part of a name behind its last dot; empty if there is none.
fn extension(name: &Name) -> &str {
    name.file_name().rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Returns whether a pattern that matches a file's path names the file's extension, or the whole
/// path.
fn names(pattern: &Pattern, extension: &str) -> bool {
    let pattern = pattern.as_str();
    let end = pattern.rsplit_once('.').map_or("", |(_, end)| end);
    !pattern.contains('*') || !extension.is_empty() && end.eq_ignore_ascii_case(extension)
}

/// Returns whether the name of a file or a folder is never served.
fn is_withheld(segment: &str) -> bool {
    let is_never = |part: &str| NEVER.iter().any(|never| never.eq_ignore_ascii_case(part.trim()));
    segment.starts_with('.')
        || segment.trim_end_matches(IGNORED).ends_with('~')
        || segment.split('.').skip(1).any(is_never)
}

/// Returns whether a folder has the fragments of a quality: `QualityLevels(…)`, which tools may
/// have percent-encoded.
fn is_quality(segment: &str) -> bool {
    const BEGIN: &[u8] = b"QualityLevels(";
    let decoded: Vec<u8> = percent_decode_str(segment).take(BEGIN.len()).collect();
    decoded.eq_ignore_ascii_case(BEGIN)
}

/// Characters that some disks ignore at the end of a name.
const IGNORED: [char; 2] = ['.', ' '];

fn has_extension(name: &Name, extensions: &[&str]) -> bool {
    let name = name.file_name().trim_end_matches(IGNORED);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// Decodes a path once, segment by segment: a separator must not come out of it.
fn decode(path: &str) -> Result<String, Error> {
    let segments = path.split('/').map(decode_segment);
    Ok(segments.collect::<Result<Vec<_>, _>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: PassedFiles = PassedFiles { patterns: None, media: false };

    fn statuses(files: &PassedFiles, paths: &[&str], expected: u16) {
        for path in paths {
            let status = files.name(path).map_or_else(|error| error.kind.status(), |_| 200);
            assert_eq!(status, expected, "{path}");
        }
    }

    fn matching(patterns: &[&str]) -> PassedFiles {
        PassedFiles::matching(patterns.iter().copied())
    }

    #[test]
    fn a_file_is_passed_if_its_extension_is_on_the_list() {
        let listed = ["/a.jpg", "a/b c.json", "/a%20b.html", "/A.JPG", "/a.ismv.jpg", "/a.ism.txt"];
        statuses(&ALL, &listed, 200);
        let others =
            ["/a", "/a.mp4", "/a.ts", "/a.sql", "/jpg", "/a.jpg.", "/a.jpg%20", "/a.jpg.x"];
        statuses(&ALL, &others, 404);
    }

    #[test]
    fn hidden_names_copies_and_keys_are_withheld_from_every_pattern() {
        let hidden = ["/.htaccess", "/.git/config", "/a/.b/c.jpg", "/%2Ehidden.jpg", "/..a.jpg"];
        let copies = [
            "/a.ismv.part",
            "/a.ism.bak",
            "/poster.jpg.bak",
            "/a.tmp",
            "/a.old.jpg",
            "/site.old/a.jpg",
            "/tls.KEY",
            "/tls.key.txt",
            "/cert.p%65m",
            "/a.bak.",
            "/a.bak%20",
            "/a.jpg~",
            "/a.jpg~.",
        ];
        let no_names =
            ["/", "", "/a/", "//a.jpg", "/a/../b.jpg", "/%2e%2e/etc/a.txt", "/a/%2e%2e/b", "/C:/x"];
        for files in [ALL, matching(&["*", "*.part", "*.bak", "*.key", "*.pem", "tls.key", "*~"])] {
            for paths in [&hidden[..], &copies, &no_names] {
                statuses(&files, paths, 404);
                statuses(&files.clone().media(true), paths, 404);
            }
        }
        statuses(&ALL, &["/a%2Fb", "/a%5Cb", "/a%00.jpg", "/%ff"], 400);
        // Words that are no extensions.
        statuses(&ALL, &["/key.jpg", "/old/part.jpg", "/a.keys.txt", "/bak~1.jpg"], 200);
    }

    #[test]
    fn what_presentations_are_made_of_is_refused() {
        let manifests = ["/a.ism", "/a.isml", "/A.ISMC", "/a.ism%63", "/a.ismx", "/a.ismc%20"];
        let media = ["/a.ismv", "/a.isma", "/a.ismt", "/a.mpi", "/a.ismv.", "/a.ismv%20"];
        for files in [ALL, matching(&["*", "*.ismv", "*.ismc", "a.ismv"])] {
            statuses(&files, &manifests, 403);
            statuses(&files, &media, 403);
        }
        let with_media = matching(&["*.ismv"]).media(true);
        statuses(&with_media, &manifests, 403);
        statuses(&with_media, &["/a.ismv"], 200);
        statuses(&with_media, &["/a.isma", "/a.mp4"], 404);
        statuses(&ALL.media(true), &["/a.ismv", "/a.mp4"], 404);
    }

    #[test]
    fn a_pattern_widens_the_list_only_by_what_it_names() {
        let posters = matching(&["*.jpg", "pages/*"]);
        statuses(&posters, &["/a/b.jpg", "/a/b.JPG", "/pages/x.html"], 200);
        statuses(&posters, &["/a.png", "/pages/x.mp4", "/pages/x"], 404);
        let films = matching(&["/films/*.mp4", "docs/LICENSE", "*v", "*.w*"]);
        statuses(&films, &["/films/a.mp4", "/films/a.MP4", "/docs/LICENSE", "/a.webp"], 200);
        statuses(&films, &["/a.mp4", "/films/a.mkv", "/a.m4v", "/a.webm", "/LICENSE"], 404);
    }
}
