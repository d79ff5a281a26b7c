//! The URLs that an MPD stands for.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use crate::listing::{Listing, Unknown};

/// An Adaptation Set, as far as it was read.
#[derive(Default)]
struct Set {
    initialization: Option<String>,
    media: Option<String>,
    times: Vec<u64>,
    /// Time after the last segment.
    next: u64,
    representations: Vec<String>,
}

/// Adds what an MPD names by templates with times.
///
/// # Errors
/// If it is no such MPD, or names something else than segments and headers.
pub(crate) fn list(text: &str, listing: &mut Listing) -> Result<(), Unknown> {
    let unreadable = || Unknown(String::new());
    let mut reader = Reader::from_str(text);
    let mut set = Set::default();
    loop {
        match reader.read_event().map_err(|_| unreadable())? {
            Event::Start(element) | Event::Empty(element) => {
                set.read(&element).ok_or_else(unreadable)?;
            }
            Event::End(element) if element.name().as_ref() == "AdaptationSet" => {
                std::mem::take(&mut set).add_to(listing)?;
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

impl Set {
    /// Reads an element of an Adaptation Set. `None` if it is not as it must be.
    fn read(&mut self, element: &BytesStart<'_>) -> Option<()> {
        match element.name().as_ref() {
            "AdaptationSet" => *self = Self::default(),
            "SegmentTemplate" => {
                self.initialization = attribute(element, "initialization")?;
                self.media = attribute(element, "media")?;
            }
            "S" => {
                let number = |name| match attribute(element, name)? {
                    Some(value) => value.parse().ok().map(Some),
                    None => Some(None),
                };
                let duration: u64 = number("d")??;
                let repeats = number("r")?.unwrap_or(0);
                self.next = number("t")?.unwrap_or(self.next);
                for _ in 0..=repeats {
                    self.times.push(self.next);
                    self.next = self.next.checked_add(duration)?;
                }
            }
            "Representation" => self.representations.push(attribute(element, "id")??),
            _ => {}
        }
        Some(())
    }

    fn add_to(self, listing: &mut Listing) -> Result<(), Unknown> {
        for id in &self.representations {
            let named = |template: &str| template.replace("$RepresentationID$", id);
            if let Some(template) = &self.initialization {
                listing.add(&named(template))?;
            }
            let Some(template) = self.media.as_deref().map(named) else { continue };
            for time in &self.times {
                listing.add(&template.replace("$Time$", &time.to_string()))?;
            }
        }
        Ok(())
    }
}

/// Returns the value of an attribute, `Some(None)` if there is none, and `None` if it is damaged.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<Option<String>> {
    match element.try_get_attribute(name).ok()? {
        Some(found) => {
            let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
            Some(Some(value.into_owned()))
        }
        None => Some(None),
    }
}
