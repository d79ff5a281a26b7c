#!/usr/bin/env python3
"""Fetches every video and audio track of a presentation with yt-dlp and compares it with the source media.

Counts as played: every quality and language of the manifest arrives, ffmpeg decodes each without a message, each lasts
as long as its chunks within 0.5 s and the longest as long as the manifest's `Duration` says, and the hashes of all
decoded frames equal those of the track that the `.ism` (`src`, `trackID`, `systemBitrate`) names for that quality.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.dont_write_bytecode = True

from frames import decode, names, one_line, run
from outcome import attempt
from presentation import Failed, fetch_manifest, read_sources

PLAYERS = Path(__file__).resolve().parents[2] / "target" / "players"

TOLERANCE = 0.5
"""Seconds a duration may be off."""

FRAGMENT = re.compile(r"/QualityLevels\((\d+)[^)]*\)/Fragments\(([^=]+)=\d+\)")


def play(yt_dlp, url, ism, timeout):
    manifest = fetch_manifest(url)
    sources = read_sources(ism)
    announced = {(stream.name, bitrate): stream for stream in manifest.streams for bitrate in stream.bitrates}
    if announced.keys() != sources.keys():
        raise Failed(f"the manifest announces {names(announced)}, {ism.name} lists {names(sources)}")
    frames, longest = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        fetched = fetch(yt_dlp, url, folder, timeout)
        if fetched.keys() != announced.keys():
            raise Failed(f"the manifest announces {names(announced)}, yt-dlp fetched {names(fetched)}")
        for key, stream in announced.items():
            decoded = compare(names([key]), fetched[key], sources[key], timeout)
            expect(f"{names([key])} lasts", decoded.duration, "its chunks", stream.end - stream.start)
            frames += len(decoded.hashes)
            longest = max(longest, decoded.duration)
    expect("the longest track lasts", longest, "the manifest's Duration", manifest.duration)
    return f"{len(announced)} tracks, {frames} frames equal the source's"


def fetch(yt_dlp, url, folder, timeout):
    """Runs yt-dlp; the files it wrote, by (stream name, bitrate) as the address of their first fragment has them."""
    command = [
        *(yt_dlp, "--ignore-config", "--no-cache-dir", "--quiet", "--no-warnings"),
        *("--retries", "1", "--fragment-retries", "1", "--abort-on-unavailable-fragments"),
        *("--format", "all", "--fixup", "never", "--output", f"{folder}/%(format_id)s.%(ext)s"),
        *("--print", "after_move:%(fragments.0.url)s\t%(filepath)s", url),
    ]
    done = run(command, timeout)
    if done.returncode != 0:
        unfinished = " ".join(sorted(file.stem for file in Path(folder).glob("*.part")))
        raise Failed(f"yt-dlp: {one_line(done.stderr)}; unfinished: {unfinished or 'none'}")
    files = {}
    for line in done.stdout.splitlines():
        first, _, file = line.partition("\t")
        bitrate, name = FRAGMENT.search(unquote(first)).groups()
        files[name, bitrate] = Path(file)
    return files


def compare(name, fetched, source, timeout):
    """Decodes both and wants the same frames; returns the fetched ones."""
    [wanted] = decode(source.file, f"0:i:{source.track_id}", timeout=timeout)
    [got] = decode(fetched, timeout=timeout)
    if len(got.hashes) != len(wanted.hashes):
        raise Failed(f"{name}: {len(got.hashes)} frames, the source has {len(wanted.hashes)}")
    different = [number for number, pair in enumerate(zip(got.hashes, wanted.hashes)) if pair[0] != pair[1]]
    if different:
        raise Failed(f"{name}: {len(different)} frames differ from the source's, the first is frame {different[0]}")
    return got


def expect(what, seconds, where, wanted):
    if abs(seconds - wanted) > TOLERANCE:
        raise Failed(f"{what} {seconds:.2f} s, by {where} it is {wanted:.2f} s")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("url", help="manifest address, ending in /NAME.ism/Manifest")
    options.add_argument("media", type=Path, help="folder of NAME.ism and its media files")
    options.add_argument("--players", type=Path, default=PLAYERS, help="folder of install.sh (target/players)")
    options.add_argument("--timeout", type=float, default=150, help="seconds for each program run (%(default)s)")
    given = options.parse_args()
    ism = given.media / unquote(urlsplit(given.url).path).split("/")[-2]
    yt_dlp = str(given.players / "venv" / "bin" / "yt-dlp")
    return 0 if attempt("yt-dlp", given.url, lambda: play(yt_dlp, given.url, ism, given.timeout)) else 1


if __name__ == "__main__":
    sys.exit(main())
