//! Comparing the bytes of a fragment, and naming the box and field of the first that differs.

use std::ops::Range;

use bytes::Bytes;
use smooth_origin::base::Limits;
use smooth_origin::bmff::{outline, place_of};
use smooth_origin::manifest::{QualityLevel, StreamIndex};

use super::manifests::Pair;
use super::{Answered, Difference, Differences};

/// A fragment that both announce.
pub(super) struct Wanted<'a> {
    pub(super) pair: &'a Pair<'a>,
    pub(super) number: usize,
    pub(super) time: u64,
}

impl Wanted<'_> {
    pub(super) fn path_of_a(&self) -> String {
        path(self.pair.a, self.time)
    }

    pub(super) fn path_of_b(&self) -> String {
        path(self.pair.b, self.time)
    }

    /// Begins a difference in this fragment.
    fn difference(&self, what: &str) -> Difference {
        let (index, quality) = self.pair.a;
        let chunk = format!("chunk {} ({}) of {}", self.number, self.time, self.pair.name);
        Difference {
            place: if what.is_empty() { chunk } else { format!("{chunk}: {what}") },
            stream: Some(index.name().into_owned()),
            bitrate: Some(quality.bitrate),
            chunk: Some(self.time),
            ..Difference::default()
        }
    }
}

/// Returns the path of a fragment, as players make it of the stream's `Url`.
fn path((index, quality): (&StreamIndex, &QualityLevel), time: u64) -> String {
    let standard =
        || format!("QualityLevels({{bitrate}})/Fragments({}={{start time}})", index.name());
    let template = index.url.clone().unwrap_or_else(standard);
    let (bitrate, time) = (quality.bitrate.to_string(), time.to_string());
    let attributes: Vec<_> = quality
        .custom_attributes
        .iter()
        .map(|attribute| format!("{}={}", attribute.name, attribute.value))
        .collect();
    template
        .replace("{bitrate}", &bitrate)
        .replace("{Bitrate}", &bitrate)
        .replace("{start time}", &time)
        .replace("{start_time}", &time)
        .replace("{CustomAttributes}", &attributes.join(","))
}

/// Compares two answers.
pub(super) fn compare(
    wanted: &Wanted<'_>,
    a: &Answered,
    b: &Answered,
    differences: &mut Differences,
) {
    let (a, b) = match (a, b) {
        (Answered::Bytes(a), Answered::Bytes(b)) => (a, b),
        _ => {
            let text = |answered: &Answered| match answered {
                Answered::Bytes(bytes) => format!("{} bytes", bytes.len()),
                Answered::Status(status, reason) => format!("status {status}{reason}"),
            };
            let is_status = |answered: &Answered| match answered {
                Answered::Bytes(_) => 200,
                Answered::Status(status, _) => *status,
            };
            // Both without the fragment, for one reason: they agree.
            if is_status(a) != is_status(b) {
                let (a, b) = (Some(text(a)), Some(text(b)));
                differences.push(Difference { a, b, ..wanted.difference("") });
            }
            return;
        }
    };
    let first = a.iter().zip(b).position(|(one, other)| one != other);
    if a.len() != b.len() {
        let (a, b) = (Some(format!("{} bytes", a.len())), Some(format!("{} bytes", b.len())));
        differences.push(Difference { a, b, ..wanted.difference("its size") });
    }
    let Some(first) = first else { return };
    let boxes = outline(a, 0, &Limits::default());
    let place = place_of(&boxes, first as u64);
    let field = place.bytes.clone().unwrap_or(first as u64..first as u64 + 1);
    let found = wanted.difference(&place.to_string());
    differences.push(Difference {
        a: value(a, &field),
        b: value(b, &field),
        byte: Some(first as u64),
        boxes: Some(place.boxes),
        field: Some(place.field),
        ..found
    });
}

/// Returns the bytes of a field as a number in hexadecimal.
fn value(bytes: &Bytes, field: &Range<u64>) -> Option<String> {
    let (from, to) = (usize::try_from(field.start).ok()?, usize::try_from(field.end).ok()?);
    let bytes = bytes.get(from..to)?;
    let digits: String = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let digits = digits.trim_start_matches('0');
    Some(format!("0x{}", if digits.is_empty() { "0" } else { digits }))
}
