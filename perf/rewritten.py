#!/usr/bin/env python3
"""Checks whether a complete response ever mixes two versions of a file while files are replaced and rewritten.

    python3 perf/rewritten.py [--seconds N] [--only WAY,…] [--programs FOLDER]

A film has versions: each fills the payloads of all fragments with a byte of its own, and its client manifest names
it in each line. 32 clients ask for fragments, ranges of fragments and the manifest while a writer puts version after
version in place, in each of the ways below, for some seconds per way and server. After a few changes the writer rests.

Every complete 200 and 206 must be of one version that was written: the bar is 0 others. Other statuses than 503 fail
the run, but for a 404 in the ways that take a file away for a moment. When the writer rests, the manifest and each track must
be answered with 200 before long; from then on until the next change, at least 99 % of the responses must be 200 or 206.
"""

import argparse
import collections
import contextlib
import functools
import http.client
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

from common import Server, write_film

CLIENTS = 32
FILM = 12
FRAGMENT = 1 << 20
OTHER_FRAGMENT = FRAGMENT - 12_345
SERVERS = {"serve": ["--hot-memory", "16"], "sendfile": []}
# Number of changes that the writer makes one after the other before it rests.
CHANGES = 3
# After this time, the last change has settled (1 s), and the film has been opened again, unless a machine does much else:
# then the writer rests for longer, up to QUIET.
SETTLED = 1.5
QUIET = 20
# The writer rests for this much longer, if there is time, and until there were so many responses.
REST = 1.5
ENOUGH = 100
QUIET_BAR = 0.99
MANIFEST = "film.ismc"


class Film:
    """The files of a film in any version, in two sizes of fragments."""

    def __init__(self, folder):
        self.folder = folder
        self.sizes = [read_film(size) for size in (FRAGMENT, OTHER_FRAGMENT)]
        self.media = sorted(name for name in self.sizes[0] if name.endswith(("v", "a")))
        self.heads = {}
        for size, files in enumerate(self.sizes):
            for name in self.media:
                self.add_heads(size, name, files[name])
        self.version, self.written = 0, set()
        self.manifests = set()

    def add_heads(self, size, name, content):
        """The bytes before the payload of each fragment, and the length of the payload, by the path of the fragment."""
        bitrates = {"video1": 400_000, "video2": 1_200_000, "video3": 3_500_000, "sound": 128_000}
        kind, duration = ("audio", 19_840_000) if name.startswith("sound") else ("video", 20_000_000)
        for number, (start, payload, end) in enumerate(fragments(content)):
            path = f"QualityLevels({bitrates[name[:-5]]})/Fragments({kind}={number * duration})"
            self.heads.setdefault(path, []).append((content[start:payload], end - payload))

    def next_version(self, size=0):
        """The files of a version that never existed."""
        self.version = self.version % 250 + 1
        self.written.add(self.version)
        files = {name: self.stamped(size, name) for name in self.media}
        text = self.sizes[0][MANIFEST].rstrip() + b"\n"
        files[MANIFEST] = text + 100 * f"<!-- version {self.version:3} {'.' * 460} -->\n".encode()
        self.manifests.add(files[MANIFEST])
        return files

    def stamped(self, size, name):
        content = bytearray(self.sizes[size][name])
        for _, payload, end in fragments(content):
            content[payload:end] = bytes([self.version]) * (end - payload)
        return bytes(content)

    def verdict(self, path, body, first):
        """`right`, `mixed`, or `unknown`; `first` is the first byte of the requested fragment."""
        if path == "Manifest":
            versions = set(re.findall(rb"<!-- version +(\d+)", body))
            return "right" if body in self.manifests else "mixed" if len(versions) > 1 else "unknown"
        payload_versions = set()
        for head, length in self.heads[path]:
            payload = body[max(len(head) - first, 0):]
            version = payload[-1]
            is_head = body[:max(len(head) - first, 0)] == head[first:]
            if is_head and payload.count(version) == len(payload):
                return "right" if version in self.written else "unknown"
            payload_versions |= set(payload[::512])
        return "mixed" if len(payload_versions & self.written) > 1 else "unknown"


@functools.cache
def read_film(size):
    with tempfile.TemporaryDirectory() as folder:
        write_film(folder, FILM, size)
        return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}


def fragments(content):
    """First byte of each `moof`, first byte of its payload, and its end."""
    at, start = 0, 0
    while at < len(content):
        size, kind = int.from_bytes(content[at:at + 4], "big"), bytes(content[at + 4:at + 8])
        if kind == b"moof":
            start = at
        elif kind == b"mdat":
            yield start, at + 8, at + size
        at += size


def rename(film, files):
    for name, content in files.items():
        (film.folder / f"{name}.part").write_bytes(content)
    for name in files:
        os.rename(film.folder / f"{name}.part", film.folder / name)


def swap(film, files):
    """Two renames per file: what was in place becomes the spare."""
    for name, content in files.items():
        spare, old, there = (film.folder / f"{name}{end}" for end in (".spare", ".old", ""))
        spare.write_bytes(content)
        os.rename(there, old)
        os.rename(spare, there)
        os.rename(old, spare)


def write_again(film, files):
    for name, content in files.items():
        (film.folder / name).unlink()
        write(film.folder / name, "wb", content, 64 << 10)


def in_place(piece, mode="r+b"):
    def change(film, files):
        for name, content in files.items():
            write(film.folder / name, mode, content, piece)
    return change


def write(path, mode, content, piece, rest=0):
    """Writes piece after piece, and rests after each for so many seconds."""
    with open(path, mode, buffering=0) as file:
        for at in range(0, len(content), piece):
            file.write(content[at:at + piece])
            # This takes as long as copying a real film.
            if (at // piece) % max((1 << 20) // piece, 1) == 0:
                time.sleep(0.01)
            time.sleep(rest)


def touch(film, _):
    for name in film.media:
        os.utime(film.folder / name)


def append(film, _):
    free = (8 << 10).to_bytes(4, "big") + b"free" + bytes((8 << 10) - 8)
    for name in film.media:
        write(film.folder / name, "ab", free, 1 << 10)


def only(names, change):
    return lambda film, files: change(film, {name: files[name] for name in files if names(film, name)})


def is_media(film, name):
    return name in film.media


def by_size(film, files):
    """Media in place with a write per MiB, and the manifest, which is much shorter, with 4 KiB per write."""
    media = {name: content for name, content in files.items() if is_media(film, name)}
    MIB(film, media)
    for name in files.keys() - media.keys():
        write(film.folder / name, "r+b", files[name], 4 << 10, rest=0.002)


MIB = in_place(1 << 20)
# Statuses beside 200, 206 and 503 that are right while files change, by way: for a moment there is no file of that
# name, or it is empty. None is right while the writer rests.
GONE = {"404"}
MAY_FAIL = {
    "deleted and written again": GONE,
    "swapped by two renames": GONE,
}
# How files are changed, and in which sizes of fragments the versions are.
WAYS = {
    "renamed over": (only(is_media, rename), [0]),
    "renamed over, another size": (only(is_media, rename), [0, 1]),
    "deleted and written again": (only(is_media, write_again), [0, 1]),
    "swapped by two renames": (only(is_media, swap), [0]),
    "in place, a write per MiB": (only(is_media, MIB), [0]),
    "in place, 4 KiB per write": (only(is_media, in_place(4 << 10)), [0]),
    "truncated and written again": (only(is_media, in_place(64 << 10, "wb")), [0]),
    "one file of several, in place": (only(lambda _, name: name == "video2.ismv", MIB), [0]),
    "the manifest too, in place": (by_size, [0]),
    "touched": (touch, [0]),
    "appended to": (append, [0]),
}


class Writer(threading.Thread):
    """Alternates between several changes of the film and a rest, until the time is over."""

    def __init__(self, film, way, seconds, port):
        super().__init__()
        (self.change, self.sizes), self.film, self.seconds, self.port = WAYS[way], film, seconds, port
        self.is_over, self.quiet_from, self.fault = False, float("inf"), None
        # What the clients have counted while the writer rested.
        self.quiet = lambda: 0

    def run(self):
        try:
            self.write()
        except Exception as fault:
            self.fault = fault
        self.is_over = True

    def write(self):
        until = time.monotonic() + self.seconds
        sizes = 0
        while time.monotonic() < until:
            for _ in range(CHANGES):
                sizes += 1
                files = self.film.next_version(self.sizes[sizes % len(self.sizes)])
                self.quiet_from = float("inf")
                self.change(self.film, files)
                time.sleep(random.uniform(0, 0.2))
            self.wait_until_served()
            self.rest()
        self.quiet_from = float("inf")

    def wait_until_served(self):
        """Until the manifest and a fragment of each track are answered with 200 again."""
        time.sleep(SETTLED)
        until = time.monotonic() + QUIET
        left = ["Manifest", *{path.split("=")[0]: path for path in self.film.heads}.values()]
        while left:
            status = status_of(self.port, left[-1])
            if status == 200:
                left.pop()
            elif time.monotonic() > until:
                raise AssertionError(f"{left[-1]}: {status}, {SETTLED + QUIET} s after the last change")
            else:
                time.sleep(0.02)

    def rest(self):
        began, before = time.monotonic(), self.quiet()
        self.quiet_from = began
        least = began + min(REST, self.seconds / 4)
        while (now := time.monotonic()) < least or self.quiet() - before < ENOUGH and now < began + QUIET:
            time.sleep(0.02)


def status_of(port, path):
    """The status of a complete response; None if it is cut off."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", f"/film.ism/{path}")
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Client(threading.Thread):
    """Asks until the writer is done, and keeps the fault that ended it, if one did."""

    def __init__(self, port, film, writer):
        super().__init__()
        self.arguments = port, film, writer
        self.counts, self.fault = collections.Counter(), None

    @property
    def quiet(self):
        """The number of responses while the writer rested."""
        return sum(count for (_, is_quiet), count in list(self.counts.items()) if is_quiet)

    def run(self):
        try:
            ask(*self.arguments, self.counts)
        except Exception as fault:
            self.fault = fault


def ask(port, film, writer, counts):
    paths = list(film.heads)
    connection = None
    while not writer.is_over:
        path = "Manifest" if random.random() < 0.1 else random.choice(paths)
        first, headers = 0, {}
        if path != "Manifest" and random.random() < 0.25:
            first = random.randrange(60_000)
            headers = {"Range": f"bytes={first}-{first + random.randrange(1_000, 800_000)}"}
        quiet = time.monotonic() >= writer.quiet_from
        try:
            connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", f"/film.ism/{path}", headers=headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            with contextlib.suppress(OSError):
                connection.close()
            connection = None
            outcome = "cut"
        else:
            if response.status not in (200, 206):
                outcome = str(response.status)
                assert response.status != 503 or response.getheader("Retry-After"), "503 without Retry-After"
                assert response.getheader("Cache-Control") == "no-store" or response.status != 503
            else:
                outcome = film.verdict(path, body, first if response.status == 206 else 0)
        # A change that began meanwhile is not the server's fault.
        quiet = quiet and time.monotonic() >= writer.quiet_from
        counts[outcome, quiet] += 1
        if outcome in ("cut", "503"):
            time.sleep(0.02)


def measure(program, way, seconds, film, port):
    writer = Writer(film, way, seconds, port)
    threads = [writer, *(Client(port, film, writer) for _ in range(CLIENTS))]
    writer.quiet = lambda: sum(client.quiet for client in threads[1:])
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for thread in threads:
        if thread.fault:
            raise thread.fault
    return report(program, way, sum((client.counts for client in threads[1:]), collections.Counter()))


def report(program, way, counts):
    """Prints a line, and returns whether the bars are met."""
    of = lambda outcome: counts[outcome, False] + counts[outcome, True]
    quiet = sum(count for (_, is_quiet), count in counts.items() if is_quiet)
    right = counts["right", True] / quiet if quiet else 0
    others = sorted({outcome for outcome, _ in counts} - {"right", "mixed", "unknown", "503", "cut"})
    allowed = MAY_FAIL.get(way, set())
    wrong = sum(counts[other, quiet] for other in others for quiet in (False, True) if quiet or other not in allowed)
    others = "".join(f", {other}: {of(other)}" for other in others) + (f" ({wrong} WRONG)" if wrong else "")
    print(
        f"{program:9} {way:30} {of('right'):>7,} {of('mixed'):>6} {of('unknown'):>7} {of('503'):>7,} {of('cut'):>6,}"
        f" {right:>7.1%} of {quiet:,}{others}",
        flush=True,
    )
    return of("mixed") + of("unknown") + wrong == 0 and right >= QUIET_BAR


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="per way and server [default: %(default)s]")
    parser.add_argument("--only", metavar="WAY,…", default="", help=f"ways that begin so, of: {'; '.join(WAYS)}")
    parser.add_argument("--servers", metavar="NAME,…", default=",".join(SERVERS))
    parser.add_argument("--programs", metavar="FOLDER", type=pathlib.Path, help="with the servers [default: built here]")
    options = parser.parse_args()
    ways = [way for way in WAYS if any(way.startswith(only) for only in options.only.split(","))]
    print(f"{'':40} {'right':>7} {'mixed':>6} {'unknown':>7} {'503':>7} {'cut':>6}   right while the writer rests")
    is_good = True
    for program in options.servers.split(","):
        for way in ways:
            with tempfile.TemporaryDirectory() as folder:
                film = Film(pathlib.Path(folder))
                (film.folder / "film.ism").write_bytes(film.sizes[0]["film.ism"])
                for name, content in film.next_version().items():
                    (film.folder / name).write_bytes(content)
                with Server(folder, *SERVERS[program], program=program, programs=options.programs, log=subprocess.DEVNULL) as server:
                    is_good &= measure(program, way, options.seconds, film, server.port)
    if not is_good:
        sys.exit(
            "a complete response was of no version, a status was wrong, or too few responses were complete while the"
            " writer rested"
        )


if __name__ == "__main__":
    main()
