//! Where presentations are: a folder, or a store that is named by a URL.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// A folder or a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Folder(PathBuf),
    Store(StoreUrl),
}

/// The URL of a store: `s3://BUCKET/PREFIX`. It has no password and no signature in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StoreUrl(String);

/// Schemes, with the feature that each needs, and whether this program has it.
const SCHEMES: [(&str, &str, bool); 5] = [
    ("s3", "s3", cfg!(feature = "s3")),
    ("az", "azure", cfg!(feature = "azure")),
    ("gs", "gcs", cfg!(feature = "gcs")),
    ("http", "http-store", cfg!(feature = "http-store")),
    ("https", "http-store", cfg!(feature = "http-store")),
];

/// Returns a text for messages: a URL in it that may hold a password or a signature is left out, but for its
/// scheme.
pub fn without_secret(text: &str) -> String {
    let shown = text.find(":/").map_or(text, |at| {
        let behind = &text[at + 2..];
        if behind.contains(['@', '?', '#', ':']) { &text[..at + 1] } else { text }
    });
    if shown.len() < text.len() { format!("{shown}//…") } else { shown.into() }
}

impl Place {
    /// A folder, or a store if there is a scheme.
    pub(crate) fn parse(text: OsString) -> Result<Self, String> {
        if let Some((scheme, rest)) = text.to_str().and_then(|text| text.split_once(":/"))
            && !rest.starts_with('/')
            && SCHEMES.iter().any(|(known, ..)| *known == scheme)
        {
            return Err(format!(
                "a store has two slashes behind its scheme: {scheme}://…; a folder of this name is ./{scheme}:/…"
            ));
        }
        match text.to_str().filter(|text| text.contains("://")) {
            Some(url) => StoreUrl::parse(url).map(Self::Store),
            None => Ok(Self::Folder(text.into())),
        }
    }
}

impl StoreUrl {
    /// Reads a URL. What is wrong with it is said without repeating it: there may be a password in it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let scheme = text.split("://").next().unwrap_or_default();
        let known = SCHEMES.iter().find(|(known, ..)| *known == scheme);
        match known {
            None => Err("a store begins with s3://, az://, gs://, http:// or https://".into()),
            Some((_, feature, false)) => Err(format!(
                "this program was built without {scheme}://: build it with `--features {feature}`, as \
                 `cargo run --release --features {feature} --example {} -- {scheme}://…`",
                program()
            )),
            Some(_) => {
                #[cfg(feature = "remote")]
                crate::stores::check(text)?;
                Ok(Self(text.strip_suffix('/').unwrap_or(text).to_owned()))
            }
        }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether a part of each name stands for the `*` in the name of the bucket.
    pub(crate) fn has_star(&self) -> bool {
        let (_, rest) = self.0.split_once("://").unwrap_or_default();
        rest.split('/').next().is_some_and(|bucket| bucket.contains('*'))
    }
}

/// Returns the name of this program.
fn program() -> String {
    let program = std::env::args_os().next().map(PathBuf::from);
    let name = program.as_deref().and_then(Path::file_stem);
    name.map_or_else(|| "serve".into(), |name| name.to_string_lossy().into_owned())
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Store(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_repeating_it() {
        for text in ["ftp://user:secret@host/a", "s3://a?secret", "https://user:secret@host/a"] {
            let sentence = StoreUrl::parse(text).unwrap_err();
            assert!(!sentence.contains("secret"), "{sentence}");
        }
    }

    #[test]
    fn a_url_that_may_hold_a_secret_is_left_out() {
        for (text, shown) in [
            ("s3://user:secret@films/2026", "s3://…"),
            ("films=https://host/x?sig=secret", "films=https://…"),
            ("host=a.example,location=s3:/key:secret@films", "host=a.example,location=s3://…"),
            ("gs://films#secret", "gs://…"),
            ("s3://films//2026", "s3://films//2026"),
            ("/srv/a@b", "/srv/a@b"),
        ] {
            assert_eq!(without_secret(text), shown);
        }
    }

    #[test]
    fn a_store_has_two_slashes() {
        for text in ["s3:/films", "https:/host/films"] {
            assert!(Place::parse(text.into()).unwrap_err().contains("two slashes"), "{text}");
        }
        assert!(matches!(Place::parse("./s3:/films".into()), Ok(Place::Folder(_))));
    }

    #[test]
    #[cfg(not(feature = "s3"))]
    fn a_program_without_a_store_says_how_to_build_it() {
        let sentence = Place::parse("s3://films".into()).unwrap_err();
        assert!(sentence.contains("--features s3"), "{sentence}");
    }

    #[test]
    #[cfg(feature = "s3")]
    fn a_store_is_known_by_its_scheme() {
        let place = Place::parse("s3://films/2026/".into()).unwrap();
        assert!(matches!(&place, Place::Store(url) if url.to_string() == "s3://films/2026"));
        assert!(matches!(Place::parse("/srv/s3:/a".into()), Ok(Place::Folder(_))));
    }
}
