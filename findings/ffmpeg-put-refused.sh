#!/usr/bin/env bash
# ffmpeg: a server that refuses every segment of -f dash or -f hls is no error, though ignore_io_errors is off
#
# Version: ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1. The server is of this script.
#
# Expected: an encoder that pushes one endless request (-f ismv) does not look at the answer while it sends. But
# the DASH and HLS muxers push each segment as a request of its own, with an end and an answer, and have an option
# `ignore_io_errors` ("Ignore IO errors during open and write. Useful for long-duration runs with network output"),
# which is off by default. So a segment that is answered with 403 or 500 was expected to end ffmpeg with an error,
# or at least to be reported.
#
# Observed: with 403, and with 500, to every request, both muxers push on to the end, say nothing about it at the
# log level "warning", and exit with 0. With kept connections (-http_persistent 1), it is the same. (The number
# of requests differs from run to run, because ffmpeg opens some of them again.)
#
# Why it matters: an encoder whose token has expired looks healthy to its supervisor for hours while nothing is
# stored. Whoever takes segments has to raise the alarm himself. A test of an ingest point that looks at the exit
# status of ffmpeg tests nothing.
#
# Output on 2026-11-30:
#   dash, 200: exit 0, 7 requests, 0 refused, says nothing of it
#   dash, 403: exit 0, 7 requests, 7 refused, says nothing of it
#   dash, 500: exit 0, 7 requests, 7 refused, says nothing of it
#   dash, kept connections, 403: exit 0, 7 requests, 7 refused, says nothing of it
#   hls, 200: exit 0, 7 requests, 0 refused, says nothing of it
#   hls, 403: exit 0, 5 requests, 5 refused, says nothing of it
#   hls, 500: exit 0, 8 requests, 8 refused, says nothing of it
#   hls, kept connections, 403: exit 0, 8 requests, 8 refused, says nothing of it
#   PASS: refused segments are no error
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -v error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=6 -c:v libx264 -threads 1 -preset ultrafast \
    -g 50 -keyint_min 50 -sc_threshold 0 -flags +bitexact film.mp4

cat > push.py <<'PY'
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STATUS, ASKED, REFUSED = 200, [], []


class Store(BaseHTTPRequestHandler):
    """Reads each body to its end, and answers with the status."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        size = 1
        while size:
            size = int(self.rfile.readline(), 16)
            self.rfile.read(size)
            self.rfile.readline()
        ASKED.append(self.path)
        if STATUS >= 400:
            REFUSED.append(self.path)
        try:
            self.send_response(STATUS)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass  # ffmpeg may have closed without reading.

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
MUXERS = {
    "dash": ["-f", "dash", "-seg_duration", "2", "-method", "PUT"],
    "hls": ["-f", "hls", "-hls_time", "2", "-hls_segment_type", "fmp4", "-method", "PUT"],
}
NAMES = {"dash": "film.mpd", "hls": "film.m3u8"}
holds = True
for muxer, options in MUXERS.items():
    for STATUS, kept in ((200, False), (403, False), (500, False), (403, True)):
        ASKED.clear()
        REFUSED.clear()
        more = ["-http_persistent", "1"] if kept else []
        command = [sys.argv[1], "-v", "warning", "-re", "-i", "film.mp4", "-c", "copy", *options, *more, f"{base}/{NAMES[muxer]}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        # The notice that remote files are not renamed has nothing to do with answers.
        said = [line for line in done.stderr.splitlines() if line.strip() and "rename" not in line]
        complains = [line for line in said if re.search(r"40\d|50\d|Forbidden|Server returned|error", line)]
        what = f"says {complains[0]!r}" if complains else "says nothing of it"
        where = f"{muxer}, kept connections" if kept else muxer
        print(f"{where}, {STATUS}: exit {done.returncode}, {len(ASKED)} requests, {len(REFUSED)} refused, {what}")
        segments = [path for path in ASKED if path.endswith(".m4s")]
        holds = holds and done.returncode == 0 and not complains and len(set(segments)) >= 2 and (STATUS == 200) == (not REFUSED)
print("PASS: refused segments are no error" if holds else "FAIL: the behaviour has changed")
sys.exit(not holds)
PY
venv/bin/python push.py "$ffmpeg"
