#!/usr/bin/env python3
"""Writes the README's picture: a terminal that shows what `serve`, `curl` and `inspect` print.

    cargo build --release --example serve --example inspect
    docs/serve.py

The commands are really run, on port 8080, and their output is drawn as it is, long lines folded.
"""

import html
import re
import signal
import subprocess
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "target" / "release" / "examples"
WIDTH = 106
"""Characters of a line."""

COMMAND, PLAIN, ADDRESS, ERROR, WARNING = "#7ee787", "#c9d1d9", "#79c0ff", "#ff7b72", "#e3b341"

FRAGMENT = "http://127.0.0.1:8080/ladder.ism/QualityLevels(220000)/Fragments(video=0)"
SEGMENT = "http://127.0.0.1:8080/ladder.ism/video-220000/0.m4s"
SICK = "testdata/dialects/missing/missing.ism"
FIELDS = ("HTTP/", "content-type", "content-length", "cache-control")


def lines():
    """Colour and text of each line."""
    with subprocess.Popen([PROGRAMS / "serve", "testdata/ladder"], cwd=ROOT, text=True, stdout=subprocess.PIPE) as server:
        try:
            yield COMMAND, "$ serve testdata/ladder"
            for line in server.stdout:
                line = line.rstrip()
                yield ADDRESS if line.lstrip().startswith("http://") else PLAIN, line
                if re.match(r"\d+ fine", line):
                    break
            for address in (FRAGMENT, SEGMENT):
                yield PLAIN, ""
                yield COMMAND, f"$ curl -I '{address}'"
                for line in output("curl", "-sI", address):
                    if line.startswith(FIELDS):
                        yield PLAIN, line
        finally:
            server.send_signal(signal.SIGTERM)
    yield PLAIN, ""
    yield COMMAND, f"$ inspect {SICK}"
    for line in output(PROGRAMS / "inspect", SICK):
        yield {"error": ERROR, "warni": WARNING}.get(line[:5], PLAIN), line


def output(*command):
    return subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE).stdout.splitlines()


def folded():
    for colour, line in lines():
        for part in textwrap.wrap(line, WIDTH, subsequent_indent="    ", drop_whitespace=False) or [""]:
            yield colour, part


def main():
    rows = list(folded())
    height = 52 + 19 * len(rows)
    text = [
        f'<text x="20" y="{52 + 19 * row}" fill="{colour}" xml:space="preserve">{html.escape(line)}</text>'
        for row, (colour, line) in enumerate(rows)
        if line.strip()
    ]
    lights = zip((22, 42, 62), ("#ff5f57", "#febc2e", "#28c840"))
    picture = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {height}" width="960" height="{height}">',
        f'<rect width="960" height="{height}" rx="8" fill="#0d1117"/>',
        "".join(f'<circle cx="{x}" cy="18" r="6" fill="{colour}"/>' for x, colour in lights),
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13.5">',
        *text,
        "</g>",
        "</svg>",
    ]
    (ROOT / "docs" / "serve.svg").write_text("\n".join(picture) + "\n")


if __name__ == "__main__":
    main()
