//! The JSON of the page: a server is asked over HTTP.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::observed::wait_for;
use crate::program::program;

/// A server that ends with the test.
pub(crate) struct Server {
    process: Child,
    address: String,
}

/// A response.
pub(crate) struct Got {
    pub(crate) status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(program())
            .args(["--listen", "127.0.0.1:0", "--list", "0", "--settling-time", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let rest = line.split("127.0.0.1:").nth(1)?;
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            Some(format!("127.0.0.1:{port}"))
        });
        let address = address.expect("the server prints where it listens");
        Self { process, address }
    }

    pub(crate) fn testdata() -> Self {
        Self::start(&[concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata")])
    }

    fn request(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Got {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head += &format!("Host: {}\r\n", self.address);
        }
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        Got { status, headers: lines.map(header).collect(), body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn get(&self, target: &str) -> Got {
        self.request("GET", target, &[])
    }

    pub(crate) fn api(&self, part: &str) -> Value {
        let got = self.get(&format!("/-/api/{part}"));
        assert_eq!(got.status, 200, "{part}: {}", got.text());
        got.json()
    }

    /// Returns the list of all presentations.
    pub(crate) fn list(&self, query: &str) -> Value {
        let began = Instant::now();
        loop {
            let list = self.api(&format!("presentations?{query}"));
            if list["complete"] == true {
                return list;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "the walk does not end");
        }
    }

    fn names(&self) -> Vec<String> {
        names(&self.list("limit=1000"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Got {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn names(list: &Value) -> Vec<String> {
    let names = array(&list["presentations"]).iter();
    names.map(|named| named["name"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// A folder that ends with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("page-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn encoded(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn everything_of_the_page_keeps_other_pages_out() {
    let server = Server::testdata();
    for target in ["/", "/-/api/server", "/-/api/none", "/-/assets/none", "/-/player/none", "/-/"] {
        let headers = server.get(target).headers;
        let policy = &headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{target}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{target}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{target}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{target}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{target}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{target}");
    }
    assert_eq!(server.get("/-/api/server").headers["cache-control"], "no-store");
}

#[test]
fn a_request_by_the_name_of_another_host_is_refused() {
    let server = Server::start(&["--page-host", "Media.example.org"]);
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:9", 200),
        ("[::1]:9", 200),
        ("media.example.org:443", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ] {
        for target in ["/", "/-/api/server", "/-/api/presentations"] {
            let got = server.request("GET", target, &[("Host", host)]);
            assert_eq!(got.status, status, "{host} {target}");
            assert_eq!(got.text().contains("--page-host"), status == 403, "{host}");
        }
    }
    // The presentations are for everybody.
    let got = server.request("GET", "/ladder/ladder.ism/Manifest", &[("Host", "evil.example")]);
    assert_eq!(got.status, 200);
}

#[test]
fn head_has_the_headers_of_get_and_other_methods_are_refused() {
    let server = Server::testdata();
    let target = "/-/api/presentation?name=ladder/ladder.ism";
    let (get, head) = (server.get(target), server.request("HEAD", target, &[]));
    assert_eq!(head.body, b"");
    assert_eq!(head.headers["content-length"], get.body.len().to_string());
    let post = server.request("POST", target, &[("Content-Length", "0")]);
    assert_eq!((post.status, &*post.headers["allow"]), (405, "GET, HEAD"));
}

#[test]
fn json_is_compressed_for_clients_that_take_it() {
    let server = Server::testdata();
    let target = "/-/api/timeline?name=ladder/ladder.ism";
    let plain = server.get(target);
    assert!(!plain.headers.contains_key("content-encoding"));
    let gzip = server.request("GET", target, &[("Accept-Encoding", "br, gzip")]);
    assert_eq!(gzip.headers["content-encoding"], "gzip");
    assert_eq!(gzip.headers["vary"], "Accept-Encoding");
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(&*gzip.body).read_to_end(&mut inflated).unwrap();
    assert_eq!(inflated, plain.body);
}

#[test]
fn the_server_names_its_folders_and_formats() {
    let root = Folder::new("server");
    let films = format!("films={}", root.path());
    let server = Server::start(&[&films, "--without", "hls"]);
    let facts = server.api("server");
    assert_eq!(facts["listening"], *server.address);
    assert_eq!(facts["roots"][0]["prefix"], "films");
    assert_eq!(facts["roots"][0]["folder"], root.path());
    assert_eq!(facts["formats"], serde_json::json!(["smooth", "dash"]));
    assert!(facts["players"].is_object());
}

#[test]
fn presentations_are_searched_and_paged() {
    let root = Folder::new("paging");
    for number in 0..250 {
        root.write(&format!("Films/{number:03}.ism"), "");
    }
    root.write("Été/Ça va & <b>.ism", "");
    root.write("other.mp4", "");
    let server = Server::start(&[root.path()]);
    let list = server.list("");
    assert_eq!((names(&list).len(), number(&list["walked"])), (100, 251));
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let list = server.list(&format!("limit=60&after={}", encoded(&after)));
        all.extend(names(&list));
        match list["next"].as_str() {
            Some(next) => after = next.into(),
            None => break,
        }
    }
    assert_eq!(all.len(), 251);
    assert!(all.is_sorted());
    assert_eq!(
        names(&server.list("search=FILMS/01&limit=3")),
        ["Films/010.ism", "Films/011.ism", "Films/012.ism"]
    );
    let found = names(&server.list(&format!("search={}", encoded("ÉTÉ/ça VA & <B>"))));
    assert_eq!(found, ["Été/Ça va & <b>.ism"]);
    assert_eq!(names(&server.list("search=nothing")), [""; 0]);
    // What is added is found, though not at once.
    root.write("Films/new.ism", "");
    let began = Instant::now();
    while names(&server.list("search=new.ism")).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "the folders are not walked again");
        std::thread::sleep(Duration::from_millis(100));
    }
    for query in ["limit=x", "limit=-1", "search=%ff"] {
        let got = server.get(&format!("/-/api/presentations?{query}"));
        assert_eq!(got.status, 400, "{query}");
        assert!(got.json()["error"]["what"].is_string());
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_is_a_problem() {
    use std::os::unix::fs::PermissionsExt;
    let root = Folder::new("unreadable");
    root.write("a.ism", "");
    root.write("closed/b.ism", "");
    let closed = root.0.join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads it all the same.
    let is_readable = fs::read_dir(&closed).is_ok();
    let list = Server::start(&[root.path()]).list("");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    if !is_readable {
        assert_eq!(names(&list), ["a.ism"]);
        assert!(list["problems"][0]["what"].as_str().unwrap().contains("closed"), "{list}");
    }
}

#[test]
fn a_presentation_has_its_tracks_in_words() {
    let server = Server::testdata();
    let film = server.api("presentation?name=ladder/ladder.ism");
    assert_eq!((&film["live"], &film["duration_seconds"]), (&false.into(), &24.0.into()));
    let video = &film["streams"][0];
    assert_eq!((&video["type"], &video["name"]), (&"video".into(), &"video".into()));
    let track = &video["tracks"][2];
    assert_eq!(track["codec"], "H.264 High, level 1.2");
    assert_eq!(track["rfc6381"], "avc1.64000C");
    assert_eq!((&track["width"], &track["height"]), (&320.into(), &180.into()));
    assert_eq!(track["frame_rate"], 25.0);
    assert_eq!(track["file"], "ladder.ismv");
    assert_eq!(track["quality_url"], "QualityLevels(220000)");
    let (mean, peak) = (number(&track["measured_bitrate"]), number(&track["peak_bitrate"]));
    assert!((200_000..250_000).contains(&mean) && peak >= mean, "{mean} {peak}");
    let audio = &film["streams"][2];
    assert_eq!((&audio["language"], &audio["language_words"]), (&"fr".into(), &"French".into()));
    assert_eq!(audio["tracks"][0]["codec"], "AAC-LC");
    for url in array(&film["urls"]) {
        assert_eq!(server.get(url["url"].as_str().unwrap()).status, 200, "{url}");
    }
    let protected = server.api("presentation?name=dialects/playready/playready.ism");
    assert_eq!(protected["protection"][0]["system"], "PlayReady");
    assert_eq!(protected["streams"][0]["tracks"][0]["encrypted"], "cenc");
}

#[test]
fn every_finding_says_what_to_do() {
    let server = Server::testdata();
    let mut seen = 0;
    for name in server.names() {
        let film = server.api(&format!("presentation?name={}", encoded(&name)));
        let grave = ["error", "warning", "note"];
        let mut worst = 0;
        for finding in array(&film["findings"]) {
            let severity = grave.iter().position(|of| finding["severity"] == **of).unwrap();
            assert!(severity >= worst, "{name}: the gravest come first");
            worst = severity;
            for key in ["name", "what", "advice"] {
                assert!(!finding[key].as_str().unwrap().is_empty(), "{name}: {finding}");
            }
            for key in ["file", "place"] {
                assert!(finding[key].is_null() || finding[key].is_string(), "{name}: {finding}");
            }
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn a_presentation_that_does_not_open_has_a_reason_and_advice() {
    let root = Folder::new("sick");
    root.write("xml.ism", "<smil><body>");
    root.write("secret.txt", "a secret");
    root.write("empty.ism", r#"<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><switch></switch></body></smil>"#);
    root.write("missing.ism", r#"<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><switch><video src="none.ismv" systemBitrate="1"/></switch></body></smil>"#);
    let server = Server::start(&[root.path()]);
    for (query, status, has_findings) in [
        ("", 400, false),
        ("?name=", 400, false),
        ("?name=../xml.ism", 400, false),
        ("?name=none.ism", 404, false),
        ("?name=secret.txt", 404, false),
        ("?name=xml.ism", 0, false),
        ("?name=empty.ism", 0, false),
        ("?name=missing.ism", 0, true),
    ] {
        for part in ["presentation", "timeline", "boxes"] {
            let got = server.get(&format!("/-/api/{part}{query}"));
            assert!(got.status >= 400, "{part}{query}");
            assert!(status == 0 || got.status == status, "{part}{query}: {}", got.status);
            let json = got.json();
            assert!(!json["error"]["what"].as_str().unwrap().is_empty(), "{part}{query}");
            if status != 400 {
                assert!(json["error"]["advice"].is_string(), "{part}{query}: {json}");
            }
            assert_eq!(
                !json["findings"].is_null(),
                has_findings || query.contains("empty"),
                "{json}"
            );
            if has_findings {
                assert_eq!(json["findings"][0]["name"], "file-missing", "{json}");
            }
        }
    }
}

#[test]
fn hostile_names_come_as_texts_and_lead_nowhere_else() {
    let root = Folder::new("hostile");
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/split");
    let read = |name: &str| fs::read(testdata.join(name)).unwrap();
    for name in ["split.ismc", "split_60.ismv", "split_120.ismv", "split_audio.isma"] {
        root.write(&format!("<img src=x onerror=alert(1)>/{name}"), read(name));
    }
    let folder = "<img src=x onerror=alert(1)>";
    root.write(&format!("{folder}/a&b?c#d%20e'.ism"), read("split.ism"));
    let client = String::from_utf8(read("split.ismc")).unwrap();
    let hostile = "x)}&lt;script>";
    let client = client
        .replace("Name=\"video\"", &format!("Name=\"{hostile}\""))
        .replace("Fragments(video=", &format!("Fragments({hostile}="));
    root.write(&format!("{folder}/split.ismc"), client);
    let server = Server::start(&[root.path()]);
    let names = server.names();
    assert_eq!(names, [format!("{folder}/a&b?c#d%20e'.ism")]);
    let query = encoded(&names[0]);
    let got = server.get(&format!("/-/api/presentation?name={query}"));
    assert_eq!((got.status, &*got.headers["x-content-type-options"]), (200, "nosniff"));
    let film = got.json();
    assert_eq!(film["name"], *names[0]);
    for url in array(&film["urls"]) {
        assert_eq!(server.get(url["url"].as_str().unwrap()).status, 200, "{url}");
    }
    // Every fragment is found by the URL that the page makes.
    let times = server.api(&format!("timeline?name={query}"));
    for (stream, of) in array(&times["streams"]).iter().enumerate() {
        for (track, times) in array(&of["tracks"]).iter().enumerate() {
            let boxes =
                server.api(&format!("boxes?name={query}&stream={stream}&track={track}&fragment=1"));
            let got = server.get(boxes["url"].as_str().unwrap());
            assert_eq!((got.status, got.body.len() as u64), (200, number(&boxes["size"])));
            let below = times["url"].as_str().unwrap();
            let start =
                number(&times["starts"][1]) + of["first"].as_str().unwrap().parse::<u64>().unwrap();
            let below = below.replace("{start time}", &start.to_string());
            assert!(boxes["url"].as_str().unwrap().ends_with(&below), "{boxes}");
        }
    }
    for file in ["../split_60.ismv", "/etc/passwd", "a&b?c#d%20e'.ism/..", "split_61.ismv"] {
        let file = encoded(file);
        assert_eq!(server.get(&format!("/-/api/boxes?name={query}&file={file}")).status, 404);
    }
}

#[test]
fn lists_of_a_timeline_are_equally_long() {
    let server = Server::testdata();
    for name in server.names() {
        let film = server.api(&format!("presentation?name={}", encoded(&name)));
        let times = server.api(&format!("timeline?name={}", encoded(&name)));
        let streams = array(&film["streams"]).iter().zip(array(&times["streams"]));
        for (stream, times) in streams {
            assert_eq!(stream["name"], times["name"]);
            assert_eq!(stream["timescale"], times["timescale"]);
            let tracks = array(&stream["tracks"]).iter().zip(array(&times["tracks"]));
            for (track, times) in tracks {
                let lengths = ["starts", "durations", "sizes", "offsets"]
                    .map(|list| array(&times[list]).len() as u64);
                assert_eq!(lengths, [number(&track["fragments"]); 4], "{name}");
                let sizes = array(&times["sizes"]).iter().map(number).sum::<u64>();
                assert_eq!(sizes, number(&track["size"]), "{name}");
                assert!(array(&times["misaligned"]).is_empty(), "{name}");
            }
        }
    }
}

#[test]
fn fragments_in_files_of_their_own_have_sizes_and_boxes() {
    let source = Server::testdata();
    let times = source.api("timeline?name=split/split.ism");
    let root = Folder::new("folder");
    root.write("a.ism/Manifest", source.get("/split/split.ism/Manifest").body);
    for stream in array(&times["streams"]) {
        for track in array(&stream["tracks"]) {
            for start in array(&track["starts"]) {
                let path = track["url"].as_str().unwrap();
                let path = path.replace("{start time}", &start.to_string());
                let fragment = source.get(&format!("/split/split.ism/{path}"));
                assert_eq!(fragment.status, 200, "{path}");
                root.write(&format!("a.ism/{path}"), fragment.body);
            }
        }
    }
    let server = Server::start(&[root.path()]);
    // Files are measured for a quarter of a second a request.
    let own = wait_for("the sizes of all fragments", || {
        let own = server.api("timeline?name=a.ism");
        let mut tracks = array(&own["streams"]).iter().flat_map(|stream| array(&stream["tracks"]));
        tracks.all(|track| track["sizes_unknown"] == false).then_some(own)
    });
    for (stream, of) in array(&own["streams"]).iter().enumerate() {
        for (track, of) in array(&of["tracks"]).iter().enumerate() {
            let stored = &times["streams"][stream]["tracks"][track];
            assert_eq!((&of["sizes"], &of["starts"]), (&stored["sizes"], &stored["starts"]));
        }
    }
    let track = wait_for("the bitrate that is measured", || {
        let film = server.api("presentation?name=a.ism");
        let track = film["streams"][0]["tracks"][0].clone();
        track["measured_bitrate"].is_number().then_some(track)
    });
    assert_eq!(
        (&track["id"], &track["file"]),
        (&Value::Null, &"a.ism/QualityLevels(120000)".into())
    );
    assert!(number(&track["measured_bitrate"]) > 50_000, "{track}");
    let boxes = server.api("boxes?name=a.ism&stream=0&track=1&fragment=3");
    assert_eq!(boxes["file"], "a.ism/QualityLevels(60000)/Fragments(video=60000000)");
    assert_eq!(sum(array(&boxes["boxes"])), number(&boxes["size"]));
    assert_eq!(boxes["size"], times["streams"][0]["tracks"][1]["sizes"][3]);
}

#[test]
fn millions_of_chunks_are_cut() {
    let source = Server::testdata();
    let manifest = String::from_utf8(source.get("/split/split.ism/Manifest").body).unwrap();
    let first = source.get("/split/split.ism/QualityLevels(60000)/Fragments(video=0)").body;
    let root = Folder::new("many");
    let (before, rest) = manifest.split_once("<c ").unwrap();
    let (_, behind) = rest.split_once("</StreamIndex>").unwrap();
    let chunks = "<c t=\"0\" d=\"20000000\" r=\"4000000\"/>";
    let manifest = format!("{before}{chunks}</StreamIndex>{behind}");
    root.write("a.ism/Manifest", manifest.replace("Chunks=\"12\"", "Chunks=\"4000000\""));
    for bitrate in [60_000, 120_000] {
        root.write(&format!("a.ism/QualityLevels({bitrate})/Fragments(video=0)"), &first);
    }
    let server = Server::start(&[root.path()]);
    let times = server.api("timeline?name=a.ism");
    let tracks = array(&times["streams"][0]["tracks"]);
    let left_out: Vec<_> = tracks.iter().map(|track| number(&track["left_out"])).collect();
    assert_eq!(
        (array(&tracks[0]["starts"]).len(), left_out),
        (500_000, vec![3_500_000, 4_000_000])
    );
    let boxes = server.get("/-/api/boxes?name=a.ism&stream=0&track=0&fragment=3999999");
    assert_eq!(boxes.status, 404);
    assert_eq!(server.api("presentation?name=a.ism")["streams"][0]["fragments"], 4_000_000);
}

#[test]
fn gaps_and_overlaps_and_missing_fragments_are_noted() {
    let root = Folder::new("gaps");
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/split");
    for name in ["split.ism", "split_60.ismv", "split_120.ismv", "split_audio.isma"] {
        root.write(name, fs::read(testdata.join(name)).unwrap());
    }
    let client = fs::read_to_string(testdata.join("split.ismc")).unwrap();
    let (before, rest) = client.split_once("<c ").unwrap();
    let (_, behind) = rest.split_once("</StreamIndex>").unwrap();
    let chunks: String = (0..12)
        .map(|chunk| {
            let duration = match chunk {
                3 => 19_000_000,
                5 => 20_000_012,
                _ => 20_000_000,
            };
            format!("<c t=\"{}\" d=\"{duration}\"/>", chunk * 20_000_000_u64)
        })
        .collect();
    root.write("split.ismc", format!("{before}{chunks}</StreamIndex>{behind}"));
    let times = Server::start(&[root.path()]).api("timeline?name=split.ism");
    let track = &times["streams"][0]["tracks"][0];
    assert_eq!(track["gaps"], serde_json::json!([{ "after": 3, "ticks": 1_000_000 }]));
    assert_eq!(track["overlaps"], serde_json::json!([{ "after": 5, "ticks": 12 }]));
}

#[test]
fn the_boxes_of_every_fragment_add_up() {
    let server = Server::testdata();
    let mut seen = 0;
    for name in server.names() {
        let query = encoded(&name);
        let times = server.api(&format!("timeline?name={query}"));
        for (stream, of) in array(&times["streams"]).iter().enumerate() {
            for (track, times) in array(&of["tracks"]).iter().enumerate() {
                let count = array(&times["starts"]).len();
                for fragment in [0, count / 2, count.saturating_sub(1)] {
                    if fragment >= count {
                        continue;
                    }
                    let place = format!("stream={stream}&track={track}&fragment={fragment}");
                    let boxes = server.api(&format!("boxes?name={query}&{place}"));
                    let tops = array(&boxes["boxes"]);
                    assert_eq!(tops[0]["type"], "moof", "{name} {place}");
                    assert_eq!(sum(tops), number(&boxes["size"]), "{name} {place}");
                    tops.iter().for_each(|of| check_box(of, &name));
                    assert!(!boxes.to_string().contains("\"problem\""), "{name} {place}: {boxes}");
                    seen += 1;
                    // The fragment that the service sends is the one that is shown.
                    let served = server.get(boxes["url"].as_str().unwrap());
                    assert_eq!(served.status, 200, "{name} {place}");
                    let sent = served.body.len() as u64;
                    assert_eq!(sent, number(&boxes["size"]), "{name} {place}");
                    if boxes["offset"] != 0 {
                        assert_eq!(times["offsets"][fragment], boxes["offset"]);
                    }
                }
                let past = format!("stream={stream}&track={track}&fragment={count}");
                let got = server.get(&format!("/-/api/boxes?name={query}&{past}"));
                assert_eq!(got.status, 404, "{name} {past}");
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn the_boxes_of_every_file_add_up() {
    let server = Server::testdata();
    let mut seen = 0;
    for name in server.names() {
        let query = encoded(&name);
        let film = server.api(&format!("presentation?name={query}"));
        for track in array(&film["streams"]).iter().flat_map(|stream| array(&stream["tracks"])) {
            let (Some(file), Some(_)) = (track["file"].as_str(), track["id"].as_u64()) else {
                continue;
            };
            let boxes = server.api(&format!("boxes?name={query}&file={}", encoded(file)));
            let tops = array(&boxes["boxes"]);
            assert!(tops.iter().any(|top| top["type"] == "moov"), "{name} {file}");
            tops.iter().for_each(|of| check_box(of, &name));
            assert!(!boxes.to_string().contains("\"problem\""), "{name} {file}: {boxes}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

fn sum(boxes: &[Value]) -> u64 {
    boxes.iter().map(|of| number(&of["size"])).sum()
}

/// The boxes inside a box follow each other up to its end.
fn check_box(of: &Value, name: &str) {
    let inner = array(&of["boxes"]);
    if let Some(first) = inner.first() {
        let begin = number(&first["offset"]);
        assert!(begin >= number(&of["offset"]) + number(&of["header"]), "{name}: {of}");
        let mut at = begin;
        for inner in inner {
            assert_eq!(number(&inner["offset"]), at, "{name}: {}", of["type"]);
            at += number(&inner["size"]);
        }
        let padding = array(&of["fields"]).iter().any(|field| field["name"] == "padding");
        let end = number(&of["offset"]) + number(&of["size"]);
        assert!(at == end || padding && at < end, "{name}: {}", of["type"]);
    }
    for field in array(&of["fields"]) {
        assert!(field["name"].is_string() && field["value"].is_string(), "{name}: {field}");
    }
    assert!(array(&of["fields"]).len() < 100, "{name}");
    inner.iter().for_each(|inner| check_box(inner, name));
}

#[cfg(unix)]
#[test]
fn media_behind_a_link_that_is_not_followed_is_explained() {
    let base = std::env::temp_dir().join(format!("smooth-page-links-{}", std::process::id()));
    let _ = fs::remove_dir_all(&base);
    let (root, other) = (base.join("root"), base.join("other"));
    fs::create_dir_all(&other).unwrap();
    for name in ["ladder", "bframes"] {
        fs::create_dir_all(root.join(name)).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata").join(name);
        for file in fs::read_dir(from).unwrap().map(|file| file.unwrap().path()) {
            if file.is_file() {
                fs::copy(&file, root.join(name).join(file.file_name().unwrap())).unwrap();
            }
        }
        let media = format!("{name}.ismv");
        fs::rename(root.join(name).join(&media), other.join(&media)).unwrap();
        std::os::unix::fs::symlink(other.join(&media), root.join(name).join(&media)).unwrap();
    }
    let server = Server::start(&[root.to_str().unwrap()]);
    for name in ["ladder", "bframes"] {
        let answer = server.get(&format!("/-/api/presentation?name={name}/{name}.ism")).json();
        let mut found = array(&answer["findings"]).iter();
        let missing = found.find(|finding| finding["name"] == "file-missing").unwrap();
        let what = missing["what"].as_str().unwrap();
        let leads = fs::canonicalize(other.join(format!("{name}.ismv"))).unwrap();
        assert!(what.contains(&format!("out of the folder, to {}", leads.display())), "{what}");
        assert!(what.contains("--links-into"), "{what}");
    }
    drop(server);
    fs::remove_dir_all(&base).unwrap();
}
