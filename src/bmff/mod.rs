//! Floor 1: the ISO base media file format, one box a file, named by its four letters.
//!
//! Read and written by [`Boxes`]. What is not known is kept, so `write(parse(x)) == x`. Lists of
//! entries stay bytes and are decoded as they are walked, so a count never reaches memory.
//!
//! Spec: ISO/IEC 14496-12; the extended types of [`uuid`] by [MS-SSTR] 2.2.4 and PIFF.

mod audio;
mod avcc;
mod dac3;
mod dec3;
mod dops;
mod dvc1;
mod dvcc;
mod esds;
mod frma;
mod ftyp;
mod full_box;
mod hdlr;
mod header;
mod hvcc;
mod mdhd;
mod mehd;
mod mfhd;
mod mfro;
mod mvhd;
mod saio;
mod saiz;
mod sbgp;
mod schm;
mod sdtp;
mod senc;
mod stsd;
mod stsz;
mod subs;
mod tenc;
mod tfdt;
mod tfhd;
mod tfra;
mod tkhd;
mod tree;
mod trex;
mod trun;
pub mod uuid;
mod visual;
mod vttc;
mod wfex;

pub use audio::AudioSampleEntry;
pub use avcc::AvcC;
pub use dac3::Dac3;
pub use dec3::{Dec3, Dec3Substream};
pub use dops::DOps;
pub use dvc1::Dvc1;
pub use dvcc::{DolbyVision, DvcC, DvvC};
pub use esds::{DecoderConfig, Esds};
pub use frma::Frma;
pub use ftyp::Ftyp;
pub use full_box::FullBox;
pub use hdlr::Hdlr;
pub use header::{Header, Size};
pub use hvcc::{HvcC, NalArray};
pub use mdhd::Mdhd;
pub use mehd::Mehd;
pub use mfhd::Mfhd;
pub use mfro::Mfro;
pub use mvhd::Mvhd;
pub use saio::Saio;
pub use saiz::Saiz;
pub use sbgp::Sbgp;
pub use schm::Schm;
pub use sdtp::Sdtp;
pub use senc::{SampleEncryption, Senc};
pub use stsd::{SampleEntry, Stsd};
pub use stsz::Stsz;
pub use subs::{Subs, SubsEntry};
pub use tenc::Tenc;
pub use tfdt::Tfdt;
pub use tfhd::Tfhd;
pub use tfra::{Tfra, TfraEntry};
pub use tkhd::Tkhd;
pub(crate) use tree::Content;
pub use tree::{AnyBox, Body, Boxes, Typed};
pub use trex::Trex;
pub use trun::{Trun, TrunSample};
pub use visual::VisualSampleEntry;
pub use vttc::VttC;
pub use wfex::Wfex;
