//! Header fields for caches: RFC 9111, and the fields that CDNs read.

use std::time::Duration;

use http::HeaderName;
use smooth_origin::base::Name;
use smooth_origin::origin::Origin;
use smooth_origin::service::{
    CacheClass, CacheControl, Caching, Cors, OriginService, PassedFiles, ServiceOptions,
};

use crate::asked::{ask, get};
use crate::stores::{KEY_FRAMES, MANIFEST, POSTER, TARGETS, VIDEO, Watched, film};
use smooth_origin::manifest::StreamKind;
use testkit::{film as made, store};

fn service(caching: Caching) -> OriginService {
    let options = ServiceOptions::default().caching(caching).files(PassedFiles::all());
    OriginService::with_options(Origin::new(film()), options)
}

fn control(service: &OriginService, target: &str) -> String {
    get(service, target).header("cache-control")
}

/// A target of each class.
const CLASSES: &[(CacheClass, &str)] = &[
    (CacheClass::Manifest, MANIFEST),
    (CacheClass::Manifest, "/film.ism"),
    (CacheClass::Fragment, VIDEO),
    (CacheClass::Fragment, KEY_FRAMES),
    (CacheClass::File, POSTER),
    #[cfg(feature = "dash")]
    (CacheClass::Manifest, "/film.ism/manifest.mpd"),
    #[cfg(feature = "dash")]
    (CacheClass::Manifest, "/film.ism/manifest(format=mpd-time-csf)"),
    #[cfg(feature = "hls")]
    (CacheClass::Manifest, "/film.ism/master.m3u8"),
    #[cfg(feature = "hls")]
    (CacheClass::Manifest, "/film.ism/audio-64.m3u8"),
    #[cfg(feature = "hls")]
    (CacheClass::NotFound, "/film.ism/audio-65.m3u8"),
    #[cfg(any(feature = "dash", feature = "hls"))]
    (CacheClass::Fragment, "/film.ism/video-300/init.mp4"),
    #[cfg(any(feature = "dash", feature = "hls"))]
    (CacheClass::Fragment, "/film.ism/video-300/0.m4s"),
    #[cfg(any(feature = "dash", feature = "hls"))]
    (CacheClass::NotFound, "/film.ism/video-300/1.m4s"),
    (CacheClass::Malformed, "/film.ism/x"),
    (CacheClass::Refused, "/film.ismv"),
    (CacheClass::NotFound, "/none.ism/Manifest"),
    (CacheClass::NotFound, "/film.ism/QualityLevels(300)/Fragments(video=1)"),
    (CacheClass::NotServed, "/film.ism/Manifest(format=m3u8-aapl)"),
    (CacheClass::Broken, "/folder/broken.ism/Manifest"),
];

#[test]
fn each_class_has_its_own_policy_and_nothing_else_is_told() {
    let default = service(Caching::default());
    for (class, target) in CLASSES {
        let asked = get(&default, target);
        let age = asked.header("cache-control");
        let expected = match class {
            CacheClass::Manifest | CacheClass::File => "max-age=60",
            CacheClass::Fragment => "max-age=86400",
            CacheClass::Broken => "max-age=1",
            _ => "max-age=5",
        };
        assert_eq!(age, expected, "{target}");
        for name in ["expires", "pragma", "age", "set-cookie"] {
            assert_eq!(asked.header(name), "", "{target} {name}");
        }
        let one = CacheControl::max_age(Duration::from_secs(7)).public();
        let changed = service(Caching::default().class(*class, one));
        for (other, target) in CLASSES {
            let own = control(&changed, target);
            assert_eq!(own == "max-age=7, public", class == other, "{class:?} {target}: {own}");
        }
    }
}

#[test]
fn nothing_is_said_without_a_policy() {
    let options = ServiceOptions::default().no_caching().files(PassedFiles::all());
    let service = OriginService::with_options(Origin::new(film()), options);
    for (_, target) in CLASSES {
        let asked = get(&service, target);
        assert_eq!(asked.header("cache-control") + &asked.header("surrogate-key"), "", "{target}");
    }
}

#[test]
fn all_directives_are_written_as_their_rfcs_have_them() {
    let second = Duration::from_secs(1);
    let control = CacheControl::max_age(second)
        .s_maxage(second * 2)
        .stale_while_revalidate(second * 3)
        .stale_if_error(second * 4)
        .public()
        .immutable();
    let text =
        "max-age=1, s-maxage=2, stale-while-revalidate=3, stale-if-error=4, public, immutable";
    assert_eq!(control.to_string(), text);
    assert_eq!(CacheControl::no_store().to_string(), "no-store");
    let service = service(Caching::default().class(CacheClass::Fragment, control));
    assert_eq!(self::control(&service, VIDEO), text);
    // A range, a HEAD and a 304 say the same as the whole.
    let tag = get(&service, VIDEO).header("etag");
    for (method, fields, status) in [
        ("GET", [("range", "bytes=0-1")], 206),
        ("HEAD", [("range", "bytes=0-1")], 200),
        ("GET", [("if-none-match", tag.as_str())], 304),
    ] {
        let asked = ask(&service, method, VIDEO, &fields);
        assert_eq!((asked.status, asked.header("cache-control")), (status, text.to_owned()));
    }
}

/// RFC 9111, 1.2.2 and 5.2.2.5; RFC 8246, 2.
#[test]
fn values_without_a_meaning_are_not_written() {
    let age = |seconds| CacheControl::max_age(Duration::from_secs(seconds));
    let second = Duration::from_secs(1);
    for (control, text) in [
        (CacheControl::no_store().immutable().public().s_maxage(second), "no-store"),
        (CacheControl::no_store().stale_if_error(second), "no-store"),
        (age(0), "max-age=0"),
        (age(0).immutable(), "max-age=0"),
        (CacheControl::max_age(Duration::from_millis(1999)), "max-age=1"),
        (age(1 << 31), "max-age=2147483648"),
        (age(u64::MAX), "max-age=2147483648"),
        (age(1).s_maxage(Duration::MAX), "max-age=1, s-maxage=2147483648"),
        (age(1).immutable().immutable().public().public(), "max-age=1, public, immutable"),
        (age(1).s_maxage(second).s_maxage(second * 2), "max-age=1, s-maxage=2"),
    ] {
        assert_eq!(control.to_string(), text);
    }
}

/// All spellings of a path are one path, wherever the service is.
#[test]
fn a_pattern_matches_every_spelling_of_a_path() {
    let short = CacheControl::max_age(Duration::from_secs(2));
    for pattern in ["film.ism/*", "/film.ism/*", "/FILM.ism/*", "*m.ism/*"] {
        let caching = Caching::default()
            .for_paths(pattern, CacheClass::Manifest, short.clone())
            .for_paths(pattern, CacheClass::Fragment, short.clone());
        let service = service(caching);
        for target in [
            MANIFEST,
            "/%66ilm.ism/Manifest",
            "/film%2Eism/Manifest",
            "/film.ism/MANIFEST",
            "//film.ism//Manifest/",
            "/film.ism/Manifest?a=b",
            "http://other.example/film.ism/Manifest",
            VIDEO,
            "/film.ism/QualityLevels%28300%29/Fragments%28video%3D0%29",
            "/film.%69sm/qualitylevels(300)/fragments(video=0)?token",
        ] {
            let asked = get(&service, target);
            assert_eq!((asked.status, asked.header("cache-control")), (200, "max-age=2".into()));
        }
    }
    let service = service(Caching::default().for_paths("a b/é*", CacheClass::NotFound, short));
    for target in ["/a%20b/%C3%A9.jpg", "/A%20b/%c3%a9/none.ism/Manifest"] {
        assert_eq!(control(&service, target), "max-age=2", "{target}");
    }
    assert_eq!(control(&service, "/a%2520b/%C3%A9.jpg"), "max-age=5");
}

#[test]
fn the_documented_policy_is_the_default_and_stays_with_other_options() {
    let default = OriginService::new(Origin::new(film()));
    let cors = ServiceOptions::default().cors(Cors::any());
    let cors = OriginService::with_options(Origin::new(film()), cors);
    let options = OriginService::with_options(Origin::new(film()), ServiceOptions::default());
    for service in [&default, &cors, &options] {
        for (target, expected) in
            [(MANIFEST, "max-age=60"), (VIDEO, "max-age=86400"), ("/none", "max-age=5")]
        {
            assert_eq!(control(service, target), expected);
        }
        assert_eq!(get(service, VIDEO).header("surrogate-key"), "film.ism");
    }
}

#[test]
fn content_that_never_changes_is_kept_for_a_year() {
    let service = service(Caching::default().content_never_changes());
    assert_eq!(control(&service, VIDEO), "max-age=31536000, immutable");
    assert_eq!(control(&service, MANIFEST), "max-age=60");
}

#[test]
fn the_first_pattern_that_matches_counts_and_only_for_its_class() {
    let age = |seconds| CacheControl::max_age(Duration::from_secs(seconds));
    let service = service(
        Caching::default()
            .for_paths("/film.ism/Quality*video=2*", CacheClass::Fragment, age(1))
            .for_paths("/film.ism/*", CacheClass::Fragment, age(2))
            .for_paths("*", CacheClass::Fragment, age(3))
            .for_paths("/art/*.jpg", CacheClass::File, age(4))
            .for_paths("other.ISM/*", CacheClass::Manifest, age(5))
            .for_paths("/", CacheClass::Manifest, age(8))
            .for_paths("/none*", CacheClass::NotFound, age(6)),
    );
    for (target, expected) in [
        (VIDEO, "max-age=2"),
        ("/film.ism/QualityLevels(300)/Fragments(video=20000000)", "max-age=1"),
        (MANIFEST, "max-age=60"),
        (POSTER, "max-age=4"),
        ("/art/empty.txt", "max-age=60"),
        ("/none.ism/Manifest", "max-age=6"),
        ("/other.ism/Manifest", "max-age=5"),
    ] {
        assert_eq!(control(&service, target), expected, "{target}");
    }
}

/// A purge must reach all that caches keep of a presentation.
#[test]
fn all_of_a_presentation_carries_its_name_for_a_purge() {
    let default = service(Caching::default());
    let tag = get(&default, VIDEO).header("etag");
    for target in TARGETS.into_iter().filter(|target| *target != POSTER) {
        assert_eq!(get(&default, target).header("surrogate-key"), "film.ism", "{target}");
        let part = ask(&default, "GET", target, &[("range", "bytes=0-1")]);
        assert_eq!(part.header("surrogate-key"), "film.ism");
    }
    let not_modified = ask(&default, "GET", VIDEO, &[("if-none-match", &tag)]);
    assert_eq!(not_modified.header("surrogate-key"), "film.ism");
    assert_eq!(get(&default, POSTER).header("surrogate-key"), "");

    let tagged =
        service(Caching::default().surrogate_key(Some(HeaderName::from_static("cache-tag"))));
    let asked = get(&tagged, VIDEO);
    assert_eq!(
        (asked.header("cache-tag"), asked.header("surrogate-key")),
        ("film.ism".into(), String::new())
    );
    let none = service(Caching::default().surrogate_key(None));
    assert_eq!(get(&none, VIDEO).header("surrogate-key"), "");
}

/// A name is one key, whatever it holds: no blank, no comma, nothing that ends a header field.
#[test]
fn a_name_is_one_key_whatever_it_holds() {
    let media = made::media(
        &[made::Track::regular(1, StreamKind::Video, 2, 20_000_000, 100)],
        made::Style::default(),
    );
    for (path, target, key) in [
        ("a b/film,one.ism", "/a%20b/film%2Cone.ism", "a%20b/film%2Cone.ism"),
        ("100%.ism", "/100%25.ism", "100%25.ism"),
        ("café.ism", "/caf%C3%A9.ism", "caf%C3%A9.ism"),
        ("\u{2028}\u{85}.ism", "/%E2%80%A8%C2%85.ism", "%E2%80%A8%C2%85.ism"),
        ("a\"b<c>;d.ism", "/a%22b%3Cc%3E;d.ism", "a\"b<c>;d.ism"),
    ] {
        let folder =
            path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let elements = [("video", "film.ismv", 300, 1, "")];
        let objects = store([
            (path, made::ism(None, &elements)),
            (&format!("{folder}film.ismv"), media.to_bytes()),
        ]);
        assert!(Name::new(path).is_ok());
        let service = OriginService::new(Origin::new(Watched::new(objects)));
        let asked = get(&service, &format!("{target}/Manifest"));
        assert_eq!(asked.status, 200, "{path}");
        assert_eq!(asked.header("surrogate-key"), key);
        // The redirect leads to the manifest.
        let location = get(&service, target).header("location");
        let base = target.rsplit_once('/').unwrap().0;
        assert_eq!(get(&service, &format!("{base}/{location}")).status, 200, "{location}");
    }
}
