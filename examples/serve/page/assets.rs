//! The files of the page.

use bytes::Bytes;

/// A file of the page.
pub(super) struct Asset {
    pub(super) media_type: &'static str,
    /// Its validator, with the quotes.
    pub(super) etag: &'static str,
    pub(super) plain: Bytes,
    pub(super) gzip: Option<Bytes>,
}

/// Returns the file of a path: `/` is the page itself.
pub(super) fn asset(path: &str) -> Option<Asset> {
    (path == "/").then(|| Asset {
        media_type: "text/html; charset=utf-8",
        etag: "\"0\"",
        plain: Bytes::from_static(b"<!doctype html><title>smooth-origin</title>"),
        gzip: None,
    })
}
