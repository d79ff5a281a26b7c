//! A look at every fragment finds what requests would find, and more, and sums it up.

use bytes::Bytes;
use smooth_origin::base::{FourCc, Got, Guid, Limits, ReadError, ReadErrorKind, Want};
use smooth_origin::bmff::uuid::{PiffSenc, PiffTenc, Tfxd};
use smooth_origin::bmff::{
    AnyBox, AvcC, Body, Boxes, Frma, FullBox, Mfhd, Saio, Saiz, SampleEncryption, SampleEntry,
    Sdtp, Senc, Stsd, Tenc, Tfhd, Trun, VisualSampleEntry,
};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::{Finding, FindingCode, OpenOptions, Severity, Survey};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Media, Style, Track, ism, ismc};
use testkit::{codes, name, open, status, store, surveyed};

const SECOND: u64 = 10_000_000;
const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 40_000, 1, "");

/// A fragment of two samples of a second each.
#[derive(Clone)]
struct Made {
    /// Units of the first sample, without their lengths.
    units: Vec<Vec<u8>>,
    /// Flags of the samples.
    flags: Option<[u32; 2]>,
    /// Further boxes of its `traf`.
    others: Vec<AnyBox>,
    track: u32,
    says: u64,
    duration: u32,
    /// Bytes of its `mdat` behind the samples.
    left_over: usize,
}

const IDR: &[u8] = &[0x65, 0x88, 0x84];
/// A slice of type P.
const P: &[u8] = &[0x41, 0b1001_1000];
const SYNC: u32 = 0x0200_0000;
const NON_SYNC: u32 = 0x0101_0000;

fn made(i: u64) -> Made {
    let units = vec![IDR.to_vec()];
    let flags = Some([SYNC, NON_SYNC]);
    let (others, says) = (Vec::new(), 2 * SECOND * i);
    Made { units, flags, others, track: 1, says, duration: 10_000_000, left_over: 0 }
}

/// Makes a file of a video track with this sample entry and these fragments, and an index of their
/// times.
fn file(entry: SampleEntry, fragments: &[Made]) -> Vec<u8> {
    let mut media = Media::default();
    media.push(b"\0\0\0\x18ftypisml\0\0\0\x01piffiso2".to_vec());
    let mut moov = film::moov(&[Track::new(1, StreamKind::Video, Vec::new())]);
    set_entry(&mut moov, entry);
    media.push(Boxes::from_iter([moov]).to_bytes().to_vec());
    let mut entries = Vec::new();
    for (i, made) in fragments.iter().enumerate() {
        entries.push((2 * SECOND * i as u64, media.len));
        let units = made.units.iter();
        let first: Vec<u8> = units
            .flat_map(|unit| [&(unit.len() as u32).to_be_bytes()[..], unit].concat())
            .collect();
        let second = vec![i as u8; 30];
        let sizes = [first.len() as u32, 30];
        let samples = sizes.iter().zip(made.flags.unwrap_or_default());
        let words = samples.flat_map(|(size, flags)| {
            let flags = made.flags.is_some().then_some(flags);
            [Some(made.duration), Some(*size), flags].into_iter().flatten()
        });
        let fields = if made.flags.is_some() { Trun::FLAGS } else { 0 };
        let trun = Trun {
            full: FullBox { version: 0, flags: Trun::DURATION | Trun::SIZE | fields },
            sample_count: 2,
            entries: words.flat_map(u32::to_be_bytes).collect(),
            ..Trun::default()
        };
        let full = FullBox { version: 1, flags: 0 };
        let tfxd = Tfxd { full, time: made.says, duration: 2 * u64::from(made.duration) };
        let traf = vec![
            AnyBox::new(Tfhd { track_id: made.track, ..Tfhd::default() }),
            AnyBox::new(trun),
            AnyBox::new(tfxd),
        ];
        let traf = AnyBox::container(*b"traf", [traf, made.others.clone()].concat());
        let moof = AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf]);
        let mdat = AnyBox::other(*b"mdat", [first, second, vec![0; made.left_over]].concat());
        media.push(Boxes::from_iter([moof, mdat]).to_bytes().to_vec());
    }
    film::push_mfra(&mut media, &vec![(1, entries)]);
    media.read(0..media.len)
}

fn set_entry(item: &mut AnyBox, entry: SampleEntry) {
    let stsd = find(item, *b"stsd").expect("a moov has an stsd");
    *stsd = AnyBox::new(Stsd::new(FullBox::default(), [entry]));
}

/// Finds the first box of this type inside of a box.
fn find(item: &mut AnyBox, kind: [u8; 4]) -> Option<&mut AnyBox> {
    if item.header.kind == kind {
        return Some(item);
    }
    match &mut item.body {
        Body::Boxes(boxes) => boxes.list.iter_mut().find_map(|item| find(item, kind)),
        _ => None,
    }
}

fn entry(format: [u8; 4], protection: Option<AnyBox>) -> SampleEntry {
    entry_by(format, None, protection)
}

/// The same by this scheme.
fn entry_by(format: [u8; 4], scheme: Option<&[u8; 4]>, protection: Option<AnyBox>) -> SampleEntry {
    let avcc = AvcC {
        configuration_version: 1,
        profile: 66,
        level: 30,
        length_size: 0xff,
        sps_reserved: 0xe0,
        sps: [Bytes::from_static(&[0x67, 66, 0, 30, 1])].into_iter().collect(),
        pps: [Bytes::from_static(&[0x68, 1])].into_iter().collect(),
        ..AvcC::default()
    };
    let sinf = protection.map(|tenc| {
        let frma = AnyBox::new(Frma { data_format: FourCc(*b"avc1") });
        let schm = scheme.map(|scheme| {
            let version = [0, 1, 0, 0];
            AnyBox::other(*b"schm", [&[0; 4][..], scheme, &version].concat())
        });
        let schi = AnyBox::container(*b"schi", [tenc]);
        AnyBox::container(*b"sinf", [frma].into_iter().chain(schm).chain([schi]))
    });
    let avcc = (format != *b"vc-1").then(|| AnyBox::new(avcc));
    let boxes = avcc.into_iter().chain(sinf).collect();
    VisualSampleEntry { format: FourCc(format), width: 640, height: 360, boxes }.to_entry()
}

fn clear() -> SampleEntry {
    entry(*b"avc1", None)
}

fn film(file: Vec<u8>, chunks: u64) -> MemoryStore {
    let starts: Vec<u64> = (0..chunks).map(|i| 2 * SECOND * i).collect();
    let client =
        String::from_utf8(ismc(&[(StreamKind::Video, "video", &[40_000], &starts)])).unwrap();
    let last = format!("<c t=\"{}\"/>", 2 * SECOND * (chunks - 1));
    let client = client.replace(&last, &last.replace("/>", " d=\"20000000\"/>"));
    store([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
        ("film.ismc", client.into_bytes()),
        ("film.ismv", file),
    ])
}

fn texts(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

/// Returns the findings of a survey of ten fragments, of which some are changed.
fn found(entry: SampleEntry, change: impl Fn(usize, &mut Made)) -> Vec<String> {
    let mut fragments: Vec<Made> = (0..10).map(made).collect();
    fragments.iter_mut().enumerate().for_each(|(i, made)| change(i, made));
    // Opening reports that the manifest has no protection header.
    let mut findings = surveyed(&film(file(entry, &fragments), 10));
    findings.retain(|finding| finding.code != FindingCode::LicenceUnknown);
    texts(&findings)
}

#[test]
fn a_key_of_which_players_get_no_licence_is_found_when_the_film_is_opened() {
    let tenc = |key: u128| Tenc {
        full: FullBox::default(),
        reserved: 0,
        pattern: 0,
        is_protected: 1,
        iv_size: 8,
        key_id: Guid::from_u128(key),
        constant_iv: None,
    };
    let fragments: Vec<Made> = (0..3).map(made).collect();
    let encrypted = entry(*b"encv", Some(AnyBox::new(tenc(7))));
    let opened = open(&film(file(encrypted, &fragments), 3)).unwrap();
    let findings = opened.presentation().findings();
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(
        (finding.code, finding.severity()),
        (FindingCode::LicenceUnknown, Severity::Warning)
    );
    assert!(finding.message.contains("00000000-0000-0000-0000-000000000007"), "{finding}");
    let opened = open(&film(file(clear(), &fragments), 3)).unwrap();
    assert_eq!(opened.presentation().findings(), []);
    // The same without a stored manifest.
    for (entry, keys) in [
        (entry(*b"encv", Some(AnyBox::new(tenc(7)))), &["warning licence-unknown"][..]),
        (clear(), &[]),
    ] {
        let media = file(entry, &fragments);
        let store = store([("film.ism", ism(None, &[VIDEO])), ("film.ismv", media)]);
        let opened = open(&store).unwrap();
        let mut found = codes(opened.presentation());
        found.retain(|code| code.contains("licence"));
        assert_eq!(found, keys);
    }
}

#[test]
fn a_scheme_that_smooth_streaming_does_not_have_is_found() {
    for (scheme, wanted) in [
        (b"cbcs", &["warning scheme-not-smooth"][..]),
        (b"cens", &["warning scheme-not-smooth"]),
        (b"cenc", &[]),
        (b"cbc1", &[]),
        (b"piff", &[]),
    ] {
        let tenc = Tenc {
            full: FullBox { version: 1, flags: 0 },
            reserved: 0,
            pattern: 0x19,
            is_protected: 1,
            iv_size: 8,
            key_id: Guid::from_u128(7),
            constant_iv: None,
        };
        let entry = entry_by(*b"encv", Some(scheme), Some(AnyBox::new(tenc)));
        let fragments: Vec<Made> = (0..3).map(made).collect();
        let media = file(entry, &fragments);
        let generated = store([("film.ism", ism(None, &[VIDEO])), ("film.ismv", media.clone())]);
        for store in [film(media, 3), generated] {
            let mut found = codes(open(&store).unwrap().presentation());
            found.retain(|code| code.contains("scheme"));
            assert_eq!(found, wanted);
        }
    }
}

#[test]
fn nothing_is_found_of_a_film_without_fault() {
    assert_eq!(found(clear(), |_, _| {}), [""; 0]);
}

#[test]
fn what_requests_would_find_is_found_and_changes_nothing() {
    let other_time = |made: &mut Made| made.says += 500;
    let other_track = |made: &mut Made| made.track = 7;
    let unreadable = |made: &mut Made| {
        made.others.push(AnyBox::other(*b"saiz", vec![0, 0, 0, 0, 8, 0]));
    };
    type Change<'a> = &'a dyn Fn(&mut Made);
    for (change, code, severity) in [
        (&other_time as Change<'_>, "time-in-fragment", Severity::Warning),
        (&other_track, "fragment-broken", Severity::Error),
        (&unreadable, "box-unreadable", Severity::Warning),
    ] {
        let mut fragments: Vec<Made> = (0..10).map(made).collect();
        change(&mut fragments[4]);
        let store = film(file(clear(), &fragments), 10);
        let opened = open(&store).unwrap();
        assert_eq!(codes(opened.presentation()), [""; 0], "{code}: opening does not see it");
        let findings = surveyed(&store);
        assert_eq!((findings.len(), findings[0].code.as_str()), (1, code));
        let first = &findings[0];
        assert_eq!((first.severity(), first.chunk), (severity, Some(8 * SECOND)), "{code}");
        let (file, track) = (first.file.as_deref(), first.track());
        assert_eq!((file, track.as_deref()), (Some("film.ismv"), Some("video at 40000")));

        // Requests for all fragments give the same findings. If another track is found, the file is
        // walked through instead.
        let origin = Origin::new(store.clone());
        let statuses = (0..10).map(|i| {
            let start = 2 * SECOND * i;
            status(&origin, &format!("film.ism/QualityLevels(40000)/Fragments(video={start})"))
        });
        let is_refused = statuses.collect::<Vec<_>>()[4] >= 400;
        assert_eq!(is_refused, severity == Severity::Error, "{code}");
        let opened = block_on(origin.open(&name("film.ism"))).unwrap();
        let asked = opened.presentation().findings();
        if !is_refused {
            assert_eq!(asked.len(), 1, "{asked:?}");
            assert_eq!((asked[0].code, &asked[0].message), (first.code, &first.message));
        }

        // A survey leaves the presentation as it was.
        let opened = open(&store).unwrap();
        let survey = Survey::new(opened.presentation());
        block_on(opened.survey(survey)).unwrap();
        assert!(opened.presentation().findings().is_empty());
        assert!(opened.presentation().distrusted().is_empty());
    }
}

#[test]
fn what_is_wrong_with_many_fragments_is_one_finding_with_their_number() {
    let count = 5400;
    let fragments: Vec<Made> = (0..count)
        .map(|i| {
            let says = if i < 100 { made(i).says } else { made(i).says + 777 };
            Made { says, ..made(i) }
        })
        .collect();
    let store = film(file(clear(), &fragments), count);
    // Opening has looked at the last fragment.
    assert_eq!(codes(open(&store).unwrap().presentation()), ["warning time-in-fragment"]);
    assert_eq!(
        texts(&surveyed(&store)),
        [
            "warning time-in-fragment: film.ismv, video at 40000, chunk 2000000000: 5300 of 5400 fragments; the first: a fragment says that it starts at 2000000777, the index says 2000000000"
        ]
    );
}

#[test]
fn chunks_that_begin_without_a_key_frame_are_found_by_their_slices_then_by_flags() {
    let missing = |how: &str| {
        format!(
            "warning key-frame-missing: film.ismv, video at 40000, chunk 60000000: 2 of 10 fragments; the first: it begins without a key frame, according to {how}"
        )
    };
    let (by_slice, by_flags) = ("its first slice", "the flags of its first sample");
    let is_changed = |i: usize| i == 3 || i == 8;
    let with = |entry: SampleEntry, unit: &'static [u8], flags: Option<[u32; 2]>| {
        found(entry, move |i, made| {
            if is_changed(i) {
                (made.units, made.flags) = (vec![vec![9, 0xf0], unit.to_vec()], flags);
            }
        })
    };
    let none = Vec::<String>::new();
    // Whether flags say so, say nothing, or say that all are key frames: the slice counts.
    for flags in [Some([NON_SYNC; 2]), None, Some([0; 2]), Some([SYNC; 2]), Some([SYNC, NON_SYNC])]
    {
        assert_eq!(with(clear(), P, flags), [missing(by_slice)], "{flags:?}");
        assert_eq!(with(clear(), IDR, flags), none, "{flags:?}");
    }
    // If slices cannot be read, flags count, unless they say nothing.
    let tenc = Tenc {
        full: FullBox::default(),
        reserved: 0,
        pattern: 0,
        is_protected: 1,
        iv_size: 0,
        key_id: Guid::from_u128(7),
        constant_iv: Some(vec![1; 16].into()),
    };
    let encrypted = || entry(*b"encv", Some(AnyBox::new(tenc.clone())));
    for entry in [encrypted(), entry(*b"vc-1", None)] {
        assert_eq!(with(entry.clone(), P, Some([NON_SYNC; 2])), [missing(by_flags)]);
        assert_eq!(with(entry.clone(), P, None), none);
        assert_eq!(with(entry, P, Some([SYNC, NON_SYNC])), none);
    }
    // Flags of Expression Encoder are wrong, and its `sdtp` is right.
    let sdtp = |first: u8| {
        found(entry(*b"vc-1", None), move |_, made| {
            made.flags = Some([NON_SYNC; 2]);
            let samples = vec![first, 0x14].into();
            made.others.push(AnyBox::new(Sdtp { full: FullBox::default(), samples }));
        })
    };
    assert_eq!(sdtp(0x24), none);
    assert_eq!(sdtp(0x14).len(), 1);
}

#[test]
fn a_slice_behind_long_information_is_looked_for() {
    // The settings of an encoder are longer than the first read.
    let long = [vec![6, 5], vec![0xff; 30], vec![1], vec![7; 9000]].concat();
    for (unit, count) in [(P, 1), (IDR, 0)] {
        let found = found(clear(), |_, made| {
            made.units = vec![long.clone(), unit.to_vec()];
            made.flags = None;
        });
        assert_eq!(found.len(), count, "{found:?}");
    }
}

#[test]
fn encrypted_fragments_without_ivs_are_found() {
    let cenc = |is_protected, iv_size| {
        let tenc = Tenc {
            full: FullBox::default(),
            reserved: 0,
            pattern: 0,
            is_protected,
            iv_size,
            key_id: Guid::from_u128(7),
            constant_iv: None,
        };
        entry(*b"encv", Some(AnyBox::new(tenc)))
    };
    let piff = || {
        let full = FullBox::default();
        let key_id = Guid::from_u128(7);
        entry(*b"encv", Some(AnyBox::new(PiffTenc { full, algorithm_id: 1, iv_size: 8, key_id })))
    };
    let info = |count: usize| SampleEncryption {
        sample_count: count as u32,
        entries: vec![7; 8 * count].into(),
        ..SampleEncryption::default()
    };
    let saiz = || {
        let full = FullBox::default();
        let saio = Saio { full, info_type: None, offsets: vec![9] };
        [
            AnyBox::new(Saiz { default_sample_info_size: 8, sample_count: 2, ..Saiz::default() }),
            AnyBox::new(saio),
        ]
    };
    let with = |entry: SampleEntry, others: Vec<AnyBox>| {
        let found = found(entry, move |_, made| made.others = others.clone());
        assert!(found.len() < 2, "{found:?}");
        found.first().map(|text| text.split("first: ").last().unwrap().to_owned())
    };
    let none = Some("it has no IVs (`senc`) for its 2 samples".to_owned());
    for entry in [cenc(1, 8), cenc(1, 16), piff()] {
        assert_eq!(with(entry.clone(), vec![]), none);
        assert_eq!(with(entry.clone(), vec![AnyBox::new(Senc(info(2)))]), None);
        assert_eq!(with(entry.clone(), vec![AnyBox::new(PiffSenc(info(2)))]), None);
        assert_eq!(with(entry.clone(), saiz().to_vec()), None);
        let few = with(entry, vec![AnyBox::new(Senc(info(1)))]);
        assert_eq!(few.unwrap(), "it has IVs for 1 of its 2 samples");
    }
    // Not encrypted, or without IVs of their own.
    assert_eq!(with(cenc(0, 0), vec![]), None);
    assert_eq!(with(cenc(1, 0), vec![]), None);
    assert_eq!(with(clear(), vec![]), None);
}

#[test]
fn samples_that_last_another_time_than_their_chunk_are_found() {
    let found = |duration| {
        found(clear(), move |i, made| {
            if i == 4 {
                made.duration = duration;
            }
        })
    };
    // In units of 90 kHz; much too long; within a sample.
    assert_eq!(
        found(90_000),
        [
            "warning duration-in-fragment: film.ismv, video at 40000, chunk 80000000: its samples last 180000 ticks, but its chunk 20000000"
        ]
    );
    assert_eq!(found(25_000_000).len(), 1);
    assert_eq!(found(11_000_000).len(), 0);
}

#[test]
fn a_file_that_cannot_be_read_is_a_finding_and_the_survey_ends() {
    let fragments: Vec<Made> = (0..40).map(made).collect();
    let store = film(file(clear(), &fragments), 40);
    let opened = open(&store).unwrap();
    let mut survey = Survey::new(opened.presentation());
    let mut reads = 0;
    while !survey.is_over() {
        let step = survey.look_on().drive(|want| {
            let Want::Range { range, .. } = want else { panic!("a survey opens nothing") };
            reads += 1;
            assert!(range.end - range.start <= 4096);
            Err::<Got, _>(ReadError::new(ReadErrorKind::Transient))
        });
        survey = step.unwrap();
    }
    assert_eq!(reads, 40);
    let findings = survey.findings();
    assert_eq!((findings.len(), findings[0].code.as_str()), (1, "file-unreadable"));
    assert!(findings[0].message.starts_with("40 of 40 fragments; the first: "));
}

#[test]
fn a_survey_reads_the_head_of_each_fragment_once() {
    let tracks = [Track::regular(1, StreamKind::Video, 50, 20_000_000, 200_000)];
    let media = film::media(&tracks, Style::default());
    let store = film(media.to_bytes(), 50);
    let bytes = media.to_bytes();
    let opened = open(&store).unwrap();
    let mut survey = Survey::new(opened.presentation());
    let mut read = 0;
    while !survey.is_over() {
        let step = survey.look_on().drive(|want| {
            let Want::Range { range, .. } = want else { panic!("a survey opens nothing") };
            read += range.end - range.start;
            let range = range.start as usize..range.end as usize;
            Ok(Got::Range(Bytes::copy_from_slice(&bytes[range])))
        });
        survey = step.unwrap();
    }
    assert_eq!((survey.looked_at(), read), (50, 50 * 4096));
}

#[test]
fn the_budget_of_findings_hides_no_graver_one() {
    let mut fragments: Vec<Made> =
        (0..10).map(|i| Made { says: made(i).says + 5, ..made(i) }).collect();
    fragments[5].track = 7;
    let store = film(file(clear(), &fragments), 10);
    let mut limits = Limits::default();
    limits.findings = 1;
    let options = OpenOptions::default().limits(limits);
    let origin = Origin::builder(store).open_options(options).build();
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    let mut survey = Survey::new(opened.presentation());
    while !survey.is_over() {
        survey = block_on(opened.survey(survey)).unwrap();
    }
    let findings = survey.findings();
    let codes: Vec<_> = findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["fragment-broken", "findings-left-out"]);
    let cause = findings[0].cause().unwrap().to_string();
    assert!(findings[0].message.ends_with(&cause), "{}", findings[0].message);
}

#[test]
fn fragments_in_files_of_their_own_are_looked_at_and_what_is_wrong_with_them_is_found() {
    use testkit::fragment_files::{files, film, fragment, fragment_with, put};
    let healthy = film();
    assert_eq!(codes_of(&healthy), Vec::<String>::new());
    let path = |time| format!("film.ism/QualityLevels(3000)/Fragments(video={time})");
    let whole = fragment(3000, 10_000_000);
    // The second of three fragments, at which opening does not look.
    for (bytes, expected) in [
        (whole[..whole.len() - 1].to_vec(), "error fragment-broken"),
        ([&whole[..], &whole].concat(), "error fragment-broken"),
        (fragment(3000, 10_005_000), "warning time-in-fragment"),
        (Vec::new(), "error fragment-broken"),
    ] {
        let store = film();
        put(&store, &path(10_000_000), bytes);
        assert_eq!(codes_of(&store), [expected]);
    }
    let store = film();
    store.remove(&name(&path(10_000_000)));
    assert_eq!(codes_of(&store), ["error fragment-file-missing"]);
    // Longer heads and samples take further reads.
    let store = film();
    let many = vec![AnyBox::other(*b"free", vec![0; 100_000])];
    put(&store, &path(10_000_000), fragment_with(10_000_000, &[7; 300_000], many));
    assert_eq!(codes_of(&store), Vec::<String>::new());
    assert_eq!(files().len(), 8);
}

/// Returns the codes of what a survey of the folder of fragments in a store finds.
fn codes_of(store: &MemoryStore) -> Vec<String> {
    let opened = block_on(Origin::new(store.clone()).open(&name("film.ism"))).unwrap();
    let mut survey = Survey::new(opened.presentation());
    assert_eq!(survey.fragments(), 8);
    while !survey.is_over() {
        survey = block_on(opened.survey(survey)).unwrap();
    }
    let findings = survey.findings();
    findings.iter().map(|f| format!("{} {}", f.severity(), f.code)).collect()
}

#[test]
fn an_mdat_that_is_longer_than_its_samples_is_found() {
    let found = found(clear(), |i, made| made.left_over = if i == 4 { 3 } else { 0 });
    let wanted = "warning sizes-contradicted: film.ismv, video at 40000, chunk 80000000: its samples have 37 bytes together, but its `mdat` 40";
    assert_eq!(found, [wanted]);
}

#[test]
fn what_was_looked_at_is_recorded_if_that_is_wanted() {
    let mut fragments: Vec<Made> = (0..20).map(made).collect();
    (fragments[3].units, fragments[3].flags) = (vec![P.to_vec()], Some([NON_SYNC; 2]));
    fragments[7].left_over = 100;
    let opened = open(&film(file(clear(), &fragments), 20)).unwrap();
    let presentation = opened.presentation();
    let mut survey = Survey::new(presentation).recording();
    let mut looked = Vec::new();
    while !survey.is_over() {
        survey = block_on(opened.survey(survey)).unwrap();
        looked.extend(survey.take_looked());
    }
    looked.sort_by_key(|of| of.chunk);
    assert_eq!(looked.len(), 20);
    let mut sizes = Vec::new();
    presentation.streams()[0].tracks()[0]
        .each_stored(|_, bytes| sizes.push(bytes.end - bytes.start));
    for (number, of) in looked.iter().enumerate() {
        assert_eq!((of.stream, of.track, of.chunk), (0, 0, number));
        assert_eq!((of.bytes, of.lacks_key_frame), (sizes[number], number == 3), "{number}");
    }
    let mut silent = block_on(opened.survey(Survey::new(presentation))).unwrap();
    assert_eq!(silent.take_looked(), []);
}
