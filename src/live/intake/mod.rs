//! One pushed body: from bytes in pieces of any size to headers and checked fragments.
//!
//! ```text
//!  bytes ─► Framing ─► Intake ─► Unit::Header     moov, with the live server manifest (header.rs)
//!           boxes       │
//!                       └─────► Unit::Fragment    moof, with its mdat (fragment.rs, payload.rs)
//! ```
//!
//! A box is never looked at before all of it is there, so pieces of any size give the same units. Memory
//! grows with the bytes that came, not with the sizes that boxes claim: at most twice as much as came,
//! below [`LiveLimits`](super::LiveLimits).
//!
//! | In the body | Becomes |
//! |---|---|
//! | `ftyp`, `sidx`, `free`, `skip`, `prft`, `emsg`, unknown boxes, fragments without samples | nothing |
//! | live server manifest | names, languages and bitrates of the tracks of the `moov` before or behind it |
//! | stream manifest | [`Unit::StreamManifest`] |
//! | `moov` | [`Unit::Header`]; nothing if it says the same as the one before. Before it, [`Unit::Refused`] for each `trak` that cannot be read |
//! | `moof`, `mdat` with `tfxd` | [`Unit::Fragment`] of the same bytes; `tfxd` becomes one of 64 bits |
//! | `moof`, `mdat` without `tfxd` | [`Unit::Fragment`] whose `moof` is rewritten for Smooth Streaming. Its start is `tfdt` and the first composition offset, by the edit list; without a `tfdt`, the end of the fragment before. Composition offsets count from the first sample's |
//! | a broken fragment | [`Unit::Refused`], and the next one goes on |
//! | `mfra` | [`Unit::EndOfStream`] |
//! | `styp` with the brand `lmsg` | [`Unit::EndOfStream`] behind the fragments of that segment |
//! | several `traf`s in a `moof`, a box of size 0, sizes that cannot be | an error: the body is refused |
//!
//! A segment of CMAF may come as several chunks, each a `moof` and an `mdat`, and a `styp` of the brand `cmfl` before
//! those behind the first: they are joined into one fragment, whose first sample is the segment's (chunks.rs).
//! Encrypted ones stay fragments of their own.
//!
//! Spec: [MS-SSTR] 2.2.7; DASH-IF Live Media Ingest Protocol 1.2, interface 1.

mod body;
mod chunks;
mod coding;
mod fragment;
mod framing;
mod header;
mod names;
mod payload;
mod track_file;
mod unit;

pub use self::body::Intake;
pub(super) use self::coding::{bitrate_of, coding_of};
pub use self::header::Known;
pub(super) use self::track_file::defaults_of;
pub(super) use self::unit::memory_of;
pub use self::unit::{Arrived, BodyEnd, Header, HeaderTrack, Unit};
