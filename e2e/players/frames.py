"""The frames of a media file as ffmpeg decodes them, and how programs are run and quoted."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from presentation import Failed


class Track(NamedTuple):
    """A track of a file: the hashes of its frames in order, and the seconds from the first start to the last end."""

    kind: str
    hashes: list[str]
    duration: float


def decode(file, selector="0", copied="", timeout=60):
    """Decodes the tracks that ffmpeg's `selector` names; a message of ffmpeg's is a failure.

    A kind in `copied`, "a" or "v", is not decoded: its packets are hashed. Edit lists are ignored: fragments have none.
    """
    command = [
        *("ffmpeg", "-nostdin", "-v", "error", "-ignore_editlist", "1", "-i", str(file), "-map", selector),
        *(["-c:" + copied, "copy"] if copied else []),
        *("-fps_mode", "passthrough", "-f", "framemd5", "-"),
    ]
    done = run(command, timeout)
    if done.returncode != 0 or done.stderr:
        raise Failed(f"ffmpeg on {Path(file).name}: status {done.returncode}, {one_line(done.stderr)}")
    head, rows = {}, {}
    for line in done.stdout.splitlines():
        if line.startswith("#"):
            name, _, value = line[1:].partition(": ")
            head[name] = value
        else:
            index, *row = (column.strip() for column in line.split(","))
            rows.setdefault(index, []).append(row)
    if not rows:
        raise Failed(f"ffmpeg on {Path(file).name}: no frame")
    return [track(rows[index], head[f"tb {index}"], head[f"media_type {index}"]) for index in sorted(rows)]


def track(rows, timebase, kind):
    ticks, scale = (int(part) for part in timebase.split("/"))
    starts = [int(row[1]) for row in rows]
    ends = [int(row[1]) + int(row[2]) for row in rows]
    return Track(kind, [row[4] for row in rows], (max(ends) - min(starts)) * ticks / scale)


def run(command, timeout, **options):
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            **options,
        )
    except FileNotFoundError:
        raise Failed(f"there is no {command[0]}: run install.sh") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{Path(command[0]).name} did not end within {timeout:.0f} s") from None


def one_line(messages):
    return " / ".join(list(dict.fromkeys(messages.splitlines()))[:3])


def names(keys):
    """(stream name, bitrate) pairs for a message."""
    return " ".join(sorted(f"{name}={bitrate}" for name, bitrate in keys)) or "nothing"
