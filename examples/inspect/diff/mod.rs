//! Comparing two presentations: `--diff`.

mod fragments;
mod http;
mod manifests;
mod side;

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::folder::Bounds;
use crate::text::line;
use fragments::Wanted;
use side::{Answered, Side};

/// A difference between A and B.
#[derive(Default)]
pub(crate) struct Difference {
    /// Place of the difference: `chunk 5 (80000000) of video at 500000: moof/traf/trun, sample 3's sample_size`.
    place: String,
    stream: Option<String>,
    bitrate: Option<u32>,
    /// Start of the chunk.
    chunk: Option<u64>,
    /// Value of A and of B; `None` where one lacks it.
    a: Option<String>,
    b: Option<String>,
    /// Offset of the first byte that differs, from the start of the fragment.
    byte: Option<u64>,
    boxes: Option<String>,
    field: Option<String>,
}

impl Difference {
    /// `Duration: 10 in A, 20 in B`
    fn text(&self) -> String {
        let of = |value: &Option<String>, side| match value {
            Some(value) => format!("{value} in {side}"),
            None => format!("not in {side}"),
        };
        let byte = self.byte.map(|byte| format!(" (byte {byte})")).unwrap_or_default();
        format!("{}: {}, {}{byte}", self.place, of(&self.a, "A"), of(&self.b, "B"))
    }

    fn value(&self) -> Value {
        json!({
            "place": self.place,
            "stream": self.stream,
            "bitrate": self.bitrate,
            "chunk": self.chunk,
            "a": self.a,
            "b": self.b,
            "byte": self.byte,
            "boxes": self.boxes,
            "field": self.field,
        })
    }
}

/// The differences that were found, up to a number.
pub(crate) struct Differences {
    list: Vec<Difference>,
    most: usize,
}

impl Differences {
    fn push(&mut self, difference: Difference) {
        if !self.is_full() {
            self.list.push(difference);
        }
    }

    fn is_full(&self) -> bool {
        self.list.len() >= self.most
    }
}

/// The result of a comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    Same,
    Different,
    /// One of the two cannot be read.
    Unread,
}

impl Compared {
    pub(crate) fn exit_status(self) -> u8 {
        match self {
            Self::Same => 0,
            Self::Different => 1,
            Self::Unread => 3,
        }
    }
}

/// Compares the manifests of `a` and `b`, then each fragment that both announce, and writes the
/// differences: `most` of them.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(
    out: &mut impl Write,
    (a, b): (&Path, &Path),
    bounds: Bounds,
    most: usize,
    is_json: bool,
) -> io::Result<Compared> {
    let mut differences = Differences { list: Vec::new(), most };
    let compared = compare(a, b, bounds, &mut differences, !is_json);
    let Differences { list, most } = differences;
    let is_cut = list.len() >= most;
    let (fragments, message) = match &compared {
        Ok(count) => (Some(*count), None),
        Err(message) => (None, Some(message)),
    };
    let result = match (&compared, list.is_empty()) {
        (Err(_), _) => Compared::Unread,
        (Ok(_), true) => Compared::Same,
        (Ok(_), false) => Compared::Different,
    };
    if is_json {
        let value = json!({
            "a": a.to_string_lossy(),
            "b": common::without_secret(&b.to_string_lossy()),
            "outcome": match result {
                Compared::Same => "same",
                Compared::Different => "different",
                Compared::Unread => "not-compared",
            },
            "message": message,
            "fragments": fragments,
            "differences": list.iter().map(Difference::value).collect::<Value>(),
            "cut": is_cut,
        });
        writeln!(out, "{value}")?;
        return Ok(result);
    }
    for difference in &list {
        line(out, format_args!("{}", difference.text()))?;
    }
    match (message, fragments) {
        (Some(message), _) => line(out, format_args!("not compared: {message}"))?,
        (None, Some(count)) if list.is_empty() => {
            line(
                out,
                format_args!(
                    "no difference: the manifests say the same, and {count} fragments have the same bytes"
                ),
            )?;
        }
        _ if is_cut => line(
            out,
            format_args!("{most} differences; more were not looked for: raise --most-differences"),
        )?,
        _ => {
            let (count, fragments) = (list.len(), fragments.unwrap_or(0));
            line(out, format_args!("{count} differences; {fragments} fragments were compared"))?;
        }
    }
    Ok(result)
}

/// Returns the number of fragments that were compared.
///
/// # Errors
/// A sentence about the one that cannot be read.
fn compare(
    a: &Path,
    b: &Path,
    bounds: Bounds,
    differences: &mut Differences,
    has_bar: bool,
) -> Result<u64, String> {
    let (mut a, mut b) = (Side::open(a, bounds)?, Side::open(b, bounds)?);
    let manifests = (a.manifest()?, b.manifest()?);
    let pairs = manifests::compare(&manifests.0, &manifests.1, differences);
    let all = pairs.iter().map(|pair| pair.chunks.len() as u64).sum();
    let bar = crate::deep::bar(all, Path::new("compared"), has_bar);
    let mut count = 0;
    for pair in &pairs {
        for &(number, time) in &pair.chunks {
            if differences.is_full() {
                break;
            }
            let wanted = Wanted { pair, number, time };
            let answers = (a.get(&wanted.path_of_a())?, b.get(&wanted.path_of_b())?);
            fragments::compare(&wanted, &answers.0, &answers.1, differences);
            count += 1;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(count)
}
