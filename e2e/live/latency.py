#!/usr/bin/env python3
"""How far players are behind what is recorded, and what of that cannot be avoided. Run by hand.

    latency.py [--serve target/release/examples/serve] [--players target/players] [--look-ahead 2 ...] [--live-delay SECONDS] [CLIENT...]

ffmpeg pushes fragments of two seconds, as they would leave an encoder. For each look-ahead, the clients follow (dash.js as Smooth Streaming and as DASH,
hls.js and Shaka Player), and the table says for each:

- edge: the age of the end of the last chunk when the player read its first manifest. A chunk can be listed when it and the chunks held back behind it
  are there, and then grows old until the next one is listed: from look-ahead × 2 s to 2 s more
- player: how far from that end the player plays, which is its own rule (`--live-delay` sets another one)
- sum: the measured distance from the recording
- server: how much later chunks were listed than they could be (median); with the start of ffmpeg, and read ten times a second. The bar is 0.5 s.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent / "http"))

from check import announced, get
from players import ROOT, film
from wire import Server

CLIENTS = ("dashjs", "dashjs-dash", "hls.js", "shaka-dash")
FRAGMENT = 2.0
SECOND = 10_000_000
BAR = 0.5


class Edge(threading.Thread):
    """When which end of the video was listed."""

    def __init__(self, base):
        super().__init__(daemon=True)
        self.base, self.seen, self.has_ended = base, [], threading.Event()

    def run(self):
        while not self.has_ended.wait(0.1):
            status, manifest = get(f"{self.base}/Manifest")
            if status != 200:
                continue
            ends = [(start + duration) / SECOND for _, name, start, duration in announced(manifest) if name.startswith("video")]
            if ends and (not self.seen or max(ends) > self.seen[-1][1]):
                self.seen.append((time.time(), max(ends)))

    def at(self, clock):
        """The end that was listed at a time of the clock."""
        return max((end for when, end in self.seen if when <= clock), default=self.seen[0][1])


def measure(options, look_ahead):
    with tempfile.TemporaryDirectory() as name, Server(options.serve, name, "--live", "--live-look-ahead", str(look_ahead)) as server:
        path = film(pathlib.Path(name), 120)
        base = f"http://127.0.0.1:{server.address[1]}/event.isml"
        mux = ["-map", "0", "-c", "copy", "-movflags", "isml+frag_keyframe", "-f", "ismv", f"{base}/Streams(enc1)"]
        began = time.time()
        encoder = subprocess.Popen(["ffmpeg", "-v", "error", "-re", "-i", path, *mux], stdin=subprocess.DEVNULL)
        edge = Edge(base)
        edge.start()
        try:
            time.sleep(24)

            def follow(client):
                command = [HERE / "follow.mjs", client, f"{base}/Manifest", "--seconds", "10", "--began", str(began), "--players", options.players]
                if options.live_delay:
                    command += ["--live-delay", str(options.live_delay)]
                said = subprocess.run(command, capture_output=True, text=True)
                return client, (said.stdout + said.stderr[-300:]).strip()

            with ThreadPoolExecutor(2) as pool:
                results = list(pool.map(follow, options.clients))
        finally:
            edge.has_ended.set()
            encoder.kill()
            encoder.wait()
    late = statistics.median(when - began - end - look_ahead * FRAGMENT for when, end in edge.seen[1:])
    met = late <= BAR
    for client, said in results:
        found = re.search(r"([\d.]+) s behind the recording \([^)]*\), first manifest at ([\d.]+)", said)
        if not found:
            print(f"| {client} | {look_ahead} | {said} |")
            met = False
            continue
        behind, clock = float(found[1]), float(found[2])
        end = edge.at(clock)
        age = clock - began - end
        print(f"| {client} | {look_ahead} | {age:.2f} | {behind - age:.2f} | {behind:.2f} | {late:.2f} |", flush=True)
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", default=ROOT / "target/release/examples/serve")
    parser.add_argument("--players", default=ROOT / "target/players", help="folder of players/install.sh (%(default)s)")
    parser.add_argument("--look-ahead", type=int, nargs="*", default=[2, 1], help="chunks held back (%(default)s)")
    parser.add_argument("--live-delay", type=float, help="seconds from the live edge that players are set to")
    parser.add_argument("clients", nargs="*", default=CLIENTS)
    options = parser.parse_args()
    print("| Player | Look-ahead | Edge, s | Player, s | Sum, s | Server, s |\n|---|---|---|---|---|---|")
    met = [measure(options, look_ahead) for look_ahead in options.look_ahead]
    sys.exit(not all(met))


if __name__ == "__main__":
    main()
