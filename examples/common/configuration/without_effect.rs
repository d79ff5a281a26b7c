//! Options that have no effect, because another one takes it from them or is missing.
//!
//! The second listener at the address of the first one is among them, because it could not be opened, and so
//! are folders that would have the same URLs.

use std::path::Path;

use clap::{ArgMatches, Command};
use smooth_origin::service::Pattern;

use super::document::{Problem, Setting, line_of};
use super::{is_given, name, option};
use crate::listen::Listen;
use crate::roots::{Root, Roots};

/// All options that count, and where they are from.
pub(super) struct Given<'a> {
    pub(super) command: &'a Command,
    /// The options of the file and of the command line.
    pub(super) all: &'a ArgMatches,
    /// The options of the command line alone.
    pub(super) line: &'a ArgMatches,
    pub(super) file: Option<File<'a>>,
}

/// A file of settings.
#[derive(Clone, Copy)]
pub(super) struct File<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) settings: &'a [Setting],
}

/// The reason why an option has no effect.
struct Reason {
    /// The end of a sentence that begins with the option. Options are quoted by their names.
    what: String,
    /// The option that takes the effect. On the command line, it overrides one of a file.
    taken_by: Option<&'static str>,
    /// The value that has no effect; `None` for the option as a whole.
    value: Option<String>,
}

/// Options, and what leaves them without effect.
type Rule = (&'static str, fn(&Given<'_>) -> Option<Reason>);

const RULES: &[Rule] = &[
    ("proxy-header", |given| given.needs("trust-proxy", "name the networks of your proxies")),
    ("access-log-format", |given| given.needs("access-log", "name the file")),
    ("handshake-timeout", |given| given.needs("tls-certificate", "name a certificate")),
    ("redirect", redirect),
    ("redirect-life", |given| {
        given.needs("redirect", "name what is redirected, such as fragments,")
    }),
    ("pass-media", |given| given.needs("files", "name the files, such as *.ismv,")),
    ("folders", folders),
    ("operator-listen", operator_listen),
    ("live-archive", of_points),
    ("live-follow", |given| given.needs("live-archive", "name what the other server writes to")),
    ("live-point", live_point),
    ("live-create", of_pushes),
    ("live-pushes", of_pushes),
    ("live-memory", of_pushes),
    ("live-held-in-memory", |given| {
        of_pushes(given).or_else(|| given.needs("live-archive", "name what keeps events"))
    }),
    ("live-from", of_pushes),
    ("live-token-file", of_pushes),
    ("live-idle-timeout", of_pushes),
    ("live-client-ca", |given| {
        of_pushes(given).or_else(|| given.needs("tls-certificate", "name a certificate"))
    }),
    ("live-window", of_points),
    ("live-start-over", of_points),
    ("live-look-ahead", of_points),
    ("store-reads", of_stores),
    ("store-timeout", store_timeout),
    ("store-tries", of_stores),
    ("store-hedge", store_hedge),
    ("store-hedge-limit", |given| {
        given
            .needs("store-hedge", "give the seconds of a slow request")
            .or_else(|| of_stores(given))
    }),
    ("read-ahead", read_ahead),
    ("disk-cache", of_stores),
    ("disk-cache-size", |given| given.needs("disk-cache", "name the folder")),
    ("revalidate-media", revalidate_media),
    ("allow-credentials", allow_credentials),
    ("immutable", |given| given.without_caching()),
    ("surrogate-key", |given| given.without_caching()),
    ("cache-control", cache_control),
    ("files", files),
    ("without", without),
    ("text-xml", |given| given.of_smooth_streaming()),
    ("compact-manifests", |given| given.of_smooth_streaming()),
    ("epoch", |given| {
        let is_empty = given.values("epoch").iter().any(String::is_empty);
        is_empty.then(|| Reason::new("is empty: give a word, or remove it"))
    }),
];

/// Returns a sentence for each option that has no effect, with its place if it is from the file.
pub(super) fn sentences(given: &Given<'_>) -> Vec<String> {
    let set = RULES.iter().filter(|(key, _)| given.is_set(key));
    set.filter_map(|(key, reason)| given.sentence(key, &reason(given)?)).collect()
}

fn folders(given: &Given<'_>) -> Option<Reason> {
    let parse = |value: String| Root::parse(value.into()).ok();
    let roots = given.values("folders").into_iter().map(parse).collect::<Option<_>>()?;
    // Those of a command line have no place to name.
    let wrong = Roots::new(roots, Path::new("")).err().filter(|_| !given.is_on_line("folders"))?;
    Some(Reason::new(format!("cannot be served together: {wrong}")))
}

/// An option about stores over a network.
fn of_stores(given: &Given<'_>) -> Option<Reason> {
    let folders = given.values("folders").into_iter();
    let is_store = |root: Root| root.folder().is_none();
    let has_stores = folders.filter_map(|folder| Root::parse(folder.into()).ok()).any(is_store)
        || given
            .values("store")
            .iter()
            .filter_map(|rule| rule.parse().ok())
            .any(|rule: crate::rules::Rule| is_store(rule.root));
    (!has_stores).then(|| {
        Reason::new(
            "has no effect while only folders of this machine are served, because it is about stores \
             such as s3://BUCKET: remove it",
        )
    })
}

fn redirect(given: &Given<'_>) -> Option<Reason> {
    let is_store =
        |place: &String| ["s3://", "az://", "gs://"].iter().any(|url| place.contains(url));
    let mut places = given.values("folders").into_iter().chain(given.values("store"));
    (!places.any(|place| is_store(&place))).then(|| {
        Reason::new(
            "has no effect without a bucket: only s3://, az:// and gs:// have signed URLs; serve one, \
             or remove it",
        )
    })
}

fn read_ahead(given: &Given<'_>) -> Option<Reason> {
    of_stores(given).or_else(|| {
        (given.seconds("hot-memory") == Some(0.0)).then(|| {
            Reason::new("has no effect while `hot-memory` is 0: give that some MiB, or remove it")
        })
    })
}

fn revalidate_media(given: &Given<'_>) -> Option<Reason> {
    let (media, all) = (given.seconds("revalidate-media")?, given.seconds("revalidate")?);
    (media <= all).then(|| {
        Reason::new(format!(
            "has no effect, because `revalidate` ({all} seconds) is not shorter: give more, or remove it"
        ))
    })
}

fn store_timeout(given: &Given<'_>) -> Option<Reason> {
    of_stores(given).or_else(|| {
        let (one, all) = (given.seconds("store-timeout")?, given.seconds("read-timeout")?);
        (one >= 0.9 * all).then(|| {
            Reason::new(format!(
                "leaves no time for a second try: a read ends within nine tenths of `read-timeout` ({all} \
                 seconds); give less, or raise `read-timeout`"
            ))
        })
    })
}

fn store_hedge(given: &Given<'_>) -> Option<Reason> {
    of_stores(given).or_else(|| {
        let (hedge, one) = (given.seconds("store-hedge")?, given.seconds("store-timeout")?);
        (hedge >= one).then(|| {
            Reason::new(format!(
                "has no effect, because a request is given up after `store-timeout` ({one} seconds): \
                 give less"
            ))
        })
    })
}

fn operator_listen(given: &Given<'_>) -> Option<Reason> {
    let of = |key| given.values(key).last().and_then(|text| text.parse::<Listen>().ok());
    let (main, operator) = (of("listen")?, of("operator-listen")?);
    main.meets(&operator).then(|| {
        Reason::new(format!(
            "({operator}) and `listen` ({main}) are the same port of the same address: give one of \
             them another port"
        ))
    })
}

/// An option about publishing points, of this server or of another one.
fn of_points(given: &Given<'_>) -> Option<Reason> {
    let is_used = given.is_set("live") || given.is_set("live-follow");
    (!is_used).then(|| {
        Reason::new(
            "has no effect without `live` or, where another server takes the pushes, `live-follow`: add \
             one of them, or remove it",
        )
    })
}

/// An option about what encoders push.
fn of_pushes(given: &Given<'_>) -> Option<Reason> {
    (!given.is_set("live")).then(|| {
        Reason::new(
            "has no effect without `live`, which takes what encoders push: add it, or remove this",
        )
    })
}

/// A point of this server that another one writes, too.
fn live_point(given: &Given<'_>) -> Option<Reason> {
    if let Some(reason) = of_pushes(given) {
        return Some(reason);
    }
    let followed: Vec<_> = given.values("live-follow").into_iter().map(Pattern::new).collect();
    let is_followed = |point: &String| {
        let name = point.trim_start_matches('/');
        followed.iter().any(|pattern| pattern.matches(name))
    };
    let point = given.values("live-point").into_iter().find(is_followed)?;
    Some(Reason {
        what: format!(
            "`{point}` is a point of `live-follow`, too, which takes no pushes here: remove one of them"
        ),
        taken_by: None,
        value: Some(point),
    })
}

fn allow_credentials(given: &Given<'_>) -> Option<Reason> {
    let sites = given.values("allow-origin");
    let are_all = sites.is_empty() || sites.iter().any(|site| site == "*");
    are_all.then(|| {
        Reason::new(
            "has no effect while the pages of all sites may play: browsers send cookies to named \
             sites alone; name them with `allow-origin`, or remove it",
        )
    })
}

fn cache_control(given: &Given<'_>) -> Option<Reason> {
    let values = given.unusual("cache-control");
    given.without_caching().or_else(|| {
        let value = values.into_iter().find(|value| value.starts_with("fragment="))?;
        given.is_set("immutable").then(|| Reason {
            what: "has no effect on `fragment`, whose Cache-Control is the one of `immutable`: \
                   remove one of them"
                .into(),
            taken_by: Some("immutable"),
            value: Some(value),
        })
    })
}

/// Extensions of manifests, which are never passed, and those of media, which need `pass-media`, as
/// in [`PassedFiles`](smooth_origin::service::PassedFiles).
const MANIFESTS: &[&str] = &[".ism", ".isml", ".ismc", ".ismx"];
const MEDIA: &[&str] = &[".ismv", ".isma", ".ismt", ".mpi"];

fn files(given: &Given<'_>) -> Option<Reason> {
    let passes_media = given.is_set("pass-media");
    given.values("files").into_iter().find_map(|value| {
        let pattern = value.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| pattern.ends_with(ending));
        let what = if pattern.is_empty() {
            "has an empty pattern, which no file matches: write one such as *.jpg, or remove it"
                .to_owned()
        } else if ends(MANIFESTS) {
            format!(
                "`{value}` has no effect: manifests are never passed as files; players request \
                 NAME.ism/Manifest, so remove the pattern"
            )
        } else if ends(MEDIA) && !passes_media {
            format!(
                "`{value}` has no effect without `pass-media`: media of presentations is not passed \
                 as whole files; add `pass-media`, or remove the pattern"
            )
        } else {
            return None;
        };
        Some(Reason { what, taken_by: None, value: Some(value) })
    })
}

fn without(given: &Given<'_>) -> Option<Reason> {
    let left_out = given.values("without");
    let all = option(given.command, "without")?.get_possible_values();
    let is_nothing_left = all.iter().all(|one| left_out.iter().any(|out| one.matches(out, false)));
    is_nothing_left.then(|| {
        Reason::new("names all formats, so that no presentation would be served: remove one")
    })
}

impl Reason {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), taken_by: None, value: None }
    }
}

impl Given<'_> {
    /// Returns the values of an option.
    fn values(&self, key: &str) -> Vec<String> {
        let Some(option) = option(self.command, key) else { return Vec::new() };
        let raw = self.all.get_raw(option.get_id().as_str()).into_iter().flatten();
        raw.map(|value| value.to_string_lossy().into_owned()).collect()
    }

    /// Returns the last value of an option as a number of seconds.
    fn seconds(&self, key: &str) -> Option<f64> {
        self.values(key).last().and_then(|value| value.parse().ok())
    }

    /// Returns the values that an option does not have by itself.
    fn unusual(&self, key: &str) -> Vec<String> {
        let Some(option) = option(self.command, key) else { return Vec::new() };
        let usual = option.get_default_values();
        let mut values = self.values(key);
        values.retain(|value| usual.iter().all(|usual| usual.to_str() != Some(value)));
        values
    }

    /// Returns whether an option asks for anything else than it does if it is left out.
    fn is_set(&self, key: &str) -> bool {
        match option(self.command, key) {
            Some(option) if option.get_action().takes_values() => !self.unusual(key).is_empty(),
            Some(option) => self.all.get_flag(option.get_id().as_str()),
            None => false,
        }
    }

    fn needs(&self, key: &str, advice: &str) -> Option<Reason> {
        (!self.is_set(key)).then(|| {
            Reason::new(format!("has no effect without `{key}`: {advice} there, or remove it"))
        })
    }

    fn without_caching(&self) -> Option<Reason> {
        self.is_set("no-caching").then(|| Reason {
            what: "has no effect together with `no-caching`: remove one of them".into(),
            taken_by: Some("no-caching"),
            value: None,
        })
    }

    fn of_smooth_streaming(&self) -> Option<Reason> {
        self.values("without").iter().any(|format| format == "smooth").then(|| {
            Reason::new(
                "has no effect, because `without` names smooth and it is about manifests of Smooth \
                 Streaming alone: remove it",
            )
        })
    }

    /// Returns the sentence about an option without effect; `None` if the command line has overridden it.
    fn sentence(&self, key: &str, reason: &Reason) -> Option<String> {
        let is_on_line = self.is_on_line(key);
        if !is_on_line && reason.taken_by.is_some_and(|other| self.is_on_line(other)) {
            return None;
        }
        let what = format!("`{key}` {}", reason.what);
        let setting = self.file.and_then(|file| {
            let setting = file.settings.iter().find(|setting| setting.key == key)?;
            Some((file, setting))
        });
        let Some((file, setting)) = setting.filter(|_| !is_on_line) else {
            return Some(self.named(&what, true));
        };
        let of_value =
            setting.values.iter().find(|value| Some(&value.text) == reason.value.as_ref());
        let offset = of_value.map_or(setting.offset, |value| value.offset);
        Some(Problem { offset, what: self.named(&what, false) }.line(file.path, file.text))
    }

    /// Returns whether the command line has an option.
    fn is_on_line(&self, key: &str) -> bool {
        option(self.command, key).is_some_and(|option| is_given(option, self.line))
    }

    /// Writes each option that is quoted in a sentence as the reader knows it: `--immutable` on a command
    /// line, `immutable` in a file.
    fn named(&self, sentence: &str, is_of_line: bool) -> String {
        let mut named = String::new();
        for (place, part) in sentence.split('`').enumerate() {
            let quoted = (place % 2 == 1).then(|| option(self.command, part));
            let of_file = self.file.and_then(|file| {
                let setting = file.settings.iter().find(|setting| setting.key == part)?;
                Some(format!("{}:{}", file.path.display(), line_of(file.text, setting.offset)))
            });
            match quoted {
                None => named.push_str(part),
                Some(Some(option)) if self.is_on_line(part) => {
                    named.push_str(&format!("--{}", name(option)));
                }
                Some(Some(option)) if is_of_line => {
                    named.push_str(&format!("--{}", name(option)));
                    named.extend(of_file.map(|place| format!(" ({place})")));
                }
                Some(_) => named.push_str(&format!("`{part}`")),
            }
        }
        named
    }
}
