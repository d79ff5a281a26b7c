//! Azure Media Services: all in milliseconds, since 1970; equal chunks as one `c` with `r`; media
//! files called `.mp4`; `formats` and index files in the server manifest.

use super::*;
use crate::written::media::{Media, Tfra, mfra, tfxd_extra};
use crate::written::moov::{Head, ftyp, moov};
use crate::written::samples::{audio, small_video};
use crate::written::{Dialect, Manifest};

const VIDEO_START: i64 = 1_596_671_758_880;
const AUDIO_START: i64 = VIDEO_START + 13;

pub fn azure() -> Dialect {
    let (small, heard) = (small_video(), audio());
    let video = small.pieces(1000, VIDEO_START, &[50, 50, 50]);
    let sounds = heard.pieces(1000, AUDIO_START, &[94, 94, 92]);
    let file = |head: Head, pieces: &[Piece], shape: &Shape| {
        let id = head.id;
        let mut media = Media::new(|out| {
            ftyp(out, b"mp42", 1, "isommp42piff");
            moov(out, &[head]);
        });
        media.interleave(&[(id, 1000, pieces, shape)], &tfxd_extra);
        let tfras = [Tfra::of(&media, id)];
        mfra(&mut media.out, &tfras);
        media
    };
    let video_file = file(Head::video(1, 1000, &small), &video, &Shape::default());
    let audio_file = file(Head::audio(2, 1000, &heard), &sounds, &sound());

    let track = |element: &str, src: &str, bitrate: u32, track: u32, name: &str| {
        let index = format!("{src}_{track}.mpi");
        let bitrate_text = bitrate.to_string();
        let params: String = [
            ("systemBitrate", &*bitrate_text),
            ("trackID", &*track.to_string()),
            ("trackName", name),
            ("timeScale", "1000"),
            ("trackIndex", &*index),
        ]
        .into_iter()
        .map(|(name, value)| param(name, value))
        .collect();
        format!(
            "      <{element} src=\"{src}.mp4\" systemBitrate=\"{bitrate}\" systemLanguage=\"und\">\r\n{params}      </{element}>\r\n"
        )
    };
    let ism = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\r\n\
         <smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  <head>\r\n    \
         <meta name=\"clientManifestRelativePath\" content=\"azure.ismc\" />\r\n    \
         <meta name=\"formats\" content=\"mp4-v3\" />\r\n    \
         <meta name=\"fragmentsPerHLSSegment\" content=\"1\" />\r\n  </head>\r\n  <body>\r\n    <switch>\r\n{}{}    </switch>\r\n  </body>\r\n</smil>\r\n",
        track("audio", "azure_audio", 48_000, 2, "audio_und"),
        track("video", "azure_60", 60_000, 1, "video"),
    );
    let seen = spans(&video);
    let list: String = spans(&sounds)
        .into_iter()
        .enumerate()
        .map(|(n, (t, d))| format!("    <c t=\"{t}\" d=\"{d}\" n=\"{n}\" />\r\n"))
        .collect();
    let ismc = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"2\" TimeScale=\"1000\" Duration=\"6000\">\r\n  \
         <StreamIndex Chunks=\"3\" Type=\"audio\" Url=\"QualityLevels({{bitrate}})/Fragments(audio_und={{start time}})\" \
         QualityLevels=\"1\" Language=\"und\" Name=\"audio_und\" TimeScale=\"1000\">\r\n    \
         <QualityLevel AudioTag=\"255\" Index=\"0\" BitsPerSample=\"16\" Bitrate=\"48000\" FourCC=\"AACL\" \
         CodecPrivateData=\"{}\" Channels=\"2\" PacketSize=\"4\" SamplingRate=\"48000\" />\r\n{list}  </StreamIndex>\r\n  \
         <StreamIndex Chunks=\"3\" Type=\"video\" Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\" \
         QualityLevels=\"1\" Name=\"video\" TimeScale=\"1000\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"60000\" {} />\r\n    \
         <c t=\"{}\" d=\"{}\" r=\"3\" n=\"0\" />\r\n  </StreamIndex>\r\n</SmoothStreamingMedia>\r\n",
        hex(&heard.private()),
        video_level(&small),
        seen[0].0,
        seen[0].1,
    );
    let same = |time: i64| time as u64;
    Dialect::new("azure/azure.ism")
        .track(("audio_und", 48_000, ""), ("azure/azure_audio.mp4", &audio_file, 2), same)
        .track(("video", 60_000, ""), ("azure/azure_60.mp4", &video_file, 1), same)
        .file("azure/azure.ism", ism)
        .file("azure/azure.ismc", ismc)
        .file("azure/azure_audio.mp4", audio_file.out.0)
        .file("azure/azure_60.mp4", video_file.out.0)
        .findings(vec!["timescale-unusual"; 2])
        .manifest(Manifest::Stored("azure/azure.ismc"))
}
