#!/usr/bin/env python3
"""Two servers follow a live event in a bucket that a third one writes, which is killed meanwhile.

    follow_store.py [--serve target/debug/examples/serve] [--stores target/stores]

--serve   `serve` with the feature `s3`
--stores  the folder in which e2e/stores/install.sh has put the S3 server

A server of S3 has one bucket. An ingest (`serve --live --live-archive s3://…`) gets the fragments of a presentation of
testdata/, one in each request; two followers (`serve --live-follow '*.isml' --live-archive s3://…`) get nothing but the bucket.
Tested is that

- both followers have the manifests of the ingest, byte for byte but for the time of the answer in MPDs, in Smooth Streaming, DASH and HLS, and each fragment of it
- while the ingest is dead (SIGKILL in the middle of the pushes), both followers go on serving; it is started again, and goes on with the
  same event: every fragment that was acknowledged is there
- when the encoders have ended, all three have the film at the same URL, and a `serve` of the bucket without any option about live
  events has it as NAME.ism, with the samples that were pushed
- followers take no pushes, and an event that the ingest makes later is found
- the bucket has none of the parts of the files of tracks any more, a minute later (with --wait alone, which takes so long)
"""

import argparse
import hashlib
import http.client
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(1, str(HERE.parent / "http"))

from check import announced
from media import fragments_of
from replay import END, film, get, in_order, request
from wire import free_port, wait_for

LOCATION = "s3://live/events"
PATIENCE = 60
"""Seconds until followers have what the ingest has: more than they need, so that only what never comes is late."""

PACE = 0.1
"""Seconds between two pushes."""

MANIFESTS = ("Manifest", "manifest.mpd", "master.m3u8")
"""Those of a film after the first one have bitrates, which the ingest measures."""


class Server:
    """A program that listens on a port, which may be killed and started again."""

    def __init__(self, folder, name, environment, *command):
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        self.command = [str(word).replace("{port}", str(self.port)) for word in command]
        self.environment, self.log = environment, open(folder / f"{name}.log", "ab")
        self.name, self.process = name, None

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, env=self.environment)
        wait_for(self.address, self.process)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def get(self, path):
        return get(self.address, quote(path, safe="/(),=?&"))


def push(server, path, body):
    """The status of a push; None if the server has gone."""
    connection = http.client.HTTPConnection(*server.address, timeout=PATIENCE)
    try:
        connection.request("POST", path, body)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def until(what, check):
    """The result of a check, once it has one."""
    end = time.monotonic() + PATIENCE
    while True:
        if (found := check()) is not None:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not after {PATIENCE} s: {what}")
        time.sleep(0.1)


def media_of(server, point):
    """The manifest, and each fragment that it lists."""
    status, manifest = server.get(f"/{point}/Manifest")
    assert status == 200, f"{server.name}: the manifest of {point} is answered with {status}: {manifest[:200]!r}"
    media = {}
    for url, *_ in announced(manifest):
        status, media[url] = server.get(f"/{point}/{url}")
        assert status == 200, f"{server.name}: {url} is answered with {status}"
    return manifest, media


def without_time(status, manifest):
    """Without the time of the answer, which a live MPD has."""
    return status, re.sub(rb'(publishTime|direct:2014" value)="[^"]*"', b"", manifest)


def same(ingest, followers, point, is_film=False):
    """That followers have what the ingest has, as soon as they have its manifest. Returns the fragments, and the seconds that they took."""
    manifest, media = media_of(ingest, point)
    assert (b"IsLive=" in manifest) != is_film, f"{point} is {'live' if is_film else 'a film'}"
    began = time.monotonic()
    for follower in followers:
        for name in MANIFESTS[: 1 if is_film else None]:
            wanted = without_time(*ingest.get(f"/{point}/{name}"))
            equal = lambda: True if without_time(*follower.get(f"/{point}/{name}")) == wanted else None
            until(f"{follower.name} has the {name} of the ingest", equal)
        for url, data in media.items():
            assert follower.get(f"/{point}/{url}") == (200, data), f"{follower.name}: {url} differs"
    return media, time.monotonic() - began


def samples(data):
    ((_, media),) = fragments_of(data)
    return hashlib.sha256(media.bytes).hexdigest()


class Encoder:
    """Pushes a presentation in order, each fragment in a request of its own, until it is acknowledged."""

    def __init__(self, ingest, point, bodies, event=""):
        self.ingest, self.path, self.bodies = ingest, f"/{point}/{event}", bodies
        self.left = in_order(bodies)
        self.sent = []

    def one(self, number, data):
        body = self.bodies[number]
        return push(self.ingest, f"{self.path}Streams({body.name})", body.header("flm") + data)

    def push(self, count):
        for number, pushed in self.left[:count]:
            while (status := self.one(number, pushed.data)) != 200:
                assert status is None, f"a push is answered with {status}"
                # An encoder connects again until there is a server.
                if self.ingest.process.poll() is not None:
                    self.ingest.start()
            self.sent.append(pushed)
            time.sleep(PACE)
        del self.left[:count]

    def push_half(self):
        """Begins a fragment, and leaves it in the middle."""
        number, pushed = self.left[0]
        path, body = f"{self.path}Streams({self.bodies[number].name})", self.bodies[number].header("flm") + pushed.data
        connection = http.client.HTTPConnection(*self.ingest.address, timeout=PATIENCE)
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[: len(body) // 2])
        time.sleep(PACE)
        return connection

    def end(self):
        for number in range(len(self.bodies)):
            assert self.one(number, END) == 200, "the end is not taken"


def run(folder, arguments):
    moto = arguments.stores.resolve() / "venv/bin/moto_server"
    if not moto.exists():
        sys.exit(f"there is no {moto}: run e2e/stores/install.sh {arguments.stores}")
    empty = folder / "empty"
    empty.mkdir()
    clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    s3 = Server(folder, "s3", clean, moto, "-H", "127.0.0.1", "-p", "{port}")
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}
    environment = {**clean, **keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3.port}"}

    def serve(name, *options):
        listen = [arguments.serve, "--listen", "127.0.0.1:{port}", "--live-window", "0"]
        return Server(folder, name, environment, *listen, *options)

    ingest = serve("ingest", empty, "--live", "--live-archive", LOCATION)
    followers = [serve(f"follower {number}", empty, "--live-follow", "*.isml", "--live-archive", LOCATION) for number in (1, 2)]
    servers = [s3, ingest, *followers]
    try:
        s3.start()
        assert request(s3.address, "PUT", "/live", b"") == 200, "there is no bucket"
        for server in servers[1:]:
            server.start()
        event(ingest, followers, film(ROOT / arguments.film))
        plain = Server(folder, "plain", environment, arguments.serve, "--listen", "127.0.0.1:{port}", LOCATION)
        servers.append(plain)
        plain.start()
        _, media = media_of(plain, "a/news.ism")
        _, wanted = media_of(ingest, "a/news.isml")
        assert {url: samples(data) for url, data in media.items()} == {url: samples(data) for url, data in wanted.items()}
        print("  a server of the bucket without live events has the film", flush=True)
        later(ingest, followers, film(ROOT / arguments.film))
        if arguments.wait:
            listed = lambda: s3.get("/live?list-type=2&prefix=events/.parts/a/")[1].decode()
            parts = lambda: re.findall(r"<Key>(events/.parts/a/news\.[^/2]*ismv/\d+)</Key>", listed())
            end = time.monotonic() + 90
            while parts() and time.monotonic() < end:
                time.sleep(1)
            print(f"  {len(parts())} parts of tracks are left")
            assert not parts()
    finally:
        for server in servers:
            if server.process:
                server.kill()


def event(ingest, followers, bodies):
    point = "a/news.isml"
    assert [follower.get(f"/{point}/Manifest")[0] for follower in followers] == [404, 404]
    assert push(followers[0], f"/{point}/Streams(s0)", bodies[0].header("flm")) != 200, "a follower takes a push"
    encoder = Encoder(ingest, point, bodies)
    count = len(encoder.left)
    encoder.push(count // 3)
    media, seconds = same(ingest, followers, point)
    print(f"  {len(media)} fragments on three servers, {seconds:.1f} s later on the last one", flush=True)
    for kills in range(2):
        broken = encoder.push_half()
        ingest.kill()
        broken.close()
        for follower in followers:
            _, kept = media_of(follower, point)
            assert kept.items() >= media.items(), f"{follower.name} has lost fragments of an ingest that is dead"
        ingest.start()
        encoder.push(count // 4)
        media, seconds = same(ingest, followers, point)
        print(f"  killed and started again: {len(media)} fragments, {seconds:.1f} s later", flush=True)
    followers[1].kill()
    followers[1].start()
    encoder.push(len(encoder.left))
    encoder.end()


    def ended():
        status, manifest = ingest.get(f"/{point}/Manifest")
        return True if status == 200 and b"IsLive=" not in manifest else None

    until("the event is a film", ended)
    media, seconds = same(ingest, followers, point, is_film=True)
    pushed = sorted(hashlib.sha256(pushed.media.bytes).hexdigest() for pushed in encoder.sent)
    assert sorted(map(samples, media.values())) == pushed, "the film has other samples than were pushed"
    print(f"  the film: {len(media)} fragments on three servers, {seconds:.1f} s later", flush=True)


def later(ingest, followers, bodies):
    """The next event of the point."""
    encoder = Encoder(ingest, "a/news.isml", bodies, "Events(2)/")
    encoder.push(len(encoder.left) // 2)
    is_live = lambda: True if b"IsLive=" in ingest.get("/a/news.isml/Manifest")[1] else None
    until("the next event is live", is_live)
    media, seconds = same(ingest, followers, "a/news.isml")
    print(f"  the next event: {len(media)} fragments on three servers, {seconds:.1f} s later", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", type=pathlib.Path, default=ROOT / "target/debug/examples/serve")
    parser.add_argument("--stores", type=pathlib.Path, default=ROOT / "target/stores")
    parser.add_argument("--film", default="testdata/bframes/bframes.ism", help="a presentation; default: %(default)s")
    parser.add_argument("--wait", action="store_true", help="wait until the parts of the film are deleted")
    arguments = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try:
            run(folder, arguments)
        except BaseException:
            for log in sorted(folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}", file=sys.stderr)
            raise
    print(f"followers of a bucket have served what the ingest has, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
