#!/usr/bin/env python3
"""A server that is killed while an encoder pushes to it: nothing that it has acknowledged is lost.

    e2e/live/kill.py [--serve target/release/examples/serve] [--kills 20] [--seed 18]

Pushes the fragments of a file of testdata/, one in each request, to `serve --live --live-archive`, and kills the
server with SIGKILL at random moments, in requests and between them. Each next server goes on with the event. At
the end, each fragment that was answered with 200 is in the archive, with its samples, and the archive is a
presentation that is served without an error.
"""

import argparse
import http.client
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHUNKS = 60
TICKS = 20_000_000


def box(kind, *parts):
    body = b"".join(parts)
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def boxes(data):
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at : at + size]
        at += size


def source():
    """The header of a track, and a function that makes its fragments."""
    file = next((ROOT / "testdata/dialects/ffmpeg").glob("*.isma"), None) or next((ROOT / "testdata/dialects/ffmpeg").glob("*.ismv"))
    tops = list(boxes(file.read_bytes()))
    head = b"".join(data for kind, data in tops if kind in (b"ftyp", b"moov"))
    moof = next(data for kind, data in tops if kind == b"moof")
    track = int.from_bytes(moof[moof.index(b"tfhd") + 8 :][:4], "big")

    def fragment(number):
        size = 2000
        samples = random.Random(number).randbytes(size)
        tfxd = box(b"uuid", bytes.fromhex("6d1d9b0542d544e680e2141daff757b2"), b"\1\0\0\0", (number * TICKS).to_bytes(8, "big"), TICKS.to_bytes(8, "big"))
        tfhd = box(b"tfhd", b"\0\0\0\0", track.to_bytes(4, "big"))

        def moof(offset):
            trun = box(b"trun", b"\0\0\3\1", (1).to_bytes(4, "big"), offset.to_bytes(4, "big"), TICKS.to_bytes(4, "big"), size.to_bytes(4, "big"))
            mfhd = box(b"mfhd", b"\0\0\0\0", (number + 1).to_bytes(4, "big"))
            return box(b"moof", mfhd, box(b"traf", tfhd, trun, tfxd))

        return moof(len(moof(0)) + 8) + box(b"mdat", samples)

    return head, fragment


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(serve, folder, archive, live=True):
    port = free_port()
    command = [serve, folder, "--listen", f"127.0.0.1:{port}"]
    if live:
        command += ["--live", "--live-archive", archive]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, port
        except OSError:
            if server.poll() is not None:
                sys.exit(f"the server does not start: {server.stderr.read().decode()}")
            time.sleep(0.05)
    sys.exit("the server does not listen")


def push(port, body):
    """Returns whether a push is acknowledged."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/news.isml/Streams(a)", body)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    if status != 200:
        sys.exit(f"a push is answered with {status}")
    return True


def fetch(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def samples(fragment):
    return next(data for kind, data in boxes(fragment) if kind == b"mdat")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", default=ROOT / "target/release/examples/serve")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=18)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    head, fragment = source()
    with tempfile.TemporaryDirectory() as folder:
        archive = pathlib.Path(folder) / "archive"
        archive.mkdir()
        acknowledged, kills = 0, 0
        server, port = start(arguments.serve, archive, archive)
        while acknowledged < CHUNKS:
            dies = kills < arguments.kills and chance.random() < 2 * arguments.kills / CHUNKS
            if dies:
                timer = threading.Timer(chance.random() * 0.01, server.kill)
                timer.start()
            if push(port, head + fragment(acknowledged)):
                acknowledged += 1
            if dies:
                timer.join()
                server.wait()
                kills += 1
                server, port = start(arguments.serve, archive, archive)
        server.send_signal(signal.SIGTERM)
        server.wait()
        server, port = start(arguments.serve, archive, archive, live=False)
        status, manifest = fetch(port, "/news.ism/Manifest")
        assert status == 200, f"the manifest of the archive is answered with {status}"
        bitrate = re.search(rb'Bitrate="(\d+)"', manifest)[1].decode()
        name = re.search(rb'Name="([^"]+)"', manifest)[1].decode()
        for number in range(CHUNKS):
            path = f"/news.ism/QualityLevels({bitrate})/Fragments({name}={number * TICKS})"
            status, body = fetch(port, path)
            assert status == 200, f"{path} is answered with {status} after {kills} kills"
            assert samples(body) == samples(fragment(number)), f"{path} has other samples"
        server.terminate()
        server.wait()
    print(f"{CHUNKS} fragments were acknowledged, and none was lost by {kills} kills")


if __name__ == "__main__":
    main()
