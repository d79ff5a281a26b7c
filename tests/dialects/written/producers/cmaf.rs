//! CMAF segments put behind one another: `styp`, `prft`, `emsg` and `sidx` in front of each
//! fragment, `tfdt`, timescales of frame and sample rate, composition offsets that are all
//! positive, so that the first picture is late by an edit list; no client manifest.

use super::*;
use crate::written::bytes::Out;
use crate::written::media::{Media, Tfra, Written, mfra, no_extra};
use crate::written::moov::{Head, ftyp, moov};
use crate::written::samples::{audio, reordered_video};
use crate::written::{Dialect, Manifest};

const VIDEO: u32 = 12_800;
const AUDIO: u32 = 48_000;
/// Ticks of a picture: no composition offset is less than one picture back.
const PICTURE: i32 = 512;

/// Default base is `moof`.
const TFHD: u32 = 0x02_0000;

fn segment(out: &mut Out, id: u32, timescale: u32, piece: &Piece, size: u32) {
    let decode = piece.time - i64::from(piece.samples[0].composition);
    out.boxed(b"styp", |out| _ = out.put(b"msdh").u32(0).put("msdhmsixcmfs"));
    out.full(b"prft", 1, 24, |out| {
        out.u32(id).u64(0xe2d5_a2f0_0000_0000 + decode as u64).u64(decode as u64);
    });
    out.full(b"emsg", 1, 0, |out| {
        out.u32(timescale).u64(piece.time as u64).u32(0).u32(id);
        out.put("urn:example:note\0").put("1\0").put("between fragments");
    });
    out.full(b"sidx", 1, 0, |out| {
        out.u32(id).u32(timescale).u64(piece.time as u64).u64(0).u16(0).u16(1);
        out.u32(size).u32(piece.duration() as u32).u32(0x9000_0000);
    });
}

pub fn cmaf() -> Dialect {
    let (large, heard) = (reordered_video(), audio());
    let mut video = large.pieces(u64::from(VIDEO), i64::from(PICTURE), &[50, 50]);
    let samples = video.iter_mut().flat_map(|piece| &mut piece.samples);
    samples.for_each(|sample| sample.composition += PICTURE);
    let sounds = heard.pieces(u64::from(AUDIO), 0, &[94, 93]);
    let file = |head: Head, pieces: &[Piece], shape: &Shape| {
        let (id, timescale) = (head.id, head.timescale);
        let mut media = Media::new(|out| {
            ftyp(out, b"cmf2", 0, "iso6cmfcdash");
            moov(out, &[head]);
        });
        for piece in pieces {
            let mut alone = Media::default();
            alone.fragment(id, piece, shape, |out| no_extra(out, id, 0, piece));
            let size = alone.fragments.first().map_or(0, |w: &Written| w.whole().len());
            segment(&mut media.out, id, timescale, piece, size as u32);
            media.fragment(id, piece, shape, |out| no_extra(out, id, 0, piece));
        }
        let tfras = [Tfra { widths: [1, 1, 2], ..Tfra::of(&media, id) }];
        mfra(&mut media.out, &tfras);
        media
    };
    let shape = |trun| Shape { tfhd: TFHD, trun: (1, trun), tfdt: Some(1), ..Shape::default() };
    let head = Head { edit: Some(PICTURE), ..Head::video(1, VIDEO, &large) };
    let video_file = file(head, &video, &shape(0xf01));
    let head = Head { language: *b"eng", ..Head::audio(1, AUDIO, &heard) };
    let audio_file = file(head, &sounds, &shape(0x701));
    let ism = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<smil xmlns=\"http://www.w3.org/2001/SMIL20/Language\">\n  <body>\n    <switch>\n      \
         <video src=\"cmaf_video.cmfv\" systemBitrate=\"150000\"><param name=\"trackID\" value=\"1\"/></video>\n      \
         <audio src=\"cmaf_audio.cmfa\" systemBitrate=\"48000\" systemLanguage=\"eng\"><param name=\"trackID\" value=\"1\"/></audio>\n    \
         </switch>\n  </body>\n</smil>\n";
    let same = |time: i64| time as u64;
    Dialect::new("cmaf/cmaf.ism")
        .track(("video", 150_000, ""), ("cmaf/cmaf_video.cmfv", &video_file, 1), same)
        .track(("audio", 48_000, ""), ("cmaf/cmaf_audio.cmfa", &audio_file, 1), same)
        .file("cmaf/cmaf.ism", ism)
        .file("cmaf/cmaf_video.cmfv", video_file.out.0)
        .file("cmaf/cmaf_audio.cmfa", audio_file.out.0)
        .findings(vec!["timescale-unusual"; 2])
        .manifest(Manifest::Generated)
}
