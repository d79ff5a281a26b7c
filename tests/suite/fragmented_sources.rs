//! Fragmented MP4 of another packager behind a generated `.ism`: every sample that ffmpeg reads of the source
//! is in the fragments, with its bytes and its times.

#![cfg(feature = "hls")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use smooth_origin::origin::Origin;
use smooth_origin::storage::MemoryStore;
use testkit::film::ism;
use testkit::{codes, get, open, store};

/// Runs a program, which must succeed.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    output.stdout
}

/// Decode time, presentation time, duration, size and hash of every packet of a stream, as ffmpeg reads
/// them.
fn packets(folder: &Path, file: &str, stream: &str, key: Option<&str>) -> Vec<String> {
    let mut arguments = vec!["-v", "error", "-ignore_editlist", "1"];
    arguments.extend(key.into_iter().flat_map(|key| ["-decryption_key", key]));
    arguments.extend(["-i", file, "-map", stream, "-c", "copy"]);
    let output =
        run("ffmpeg", &[&arguments[..], &["-copyts", "-f", "framemd5", "-"]].concat(), folder);
    let text = String::from_utf8(output).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    // Behind them are the data of protection systems, which an initialization segment need not have.
    let fields =
        |line: &str| line.split(',').skip(1).take(5).map(str::trim).collect::<Vec<_>>().join(",");
    lines.map(fields).collect()
}

/// Tracks of a source: kind, bitrate, file and number of the track in it.
type Tracks<'a> = &'a [(&'a str, u32, &'a str, u32)];

/// A source behind an `.ism`.
fn behind_ism(folder: &Path, tracks: Tracks<'_>) -> MemoryStore {
    let named: Vec<_> =
        tracks.iter().map(|&(kind, rate, file, id)| (kind, file, rate, id, "")).collect();
    let mut objects = vec![("film.ism", ism(None, &named))];
    for (_, _, file, _) in tracks {
        if !objects.iter().any(|(object, _)| object == file) {
            objects.push((file, fs::read(folder.join(file)).unwrap()));
        }
    }
    store(objects)
}

/// Opens a source behind an `.ism` and compares its fragments with it; with a key, also the samples of its
/// segments, decrypted. Returns the findings.
fn compared(folder: &Path, what: &str, tracks: Tracks<'_>, key: Option<&str>) -> Vec<String> {
    let store = behind_ism(folder, tracks);
    let opened = open(&store).unwrap();
    let origin = Origin::new(store);
    for (stream, &(kind, rate, file, _)) in opened.presentation().streams().iter().zip(tracks) {
        assert_eq!(stream.name(), kind, "{what}");
        let all = |path: &dyn Fn(u64) -> String| {
            let mut whole = get(&origin, &format!("film.ism/{kind}-{rate}/init.mp4")).unwrap();
            for (time, _) in stream.timeline().iter() {
                whole.extend(get(&origin, &path(time)).unwrap());
            }
            fs::write(folder.join("result.mp4"), whole).unwrap();
        };
        let letter = format!("0:{}", &kind[..1]);
        all(&|time| format!("film.ism/QualityLevels({rate})/Fragments({kind}={time})"));
        let before = packets(folder, file, &letter, None);
        let after = packets(folder, "result.mp4", &letter, None);
        assert!(before.len() > 150, "{what}: {} packets", before.len());
        assert_eq!(before.len(), after.len(), "{what}, {kind}");
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "{what}, {kind}");
        }
        let Some(key) = key else { continue };
        let hash = |line: String| line.rsplit(',').next().unwrap().to_owned();
        let encrypted: Vec<_> = before.into_iter().map(hash).collect();
        let before = packets(folder, file, &letter, Some(key)).into_iter().map(hash);
        let before: Vec<_> = before.collect();
        // One by one: ffmpeg 5.1 confuses the IVs of several fragments without an index.
        let init = get(&origin, &format!("film.ism/{kind}-{rate}/init.mp4")).unwrap();
        let mut after = Vec::new();
        for (time, _) in stream.timeline().iter() {
            let segment = get(&origin, &format!("film.ism/{kind}-{rate}/{time}.m4s")).unwrap();
            fs::write(folder.join("result.mp4"), [&init[..], &segment].concat()).unwrap();
            after.extend(packets(folder, "result.mp4", &letter, Some(key)).into_iter().map(hash));
        }
        assert!(before == after, "{what}, {kind}, decrypted");
        assert!(before != encrypted, "{what}, {kind} is not encrypted");
    }
    codes(opened.presentation())
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn folder(name: &str) -> Folder {
    let path = std::env::temp_dir().join(format!("fragmented-{name}-{}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    Folder(path)
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Makes eight seconds of pictures with B frames, and of sound.
fn make_source(folder: &Path) {
    let inputs = "-v error -y -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000";
    let coding =
        "-t 8 -c:v libx264 -preset veryfast -g 50 -bf 2 -pix_fmt yuv420p -c:a aac source.mp4";
    run("ffmpeg", &[words(inputs), words(coding)].concat(), folder);
}

/// `cargo test --all-features --test suite fragmented_sources:: -- --ignored`
#[test]
#[ignore = "needs ffmpeg with libx264"]
fn fragments_have_every_sample_of_the_source_at_its_time() {
    let folder = folder("ffmpeg");
    let folder = &*folder.0;
    make_source(folder);
    // Flags of the muxer, and whether the file is walked through: `None` for the `mfra` of ffmpeg, of which the
    // times of sound are not those of the fragments.
    for (flags, is_walked) in [
        ("frag_keyframe", None),
        ("frag_keyframe+default_base_moof", None),
        ("frag_keyframe+empty_moov", None),
        ("frag_keyframe+empty_moov+skip_trailer", Some(true)),
        ("frag_keyframe+skip_trailer", Some(true)),
        ("cmaf", None),
        ("cmaf+skip_trailer", Some(true)),
        ("cmaf+global_sidx+skip_trailer", Some(false)),
        ("dash", None),
        ("dash+skip_trailer", Some(true)),
        ("dash+global_sidx+skip_trailer", Some(false)),
        ("frag_keyframe+empty_moov+default_base_moof+global_sidx+skip_trailer", Some(false)),
    ] {
        for (name, chosen) in
            [("both", ""), ("video", "-an"), ("audio", "-vn -frag_duration 2000000")]
        {
            let mut arguments = words("-v error -y -i source.mp4 -c copy");
            arguments.extend(chosen.split(' ').filter(|word| !word.is_empty()));
            arguments.extend(["-movflags", flags, "made.mp4"]);
            run("ffmpeg", &arguments, folder);
            let (video, audio) = (("video", 300, "made.mp4", 1), ("audio", 64, "made.mp4", 2));
            let tracks = match name {
                "both" => vec![video, audio],
                "video" => vec![video],
                _ => vec![("audio", 64, "made.mp4", 1)],
            };
            let what = format!("{flags}, {name}");
            let found = compared(folder, &what, &tracks, None);
            let was_walked = found.contains(&"warning index-rebuilt".to_owned());
            assert!(is_walked.is_none_or(|is| is == was_walked), "{what}: {found:?}");
            assert!(!found.iter().any(|code| code.starts_with("error")), "{what}: {found:?}");
        }
    }

    // One file a track, with one `sidx` for all of it.
    run(
        "ffmpeg",
        &words("-v error -y -i source.mp4 -c copy -f dash -single_file 1 -global_sidx 1 film.mpd"),
        folder,
    );
    let tracks = [("video", 300, "film-stream0.mp4", 1), ("audio", 64, "film-stream1.mp4", 1)];
    let found = compared(folder, "dash", &tracks, None);
    assert!(
        !found.iter().any(|code| code.contains("index") || code.contains("error")),
        "{found:?}"
    );
}

/// `SHAKA_PACKAGER=…/packager cargo test --all-features --test suite fragmented_sources:: -- --ignored`
#[test]
#[ignore = "needs ffmpeg with libx264, and Shaka Packager where the variable says"]
fn files_of_shaka_packager_are_opened_by_their_sidx() {
    let packager = std::env::var_os("SHAKA_PACKAGER").expect("the variable names Shaka Packager");
    let folder = folder("packager");
    let folder = &*folder.0;
    make_source(folder);
    let key = "00112233445566778899aabbccddeeff";
    let keys = format!("--keys label=:key_id=0123456789abcdef0123456789abcdef:key={key}");
    let encrypted =
        format!("--segment_duration 2 --enable_raw_key_encryption --clear_lead 0 {keys}");
    for (options, key, wanted) in [
        ("--segment_duration 2", None, None),
        ("--segment_duration 4 --fragment_duration 2", None, Some("warning index-rebuilt")),
        (
            &format!("{encrypted} --protection_scheme cenc"),
            Some(key),
            Some("info fragments-rewritten"),
        ),
        (&format!("{encrypted} --protection_scheme cbcs"), None, Some("warning scheme-not-smooth")),
    ] {
        let inputs =
            ["video", "audio"].map(|kind| format!("in=source.mp4,stream={kind},output={kind}.mp4"));
        let mut arguments = vec!["--quiet", &inputs[0], &inputs[1], "--mpd_output", "film.mpd"];
        arguments.extend(options.split(' '));
        run(packager.to_str().unwrap(), &arguments, folder);
        let tracks = [("video", 300, "video.mp4", 1), ("audio", 64, "audio.mp4", 1)];
        // Samples of `cbcs` are passed on, and no player of Smooth Streaming decrypts them.
        let found = match options.contains("cbcs") {
            true => codes(open(&behind_ism(folder, &tracks)).unwrap().presentation()),
            false => compared(folder, options, &tracks, key),
        };
        let is_there = |code: &str| found.iter().any(|found| found == code);
        assert!(wanted.is_none_or(is_there), "{options}: {found:?}");
        let is_walked = wanted == Some("warning index-rebuilt");
        assert_eq!(is_there("warning index-rebuilt"), is_walked, "{options}: {found:?}");
        assert!(!found.iter().any(|code| code.starts_with("error")), "{options}: {found:?}");
    }
}
