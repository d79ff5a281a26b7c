use super::*;
use crate::base::Limits;
use crate::bmff::{Boxes, Trun};
use crate::presentation::Piece;
use crate::presentation::growing::samples::{Event, SECOND};

/// The bytes of an answer, or the code of the error.
fn ask(event: &Event, of: &Arc<Presentation>, path: &str) -> Result<Vec<u8>, &'static str> {
    let request = Request::parse(path, None).unwrap();
    let reply = answer(of, &request).and_then(|step| event.drive(step));
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => {
            let same = identify(of, &request).unwrap_err();
            assert_eq!(same.kind.code(), error.kind.code());
            return Err(error.kind.code());
        }
    };
    let Ok(Identity::Known(known)) = identify(of, &request) else { panic!("{path}") };
    assert_eq!(known, *reply.representation());
    assert_eq!(known.liveness(), of.liveness());
    let piece = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => bytes.to_vec(),
        Piece::Stored(stored) => {
            let (from, to) = (stored.range.start as usize, stored.range.end as usize);
            event.files[stored.file.index() - 1][from..to].to_vec()
        }
    };
    Ok(reply.pieces().iter().flat_map(piece).collect())
}

#[test]
fn a_live_event_answers_all_nouns() {
    let mut event = Event::usual();
    (0..4).for_each(|number| event.add_chunk(number));
    event.add(0, 8 * SECOND, 2 * SECOND);
    let live = event.snapshot(Some(4));
    let (whole, lengths) = event.tracks[1].fragment(2 * SECOND, 2 * SECOND);
    let of = |noun: &str, time: u64| {
        ask(&event, &live, &format!("QualityLevels(800000)/{noun}(video={time})"))
    };
    assert_eq!(of("Fragments", 2 * SECOND).unwrap(), whole);
    assert_eq!(of("FragmentInfo", 2 * SECOND).unwrap(), whole[..lengths.moof as usize]);
    assert_eq!(of("RawFragments", 2 * SECOND).unwrap(), whole[lengths.payload as usize..]);
    let key = of("KeyFrames", 2 * SECOND).unwrap();
    let boxes = Boxes::parse(&key.into(), 0, &Limits::default()).unwrap();
    let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
    assert_eq!(traf.get::<Trun>().unwrap().sample_count, 1);
    for noun in ["Fragments", "FragmentInfo", "RawFragments", "KeyFrames"] {
        for (time, code) in [(8, "not-yet"), (10, "not-yet"), (3, "no-fragment")] {
            assert_eq!(of(noun, time * SECOND), Err(code), "{noun} {time}");
        }
    }
    let manifest = ask(&event, &live, "Manifest").unwrap();
    assert_eq!(&manifest[..], live.manifest().unwrap());
    let film = event.film();
    let sound = ask(&event, &film, "QualityLevels(128000)/Fragments(audio=0)").unwrap();
    assert_eq!(sound, event.tracks[2].fragment(0, 2 * SECOND).0);
}

#[test]
fn times_that_a_player_rounded_to_doubles_lead_to_their_chunks() {
    let mut event = Event::usual();
    // 100 ns since 1970, above 2^53.
    let start = |number: u64| 17_954_784_000_000_001 + 2 * SECOND * number;
    for number in 0..4 {
        (0..3).for_each(|track| event.add(track, start(number), 2 * SECOND));
    }
    let live = event.snapshot(None);
    let of =
        |time: u64| ask(&event, &live, &format!("QualityLevels(800000)/Fragments(video={time})"));
    for number in 0..4 {
        let rounded = start(number) as f64 as u64;
        assert_ne!(rounded, start(number));
        assert_eq!(of(rounded).unwrap(), event.tracks[1].fragment(start(number), 2 * SECOND).0);
    }
    assert_eq!(of(start(4) as f64 as u64), Err("not-yet"));
}
