//! Playlists, as a reader that is not the crate's sees them.

use std::collections::BTreeMap;

/// A tag with its attributes: `#EXT-X-MAP:URI="..."`.
#[derive(Clone, Debug)]
pub struct Tag {
    pub name: String,
    /// All that follows the colon.
    pub value: String,
}

impl Tag {
    /// Reads the attributes. A name may be there once.
    pub fn attributes(&self) -> BTreeMap<&str, &str> {
        let (mut rest, mut found) = (&*self.value, BTreeMap::new());
        while !rest.is_empty() {
            let (name, value) = rest.split_once('=').unwrap();
            let (value, after) = match value.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap(),
                None => value.split_at(value.find(',').unwrap_or(value.len())),
            };
            assert_eq!(found.insert(name, value), None, "{name} twice in {self:?}");
            assert!(after.is_empty() || after.starts_with(','), "{self:?}");
            rest = after.get(1..).unwrap_or_default();
        }
        found
    }
}

/// A segment, or a variant of a multivariant playlist.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub uri: String,
    /// Tags before its URI.
    pub tags: Vec<Tag>,
}

impl Entry {
    /// Returns the value of a tag before the URI.
    pub fn tag(&self, name: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.name == name)
    }

    /// Returns the duration in units of 100 ns.
    pub fn duration(&self) -> u64 {
        let value = self.tag("#EXTINF").unwrap().value.strip_suffix(',').unwrap();
        let (seconds, parts) = value.split_once('.').unwrap();
        assert_eq!(parts.len(), 7, "{value}");
        seconds.parse::<u64>().unwrap() * 10_000_000 + parts.parse::<u64>().unwrap()
    }

    /// Returns the date in milliseconds since 1970, if the segment has one. Only January of 1970 is
    /// counted here.
    pub fn date(&self) -> Option<u64> {
        let date = &self.tag("#EXT-X-PROGRAM-DATE-TIME")?.value;
        let rest = date.strip_prefix("1970-01-").unwrap().strip_suffix('Z').unwrap();
        let numbers: Vec<u64> =
            rest.split(['T', ':', '.']).map(|part| part.parse().unwrap()).collect();
        let [day, hour, minute, second, millis] = numbers[..] else { panic!("{date}") };
        Some(((((day - 1) * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
    }
}

/// A playlist of either kind.
#[derive(Clone, Debug, Default)]
pub struct Playlist {
    /// Tags of a line, wherever they are.
    pub tags: Vec<Tag>,
    pub entries: Vec<Entry>,
}

impl Playlist {
    pub fn parse(text: &[u8]) -> Self {
        let text = std::str::from_utf8(text).unwrap();
        assert!(text.starts_with("#EXTM3U\n") && text.ends_with('\n'), "{text}");
        let (mut playlist, mut entry) = (Self::default(), Entry::default());
        for line in text.lines() {
            assert!(!line.trim().is_empty());
            if line.starts_with('#') {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                let tag = Tag { name: name.into(), value: value.into() };
                playlist.tags.push(tag.clone());
                entry.tags.push(tag);
            } else {
                entry.uri = line.into();
                playlist.entries.push(std::mem::take(&mut entry));
            }
        }
        playlist
    }

    /// Returns all tags of a name.
    pub fn each(&self, name: &str) -> impl Iterator<Item = &Tag> {
        self.tags.iter().filter(move |tag| tag.name == name)
    }

    /// Returns the value of the only tag of a name.
    pub fn value(&self, name: &str) -> &str {
        let found: Vec<_> = self.each(name).collect();
        assert_eq!(found.len(), 1, "{name}");
        &found[0].value
    }

    /// Returns the paths of all playlists that a multivariant playlist names, once each.
    pub fn playlists(&self) -> Vec<String> {
        let renditions = self.tags.iter().filter_map(|tag| match &*tag.name {
            "#EXT-X-MEDIA" | "#EXT-X-I-FRAME-STREAM-INF" => {
                tag.attributes().get("URI").map(|uri| (*uri).to_owned())
            }
            _ => None,
        });
        let mut all: Vec<_> =
            renditions.chain(self.entries.iter().map(|entry| entry.uri.clone())).collect();
        all.sort();
        all.dedup();
        all
    }
}
