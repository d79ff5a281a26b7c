//! The folders that are served, each under a prefix of the URLs or, if there is only one, without.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use smooth_origin::base::Name;

use crate::{Failure, Stored};

/// A folder, and the first segment of its URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// `films` for URLs that begin with `/films/`; `None` for the folder whose URLs begin with `/`.
    pub(crate) prefix: Option<String>,
    pub(crate) folder: PathBuf,
}

/// All of them: either one without a prefix, or some with prefixes that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Roots(Vec<Root>);

impl Root {
    /// `FOLDER`, or `PREFIX=FOLDER`. What is before the `=` is a prefix unless it holds a `/`, so
    /// that `./a=b` and `/srv/a=b` are folders.
    pub(crate) fn parse(text: OsString) -> Result<Self, String> {
        let prefixed = text.to_str().and_then(|text| text.split_once('='));
        let Some((prefix, folder)) = prefixed.filter(|(prefix, _)| !prefix.contains('/')) else {
            return match text.is_empty() {
                true => Err("give the folder that is served".into()),
                false => Ok(Self { prefix: None, folder: text.into() }),
            };
        };
        check_prefix(prefix)?;
        if folder.is_empty() {
            return Err(format!("give a folder behind `{prefix}=`"));
        }
        Ok(Self { prefix: Some(prefix.into()), folder: folder.into() })
    }

    /// The path of the URLs of a file: `films/a/a.ism`.
    pub(crate) fn in_urls(&self, below: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}/{below}"),
            None => below.into(),
        }
    }
}

fn check_prefix(prefix: &str) -> Result<(), String> {
    let lower = prefix.to_ascii_lowercase();
    if Name::new(prefix).is_err() {
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
            roots.push(Root { prefix: None, folder: default.into() });
        }
        if roots.len() > 1
            && let Some(bare) = roots.iter().find(|root| root.prefix.is_none())
        {
            let folder = bare.folder.display();
            return Err(Failure::Usage(format!(
                "where several folders are served, each has a prefix: films={folder}"
            )));
        }
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

    /// Returns where the presentation of a name is stored.
    pub(crate) fn stored(&self, name: &str) -> Option<Stored> {
        self.0.iter().find_map(|Root { prefix, folder }| {
            let below = match prefix {
                Some(prefix) => name.strip_prefix(prefix.as_str())?.strip_prefix('/')?,
                None => name,
            };
            Some(Stored { root: folder.clone(), path: folder.join(below) })
        })
    }

    /// The folders, for messages: `/srv/films, /mnt/series`.
    pub(crate) fn folders(&self) -> String {
        let folders = self.0.iter().map(|root| root.folder.display().to_string());
        folders.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(Option<String>, PathBuf), String> {
        Root::parse(text.into()).map(|root| (root.prefix, root.folder))
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
