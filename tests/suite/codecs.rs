//! Codecs: what a file's sample entry announces is what its manifest says, what a manifest says
//! sets a decoder up as the file does, and ffmpeg decodes every track by it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use shiguredo_mp4::{Decode, boxes as other};
use smooth_origin::base::{ErrorKind, FourCc, Guid, Limits, Name};
use smooth_origin::bmff::uuid::PiffTenc;
use smooth_origin::bmff::{
    AnyBox, AudioSampleEntry, Boxes, DOps, Dac3, DolbyVision, DvcC, DvvC, Esds, Frma, Ftyp,
    FullBox, Hdlr, HvcC, Mdhd, Mehd, Mvhd, SampleEntry, Stsd, Stsz, Tfhd, Tkhd, Trex, Trun,
    VisualSampleEntry,
};
use smooth_origin::codec::{Description, Format};
use smooth_origin::manifest::{ClientManifest, StreamIndex, StreamKind};
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::storage::MemoryStore;
use testkit::corpus::{all, files, top_level};

#[test]
fn a_sample_entry_announces_what_the_manifest_says() {
    for track in tracks() {
        let found = Description::of_entry(track.kind, &track.entry, &Limits::default()).unwrap();
        let mut said = track.said.clone();
        if said.private_data.ends_with(&[0x56, 0xe5, 0]) {
            // ffmpeg appends "no bandwidth replication" to AAC-LC.
            said.private_data.truncate(2);
        }
        assert_eq!(found, said, "{} {}", track.file, track.id);
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
        ("text", "WVTT", "", "wvtt"),
        // Bandwidth replication that only the name tells of, and one signalled behind the core.
        ("audio", "AACH", "1310", "mp4a.40.5"),
        ("audio", "AACL", "131056E598", "mp4a.40.5"),
        // The entry's name: RFC 6381, 3.3.
        ("video", "WVC1", VC1, "vc-1"),
        ("audio", "ec-3", DOLBY, "ec-3"),
        ("audio", "MP3", "", "mp4a.6B"),
    ] {
        let said = description(kind, four_cc, data);
        assert_eq!(said.rfc6381().as_deref(), Some(string), "{four_cc} {data}");
        assert!(said.sample_entry().is_ok(), "{four_cc} {data}");
    }
    // Known by name; their private data is unconfirmed.
    for (four_cc, string) in [("AC-3", "ac-3"), ("OPUS", "opus")] {
        let said = description("audio", four_cc, "");
        assert_eq!((said.is_known(), said.rfc6381().as_deref()), (true, Some(string)));
        let error = said.sample_entry().unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotServed(_)), "{four_cc}: {error}");
    }
    for (kind, four_cc, string) in [
        ("video", "JPEG", None),
        ("audio", "DTSC", Some("dtsc")),
        ("text", "SCTE", None),
        ("video", "", None),
    ] {
        let unknown = description(kind, four_cc, "");
        let found = (unknown.is_known(), unknown.rfc6381());
        assert_eq!(found, (false, string.map(str::to_owned)), "{four_cc}");
        let error = unknown.sample_entry().unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotServed(_)), "{four_cc}: {error}");
    }
}

/// Only the samples could say what a decoder needs, or the manifest does not say enough of it.
#[test]
fn private_data_that_cannot_be_derived_is_an_error() {
    for (kind, four_cc, data) in [
        ("video", "H264", ""),
        ("video", "HVC1", ""),
        ("video", "WVC1", ""),
        ("video", "WVC1", "250000010F"),
        ("audio", "EC-3", ""),
        ("audio", "EC-3", "00063F000000AF87FBA7022DFB42A4D405CD93843BDD"),
        ("audio", "EC-3", "0700200F00"),
    ] {
        let said = description(kind, four_cc, data);
        let error = said.sample_entry().unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Invalid { .. }), "{four_cc} {data}: {error}");
    }
}

#[test]
fn mp3_is_known_by_its_audio_tag_whatever_the_name_says() {
    for four_cc in ["FourCC='WMAP'", "FourCC='MP3'", ""] {
        let text = format!(
            "<SmoothStreamingMedia><StreamIndex Type='audio'><QualityLevel Bitrate='128000'
                {four_cc} AudioTag='85' CodecPrivateData='' SamplingRate='22050' Channels='2'/>
            </StreamIndex></SmoothStreamingMedia>"
        );
        let manifest = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
        let stream = &manifest.streams[0];
        let said = Description::of(stream, &stream.qualities[0]).unwrap();
        assert_eq!(said.rfc6381().unwrap(), "mp4a.69", "{four_cc}");
        assert_eq!(said.sample_entry().unwrap().format(), *b"mp4a");
    }
}

/// The layout of their private data is unconfirmed, or nobody announces them at all.
#[test]
fn formats_without_a_known_layout_are_announced_by_their_names() {
    for (format, name) in
        [(b"dtsc", "DTSC"), (b"dtsh", "DTSH"), (b"dtse", "DTSE"), (b"fLaC", "FLAC")]
    {
        let entry = sound(format, Boxes::default()).to_entry();
        let said = Description::of_entry(StreamKind::Audio, &entry, &Limits::default()).unwrap();
        assert_eq!((said.tag.as_str(), said.private_data.len()), (name, 0));
        let quality = said.quality(5);
        assert_eq!((quality.sampling_rate, quality.channels), (Some(48_000), Some(2)));
    }
}

#[test]
fn an_encrypted_entry_is_announced_as_the_one_that_was_encrypted() {
    let limits = Limits::default();
    for track in tracks() {
        let mut hidden = track.entry.clone();
        let name = if track.kind == StreamKind::Video { *b"encv" } else { *b"enca" };
        hidden.header.kind = FourCc(name);
        let known = Description::of_entry(track.kind, &hidden, &limits).unwrap();
        assert_eq!(known, Description::of_entry(track.kind, &track.entry, &limits).unwrap());

        let frma = Frma { data_format: track.entry.format() };
        let piff = PiffTenc {
            full: FullBox::default(),
            algorithm_id: 1,
            iv_size: 8,
            key_id: Guid::from_u128(9),
        };
        let schi = AnyBox::container(*b"schi", [AnyBox::new(piff.clone())]);
        let sinf = AnyBox::container(*b"sinf", [AnyBox::new(frma), schi]);
        let protection = Boxes::from_iter([sinf]).to_bytes();
        hidden.body = [&hidden.body[..], &protection].concat().into();
        let found = Description::of_entry(track.kind, &hidden, &limits).unwrap();
        assert_eq!(found, known, "{} {}", track.file, track.id);
        // What protects it stays where a later reader finds it.
        let boxes = match track.kind {
            StreamKind::Video => visual(&hidden).boxes,
            _ => audio(&hidden).boxes,
        };
        let schi = boxes.path(&[*b"sinf", *b"schi"]).unwrap();
        assert_eq!(schi.get::<PiffTenc>(), Some(&piff));
    }
}

// Any input.

#[test]
fn any_entry_cut_or_changed_is_refused_or_described_without_panic() {
    let limits = Limits::default();
    let described = |entry: &SampleEntry| {
        for kind in [StreamKind::Video, StreamKind::Audio, StreamKind::Text] {
            let Ok(found) = Description::of_entry(kind, entry, &limits) else { continue };
            drop((found.rfc6381(), found.is_known(), found.quality(1)));
            let Ok(made) = found.sample_entry() else { continue };
            // What we write ourselves can be read.
            Description::of_entry(kind, &made, &limits).unwrap();
        }
    };
    for whole in entries() {
        for len in 0..=whole.body.len() {
            described(&with_body(&whole, whole.body.slice(..len)));
        }
        for at in 0..whole.body.len() {
            for change in [1 << (at % 8), 0x80, 0xff] {
                let mut body = whole.body.to_vec();
                body[at] ^= change;
                described(&with_body(&whole, body.into()));
            }
        }
    }
}

proptest! {
    #[test]
    fn any_private_data_is_refused_or_sets_a_decoder_up_without_panic(
        tag in prop::sample::select(TAGS),
        data in vec(prop_oneof![3 => 0..4_u8, 1 => any::<u8>()], 0..60),
        rate in prop_oneof![Just(48_000), any::<u32>()],
        channels in prop_oneof![0..9_u32, any::<u32>()],
        audio_tag in prop_oneof![Just(85), Just(354), any::<u32>()],
    ) {
        for kind in ["video", "audio", "text"] {
            let text = format!(
                "<SmoothStreamingMedia><StreamIndex Type='{kind}'><QualityLevel Bitrate='4000000000'
                    FourCC='{tag}' CodecPrivateData='{0}' WaveFormatEx='{0}' AudioTag='{audio_tag}'
                    SamplingRate='{rate}' Channels='{channels}' MaxWidth='{rate}' MaxHeight='9'/>
                </StreamIndex></SmoothStreamingMedia>",
                hex(&data)
            );
            let manifest = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
            let stream = &manifest.streams[0];
            let said = Description::of(stream, &stream.qualities[0]).unwrap();
            let _ = said.rfc6381();
            if let Ok(made) = said.sample_entry() {
                let _ = Description::of_entry(stream.kind, &made, &Limits::default());
            }
        }
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
    let entry =
        &stsd(moov.inside(*b"moov").unwrap().inside(*b"trak").unwrap()).entries().next().unwrap();
    let said = Description::of_entry(StreamKind::Video, entry, &Limits::default()).unwrap();
    assert_eq!(said.tag.as_str(), "HVC1");
    assert_eq!(said.format, Format::Video { width: 320, height: 180, nal_length_size: 4 });
    // Main profile, level 2 (general_level_idc 60), progressive, frames only.
    assert_eq!(said.rfc6381().unwrap(), "hvc1.1.6.L60.90");

    let (made, theirs) = (visual(&said.sample_entry().unwrap()), visual(entry));
    let (made, theirs) = (made.boxes.get::<HvcC>().unwrap(), theirs.boxes.get::<HvcC>().unwrap());
    assert_eq!(made.general, theirs.general);
    // x265 adds a message with its name and options (SEI, 39), which no manifest carries.
    let sets: Vec<_> = theirs.arrays().filter(|array| array.nal_type() != 39).collect();
    assert_eq!(made.arrays().collect::<Vec<_>>(), sets);

    let (fragments, samples) = fragments(&file, 1);
    let whole = [&init(&said, StreamKind::Video, 1)[..], &fragments].concat();
    let decoded = decode(&folder.file("made.mp4", &whole));
    assert_eq!((decoded[0].len(), samples), (50, 50));
    assert!(decoded == decode(&path));

    // The same under the name of Dolby Vision; what else that takes, no manifest carries.
    for (format, name) in [(b"dvh1", "DVH1"), (b"dvhe", "DVHE")] {
        let said =
            Description::of_entry(StreamKind::Video, &renamed(entry, format), &Limits::default());
        let said = said.unwrap();
        assert_eq!((said.tag.as_str(), said.is_known(), said.rfc6381()), (name, true, None));
        let whole = [&init(&said, StreamKind::Video, 1)[..], &fragments].concat();
        assert!(decode(&folder.file("made.mp4", &whole)) == decoded, "{name}");
    }
}

/// Profile and level are those that ffprobe sees in the box that we wrote.
#[test]
fn dolby_vision_has_the_codec_string_that_its_configuration_or_the_manifest_says() {
    let folder = Folder::new("vision");
    let limits = Limits::default();
    let track = tracks().remove(0);
    let vision = DolbyVision { version: [1, 0], fields: 9 << 9 | 6 << 3 | 0b101 };
    for config in [AnyBox::new(DvcC(vision)), AnyBox::new(DvvC(vision))] {
        let mut entry = visual(&track.entry);
        entry.format = FourCc(*b"dvav");
        entry.boxes.list.push(AnyBox { rest: vec![0; 20].into(), ..config });
        let said = Description::of_entry(track.kind, &entry.to_entry(), &limits).unwrap();
        assert_eq!((said.tag.as_str(), said.rfc6381().as_deref()), ("DVAV", Some("dvav.09.06")));
        assert_eq!(said.private_data, track.said.private_data);
        if runs("ffprobe") {
            let path = folder.file("init.mp4", &init_of(entry.to_entry(), &said, track.kind, 1));
            assert_eq!(probe(&path, "stream_side_data=dv_profile,dv_level"), "9,6");
        }
        // Where the base layer is plain H.264 or HEVC, that is what is announced.
        entry.format = track.entry.format();
        let plain = Description::of_entry(track.kind, &entry.to_entry(), &limits).unwrap();
        assert_eq!((&plain, plain.rfc6381()), (&track.said, track.said.rfc6381()));
    }

    for (value, string) in [("dvhe.05.06", Some("dvhe.05.06")), ("", None), ("a\u{e9}, b", None)] {
        let text = format!(
            "<SmoothStreamingMedia><StreamIndex Type='video'><QualityLevel Bitrate='1'
                FourCC='DVHE'><CustomAttributes><Attribute Name='codecs' Value='{value}'/>
            </CustomAttributes></QualityLevel></StreamIndex></SmoothStreamingMedia>"
        );
        let manifest = ClientManifest::parse(text.as_bytes(), &limits).unwrap();
        let stream = &manifest.streams[0];
        let said = Description::of(stream, &stream.qualities[0]).unwrap();
        assert_eq!(said.rfc6381().as_deref(), string);
    }
}

/// `testdata` has none of these either: ffmpeg makes them, says what they are, and decodes them by
/// what a manifest says. Codec strings as its DASH muxer writes them, which gives MP3 the other of
/// its two numbers (`mp4a.69`) whatever the file has.
#[test]
fn audio_that_ffmpeg_makes_is_announced_as_ffprobe_sees_it() {
    let folder = Folder::new("audio");
    for (encoder, channels, tag, string, data, audio_tag, packet) in [
        ("ac3", 2, "AC-3", "ac-3", "", 65_534, 768),
        ("ac3", 6, "AC-3", "ac-3", "", 65_534, 1792),
        (
            "eac3",
            2,
            "EC-3",
            "ec-3",
            "000603000000AF87FBA7022DFB42A4D405CD93843BDD0600200400",
            65_534,
            768,
        ),
        (
            "eac3",
            6,
            "EC-3",
            "ec-3",
            "00063F000000AF87FBA7022DFB42A4D405CD93843BDD0E00200F00",
            65_534,
            1792,
        ),
        ("libmp3lame", 2, "WMAP", "mp4a.6B", "", 85, 4),
        ("libopus", 1, "OPUS", "opus", "", 0, 4),
        ("libopus", 6, "OPUS", "opus", "", 0, 4),
    ] {
        let path = folder.0.join(format!("{encoder}{channels}.mp4"));
        let Some((file, entry)) = made(&path, &["-c:a", encoder, "-ac", &channels.to_string()])
        else {
            eprintln!("not run: there is no ffmpeg with {encoder}");
            continue;
        };
        let said = Description::of_entry(StreamKind::Audio, &entry, &Limits::default()).unwrap();
        let label = format!("{encoder}, {channels} channels");
        assert_eq!((said.tag.as_str(), said.rfc6381().as_deref()), (tag, Some(string)), "{label}");
        assert_eq!(hex(&said.private_data), data, "{label}");
        let sampling_rate = 48_000;
        // Of Opus and MP3 the entry's field, of the others what the codec says.
        let Format::Audio { channels: found, .. } = said.format else { panic!("audio") };
        let format = Format::Audio {
            sampling_rate,
            channels: found,
            bits_per_sample: 16,
            packet_size: packet,
            audio_tag,
        };
        assert_eq!(said.format, format, "{label}");
        let theirs = probe(&path, "stream=sample_rate,channels");
        assert_eq!(theirs, format!("{sampling_rate},{found}"), "{label}");

        if let Ok(made) = said.sample_entry() {
            assert_eq!(made.format(), entry.format(), "{label}");
            let (fragments, samples) = fragments(&file, 1);
            let whole = [&init(&said, StreamKind::Audio, 1)[..], &fragments].concat();
            let ours = decode(&folder.file("made.mp4", &whole));
            assert!(samples > 30 && ours == decode(&path), "{label}: other sound");
        }
    }
}

/// ffmpeg has no fragmented file for WMA but QuickTime's, whose fragments are the same.
#[test]
fn wma_that_ffmpeg_makes_is_decoded_by_an_init_segment_of_a_manifest() {
    let folder = Folder::new("wma");
    let path = folder.0.join("wma.mov");
    let Some((file, _)) = made(&path, &["-c:a", "wmav2", "-b:a", "128k", "-ac", "2"]) else {
        eprintln!("not run: there is no ffmpeg with wmav2");
        return;
    };
    let asf = folder.0.join("wma.wma");
    let mut copied = Command::new("ffmpeg");
    let copied = copied
        .args(SILENT)
        .args(TONE)
        .args(["-c:a", "wmav2", "-b:a", "128k", "-ac", "2"])
        .arg(&asf)
        .output();
    assert!(copied.unwrap().status.success());
    // What ffprobe says of the other file.
    assert_eq!(
        probe(&asf, "stream=codec_tag,sample_rate,channels,extradata_size"),
        "0x0161,48000,2,10"
    );
    // The structure as the file has it: old manifests hold the whole of it.
    let bytes = fs::read(&asf).unwrap();
    let begins = |at: &[u8]| at[..8] == [0x61, 1, 2, 0, 0x80, 0xbb, 0, 0];
    let wave = bytes.windows(28).find(|at| begins(at)).unwrap();
    let text = format!(
        "<SmoothStreamingMedia><StreamIndex Type='audio'><QualityLevel Bitrate='128000'
            WaveFormatEx='{}'/></StreamIndex></SmoothStreamingMedia>",
        hex(wave)
    );
    let manifest = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
    let stream = &manifest.streams[0];
    let said = Description::of(stream, &stream.qualities[0]).unwrap();
    assert_eq!((said.tag.as_str(), said.private_data.len()), ("WMA2", 10));
    let (fragments, _) = fragments(&file, 1);
    let whole = [&init(&said, StreamKind::Audio, 1)[..], &fragments].concat();
    let ours = folder.file("made.mp4", &whole);
    assert_eq!(
        probe(&ours, "stream=codec_name,codec_tag,sample_rate,channels"),
        "wmav2,0x0161,48000,2"
    );
    assert!(decode(&ours) == decode(&asf));
}

#[test]
fn ttml_that_ffmpeg_makes_is_announced_and_set_up_as_it_was() {
    let folder = Folder::new("ttml");
    let subtitles = folder.file("s.srt", b"1\n00:00:00,000 --> 00:00:01,000\nhello\n");
    let path = folder.0.join("ttml.mp4");
    let mut run = Command::new("ffmpeg");
    let run = run.args(SILENT).arg("-i").arg(subtitles).args(["-c:s", "ttml"]).arg(&path).output();
    let Some(file) = run.ok().filter(|out| out.status.success()).and(fs::read(&path).ok()) else {
        eprintln!("not run: there is no ffmpeg with ttml");
        return;
    };
    let entry = first_entry(&file.into());
    let said = Description::of_entry(StreamKind::Text, &entry, &Limits::default()).unwrap();
    assert_eq!((said.tag.as_str(), said.rfc6381().as_deref()), ("TTML", Some("stpp")));
    let made = said.sample_entry().unwrap();
    assert_eq!(made.format(), entry.format());
    // Namespace, schema location, auxiliary types; theirs has a bitrate behind them.
    assert!(entry.body.starts_with(&made.body), "{:?}", entry.body);
}

/// From file to manifest, and where a manifest lies there it is passed on as it is.
#[test]
fn a_presentation_without_a_manifest_announces_its_codec_and_a_stored_manifest_is_not_touched() {
    let folder = Folder::new("presentation");
    let Some((file, _)) = made(&folder.0.join("film.ismv"), &["-c:a", "eac3", "-ac", "6"]) else {
        eprintln!("not run: there is no ffmpeg with eac3");
        return;
    };
    let store = MemoryStore::new();
    let put = |name: &str, bytes: Bytes| store.put(Name::new(name).unwrap(), bytes);
    put("film.ismv", file);
    let server = |head: &str| {
        format!(
            "<smil><head>{head}</head><body><switch><audio src='film.ismv' systemBitrate='448000'>
                <param name='trackID' value='1'/></audio></switch></body></smil>"
        )
    };
    put("made.ism", server("").into());
    put("stored.ism", server("<meta name='clientManifestRelativePath' content='a.ismc'/>").into());
    let origin = Origin::new(store.clone());
    let manifest = |name: &str| {
        let answer = block_on(origin.answer(&format!("/{name}/Manifest"))).unwrap();
        let Answer::Reply(served) = answer else { panic!("{name} is redirected") };
        let (mut body, mut bytes) = (served.body(), Vec::new());
        while let Some(part) = block_on(body.next()) {
            bytes.extend(part.unwrap());
        }
        Bytes::from(bytes)
    };
    let generated = manifest("made.ism");
    let text = std::str::from_utf8(&generated).unwrap();
    for attribute in [
        r#"FourCC="EC-3""#,
        r#"CodecPrivateData="00063F000000AF87FBA7022DFB42A4D405CD93843BDD0E00200F00""#,
        r#"AudioTag="65534""#,
        r#"PacketSize="1792""#,
        r#"SamplingRate="48000""#,
        r#"Channels="6""#,
        r#"BitsPerSample="16""#,
    ] {
        assert!(text.contains(attribute), "{attribute} is not in {text}");
    }
    let stored = text.replace("EC-3", "ec+3").replace("AF87", "af87");
    store.put(Name::new("a.ismc").unwrap(), stored.clone());
    assert_eq!(manifest("stored.ism"), stored);
}

// Real manifests and files of other producers; `tests/suite/corpus.rs` says where they are.

#[test]
fn real_private_data_of_every_codec_sets_a_decoder_up_and_comes_back() {
    let Some(corpus) = corpus() else { return };
    let mut found = BTreeMap::new();
    let endings = [".xml", ".ism", ".ismc", ".Manifest", "sample_ismc_1", "sample_ismc_2"];
    for (name, bytes) in files(&corpus, &endings) {
        let Ok(manifest) = ClientManifest::parse(&bytes, &Limits::default()) else { continue };
        for stream in &manifest.streams {
            for quality in &stream.qualities {
                let Ok(said) = Description::of(stream, quality) else { continue };
                if !matches!(said.tag.as_str(), "WVC1" | "WMA2" | "WMAP" | "EC-3") {
                    continue;
                }
                let entry = said.sample_entry().unwrap_or_else(|error| panic!("{name}: {error}"));
                let back = Description::of_entry(stream.kind, &entry, &Limits::default()).unwrap();
                *found.entry(said.tag.to_string()).or_insert(0) += 1;
                match said.tag.as_str() {
                    // Old manifests have the whole WAVEFORMATEX here, and no `AudioTag`.
                    "WMA2" => assert_eq!((back.tag, back.private_data.len()), (said.tag, 10)),
                    // The byte before the headers is no part of a sample entry.
                    "WVC1" => {
                        assert_eq!(back.private_data[1..], said.private_data[1..], "{name}");
                        assert_eq!(back.format, said.format, "{name}");
                    }
                    _ => assert_eq!(back, said, "{name}"),
                }
            }
        }
    }
    assert!(found["WVC1"] >= 40 && found["EC-3"] == 1 && found.contains_key("WMA2"), "{found:?}");
}

/// No encoder for VC-1 is at hand: ffprobe reads what the headers say.
#[test]
fn ffprobe_reads_a_vc1_entry_that_a_real_manifest_gave() {
    let Some(corpus) = corpus() else { return };
    if !runs("ffprobe") {
        eprintln!("not run: there is no ffprobe");
        return;
    }
    let folder = Folder::new("vc1");
    let bytes = fs::read(corpus.join("media3/sample_ismc_1")).unwrap();
    let manifest = ClientManifest::parse(&bytes, &Limits::default()).unwrap();
    let stream = manifest.streams.iter().find(|s| s.kind == StreamKind::Video).unwrap();
    let said = Description::of(stream, &stream.qualities[0]).unwrap();
    let path = folder.file("init.mp4", &init(&said, StreamKind::Video, 1));
    let found =
        probe(&path, "stream=codec_name,profile,codec_tag_string,width,height,extradata_size");
    let len = said.private_data.len() - 1; // without the binding byte
    assert_eq!(found, format!("vc1,Advanced,vc-1,720,480,{len}"));
}

/// The private data of Expression Encoder, which the reference of the protocol shows; nor is there
/// an encoder for it.
#[test]
fn ffprobe_reads_a_wma_professional_entry() {
    if !runs("ffprobe") {
        eprintln!("not run: there is no ffprobe");
        return;
    }
    let folder = Folder::new("wmapro");
    let said = description("audio", "WMAP", "1000030000000000000000000000E00042C0");
    let path = folder.file("init.mp4", &init(&said, StreamKind::Audio, 1));
    let found = probe(&path, "stream=codec_name,codec_tag,sample_rate,channels,extradata_size");
    assert_eq!(found, "wmapro,0x0162,48000,2,18");
}

#[test]
fn real_encrypted_entries_are_announced_as_their_decrypted_twins() {
    let Some(corpus) = corpus() else { return };
    let entry = |name: &str| first_entry(&fs::read(corpus.join(name)).unwrap().into());
    let limits = Limits::default();
    let of = |kind, name: &str| Description::of_entry(kind, &entry(name), &limits).unwrap();

    let wma = of(StreamKind::Audio, "mp4ff/piff-wma_piff_scheme/audio.mp4");
    assert_eq!(entry("mp4ff/piff-wma_piff_scheme/audio.mp4").format(), *b"enca");
    assert_eq!(wma, of(StreamKind::Audio, "mp4ff/piff-wma_piff_scheme/audio_dec.mp4"));
    assert_eq!((wma.tag.as_str(), &*hex(&wma.private_data)), ("WMA2", "008800000F0000000000"));
    assert_eq!(wma.bitrate, 128_000);
    let theirs = entry("mp4ff/piff-wma_piff_scheme/audio_dec.mp4");
    assert_eq!(wma.sample_entry().unwrap().body, theirs.body, "byte for byte");

    let video = of(StreamKind::Video, "mp4ff/piff-video/complseg-1.0001.mp4");
    assert_eq!(video, of(StreamKind::Video, "mp4ff/piff-video/complseg-1.0001_dec.mp4"));
    assert_eq!(video.tag.as_str(), "H264");

    // HE-AAC, signalled behind the core's configuration.
    let audio = of(StreamKind::Audio, "mp4ff/piff-audio/init.mp4");
    assert_eq!((audio.tag.as_str(), &*hex(&audio.private_data)), ("AACH", "131056E598"));
    assert_eq!(audio.rfc6381().unwrap(), "mp4a.40.5");
    let Format::Audio { sampling_rate, channels, .. } = audio.format else { panic!("audio") };
    assert_eq!((sampling_rate, channels), (48_000, 2));

    let text = of(StreamKind::Text, "mp4ff/sample_short.ismt");
    assert_eq!((text.tag.as_str(), text.rfc6381().as_deref()), ("WVTT", Some("wvtt")));
    let (made, theirs) = (text.sample_entry().unwrap(), entry("mp4ff/sample_short.ismt"));
    assert!(theirs.body.starts_with(&made.body), "theirs has a bitrate behind the configuration");
}

/// The core's rate is 24 kHz; with none of it, half of it or all of it said, ffmpeg gives 48 kHz.
#[test]
fn he_aac_is_decoded_by_stored_private_data_and_by_what_is_derived() {
    let Some(corpus) = corpus() else { return };
    if !runs("ffmpeg") {
        eprintln!("not run: there is no ffmpeg");
        return;
    }
    let folder = Folder::new("he-aac");
    let file = fs::read(corpus.join("mp4ff/piff-audio/segment-1.0001_dec.m4s")).unwrap().into();
    let (moof, _) = (all(&file, b"moof").remove(0).1, ());
    let moof = Boxes::parse(&moof, 0, &Limits::default()).unwrap();
    let id = moof.path(&[*b"moof", *b"traf"]).unwrap().get::<Tfhd>().unwrap().track_id;
    let (fragments, samples) = fragments(&file, id);
    let mut decoded = Vec::new();
    for (data, rate) in [("131056E598", 48_000), ("2B118800", 48_000), ("", 48_000), ("", 24_000)] {
        let text = format!(
            "<SmoothStreamingMedia><StreamIndex Type='audio'><QualityLevel Bitrate='64000'
                FourCC='AACH' CodecPrivateData='{data}' SamplingRate='{rate}' Channels='2'/>
            </StreamIndex></SmoothStreamingMedia>"
        );
        let manifest = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
        let stream = &manifest.streams[0];
        let said = Description::of(stream, &stream.qualities[0]).unwrap();
        assert_eq!(said.rfc6381().unwrap(), "mp4a.40.5");
        let whole = [&init(&said, stream.kind, id)[..], &fragments].concat();
        let path = folder.file("made.mp4", &whole);
        let found = probe(&path, "stream=codec_name,profile,sample_rate,channels");
        assert_eq!(found, "aac,HE-AAC,48000,2", "{data} {rate}");
        decoded.push(decode(&path).remove(0));
        assert_eq!(decoded[0].len(), samples);
    }
    assert!(decoded.iter().all(|other| *other == decoded[0]));
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
        let entry = stsd(moov.each(*b"trak").find(is_it).unwrap()).entries().next().unwrap();
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
    init_of(said.sample_entry().unwrap(), said, kind, id)
}

/// The same with any sample entry.
fn init_of(entry: SampleEntry, said: &Description, kind: StreamKind, id: u32) -> Bytes {
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
    let stsd = Stsd::new(FullBox::default(), [entry]);
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
        let _ = fs::remove_dir_all(&folder);
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
    let mut found = files(Path::new(root), &[".ismv", ".isma", ".ismt", ".mp4"]);
    // Other producers' shapes have tests of their own.
    found.retain(|(name, _)| !name.starts_with("dialects/"));
    assert!(found.len() >= 7, "testdata/ is not whole");
    found
}

fn testdata_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// What a track of each codec is described by, as stored.
fn entries() -> Vec<SampleEntry> {
    let mut entries: Vec<_> = tracks().drain(..).map(|track| track.entry).collect();
    entries.truncate(4);
    entries.push(description("video", "WVC1", VC1).sample_entry().unwrap());
    entries.push(
        description("audio", "WMAP", "1000030000000000000000000000E00042C0")
            .sample_entry()
            .unwrap(),
    );
    entries.push(description("audio", "EC-3", DOLBY).sample_entry().unwrap());
    entries.push(description("audio", "AACH", "").sample_entry().unwrap());
    entries.push(description("audio", "AACP", "").sample_entry().unwrap());
    entries.push(description("audio", "MP3", "").sample_entry().unwrap());
    entries.push(description("text", "WVTT", "").sample_entry().unwrap());
    entries.push(description("text", "TTML", "").sample_entry().unwrap());
    entries.push(
        sound(b"ac-3", Boxes::from_iter([AnyBox::new(Dac3 { fields: 0x10_3d40 })])).to_entry(),
    );
    let opus = DOps {
        channels: 2,
        mapping_family: 1,
        mapping: vec![1, 1, 0, 1].into(),
        ..DOps::default()
    };
    entries.push(sound(b"Opus", Boxes::from_iter([AnyBox::new(opus)])).to_entry());
    // Each once more, encrypted, and in the forms that are looked through for what they hold.
    let hidden: Vec<_> = entries.iter().map(encrypted).collect();
    entries.push(renamed(&entries[4], b"ovc1"));
    entries.push(renamed(&entries[5], b"owma"));
    entries.extend(hidden);
    entries
}

fn encrypted(entry: &SampleEntry) -> SampleEntry {
    let name = match &entry.format().0 {
        b"avc1" | b"vc-1" => b"encv",
        b"wvtt" => b"enct",
        b"stpp" => b"encu",
        _ => b"enca",
    };
    let sinf = AnyBox::container(*b"sinf", [AnyBox::new(Frma { data_format: entry.format() })]);
    let body = [&entry.body[..], &Boxes::from_iter([sinf]).to_bytes()].concat();
    with_body(&renamed(entry, name), body.into())
}

fn renamed(entry: &SampleEntry, name: &[u8; 4]) -> SampleEntry {
    let mut entry = entry.clone();
    entry.header.kind = FourCc(*name);
    entry
}

fn with_body(entry: &SampleEntry, body: Bytes) -> SampleEntry {
    let mut entry = entry.clone();
    entry.body = body;
    entry
}

/// CodecPrivateData of real encoders.
const VC1: &str = "250000010FD3FE27F1678A27F859E80C9082E948C1CD400000010E5A67F840";
const DOLBY: &str = "00063F000000AF87FBA7022DFB42A4D405CD93843BDD0700200F00";

/// Names in manifests, of every codec and of none.
const TAGS: &[&str] = &[
    "H264", "AVC1", "HVC1", "DVHE", "DVAV", "WVC1", "AACL", "AACH", "AACP", "AAC", "WMAP", "WMA2",
    "MP3", "AC-3", "EC-3", "OPUS", "TTML", "WVTT", "JPEG", "",
];

fn sound(format: &[u8; 4], boxes: Boxes) -> AudioSampleEntry {
    AudioSampleEntry {
        format: FourCc(*format),
        channel_count: 2,
        sample_size: 16,
        sample_rate: 48_000 << 16,
        boxes,
    }
}

/// Files of other producers, where they are (see `tests/suite/corpus.rs`).
fn corpus() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
    let root = std::env::var_os("SMOOTH_ORIGIN_CORPUS").map_or(beside.into(), PathBuf::from);
    if !root.is_dir() {
        eprintln!("not run: there is no corpus");
        return None;
    }
    Some(root)
}

/// The sample entry of the first track.
fn first_entry(file: &Bytes) -> SampleEntry {
    let moov = Boxes::parse(&all(file, b"moov")[0].1, 0, &Limits::default()).unwrap();
    stsd(moov.path(&[*b"moov", *b"trak"]).unwrap()).entries().next().unwrap()
}

const SILENT: [&str; 4] = ["-v", "error", "-nostdin", "-y"];
const TONE: [&str; 4] = ["-f", "lavfi", "-i", "sine=sample_rate=48000:duration=2"];

/// Two seconds of sound that ffmpeg encodes into a fragmented file, and its sample entry.
fn made(path: &Path, encode: &[&str]) -> Option<(Bytes, SampleEntry)> {
    let mut command = Command::new("ffmpeg");
    command.args(SILENT).args(TONE).args(encode);
    command.args(["-movflags", "empty_moov+default_base_moof+delay_moov"]);
    let run = command.args(["-frag_duration", "500000"]).arg(path).output().ok()?;
    let file: Bytes = run.status.success().then(|| fs::read(path).unwrap())?.into();
    let entry = first_entry(&file);
    Some((file, entry))
}

/// What ffprobe says of a file's only stream, in its own order, separated by commas.
fn probe(path: &Path, entries: &str) -> String {
    let run = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", entries, "-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(run.stdout)
        .unwrap()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches(',')
        .to_owned()
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
