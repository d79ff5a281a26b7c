//! A store over a network as `inspect` has it: a URL in place of a path.

use std::path::Path;

use smooth_origin::base::Name;
use smooth_origin::storage::AnyStore;

use crate::place::{Place, StoreUrl};
use crate::{Trouble, other_file};

/// A store that a URL names.
pub struct RemoteStore(StoreUrl);

/// The part of a store that a URL names.
pub struct Named {
    /// The store of the folder.
    pub store: RemoteStore,
    /// The presentation, if the URL ends with the name of one.
    pub presentation: Option<Name>,
}

/// Returns whether a path is a URL.
pub fn is_url(path: &Path) -> bool {
    let text = path.to_string_lossy();
    (text.contains("://") || Place::parse(text.as_ref().into()).is_err()) && !path.exists()
}

impl Named {
    /// Reads `s3://BUCKET/a/a.ism`, or the same without the name of a presentation.
    ///
    /// # Errors
    /// It cannot be connected, or this program was built without such stores.
    pub fn parse(text: &str) -> Result<Self, Trouble> {
        let url = match Place::parse(text.into()) {
            Ok(Place::Store(url)) => url,
            Ok(Place::Folder(_)) => return Err(Trouble::new("this is no URL", None)),
            Err(sentence) => return Err(no_store(text, sentence)),
        };
        let text = url.to_string();
        let (_, path) = text.split_once("://").unwrap_or_default();
        let (_, path) = path.split_once('/').unwrap_or_default();
        let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(film) = folder.split('/').find(|part| is_presentation(part)) {
            return Err(Trouble::advised(
                "this is the URL of something in a presentation",
                format!("name the presentation: the URL as far as {film}"),
            ));
        }
        if !is_presentation(last) {
            return match Path::new(last).extension().is_some()
                && other_file::Sort::by_name(Path::new(last)).is_some()
            {
                true => Err(Trouble::advised(
                    "by its name this is a file of a presentation, not a presentation",
                    "name the .ism that is stored beside it, or its folder",
                )),
                false => Ok(Self { store: RemoteStore(url), presentation: None }),
            };
        }
        // The path of a URL of a web server is percent-encoded, a key is not.
        let name = match text.starts_with("http") {
            true => Name::from_url_path(last),
            false => Name::new(last),
        };
        let name = name.map_err(|error| Trouble::new(error.to_string(), None))?;
        let above = text.strip_suffix(last).unwrap_or(&text);
        let store = StoreUrl::parse(above).map_err(|sentence| Trouble::new(sentence, None))?;
        Ok(Self { store: RemoteStore(store), presentation: Some(name) })
    }
}

impl RemoteStore {
    /// Returns the URL of a name in the store, or of the store itself.
    pub fn url(&self, name: Option<&Name>) -> String {
        match name {
            Some(name) => format!("{}/{name}", self.0),
            None => self.0.to_string(),
        }
    }

    /// Connects to the store. Nothing is asked of it.
    ///
    /// # Errors
    /// A variable of the environment is missing or wrong.
    #[cfg(feature = "remote")]
    pub fn open(&self, exact_names: bool) -> Result<AnyStore, Trouble> {
        use crate::stores::{self, StoreOptions};
        stores::open(&self.0, &StoreOptions::default(), exact_names)
            .map_err(|failure| Trouble::new(failure.to_string(), None))
    }

    /// Calls a function with the name of each presentation, in the order of the store, until it returns `false`.
    ///
    /// # Errors
    /// Why the store cannot be listed, and what to do.
    #[cfg(feature = "remote")]
    pub fn visit(&self, each: &mut dyn FnMut(&Name) -> bool) -> Result<(), Trouble> {
        crate::stores::visit(&self.0, &mut |name| {
            crate::listing::walk::presentation_of(name).is_none_or(|name| each(&name))
        })
    }

    /// # Errors
    /// This program has no stores.
    #[cfg(not(feature = "remote"))]
    pub fn open(&self, _: bool) -> Result<AnyStore, Trouble> {
        Err(Trouble::new("this program was built without stores", None))
    }

    /// # Errors
    /// This program has no stores.
    #[cfg(not(feature = "remote"))]
    pub fn visit(&self, _: &mut dyn FnMut(&Name) -> bool) -> Result<(), Trouble> {
        Err(Trouble::new("this program was built without stores", None))
    }
}

fn is_presentation(segment: &str) -> bool {
    other_file::is_server_manifest(Path::new(segment))
}

/// Explains a URL that is none of a store of this program.
fn no_store(text: &str, sentence: String) -> Trouble {
    let advice = match text.starts_with("http") {
        true => "otherwise URLs are not read: name the files from which it is served",
        false => "otherwise objects of a bucket are not read: copy them here, or mount the bucket",
    };
    Trouble::advised(
        "this is a URL, not a file or folder of this machine",
        format!("{sentence}; {advice}"),
    )
}

#[cfg(all(test, feature = "s3"))]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_presentation_or_a_folder() {
        let parse = |text: &str| {
            let named = Named::parse(text)?;
            let name = named.presentation.map(|name| name.to_string());
            Ok::<_, Trouble>((named.store.url(None), name))
        };
        for (text, store, name) in [
            ("s3://films/a b/x y.ism", "s3://films/a b", Some("x y.ism")),
            ("s3://films/a.ISM", "s3://films", Some("a.ISM")),
            ("s3://films/2026/", "s3://films/2026", None),
            ("s3://films.ism", "s3://films.ism", None),
        ] {
            assert_eq!(parse(text), Ok((store.into(), name.map(Into::into))), "{text}");
        }
        for (text, words) in [
            ("s3://films/a.ism/Manifest", "as far as a.ism"),
            ("s3://films/a_1.ismv", "the .ism that is stored beside it"),
            ("ftp://films/a.ism", "a store begins with s3://"),
            ("s3:/films/a.ism", "two slashes"),
        ] {
            let sentence = parse(text).unwrap_err().to_string();
            assert!(sentence.contains(words), "{sentence}");
        }
    }
}
