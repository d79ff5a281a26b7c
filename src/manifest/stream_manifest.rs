//! The stream manifest: which streams an encoder will push.

use super::Attributes;
use super::encoding::Decoded;
use super::server::two;
use super::xml::{Reader, Writer};
use crate::base::{Error, Limits};

/// The streams of a broadcast, as an encoder announces them before the first of them begins.
///
/// Spec: [MS-SSTR] 2.2.7.1: SMIL with one `ref` per stream.
///
/// ```
/// use smooth_origin::Limits;
/// use smooth_origin::manifest::StreamManifest;
///
/// let text = br#"<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><par>
///   <ref src="Streams(video)"/><ref src="Events(evening)/Streams(audio)"/>
/// </par></body></smil>"#;
/// let manifest = StreamManifest::parse(text, &Limits::default()).unwrap();
/// assert_eq!(manifest.streams[0].stream, "video");
/// assert_eq!(manifest.streams[1].event.as_deref(), Some("evening"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamManifest {
    /// `meta` of the head: name and content.
    pub metas: Attributes,
    /// The streams, in document order.
    pub streams: Vec<ExpectedStream>,
}

/// A stream that an encoder will push.
///
/// ```
/// use smooth_origin::manifest::ExpectedStream;
///
/// let stream = ExpectedStream::parse("events(1)/streams(720p)").unwrap();
/// assert_eq!((stream.event.as_deref(), &*stream.stream), (Some("1"), "720p"));
/// assert_eq!(stream.to_string(), "Events(1)/Streams(720p)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ExpectedStream {
    /// Name of the event.
    pub event: Option<String>,
    /// Name of the stream.
    pub stream: String,
}

impl ExpectedStream {
    /// Reads the end of a URL: `Streams(NAME)`, or `Events(NAME)/Streams(NAME)`, in any letter case.
    ///
    /// Spec: [MS-SSTR] 2.2.7. Azure's documentation has the keywords in lower case.
    pub fn parse(path: &str) -> Option<Self> {
        let of = |part: &str, keyword: &str| {
            let (found, rest) = part.split_at_checked(keyword.len())?;
            let inside = rest.strip_prefix('(')?.strip_suffix(')')?;
            let is_name = found.eq_ignore_ascii_case(keyword) && !inside.is_empty();
            is_name.then(|| inside.to_owned())
        };
        let mut parts = path.trim().trim_end_matches('/').rsplit('/');
        let stream = of(parts.next()?, "Streams")?;
        let event = parts.next().and_then(|part| of(part, "Events"));
        Some(Self { event, stream })
    }
}

impl std::fmt::Display for ExpectedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(event) = &self.event {
            write!(f, "Events({event})/")?;
        }
        write!(f, "Streams({})", self.stream)
    }
}

impl StreamManifest {
    /// Reads a stream manifest in whatever encoding it is pushed. A `ref` that names no stream is passed
    /// over.
    ///
    /// # Errors
    /// [`Xml`](crate::ErrorKind::Xml) if it is not well-formed or not `smil`;
    /// [`Budget`](crate::ErrorKind::Budget) beyond [`Limits::server_manifest`] or [`Limits::tracks`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let (found, limit) = (bytes.len() as u64, limits.server_manifest);
        Limits::check("bytes of a stream manifest", found, limit)?;
        let decoded = Decoded::new(bytes)?;
        let (metas, sources) = read_references(&decoded.text, limits)?;
        let streams = sources.iter().filter_map(|source| ExpectedStream::parse(source)).collect();
        Ok(Self { metas, streams })
    }

    /// Writes the manifest as SMIL 2.0 in UTF-8.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if a value holds a character that XML cannot.
    pub fn to_xml(&self) -> Result<String, Error> {
        let sources: Vec<String> = self.streams.iter().map(ToString::to_string).collect();
        write_references(&self.metas, &sources)
    }
}

/// Reads the `meta`s and the sources of the `ref`s of a SMIL document.
pub(super) fn read_references(
    text: &str,
    limits: &Limits,
) -> Result<(Attributes, Vec<String>), Error> {
    let mut reader = Reader::new(text, limits)?;
    let (mut metas, mut sources) = (Attributes::new(), Vec::new());
    reader.root("smil")?;
    walk(&mut reader, limits, &mut metas, &mut sources)?;
    reader.finish()?;
    Ok((metas, sources))
}

fn walk(
    reader: &mut Reader<'_>,
    limits: &Limits,
    metas: &mut Attributes,
    sources: &mut Vec<String>,
) -> Result<(), Error> {
    while let Some(element) = reader.child()? {
        match element.name() {
            "meta" => {
                if let (Some(name), content) = two(&element, "name", "content")? {
                    let (found, limit) = (metas.len() as u64 + 1, limits.xml_attributes as u64);
                    Limits::check("metas of a manifest", found, limit)
                        .map_err(|kind| element.failure(kind))?;
                    metas.push((name, content.unwrap_or_default()));
                }
            }
            "ref" => {
                if let (Some(source), _) = two(&element, "src", "")? {
                    let (found, limit) = (sources.len() as u64 + 1, limits.tracks as u64);
                    Limits::check("streams of a manifest", found, limit)
                        .map_err(|kind| element.failure(kind))?;
                    sources.push(source);
                }
            }
            _ => {}
        }
        walk(reader, limits, metas, sources)?;
    }
    Ok(())
}

/// Writes what [`read_references`] reads.
pub(super) fn write_references(metas: &Attributes, sources: &[String]) -> Result<String, Error> {
    let mut writer = Writer::new(u64::MAX);
    writer.open("smil");
    writer.attribute("xmlns", "http://www.w3.org/2001/SMIL20/Language");
    writer.children();
    writer.open("head");
    writer.children();
    for (name, content) in metas {
        writer.open("meta");
        writer.attribute("name", name);
        writer.attribute("content", content);
        writer.close();
    }
    writer.end("head");
    for part in ["body", "par"] {
        writer.open(part);
        writer.children();
    }
    for source in sources {
        writer.open("ref");
        writer.attribute("src", source);
        writer.close();
    }
    for part in ["par", "body", "smil"] {
        writer.end(part);
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_named_in_any_case_and_by_whole_urls() {
        let parse =
            |path| ExpectedStream::parse(path).map(|s| (s.event.unwrap_or_default(), s.stream));
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(parse("Streams(a b)"), pair("", "a b"));
        assert_eq!(parse("http://host/x.isml/Events(1)/Streams(a)/"), pair("1", "a"));
        assert_eq!(parse("x.isml/streams(720p)"), pair("", "720p"));
        for wrong in ["", "Streams", "Streams()", "Streams(a", "Stream(a)", "é(a)"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_in_utf_8_and_utf_16() {
        let mut manifest = StreamManifest::default();
        manifest.metas.push(("creator".into(), "a \"b\"".into()));
        for path in ["Streams(a)", "Events(e)/Streams(b&c)"] {
            manifest.streams.push(ExpectedStream::parse(path).unwrap());
        }
        let text = manifest.to_xml().unwrap();
        let utf_16: Vec<u8> = std::iter::once(0xfeff)
            .chain(text.replace("utf-8", "utf-16").encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [text.as_bytes(), &utf_16] {
            assert_eq!(StreamManifest::parse(bytes, &Limits::default()).unwrap(), manifest);
        }
        assert!(StreamManifest::parse(b"<a/>", &Limits::default()).is_err());
        let limits = Limits { tracks: 1, ..Limits::default() };
        assert!(StreamManifest::parse(text.as_bytes(), &limits).is_err());
    }
}
