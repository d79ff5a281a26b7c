//! Stored client manifests: the result of the lenient reading is what is served, and it has nothing
//! left to correct.

use smooth_origin::base::Limits;
use smooth_origin::manifest::{ClientManifest, StreamIndex, StreamKind};
use smooth_origin::presentation::{
    FindingCode, ManifestSource, OpenOptions, Presentation, Stream, Timeline,
};

use super::container::Container;
use super::opening::{Files, limits};

/// A video track and an audio track, and a server manifest that names `film.ismc`.
const TINY: &[u8] = include_bytes!("../corpus/opening/tiny-without-client-manifest");

/// Number of chunks of a stream that are compared one by one.
const COMPARED: usize = 500;

/// Opens a film with arbitrary bytes as its client manifest.
pub(super) fn beside_media(client: &[u8]) {
    let files = Files::new(Container { client: Some(client.to_vec()), ..Container::decode(TINY) });
    let options = OpenOptions::default().limits(limits());
    if let Ok(presentation) = files.open(&options) {
        stored_manifest(&files, &presentation, &options);
    }
}

/// Checks that a stored manifest, if it is served, announces the streams of the presentation as
/// they are, contains everything that the strict reading accepts, and has nothing left to correct
/// when it is read again.
pub(super) fn stored_manifest(files: &Files, presentation: &Presentation, options: &OpenOptions) {
    let Ok(served) = presentation.manifest() else { return };
    let Some(client) = &files.container().client else { return };
    // A folder of fragments has a manifest of its own.
    let is_folder = presentation.files().iter().any(|file| file.as_str().ends_with("/Manifest"));
    if is_folder || presentation.manifest_source() == ManifestSource::Generated {
        return;
    }
    let announced = ClientManifest::parse(served, &Limits::default())
        .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(served)));
    let mut streams = presentation.streams().iter();
    for index in &announced.streams {
        let found = streams.any(|stream| is_of(&announced, index, stream));
        assert!(found, "no stream for {index:?} in {:?}", presentation.streams());
    }
    if let Ok(strict) = ClientManifest::parse(client, &limits()) {
        accepted(&strict, presentation);
    }
    if !files.is_faulty() {
        again(files, presentation, options);
    }
}

/// Returns whether the announced stream is this one. Tracks without media may have been left out.
fn is_of(manifest: &ClientManifest, index: &StreamIndex, stream: &Stream) -> bool {
    let mut tracks = stream.tracks().iter();
    let mut qualities = index.qualities.iter();
    let mut compared = qualities.all(|quality| tracks.any(|t| t.bitrate() == quality.bitrate));
    compared &= (stream.kind(), stream.name()) == (index.kind, &*index.name());
    compared && stream.timescale() == manifest.timescale_of(index) && has_times(index, stream)
}

fn has_times(index: &StreamIndex, stream: &Stream) -> bool {
    // A stream with impossible times has no times.
    let announced = Timeline::new(&index.chunks, &limits()).unwrap_or_default();
    let timeline = stream.timeline();
    announced.len() == timeline.len()
        && announced.end() == timeline.end()
        && announced.iter().take(COMPARED).eq(timeline.iter().take(COMPARED))
}

/// Checks that the streams of the strict reading are those of the presentation. Only the times of a
/// stream that begins before 0 may differ.
fn accepted(strict: &ClientManifest, presentation: &Presentation) {
    // Pictures and sound without a bitrate are left out, and so are chunks without a quality.
    let is_left_out = |index: &StreamIndex| {
        let lacks_bitrate = index.qualities.iter().any(|quality| quality.bitrate == 0);
        let lacks_quality = index.qualities.is_empty() && !index.chunks.is_empty();
        (lacks_bitrate && index.kind != StreamKind::Text) || (lacks_quality && !index.is_embedded())
    };
    if strict.streams.iter().any(is_left_out) {
        return;
    }
    assert_eq!(strict.streams.len(), presentation.streams().len(), "{strict:?}");
    for (index, stream) in strict.streams.iter().zip(presentation.streams()) {
        assert_eq!((stream.kind(), stream.name()), (index.kind, &*index.name()));
        let announced = index.qualities.iter().map(|quality| quality.bitrate);
        assert!(announced.eq(stream.tracks().iter().map(|track| track.bitrate())), "{index:?}");
        let first = index.chunks.first().and_then(|chunk| chunk.time);
        let is_before_0 = first.is_some_and(|time| i64::try_from(time).is_err());
        assert!(is_before_0 || has_times(index, stream), "other times than of {index:?}");
    }
}

/// Checks that the presentation, opened with the served manifest, has nothing to correct. Unless
/// elements without media were left out, it must serve the same bytes.
fn again(files: &Files, presentation: &Presentation, options: &OpenOptions) {
    let served = presentation.manifest().expect("it was served");
    let with_served = Container { client: Some(served.to_vec()), ..files.container().clone() };
    let second = Files::new(with_served).open(options).expect("what was opened is opened again");
    // What no player takes for a stream stays in the text, and is reported again.
    let stays = |message: &str| message.contains("is not named `StreamIndex`");
    // Corrections of the `.ism` are reported again, because its stored text stays as it is.
    let is_of_client = |file: Option<&str>| file != Some("film.ism");
    let has = |presentation: &Presentation, code| {
        let findings = presentation.findings();
        findings.iter().any(|found| {
            found.code == code && is_of_client(found.file.as_deref()) && !stays(&found.message)
        })
    };
    for code in [
        FindingCode::ManifestCorrected,
        FindingCode::ManifestPartLeftOut,
        FindingCode::ManifestReencoded,
    ] {
        assert!(!has(&second, code), "corrected twice: {:?}", second.findings());
    }
    if !has(presentation, FindingCode::ManifestMended) {
        assert_eq!(second.manifest_source(), ManifestSource::Stored);
        assert!(second.manifest().is_ok_and(|manifest| manifest == served), "other bytes");
    }
}
