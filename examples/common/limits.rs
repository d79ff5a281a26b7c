//! The values of `--limit`: limits of what content may hold, by their names.

use std::str::FromStr;

use smooth_origin::base::Limits;

/// A limit and its number: `samples=10000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    name: String,
    number: u64,
}

macro_rules! limits {
    ($($field:ident),* $(,)?) => {
        /// Returns all limits with their defaults, as `--limit` has them.
        pub(crate) fn defaults() -> Vec<String> {
            let limits = Limits::default();
            vec![$(format!("{}={}", spelled(stringify!($field)), limits.$field)),*]
        }

        impl Limit {
            /// Sets the limit; `false` if there is none of this name.
            fn set(&self, limits: &mut Limits) -> bool {
                $(if self.name == spelled(stringify!($field)) {
                    // Smaller machines cannot hold more anyway.
                    limits.$field = self.number.try_into().unwrap_or(limits.$field);
                    return true;
                })*
                false
            }
        }
    };
}

limits! {
    server_manifest, client_manifest, xml_depth, xml_attributes, custom_attributes, tracks,
    uses_of_track, moov, progressive_samples, mfra, moof, boxes, box_depth, opening, fragments,
    scan_reads, scan_bytes,
    listed_names, samples, chunks, caption_document, caption_texts, cues, caption_bytes,
    backward_steps, findings, finding_bytes,
}

/// Returns the limits with these numbers; of several with the same name, the last one counts.
pub(crate) fn with(numbers: &[Limit]) -> Limits {
    let mut limits = Limits::default();
    for limit in numbers {
        limit.set(&mut limits);
    }
    limits
}

/// Returns the name of a field as an option spells it.
fn spelled(field: &str) -> String {
    field.replace('_', "-")
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) =
            text.split_once('=').ok_or("give a limit and its number: moov=16777216")?;
        let number = number.parse().ok().filter(|number| (1..=1 << 40).contains(number));
        let number = number.ok_or("a limit is a whole number from 1 to 1099511627776")?;
        let limit = Self { name: name.into(), number };
        if limit.set(&mut Limits::default()) {
            return Ok(limit);
        }
        let defaults = defaults();
        let names = defaults.iter().filter_map(|limit| limit.split('=').next());
        Err(format!("there is no limit `{name}`{}", crate::nearest::advice(name, names)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_of_the_library_has_a_name() {
        let fields = format!("{:?}", Limits::default()).matches(": ").count();
        assert_eq!(defaults().len(), fields);
    }

    #[test]
    fn the_last_number_of_a_limit_counts_and_the_defaults_change_nothing() {
        let parsed: Vec<Limit> = defaults().iter().map(|limit| limit.parse().unwrap()).collect();
        assert_eq!(with(&parsed), Limits::default());
        let limits = with(&["samples=9".parse().unwrap(), "samples=8".parse().unwrap()]);
        assert_eq!(limits.samples, 8);
    }

    #[test]
    fn unknown_limits_are_refused_with_the_nearest_name() {
        assert_eq!(
            "sample=1".parse::<Limit>().unwrap_err(),
            "there is no limit `sample`; the nearest is `samples`"
        );
        for text in ["samples", "samples=", "samples=0", "samples=-1", "samples=1e3"] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }
}
