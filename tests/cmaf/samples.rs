//! The samples of a fragment, as two readers see them: the boxes of the crate, and `shiguredo_mp4`.

use bytes::Bytes;
use shiguredo_mp4::{Decode, boxes as other};
use smooth_origin::Limits;
use smooth_origin::bmff::{Boxes, Tfhd, Trun, TrunSample};

/// A sample with everything resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// First byte, from the first byte of the `moof`; -1 if a `trun` does not say.
    pub at: i64,
    pub duration: u32,
    pub size: u32,
    pub flags: u32,
    pub offset: i32,
}

/// Duration, size and flags of a sample that does not say.
pub type Defaults = (u32, u32, u32);

/// The samples as the boxes of the crate show them.
pub fn ours(moof: &Bytes, trex: Defaults) -> Vec<Sample> {
    let traf = traf(moof);
    let tfhd = traf.get::<Tfhd>().unwrap();
    let defaults = (
        tfhd.default_sample_duration.unwrap_or(trex.0),
        tfhd.default_sample_size.unwrap_or(trex.1),
        tfhd.default_sample_flags.unwrap_or(trex.2),
    );
    let runs = traf.all::<Trun>().map(|trun| {
        (trun.data_offset, trun.first_sample_flags, trun.samples().collect::<Vec<_>>())
    });
    resolved(runs, defaults)
}

/// The samples as `shiguredo_mp4` shows them.
pub fn theirs(moof: &Bytes, trex: Defaults) -> Vec<Sample> {
    let (moof, _) = other::MoofBox::decode(moof).unwrap();
    let traf = &moof.traf_boxes[0];
    let flags = traf.tfhd_box.default_sample_flags.as_ref().map(|flags| flags.get());
    let defaults = (
        traf.tfhd_box.default_sample_duration.unwrap_or(trex.0),
        traf.tfhd_box.default_sample_size.unwrap_or(trex.1),
        flags.unwrap_or(trex.2),
    );
    let runs = traf.trun_boxes.iter().map(|trun| {
        let samples = trun.samples.iter().map(|sample| TrunSample {
            duration: sample.duration,
            size: sample.size,
            flags: sample.flags.as_ref().map(|flags| flags.get()),
            composition_offset: sample.composition_time_offset,
        });
        let first = trun.first_sample_flags.as_ref().map(|flags| flags.get());
        (trun.data_offset, first, samples.collect())
    });
    resolved(runs, defaults)
}

type Run = (Option<i32>, Option<u32>, Vec<TrunSample>);

fn resolved(runs: impl Iterator<Item = Run>, defaults: Defaults) -> Vec<Sample> {
    let mut all = Vec::new();
    let mut next = -1;
    for (data_offset, mut first, samples) in runs {
        next = data_offset.map_or(next, i64::from);
        for sample in samples {
            let size = sample.size.unwrap_or(defaults.1);
            all.push(Sample {
                at: next,
                duration: sample.duration.unwrap_or(defaults.0),
                size,
                flags: sample.flags.or(first.take()).unwrap_or(defaults.2),
                offset: sample.composition_offset.unwrap_or(0),
            });
            next = if next < 0 { -1 } else { next + i64::from(size) };
        }
    }
    all
}

/// The boxes in the `traf` of a fragment that begins with its `moof`.
pub fn traf(fragment: &Bytes) -> Boxes {
    let len = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
    let boxes = Boxes::parse(&fragment.slice(..len), 0, &Limits::default()).unwrap();
    boxes.path(&[*b"moof", *b"traf"]).unwrap().clone()
}

/// Types of the boxes in the `traf`.
pub fn kinds(fragment: &Bytes) -> Vec<String> {
    traf(fragment).list.iter().map(|item| item.header.kind.to_string()).collect()
}
