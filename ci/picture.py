#!/usr/bin/env python3
"""Writes the README's picture, docs/serve.svg, from the real output of the examples and curl.

    ci/picture.py [PROGRAMS]        PROGRAMS has the built examples; by default target/release/examples
"""

import html
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/examples").resolve()
FRAGMENT = "http://127.0.0.1:8080/ladder.ism/QualityLevels(220000)/Fragments(video=0)"
FIELDS = re.compile(r"HTTP/|content-type|content-length|etag|cache-control|accept-ranges", re.I)
NO_BREAK = "\u00a0"  # renderers collapse plain spaces
WIDTH, LINE, LEFT, TOP = 960, 19, 20, 52


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines()


def lines():
    yield "$ serve testdata/ladder"
    server = subprocess.Popen(
        [PROGRAMS / "serve", "testdata/ladder"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        for line in server.stdout:
            yield line.rstrip()
            if line.endswith("fine\n"):
                break
        yield ""
        yield f"$ curl -I '{FRAGMENT}'"
        time.sleep(0.2)
        yield from (line for line in run("curl", "-sI", "--globoff", FRAGMENT) if FIELDS.match(line))
    finally:
        server.terminate()
        server.wait()
    yield ""
    yield "$ inspect testdata/dialects/missing/missing.ism"
    yield from run(PROGRAMS / "inspect", "testdata/dialects/missing/missing.ism")


def colour(line):
    for start, found in {"$": "#7ee787", "error": "#ff7b72", "warning": "#e3b341", "http": "#79c0ff"}.items():
        if line.startswith(start):
            return found
    return "#c9d1d9"


def wrapped(line, most=108):
    while len(line) > most:
        at = line.rfind(" ", 0, most)
        yield line[:at]
        line = "    " + line[at + 1:]
    yield line


def main():
    shown = [(part, colour(line)) for line in lines() for part in wrapped(line)]
    height = TOP + LINE * len(shown) + 8
    texts = "\n".join(
        f'<text x="{LEFT}" y="{TOP + LINE * number}" fill="{fill}">{html.escape(text).replace(" ", NO_BREAK)}</text>'
        for number, (text, fill) in enumerate(shown) if text
    )
    dots = "".join(
        f'<circle cx="{22 + 20 * i}" cy="18" r="6" fill="{fill}"/>'
        for i, fill in enumerate(["#ff5f57", "#febc2e", "#28c840"])
    )
    picture = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">
<rect width="{WIDTH}" height="{height}" rx="8" fill="#0d1117"/>
{dots}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13.5">
{texts}
</g>
</svg>
"""
    (ROOT / "docs/serve.svg").write_text(picture)
    print(f"docs/serve.svg: {len(shown)} lines, {len(picture)} bytes")


main()
