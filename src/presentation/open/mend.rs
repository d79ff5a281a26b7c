//! A stored client manifest without the elements that have no media.

use std::ops::Range;

use crate::manifest::Spans;

/// What of a stream goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Nothing,
    /// Qualities, by number.
    Qualities(Vec<usize>),
    All,
}

/// The text without just these elements, and with the counts of qualities mended.
pub(super) fn mend(text: &str, spans: &[Spans], cuts: &[Cut]) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (spans, cut) in spans.iter().zip(cuts) {
        match cut {
            Cut::Nothing => {}
            Cut::All => edits.push((spans.element.clone(), String::new())),
            Cut::Qualities(numbers) => {
                let left = spans.qualities.len() - numbers.len();
                edits.extend(spans.declared_qualities.clone().map(|at| (at, left.to_string())));
                let gone = numbers.iter().filter_map(|&number| spans.qualities.get(number));
                edits.extend(gone.map(|at| (at.clone(), String::new())));
            }
        }
    }
    edits.sort_by_key(|(at, _)| at.start);
    let (mut mended, mut from) = (String::with_capacity(text.len()), 0);
    for (at, instead) in edits {
        mended.push_str(&text[from..at.start]);
        mended.push_str(&instead);
        from = at.end;
    }
    mended.push_str(&text[from..]);
    mended
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;
    use crate::manifest::Stored;

    #[test]
    fn only_the_elements_go_and_the_count_is_mended() {
        let text = "<SmoothStreamingMedia>\n<StreamIndex Type='video' QualityLevels = '2' Chunks='1'>\
                    <QualityLevel Bitrate='1'/> <QualityLevel Bitrate='2'></QualityLevel><c d='1'/></StreamIndex>\n\
                    <StreamIndex Type='audio'/>é</SmoothStreamingMedia>";
        let stored = Stored::parse(text.as_bytes(), &Limits::default()).unwrap();
        let mended = |cuts: &[Cut]| mend(text, &stored.spans, cuts);
        assert_eq!(mended(&[Cut::Nothing, Cut::Nothing]), text);
        assert_eq!(
            mended(&[Cut::Qualities(vec![1]), Cut::All]),
            "<SmoothStreamingMedia>\n<StreamIndex Type='video' QualityLevels = '1' Chunks='1'>\
             <QualityLevel Bitrate='1'/> <c d='1'/></StreamIndex>\né</SmoothStreamingMedia>"
        );
    }
}
