//! SubRip, as it is met: it has no standard.

use super::cue::{Alignment, CueSettings, Line, LineAlignment, Percent};
use super::cue_text::{CueText, first_tag, html_colour};
use super::cue_times::CueTimes;
use super::loss::{LossKind, Losses};
use super::style::Style;

/// A cue as the file has it: times in units of 100 ns, place and text.
pub(super) type Read = (u64, u64, CueSettings, String);

/// Reads the cues in the order of the file, each with the offset of its line of times.
///
/// A cue is everything between two lines of times, so that it may have empty lines; a number before
/// the next line of times is not part of it.
pub(super) fn read<E>(
    text: &str,
    losses: &mut Losses,
    mut put: impl FnMut(Read) -> Result<(), E>,
) -> Result<(), E> {
    let (mut at, mut content, mut times) = (0, 0, None);
    let mut number = None;
    while at <= text.len() {
        let rest = &text[at..];
        let line = rest.split('\n').next().unwrap_or(rest);
        let next = at + line.len() + 1;
        let found = CueTimes::of_line(line);
        if found.is_some() {
            let inside = without_number(&text[content..at], &mut number);
            finish(text, inside, times, losses, &mut put)?;
            if found == Some(Err(())) {
                losses.note(LossKind::Time, text, at);
            }
            times = found.and_then(Result::ok);
            content = next.min(text.len());
        }
        at = next;
    }
    finish(text, &text[content..], times, losses, &mut put)
}

fn finish<E>(
    file: &str,
    inside: &str,
    times: Option<CueTimes<'_>>,
    losses: &mut Losses,
    put: &mut impl FnMut(Read) -> Result<(), E>,
) -> Result<(), E> {
    let Some(CueTimes { start, end, settings: coordinates }) = times else { return Ok(()) };
    let mut cue = CueText::new(file, losses);
    if !coordinates.trim().is_empty() {
        cue.lose(LossKind::Layout, coordinates);
    }
    let mut settings = CueSettings::default();
    markup(&mut cue, inside.trim_matches(['\n', ' ', '\t']), &mut settings);
    match cue.finish() {
        text if text.is_empty() => Ok(()),
        text => put((start, end, settings, text)),
    }
}

/// Cuts off the number of the next cue, which is the last line.
fn without_number<'t>(text: &'t str, last: &mut Option<u64>) -> &'t str {
    let blank = [' ', '\t'];
    let trimmed = text.trim_end();
    let start = trimmed.rfind('\n').map_or(0, |at| at + 1);
    let (before, digits) = trimmed.split_at(start);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let Some(found) = digits.parse::<u64>().ok().filter(|_| is_number) else { return text };
    // It follows an empty line and precedes the times, or it counts on.
    let is_adjacent = text[trimmed.len()..].matches('\n').count() <= 1;
    let line = before.trim_end_matches(blank).strip_suffix('\n').unwrap_or("");
    let line = line.trim_end_matches(blank);
    let is_separate = line.is_empty() || line.ends_with('\n');
    let counts_on = last.is_some_and(|last| last.checked_add(1) == Some(found));
    if (is_adjacent && is_separate) || counts_on {
        *last = Some(found);
        return before;
    }
    text
}

/// Reads tags of HTML (`<i>`) and of Advanced SubStation (`{\i1}`).
fn markup<'t>(cue: &mut CueText<'t, '_>, text: &'t str, settings: &mut CueSettings) {
    let mut rest = text;
    while let Some((before, tag, after)) = first_tag(rest, ['<', '>']) {
        codes(cue, before, settings);
        if !html(cue, tag) {
            // Such as `<laughs>`.
            cue.text(&rest[before.len()..][..tag.len() + 2]);
        }
        rest = after;
    }
    codes(cue, rest, settings);
}

/// Reads a tag of HTML; returns whether it is one that SubRip has.
fn html<'t>(cue: &mut CueText<'t, '_>, tag: &'t str) -> bool {
    if let Some(name) = tag.strip_prefix('/') {
        let name = name.trim();
        let names = ["b", "i", "u", "s", "font", "em", "strong", "strike"];
        cue.close(name);
        return names.iter().any(|known| name.eq_ignore_ascii_case(known));
    }
    let (name, attributes) = tag.split_once([' ', '\t']).unwrap_or((tag, ""));
    let name = name.trim_end_matches('/');
    match name.to_ascii_lowercase().as_str() {
        "br" => cue.literal("\n"),
        "s" | "strike" => cue.lose(LossKind::Style, tag),
        "font" => font(cue, name, attributes),
        _ if attributes.trim().is_empty() => return cue.open_plain(name),
        _ => return false,
    }
    true
}

fn font<'t>(cue: &mut CueText<'t, '_>, name: &'t str, attributes: &'t str) {
    let mut colour = None;
    let mut rest = attributes;
    while let Some((key, value)) = rest.split_once('=') {
        let value = value.trim_start();
        let (value, after) = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => value.split_once([' ', '\t']).unwrap_or((value, "")),
        };
        rest = after;
        if key.trim().eq_ignore_ascii_case("color") {
            colour = html_colour(value);
            if colour.and_then(super::colour::Colour::class).is_none() {
                cue.lose(LossKind::Colour, attributes);
            }
        } else {
            cue.lose(LossKind::Style, attributes);
        }
    }
    cue.open(name, |style| style.colour = colour.or(style.colour));
}

/// Reads text that may have codes in braces, such as `{\an8}`.
fn codes<'t>(cue: &mut CueText<'t, '_>, text: &'t str, settings: &mut CueSettings) {
    let mut rest = text;
    while let Some((before, inside, after)) = first_tag(rest, ['{', '}']) {
        cue.text(before);
        let len = inside.len() + 2;
        let at = rest.len() - after.len() - len;
        let braced = &rest[at..at + len];
        rest = after;
        match inside.strip_prefix('\\') {
            None => cue.text(braced),
            Some(codes) => codes.split('\\').for_each(|one| code(cue, one.trim(), settings)),
        }
    }
    cue.text(rest);
}

fn code<'t>(cue: &mut CueText<'t, '_>, code: &'t str, settings: &mut CueSettings) {
    let switch: Option<fn(&mut Style)> = match code {
        "b1" => Some(|style| style.is_bold = Some(true)),
        "i1" => Some(|style| style.is_italic = Some(true)),
        "u1" => Some(|style| style.is_underlined = Some(true)),
        _ => None,
    };
    if let Some(switch) = switch {
        return cue.open(&code[..1], switch);
    }
    match code {
        "b0" | "i0" | "u0" => {
            cue.close(&code[..1]);
        }
        _ => match code.strip_prefix("an").and_then(|digit| digit.parse::<u8>().ok()) {
            Some(key @ 1..=9) => *settings = place(key),
            _ if code.starts_with("pos") || code.starts_with("move") => {
                cue.lose(LossKind::Layout, code);
            }
            _ => cue.lose(LossKind::Style, code),
        },
    }
}

/// Returns the place of a key of the numeric pad: 8 is at the top.
fn place(key: u8) -> CueSettings {
    let percent = Percent::from_hundredths;
    let line = |distance, alignment| Some(Line { distance: percent(distance), alignment });
    let mut settings = CueSettings {
        line: match key {
            7..=9 => line(500, LineAlignment::Start),
            4..=6 => line(5_000, LineAlignment::Center),
            _ => None,
        },
        ..CueSettings::default()
    };
    let side = match key % 3 {
        1 => Some((Alignment::Left, 1_000)),
        0 => Some((Alignment::Right, 9_000)),
        _ => None,
    };
    if let Some((align, position)) = side {
        settings.align = Some(align);
        settings.position = Some(percent(position));
        settings.size = Some(percent(8_000));
    }
    settings
}
