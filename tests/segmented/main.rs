//! DASH and HLS as they are served: every sample, time and rate against the stored fragments and the
//! Smooth manifest.

#![cfg(all(feature = "dash", feature = "hls", feature = "fs"))]

mod beginnings;
mod element;
mod every_film;
mod film;
mod gaps;
mod groups;
mod left_out;
mod playlist;
mod protected;
#[allow(dead_code, reason = "another test asks for more")]
#[path = "../cmaf/samples.rs"]
mod samples;
mod text;
mod validators;
mod written;
