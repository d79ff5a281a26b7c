//! Reads a TTML document of a whole film into parts that can be put together again.

use super::attributes::Attributes;
use super::length::Units;
use super::loss::{Loss, LossKind, Losses};
use super::namespaces::{Namespace, Namespaces};
use super::time_expression::Clock;
use super::timing::Timing;
use super::whole_content::{Content, Node, Paragraph, escape};
use crate::base::{Error, Limits, Timescale};
use crate::manifest::{Decoded, Element, Part, Reader};

/// A document that is being read.
pub(super) struct WholeReading<'t> {
    text: &'t str,
    reader: Reader<'t>,
    limits: &'t Limits,
    names: Namespaces,
    clock: Clock,
    losses: Losses,
    content: Content,
}

/// An element of the body whose content is being read.
struct Frame {
    timing: Timing,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The body, or the container of this number.
    Container(Option<usize>),
    /// A paragraph, and the number of its first node.
    Paragraph(usize),
    /// An element of a paragraph that has text.
    Span,
    /// An element of a paragraph that has a meaning of its own, such as `metadata` or `set`.
    Other,
}

/// Parameters of the root that would give the written times another meaning.
const DROPPED: [&str; 4] = ["timeBase", "dropMode", "markerMode", "clockMode"];

/// Namespaces that are written in place of those of the drafts.
const DRAFTS: [&str; 3] = ["2006/10/ttaf1", "2006/04/ttaf1", "2006/ttaf1"];

impl WholeReading<'_> {
    pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<(Content, Vec<Loss>), Error> {
        Limits::check("bytes of a TTML document", bytes.len() as u64, limits.caption_document)?;
        let decoded = Decoded::new(bytes)?;
        let text = of_recommendation(&decoded.text);
        let text = text.as_deref().unwrap_or(&decoded.text);
        let mut reading = WholeReading {
            text,
            reader: Reader::new(text, limits)?,
            limits,
            names: Namespaces::default(),
            clock: Clock::default(),
            losses: Losses::default(),
            content: Content::default(),
        };
        reading.document()?;
        reading.reader.finish()?;
        Ok((reading.content, reading.losses.into_list()))
    }

    fn document(&mut self) -> Result<(), Error> {
        let root = self.reader.root("tt")?;
        self.names.enter(&root, 0)?;
        if self.names.of_element(&root) != Namespace::Content {
            return Err(root.error("the root is not in a namespace of TTML"));
        }
        let tag = self.root(&root)?;
        let body =
            if root.prefix().is_empty() { "body" } else { &format!("{}:body", root.prefix()) };
        let start = self.reader.position();
        let (mut end, mut body_tag) = (start, None);
        loop {
            match self.reader.part()? {
                Part::Text(_) => {}
                Part::End => break,
                Part::Start(element) => {
                    self.names.enter(&element, 1)?;
                    let is_body = element.name() == "body"
                        && self.names.of_element(&element) == Namespace::Content;
                    if is_body && body_tag.is_none() {
                        body_tag = Some(self.tag(&element)?);
                        self.body(&element)?;
                    } else {
                        self.reader.skip()?;
                        end = if body_tag.is_none() { self.reader.position() } else { end };
                    }
                    self.names.leave(1);
                }
            }
        }
        let head = self.text.get(start..end).unwrap_or_default();
        let body_tag = body_tag.unwrap_or_else(|| body.to_owned());
        let name = |tag: &str| tag.split(' ').next().unwrap_or_default().to_owned();
        self.content.front = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<{tag}>{}<{body_tag}>",
            head.trim()
        );
        self.content.back = format!("</{}></{}>\n", name(&body_tag), name(&tag));
        Ok(())
    }

    /// Reads the parameters of the root, and returns its tag.
    fn root(&mut self, root: &Element<'_>) -> Result<String, Error> {
        let mut tag = full_name(root);
        let mut declared = Vec::new();
        for attribute in root.attributes() {
            let attribute = attribute?;
            let (namespace, name) = self.names.of_attribute(attribute.name);
            match (namespace, name) {
                (Namespace::Parameter, name) => {
                    if self.clock.set(name, &attribute.value).is_none() {
                        self.losses.note(LossKind::Time, self.text, root.start);
                    }
                    if DROPPED.contains(&name) {
                        continue;
                    }
                }
                (Namespace::Xml, "lang") => {
                    let language = attribute.value.trim();
                    self.content.language = Some(language.to_owned()).filter(|l| !l.is_empty());
                }
                _ => {}
            }
            declared.push(attribute.name.to_owned());
            put(&mut tag, attribute.name, &attribute.value);
        }
        // Documents without declarations mean what is usual.
        for (name, uri, is_used) in [
            ("xmlns", "http://www.w3.org/ns/ttml", root.prefix().is_empty()),
            ("xmlns:tts", "http://www.w3.org/ns/ttml#styling", self.text.contains("tts:")),
            ("xmlns:ttp", "http://www.w3.org/ns/ttml#parameter", self.text.contains("ttp:")),
        ] {
            if is_used && !declared.iter().any(|declared| declared == name) {
                put(&mut tag, name, uri);
            }
        }
        Ok(tag)
    }

    /// Returns the tag of an element without its times.
    fn tag(&self, element: &Element<'_>) -> Result<String, Error> {
        let mut tag = full_name(element);
        for attribute in element.attributes() {
            let attribute = attribute?;
            let is_time = matches!(
                self.names.of_attribute(attribute.name),
                (Namespace::None, "begin" | "end" | "dur" | "timeContainer")
            );
            if !is_time {
                put(&mut tag, attribute.name, &attribute.value);
            }
        }
        Ok(tag)
    }

    /// Reads the body: the frames are its open elements, the innermost last.
    fn body(&mut self, body: &Element<'_>) -> Result<(), Error> {
        let timing = self.timing(&Timing::of_document(), body)?;
        let mut frames = vec![Frame { timing, kind: Kind::Container(None) }];
        loop {
            let depth = frames.len() + 1;
            let Some(frame) = frames.last_mut() else { return Ok(()) };
            match self.reader.part()? {
                Part::Text(text) => {
                    if !matches!(frame.kind, Kind::Container(_)) && !text.is_empty() {
                        if frame.kind != Kind::Other && !text.trim_ascii().is_empty() {
                            frame.timing.add_text();
                        }
                        self.add(Node::Text(text.into_owned()))?;
                    }
                }
                Part::End => {
                    let Frame { timing, kind } = *frame;
                    frames.pop();
                    self.names.leave(depth - 1);
                    if !matches!(kind, Kind::Container(_)) {
                        self.add(Node::Close)?;
                    }
                    let Some(parent) = frames.last_mut() else { continue };
                    if kind != Kind::Other {
                        parent.timing.add_child(&timing);
                    }
                    if let (Kind::Paragraph(first), Kind::Container(container)) =
                        (kind, parent.kind)
                    {
                        self.paragraph(first, container, timing);
                    }
                }
                Part::Start(element) => {
                    self.names.enter(&element, depth)?;
                    match self.frame(&element, frame)? {
                        Some(child) => frames.push(child),
                        None => {
                            self.reader.skip()?;
                            self.names.leave(depth);
                        }
                    }
                }
            }
        }
    }

    /// Begins an element; returns `None` if it is left out.
    fn frame(&mut self, element: &Element<'_>, parent: &Frame) -> Result<Option<Frame>, Error> {
        let is_content = self.names.of_element(element) == Namespace::Content;
        let name = element.name().to_owned();
        let kind = match (parent.kind, &*name) {
            (Kind::Container(around), "div") if is_content => {
                let tag = self.tag(element)?;
                self.check(self.content.containers.len())?;
                self.content.containers.push((tag, around));
                Kind::Container(Some(self.content.containers.len() - 1))
            }
            (Kind::Container(_), "p") if is_content => Kind::Paragraph(self.content.nodes.len()),
            (Kind::Container(_), _) => {
                if is_content && matches!(&*name, "set" | "animate") {
                    self.losses.note(LossKind::Animation, self.text, element.start);
                }
                return Ok(None);
            }
            (_, "span") if is_content => Kind::Span,
            _ => Kind::Other,
        };
        let is_timed = is_content && matches!(&*name, "div" | "p" | "span" | "set" | "animate");
        let timing = match is_timed {
            true => self.timing(&parent.timing, element)?,
            false => parent.timing,
        };
        if !matches!(kind, Kind::Container(_)) {
            let times = is_timed.then(|| times(&timing));
            let tag = self.tag(element)?;
            self.add(Node::Open(tag, times))?;
        }
        Ok(Some(Frame { timing, kind }))
    }

    fn timing(&mut self, parent: &Timing, element: &Element<'_>) -> Result<Timing, Error> {
        let attributes = Attributes::read(element, &self.names, &Units::default())?;
        let (timing, are_times_read) = parent.child(&attributes, &self.clock);
        if !are_times_read {
            self.losses.note(LossKind::Time, self.text, element.start);
        }
        if attributes.lost.contains(&LossKind::Image) {
            self.losses.note(LossKind::Image, self.text, element.start);
        }
        Ok(timing)
    }

    /// Ends a paragraph, whose nodes are forgotten if it is never shown or shows nothing.
    fn paragraph(&mut self, first: usize, container: Option<usize>, timing: Timing) {
        let (begin, end) = times(&timing);
        let nodes = &self.content.nodes[first..];
        let is_text = |node: &Node| matches!(node, Node::Text(text) if !text.trim().is_empty());
        if begin < end && nodes.iter().any(is_text) {
            let nodes = (first, self.content.nodes.len());
            self.content.paragraphs.push(Paragraph { begin, end, container, nodes });
        } else {
            self.content.nodes.truncate(first);
        }
    }

    fn add(&mut self, node: Node) -> Result<(), Error> {
        if let (Some(Node::Text(before)), Node::Text(text)) = (self.content.nodes.last_mut(), &node)
        {
            // References divide a text.
            before.push_str(text);
            return Ok(());
        }
        self.check(self.content.nodes.len())?;
        self.content.nodes.push(node);
        Ok(())
    }

    fn check(&self, count: usize) -> Result<(), Error> {
        let limit = self.limits.caption_texts as u64;
        Limits::check("texts of a TTML document", count as u64 + 1, limit)?;
        Ok(())
    }
}

/// Returns begin and end in units of 100 ns; an empty span for what is never shown.
fn times(timing: &Timing) -> (u64, u64) {
    let Some((begin, end)) = timing.shown() else { return (0, 0) };
    let begin = begin.to_ticks(Timescale::SMOOTH).unwrap_or(u64::MAX);
    let end = end.map_or(u64::MAX, |end| end.to_ticks(Timescale::SMOOTH).unwrap_or(u64::MAX));
    (begin, end)
}

/// Returns the document with the namespaces of the Recommendation, if it has those of a draft.
fn of_recommendation(text: &str) -> Option<String> {
    if !DRAFTS.iter().any(|draft| text.contains(draft)) {
        return None;
    }
    let mut text = text.to_owned();
    for draft in DRAFTS {
        let (draft, now) = (format!("http://www.w3.org/{draft}"), "http://www.w3.org/ns/ttml");
        for quote in ['"', '\''] {
            text = text.replace(&format!("{draft}#style{quote}"), &format!("{now}#styling{quote}"));
        }
        text = text.replace(&draft, now);
    }
    Some(text)
}

fn full_name(element: &Element<'_>) -> String {
    match element.prefix() {
        "" => element.name().to_owned(),
        prefix => format!("{prefix}:{}", element.name()),
    }
}

fn put(tag: &mut String, name: &str, value: &str) {
    tag.extend([" ", name, "=\""]);
    escape(value, tag);
    tag.push('"');
}
