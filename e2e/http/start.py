#!/usr/bin/env python3
"""How an example server starts, what it says, and what does not end it.

    start.py [target/release/examples/serve]

Values that are accepted and refused, with sentences and exit statuses; listening before anything is listed; the list
over folders of mixed health; several folders below prefixes; other spellings of names; links; SIGHUP; a closed pipe; requests without `Host` and with two lengths. Reads the sentences
as people do: a line of a failure that looks like a dump of a value in Rust fails.
"""

import fcntl
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wire import Connection, ask, binary_of

TESTDATA = Path(__file__).parent.parent.parent / "testdata"
MANIFEST = "/ladder/ladder.ism/Manifest"
LISTENING = r"listening on (\S+):(\d+); stop with Ctrl-C\n"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn |info |debug) \S.*")
PATIENCE = 60  # seconds for what takes a moment
checked = 0


def check(right, message):
    global checked
    checked += 1
    assert right, message


class Process:
    """A server with its output, in pipes that are read; ends with the block."""

    def __init__(self, binary, *arguments, **options):
        command = [binary, *map(str, arguments)]
        # It is read while the process writes, and both share one position: appending goes to the end wherever that is.
        self.errors = tempfile.TemporaryFile("w+")
        fcntl.fcntl(self.errors, fcntl.F_SETFL, fcntl.fcntl(self.errors, fcntl.F_GETFL) | os.O_APPEND)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, bufsize=0, **options)
        self.text = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def read_to(self, pattern, patience=PATIENCE):
        """What is printed up to and with a pattern; the match."""
        deadline = time.monotonic() + patience
        while not (found := re.search(pattern, self.text, re.MULTILINE)):
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(left, 0))
            data = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            assert data, f"no {pattern!r} in {self.text[-2000:]!r}; {self.stderr()[-2000:]!r}"
            self.text += data.decode()
        before, self.text = self.text[: found.end()], self.text[found.end() :]
        return found, before

    def address(self):
        found, before = self.read_to(LISTENING)
        check(before == found[0], f"before the address is known: {before!r}")
        host = {"0.0.0.0": "127.0.0.1", "[::]": "127.0.0.1", "[::1]": "::1"}.get(found[1], found[1])
        return host, int(found[2])

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read()

    def wait_for_line(self, text):
        """Until stderr has a text."""
        for _ in range(PATIENCE * 20):
            if text in self.stderr():
                return
            time.sleep(0.05)
        raise AssertionError(f"no {text!r} in {self.stderr()!r}")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


# ---- Values ----


def values_accepted(binary):
    for listen in ("localhost:0", ":0", "0", "127.0.0.1:0", "0.0.0.0:0", "*:0", *ipv6()):
        with Process(binary, TESTDATA, "--listen", listen, "--list", 0) as server:
            check(ask(server.address(), MANIFEST).status == 200, f"--listen {listen}: not answered")
    origins = ("https://tv.example.com", "https://*.example.com", "http://127.0.0.1:*", "*", "capacitor://localhost")
    arguments = [argument for origin in origins for argument in ("--allow-origin", origin)]
    numbers = ["--workers", 1, "--max-connections", 1, "--revalidate", 0, "--log-level", "debug"]
    with Process(binary, TESTDATA, "--listen", "0", *arguments, *numbers) as server:
        response = ask(server.address(), MANIFEST, "Origin: https://other.example")
        check(response.get("access-control-allow-origin") == "*", "--allow-origin '*' does not allow all")


def ipv6():
    try:
        Connection(("::1", 9), timeout=1)
    except ConnectionRefusedError:
        return ["[::1]:0"]
    except OSError:
        print("this machine has no IPv6 address: [::1] is not tried")
    return []


def values_refused(binary):
    with tempfile.NamedTemporaryFile(suffix=".ism") as file, Process(binary, TESTDATA, "--listen", "0", "--list", 0) as other:
        taken = "127.0.0.1:%d" % other.address()[1]
        for arguments, status, sentence in (
            (["--listen", ""], 2, "give an address and a port: 127.0.0.1:8080"),
            (["--listen", "localhost"], 2, "give a port as well: localhost:8080"),
            (["--listen", "::1"], 2, "an IPv6 address stands in brackets before its port: [::1]:8080"),
            (["--listen", "http://localhost:8080/"], 2, "leave out the scheme: localhost:8080"),
            (["--listen", ":65536"], 2, "a port is a number from 0 to 65535"),
            (["--listen", ":-1"], 2, "a port is a number from 0 to 65535"),
            (["--listen", taken], 1, f"cannot listen on {taken}"),
            (["--listen", "name.invalid:0"], 1, "cannot listen on name.invalid:0"),
            (["--allow-origin", "tv.example.com"], 2, "https://tv.example.com"),
            (["--allow-origin", "https://tv.example.com/"], 2, "has a path: write https://tv.example.com"),
            (["--allow-origin", "https://tv.example.com:x"], 2, "has a port that is no number"),
            (["--allow-origin", "null"], 2, "pages without an origin"),
            (["--workers", "0"], 2, "give a whole number of threads from 1 to 1024"),
            (["--workers", "1000000"], 2, "give a whole number of threads from 1 to 1024"),
            (["--max-connections", "0"], 2, "give a whole number of connections from 1 to"),
            (["--max-connections", "99999999999999999999"], 2, "give a whole number of connections from 1 to"),
            (["--revalidate", "99999999999999999999"], 2, "give a whole number of seconds from 0 to"),
            (["--revalidate", "-1"], 2, "seconds"),
            (["--revalidate", "1.5"], 2, "seconds"),
            (["--list", "many"], 2, "give a whole number of presentations from 0 to"),
            (["--log-level", "loud"], 2, "[possible values: error, warn, info, debug]"),
            (["--quiet", "--log-level", "info"], 2, "cannot be used with"),
            (["--no-such-option"], 2, "--no-such-option"),
            (["/no/such/folder"], 1, "cannot serve the folder /no/such/folder"),
            ([file.name], 1, f"name its folder: {os.path.dirname(file.name)}"),
            (["/srv/a", "/srv/b"], 2, "each has a prefix"),
            (["a=/srv/a", "a=/srv/b"], 2, "two folders have the prefix `a`"),
            ([".a=/srv/a"], 2, "a prefix that begins with a dot"),
            (["a.ism=/srv/a"], 2, "would be taken for a presentation"),
            ([""], 2, "give the folder that is served"),
            *only_of_serve(binary),
        ):
            refused(binary, arguments, status, sentence)


def only_of_serve(binary):
    if os.path.basename(binary) != "serve":
        return
    for option, least in (("--body-memory", 1), ("--hot-memory", 0)):
        for number in ("99999999999999", "99999999999999999999", "-1", "x", *(["0"] if least else [])):
            yield [option, number], 2, "MiB" if number == "-1" else f"give a whole number of MiB from {least} to 1048576"


def refused(binary, arguments, status, sentence):
    # As `--option=value`, so that a value may begin with a dash.
    if len(arguments) == 2 and arguments[1].startswith("-") and not arguments[1].startswith("--"):
        arguments = ["=".join(arguments)]
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    check(done.returncode == status, f"{arguments}: exit status {done.returncode}, wanted {status}; {done.stderr!r}")
    check(done.stdout == "", f"{arguments}: {done.stdout!r} on stdout")
    check(sentence in done.stderr, f"{arguments}: no {sentence!r} in {done.stderr!r}")
    first = done.stderr.splitlines()[0]
    check(first.startswith("error: "), f"{arguments}: {first!r}")
    dump = re.search(r'Error ?[{("]|\w+ \{ \w+: |Some\(|Custom|panicked|Os \{', done.stderr)
    check(not dump, f"{arguments}: {done.stderr!r} is no sentence")
    check(("--help" in done.stderr) == (status == 2), f"{arguments}: help in {done.stderr!r}")


def version_and_help(binary):
    name = os.path.basename(binary)
    done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    check(re.fullmatch(rf"{name} \d+\.\d+\.\d+\n", done.stdout), f"--version: {done.stdout!r}")
    done = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True)
    for option in re.findall(r"^ +(?:-\w, )?(--[\w-]+)", done.stdout, re.MULTILINE):
        check(re.search(rf"{option}[^\n]*\n +[A-Z]\w+", done.stdout), f"--help says nothing about {option}")


# ---- The list ----


def folder_of_mixed_health(root):
    """Healthy, with an error, broken, hostile and hidden presentations."""
    for name in ("bframes", "ladder"):
        shutil.copytree(TESTDATA / name, root / "films" / name)
    for name in ("dense", "missing", "recording"):
        shutil.copytree(TESTDATA / "dialects" / name, root / "films" / name)
    os.mkfifo(root / "fifo.ism")
    (root / "socket.ism").symlink_to("/dev/zero")
    (root / "empty.ism").touch()
    (root / "\x1b[2Jline\nbreak.ism").touch()
    (root / "folder.ism").mkdir()
    (root / "linked").symlink_to(root / "films")
    (root / "loop").symlink_to(root)
    deep = root.joinpath(*"abcdefghijkl")
    deep.mkdir(parents=True)
    (deep / "deep.ism").touch()
    closed = root / "closed"
    closed.mkdir()
    closed.chmod(0)


def mixed_health(binary, root):
    folder_of_mixed_health(root)
    with Process(binary, root, "--listen", "127.0.0.1:0") as server:
        address = server.address()
        check(ask(address, "/films/ladder/ladder.ism/Manifest").status == 200, "the healthy are not served")
        found, text = server.read_to(r"^\d+ fine.*\n")
        # URLs of DASH and HLS are indented.
        lines = [line for line in text.splitlines() if not line.startswith(("  http", "page: "))]
        base = "http://%s:%d/films" % address
        fine = [f"{base}/{name}/{name}.ism/Manifest" for name in ("bframes", "ladder")]
        check(lines[:2] == fine, f"the healthy are not first: {text}")
        check(lines[2] == f"{base}/dense/dense.ism/Manifest", text)
        check(lines[3].startswith("  warning defaults-in-header: "), text)
        check(lines[4] == f"{base}/missing/missing.ism/Manifest", text)
        check(lines[5].startswith("  error file-missing: "), text)
        check(lines[6] == f"{base}/recording/recording.ism/Manifest", text)
        check(lines[7].startswith("  error recording-cut-off: "), text)
        for name in ("empty.ism", "fifo.ism", "socket.ism"):
            check(f"\n{name} is not served: " in text, f"{name}: {text}")
        for left_out in ("folders deeper than 8: 1, ", "links to folders that are not followed: 2, ", "names that no URL can have: 1, "):
            check(f"\nnot looked at: {left_out}" in text, f"{left_out}: {text}")
        check("\x1b" not in text, f"a name steers the terminal: {text!r}")
        summary = "2 fine, 1 with warnings, 2 with errors, 3 not served; first problem: empty.ism: "
        check(found[0].startswith(summary), found[0])
        if os.geteuid() != 0:  # nothing is closed to root
            check("\nnot looked at: folders that cannot be read: 1, " in text, text)
            server.wait_for_line("a folder cannot be read")
        hang_up(server, root, address)
        check(server.stop() == 0, "SIGTERM is a failure")
        well_formed_log(server)


def hang_up(server, root, address):
    """SIGHUP: all is looked at again, and nothing ends."""
    shutil.copy(TESTDATA / "bframes" / "bframes.ism", root / "empty.ism")
    shutil.copy(TESTDATA / "bframes" / "bframes.ismv", root)
    for _ in range(3):
        server.process.send_signal(signal.SIGHUP)
    server.wait_for_line("SIGHUP: looking at all presentations again")
    found, text = server.read_to(r"^\d+ fine.*\n")
    check(found[0].startswith("3 fine, 1 with warnings, 2 with errors, 2 not served"), text)
    check(ask(address, "/empty.ism/Manifest").status == 200, "what was mended is not served")


def well_formed_log(server):
    for line in server.stderr().splitlines():
        check(LOG_LINE.fullmatch(line), f"in the log: {line!r}")


def several_roots(binary, root):
    """Each folder is served below its prefix, and nowhere else."""
    shutil.copytree(TESTDATA / "ladder", root / "a" / "ladder")
    shutil.copytree(TESTDATA / "bframes", root / "b" / "bframes")
    with Process(binary, f"films={root / 'a'}", f"series={root / 'b'}", "--listen", "127.0.0.1:0") as server:
        address = server.address()
        found, text = server.read_to(r"^\d+ fine.*\n")
        check(found[0] == "2 fine\n", found[0])
        for path in ("films/ladder/ladder", "series/bframes/bframes"):
            target = f"/{path}.ism/Manifest"
            response = ask(address, target)
            check(response.status == 200, f"{target}: {response.status}")
            check(response.get("surrogate-key") == f"{path}.ism", f"{target}: {response.get('surrogate-key')}")
            check(f"http://{address[0]}:{address[1]}{target}\n" in text, f"{target} is not listed: {text}")
        other = ask(address, "/FILMS/Ladder/LADDER.ism/manifest")
        check(other.status == 200, f"a prefix in another letter case: {other.status}")
        check(other.get("surrogate-key") == "films/ladder/ladder.ism", f"{other.get('surrogate-key')}")
        for target in (MANIFEST, "/series/ladder/ladder.ism/Manifest", "/films/bframes/bframes.ism/Manifest", "/films"):
            check(ask(address, target).status == 404, f"{target} is served")


def spellings(binary, root):
    """Letter case does not count, in URLs and in the names in an .ism, unless --exact-names is given."""
    root.mkdir()
    text = (TESTDATA / "bframes" / "bframes.ism").read_text()
    check("bframes.ismv" in text, "the .ism names another file")
    (root / "Film.ism").write_text(text.replace("bframes.ismv", "BFrames.ISMV"))
    shutil.copy(TESTDATA / "bframes" / "bframes.ism", root / "exact.ism")
    shutil.copy(TESTDATA / "bframes" / "bframes.ismv", root / "bframes.ismv")
    if (root / "FILM.ISM").exists():
        return print("this file system ignores letter case: spellings are not tried")
    with Process(binary, root, "--listen", "127.0.0.1:0", "--list", 0) as server:
        address = server.address()
        stored = ask(address, "/Film.ism/Manifest")
        check(stored.status == 200, f"a file that the .ism names in another letter case: {stored.status}")
        for target in ("/film.ism/Manifest", "/FILM.ISM/manifest"):
            other = ask(address, target)
            check(other.status == 200, f"{target}: {other.status}")
            for field in ("etag", "surrogate-key"):
                check(stored.get(field) and other.get(field) == stored.get(field), f"{target}: {field} {other.get(field)!r}")
            check(other.body == stored.body, f"{target}: another manifest")
    with Process(binary, root, "--listen", "127.0.0.1:0", "--list", 0, "--exact-names") as server:
        address = server.address()
        check(ask(address, "/exact.ism/Manifest").status == 200, "--exact-names: the stored name")
        for target, status in (("/EXACT.ism/Manifest", 404), ("/film.ism/Manifest", 404), ("/Film.ism/Manifest", 500)):
            answered = ask(address, target).status
            check(answered == status, f"--exact-names: {target} is {answered}, wanted {status}")


def links(binary, root):
    """A link out of the folder is followed with --links-into, and is not there without."""
    shutil.copytree(TESTDATA / "bframes", root / "outside" / "bframes")
    shutil.copytree(TESTDATA / "ladder", root / "other" / "ladder")
    (root / "served").mkdir()
    (root / "served" / "linked").symlink_to(root / "outside" / "bframes")
    (root / "served" / "other").symlink_to(root / "other")
    followed, refused = "/linked/bframes.ism/Manifest", "/other/ladder/ladder.ism/Manifest"
    for options, statuses, summary in (([], (404, 404), "no presentation"), (["--links-into", root / "outside"], (200, 404), "1 fine")):
        with Process(binary, root / "served", "--listen", "127.0.0.1:0", *options) as server:
            address = server.address()
            found, text = server.read_to(rf"^{summary}.*\n")
            left_out = statuses.count(404)
            check(f"not looked at: links to folders that are not followed: {left_out}, " in text, text)
            answered = tuple(ask(address, target).status for target in (followed, refused))
            check(answered == statuses, f"{options}: {answered}, wanted {statuses}")


def nothing_to_serve(binary, root):
    root.mkdir()
    for media, sentence in ((None, "copy some there"), ("a.ismv", "but a media file: it needs an .ism")):
        if media:
            (root / media).touch()
        with Process(binary, root, "--listen", "0") as server:
            address = server.address()
            found, _ = server.read_to(r"^no presentation .*\n")
            check(sentence in found[0] and str(root) in found[0], found[0])
            check(ask(address, "/none.ism/Manifest").status == 404, "a folder without presentations is not served")


def thousands(binary, root):
    """A list that takes its time, and that nobody reads: requests are answered before, while and after."""
    (root / "z").mkdir(parents=True)
    for file in ("bframes.ism", "bframes.ismv"):
        shutil.copy(TESTDATA / "bframes" / file, root / "z" / file)
    for number in range(4000):
        (root / f"{number:04}.ism").symlink_to("z/bframes.ism")
    (root / "bframes.ismv").symlink_to("z/bframes.ismv")
    with Process(binary, root, "--listen", "127.0.0.1:0", "--list", 3000) as server:
        address = server.address()
        check("fine" not in server.text, "listed before it listens")
        for _ in range(20):
            check(ask(address, "/z/bframes.ism/Manifest").status == 200, "not answered while it lists")
        check(ask(address, "/3999.ism/Manifest").status == 200, "not answered while nobody reads the list")
        found, text = server.read_to(r"^\d+ fine.*\n", 120)
        check(found[0] == "3000 fine\n", text[-1000:])
        check("\nnot looked at: presentations beyond the first 3000 (--list)\n" in text, text[-1000:])
        check(text.replace("page: http://", "").count("http://") == 3 * 3, "not the first few URLs are printed")
        check("\nand 2997 more that are fine\n" in text, text[-1000:])
    with Process(binary, root, "--listen", "127.0.0.1:0", "--list", 3000) as server:
        server.address()
        check(server.stop(signal.SIGINT) == 0, "not ended while it lists")


def closed_pipe(binary):
    """As with `serve | head -1`: the server goes on."""
    with Process(binary, TESTDATA, "--listen", "127.0.0.1:0") as server:
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(server.process.stdout.fileno(), 1)
        server.process.stdout.close()
        address = "127.0.0.1", int(re.fullmatch(LISTENING, line.decode())[2])
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_line("SIGHUP")
        check(ask(address, MANIFEST).status == 200, "a closed pipe ends the server")
        check("panicked" not in server.stderr(), server.stderr())
        check(server.stop() == 0, server.stderr())
    read, write = os.pipe()
    os.close(read)
    for arguments in (["--help"], ["--version"], ["--listen", "x"]):
        process = subprocess.run([binary, *arguments], stdout=write, stderr=write, timeout=PATIENCE)
        check(process.returncode in (0, 2), f"{arguments} with a closed pipe: {process.returncode}")
    os.close(write)


def quiet(binary):
    with Process(binary, TESTDATA, "--listen", "127.0.0.1:0", "--list", 0, "--quiet") as server:
        server.address()
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        check(server.stop() == 0, "SIGHUP ends it where nothing is listed")
        check(server.stderr() == "", f"--quiet: {server.stderr()!r}")
        said = server.text.encode() + server.process.stdout.read()
        # `serve` also says where its page is.
        check(all(line.startswith(b"page: ") for line in said.splitlines()), f"--list 0 lists: {said!r}")


def few_open_files(binary):
    """A limit that is too low is said, and so is a connection that is not accepted."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    with Process(binary, TESTDATA, "--listen", "127.0.0.1:0", "--list", 0, "--workers", 1, preexec_fn=limit) as server:
        address = server.address()
        server.wait_for_line("need more open files than the 40 that the system allows")
        held = [Connection(address) for _ in range(60)]
        server.wait_for_line("a connection is not accepted: ")
        for connection in held:
            connection.socket.close()
        check(ask(address, MANIFEST).status == 200, "not answered when files are there again")
        well_formed_log(server)


# ---- Requests ----


def requests(binary):
    with Process(binary, TESTDATA, "--listen", "127.0.0.1:0", "--list", 0, "--log-level", "debug") as server:
        address = server.address()
        target = MANIFEST.encode()
        for version, fields, status in (
            (b"1.1", b"", 400), (b"1.1", b"Host: a\r\nHost: a\r\n", 400), (b"1.0", b"", 200),
            (b"1.1", b"Host: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n", 400),
            (b"1.1", b"Host: a\r\ncontent-length:0\r\nX: y\r\nCONTENT-LENGTH: 0\r\n", 400),
            (b"1.1", b"Host: a\r\nContent-Length: 0\r\nContent-Length: 1\r\n", 400),
            (b"1.1", b"Host: a\r\nContent-Length: 0, 0\r\n", 400),
            (b"1.1", b"Host: a\r\nContent-Length: 0\r\n", 200), (b"1.1", b"Host: a\r\nX-Content-Length: 0\r\nContent-Length: 0\r\n", 200),
        ):
            for pieces in (1, 7):
                data = b"GET " + target + b" HTTP/" + version + b"\r\n" + fields + b"Connection: close\r\n\r\n"
                with Connection(address) as connection:
                    size = -(-len(data) // pieces)
                    for start in range(0, len(data), size):
                        connection.send(data[start : start + size])
                        time.sleep(0.01 if pieces > 1 else 0)
                    response = connection.response()
                    check(response and response.status == status, f"{response and response.status}, wanted {status}, for {data}")
                    check(connection.ends(), f"kept after {data}")
        lengths = b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        with Connection(address) as connection:
            connection.send(lengths * 5)
            for _ in range(5):
                check(connection.response().status == 200, "a length in each of several requests is refused")
        with Connection(address) as connection:
            connection.send(b"NOT HTTP\r\n\r\n")
            connection.response()
        server.wait_for_line(" debug 127.0.0.1:")
        well_formed_log(server)


def main():
    binary = binary_of(sys.argv, 1)
    with tempfile.TemporaryDirectory(prefix="smooth-start-") as folder:
        version_and_help(binary)
        values_accepted(binary)
        values_refused(binary)
        nothing_to_serve(binary, Path(folder, "nothing"))
        several_roots(binary, Path(folder, "roots"))
        spellings(binary, Path(folder, "spellings"))
        links(binary, Path(folder, "links"))
        try:
            Path(folder, "mixed").mkdir()
            mixed_health(binary, Path(folder, "mixed"))
        finally:
            closed = Path(folder, "mixed", "closed")
            if closed.exists():
                closed.chmod(0o700)
        thousands(binary, Path(folder, "thousands"))
        closed_pipe(binary)
        quiet(binary)
        few_open_files(binary)
        requests(binary)
    print(f"{os.path.basename(binary)}: {checked} checks of its start, its list and its end")


if __name__ == "__main__":
    main()
