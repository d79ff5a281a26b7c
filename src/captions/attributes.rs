//! Attributes of an element of TTML.

use super::length::Units;
use super::loss::LossKind;
use super::namespaces::{Namespace, Namespaces};
use super::style::Style;
use crate::base::Error;
use crate::manifest::Element;

/// Attributes that matter for captions.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) id: Option<String>,
    pub(super) begin: Option<String>,
    pub(super) end: Option<String>,
    pub(super) duration: Option<String>,
    /// Value of `timeContainer`: `true` for `seq`.
    pub(super) is_sequence: bool,
    pub(super) region: Option<String>,
    /// Names of styles.
    pub(super) styles: String,
    /// Properties of the element itself.
    pub(super) style: Style,
    pub(super) is_space_preserved: Option<bool>,
    /// Properties that cannot be kept.
    pub(super) lost: Vec<LossKind>,
}

impl Attributes {
    pub(super) fn read(
        element: &Element<'_>,
        names: &Namespaces,
        units: &Units,
    ) -> Result<Self, Error> {
        let mut read = Self::default();
        for attribute in element.attributes() {
            let attribute = attribute?;
            let value = &*attribute.value;
            match names.of_attribute(attribute.name) {
                (Namespace::None | Namespace::Xml, "id") => read.id = Some(value.into()),
                (Namespace::Xml, "space") => read.is_space_preserved = Some(value == "preserve"),
                (Namespace::None, "begin") => read.begin = Some(value.into()),
                (Namespace::None, "end") => read.end = Some(value.into()),
                (Namespace::None, "dur") => read.duration = Some(value.into()),
                (Namespace::None, "timeContainer") => read.is_sequence = value.trim() == "seq",
                (Namespace::None, "region") => read.region = Some(value.trim().into()),
                (Namespace::None, "style") => read.styles = value.into(),
                (Namespace::Style, name) => read.lost.extend(read.style.set(name, value, units)),
                (Namespace::Smpte, "backgroundImage") => read.lost.push(LossKind::Image),
                _ => {}
            }
        }
        Ok(read)
    }
}
