#!/usr/bin/env python3
"""Reads presentations as DASH and HLS with ffmpeg and compares all packets with the fragments of Smooth Streaming.

Counts as played: for every quality and language that the client manifest lists, one stream that ffmpeg finds has the
packets of all fragments, by hash and in order, and each fragment's first one is presented when the manifest says that
the chunk starts, within 1 ms, the others as far from it as in the fragment. All times count from the first of the
presentation. Streams of key frames may come on top.

In HLS, sound begins with the pictures: packets of sound before them may be missing, and packets of silence may be there
where it has none. HLS of protected media is not compared: ffmpeg 5.1 takes SAMPLE-AES-CTR for SAMPLE-AES and changes what
it cannot decrypt.
"""

import argparse
import re
import sys
import tempfile
from fractions import Fraction
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin
from urllib.request import urlopen

sys.dont_write_bytecode = True

from frames import one_line, run
from outcome import attempt
from presentation import Failed, fetch_manifest

MANIFESTS = {"dash": "manifest.mpd", "hls": "master.m3u8"}

TOLERANCE = 0.001
"""Seconds between the times of a packet."""


class Track(NamedTuple):
    """What a quality has: its name for messages, the kind of its stream, and its packets by the Smooth manifest."""

    name: str
    kind: str
    packets: list


def play(url, smooth, timeout):
    is_hls = url.endswith(MANIFESTS["hls"])
    if is_hls and smooth.is_protected:
        return "protected, not compared"
    # One at a time: of several streams, ffmpeg 5.1 drops the last packets in DASH.
    found = [packets(url, f"0:{index}", (), timeout) for index in media_streams(url, timeout)]
    pictures = min((track.packets[0][0] for track in smooth.tracks if track.kind == "video"), default=None)
    compared, begins = 0, []
    for track in smooth.tracks:
        begin = pictures if is_hls and track.kind == "audio" else None
        same = [pair for pair in (pair_of(of, track.packets, begin) for of in found) if pair]
        if not same:
            lengths = " ".join(str(len(of)) for of in found)
            raise Failed(f"{track.name}: no stream has its {len(track.packets)} packets; those found have {lengths}")
        apart, at, pairs = min(difference(pair) for pair in same)
        if apart > TOLERANCE:
            raise Failed(f"{track.name}: a packet is {apart:.4f} s from where the manifest has it, at {at:.3f} s")
        times = [time for time, _ in track.packets]
        # ffmpeg 5.1 shows all pictures late where some are stored in another order than they are shown in.
        if times == sorted(times):
            begins.append((pairs[0][0] - pairs[0][1], track.name))
        compared += len(pairs)
    if begins and max(begins)[0] - min(begins)[0] > TOLERANCE:
        raise Failed(f"{max(begins)[1]} is {max(begins)[0] - min(begins)[0]:.4f} s later than {min(begins)[1]}")
    return f"{len(found)} streams, {compared} packets equal those of the fragments"


def pair_of(found, wanted, begin):
    """The times of the packets that both have, found and wanted; `None` if these are not the same packets. Sound may
    begin at `begin`: what is before may be missing, and silence may be added."""
    if begin is not None:
        known = {packet for _, packet in wanted}
        added = {packet for _, packet in found} - known
        if len(added) == 1:
            found = [(time, packet) for time, packet in found if packet in known]
        missing = max(len(wanted) - len(found), 0)
        if all(time < begin for time, _ in wanted[:missing]):
            wanted = wanted[missing:]
    if [packet for _, packet in found] != [packet for _, packet in wanted] or not found:
        return None
    return [(one, other) for (one, _), (other, _) in zip(found, wanted)]


def difference(pairs):
    """The largest difference between the distances of two lists of times from their first, and where it is."""
    (one, other), *_ = pairs
    apart, at = max((abs((a - one) - (b - other)), b) for a, b in pairs)
    return apart, at, pairs


class Smooth(NamedTuple):
    """A presentation as Smooth Streaming has it."""

    tracks: list
    is_protected: bool


def read_smooth(url, timeout):
    """Gets the client manifest and all fragments."""
    manifest = fetch_manifest(url)
    tracks, headers = [], headers_of(urljoin(url, "manifest.mpd"))
    first = min(stream.start for stream in manifest.streams)
    for stream in manifest.streams:
        for bitrate in dict.fromkeys(stream.bitrates):
            header = headers.get((stream.name, bitrate))
            if header is None:
                continue
            rows = []
            for start in stream.chunks:
                name = f"QualityLevels({bitrate})/Fragments({quote(stream.name)}={start})"
                of = packets_of(get(urljoin(url, header)) + get(urljoin(url, name)), timeout)
                # Epoch times are larger than what a float tells apart.
                begin = float(Fraction(start, stream.timescale) - Fraction(first))
                rows += [(begin + time - of[0][0], packet) for time, packet in of]
            tracks.append(Track(f"{stream.name}={bitrate}", stream.kind, rows))
    if not tracks:
        raise Failed("no track is listed")
    return Smooth(tracks, b"<ContentProtection" in get(urljoin(url, "manifest.mpd")))


def headers_of(mpd):
    """The addresses of the headers in the MPD, by stream and bitrate."""
    ids = re.findall(r'<Representation id="([^"]*)"', get(mpd).decode())
    found = {}
    for name in ids:
        if re.fullmatch(r".*-\d+", name):
            stream, _, bitrate = name.rpartition("-")
            found[unquote(stream), bitrate] = f"{name}/init.mp4"
    return found


def packets_of(media, timeout):
    """The packets of a fragment behind its header."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(media)
        file.flush()
        return packets(file.name, "0", ("-ignore_editlist", "1"), timeout)


def get(url):
    try:
        with urlopen(url, timeout=60) as response:
            return response.read()
    except OSError as error:
        raise Failed(f"cannot get {url}: {error}") from error


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
    options.add_argument("--timeout", type=float, default=150, help="seconds for each program run (%(default)s)")
    given = options.parse_args()
    smooth = []

    def play_as(manifest):
        address = urljoin(given.url, manifest)
        smooth.extend([] if smooth else [read_smooth(given.url, given.timeout)])
        return play(address, smooth[0], given.timeout)

    played = [attempt("ffmpeg", urljoin(given.url, name), lambda: play_as(name)) for name in MANIFESTS.values()]
    return 0 if all(played) else 1


if __name__ == "__main__":
    sys.exit(main())
