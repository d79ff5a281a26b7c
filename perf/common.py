"""Shared by the programs of this folder: a film, the example servers, processor time and memory of a process."""

import functools
import json
import os
import pathlib
import re
import subprocess
import sys

PROJECT = pathlib.Path(__file__).parent.parent


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


@functools.cache
def build(*options):
    messages = run(
        "cargo", "build", "--release", "--message-format=json",
        f"--manifest-path={PROJECT / 'Cargo.toml'}", *options,
    )
    built = [json.loads(line) for line in messages.splitlines()]
    return [message["executable"] for message in built if message.get("executable")][-1]


def built(name):
    """A program of the folder that `PERF_PROGRAMS` names, which someone has built; None if it is not there."""
    folder = os.environ.get("PERF_PROGRAMS")
    program = folder and PROJECT / folder / name
    return program if program and program.exists() else None


def write_film(folder, seconds, *fragment_bytes):
    """A film of three video tracks and sound, with a full client manifest. Sizes of fragments: one
    for video, of which sound has a tenth, or one for each track."""
    program = built("write_film") or build("-p", "smooth-origin-perf", "--bin", "write_film")
    run(program, folder, seconds, *fragment_bytes)


def example(name, *options):
    return (not options and built(f"examples/{name}")) or build("-p", "smooth-origin-examples", "--example", name, *options)


class Running:
    """A context in which `process` runs; it is terminated at the end."""

    process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Server(Running):
    """An example server over a folder, as a context; `port` is where it listens. It is built first, unless
    `programs` is a folder that has it."""

    def __init__(self, folder, *options, workers=None, program="serve", programs=None, log=None):
        if workers:
            options += ("--workers", str(workers))
        self.process = subprocess.Popen(
            [programs / program if programs else example(program), folder, "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=log, text=True,
        )
        for line in self.process.stdout:
            if found := re.match(r"listening on [\d.]+:(\d+)", line):
                self.port = int(found[1])
                return
        sys.exit("the server does not start")

    @property
    def pids(self):
        return [self.process.pid]


def processor_times(pids):
    """User and system time of processes."""
    user = system = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        user, system = user + int(fields[11]), system + int(fields[12])
    ticks = os.sysconf("SC_CLK_TCK")
    return user / ticks, system / ticks


def processor_seconds(pids):
    """User and system time of processes together."""
    return sum(processor_times(pids))


def own_memory(pid):
    """Bytes of a process that are in memory and of no file."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s*(\d+) kB", text)[1]) * 1024
