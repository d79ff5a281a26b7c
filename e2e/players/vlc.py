#!/usr/bin/env python3
"""Plays presentations with VLC, as Smooth Streaming or, with `--format`, as DASH or HLS: it copies what it demuxes to
files, which are compared with the source, then plays.

Counts as played:
- Copied from the start and from the chunks at 55 % and 90 %, in the lowest and in the highest quality, each track holds
  nothing but the source's frames in their order, up to 2 % from the end at least: VLC's muxer loses the last ones. From
  the start, the longest track lasts as long as the manifest's `Duration` says, within half a second.
- Played to dummy outputs at eight times the speed, in the highest quality, its decoders report nothing. Played once more,
  the quality being VLC's choice, it asks for every chunk.
- It ends by itself each time, without an error in its log, and no request is answered with an error.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

sys.dont_write_bytecode = True

from frames import decode, names, one_line, run
from outcome import attempt
from presentation import Failed, fetch_manifest, read_sources

SPOTS = (0, 0.55, 0.9)
"""Where copying starts, as parts of the duration."""

LOST = 0.02
"""The part of a track's frames that may lack at the end."""

TOLERANCE = 0.5
"""Seconds the duration may be off."""

RATE = 8
"""How many times faster than real time it plays."""

SEGMENT = r"([^/]+)-\d+/(\d+)(?:-\d+)?\.m4s"
FORMATS = {
    "smooth": ("Manifest", r"QualityLevels\([^)]*\)/Fragments\(([^=]+)=(\d+)\)"),
    "dash": ("manifest.mpd", SEGMENT),
    "hls": ("master.m3u8", SEGMENT),
}
"""For each format, the manifest's name, and what the address of a chunk ends in: the stream's name and the ticks.

In HLS, a chunk of sound that begins before the pictures has the time of its cut too."""

REFUSED = re.compile(r"^HTTP/1\.\d ([45]\d\d.*)", re.MULTILINE)
ERROR = re.compile(r"^\[[0-9a-f]+\] (\S+ (?!interface|libvlc).*?error: .*)", re.MULTILINE)
"""Errors of VLC; its interfaces look for a desktop that is not there."""

CODEC_ERROR = re.compile(r"^\[(\w+) @ 0x[0-9a-f]+\]( .*)", re.MULTILINE)
"""What libavcodec says past VLC's log: with `-v` errors, with `-vv` also what is none."""

FAAD_ERROR = re.compile(r"faad decoder warning: (?!decoded zero sample).*")
"""For VLC errors of its AAC decoder are warnings. The first frame of a stream always decodes to nothing."""

HARMLESS = re.compile(r"called too late|computer too slow|buffer deadlock prevented")
"""Not the media's fault: a busy machine, and a decoder that VLC 3.0 waits for before it has fed it."""


def play(url, ism, format, timeout):
    manifest = fetch_manifest(url)
    name, segment = FORMATS[format]
    address = url.removesuffix("Manifest") + name
    sources = read_sources(ism)
    announced = {(stream.name, bitrate) for stream in manifest.streams for bitrate in stream.bitrates}
    if announced != sources.keys():
        raise Failed(f"the manifest announces {names(announced)}, {ism.name} lists {names(sources)}")
    equal = 0
    with tempfile.TemporaryDirectory() as folder:
        if os.getuid() == 0:
            shutil.chown(folder, "nobody")
        for quality, pick in {"lowest": min, "highest": max}.items():
            if quality == "highest" and all(len(stream.bitrates) == 1 for stream in manifest.streams):
                continue
            tracks = [(stream, sources[stream.name, pick(stream.bitrates, key=int)]) for stream in manifest.streams]
            for spot in SPOTS:
                equal += copy(address, folder, quality, spot * manifest.duration, manifest, tracks, timeout)
        decode_all(address, folder, manifest, timeout)
        ask_for_all(address, segment, folder, manifest, timeout)
    return f"{equal} frames equal the source's, plays all chunks"


def copy(url, folder, quality, start, manifest, tracks, timeout):
    """Copies one quality from `start` to the end and compares it with the source; the number of frames."""
    what = f"{quality} quality from {start:.1f} s"
    file = Path(folder, f"{quality}-{start:.1f}.mp4")
    out = f"#std{{access=file,mux=mp4,dst={file.name}}}"  # without folders, whose names may hold anything
    vlc(what, url, folder, timeout, "-vv", "--adaptive-logic", quality, "--start-time", str(start), "--sout", out, "--sout-all")
    if not file.exists():
        raise Failed(f"{what}: nothing was copied")
    # Noise that AAC leaves to the decoder depends in ffmpeg on all frames before: after a seek, audio packets are compared.
    # In HLS sound begins with the pictures, so it may lack its first frames.
    is_hls = url.endswith(FORMATS["hls"][0])
    copied = "a" if start or is_hls else ""
    got = decode(file, copied=copied, timeout=timeout)
    if len(got) != len(tracks):
        raise Failed(f"{what}: {len(got)} tracks were copied, not {len(tracks)}")
    longest = max(track.duration for track in got)
    if not start and abs(longest - manifest.duration) > TOLERANCE:
        raise Failed(f"{what}: the longest track lasts {longest:.2f} s, the manifest says {manifest.duration:.2f} s")
    for stream, source in tracks:
        [wanted] = decode(source.file, f"0:i:{source.track_id}", copied, timeout)
        late = max(other.start for other, _ in tracks) - stream.start if is_hls and not start else 0
        compare(f"{what}, {stream.name}", got, wanted, stream.part_before(start), late / (stream.end - stream.start))
    return sum(len(track.hashes) for track in got)


def compare(what, got, wanted, part, late):
    """Wants one of the tracks to hold the frames of `wanted`, but for the first part of them and a few at the end.

    The part `late` more may lack at the start.
    """
    count = len(wanted.hashes)
    first = round(part * count)
    firsts = range(max(0, first - 1), first + 2 + round(late * count))  # the frames of a chunk of audio are not all equally long in ticks
    same, track = max(
        ((common(track.hashes, wanted.hashes[at:]), track) for track in got for at in firsts), key=lambda pair: pair[0]
    )
    if same < len(track.hashes) or first + same < count * (1 - LOST):
        raise Failed(f"{what}: {same} frames are the source's from {first} on, then {len(track.hashes) - same} others")


def common(one, other):
    """How many hashes are the same at the start of both."""
    pairs = enumerate(zip(one, other))
    return next((number for number, (left, right) in pairs if left != right), min(len(one), len(other)))


def decode_all(url, folder, manifest, timeout):
    """Plays the highest quality and wants the decoders to report nothing.

    One quality, because where VLC 3.0.24 changes it, libavcodec may fail to get a picture of the video output that is
    being closed. No hurry, because late frames that are left out would be missed by those that refer to them.
    """
    options = ["-v", "--adaptive-logic", "highest", "--no-avcodec-hurry-up", "--no-drop-late-frames", "--no-skip-frames"]
    log = watch("decoding", url, folder, manifest, timeout, *options)
    errors = ["".join(error) for error in CODEC_ERROR.findall(log)]
    if errors:
        raise Failed(f"decoding: {one_line(chr(10).join(errors))}")


def ask_for_all(url, segment, folder, manifest, timeout):
    """Plays what VLC chooses and wants a request for every chunk: a fragment that is missing VLC takes for the end."""
    log = watch("playing", url, folder, manifest, timeout, "-vv")
    asked = {}
    for name, ticks in re.findall(rf"^GET \S*/{segment}", unquote(log), re.MULTILINE):
        asked.setdefault(name, set()).add(int(ticks))
    for kind in sorted(manifest.kinds):
        left = [set(stream.chunks) - asked.get(stream.name, set()) for stream in manifest.streams if stream.kind == kind]
        if all(left):
            raise Failed(f"playing: did not ask for {len(min(left, key=len))} chunks of {kind}")


def watch(what, url, folder, manifest, timeout, *options):
    """Plays to outputs that show nothing; what VLC says."""
    started = time.monotonic()
    outputs = ["--vout", "dummy", "--avcodec-hw", "none"]
    log = vlc(what, url, folder, timeout, *outputs, "--rate", str(RATE), *options)
    took, wanted = time.monotonic() - started, manifest.duration / RATE
    if took < 0.9 * wanted:
        raise Failed(f"{what}: over after {took:.1f} s, at {RATE}-fold speed it lasts {wanted:.1f} s")
    return log


def vlc(what, url, folder, timeout, *options):
    """Runs VLC as a user other than root, because it refuses root; what it says."""
    user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []
    general = ["--no-dbus", "--no-color", "--aout", "dummy", "--play-and-exit"]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": folder, "XDG_RUNTIME_DIR": folder}
    done = run([*user, "cvlc", *general, *options, url], timeout, cwd=folder, env=environment)
    log = done.stdout + done.stderr
    errors = [f"answer {answer}" for answer in REFUSED.findall(log)] + ERROR.findall(log) + FAAD_ERROR.findall(log)
    errors = [error for error in errors if not HARMLESS.search(error)]
    if errors:
        raise Failed(f"{what}: {one_line(chr(10).join(errors))}")
    if done.returncode != 0 or "end of playlist, exiting" not in log:
        raise Failed(f"{what}: VLC ended with status {done.returncode}: {one_line(log[-300:])}")
    return log


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("url", help="manifest address, ending in /NAME.ism/Manifest")
    options.add_argument("media", type=Path, help="folder of NAME.ism and its media files")
    options.add_argument("--format", choices=FORMATS, default="smooth", help="what to play (%(default)s)")
    options.add_argument("--timeout", type=float, default=150, help="seconds for each program run (%(default)s)")
    given = options.parse_args()
    ism = given.media / unquote(urlsplit(given.url).path).split("/")[-2]
    played = urljoin(given.url, FORMATS[given.format][0])
    return 0 if attempt("vlc", played, lambda: play(given.url, ism, given.format, given.timeout)) else 1


if __name__ == "__main__":
    sys.exit(main())
