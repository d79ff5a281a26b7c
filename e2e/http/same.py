#!/usr/bin/env python3
"""Compares the two example servers, byte for byte: status, header fields, bodies.

    same.py [target/release/examples/serve [target/release/examples/sendfile]]
    same.py http://127.0.0.1:18080 http://127.0.0.1:18081

Both serve testdata/; binaries are started here. Every resource is asked for, whole and in parts, under conditions, by
HEAD and by methods that there are not; then many at once on one connection.
"""

import os
import sys
import xml.etree.ElementTree as ET
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote, urlsplit

from wire import Connection, Server, ask, binary_of

TESTDATA = Path(__file__).parent.parent.parent / "testdata"
BUFFERED = 50  # requests in one write
compared = 0


def main():
    with ExitStack() as stack:
        if len(sys.argv) == 3 and sys.argv[1].startswith("http"):
            addresses = [(urlsplit(url).hostname, urlsplit(url).port) for url in sys.argv[1:]]
        else:
            serve = binary_of(sys.argv, 1)
            sendfile = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(serve), "sendfile")
            assert os.access(sendfile, os.X_OK), f"{sendfile} is not there: cargo build --release --example sendfile"
            # The page is served by one of them alone.
            servers = [
                stack.enter_context(Server(serve, TESTDATA, "--no-page", "--no-metrics")),
                stack.enter_context(Server(sendfile, TESTDATA)),
            ]
            addresses = [server.address for server in servers]
        resources = list(all_resources(addresses[0]))
        for target in resources:
            compare_resource(addresses, target)
        for target in odd_targets():
            for method in ("GET", "HEAD"):
                compare(addresses, method, target)
        compare_connections(addresses, resources)
        compare_pipelined(addresses, resources)
        compare_cold(addresses, resources)
    print(f"{compared} responses of {len(resources)} resources are the same from both")


def compare_cold(addresses, resources):
    """What the page cache does not hold goes another way."""
    for target in resources[::25]:
        responses = []
        for address in addresses:
            drop_from_page_cache(TESTDATA)
            responses.append(ask(address, target))
        same(*responses, f"GET {target}, not in the page cache")


def drop_from_page_cache(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def all_resources(address):
    """Manifests, fragments in all four forms, and files."""
    for path in sorted(TESTDATA.rglob("*")):
        if path.suffix == ".ism":
            presentation = "/" + quote(str(path.relative_to(TESTDATA)))
            manifest = ask(address, presentation + "/Manifest")
            yield presentation + "/Manifest"
            if manifest.status == 200:
                yield from fragments(presentation, ET.fromstring(manifest.body))
        elif path.is_file():
            yield "/" + quote(str(path.relative_to(TESTDATA)))


def fragments(presentation, manifest):
    for stream in manifest.iter("StreamIndex"):
        name = stream.get("Name") or stream.get("Type")
        starts = []
        for chunk in stream.iter("c"):
            start = int(chunk.get("t", starts[-1] + duration if starts else 0))
            duration = int(chunk.get("d", 0))
            starts += [start + n * duration for n in range(int(chunk.get("r", 1)))]
        for track in stream.iter("QualityLevel"):
            level = f"{presentation}/QualityLevels({track.get('Bitrate')})"
            # Both ends and what lies between, but not all of a presentation with very many.
            for start in starts[:12] + starts[12:-4:40] + starts[-4:][: max(0, len(starts) - 12)]:
                for noun in ("Fragments", "FragmentInfo", "RawFragments", "KeyFrames"):
                    yield f"{level}/{noun}({quote(name)}={start})"


def odd_targets():
    """What is refused or sent elsewhere."""
    fragment = "/ladder/ladder.ism/QualityLevels({})/Fragments(video={})"
    return (
        "/ladder/ladder.ism", "/ladder/ladder.ism/", "/ladder/ladder.ism?token=a%20b", "/none.ism/Manifest", "/none", "/", "/ladder",
        fragment.format(1, 0), fragment.format(300000, 1), fragment.format("x", 0), "/ladder/ladder.ism/x", "/%2e%2e/Cargo.toml",
        "/ladder/ladder.ism/manifest(format=m3u8-aapl)", "/ladder/ladder.ism/Manifest?filter=x", "/%zz", "/%00", "/a%2fb",
        "/crossdomain.xml", "/clientaccesspolicy.xml", "http://elsewhere/ladder/ladder.ism/Manifest",
    )


def compare_resource(addresses, target):
    whole = compare(addresses, "GET", target)
    compare(addresses, "HEAD", target)
    size, tag, date = len(whole.body), whole.get("etag"), whole.get("last-modified")
    if whole.status != 200:
        return
    middle = f"Range: bytes={size // 3}-{size // 2}"
    for fields in (
        ("Range: bytes=0-0",), ("Range: bytes=-1",), (middle,), (f"Range: bytes={size}-",), (f"Range: bytes=0-{size}",),
        ("Range: bytes=0-1,200-300,-5",), (middle, f"If-Range: {tag}"), (middle, 'If-Range: "x"'),
        (f"If-None-Match: {tag}",), ('If-None-Match: "x"',), ('If-Match: "x"',), (f"If-Modified-Since: {date}",),
        ("Origin: https://tv.example.com",),
    ):
        part = compare(addresses, "GET", target, *fields)
        if fields == (middle,):
            assert part.status == 206 and part.body == whole.body[size // 3 : size // 2 + 1], target
    for method in ("OPTIONS", "POST", "get", "TRACE"):
        compare(addresses, method, target)


def compare_connections(addresses, resources):
    """What is said of the connection, by both versions of HTTP."""
    target = resources[0].encode()
    for version in (b"1.0", b"1.1"):
        for option in (b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Connection: x, Close\r\n"):
            request = b"GET " + target + b" HTTP/" + version + b"\r\nHost: test\r\n" + option + b"\r\n"
            both = []
            for address in addresses:
                with Connection(address) as connection:
                    connection.send(request)
                    first = connection.response()
                    connection.send(request)
                    try:
                        both.append((first, connection.response()))
                    except TimeoutError:
                        both.append((first, "silence"))
            same(*(seen[0] for seen in both), request)
            kept = [seen[1] is not None for seen in both]
            assert kept[0] == kept[1], f"kept: {kept} for {request}"


def compare_pipelined(addresses, resources):
    """Mixed requests in one write: answers in their order, and as they are alone."""
    mixed = []
    for n in range(4 * BUFFERED):
        target = resources[n * 7 % len(resources)]
        mixed.append((
            ("GET", target, ()), ("HEAD", target, ()), ("GET", target, ("Range: bytes=1-9",)), ("GET", "/none", ()),
            ("GET", target, ()), ("POST", target, ("Content-Length: 5", "", "hello")),
        )[n % 6])
    for start in range(0, len(mixed), BUFFERED):
        requests = mixed[start : start + BUFFERED]
        data = b"".join(wire_of(*request) for request in requests)
        with ExitStack() as stack:
            connections = [stack.enter_context(Connection(address, timeout=20)) for address in addresses]
            for connection in connections:
                connection.send(data)
            for method, target, fields in requests:
                responses = [connection.response(method.encode()) for connection in connections]
                same(*responses, f"pipelined: {method} {target} {fields}")


def wire_of(method, target, fields):
    lines = [f"{method} {target} HTTP/1.1", "Host: test", *fields]
    end = "" if "" in fields else "\r\n\r\n"
    return ("\r\n".join(lines) + end).encode()


def compare(addresses, method, target, *fields):
    responses = [ask(address, target, *fields, method=method) for address in addresses]
    same(*responses, f"{method} {target} {fields}")
    return responses[0]


def same(one, other, what):
    global compared
    compared += 1
    assert one and other, f"{what}: {one} and {other}"
    assert one.whole and other.whole, f"{what}: cut off"
    assert one.status == other.status, f"{what}: {one.status} and {other.status}"
    assert fields_of(one) == fields_of(other), f"{what}: {fields_of(one)} and {fields_of(other)}"
    assert one.body == other.body, f"{what}: {len(one.body)} and {len(other.body)} bytes that differ"
    assert one.get("date") and other.get("date"), f"{what}: no date"


def fields_of(response):
    """All that it says but the time of day. The order of different fields means nothing (RFC 9110, 5.3)."""
    fields = [(name.lower(), value) for name, value in response.fields]
    return sorted(field for field in fields if field[0] != "date")


if __name__ == "__main__":
    main()
