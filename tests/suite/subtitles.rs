//! Files of SubRip and WebVTT, as they are met, become cues; a TTML document of a film is cut into chunks
//! that show the same.
#![cfg(feature = "package")]

use std::path::Path;
use std::process::Command;

use smooth_origin::base::{ErrorKind, Limits, Timescale};
use smooth_origin::captions::{
    Document, LossKind, Subtitles, TextFormat, TimeBase, WholeDocument, Window,
};

const SECOND: u64 = 10_000_000;

fn parse(text: impl AsRef<[u8]>, format: TextFormat) -> Subtitles {
    Subtitles::parse(text.as_ref(), format, &Limits::default()).unwrap()
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// Start and end in milliseconds, settings and text of each cue.
fn told(subtitles: &Subtitles) -> Vec<String> {
    let cue = |cue: &smooth_origin::captions::Cue| {
        format!("{}-{} {}|{}", cue.start / 10_000, cue.end / 10_000, cue.settings, cue.text)
    };
    subtitles.cues().iter().map(cue).collect()
}

#[track_caller]
fn assert_subrip(text: &str, expected: &[&str]) {
    assert_eq!(told(&parse(text, TextFormat::SubRip)), expected, "{text:?}");
    // Line ends of Windows and of the old Macintosh, and a missing last line end.
    for end in ["\r\n", "\r"] {
        let text = text.trim_end().replace('\n', end);
        assert_eq!(told(&parse(&text, TextFormat::SubRip)), expected, "{text:?}");
    }
}

#[track_caller]
fn assert_webvtt(text: &str, expected: &[&str]) {
    assert_eq!(told(&parse(text, TextFormat::WebVtt)), expected, "{text:?}");
    let text = text.trim_end().replace('\n', "\r\n");
    assert_eq!(told(&parse(&text, TextFormat::WebVtt)), expected, "{text:?}");
}

#[test]
fn subrip_is_read_as_it_is_met() {
    assert_subrip(
        "1\n00:00:01,000 --> 00:00:02,500\nOne\ntwo\n\n2\n00:00:03,000 --> 00:00:04,000\nThree\n",
        &["1000-2500 |One\ntwo", "3000-4000 |Three"],
    );
    // No numbers, a point, no empty line between cues, empty lines within.
    assert_subrip(
        "00:00:01.0 --> 00:00:02.5\nOne\n\ntwo\n\n\n00:00:03,000-->00:00:04,000\nThree\n00:00:05,000 --> 00:00:06,000\nFour\n",
        &["1000-2500 |One\n\u{a0}\ntwo", "3000-4000 |Three", "5000-6000 |Four"],
    );
    // Numbers without an empty line before, and text that is a number.
    assert_subrip(
        "7\n00:00:01,000 --> 00:00:02,000\n1984\n8\n00:00:03,000 --> 00:00:04,000\n2001\n\n\n00:00:05,000 --> 00:00:06,000\nx\n",
        &["1000-2000 |1984", "3000-4000 |2001", "5000-6000 |x"],
    );
    // Any order, overlaps, nothing to show.
    assert_subrip(
        "1\n00:00:05,000 --> 00:00:06,000\nb\n\n2\n00:00:01,000 --> 00:00:09,000\na\n\n3\n00:00:07,000 --> 00:00:08,000\n\n4\n00:00:05,000 --> 00:00:05,500\nc\n",
        &["1000-9000 |a", "5000-6000 |b", "5000-5500 |c"],
    );
}

#[test]
fn tags_of_subrip_become_markup() {
    let file = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<I>One</I> <b>two <u>three</b>\n\
        <font color=\"#FFFF00\" size=3>four</font> <laughs> 1 < 2 & {3}\n\n\
        2\n00:00:03,000 --> 00:00:04,000  X1:1 X2:2\n{\\i1}a{\\i0}b &amp; <font color=pink>c\n";
    assert_subrip(
        file,
        &[
            "1000-2000 line:5%|<i>One</i> <b>two <u>three</u></b>\n<c.yellow>four</c> &lt;laughs&gt; 1 &lt; 2 &amp; {3}",
            "3000-4000 |<i>a</i>b &amp; c",
        ],
    );
    let losses = parse(file, TextFormat::SubRip).losses().to_vec();
    let losses: Vec<_> = losses.iter().map(|loss| (loss.kind, loss.line)).collect();
    assert_eq!(losses, [(LossKind::Style, 4), (LossKind::Layout, 7), (LossKind::Colour, 8)]);
    let place = |key: u8| {
        let file = format!("00:00:01,000 --> 00:00:02,000\n{{\\an{key}}}a");
        parse(file, TextFormat::SubRip).cues()[0].settings.to_string()
    };
    assert_eq!(place(2), "");
    assert_eq!(place(1), "position:10% size:80% align:left");
    assert_eq!(place(5), "line:50%,center");
    assert_eq!(place(9), "line:5% position:90% size:80% align:right");
}

#[test]
fn every_encoding_gives_the_same_text() {
    let text = "1\n00:00:01,000 --> 00:00:02,000\nDéjà vu – café\n";
    let expected = ["1000-2000 |Déjà vu – café"];
    let wide = |unit: fn(u16) -> [u8; 2]| {
        let marked = format!("\u{feff}{text}");
        marked.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
    };
    let windows: Vec<u8> = text
        .chars()
        .map(|c| if c == '–' { 0x96 } else { u8::try_from(u32::from(c)).unwrap() })
        .collect();
    for (bytes, is_told) in [
        (text.as_bytes().to_vec(), false),
        (format!("\u{feff}{text}").into_bytes(), false),
        (wide(u16::to_le_bytes), false),
        (wide(u16::to_be_bytes), false),
        (windows, true),
    ] {
        let subtitles = parse(&bytes, TextFormat::SubRip);
        assert_eq!(told(&subtitles), expected);
        let notices = subtitles.notices();
        assert_eq!(notices.iter().any(|notice| notice.contains("windows-1252")), is_told);
    }
}

#[test]
fn webvtt_is_read_with_settings_tags_and_blocks() {
    let file = "WEBVTT - a film\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n\
        NOTE nothing\nmore\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:top\nwidth:80%\nviewportanchor:10%,20%\n\n\
        intro\n00:01.000 --> 00:02.000 align:start position:10%\n\
        <v.loud Roger>Fish &amp;&nbsp;chips</v> <i>1 &lt; 2</i>\n\n\
        00:00:03.000 --> 00:00:04.000 line:0\n<c.yellow.bg_blue>a <00:00:03.500>b</c> <ruby>c<rt>d</rt></ruby>&lrm;\n\
        NOTE is text here\n\n\
        01:00:00.000 --> 01:00:01.000 region:top\n- <b>no end\n";
    assert_webvtt(
        file,
        &[
            "1000-2000 position:10% size:90% align:left|Fish &amp;\u{a0}chips <i>1 &lt; 2</i>",
            "3000-4000 line:0%|<c.yellow.bg_blue>a b</c> c(d)\u{200e}\nNOTE is text here",
            "3600000-3601000 line:20%,end size:80%|- <b>no end</b>",
        ],
    );
    let subtitles = parse(file, TextFormat::WebVtt);
    let notices = subtitles.notices();
    for (said, line) in [
        ("X-TIMESTAMP-MAP", ""),
        ("fonts, sizes or effects", "line 7: "),
        ("a change of style", "line 20: "),
        ("ruby", "line 20: "),
    ] {
        let has = |notice: &String| notice.contains(said) && notice.contains(line);
        assert!(notices.iter().any(has), "{said}: {notices:?}");
    }
    assert_eq!(told(&parse("WEBVTT", TextFormat::WebVtt)), Vec::<String>::new());
    assert_webvtt("WEBVTT\n00:01.000 --> 00:02.000\na\n", &["1000-2000 |a"]);
    assert_webvtt(
        "WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:02.000 --> 00:03.000\nb\n",
        &["1000-2000 |a", "2000-3000 |b"],
    );
}

#[test]
fn what_is_no_file_of_captions_is_refused_with_line_and_clause() {
    let refused = |text: &str, format| {
        Subtitles::parse(text.as_bytes(), format, &Limits::default()).unwrap_err().to_string()
    };
    for (text, format, says) in [
        ("WEBVTTX\n", TextFormat::WebVtt, "line 1: the first line is not `WEBVTT` (WebVTT, 4.1)"),
        ("WEBVTT\n\n00:02.000 --> 00:01.000\na", TextFormat::WebVtt, "line 3: no times of a cue"),
        ("a text\n", TextFormat::SubRip, "no line of times"),
        (
            "1\n00:00:01 --> never: \na",
            TextFormat::SubRip,
            "line 2: no times of a cue can be read (SubRip",
        ),
        ("<tt/>", TextFormat::Ttml, "TTML"),
    ] {
        let error = refused(text, format);
        assert!(error.contains(says), "{text:?} gave {error:?}");
    }
    // One cue that cannot be read is told, and does not end the rest.
    let partly = parse(
        "1\n00:00:02,000 --> 00:00:01,000\na\n\n2\n00:00:03,000 --> 00:00:04,000\nb\n",
        TextFormat::SubRip,
    );
    assert_eq!(told(&partly), ["3000-4000 |b"]);
    assert_eq!(partly.notices(), ["line 2: a time cannot be read"]);
}

#[test]
fn counts_and_bytes_meet_their_budgets() {
    let many = "00:00:01,000 --> 00:00:02,000\na\n\n".repeat(20);
    for limits in [
        limits(|limits| limits.cues = 19),
        limits(|limits| limits.caption_bytes = 19),
        limits(|limits| limits.caption_document = 100),
    ] {
        let error = Subtitles::parse(many.as_bytes(), TextFormat::SubRip, &limits).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Budget { .. }), "{error}");
    }
    // A document whose texts are too many, and a chunk that is too long.
    let paragraphs = "<p begin='1s' end='2s'>a</p>".repeat(20);
    let document =
        format!("<tt xmlns='http://www.w3.org/ns/ttml'><body><div>{paragraphs}</div></body></tt>");
    let few = limits(|limits| limits.caption_texts = 59);
    assert!(WholeDocument::parse(document.as_bytes(), &few).is_err());
    let whole = WholeDocument::parse(document.as_bytes(), &Limits::default()).unwrap();
    let window = Window { timescale: Timescale::SMOOTH, start: 0, duration: 2 * SECOND };
    let short = limits(|limits| limits.caption_document = 500);
    assert!(whole.cut(TimeBase::Fragment, &window, &short).is_err());
}

/// Cues of a document by the reader that serves WebVTT: start and end in milliseconds of the film, and
/// text, clipped to the window.
fn shown(document: &str, base: TimeBase, window: &Window) -> Vec<(u64, u64, String)> {
    let limits = Limits::default();
    let document = Document::parse(document.as_bytes(), &limits).unwrap();
    let cues = document.cues(base, window, &limits).unwrap();
    let ms = |ticks: u64| (ticks + 5000) / 10_000;
    cues.into_iter()
        .map(|cue| (ms(cue.start), ms(cue.end), format!("{}|{}", cue.settings, cue.text)))
        .collect()
}

#[test]
fn chunks_of_a_document_show_what_the_whole_shows() {
    let styled = "<?xml version='1.0'?>\n<!-- a film -->\n<t:tt xmlns:t='http://www.w3.org/2006/10/ttaf1' \
        xmlns:s='http://www.w3.org/2006/10/ttaf1#style' xmlns:p='http://www.w3.org/2006/10/ttaf1#parameter' \
        p:frameRate='25' p:tickRate='10000000' xml:lang='fr'><t:head><t:styling><t:style xml:id='a' s:color='yellow'/>\
        </t:styling><t:layout><t:region xml:id='r' s:origin='10% 10%' s:extent='80% 20%'/></t:layout></t:head>\
        <t:body region='r'><t:div begin='1s'><t:p begin='00:00:00:05' end='00:00:02:10' style='a'>one &amp; <t:span begin='1s' \
        s:fontStyle='italic'>two</t:span><t:br/>three</t:p><t:p begin='25000000t' dur='5s'>four <t:span end='2s'>five</t:span></t:p>\
        </t:div><t:div timeContainer='seq'><t:p dur='2s'>six</t:p><t:p begin='500ms' dur='3.3s'>seven</t:p></t:div>\
        <t:div><t:p>always</t:p><t:p begin='4s' end='4s'>never</t:p></t:div></t:body></t:tt>";
    let plain = "<tt><head/><body><div><p begin='0.2s' end='9s' tts:fontWeight='bold'>a \"b\" &lt;c&gt;</p>\
        <p begin='3s' end='3.9994s'>d</p></div></body></tt>";
    let smpte = "<tt xmlns='http://www.w3.org/ns/ttml' xmlns:ttp='http://www.w3.org/ns/ttml#parameter' \
        ttp:timeBase='smpte' ttp:frameRate='30' ttp:frameRateMultiplier='1000 1001' ttp:dropMode='dropNTSC'>\
        <body><div><p begin='00:00:01:15' end='00:00:05:00'>a</p></div></body></tt>";
    let limits = Limits::default();
    for text in [styled, plain, smpte] {
        let whole = WholeDocument::parse(text.as_bytes(), &limits).unwrap();
        for base in [TimeBase::Fragment, TimeBase::Presentation] {
            let mut compared = 0;
            for (start, duration) in [
                (0, SECOND),
                (SECOND, 2 * SECOND),
                (30_030_000, 17_450_000),
                (50 * SECOND / 10, SECOND),
                (0, 20 * SECOND),
            ] {
                let window = Window { timescale: Timescale::SMOOTH, start, duration };
                let document = whole.cut(base, &window, &limits).unwrap();
                let expected = shown(text, TimeBase::Presentation, &window);
                let found = shown(&document, base, &window);
                assert_eq!(found.len(), expected.len(), "{document}\n{found:?}\n{expected:?}");
                for (found, expected) in found.iter().zip(&expected) {
                    assert_eq!(found.2, expected.2, "{document}");
                    assert!(
                        found.0.abs_diff(expected.0) <= 1 && found.1.abs_diff(expected.1) <= 1,
                        "{found:?} {expected:?}"
                    );
                    compared += 1;
                }
                assert!(!document.contains("2006") && !document.contains("smpte"), "{document}");
            }
            assert!(compared > 3, "{compared}");
        }
    }
    let whole = WholeDocument::parse(styled.as_bytes(), &limits).unwrap();
    assert_eq!((whole.language(), whole.len()), (Some("fr"), 5));
    assert_eq!(whole.begin_from(3 * SECOND), 1);
}

/// Times and plain text of the cues that ffmpeg reads from a file.
fn by_ffmpeg(file: &Path) -> Vec<(u64, u64, String)> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-f", "srt", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    plain(&parse(output.stdout, TextFormat::SubRip))
}

fn plain(subtitles: &Subtitles) -> Vec<(u64, u64, String)> {
    let cue = |cue: &smooth_origin::captions::Cue| {
        let text = cue.text.replace('\u{a0}', " ");
        (cue.start / 10_000, cue.end / 10_000, text)
    };
    let mut cues: Vec<_> = subtitles.cues().iter().map(cue).collect();
    cues.sort();
    cues
}

/// `cargo test --all-features --test subtitles -- --ignored`
#[test]
#[ignore = "needs ffmpeg"]
fn ffmpeg_reads_the_same_cues_at_the_same_times() {
    let folder = std::env::temp_dir().join(format!("subtitles-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let srt = "1\n00:00:01,000 --> 00:00:02,500\nOne\n<i>two</i> <b>three</b>\n\n2\n00:00:03,120 --> 00:00:04,000\n\
        Déjà vu\n\n3\n01:02:03,004 --> 01:02:05,678\n- Yes.\n- No.\n";
    // ffmpeg 5.1 reads no cue behind a block of styles.
    let vtt = "WEBVTT\n\nNOTE a note\n\nid\n00:01.000 --> 00:02.500 align:start line:90%\n\
        One\n<i>two</i> <b>three</b>\n\n00:00:03.120 --> 00:00:04.000\n<v Roger>Fish &amp; chips\n\n\
        01:02:03.004 --> 01:02:05.678\n<c.loud>- Yes.</c>\n- No.\n";
    for (name, text, format) in
        [("a.srt", srt, TextFormat::SubRip), ("a.vtt", vtt, TextFormat::WebVtt)]
    {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        let subtitles = parse(text, format);
        let ours = plain(&subtitles);
        assert_eq!(ours.len(), 3);
        assert_eq!(by_ffmpeg(&file), ours, "{name}");
        // The TTML of ffmpeg, read as TTML, has the same cues as ours.
        let ttml = folder.join("a.ttml");
        let status =
            Command::new("ffmpeg").args(["-v", "error", "-y", "-i"]).arg(&file).arg(&ttml).status();
        assert!(status.unwrap().success());
        let window = Window { timescale: Timescale::SMOOTH, start: 0, duration: 4000 * SECOND };
        let theirs = std::fs::read_to_string(&ttml).unwrap();
        let ours = subtitles.to_ttml(&Limits::default()).unwrap();
        let without_tags = |text: &str| {
            let text = text.rsplit('|').next().unwrap();
            ["<i>", "</i>", "<b>", "</b>"]
                .iter()
                .fold(text.to_owned(), |text, tag| text.replace(tag, ""))
        };
        let cues = |document: &str| -> Vec<_> {
            let shown = shown(document, TimeBase::Presentation, &window);
            shown.into_iter().map(|(start, end, text)| (start, end, without_tags(&text))).collect()
        };
        assert_eq!(cues(&theirs), cues(&ours), "{name}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
