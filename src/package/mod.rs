//! Floor 5: the packager. It makes a presentation of progressive MP4s, and writes what
//! [`presentation::open`](crate::presentation::open) reads.
//!
//! ```text
//! inputs ─► Step (heads, `moov`s) ─► tracks ─► streams (names, chunks, bitrates) ─► Package
//!                                                                                     │
//!            .ism  .ismc  .ismv  .isma ◄── Pieces (written bytes | ranges of inputs) ◄┘
//! ```
//!
//! | Question | Rule |
//! |---|---|
//! | What is an input? | a progressive MP4 with one or several tracks of video and sound; others are left out with a notice |
//! | Which tracks are qualities of one stream? | those of one kind, language and coding; for sound also of one sampling rate and number of channels |
//! | Is a track packaged twice? | no: sound whose samples have the same sizes and times as those of another input is left out with a notice |
//! | What is a stream called? | `video`, `audio`; with the language if there are several of a kind; with a number if that is taken |
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
mod mfra;
mod options;
mod output;
mod plan;
mod read;
mod reading;
mod source;
mod stream;
mod streams;
mod stretch;
mod walk;

pub use input::Input;
pub use options::{Files, PackageOptions};
pub use output::{Output, Package, Pieces};
pub use read::package;
