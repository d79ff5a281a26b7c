#!/usr/bin/env python3
"""Plays manifests with GStreamer: playbin, which takes `mssdemux`, and playbin3, which takes `mssdemux2`; with
`--format`, the same presentation as DASH or HLS with the demuxers for these.

Counts as played: end of stream without an error, and the last decoded video and audio times within 1 s of the
`Duration` of the manifest of Smooth Streaming. A player that hangs, or loses the end of its sound, is tried again, up to twice.
Which quality is played is the player's choice; the bytes are not compared (`ytdlp.py` does).
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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

TRIES = 3
"""How often a player is tried that hangs or loses the end of a stream."""

ONE_QUALITY = ["connection-speed=1"]
"""Kilobits per second that playbin is told, so that it measures none: the lowest quality, from the beginning to the end."""

CLOCK = r"(\d+):(\d+):([\d.]+)"
BUFFER = re.compile(rf"GstFakeSink:(video|audio): last-message = chain .*?pts: {CLOCK}, duration: (?:{CLOCK}|none)")
ERROR = re.compile(r"^ERROR: from element \S*/(\S+?): (?:.*/Gst\S+: *\n?)?(.+)", re.MULTILINE)


class Unlucky(Failed):
    """The player reported no error, but did not come to the end in time, or lost the end of a stream."""


def play(player, demuxer, url, address, timeout):
    manifest = fetch_manifest(url)
    log, again = run_until_lucky(player, address, timeout, manifest)
    if f"{demuxer}:" not in log:
        raise Failed(f"{player} did not use {demuxer}: is the plug-in that has it installed?")
    ends = last_times(log)
    for kind in sorted(manifest.kinds):
        if kind not in ends:
            raise Failed(f"no {kind} was decoded")
        if abs(ends[kind] - manifest.duration) > TOLERANCE:
            raise Failed(wrong_end(kind, ends[kind], manifest))
    return ", ".join(f"{kind} to {ends[kind]:.2f} s" for kind in sorted(manifest.kinds)) + again


def wrong_end(kind, end, manifest):
    return f"{kind} ends at {end:.2f} s, the manifest says {manifest.duration:.2f} s"


def run_until_lucky(player, url, timeout, manifest):
    """What gst-launch says, and a remark if that was at another try than the first.

    playbin hangs by itself with the `hlsdemux` and `dashdemux` of GStreamer 1.22, which newer ones supersede. On two busy
    cores, 6 of 533 plays of testdata/ntsc as HLS stopped for good after the quality had changed: without an error, and
    without waiting for the server. As DASH, 11 of 123 did. From the same files in a static folder behind nginx, 4 of 300 plays
    as HLS hung and 15 of 273 as DASH: neither the server nor its connections are the cause.

    With its `mssdemux`, playbin now and then ends the sound within the last chunk, without an error: on two busy cores, in one of 1,900 plays
    of testdata/ladder, and in one of 1,200 from the same files in a static folder behind nginx.

    The busier the machine, the more often it hangs: with seven to fifteen others for each core, 9 of 22 plays of testdata/ladder as
    DASH did, and none of 22 that kept to the lowest quality. So the last try of playbin is in that one. What the server sends
    is the same each time: a fragment that is missing or broken is met each time.

    An error, or an end that is too late, is never tried again.
    """
    missed = []
    while len(missed) < TRIES:
        is_last = len(missed) == TRIES - 1
        options = ONE_QUALITY if is_last and player == "playbin" else []
        try:
            log = run_to_the_end(player, url, timeout, manifest, options)
            how = " in the lowest quality" if options else ""
            return log, f"; at try {len(missed) + 1}{how}, before: {', '.join(missed)}" if missed else ""
        except Unlucky as unlucky:
            missed.append(str(unlucky))
    raise Failed(f"{TRIES} times: {', '.join(missed)}")


def run_to_the_end(player, url, timeout, manifest, options):
    log = run(player, url, timeout, options)
    for kind, end in last_times(log).items():
        if player == "playbin" and end < manifest.duration - TOLERANCE:
            raise Unlucky(wrong_end(kind, end, manifest))
    return log


def run(player, url, timeout, options):
    """What gst-launch says: one line for each decoded buffer, and the end of stream. It hangs if it says nothing for a while."""
    sinks = [f"{kind}-sink=fakesink name={kind} sync=false silent=false" for kind in ("video", "audio")]
    command = ["gst-launch-1.0", "-v", player, f"uri={url}", *options, *sinks]
    with tempfile.NamedTemporaryFile() as file:
        log = Path(file.name)
        try:
            process = subprocess.Popen(
                command, env={**os.environ, "LC_ALL": "C"}, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )
        except FileNotFoundError:
            raise Failed("gst-launch-1.0 is not on the PATH: run install.sh") from None
        try:
            hangs = not ends(process, log, timeout)
        finally:
            process.kill()
            process.wait()
        said = log.read_text(errors="replace")
    refuse_errors(said)
    if hangs:
        raise Unlucky(f"no end of stream, and nothing more for {timeout:.0f} s")
    if process.returncode != 0 or "Got EOS" not in said:
        raise Failed(f"gst-launch-1.0 ended with status {process.returncode} and without end of stream")
    return said


def ends(process, log, timeout):
    """Waits until a process ends, or has written nothing for so many seconds; tells whether it has ended."""
    written, since = 0, time.monotonic()
    while time.monotonic() - since < timeout:
        try:
            process.wait(0.2)
            return True
        except subprocess.TimeoutExpired:
            pass
        if log.stat().st_size != written:
            written, since = log.stat().st_size, time.monotonic()
    return False


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
    options.add_argument("--timeout", type=float, default=20, help="seconds without a word after which a player hangs (%(default)s)")
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
