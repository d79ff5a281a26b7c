//! The name that somebody meant.

/// Returns `; the nearest is …` if one of the names resembles this one, else a list of all of them.
pub(crate) fn advice<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    // Other programs spell keys with underscores or capitals.
    let plain = name.replace('_', "-").to_ascii_lowercase();
    match of(&plain, names.iter().copied()) {
        Some(nearest) => format!("; the nearest is `{nearest}`"),
        None => format!("; there are: {}", names.join(", ")),
    }
}

/// Returns the name that resembles this one most, if one resembles it.
pub(crate) fn of<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likenesses = names.map(|other| (strsim::jaro_winkler(name, other), other));
    let nearest = likenesses.max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.filter(|(likeness, _)| *likeness > 0.8).map(|(_, other)| other)
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
