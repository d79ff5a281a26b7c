//! HLS: the multivariant playlist and the media playlists. Their segments are those of
//! [`cmaf`](super::cmaf).

mod attributes;
mod clock;
mod media;
mod multivariant;
mod protection;
mod request;

pub use request::Request;
