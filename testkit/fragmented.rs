//! Fragmented films that are written from the plan of a progressive one, in the forms of different
//! producers.

use bytes::Bytes;

use crate::progressive::{Film, Track, boxed, words};

/// How fragments are written.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// A `moof` has a `traf` of each track; else each track has its own.
    pub is_shared: bool,
    pub base: Base,
    /// Starts are in `tfdt`; else nothing says them.
    pub has_tfdt: bool,
    /// `styp` and `sidx` are in front of each `moof`, as in segments of CMAF.
    pub has_segments: bool,
    /// Number of the first fragment that is later, and seconds.
    pub gap: Option<(usize, u32)>,
    /// Seconds that all is later.
    pub start: u32,
}

/// From where the offsets of a `traf` count.
#[derive(Clone, Copy, Debug)]
pub enum Base {
    /// The `moof`, as is said.
    Moof,
    /// A byte of the file.
    Absolute,
    /// Nothing is said: the end of the samples of the `traf` before.
    Unsaid,
}

/// As CMAF has it.
pub const CMAF: Form = Form {
    is_shared: false,
    base: Base::Moof,
    has_tfdt: true,
    has_segments: true,
    gap: None,
    start: 0,
};

/// Writes these tracks of a film, by their indexes. Fragments begin with the key frames of its first
/// track, and those of others with the samples that are shown nearest to them. Samples are filled as in
/// [`Film::file`].
pub fn file(film: &Film, tracks: &[usize], form: &Form) -> Bytes {
    let cuts: Vec<_> = film.tracks.iter().map(|track| cuts(&film.tracks[0], track)).collect();
    let ftyp = boxed(b"ftyp", &[b"iso6", &words(&[0]), b"iso6cmfc"]);
    let mut file = ftyp;
    file.extend(moov(film, tracks));
    for number in 0..cuts[0].len() - 1 {
        match form.is_shared {
            true => fragment(&mut file, film, tracks, &cuts, number, form),
            false => {
                for track in tracks {
                    fragment(&mut file, film, &[*track], &cuts, number, form);
                }
            }
        }
    }
    file.into()
}

/// Index of the first sample of each fragment, and the number of samples.
fn cuts(lead: &Track, track: &Track) -> Vec<usize> {
    let shown = |track: &Track| {
        let media_time = track.edit.map_or(0, |(_, time)| i64::from(time));
        let times = track.samples.iter().scan(-media_time, move |time, sample| {
            let shown = *time + i64::from(sample.offset);
            *time += i64::from(sample.duration);
            Some(shown as f64 / f64::from(track.timescale))
        });
        times.collect::<Vec<_>>()
    };
    let (of_lead, own) = (shown(lead), shown(track));
    let keys = (0..lead.samples.len()).filter(|&at| lead.samples[at].is_sync);
    let nearest = |key: usize| {
        let distance = |at: &usize| (own[*at] - of_lead[key]).abs();
        (0..own.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
    };
    let mut cuts: Vec<_> = keys.map(nearest).collect();
    // What comes before the first key frame is there too.
    cuts[0] = 0;
    cuts.push(track.samples.len());
    cuts
}

fn moov(film: &Film, tracks: &[usize]) -> Vec<u8> {
    let empty = |track: &Track| Track { samples: Vec::new(), ..track.clone() };
    let empty = Film::of(film.tracks.iter().map(empty)).moov().0;
    // Those that are left out keep their numbers: the file has fewer tracks.
    let traks = empty[8..].to_vec();
    let (mut kept, mut at, mut index) = (Vec::new(), 0, 0);
    while at < traks.len() {
        let len = u32::from_be_bytes(traks[at..at + 4].try_into().unwrap()) as usize;
        let is_trak = traks[at + 4..at + 8] == *b"trak";
        if !is_trak || tracks.contains(&index) {
            kept.extend(&traks[at..at + len]);
        }
        index += usize::from(is_trak);
        at += len;
    }
    let trex = |track: &usize| boxed(b"trex", &[&words(&[0, *track as u32 + 1, 1, 0, 0, 0])]);
    let trexs: Vec<u8> = tracks.iter().flat_map(trex).collect();
    boxed(b"moov", &[&kept, &boxed(b"mvex", &[&trexs])])
}

fn fragment(
    file: &mut Vec<u8>,
    film: &Film,
    tracks: &[usize],
    cuts: &[Vec<usize>],
    number: usize,
    form: &Form,
) {
    if form.has_segments {
        file.extend(boxed(b"styp", &[b"msdh", &words(&[0]), b"msdhmsix"]));
        file.extend(boxed(b"sidx", &[&words(&[0, 1, 1000, 0, 0, 0])]));
    }
    let start = file.len() as u64;
    let moof = |len: usize| {
        let mut trafs = Vec::new();
        let mut before = 0;
        for &index in tracks {
            let track = &film.tracks[index];
            let samples = cuts[index][number]..cuts[index][number + 1];
            let bytes: u32 = track.samples[samples.clone()].iter().map(|s| s.size).sum();
            let from_moof = len as u32 + 8 + before;
            let (flags, base, offset) = match form.base {
                Base::Moof => (0x2_0000, Vec::new(), from_moof),
                Base::Absolute => (1, start.to_be_bytes().to_vec(), from_moof),
                Base::Unsaid if before == 0 => (0, Vec::new(), from_moof),
                Base::Unsaid => (0, Vec::new(), 0),
            };
            before += bytes;
            let tfhd = boxed(b"tfhd", &[&words(&[flags, index as u32 + 1]), &base]);
            let ticks: u64 =
                track.samples[..samples.start].iter().map(|s| u64::from(s.duration)).sum();
            let gap = form.gap.filter(|(first, _)| number >= *first).map_or(0, |(_, gap)| gap);
            let later = u64::from(form.start + gap) * u64::from(track.timescale);
            let tfdt = boxed(b"tfdt", &[&words(&[0x100_0000]), &(ticks + later).to_be_bytes()]);
            let count = samples.len() as u32;
            let entries = track.samples[samples].iter().flat_map(|sample| {
                let flags = if sample.is_sync { 0x200_0000 } else { 0x101_0000 };
                words(&[sample.duration, sample.size, flags, sample.offset as u32])
            });
            let trun = boxed(
                b"trun",
                &[&words(&[0x100_0f01, count, offset]), &entries.collect::<Vec<_>>()],
            );
            let tfdt = if form.has_tfdt { tfdt } else { Vec::new() };
            trafs.extend(boxed(b"traf", &[&tfhd, &tfdt, &trun]));
        }
        let mfhd = boxed(b"mfhd", &[&words(&[0, number as u32 + 1])]);
        boxed(b"moof", &[&mfhd, &trafs])
    };
    // Its length does not depend on the offsets in it.
    let moof = moof(moof(0).len());
    let mut media = Vec::new();
    for &index in tracks {
        for at in cuts[index][number]..cuts[index][number + 1] {
            media.resize(media.len() + film.tracks[index].samples[at].size as usize, at as u8);
        }
    }
    file.extend(moof);
    file.extend(boxed(b"mdat", &[&media]));
}
