#!/usr/bin/env python3
"""Counts the instructions of the hot paths under valgrind and compares them with baselines.json.

    python3 benches/counts.py            compare: a rise of more than 5 % fails
    python3 benches/counts.py --update   write the baselines anew

Counts are the same from run to run for one compiler, allocator and processor type; baselines.json
says which compiler it was made with. With another, a difference is printed and does not fail.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
BASELINES = HERE / "baselines.json"
TOLERANCE = 0.05
SCENARIOS = {
    "locate-60s": "1,000 requests parsed and located, 6 tracks, 60 s",
    "locate-24h": "the same at 24 h",
    "open-60s": "open a film of 60 s: 3 video files and sound, in memory",
    "open-3h": "the same at 3 h",
    "open-3h-compact": "the same with a compact client manifest",
    "open-3h-full": "the same with a full client manifest",
    "walk-30min": "open a recording of half an hour without an index, pictures and sound in one file",
    "progressive-pass": "read the moov of a progressive film of 3 h with sound, and pass over its words",
    "progressive-open": "open that film",
    "progressive-alone": "open one of 3 h without sound",
    "manifest": "write a manifest of 5,000 chunks and 3 qualities",
    "head-bare": "1,000 HEADs of a fragment by a service without options",
    "head-policies": "the same with every policy: caching, CORS, files, compression",
    "fragment": "1,000 GETs of a fragment with every policy, read from memory",
    "fragment-hit": "the same with the fragments in the cache",
    "key-frames": "1,000 GETs of the key frames of a fragment",
    "conditional-fragment": "1,000 GETs of a fragment of which a cache has another version",
    "conditional-manifest": "the same of a manifest",
    "manifest-hit": "1,000 GETs of a manifest that is kept in brotli",
    "segment": "1,000 GETs of a segment with every policy, read from memory, its head kept",
    "segment-hit": "the same with the fragments in the cache",
    "segment-first": "the same with heads that are read and written for each request",
}
# How many times what a bare service takes one with every policy may take.
POLICIES = 1.15


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def build_bin(name):
    """Path of a program of the benches, built anew where it is not. The crate in it is the one that `serve` links."""
    packages = ("smooth-origin", "smooth-origin-examples", "smooth-origin-frameworks", "smooth-origin-perf", "smooth-origin-benches")
    messages, _ = run(
        "cargo", "build", "--release", *(word for package in packages for word in ("-p", package)),
        "--bin", name, "--example", "serve", "--message-format=json", cwd_of_project(),
    )
    built = [json.loads(line) for line in messages.splitlines()]
    return next(m["executable"] for m in built if m.get("executable") and m["target"]["name"] == name)


def cwd_of_project():
    return f"--manifest-path={HERE.parent / 'Cargo.toml'}"


def count(program, scenario):
    _, log = run(
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        "--collect-atstart=no", "--toggle-collect=counts::measured*", program, scenario,
    )
    collected = re.search(r"Collected\s*:\s*(\d+)", log)
    if not collected or int(collected[1]) == 0:
        sys.exit(f"{scenario}: nothing was counted; is `measured` still a function of its own?\n{log}")
    return int(collected[1])


def main():
    compiler = run("rustc", "--version")[0].strip()
    program = build_bin("counts")
    # Valgrind runs on one processor: a scenario for each.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as several:
        counts = dict(zip(SCENARIOS, several.map(lambda scenario: count(program, scenario), SCENARIOS)))
    if "--update" in sys.argv:
        BASELINES.write_text(json.dumps({"compiler": compiler, "counts": counts}, indent=2) + "\n")
    baseline = json.loads(BASELINES.read_text())
    same_compiler = baseline["compiler"] == compiler
    risen = []
    for scenario, what in SCENARIOS.items():
        before, now = baseline["counts"].get(scenario), counts[scenario]
        change = "new" if before is None else f"{(now - before) / before:+.1%}"
        print(f"{scenario:18} {now:>12,}  {change:>7}  {what}")
        if before is None or now > before * (1 + TOLERANCE):
            risen.append(scenario)
    per_request = (counts["locate-24h"] - counts["locate-60s"]) / 1000
    print(f"a request at 24 h takes {per_request:+.0f} instructions more than at 60 s")
    policies = counts["head-policies"] / counts["head-bare"]
    print(f"every policy takes {policies:.3f} times the instructions of a bare service (bar: {POLICIES})")
    if policies > POLICIES:
        sys.exit("policies cost more than they may")
    if not same_compiler:
        print(f"baselines are of {baseline['compiler']}, this is {compiler}: not compared")
    elif risen:
        sys.exit(f"more instructions than the baseline allows: {', '.join(risen)}")


if __name__ == "__main__":
    main()
