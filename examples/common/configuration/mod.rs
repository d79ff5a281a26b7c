//! The configuration of a server: a file in TOML, and the command line, which overrides it.
//!
//! ```text
//!  file ─► document (keys, values, places) ─► check (each by its option) ─┐
//!  command line ──────────────────────────────────────────────────────────┴► options ─► printed
//! ```
//!
//! A key of the file is the name of an option, so that each option can be in the file, with the same
//! values and the same sentences about wrong ones.

mod contradiction;
mod document;
mod printed;
mod secrets;
mod without_effect;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Parser};

use crate::arguments::headings;
use crate::{Failure, Trouble, nearest, terminal};

use document::{Document, Problem, Setting};
use without_effect::{File, Given};

/// Options that only a command line has.
const ONLY_ON_COMMAND_LINE: &[&str] =
    &["config", "print_config", "check", "check_config", "json", "healthcheck", "help", "version"];

/// Begins the next of several sentences, below the one before, which stands behind `error: `.
const NEXT: &str = "\n       ";

/// Options, and their settings.
pub struct Configured<O> {
    /// The options.
    pub options: O,
    /// Their settings, for comparison with others.
    pub settings: Settings,
}

/// The lines that `--print-config` prints of options, without comments.
#[derive(Clone)]
pub struct Settings(Vec<String>);

impl Settings {
    /// Returns the keys that have another value than in `other`, those of tables included.
    pub fn changed(&self, other: &Self) -> Vec<String> {
        let only = |one: &[String], other: &[String]| {
            let lines = one.iter().filter(|line| !other.contains(line));
            let keys =
                lines.filter_map(|line| line.split_once(" = ").map(|(key, _)| key.to_owned()));
            keys.collect::<Vec<_>>()
        };
        let mut changed = only(&self.0, &other.0);
        changed.extend(only(&other.0, &self.0));
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

/// Returns the options that the command line and the file of `--config` make. `None` if they were
/// printed, because `--print-config` asks for that.
///
/// A command line that is wrong, `--help` and `--version` end the process.
///
/// # Errors
/// The file cannot be read or is wrong: the sentence has its line and column.
pub fn options<O: Parser>() -> Result<Option<O>, Failure> {
    Ok(configured()?.map(|configured| configured.options))
}

/// Returns the same, and can be called again: the file is read anew.
///
/// A command line that is wrong, `--help` and `--version` end the process.
///
/// # Errors
/// The file cannot be read or is wrong: the sentence has its line and column.
pub fn configured<O: Parser>() -> Result<Option<Configured<O>>, Failure> {
    let line: Vec<OsString> = std::env::args_os().collect();
    let command = headings::grouped(O::command());
    let of_line = parse(&command, &line).unwrap_or_else(|error| error.exit());
    let mut matches = of_line.clone();
    let path = of_line.get_one::<PathBuf>("config");
    let (settings, text) = match path {
        Some(path) => read(path, &command)?,
        None => (Vec::new(), String::new()),
    };
    if let Some(path) = path {
        let merge =
            |settings: &[&Setting]| parse(&command, &merged(&line, settings, &command, &of_line));
        // Each key is right by itself, but may need another one.
        matches = merge(&settings.iter().collect::<Vec<_>>()).map_err(|error| {
            let what = sentence(&error);
            Failure::Usage(match contradiction::unfit(&settings, merge) {
                Some(setting) => setting.problem(&error, what).line(path, &text),
                None => format!("{}: {what}", path.display()),
            })
        })?;
    }
    let file = path.map(|path| File { path, text: &text, settings: &settings });
    let given = Given { command: &command, all: &matches, line: &of_line, file };
    let problems = without_effect::sentences(&given);
    if !problems.is_empty() {
        return Err(Failure::Usage(problems.join(NEXT)));
    }
    if matches.get_flag("print_config") {
        for line in printed::lines(&command, &matches) {
            if !terminal::line(&line) {
                break;
            }
        }
        return Ok(None);
    }
    let options =
        O::from_arg_matches(&matches).map_err(|error| Failure::Usage(sentence(&error)))?;
    let mut settings = printed::lines(&command, &matches);
    settings.retain(|line| !line.starts_with('#'));
    Ok(Some(Configured { options, settings: Settings(settings) }))
}

fn parse(command: &Command, line: &[OsString]) -> Result<ArgMatches, clap::Error> {
    command.clone().try_get_matches_from(line).map_err(secrets::left_out)
}

/// Reads a file and checks every key in it. Returns its settings and its text.
fn read(file: &Path, command: &Command) -> Result<(Vec<Setting>, String), Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let what = format!("cannot read the configuration {}", file.display());
        Failure::system(what, Trouble::of(file, &error))
    })?;
    let document = Document::parse(&text);
    let mut problems = document.problems;
    problems.extend(document.settings.iter().filter_map(|setting| check(setting, command)));
    if problems.is_empty() {
        problems = contradiction::all(&document.settings, command, &text);
    }
    if problems.is_empty() {
        return Ok((document.settings, text));
    }
    problems.sort_by_key(|problem| problem.offset);
    let lines: Vec<_> = problems.iter().map(|problem| problem.line(file, &text)).collect();
    Err(Failure::Usage(lines.join(NEXT)))
}

/// Returns the problem of a setting by itself.
fn check(setting: &Setting, command: &Command) -> Option<Problem> {
    let Some(option) = option(command, &setting.key) else {
        let key = &setting.key;
        let is_of_line = ONLY_ON_COMMAND_LINE.contains(&key.replace('-', "_").as_str());
        let what = match is_of_line {
            true => format!("`{key}` is no key of a file: give --{key} on the command line"),
            false => {
                let names = options_of_files(command).map(name);
                format!("there is no key `{key}`{}", nearest::advice(key, names))
            }
        };
        return Some(Problem { offset: setting.offset, what });
    };
    let is_switch = !option.get_action().takes_values();
    let is_list = is_repeatable(option);
    let wanted = match (setting.switch.is_some(), setting.values.len()) {
        (switch, _) if is_switch && !switch => "true or false",
        (true, _) if !is_switch => "a value, not true or false",
        // A value that is no value of a command line has a problem already.
        (_, count) if !is_switch && !is_list && (setting.is_list || count > 1) => {
            "one value, not a list or a table"
        }
        _ => "",
    };
    if !wanted.is_empty() {
        let what = format!("`{}` takes {wanted}", setting.key);
        return Some(Problem { offset: setting.value_offset, what });
    }
    setting.values.iter().find_map(|value| {
        let line = ["check".into(), argument(option, &value.text)];
        // An option that needs another one is looked at together with all others.
        let is_of_itself = |error: &clap::Error| error.kind() != ErrorKind::MissingRequiredArgument;
        let error = parse(command, &line).err().filter(is_of_itself)?;
        let what = format!("`{}`: {}", setting.key, sentence(&error));
        Some(Problem { offset: value.offset, what })
    })
}

/// Returns a command line with the settings that it does not have itself.
fn merged(
    line: &[OsString],
    settings: &[&Setting],
    command: &Command,
    matches: &ArgMatches,
) -> Vec<OsString> {
    let is_given = |option: &Arg| is_given(option, matches);
    let mut from_file = Vec::new();
    for setting in settings {
        let Some(option) = option(command, &setting.key) else { continue };
        let is_overridden =
            (is_given(option) && !has_names(option)) || conflicts(command, option).any(&is_given);
        match setting.switch {
            _ if is_overridden => {}
            Some(true) => from_file.push(format!("--{}", name(option)).into()),
            Some(false) => {}
            None => {
                let values = setting.values.iter();
                from_file.extend(values.map(|value| argument(option, &value.text)));
            }
        }
    }
    // What is on the command line comes later, and so wins if an option has names for its values.
    let (program, own) = line.split_at(line.len().min(1));
    [program, &from_file, own].concat()
}

/// Returns an option with its value as one argument.
fn argument(option: &Arg, value: &str) -> OsString {
    match option.is_positional() {
        true => value.into(),
        false => format!("--{}={value}", name(option)).into(),
    }
}

/// Returns the name of an option, which is its key in a file.
fn name(option: &Arg) -> &str {
    option.get_long().unwrap_or(option.get_id().as_str())
}

/// Returns the option of a key.
fn option<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    options_of_files(command).find(|option| name(option) == key)
}

/// Returns the options that a file can have.
fn options_of_files(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_of_files = |option: &&Arg| !ONLY_ON_COMMAND_LINE.contains(&option.get_id().as_str());
    command.get_arguments().filter(is_of_files)
}

/// Returns whether an option can have several values.
fn is_repeatable(option: &Arg) -> bool {
    option.is_positional() || matches!(option.get_action(), clap::ArgAction::Append)
}

/// Returns whether each value of an option begins with a name: `samples=9`.
fn has_names(option: &Arg) -> bool {
    let names = option.get_value_names().unwrap_or_default();
    names.iter().any(|name| name.contains('='))
}

fn is_given(option: &Arg, matches: &ArgMatches) -> bool {
    let source = matches.value_source(option.get_id().as_str());
    source.is_some_and(|source| source != ValueSource::DefaultValue)
}

/// Returns the options that cannot be used with this one.
fn conflicts<'a>(command: &'a Command, option: &'a Arg) -> impl Iterator<Item = &'a Arg> {
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|found| found.get_id() == other.get_id())
    };
    command.get_arguments().filter(move |other| excludes(option, other) || excludes(other, option))
}

/// Returns the sentence of an error of the command line, without the option and the usage.
fn sentence(error: &clap::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    if let Some(cause) = cause.filter(|_| error.kind() == ErrorKind::ValueValidation) {
        return cause;
    }
    if let Some(ContextValue::Strings(values)) = error.get(ContextKind::ValidValue)
        && !values.is_empty()
    {
        return format!("give one of {}", values.join(", "));
    }
    if let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::MissingRequiredArgument
    {
        let names = missing.iter().filter_map(|usage| usage.split_whitespace().next());
        let keys: Vec<_> =
            names.map(|name| format!("`{}`", name.trim_start_matches('-'))).collect();
        return format!("{} is needed as well", keys.join(" and "));
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}
