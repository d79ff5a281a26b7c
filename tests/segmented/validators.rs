//! The validators of manifests: two texts never have one.

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::presentation::OpenOptions;
use testkit::film::{self, Media, Style, Track, ism};
use testkit::{name, read, store};

const SECOND: u32 = 10_000_000;

/// A file with an index, and 5,000 bytes between two fragments.
fn with_fill() -> Media {
    let track = Track::regular(1, StreamKind::Video, 4, 2 * SECOND, 300);
    let mut media = film::media(&[track], Style { mfra: false, ..Style::default() });
    let (at, len) = (media.fragments[2].2.start, 5000);
    for (_, _, range) in media.fragments.iter_mut().filter(|of| of.2.start >= at) {
        *range = range.start + len..range.end + len;
    }
    for part in media.parts.iter_mut().filter(|part| part.0 >= at) {
        part.0 += len;
    }
    let free = [&5000_u32.to_be_bytes()[..], b"free", &[0; 4992]].concat();
    media.parts.push((at, free));
    media.parts.sort_by_key(|part| part.0);
    media.len += len;
    let index = film::index(&media);
    film::push_mfra(&mut media, &index);
    media
}

/// If the index of a file is found broken, the origin opens the presentation again and walks through
/// the file. The fragments then have other sizes than by the index, and the playlist has other rates.
#[test]
fn a_playlist_with_other_rates_has_another_validator() {
    let media = with_fill().to_bytes();
    let element = [("video", "film.ismv", 300, 1, "")];
    let store = store([("film.ism", ism(None, &element)), ("film.ismv", media)]);
    let by_index = Origin::new(store.clone());
    let options = OpenOptions::default().distrust(name("film.ismv"));
    let by_walk = Origin::builder(store.clone()).open_options(options).build();
    let again = Origin::new(store);
    let ask = |origin: &Origin, path: &str| {
        let path = format!("/film.ism/{path}");
        let asked = block_on(origin.ask(&path)).unwrap();
        let identity = asked.identity().unwrap().validator().to_string();
        let Answer::Reply(served) = block_on(asked.answer()).unwrap() else { panic!("{path}") };
        assert_eq!(served.reply().validator().to_string(), identity, "{path}");
        (identity, String::from_utf8(read(&served).unwrap()).unwrap())
    };
    for path in ["master.m3u8", "manifest.mpd", "trick.mpd"] {
        let (index, walk) = (ask(&by_index, path), ask(&by_walk, path));
        assert_eq!(index.0 == walk.0, index.1 == walk.1, "{path}: {index:?} {walk:?}");
        assert_eq!(ask(&again, path), index, "{path}");
        assert_eq!(ask(&by_index, path), index, "{path}");
    }
    let (index, walk) = (ask(&by_index, "master.m3u8").1, ask(&by_walk, "master.m3u8").1);
    assert_ne!(index, walk, "the index counts the fill bytes");
}
