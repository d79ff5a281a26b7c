//! Expression Encoder with PlayReady: the PIFF header right behind `mvhd`, `sinf` in the sample
//! entries, sample encryption behind `sdtp`, and `Protection` as the manifest's last element.
//!
//! The samples are not encrypted by a real key: what stands in their place is noise, and players
//! would stop at the licence anyway.

use super::encoder::{head, pictures, sounds};
use super::*;
use crate::written::bytes::{Out, base64, made, unhex};
use crate::written::media::{Media, Tfra, mfra, sdtp};
use crate::written::moov::{Head, Kind, avc1, mp4a};
use crate::written::samples::{Timed, audio, small_video};
use crate::written::{Dialect, Manifest};

const PLAYREADY: &str = "9a04f079-9840-4286-ab92-e65be0885f95";
/// Of the file, in the byte order of `tenc`.
const KEY_ID: &str = "09E367028F33436CA5DD60FFE6671E70";
/// Clear bytes at the start of a sample of pictures: a NAL unit's length and header.
const CLEAR: usize = 5;

pub const PROTECTION_HEADER: &str = "D08A4F18-10F3-4A82-B6C8-32D8ABA183D3";
const TRACK_ENCRYPTION: &str = "8974DBCE-7BE7-4C51-84F9-7148F9882554";
const SAMPLE_ENCRYPTION: &str = "A2394F52-5A9B-4F14-A244-6C427C648DF4";

/// A PlayReady object of one record: the header, in UTF-16 with the lower byte first.
pub fn playready_object() -> Vec<u8> {
    let mut key = unhex(KEY_ID);
    key[..4].reverse();
    key[4..6].reverse();
    key[6..8].reverse();
    let text = format!(
        "<WRMHEADER xmlns=\"http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader\" version=\"4.0.0.0\">\
         <DATA><PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{}</KID>\
         <LA_URL>http://playready.example/rightsmanager.asmx</LA_URL></DATA></WRMHEADER>",
        base64(&key)
    );
    let header: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut object = (10 + header.len() as u32).to_le_bytes().to_vec();
    object.extend([1, 0, 1, 0]);
    object.extend((header.len() as u16).to_le_bytes());
    object.extend(header);
    object
}

fn sinf(original: &[u8; 4], version: u32) -> Vec<u8> {
    made(|out| {
        out.boxed(b"sinf", |out| {
            out.boxed(b"frma", |out| _ = out.put(original));
            out.full(b"schm", 0, 0, |out| _ = out.put(b"piff").u32(version));
            out.boxed(b"schi", |out| {
                out.uuid(TRACK_ENCRYPTION, 0, 0, |out| _ = out.u24(1).u8(8).put(unhex(KEY_ID)));
            });
        });
    })
}

/// Noise behind the bytes that stay clear.
fn hidden(mut pieces: Vec<Piece>, clear: usize) -> Vec<Piece> {
    let mut state = 0x2545_f491_u32;
    let samples = pieces.iter_mut().flat_map(|piece| &mut piece.samples);
    for byte in samples.flat_map(|sample| sample.data.iter_mut().skip(clear)) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *byte ^= state as u8;
    }
    pieces
}

/// An initialisation vector a sample; pictures also tell what is clear.
fn encryption(out: &mut Out, track: u32, at: usize, samples: &[Timed], video: bool) {
    out.uuid(SAMPLE_ENCRYPTION, 0, if video { 2 } else { 0 }, |out| {
        out.u32(samples.len() as u32);
        for (i, sample) in samples.iter().enumerate() {
            out.u32(track << 24 | at as u32).u32(i as u32);
            if video {
                out.u16(1).u16(CLEAR as u16).u32((sample.data.len() - CLEAR) as u32);
            }
        }
    });
}

pub fn playready() -> Dialect {
    let (small, sound) = (small_video(), audio());
    let seen = hidden(small.pieces(SMOOTH, 0, &[50, 50]), CLEAR);
    let heard = hidden(sound.pieces(SMOOTH, 0, &[94, 93]), 0);
    let duration: u64 = seen.iter().map(Piece::duration).sum();
    let object = playready_object();
    let entry = avc1(b"encv", &small, &sinf(b"avc1", 0x1_0001));
    let video = Head { size: small.size, ..Head::new(2, Kind::Video, 10_000_000, entry) };
    let entry = mp4a(b"enca", &sound, &sinf(b"mp4a", 0x1_0000));
    let tracks = vec![Head::new(1, Kind::Audio, 10_000_000, entry), video];
    let mut media = Media::new(|out| {
        head(out, tracks, duration, |out| {
            out.uuid(PROTECTION_HEADER, 0, 0, |out| {
                out.put(unhex(PLAYREADY)).u32(object.len() as u32).put(&object);
            });
        });
    });
    let tracks = [(1, SMOOTH, &heard[..], &sounds()), (2, SMOOTH, &seen[..], &pictures())];
    media.interleave(&tracks, &|out, id, at, piece| {
        sdtp(out, piece, id == 2);
        encryption(out, id, at, &piece.samples, id == 2);
    });
    let tfras = [Tfra::of(&media, 1), Tfra::of(&media, 2)];
    mfra(&mut media.out, &tfras);

    let ism = |client: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\r\n  \
             <head>\r\n{client}  </head>\r\n  <body>\r\n    <switch>\r\n      \
             <video src=\"playready.ismv\" systemBitrate=\"60000\">\r\n{}      </video>\r\n      \
             <audio src=\"playready.ismv\" systemBitrate=\"48000\">\r\n{}      </audio>\r\n    \
             </switch>\r\n  </body>\r\n</smil>\r\n",
            param("trackID", 2),
            param("trackID", 1),
        )
    };
    let list = |pieces: &[Piece]| -> String {
        pieces.iter().map(|piece| format!("    <c d=\"{}\" />\r\n", piece.duration())).collect()
    };
    let ismc = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
         <SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"1\" Duration=\"{duration}\">\r\n  \
         <StreamIndex Type=\"video\" Name=\"video\" Chunks=\"2\" QualityLevels=\"1\" MaxWidth=\"160\" MaxHeight=\"90\" \
         DisplayWidth=\"160\" DisplayHeight=\"90\" Url=\"QualityLevels({{bitrate}})/Fragments(video={{start time}})\">\r\n    \
         <QualityLevel Index=\"7\" Bitrate=\"60000\" {} />\r\n{}  </StreamIndex>\r\n  \
         <StreamIndex Type=\"audio\" Name=\"audio\" Chunks=\"2\" QualityLevels=\"1\" \
         Url=\"QualityLevels({{bitrate}})/Fragments(audio={{start time}})\">\r\n    \
         <QualityLevel Index=\"0\" Bitrate=\"48000\" {} />\r\n{}  </StreamIndex>\r\n  \
         <Protection>\r\n    <ProtectionHeader SystemID=\"{PLAYREADY}\">{}</ProtectionHeader>\r\n  </Protection>\r\n\
         </SmoothStreamingMedia>\r\n",
        video_level(&small),
        list(&seen),
        audio_level(&sound),
        list(&heard),
        base64(&object),
    );
    let same = |time: i64| time as u64;
    let file = "playready/playready.ismv";
    let client = "    <meta name=\"clientManifestRelativePath\" content=\"playready.ismc\" />\r\n";
    Dialect::new("playready/playready.ism")
        .track(("video", 60_000, ""), (file, &media, 2), same)
        .track(("audio", 48_000, ""), (file, &media, 1), same)
        .file("playready/playready.ism", ism(client))
        .file("playready/playready.ismc", ismc)
        .file(file, media.out.0)
        .manifest(Manifest::Stored("playready/playready.ismc"))
}
