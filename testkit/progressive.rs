//! Progressive films that are written from a plan: `moov`s of any length, with or without media.

use bytes::Bytes;

/// A film in one file. Its samples follow one another from byte [`MEDIA`] on, and the `moov` comes
/// after them.
#[derive(Clone, Debug, Default)]
pub struct Film {
    pub tracks: Vec<Track>,
}

/// First byte of the first sample: behind an `ftyp` and the header of the `mdat`.
pub const MEDIA: u64 = 24 + 16;

/// Ticks per second in `mvhd`.
pub const MOVIE: u32 = 1000;

#[derive(Clone, Debug)]
pub struct Track {
    pub handler: [u8; 4],
    pub timescale: u32,
    pub samples: Vec<Sample>,
    /// Samples that are stored together, before those of another track.
    pub together: usize,
    /// `None` for no edit list; else ticks of the movie that are empty, and the media time.
    pub edit: Option<(u32, u32)>,
    /// Offsets of 64 bits.
    pub is_large: bool,
    /// Sizes in `stz2`, of so many bits.
    pub compact: Option<u8>,
    pub has_sdtp: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    pub size: u32,
    pub duration: u32,
    pub offset: i32,
    pub is_sync: bool,
    /// Byte of `sdtp`.
    pub dependencies: u8,
}

/// A sample in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub track: usize,
    pub index: usize,
    pub offset: u64,
    pub size: u32,
}

/// Numbers that look random and are the same each time.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number about `mean`, seldom more than twice as large.
    pub fn about(&mut self, mean: u32) -> u32 {
        let sum: u64 = (0..4).map(|_| self.draw() >> 40 & 0xffff).sum();
        // The sum of four is about 2 × 0xffff, and seldom near its ends.
        ((u64::from(mean) * sum) >> 17).max(1) as u32
    }
}

impl Track {
    /// Video of so many bits a second, with groups of `gop` pictures: key frames, and runs of up to
    /// three B pictures, of which the first is a reference, as x264 writes them.
    pub fn video(rate: (u32, u32), seconds: u32, gop: usize, bits: u32, seed: u64) -> Self {
        let (timescale, duration) = rate;
        let count = (u64::from(seconds) * u64::from(timescale) / u64::from(duration)) as usize;
        let mean = u64::from(bits) / 8 * u64::from(duration) / u64::from(timescale);
        let mut random = Random(seed | 1);
        let mut samples = Vec::with_capacity(count);
        let mut push =
            |samples: &mut Vec<Sample>, tenths: u64, offset: u32, is_sync, dependencies| {
                let size = random.about((mean * tenths / 10) as u32);
                let offset = (offset * duration) as i32;
                samples.push(Sample { size, duration, offset, is_sync, dependencies });
                random.draw()
            };
        let mut draw = 1;
        while samples.len() < count {
            let at = samples.len() % gop;
            let left = (gop - at).min(count - samples.len());
            if at == 0 {
                draw = push(&mut samples, 50, 2, true, 0x24);
                continue;
            }
            // Mostly three B pictures, sometimes fewer; the first one shown comes last.
            let between = [3, 3, 3, 2, 3, 1, 3, 0][(draw >> 20) as usize % 8].min(left - 1);
            draw = push(&mut samples, 16, 2 + between as u32, false, 0x14);
            match between {
                0 => {}
                1 => draw = push(&mut samples, 6, 1, false, 0x18),
                2 => {
                    push(&mut samples, 6, 1, false, 0x18);
                    draw = push(&mut samples, 6, 1, false, 0x18);
                }
                _ => {
                    push(&mut samples, 9, 2, false, 0x14);
                    push(&mut samples, 6, 0, false, 0x18);
                    draw = push(&mut samples, 6, 1, false, 0x18);
                }
            }
        }
        let edit = Some((0, 2 * duration));
        Self { edit, ..Self::of(*b"vide", timescale, samples) }
    }

    /// AAC at 48 kHz of so many bits a second, with its priming.
    pub fn sound(seconds: u32, bits: u32, seed: u64) -> Self {
        let count = u64::from(seconds) * 48_000 / 1024;
        let mean = bits / 8 * 1024 / 48_000;
        let mut random = Random(seed | 1);
        let sample = |_| Sample {
            // Sizes of a constant bitrate are near their mean.
            size: mean * 3 / 4 + random.about(mean / 4),
            duration: 1024,
            is_sync: true,
            ..Sample::default()
        };
        let samples = (0..count).map(sample).collect();
        Self { edit: Some((0, 1024)), ..Self::of(*b"soun", 48_000, samples) }
    }

    pub fn of(handler: [u8; 4], timescale: u32, samples: Vec<Sample>) -> Self {
        Self {
            handler,
            timescale,
            samples,
            together: usize::MAX,
            edit: None,
            is_large: false,
            compact: None,
            has_sdtp: false,
        }
    }
}

impl Film {
    pub fn of(tracks: impl IntoIterator<Item = Track>) -> Self {
        Self { tracks: tracks.into_iter().collect() }
    }

    /// Groups of samples in the order of the file: the track and its samples.
    fn groups(&self) -> Vec<(usize, std::ops::Range<usize>)> {
        let mut next: Vec<(usize, u64)> = vec![(0, 0); self.tracks.len()];
        let mut groups = Vec::new();
        loop {
            let waiting = self.tracks.iter().zip(&next).enumerate();
            let waiting = waiting.filter(|(_, (track, (at, _)))| *at < track.samples.len());
            let first = waiting.min_by_key(|(_, (track, (_, time)))| {
                u128::from(*time) * 1_000_000_000 / u128::from(track.timescale)
            });
            let Some((number, (track, (at, _)))) = first else { return groups };
            let end = at.saturating_add(track.together).min(track.samples.len());
            let ticks: u64 =
                track.samples[*at..end].iter().map(|sample| u64::from(sample.duration)).sum();
            groups.push((number, *at..end));
            next[number] = (end, next[number].1 + ticks);
        }
    }

    /// All samples in the order of the file.
    pub fn placed(&self) -> Vec<Placed> {
        let mut offset = MEDIA;
        let mut placed = Vec::new();
        for (track, indexes) in self.groups() {
            for index in indexes {
                let size = self.tracks[track].samples[index].size;
                placed.push(Placed { track, index, offset, size });
                offset += u64::from(size);
            }
        }
        placed
    }

    /// Bytes of all samples.
    fn media_len(&self) -> u64 {
        let samples = self.tracks.iter().flat_map(|track| &track.samples);
        samples.map(|sample| u64::from(sample.size)).sum()
    }

    /// The `moov`, the offset at which it begins, and the length of the file, which it ends.
    pub fn moov(&self) -> (Bytes, u64, u64) {
        self.moov_of(MEDIA)
    }

    /// The same for samples that begin at byte `media`.
    fn moov_of(&self, media: u64) -> (Bytes, u64, u64) {
        let mut offsets = vec![Vec::new(); self.tracks.len()];
        let mut groups = vec![Vec::new(); self.tracks.len()];
        let mut offset = media;
        for (track, indexes) in self.groups() {
            offsets[track].push(offset);
            groups[track].push(indexes.len() as u32);
            let samples = &self.tracks[track].samples[indexes];
            offset += samples.iter().map(|sample| u64::from(sample.size)).sum::<u64>();
        }
        let traks = (0..self.tracks.len())
            .map(|at| trak(at as u32 + 1, &self.tracks[at], &offsets[at], &groups[at]));
        let mvhd =
            [&words(&[0, 0, 0, MOVIE, 0, 0x1_0000])[..], &[1, 0], &[0; 10], &matrix(), &[0; 24]];
        let mvhd = boxed(b"mvhd", &[&mvhd.concat(), &words(&[99])]);
        let moov = boxed(b"moov", &[&mvhd, &traks.collect::<Vec<_>>().concat()]);
        let len = offset + moov.len() as u64;
        (moov.into(), offset, len)
    }

    /// The whole file with its `moov` before the samples.
    pub fn fast_start(&self) -> Bytes {
        let len = self.moov().0.len();
        let moov = self.moov_of(MEDIA + len as u64).0;
        let file = self.file();
        let ftyp = MEDIA as usize - 16;
        [&file[..ftyp], &moov, &file[ftyp..file.len() - len]].concat().into()
    }

    /// The bytes before the samples.
    pub fn beginning(&self) -> Vec<u8> {
        let mut beginning = boxed(b"ftyp", &[b"isom", &words(&[512]), b"isommp41"]);
        beginning.extend(words(&[1]));
        beginning.extend(b"mdat");
        beginning.extend((16 + self.media_len()).to_be_bytes());
        beginning
    }

    /// Writes the file with a hole where its samples are.
    pub fn write_sparse(&self, path: &std::path::Path) -> std::io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = std::fs::File::create(path)?;
        file.write_all(&self.beginning())?;
        let (moov, at, _) = self.moov();
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&moov)
    }

    /// The whole file. Each sample is filled with the lowest byte of its number in its track.
    pub fn file(&self) -> Bytes {
        let mut file = self.beginning();
        for placed in self.placed() {
            assert_eq!(file.len() as u64, placed.offset);
            file.resize(file.len() + placed.size as usize, placed.index as u8);
        }
        file.extend(&self.moov().0);
        file.into()
    }
}

fn trak(track_id: u32, track: &Track, offsets: &[u64], groups: &[u32]) -> Vec<u8> {
    let is_video = track.handler == *b"vide";
    let ticks: u64 = track.samples.iter().map(|sample| u64::from(sample.duration)).sum();
    let in_movie = ticks * u64::from(MOVIE) / u64::from(track.timescale);
    let sides = if is_video { [160 << 16, 90 << 16] } else { [0, 0] };
    let tkhd =
        [&words(&[7, 0, 0, track_id, 0, in_movie as u32])[..], &[0; 16], &matrix(), &words(&sides)];
    let tkhd = boxed(b"tkhd", &tkhd);
    let edts = track.edit.map_or(Vec::new(), |(empty, media_time)| {
        let mut edits = Vec::new();
        if empty > 0 {
            edits.extend(words(&[empty, u32::MAX, 0x1_0000]));
        }
        edits.extend(words(&[in_movie as u32, media_time, 0x1_0000]));
        let count = words(&[0, edits.len() as u32 / 12]);
        boxed(b"edts", &[&boxed(b"elst", &[&count, &edits])])
    });
    let mdhd = boxed(b"mdhd", &[&words(&[0, 0, 0, track.timescale, ticks as u32, 0x55c4_0000])]);
    let hdlr = boxed(b"hdlr", &[&words(&[0, 0]), &track.handler, &[0; 13]]);
    let header = match is_video {
        true => boxed(b"vmhd", &[&words(&[1, 0, 0])]),
        false => boxed(b"smhd", &[&words(&[0, 0])]),
    };
    let url = boxed(b"url ", &[&words(&[1])]);
    let dinf = boxed(b"dinf", &[&boxed(b"dref", &[&words(&[0, 1]), &url])]);
    let minf = boxed(b"minf", &[&header, &dinf, &stbl(track, offsets, groups)]);
    let mdia = boxed(b"mdia", &[&mdhd, &hdlr, &minf]);
    boxed(b"trak", &[&tkhd, &edts, &mdia])
}

fn stbl(track: &Track, offsets: &[u64], groups: &[u32]) -> Vec<u8> {
    let samples = &track.samples;
    let stsd = boxed(b"stsd", &[&words(&[0, 1]), &entry(track)]);
    let stts = runs(samples.iter().map(|sample| sample.duration));
    let mut stbl = [stsd, boxed(b"stts", &[&stts])].concat();
    if samples.iter().any(|sample| sample.offset != 0) {
        let mut ctts = runs(samples.iter().map(|sample| sample.offset as u32));
        ctts[0] = u8::from(samples.iter().any(|sample| sample.offset < 0));
        stbl.extend(boxed(b"ctts", &[&ctts]));
    }
    if samples.iter().any(|sample| !sample.is_sync) {
        let numbers = samples.iter().enumerate().filter(|(_, sample)| sample.is_sync);
        let numbers: Vec<u32> = numbers.map(|(index, _)| index as u32 + 1).collect();
        stbl.extend(boxed(b"stss", &[&words(&[0, numbers.len() as u32]), &words(&numbers)]));
    }
    if track.has_sdtp {
        let bytes: Vec<u8> = samples.iter().map(|sample| sample.dependencies).collect();
        stbl.extend(boxed(b"sdtp", &[&words(&[0]), &bytes]));
    }
    let mut stsc = Vec::new();
    for (index, count) in groups.iter().enumerate() {
        if index == 0 || groups[index - 1] != *count {
            stsc.extend(words(&[index as u32 + 1, *count, 1]));
        }
    }
    stbl.extend(boxed(b"stsc", &[&words(&[0, stsc.len() as u32 / 12]), &stsc]));
    stbl.extend(sizes(track));
    let count = words(&[0, offsets.len() as u32]);
    match track.is_large {
        true => {
            let offsets: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_be_bytes()).collect();
            stbl.extend(boxed(b"co64", &[&count, &offsets]));
        }
        false => {
            // A film of 3 hours is larger than 4 GiB: then the offsets are wrong, and no test of
            // such a film uses them.
            let offsets: Vec<u32> = offsets.iter().map(|&offset| offset as u32).collect();
            stbl.extend(boxed(b"stco", &[&count, &words(&offsets)]));
        }
    }
    boxed(b"stbl", &[&stbl])
}

fn sizes(track: &Track) -> Vec<u8> {
    let count = track.samples.len() as u32;
    let sizes = track.samples.iter().map(|sample| sample.size);
    let first = track.samples.first().map_or(0, |sample| sample.size);
    match track.compact {
        None if first > 0 && sizes.clone().all(|size| size == first) => {
            boxed(b"stsz", &[&words(&[0, first, count])])
        }
        None => boxed(b"stsz", &[&words(&[0, 0, count]), &words(&sizes.collect::<Vec<_>>())]),
        Some(bits) => {
            let sizes: Vec<u32> = sizes.collect();
            let packed: Vec<u8> = match bits {
                4 => {
                    let pair = |pair: &[u32]| (pair[0] << 4 | pair.get(1).unwrap_or(&0)) as u8;
                    sizes.chunks(2).map(pair).collect()
                }
                8 => sizes.iter().map(|&size| size as u8).collect(),
                _ => sizes.iter().flat_map(|&size| (size as u16).to_be_bytes()).collect(),
            };
            boxed(b"stz2", &[&words(&[0, bits.into(), count]), &packed])
        }
    }
}

/// `avc1` or `mp4a`, with all that their codecs need.
fn entry(track: &Track) -> Vec<u8> {
    let head = [0, 0, 0, 0, 0, 0, 0, 1];
    if track.handler == *b"vide" {
        const SPS: &[u8] = b"\x67\x64\x00\x0b\xac\xb2\x05\x1b\xf2\x60\x22\x00\x00\x03\x00\x02\
            \x00\x00\x03\x00\x64\x1e\x28\x54\x90";
        const PPS: &[u8] = b"\x68\xeb\xcc\xb2\x2c";
        let avcc = [&[1, 0x64, 0, 0x0b, 0xff, 0xe1, 0, 25][..], SPS, &[1, 0, 5], PPS];
        let avcc = boxed(b"avcC", &avcc);
        let fields = [&[0; 16][..], &[0, 160, 0, 90], &words(&[0x48_0000, 0x48_0000, 0]), &[0, 1]];
        return boxed(b"avc1", &[&head, &fields.concat(), &[0; 32], &[0, 24, 0xff, 0xff], &avcc]);
    }
    let esds: &[u8] = b"\0\0\0\0\x03\x19\0\x01\0\x04\x11\x40\x15\0\x18\0\0\x01\xf4\0\0\x01\xf4\0\
        \x05\x02\x11\x90\x06\x01\x02";
    let fields = [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 16, 0, 0, 0, 0, 0xbb, 0x80, 0, 0];
    boxed(b"mp4a", &[&head, &fields, &boxed(b"esds", &[esds])])
}

/// Version, flags, count, and runs of equal values.
fn runs(values: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut runs: Vec<[u32; 2]> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some([count, last]) if *last == value => *count += 1,
            _ => runs.push([1, value]),
        }
    }
    let count = runs.len() as u32;
    [words(&[0, count]), words(&runs.concat())].concat()
}

fn matrix() -> Vec<u8> {
    words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000])
}

pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A box of these parts.
pub fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, &body].concat()
}
