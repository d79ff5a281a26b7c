#!/usr/bin/env python3
"""Players follow an event for minutes, with a short window, and the memory of the server stays level. Run by hand.

    long.py [--serve target/release/examples/serve] [--players target/players] [--seconds 600] [--window 60] [CLIENT...]

ffmpeg pushes two qualities and sound in fragments of two seconds. dash.js (Smooth Streaming), hls.js and Shaka Player (DASH), or the
clients named, follow at once. `follow.mjs` says what counts as followed. The server's own memory is read every ten seconds: once the window
and the 30 s behind it are full, the mean of the last third may be 5 % more than that of the first. Prints the memory and a line for each
client; the status is non-zero if a client failed or memory grew.
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

from players import BEFORE, ROOT, film
from wire import Server

CLIENTS = ("dashjs", "hls.js", "shaka-dash")
KEPT = 30
"""Seconds that a chunk is served behind the window."""


def own_memory(pid):
    """MB of a process that are of no file."""
    return int(re.search(r"RssAnon:\s*(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", default=ROOT / "target/release/examples/serve")
    parser.add_argument("--players", default=ROOT / "target/players", help="folder of players/install.sh (%(default)s)")
    parser.add_argument("--seconds", type=int, default=600, help="how long the clients follow (%(default)s)")
    parser.add_argument("--window", type=int, default=60, help="seconds that players can go back (%(default)s)")
    parser.add_argument("clients", nargs="*", default=CLIENTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Server(options.serve, name, "--live", "--live-window", str(options.window)) as server:
        path = film(pathlib.Path(name), 60)
        base = f"http://127.0.0.1:{server.address[1]}/event.isml"
        mux = ["-map", "0", "-c", "copy", "-movflags", "isml+frag_keyframe", "-f", "ismv", f"{base}/Streams(enc1)"]
        began = time.time()
        encoder = subprocess.Popen(["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", path, *mux], stdin=subprocess.DEVNULL)
        memory, has_ended = [], threading.Event()

        def watch():
            while not has_ended.wait(10):
                memory.append((time.time() - began, own_memory(server.process.pid)))
                print(f"{memory[-1][0]:5.0f} s  {memory[-1][1]:6.1f} MB", flush=True)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            time.sleep(BEFORE)

            def follow(client):
                command = [HERE / "follow.mjs", client, f"{base}/Manifest", "--seconds", str(options.seconds), "--began", str(began)]
                said = subprocess.run([*command, "--players", options.players], capture_output=True, text=True)
                print((said.stdout + said.stderr[-300:]).strip(), flush=True)
                return said.returncode == 0

            with ThreadPoolExecutor(len(options.clients)) as pool:
                results = list(pool.map(follow, options.clients))
            has_gone_on = encoder.poll() is None
        finally:
            has_ended.set()
            encoder.kill()
            encoder.wait()
            watcher.join()
    level = [megabytes for at, megabytes in memory if at > options.window + KEPT + 20]
    third = max(1, len(level) // 3)
    first, last = (statistics.mean(part) for part in (level[:third], level[-third:])) if level else (0, 0)
    is_level = last <= 1.05 * first
    print(f"memory with a full window: {first:.1f} MB at first, {last:.1f} MB at last, {'level' if is_level else 'growing'}")
    print(f"{sum(results)} of {len(results)} clients followed{'' if has_gone_on else '; the encoder ended'}")
    sys.exit(not (all(results) and has_gone_on and is_level))


if __name__ == "__main__":
    main()
