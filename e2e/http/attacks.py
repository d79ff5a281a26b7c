#!/usr/bin/env python3
"""Attacks on the running example server, over plain sockets.

    attacks.py http://127.0.0.1:18080 [target/release/examples/serve]

The server at the address serves testdata/. Another is started over a folder whose names and
manifests are made to break header fields, with a secret beside the folder.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

from wire import Connection, Server, ask, binary_of, wait_for

MANIFEST = "/ladder/ladder.ism/Manifest"
SECRETS = (b"root:x:", b"[package]", b"the canary sings")
CLOSED = None  # the connection ends without an answer
checked = 0


def exchange(address, data, allowed, what, method=b"GET"):
    """One request; its status is one of those, and nothing of what lies outside comes back."""
    global checked
    checked += 1
    with Connection(address) as connection:
        connection.send(data)
        try:
            response = connection.response(method)
        except TimeoutError:
            raise AssertionError(f"{what}: no answer to {data[:200]!r}") from None
    status = response.status if response else CLOSED
    assert status in allowed, f"{what}: {status}, not {allowed}, for {data[:200]!r}"
    if response:
        sound(response, what)
    return response


def sound(response, what):
    assert response.whole, f"{what}: a body was cut off"
    everything = response.body + repr(response.fields).encode()
    for secret in SECRETS:
        assert secret not in everything, f"{what}: {secret} came back"
    names = [name.lower() for name, _ in response.fields]
    assert "x-injected" not in names, f"{what}: {response.fields}"
    for name in ("content-length", "content-type", "etag", "location", "surrogate-key"):
        assert names.count(name) <= 1, f"{what}: {name} twice"
    # The page is for the operator's browser alone, which names the server by a name of its own.
    is_of_page = response.status == 403 and (response.get("content-type") or "").startswith("text/plain")
    if is_of_page:
        assert len(response.body) <= 300, f"{what}: {response.body}"
    elif response.status >= 400 and response.body:
        assert response.get("content-type") == "application/problem+json", what
        problem = json.loads(response.body)
        assert problem["status"] == response.status, f"{what}: {response.body}"
        assert len(problem.get("detail", "")) <= 300, f"{what}: {response.body}"


def get(target, *fields, version=b"HTTP/1.1"):
    lines = [b"GET " + target + b" " + version, b"Host: test", *fields, b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def traversal(address, secret):
    """Out of the root in every spelling, many on one connection, as long as it is kept."""
    dots = (b"..", b"%2e%2e", b"%2E.", b".%2e", b"%252e%252e", b"%c0%ae%c0%ae", b"%e0%80%ae%e0%80%ae",
            b"%f0%80%80%ae%f0%80%80%ae", b"%ef%bc%8e%ef%bc%8e", b"%u002e%u002e", b"..%00", b"..;", b"..%20",
            b"...", b"....", b"\xc0\xae\xc0\xae", b"%00..", b"%2e%2e%2e")
    slashes = (b"/", b"%2f", b"%2F", b"\\", b"%5c", b"%255c", b"%252f", b"%c0%af", b"%e2%88%95", b"//", b"/./", b"%00/")
    starts = (b"/", b"//", b"/ladder/", b"/ladder/ladder.ism/", b"/ladder/ladder.ism/QualityLevels(1)/", b"/%00/")
    targets = (b"etc/passwd", b"Cargo.toml", secret)
    refused = {400, 403, 404, 415}
    for start in starts:
        for dot in dots:
            for slash in slashes:
                for name in targets:
                    for depth in (1, 6):
                        path = start + (dot + slash) * depth + name.replace(b"/", slash)
                        kept(address, path, refused)
    for path in (b"/etc/passwd", b"//etc/passwd", b"/%2fetc/passwd", b"/file:///etc/passwd", b"/proc/self/environ",
                 b"/C:/windows/win.ini", b"/C:%5cwindows%5cwin.ini", b"/~root/.profile", b"/.", b"/..", b"/%2e", b"/%2e%2e",
                 b"/.%00", b"/%", b"/%2", b"/%zz", b"/%00", b"/%0a", b"/%0d%0aX-Injected:%201", b"/%ff%fe", b"/",
                 b"/.git/config", b"/%2egit/config", b"/ladder", b"/ladder/", b"/ladder/ladder.ismv", b"/ladder/ladder_1.ISMV",
                 b"/ladder/ladder%2eismv", b"/ladder/ladder.ism::$DATA", b"/ladder/ladder.ismv::$DATA", b"/ladder/ladder.ismv.",
                 b"/" + b"a/" * 5000, b"/" + b"../" * 5000, b"/" + b"%2e%2e/" * 3000 + b"etc/passwd"):
        kept(address, path, refused)
    for target in (b"http://test/../../etc/passwd", b"http://test/%2e%2e/etc/passwd", b"file:///etc/passwd",
                   b"http://test//etc/passwd", b"ftp://test/etc/passwd", b"http:///etc/passwd", b"http://../etc/passwd",
                   b"etc/passwd", b"../etc/passwd", b"*", b"?", b"#/../etc/passwd", b"test:80", b"http://te\\st/etc/passwd"):
        exchange(address, get(target), refused | {CLOSED}, "traversal")


connections = {}


def kept(address, path, allowed):
    """The same on a connection that is kept for as long as the server keeps it."""
    global checked
    checked += 1
    request = b"GET " + path + b" HTTP/1.1\r\nHost: test\r\n\r\n"
    for attempt in (0, 1):
        connection = connections.pop(address, None) if attempt == 0 else Connection(address)
        if connection is None:
            continue
        connection.send(request)
        response = connection.response()
        if response is None and attempt == 0:
            connection.socket.close()
            continue
        assert response, f"no answer for {path[:200]!r}"
        assert response.status in allowed, f"{response.status} for {path[:200]!r}"
        sound(response, path[:200])
        if response.get("connection").lower() == "close" or response.status == 400 and not response.body:
            connection.socket.close()
        else:
            connections[address] = connection
        return


def request_lines(address):
    target = MANIFEST.encode()
    bad = {400, CLOSED}
    end = b"\r\nHost: test\r\nConnection: close\r\n\r\n"
    for line, allowed in (
        (b"GET", bad), (b"GET " + target, bad), (b"GET  " + target + b" HTTP/1.1", bad), (b" GET / HTTP/1.1", bad),
        (b"GET / HTTP/1.1 x", bad), (b"GET / HTTP/9.9", bad | {505}), (b"GET / HTTP/2.0", bad | {505}),
        (b"GET / http/1.1", bad), (b"GET / HTTP/1", bad), (b"GET / HTTP/1.10", bad), (b"GET / HTTP/11", bad),
        (b"GET / HTTP/-1.1", bad), (b"GET /a b HTTP/1.1", bad), (b"GET /\t HTTP/1.1", bad), (b"GET\t/ HTTP/1.1", bad),
        (b"GET /\x00 HTTP/1.1", bad), (b"GET /\x7f HTTP/1.1", bad), (b"G(T / HTTP/1.1", bad), (b"G\x00T / HTTP/1.1", bad),
        (b"\x00\x01\x02\x03", bad), (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", bad),
        (b"GET /\xe9 HTTP/1.1", bad | {404}),
        (b"GET /\rX HTTP/1.1", bad), (b"GET /\nX-Injected: 1 HTTP/1.1", bad), (b"GET / HTTP/1.1\rX-Injected: 1", bad),
        (b"get " + target + b" HTTP/1.1", {405, 501, 400}), (b"FOO " + target + b" HTTP/1.1", {405, 501}),
        (b"X" * 5000 + b" / HTTP/1.1", bad | {403, 405, 414, 431, 501}), (b"POST " + target + b" HTTP/1.1", {405}),
        (b"TRACE " + target + b" HTTP/1.1", {405}), (b"CONNECT test:80 HTTP/1.1", {405, 400}), (b"DELETE * HTTP/1.1", {405, 400}),
        (b"OPTIONS * HTTP/1.1", {204}), (b"GET " + target + b" HTTP/1.0", {200}), (b"\r\nGET " + target + b" HTTP/1.1", {200}),
        (b"GET http://elsewhere" + target + b" HTTP/1.1", {200}), (b"GET " + target + b"#fragment HTTP/1.1", bad | {200, 404}),
        (b"GET " + target + b"?" + b"&" * 4000 + b" HTTP/1.1", {200}),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1", {414, 431, CLOSED}),
        (b"GET " + target + b"?" + b"a" * 200000 + b" HTTP/1.1", {414, 431, CLOSED}),
    ):
        exchange(address, line + end, allowed, "request line")


def header_lines(address):
    target = MANIFEST.encode()
    bad = {400, CLOSED}
    for line, allowed in (
        (b"X", bad), (b": x", bad), (b" : x", bad), (b"X : y", bad), (b"X\x00: y", bad), (b"X: y\x00z", bad),
        (b"X(: y", bad), (b"X: y\rX-Injected: 1", bad), (b"\xe9: y", bad), (b"X: \x01", bad), (b"X: \x7f", bad),
        (b"X: \xe9\xff", {200}), (b"X:", {200}), (b"X: a\tb", {200}), (b"X: y\r\n folded", bad | {200}),
        (b"Content-Length: -1", bad), (b"Content-Length: +5", bad), (b"Content-Length: 0x5", bad),
        (b"Content-Length: 1e3", bad), (b"Content-Length: 99999999999999999999999", bad), (b"Content-Length: 0, 5", bad),
        (b"Content-Length: 0\r\nContent-Length: 5", bad), (b"Content-Length: a", bad), (b"Content-Length: ", bad),
        (b"Expect: 100-continue", {200}), (b"Expect: the-moon", {200, 417}), (b"Upgrade: h2c\r\nHTTP2-Settings: x", {200}),
        (b"Transfer-Encoding: xchunked", bad | {501}), (b"Transfer-Encoding: chunked, identity", bad | {501}),
        (b"Transfer-Encoding: \x0bchunked", bad), (b"Connection: \xff", {200}), (b"Host: a b", bad),
        (b"X-Big: " + b"a" * 200000, {431, 400, CLOSED}), (b"A" * 200000 + b": x", {431, 400, CLOSED}),
        (b"\r\n".join(b"X-%d: y" % n for n in range(2000)), {431, 400, CLOSED}),
        (b"\r\n".join(b"Range: bytes=0-1" for n in range(60)), {200}),
        (b"Cookie: " + b"a=b; " * 2000, {200}), (b"X-Forwarded-Host: evil\r\nX-Original-URL: /etc/passwd", {200}),
        (b"X-HTTP-Method-Override: DELETE", {200}), (b"Origin: null", {200}), (b"Origin: a\tb", {200}),
        (b"Accept-Encoding: " + b"gzip;q=0.1," * 1000, {200}), (b"Accept-Encoding: \xff;q=\xff", {200}),
    ):
        exchange(address, get(target, line), allowed, "header line")
    # RFC 9112, 3.2: one field, unless the request is older than it. hyper leaves this to the service, which does not
    # look at the value.
    for hosts, version, allowed in (
        (b"", b"1.1", bad), (b"", b"1.0", {200}), (b"Host: a\r\nHost: b\r\n", b"1.1", bad),
        (b"Host: a\r\nHost: a\r\n", b"1.1", bad), (b"Host: \r\n", b"1.1", {200, 400}), (b"Host: a/b\r\n", b"1.1", {200, 400}),
        (b"Host: user@a\r\n", b"1.1", {200, 400}), (b"Host: [::1]:8080\r\n", b"1.1", {200}),
    ):
        data = b"GET " + target + b" HTTP/" + version + b"\r\n" + hosts + b"Connection: close\r\n\r\n"
        exchange(address, data, allowed, "host")
    # RFC 9110, 8.6: also where both have one value, which libraries tend to hide.
    for lengths in (b"Content-Length: 0\r\nContent-Length: 0", b"Content-Length: 0\r\nX: y\r\ncontent-length:0"):
        exchange(address, get(target, lengths), {400}, "two lengths")


def ranges_and_conditions(address):
    target = MANIFEST.encode()
    whole = ask(address, MANIFEST)
    size, tag = len(whole.body), whole.get("etag").encode()
    for line, allowed in (
        (b"Range: bytes=0-0", {206}), (b"Range: bytes=-1", {206}), (b"Range: bytes=0-0,-1", {206}),
        (b"Range: bytes=%d-" % size, {416}), (b"Range: bytes=-0", {416}),
        (b"Range: bytes=18446744073709551615-18446744073709551616", {416}),
        (b"Range: bytes=9223372036854775807-", {416}), (b"Range: bytes=-18446744073709551616", {206}),
        (b"Range: bytes=" + b"9" * 20000 + b"-", {416}), (b"Range: bytes=0-" + b"9" * 20000, {206}),
        (b"Range: bytes=" + b"0-0," * 7000, {200}), (b"Range: bytes=" + b"," * 20000, {200}),
        (b"Range: bytes=" + b",".join(b"%d-%d" % (n * 100, n * 100) for n in range(200)), {200}),
        (b"Range: bytes=5-4", {200}), (b"Range: bytes=--1", {200}), (b"Range: bytes=0--1", {200}), (b"Range: bytes", {200}),
        (b"Range: bytes=\xb2-", {200}), (b"Range: \xff", {200}), (b"Range: bytes=0-0\r\nRange: bytes=1-1", {200}),
        (b"If-None-Match: " + tag, {304}), (b"If-None-Match: *", {304}), (b"If-None-Match: \xff\"", {200}),
        (b"If-None-Match: " + b"\"" * 20000, {200, 304}), (b"If-None-Match: " + b"W/" * 10000, {200}),
        (b"If-None-Match: " + b"\"x\"," * 6000, {200}), (b"If-Match: " + b"\"x\"," * 6000, {412}), (b"If-Match: \xff", {412}),
        (b"If-Modified-Since: Thu, 32 Foo 99999 99:99:99 GMT", {200}), (b"If-Modified-Since: " + b"9" * 20000, {200}),
        (b"If-Modified-Since: -1", {200}), (b"If-Modified-Since: Mon, 01 Jan 0000 00:00:00 GMT", {200}),
        (b"If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT", {304}), (b"If-Modified-Since: \xff", {200}),
        (b"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT", {412}), (b"If-Unmodified-Since: x", {200}),
        (b"If-Unmodified-Since: Thu, 01 Jan 1601 00:00:00 GMT", {200, 412}),
        (b"If-Range: \xff\r\nRange: bytes=0-1", {200}), (b"If-Range: \"\"\r\nRange: bytes=0-1", {200}),
        (b"If-Range: " + tag + b"\r\nRange: bytes=0-1", {206}),
    ):
        response = exchange(address, get(target, line), allowed, "range or condition")
        assert len(response.body) <= size + 4096, line


def smuggling(address):
    """Where two readers could see different ends of a request, what is hidden is never answered."""
    hidden = b"GET " + MANIFEST.encode() + b"?hidden HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    chunks = b"0\r\n\r\n" + hidden
    requests = []
    for method in (b"GET", b"POST"):
        head = method + b" /none HTTP/1.1\r\nHost: test\r\n"
        for fields, body in (
            (b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(chunks), chunks),
            (b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(chunks), chunks),
            (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"%x\r\n" % len(hidden) + hidden + b"\r\n0\r\n\r\n"),
            (b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(hidden), hidden),
            (b"Content-Length: %d\r\nContent-Length: 0\r\n" % len(hidden), hidden),
            (b"Content-Length: 0, %d\r\n" % len(hidden), hidden),
            (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunks),
            (b"Transfer-Encoding: identity\r\nContent-Length: %d\r\n" % len(hidden), hidden),
            (b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n" % len(chunks), chunks),
            (b"Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n" % len(chunks), chunks),
            (b" Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(chunks), chunks),
            (b"X: y\rTransfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(chunks), chunks),
            (b"Content-Length: %d\r\n" % len(hidden), hidden),
            (b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff1\r\n" + hidden),
            (b"Transfer-Encoding: chunked\r\n", b"-1\r\n" + hidden),
            (b"Transfer-Encoding: chunked\r\n", b"0x5\r\nhello\r\n" + chunks),
            (b"Transfer-Encoding: chunked\r\n", b"5;" + b"x" * 40000 + b"\r\nhello\r\n" + chunks[:5]),
        ):
            requests.append((method, head + fields, body))
    # They mostly wait for what should not come.
    with ThreadPoolExecutor(len(requests)) as pool:
        list(pool.map(lambda request: smuggled(address, *request), requests))
    global checked
    checked += len(requests)


def smuggled(address, method, head, body):
    """One request, and what comes until the connection ends or is silent for two seconds."""
    with Connection(address, timeout=2) as connection:
        connection.send(head + b"\r\n" + body)
        seen = []
        try:
            while (response := connection.response(method)) is not None:
                sound(response, "smuggling")
                seen.append(response.status)
        except (TimeoutError, AssertionError) as error:
            assert isinstance(error, TimeoutError), error
    assert len(seen) <= 1 and 200 not in seen, f"{seen} for {head}"


def pipelining(address):
    """Many requests at once: answers in their order, each with its own length."""
    global checked
    whole = ask(address, MANIFEST)
    tag = whole.get("etag")
    kinds = (
        ("GET", MANIFEST, "", 200), ("HEAD", MANIFEST, "", 200), ("GET", "/none", "", 404), ("OPTIONS", MANIFEST, "", 204),
        ("GET", MANIFEST, f"If-None-Match: {tag}\r\n", 304), ("GET", MANIFEST, "Range: bytes=1-9\r\n", 206),
        ("GET", MANIFEST, "Range: bytes=99999999-\r\n", 416), ("DELETE", MANIFEST, "", 405), ("HEAD", "/none", "", 404),
        ("GET", MANIFEST, "Content-Length: 5\r\n\r\nhello", 200), ("GET", "/ladder/ladder.ism", "", 302),
    )
    requests = [kinds[n % len(kinds)] for n in range(220)]
    data = "".join(f"{method} {target} HTTP/1.1\r\nHost: test\r\n" + (fields if "\r\n\r\n" in fields else fields + "\r\n")
                   for method, target, fields, _ in requests).encode()
    with Connection(address, timeout=20) as connection:
        connection.send(data)
        for method, target, fields, status in requests:
            response = connection.response(method.encode())
            assert response and response.status == status, f"{method} {target} {fields}: {response and response.status}"
            if (method, status) == ("GET", 200):
                assert response.body == whole.body
            if status == 206:
                assert response.body == whole.body[1:10]
            checked += 1


def slow_clients(address):
    """Clients that send or take next to nothing keep nobody else from being answered."""
    global checked
    slow = [Connection(address) for _ in range(300)]
    for n, connection in enumerate(slow):
        connection.send((b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: te", b"")[n % 4])
    readers = [Connection(address) for _ in range(100)]
    for reader in readers:
        reader.send((b"GET " + MANIFEST.encode() + b" HTTP/1.1\r\nHost: test\r\n\r\n") * 400)
    began = time.monotonic()
    assert ask(address, MANIFEST).status == 200
    # Those that are slow are kept for 30 s: who had to wait for them would wait that long.
    assert time.monotonic() - began < 15, "the server is slow for all"
    one = slow[0]
    for byte in b"ET " + MANIFEST.encode() + b" HTTP/1.1\r\nHost: test\r\n\r\n":
        one.send(bytes([byte]))
    assert one.response().status == 200
    for connection in slow + readers:
        connection.socket.close()
    checked += 1


NAMES = ("plain", "a b", "a,b", "100%", "café", 'quo"te', "semi;colon", "<tag>", "a\u2028b", "a\u0085b", "(x)=1", "a%0d%0aX-Injected: 1",
         "line\nX-Injected: 1", "line\r\nX-Injected: 1", "null\x01")


def names(binary, testdata):
    """Names of presentations, and names in manifests, that would end a header field."""
    folder = tempfile.mkdtemp(prefix="smooth-attacks-")
    try:
        root = os.path.join(folder, "root")
        media = os.path.join(testdata, "bframes", "bframes.ismv")
        with open(os.path.join(testdata, "bframes", "bframes.ism"), encoding="utf-8") as file:
            ism = file.read()
        assert 'src="bframes.ismv"' in ism
        os.makedirs(root)
        for secret in ("secret.txt", "secret.ism"):
            with open(os.path.join(folder, secret), "w", encoding="utf-8") as file:
                file.write("the canary sings")
        shutil.copy(media, os.path.join(folder, "outside.ismv"))
        os.symlink(os.path.join(folder, "secret.txt"), os.path.join(root, "link.txt"))
        os.symlink(folder, os.path.join(root, "up"))

        def write(name, text):
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="utf-8", newline="") as file:
                file.write(text)

        for number, name in enumerate(NAMES):
            write(f"{number}/{name}.ism", ism)
            shutil.copy(media, os.path.join(root, str(number), "bframes.ismv"))
            write(f"{number}/{name}.txt", "text")
        shutil.copy(media, os.path.join(root, "bframes.ismv"))
        evil = "&#13;&#10;X-Injected: 1&#13;&#10;&#13;&#10;body"
        sources = ("../outside.ismv", "..\\outside.ismv", "%2e%2e/outside.ismv", "up/outside.ismv", os.path.join(folder, "outside.ismv"),
                   "file://" + os.path.join(folder, "outside.ismv"), "./../outside.ismv", "x/../../outside.ismv", "bframes.ismv" + evil)
        for number, source in enumerate(sources):
            write(f"src{number}.ism", ism.replace('src="bframes.ismv"', f'src="{source}"'))
        for number, name in enumerate(("a" + evil, "&#0;", '"/&gt;&lt;x', "a b/..", evil)):
            text = ism.replace("<param ", f'<param name="trackName" value="{name}" valuetype="data"/><param ', 1)
            write(f"stream{number}.ism", text)
        meta = '<head><meta name="clientManifestRelativePath" content="{}"/>'
        for number, client in enumerate(("../secret.txt", "link.txt", evil, "/etc/passwd")):
            write(f"client{number}.ism", ism.replace("<head>", meta.format(client), 1))

        # The files were written a moment ago; whether they have settled is not the question here.
        with Server(binary, root, "--settling-time", "0", "--allow-origin", "https://*.example.com") as server:
            for number, name in enumerate(NAMES):
                start = f"/{number}/" + quote(name, safe="")
                control = any(ord(letter) < 0x20 for letter in name)
                missing = {400, 404}
                for target, allowed in (
                    (f"{start}.ism/Manifest", {200}), (f"{start}.ism", {302}), (f"{start}.ism/", {302}),
                    (f"{start}.ism/x", {400}), (f"{start}.txt", {200}), (f"{start}.ism?%0d%0aX-Injected:%201", {302}),
                ):
                    response = exchange(server.address, get(target.encode()), missing if control else allowed, name)
                    key = response.get("surrogate-key")
                    if response.status == 200 and ".ism" in target:
                        assert key and not set(key) & set(" ,") and key.isascii(), f"{name}: {key!r}"
                    if response.status == 302:
                        location = response.get("location")
                        assert " " not in location and location.isascii() and "://" not in location, location
                        base = target.split("?")[0].rsplit("/", 1)[0]
                        assert ask(server.address, f"{base}/{location.split('?')[0]}").status == 200, location
            for prefix, count in (("src", len(sources)), ("stream", 5), ("client", 4)):
                for number in range(count):
                    for rest in ("", "/", "/Manifest", "/QualityLevels(1)/Fragments(video=0)", "/Manifest%0d%0aX-Injected:%201"):
                        target = f"/{prefix}{number}.ism{rest}".encode()
                        response = exchange(server.address, get(target), {200, 302, 400, 404, 415, 500}, target)
                        if prefix == "src" and rest == "/Manifest" and number < len(sources) - 1:
                            assert response.status == 500, f"{sources[number]} was read"
            for origin in (b"https://a.example.com", b"https://a.example.com, https://b.example.com", b"null", b"\xff",
                           b"https://a.example.com%0d%0aX-Injected: 1", b"https://" + b"a" * 20000 + b".example.com"):
                fields = (b"Origin: " + origin, b"Access-Control-Request-Method: GET", b"Access-Control-Request-Headers: x\t\"<y>")
                target = b"/0/plain.ism/Manifest"
                exchange(server.address, get(target, *fields), {200}, "origin")
                data = get(target, *fields).replace(b"GET", b"OPTIONS", 1)
                exchange(server.address, data, {204}, "preflight", b"OPTIONS")
            traversal(server.address, b"secret.txt")
            assert ask(server.address, "/0/plain.ism/Manifest").status == 200
    finally:
        shutil.rmtree(folder)


def main():
    url = urlsplit(sys.argv[1])
    address = (url.hostname, url.port)
    binary = binary_of(sys.argv, 2)
    testdata = os.path.join(os.path.dirname(__file__), "..", "..", "testdata")
    wait_for(address)
    before = ask(address, MANIFEST)
    assert before.status == 200
    for attack in (
        lambda: traversal(address, b"index.py"), lambda: request_lines(address), lambda: header_lines(address),
        lambda: ranges_and_conditions(address), lambda: smuggling(address), lambda: pipelining(address),
        lambda: slow_clients(address), lambda: names(binary, testdata),
    ):
        attack()
        after = ask(address, MANIFEST)
        assert (after.status, after.body) == (200, before.body), "the server is not what it was"
    print(f"{checked} attacks: each has its answer, nothing of outside came back, the server answers as before")


if __name__ == "__main__":
    main()
