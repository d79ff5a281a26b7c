#!/usr/bin/env python3
"""An origin over a store of S3 beside plain clients that read the same ranges from the same store.

    python3 perf/stores.py
    python3 perf/stores.py --brief

Needs nginx, which is the store: it serves a folder with ranges and ETags, as far as reads go in the way of S3 and
faster than any server of S3 that runs here. `--hadro PROGRAM` takes the S3 server hadro instead. In each round
every contender has a turn, each time another one first; the first round warms up:

- `object_store`: a client of the crate of that name alone, which drops what it gets;
- `sockets`: a client that reads into one buffer for each connection, which is as cheap as it gets;
- `origin`: the library in a process of its own, whose bodies are dropped: what it takes to read, and no more;
- `serve`: the example over `s3://`, without a cache of fragments, read by the client with sockets;
- `relay`: a server with the same libraries that passes on what comes and checks nothing, read by the same client.

What counts is the processor time of a contender per GB, as a multiple of that of `object_store` in the same round,
and the bytes per second in the same way. A server sends what a client only reads: `relay` shows what that costs.
Every fragment is compared with its file once. It fails if a byte differs, never on time.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

from common import Running, Server, build, example, processor_times, write_film
from machine import machine
from nginx import Nginx, free_port, listens
from presentation import Presentation

BUCKET = "films"
MANIFEST = "/film/film.ism/Manifest"
# What three tracks of video have, and what sound has, which nobody asks for.
FRAGMENT_BYTES = {"100 kB": 100_000, "800 kB": 800_000, "4 MB": 4_000_000}
SOUND = 10_000
BASE = "object_store"
BARS = {"throughput": 0.9, "cpu": 1.2}
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
READERS = {"object_store": "object-store", "sockets": "ranges", "origin": "origin"}
# With `tcp_nopush`, most answers of 100 kB wait 40 ms for an acknowledgement.
SITE = "root {{folder}}; limit_rate {rate}; tcp_nopush off;"


def main():
    options = arguments()
    if not options.hadro and not shutil.which("nginx"):
        sys.exit("nginx is not there: apt install nginx")
    programs = Programs(options.programs)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = pathlib.Path(temporary)
        objects = folder / "buckets" / BUCKET
        show("the content is made")
        write_film(objects / "film", options.film, *FRAGMENT_BYTES.values(), SOUND)
        store = stack.enter_context(store_of(folder, options))
        os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL=f"http://127.0.0.1:{store.port}")
        serve = Server(
            f"s3://{BUCKET}", "--hot-memory", "0", "--list", "0", *options.serve,
            workers=options.threads, programs=programs.folder,
        )
        servers = {"serve": stack.enter_context(serve)}
        lists = write_lists(folder, serve.port, objects / "film", options.sizes)
        for name, file in lists.items():
            relay = stack.enter_context(Relay(programs.stores, store.port, options.threads, file))
            servers[f"relay, {name}"] = relay
            check(programs.stores, name, file, store.port, servers, objects)
        about = machine()
        cases = []
        for size, file in lists.items() if not options.brief else []:
            for connections in options.connections:
                running = {"serve": servers["serve"], "relay": servers[f"relay, {size}"]}
                cases.append(measure(size, connections, file, store.port, running, programs.stores, options))
    print("".join(f"- {name}: {value}\n" for name, value in about.items()), end="")
    print(f"- load after: {os.getloadavg()[0]:.1f} in the last minute")
    for case in cases:
        print_table(case)
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "cases": cases}, indent=1) + "\n")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    numbers = lambda text: [int(number) for number in text.split(",")]
    sizes = lambda text: [size for size in FRAGMENT_BYTES if size in text.split(",")]
    add = parser.add_argument
    add("--sizes", metavar="SIZE,…", type=sizes, default=list(FRAGMENT_BYTES), help="of fragments: 100 kB,800 kB,4 MB [default: all]")
    add("--connections", metavar="N,…", type=numbers, default=[1, 8, 64], help="how many at one time [default: 1,8,64]")
    add("--rounds", metavar="N", type=int, default=8, help="turns of each; the first warms up, if there are more [default: %(default)s]")
    add("--megabytes", metavar="N", type=int, default=1000, help="read in a turn, or all fragments once [default: %(default)s]")
    add("--threads", metavar="N", type=int, default=os.cpu_count(), help="of servers and libraries; the client with sockets has one [default: %(default)s]")
    add("--film", metavar="SECONDS", type=int, default=400, help="length of the film, in fragments of 2 s [default: %(default)s]")
    add("--rate", metavar="BYTES", type=int, default=0, help="bytes per second that the store gives to each connection [default: no limit]")
    add("--only", metavar="NAME,…", default="", help="contenders beside object_store [default: all]")
    add("--serve", metavar="OPTION", action="append", default=[], help="a further option for `serve`")
    add("--hadro", metavar="PROGRAM", type=pathlib.Path, help="is the store in place of nginx")
    add("--programs", metavar="FOLDER", type=pathlib.Path, help="has `serve` and `stores`, with the feature s3 [default: they are built]")
    add("--json", metavar="FILE", type=pathlib.Path, help="writes the figures of all rounds [default: not written]")
    add("--brief", action="store_true", help="compares a short film, and measures nothing")
    options = parser.parse_args()
    if options.brief:
        options.film = 20
    return options


class Programs:
    """Where `stores` is, and the folder with `serve`."""

    def __init__(self, folder):
        if folder:
            self.folder, self.stores = folder, folder.parent / "stores"
            return
        self.folder = pathlib.Path(example("serve", "--features", "s3")).parent
        self.stores = build("-p", "smooth-origin-perf", "--features", "s3", "--bin", "stores")


def store_of(folder, options):
    if options.hadro:
        return Hadro(options.hadro, folder / "buckets")
    return Nginx(folder / "nginx", folder / "buckets", SITE.format(rate=options.rate))


class Hadro(Running):
    def __init__(self, program, buckets):
        self.port = free_port()
        self.process = subprocess.Popen(
            [program, buckets, "--port", str(self.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if not listens(self.port):
            sys.exit("hadro does not start")


class Relay(Running):
    def __init__(self, stores, store, threads, file):
        self.process = subprocess.Popen(
            [stores, "relay", str(store), str(threads), file], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    @property
    def pids(self):
        return [self.process.pid]


def write_lists(folder, port, film, sizes):
    """A file for each size: path, key and range of each fragment."""
    presentation = Presentation(port, MANIFEST)
    tracks = {}
    for path in presentation.video:
        tracks.setdefault(int(re.search(r"QualityLevels\((\d+)\)", path)[1]), []).append(path)
    sources = {}
    for video in ET.parse(film / "film.ism").iter("video"):
        sources[int(video.get("systemBitrate"))] = video.get("src")
    lists = {}
    for size, bitrate in zip(FRAGMENT_BYTES, sorted(tracks)):
        key, paths = sources[bitrate], tracks[bitrate]
        ranges = stored_fragments((film / key).read_bytes())
        if len(ranges) != len(paths):
            sys.exit(f"{key} has {len(ranges)} fragments, and the manifest {len(paths)}")
        lines = [f"{path} film/{key} {start} {end}\n" for path, (start, end) in zip(paths, ranges)]
        if size in sizes:
            lists[size] = folder / f"{bitrate}.txt"
            lists[size].write_text("".join(lines))
    return lists


def stored_fragments(content):
    """Where each `moof` begins and the `mdat` behind it ends."""
    found, at, start = [], 0, 0
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind == b"moof":
            start = at
        at += length
        if kind == b"mdat":
            found.append((start, at))
    return found


def read(stores, what, port, threads, connections, passes, file, *objects):
    """What a reader took for all fragments of a list, so often."""
    command = [stores, "read", what, port, threads, connections, passes, file, *objects]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{what}: {done.stderr}")
    return json.loads(done.stdout)


def check(stores, size, file, store, servers, objects):
    show(f"{size}: every fragment is compared")
    for what in READERS.values():
        read(stores, what, store, 1, 8, 1, file, objects)
    for name in ("serve", f"relay, {size}"):
        # The first time it is looked at, and the second time it is known.
        read(stores, "paths", servers[name].port, 1, 8, 2, file, objects)


def measure(size, connections, file, store, servers, stores, options):
    count = len(file.read_text().splitlines())
    passes = max(1, round(options.megabytes * 1e6 / (count * FRAGMENT_BYTES[size])))
    chosen = options.only.split(",") if options.only else [*READERS, *servers]
    names = [name for name in [*READERS, *servers] if name == BASE or name in chosen]
    case = {"size": size, "connections": connections, "rounds": {name: [] for name in names}}
    for number in range(options.rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if name in servers:
                before = processor_times(servers[name].pids)
                turn = read(stores, "paths", servers[name].port, 1, connections, passes, file)
                after = processor_times(servers[name].pids)
                turn["user"], turn["system"] = (b - a for a, b in zip(before, after))
            else:
                threads = 1 if name == "sockets" else options.threads
                turn = read(stores, READERS[name], store, threads, connections, passes, file)
            gigabytes = turn["bytes"] / 1e9
            case["rounds"][name].append({
                "megabytes": turn["bytes"] / turn["seconds"] / 1e6,
                "user": turn["user"] / gigabytes,
                "system": turn["system"] / gigabytes,
                "cpu": (turn["user"] + turn["system"]) / gigabytes,
                "first": turn["first"],
                "whole": turn["whole"],
            })
        took = ", ".join(f"{name} {turns[-1]['cpu']:.2f}" for name, turns in case["rounds"].items())
        show(f"{size}, {connections} connections, round {number + 1} of {options.rounds}: s/GB: {took}")
    return case


def print_table(case):
    counted = {name: turns[1:] or turns for name, turns in case["rounds"].items()}
    middle = lambda name, column: statistics.median(turn[column] for turn in counted[name])

    def ratio(name, column, base):
        if base not in counted or name == base:
            return ""
        ratios = sorted(a[column] / b[column] for a, b in zip(counted[name], counted[base]))
        return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"

    print(f"\n{case['size']}, {case['connections']} connections\n")
    print(
        f"| | MB/s | × {BASE} (bar: {BARS['throughput']}) | × relay | CPU s/GB | user | system | least CPU "
        f"| × {BASE} (bar: {BARS['cpu']}) | × relay | first byte | whole |"
    )
    print("|---" * 12 + "|")
    for name in counted:
        least = min(turn["cpu"] for turn in counted[name])
        print(
            f"| {name} | {middle(name, 'megabytes'):,.0f} | {ratio(name, 'megabytes', BASE)} | {ratio(name, 'megabytes', 'relay')} "
            f"| {middle(name, 'cpu'):.2f} | {middle(name, 'user'):.2f} | {middle(name, 'system'):.2f} | {least:.2f} "
            f"| {ratio(name, 'cpu', BASE)} | {ratio(name, 'cpu', 'relay')} "
            f"| {middle(name, 'first'):.2f} ms | {middle(name, 'whole'):.2f} ms |"
        )


def show(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
