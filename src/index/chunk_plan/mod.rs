//! Where the chunks of a stream begin and end.
//!
//! A plan is made once for all tracks of a stream, because a manifest has one list of chunks for
//! them. Video is planned first; sound and text follow its cuts.
//!
//! | Question | Rule |
//! |---|---|
//! | Where may a chunk begin? | with a sync sample that every track of the stream has at that time |
//! | Which of them? | the one nearest to the wanted duration after the last cut, or nearest to the next cut of the stream that is followed |
//! | Which times are equal? | those that differ by at most one tick of the coarser timescale, or 3 units of 100 ns |
//! | When does a chunk start? | when its first sample is shown by the first track's clock; the others take its time |
//! | What comes before 0? | sync samples and what depends on them are left out if the next sync sample is at 0 or before; what remains starts at 0 |
//! | When does the last chunk end? | when the longest track does |
//! | What if tracks have no common sync sample for a time? | the plan is refused, and the error names the file and the sample |

mod aligned;
mod plan;

pub use aligned::PlanTrack;
pub use plan::{ChunkPlan, Wanted};
