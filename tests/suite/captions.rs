//! TTML in every dialect becomes WebVTT and `wvtt` samples.
#![cfg(any(feature = "dash", feature = "hls"))]

use std::path::Path;

use smooth_origin::base::{Limits, Timescale};
use smooth_origin::captions::{
    Cue, Document, LossKind, TimeBase, TimestampMap, WebVttSegment, Window, wvtt_samples,
};

const SECOND: u64 = 10_000_000;

fn parse(ttml: &str) -> Document {
    Document::parse(ttml.as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{e}\n{ttml}"))
}

fn window(start: u64, seconds: u64) -> Window {
    Window { timescale: Timescale::SMOOTH, start: start * SECOND, duration: seconds * SECOND }
}

fn cues(ttml: &str) -> Vec<Cue> {
    parse(ttml).cues(TimeBase::Presentation, &window(0, 100), &Limits::default()).unwrap()
}

/// Start and end in milliseconds, settings and text of each cue.
fn told(cues: &[Cue]) -> Vec<String> {
    let ms = |ticks: u64| (ticks + 5000) / 10_000;
    let told =
        |cue: &Cue| format!("{}-{} {}|{}", ms(cue.start), ms(cue.end), cue.settings, cue.text);
    cues.iter().map(told).collect()
}

/// A document of the present namespace with this head and body.
fn document(head: &str, body: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='utf-8'?>\n<tt xmlns='http://www.w3.org/ns/ttml' \
         xmlns:tts='http://www.w3.org/ns/ttml#styling' xmlns:ttm='http://www.w3.org/ns/ttml#metadata' \
         xmlns:ttp='http://www.w3.org/ns/ttml#parameter' xml:lang='en'>\n\
         <head>{head}</head>\n<body>{body}</body></tt>"
    )
}

#[track_caller]
fn assert_cues(head: &str, body: &str, expected: &[&str]) {
    assert_eq!(told(&cues(&document(head, body))), expected, "{body}");
}

#[test]
fn every_namespace_of_ttml_is_read() {
    for (content, style, parameter) in [
        ("http://www.w3.org/ns/ttml", "#styling", "#parameter"),
        ("http://www.w3.org/2006/10/ttaf1", "#style", "#parameter"),
        ("http://www.w3.org/2006/10/ttaf1", "#styling", "#parameter"),
        ("http://www.w3.org/2006/04/ttaf1", "#style", "#parameter"),
    ] {
        let ttml = format!(
            "<t:tt xmlns:t='{content}' xmlns:s='{content}{style}' xmlns:p='{content}{parameter}' \
             p:tickRate='1000'><t:head/><t:body><t:div><t:p begin='500t' dur='1s'>\
             <t:span s:fontStyle='italic'>a</t:span></t:p></t:div></t:body></t:tt>"
        );
        assert_eq!(told(&cues(&ttml)), ["500-1500 |<i>a</i>"], "{content}");
    }
    let plain =
        "<tt><body><div><p begin='1s' end='2s' tts:fontWeight='bold'>a</p></div></body></tt>";
    assert_eq!(told(&cues(plain)), ["1000-2000 |<b>a</b>"]);
}

#[test]
fn what_is_no_ttml_is_refused() {
    for (text, says) in [
        ("", "no element at all"),
        ("WEBVTT\n", "text outside of the root element"),
        ("<html/>", "the root is `html`, not `tt`"),
        ("<tt xmlns='http://www.w3.org/1999/xhtml'/>", "not in a namespace of TTML"),
        ("<tt><body><p></body></tt>", "not well-formed XML"),
        ("<!DOCTYPE tt [<!ENTITY a 'b'>]><tt/>", "a document type definition"),
        ("<tt><body><div><p>&nbsp;</p></div></body></tt>", "stands for nothing"),
        ("<tt/><tt/>", "a second root element"),
    ] {
        let error = Document::parse(text.as_bytes(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains(says), "{text:?} gave {error:?}");
    }
    assert!(cues("<tt xmlns='http://www.w3.org/ns/ttml'/>").is_empty());
    assert!(cues(&document("", "")).is_empty());
}

#[test]
fn times_are_inherited_through_all_elements() {
    assert_cues(
        "",
        "<div begin='10s' end='20s'><p begin='1s' end='3s'>a</p><p begin='5s' dur='10s'>b</p>\
         <p begin='12s'>never</p><p begin='8s'>c</p></div>",
        &["11000-13000 |a", "15000-18000 |b", "18000-20000 |b\nc"],
    );
    assert_cues("", "<div><p>always</p></div>", &["0-100000 |always"]);
    assert_cues("", "<div><p begin='1s' dur='5s' end='3s'>a</p></div>", &["1000-3000 |a"]);
    assert_cues("", "<div><p begin='2s' end='1s'>never</p></div>", &[]);
}

#[test]
fn children_of_a_sequence_follow_each_other() {
    assert_cues(
        "",
        "<div timeContainer='seq'><p dur='1s'>a</p> <p begin='500ms' dur='1s'>b</p>\
         <div><p dur='2s'>c</p><p dur='3s'>d</p></div><p dur='1s'>e</p><p>f</p><p>never</p></div>",
        &[
            "0-1000 |a",
            "1500-2500 |b",
            "2500-4500 |c\nd",
            "4500-5500 |d",
            "5500-6500 |e",
            "6500-100000 |f",
        ],
    );
}

#[test]
fn timed_spans_divide_a_paragraph() {
    assert_cues(
        "",
        "<div><p begin='1s' end='4s'>\n<span>a</span>\n<span begin='1s'>b</span>\n\
         <span begin='1s' end='2s'>c</span></p></div>",
        &["1000-2000 |a", "2000-3000 |a b c", "3000-4000 |a b"],
    );
    assert_cues(
        "",
        "<div><p timeContainer='seq'><span dur='1s'>a</span> <span dur='1s'>b</span></p></div>",
        &["0-1000 |a", "1000-2000 |b"],
    );
}

#[test]
fn paragraphs_at_one_place_are_one_cue_in_reading_order() {
    assert_cues(
        "",
        "<div><p begin='0s' end='2s'>- a</p><p begin='0s' end='2s'>- b</p></div>",
        &["0-2000 |- a\n- b"],
    );
    assert_cues(
        "<layout><region xml:id='t' tts:textAlign='center'/>\
         <region xml:id='b' tts:displayAlign='after' tts:textAlign='center'/></layout>",
        "<div><p region='b' begin='0s' end='2s'>low</p><p region='t' begin='0s' end='3s'>high</p></div>",
        &["0-3000 line:0%|high", "0-2000 |low"],
    );
}

#[test]
fn white_space_and_line_breaks() {
    let breaks = "<div><p end='1s'>\n  a <br/>\n  b<br/><br/> c <br/></p></div>";
    assert_cues("", breaks, &["0-1000 |a\nb\n\u{a0}\nc"]);
    let preserved = "<div xml:space='preserve'><p end='1s'>  a  b\n\nc\n</p></div>";
    assert_cues("", preserved, &["0-1000 |a  b\n\u{a0}\nc"]);
    assert_cues("", "<div><p end='1s'> <br/> </p></div>", &[]);
}

#[test]
fn text_is_never_markup() {
    assert_cues(
        "",
        "<div><p end='1s'>&lt;i&gt; &amp;amp; &#45;-&gt;<![CDATA[<script>]]> 1 &lt; 2</p></div>",
        &["0-1000 |&lt;i&gt; &amp;amp; --&gt;&lt;script&gt; 1 &lt; 2"],
    );
    // Line ends as references are white space of XML too.
    let ends = "<div><p end='1s' xml:space='preserve'>a&#13;&#10;&#10;NOTE b</p></div>";
    assert_cues("", ends, &["0-1000 |a\n\u{a0}\nNOTE b"]);
}

#[test]
fn styles_come_from_elements_references_and_regions() {
    let head = "<styling><style xml:id='y' tts:color='yellow'/>\
                <style xml:id='s' style='y' tts:fontStyle='italic'/></styling>\
                <layout><region xml:id='r'><style tts:origin='10% 10%'/><style tts:extent='80% 20%'/>\
                <style style='y'/><style tts:textAlign='center'/></region></layout>";
    assert_cues(
        head,
        "<div><p begin='0s' end='1s' style='s'>a <span tts:color='white' tts:fontStyle='normal'>b</span></p>\
         <p begin='1s' end='2s' region='r'>c <span tts:textDecoration='underline'>d</span></p>\
         <p begin='2s' end='3s' tts:fontWeight='bold' tts:backgroundColor='#0000FF'>e</p></div>",
        &[
            "0-1000 |<c.yellow><i>a </i></c>b",
            "1000-2000 line:10% size:80%|<c.yellow>c <u>d</u></c>",
            "2000-3000 |<c.bg_blue><b>e</b></c>",
        ],
    );
}

#[test]
fn text_that_is_not_shown_is_left_out() {
    assert_cues(
        "<layout><region xml:id='none' tts:display='none'/></layout>",
        "<div><p end='1s' tts:display='none'>a<span tts:display='auto'>b</span></p>\
         <p end='1s' tts:visibility='hidden'>c<span tts:visibility='visible'>d</span></p>\
         <p end='1s' region='none'>e</p></div>",
        &["0-1000 |d"],
    );
}

#[test]
fn metadata_and_foreign_elements_are_ignored() {
    assert_cues(
        "<metadata><ttm:title>x</ttm:title><p>x</p></metadata>",
        "<metadata>x</metadata>text<div>text<ttm:desc>x</ttm:desc>\
         <p end='1s'>a<ttm:desc>x</ttm:desc><x:p xmlns:x='y'>x</x:p>\
         <metadata><span>x</span></metadata>b</p></div>",
        &["0-1000 |ab"],
    );
}

#[test]
fn what_is_lost_is_reported_once_per_kind_with_its_line() {
    let ttml = document(
        "<layout><region xml:id='r' tts:origin='10px 10px'/></layout>",
        "<div>\n<p begin='x' region='r'>a</p><p end='y' region='r' tts:color='#123456'>b\n\
         <set tts:color='red'/></p><p end='1s' tts:fontSize='2c' tts:color='green'>c</p></div>\n\
         <div xmlns:smpte='http://www.smpte-ra.org/schemas/2052-1/2010/smpte-tt' \
         smpte:backgroundImage='#img'/><div style='nothing'/>",
    );
    let document = parse(&ttml);
    let losses: Vec<_> =
        document.losses().iter().map(|loss| (loss.kind, loss.line, loss.count)).collect();
    let expected = [
        (LossKind::Layout, 3, 1),
        (LossKind::Time, 5, 2),
        (LossKind::Colour, 5, 2),
        (LossKind::Animation, 6, 1),
        (LossKind::Style, 6, 2),
        (LossKind::Region, 6, 1),
        (LossKind::Image, 7, 1),
    ];
    assert_eq!(losses, expected);
    let texts = cues(&ttml);
    assert_eq!(told(&texts), ["0-100000 line:0% align:left|b", "0-1000 |c"]);
    let told = document.losses()[1].to_string();
    assert_eq!(told, "line 5: a time cannot be read (2 times)");
}

#[test]
fn cues_are_clipped_to_the_window_and_repeated_in_the_next() {
    let document =
        parse(&document("", "<div><p begin='1s' end='5s'>a</p><p begin='6s'>b</p></div>"));
    let cues = |start, seconds| {
        document.cues(TimeBase::Presentation, &window(start, seconds), &Limits::default()).unwrap()
    };
    assert_eq!(told(&cues(0, 2)), ["1000-2000 |a"]);
    assert_eq!(told(&cues(2, 2)), ["2000-4000 |a"]);
    assert_eq!(told(&cues(4, 4)), ["4000-5000 |a", "6000-8000 |b"]);
    assert_eq!(told(&cues(5, 1)), [""; 0]);
    let second = &cues(2, 2)[0];
    assert_eq!((second.whole_start, second.whole_end), (SECOND, 5 * SECOND));
}

#[test]
fn times_relative_to_the_fragment_are_moved_to_it() {
    let document = parse(&document("", "<div><p begin='0s' end='1s'>a</p></div>"));
    let cues = document.cues(TimeBase::Fragment, &window(20, 2), &Limits::default()).unwrap();
    assert_eq!(told(&cues), ["20000-21000 |a"]);
    // The times of a live stream that counts from 1970 are exact.
    let start = 17_640_000_000_000_003;
    let live = Window { start, ..window(0, 2) };
    let cues = document.cues(TimeBase::Fragment, &live, &Limits::default()).unwrap();
    assert_eq!((cues[0].start, cues[0].end), (start, start + SECOND));
    let last = Window { start: u64::MAX - 5, ..window(0, 2) };
    let cues = document.cues(TimeBase::Fragment, &last, &Limits::default()).unwrap();
    assert_eq!((cues[0].start, cues[0].end), (u64::MAX - 5, u64::MAX));
}

#[test]
fn a_fragment_that_is_not_the_first_decides_the_time_base() {
    let base = |body: &str, start, seconds| {
        TimeBase::of_document(&parse(&document("", body)), &window(start, seconds))
    };
    let early = "<div><p begin='0s' end='1s'>a</p><p begin='1.5s' end='2.5s'>b</p></div>";
    let late = "<div><p begin='20s' end='21s'>a</p><p begin='21s' end='23s'>b</p></div>";
    assert_eq!(base(early, 20, 2), Some(TimeBase::Fragment));
    assert_eq!(base(late, 20, 2), Some(TimeBase::Presentation));
    assert_eq!(base(early, 0, 2), None);
    assert_eq!(base("", 20, 2), None);
    assert_eq!(base("<div><p>always</p></div>", 20, 2), None);
    // It crosses the boundary between the first and the second fragment.
    assert_eq!(base("<div><p begin='1s' end='3s'>a</p></div>", 2, 2), None);
    assert_eq!(
        base("<div><p begin='1s' end='50s'>a</p><p begin='21s' end='23s'>b</p></div>", 20, 2),
        Some(TimeBase::Presentation)
    );
    assert_eq!(base("<div><p begin='50s' end='51s'>neither</p></div>", 20, 2), None);
}

#[test]
fn a_document_in_utf_16_is_read() {
    let ttml = document("", "<div><p end='1s'>ä</p></div>").replace("utf-8", "utf-16");
    let bytes: Vec<u8> =
        "\u{feff}".encode_utf16().chain(ttml.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let document = Document::parse(&bytes, &Limits::default()).unwrap();
    let cues = document.cues(TimeBase::Presentation, &window(0, 2), &Limits::default()).unwrap();
    assert_eq!(told(&cues), ["0-1000 |ä"]);
}

#[test]
fn a_segment_and_samples_are_made_of_the_same_cues() {
    let document = parse(&document("", "<div><p begin='1s' end='3s'>a &amp; b</p></div>"));
    let (window, limits) = (window(2, 2), Limits::default());
    let cues = document.cues(TimeBase::Presentation, &window, &limits).unwrap();
    let segment = WebVttSegment::new(Timescale::SMOOTH)
        .with_map(TimestampMap::at(window.start, window.timescale))
        .with_whole_times(true);
    let text = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:180000,LOCAL:00:00:02.000\n\n\
                00:00:01.000 --> 00:00:03.000\na &amp; b\n\n";
    assert_eq!(segment.write(&cues, &limits).unwrap(), text);
    let samples = wvtt_samples(&cues, &window, &limits).unwrap();
    assert_eq!(samples.iter().map(|sample| sample.duration).collect::<Vec<_>>(), [10_000_000; 2]);
    assert!(samples[0].data.ends_with(b"payla &amp; b"));
    assert_eq!(&samples[1].data[..], b"\0\0\0\x08vtte");
}

#[test]
fn budgets_bound_documents_cues_and_output() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let says = |ttml: &str, limits: &Limits| {
        let document = Document::parse(ttml.as_bytes(), limits);
        let cues = document.and_then(|d| d.cues(TimeBase::Presentation, &window(0, 100), limits));
        cues.unwrap_err().to_string()
    };
    let long = limits(|limits| limits.caption_document = 10);
    assert!(says(&document("", ""), &long).contains("bytes of a TTML document"));
    let texts = format!("<div><p>{}</p></div>", "<br/>".repeat(100_000));
    assert!(says(&document("", &texts), &Limits::default()).contains("texts of a TTML document"));
    let deep = format!("<div><p>{}", "<span>".repeat(100));
    assert!(says(&document("", &deep), &Limits::default()).contains("elements inside one another"));
    let names: String = (0..70).map(|n| format!(" xmlns:a{n}='b'")).collect();
    let names = format!("<div{names}/>");
    assert!(says(&document("", &names), &Limits::default()).contains("namespaces in force"));
    let many: String = (0..20_000).map(|n| format!("<p begin='{n}ms' dur='1ms'>a</p>")).collect();
    let many = format!("<div>{many}</div>");
    assert!(says(&document("", &many), &Limits::default()).contains("cues: 16385"));
    let short = limits(|limits| limits.caption_bytes = 1 << 16);
    // Each of these is visible together with all before it: a square of texts.
    let stairs: String = (0..1000).map(|n| format!("<p begin='{n}ms'>a</p>")).collect();
    let stairs = format!("<div>{stairs}</div>");
    assert!(says(&document("", &stairs), &short).contains("bytes of captions"));
    let blank: String = (0..1000).map(|n| format!("<p begin='{n}ms'> </p>")).collect();
    let blank = format!("<div>{blank}</div>");
    assert!(says(&document("", &blank), &short).contains("visible together"));
    let wide = " ".repeat(1 << 14);
    let ends: String = (1..9).map(|n| format!("<p end='{n}s'>a</p>")).collect();
    let wide = format!("<div><p>{wide}</p>{ends}</div>");
    assert!(says(&document("", &wide), &short).contains("visible together"));
}

#[test]
fn text_fragments_of_real_producers_are_read() {
    let Some(corpus) = std::env::var_os("SMOOTH_ORIGIN_CORPUS") else {
        eprintln!("skipped: SMOOTH_ORIGIN_CORPUS names no folder");
        return;
    };
    let (mut read, mut folders) = (0, vec![Path::new(&corpus).to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "ttml" || e == "dfxp" || e == "ismt") {
                let bytes = std::fs::read(&path).unwrap();
                for ttml in documents(&bytes) {
                    let parsed = Document::parse(ttml, &Limits::default());
                    parsed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                    read += 1;
                }
            }
        }
    }
    eprintln!("{read} documents in the corpus");
}

/// The TTML documents among the bytes of a file.
fn documents(bytes: &[u8]) -> Vec<&[u8]> {
    let find = |from: usize, what: &[u8]| {
        bytes[from..].windows(what.len()).position(|at| at == what).map(|at| from + at)
    };
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(start) = find(from, b"<tt ")
        && let Some(end) = find(start, b"</tt>")
    {
        from = end + b"</tt>".len();
        found.push(&bytes[start..from]);
    }
    found
}

#[test]
fn odd_documents_show_what_the_standard_says() {
    let head = "<styling><style xml:id='off' tts:display='none'/><style xml:id='r' tts:direction='rtl'/></styling>\
        <layout><region xml:id='gone' tts:display='none'/><region xml:id='a' tts:textAlign='center' \
        tts:displayAlign='after'/></layout>";
    for (content, expected) in [
        ("<p begin='1s' end='2s' style='off' region='a'>no</p>", &[][..]),
        ("<p begin='1s' end='2s' region='gone'>no</p>", &[]),
        (
            "<p begin='1s' end='2s' region='a'>yes <span style='off'>no</span> too</p>",
            &["1000-2000 |yes too"],
        ),
        (
            "<p begin='1s' end='2s' region='a' style='r'>שלום <span>עולם!</span></p>",
            &["1000-2000 |שלום עולם!"],
        ),
        (
            "<p begin='1s' end='2s' region='a'><![CDATA[<i>x</i> --> &amp;]]></p>",
            &["1000-2000 |&lt;i&gt;x&lt;/i&gt; --&gt; &amp;amp;"],
        ),
        (
            "<p begin='1s' end='2s' region='a' xml:space='preserve'>  a&#13;&#10;b&#9;c  </p>",
            &["1000-2000 |a\nb c"],
        ),
        ("<p begin='1.5' end='2s' region='a'>no metric</p>", &[]),
        ("<p begin='-1s' end='2s' region='a'>before</p>", &[]),
        ("<p begin='1s' end='99999999999999999999h' region='a'>long</p>", &["1000-100000 |long"]),
        ("<p begin='1s' dur='0s' region='a'>never</p>", &[]),
        (
            "<p region='a'><span begin='1s' end='2s'>one</span><span begin='2s' end='3s'>two</span></p>",
            &["1000-2000 |one", "2000-3000 |two"],
        ),
        (
            "<p begin='1s' end='2s' region='a'>WEBVTT<br/><br/>NOTE</p>",
            &["1000-2000 |WEBVTT\n\u{a0}\nNOTE"],
        ),
    ] {
        assert_cues(head, &format!("<div>{content}</div>"), expected);
    }
}

#[test]
fn a_region_that_is_shown_for_a_time_is_a_loss() {
    let head = "<layout><region xml:id='a' begin='2s' end='3s'/></layout>";
    let read = parse(&document(head, "<div><p begin='1s' end='4s' region='a'>a</p></div>"));
    assert_eq!(read.losses().iter().map(|loss| loss.kind).collect::<Vec<_>>(), [LossKind::Layout]);
}
