//! Bento4, `mp4fragment` with an index and `mp4-dash` for Smooth: `sidx` in front of the first
//! fragment, `tfdt`, offsets relative to the `moof`, `tfra` of version 0; one quality an audio
//! stream, named after its language; lower-case hexadecimal.

use super::*;
use crate::written::bytes::made;
use crate::written::media::{Media, Tfra, mfra};
use crate::written::moov::{Head, ftyp, mvhd, trex};
use crate::written::samples::{audio, small_video};
use crate::written::{Dialect, Manifest};

/// Description index, default flags, default base is `moof`.
const TFHD: u32 = 0x02_0022;

pub fn bento4() -> Dialect {
    let (small, heard) = (small_video(), audio());
    let video = small.pieces(SMOOTH, 0, &[50, 50]);
    let sounds = heard.pieces(SMOOTH, 0, &[94, 93]);
    let file = |head: Head, pieces: &[Piece], shape: &Shape| {
        let id = head.id;
        // The lengths of the fragments go into the `sidx` before them.
        let mut rest = Media::default();
        rest.interleave(&[(id, SMOOTH, pieces, shape)], &crate::written::media::no_extra);
        let sidx = made(|out| {
            out.full(b"sidx", 0, 0, |out| {
                out.u32(id).u32(10_000_000).u32(0).u32(0).u16(0).u16(pieces.len() as u16);
                for (piece, written) in pieces.iter().zip(&rest.fragments) {
                    out.u32(written.whole().len() as u32).u32(piece.duration() as u32);
                    out.u32(0x9000_0000);
                }
            });
        });
        let mut media = Media::new(|out| {
            ftyp(out, b"iso5", 1, "iso5avc1mp41");
            out.boxed(b"moov", |out| {
                mvhd(out, 0, 1000, 0);
                head.write(out);
                out.boxed(b"mvex", |out| {
                    out.full(b"mehd", 0, 0, |out| _ = out.u32(4000));
                    trex(out, id, [0; 3]);
                });
            });
            out.put(&sidx);
        });
        media.interleave(&[(id, SMOOTH, pieces, shape)], &crate::written::media::no_extra);
        let tfras = [Tfra { version: 0, ..Tfra::of(&media, id) }];
        mfra(&mut media.out, &tfras);
        media
    };
    let shape = |flags| Shape {
        tfhd: TFHD,
        defaults: [0, 0, flags],
        trun: (0, 0x305),
        tfdt: Some(0),
        ..Shape::default()
    };
    let video_file = file(Head::video(1, 10_000_000, &small), &video, &shape(0x0101_0000));
    let audio_shape = Shape { trun: (0, 0x301), ..shape(0x0200_0000) };
    let audio_file = file(Head::audio(2, 10_000_000, &heard), &sounds, &audio_shape);

    let param = |name: &str, value: &str| {
        format!("        <param name=\"{name}\" value=\"{value}\" valueType=\"data\"/>\n")
    };
    let ism = format!(
        "<?xml version=\"1.0\" ?>\n<!-- Created with Bento4 -->\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\n  \
         <head>\n    <meta content=\"bento4.ismc\" name=\"clientManifestRelativePath\"/>\n  </head>\n  <body>\n    <switch>\n      \
         <audio src=\"audio_und.mp4\" systemBitrate=\"48000\">\n{}{}{}      </audio>\n      \
         <video src=\"video.mp4\" systemBitrate=\"60000\">\n{}      </video>\n    </switch>\n  </body>\n</smil>\n",
        param("trackID", "2"),
        param("trackName", "audio_und"),
        param("timeScale", "10000000"),
        param("trackID", "1"),
    );
    let list = |pieces: &[Piece]| -> String {
        pieces.iter().map(|piece| format!("    <c d=\"{}\"/>\n", piece.duration())).collect()
    };
    let ismc = format!(
        "<?xml version=\"1.0\" ?>\n<!-- Created with Bento4 -->\n\
         <SmoothStreamingMedia Duration=\"40000000\" MajorVersion=\"2\" MinorVersion=\"0\">\n  \
         <StreamIndex Chunks=\"2\" Language=\"und\" Name=\"audio_und\" QualityLevels=\"1\" Type=\"audio\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(audio_und={{start time}})\">\n    \
         <QualityLevel AudioTag=\"255\" Bitrate=\"48000\" BitsPerSample=\"16\" Channels=\"2\" CodecPrivateData=\"{}\" \
         FourCC=\"AACL\" Index=\"0\" PacketSize=\"4\" SamplingRate=\"48000\"/>\n{}  </StreamIndex>\n  \
         <StreamIndex Chunks=\"2\" MaxHeight=\"90\" MaxWidth=\"160\" Name=\"video\" QualityLevels=\"1\" Subtype=\"\" Type=\"video\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\">\n    \
         <QualityLevel Bitrate=\"60000\" CodecPrivateData=\"{}\" FourCC=\"H264\" Index=\"0\" MaxHeight=\"90\" MaxWidth=\"160\"/>\n{}  \
         </StreamIndex>\n</SmoothStreamingMedia>\n",
        hex(&heard.private()).to_lowercase(),
        list(&sounds),
        hex(&small.private()).to_lowercase(),
        list(&video),
    );
    let same = |time: i64| time as u64;
    Dialect::new("bento4/bento4.ism")
        .track(("audio_und", 48_000, ""), ("bento4/audio_und.mp4", &audio_file, 2), same)
        .track(("video", 60_000, ""), ("bento4/video.mp4", &video_file, 1), same)
        .file("bento4/bento4.ism", ism)
        .file("bento4/bento4.ismc", ismc)
        .file("bento4/audio_und.mp4", audio_file.out.0)
        .file("bento4/video.mp4", video_file.out.0)
        .manifest(Manifest::Stored("bento4/bento4.ismc"))
}
