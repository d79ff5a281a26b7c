#!/usr/bin/env python3
"""The cost of looking: hot fragments with everything on, beside the same with everything off.

    python3 perf/observed.py
    python3 perf/observed.py --connections 64 --rounds 20

Needs wrk. One server has no metrics, one has metrics, and the others also have a log in a file, request ids that
are sent, and an access log in a file, one in each form. Each has one worker and keeps the fragments in
memory. In each round every server has a turn, one after the other, each time another one first; the first
round warms up. What counts is the processor time per request of all threads of a server, as a multiple of
that of the server with everything off in the same round. It fails if an access log ends within a
line, never on time.
"""

import argparse
import contextlib
import json
import pathlib
import shutil
import statistics
import sys
import tempfile

from client import get
from common import Server, write_film
from compare import FRAGMENT_BYTES, MANIFEST, show, take_turn
from machine import machine
from presentation import Presentation
from wrk import write_script

BAR = 1.1
OFF = "everything off"
KINDS = ["video", "audio"]


def main():
    options = arguments()
    if not shutil.which("wrk"):
        sys.exit("wrk is not there: apt install wrk")
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = pathlib.Path(temporary)
        show("the content is made")
        write_film(folder / "media/film", options.film, *FRAGMENT_BYTES)
        servers = {}
        for name, extra in line_up(folder).items():
            server = Server(
                folder / "media", "--hot-memory", str(options.hot_memory), "--list", "0", *extra,
                workers=1, programs=options.programs,
            )
            servers[name] = stack.enter_context(server)
        # Opened before anything is measured.
        paths = {}
        for name, server in servers.items():
            presentation = Presentation(server.port, MANIFEST, options.fragments)
            paths[name] = {kind: presentation.of(kind) for kind in KINDS}
            for kind in KINDS:
                for path in paths[name][kind]:
                    get(server.port, path)
        about = machine()
        rounds = {kind: measure(kind, servers, paths, options, folder) for kind in KINDS}
        for server in servers.values():
            server.process.terminate()
            server.process.wait()
        sizes = {log.name: count(log) for log in folder.glob("access-*.log")}
    print("".join(f"- {name}: {value}\n" for name, value in about.items()))
    for kind in KINDS:
        print_table(kind, rounds[kind])
    for name, lines in sizes.items():
        print(f"- {name}: {lines} lines")
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "rounds": rounds}, indent=1) + "\n")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--connections", metavar="N", type=int, default=32, help="how many at one time [default: %(default)s]")
    add("--rounds", metavar="N", type=int, default=12, help="turns of each; the first warms up [default: %(default)s]")
    add("--seconds", metavar="N", type=int, default=1, help="whole seconds of a turn [default: %(default)s]")
    add("--film", metavar="SECONDS", type=int, default=600, help="length of the film [default: %(default)s]")
    add("--fragments", metavar="N", type=int, help="asks for the first N of video and of audio only [default: for all]")
    add("--hot-memory", metavar="MIB", type=int, default=512, help="what the servers may keep of fragments [default: %(default)s]")
    add("--programs", metavar="FOLDER", type=pathlib.Path, help="has `serve` [default: it is built]")
    add("--json", metavar="FILE", type=pathlib.Path, help="writes the figures of all rounds [default: not written]")
    return parser.parse_args()


def line_up(folder):
    """Options of the servers, by name."""
    everything = lambda form: [
        "--access-log", str(folder / f"access-{form}.log"), "--access-log-format", form,
        "--log-file", str(folder / f"serve-{form}.log"), "--send-request-id",
    ]
    return {
        OFF: ["--no-metrics"],
        "metrics": [],
        "everything on, combined": everything("combined"),
        "everything on, JSON": everything("json") + ["--log-format", "json"],
    }


def measure(kind, servers, paths, options, folder):
    """CPU µs of all turns, by server."""
    rounds = {name: [] for name in servers}
    scripts = {name: folder / f"{kind}-{number}.lua" for number, name in enumerate(servers)}
    for name, script in scripts.items():
        write_script(script, paths[name][kind])
    names = list(servers)
    for number in range(options.rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            turn = take_turn(servers[name], scripts[name], options.connections, options.seconds, "identity")
            if number > 0 or options.rounds == 1:
                rounds[name].append(turn["cpu"])
        took = ", ".join(f"{name} {cpu[-1]:.1f}" for name, cpu in rounds.items() if cpu)
        show(f"{kind}, round {number + 1} of {options.rounds}: µs: {took}")
    return rounds


def count(log):
    """Lines of an access log, the last of which must be whole."""
    text = log.read_bytes()
    if not text.endswith(b"\n"):
        sys.exit(f"{log.name} ends within a line")
    return text.count(b"\n")


def print_table(kind, rounds):
    print(f"| {kind} | CPU per request | × {OFF} (bar: {BAR}) |")
    print("|---|---|---|")
    for name, values in rounds.items():
        ratios = sorted(value / base for value, base in zip(values, rounds[OFF]))
        ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
        print(f"| {name} | {statistics.median(values):.1f} µs | {'' if name == OFF else ratio} |")
    print()


if __name__ == "__main__":
    main()
