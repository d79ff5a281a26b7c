//! Properties that the sample entry of a track declares for all its samples.

use crate::base::Limits;
use crate::bmff::uuid::PiffTenc;
use crate::bmff::{AudioSampleEntry, Boxes, SampleEntry, Tenc, VisualSampleEntry};
use crate::codec::NalFormat;
use crate::manifest::StreamKind;

/// Properties that the sample entry of a track declares for all its samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nature {
    /// The format of the NAL units of its pictures; `None` for other codecs, and if they are
    /// encrypted.
    pub(super) nal_format: Option<NalFormat>,
    /// True if each of its samples is encrypted and has an IV of its own.
    pub(super) has_ivs: bool,
}

impl Nature {
    /// Reads the sample entry. Nothing is known if it is missing or cannot be read.
    pub(super) fn of(kind: StreamKind, entry: Option<&SampleEntry>, limits: &Limits) -> Self {
        let Some(entry) = entry else { return Self::default() };
        let boxes = match kind {
            StreamKind::Video => VisualSampleEntry::parse(entry, limits).map(|entry| entry.boxes),
            StreamKind::Audio => AudioSampleEntry::parse(entry, limits).map(|entry| entry.boxes),
            StreamKind::Text => return Self::default(),
        };
        let Ok(boxes) = boxes else { return Self::default() };
        let is_clear = boxes.inside(*b"sinf").is_none();
        let nal_format = NalFormat::of_entry(&boxes).filter(|_| is_clear);
        Self { nal_format, has_ivs: has_ivs(&boxes).unwrap_or(false) }
    }
}

/// Spec: ISO/IEC 23001-7, 8.2; PIFF 1.1, 5.3.3.
fn has_ivs(entry: &Boxes) -> Option<bool> {
    let schi = entry.inside(*b"sinf")?.inside(*b"schi")?;
    let cenc = schi.get::<Tenc>().map(|tenc| tenc.is_protected == 1 && tenc.iv_size > 0);
    let piff = || schi.get::<PiffTenc>().map(|tenc| tenc.algorithm_id > 0 && tenc.iv_size > 0);
    cenc.or_else(piff)
}
