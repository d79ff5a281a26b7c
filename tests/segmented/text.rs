//! Captions: documents in segments of DASH, WebVTT in segments of HLS, at the same times.

use bytes::Bytes;
use smooth_origin::base::Timescale;
use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfdt, Tfhd, uuid::Tfxd};
use smooth_origin::captions::{Document, TimeBase, Window};
use smooth_origin::{ErrorKind, Limits};
use testkit::film::trun;
use testkit::store;

use super::every_film::real;
use super::film::Film;
use super::samples::{Sample, ours, traf};

const SECOND: u64 = 10_000_000;
const NOW: &str = "http://www.w3.org/ns/ttml";
const OLD: &str = "http://www.w3.org/2006/10/ttaf1";

fn ttml(namespace: &str, cues: &[(&str, &str, &str)]) -> String {
    let cue = |(begin, end, text): &(&str, &str, &str)| {
        format!("<p begin=\"{begin}\" end=\"{end}\">{text}</p>")
    };
    let cues: String = cues.iter().map(cue).collect();
    format!("<tt xmlns=\"{namespace}\"><body><div>{cues}</div></body></tt>")
}

/// A fragment of these samples, of a second each.
fn fragment(time: u64, samples: &[&str]) -> Vec<u8> {
    let sizes: Vec<_> = samples.iter().map(|of| (SECOND as u32, of.len() as u32)).collect();
    let moof = |data_offset| {
        let full = FullBox { version: 1, flags: 0 };
        let traf = vec![
            AnyBox::new(Tfhd { track_id: 1, ..Tfhd::default() }),
            AnyBox::new(trun(&sizes, data_offset)),
            AnyBox::new(Tfxd { full, time, duration: sizes.len() as u64 * SECOND }),
        ];
        let mfhd = AnyBox::new(Mfhd { sequence_number: 1, ..Mfhd::default() });
        AnyBox::container(*b"moof", [mfhd, AnyBox::container(*b"traf", traf)])
    };
    let len = moof(0).len() as i32;
    let boxes = [moof(len + 8), AnyBox::other(*b"mdat", samples.concat().into_bytes())];
    Boxes::from_iter(boxes).to_bytes().to_vec()
}

/// A folder of fragments of two seconds, each of these samples.
fn film(fragments: &[&[&str]]) -> Film {
    let chunks: String = (0..fragments.len() as u64)
        .map(|i| format!("<c t='{}' d='{}'/>", i * 2 * SECOND, 2 * SECOND))
        .collect();
    let client = format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' Duration='20000000'>\
         <StreamIndex Type='audio' Name='audio' Url='QualityLevels({{bitrate}})/Fragments(audio={{start time}})'>\
         <QualityLevel Bitrate='64' FourCC='AACL' CodecPrivateData='1190' SamplingRate='48000' Channels='2'/>\
         {chunks}</StreamIndex>\
         <StreamIndex Type='text' Subtype='CAPT' Name='text' Language='eng' \
         Url='QualityLevels({{bitrate}})/Fragments(text={{start time}})'>\
         <QualityLevel Bitrate='1000' FourCC='TTML'/>{chunks}</StreamIndex></SmoothStreamingMedia>"
    );
    let mut files = vec![("film.ism/Manifest".to_owned(), client.into_bytes())];
    for (number, samples) in fragments.iter().enumerate() {
        let time = number as u64 * 2 * SECOND;
        let of = |track: &str| format!("film.ism/QualityLevels({track}={time})");
        files.push((of("1000)/Fragments(text"), fragment(time, samples)));
        files.push((of("64)/Fragments(audio"), fragment(time, &["ab", "c"])));
    }
    let store = store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
    Film::of_store(&store, files.into_iter().collect())
}

/// The sample of a segment of DASH.
fn sample(film: &Film, start: u64) -> Bytes {
    let segment = film.asked(&format!("text-1000/{start}.m4s"));
    let tfdt = traf(&segment).get::<Tfdt>().unwrap().base_media_decode_time;
    assert_eq!(tfdt, start);
    let samples = ours(&segment, (0, 0, 0));
    let (first, last) = (samples[0].at as usize, samples.last().unwrap());
    segment.slice(first..last.at as usize + last.size as usize)
}

/// Start and end in milliseconds, and text, of what a player of DASH shows from a document.
fn shown(document: &Bytes, start: u64) -> Vec<(u64, u64, String)> {
    let window = Window { timescale: Timescale::SMOOTH, start, duration: 2 * SECOND };
    let document = Document::parse(document, &Limits::default()).unwrap();
    let cues = document.cues(TimeBase::Presentation, &window, &Limits::default()).unwrap();
    cues.iter().map(|cue| (cue.start / 10_000, cue.end / 10_000, cue.text.clone())).collect()
}

fn lines(vtt: &Bytes) -> Vec<String> {
    std::str::from_utf8(vtt).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn relative_times_become_those_of_the_presentation_and_others_stay() {
    let document = ttml(NOW, &[("0.5s", "1.5s", "a <span>b</span> &amp; c")]);
    let absolute = ttml(NOW, &[("4.5s", "5.5s", "later")]);
    let film = film(&[&[&document], &[&document], &[&absolute]]);
    assert_eq!(sample(&film, 0), document.as_bytes(), "the first fragment begins at 0");
    let expected = [(2500, 3500, "a b &amp; c".to_owned())];
    assert_eq!(shown(&sample(&film, 2 * SECOND), 2 * SECOND), expected);
    assert_eq!(sample(&film, 4 * SECOND), absolute.as_bytes());
    let vtt = lines(&film.asked("text-1000.vtt/20000000.vtt"));
    let expected = [
        "WEBVTT",
        "X-TIMESTAMP-MAP=MPEGTS:180000,LOCAL:00:00:02.000",
        "",
        "00:00:02.500 --> 00:00:03.500",
        "a b &amp; c",
        "",
    ];
    assert_eq!(vtt, expected);
    let vtt = lines(&film.asked("text-1000.vtt/40000000.vtt"));
    assert_eq!(vtt[3..5], ["00:00:04.500 --> 00:00:05.500", "later"]);
}

#[test]
fn documents_of_2006_are_written_in_the_namespace_of_today() {
    let film = film(&[&[&ttml(OLD, &[("0s", "1s", "a<br/>b")])]]);
    let document = sample(&film, 0);
    let text = String::from_utf8(document.to_vec()).unwrap();
    assert!(text.contains(NOW) && !text.contains("2006"), "{text}");
    assert!(
        text.contains(
            "<p begin=\"00:00:00.000\" end=\"00:00:01.000\" region=\"bottom\">a<br/>b</p>"
        ),
        "{text}"
    );
    assert_eq!(shown(&document, 0), [(0, 1000, "a\nb".to_owned())]);
}

#[test]
fn a_fragment_of_several_samples_has_the_cues_of_all() {
    let first = ttml(NOW, &[("2s", "3s", "one"), ("2.5s", "4s", "both")]);
    let second = ttml(NOW, &[("2.5s", "4s", "both"), ("3s", "4s", "two")]);
    let film = film(&[&[" "], &[&first, &second]]);
    let vtt = String::from_utf8(film.asked("text-1000.vtt/20000000.vtt").to_vec()).unwrap();
    for text in ["one", "two", "both"] {
        assert!(vtt.contains(text), "{vtt}");
    }
    // "one" ends before "both" does, and "two" begins with the second sample.
    let times: Vec<_> = vtt.lines().filter(|line| line.contains("-->")).collect();
    let expected = [
        "00:00:02.000 --> 00:00:02.500",
        "00:00:02.500 --> 00:00:03.000",
        "00:00:03.000 --> 00:00:04.000",
    ];
    assert_eq!(times, expected, "{vtt}");
    let stored = sample(&film, 2 * SECOND);
    assert_eq!(stored, [first, second].concat().as_bytes(), "absolute times stay");
    assert_eq!(lines(&film.asked("text-1000.vtt/0.vtt")).len(), 3, "a blank document has no cue");
}

#[test]
fn a_cue_over_a_border_is_whole_in_both_segments_of_webvtt() {
    let film = film(&[
        &[&ttml(NOW, &[("1s", "3s", "over")])],
        &[&ttml(NOW, &[("1s", "3s", "over"), ("3.2s", "3.8s", "next")])],
    ]);
    for start in [0, 2 * SECOND] {
        let vtt = lines(&film.asked(&format!("text-1000.vtt/{start}.vtt")));
        assert!(vtt.contains(&"00:00:01.000 --> 00:00:03.000".to_owned()), "{vtt:?}");
    }
}

#[test]
fn a_document_that_cannot_be_read_is_served_as_it_is_stored_and_not_as_webvtt() {
    let film = film(&[&["<tt"], &["not XML"]]);
    assert_eq!(sample(&film, 0), "<tt");
    assert_eq!(sample(&film, 2 * SECOND), "not XML");
    let error = testkit::get(&film.origin, "/film.ism/text-1000.vtt/0.vtt").unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Xml { .. }), "{error}");
}

#[test]
fn captions_of_an_archive_are_shown_at_the_same_times_in_both() {
    let film = real("dialects/archive/archive.ism");
    let set = film.sets().into_iter().find(|set| set.kind == "text").unwrap();
    let mut cues = 0;
    for (start, _) in set.times {
        let found = shown(&sample_of_archive(&film, start), start);
        let vtt = film.asked(&format!("captions-1000.vtt/{start}.vtt"));
        let vtt = std::str::from_utf8(&vtt).unwrap();
        assert_eq!(vtt.matches(" --> ").count(), found.len(), "{vtt}");
        cues += found.len();
    }
    assert!(cues > 0);
}

fn sample_of_archive(film: &Film, start: u64) -> Bytes {
    let segment = film.asked(&format!("captions-1000/{start}.m4s"));
    let samples = ours(&segment, (0, 0, 0));
    segment.slice(samples[0].at as usize..)
}

/// Start, end and boxes of each sample of a segment of `wvtt`.
fn wvtt(film: &Film, rendition: &str, start: u64) -> Vec<(u64, u64, Vec<u8>)> {
    let segment = film.asked(&format!("{rendition}/{start}.m4s"));
    let mut time = traf(&segment).get::<Tfdt>().unwrap().base_media_decode_time;
    let sample = |sample: Sample| {
        let begin = time;
        time += u64::from(sample.duration);
        let from = sample.at as usize;
        (begin, time, segment[from..from + sample.size as usize].to_vec())
    };
    ours(&segment, (0, 0, 0)).into_iter().map(sample).collect()
}

fn payloads(sample: &[u8]) -> Vec<String> {
    let boxes = Boxes::parse(&Bytes::copy_from_slice(sample), 0, &Limits::default()).unwrap();
    let cues = boxes.list.iter().filter(|item| item.header.kind == *b"vttc");
    let text = |cue: &AnyBox| {
        let bytes = Boxes::from_iter([cue.clone()]).to_bytes();
        let at = bytes.windows(4).position(|kind| kind == b"payl").unwrap();
        let size = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap()) as usize;
        String::from_utf8(bytes[at + 4..at - 4 + size].to_vec()).unwrap()
    };
    cues.map(text).collect()
}

#[test]
fn samples_of_wvtt_follow_each_other_and_show_what_webvtt_shows() {
    let film = real("dialects/captions/captions.ism");
    for rendition in ["english-1000", "german-1000", "french_forced-1000"] {
        let mut next = 100 * SECOND;
        let mut shown: Vec<(u64, u64, String)> = Vec::new();
        let mut files: Vec<String> = Vec::new();
        for start in (0..5).map(|chunk| (100 + 2 * chunk) * SECOND) {
            for (begin, end, sample) in wvtt(&film, &format!("{rendition}.wvtt"), start) {
                assert_eq!(begin, next, "{rendition} has a hole");
                next = end;
                for text in payloads(&sample) {
                    match shown.last_mut() {
                        Some((_, last, before)) if *last == begin && *before == text => *last = end,
                        _ => shown.push((begin, end, text)),
                    }
                }
            }
            assert_eq!(next, start + 2 * SECOND);
            let vtt = film.asked(&format!("{rendition}.vtt/{start}.vtt"));
            let vtt = std::str::from_utf8(&vtt).unwrap().to_owned();
            files.extend(vtt.split("\n\n").skip(1).map(str::to_owned));
        }
        for (begin, end, text) in &shown {
            let time = |ticks: &u64| {
                format!("00:01:{:06.3}", (ticks - 60 * SECOND) as f64 / SECOND as f64)
            };
            let line = format!("{} --> {}", time(begin), time(end));
            let is_there = |cue: &String| cue.starts_with(&line) && cue.ends_with(text.as_str());
            let is_joined = text == "Over the border";
            assert!(is_joined || files.iter().any(is_there), "{line} {text}: {files:?}");
        }
        let texts: Vec<&str> = shown.iter().map(|(.., text)| &**text).collect();
        let expected: &[&str] = match rendition {
            "english-1000" => &[
                "First &amp; <i>foremost</i>",
                "Over the border",
                "One line\nand another",
                "1 &lt; 2",
            ],
            "german-1000" => &["Grüße", "aus Bremen", "drei  Wörter  weit", "ganz innen"],
            _ => &["ENTRÉE", "SORTIE"],
        };
        assert_eq!(texts, expected);
    }
}

#[test]
fn the_header_of_wvtt_says_so_and_has_the_number_and_language_of_the_track() {
    let film = real("dialects/captions/captions.ism");
    let (stored, wvtt) =
        (film.asked("german-1000/init.mp4"), film.asked("german-1000.wvtt/init.mp4"));
    assert_eq!(super::every_film::header(&stored), super::every_film::header(&wvtt));
    let has = |part: &[u8]| wvtt.windows(part.len()).any(|bytes| bytes == part);
    assert!(has(b"wvtt\0\0\0\0\0\0\0\x01\0\0\0\x0evttCWEBVTT"));
    assert!(has(b"text") && has(b"nmhd") && !has(b"stpp"));
}

#[test]
fn manifests_list_text_in_one_form() {
    let film = real("dialects/captions/captions.ism");
    let text = |mpd: &str| String::from_utf8(film.asked(mpd).to_vec()).unwrap();
    let (usual, wvtt) = (text("manifest.mpd"), text("wvtt.mpd"));
    assert_eq!(usual.matches("codecs=\"stpp\"").count(), 3);
    assert!(!usual.contains("wvtt"));
    assert_eq!(wvtt.matches("codecs=\"wvtt\"").count(), 3);
    assert!(!wvtt.contains("stpp") && wvtt.contains("id=\"english-1000.wvtt\""));
    assert_eq!(usual.replace("stpp", "wvtt").len() + 3 * ".wvtt".len(), wvtt.len());
    let (usual, imsc) = (text("master.m3u8"), text("imsc.m3u8"));
    assert!(usual.contains("english-1000.vtt.m3u8") && !usual.contains("stpp"));
    assert!(imsc.contains("\"english-1000.m3u8\"") && imsc.contains(",stpp.ttml.im1t\""));
    assert!(film.playlist("german-1000.m3u8").entries[0].uri.ends_with(".m4s"));
}

#[test]
fn a_document_that_cannot_be_read_has_no_segment_of_wvtt() {
    let film = film(&[&["<tt"]]);
    let error = testkit::get(&film.origin, "/film.ism/text-1000.wvtt/0.m4s").unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Xml { .. }), "{error}");
}

#[test]
fn what_captions_lose_is_one_finding_per_kind_and_track_and_none_if_nothing_is_lost() {
    let document = |style: &str| {
        format!(
            "<tt xmlns=\"{NOW}\" xmlns:tts=\"{NOW}#styling\"><body><div>\n<p begin=\"0.2s\" {style}>a</p>\n\
             <p begin=\"never\">b</p></div></body></tt>"
        )
    };
    let large = document("tts:fontSize=\"200%\"");
    let film = film(&[&[&large], &[&large], &["<tt"], &["<tt"]]);
    let late = |film: &Film| {
        let findings = film.opened.presentation().findings();
        let captions =
            findings.into_iter().filter(|found| found.code.as_str().starts_with("captions"));
        captions.map(|found| found.to_string()).collect::<Vec<_>>()
    };
    film.asked("text-1000/0.m4s");
    film.asked("text-1000/40000000.m4s");
    assert_eq!(late(&film), [""; 0], "these are sent as they are stored");
    for path in ["text-1000.vtt/0.vtt", "text-1000.wvtt/0.m4s", "text-1000.vtt/20000000.vtt"] {
        film.asked(path);
    }
    for path in ["text-1000.vtt/40000000.vtt", "text-1000.wvtt/60000000.m4s"] {
        assert_eq!(film.status(path), 500, "{path}");
    }
    let found = late(&film);
    assert_eq!(found.len(), 3, "{found:?}");
    for parts in [
        ["info captions-simplified", "line 2: fonts"],
        ["warning captions-lost", "line 3: a time"],
        ["warning captions-lost", "cannot be read"],
    ] {
        let has_all = |finding: &String| parts.iter().all(|part| finding.contains(part));
        assert!(found.iter().any(has_all), "{parts:?} in {found:?}");
    }
}

#[test]
fn a_document_that_fits_both_readings_is_read_as_others_of_its_track() {
    // From 1 s to 7 s, repeated whole in each fragment: in the second and third, 1 s of the fragment is
    // possible, too.
    let over = ttml(NOW, &[("1s", "7s", "over")]);
    let later = ttml(NOW, &[("8.5s", "9.5s", "later")]);
    let absolute = film(&[&[&over], &[&over], &[&over], &[&over], &[&later]]);
    for start in [2, 4, 6].map(|start| start * SECOND) {
        let vtt = lines(&absolute.asked(&format!("text-1000.vtt/{start}.vtt")));
        assert!(vtt.contains(&"00:00:01.000 --> 00:00:07.000".to_owned()), "{vtt:?}");
        assert_eq!(sample(&absolute, start), over.as_bytes());
        let samples = wvtt(&absolute, "text-1000.wvtt", start);
        let end = (start + 2 * SECOND).min(7 * SECOND);
        assert_eq!((samples[0].0, samples[0].1), (start, end));
        assert_eq!(payloads(&samples[0].2), ["over"]);
    }
    let short = ttml(NOW, &[("0.5s", "1s", "short")]);
    let relative = film(&[&[&over], &[&over], &[&over], &[&over], &[&short]]);
    let vtt = lines(&relative.asked("text-1000.vtt/20000000.vtt"));
    assert!(vtt.contains(&"00:00:03.000 --> 00:00:09.000".to_owned()), "{vtt:?}");
    let none = film(&[&[&over], &[&over]]);
    let vtt = lines(&none.asked("text-1000.vtt/20000000.vtt"));
    assert!(vtt.contains(&"00:00:03.000 --> 00:00:09.000".to_owned()), "as players of Smooth");
}

#[test]
fn a_document_that_is_written_again_keeps_places_and_colours() {
    let film = real("dialects/captions/captions.ism");
    let document = film.asked("english-1000/1060000000.m4s");
    let text = String::from_utf8_lossy(&document);
    assert!(
        text.contains("<region xml:id=\"r1\" tts:origin=\"10% 5%\" tts:extent=\"80% 95%\""),
        "{text}"
    );
    let top =
        "<p begin=\"00:01:47.000\" end=\"00:01:47.500\" region=\"r1\">One line<br/>and another</p>";
    assert!(text.contains(top), "{text}");
    assert!(text.contains("<body><div>"), "a region of the body would hide cues of others: {text}");
    let empty = film.asked("german-1000/1040000000.m4s");
    assert!(!String::from_utf8_lossy(&empty).contains("2006"), "nor is an empty document of 2006");
}
