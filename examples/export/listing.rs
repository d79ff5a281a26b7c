//! The segments and headers that manifests name.

use std::collections::{BTreeMap, BTreeSet};

use smooth_origin::output::cmaf::{Part, Request};

/// The files of all tracks, each once, whichever manifests name it.
#[derive(Default)]
pub(crate) struct Listing {
    /// Media of each rendition, by its name in URLs.
    renditions: BTreeMap<String, Media>,
}

/// The files of a rendition. A long film has many, so only their times are kept.
#[derive(Default)]
struct Media {
    has_init: bool,
    segments: BTreeSet<u64>,
    texts: BTreeSet<u64>,
    /// Segments that only HLS has, at the beginning and in gaps.
    of_hls: BTreeSet<String>,
}

impl Listing {
    /// Adds the file of a URL that is relative to the presentation.
    ///
    /// # Errors
    /// If it is not the URL of a segment or header.
    pub(crate) fn add(&mut self, url: &str) -> Result<(), Unknown> {
        let unknown = || Unknown(url.to_owned());
        let request = Request::parse(url).ok_or_else(unknown)?;
        let media = match self.renditions.get_mut(request.rendition) {
            Some(media) => media,
            None => self.renditions.entry(request.rendition.to_owned()).or_default(),
        };
        match request.part {
            Part::Init => media.has_init = true,
            Part::Segment(time) => drop(media.segments.insert(time)),
            Part::Text(time) => drop(media.texts.insert(time)),
            Part::Cut { .. } | Part::Held { .. } | Part::Silence { .. } | Part::Captions { .. } => {
                media.of_hls.insert(url.to_owned());
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// Returns the names of renditions as they are in URLs.
    pub(crate) fn renditions(&self) -> impl Iterator<Item = &str> {
        self.renditions.keys().map(String::as_str)
    }

    /// Returns the URLs, rendition by rendition in the order of time.
    pub(crate) fn urls(&self) -> impl Iterator<Item = String> {
        self.renditions.iter().flat_map(|(name, media)| {
            let init = media.has_init.then(|| format!("{name}/init.mp4"));
            let segments = media.segments.iter().map(move |time| format!("{name}/{time}.m4s"));
            let texts = media.texts.iter().map(move |time| format!("{name}/{time}.vtt"));
            let of_hls = media.of_hls.iter().cloned();
            init.into_iter().chain(of_hls).chain(segments).chain(texts)
        })
    }

    /// Returns the number of URLs.
    pub(crate) fn len(&self) -> usize {
        let of = |media: &Media| {
            usize::from(media.has_init)
                + media.of_hls.len()
                + media.segments.len()
                + media.texts.len()
        };
        self.renditions.values().map(of).sum()
    }
}

/// A URL in a manifest that is not one of a segment or header.
#[derive(Debug)]
pub(crate) struct Unknown(pub(crate) String);
