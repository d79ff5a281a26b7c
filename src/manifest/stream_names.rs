//! Names of streams that no manifest names.

use std::collections::{HashMap, HashSet};

use super::StreamKind;

/// Returns a name for each stream of these kinds and languages: that of its kind if it is the only one of
/// it, else of kind and language (`audio_eng`); with a number if that is taken.
pub(crate) fn stream_names(streams: &[(StreamKind, Option<&str>)]) -> Vec<String> {
    let mut of_kind: HashMap<StreamKind, usize> = HashMap::new();
    for (kind, _) in streams {
        *of_kind.entry(*kind).or_default() += 1;
    }
    let mut taken: HashSet<String> = HashSet::new();
    // The number with which the search for a free one goes on.
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name = |&(kind, language): &(StreamKind, Option<&str>)| {
        let base = match language {
            Some(language) if of_kind[&kind] > 1 => {
                format!("{}_{}", kind.as_str(), language.chars().map(word).collect::<String>())
            }
            _ => kind.as_str().to_owned(),
        };
        let mut name = base.clone();
        while !taken.insert(name.clone()) {
            let number = numbers.entry(base.clone()).or_insert(1);
            *number += 1;
            name = format!("{base}_{number}");
        }
        name
    };
    streams.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_the_name_of_its_kind_and_languages_tell_several_apart() {
        use StreamKind::{Audio, Video};

        let names = |of: &[(StreamKind, Option<&str>)]| stream_names(of).join(" ");
        assert_eq!(names(&[(Video, None), (Audio, Some("eng"))]), "video audio");
        let languages = [(Audio, Some("eng")), (Audio, Some("de-CH")), (Audio, None)];
        assert_eq!(names(&languages), "audio_eng audio_de_CH audio");
        let alike = [(Audio, Some("a-b")), (Audio, Some("a_b")), (Audio, Some("a.b"))];
        assert_eq!(names(&alike), "audio_a_b audio_a_b_2 audio_a_b_3");
        assert_eq!(names(&[(Video, None), (Video, None)]), "video video_2");
    }
}
