#!/usr/bin/env python3
"""Packaging a film of half an hour to files, beside `cp` and `ffmpeg -c copy -f ismv`.

    python3 perf/package.py [ROUNDS]

The film (3.5 Mbit/s, sound) is a short clip that ffmpeg codes once and repeats. Each round runs all
three, one after another; what counts is the best of each. Needs ffmpeg with libx264.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from common import example, run

SECONDS = 30 * 60
# Wall clock by that of `cp`, by that of ffmpeg, user time by that of ffmpeg, and MiB.
BARS = {"cp": 1.2, "ffmpeg": 0.8, "user": 0.5, "memory": 32}


def film(folder):
    """A progressive film, as ffmpeg writes it: each picture is interleaved with its sound."""
    clip, whole = folder / "clip.mp4", folder / "film.mp4"
    run(
        "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "20",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50",
        "-b:v", "3500k", "-minrate", "3500k", "-maxrate", "3500k", "-bufsize", "3500k",
        "-nal-hrd", "cbr", "-c:a", "aac", "-b:a", "128k", clip,
    )
    run("ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", clip, "-t", SECONDS, "-c", "copy", whole)
    return whole


def measured(command, outputs):
    """Seconds of wall clock, user and system time, and bytes of memory at the most."""
    outputs.mkdir()
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command[0]} failed")
    shutil.rmtree(outputs)
    return wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    program = example("package")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source = film(folder)
        outputs = folder / "made"
        commands = {
            "cp": ["cp", source, outputs / "film.mp4"],
            "ffmpeg": [
                "ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "ismv", outputs / "film.ismv",
            ],
            # As `cp` and ffmpeg do not wait for the disk either.
            "package": [program, source, "--no-sync", "--output", outputs / "film.ism"],
            "package, synced": [program, source, "--output", outputs / "film.ism"],
        }
        runs = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                runs[name].append(measured(command, outputs))
        print(f"{source.stat().st_size / 1e6:.0f} MB, best of {rounds}\n")
    print("| | wall clock, s | user, s | system, s | memory, MiB |")
    print("|---|---|---|---|---|")
    best = {name: [min(column) for column in zip(*runs[name])] for name in runs}
    for name, (wall, user, system, memory) in best.items():
        print(f"| {name} | {wall:.2f} | {user:.2f} | {system:.2f} | {memory / 2**20:.1f} |")
    ours, cp, ffmpeg = best["package"], best["cp"], best["ffmpeg"]
    print("\n| | measured | bar |")
    print("|---|---|---|")
    print(f"| wall clock × `cp` | {ours[0] / cp[0]:.2f} | {BARS['cp']} |")
    print(f"| wall clock × ffmpeg | {ours[0] / ffmpeg[0]:.2f} | {BARS['ffmpeg']} |")
    print(f"| user time × ffmpeg | {ours[1] / ffmpeg[1]:.2f} | {BARS['user']} |")
    print(f"| memory, MiB | {ours[3] / 2**20:.1f} | {BARS['memory']} |")


if __name__ == "__main__":
    main()
