//! Writes `film.ism`, its media and its client manifest into a folder: three video tracks and one of
//! sound in fragments of 2 s. Payloads count from the number of their fragment, byte by byte.
//!
//! ```sh
//! cargo run --release -p smooth-origin-benches --bin write_film -- FOLDER SECONDS FRAGMENT_BYTES
//! cargo run --release -p smooth-origin-benches --bin write_film -- FOLDER SECONDS LOW MIDDLE HIGH SOUND
//! ```
//!
//! With one size, fragments of sound have a tenth of it.

use std::path::PathBuf;

use smooth_origin_benches::{Stored, files, files_of};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what| arguments.next().unwrap_or_else(|| panic!("{what} is wanted"));
    let folder = PathBuf::from(next("a folder"));
    let seconds = next("a length in seconds").parse().unwrap();
    let sizes: Vec<u32> = arguments.map(|bytes| bytes.parse().unwrap()).collect();
    let files = match sizes[..] {
        [bytes] => files(seconds, bytes, Stored::Full),
        [low, middle, high, sound] => files_of([low, middle, high, sound], seconds, Stored::Full),
        _ => panic!("the bytes of a fragment are wanted, or those of each track"),
    };
    std::fs::create_dir_all(&folder).unwrap();
    for (name, media) in files {
        std::fs::write(folder.join(name), media.to_bytes()).unwrap();
    }
}
