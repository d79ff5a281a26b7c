//! Expression Encoder: sound lies in the file of the lowest quality, `stsd` is the last box of its
//! `stbl`, `ctts` is there and empty, composition offsets are negative in a `trun` of version 0,
//! sample flags stand in the wrong bits, and nothing in a fragment tells its time.

use super::*;
use crate::written::bytes::Out;
use crate::written::media::{Media, Tfra, mfra, sdtp};
use crate::written::moov::{Head, Order, ftyp, mvhd, trex};
use crate::written::samples::{audio, reordered_video, small_video};
use crate::written::{Dialect, Manifest};

/// I, then P and B: in the low 16 bits, where ISO has the degradation priority.
const VIDEO_FLAGS: [u32; 2] = [0x4002, 0x4001];
const AUDIO_FLAGS: u32 = 0x8002;

pub fn pictures() -> Shape {
    Shape {
        defaults: [0, 0, VIDEO_FLAGS[1]],
        trun: (0, 0xb05),
        flags: VIDEO_FLAGS,
        ..Shape::default()
    }
}

pub fn sounds() -> Shape {
    Shape { defaults: [0, 0, AUDIO_FLAGS], trun: (0, 0x301), ..Shape::default() }
}

/// `mvhd` of version 1, what `extra` writes, the tracks, and `mvex` with `mehd`.
pub fn head(out: &mut Out, tracks: Vec<Head>, duration: u64, extra: impl FnOnce(&mut Out)) {
    ftyp(out, b"isml", 1, "piffiso2");
    out.boxed(b"moov", |out| {
        mvhd(out, 1, 10_000_000, duration);
        extra(out);
        let ids: Vec<u32> = tracks.iter().map(|track| track.id).collect();
        for track in tracks {
            Head { order: Order::StsdLast, ..track }.write(out);
        }
        out.boxed(b"mvex", |out| {
            out.full(b"mehd", 1, 0, |out| _ = out.u64(duration));
            ids.into_iter().for_each(|id| trex(out, id, [0; 3]));
        });
    });
}

pub fn encoder() -> Dialect {
    let (small, large, sound) = (small_video(), reordered_video(), audio());
    // The second chunk ends where the group of pictures does.
    let low = small.pieces(SMOOTH, 0, &[50, 23]);
    let high = large.pieces(SMOOTH, 0, &[50, 50]);
    let high =
        [high[0].clone(), Piece { samples: high[1].samples[..23].to_vec(), ..high[1].clone() }];
    let heard = sound.pieces(SMOOTH, 0, &[94, 43]);
    // Sound is a little longer than pictures.
    let duration: u64 = heard.iter().map(Piece::duration).sum();

    let extra =
        |video: u32| move |out: &mut Out, id, _, piece: &Piece| sdtp(out, piece, id == video);
    let tracks = vec![Head::audio(1, 10_000_000, &sound), Head::video(2, 10_000_000, &small)];
    let mut with_sound = Media::new(|out| head(out, tracks, duration, |_| {}));
    let tracks = [(1, SMOOTH, &heard[..], &sounds()), (2, SMOOTH, &low[..], &pictures())];
    with_sound.interleave(&tracks, &extra(2));
    let tfras = [Tfra::of(&with_sound, 1), Tfra::of(&with_sound, 2)];
    mfra(&mut with_sound.out, &tfras);

    let tracks = vec![Head::video(1, 10_000_000, &large)];
    let mut alone = Media::new(|out| head(out, tracks, duration, |_| {}));
    alone.interleave(&[(1, SMOOTH, &high, &pictures())], &extra(1));
    let tfras = [Tfra::of(&alone, 1)];
    mfra(&mut alone.out, &tfras);

    let mut ism = String::from(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <!--Created with Expression Encoder version 4.0.4276.0-->\r\n\
         <smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  <head>\r\n    \
         <meta name=\"clientManifestRelativePath\" content=\"encoder.ismc\" />\r\n  </head>\r\n  \
         <body>\r\n    <switch>\r\n",
    );
    for (element, src, bitrate, track) in [
        ("video", "encoder_320_150.ismv", 150_000, 1),
        ("video", "encoder_160_60.ismv", 60_000, 2),
        ("audio", "encoder_160_60.ismv", 48_000, 1),
    ] {
        ism += &format!("      <{element} src=\"{src}\" systemBitrate=\"{bitrate}\">\r\n");
        ism += &param("trackID", track);
        ism += &format!("      </{element}>\r\n");
    }
    ism += "    </switch>\r\n  </body>\r\n</smil>\r\n";

    let list = |pieces: &[Piece]| -> String {
        let chunk = |(i, piece): (usize, &Piece)| {
            format!("    <c n=\"{i}\" d=\"{}\" />\r\n", piece.duration())
        };
        pieces.iter().enumerate().map(chunk).collect()
    };
    let ismc = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <!--Created with Expression Encoder version 4.0.4276.0-->\r\n\
         <SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"1\" Duration=\"{duration}\">\r\n  \
         <StreamIndex Type=\"video\" Name=\"video\" Chunks=\"2\" QualityLevels=\"2\" MaxWidth=\"320\" MaxHeight=\"180\" \
         DisplayWidth=\"320\" DisplayHeight=\"180\" Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"150000\" {} />\r\n    \
         <QualityLevel Index=\"1\" Bitrate=\"60000\" {} />\r\n{}  </StreamIndex>\r\n  \
         <StreamIndex Type=\"audio\" Index=\"0\" Name=\"audio\" Chunks=\"2\" QualityLevels=\"1\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(audio={{start time}})\">\r\n    \
         <QualityLevel Bitrate=\"48000\" {} />\r\n{}  </StreamIndex>\r\n</SmoothStreamingMedia>\r\n",
        video_level(&large),
        video_level(&small),
        list(&high),
        audio_level(&sound),
        list(&heard),
    );
    let same = |time: i64| time as u64;
    let low = "encoder/encoder_160_60.ismv";
    let high = "encoder/encoder_320_150.ismv";
    Dialect::new("encoder/encoder.ism")
        .track(("video", 150_000, ""), (high, &alone, 1), same)
        .track(("video", 60_000, ""), (low, &with_sound, 2), same)
        .track(("audio", 48_000, ""), (low, &with_sound, 1), same)
        .file("encoder/encoder.ism", ism)
        .file("encoder/encoder.ismc", ismc)
        .file(low, with_sound.out.0)
        .file(high, alone.out.0)
        .manifest(Manifest::Stored("encoder/encoder.ismc"))
}
