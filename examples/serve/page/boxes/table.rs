//! Fields of boxes, and tables that are cut.

use std::fmt::Display;

use serde::Serialize;

/// A field of a box.
#[derive(Serialize)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// Maximum number of rows of a table.
pub(super) const MOST_ROWS: usize = 64;

pub(super) fn field(name: &'static str, value: impl Display) -> Field {
    Field { name, value: value.to_string() }
}

/// Adds the rows of a table, and how many there are more. `count` is the number of all rows, which the
/// box may only claim.
pub(super) fn rows(
    fields: &mut Vec<Field>,
    name: &'static str,
    count: usize,
    rows: impl Iterator<Item = String>,
) {
    let shown = fields.len();
    let row = |(place, text): (usize, String)| field(name, format_args!("{place}: {text}"));
    fields.extend(rows.take(MOST_ROWS).enumerate().map(row));
    let shown = fields.len() - shown;
    if count > shown {
        fields.push(field("more", format_args!("{} of {count}", count - shown)));
    }
}
