//! What web players really ask for.

mod support;

use smooth_origin::fragment::Noun;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::storage::MemoryStore;
use support::film::{self, Fragment, Style, Track, ism, ismc};
use support::{get, served, status, store};

/// Starts in units of 100 ns since 1970, in 2026, and what JavaScript writes for each: the output of
/// `String(Number("17959968061234567"))` and so on in node 20.20.2.
const STARTS: [(u64, &str); 6] = [
    (17_959_968_061_234_567, "17959968061234568"),
    (17_959_968_081_234_567, "17959968081234568"),
    (17_959_968_101_234_568, "17959968101234568"),
    (17_959_968_122_567_901, "17959968122567900"),
    (17_959_968_142_567_899, "17959968142567900"),
    (17_959_968_163_901_233, "17959968163901232"),
];

/// A film whose video has these starts, with its own manifest.
fn epoch(starts: &[u64]) -> MemoryStore {
    let fragment = |(number, &start): (usize, &u64)| Fragment {
        time: start as i64,
        samples: vec![(20_000_000, 100 + number as u32)],
    };
    let fragments = starts.iter().enumerate().map(fragment).collect();
    let media = film::media(&[Track::new(1, StreamKind::Video, fragments)], Style::default());
    store([
        ("film.ism", ism(Some("film.ismc"), &[("video", "film.ismv", 300, 1, "")])),
        ("film.ismv", media.to_bytes()),
        ("film.ismc", ismc(&[(StreamKind::Video, "video", &[300], starts)])),
    ])
}

fn url(noun: Noun, time: impl std::fmt::Display) -> String {
    format!("/film.ism/QualityLevels(300)/{noun}(video={time})")
}

#[test]
fn times_above_2_to_the_53_are_found_by_the_doubles_that_players_ask_for() {
    let starts = STARTS.map(|(start, _)| start);
    let origin = Origin::new(epoch(&starts));
    for (start, written) in STARTS {
        for noun in Noun::ALL.iter().copied() {
            let exact = served(&origin, &url(noun, start)).unwrap();
            let rounded = served(&origin, &url(noun, written)).unwrap();
            assert_eq!(exact.reply().validator(), rounded.reply().validator(), "{noun} {written}");
            let (exact, rounded) = (url(noun, start), url(noun, written));
            assert_eq!(get(&origin, &exact).unwrap(), get(&origin, &rounded).unwrap(), "{rounded}");
        }
    }
    // Other doubles are no chunk's.
    for beside in [17_959_968_061_234_564_u64, 17_959_968_061_234_570, 1 << 60, u64::MAX] {
        assert_eq!(status(&origin, &url(Noun::Fragments, beside)), 404, "{beside}");
    }
}

#[test]
fn a_double_of_two_starts_is_found_only_where_it_is_one_of_them() {
    let two = [17_959_968_061_234_567, 17_959_968_061_234_569, 17_959_968_081_234_567];
    let origin = Origin::new(epoch(&two));
    assert_eq!(two.map(|start| start as f64)[..2], [17_959_968_061_234_568_f64; 2]);
    assert_eq!(status(&origin, &url(Noun::Fragments, 17_959_968_061_234_568_u64)), 404);
    assert_eq!(status(&origin, &url(Noun::Fragments, 17_959_968_081_234_568_u64)), 200);
    let one_is_exact = [17_959_968_061_234_567, 17_959_968_061_234_568];
    let origin = Origin::new(epoch(&one_is_exact));
    let info = get(&origin, &url(Noun::RawFragments, 17_959_968_061_234_568_u64)).unwrap();
    assert_eq!(info.len(), 101, "the second chunk");
}

#[test]
fn times_below_2_to_the_53_are_found_by_nothing_but_themselves() {
    let origin = Origin::new(epoch(&[0, 20_000_000, (1 << 53) - 2, (1 << 53) + 1]));
    for (time, expected) in [
        (0, 200),
        (1, 404),
        (20_000_001, 404),
        ((1 << 53) - 3, 404),
        ((1 << 53) - 1, 404),
        (1 << 53, 200),
        ((1 << 53) + 2, 404),
        (u64::MAX, 404),
    ] {
        assert_eq!(status(&origin, &url(Noun::Fragments, time)), expected, "{time}");
    }
}

#[test]
fn the_longest_time_that_a_player_writes_is_a_time() {
    let origin = Origin::new(epoch(&[0]));
    // `String(Number("18446744073709551615"))`: 64 bits do not hold it.
    assert_eq!(status(&origin, &url(Noun::Fragments, "18446744073709552000")), 404);
    for time in ["18446744073709552001", "18446744073709553000", "1.7959968061234568e16"] {
        assert_eq!(status(&origin, &url(Noun::Fragments, time)), 400, "{time}");
    }
}
