//! Attributes that the header of a push says of its tracks: elements of the live server manifest, and boxes of the `moov`.

use smooth_origin::live::intake::HeaderTrack;

use super::live_intake::{
    MANIFEST, Taken, Trak, avc1, boxed, fragment, ftyp, full, moov, mp4a, take, trak, uuid,
};

/// A header with a live server manifest of these elements.
fn header(elements: &str, traks: &[Trak]) -> Vec<HeaderTrack> {
    let smil = format!("<smil><body><switch>{elements}</switch></body></smil>");
    let taken = take(&[ftyp(), uuid(MANIFEST, 0, smil.as_bytes()), moov(traks)]);
    taken.headers()[0].tracks.clone()
}

/// Name and bitrate of each track.
fn named(elements: &str, traks: &[Trak]) -> Vec<(String, u32)> {
    let tracks = header(elements, traks);
    let of =
        |track: &HeaderTrack| (track.server.name().to_owned(), track.server.bitrate().unwrap_or(0));
    tracks.iter().map(of).collect()
}

fn element(kind: &str, bitrate: u32, params: &[(&str, &str)]) -> String {
    let of = |(name, value): &(&str, &str)| format!(r#"<param name="{name}" value="{value}"/>"#);
    let params: String = params.iter().map(of).collect();
    format!(r#"<{kind} systemBitrate="{bitrate}">{params}</{kind}>"#)
}

fn pictures(id: u32) -> Trak {
    trak(id, "vide", avc1())
}

fn sound(id: u32) -> Trak {
    trak(id, "soun", mp4a([0x11, 0x88]))
}

fn is(name: &str, bitrate: u32) -> (String, u32) {
    (name.to_owned(), bitrate)
}

#[test]
fn a_manifest_of_the_whole_presentation_names_each_push_by_what_its_track_is() {
    let of = |name: &str, bitrate, width, height| {
        let size = [("MaxWidth", width), ("MaxHeight", height)];
        element("video", bitrate, &[&[("trackID", "1"), ("trackName", name)][..], &size].concat())
    };
    let other = |name: &str, data| {
        let params = [("trackID", "1"), ("trackName", name), ("CodecPrivateData", data)];
        element("audio", 64_000, &params)
    };
    // The size of the pictures is 160 x 90; the sound is `1188`.
    let all = [
        of("hd", 3_000_000, "1920", "1080"),
        of("small", 300_000, "160", "90"),
        of("sd", 1_000_000, "640", "360"),
        other("surround", "11b0"),
        other("mono", "1188"),
    ]
    .concat();
    assert_eq!(named(&all, &[pictures(1)]), [is("small", 300_000)]);
    assert_eq!(named(&all, &[sound(1)]), [is("mono", 64_000)]);
    // Nothing tells them apart: the first.
    let alike = [of("hd", 3_000_000, "", ""), of("sd", 1_000_000, "", "")].concat();
    assert_eq!(named(&alike, &[pictures(1)]), [is("hd", 3_000_000)]);
}

#[test]
fn a_track_whose_number_is_not_listed_is_the_only_one_of_its_kind() {
    let one =
        |kind, name, bitrate| element(kind, bitrate, &[("trackID", "7"), ("trackName", name)]);
    let both = [one("video", "v", 700_000), one("audio", "a", 64_000)].concat();
    let traks = [pictures(1), sound(2)];
    assert_eq!(named(&both, &traks), [is("v", 700_000), is("a", 64_000)]);
    // Several could be it.
    let two = [one("audio", "a", 64_000), one("audio", "b", 96_000)].concat();
    assert_eq!(named(&two, &[sound(1)]), [is("audio", 0)]);
    assert_eq!(named(&one("audio", "a", 64_000), &[sound(1), sound(2)])[1], is("audio", 0));
}

#[test]
fn an_element_without_a_name_has_that_of_its_kind() {
    let english = |trak: Trak| Trak { language: 0x15c7, ..trak };
    let text = boxed("stpp", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], b"ns\0\0\0"].concat());
    let text = || trak(3, "subt", text.clone());
    let of = |kind: &str, id: &str| element(kind, 1000, &[("trackID", id)]);
    let all = [of("video", "1"), of("audio", "2"), of("textstream", "3")].concat();
    let names = |all: &str, traks: &[Trak]| {
        named(all, traks).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(&all, &[pictures(1), sound(2), text()]), ["video", "audio", "textstream"]);
    // Another language may come on another connection, with an element of its own.
    let spoken = [pictures(1), english(sound(2)), english(text())];
    assert_eq!(names(&all, &spoken), ["video", "audio_eng", "text_eng"]);
    // Not listed.
    assert_eq!(names("", &spoken), ["video", "audio_eng", "text_eng"]);
    // Languages are no qualities of one stream.
    let spoken = |id: &str, language| {
        element("audio", 1000, &[("trackID", id), ("systemLanguage", language)])
    };
    let two = [spoken("1", "eng"), spoken("2", "deu")].concat();
    let german = Trak { language: 0x10b5, ..sound(2) };
    assert_eq!(
        named(&two, &[english(sound(1)), german]),
        [is("audio_eng", 1000), is("audio_deu", 1000)]
    );
}

/// A track whose `mdia` has one more box.
fn with_box(trak: &Trak, more: &[u8]) -> Vec<u8> {
    let mut moov = moov(std::slice::from_ref(trak));
    let hdlr = moov.windows(4).position(|kind| kind == b"hdlr").unwrap() - 4;
    moov.splice(hdlr..hdlr, more.iter().copied());
    for kind in [b"moov", b"trak", b"mdia"] {
        let at = moov.windows(4).position(|found| found == kind).unwrap() - 4;
        let len = u32::from_be_bytes(moov[at..at + 4].try_into().unwrap()) + more.len() as u32;
        moov[at..at + 4].copy_from_slice(&len.to_be_bytes());
    }
    moov
}

#[test]
fn the_extended_language_counts_before_the_one_of_three_letters() {
    let portuguese = Trak { language: 0x41f2, ..sound(2) };
    let of = |elng: &[u8]| {
        let taken = take(&[ftyp(), with_box(&portuguese, elng)]);
        let server = taken.headers()[0].tracks[0].server.clone();
        (server.name().to_owned(), server.language().unwrap().to_owned())
    };
    let is = |name: &str, language: &str| (name.to_owned(), language.to_owned());
    assert_eq!(of(&full("elng", 0, 0, b"pt-BR\0")), is("audio_pt_BR", "pt-BR"));
    assert_eq!(of(&full("elng", 0, 0, b"pt-PT")), is("audio_pt_PT", "pt-PT"));
    assert_eq!(of(&boxed("elng", b"pt-BR\0")), is("audio_pt_BR", "pt-BR"));
    for nothing in [&b"und\0"[..], b"\0", b"", b"\xff\xfe"] {
        assert_eq!(of(&full("elng", 0, 0, nothing)), is("audio_por", "por"), "{nothing:?}");
    }
}

#[test]
fn a_track_that_cannot_be_read_is_left_out_and_told() {
    let numbers = |taken: &Taken| -> Vec<u32> {
        let tracks = &taken.headers()[0].tracks;
        tracks.iter().map(|track| track.track_id).collect()
    };
    // Its timescale is 0.
    let broken = |id| Trak { timescale: 0, ..sound(id) };
    let body = [moov(&[pictures(1), broken(2), sound(3)]), fragment(1, 0).bytes()];
    let taken = take(&body);
    assert_eq!((numbers(&taken), taken.fragments().len()), (vec![1, 3], 1));
    assert_eq!(taken.refused().len(), 1);
    assert!(taken.refused()[0].contains("Some(2)"), "{:?}", taken.refused());
    assert!(taken.refused()[0].contains("timescale"), "{:?}", taken.refused());
    // None is left.
    let taken = take(&[moov(&[broken(2)]), fragment(2, 0).bytes()]);
    assert!(taken.error().to_string().contains("timescale"), "{}", taken.error());
}
