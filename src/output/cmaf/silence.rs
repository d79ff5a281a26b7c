//! Silence before the first segment of a track, and in gaps.

use super::{Representation, SILENCE, failed, id};
use crate::base::{Error, ErrorKind};
use crate::codec::Silence;
use crate::fragment::cmaf;
use crate::presentation::{Beginning, MediaType, Presentation, Rendition, Reply, Silent};

/// Answers with a piece of the silence that a playlist has.
///
/// # Errors
/// As [`check`].
pub(super) fn answer(
    presentation: &Presentation,
    of: Rendition,
    from: u64,
    to: u64,
) -> Result<Reply, Error> {
    let silence = check(presentation, of, from, to)?;
    let text = presentation.kept(id(SILENCE, of, from), || {
        let scale = presentation.streams()[of.stream].timescale();
        let track = presentation.segment_track(of);
        let ticks = |time| scale.rescale_round(time, track.timescale).unwrap_or(u64::MAX);
        let (start, end) = (ticks(from), ticks(to));
        let samples = u64::from(Silence::SAMPLES) * track.timescale.get();
        let each = samples.checked_div(silence.sampling_rate.into()).unwrap_or(0);
        let each = u32::try_from(each).map_err(|_| failed(ErrorKind::NoFragment))?;
        cmaf::silence(track.id, start, end.saturating_sub(start), &silence.frame, each)
    })?;
    Ok(Reply::of_bytes(representation(presentation, of, from), text))
}

/// Returns a frame of the silence.
///
/// # Errors
/// [`ErrorKind::NoFragment`] if no playlist has such a piece.
pub(super) fn check(
    presentation: &Presentation,
    of: Rendition,
    from: u64,
    to: u64,
) -> Result<Silence, Error> {
    let has_piece = |silent: Silent| silent.pieces().any(|piece| piece == (from, to));
    let is_in_gap = || {
        let segment = presentation.segment_before(of, from)?;
        presentation.gaps(of).after(&segment)?.silent().map(has_piece)
    };
    let is_piece = match presentation.beginning(of) {
        Beginning::Silent(silent) if has_piece(silent) => true,
        _ => is_in_gap().unwrap_or(false),
    };
    let track = &presentation.streams()[of.stream].tracks()[of.track];
    track.check_media().map_err(failed)?;
    track.silence().filter(|_| is_piece).ok_or_else(|| failed(ErrorKind::NoFragment))
}

/// Returns the representation of a piece.
pub(super) fn representation(
    presentation: &Presentation,
    of: Rendition,
    from: u64,
) -> Representation {
    let validator = presentation.validator().of_output(id(SILENCE, of, from));
    let kind = presentation.streams()[of.stream].kind();
    Representation::media(MediaType::from(kind), validator)
}
