//! Media types of the files beside presentations, by the extensions of their names.

/// Files that are passed without a pattern that names them: pictures, subtitles, pages, playlists.
///
/// XML and JSON say their encoding themselves, and SubRip has none that is usual (RFC 7303, 3.2;
/// RFC 8259, 8.1).
///
/// `csm` is a composite manifest, a playlist of clips of Smooth Streaming presentations.
/// Microsoft's players require it as `text/xml`.
const LISTED: &[(&str, &str)] = &[
    ("csm", "text/xml"),
    ("css", "text/css; charset=utf-8"),
    ("dfxp", "application/ttml+xml"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("mpd", "application/dash+xml"),
    ("png", "image/png"),
    ("srt", "application/x-subrip"),
    ("svg", "image/svg+xml"),
    ("ttml", "application/ttml+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("webp", "image/webp"),
    ("xml", "application/xml"),
];

/// Files that are passed only if a pattern names their extension.
const BY_PATTERN: &[(&str, &str)] = &[
    ("aac", "audio/aac"),
    ("avif", "image/avif"),
    ("cmfa", "audio/mp4"),
    ("cmft", "application/mp4"),
    ("cmfv", "video/mp4"),
    ("csv", "text/csv; charset=utf-8"),
    ("gif", "image/gif"),
    ("htm", "text/html; charset=utf-8"),
    ("isma", "audio/mp4"),
    ("ismt", "application/mp4"),
    ("ismv", "video/mp4"),
    ("m4a", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"),
    ("mkv", "video/matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("ts", "video/mp2t"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("woff2", "font/woff2"),
];

/// Returns whether files of this extension are passed without a pattern that names it.
pub(super) fn is_listed(extension: &str) -> bool {
    find(LISTED, extension).is_some()
}

/// Returns the media type of an extension.
pub(super) fn of(extension: &str) -> Option<&'static str> {
    find(LISTED, extension).or_else(|| find(BY_PATTERN, extension))
}

fn find(types: &[(&str, &'static str)], extension: &str) -> Option<&'static str> {
    let known = types.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension))?;
    Some(known.1)
}
