//! Writes `film.ism`, its media and its client manifest into a folder: three video tracks and one of
//! sound in fragments of 2 s. Payloads count from the number of their fragment, byte by byte.
//!
//! ```sh
//! cargo run --release -p smooth-origin-perf --bin write_film -- FOLDER SECONDS FRAGMENT_BYTES
//! cargo run --release -p smooth-origin-perf --bin write_film -- FOLDER SECONDS LOW MIDDLE HIGH SOUND
//! cargo run --release -p smooth-origin-perf --bin write_film -- FOLDER SECONDS FRAGMENT_BYTES TRACKS
//! ```
//!
//! With one size, each fragment is one sample, and fragments of sound have a tenth of the size. With four, fragments
//! have as many samples as those of real films: 50 pictures, 93 frames of sound.

use std::path::PathBuf;

use smooth_origin_benches::{Samples, Stored, files, files_with, write_whole};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what| arguments.next().unwrap_or_else(|| panic!("{what} is wanted"));
    let folder = PathBuf::from(next("a folder"));
    let seconds = next("a length in seconds").parse().unwrap();
    let sizes: Vec<u32> = arguments.map(|bytes| bytes.parse().unwrap()).collect();
    let film = |bytes| {
        let bitrates = [400_000, 1_200_000, 3_500_000];
        files_with(seconds, bytes, Stored::Full, &bitrates, 1, Samples::Many)
    };
    let files = match sizes[..] {
        [bytes] => files(seconds, bytes, Stored::Full),
        // One of sound, and the others of video.
        [bytes, tracks] => {
            let bitrates: Vec<_> = (1..tracks).map(|track| 400_000 * track).collect();
            files_with(seconds, bytes, Stored::Full, &bitrates, 1, Samples::One)
        }
        [low, middle, high, sound] => {
            let films = [low, middle, high, 10 * sound].map(film);
            // The media of each, and then the manifests, which are the same in all.
            (0..films[3].len()).map(|i| films[i.min(3)][i].clone()).collect()
        }
        _ => panic!("the bytes of a fragment are wanted, or those of each track"),
    };
    write_whole(&files, &folder);
}
