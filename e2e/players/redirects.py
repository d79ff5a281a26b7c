#!/usr/bin/env python3
"""Which players follow a redirect to a bucket: plays a presentation with a file per fragment, as ffmpeg writes it, from
`serve` with `--redirect fragments`, over a server of our own that speaks S3 and checks signatures.

    redirects.py [--players FOLDER] [--client NAME]... [SERVE]

SERVE      serve, built with the feature s3 (target/release/examples/serve)
--players  folder of install.sh (target/players)
--client   only this one; repeatable

Prints a line for each client: `played` if it played to its end (by the rules of the script for this client) and had every
fragment from the bucket; then the number of fragments that it was redirected for, of requests that reached the bucket with
a valid signature, and what they had for `Origin` and `Range`. The status is non-zero if one of them failed.
"""

import argparse
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

sys.dont_write_bytecode = True

import gstreamer
import vlc
from frames import run
from outcome import attempt
from presentation import Failed, fetch_manifest

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "target"
SECONDS = 10
AT_ONCE = 2
KEY, SECRET = "the-key", "the-secret"

ENCODER = [
    *("-f", "lavfi", "-i", "testsrc=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=440", "-t", str(SECONDS)),
    *("-map", "0:v", "-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50"),
    *("-b:v:0", "300k", "-b:v:1", "150k", "-c:a", "aac", "-b:a", "64k"),
    *("-f", "smoothstreaming", "-min_frag_duration", "2000000"),
]


class Bucket(ThreadingHTTPServer):
    """As much of S3 as reading takes, over a folder. It takes any header of authorization, and checks signed URLs."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Request)
        self.folder, self.seen, self.lock = folder, [], threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass  # players hang up as they like


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        key = unquote(url.path).removeprefix("/films").lstrip("/")
        is_signed = "X-Amz-Signature" in query
        status = 200
        if is_signed:
            status = 200 if signature(self.command, url, query, self.headers["Host"]) == query["X-Amz-Signature"] else 403
        elif "Authorization" not in self.headers:
            status = 403
        if status != 403 and not key:
            return self.answer(200, listing(self.server.folder, query), {"Content-Type": "application/xml"})
        file = self.server.folder / key
        if status != 403 and not file.is_file():
            status = 404
        if is_signed:
            with self.server.lock:
                self.server.seen.append((key, self.command, status, self.headers.get("Origin"), "Range" in self.headers))
        if status != 200:
            code = {403: "AccessDenied", 404: "NoSuchKey"}[status]
            return self.answer(status, f"<Error><Code>{code}</Code></Error>".encode(), {})
        data = file.read_bytes()
        fields = {"ETag": f'"{hashlib.md5(data).hexdigest()}"', "Last-Modified": "Sun, 01 Nov 2026 00:00:00 GMT"}
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
            if first >= len(data):
                return self.answer(416, b"<Error><Code>InvalidRange</Code></Error>", {})
            fields["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            return self.answer(206, data[first : last + 1], fields)
        return self.answer(200, data, fields)

    do_HEAD = do_GET

    def answer(self, status, body, fields):
        self.send_response(status)
        if "Origin" in self.headers:
            fields["Access-Control-Allow-Origin"] = "*"
        for name, value in {"Content-Type": "binary/octet-stream", **fields, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def signature(method, url, query, host):
    """Signature Version 4 of a URL, as S3 computes it."""
    strict = lambda text: quote(text, safe="-._~")
    pairs = sorted((strict(name), strict(value)) for name, value in query.items() if name != "X-Amz-Signature")
    canonical = "\n".join(
        [method, quote(unquote(url.path), safe="/-._~"), "&".join(f"{name}={value}" for name, value in pairs), f"host:{host}", "", "host", "UNSIGNED-PAYLOAD"]
    )
    scope = query["X-Amz-Credential"].split("/", 1)[1]
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def listing(folder, query):
    prefix, contents, folders = query.get("prefix", ""), "", set()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        key = str(file.relative_to(folder))
        if not key.startswith(prefix):
            continue
        if query.get("delimiter") and "/" in key[len(prefix) :]:
            folders.add(prefix + key[len(prefix) :].split("/")[0] + "/")
            continue
        contents += (
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified>"
            f'<ETag>"{hashlib.md5(file.read_bytes()).hexdigest()}"</ETag><Size>{file.stat().st_size}</Size></Contents>'
        )
    common = "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in sorted(folders))
    return f"<ListBucketResult>{contents}{common}</ListBucketResult>".encode()


def gst(player):
    _, players = gstreamer.PLAYERS["smooth"]
    return lambda url, _: gstreamer.play(player, players[player], url, url, 25)


def play_with_vlc(url, _):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        vlc.ask_for_all(url, vlc.FORMATS["smooth"][1], folder, fetch_manifest(url), 60)
    return "asks for every chunk"


def download_with_yt_dlp(url, players):
    with tempfile.TemporaryDirectory() as folder:
        program = players / "venv/bin/yt-dlp"
        done = run([str(program), "--quiet", "--no-warnings", "-f", "bv+ba", "-o", "film.%(ext)s", url], 60, cwd=folder)
        if done.returncode != 0 or not list(Path(folder).iterdir()):
            raise Failed(f"yt-dlp ended with status {done.returncode}: {done.stderr[-200:]}")
    return "stores the film"


def script(name):
    def play(url, players):
        done = run([str(HERE / name), "--players", str(players), url], 90)
        line = done.stdout.strip().splitlines()[-1:] or [done.stderr[-200:]]
        if done.returncode != 0:
            raise Failed(line[0])
        return re.sub(r"^played .*? s  ", "", line[0])

    return play


CLIENTS = {
    "playbin": gst("playbin"),
    "playbin3": gst("playbin3"),
    "vlc": play_with_vlc,
    "yt-dlp": download_with_yt_dlp,
    "dash.js": script("dashjs.mjs"),
    "shaka": script("shaka.mjs"),
    "rxplayer": script("rxplayer.mjs"),
}


def redirects_in(log, name):
    """The paths of fragments of a presentation that were redirected, and the number that were sent."""
    redirected, sent = [], 0
    for line in log.read_text().splitlines():
        if found := re.search(rf'"GET (/{re.escape(name)}/\S*Fragments\S*) HTTP/1\.1" (\d+)', line):
            if found[2] == "307":
                redirected.append(unquote(found[1]).lstrip("/"))
            else:
                sent += 1
    return redirected, sent


def follow(client, play, base, bucket, log, players):
    name = f"{client}.ism"
    url = f"{base}/{name}/Manifest"
    seen = play(url, players)
    time.sleep(0.3)  # the last lines of the log
    redirected, sent = redirects_in(log, name)
    with bucket.lock:
        asked = [one for one in bucket.seen if one[0].startswith(f"{name}/")]
    refused = [one for one in asked if one[2] != 200]
    got = {key for key, *_ in asked}
    if not redirected or sent or refused or set(redirected) - got:
        raise Failed(
            f"{len(redirected)} redirects, {sent} other answers, {len(refused)} refused by the bucket, "
            f"{len(set(redirected) - got)} not followed"
        )
    origins, ranges = Counter(one[3] for one in asked), sum(one[4] for one in asked)
    said = ", ".join(f"Origin: {origin}" if origin else "no Origin" for origin in origins)
    return f"{len(set(redirected))} fragments redirected, {len(asked)} requests in the bucket ({said}; {ranges} with Range); {seen}"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("serve", nargs="?", default=TARGET / "release/examples/serve")
    options.add_argument("--players", type=Path, default=TARGET / "players")
    options.add_argument("--client", action="append", choices=CLIENTS)
    given = options.parse_args()
    clients = given.client or list(CLIENTS)
    with tempfile.TemporaryDirectory() as work:
        folder, log = Path(work, "films"), Path(work, "access.log")
        first = folder / f"{clients[0]}.ism"
        folder.mkdir()
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *ENCODER, str(first)], check=True)
        for client in clients[1:]:  # each client has a presentation of its own, by which its requests are counted
            shutil.copytree(first, folder / f"{client}.ism")
        bucket = Bucket(folder)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and not name.upper().endswith("_PROXY")}
        environment |= {"AWS_ENDPOINT_URL": bucket.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        command = [str(given.serve), "s3://films", "--redirect", "fragments", "--listen", "127.0.0.1:0", "--list", "0", "--access-log", str(log)]
        server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            said = ""
            for line in server.stdout:
                said += line
                if listening := re.match(r"listening on ([0-9.]+:\d+)", line):
                    break
            else:
                sys.exit(f"redirects.py: serve does not start:\n{said}")
            threading.Thread(target=server.stdout.read, daemon=True).start()
            base = f"http://{listening[1]}"
            one = lambda client: attempt(
                client, f"{base}/{client}.ism/Manifest", lambda: follow(client, CLIENTS[client], base, bucket, log, given.players)
            )
            with ThreadPoolExecutor(AT_ONCE) as pool:
                results = list(pool.map(one, clients))
        finally:
            server.kill()
            server.wait()
            bucket.shutdown()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
