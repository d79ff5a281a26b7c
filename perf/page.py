#!/usr/bin/env python3
"""The page of the example server: its start and its list over 100,000 presentations, and a film of three hours.

    python3 perf/page.py [FOLDER WITH A BUILT serve AND write_film]

The root has 100,000 server manifests in 1,000 folders, and a film of 3 h with ten tracks. Times are medians of fresh
processes or of requests; memory is all that is resident, and the most that ever was (`VmHWM`).
"""

import gzip
import http.client
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from common import build, example, processor_seconds

TITLES = 100_000
FOLDERS = 1_000
FILM = 3 * 3600
TRACKS = 10
RUNS = 7
PORT = 18_421
SMALLEST = """<?xml version="1.0" encoding="utf-8"?>
<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><switch>
<video src="{name}.ismv" systemBitrate="1000000"/>
</switch></body></smil>
"""


def write_root(root):
    for folder in range(FOLDERS):
        path = root / f"season {folder:04}"
        path.mkdir()
        for title in range(TITLES // FOLDERS):
            name = f"a title with a usual name {folder:04} {title:03}"
            (path / f"{name}.ism").write_text(SMALLEST.format(name=name))


class Process:
    """The server over a folder, from before it is made, as a context."""

    def __init__(self, program, root):
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [program, root, "--listen", f"127.0.0.1:{PORT}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        while True:
            connection = socket.socket()
            if connection.connect_ex(("127.0.0.1", PORT)) == 0:
                break
            connection.close()
            time.sleep(0.0005)
        connection.close()
        self.start = 1000 * (time.perf_counter() - began)
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.terminate()
        self.process.wait()

    def memory(self, what):
        """MiB of memory."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s*(\d+) kB", text)[1]) / 1024

    def get(self, target):
        """Milliseconds, bytes on the line, and the JSON."""
        began = time.perf_counter()
        self.connection.request("GET", target, headers={"Accept-Encoding": "gzip"})
        response = self.connection.getresponse()
        body = response.read()
        took = 1000 * (time.perf_counter() - began)
        if response.status != 200:
            sys.exit(f"{target}: {response.status} {body[:500]}")
        plain = gzip.decompress(body) if response.getheader("Content-Encoding") == "gzip" else body
        return took, len(body), json.loads(plain)

    def walked(self):
        """Seconds until the list is complete."""
        began = time.perf_counter()
        while not self.get("/-/api/presentations")[2]["complete"]:
            time.sleep(0.01)
        return time.perf_counter() - began


def report(what, value, unit, bar=None):
    mark = "" if bar is None else f"   (bar {bar:g} {unit}{'' if value <= bar else ', MISSED'})"
    print(f"{what:<58}{value:>9.1f} {unit}{mark}", flush=True)


def main():
    if len(sys.argv) > 1:
        serve, write_film = (pathlib.Path(sys.argv[1]) / name for name in ("examples/serve", "write_film"))
    else:
        serve, write_film = example("serve"), build("-p", "smooth-origin-perf", "--bin", "write_film")
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write_root(root)
        (root / "film").mkdir()
        subprocess.run([write_film, root / "film", str(FILM), "2000", str(TRACKS)], check=True)
        starts, lists, first = [], [], []
        for _ in range(RUNS):
            with Process(serve, root) as process:
                starts.append(process.start)
                first.append(process.memory("VmRSS"))
                lists.append(process.get("/-/api/presentations")[0])
        report("start to listening", statistics.median(starts), "ms", 200)
        report("memory then", max(first), "MiB", 20)
        report("the list, first answer of a process", statistics.median(lists), "ms", 300)
        with Process(serve, root) as process:
            time.sleep(3)
            report("memory after 3 s, nobody has asked", process.memory("VmRSS"), "MiB", 20)
            report("most memory until then", process.memory("VmHWM"), "MiB")
        with Process(serve, root) as process:
            report("walk of all presentations", 1000 * process.walked(), "ms")
            for query in ["limit=100", "search=0999+09", "search=nothing+at+all", "after=season+0900&limit=1000"]:
                times = [process.get(f"/-/api/presentations?{query}")[0] for _ in range(RUNS)]
                report(f"the list, {query}", statistics.median(times), "ms", 300)
            report("memory with the list", process.memory("VmRSS"), "MiB")
            name = "film/film.ism"
            for part in ["presentation", "timeline"]:
                opened, size, _ = process.get(f"/-/api/{part}?name={name}")
                times = [process.get(f"/-/api/{part}?name={name}")[0] for _ in range(RUNS)]
                report(f"{part} of 3 h with {TRACKS} tracks, first answer", opened, "ms")
                report(f"{part}, later answers", statistics.median(times), "ms", 50)
                before = processor_seconds([process.process.pid])
                for _ in range(10 * RUNS):
                    process.get(f"/-/api/{part}?name={name}")
                used = processor_seconds([process.process.pid]) - before
                report(f"{part}, processor time of an answer", 1000 * used / (10 * RUNS), "ms", 50)
                report(f"{part}, compressed", size / 1024, "KiB")
            boxes = f"/-/api/boxes?name={name}&stream=0&track=4&fragment=2700"
            times = [process.get(boxes)[0] for _ in range(RUNS)]
            report("boxes of a fragment", statistics.median(times), "ms", 50)


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    main()
