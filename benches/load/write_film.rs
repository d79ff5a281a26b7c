//! Writes `film.ism`, its media and its client manifest into a folder: three video tracks and one of
//! sound in fragments of 2 s. Payloads count from the number of their fragment, byte by byte.
//!
//! ```sh
//! cargo run --release -p smooth-origin-benches --bin write_film -- FOLDER SECONDS FRAGMENT_BYTES
//! ```

use std::path::PathBuf;

use smooth_origin_benches::{Stored, files, write_whole};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what| arguments.next().unwrap_or_else(|| panic!("{what} is wanted"));
    let folder = PathBuf::from(next("a folder"));
    let seconds = next("a length in seconds").parse().unwrap();
    let bytes = next("the bytes of a fragment").parse().unwrap();
    write_whole(&files(seconds, bytes, Stored::Full), &folder);
}
