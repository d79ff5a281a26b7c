#!/usr/bin/env python3
"""Reads presentations as DASH and HLS with ffmpeg and compares all packets with the source media.

Counts as played: for every quality and language that the `.ism` lists, one stream that ffmpeg finds has the packets of
the source, by hash and in order, and their times of presentation keep the distances of the source's within 1 ms.
Streams of key frames may come on top.
"""

import argparse
import sys
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

sys.dont_write_bytecode = True

from frames import names, one_line, run
from outcome import attempt
from presentation import Failed, read_sources

MANIFESTS = {"dash": "manifest.mpd", "hls": "master.m3u8"}

TOLERANCE = 0.001
"""Seconds between the times of a packet."""


def play(url, ism, timeout):
    # One at a time: of several streams, ffmpeg 5.1 drops the last packets in DASH.
    found = [packets(url, f"0:{index}", (), timeout) for index in media_streams(url, timeout)]
    compared = 0
    for key, source in read_sources(ism).items():
        # Fragments have no edit lists.
        wanted = packets(source.file, f"0:i:{source.track_id}", ("-ignore_editlist", "1"), timeout)
        hashes = [packet for _, packet in wanted]
        same = [track for track in found if [packet for _, packet in track] == hashes]
        if not same:
            lengths = " ".join(str(len(track)) for track in found)
            raise Failed(f"{names([key])}: no stream has its {len(hashes)} packets; those found have {lengths}")
        apart = min(map(lambda track: difference(track, wanted), same))
        if apart > TOLERANCE:
            raise Failed(f"{names([key])}: a packet is {apart:.4f} s from where the source has it")
        compared += len(hashes)
    return f"{len(found)} streams, {compared} packets equal the source's"


def difference(track, wanted):
    """The largest difference between the times of two tracks, both counted from the first packet."""
    times = [[time - track[0][0] for time, _ in track] for track in (track, wanted)]
    return max(abs(one - other) for one, other in zip(*times))


def media_streams(address, timeout):
    """The numbers of the streams with video or audio."""
    entries = ("-show_entries", "stream=index,codec_type", "-of", "csv=p=0")
    done = run(["ffprobe", "-v", "error", *entries, str(address)], timeout)
    if done.returncode != 0:
        raise Failed(f"ffprobe on {address}: status {done.returncode}, {one_line(done.stderr)}")
    rows = {line.strip(",") for line in done.stdout.splitlines()}
    return sorted(int(index) for index, kind in (row.split(",") for row in rows if row) if kind in ("video", "audio"))


def packets(address, selector, options, timeout):
    """The packets of a stream: seconds of presentation, and hash."""
    command = ["ffmpeg", "-nostdin", "-v", "error", *options, "-copyts", "-i", str(address), "-map", selector]
    done = run([*command, "-c", "copy", "-f", "framemd5", "-"], timeout)
    if done.returncode != 0:
        raise Failed(f"ffmpeg on {address}: status {done.returncode}, {one_line(done.stderr)}")
    scale, rows = 1.0, []
    for line in done.stdout.splitlines():
        if line.startswith("#tb 0: "):
            ticks, per_second = line[7:].split("/")
            scale = int(ticks) / int(per_second)
        elif not line.startswith("#"):
            _, _, shown, _, _, digest = (column.strip() for column in line.split(",")[:6])
            rows.append((int(shown) * scale, digest))
    return rows


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("url", help="manifest address of Smooth Streaming, ending in /NAME.ism/Manifest")
    options.add_argument("media", type=Path, help="folder of NAME.ism and its media files")
    options.add_argument("--timeout", type=float, default=60, help="seconds for each program run (%(default)s)")
    given = options.parse_args()
    ism = given.media / unquote(urlsplit(given.url).path).split("/")[-2]
    played = [
        attempt("ffmpeg", urljoin(given.url, name), lambda: play(urljoin(given.url, name), ism, given.timeout))
        for name in MANIFESTS.values()
    ]
    return 0 if all(played) else 1


if __name__ == "__main__":
    sys.exit(main())
