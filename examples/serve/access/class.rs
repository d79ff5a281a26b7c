//! Classes of requests, for metrics.

use memchr::{memchr, memrchr};

/// A class of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A manifest, a playlist, or another text of a presentation.
    Manifest,
    /// A fragment of Smooth Streaming.
    Fragment,
    /// A segment or an initialization segment of DASH and HLS.
    Segment,
    /// A file beside the presentations, or a path that leads nowhere.
    File,
    /// The page, its files and its JSON.
    Page,
    /// Health, metrics, purge.
    Operator,
}

impl Class {
    pub(crate) const ALL: [Self; 6] =
        [Self::Manifest, Self::Fragment, Self::Segment, Self::File, Self::Page, Self::Operator];

    /// Returns the value of the label `class`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Fragment => "fragment",
            Self::Segment => "segment",
            Self::File => "file",
            Self::Page => "page",
            Self::Operator => "operator",
        }
    }

    /// Returns the class of a request to the service, by the form of its path alone, and the length of
    /// the part that names the presentation.
    pub(super) fn of(path: &str) -> (Self, Option<usize>) {
        let Some(end) = presentation(path) else { return (Self::File, None) };
        (Self::behind(&path[end..]), Some(end))
    }

    /// Returns the class of a request for a presentation.
    fn behind(rest: &str) -> Self {
        let start = memrchr(b'/', rest.as_bytes()).map_or(0, |slash| slash + 1);
        let last = rest.get(start..).unwrap_or_default();
        let starts = |word: &str| {
            last.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        match last {
            _ if starts("Fragments(") || starts("KeyFrames(") || starts("RawFragments(") => {
                Self::Fragment
            }
            _ if starts("FragmentInfo(") => Self::Fragment,
            _ if [".m4s", ".mp4", ".vtt"].iter().any(|ending| last.ends_with(ending)) => {
                Self::Segment
            }
            _ => Self::Manifest,
        }
    }
}

/// Returns the length of the part of a path that names a presentation, as it is spelled.
fn presentation(path: &str) -> Option<usize> {
    let bytes = path.as_bytes();
    let mut start = 0;
    loop {
        let end = memchr(b'/', &bytes[start..]).map(|at| start + at);
        if is_presentation(&bytes[start..end.unwrap_or(bytes.len())]) {
            return Some(end.unwrap_or(bytes.len()));
        }
        start = end? + 1;
    }
}

/// Returns whether a segment of a path, encoded or not, ends like the name of a presentation.
pub(crate) fn is_presentation(segment: &[u8]) -> bool {
    let segment = match segment {
        [stem @ .., b'l' | b'L'] => stem,
        _ => segment,
    };
    segment.len() >= 4 && segment[segment.len() - 4..].eq_ignore_ascii_case(b".ism")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_path_has_a_class() {
        for (path, class) in [
            ("/a/b.ism/Manifest", Class::Manifest),
            ("/b.ISML/manifest", Class::Manifest),
            ("/b.ism", Class::Manifest),
            ("/b.ism/video-1.m3u8", Class::Manifest),
            ("/b.ism/QualityLevels(1)/Fragments(video=0)", Class::Fragment),
            ("/b.ism/qualitylevels(1)/fragments(video=0)", Class::Fragment),
            ("/b.ism/video-1/0.m4s", Class::Segment),
            ("/b.ism/video-1/init.mp4", Class::Segment),
            ("/b/film.jpg", Class::File),
            ("/b.ismv", Class::File),
            ("/", Class::File),
            ("", Class::File),
            ("*", Class::File),
        ] {
            assert_eq!(Class::of(path).0, class, "{path}");
        }
        assert_eq!(presentation("/a/b.ism/x.ism/y"), Some("/a/b.ism".len()));
        assert_eq!(presentation("/ism/é/.is"), None);
    }
}
