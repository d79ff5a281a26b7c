#!/usr/bin/env python3
"""nginx and Varnish as caches in front of the example server.

    caches.py [target/release/examples/serve]

What comes through a cache is what the origin sends; what must not mix does not; what was cut off is
not kept; what is replaced can be purged. The server, both caches and their files are our own, in a
temporary folder and on free ports.
"""

import gzip
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from wire import Server, ask, binary_of, free_port, wait_for

TESTDATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "testdata")
MANIFEST = "/ladder/ladder.ism/Manifest"
OTHER = "/bframes/bframes.ism/Manifest"
FRAGMENT = "/bframes/bframes.ism/QualityLevels(150000)/Fragments(video={})"
FIRST = FRAGMENT.format(800000)
LARGE = "/large/large.ism/QualityLevels(300000)/Fragments(video=0)"
FILE = "/large/large.txt"
ALLOWED, ALSO, REFUSED = "https://a.example.com", "https://b.example.com", "https://evil.example"
SIZE = 48 << 20
PATIENCE = 60  # seconds: what takes longer hangs


class Pipe:
    """Passes bytes on from the server, but for so many that it keeps back until it is told: what a long way does."""

    def __init__(self, address):
        self.address, self.held_after, self.passed = address, None, 0
        self.holds, self.goes_on = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket()
            # Small buffers: most of a body is still in the origin while the first of it arrives.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
            server.connect(self.address)
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def hold_after(self, count):
        """What comes from the server stops here behind so many bytes, until `go_on`."""
        self.holds.clear()
        self.goes_on.clear()
        self.passed, self.held_after = 0, count

    def go_on(self):
        self.held_after = None
        self.goes_on.set()

    def pump(self, source, sink, is_answer):
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
                self.passed += len(data) if is_answer else 0
                if is_answer and self.held_after is not None and self.passed > self.held_after:
                    self.holds.set()
                    self.goes_on.wait(PATIENCE)
        except OSError:
            pass
        # An end is passed on as one.
        for end in (sink, source):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Nginx:
    name = "nginx"

    def __init__(self, folder, upstream):
        self.port = free_port()
        os.makedirs(folder)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        short = "proxy_ignore_headers Cache-Control; proxy_cache_valid 200 1s;"
        shared = f"""proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_cache c; proxy_cache_revalidate on; proxy_cache_key $request_uri;
            add_header X-Cache $upstream_cache_status always;"""
        config = f"""worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
        {'user root;' if os.getuid() == 0 else ''}
        events {{}}
        http {{
            access_log off; {temporary}
            proxy_cache_path {folder}/cache levels=1 keys_zone=c:4m use_temp_path=off;
            server {{
                listen 127.0.0.1:{self.port};
                location / {{ proxy_pass http://127.0.0.1:{upstream}; {shared} }}
                location /short/ {{ proxy_pass http://127.0.0.1:{upstream}/; {shared} {short} }}
            }}
        }}"""
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        self.command = ["nginx", "-p", folder, "-e", f"{folder}/error.log", "-c", path]


class Varnish:
    name = "Varnish"

    def __init__(self, folder, upstream):
        self.port = free_port()
        config = f"""vcl 4.1;
        backend default {{ .host = "127.0.0.1"; .port = "{upstream}"; }}
        sub vcl_recv {{
            if (req.method == "PURGE") {{
                ban("obj.http.Surrogate-Key == " + req.http.Surrogate-Key);
                return (synth(204, "Purged"));
            }}
            unset req.http.X-Age;
            if (req.url ~ "^/short/") {{
                set req.http.X-Age = "short";
                set req.url = regsub(req.url, "^/short", "");
            }}
        }}
        sub vcl_hash {{ hash_data("" + req.http.X-Age); }}
        sub vcl_backend_response {{
            if (bereq.http.X-Age == "short") {{ set beresp.ttl = 1s; }}
            if (beresp.was_304) {{ set beresp.http.X-Was-304 = "yes"; }}
            set beresp.grace = 0s;
            set beresp.keep = 60s;
        }}
        sub vcl_deliver {{
            if (obj.hits > 0) {{ set resp.http.X-Cache = "HIT"; }}
            elsif (resp.http.X-Was-304) {{ set resp.http.X-Cache = "REVALIDATED"; }}
            else {{ set resp.http.X-Cache = "MISS"; }}
        }}"""
        os.makedirs(folder)
        path = os.path.join(folder, "cache.vcl")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        # The codings are the origin's: Varnish would ask for gzip alone, and unpack it itself.
        self.command = ["varnishd", "-F", "-j", "none", "-n", os.path.join(folder, "work"), "-f", path,
                        "-a", f"127.0.0.1:{self.port}", "-T", "none", "-s", "malloc,256m", "-p", "http_gzip_support=off"]


class Cache:
    """A running cache. Its children end with it."""

    def __init__(self, cache, log):
        self.name, self.address, self.log = cache.name, ("127.0.0.1", cache.port), log
        with open(log, "wb") as file:
            self.process = subprocess.Popen(cache.command, stdout=file, stderr=file)
        try:
            wait_for(self.address, self.process)
        except AssertionError:
            self.stop()
            with open(log, encoding="utf-8", errors="replace") as file:
                raise AssertionError(f"{self.name} does not start: {file.read()}") from None

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def ask(self, target, *fields, method="GET"):
        try:
            return ask(self.address, target, *fields, method=method)
        except OSError as error:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                raise AssertionError(f"{self.name}, {target}: {error}; {file.read()}") from None

    def expect(self, hit, target, *fields, status=200):
        response = self.ask(target, *fields)
        seen = response.get("x-cache")
        assert (response.status, seen) == (status, hit), f"{self.name}, {target} {fields}: {response.status} {seen}"
        return response


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def large_media(value):
    """The tracks of a small film, and one fragment of one large sample."""
    with open(os.path.join(TESTDATA, "bframes", "bframes.ismv"), "rb") as file:
        head = file.read(1245)
    assert head[4:8] == b"ftyp" and head[28:32] == b"moov"
    tfxd = bytes.fromhex("6d1d9b0542d544e680e2141daff757b2")

    def moof(offset):
        trun = box(b"trun", struct.pack(">IIiII", 0x301, 1, offset, 20_000_000, SIZE))
        tfhd = box(b"tfhd", struct.pack(">II", 0, 1))
        times = box(b"uuid", tfxd, struct.pack(">IQQ", 1 << 24, 0, 20_000_000))
        return box(b"moof", box(b"mfhd", struct.pack(">II", 0, 1)), box(b"traf", tfhd, trun, times))

    return head + moof(len(moof(0)) + 8) + struct.pack(">I4s", SIZE + 8, b"mdat") + value * SIZE


def make(root):
    for name in ("ladder", "bframes"):
        shutil.copytree(os.path.join(TESTDATA, name), os.path.join(root, name))
    with open(os.path.join(root, "poster.jpg"), "wb") as file:
        file.write(bytes(range(256)) * 300)
    os.makedirs(os.path.join(root, "large"))
    with open(os.path.join(root, "large", "large.ism"), "w", encoding="utf-8") as file:
        file.write('<smil><body><switch><video src="large.ismv" systemBitrate="300000"><param name="trackID" value="1"/>'
                   "</video></switch></body></smil>")
    write_large(root, b"A")
    # What was changed just now is too new for its time to tell versions apart.
    for folder, _, files in os.walk(root):
        for name in files:
            os.utime(os.path.join(folder, name), (1_577_836_800, 1_577_836_800))


def write_large(root, value):
    for name in ("large.ismv", "large.txt"):
        with open(os.path.join(root, "large", name), "wb") as file:
            file.write(large_media(value))


def times_of(manifest):
    """Start times of the first stream's chunks."""
    times, now = [], 0
    for chunk in manifest.decode().split("<StreamIndex")[1].split("<c ")[1:]:
        now = int(chunk.split('t="')[1].split('"')[0]) if chunk.startswith('t="') else now
        times.append(now)
        now += int(chunk.split('d="')[1].split('"')[0])
    return times


def equality(cache, origin):
    """All that comes through is what the origin sends, the first time and the second."""
    targets = [MANIFEST, OTHER, "/poster.jpg", LARGE, "/clientaccesspolicy.xml"]
    targets += [FRAGMENT.format(time) for time in times_of(ask(origin, OTHER).body)[:10]]
    for target in targets:
        direct = ask(origin, target)
        assert direct.status == 200 and direct.whole, f"{target}: {direct.status}"
        for hit in ("MISS", "HIT"):
            through = cache.expect(hit, target)
            assert through.body == direct.body, f"{cache.name}, {target}: other bytes"
            for name in ("etag", "last-modified", "content-type", "content-length", "vary", "cache-control", "surrogate-key"):
                assert through.get(name) == direct.get(name), f"{cache.name}, {target}: {name}"
        head = cache.ask(target, method="HEAD")
        assert (head.status, head.get("content-length")) == (200, str(len(direct.body)))
        assert cache.ask(target, f"If-None-Match: {direct.get('etag')}").status == 304
        assert cache.ask(target, f"If-Modified-Since: {direct.get('last-modified')}").status == (304 if direct.get("last-modified") else 200)
    return len(targets)


def ranges(cache, origin):
    for target in (MANIFEST, "/poster.jpg", FIRST, "/poster.jpg?not-kept-yet"):
        whole = ask(origin, target)
        size = len(whole.body)
        for field, begin, end in (("0-0", 0, 1), ("5-99", 5, 100), ("-7", size - 7, size), (f"{size - 3}-", size - 3, size),
                                  ("100-999999999", 100, size)):
            part = cache.ask(target, f"Range: bytes={field}")
            assert (part.status, part.body) == (206, whole.body[begin:end]), f"{cache.name}, {target} {field}: {part.status}"
            assert part.get("content-range") == f"bytes {begin}-{end - 1}/{size}"
        assert cache.ask(target, f"Range: bytes={size}-").status == 416
        # Of another version, the whole.
        other = cache.ask(target, "Range: bytes=0-0", 'If-Range: "other"')
        assert (other.status, other.body) == (200, whole.body), f"{cache.name}, {target}: {other.status}"
        same = cache.ask(target, "Range: bytes=0-0", f"If-Range: {whole.get('etag')}")
        assert (same.status, same.body) == (206, whole.body[:1])


def codings(cache, origin):
    """The plain form and the packed ones, each to those who accept it."""
    plain = ask(origin, MANIFEST).body
    for _ in range(200):
        if all(ask(origin, MANIFEST, f"Accept-Encoding: {coding}").get("content-encoding") == coding for coding in ("gzip", "br")):
            break
        time.sleep(0.05)
    target = MANIFEST + "?codings"
    for hit in ("MISS", "HIT"):
        for accepted, coding in (("gzip", "gzip"), ("identity", ""), ("br", "br"), (None, "")):
            fields = [f"Accept-Encoding: {accepted}"] if accepted else []
            response = cache.expect(hit, target, *fields)
            direct = ask(origin, target, *fields)
            assert response.get("content-encoding") == coding, f"{cache.name}: {accepted}"
            assert (response.body, response.get("etag")) == (direct.body, direct.get("etag")), f"{cache.name}: {accepted}"
            body = gzip.decompress(response.body) if coding == "gzip" else response.body
            assert coding == "br" or body == plain


def origins(cache, origin):
    """What one site's page is allowed is never told to another's."""
    for target in (OTHER + "?origins", FIRST + "?origins"):
        for hit in ("MISS", "HIT"):
            for site, allowed in ((ALLOWED, ALLOWED), (REFUSED, ""), (ALSO, ALSO), (None, ""), ("null", "")):
                response = cache.expect(hit, target, *([f"Origin: {site}"] if site else []))
                assert response.get("access-control-allow-origin") == allowed, f"{cache.name}: {site}"
                assert response.get("timing-allow-origin") == allowed
                assert "origin" in response.get("vary").lower()
    preflight = cache.ask(OTHER, f"Origin: {ALLOWED}", "Access-Control-Request-Method: GET", method="OPTIONS")
    assert (preflight.status, preflight.get("access-control-allow-origin")) == (204, ALLOWED)


def failures(cache, root):
    """Kept for some seconds, and no longer."""
    target = f"/late-{cache.name}.txt"
    missing = [cache.expect(hit, target, status=404) for hit in ("MISS", "HIT")]
    assert missing[0].get("cache-control") == "max-age=5" and missing[0].body == missing[1].body
    refused = cache.expect("MISS", "/bframes/bframes.ismv", status=403)
    assert refused.get("cache-control") == "max-age=5"
    not_served = "/bframes/bframes.ism/Manifest(format=m3u8-aapl)"
    # Varnish keeps 404 of the failures, and others only where its rules say so.
    for hit in ("MISS", "MISS" if cache.name == "Varnish" else "HIT"):
        cache.expect(hit, not_served, status=415)
    with open(os.path.join(root, target[1:]), "wb") as file:
        file.write(b"here")
    cache.expect("HIT", target, status=404)
    return target


def twice(cache, target):
    """The first response, and whether the second one was a hit: it is, unless it was asked for later than the first is kept."""
    began = time.monotonic()
    first, second = cache.expect("MISS", target), cache.ask(target)
    assert second.status == 200 and second.body == first.body, f"{cache.name}, {target}: {second.status}"
    is_hit = second.get("x-cache") == "HIT"
    assert is_hit or time.monotonic() - began > 0.9, f"{cache.name}, {target}: {second.get('x-cache')}, wanted HIT"
    return first, is_hit


def revalidation(cache):
    """What has grown old is asked for by its validator, and kept on a 304."""
    targets, first = ["/short" + target for target in (MANIFEST, FIRST, "/poster.jpg")], []
    for place, target in enumerate(targets):
        response, is_hit = twice(cache, target)
        for number in range(10):
            if is_hit:
                break
            # A machine that is busy may take longer for two requests than the second for which the first is kept.
            targets[place] = f"{target}?{number}"
            response, is_hit = twice(cache, targets[place])
        assert is_hit, f"{cache.name}, {targets[place]}: kept by no request"
        first.append(response)
    time.sleep(2.2)
    for target, response in zip(targets, first):
        again = cache.expect("REVALIDATED", target)
        assert (again.body, again.get("etag")) == (response.body, response.get("etag"))


def purge(cache):
    """All of a presentation by its key, and nothing of another."""
    own, other = (MANIFEST, OTHER), FIRST
    for target in (*own, other):
        cache.ask(target)
        cache.expect("HIT", target)
    assert cache.ask("/", "Surrogate-Key: bframes/bframes.ism", method="PURGE").status == 204
    cache.expect("HIT", MANIFEST)
    cache.expect("MISS", OTHER)
    cache.expect("MISS", other)
    cache.expect("HIT", other)


def cut_bodies(cache, origin, pipe, root, versions):
    """A body that the origin cuts off in its middle is told to the client, and not kept."""
    for target in (LARGE, FILE):
        url = f"{target}?{cache.name}"
        # The file changes when the first of the body has come, and most of it is still in the origin.
        pipe.hold_after(8 << 20)
        answers = []
        reader = threading.Thread(target=lambda: answers.append(cache.ask(url)))
        reader.start()
        assert pipe.holds.wait(PATIENCE), f"{cache.name}, {url}: no body comes"
        write_large(root, versions.pop())
        pipe.go_on()
        reader.join(PATIENCE)
        assert answers and answers[0].status == 200 and not answers[0].whole, f"{cache.name}, {url}: it was not cut off"
        assert len(answers[0].body) > 1 << 16, "some of it was sent"
        time.sleep(1.2)  # --revalidate 1
        ask(origin, url)
        now = ask(origin, url)
        assert now.status == 200 and now.whole
        again = cache.expect("MISS", url)
        assert again.whole and again.body == now.body, f"{cache.name}, {url}: what was cut off was kept"
        assert cache.expect("HIT", url).body == now.body


def main():
    binary = binary_of(sys.argv, 1)
    folder = tempfile.mkdtemp(prefix="smooth-caches-")
    root = os.path.join(folder, "root")
    os.makedirs(root)
    make(root)
    caches, began = [], time.monotonic()
    try:
        with Server(binary, root, "--revalidate", "1", "--allow-origin", "https://*.example.com") as server:
            pipe = Pipe(server.address)
            for kind in (Nginx, Varnish):
                work = os.path.join(folder, kind.name)
                caches.append(Cache(kind(work, pipe.port), f"{work}.log"))
            late = [(cache, failures(cache, root)) for cache in caches]
            kept_since = time.monotonic()
            for cache in caches:
                count = equality(cache, server.address)
                ranges(cache, server.address)
                codings(cache, server.address)
                origins(cache, server.address)
                revalidation(cache)
                print(f"{cache.name}: {count} resources byte for byte, ranges, codings, origins, revalidation by 304")
            time.sleep(max(0, 6.2 - (time.monotonic() - kept_since)))
            for cache, target in late:
                response = cache.ask(target)
                assert (response.status, response.body) == (200, b"here"), f"{cache.name}: a 404 was kept too long"
            purge(caches[1])
            print("a purge by Surrogate-Key takes one presentation and nothing else")
            versions = [b"E", b"D", b"C", b"B"]
            for cache in caches:
                cut_bodies(cache, server.address, pipe, root, versions)
            print(f"bodies that were cut off are not kept; {time.monotonic() - began:.0f} s")
    finally:
        for cache in caches:
            cache.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
