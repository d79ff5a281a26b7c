#!/usr/bin/env python3
"""Measures the cost of many idle connections and slow readers for the example server and its other clients.

    python3 perf/slow_readers.py

8,000 connections make one request each and then nothing. 500 more ask for fragments of 1 MB and read
a few bytes a second. Meanwhile four good clients fetch fragments and compare every byte. The server
has 64 MiB for what clients have not taken yet.
"""

import http.client
import multiprocessing
import pathlib
import random
import resource
import socket
import statistics
import sys
import tempfile
import threading
import time

from common import Server, own_memory, write_film

IDLE, SLOW, GOOD = 8_000, 500, 4
BODY_MEMORY = 64 << 20
A_CONNECTION = 24 << 10
# No good client waits longer for a fragment than it takes to play it.
LONGEST = 2.0
PHASE = 15
FILM = 120
FRAGMENT = 1_000_000
# A path over the Internet: with the segments of loopback, the kernel would take whole fragments.
SEGMENT = 1_400


def fragments(folder):
    """Requests for all video fragments, with the bytes that must come."""
    of = {}
    for index, bitrate in enumerate([400_000, 1_200_000, 3_500_000], 1):
        content = (folder / f"film/video{index}.ismv").read_bytes()
        at, number = 0, 0
        while at < len(content):
            size, kind = int.from_bytes(content[at:at + 4]), content[at + 4:at + 8]
            if kind == b"moof":
                end = at + size + int.from_bytes(content[at + size:at + size + 4])
                path = f"/film/film.ism/QualityLevels({bitrate})/Fragments(video={number * 20_000_000})"
                of[path] = memoryview(content)[at:end]
                at, number = end, number + 1
            else:
                at += size
    return of


def connect(port, number, slow=False):
    connection = socket.socket()
    if slow:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
    # Of several addresses: each has its own ports.
    connection.bind((f"127.0.0.{2 + number % 8}", 0))
    connection.connect(("127.0.0.1", port))
    return connection


def request(method, path):
    return f"{method} {path} HTTP/1.1\r\nHost: origin.example.com\r\n\r\n".encode()


def idle(port, path):
    """Connections that have made one request."""
    connections = []
    for number in range(IDLE):
        connection = connect(port, number)
        connection.sendall(request("HEAD", path))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        connections.append(connection)
    return connections


def slow(port, paths, end, result):
    """Connections that read some bytes a second, each of another fragment; a process of its own."""
    readers = [connect(port, number, slow=True) for number in range(SLOW)]
    for number, reader in enumerate(readers):
        reader.sendall(request("GET", paths[number % len(paths)]))
        reader.settimeout(5)
    read = 0
    while not end.wait(1):
        for reader in readers:
            read += len(reader.recv(32))
    result.put((len(readers), read))


def good(port, of, until, took):
    """A client that takes what it asks for at once."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while time.monotonic() < until:
        path, expected = random.choice(of)
        start = time.monotonic()
        connection.request("GET", path)
        response = connection.getresponse()
        content = response.read()
        took.append(time.monotonic() - start)
        if response.status != 200 or content != expected:
            took.append(None)


def good_clients(port, of):
    """Seconds that good clients wait for each fragment, over a while."""
    took, until = [], time.monotonic() + PHASE
    clients = [threading.Thread(target=good, args=(port, of, until, took)) for _ in range(GOOD)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert took and None not in took, "a good client was not given its fragment"
    return sorted(took)


def show(what, took):
    middle, most = statistics.median(took), took[len(took) * 99 // 100]
    print(
        f"good clients, {what}: {len(took):,} fragments, every byte as stored; "
        f"{middle * 1e3:.1f} ms each, {most * 1e3:.1f} ms at most in 99 of 100, {took[-1] * 1e3:.1f} ms in all",
        flush=True,
    )


def mib(count):
    return f"{count / (1 << 20):.1f} MiB"


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        write_film(folder / "film", FILM, FRAGMENT)
        of = list(fragments(folder).items())
        paths = [path for path, _ in of]
        with Server(folder, "--body-memory", str(BODY_MEMORY >> 20), "--hot-memory", "0") as server:
            measure(server, of, paths)


def measure(server, of, paths):
    (pid,) = server.pids
    empty = own_memory(pid)
    before = good_clients(server.port, of)
    show("alone", before)
    served = own_memory(pid)
    print(f"memory: {mib(empty)} at the start, {mib(served)} after good clients", flush=True)

    connections = idle(server.port, paths[0])
    resting = own_memory(pid)
    each = (resting - served) / IDLE / 1024
    print(f"{IDLE:,} idle connections: {mib(resting)}, {each:.1f} KiB each", flush=True)

    end, result = multiprocessing.Event(), multiprocessing.Queue()
    readers = multiprocessing.Process(target=slow, args=(server.port, paths, end, result))
    readers.start()
    time.sleep(3)
    highest, watching = [own_memory(pid)], threading.Event()

    def watch():
        while not watching.wait(0.2):
            highest.append(own_memory(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    during = good_clients(server.port, of)
    watching.set()
    watcher.join()
    end.set()
    count, read = result.get(timeout=20)
    readers.join()
    show(f"beside {count} slow readers and {IDLE:,} idle connections", during)
    print(f"the slow readers have read {read / count:.0f} bytes each, heads included")
    for connection in connections:
        connection.setblocking(False)
        try:
            assert connection.recv(1), "an idle connection was closed"
        except BlockingIOError:
            pass
        connection.close()
    # Slow readers are gone, good clients and idle connections too.
    time.sleep(3)
    bound = BODY_MEMORY + (IDLE + SLOW) * A_CONNECTION
    more = max(highest) - empty
    print(f"memory: {mib(max(highest))} at most, {mib(more)} more than at the start (bar: {mib(bound)})")
    print(f"memory when all are gone: {mib(own_memory(pid))}")
    if more > bound:
        sys.exit("the server takes more memory than it may")
    if (resting - served) > IDLE * A_CONNECTION:
        sys.exit("an idle connection takes more memory than it may")
    if during[-1] > LONGEST:
        sys.exit("good clients suffer")


if __name__ == "__main__":
    main()
