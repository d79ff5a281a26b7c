#!/usr/bin/env python3
"""Compares what a running origin serves with the files on disk, byte for byte.

    compare.py BASE_URL TESTDATA_DIR

TESTDATA_DIR holds the .ism files, one folder deep, that the origin serves below BASE_URL. Every chunk of every track is
requested in all four forms, and then what an origin must refuse or tolerate. Exit status: 0 if nothing differs, 1 if
something does or there was nothing to compare. Reads the files with the box walk of testdata/index.py and the manifests
with Python's XML parser: no code is shared with the crate.
"""

import http.client
import importlib.util
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

sys.dont_write_bytecode = True  # no __pycache__ in testdata
spec = importlib.util.spec_from_file_location("index", Path(__file__).parent.parent / "testdata" / "index.py")
index = importlib.util.module_from_spec(spec)
sys.modules["index"] = index  # dataclasses look their module up there
spec.loader.exec_module(index)

SHOWN = 20  # differences printed for a presentation
MEDIA_TYPES = {"video": "video/mp4", "audio": "audio/mp4"}
MANIFEST_TYPE = "application/vnd.ms-sstr+xml"



def configuration(private):
    """AAC-LC without the extension that says that there is none (ISO/IEC 14496-3, 1.6.6): a manifest may do without."""
    if len(private) != 5 or private[0] >> 3 != 2:
        return private
    says_nothing = private[2:4] == b"\x56\xe5" and private[4] & 0x80 == 0
    return private[:2] if says_nothing else private


class Unreadable(Exception):
    """The origin's answer is so far off that the rest cannot be compared."""


@dataclass
class Answer:
    path: str
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def media_type(self):
        return self.headers.get("Content-Type", "none").partition(";")[0].strip()


class Origin:
    """Requests below a base URL; paths go out as they are, already escaped."""

    def __init__(self, base):
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https"):
            raise SystemExit(f"{base}: not an http or https URL")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connect = lambda: kind(parts.netloc, timeout=30)
        self.root = parts.path.rstrip("/") + "/"
        self.connection = self.connect()

    def get(self, path):
        """On a connection that is kept; opened again once if the origin has closed it in the meantime."""
        for last in (False, True):
            try:
                self.connection.request("GET", self.root + path)
                answer = self.connection.getresponse()
                return Answer(path, answer.status, answer.headers, answer.read())
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                if last:
                    raise Unreadable(f"GET {path}: {type(error).__name__}: {error}") from error

    def head(self, path):
        """On a connection of its own, read to its end, so that a body sent by mistake is seen."""
        try:
            connection = self.connect()
            connection.request("HEAD", self.root + path, headers={"Connection": "close"})
            answer = connection.getresponse()
            return Answer(path, answer.status, answer.headers, answer.fp.read() if answer.fp else b"")
        except (OSError, http.client.HTTPException) as error:
            raise Unreadable(f"HEAD {path}: {type(error).__name__}: {error}") from error


# ---- What the disk says ----


@dataclass
class Stored:
    """A track of the server manifest, with its file."""

    kind: str
    src: str
    data: bytes
    track: index.Track


def read_server_manifest(path):
    """The tracks by stream name and bitrate, and the path of the client manifest or None."""
    tracks, client, files = {}, None, {}
    for element in ET.fromstring(path.read_bytes()).iter():
        tag = element.tag.rpartition("}")[2]
        if tag == "meta" and element.get("name") == "clientManifestRelativePath":
            client = path.parent / element.get("content")
        if tag not in MEDIA_TYPES:
            continue
        params = {child.get("name"): child.get("value") for child in element}
        bitrate = int(element.get("systemBitrate") or params["systemBitrate"])
        src = element.get("src")
        if src not in files:
            data = (path.parent / src).read_bytes()
            files[src] = data, index.read_media(data)
        data, found = files[src]
        tracks[params.get("trackName", tag), bitrate] = Stored(tag, src, data, found[int(params["trackID"])])
    return tracks, client


# ---- What the manifest says ----


def expand(stream):
    """(start, duration) of each chunk of a StreamIndex: `t` defaults to the end before, `d` to the next start."""
    chunks, now = [], 0
    elements = stream.findall("c")
    for i, c in enumerate(elements):
        now = int(c.get("t", now))
        if c.get("d") is not None:
            duration = int(c.get("d"))
        else:
            duration = int(elements[i + 1].get("t")) - now
        for _ in range(int(c.get("r", 1))):
            chunks.append((now, duration))
            now += duration
    return chunks


class Presentation:
    """Compares one presentation; what differs is collected in `differences`."""

    def __init__(self, origin, folder, ism):
        self.origin, self.ism = origin, ism
        self.url = quote(ism.relative_to(folder).as_posix())
        self.stored, self.client = read_server_manifest(ism)
        self.differences, self.counts = [], Counter()

    def check(self, right, message):
        self.counts["checks"] += 1
        if not right:
            self.differences.append(message)
        return right

    def same(self, got, wanted, what):
        return self.check(got == wanted, f"{what}: {got!r}, wanted {wanted!r}")

    def same_bytes(self, got, wanted, what):
        if got == wanted:
            return self.check(True, "")
        at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
        return self.check(False, f"{what}: {len(got)} bytes, wanted {len(wanted)}; they differ from byte {at} on")

    def get(self, path, wanted_type):
        """A GET that must succeed; None if it did not."""
        answer = self.origin.get(path)
        if not self.same(answer.status, 200, f"GET {path}: status"):
            return None
        self.same(answer.headers.get("Content-Length"), str(len(answer.body)), f"GET {path}: Content-Length")
        if wanted_type:
            self.same(answer.media_type, wanted_type, f"GET {path}: Content-Type")
        return answer

    def compare(self):
        manifest = self.get(self.url + "/Manifest", MANIFEST_TYPE)
        if manifest is None:
            return
        if self.client is not None:
            self.same_bytes(manifest.body, self.client.read_bytes(), f"{manifest.path} against {self.client.name}")
        self.compare_head(manifest)
        self.check(manifest.headers.get("ETag"), f"GET {manifest.path}: no ETag")
        for spelling in ("manifest", "MANIFEST", "maniFest"):
            answer = self.get(f"{self.url}/{spelling}", MANIFEST_TYPE)
            if answer:
                self.same_bytes(answer.body, manifest.body, f"{answer.path} against Manifest")
        try:
            root = ET.fromstring(manifest.body)
        except ET.ParseError as error:
            raise Unreadable(f"{manifest.path}: not XML: {error}") from error

        announced, end = set(), 0
        for stream in root.findall("StreamIndex"):
            chunks = expand(stream)
            name = stream.get("Name") or stream.get("Type")
            levels = stream.findall("QualityLevel")
            what = f"{manifest.path}: stream {name}"
            self.same(stream.get("Chunks"), str(len(chunks)), f"{what}: Chunks")
            self.same(stream.get("QualityLevels"), str(len(levels)), f"{what}: QualityLevels")
            template = f"QualityLevels({{bitrate}})/Fragments({name}={{start time}})"
            self.same(stream.get("Url"), template, f"{what}: Url")
            for level in levels:
                key = name, int(level.get("Bitrate"))
                announced.add(key)
                if key in self.stored:
                    self.compare_level(f"{what}, bitrate {key[1]}", level, self.stored[key])
                    self.compare_track(stream, key, chunks, self.stored[key])
            end = max([end] + [start + duration for start, duration in chunks[-1:]])
            self.counts["streams"] += 1
        self.same(sorted(announced), sorted(self.stored), f"{manifest.path}: streams and bitrates")
        first = min((int(c.get("t", 0)) for c in root.findall("StreamIndex/c[1]")), default=0)
        duration = int(root.get("Duration", -1))
        near = any(abs(duration - wanted) <= index.ROUNDING for wanted in (end, end - first))
        self.check(near, f"{manifest.path}: Duration {duration}, but the chunks go from {first} to {end}")
        self.compare_refusals(announced)

    def compare_level(self, what, level, stored):
        """The codec description of a QualityLevel against the file's moov."""
        track = stored.track
        private = level.get("CodecPrivateData", "").upper()
        wanted = [data.hex().upper() for data in (configuration(track.private), track.private)]
        wanted += [""] if stored.kind == "audio" else []  # AAC-LC needs none
        self.check(private in wanted, f"{what}: CodecPrivateData {private}, wanted {wanted[0]}")
        synonyms = {"H264": ("H264", "AVC1")}.get(track.fourcc, (track.fourcc,))
        self.check(level.get("FourCC") in synonyms, f"{what}: FourCC {level.get('FourCC')}, wanted {track.fourcc}")
        sizes = {"video": {"MaxWidth": track.width, "MaxHeight": track.height}}
        sizes["audio"] = {"SamplingRate": track.rate, "Channels": track.channels}
        for name, value in sizes[stored.kind].items():
            self.same(level.get(name), str(value), f"{what}: {name}")

    def compare_track(self, stream, key, chunks, stored):
        """Pairs the manifest's chunks with the file's fragments, in order, and compares each."""
        name, bitrate = key
        listed = stored.track.fragments
        what = f"{self.url}: {name}, {bitrate}"
        if not self.same(len(chunks), len(listed), f"{what}: chunks against fragments of {stored.src}"):
            return
        shift = chunks[0][0] - listed[0][0]
        times = {start for start, _ in chunks}
        for i, ((start, duration), (time, offset)) in enumerate(zip(chunks, listed)):
            fragment = index.read_fragment(stored.data, offset, stored.track)
            near = abs(start - time - shift) <= index.ROUNDING
            self.check(near, f"{what}: chunk {i} starts at {start}, in the file at {time}, the first by {shift} later")
            real = listed[i + 1][0] - time if i + 1 < len(listed) else fragment.duration
            near = abs(duration - real) <= index.ROUNDING
            self.check(near, f"{what}: chunk {i} lasts {duration}, in the file {real}")
            self.compare_fragment(name, bitrate, start, stored, fragment, with_head=i in (0, len(listed) - 1))
            for wrong in {start - 1, start + 1} - times:
                if wrong >= 0:
                    self.refused(f"QualityLevels({bitrate})/Fragments({name}={wrong})", 404)
        self.counts["tracks"] += 1

        start = chunks[0][0]
        escaped = f"QualityLevels%28{bitrate}%29/Fragments%28{quote(name)}%3D{start}%29"
        first = index.read_fragment(stored.data, listed[0][1], stored.track)
        for path in (escaped, escaped.replace("%3D", "%3d")):
            answer = self.get(f"{self.url}/{path}", MEDIA_TYPES[stored.kind])
            if answer:
                self.same_bytes(answer.body, stored.data[first.moof.start : first.mdat.end], answer.path)
        for wrong in (bitrate + 1, 0):
            if (name, wrong) not in self.stored:
                self.refused(f"QualityLevels({wrong})/Fragments({name}={start})", 404)
        self.refused(f"QualityLevels({bitrate})/Fragments(no_such_stream={start})", 404)

    def compare_fragment(self, name, bitrate, start, stored, fragment, with_head):
        data, moof, mdat = stored.data, fragment.moof, fragment.mdat
        whole = data[moof.start : mdat.end]
        wanted = {
            "Fragments": whole,
            "FragmentInfo": data[moof.start : moof.end],
            "RawFragments": data[mdat.body : mdat.end],
            "KeyFrames": whole if stored.kind == "audio" else None,
        }
        for noun, body in wanted.items():
            path = f"{self.url}/QualityLevels({bitrate})/{noun}({quote(name)}={start})"
            # Bare samples are no MP4: what type they bear is left to the origin.
            answer = self.get(path, MEDIA_TYPES[stored.kind] if noun != "RawFragments" else None)
            if answer is None:
                continue
            if body is not None:
                self.same_bytes(answer.body, body, path)
            else:
                self.compare_key_frames(path, answer.body, stored, fragment)
            if with_head:
                self.compare_head(answer)
                self.check(answer.headers.get("ETag"), f"GET {path}: no ETag")
            self.counts["bodies"] += 1
            self.counts["bytes"] += len(answer.body)

    def compare_key_frames(self, path, body, stored, source):
        """A moof and an mdat of the key samples only, each lasting until the next."""
        try:
            kinds = [box.kind for box in index.boxes(body, 0, len(body))]
            if not self.same(kinds, ["moof", "mdat"], f"{path}: boxes"):
                return
            cut = index.read_fragment(body, 0, stored.track)
        except (ValueError, IndexError, index.struct.error) as error:
            self.check(False, f"{path}: not a moof and an mdat: {error}")
            return
        keys = [i for i, key in enumerate(source.key) if key]
        wanted = [source.samples[i] for i in keys]
        if not self.same(len(cut.samples), len(wanted), f"{path}: samples"):
            return
        self.same(cut.track_id, source.track_id, f"{path}: track_ID")
        self.same(cut.samples[0].start, cut.mdat.body, f"{path}: where data_offset points to")
        self.same(cut.samples[-1].end, cut.mdat.end, f"{path}: where the samples end")
        for i, (got, want) in enumerate(zip(cut.samples, wanted)):
            self.same_bytes(body[got.start : got.end], stored.data[want.start : want.end], f"{path}: key sample {i}")
            self.same(got.composition, want.composition, f"{path}: key sample {i}: composition offset")
            self.same(got.flags, want.flags, f"{path}: key sample {i}: flags")
        bounds = [0] + keys[1:] + [len(source.samples)]
        spans = [source.samples[a:b] for a, b in zip(bounds, bounds[1:])]
        stretched = [sum(sample.duration for sample in span) for span in spans]
        self.same([sample.duration for sample in cut.samples], stretched, f"{path}: durations")
        self.same(cut.duration, source.duration, f"{path}: sum of the durations")
        self.same(cut.tfxd.hex(), source.tfxd.hex(), f"{path}: tfxd")
        self.counts["key samples"] += len(keys)

    def compare_head(self, answer):
        head = self.origin.head(answer.path)
        if not self.same(head.status, answer.status, f"HEAD {answer.path}: status"):
            return
        for header in ("Content-Length", "ETag", "Content-Type"):
            self.same(head.headers.get(header), answer.headers.get(header), f"HEAD {answer.path}: {header}")
        self.check(not head.body, f"HEAD {answer.path}: has a body of {len(head.body)} bytes")

    def refused(self, path, status):
        self.same(self.origin.get(f"{self.url}/{path}").status, status, f"GET {self.url}/{path}: status")
        self.counts["refusals"] += 1

    def compare_refusals(self, announced):
        """Compares the refusals of resources that no presentation has, and of targets that are no requests."""
        name, bitrate = min(announced, default=("video", 1))
        for malformed in (
            f"QualityLevels(x)/Fragments({name}=0)",
            "QualityLevels(x)/Fragments(video=0)",
            f"QualityLevels({bitrate})/Fragments({name}=-1)",
            f"QualityLevels({bitrate})/Fragments({name}%2Fx=0)",
            f"QualityLevels({bitrate})%2FFragments({name}=0)",
        ):
            self.refused(malformed, 400)
        folder, slash, file = self.url.rpartition("/")
        absent = f"{folder}{slash}no-such-{file}/Manifest"
        self.same(self.origin.get(absent).status, 404, f"GET {absent}: status")

    def summary(self):
        counts = self.counts
        kinds = ("streams", "tracks", "bodies", "bytes", "key samples", "refusals", "checks")
        text = ", ".join(f"{counts[kind]} {kind}" for kind in kinds)
        return f"{'differs' if self.differences else 'same'}: {self.url}: {text}"


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    origin, folder = Origin(sys.argv[1]), Path(sys.argv[2])
    # One folder deep: further down lie presentations of other producers, which break on purpose what
    # is taken for granted here. Tests of their own compare them.
    found = sorted(path for path in folder.glob("*/*.ism") if path.is_file())
    if not found:
        raise SystemExit(f"nothing compared: no .ism one folder below {folder}")
    failed = False
    for ism in found:
        presentation = Presentation(origin, folder, ism)
        try:
            presentation.compare()
        except Unreadable as error:
            presentation.differences.append(str(error))
        except (TypeError, ValueError) as error:  # a number in the manifest that is missing or none
            presentation.differences.append(f"{presentation.url}/Manifest cannot be used: {error}")
        if not presentation.counts["bodies"]:
            presentation.differences.append(f"{presentation.url}: not one fragment was compared")
        print(presentation.summary())
        for difference in presentation.differences[:SHOWN]:
            print(f"  {difference}")
        if len(presentation.differences) > SHOWN:
            print(f"  and {len(presentation.differences) - SHOWN} more")
        failed |= bool(presentation.differences)
    if failed:
        raise SystemExit("the origin serves something else than the files hold")


if __name__ == "__main__":
    main()
