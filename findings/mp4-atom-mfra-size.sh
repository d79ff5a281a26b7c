#!/usr/bin/env bash
# mp4-atom: a re-encoded `mfra` is shorter, and its `mfro` still has the old size
#
# Version: mp4-atom 0.17.0 (crates.io).
#
# Expected: decoding an `mfra` box and encoding it again gives the same bytes, or, if the encoder
# chooses other widths, an `mfro` that has the new size. `mfro` has no other content.
#
# Observed: the crate reads a `tfra` of version 1 (64-bit times and offsets, as ffmpeg writes it)
# and writes version 0 if every value fits in 32 bits, which makes each entry eight bytes shorter.
# It writes `mfro` as it was read, with the size of the old box. The size stays right only where a
# time or an offset does not fit, so the outcome depends on the length of the film: with Smooth's
# 10,000,000 units per second the limit is 429 seconds.
#
# Why it matters: the last four bytes of an .ismv are how a server finds the index. A tool that
# edits such a file with this crate (to correct offsets, say) writes an index that is present, is
# well formed, and is not found: the size leads to a place before the box. Short clips show the
# fault, whole films do not. A reader that finds no `mfra` where `mfro` points should search the end
# of the file for one.
#
# Output on 2026-11-28:
#   short film: mfra of 86 bytes, encoded again 70 bytes, mfro says 86
#   long film:  mfra of 86 bytes, encoded again 86 bytes, mfro says 86
#   PASS: mfro has the size of a box that no longer exists
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "mfra-size"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
mp4-atom = "=0.17.0"

[profile.dev]
debug = 0
TOML
cat > "$work/src/main.rs" <<'RUST'
use mp4_atom::{Decode, Encode, Mfra};

/// An `mfra` as ffmpeg writes it: one `tfra` of version 1 with two entries, then `mfro`.
fn mfra(last_time: u64) -> Vec<u8> {
    let mut tfra = Vec::new();
    tfra.extend(0x0100_0000_u32.to_be_bytes()); // version 1, no flags
    tfra.extend(1_u32.to_be_bytes()); // track ID
    tfra.extend(0_u32.to_be_bytes()); // each number of an entry has one byte
    tfra.extend(2_u32.to_be_bytes()); // entries
    for (time, offset) in [(0, 1257_u64), (last_time, 97_014)] {
        tfra.extend(time.to_be_bytes());
        tfra.extend(offset.to_be_bytes());
        tfra.extend([1, 1, 1]); // traf, trun and sample number
    }
    let size = u32::try_from(8 + 8 + tfra.len() + 16).unwrap();
    let mut mfra = Vec::new();
    mfra.extend(size.to_be_bytes());
    mfra.extend(*b"mfra");
    mfra.extend(u32::try_from(8 + tfra.len()).unwrap().to_be_bytes());
    mfra.extend(*b"tfra");
    mfra.extend(tfra);
    mfra.extend(16_u32.to_be_bytes());
    mfra.extend(*b"mfro");
    mfra.extend(0_u32.to_be_bytes());
    mfra.extend(size.to_be_bytes());
    assert_eq!(mfra.len(), size as usize);
    mfra
}

/// The size of the box, its size once encoded again, and the size that its `mfro` then has.
fn round_trip(film: &str, last_time: u64) -> (usize, usize, usize) {
    let before = mfra(last_time);
    let decoded = Mfra::decode(&mut before.as_slice()).expect("the box is valid");
    let mut after = Vec::new();
    decoded.encode(&mut after).expect("the box can be encoded");
    let told = u32::from_be_bytes(after[after.len() - 4..].try_into().unwrap()) as usize;
    let (before, after) = (before.len(), after.len());
    println!("{film} mfra of {before} bytes, encoded again {after} bytes, mfro says {told}");
    (before, after, told)
}

fn main() {
    let short = round_trip("short film:", 20_000_000); // 2 s
    let long = round_trip("long film: ", 20_000_000_000); // 2,000 s
    if short != (86, 70, 86) || long != (86, 86, 86) {
        println!("FAIL: the behaviour has changed");
        std::process::exit(1);
    }
    println!("PASS: mfro has the size of a box that no longer exists");
}
RUST
cd "$work"
CARGO_TARGET_DIR="$work/target" cargo run --quiet
