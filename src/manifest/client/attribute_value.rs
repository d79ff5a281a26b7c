//! Parsing the value of an attribute as the type of its field.

use std::num::NonZeroU64;
use std::str::FromStr;

use crate::base::Timescale;
use crate::manifest::xml::Attribute;

/// Sets the field if the value is of its type. Otherwise returns `false`, and the caller keeps or
/// refuses the attribute.
pub(super) fn set<T: FromStr>(field: &mut T, a: &Attribute<'_>) -> bool {
    a.value.trim().parse().map(|value| *field = value).is_ok()
}

pub(super) fn set_some<T: FromStr>(field: &mut Option<T>, a: &Attribute<'_>) -> bool {
    a.value.trim().parse().map(|value| *field = Some(value)).is_ok()
}

/// Sets a time before 0, as two's complement.
pub(super) fn set_before_0(field: &mut Option<u64>, a: &Attribute<'_>) -> bool {
    let time = a.value.trim().parse::<i64>().ok().filter(|&time| time < 0);
    *field = time.map(|time| time as u64);
    field.is_some()
}

pub(super) fn set_text(field: &mut Option<String>, a: &Attribute<'_>) -> bool {
    *field = Some(a.value.clone().into_owned());
    true
}

pub(super) fn set_timescale(field: &mut Option<Timescale>, a: &Attribute<'_>) -> bool {
    *field = a.value.trim().parse().ok().and_then(Timescale::new);
    field.is_some()
}

/// Sets a count of repeats. A count of 0 is treated like a missing one.
pub(super) fn set_repeat(field: &mut Option<NonZeroU64>, a: &Attribute<'_>) -> bool {
    a.value.trim().parse().map(|count| *field = NonZeroU64::new(count)).is_ok()
}

/// Sets a boolean. Booleans occur in every letter case ([MS-SSTR] 2.2.2).
pub(super) fn set_bool(field: &mut Option<bool>, a: &Attribute<'_>) -> bool {
    let words = [("true", true), ("false", false), ("1", true), ("0", false)];
    let word = words.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(a.value.trim()));
    *field = word.map(|(_, value)| value);
    field.is_some()
}
