#!/usr/bin/env python3
"""Encoders push to `serve --live`, and what is announced, served and archived is what they pushed.

    check.py [--serve target/release/examples/serve] [--players target/players] [--seconds 14] [--only WORD]

ffmpeg of Debian and the one of `players/install.sh`, and GStreamer, push in real time, all at once and each to a point of its own: several
qualities, sound, text and AC-3 as Smooth Streaming; sound alone; CMAF in one request, and in a request for each segment
(`-f dash`, `-f hls`). A relay keeps every byte. While they push, manifests are read twice a second, and each fragment is fetched once
it is announced. Then:

- nothing that is announced is answered with an error, and no chunk is announced again with another duration
- the samples of a track (bytes, durations) are those that were pushed, in order, each once, in the film and in the archive. If the
  encoder does not say that its streams end, the archive has them but for what is held back
- fragments with tfxd are served for the time that they say; `tfrf` of a fragment names chunks that came
- a film follows the event: no IsLive, the chunks that were announced, and the same samples

Prints a line for each check, and a sum; the status is non-zero if one failed.
"""

import argparse
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as tree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(1, str(HERE.parent / "http"))

from media import fragments_of, tracks_of
from wire import Server


class Checks:
    def __init__(self):
        self.failed = self.all = 0
        self.lock = threading.Lock()

    def check(self, is_right, sentence):
        with self.lock:
            self.all += 1
            self.failed += not is_right
            print(f"{'ok  ' if is_right else 'FAIL'} {sentence}\n", end="", flush=True)


# ---- What was pushed ----


class Relay:
    """Passes connections on, and keeps what the encoder sends."""

    def __init__(self, to):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.to, self.connections = to, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            encoder, _ = self.listener.accept()
            server = socket.create_connection(self.to)
            sent = bytearray()
            self.connections.append(sent)
            threading.Thread(target=self.forth, args=(encoder, server, sent), daemon=True).start()
            threading.Thread(target=self.back, args=(server, encoder), daemon=True).start()

    @staticmethod
    def forth(encoder, server, sent):
        try:
            while bytes_ := encoder.recv(1 << 16):
                sent += bytes_
                server.sendall(bytes_)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def back(server, encoder):
        try:
            while bytes_ := server.recv(1 << 16):
                encoder.sendall(bytes_)
            encoder.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def bodies(self):
        """Paths and bodies of all requests, in the order of the connections."""
        for sent in list(self.connections):
            yield from requests(bytes(sent))


def requests(sent):
    at = 0
    while (end := sent.find(b"\r\n\r\n", at)) > 0:
        head = sent[at:end].decode("latin-1")
        at, body = end + 4, bytearray()
        if length := re.search(r"(?i)content-length: (\d+)", head):
            body, at = sent[at : at + int(length[1])], at + int(length[1])
        elif re.search(r"(?i)transfer-encoding: chunked", head):
            size = 1
            while size and (end := sent.find(b"\r\n", at)) > 0:
                size = int(sent[at:end], 16)
                body += sent[end + 2 : end + 2 + size]
                at = end + 2 + size + 2
        yield head.split()[1], bytes(body)


def stream_of(file):
    """What names the track of a file: its folder, or the words and numbers of `init-stream0`, `chunk-stream0-00001`, `init_1`, `s_1_7`."""
    if "/" in file or "(" in file:
        return file.split("/")[0]
    name = file.rpartition(".")[0] or file
    return re.sub(r"^(init|chunk|s)[-_]", "", name) if name.startswith("init") else re.sub(r"^(chunk|s)[-_]|[-_]\d+$", "", name)


def pushed_tracks(bodies):
    """The fragments of each track: of one request for all, or of a folder or names for each track."""
    headers, fragments = {}, {}
    for path, body in bodies:
        stream = stream_of(path.split(".isml/")[-1])
        if b"moov" in body[:4096]:
            headers[stream] = tracks_of(body)
        for _, media in fragments_of(body, headers.get(stream)):
            fragments.setdefault((stream, media.track), []).append(media)
    return fragments, headers


# ---- What is served ----


def get(url):
    try:
        with urlopen(url, timeout=60) as response:
            return response.status, response.read()
    except HTTPError as error:
        return error.code, error.read()


def announced(manifest):
    """(URL, stream, time, duration) of each fragment."""
    root = tree.fromstring(manifest)
    for stream in root.iter("StreamIndex"):
        time_ = 0
        chunks = []
        for chunk in stream.iter("c"):
            time_ = int(chunk.get("t", time_))
            for _ in range(int(chunk.get("r", 1))):
                chunks.append((time_, int(chunk.get("d", 0))))
                time_ += int(chunk.get("d", 0))
        for level in stream.iter("QualityLevel"):
            url = stream.get("Url").replace("{bitrate}", level.get("Bitrate"))
            name = stream.get("Name") or stream.get("Type")
            for start, duration in chunks:
                yield url.replace("{start time}", str(start)), name, start, duration


class Follower(threading.Thread):
    """Fetches what is announced as soon as it is, until `has_ended`."""

    def __init__(self, base):
        super().__init__(daemon=True)
        self.base, self.seen, self.taken, self.faults = base, {}, {}, []
        self.has_pushed, self.has_ended = threading.Event(), threading.Event()

    def run(self):
        while not self.has_ended.wait(0.5):
            status, manifest = get(f"{self.base}/Manifest")
            if status != 200:
                # None before the first fragments; and the film of an event that has ended may take a moment.
                if not (status in (404, 412) and not self.seen or status == 503 and self.has_pushed.is_set()):
                    self.faults.append(f"the manifest: {status}")
                continue
            for url, name, start, duration in announced(manifest):
                known = self.seen.setdefault((name, start), duration)
                if known != duration:
                    self.faults.append(f"{name} at {start}: {known}, then {duration}")
                if url not in self.taken:
                    status, self.taken[url] = get(f"{self.base}/{quote(url, safe='/(),=')}")
                    if status != 200:
                        self.faults.append(f"{url}: {status}")


# ---- Encoders ----


@dataclass
class Case:
    name: str
    command: list
    """`{}` stands for the URL of the point."""
    tracks: int
    ends: bool = True
    """Whether the encoder says that its streams end (`mfra`)."""
    is_at_the_end: bool = False
    """Whether nothing can be announced while it pushes."""


def source(folder, seconds):
    """A film of two qualities with B frames and sound, and subtitles."""
    film, text = folder / "film.mp4", folder / "text.srt"
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "50", "-keyint_min", "50", "-sc_threshold", "0"]
    rates = ["-b:v:0", "300k", "-b:v:1", "120k", "-c:a", "aac", "-b:a", "64k"]
    run = ["ffmpeg", "-v", "error", *pictures, "-t", str(seconds), "-map", "0:v", "-map", "0:v", "-map", "1:a"]
    subprocess.run([*run, *encode, *rates, film], check=True)
    cues = [(1, 2), (4, 6), (7, 9), (10, 11)]
    clock = "00:00:{:02},000".format
    text.write_text("\n".join(f"{i}\n{clock(start)} --> {clock(end)}\nwords {i}\n" for i, (start, end) in enumerate(cues, 1)))
    return film, text


def cases(film, text, current):
    def ffmpeg(program, *options, inputs=(film,)):
        given = [word for path in inputs for word in ("-i", path)]
        return [program, "-hide_banner", "-v", "error", "-re", *given, *options]

    ismv = ["-movflags", "isml+frag_keyframe", "-f", "ismv", "{}/Streams(enc1)"]
    both = ["-map", "0", "-map", "1", "-c", "copy"]
    folders = ["-init_seg_name", "r$RepresentationID$.mp4", "-media_seg_name", "r$RepresentationID$/$Number$.m4s"]
    dash = ["-map", "0", "-c", "copy", "-f", "dash", "-seg_duration", "2", "-method", "PUT"]
    hls = ["-map", "0:v:0", "-map", "0:a", "-c", "copy", "-f", "hls", "-hls_time", "2", "-hls_segment_type", "fmp4", "-var_stream_map", "v:0,agroup:a a:0,agroup:a"]
    variants = ["-hls_segment_filename", "{}/s_%v_%d.m4s", "-method", "PUT", "{}/s_%v.m3u8"]
    encoded = ["-map", "0:v:0", "-map", "0:a", "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-g", "25", "-sc_threshold", "0", "-b:v", "200k", "-c:a", "aac"]
    gstreamer = f"filesrc location={film} ! qtdemux name=d d.video_0 ! queue ! h264parse ! mux. d.audio_0 ! queue ! aacparse ! mux. mp4mux name=mux fragment-duration=2000 streamable=true ! curlhttpsink location={{}}/Streams(gst)"
    return [
        Case("ffmpeg: qualities, sound and mov_text", ffmpeg("ffmpeg", *both, "-c:s", "mov_text", *ismv, inputs=(film, text)), 4),
        Case("current ffmpeg: qualities, sound and TTML", ffmpeg(current, *both, "-c:s", "ttml", *ismv, inputs=(film, text)), 4),
        Case("current ffmpeg: mov_text", ffmpeg(current, *both, "-c:s", "mov_text", *ismv, inputs=(film, text)), 4),
        Case("ffmpeg: encodes", ffmpeg("ffmpeg", *encoded, *ismv), 2),
        Case("ffmpeg: AC-3", ffmpeg("ffmpeg", "-map", "0:v:0", "-map", "0:a", "-c:v", "copy", "-c:a", "ac3", "-movflags", "isml+frag_keyframe+delay_moov", "-f", "ismv", "{}/Streams(a)"), 2),
        Case("ffmpeg: sound alone", ffmpeg("ffmpeg", "-map", "0:a", "-c", "copy", "-movflags", "isml", "-frag_duration", "2000000", "-f", "ismv", "{}/Streams(a)"), 1),
        Case("ffmpeg: sound alone, in one piece", ffmpeg("ffmpeg", "-map", "0:a", "-c", "copy", *ismv), 1, is_at_the_end=True),
        Case("current ffmpeg: CMAF", ffmpeg(current, "-map", "0", "-c", "copy", "-f", "mp4", "-movflags", "cmaf+frag_keyframe+separate_moof", "{}/Streams(e)"), 3),
        Case("ffmpeg: -f dash", ffmpeg("ffmpeg", *dash, "{}/manifest.mpd"), 3),
        Case("ffmpeg: -f dash in folders", ffmpeg("ffmpeg", *dash, *folders, "{}/manifest.mpd"), 3),
        Case("current ffmpeg: -f dash", ffmpeg(current, *dash, "{}/manifest.mpd"), 3),
        Case("ffmpeg: -f hls", ffmpeg("ffmpeg", *hls, *variants), 2),
        Case("current ffmpeg: -f hls", ffmpeg(current, *hls, *variants), 2),
        Case("GStreamer: mp4mux", ["gst-launch-1.0", "-q", *gstreamer.split()], 2, ends=False),
    ]  # fmt: skip


# ---- Checks ----


def samples(all_):
    """Bytes and durations of the samples of fragments, in order."""
    return [(sample.data, sample.duration) for media in all_ for sample in media.samples]


def run(case, number, address, checks):
    """Pushes and follows. Returns what was pushed and what was taken."""
    point = f"case{number}"
    base = f"http://127.0.0.1:{address[1]}/{point}.isml"
    relay = Relay(address)
    url = f"http://127.0.0.1:{relay.port}/{point}.isml"
    follower = Follower(base)
    follower.start()
    done = subprocess.run([str(word).replace("{}", url) for word in case.command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    checks.check(done.returncode == 0, f"{case.name}: ends with {done.returncode} {done.stderr[-200:] if done.returncode else ''}")
    follower.has_pushed.set()
    time.sleep(2.5)
    follower.has_ended.set()
    follower.join()
    checks.check(not follower.faults, f"{case.name}: faults while it pushed: {follower.faults[:5]}")
    pushed, headers = pushed_tracks(relay.bodies())
    checks.check(len(pushed) == case.tracks, f"{case.name}: {len(pushed)} tracks have fragments")
    if not case.is_at_the_end:
        checks.check(len(follower.taken) > 3 * case.tracks, f"{case.name}: {len(follower.taken)} fragments were announced while it pushed")
    film = film_of(base) if case.ends else None
    audit_live(checks, case, pushed, follower, film)
    if case.ends:
        audit_film(checks, case, base, pushed, follower, film)
    return point, pushed


def film_of(base):
    """Status and manifest of the film; it may take a moment."""
    until = time.monotonic() + 60
    while (answer := get(f"{base}/Manifest"))[0] == 503 and time.monotonic() < until:
        time.sleep(0.2)
    return answer


def audit_live(checks, case, pushed, follower, film):
    """Fragments that were taken live: their samples are a part of a track that was pushed, at the right time."""
    known = {}
    for media in (media for fragments in pushed.values() for media in fragments):
        known.setdefault(media.bytes, []).append(media)
    whole = {key: samples(fragments) for key, fragments in pushed.items()}
    wrong, late, with_tfrf = [], [], 0
    came = dict(follower.seen)
    if film and film[0] == 200:
        came |= {(name, start): duration for _, name, start, duration in announced(film[1])}
    for url, data in follower.taken.items():
        found = re.search(r"Fragments\((.+)=(\d+)\)", url)
        parts = [media for _, media in fragments_of(data)]
        if len(parts) != 1 or not is_part(samples(parts), whole.values()):
            wrong.append(f"{url}: samples that were not pushed")
            continue
        media = parts[0]
        times = [max(0, each.time) for each in known.get(media.bytes, []) if each.says is not None]
        if media.time != int(found[2]) or times and media.time not in times:
            wrong.append(f"{url}: pushed for {times}, served for {media.time}")
        with_tfrf += bool(media.following)
        for start, duration in media.following:
            if came.get((found[1], start)) != duration:
                late.append(f"{url} announces ({start}, {duration})")
    checks.check(not wrong, f"{case.name}: each fragment is one that was pushed: {wrong[:3]}")
    # The last chunks of an event that has no end are announced, and not listed yet.
    checks.check(not case.ends or not late, f"{case.name}: tfrf names chunks that came: {late[:3]}")
    if not case.is_at_the_end:
        checks.check(with_tfrf > len(follower.taken) // 2, f"{case.name}: {with_tfrf} of {len(follower.taken)} fragments announce others")


def is_part(few, tracks):
    """Whether samples lie one behind another in one of the tracks."""
    for track in tracks:
        starts = (at for at, sample in enumerate(track) if few and sample == few[0])
        if any(track[at : at + len(few)] == few for at in starts):
            return True
    return False


def audit_film(checks, case, base, pushed, follower, answer):
    status, manifest = answer
    root = tree.fromstring(manifest) if status == 200 else tree.Element("none")
    is_film = status == 200 and root.get("IsLive", "FALSE").upper() == "FALSE"
    checks.check(is_film and int(root.get("Duration", 0)) > 0, f"{case.name}: after the end it is a film of {root.get('Duration')}")
    film, tracks, broken = {}, {}, []
    for url, name, start, duration in announced(manifest) if status == 200 else []:
        film[url] = get(f"{base}/{quote(url, safe='/(),=')}")[1]
        tracks.setdefault(url.rpartition("=")[0], []).extend(media for _, media in fragments_of(film[url]))
        if follower.seen.get((name, start), duration) != duration:
            broken.append(f"{name} at {start}")
    checks.check(set(follower.taken) <= set(film) and not broken, f"{case.name}: the film has every chunk that was announced: {broken[:3]}")
    mdat = lambda data: [media.bytes for _, media in fragments_of(data)]
    different = [url for url, data in follower.taken.items() if mdat(data) != mdat(film.get(url, b""))]
    checks.check(not different, f"{case.name}: and the same samples: {different[:3]}")
    compare(checks, case, "the film", pushed, tracks.values())


def compare(checks, case, what, pushed, tracks):
    """The tracks have the samples that were pushed, and nothing else."""
    expected = sorted(samples(fragments) for fragments in pushed.values())
    found = sorted(samples(fragments) for fragments in tracks)
    counts = [len(track) for track in found]
    checks.check(expected == found, f"{case.name}: {what} has all samples, each once: {counts} of {[len(track) for track in expected]}")


def audit_archive(checks, case, archive, point, pushed):
    tracks = []
    for file in archive.iterdir():
        if re.match(rf"{point}[-.]", file.name) and file.suffix in (".ismv", ".isma", ".ismt"):
            data = file.read_bytes()
            by_track = {}
            for _, media in fragments_of(data, tracks_of(data)):
                by_track.setdefault(media.track, []).append(media)
            tracks += by_track.values()
    if case.ends:
        compare(checks, case, "the archive", pushed, tracks)
        return
    # What was held back may lie in the archive until the event goes on.
    found = [samples(fragments) for fragments in tracks]
    begins = lambda track: [whole for whole in map(samples, pushed.values()) if whole[: len(track)] == track and len(track) > len(whole) // 2]
    checks.check(len(found) == case.tracks and all(map(begins, found)), f"{case.name}: the archive has the tracks without what was held back: {[len(track) for track in found]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", default=ROOT / "target/release/examples/serve")
    parser.add_argument("--players", type=Path, default=ROOT / "target/players", help="folder of players/install.sh (%(default)s)")
    parser.add_argument("--seconds", type=int, default=14)
    parser.add_argument("--only", default="", help="the cases whose name has this")
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = folder / "archive"
        archive.mkdir()
        film, text = source(folder, options.seconds)
        chosen = [case for case in cases(film, text, options.players / "ffmpeg") if options.only in case.name]
        with Server(options.serve, archive, "--live", "--live-window", "0", "--live-archive", archive) as server:
            with ThreadPoolExecutor(len(chosen)) as pool:
                results = list(pool.map(lambda job: run(job[1], job[0], server.address, checks), enumerate(chosen)))
            server.process.send_signal(signal.SIGTERM)
            checks.check(server.process.wait(timeout=60) == 0, "the server ends on SIGTERM")
        for case, (point, pushed) in zip(chosen, results):
            audit_archive(checks, case, archive, point, pushed)
    print(f"{checks.all - checks.failed} of {checks.all} checks passed")
    sys.exit(checks.failed > 0)


if __name__ == "__main__":
    main()
