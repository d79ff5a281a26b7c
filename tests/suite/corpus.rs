//! Real files of other producers. They lie beside the project, never in it: in the folder that
//! `SMOOTH_ORIGIN_CORPUS` names, else in `../shared/corpus`. Where there is none, these tests say
//! so and pass.

use std::borrow::Cow;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use smooth_origin::base::{FourCc, Guid, Limits, Name};
use smooth_origin::bmff::uuid::{PiffSenc, Tfxd};
use smooth_origin::bmff::{
    AnyBox, AudioSampleEntry, AvcC, Body, Boxes, Mdhd, Mfro, SampleEncryption, SampleEntry, Sdtp,
    Stsd, Tfhd, Tfra, Tkhd, Trun, VisualSampleEntry,
};
use smooth_origin::codec::Description;
use smooth_origin::manifest::{
    ClientManifest, Layout, QualityLevel, ServerManifest, StreamIndex, StreamKind, runs,
};
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::presentation::{FindingCode, ManifestSource};
use smooth_origin::storage::MemoryStore;
use testkit::corpus::{all, files, top_level};

/// The corpus, or a word that there is none.
macro_rules! corpus_or_return {
    () => {
        match Corpus::find() {
            Some(corpus) => corpus,
            None => {
                eprintln!("not run: there is no corpus");
                return;
            }
        }
    };
}

// Manifests.

#[test]
fn every_manifest_is_read_and_written_again_with_the_same_times() {
    let corpus = corpus_or_return!();
    let endings = [".ism", ".ismc", ".xml", ".Manifest", "sample_ismc_1", "sample_ismc_2"];
    let (mut clients, mut servers, mut refused) = (0, 0, Vec::new());
    for (name, bytes) in corpus.files(&endings) {
        let limits = Limits::default();
        match (ServerManifest::parse(&bytes, &limits), ClientManifest::parse(&bytes, &limits)) {
            (Ok(manifest), Err(_)) => {
                let text = manifest.to_xml().unwrap();
                let again = ServerManifest::parse(text.as_bytes(), &limits).unwrap();
                assert_eq!(again, manifest, "{name}");
                servers += 1;
            }
            (Err(_), Ok(manifest)) => {
                for layout in [Layout::Full, Layout::Compact] {
                    let text = manifest.to_xml(layout, &limits).unwrap();
                    let again = ClientManifest::parse(text.as_bytes(), &limits).unwrap();
                    assert_eq!(again.streams.len(), manifest.streams.len(), "{name}");
                    for (again, stream) in again.streams.iter().zip(&manifest.streams) {
                        assert_eq!(times(again), times(stream), "{name}");
                        assert_eq!(again.qualities, stream.qualities, "{name}");
                        assert_eq!(again.name(), stream.name(), "{name}");
                    }
                    assert_eq!(again.to_xml(layout, &limits).unwrap(), text, "{name}");
                }
                clients += 1;
            }
            (_, Err(error)) => refused.push((name, error.to_string())),
            (Ok(_), Ok(_)) => panic!("{name} cannot be both"),
        }
    }
    assert!(clients >= 20 && servers >= 5, "{clients} {servers}");
    assert_eq!(refused, Vec::<(String, String)>::new());
}

#[test]
fn three_of_microsofts_examples_declare_utf_16_and_are_not_and_are_read() {
    let corpus = corpus_or_return!();
    let mut lying = Vec::new();
    for (name, bytes) in corpus.files(&[".xml"]) {
        let text = std::str::from_utf8(&bytes);
        if name.starts_with("ms-docs/") && text.is_ok_and(|text| text.contains("\"utf-16\"")) {
            lying.push(name.rsplit('/').next().unwrap().to_owned());
        }
    }
    assert_eq!(
        lying,
        [
            "iis-smooth-streaming-server-manifest-live-smil-element-1.xml",
            "multiple-camera-angles-1.xml",
            "multiple-camera-angles-iis-smooth-streaming-1.xml",
        ]
    );
    let live = corpus.server(&format!("ms-docs/iis-docs/{}", lying[0]));
    let bitrates: Vec<_> = live.tracks.iter().map(|track| track.bitrate().unwrap()).collect();
    assert_eq!(bitrates, [1_450_000, 1_050_000, 94_208]);
    assert_eq!(live.tracks[2].value("PacketSize"), Some("1115"));
    for name in &lying[1..] {
        let angles = corpus.client(&format!("ms-docs/iis-docs/{name}"));
        let qualities = &angles.streams[0].qualities;
        // Of the 35 that are declared the example prints two cameras.
        assert_eq!((qualities.len(), angles.streams[0].declared_qualities), (14, Some(35)));
        let camera = |q: &QualityLevel| {
            (q.custom_attributes[0].name.clone(), q.custom_attributes[0].value.clone())
        };
        assert_eq!(camera(&qualities[6]), ("CameraAngle".into(), "Camera1".into()));
        assert_ne!(camera(&qualities[7]), camera(&qualities[6]));
        assert_eq!(qualities[0].bitrate, qualities[7].bitrate, "told apart by attributes alone");
    }
}

#[test]
fn microsofts_other_examples_say_what_they_show() {
    let corpus = corpus_or_return!();
    let docs = |name: &str| format!("ms-docs/{name}");
    let stored = corpus.server(&docs(
        "iis-docs/iis-smooth-streaming-server-manifest-on-demand-smil-element-1.xml",
    ));
    assert_eq!(stored.client_manifest(), Some("{media_name}.ismc"));
    assert_eq!(stored.meta("module"), Some("smoothStreaming"));
    let text = stored.tracks.last().unwrap();
    assert_eq!((text.kind, text.name(), text.track_id()), (StreamKind::Text, "scmd", Some(3)));
    assert_eq!(stored.tracks[8].language(), Some("en"), "stored with a space behind");

    for name in ["manifest-merge-1.xml", "manifest-merge-iis-smooth-streaming-1.xml"] {
        let merge = corpus.client(&docs(&format!("iis-docs/{name}")));
        let markers = &merge.streams[0];
        assert!(markers.is_embedded());
        assert_eq!((markers.parent.as_deref(), &*markers.name()), (Some("video"), "MARKERS"));
        let data: Vec<_> = markers.chunks.iter().map(|chunk| chunk.fragments()[0].data()).collect();
        let text = corpus.text(&docs(&format!("iis-docs/{name}")));
        assert!(
            data.len() == 9 && data.iter().all(|data| text.contains(&format!("<f>{data}</f>")))
        );
        // No `d`: each lasts to the next `t`, the last has none.
        assert_eq!(times(markers)[0], (40_870_000, 192_690_000 - 40_870_000));
        assert_eq!(times(markers)[8], (1_042_290_000, 0));
    }

    let rough =
        docs("iis-docs/composite-manifest-for-rough-cut-editing-iis-smooth-streaming-1.xml");
    assert!(corpus.text(&rough).contains("<Clip "));
    assert!(corpus.client(&rough).streams.is_empty(), "streams of clips are not the document's");

    let packaging =
        corpus.server(&docs("azure-media-services/encode-dynamic-packaging-concept-1.xml"));
    assert_eq!((packaging.meta("formats"), packaging.tracks.len()), (Some("mp4"), 0));
    let runs = corpus.client(&docs("azure-media-services/encode-dynamic-packaging-concept-2.xml"));
    assert_eq!((runs.major_version, runs.minor_version), (2, 2));
    for stream in &runs.streams {
        assert_eq!((stream.chunks.len(), times(stream).len()), (2, 12));
        assert_eq!(stream.declared_chunks, Some(12));
        let (start, duration) = *times(stream).last().unwrap();
        assert!(start + duration <= runs.duration + 1, "{}", stream.name());
    }
}

/// `SOURCES.md` calls the two one manifest in two encodings; they are not: one is of Expression
/// Encoder, in UTF-16, the other of another film.
#[test]
fn the_utf_16_manifest_of_expression_encoder_is_read_as_the_same_text_in_utf_8_is() {
    let corpus = corpus_or_return!();
    let name = "inputstream.adaptive/treefactory_test_utf16leBOM.ism";
    let bytes = corpus.file(name);
    assert_eq!(bytes[..4], [0xff, 0xfe, b'<', 0]);
    let manifest = corpus.client(name);
    assert_eq!((manifest.minor_version, manifest.duration), (1, 1_209_510_000));
    assert_eq!(shape(&manifest), [("video", 8, 61), ("audio", 1, 61)]);

    let units = bytes[2..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map(Result::unwrap).collect();
    assert!(text.contains("<!--Created with Expression Encoder version 4.0.3158.0-->"));
    let as_utf_8 = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(as_utf_8, manifest, "though it declares UTF-16");

    let other = corpus.client("inputstream.adaptive/treefactory_test_utf8.ism");
    assert_eq!((other.minor_version, other.duration), (0, 7_341_917_460));
    let audio = [("AAC_und_ch2_128kbps", 1, 364), ("AAC_und_ch2_56kbps", 1, 364)];
    assert_eq!(shape(&other), [("video", 8, 368), audio[0], audio[1]]);
}

#[test]
fn old_and_odd_attributes_of_dash_js_are_read() {
    let corpus = corpus_or_return!();
    let old = corpus.client("dashjs-unit/manifest.xml");
    assert_eq!((old.major_version, old.minor_version), (1, 0));
    assert!(!corpus.text("dashjs-unit/manifest.xml").contains("MaxWidth"));
    let video = &old.streams[0];
    assert_eq!(
        (video.qualities[0].max_width, video.qualities[0].max_height),
        (Some(1280), Some(720))
    );
    for stream in &old.streams {
        assert_eq!((&stream.name, &*stream.name()), (&None, stream.kind.as_str()));
        let numbers = stream.chunks.iter().map(|chunk| chunk.number.unwrap());
        assert!(numbers.eq(0..208), "`n` on every chunk");
    }

    let nameless = corpus.client("dashjs-unit/manifestFourCCError.xml");
    let quality = &nameless.streams[0].qualities[0];
    assert_eq!(quality.four_cc, None);
    let said = Description::of(&nameless.streams[0], quality).unwrap();
    assert_eq!((said.tag.as_str(), said.rfc6381()), ("", None));

    // The specification's example: its captions' quality has no `Bitrate`, which [MS-SSTR] 2.2.2.5
    // demands.
    let subtypes = corpus.client("dashjs-unit/manifestSubtype.xml");
    let shown: Vec<_> =
        subtypes.streams.iter().map(|s| s.subtype.as_deref().unwrap_or("")).collect();
    assert_eq!(shown, ["", "ZOET", "", "CAPT", "SCMD", "CHAP"]);
    assert_eq!(subtypes.streams[0].qualities[0].four_cc.as_deref(), Some("WVC1"));
    assert_eq!(subtypes.streams[1].four_cc.as_deref(), Some("JPEG"));
    assert_eq!(subtypes.streams[2].qualities[0].four_cc.as_deref(), Some("WMA2"));
    assert_eq!(subtypes.streams[3].qualities[0].four_cc.as_deref(), Some("DFXP"));
    assert_eq!(subtypes.streams[3].qualities[0].bitrate, 0);
    assert_eq!(subtypes.custom_attributes[0].name, "timeScaleZeroPoint");
    assert_eq!(subtypes.streams[0].qualities[0].custom_attributes[0].value, "10000");
    // Dashes of the identifier may stand anywhere.
    assert_eq!(subtypes.protection[0].system_id, Some(PLAYREADY));
    let last = subtypes.streams[0].chunks.last().unwrap();
    assert_eq!(
        (last.number, last.fragments().len(), last.fragments()[5].size),
        (Some(114), 6, Some(407))
    );
    let thumbnails = times(&subtypes.streams[1]);
    assert_eq!(thumbnails, [(0, 100_000_000), (100_000_000, 100_000_000), (200_000_000, 0)]);
}

#[test]
fn protection_of_media3s_samples_is_read_with_and_without_braces() {
    let corpus = corpus_or_return!();
    let samples = ["media3/sample_ismc_1", "media3/sample_ismc_2"];
    assert!(corpus.text(samples[0]).contains("SystemID=\"9A04F079"));
    assert!(corpus.text(samples[1]).contains("SystemID=\"{9A04F079"));
    let headers = samples.map(|name| corpus.client(name).protection.remove(0));
    for header in &headers {
        assert_eq!(header.system_id, Some(PLAYREADY));
        assert!(header.data.len() > 1000 && !header.data.contains(char::is_whitespace));
    }
    assert_eq!(headers[0].data, headers[1].data);
    let video = corpus.client(samples[0]).streams.remove(0);
    assert_eq!(video.qualities[1].four_cc.as_deref(), Some("WVC1"));
    assert_eq!(video.qualities[1].custom_attributes[0].value, "Handheld");
    assert_eq!(times(&video), [(0, 19_680_000), (19_680_000, 8_980_000), (28_660_000, 8_980_000)]);
}

#[test]
fn manifests_of_unified_streaming_are_read() {
    let corpus = corpus_or_return!();
    let dolby = corpus.client("yt-dlp/ec-3_test.Manifest");
    assert!(dolby.streams.iter().all(|stream| stream.timescale.is_some()));
    let audio: Vec<_> = dolby.streams.iter().filter(|s| s.kind == StreamKind::Audio).collect();
    let codecs: Vec<_> = audio.iter().map(|s| s.qualities[0].four_cc.as_deref().unwrap()).collect();
    assert_eq!(codecs, ["AACL", "EC-3"]);
    let other = &audio[1].qualities[0].other;
    assert_eq!(other[..], [("FourCCData".to_owned(), "0700200F00".to_owned())]);

    let sintel = corpus.client("yt-dlp/sintel.Manifest");
    assert_eq!(shape(&sintel), [("audio", 1, 445), ("textstream_eng", 1, 11), ("video", 5, 444)]);
    let text = &sintel.streams[1];
    assert_eq!(text.subtype.as_deref(), Some("CAPT"));
    let said = Description::of(text, &text.qualities[0]).unwrap();
    assert_eq!((said.tag.as_str(), said.rfc6381().as_deref()), ("TTML", Some("stpp")));
    for stream in &sintel.streams {
        assert_eq!(stream.declared_chunks, Some(stream.chunks.len() as u64));
    }
}

#[test]
fn manifests_of_rx_player_are_read() {
    let corpus = corpus_or_return!();
    let only = corpus.client("rx-player/smooth_content.ism");
    let [audio] = &only.streams[..] else { panic!("audio only") };
    assert_eq!((shape(&only), audio.kind), (vec![("audio", 1, 29)], StreamKind::Audio));
    assert_eq!(audio.qualities[0].codec_private_data.as_deref(), Some(""));
    let said = Description::of(audio, &audio.qualities[0]).unwrap();
    assert_eq!(said.rfc6381().unwrap(), "mp4a.40.2");
    assert_eq!(times(audio).last(), Some(&(1_403_733_333, 37_973_333)));

    let folder =
        |name: &str| corpus.client(&format!("rx-player/smooth_static/Manifest_{name}.xml"));
    let regular = folder("Regular");
    assert_eq!(shape(&regular), [("video", 8, 38), ("audio_und", 1, 38)]);
    assert!(!regular.streams[0].url.as_ref().unwrap().contains('('), "parentheses are taken out");
    // Each chunk says its size in each quality.
    assert!(regular.streams[0].chunks.iter().all(|chunk| chunk.fragments().len() == 8));

    let custom = folder("Custom_Attributes");
    assert!(custom.streams[0].url.as_ref().unwrap().contains("{bitrate},{CustomAttributes}"));
    let values: Vec<_> =
        custom.streams[0].qualities.iter().map(|q| q.custom_attributes[0].value.as_str()).collect();
    assert_eq!(values[..3], ["1000", "2000", "3000"]);

    let empty = folder("Empty_Text_Track");
    assert_eq!(shape(&empty)[2], ("fra", 1, 0));
    assert_eq!(empty.streams[2].subtype.as_deref(), Some("SUBT"));

    let late = folder("Not_Starting_at_0");
    for (late, regular) in late.streams.iter().zip(&regular.streams) {
        assert!(times(late)[0].0 > 0);
        assert_eq!(times(late), times(regular)[3..], "{}", late.name());
    }
}

// Media files, box by box.

#[test]
fn every_media_file_is_written_back_as_it_was() {
    let corpus = corpus_or_return!();
    let files = corpus.files(&[".mp4", ".ismv", ".isma", ".ismt", ".m4s"]);
    let (mut boxes, mut tracks) = (0, 0);
    for (name, file) in &files {
        let mut len = 0;
        for (offset, _, bytes) in top_level(file) {
            let parsed = Boxes::parse(&bytes, offset, &Limits::default()).unwrap();
            assert_eq!(parsed.to_bytes(), bytes, "{name} at {offset}");
            len += bytes.len();
            boxes += 1;
            let traks = parsed.inside(*b"moov").map(|moov| moov.each(*b"trak").collect::<Vec<_>>());
            for trak in traks.unwrap_or_default() {
                let mdhd = trak.inside(*b"mdia").unwrap().get::<Mdhd>().unwrap();
                assert!(trak.get::<Tkhd>().unwrap().track_id > 0 && mdhd.timescale > 0);
                let entry = &stsd(trak).entries().next().unwrap();
                let limits = Limits::default();
                match &entry.format().0 {
                    b"avc1" | b"encv" => drop(VisualSampleEntry::parse(entry, &limits).unwrap()),
                    b"mp4a" | b"enca" | b"wma " => {
                        drop(AudioSampleEntry::parse(entry, &limits).unwrap())
                    }
                    other => assert_eq!(other, b"wvtt", "{name}"),
                }
                tracks += 1;
            }
        }
        assert_eq!(len, file.len(), "{name}");
    }
    assert!(files.len() >= 67 && boxes > 150, "{} {boxes}", files.len());
    assert!(tracks >= 3 * 2 + 1 + 2 + 5, "{tracks}: mbr, small, mp4ff, piff");
}

/// As `SOURCES.md` says, but: only the two lowest videos have no composition offsets (`trun`
/// 0x205), and audio has flags of its own and no `sdtp`.
#[test]
fn fragments_of_rx_player_are_a_moof_and_its_mdat_at_the_times_of_the_manifest() {
    let corpus = corpus_or_return!();
    let manifest = corpus.client("rx-player/smooth_static/Manifest_Regular.xml");
    let (mut videos, mut audios) = (0, 0);
    for (name, file) in corpus.files(&[").mp4"]) {
        let name = name.strip_prefix("rx-player/smooth_static/").unwrap();
        let [(0, moof, bytes), (_, mdat, data)] = &top_level(&file)[..] else {
            panic!("{name}: a moof and an mdat")
        };
        assert_eq!((moof, mdat), (b"moof", b"mdat"), "{name}");
        let boxes = Boxes::parse(bytes, 0, &Limits::default()).unwrap();
        let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
        let (tfhd, trun) = (traf.get::<Tfhd>().unwrap(), traf.get::<Trun>().unwrap());
        assert!(traf.get::<Tfxd>().is_none(), "{name}");
        assert_eq!(trun.data_offset, Some(bytes.len() as i32 + 8), "{name}");
        let sizes: u32 = trun.samples().map(|sample| sample.size.unwrap()).sum();
        assert_eq!(sizes as usize, data.len() - 8, "{name}: the samples fill the mdat");

        let duration = |d: Option<u32>| u64::from(d.or(tfhd.default_sample_duration).unwrap());
        let length: u64 = trun.samples().map(|sample| duration(sample.duration)).sum();
        let time: u64 = name.split_once('=').unwrap().1.trim_end_matches(").mp4").parse().unwrap();
        let stream = usize::from(name.contains("audio"));
        let chunk = times(&manifest.streams[stream]).into_iter().find(|chunk| chunk.0 == time);
        let (_, announced) = chunk.unwrap_or_else(|| panic!("{name}: no such chunk"));
        assert!(length.abs_diff(announced) <= 1, "{name}: {length} for {announced}");

        let sdtp = traf.get::<Sdtp>();
        if stream == 0 {
            let low = name.starts_with("300000-") || name.starts_with("750000-");
            let flags = if low { 0x205 } else { 0xa05 };
            assert_eq!((tfhd.full.flags, trun.full.flags), (8, flags), "{name}");
            assert_eq!(sdtp.unwrap().samples.len(), trun.sample_count as usize, "{name}");
            videos += 1;
        } else {
            assert_eq!((tfhd.full.flags, trun.full.flags, sdtp), (0, 0x305, None), "{name}");
            audios += 1;
        }
    }
    assert_eq!((videos, audios), (16, 38));
}

#[test]
fn files_of_mp4ff_have_the_boxes_they_are_known_for() {
    let corpus = corpus_or_return!();
    let isma = corpus.file("mp4ff/bbb5s_aac.isma");
    assert!(holds(&isma, b"Lavf60.3.100"));
    let trafs = trafs(&isma);
    let index = index(&isma);
    assert_eq!((trafs.len(), index[0].count()), (3, 3));
    for (traf, entry) in trafs.iter().zip(index[0].entries()) {
        assert_eq!(traf.get::<Tfxd>().unwrap().time, entry.time);
        assert!(entry.starts_fragment());
    }

    let ismt = corpus.file("mp4ff/sample_short.ismt");
    assert!(holds(&ismt, b"USP by CodeShop") && holds(&ismt, b"nmhd"));
    let moov = moov(&ismt);
    let entry = &stsd(moov.inside(*b"trak").unwrap()).entries().next().unwrap();
    assert_eq!(entry.format(), *b"wvtt");
    let said = Description::of_entry(StreamKind::Text, entry, &Limits::default()).unwrap();
    assert_eq!((said.tag.as_str(), said.rfc6381().as_deref()), ("WVTT", Some("wvtt")));
    assert!(self::trafs(&ismt).iter().all(|traf| traf.get::<Tfxd>().is_none()));
    let index = self::index(&ismt);
    assert_eq!((index[0].full.version, index[0].count()), (0, 2));
}

#[test]
fn a_manifest_of_azure_sets_a_decoder_up_as_its_file_does() {
    let corpus = corpus_or_return!();
    let manifest = corpus.client("azure-media-services/small/small.ismc");
    let stream = &manifest.streams[0];
    let said = Description::of(stream, &stream.qualities[0]).unwrap();
    assert_eq!((said.tag.as_str(), said.rfc6381().unwrap().as_str()), ("AVC1", "avc1.640015"));
    let file = corpus.file("azure-media-services/small/small.ismv");
    let moov = moov(&file);
    let entry = &stsd(moov.inside(*b"trak").unwrap()).entries().next().unwrap();
    let found = Description::of_entry(StreamKind::Video, entry, &Limits::default()).unwrap();
    assert_eq!((&found.private_data, &found.format), (&said.private_data, &said.format));
    let read = |entry: &SampleEntry| {
        let visual = VisualSampleEntry::parse(entry, &Limits::default()).unwrap();
        (visual.width, visual.height, visual.boxes.get::<AvcC>().unwrap().clone())
    };
    let (made, mut theirs) = (read(&said.sample_entry().unwrap()), read(entry));
    // Their `avcC` claims a constraint that its own SPS does not (ISO/IEC 14496-15, 5.3.3.1.2).
    assert_eq!((theirs.2.compatibility, theirs.2.sps.first().unwrap()[2]), (0x40, 0));
    theirs.2.compatibility = 0;
    assert_eq!(made, theirs);
}

// Encryption.

#[test]
fn encryption_boxes_divide_into_an_entry_a_sample() {
    let corpus = corpus_or_return!();
    for (name, iv_size, subsamples) in [
        ("piff-audio/segment-1.0001.m4s", 8, false),
        ("piff-video/complseg-1.0001.mp4", 8, true),
        ("piff-wma_piff_scheme/audio.mp4", 8, false),
    ] {
        let file = corpus.file(&format!("mp4ff/{name}"));
        for traf in trafs(&file) {
            let senc = &traf.get::<PiffSenc>().unwrap().0;
            let trun = traf.get::<Trun>().unwrap();
            assert_eq!(senc.sample_count, trun.sample_count, "{name}");
            assert_eq!(senc.full.has(SampleEncryption::SUBSAMPLES), subsamples, "{name}");
            let entries: Vec<_> = senc.split(iv_size).unwrap().collect();
            assert_eq!(entries.len(), trun.sample_count as usize, "{name}");
            assert!(senc.split_any().unwrap().eq(entries.iter().copied()), "{name}");
            assert!(senc.split(iv_size + 1).is_none(), "{name}");
            // Every sample has an initialisation vector of its own.
            let mut ivs: Vec<_> = entries.iter().map(|entry| &entry[..iv_size]).collect();
            ivs.sort();
            ivs.dedup();
            assert_eq!(ivs.len(), entries.len(), "{name}");
        }
    }
    // "piff" in `schm`, and PIFF's own track encryption box: 8-byte vectors of AES in counter mode.
    let wma = corpus.file("mp4ff/piff-wma_piff_scheme/audio.mp4");
    let track_encryption = Guid::from_u128(0x8974dbce_7be7_4c51_84f9_7148f9882554);
    assert!(holds(&wma, b"schm\0\0\0\0piff") && holds(&wma, b"frmawma "));
    assert!(holds(
        &wma,
        &[&track_encryption.to_be_bytes()[..], &[0, 0, 0, 0, 0, 0, 1, 8]].concat()
    ));
    assert!(holds(&corpus.file("mp4ff/piff-audio/init.mp4"), b"schm\0\0\0\0cenc"));
}

#[test]
fn an_encrypted_file_without_its_encryption_is_its_decrypted_twin() {
    let corpus = corpus_or_return!();
    for (encrypted, decrypted) in [
        ("piff-audio/segment-1.0001.m4s", "piff-audio/segment-1.0001_dec.m4s"),
        ("piff-video/complseg-1.0001.mp4", "piff-video/complseg-1.0001_dec.mp4"),
        ("piff-wma_piff_scheme/audio.mp4", "piff-wma_piff_scheme/audio_dec.mp4"),
    ] {
        let (encrypted, decrypted) = (
            corpus.file(&format!("mp4ff/{encrypted}")),
            corpus.file(&format!("mp4ff/{decrypted}")),
        );
        let (moof, twin) =
            (all(&encrypted, b"moof").remove(0).1, all(&decrypted, b"moof").remove(0).1);
        let boxes = Boxes::parse(&moof, 0, &Limits::default()).unwrap();
        let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap().clone();

        // The same boxes but for those of encryption, byte for byte.
        let mut without = boxes.clone();
        let inner = without.inside_mut(*b"moof").unwrap().inside_mut(*b"traf").unwrap();
        let list = std::mem::take(&mut inner.list);
        let (others, removed): (_, Vec<_>) = list.into_iter().partition(|item| {
            !matches!(item.body, Body::PiffSenc(_) | Body::Saiz(_) | Body::Saio(_))
        });
        inner.list = others;
        let shorter = removed.iter().map(AnyBox::len).sum::<u64>() as i32;
        let trun = inner.get_mut::<Trun>().unwrap();
        trun.data_offset = trun.data_offset.map(|offset| offset - shorter);
        assert_eq!(without.to_bytes(), twin);

        // The same samples but for the bytes that are encrypted.
        let (data, twin) =
            (all(&encrypted, b"mdat").remove(0).1, all(&decrypted, b"mdat").remove(0).1);
        assert_eq!(data.len(), twin.len());
        let senc = &traf.get::<PiffSenc>().unwrap().0;
        let (trun, tfhd) = (traf.get::<Trun>().unwrap(), traf.get::<Tfhd>().unwrap());
        let (mut at, mut differing, mut secret) = (8, 0, 0);
        for (entry, sample) in senc.split_any().unwrap().zip(trun.samples()) {
            let size = sample.size.or(tfhd.default_sample_size).unwrap() as usize;
            let end = at + size;
            for (clear, encrypted) in ranges(&entry[8..], size) {
                assert_eq!(data[at..at + clear], twin[at..at + clear]);
                let hidden = at + clear..at + clear + encrypted;
                differing += hidden.clone().filter(|&i| data[i] != twin[i]).count();
                secret += encrypted;
                at = hidden.end;
            }
            assert_eq!(at, end, "the parts of a sample are all of it");
        }
        assert_eq!(at, data.len());
        // One byte of 256 is the same by chance.
        assert!(differing * 100 > secret * 99 && differing < secret, "{differing} of {secret}");
    }
}

#[test]
fn an_encrypted_header_announces_the_track_of_its_decrypted_twin() {
    let corpus = corpus_or_return!();
    for (folder, encrypted, decrypted) in [
        ("piff-video", "complseg-1.0001.mp4", "complseg-1.0001_dec.mp4"),
        ("piff-wma_piff_scheme", "audio.mp4", "audio_dec.mp4"),
    ] {
        let of = |name: &str| moov(&corpus.file(&format!("mp4ff/{folder}/{name}")));
        let (encrypted, decrypted) = (of(encrypted), of(decrypted));
        let (trak, twin) =
            (encrypted.inside(*b"trak").unwrap(), decrypted.inside(*b"trak").unwrap());
        assert_eq!(trak.get::<Tkhd>(), twin.get::<Tkhd>());
        let (mdia, other) = (trak.inside(*b"mdia").unwrap(), twin.inside(*b"mdia").unwrap());
        assert_eq!(mdia.get::<Mdhd>(), other.get::<Mdhd>());
        let (entry, other) =
            (&stsd(trak).entries().next().unwrap(), &stsd(twin).entries().next().unwrap());
        if folder == "piff-video" {
            let read = |entry| VisualSampleEntry::parse(entry, &Limits::default()).unwrap();
            let (mut ours, theirs) = (read(entry), read(other));
            ours.boxes.list.retain(without_sinf);
            assert_eq!((ours.width, ours.height), (theirs.width, theirs.height));
            assert_eq!((ours.format, theirs.format), (FourCc(*b"encv"), FourCc(*b"avc1")));
            assert_eq!(ours.boxes, theirs.boxes);
        } else {
            let read = |entry| AudioSampleEntry::parse(entry, &Limits::default()).unwrap();
            let (mut ours, theirs) = (read(entry), read(other));
            ours.boxes.list.retain(without_sinf);
            assert_eq!(
                (ours.channel_count, ours.sample_rate),
                (theirs.channel_count, theirs.sample_rate)
            );
            assert_eq!((ours.format, theirs.format), (FourCc(*b"enca"), FourCc(*b"wma ")));
            assert_eq!(ours.boxes, theirs.boxes);
        }
    }
}

// Presentations.

#[test]
fn the_presentation_of_azure_is_served_byte_for_byte() {
    let corpus = corpus_or_return!();
    let folder = "azure-media-services/small";
    let files = ["small.ism", "small.ismc", "small.ismv"];
    let origin = corpus.origin(folder, &files, &[]);
    let opened = block_on(origin.open(&Name::new("small.ism").unwrap())).unwrap();
    let presentation = opened.presentation();
    assert_eq!(presentation.findings(), []);
    assert_eq!(presentation.manifest_source(), ManifestSource::Stored);
    let stored = corpus.file(&format!("{folder}/small.ismc"));
    assert_eq!(get(&origin, "small.ism/Manifest"), stored);

    let file = corpus.file(&format!("{folder}/small.ismv"));
    assert_eq!(same_fragments(&origin, "small.ism", "video", 952_962, &file), [0]);
    let traf = trafs(&file).remove(0);
    let durations = traf.get::<Trun>().unwrap().samples().map(|sample| sample.duration.unwrap());
    assert_eq!(durations.sum::<u32>(), 20_429_600, "2.04 s");
}

#[test]
fn single_tracks_of_mp4ff_are_served_byte_for_byte() {
    let corpus = corpus_or_return!();
    let ism = |kind: &str, src: &str| {
        format!(
            "<smil><body><switch><{kind} src='{src}' systemBitrate='128000'>
                <param name='trackID' value='1'/></{kind}></switch></body></smil>"
        )
    };
    for (kind, src, stream, starts, findings) in [
        ("audio", "bbb5s_aac.isma", "audio", &[0, 20_053_333, 40_106_667][..], &[][..]),
        (
            "textstream",
            "sample_short.ismt",
            "textstream",
            &[0, 10_000],
            &[FindingCode::TimescaleUnusual],
        ),
    ] {
        let origin = corpus.origin("mp4ff", &[src], &[("made.ism", ism(kind, src))]);
        let opened = block_on(origin.open(&Name::new("made.ism").unwrap())).unwrap();
        let presentation = opened.presentation();
        assert_eq!(presentation.manifest_source(), ManifestSource::Generated);
        let codes: Vec<_> = presentation.findings().iter().map(|finding| finding.code).collect();
        assert_eq!(codes, findings, "{src}");

        let file = corpus.file(&format!("mp4ff/{src}"));
        assert_eq!(same_fragments(&origin, "made.ism", stream, 128_000, &file), starts, "{src}");
        let manifest = get(&origin, "made.ism/Manifest");
        let manifest = ClientManifest::parse(&manifest, &Limits::default()).unwrap();
        let announced: Vec<_> = times(&manifest.streams[0]).iter().map(|chunk| chunk.0).collect();
        assert_eq!(announced, starts, "{src}");
    }
}

/// `avcC` of this file has a compatibility flag that its parameter set does not have.
#[test]
fn an_initialization_segment_of_azure_indicates_the_codec_that_manifests_announce() {
    let corpus = corpus_or_return!();
    let names = ["small.ism", "small.ismc", "small.ismv"];
    let origin = corpus.origin("azure-media-services/small", &names, &[]);
    let opened = block_on(origin.open(&Name::new("small.ism").unwrap())).unwrap();
    let presentation = opened.presentation();
    let configuration = |bytes: &[u8]| {
        let at = bytes.windows(4).position(|name| name == b"avcC").unwrap();
        [bytes[at + 5], bytes[at + 6], bytes[at + 7]]
    };
    assert_eq!(
        configuration(&corpus.file("azure-media-services/small/small.ismv")),
        [0x64, 0x40, 0x15]
    );
    let mut streams = presentation.streams().iter();
    let pictures = streams.find(|stream| stream.kind() == StreamKind::Video).unwrap();
    let track = &pictures.tracks()[0];
    assert_eq!(track.codecs().unwrap(), "avc1.640015");
    let segment = presentation.init_segment(pictures, track).unwrap();
    assert_eq!(configuration(&segment), [0x64, 0, 0x15]);
}

#[test]
fn progressive_files_of_azure_are_served_without_packaging() {
    let corpus = corpus_or_return!();
    let folder = "azure-media-services/mbr";
    let stored = corpus.server(&format!("{folder}/MBRtoSmooth.ism"));
    assert!(corpus.file(&format!("{folder}/MBRtoSmooth.ism")).starts_with(b"\xef\xbb\xbf"));
    assert_eq!((stored.metas.len(), stored.tracks.len()), (0, 8));
    assert!(stored.tracks.iter().all(|t| t.bitrate().is_none() && t.track_id().is_none()));

    let files = [
        "MBRtoSmooth.ism",
        "interview1_384p_H264_184Kbps_AAC.mp4",
        "interview1_384p_H264_205Kbps_AAC.mp4",
        "interview1_384p_H264_228Kbps_AAC.mp4",
    ];
    let origin = corpus.origin(folder, &files, &[]);
    let opened = block_on(origin.open(&Name::new("MBRtoSmooth.ism").unwrap())).unwrap();
    let findings = opened.presentation().findings();
    let count = |code| findings.iter().filter(|finding| finding.code == code).count();
    assert_eq!(count(FindingCode::FileMissing), 4);
    assert_eq!(count(FindingCode::NeedsPackaging), 0);
    assert_eq!(count(FindingCode::QualitiesNotAligned), 0);
    let mut fragments = 0;
    for stream in opened.presentation().streams() {
        for track in stream.tracks().iter().filter(|track| track.is_served()) {
            assert_eq!(track.fragment_count(), stream.timeline().len());
            for (start, _) in stream.timeline().iter() {
                let (name, bitrate) = (stream.name(), track.bitrate());
                let path =
                    format!("/MBRtoSmooth.ism/QualityLevels({bitrate})/Fragments({name}={start})");
                let fragment = testkit::get(&origin, &path).unwrap();
                assert_eq!(fragment[4..8], *b"moof");
                fragments += 1;
            }
        }
    }
    assert!(fragments >= 12, "{fragments}");
}

// Helpers.

struct Corpus {
    root: PathBuf,
}

impl Corpus {
    fn find() -> Option<Self> {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
        let root = std::env::var_os("SMOOTH_ORIGIN_CORPUS").map_or(beside.into(), PathBuf::from);
        root.is_dir().then_some(Self { root })
    }

    fn files(&self, endings: &[&str]) -> Vec<(String, Bytes)> {
        files(&self.root, endings)
    }

    fn file(&self, name: &str) -> Bytes {
        fs::read(self.root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).into()
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.file(name).into()).unwrap()
    }

    fn client(&self, name: &str) -> ClientManifest {
        ClientManifest::parse(&self.file(name), &Limits::default()).unwrap()
    }

    fn server(&self, name: &str) -> ServerManifest {
        ServerManifest::parse(&self.file(name), &Limits::default()).unwrap()
    }

    /// An origin over some files of a folder, and others that the test makes.
    fn origin(&self, folder: &str, names: &[&str], made: &[(&str, String)]) -> Origin {
        let store = MemoryStore::new();
        for name in names {
            store.put(Name::new(name).unwrap(), self.file(&format!("{folder}/{name}")));
        }
        for (name, text) in made {
            store.put(Name::new(name).unwrap(), text.clone());
        }
        Origin::new(store)
    }
}

/// The body of an answer.
fn get(origin: &Origin, path: &str) -> Bytes {
    let answer = block_on(origin.answer(&format!("/{path}"))).unwrap();
    let Answer::Reply(served) = answer else { panic!("{path} is redirected") };
    let (mut body, mut bytes) = (served.body(), Vec::new());
    while let Some(part) = block_on(body.next()) {
        bytes.extend(part.unwrap());
    }
    assert_eq!(bytes.len() as u64, served.reply().length(), "{path}");
    bytes.into()
}

/// Asks for every fragment of a track and for its parts, and compares them with the bytes of its
/// file. Gives the starts of the chunks.
fn same_fragments(
    origin: &Origin,
    ism: &str,
    stream: &str,
    bitrate: u32,
    file: &Bytes,
) -> Vec<u64> {
    let opened = block_on(origin.open(&Name::new(ism).unwrap())).unwrap();
    let found = opened.presentation().streams().iter().find(|found| found.name() == stream);
    let starts: Vec<_> = found.unwrap().timeline().iter().map(|chunk| chunk.0).collect();
    let (moofs, mdats) = (all(file, b"moof"), all(file, b"mdat"));
    assert_eq!((starts.len(), starts.len()), (moofs.len(), mdats.len()));
    for (start, (moof, mdat)) in starts.iter().zip(moofs.iter().zip(&mdats)) {
        let get = |noun: &str| {
            get(origin, &format!("{ism}/QualityLevels({bitrate})/{noun}({stream}={start})"))
        };
        let (from, to) = (moof.0 as usize, mdat.0 as usize + mdat.1.len());
        assert_eq!(get("Fragments"), file.slice(from..to), "{stream}={start}");
        assert_eq!(get("FragmentInfo"), moof.1, "{stream}={start}");
        assert_eq!(get("RawFragments"), mdat.1.slice(8..), "{stream}={start}");
    }
    starts
}

/// Start and duration of every chunk that the elements stand for.
fn times(stream: &StreamIndex) -> Vec<(u64, u64)> {
    let runs = runs(&stream.chunks).map(Result::unwrap);
    let each = runs.flat_map(|run| {
        (0..run.count.get()).map(move |i| (run.start + i * run.duration, run.duration))
    });
    each.collect()
}

/// Name, qualities and chunks of each stream.
fn shape(manifest: &ClientManifest) -> Vec<(&str, usize, usize)> {
    let one = |stream: &StreamIndex| times(stream).len();
    let streams = manifest.streams.iter();
    let name = |stream| match StreamIndex::name(stream) {
        Cow::Borrowed(name) => name,
        Cow::Owned(name) => panic!("{name} is encoded in its Url"),
    };
    streams.map(|stream| (name(stream), stream.qualities.len(), one(stream))).collect()
}

fn moov(file: &Bytes) -> Boxes {
    let boxes = Boxes::parse(&all(file, b"moov")[0].1, 0, &Limits::default()).unwrap();
    boxes.inside(*b"moov").unwrap().clone()
}

fn stsd(trak: &Boxes) -> &Stsd {
    trak.path(&[*b"mdia", *b"minf", *b"stbl"]).unwrap().get().unwrap()
}

/// The one `traf` of each `moof`.
fn trafs(file: &Bytes) -> Vec<Boxes> {
    let traf = |(offset, bytes): (u64, Bytes)| {
        let boxes = Boxes::parse(&bytes, offset, &Limits::default()).unwrap();
        let moof = boxes.inside(*b"moof").unwrap();
        assert_eq!(moof.each(*b"traf").count(), 1);
        moof.inside(*b"traf").unwrap().clone()
    };
    all(file, b"moof").into_iter().map(traf).collect()
}

/// The `tfra`s of the `mfra`, whose length its end says.
fn index(file: &Bytes) -> Vec<Tfra> {
    let (offset, bytes) = all(file, b"mfra").remove(0);
    let boxes = Boxes::parse(&bytes, offset, &Limits::default()).unwrap();
    let mfra = boxes.inside(*b"mfra").unwrap();
    assert_eq!(mfra.get::<Mfro>().unwrap().size as usize, bytes.len());
    mfra.all::<Tfra>().cloned().collect()
}

/// Clear and encrypted bytes of a sample, in turn; without a table it is encrypted whole.
fn ranges(table: &[u8], size: usize) -> Vec<(usize, usize)> {
    if table.is_empty() {
        return vec![(0, size)];
    }
    let entries = table[2..].chunks_exact(6);
    assert_eq!(entries.len(), usize::from(u16::from_be_bytes([table[0], table[1]])));
    let number = |bytes: &[u8]| bytes.iter().fold(0, |n, &byte| n << 8 | usize::from(byte));
    entries.map(|entry| (number(&entry[..2]), number(&entry[2..]))).collect()
}

fn without_sinf(item: &AnyBox) -> bool {
    item.header.kind != *b"sinf"
}

fn holds(file: &[u8], bytes: &[u8]) -> bool {
    file.windows(bytes.len()).any(|window| window == bytes)
}

const PLAYREADY: Guid = Guid::from_u128(0x9a04f079_9840_4286_ab92_e65be0885f95);
