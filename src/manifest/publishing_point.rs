//! The file of a publishing point, `.isml`.

use std::time::Duration;

use super::Attributes;
use super::encoding::Decoded;
use super::stream_manifest::{read_references, write_references};
use crate::base::{Error, Limits};

/// The settings of a publishing point, as IIS Live Smooth Streaming stores them: an `.isml` file.
///
/// Names are compared in any letter case. Settings that are not known here are kept.
///
/// Spec: Microsoft's documentation of IIS Media Services, "Live Smooth Streaming publishing point".
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::Limits;
/// use smooth_origin::manifest::{PublishingPointFile, SourceType};
///
/// let text = br#"<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head>
///   <meta name="sourceType" content="Push"/>
///   <meta name="lookaheadChunks" content="2"/>
///   <meta name="manifestWindowLength" content="3600"/>
/// </head><body/></smil>"#;
/// let mut file = PublishingPointFile::parse(text, &Limits::default()).unwrap();
/// assert_eq!((file.source_type(), file.look_ahead()), (Some(SourceType::Push), Some(2)));
/// assert_eq!(file.window(), Some(Duration::from_secs(3600)));
/// file.set("LookAheadChunks", "0");
/// assert_eq!(file.look_ahead(), Some(0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishingPointFile {
    /// `meta` of the head: name and content, in document order.
    pub metas: Attributes,
    /// `src` of each `ref` of the body: publishing points to push to or to pull from.
    pub references: Vec<String>,
}

/// The side that makes the connection to an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceType {
    /// Encoders connect and push.
    Push,
    /// The server connects and pulls.
    Pull,
}

impl PublishingPointFile {
    /// Reads the file in whatever encoding it is stored.
    ///
    /// # Errors
    /// [`Xml`](crate::ErrorKind::Xml) if it is not well-formed or not `smil`;
    /// [`Budget`](crate::ErrorKind::Budget) beyond [`Limits::server_manifest`],
    /// [`Limits::xml_attributes`] settings or [`Limits::tracks`] references.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let (found, limit) = (bytes.len() as u64, limits.server_manifest);
        Limits::check("bytes of a publishing point's file", found, limit)?;
        let decoded = Decoded::new(bytes)?;
        let (metas, references) = read_references(&decoded.text, limits)?;
        Ok(Self { metas, references })
    }

    /// Writes the file as SMIL 2.0 in UTF-8.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if a value holds a character that XML cannot.
    pub fn to_xml(&self) -> Result<String, Error> {
        write_references(&self.metas, &self.references)
    }

    /// Returns the content of the first `meta` of this name, in any letter case.
    pub fn meta(&self, name: &str) -> Option<&str> {
        let found = self.metas.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, content)| content.trim())
    }

    /// Sets the content of the first `meta` of this name, or adds one.
    pub fn set(&mut self, name: &str, content: impl Into<String>) {
        let found = self.metas.iter_mut().find(|(found, _)| found.eq_ignore_ascii_case(name));
        match found {
            Some(meta) => meta.1 = content.into(),
            None => self.metas.push((name.to_owned(), content.into())),
        }
    }

    /// `sourceType`: the side that makes the connection. `None` if it is not said or not known.
    pub fn source_type(&self) -> Option<SourceType> {
        let is = |word: &str| self.meta("sourceType").is_some_and(|t| t.eq_ignore_ascii_case(word));
        match () {
            () if is("Push") => Some(SourceType::Push),
            () if is("Pull") => Some(SourceType::Pull),
            () => None,
        }
    }

    /// `lookaheadChunks`: fragments that each fragment announces.
    pub fn look_ahead(&self) -> Option<u32> {
        self.number("lookaheadChunks")
    }

    /// `manifestWindowLength`, in seconds: the part of the event that manifests have. `None` if all of it
    /// (0, or not said).
    pub fn window(&self) -> Option<Duration> {
        self.seconds("manifestWindowLength").filter(|window| !window.is_zero())
    }

    /// `estimatedTime`, in seconds: the expected duration of the event. `None` if it is not known.
    pub fn estimated_time(&self) -> Option<Duration> {
        self.seconds("estimatedTime").filter(|time| !time.is_zero())
    }

    /// `publishing`: returns whether clients or servers may have `what`: `Fragments`, `Streams` or
    /// `Archives`. `None` if the file does not say what they may have.
    pub fn publishes(&self, what: &str) -> Option<bool> {
        let mut words = self.meta("publishing")?.split([';', ',', ' ']);
        Some(words.any(|word| word.eq_ignore_ascii_case(what)))
    }

    /// `startOnFirstRequest`.
    pub fn starts_on_first_request(&self) -> Option<bool> {
        self.switch("startOnFirstRequest")
    }

    /// `restartOnEncoderReconnect`: a stopped publishing point starts again if an encoder comes.
    pub fn restarts_on_encoder_reconnect(&self) -> Option<bool> {
        self.switch("restartOnEncoderReconnect")
    }

    /// `archivePath`: the folder of the archive.
    pub fn archive_path(&self) -> Option<&str> {
        self.meta("archivePath").filter(|path| !path.is_empty())
    }

    /// `archiveSegmentLength`, in seconds. `None` if the archive is not divided.
    pub fn archive_segment_length(&self) -> Option<Duration> {
        self.seconds("archiveSegmentLength").filter(|length| !length.is_zero())
    }

    /// Returns the names of the settings above whose content cannot be read, in document order.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        const NUMBERS: [&str; 4] =
            ["lookaheadChunks", "manifestWindowLength", "estimatedTime", "archiveSegmentLength"];
        const SWITCHES: [&str; 2] = ["startOnFirstRequest", "restartOnEncoderReconnect"];
        let among = |name: &str, names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(name));
        let is_unread = move |name: &str, content: &str| {
            let is_source = name.eq_ignore_ascii_case("sourceType");
            among(name, &NUMBERS) && content.parse::<u32>().is_err()
                || among(name, &SWITCHES) && switch(content).is_none()
                || is_source && !among(content, &["Push", "Pull"])
        };
        let unread =
            self.metas.iter().filter(move |(name, content)| is_unread(name, content.trim()));
        unread.map(|(name, _)| name.as_str())
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.meta(name)?.parse().ok()
    }

    fn seconds(&self, name: &str) -> Option<Duration> {
        self.number(name).map(|seconds| Duration::from_secs(seconds.into()))
    }

    fn switch(&self, name: &str) -> Option<bool> {
        switch(self.meta(name)?)
    }
}

fn switch(content: &str) -> Option<bool> {
    let is = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(content));
    match () {
        () if is(["true", "1", "yes"]) => Some(true),
        () if is(["false", "0", "no"]) => Some(false),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_in_any_case_and_unknown_ones_are_kept() {
        let text = r#"<?xml version="1.0" encoding="utf-8"?>
            <smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head>
            <meta name="module" content="liveSmoothStreaming"/>
            <meta name="SOURCETYPE" content="pull"/><meta name="publishing" content="Fragments;Streams"/>
            <meta name="estimatedTime" content="0"/><meta name="lookAheadChunks" content=" 3 "/>
            <meta name="restartOnEncoderReconnect" content="True"/>
            <meta name="startOnFirstRequest" content="maybe"/>
            <meta name="archivePath" content="D:\\a"/><meta name="formats" content="m3u8-aapl"/>
            </head><body><par><ref src="http://a/b.isml"/></par></body></smil>"#;
        let file = PublishingPointFile::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!((file.source_type(), file.look_ahead()), (Some(SourceType::Pull), Some(3)));
        assert_eq!((file.window(), file.estimated_time()), (None, None));
        assert_eq!(file.publishes("streams"), Some(true));
        assert_eq!(file.publishes("Archives"), Some(false));
        assert_eq!(file.restarts_on_encoder_reconnect(), Some(true));
        assert_eq!(file.starts_on_first_request(), None);
        assert_eq!(file.unread().collect::<Vec<_>>(), ["startOnFirstRequest"]);
        assert_eq!(file.archive_path(), Some("D:\\\\a"));
        assert_eq!(
            (file.meta("Formats"), file.archive_segment_length()),
            (Some("m3u8-aapl"), None)
        );
        assert_eq!(file.references, ["http://a/b.isml"]);
        let again = file.to_xml().unwrap();
        assert_eq!(PublishingPointFile::parse(again.as_bytes(), &Limits::default()).unwrap(), file);
    }

    #[test]
    fn a_setting_is_changed_in_its_place_or_added() {
        let mut file = PublishingPointFile::default();
        file.set("manifestWindowLength", "30");
        file.set("a", "b");
        file.set("MANIFESTWINDOWLENGTH", "60");
        assert_eq!(file.window(), Some(Duration::from_secs(60)));
        assert_eq!(file.metas.len(), 2);
        assert_eq!(PublishingPointFile::default().publishes("Streams"), None);
    }
}
