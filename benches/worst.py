#!/usr/bin/env python3
"""Measures hostile content: each generated worst case is opened and asked, in all outputs.

    python3 benches/worst.py            all cases; fails where one is beyond its bar
    python3 benches/worst.py NAME ...   these cases

Two bars. Of about 2 MB (or as many parts as a budget allows), opening and asking may take 0.25 s of
processor time and 64 MiB of memory, the content's own bytes included. And twice as many parts, counted
under valgrind, may take at most 2.2 times the instructions, as far as these exceed a floor.
"""

import re
import subprocess
import sys

from counts import HERE, build_bin, run

MOST_SECONDS = 0.25
MOST_BYTES = 64 << 20
MOST_TIMES = 2.2
# Runs that are timed, if one is above the bar: the fastest counts, as what else a machine does makes others slower.
TRIES = 5
# Fewer instructions say nothing of how they grow.
FLOOR = 400_000


def instructions(program, case, parts):
    _, log = run(
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        "--collect-atstart=no", "--toggle-collect=worst::measured*", program, case, str(parts),
    )
    collected = re.search(r"Collected\s*:\s*(\d+)", log)
    if not collected or int(collected[1]) == 0:
        sys.exit(f"{case}: nothing was counted; is `measured` still a function of its own?\n{log}")
    return int(collected[1])


def large(program, case, parts):
    """Bytes of content, processor seconds and bytes of memory of one run in a process of its own."""
    script = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True, timeout=600)\n"
        "assert done.returncode == 0, done.stderr\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(done.stdout.strip(), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)\n"
    )
    out, _ = run(sys.executable, "-c", script, program, case, str(parts))
    size, seconds, memory = out.split()
    return int(size), float(seconds), int(memory)


def main():
    program = build_bin("worst")
    listed = [line.split("\t") for line in run(program, "list")[0].splitlines()]
    wanted = sys.argv[1:]
    failed = []
    print(f"{'case':36} {'bytes':>10} {'s':>7} {'MiB':>6} {'instructions':>13} {'doubled':>8}")
    for case, parts in listed:
        if wanted and case not in wanted:
            continue
        parts = int(parts)
        size, seconds, memory = large(program, case, parts)
        for _ in range(TRIES - 1):
            if seconds > MOST_SECONDS:
                seconds = min(seconds, large(program, case, parts)[1])
        some = max(parts // 8, 2)
        once, twice = instructions(program, case, some), instructions(program, case, 2 * some)
        times = twice / once
        bad = [
            what
            for what, is_bad in [
                ("time", seconds > MOST_SECONDS),
                ("memory", memory > MOST_BYTES),
                ("growth", times > MOST_TIMES and twice > FLOOR),
            ]
            if is_bad
        ]
        mib = memory / (1 << 20)
        print(f"{case:36} {size:>10,} {seconds:>7.3f} {mib:>6.1f} {twice:>13,} {times:>7.2f}x {' '.join(bad)}", flush=True)
        if bad:
            failed.append(case)
    if failed:
        sys.exit(f"beyond their bars: {', '.join(failed)}")


if __name__ == "__main__":
    main()
