//! Elements of XML, as a reader that is not the crate's sees them.

use std::collections::BTreeMap;

use encoding_rs::Encoding;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// An element with all that is in it.
#[derive(Clone, Debug, Default)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// Reads the root of a document in UTF-8, or in UTF-16 with a byte order mark.
    pub fn parse(document: &[u8]) -> Self {
        let encoding = Encoding::for_bom(document).map_or(encoding_rs::UTF_8, |(found, _)| found);
        let (text, _, is_broken) = encoding.decode(document);
        assert!(!is_broken);
        let mut reader = Reader::from_str(&text);
        let mut open = vec![Self::default()];
        loop {
            let close = |open: &mut Vec<Self>| {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().children.push(done);
            };
            match reader.read_event().unwrap() {
                Event::Start(start) => open.push(Self::begin(&start)),
                Event::Empty(start) => {
                    open.push(Self::begin(&start));
                    close(&mut open);
                }
                Event::End(_) => close(&mut open),
                Event::Text(text) => open.last_mut().unwrap().text += &text,
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(open.len(), 1, "all elements are closed");
        open.remove(0).children.remove(0)
    }

    fn begin(start: &BytesStart<'_>) -> Self {
        let name = start.name().as_ref().to_owned();
        let attributes = start.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let key = attribute.key.as_ref().to_owned();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap();
            (key, value.into_owned())
        });
        Self { attributes: attributes.collect(), name, ..Self::default() }
    }

    /// Returns the value of an attribute.
    pub fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(String::as_str)
    }

    /// Returns the value of an attribute as a number.
    pub fn number(&self, attribute: &str) -> Option<u64> {
        self.get(attribute).map(|value| value.parse().unwrap())
    }

    /// Returns the elements of this name directly below.
    pub fn each(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the only element of this name directly below.
    pub fn one(&self, name: &str) -> &Self {
        let found: Vec<_> = self.each(name).collect();
        assert_eq!(found.len(), 1, "{name} in {}", self.name);
        found[0]
    }
}
