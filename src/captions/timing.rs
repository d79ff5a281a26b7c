//! Times of elements that are inside one another.

use super::attributes::Attributes;
use super::seconds::Seconds;
use super::time_expression::Clock;

/// The time of an element whose content is being read.
///
/// Spec: TTML1, 10.2 and 10.4; SMIL 2.1, 10.4.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// `None` if the element never begins.
    begin: Option<Seconds>,
    /// The end that it states itself or that an element around it has; `None` if there is none.
    end: Option<Seconds>,
    has_own_end: bool,
    is_sequence: bool,
    /// End of the content so far: of the last child in a sequence, else of the child that ends last. `None`
    /// if the content does not end by itself.
    content_end: Option<Seconds>,
}

impl Timing {
    /// Returns the time of the document, which has no end.
    pub(super) fn of_document() -> Self {
        Self {
            begin: Some(Seconds::ZERO),
            end: None,
            has_own_end: false,
            is_sequence: false,
            content_end: Some(Seconds::ZERO),
        }
    }

    /// Returns the time of a child that begins now, and whether its attributes could be read.
    pub(super) fn child(&self, attributes: &Attributes, clock: &Clock) -> (Self, bool) {
        let mut are_read = true;
        let mut read = |expression: &Option<String>| {
            let time = clock.read(expression.as_deref()?);
            are_read &= time.is_some();
            Some(time)
        };
        let begin = read(&attributes.begin);
        let end = read(&attributes.end).flatten();
        let duration = read(&attributes.duration).flatten();
        // A child of a sequence begins when the one before it ends, which may be never.
        let reference = if self.is_sequence { self.content_end } else { self.begin };
        let begin = match begin {
            None => reference,
            Some(begin) => {
                reference.zip(begin).and_then(|(reference, begin)| reference.plus(begin))
            }
        };
        let end = reference.zip(end).and_then(|(reference, end)| reference.plus(end));
        let duration = begin.zip(duration).and_then(|(begin, duration)| begin.plus(duration));
        let own_end = earlier(end, duration);
        let timing = Self {
            begin,
            end: earlier(own_end, self.end),
            has_own_end: own_end.is_some(),
            is_sequence: attributes.is_sequence,
            content_end: begin,
        };
        (timing, are_read)
    }

    /// Text has no end of its own; in a sequence, it takes no time.
    pub(super) fn add_text(&mut self) {
        if !self.is_sequence {
            self.content_end = None;
        }
    }

    /// Adds a child that was read to its end.
    pub(super) fn add_child(&mut self, child: &Self) {
        let end = if child.has_own_end { child.end } else { earlier(child.content_end, child.end) };
        self.content_end = match (self.content_end, end) {
            (_, end) if self.is_sequence => end,
            (Some(latest), Some(end)) => Some(latest.max(end)),
            _ => None,
        };
    }

    /// Returns begin and end of text inside, if it is ever shown.
    pub(super) fn shown(&self) -> Option<(Seconds, Option<Seconds>)> {
        let begin = self.begin?;
        self.end.is_none_or(|end| begin < end).then_some((begin, self.end))
    }
}

/// Returns the earlier of two ends; `None` is no end.
fn earlier(a: Option<Seconds>, b: Option<Seconds>) -> Option<Seconds> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
