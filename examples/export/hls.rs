//! The URLs in playlists.

use m3u8_rs::{parse_master_playlist_res, parse_media_playlist_res};
use smooth_origin::output::hls::Request;

use crate::listing::{Listing, Unknown};

/// Returns the media playlists that a multivariant playlist names, each once.
///
/// # Errors
/// If it is no playlist, or names something else.
pub(crate) fn playlists(text: &[u8]) -> Result<Vec<String>, Unknown> {
    let master = parse_master_playlist_res(text).map_err(|_| Unknown(String::new()))?;
    let variants = master.variants.into_iter().map(|variant| variant.uri);
    let others = master.alternatives.into_iter().filter_map(|media| media.uri);
    let mut urls: Vec<String> = Vec::new();
    for url in variants.chain(others) {
        if !matches!(Request::parse(&url), Some(Request::Media(_))) {
            return Err(Unknown(url));
        }
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    Ok(urls)
}

/// Adds what a media playlist names.
///
/// # Errors
/// If it is no playlist, or names something else than segments and headers.
pub(crate) fn list(text: &[u8], listing: &mut Listing) -> Result<(), Unknown> {
    let playlist = parse_media_playlist_res(text).map_err(|_| Unknown(String::new()))?;
    for segment in &playlist.segments {
        if let Some(map) = &segment.map {
            listing.add(&map.uri)?;
        }
        listing.add(&segment.uri)?;
    }
    Ok(())
}
