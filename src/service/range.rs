//! `Range`, RFC 9110, 14.

use std::ops::Range;

use http::HeaderMap;
use http::header::RANGE;

/// The part of a body that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// The whole: the request has no range, or none that is valid.
    Whole,
    /// 206.
    One(Range<u64>),
    /// 206 in parts, in the order of the request.
    Many(Vec<Range<u64>>),
    /// 416.
    Unsatisfiable,
}

/// Most ranges, after those that touch are joined. More are an attack or a mistake.
const MAX_RANGES: usize = 16;

/// Most ranges that are read.
const MAX_SPECS: usize = 256;

/// Ranges so near to each other cost less together than apart (RFC 9110, 15.3.7.2).
const GAP: u64 = 80;

/// Returns the part of a body of `length` bytes that the `Range` field selects.
///
/// A field that does not conform to the grammar is ignored (14.2), and so are other units than bytes
/// and more than 16 ranges that do not touch.
pub(super) fn select(headers: &HeaderMap, length: u64) -> Selection {
    let mut fields = headers.get_all(RANGE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Selection::Whole };
    let Some(specs) = field.to_str().ok().and_then(specs) else { return Selection::Whole };
    if length == 0 && specs.iter().any(|spec| matches!(spec, Spec::Last(1..))) {
        // It can be had (14.1.2), and no `Content-Range` can say it.
        return Selection::Whole;
    }
    let ranges = specs.iter().filter_map(|spec| spec.within(length));
    let mut ranges: Vec<_> = ranges.enumerate().collect();
    ranges.sort_unstable_by_key(|(_, range)| range.start);
    ranges.dedup_by(|(later, next), (place, range)| {
        let near = next.start <= range.end.saturating_add(GAP);
        if near {
            range.end = range.end.max(next.end);
            *place = (*place).min(*later);
        }
        near
    });
    // As they were asked for: a client may want the end first (15.3.7.2).
    ranges.sort_unstable_by_key(|(place, _)| *place);
    let mut ranges: Vec<_> = ranges.into_iter().map(|(_, range)| range).collect();
    match (ranges.len(), ranges.pop()) {
        (_, None) => Selection::Unsatisfiable,
        (1, Some(one)) => Selection::One(one),
        (2..=MAX_RANGES, Some(last)) => {
            ranges.push(last);
            Selection::Many(ranges)
        }
        _ => Selection::Whole,
    }
}

/// Returns the number of first bytes of a body that the `Range` field selects from, whatever the body's
/// length is. `None` if it may select the last one.
pub(super) fn first_bytes(headers: &HeaderMap) -> Option<u64> {
    let mut fields = headers.get_all(RANGE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return None };
    let specs = field.to_str().ok().and_then(specs)?;
    let end = |spec: &Spec| match spec {
        Spec::From(_, last) => last.checked_add(1),
        Spec::Last(_) => None,
    };
    specs.iter().map(end).try_fold(0, |first, end| Some(end?.max(first)))
}

/// A `range-spec` of bytes.
#[derive(Clone, Copy, Debug)]
enum Spec {
    /// `first-` and `first-last`.
    From(u64, u64),
    /// `-length`.
    Last(u64),
}

impl Spec {
    /// Returns the part of the range that is within the body, if any.
    fn within(self, length: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, last) => first..last.saturating_add(1).min(length),
            Self::Last(suffix) => length.saturating_sub(suffix)..length,
        };
        (range.start < range.end).then_some(range)
    }
}

fn specs(field: &str) -> Option<Vec<Spec>> {
    let (unit, set) = field.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let mut specs = Vec::new();
    // Empty elements of a list mean nothing (5.6.1.2).
    for spec in set.split(',').map(str::trim).filter(|spec| !spec.is_empty()) {
        let (first, last) = spec.split_once('-')?;
        specs.push(match (first, last) {
            ("", suffix) => Spec::Last(number(suffix)?),
            (first, "") => Spec::From(number(first)?, u64::MAX),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if last < first {
                    return None;
                }
                Spec::From(first, last)
            }
        });
        if specs.len() > MAX_SPECS {
            return None;
        }
    }
    (!specs.is_empty()).then_some(specs)
}

/// Reads digits. A number that does not fit into 64 bits gives the largest one that does.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::Selection::{Many, One, Unsatisfiable, Whole};
    use super::*;

    fn selected(field: &str, length: u64) -> Selection {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_str(field).unwrap());
        select(&headers, length)
    }

    #[test]
    fn ranges_are_those_of_the_grammar_as_far_as_there_are_bytes() {
        for (field, selection) in [
            ("bytes=0-0", One(0..1)),
            ("bytes=0-999", One(0..1000)),
            ("bytes=5-", One(5..1000)),
            ("bytes=-5", One(995..1000)),
            ("bytes=-5000", One(0..1000)),
            ("bytes=900-99999999999999999999999", One(900..1000)),
            ("BYTES = 1-2", One(1..3)),
            ("bytes=,1-2,", One(1..3)),
            ("bytes=1000-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=1000-1001,-0", Unsatisfiable),
            ("bytes=0-1,5000-", One(0..2)),
        ] {
            assert_eq!(selected(field, 1000), selection, "{field}");
        }
        assert_eq!(selected("bytes=0-", 0), Unsatisfiable);
        assert_eq!(selected("bytes=-0", 0), Unsatisfiable);
        assert_eq!(selected("bytes=-1", 0), Whole);
    }

    #[test]
    fn ranges_that_touch_are_one_and_too_many_are_the_whole() {
        assert_eq!(selected("bytes=0-9,200-209", 1000), Many(vec![0..10, 200..210]));
        assert_eq!(selected("bytes=200-209,0-9", 1000), Many(vec![200..210, 0..10]));
        assert_eq!(selected("bytes=0-9,10-19,5-14", 1000), One(0..20));
        assert_eq!(selected("bytes=0-9,90-99", 1000), One(0..100));
        assert_eq!(selected("bytes=0-,0-,0-", 1000), One(0..1000));
        let apart = |count: u64| {
            let specs: Vec<_> = (0..count).map(|n| format!("{}-{}", n * 200, n * 200)).collect();
            selected(&format!("bytes={}", specs.join(",")), 1_000_000)
        };
        assert!(matches!(apart(16), Many(ranges) if ranges.len() == 16));
        assert_eq!(apart(17), Whole);
        assert_eq!(selected(&format!("bytes={}", "0-,".repeat(300)), 10), Whole);
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for field in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=1-2-3",
            "bytes=+1-2",
            "bytes=1 - 2",
            "bytes=0x1-2",
            "bytes=1-2;3-4",
            "chunks=1-2",
            "=1-2",
            "bytes=0-1,x",
        ] {
            assert_eq!(selected(field, 1000), Whole, "{field:?}");
        }
        let mut twice = HeaderMap::new();
        twice.append(RANGE, HeaderValue::from_static("bytes=0-1"));
        twice.append(RANGE, HeaderValue::from_static("bytes=4-5"));
        assert_eq!(select(&twice, 1000), Whole);
        assert_eq!(select(&HeaderMap::new(), 1000), Whole);
    }
}
