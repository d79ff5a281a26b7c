#!/usr/bin/env python3
"""Measures ingest: the processor time of `serve --live` for many encoders, beside nginx (dav) that stores the same bodies, and the
time from the last byte of a fragment until it is in the manifest and fetched, beside nginx that stores it and sends it back.

    perf/live.py [--streams 100] [--seconds 60] [--rounds 3] [--program FILE] [--json FILE]

Needs ffmpeg with libx264 and nginx with its dav module (Debian: ffmpeg, nginx-light). Builds a release `serve`, unless
`PERF_PROGRAMS` or --program names one. With the defaults it takes 14 minutes. Anything else that runs on the machine meanwhile
shows in the latencies.

Each encoder pushes 5 Mbit/s to a publishing point of its own, in fragments of two seconds that are sent at once, as ffmpeg
does; encoders begin at different moments of these two seconds. Servers run on one core, one after the other in each round:
nginx, `serve` that keeps the bodies in memory, and `serve` that also has an archive, which is what nginx does: as it is, and
with `--live-held-in-memory 2`. The encoders
run on the other cores. The figure is the processor time as a multiple of nginx's in the same round: of the whole run, with the beginning and the
end of all events, and of its last third but for the end, when the window is full and memory is used again. A push is behind
if the server takes a fragment longer than half a second after it was due.

Prints a Markdown table; the status is non-zero if a bar is missed.
"""

import argparse
import asyncio
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as tree

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from common import Server, example, own_memory, processor_times
from nginx import Nginx

CHUNK = 32768
"""Bytes of a chunk of a body, as ffmpeg has them."""

FRAGMENT = 2.0
"""Seconds of a fragment."""

BAR_PROCESSOR, BAR_LATENCY, BAR_BEHIND = 1.5, 5.0, 0.5
"""Multiple of nginx, milliseconds (99th percentile), seconds."""

WINDOW = 4
"""Seconds of the window. `serve` keeps what players may still ask for 30 s longer."""

DAV = "root {folder}; client_max_body_size 0; location /dav/ {{ dav_methods PUT; create_full_put_path on; }}"


def recorded(folder, seconds):
    """A body as ffmpeg pushes it: the header, and the fragments."""
    film, body = folder / "film.mp4", folder / "body"
    source = f"testsrc2=size=640x360:rate=25:duration={seconds},noise=alls=40:allf=t"
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-sc_threshold", "0", "-pix_fmt", "yuv420p"]
    rate = ["-b:v", "5M", "-minrate", "5M", "-maxrate", "5M", "-bufsize", "5M", "-x264-params", "nal-hrd=cbr"]
    run = ["ffmpeg", "-v", "error", "-y"]
    subprocess.run([*run, "-f", "lavfi", "-i", source, *encode, *rate, film], check=True)
    subprocess.run([*run, "-i", film, "-c", "copy", "-movflags", "isml+frag_keyframe", "-f", "ismv", body], check=True)
    data, at, header, parts = body.read_bytes(), 0, 0, []
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
    """Pushes a body in real time. Returns the longest time from when a fragment was due until the server had taken it but for
    what the sockets hold."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.transport.set_write_buffer_limits(0)
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + header)
    behind = 0.0
    for number, fragment in enumerate(fragments):
        due = start + (number + 1) * FRAGMENT
        await asyncio.sleep(max(0, due - time.monotonic()))
        writer.write(fragment)
        await writer.drain()
        behind = max(behind, time.monotonic() - due)
    writer.write(b"8\r\n\0\0\0\x08mfra\r\n0\r\n\r\n")
    status = (await reader.readline()).split()[1]
    if status not in (b"200", b"201", b"204"):
        sys.exit(f"{path} is answered with {status.decode()}")
    writer.close()
    return behind


async def push_all(port, method, path, streams, header, fragments):
    begun = time.monotonic() + 0.5
    starts = [begun + FRAGMENT * number / streams for number in range(streams)]
    pushes = [push(port, method, path.format(number), header, fragments, start) for number, start in enumerate(starts)]
    return max(await asyncio.gather(*pushes))


def children(pid):
    """A process and its children."""
    pids = [pid]
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                pids.append(int(stat.parent.name))
        except OSError:
            pass
    return pids


def on_core(pids, cores):
    for pid in pids:
        subprocess.run(["taskset", "-a", "-c", "-p", ",".join(map(str, cores)), str(pid)], check=True, stdout=subprocess.DEVNULL)


def measure(server, method, path, given, header, fragments):
    """User and system time that the pushes cost, the longest delay, and the server's own memory behind them."""
    time.sleep(0.3)
    pids = children(server.process.pid)
    on_core(pids, given.server_cores)
    times = [processor_times(pids)]

    async def run():
        pushes = asyncio.create_task(push_all(server.port, method, path, given.streams, header, fragments))
        for until in (given.seconds * 2 / 3, given.seconds / 3 - 1):
            await asyncio.sleep(until)
            times.append(processor_times(pids))
        return await pushes

    behind = asyncio.run(run())
    times.append(processor_times(pids))
    spent = lambda first, last: [after - before for before, after in zip(times[first], times[last])]
    (user, system), steady = spent(0, 3), sum(spent(1, 2))
    return {"user": user, "system": system, "steady": steady, "behind": behind, "memory": sum(map(own_memory, pids))}


class Serve(Server):
    """`serve --live`, alone on its cores."""

    def __init__(self, program, folder, *options):
        folder.mkdir(parents=True)
        super().__init__(folder, "--live", *options, programs=program.parent, program=program.name, log=subprocess.DEVNULL)


def one_round(given, folder, header, fragments):
    figures = {}
    (folder / "dav").mkdir(parents=True)
    with Nginx(folder / "nginx", folder, site=DAV) as server:
        figures["nginx"] = measure(server, "PUT", "/dav/{}", given, header, fragments)
    stored = list((folder / "dav").iterdir())
    size = len(b"".join(fragments))
    if len(stored) != given.streams or min(file.stat().st_size for file in stored) < size * 0.99:
        sys.exit("nginx has not stored the bodies")
    ways = {"serve": False, "serve with an archive": True, "serve with an archive, --live-held-in-memory 2": True}
    for name, has_archive in ways.items():
        archive = folder / f"archive-{len(figures)}"
        archive.mkdir()
        options = ["--live-window", str(WINDOW), *(["--live-archive", archive] if has_archive else [])]
        options += name.partition(", ")[2].split()
        with Serve(given.program, folder / f"films-{len(figures)}", *options) as server:
            figures[name] = measure(server, "POST", "/live{}.isml/Streams(1)", given, header, fragments)
    subprocess.run(["rm", "-rf", folder], check=True)
    return figures


class Client:
    """A connection that asks, and reads answers whole. Sockets cost less than asyncio, which would show in the latencies."""

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.room = memoryview(bytearray(4 << 20))
        self.first = 0.0
        """When the first bytes of the last answer were there."""

    def get(self, path):
        self.connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return self.answer()

    def answer(self):
        """The status of the next answer, and at most the first 64 KiB of its body."""
        filled, end, length = 0, -1, 0
        while end < 0 or filled < end + length:
            filled += self.connection.recv_into(self.room[filled:])
            if end < 0:
                self.first = time.monotonic()
                end = bytes(self.room[:filled]).find(b"\r\n\r\n") + 4
                if end > 3:
                    said = re.search(rb"(?i)content-length: (\d+)", bytes(self.room[:end]))
                    length = int(said[1]) if said else 0
                else:
                    end = -1
        return int(bytes(self.room[9:12])), bytes(self.room[end : end + min(length, 1 << 16)])

    def close(self):
        self.connection.close()


def milliseconds(since, *moments):
    return [1000 * (moment - since) for moment in moments]


def latencies(port, header, fragments, look_ahead):
    """Milliseconds from the last byte of a fragment until the one that it makes due is listed, answered, and there as a whole."""
    push, asks = Client(port), Client(port)
    push.connection.sendall(b"POST /late.isml/Streams(1) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + header)
    found, known = [], 0
    for number, fragment in enumerate(fragments):
        push.connection.sendall(fragment)
        sent = time.monotonic()
        while number >= look_ahead:
            status, text = asks.get("/late.isml/Manifest")
            told = time.monotonic()
            url, times = listed(text) if status == 200 else ("", [])
            if len(times) > known:
                known = len(times)
                status, _ = asks.get(f"/late.isml/{url.replace('{start time}', str(times[-1]))}")
                if status != 200:
                    sys.exit(f"fragment {number} is listed, and answered with {status}")
                found.append(milliseconds(sent, told, asks.first, time.monotonic()))
                break
            if time.monotonic() - sent > 5:
                sys.exit(f"fragment {number} is not in the manifest after 5 s")
        time.sleep(0.02)
    push.close()
    asks.close()
    return found


def stored_latencies(port, fragments):
    """The same of nginx: until a fragment that is sent in a request of its own is stored, answered, and there as a whole."""
    push, asks = Client(port), Client(port)
    found = []
    for number, fragment in enumerate(fragments):
        path = f"/dav/late-{number}"
        push.connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        push.connection.sendall(fragment + b"0\r\n\r\n")
        sent = time.monotonic()
        status, _ = push.answer()
        told = time.monotonic()
        if status not in (201, 204) or asks.get(path)[0] != 200:
            sys.exit(f"nginx answers {path} with {status}, and does not have it")
        found.append(milliseconds(sent, told, asks.first, time.monotonic()))
        time.sleep(0.02)
    push.close()
    asks.close()
    return found


def listed(manifest):
    """The URL of a chunk, and the times of all."""
    times, time_ = [], 0
    root = tree.fromstring(manifest)
    for chunk in root.iter("c"):
        time_ = int(chunk.get("t", time_))
        for _ in range(int(chunk.get("r", 1))):
            times.append(time_)
            time_ += int(chunk.get("d", 0))
    bitrate = root.find(".//QualityLevel").get("Bitrate")
    return root.find("StreamIndex").get("Url").replace("{bitrate}", bitrate), times


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def table_of_rounds(given, rate, rounds):
    """The processor times as Markdown, and whether their bar is met."""
    met = True
    print(f"\n{given.streams} encoders of {rate:.2f} Mbit/s, {given.seconds} s, fragments of {FRAGMENT:.0f} s, {len(rounds)} rounds; servers on one core\n")
    print("| Server | user + system, s | × nginx, whole run (lowest to highest) | × nginx, full window | Bar (whole run) | Longest delay, s | Own memory, MB |")
    print("|---|---|---|---|---|---|---|")
    total = lambda figure: figure["user"] + figure["system"]
    for name in rounds[0]:
        figures = [one[name] for one in rounds]
        ratios = [total(one[name]) / total(one["nginx"]) for one in rounds]
        ratio, behind = statistics.median(ratios), max(figure["behind"] for figure in figures)
        user, system = (statistics.median(figure[part] for figure in figures) for part in ("user", "system"))
        says = "" if name == "nginx" else f"≤ {BAR_PROCESSOR}: {'met' if ratio <= BAR_PROCESSOR else 'missed'}"
        if name != "nginx":
            met = met and ratio <= BAR_PROCESSOR and behind <= BAR_BEHIND
        steady = [one[name]["steady"] / one["nginx"]["steady"] for one in rounds]
        print(
            f"| {name} | {user:.2f} + {system:.2f} | {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}) "
            f"| {statistics.median(steady):.2f} ({min(steady):.2f} to {max(steady):.2f}) | {says} | {behind:.2f} | {statistics.median(f['memory'] for f in figures) / 1e6:.0f} |"
        )
    return met


def table_of_latencies(late):
    """The latencies as Markdown, and whether their bar is met."""
    met = True
    print("\n| Last byte in → | listed (nginx: stored), ms | first byte of the answer, ms | whole, ms | Bar (whole) | Fragments |\n|---|---|---|---|---|---|")
    for name, values in late.items():
        columns = [f"{statistics.median(column):.2f}, {percentile(column, 0.99):.2f}" for column in zip(*values)]
        worst = percentile([whole for _, _, whole in values], 0.99)
        says = "" if name == "nginx" else f"≤ {BAR_LATENCY:.0f}: {'met' if worst <= BAR_LATENCY else 'missed'}"
        met = met and (name == "nginx" or worst <= BAR_LATENCY)
        print(f"| {name} | {' | '.join(columns)} | {says} | {len(values)} |")
    print("Each: median, 99th percentile.")
    return met


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--streams", type=int, default=100, help="number of encoders (%(default)s)")
    options.add_argument("--seconds", type=int, default=60, help="length of what they push (%(default)s)")
    options.add_argument("--rounds", type=int, default=3, help="how often all servers are measured; 0: latencies alone (%(default)s)")
    options.add_argument("--fragments", type=int, default=300, help="fragments whose delay is measured (%(default)s)")
    options.add_argument("--program", type=pathlib.Path, help="the server; built if it is not named")
    options.add_argument("--json", type=pathlib.Path, help="where all figures go")
    given = options.parse_args()
    given.program = (given.program or pathlib.Path(example("serve"))).resolve()
    cores = sorted(os.sched_getaffinity(0))
    given.server_cores = cores[:1]
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        folder = pathlib.Path(name)
        header, parts = recorded(folder, given.seconds)
        rate = 8 * sum(map(len, parts)) / given.seconds / 1e6
        header, fragments = chunked(header), [chunked(part) for part in parts]
        rounds = []
        for number in range(given.rounds):
            rounds.append(one_round(given, folder / f"round-{number}", header, fragments))
            print(f"round {number + 1}:", {name: f"{figure['user']:.2f} + {figure['system']:.2f} s" for name, figure in rounds[-1].items()}, flush=True)
        late = {}
        (folder / "dav").mkdir(exist_ok=True)
        with Nginx(folder / "nginx", folder, site=DAV) as server:
            on_core(children(server.process.pid), given.server_cores)
            times = -(-given.fragments // len(fragments))
            late["nginx"] = [found for _ in range(times) for found in stored_latencies(server.port, fragments)]
        for look_ahead in (0, 2):
            found, turn = [], 0
            while len(found) < given.fragments:
                turn += 1
                with Serve(given.program, folder / f"late-{look_ahead}-{turn}", "--live-look-ahead", str(look_ahead)) as server:
                    on_core(children(server.process.pid), given.server_cores)
                    found += latencies(server.port, header, fragments, look_ahead)
            late[f"`serve`, look-ahead {look_ahead}"] = found
    if given.json:
        given.json.write_text(json.dumps({"streams": given.streams, "rate": rate, "rounds": rounds, "late": late}, indent=1))
    met = [table_of_latencies(late)]
    if rounds:
        met.append(table_of_rounds(given, rate, rounds))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
