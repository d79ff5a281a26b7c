//! Manifests that are made from the media: the size of pictures, and decoder configurations that the media lacks.

use smooth_origin::base::Limits;
use smooth_origin::bmff::{AnyBox, Body, Boxes, SampleEntry, Stsd, Tkhd};
use smooth_origin::manifest::{ClientManifest, StreamKind};
use testkit::film::{self, Style, Track, ism};
use testkit::{open, store};

/// The maximum and the display size of the video stream of a film with one track for each of these
/// sizes. All pictures are stored as 640 × 360; the size is the one in the track's header.
fn sizes(shown: &[(u32, u32)]) -> [Option<u32>; 4] {
    let tracks: Vec<_> = (1..=shown.len() as u32)
        .map(|id| Track::regular(id, StreamKind::Video, 3, 20_000_000, 50))
        .collect();
    let mut moov = film::moov(&tracks);
    let Body::Boxes(traks) = &mut moov.body else { panic!("a moov is a container") };
    let headers = traks.list.iter_mut().filter_map(|item| match &mut item.body {
        Body::Boxes(trak) => trak.get_mut::<Tkhd>(),
        _ => None,
    });
    for (header, (width, height)) in headers.zip(shown) {
        (header.width, header.height) = (width << 16, height << 16);
    }
    let mut media = film::media(&tracks, Style::default());
    media.parts[1].1 = Boxes::from_iter([moov]).to_bytes().to_vec();
    let named: Vec<_> =
        (1..=shown.len() as u32).map(|id| ("video", "film.ismv", 100 * id, id, "")).collect();
    let store = store([("film.ism", ism(None, &named)), ("film.ismv", media.to_bytes())]);
    let opened = open(&store).unwrap();
    let text = opened.presentation().manifest().unwrap().to_vec();
    let manifest = ClientManifest::parse(&text, &Limits::default()).unwrap();
    let [video] = &manifest.streams[..] else { panic!("one stream") };
    assert!(video.qualities.iter().all(|q| (q.max_width, q.max_height) == (Some(640), Some(360))));
    [video.max_width, video.max_height, video.display_width, video.display_height]
}

#[test]
fn pictures_of_pixels_that_are_not_square_are_announced_as_they_are_shown() {
    let announced = |display: (u32, u32)| [640, 360, display.0, display.1].map(Some);
    assert_eq!(sizes(&[(640, 360)]), announced((640, 360)));
    assert_eq!(sizes(&[(0, 0)]), announced((640, 360)), "the header has no size");
    assert_eq!(sizes(&[(480, 360)]), announced((480, 360)));
    assert_eq!(sizes(&[(853, 360)]), announced((853, 360)));
    // The largest size counts, whichever track has it.
    assert_eq!(sizes(&[(853, 360), (640, 360)]), announced((853, 360)));
    assert_eq!(sizes(&[(640, 360), (853, 360), (480, 360)]), announced((853, 360)));
}

/// The entry with an `avcC` that has no parameter sets, and no box behind it.
fn without_parameter_sets(entry: &SampleEntry) -> SampleEntry {
    let at = entry.body.windows(4).position(|kind| kind == b"avcC").unwrap();
    // Version, profile, compatibility, level, length of sizes; no sequence and no picture parameter sets.
    let bare =
        [&15_u32.to_be_bytes()[..], b"avcC", &entry.body[at + 4..][..5], &[0xe0, 0]].concat();
    let mut entry = entry.clone();
    entry.body = [&entry.body[..at - 4], &bare].concat().into();
    entry
}

fn change_entries(item: &mut AnyBox, change: &impl Fn(&SampleEntry) -> SampleEntry) {
    let Body::Boxes(boxes) = &mut item.body else { return };
    if let Some(stsd) = boxes.get_mut::<Stsd>() {
        let entries: Vec<_> = stsd.entries().map(|entry| change(&entry)).collect();
        *stsd = Stsd::new(stsd.full(), entries);
    }
    boxes.list.iter_mut().for_each(|item| change_entries(item, change));
}

#[test]
fn parameter_sets_that_the_media_lacks_are_those_of_the_server_manifest() {
    let tracks = [Track::regular(1, StreamKind::Video, 3, 20_000_000, 50)];
    let mut moov = film::moov(&tracks);
    change_entries(&mut moov, &without_parameter_sets);
    let mut media = film::media(&tracks, Style::default());
    media.parts[1].1 = Boxes::from_iter([moov]).to_bytes().to_vec();
    let said = "00000001674D401E0000000168EE3C80";
    let server = |said: &str| {
        format!(
            "<smil><head/><body><switch><video src='film.ismv' systemBitrate='100'>
                <param name='trackID' value='1'/><param name='CodecPrivateData' value='{said}'/>
            </video></switch></body></smil>"
        )
    };
    for (said, announced) in [(said, said), ("", "")] {
        let store =
            store([("film.ism", server(said).into_bytes()), ("film.ismv", media.to_bytes())]);
        let text = open(&store).unwrap().presentation().manifest().unwrap().to_vec();
        let manifest = ClientManifest::parse(&text, &Limits::default()).unwrap();
        let quality = &manifest.streams[0].qualities[0];
        assert_eq!(quality.four_cc.as_deref(), Some("H264"));
        assert_eq!(quality.codec_private_data.as_deref().unwrap_or_default(), announced);
    }
}
