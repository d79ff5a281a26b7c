//! Real samples, out of the presentations that ffmpeg made, so that players can decode what the
//! writers make of them.

use std::fs;

use super::read::{self, boxes, inside};

/// The samples of a track, each as long as the others.
pub struct Source {
    /// What `avcC` holds, or the AudioSpecificConfig.
    pub config: Vec<u8>,
    /// Pixels, or 0.
    pub size: (u16, u16),
    /// Seconds a sample lasts, as a fraction.
    pub lasts: (u64, u64),
    pub samples: Vec<Sample>,
}

pub struct Sample {
    pub data: Vec<u8>,
    /// It can be decoded on its own.
    pub key: bool,
    /// How many samples later than it is decoded it is shown.
    pub reorder: i64,
}

/// A fragment to be written.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Start in ticks, shown or decoded, as the producer counts.
    pub time: i64,
    pub samples: Vec<Timed>,
}

/// A sample with its times in ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    pub data: Vec<u8>,
    pub key: bool,
    pub duration: u32,
    pub composition: i32,
}

/// 160×90, 25 frames a second, 50 frames a group of pictures, none of them out of order.
pub fn small_video() -> Source {
    let file = testdata("split/split_60.ismv");
    Source { config: avcc(&file), size: (160, 90), lasts: (1, 25), samples: samples(&file, 1) }
}

/// 320×180, 25 frames a second, with frames that are stored in another order than they are shown;
/// two key frames in 50, the second of them open.
pub fn reordered_video() -> Source {
    let file = testdata("bframes/bframes.ismv");
    Source { config: avcc(&file), size: (320, 180), lasts: (1, 25), samples: samples(&file, 1) }
}

/// AAC-LC, 48 kHz stereo.
pub fn audio() -> Source {
    let file = testdata("split/split_audio.isma");
    let config = esds(&file);
    Source { config, size: (0, 0), lasts: (1024, 48_000), samples: samples(&file, 1) }
}

impl Source {
    /// Fragments of so many samples each, the first of them starting at `start`.
    pub fn pieces(&self, timescale: u64, start: i64, counts: &[usize]) -> Vec<Piece> {
        let (num, den) = self.lasts;
        let ticks = |samples: u64| (samples * num * timescale + den / 2) / den;
        let mut from = 0;
        let piece = |&count: &usize| {
            let range = from..from + count;
            from = range.end;
            let timed = |(i, sample): (usize, &Sample)| {
                let i = (range.start + i) as u64;
                let later = ticks(sample.reorder.unsigned_abs()) as i64;
                Timed {
                    data: sample.data.clone(),
                    key: sample.key,
                    duration: (ticks(i + 1) - ticks(i)) as u32,
                    composition: (later * sample.reorder.signum()) as i32,
                }
            };
            let samples = self.samples[range.clone()].iter().enumerate().map(timed).collect();
            Piece { time: start + ticks(range.start as u64) as i64, samples }
        };
        counts.iter().map(piece).collect()
    }

    /// `CodecPrivateData` as a manifest has it: for pictures the parameter sets, each after a
    /// start code.
    pub fn private(&self) -> Vec<u8> {
        if self.size.0 == 0 {
            return self.config.clone();
        }
        let (mut at, mut private) = (5, Vec::new());
        for mask in [0x1f, 0xff] {
            let count = self.config[at] & mask;
            at += 1;
            for _ in 0..count {
                let length =
                    usize::from(u16::from_be_bytes([self.config[at], self.config[at + 1]]));
                private.extend([0, 0, 0, 1]);
                private.extend(&self.config[at + 2..at + 2 + length]);
                at += 2 + length;
            }
        }
        private
    }
}

impl Piece {
    pub fn duration(&self) -> u64 {
        self.samples.iter().map(|sample| u64::from(sample.duration)).sum()
    }

    /// Numbers of the samples that can be decoded on their own.
    pub fn keys(&self) -> Vec<usize> {
        (0..self.samples.len()).filter(|&i| self.samples[i].key).collect()
    }
}

/// A committed file.
pub fn testdata(name: &str) -> Vec<u8> {
    let path = format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn samples(file: &[u8], track: u32) -> Vec<Sample> {
    let mut found = Vec::new();
    for moof in boxes(file, 0..file.len()).into_iter().filter(|item| item.kind == *b"moof") {
        let fragment = read::fragment(file, moof.range.start, &read::Defaults::default());
        if fragment.track != track {
            continue;
        }
        for sample in fragment.samples {
            found.push(Sample {
                data: file[sample.range].to_vec(),
                key: sample.flags >> 16 & 1 == 0,
                reorder: i64::from(sample.composition) / i64::from(sample.duration),
            });
        }
    }
    found
}

fn avcc(file: &[u8]) -> Vec<u8> {
    let entry = first_entry(file);
    let boxes = boxes(file, entry.start + 8 + 78..entry.end);
    let avcc = boxes.into_iter().find(|item| item.kind == *b"avcC").unwrap();
    file[avcc.body()].to_vec()
}

/// The AudioSpecificConfig: the descriptor 5 within those of `esds`.
fn esds(file: &[u8]) -> Vec<u8> {
    let entry = first_entry(file);
    let esds = boxes(file, entry.start + 8 + 28..entry.end).remove(0);
    let mut at = esds.body().start + 4;
    loop {
        let tag = file[at];
        let mut length = 0;
        loop {
            at += 1;
            length = length << 7 | usize::from(file[at] & 0x7f);
            if file[at] & 0x80 == 0 {
                break;
            }
        }
        at += 1;
        match tag {
            5 => return file[at..at + length].to_vec(),
            3 => at += 3,
            4 => at += 13,
            _ => at += length,
        }
    }
}

/// The first track's sample entry.
fn first_entry(file: &[u8]) -> std::ops::Range<usize> {
    let path = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"];
    let stsd = path.iter().fold(0..file.len(), |range, kind| inside(file, range, kind));
    boxes(file, stsd.start + 8..stsd.end).remove(0).range
}
