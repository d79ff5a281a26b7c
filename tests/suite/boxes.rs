//! Boxes: what is read is written back byte for byte, what is changed is changed and nothing
//! else, no input panics, and other readers of the format see the same in a file.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::iter::repeat_n;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mp4::ReadBox;
use proptest::collection::vec;
use proptest::prelude::*;
use shiguredo_mp4::descriptors::{
    DecoderConfigDescriptor, DecoderSpecificInfo, EsDescriptor, SlConfigDescriptor,
};
use shiguredo_mp4::{Decode, Encode, Uint, boxes as other};
use smooth_origin::base::{Error, FourCc, Guid, Limits};
use smooth_origin::bmff::uuid::{
    LiveServerManifest, PiffSenc, PiffTenc, StreamManifestBox, Tfrf, TfrfEntry, Tfxd,
};
use smooth_origin::bmff::{
    AnyBox, AudioSampleEntry, AvcC, Body, Boxes, Co64, Ctts, DOps, Dac3, Dec3, DolbyVision, Dvc1,
    DvcC, DvvC, Elst, Esds, Frma, Ftyp, FullBox, Hdlr, HvcC, Mdhd, Mehd, Mfhd, Mfro, Mvhd,
    NalArray, NalUnits, Saio, Saiz, SampleEncryption, SampleEntry, Sbgp, Schm, Sdtp, Senc, Sidx,
    Size, Stco, Stsc, Stsd, Stss, Stsz, Stts, Stz2, Subs, SubsEntry, Tenc, Tfdt, Tfhd, Tfra,
    TfraEntry, Tkhd, Trex, Trun, Typed, VisualSampleEntry, VttC, Wfex,
};
use testkit::corpus::{all, files, top_level};
use testkit::trees::{KINDS, avcc, tfhd, tree, trun};

// Real files.

#[test]
fn every_box_of_every_file_is_written_back_as_it_was() {
    let (mut typed, mut there) = (BTreeMap::new(), BTreeMap::new());
    for (name, file) in testdata() {
        let mut len = 0;
        for (offset, _, bytes) in top_level(&file) {
            let boxes = parse(&bytes, offset).unwrap();
            assert_eq!(boxes.to_bytes(), bytes, "{name}, box at {offset}");
            assert_eq!(boxes.len(), bytes.len() as u64, "{name}, box at {offset}");
            len += bytes.len();
            count_typed(&boxes, &mut typed);
        }
        assert_eq!(len, file.len(), "{name}");
        count_headers(&file, &mut there);
    }
    there.retain(|kind, _| typed.contains_key(kind));
    assert_eq!(typed, there, "some boxes were not read field by field");
    let kinds: Vec<_> = typed.keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "avcC", "esds", "ftyp", "hdlr", "mdhd", "mfhd", "mfro", "mvhd", "stco", "stsc", "stsd",
            "stsz", "stts", "tfhd", "tfra", "tkhd", "trex", "trun", "uuid"
        ]
    );
}

#[test]
fn a_field_changed_in_a_real_file_changes_nothing_else() {
    let mut changed = BTreeMap::new();
    for (name, file) in testdata() {
        for kind in [b"ftyp", b"moov", b"moof", b"mfra"] {
            let (offset, bytes) = all(&file, kind).remove(0);
            let whole = parse(&bytes, offset).unwrap();
            for number in 0..leaves(&mut whole.clone()).len() {
                let mut boxes = whole.clone();
                let leaf = leaves(&mut boxes).remove(number);
                let kind = leaf.header.kind;
                if !change(&mut leaf.body) {
                    continue;
                }
                let written = boxes.to_bytes();
                assert_eq!(parse(&written, offset).unwrap(), boxes, "{name}, {kind}");
                let differing = written.iter().zip(&bytes).filter(|(a, b)| a != b).count();
                assert_eq!((written.len(), differing), (bytes.len(), 1), "{name}, {kind}");
                *changed.entry(kind.to_string()).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(changed.len(), 17, "{changed:?}");
    assert_eq!(changed["tkhd"], 13, "one a track");
}

// Every type, and its edges.

#[test]
fn every_field_of_every_type_is_written_and_read_again() {
    let four = |version, flags| FullBox { version, flags };
    survives(
        Ftyp {
            major_brand: FourCc(*b"isml"),
            minor_version: 1,
            compatible_brands: vec![FourCc(*b"piff"), FourCc(*b"iso2")],
        },
        &[
            |b| b.major_brand = FourCc(*b"mp42"),
            |b| b.minor_version = u32::MAX,
            |b| b.compatible_brands.clear(),
            |b| b.compatible_brands.push(FourCc([0xff; 4])),
        ],
    );
    survives(
        Mvhd { timescale: 10_000_000, duration: 7, ..Mvhd::default() },
        &[
            |b| b.creation_time = u32::MAX.into(),
            |b| b.modification_time = 2,
            |b| b.timescale = 0,
            |b| b.duration = 0,
            |b| b.full = FullBox { version: 1, flags: 0xff_ffff },
        ],
    );
    survives(
        tkhd(),
        &[
            |b| b.creation_time = 1,
            |b| b.modification_time = 2,
            |b| b.track_id = u32::MAX,
            |b| b.reserved = 3,
            |b| b.duration = u32::MAX.into(),
            |b| b.layout[51] = 1,
            |b| b.width = 1920 << 16,
            |b| b.height = 1,
        ],
    );
    survives(
        Mdhd { timescale: 48_000, packed_language: 0x55c4, ..Mdhd::default() },
        &[
            |b| b.creation_time = 1,
            |b| b.modification_time = 2,
            |b| b.timescale = u32::MAX,
            |b| b.duration = 5,
            |b| b.packed_language = 0x15c7,
        ],
    );
    survives(
        Hdlr { full: four(0, 0), pre_defined: 0, handler_type: FourCc(*b"vide") },
        &[|b| b.pre_defined = 7, |b| b.handler_type = FourCc(*b"soun")],
    );
    let entry = visual(Boxes::from_iter([AnyBox::new(avcc())])).to_entry();
    let stsd = Stsd::new(four(0, 0), [entry.clone(), entry]);
    fn each(stsd: &Stsd, change: fn(&mut SampleEntry)) -> Stsd {
        let changed = stsd.entries().map(|mut entry| {
            change(&mut entry);
            entry
        });
        Stsd::new(stsd.full(), changed)
    }
    survives(
        stsd,
        &[
            |b| *b = Stsd::new(FullBox { version: 1, flags: 0 }, b.entries()),
            |b| *b = Stsd::new(b.full(), []),
            |b| *b = Stsd::new(b.full(), b.entries().take(1)),
            |b| *b = each(b, |entry| entry.header.kind = FourCc(*b"encv")),
            |b| *b = each(b, |entry| entry.data_reference_index = u16::MAX),
            |b| *b = each(b, |entry| entry.reserved = [1; 6]),
            |b| *b = each(b, |entry| entry.body = entry.body.iter().rev().copied().collect()),
        ],
    );
    survives(
        Stsz::default(),
        &[|b| b.sample_size = 5, |b| b.sample_count = u32::MAX, |b| b.full.flags = 1],
    );
    let entries = Bytes::from_static(&[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
    survives(Stsc { entries: entries.clone(), ..Stsc::default() }, &[|b| b.entries = Bytes::new()]);
    survives(Stco { entries: entries.clone(), ..Stco::default() }, &[|b| b.full.flags = 1]);
    survives(Stss { entries: entries.clone(), ..Stss::default() }, &[|b| b.full.version = 1]);
    let pairs = entries.slice(..8);
    survives(Stts { entries: pairs.clone(), ..Stts::default() }, &[|b| b.entries = Bytes::new()]);
    survives(Ctts { entries: pairs.clone(), ..Ctts::default() }, &[|b| b.full.version = 1]);
    survives(Co64 { entries: pairs, ..Co64::default() }, &[|b| b.entries = Bytes::new()]);
    survives(
        Stz2 { full: four(0, 0), field_size: 4, sample_count: 23, entries: entries.clone() },
        &[|b| b.sample_count = 24, |b| b.field_size = 0x104],
    );
    survives(Elst { full: four(0, 0), entries }, &[|b| b.entries = Bytes::new()]);
    survives(Mehd::default(), &[|b| b.fragment_duration = u32::MAX.into()]);
    survives(
        Trex::default(),
        &[
            |b| b.track_id = 1,
            |b| b.default_sample_description_index = 2,
            |b| b.default_sample_duration = 3,
            |b| b.default_sample_size = 4,
            |b| b.default_sample_flags = u32::MAX,
        ],
    );
    survives(Mfhd::default(), &[|b| b.sequence_number = u32::MAX, |b| b.full.version = 255]);
    survives(
        Tfhd {
            full: four(0, 0x2003b),
            track_id: 1,
            base_data_offset: Some(0),
            sample_description_index: Some(1),
            default_sample_duration: Some(2),
            default_sample_size: Some(3),
            default_sample_flags: Some(4),
        },
        &[
            |b| b.track_id = u32::MAX,
            |b| b.base_data_offset = Some(u64::MAX),
            |b| b.sample_description_index = Some(9),
            |b| b.default_sample_duration = Some(9),
            |b| b.default_sample_size = Some(9),
            |b| b.default_sample_flags = Some(9),
        ],
    );
    survives(Tfdt::default(), &[|b| b.base_media_decode_time = u32::MAX.into()]);
    survives(
        Trun {
            full: four(1, 0xf05),
            sample_count: 2,
            data_offset: Some(100),
            first_sample_flags: Some(0x0200_0000),
            entries: (0..32).collect(),
        },
        &[
            |b| b.data_offset = Some(i32::MIN),
            |b| b.first_sample_flags = Some(0),
            |b| b.entries = [9; 32].to_vec().into(),
            |b| (b.sample_count, b.entries) = (0, Bytes::new()),
            |b| (b.full.flags, b.entries) = (0x105, [9; 8].to_vec().into()),
            |b| (b.full.flags, b.sample_count, b.entries) = (5, u32::MAX, Bytes::new()),
        ],
    );
    survives(Sdtp::default(), &[|b| b.samples = Bytes::from_static(&[0x24, 0x14])]);
    survives(
        Senc(encryption()),
        &[
            |b| b.0.sample_count = u32::MAX,
            |b| (b.0.full.flags, b.0.track_override) = (1, Some((0x0108, PiffSenc::UUID))),
        ],
    );
    survives(
        PiffSenc(encryption()),
        &[|b| b.0.entries = Bytes::new(), |b| b.0.full.flags = 2, |b| b.0.full.version = 1],
    );
    survives(
        Saiz { full: four(0, 1), info_type: Some((1, 2)), ..sizes() },
        &[
            |b| b.info_type = Some((u32::from_be_bytes(*b"cenc"), 0)),
            |b| (b.default_sample_info_size, b.sizes) = (255, Bytes::new()),
            |b| (b.full.flags, b.info_type) = (0, None),
            |b| *b = sizes(),
        ],
    );
    survives(
        Saio { full: four(0, 1), info_type: Some((1, 2)), offsets: vec![5, u32::MAX.into()] },
        &[
            |b| b.info_type = Some((3, 4)),
            |b| b.offsets.clear(),
            |b| b.full.version = 1,
            |b| (b.full.flags, b.info_type) = (0, None),
        ],
    );
    let parts = |sample_delta, len| SubsEntry { sample_delta, subsamples: vec![7; len].into() };
    survives(
        Subs::new(four(0, 0), [parts(1, 16), parts(1, 0)]),
        &[
            |b| *b = Subs::new(b.full(), b.entries().take(1)),
            |b| *b = Subs::new(b.full(), []),
            |b| {
                let delta = |entry| SubsEntry { sample_delta: u32::MAX, ..entry };
                *b = Subs::new(b.full(), b.entries().map(delta));
            },
        ],
    );
    survives(
        Subs::new(four(1, 0), [parts(1, 20)]),
        &[|b| *b = Subs::new(b.full(), b.entries().chain(b.entries()))],
    );
    survives(
        Sbgp {
            full: four(1, 0),
            grouping_type: FourCc(*b"seig"),
            grouping_type_parameter: Some(1),
            entries: vec![0; 16].into(),
        },
        &[
            |b| b.grouping_type = FourCc(*b"rap "),
            |b| b.grouping_type_parameter = Some(u32::MAX),
            |b| b.entries = vec![3; 8].into(),
            |b| (b.full.version, b.grouping_type_parameter) = (0, None),
        ],
    );
    survives(
        Sidx {
            full: four(1, 0),
            reference_id: 1,
            timescale: 1000,
            earliest_presentation_time: 1 << 40,
            first_offset: 5,
            reserved: 0,
            entries: vec![7; 24].into(),
        },
        &[
            |b| b.reference_id = 2,
            |b| b.timescale = u32::MAX,
            |b| b.earliest_presentation_time = u64::MAX,
            |b| b.first_offset = u64::MAX,
            |b| b.reserved = u16::MAX,
            |b| b.entries = Bytes::new(),
            |b| (b.full.version, b.earliest_presentation_time) = (0, 9),
        ],
    );
    survives(
        Tfra { full: four(1, 0), track_id: 1, widths: 0, bytes: vec![1; 38].into() },
        &[
            |b| b.track_id = 2,
            |b| (b.widths, b.bytes) = (0x3f, vec![2; 28].into()),
            |b| (b.full.version, b.bytes) = (0, vec![3; 22].into()),
            |b| b.bytes = Bytes::new(),
        ],
    );
    survives(Mfro::default(), &[|b| b.size = u32::MAX]);
    survives(
        avcc(),
        &[
            |b| b.configuration_version = 2,
            |b| b.profile = 66,
            |b| b.compatibility = 0xc0,
            |b| b.level = 31,
            |b| b.length_size = 0xfc,
            |b| b.sps_reserved = 0,
            |b| b.sps = NalUnits::default(),
            |b| b.sps = repeat_n(Bytes::from(vec![0x67; u16::MAX.into()]), 31).collect(),
            |b| b.pps = repeat_n(Bytes::new(), 255).collect(),
        ],
    );
    fn array(header: u8, units: usize) -> NalArray {
        NalArray { header, units: repeat_n(Bytes::from_static(b"vps"), units).collect() }
    }
    survives(
        HvcC::new([1; 22], [array(0xa0, 1)]),
        &[
            |b| b.general[21] = 0,
            |b| *b = HvcC::new(b.general, []),
            |b| *b = HvcC::new(b.general, [array(0x21, 1)]),
            |b| *b = HvcC::new(b.general, [array(0xa0, 2)]),
            |b| *b = HvcC::new(b.general, b.arrays().chain([NalArray::default()])),
            |b| *b = HvcC::new(b.general, repeat_n(array(0xa0, 2000), 255)),
        ],
    );
    survives(
        Esds { full: four(0, 0), descriptor: Bytes::from_static(&[3, 0]) },
        &[|b| b.descriptor = Bytes::new(), |b| b.full.flags = 1],
    );
    survives(
        Tfxd { full: four(1, 0), time: 40_040_000, duration: 20_020_000 },
        &[|b| b.time = u64::MAX, |b| b.duration = 0, |b| b.full.version = 2],
    );
    survives(
        Tfrf { full: four(1, 0), entries: vec![TfrfEntry { time: 1, duration: 2 }] },
        &[
            |b| b.entries[0].time = u64::MAX,
            |b| b.entries.clear(),
            |b| b.entries = vec![TfrfEntry { time: 3, duration: 4 }; 255],
        ],
    );
    let manifest =
        LiveServerManifest { full: four(0, 0), document: Bytes::from_static(b"<smil/>") };
    survives(
        StreamManifestBox(manifest.clone()),
        &[|b| b.0.document = Bytes::new(), |b| b.0.full.flags = 1],
    );
    survives(manifest, &[|b| b.document = Bytes::from_static(b"a"), |b| b.full.version = 1]);
}

#[test]
fn every_field_of_a_codecs_configuration_is_written_and_read_again() {
    survives(
        Dvc1 {
            profile_level: 0xc4,
            specific: Bytes::from_static(b"\x40\x20\xff\xff\xff\xffheaders"),
        },
        &[|b| b.profile_level = 0, |b| b.specific = Bytes::new()],
    );
    survives(
        wfex(),
        &[
            |b| b.format_tag = u16::MAX,
            |b| b.channels = 6,
            |b| b.sampling_rate = u32::MAX,
            |b| b.bytes_per_second = 0,
            |b| b.block_align = u16::MAX,
            |b| b.bits_per_sample = 24,
            |b| b.extra = Bytes::new(),
            |b| b.extra = vec![7; u16::MAX.into()].into(),
        ],
    );
    survives(Dac3 { fields: 0x10_3d40 }, &[|b| b.fields = 0xff_ffff, |b| b.fields = 0]);
    survives(
        Dec3 { payload: Bytes::from_static(&[7, 0, 0x20, 0xf, 0]) },
        &[|b| b.payload = Bytes::new(), |b| b.payload = vec![1; 300].into()],
    );
    survives(
        DOps { channels: 2, pre_skip: 312, input_sample_rate: 48_000, ..DOps::default() },
        &[
            |b| b.version = 1,
            |b| b.channels = 1,
            |b| b.pre_skip = u16::MAX,
            |b| b.input_sample_rate = 44_100,
            |b| b.output_gain = u16::MAX,
            |b| (b.mapping_family, b.mapping) = (1, vec![2, 0, 0, 1].into()),
            |b| (b.channels, b.mapping_family, b.mapping) = (0, 255, vec![1, 0].into()),
        ],
    );
    let vision = DolbyVision { version: [1, 0], fields: 0x0a35 };
    survives(
        DvcC(vision),
        &[|b| b.0.version = [2, 1], |b| b.0.fields = u16::MAX, |b| b.0.fields = 0],
    );
    survives(DvvC(vision), &[|b| b.0.version[1] = 9, |b| b.0.fields ^= 1]);
    assert_eq!((vision.profile(), vision.level()), (5, 6));
    survives(
        VttC { config: Bytes::from_static(b"WEBVTT") },
        &[
            |b| b.config = Bytes::new(),
            |b| b.config = Bytes::from_static(b"WEBVTT\n\nREGION\nid:1"),
        ],
    );
}

#[test]
fn every_field_of_a_tracks_protection_is_written_and_read_again() {
    let full = FullBox::default();
    survives(
        Frma { data_format: FourCc(*b"avc1") },
        &[|b| b.data_format = FourCc(*b"wma "), |b| b.data_format = FourCc([0; 4])],
    );
    survives(
        Schm { full, scheme_type: FourCc(*b"piff"), scheme_version: 0x1_0000 },
        &[
            |b| b.full.flags = 1,
            |b| b.scheme_type = FourCc(*b"cbcs"),
            |b| b.scheme_version = u32::MAX,
        ],
    );
    survives(
        tenc(),
        &[
            |b| b.full.version = 1,
            |b| b.reserved = 0xff,
            |b| b.pattern = 0x19,
            |b| b.is_protected = 0,
            |b| b.iv_size = 16,
            |b| b.key_id = Guid::from_u128(u128::MAX),
            |b| (b.iv_size, b.constant_iv) = (0, Some(vec![9; 16].into())),
            |b| (b.iv_size, b.constant_iv) = (0, Some(Bytes::new())),
            |b| (b.iv_size, b.constant_iv) = (0, Some(vec![9; 255].into())),
        ],
    );
    survives(
        PiffTenc { full, algorithm_id: 1, iv_size: 8, key_id: Guid::from_u128(5) },
        &[
            |b| b.full.flags = 1,
            |b| b.algorithm_id = 0xff_ffff,
            |b| b.iv_size = 16,
            |b| b.key_id = Guid::from_u128(6),
        ],
    );
}

/// As MssGen wrote it into a file for PlayReady: the lengths, and the order of the key's bytes.
#[test]
fn the_protection_of_an_entry_is_read_where_it_lies() {
    let sinf = [
        "0000006073696e66",
        "0000000c66726d61776d6120",
        "000000147363686d000000007069666600010000",
        "0000003873636869",
        "00000030757569648974dbce7be74c5184f97148f9882554",
        "0000000000000108c5c971897e674646949e0cd4dd92cbd7",
    ];
    let bytes = unhex(&sinf.concat());
    let boxes = parse(&bytes, 0).unwrap();
    assert_eq!(boxes.to_bytes(), bytes);
    let sinf = boxes.inside(*b"sinf").unwrap();
    assert_eq!(sinf.get::<Frma>().unwrap().data_format, *b"wma ");
    let scheme = sinf.get::<Schm>().unwrap();
    assert_eq!((scheme.scheme_type.0, scheme.scheme_version), (*b"piff", 0x1_0000));
    let track = sinf.inside(*b"schi").unwrap().get::<PiffTenc>().unwrap();
    assert_eq!((track.algorithm_id, track.iv_size), (1, 8));
    assert_eq!(track.key_id.to_string(), "c5c97189-7e67-4646-949e-0cd4dd92cbd7");
}

#[test]
fn lengths_in_a_configuration_are_checked_against_what_is_there() {
    let cut = |content: AnyBox, more: usize| {
        let mut bytes = Boxes::from_iter([content]).to_bytes().to_vec();
        let len = bytes.len() - more;
        bytes.truncate(len);
        bytes[..4].copy_from_slice(&(len as u32).to_be_bytes());
        // In a sample entry: elsewhere, nothing needs a configuration, and it is kept as bytes.
        let entry = visual(Boxes { padding: bytes.clone().into(), ..Boxes::default() }).to_entry();
        assert_eq!(parse(&bytes.into(), 0).unwrap().list[0].rest, Bytes::new());
        VisualSampleEntry::parse(&entry, &Limits::default()).unwrap_err().to_string()
    };
    assert_eq!(cut(AnyBox::new(wfex()), 1), "avc1/wfex at byte 96: needs 10 bytes, has 9");
    let constant = Tenc { iv_size: 0, constant_iv: Some(vec![9; 16].into()), ..tenc() };
    assert_eq!(cut(AnyBox::new(constant), 1), "avc1/tenc at byte 103: needs 16 bytes, has 15");
    let mapped =
        DOps { channels: 255, mapping_family: 1, mapping: vec![0; 257].into(), ..DOps::default() };
    assert_eq!(cut(AnyBox::new(mapped), 257), "avc1/dOps at byte 89: needs 257 bytes, has 0");
    assert_eq!(cut(AnyBox::new(Dac3::default()), 1), "avc1/dac3 at byte 78: needs 3 bytes, has 2");
}

#[test]
fn a_version_0_that_gets_a_time_beyond_32_bits_is_written_as_version_1() {
    widens(Mvhd::default(), &[|b, t| b.creation_time = t, |b, t| b.duration = t], |b| &mut b.full);
    widens(Mvhd::default(), &[|b, t| b.modification_time = t], |b| &mut b.full);
    widens(tkhd(), &[|b, t| b.creation_time = t, |b, t| b.duration = t], |b| &mut b.full);
    widens(tkhd(), &[|b, t| b.modification_time = t], |b| &mut b.full);
    widens(Mdhd::default(), &[|b, t| b.creation_time = t, |b, t| b.duration = t], |b| &mut b.full);
    widens(Mdhd::default(), &[|b, t| b.modification_time = t], |b| &mut b.full);
    widens(Mehd::default(), &[|b, t| b.fragment_duration = t], |b| &mut b.full);
    widens(Tfdt::default(), &[|b, t| b.base_media_decode_time = t], |b| &mut b.full);
    widens(Tfxd::default(), &[|b, t| b.time = t, |b, t| b.duration = t], |b| &mut b.full);
    let saio = Saio { offsets: vec![1, 2], ..Saio::default() };
    widens(saio, &[|b, t| b.offsets[0] = t, |b, t| b.offsets[1] = t], |b| &mut b.full);
    let tfrf = Tfrf { entries: vec![TfrfEntry::default(); 2], ..Tfrf::default() };
    widens(tfrf, &[|b, t| b.entries[1].time = t, |b, t| b.entries[0].duration = t], |b| {
        &mut b.full
    });
}

#[test]
fn the_flags_of_tfhd_and_trun_follow_the_fields_that_are_there() {
    let tfhd = Tfhd {
        full: FullBox { version: 0, flags: 0x2003b },
        default_sample_size: Some(5),
        ..Tfhd::default()
    };
    let again: Tfhd = written_again(&tfhd);
    assert_eq!(again, Tfhd { full: FullBox { version: 0, flags: 0x20010 }, ..tfhd });

    let trun = Trun { full: FullBox { version: 0, flags: 4 }, data_offset: Some(-1), ..run(0) };
    let again: Trun = written_again(&trun);
    assert_eq!(again, Trun { full: FullBox { version: 0, flags: 1 }, ..trun });
}

#[test]
fn encryption_entries_divide_only_into_as_many_as_are_claimed() {
    let iv = [9; 8];
    let parts = [0, 2, 0, 5, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0]; // 5 clear and 7 not, 0 and 65,536
    let of = |flags, sample_count, entries: Vec<u8>| SampleEncryption {
        full: FullBox { version: 0, flags },
        sample_count,
        entries: entries.into(),
        ..SampleEncryption::default()
    };
    let lengths = |info: &SampleEncryption, iv_size| {
        info.split(iv_size).map(|entries| entries.map(<[u8]>::len).collect::<Vec<_>>())
    };
    let plain = of(0, 3, iv.repeat(3));
    assert_eq!((lengths(&plain, 8), lengths(&plain, 16)), (Some(vec![8; 3]), None));
    let wide = of(0, 3, iv.repeat(6));
    assert_eq!((lengths(&wide, 8), lengths(&wide, 16)), (None, Some(vec![16; 3])));
    let any = |info: &SampleEncryption| {
        info.split_any().map(|entries| entries.map(<[u8]>::len).collect::<Vec<_>>())
    };
    assert_eq!(any(&wide), Some(vec![16; 3]));
    let divided = of(SampleEncryption::SUBSAMPLES, 2, [&iv[..], &parts].concat().repeat(2));
    assert_eq!(lengths(&divided, 8), Some(vec![22; 2]));
    let constant = of(SampleEncryption::SUBSAMPLES, 2, parts.repeat(2));
    assert_eq!((lengths(&constant, 0), any(&constant)), (Some(vec![14; 2]), Some(vec![14; 2])));
    // Entries of no bytes: four billion of them would be a list like any other.
    assert_eq!(any(&of(0, u32::MAX, Vec::new())), None);
    assert_eq!(any(&of(0, 2, iv.to_vec())), None);
    assert_eq!(any(&of(0, 2, vec![9; 15])), None);
}

#[test]
fn sample_entries_give_their_boxes_and_take_others() {
    let limits = Limits::default();
    let one = visual(Boxes::from_iter([AnyBox::new(avcc())]));
    let mut two = one.clone();
    two.boxes.list.push(AnyBox::other(*b"pasp", [0, 0, 0, 4, 0, 0, 0, 3].to_vec()));
    (two.width, two.height) = (u16::MAX, 0);
    for entry in [one, two] {
        let stsd = Stsd::new(FullBox::default(), [entry.to_entry()]);
        let again = written_again(&stsd).entries().next().unwrap();
        let read = VisualSampleEntry::parse(&again, &limits).unwrap();
        assert_eq!(without_sizes(read.boxes), entry.boxes);
        assert_eq!((read.width, read.height), (entry.width, entry.height));
    }
}

#[test]
fn audio_entries_of_every_version_give_their_boxes() {
    let limits = Limits::default();
    let esds = AnyBox::new(Esds { descriptor: Bytes::from_static(b"d"), ..Esds::default() });
    let audio = AudioSampleEntry {
        format: FourCc(*b"mp4a"),
        channel_count: 6,
        sample_size: 16,
        sample_rate: 48_000 << 16,
        boxes: Boxes::from_iter([esds]),
    };
    let iso = audio.to_entry();
    // QuickTime's versions 1 and 2 put 16 and 36 bytes in front of the boxes.
    for (version, more) in [(0, 0), (1, 0), (1, 16), (2, 36)] {
        let mut body = iso.body.to_vec();
        body[1] = version;
        body.splice(20..20, vec![1; more]);
        let mut entry = iso.clone();
        entry.body = body.into();
        let read = AudioSampleEntry::parse(&entry, &limits).unwrap();
        assert_eq!(read.boxes.get::<Esds>().unwrap().descriptor, b"d"[..], "{version} {more}");
        assert_eq!((read.channel_count, read.sample_rate), (6, 48_000 << 16));
    }
    for len in 0..iso.body.len() {
        let mut cut = iso.clone();
        cut.body = iso.body.slice(..len);
        // Without the boxes it is whole, and up to three zeros are padding.
        let whole = (20..=23).contains(&len);
        assert_eq!(AudioSampleEntry::parse(&cut, &limits).is_ok(), whole, "{len}");
    }
}

// Any input.

proptest! {
    #[test]
    fn any_tree_of_boxes_comes_back_as_it_was(boxes in tree()) {
        let bytes = boxes.to_bytes();
        prop_assert_eq!(bytes.len() as u64, boxes.len());
        let again = parse(&bytes, 77).unwrap();
        prop_assert_eq!(again.to_bytes(), bytes);
        prop_assert_eq!(without_sizes(again), without_sizes(boxes));
    }

    #[test]
    fn any_body_of_a_known_type_is_refused_or_written_back(
        kind in prop::sample::select([KINDS, CONFIGURATIONS].concat()),
        body in vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..120),
    ) {
        let mut bytes = (8 + body.len() as u32).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(body);
        read_whatever(&bytes.into());
    }

    #[test]
    fn any_body_of_an_extended_type_is_refused_or_written_back(
        kind in prop::sample::select(
            &[
                Tfxd::UUID,
                Tfrf::UUID,
                PiffSenc::UUID,
                PiffTenc::UUID,
                LiveServerManifest::UUID,
                StreamManifestBox::UUID,
            ][..]
        ),
        body in vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..120),
    ) {
        let mut bytes = (24 + body.len() as u32).to_be_bytes().to_vec();
        bytes.extend(b"uuid");
        bytes.extend(kind.to_be_bytes());
        bytes.extend(body);
        read_whatever(&bytes.into());
    }
}

#[test]
fn any_prefix_of_a_real_box_is_refused() {
    for (name, file) in testdata() {
        for kind in [b"ftyp", b"moov", b"moof", b"mfra"] {
            let (offset, bytes) = all(&file, kind).remove(0);
            for len in 1..bytes.len() {
                let error = parse(&bytes.slice(..len), offset).expect_err("a part is no box");
                assert!(error.to_string().contains("needs"), "{name}, {len}: {error}");
            }
            // The same when the outermost box claims to be no longer than what is there.
            for len in 8..bytes.len() {
                let mut cut = bytes[..len].to_vec();
                cut[..4].copy_from_slice(&(len as u32).to_be_bytes());
                read_whatever(&cut.into());
            }
        }
    }
}

#[test]
fn any_byte_changed_in_a_real_box_is_refused_or_written_back_in_bounded_time() {
    for file in ["bframes/bframes.ismv", "split/split_audio.isma"] {
        let (_, bytes) = testdata().into_iter().find(|(name, _)| name == file).unwrap();
        for kind in [b"moov", b"moof"] {
            let (_, whole) = all(&bytes, kind).remove(0);
            for at in 0..whole.len() {
                for change in [1 << (at % 8), 0x80, 0xff] {
                    let mut changed = whole.to_vec();
                    changed[at] ^= change;
                    let begun = Instant::now();
                    read_whatever(&changed.into());
                    // Usual is below a millisecond; a busy machine may stall for a second.
                    assert!(begun.elapsed() < Duration::from_secs(10), "{file}, byte {at}");
                }
            }
        }
    }
}

// Second opinions.

#[test]
fn shiguredo_mp4_sees_the_same_tracks_in_every_moov() {
    let mut tracks = 0;
    for (name, file) in testdata() {
        let (offset, bytes) = all(&file, b"moov").remove(0);
        let (theirs, len) = other::MoovBox::decode(&bytes).unwrap();
        assert_eq!(len, bytes.len());
        let boxes = parse(&bytes, offset).unwrap();
        let ours = boxes.inside(*b"moov").unwrap();
        let mvhd = ours.get::<Mvhd>().unwrap();
        assert_eq!(mvhd.timescale, theirs.mvhd_box.timescale.get(), "{name}");
        assert_eq!(mvhd.duration, theirs.mvhd_box.duration, "{name}");
        assert_eq!(ours.each(*b"trak").count(), theirs.trak_boxes.len(), "{name}");
        for (ours, theirs) in ours.each(*b"trak").zip(&theirs.trak_boxes) {
            same_track(ours, theirs);
            tracks += 1;
        }
        let trex = ours.inside(*b"mvex").unwrap().all::<Trex>();
        let theirs = theirs.mvex_box.unwrap().trex_boxes;
        let ours: Vec<_> = trex
            .map(|b| (b.track_id, b.default_sample_description_index, b.default_sample_flags))
            .collect();
        let theirs: Vec<_> = theirs
            .iter()
            .map(|b| {
                let flags = b.default_sample_flags.get();
                (b.track_id, b.default_sample_description_index, flags)
            })
            .collect();
        assert_eq!(ours, theirs, "{name}");
    }
    assert_eq!(tracks, 13);
}

#[test]
fn shiguredo_mp4_sees_the_same_samples_in_every_moof() {
    let (mut fragments, mut samples) = (0, 0);
    for (name, file) in testdata() {
        for (offset, bytes) in all(&file, b"moof") {
            let (theirs, _) = other::MoofBox::decode(&bytes).unwrap();
            let boxes = parse(&bytes, offset).unwrap();
            let ours = boxes.inside(*b"moof").unwrap();
            let number = ours.get::<Mfhd>().unwrap().sequence_number;
            assert_eq!(number, theirs.mfhd_box.sequence_number, "{name}");
            assert_eq!(ours.each(*b"traf").count(), theirs.traf_boxes.len(), "{name}");
            for (ours, theirs) in ours.each(*b"traf").zip(&theirs.traf_boxes) {
                same_tfhd(ours.get().unwrap(), &theirs.tfhd_box);
                assert!(ours.get::<Tfdt>().is_none() && theirs.tfdt_box.is_none());
                assert_eq!(ours.all::<Trun>().count(), theirs.trun_boxes.len());
                for (ours, theirs) in ours.all::<Trun>().zip(&theirs.trun_boxes) {
                    same_run(ours, theirs);
                    samples += theirs.samples.len();
                }
            }
            fragments += 1;
        }
    }
    // 13 tracks of 12 fragments, one of them of 13.
    assert_eq!(fragments, 13 * 12 + 1);
    assert!(samples > 8000, "{samples}");
}

#[test]
fn shiguredo_mp4_sees_the_same_entries_in_every_mfra() {
    let mut count = 0;
    for (name, file) in testdata() {
        let (offset, bytes) = all(&file, b"mfra").remove(0);
        let (theirs, _) = other::MfraBox::decode(&bytes).unwrap();
        let boxes = parse(&bytes, offset).unwrap();
        let ours = boxes.inside(*b"mfra").unwrap();
        let size = ours.get::<Mfro>().unwrap().size;
        assert_eq!((size, size as usize), (theirs.mfro_box.size, bytes.len()), "{name}");
        assert_eq!(ours.all::<Tfra>().count(), theirs.tfra_boxes.len(), "{name}");
        for (ours, theirs) in ours.all::<Tfra>().zip(&theirs.tfra_boxes) {
            assert_eq!(ours.track_id, theirs.track_id);
            let entries: Vec<_> = ours.entries().collect();
            let ours_as_theirs: Vec<_> = entries.iter().map(their_entry).collect();
            assert_eq!(ours_as_theirs, theirs.entries, "{name}");
            assert_eq!(entries.len(), ours.count());
            let moofs = all(&file, b"moof");
            assert!(entries.iter().all(|e| moofs.iter().any(|(at, _)| *at == e.moof_offset)));
            count += entries.len();
        }
    }
    assert_eq!(count, 13 * 12 + 1);
}

proptest! {
    #[test]
    fn shiguredo_mp4_reads_what_we_write(tfhd in tfhd(), truns in vec(trun(), 1..4)) {
        let truns_of = |boxes: &Boxes| boxes.all::<Trun>().cloned().collect::<Vec<_>>();
        let traf = Boxes::from_iter([tfhd].into_iter().chain(truns));
        let mfhd = AnyBox::new(Mfhd { sequence_number: 7, ..Mfhd::default() });
        let moof = [mfhd, AnyBox::container(*b"traf", traf.list.clone())];
        let bytes = Boxes::from_iter([AnyBox::container(*b"moof", moof)]).to_bytes();
        let (theirs, len) = other::MoofBox::decode(&bytes).unwrap();
        prop_assert_eq!((len, theirs.mfhd_box.sequence_number), (bytes.len(), 7));
        same_tfhd(traf.get().unwrap(), &theirs.traf_boxes[0].tfhd_box);
        for (ours, theirs) in truns_of(&traf).iter().zip(&theirs.traf_boxes[0].trun_boxes) {
            same_run(ours, theirs);
        }
    }
}

#[test]
fn we_read_what_shiguredo_mp4_writes_into_a_tfra_of_any_widths() {
    for widths in 0..64_u32 {
        let [traf, trun, sample] = [4, 2, 0].map(|shift| (widths >> shift & 3) as u8);
        for version in [0, 1] {
            let largest = if version == 0 { u32::MAX.into() } else { u64::MAX };
            let entries =
                vec![entry(0, 28, [1, 1, 1]), entry(largest, largest - 1, [255, 254, 253])];
            let theirs = other::TfraBox {
                version,
                track_id: 5,
                length_size_of_traf_num: traf,
                length_size_of_trun_num: trun,
                length_size_of_sample_num: sample,
                entries: entries.iter().map(their_entry).collect(),
            };
            let bytes = Bytes::from(theirs.encode_to_vec().unwrap());
            let boxes = parse(&bytes, 0).unwrap();
            let ours = boxes.get::<Tfra>().unwrap();
            assert_eq!((ours.track_id, ours.widths, ours.count()), (5, widths, 2));
            assert_eq!(ours.entries().collect::<Vec<_>>(), entries, "{version} {widths:06b}");
            assert!(entries[0].starts_fragment() && !entries[1].starts_fragment());
        }
    }
}

#[test]
fn we_read_what_shiguredo_mp4_writes_into_an_esds_of_any_length() {
    for len in [0, 2, 5, 106, 107, 108, 127, 128, 20_000] {
        let specific: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let dec_config_descr = DecoderConfigDescriptor {
            object_type_indication: 0x40,
            stream_type: DecoderConfigDescriptor::STREAM_TYPE_AUDIO,
            up_stream: DecoderConfigDescriptor::UP_STREAM_FALSE,
            buffer_size_db: Uint::new(0xff_ffff),
            max_bitrate: 128_000,
            avg_bitrate: 96_000,
            dec_specific_info: Some(DecoderSpecificInfo { payload: specific.clone() }),
        };
        for (depends_on, url, clock) in
            [(None, None, None), (Some(9), Some("u".repeat(200)), Some(8)), (None, None, Some(7))]
        {
            let es = EsDescriptor {
                es_id: 1,
                stream_priority: EsDescriptor::LOWEST_STREAM_PRIORITY,
                depends_on_es_id: depends_on,
                url_string: url,
                ocr_es_id: clock,
                dec_config_descr: dec_config_descr.clone(),
                sl_config_descr: SlConfigDescriptor,
            };
            let bytes = other::EsdsBox { es }.encode_to_vec().unwrap().into();
            let config = parse(&bytes, 0).unwrap().get::<Esds>().unwrap().decoder_config();
            let config = config.unwrap().unwrap();
            assert_eq!((config.max_bitrate, config.average_bitrate), (128_000, 96_000));
            assert_eq!((config.object_type, &config.specific[..]), (0x40, &specific[..]));
        }
    }
}

/// More than these boxes `mp4` 0.14 does not read: it uses neither `data_offset` nor the `moof`'s
/// place, and keeps only the last `trex` of a file.
#[test]
fn mp4_sees_the_same_in_ftyp_moov_and_moof() {
    for (name, file) in testdata() {
        let read = |kind| parse(&all(&file, kind)[0].1, 0).unwrap();
        let ftyp: mp4::FtypBox = theirs(&all(&file, b"ftyp")[0].1);
        let boxes = read(b"ftyp");
        let ours = boxes.get::<Ftyp>().unwrap();
        assert_eq!(ours.major_brand.0, ftyp.major_brand.value, "{name}");
        assert_eq!(ours.minor_version, ftyp.minor_version);
        let brands: Vec<_> = ours.compatible_brands.iter().map(|brand| brand.0).collect();
        let theirs_brands = ftyp.compatible_brands.iter().map(|brand| brand.value);
        assert_eq!(brands, theirs_brands.collect::<Vec<_>>());

        let moov: mp4::MoovBox = theirs(&all(&file, b"moov")[0].1);
        let boxes = read(b"moov");
        let ours = boxes.inside(*b"moov").unwrap();
        assert_eq!(ours.get::<Mvhd>().unwrap().timescale, moov.mvhd.timescale);
        assert_eq!(ours.each(*b"trak").count(), moov.traks.len());
        for (ours, theirs) in ours.each(*b"trak").zip(&moov.traks) {
            let (tkhd, mdia) = (ours.get::<Tkhd>().unwrap(), ours.inside(*b"mdia").unwrap());
            assert_eq!(tkhd.track_id, theirs.tkhd.track_id);
            assert_eq!(tkhd.width >> 16, u32::from(theirs.tkhd.width.value()));
            let mdhd = mdia.get::<Mdhd>().unwrap();
            assert_eq!(mdhd.timescale, theirs.mdia.mdhd.timescale);
            assert_eq!(mdhd.language().unwrap(), theirs.mdia.mdhd.language);
            let handler = theirs.mdia.hdlr.handler_type.value;
            assert_eq!(mdia.get::<Hdlr>().unwrap().handler_type.0, handler);
            let stsd = &theirs.mdia.minf.stbl.stsd;
            let entry = &stsd_of(ours).entries().next().unwrap();
            if let Some(theirs) = &stsd.avc1 {
                let ours = VisualSampleEntry::parse(entry, &Limits::default()).unwrap();
                assert_eq!((ours.width, ours.height), (theirs.width, theirs.height));
                let ours = ours.boxes.get::<AvcC>().unwrap();
                let sps = &theirs.avcc.sequence_parameter_sets[0].bytes;
                assert_eq!((ours.sps.len(), ours.sps.first().as_deref()), (1, Some(&sps[..])));
                assert_eq!(ours.profile, theirs.avcc.avc_profile_indication);
            } else {
                let ours = AudioSampleEntry::parse(entry, &Limits::default()).unwrap();
                let theirs = stsd.mp4a.as_ref().unwrap();
                assert_eq!(ours.channel_count, theirs.channelcount);
                assert_eq!(ours.sample_rate >> 16, u32::from(theirs.samplerate.value()));
                let config = ours.boxes.get::<Esds>().unwrap().decoder_config().unwrap().unwrap();
                let theirs = &theirs.esds.as_ref().unwrap().es_desc.dec_config;
                assert_eq!(config.object_type, theirs.object_type_indication);
                assert_eq!(config.max_bitrate, theirs.max_bitrate);
                assert_eq!(config.specific[0] >> 3, theirs.dec_specific.profile);
            }
        }

        let moof: mp4::MoofBox = theirs(&all(&file, b"moof")[0].1);
        let boxes = read(b"moof");
        let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
        let theirs = &moof.trafs[0];
        let ours = traf.get::<Tfhd>().unwrap();
        assert_eq!(ours.track_id, theirs.tfhd.track_id);
        assert_eq!(ours.default_sample_flags, theirs.tfhd.default_sample_flags);
        let (ours, theirs) = (traf.get::<Trun>().unwrap(), theirs.trun.as_ref().unwrap());
        assert_eq!(
            (ours.sample_count, ours.data_offset),
            (theirs.sample_count, theirs.data_offset)
        );
        assert_eq!(ours.first_sample_flags, theirs.first_sample_flags);
        let durations: Vec<_> = ours.samples().filter_map(|sample| sample.duration).collect();
        let sizes: Vec<_> = ours.samples().filter_map(|sample| sample.size).collect();
        assert_eq!(
            (durations, sizes),
            (theirs.sample_durations.clone(), theirs.sample_sizes.clone())
        );
        let offsets: Vec<_> = ours.samples().filter_map(|s| s.composition_offset).collect();
        let theirs: Vec<_> = theirs.sample_cts.iter().map(|&offset| offset as i32).collect();
        assert_eq!(offsets, theirs);
    }
}

// Helpers.

/// Types that stand in sample entries alone.
const CONFIGURATIONS: &[[u8; 4]] = &[
    *b"dvc1", *b"wfex", *b"dac3", *b"dec3", *b"dOps", *b"vttC", *b"dvcC", *b"dvvC", *b"frma",
    *b"schm", *b"tenc", *b"sinf", *b"schi",
];

/// The media files of `testdata/`.
fn testdata() -> Vec<(String, Bytes)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let mut found = files(Path::new(root), &[".ismv", ".isma", ".ismt", ".mp4"]);
    // Other producers' shapes have tests of their own.
    found.retain(|(name, _)| !name.starts_with("dialects/"));
    assert!(found.len() >= 7, "testdata/ is not whole");
    found
}

fn parse(bytes: &Bytes, offset: u64) -> Result<Boxes, Error> {
    Boxes::parse(bytes, offset, &Limits::default())
}

/// Counts the boxes that are read field by field, those in sample entries too.
fn count_typed(boxes: &Boxes, counts: &mut BTreeMap<String, usize>) {
    for item in &boxes.list {
        match &item.body {
            Body::Boxes(inner) => count_typed(inner, counts),
            Body::Other(_) => {}
            typed => {
                *counts.entry(item.header.kind.to_string()).or_insert(0) += 1;
                let Body::Stsd(stsd) = typed else { continue };
                for entry in &stsd.entries().collect::<Vec<_>>() {
                    let limits = Limits::default();
                    let inner = match &entry.format().0 {
                        b"avc1" => VisualSampleEntry::parse(entry, &limits).unwrap().boxes,
                        _ => AudioSampleEntry::parse(entry, &limits).unwrap().boxes,
                    };
                    count_typed(&inner, counts);
                }
            }
        }
    }
}

/// Counts box headers by a walk of its own, that knows nothing but sizes and names.
fn count_headers(bytes: &[u8], counts: &mut BTreeMap<String, usize>) {
    let mut left = bytes;
    while left.len() >= 8 {
        let len = u32::from_be_bytes(left[..4].try_into().unwrap()) as usize;
        let kind = String::from_utf8_lossy(&left[4..8]).into_owned();
        let fields = match kind.as_str() {
            "moov" | "trak" | "mdia" | "minf" | "stbl" | "mvex" | "moof" | "traf" | "mfra" => 8,
            "stsd" => 16,
            "avc1" => 86,
            "mp4a" => 36,
            _ => len,
        };
        count_headers(&left[fields..len], counts);
        *counts.entry(kind).or_insert(0) += 1;
        left = &left[len..];
    }
}

/// All boxes that enclose no others.
fn leaves(boxes: &mut Boxes) -> Vec<&mut AnyBox> {
    let mut found = Vec::new();
    for item in &mut boxes.list {
        if !matches!(item.body, Body::Boxes(_)) {
            found.push(item);
        } else if let Body::Boxes(inner) = &mut item.body {
            found.extend(leaves(inner));
        }
    }
    found
}

/// Changes one byte of a field, in each type that a file of ours holds.
fn change(body: &mut Body) -> bool {
    match body {
        Body::Ftyp(b) => b.minor_version ^= 1,
        Body::Mvhd(b) => b.timescale ^= 1,
        Body::Tkhd(b) => b.track_id ^= 1,
        Body::Mdhd(b) => b.packed_language ^= 1,
        Body::Hdlr(b) => b.handler_type.0[3] ^= 1,
        Body::Stsd(b) => {
            let mut entries: Vec<_> = b.entries().collect();
            entries[0].data_reference_index ^= 1;
            *b = Stsd::new(b.full(), entries);
        }
        Body::Stts(b) => b.full.flags ^= 1,
        Body::Stsc(b) => b.full.flags ^= 1,
        Body::Stco(b) => b.full.flags ^= 1,
        Body::Stsz(b) => b.sample_count ^= 1,
        Body::Trex(b) => b.default_sample_duration ^= 1,
        Body::Mfhd(b) => b.sequence_number ^= 1,
        Body::Tfhd(b) => b.track_id ^= 1,
        Body::Trun(b) => b.data_offset = b.data_offset.map(|offset| offset ^ 1),
        Body::Tfxd(b) => b.time ^= 1,
        Body::Tfra(b) => b.track_id ^= 1,
        Body::Mfro(b) => b.size ^= 1,
        _ => return false,
    }
    true
}

/// Each change is in what is written, and in what is read again.
fn survives<T: Typed + Clone + PartialEq + Debug>(content: T, changes: &[fn(&mut T)]) {
    assert_eq!(written_again(&content), content);
    for (number, change) in changes.iter().enumerate() {
        let mut changed = content.clone();
        change(&mut changed);
        assert_ne!(changed, content, "change {number} changes nothing");
        assert_eq!(written_again(&changed), changed, "change {number}");
    }
}

/// Each time, one above 32 bits and one below, is kept; `full` says in which version.
fn widens<T: Typed + Clone + PartialEq + Debug>(
    content: T,
    times: &[fn(&mut T, u64)],
    full: fn(&mut T) -> &mut FullBox,
) {
    for set in times {
        let small = u64::from(u32::MAX);
        for (version, time, expected) in
            [(0, small, 0), (0, small + 1, 1), (0, u64::MAX, 1), (1, 5, 1), (1, u64::MAX, 1)]
        {
            let mut changed = content.clone();
            full(&mut changed).version = version;
            set(&mut changed, time);
            let again = written_again(&changed);
            full(&mut changed).version = expected;
            assert_eq!(again, changed);
        }
    }
}

/// Written with bytes of the future behind it, where it does not reach to its end itself.
fn written_again<T: Typed + Clone>(content: &T) -> T {
    let bytes = Boxes::from_iter([AnyBox::new(content.clone())]).to_bytes();
    let boxes = parse(&bytes, 0).unwrap();
    assert_eq!(boxes.to_bytes(), bytes);
    assert!(boxes.list[0].rest.is_empty());

    let mut longer = AnyBox::new(content.clone());
    longer.rest = Bytes::from_static(b"rest");
    let bytes = Boxes::from_iter([longer]).to_bytes();
    assert_eq!(parse(&bytes, 0).unwrap().to_bytes(), bytes);
    boxes.get::<T>().unwrap().clone()
}

fn tkhd() -> Tkhd {
    Tkhd {
        full: FullBox { version: 0, flags: 7 },
        creation_time: 0,
        modification_time: 0,
        track_id: 1,
        reserved: 0,
        duration: 0,
        layout: [0; 52],
        width: 320 << 16,
        height: 180 << 16,
    }
}

fn wfex() -> Wfex {
    Wfex {
        format_tag: 0x162,
        channels: 2,
        sampling_rate: 48_000,
        bytes_per_second: 16_000,
        block_align: 5462,
        bits_per_sample: 16,
        extra: vec![7; 10].into(),
    }
}

fn tenc() -> Tenc {
    Tenc {
        full: FullBox::default(),
        reserved: 0,
        pattern: 0,
        is_protected: 1,
        iv_size: 8,
        key_id: Guid::from_u128(5),
        constant_iv: None,
    }
}

fn unhex(digits: &str) -> Bytes {
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn visual(boxes: Boxes) -> VisualSampleEntry {
    VisualSampleEntry { format: FourCc(*b"avc1"), width: 320, height: 180, boxes }
}

fn run(sample_count: u32) -> Trun {
    Trun { sample_count, ..Trun::default() }
}

fn encryption() -> SampleEncryption {
    let entries = Bytes::from_static(&[7; 16]);
    SampleEncryption { sample_count: 2, entries, ..SampleEncryption::default() }
}

fn sizes() -> Saiz {
    Saiz { sample_count: 3, sizes: Bytes::from_static(&[8, 16, 0]), ..Saiz::default() }
}

/// The same boxes, whose headers say in which form their sizes are and not how large.
fn without_sizes(mut boxes: Boxes) -> Boxes {
    for item in &mut boxes.list {
        item.header.size = match item.header.size {
            Size::Compact(_) => Size::Compact(0),
            Size::Large(_) => Size::Large(0),
            Size::ToEnd => Size::ToEnd,
        };
        if let Body::Boxes(inner) = &mut item.body {
            *inner = without_sizes(std::mem::take(inner));
        }
    }
    boxes
}

/// What can be read is written back as it was; everything that can be asked of it is asked.
fn read_whatever(bytes: &Bytes) {
    if let Ok(boxes) = parse(bytes, 0) {
        assert_eq!(boxes.to_bytes(), bytes);
        ask(&boxes);
    }
}

fn ask(boxes: &Boxes) {
    let limits = Limits::default();
    for item in &boxes.list {
        match &item.body {
            Body::Boxes(inner) => ask(inner),
            Body::Mdhd(b) => drop(b.language()),
            Body::Stsd(b) => {
                for entry in &b.entries().collect::<Vec<_>>() {
                    let _ = AudioSampleEntry::parse(entry, &limits);
                    let _ = VisualSampleEntry::parse(entry, &limits);
                }
            }
            Body::Trun(b) => assert!(b.samples().take(99).count() <= b.sample_count as usize),
            Body::Tfra(b) => assert_eq!(b.entries().count(), b.count()),
            Body::Sidx(b) => assert_eq!(b.references().count(), b.count()),
            Body::Senc(Senc(b)) | Body::PiffSenc(PiffSenc(b)) => drop(b.split_any()),
            Body::Sbgp(b) => assert_eq!(b.runs().count(), b.entries.len() / 8),
            Body::Esds(b) => drop(b.decoder_config()),
            Body::AvcC(b) => assert!(b.nal_length_size() <= 4),
            Body::Dvc1(b) => assert!(b.headers().is_none_or(|h| h.len() < b.specific.len())),
            Body::Dac3(b) => assert!(b.fscod() < 4 && b.acmod() < 8 && b.bit_rate_code() < 32),
            Body::DvcC(DvcC(b)) | Body::DvvC(DvvC(b)) => {
                assert!(b.profile() < 128 && b.level() < 64)
            }
            Body::Dec3(b) => drop((b.data_rate(), b.substream())),
            Body::HvcC(b) => assert!(b.nal_length_size() <= 4 && b.arrays().count() < 256),
            _ => {}
        }
    }
}

fn stsd_of(trak: &Boxes) -> &Stsd {
    trak.path(&[*b"mdia", *b"minf", *b"stbl"]).unwrap().get().unwrap()
}

fn same_track(ours: &Boxes, theirs: &other::TrakBox) {
    let (tkhd, mdia) = (ours.get::<Tkhd>().unwrap(), ours.inside(*b"mdia").unwrap());
    assert_eq!(tkhd.track_id, theirs.tkhd_box.track_id);
    assert_eq!(tkhd.duration, theirs.tkhd_box.duration);
    assert_eq!((tkhd.width >> 16) as i16, theirs.tkhd_box.width.integer);
    assert_eq!((tkhd.height >> 16) as i16, theirs.tkhd_box.height.integer);
    let mdhd = mdia.get::<Mdhd>().unwrap();
    assert_eq!(mdhd.timescale, theirs.mdia_box.mdhd_box.timescale.get());
    assert_eq!(mdhd.duration, theirs.mdia_box.mdhd_box.duration);
    assert_eq!(mdhd.language().unwrap().as_bytes(), theirs.mdia_box.mdhd_box.language);
    let handler = theirs.mdia_box.hdlr_box.handler_type;
    assert_eq!(mdia.get::<Hdlr>().unwrap().handler_type.0, handler);
    let entries = &theirs.mdia_box.minf_box.stbl_box.stsd_box.entries;
    assert_eq!(stsd_of(ours).entries().count(), entries.len());
    for (ours, theirs) in stsd_of(ours).entries().collect::<Vec<_>>().iter().zip(entries) {
        match theirs {
            other::SampleEntry::Avc1(theirs) => {
                let ours = VisualSampleEntry::parse(ours, &Limits::default()).unwrap();
                assert_eq!((ours.width, ours.height), (theirs.visual.width, theirs.visual.height));
                let (ours, theirs) = (ours.boxes.get::<AvcC>().unwrap(), &theirs.avcc_box);
                assert_eq!(
                    (&ours.sps, &ours.pps),
                    (&shared(&theirs.sps_list), &shared(&theirs.pps_list))
                );
                assert_eq!(ours.profile, theirs.avc_profile_indication);
                assert_eq!(ours.compatibility, theirs.profile_compatibility);
                assert_eq!(ours.level, theirs.avc_level_indication);
                assert_eq!(ours.nal_length_size(), theirs.length_size_minus_one.get() + 1);
            }
            other::SampleEntry::Mp4a(theirs) => {
                let ours = AudioSampleEntry::parse(ours, &Limits::default()).unwrap();
                assert_eq!(ours.channel_count, theirs.audio.channelcount);
                assert_eq!(ours.sample_size, theirs.audio.samplesize);
                assert_eq!((ours.sample_rate >> 16) as u16, theirs.audio.samplerate.integer);
                let config = ours.boxes.get::<Esds>().unwrap().decoder_config().unwrap().unwrap();
                let theirs = &theirs.esds_box.es.dec_config_descr;
                assert_eq!(config.object_type, theirs.object_type_indication);
                assert_eq!(config.max_bitrate, theirs.max_bitrate);
                assert_eq!(config.average_bitrate, theirs.avg_bitrate);
                assert_eq!(config.specific, theirs.dec_specific_info.as_ref().unwrap().payload);
            }
            other => panic!("no such entry is in testdata: {other:?}"),
        }
    }
}

fn same_tfhd(ours: &Tfhd, theirs: &other::TfhdBox) {
    assert_eq!(ours.track_id, theirs.track_id);
    assert_eq!(ours.base_data_offset, theirs.base_data_offset);
    assert_eq!(ours.sample_description_index, theirs.sample_description_index);
    assert_eq!(ours.default_sample_duration, theirs.default_sample_duration);
    assert_eq!(ours.default_sample_size, theirs.default_sample_size);
    assert_eq!(ours.default_sample_flags, theirs.default_sample_flags.map(|flags| flags.get()));
    assert_eq!(ours.full.has(0x2_0000), theirs.default_base_is_moof);
}

fn same_run(ours: &Trun, theirs: &other::TrunBox) {
    assert_eq!(ours.data_offset, theirs.data_offset);
    assert_eq!(ours.first_sample_flags, theirs.first_sample_flags.map(|flags| flags.get()));
    assert_eq!(ours.samples().count(), theirs.samples.len());
    for (ours, theirs) in ours.samples().zip(&theirs.samples) {
        assert_eq!((ours.duration, ours.size), (theirs.duration, theirs.size));
        assert_eq!(ours.flags, theirs.flags.map(|flags| flags.get()));
        assert_eq!(ours.composition_offset, theirs.composition_time_offset);
    }
}

fn entry(time: u64, moof_offset: u64, numbers: [u32; 3]) -> TfraEntry {
    let [traf_number, trun_number, sample_number] = numbers;
    TfraEntry { time, moof_offset, traf_number, trun_number, sample_number }
}

fn their_entry(entry: &TfraEntry) -> other::TfraEntry {
    other::TfraEntry {
        time: entry.time,
        moof_offset: entry.moof_offset,
        traf_number: entry.traf_number,
        trun_number: entry.trun_number,
        sample_number: entry.sample_number,
    }
}

fn shared(units: &[Vec<u8>]) -> NalUnits {
    units.iter().cloned().map(Bytes::from).collect()
}

/// A box as `mp4` reads it.
fn theirs<T: for<'a> ReadBox<&'a mut io::Cursor<Bytes>>>(bytes: &Bytes) -> T {
    let mut reader = io::Cursor::new(bytes.clone());
    let header = mp4::BoxHeader::read(&mut reader).unwrap();
    T::read_box(&mut reader, header.size).unwrap()
}
