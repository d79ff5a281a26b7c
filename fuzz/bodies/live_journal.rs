//! Journals of live events that say anything, with the right checksums: a recovery ends, what it publishes is in
//! order, and the next recovery finds the same.

use std::collections::BTreeMap;

use bytes::Bytes;
use smooth_origin::base::{Limits, Name};
use smooth_origin::live::journal::{ArchiveWrite, PointRecord, Recovered, Recovery, journal_of};

/// Recovers an event by a journal and held fragments. Each record of the input has `j` or `h` before it, the
/// bytes of one of the two, and its length in 16 bits. An input that begins with `r` is a journal as it is.
pub fn live_journal(data: &[u8]) {
    let point = Name::new("news.isml").unwrap();
    if let Some(raw) = data.strip_prefix(b"r") {
        let journal = Bytes::copy_from_slice(raw);
        let record = PointRecord::of_journal(point.clone(), &journal);
        let _ = Recovery::new(record, &journal, &Bytes::new(), &Limits::default());
        let _ = PointRecord::read(&point, &journal, &Limits::default());
        return;
    }
    let (mut journal, mut held) = (Vec::new(), Vec::new());
    let mut rest = data;
    while let [to, high, low, after @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let list = if *to == b'h' { &mut held } else { &mut journal };
        list.push(&after[..len]);
        rest = &after[len..];
    }
    let (journal, held) = (journal_of(&journal), journal_of(&held));
    let Some(recovered) = recover(&point, &journal, &held, data.len()) else { return };
    let mut last = BTreeMap::new();
    for (file, time) in recovered.restored.published() {
        let before = last.insert(file, time);
        assert!(before.is_none_or(|before| before < time), "fragments in order");
    }
    let files: Vec<_> = recovered.restored.files().collect();
    for (file, time) in recovered.restored.held() {
        assert!(files.len() >= file as usize);
        assert!(last.get(&file).is_none_or(|last| (*last as i64) < time), "published and held");
    }
    let mut contents = BTreeMap::from([
        (name_of(&recovered, false), journal.to_vec()),
        (name_of(&recovered, true), held.to_vec()),
    ]);
    for write in &recovered.writes {
        match write {
            ArchiveWrite::Append { name, offset, bytes } => {
                let Some(content) = contents.get_mut(name) else {
                    assert!(bytes.is_empty(), "files of tracks are cut only");
                    continue;
                };
                assert!(content.len() as u64 >= *offset, "no hole");
                content.truncate(*offset as usize);
                content.extend_from_slice(bytes);
            }
            ArchiveWrite::Put { name, content } => {
                contents.insert(name.clone(), content.to_vec());
            }
            _ => panic!("a recovery that closes"),
        }
    }
    let content = |name: &Name| Bytes::from(contents[name].clone());
    let (journal, held) =
        (content(&name_of(&recovered, false)), content(&name_of(&recovered, true)));
    let again = recover(&point, &journal, &held, usize::MAX).expect("the same event");
    assert!(again.restored.files().eq(recovered.restored.files()));
    assert!(again.restored.published().eq(recovered.restored.published()));
    assert!(again.restored.held().eq(recovered.restored.held()));
    assert!(again.restored.ends().eq(recovered.restored.ends()));
}

/// Recovers an event. Of its files, the newest fragments are wrong, as many as the bits of `wrong` say.
fn recover(point: &Name, journal: &Bytes, held: &Bytes, wrong: usize) -> Option<Recovered> {
    let record = PointRecord::of_journal(point.clone(), journal);
    let found = Recovery::new(record, journal, held, &Limits::default()).expect("a journal");
    let mut recovery = found?;
    if recovery.is_closed() {
        assert!(recovery.finish().is_none());
        return None;
    }
    for file in 0..recovery.files() {
        let mut count = if wrong == usize::MAX { 0 } else { wrong >> (file % 8) & 3 };
        while let Some((_, range)) = recovery.newest(file)
            && count > 0
        {
            assert!(range.start < range.end);
            assert!(!recovery.judge(file, None));
            count -= 1;
        }
        if recovery.first(file).is_some() {
            recovery.take_first(file, Bytes::new());
        }
    }
    recovery.finish()
}

fn name_of(recovered: &Recovered, is_held: bool) -> Name {
    let name = if is_held { recovered.journal.held_name() } else { recovered.journal.name() };
    name.cloned().expect("an event that goes on")
}
