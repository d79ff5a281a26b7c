#!/usr/bin/env python3
"""Makes films whose streams begin at different times or have gaps, serves them, and measures when players in Chromium show
the pictures and play the sounds.

    times.py SERVE [FILM...] [--players FOLDER] [--folder FOLDER]

SERVE is the example server. Each picture has its number in bars, and each second begins with a beep of a tone of its own,
so that pictures and sounds say where they belong. Counts as played: the sound is as far from the pictures as in the manifest of
Smooth Streaming, from the beginning, after a gap and after a seek to near the end; HLS shows the first picture; the
pictures are at the times of the player that the manifest has, counted from the beginning; the film ends, and no request
is refused.

What is measured is also what the machine does meanwhile: a job in which something is late or missing is measured again, by
itself, up to twice, and the line says so. What the server sends is the same each time, so a fault of it is seen each time.
An error is never tried again.
"""

import argparse
import json
import statistics
import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

sys.dont_write_bytecode = True

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "testdata"))

import index  # noqa: E402

SECONDS = 24
RATE = 25
TICKS = 10_000_000

MANIFESTS = {"hls": "master.m3u8", "dash": "manifest.mpd"}
HLS, DASH = ["chromium hls", "hls.js hls", "shaka hls"], ["shaka dash", "dash.js dash", "rxplayer dash"]

USUAL = 0.043
"""Seconds by which all players play the sounds later than the pictures: the delay of the encoder, 21 ms, and what this
way of measuring adds."""

APART = 0.06
"""Largest difference between pictures and sounds from where the manifest has them. The players vary by 0.03 s."""

TRIES = 3
"""How often a player is measured that something is late in."""

NEAR = 0.1
"""Largest difference of the times of pictures. Chromium's own HLS is exact to a picture or two."""


@dataclass
class Film:
    """When pictures and sounds begin, in ticks, the numbers of the fragments that are left out, and the clients."""

    clients: list
    pictures: int = 0
    sound: int = 0
    without_pictures: range = range(0)
    without_sound: range = range(0)
    source: str = "pictures.ismv"

    @property
    def begin(self):
        """The first time, in ticks."""
        return min(self.pictures, self.sound + (round(self.without_sound.stop * 0.96 * TICKS) if 0 in self.without_sound else 0))

    @property
    def end(self):
        """Seconds from the first time to the last."""
        return SECONDS + (max(self.pictures, self.sound) - self.begin) / TICKS


EPOCH = 17_959_968_061_234_567
"""An odd time in 2026, above 2^53."""

FILMS = {
    "picture-80-ms-later": Film(HLS + DASH[1:2], pictures=800_000),
    "sound-2-s-later": Film(HLS + DASH[2:], sound=20_000_000),
    "sound-begins-at-2-s": Film(HLS[:1], without_sound=range(2)),
    "gap-in-pictures": Film(HLS + DASH[2:], without_pictures=range(4, 7)),
    "gap-in-sound": Film(HLS + DASH[:1], without_sound=range(4, 7)),
    "since-1970": Film(HLS[:1] + DASH, pictures=EPOCH, sound=EPOCH + 5_000_000),
    "b-frames": Film(HLS[1:2] + DASH[:1], source="reordered.ismv"),
}


# ---- Making films ----


def make_sources(folder):
    """Pictures with and without B frames in fragments of 1 s, and sound in fragments of 0.96 s."""
    bars = "if(lt(mod(floor(N/pow(2\\,floor(X/20)))\\,2)\\,1)\\,16\\,235)"
    pictures = f"color=c=black:size=320x64:rate={RATE}:duration={SECONDS},format=yuv420p,geq=lum='{bars}':cb=128:cr=128"
    beeps = "0.5*sin(2*PI*(500+100*floor(t))*t)*lt(mod(t\\,1)\\,0.1)"
    sound = f"aevalsrc='{beeps}':sample_rate=48000:duration={SECONDS}"
    for name, frames in (("pictures.ismv", 0), ("reordered.ismv", 2)):
        options = f"keyint={RATE}:min-keyint={RATE}:scenecut=0:open-gop=0:bframes={frames}:threads=1"
        codec = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "100k", "-x264-params", options]
        ffmpeg(pictures, codec, folder / name, "-movflags", "+frag_keyframe")
    # The first frame of the encoder would be before 0.
    codec = ["-c:a", "aac", "-b:a", "64k", "-bsf:a", "setts=ts=TS-STARTPTS"]
    ffmpeg(sound, codec, folder / "sound.isma", "-frag_duration", "960000")


def ffmpeg(source, codec, target, *cut):
    muxer = ["-flags", "+bitexact", "-fflags", "+bitexact", "-map_metadata", "-1", "-f", "ismv", *cut]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source, *codec, *muxer, str(target)]
    subprocess.run(command, check=True)


def write_film(folder, film, sources):
    """Writes the media with other times in `tfxd` and `mfra`, and both manifests."""
    folder.mkdir(parents=True, exist_ok=True)
    tracks = [
        write_track(folder / "film.ismv", sources / film.source, film.pictures, film.without_pictures),
        write_track(folder / "film.isma", sources / "sound.isma", film.sound, film.without_sound),
    ]
    begin = min(chunks[0][0] for _, chunks in tracks)
    end = max(sum(chunks[-1]) for _, chunks in tracks)
    client, server = "", ""
    for track, chunks in tracks:
        details = {"FourCC": track.fourcc, "CodecPrivateData": track.private.hex()}
        if track.kind == "video":
            details |= {"MaxWidth": track.width, "MaxHeight": track.height}
        else:
            sound = {"SamplingRate": track.rate, "Channels": track.channels, "BitsPerSample": 16}
            details |= {**sound, "PacketSize": 4, "AudioTag": 255}
        quality = "".join(f' {name}="{value}"' for name, value in details.items())
        client += f'<StreamIndex Type="{track.kind}" Name="{track.kind}" Chunks="{len(chunks)}" QualityLevels="1" '
        client += f'Url="QualityLevels({{bitrate}})/Fragments({track.kind}={{start time}})">'
        client += f'<QualityLevel Index="0" Bitrate="100000"{quality}/>'
        client += "".join(f'<c t="{start}" d="{duration}"/>' for start, duration in chunks) + "</StreamIndex>"
        source = "film.ismv" if track.kind == "video" else "film.isma"
        server += f'<{track.kind} src="{source}" systemBitrate="100000"><param name="trackID" value="{track.id}"/>'
        server += f'<param name="trackName" value="{track.kind}"/></{track.kind}>'
    root = f'<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" TimeScale="{TICKS}" Duration="{end - begin}">'
    (folder / "film.ismc").write_text(f"{root}{client}</SmoothStreamingMedia>")
    head = '<head><meta name="clientManifestRelativePath" content="film.ismc"/></head>'
    (folder / "film.ism").write_text(f"<smil>{head}<body><switch>{server}</switch></body></smil>")


def write_track(target, source, shift, without):
    """Copies a file of one track with later times and without some fragments; returns the track and its chunks."""
    data = source.read_bytes()
    (track,) = index.read_media(data).values()
    head = index.boxes(data, 0, len(data))[:2]
    out = bytearray(b"".join(data[box.start:box.end] for box in head))
    starts = [start for start, _ in track.fragments]
    chunks, entries = [], b""
    for number, (start, offset) in enumerate(track.fragments):
        if number in without:
            continue
        found = index.read_fragment(data, offset, track)
        fragment = bytearray(data[found.moof.start:found.mdat.end])
        # Behind type, identifier and flags of version 1.
        struct.pack_into(">Q", fragment, fragment.index(b"uuid" + index.TFXD) + 24, start + shift)
        entries += struct.pack(">2Q3B", start + shift, len(out), 1, 1, 1)
        out += fragment
        end = starts[number + 1] if number + 1 < len(starts) else start + found.duration
        chunks.append((start + shift, end - start))
    tfra = struct.pack(">4I", 1 << 24, track.id, 0, len(chunks)) + entries
    size = len(tfra) + 8 + 8 + 16
    out += struct.pack(">I4sI4s", size, b"mfra", len(tfra) + 8, b"tfra") + tfra
    out += struct.pack(">I4s2I", 16, b"mfro", 0, size)
    target.write_bytes(out)
    return track, chunks


# ---- Judging ----


class PlayerFailed(Exception):
    """A player met an error, or a request was refused."""


def judge(film, client, seen):
    """What is wrong with what a player did, or `None`, and what was measured."""
    if seen.get("failed"):
        raise PlayerFailed(seen["failed"])
    begin = film.begin
    # hls.js and Chromium count from the first picture, where sound before it is left out.
    begins = {0, (film.pictures - begin) / TICKS} if client.endswith("hls") else {0}
    # Pictures are shown, and sounds played, at their number, plus this.
    pictures, sound = film.pictures - begin, film.sound - begin
    wanted = (sound - pictures) / TICKS
    told = []
    for part in seen["parts"]:
        frames, beeps = part["frames"], part["beeps"]
        if not frames or not beeps:
            return f"from {part['start']} s: {len(frames)} pictures, {len(beeps)} beeps", ""
        if part["start"] == 0 and client.endswith("hls") and frames[0][2] > 2:
            return f"the first picture is number {frames[0][2]}", ""
        late = statistics.median(shown - number / RATE - pictures / TICKS for _, shown, number in frames)
        if all(abs(late + at) > NEAR for at in begins):
            return f"from {part['start']:.1f} s: pictures are {late:.3f} s late", ""
        # While no picture follows, as in a gap, a beep says nothing.
        apart = [picture_at(frames, at) - second for at, second in beeps if is_shown(frames, at)]
        apart = statistics.median(apart) - USUAL if apart else wanted
        if abs(apart - wanted) > APART:
            return f"from {part['start']:.1f} s: sounds are {apart:.3f} s behind pictures, not {wanted:.3f} s", ""
        told.append(f"{1000 * (apart - wanted):+.0f} ms")
    if seen.get("end") is None:
        return "it does not end", ""
    return None, f"sounds against pictures {', '.join(told)}, ended at {seen['end']:.2f} s"


def is_shown(frames, at):
    """Whether pictures follow each other at a time."""
    return any(one[0] <= at <= other[0] < one[0] + 200 for one, other in zip(frames, frames[1:]))


def picture_at(frames, at):
    """The place in the pictures that is shown at a time, in seconds of the source."""
    shown, _, number = min(frames, key=lambda frame: abs(frame[0] - at))
    return number / RATE + (at - shown) / 1000


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("serve", type=Path, help="the example server")
    options.add_argument("films", nargs="*", help=f"some of {', '.join(FILMS)} (all)")
    options.add_argument("--players", default=str(ROOT / "target/players"), help="folder of install.sh (%(default)s)")
    options.add_argument("--folder", type=Path, default=ROOT / "target/times", help="where films go (%(default)s)")
    options.add_argument("--listen", default="127.0.0.1:18092", help="address of the server (%(default)s)")
    options.add_argument("--together", default="3", help="players that play at once (%(default)s)")
    given = options.parse_args()
    films = {name: FILMS[name] for name in given.films or FILMS}
    given.folder.mkdir(parents=True, exist_ok=True)
    make_sources(given.folder)
    for name, film in films.items():
        write_film(given.folder / "films" / name, film, given.folder)
    jobs = {}
    for name, film in films.items():
        for client in film.clients:
            player, form = client.split()
            url = f"http://{given.listen}/{name}/film.ism/{MANIFESTS[form]}"
            has_gap = film.without_pictures or 0 not in film.without_sound and film.without_sound
            starts = [0, *([8.2] if has_gap else []), film.end - 2.4]
            jobs[player, url] = film, client, {"client": player, "url": url, "starts": starts}
    command = [given.serve, given.folder / "films", "--listen", given.listen, "--settling-time", "0"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://{given.listen}/{next(iter(films))}/film.ism/Manifest")
        results, missed = play(given, given.together, jobs), {}
        for _ in range(TRIES - 1):
            late = {key: failure for key, (failure, _, may_be_chance) in results.items() if failure and may_be_chance}
            for key, failure in late.items():
                missed.setdefault(key, []).append(failure)
            if late:
                results |= play(given, "1", {key: jobs[key] for key in late})
    finally:
        server.terminate()
        server.wait()
    for (player, url), (failure, told, _) in results.items():
        before = missed.get((player, url), [])
        again = f"; at try {len(before) + 1}, before: {', '.join(before)}" if before else ""
        print(f"{'failed' if failure else 'played'}  {player:<8}  {url.split('/', 3)[3]}  {failure or told}{again}")
    wrong = [failure for failure, _, _ in results.values() if failure]
    return 1 if wrong or len(results) < len(jobs) else 0


def play(given, together, jobs):
    """For each job that has a result what is wrong or `None`, what was measured, and whether that may have been chance."""
    lines = "".join(json.dumps(job) + "\n" for _, _, job in jobs.values())
    command = [HERE / "times.mjs", "--players", given.players, "--together", together]
    played = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=True).stdout
    results = {}
    for seen in map(json.loads, played.splitlines()):
        key = seen["client"], seen["url"]
        film, client, _ = jobs[key]
        try:
            results[key] = *judge(film, client, seen), True
        except PlayerFailed as failed:
            results[key] = str(failed), "", str(failed).startswith("no picture within")
    return results


def wait_for(url):
    for _ in range(600):
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"times.py: no {url}")


if __name__ == "__main__":
    sys.exit(main())
