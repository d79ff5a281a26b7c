#!/usr/bin/env python3
"""Measures ingest: the processor time of `serve --live` for many encoders, beside nginx (dav) that stores the same bodies, and the
time from the last byte of a fragment to its place in the manifest. `serve` keeps the bodies in memory, and then also in an archive,
which is what nginx does.

    perf/live.py [--streams 100] [--seconds 30] [--program target/release/examples/serve]

Needs ffmpeg and nginx with its dav module (Debian: nginx-light), and a release build of `serve` with the feature `live`. Each
encoder pushes 5 Mbit/s to a publishing point of its own, in fragments of two seconds that are sent at once, as ffmpeg does;
encoders begin at different moments. Prints a line for each server, their ratio, and whether a push was behind.
"""

import argparse
import asyncio
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHUNK = 32768
"""Bytes of a chunk of a body, as ffmpeg has them."""

FRAGMENT = 2.0
"""Seconds of a fragment."""


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def recorded(folder, seconds):
    """A body as ffmpeg pushes it: the header, and the fragments of one time together."""
    film, body = folder / "film.mp4", folder / "body"
    source = f"nullsrc=size=640x360:rate=25:duration={seconds},geq=random(1)*255:128:128"
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-sc_threshold", "0"]
    rate = ["-b:v", "5M", "-minrate", "5M", "-maxrate", "5M", "-bufsize", "5M", "-x264-params", "nal-hrd=cbr"]
    run = ["ffmpeg", "-v", "error", "-y"]
    subprocess.run([*run, "-f", "lavfi", "-i", source, *encode, *rate, film], check=True)
    subprocess.run([*run, "-i", film, "-c", "copy", "-movflags", "isml+frag_keyframe", "-f", "ismv", body], check=True)
    data, at, parts = body.read_bytes(), 0, []
    header = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"moof":
            header = header or at
            after = at + size
            size += int.from_bytes(data[after : after + 4], "big")
            parts.append(data[at : at + size])
        at += size
    return data[:header], parts


def chunked(data):
    """Data as chunks of a body."""
    pieces = (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


async def push(port, method, path, header, fragments, start):
    """Pushes a body in real time. Returns the longest time that a fragment waited to be sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + header)
    behind = 0.0
    for number, fragment in enumerate(fragments):
        due = start + (number + 1) * FRAGMENT
        await asyncio.sleep(max(0, due - time.monotonic()))
        writer.write(fragment)
        await writer.drain()
        behind = max(behind, time.monotonic() - due)
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    status = await reader.readline()
    assert status.split()[1] in (b"200", b"201", b"204"), (path, status)
    writer.close()
    return behind


async def push_all(port, method, path, streams, header, fragments):
    begun = time.monotonic()
    starts = [begun + FRAGMENT * number / streams for number in range(streams)]
    pushes = [push(port, method, path.format(number), header, fragments, start) for number, start in enumerate(starts)]
    return max(await asyncio.gather(*pushes))


def spent(pid):
    """Processor seconds of a process and its children, in user and system mode."""
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_for(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("a server has not started")


def nginx(folder, port):
    (folder / "dav").mkdir()
    for name in ("logs", "temp"):
        (folder / name).mkdir()
    os.chmod(folder, 0o755)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"""user root; worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/logs/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; client_max_body_size 0; client_body_temp_path {folder}/temp;
    server {{ listen 127.0.0.1:{port}; root {folder}; location /dav/ {{ dav_methods PUT; create_full_put_path on; }} }}
}}
"""
    )
    return subprocess.Popen(["nginx", "-p", folder, "-c", configuration, "-e", folder / "logs/error.log"])


def serve(program, folder, port, options=()):
    media = folder / "media"
    media.mkdir(exist_ok=True)
    command = [program, media, "--listen", f"127.0.0.1:{port}", "--live", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(process, port, method, path, given, header, fragments):
    wait_for(port)
    before = spent(process.pid)
    behind = asyncio.run(push_all(port, method, path, given.streams, header, fragments))
    took = spent(process.pid) - before
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)
    return took, behind


async def latencies(port, header, fragments, look_ahead, rounds):
    """Seconds from the last byte of a fragment to the manifest that lists the one that is due, and to that fragment itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /late.isml/Streams(1) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + header)
    asks = await asyncio.open_connection("127.0.0.1", port)

    async def get(path):
        asks[1].write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await asks[0].readuntil(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        return int(head.split()[1]), await asks[0].readexactly(length)

    found = []
    known = 0
    for number, fragment in enumerate(fragments[:rounds]):
        writer.write(fragment)
        await writer.drain()
        sent = time.monotonic()
        while number >= look_ahead:
            status, text = await get("/late.isml/Manifest")
            times = re.findall(rb'<c t="(\d+)"', text) if status == 200 else []
            if len(times) > known or b"<c" in text and text.count(b"<c ") > known:
                known = text.count(b"<c ")
                break
            if time.monotonic() - sent > 5:
                sys.exit(f"fragment {number} is not in the manifest after 5 s")
        if number >= look_ahead:
            bitrate = re.search(rb'Bitrate="(\d+)"', text)[1].decode()
            start = re.findall(rb'<c t="(\d+)"', text)[-1].decode()
            status, _ = await get(f"/late.isml/QualityLevels({bitrate})/Fragments(video={start})")
            assert status == 200, (number, status)
            found.append(time.monotonic() - sent)
        await asyncio.sleep(0.02)
    writer.close()
    return sorted(found)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--streams", type=int, default=100, help="number of encoders (%(default)s)")
    options.add_argument("--seconds", type=int, default=30, help="length of what they push (%(default)s)")
    options.add_argument("--program", default=ROOT / "target/release/examples/serve", help="the server (%(default)s)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        header, parts = recorded(folder, given.seconds)
        rate = 8 * sum(map(len, parts)) / given.seconds / 1e6
        header, fragments = chunked(header), [chunked(part) for part in parts]
        print(f"{given.streams} encoders, {rate:.2f} Mbit/s each, {given.seconds} s, fragments of {FRAGMENT:.0f} s")
        took = {}
        for server in ("nginx", "memory", "archive"):
            port = free_port()
            if server == "nginx":
                process, method, path = nginx(folder, port), "PUT", "/dav/{}"
            else:
                options = ["--live-archive", folder / "archive"] if server == "archive" else []
                (folder / "archive").mkdir(exist_ok=True)
                process, method, path = serve(given.program, folder, port, options), "POST", "/live{}.isml/Streams(1)"
            took[server], behind = measure(process, port, method, path, given, header, fragments)
            print(f"{server:7} {took[server]:6.2f} s of processor time, {100 * took[server] / given.seconds:5.1f} % of a core, longest wait {behind:.3f} s")
        for server in ("memory", "archive"):
            print(f"{server:7} {took[server] / took['nginx']:.2f} x nginx (bar: 1.5)")
        for look_ahead in (0, 2):
            port = free_port()
            process = serve(given.program, folder, port, ["--live-look-ahead", str(look_ahead)])
            wait_for(port)
            found = asyncio.run(latencies(port, header, fragments * 1, look_ahead, len(fragments)))
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
            p99 = found[min(len(found) - 1, int(len(found) * 0.99))]
            print(f"look-ahead {look_ahead}: last byte in to listed and fetched: median {1000 * found[len(found) // 2]:.1f} ms, p99 {1000 * p99:.1f} ms of {len(found)} (bar: 5 ms)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
