//! A media file without a server manifest: `film.mp4`, addressed as `film.mp4.ism`.
//!
//! The origin's host must allow it ([`OpenOptions::bare_mp4`]). A server manifest or a folder of fragments of
//! the name comes first. The tracks are named as the packager names them, and everything after that is as
//! for an `.ism` that names the file.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::listed::Listed;
use super::media::{HEAD, MediaFile, TAIL};
use super::resolve::Named;
use super::tracks::MediaTrack;
use super::{Outcome, Reading, folder, media_opened, opened};
use crate::base::{Error, ErrorKind, FileId, Limits, Name, ReadErrorKind, Step, Want};
use crate::codec::{Description, Format};
use crate::manifest::{ServerManifest, ServerTrack, StreamKind, stream_names};
use crate::presentation::finding::Findings;
use crate::presentation::{OpenOptions, Presentation};

/// The id of the media file.
const MEDIA: FileId = FileId::new(1);

/// The id under which the manifest of a folder of fragments is looked for.
const OF_FOLDER: FileId = FileId::new(2);

/// Endings of the names of such files.
const ENDINGS: [&str; 4] = ["mp4", "m4v", "m4a", "mov"];

/// Returns the media file that this name of a presentation stands for, if there is no server manifest.
pub(crate) fn media_of(name: &Name) -> Option<Name> {
    let (media, ism) = name.as_str().rsplit_once('.')?;
    let media = Name::new(media).ok().filter(|_| ism.eq_ignore_ascii_case("ism"))?;
    let (stem, ending) = media.file_name().rsplit_once('.')?;
    let is_one_of = ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending));
    (!stem.is_empty() && is_one_of).then_some(media)
}

/// Opens the presentation `name` of a media file, unless there is a folder of fragments of that name.
pub(super) fn open(
    name: Name,
    media: Name,
    options: OpenOptions,
) -> Result<Step<Presentation>, Error> {
    let want = Want::Open { file: MEDIA, name: media.clone(), head: HEAD, tail: TAIL };
    let of_folder = folder::manifest_of(&name);
    let of_folder = of_folder.map(|name| Want::Open { file: OF_FOLDER, name, head: 0, tail: 0 });
    let wants = [want].into_iter().chain(of_folder).collect();
    Ok(Step::read(wants, move |got| {
        let mut got = got.into_iter();
        let (of_file, of_folder) = (got.next(), got.next());
        match (is_gone(of_file.as_ref()), is_gone(of_folder.as_ref())) {
            (true, true) => Err(ErrorKind::NoPresentation.into()),
            (_, false) => folder::open(name, options),
            (false, true) => {
                let file = opened(of_file).map_err(|error| error.in_file(MEDIA))?;
                let findings = Findings::new(&options.limits);
                let listed = Listed::of_file(name, media, options);
                let mut reading = Reading::new(listed, findings);
                reading.is_bare = true;
                reading.media.push(media_opened(MEDIA, Ok(crate::base::Got::Opened(file))));
                reading.expect_indexes();
                reading.read_on(2)
            }
        }
    }))
}

fn is_gone(got: Option<&Outcome>) -> bool {
    match got {
        Some(got) => matches!(got, Err(error) if error.kind == ReadErrorKind::Gone),
        None => true,
    }
}

impl Listed {
    /// A presentation of one media file, whose tracks are not known yet.
    fn of_file(name: Name, media: Name, options: OpenOptions) -> Self {
        Self {
            name: name.clone(),
            options,
            server_text: Bytes::new(),
            server: ServerManifest::default(),
            files: vec![name, media],
            named: Vec::new(),
            client: None,
        }
    }

    /// Writes the server manifest that names the tracks of the file.
    pub(super) fn name_tracks(&mut self, media: &[(FileId, MediaFile)]) {
        let Some((file, media)) = media.first() else { return };
        let Some(name) = self.files.get(file.index()).cloned() else { return };
        // A server manifest names a file by a reference, which is decoded.
        let path = name.to_url_path();
        let reference = path.rsplit('/').next().unwrap_or_default();
        let tracks = media.tracks.as_deref().unwrap_or_default();
        self.server.tracks = server_tracks(tracks, reference, &self.options.limits);
        if self.server.tracks.is_empty() {
            // What is wrong with the file is reported about a track.
            self.server.tracks.push(ServerTrack::new(StreamKind::Video, reference));
        }
        let named = || Named { file: Some(*file), name: name.to_string() };
        self.named = self.server.tracks.iter().map(|_| named()).collect();
        self.server_text = self.server.to_xml().unwrap_or_default().into();
    }
}

/// Tracks with one key are qualities of one stream.
type Key<'a> = (StreamKind, Option<&'a str>, Option<Coding>);

/// Tag of a codec, with sampling rate and channels of sound.
type Coding = (String, Option<(u32, u32)>);

/// Returns the elements of a server manifest that name these tracks of a file: video first, else in the
/// order of the file.
fn server_tracks(tracks: &[MediaTrack], reference: &str, limits: &Limits) -> Vec<ServerTrack> {
    let mut streams: Vec<(StreamKind, Option<&str>, Vec<&MediaTrack>)> = Vec::new();
    let (mut known, mut ids): (HashMap<Key<'_>, usize>, _) = (HashMap::new(), HashSet::new());
    for track in tracks {
        // The first of a number counts.
        let Some(kind) = track.kind.filter(|_| ids.insert(track.track_id)) else { continue };
        // Pictures of all languages are one stream.
        let language = track.language.as_deref().filter(|_| kind != StreamKind::Video);
        let number =
            *known.entry((kind, language, coding(track, kind, limits))).or_insert(streams.len());
        match streams.get_mut(number) {
            Some((.., tracks)) => tracks.push(track),
            None => streams.push((kind, language, vec![track])),
        }
    }
    streams.sort_by_key(|(kind, ..)| *kind);
    let kinds: Vec<_> = streams.iter().map(|(kind, language, _)| (*kind, *language)).collect();
    let named = streams.iter().zip(stream_names(&kinds));
    let elements = named.flat_map(|((kind, language, tracks), name)| {
        tracks.iter().map(move |track| {
            let mut element = ServerTrack::new(*kind, reference);
            if let Some(language) = language {
                element.attributes.push(("systemLanguage".into(), (*language).to_owned()));
            }
            element.params.push(("trackID".into(), track.track_id.to_string()));
            element.params.push(("trackName".into(), name.clone()));
            element
        })
    });
    elements.collect()
}

/// Returns the coding of a track, in which all qualities of a stream are alike.
fn coding(track: &MediaTrack, kind: StreamKind, limits: &Limits) -> Option<Coding> {
    let described = Description::of_entry(kind, track.entry.as_ref()?, limits).ok()?;
    let sound = match described.format {
        Format::Audio { sampling_rate, channels, .. } => Some((sampling_rate, channels)),
        _ => None,
    };
    Some((described.tag.as_str().to_owned(), sound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_media_file_is_in_that_of_its_presentation() {
        let media = |name: &str| media_of(&Name::new(name).unwrap()).map(|name| name.to_string());
        for (name, file) in [
            ("film.mp4.ism", "film.mp4"),
            ("a/b c.M4V.ISM", "a/b c.M4V"),
            ("a.b.mov.ism", "a.b.mov"),
            ("sound.m4a.ism", "sound.m4a"),
        ] {
            assert_eq!(media(name).as_deref(), Some(file));
        }
        for name in [
            "film.ism",
            "film.mp4",
            "film.mp4.isml",
            "film.mkv.ism",
            ".mp4.ism",
            "a/.mp4.ism",
            "mp4.ism",
            "a.mp4/b.ism",
        ] {
            assert_eq!(media(name), None, "{name}");
        }
    }
}
