//! A file in TOML as settings, each with its place in the file.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of a file with their values, and what is wrong with the file as TOML.
#[derive(Default)]
pub(super) struct Document {
    pub(super) settings: Vec<Setting>,
    pub(super) problems: Vec<Problem>,
}

/// A key with its value.
pub(super) struct Setting {
    pub(super) key: String,
    /// Place of the key, in bytes.
    pub(super) offset: usize,
    /// Place of the value, in bytes.
    pub(super) value_offset: usize,
    /// The value, if it is `true` or `false`.
    pub(super) switch: Option<bool>,
    /// Set if the value is a list or a table.
    pub(super) is_list: bool,
    /// All other values, as a command line would have them; those of a table as `name=value`.
    pub(super) values: Vec<Value>,
}

/// A value as a command line would have it.
pub(super) struct Value {
    pub(super) text: String,
    pub(super) offset: usize,
}

/// Something that is wrong in a file.
pub(super) struct Problem {
    /// Place in bytes.
    pub(super) offset: usize,
    pub(super) what: String,
}

impl Document {
    /// Reads a file. All that is wrong with it as TOML is among the problems.
    pub(super) fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            let what = format!("this is not TOML: {}", error.message());
            document.problems.push(Problem { offset, what });
        }
        if document.problems.is_empty() {
            for (key, value) in table.get_ref() {
                document.add(key.get_ref(), key.span().start, value);
            }
        }
        document
    }

    fn add(&mut self, key: &str, offset: usize, value: &Spanned<DeValue<'_>>) {
        let mut setting = Setting {
            key: key.to_owned(),
            offset,
            value_offset: value.span().start,
            switch: value.get_ref().as_bool(),
            is_list: value.get_ref().is_array() || value.get_ref().is_table(),
            values: Vec::new(),
        };
        let mut add = |prefix: &str, value: &Spanned<DeValue<'_>>| match text(value.get_ref()) {
            Ok(text) => {
                let offset = value.span().start;
                setting.values.push(Value { text: format!("{prefix}{text}"), offset });
            }
            Err(wanted) => self.problems.push(Problem {
                offset: value.span().start,
                what: format!("`{key}` has a value of the wrong kind: write {wanted}"),
            }),
        };
        match value.get_ref() {
            DeValue::Boolean(_) => {}
            DeValue::Array(tables) if key == "store" => {
                for table in tables {
                    match rule(table.get_ref()) {
                        Ok(text) => {
                            setting.values.push(Value { text, offset: table.span().start });
                        }
                        Err(what) => {
                            let offset = table.span().start;
                            self.problems.push(Problem { offset, what: what.into() });
                        }
                    }
                }
            }
            DeValue::Array(values) => values.iter().for_each(|value| add("", value)),
            DeValue::Table(table) => {
                for (name, value) in table {
                    add(&format!("{}=", name.get_ref()), value);
                }
            }
            _ => add("", value),
        }
        self.settings.push(setting);
    }
}

/// Returns a table `[[store]]` as a command line has it.
fn rule(table: &DeValue<'_>) -> Result<String, &'static str> {
    let DeValue::Table(table) = table else {
        return Err(
            "`store` takes tables: write [[store]], and below it host, prefix and location",
        );
    };
    let mut parts = Vec::new();
    for (key, value) in table {
        let DeValue::String(value) = value.get_ref() else {
            return Err("the keys of [[store]] take texts in quotes");
        };
        parts.push((key.get_ref().to_string(), value.to_string()));
    }
    // The location ends the text, whatever is in it.
    parts.sort_by_key(|(key, _)| key == "location");
    if parts.iter().any(|(key, value)| key != "location" && value.contains(',')) {
        return Err("a host and a prefix of [[store]] have no comma");
    }
    let parts: Vec<_> = parts.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Ok(parts.join(","))
}

/// Returns a single value as a command line has it.
fn text(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Float(float) => Ok(float.as_str().to_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(|number| number.to_string())
            .map_err(|_| "a smaller number"),
        _ => Err("a text in quotes or a number"),
    }
}

impl Problem {
    /// Returns `FILE:LINE:COLUMN: …`.
    pub(super) fn line(&self, file: &Path, text: &str) -> String {
        let before = before(text, self.offset);
        let line = line_of(text, self.offset);
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        format!("{}:{line}:{column}: {}", file.display(), self.what)
    }
}

/// Returns the line of an offset, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    before(text, offset).iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Returns the bytes before an offset, which may be within a character.
fn before(text: &str, offset: usize) -> &[u8] {
    text.as_bytes().get(..offset).unwrap_or(text.as_bytes())
}
