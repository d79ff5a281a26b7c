#!/usr/bin/env python3
"""Players follow an event that ffmpeg pushes to `serve --live`.

    players.py [--serve target/release/examples/serve] [--players target/players] [--seconds 15] [CLIENT...]

ffmpeg pushes a film with two qualities and sound, in fragments of two seconds. After 20 s the clients follow it for some
seconds each, three at a time: as Smooth Streaming dash.js, RxPlayer, GStreamer and VLC; as DASH dash.js, Shaka Player and
RxPlayer; as HLS hls.js and Shaka Player. `follow.mjs` and `follow.py` say what counts as followed. Prints a line for each client,
with the time by which players in the browser are behind the recording, and the status is non-zero if one failed.

The last three stay when they have followed. The operator then stops the event, and each is to play what is left and to say that it
has ended. dash.js and RxPlayer do not, if they play Smooth Streaming: see docs/live-ingest.md, Known limits.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(1, str(HERE.parent / "http"))

from wire import Server

IN_BROWSER = ("dashjs", "rxplayer", "shaka-dash", "rx-dash", "dashjs-dash", "hls.js", "shaka-hls")
TO_END = ("dashjs-dash", "hls.js", "shaka-hls")
OTHERS = ("playbin", "vlc")
"""`mssdemux2` of GStreamer 1.22 (playbin3) plays nothing that is live: findings/gstreamer-mssdemux2-live.sh."""

TOGETHER = 3
"""Clients that follow at a time: they mostly wait for the clock."""

PATIENCE = 300
"""Seconds that a client takes at most that stays until the event has ended."""

BEFORE = 20
"""Seconds of the event before the first client comes."""


def film(folder, seconds):
    path = folder / "film.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    video = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0"]
    qualities = ["-b:v:0", "300k", "-b:v:1", "120k", "-s:v:1", "160x90"]
    command = ["ffmpeg", "-v", "error", *sources, "-t", str(seconds), "-map", "0:v", "-map", "0:v", "-map", "1:a"]
    subprocess.run([*command, *video, *qualities, "-c:a", "aac", "-b:a", "64k", path], check=True)
    return path


MAY_BE_BUSY = re.compile(r"lost [\d.]+ s in|has not started within|times step back|s of video in|does not end within")
"""Failures that a busy machine may cause. A client with such a one that does not stay to the end follows once more."""


def tried(command, patience):
    """Whether a client has followed, and what it says."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return False, f"failed  {command[1]} does not end within {patience} s"
    line = (said.stdout + said.stderr[-300:]).strip()
    return said.returncode == 0 and line.startswith("played"), line


class End:
    """The end of the event, when the last client has followed it."""

    def __init__(self, point, encoder, clients):
        self.point, self.encoder, self.clients = point, encoder, clients
        self.waited, self.lock = set(), threading.Lock()
        self.is_over = self.has_gone_on = False

    def waits_for(self, clients):
        self.waited = set(clients)

    def has_followed(self, client):
        with self.lock:
            self.waited.discard(client)
            if self.waited or self.is_over or not self.clients:
                return
            self.is_over = True
        self.has_gone_on = self.encoder.poll() is None
        server, _, name = self.point.removeprefix("http://").partition("/")
        order = urllib.request.Request(f"http://{server}/-/live/stop?name={name}", method="POST")
        urllib.request.urlopen(order, timeout=60).close()

    def follow(self, client, command):
        """A client that stays until the event has ended."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        patience = threading.Timer(PATIENCE, process.kill)
        patience.start()
        with process:
            lines = []
            for line in process.stdout:
                if line == "followed\n":
                    self.has_followed(client)
                else:
                    lines.append(line.strip())
        patience.cancel()
        # One that has failed keeps nobody from the end.
        self.has_followed(client)
        print(" ".join(lines)[:600], flush=True)
        return process.returncode == 0 and bool(lines) and lines[-1].startswith("played")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", default=ROOT / "target/release/examples/serve")
    parser.add_argument("--players", default=ROOT / "target/players", help="folder of players/install.sh (%(default)s)")
    parser.add_argument("--seconds", type=int, default=15, help="how long each client follows (%(default)s)")
    parser.add_argument("clients", nargs="*", help="those that follow; all, if none is named")
    options = parser.parse_args()
    clients = options.clients or [*OTHERS, *IN_BROWSER]
    # Those that stay make room for nobody.
    clients.sort(key=lambda client: client in TO_END)
    length = BEFORE + (options.seconds + 90) * -(-len(clients) // TOGETHER)
    with tempfile.TemporaryDirectory() as name, Server(options.serve, name, "--live") as server:
        path = film(pathlib.Path(name), length)
        base = f"http://127.0.0.1:{server.address[1]}/event.isml"
        mux = ["-map", "0", "-c", "copy", "-movflags", "isml+frag_keyframe", "-f", "ismv", f"{base}/Streams(enc1)"]
        began = time.time()
        encoder = subprocess.Popen(["ffmpeg", "-v", "fatal", "-re", "-i", path, *mux], stdin=subprocess.DEVNULL)
        try:
            time.sleep(BEFORE)
            end = End(base, encoder, [client for client in clients if client in TO_END])

            def follow(client):
                program = "follow.mjs" if client in IN_BROWSER else "follow.py"
                command = [HERE / program, client, f"{base}/Manifest", "--seconds", str(options.seconds)]
                if client in IN_BROWSER:
                    command += ["--players", options.players, "--began", str(began)]
                if client in TO_END:
                    return end.follow(client, [*command, "--to-end"])
                has_played, line = tried(command, options.seconds + 150)
                if not has_played and MAY_BE_BUSY.search(line):
                    before = line
                    has_played, line = tried(command, options.seconds + 150)
                    line += f"; at try 2, before: {before}"
                end.has_followed(client)
                print(line, flush=True)
                return has_played

            end.waits_for(clients)
            with ThreadPoolExecutor(TOGETHER) as pool:
                results = list(pool.map(follow, clients))
            has_gone_on = end.has_gone_on if end.clients else encoder.poll() is None
        finally:
            encoder.kill()
            encoder.wait()
    if not has_gone_on:
        print("the encoder ended before the last client did")
    print(f"{sum(results)} of {len(results)} clients followed")
    sys.exit(not (all(results) and has_gone_on))


if __name__ == "__main__":
    main()
