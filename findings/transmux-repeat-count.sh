#!/usr/bin/env bash
# transmux: `r` of a Smooth manifest is counted as in DASH, so each run has one chunk too many
#
# Version: transmux 0.28.0 (crates.io), which needs Rust 1.95.
#
# Expected: `<c t="0" d="20000000" r="3"/>` is three chunks. MS-SSTR 2.2.2.6 says that the value is
# one-based, and all other clients that we ran with this manifest agree: dash.js 5.2.1, RxPlayer
# 4.5.0, yt-dlp 2026.10.26, GStreamer 1.22.0 (both demuxers) and VLC 3.0.24.
#
# Observed: the crate's manifest parser expands it to four chunks. That is the rule for `S@r` in
# DASH, where 3 means three more. Each run ends with a chunk that the manifest does not announce.
# Where the next `c` has no `t`, which is usual, every later start time is also late by one chunk.
# Where it has a `t`, two chunks have the same start time.
#
# Why it matters: manifests of version 2.2 have `r`, those of Azure Media Services' archives for
# example. A puller that is built on this crate asks for fragments at times that do not exist, and
# an origin that is right answers 404. An operator would search for the fault in the origin.
#
# Output on 2026-11-28:
#   no r:           0 20000000 40000000 60000000
#   r=3, then no t: 0 20000000 40000000 60000000 80000000
#   r=3, then a t:  0 20000000 40000000 60000000 60000000
#   PASS: r=3 is expanded to four chunks
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "repeat-count"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
transmux = "=0.28.0"

[profile.dev]
debug = 0
TOML
cat > "$work/src/main.rs" <<'RUST'
use transmux::smooth_parse::SmoothManifest;

/// The start times of one video stream whose chunks are `c`.
fn starts(c: &str) -> Vec<u64> {
    let xml = format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" TimeScale="10000000" Duration="80000000">
<StreamIndex Type="video" Name="video" TimeScale="10000000" Chunks="4" QualityLevels="1"
 Url="QualityLevels({{bitrate}})/Fragments(video={{start time}})">
<QualityLevel Index="0" Bitrate="300000" FourCC="H264" MaxWidth="320" MaxHeight="180"
 CodecPrivateData="000000016764000DACD941419F9F011000000300100000030320F14299600000000168EBECB22C"/>
{c}</StreamIndex></SmoothStreamingMedia>"#
    );
    let manifest = SmoothManifest::parse(&xml).expect("the manifest is valid");
    let chunks = manifest.streams[0].enumerate_chunks().expect("the chunks are valid");
    chunks.into_iter().map(|(start, _)| start).collect()
}

fn text(starts: &[u64]) -> String {
    starts.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}

fn main() {
    let d = r#"<c d="20000000"/>"#;
    let plain = starts(&format!(r#"<c t="0" d="20000000"/>{d}{d}{d}"#));
    let without_t = starts(&format!(r#"<c t="0" d="20000000" r="3"/>{d}"#));
    let with_t = starts(r#"<c t="0" d="20000000" r="3"/><c t="60000000" d="20000000"/>"#);
    println!("no r:           {}", text(&plain));
    println!("r=3, then no t: {}", text(&without_t));
    println!("r=3, then a t:  {}", text(&with_t));
    let same = plain == [0, 20_000_000, 40_000_000, 60_000_000]
        && without_t == [0, 20_000_000, 40_000_000, 60_000_000, 80_000_000]
        && with_t == [0, 20_000_000, 40_000_000, 60_000_000, 60_000_000];
    if !same {
        println!("FAIL: the behaviour has changed");
        std::process::exit(1);
    }
    println!("PASS: r=3 is expanded to four chunks");
}
RUST
cd "$work"
CARGO_TARGET_DIR="$work/target" cargo run --quiet
