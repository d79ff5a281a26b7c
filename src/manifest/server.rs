//! The server manifest, `.ism`: which file and track each stream's qualities lie in.

use super::encoding::Decoded;
use super::xml::{Element, Reader, Writer};
use super::{Attributes, StreamKind};
use crate::base::{Error, ErrorKind, Limits};

/// Names of `meta` that only the film of an event has.
const LIVE_EPOCH: &str = "liveEpoch";
const LIVE_BEGIN: &str = "liveBegin";

/// An on-demand server manifest: SMIL with one element a track.
///
/// Spec: Microsoft's "IIS Smooth Streaming Server Manifest, On Demand". Every producer writes its
/// own dialect; what is read here is what they have in common.
///
/// ```
/// use smooth_origin::base::Limits;
/// use smooth_origin::manifest::ServerManifest;
///
/// let text = br#"<smil xmlns="http://www.w3.org/2001/SMIL20/Language">
///   <head><meta name="clientManifestRelativePath" content="film.ismc"/></head>
///   <body><switch>
///     <video src="film.ismv" systemBitrate="952962"><param name="trackID" value="1"/></video>
///   </switch></body>
/// </smil>"#;
/// let manifest = ServerManifest::parse(text, &Limits::default()).unwrap();
/// assert_eq!(manifest.client_manifest(), Some("film.ismc"));
/// let track = &manifest.tracks[0];
/// assert_eq!((track.bitrate(), track.track_id(), track.name()), (Some(952_962), Some(1), "video"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerManifest {
    /// `meta` of the head: name and content.
    pub metas: Attributes,
    /// `video`, `audio` and `textstream` of the body, in document order.
    pub tracks: Vec<ServerTrack>,
}

/// A track of a server manifest.
///
/// ```
/// use smooth_origin::manifest::{ServerManifest, ServerTrack, StreamKind};
///
/// let mut track = ServerTrack::new(StreamKind::Video, "film.ismv");
/// track.params.push(("trackID".into(), "1".into()));
/// let mut manifest = ServerManifest::default();
/// manifest.tracks.push(track);
/// assert!(manifest.to_xml().unwrap().contains("film.ismv"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerTrack {
    /// The kind by the element's name.
    pub kind: StreamKind,
    /// Attributes: `src`, `systemBitrate`, `systemLanguage` and what else is there.
    pub attributes: Attributes,
    /// `param`s: `trackID`, `trackName` and what else is there.
    pub params: Attributes,
}

impl ServerManifest {
    /// Reads a server manifest in whatever encoding it is stored.
    ///
    /// Unknown elements and a missing `head` are passed over, namespaces are not looked at.
    ///
    /// # Errors
    /// [`ErrorKind::Xml`] when it is not well-formed or not `smil`; [`ErrorKind::Budget`] beyond
    /// [`Limits::server_manifest`] or [`Limits::tracks`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Self::check_len(bytes, limits)?;
        Self::read(&Decoded::new(bytes)?.text, limits)
    }

    /// Parses a document that may be ill-formed, and returns its corrections, with lines.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); [`ErrorKind::Xml`] only if there is no such root, if it has too
    /// many faults, or if no track remains.
    pub(crate) fn parse_leniently(
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<(Self, Vec<String>), Error> {
        Self::check_len(bytes, limits)?;
        let decoded = Decoded::leniently(bytes)?;
        let left_out = |what: &&str| format!("{what} is left out");
        let mut corrections: Vec<_> = decoded.stripped.iter().map(left_out).collect();
        if decoded.is_misdeclared {
            corrections.push("bytes that are not UTF-8 are read as windows-1252".to_owned());
        }
        let error = match Self::read(&decoded.text, limits) {
            Err(error) if matches!(error.kind, ErrorKind::Xml(_)) => error,
            read => return read.map(|manifest| (manifest, corrections)),
        };
        // Only an ill-formed document is read a second time.
        let Some((decoded, faults)) = decoded.mended("smil", limits) else { return Err(error) };
        corrections.extend(faults);
        let manifest = Self::read(&decoded.text, limits)?;
        // A document without tracks is of no use.
        if manifest.tracks.is_empty() { Err(error) } else { Ok((manifest, corrections)) }
    }

    fn check_len(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
        let (found, limit) = (bytes.len() as u64, limits.server_manifest);
        Ok(Limits::check("bytes of a server manifest", found, limit)?)
    }

    fn read(text: &str, limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(text, limits)?;
        let mut manifest = Self::default();
        reader.root("smil")?;
        while let Some(part) = reader.child()? {
            match part.name() {
                "head" => manifest.read_head(&mut reader)?,
                "body" => manifest.read_body(&mut reader, limits)?,
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        Ok(manifest)
    }

    fn read_head(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        while let Some(element) = reader.child()? {
            if element.name() == "meta"
                && let (Some(name), content) = two(&element, "name", "content")?
            {
                self.metas.push((name, content.unwrap_or_default()));
            }
            reader.skip()?;
        }
        Ok(())
    }

    /// Tracks lie in `switch`, but also in `par` or `seq`, or in the body itself.
    fn read_body(&mut self, reader: &mut Reader<'_>, limits: &Limits) -> Result<(), Error> {
        while let Some(element) = reader.child()? {
            let kinds = [StreamKind::Video, StreamKind::Audio, StreamKind::Text];
            let Some(kind) = kinds.into_iter().find(|kind| kind.element() == element.name()) else {
                self.read_body(reader, limits)?;
                continue;
            };
            let found = self.tracks.len() as u64 + 1;
            Limits::check("tracks of a server manifest", found, limits.tracks as u64)
                .map_err(|kind| element.failure(kind))?;
            self.tracks.push(ServerTrack::read(kind, &element, reader, limits)?);
        }
        Ok(())
    }

    /// The content of the first `meta` of this name.
    pub fn meta(&self, name: &str) -> Option<&str> {
        value_of(&self.metas, name)
    }

    /// Path of the client manifest, relative to this one.
    pub fn client_manifest(&self) -> Option<&str> {
        self.meta("clientManifestRelativePath").filter(|path| !path.trim().is_empty())
    }

    /// Adds what the film of a live event keeps of it: the wall time of media of time 0 in ticks of 100 ns since 1970,
    /// and
    /// the time of the first chunk in ticks of 100 ns. Other servers pass over names of `meta` that they do not know.
    #[cfg(feature = "live")]
    pub(crate) fn set_live(&mut self, epoch: i64, begin: u64) {
        self.metas.push((LIVE_EPOCH.to_owned(), epoch.to_string()));
        self.metas.push((LIVE_BEGIN.to_owned(), begin.to_string()));
    }

    /// Wall time of media of time 0 in ticks of 100 ns since 1970, if it is the film of a live event.
    pub(crate) fn live_epoch(&self) -> Option<i64> {
        self.meta(LIVE_EPOCH)?.trim().parse().ok()
    }

    /// Time of the first chunk in ticks of 100 ns, if it is the film of a live event.
    pub(crate) fn live_begin(&self) -> Option<u64> {
        self.meta(LIVE_BEGIN)?.trim().parse().ok()
    }

    /// Writes the manifest as SMIL 2.0 in UTF-8. The same value gives the same bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when a value holds a character that XML cannot.
    pub fn to_xml(&self) -> Result<String, Error> {
        let mut writer = Writer::new(u64::MAX);
        writer.open("smil");
        writer.attribute("xmlns", "http://www.w3.org/2001/SMIL20/Language");
        writer.children();
        if !self.metas.is_empty() {
            writer.open("head");
            writer.children();
            for (name, content) in &self.metas {
                writer.open("meta");
                writer.attribute("name", name);
                writer.attribute("content", content);
                writer.close();
            }
            writer.end("head");
        }
        for part in ["body", "switch"] {
            writer.open(part);
            writer.children();
        }
        for track in &self.tracks {
            track.write(&mut writer);
        }
        for part in ["switch", "body", "smil"] {
            writer.end(part);
        }
        writer.finish()
    }
}

impl ServerTrack {
    /// A track of `kind` in file `src`.
    pub fn new(kind: StreamKind, src: &str) -> Self {
        Self { kind, attributes: vec![("src".into(), src.into())], params: Vec::new() }
    }

    fn read(
        kind: StreamKind,
        element: &Element<'_>,
        reader: &mut Reader<'_>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let attributes = element
            .attributes()
            .map(|attribute| attribute.map(|a| (a.name.to_owned(), a.value.into_owned())))
            .collect::<Result<_, _>>()?;
        let mut params = Vec::new();
        while let Some(child) = reader.child()? {
            if child.name() == "param"
                && let (Some(name), value) = two(&child, "name", "value")?
            {
                let (found, limit) = (params.len() as u64 + 1, limits.xml_attributes as u64);
                Limits::check("parameters of one track", found, limit)
                    .map_err(|kind| child.failure(kind))?;
                params.push((name, value.unwrap_or_default()));
            }
            reader.skip()?;
        }
        Ok(Self { kind, attributes, params })
    }

    fn write(&self, writer: &mut Writer) {
        writer.open(self.kind.element());
        for (name, value) in &self.attributes {
            writer.attribute(name, value);
        }
        if self.params.is_empty() {
            return writer.close();
        }
        writer.children();
        for (name, value) in &self.params {
            writer.open("param");
            writer.attribute("name", name);
            writer.attribute("value", value);
            writer.attribute("valuetype", "data");
            writer.close();
        }
        writer.end(self.kind.element());
    }

    /// An attribute, or else a parameter, of this name in any letter case.
    ///
    /// Producers disagree on which of the two `systemBitrate` is, and on the case of `timeScale`.
    pub fn value(&self, name: &str) -> Option<&str> {
        value_of(&self.attributes, name).or_else(|| value_of(&self.params, name))
    }

    /// File that holds the track, relative to the manifest.
    pub fn src(&self) -> Option<&str> {
        value_of(&self.attributes, "src").filter(|src| !src.trim().is_empty())
    }

    /// Bits per second, as in the URL: `systemBitrate`, or `system-bitrate` as SMIL 1.0 spells it.
    pub fn bitrate(&self) -> Option<u32> {
        let bitrate = self.value("systemBitrate").or_else(|| self.value("system-bitrate"));
        bitrate?.trim().parse().ok()
    }

    /// The `track_ID` in the file.
    pub fn track_id(&self) -> Option<u32> {
        self.value("trackID")?.trim().parse().ok()
    }

    /// Name of the stream, as in the URL: `trackName`, or the default of its kind.
    pub fn name(&self) -> &str {
        self.track_name().unwrap_or(self.kind.element())
    }

    /// `trackName`, where there is one.
    pub fn track_name(&self) -> Option<&str> {
        self.value("trackName").map(str::trim).filter(|name| !name.is_empty())
    }

    /// RFC 1766 language tag: `systemLanguage`, or `system-language` as SMIL 1.0 spells it.
    pub fn language(&self) -> Option<&str> {
        let language = self.value("systemLanguage").or_else(|| self.value("system-language"));
        language.map(str::trim).filter(|tag| !tag.is_empty())
    }
}

fn value_of<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// The values of two attributes of an element.
pub(super) fn two(
    element: &Element<'_>,
    first: &str,
    second: &str,
) -> Result<(Option<String>, Option<String>), Error> {
    let mut values = (None, None);
    for attribute in element.attributes() {
        let attribute = attribute?;
        if attribute.name == first {
            values.0 = Some(attribute.value.into_owned());
        } else if attribute.name == second {
            values.1 = Some(attribute.value.into_owned());
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ServerManifest {
        ServerManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn dialects_of_real_producers_say_the_same() {
        let plain = parse(
            r#"<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><switch>
            <audio src="a.ismv" systemBitrate="64000" systemLanguage="eng">
              <param name="trackID" value="2" valuetype="data"/>
            </audio></switch></body></smil>"#,
        );
        let other = parse(
            r#"<?xml version="1.0" encoding="utf-8"?>
            <s:smil xmlns:s="http://www.w3.org/2001/SMIL20/Language" xmlns:rdf="r">
            <s:head><s:meta name="title" content="x"/><rdf:RDF><rdf:audio src="no"/></rdf:RDF></s:head>
            <s:body><s:switch><unknown/>
            <s:audio src="a.ismv">
              <s:param name="systemBitrate" value="64000" valueType="data"></s:param>
              <s:param name="systemLanguage" value="eng" valueType="data"/>
              <s:param name="TrackID" value=" 2 " valueType="data"/>
              <s:metadata><rdf:x/></s:metadata>
            </s:audio></s:switch></s:body></s:smil>"#,
        );
        for manifest in [&plain, &other] {
            let [track] = &manifest.tracks[..] else { panic!("one track") };
            assert_eq!(track.kind, StreamKind::Audio);
            assert_eq!((track.src(), track.bitrate()), (Some("a.ismv"), Some(64_000)));
            assert_eq!((track.track_id(), track.language()), (Some(2), Some("eng")));
            assert_eq!(track.name(), "audio");
        }
        assert_eq!(plain.client_manifest(), None);
    }

    #[test]
    fn attributes_are_read_as_smil_1_spelt_them() {
        let manifest = parse(
            r#"<smil><body><switch><audio src="a.isma" system-bitrate=" 64000 " system-language="fr"/></switch></body></smil>"#,
        );
        let track = &manifest.tracks[0];
        assert_eq!((track.bitrate(), track.language()), (Some(64_000), Some("fr")));
    }

    #[test]
    fn tracks_without_anything_but_a_file_are_read() {
        let manifest = parse(
            r#"<smil><body><switch><video src="a.mp4"/><textstream src="t.ismt"/></switch></body></smil>"#,
        );
        assert_eq!(manifest.tracks[0], ServerTrack::new(StreamKind::Video, "a.mp4"));
        assert_eq!((manifest.tracks[0].bitrate(), manifest.tracks[0].track_id()), (None, None));
        assert_eq!(manifest.tracks[1].name(), "textstream");
    }

    #[test]
    fn what_is_written_is_read_again_and_does_not_change() {
        let mut manifest = ServerManifest::default();
        manifest.metas.push(("clientManifestRelativePath".into(), "a & b.ismc".into()));
        let mut track = ServerTrack::new(StreamKind::Text, "é \"x\".ismt");
        track.params.push(("trackID".into(), "1".into()));
        manifest.tracks = vec![track, ServerTrack::new(StreamKind::Video, "v.ismv")];
        let text = manifest.to_xml().unwrap();
        assert_eq!(parse(&text), manifest);
        assert_eq!(parse(&text).to_xml().unwrap(), text);
    }

    #[test]
    fn what_is_no_server_manifest_is_refused() {
        let refuse = |text: &str, limits: &Limits| {
            ServerManifest::parse(text.as_bytes(), limits).unwrap_err().to_string()
        };
        let limits = Limits::default();
        assert!(refuse("<SmoothStreamingMedia/>", &limits).contains("not `smil`"));
        assert!(refuse("", &limits).contains("no element at all"));
        let small = Limits { server_manifest: 5, ..limits.clone() };
        assert!(refuse("<smil/>", &small).contains("7 is more than the budget of 5"));
        let few = Limits { tracks: 1, ..limits };
        let error = refuse("<smil><body>\n<video/>\n<video/></body></smil>", &few);
        assert_eq!(
            error,
            "line 3, video: tracks of a server manifest: 2 is more than the budget of 1"
        );
    }
}
