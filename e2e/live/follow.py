#!/usr/bin/env python3
"""Follows a live presentation with GStreamer or VLC, for a while.

    follow.py CLIENT URL [--seconds N]

CLIENT is `playbin` (`mssdemux`), `playbin3` (`mssdemux2`) or `vlc`; URL is the address of a manifest.

Counts as followed: decoded video and audio (VLC: packets that it recorded) cover at least the time less what a player takes
to start, times ascend, and no error is reported. It follows for N seconds, and for longer if a machine that is busy needs longer
for that.
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

LONGER = 40.0
"""Seconds for which a player goes on, if it has covered too little until then."""


def run_for(seconds, command, is_enough, **options):
    """What a command prints until it is interrupted after some seconds, or a while later when that `is_enough`."""
    with tempfile.NamedTemporaryFile("w+", errors="replace") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, **options)
        # It is read by a name of its own: the process goes on writing where it is.
        printed = lambda: pathlib.Path(file.name).read_text(errors="replace")
        until = time.monotonic() + seconds + LONGER
        wait(process, seconds)
        while process.poll() is None and time.monotonic() < until and not is_enough(printed()):
            wait(process, 1)
        ended = process.poll() is not None
        process.send_signal(signal.SIGINT)
        wait(process, 10)
        process.kill()
        process.wait()
        return printed(), ended


def wait(process, seconds):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def covers(read, source, seconds):
    """Whether what is read of a source that may end in the middle of something covers enough."""
    try:
        return all(length >= seconds - TO_START for length in read(source).values())
    except Failed:
        return False


def length_of(kind, times):
    """The seconds from the first to the last time."""
    if any(later < earlier for earlier, later in zip(times, times[1:])):
        raise Failed(f"times of {kind} step back")
    return times[-1] - times[0] if times else 0


def gstreamer(player, url, seconds):
    sinks = [f"{kind}-sink=fakesink name={kind} sync=true silent=false" for kind in ("video", "audio")]
    command = ["gst-launch-1.0", "-v", player, f"uri={url}", *sinks]
    is_enough = lambda out: ERROR.search(out) or covers(decoded, out, seconds)
    out, ended = run_for(seconds, command, is_enough, env={**os.environ, "LC_ALL": "C"})
    errors = ERROR.findall(out)
    if errors:
        raise Failed(" / ".join(dict.fromkeys(f"{element}: {message}" for element, message in errors)))
    if ended:
        raise Failed("it ended by itself, while the presentation is live")
    return decoded(out)


def decoded(out):
    """Seconds of video and audio by the lines of GStreamer's sinks."""
    times = {}
    for kind, *clock in BUFFER.findall(out):
        times.setdefault(kind, []).append(clock_of(clock[:3]))
    return {kind: length_of(kind, times.get(kind, [])) for kind in ("video", "audio")}


def vlc(url, seconds):
    """VLC records what it plays; ffprobe reads the times of the packets."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        record = f"{folder}/record.ts"
        command = ["cvlc", "-I", "dummy", "--no-video-title-show", "--sout", f"#std{{access=file,mux=ts,dst={record}}}", "--sout-all", url]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
        is_enough = lambda _: covers(recorded, record, seconds)
        out, ended = run_for(seconds, command, is_enough, env={**os.environ, "HOME": folder, "LC_ALL": "C"})
        if ended:
            raise Failed(f"it ended by itself, while the presentation is live: {out[-300:]}")
        return recorded(record)


def recorded(file):
    """Seconds of video and audio in a file that may grow."""
    probe = ["ffprobe", "-v", "error", "-show_entries", "packet=codec_type,dts_time", "-of", "json", file]
    packets = json.loads(subprocess.run(probe, capture_output=True, text=True).stdout or "{}").get("packets", [])
    times = lambda kind: [float(packet["dts_time"]) for packet in packets if packet["codec_type"] == kind and "dts_time" in packet]
    return {kind: length_of(kind, times(kind)) for kind in ("video", "audio")}


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
