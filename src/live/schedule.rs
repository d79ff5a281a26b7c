//! The chunks of a stream: which times its tracks may have.

use std::collections::VecDeque;

/// A chunk of a stream, in ticks of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) time: i64,
    pub(super) end: i64,
}

/// The place of a fragment among the chunks of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It belongs to a chunk that another track has, too.
    Chunk(Chunk),
    /// It begins a chunk behind all others.
    Next {
        /// True if there is a gap before it.
        is_behind_gap: bool,
    },
    /// It begins within a chunk: it was cut at other places than the chunks of the stream.
    Inside,
    /// It begins in a gap, or before all chunks that are known, and later chunks are settled.
    Late,
}

/// The chunks of a stream, in order and without overlap. They are settled: what fragments announce comes
/// from here, so nothing is put between two of them later.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// Released ones, of which the last few are kept, and behind them those that are held back.
    chunks: VecDeque<Chunk>,
    /// Number of chunks at the beginning that are released.
    released: usize,
    /// Number of chunks that were ever released.
    count: u64,
    /// True if chunks may overlap: commands and captions of a sparse stream.
    is_sparse: bool,
    /// End of the last chunk, as its encoder says it.
    reach: Option<i64>,
    /// Ticks by which the last chunk begins before that end of the one before it: its encoder rounds durations up.
    overlap: i64,
}

/// Released chunks that are kept for tracks that come later.
const KEPT: usize = 512;

impl Schedule {
    pub(super) fn new(is_sparse: bool) -> Self {
        Self { is_sparse, ..Self::default() }
    }

    /// Returns where a fragment that begins at this time belongs. Times that differ by `jitter` are the
    /// same.
    pub(super) fn place(&self, time: i64, jitter: i64) -> Place {
        let behind = self.chunks.partition_point(|chunk| chunk.time <= time.saturating_add(jitter));
        let before = behind.checked_sub(1).map(|at| self.chunks[at]);
        if let Some(chunk) = before.filter(|chunk| time - chunk.time <= jitter) {
            return Place::Chunk(chunk);
        }
        if behind == self.chunks.len() {
            return match before {
                None => Place::Next { is_behind_gap: false },
                Some(_) if self.is_sparse => Place::Next { is_behind_gap: false },
                Some(last) if time < last.end - jitter => Place::Inside,
                Some(last) => Place::Next { is_behind_gap: time > last.end + jitter },
            };
        }
        match before {
            Some(chunk) if time < chunk.end => Place::Inside,
            _ => Place::Late,
        }
    }

    /// Adds a chunk behind all others. The last one overlaps it by so many ticks, as its encoder says.
    pub(super) fn push(&mut self, chunk: Chunk, overlap: i64) {
        debug_assert!(self.chunks.back().is_none_or(|last| last.time < chunk.time));
        (self.reach, self.overlap) = (Some(chunk.end), overlap);
        self.chunks.push_back(chunk);
    }

    /// Returns by how many ticks, no more than `jitter`, the last chunk reaches beyond the beginning of the next one. It
    /// is none if a chunk may overlap others.
    pub(super) fn overlap_at(&self, time: i64, jitter: i64) -> i64 {
        let reach = self.reach.filter(|_| !self.is_sparse);
        reach.map_or(0, |reach| reach.saturating_sub(time).clamp(0, jitter))
    }

    /// Adds a chunk that was released before the process began, unless it is known.
    pub(super) fn restore(&mut self, chunk: Chunk) {
        if self.chunks.back().is_none_or(|last| last.time < chunk.time) {
            self.push(chunk, 0);
            self.release();
        }
    }

    /// Returns the end of the last chunk.
    pub(super) fn end(&self) -> Option<i64> {
        self.chunks.back().map(|chunk| chunk.end)
    }

    /// Returns the end of the last chunk if it is released: players may know it, and it stays.
    pub(super) fn released_end(&self) -> Option<i64> {
        let is_released = self.released == self.chunks.len() && !self.is_sparse;
        self.end().filter(|_| is_released)
    }

    /// Returns true if a chunk begins before a time.
    pub(super) fn is_before(&self, time: i64) -> bool {
        self.chunks.front().is_some_and(|chunk| chunk.time < time)
    }

    /// Returns the newest released chunk.
    pub(super) fn newest(&self) -> Option<Chunk> {
        self.released.checked_sub(1).map(|at| self.chunks[at])
    }

    /// Returns the length of the newest released chunk, or of the one before it if that is shorter: a single long one
    /// says nothing of those that follow.
    pub(super) fn usual_length(&self) -> i64 {
        let newest = self.chunks.range(self.released.saturating_sub(2)..self.released);
        newest.map(|chunk| chunk.end.saturating_sub(chunk.time)).min().unwrap_or(0)
    }

    /// Returns the number of chunks that were released.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the first chunk that is held back if so many follow it.
    pub(super) fn due(&self, look_ahead: usize) -> Option<Chunk> {
        let is_due = self.chunks.len() - self.released > look_ahead;
        if is_due { self.chunks.get(self.released).copied() } else { None }
    }

    /// Releases the first chunk that is held back.
    pub(super) fn release(&mut self) {
        if self.released < self.chunks.len() && !self.is_sparse {
            self.chunks[self.released] = self.cut(self.released);
        }
        self.released += 1;
        self.count += 1;
        while self.released > KEPT {
            self.chunks.pop_front();
            self.released -= 1;
        }
    }

    /// Takes back chunks that are held back.
    pub(super) fn retract(&mut self, is_void: impl Fn(Chunk) -> bool) {
        let mut released = self.released;
        self.chunks.retain(|&chunk| {
            let is_released = released > 0;
            released = released.saturating_sub(1);
            is_released || !is_void(chunk)
        });
        (self.reach, self.overlap) = (self.end(), 0);
    }

    /// Returns the chunks that follow the one of this time, at most `count`, each with the duration until
    /// the next one if that is shorter.
    pub(super) fn following(&self, time: i64, count: usize) -> Vec<Chunk> {
        let first = self.chunks.partition_point(|chunk| chunk.time <= time);
        (first..self.chunks.len()).take(count).map(|at| self.cut(at)).collect()
    }

    /// Returns the chunk of this time, no longer than until the next one.
    pub(super) fn at(&self, time: i64) -> Option<Chunk> {
        let at = self.chunks.binary_search_by_key(&time, |chunk| chunk.time).ok()?;
        Some(self.cut(at))
    }

    /// Returns true if no chunk follows the one of this time.
    pub(super) fn is_last(&self, time: i64) -> bool {
        self.chunks.back().is_some_and(|last| last.time == time)
    }

    /// The last chunk, if it has this time and is held back, does not end before this.
    pub(super) fn lengthen(&mut self, time: i64, end: i64) {
        let is_held = self.released < self.chunks.len();
        if let Some(last) = self.chunks.back_mut().filter(|last| is_held && last.time == time) {
            last.end = last.end.max(end);
        }
    }

    /// Returns true if a fragment of the chunk of this time ends more than a quarter before it: what is missing would be
    /// announced and not there. While no other chunk follows, it may be the last fragment of an encoder.
    pub(super) fn is_too_short(&self, time: i64, end: i64, jitter: i64) -> bool {
        let Some(chunk) = self.at(time).filter(|_| !self.is_last(time)) else { return false };
        let length = chunk.end.saturating_sub(chunk.time);
        chunk.end.saturating_sub(end) > (length / 4).max(jitter)
    }

    /// Returns true if a fragment of the chunk of this time ends too late for it: what reaches into the next chunk would be
    /// there twice. A tenth of a chunk may; of the last one, whose next one is not known, a third.
    pub(super) fn is_too_long(&self, time: i64, end: i64, jitter: i64) -> bool {
        let Some(chunk) = self.at(time) else { return false };
        let length = chunk.end.saturating_sub(chunk.time);
        match self.following(time, 1).first() {
            Some(next) => end.saturating_sub(next.time) > (length / 10).max(jitter),
            None => end.saturating_sub(chunk.end) > (length / 3).max(jitter),
        }
    }

    /// The next one of the last chunk is not known: it is expected to begin as early as the last one did. An encoder
    /// whose samples all have a duration that is rounded up has each fragment overlap the next one by as much.
    fn cut(&self, at: usize) -> Chunk {
        let chunk = self.chunks[at];
        let next = match self.chunks.get(at + 1) {
            Some(next) => next.time,
            None if at < self.released => chunk.end,
            None => chunk.end.saturating_sub(self.overlap).max(chunk.time.saturating_add(1)),
        };
        Chunk { end: chunk.end.min(next), ..chunk }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(chunks: &[(i64, i64)]) -> Schedule {
        let mut schedule = Schedule::new(false);
        for &(time, end) in chunks {
            schedule.push(Chunk { time, end }, 0);
        }
        schedule
    }

    #[test]
    fn a_time_is_of_a_chunk_behind_all_inside_one_or_too_late() {
        let schedule = schedule(&[(100, 200), (200, 301), (400, 500)]);
        let place = |time| schedule.place(time, 1);
        assert_eq!(place(200), Place::Chunk(Chunk { time: 200, end: 301 }));
        assert_eq!(place(199), Place::Chunk(Chunk { time: 200, end: 301 }));
        assert_eq!(place(401), Place::Chunk(Chunk { time: 400, end: 500 }));
        assert_eq!(place(250), Place::Inside);
        assert_eq!(place(450), Place::Inside);
        assert_eq!(place(320), Place::Late);
        assert_eq!(place(50), Place::Late);
        assert_eq!(place(499), Place::Next { is_behind_gap: false });
        assert_eq!(place(501), Place::Next { is_behind_gap: false });
        assert_eq!(place(502), Place::Next { is_behind_gap: true });
    }

    #[test]
    fn a_chunk_is_due_when_enough_follow_it() {
        let mut schedule = schedule(&[(0, 10), (10, 21), (20, 30)]);
        assert_eq!(schedule.due(2).unwrap().time, 0);
        assert_eq!(schedule.due(3), None);
        schedule.release();
        assert_eq!(schedule.due(2), None);
        assert_eq!(schedule.due(0).unwrap().time, 10);
        assert_eq!(schedule.newest().unwrap().time, 0);
        let next = schedule.following(0, 2);
        assert_eq!(next, [Chunk { time: 10, end: 20 }, Chunk { time: 20, end: 30 }]);
        assert_eq!(schedule.at(10).unwrap().end, 20, "no chunk overlaps the next one");
    }

    #[test]
    fn a_chunk_that_is_released_ends_where_the_next_one_is_expected() {
        let mut schedule = Schedule::new(false);
        // Each one begins 4 ticks before the end of the one before it, and the last one at that end.
        for (begin, listed) in
            [(0, (0, 104)), (100, (104, 200)), (200, (200, 300)), (304, (304, 408))]
        {
            let (end, overlap) = (begin + 104, schedule.overlap_at(begin, 10));
            let time = schedule.released_end().map_or(begin, |end| end.max(begin));
            schedule.push(Chunk { time, end }, overlap);
            schedule.release();
            assert_eq!((time, schedule.end()), (listed.0, Some(listed.1)), "{begin}");
        }
        let mut schedule = Schedule::new(false);
        for time in [0, 100, 200] {
            let overlap = schedule.overlap_at(time, 10);
            schedule.push(Chunk { time, end: time + 104 }, overlap);
        }
        assert_eq!(schedule.released_end(), None);
        let chunk = |time: i64| Chunk { time, end: time + 100 };
        assert_eq!(schedule.at(0), Some(chunk(0)));
        assert_eq!(schedule.following(0, 2), [chunk(100), chunk(200)]);
    }

    #[test]
    fn a_fragment_that_reaches_far_into_the_next_chunk_is_too_long() {
        let schedule = schedule(&[(0, 100), (100, 200), (250, 350)]);
        let is_too_long = |time, end| schedule.is_too_long(time, end, 1);
        for (time, longest) in [(0, 110), (100, 260), (250, 383)] {
            assert_eq!([longest, longest + 1].map(|end| is_too_long(time, end)), [false, true]);
        }
        assert!(!is_too_long(70, 1000), "it is of no chunk");
    }

    #[test]
    fn a_fragment_that_ends_far_before_its_chunk_is_too_short_unless_it_may_be_the_last() {
        let mut schedule = schedule(&[(0, 100), (100, 200), (250, 340)]);
        let is_too_short = |time, end| schedule.is_too_short(time, end, 1);
        for (time, shortest) in [(0, 75), (100, 175)] {
            assert_eq!([shortest, shortest - 1].map(|end| is_too_short(time, end)), [false, true]);
        }
        assert!(!is_too_short(250, 251), "it may be the last one");
        schedule.lengthen(250, 350);
        schedule.lengthen(100, 240);
        assert_eq!((schedule.end(), schedule.at(100).unwrap().end), (Some(350), 200));
        (0..3).for_each(|_| schedule.release());
        schedule.lengthen(250, 360);
        assert_eq!(schedule.end(), Some(350), "its length was told");
    }

    #[test]
    fn only_the_last_released_chunks_are_kept() {
        let mut schedule = Schedule::new(false);
        for time in 0..10_000 {
            schedule.push(Chunk { time, end: time + 1 }, 0);
            schedule.release();
        }
        assert_eq!((schedule.chunks.len(), schedule.count()), (KEPT, 10_000));
        assert_eq!(schedule.newest().unwrap().time, 9_999);
    }
}
