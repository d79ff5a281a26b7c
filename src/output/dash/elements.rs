//! Elements and values that several parts of an MPD have.

use crate::manifest::XmlWriter;

/// Writes an element that has a scheme and a value.
pub(super) fn descriptor(xml: &mut XmlWriter, element: &str, scheme: &str, value: &str) {
    xml.open(element);
    xml.attribute("schemeIdUri", scheme);
    xml.attribute("value", value);
    xml.close();
}

/// Returns a duration in ticks of 100 ns as XML writes it: `PT12.345S`.
pub(super) fn iso_duration(ticks: u64) -> String {
    let (seconds, rest) = (ticks / 10_000_000, ticks % 10_000_000);
    match rest {
        0 => format!("PT{seconds}S"),
        _ => format!("PT{seconds}.{}S", format!("{rest:07}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        for (ticks, text) in [
            (0, "PT0S"),
            (1, "PT0.0000001S"),
            (20_000_000, "PT2S"),
            (123_450_000, "PT12.345S"),
            (108_000_000_000, "PT10800S"),
        ] {
            assert_eq!(iso_duration(ticks), text);
        }
    }
}
