#!/usr/bin/env python3
"""From the start of the example server's process to the first byte of a film of three hours.

    python3 perf/cold_start.py [RUNS]

Every run starts a process and asks it for one thing; what counts is the median, from before the
process is made to the first byte that comes. Nothing is subtracted: what the server does before it
answers is in it, and so is what a process that serves nothing takes, which is shown beside it. Then
the memory that the open film takes.
"""

import os
import pathlib
import socket
import statistics
import sys
import tempfile
import time

from common import build, own_memory, write_film

FILM = 3 * 3600
BAR = 8.0
MEMORY_BAR = 4.0
PORT = 18_420
MANIFEST = "/film/film.ism/Manifest"
FRAGMENT = "/film/film.ism/QualityLevels(1200000)/Fragments(video=54000000000)"


class Process:
    """The server over a folder, from before it is made, as a context."""

    def __init__(self, program, folder, port):
        self.port = port
        self.start = time.perf_counter()
        self.pid = os.posix_spawn(
            program,
            [program, str(folder), "--listen", f"127.0.0.1:{port}"],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, 15)
        os.waitpid(self.pid, 0)

    def connect(self):
        while True:
            connection = socket.socket()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if connection.connect_ex(("127.0.0.1", self.port)) == 0:
                return connection
            connection.close()
            time.sleep(0.00005)

    def first_byte(self, path, status):
        """Milliseconds from the start to the first byte of the body of an answer, and of processor time."""
        with self.connect() as connection:
            connection.sendall(request(path))
            answer = b""
            while b"\r\n\r\n" not in answer or answer.endswith(b"\r\n\r\n"):
                answer += connection.recv(4096)
            took = time.perf_counter() - self.start
            processor = self.processor()
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:100]
        return took * 1e3, processor * 1e3

    def processor(self):
        """Seconds of processor time of all its threads."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def get(self, path, coding):
        """Fields and body of an answer."""
        with self.connect() as connection:
            connection.sendall(request(path, coding))
            with connection.makefile("rb") as file:
                head = b"".join(iter(file.readline, b"\r\n")).lower()
                length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                return head, file.read(length)


def request(path, coding="identity"):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {coding}\r\n\r\n".encode()


def forget(folder):
    """Has the page cache drop the files of a folder."""
    os.sync()
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def memory(program, folder, paths):
    """Memory of a server that has answered these, in MiB."""
    with Process(program, folder, PORT + 1) as server:
        for path in paths:
            for coding in ["identity", "gzip", "br"] if path.endswith("Manifest") else ["identity"]:
                # Compressed forms are made behind the back of the first request.
                for _ in range(200):
                    head, _ = server.get(path, coding)
                    if coding == "identity" or f"content-encoding: {coding}".encode() in head:
                        break
                    time.sleep(0.05)
                else:
                    sys.exit(f"no {coding} of {path}")
        return own_memory(server.pid) / (1 << 20)


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    program = build("-p", "smooth-origin-examples", "--example", "serve")
    with tempfile.TemporaryDirectory() as temporary:
        film, empty = pathlib.Path(temporary, "film"), pathlib.Path(temporary, "empty")
        write_film(film / "film", FILM, 300)
        empty.mkdir()
        cases = {
            "nothing to serve, a 404": (empty, "/none", 404, False),
            "manifest": (film, MANIFEST, 200, False),
            "fragment": (film, FRAGMENT, 200, False),
            "manifest, files not in the page cache": (film, MANIFEST, 200, True),
            "fragment, files not in the page cache": (film, FRAGMENT, 200, True),
        }
        took = {name: [] for name in cases}
        for number in range(runs + 1):
            for name, (folder, path, status, is_cold) in cases.items():
                if is_cold:
                    forget(folder)
                with Process(program, folder, PORT) as server:
                    times = server.first_byte(path, status)
                # The first round brings the program itself into memory.
                if number > 0:
                    took[name].append(times)
        for name, times in took.items():
            whole, processor = map(sorted, zip(*times))
            took[name] = statistics.median(whole)
            print(
                f"{name}: {took[name]:.1f} ms to the first byte of the body "
                f"({whole[0]:.1f} to {whole[-1]:.1f}, {runs} runs), of which the server had a "
                f"processor for {statistics.median(processor):.1f} ms", flush=True,
            )
        base = statistics.median(memory(program, empty, ["/none"]) for _ in range(3))
        one = statistics.median(memory(program, film, [MANIFEST, FRAGMENT]) for _ in range(3))
        print(f"memory: {base:.2f} MiB empty, {one:.2f} MiB with the film open: {one - base:.2f} MiB more (bar: {MEMORY_BAR:.0f})")
        slow = [name for name in ["manifest", "fragment"] if took[name] > BAR]
    if slow:
        sys.exit(f"more than {BAR} ms: {', '.join(slow)}")
    if one - base > MEMORY_BAR:
        sys.exit("the open film takes more memory than it may")


if __name__ == "__main__":
    main()
