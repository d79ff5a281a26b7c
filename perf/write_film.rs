//! Writes `film.ism`, its media and its client manifest into a folder: three video tracks and one of
//! sound in fragments of 2 s. Payloads count from the number of their fragment, byte by byte.
//!
//! ```sh
//! cargo run --release -p smooth-origin-perf --bin write_film -- FOLDER SECONDS FRAGMENT_BYTES
//! cargo run --release -p smooth-origin-perf --bin write_film -- FOLDER SECONDS LOW MIDDLE HIGH SOUND
//! ```
//!
//! With one size, fragments of sound have a tenth of it.

use std::path::PathBuf;

use smooth_origin_benches::{Stored, files, write_whole};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what| arguments.next().unwrap_or_else(|| panic!("{what} is wanted"));
    let folder = PathBuf::from(next("a folder"));
    let seconds = next("a length in seconds").parse().unwrap();
    let sizes: Vec<u32> = arguments.map(|bytes| bytes.parse().unwrap()).collect();
    let film = |bytes| files(seconds, bytes, Stored::Full);
    let files = match sizes[..] {
        [bytes] => film(bytes),
        [low, middle, high, sound] => {
            let films = [low, middle, high, 10 * sound].map(film);
            // The media of each, and then the manifests, which are the same in all.
            (0..films[3].len()).map(|i| films[i.min(3)][i].clone()).collect()
        }
        _ => panic!("the bytes of a fragment are wanted, or those of each track"),
    };
    write_whole(&files, &folder);
}
