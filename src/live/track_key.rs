//! Which tracks of several pushes are the same.

use crate::manifest::{ServerTrack, StreamKind};

/// What tracks of several pushes have in common if they are the same track: redundant encoders push the same
/// stream, and Azure has redundant sound pushed as other streams ([MS-SSTR] 3.3; Azure's specification of
/// ingest, 11).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TrackKey {
    pub(super) kind: StreamKind,
    /// In lower case.
    pub(super) name: String,
    /// In lower case; empty if none is said.
    pub(super) language: String,
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
        (stream, track_id): (&str, u32),
        before: &[Self],
    ) -> Self {
        let bitrate = server.bitrate().unwrap_or(0);
        let mut key = Self {
            kind,
            name: server.name().to_lowercase(),
            language: server.language().unwrap_or_default().to_lowercase(),
            bitrate,
            place: (bitrate == 0).then(|| (stream.to_owned(), track_id)),
            twin: 0,
        };
        while before.contains(&key) {
            key.twin += 1;
        }
        key
    }

    /// Writes the key as a text without line breaks. `None` if a name has characters of control.
    pub(super) fn write(&self) -> Option<String> {
        let (stream, track_id) = match &self.place {
            Some((stream, track_id)) => (stream.as_str(), track_id.to_string()),
            None => ("", String::new()),
        };
        let kind = self.kind.as_str();
        let numbers = format!("{}\t{}\t{track_id}", self.bitrate, self.twin);
        let parts = [kind, &self.name, &self.language, stream];
        let is_plain = |part: &&str| !part.contains(char::is_control);
        parts.iter().all(is_plain).then(|| format!("{}\t{numbers}", parts.join("\t")))
    }

    /// Reads what [`write`](Self::write) has written.
    pub(super) fn read(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.split('\t').collect();
        let [kind, name, language, stream, bitrate, twin, track_id] = parts[..] else {
            return None;
        };
        let kinds = [StreamKind::Video, StreamKind::Audio, StreamKind::Text];
        let place = match track_id {
            "" => None,
            track_id => Some((stream.to_owned(), track_id.parse().ok()?)),
        };
        Some(Self {
            kind: kinds.into_iter().find(|of| of.as_str() == kind)?,
            name: name.to_owned(),
            language: language.to_owned(),
            bitrate: bitrate.parse().ok()?,
            place,
            twin: twin.parse().ok()?,
        })
    }

    /// Returns true if both are tracks of one stream.
    pub(super) fn is_of_same_stream(&self, other: &Self) -> bool {
        (self.kind, &self.name, &self.language) == (other.kind, &other.name, &other.language)
    }
}
