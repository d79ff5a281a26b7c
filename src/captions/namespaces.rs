//! Namespaces of a TTML document.

use crate::base::{Error, Limits};
use crate::manifest::Element;

/// The vocabulary that a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// Elements of TTML.
    Content,
    /// Attributes `ttp:…`.
    Parameter,
    /// Attributes `tts:…`.
    Style,
    /// SMPTE-TT (SMPTE ST 2052-1), which has images.
    Smpte,
    /// Attributes `xml:…`.
    Xml,
    /// No namespace.
    None,
    /// Any other.
    Other,
}

/// Declarations of namespaces that may be in force at one place.
const IN_SCOPE: usize = 64;

/// The namespaces that are in force, by prefix.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    /// Depth of the element, prefix, namespace; the innermost last.
    scopes: Vec<(usize, String, Namespace)>,
}

impl Namespaces {
    /// Enters an element at a depth and adds its declarations.
    ///
    /// # Errors
    /// An [`Error`] in the element if its attributes are not well-formed, or if too many declarations
    /// are in force.
    pub(super) fn enter(&mut self, element: &Element<'_>, depth: usize) -> Result<(), Error> {
        for attribute in element.attributes() {
            let attribute = attribute?;
            let prefix = match attribute.name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) => match rest.strip_prefix(':') {
                    Some(prefix) => prefix,
                    None => continue,
                },
                None => continue,
            };
            let namespace = Namespace::of_uri(&attribute.value);
            self.scopes.push((depth, prefix.to_owned(), namespace));
            Limits::check("namespaces in force", self.scopes.len() as u64, IN_SCOPE as u64)
                .map_err(|kind| element.failure(kind))?;
        }
        Ok(())
    }

    /// Leaves all elements at this depth and deeper.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.scopes.last().is_some_and(|(at, ..)| *at >= depth) {
            self.scopes.pop();
        }
    }

    pub(super) fn of_element(&self, element: &Element<'_>) -> Namespace {
        match self.declared(element.prefix()) {
            Some(namespace) => namespace,
            // Documents without any declaration mean TTML.
            None if element.prefix().is_empty() => Namespace::Content,
            None => Namespace::by_custom(element.prefix()),
        }
    }

    /// Returns the namespace and the local name of an attribute.
    pub(super) fn of_attribute<'n>(&self, name: &'n str) -> (Namespace, &'n str) {
        match name.split_once(':') {
            // The default namespace does not apply to attributes.
            None => (Namespace::None, name),
            Some((prefix, local)) => {
                let namespace = self.declared(prefix);
                (namespace.unwrap_or_else(|| Namespace::by_custom(prefix)), local)
            }
        }
    }

    fn declared(&self, prefix: &str) -> Option<Namespace> {
        let found = self.scopes.iter().rev().find(|(_, declared, _)| declared == prefix);
        found.map(|(_, _, namespace)| *namespace)
    }
}

impl Namespace {
    /// TTML has been in four namespaces: two drafts and a candidate of 2006, and the Recommendation.
    fn of_uri(uri: &str) -> Self {
        let uri = uri.trim();
        if uri.is_empty() {
            return Self::None;
        }
        if uri == "http://www.w3.org/XML/1998/namespace" {
            return Self::Xml;
        }
        if uri.starts_with("http://www.smpte-ra.org/") {
            return Self::Smpte;
        }
        let Some(path) = uri.strip_prefix("http://www.w3.org/") else { return Self::Other };
        let (path, part) = path.split_once('#').unwrap_or((path, ""));
        if !matches!(path, "ns/ttml" | "2006/10/ttaf1" | "2006/04/ttaf1" | "2006/ttaf1") {
            return Self::Other;
        }
        match part {
            "" => Self::Content,
            "parameter" => Self::Parameter,
            "style" | "styling" => Self::Style,
            _ => Self::Other,
        }
    }

    /// A prefix that is used and not declared means what it usually does.
    fn by_custom(prefix: &str) -> Self {
        match prefix {
            "tt" => Self::Content,
            "ttp" => Self::Parameter,
            "tts" => Self::Style,
            "smpte" => Self::Smpte,
            "xml" => Self::Xml,
            _ => Self::Other,
        }
    }
}
