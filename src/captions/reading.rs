//! Timed pieces of text from the elements of a document.

use std::collections::BTreeMap;

use super::attributes::Attributes;
use super::layout::settings;
use super::length::Units;
use super::loss::{Loss, LossKind, Losses};
use super::markup::Look;
use super::namespaces::{Namespace, Namespaces};
use super::schedule::{Content, Places, Run, Schedule};
use super::style::Style;
use super::style_sheet::StyleSheet;
use super::time_expression::Clock;
use super::timing::Timing;
use crate::base::{Error, Limits};
use crate::manifest::{Decoded, Element, Part, Reader};

/// A document that is being read.
pub(super) struct Reading<'t> {
    text: &'t str,
    reader: Reader<'t>,
    limits: &'t Limits,
    names: Namespaces,
    clock: Clock,
    units: Units,
    /// Properties that no style sets (`initial` of TTML2).
    initial: Style,
    styles: StyleSheet,
    regions: BTreeMap<String, Style>,
    losses: Losses,
    schedule: Schedule,
    places: Places,
    paragraphs: u32,
    /// `true` if the last run may be continued by the next text.
    is_run_open: bool,
}

/// An element of the body whose content is being read.
#[derive(Debug)]
struct Frame {
    timing: Timing,
    style: Style,
    /// Style of the region.
    region: Option<Style>,
    is_space_preserved: bool,
    /// Number of the place, within a paragraph.
    place: Option<u32>,
    look: Look,
    is_shown: bool,
}

impl<'t> Reading<'t> {
    pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<(Schedule, Vec<Loss>), Error> {
        Limits::check("bytes of a TTML document", bytes.len() as u64, limits.caption_document)?;
        let decoded = Decoded::new(bytes)?;
        // UTF-16 becomes longer as UTF-8: the offsets are those of the text.
        let text = &*decoded.text;
        let reader = Reader::new(text, limits)?;
        let mut reading = Reading {
            text,
            reader,
            limits,
            names: Namespaces::default(),
            clock: Clock::default(),
            units: Units::default(),
            initial: Style::default(),
            styles: StyleSheet::default(),
            regions: BTreeMap::new(),
            losses: Losses::default(),
            schedule: Schedule::default(),
            places: Places::default(),
            paragraphs: 0,
            is_run_open: false,
        };
        reading.document()?;
        reading.reader.finish()?;
        Ok((reading.schedule, reading.losses.into_list()))
    }

    fn document(&mut self) -> Result<(), Error> {
        let root = self.reader.root("tt")?;
        self.names.enter(&root, 0)?;
        if self.names.of_element(&root) != Namespace::Content {
            return Err(root.error("the root is not in a namespace of TTML"));
        }
        let attributes = self.parameters(&root)?;
        let is_space_preserved = attributes.is_space_preserved == Some(true);
        while let Part::Start(element) = self.part()? {
            self.names.enter(&element, 1)?;
            match self.content_name(&element) {
                Some("head") => self.head()?,
                Some("body") => self.body(&element, is_space_preserved)?,
                _ => self.reader.skip()?,
            }
            self.names.leave(1);
        }
        Ok(())
    }

    /// Reads the attributes of the root: parameters, and the size of the picture.
    fn parameters(&mut self, root: &Element<'_>) -> Result<Attributes, Error> {
        for attribute in root.attributes() {
            let attribute = attribute?;
            let value = &*attribute.value;
            let (kind, is_known) = match self.names.of_attribute(attribute.name) {
                (Namespace::Parameter, "cellResolution") => {
                    (LossKind::Layout, self.units.set_cells(value))
                }
                (Namespace::Parameter, name) => (LossKind::Time, self.clock.set(name, value)),
                (Namespace::Style, "extent") => (LossKind::Layout, self.units.set_extent(value)),
                _ => continue,
            };
            if is_known.is_none() {
                self.losses.note(kind, self.text, root.start);
            }
        }
        Attributes::read(root, &self.names, &self.units)
    }

    /// Returns the next child or the end of an element in which text has no meaning.
    fn part(&mut self) -> Result<Part<'t>, Error> {
        loop {
            let part = self.reader.part()?;
            if !matches!(part, Part::Text(_)) {
                return Ok(part);
            }
        }
    }

    /// Returns the local name of an element of TTML.
    fn content_name<'e>(&self, element: &'e Element<'_>) -> Option<&'e str> {
        (self.names.of_element(element) == Namespace::Content).then(|| element.name())
    }

    fn attributes(&mut self, element: &Element<'_>) -> Result<Attributes, Error> {
        let attributes = Attributes::read(element, &self.names, &self.units)?;
        for kind in &attributes.lost {
            self.losses.note(*kind, self.text, element.start);
        }
        Ok(attributes)
    }

    /// Reads styles and regions, in whatever order they come: regions refer to styles.
    fn head(&mut self) -> Result<(), Error> {
        let mut regions = Vec::new();
        while let Part::Start(element) = self.part()? {
            self.names.enter(&element, 2)?;
            match self.content_name(&element) {
                Some("styling") => self.styling()?,
                Some("layout") => self.layout(&mut regions)?,
                _ => self.reader.skip()?,
            }
            self.names.leave(2);
        }
        for (id, style, references, start) in regions {
            let referred = self.referred(&references, start);
            self.regions.entry(id).or_insert(style.over(referred));
        }
        Ok(())
    }

    fn styling(&mut self) -> Result<(), Error> {
        while let Part::Start(element) = self.part()? {
            self.names.enter(&element, 3)?;
            let name = self.content_name(&element).map(str::to_owned);
            let attributes = self.attributes(&element)?;
            match (name.as_deref(), attributes.id) {
                (Some("style"), Some(id)) => {
                    self.styles.define(id, attributes.style, attributes.styles);
                }
                (Some("initial"), _) => self.initial = attributes.style.over(self.initial),
                _ => {}
            }
            self.reader.skip()?;
            self.names.leave(3);
        }
        Ok(())
    }

    /// Reads regions: name, style, names of styles, and place in the text.
    fn layout(&mut self, regions: &mut Vec<(String, Style, String, usize)>) -> Result<(), Error> {
        while let Part::Start(element) = self.part()? {
            self.names.enter(&element, 3)?;
            if self.content_name(&element) != Some("region") {
                self.reader.skip()?;
                self.names.leave(3);
                continue;
            }
            let attributes = self.attributes(&element)?;
            if [&attributes.begin, &attributes.end, &attributes.duration]
                .iter()
                .any(|time| time.is_some())
            {
                self.losses.note(LossKind::Layout, self.text, element.start);
            }
            let mut style = attributes.style;
            let mut references = attributes.styles;
            while let Part::Start(child) = self.part()? {
                self.names.enter(&child, 4)?;
                let name = self.content_name(&child).map(str::to_owned);
                match name.as_deref() {
                    Some("style") => {
                        let nested = self.attributes(&child)?;
                        style = style.over(nested.style);
                        references.extend([" ", &nested.styles]);
                    }
                    Some("set" | "animate") => {
                        self.losses.note(LossKind::Animation, self.text, child.start);
                    }
                    _ => {}
                }
                self.reader.skip()?;
                self.names.leave(4);
            }
            if let Some(id) = attributes.id {
                regions.push((id, style, references, element.start));
            }
            self.names.leave(3);
        }
        Ok(())
    }

    fn referred(&mut self, names: &str, start: usize) -> Style {
        let (style, are_defined) = self.styles.referred(names);
        if !are_defined {
            self.losses.note(LossKind::Style, self.text, start);
        }
        style
    }

    /// Reads the body: the frames are its open elements, the innermost last.
    fn body(&mut self, body: &Element<'t>, is_space_preserved: bool) -> Result<(), Error> {
        let root = Frame {
            timing: Timing::of_document(),
            style: Style::default(),
            region: None,
            is_space_preserved,
            place: None,
            look: Look::default(),
            is_shown: true,
        };
        let mut frames = vec![self.frame(body, "body", &root)?];
        loop {
            let depth = frames.len() + 1;
            let Some(frame) = frames.last_mut() else { return Ok(()) };
            match self.reader.part()? {
                Part::Text(text) => {
                    if frame.place.is_some() && !text.is_empty() {
                        if !text.trim_ascii().is_empty() {
                            frame.timing.add_text();
                        }
                        self.add_text(frame, &text)?;
                    }
                    continue;
                }
                Part::End => {
                    let ended = frame.timing;
                    frames.pop();
                    self.names.leave(depth - 1);
                    if let Some(parent) = frames.last_mut() {
                        parent.timing.add_child(&ended);
                    }
                }
                Part::Start(element) => {
                    self.names.enter(&element, depth)?;
                    match self.content_name(&element) {
                        Some(name @ ("div" | "p" | "span")) => {
                            let child = self.frame(&element, name, frame)?;
                            frames.push(child);
                        }
                        name => {
                            self.other(&element, name, frame)?;
                            self.names.leave(depth);
                        }
                    }
                }
            }
            self.is_run_open = false;
        }
    }

    /// Reads an element that has no content of its own.
    fn other(
        &mut self,
        element: &Element<'_>,
        name: Option<&str>,
        parent: &Frame,
    ) -> Result<(), Error> {
        match name {
            Some("br") if parent.place.is_some() => self.add(parent, Content::Break)?,
            Some("set" | "animate") => {
                self.losses.note(LossKind::Animation, self.text, element.start);
            }
            Some("image") => self.losses.note(LossKind::Image, self.text, element.start),
            _ => {}
        }
        self.reader.skip()
    }

    fn frame(&mut self, element: &Element<'_>, name: &str, parent: &Frame) -> Result<Frame, Error> {
        let attributes = self.attributes(element)?;
        let (timing, are_times_read) = parent.timing.child(&attributes, &self.clock);
        if !are_times_read {
            self.losses.note(LossKind::Time, self.text, element.start);
        }
        let referred = self.referred(&attributes.styles, element.start);
        let own = attributes.style.over(referred);
        let is_text = matches!(name, "p" | "span");
        let mut inherited = parent.style;
        if name == "p" {
            inherited = inherited.of_text();
        }
        let mut style = own.over(inherited);
        if !is_text {
            style = style.of_text();
        }
        let is_left_out = own.is_left_out == Some(true);
        let named = attributes.region.map(|name| self.regions.get(&name).copied());
        let is_undefined = matches!(named, Some(None));
        let region = named.flatten().or(parent.region);
        let mut frame = Frame {
            timing,
            style,
            region,
            is_space_preserved: attributes.is_space_preserved.unwrap_or(parent.is_space_preserved),
            place: parent.place,
            look: Look::default(),
            is_shown: parent.is_shown && !is_left_out,
        };
        let completed = match region {
            Some(region) => style.over(region.of_text()),
            None => style,
        };
        let completed = completed.over(self.initial.of_text());
        frame.look = Look::of(&completed);
        if name == "p" {
            self.paragraphs += 1;
            let place = settings(&completed, region.is_some());
            frame.place = Some(self.places.number(place, &mut self.schedule.places));
        }
        if is_undefined || (name == "p" && region.is_none() && !self.regions.is_empty()) {
            self.losses.note(LossKind::Region, self.text, element.start);
        }
        frame.is_shown &= region.is_none_or(|region| region.is_left_out != Some(true));
        Ok(frame)
    }

    fn add_text(&mut self, frame: &Frame, text: &str) -> Result<(), Error> {
        let from = self.schedule.texts.len();
        self.schedule.texts.push_str(text);
        let to = self.schedule.texts.len();
        if self.is_run_open
            && let Some(run) = self.schedule.runs.last_mut()
            && let Content::Text { to: end, .. } = &mut run.content
        {
            // References divide a text.
            *end = to;
            return Ok(());
        }
        let is_preserved = frame.is_space_preserved;
        self.add(frame, Content::Text { from, to, look: frame.look, is_preserved })?;
        Ok(())
    }

    fn add(&mut self, frame: &Frame, content: Content) -> Result<(), Error> {
        self.is_run_open = false;
        let (Some(place), Some((begin, end))) = (frame.place, frame.timing.shown()) else {
            return Ok(());
        };
        if !frame.is_shown || frame.look.is_hidden() {
            return Ok(());
        }
        let count = self.schedule.runs.len() as u64 + 1;
        Limits::check("texts of a TTML document", count, self.limits.caption_texts as u64)?;
        self.schedule.runs.push(Run { begin, end, paragraph: self.paragraphs, place, content });
        self.is_run_open = true;
        Ok(())
    }
}
