//! Fragmented files with `sidx` boxes, as packagers of CMAF and DASH write them.

use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Sidx, SidxReference};

/// The places of the `sidx` boxes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One behind the header, for the first track.
    One,
    /// One for each track behind the header.
    PerTrack,
    /// One behind the header, which leads to one in front of every two fragments.
    Hierarchical,
    /// One behind the header for the first fragment, which leads to the one for the rest.
    Chained,
    /// One in front of each fragment, which knows of no other.
    Each,
}

/// An index of 10,000,000 ticks a second.
#[derive(Clone, Debug)]
pub struct Index {
    pub layout: Layout,
    pub version: u8,
    pub tracks: Vec<u32>,
    /// Earliest time that is shown.
    pub earliest: u64,
    pub durations: Vec<u32>,
}

impl Index {
    pub fn new(layout: Layout, durations: &[u32]) -> Self {
        Self { layout, version: 1, tracks: vec![1], earliest: 0, durations: durations.into() }
    }

    fn sidx(&self, track: u32, first_offset: u64, references: &[SidxReference]) -> Vec<u8> {
        let entries: Vec<u8> = references.iter().flat_map(|of| of.to_bytes()).collect();
        let sidx = Sidx {
            full: FullBox { version: self.version, flags: 0 },
            reference_id: track,
            timescale: 10_000_000,
            earliest_presentation_time: self.earliest,
            first_offset,
            reserved: 0,
            entries: entries.into(),
        };
        Boxes::from_iter([AnyBox::new(sidx)]).to_bytes().to_vec()
    }

    /// Adds the index to a file without one, whose fragments begin with `moof`.
    pub fn of(&self, file: &[u8]) -> Vec<u8> {
        let (header, fragments) = parts(file);
        let references: Vec<_> = fragments
            .iter()
            .zip(&self.durations)
            .map(|(fragment, &duration)| reference(false, fragment.len(), duration))
            .collect();
        let first = *self.tracks.first().unwrap_or(&1);
        let mut out = header;
        match self.layout {
            Layout::One => {
                out.extend(self.sidx(first, 0, &references));
                out.extend(fragments.concat());
            }
            Layout::PerTrack => {
                let mut all = Vec::new();
                for &track in self.tracks.iter().rev() {
                    all = [self.sidx(track, all.len() as u64, &references), all].concat();
                }
                out.extend(all);
                out.extend(fragments.concat());
            }
            Layout::Hierarchical => {
                let inner = references.chunks(2).zip(fragments.chunks(2)).map(|(of, fragments)| {
                    let ticks = of.iter().map(|of| of.duration).sum();
                    ([self.sidx(first, 0, of), fragments.concat()].concat(), ticks)
                });
                let inner: Vec<(Vec<u8>, u32)> = inner.collect();
                let of = inner.iter().map(|(bytes, ticks)| reference(true, bytes.len(), *ticks));
                out.extend(self.sidx(first, 0, &of.collect::<Vec<_>>()));
                out.extend(inner.into_iter().flat_map(|(bytes, _)| bytes));
            }
            Layout::Chained => {
                let rest =
                    [self.sidx(first, 0, &references[1..]), fragments[1..].concat()].concat();
                let ticks = references[1..].iter().map(|of| of.duration).sum();
                let of = [references[0], reference(true, rest.len(), ticks)];
                out.extend(self.sidx(first, 0, &of));
                out.extend(&fragments[0]);
                out.extend(rest);
            }
            Layout::Each => {
                for (of, fragment) in references.iter().zip(&fragments) {
                    out.extend(self.sidx(first, 0, &[*of]));
                    out.extend(fragment);
                }
            }
        }
        out
    }
}

fn reference(is_index: bool, size: usize, duration: u32) -> SidxReference {
    let (starts_with_sap, sap_type) = (!is_index, u8::from(!is_index));
    let size = size as u32;
    SidxReference { is_index, size, duration, starts_with_sap, sap_type, sap_delta_time: 0 }
}

/// Divides a file into what is in front of the first `moof`, and its fragments.
fn parts(file: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (mut header, mut fragments, mut at) = (Vec::new(), Vec::<Vec<u8>>::new(), 0);
    while at < file.len() {
        let len = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        let bytes = &file[at..at + len];
        match (&bytes[4..8] == b"moof", fragments.last_mut()) {
            (true, _) => fragments.push(bytes.to_vec()),
            (false, None) => header.extend(bytes),
            (false, Some(last)) => last.extend(bytes),
        }
        at += len;
    }
    (header, fragments)
}
