//! Stored fragments rewritten into those of CMAF: the same samples at the same times, in boxes that
//! every player reads.

mod encryption;
mod samples;
mod shapes;
mod stored;

use bytes::Bytes;
use smooth_origin::base::Error;
use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfhd, Trun, TrunSample};
use smooth_origin::fragment::cmaf::{self, Fragment, Start, Track};
use smooth_origin::{ErrorKind, Limits};

/// A fragment, as it is stored.
#[derive(Clone)]
struct Stored {
    tfhd: Tfhd,
    truns: Vec<Trun>,
    /// Boxes behind the runs.
    boxes: Vec<AnyBox>,
    payload: u32,
}

impl Stored {
    fn new(truns: impl IntoIterator<Item = Trun>, payload: u32) -> Self {
        let tfhd = Tfhd { track_id: 7, ..Tfhd::default() };
        Self { tfhd, truns: truns.into_iter().collect(), boxes: Vec::new(), payload }
    }

    fn with(mut self, boxes: impl IntoIterator<Item = AnyBox>) -> Self {
        self.boxes.extend(boxes);
        self
    }

    fn moof(&self) -> AnyBox {
        let runs = self.truns.iter().cloned().map(AnyBox::new);
        let boxes = [AnyBox::new(self.tfhd.clone())].into_iter().chain(runs);
        let traf = AnyBox::container(*b"traf", boxes.chain(self.boxes.iter().cloned()));
        let mfhd = Mfhd { sequence_number: 5, ..Mfhd::default() };
        AnyBox::container(*b"moof", [AnyBox::new(mfhd), traf])
    }

    /// First byte of the payload.
    fn start(&self) -> i32 {
        self.moof().len() as i32 + 8
    }

    /// Returns the fragment with right offsets of its runs, if they have any.
    fn placed(mut self, defaults: samples::Defaults) -> Self {
        let mut at = self.start();
        for trun in &mut self.truns {
            trun.data_offset = trun.data_offset.map(|_| at);
            let default = self.tfhd.default_sample_size.unwrap_or(defaults.1);
            at += trun.samples().map(|sample| sample.size.unwrap_or(default) as i32).sum::<i32>();
        }
        self
    }

    fn bytes(&self) -> Bytes {
        let payload: Vec<u8> = (0..self.payload).map(|at| at as u8).collect();
        Boxes::from_iter([self.moof(), AnyBox::other(*b"mdat", payload)]).to_bytes()
    }

    fn rewritten(&self, start: Start, track: &Track) -> Result<Bytes, Error> {
        rewritten(&self.bytes(), start, track)
    }
}

/// A run of these samples with all fields: duration, size, flags, composition offset.
fn run(samples: &[(u32, u32, u32, i32)]) -> Trun {
    let samples: Vec<_> = samples
        .iter()
        .map(|&(duration, size, flags, offset)| [duration, size, flags, offset as u32])
        .collect();
    Trun {
        full: FullBox { version: 0, flags: 0xf00 },
        sample_count: samples.len() as u32,
        data_offset: Some(0),
        first_sample_flags: None,
        entries: samples.as_flattened().iter().flat_map(|word| word.to_be_bytes()).collect(),
    }
}

/// Returns the run without some of its fields.
fn without(mut trun: Trun, fields: u32) -> Trun {
    let samples: Vec<_> = trun.samples().collect();
    trun.full.flags &= !fields;
    let word = |flag, value: Option<u32>| value.filter(|_| trun.full.has(flag));
    let words = |sample: &TrunSample| {
        let offset = sample.composition_offset.map(|offset| offset as u32);
        let flags = word(Trun::FLAGS, sample.flags);
        let (duration, size) =
            (word(Trun::DURATION, sample.duration), word(Trun::SIZE, sample.size));
        [duration, size, flags, word(Trun::COMPOSITION_OFFSET, offset)]
    };
    let words = samples.iter().flat_map(words).flatten();
    trun.entries = words.flat_map(u32::to_be_bytes).collect();
    trun
}

/// A claim of samples that take no bytes.
fn claim(count: u32) -> Trun {
    Trun { sample_count: count, data_offset: Some(0), ..Trun::default() }
}

/// The whole fragment of CMAF, put together as a client gets it. Checks what holds for each.
fn rewritten(stored: &Bytes, start: Start, track: &Track) -> Result<Bytes, Error> {
    let fragment = cmaf::rewrite(stored, start, track, &Limits::default())?;
    let Fragment { head, payload, .. } = &fragment;
    let payload = &stored[payload.start as usize..payload.end as usize];
    let whole: Bytes = [head, payload].concat().into();
    assert_eq!(whole.len() as u64, fragment.length());
    let boxes = Boxes::parse(&whole, 0, &Limits::default()).unwrap();
    let kinds: Vec<_> = boxes.list.iter().map(|item| item.header.kind).collect();
    assert_eq!(kinds, [*b"moof", *b"mdat"]);
    assert_eq!(boxes.list[0].len() + boxes.list[1].len(), fragment.length());
    assert_eq!(boxes.to_bytes(), whole);
    Ok(whole)
}

fn refused(result: Result<Bytes, Error>) -> String {
    let error = result.expect_err("it is no fragment of CMAF");
    assert!(matches!(error.kind, ErrorKind::NotSliceable(_) | ErrorKind::Budget { .. }));
    error.to_string()
}
