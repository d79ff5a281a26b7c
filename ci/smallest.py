#!/usr/bin/env python3
"""Does what the README says under "The smallest presentation", with the ffmpeg of this machine, and
plays the part of a client: smallest.py FOLDER_OF_THE_BUILT_EXAMPLES"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
import xml.etree.ElementTree as ElementTree

README = pathlib.Path(__file__).parent.parent / "README.md"
ADDRESS = "127.0.0.1:18082"
SOURCE = (
    "ffmpeg -hide_banner -nostdin -loglevel error -f lavfi -i testsrc2=size=320x180:rate=25:duration=12"
    " -f lavfi -i sine=frequency=440:duration=12 -c:v libx264 -pix_fmt yuv420p -g 50 -c:a aac in.mp4"
)


def block(language):
    """The block of code of this language in the section."""
    section = README.read_text().split("\n## The smallest presentation\n")[1].split("\n## ")[0]
    return re.search(f"```{language}\n(.*?)```", section, re.DOTALL)[1]


def inspect(examples, path):
    run = subprocess.run([examples / "inspect", "--json", path], stdout=subprocess.PIPE, check=False)
    entry = json.loads(run.stdout)
    return run.returncode, entry


def get(path):
    with urllib.request.urlopen(f"http://{ADDRESS}{path}") as response:
        return response.read()


def wait_for(server):
    for _ in range(600):
        try:
            return get("/film.ism/Manifest")
        except OSError:
            assert server.poll() is None, "the server has ended"
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def fragments(manifest):
    """The path of each fragment that the manifest announces."""
    for stream in ElementTree.fromstring(manifest).iter("StreamIndex"):
        [quality] = stream.iter("QualityLevel")
        time_ = 0
        for chunk in stream.iter("c"):
            time_ = int(chunk.get("t", time_))
            url = stream.get("Url").replace("{bitrate}", quality.get("Bitrate"))
            yield "/film.ism/" + url.replace("{start time}", str(time_))
            time_ += int(chunk.get("d"))


def main(examples, folder):
    subprocess.run(SOURCE.split(), cwd=folder, check=True)
    status, entry = inspect(examples, folder / "in.mp4")
    command = f"`package {folder / 'in.mp4'} --output {folder / 'in.ism'}`"
    assert status == 3 and command in entry["advice"], entry

    print(block("sh").strip())
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["sh", "-ec", block("sh")], cwd=folder, check=True, **quiet)
    (folder / "film.ism").write_text(block("xml"))
    status, entry = inspect(examples, folder / "film.ism")
    assert status == 0 and entry["severity"] == "info", entry
    assert [stream["kind"] for stream in entry["streams"]] == ["video", "audio"], entry

    arguments = [examples / "serve", folder, "--listen", ADDRESS]
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    try:
        paths = list(fragments(wait_for(server)))
        stored = (folder / "out.ismv").read_bytes()
        for path in paths:
            fragment = get(path)
            assert fragment[4:8] == b"moof" and fragment in stored, path
        assert len(paths) >= 12, paths
        print(f"{len(paths)} fragments are served as they are stored")
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(temporary).resolve())
