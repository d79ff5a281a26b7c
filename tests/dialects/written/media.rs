//! Fragments and their index, in any shape that a producer gives them.

use std::ops::Range;

use super::bytes::{Out, made};
use super::samples::Piece;

/// How a producer writes its fragments.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Flags of `tfhd`, which say what it holds, and default duration, size and flags.
    pub tfhd: u32,
    pub defaults: [u32; 3],
    /// Version and flags of `trun`.
    pub trun: (u8, u32),
    /// Sample flags of what can be decoded on its own and of what cannot.
    pub flags: [u32; 2],
    /// Version of a `tfdt`.
    pub tfdt: Option<u8>,
    /// Boxes between `moof` and `mdat`.
    pub between: Vec<u8>,
    /// The `mdat` has a size of 64 bits.
    pub large: bool,
}

/// Sample flags as ISO has them: depends on none; depends on others and is no sync sample.
pub const ISO_FLAGS: [u32; 2] = [0x0200_0000, 0x0101_0000];

impl Default for Shape {
    /// As ffmpeg writes pictures without reordering.
    fn default() -> Self {
        Self {
            tfhd: 0x20,
            defaults: [0, 0, ISO_FLAGS[1]],
            trun: (1, 0x305),
            flags: ISO_FLAGS,
            tfdt: None,
            between: Vec::new(),
            large: false,
        }
    }
}

/// A media file being written, and where its fragments came to lie.
#[derive(Clone, Debug, Default)]
pub struct Media {
    pub out: Out,
    pub fragments: Vec<Written>,
}

/// A fragment that has been written.
#[derive(Clone, Debug)]
pub struct Written {
    pub track: u32,
    /// Ticks of the track.
    pub time: i64,
    pub moof: Range<usize>,
    /// Payload of the `mdat`.
    pub payload: Range<usize>,
    pub piece: Piece,
}

impl Written {
    pub fn whole(&self) -> Range<usize> {
        self.moof.start..self.payload.end
    }
}

impl Media {
    pub fn new(head: impl FnOnce(&mut Out)) -> Self {
        Self { out: Out(made(head)), fragments: Vec::new() }
    }

    /// Writes a fragment; `extra` writes what follows the `trun`.
    pub fn fragment(&mut self, track: u32, piece: &Piece, shape: &Shape, extra: impl Fn(&mut Out)) {
        let number = self.fragments.len() as u32 + 1;
        let moof = |data_offset: usize| {
            made(|out| {
                out.boxed(b"moof", |out| {
                    out.full(b"mfhd", 0, 0, |out| _ = out.u32(number));
                    out.boxed(b"traf", |out| {
                        shape.tfhd(out, track);
                        if let Some(version) = shape.tfdt {
                            let first = piece.samples[0].composition;
                            let decode = (piece.time - i64::from(first)) as u64;
                            out.full(b"tfdt", version, 0, |out| _ = out.word(version == 1, decode));
                        }
                        shape.trun(out, piece, data_offset);
                        extra(out);
                    });
                });
            })
        };
        let header = if shape.large { 16 } else { 8 };
        let len = moof(0).len();
        let start = self.out.0.len();
        self.out.put(moof(len + shape.between.len() + header)).put(&shape.between);
        let size: usize = piece.samples.iter().map(|sample| sample.data.len()).sum();
        if shape.large {
            self.out.u32(1).put(b"mdat").u64((size + header) as u64);
        } else {
            self.out.u32((size + header) as u32).put(b"mdat");
        }
        let payload = self.out.0.len();
        piece.samples.iter().for_each(|sample| _ = self.out.put(&sample.data));
        self.fragments.push(Written {
            track,
            time: piece.time,
            moof: start..start + len,
            payload: payload..payload + size,
            piece: piece.clone(),
        });
    }

    /// Writes the fragments of several tracks, the earliest first. Timescales, pieces, shapes.
    pub fn interleave(&mut self, tracks: &[(u32, u64, &[Piece], &Shape)], extra: &Extra<'_>) {
        for (track, at) in order(tracks) {
            let (id, _, pieces, shape) = tracks[track];
            self.fragment(id, &pieces[at], shape, |out| extra(out, id, at, &pieces[at]));
        }
    }

    /// Time and place of a track's fragments.
    pub fn index(&self, track: u32) -> Vec<(u64, u64)> {
        let of_track = self.of(track);
        of_track.map(|written| (written.time as u64, written.moof.start as u64)).collect()
    }

    pub fn of(&self, track: u32) -> impl Iterator<Item = &Written> {
        self.fragments.iter().filter(move |written| written.track == track)
    }
}

/// Writes what follows the `trun` of a track's fragment, by its number.
pub type Extra<'a> = dyn Fn(&mut Out, u32, usize, &Piece) + 'a;

/// Nothing.
pub fn no_extra(_: &mut Out, _: u32, _: usize, _: &Piece) {}

/// `tfxd` of version 1, as ffmpeg writes it.
pub fn tfxd_extra(out: &mut Out, _: u32, _: usize, piece: &Piece) {
    tfxd(out, piece.time as u64, piece.duration());
}

/// Track and number of fragment, by time.
pub fn order(tracks: &[(u32, u64, &[Piece], &Shape)]) -> Vec<(usize, usize)> {
    let mut order = Vec::new();
    for (track, (_, timescale, pieces, _)) in tracks.iter().enumerate() {
        for (at, piece) in pieces.iter().enumerate() {
            let key = i128::from(piece.time) * 1_000_000_000_000 / i128::from(*timescale);
            order.push((key, track, at));
        }
    }
    order.sort_unstable();
    order.into_iter().map(|(_, track, at)| (track, at)).collect()
}

impl Shape {
    fn tfhd(&self, out: &mut Out, track: u32) {
        out.full(b"tfhd", 0, self.tfhd, |out| {
            out.u32(track);
            if self.tfhd & 2 != 0 {
                out.u32(1);
            }
            for (i, default) in self.defaults.into_iter().enumerate() {
                if self.tfhd & 8 << i != 0 {
                    out.u32(default);
                }
            }
        });
    }

    fn trun(&self, out: &mut Out, piece: &Piece, data_offset: usize) {
        let (version, fields) = self.trun;
        out.full(b"trun", version, fields, |out| {
            out.u32(piece.samples.len() as u32);
            if fields & 1 != 0 {
                out.u32(data_offset as u32);
            }
            let flags = |key: bool| self.flags[usize::from(!key)];
            if fields & 4 != 0 {
                out.u32(flags(piece.samples[0].key));
            }
            for sample in &piece.samples {
                let values = [
                    sample.duration,
                    sample.data.len() as u32,
                    flags(sample.key),
                    sample.composition as u32,
                ];
                for (bit, value) in values.into_iter().enumerate() {
                    if fields & 0x100 << bit != 0 {
                        out.u32(value);
                    }
                }
            }
        });
    }
}

pub fn tfxd(out: &mut Out, time: u64, duration: u64) {
    out.uuid(TFXD, 1, 0, |out| _ = out.u64(time).u64(duration));
}

/// The fragments that follow, at most two of them.
pub fn tfrf(out: &mut Out, following: &[Piece]) {
    let following = &following[..following.len().min(2)];
    out.uuid(TFRF, 1, 0, |out| {
        out.u8(following.len() as u8);
        for piece in following {
            out.u64(piece.time as u64).u64(piece.duration());
        }
    });
}

/// What can be decoded on its own, what cannot, and sound.
pub fn sdtp(out: &mut Out, piece: &Piece, video: bool) {
    let byte = |key: bool| {
        if !video {
            0x28
        } else if key {
            0x24
        } else {
            0x14
        }
    };
    out.full(b"sdtp", 0, 0, |out| {
        piece.samples.iter().for_each(|sample| _ = out.u8(byte(sample.key)));
    });
}

pub const TFXD: &str = "6D1D9B05-42D5-44E6-80E2-141DAFF757B2";
pub const TFRF: &str = "D4807EF2-CA39-4695-8E54-26CB9E46A79F";

/// The index of a track.
pub struct Tfra {
    pub track: u32,
    pub version: u8,
    /// Bytes of the numbers of `traf`, `trun` and sample.
    pub widths: [u8; 3],
    /// Time, offset, sample.
    pub entries: Vec<(u64, u64, u32)>,
}

impl Tfra {
    /// Of the first version, one byte a number, one entry a fragment.
    pub fn of(media: &Media, track: u32) -> Self {
        let entries = media.index(track).into_iter().map(|(time, offset)| (time, offset, 1));
        Self { track, version: 1, widths: [1; 3], entries: entries.collect() }
    }

    fn write(&self, out: &mut Out) {
        out.full(b"tfra", self.version, 0, |out| {
            let widths =
                self.widths.iter().fold(0, |word, &width| word << 2 | u32::from(width - 1));
            out.u32(self.track).u32(widths).u32(self.entries.len() as u32);
            for (time, offset, sample) in &self.entries {
                out.word(self.version == 1, *time).word(self.version == 1, *offset);
                for (number, width) in [1, 1, *sample].into_iter().zip(self.widths) {
                    out.put(&u32::to_be_bytes(number)[4 - usize::from(width)..]);
                }
            }
        });
    }
}

/// Writes the index; its `mfro` is wrong by `lie` bytes.
pub fn mfra_lying(out: &mut Out, tracks: &[Tfra], lie: u32) {
    let start = out.0.len();
    out.boxed(b"mfra", |out| {
        tracks.iter().for_each(|tfra| tfra.write(out));
        let size = (out.0.len() - start + 16) as u32;
        out.full(b"mfro", 0, 0, |out| _ = out.u32(size + lie));
    });
}

pub fn mfra(out: &mut Out, tracks: &[Tfra]) {
    mfra_lying(out, tracks, 0);
}
