//! The head of a media file.

use super::bytes::{Out, made};
use super::samples::Source;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Video,
    Audio,
    Text,
}

/// A track as its `trak` describes it.
pub struct Head {
    pub id: u32,
    pub kind: Kind,
    pub timescale: u32,
    pub language: [u8; 3],
    pub size: (u16, u16),
    /// The sample entry.
    pub entry: Vec<u8>,
    pub order: Order,
    /// `media_time` of an edit list, where there is one.
    pub edit: Option<i32>,
}

/// The order of what an `stbl` encloses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Usual,
    /// `stts`, an empty `ctts`, `stsc`, `stco`, `stsz`, and `stsd` last.
    StsdLast,
}

impl Head {
    pub fn video(id: u32, timescale: u32, source: &Source) -> Self {
        let entry = avc1(b"avc1", source, &[]);
        Self { size: source.size, ..Self::new(id, Kind::Video, timescale, entry) }
    }

    pub fn audio(id: u32, timescale: u32, source: &Source) -> Self {
        Self::new(id, Kind::Audio, timescale, mp4a(b"mp4a", source, &[]))
    }

    pub fn text(id: u32, timescale: u32, format: &[u8; 4]) -> Self {
        let entry = made(|out| {
            out.boxed(format, |out| {
                out.zeros(6).u16(1);
            });
        });
        Self::new(id, Kind::Text, timescale, entry)
    }

    pub fn new(id: u32, kind: Kind, timescale: u32, entry: Vec<u8>) -> Self {
        let (language, size) = (*b"und", (0, 0));
        Self { id, kind, timescale, language, size, entry, order: Order::Usual, edit: None }
    }

    pub fn write(&self, out: &mut Out) {
        out.boxed(b"trak", |out| {
            out.full(b"tkhd", 1, 7, |out| {
                out.u64(0).u64(0).u32(self.id).u32(0).u64(0).zeros(12);
                out.u16(if self.kind == Kind::Audio { 0x100 } else { 0 }).u16(0);
                matrix(out);
                out.u32(u32::from(self.size.0) << 16).u32(u32::from(self.size.1) << 16);
            });
            if let Some(from) = self.edit {
                out.boxed(b"edts", |out| {
                    out.full(b"elst", 0, 0, |out| {
                        out.u32(1).u32(0).u32(from as u32).u16(1).u16(0);
                    });
                });
            }
            out.boxed(b"mdia", |out| self.mdia(out));
        });
    }

    fn mdia(&self, out: &mut Out) {
        out.full(b"mdhd", 1, 0, |out| {
            let language = self.language.iter().fold(0, |word, &c| word << 5 | u16::from(c - 0x60));
            out.u64(0).u64(0).u32(self.timescale).u64(0).u16(language).u16(0);
        });
        let (handler, name): (&[u8; 4], _) = match self.kind {
            Kind::Video => (b"vide", "Video\0"),
            Kind::Audio => (b"soun", "Audio\0"),
            Kind::Text => (b"text", "Text\0"),
        };
        out.full(b"hdlr", 0, 0, |out| {
            out.u32(0).put(handler).zeros(12).put(name);
        });
        out.boxed(b"minf", |out| {
            match self.kind {
                Kind::Video => out.full(b"vmhd", 0, 1, |out| _ = out.zeros(8)),
                Kind::Audio => out.full(b"smhd", 0, 0, |out| _ = out.zeros(4)),
                Kind::Text => out.full(b"nmhd", 0, 0, |_| {}),
            };
            out.boxed(b"dinf", |out| {
                out.full(b"dref", 0, 0, |out| {
                    out.u32(1).full(b"url ", 0, 1, |_| {});
                });
            });
            out.boxed(b"stbl", |out| self.stbl(out));
        });
    }

    fn stbl(&self, out: &mut Out) {
        let stsd = |out: &mut Out| {
            out.full(b"stsd", 0, 0, |out| _ = out.u32(1).put(&self.entry));
        };
        let empty = |out: &mut Out, kind| _ = out.full(kind, 0, 0, |out| _ = out.u32(0));
        let stsz = |out: &mut Out| _ = out.full(b"stsz", 0, 0, |out| _ = out.u32(0).u32(0));
        if self.order == Order::StsdLast {
            for kind in [b"stts", b"ctts", b"stsc", b"stco"] {
                empty(out, kind);
            }
            stsz(out);
            stsd(out);
        } else {
            stsd(out);
            empty(out, b"stts");
            empty(out, b"stsc");
            stsz(out);
            empty(out, b"stco");
        }
    }
}

/// `boxes` follow the codec's own configuration.
pub fn avc1(format: &[u8; 4], source: &Source, boxes: &[u8]) -> Vec<u8> {
    made(|out| {
        out.boxed(format, |out| {
            out.zeros(6).u16(1).zeros(16).u16(source.size.0).u16(source.size.1);
            out.u32(0x48_0000).u32(0x48_0000).u32(0).u16(1).zeros(32).u16(0x18).u16(0xffff);
            out.boxed(b"avcC", |out| _ = out.put(&source.config)).put(boxes);
        });
    })
}

/// Descriptor lengths are one byte.
pub fn mp4a(format: &[u8; 4], source: &Source, boxes: &[u8]) -> Vec<u8> {
    let config = &source.config;
    made(|out| {
        out.boxed(format, |out| {
            out.zeros(6).u16(1).zeros(8).u16(2).u16(16).zeros(4).u32(48_000 << 16);
            out.full(b"esds", 0, 0, |out| {
                let length = config.len() as u8;
                out.u8(3).u8(3 + 2 + 13 + 2 + length + 3).u16(0).u8(0);
                out.u8(4).u8(13 + 2 + length).u8(0x40).u8(0x15).u24(0x1800);
                out.u32(48_000).u32(48_000);
                out.u8(5).u8(length).put(config).u8(6).u8(1).u8(2);
            });
            out.put(boxes);
        });
    })
}

pub fn ftyp(out: &mut Out, major: &[u8; 4], minor: u32, compatible: &str) {
    out.boxed(b"ftyp", |out| _ = out.put(major).u32(minor).put(compatible));
}

pub fn mvhd(out: &mut Out, version: u8, timescale: u32, duration: u64) {
    let wide = version == 1;
    out.full(b"mvhd", version, 0, |out| {
        out.word(wide, 0).word(wide, 0).u32(timescale).word(wide, duration);
        out.u32(0x1_0000).u16(0x100).zeros(10);
        matrix(out);
        out.zeros(24).u32(u32::MAX);
    });
}

/// `defaults`: duration, size and flags of a sample.
pub fn trex(out: &mut Out, track: u32, defaults: [u32; 3]) {
    let [duration, size, flags] = defaults;
    out.full(b"trex", 0, 0, |out| _ = out.u32(track).u32(1).u32(duration).u32(size).u32(flags));
}

/// `mvhd`, the tracks, and an `mvex` of one `trex` a track.
pub fn moov(out: &mut Out, tracks: &[Head]) {
    out.boxed(b"moov", |out| {
        mvhd(out, 0, 1000, 0);
        tracks.iter().for_each(|track| track.write(out));
        out.boxed(b"mvex", |out| tracks.iter().for_each(|track| trex(out, track.id, [0; 3])));
    });
}

fn matrix(out: &mut Out) {
    for value in [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] {
        out.u32(value);
    }
}
