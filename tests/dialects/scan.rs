//! Files whose index is missing, cut off, short or lying, in the dialects of other producers: what
//! lies there is found by scanning, and nothing is served under a wrong name.

use std::ops::Range;

use crate::written::bytes::{Out, base64, hex};
use crate::written::damage::{told, with_times, without_times};
use crate::written::judge::{committed, text};
use crate::written::media::{Tfra, mfra, mfra_lying};
use crate::written::producers::{self, playready_object};
use crate::written::samples::small_video;
use smooth_origin::origin::Origin;
use smooth_origin::presentation::{ManifestSource, Severity};
use testkit::record::RecordingStore;
use testkit::{get, status};

// No index at all.

#[test]
fn the_committed_recording_is_what_the_writers_give() {
    committed(&[producers::recording()]);
}

#[test]
fn a_recording_cut_off_within_a_fragment_is_served_up_to_the_last_whole_one() {
    let dialect = producers::recording();
    dialect.all_served("as committed");
    let (presentation, _) = dialect.open();
    let findings = presentation.findings();
    let file = "recording/recording.ismv";
    assert!(findings.iter().any(|f| f.file.as_deref() == Some(file)), "it is told: {findings:?}");
}

#[test]
fn wherever_a_recording_is_cut_off_the_whole_fragments_before_are_served() {
    let whole = producers::archive();
    let file = "archive/archive.ismv";
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for chunk in whole.chunks.iter().filter(|chunk| chunk.file == file) {
        ranges.push(chunk.written.whole());
    }
    ranges.sort_by_key(|range| range.start);
    let fourth = whole.chunks.iter().find(|c| c.file == file && c.written.whole() == ranges[3]);
    let moof = fourth.unwrap().written.moof.clone();
    let payload = fourth.unwrap().written.payload.clone();
    for cut in [
        moof.start,
        moof.start + 5,
        moof.start + 40,
        moof.end,
        moof.end + 4,
        payload.start,
        payload.end - 1,
        payload.end,
    ] {
        let mut dialect = producers::archive().without_manifest();
        let content = dialect.files.iter_mut().find(|(name, _)| name == file).unwrap();
        content.1.truncate(cut);
        dialect.chunks.retain(|c| c.file != file || c.written.payload.end <= cut);
        dialect.all_served(&format!("cut at {cut}"));
    }
}

#[test]
fn chunks_that_the_manifest_announces_beyond_the_cut_are_404() {
    let mut dialect = producers::archive();
    let file = "archive/archive.ismv";
    let last = dialect.chunks.iter().filter(|c| c.file == file).map(|c| c.written.moof.start);
    let cut = last.max().unwrap() + 100;
    dialect.files.iter_mut().find(|(name, _)| name == file).unwrap().1.truncate(cut);
    let (presentation, _) = dialect.open();
    dialect.judge_manifest(&presentation);
    let origin = Origin::new(dialect.store());
    for chunk in &dialect.chunks {
        if chunk.file == file && chunk.written.payload.end > cut {
            assert_eq!(status(&origin, &dialect.path(chunk, "Fragments")), 404);
        } else {
            dialect.judge_chunk(&origin, chunk);
        }
    }
}

#[test]
fn files_without_an_index_are_served_by_the_times_in_their_fragments() {
    with_times().into_iter().for_each(|dialect| dialect.without_index().all_served("no mfra"));
}

#[test]
fn files_without_an_index_and_without_times_are_served_by_the_sum_of_durations() {
    without_times().into_iter().for_each(|dialect| dialect.without_index().all_served("no mfra"));
}

#[test]
fn sound_from_before_0_is_found_by_scanning_where_the_manifest_says_0() {
    producers::ffmpeg().without_index().all_served("no mfra");
}

#[test]
fn without_index_and_manifest_what_is_generated_announces_every_fragment() {
    for dialect in [
        producers::encoder(),
        producers::azure(),
        producers::bento4(),
        producers::cmaf(),
        producers::wide(),
    ] {
        dialect.without_manifest().without_index().all_served("no mfra, no ismc");
    }
}

#[test]
fn where_all_could_be_found_by_scanning_no_finding_says_that_something_is_not_served() {
    for dialect in with_times().into_iter().chain(without_times()) {
        let (presentation, _) = dialect.without_index().open();
        let findings = presentation.findings();
        let grave: Vec<_> = findings.iter().filter(|f| f.severity() == Severity::Error).collect();
        assert!(grave.is_empty(), "{grave:?}");
    }
}

#[test]
fn a_file_is_scanned_once_and_then_each_answer_takes_one_read() {
    for dialect in [producers::archive(), producers::encoder()] {
        let dialect = dialect.without_index();
        let store = RecordingStore::new(dialect.store());
        let reads = store.reads.clone();
        let origin = Origin::new(store);
        let ask = || {
            for chunk in &dialect.chunks {
                let path = dialect.path(chunk, "Fragments");
                get(&origin, &path).unwrap_or_else(|error| panic!("{path}: {error}"));
            }
        };
        ask();
        let before = reads.lock().unwrap().len();
        ask();
        let after = reads.lock().unwrap().len();
        assert_eq!(after - before, dialect.chunks.len(), "{}", dialect.ism);
    }
}

// An index that is short, or cannot be found.

#[test]
fn a_track_that_the_index_leaves_out_is_scanned() {
    for number in [0, 1] {
        let dialects = [producers::encoder(), producers::archive(), producers::wide()];
        for dialect in dialects {
            let dialect = dialect.tail(|out, mut tfras| {
                if tfras.len() > 1 {
                    tfras.remove(number);
                }
                mfra(out, &tfras);
            });
            dialect.all_served(&format!("without tfra {number}"));
        }
    }
}

#[test]
fn an_index_with_fewer_entries_than_the_manifest_has_chunks_is_not_enough() {
    for which in ["first", "last"] {
        let dialects = [producers::azure(), producers::archive(), producers::encoder()];
        for dialect in dialects {
            let dialect = dialect.tail(|out, mut tfras| {
                for tfra in &mut tfras {
                    let at = if which == "first" { 0 } else { tfra.entries.len() - 1 };
                    tfra.entries.remove(at);
                }
                mfra(out, &tfras);
            });
            dialect.all_served(&format!("without the {which} entry"));
        }
    }
}

#[test]
fn an_index_of_samples_within_fragments_tells_no_start() {
    for dialect in [producers::cmaf(), producers::encoder()] {
        let dialect = dialect.tail(|out, mut tfras| {
            for (_, _, sample) in tfras.iter_mut().flat_map(|tfra| &mut tfra.entries) {
                *sample = 7;
            }
            mfra(out, &tfras);
        });
        dialect.all_served("entries of the seventh sample");
    }
}

#[test]
fn an_empty_index_is_none() {
    for dialect in [producers::bento4(), producers::encoder()] {
        dialect
            .tail(|out, mut tfras| {
                tfras.iter_mut().for_each(|tfra| tfra.entries.clear());
                mfra(out, &tfras);
            })
            .all_served("tfra without entries");
    }
    for dialect in [producers::bento4(), producers::encoder()] {
        dialect.tail(|out, _| mfra(out, &[])).all_served("mfra without tfra");
    }
}

#[test]
fn an_index_far_from_the_end_is_found_or_done_without() {
    let far = |out: &mut Out, tfras: Vec<Tfra>| {
        mfra_lying(out, &tfras, 0);
        out.filler(b"free", 20_000);
    };
    producers::wide().tail(far).all_served("20,000 bytes behind mfra");
    producers::archive().tail(far).all_served("20,000 bytes behind mfra");
}

#[test]
fn an_index_that_was_cut_off_is_done_without() {
    for cut in [3, 17, 40] {
        for dialect in [producers::wide(), producers::azure()] {
            let dialect = dialect.tail(|out, tfras| {
                mfra(out, &tfras);
                let len = out.0.len() - cut;
                out.0.truncate(len);
            });
            dialect.all_served(&format!("{cut} bytes less"));
        }
    }
}

#[test]
fn an_index_that_claims_more_entries_than_it_has_is_done_without() {
    for dialect in [producers::wide(), producers::azure()] {
        let dialect = dialect.tail(|out, tfras| {
            let start = out.0.len();
            mfra(out, &tfras);
            // mfra, then tfra: version, track and widths, then the count.
            out.0[start + 8 + 8 + 12] = 0x7f;
        });
        dialect.all_served("2 billion entries");
    }
}

// An index that lies.

#[test]
fn where_an_index_lies_the_file_is_scanned_and_all_of_it_served() {
    let mut failed = Vec::new();
    for (lie, dialect) in told() {
        let origin = Origin::new(dialect.store());
        // What is found out on use may be refused once.
        dialect.served_rightly_or_not(&origin);
        let refused = dialect.served_rightly_or_not(&origin);
        if !refused.is_empty() {
            failed.push(format!("{}, {lie}: {} refused", dialect.ism, refused.len()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

// What a generated manifest tells of protection.

#[test]
fn a_generated_manifest_of_protected_media_has_the_header_that_the_file_has() {
    let dialect = producers::playready().without_manifest();
    let (presentation, _) = dialect.open();
    assert_eq!(presentation.manifest_source(), ManifestSource::Generated);
    let manifest = text(presentation.manifest().unwrap());
    assert_eq!(manifest.matches("<Protection>").count(), 1, "{manifest}");
    assert_eq!(manifest.matches("<ProtectionHeader ").count(), 1);
    assert!(manifest.to_lowercase().contains("9a04f079-9840-4286-ab92-e65be0885f95"));
    assert!(manifest.contains(&base64(&playready_object())));
}

#[test]
fn a_generated_manifest_of_protected_media_announces_the_codecs_beneath() {
    let dialect = producers::playready().without_manifest();
    let (presentation, _) = dialect.open();
    let manifest = text(presentation.manifest().unwrap());
    for wanted in ["FourCC=\"H264\"", "FourCC=\"AACL\"", &hex(&small_video().private())] {
        assert!(manifest.contains(wanted), "{wanted}: {manifest}");
    }
    dialect.judge_manifest(&presentation);
}

// A stream that needs no media.

#[test]
fn a_stream_whose_samples_are_all_in_the_manifest_needs_no_track() {
    let mut dialect = producers::archive();
    let ism = dialect.files.iter_mut().find(|(name, _)| name.ends_with(".ism")).unwrap();
    let server = String::from_utf8(ism.1.clone()).unwrap();
    let from = server.find("      <textstream src=\"archive.ismt\" systemBitrate=\"0\"").unwrap();
    let to = from + server[from..].find("</textstream>\r\n").unwrap() + "</textstream>\r\n".len();
    ism.1 = [&server[..from], &server[to..]].concat().into_bytes();
    let (presentation, _) = dialect.open();
    dialect.judge_manifest(&presentation);
    let findings = presentation.findings();
    let grave: Vec<_> = findings.iter().filter(|f| f.severity() == Severity::Error).collect();
    assert!(grave.is_empty(), "everything announced is served: {grave:?}");
    let origin = Origin::new(dialect.store());
    for chunk in dialect.chunks.iter().filter(|chunk| chunk.stream != "events") {
        let body = get(&origin, &dialect.path(chunk, "Fragments")).unwrap();
        assert!(body == dialect.content(chunk.file)[chunk.written.whole()]);
    }
}

#[test]
fn a_sparse_track_stays_one_when_a_manifest_is_generated() {
    let (presentation, _) = producers::archive().without_manifest().open();
    let manifest = text(presentation.manifest().unwrap());
    let streams: Vec<_> = manifest.split("<StreamIndex ").skip(1).collect();
    let sparse: Vec<_> = streams.iter().filter(|s| s.contains("ParentStreamIndex=")).collect();
    assert_eq!(sparse.len(), 1, "{manifest}");
    assert!(sparse[0].contains("Name=\"events\""));
    assert!(sparse[0].contains("ParentStreamIndex=\"video\""));
}
