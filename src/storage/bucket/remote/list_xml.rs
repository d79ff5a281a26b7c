//! Lists of names in XML, without the keys that no request can name.
//!
//! `object_store` refuses a whole page if one key in it has an empty segment (`//`), a segment `.` or `..`,
//! or a control character. Stores allow all of them, so one odd key would hide all others.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use object_store::path::Path;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;

/// An element of a list: an object, or a common prefix.
struct Entry {
    start: usize,
    depth: usize,
    /// The name of the child that has the key.
    key_in: &'static str,
    is_prefix: bool,
    /// `None` if the key has a character that no text can have, or is in an encoding.
    key: Option<String>,
}

/// Returns the list of S3, Google or Azure without entries whose keys cannot be reached. What is no list,
/// or is not well formed, is returned as it is.
///
/// Memory is taken for a second copy of the list only if an entry is left out.
pub(super) fn reachable(list: Bytes) -> Bytes {
    let unreachable = std::str::from_utf8(&list).ok().and_then(unreachable).unwrap_or_default();
    if unreachable.is_empty() {
        return list;
    }
    let mut kept = BytesMut::with_capacity(list.len());
    let mut at = 0;
    for range in unreachable {
        // The ranges are in order, and lie in the list.
        kept.extend_from_slice(&list[at..range.start]);
        at = range.end;
    }
    kept.extend_from_slice(&list[at..]);
    kept.freeze()
}

/// The places of the entries whose keys cannot be reached; `None` if the text is not well formed.
fn unreachable(text: &str) -> Option<Vec<Range<usize>>> {
    let mut reader = Reader::from_str(text);
    let (mut all, mut depth, mut entry, mut is_key) = (Vec::new(), 0_usize, None::<Entry>, false);
    loop {
        let start = position(&reader)?;
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                depth += 1;
                let name = tag.local_name();
                match &mut entry {
                    None => entry = entry_of(name.as_ref(), start, depth),
                    Some(entry) if depth == entry.depth + 1 && name.as_ref() == entry.key_in => {
                        is_key = true;
                        // Azure writes `Encoded="true"` beside a name that XML cannot have.
                        if tag.attributes().next().is_some() {
                            entry.key = None;
                        }
                    }
                    Some(_) => {}
                }
            }
            Event::End(_) => {
                if let Some(open) = &entry {
                    is_key = is_key && depth != open.depth + 1;
                }
                if let Some(done) = entry.take_if(|open| open.depth == depth)
                    && !done.is_reachable()
                {
                    all.push(done.start..position(&reader)?);
                }
                depth = depth.checked_sub(1)?;
            }
            Event::Text(part) if is_key => add(&mut entry, Some(&*part)),
            Event::CData(part) if is_key => add(&mut entry, Some(&*part)),
            Event::GeneralRef(name) if is_key => add(&mut entry, resolve(&name).as_deref()),
            Event::Eof => return Some(all),
            _ => {}
        }
    }
}

fn position(reader: &Reader<&[u8]>) -> Option<usize> {
    usize::try_from(reader.buffer_position()).ok()
}

fn entry_of(name: &str, start: usize, depth: usize) -> Option<Entry> {
    let (key_in, is_prefix) = match name {
        "Contents" => ("Key", false),
        "CommonPrefixes" => ("Prefix", true),
        "Blob" => ("Name", false),
        "BlobPrefix" => ("Name", true),
        _ => return None,
    };
    Some(Entry { start, depth, key_in, is_prefix, key: Some(String::new()) })
}

/// Adds a part of a key, if it is one.
fn add(entry: &mut Option<Entry>, part: Option<&str>) {
    let Some(entry) = entry else { return };
    match (&mut entry.key, part) {
        (Some(key), Some(part)) => key.push_str(part),
        (key, _) => *key = None,
    }
}

fn resolve(name: &BytesRef<'_>) -> Option<String> {
    if name.is_char_ref() {
        return name.resolve_char_ref().ok()?.map(String::from);
    }
    resolve_predefined_entity(name).map(Into::into)
}

impl Entry {
    /// Returns whether a request for the key is one for this object, and not for that of another key.
    fn is_reachable(&self) -> bool {
        let Some(key) = self.key.as_deref() else { return false };
        let key = if self.is_prefix { key.strip_suffix('/').unwrap_or(key) } else { key };
        !key.is_empty() && Path::parse(key).is_ok_and(|path| path.as_ref() == key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filtered(list: &str) -> String {
        String::from_utf8(reachable(Bytes::copy_from_slice(list.as_bytes())).to_vec()).unwrap()
    }

    #[test]
    fn keys_that_no_request_can_name_are_left_out() {
        let entry = |key: &str| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>");
        let odd = [
            "a//b",
            "/a",
            "a/",
            "",
            ".",
            "..",
            "a/./b",
            "a/../b",
            "a&#x1;b",
            "a&#1;b",
            "a\u{1}b",
            "a&#0;b",
            "a&#10;b",
            "a&no;b",
            "a<!-- -->/&#x2f;b",
            "<![CDATA[a//b]]>",
        ];
        for key in odd {
            let list = format!("<L><Prefix>//</Prefix>{}{}</L>", entry(key), entry("b"));
            assert_eq!(
                filtered(&list),
                format!("<L><Prefix>//</Prefix>{}</L>", entry("b")),
                "{key}"
            );
        }
        for key in ["a", "a/b", "a&amp;b", "&lt;&#233;", ". .", "a b", "...", "<![CDATA[a<b]]>"] {
            let list = format!("<?xml version=\"1.0\"?><L>{}</L>", entry(key));
            assert_eq!(filtered(&list), list, "{key}");
        }
    }

    #[test]
    fn common_prefixes_and_the_lists_of_azure_are_read_too() {
        let good = "<CommonPrefixes><Prefix>a/b/</Prefix></CommonPrefixes>";
        let odd = "<CommonPrefixes><Prefix>a//</Prefix></CommonPrefixes>";
        assert_eq!(filtered(&format!("<L>{odd}{good}{odd}</L>")), format!("<L>{good}</L>"));
        let good = "<Blob><Name>a</Name><Metadata><Name>//</Name></Metadata></Blob><BlobPrefix><Name>a/</Name></BlobPrefix>";
        let odd = "<Blob><Name>a//b</Name></Blob><BlobPrefix><Name>../</Name></BlobPrefix><Blob><Name Encoded=\"true\">a%EF</Name></Blob>";
        let list = |blobs: &str| format!("<R><Blobs>{blobs}</Blobs><NextMarker/></R>");
        assert_eq!(filtered(&list(&format!("{odd}{good}"))), list(good));
    }

    #[test]
    fn what_is_no_list_stays_as_it_is() {
        for text in ["", "text", "<L><Contents><Key>a//b</Key></L>", "<Contents><Key>..</Key>"] {
            assert_eq!(filtered(text), text);
        }
        let bytes = Bytes::from_static(b"<Contents><Key>\xff//</Key></Contents>");
        assert_eq!(reachable(bytes.clone()), bytes);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(parts in prop::collection::vec(prop::sample::select(vec![
            "<Contents>", "</Contents>", "<Key>", "</Key>", "<Blob>", "</Blob>", "<Name>", "</Name>",
            "//", "a", "&#x1;", "&amp;", "&", "<", "<![CDATA[", "]]>", "<!--", "-->", "<Key/>", "é",
        ]), 0..40)) {
            let text = parts.concat();
            let kept = filtered(&text);
            prop_assert!(kept.len() <= text.len());
            prop_assert_eq!(filtered(&kept), kept);
        }
    }
}
