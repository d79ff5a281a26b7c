//! The messages that manifests have.

use super::{Message, Scheme, Splice};
use crate::base::Timescale;
use crate::manifest::StreamKind;
use crate::presentation::{Presentation, Stream};

/// A stream that is so far behind the others, in ticks of 100 ns, does not say where an announcement begins if chunks leave the
/// event: its last chunk stays.
const LATE: u64 = 300_000_000;

/// Time for which a break goes on of which no end is known, in ticks of 100 ns: its end may be lost.
const LONGEST_BREAK: u64 = 3600 * 10_000_000;

impl Presentation {
    /// Returns the messages of a scheme that manifests have: those in what they announce, as long as it is live, those
    /// for later, and the begin of each break that goes on where it begins.
    ///
    /// Spec: RFC 8216, 4.3.2.7: dates belong to a playlist as long as a segment of it is in their range.
    pub(crate) fn messages(&self, scheme: Scheme) -> impl Iterator<Item = &Message> {
        let (begin, end) = self.announced();
        let end = if self.is_live { u64::MAX } else { end };
        let all = self.messages.iter().enumerate();
        let shown = all.filter(move |(number, of)| {
            of.scheme == scheme
                && of.time < end
                && (of.time >= begin || self.is_in_break(*number, of, begin))
        });
        shown.map(|(_, of)| of)
    }

    /// Returns whether a message, which has this number, begins a break that is not over at a later time. It ends as it
    /// says, or when another message says it.
    fn is_in_break(&self, number: usize, message: &Message, time: u64) -> bool {
        if message.scheme != Scheme::Scte35 {
            return false;
        }
        let Splice::Out { event, lasts } = Splice::of(&message.payload) else { return false };
        // Ticks of 90 kHz.
        let lasts = lasts.map_or(LONGEST_BREAK, |lasts| lasts.saturating_mul(1000) / 9);
        let ends = |of: &Message| match Splice::of(&of.payload) {
            // The begin is there as long as the end is.
            Splice::In { event: ended } => ended == event && of.time < time,
            // Not one that is said again.
            Splice::Out { event: begun, .. } => begun == event && of.time > message.time,
            Splice::Other => false,
        };
        let behind = self.messages.iter().skip(number + 1).take_while(|of| of.time <= time);
        let mut behind = behind.filter(|of| of.scheme == Scheme::Scte35);
        message.time.saturating_add(lasts) >= time && !behind.any(ends)
    }

    /// Returns the begin and the end of what is announced of pictures and sound, in ticks of 100 ns.
    fn announced(&self) -> (u64, u64) {
        let is_media = |of: &&Stream| {
            of.kind != StreamKind::Text && of.tracks.iter().any(|track| !track.is_gone())
        };
        let media = || self.streams.iter().filter(is_media);
        let leave = media().any(|of| of.window.is_of_event && of.window.before() > 0);
        let end = media().filter_map(announced).map(|(_, end)| end).max().unwrap_or(0);
        let bounds = media().filter_map(announced);
        let going_on = bounds.filter(|(_, until)| !leave || until.saturating_add(LATE) >= end);
        (going_on.map(|(begin, _)| begin).min().unwrap_or(u64::MAX), end)
    }
}

/// Returns the begin and the end of what is announced of a stream, in ticks of 100 ns.
fn announced(of: &Stream) -> Option<(u64, u64)> {
    let smooth = |ticks| of.timescale.rescale_floor(ticks, Timescale::SMOOTH).unwrap_or(u64::MAX);
    let (begin, _) = of.timeline.chunk(of.window.hidden)?;
    Some((smooth(begin), smooth(of.timeline.end())))
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use super::*;
    use crate::manifest::StreamKind::{Audio, Video};
    use crate::presentation::growing::samples::{Event, Pushed, SECOND};

    const NONE: [u64; 0] = [];

    fn message(time: u64, payload: Vec<u8>) -> Message {
        let (scheme, time) = (Scheme::Scte35, time * SECOND);
        Message { scheme, id: 1, time, payload: payload.into() }
    }

    /// A message with which a break begins that lasts so many seconds; or with which it ends.
    fn splice(time: u64, event: u8, is_out: bool, lasts: Option<u32>) -> Message {
        let flags = if is_out { 0xd0 } else { 0x50 } | if lasts.is_some() { 0x20 } else { 0 };
        let head = [0xfc, 0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xf0, 0, 5, 0, 0, 0, event, 0x7f];
        let lasts = lasts.map(|seconds| (seconds * 90_000).to_be_bytes());
        let lasts = lasts.map_or(Vec::new(), |ticks| [&[0xfe][..], &ticks].concat());
        message(time, [&head[..], &[flags], &lasts, &[0; 10]].concat())
    }

    /// The times of the messages of manifests of an event that has a window of so many seconds, in seconds.
    fn times(event: &mut Event, window: Option<u64>, messages: &[Message]) -> Vec<u64> {
        let mut snapshot = event.growing.snapshot(Some(Event::live(window)), 1);
        snapshot.add_messages(messages.to_vec());
        snapshot.messages(Scheme::Scte35).map(|of| of.time / SECOND).collect()
    }

    #[test]
    fn messages_leave_though_a_stream_has_stopped() {
        let sound = |id, name| Pushed { name: Some(name), ..Pushed::new(Audio, id, 64_000) };
        let tracks = vec![Pushed::new(Video, 1, 800_000), sound(2, "one"), sound(3, "other")];
        let all: Vec<_> = (0..70).step_by(10).map(|time| message(2 * time, vec![9])).collect();
        for window in [Some(20), None] {
            let mut event = Event::new(tracks.clone());
            (0..10).for_each(|number| event.add_chunk(number));
            let mut found = Vec::new();
            for number in 10..60 {
                (0..2).for_each(|track| event.add(track, 2 * SECOND * number, 2 * SECOND));
                found = times(&mut event, window, &all);
                // What is announced of the stream that has stopped counts for half a minute.
                let begin = if number < 25 { 18 } else { 2 * (number - 9) };
                let begin = window.map_or(0, |_| begin.min(2 * number.saturating_sub(9)));
                let expected = (0..140).step_by(20).filter(|time| *time >= begin);
                assert_eq!(found, expected.collect::<Vec<_>>(), "{number}");
            }
            let expected =
                if window.is_some() { &[100, 120][..] } else { &[0, 20, 40, 60, 80, 100, 120] };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_break_that_goes_on_is_there_though_its_begin_has_left_the_window() {
        let mut event = Event::usual();
        (0..50).for_each(|number| event.add_chunk(number));
        // What is announced begins at 80 s.
        let mut of = |messages: &[Message]| times(&mut event, Some(20), messages);
        let out = |time, lasts| splice(time, 7, true, lasts);
        let back = |time| splice(time, 7, false, None);
        assert_eq!(of(&[out(30, Some(120))]), [30]);
        assert_eq!(of(&[out(30, Some(50))]), [30]);
        assert_eq!(of(&[out(30, Some(49))]), NONE);
        assert_eq!(of(&[out(30, None)]), [30]);
        assert_eq!(of(&[out(30, Some(120)), back(60)]), NONE);
        assert_eq!(of(&[out(30, Some(120)), back(80)]), [30, 80]);
        assert_eq!(of(&[out(30, Some(120)), back(85)]), [30, 85]);
        // It is another one that ends, or begins.
        assert_eq!(of(&[out(30, Some(120)), splice(60, 8, false, None)]), [30]);
        assert_eq!(of(&[out(30, Some(120)), splice(60, 8, true, Some(60))]), [30, 60]);
        assert_eq!(of(&[out(30, Some(120)), out(60, Some(120))]), [60]);
        assert_eq!(of(&[out(30, Some(120)), out(30, Some(110))]), [30, 30], "it is said again");
        assert_eq!(of(&[message(30, vec![9])]), NONE, "it is no break");
    }

    #[test]
    fn no_break_goes_on_for_ever() {
        let mut event = Event::usual();
        (0..2000).for_each(|number| event.add_chunk(number));
        let of = [splice(370, 7, true, None), splice(390, 8, true, None)];
        assert_eq!(times(&mut event, Some(20), &of), [390]);
    }
}
