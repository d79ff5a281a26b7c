//! The chunks of each stream: `--timeline`.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use smooth_origin::presentation::{Looked, Presentation, Stream};

use crate::text::line;

/// The fragments that were looked at.
pub(crate) struct Fragments(HashMap<(usize, usize, usize), (u64, bool)>);

/// A chunk of a stream.
struct Chunk {
    number: usize,
    start: u64,
    duration: u64,
    /// Ticks between the end of the chunk before and its start: below 0 if they overlap.
    gap: i128,
}

impl Fragments {
    pub(crate) fn new(looked: &[Looked]) -> Self {
        let entry = |of: &Looked| ((of.stream, of.track, of.chunk), (of.bytes, of.lacks_key_frame));
        Self(looked.iter().map(entry).collect())
    }

    /// Size in bytes, and whether a key frame is missing at the start.
    fn of(&self, stream: usize, track: usize, chunk: usize) -> Option<(u64, bool)> {
        self.0.get(&(stream, track, chunk)).copied()
    }
}

fn chunks(stream: &Stream) -> impl Iterator<Item = Chunk> + '_ {
    let mut end = None;
    stream.timeline().iter().enumerate().map(move |(number, (start, duration))| {
        let before = end.replace(i128::from(start) + i128::from(duration));
        let gap = before.map_or(0, |before| i128::from(start) - before);
        Chunk { number, start, duration, gap }
    })
}

/// Writes one table per stream: number, start and duration of each chunk in ticks, the gap or overlap in
/// front of it, and the size of its fragment in each track. `!` marks a fragment of pictures that
/// begins without a key frame, `-` one that is missing or broken.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(
    out: &mut impl Write,
    presentation: &Presentation,
    fragments: &Fragments,
) -> io::Result<()> {
    for (s, stream) in presentation.streams().iter().enumerate() {
        let (kind, name, timescale) = (stream.kind(), stream.name(), stream.timescale());
        let count = stream.timeline().len();
        line(
            out,
            format_args!("timeline of {kind} `{name}`: {count} chunks, times in 1/{timescale} s"),
        )?;
        let bitrates: String =
            stream.tracks().iter().map(|track| format!(" {:>11}", track.bitrate())).collect();
        line(out, format_args!("  {:>7} {:>16} {:>12}{bitrates}", "chunk", "start", "duration"))?;
        for Chunk { number, start, duration, gap } in chunks(stream) {
            let size = |t: usize| match fragments.of(s, t, number) {
                Some((bytes, lacks_key)) => {
                    format!(" {bytes:>10}{}", if lacks_key { "!" } else { " " })
                }
                None => format!(" {:>10} ", "-"),
            };
            let sizes: String = (0..stream.tracks().len()).map(size).collect();
            let note = match gap {
                0 => String::new(),
                1.. => format!("  {gap} ticks after the end of the chunk before"),
                _ => format!("  {} ticks before the end of the chunk before", -gap),
            };
            let row = format!("  {number:>7} {start:>16} {duration:>12}{sizes}{note}");
            line(out, format_args!("{}", row.trim_end()))?;
        }
    }
    Ok(())
}

/// Returns the timeline as JSON: a list of streams with their `chunks`. `gap` is in ticks, below 0 if chunks
/// overlap; `bytes` and `key_frame` are `null` if the fragment is missing or broken.
pub(crate) fn value(presentation: &Presentation, fragments: &Fragments) -> Value {
    let streams = presentation.streams().iter().enumerate();
    let of_stream = |(s, stream): (usize, &Stream)| {
        let of_chunk = |Chunk { number, start, duration, gap }: Chunk| {
            let of_track = |(t, track): (usize, &smooth_origin::presentation::Track)| {
                let seen = fragments.of(s, t, number);
                json!({
                    "bitrate": track.bitrate(),
                    "bytes": seen.map(|(bytes, _)| bytes),
                    "key_frame": seen.map(|(_, lacks_key)| !lacks_key),
                })
            };
            let tracks: Value = stream.tracks().iter().enumerate().map(of_track).collect();
            let gap = i64::try_from(gap).ok();
            json!({ "chunk": number, "start": start, "duration": duration, "gap": gap, "tracks": tracks })
        };
        json!({
            "stream": stream.name(),
            "timescale": stream.timescale().get(),
            "chunks": chunks(stream).map(of_chunk).collect::<Value>(),
        })
    };
    streams.map(of_stream).collect()
}
