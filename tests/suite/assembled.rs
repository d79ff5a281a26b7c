//! Fragments that are made from a progressive file: every sample once, at its time, and as other
//! readers understand them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use shiguredo_mp4::{Decode, boxes::MoofBox};
use smooth_origin::Limits;
use smooth_origin::base::Timescale;
use smooth_origin::bmff::{Boxes, Trun, uuid::Tfxd};
use smooth_origin::index::chunk_plan::Wanted;
use smooth_origin::index::sample_table::Sample;
use testkit::assembled::{self, Chunk, chunks};
use testkit::progressive::{Film, Track};

fn film() -> Bytes {
    let video = Track::video((30_000, 1001), 30, 45, 300_000, 3);
    let sound = Track::sound(31, 64_000, 5);
    Film::of([Track { together: 9, ..video }, Track { together: 21, ..sound }]).file()
}

fn samples(file: &Bytes) -> BTreeMap<u32, Vec<Sample>> {
    let tracks = assembled::tracks(file).unwrap();
    let all = |track: &smooth_origin::index::sample_table::Track| {
        track.tables.samples().collect::<Result<_, _>>().unwrap()
    };
    tracks.iter().map(|track| (track.track_id, all(track))).collect()
}

#[test]
fn every_sample_that_is_shown_is_in_one_chunk_at_its_exact_time() {
    let file = film();
    let tracks = assembled::tracks(&file).unwrap();
    let sources = samples(&file);
    let mut next: BTreeMap<u32, u32> = BTreeMap::from([(1, 0), (2, 1)]);
    let made = chunks(&file, Wanted::SMOOTH).unwrap();
    assert!(made.len() > 25);
    for chunk in &made {
        let source = &sources[&chunk.track_id];
        let clock = tracks.iter().find(|track| track.track_id == chunk.track_id).unwrap().clock;
        let first = next.insert(chunk.track_id, chunk.indexes.end).unwrap();
        assert_eq!(first, chunk.indexes.start, "no sample is left out or in two chunks");
        let mut decoded = chunk.start as i64;
        for (sample, index) in chunk.samples.iter().zip(chunk.indexes.clone()) {
            let from = &source[index as usize];
            let shown = clock.at(from.composition_time(), Timescale::SMOOTH).unwrap();
            let is_first = index == chunk.indexes.start;
            let expected = if is_first { chunk.start as i64 } else { shown };
            assert_eq!(decoded + i64::from(sample.composition_offset), expected);
            assert!(expected.abs_diff(shown) <= 1);
            assert_eq!((sample.size, sample.is_sync), (from.size, from.is_sync));
            decoded += i64::from(sample.duration);
        }
        let is_last = chunk.indexes.end as usize == source.len();
        assert!(is_last || decoded as u64 == chunk.end, "durations are that of the chunk");
        let bytes: Vec<u8> = source[chunk.indexes.start as usize..chunk.indexes.end as usize]
            .iter()
            .flat_map(|sample| vec![(sample.number - 1) as u8; sample.size as usize])
            .collect();
        assert_eq!(chunk.payload, bytes);
    }
    for (track, end) in next {
        assert_eq!(end as usize, sources[&track].len());
    }
}

#[test]
fn another_reader_understands_the_heads() {
    let mut compared = 0;
    for Chunk { track_id, start, end, samples, head, payload, .. } in
        chunks(&film(), Wanted::SMOOTH).unwrap()
    {
        let (moof, len) = MoofBox::decode(&head).unwrap();
        let [traf] = &moof.traf_boxes[..] else { panic!("one `traf`") };
        assert_eq!(traf.tfhd_box.track_id, track_id);
        let [trun] = &traf.trun_boxes[..] else { panic!("one `trun`") };
        assert_eq!(trun.data_offset, Some(len as i32 + 8));
        for (theirs, ours) in trun.samples.iter().zip(&samples) {
            assert_eq!((theirs.duration, theirs.size), (Some(ours.duration), Some(ours.size)));
            let offset = theirs.composition_time_offset.unwrap_or(0);
            assert_eq!(offset, ours.composition_offset);
            compared += 1;
        }
        let sizes: u64 = samples.iter().map(|sample| u64::from(sample.size)).sum();
        assert_eq!(sizes as usize, payload.len());
        let boxes = Boxes::parse(&head.slice(..len), 0, &Limits::default()).unwrap();
        let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
        let tfxd = traf.get::<Tfxd>().unwrap();
        assert_eq!((tfxd.time, tfxd.duration), (start, end - start));
        assert_eq!(traf.get::<Trun>().unwrap().sample_count as usize, samples.len());
    }
    assert!(compared > 2000);
}

/// Frame hashes and times of a file, by ffmpeg.
fn frames(file: &Path, options: &str) -> Vec<String> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(options.split(' '))
        .args(["-f", "framemd5", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// `cargo test --all-features --test suite assembled:: -- --ignored`
#[test]
#[ignore = "needs ffmpeg with libx264"]
fn ffmpeg_decodes_source_and_result_to_the_same_frames_at_the_same_times() {
    let folder = std::env::temp_dir().join(format!("assembled-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, options) in [
        ("25.mp4", "-r 25 -g 50 -bf 3"),
        ("ntsc.mp4", "-r 30000/1001 -g 60 -bf 2"),
        ("60.mp4", "-r 60 -g 90 -bf 0"),
        ("front.mp4", "-r 24 -g 48 -bf 3 -movflags +faststart"),
        ("late.mp4", "-r 25 -g 25 -bf 3 -output_ts_offset 1.5"),
    ] {
        let source = folder.join(name);
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=60"])
            .args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "12"])
            .args(["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"])
            .args(["-c:a", "aac", "-b:a", "96k"])
            .args(options.split(' '))
            .arg(&source)
            .status();
        assert!(made.unwrap().success());
        let bytes = Bytes::from(std::fs::read(&source).unwrap());
        let made = chunks(&bytes, Wanted::SMOOTH).unwrap();
        let result = folder.join(name.replace(".mp4", ".ismv"));
        std::fs::write(&result, assembled::file(&bytes, &made, Timescale::SMOOTH)).unwrap();
        let video = "-map 0:v -fps_mode passthrough -enc_time_base 1:1000";
        let (before, after) = (frames(&source, video), frames(&result, video));
        assert!(before.len() > 250, "{name}: {} frames", before.len());
        // Stream, decode time, presentation time, duration, size and hash.
        let shown = |line: &String| {
            let fields: Vec<_> = line.split(',').map(str::trim).collect();
            (fields[2].parse::<i64>().unwrap(), fields[5].to_owned())
        };
        assert_eq!(before.len(), after.len(), "{name}");
        // ffmpeg ignores `tfxd`, and where offsets are negative, as those of Expression Encoder are,
        // it shows all later by the largest of them. Times count from the first frame.
        let (first, shifted) = (shown(&before[0]).0, shown(&after[0]).0);
        for (before, after) in before.iter().zip(&after) {
            let (before, after) = (shown(before), shown(after));
            assert_eq!(before.1, after.1, "{name}");
            let times = (before.0 - first, after.0 - shifted);
            assert!(times.0.abs_diff(times.1) <= 1, "{name}: {times:?}");
        }
        // Sound is compared as it is stored, because the noise that decoders add depends on the number
        // of frames before. The priming is left out.
        let sound = "-map 0:a -c copy";
        let (before, after) = (frames(&source, sound), frames(&result, sound));
        let hash = |line: &String| line.rsplit(',').next().unwrap().trim().to_owned();
        let left_out = before.len() - after.len();
        assert!(left_out <= 1, "{name}: {left_out} frames of sound are left out");
        let before = &before[left_out..];
        assert!(before.iter().zip(&after).all(|(b, a)| hash(b) == hash(a)), "{name}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
