//! Packaging: outputs have the length that they declare, and take their media from within the inputs.

use smooth_origin::base::{ErrorGroup, Name};
use smooth_origin::package::{Input, PackageOptions, package as step};
use smooth_origin::presentation::Piece;

use super::container::Container;
use super::opening::{Files, drive, limits};

/// Batches of a packaging: each fragment takes one or two.
const BATCHES: usize = 4096;

/// Packages the media files of an input.
pub(super) fn package(container: &Container) {
    let names = ["1.ismv", "2.ismv", "3.ismv"];
    let names: Vec<_> = names.into_iter().filter(|name| container.file(name).is_some()).collect();
    if names.is_empty() {
        return;
    }
    let sizes: Vec<_> =
        names.iter().filter_map(|name| container.file(name)).map(<[u8]>::len).collect();
    let inputs = names.iter().map(|name| Input::new(Name::new(name).unwrap())).collect();
    let mut options = PackageOptions::default();
    options.limits = limits();
    let files = Files::new(container.clone());
    let reading = step("film", inputs, options).expect("the name can be part of a file name");
    let made = match drive(reading, BATCHES, |want| files.get(want)) {
        Ok(made) => made,
        Err(error) => return assert_ne!(error.kind.group(), ErrorGroup::Misuse, "{error}"),
    };
    for output in made.outputs() {
        let mut len = 0;
        for piece in output.pieces() {
            len += match piece.expect("its length is known") {
                Piece::Bytes(written) => written.len() as u64,
                Piece::Stored(at) => {
                    let (range, size) = (at.range, sizes[at.file.index()] as u64);
                    assert!(range.start < range.end && range.end <= size, "{range:?} of {size}");
                    range.end - range.start
                }
                _ => unreachable!("there is no other piece"),
            };
        }
        assert_eq!(len, output.len(), "{}", output.name());
    }
}
