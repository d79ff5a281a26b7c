//! Helpers of the packager's tests, which drive it with bytes in memory and open its output.

use std::collections::BTreeMap;

use bytes::Bytes;
use smooth_origin::base::{Error, FileEnds, FileId, Got, Limits, Name, Want};
use smooth_origin::manifest::ClientManifest;
use smooth_origin::origin::Origin;
use smooth_origin::package::{Captions, Input, Package, PackageOptions, package};
use smooth_origin::presentation::Piece;
use smooth_origin::storage::MemoryStore;
use testkit::progressive::{Film, Track};
use testkit::{codes, get, open, store};

pub(crate) fn video(seconds: u32, bits: u32, seed: u64) -> Track {
    Track { together: 9, ..Track::video((30_000, 1001), seconds, 45, bits, seed) }
}

pub(crate) fn sound(seconds: u32, bits: u32, seed: u64) -> Track {
    Track { together: 21, ..Track::sound(seconds, bits, seed) }
}

/// Video and sound in one file.
pub(crate) fn film() -> Bytes {
    Film::of([video(30, 300_000, 3), sound(31, 64_000, 5)]).file()
}

/// An input: its name, the language that is declared and its bytes.
pub(crate) type File = (&'static str, Option<&'static str>, Bytes);

/// Packages files as `film`. Returns the package and the bytes that were read.
pub(crate) fn try_package(
    files: &[File],
    options: &PackageOptions,
) -> Result<(Package, u64), Error> {
    let input = |(name, language, _): &File| {
        let mut input = Input::new(Name::new(name).unwrap());
        input.language = language.map(str::to_owned);
        input.captions = Captions::of_extension(name.rsplit('.').next().unwrap());
        input
    };
    let inputs = files.iter().map(input).collect();
    let mut read = 0;
    let bytes = |file: &FileId| &files[file.index()].2;
    let package = package("film", inputs, options.clone())?.drive(|want| {
        Ok(match want {
            Want::Open { file, name, head, tail: 0 } => {
                assert_eq!(name.as_str(), files[file.index()].0);
                let head = bytes(file).slice(..bytes(file).len().min(*head as usize));
                read += head.len() as u64;
                Got::Opened(FileEnds::new(bytes(file).len() as u64, head, Bytes::new()))
            }
            Want::Range { file, range } => {
                read += range.end - range.start;
                Got::Range(bytes(file).slice(range.start as usize..range.end as usize))
            }
            other => panic!("{other:?}"),
        })
    })?;
    Ok((package, read))
}

/// The files of a package.
pub(crate) fn written(files: &[File], package: &Package) -> Vec<(String, Vec<u8>)> {
    let outputs = package.outputs().iter().map(|output| {
        let mut bytes = Vec::new();
        for piece in output.pieces() {
            match piece.unwrap() {
                Piece::Bytes(written) => bytes.extend(written),
                Piece::Stored(stored) => {
                    let range = stored.range.start as usize..stored.range.end as usize;
                    bytes.extend(&files[stored.file.index()].2[range]);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bytes.len() as u64, output.len(), "{}", output.name());
        (output.name().to_owned(), bytes)
    });
    outputs.collect()
}

/// Packages files, checks that the result is opened without a finding, and returns its files and
/// their names.
pub(crate) fn packaged(
    files: &[File],
    options: &PackageOptions,
) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    packaged_with(files, options, &[])
}

/// The same, with these findings.
pub(crate) fn packaged_with(
    files: &[File],
    options: &PackageOptions,
    findings: &[&str],
) -> (BTreeMap<String, Vec<u8>>, Vec<String>) {
    let (package, _) = try_package(files, options).unwrap();
    let outputs = written(files, &package);
    let last: Vec<_> = outputs.iter().rev().take(2).map(|(name, _)| name.as_str()).collect();
    assert_eq!(last, ["film.ism", "film.ismc"], "the manifests come last");
    let opened = open(&store_of(&outputs)).unwrap();
    assert_eq!(codes(opened.presentation()), findings);
    (outputs.into_iter().collect(), package.notices().to_vec())
}

pub(crate) fn store_of<'a>(files: impl IntoIterator<Item = &'a (String, Vec<u8>)>) -> MemoryStore {
    store(files.into_iter().map(|(name, bytes)| (name.as_str(), bytes.clone())))
}

pub(crate) fn origin(files: &BTreeMap<String, Vec<u8>>) -> Origin {
    Origin::new(store(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone()))))
}

pub(crate) fn manifest(files: &BTreeMap<String, Vec<u8>>) -> ClientManifest {
    ClientManifest::parse(&files["film.ismc"], &Limits::default()).unwrap()
}

/// Start and end of each chunk of a stream.
pub(crate) fn chunks(manifest: &ClientManifest, stream: usize) -> Vec<(u64, u64)> {
    let (mut end, mut chunks) = (0, Vec::new());
    for chunk in &manifest.streams[stream].chunks {
        end = chunk.time.unwrap_or(end);
        for _ in 0..chunk.repeat.map_or(1, |repeat| repeat.get()) {
            let start = end;
            end += chunk.duration.unwrap();
            chunks.push((start, end));
        }
    }
    chunks
}

pub(crate) fn fragment(origin: &Origin, bitrate: u32, stream: &str, start: u64) -> Vec<u8> {
    let path = format!("/film.ism/QualityLevels({bitrate})/Fragments({stream}={start})");
    get(origin, &path).unwrap()
}
