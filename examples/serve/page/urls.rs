//! URLs of Smooth Streaming below a presentation's path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use smooth_origin::base::Name;
use smooth_origin::presentation::{Stream, Track};

/// Characters of a name in a URL; a brace or a parenthesis would end what it stands in.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns the part of the URLs of a track's fragments that names the track: `QualityLevels(1000000)`.
pub(super) fn quality(track: &Track) -> String {
    let attributes = track.attributes().iter().map(|attribute| {
        let encoded = |text| utf8_percent_encode(text, PLAIN);
        format!(",{}={}", encoded(&attribute.name), encoded(&attribute.value))
    });
    format!("QualityLevels({}{})", track.bitrate(), attributes.collect::<String>())
}

/// Returns the URL of a fragment below the presentation's path: its start is a number, or the
/// placeholder of manifests.
pub(super) fn fragment(stream: &Stream, track: &Track, start: &str) -> String {
    let name = utf8_percent_encode(stream.name(), PLAIN);
    format!("{}/Fragments({name}={start})", quality(track))
}

/// Returns the path of a presentation's URLs, with a slash before it and none behind it.
pub(super) fn presentation(name: &Name) -> String {
    let segments = name.as_str().split('/');
    segments.map(|segment| format!("/{}", utf8_percent_encode(segment, PLAIN))).collect()
}
