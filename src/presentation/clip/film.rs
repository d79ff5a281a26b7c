//! The client manifest of a clip of a film: that of the film, with fewer chunks.

use std::num::NonZeroU64;

use bytes::Bytes;

use super::Clip;
use crate::base::{Error, ErrorKind, Limits, Timescale};
use crate::manifest::{Chunk, ClientManifest, Layout, StreamKind, runs};

/// The start of the first chunk, and the end of the last one.
type Ends = (u64, u64);

impl Clip {
    /// Returns the bytes of the manifest of the film.
    pub(in crate::presentation) fn film_len(&self) -> usize {
        self.film.as_ref().map_or(0, Bytes::len)
    }

    /// Writes the client manifest of a clip of a film.
    pub(in crate::presentation) fn film_manifest(
        &self,
        layout: Layout,
        limits: &Limits,
    ) -> Result<Bytes, ErrorKind> {
        let text = self.film.clone()?;
        self.cut(&text, layout, limits).map_err(|error| error.kind)
    }

    fn cut(&self, text: &[u8], layout: Layout, limits: &Limits) -> Result<Bytes, Error> {
        let mut manifest = ClientManifest::parse(text, limits)?;
        let scale = manifest.timescale();
        // Captions may begin long before all others, and end long after them: they count if there is nothing else.
        let (mut begin, mut end) = ((true, u64::MAX), (false, 0));
        let indexes = std::mem::take(&mut manifest.streams);
        for mut index in indexes {
            let timescale = index.timescale.unwrap_or(scale);
            let (chunks, times) = self.chunks(&index.chunks, timescale)?;
            let Some((first, last)) = times else { continue };
            let rescaled = |ticks| timescale.rescale_round(ticks, scale).unwrap_or(0);
            let is_text = index.kind == StreamKind::Text;
            begin = begin.min((is_text, rescaled(first)));
            end = end.max((!is_text, rescaled(last)));
            index.declared_chunks = None;
            index.chunks = chunks;
            manifest.streams.push(index);
        }
        manifest.duration = end.1.saturating_sub(begin.1);
        let mut text = manifest.to_xml(layout, limits)?;
        text.shrink_to_fit();
        Ok(Bytes::from(text))
    }

    /// Returns the chunks that are in the clip, with the start of the first one and the end of the last one.
    fn chunks(
        &self,
        chunks: &[Chunk],
        timescale: Timescale,
    ) -> Result<(Vec<Chunk>, Option<Ends>), Error> {
        let (from, to) = self.bounds.ticks(timescale);
        let (mut left, mut times): (Vec<Chunk>, Option<Ends>) = (Vec::new(), None);
        for (chunk, run) in chunks.iter().zip(runs(chunks)) {
            let run = run?;
            let (start, duration) = (run.start, run.duration);
            let ends_after = start.saturating_add(duration) > from;
            // Runs do not go beyond 64 bits.
            let passed = match ends_after {
                true => 0,
                false => (from - start).checked_div(duration).unwrap_or(run.count.get()),
            };
            let before = match to.checked_sub(start) {
                None | Some(0) => 0,
                Some(ticks) => ticks.checked_sub(1).map_or(0, |ticks| {
                    ticks.checked_div(duration).map_or(u64::MAX, |count| count.saturating_add(1))
                }),
            };
            let count = run.count.get().min(before).saturating_sub(passed);
            let Some(count) = NonZeroU64::new(count) else { continue };
            let first = start + passed * duration;
            let (begin, _) = times.unwrap_or((first, 0));
            times = Some((begin, first.saturating_add(duration.saturating_mul(count.get()))));
            left.push(Chunk {
                time: Some(first),
                duration: Some(duration),
                repeat: Some(count).filter(|count| count.get() > 1),
                number: chunk.number.filter(|_| passed == 0),
                details: chunk.details.clone(),
            });
        }
        Ok((left, times))
    }
}
