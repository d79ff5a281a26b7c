#!/usr/bin/env python3
"""ffmpeg pushes to `serve --live`, and what is announced is what was pushed.

    check.py [--serve target/release/examples/serve] [--ffmpeg ffmpeg] [--seconds 14]

ffmpeg encodes pictures in two qualities and sound, and pushes them in real time through a relay, which keeps every
byte. While it pushes, the manifest is read twice a second, and each fragment is fetched once it is announced. Then:

- each announced fragment has the samples (`mdat`) and the time (`tfxd`) of one that was pushed, and all of them were
  announced but those that the window dropped
- times of a stream only grow, and no chunk is announced twice with different times
- `tfrf` of a fragment names the times of those that follow it
- after the end, the same URL is a film: no IsLive, the same fragments, every one of them byte for byte as before but for `tfrf`

Prints a line for each check, and a sum; the status is non-zero if one failed.
"""

import argparse
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as tree
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent / "http"))

from wire import Server

TFXD = bytes.fromhex("6d1d9b0542d544e680e2141daff757b2")
TFRF = bytes.fromhex("d4807ef2ca3946958e5426cb9e46a79f")


class Checks:
    def __init__(self):
        self.failed = self.all = 0

    def check(self, is_right, sentence):
        self.all += 1
        self.failed += not is_right
        print("ok  " if is_right else "FAIL", sentence, flush=True)


class Relay:
    """Passes one connection on, and keeps what the encoder sends."""

    def __init__(self, to):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.to, self.sent = to, bytearray()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        encoder, _ = self.listener.accept()
        server = socket.create_connection(self.to)
        threading.Thread(target=self.back, args=(server, encoder), daemon=True).start()
        while bytes_ := encoder.recv(1 << 16):
            self.sent += bytes_
            server.sendall(bytes_)
        server.shutdown(socket.SHUT_WR)

    @staticmethod
    def back(server, encoder):
        try:
            while bytes_ := server.recv(1 << 16):
                encoder.sendall(bytes_)
        except OSError:
            pass

    def body(self):
        """The body without its chunks."""
        sent, body = bytes(self.sent), bytearray()
        at = sent.index(b"\r\n\r\n") + 4
        while at < len(sent):
            end = sent.index(b"\r\n", at)
            size = int(sent[at:end], 16)
            body += sent[end + 2 : end + 2 + size]
            at = end + 2 + size + 2
        return bytes(body)


def boxes(bytes_):
    at = 0
    while at + 8 <= len(bytes_):
        size, kind = struct.unpack(">I4s", bytes_[at : at + 8])
        yield kind, bytes_[at : at + size]
        at += size


def tfxd(moof):
    """Time and duration of a fragment; the time is signed in meaning."""
    at = moof.find(TFXD)
    return struct.unpack(">qQ", moof[at + 20 : at + 36]) if at > 0 else None


def tfrf(moof):
    """Times and durations of the fragments that follow."""
    at = moof.find(TFRF)
    if at < 0:
        return []
    count = moof[at + 20]
    return [struct.unpack(">QQ", moof[at + 21 + 16 * i : at + 37 + 16 * i]) for i in range(count)]


def pushed_fragments(body):
    """Each fragment by its mdat: the time and duration."""
    found, moof = {}, None
    for kind, box in boxes(body):
        if kind == b"moof":
            moof = box
        elif kind == b"mdat" and moof:
            found[box] = tfxd(moof)
            moof = None
    return found


def get(url):
    try:
        with urlopen(url, timeout=10) as response:
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


def encoder(ffmpeg, seconds, port, stream):
    source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    video = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0"]
    return [
        ffmpeg, "-hide_banner", "-loglevel", "error", "-re", *source, "-t", str(seconds),
        "-map", "0:v", "-map", "0:v", "-map", "1:a", *video, "-b:v:0", "300k", "-b:v:1", "120k", "-c:a", "aac", "-b:a", "64k",
        "-movflags", "isml+frag_keyframe", "-f", "ismv", f"http://127.0.0.1:{port}/live/x.isml/Streams({stream})",
    ]  # fmt: skip


def follow(base, process, seen, taken, statuses):
    """Fetches what is announced as soon as it is."""
    while True:
        has_ended = process.poll() is not None
        status, manifest = get(f"{base}/Manifest")
        if status == 200:
            for url, name, start, duration in announced(manifest):
                known = seen.setdefault((name, start), duration)
                if known != duration:
                    statuses.append(f"{name} at {start}: {known}, then {duration}")
                if url not in taken:
                    code, fragment = get(f"{base}/{quote(url, safe='/(),=')}")
                    taken[url] = fragment
                    if code != 200:
                        statuses.append(f"{url}: {code}")
        elif status != 404:
            statuses.append(f"the manifest: {status}")
        if has_ended:
            return
        time.sleep(0.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", default="target/release/examples/serve")
    parser.add_argument("--ffmpeg", default="ffmpeg")
    parser.add_argument("--seconds", type=int, default=14)
    options = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, Server(options.serve, folder, "--live", "--live-window", "0") as server:
        base = f"http://127.0.0.1:{server.address[1]}/live/x.isml"
        relay = Relay(server.address)
        first = subprocess.Popen(encoder(options.ffmpeg, options.seconds, relay.port, "enc1"))
        seen, taken, faults = {}, {}, []
        follow(base, first, seen, taken, faults)
        checks.check(first.returncode == 0, f"ffmpeg ends with {first.returncode}")
        checks.check(not faults, f"faults while it pushed: {faults[:5]}")
        checks.check(len(taken) > 10, f"{len(taken)} fragments were announced while it pushed")
        time.sleep(1)
        pushed = pushed_fragments(relay.body())
        audit(checks, base, pushed, seen, taken)
    print(f"{checks.all - checks.failed} of {checks.all} checks passed")
    sys.exit(checks.failed > 0)


def audit(checks, base, pushed, seen, taken):
    wrong = []
    for url, fragment in taken.items():
        parts = dict(boxes(fragment))
        start = int(re.search(r"=(\d+)\)", url)[1])
        known = pushed.get(parts.get(b"mdat"))
        served = tfxd(parts.get(b"moof", b""))
        if known is None or served is None:
            wrong.append(f"{url}: not pushed")
        elif served[0] != start or known[0] >= 0 and known != served:
            wrong.append(f"{url}: pushed {known}, served {served}")
    checks.check(not wrong, f"each fragment is one that was pushed: {wrong[:3]}")

    late = []
    for url, fragment in taken.items():
        name = re.search(r"Fragments\((.+)=(\d+)\)", url)
        for start, duration in tfrf(fragment):
            if seen.get((name[1], start)) != duration:
                late.append(f"{url} announces ({start}, {duration})")
    checks.check(not late, f"tfrf names chunks that came: {late[:3]}")
    with_tfrf = sum(1 for fragment in taken.values() if tfrf(fragment))
    checks.check(with_tfrf > len(taken) // 2, f"{with_tfrf} of {len(taken)} fragments announce others")

    status, manifest = get(f"{base}/Manifest")
    root = tree.fromstring(manifest) if status == 200 else tree.Element("none")
    checks.check(status == 200 and root.get("IsLive", "FALSE").upper() == "FALSE", "after the end it is a film")
    checks.check(int(root.get("Duration", 0)) > 0, f"its duration is {root.get('Duration')}")
    film, broken = {}, []
    for url, name, start, duration in announced(manifest) if status == 200 else []:
        film[url] = get(f"{base}/{quote(url, safe='/(),=')}")[1]
        if seen.get((name, start), duration) != duration:
            broken.append(f"{name} at {start}")
    checks.check(set(taken) <= set(film), "the film has every fragment that was announced live")
    checks.check(not broken, f"with the same durations: {broken[:3]}")
    different = [url for url in taken if dict(boxes(taken[url])).get(b"mdat") != dict(boxes(film.get(url, b""))).get(b"mdat")]
    checks.check(not different, f"and the same samples: {different[:3]}")
    expected = [mdat for mdat, (start, duration) in pushed.items() if start + duration > 0]
    served = {dict(boxes(fragment)).get(b"mdat") for fragment in film.values()}
    missing = [pushed[mdat] for mdat in expected if mdat not in served]
    checks.check(not missing, f"all {len(expected)} pushed fragments are in the film: {missing[:3]} missing")


if __name__ == "__main__":
    main()
