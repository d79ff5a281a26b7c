//! Parts of a TTML document of a whole film.

/// Content of a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// Everything up to the start of the body, with its tag.
    pub(super) front: String,
    /// The end tags of body and root.
    pub(super) back: String,
    pub(super) language: Option<String>,
    /// Elements around paragraphs within the body: tag without brackets, and number of the one around it.
    pub(super) containers: Vec<(String, Option<usize>)>,
    /// By begin.
    pub(super) paragraphs: Vec<Paragraph>,
    pub(super) nodes: Vec<Node>,
}

/// A paragraph, which is shown from `begin` to `end` in units of 100 ns.
#[derive(Clone, Debug)]
pub(super) struct Paragraph {
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) container: Option<usize>,
    /// First node, and the one behind the last. They are in the order of the document.
    pub(super) nodes: (usize, usize),
}

/// A part of a paragraph, the paragraph itself included.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// The tag without brackets, and the times of what is timed.
    Open(String, Option<(u64, u64)>),
    /// Unescaped.
    Text(String),
    Close,
}

/// Writes text of XML, for content and for attributes.
pub(super) fn escape(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\r' => into.push_str("&#13;"),
            _ => into.push(character),
        }
    }
}
