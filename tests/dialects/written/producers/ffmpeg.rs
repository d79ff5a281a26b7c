//! ffmpeg's `ismv` where sound begins before 0, by the encoder's priming: `tfxd` tells it as a
//! negative number, `tfra` as 0. The manifests are ismindex's.

use super::*;
use crate::written::media::{Media, Tfra, mfra, tfxd_extra};
use crate::written::moov::{Head, ftyp, moov};
use crate::written::samples::{audio, small_video};
use crate::written::{Dialect, Manifest};

/// One frame of priming.
const PRIMING: i64 = -213_333;

pub fn ffmpeg() -> Dialect {
    let (small, heard) = (small_video(), audio());
    let video = small.pieces(SMOOTH, 0, &[50, 50]);
    // As with ffmpeg 5.1: a fragment of sound ends at the last frame before the next key frame.
    let sounds = heard.pieces(SMOOTH, PRIMING, &[91, 94]);
    let mut media = Media::new(|out| {
        ftyp(out, b"isml", 0x200, "ismlpiff");
        moov(out, &[Head::video(1, 10_000_000, &small), Head::audio(2, 10_000_000, &heard)]);
    });
    let tracks = [(1, SMOOTH, &video[..], &Shape::default()), (2, SMOOTH, &sounds[..], &sound())];
    media.interleave(&tracks, &tfxd_extra);
    let at_least_0 = |time: i64| time.max(0) as u64;
    let mut tfras = [Tfra::of(&media, 1), Tfra::of(&media, 2)];
    for (time, ..) in tfras.iter_mut().flat_map(|tfra| &mut tfra.entries) {
        *time = at_least_0(*time as i64);
    }
    mfra(&mut media.out, &tfras);

    let mut ism = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\n\
         \t<head>\n\t\t<meta name=\"clientManifestRelativePath\" content=\"ffmpeg.ismc\" />\n\t</head>\n\t<body>\n\t\t<switch>\n",
    );
    for (element, bitrate, track) in [("video", 60_000, 1), ("audio", 48_000, 2)] {
        ism += &format!(
            "\t\t\t<{element} src=\"ffmpeg.ismv\" systemBitrate=\"{bitrate}\">\n\
             \t\t\t\t<param name=\"trackID\" value=\"{track}\" valueType=\"data\" />\n\t\t\t</{element}>\n"
        );
    }
    ism += "\t\t</switch>\n\t</body>\n</smil>\n";
    let list = |pieces: &[Piece]| -> String {
        let chunk = |(n, piece): (usize, &Piece)| {
            let end = piece.time + piece.duration() as i64;
            format!("\t\t<c n=\"{n}\" d=\"{}\" />\n", at_least_0(end) - at_least_0(piece.time))
        };
        pieces.iter().enumerate().map(chunk).collect()
    };
    let ismc = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"40000000\">\n\
         \t<StreamIndex Type=\"video\" QualityLevels=\"1\" Chunks=\"2\" Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\">\n\
         \t\t<QualityLevel Index=\"0\" Bitrate=\"60000\" {} />\n{}\t</StreamIndex>\n\
         \t<StreamIndex Type=\"audio\" QualityLevels=\"1\" Chunks=\"2\" Url=\"QualityLevels({{bitrate}})/Fragments(audio={{start time}})\">\n\
         \t\t<QualityLevel Index=\"0\" Bitrate=\"48000\" {} />\n{}\t</StreamIndex>\n</SmoothStreamingMedia>\n",
        video_level(&small),
        list(&video),
        audio_level(&heard),
        list(&sounds),
    );
    let file = "ffmpeg/ffmpeg.ismv";
    Dialect::new("ffmpeg/ffmpeg.ism")
        .track(("video", 60_000, ""), (file, &media, 1), at_least_0)
        .track(("audio", 48_000, ""), (file, &media, 2), at_least_0)
        .file("ffmpeg/ffmpeg.ism", ism)
        .file("ffmpeg/ffmpeg.ismc", ismc)
        .file(file, media.out.0)
        .manifest(Manifest::Stored("ffmpeg/ffmpeg.ismc"))
}
