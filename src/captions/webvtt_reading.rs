//! WebVTT files.

use super::colour::Colour;
use super::cue::CueSettings;
use super::cue_text::{CueText, first_tag};
use super::cue_times::CueTimes;
use super::loss::{LossKind, Losses};
use super::webvtt_place::{Region, settings};

/// Regions of a file that count.
const REGIONS: usize = 64;

/// Reads the cues in the order of the file, and returns whether the header has an `X-TIMESTAMP-MAP`. The
/// text is one that begins with `WEBVTT`.
///
/// Spec: WebVTT, 4.1 and 6.1.
pub(super) fn read<E>(
    text: &str,
    losses: &mut Losses,
    mut put: impl FnMut((u64, u64, CueSettings, String)) -> Result<(), E>,
) -> Result<bool, E> {
    let mut lines = Lines { text, at: 0 };
    let mut has_map = false;
    // Up to an empty line, or to a cue without one before it.
    while let Some(line) = lines.peek().filter(|line| !is_blank(line)) {
        if CueTimes::of_line(line).is_some() {
            break;
        }
        has_map |= line.starts_with("X-TIMESTAMP-MAP");
        lines.next();
    }
    let mut regions: Vec<Region> = Vec::new();
    while let Some(line) = lines.peek() {
        let start = lines.at;
        let first = line.split([' ', '\t']).next().unwrap_or_default();
        match (CueTimes::of_line(line), first) {
            (Some(times), _) => {
                lines.next();
                let inside = lines.cue();
                match times {
                    Ok(times) => {
                        let found = cue(text, times, inside, &regions, losses);
                        found.map_or(Ok(()), &mut put)?;
                    }
                    Err(()) => losses.note(LossKind::Time, text, start),
                }
            }
            (None, "NOTE") => _ = lines.block(),
            (None, "STYLE") => {
                losses.note(LossKind::Style, text, start);
                lines.block();
            }
            (None, "REGION") => {
                let block = lines.block();
                if regions.len() < REGIONS {
                    regions.push(Region::read(block));
                }
            }
            // Empty, the name of a cue, or text outside of cues.
            _ => _ = lines.next(),
        }
    }
    Ok(has_map)
}

fn is_blank(line: &str) -> bool {
    line.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}

struct Lines<'t> {
    text: &'t str,
    /// Start of the next line; behind the end if there is none.
    at: usize,
}

impl<'t> Lines<'t> {
    fn peek(&self) -> Option<&'t str> {
        let rest = self.text.get(self.at..)?;
        Some(rest.split('\n').next().unwrap_or(rest))
    }

    fn next(&mut self) -> Option<&'t str> {
        let line = self.peek()?;
        self.at += line.len() + 1;
        Some(line)
    }

    /// Returns the lines up to an empty one.
    fn block(&mut self) -> &'t str {
        let start = self.at;
        while self.peek().is_some_and(|line| !is_blank(line)) {
            self.next();
        }
        self.since(start)
    }

    /// Returns the lines of a cue, up to an empty line or to the times of another cue.
    fn cue(&mut self) -> &'t str {
        let start = self.at;
        while let Some(line) = self.peek() {
            // Only a line without anything ends a cue (WebVTT, 6.1).
            if line.is_empty() || CueTimes::of_line(line).is_some() {
                break;
            }
            self.next();
        }
        self.since(start)
    }

    fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at.min(self.text.len())).unwrap_or_default()
    }
}

fn cue(
    file: &str,
    times: CueTimes<'_>,
    inside: &str,
    regions: &[Region],
    losses: &mut Losses,
) -> Option<(u64, u64, CueSettings, String)> {
    let CueTimes { start, end, settings: place } = times;
    let (settings, is_read) = settings(place, regions, inside);
    let mut cue = CueText::new(file, losses);
    if !is_read {
        cue.lose(LossKind::Layout, place);
    }
    let mut rest = inside.trim_end_matches('\n');
    while let Some((before, tag, after)) = first_tag(rest, ['<', '>']) {
        cue.text(before);
        rest = after;
        match tag.strip_prefix('/') {
            Some(name) => close(&mut cue, name.trim()),
            None => open(&mut cue, tag),
        }
    }
    cue.text(rest);
    annotated(&mut cue);
    let text = cue.finish();
    (!text.is_empty()).then_some((start, end, settings, text))
}

/// Opens a tag. Those that are not known have no meaning; their text counts.
///
/// Spec: WebVTT, 4.2.2.
fn open<'t>(cue: &mut CueText<'t, '_>, tag: &'t str) {
    let end = tag.find(['.', ' ', '\t']).unwrap_or(tag.len());
    let (name, rest) = tag.split_at(end);
    let classes = rest.split([' ', '\t']).next().unwrap_or_default();
    match name {
        "b" | "i" | "u" => _ = cue.open_plain(name),
        // Times of words: the whole cue is shown at once.
        _ if name.starts_with(|c: char| c.is_ascii_digit()) => cue.lose(LossKind::Animation, tag),
        "rt" if cue.is_open("ruby") => {
            cue.lose(LossKind::Ruby, tag);
            cue.literal("(");
            cue.open(name, |_| {});
        }
        "c" | "v" | "lang" | "ruby" => {}
        _ => return,
    }
    if matches!(name, "c" | "v" | "lang" | "ruby") || !classes.is_empty() {
        let (mut colour, mut background, mut has_other) = (None, None, false);
        for class in classes.split('.').filter(|class| !class.is_empty()) {
            let (of, word) = match class.strip_prefix("bg_") {
                Some(word) => (&mut background, word),
                None => (&mut colour, class),
            };
            let named = Colour::read(word).filter(|named| named.class().is_some());
            let is_named = word.bytes().all(|byte| byte.is_ascii_lowercase());
            match named.filter(|_| is_named) {
                Some(named) => *of = Some(named),
                None => has_other = true,
            }
        }
        if has_other {
            cue.lose(LossKind::Style, tag);
        }
        cue.open(name, |style| {
            style.colour = colour.or(style.colour);
            style.background = background.or(style.background);
        });
    }
}

fn close(cue: &mut CueText<'_, '_>, name: &str) {
    if matches!(name, "rt" | "ruby") {
        annotated(cue);
    }
    cue.close(name);
}

/// Ends an annotation of ruby text, which is shown in line.
fn annotated(cue: &mut CueText<'_, '_>) {
    if cue.close("rt") {
        cue.literal(")");
    }
}
