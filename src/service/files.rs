//! Files beside the presentations.

use crate::base::{Error, ErrorKind, Name};
use percent_encoding::percent_decode_str;

use super::Pattern;

/// Which files beside the presentations clients may have: posters, pages, lists.
///
/// Dot files, directories, and links that leave the root are never served, and nothing that
/// presentations are made of, unless [`media`](Self::media) says so: no `.ism`, `.ismc`, `.ismv`,
/// `.isma`, `.ismt`, `.ismx` and `.mpi`, and no `.mp4` that an `.ism` in its folder, or in one
/// above, names. Where the store cannot list folders that is no `.mp4` at all.
///
/// ```
/// use smooth_origin::service::PassedFiles;
/// let posters = PassedFiles::matching(["*.jpg", "*.json"]);
/// ```
#[derive(Clone, Debug)]
pub struct PassedFiles {
    /// `None`: all.
    names: Option<Vec<Pattern>>,
    media: bool,
}

/// What presentations are made of.
const MEDIA: &[&str] = &["ism", "isml", "ismc", "ismv", "isma", "ismt", "ismx", "mpi"];

/// What they may be made of: a server manifest says so.
const PERHAPS_MEDIA: &[&str] = &["mp4", "m4v", "m4a", "mov", "cmfv", "cmfa", "cmft"];

impl PassedFiles {
    /// All that may be served.
    pub fn all() -> Self {
        Self { names: None, media: false }
    }

    /// Of those, the ones whose path below the root fits one of these patterns.
    pub fn matching(names: impl IntoIterator<Item = impl Into<Pattern>>) -> Self {
        Self { names: Some(names.into_iter().map(Into::into).collect()), ..Self::all() }
    }

    /// Whether the files that presentations are made of may be had as they are; default no: who
    /// has them has all of a film at once.
    pub fn media(mut self, allowed: bool) -> Self {
        self.media = allowed;
        self
    }

    /// Whether clients may have this file only if it is no media.
    pub(super) fn may_be_media(&self, name: &Name) -> bool {
        !self.media && has_extension(name, PERHAPS_MEDIA)
    }

    /// The name that a path asks for, if clients may have it.
    pub(super) fn name(&self, path: &str) -> Result<Name, Error> {
        let error = |kind| Error::request("path", kind);
        let name = decode(path.strip_prefix('/').unwrap_or(path))?;
        if name.split('/').any(|segment| segment.starts_with('.')) {
            return Err(error(ErrorKind::NoFile));
        }
        // A path that ends with a slash is a folder's.
        let name = Name::new(&name).map_err(|_| error(ErrorKind::NoFile))?;
        if !self.media && has_extension(&name, MEDIA) {
            return Err(refused());
        }
        let fits = |patterns: &Vec<Pattern>| patterns.iter().any(|p| p.matches(name.as_str()));
        if !self.names.as_ref().is_none_or(fits) {
            return Err(error(ErrorKind::NoFile));
        }
        Ok(name)
    }
}

/// What a file is by its name's extension.
pub(super) fn media_type(name: &Name) -> Option<&'static str> {
    mime_guess::from_path(name.as_str()).first_raw()
}

/// What is there for the origin alone.
pub(super) fn refused() -> Error {
    let what = "a file that presentations are made of";
    Error::request("path", ErrorKind::Refused(what))
}

/// In any letter case. Windows leaves out dots and spaces at the end of a name.
fn has_extension(name: &Name, extensions: &[&str]) -> bool {
    let name = name.file_name().trim_end_matches(['.', ' ']);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// Decodes a path once, segment by segment: a separator must not come out of it.
fn decode(path: &str) -> Result<String, Error> {
    let malformed = |why| Error::request("path", ErrorKind::Malformed(why));
    let segments = path.split('/').map(|segment| {
        let segment = percent_decode_str(segment).decode_utf8();
        let segment = segment.map_err(|_| malformed("its percent-encoding is not UTF-8"))?;
        if segment.contains(['/', '\\', '\0']) {
            return Err(malformed("a segment holds a slash, a backslash or a zero"));
        }
        Ok(segment)
    });
    Ok(segments.collect::<Result<Vec<_>, _>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(files: &PassedFiles, path: &str) -> u16 {
        files.name(path).map_or_else(|error| error.kind.status(), |_| 200)
    }

    #[test]
    fn what_is_hidden_and_what_presentations_are_made_of_is_not_had() {
        let all = PassedFiles::all();
        for path in ["/a.jpg", "a/b c.json", "/a%20b.html", "/ismv", "/a.ismv.jpg", "/..a"] {
            let expected = if path == "/..a" { 404 } else { 200 };
            assert_eq!(status(&all, path), expected, "{path}");
        }
        for path in [
            "/a.ismv",
            "/A.ISMC",
            "/a.ism%63",
            "/a.isma",
            "/a.ismt",
            "/a.ismx",
            "/a.mpi",
            "/a.ismv.",
            "/a.ismv%20",
            "/a.ism",
        ] {
            assert_eq!(status(&all, path), 403, "{path}");
            assert_eq!(status(&PassedFiles::all().media(true), path), 200, "{path}");
        }
        for path in ["/.htaccess", "/.git/config", "/a/.b/c", "/", "", "/a/", "//a", "/a/../b"] {
            assert_eq!(status(&all, path), 404, "{path}");
        }
        for path in ["/%2e%2e/etc/passwd", "/%2Ehidden", "/a/%2e%2e/b", "/C:/x"] {
            assert_eq!(status(&all, path), 404, "{path}");
        }
        for path in ["/a%2Fb", "/a%5Cb", "/a%00.jpg", "/%ff"] {
            assert_eq!(status(&all, path), 400, "{path}");
        }
    }

    #[test]
    fn patterns_choose_among_the_rest() {
        let posters = PassedFiles::matching(["*.jpg", "pages/*"]);
        assert_eq!(status(&posters, "/a/b.jpg"), 200);
        assert_eq!(status(&posters, "/pages/x"), 200);
        assert_eq!(status(&posters, "/a.png"), 404);
        assert_eq!(status(&posters, "/pages/a.ismv"), 403);
    }
}
