//! Random trees of boxes, for `tests/suite/boxes.rs`.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use smooth_origin::base::{FourCc, Guid};
use smooth_origin::bmff::uuid::Tfxd;
use smooth_origin::bmff::{
    AnyBox, AvcC, Body, Boxes, Co64, Ctts, Elst, Ftyp, FullBox, Header, Mdhd, Mfhd, Sdtp, Sidx,
    Size, Stco, Stsc, Stss, Stsz, Stts, Stz2, Tfdt, Tfhd, Tfra, Trun,
};

/// A random tree: known types and others, containers with padding, all three forms of a size.
pub fn tree() -> impl Strategy<Value = Boxes> {
    let leaf = prop_oneof![3 => typed(), 2 => unknown()];
    let item = leaf.prop_recursive(5, 60, 6, |inner| {
        (prop::sample::select(CONTAINERS), list(inner)).prop_map(|(kind, boxes)| {
            let mut item = AnyBox::container(kind, []);
            item.body = Body::Boxes(boxes);
            item
        })
    });
    // Behind the last box of a file there is nothing that could be padding.
    list(item).prop_map(|boxes| Boxes { padding: Bytes::new(), ..boxes })
}

fn list(item: impl Strategy<Value = AnyBox>) -> impl Strategy<Value = Boxes> {
    let sized = (item, prop::bool::weighted(0.2)).prop_map(|(mut item, large)| {
        if large {
            item.header.size = Size::Large(0);
        }
        item
    });
    (vec(sized, 0..6), 0..8_usize, prop::bool::weighted(0.2)).prop_map(|(list, padding, to_end)| {
        let mut boxes = Boxes { list, padding: vec![0; padding].into() };
        if let (true, Some(last)) = (to_end, boxes.list.last_mut()) {
            last.header.size = Size::ToEnd;
            boxes.padding = Bytes::new();
        }
        boxes
    })
}

fn unknown() -> impl Strategy<Value = AnyBox> {
    let known = |kind: &[u8; 4]| KINDS.contains(kind) || CONTAINERS.contains(kind);
    let kind = any::<[u8; 4]>().prop_filter("known", move |kind| !known(kind) && kind != b"uuid");
    let plain = (kind, bytes(40)).prop_map(|(kind, body)| AnyBox::other(kind, body));
    let extended = (any::<u128>(), bytes(40)).prop_map(|(kind, body)| {
        let header = Header::extended(Guid::from_u128(kind));
        AnyBox { header, body: Body::Other(body), rest: Bytes::new() }
    });
    prop_oneof![plain, extended]
}

/// Boxes of known types, some with bytes behind their fields.
fn typed() -> impl Strategy<Value = AnyBox> {
    let mfhd = (full(), any::<u32>())
        .prop_map(|(full, sequence_number)| AnyBox::new(Mfhd { full, sequence_number }));
    let tfdt = time().prop_map(|(full, base_media_decode_time)| {
        AnyBox::new(Tfdt { full, base_media_decode_time })
    });
    let tfxd = time().prop_map(|(full, time)| AnyBox::new(Tfxd { full, time, duration: time / 3 }));
    let mdhd = (time(), any::<(u32, u16)>()).prop_map(|((full, duration), rest)| {
        let (creation_time, modification_time) = (duration / 2, duration / 5);
        let (timescale, packed_language) = rest;
        AnyBox::new(Mdhd {
            full,
            creation_time,
            modification_time,
            timescale,
            duration,
            packed_language,
        })
    });
    let stsz = (full(), any::<(u32, u32)>()).prop_map(|(full, (sample_size, sample_count))| {
        AnyBox::new(Stsz { full, sample_size, sample_count })
    });
    let fixed = (
        prop_oneof![mfhd, tfdt, tfxd, mdhd, stsz, tfhd(), trun(), tfra(), sidx(), tables()],
        bytes(9),
    )
        .prop_map(|(item, rest)| AnyBox { rest, ..item });
    let sdtp = (full(), bytes(30)).prop_map(|(full, samples)| AnyBox::new(Sdtp { full, samples }));
    let brands = vec(any::<[u8; 4]>().prop_map(FourCc), 0..5);
    let ftyp =
        (any::<[u8; 4]>(), any::<u32>(), brands).prop_map(|(major, minor_version, brands)| {
            let major_brand = FourCc(major);
            AnyBox::new(Ftyp { major_brand, minor_version, compatible_brands: brands })
        });
    let avcc = (vec(bytes(9), 0..31), vec(bytes(9), 0..40)).prop_map(|(sps, pps)| {
        let [sps, pps] = [sps, pps].map(|units| units.into_iter().collect());
        AnyBox::new(AvcC { sps, pps, ..avcc() })
    });
    prop_oneof![4 => fixed, 1 => sdtp, 1 => ftyp, 1 => avcc]
}

/// A `tfhd` with any of its optional fields.
pub fn tfhd() -> impl Strategy<Value = AnyBox> {
    let words = any::<(Option<u64>, Option<u32>, Option<u32>, Option<u32>, Option<u32>)>();
    (any::<u32>(), words).prop_map(|(track_id, (offset, index, duration, size, flags))| {
        let there = [
            (0x1, offset.is_some()),
            (0x2, index.is_some()),
            (0x8, duration.is_some()),
            (0x10, size.is_some()),
            (0x20, flags.is_some()),
        ];
        let there = there.into_iter().filter(|(_, there)| *there).map(|(flag, _)| flag);
        AnyBox::new(Tfhd {
            full: FullBox { version: 0, flags: there.sum::<u32>() | 0x2_0000 },
            track_id,
            base_data_offset: offset,
            sample_description_index: index,
            default_sample_duration: duration,
            default_sample_size: size,
            default_sample_flags: flags,
        })
    })
}

/// A `trun` with any of its fields, and few samples.
pub fn trun() -> impl Strategy<Value = AnyBox> {
    let fields = (0..16_u32, 0..9_u32, any::<(bool, i32, bool, u32)>());
    fields.prop_map(|(fields, sample_count, (offset, data_offset, first, first_flags))| {
        let flags = fields << 8 | u32::from(offset) | u32::from(first) << 2;
        let len = fields.count_ones() * 4 * sample_count;
        AnyBox::new(Trun {
            full: FullBox { version: 1, flags },
            sample_count,
            data_offset: offset.then_some(data_offset),
            first_sample_flags: first.then_some(first_flags),
            entries: (0..len).map(|at| at as u8).collect(),
        })
    })
}

fn tfra() -> impl Strategy<Value = AnyBox> {
    (0..2_u8, any::<u32>(), 0..64_u32, 0..5_usize).prop_map(|(version, track_id, widths, count)| {
        let full = FullBox { version, flags: 0 };
        let mut tfra = Tfra { full, track_id, widths, bytes: Bytes::new() };
        tfra.bytes = (0..tfra.entry_len() * count).map(|at| at as u8).collect();
        AnyBox::new(tfra)
    })
}

fn sidx() -> impl Strategy<Value = AnyBox> {
    (time(), any::<(u32, u32, u32, u16)>(), 0..4_usize).prop_map(|((full, time), other, count)| {
        let (reference_id, timescale, first_offset, reserved) = other;
        AnyBox::new(Sidx {
            full: FullBox { version: full.version % 2, ..full },
            reference_id,
            timescale,
            earliest_presentation_time: time,
            first_offset: first_offset.into(),
            reserved,
            entries: (0..Sidx::ENTRY * count).map(|at| at as u8).collect(),
        })
    })
}

/// A sample table or an edit list, of few entries.
fn tables() -> impl Strategy<Value = AnyBox> {
    (full(), 0..8_usize, 0..5_usize).prop_map(|(full, table, count)| {
        let entries = |len: usize| (0..len * count).map(|at| at as u8).collect();
        match table {
            0 => AnyBox::new(Stts { full, entries: entries(Stts::ENTRY) }),
            1 => AnyBox::new(Ctts { full, entries: entries(Ctts::ENTRY) }),
            2 => AnyBox::new(Stsc { full, entries: entries(Stsc::ENTRY) }),
            3 => AnyBox::new(Stco { full, entries: entries(Stco::ENTRY) }),
            4 => AnyBox::new(Co64 { full, entries: entries(Co64::ENTRY) }),
            5 => AnyBox::new(Stss { full, entries: entries(Stss::ENTRY) }),
            6 => AnyBox::new(Elst {
                full,
                entries: entries(if full.version == 0 { 12 } else { 20 }),
            }),
            _ => {
                let (bits, len) = [(4, count.div_ceil(2)), (8, count), (16, 2 * count)][count % 3];
                let entries = (0..len).map(|at| at as u8).collect();
                let sample_count = count as u32;
                AnyBox::new(Stz2 { full, field_size: 0x700 | bits, sample_count, entries })
            }
        }
    })
}

fn full() -> impl Strategy<Value = FullBox> {
    (any::<u8>(), 0..1_u32 << 24).prop_map(|(version, flags)| FullBox { version, flags })
}

/// A time that fits its version.
fn time() -> impl Strategy<Value = (FullBox, u64)> {
    (full(), any::<u64>()).prop_map(|(full, time)| match full.version % 2 {
        0 => (FullBox { version: 0, ..full }, time >> 32),
        _ => (full, time),
    })
}

fn bytes(len: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..len).prop_map(Bytes::from)
}

/// A decoder configuration of one parameter set a kind.
pub fn avcc() -> AvcC {
    AvcC {
        configuration_version: 1,
        profile: 100,
        level: 30,
        length_size: 0xff,
        sps_reserved: 0xe0,
        sps: [Bytes::from_static(b"\x67sps")].into_iter().collect(),
        pps: [Bytes::from_static(b"\x68pps")].into_iter().collect(),
        ..AvcC::default()
    }
}

pub const CONTAINERS: &[[u8; 4]] = &[
    *b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl", *b"mvex", *b"moof", *b"traf", *b"mfra",
    *b"edts",
];

/// Types that are read field by field.
pub const KINDS: &[[u8; 4]] = &[
    *b"ftyp", *b"mvhd", *b"tkhd", *b"mdhd", *b"hdlr", *b"stsd", *b"stsz", *b"mehd", *b"trex",
    *b"mfhd", *b"tfhd", *b"tfdt", *b"trun", *b"sdtp", *b"senc", *b"saiz", *b"saio", *b"subs",
    *b"sbgp", *b"sidx", *b"tfra", *b"mfro", *b"avcC", *b"hvcC", *b"esds", *b"stts", *b"ctts",
    *b"stsc", *b"stz2", *b"stco", *b"co64", *b"stss", *b"elst",
];
