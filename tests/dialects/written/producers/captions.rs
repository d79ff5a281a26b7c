//! Text in three languages over pictures that begin at 100 s: TTML whose times count from the
//! fragment, with regions and styles; TTML of 2006; and forced subtitles whose times count from the
//! start of the presentation, one of which lasts through several fragments.

use super::*;
use crate::written::media::{Media, Tfra, mfra, tfxd};
use crate::written::moov::{Head, ftyp, moov};
use crate::written::samples::{Timed, audio, small_video};
use crate::written::{Dialect, Manifest};

const START: i64 = 1_000_000_000;
const CHUNK: u32 = 20_000_000;

/// Relative times; the second fragment has no caption.
const ENGLISH: [&str; 5] = [
    "<p region=\"low\" begin=\"0.2s\" end=\"1.7s\">First &amp; <span tts:fontStyle=\"italic\">foremost</span></p>",
    "",
    "<p region=\"low\" begin=\"0.5s\" end=\"2s\">Over the border</p>",
    "<p region=\"low\" begin=\"0s\" end=\"0.5s\">Over the border</p>\
     <p region=\"top\" begin=\"1s\" end=\"1.5s\">One line<br/>and another</p>",
    "<p region=\"low\" begin=\"00:00:00.040\" end=\"00:00:01.960\">1 &lt; 2</p>",
];

/// Relative times, with frames and ticks.
const GERMAN: [&str; 5] = [
    "<p begin=\"00:00:00:10\" end=\"00:00:01:20\">Grüße</p>",
    "<p begin=\"10000000t\" end=\"15000000t\">aus\n   Bremen</p>",
    "",
    "<p begin=\"250ms\" dur=\"1s\" xml:space=\"preserve\">drei  Wörter  weit</p>",
    "<p begin=\"0.5s\" end=\"1.5s\"><span>ganz</span> <span><span>innen</span></span></p>",
];

/// Absolute times. One subtitle is repeated with all of its time in each fragment that it lasts through.
const FRENCH: [&str; 5] = [
    "<p begin=\"101s\" end=\"107s\">ENTRÉE</p>",
    "<p begin=\"101s\" end=\"107s\">ENTRÉE</p>",
    "<p begin=\"101s\" end=\"107s\">ENTRÉE</p>",
    "<p begin=\"101s\" end=\"107s\">ENTRÉE</p>",
    "<p begin=\"108.2s\" end=\"109.4s\">SORTIE</p>",
];

/// Fragments of documents with this root and head.
fn texts(root: &str, head: &str, bodies: &[&str]) -> Vec<Piece> {
    let piece = |(number, body): (usize, &&str)| {
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><tt {root}><head>{head}</head>\
             <body><div>{body}</div></body></tt>"
        );
        let data = document.into_bytes();
        let time = START + number as i64 * i64::from(CHUNK);
        Piece { time, samples: vec![Timed { data, key: true, duration: CHUNK, composition: 0 }] }
    };
    bodies.iter().enumerate().map(piece).collect()
}

pub fn captions() -> Dialect {
    let (small, heard) = (small_video(), audio());
    let video = small.pieces(SMOOTH, START, &[50; 5]);
    let sounds = heard.pieces(SMOOTH, START, &[94, 94, 94, 94, 93]);
    let mut media = Media::new(|out| {
        ftyp(out, b"isml", 1, "piffiso2");
        moov(out, &[Head::audio(1, 10_000_000, &heard), Head::video(2, 10_000_000, &small)]);
    });
    let tracks = [(1, SMOOTH, &sounds[..], &sound()), (2, SMOOTH, &video[..], &Shape::default())];
    media.interleave(&tracks, &|out, _, _, piece| tfxd(out, piece.time as u64, piece.duration()));
    let tfras = [Tfra::of(&media, 1), Tfra::of(&media, 2)];
    mfra(&mut media.out, &tfras);

    let now = "xmlns=\"http://www.w3.org/ns/ttml\" xmlns:tts=\"http://www.w3.org/ns/ttml#styling\"";
    let layout = "<layout><region xml:id=\"low\" tts:origin=\"10% 80%\" tts:extent=\"80% 15%\" tts:displayAlign=\"after\" \
                  tts:textAlign=\"center\"/><region xml:id=\"top\" tts:origin=\"10% 5%\" tts:extent=\"80% 20%\" \
                  tts:textAlign=\"center\"/></layout>";
    let old = "xmlns=\"http://www.w3.org/2006/10/ttaf1\" xmlns:ttp=\"http://www.w3.org/2006/10/ttaf1#parameter\" \
               ttp:frameRate=\"25\" ttp:tickRate=\"10000000\"";
    let english = texts(now, layout, &ENGLISH);
    let german = texts(old, "", &GERMAN);
    let french = texts(now, "", &FRENCH);
    let mut words = Media::new(|out| {
        ftyp(out, b"isml", 1, "piffiso2");
        let head = |id, language, format| Head { language, ..Head::text(id, 10_000_000, format) };
        let heads =
            [head(1, *b"eng", b"stpp"), head(2, *b"deu", b"dfxp"), head(3, *b"fra", b"stpp")];
        moov(out, &heads);
    });
    let tracks = [
        (1, SMOOTH, &english[..], &sound()),
        (2, SMOOTH, &german[..], &sound()),
        (3, SMOOTH, &french[..], &sound()),
    ];
    words.interleave(&tracks, &|out, _, _, piece| tfxd(out, piece.time as u64, piece.duration()));
    let tfras = [Tfra::of(&words, 1), Tfra::of(&words, 2), Tfra::of(&words, 3)];
    mfra(&mut words.out, &tfras);

    let track = |element: &str, src: &str, bitrate: u32, id: u32, name: &str, language: &str| {
        let language = match language {
            "" => String::new(),
            language => format!(" systemLanguage=\"{language}\""),
        };
        format!(
            "      <{element} src=\"{src}\" systemBitrate=\"{bitrate}\"{language}>\r\n{}{}      </{element}>\r\n",
            param("trackID", id),
            param("trackName", name)
        )
    };
    let ism = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  \
         <head>\r\n    <meta name=\"clientManifestRelativePath\" content=\"captions.ismc\" />\r\n  </head>\r\n  \
         <body>\r\n    <switch>\r\n{}{}{}{}{}    </switch>\r\n  </body>\r\n</smil>\r\n",
        track("audio", "captions.ismv", 48_000, 1, "audio", ""),
        track("video", "captions.ismv", 60_000, 2, "video", ""),
        track("textstream", "captions.ismt", 1000, 1, "english", "eng"),
        track("textstream", "captions.ismt", 1000, 2, "german", "deu"),
        track("textstream", "captions.ismt", 1000, 3, "french_forced", "fra"),
    );
    let list = |pieces: &[Piece]| -> String {
        let chunk = |(n, (t, d)): (usize, (u64, u64))| match n {
            0 => format!("    <c n=\"{n}\" t=\"{t}\" d=\"{d}\" />\r\n"),
            _ => format!("    <c n=\"{n}\" d=\"{d}\" />\r\n"),
        };
        spans(pieces).into_iter().enumerate().map(chunk).collect()
    };
    let stream = |kind: &str,
                  name: &str,
                  more: &str,
                  bitrate: u32,
                  level: &str,
                  pieces: &[Piece]| {
        format!(
            "  <StreamIndex Type=\"{kind}\" Name=\"{name}\"{more} Chunks=\"5\" QualityLevels=\"1\" \
             Url=\"QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">\r\n    \
             <QualityLevel Index=\"0\" Bitrate=\"{bitrate}\" {level} />\r\n{}  </StreamIndex>\r\n",
            list(pieces)
        )
    };
    let text = |name: &str, subtype: &str, language: &str, four_cc: &str, pieces: &[Piece]| {
        let more = format!(" Subtype=\"{subtype}\" Language=\"{language}\"");
        let level = format!("FourCC=\"{four_cc}\" CodecPrivateData=\"\"");
        stream("text", name, &more, 1000, &level, pieces)
    };
    let ismc = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" TimeScale=\"10000000\" Duration=\"100000000\">\r\n\
         {}{}{}{}{}</SmoothStreamingMedia>\r\n",
        stream("video", "video", "", 60_000, &video_level(&small), &video),
        stream("audio", "audio", "", 48_000, &audio_level(&heard), &sounds),
        text("english", "CAPT", "eng", "TTML", &english),
        text("german", "SUBT", "deu", "DFXP", &german),
        text("french_forced", "", "fra", "TTML", &french),
    );
    let same = |time: i64| time as u64;
    let (film, subtitles) = ("captions/captions.ismv", "captions/captions.ismt");
    Dialect::new("captions/captions.ism")
        .track(("video", 60_000, ""), (film, &media, 2), same)
        .track(("audio", 48_000, ""), (film, &media, 1), same)
        .track(("english", 1000, ""), (subtitles, &words, 1), same)
        .track(("german", 1000, ""), (subtitles, &words, 2), same)
        .track(("french_forced", 1000, ""), (subtitles, &words, 3), same)
        .file("captions/captions.ism", ism)
        .file("captions/captions.ismc", ismc)
        .file(film, media.out.0)
        .file(subtitles, words.out.0)
        .manifest(Manifest::Stored("captions/captions.ismc"))
}
