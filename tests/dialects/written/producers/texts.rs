//! Presentations whose manifests are what is special about them; the media is plain.

use super::*;
use crate::written::bytes::utf16;
use crate::written::media::{Media, Tfra, mfra, tfxd_extra};
use crate::written::moov::{Head, ftyp, moov};
use crate::written::samples::{audio, small_video};
use crate::written::{Dialect, Manifest};

/// A file of these tracks, in 1/10,000,000 s.
fn plain(tracks: Vec<(Head, Vec<Piece>, Shape)>) -> Media {
    let mut media = Media::default();
    ftyp(&mut media.out, b"isml", 1, "piffiso2");
    let (mut heads, mut rest) = (Vec::new(), Vec::new());
    for (head, pieces, shape) in tracks {
        rest.push((head.id, pieces, shape));
        heads.push(head);
    }
    moov(&mut media.out, &heads);
    let tracks: Vec<_> =
        rest.iter().map(|(id, pieces, shape)| (*id, SMOOTH, &pieces[..], shape)).collect();
    media.interleave(&tracks, &tfxd_extra);
    let tfras: Vec<_> = rest.iter().map(|(id, ..)| Tfra::of(&media, *id)).collect();
    mfra(&mut media.out, &tfras);
    media
}

fn same(time: i64) -> u64 {
    time as u64
}

/// Two manifests of one file, in UTF-16 of both byte orders with the mark that says which: as old
/// versions of Expression Encoder wrote them.
fn utf16_dialect(
    [ism_name, ismc_name, short]: [&'static str; 3],
    order: fn(u16) -> [u8; 2],
) -> Dialect {
    let (small, heard) = (small_video(), audio());
    let video = small.pieces(SMOOTH, 0, &[50, 50]);
    let sounds = heard.pieces(SMOOTH, 0, &[94, 93]);
    let media = plain(vec![
        (Head::audio(1, 10_000_000, &heard), sounds.clone(), sound()),
        (Head::video(2, 10_000_000, &small), video.clone(), Shape::default()),
    ]);
    let list = |pieces: &[Piece]| -> String {
        let chunk = |(n, piece): (usize, &Piece)| {
            format!("    <c n=\"{n}\" d=\"{}\" />\r\n", piece.duration())
        };
        pieces.iter().enumerate().map(chunk).collect()
    };
    let head = "<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<!--Größe zählt: 한국어-->\r\n";
    let ism = format!(
        "{head}<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  <head>\r\n    \
         <meta name=\"clientManifestRelativePath\" content=\"{short}.ismc\" />\r\n  </head>\r\n  <body>\r\n    <switch>\r\n      \
         <video src=\"utf16.ismv\" systemBitrate=\"60000\">\r\n{}      </video>\r\n      \
         <audio src=\"utf16.ismv\" systemBitrate=\"48000\">\r\n{}{}      </audio>\r\n    </switch>\r\n  </body>\r\n</smil>\r\n",
        param("trackID", 2),
        param("trackID", 1),
        param("trackName", "Ton_für_alle"),
    );
    let ismc = format!(
        "{head}<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"40000000\">\r\n  \
         <StreamIndex Type=\"video\" Subtype=\"H264\" Chunks=\"2\" QualityLevels=\"1\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"60000\" {} />\r\n{}  </StreamIndex>\r\n  \
         <StreamIndex Type=\"audio\" Subtype=\"AACL\" Name=\"Ton_für_alle\" Chunks=\"2\" QualityLevels=\"1\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(Ton_f%C3%BCr_alle={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"48000\" {} />\r\n{}  </StreamIndex>\r\n</SmoothStreamingMedia>\r\n",
        video_level(&small),
        list(&video),
        audio_level(&heard),
        list(&sounds),
    );
    let file = "utf16/utf16.ismv";
    Dialect::new(ism_name)
        .track(("video", 60_000, ""), (file, &media, 2), same)
        .track(("Ton_für_alle", 48_000, ""), (file, &media, 1), same)
        .file(ism_name, utf16(&ism, order))
        .file(ismc_name, utf16(&ismc, order))
        .file(file, media.out.0)
        .manifest(Manifest::Stored(ismc_name))
}

pub fn utf16_le() -> Dialect {
    utf16_dialect(["utf16/le.ism", "utf16/le.ismc", "le"], u16::to_le_bytes)
}

pub fn utf16_be() -> Dialect {
    utf16_dialect(["utf16/be.ism", "utf16/be.ismc", "be"], u16::to_be_bytes)
}

/// Two cameras of one bitrate, which only their custom attributes tell apart.
pub fn attributes() -> Dialect {
    let small = small_video();
    let pieces = small.pieces(SMOOTH, 0, &[50, 50, 50, 50]);
    let first = pieces[..2].to_vec();
    let mut second = pieces[2..].to_vec();
    second.iter_mut().zip(&first).for_each(|(piece, first)| piece.time = first.time);
    let media = plain(vec![
        (Head::video(1, 10_000_000, &small), first.clone(), Shape::default()),
        (Head::video(2, 10_000_000, &small), second, Shape::default()),
    ]);
    let track = |id: u32, camera: &str| {
        format!(
            "      <video src=\"attributes.ismv\" systemBitrate=\"60000\">\r\n{}{}{}      </video>\r\n",
            param("trackID", id),
            param("trackName", "video"),
            param("CameraAngle", camera)
        )
    };
    // The second camera comes first here.
    let ism = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  <head>\r\n    \
         <meta name=\"clientManifestRelativePath\" content=\"attributes.ismc\" />\r\n  </head>\r\n  <body>\r\n    <switch>\r\n{}{}    \
         </switch>\r\n  </body>\r\n</smil>\r\n",
        track(2, "Camera2"),
        track(1, "Camera1"),
    );
    let quality = |index: u32, camera: &str| {
        format!(
            "    <QualityLevel Index=\"{index}\" Bitrate=\"60000\" {}>\r\n      <CustomAttributes>\r\n        \
             <Attribute Name=\"CameraAngle\" Value=\"{camera}\" />\r\n      </CustomAttributes>\r\n    </QualityLevel>\r\n",
            video_level(&small)
        )
    };
    let ismc = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"40000000\">\r\n  \
         <StreamIndex Type=\"video\" Name=\"video\" Chunks=\"2\" QualityLevels=\"2\" \
         Url=\"QualityLevels({{bitrate}},{{CustomAttributes}})/Fragments(video={{start time}})\">\r\n{}{}    \
         <c t=\"0\" d=\"20000000\" />\r\n    <c d=\"20000000\" />\r\n  </StreamIndex>\r\n</SmoothStreamingMedia>\r\n",
        quality(0, "Camera1"),
        quality(1, "Camera2"),
    );
    let file = "attributes/attributes.ismv";
    Dialect::new("attributes/attributes.ism")
        .track(("video", 60_000, "CameraAngle=Camera1"), (file, &media, 1), same)
        .track(("video", 60_000, "CameraAngle=Camera2"), (file, &media, 2), same)
        .file("attributes/attributes.ism", ism)
        .file("attributes/attributes.ismc", ismc)
        .file(file, media.out.0)
        .manifest(Manifest::Stored("attributes/attributes.ismc"))
}

/// The manifests announce a second quality, whose file is not there, and sound, which the file
/// that should have it does not have.
pub fn missing() -> Dialect {
    let (small, heard) = (small_video(), audio());
    let video = small.pieces(SMOOTH, 0, &[50, 50]);
    let media = plain(vec![(Head::video(1, 10_000_000, &small), video.clone(), Shape::default())]);
    let track = |element: &str, src: &str, bitrate: u32, id: u32| {
        format!(
            "      <{element} src=\"{src}\" systemBitrate=\"{bitrate}\">\r\n{}      </{element}>\r\n",
            param("trackID", id)
        )
    };
    let ism = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  <head>\r\n    \
         <meta name=\"clientManifestRelativePath\" content=\"missing.ismc\" />\r\n  </head>\r\n  <body>\r\n    <switch>\r\n{}{}{}    \
         </switch>\r\n  </body>\r\n</smil>\r\n",
        track("video", "missing_120.ismv", 120_000, 1),
        track("video", "missing_60.ismv", 60_000, 1),
        track("audio", "missing_60.ismv", 48_000, 2),
    );
    let high = format!("<QualityLevel Index=\"0\" Bitrate=\"120000\" {} />", video_level(&small));
    let sound = format!(
        "<StreamIndex Type=\"audio\" Name=\"audio\" Chunks=\"2\" QualityLevels=\"1\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(audio={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"48000\" {} />\r\n    <c d=\"20053333\" />\r\n    <c d=\"19840000\" />\r\n  </StreamIndex>",
        audio_level(&heard)
    );
    let client = |count: u32, high: &str, sound: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
             <SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"40000000\">\r\n  \
             <StreamIndex Type=\"video\" Name=\"video\" Chunks=\"2\" QualityLevels=\"{count}\" \
             Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\">\r\n    {high}\r\n    \
             <QualityLevel Index=\"1\" Bitrate=\"60000\" {} />\r\n    <c d=\"20000000\" />\r\n    <c d=\"20000000\" />\r\n  \
             </StreamIndex>\r\n  {sound}\r\n</SmoothStreamingMedia>\r\n",
            video_level(&small)
        )
    };
    let file = "missing/missing_60.ismv";
    Dialect::new("missing/missing.ism")
        .track(("video", 60_000, ""), (file, &media, 1), same)
        .file("missing/missing.ism", ism)
        .file("missing/missing.ismc", client(2, &high, &sound))
        .file(file, media.out.0)
        .findings(vec!["file-missing", "track-missing", "manifest-mended", "manifest-mended"])
        .manifest(Manifest::Mended(client(1, "", "").into_bytes()))
}
