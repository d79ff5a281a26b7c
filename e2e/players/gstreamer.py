#!/usr/bin/env python3
"""Plays manifests with GStreamer: playbin, which takes `mssdemux`, and playbin3, which takes `mssdemux2`; with
`--format`, the same presentation as DASH or HLS with the demuxers for these.

Counts as played: end of stream without an error, and the last decoded video and audio times within 1 s of the
`Duration` of the manifest of Smooth Streaming. A player that hangs is tried a second time. Which quality is played is the
player's choice; the bytes are not compared (`ytdlp.py` does).
"""

import argparse
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True

from outcome import attempt
from presentation import Failed, fetch_manifest

PLAYERS = {
    "smooth": ("Manifest", {"playbin": "GstMssDemux", "playbin3": "GstMssDemux2"}),
    "dash": ("manifest.mpd", {"playbin": "GstDashDemux", "playbin3": "GstDashDemux2"}),
    "hls": ("master.m3u8", {"playbin": "GstHLSDemux", "playbin3": "GstHLSDemux2"}),
}
"""For each format, the manifest's name, the players, and the type of the demuxer that has to show up in each."""

TOLERANCE = 1.0
"""Seconds the last times may lie from the manifest's duration."""

CLOCK = r"(\d+):(\d+):([\d.]+)"
BUFFER = re.compile(rf"GstFakeSink:(video|audio): last-message = chain .*?pts: {CLOCK}, duration: (?:{CLOCK}|none)")
ERROR = re.compile(r"^ERROR: from element \S*/(\S+?): (?:.*/Gst\S+: *\n?)?(.+)", re.MULTILINE)


class Hung(Failed):
    """The player reported no error, but did not come to the end in time."""


def play(player, demuxer, url, address, timeout):
    manifest = fetch_manifest(url)
    log, again = run_twice_if_hung(player, address, timeout)
    if f"{demuxer}:" not in log:
        raise Failed(f"{player} did not use {demuxer}: is the plug-in that has it installed?")
    ends = last_times(log)
    for kind in sorted(manifest.kinds):
        if kind not in ends:
            raise Failed(f"no {kind} was decoded")
        if abs(ends[kind] - manifest.duration) > TOLERANCE:
            raise Failed(f"{kind} ends at {ends[kind]:.2f} s, the manifest says {manifest.duration:.2f} s")
    return ", ".join(f"{kind} to {ends[kind]:.2f} s" for kind in sorted(manifest.kinds)) + again


def run_twice_if_hung(player, url, timeout):
    """What gst-launch says, and a remark if that was at the second try.

    playbin hangs by itself with the `hlsdemux` and `dashdemux` of GStreamer 1.22, which newer ones supersede. On two busy
    cores, 6 of 533 plays of testdata/ntsc as HLS stopped for good after the quality had changed: without an error, and
    without waiting for the server. As DASH, 11 of 123 did. From the same files in a static folder behind nginx, 4 of 300 plays
    as HLS hung and 15 of 273 as DASH: neither the server nor its connections are the cause.
    An error, or an end at the wrong time, is never tried again.
    """
    try:
        return run(player, url, timeout), ""
    except Hung as hung:
        first = hung
    try:
        return run(player, url, timeout), f"; at the second try, at the first: {first}"
    except Hung as hung:
        raise Failed(f"{hung}, twice") from None


def run(player, url, timeout):
    """What gst-launch says: one line for each decoded buffer, and the end of stream."""
    sinks = [f"{kind}-sink=fakesink name={kind} sync=false silent=false" for kind in ("video", "audio")]
    try:
        done = subprocess.run(
            ["gst-launch-1.0", "-v", player, f"uri={url}", *sinks],
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise Failed("gst-launch-1.0 is not on the PATH: run install.sh") from None
    except subprocess.TimeoutExpired as expired:
        refuse_errors((expired.stdout or b"").decode(errors="replace"))
        raise Hung(f"no end of stream within {timeout:.0f} s") from None
    refuse_errors(done.stdout)
    if done.returncode != 0 or "Got EOS" not in done.stdout:
        raise Failed(f"gst-launch-1.0 ended with status {done.returncode} and without end of stream")
    return done.stdout


def refuse_errors(log):
    errors = ERROR.findall(log)
    if errors:
        raise Failed(" / ".join(dict.fromkeys(f"{element}: {message}" for element, message in errors)))


def last_times(log):
    """The latest end of a decoded buffer, in seconds, for each kind."""
    ends = {}
    for kind, *clock in BUFFER.findall(log):
        end = seconds(clock[:3]) + seconds(clock[3:])
        ends[kind] = max(end, ends.get(kind, 0.0))
    return ends


def seconds(clock):
    hours, minutes, rest = (float(part or 0) for part in clock)
    return hours * 3600 + minutes * 60 + rest


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("url", nargs="+", help="manifest address, ending in /Manifest")
    options.add_argument("--format", choices=PLAYERS, default="smooth", help="what to play (%(default)s)")
    options.add_argument("--timeout", type=float, default=25, help="seconds for each try of a player on a manifest (%(default)s)")
    given = options.parse_args()
    name, players = PLAYERS[given.format]
    results = []
    for url in given.url:
        address = url.removesuffix("Manifest") + name
        for player, demuxer in players.items():
            results.append(attempt(player, address, lambda: play(player, demuxer, url, address, given.timeout)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
