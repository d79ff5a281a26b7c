//! Presentations with a file per fragment, as `ffmpeg -f smoothstreaming` writes them.

use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfhd, uuid};
use smooth_origin::storage::MemoryStore;

use crate::film::trun;
use crate::name;

/// Makes a fragment's file. Its `moof` declares track 1 and this time, and its `traf` ends with
/// `rest`.
pub fn fragment_with(time: u64, payload: &[u8], rest: Vec<AnyBox>) -> Vec<u8> {
    let moof = |data_offset| {
        let full = FullBox { version: 1, flags: 0 };
        let samples = [(10_000_000, payload.len() as u32)];
        let mut traf = vec![
            AnyBox::new(Tfhd { track_id: 1, ..Tfhd::default() }),
            AnyBox::new(trun(&samples, data_offset)),
            AnyBox::new(uuid::Tfxd { full, time, duration: 10_000_000 }),
        ];
        traf.extend(rest.iter().cloned());
        let mfhd = AnyBox::new(Mfhd { sequence_number: 1, ..Mfhd::default() });
        AnyBox::container(*b"moof", [mfhd, AnyBox::container(*b"traf", traf)])
    };
    let len = moof(0).len() as i32;
    let boxes = [moof(len + 8), AnyBox::other(*b"mdat", payload.to_vec())];
    Boxes::from_iter(boxes).to_bytes().to_vec()
}

/// Makes a fragment's file of usual size, with bytes that no other file has.
pub fn fragment(bitrate: u32, time: u64) -> Vec<u8> {
    let payload: Vec<u8> = (0..bitrate as usize).map(|i| (i as u64 ^ time) as u8).collect();
    fragment_with(time, &payload, Vec::new())
}

/// Makes a file as a live encoder has it, with the times of `known` of the two fragments that
/// follow.
pub fn live_fragment(bitrate: u32, time: u64, known: usize) -> Vec<u8> {
    let full = FullBox { version: 1, flags: 0 };
    let entry =
        |i: usize| uuid::TfrfEntry { time: time + i as u64 * 10_000_000, duration: 10_000_000 };
    let entries: Vec<_> = (1..=known).map(entry).collect();
    let rest = match known {
        0 => vec![AnyBox::other(*b"free", vec![0; 53])],
        1 => vec![AnyBox::new(uuid::Tfrf { full, entries }), AnyBox::other(*b"free", vec![0; 8])],
        _ => vec![AnyBox::new(uuid::Tfrf { full, entries })],
    };
    let payload: Vec<u8> = (0..bitrate as usize).map(|i| (i as u64 ^ time) as u8).collect();
    fragment_with(time, &payload, rest)
}

/// Makes a client manifest. `attributes` are the root's; streams are kind, word of the URL,
/// bitrates, and the `c` elements.
pub fn manifest(attributes: &str, streams: &[(&str, &str, &[u32], &str)]) -> String {
    let stream = |(kind, word, bitrates, chunks): &(&str, &str, &[u32], &str)| {
        let quality = |bitrate: &u32| format!("<QualityLevel Bitrate=\"{bitrate}\" />\n");
        let qualities: String = bitrates.iter().map(quality).collect();
        format!(
            "<StreamIndex Type=\"{kind}\" QualityLevels=\"{}\" Chunks=\"2\" \
             Url=\"QualityLevels({{bitrate}})/Fragments({word}={{start time}})\">\n{qualities}{chunks}</StreamIndex>\n",
            bitrates.len()
        )
    };
    let streams: String = streams.iter().map(stream).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" \
         Duration=\"30000000\"{attributes}>\n{streams}</SmoothStreamingMedia>\n"
    )
}

/// Writes `c` elements with start and duration.
pub fn chunks(starts: &[u64]) -> String {
    let chunk = |start: &u64| format!("<c t=\"{start}\" d=\"10000000\" />\n");
    starts.iter().map(chunk).collect()
}

/// Makes `film.ism` with two qualities of video and one of audio, and three fragments of each.
pub fn film() -> MemoryStore {
    let store = MemoryStore::new();
    let (video, audio) = (chunks(&[0, 10_000_000, 20_000_000]), chunks(&[0, 10_000_000]));
    let streams =
        [("video", "video", &[3000, 300_000][..], &*video), ("audio", "audio", &[64][..], &*audio)];
    put(&store, "film.ism/Manifest", manifest("", &streams).into_bytes());
    for (path, bytes) in files() {
        put(&store, &path, bytes);
    }
    store
}

/// Returns the files of its fragments.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let of = |bitrate: u32, stream: &str, time: u64| {
        let path = format!("film.ism/QualityLevels({bitrate})/Fragments({stream}={time})");
        (path, fragment(bitrate, time))
    };
    let video = [3000, 300_000].into_iter();
    let video =
        video.flat_map(|bitrate| [0, 10_000_000, 20_000_000].map(|t| of(bitrate, "video", t)));
    let audio = [0, 10_000_000].map(|time| of(64, "audio", time));
    video.chain(audio).collect()
}

pub fn put(store: &MemoryStore, path: &str, bytes: Vec<u8>) {
    store.put(name(path), bytes);
}
