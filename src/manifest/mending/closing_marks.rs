//! The marks that close comments, CDATA sections, document types and instructions.

use memchr::memmem;

/// A mark that closes a part of a document.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    Comment,
    CData,
    DocumentType,
    /// The mark of a document type with an internal subset.
    Subset,
    Instruction,
}

impl Mark {
    const COUNT: usize = 5;

    fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "-->",
            Self::CData => "]]>",
            Self::DocumentType => ">",
            Self::Subset => "]>",
            Self::Instruction => "?>",
        }
    }
}

/// Finds closing marks from ascending positions. A part of the text is searched once per kind of
/// mark, also if the mark does not follow: a document may have a million comments that never close.
pub(super) struct ClosingMarks<'t> {
    text: &'t str,
    /// Per kind, the position where the last search began and the position of the mark it found.
    last: [Option<(usize, Option<usize>)>; Mark::COUNT],
    /// Number of bytes that were searched.
    pub(super) searched: usize,
}

impl<'t> ClosingMarks<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, last: [None; Mark::COUNT], searched: 0 }
    }

    /// Returns the position behind the first mark of a kind at or after `from`.
    pub(super) fn end(&mut self, mark: Mark, from: usize) -> Option<usize> {
        let sought = mark.as_str();
        let at = match self.last[mark as usize] {
            Some((begin, at)) if begin <= from && at.is_none_or(|at| from <= at) => at,
            _ => {
                let rest = self.text.as_bytes().get(from..)?;
                let at = memmem::find(rest, sought.as_bytes());
                self.searched += at.map_or(rest.len(), |at| at + sought.len());
                let at = at.map(|at| from + at);
                self.last[mark as usize] = Some((from, at));
                at
            }
        };
        at.map(|at| at + sought.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_and_each_byte_is_searched_once() {
        let text = "<!-- --> ]]> -->".repeat(100) + &"<!--".repeat(1000);
        let mut marks = ClosingMarks::new(&text);
        for from in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
            let end = text[from..].find("-->").map(|at| from + at + 3);
            assert_eq!(marks.end(Mark::Comment, from), end);
            let end = text[from..].find("]]>").map(|at| from + at + 3);
            assert_eq!(marks.end(Mark::CData, from), end);
        }
        assert!(marks.searched <= 4 * text.len(), "{} of {}", marks.searched, text.len());
    }
}
