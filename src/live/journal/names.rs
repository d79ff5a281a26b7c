//! The names of the files that the archive of a publishing point has.
//!
//! ```text
//!  events/news.point                            the record of the point: its last event
//!  events/news.journal   news.held              event 1 without an EventID
//!  events/news.ism       news.ismc   news.video-3000000.ismv
//!  events/news.2.journal news.2.held            event 2, with the EventID `finale`
//!  events/news.2.finale.ism  …ismc   news.2.finale.video-3000000.ismv
//! ```
//!
//! Parts of a name are separated by dots, and no part has one: the name of the point, the number of the event and
//! its EventID cannot be taken for each other. The number alone tells the events of a point apart; the EventID is
//! there for people, and may be cut. Names differ on file systems that ignore letter case, too.

use xxhash_rust::xxh3::xxh3_64;

use crate::base::Name;
use crate::live::plain::plain;

/// The names of the files of a publishing point's archive.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The folder of the point, with a slash behind it, and the first part of all names.
    begin: String,
}

/// The names of the files of one event that belong to no track.
#[derive(Clone, Debug)]
pub(crate) struct EventNames {
    pub(crate) journal: Name,
    pub(crate) held: Name,
    /// The server manifest and the client manifest.
    pub(crate) server: Name,
    pub(crate) client: Name,
    /// Begin of the names of files of tracks.
    tracks: String,
}

/// Bytes of the name of a point that are in the names of its files.
const LONGEST: usize = 96;

impl Names {
    /// The names for a publishing point. `None` if its name is too long for them.
    pub(crate) fn of(point: &Name) -> Option<Self> {
        let path = point.as_str();
        let (begin, end) =
            path.split_at_checked(path.len().saturating_sub(5)).unwrap_or((path, ""));
        let stem = if end.eq_ignore_ascii_case(".isml") { begin } else { path };
        let (folder, stem) = stem.rfind('/').map_or(("", stem), |at| stem.split_at(at + 1));
        let begin = format!("{folder}{}", escaped(stem));
        // All others are longer by less.
        let is_short = begin.len() + 300 < Name::MAX_LEN;
        is_short.then_some(Self { begin })
    }

    /// The record of the point.
    pub(crate) fn record(&self) -> Option<Name> {
        Name::new(&format!("{}.point", self.begin)).ok()
    }

    /// The names of an event.
    pub(crate) fn event(&self, number: u64, event: Option<&str>) -> Option<EventNames> {
        let numbered = match number {
            1 => self.begin.clone(),
            _ => format!("{}.{number}", self.begin),
        };
        let named = match event {
            Some(event) => format!("{}.{number}.{}", self.begin, plain(event)),
            None => numbered.clone(),
        };
        let name = |begin: &str, ending: &str| Name::new(&format!("{begin}.{ending}")).ok();
        Some(EventNames {
            // A recovery finds these by the number alone.
            journal: name(&numbered, "journal")?,
            held: name(&numbered, "held")?,
            server: name(&named, "ism")?,
            client: name(&named, "ismc")?,
            tracks: named,
        })
    }
}

impl EventNames {
    /// The file of a track. `track` has no dot.
    pub(crate) fn track(&self, track: &str, ending: &str) -> Option<Name> {
        Name::new(&format!("{}.{track}.{ending}", self.tracks)).ok()
    }
}

/// Returns the name of a point without a dot and with ASCII characters alone: other bytes are `~` and two digits.
/// Two names that differ in more than the letter case of ASCII stay different.
fn escaped(stem: &str) -> String {
    let mut escaped = String::with_capacity(stem.len());
    for byte in stem.bytes() {
        match byte {
            b'_' | b'-' => escaped.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => escaped.push(byte.into()),
            _ => escaped.push_str(&format!("~{byte:02x}")),
        }
    }
    if escaped.len() > LONGEST {
        let hash = xxh3_64(stem.to_ascii_lowercase().as_bytes());
        escaped.truncate(LONGEST - 18);
        escaped.push_str(&format!("~~{hash:016x}"));
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn names(point: &str) -> Names {
        Names::of(&Name::new(point).unwrap()).unwrap()
    }

    fn all(point: &str, number: u64, event: Option<&str>) -> Vec<String> {
        let of = names(point).event(number, event).unwrap();
        let track = of.track("video-3000000", "ismv").unwrap();
        let all = [of.journal, of.held, of.server, of.client, track];
        all.map(|name| name.as_str().to_owned()).into()
    }

    #[test]
    fn people_can_read_whose_files_they_are() {
        let first = ["journal", "held", "ism", "ismc", "video-3000000.ismv"];
        let first = first.map(|ending| format!("events/News.{ending}"));
        assert_eq!(all("events/News.ISML", 1, None), first);
        assert_eq!(names("events/News.ISML").record().unwrap().as_str(), "events/News.point");
        let second = all("events/News.ISML", 2, Some("a/é 1"));
        assert_eq!(second[0], "events/News.2.journal");
        assert_eq!(second[2], "events/News.2.a___1.ism");
        assert_eq!(second[4], "events/News.2.a___1.video-3000000.ismv");
    }

    #[test]
    fn no_file_is_that_of_another_event_whatever_the_names_of_points_and_events() {
        let long = "é".repeat(80);
        let (longer, other) = (format!("{long}a"), format!("{long}b"));
        let points = [
            "news",
            "news-2",
            "news.2",
            "news.1",
            "news.2.a",
            "news.a",
            "news~22",
            "news\"",
            "é",
            "É",
            "news.video-3000000",
            "new s",
            "new_s",
            "~c3~a9",
            &longer,
            &other,
            "sub/news",
            "sub.news",
        ];
        let events = [
            None,
            Some("a"),
            Some("A"),
            Some("2"),
            Some("a b"),
            Some("a_b"),
            Some("video-3000000"),
        ];
        let mut found = HashMap::new();
        for point in points {
            let point = format!("{point}.isml");
            let record = names(&point).record().unwrap().as_str().to_lowercase();
            assert_eq!(found.insert(record, (point.clone(), 0, None)), None);
            for number in [1, 2, 3, 22] {
                for event in events {
                    for name in all(&point, number, event) {
                        let key = (point.clone(), number, event);
                        let is_short = name.rsplit('/').next().unwrap().len() <= 255;
                        assert!(name.is_ascii() && is_short, "{name}");
                        // An event has one EventID, so only points and numbers must differ.
                        if let Some(known) = found.insert(name.to_lowercase(), key.clone()) {
                            assert_eq!((&known.0, known.1), (&key.0, key.1), "{name}");
                        }
                    }
                }
            }
        }
    }
}
