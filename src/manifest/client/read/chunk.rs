//! Reads `c` and `f`: chunks, and data of their fragments.

use std::num::NonZeroU64;
use std::ops::Range;

use super::{Document, invalid, push, without_space};
use crate::base::Error;
use crate::manifest::client::attribute_value::{set_before_0, set_repeat, set_some};
use crate::manifest::client::{
    Chunk, ChunkDetails, FragmentData, OtherAttributes, other_attributes,
};
use crate::manifest::plain_element::PlainElement;
use crate::manifest::xml::Element;

impl<'t> Document<'t> {
    pub(super) fn chunk(&mut self, element: &Element<'t>) -> Result<(Chunk, Times), Error> {
        let mut chunk = Chunk::default();
        let mut times = Times::default();
        let (mut fragments, mut other) = (Vec::new(), String::new());
        for attribute in element.attributes() {
            let a = self.plain(element, attribute?);
            if self.is_lenient && matches!(a.name, "t" | "d" | "r") && a.value.trim().is_empty() {
                self.take_out(element, &a);
                continue;
            }
            match a.name {
                "t" => times.time = Some(a.span.clone()),
                "d" => times.duration = Some(a.span.clone()),
                _ => {}
            }
            let understood = match a.name {
                "t" if self.is_lenient => {
                    set_some(&mut chunk.time, &a) || set_before_0(&mut chunk.time, &a)
                }
                "t" => set_some(&mut chunk.time, &a),
                "d" => set_some(&mut chunk.duration, &a),
                "r" => set_repeat(&mut chunk.repeat, &a),
                "n" if set_some(&mut chunk.number, &a) => true,
                _ => {
                    other_attributes::push(&mut other, a.name, &a.value);
                    continue;
                }
            };
            if !understood {
                return Err(invalid(element, &format!("`{}` is not a number", a.name)));
            }
        }
        while let Some(child) = self.reader.child()? {
            match child.name() {
                "f" => {
                    let fragment = self.fragment(&child)?;
                    // One that says nothing is none.
                    if fragment != FragmentData::default() {
                        push(&mut fragments, fragment);
                    }
                }
                _ => self.reader.skip()?,
            }
        }
        let details = ChunkDetails { fragments, other: OtherAttributes::of_text(other) };
        chunk.details = (!details.is_empty()).then(|| details.into());
        Ok((chunk, times))
    }

    fn fragment(&mut self, element: &Element<'t>) -> Result<FragmentData, Error> {
        let (mut index, mut size, mut quality) = (None, None, None);
        let mut other = String::new();
        for attribute in element.attributes() {
            let a = attribute?;
            let kept = match a.name {
                "i" => set_some(&mut index, &a),
                "s" => set_some(&mut size, &a),
                "q" => set_some(&mut quality, &a),
                _ => false,
            };
            if !kept {
                other_attributes::push(&mut other, a.name, &a.value);
            }
        }
        let data = without_space(self.reader.text()?);
        let mut fragment = FragmentData::new(&data, &OtherAttributes::of_text(other));
        (fragment.index, fragment.size, fragment.quality) = (index, size, quality);
        Ok(fragment)
    }
}

/// Ranges of the times of a chunk in the text.
#[derive(Default)]
pub(in crate::manifest::client) struct Times {
    pub(in crate::manifest::client) time: Option<Range<usize>>,
    pub(in crate::manifest::client) duration: Option<Range<usize>>,
}

/// A chunk that says a time or a duration and nothing beside numbers that are understood.
pub(super) fn plain_chunk(element: &PlainElement<'_>) -> Option<Chunk> {
    let mut chunk = Chunk::default();
    for (name, value) in element.attributes() {
        match *name {
            "t" => chunk.time = Some(value.parse().ok()?),
            "d" => chunk.duration = Some(value.parse().ok()?),
            "r" => chunk.repeat = NonZeroU64::new(value.parse().ok()?),
            "n" => chunk.number = Some(value.parse().ok()?),
            _ => return None,
        }
    }
    chunk.time.or(chunk.duration).is_some().then_some(chunk)
}

#[cfg(test)]
mod tests {
    use crate::base::Limits;
    use crate::manifest::client::Stored;

    /// Pieces of a stream: chunks of every form, and what may lie between them.
    const PIECES: &[&str] = &[
        r#"<c d="5"/>"#,
        r#"<c t="10" d="5"/>"#,
        "\n\t<c  t=\"7\"\r\n d=\"5\" r=\"3\" />",
        r#"<c n="1" t="20"></c>"#,
        r#"<c n="1" d="4" r="0" t="9"/>"#,
        r#"<c d="5" t="1" n="99999999999"/>"#,
        r#"<c d="99999999999999999999"/>"#,
        r#"<c d="5" d="5"/>"#,
        r#"<c d=""/>"#,
        r#"<c d=" 5"/>"#,
        r#"<c d="5"n="1"/>"#,
        r#"<c d="&#53;"/>"#,
        r#"<c d="5" x="y" é="1"/>"#,
        r#"<c t="1" d="2" n="3" r="4" x="5"/>"#,
        "<c/>",
        r#"<c n="4"/>"#,
        r#"<cc d="5"/>"#,
        r#"<f i="1"/>"#,
        r#"<QualityLevel Bitrate="5"/>"#,
        r#"<c d="5"><f s="1"/></c>"#,
        "<!-- <c d=\"5\"/> -->",
        "text",
        "<c d=\"5\"",
        "</StreamIndex>",
        "<StreamIndex Type=\"audio\"/>",
    ];

    /// All that reading gives. Plain chunks have double quotes: with single ones, the library reads
    /// them all.
    fn read(pieces: &[&str], quote: &str) -> Result<String, String> {
        let text = format!(
            "<SmoothStreamingMedia><StreamIndex Type=\"video\">{}</StreamIndex></SmoothStreamingMedia>",
            pieces.concat()
        );
        let text = text.replace('"', quote);
        let limits = Limits { xml_depth: 4, ..Limits::default() };
        let stored = Stored::parse(text.as_bytes(), &limits).map_err(|error| error.to_string())?;
        Ok(format!("{:?} {:?}", stored.manifest, stored.spans))
    }

    proptest::proptest! {
        #[test]
        fn plain_chunks_are_what_the_library_reads_of_them(
            pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..9),
        ) {
            proptest::prop_assert_eq!(read(&pieces, "\""), read(&pieces, "'"));
        }
    }
}
