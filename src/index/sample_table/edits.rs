//! Edit lists: from the time of the media to the time at which it is shown.

use super::Clock;
use crate::base::{Error, ErrorKind, Timescale};
use crate::bmff::{Edit, Elst};

/// Rate of media that plays as fast as it was recorded.
const NORMAL: i32 = 0x1_0000;

/// Makes the clock of a track with these edits, which begin at byte `at` of the file.
///
/// | Edits | Meaning |
/// |---|---|
/// | none | the time of the media is the time at which it is shown |
/// | empty ones first | all is shown later by their length |
/// | one that begins at `media_time` | what is composed then is shown at 0, or after the empty ones; what comes before it has times before 0 |
/// | its length | nothing: writers round it to the movie's timescale, which cuts off a part of the last sample |
/// | empty ones behind it | nothing |
///
/// # Errors
/// [`ErrorKind::Invalid`] for several stretches and for other rates than 1, which no sequence of
/// fragments can express without coding samples anew; and for times that cannot be.
pub(super) fn clock(
    elst: Option<(&Elst, u64)>,
    timescale: Timescale,
    movie: Option<Timescale>,
) -> Result<Clock, Error> {
    let Some((elst, at)) = elst else { return Ok(Clock::new(timescale)) };
    let clause = "ISO/IEC 14496-12, 8.6.6";
    let invalid = |what: String| Error::at(at, ErrorKind::Invalid { what, clause });
    let (mut delay, mut start) = (0_u64, None::<Edit>);
    for (index, edit) in elst.edits().enumerate() {
        let number = index + 1;
        if edit.is_empty() {
            if start.is_none() {
                delay = delay
                    .checked_add(edit.segment_duration)
                    .ok_or_else(|| invalid("empty edits of more than 64 bits".into()))?;
            }
            continue;
        }
        if edit.media_time < 0 {
            return Err(invalid(format!("edit {number} begins at {}", edit.media_time)));
        }
        if edit.media_rate != NORMAL {
            let rate = f64::from(edit.media_rate) / f64::from(NORMAL);
            return Err(invalid(format!("edit {number} has a rate of {rate}, where 1 has to be")));
        }
        if start.is_some() {
            return Err(invalid(format!("edit {number} is a second stretch of media")));
        }
        start = Some(edit);
    }
    let media_time = start.map_or(0, |edit| edit.media_time);
    let delay = match (delay, movie) {
        (0, _) => None,
        (delay, Some(movie)) => Some((delay, movie)),
        (_, None) => return Err(invalid("an empty edit, and no timescale in `mvhd`".into())),
    };
    Clock::edited(timescale, media_time, delay)
        .ok_or_else(|| invalid("times of more than 62 bits".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::FullBox;

    fn elst(edits: &[(u32, i32, i32)]) -> Elst {
        let words =
            edits.iter().flat_map(|&(length, time, rate)| [length, time as u32, rate as u32]);
        Elst { full: FullBox::default(), entries: words.flat_map(u32::to_be_bytes).collect() }
    }

    fn clock_of(edits: &[(u32, i32, i32)]) -> Result<Clock, Error> {
        let movie = Timescale::new(600);
        clock(Some((&elst(edits), 64)), Timescale::new(48_000).unwrap(), movie)
    }

    #[test]
    fn priming_comes_before_0_and_empty_edits_delay() {
        let shown = |edits: &[_], ticks| clock_of(edits).unwrap().at(ticks, Timescale::SMOOTH);
        assert_eq!(shown(&[], 48_000), Some(10_000_000));
        assert_eq!(shown(&[(600, 1024, NORMAL)], 1024), Some(0));
        assert_eq!(shown(&[(600, 1024, NORMAL)], 0), Some(-213_333));
        assert_eq!(shown(&[(600, -1, NORMAL), (600, 0, NORMAL)], 0), Some(10_000_000));
        // One 600th and two thirds of a 48,000th are rounded once.
        assert_eq!(shown(&[(1, -1, NORMAL), (0, 1, NORMAL)], 0), Some(16_458));
        assert_eq!(shown(&[(0, 1024, NORMAL), (7, -1, NORMAL)], 1024), Some(0));
    }

    #[test]
    fn what_fragments_cannot_express_is_refused() {
        for (edits, says) in [
            (&[(5, 0, NORMAL), (5, 9, NORMAL)][..], "edit 2 is a second stretch of media"),
            (&[(5, 0, NORMAL / 2)], "edit 1 has a rate of 0.5"),
            (&[(5, 0, 0)], "edit 1 has a rate of 0"),
            (&[(5, -2, NORMAL)], "edit 1 begins at -2"),
        ] {
            let error = clock_of(edits).unwrap_err().to_string();
            assert!(error.starts_with("at byte 64: ") && error.contains(says), "{error}");
        }
    }
}
