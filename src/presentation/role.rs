//! Roles of streams: the purposes that their samples have.

use std::collections::BTreeSet;

use super::Stream;
use crate::manifest::{ServerTrack, StreamKind};

/// The purpose of a stream, by the words of DASH.
///
/// Spec: ISO/IEC 23009-1, 5.8.5.5 (`urn:mpeg:dash:role:2011`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The choice if nobody chooses: the first stream of its kind and language.
    Main,
    /// Another choice in place of the main stream.
    Alternate,
    /// Content that is shown beside the main stream, or in place of it at times.
    Supplementary,
    /// Comments of the makers.
    Commentary,
    /// Speech in another language than the original.
    Dub,
    /// Translated speech as text.
    Subtitle,
    /// Translated text that is shown even if no subtitles are chosen.
    ForcedSubtitle,
    /// Speech and sounds as text, for people who do not hear them.
    Caption,
    /// A description of the pictures, for people who do not see them.
    Description,
    /// A person who signs.
    Sign,
    /// Events and commands for an application.
    Metadata,
}

impl Role {
    const ALL: [Self; 11] = [
        Self::Main,
        Self::Alternate,
        Self::Supplementary,
        Self::Commentary,
        Self::Dub,
        Self::Subtitle,
        Self::ForcedSubtitle,
        Self::Caption,
        Self::Description,
        Self::Sign,
        Self::Metadata,
    ];

    /// The word of DASH: `forced-subtitle`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Alternate => "alternate",
            Self::Supplementary => "supplementary",
            Self::Commentary => "commentary",
            Self::Dub => "dub",
            Self::Subtitle => "subtitle",
            Self::ForcedSubtitle => "forced-subtitle",
            Self::Caption => "caption",
            Self::Description => "description",
            Self::Sign => "sign",
            Self::Metadata => "metadata",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let word = word.trim();
        Self::ALL.into_iter().find(|role| word.eq_ignore_ascii_case(role.as_str()))
    }

    /// Returns the role that manifests give a stream: by `accessibility` and `role` of the server
    /// manifest, by `Subtype`, or by a word in its name. `None` if nothing says more than that it
    /// is a stream of its kind.
    pub(super) fn declared(
        kind: StreamKind,
        subtype: Option<&str>,
        names: &[Option<&str>],
        server: Option<&ServerTrack>,
    ) -> Option<Self> {
        let said = |name| server.and_then(|track| Self::parse(track.value(name)?));
        // Azure has both for a description of pictures: `description` and `alternate`.
        said("accessibility")
            .or_else(|| said("role"))
            .or_else(|| Self::of_subtype(kind, subtype?))
            .or_else(|| names.iter().flatten().find_map(|name| Self::of_name(kind, name)))
            .or_else(|| (kind == StreamKind::Text).then_some(Self::Subtitle))
    }

    /// Spec: [MS-SSTR] 2.2.2.3, `Subtype`.
    fn of_subtype(kind: StreamKind, subtype: &str) -> Option<Self> {
        match (kind, &*subtype.trim().to_ascii_uppercase()) {
            (StreamKind::Text, "SUBT") => Some(Self::Subtitle),
            (StreamKind::Text, "CAPT") => Some(Self::Caption),
            (StreamKind::Text, "DESC") => Some(Self::Description),
            (StreamKind::Text, "SCMD" | "CHAP" | "CTRL" | "DATA") => Some(Self::Metadata),
            (_, "ADI3" | "ADVT") => Some(Self::Metadata),
            // Small pictures to search by.
            (StreamKind::Video, "ZOET" | "CHAP") => Some(Self::Supplementary),
            _ => None,
        }
    }

    fn of_name(kind: StreamKind, name: &str) -> Option<Self> {
        let words = || name.split(|c: char| !c.is_alphanumeric());
        let has = |some: &[&str]| {
            words().any(|word| some.iter().any(|known| word.eq_ignore_ascii_case(known)))
        };
        match kind {
            _ if has(&["commentary", "comments"]) => Some(Self::Commentary),
            StreamKind::Audio if has(&["description", "descriptive", "described", "dvs"]) => {
                Some(Self::Description)
            }
            StreamKind::Text if has(&["forced"]) => Some(Self::ForcedSubtitle),
            StreamKind::Text if has(&["caption", "captions", "cc", "sdh"]) => Some(Self::Caption),
            _ => None,
        }
    }
}

/// Gives a role to the streams that have none: the first of a kind and language is the main one.
pub(super) fn settle(streams: &mut [Stream]) {
    let mut known = BTreeSet::new();
    let without = streams.iter().filter(|stream| stream.role.is_none());
    let audio = without.clone().filter(|stream| stream.kind == StreamKind::Audio).count();
    let text = without.filter(|stream| stream.kind == StreamKind::Text).count();
    for stream in streams.iter_mut().filter(|stream| stream.role.is_none()) {
        // A film has one main picture, whatever its language.
        let language = match stream.kind {
            StreamKind::Video => None,
            // The only one is the main one, whatever its language.
            StreamKind::Audio if audio == 1 => None,
            StreamKind::Text if text == 1 => None,
            StreamKind::Audio | StreamKind::Text => stream.language_tag(),
        };
        let is_first = known.insert((stream.kind, language));
        stream.role = Some(if is_first { Role::Main } else { Role::Alternate });
    }
}

impl Stream {
    /// The purpose of its samples: as the manifests say it, or else by its place among the streams
    /// of its kind and language.
    pub fn role(&self) -> Role {
        self.role.unwrap_or(Role::Main)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;
    use crate::manifest::ServerManifest;
    use StreamKind::{Audio, Text, Video};

    #[test]
    fn subtype_and_name_give_a_role() {
        for (kind, subtype, name, role) in [
            (Text, Some("CAPT"), "x", Some(Role::Caption)),
            (Text, Some("subt"), "captions", Some(Role::Subtitle)),
            (Text, Some("DESC"), "x", Some(Role::Description)),
            (Text, Some("DATA"), "x", Some(Role::Metadata)),
            (Text, None, "text_fra", Some(Role::Subtitle)),
            (Text, Some(""), "text-eng-sdh", Some(Role::Caption)),
            (Text, None, "text forced", Some(Role::ForcedSubtitle)),
            (Audio, None, "audio_eng_Commentary", Some(Role::Commentary)),
            (Audio, None, "audio (descriptive)", Some(Role::Description)),
            (Audio, Some("AACL"), "audio_101_eng", None),
            (Video, Some("ZOET"), "thumbs", Some(Role::Supplementary)),
            (Video, Some("AVC1"), "video", None),
        ] {
            assert_eq!(
                Role::declared(kind, subtype, &[Some(name)], None),
                role,
                "{name} {subtype:?}"
            );
        }
    }

    #[test]
    fn the_server_manifest_takes_precedence() {
        let text = "<smil><body><switch><audio role='alternate' systemBitrate='1'>\
                    <param name='accessibility' value='description'/></audio>\
                    <audio><param name='Role' value='Commentary'/></audio><audio role='star'/>\
                    </switch></body></smil>";
        let manifest = ServerManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
        let role =
            |track| Role::declared(Audio, None, &[Some("audio")], Some(&manifest.tracks[track]));
        assert_eq!(
            [role(0), role(1), role(2)],
            [Some(Role::Description), Some(Role::Commentary), None]
        );
    }
}
