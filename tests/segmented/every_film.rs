//! The presentations of `testdata/`: each segment that a manifest names has the stored samples.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use mp4::ReadBox;
use shiguredo_mp4::{Decode, boxes as other};
use smooth_origin::Limits;
use smooth_origin::bmff::uuid::PiffSenc;
use smooth_origin::bmff::{Boxes, Mdhd, Saio, Saiz, Senc, Tfdt, Tfhd, Tkhd};
use smooth_origin::origin::Origin;
use smooth_origin::storage::LocalStore;

use super::element::Element;
use super::film::{Film, Smooth};
use super::samples::{Defaults, Sample, ours, theirs, traf};

/// All presentations of `testdata/`, live ones aside, which DASH does not serve.
const FILMS: [&str; 19] = [
    "bframes/bframes.ism",
    "dialects/archive/archive.ism",
    "dialects/attributes/attributes.ism",
    "dialects/azure/azure.ism",
    "dialects/bento4/bento4.ism",
    "dialects/captions/captions.ism",
    "dialects/cmaf/cmaf.ism",
    "dialects/dense/dense.ism",
    "dialects/encoder/encoder.ism",
    "dialects/ffmpeg/ffmpeg.ism",
    "dialects/missing/missing.ism",
    "dialects/playready/playready.ism",
    "dialects/unified/unified.ism",
    "dialects/utf16/be.ism",
    "dialects/utf16/le.ism",
    "dialects/wide/wide.ism",
    "ladder/ladder.ism",
    "ntsc/ntsc.ism",
    "split/split.ism",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

pub fn real(path: &str) -> Film {
    let origin = Origin::new(LocalStore::new(root()).unwrap());
    Film::new(origin, path, |name| fs::read(root().join(name)).unwrap())
}

/// The bytes of the samples, by the offsets of the `moof`.
fn data<'a>(fragment: &'a Bytes, samples: &[Sample]) -> Vec<&'a [u8]> {
    let bytes = samples.iter().map(|s| &fragment[s.at as usize..s.at as usize + s.size as usize]);
    bytes.collect()
}

/// Number and timescale of the track of an initialization segment, as this crate and two others read
/// it.
pub fn header(init: &Bytes) -> (u32, u32) {
    let boxes = Boxes::parse(init, 0, &Limits::default()).unwrap();
    let trak = boxes.path(&[*b"moov", *b"trak"]).unwrap();
    let id = trak.get::<Tkhd>().unwrap().track_id;
    let timescale = trak.path(&[*b"mdia"]).unwrap().get::<Mdhd>().unwrap().timescale;
    let moov = testkit::corpus::all(init, b"moov").remove(0).1;
    // `shiguredo_mp4` knows no handler of text.
    if let Ok((theirs, _)) = other::MoovBox::decode(&moov) {
        assert_eq!(theirs.trak_boxes[0].mdia_box.mdhd_box.timescale.get(), timescale);
    }
    let mut reader = Cursor::new(&moov);
    let header = mp4::BoxHeader::read(&mut reader).unwrap();
    let theirs = mp4::MoovBox::read_box(&mut reader, header.size).unwrap();
    assert_eq!(
        (theirs.traks[0].tkhd.track_id, theirs.traks[0].mdia.mdhd.timescale),
        (id, timescale)
    );
    (id, timescale)
}

/// Checks that a segment has the samples of a stored fragment, and returns the time at which the first
/// one is shown.
///
/// Composition offsets count from that of the first sample: a `tfdt` cannot be before the start of the
/// presentation, so the first sample is decoded when it is shown.
pub fn same_samples(stored: &Bytes, served: &Bytes, trex: Defaults, id: u32, at: &str) -> u64 {
    let (before, after) = (ours(stored, trex), ours(served, (99, 99, 99)));
    assert_eq!(after, theirs(served, (99, 99, 99)), "{at}");
    let all = |samples: &[Sample]| {
        let first = samples.first().map_or(0, |first| first.offset);
        let fields = |s: &Sample| (s.duration, s.size, s.offset - first);
        samples.iter().map(fields).collect::<Vec<_>>()
    };
    assert_eq!(all(&before), all(&after), "{at}");
    // bento4 leaves the offset of its only run to the reader.
    if before.first().is_some_and(|first| first.at >= 0) {
        assert!(data(stored, &before) == data(served, &after), "{at}");
    }
    let (stored, served) = (traf(stored), traf(served));
    assert_eq!(served.get::<Tfhd>().unwrap().track_id, id, "{at}");
    let says = before.iter().any(|sample| sample.flags & 0x301_0000 != 0);
    if stored.get::<smooth_origin::bmff::Sdtp>().is_none() && says {
        let flags = |samples: &[Sample]| samples.iter().map(|s| s.flags).collect::<Vec<_>>();
        assert_eq!(flags(&before), flags(&after), "{at}");
    }
    assert_eq!(after[0].flags & 0x1_0000, 0, "{at} begins with a key sample");
    let is_encrypted = stored.get::<Senc>().is_some() || stored.get::<PiffSenc>().is_some();
    if is_encrypted {
        let ivs = &served.get::<Senc>().unwrap().0;
        let of = stored.get::<PiffSenc>().map(|senc| &senc.0);
        let of = of.or(stored.get::<Senc>().map(|senc| &senc.0)).unwrap();
        assert_eq!((ivs.sample_count, &ivs.entries), (of.sample_count, &of.entries), "{at}");
        assert_eq!(ivs.sample_count as usize, after.len(), "{at}");
        assert!(served.get::<Saiz>().is_some() && served.get::<Saio>().is_some(), "{at}");
    }
    let decoded = served.get::<Tfdt>().unwrap().base_media_decode_time;
    assert!(after[0].offset <= 0, "{at}: decoded before the chunk starts");
    decoded.checked_add_signed(after[0].offset.into()).unwrap()
}

/// Checks everything that the manifests of a film name, and returns the number of samples.
pub fn check(film: &Film) -> usize {
    let path = &film.path;
    let smooth = film.smooth();
    let mut samples = 0;
    for set in film.sets() {
        for representation in &set.representations {
            let id = representation.get("id").unwrap();
            let (stream, quality) = film.named(&smooth, id);
            assert_eq!((set.timescale, &set.kind), (stream.timescale, &stream.kind), "{path} {id}");
            let starts = |times: &[(u64, u64)]| times.iter().map(|of| of.0).collect::<Vec<_>>();
            assert_eq!(starts(&set.times), starts(&stream.chunks), "{path} {id}");
            let end = |times: &[(u64, u64)]| times.last().map(|last| last.0 + last.1);
            assert_eq!(end(&set.times), end(&stream.chunks), "{path} {id}");
            let (track, timescale) = header(&film.asked(&format!("{id}/init.mp4")));
            let trex = film.defaults(&stream.name, quality);
            for &(start, _) in &set.times {
                let at = format!("{path}/{id}/{start}");
                let served = film.asked(&format!("{id}/{start}.m4s"));
                let stored = film.fragment(&stream.name, quality, start);
                if set.kind == "text" {
                    // A document may be written again: `text.rs` looks into it.
                    let decoded = traf(&served).get::<Tfdt>().unwrap().base_media_decode_time;
                    assert_eq!((decoded, timescale), (start, stream.timescale as u32), "{at}");
                    let lasts = ours(&served, (0, 0, 0)).iter().map(|s| s.duration).sum::<u32>();
                    assert_eq!(Some(lasts), ours(&stored, trex).first().map(|s| s.duration));
                    continue;
                }
                if id.ends_with(".key") {
                    // The first sample stands for the whole chunk.
                    let (before, after) = (ours(&stored, trex), ours(&served, (99, 99, 99)));
                    let lasts =
                        |all: &[Sample]| all.iter().map(|s| u64::from(s.duration)).sum::<u64>();
                    assert_eq!(lasts(&after), lasts(&before), "{at}");
                    assert_eq!((after.len(), after[0].size), (1, before[0].size), "{at}");
                    if before[0].at >= 0 {
                        assert!(data(&stored, &before[..1]) == data(&served, &after), "{at}");
                    }
                    continue;
                }
                let shown = same_samples(&stored, &served, trex, track, &at);
                let rescaled = |ticks: u64| {
                    let (from, to) = (u128::from(stream.timescale), u128::from(timescale));
                    u64::try_from((u128::from(ticks) * to * 2 + from) / (from * 2)).unwrap()
                };
                assert_eq!(shown, rescaled(start), "{at}");
                samples += ours(&served, (0, 0, 0)).len();
            }
        }
    }
    samples
}

#[test]
fn every_segment_of_every_film_has_the_stored_samples_and_starts_with_its_chunk() {
    let mut samples = 0;
    for path in FILMS {
        samples += check(&real(path));
    }
    assert!(samples > 10_000, "{samples}");
}

/// The form in which a playlist of sound begins with the pictures.
#[derive(Clone, Copy, Default)]
struct Moved {
    is_cut: bool,
    is_silent: bool,
}

/// Returns the form of the first name in a playlist, and the time at which the playlist begins.
fn beginning(smooth: &[Smooth], stream: &Smooth, name: &str, id: &str) -> (Moved, u64) {
    let name = name.strip_prefix(id).unwrap();
    let is_silent = name.starts_with("/silence-");
    let moved = Moved { is_silent, is_cut: !is_silent && name.contains('-') };
    let pictures = smooth.iter().find(|of| of.kind == "video");
    let Some(pictures) = pictures.filter(|_| stream.kind == "audio") else {
        assert!(!moved.is_cut && !moved.is_silent, "{name}");
        return (moved, stream.chunks[0].0);
    };
    let begin = u128::from(pictures.chunks[0].0) * u128::from(stream.timescale);
    let begin = (begin / u128::from(pictures.timescale)) as u64;
    let is_noticed = begin.abs_diff(stream.chunks[0].0) * 25 > stream.timescale;
    assert_eq!(is_noticed, moved.is_cut || moved.is_silent, "{name}");
    (moved, begin)
}

#[test]
fn every_playlist_names_the_segments_of_the_chunks_and_lasts_as_long() {
    for path in FILMS {
        let film = real(path);
        let smooth = film.smooth();
        let multivariant = film.playlist("master.m3u8");
        assert!(!multivariant.entries.is_empty(), "{path}");
        for uri in multivariant.playlists() {
            let playlist = film.playlist(&uri);
            let id = uri.strip_suffix(".m3u8").unwrap();
            let (stream, _) = film.named(&smooth, id);
            let extension = if uri.ends_with(".vtt.m3u8") { "vtt" } else { "m4s" };
            let names: Vec<_> = playlist.entries.iter().map(|entry| &*entry.uri).collect();
            let (moved, begin) = beginning(&smooth, stream, names[0], id);
            let chunks = stream.chunks.iter().filter(|(start, lasts)| start + lasts > begin);
            let chunks = chunks.map(|(start, _)| format!("{id}/{start}.{extension}"));
            let chunks: Vec<_> = chunks.skip(moved.is_cut.into()).collect();
            // What fills a beginning or a gap comes on top.
            let stored = names.iter().filter(|name| !name.contains("/silence-"));
            let stored = stored.map(|name| match name.split_once("-until-") {
                Some((name, _)) => format!("{name}.{extension}"),
                None => (*name).to_owned(),
            });
            let stored: Vec<_> = stored.skip(moved.is_cut.into()).collect();
            assert_eq!(stored, chunks, "{path} {uri}");
            let target: u64 = playlist.value("#EXT-X-TARGETDURATION").parse().unwrap();
            let durations = playlist.entries.iter().map(|entry| entry.duration());
            let most = durations.clone().max().unwrap();
            assert!(most <= target * 10_000_000 && most > (target - 2) * 10_000_000 || target < 2);
            let last = *stream.chunks.last().unwrap();
            let hns = |ticks: u64| {
                let scale = u128::from(stream.timescale);
                ((u128::from(ticks) * 20_000_000 + scale) / (2 * scale)) as u64
            };
            let whole = hns(last.0 + last.1) - hns(begin);
            let sum: u64 = durations.sum();
            if playlist.each("#EXT-X-DISCONTINUITY").next().is_none() && extension == "m4s" {
                assert_eq!(sum, whole, "{path} {uri}");
            }
            for entry in &playlist.entries {
                film.asked(&entry.uri);
            }
            if let Some(map) = playlist.each("#EXT-X-MAP").next() {
                film.asked(map.attributes()["URI"]);
            }
        }
    }
}

/// ISO/IEC 23009-1, 5.3.5.2: a buffer helps against a peak, and not against a mean that is more than the
/// bandwidth.
#[test]
fn no_picture_takes_more_than_its_bandwidth_on_average() {
    let mut is_more = 0;
    for path in FILMS {
        let film = real(path);
        let smooth = film.smooth();
        // Sound has the declared bitrate. Documents are written again, and may become longer.
        let sets = film.sets().into_iter().filter(|set| set.kind == "video");
        for set in sets {
            for representation in &set.representations {
                let id = representation.get("id").unwrap();
                let (stream, quality) = film.named(&smooth, id);
                let bandwidth = representation.number("bandwidth").unwrap();
                let sizes = set
                    .times
                    .iter()
                    .map(|(time, _)| film.get(&format!("{id}/{time}.m4s")).len() as u64);
                // Without the gaps, in which nothing is received.
                let ticks: u64 = stream.chunks.iter().map(|(_, ticks)| ticks).sum();
                let mean = sizes.sum::<u64>() * 8 * stream.timescale / ticks;
                assert!(bandwidth >= mean, "{path} {id}: {bandwidth} {mean}");
                assert!(
                    bandwidth <= quality.bitrate.max(mean + mean / 20 + 1000),
                    "{path} {id}: {mean}"
                );
                is_more += usize::from(bandwidth > quality.bitrate);
            }
        }
    }
    assert!(is_more > 10, "{is_more} declare less than they take");
}

/// RFC 8216, 6.2.4: only text may have another one.
#[test]
fn all_playlists_of_pictures_and_sound_have_one_target_duration() {
    let mut seen = std::collections::BTreeSet::new();
    for path in FILMS {
        let film = real(path);
        let playlists = film.playlist("master.m3u8").playlists();
        let media = playlists.iter().filter(|uri| !uri.ends_with(".vtt.m3u8"));
        let targets: Vec<(String, u64)> = media
            .map(|uri| {
                let target = film.playlist(uri).value("#EXT-X-TARGETDURATION").parse();
                (uri.clone(), target.unwrap())
            })
            .collect();
        assert!(targets.iter().all(|(_, target)| *target == targets[0].1), "{path}: {targets:?}");
        seen.insert(targets[0].1);
    }
    assert_eq!(Vec::from_iter(seen), [2, 3]);
}

/// Bits per second of the densest stretch of a playlist that lasts at least half of its target, and of
/// all of it.
pub fn counted(film: &Film, uri: &str) -> (u64, u64) {
    let playlist = film.playlist(uri);
    let target: u64 = playlist.value("#EXT-X-TARGETDURATION").parse().unwrap();
    let entries = playlist.entries.iter();
    let all: Vec<(u64, u64)> =
        entries.map(|entry| (film.get(&entry.uri).len() as u64, entry.duration())).collect();
    let rate = |some: &[(u64, u64)]| {
        let (bytes, ticks) = some.iter().fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
        (bytes * 80_000_000).div_ceil(ticks)
    };
    let mut peak = 0;
    for from in 0..all.len() {
        let mut ticks = 0;
        for to in from..all.len() {
            ticks += all[to].1;
            if (target * 5_000_000..=target * 15_000_000).contains(&ticks) {
                peak = peak.max(rate(&all[from..=to]));
            }
        }
    }
    (peak, rate(&all))
}

/// RFC 8216bis, 4.4.6.2: no combination takes more than `BANDWIDTH` says, by a count over all segments
/// that are served. It may say a little more, for fragments may grow by more than the first one shows.
#[test]
fn no_combination_of_segments_takes_more_than_the_multivariant_playlist_says() {
    for path in FILMS {
        let film = real(path);
        let multivariant = film.playlist("master.m3u8");
        let mut most: std::collections::BTreeMap<String, (u64, u64)> = Default::default();
        for tag in multivariant.each("#EXT-X-MEDIA") {
            let attributes = tag.attributes();
            let group = attributes["GROUP-ID"].trim_matches('"').to_owned();
            let of = counted(&film, attributes["URI"].trim_matches('"'));
            let most = most.entry(group).or_default();
            *most = (most.0.max(of.0), most.1.max(of.1));
        }
        let has_pictures = multivariant.each("#EXT-X-I-FRAME-STREAM-INF").next().is_some();
        for entry in &multivariant.entries {
            let tag = entry.tag("#EXT-X-STREAM-INF").unwrap().attributes();
            let number = |name: &str| tag[name].parse::<u64>().unwrap();
            let mut sum = if has_pictures { counted(&film, &entry.uri) } else { (0, 0) };
            for group in ["AUDIO", "SUBTITLES"] {
                let of = tag.get(group).map(|group| most[group.trim_matches('"')]);
                let of = of.unwrap_or_default();
                sum = (sum.0 + of.0, sum.1 + of.1);
            }
            let at = format!("{path} {}: {sum:?} {tag:?}", entry.uri);
            assert!(number("BANDWIDTH") >= sum.0 && number("AVERAGE-BANDWIDTH") >= sum.1, "{at}");
            assert!(number("BANDWIDTH") <= sum.0 + sum.0 / 20 + 4000, "{at}");
        }
        for tag in multivariant.each("#EXT-X-I-FRAME-STREAM-INF") {
            let tag = tag.attributes();
            let of = counted(&film, tag["URI"].trim_matches('"'));
            assert!(tag["BANDWIDTH"].parse::<u64>().unwrap() >= of.0, "{path} {tag:?} {of:?}");
        }
    }
}

/// Elements of an Adaptation Set, in the order that the schema wants.
///
/// Spec: ISO/IEC 23009-1, 5.3.3.3, 5.3.7.3.
const ORDER: [&str; 8] = [
    "ContentProtection",
    "EssentialProperty",
    "SupplementalProperty",
    "Label",
    "Accessibility",
    "Role",
    "SegmentTemplate",
    "Representation",
];

#[test]
fn elements_of_a_set_are_in_the_order_of_the_schema() {
    let mut seen = BTreeSet::new();
    for path in FILMS {
        let mpd = real(path).mpd();
        for set in mpd.one("Period").each("AdaptationSet") {
            let place = |child: &Element| ORDER.iter().position(|name| *name == child.name);
            let places: Option<Vec<_>> = set.children.iter().map(place).collect();
            let places = places.unwrap_or_else(|| panic!("{path}: an element is not known"));
            assert!(places.is_sorted(), "{path}: {places:?}");
            seen.extend(places);
        }
    }
    assert!(seen.len() >= 7, "nearly all elements are there: {seen:?}");
}
