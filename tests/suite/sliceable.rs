//! Fragments with faults that do not keep them from being cut out of their file: the stored bytes
//! are served, with a finding, and the bytes of another track never are.

use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Mfhd, Sdtp, Tfhd, uuid::Tfrf};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::ManifestSource;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Media, Track, ism, ismc};
use testkit::{codes, get, name, open, status, store};

/// Samples of every fragment: each of so many bytes.
const SIZES: [u32; 3] = [40, 20, 30];

/// Bytes of all samples of a fragment.
const PAYLOAD: u32 = 90;

/// A film of one video track, and where its fragments are stored.
struct Film {
    file: Vec<u8>,
    fragments: Vec<std::ops::Range<usize>>,
}

impl Film {
    /// Three fragments, as `write` makes them, behind a `moov` that also holds `in_moov`.
    fn new(in_moov: &[u8], write: impl Fn(u64) -> Vec<u8>) -> Self {
        let mut media = Media::default();
        media.push(b"\0\0\0\x18ftypisml\0\0\0\x01piffiso2".to_vec());
        let track = Track::new(1, StreamKind::Video, Vec::new());
        media.push(with(&bytes([film::moov(&[track])]), in_moov));
        let (mut entries, mut fragments) = (Vec::new(), Vec::new());
        for time in starts() {
            let start = media.len;
            entries.push((time, start));
            media.push(write(time));
            fragments.push(start as usize..media.len as usize);
        }
        film::push_mfra(&mut media, &vec![(1, entries)]);
        Self { file: media.read(0..media.len), fragments }
    }

    fn store(&self) -> MemoryStore {
        store([
            ("film.ism", ism(Some("film.ismc"), &[("video", "film.ismv", 300, 1, "")])),
            ("film.ismc", ismc(&[(StreamKind::Video, "video", &[300], &starts())])),
            ("film.ismv", self.file.clone()),
        ])
    }

    /// Checks that the stored manifest and the bytes of all fragments are served, and gives the
    /// findings, those of the opening first.
    fn is_served(&self) -> Vec<String> {
        let store = self.store();
        let opened = open(&store).unwrap();
        assert_eq!(opened.presentation().manifest_source(), ManifestSource::Stored);
        let origin = Origin::new(store);
        for (time, range) in starts().into_iter().zip(&self.fragments) {
            for _ in 0..2 {
                let whole = &self.file[range.clone()];
                assert!(self.ask(&origin, "Fragments", time) == whole, "chunk {time}");
                let moof = u32::from_be_bytes(whole[..4].try_into().unwrap()) as usize;
                assert!(self.ask(&origin, "FragmentInfo", time) == whole[..moof]);
            }
        }
        codes(opened.presentation())
    }

    fn ask(&self, origin: &Origin, noun: &str, time: u64) -> Vec<u8> {
        get(origin, &path(noun, time)).unwrap()
    }
}

/// The findings so far.
fn late(origin: &Origin) -> Vec<String> {
    codes(block_on(origin.open(&name("film.ism"))).unwrap().presentation())
}

fn path(noun: &str, time: u64) -> String {
    format!("film.ism/QualityLevels(300)/{noun}(video={time})")
}

fn starts() -> Vec<u64> {
    (0..3).map(|i| i * 20_000_000).collect()
}

fn bytes(boxes: impl IntoIterator<Item = AnyBox>) -> Vec<u8> {
    Boxes::from_iter(boxes).to_bytes().to_vec()
}

/// A container with more bytes behind its last box.
fn with(container: &[u8], more: &[u8]) -> Vec<u8> {
    let mut bytes = [container, more].concat();
    let len = bytes.len() as u32;
    bytes[..4].copy_from_slice(&len.to_be_bytes());
    bytes
}

fn traf(track_id: u32, boxes: impl IntoIterator<Item = AnyBox>) -> AnyBox {
    let tfhd = AnyBox::new(Tfhd { track_id, ..Tfhd::default() });
    AnyBox::container(*b"traf", [tfhd].into_iter().chain(boxes))
}

fn moof(traf: &[u8]) -> Vec<u8> {
    let moof = AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default())]);
    with(&bytes([moof]), traf)
}

fn run(data_offset: i32) -> AnyBox {
    AnyBox::new(film::trun(&SIZES.map(|size| (20_000_000 / 3, size)), data_offset))
}

fn mdat() -> Vec<u8> {
    bytes([AnyBox::other(*b"mdat", (0..PAYLOAD as u8).collect::<Vec<_>>())])
}

/// A fragment whose `traf` ends with these bytes, and whose first and last sample are key samples.
fn ending_with(in_traf: &[u8], track_id: u32) -> Vec<u8> {
    let moof = |data_offset| {
        let samples = vec![0x24, 0x14, 0x24].into();
        let sdtp = AnyBox::new(Sdtp { full: FullBox::default(), samples });
        let traf = bytes([traf(track_id, [run(data_offset), sdtp])]);
        moof(&with(&traf, in_traf))
    };
    let offset = moof(0).len() as i32 + 8;
    [moof(offset), mdat()].concat()
}

/// Boxes that a faulty writer leaves in a `traf`: one with a count that is larger than the box, one
/// that reaches beyond the `traf`, bytes that are no box, and a box without its fields.
fn faults() -> [Vec<u8>; 5] {
    let mut tfrf = bytes([AnyBox::new(Tfrf::default())]);
    tfrf[28] = 2;
    [
        tfrf,
        b"\0\0\0\x16saiz\0\0\0\0\0\0\0\0\x32\x08\x08\x08\x08\x08".to_vec(),
        b"\0\0\0\x0csenc\0\0\0\0".to_vec(),
        b"\0\0\xff\xffsubs\0\0\0\0\0\0\0\0".to_vec(),
        b"junk!".to_vec(),
    ]
}

#[test]
fn a_box_that_slicing_does_not_need_may_be_unreadable_in_a_fragment() {
    for fault in faults() {
        let film = Film::new(b"", |_| ending_with(&fault, 1));
        assert_eq!(film.is_served(), ["warning box-unreadable"], "{fault:?}");
        // The box may have an entry per sample: nothing is cut.
        let origin = Origin::new(film.store());
        assert!(film.ask(&origin, "KeyFrames", 0) == film.file[film.fragments[0].clone()]);
        assert_eq!(film.ask(&origin, "RawFragments", 0).len(), PAYLOAD as usize);
    }
    let film = Film::new(b"", |_| ending_with(b"", 1));
    assert_eq!(film.is_served(), Vec::<String>::new());
    let origin = Origin::new(film.store());
    assert!(film.ask(&origin, "KeyFrames", 0).ends_with(&(60..90).collect::<Vec<u8>>()));
}

#[test]
fn an_unreadable_box_in_one_fragment_is_noticed_when_that_is_asked_for() {
    let junk = &faults()[0];
    let film = Film::new(b"", |time| ending_with(if time == starts()[1] { junk } else { b"" }, 1));
    let store = film.store();
    let origin = Origin::new(store);
    assert_eq!(status(&origin, &path("Fragments", 0)), 200);
    assert_eq!(late(&origin), Vec::<String>::new());
    assert_eq!(status(&origin, &path("Fragments", starts()[1])), 200);
    assert_eq!(late(&origin), ["warning box-unreadable"]);
}

#[test]
fn a_box_that_slicing_does_not_need_may_be_unreadable_in_the_header() {
    let pssh = b"\0\0\0\x20pssh\x01\0\0\0\x9a\x04\xf0\x79\x98\x40\x42\x86\xab\x92\xe6\x5b\xe0\x88\x5f\x95\0\0\0\x63";
    for fault in [&pssh[..], b"\0\0\0\x0cmehd\x01\0\0\0", b"\0\0\xff\xffudta\0", b"junk"] {
        let film = Film::new(fault, |_| ending_with(b"", 1));
        assert_eq!(film.is_served(), ["warning box-unreadable"], "{fault:?}");
    }
}

#[test]
fn a_box_that_slicing_needs_must_be_readable() {
    for fault in
        [&b"\0\0\0\x0ctrun\0\0\0\x02"[..], b"\0\0\xff\xfftrun\0\0\0\0", b"\0\0\0\x0ctfhd\0\0\0\0"]
    {
        let film = Film::new(b"", |_| ending_with(fault, 1));
        let origin = Origin::new(film.store());
        assert_eq!(status(&origin, &path("Fragments", 0)), 404, "{fault:?}");
    }
}

#[test]
fn an_unreadable_box_does_not_make_another_tracks_bytes_pass() {
    for fault in faults() {
        let film =
            Film::new(b"", |time| ending_with(&fault, if time == starts()[1] { 2 } else { 1 }));
        let origin = Origin::new(film.store());
        assert_eq!(status(&origin, &path("Fragments", 0)), 200);
        assert_ne!(status(&origin, &path("Fragments", starts()[1])), 200, "{fault:?}");
    }
    // A second track behind bytes that are no box.
    let hidden = [&b"\0\0\xff\xffjunk"[..], &bytes([traf(2, [])])].concat();
    let film = Film::new(b"", |_| {
        let whole = ending_with(b"", 1);
        let (moof, mdat) = whole.split_at(whole.len() - mdat().len());
        [&with(moof, &hidden), mdat].concat()
    });
    let origin = Origin::new(film.store());
    assert_ne!(status(&origin, &path("Fragments", 0)), 200);
}

/// A fragment that says that its duration is empty, or has a run of no samples, and has no `mdat`.
fn empty(track_id: u32, has_run: bool) -> Vec<u8> {
    let run = has_run.then(|| AnyBox::new(film::trun(&[], 0)));
    let full = FullBox { version: 0, flags: if has_run { 0 } else { 0x01_0000 } };
    let tfhd = AnyBox::new(Tfhd { full, track_id, ..Tfhd::default() });
    moof(&bytes([AnyBox::container(*b"traf", [tfhd].into_iter().chain(run))]))
}

#[test]
fn a_fragment_without_samples_needs_no_mdat() {
    for has_run in [false, true] {
        for empty_one in starts() {
            let film = Film::new(b"", |time| match time == empty_one {
                true => empty(1, has_run),
                false => ending_with(b"", 1),
            });
            assert_eq!(film.is_served(), Vec::<String>::new(), "{empty_one}");
            let origin = Origin::new(film.store());
            for _ in 0..2 {
                assert_eq!(film.ask(&origin, "RawFragments", empty_one), b"");
                let whole = empty(1, has_run);
                assert!(film.ask(&origin, "KeyFrames", empty_one) == whole);
            }
        }
    }
}

#[test]
fn a_fragment_without_samples_of_another_track_is_not_served() {
    let film = Film::new(b"", |time| match time == starts()[2] {
        true => empty(2, false),
        false => ending_with(b"", 1),
    });
    let origin = Origin::new(film.store());
    assert_ne!(status(&origin, &path("Fragments", starts()[2])), 200);
    let without_mdat = Film::new(b"", |time| match time == starts()[1] {
        true => moof(&bytes([traf(1, [run(8)])])),
        false => ending_with(b"", 1),
    });
    let origin = Origin::new(without_mdat.store());
    assert_ne!(status(&origin, &path("Fragments", starts()[1])), 200, "samples of the next one");
}

/// A `moof` whose run has this offset, and whose first and last sample are key samples.
fn leading_to(data_offset: i32) -> Vec<u8> {
    let samples = vec![0x24, 0x14, 0x24].into();
    let sdtp = AnyBox::new(Sdtp { full: FullBox::default(), samples });
    moof(&bytes([traf(1, [run(data_offset), sdtp])]))
}

#[test]
fn a_wrong_data_offset_does_not_matter_where_the_mdat_is_beside_its_moof() {
    let large = [b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x6a", &mdat()[8..]].concat();
    let moof = leading_to(0).len() as i32;
    // The header of the `mdat` forgotten; 0; absolute; counted from elsewhere.
    for offset in [moof, 0, 8, moof + 9, 1 << 20, -1, i32::MIN, i32::MAX] {
        for (mdat, header) in [(mdat(), 8), (large.clone(), 16)] {
            let film = Film::new(b"", |_| [leading_to(offset), mdat.clone()].concat());
            assert_eq!(film.is_served(), ["warning data-offset-wrong"], "{offset}");
            let origin = Origin::new(film.store());
            for _ in 0..2 {
                assert!(film.ask(&origin, "RawFragments", 0) == mdat[header..]);
                // The first and the last sample, which follow their head.
                let keys = film.ask(&origin, "KeyFrames", 0);
                let samples = [&mdat[header..header + 40], &mdat[header + 60..]].concat();
                let head = u32::from_be_bytes(keys[..4].try_into().unwrap()) as usize + 8;
                assert_eq!(keys.len(), head + samples.len());
                assert!(keys.ends_with(&samples), "{offset}");
            }
        }
    }
    // A 64-bit size that was not counted.
    let film = Film::new(b"", |_| [leading_to(moof + 8), large.clone()].concat());
    assert_eq!(film.is_served(), ["warning data-offset-wrong"]);
}

#[test]
fn key_frames_are_the_whole_fragment_where_offset_and_sizes_do_not_say_where_samples_are() {
    let longer = bytes([AnyBox::other(*b"mdat", vec![7; PAYLOAD as usize + 1])]);
    let film = Film::new(b"", |_| [leading_to(0), longer.clone()].concat());
    assert_eq!(film.is_served(), ["warning data-offset-wrong"]);
    let origin = Origin::new(film.store());
    assert!(film.ask(&origin, "KeyFrames", 0) == film.file[film.fragments[0].clone()]);
}

#[test]
fn a_wrong_data_offset_in_one_fragment_is_noticed_when_that_is_asked_for() {
    let right = leading_to(0).len() as i32 + 8;
    let film = Film::new(b"", |time| {
        [leading_to(if time == starts()[1] { 0 } else { right }), mdat()].concat()
    });
    assert_eq!(film.is_served(), Vec::<String>::new());
    let origin = Origin::new(film.store());
    assert_eq!(status(&origin, &path("Fragments", starts()[1])), 200);
    assert_eq!(late(&origin), ["warning data-offset-wrong"]);
}

#[test]
fn the_samples_of_another_fragment_are_not_served_as_those_beside_the_moof() {
    // Two `moof`s, then the `mdat` of each: the one beside the second is the first's.
    for first in [PAYLOAD - 1, PAYLOAD + 1] {
        let of_first = bytes([AnyBox::other(*b"mdat", vec![7; first as usize])]);
        let behind = leading_to(0).len() as i32 + of_first.len() as i32 + 8;
        let film = Film::new(b"", |_| [&leading_to(behind)[..], &of_first, &mdat()].concat());
        let origin = Origin::new(film.store());
        assert_eq!(status(&origin, &path("Fragments", 0)), 415, "{first}");
    }
    let other = Film::new(b"", |time| {
        let track_id = if time == starts()[1] { 2 } else { 1 };
        [moof(&bytes([traf(track_id, [run(0)])])), mdat()].concat()
    });
    let origin = Origin::new(other.store());
    assert_eq!(status(&origin, &path("Fragments", 0)), 200);
    assert_ne!(status(&origin, &path("Fragments", starts()[1])), 200);
}
