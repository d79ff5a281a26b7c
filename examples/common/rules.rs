//! Rules that map the hosts and the paths of requests to stores.

use std::str::FromStr;

use smooth_origin::base::Name;

use crate::place::{Place, without_secret};
use crate::roots::{Root, check_prefix};

/// A rule: requests for a host, or below a prefix, are answered from a store or folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// `media.example.com`, or `*.example.com`.
    host: Option<String>,
    pub(crate) root: Root,
}

/// The hosts of rules, each with what stands before the paths of its requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRules(Vec<Host>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    host: String,
    /// With a slash before it, as in URLs.
    prefix: String,
}

impl FromStr for Rule {
    type Err = String;

    /// `host=HOST,prefix=PREFIX,location=URL`: the location is the last one, and one of the others may be
    /// missing.
    fn from_str(text: &str) -> Result<Self, String> {
        let (before, location) = match text.strip_prefix("location=") {
            Some(location) => ("", location),
            None => text.split_once(",location=").ok_or("a rule needs a `location`")?,
        };
        let (mut host, mut prefix) = (None, None);
        for part in before.split(',').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key {
                _ if value.is_empty() => {
                    let key = without_secret(key);
                    return Err(format!("`{key}` of a rule has no value"));
                }
                "host" => host = Some(value.to_ascii_lowercase()),
                "prefix" => prefix = Some(value.trim_matches('/')),
                _ => {
                    let key = without_secret(key);
                    return Err(format!("a rule has no `{key}`: give host, prefix and location"));
                }
            }
        }
        let place = Place::parse(location.into())?;
        let has_star = matches!(&place, Place::Store(url) if url.has_star());
        let (prefix, is_starred) = match prefix {
            Some("*") => (None, true),
            Some(prefix) => match prefix.strip_suffix("/*") {
                Some(prefix) => (Some(prefix.to_owned()), true),
                None => (Some(prefix.to_owned()), false),
            },
            None => match &host {
                Some(host) => (Some(host.trim_start_matches("*.").to_owned()), false),
                None => return Err("a rule needs a `host`, a `prefix` or both".into()),
            },
        };
        if let Some(prefix) = &prefix {
            check_prefix(prefix)?;
        }
        let is_starred = match host.as_deref().map(check_host).transpose()? {
            Some(true) if is_starred => return Err("a rule has one * before the location".into()),
            Some(is_of_host) => is_of_host || is_starred,
            None => is_starred,
        };
        if is_starred != has_star {
            return Err(
                "a * in the host or prefix of a rule stands for the one in the name of the \
                        bucket: give both, as prefix=* with location=az://*"
                    .into(),
            );
        }
        Ok(Self { host, root: Root { prefix, place } })
    }
}

/// Checks the host of a rule. Returns whether its first part is a `*`.
fn check_host(host: &str) -> Result<bool, String> {
    let rest = host.strip_prefix("*.");
    let is_known = |c: char| c.is_ascii_alphanumeric() || "-.[]:_".contains(c);
    match rest.unwrap_or(host) {
        "" => Err("the `host` of a rule has no name".into()),
        name if name.chars().all(is_known) => Ok(rest.is_some()),
        _ => Err("the `host` of a rule is a name, perhaps with *. before it".into()),
    }
}

impl HostRules {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let host = |rule: &Rule| {
            let prefix = rule.root.prefix.as_deref().and_then(|prefix| Name::new(prefix).ok());
            let prefix = prefix.map_or_else(String::new, |prefix| prefix.to_url_path());
            Some(Host { host: rule.host.clone()?, prefix })
        };
        Self(rules.iter().filter_map(host).collect())
    }

    /// Returns whether no host has a rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what stands before the path of a request for this host; `None` if no rule has it.
    pub fn before(&self, host: &str) -> Option<String> {
        let host = without_port(host).to_ascii_lowercase();
        let exact = self.0.iter().find(|rule| rule.host == host);
        if let Some(Host { prefix, .. }) = exact {
            return Some(prefix.clone());
        }
        let (first, rest) = host.split_once('.')?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if first.is_empty() || !first.chars().all(is_part) {
            return None;
        }
        let mut starred = self.0.iter().filter(|rule| rule.host.strip_prefix("*.") == Some(rest));
        starred.next().map(|Host { prefix, .. }| format!("{prefix}/{first}"))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_prefixes_lead_to_places() {
        let rule: Rule = "host=Films.example,location=/srv/a,b".parse().unwrap();
        assert_eq!(rule.root.folder().unwrap().to_str(), Some("/srv/a,b"));
        assert_eq!(rule.root.prefix.as_deref(), Some("films.example"));
        let other: Rule = "host=a.example,prefix=a b/c,location=/srv/a".parse().unwrap();
        let hosts = HostRules::new(&[rule, other]);
        assert_eq!(hosts.before("FILMS.example:8080").as_deref(), Some("/films.example"));
        assert_eq!(hosts.before("a.example").as_deref(), Some("/a%20b/c"));
        for host in ["", "example", "x.films.example", "[::1]:80", "..", "a.example.org"] {
            assert_eq!(hosts.before(host), None, "{host}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said() {
        for (text, sentence) in [
            ("prefix=a", "needs a `location`"),
            ("location=/srv", "a `host`, a `prefix`"),
            ("tenant=a,location=/srv", "no `tenant`"),
            ("host=,location=/srv", "`host` of a rule has no value"),
            ("host=a/b,location=/srv", "is a name"),
            ("prefix=../a,location=/srv", "cannot be a part of a URL"),
            ("prefix=*,location=/srv", "give both"),
            ("host=*.example,location=/srv", "give both"),
        ] {
            let error = text.parse::<Rule>().unwrap_err();
            assert!(error.contains(sentence), "{text}: {error}");
        }
    }

    #[test]
    #[cfg(feature = "azure")]
    fn a_star_stands_for_the_name_of_the_container() {
        let rule: Rule = "host=*.vod.example,location=az://*".parse().unwrap();
        let hosts = HostRules::new(&[rule]);
        assert_eq!(hosts.before("asset-1.vod.example").as_deref(), Some("/vod.example/asset-1"));
        assert_eq!(hosts.before("a.b.vod.example"), None);
        let rule: Rule = "prefix=*,location=az://asset-*/x".parse().unwrap();
        assert_eq!(rule.root.prefix, None);
        assert!("prefix=*,location=https://*".parse::<Rule>().is_err());
        assert!("prefix=a,location=az://*".parse::<Rule>().is_err());
        assert!("prefix=*,location=az://a/*".parse::<Rule>().is_err());
    }
}
