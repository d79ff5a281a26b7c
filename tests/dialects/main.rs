//! Presentations in the dialects of other producers, written by code that shares nothing with the
//! crate.

mod scan;
mod vod;
mod written;
