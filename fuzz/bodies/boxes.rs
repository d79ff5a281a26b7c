//! Boxes: what is parsed is written again byte by byte, and lists are walked within their bytes.

use smooth_origin::base::{ErrorKind, FourCc, Limits, Place};
use smooth_origin::bmff::{
    AnyBox, AudioSampleEntry, Body, Boxes, SampleEncryption, SampleEntry, Sbgp, Sidx, Tfra, Trun,
    VisualSampleEntry, outline, place_of,
};
use smooth_origin::codec::Description;
use smooth_origin::manifest::StreamKind;

/// Where the block is said to begin in its file.
const BASE: u64 = 1 << 40;

/// Entries of a list that are walked: more say no more.
const WALKED: usize = 10_000;

/// Boxes in which a fault is one of the whole: slicing needs them.
const NEEDED: &[&[u8; 4]] = &[b"moov", b"trak", b"mdia", b"moof", b"traf", b"mfra"];

/// Reads any bytes as boxes.
pub fn boxes(data: &[u8]) {
    let limits = Limits::default();
    outlined(data, &limits);
    let parse = |bytes: &[u8]| Boxes::parse(&bytes.to_vec().into(), BASE, &limits);
    let mut boxes = match parse(data) {
        Ok(boxes) => boxes,
        Err(error) => {
            let Place::Box { offset, path, .. } = &error.place else { panic!("no place: {error}") };
            let inside = BASE..=BASE + data.len() as u64;
            assert!(inside.contains(offset), "{error}");
            // What slicing does not need is kept, whatever is wrong inside of it.
            let is_budget = matches!(error.kind, ErrorKind::Budget { .. });
            let is_needed = |kind: &FourCc| NEEDED.contains(&&kind.0);
            assert!(is_budget || path.iter().skip(1).all(is_needed), "{error}");
            return;
        }
    };
    assert_eq!(boxes.len(), data.len() as u64);
    assert!(boxes.to_bytes() == data, "written otherwise than read");
    assert!(parse(&boxes.to_bytes()).unwrap() == boxes, "other boxes the second time");
    walk(&boxes, &limits);

    change(&mut boxes);
    let changed = boxes.to_bytes();
    assert_eq!(boxes.len(), changed.len() as u64);
    let again = parse(&changed).expect("what was changed and written is read again");
    assert!(again.to_bytes() == changed, "a changed box is not kept");
}

/// Whatever the bytes are, their outline stays within them, and each byte has a place in it.
fn outlined(data: &[u8], limits: &Limits) {
    let (boxes, end) = (outline(&data.to_vec().into(), BASE, limits), BASE + data.len() as u64);
    let mut count = 0;
    for of in &boxes {
        of.each(&mut |of, depth| {
            count += 1;
            assert!((BASE..=end).contains(&of.offset) && depth <= limits.box_depth);
            for field in &of.fields {
                assert!(field.bytes.start >= of.offset && field.bytes.end <= end, "{field:?}");
            }
            if let Some(table) = &of.table {
                let width: u64 = table.columns.iter().map(|column| column.1).sum();
                assert_eq!(table.entries.len() as u64, table.count * width);
            }
        });
    }
    assert!(count <= limits.boxes + limits.box_depth + 1);
    for byte in (BASE..end).step_by(1 + data.len() / 64) {
        assert!(!place_of(&boxes, byte).to_string().is_empty());
    }
}

fn walk(boxes: &Boxes, limits: &Limits) {
    let lengths: u64 = boxes.list.iter().map(AnyBox::len).sum();
    assert_eq!(lengths + boxes.padding.len() as u64, boxes.len());
    for item in &boxes.list {
        match &item.body {
            Body::Boxes(inside) => walk(inside, limits),
            Body::Trun(trun) => run(trun),
            Body::Tfra(tfra) => index(tfra),
            Body::Sidx(sidx) => segments(sidx),
            Body::Sbgp(sbgp) => groups(sbgp),
            Body::Senc(senc) => encryption(&senc.0),
            Body::PiffSenc(senc) => encryption(&senc.0),
            Body::Stsd(stsd) => stsd.entries().for_each(|entry| coding(&entry, limits)),
            Body::Mdhd(mdhd) => {
                let language = mdhd.language();
                assert!(language.is_none_or(|code| code.len() == 3));
            }
            Body::Esds(esds) => {
                if let Ok(Some(config)) = esds.decoder_config() {
                    assert!(config.specific.len() <= esds.descriptor.len());
                }
            }
            _ => {}
        }
    }
}

fn run(trun: &Trun) {
    let claimed = trun.sample_count as usize;
    assert_eq!(trun.entries.len(), claimed * trun.entry_len());
    let samples = trun.samples().take(WALKED).inspect(|sample| {
        let fields = [
            (Trun::DURATION, sample.duration.is_some()),
            (Trun::SIZE, sample.size.is_some()),
            (Trun::FLAGS, sample.flags.is_some()),
            (Trun::COMPOSITION_OFFSET, sample.composition_offset.is_some()),
        ];
        assert!(fields.iter().all(|&(flag, is)| trun.full.has(flag) == is), "{sample:?}");
    });
    assert_eq!(samples.count(), claimed.min(WALKED));
}

fn index(tfra: &Tfra) {
    assert_eq!(tfra.count() * tfra.entry_len(), tfra.bytes.len());
    assert_eq!(tfra.entries().take(WALKED).count(), tfra.count().min(WALKED));
    if tfra.full.version == 0 {
        let narrow = |time: u64| u32::try_from(time).is_ok();
        assert!(tfra.entries().take(WALKED).all(|e| narrow(e.time) && narrow(e.moof_offset)));
    }
}

fn segments(sidx: &Sidx) {
    let entries = sidx.references().flat_map(|reference| reference.to_bytes());
    assert!(entries.eq(sidx.entries.iter().copied()), "a reference is not written as it was read");
    assert_eq!(sidx.references().count(), sidx.count());
}

fn groups(sbgp: &Sbgp) {
    assert_eq!(sbgp.runs().count() * 8, sbgp.entries.len());
}

fn encryption(info: &SampleEncryption) {
    // Entries of no bytes at all cannot be divided: `split` does not end with them.
    let least = if info.full.has(SampleEncryption::SUBSAMPLES) { 0 } else { 8 };
    let sizes = [least, 8, 16];
    for entries in sizes.iter().filter_map(|&size| info.split(size)) {
        divided(info, entries);
    }
    if let Some(entries) = info.split_any() {
        divided(info, entries);
    }
}

fn divided<'a>(info: &SampleEncryption, entries: impl Iterator<Item = &'a [u8]>) {
    let entries: Vec<_> = entries.collect();
    assert_eq!(entries.len(), info.sample_count as usize);
    assert!(entries.concat() == info.entries, "the entries are not the whole");
}

/// A sample entry of any format, read as each kind of track would.
fn coding(entry: &SampleEntry, limits: &Limits) {
    if let Ok(visual) = VisualSampleEntry::parse(entry, limits) {
        let again = VisualSampleEntry::parse(&visual.to_entry(), limits).unwrap();
        assert!(again == visual, "another visual sample entry");
    }
    if let Ok(audio) = AudioSampleEntry::parse(entry, limits) {
        let again = AudioSampleEntry::parse(&audio.to_entry(), limits).unwrap();
        assert!(again == audio, "another audio sample entry");
    }
    for kind in [StreamKind::Video, StreamKind::Audio, StreamKind::Text] {
        if let Ok(described) = Description::of_entry(kind, entry, limits) {
            description(kind, &described, limits);
        }
    }
}

/// What a description is made into says the same of the codec.
pub(super) fn description(kind: StreamKind, described: &Description, limits: &Limits) {
    let codec = described.rfc6381();
    if let Ok(entry) = described.sample_entry() {
        let again = Description::of_entry(kind, &entry, limits)
            .expect("a sample entry that was made can be read");
        // Sound whose private data is nonsense is announced by its tag, which no entry keeps; nor does
        // one that is made keep the profile of Dolby Vision.
        if described.tag.as_str().to_ascii_uppercase().starts_with("DV") {
            return;
        }
        if kind == StreamKind::Video || described.private_data.is_empty() {
            assert_eq!(again.rfc6381(), codec, "{described:?}");
        }
    }
}

/// Sets numbers that need more room, or less, than they had.
fn change(boxes: &mut Boxes) {
    for item in &mut boxes.list {
        match &mut item.body {
            Body::Boxes(inside) => change(inside),
            Body::Mvhd(mvhd) => mvhd.duration = u64::MAX,
            Body::Tkhd(tkhd) => tkhd.creation_time = u64::MAX,
            Body::Mdhd(mdhd) => mdhd.modification_time = u64::MAX,
            Body::Mehd(mehd) => mehd.fragment_duration = u64::MAX,
            Body::Tfdt(tfdt) => tfdt.base_media_decode_time = u64::MAX,
            Body::Tfxd(tfxd) => tfxd.time = u64::MAX,
            Body::Saio(saio) => saio.offsets.push(u64::MAX),
            Body::Tfrf(tfrf) => {
                tfrf.entries.pop();
            }
            Body::Tfhd(tfhd) => {
                tfhd.base_data_offset = match tfhd.base_data_offset {
                    Some(_) => None,
                    None => Some(u64::MAX),
                }
            }
            Body::Trun(trun) => {
                trun.data_offset = match trun.data_offset {
                    Some(_) => None,
                    None => Some(i32::MIN),
                }
            }
            _ => {}
        }
    }
}
