//! Unified's `mp4split`: the client manifest counts in 1/10,000,000 s while the media keeps the
//! timescales of its frame and sample rate, which only the server manifest tells.

use super::*;
use crate::written::bytes::made;
use crate::written::media::{Media, Tfra, mfra, no_extra};
use crate::written::moov::{Head, ftyp, moov};
use crate::written::samples::{audio, small_video};
use crate::written::{Dialect, Manifest};

const VIDEO: u32 = 24_000;
const AUDIO: u32 = 48_000;

pub fn unified() -> Dialect {
    let (small, heard) = (small_video(), audio());
    let video = small.pieces(u64::from(VIDEO), 0, &[50, 50]);
    let sounds = heard.pieces(u64::from(AUDIO), 0, &[95, 92]);
    let mut media = Media::new(|out| {
        ftyp(out, b"iso6", 0, "iso6isomccffpiff");
        moov(
            out,
            &[
                Head { language: *b"eng", ..Head::audio(1, AUDIO, &heard) },
                Head::video(2, VIDEO, &small),
            ],
        );
    });
    let shape = Shape { tfhd: 0x02_0020, tfdt: Some(1), ..Shape::default() };
    let sounds_shape = Shape { tfhd: 0x02_0020, tfdt: Some(1), ..sound() };
    let tracks = [
        (1, u64::from(AUDIO), &sounds[..], &sounds_shape),
        (2, u64::from(VIDEO), &video[..], &shape),
    ];
    media.interleave(&tracks, &no_extra);
    media.out.put(made(|out| _ = out.filler(b"free", 40)));
    let tfras = [Tfra::of(&media, 1), Tfra::of(&media, 2)];
    mfra(&mut media.out, &tfras);

    let param = |name: &str, value: &str| {
        format!("        <param name=\"{name}\" value=\"{value}\" valueType=\"data\"/>\n")
    };
    let ism = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- Created with mp4split -->\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\n  \
         <head>\n    <meta name=\"creator\" content=\"mp4split\"/>\n    <meta name=\"title\" content=\"tears &amp; tests\"/>\n    \
         <meta name=\"clientManifestRelativePath\" content=\"unified.ismc\"/>\n    <meta name=\"hls_minimum_fragment_length\" content=\"4000/1000\"/>\n  \
         </head>\n  <body>\n    <switch>\n      <audio src=\"unified.ismv\" systemBitrate=\"48000\" systemLanguage=\"en\">\n{}{}{}{}      </audio>\n      \
         <video src=\"unified.ismv\" systemBitrate=\"60000\">\n{}{}{}{}{}      </video>\n    </switch>\n  </body>\n</smil>\n",
        param("systemBitrate", "48000"),
        param("trackID", "1"),
        param("trackName", "audio_eng"),
        param("TimeScale", "48000"),
        param("systemBitrate", "60000"),
        param("trackID", "2"),
        param("TimeScale", "24000"),
        param("MaxWidth", "160"),
        param("MaxHeight", "90"),
    );
    let list = |pieces: &[Piece], timescale: u32| -> String {
        let of = |time| rescaled(time, u64::from(timescale), SMOOTH);
        let chunk = |(i, piece): (usize, &Piece)| {
            let start = if i == 0 { " t=\"0\"" } else { "" };
            let (from, to) = (of(piece.time), of(piece.time + piece.duration() as i64));
            format!("    <c{start} d=\"{}\"/>\n", to - from)
        };
        pieces.iter().enumerate().map(chunk).collect()
    };
    let ismc = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- Created with mp4split -->\n\
         <SmoothStreamingMedia\n  MajorVersion=\"2\"\n  MinorVersion=\"0\"\n  TimeScale=\"10000000\"\n  Duration=\"40000000\">\n  \
         <StreamIndex\n    Type=\"audio\"\n    QualityLevels=\"1\"\n    TimeScale=\"10000000\"\n    Language=\"eng\"\n    Name=\"audio_eng\"\n    \
         Chunks=\"2\"\n    Url=\"QualityLevels({{bitrate}})/Fragments(audio_eng={{start time}})\">\n    \
         <QualityLevel Index=\"0\" Bitrate=\"48000\" {}/>\n{}  </StreamIndex>\n  \
         <StreamIndex\n    Type=\"video\"\n    QualityLevels=\"1\"\n    TimeScale=\"10000000\"\n    Name=\"video\"\n    Chunks=\"2\"\n    \
         Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\"\n    MaxWidth=\"160\"\n    MaxHeight=\"90\"\n    DisplayWidth=\"160\"\n    DisplayHeight=\"90\">\n    \
         <QualityLevel Index=\"0\" Bitrate=\"60000\" {}/>\n{}  </StreamIndex>\n</SmoothStreamingMedia>\n",
        audio_level(&heard),
        list(&sounds, AUDIO),
        video_level(&small),
        list(&video, VIDEO),
    );
    let file = "unified/unified.ismv";
    Dialect::new("unified/unified.ism")
        .track(("audio_eng", 48_000, ""), (file, &media, 1), |time| {
            rescaled(time, u64::from(AUDIO), SMOOTH)
        })
        .track(("video", 60_000, ""), (file, &media, 2), |time| {
            rescaled(time, u64::from(VIDEO), SMOOTH)
        })
        .file("unified/unified.ism", ism)
        .file("unified/unified.ismc", ismc)
        .file(file, media.out.0)
        .findings(vec!["timescales-differ"; 2])
        .manifest(Manifest::Stored("unified/unified.ismc"))
}
