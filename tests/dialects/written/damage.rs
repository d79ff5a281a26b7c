//! Dialects with something taken away or made wrong: their manifest, their index.

use smooth_origin::origin::Origin;

use super::bytes::Out;
use super::media::{Tfra, mfra};
use super::{Dialect, Manifest, producers};

impl Dialect {
    /// Where the fragments of a media file end.
    fn end_of_fragments(&self, file: &str) -> usize {
        let of_file = self.chunks.iter().filter(|chunk| chunk.file == file);
        of_file.map(|chunk| chunk.written.payload.end).max().unwrap()
    }

    fn media(&self) -> Vec<&'static str> {
        let mut files: Vec<_> = self.chunks.iter().map(|chunk| chunk.file).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// Puts something else behind the fragments of every media file.
    pub fn tail(mut self, write: impl Fn(&mut Out, Vec<Tfra>)) -> Self {
        for file in self.media() {
            let end = self.end_of_fragments(file);
            let tfras = self.index(file);
            let content = self.files.iter_mut().find(|(name, _)| name == file).unwrap();
            let mut out = Out(content.1[..end].to_vec());
            write(&mut out, tfras);
            content.1 = out.0;
        }
        self
    }

    /// The index of a file, by track: one entry a fragment, and times that are not before 0.
    pub fn index(&self, file: &str) -> Vec<Tfra> {
        let mut tfras: Vec<Tfra> = Vec::new();
        for chunk in self.chunks.iter().filter(|chunk| chunk.file == file) {
            let written = &chunk.written;
            let entry = (written.time.max(0) as u64, written.moof.start as u64, 1);
            match tfras.iter_mut().find(|tfra| tfra.track == written.track) {
                Some(tfra) => tfra.entries.push(entry),
                None => {
                    let (track, entries) = (written.track, vec![entry]);
                    tfras.push(Tfra { track, version: 1, widths: [1; 3], entries });
                }
            }
        }
        tfras
    }

    pub fn without_index(self) -> Self {
        self.tail(|_, _| {})
    }

    /// What tells tracks apart only there is gone with it.
    pub fn without_manifest(mut self) -> Self {
        self.files.retain(|(name, _)| !name.ends_with(".ismc"));
        self.chunks.iter_mut().for_each(|chunk| chunk.attributes = "");
        self.manifest(Manifest::Generated)
    }

    /// The manifest is the right one and every chunk is answered, with no word on how.
    pub fn all_served(&self, how: &str) {
        let (presentation, _) = self.open();
        println!("{}, {how}: {:#?}", self.ism, presentation.findings());
        self.judge_manifest(&presentation);
        let origin = Origin::new(self.store());
        for _ in 0..2 {
            self.chunks.iter().for_each(|chunk| self.judge_chunk(&origin, chunk));
        }
    }
}

/// Those whose fragments tell their time, in `tfxd` or `tfdt`.
pub fn with_times() -> Vec<Dialect> {
    vec![
        producers::azure(),
        producers::archive(),
        producers::bento4(),
        producers::cmaf(),
        producers::unified(),
    ]
}

/// Those whose fragments do not: they follow one another from 0.
pub fn without_times() -> Vec<Dialect> {
    vec![producers::encoder(), producers::playready(), producers::wide(), producers::dense()]
}

type Lie = (&'static str, fn(&mut Vec<Tfra>, len: u64));

/// What the boxes at the wrong place give away.
const BY_PLACE: &[Lie] = &[
    ("into an mdat", |tfras, _| each(tfras, |offset| *offset += 700)),
    ("one byte off", |tfras, _| each(tfras, |offset| *offset += 1)),
    ("into the moov", |tfras, _| tfras[0].entries[0].1 = 24),
    ("past the end", |tfras, len| tfras[0].entries.last_mut().unwrap().1 = len + 5),
    ("at the index itself", |tfras, len| tfras[0].entries.last_mut().unwrap().1 = len),
    ("not monotone", |tfras, _| tfras[0].entries.swap(0, 1)),
    ("the last only", |tfras, _| tfras[0].entries.last_mut().unwrap().1 -= 3),
];

/// What only a fragment that tells its time gives away.
const BY_TIME: &[Lie] = &[
    ("the fragment before", |tfras, _| {
        for tfra in tfras {
            for i in (1..tfra.entries.len()).rev() {
                tfra.entries[i].1 = tfra.entries[i - 1].1;
            }
            tfra.entries.remove(0);
        }
    }),
    ("other times", |tfras, _| {
        for (time, ..) in tfras.iter_mut().flat_map(|tfra| &mut tfra.entries) {
            *time += 777_777;
        }
    }),
];

fn each(tfras: &mut [Tfra], change: fn(&mut u64)) {
    tfras.iter_mut().flat_map(|tfra| &mut tfra.entries).for_each(|entry| change(&mut entry.1));
}

/// Every lie, told of every dialect that can find it out.
pub fn told() -> Vec<(&'static str, Dialect)> {
    let mut told = Vec::new();
    let mut tell = |lies: &[Lie], dialects: fn() -> Vec<Dialect>| {
        for &(name, lie) in lies {
            for dialect in dialects() {
                let lied = dialect.tail(|out, mut tfras| {
                    lie(&mut tfras, out.0.len() as u64);
                    mfra(out, &tfras);
                });
                told.push((name, lied));
            }
        }
    };
    tell(BY_PLACE, with_times);
    tell(BY_PLACE, without_times);
    tell(BY_TIME, with_times);
    // Two tracks in one file, each under the other's number.
    tell(&[("tracks swapped", |tfras, _| swap(tfras))], || {
        vec![producers::encoder(), producers::archive(), producers::unified(), producers::wide()]
    });
    told
}

fn swap(tfras: &mut [Tfra]) {
    if let [first, second] = tfras {
        std::mem::swap(&mut first.track, &mut second.track);
    }
}
