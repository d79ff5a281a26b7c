//! A configuration as `--print-config` prints it: each option with a comment and its value.

use clap::{Arg, ArgMatches, Command};

use super::{conflicts, has_names, is_given, is_repeatable, name, options_of_files};

/// Characters of a line of a comment.
const WIDTH: usize = 98;

/// Returns the lines of a configuration: options first, then tables.
pub(super) fn lines(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let mut lines = vec![
        format!("# Configuration of {}: {} --config FILE", command.get_name(), command.get_name()),
        "# A line that is commented out stands for an option without a value.".to_owned(),
    ];
    let (tables, others): (Vec<_>, Vec<_>) =
        options_of_files(command).partition(|option| has_names(option));
    for option in others.into_iter().chain(tables) {
        lines.push(String::new());
        lines.extend(comment(option));
        lines.extend(value(command, option, matches));
    }
    lines
}

/// Returns the help of an option, with its default.
fn comment(option: &Arg) -> Vec<String> {
    let mut help = option.get_help().map(ToString::to_string).unwrap_or_default();
    if let [default] = option.get_default_values()
        && option.get_action().takes_values()
    {
        help.push_str(&format!(" [default: {}]", default.to_string_lossy()));
    }
    let possible = option.get_possible_values();
    if !possible.is_empty() && option.get_action().takes_values() {
        let names: Vec<_> = possible.iter().map(|value| value.get_name()).collect();
        help.push_str(&format!(" [values: {}]", names.join(", ")));
    }
    let mut lines = vec![String::from("#")];
    for word in help.split_whitespace() {
        match lines.last_mut() {
            Some(last) if last.chars().count() + word.chars().count() < WIDTH => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(format!("# {word}")),
        }
    }
    lines
}

/// Returns the lines with the value that counts.
fn value(command: &Command, option: &Arg, matches: &ArgMatches) -> Vec<String> {
    let key = name(option);
    let id = option.get_id().as_str();
    if !option.get_action().takes_values() {
        return vec![format!("{key} = {}", matches.get_flag(id))];
    }
    let raw = matches.get_raw(id).into_iter().flatten();
    let values: Vec<_> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
    if key == "store" {
        return rules(&values);
    }
    if has_names(option) {
        let defaults = option.get_default_values().iter().map(|value| value.to_string_lossy());
        return table(key, defaults.map(Into::into).chain(values));
    }
    let lines = match &values[..] {
        [] if is_repeatable(option) => return vec![format!("{key} = []")],
        [] => {
            let what = option.get_value_names().and_then(<[_]>::first);
            return vec![format!("# {key} = {}", what.map_or("", |name| name.as_str()))];
        }
        values if is_repeatable(option) => {
            let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
            format!("{key} = [{}]", values.join(", "))
        }
        [value, ..] => format!("{key} = {}", scalar(value)),
    };
    // A default beside an option that excludes it would be refused.
    let is_excluded = !is_given(option, matches)
        && conflicts(command, option).any(|other| is_given(other, matches));
    vec![match is_excluded {
        true => format!("# {lines}"),
        false => lines,
    }]
}

/// Returns a table of `name=value`; of several values of a name, the last one counts.
fn table(key: &str, values: impl Iterator<Item = String>) -> Vec<String> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for value in values {
        let (name, value) = value.split_once('=').unwrap_or((&value, ""));
        match entries.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value.to_owned(),
            None => entries.push((name.to_owned(), value.to_owned())),
        }
    }
    let entries = entries.into_iter().map(|(name, value)| format!("{name} = {}", scalar(&value)));
    std::iter::once(format!("[{key}]")).chain(entries).collect()
}

/// Returns a table for each rule about a store.
fn rules(values: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for value in values {
        let (before, location) = match value.strip_prefix("location=") {
            Some(location) => ("", location),
            None => value.split_once(",location=").unwrap_or((value, "")),
        };
        lines.push("[[store]]".to_owned());
        let named = before.split(',').filter_map(|part| part.split_once('='));
        lines.extend(named.map(|(key, value)| format!("{key} = {}", quoted(value))));
        lines.push(format!("location = {}", quoted(location)));
    }
    if lines.is_empty() {
        lines.push("# [[store]]".to_owned());
    }
    lines
}

/// Returns a number as it is, any other value as a text.
fn scalar(value: &str) -> String {
    let is_integer = value.parse::<i64>().is_ok_and(|number| number.to_string() == value);
    let is_float =
        value.contains('.') && value.parse::<f64>().is_ok_and(|number| number.to_string() == value);
    match is_integer || is_float {
        true => value.to_owned(),
        false => quoted(value),
    }
}

/// Returns a basic string of TOML. Paths that are not UTF-8 cannot be in a file.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            _ if character.is_control() => {
                text.push_str(&format!("\\u{:04X}", u32::from(character)));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
    text
}
