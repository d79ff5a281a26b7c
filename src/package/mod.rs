//! Floor 5: the packager. It makes a presentation of progressive and fragmented MP4s and captions, and
//! writes what [`presentation::open`](crate::presentation::open) reads.
//!
//! ```text
//! inputs ─► Step (`moov`s, `moof`s, captions) ─► tracks ─► streams (names, chunks, bitrates) ─► Package
//!                                                                                     │
//!      .ism  .ismc  .ismv  .isma  .ismt ◄── Pieces (written bytes | ranges of inputs) ◄┘
//! ```
//!
//! | Question | Rule |
//! |---|---|
//! | What is an input? | a progressive or fragmented MP4 with one or several tracks of video and sound (others are left out with a notice), or a file of captions: SubRip, WebVTT or TTML |
//! | How are fragments read? | their heads alone are, one after another; their samples become the tables that a progressive file has of them, so that all else is one path |
//! | When is a sample of a fragment shown? | by `tfdt`, else by `tfxd`, else by the sum of the durations before it; then by the edit list |
//! | What is a gap? | more than half a sample between the end of a fragment and the start of the next one; chunks end before it and begin behind it. All qualities of a stream have the same, or are refused |
//! | What becomes of captions? | a stream a file, of TTML documents, one a chunk: those cues that are shown during it, with the styles and regions of the file |
//! | Where are chunks of captions cut? | where those of the video are; together they cover the film, its gaps included, so that many chunks have no cue |
//! | Which times do their documents have? | those from the start of the fragment, as players of Smooth Streaming read them, or from the start of the film |
//! | Which tracks are qualities of one stream? | those of one kind, language and coding; for sound also of one sampling rate and number of channels |
//! | Is a track packaged twice? | no: sound whose samples have the same sizes and times as those of another input is left out with a notice |
//! | What is a stream called? | `video`, `audio`, `text`; with the language if there are several of a kind; with a number if that is taken |
//! | Where are chunks cut? | at key frames that all qualities of the stream have; sound follows the video |
//! | Which bitrate is declared? | bits of the samples by the length of the stream; one more if another quality has it |
//! | Which timescale? | 10,000,000 everywhere |
//! | What is in a file? | `ftyp`, `moov` with `mvex`, a `moof` and an `mdat` a chunk, `mfra` |
//!
//! Equal inputs and options give equal bytes. Media bytes are never in memory: a host copies
//! ranges of the inputs. What is kept of a sample is about two bytes.

mod bitrates;
mod fragments;
mod gathered;
mod header;
mod input;
mod layout;
mod manifests;
mod media;
pub mod mend;
mod options;
mod output;
mod plan;
mod read;
mod reading;
mod source;
mod stream;
mod streams;
mod stretch;
mod text;
mod track;
mod walk;

pub use input::{Captions, Input};
pub use options::{Files, PackageOptions, TextTimes};
pub use output::{Output, Package, Pieces};
pub use read::package;
