//! Generated worst cases: content in which counts that each meet a budget could be multiplied.

use bytes::Bytes;
use smooth_origin::base::Guid;
use smooth_origin::bmff::{AnyBox, Body, Boxes, FullBox, Mfhd, Mfro, Pssh, Tfhd, Tfra, Trex, Trun};
use smooth_origin::manifest::StreamKind;
use smooth_origin_benches::film::{self, Media, Style, Track};

use crate::asked::Files;

/// A presentation that grows with its number of parts.
pub struct Case {
    pub name: &'static str,
    pub files: fn(usize) -> Files,
    /// Parts that make about 2 MB, or as many as a budget allows.
    pub large: usize,
}

const fn case(name: &'static str, large: usize, files: fn(usize) -> Files) -> Case {
    Case { name, files, large }
}

/// As many tracks as a manifest may have.
const MOST: usize = 1024;

pub const CASES: &[Case] = &[
    case("qualities-of-pictures-and-sound", MOST, |n| {
        // Each of pictures is a variant with each of sound.
        let video: String = (0..n / 2).map(|i| coded(i, PICTURES)).collect();
        let audio: String = (0..n / 2).map(|i| coded(i, SOUND)).collect();
        let chunk = "<c t='0' d='20000000'/>";
        folder(&(stream("video", "v", &video, chunk) + &stream("audio", "a", &audio, chunk)))
    }),
    case("streams-with-labels-and-languages", MOST, |n| {
        let one = |i: usize| {
            let audio = coded(64, SOUND);
            let name = "&quot;&lt;&amp;".repeat(64);
            let stream = stream("audio", &format!("{name}{i}"), &audio, "<c t='0' d='20000000'/>");
            stream.replacen("Type=", "Language='&lt;&lt;&amp;' Type=", 1)
        };
        folder(&(0..n).map(one).collect::<String>())
    }),
    case("chunks-of-two-durations", 100_000, |n| {
        let chunks = "<c d='1'/><c d='9'/>".repeat(n / 2);
        folder(&stream("video", "v", &coded(1, PICTURES), &chunks))
    }),
    case("a-run-of-chunks", 500_000, |n| {
        folder(&stream("video", "v", &coded(1, PICTURES), &format!("<c t='0' d='1' r='{n}'/>")))
    }),
    case("runs-of-gaps", 60_000, |n| {
        let chunk = |i: usize| format!("<c t='{}' d='{}'/>", i as u64 * 90_000_000, i % 3);
        let chunks: String = (0..n).map(chunk).collect();
        folder(&stream("video", "v", &coded(1, PICTURES), &chunks))
    }),
    case("times-at-the-end-of-numbers", 60_000, |n| {
        let chunk = |i: usize| format!("<c t='{}' d='{}'/>", u64::MAX - (n - i) as u64, u64::MAX);
        let chunks: String = (0..n).map(chunk).collect();
        let streams = stream("video", "v", &coded(1, PICTURES), &chunks);
        folder(&streams.replacen("Type=", "TimeScale='18446744073709551615' Type=", 1))
    }),
    case("captions", 20_000, |n| captions(&"<p begin='0s' end='2s'>x<br/>y</p>".repeat(n), "")),
    case("captions-in-deep-elements", 60_000, |n| {
        captions(&format!("<p begin='0s' end='2s'>{}", "<span>".repeat(n)), "")
    }),
    case("captions-in-nested-elements", 240, |n| {
        let span = "<span tts:color='red' begin='0.1s'>x";
        captions(&format!("<p>{}{}</p>", span.repeat(n), "</span>".repeat(n)).repeat(100), "")
    }),
    case("captions-of-many-styles", 10_000, |n| {
        let style = |i: usize| format!("<style xml:id='s{i}' style='s{}' tts:color='red'/>", i + 1);
        captions(
            "<p begin='0s' end='2s' style='s0 s1 s2'>x</p>",
            &(0..n).map(style).collect::<String>(),
        )
    }),
    case("captions-of-many-regions", 10_000, |n| {
        let region = |i: usize| format!("<region xml:id='r{i}' tts:origin='1% 2%'/>");
        let cue = |i: usize| format!("<p begin='0s' end='2s' region='r{i}'>x</p>");
        let cues: String = (0..n).map(cue).collect();
        captions(&cues, &format!("<layout>{}</layout>", (0..n).map(region).collect::<String>()))
    }),
    case("captions-of-long-names", 250_000, |n| {
        let (id, time) = ("i".repeat(n), "9".repeat(n));
        captions(
            &format!("<p region='{id}' begin='{time}s' end='0.{time}s'>x</p>"),
            &format!("<layout><region xml:id='{id}'/></layout>"),
        )
    }),
    case("long-name-in-findings", 1_900_000, |n| {
        let qualities: String = (0..MOST.min(n / 32)).map(quality).collect();
        let name = "n".repeat(n);
        set(&[], &stream("video", &name, &qualities, "<c t='0' d='1'/>"), Vec::new())
    }),
    case("long-names-alike", 1_900_000, |n| {
        let streams = n.isqrt().min(MOST);
        let name = "n".repeat(n / streams);
        let one = stream("video", &name, &quality(0), "<c t='0' d='1'/>");
        set(&[], &one.repeat(streams), Vec::new())
    }),
    case("long-names-in-the-server-manifest", 900_000, |n| {
        let tracks = n.isqrt().min(MOST);
        let names = vec!["n".repeat(n / tracks); tracks];
        let name = |name: &String| format!("<param name='trackName' value='{name}'/>");
        let tracks: Vec<_> = names.iter().map(|n| track("video", 1, &name(n))).collect();
        set(&tracks, "", film_of(1, 3))
    }),
    case("times-that-step-back", 170_000, |n| {
        // 64 ascents, none of which has a chunk where the index has its fragments.
        let run = format!("<c t='1' d='1000' r='{n}'/>");
        let manifest = stream("video", "video", &quality(1), &run.repeat(64));
        set(&[track("video", 1, "")], &manifest, indexed(n, 500))
    }),
    case("times-that-step-back-and-match-late", 170_000, |n| {
        let run = format!("<c t='1' d='1000' r='{}'/>", n - 1);
        let manifest =
            stream("video", "video", &quality(1), &(run.repeat(63) + "<c t='0' d='500' r='9'/>"));
        set(&[track("video", 1, "")], &manifest, indexed(n, 500))
    }),
    case("tracks-and-qualities", MOST, |n| {
        let qualities: String = (0..n).map(quality).collect();
        let tracks: Vec<_> = (0..n).map(|i| track("video", n + i, "")).collect();
        set(&tracks, &stream("video", "v", &qualities, "<c t='0' d='1'/>"), film_of(1, 3))
    }),
    case("tracks-and-qualities-of-other-sizes", MOST, |n| {
        // No track has the bitrate, name or picture size of a quality.
        let quality = |i: usize| {
            let size = 1000 + i % 7 * 100;
            format!("<QualityLevel Bitrate='{}' MaxWidth='{size}' MaxHeight='{size}'/>", 7 * i + 1)
        };
        let qualities: String = (0..n).map(quality).collect();
        let size = "<param name='MaxWidth' value='9'/><param name='MaxHeight' value='9'/>";
        let tracks: Vec<_> = (0..n).map(|i| track("video", 9 * (n - i), size)).collect();
        set(&tracks, &stream("video", "v", &qualities, "<c t='0' d='1'/>"), film_of(1, 3))
    }),
    case("names-of-other-streams", MOST, |n| {
        // Each track has the name of one stream and the bitrate of another stream's quality.
        let one = |i: usize| stream("video", &format!("v{i}"), &quality(i + 1), "<c t='0' d='1'/>");
        let name = |i: usize| format!("<param name='trackName' value='v{i}'/>");
        let tracks: Vec<_> = (0..n).map(|i| track("video", n - i, &name(i))).collect();
        set(&tracks, &(0..n).map(one).collect::<String>(), film_of(1, 3))
    }),
    case("tracks-with-many-parameters", 24_000, |n| {
        let tracks = (n / 48).min(MOST);
        let params = "<param name='p' value='v'/>".repeat(24);
        let qualities: String = (0..tracks).map(quality).collect();
        let tracks: Vec<_> = (0..tracks).map(|i| track("video", tracks + i, &params)).collect();
        set(&tracks, &stream("video", "v", &qualities, "<c t='0' d='1'/>"), film_of(1, 3))
    }),
    case("custom-attributes", 19_000, |n| {
        // Each track has all values of a quality but the last.
        let count = (n / 30).min(MOST);
        let attribute = |name, value| format!("<Attribute Name='a{name}' Value='{value}'/>");
        let attributes: String =
            (0..29).map(|i| attribute(i, 1)).chain([attribute(29, 2)]).collect();
        let quality = format!(
            "<QualityLevel Bitrate='1'><CustomAttributes>{attributes}</CustomAttributes></QualityLevel>"
        );
        let params: String = (0..30).map(|i| format!("<param name='a{i}' value='1'/>")).collect();
        let tracks = vec![track("video", 1, &params); count];
        let streams = stream("video", "video", &quality.repeat(count), "<c t='0' d='1'/>");
        set(&tracks, &streams, film_of(1, 3))
    }),
    case("numbered-names", MOST, |n| {
        // One name in as many languages: each is a stream with a number of its own.
        let params = "<param name='trackName' value='a'/>";
        tracks_of_one_file(n, |id| (1, format!(" systemLanguage='l{id}'"), params.into()))
    }),
    case("one-bitrate", MOST, |n| tracks_of_one_file(n, |_| (7, String::new(), String::new()))),
    case("one-file-by-many-tracks", MOST, |n| {
        server_alone(&vec![track("video", 7, ""); n], indexed(20 * n, 500))
    }),
    case("file-names", MOST, |n| {
        let name = "f".repeat(900);
        let src = |i: usize| format!("{name}{i:04}");
        let tracks: Vec<_> = (0..n).map(|i| element("video", &src(i), 1, "", "")).collect();
        server_alone(&tracks, Vec::new())
    }),
    case("tracks-without-media", MOST, |n| {
        let params = |i: usize| format!("<param name='trackName' value='{}{i}'/>", "n".repeat(500));
        let tracks: Vec<_> = (0..n).map(|i| track("video", 1, &params(i))).collect();
        server_alone(&tracks, Vec::new())
    }),
    case("track-headers", MOST, |n| {
        let tracks: Vec<_> =
            (1..=n as u32).map(|id| Track::regular(id, StreamKind::Video, 1, 1, 1)).collect();
        let named: Vec<_> = (1..=n)
            .map(|id| {
                element("video", "1.ismv", id, "", &format!("<param name='trackID' value='{id}'/>"))
            })
            .collect();
        server_alone(&named, film::media(&tracks, Style::default()).to_bytes())
    }),
    case("track-defaults", 50_000, |n| {
        let trex = |i: usize| AnyBox::new(Trex { track_id: i as u32 + 5000, ..Trex::default() });
        let tracks: Vec<_> = (1..=MOST.min(n / 40) as u32)
            .map(|id| Track::new(id, StreamKind::Video, Vec::new()))
            .collect();
        let mvex = AnyBox::container(*b"mvex", (0..n).map(trex));
        server_alone(&[track("video", 1, "")], with_moov(&tracks, vec![mvex]))
    }),
    case("protection-systems", 50_000, |n| {
        let pssh = |i: usize| protection(i);
        let mut boxes: Vec<_> = (0..n).map(pssh).collect();
        boxes.push(protection(0));
        server_alone(
            &[track("video", 1, "")],
            with_moov(&[Track::regular(1, StreamKind::Video, 2, 1, 1)], boxes),
        )
    }),
    case("indexes-of-other-tracks", 60_000, |n| {
        let tfra = |i: usize| {
            AnyBox::new(Tfra {
                full: FullBox::default(),
                track_id: i as u32 + 5000,
                widths: 0,
                bytes: Bytes::new(),
            })
        };
        let tracks: Vec<_> = (1..=MOST.min(n / 40) as u32)
            .map(|id| Track::new(id, StreamKind::Video, Vec::new()))
            .collect();
        let mut media = Media::default();
        media.push(with_moov(&tracks, Vec::new()));
        push_index(&mut media, (0..n).map(tfra).collect());
        server_alone(&[track("video", 1, "")], media.read(0..media.len))
    }),
    case("claimed-samples", MOST, |n| {
        // A million samples that take no bytes in each fragment, of a track each.
        claimed(n as u32, vec![AnyBox::new(Trun { sample_count: 1 << 20, ..Trun::default() })])
    }),
    case("claimed-samples-in-runs", 60_000, |n| {
        let trun = AnyBox::new(Trun { sample_count: ((1 << 20) / n) as u32, ..Trun::default() });
        claimed(1, vec![trun; n])
    }),
    case("files-without-an-index", MOST, |n| {
        let names: Vec<_> = (0..n).map(|i| format!("{i}.ismv")).collect();
        let tracks: Vec<_> = names.iter().map(|name| element("video", name, 1, "", "")).collect();
        let media = media_without_index(8);
        let files = names.iter().map(|name| (name.clone(), Bytes::from(media.clone())));
        files.chain([("film.ism".to_owned(), server(&tracks, false).into())]).collect()
    }),
    case("a-walk-over-small-boxes", 250_000, |n| {
        let boxes = b"\0\0\0\x08free".repeat(n);
        server_alone(&[track("video", 1, "")], [media_without_index(2), boxes].concat())
    }),
    case("fragments-that-lie", 8000, |n| {
        // All fragments are of another track than the index says.
        let track_of = |id| Track::regular(id, StreamKind::Video, n as u32, 1, 1);
        let mut media = film::media(&[track_of(2)], Style { mfra: false, tfxd: true });
        let entries = media
            .fragments
            .iter()
            .map(|(_, time, range)| (*time as u32, range.start as u32))
            .collect::<Vec<_>>();
        let bytes = entries
            .iter()
            .flat_map(|(time, at)| {
                [&time.to_be_bytes()[..], &at.to_be_bytes(), &[1, 1, 1]].concat()
            })
            .collect();
        let tfra = AnyBox::new(Tfra { full: FullBox::default(), track_id: 2, widths: 0, bytes });
        push_index(&mut media, vec![tfra]);
        server_alone(&[track("video", 1, "")], media.to_bytes())
    }),
    case("chunks", 80_000, |n| {
        let manifest =
            stream("video", "video", &quality(1), &"<c t='5' d='3'/><c d='1'/>".repeat(n / 2));
        set(&[track("video", 1, "")], &manifest, film_of(1, 3))
    }),
    case("unclosed-comments-in-a-broken-element", 475_000, |n| {
        ill_formed(&format!("<x a='1' a='2'>{}", "<!--".repeat(n)))
    }),
    case("unclosed-instructions-in-a-broken-element", 950_000, |n| {
        ill_formed(&format!("<x a='1' a='2'>{}", "<?".repeat(n)))
    }),
    case("unclosed-document-types-in-a-broken-element", 172_000, |n| {
        ill_formed(&format!("<x a='1' a='2'>{}", "<!DOCTYPE[>".repeat(n)))
    }),
    case("unclosed-cdata-sections-in-a-broken-element", 211_000, |n| {
        ill_formed(&format!("<x a='1' a='2'>{}", "<![CDATA[".repeat(n)))
    }),
    case("unclosed-comments-in-the-server-manifest", 250_000, |n| {
        let inside = format!("<x a='1' a='2'>{}", "<!--".repeat(n));
        server_alone(&[track("video", 1, ""), inside], film_of(1, 3))
    }),
    case("broken-tags-in-a-broken-element", 120_000, |n| {
        ill_formed(&format!("<x a='1' a='2'>{}", "<y a='1' a='2'>".repeat(n)))
    }),
    case("broken-tags-that-go-on", 1000, |n| {
        let attributes: String = (0..48).map(|i| format!(" a{i}=\"' b{i}='\"")).collect();
        ill_formed(&format!("<y a=\"<y b='\"{attributes} <").repeat(n))
    }),
    case("an-ill-formed-manifest-of-chunks", 80_000, |n| {
        ill_formed(&stream(
            "video",
            "video",
            &quality(1),
            &"<c t='5' d='3'/><c d='1'/>".repeat(n / 2),
        ))
    }),
    case("end-tags-that-end-nothing", 450_000, |n| ill_formed(&"</y>".repeat(n))),
    case("ampersands-that-begin-nothing", 1_900_000, |n| ill_formed(&"&".repeat(n))),
    case("unclosed-elements", 600_000, |n| ill_formed(&"<y>".repeat(n))),
    case("numbers-to-correct", 80_000, |n| {
        let chunks = "<c t='5' d=' 3'/><c d='1.0' t=''/>".repeat(n / 2);
        set(
            &[track("video", 1, "")],
            &stream("video", "video", &quality(1), &chunks),
            film_of(1, 3),
        )
    }),
    case("numbers-that-are-none", MOST, |n| {
        let quality = |i: usize| format!("<QualityLevel Bitrate='{i}' MaxWidth='x' Index=''/>");
        let qualities: String = (0..n).map(quality).collect();
        let chunk = "<c t='0' d='1'/>";
        set(&[track("video", 1, "")], &stream("video", "v", &qualities, chunk), film_of(1, 3))
    }),
    case("attributes-of-an-ill-formed-element", 150_000, |n| {
        let attributes: String = (0..n).map(|i| format!(" a{i}='1'")).collect();
        ill_formed(&format!("<x{attributes}/>"))
    }),
    case("attributes-of-ill-formed-elements", 700, |n| {
        let attributes: String = (0..250).map(|i| format!(" a{i}='1'")).collect();
        ill_formed(&format!("<x{attributes}/>").repeat(n))
    }),
    case("streams", MOST, |n| {
        let one = |i: usize| {
            stream(
                "video",
                &format!("{}{i:04}", "n".repeat(900)),
                &quality(i),
                "<c t='0' d='1' r='9'/>",
            )
        };
        set(&[track("video", 1, "")], &(0..n).map(one).collect::<String>(), film_of(1, 3))
    }),
];

fn quality(bitrate: usize) -> String {
    format!("<QualityLevel Bitrate='{bitrate}'/>")
}

fn stream(kind: &str, name: &str, qualities: &str, chunks: &str) -> String {
    format!("<StreamIndex Type='{kind}' Name='{name}'>{qualities}{chunks}</StreamIndex>")
}

fn track(kind: &str, bitrate: usize, params: &str) -> String {
    element(kind, "1.ismv", bitrate, "", params)
}

fn element(kind: &str, src: &str, bitrate: usize, attributes: &str, params: &str) -> String {
    format!("<{kind} src='{src}' systemBitrate='{bitrate}'{attributes}>{params}</{kind}>")
}

fn server(tracks: &[String], is_stored: bool) -> String {
    let meta = "<meta name='clientManifestRelativePath' content='film.ismc'/>";
    let head = if is_stored { format!("<head>{meta}</head>") } else { String::new() };
    format!("<smil>{head}<body><switch>{}</switch></body></smil>", tracks.concat())
}

/// A server manifest, a client manifest with these streams, and a media file.
fn set(tracks: &[String], streams: &str, media: Vec<u8>) -> Files {
    let client = format!("<SmoothStreamingMedia>{streams}</SmoothStreamingMedia>");
    vec![
        ("film.ism".into(), server(tracks, true).into()),
        ("film.ismc".into(), client.into()),
        ("1.ismv".into(), media.into()),
    ]
}

/// A client manifest with these streams that is not well-formed, and a media file.
fn ill_formed(streams: &str) -> Files {
    let chunks = stream("video", "video", &quality(1), "<c t='0' d='1'/>");
    set(&[track("video", 1, "")], &format!("{chunks}<x a=1/>{streams}"), film_of(1, 3))
}

fn server_alone(tracks: &[String], media: Vec<u8>) -> Files {
    vec![("film.ism".into(), server(tracks, false).into()), ("1.ismv".into(), media.into())]
}

/// A file of `n` tracks, and for each what the server manifest says: its bitrate, attributes and
/// parameters.
fn tracks_of_one_file(n: usize, said: impl Fn(usize) -> (usize, String, String)) -> Files {
    let tracks: Vec<_> =
        (1..=n as u32).map(|id| Track::regular(id, StreamKind::Audio, 1, 1, 1)).collect();
    let named = |id: usize| {
        let (bitrate, attributes, params) = said(id);
        let params = format!("<param name='trackID' value='{id}'/>{params}");
        element("audio", "1.ismv", bitrate, &attributes, &params)
    };
    let named: Vec<_> = (1..=n).map(named).collect();
    server_alone(&named, film::media(&tracks, Style::default()).to_bytes())
}

const PICTURES: &str = "FourCC='H264' MaxWidth='320' MaxHeight='180' CodecPrivateData='000000016742C00DDA05067E7C39A808080A000007D20001D4C01E2855400000000168CE3C80'";
const SOUND: &str = "FourCC='AACL' CodecPrivateData='1190' SamplingRate='48000' Channels='2' AudioTag='255' BitsPerSample='16' PacketSize='4'";

fn coded(bitrate: usize, said: &str) -> String {
    format!("<QualityLevel Bitrate='{bitrate}' {said}/>")
}

/// A folder of fragments with this manifest, in which the fragments themselves are missing.
fn folder(streams: &str) -> Files {
    let text = format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='1'>{streams}</SmoothStreamingMedia>"
    );
    vec![("film.ism/Manifest".into(), text.into())]
}

/// A film of one document of TTML with this in its body and in its head.
fn captions(body: &str, head: &str) -> Files {
    let document = format!(
        "<tt xmlns='http://www.w3.org/ns/ttml' xmlns:tts='http://www.w3.org/ns/ttml#styling'>\
         <head>{head}</head><body><div>{body}</div></body></tt>"
    );
    let track = Track::new(1, StreamKind::Text, Vec::new());
    let fragment = film::Fragment { time: 0, samples: vec![(20_000_000, document.len() as u32)] };
    let mut media = Media::default();
    media.push(Boxes::from_iter([film::moov(std::slice::from_ref(&track))]).to_bytes().to_vec());
    let start = media.len as u32;
    let moof = track.moof(&fragment, 1, Style::default());
    let boxes = [moof, AnyBox::other(*b"mdat", document.into_bytes())];
    media.push(Boxes::from_iter(boxes).to_bytes().to_vec());
    let bytes = [&[0; 4][..], &start.to_be_bytes(), &[1, 1, 1]].concat().into();
    let tfra = AnyBox::new(Tfra { full: FullBox::default(), track_id: 1, widths: 0, bytes });
    push_index(&mut media, vec![tfra]);
    let text = element("textstream", "1.ismv", 1, "", "");
    let sound = element("audio", "2.ismv", 64, "", "");
    let audio = Track::regular(1, StreamKind::Audio, 1, 20_000_000, 1);
    let audio = film::media(&[audio], Style::default()).to_bytes();
    let mut files = server_alone(&[text, sound], media.read(0..media.len));
    files.push(("2.ismv".into(), audio.into()));
    files
}

fn film_of(id: u32, count: u32) -> Vec<u8> {
    film::media(&[Track::regular(id, StreamKind::Video, count, 1, 1)], Style::default()).to_bytes()
}

fn media_without_index(count: u32) -> Vec<u8> {
    let track = Track::regular(1, StreamKind::Video, count, 1, 1);
    film::media(&[track], Style { mfra: false, tfxd: false }).to_bytes()
}

/// A file of a `moov` with more boxes in it, and of the tracks' fragments.
fn with_moov(tracks: &[Track], more: Vec<AnyBox>) -> Vec<u8> {
    let mut moov = film::moov(tracks);
    let Body::Boxes(boxes) = &mut moov.body else { unreachable!("a `moov` is a container") };
    boxes.list.extend(more);
    let mut media = Media::default();
    media.push(Boxes::from_iter([moov]).to_bytes().to_vec());
    media.read(0..media.len)
}

fn protection(system: usize) -> AnyBox {
    let system_id = Guid::from_u128(system as u128);
    AnyBox::new(Pssh {
        full: FullBox::default(),
        system_id,
        key_ids: Vec::new(),
        data: Bytes::new(),
    })
}

fn push_index(media: &mut Media, tfras: Vec<AnyBox>) {
    let size = tfras.iter().map(AnyBox::len).sum::<u64>() as u32 + 24;
    let mfro = AnyBox::new(Mfro { size, ..Mfro::default() });
    let mfra = AnyBox::container(*b"mfra", tfras.into_iter().chain([mfro]));
    media.push(Boxes::from_iter([mfra]).to_bytes().to_vec());
}

/// A file whose index has `n` entries, `duration` ticks apart, of which only the first and the last
/// lead to fragments.
fn indexed(n: usize, duration: u32) -> Vec<u8> {
    let last = (n as u32 - 1) * duration;
    let track = Track::new(1, StreamKind::Video, Vec::new());
    let mut media = Media::default();
    media.push(Boxes::from_iter([film::moov(std::slice::from_ref(&track))]).to_bytes().to_vec());
    let fragment = |media: &mut Media, time: u32| {
        let start = media.len as u32;
        let fragment = film::Fragment { time: time.into(), samples: vec![(1, 1)] };
        let moof = track.moof(&fragment, 1, Style::default());
        let boxes = [moof, AnyBox::other(*b"mdat", vec![0])];
        media.push(Boxes::from_iter(boxes).to_bytes().to_vec());
        (time, start)
    };
    let mut entries = vec![fragment(&mut media, 0)];
    let between = media.len as u32;
    media.push(Boxes::from_iter([AnyBox::other(*b"free", vec![0; n])]).to_bytes().to_vec());
    entries.extend((1..n as u32 - 1).map(|i| (i * duration, between + i)));
    entries.push(fragment(&mut media, last));
    let entry = |(time, offset): (u32, u32)| {
        [&time.to_be_bytes()[..], &offset.to_be_bytes(), &[1, 1, 1]].concat()
    };
    let bytes = entries.into_iter().flat_map(entry).collect();
    let tfra = AnyBox::new(Tfra { full: FullBox::default(), track_id: 1, widths: 0, bytes });
    push_index(&mut media, vec![tfra]);
    media.read(0..media.len)
}

/// A file of as many tracks, each with two fragments of these runs, and their index.
fn claimed(tracks: u32, runs: Vec<AnyBox>) -> Files {
    let ids = 1..=tracks;
    let list: Vec<_> =
        ids.clone().map(|id| Track::new(id, StreamKind::Video, Vec::new())).collect();
    let mut media = Media::default();
    media.push(with_moov(&list, Vec::new()));
    let mut tfras = Vec::new();
    for id in ids.clone() {
        let mut entries = Vec::new();
        for time in [0_u32, 10] {
            entries.extend(
                [&time.to_be_bytes()[..], &(media.len as u32).to_be_bytes(), &[1, 1, 1]].concat(),
            );
            let tfhd = AnyBox::new(Tfhd { track_id: id, ..Tfhd::default() });
            let traf = AnyBox::container(*b"traf", [tfhd].into_iter().chain(runs.iter().cloned()));
            let moof = AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf]);
            media.push(
                Boxes::from_iter([moof, AnyBox::other(*b"mdat", vec![0])]).to_bytes().to_vec(),
            );
        }
        tfras.push(AnyBox::new(Tfra {
            full: FullBox::default(),
            track_id: id,
            widths: 0,
            bytes: entries.into(),
        }));
    }
    push_index(&mut media, tfras);
    let named: Vec<_> = ids
        .map(|id| {
            element(
                "video",
                "1.ismv",
                id as usize,
                "",
                &format!("<param name='trackID' value='{id}'/>"),
            )
        })
        .collect();
    server_alone(&named, media.read(0..media.len))
}
