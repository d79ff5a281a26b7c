//! The folders and stores that are served, each under a prefix of the URLs or, if there is only one, without.

use std::ffi::OsString;
use std::path::Path;

use smooth_origin::base::Name;

use crate::place::{Place, without_secret};
use crate::{Failure, Stored};

/// A folder or store, and the first segment of its URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// `films` for URLs that begin with `/films/`; `None` for the folder whose URLs begin with `/`.
    pub(crate) prefix: Option<String>,
    pub(crate) place: Place,
}

/// All of them: either one without a prefix, or some with prefixes that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roots(Vec<Root>);

impl Root {
    /// `FOLDER`, or `PREFIX=FOLDER`; a store such as `s3://BUCKET` stands where a folder stands. What is before the `=` is a prefix unless it holds a `/`, so
    /// that `./a=b` and `/srv/a=b` are folders.
    pub(crate) fn parse(text: OsString) -> Result<Self, String> {
        let prefixed = text.to_str().and_then(|text| text.split_once('='));
        let Some((prefix, folder)) = prefixed.filter(|(prefix, _)| !prefix.contains('/')) else {
            return match text.is_empty() {
                true => Err("give the folder that is served".into()),
                false => Ok(Self { prefix: None, place: Place::parse(text)? }),
            };
        };
        check_prefix(prefix)?;
        if folder.is_empty() {
            return Err(format!("give a folder behind `{prefix}=`"));
        }
        Ok(Self { prefix: Some(prefix.into()), place: Place::parse(folder.into())? })
    }

    /// Returns the folder, if it is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Folder(folder) => Some(folder),
            Place::Store(_) => None,
        }
    }

    /// The path of the URLs of a file: `films/a/a.ism`.
    pub(crate) fn in_urls(&self, below: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{below}"),
            None => below.into(),
        }
    }
}

pub(crate) fn check_prefix(prefix: &str) -> Result<(), String> {
    let lower = prefix.to_ascii_lowercase();
    if Name::new(prefix).is_err() {
        let prefix = without_secret(prefix);
        return Err(format!(
            "`{prefix}` cannot be a part of a URL; give one word, as films=/srv/films"
        ));
    }
    if lower.ends_with(".ism") || lower.ends_with(".isml") {
        return Err(format!(
            "`{prefix}` would be taken for a presentation; give it another ending"
        ));
    }
    match prefix.as_bytes() {
        [b'.', ..] => Err("a prefix that begins with a dot would not be served".into()),
        b"-" => Err("the prefix `-` is the page's: give it another name".into()),
        _ => Ok(()),
    }
}

impl Roots {
    /// # Errors
    /// A failure if several folders would have the same URLs.
    pub(crate) fn new(mut roots: Vec<Root>, default: &Path) -> Result<Self, Failure> {
        if roots.is_empty() {
            roots.push(Root { prefix: None, place: Place::Folder(default.into()) });
        }
        if roots.len() > 1
            && let Some(bare) = roots.iter().find(|root| root.prefix.is_none())
        {
            let folder = &bare.place;
            return Err(Failure::Usage(format!(
                "where several folders are served, each has a prefix: films={folder}"
            )));
        }
        Self::default().with(roots)
    }

    /// Adds others, which may be below a folder without a prefix.
    ///
    /// # Errors
    /// A failure if two would have the same URLs.
    pub(crate) fn with(self, mut roots: Vec<Root>) -> Result<Self, Failure> {
        // One without a prefix comes last: names are looked for in this order.
        roots.extend(self.0);
        roots.sort_by_key(|root| root.prefix.is_none());
        for (place, root) in roots.iter().enumerate() {
            if roots[..place].iter().any(|other| other.prefix == root.prefix) {
                let prefix = root.prefix.as_deref().unwrap_or("");
                return Err(Failure::Usage(format!("two folders have the prefix `{prefix}`")));
            }
        }
        Ok(Self(roots))
    }

    pub(crate) fn as_slice(&self) -> &[Root] {
        &self.0
    }

    /// The folders, without the stores.
    pub(crate) fn only_folders(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(Root::folder)
    }

    /// Returns whether something else than folders is served.
    pub(crate) fn has_stores(&self) -> bool {
        self.0.iter().any(|root| root.folder().is_none())
    }

    /// Returns where the presentation of a name is stored, if that is in a folder.
    pub(crate) fn stored(&self, name: &str) -> Option<Stored> {
        self.0.iter().find_map(|root| {
            let below = match &root.prefix {
                Some(prefix) => name.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
                None => name,
            };
            let folder = root.folder()?;
            Some(Stored { root: folder.to_owned(), path: folder.join(below) })
        })
    }

    /// The folders and stores, for messages: `/srv/films, s3://series`.
    pub(crate) fn folders(&self) -> String {
        let folders = self.0.iter().map(|root| root.place.to_string());
        folders.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn parse(text: &str) -> Result<(Option<String>, PathBuf), String> {
        Root::parse(text.into())
            .map(|root| (root.prefix.clone(), root.folder().map(Into::into).unwrap_or_default()))
    }

    fn roots(texts: &[&str]) -> Result<Roots, Failure> {
        let roots = texts.iter().map(|text| Root::parse(text.into()).unwrap()).collect();
        Roots::new(roots, Path::new("/default"))
    }

    #[test]
    fn a_prefix_stands_before_an_equals_sign() {
        assert_eq!(parse("/srv/a"), Ok((None, "/srv/a".into())));
        assert_eq!(parse("films=/srv/a=b"), Ok((Some("films".into()), "/srv/a=b".into())));
        assert_eq!(parse("./a=b"), Ok((None, "./a=b".into())));
        assert_eq!(parse("/srv/a=b"), Ok((None, "/srv/a=b".into())));
    }

    #[test]
    fn prefixes_that_no_url_can_have_are_refused() {
        for text in [
            "=/srv",
            "-=/srv",
            "..=/srv",
            ".x=/srv",
            "a\\b=/srv",
            "a.ism=/srv",
            "a.ISML=/srv",
            "a=",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn several_folders_need_prefixes_that_differ() {
        assert!(roots(&["films=/a", "series=/b"]).is_ok());
        for texts in [&["/a", "/b"][..], &["/a", "series=/b"], &["films=/a", "films=/b"]] {
            assert!(matches!(roots(texts), Err(Failure::Usage(_))), "{texts:?}");
        }
    }

    #[test]
    fn without_folders_the_default_is_served() {
        let roots = roots(&[]).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(roots.folders(), "/default");
    }
}
