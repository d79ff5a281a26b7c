//! Files of several tracks side by side: `init-stream0.m4s`, `chunk-stream0-00001.m4s`, `init-stream1.m4s`, …
//!
//! ffmpeg writes them so for DASH and HLS, and other packagers do unless told otherwise. The names of the headers
//! say what tells the tracks apart, and the name of a segment has the same in it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::said::Said;
use crate::base::{Error, ErrorKind, Name};

/// The headers that encoders have pushed, by their names.
#[derive(Debug, Default)]
pub(super) struct FlatFiles(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    of: HashMap<Pusher, Headers>,
    /// Counts uses, to tell which pusher has been silent for longest.
    uses: u64,
}

/// An encoder of an event of a publishing point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pusher {
    /// In lower case, as the event.
    point: String,
    event: Option<String>,
    encoder: String,
}

#[derive(Debug, Default)]
struct Headers {
    names: Vec<Words>,
    /// Streams whose headers are there.
    there: Vec<String>,
    /// Streams that go on, as a manifest has said.
    go_on: Vec<String>,
    /// True if a name that is like that of a header has waited for another header, and none came since.
    is_settled: bool,
    used: u64,
}

/// The stream of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) stream: String,
    /// True if nothing is to be waited for: all of the header is there, and no other may still come that the
    /// segment is of.
    pub(super) is_ready: bool,
}

/// The words of a name in lower case: runs of letters and runs of digits.
type Words = Vec<String>;

/// Encoders that are remembered, and headers of each.
const PUSHERS: usize = 256;
const HEADERS: usize = 64;

/// A name of more words is one word.
const WORDS: usize = 32;

/// Words that mark the name of a header.
const HEADER_WORDS: &[&str] = &["initialization", "initialisation", "header"];

impl Pusher {
    pub(super) fn new(point: &Name, event: Option<&str>, encoder: &str) -> Self {
        Self {
            point: point.as_str().to_ascii_lowercase(),
            event: event.map(str::to_lowercase),
            encoder: encoder.into(),
        }
    }

    pub(super) fn encoder(&self) -> &str {
        &self.encoder
    }
}

impl Known {
    /// Returns the headers of a pusher. If it is new and there is no room, they take the place of those of another one: of
    /// the point that has the most, the one that has been silent for longest.
    fn of(&mut self, pusher: &Pusher) -> &mut Headers {
        self.uses += 1;
        if self.of.len() >= PUSHERS && !self.of.contains_key(pusher) {
            let mut counts = HashMap::<&str, usize>::new();
            self.of.keys().for_each(|pusher| *counts.entry(&pusher.point).or_default() += 1);
            let rank = |(pusher, headers): &(&Pusher, &Headers)| {
                let count = counts.get(pusher.point.as_str());
                (Reverse(count.copied().unwrap_or_default()), headers.used)
            };
            let oldest = self.of.iter().min_by_key(rank);
            if let Some(oldest) = oldest.map(|(pusher, _)| pusher.clone()) {
                self.of.remove(&oldest);
            }
        }
        let headers = self.of.entry(pusher.clone()).or_default();
        headers.used = self.uses;
        headers
    }
}

impl FlatFiles {
    /// Notes that a file with a header begins to come. Returns the identifier of its stream.
    pub(super) fn header(&self, pusher: &Pusher, name: &str) -> String {
        let header = header_of(name).unwrap_or_else(|| words(name));
        let id = identifier(&header);
        let mut known = self.known();
        let headers = known.of(pusher);
        if !headers.names.contains(&header) {
            if headers.names.len() >= HEADERS {
                headers.names.remove(0);
            }
            headers.names.push(header);
            headers.is_settled = false;
        }
        id
    }

    /// Notes that all of a header is there, whether its name or its folder says the stream.
    pub(super) fn is_there(&self, pusher: &Pusher, stream: &str) {
        let stream = stream.to_lowercase();
        let mut known = self.known();
        let headers = known.of(pusher);
        if headers.there.len() >= HEADERS {
            headers.there.remove(0);
        }
        headers.there.retain(|there| *there != stream);
        headers.there.push(stream);
    }

    /// Notes headers that are there by an earlier process, unless this one has got any of the pusher.
    pub(super) fn restore(&self, pusher: &Pusher, streams: impl FnOnce() -> Vec<String>) {
        if self.known().of.contains_key(pusher) {
            return;
        }
        for stream in streams() {
            // An identifier has the words of the header's name. A folder may have another name than its words make.
            if identifier(&words(&stream)) == stream {
                self.header(pusher, &stream);
            }
            self.is_there(pusher, &stream);
        }
        self.has_waited(pusher);
    }

    /// Returns the stream that a segment is of. `None` if no header of such a name has begun to come.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if it may be of several.
    pub(super) fn segment(&self, pusher: &Pusher, name: &str) -> Result<Option<Found>, Error> {
        let mut known = self.known();
        known.uses += 1;
        let uses = known.uses;
        let Some(headers) = known.of.get_mut(pusher) else { return Ok(None) };
        headers.used = uses;
        Ok(find(&headers.names, &words(name))?.map(|(header, is_sure)| {
            let stream = identifier(header);
            let is_ready = headers.there.contains(&stream) && (is_sure || headers.is_settled);
            Found { stream, is_ready }
        }))
    }

    /// Returns the stream of a header that lies beside a folder and has its name, but for what stands between words:
    /// `video_1.mp4` beside `video_1/1.m4s`. `None` if none has begun to come.
    pub(super) fn beside(&self, pusher: &Pusher, folder: &str) -> Option<String> {
        let words = words(folder);
        let known = self.known();
        let mut names = known.of.get(pusher)?.names.iter();
        names.find(|name| **name == words).map(identifier)
    }

    /// Notes that a segment has waited for as long as headers may take.
    pub(super) fn has_waited(&self, pusher: &Pusher) {
        if let Some(headers) = self.known().of.get_mut(pusher) {
            headers.is_settled = true;
        }
    }

    /// Notes what a manifest says. Returns the streams that end by it: those that went on by the manifest before.
    pub(super) fn manifest(&self, pusher: &Pusher, said: &Said) -> Vec<String> {
        let mut known = self.known();
        let Some(headers) = known.of.get_mut(pusher) else { return Vec::new() };
        let all: BTreeSet<_> =
            headers.names.iter().map(identifier).chain(headers.there.iter().cloned()).collect();
        let find = |names: &[String]| {
            let mut names = names.iter().map(|name| name.to_lowercase());
            names.find(|name| all.contains(name))
        };
        let of: Vec<_> = match said {
            Said::OfAll { folder, .. } => {
                // Other folders may be another packager's.
                let folder = folder.as_ref().map(|folder| folder.to_lowercase());
                let is_its = |stream: &&String| {
                    let below = folder.as_deref().and_then(|folder| stream.strip_prefix(folder));
                    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
                };
                let its: Vec<_> = all.iter().filter(is_its).cloned().collect();
                if its.is_empty() { all.into_iter().collect() } else { its }
            }
            Said::OfTrack { folders, header, .. } => {
                let header = identifier(&header_of(header).unwrap_or_else(|| words(header)));
                find(folders).or_else(|| find(&[header])).into_iter().collect()
            }
        };
        let before = std::mem::take(&mut headers.go_on);
        let (named, others): (Vec<_>, _) = before.into_iter().partition(|one| of.contains(one));
        headers.go_on = others;
        match said {
            Said::OfAll { goes_on: true, .. } | Said::OfTrack { goes_on: true, .. } => {
                headers.go_on.extend(of);
                headers.go_on.truncate(HEADERS);
                Vec::new()
            }
            _ => named,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the header of a segment, and whether it is that for sure: `s_1_0` may be of `init_0`, if no `init_1` comes.
fn find<'h>(headers: &'h [Words], segment: &Words) -> Result<Option<(&'h Words, bool)>, Error> {
    // A file whose header and segments have one name.
    if let Some(same) = headers.iter().find(|header| *header == segment) {
        return Ok(Some((same, true)));
    }
    let number = segment.iter().rposition(|word| is_number(word));
    // The number of the segment comes last, mostly, and may be that of another track.
    let numberless: Words = match number {
        Some(at) => [&segment[..at], &segment[at + 1..]].concat(),
        None => segment.clone(),
    };
    for (within, is_sure) in [(&numberless, true), (segment, false)] {
        let found = longest(headers.iter().filter(|header| contains(within, header)))?;
        if let Some(header) = found {
            return Ok(Some((header, is_sure)));
        }
    }
    // `s_10` is segment 0 of `init_1`, as ffmpeg names files of HLS.
    let Some(number) = number else { return Ok(None) };
    if let Some(header) =
        longest(headers.iter().filter(|header| is_glued(segment, number, header)))?
    {
        return Ok(Some((header, false)));
    }
    Ok(headers.iter().find(|header| header.is_empty()).map(|header| (header, true)))
}

/// Returns the header with the most words.
fn longest<'h>(headers: impl Iterator<Item = &'h Words>) -> Result<Option<&'h Words>, Error> {
    let found: Vec<_> = headers.collect();
    let most = found.iter().map(|header| header.len()).max().unwrap_or_default();
    let mut longest = found.into_iter().filter(|header| header.len() == most);
    match (longest.next(), longest.next()) {
        (found, None) => Ok(found),
        _ => Err(Error::request(
            "path",
            ErrorKind::Malformed(
                "the name of this segment may be of several tracks: give each track a folder, or a \
                 name such as chunk-stream$RepresentationID$-$Number$.m4s",
            ),
        )),
    }
}

/// Returns whether words have all of a header's in a row.
fn contains(words: &Words, header: &Words) -> bool {
    !header.is_empty() && words.windows(header.len()).any(|some| some == header.as_slice())
}

/// Returns whether the number of a segment begins with the one that ends a header's name, behind the same words.
fn is_glued(segment: &Words, number: usize, header: &Words) -> bool {
    let Some((last, before)) = header.split_last() else { return false };
    let glued = &segment[number];
    is_number(last)
        && glued.len() > last.len()
        && glued.starts_with(last.as_str())
        && segment[..number].ends_with(before)
}

/// Returns whether a body begins with a header, or, if that cannot be seen yet, whether its name says so.
pub(super) fn is_header(name: &str, beginning: &[u8]) -> bool {
    match beginning.get(4..8) {
        Some(kind) => matches!(kind, b"ftyp" | b"moov"),
        None => header_of(name).is_some(),
    }
}

/// Returns what tells a header from others, if this is the name of one.
fn header_of(name: &str) -> Option<Words> {
    let mut words = words(name);
    let is_mark = |word: &String| word.ends_with("init") || HEADER_WORDS.contains(&word.as_str());
    let mark = words.iter().position(is_mark)?;
    words.remove(mark);
    Some(words)
}

/// The identifier of the stream whose header has these words.
fn identifier(words: &Words) -> String {
    let mut id = String::new();
    let mut was_number = None;
    for word in words {
        let number = is_number(word);
        if was_number == Some(number) {
            id.push('-');
        }
        id.push_str(word);
        was_number = Some(number);
    }
    if id.is_empty() { "init".into() } else { id }
}

fn words(name: &str) -> Words {
    let mut words: Words = Vec::new();
    let mut kind = None;
    for c in name.chars() {
        let of = c.is_alphanumeric().then(|| c.is_ascii_digit());
        match (of, words.last_mut()) {
            (Some(_), Some(word)) if of == kind => word.extend(c.to_lowercase()),
            (Some(_), _) => words.push(c.to_lowercase().collect()),
            (None, _) => {}
        }
        kind = of;
    }
    match words.len() {
        0..=WORDS => words,
        _ => vec![name.to_lowercase()],
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pusher() -> Pusher {
        Pusher { point: "x.isml".into(), event: None, encoder: "a".into() }
    }

    /// The streams of segments, behind these headers.
    fn streams(headers: &[&str], segments: &[&str]) -> Vec<Result<String, u16>> {
        let files = FlatFiles::default();
        for header in headers {
            files.header(&pusher(), header);
        }
        let stream = |segment: &&str| {
            let found = files.segment(&pusher(), segment).map_err(|error| error.kind.status())?;
            Ok(found.map_or_else(|| "-".to_owned(), |found| found.stream))
        };
        segments.iter().map(stream).collect()
    }

    fn ids(ids: &[&str]) -> Vec<Result<String, u16>> {
        ids.iter().map(|id| Ok((*id).to_owned())).collect()
    }

    #[test]
    fn segments_of_ffmpeg_and_others_find_their_headers() {
        // ffmpeg -f dash.
        let headers = ["init-stream0", "init-stream1", "init-stream10"];
        let segments =
            ["chunk-stream0-00001", "chunk-stream1-00010", "chunk-stream10-00001", "init-stream1"];
        assert_eq!(
            streams(&headers, &segments),
            ids(&["stream0", "stream1", "stream10", "stream1"])
        );
        // ffmpeg -f hls, with and without a name for segments.
        let headers = ["init_0", "init_1"];
        assert_eq!(streams(&headers, &["s_00", "s_10", "s_112"]), ids(&["0", "1", "1"]));
        assert_eq!(streams(&headers, &["s_0_1", "s_1_0", "s_1_1"]), ids(&["0", "1", "1"]));
        assert_eq!(streams(&["init"], &["s0", "s1"]), ids(&["init", "init"]));
        // Shaka Packager, GPAC.
        let headers = ["h264_360p_init", "h264_720p_init", "audio_init"];
        let segments = ["h264_720p_3", "H264_360p_3", "audio_3"];
        assert_eq!(streams(&headers, &segments), ids(&["h264-720p", "h264-360p", "audio"]));
        let headers = ["film_track1_dashinit", "film_track2_dashinit"];
        let segments = ["film_track2_dash7", "film_track1_dash2"];
        assert_eq!(streams(&headers, &segments), ids(&["film-track2", "film-track1"]));
    }

    #[test]
    fn names_that_may_be_of_several_tracks_are_refused() {
        assert_eq!(streams(&["init_1", "init_11"], &["s_1"]), ids(&["1"]));
        assert_eq!(streams(&["init_1", "init_11"], &["s_110"]), [Err(400)]);
        assert_eq!(streams(&["a_init", "b_init"], &["a_b_1"]), [Err(400)]);
    }

    #[test]
    fn other_names_are_of_no_header() {
        assert_eq!(streams(&[], &["video-1"]), ids(&["-"]));
        assert_eq!(streams(&["init-stream0"], &["video-1"]), ids(&["-"]));
        assert_eq!(streams(&["video-1", "video-2"], &["video-2"]), ids(&["video2"]));
        let files = FlatFiles::default();
        assert_eq!(files.header(&pusher(), "init-stream0"), "stream0");
        let other = Pusher { encoder: "b".into(), ..pusher() };
        assert_eq!(files.segment(&other, "chunk-stream0-1").unwrap(), None);
    }

    #[test]
    fn a_header_is_there_when_all_of_it_has_come() {
        let files = FlatFiles::default();
        files.header(&pusher(), "init-stream0");
        let is_ready = || files.segment(&pusher(), "chunk-stream0-1").unwrap().unwrap().is_ready;
        assert!(!is_ready());
        files.is_there(&pusher(), "stream0");
        assert!(is_ready());
        assert!(is_header("x", b"\0\0\0\x18ftyp") && !is_header("init", b"\0\0\0\x18styp"));
        assert!(is_header("init", b"\0\0") && !is_header("x", b""));
    }

    #[test]
    fn a_name_that_is_like_that_of_a_header_waits_for_others() {
        let files = FlatFiles::default();
        let header = |name| files.is_there(&pusher(), &files.header(&pusher(), name));
        let found = |name| {
            let found = files.segment(&pusher(), name).unwrap().unwrap();
            (found.stream, found.is_ready)
        };
        header("init_0");
        assert_eq!(found("s_0_1"), ("0".into(), true));
        assert_eq!(found("s_1_0"), ("0".into(), false));
        header("init_1");
        assert_eq!(found("s_1_0"), ("1".into(), true));
        assert_eq!(found("s_112"), ("1".into(), false));
        files.has_waited(&pusher());
        assert_eq!(found("s_112"), ("1".into(), true));
        header("init_11");
        assert_eq!(found("s_12"), ("1".into(), false));
        let other = Pusher { encoder: "b".into(), ..pusher() };
        files.is_there(&other, &files.header(&other, "init"));
        let alone = files.segment(&other, "index0").unwrap().unwrap();
        assert_eq!(alone, Found { stream: "init".into(), is_ready: true });
    }

    #[test]
    fn memory_is_bounded() {
        let files = FlatFiles::default();
        for number in 0..2 * PUSHERS {
            let pusher = Pusher { encoder: number.to_string(), ..pusher() };
            files.header(&pusher, "init-a");
        }
        let elsewhere = Pusher { point: "y.isml".into(), ..pusher() };
        files.header(&elsewhere, "init-a");
        for number in 0..2 * PUSHERS {
            let pusher = Pusher { encoder: format!("other {number}"), ..pusher() };
            files.header(&pusher, "init-a");
        }
        assert!(files.segment(&elsewhere, "a-1").unwrap().is_some(), "each point has its share");
        for number in 0..2 * HEADERS {
            let id = files.header(&pusher(), &format!("init-{number}"));
            files.is_there(&pusher(), &id);
        }
        let known = files.known();
        let of = &known.of[&pusher()];
        assert_eq!((known.of.len(), of.names.len(), of.there.len()), (PUSHERS, HEADERS, HEADERS));
    }

    #[test]
    fn streams_end_when_a_manifest_says_so_that_said_otherwise_before() {
        let read = |text: &str| Said::read(text.as_bytes(), None);
        let mpd =
            |kind: &str| read(&format!("<?xml?><MPD a='b'\n type=\"{kind}\"><Period/>")).unwrap();
        let files = FlatFiles::default();
        for header in ["init-stream0", "init-stream1"] {
            files.header(&pusher(), header);
        }
        let ended = |said: &Said| files.manifest(&pusher(), said);
        assert!(ended(&mpd("static")).is_empty(), "a film from the start");
        assert!(ended(&mpd("dynamic")).is_empty());
        assert_eq!(ended(&mpd("static")), ["stream0", "stream1"]);
        assert!(ended(&mpd("static")).is_empty());
        let list = |end: &str| {
            read(&format!("#EXTM3U\n#EXT-X-MAP:URI=\"a/init-stream1.mp4\"\ns.m4s\n{end}")).unwrap()
        };
        assert!(ended(&list("#EXT-X-ENDLIST")).is_empty());
        assert!(ended(&list("")).is_empty());
        assert_eq!(ended(&list("#EXT-X-ENDLIST")), ["stream1"]);
    }

    #[test]
    fn a_manifest_in_the_folder_of_a_stream_is_about_that_one() {
        let files = FlatFiles::default();
        for folder in ["V", "a"] {
            files.is_there(&pusher(), folder);
        }
        let said = |text: &str, folder| {
            files.manifest(&pusher(), &Said::read(text.as_bytes(), folder).unwrap())
        };
        let list = |map: &str, end: &str| format!("#EXT-X-MAP:URI=\"{map}\"\n{end}");
        let (mpd, film) = ("<MPD type=\"dynamic\">", "<MPD type=\"static\">");
        for (map, folder) in [("init.mp4", Some("v")), ("../V/init.mp4", Some("hls"))] {
            assert!(said(&list(map, ""), folder).is_empty());
            assert_eq!(said(&list(map, "#EXT-X-ENDLIST"), folder), ["v"]);
        }
        assert!(said(mpd, Some("v")).is_empty());
        assert_eq!(said(film, Some("v")), ["v"]);
        for folder in [None, Some("dash")] {
            assert!(said(mpd, folder).is_empty());
            assert_eq!(said(film, folder), ["a", "v"]);
        }
    }

    #[test]
    fn a_manifest_in_a_folder_of_folders_is_about_those_in_it() {
        let files = FlatFiles::default();
        for folder in ["HD/video", "hd/audio", "sd/video", "hdr"] {
            files.is_there(&pusher(), folder);
        }
        let said = |kind: &str, folder| {
            let mpd = format!("<MPD type=\"{kind}\">");
            files.manifest(&pusher(), &Said::read(mpd.as_bytes(), Some(folder)).unwrap())
        };
        for folder in ["hd", "SD"] {
            assert!(said("dynamic", folder).is_empty());
        }
        assert_eq!(said("static", "Hd"), ["hd/audio", "hd/video"]);
        assert!(said("static", "hd").is_empty());
        assert_eq!(said("static", "sd"), ["sd/video"]);
    }

    #[test]
    fn a_header_beside_a_folder_has_its_words() {
        let files = FlatFiles::default();
        assert_eq!(files.beside(&pusher(), "video_1"), None);
        files.header(&pusher(), "video_1");
        files.header(&pusher(), "audio-2-init");
        let beside = |folder| files.beside(&pusher(), folder);
        assert_eq!(beside("Video_1").as_deref(), Some("video1"));
        assert_eq!(beside("audio-2").as_deref(), Some("audio2"));
        for other in ["video", "video_11", "1_video", "hd/video_1", ""] {
            assert_eq!(beside(other), None, "{other}");
        }
    }

    #[test]
    fn folders_of_an_earlier_process_are_there_under_their_names_alone() {
        let files = FlatFiles::default();
        files.restore(&pusher(), || vec!["hd/video_1".into(), "stream0".into()]);
        let said = |kind: &str| {
            let mpd = format!("<MPD type=\"{kind}\">");
            files.manifest(&pusher(), &Said::read(mpd.as_bytes(), None).unwrap())
        };
        assert!(said("dynamic").is_empty());
        assert_eq!(said("static"), ["hd/video_1", "stream0"]);
    }
}
