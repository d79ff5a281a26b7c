//! Chunks that a manifest announces and the file of a track does not have.

use super::tracks::MediaTrack;

/// Describes that `found` of the `chunks` of a stream have a fragment of this track, and not all. The
/// place of the finding is the first chunk without.
pub(super) fn lacking(media: &MediaTrack, found: usize, chunks: usize) -> String {
    let file = match media.is_cut_off {
        true => "its file, which was cut off",
        false => "its file",
    };
    match chunks.saturating_sub(found) {
        all if all == chunks => format!("none of its {chunks} chunks has a fragment in {file}"),
        1 => format!("1 of its {chunks} chunks has no fragment in {file}: this one"),
        some => format!(
            "{some} of its {chunks} chunks have no fragment in {file}: this is the first of them"
        ),
    }
}
