//! Content and work of the benches, which are the same for times and for instructions.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request as HttpRequest;
use smooth_origin::base::{Limits, Name, Step};
use smooth_origin::manifest::{ClientManifest, Layout, StreamKind};
use smooth_origin::origin::{Opened, Origin, block_on};
use smooth_origin::output::mss::{Request, answer};
use smooth_origin::presentation::{OpenOptions, Presentation};
use smooth_origin::service::{Caching, Cors, PassedFiles, ServiceOptions};
use smooth_origin::storage::{MemoryStore, Store};

pub mod long_film;

pub use testkit::film;
use testkit::film::{Fragment, Media, Style, Track, ism, media};

/// Two seconds, in ticks.
const GOP: u32 = 20_000_000;

/// The form of the stored manifest of a long film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    Nothing,
    Full,
    Compact,
}

/// Video in fragments of 2 s, one track.
fn video(id: u32, fragments: u32, payload: u32) -> Track {
    Track::regular(id, StreamKind::Video, fragments, GOP, payload)
}

/// Sound in fragments of about 2 s, no two of which are equally long.
fn sound(id: u32, fragments: u32, payload: u32) -> Track {
    let start = |i: u64| i * 93 * 1024 * 10_000_000 / 48_000;
    let fragment = |i: u64| Fragment {
        time: start(i) as i64,
        samples: vec![((start(i + 1) - start(i)) as u32, payload)],
    };
    Track::new(id, StreamKind::Audio, (0..u64::from(fragments)).map(fragment).collect())
}

/// Three video files and one of sound, with a server manifest and perhaps a client manifest.
pub fn files(seconds: u32, payload: u32, stored: Stored) -> Vec<(String, Media)> {
    files_of(seconds, payload, stored, &[400_000, 1_200_000, 3_500_000], 1)
}

/// A film with a video file for each of these bitrates, and with files of sound that are a stream
/// each. Every fragment is one sample.
pub fn files_of(
    seconds: u32,
    payload: u32,
    stored: Stored,
    bitrates: &[u32],
    sounds: usize,
) -> Vec<(String, Media)> {
    files_with(seconds, payload, stored, bitrates, sounds, Samples::One)
}

/// Samples of a fragment of 2 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples {
    /// One, so that nearly nothing but its payload is read.
    One,
    /// As many as real films have: 50 pictures, 93 frames of sound. No two neighbours have one size.
    Many,
}

impl Samples {
    /// Splits the sample of each fragment.
    fn of(self, mut track: Track) -> Track {
        if self == Self::Many {
            let samples = if track.kind == StreamKind::Video { 50 } else { 93 };
            split(&mut track, samples);
        }
        track
    }
}

/// Splits the one sample of each fragment into this many.
fn split(track: &mut Track, samples: u32) {
    for fragment in &mut track.fragments {
        let (duration, size) = fragment.samples[0];
        let (each, bytes) = (duration / samples, size / samples);
        // Neighbours differ by a byte, and the last has the rest.
        let less = bytes.min(1);
        let of = |number: u32| (each, bytes - less * (number % 2));
        let mut list: Vec<_> = (0..samples - 1).map(of).collect();
        let sum = |list: &[(u32, u32)]| list.iter().map(|&(_, bytes)| bytes).sum::<u32>();
        list.push((duration - (samples - 1) * each, size - sum(&list)));
        fragment.samples = list;
    }
}

/// A film as [`files_of`] makes it, with so many samples in its fragments.
pub fn files_with(
    seconds: u32,
    payload: u32,
    stored: Stored,
    bitrates: &[u32],
    sounds: usize,
    samples: Samples,
) -> Vec<(String, Media)> {
    let of_text = |text: Vec<u8>| {
        let mut media = Media::default();
        media.push(text);
        media
    };
    let (mut files, mut elements) = (Vec::new(), Vec::new());
    let pictures = media(&[samples.of(video(1, seconds / 2, payload))], Style::default());
    for (number, &bitrate) in (1..).zip(bitrates) {
        let name = format!("video{number}.ismv");
        elements.push(("video", name.clone(), bitrate, String::new()));
        files.push((name, pictures.clone()));
    }
    let heard = media(&[samples.of(sound(1, seconds / 2, payload / 10))], Style::default());
    for number in 1..=sounds {
        let (name, stream) = match sounds {
            1 => ("sound.isma".into(), String::new()),
            _ => (format!("sound{number}.isma"), format!("sound{number}")),
        };
        elements.push(("audio", name.clone(), 128_000, stream));
        files.push((name, heard.clone()));
    }
    let tracks: Vec<_> = elements
        .iter()
        .map(|(kind, file, bitrate, stream)| (*kind, &**file, *bitrate, 1, &**stream))
        .collect();
    files.push(("film.ism".into(), of_text(ism(None, &tracks))));
    if stored != Stored::Nothing {
        let text = client_manifest(&files, stored);
        let named = ism(Some("film.ismc"), &tracks);
        files.retain(|(name, _)| name != "film.ism");
        files.push(("film.ism".into(), of_text(named)));
        files.push(("film.ismc".into(), of_text(text.into_bytes())));
    }
    files
}

/// The client manifest that a packager would have stored beside these files.
fn client_manifest(files: &[(String, Media)], stored: Stored) -> String {
    let opened = open(&memory(files));
    let generated = opened.presentation().manifest().unwrap().to_vec();
    let manifest = ClientManifest::parse(&generated, &Limits::default()).unwrap();
    let layout = if stored == Stored::Full { Layout::Full } else { Layout::Compact };
    manifest.to_xml(layout, &Limits::default()).unwrap()
}

/// A recording that lost its index: pictures of 25 a second and sound in one file, in fragments of
/// about 2 s.
pub fn recording(seconds: u32, payload: u32) -> Vec<(String, Media)> {
    let fragments = seconds / 2;
    let split = |mut track: Track, samples: u32| {
        for fragment in &mut track.fragments {
            let (duration, size) = fragment.samples[0];
            let last = duration - (samples - 1) * (duration / samples);
            fragment.samples = vec![(duration / samples, size / samples); samples as usize - 1];
            fragment.samples.push((last, size / samples));
        }
        track
    };
    let tracks =
        [split(video(1, fragments, payload), 50), split(sound(2, fragments, payload / 15), 93)];
    let tracks_of =
        [("video", "film.ismv", 2_000_000, 1, ""), ("audio", "film.ismv", 128_000, 2, "")];
    let mut server = Media::default();
    server.push(ism(None, &tracks_of));
    let style = Style { tfxd: false, mfra: false };
    vec![("film.ism".into(), server), ("film.ismv".into(), media(&tracks, style))]
}

pub fn memory(files: &[(String, Media)]) -> MemoryStore {
    let store = MemoryStore::new();
    for (name, media) in files {
        store.put(Name::new(name).unwrap(), media.to_bytes());
    }
    store
}

/// Writes the files with holes where their payloads are.
pub fn write(files: &[(String, Media)], folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, media) in files {
        media.write_sparse(&folder.join(name)).unwrap();
    }
}

/// Writes the files with payloads that count from the number of their fragment.
pub fn write_whole(files: &[(String, Media)], folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (name, media) in files {
        std::fs::write(folder.join(name), media.to_bytes()).unwrap();
    }
}

/// Opens `film.ism`, as the first request for it does.
pub fn open<S: Store + Clone>(store: &S) -> Arc<Opened> {
    open_with(store.clone())
}

pub fn open_with(store: impl Store) -> Arc<Opened> {
    let origin = Origin::builder(store).open_options(OpenOptions::default()).build();
    block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap()
}

/// A presentation of six tracks in one file, opened and with every fragment looked at once.
pub fn six_tracks(seconds: u32) -> Arc<Presentation> {
    let tracks: Vec<Track> = (1..=6)
        .map(|id| if id < 4 { video(id, seconds / 2, 3) } else { sound(id, seconds / 2, 3) })
        .collect();
    let kind = |id| if id < 4 { "video" } else { "audio" };
    let elements: Vec<_> =
        (1..=6).map(|id| (kind(id), "film.ismv", id * 100_000, id, "")).collect();
    let store = MemoryStore::new();
    store.put(Name::new("film.ism").unwrap(), ism(None, &elements));
    let file = media(&tracks, Style::default());
    store.put(Name::new("film.ismv").unwrap(), file.to_bytes());
    let opened = open(&store);
    let presentation = Arc::clone(opened.presentation());
    let bytes = bytes::Bytes::from(file.to_bytes());
    for stream in presentation.streams() {
        for track in stream.tracks() {
            for (start, _) in stream.timeline().iter() {
                let path = path(stream.name(), track.bitrate(), start);
                let step = answer(&presentation, &Request::parse(&path, None).unwrap()).unwrap();
                let reply = step.drive(|want| match want {
                    smooth_origin::base::Want::Range { range, .. } => {
                        let range = range.start as usize..range.end as usize;
                        Ok(smooth_origin::base::Got::Range(bytes.slice(range)))
                    }
                    _ => unreachable!("an answer reads ranges alone"),
                });
                reply.unwrap();
            }
        }
    }
    presentation
}

pub fn path(stream: &str, bitrate: u32, start: u64) -> String {
    format!("QualityLevels({bitrate})/Fragments({stream}={start})")
}

/// Requests all over a presentation, in an order without order.
pub fn requests(presentation: &Presentation, count: usize) -> Vec<String> {
    let all: Vec<String> = presentation
        .streams()
        .iter()
        .flat_map(|stream| {
            stream.tracks().iter().flat_map(move |track| {
                let starts = stream.timeline().iter();
                starts.map(move |(start, _)| path(stream.name(), track.bitrate(), start))
            })
        })
        .collect();
    (0..count).map(|i| all[(i * 7919 + 31) % all.len()].clone()).collect()
}

/// All that a service can do.
pub fn every_policy() -> ServiceOptions {
    ServiceOptions::default()
        .caching(Caching::default())
        .cors(Cors::any())
        .cross_domain_policies(true)
        .files(PassedFiles::all())
        .compression(true)
}

/// HEAD requests for fragments all over `film.ism`, as a browser sends them.
pub fn heads(presentation: &Presentation, count: usize) -> Vec<HttpRequest<()>> {
    let head = |path: String| {
        HttpRequest::head(format!("/film.ism/{path}"))
            .header("host", "origin.example.com")
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101")
            .header("accept", "*/*")
            .header("accept-encoding", "gzip, deflate, br")
            .header("origin", "https://tv.example.com")
            .body(())
            .unwrap()
    };
    requests(presentation, count).into_iter().map(head).collect()
}

/// Returns the output of a future that waits for nothing.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Bytes of this process that are in memory and of no file, where the system tells.
pub fn own_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kibibytes.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Processor time that this thread has taken.
pub fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The value below which so many parts of a whole lie; of values in ascending order.
pub fn quantile(ascending: &[Duration], part: f64) -> Duration {
    let at = (ascending.len() as f64 * part) as usize;
    ascending.get(at.min(ascending.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Parses a request and locates what it names.
pub fn locate(presentation: &Arc<Presentation>, path: &str) -> u64 {
    let request = Request::parse(path, None).unwrap();
    match answer(presentation, &request).unwrap() {
        Step::Ready(reply) => reply.length(),
        Step::Read(_) => panic!("every fragment has been looked at"),
    }
}

/// A manifest of this many chunks and qualities, none of which is like its neighbour.
pub fn large_manifest(chunks: u64, qualities: u32) -> ClientManifest {
    let quality = |i: u32| {
        format!(
            r#"<QualityLevel Index="{i}" Bitrate="{}" FourCC="H264" MaxWidth="1280" MaxHeight="720" CodecPrivateData="0000000167640020ACD9405005BB011000003E90000EA600F18319600000000168EBECB22C"/>"#,
            100_000 * (i + 1)
        )
    };
    let qualities: String = (0..qualities).map(quality).collect();
    let duration = |i: u64| 20_000_000 + i % 7;
    let chunk = |i: u64| format!("<c d=\"{}\"/>", duration(i));
    let chunks: String = (0..chunks).map(chunk).collect();
    let text = format!(
        r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" TimeScale="10000000" Duration="100000000000"><StreamIndex Type="video" Name="video" TimeScale="10000000" MaxWidth="1280" MaxHeight="720" Url="QualityLevels({{bitrate}})/Fragments(video={{start time}})">{qualities}{chunks}</StreamIndex></SmoothStreamingMedia>"#
    );
    ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// The bound of [`ClientManifest::to_xml`]: the same attribute texts and digits, pushed one after
/// the other into a buffer.
pub fn push_manifest(manifest: &ClientManifest) -> String {
    use std::fmt::Write;
    let stream = &manifest.streams[0];
    let mut text = String::new();
    text.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" TimeScale=\"10000000\" Duration=\"");
    let _ = write!(text, "{}", manifest.duration);
    text.push_str(
        "\">\n<StreamIndex Type=\"video\" Name=\"video\" TimeScale=\"10000000\" Chunks=\"",
    );
    let _ = write!(text, "{}", stream.chunks.len());
    text.push_str("\" QualityLevels=\"");
    let _ = write!(text, "{}", stream.qualities.len());
    text.push_str("\" MaxWidth=\"1280\" MaxHeight=\"720\" Url=\"");
    text.push_str(stream.url.as_deref().unwrap_or_default());
    text.push_str("\">\n");
    for quality in &stream.qualities {
        text.push_str("<QualityLevel Index=\"");
        let _ = write!(text, "{}\" Bitrate=\"{}", quality.index.unwrap_or(0), quality.bitrate);
        text.push_str("\" FourCC=\"H264\" MaxWidth=\"1280\" MaxHeight=\"720\" CodecPrivateData=\"");
        text.push_str(quality.codec_private_data.as_deref().unwrap_or_default());
        text.push_str("\"/>\n");
    }
    let mut digits = [0_u8; 20];
    for (i, chunk) in stream.chunks.iter().enumerate() {
        text.push_str(if i == 0 { "<c t=\"0\" d=\"" } else { "<c d=\"" });
        let mut value = chunk.duration.unwrap_or(0);
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        text.extend(digits[at..].iter().map(|&digit| char::from(digit)));
        text.push_str("\"/>\n");
    }
    text.push_str("</StreamIndex>\n</SmoothStreamingMedia>\n");
    text
}
