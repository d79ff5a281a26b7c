//! A track without its samples: what is kept of the tables while a presentation is open, and how the
//! samples of some chunks are read again.
//!
//! A film of three hours has tables of several megabytes, and a viewer needs those of two minutes. So
//! opening walks over the tables once, by their runs, and keeps a [mark](Mark) for each group of
//! chunks: the place in every table before the first sample of the group. The first request in a group
//! reads its part of the tables again, and [prepares](super::Prepared) its samples.
//!
//! | At open | At the first request in a group |
//! |---|---|
//! | tables are compared with one another ([`Tables::read`](super::Tables::read)) | the parts of `stts`, `ctts`, `stsz`, `stsc`, `stco`, `stss` and `sdtp` that the group needs are read: neighbours at once, all in one batch |
//! | every sample is in the file: by the largest offset and the sum of sizes of many chunks of `stco`, exactly where that does not show it | the same again, sample by sample |
//! | number of samples, sum of sizes, and form of the head of each chunk | the samples, in few bytes each |
//!
//! Tables that take little (an `stts` of one run, the `stss` of most films) are kept, and not read
//! again.

mod group;
mod part;
mod passage;
mod places;

pub use group::{Group, Outline};
pub use passage::Extent;
