#!/usr/bin/env python3
"""Collects from a running origin what the judges look at, and what they have to find.

    collect.py BASE_URL MEDIA_DIR FOLDER

For each .ism below MEDIA_DIR that the origin serves as DASH, a folder FOLDER/NUMBER gets all bodies that its manifests of
DASH and HLS name, and `expected.json`: what the Smooth manifest, the fragments of Smooth Streaming and the stored files
say of the same film. No code is shared with the crate, and none with the judges.
"""

import hashlib
import json
import re
import sys
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urljoin

sys.dont_write_bytecode = True

import boxes

TIMESCALE = 10_000_000
"""Ticks per second if the Smooth manifest does not say."""

LANGUAGES = {"eng": "en", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "spa": "es", "ita": "it", "und": None, "": None}
"""RFC 5646 wants the shortest code."""

PLAYLIST = "application/vnd.apple.mpegurl"


def get(url):
    """Status and body; the body is empty if the status is not 200."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response:
            return response.status, response.headers.get_content_type(), response.read()
    except urllib.error.HTTPError as error:
        return error.code, "", b""


class Bodies:
    """Everything that the manifests name, by URL, and stored in files."""

    def __init__(self, folder):
        self.folder = folder
        self.known = {}

    def get(self, url):
        if url not in self.known:
            status, kind, body = get(url)
            name = f"{len(self.known)}.bin"
            (self.folder / name).write_bytes(body)
            self.known[url] = {"status": status, "type": kind, "size": len(body), "file": name}
        return self.known[url]

    def read(self, url):
        return (self.folder / self.get(url)["file"]).read_bytes()


def chunk_times(stream):
    """Start and duration of each chunk, in ticks. A `c` without `d` lasts to the next one."""
    found, now = [], 0
    for chunk in stream.findall("c"):
        now = int(chunk.get("t", now))
        if found and found[-1][1] is None:
            found[-1][1] = now - found[-1][0]
        for _ in range(int(chunk.get("r", 1))):
            duration = chunk.get("d")
            found.append([now, None if duration is None else int(duration)])
            now += int(duration or 0)
    return found


def codec(level):
    """The codec as RFC 6381 writes it, if the Smooth manifest lets one work it out."""
    four, private = level.get("FourCC", ""), bytes.fromhex(level.get("CodecPrivateData", ""))
    if four in ("H264", "AVC1", "DAVC") and b"\0\0\1" in private:
        return "avc1." + private[private.index(b"\0\0\1") + 4 :][:3].hex()
    if four.startswith("AAC"):
        return f"mp4a.40.{private[0] >> 3 if private else 2}"
    return None


def sources(ism):
    """The file, track number and attributes of each track of a server manifest, by (kind, name)."""
    found = []
    for element in ElementTree.parse(ism).getroot().iter():
        kind = element.tag.rpartition("}")[2]
        if kind not in ("video", "audio", "textstream") or "src" not in element.attrib:
            continue
        params = {param.get("name"): param.get("value") for param in element}
        name = params.get("trackName", kind)
        bitrate = element.get("systemBitrate", params.get("systemBitrate"))
        found.append(((name, bitrate), ism.parent / element.get("src"), int(params["trackID"]), params))
    return found


def source_of(tracks, name, bitrate, attributes):
    for key, file, track, params in tracks:
        if key == (name, bitrate) and all(params.get(name) == value for name, value in attributes.items()):
            return file, track
    return None


def has_picture_of_its_own(sample):
    """Whether a sample of H.264 can be decoded without others: an IDR picture or a recovery point."""
    at = 0
    while at + 5 <= len(sample):
        size = int.from_bytes(sample[at : at + 4], "big")
        kind, first = sample[at + 4] & 31, sample[at + 5 : at + 6]
        if kind == 5 or (kind == 6 and first == b"\6"):
            return True
        at += 4 + size
    return False


def fragments(base, stream, track, source):
    """What the fragments of Smooth Streaming hold: per chunk, the samples."""
    file, number = source
    header = boxes.headers(file)[number]
    attributes = "".join(f",{name}={value}" for name, value in track["attributes"].items())
    is_plain = track["codec"] is not None and not track["is_protected"]

    def is_sync(sample, nth):
        if stream["kind"] == "audio":
            return True
        # Flags may be wrong: Expression Encoder stores them in other bits. Encrypted pictures do not show what they are.
        return has_picture_of_its_own(sample.data) if is_plain else nth == 0

    def samples(start):
        level = quote(f"QualityLevels({track['bitrate']}{attributes})/Fragments({stream['name']}={start})", safe="/(),=")
        status, _, body = get(f"{base}/{level}")
        if status != 200:
            raise ValueError(f"{level}: status {status}")
        return [
            [one.duration, one.offset, len(one.data), is_sync(one, nth), hashlib.sha1(one.data).hexdigest()]
            for nth, one in enumerate(boxes.samples(body, header.defaults))
        ]

    with ThreadPoolExecutor(4) as pool:
        chunks = list(pool.map(samples, (start for start, _ in stream["chunks"])))
    return {"timescale": header.timescale, "file": str(file), "number": number, "chunks": chunks}


def read_stream(index, timescale):
    kind = index.get("Type")
    language = index.get("Language", "").lower()
    stream = {
        "kind": kind,
        "name": index.get("Name", kind),
        "language": LANGUAGES.get(language, language),
        "timescale": int(index.get("TimeScale", timescale)),
        "is_sparse": "ParentStreamIndex" in index.attrib,
        "chunks": chunk_times(index),
        "tracks": [],
    }
    for level in index.findall("QualityLevel"):
        attributes = {one.get("Name"): one.get("Value") for one in level.iter("Attribute")}
        size = [int(level.get(name, index.get(name, 0))) for name in ("MaxWidth", "MaxHeight")]
        bitrate = level.get("Bitrate")
        alike = sum(one["bitrate"] == bitrate for one in stream["tracks"])
        stream["tracks"].append({
            "bitrate": bitrate,
            "attributes": attributes,
            "codec": codec(level),
            "size": size if kind == "video" and all(size) else None,
            "rendition": quote(stream["name"], safe="-_.") + f"-{bitrate}" + (f"~{alike + 1}" if alike else ""),
        })
    return stream


def collect(base, ism, folder):
    """Writes the folder of a presentation; returns whether the origin serves it as DASH."""
    if get(f"{base}/manifest.mpd")[0] in (404, 415):
        return False
    folder.mkdir(parents=True)
    bodies = Bodies(folder)
    root = ElementTree.fromstring(get(f"{base}/Manifest")[2])
    is_protected = root.find("Protection") is not None
    streams = [read_stream(index, int(root.get("TimeScale", TIMESCALE))) for index in root.iter("StreamIndex")]
    tracks = sources(ism)
    for stream in streams:
        for track in stream["tracks"]:
            track["is_protected"] = is_protected
            if stream["kind"] in ("video", "audio"):
                source = source_of(tracks, stream["name"], track["bitrate"], track["attributes"])
                track["media"] = fragments(base, stream, track, source)
    header = root.find("Protection/ProtectionHeader")
    expected = {
        "url": base,
        "path": "/" + base.split("/", 3)[3],
        "protection": None if header is None else "".join(header.text.split()),
        "streams": streams,
        "bodies": bodies.known,
        "representations": [],
    }
    for name in ("manifest.mpd", "trick.mpd"):
        collect_dash(f"{base}/{name}", bodies, expected["representations"] if name == "manifest.mpd" else [])
    collect_hls(f"{base}/master.m3u8", bodies)
    (folder / "expected.json").write_text(json.dumps(expected))
    return True


def collect_dash(url, bodies, into):
    """Gets the segments of an MPD, as its templates and timelines name them."""
    names = {"": "urn:mpeg:dash:schema:mpd:2011"}
    if bodies.get(url)["status"] != 200:
        return
    for of in ElementTree.fromstring(bodies.read(url)).iterfind("Period/AdaptationSet", names):
        template = of.find("SegmentTemplate", names)
        times, now = [], 0
        for entry in template.find("SegmentTimeline", names):
            now = int(entry.get("t", now))
            for _ in range(int(entry.get("r", 0)) + 1):
                times.append(now)
                now += int(entry.get("d"))
        for representation in of.iterfind("Representation", names):
            filled = {
                name: template.get(name).replace("$RepresentationID$", representation.get("id"))
                for name in ("initialization", "media")
            }
            media = [urljoin(url, filled["media"].replace("$Time$", str(time))) for time in times]
            init = urljoin(url, filled["initialization"])
            for one in (init, *media):
                bodies.get(one)
            into.append({"id": representation.get("id"), "kind": of.get("contentType"), "init": init, "media": media})


def collect_hls(url, bodies):
    """Gets all that a playlist names, and what that names."""
    bodies.get(url)
    for line in bodies.read(url).decode().splitlines():
        named = re.findall(r'URI="([^"]*)"', line) if line.startswith("#") else [line]
        for one in named:
            one = urljoin(url, one)
            if one.startswith("http") and one not in bodies.known and bodies.get(one)["type"] == PLAYLIST:
                collect_hls(one, bodies)


def main():
    base, media, folder = sys.argv[1].rstrip("/"), Path(sys.argv[2]).resolve(), Path(sys.argv[3])
    number = 0
    for ism in sorted(media.rglob("*.ism")):
        url = base + "/" + quote(str(ism.relative_to(media)))
        if collect(url, ism, folder / f"{number:03}"):
            number += 1
        else:
            print(f"not served as DASH: {ism.relative_to(media)}", file=sys.stderr)
    return 0 if number else "no presentation is served as DASH"


if __name__ == "__main__":
    sys.exit(main())
