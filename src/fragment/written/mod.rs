//! Writing the head of a fragment: its `moof`, and the header of its `mdat`.
//!
//! The samples themselves are passed on as they are stored. The same head is written whether the
//! fragment goes to a file or to a client, so that both are equal byte for byte.
//!
//! | Box | Written |
//! |---|---|
//! | `mfhd` | the number of the chunk in its track, from 1: it does not depend on other tracks |
//! | `tfhd` | the track, and the flags of its samples if they have the same but for the first one. No other default: Silverlight refuses a default size, and Windows Media Player mistakes a default duration |
//! | `trun` | an offset, and duration and size of every sample; flags if they vary; composition offsets if there are any, in version 1 if one of them is negative |
//! | `sdtp` | what each sample depends on, as Expression Encoder writes it |
//! | `tfxd` | start and duration, in version 1, if wanted |
//! | `mdat` | its header, of 64 bits only if needed |
//!
//! The first sample of a fragment is shown when the fragment starts. Its composition offset is 0, and
//! those of others count from there, because a Smooth player takes the start as the time at which the
//! first sample is decoded.
//!
//! Spec: [MS-SSTR] 2.2.4; ISO/IEC 14496-12, 8.8.

mod dependencies;
mod head;
mod sample;

pub use head::{Head, HeadShape};
pub use sample::Sample;
