//! The files of the page: what is in `assets/`, each also compressed.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use xxhash_rust::xxh3::xxh3_64;

/// A file that the page consists of. Cheap to clone.
#[derive(Clone)]
pub(super) struct Asset {
    pub(super) media_type: &'static str,
    /// Validator of the content, in quotes.
    pub(super) etag: String,
    pub(super) plain: Bytes,
    pub(super) gzip: Option<Bytes>,
}

/// Returns the file of a path: `/` is the page itself.
pub(super) fn asset(path: &str) -> Option<Asset> {
    let file = if path == "/" { "index.html" } else { path.strip_prefix("/-/assets/")? };
    ASSETS.get(file).cloned()
}

static ASSETS: LazyLock<HashMap<&str, Asset>> = LazyLock::new(|| {
    let compressed = |content: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(content).and_then(|()| gzip.finish()).expect("a Vec takes all bytes")
    };
    let assets = FILES.iter().map(|&(path, content)| {
        (path, Asset::new(path, Bytes::from_static(content), compressed(content).into()))
    });
    assets.collect()
});

impl Asset {
    pub(super) fn new(path: &str, plain: Bytes, gzip: Bytes) -> Self {
        Self {
            media_type: media_type(path),
            etag: format!("\"{:016x}\"", xxh3_64(&plain)),
            plain,
            gzip: Some(gzip),
        }
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}

macro_rules! files {
    ($($path:literal,)+) => {
        const FILES: &[(&str, &[u8])] = &[$(($path, include_bytes!(concat!("assets/", $path))),)+];
    };
}

files! {
    "addresses.js",
    "api.js",
    "boxes.js",
    "check.js",
    "copy.js",
    "dom.js",
    "failure.js",
    "findings.js",
    "fragment.js",
    "head.js",
    "icon.svg",
    "index.html",
    "list.js",
    "live/buttons.js",
    "live/part.js",
    "live/points.js",
    "live/state.js",
    "live/watch.js",
    "main.js",
    "page.css",
    "play/abilities.js",
    "play/choice.js",
    "play/dashjs.js",
    "play/hlsjs.js",
    "play/numbers.js",
    "play/play.js",
    "play/requests.js",
    "play/script.js",
    "presentation.js",
    "prose.js",
    "state.js",
    "timeline/colours.js",
    "timeline/columns.js",
    "timeline/gestures.js",
    "timeline/irregular.js",
    "timeline/keys.js",
    "timeline/legend.js",
    "timeline/model.js",
    "timeline/overview.js",
    "timeline/paint.js",
    "timeline/timeline.js",
    "timeline/window.js",
    "tracks.js",
    "words.js",
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn all_files_of_the_folder_are_in_the_table() {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    found.push(
                        path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"),
                    );
                }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("serve/page/assets");
        let mut found = Vec::new();
        walk(&root, &root, &mut found);
        found.sort();
        let mut listed: Vec<_> = FILES.iter().map(|(path, _)| path.to_string()).collect();
        listed.sort();
        assert_eq!(found, listed);
    }

    #[test]
    fn nothing_names_another_host_nor_parses_html() {
        for (path, content) in FILES {
            let text = std::str::from_utf8(content).unwrap();
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for never in [
                "http://",
                "https://",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!text.contains(never), "{path} has {never}");
            }
        }
    }
}
