#!/usr/bin/env python3
"""The example server beside nginx that serves the same fragments as files, measured in turn.

    python3 perf/compare.py
    python3 perf/compare.py --only video,audio --connections 32 --chart compare.svg

Needs nginx and wrk. Every server has one worker. In each round every server has its turn, each time
another one first; the first round warms up. What counts is the processor time per request, as a multiple
of that of nginx in the same round: the median of all rounds. Figures of one server alone depend on what
else the machine does. Tables go to the standard output. It fails if a server errs or two of them differ
in a byte, never on time.
"""

import argparse
import contextlib
import hashlib
import json
import pathlib
import resource
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Callable

import ranges as ranges_of_files
import vod_module
from chart import chart
from client import compressed, get
from common import PROJECT, Server, example, processor_seconds, run, write_film
from figures import BASE, Case, tables
from machine import machine
from memory import HighestMemory
from nginx import Nginx
from presentation import CODINGS, KINDS, Presentation
from wrk import load, write_script

# Two seconds of 400 kbit/s, 1.2 and 3.5 Mbit/s, and of sound.
FRAGMENT_BYTES = [100_000, 300_000, 875_000, 33_000]
MANIFEST = "/film/film.ism/Manifest"
SERVER_MANIFEST = "/film/film.ism"


@dataclass
class Contender:
    """A server under test."""

    name: str
    start: Callable
    manifest: str = MANIFEST
    # The module writes boxes of its own around the same samples.
    same_bytes: bool = True
    # It has no fragments, but the files that hold them.
    has_ranges: bool = False
    kinds: set = field(default_factory=lambda: set(KINDS))
    presentation: Presentation = None


def main():
    options = arguments()
    for program in ["nginx", "wrk"]:
        if not shutil.which(program):
            sys.exit(f"{program} is not there: apt install nginx wrk")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        show("the content is made")
        if options.vod_nginx:
            vod_module.write_fragmented(options.vod_content, folder / "media/film")
        else:
            write_film(folder / "media/film", options.film, *FRAGMENT_BYTES)
        contenders = line_up(options, folder)
        check(contenders, folder / "www", folder / "media", options.fragments)
        about = machine()
        cases = []
        for connections in options.connections:
            for kind in options.only:
                cases.append(measure(kind, connections, contenders, options, folder))
    print("".join(f"- {name}: {value}\n" for name, value in about.items()) + tables(cases), end="")
    if options.chart:
        options.chart.write_text(chart(cases, about))
    if options.json:
        raw = {"machine": about, "seconds": options.seconds, "cases": [case._asdict() for case in cases]}
        options.json.write_text(json.dumps(raw, indent=1) + "\n")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = "".join(f"; {name}: {what}" for name, what in KINDS.items())
    add = parser.add_argument
    add("--only", metavar="KIND,…", type=names, default=list(KINDS), help=f"what to ask for [default: all]{kinds}")
    add("--connections", metavar="N,…", type=numbers, default=[1, 32, 512], help="how many at one time [default: 1,32,512]")
    add("--rounds", metavar="N", type=int, default=9, help="turns of each server; the first warms up, if there are more [default: %(default)s]")
    add("--seconds", metavar="N", type=int, default=2, help="whole seconds of a turn [default: %(default)s]")
    add("--film", metavar="SECONDS", type=int, default=600, help="length of the film [default: %(default)s]")
    add("--fragments", metavar="N", type=int, help="asks for the first N of video and of audio only [default: for all]")
    add("--hot-memory", metavar="MIB", help="what our server may keep of fragments in the series that keeps them [default: the server's]")
    add("--json", metavar="FILE", type=pathlib.Path, help="writes the figures of all rounds [default: not written]")
    add("--chart", metavar="FILE", type=pathlib.Path, help="writes a chart in SVG [default: not written]")
    add("--vod-nginx", metavar="BINARY", type=pathlib.Path, help="an nginx with nginx-vod-module, which then joins [default: none]")
    add("--vod-content", metavar="FOLDER", type=pathlib.Path, help="film-1.mp4, …, film-sound.mp4 for it [default: none]")
    options = parser.parse_args()
    if bool(options.vod_nginx) != bool(options.vod_content):
        parser.error("--vod-nginx and --vod-content belong together")
    return options


def names(text):
    chosen = text.split(",")
    for name in chosen:
        if name not in KINDS:
            raise argparse.ArgumentTypeError(f"`{name}` is none of {', '.join(KINDS)}")
    return chosen


def numbers(text):
    return [int(number) for number in text.split(",")]


def line_up(options, folder):
    """Our servers, nginx, and the module where it is there."""

    def ours(*extra, program="serve"):
        return lambda: Server(folder / "media", *extra, workers=1, program=program)

    if "--hot-memory" in run(example("serve"), "--help"):
        keeps = ["--hot-memory", options.hot_memory] if options.hot_memory else []
        contenders = [
            Contender("serve, nothing kept", ours("--hot-memory", "0")),
            Contender("serve, hot fragments kept", ours(*keeps)),
        ]
    else:
        contenders = [Contender("serve", ours())]
    if 'name = "sendfile"' in (PROJECT / "examples/Cargo.toml").read_text():
        contenders.append(Contender("sendfile", ours("--copy-younger", "0", program="sendfile")))
    contenders.append(Contender(BASE, lambda: Nginx(folder / "nginx", folder / "www")))
    ranges = lambda: Nginx(folder / "ranges", folder / "media")
    contenders.append(
        Contender("nginx, ranges", ranges, SERVER_MANIFEST, False, True, set(ranges_of_files.KINDS))
    )
    if options.vod_nginx:
        content = options.vod_content.resolve()
        start = lambda: Nginx(folder / "vod", content, vod_module.SITE, options.vod_nginx.resolve())
        manifest = vod_module.manifest(content)
        contenders.append(Contender("nginx-vod-module", start, manifest, same_bytes=False))
    return contenders


def check(contenders, www, media, fragments):
    """Takes what the first serves for nginx's files, and compares what all others serve with it."""
    digests, short = {}, None
    for contender in contenders:
        if contender.has_ranges:
            contender.presentation = ranges_of_files.Ranges(contenders[0].presentation, www, media)
            continue
        show(f"{contender.name}: every body is compared")
        with contender.start() as server:
            contender.presentation = Presentation(server.port, contender.manifest, fragments)
            form = compressed(server.port, contender.manifest)
            if form is None:
                show(f"{contender.name} does not compress its manifest")
                contender.kinds.remove("manifest-gzip")
            if not digests:
                short = form
                store(www, contender.manifest + ".gz", short)
            for path in contender.presentation.all() if contender.same_bytes else []:
                _, content = get(server.port, path)
                digest = hashlib.sha256(content).digest()
                if contender is contenders[0]:
                    store(www, path, content)
                    digests[path] = digest
                elif digests.get(path) != digest:
                    sys.exit(f"{contender.name} serves other bytes for {path}")
            if contender.same_bytes and form not in (None, short):
                sys.exit(f"{contender.name} serves another compressed manifest")


def store(www, path, content):
    file = www / path.removeprefix("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def measure(kind, connections, contenders, options, folder):
    """All rounds of one kind over so many connections, by servers that have served nothing else."""
    taking_part = [contender for contender in contenders if kind in contender.kinds]
    case = Case(kind, connections, {contender.name: [] for contender in taking_part})
    with contextlib.ExitStack() as stack:
        running = []
        for number, contender in enumerate(taking_part):
            server = stack.enter_context(contender.start())
            # Opened, and its compressed form made, before anything is measured.
            ask = compressed if "manifest-gzip" in contender.kinds else get
            ask(server.port, contender.manifest)
            script = folder / f"{number}.lua"
            write_script(script, contender.presentation.of(kind))
            running.append((contender, server, script))
        for number in range(options.rounds):
            first = number % len(running)
            for contender, server, script in running[first:] + running[:first]:
                turn = take_turn(server, script, connections, options.seconds, CODINGS.get(kind, "identity"))
                case.rounds[contender.name].append(turn)
            took = ", ".join(f"{name} {turns[-1]['cpu']:.1f}" for name, turns in case.rounds.items())
            show(f"{kind}, {connections} connections, round {number + 1} of {options.rounds}: µs: {took}")
    return case


def take_turn(server, script, connections, seconds, coding):
    pids = server.pids
    with HighestMemory(pids) as memory:
        before, before_of_wrk = processor_seconds(pids), ended_children()
        result = load(server.port, script, connections, seconds, coding)
        spent, spent_by_wrk = processor_seconds(pids) - before, ended_children() - before_of_wrk
    return {
        "cpu": spent / result["requests"] * 1e6,
        "wrk": spent_by_wrk / result["requests"] * 1e6,
        "requests": result["requests"] / result["microseconds"] * 1e6,
        # Bytes a microsecond are megabytes a second.
        "megabytes": result["bytes"] / result["microseconds"],
        "p50": result["p50"] / 1e3,
        "p99": result["p99"] / 1e3,
        "memory": memory.mebibytes,
    }


def ended_children():
    """Processor time of wrk so far, and of little else while servers run."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def show(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
