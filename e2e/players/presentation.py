"""A presentation as its two manifests describe it: what a player must find, and where the source of it lies."""

import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

TIMESCALE = 10_000_000
"""Ticks per second where neither the manifest nor the stream says (protocol: `TimeScale`)."""

MEDIA = ("video", "audio")
"""The kinds of stream the players here play; text is not among them."""


class Failed(Exception):
    """The presentation did not play, or the client did not start; says what to look at."""


class Stream(NamedTuple):
    """A `StreamIndex` of the client manifest. `times` are the starts of its chunks and the end of the last, in ticks."""

    kind: str
    name: str
    bitrates: list[str]
    timescale: int
    times: list[int]

    @property
    def start(self):
        """Start of the first chunk, in seconds."""
        return self.times[0] / self.timescale

    @property
    def end(self):
        """End of the last chunk, in seconds."""
        return self.times[-1] / self.timescale

    @property
    def chunks(self):
        """Starts of the chunks, in ticks: the times of the fragment requests."""
        return self.times[:-1]

    def part_before(self, seconds):
        """How much of the stream, from 0 to 1, lies before the chunk that is on at a time."""
        start = max((time for time in self.chunks if time <= seconds * self.timescale), default=self.times[0])
        return (start - self.times[0]) / (self.times[-1] - self.times[0])


class Manifest(NamedTuple):
    """The client manifest: the declared duration in seconds, and the streams of video and audio."""

    duration: float
    streams: list[Stream]

    @property
    def kinds(self):
        return {stream.kind for stream in self.streams}


class Source(NamedTuple):
    """Where a track of the server manifest (`.ism`) comes from."""

    file: Path
    track_id: int


def fetch_manifest(url, timeout=60):
    """Gets and reads the client manifest at `url`."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            return parse_manifest(response.read())
    except OSError as error:
        raise Failed(f"cannot get {url}: {error}; is the origin running there?") from error
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise Failed(f"{url} is no client manifest: {error!r}") from error


def parse_manifest(xml):
    root = ElementTree.fromstring(xml)
    timescale = int(root.get("TimeScale", TIMESCALE))
    streams = [parse_stream(index, timescale) for index in root.iter("StreamIndex") if index.get("Type") in MEDIA]
    if not streams:
        raise ValueError("no stream of video or audio")
    return Manifest(int(root.attrib["Duration"]) / timescale, streams)


def parse_stream(index, timescale):
    timescale = int(index.get("TimeScale", timescale))
    bitrates = [level.attrib["Bitrate"] for level in index.iter("QualityLevel")]
    kind = index.attrib["Type"]
    return Stream(kind, index.get("Name", kind), bitrates, timescale, chunk_times(index.findall("c")))


def chunk_times(chunks):
    """The start of each chunk and the end of the last, in ticks. A `c` without `d` ends where the next one starts."""
    starts, now = [], 0
    for chunk in chunks:
        now = int(chunk.get("t", now))
        for _ in range(int(chunk.get("r", 1))):
            starts.append(now)
            now += int(chunk.get("d", 0))
    return [*starts, now]


def read_sources(ism):
    """The sources of a server manifest's video and audio, by (stream name, bitrate)."""
    try:
        root = ElementTree.parse(ism).getroot()
    except OSError as error:
        raise Failed(f"cannot read the server manifest: {error}") from error
    sources = {}
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        if kind not in MEDIA:
            continue
        params = {param.get("name"): param.get("value") for param in element}
        key = params.get("trackName", kind), element.attrib["systemBitrate"]
        sources[key] = Source(ism.parent / element.attrib["src"], int(params["trackID"]))
    return sources
