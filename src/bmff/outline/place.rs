//! The place of a byte among outlined boxes.

use std::fmt;
use std::ops::Range;

use super::{BoxOutline, layouts::SAMPLE_SIZE};

/// The place of a byte: the boxes around it, and the field that has it.
///
/// `Display` writes it as a phrase: `moof/traf/trun, sample 3's sample_size`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BytePlace {
    /// The names of the boxes around it, the outermost first, divided by `/`. Empty if no box has it.
    pub boxes: String,
    /// The field, or the part of the innermost box.
    pub field: String,
    /// The bytes of the field in the file, if it is a field.
    pub bytes: Option<Range<u64>>,
}

impl fmt::Display for BytePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.boxes {
            "" => f.write_str(&self.field),
            boxes => write!(f, "{boxes}, {}", self.field),
        }
    }
}

/// Returns the place of byte `byte` of the file among `boxes`, which follow one another.
pub fn place_of(boxes: &[BoxOutline], byte: u64) -> BytePlace {
    let (mut path, mut list, mut innermost) = (String::new(), boxes, None);
    // Each step goes one box deeper, and their depth is bounded.
    while let Some(around) = list.iter().find(|of| (of.offset..of.end()).contains(&byte)) {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&around.name());
        (innermost, list) = (Some(around), &around.inside);
    }
    let Some(innermost) = innermost else {
        let field = "behind the last box".to_owned();
        return BytePlace { boxes: path, field, bytes: None };
    };
    let (field, bytes) = field_of(boxes, innermost, byte);
    BytePlace { boxes: path, field, bytes }
}

fn field_of(all: &[BoxOutline], of: &BoxOutline, byte: u64) -> (String, Option<Range<u64>>) {
    if byte < of.offset.saturating_add(of.header) {
        return ("its header".into(), None);
    }
    if let Some(field) = of.fields.iter().find(|field| field.bytes.contains(&byte)) {
        return (field.name.into(), Some(field.bytes.clone()));
    }
    if let Some(table) = &of.table {
        let width: u64 = table.columns.iter().map(|column| column.1).sum();
        let number = byte.checked_sub(table.offset).and_then(|at| at.checked_div(width));
        if let Some(number) = number.filter(|&number| number < table.count) {
            let mut from = table.offset + number * width;
            for &(name, len) in &table.columns {
                if byte < from + len {
                    let field = format!("{} {}'s {name}", table.entry, number + 1);
                    return (field, Some(from..from + len));
                }
                from += len;
            }
        }
    }
    let at = byte - of.offset - of.header;
    let mut text = format!("byte {at} of its content");
    if of.kind == *b"mdat"
        && let Some((sample, at)) = sample_at(all, of, byte)
    {
        text = format!("{text} (sample {sample}, byte {at})");
    }
    (text, None)
}

/// Returns the number, from 1, of the sample that has a byte of an `mdat`, and the byte within the
/// sample, if the only run of the only `moof` has the sizes of all samples.
fn sample_at(all: &[BoxOutline], mdat: &BoxOutline, byte: u64) -> Option<(u64, u64)> {
    let moof = all.iter().find(|of| of.kind == *b"moof")?;
    let mut table = None;
    let mut runs = 0;
    moof.each(&mut |of, _| {
        if of.kind == *b"trun" {
            runs += 1;
            table = of.table.as_ref();
        }
    });
    let table = table.filter(|_| runs == 1)?;
    let mut at = byte - mdat.offset - mdat.header;
    // Each entry has bytes of the box: a size is among its columns.
    for number in 0..table.count {
        match at.checked_sub(table.value(number, SAMPLE_SIZE)?) {
            Some(behind) => at = behind,
            None => return Some((number + 1, at)),
        }
    }
    None
}
