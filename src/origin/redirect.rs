//! Redirects from a presentation to a resource below it.

use std::fmt;

use super::path;

/// A redirect from a presentation itself to a resource below it, such as its manifest.
///
/// ```
/// # #[cfg(feature = "fs")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smooth_origin::base::Name;
/// use smooth_origin::origin::{Answer, Origin, block_on};
/// use smooth_origin::storage::LocalStore;
///
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
/// let origin = Origin::new(LocalStore::new(root)?);
/// let Answer::Redirect(redirect) = block_on(origin.answer("/ffmpeg/ffmpeg.ism"))? else { panic!() };
/// assert_eq!(redirect.location(), Some("ffmpeg.ism/Manifest"));
///
/// // `/watch/42`: only the host knows the URL of this film.
/// let film = Name::new("ffmpeg/ffmpeg.ism")?;
/// let asked = block_on(origin.ask_in(&film, "", None))?;
/// let Answer::Redirect(redirect) = block_on(asked.answer())? else { panic!() };
/// assert_eq!(redirect.location(), None);
/// assert_eq!(format!("/watch/42/{}", redirect.path()), "/watch/42/Manifest");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fs"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    path: &'static str,
    location: Option<String>,
}

/// The URL that a redirect is relative to, as far as the origin knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// It ends with the last segment of the presentation's name.
    Presentation,
    /// It ends with a slash after the presentation.
    Folder,
    /// It ends with the presentation, in a form that only the host knows.
    Route,
}

impl Redirect {
    /// A redirect to `path` below a presentation whose file has this name.
    pub(super) fn new(path: &'static str, base: Base, file_name: &str) -> Self {
        let location = match base {
            Base::Presentation => Some(path::beside(file_name, path)),
            Base::Folder => Some(path.to_owned()),
            Base::Route => None,
        };
        Self { path, location }
    }

    /// The path of the resource below the presentation: `Manifest`.
    pub fn path(&self) -> &str {
        self.path
    }

    /// The URL of the resource, percent-encoded and relative to the URL of the request, without a
    /// query.
    ///
    /// `None` if the presentation was asked by name ([`ask_in`](super::Origin::ask_in)) and nothing,
    /// not even a slash, followed it: the host appends a slash and the [path](Self::path) to its own
    /// URL of the presentation.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }
}

/// Writes the URL if it is known, otherwise the path.
impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.location().unwrap_or(self.path))
    }
}
