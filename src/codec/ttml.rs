//! TTML: `stpp` or `dfxp` ◄► `TTML` without private data ◄► `stpp`.

use bytes::Bytes;

use super::{Codec, CodecTag, Description, Format};
use crate::base::{Error, FourCc, Limits};
use crate::bmff::SampleEntry;

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"stpp", *b"dfxp"],
    tags: &["TTML", "DFXP"],
    describe,
    sample_entry,
    rfc6381,
};

/// `TTML` even for `dfxp`: the name that every player knows.
fn describe(_: &SampleEntry, _: &Limits) -> Result<Description, Error> {
    Ok(Description::new(CodecTag::TTML, Bytes::new(), Format::Text))
}

/// Namespace, schema location and auxiliary types, each ended by a zero.
///
/// Spec: ISO/IEC 14496-12, 12.6.3.
fn sample_entry(_: &Description) -> Result<SampleEntry, Error> {
    let body = Bytes::from_static(b"http://www.w3.org/ns/ttml\0\0\0");
    Ok(SampleEntry::new(FourCc(*b"stpp"), body))
}

fn rfc6381(_: &Description) -> Option<String> {
    Some("stpp".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::StreamKind;

    #[test]
    fn both_sample_entries_are_announced_as_ttml() {
        for format in [b"stpp", b"dfxp"] {
            let entry = SampleEntry::new(FourCc(*format), Bytes::new());
            let described = Description::of_entry(StreamKind::Text, &entry, &Limits::default());
            let described = described.unwrap();
            assert_eq!(
                (&described.tag, described.rfc6381().unwrap().as_str()),
                (&CodecTag::TTML, "stpp")
            );
            assert_eq!(described.sample_entry().unwrap().format(), *b"stpp");
        }
    }
}
