//! Which tracks of several pushes are the same.

use crate::manifest::{ServerTrack, StreamKind};

/// Properties that tracks of several pushes share if they are the same track: redundant encoders push the same
/// stream, and Azure has redundant sound pushed as other streams ([MS-SSTR] 3.3; Azure's specification of
/// ingest, 11).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TrackKey {
    pub(super) kind: StreamKind,
    /// In lower case.
    pub(super) name: String,
    /// In lower case; empty if none is said.
    pub(super) language: String,
    /// Codec, and sampling rate of sound; empty for text.
    pub(super) coding: String,
    /// 0 if none is said.
    pub(super) bitrate: u32,
    /// If no bitrate is said, other streams may have other qualities of the same name: the pushed stream,
    /// in lower case, and the number of the track.
    place: Option<(String, u32)>,
    /// Tracks before it in the same header that are otherwise the same.
    twin: usize,
}

impl TrackKey {
    /// The key of a track in a header of a pushed stream, with those of the tracks before it.
    pub(super) fn new(
        kind: StreamKind,
        server: &ServerTrack,
        coding: &str,
        (stream, track_id): (&str, u32),
        before: &[Self],
    ) -> Self {
        let bitrate = server.bitrate().unwrap_or(0);
        let mut key = Self {
            kind,
            name: server.name().to_lowercase(),
            language: server.language().unwrap_or_default().to_lowercase(),
            coding: coding.to_owned(),
            bitrate,
            place: (bitrate == 0).then(|| (stream.to_owned(), track_id)),
            twin: 0,
        };
        while before.contains(&key) {
            key.twin += 1;
        }
        key
    }

    /// Writes the key as a text without line breaks.
    pub(super) fn write(&self) -> String {
        let (stream, track_id) = match &self.place {
            Some((stream, track_id)) => (stream.as_str(), track_id.to_string()),
            None => ("", String::new()),
        };
        let kind = self.kind.as_str();
        let numbers = format!("{}\t{}\t{track_id}", self.bitrate, self.twin);
        let parts = [kind, &self.name, &self.language, stream].map(escaped);
        format!("{}\t{numbers}\t{}", parts.join("\t"), escaped(&self.coding))
    }

    /// Reads what [`write`](Self::write) has written. Before there were several codings in one event, it wrote none: it
    /// is empty then.
    pub(super) fn read(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split('\t').collect();
        let (parts, coding) = match parts.split_last() {
            Some((coding, parts)) if parts.len() == 7 => (parts, *coding),
            _ => (&parts[..], ""),
        };
        let [kind, name, language, stream, bitrate, twin, track_id] = *parts else {
            return None;
        };
        let kinds = [StreamKind::Video, StreamKind::Audio, StreamKind::Text];
        let place = match track_id {
            "" => None,
            track_id => Some((unescaped(stream)?, track_id.parse().ok()?)),
        };
        Some(Self {
            kind: kinds.into_iter().find(|of| of.as_str() == kind)?,
            name: unescaped(name)?,
            language: unescaped(language)?,
            coding: unescaped(coding)?,
            bitrate: bitrate.parse().ok()?,
            place,
            twin: twin.parse().ok()?,
        })
    }

    /// Returns true if both are tracks of one stream. Texts whose bitrate is not said are no qualities of each other:
    /// one may have the translation of signs, and the other all that is spoken.
    pub(super) fn is_of_same_stream(&self, other: &Self) -> bool {
        self.is_alike(other)
            && self.coding == other.coding
            && (self.kind != StreamKind::Text || self.place == other.place)
    }

    /// Returns true if both have the same kind, name and language.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        (self.kind, &self.name, &self.language) == (other.kind, &other.name, &other.language)
    }

    /// Returns true if nothing but the coding tells them apart.
    pub(super) fn is_other_coding(&self, other: &Self) -> bool {
        self.coding != other.coding
            && Self { coding: other.coding.clone(), ..self.clone() } == *other
    }
}

/// Writes characters of control, and `%`, as `%` and six digits.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() || c == '%' {
            true => escaped.push_str(&format!("%{:06x}", u32::from(c))),
            false => escaped.push(c),
        }
    }
    escaped
}

fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut read = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(6)?;
        read.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        read.push_str(rest);
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_whatever_its_names_have() {
        for name in ["video", "a\tb", "50%", "%000009", "l\ni\u{85}ne", ""] {
            let mut track = ServerTrack::new(StreamKind::Video, "v.ismv");
            track.params.push(("trackName".into(), name.into()));
            let key = TrackKey::new(StreamKind::Video, &track, "h264", (name, 3), &[]);
            let written = key.write();
            assert!(!written.contains('\n') && written.matches('\t').count() == 7, "{written:?}");
            assert_eq!(TrackKey::read(&written), Some(key.clone()), "{name:?}");
            let (older, _) = written.rsplit_once('\t').unwrap();
            let of_older = TrackKey { coding: String::new(), ..key.clone() };
            assert_eq!(TrackKey::read(older), Some(of_older), "{name:?}");
            assert_eq!(TrackKey::read(older.rsplit_once('\t').unwrap().0), None);
        }
    }

    #[test]
    fn another_coding_is_another_stream() {
        let track = ServerTrack::new(StreamKind::Audio, "a.isma");
        let of = |coding| TrackKey::new(StreamKind::Audio, &track, coding, ("a", 1), &[]);
        let (aac, ec_3) = (of("aacl 48000"), of("ec-3 48000"));
        assert!(aac.is_alike(&ec_3) && aac.is_other_coding(&ec_3));
        assert!(!aac.is_of_same_stream(&ec_3) && !aac.is_of_same_stream(&of("aacl 44100")));
        assert!(aac.is_of_same_stream(&aac) && !aac.is_other_coding(&aac));
    }
}
