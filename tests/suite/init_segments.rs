//! Initialization segments set decoders up: this crate's parser, two other crates and ffmpeg read
//! them, and ffmpeg decodes the stored fragments behind them.

#![cfg(feature = "fs")]

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use mp4::ReadBox;
use shiguredo_mp4::{Decode, boxes as other};
use smooth_origin::base::{ErrorKind, Limits};
use smooth_origin::bmff::{
    Boxes, Ftyp, Hdlr, Mdhd, Pssh, SampleEntry, Schm, Stsd, Tenc, Tkhd, Trex, VisualSampleEntry,
};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Opened, Origin, block_on};
use smooth_origin::presentation::{Stream, Track};
use smooth_origin::storage::LocalStore;
use testkit::corpus::all;
use testkit::folder::Folder;
use testkit::fragment_files;
use testkit::{get, name, store};

/// Films whose tracks all have media in one file.
const FILMS: [&str; 12] = [
    "ladder/ladder.ism",
    "ntsc/ntsc.ism",
    "bframes/bframes.ism",
    "dialects/archive/archive.ism",
    "dialects/attributes/attributes.ism",
    "dialects/azure/azure.ism",
    "dialects/bento4/bento4.ism",
    "dialects/captions/captions.ism",
    "dialects/cmaf/cmaf.ism",
    "dialects/encoder/encoder.ism",
    "dialects/unified/unified.ism",
    "dialects/wide/wide.ism",
];

fn origin() -> Origin {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    Origin::new(LocalStore::new(root).unwrap())
}

fn real(path: &str) -> Arc<Opened> {
    block_on(origin().open(&name(path))).unwrap()
}

/// Calls `look` with the segment of each served track.
fn each(film: &str, mut look: impl FnMut(&Stream, &Track, &Bytes)) -> usize {
    let opened = real(film);
    let presentation = opened.presentation();
    let mut seen = 0;
    for stream in presentation.streams() {
        for track in stream.tracks().iter().filter(|track| track.is_served()) {
            let segment = presentation.init_segment(stream, track);
            let segment = segment.unwrap_or_else(|error| panic!("{film}: {error}"));
            look(stream, track, &segment);
            seen += 1;
        }
    }
    seen
}

fn parse(bytes: &Bytes) -> Boxes {
    Boxes::parse(bytes, 0, &Limits::default()).unwrap()
}

fn entries(trak: &Boxes) -> Vec<SampleEntry> {
    let stbl = trak.path(&[*b"mdia", *b"minf", *b"stbl"]).unwrap();
    stbl.get::<Stsd>().unwrap().entries().collect()
}

#[test]
fn a_segment_has_the_one_track_as_its_file_describes_it() {
    let mut seen = 0;
    for film in FILMS {
        seen += each(film, |stream, track, segment| {
            let boxes = parse(segment);
            assert_eq!((boxes.to_bytes(), boxes.list.len()), (segment.clone(), 2));
            let ftyp = boxes.get::<Ftyp>().unwrap();
            assert_eq!(ftyp.major_brand, *b"cmfc");
            assert!(ftyp.compatible_brands.iter().any(|brand| *brand == *b"iso6"));
            let moov = boxes.inside(*b"moov").unwrap();
            let [trak] = moov.each(*b"trak").collect::<Vec<_>>()[..] else { panic!("one track") };
            assert!(trak.list.iter().all(|item| item.header.kind != *b"edts"));
            let (_, id) = track.source().unwrap();
            assert_eq!(trak.get::<Tkhd>().unwrap().track_id, id);
            let trex = moov.inside(*b"mvex").unwrap().get::<Trex>().unwrap();
            assert_eq!((trex.track_id, trex.default_sample_description_index), (id, 1));
            let mdia = trak.inside(*b"mdia").unwrap();
            let handler = mdia.get::<Hdlr>().unwrap().handler_type;
            match stream.kind() {
                StreamKind::Video => assert_eq!(handler, *b"vide"),
                StreamKind::Audio => assert_eq!(handler, *b"soun"),
                _ => assert!(handler == *b"subt" || handler == *b"meta", "{handler}"),
            }
            let stored = track.sample_entry().unwrap();
            let is_nameless = stored.format() == *b"stpp" && stored.body.is_empty();
            if stored.format() == *b"dfxp" || is_nameless {
                assert_eq!(entries(trak)[0].format(), *b"stpp");
            } else {
                assert_eq!(entries(trak), std::slice::from_ref(stored), "{film}");
            }
            if stream.kind() == StreamKind::Video {
                let size = trak.get::<Tkhd>().map(|tkhd| (tkhd.width >> 16, tkhd.height >> 16));
                assert_eq!(size, track.picture_size(), "pixels are square");
            }
        });
    }
    assert_eq!(seen, 34);
}

/// Players that read the segment find the codec that the manifests announce.
#[test]
fn a_segment_indicates_the_profile_of_its_parameter_sets_whatever_its_file_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/ladder");
    let files: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    let open = |flag: u8| {
        let objects = files.iter().filter(|path| path.is_file()).map(|path| {
            let mut bytes = fs::read(path).unwrap();
            let named = bytes.windows(4).position(|name| name == b"avcC");
            if let Some(at) = named {
                bytes[at + 6] ^= flag;
            }
            (path.file_name().unwrap().to_str().unwrap(), bytes)
        });
        testkit::open(&store(objects.map(|(name, bytes)| match name {
            "ladder.ism" => ("film.ism", bytes),
            name => (name, bytes),
        })))
        .unwrap()
    };
    let segments = |flag: u8| {
        let opened = open(flag);
        let presentation = opened.presentation();
        let pictures = presentation.streams().iter().find(|of| of.kind() == StreamKind::Video);
        let pictures = pictures.unwrap();
        let of_track = |track: &Track| {
            let segment = presentation.init_segment(pictures, track).unwrap();
            let at = segment.windows(4).position(|name| name == b"avcC").unwrap();
            let [profile, compatibility, level] = segment[at + 5..at + 8] else { panic!("cut") };
            let codecs = format!("avc1.{profile:02X}{compatibility:02X}{level:02X}");
            assert_eq!(track.codecs().unwrap(), codecs, "{flag:#x}");
            segment
        };
        pictures.tracks().iter().map(of_track).collect::<Vec<_>>()
    };
    let right = segments(0);
    assert_eq!(right.len(), 3);
    assert_eq!(segments(0x08), right, "no other byte differs");
}

#[test]
fn other_crates_read_the_same_in_every_segment() {
    for film in FILMS {
        each(film, |stream, track, segment| {
            if stream.kind() == StreamKind::Text {
                return;
            }
            let moov = &all(segment, b"moov")[0].1;
            let (theirs, len) = other::MoovBox::decode(moov).unwrap();
            assert_eq!((len, theirs.trak_boxes.len()), (moov.len(), 1));
            let ours = parse(segment);
            let trak = ours.path(&[*b"moov", *b"trak"]).unwrap();
            let mdhd = trak.inside(*b"mdia").unwrap().get::<Mdhd>().unwrap().clone();
            let mdia = &theirs.trak_boxes[0].mdia_box;
            assert_eq!(mdia.mdhd_box.timescale.get(), mdhd.timescale);
            assert_eq!(mdia.minf_box.stbl_box.stsd_box.entries.len(), 1);

            let mut reader = io::Cursor::new(moov.clone());
            let header = mp4::BoxHeader::read(&mut reader).unwrap();
            let theirs = mp4::MoovBox::read_box(&mut reader, header.size).unwrap();
            let [trak] = &theirs.traks[..] else { panic!("one track") };
            let (_, id) = track.source().unwrap();
            assert_eq!((trak.tkhd.track_id, theirs.mvhd.next_track_id), (id, id + 1));
            assert_eq!(trak.mdia.mdhd.timescale, mdhd.timescale);
            assert_eq!(trak.mdia.mdhd.language, mdhd.language().unwrap());
            assert_eq!(trak.mdia.minf.stbl.stsz.sample_count, 0);
            assert_eq!(theirs.mvhd.rate.value(), 1);
            let stsd = &trak.mdia.minf.stbl.stsd;
            assert!(stsd.avc1.is_some() || stsd.mp4a.is_some());
        });
    }
}

#[test]
fn an_encrypted_segment_has_the_boxes_of_common_encryption_and_the_data_for_licences() {
    let key = "09e36702-8f33-436c-a5dd-60ffe6671e70".parse().unwrap();
    let seen = each("dialects/playready/playready.ism", |_, track, segment| {
        let boxes = parse(segment);
        let moov = boxes.inside(*b"moov").unwrap();
        let [pssh] = moov.all::<Pssh>().collect::<Vec<_>>()[..] else { panic!("one system") };
        assert_eq!((pssh.full.version, pssh.data.len()), (0, 572));
        let trak = moov.inside(*b"trak").unwrap();
        let entry = entries(trak).remove(0);
        assert_eq!(entry.format(), track.sample_entry().unwrap().format());
        let boxes = match &entry.format().0 {
            b"encv" => VisualSampleEntry::parse(&entry, &Limits::default()).unwrap().boxes,
            _ => {
                let audio =
                    smooth_origin::bmff::AudioSampleEntry::parse(&entry, &Limits::default());
                audio.unwrap().boxes
            }
        };
        let sinf = boxes.inside(*b"sinf").unwrap();
        assert_eq!(sinf.get::<Schm>().unwrap().scheme_type, *b"cenc");
        let schi = sinf.inside(*b"schi").unwrap();
        let tenc = schi.get::<Tenc>().unwrap();
        assert_eq!((tenc.is_protected, tenc.iv_size, tenc.key_id), (1, 8, key));
        assert_eq!(schi.list.len(), 1, "the box of PIFF is gone");
    });
    assert_eq!(seen, 2);
}

#[test]
fn the_manifest_alone_gives_a_segment_for_a_folder_of_fragments() {
    let manifest = |protection: &str| {
        format!(
            "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='20'>\
             <StreamIndex Type='video' Name='video' TimeScale='1000' Language='eng' \
             Url='QualityLevels({{bitrate}})/Fragments(video={{start time}})'>\
             <QualityLevel Bitrate='300000' FourCC='H264' MaxWidth='320' MaxHeight='180' \
             CodecPrivateData='000000016742C00DDA05067E7C39A808080A000007D20001D4C01E2855400000000168CE3C80'/>\
             <QualityLevel Bitrate='400000' FourCC='JPEG' MaxWidth='320' MaxHeight='180'/>\
             <c t='0' d='20'/></StreamIndex>{protection}</SmoothStreamingMedia>"
        )
    };
    let open = |protection: &str| {
        let fragment = fragment_files::fragment(20, 0);
        let store = store([
            ("film.ism/Manifest", manifest(protection).into_bytes()),
            ("film.ism/QualityLevels(300000)/Fragments(video=0)", fragment.clone()),
            ("film.ism/QualityLevels(400000)/Fragments(video=0)", fragment),
        ]);
        testkit::open(&store).unwrap()
    };
    let opened = open("");
    let presentation = opened.presentation();
    let stream = &presentation.streams()[0];
    let segment = presentation.init_segment(stream, &stream.tracks()[0]).unwrap();
    let boxes = parse(&segment);
    let trak = boxes.path(&[*b"moov", *b"trak"]).unwrap();
    let tkhd = trak.get::<Tkhd>().unwrap();
    // Pixels are of 4:3, by the parameter sets.
    assert_eq!((tkhd.track_id, tkhd.width / 3, tkhd.height), (1, (320 << 18) / 9, 180 << 16));
    let mdhd = trak.inside(*b"mdia").unwrap().get::<Mdhd>().unwrap();
    assert_eq!((mdhd.timescale, mdhd.language().unwrap()), (1000, "eng".into()));
    assert_eq!(entries(trak)[0].format(), *b"avc1");
    let unknown = presentation.init_segment(stream, &stream.tracks()[1]).unwrap_err();
    assert!(matches!(unknown.kind, ErrorKind::NotServed(_)), "{unknown}");

    let header = "<Protection><ProtectionHeader SystemID='9a04f079-9840-4286-ab92-e65be0885f95'>";
    let key = "<\0K\0I\0D\0>\0A\0m\0f\0j\0C\0T\0O\0P\0b\0E\0O\0l\x003\0W\0D\0/\x005\0m\0c\0e\0c\0A\0=\0=\0<\0";
    let text = base64(key.as_bytes());
    let opened = open(&format!("{header}{text}</ProtectionHeader></Protection>"));
    let presentation = opened.presentation();
    let stream = &presentation.streams()[0];
    let segment = presentation.init_segment(stream, &stream.tracks()[0]).unwrap();
    let boxes = parse(&segment);
    let moov = boxes.inside(*b"moov").unwrap();
    assert_eq!(entries(moov.inside(*b"trak").unwrap())[0].format(), *b"encv");
    assert_eq!(moov.all::<Pssh>().count(), 1);
    // No key is named: a decoder could not be set up.
    let opened = open(&format!("{header}AAAA</ProtectionHeader></Protection>"));
    let presentation = opened.presentation();
    let stream = &presentation.streams()[0];
    let error = presentation.init_segment(stream, &stream.tracks()[0]).unwrap_err();
    assert!(error.to_string().contains("key is not known"), "{error}");
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
        let word = word << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            text.push(char::from(DIGITS[(word >> (18 - 6 * digit) & 63) as usize]));
        }
        text.extend(std::iter::repeat_n('=', 3 - three.len()));
    }
    text
}

fn hash(input: &Path, map: &str) -> String {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-i"]).arg(input).args(["-map", map, "-f", "hash", "-"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The samples behind the segment are decoded to the pictures and sound of the file.
#[test]
fn ffmpeg_decodes_the_fragments_of_every_track_behind_its_segment() {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        eprintln!("not run: there is no ffmpeg");
        return;
    }
    let folder = Folder::new("init-segments");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let origin = origin();
    for (film, tracks) in
        [("ladder/ladder.ism", 5), ("bframes/bframes.ism", 2), ("ntsc/ntsc.ism", 3)]
    {
        let opened = real(film);
        let seen = each(film, |stream, track, segment| {
            let mut joined = segment.to_vec();
            for (time, _) in stream.timeline().iter() {
                let (bitrate, name) = (track.bitrate(), stream.name());
                let path = format!("/{film}/QualityLevels({bitrate})/Fragments({name}={time})");
                joined.extend(get(&origin, &path).unwrap());
            }
            folder.write("joined.mp4", &joined);
            let (file, id) = track.source().unwrap();
            let file = &opened.presentation().files()[file.index()];
            let file = root.join(file.as_str());
            assert!(fs::metadata(&file).is_ok());
            let path = folder.as_ref().join("joined.mp4");
            assert_eq!(hash(&path, "0:0"), hash(&file, &format!("0:i:{id}")), "{film} {id}");
        });
        assert_eq!(seen, tracks);
    }
}
