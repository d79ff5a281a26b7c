#!/usr/bin/env python3
"""Folders with a file per fragment, as ffmpeg writes them: every fragment, from both example servers, byte for byte.

    folders.py [target/release/examples/serve [target/release/examples/sendfile]]

Recordings with and without a window, then a live one while ffmpeg writes it and after its end. A whole body must be
what the file holds before the request or after it, and one tag must stand for one content.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from contextlib import ExitStack
from pathlib import Path

from wire import Server, ask, binary_of

INPUTS = ["testsrc=size=320x180:rate=25", "sine=440"]
ENCODER = [
    *("-map", "0:v", "-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25"),
    *("-b:v:0", "300k", "-b:v:1", "150k", "-c:a", "aac", "-b:a", "64k"),
]
MUXER = ["-f", "smoothstreaming", "-min_frag_duration", "900000"]
WINDOW = ["-window_size", "3", "-extra_window_size", "2", "-lookahead_count", "2"]
LIVE_SECONDS = 12


def main():
    if not shutil.which("ffmpeg"):
        sys.exit("ffmpeg is missing")
    serve = binary_of(sys.argv, 1)
    sendfile = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(serve), "sendfile")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        record(folder / "whole.ism", 6, [])
        record(folder / "window.ism", 12, WINDOW)
        servers = [stack.enter_context(Server(binary, folder, "--list", "0")) for binary in (serve, sendfile)]
        addresses = [server.address for server in servers]
        for name, announced in (("whole.ism", None), ("window.ism", 3)):
            check_recording(addresses, folder / name, announced)
        check_live(addresses, folder / "live.isml")
        check_recording(addresses, folder / "live.isml", 3)


def ffmpeg(folder, seconds, options, rate=()):
    inputs = [word for source in INPUTS for word in (*rate, "-f", "lavfi", "-i", source)]
    length = ["-t", str(seconds)]
    return ["ffmpeg", "-y", "-v", "error", "-nostdin", *inputs, *ENCODER, *length, *MUXER, *options, str(folder)]


def record(folder, seconds, options):
    subprocess.run(ffmpeg(folder, seconds, options), check=True)


def get(address, target, *fields):
    """A file that changed a moment ago may have to settle; a body that is cut off, because its file was rewritten
    meanwhile, is asked for again."""
    for _ in range(150):
        response = ask(address, target, *fields)
        if response.status == 503:
            assert response.get("retry-after"), target
            time.sleep(0.2)
        elif response.whole:
            return response
    raise AssertionError(f"{target}: {response.status}, whole: {response.whole}")


def announced_in(manifest):
    """Paths of the fragments that a manifest announces, each with that of its FragmentInfo."""
    for stream in manifest.iter("StreamIndex"):
        starts, start = [], 0
        for chunk in stream.iter("c"):
            start = int(chunk.get("t", start))
            starts.append(start)
            start += int(chunk.get("d"))
        url = stream.get("Url")
        for quality in stream.iter("QualityLevel"):
            for start in starts:
                yield url.replace("{bitrate}", quality.get("Bitrate")).replace("{start time}", str(start))


def manifest_of(address, name):
    response = get(address, f"/{name}/Manifest")
    assert response.status == 200, f"{name}: {response.status} {response.body}"
    return ET.fromstring(response.body), response


def check_recording(addresses, folder, announced):
    manifest, response = manifest_of(addresses[0], folder.name)
    for address in addresses:  # the manifest that a live one was may still be kept
        for _ in range(150):
            manifest, response = manifest_of(address, folder.name)
            if manifest.get("IsLive") is None:
                break
            time.sleep(0.2)
        assert manifest.get("IsLive") is None, f"{folder.name} is still live"
    paths = list(announced_in(manifest))
    tracks = len(list(manifest.iter("QualityLevel")))
    files = len(list(folder.rglob("Fragments(*")))
    assert tracks == 3 and len(paths) == (files if announced is None else announced * tracks), f"{len(paths)} {files}"
    for path in paths:
        for address in addresses:
            whole = get(address, f"/{folder.name}/{path}")
            assert whole.status == 200, f"{path}: {whole.status}"
            stored = (folder / path).read_bytes()
            assert whole.body == stored, f"{path} is not what is stored"
            info = get(address, f"/{folder.name}/{path.replace('Fragments(', 'FragmentInfo(')}")
            assert info.body == (folder / path.replace("Fragments(", "FragmentInfo(")).read_bytes(), path
            raw = get(address, f"/{folder.name}/{path.replace('Fragments(', 'RawFragments(')}")
            assert stored == info.body + stored[len(info.body) :][:8] + raw.body, path
            part = get(address, f"/{folder.name}/{path}", "Range: bytes=100-199")
            assert (part.status, part.body) == (206, stored[100:200]), path
            tag = f"If-None-Match: {whole.get('etag')}"
            assert get(address, f"/{folder.name}/{path}", tag).status == 304, path
    print(f"{folder.name}: {len(paths)} fragments of {tracks} tracks, from both servers, as stored")


def check_live(addresses, folder):
    encoder = subprocess.Popen(ffmpeg(folder, LIVE_SECONDS, WINDOW, rate=["-re"]))
    contents, bodies, versions, ahead = {}, 0, {}, 0
    while encoder.poll() is None:
        time.sleep(0.1)
        for address in addresses:
            if not (folder / "Manifest").exists():
                continue
            manifest, response = manifest_of(address, folder.name)
            if manifest.get("IsLive") is None:
                continue
            assert response.get("cache-control") == "max-age=1", response.get("cache-control")
            announced = set(announced_in(manifest))
            for file in sorted(folder.rglob("Fragments(*")):
                path = str(file.relative_to(folder))
                before = read(file)
                got = get(address, f"/{folder.name}/{path}")
                after = read(file)
                if before is None or after is None:
                    continue  # deleted meanwhile
                if got.status == 404 and is_over(encoder, folder):
                    break  # only what the final manifest announces is there
                assert got.status == 200, f"{path}: {got.status} {got.body}"
                assert got.body in (before, after), f"{path} is neither what the file was nor what it is"
                known = contents.setdefault(got.get("etag"), got.body)
                assert known == got.body, f"{path}: one tag, two contents"
                versions.setdefault(path, set()).add(hashlib.sha256(got.body).digest())
                bodies += 1
                ahead += path not in announced
    assert encoder.wait() == 0
    rewritten = sum(len(seen) > 1 for seen in versions.values())
    assert bodies > 100 and ahead > 10 and rewritten > 5, f"{bodies} {ahead} {rewritten}"
    print(f"{folder.name}: {bodies} bodies of {len(versions)} fragments, {rewritten} seen before and after they were rewritten")


def is_over(encoder, folder):
    """Whether the encoder has written its last manifest. It ends a moment later."""
    return encoder.poll() is not None or b"IsLive" not in (read(folder / "Manifest") or b"IsLive")


def read(file):
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    main()
