//! Lengths of TTML as parts of the picture.

/// A length in hundredths of a percent of the picture's width or height.
pub(super) type Hundredths = i64;

/// Sizes that lengths are measured in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    /// Width and height of the picture in pixels, if the document has them.
    pixels: Option<(u32, u32)>,
    /// Columns and rows of the grid of cells.
    cells: (u32, u32),
}

/// One of the two directions of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Horizontal,
    Vertical,
}

impl Default for Units {
    /// Spec: TTML1, 6.2.1.
    fn default() -> Self {
        Self { pixels: None, cells: (32, 15) }
    }
}

impl Units {
    /// Sets the extent of the document (`tts:extent` of `tt`).
    pub(super) fn set_extent(&mut self, text: &str) -> Option<()> {
        if text.trim() == "auto" {
            return Some(());
        }
        let (width, height) = two(text)?;
        let pixels = |text: &str| text.strip_suffix("px")?.parse().ok().filter(|&size| size > 0);
        self.pixels = Some((pixels(width)?, pixels(height)?));
        Some(())
    }

    /// Sets `ttp:cellResolution`.
    pub(super) fn set_cells(&mut self, text: &str) -> Option<()> {
        let (columns, rows) = two(text)?;
        let count = |text: &str| text.parse().ok().filter(|&count| count > 0);
        self.cells = (count(columns)?, count(rows)?);
        Some(())
    }

    /// Reads two lengths, the horizontal one first; `None` if one of them has no meaning here.
    pub(super) fn read_two(&self, text: &str) -> Option<(Hundredths, Hundredths)> {
        let (x, y) = two(text)?;
        Some((self.read(x, Axis::Horizontal)?, self.read(y, Axis::Vertical)?))
    }

    fn read(&self, text: &str, axis: Axis) -> Option<Hundredths> {
        let unit = text.find(|c: char| c.is_ascii_alphabetic() || c == '%')?;
        let (number, unit) = text.split_at(unit);
        let pick = |(x, y): (u32, u32)| if axis == Axis::Horizontal { x } else { y };
        let whole = match (unit, axis) {
            ("%", _) | ("rw", Axis::Horizontal) | ("rh", Axis::Vertical) => 100,
            ("px", _) => pick(self.pixels?),
            ("c", _) => pick(self.cells),
            _ => return None,
        };
        let whole = i64::from(whole);
        Some((ten_thousandths(number)? + whole / 2).div_euclid(whole))
    }
}

/// Reads a decimal number in units of 1/10,000. At most eight digits precede the point.
fn ten_thousandths(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || whole.len() > 8 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = fraction.bytes().chain(std::iter::repeat(b'0')).take(4);
    let fraction = fraction.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(sign * (whole * 10_000 + fraction))
}

fn two(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split_ascii_whitespace();
    let both = (parts.next()?, parts.next()?);
    parts.next().is_none().then_some(both)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_parts_of_the_picture() {
        let mut units = Units::default();
        assert_eq!(units.read_two("10% 80.555%"), Some((1000, 8056)));
        assert_eq!(units.read_two(" 16c  3c "), Some((5000, 2000)));
        assert_eq!(units.read_two("50rw 25rh"), Some((5000, 2500)));
        assert_eq!(units.read_two("-5% +.5%"), Some((-500, 50)));
        assert_eq!(units.read_two("64px 36px"), None, "the picture has no size");
        units.set_extent("640px 360px").unwrap();
        units.set_cells("40 24").unwrap();
        assert_eq!(units.read_two("64px 36px"), Some((1000, 1000)));
        assert_eq!(units.read_two("4c 6c"), Some((1000, 2500)));
    }

    #[test]
    fn lengths_without_meaning_are_refused() {
        let mut units = Units::default();
        for text in [
            "",
            "auto",
            "10%",
            "10% 10% 10%",
            "10 10",
            "1em 1em",
            "% %",
            "999999999% 0%",
            "1e5% 0%",
        ] {
            assert_eq!(units.read_two(text), None, "{text}");
        }
        assert_eq!(units.set_cells("0 15"), None);
        assert_eq!(units.set_extent("0px 10px"), None);
        assert_eq!(units.set_extent("auto"), Some(()));
    }
}
