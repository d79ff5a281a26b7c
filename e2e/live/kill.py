#!/usr/bin/env python3
"""A server that is killed while an encoder pushes to it: nothing that it has acknowledged is lost.

    e2e/live/kill.py [--serve target/release/examples/serve] [--kills 20] [--seed 18]

Pushes the fragments of a file of testdata/, one in each request, to `serve --live --live-archive`, and kills the
server with SIGKILL at random moments, in requests and between them, so many times; now and then with SIGTERM. Each
next server goes on with the same event. At the end, each fragment that was answered with 200 is in the film, with
its samples: at the URL of the event, also after another restart, and at that of the archive.

A second event is pushed in one request that runs long, with half as many kills. Its encoder connects again and sends the last two fragments
that it had sent once more, as Azure's specification of ingest has it: the film has all fragments.
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
PACE = 0.15
"""Seconds between two fragments of a long push."""
LONGEST = 5
"""Seconds after which the next fragment comes, although the one before is not in the archive."""
END = b"\0\0\0\x08mfra"
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
    for _ in range(1200):
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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
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


def push_long(server, port, head, fragment, first, end, ends, archive):
    """Pushes fragments in one request, from `first` to before `end`, and says that this `ends` the stream. Returns the number of the last
    one that was sent, and whether the request was acknowledged. The server has read one when the next one comes, also on a busy machine:
    an encoder sends the last two again, and no more."""
    try:
        connection = socket.create_connection(("127.0.0.1", port), 60)
    except OSError:
        # It was killed before.
        return first - 1, False
    chunk = lambda data: connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
    number = first - 1
    try:
        connection.sendall(b"POST /long.isml/Streams(a) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk(head)
        for number in range(first, end):
            chunk(fragment(number))
            time.sleep(PACE)
            wait_for_file(server, archive, samples(fragment(number))[8:])
        if not ends:
            time.sleep(20 * PACE)
            return number, False
        chunk(END)
        connection.sendall(b"0\r\n\r\n")
        answer = connection.recv(12)
    except OSError:
        return number - 1, False
    finally:
        connection.close()
    if answer and answer != b"HTTP/1.1 200":
        sys.exit(f"a long push is answered with {answer}")
    return number, bool(answer)


def wait_for_file(server, archive, data):
    """Until a file has these bytes, or the server is dead, or for a while if none gets them."""
    until = time.monotonic() + LONGEST
    while server.poll() is None and time.monotonic() < until and not any(data in content_of(file) for file in archive.rglob("*")):
        time.sleep(0.02)


def content_of(file):
    try:
        return file.read_bytes()
    except OSError:  # A folder, or a file that has gone.
        return b""


def long_pushes(arguments, chance, head, fragment, archive):
    """Kills the server of a push that runs long, and looks at the film."""
    server, port = start(arguments.serve, archive, archive)
    wanted, sent, kills, is_whole = arguments.kills // 2, -1, 0, False
    while not is_whole:
        dies = kills < wanted
        timer = threading.Timer(chance.random() * 10 * PACE, server.kill)
        if dies:
            timer.start()
        # The last ones are sent when the server lives.
        last, is_whole = push_long(server, port, head, fragment, max(0, sent - 1), CHUNKS - 12 if dies else CHUNKS, not dies, archive)
        sent = max(sent, last)
        if dies:
            timer.join()
            kills += 1
            server.wait()
            server, port = start(arguments.serve, archive, archive)
    check(port, "long.isml", fragment, CHUNKS)
    server.terminate()
    server.wait()
    return kills


def fetch(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
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
        acknowledged, kills, ends = 0, 0, 0
        server, port = start(arguments.serve, archive, archive)
        while acknowledged < CHUNKS or kills < arguments.kills:
            dies = kills < arguments.kills and chance.random() < 0.7
            if dies:
                timer = threading.Timer(chance.random() * 0.015, server.kill)
                timer.start()
            if push(port, head + fragment(acknowledged)):
                acknowledged += 1
            if dies:
                timer.join()
                kills += 1
            elif chance.random() < 0.1:
                server.send_signal(signal.SIGTERM)
                ends += 1
            else:
                continue
            server.wait()
            server, port = start(arguments.serve, archive, archive)
        # The encoder says that it ends.
        assert push(port, head + box(b"mfra", box(b"mfro", bytes(8))))
        check(port, "news.isml", fragment, acknowledged)
        server.send_signal(signal.SIGTERM)
        server.wait()
        server, port = start(arguments.serve, archive, archive)
        check(port, "news.isml", fragment, acknowledged)
        server.terminate()
        server.wait()
        server, port = start(arguments.serve, archive, archive, live=False)
        films = [film.name for film in archive.glob("*.ism")]
        assert len(films) == 1, f"one event has left {films}"
        check(port, films[0], fragment, acknowledged)
        server.terminate()
        server.wait()
        (archive / "long").mkdir()
        long = long_pushes(arguments, chance, head, fragment, archive / "long")
    print(f"{CHUNKS} fragments of a push that runs long are in the film, behind {long} kills")
    print(f"{acknowledged} fragments were acknowledged, and none was lost by {kills} kills and {ends} ends")


def check(port, film, fragment, count):
    """Checks that a film has so many fragments, with the samples that were pushed."""
    until = time.monotonic() + 60
    # The film of an event that has ended may take a moment.
    while (answer := fetch(port, f"/{film}/Manifest"))[0] == 503 and time.monotonic() < until:
        time.sleep(0.1)
    status, manifest = answer
    assert status == 200, f"the manifest of {film} is answered with {status}: {manifest}"
    assert b"IsLive" not in manifest, f"{film} is live"
    bitrate = re.search(rb'Bitrate="(\d+)"', manifest)[1].decode()
    name = re.search(rb'Name="([^"]+)"', manifest)[1].decode()
    for number in range(count):
        path = f"/{film}/QualityLevels({bitrate})/Fragments({name}={number * TICKS})"
        status, body = fetch(port, path)
        assert status == 200, f"{path} is answered with {status}"
        assert samples(body) == samples(fragment(number)), f"{path} has other samples"


if __name__ == "__main__":
    main()
