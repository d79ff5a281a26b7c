#!/usr/bin/env python3
"""How much of each parser the committed fuzz corpus reaches: no file of them less than half its lines.

    ci/coverage.py

Builds the test that replays the corpus with coverage, runs it, and prints the files by what was reached.
Needs the component llvm-tools of the toolchain.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "target" / "coverage"
LEAST = 50.0

# What is read from files, manifests and requests.
PARSERS = ("base/cursor", "bmff/", "manifest/", "fragment/", "codec/", "index/", "presentation/", "output/", "live/intake/",
           "live/journal/record", "live/journal/frames", "live/journal/replay",
           "origin/path", "service/conditions/", "service/range", "service/content_coding", "service/files", "service/pattern")

# Below these folders, but nothing is read there: ids, switches, caches and places that the crate makes itself.
OTHERS = ("output/outputs.rs", "presentation/kept_clips.rs", "presentation/representation_id.rs", "presentation/stored_around.rs",
          "manifest/stream_names.rs", "presentation/lint/player_rules.rs", "presentation/sparse_pointer.rs")


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, **options).stdout


def tools():
    host = next(line.split()[1] for line in output("rustc", "-vV").splitlines() if line.startswith("host"))
    return pathlib.Path(output("rustc", "--print", "sysroot").strip(), "lib/rustlib", host, "bin")


def build(environment):
    built = output(
        "cargo", "test", "--no-run", "--features", "live", "--test", "fuzz_corpus", "--message-format=json", env=environment
    )
    messages = [json.loads(line) for line in built.splitlines()]
    found = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "fuzz_corpus"]
    return found[-1]


def main():
    bin_ = tools()
    if not (bin_ / "llvm-cov").exists():
        print("llvm-tools is not on this machine: what the corpus reaches was not measured")
        return
    raw, data = TARGET / "corpus.profraw", TARGET / "corpus.profdata"
    environment = dict(
        os.environ,
        CARGO_TARGET_DIR=str(TARGET),
        RUSTFLAGS="-Cinstrument-coverage",
        LLVM_PROFILE_FILE=str(TARGET / "build-%p.profraw"),
    )
    test = build(environment)
    output(test, "-q", env=dict(environment, LLVM_PROFILE_FILE=str(raw)))
    output(str(bin_ / "llvm-profdata"), "merge", "-sparse", str(raw), "-o", str(data))
    export = output(
        str(bin_ / "llvm-cov"), "export", test, f"-instr-profile={data}", "-summary-only", "src/"
    )
    reached = {}
    for file in json.loads(export)["data"][0]["files"]:
        path = pathlib.Path(file["filename"])
        if path.is_relative_to(ROOT / "src"):
            reached[str(path.relative_to(ROOT / "src"))] = file["summary"]["lines"]["percent"]
    parsers = {name: percent for name, percent in reached.items() if name.startswith(PARSERS) and name not in OTHERS}
    for name, percent in sorted(parsers.items(), key=lambda item: item[1])[:12]:
        print(f"{percent:5.1f} %  {name}")
    print(f"and {len(parsers) - 12} files above these")
    low = [name for name, percent in parsers.items() if percent < LEAST]
    if len(parsers) < 80 or low:
        sys.exit(f"{len(parsers)} parsers measured; reached less than {LEAST:.0f} %: {', '.join(low) or 'none'}")


if __name__ == "__main__":
    main()
