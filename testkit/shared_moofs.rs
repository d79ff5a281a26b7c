//! Files whose fragments cannot be cut out of them: a `moof` has a `traf` for each track, and offsets
//! count from the start of the file or from the samples of the `traf` before.

use smooth_origin::bmff::{
    AnyBox, Boxes, FullBox, Mfhd, Saio, Saiz, SampleEncryption, Sdtp, Senc, Tfdt, Tfhd, Trun,
};
use smooth_origin::manifest::StreamKind;

use crate::film::{self, Media, Track};

/// The place that the offsets of a `traf` count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The first byte of the `moof`, as the `tfhd` says.
    Moof,
    /// The start of the file.
    Absolute,
    /// The `moof` for the first `traf`, and the end of the samples before for others.
    Implicit,
}

/// The form of a file.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub base: Base,
    /// There is an index at the end.
    pub mfra: bool,
    /// Runs of each track in a fragment. Those of several tracks take turns.
    pub runs: usize,
    /// Samples have IVs.
    pub senc: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self { base: Base::Absolute, mfra: true, runs: 1, senc: false }
    }
}

/// A sample as the source describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    pub duration: u32,
    pub flags: u32,
    pub composition_offset: i32,
    pub bytes: Vec<u8>,
}

/// Fragments of a file, and samples of each track in a fragment. All fragments last 2 seconds.
pub const FRAGMENTS: usize = 4;
pub const TICKS: u64 = 20_000_000;
const SAMPLES: usize = 6;

const KEY: u32 = 0x200_0000;
const OTHER: u32 = 0x101_0000;

/// Samples of a fragment of a track. Their bytes tell where they belong.
pub fn samples(track: u32, fragment: usize) -> Vec<Sample> {
    let sample = |number: usize| Sample {
        duration: if number == 0 { 3_333_335 } else { 3_333_333 },
        flags: if number == 0 || track == 2 { KEY } else { OTHER },
        composition_offset: match track {
            1 => [0, 6_666_666, -3_333_333][number % 3],
            _ => 0,
        },
        bytes: (0..20 + 3 * number)
            .map(|at| (track as usize * 97 + fragment * 31 + number * 7 + at) as u8)
            .collect(),
    };
    (0..SAMPLES).map(sample).collect()
}

/// The IV of a sample.
pub fn iv(track: u32, fragment: usize, number: usize) -> [u8; 8] {
    [0xa5, track as u8, fragment as u8, number as u8, 1, 2, 3, 4]
}

fn run(samples: &[Sample], data_offset: Option<i32>) -> AnyBox {
    let flags = Trun::DURATION | Trun::SIZE | Trun::FLAGS | Trun::COMPOSITION_OFFSET;
    let words = samples.iter().flat_map(|sample| {
        [sample.duration, sample.bytes.len() as u32, sample.flags, sample.composition_offset as u32]
    });
    AnyBox::new(Trun {
        full: FullBox { version: 1, flags },
        sample_count: samples.len() as u32,
        data_offset,
        first_sample_flags: None,
        entries: words.flat_map(u32::to_be_bytes).collect(),
    })
}

/// The `moof` of a fragment that begins at byte `start`, where its payload is `head` bytes behind that,
/// and the payload.
fn moof(tracks: &[u32], fragment: usize, shape: Shape, start: u64, head: u64) -> (AnyBox, Vec<u8>) {
    let all: Vec<_> = tracks.iter().map(|&track| samples(track, fragment)).collect();
    let runs: Vec<Vec<&[Sample]>> =
        all.iter().map(|of| of.chunks(SAMPLES.div_ceil(shape.runs)).collect()).collect();
    let mut payload = Vec::new();
    let mut places = vec![Vec::new(); tracks.len()];
    let mut put = |track: usize, run: usize, payload: &mut Vec<u8>| {
        places[track].push(payload.len() as u64);
        payload.extend(runs[track][run].iter().flat_map(|sample| sample.bytes.clone()));
    };
    match shape.base {
        // The samples of each `traf` follow those of the one before.
        Base::Implicit => (0..tracks.len())
            .for_each(|track| (0..runs[track].len()).for_each(|run| put(track, run, &mut payload))),
        Base::Moof | Base::Absolute => (0..shape.runs)
            .for_each(|run| (0..tracks.len()).for_each(|track| put(track, run, &mut payload))),
    }
    let traf = |number: usize| {
        let track = tracks[number];
        let base = match shape.base {
            Base::Absolute => Some(start),
            Base::Moof | Base::Implicit => None,
        };
        let flags = if shape.base == Base::Moof { 0x2_0000 } else { 0 };
        let full = FullBox { version: 0, flags };
        let tfhd = Tfhd { full, track_id: track, base_data_offset: base, ..Tfhd::default() };
        let full = FullBox { version: 1, flags: 0 };
        let time = fragment as u64 * TICKS;
        let mut boxes =
            vec![AnyBox::new(tfhd), AnyBox::new(Tfdt { full, base_media_decode_time: time })];
        for (at, samples) in places[number].iter().zip(&runs[number]) {
            let offset = match shape.base {
                Base::Implicit if number > 0 => None,
                _ => Some((head + at) as i32),
            };
            boxes.push(run(samples, offset));
        }
        let bytes = |sample: &Sample| if sample.flags == KEY { 0x24 } else { 0x14 };
        let sdtp = all[number].iter().map(bytes).collect();
        boxes.push(AnyBox::new(Sdtp { full: FullBox::default(), samples: sdtp }));
        if shape.senc {
            let entries = (0..SAMPLES).flat_map(|at| iv(track, fragment, at)).collect();
            let sample_count = SAMPLES as u32;
            let info = SampleEncryption { sample_count, entries, ..SampleEncryption::default() };
            boxes.push(AnyBox::new(Senc(info)));
            let size = 8;
            boxes.push(AnyBox::new(Saiz {
                default_sample_info_size: size,
                sample_count,
                ..Saiz::default()
            }));
            boxes.push(AnyBox::new(Saio { offsets: vec![start + 100], ..Saio::default() }));
        }
        AnyBox::container(*b"traf", boxes)
    };
    let mfhd = Mfhd { sequence_number: fragment as u32 + 1, ..Mfhd::default() };
    let boxes = [AnyBox::new(mfhd)].into_iter().chain((0..tracks.len()).map(traf));
    (AnyBox::container(*b"moof", boxes), payload)
}

/// A file of video (track 1) and sound (track 2), whose fragments share their `moof`s.
pub fn file(shape: Shape) -> Vec<u8> {
    of_tracks(&[1, 2], shape)
}

/// The same with these of the two tracks.
pub fn of_tracks(tracks: &[u32], shape: Shape) -> Vec<u8> {
    let mut media = Media::default();
    media.push(b"\0\0\0\x18ftypiso5\0\0\0\x01iso5iso6".to_vec());
    let kinds = tracks.iter().map(|&track| {
        let kind = if track == 1 { StreamKind::Video } else { StreamKind::Audio };
        Track::new(track, kind, Vec::new())
    });
    let moov = film::moov(&kinds.collect::<Vec<_>>());
    media.push(Boxes::from_iter([moov]).to_bytes().to_vec());
    let mut entries = Vec::new();
    for fragment in 0..FRAGMENTS {
        let start = media.len;
        let head = moof(tracks, fragment, shape, start, 0).0.len() + 8;
        let (moof, payload) = moof(tracks, fragment, shape, start, head);
        let mdat = AnyBox::other(*b"mdat", payload);
        media.push(Boxes::from_iter([moof, mdat]).to_bytes().to_vec());
        entries.push((fragment as u64 * TICKS, start));
    }
    if shape.mfra {
        let index = tracks.iter().map(|&track| (track, entries.clone()));
        film::push_mfra(&mut media, &index.collect());
    }
    media.read(0..media.len)
}
