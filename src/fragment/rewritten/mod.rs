//! Rewriting a fragment that cannot be cut out of its file into one of Smooth Streaming.
//!
//! A `moof` may have a `traf` for each of several tracks, and offsets that count from the start of the
//! file. The `moof` is written anew for one track, and its samples are passed on as ranges of the
//! file: no sample is copied or changed.
//!
//! | Source | Written |
//! |---|---|
//! | `mfhd`, boxes beside the `traf`s | as they are |
//! | `tfhd` | the track's number, the sample entry, the flags that all samples have but the first; no base, and no other default: Silverlight refuses a default size, and Windows Media Player mistakes a default duration |
//! | `trun` | one, with an offset that is right, and the duration and size of every sample; flags if they vary, composition offsets if there are any |
//! | `tfdt` | as it is, and in a `tfxd` behind the others: the time at which the first sample is shown, and the sum of all durations |
//! | `tfxd` | as it is |
//! | `senc` | PIFF's box with the same entries, if they have IVs and there is none: players of Smooth Streaming look for it |
//! | `saiz`, `saio` | nothing, if `senc` or PIFF's box says the same |
//! | everything else | as it is, after the `trun` |
//! | `mdat` | its header, of 64 bits only if needed |
//!
//! Durations, sizes, flags and composition offsets of the samples are those of the source.
//!
//! Spec: ISO/IEC 14496-12, 8.8.7 and 8.8.8; [MS-SSTR] 2.2.4.

mod head;
#[cfg(feature = "package")]
mod listed;
mod places;
mod rewriting;
mod shared;

#[cfg(feature = "package")]
pub(crate) use self::listed::Listed;
pub use self::rewriting::{Fragment, rewrite};
pub(crate) use self::shared::{Shared, SharedParsed};
