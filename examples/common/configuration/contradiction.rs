//! Keys of a file that are right by themselves and not together.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};

use super::document::{Problem, Setting, line_of};
use super::{conflicts, name, option};

/// Returns a problem for each pair of keys that cannot be used together, at the second of them.
pub(super) fn all(settings: &[Setting], command: &Command, text: &str) -> Vec<Problem> {
    let mut settings: Vec<_> = settings.iter().filter(|setting| setting.is_set()).collect();
    settings.sort_by_key(|setting| setting.offset);
    let mut problems = Vec::new();
    for (place, second) in settings.iter().enumerate() {
        let Some(option) = option(command, &second.key) else { continue };
        let others: Vec<_> = conflicts(command, option).map(name).collect();
        let firsts = settings[..place].iter().filter(|first| others.contains(&&*first.key));
        problems.extend(firsts.map(|first| Problem {
            offset: second.offset,
            what: format!(
                "`{}` cannot be used with `{}` in line {}: remove one of them",
                second.key,
                first.key,
                line_of(text, first.offset)
            ),
        }));
    }
    problems
}

/// Returns the setting without which the others are accepted.
pub(super) fn unfit(
    settings: &[Setting],
    parse: impl Fn(&[&Setting]) -> Result<ArgMatches, clap::Error>,
) -> Option<&Setting> {
    settings.iter().filter(|setting| setting.is_set()).find(|unfit| {
        let others: Vec<_> = settings.iter().filter(|other| other.offset != unfit.offset).collect();
        parse(&others).is_ok()
    })
}

impl Setting {
    /// Returns whether the setting differs from a key that is not there: it is no `false` and no empty list.
    fn is_set(&self) -> bool {
        self.switch == Some(true) || !self.values.is_empty()
    }

    /// Returns the problem that this setting causes.
    pub(super) fn problem(&self, error: &clap::Error, otherwise: String) -> Problem {
        let key = &self.key;
        let what = match (error.kind(), error.get(ContextKind::InvalidArg)) {
            (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) => {
                // `--tls-key <FILE>`, as usages have it.
                let name = |usage: &String| {
                    let name = usage.split_whitespace().next().unwrap_or_default();
                    format!("`{}`", name.trim_start_matches('-'))
                };
                let missing: Vec<_> = missing.iter().map(name).collect();
                format!("`{key}` needs {} as well", missing.join(" and "))
            }
            _ => format!("`{key}`: {otherwise}"),
        };
        Problem { offset: self.offset, what }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::{Arg, ArgAction};

    use super::super::document::Document;
    use super::*;

    #[test]
    fn a_key_that_needs_another_is_named_with_its_line() {
        let text = "speed = true\ncertificate = \"a.pem\"\n";
        let command = Command::new("x")
            .arg(Arg::new("speed").long("speed").action(ArgAction::SetTrue))
            .arg(Arg::new("certificate").long("certificate").requires("key"))
            .arg(Arg::new("key").long("key").value_name("FILE"));
        let settings = Document::parse(text).settings;
        let parse = |settings: &[&Setting]| {
            let line = settings.iter().map(|setting| match setting.switch {
                Some(_) => format!("--{}", setting.key),
                None => format!("--{}={}", setting.key, setting.values[0].text),
            });
            command.clone().try_get_matches_from(std::iter::once("x".into()).chain(line))
        };
        let error = parse(&settings.iter().collect::<Vec<_>>()).unwrap_err();
        let unfit = unfit(&settings, parse).unwrap();
        let line = unfit.problem(&error, String::new()).line(Path::new("FILE"), text);
        assert_eq!(line, "FILE:2:1: `certificate` needs `key` as well");
    }
}
