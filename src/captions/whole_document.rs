//! A TTML document of a whole film, which is cut into documents of chunks.

use super::loss::Loss;
use super::time_base::{TimeBase, Window};
use super::ttml::Time;
use super::whole_content::{Content, Node, Paragraph, escape};
use super::whole_reading::WholeReading;
use crate::base::{Error, Limits, Timescale};

/// A TTML document of a whole film. [`cut`](Self::cut) makes the document of a chunk: all of the root and
/// the head, and the paragraphs that are shown during the chunk.
///
/// Times become clock times with milliseconds, whatever they were, and the namespaces of 2006
/// become that of the Recommendation, because few players know others. Metadata of the body is left out.
///
/// ```
/// use smooth_origin::base::{Limits, Timescale};
/// use smooth_origin::captions::{TimeBase, WholeDocument, Window};
///
/// let ttml = br#"<tt xmlns="http://www.w3.org/ns/ttml"><body><div>
///     <p begin="1s" end="5s">Fish</p><p begin="6s" end="7s">Chips</p>
/// </div></body></tt>"#;
/// let limits = Limits::default();
/// let document = WholeDocument::parse(ttml, &limits)?;
/// let chunk = Window { timescale: Timescale::SMOOTH, start: 40_000_000, duration: 20_000_000 };
/// let text = document.cut(TimeBase::Fragment, &chunk, &limits)?;
/// assert!(text.contains(r#"<p begin="00:00:00.000" end="00:00:01.000">Fish</p>"#));
/// assert!(!text.contains("Chips"));
/// # Ok::<(), smooth_origin::Error>(())
/// ```
///
/// Spec: W3C TTML1; ISO/IEC 14496-30, 5.
#[derive(Clone, Debug)]
pub struct WholeDocument {
    content: Content,
    losses: Vec<Loss>,
    /// The latest end among the paragraphs up to each.
    latest: Vec<u64>,
}

impl WholeDocument {
    /// Reads the bytes of a document in UTF-8, UTF-16 or the encoding that it declares.
    ///
    /// # Errors
    /// - [`ErrorKind::Xml`](crate::base::ErrorKind::Xml) as
    ///   [`Document::parse`](super::Document::parse).
    /// - [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) beyond [`Limits::caption_document`],
    ///   [`Limits::caption_texts`], [`Limits::xml_depth`] or [`Limits::xml_attributes`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        let (mut content, losses) = WholeReading::read(bytes, limits)?;
        content.paragraphs.sort_by_key(|paragraph| paragraph.begin);
        let latest = content.paragraphs.iter().scan(0, |latest, paragraph| {
            *latest = paragraph.end.max(*latest);
            Some(*latest)
        });
        let latest = latest.collect();
        Ok(Self { content, losses, latest })
    }

    /// Returns the language of the document (`xml:lang`), unless it is empty.
    pub fn language(&self) -> Option<&str> {
        self.content.language.as_deref()
    }

    /// Returns the parts of the document that chunks do not have: one entry per kind.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Returns the number of paragraphs that begin at this time or later, in units of 100 ns.
    pub fn begin_from(&self, time: u64) -> usize {
        let paragraphs = &self.content.paragraphs;
        paragraphs.len() - paragraphs.partition_point(|paragraph| paragraph.begin < time)
    }

    /// Returns the number of paragraphs that are shown at some time.
    pub fn len(&self) -> usize {
        self.content.paragraphs.len()
    }

    /// Writes the document of a window. Times count from `base` and are within the window; what is shorter
    /// than a millisecond is left out.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if it exceeds
    /// [`Limits::caption_document`].
    pub fn cut(&self, base: TimeBase, window: &Window, limits: &Limits) -> Result<String, Error> {
        let ticks = |ticks| window.timescale.rescale_round(ticks, Timescale::SMOOTH);
        let [start, end] = [window.start, window.end()].map(|t| ticks(t).unwrap_or(u64::MAX));
        let origin = if base == TimeBase::Fragment { start } else { 0 };
        let content = &self.content;
        let first = self.latest.partition_point(|&latest| latest <= start);
        let last = content.paragraphs.partition_point(|paragraph| paragraph.begin < end);
        let shown = content.paragraphs.get(first..last).unwrap_or_default().iter();
        let mut shown: Vec<&Paragraph> = shown.filter(|paragraph| paragraph.end > start).collect();
        shown.sort_by_key(|paragraph| paragraph.nodes);
        let mut written = Written { text: content.front.clone(), span: (start, end), origin };
        let mut open = Vec::new();
        for paragraph in shown {
            let Paragraph { begin, end, container, nodes } = paragraph;
            if written.clipped((*begin, *end)).is_some() {
                written.enter(&content.containers, &mut open, *container);
                written.nodes(content.nodes.get(nodes.0..nodes.1).unwrap_or_default());
            }
            let len = written.text.len() as u64;
            Limits::check("bytes of a TTML document", len, limits.caption_document)?;
        }
        written.enter(&content.containers, &mut open, None);
        written.text.push_str(&content.back);
        Ok(written.text)
    }
}

/// A document that is being written.
struct Written {
    text: String,
    span: (u64, u64),
    /// The time that is written as 0.
    origin: u64,
}

impl Written {
    /// Returns times within the document's span; `None` if nothing of a millisecond is left.
    fn clipped(&self, (begin, end): (u64, u64)) -> Option<(u64, u64)> {
        let clipped = (begin.max(self.span.0), end.min(self.span.1));
        (self.ms(clipped.0) < self.ms(clipped.1)).then_some(clipped)
    }

    /// Returns milliseconds from the origin. Both are rounded by themselves, so that a reader who adds the
    /// origin again and rounds has the rounded time.
    fn ms(&self, time: u64) -> u64 {
        let rounded = |time: u64| time / 10_000 + u64::from(time % 10_000 >= 5_000);
        rounded(time).saturating_sub(rounded(self.origin))
    }

    /// Leaves and enters containers until this one is the innermost.
    fn enter(
        &mut self,
        containers: &[(String, Option<usize>)],
        open: &mut Vec<usize>,
        wanted: Option<usize>,
    ) {
        let around = |number: &usize| containers.get(*number).and_then(|(_, around)| *around);
        let mut path: Vec<usize> = std::iter::successors(wanted, around).collect();
        path.reverse();
        let kept = open.iter().zip(&path).take_while(|(open, wanted)| open == wanted).count();
        for number in open.drain(kept..).rev() {
            self.close(&containers[number].0);
        }
        for &number in &path[kept..] {
            self.text.extend(["<", &containers[number].0, ">"]);
            open.push(number);
        }
    }

    fn close(&mut self, tag: &str) {
        let name = tag.split(' ').next().unwrap_or_default();
        self.text.extend(["</", name, ">"]);
    }

    fn nodes(&mut self, nodes: &[Node]) {
        // Tags and times of what is open; elements that are left out, which are inside one another.
        let mut open: Vec<(&str, (u64, u64))> = Vec::new();
        let mut left_out = 0_usize;
        let mut nodes = nodes.iter().peekable();
        while let Some(node) = nodes.next() {
            match node {
                Node::Open(..) if left_out > 0 => left_out += 1,
                Node::Open(tag, times) => {
                    let around = open.last().map(|(_, times)| *times);
                    let times = match times {
                        None => around,
                        Some(times) => self.clipped(within(*times, around)),
                    };
                    let Some(times) = times else {
                        left_out = 1;
                        continue;
                    };
                    self.text.extend(["<", tag]);
                    if around != Some(times) {
                        let from = around.map_or(0, |(begin, _)| self.ms(begin));
                        let [begin, end] = [times.0, times.1].map(|t| Time(self.ms(t) - from));
                        self.text.push_str(&format!(" begin=\"{begin}\" end=\"{end}\""));
                    }
                    if nodes.next_if(|next| matches!(next, Node::Close)).is_some() {
                        self.text.push_str("/>");
                    } else {
                        self.text.push('>');
                        open.push((tag, times));
                    }
                }
                Node::Text(_) if left_out > 0 => {}
                Node::Text(text) => escape(text, &mut self.text),
                Node::Close if left_out > 0 => left_out -= 1,
                Node::Close => {
                    if let Some((tag, _)) = open.pop() {
                        self.close(tag);
                    }
                }
            }
        }
    }
}

/// Returns times within those of the element around.
fn within(times: (u64, u64), around: Option<(u64, u64)>) -> (u64, u64) {
    around.map_or(times, |around| (times.0.max(around.0), times.1.min(around.1)))
}
