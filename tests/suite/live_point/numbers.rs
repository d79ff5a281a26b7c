//! Encoders that number their tracks otherwise, or leave other things to their headers.

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::bmff::{Boxes, Tfhd, Trex, Trun};
use smooth_origin::live::PointOptions;

use super::encoder::{END, Spec, audio, header, video};
use super::watch::Watch;
use super::{LONG, starts};

/// The header of these tracks, of which the samples of sound last a second unless fragments say otherwise.
fn with_defaults(specs: &[Spec]) -> Vec<u8> {
    let mut header = header(specs).to_vec();
    let trex = |duration: u32| {
        let (track_id, default_sample_description_index) = (specs[1].id, 1);
        let trex = Trex { track_id, default_sample_description_index, ..Trex::default() };
        let trex = Trex { default_sample_duration: duration, ..trex };
        [smooth_origin::bmff::AnyBox::new(trex)].into_iter().collect::<Boxes>().to_bytes()
    };
    let (old, new) = (trex(0), trex(LONG / 2));
    let at = header.windows(old.len()).position(|bytes| bytes == old).unwrap();
    header[at..][..new.len()].copy_from_slice(&new);
    header
}

/// A fragment that leaves the durations of its samples to the header.
fn without_durations(fragment: &Bytes) -> Bytes {
    let moof = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
    let mut boxes = Boxes::parse(&fragment.slice(..moof), 0, &Limits::default()).unwrap();
    let traf = boxes.inside_mut(*b"moof").and_then(|moof| moof.inside_mut(*b"traf")).unwrap();
    let trun = traf.get_mut::<Trun>().unwrap();
    let sizes = trun.samples().flat_map(|sample| sample.size.unwrap().to_be_bytes());
    trun.entries = sizes.collect::<Vec<_>>().into();
    trun.full.flags &= !Trun::DURATION;
    let shorter = 4 * trun.sample_count as i32;
    *trun.data_offset.as_mut().unwrap() -= shorter;
    [&boxes.to_bytes()[..], &fragment[moof..]].concat().into()
}

fn samples(fragment: &Bytes) -> &[u8] {
    let moof = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
    &fragment[moof..]
}

#[test]
fn fragments_of_a_second_encoder_are_those_of_the_track_whatever_its_header_says() {
    // `a` pushes sound alone, and `b` the same beside pictures.
    let (alone, beside) = (audio(1, 64_000), audio(2, 64_000));
    let pair = [video(1, 500_000), beside.clone()];
    let mut watch = Watch::new(PointOptions::default());
    let (a, b) = (watch.begin("sound", "a"), watch.begin("low", "b"));
    watch.push(a, &header(std::slice::from_ref(&alone))).unwrap();
    watch.push(b, &with_defaults(&pair)).unwrap();
    let mut pushed = Vec::new();
    for number in 0..12 {
        watch.pass(2000);
        let time = number * i64::from(LONG);
        watch.push(b, &pair[0].fragment(time, LONG, 0)).unwrap();
        let (id, fragment) = match number % 2 {
            0 => (a, alone.fragment(time, LONG, 0)),
            _ => (b, without_durations(&beside.fragment(time, LONG, 1))),
        };
        watch.push(id, &fragment).unwrap();
        pushed.push(fragment);
        watch.tick();
    }
    watch.push(a, END).unwrap();
    watch.push(b, END).unwrap();
    watch.stop();
    assert_eq!(watch.times("audio"), starts(0..12));
    let found = watch.published_chunks.iter().find(|of| of.1.0.contains("audio"));
    // What is no fragment of the file's one track is refused there.
    let fragments = watch.fragments(found.unwrap().0.1.index() as u32);
    assert_eq!(fragments.len(), 12);
    for (number, (fragment, pushed)) in fragments.iter().zip(&pushed).enumerate() {
        assert_eq!(samples(&fragment.bytes), samples(pushed), "{number}");
        let boxes = Boxes::parse(&fragment.bytes, 0, &Limits::default()).unwrap();
        let tfhd = boxes.path(&[*b"moof", *b"traf"]).and_then(Boxes::get::<Tfhd>).unwrap();
        let duration = (number % 2 == 1).then_some(LONG / 2);
        assert_eq!((tfhd.track_id, tfhd.default_sample_duration), (1, duration), "{number}");
    }
}
