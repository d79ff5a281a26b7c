//! The name that somebody meant.

/// Returns `; the nearest is …` if one of the names resembles this one, else a list of all of them.
pub(crate) fn advice<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    // Other programs spell keys with underscores or capitals.
    let plain = name.replace('_', "-").to_ascii_lowercase();
    let likeness = |other: &str| strsim::jaro_winkler(&plain, other);
    match most(names.iter().copied(), likeness).filter(|(likeness, _)| *likeness > 0.8) {
        Some((_, nearest)) => format!("; the nearest is `{nearest}`"),
        None => format!("; there are: {}", names.join(", ")),
    }
}

/// Returns the name of which this one is a misspelling, if there is one.
pub(crate) fn misspelled<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    most(names, likeness).filter(|(likeness, _)| *likeness > 0.7).map(|(_, other)| other)
}

/// Returns the name with the greatest likeness.
fn most<'a>(
    names: impl Iterator<Item = &'a str>,
    likeness: impl Fn(&str) -> f64,
) -> Option<(f64, &'a str)> {
    let likenesses = names.map(|other| (likeness(other), other));
    likenesses.max_by(|(a, _), (b, _)| a.total_cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similar_name_is_proposed_and_otherwise_all_are_listed() {
        let advice = |name| advice(name, ["listen", "max-reads"].into_iter());
        assert_eq!(advice("lisen"), "; the nearest is `listen`");
        assert_eq!(advice("Max_Reads"), "; the nearest is `max-reads`");
        assert_eq!(advice("xyz"), "; there are: listen, max-reads");
    }
}
