#!/usr/bin/env python3
"""Follows a live presentation with GStreamer or VLC, for a while.

    follow.py CLIENT URL [--seconds N]

CLIENT is `playbin` (`mssdemux`), `playbin3` (`mssdemux2`) or `vlc`; URL is the address of a manifest.

Counts as followed: within the time, decoded video and audio (VLC: packets that it recorded) cover at least the time less
what a player takes to start, times ascend, and no error is reported.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "players"))

from gstreamer import BUFFER, ERROR, seconds as clock_of
from outcome import attempt
from presentation import Failed

TO_START = 8.0
"""Seconds that a player may take before its first frame is shown."""


def run_for(seconds, command, **options):
    """What a command prints until it is interrupted after some seconds."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options
    )
    try:
        out, _ = process.communicate(timeout=seconds)
        ended = True
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            out, _ = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
        ended = False
    return out, ended


def gstreamer(player, url, seconds):
    sinks = [f"{kind}-sink=fakesink name={kind} sync=true silent=false" for kind in ("video", "audio")]
    command = ["gst-launch-1.0", "-v", player, f"uri={url}", *sinks]
    out, ended = run_for(seconds, command, env={**os.environ, "LC_ALL": "C"})
    errors = ERROR.findall(out)
    if errors:
        raise Failed(" / ".join(dict.fromkeys(f"{element}: {message}" for element, message in errors)))
    if ended:
        raise Failed("it ended by itself, while the presentation is live")
    times = {}
    for kind, *clock in BUFFER.findall(out):
        times.setdefault(kind, []).append(clock_of(clock[:3]))
    covered = {}
    for kind in ("video", "audio"):
        seen = times.get(kind, [])
        if any(later < earlier for earlier, later in zip(seen, seen[1:])):
            raise Failed(f"times of {kind} step back")
        covered[kind] = seen[-1] - seen[0] if seen else 0
    return covered


def vlc(url, seconds):
    """VLC records what it plays; ffprobe reads the times of the packets."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        record = f"{folder}/record.ts"
        command = ["cvlc", "-I", "dummy", "--no-video-title-show", "--sout", f"#std{{access=file,mux=ts,dst={record}}}", "--sout-all", url]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
        out, ended = run_for(seconds, command, env={**os.environ, "HOME": folder, "LC_ALL": "C"})
        if ended:
            raise Failed(f"it ended by itself, while the presentation is live: {out[-300:]}")
        probe = ["ffprobe", "-v", "error", "-show_entries", "packet=codec_type,dts_time", "-of", "json", record]
        packets = json.loads(subprocess.run(probe, capture_output=True, text=True, check=True).stdout)["packets"]
    covered = {}
    for kind in ("video", "audio"):
        seen = [float(packet["dts_time"]) for packet in packets if packet["codec_type"] == kind and "dts_time" in packet]
        if any(later < earlier for earlier, later in zip(seen, seen[1:])):
            raise Failed(f"times of {kind} step back")
        covered[kind] = seen[-1] - seen[0] if seen else 0
    return covered


def follow(client, url, seconds):
    began = time.monotonic()
    covered = vlc(url, seconds) if client == "vlc" else gstreamer(client, url, seconds)
    took = time.monotonic() - began
    for kind, length in covered.items():
        if length < seconds - TO_START:
            raise Failed(f"{length:.1f} s of {kind} in {took:.1f} s")
    return "live  " + ", ".join(f"{length:.1f} s of {kind}" for kind, length in covered.items()) + f" in {took:.1f} s"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("client", choices=("playbin", "playbin3", "vlc"))
    options.add_argument("url")
    options.add_argument("--seconds", type=float, default=20, help="how long it follows (%(default)s)")
    given = options.parse_args()
    return 0 if attempt(given.client, given.url, lambda: follow(given.client, given.url, given.seconds)) else 1


if __name__ == "__main__":
    sys.exit(main())
