//! The values of `--cache-control`: `Cache-Control` for each class of responses.

use std::str::FromStr;
use std::time::Duration;

use smooth_origin::service::{CacheClass, CacheControl, Caching};

use crate::{nearest, number};

/// A class of responses and its `Cache-Control`: `manifest=max-age=60`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassControl {
    class: CacheClass,
    control: CacheControl,
}

/// The classes with their names and defaults.
const CLASSES: &[(&str, CacheClass, &str)] = &[
    ("manifest", CacheClass::Manifest, "max-age=60"),
    ("fragment", CacheClass::Fragment, "max-age=86400"),
    ("live-manifest", CacheClass::LiveManifest, "max-age=1"),
    ("live-fragment", CacheClass::LiveFragment, "max-age=60"),
    ("live-edge", CacheClass::LiveEdge, "max-age=1"),
    ("file", CacheClass::File, "max-age=60"),
    ("malformed", CacheClass::Malformed, "max-age=5"),
    ("refused", CacheClass::Refused, "max-age=5"),
    ("not-found", CacheClass::NotFound, "max-age=5"),
    ("not-served", CacheClass::NotServed, "max-age=5"),
    ("broken", CacheClass::Broken, "max-age=1"),
    ("busy", CacheClass::Busy, "no-store"),
];

/// Returns all classes with their defaults, as `--cache-control` has them.
pub(crate) fn defaults() -> Vec<String> {
    CLASSES.iter().map(|(name, _, control)| format!("{name}={control}")).collect()
}

/// Returns the policy; of several values for a class, the last one counts.
pub(crate) fn with(classes: &[ClassControl]) -> Caching {
    classes.iter().fold(Caching::default(), |caching, ClassControl { class, control }| {
        caching.class(*class, control.clone())
    })
}

impl FromStr for ClassControl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, control) =
            text.split_once('=').ok_or("give a class and its directives: manifest=max-age=60")?;
        let Some((_, class, _)) = CLASSES.iter().find(|(known, ..)| *known == name) else {
            let names = CLASSES.iter().map(|(known, ..)| *known);
            return Err(format!("there is no class `{name}`{}", nearest::advice(name, names)));
        };
        Ok(Self { class: *class, control: parse(control)? })
    }
}

/// Parses `no-store`, or `max-age` and what may follow it.
fn parse(text: &str) -> Result<CacheControl, String> {
    if text.trim() == "no-store" {
        return Ok(CacheControl::no_store());
    }
    let mut directives = text.split(',').map(str::trim);
    let first = directives.next().and_then(|first| first.strip_prefix("max-age="));
    let first = first.ok_or("write no-store, or begin with max-age: max-age=60, public")?;
    let mut control = CacheControl::max_age(age(first)?);
    for directive in directives {
        control = match directive.split_once('=') {
            None if directive == "public" => control.public(),
            None if directive == "immutable" => control.immutable(),
            Some(("s-maxage", seconds)) => control.s_maxage(age(seconds)?),
            Some(("stale-while-revalidate", seconds)) => {
                control.stale_while_revalidate(age(seconds)?)
            }
            Some(("stale-if-error", seconds)) => control.stale_if_error(age(seconds)?),
            _ => {
                return Err(format!(
                    "`{directive}` is none of the directives s-maxage=SECONDS, \
                     stale-while-revalidate=SECONDS, stale-if-error=SECONDS, public and immutable"
                ));
            }
        };
    }
    Ok(control)
}

fn age(text: &str) -> Result<Duration, String> {
    number::seconds(text).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let classes: Vec<_> = defaults().iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(format!("{:?}", with(&classes)), format!("{:?}", Caching::default()));
    }

    #[test]
    fn all_directives_are_accepted_and_others_refused() {
        for text in [
            "no-store",
            "max-age=0",
            "max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4, public, immutable",
        ] {
            let parsed = parse(text).unwrap();
            assert_eq!(parsed.to_string(), text);
        }
        for text in ["", "private", "max-age", "max-age=x", "max-age=1,no-store", "s-maxage=1"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let error = "manifests=no-store".parse::<ClassControl>().unwrap_err();
        assert_eq!(error, "there is no class `manifests`; the nearest is `manifest`");
    }
}
