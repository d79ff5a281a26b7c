#!/usr/bin/env python3
"""Fragments that are made on the fly of progressive MP4, beside nginx-vod-module with the same files, measured in turn.

    python3 perf/vod.py --vod-nginx /opt/vod/sbin/nginx
    python3 perf/vod.py                                   # beside stored fragments of the same film alone

Needs ffmpeg and wrk. A minute of H.264 (1.2 Mbit/s) and AAC (128 kbit/s) is encoded, one track a file; the film of 3 h
is 180 times that minute, without encoding it again. `serve` makes the fragments of an .ism over the MP4s, and serves
those that `package` has stored; nginx-vod-module (tuned as in `vod_module.py`: `vod_metadata_cache`, `postpone_output`,
`vod_cache_buffer_size`, sendfile, `open_file_cache`) makes them of the same MP4s, with and without `vod_response_cache`,
which keeps manifests. Each server has one worker. In each round every server and film has its turn, each time another one
first; the first round warms up. What counts is the processor time per request, as a multiple of that of the module
with the same film in the same round; the bar is 0.7. From 60 s to 3 h the time may not grow.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import statistics
import sys
import tempfile

import vod_module
from client import get
from common import Server, example, run
from compare import take_turn
from machine import machine
from nginx import Nginx
from presentation import Presentation
from wrk import write_script

BAR = 0.7
MINUTE, THREE_HOURS = "60 s", "3 h"
PARTS = {MINUTE: 1, THREE_HOURS: 180}
FOLDERS = {MINUTE: "minute", THREE_HOURS: "hours"}
KINDS = ["video", "audio"]

# Of a long film so many fragments are asked for, spread over all of it: as many as the short one has.
FRAGMENTS = 30

TRACKS = {"video": "film-1.mp4", "audio": "film-sound.mp4"}
MODULE, MODULE_WITHOUT = "nginx-vod-module", "nginx-vod-module without vod_response_cache"
MADE, MADE_KEPT, STORED = "serve, made on the fly", "serve, made, hot fragments kept", "serve, packaged"


def main():
    options = arguments()
    for program in ["ffmpeg", "wrk"]:
        if not shutil.which(program):
            sys.exit(f"{program} is not there: apt install ffmpeg wrk")
    with tempfile.TemporaryDirectory() as temporary:
        scratch = pathlib.Path(temporary)
        folder = options.folder or scratch / "films"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        make_films(folder, options)
        with contextlib.ExitStack() as stack:
            turns = line_up(folder, scratch, options, stack)
            about = machine()
            tables = {kind: measure(kind, turns, options, scratch) for kind in KINDS}
    print("".join(f"- {name}: {value}\n" for name, value in about.items()))
    for kind, rounds in tables.items():
        print_table(kind, rounds)
    if options.json:
        named = {kind: {": ".join(turn): cpu for turn, cpu in rounds.items()} for kind, rounds in tables.items()}
        options.json.write_text(json.dumps({"machine": about, "rounds": named}, indent=1) + "\n")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--connections", metavar="N", type=int, default=32, help="how many at one time [default: %(default)s]")
    add("--rounds", metavar="N", type=int, default=9, help="turns of each; the first warms up [default: %(default)s]")
    add("--seconds", metavar="N", type=int, default=1, help="whole seconds of a turn [default: %(default)s]")
    add("--programs", metavar="FOLDER", type=pathlib.Path, help="has `serve`, and `package` if packaged films are measured [default: they are built]")
    add("--without-packaged", action="store_true", help="leaves packaged films out")
    add("--folder", metavar="FOLDER", type=pathlib.Path, help="where films are made, 4 GB at most, and stay for the next run [default: a temporary one]")
    add("--json", metavar="FILE", type=pathlib.Path, help="writes the figures of all rounds [default: not written]")
    add("--vod-nginx", metavar="BINARY", type=pathlib.Path, help="an nginx with nginx-vod-module [default: none]")
    return parser.parse_args()


def make_films(folder, options):
    minute = folder / FOLDERS[MINUTE]
    minute.mkdir(exist_ok=True)
    ffmpeg = ["ffmpeg", "-v", "error", "-nostdin"]
    noise = "testsrc2=size=640x360:rate=25,noise=alls=40:allf=t"
    rate = [word for name in ("-b:v", "-minrate", "-maxrate", "-bufsize") for word in (name, "1200k")]
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", *rate]
    keys = ["-x264-params", "keyint=50:min-keyint=50:scenecut=0:nal-hrd=cbr"]
    fast = ["-movflags", "+faststart"]
    if not (minute / "film.ism").exists():
        show("a minute is encoded")
        run(*ffmpeg, "-f", "lavfi", "-i", noise, "-t", 60, *x264, *keys, *fast, minute / TRACKS["video"])
        run(*ffmpeg, "-f", "lavfi", "-i", "anoisesrc=sample_rate=48000", "-t", 60, "-c:a", "aac", "-b:a", "128k", *fast, minute / TRACKS["audio"])
    for film, parts in PARTS.items():
        place = folder / FOLDERS[film]
        place.mkdir(exist_ok=True)
        if parts > 1 and not (place / "film.ism").exists():
            show(f"{parts} of it are one film")
            for name in TRACKS.values():
                parts_of_it = place / "parts.txt"
                parts_of_it.write_text(f"file '{minute / name}'\n" * parts)
                run(*ffmpeg, "-f", "concat", "-safe", 0, "-i", parts_of_it, "-c", "copy", *fast, place / name)
                parts_of_it.unlink()
        elements = "".join(
            f'<{kind} src="{name}"><param name="trackID" value="1"/></{kind}>' for kind, name in TRACKS.items()
        )
        (place / "film.ism").write_text(f"<smil><body><switch>{elements}</switch></body></smil>")
        if not options.without_packaged and not (place / "packaged" / "film.ism").exists():
            show(f"{film} is packaged")
            package = options.programs / "package" if options.programs else example("package")
            run(package, *(place / name for name in TRACKS.values()), "--output", place / "packaged" / "film.ism")


def line_up(folder, scratch, options, stack):
    """The turns: server, and paths by kind, by names of server and film."""

    def serve(*extra):
        return Server(folder, *extra, workers=1, programs=options.programs)

    turns = {}

    def add(name, server, manifest):
        server = stack.enter_context(server)
        for film in PARTS:
            paths = Presentation(server.port, f"/{manifest(film)}")
            turns[name, film] = server, {"video": spread(paths.video), "audio": spread(paths.audio)}

    add(MADE, serve("--hot-memory", "0"), lambda film: f"{FOLDERS[film]}/film.ism/Manifest")
    add(MADE_KEPT, serve("--hot-memory", "64"), lambda film: f"{FOLDERS[film]}/film.ism/Manifest")
    if not options.without_packaged:
        stored = lambda film: f"{FOLDERS[film]}/packaged/film.ism/Manifest"
        add(STORED, serve("--hot-memory", "0"), stored)
    if options.vod_nginx:
        module = lambda film: f"vod/{FOLDERS[film]}/film-,1,sound,.mp4.urlset/manifest"
        lines = vod_module.SITE.splitlines(keepends=True)
        without = "".join(line for line in lines if "vod_response_cache" not in line)
        for name, site in [(MODULE, vod_module.SITE), (MODULE_WITHOUT, without)]:
            place = scratch / f"nginx-{len(turns)}"
            add(name, Nginx(place, folder, site, options.vod_nginx.resolve()), module)
    for (name, film), (server, paths) in turns.items():
        for kind in KINDS:
            for path in paths[kind]:
                if len(get(server.port, path)[1]) < 10_000:
                    sys.exit(f"{name}: {path} is short")
    return turns


def spread(paths):
    """The first fragments, or of a long film one of each part of it, at all places in the minute that it repeats."""
    step = len(paths) // FRAGMENTS
    return paths[:FRAGMENTS] if step < 2 else [paths[number * step + number] for number in range(FRAGMENTS)]


def measure(kind, turns, options, scratch):
    """CPU µs of all rounds, by server and film."""
    rounds, scripts = {turn: [] for turn in turns}, {}
    for number, (turn, (_, paths)) in enumerate(turns.items()):
        scripts[turn] = scratch / f"{kind}-{number}.lua"
        write_script(scripts[turn], paths[kind])
    order = list(turns)
    for number in range(options.rounds):
        first = number % len(order)
        for turn in order[first:] + order[:first]:
            taken = take_turn(turns[turn][0], scripts[turn], options.connections, options.seconds, "identity")
            if number > 0 or options.rounds == 1:
                rounds[turn].append(taken["cpu"])
        took = ", ".join(f"{name}, {film} {cpu[-1]:.1f}" for (name, film), cpu in rounds.items() if cpu)
        show(f"{kind}, round {number + 1} of {options.rounds}: µs: {took}")
    return rounds


def print_table(kind, rounds):
    print(f"| {kind} | {MINUTE} | {THREE_HOURS} | {THREE_HOURS} : {MINUTE} | × the module, {MINUTE} (bar: {BAR}) | × the module, {THREE_HOURS} |")
    print("|---|---|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in rounds):
        minute, hours = rounds[name, MINUTE], rounds[name, THREE_HOURS]
        cells = [f"{statistics.median(cpu):.1f} µs" for cpu in (minute, hours)] + [ratio(hours, minute)]
        for film, own in ((MINUTE, minute), (THREE_HOURS, hours)):
            base = rounds.get((MODULE, film))
            cells.append(ratio(own, base) if base and own is not base else "")
        print(f"| {name} | {' | '.join(cells)} |")
    print()


def ratio(values, base):
    """Median of the ratios of single rounds, with the lowest and the highest."""
    ratios = sorted(value / other for value, other in zip(values, base))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"


def show(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
