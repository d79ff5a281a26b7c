//! A stored client manifest without the elements that have no media, and with its values corrected.

use std::ops::Range;

use crate::manifest::{Edit, Spans};

/// The part of a stream that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Nothing,
    /// Qualities, by number.
    Qualities(Vec<usize>),
    All,
}

/// The text without just these elements, with the counts of qualities mended, and with the edits
/// that reading it called for.
pub(super) fn mend(text: &str, spans: &[Spans], cuts: &[Cut], corrections: &[Edit]) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (spans, cut) in spans.iter().zip(cuts) {
        match cut {
            Cut::Nothing if spans.has_unusable_qualities => {
                let left = spans.qualities.len().to_string();
                edits.extend(spans.declared_qualities.clone().map(|at| (at, left)));
            }
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
    // A value may be corrected twice, first to plain digits and then to another number: the last
    // one counts.
    let corrections = corrections.iter().rev().map(|edit| {
        let instead = edit.instead.map_or_else(String::new, |number| number.to_string());
        (edit.at.clone(), instead)
    });
    edits.extend(corrections);
    // Of several edits at one place, the one that came first counts; inside of what is cut, none.
    edits.sort_by_key(|(at, _)| at.start);
    let (mut mended, mut from) = (String::with_capacity(text.len()), 0);
    for (at, instead) in edits {
        if at.start < from {
            continue;
        }
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
        let mended = |cuts: &[Cut]| mend(text, &stored.spans, cuts, &stored.edits);
        assert_eq!(mended(&[Cut::Nothing, Cut::Nothing]), text);
        assert!(stored.edits.is_empty());
        assert_eq!(
            mended(&[Cut::Qualities(vec![1]), Cut::All]),
            "<SmoothStreamingMedia>\n<StreamIndex Type='video' QualityLevels = '1' Chunks='1'>\
             <QualityLevel Bitrate='1'/> <c d='1'/></StreamIndex>\né</SmoothStreamingMedia>"
        );
    }

    #[test]
    fn a_quality_that_cannot_be_read_goes_and_the_count_is_mended() {
        let text = "<SmoothStreamingMedia><StreamIndex Type='video' QualityLevels='3.0'>\
                    <QualityLevel Bitrate='x'/><QualityLevel Bitrate='2.0'/><QualityLevel Bitrate='3'/>\
                    </StreamIndex></SmoothStreamingMedia>";
        let stored = Stored::parse(text.as_bytes(), &Limits::default()).unwrap();
        let mended = |cut: Cut| mend(text, &stored.spans, &[cut], &stored.edits);
        let with = |inside: &str| format!("<SmoothStreamingMedia>{inside}</SmoothStreamingMedia>");
        assert_eq!(
            mended(Cut::Nothing),
            with(
                "<StreamIndex Type='video' QualityLevels='2'><QualityLevel Bitrate='2'/>\
                 <QualityLevel Bitrate='3'/></StreamIndex>"
            )
        );
        assert_eq!(
            mended(Cut::Qualities(vec![0])),
            with(
                "<StreamIndex Type='video' QualityLevels='1'><QualityLevel Bitrate='3'/></StreamIndex>"
            )
        );
        assert_eq!(mended(Cut::All), with(""));
    }
}
