//! Opens a presentation and asks it what a player would ask, and what an attacker would.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use smooth_origin::base::{FileEnds, Got, Name, ReadError, ReadErrorKind, Step, Want};
use smooth_origin::output::mss::{FragmentRequest, ManifestOptions, Noun, Request, answer};
use smooth_origin::presentation::Piece;
use smooth_origin::presentation::{OpenOptions, Presentation, open};

pub type Files = Vec<(String, Bytes)>;

/// Tracks, and chunks of each, that are asked for.
const TRACKS: usize = 8;
const CHUNKS: usize = 4;

pub fn open_and_ask(files: &Files) {
    let by_name: BTreeMap<&str, &Bytes> =
        files.iter().map(|(name, bytes)| (&**name, bytes)).collect();
    let mut opened: Vec<Bytes> = Vec::new();
    let name = Name::new("film.ism").expect("a name");
    let mut get = |want: &Want| get(want, &by_name, &mut opened);
    let Ok(presentation) = open(name, &OpenOptions::default()).drive(&mut get) else { return };
    let presentation = Arc::new(presentation);
    black_box(presentation.findings());
    black_box(presentation.memory());
    drop(black_box(answer(&presentation, &Request::Manifest(ManifestOptions::default()))));
    for stream in presentation.streams().iter().take(TRACKS) {
        for track in stream.tracks().iter().take(TRACKS) {
            for (time, _) in stream.timeline().iter().take(CHUNKS) {
                for noun in Noun::ALL {
                    ask(&presentation, noun, stream.name(), track.bitrate(), time, &mut get);
                }
            }
        }
        // A name in another letter case, and one that is like it but for the last character.
        for name in [stream.name().to_uppercase(), format!("{}x", stream.name())] {
            ask(&presentation, Noun::Fragments, &name, 1, 0, &mut get);
        }
    }
    segmented(&presentation, &mut get);
    black_box(presentation.findings());
}

/// Asks for the manifests of DASH and HLS, for all playlists, and for headers and segments of the first.
fn segmented(
    presentation: &Arc<Presentation>,
    get: &mut impl FnMut(&Want) -> Result<Got, ReadError>,
) {
    use smooth_origin::output;

    let mut ask = |path: &str| {
        let answered = output::Request::parse(path, None);
        let answered = answered.and_then(|request| request.answer(presentation));
        let reply = answered.and_then(|step| step.drive(&mut *get)).ok()?;
        // Texts are one piece in memory.
        let pieces = reply.pieces().iter();
        pieces.into_iter().find_map(|piece| match piece {
            Piece::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        })
    };
    for path in ["manifest.mpd", "trick.mpd"] {
        drop(black_box(ask(path)));
    }
    let Some(multivariant) = ask("master.m3u8") else { return };
    let multivariant = String::from_utf8_lossy(&multivariant).into_owned();
    let quoted = multivariant.split("URI=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let lines = multivariant.lines().filter(|line| !line.starts_with('#'));
    let playlists: std::collections::BTreeSet<&str> =
        quoted.chain(lines).filter(|uri| uri.ends_with(".m3u8")).collect();
    for (number, uri) in playlists.iter().enumerate() {
        let Some(playlist) = ask(uri) else { continue };
        if number >= TRACKS {
            continue;
        }
        drop(black_box(ask(&uri.replace(".m3u8", "/init.mp4"))));
        let playlist = String::from_utf8_lossy(&playlist).into_owned();
        let segments = playlist.lines().filter(|line| !line.starts_with('#'));
        for segment in segments.take(CHUNKS) {
            drop(black_box(ask(segment)));
        }
    }
}

fn ask(
    presentation: &Arc<Presentation>,
    noun: Noun,
    stream: &str,
    bitrate: u32,
    time: u64,
    get: &mut impl FnMut(&Want) -> Result<Got, ReadError>,
) {
    let (stream, attributes) = (stream.into(), "".into());
    let request = FragmentRequest { noun, bitrate, attributes, stream, time };
    let step = answer(presentation, &Request::Fragment(request));
    drop(black_box(step.and_then(|step: Step<_>| step.drive(get))));
}

/// Bytes of files in memory: nothing is copied, so that only the library's own work is counted.
fn get(
    want: &Want,
    files: &BTreeMap<&str, &Bytes>,
    opened: &mut Vec<Bytes>,
) -> Result<Got, ReadError> {
    let gone = || ReadError::new(ReadErrorKind::Gone);
    match want {
        Want::Open { file, name, head, tail } => {
            let bytes = Bytes::clone(files.get(name.as_str()).ok_or_else(gone)?);
            let (head, tail) = (bytes.len().min(*head as usize), bytes.len().min(*tail as usize));
            let ends = (bytes.slice(..head), bytes.slice(bytes.len() - tail..));
            let size = bytes.len() as u64;
            opened.resize(opened.len().max(file.index() + 1), Bytes::new());
            opened[file.index()] = bytes;
            Ok(Got::Opened(FileEnds::new(size, ends.0, ends.1)))
        }
        Want::Range { file, range } => {
            let bytes = &opened[file.index()];
            Ok(Got::Range(bytes.slice(range.start as usize..range.end as usize)))
        }
        // The manifest says which fragments there are.
        Want::List { .. } => Ok(Got::Listed(None)),
        _ => Err(gone()),
    }
}
