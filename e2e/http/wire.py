"""HTTP/1.1 over a plain socket, byte for byte, and the example server over a folder of our own."""

import os
import random
import re
import select
import socket
import subprocess
import time
from pathlib import Path


PATIENCE = 60
"""Seconds in which a program begins to listen, on a machine that does much else."""


class Response:
    def __init__(self, status, fields, body, whole=True):
        self.status, self.fields, self.body, self.whole = status, fields, body, whole

    def get(self, name):
        values = [value for field, value in self.fields if field.lower() == name.lower()]
        return ", ".join(values)


class Connection:
    def __init__(self, address, timeout=30):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # an answer may lie there all the same

    def more(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self.left += data
        return bool(data)

    def response(self, method=b"GET"):
        """The next response; None where the connection ends before one."""
        while b"\r\n\r\n" not in self.left:
            if not self.more():
                if self.left:
                    raise AssertionError(f"cut off in the head: {bytes(self.left[:200])!r}")
                return None
        end = self.left.index(b"\r\n\r\n")
        head = bytes(self.left[:end])
        del self.left[: end + 4]
        first, *lines = head.split(b"\r\n")
        match = re.fullmatch(rb"HTTP/1\.[01] (\d{3}) [ -~]*", first)
        assert match, f"no status line: {first!r}"
        fields = []
        for line in lines:
            # No response may hold more in a line than a name and printable text.
            assert re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[ -~]*", line), f"a field of {line!r}"
            name, value = line.split(b":", 1)
            fields.append((name.decode(), value.strip().decode()))
        response = Response(int(match[1]), fields, b"")
        if method != b"HEAD" and response.status not in (204, 304) and response.status >= 200:
            lengths = [value for name, value in fields if name.lower() == "content-length"]
            assert len(lengths) == 1, f"lengths of {response.status}: {lengths}"
            length = int(lengths[0])
            while len(self.left) < length and self.more():
                pass
            response.body = bytes(self.left[:length])
            del self.left[:length]
            response.whole = len(response.body) == length
        return response

    def ends(self):
        """That nothing more comes and the server has hung up."""
        try:
            return not self.left and not self.more()
        except TimeoutError:
            return False

    def is_silent(self, seconds):
        ready, _, _ = select.select([self.socket], [], [], seconds)
        return not ready and not self.left


def ask(address, target, *fields, method="GET"):
    """One request on a connection of its own."""
    lines = [f"{method} {target} HTTP/1.1", "Host: test", "Connection: close", *fields]
    with Connection(address, timeout=60) as connection:
        connection.send("".join(line + "\r\n" for line in lines).encode("latin-1") + b"\r\n")
        return connection.response(method.encode())


def is_read(sender):
    """Whether the other end of a connection of this machine has taken all bytes that were sent."""
    own, other = sender.getsockname()[1], sender.getpeername()[1]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    queues = {(port_of(row[1]), port_of(row[2])): [int(size, 16) for size in row[4].split(":")] for row in rows}
    (unsent, _), (_, unread) = queues.get((own, other), (0, 0)), queues.get((other, own), (0, 0))
    return unsent == unread == 0


def port_of(place):
    return int(place.rpartition(":")[2], 16)


GIVEN = set()
"""Ports that were given."""


def free_port():
    """A port that nobody has, below those that the system gives to connections and to others who ask for any."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in GIVEN:
            GIVEN.add(port)
            return port


class Server:
    """The example server over a folder, on a free port; ends with the block."""

    def __init__(self, binary, folder, *arguments):
        self.address = ("127.0.0.1", free_port())
        listen = f"127.0.0.1:{self.address[1]}"
        command = [binary, folder, "--listen", listen, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        wait_for(self.address, self.process)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def wait_for(address, process=None):
    """Until something listens there. A process that has ended will not, and one that takes a minute hangs."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and (process is None or process.poll() is None):
        try:
            socket.create_connection(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    ended = "" if process is None or process.poll() is None else f": the process has ended with {process.poll()}"
    raise AssertionError(f"nothing listens on {address}{ended}")


def binary_of(arguments, place):
    path = arguments[place] if len(arguments) > place else "target/release/examples/serve"
    assert os.access(path, os.X_OK), f"{path} is not there: cargo build --release --example serve"
    return path
