//! The paths that encoders push to.

use std::borrow::Cow;

use crate::base::{Error, ErrorKind, Name, decode_segment};

/// A path below a publishing point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IngestPath {
    /// The publishing point.
    pub(super) point: Name,
    pub(super) place: Place,
}

/// The place below a publishing point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The point itself, or an event of it: some encoders ask whether they may push with a body without bytes.
    Point { event: Option<String> },
    /// A stream: the body has its boxes.
    Stream { event: Option<String>, stream: String },
    /// A file of a stream that its folder names.
    Folder { event: Option<String>, stream: String },
    /// A file of a track whose name alone says which one: its name without the extension.
    File { event: Option<String>, name: String },
    /// A manifest that an encoder writes of its own (DASH-IF ingest 1.2, 6.2), and the folder that it is in.
    Manifest { event: Option<String>, folder: Option<String> },
}

/// Extensions of files of media; `init` and `header` are those of headers (DASH-IF ingest 1.2, interface 2, naming, 6).
const MEDIA: &[&str] = &[
    "cmfv", "cmfa", "cmft", "cmfm", "mp4", "m4s", "m4v", "m4a", "m4f", "ismv", "isma", "ismt",
    "init", "header",
];

/// Extensions of manifests.
const MANIFESTS: &[&str] = &["mpd", "m3u8"];

/// Words that stand before the identifier of a stream. The second one is of older drafts of DASH-IF, for a set of
/// streams, each of which may follow by the first one.
const STREAMS: &[&str] = &["Streams", "Switching"];

/// Longest identifier of a stream or an event.
const LONGEST: usize = 256;

pub(super) const GRAMMAR: ErrorKind = ErrorKind::Malformed(
    "a push goes to NAME.isml/Streams(ID), NAME.isml/Events(ID)/Streams(ID), NAME.isml/TRACK.cmfv or \
     NAME.isml/TRACK/FILE.m4s",
);

impl IngestPath {
    /// Returns whether a path leads below a publishing point, or to one.
    pub(super) fn has_point(path: &str) -> bool {
        path.split('/').any(|segment| {
            is_point(segment) || decode_segment(segment).is_ok_and(|segment| is_point(&segment))
        })
    }

    /// Returns whether a path ends in the name of a file that encoders push, and delete.
    pub(super) fn is_of_file(path: &str) -> bool {
        let extension = path.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|of| is_in(MEDIA, of) || is_in(MANIFESTS, of))
    }

    /// Reads a path; [MS-SSTR] 2.2.7 and 3.3. Words may be in any letter case.
    ///
    /// # Errors
    /// [`ErrorKind::NotAddressed`] if there is no publishing point in the path;
    /// [`ErrorKind::Malformed`] and [`ErrorKind::BadName`] if it makes no sense.
    pub(super) fn parse(path: &str) -> Result<Self, Error> {
        let in_path = |kind| Error::request("path", kind);
        let mut segments = Vec::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            segments.push(decode_segment(segment)?);
        }
        let point = segments.iter().position(|segment| is_point(segment));
        let point = point.ok_or_else(|| in_path(ErrorKind::NotAddressed))?;
        let name = Name::new(&segments[..=point].join("/")).map_err(|error| in_path(error.kind))?;
        let (event, rest) = match &segments[point + 1..] {
            [first, rest @ ..] if call(first, "Events").is_some() => (call(first, "Events"), rest),
            rest => (None, rest),
        };
        let event = event.map(str::to_owned);
        let place = place(rest, event).ok_or_else(|| in_path(GRAMMAR))?;
        let ids = match &place {
            Place::Stream { event, stream: id }
            | Place::Folder { event, stream: id }
            | Place::File { event, name: id } => [event.as_deref(), Some(id.as_str())],
            Place::Point { event } | Place::Manifest { event, .. } => [event.as_deref(), None],
        };
        if !ids.into_iter().flatten().all(is_identifier) {
            return Err(in_path(ErrorKind::Malformed(
                "an identifier has 1 to 256 bytes, and no control characters",
            )));
        }
        Ok(Self { point: name, place })
    }
}

/// The place that what follows a publishing point leads to.
fn place(rest: &[Cow<'_, str>], event: Option<String>) -> Option<Place> {
    let Some((file, folders)) = rest.split_last() else { return Some(Place::Point { event }) };
    let stream = match folders {
        [] => STREAMS.iter().find_map(|word| call(file, word)),
        [set] if call(set, STREAMS[1]).is_some() => call(file, STREAMS[0]),
        _ => None,
    };
    if let Some(id) = stream {
        return Some(Place::Stream { event, stream: id.into() });
    }
    // A path of the encoder's own (DASH-IF ingest 1.2, general requirements), as fmp4ingest has the name of a film.
    let is_word = |folder: &Cow<'_, str>| {
        STREAMS.iter().chain(&["Events"]).any(|word| call(folder, word).is_some())
    };
    if let Some(id) = call(file, STREAMS[0]).filter(|id| !id.is_empty())
        && !folders.iter().any(is_word)
    {
        let stream = format!("{}/{id}", folders.join("/"));
        return Some(Place::Stream { event, stream });
    }
    // A folder per track, which may lie in another one.
    let folder = (!folders.is_empty()).then(|| folders.join("/"));
    let (name, extension) = file.rsplit_once('.')?;
    if is_in(MANIFESTS, extension) {
        return Some(Place::Manifest { event, folder });
    }
    is_in(MEDIA, extension).then(|| match folder {
        Some(folder) => Place::Folder { event, stream: folder },
        None => Place::File { event, name: name.into() },
    })
}

fn is_in(list: &[&str], extension: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

/// Returns what is between the parentheses of `word(…)`.
fn call<'a>(segment: &'a str, word: &str) -> Option<&'a str> {
    let (before, rest) = segment.split_at_checked(word.len())?;
    let inside = rest.strip_prefix('(')?.strip_suffix(')')?;
    before.eq_ignore_ascii_case(word).then_some(inside)
}

fn is_point(segment: &str) -> bool {
    let end = segment.len().checked_sub(".isml".len()).and_then(|at| segment.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(".isml"))
}

fn is_identifier(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len()) && !id.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(path: &str) -> Result<(String, Option<String>, String), u16> {
        match IngestPath::parse(path) {
            Ok(IngestPath {
                point,
                place:
                    Place::Stream { event, stream }
                    | Place::Folder { event, stream }
                    | Place::File { event, name: stream },
            }) => Ok((point.as_str().to_owned(), event, stream)),
            Ok(IngestPath { place: Place::Manifest { .. }, .. }) => Err(200),
            Ok(IngestPath { place: Place::Point { .. }, .. }) => Err(0),
            Err(error) => Err(error.kind.status()),
        }
    }

    #[test]
    fn a_path_names_point_event_and_stream_in_any_letter_case() {
        let of = |point: &str, event: Option<&str>, stream: &str| {
            Ok((point.to_owned(), event.map(str::to_owned), stream.to_owned()))
        };
        for (path, expected) in [
            ("/x.isml/Streams(enc1)", of("x.isml", None, "enc1")),
            ("/live/X.ISML/streams(720p)", of("live/X.ISML", None, "720p")),
            ("//live//x.isml//STREAMS(a)", of("live/x.isml", None, "a")),
            ("/x.isml/Events(e1)/Streams(enc1)", of("x.isml", Some("e1"), "enc1")),
            ("/x.isml/EVENTS(e)/Switching(v)", of("x.isml", Some("e"), "v")),
            // As ffmpeg sends it.
            ("/a%20b/x.isml/Events(e%201)/Streams(enc1)", of("a b/x.isml", Some("e 1"), "enc1")),
            ("/x%2Eisml/Streams%28enc%2D1%29", of("x.isml", None, "enc-1")),
            ("/x.isml/Streams(a(b)c)", of("x.isml", None, "a(b)c")),
            ("/x.isml/Streams(video.cmfv)", of("x.isml", None, "video.cmfv")),
            ("/x.isml/video-1.CMFV", of("x.isml", None, "video-1")),
            ("/x.isml/audio/seg_7.m4s", of("x.isml", None, "audio")),
            ("/x.isml/Events(e)/audio/init.mp4", of("x.isml", Some("e"), "audio")),
            ("/x.isml/y.isml/a.mp4", of("x.isml", None, "y.isml")),
            ("/x.isml/hd/video/1.m4s", of("x.isml", None, "hd/video")),
            ("/x.isml/Events(e)/a/b/c/1.m4s", of("x.isml", Some("e"), "a/b/c")),
            ("/x.isml/Switching(v)/Streams(v1)", of("x.isml", None, "v1")),
            ("/x.isml/Events(e)/switching(v)/streams(v1)", of("x.isml", Some("e"), "v1")),
            ("/x.isml/film.ism/Streams(a.cmfv)", of("x.isml", None, "film.ism/a.cmfv")),
            ("/x.isml/Events(e)/f/g/streams(a)", of("x.isml", Some("e"), "f/g/a")),
            ("/x.isml/video-1.init", of("x.isml", None, "video-1")),
            ("/x.isml/video/1.header", of("x.isml", None, "video")),
        ] {
            assert_eq!(parsed(path), expected, "{path}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (path, status) in [
            ("/", 404),
            ("/x.ism/Streams(a)", 404),
            ("/x.isml", 0),
            ("/x.isml/", 0),
            ("/x.isml/Events()", 400),
            ("/x.isml/Streams", 400),
            ("/x.isml/Streams()", 400),
            ("/x.isml/Streams(a", 400),
            ("/x.isml/Streams(%00)", 400),
            ("/x.isml/Streams(a%2Fb)", 400),
            ("/x.isml/Events(e)", 0),
            ("/x.isml/a/Streams()", 400),
            ("/x.isml/Events(a)/Events(b)/Streams(c)", 400),
            ("/x.isml/Manifest", 400),
            ("/x.isml/a.txt", 400),
            ("/x.isml/a/b/c.txt", 400),
            ("/x.isml/Streams(a)/Streams(b)", 400),
            ("/x.isml/Switching(a)/Switching(b)", 400),
            ("/x.isml/Streams(%FF)", 400),
            ("/../x.isml/Streams(a)", 400),
            ("/x.isml/manifest.mpd", 200),
            ("/x.isml/hls/main.m3u8", 200),
            ("/x.isml/hls/en/main.m3u8", 200),
        ] {
            assert_eq!(parsed(path), Err(status), "{path}");
        }
        assert_eq!(parsed(&format!("/x.isml/Streams({})", "a".repeat(257))), Err(400));
        assert_eq!(parsed(&format!("/x.isml/{}1.m4s", "abc/".repeat(65))), Err(400));
    }

    #[test]
    fn a_path_with_a_point_in_it_is_recognized() {
        for path in ["/x.isml/Streams(a)", "/a/x%2Eism%6C", "/X.ISML/%FF"] {
            assert!(IngestPath::has_point(path), "{path}");
        }
        for path in ["/", "/x.ism/Streams(a)", "/x.ismla", "/ä"] {
            assert!(!IngestPath::has_point(path), "{path}");
        }
    }
}
