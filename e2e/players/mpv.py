#!/usr/bin/env python3
"""Plays presentations as DASH and HLS with mpv, which writes what it decodes, and compares that with the source.

Counts as played: mpv comes to the end without an error; the frames of its video are those of one quality of the source,
by hash and in order; each lies as far from the start of the audio as the manifest of Smooth Streaming and the source say,
within 2 ms, but for the sound before the pictures that HLS leaves out; and the audio lasts as long as the manifest says,
within half a second, because mpv fills its last block.

As DASH, some of the last four frames may lack: of several streams, the ffmpeg 5.1 that mpv reads with drops the last
packets.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

sys.dont_write_bytecode = True

from frames import decode, one_line, run
from outcome import attempt
from presentation import Failed, fetch_manifest, read_sources

LOST = {"manifest.mpd": 4, "master.m3u8": 0}
"""For each manifest, how many of the last frames may lack."""

APART = 0.002
"""Seconds between the times of a frame: mpv counts in 1/24000 s and the like."""

PACKET = 0.025
"""Seconds that a packet of AAC lasts at most here."""

TOLERANCE = 0.5
"""Seconds that the audio may last longer or shorter."""


def play(url, name, ism, timeout):
    manifest = fetch_manifest(url)
    video, audio = decoded_by_mpv(urljoin(url, name), timeout)
    sources = read_sources(ism)
    hashes = [digest for _, _, digest in video]
    [stream] = [stream for stream in manifest.streams if stream.kind == "video"]
    sound = next(stream for stream in manifest.streams if stream.kind == "audio")
    lengths = []
    for bitrate in stream.bitrates:
        source = sources[stream.name, bitrate]
        [wanted] = decode(source.file, f"0:i:{source.track_id}", timeout=timeout)
        lengths.append(len(wanted.hashes))
        may_lack = len(wanted.hashes) - LOST[name]
        kept = [place for place, digest in enumerate(wanted.hashes) if place < may_lack or digest in hashes]
        if hashes == [wanted.hashes[place] for place in kept]:
            break
    else:
        raise Failed(f"the {len(hashes)} frames of video are no quality's: those have {lengths}")
    times = [time - sound.start for time in source_times(source, stream, timeout)]
    apart = [time - audio[0][0] - times[place] for (time, _, _), place in zip(video, kept)]
    # In HLS, sound begins with the pictures, up to a packet later.
    may_shift = abs(stream.start - sound.start) + PACKET if name.endswith(".m3u8") and stream.start != sound.start else APART
    if max(map(abs, apart)) > may_shift or max(apart) - min(apart) > APART:
        raise Failed(f"a frame of video is {max(map(abs, apart)):.4f} s from where the source has it")
    lasts = audio[-1][0] + audio[-1][1] - audio[0][0]
    if abs(lasts - (sound.end - sound.start)) > TOLERANCE:
        raise Failed(f"audio lasts {lasts:.2f} s, the manifest says {sound.end - sound.start:.2f} s")
    return f"{len(hashes)} frames equal the source's, {lasts:.2f} s of audio"


def source_times(source, stream, timeout):
    """When each frame of a source is presented, in order: seconds, of which the first is decoded at the stream's start."""
    command = ["ffprobe", "-v", "error", "-ignore_editlist", "1", "-select_streams", f"i:{source.track_id}"]
    entries = ["-show_entries", "packet=dts_time,pts_time", "-of", "json", str(source.file)]
    done = run([*command, *entries], timeout)
    if done.returncode != 0:
        raise Failed(f"ffprobe on {source.file.name}: status {done.returncode}, {one_line(done.stderr)}")
    rows = json.loads(done.stdout)["packets"]
    first = float(rows[0]["dts_time"])
    return sorted(stream.start + float(row["pts_time"]) - first for row in rows)


def decoded_by_mpv(address, timeout):
    """The frames of video and the blocks of audio: seconds of presentation, duration, and hash."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "decoded")
        options = [
            *("--no-config", "--msg-level=all=error", "--rebase-start-time=no", "--initial-audio-sync=no"),
            *(f"--o={file}", "--of=framemd5", "--ovc=rawvideo", "--oac=pcm_s16le", "--audio-channels=mono"),
        ]
        done = run(["mpv", *options, address], timeout)
        if done.returncode != 0 or done.stdout or done.stderr:
            raise Failed(f"mpv ended with status {done.returncode}: {one_line(done.stdout + done.stderr)}")
        lines = file.read_text().splitlines() if file.exists() else []
    scales, kinds, tracks = {}, {}, {"video": [], "audio": []}
    for line in lines:
        if line.startswith("#tb "):
            index, _, scale = line[4:].partition(": ")
            ticks, per_second = scale.split("/")
            scales[index] = int(ticks) / int(per_second)
        elif line.startswith("#media_type "):
            index, _, kind = line[12:].partition(": ")
            kinds[index] = kind  # which comes first changes from run to run
        elif not line.startswith("#"):
            index, _, shown, _, size, digest = (column.strip() for column in line.split(","))
            tracks[kinds[index]].append((int(shown) * scales[index], int(size) / 2 * scales[index], digest))
    if not all(tracks.values()):
        raise Failed("mpv decoded no video or no audio")
    return tracks["video"], tracks["audio"]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("url", help="manifest address of Smooth Streaming, ending in /NAME.ism/Manifest")
    options.add_argument("media", type=Path, help="folder of NAME.ism and its media files")
    options.add_argument("--timeout", type=float, default=150, help="seconds for each program run (%(default)s)")
    given = options.parse_args()
    ism = given.media / unquote(urlsplit(given.url).path).split("/")[-2]
    played = [
        attempt("mpv", urljoin(given.url, name), lambda: play(given.url, name, ism, given.timeout)) for name in LOST
    ]
    return 0 if all(played) else 1


if __name__ == "__main__":
    sys.exit(main())
