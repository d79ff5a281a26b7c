#!/usr/bin/env python3
"""Compares the processor time for a manifest with that of nginx, which serves the same bytes as a file.

    python3 perf/manifest.py [ROUNDS]

Needs nginx and wrk. All serve with one worker; they are measured in turn, and what counts is the
ratio of the medians of processor time a request. nginx is measured with `sendfile`, which the bar is
about, and without: then it copies what it sends once more than we do.
"""

import gzip
import pathlib
import re
import statistics
import sys
import tempfile

from client import compressed, get
from common import Server, processor_seconds, run, write_film
from nginx import STATIC, Nginx

BAR = 1.1
SECONDS = 2
FILMS = {"10 min": 600, "3 h": 3 * 3600}


def measure(server, path, coding):
    """Processor time of a request, in microseconds."""
    before = processor_seconds(server.pids)
    output = run(
        "wrk", "-t1", "-c32", f"-d{SECONDS}s", "-H", f"Accept-Encoding: {coding}",
        f"http://127.0.0.1:{server.port}{path}",
    )
    spent = processor_seconds(server.pids) - before
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(output)
    return spent / int(re.search(r"(\d+) requests in", output)[1]) * 1e6


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for index, seconds in enumerate(FILMS.values()):
            write_film(folder / f"media/{index}", seconds, 300)
        folder.chmod(0o755)
        with Server(folder / "media", workers=1) as ours:
            missed = []
            for index, length in enumerate(FILMS):
                path = f"/{index}/film.ism/Manifest"
                plain, short = get(ours.port, path, "identity")[1], compressed(ours.port, path)
                assert short and gzip.decompress(short) == plain
                file = folder / f"www{path}"
                file.parent.mkdir(parents=True)
                file.write_bytes(plain)
                file.with_name("Manifest.gz").write_bytes(short)
            copying = STATIC + " sendfile off;"
            with (
                Nginx(folder / "nginx", folder / "www") as nginx,
                Nginx(folder / "copying", folder / "www", copying) as copies,
            ):
                for index, length in enumerate(FILMS):
                    for coding in ["identity", "gzip"]:
                        path = f"/{index}/film.ism/Manifest"
                        content = get(ours.port, path, coding)
                        assert content == get(nginx.port, path, coding)
                        what = f"{length}, {coding}, {len(content[1]):,} bytes"
                        if compare(what, [ours, nginx, copies], path, coding, rounds) > BAR:
                            missed.append(what)
    if missed:
        sys.exit(f"more than {BAR} times nginx: {'; '.join(missed)}")


def compare(what, servers, path, coding, rounds):
    took = [[] for _ in servers]
    for number in range(rounds + 1):
        for times, server in zip(took, servers):
            microseconds = measure(server, path, coding)
            # The first round warms up.
            if number > 0:
                times.append(microseconds)
    ours, nginx, copies = map(statistics.median, took)
    ratios = sorted(a / b for a, b in zip(took[0], took[1]))
    print(
        f"{what}: {ours:.1f} µs a request, nginx {nginx:.1f} µs, without sendfile {copies:.1f} µs: "
        f"{ours / nginx:.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f}; bar: {BAR}), "
        f"{ours / copies:.2f} times without sendfile",
        flush=True,
    )
    return ours / nginx


if __name__ == "__main__":
    main()
