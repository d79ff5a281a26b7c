//! Segments of key frames alone, for fast forward in DASH and HLS.
#![cfg(all(feature = "hls", feature = "fs"))]

use smooth_origin::Origin;
use smooth_origin::origin::{Answer, block_on};
use smooth_origin::presentation::Piece;
use smooth_origin::storage::LocalStore;

fn reply(origin: &Origin, path: &str) -> (Vec<u8>, u64) {
    let Answer::Reply(served) = block_on(origin.answer(path)).unwrap() else { panic!("{path}") };
    let [Piece::Bytes(head), Piece::Stored(samples)] = served.reply().pieces() else {
        panic!("a written head and stored samples")
    };
    (head.to_vec(), samples.range.end - samples.range.start)
}

#[test]
fn a_segment_of_key_frames_has_the_first_one_alone() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let origin = Origin::new(LocalStore::new(root).unwrap());
    for time in [0, 20_000_000, 220_000_000] {
        let path = |form: &str| format!("/ladder/ladder.ism/video-60000{form}/{time}.m4s");
        let (whole, all) = reply(&origin, &path(""));
        let (key, first) = reply(&origin, &path(".key"));
        assert!(first < all / 2 && key.len() < whole.len(), "{first} of {all} bytes");
        let count = |head: &[u8]| {
            let trun = head.windows(4).position(|kind| kind == b"trun").unwrap();
            u32::from_be_bytes(head[trun + 8..trun + 12].try_into().unwrap())
        };
        assert_eq!((count(&whole), count(&key)), (50, 1));
    }
}
