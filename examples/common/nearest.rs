//! The name that somebody meant.

/// Returns `; the nearest is …` if one of the names resembles this one, else a list of all of them.
pub(crate) fn advice<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    // Other programs spell keys with underscores or capitals.
    let plain = name.replace('_', "-").to_ascii_lowercase();
    let likeness = |other: &&str| strsim::jaro_winkler(&plain, other);
    let nearest = names.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|nearest| likeness(nearest) > 0.8) {
        Some(nearest) => format!("; the nearest is `{nearest}`"),
        None => format!("; there are: {}", names.join(", ")),
    }
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
