//! Encrypted samples.

use bytes::Bytes;
use smooth_origin::base::{FourCc, Guid};
use smooth_origin::bmff::{
    AnyBox, FullBox, Saio, Saiz, SampleEncryption, Sbgp, Senc, uuid::PiffSenc,
};
use smooth_origin::fragment::cmaf::{Start, Track};
use smooth_origin::manifest::StreamKind::Video;

use super::samples::{kinds, traf};
use super::{Stored, refused, run, without};

const KEY: Guid = Guid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);

fn stored(boxes: impl IntoIterator<Item = AnyBox>) -> Stored {
    let samples = [(10, 8, 0x0200_0000, 0), (10, 8, 0x0101_0000, 0), (10, 8, 0x0101_0000, 0)];
    let trun = without(run(&samples), 0x800);
    Stored::new([trun], 24).with(boxes).placed((0, 0, 0))
}

fn info(flags: u32, entries: &[Vec<u8>]) -> SampleEncryption {
    SampleEncryption {
        full: FullBox { version: 0, flags },
        track_override: None,
        sample_count: entries.len() as u32,
        entries: entries.concat().into(),
    }
}

fn with_key(mut info: SampleEncryption, algorithm: u32, iv_size: u32, key: Guid) -> PiffSenc {
    info.track_override = Some((algorithm << 8 | iv_size, key));
    PiffSenc(info)
}

/// IVs of this size for three samples.
fn ivs(size: usize) -> Vec<Vec<u8>> {
    (1..4).map(|number| vec![number; size]).collect()
}

/// An IV and this many subsamples.
fn entry(size: usize, subsamples: u16) -> Vec<u8> {
    let parts = [0, 1, 0, 0, 0, 7].repeat(subsamples.into());
    [&vec![9; size][..], &subsamples.to_be_bytes(), &parts].concat()
}

fn rewritten(stored: Stored, track: &Track) -> Bytes {
    stored.rewritten(Start::Shown(0), track).unwrap()
}

fn track() -> Track {
    Track::new(1, Video).protection(8, KEY)
}

/// The entries to which `saio` points, one by one by the sizes of `saiz`.
fn entries(whole: &Bytes) -> Vec<Vec<u8>> {
    let traf = traf(whole);
    let (saiz, saio) = (traf.get::<Saiz>().unwrap(), traf.get::<Saio>().unwrap());
    let [at] = saio.offsets[..] else { panic!("one offset") };
    let mut left = &whole[at as usize..];
    let size = |number: usize| match saiz.default_sample_info_size {
        0 => saiz.sizes[number],
        size => size,
    };
    let entries = (0..saiz.sample_count as usize).map(|number| {
        let (entry, behind) = left.split_at(size(number).into());
        left = behind;
        entry.to_vec()
    });
    entries.collect()
}

#[test]
fn piffs_box_becomes_senc_with_sizes_and_an_offset() {
    let differ = [entry(8, 1), entry(8, 2), entry(8, 0)];
    let alike = [entry(16, 1), entry(16, 1), entry(16, 1)];
    let cases = [
        (0, ivs(8), 8),
        (0, ivs(16), 16),
        (2, alike.to_vec(), 24),
        (2, differ.to_vec(), 0),
        (2, [entry(0, 1), entry(0, 40), entry(0, 3)].to_vec(), 0),
    ];
    for (flags, list, size) in cases {
        let piff = AnyBox::new(PiffSenc(info(flags, &list)));
        let cenc = AnyBox::new(Senc(info(flags, &list)));
        for stored in [stored([piff]), stored([cenc])] {
            let whole = rewritten(stored, &Track::new(1, Video));
            assert_eq!(kinds(&whole), ["tfhd", "tfdt", "trun", "senc", "saiz", "saio"]);
            let traf = traf(&whole);
            assert_eq!(traf.get::<Senc>().unwrap().0, info(flags, &list));
            assert_eq!(traf.get::<Saiz>().unwrap().default_sample_info_size, size);
            assert_eq!(entries(&whole), list);
        }
    }
}

#[test]
fn a_second_description_of_the_entries_goes() {
    let list = ivs(8);
    let boxes = [
        AnyBox::new(PiffSenc(info(0, &list))),
        AnyBox::new(Saiz { default_sample_info_size: 9, sample_count: 3, ..Saiz::default() }),
        AnyBox::new(Saio { offsets: vec![1 << 40], ..Saio::default() }),
        AnyBox::new(Senc(info(0, &list))),
    ];
    let whole = rewritten(stored(boxes), &track());
    assert_eq!(kinds(&whole), ["tfhd", "tfdt", "trun", "senc", "saiz", "saio"]);
    assert_eq!(entries(&whole), list);
}

#[test]
fn entries_that_saiz_cannot_measure_are_left_to_the_reader_of_senc() {
    let long = [entry(8, 42), entry(8, 1), entry(8, 1)];
    for info in [info(2, &long), SampleEncryption { sample_count: 3, ..info(0, &[]) }] {
        let whole = rewritten(stored([AnyBox::new(PiffSenc(info.clone()))]), &track());
        assert_eq!(kinds(&whole), ["tfhd", "tfdt", "trun", "senc"]);
        assert_eq!(traf(&whole).get::<Senc>().unwrap().0, info);
    }
}

#[test]
fn the_tracks_own_key_in_the_fragment_goes_and_another_becomes_a_group() {
    let same = stored([AnyBox::new(with_key(info(0, &ivs(8)), 1, 8, KEY))]);
    let whole = rewritten(same, &track());
    assert_eq!(kinds(&whole)[3..], ["senc", "saiz", "saio"]);
    assert_eq!(traf(&whole).get::<Senc>().unwrap().0, info(0, &ivs(8)));

    let other = Guid::from_u128(7);
    for (iv_size, key) in [(8, other), (16, KEY)] {
        let own = with_key(info(0, &ivs(iv_size)), 1, iv_size as u32, key);
        let whole = rewritten(stored([AnyBox::new(own)]), &track());
        assert_eq!(kinds(&whole)[3..], ["senc", "saiz", "saio", "sgpd", "sbgp"]);
        assert_eq!(entries(&whole), ivs(iv_size));
        let head =
            [&b"\0\0\0\x2csgpd\x01\0\0\0seig\0\0\0\x14\0\0\0\x01\0\0\x01"[..], &[iv_size as u8]];
        let sgpd = [&head.concat()[..], &key.to_be_bytes()].concat();
        assert!(whole.windows(sgpd.len()).any(|bytes| bytes == sgpd));
        let sbgp = traf(&whole).get::<Sbgp>().unwrap().clone();
        assert_eq!(sbgp.grouping_type, FourCc(*b"seig"));
        assert_eq!(sbgp.runs().collect::<Vec<_>>(), [(3, 0x1_0001)]);
    }
}

#[test]
fn samples_in_the_clear_say_so() {
    let own = with_key(info(0, &[]), 0, 0, Guid::from_u128(0));
    let whole = rewritten(stored([AnyBox::new(own)]), &track());
    assert_eq!(kinds(&whole)[3..], ["sgpd", "sbgp"]);
    let sgpd = b"\0\0\0\x2csgpd\x01\0\0\0seig\0\0\0\x14\0\0\0\x01\0\0\0\0";
    assert!(whole.windows(sgpd.len()).any(|bytes| bytes == sgpd));
}

#[test]
fn entries_in_the_mdat_move_with_it() {
    let payload = stored([]).start() as u64;
    let of = |offset: u64| {
        [
            AnyBox::new(Saiz { default_sample_info_size: 8, sample_count: 1, ..Saiz::default() }),
            AnyBox::new(Saio { offsets: vec![offset], ..Saio::default() }),
        ]
    };
    let payload = payload + of(0).iter().map(AnyBox::len).sum::<u64>();
    let whole = rewritten(stored(of(payload + 16)), &track());
    assert_eq!(entries(&whole), [(16..24).collect::<Vec<u8>>()]);
    for offset in [0, 30, payload - 1, payload + 25] {
        let says = refused(stored(of(offset)).rewritten(Start::Shown(0), &track()));
        assert!(says.contains("auxiliary information outside"), "{says}");
    }
}

#[test]
fn encryption_that_cannot_be_rewritten_is_refused() {
    let unread = AnyBox::other(*b"senc", vec![0; 5]);
    let unclear = AnyBox::new(PiffSenc(info(0, &[vec![1; 7], vec![2; 7]])));
    let cbc = AnyBox::new(with_key(info(0, &ivs(16)), 2, 16, KEY));
    for (item, says) in [
        (unread, "cannot be read"),
        (unclear, "unclear layout"),
        (cbc, "an algorithm that Common Encryption does not have"),
    ] {
        let found = refused(stored([item]).rewritten(Start::Shown(0), &track()));
        assert!(found.contains(says), "{found}");
    }
}
