//! WebVTT: `wvtt` and `vttC` ◄► `WVTT` without private data ◄► `wvtt`.

use bytes::Bytes;

use super::{Codec, CodecTag, Description, Format};
use crate::base::FourCc;
use crate::bmff::{AnyBox, Boxes, SampleEntry, VttC};

/// The name by which a manifest announces it is unconfirmed.
pub(super) const CODEC: Codec = Codec {
    formats: &[*b"wvtt"],
    tags: &["WVTT"],
    describe: |_, _| Ok(Description::new(CodecTag::WVTT, Bytes::new(), Format::Text)),
    sample_entry: |_| Ok(sample_entry()),
    rfc6381: |_| Some("wvtt".into()),
};

/// With the least configuration there is: no regions, no styles.
///
/// Spec: ISO/IEC 14496-30, 7.5.
fn sample_entry() -> SampleEntry {
    let config = VttC { config: Bytes::from_static(b"WEBVTT") };
    SampleEntry::new(FourCc(*b"wvtt"), Boxes::from_iter([AnyBox::new(config)]).to_bytes())
}
