//! Codecs: what a file's sample entry announces is what its manifest says, what a manifest says
//! sets a decoder up as the file does, and ffmpeg decodes every track by it.

mod corpus_support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use corpus_support::{all, files, top_level};
use shiguredo_mp4::{Decode, boxes as other};
use smooth_origin::base::{ErrorKind, FourCc, Limits};
use smooth_origin::bmff::{
    AnyBox, AudioSampleEntry, Boxes, Esds, Ftyp, FullBox, Hdlr, HvcC, Mdhd, Mehd, Mvhd,
    SampleEntry, Stsd, Stsz, Tfhd, Tkhd, Trex, Trun, VisualSampleEntry,
};
use smooth_origin::codec::{Description, Format};
use smooth_origin::manifest::{ClientManifest, StreamIndex, StreamKind};

#[test]
fn a_sample_entry_announces_what_the_manifest_says() {
    for track in tracks() {
        let found = Description::of_entry(track.kind, &track.entry, &Limits::default()).unwrap();
        assert_eq!(found, track.said, "{} {}", track.file, track.id);
        let quality = found.quality(5);
        let mut stream = StreamIndex::new(track.kind);
        stream.qualities.push(quality);
        assert_eq!(Description::of(&stream, &stream.qualities[0]).unwrap(), found);
    }
}

#[test]
fn a_manifest_sets_a_decoder_up_as_the_file_does() {
    for track in tracks() {
        let made = track.said.sample_entry().unwrap();
        assert_eq!(made.format(), track.entry.format(), "{} {}", track.file, track.id);
        if track.kind == StreamKind::Video {
            let (made, theirs) = (visual(&made), visual(&track.entry));
            assert_eq!((made.width, made.height), (theirs.width, theirs.height));
            // Byte for byte, the chroma format and bit depths of the High profile included.
            assert_eq!(bytes_of(&made.boxes, b"avcC"), bytes_of(&theirs.boxes, b"avcC"));
        } else {
            let (made, theirs) = (audio(&made), audio(&track.entry));
            // Their number of channels is always 2, ours the manifest's.
            let fields = |entry: &AudioSampleEntry| (entry.sample_size, entry.sample_rate);
            assert_eq!(fields(&made), fields(&theirs));
            let config =
                |boxes: &Boxes| boxes.get::<Esds>().unwrap().decoder_config().unwrap().unwrap();
            let (made, theirs) = (config(&made.boxes), config(&theirs.boxes));
            assert_eq!(made.object_type, theirs.object_type);
            // The rest of `esds` differs: ffmpeg writes bitrates and lengths of four bytes.
            assert_eq!(made.specific, theirs.specific, "AudioSpecificConfig");
        }
    }
}

/// What ffmpeg 5.1 writes as `codecs` into an MPD made of these files
/// (`ffmpeg -i ladder.ismv -map 0 -c copy -f dash m.mpd`), there in lower case.
#[test]
fn codec_strings_are_those_that_ffmpeg_writes() {
    let expected = [
        ("ladder/ladder.ismv", 1, "avc1.64000B"),
        ("ladder/ladder.ismv", 2, "avc1.64000C"),
        ("ladder/ladder.ismv", 3, "avc1.64000C"),
        ("ladder/ladder.ismv", 4, "mp4a.40.2"),
        ("ladder/ladder.ismv", 5, "mp4a.40.2"),
        ("split/split_120.ismv", 1, "avc1.64000C"),
        ("split/split_60.ismv", 1, "avc1.64000B"),
        ("split/split_audio.isma", 1, "mp4a.40.2"),
        ("bframes/bframes.ismv", 1, "avc1.64000C"),
        ("bframes/bframes.ismv", 2, "mp4a.40.2"),
        ("ntsc/ntsc_low.ismv", 1, "mp4a.40.2"),
        ("ntsc/ntsc_low.ismv", 2, "avc1.64000B"),
        ("ntsc/ntsc_high.ismv", 1, "avc1.64000D"),
    ];
    let tracks = tracks();
    assert_eq!(tracks.len(), expected.len());
    for (track, expected) in tracks.iter().zip(expected) {
        let string = track.said.rfc6381().unwrap();
        assert_eq!((track.file, track.id, string.as_str()), expected);
    }
}

/// In the forms that other producers write; the strings by RFC 6381, 3.3 and ISO/IEC 14496-15,
/// annex E.
#[test]
fn codec_strings_of_other_producers_manifests_are_known() {
    for (kind, four_cc, data, string) in [
        // Bytes 1 to 3 of the SPS: High, High, Main profile.
        ("video", "H264", "000000016764000DAC2CA50E11BFF040003F050000000168EE", "avc1.64000D"),
        ("video", "AVC1", "0000000167640028AC0000000168EE", "avc1.640028"),
        ("video", "h264", "000001674D401F8000000168EE", "avc1.4D401F"),
        // AudioSpecificConfig's first five bits; where it is empty, the FourCC.
        ("audio", "AACL", "1210", "mp4a.40.2"),
        ("audio", "AACL", "", "mp4a.40.2"),
        ("audio", "AACH", "", "mp4a.40.5"),
        ("audio", "AACH", "2B118800", "mp4a.40.5"),
        ("audio", "AACP", "", "mp4a.40.29"),
        ("text", "TTML", "", "stpp"),
        ("text", "DFXP", "", "stpp"),
    ] {
        let said = description(kind, four_cc, data);
        assert_eq!(said.rfc6381().as_deref(), Some(string), "{four_cc} {data}");
        assert!(said.sample_entry().is_ok(), "{four_cc} {data}");
    }
    for (kind, four_cc, data) in [
        ("video", "WVC1", "250000010F"),
        ("audio", "WMAP", "1000030000000000000000000000E00042C0"),
        ("audio", "EC-3", ""),
        ("video", "", ""),
    ] {
        let unknown = description(kind, four_cc, data);
        assert_eq!(unknown.rfc6381(), None, "{four_cc}");
        let error = unknown.sample_entry().unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotServed(_)), "{four_cc}: {error}");
    }
}

#[test]
fn private_data_that_is_no_hexadecimal_is_refused() {
    for data in ["0", "0x12", "12 10", "ffffff80", "zz"] {
        let manifest = manifest("audio", "AACL", data);
        let stream = &manifest.streams[0];
        let described = Description::of(stream, &stream.qualities[0]);
        assert_eq!(described.is_ok(), data == "ffffff80", "{data}");
    }
}

#[test]
fn ffmpeg_decodes_every_track_by_an_init_segment_of_the_manifest_alone() {
    if !runs("ffmpeg") {
        eprintln!("not run: there is no ffmpeg");
        return;
    }
    let folder = Folder::new("tracks");
    let tracks = tracks();
    for (file, _) in testdata() {
        let expected = decode(&testdata_path(&file));
        let of_file: Vec<_> = tracks.iter().filter(|track| track.file == file).collect();
        assert_eq!(expected.len(), of_file.len(), "{file}");
        for (track, expected) in of_file.into_iter().zip(expected) {
            let (fragments, samples) = fragments(&track.bytes, track.id);
            let made = [&init(&track.said, track.kind, track.id)[..], &fragments].concat();
            let decoded = decode(&folder.file("made.mp4", &made)).remove(0);
            assert_eq!(decoded.len(), samples, "{file} {}", track.id);
            assert!(decoded == expected, "{file} {}: other pictures or sound", track.id);
        }
    }
}

/// `testdata` has no HEVC: ffmpeg makes some, where it has x265.
#[test]
fn an_hevc_track_is_described_set_up_and_decoded_as_x265_wrote_it() {
    let folder = Folder::new("hevc");
    let path = folder.0.join("hevc.mp4");
    let made = x265(&path).output();
    let Some(file) = made.ok().filter(|out| out.status.success()).and(fs::read(&path).ok()) else {
        eprintln!("not run: there is no ffmpeg with libx265");
        return;
    };
    let file = Bytes::from(file);
    let moov = Boxes::parse(&all(&file, b"moov")[0].1, 0, &Limits::default()).unwrap();
    let entry = &stsd(moov.inside(*b"moov").unwrap().inside(*b"trak").unwrap()).entries[0];
    let said = Description::of_entry(StreamKind::Video, entry, &Limits::default()).unwrap();
    assert_eq!(said.tag.as_str(), "HVC1");
    assert_eq!(said.format, Format::Video { width: 320, height: 180, nal_length_size: 4 });
    // Main profile, level 2 (general_level_idc 60), progressive, frames only.
    assert_eq!(said.rfc6381().unwrap(), "hvc1.1.6.L60.90");

    let (made, theirs) = (visual(&said.sample_entry().unwrap()), visual(entry));
    let (made, theirs) = (made.boxes.get::<HvcC>().unwrap(), theirs.boxes.get::<HvcC>().unwrap());
    assert_eq!(made.general, theirs.general);
    // x265 adds a message with its name and options (SEI, 39), which no manifest carries.
    let sets: Vec<_> = theirs.arrays.iter().filter(|array| array.nal_type() != 39).collect();
    assert_eq!(made.arrays.iter().collect::<Vec<_>>(), sets);

    let (fragments, samples) = fragments(&file, 1);
    let whole = [&init(&said, StreamKind::Video, 1)[..], &fragments].concat();
    let decoded = decode(&folder.file("made.mp4", &whole));
    assert_eq!((decoded[0].len(), samples), (50, 50));
    assert!(decoded == decode(&path));
}

// The tracks of testdata.

/// A track as its file has it, and as its manifest says it.
struct Track {
    file: &'static str,
    id: u32,
    kind: StreamKind,
    bytes: Bytes,
    entry: SampleEntry,
    said: Description,
}

fn tracks() -> Vec<Track> {
    let media = testdata();
    let track = |&(ismc, stream, bitrate, file, id): &(&str, usize, u32, &'static str, u32)| {
        let bytes = media.iter().find(|(name, _)| name == file).unwrap().1.clone();
        let moov = Boxes::parse(&all(&bytes, b"moov")[0].1, 0, &Limits::default()).unwrap();
        let moov = moov.inside(*b"moov").unwrap();
        let is_it = |trak: &&Boxes| trak.get::<Tkhd>().unwrap().track_id == id;
        let entry = stsd(moov.each(*b"trak").find(is_it).unwrap()).entries[0].clone();
        let manifest = match ismc {
            "" => said_by_another_reader(&bytes),
            ismc => fs::read_to_string(testdata_path(ismc)).unwrap(),
        };
        let manifest = ClientManifest::parse(manifest.as_bytes(), &Limits::default()).unwrap();
        let stream = &manifest.streams[stream];
        let quality = stream.qualities.iter().find(|quality| quality.bitrate == bitrate).unwrap();
        let said = Description::of(stream, quality).unwrap();
        Track { file, id, kind: stream.kind, bytes, entry, said }
    };
    PLACES.iter().map(track).collect()
}

/// `bframes` has no client manifest: the qualities that `shiguredo_mp4` finds in its file.
fn said_by_another_reader(file: &Bytes) -> String {
    let (moov, _) = other::MoovBox::decode(&all(file, b"moov")[0].1).unwrap();
    let entry = |trak: usize| &moov.trak_boxes[trak].mdia_box.minf_box.stbl_box.stsd_box.entries[0];
    let (other::SampleEntry::Avc1(video), other::SampleEntry::Mp4a(audio)) = (entry(0), entry(1))
    else {
        panic!("H.264 and AAC")
    };
    let sets = video.avcc_box.sps_list.iter().chain(&video.avcc_box.pps_list);
    let sets: String = sets.map(|unit| format!("00000001{}", hex(unit))).collect();
    let specific = &audio.esds_box.es.dec_config_descr.dec_specific_info.as_ref().unwrap().payload;
    format!(
        r#"<SmoothStreamingMedia><StreamIndex Type="video"><QualityLevel Bitrate="150000"
            FourCC="H264" MaxWidth="{}" MaxHeight="{}" CodecPrivateData="{sets}"/></StreamIndex>
        <StreamIndex Type="audio"><QualityLevel Bitrate="48000" FourCC="AACL" AudioTag="255"
            BitsPerSample="16" PacketSize="4" SamplingRate="{}" Channels="{}"
            CodecPrivateData="{}"/></StreamIndex></SmoothStreamingMedia>"#,
        video.visual.width,
        video.visual.height,
        audio.audio.samplerate.integer,
        specific[1] >> 3 & 15, // ffmpeg writes 2 into every entry
        hex(specific),
    )
}

/// Client manifest, number of the stream, bitrate; file and track.
const PLACES: &[(&str, usize, u32, &str, u32)] = &[
    ("ladder/ladder.ismc", 0, 60_000, "ladder/ladder.ismv", 1),
    ("ladder/ladder.ismc", 0, 120_000, "ladder/ladder.ismv", 2),
    ("ladder/ladder.ismc", 0, 220_000, "ladder/ladder.ismv", 3),
    ("ladder/ladder.ismc", 1, 48_000, "ladder/ladder.ismv", 4),
    ("ladder/ladder.ismc", 2, 48_000, "ladder/ladder.ismv", 5),
    ("split/split.ismc", 0, 120_000, "split/split_120.ismv", 1),
    ("split/split.ismc", 0, 60_000, "split/split_60.ismv", 1),
    ("split/split.ismc", 1, 48_000, "split/split_audio.isma", 1),
    ("", 0, 150_000, "bframes/bframes.ismv", 1),
    ("", 1, 48_000, "bframes/bframes.ismv", 2),
    ("ntsc/ntsc.ismc", 0, 64_000, "ntsc/ntsc_low.ismv", 1),
    ("ntsc/ntsc.ismc", 1, 80_000, "ntsc/ntsc_low.ismv", 2),
    ("ntsc/ntsc.ismc", 1, 160_000, "ntsc/ntsc_high.ismv", 1),
];

// An init segment out of a manifest, and what ffmpeg makes of it.

/// `ftyp` and `moov` that a player makes of a quality alone, in the protocol's usual way: all
/// times in ticks of 100 ns, no sample outside of the fragments.
fn init(said: &Description, kind: StreamKind, id: u32) -> Bytes {
    let brands = [*b"piff", *b"iso2"].map(FourCc).to_vec();
    let ftyp = Ftyp { major_brand: FourCc(*b"isml"), minor_version: 1, compatible_brands: brands };
    let wide = FullBox { version: 1, flags: 0 };
    let mvhd = Mvhd { full: wide, timescale: 10_000_000, ..Mvhd::default() };
    let (width, height) = match said.format {
        Format::Video { width, height, .. } => (width << 16, height << 16),
        _ => (0, 0),
    };
    let mut layout = [0; 52];
    layout[16..].copy_from_slice(&MATRIX);
    let tkhd = Tkhd {
        full: FullBox { version: 1, flags: 7 },
        creation_time: 0,
        modification_time: 0,
        track_id: id,
        reserved: 0,
        duration: 0,
        layout,
        width,
        height,
    };
    let language = 0x55c4; // und
    let mdhd =
        Mdhd { full: wide, packed_language: language, timescale: 10_000_000, ..Mdhd::default() };
    let handler_type = FourCc(if kind == StreamKind::Video { *b"vide" } else { *b"soun" });
    let hdlr = Hdlr { full: FullBox::default(), pre_defined: 0, handler_type };
    let header = match kind {
        StreamKind::Video => AnyBox::other(*b"vmhd", [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0].to_vec()),
        _ => AnyBox::other(*b"smhd", vec![0; 8]),
    };
    let url = Boxes::from_iter([AnyBox::other(*b"url ", vec![0, 0, 0, 1])]).to_bytes();
    let dref = AnyBox::other(*b"dref", [&[0, 0, 0, 0, 0, 0, 0, 1], &url[..]].concat());
    let dinf = AnyBox::other(*b"dinf", Boxes::from_iter([dref]).to_bytes());
    let stsd = Stsd { entries: vec![said.sample_entry().unwrap()], ..Stsd::default() };
    let empty = |kind| AnyBox::other(kind, vec![0; 8]);
    let stbl = [
        AnyBox::new(stsd),
        empty(*b"stts"),
        empty(*b"stsc"),
        empty(*b"stco"),
        AnyBox::new(Stsz::default()),
    ];
    let minf = [header, dinf, AnyBox::container(*b"stbl", stbl)];
    let mdia = [with_rest(mdhd, 2), with_rest(hdlr, 12 + 1), AnyBox::container(*b"minf", minf)];
    let trak = [AnyBox::new(tkhd), AnyBox::container(*b"mdia", mdia)];
    let trex = Trex { track_id: id, default_sample_description_index: 1, ..Trex::default() };
    let mehd = Mehd { full: wide, fragment_duration: 0 };
    let moov = [
        AnyBox {
            rest: [&[0, 1, 0, 0, 1, 0][..], &[0; 10], &MATRIX, &[0; 24], &[0xff; 4]]
                .concat()
                .into(),
            ..AnyBox::new(mvhd)
        },
        AnyBox::container(*b"trak", trak),
        AnyBox::container(*b"mvex", [AnyBox::new(mehd), AnyBox::new(trex)]),
    ];
    Boxes::from_iter([AnyBox::new(ftyp), AnyBox::container(*b"moov", moov)]).to_bytes()
}

/// Zeros behind the fields: reserved, or an empty name.
fn with_rest(content: impl smooth_origin::bmff::Typed, zeros: usize) -> AnyBox {
    AnyBox { rest: vec![0; zeros].into(), ..AnyBox::new(content) }
}

/// The fragments of a track one after the other, and the number of their samples.
fn fragments(file: &Bytes, id: u32) -> (Vec<u8>, usize) {
    let (mut fragments, mut samples) = (Vec::new(), 0);
    let boxes = top_level(file);
    for pair in boxes.windows(2).filter(|pair| pair[0].1 == *b"moof") {
        let (moof, mdat) = (&pair[0].2, &pair[1]);
        assert_eq!(mdat.1, *b"mdat");
        let boxes = Boxes::parse(moof, 0, &Limits::default()).unwrap();
        let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
        if traf.get::<Tfhd>().unwrap().track_id == id {
            fragments.extend(moof);
            fragments.extend(&mdat.2);
            samples += traf.all::<Trun>().map(|trun| trun.sample_count as usize).sum::<usize>();
        }
    }
    (fragments, samples)
}

/// A checksum of each decoded frame, by stream of the file. Whatever ffmpeg complains of is an
/// error here.
fn decode(path: &Path) -> Vec<Vec<String>> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-nostdin", "-i"])
        .arg(path)
        .args(["-map", "0", "-fps_mode", "passthrough", "-f", "framemd5", "-"])
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && complaints.is_empty(), "{}: {complaints}", path.display());
    let mut streams = Vec::new();
    let lines = String::from_utf8(run.stdout).unwrap();
    // Stream, decode time, presentation time, duration, size, checksum.
    for line in lines.lines().filter(|line| !line.starts_with('#')) {
        let (stream, rest) = line.split_once(',').unwrap();
        let stream: usize = stream.trim().parse().unwrap();
        streams.resize(streams.len().max(stream + 1), Vec::new());
        streams[stream].push(rest.rsplit(',').next().unwrap().trim().to_owned());
    }
    streams
}

/// Two seconds of HEVC into a fragmented file.
fn x265(path: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args([
            "-v",
            "error",
            "-nostdin",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=25:duration=2",
        ])
        .args(["-c:v", "libx265", "-x265-params", "log-level=none:keyint=25", "-tag:v", "hvc1"])
        .args(["-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof"])
        .arg(path);
    command
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("-version").output().is_ok_and(|out| out.status.success())
}

/// A folder of this test's own, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("smooth-origin-codecs-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

// Helpers.

/// The media files of `testdata/`.
fn testdata() -> Vec<(String, Bytes)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let found = files(Path::new(root), &[".ismv", ".isma", ".ismt", ".mp4"]);
    assert!(found.len() >= 7, "testdata/ is not whole");
    found
}

fn testdata_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn stsd(trak: &Boxes) -> &Stsd {
    trak.path(&[*b"mdia", *b"minf", *b"stbl"]).unwrap().get().unwrap()
}

fn visual(entry: &SampleEntry) -> VisualSampleEntry {
    VisualSampleEntry::parse(entry, &Limits::default()).unwrap()
}

fn audio(entry: &SampleEntry) -> AudioSampleEntry {
    AudioSampleEntry::parse(entry, &Limits::default()).unwrap()
}

/// The first box of a type as it is written.
fn bytes_of(boxes: &Boxes, kind: &[u8; 4]) -> Bytes {
    let found = boxes.list.iter().find(|item| item.header.kind == *kind).unwrap();
    Boxes::from_iter([found.clone()]).to_bytes()
}

fn manifest(kind: &str, four_cc: &str, data: &str) -> ClientManifest {
    let text = format!(
        "<SmoothStreamingMedia><StreamIndex Type='{kind}'><QualityLevel Bitrate='1'
            FourCC='{four_cc}' CodecPrivateData='{data}' MaxWidth='224' MaxHeight='128'
            SamplingRate='48000' Channels='2'/></StreamIndex></SmoothStreamingMedia>"
    );
    ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn description(kind: &str, four_cc: &str, data: &str) -> Description {
    let manifest = manifest(kind, four_cc, data);
    Description::of(&manifest.streams[0], &manifest.streams[0].qualities[0]).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The picture as it is: nothing turned, nothing scaled.
const MATRIX: [u8; 36] = {
    let mut matrix = [0; 36];
    (matrix[1], matrix[17], matrix[32]) = (1, 1, 0x40);
    matrix
};
