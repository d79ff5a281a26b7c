//! Tracks as the header of a push describes them, and the pieces that segments are made of.

use smooth_origin::live::LiveLimits;
use smooth_origin::live::intake::{Intake, Unit};

use super::live_intake::{
    Fragment, INNER, KEY, MANIFEST, Trak, both, boxed, chunk, fragment, ftyp, full, moov, mp4a,
    payload, samples, take, take_with, times, trak, uuid, words,
};

/// The empty edit of this length, in ticks of the movie (1/1000 s).
fn empty(length: u32) -> (u32, u32) {
    (length, u32::MAX)
}

fn sound(edits: &[(u32, u32)], timescale: u32) -> Trak {
    Trak { timescale, edits: edits.to_vec(), ..trak(2, "soun", mp4a([0x11, 0x88])) }
}

/// A fragment of CMAF, 20,000,000 ticks long.
fn cmaf(track: u32, time: u64) -> Fragment {
    Fragment {
        tfhd: (0x2_0020, vec![0x200_0000]),
        before: full("tfdt", 1, 0, &time.to_be_bytes()),
        behind: Vec::new(),
        ..fragment(track, 0)
    }
}

#[test]
fn sound_that_begins_late_by_its_edit_list_is_shown_late() {
    for (edits, timescale, first) in [
        // As ffmpeg writes it for DASH and HLS.
        (&[empty(676), (0, 0)][..], 48_000, 32_448),
        (&[empty(676), (0, 0)], 44_100, 29_812),
        (&[empty(600), empty(76), (0, 1024)], 48_000, 32_448 - 1024),
        (&[empty(676)], 48_000, 32_448),
        (&[(0, 1024), empty(676)], 48_000, -1024),
    ] {
        let header = [ftyp(), moov(&[sound(edits, timescale)])].concat();
        let taken = take(&[header, cmaf(2, 0).bytes(), cmaf(2, 20_000_000).bytes()]);
        let found: Vec<_> = times(&taken).into_iter().map(|(time, ..)| time).collect();
        assert_eq!(found, [first, first + 20_000_000], "{edits:?}");
        // A time of Smooth Streaming is the one that counts.
        let taken = take(&[moov(&[sound(edits, timescale)]), fragment(2, 7).bytes()]);
        assert_eq!(times(&taken)[0].0, 7);
    }
    // Edits that last for ever are no reason to lose the fragments of other tracks.
    let forever = vec![empty(u32::MAX); 3];
    let header = moov(&[sound(&forever, u32::MAX), trak(3, "soun", mp4a([0x11, 0x88]))]);
    let taken = take(&[header, cmaf(2, 0).bytes(), cmaf(3, 5).bytes()]);
    assert!(times(&taken).iter().any(|(time, ..)| *time == 5), "{:?}", times(&taken));
}

fn styp(brands: &[&[u8; 4]]) -> Vec<u8> {
    let major = brands.first().map_or(*b"iso8", |brand| **brand);
    let all: Vec<u8> = brands.iter().flat_map(|brand| **brand).collect();
    boxed("styp", &[&major[..], &[0; 4], &all].concat())
}

#[test]
fn chunks_that_say_that_they_are_some_are_parts_of_a_fragment() {
    let second = 20_000_000;
    let segment = |first: &[&[u8; 4]], number: u64| {
        let more = |at: u64| [styp(&[b"cmfl"]), chunk(1, number + at, INNER)].concat();
        [styp(first), chunk(1, number, KEY), more(1), more(2)].concat()
    };
    let whole = |time: i64| (time, 3 * second, true);
    for first in [&[b"cmfs"][..], &[b"msdh", b"cmfs", b"cmff", b"cmfl"], &[b"iso6"], &[b"cmfr"]] {
        let taken = take(&[both(), segment(first, 0), segment(first, 3), segment(first, 6)]);
        let long = 3 * second as i64;
        assert_eq!(times(&taken), [whole(0), whole(long), whole(2 * long)], "{first:?}");
        assert_eq!(samples(taken.fragments()[1]), payload(12).repeat(3));
    }
    // Segments of sound, too.
    let sounds = |number: u64| {
        let more = [styp(&[b"cmfl"]), chunk(2, number + 1, KEY)].concat();
        [styp(&[b"cmfs"]), chunk(2, number, KEY), more].concat()
    };
    let taken = take(&[both(), sounds(0), sounds(2)]);
    assert_eq!(times(&taken), [(0, 2 * second, true), (2 * second as i64, 2 * second, true)]);
    // Any of them may say that the segment is the last one.
    let last = [styp(&[b"cmfl", b"lmsg"]), chunk(1, 1, INNER), styp(&[b"cmfl"])].concat();
    let taken = take(&[both(), styp(&[b"cmfs"]), chunk(1, 0, KEY), last, chunk(1, 2, INNER)]);
    assert_eq!(times(&taken), [whole(0)]);
    assert!(taken.ends_stream() && matches!(taken.units.last(), Some(Unit::EndOfStream)));
    // If all of them say so, those of pictures begin with a key frame.
    let taken = take(&[both(), segment(&[b"cmfl"], 0), segment(&[b"cmfl"], 3)]);
    assert_eq!(times(&taken), [whole(0), whole(3 * second as i64)]);
}

/// A `kind` of a scheme and a value.
fn kind(scheme: &str, value: &str) -> Vec<u8> {
    full("kind", 0, 0, format!("{scheme}\0{value}\0").as_bytes())
}

#[test]
fn what_a_track_is_for_is_part_of_its_name() {
    let dash = |value: &str| kind("urn:mpeg:dash:role:2011", value);
    let purpose = |value: &str| kind("urn:tva:metadata:cs:AudioPurposeCS:2007", value);
    let text = boxed("stpp", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], b"ns\0\0\0"].concat());
    let sound = |id, udta: Vec<u8>| Trak { udta, ..trak(id, "soun", mp4a([0x11, 0x88])) };
    let traks = [
        sound(1, vec![]),
        sound(2, dash("main")),
        sound(3, [dash("alternate"), dash("description")].concat()),
        sound(4, purpose("1")),
        sound(5, [kind("urn:example", "x"), vec![0; 4]].concat()),
        sound(6, dash("a\u{301}\n\"b")),
        Trak { udta: dash("forced-subtitle"), ..trak(7, "subt", text) },
        sound(8, b"\0\0\0\x0ckind\0\0\0\0".to_vec()),
        sound(9, dash(&"long".repeat(100))),
    ];
    let taken = take(&[moov(&traks)]);
    let of = |name| {
        let tracks = taken.headers()[0].tracks.iter();
        tracks.map(|track| track.server.value(name).unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    let names = [
        "audio",
        "audio",
        "audio_alternate_description",
        "audio_description",
        "audio",
        "audio_a___b",
        "text_forced_subtitle",
        "audio",
        "audio",
    ];
    assert_eq!(of("trackName"), names);
    let roles = of("role");
    assert_eq!(roles[..5], ["-", "-", "description", "description", "-"]);
    assert_eq!(roles[6], "forced-subtitle");
}

#[test]
fn a_track_of_events_is_no_track_of_captions() {
    let entry = |format| boxed(format, &[0, 0, 0, 0, 0, 0, 0, 1]);
    let traks = [trak(1, "meta", entry("evte")), trak(2, "meta", entry("urim"))];
    let taken = take(&[moov(&traks)]);
    let tracks = &taken.headers()[0].tracks;
    for (track, format) in tracks.iter().zip(["EVTE", "URIM"]) {
        let of = |name| track.server.value(name);
        assert_eq!(
            (track.server.name(), of("Subtype"), of("FourCC")),
            ("events", Some("DATA"), Some(format))
        );
    }
    let smil = r#"<smil><body><switch><textstream systemBitrate="1000"><param name="trackID" value="1"/>
        <param name="trackName" value="cues"/><param name="Subtype" value="SCMD"/></textstream></switch></body></smil>"#;
    let taken = take(&[uuid(MANIFEST, 0, smil.as_bytes()), moov(&traks)]);
    let named = &taken.headers()[0].tracks[0].server;
    assert_eq!((named.name(), named.value("Subtype")), ("cues", Some("SCMD")));
}

#[test]
fn a_fragment_without_samples_is_nothing_and_no_fault() {
    let without = |moof: Vec<u8>| [styp(&[b"msdh"]), moof].concat();
    let none = Fragment { sizes: vec![], ..cmaf(2, 20_000_000) };
    // `duration-is-empty`, and no `trun`.
    let tfhd = full("tfhd", 0, 0x3_0000, &words(&[2]));
    let tfdt = full("tfdt", 1, 0, &20_000_000_u64.to_be_bytes());
    let traf = boxed("traf", &[tfhd, tfdt].concat());
    let bare = boxed("moof", &[full("mfhd", 0, 0, &words(&[2])), traf].concat());
    let header = || [ftyp(), moov(&[sound(&[], 10_000_000)])].concat();
    for empty in [none.bytes(), none.moof(), bare.clone(), [bare, boxed("mdat", b"")].concat()] {
        let (first, last) = (cmaf(2, 0).bytes(), cmaf(2, 40_000_000).bytes());
        let taken = take(&[header(), first, without(empty.clone()), last]);
        assert_eq!(taken.refused(), [""; 0]);
        let found: Vec<_> = times(&taken).into_iter().map(|(time, ..)| time).collect();
        assert_eq!(found, [0, 40_000_000]);
        // It may be all of a request.
        let intake = Intake::continuing(&LiveLimits::default(), taken.known.unwrap());
        let alone = take_with(intake, &without(empty), 7);
        assert_eq!(format!("{:?} {:?}", alone.units, alone.end), "[] Ok(Complete)");
    }
    // One of which there is a part is cut off.
    let known = take(&[header(), cmaf(2, 0).bytes()]).known.unwrap();
    let intake = Intake::continuing(&LiveLimits::default(), known);
    let cut = take_with(intake, &without(cmaf(2, 0).moof()), 7);
    assert!(format!("{:?}", cut.end).starts_with("Ok(Cut"), "{:?}", cut.end);
}
