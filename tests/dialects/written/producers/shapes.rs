//! Shapes that the format allows and no producer makes all at once: `wide` is all large numbers,
//! `dense` has more of everything than it needs.

use super::*;
use crate::written::media::{ISO_FLAGS, Media, Tfra, mfra, mfra_lying, no_extra, order};
use crate::written::moov::{Head, ftyp, moov, mvhd, trex};
use crate::written::samples::{audio, reordered_video, small_video};
use crate::written::{Dialect, Manifest};

fn ism(name: &str, bitrate: u32) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\"><head><meta name=\"clientManifestRelativePath\" content=\"{name}.ismc\"/></head>\
         <body><switch>\n<video src=\"{name}.ismv\" systemBitrate=\"{bitrate}\"><param name=\"trackID\" value=\"1\"/></video>\n\
         <audio src=\"{name}.ismv\" systemBitrate=\"48000\"><param name=\"trackID\" value=\"2\"/></audio>\n</switch></body></smil>\n"
    )
}

/// A stream of one quality.
struct Level {
    kind: &'static str,
    bitrate: u32,
    codec: String,
    timescale: u64,
    /// Start and duration of each chunk, in ticks.
    spans: Vec<(u64, u64)>,
}

fn ismc(levels: [Level; 2]) -> String {
    let stream = |level: &Level| {
        let Level { kind, bitrate, codec, timescale, spans } = level;
        let chunk = |(t, d): &(u64, u64)| format!("<c t=\"{t}\" d=\"{d}\"/>\n");
        let chunks: String = spans.iter().map(chunk).collect();
        format!(
            "<StreamIndex Type=\"{kind}\" Name=\"{kind}\" TimeScale=\"{timescale}\" Chunks=\"{}\" QualityLevels=\"1\" \
             Url=\"QualityLevels({{bitrate}})/Fragments({kind}={{start time}})\">\n\
             <QualityLevel Index=\"0\" Bitrate=\"{bitrate}\" {codec}/>\n{chunks}</StreamIndex>\n",
            spans.len()
        )
    };
    let streams: String = levels.iter().map(stream).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" TimeScale=\"10000000\" \
         Duration=\"40000000\">\n{streams}</SmoothStreamingMedia>\n"
    )
}

/// `mdat` with 64-bit sizes; `tfra` of both versions, its numbers 4, 2, 3 and 2, 4, 1 bytes wide;
/// behind the index other boxes, and an `mfro` that is wrong.
pub fn wide() -> Dialect {
    let (small, heard) = (small_video(), audio());
    let video = small.pieces(SMOOTH, 0, &[50, 50]);
    let sounds = heard.pieces(SMOOTH, 0, &[94, 93]);
    let mut media = Media::new(|out| {
        ftyp(out, b"piff", 1, "iso2");
        moov(out, &[Head::video(1, 10_000_000, &small), Head::audio(2, 10_000_000, &heard)]);
    });
    let large = |shape| Shape { large: true, ..shape };
    let (pictures, sound) = (large(Shape::default()), large(sound()));
    let tracks = [(1, SMOOTH, &video[..], &pictures), (2, SMOOTH, &sounds[..], &sound)];
    media.interleave(&tracks, &no_extra);
    let tfras = [
        Tfra { widths: [4, 2, 3], ..Tfra::of(&media, 1) },
        Tfra { version: 0, widths: [2, 4, 1], ..Tfra::of(&media, 2) },
    ];
    mfra_lying(&mut media.out, &tfras, 77);
    media.out.filler(b"free", 100).uuid(&"5A".repeat(16), 0, 0, |out| _ = out.put("the end"));
    let levels = [
        Level {
            kind: "video",
            bitrate: 60_000,
            codec: video_level(&small),
            timescale: SMOOTH,
            spans: spans(&video),
        },
        Level {
            kind: "audio",
            bitrate: 48_000,
            codec: audio_level(&heard),
            timescale: SMOOTH,
            spans: spans(&sounds),
        },
    ];
    let same = |time: i64| time as u64;
    let file = "wide/wide.ismv";
    Dialect::new("wide/wide.ism")
        .track(("video", 60_000, ""), (file, &media, 1), same)
        .track(("audio", 48_000, ""), (file, &media, 2), same)
        .file("wide/wide.ism", ism("wide", 60_000))
        .file("wide/wide.ismc", ismc(levels))
        .file(file, media.out.0)
        .manifest(Manifest::Stored("wide/wide.ismc"))
}

/// Several random access points a fragment; all defaults in several `trex`, none of them in the
/// order of the tracks and one of no track at all; other boxes before, within and behind fragments.
pub fn dense() -> Dialect {
    const VIDEO: u32 = 25_000;
    const AUDIO: u32 = 48_000;
    let (large, heard) = (reordered_video(), audio());
    let video = large.pieces(u64::from(VIDEO), 0, &[50, 50]);
    let sounds = heard.pieces(u64::from(AUDIO), 0, &[94, 93]);
    let mut media = Media::new(|out| {
        ftyp(out, b"iso5", 1, "piffiso2");
        out.filler(b"free", 16).filler(b"abcd", 3);
        out.boxed(b"moov", |out| {
            mvhd(out, 0, 1000, 0);
            out.boxed(b"mvex", |out| {
                trex(out, 3, [1, 2, 3]);
                trex(out, 2, [1024, 0, ISO_FLAGS[0]]);
                trex(out, 1, [1000, 0, 0]);
            });
            out.filler(b"skip", 5);
            Head::audio(2, AUDIO, &heard).write(out);
            Head::video(1, VIDEO, &large).write(out);
        });
    });
    let between = crate::written::bytes::made(|out| _ = out.filler(b"free", 21));
    let shape =
        |fields| Shape { tfhd: 0, trun: (1, fields), between: between.clone(), ..Shape::default() };
    // Sizes; for pictures also flags and composition offsets.
    let (pictures, sound) = (shape(0xe01), shape(0x201));
    let tracks =
        [(1, u64::from(VIDEO), &video[..], &pictures), (2, u64::from(AUDIO), &sounds[..], &sound)];
    for (track, at) in order(&tracks) {
        let (id, _, pieces, shape) = tracks[track];
        media.out.filler(b"free", 9).uuid(&"A5".repeat(16), 0, 0, |out| _ = out.u32(id));
        media.fragment(id, &pieces[at], shape, |out| _ = out.filler(b"abcd", 7));
        media.out.filler(b"abcd", 30);
    }
    let entries = |track, every: fn(usize, bool) -> bool| {
        let mut entries = Vec::new();
        for written in media.of(track) {
            let mut time = written.time;
            for (i, sample) in written.piece.samples.iter().enumerate() {
                if every(i, sample.key) {
                    let shown = time + i64::from(sample.composition);
                    entries.push((shown as u64, written.moof.start as u64, i as u32 + 1));
                }
                time += i64::from(sample.duration);
            }
        }
        Tfra { track, version: 1, widths: [1, 1, 1], entries }
    };
    let tfras = [entries(2, |i, _| i % 10 == 0), entries(1, |_, key| key)];
    mfra(&mut media.out, &tfras);
    let levels = [
        Level {
            kind: "video",
            bitrate: 150_000,
            codec: video_level(&large),
            timescale: u64::from(VIDEO),
            spans: spans(&video),
        },
        Level {
            kind: "audio",
            bitrate: 48_000,
            codec: audio_level(&heard),
            timescale: u64::from(AUDIO),
            spans: spans(&sounds),
        },
    ];
    let same = |time: i64| time as u64;
    let file = "dense/dense.ismv";
    Dialect::new("dense/dense.ism")
        .track(("video", 150_000, ""), (file, &media, 1), same)
        .track(("audio", 48_000, ""), (file, &media, 2), same)
        .file("dense/dense.ism", ism("dense", 150_000))
        .file("dense/dense.ismc", ismc(levels))
        .file(file, media.out.0)
        .findings([["timescale-unusual"; 2], ["defaults-in-header"; 2]].concat())
        .manifest(Manifest::Stored("dense/dense.ismc"))
}
