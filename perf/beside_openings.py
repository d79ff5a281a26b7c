#!/usr/bin/env python3
"""Measures how long a worker's other connections wait while it opens hostile titles.

    python3 perf/beside_openings.py

`serve` has one worker. Some good clients fetch small fragments of a film over connections that stay open, first
alone, then while another connection asks for one generated worst case after the other, each of about 2 MB and each
for the first time. Every answer is compared with the first. The bar is a 99th percentile of 20 ms.
"""

import http.client
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from common import Server, build, run, write_film

GOOD = 4
SECONDS = 10
# More titles than are opened in that time.
COPIES = 100
BAR = 0.020
FRAGMENT = 30_000
TARGET = "/film/film.ism/QualityLevels(400000)/Fragments(video=0)"


def good(port, stop, waits, faults):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    first = None
    while not stop.is_set():
        began = time.perf_counter()
        connection.request("GET", TARGET)
        response = connection.getresponse()
        body = response.read()
        waits.append(time.perf_counter() - began)
        first = first or body
        if response.status != 200 or body != first or not body:
            faults.append(response.status)
            return
        # A player waits as well; without a pause the clients measure each other.
        time.sleep(0.002)


def hostile(port, titles, stop, opened):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for title in titles:
        if stop.is_set():
            return
        connection.request("GET", f"/{title}/film.ism/Manifest")
        connection.getresponse().read()
        opened.append(title)


def copies(folder, count):
    """The titles, each under as many names: a title is opened once and then kept."""
    originals = sorted(path.parent for path in folder.glob("*/film.ism") if path.parent.name != "film")
    for number in range(count):
        for original in originals:
            copy = folder / f"{original.name}-{number}"
            copy.mkdir()
            for file in original.iterdir():
                os.link(file, copy / file.name)
            yield copy.name


def phase(port, titles):
    stop, waits, faults, opened = threading.Event(), [], [], []
    threads = [threading.Thread(target=good, args=(port, stop, waits, faults)) for _ in range(GOOD)]
    if titles:
        threads.append(threading.Thread(target=hostile, args=(port, titles, stop, opened)))
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    if faults:
        sys.exit(f"good clients got {faults}")
    return sorted(waits), len(opened)


def main():
    worst = build("-p", "smooth-origin-benches", "--bin", "worst")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_film(folder / "film", 60, FRAGMENT)
        run(worst, "write", folder)
        titles = list(copies(folder, COPIES))
        with Server(folder, "--list", "0", workers=1, log=subprocess.DEVNULL) as server:
            phase(server.port, [])
            alone, _ = phase(server.port, [])
            beside, opened = phase(server.port, titles)
    print(f"{'':28} {'requests':>9} {'median':>9} {'p99':>9} {'longest':>9}")
    for name, waits in (("alone", alone), (f"beside {opened} hostile titles", beside)):
        p99 = waits[len(waits) * 99 // 100]
        print(f"{name:28} {len(waits):>9,} {statistics.median(waits) * 1e3:>6.2f} ms {p99 * 1e3:>6.2f} ms {waits[-1] * 1e3:>6.2f} ms")
    if opened == len(titles):
        sys.exit("all hostile titles were opened before the time was over: make more copies")
    p99 = beside[len(beside) * 99 // 100]
    if p99 > BAR:
        sys.exit(f"beside hostile titles the 99th percentile is {p99 * 1e3:.1f} ms, more than {BAR * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
