//! The boxes of a media file: `--boxes`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Value, json};
use smooth_origin::base::{Cursor, Limits};
use smooth_origin::bmff::{BoxOutline, BoxTable, Header, outline};

/// A longer box is not read: it is shown without its fields.
const LONGEST: u64 = 64 << 20;

/// Boxes that are media and have no fields.
const MEDIA: [&[u8; 4]; 4] = [b"mdat", b"free", b"skip", b"wide"];

/// A part of a file at its top level.
struct Part {
    outlined: BoxOutline,
    /// A remark about the box as a whole.
    note: Option<String>,
    /// The file ends within it.
    is_cut_off: bool,
}

/// The end of a walk through a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walked {
    /// Each box can be read.
    Whole,
    /// A box cannot be read.
    Faulty,
    /// The file cannot be read.
    Unread,
}

/// Writes the boxes of a file, and the errors of boxes that cannot be read in their places. One part of
/// the file is in memory at a time.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(out: &mut impl Write, path: &Path, is_json: bool) -> io::Result<Walked> {
    let shown = path.to_string_lossy();
    if !is_json {
        super::text::line(out, format_args!("{shown}"))?;
    }
    let (mut walked, mut list) = (Walked::Whole, Vec::new());
    let end = each(path, |part| {
        let mut is_faulty = part.is_cut_off;
        part.outlined.each(&mut |of, _| is_faulty |= of.error.is_some());
        if is_faulty {
            walked = Walked::Faulty;
        }
        if is_json {
            list.push(value(&part.outlined, part.note.as_deref()));
            return Ok(());
        }
        let mut written = Ok(());
        part.outlined.each(&mut |of, depth| {
            if written.is_ok() {
                let note = part.note.as_deref().filter(|_| depth == 0);
                written = row(out, of, depth, note);
            }
        });
        written
    });
    let message = match end {
        Ok(()) => None,
        Err(Stopped::Out(error)) => return Err(error),
        Err(Stopped::File(error)) => {
            walked = Walked::Unread;
            Some(common::Trouble::of(path, &error).to_string())
        }
    };
    match (is_json, &message) {
        (true, _) => {
            let value = json!({ "path": shown, "boxes": list, "message": message });
            writeln!(out, "{value}")?;
        }
        (false, Some(message)) => super::text::line(out, format_args!("{message}"))?,
        (false, None) => {}
    }
    Ok(walked)
}

enum Stopped {
    File(io::Error),
    Out(io::Error),
}

/// Gives `each` the boxes at the top of a file, in order.
fn each(path: &Path, mut each: impl FnMut(Part) -> io::Result<()>) -> Result<(), Stopped> {
    let metadata = path.metadata().map_err(Stopped::File)?;
    if !metadata.is_file() {
        return Err(Stopped::File(io::ErrorKind::IsADirectory.into()));
    }
    let mut file = File::open(path).map_err(Stopped::File)?;
    let (len, limits) = (metadata.len(), Limits::default());
    let mut at = 0;
    while at < len {
        let start = read(&mut file, at, 32).map_err(Stopped::File)?;
        let start = start.into();
        let header = Header::parse(&mut Cursor::new(&start, at)).ok();
        let size = header.and_then(|header| header.total()).unwrap_or(len - at);
        let is_media = header.is_some_and(|header| MEDIA.iter().any(|kind| header.kind == **kind));
        let has = len - at;
        let (wanted, note) = match size.min(has) {
            _ if is_media => (0, None),
            size if size > LONGEST => (0, Some("not read: it is longer than 64 MiB".to_owned())),
            size => (size, None),
        };
        let is_cut_off = size > has;
        let note = match is_cut_off {
            true => Some(format!("cut off: the file ends {} bytes before it does", size - has)),
            false => note,
        };
        let mut boxes = match wanted {
            // Its header alone, with the size that it has.
            0 if header.is_some() => alone(&start, at, size, &limits),
            // The reason why its header cannot be read.
            0 => outline(&start, at, &limits),
            _ => {
                let bytes = read(&mut file, at, wanted).map_err(Stopped::File)?;
                outline(&bytes.into(), at, &limits)
            }
        };
        // A header that cannot be read ends the walk: where the next box begins is not known.
        let is_end = header.is_none();
        for outlined in boxes.drain(..) {
            let note = note.clone();
            each(Part { outlined, note, is_cut_off }).map_err(Stopped::Out)?;
        }
        if is_end {
            break;
        }
        at = at.saturating_add(size);
    }
    Ok(())
}

/// Outlines a box of which only the header is read.
fn alone(start: &bytes::Bytes, at: u64, size: u64, limits: &Limits) -> Vec<BoxOutline> {
    let mut boxes = outline(start, at, limits);
    boxes.truncate(1);
    for of in &mut boxes {
        (of.size, of.error) = (size, None);
        of.inside.clear();
    }
    boxes
}

fn read(file: &mut File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Entries of a list that are shown.
const SHOWN: u64 = 3;

/// `   1234     56  moof/…`: offset, size, type, fields.
fn row(out: &mut impl Write, of: &BoxOutline, depth: usize, note: Option<&str>) -> io::Result<()> {
    let mut text = String::new();
    for field in &of.fields {
        text.push_str(&format!("  {}={}", field.name, field.value));
    }
    if let Some(table) = &of.table {
        text.push_str(&format!("  {} × {}", table.count, table.entry));
        for number in 0..table.count.min(SHOWN) {
            let fields = table
                .columns
                .iter()
                .filter_map(|(name, _)| Some(format!("{name}={}", entry(table, number, name)?)));
            let fields: Vec<_> = fields.collect();
            if !fields.is_empty() {
                text.push_str(&format!(" [{}]", fields.join(" ")));
            }
        }
        if table.count > SHOWN && !table.columns.is_empty() {
            text.push_str(" …");
        }
    }
    let (offset, size, name) = (of.offset, of.size, of.name());
    let indent = 2 * depth;
    super::text::line(out, format_args!("{offset:>12} {size:>12}  {:indent$}{name}{text}", ""))?;
    for remark in note
        .into_iter()
        .map(str::to_owned)
        .chain(of.error.as_ref().map(|error| format!("error: {error}")))
    {
        super::text::line(out, format_args!("{:27}{:indent$}{remark}", "", ""))?;
    }
    Ok(())
}

/// Returns a field of an entry. Offsets of composition may be negative.
fn entry(table: &BoxTable, number: u64, name: &str) -> Option<i64> {
    let value = table.value(number, name)?;
    match u32::try_from(value) {
        Ok(word) if name == "sample_composition_time_offset" => Some(word.cast_signed().into()),
        _ => i64::try_from(value).ok(),
    }
}

/// A box for programs. `fields` has the name, offset, size and value of each field; `table` the number
/// of entries, the offset of the first, and names and sizes of the columns.
fn value(of: &BoxOutline, note: Option<&str>) -> Value {
    let fields = of.fields.iter().map(|field| {
        let size = field.bytes.end - field.bytes.start;
        json!({ "name": field.name, "offset": field.bytes.start, "size": size, "value": field.value })
    });
    let table = of.table.as_ref().map(|table| {
        let columns = table.columns.iter();
        let columns = columns.map(|(name, size)| json!({ "name": name, "size": size }));
        json!({
            "entry": table.entry,
            "count": table.count,
            "offset": table.offset,
            "columns": columns.collect::<Value>(),
        })
    });
    json!({
        "type": of.name(),
        "extended": of.extended.map(|extended| extended.to_string()),
        "offset": of.offset,
        "size": of.size,
        "header": of.header,
        "fields": fields.collect::<Value>(),
        "table": table,
        "boxes": of.inside.iter().map(|inside| value(inside, None)).collect::<Value>(),
        "error": of.error.as_ref().map(ToString::to_string),
        "note": note,
    })
}
