#!/usr/bin/env python3
"""Checks that the parsers notice deliberate faults: run by hand after a change of the judges.

    faults.py BASE_URL MEDIA_DIR [--parsers FOLDER]

Collects MEDIA_DIR, which should have few presentations (testdata/ladder, served as BASE_URL), and changes one body at a
time. Each fault names the judges that have to notice it; all others have to pass.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent

JUDGES = {
    "mp4box.js": ["node", HERE / "mp4box.mjs"],
    "packager": [sys.executable, HERE / "packager.py"],
    "hls": ["node", HERE / "hls.mjs"],
    "dash": ["node", HERE / "dash.mjs"],
}


class Fault(NamedTuple):
    """A change of the bytes of each body whose URL ends like this, or of the first one."""

    what: str
    body: str
    old: bytes
    new: bytes
    noticed: set[str]


MEDIA = {"mp4box.js", "packager"}

FAULTS = [
    Fault("nothing", "manifest.mpd", b"", b"", set()),
    Fault("bytes of a picture", r"video-60000/20000000\.m4s", b"(?s)(mdat.{2000}).", rb"\1~", MEDIA),
    Fault("half a second", r"video-60000/20000000\.m4s", b"(?s)(tfdt.{9}).", rb"\1~", MEDIA),
    Fault("two milliseconds", r"video-60000/20000000\.m4s", b"(?s)(tfdt.{10})..", rb"\1ww", MEDIA),
    Fault("first sample is no key sample", r"video-60000/0\.m4s", b"\x02\0\0\0", b"\x01\x01\0\0", MEDIA),
    Fault("a box that is not known", r"video-60000/0\.m4s", b"mfhd", b"mfhx", MEDIA),
    Fault("level in avcC", r"video-60000/init\.mp4", b"avcC\x01\x64\0.", b"avcC\x01\x64\0\x1f", MEDIA),
    Fault("one segment less", r"manifest\.mpd", b'r="11"', b'r="10"', {"dash"}),
    Fault("one tick more", r"manifest\.mpd", b'd="20053334"', b'd="20054334"', {"dash"}),
    Fault("another language", r"manifest\.mpd", b'lang="fr"', b'lang="de"', {"dash"}),
    Fault("another codec", r"manifest\.mpd", b"avc1.64000B", b"avc1.64000D", {"dash"}),
    Fault("a segment too long", r"video-60000\.m3u8", b"EXTINF:2.0000000", b"EXTINF:2.9000000", {"hls"}),
    Fault("a segment that is not there", r"video-60000\.m3u8", b"60000/20000000", b"60000/20000001", {"hls"}),
    Fault("no map", r"video-60000\.m3u8", b"#EXT-X-MAP.*\n", b"", {"hls"}),
    Fault("no end", r"audio_eng-48000\.m3u8", b"#EXT-X-ENDLIST", b"", {"hls"}),
    Fault("another date", r"audio_eng-48000\.m3u8", b"00:00:00.000Z", b"00:00:00.040Z", {"hls"}),
    Fault("a rate too small", r"master\.m3u8", b"([,:])BANDWIDTH=1", rb"\1BANDWIDTH=0", {"hls"}),
    Fault("two names alike", r"master\.m3u8", b"audio_fra\"", b'audio_eng"', {"hls"}),
    Fault("another language", r"master\.m3u8", b'LANGUAGE="fr"', b'LANGUAGE="de"', {"hls"}),
    Fault("a codec that is not named", r"master\.m3u8", b",mp4a.40.2", b"", {"hls"}),
]


def spoil(folder, fault):
    """Changes the first body that the fault is about."""
    film = json.loads((folder / "expected.json").read_text())
    for url, body in film["bodies"].items():
        if re.search(fault.body + "$", url):
            file = folder / body["file"]
            data = file.read_bytes()
            changed, count = re.subn(fault.old, fault.new, data, count=1)
            if count:
                file.write_bytes(changed)
                return
    sys.exit(f"{fault.what}: nothing to change")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("base")
    options.add_argument("media", type=Path)
    options.add_argument("--parsers", type=Path, default=HERE / "../../target/parsers")
    given = options.parse_args()
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        collected = Path(scratch) / "collected"
        subprocess.run([sys.executable, HERE / "collect.py", given.base, given.media, collected], check=True)
        for fault in FAULTS:
            film = Path(scratch) / "film"
            shutil.copytree(collected / "000", film)
            spoil(film, fault)
            noticed, said = set(), []
            for name, command in JUDGES.items():
                done = subprocess.run([*command, "--parsers", given.parsers, film], capture_output=True, text=True)
                if done.returncode:
                    noticed.add(name)
                    said += [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("passed")][:1]
            shutil.rmtree(film)
            is_right = noticed == fault.noticed
            wrong += not is_right
            print(f"{'noticed' if is_right else 'WRONG  '}  {fault.what}: {' '.join(sorted(noticed))}  {said[:1]}"[:220], flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
