//! Presentations of other producers, each as `testdata/dialects` holds it: opened in few reads,
//! served byte for byte, with just the findings that are due.

use crate::written::Manifest;
use crate::written::bytes::{base64, utf16};
use crate::written::damage::told;
use crate::written::judge::{codes, committed, text};
use crate::written::media::mfra;
use crate::written::producers;
use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::{ManifestSource, Severity};
use testkit::{get, status};

#[test]
fn the_committed_files_are_what_the_writers_give() {
    committed(&producers::all());
}

#[test]
fn expression_encoder_files_are_served_though_nothing_in_them_tells_a_time_or_a_key_frame() {
    producers::encoder().judge();
}

#[test]
fn protected_files_are_served_with_their_sample_encryption_cut_alike() {
    producers::playready().judge();
}

#[test]
fn azure_times_since_1970_in_milliseconds_are_found() {
    producers::azure().judge();
}

#[test]
fn archives_of_live_events_are_served_with_their_gap_and_their_text() {
    producers::archive().judge();
}

#[test]
fn bento4_files_are_served() {
    producers::bento4().judge();
}

#[test]
fn text_in_several_languages_is_served_beside_pictures_that_begin_late() {
    producers::captions().judge();
}

#[test]
fn cmaf_segments_are_served_without_what_lies_before_each() {
    producers::cmaf().judge();
}

#[test]
fn unified_manifests_count_otherwise_than_their_media_and_match() {
    producers::unified().judge();
}

#[test]
fn sound_that_ffmpeg_lets_begin_before_0_is_served() {
    producers::ffmpeg().judge();
}

#[test]
fn large_sizes_wide_numbers_and_an_index_that_is_not_last_are_read() {
    producers::wide().judge();
}

#[test]
fn many_entries_a_fragment_foreign_boxes_and_defaults_of_the_moov_are_read() {
    producers::dense().judge();
}

#[test]
fn what_has_no_file_or_no_track_is_cut_out_of_the_manifest_and_the_rest_is_served() {
    let dialect = producers::missing();
    dialect.judge();
    let origin = Origin::new(dialect.store());
    for path in
        ["QualityLevels(120000)/Fragments(video=0)", "QualityLevels(48000)/Fragments(audio=0)"]
    {
        assert_eq!(status(&origin, &format!("missing/missing.ism/{path}")), 404, "{path}");
    }
}

#[test]
fn utf_16_of_both_byte_orders_is_read_and_served_as_it_is() {
    producers::utf16_le().judge();
    producers::utf16_be().judge();
}

#[test]
fn custom_attributes_tell_tracks_of_one_bitrate_apart() {
    let dialect = producers::attributes();
    dialect.judge();
    let origin = Origin::new(dialect.store());
    let ask = |attributes: &str| {
        let path = format!("{}/QualityLevels(60000{attributes})/Fragments(video=0)", dialect.ism);
        (status(&origin, &path), get(&origin, &path).ok())
    };
    let first = ask(",CameraAngle=Camera1");
    assert_eq!(ask(""), first, "without attributes, the first");
    assert_ne!(ask(",CameraAngle=Camera2"), first);
    assert_eq!(ask(",CameraAngle=Camera3").0, 404);
}

#[test]
fn samples_that_the_manifest_embeds_are_those_that_raw_fragments_gives() {
    let dialect = producers::archive();
    let origin = Origin::new(dialect.store());
    let manifest = text(&get(&origin, "archive/archive.ism/Manifest").unwrap());
    let events: Vec<_> = dialect.chunks.iter().filter(|chunk| chunk.stream == "events").collect();
    assert_eq!(events.len(), 2);
    for event in events {
        let raw = get(&origin, &dialect.path(event, "RawFragments")).unwrap();
        assert!(manifest.contains(&format!("<f i=\"0\">{}</f>", base64(&raw))));
    }
}

#[test]
fn without_the_client_manifest_what_is_generated_announces_the_same() {
    for (dialect, findings) in [
        (producers::encoder(), vec![]),
        (producers::azure(), vec!["timescale-unusual"; 2]),
        (producers::bento4(), vec![]),
        (producers::ffmpeg(), vec![]),
        (producers::wide(), vec![]),
    ] {
        let mut dialect = dialect.without_manifest();
        let mut findings = findings;
        findings.push("manifest-generated");
        dialect = dialect.findings(findings);
        dialect.judge();
    }
}

#[test]
fn a_generated_manifest_counts_as_the_media_does() {
    for (dialect, stream, timescale) in [
        (producers::unified(), "audio_eng", 48_000),
        (producers::dense(), "video", 25_000),
        (producers::cmaf(), "video", 12_800),
    ] {
        let dialect = dialect.without_manifest();
        let (presentation, _) = dialect.open();
        assert_eq!(presentation.manifest_source(), ManifestSource::Generated);
        let streams = presentation.streams();
        let found = streams.iter().find(|s| s.name() == stream).unwrap();
        assert_eq!(found.timescale().get(), timescale);
        let media: Vec<u64> = dialect
            .chunks
            .iter()
            .filter(|chunk| chunk.stream == stream)
            .map(|chunk| chunk.written.time as u64)
            .collect();
        let starts: Vec<u64> = found.timeline().iter().map(|chunk| chunk.0).collect();
        assert_eq!(starts, media);
        assert!(codes(&presentation).contains(&"timescale-unusual"));
        let origin = Origin::new(dialect.store());
        for chunk in dialect.chunks.iter().filter(|chunk| chunk.stream == stream) {
            let path = format!(
                "{}/QualityLevels({})/Fragments({stream}={})",
                dialect.ism, chunk.bitrate, chunk.written.time
            );
            let wanted = &dialect.content(chunk.file)[chunk.written.whole()];
            assert!(get(&origin, &path).unwrap() == wanted, "{path}");
        }
    }
}

#[test]
fn text_streams_keep_their_kind_and_names_when_a_manifest_is_generated() {
    let dialect = producers::archive().without_manifest();
    let (presentation, _) = dialect.open();
    let texts: Vec<_> = presentation
        .streams()
        .iter()
        .filter(|stream| stream.kind() == StreamKind::Text)
        .map(|stream| (stream.name(), stream.tracks()[0].bitrate()))
        .collect();
    assert_eq!(texts, [("events", 0), ("captions", 1000)]);
    let manifest = text(presentation.manifest().unwrap());
    assert!(manifest.contains("Subtype=\"SCMD\"") && manifest.contains("Subtype=\"CAPT\""));
}

#[test]
fn utf_16_without_a_mark_is_read_and_served_as_utf_8() {
    for (mut dialect, order) in [
        (producers::utf16_le(), u16::to_le_bytes as fn(u16) -> [u8; 2]),
        (producers::utf16_be(), u16::to_be_bytes),
    ] {
        let Manifest::Stored(ismc) = dialect.manifest else { unreachable!() };
        let stored = text(dialect.content(ismc));
        for (name, content) in &mut dialect.files {
            if !name.ends_with(".ismv") {
                *content = utf16(&text(content), order)[2..].to_vec();
            }
        }
        let wanted = stored.replace("encoding=\"utf-16\"", "encoding=\"utf-8\"");
        dialect = dialect.manifest(Manifest::Mended(wanted.into_bytes()));
        dialect.findings(vec!["manifest-reencoded"]).judge();
    }
}

#[test]
fn a_progressive_mp4_beside_a_fragmented_one_is_answered_with_415() {
    let mut dialect = producers::azure();
    let file = "azure/azure_60.mp4";
    let mut plain = dialect.content(file).to_vec();
    // Without `mvex` it is not fragmented.
    let at = plain.windows(4).position(|word| word == b"mvex").unwrap();
    plain[at..at + 4].copy_from_slice(b"free");
    // Nor has it an index of fragments.
    let index = plain.windows(4).rposition(|word| word == b"mfra").unwrap() - 4;
    plain.truncate(index);
    dialect.files.iter_mut().find(|(name, _)| name == file).unwrap().1 = plain;
    let origin = Origin::new(dialect.store());
    for chunk in &dialect.chunks {
        let wanted = if chunk.file == file { 415 } else { 200 };
        assert_eq!(status(&origin, &dialect.path(chunk, "Fragments")), wanted);
    }
    let opened = block_on(origin.open(&Name::new(dialect.ism).unwrap())).unwrap();
    assert!(codes(opened.presentation()).contains(&"needs-packaging"));
}

#[test]
fn an_index_written_anew_serves_the_same() {
    for dialect in producers::all() {
        dialect.tail(|out, tfras| mfra(out, &tfras)).all_served("index anew");
    }
    for dialect in [producers::archive(), producers::cmaf(), producers::encoder()] {
        dialect.without_manifest().tail(|out, tfras| mfra(out, &tfras)).all_served("index anew");
    }
}

#[test]
fn a_file_that_was_cut_between_fragments_and_indexed_again_is_served_as_far_as_it_goes() {
    let mut dialect = producers::archive().without_manifest();
    let file = "archive/archive.ismv";
    let last = dialect.chunks.iter().filter(|c| c.file == file).map(|c| c.written.moof.start);
    let cut = last.max().unwrap();
    dialect.chunks.retain(|chunk| chunk.file != file || chunk.written.moof.start < cut);
    dialect.tail(|out, tfras| mfra(out, &tfras)).all_served("a fragment less");
}

#[test]
fn an_index_that_lies_serves_nothing_under_a_wrong_name() {
    for (lie, dialect) in told() {
        println!("{lie}");
        let origin = Origin::new(dialect.store());
        let refused = dialect.served_rightly_or_not(&origin);
        let opened = block_on(origin.open(&Name::new(dialect.ism).unwrap())).unwrap();
        let findings = opened.presentation().findings();
        let told = findings.iter().any(|f| f.severity() >= Severity::Warning);
        assert!(refused.is_empty() || told, "{lie}, {}: {findings:?}", dialect.ism);
    }
}
