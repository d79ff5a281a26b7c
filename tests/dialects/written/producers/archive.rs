//! What IIS keeps of a live event: times since 1970, `tfxd` and `tfrf` in every fragment, the live
//! server manifest in front of the `moov`, a gap where the encoder was away, and text streams: one
//! of captions, and a sparse one of events whose samples are in the client manifest as well.

use super::*;
use crate::written::bytes::{Out, base64};
use crate::written::media::{Media, Tfra, mfra, tfrf, tfxd};
use crate::written::moov::{Head, ftyp, moov};
use crate::written::samples::{Timed, audio, small_video};
use crate::written::{Dialect, Manifest};

const START: i64 = 15_966_717_588_800_000;
const GAP: i64 = 10_000_000;
const LIVE_SERVER_MANIFEST: &str = "A5D40B30-E814-11DD-BA2F-0800200C9A66";

/// Pictures and sound of a live event, recorded into one file that has no index yet.
fn recorded() -> (Media, Vec<Piece>, Vec<Piece>) {
    let (small, heard) = (small_video(), audio());
    let mut video = small.pieces(SMOOTH, START, &[50, 50, 50]);
    let mut sounds = heard.pieces(SMOOTH, START + 130_000, &[94, 94, 92]);
    video[2].time += GAP;
    sounds[2].time += GAP;
    let live = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
        <smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\"><head><meta name=\"creator\" content=\"an encoder\" /></head>\
        <body><switch><video src=\"Streams\" systemBitrate=\"60000\"><param name=\"trackID\" value=\"2\" valuetype=\"data\" /></video>\
        <audio src=\"Streams\" systemBitrate=\"48000\"><param name=\"trackID\" value=\"1\" valuetype=\"data\" /></audio></switch></body></smil>";
    let mut media = Media::new(|out| {
        ftyp(out, b"isml", 1, "piffiso2");
        out.uuid(LIVE_SERVER_MANIFEST, 0, 0, |out| _ = out.put(live));
        moov(out, &[Head::audio(1, 10_000_000, &heard), Head::video(2, 10_000_000, &small)]);
    });
    let tracks = [(1, SMOOTH, &sounds[..], &sound()), (2, SMOOTH, &video[..], &Shape::default())];
    media.interleave(&tracks, &|out, id, at, piece| {
        live_times(out, at, if id == 1 { &sounds } else { &video }, piece);
    });
    (media, video, sounds)
}

fn live_times(out: &mut Out, at: usize, pieces: &[Piece], piece: &Piece) {
    tfxd(out, piece.time as u64, piece.duration());
    tfrf(out, &pieces[at + 1..]);
}

/// One sample of text.
fn text(time: i64, duration: u32, text: &str) -> Piece {
    let data = text.as_bytes().to_vec();
    Piece { time, samples: vec![Timed { data, key: true, duration, composition: 0 }] }
}

pub fn archive() -> Dialect {
    let (small, heard) = (small_video(), audio());
    let (mut media, video, sounds) = recorded();
    let tfras = [Tfra::of(&media, 1), Tfra::of(&media, 2)];
    mfra(&mut media.out, &tfras);

    let events = [
        text(START + 7_000_000, 10_000_000, "<Acquired Signal=\"7\" Note=\"a break begins\" />"),
        text(START + 43_210_000, 5_000_000, "<Acquired Signal=\"8\" Note=\"it ends\" />"),
    ];
    let ttml = |begin: &str, line: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><tt xmlns=\"http://www.w3.org/ns/ttml\" xml:lang=\"en\"><body><div>\
             <p begin=\"{begin}\" dur=\"1.5s\">{line}</p></div></body></tt>"
        )
    };
    let captions = [
        text(START, 20_000_000, &ttml("0.2s", "A test picture.")),
        text(START + 20_000_000, 20_000_000, &ttml("0.1s", "It still moves.")),
    ];
    let mut texts = Media::new(|out| {
        ftyp(out, b"isml", 1, "piffiso2");
        let captions = Head { language: *b"eng", ..Head::text(2, 10_000_000, b"dfxp") };
        // What IIS calls the entry of such a track is not known.
        moov(out, &[Head::text(1, 10_000_000, b"SCMD"), captions]);
    });
    let tracks = [(1, SMOOTH, &events[..], &sound()), (2, SMOOTH, &captions[..], &sound())];
    texts.interleave(&tracks, &|out, id, at, piece| {
        live_times(out, at, if id == 1 { &events } else { &captions }, piece);
    });
    let tfras = [Tfra::of(&texts, 1), Tfra::of(&texts, 2)];
    mfra(&mut texts.out, &tfras);

    let track = |element: &str, src: &str, bitrate: u32, params: &[(&str, &str)]| {
        let params: String = params.iter().map(|(name, value)| param(name, value)).collect();
        format!(
            "      <{element} src=\"{src}\" systemBitrate=\"{bitrate}\">\r\n{params}      </{element}>\r\n"
        )
    };
    let ism = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  \
         <head>\r\n    <meta name=\"clientManifestRelativePath\" content=\"archive.ismc\" />\r\n    \
         <meta name=\"availabilityStartTime\" content=\"2020-08-05T23:55:58.8800000Z\" />\r\n  </head>\r\n  \
         <body>\r\n    <switch>\r\n{}{}{}{}    </switch>\r\n  </body>\r\n</smil>\r\n",
        track("audio", "archive.ismv", 48_000, &[("trackID", "1"), ("trackName", "audio")]),
        track("video", "archive.ismv", 60_000, &[("trackID", "2"), ("trackName", "video")]),
        track(
            "textstream",
            "archive.ismt",
            0,
            &[
                ("trackID", "1"),
                ("trackName", "events"),
                ("Subtype", "SCMD"),
                ("parentTrackName", "video"),
                ("manifestOutput", "TRUE"),
            ]
        ),
        track(
            "textstream",
            "archive.ismt",
            1000,
            &[("trackID", "2"), ("trackName", "captions"), ("Subtype", "CAPT")]
        ),
    );
    let list = |pieces: &[Piece]| -> String {
        let chunk = |(n, (t, d)): (usize, (u64, u64))| {
            format!("    <c n=\"{n}\" t=\"{t}\" d=\"{d}\" />\r\n")
        };
        spans(pieces).into_iter().enumerate().map(chunk).collect()
    };
    let embedded: String = events
        .iter()
        .map(|event| {
            let data = base64(&event.samples[0].data);
            let (t, d) = (event.time, event.duration());
            format!("    <c t=\"{t}\" d=\"{d}\"><f i=\"0\">{data}</f></c>\r\n")
        })
        .collect();
    let ismc = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" TimeScale=\"10000000\" Duration=\"70000000\">\r\n  \
         <StreamIndex Type=\"video\" Name=\"video\" Chunks=\"3\" QualityLevels=\"1\" TimeScale=\"10000000\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"60000\" {} />\r\n{}  </StreamIndex>\r\n  \
         <StreamIndex Type=\"audio\" Name=\"audio\" Chunks=\"3\" QualityLevels=\"1\" TimeScale=\"10000000\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(audio={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"48000\" {} />\r\n{}  </StreamIndex>\r\n  \
         <StreamIndex Type=\"text\" Name=\"captions\" Subtype=\"CAPT\" Language=\"eng\" Chunks=\"2\" QualityLevels=\"1\" \
         TimeScale=\"10000000\" Url=\"QualityLevels({{bitrate}})/Fragments(captions={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"1000\" FourCC=\"TTML\" CodecPrivateData=\"\" />\r\n{}  </StreamIndex>\r\n  \
         <StreamIndex Type=\"text\" Name=\"events\" Subtype=\"SCMD\" ParentStreamIndex=\"video\" ManifestOutput=\"TRUE\" \
         Chunks=\"2\" QualityLevels=\"1\" TimeScale=\"10000000\" Url=\"QualityLevels({{bitrate}})/Fragments(events={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"0\" FourCC=\"\" CodecPrivateData=\"\">\r\n      \
         <CustomAttributes>\r\n        <Attribute Name=\"Scheme\" Value=\"urn:example:signals\" />\r\n      \
         </CustomAttributes>\r\n    </QualityLevel>\r\n{embedded}  </StreamIndex>\r\n</SmoothStreamingMedia>\r\n",
        video_level(&small),
        list(&video),
        audio_level(&heard),
        list(&sounds),
        list(&captions),
    );
    let same = |time: i64| time as u64;
    let (film, words) = ("archive/archive.ismv", "archive/archive.ismt");
    Dialect::new("archive/archive.ism")
        .track(("video", 60_000, ""), (film, &media, 2), same)
        .track(("audio", 48_000, ""), (film, &media, 1), same)
        .track(("captions", 1000, ""), (words, &texts, 2), same)
        .track(("events", 0, "Scheme=urn:example:signals"), (words, &texts, 1), same)
        .file("archive/archive.ism", ism)
        .file("archive/archive.ismc", ismc)
        .file(film, media.out.0)
        .file(words, texts.out.0)
        .findings(vec!["gap-between-chunks", "gap-between-chunks", "fourcc-missing"])
        .manifest(Manifest::Stored("archive/archive.ismc"))
}

/// The same event, of which the recording ended in the middle of its last fragment but one: no
/// index, and no client manifest.
pub fn recording() -> Dialect {
    let (mut media, ..) = recorded();
    let last = media.fragments.len() - 2;
    let cut = media.fragments[last].payload.start + 1000;
    media.out.0.truncate(cut);
    media.fragments.truncate(last);
    let track = |element: &str, bitrate: u32, id: u32| {
        format!(
            "      <{element} src=\"recording.ismv\" systemBitrate=\"{bitrate}\">\r\n{}      </{element}>\r\n",
            param("trackID", id)
        )
    };
    let ism = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  \
         <body>\r\n    <switch>\r\n{}{}    </switch>\r\n  </body>\r\n</smil>\r\n",
        track("video", 60_000, 2),
        track("audio", 48_000, 1),
    );
    let same = |time: i64| time as u64;
    let file = "recording/recording.ismv";
    Dialect::new("recording/recording.ism")
        .track(("video", 60_000, ""), (file, &media, 2), same)
        .track(("audio", 48_000, ""), (file, &media, 1), same)
        .file("recording/recording.ism", ism)
        .file(file, media.out.0)
}
