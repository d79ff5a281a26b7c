//! One producer a file, each as the protocol sheet describes it.

mod archive;
mod azure;
mod bento4;
mod captions;
mod cmaf;
mod encoder;
mod ffmpeg;
mod playready;
mod shapes;
mod texts;
mod unified;

pub use archive::{archive, recording};
pub use azure::azure;
pub use bento4::bento4;
pub use captions::captions;
pub use cmaf::cmaf;
pub use encoder::encoder;
pub use ffmpeg::ffmpeg;
pub use playready::{playready, playready_object};
pub use shapes::{dense, wide};
pub use texts::{attributes, missing, utf16_be, utf16_le};
pub use unified::unified;

use super::Dialect;
use super::bytes::hex;
use super::media::Shape;
use super::samples::{Piece, Source};

/// All that need no scan.
pub fn all() -> Vec<Dialect> {
    vec![
        encoder(),
        playready(),
        azure(),
        archive(),
        bento4(),
        captions(),
        cmaf(),
        unified(),
        ffmpeg(),
        wide(),
        dense(),
        missing(),
        utf16_le(),
        utf16_be(),
        attributes(),
    ]
}

/// Ticks a second of most manifests.
pub const SMOOTH: u64 = 10_000_000;

/// Sound as ffmpeg writes it: all defaults in `tfhd` but duration and size.
pub fn sound() -> Shape {
    Shape { defaults: [0, 0, 0x0200_0000], trun: (1, 0x301), ..Shape::default() }
}

/// Ticks of one timescale as ticks of another, rounded.
pub fn rescaled(time: i64, from: u64, to: u64) -> u64 {
    let wide = (i128::from(time) * i128::from(to) * 2 + i128::from(from)) / (2 * i128::from(from));
    wide as u64
}

/// Start and duration of each fragment.
pub fn spans(pieces: &[Piece]) -> Vec<(u64, u64)> {
    pieces.iter().map(|piece| (piece.time as u64, piece.duration())).collect()
}

/// Attributes of a `QualityLevel`, from `FourCC` on.
pub fn video_level(source: &Source) -> String {
    let (width, height) = source.size;
    let private = hex(&source.private());
    format!(r#"FourCC="H264" MaxWidth="{width}" MaxHeight="{height}" CodecPrivateData="{private}""#)
}

/// Attributes of a `QualityLevel`, from `FourCC` on.
pub fn audio_level(source: &Source) -> String {
    let private = hex(&source.private());
    format!(
        r#"FourCC="AACL" SamplingRate="48000" Channels="2" BitsPerSample="16" PacketSize="4" AudioTag="255" CodecPrivateData="{private}""#
    )
}

/// A `param` as Microsoft spells it.
pub fn param(name: &str, value: impl std::fmt::Display) -> String {
    format!("        <param name=\"{name}\" value=\"{value}\" valuetype=\"data\" />\r\n")
}
