"""The paths of a presentation: its manifest, and the fragments that the manifest names."""

import itertools
import pathlib
import xml.etree.ElementTree as ET

from client import get

KINDS = {
    "video": "video fragments, all qualities in turn",
    "audio": "audio fragments",
    "manifest": "the manifest, plain",
    "manifest-gzip": "the manifest, compressed",
    "mix": "8 video fragments, 4 of audio, 1 manifest",
}

# What clients of each kind accept.
CODINGS = {"manifest-gzip": "gzip"}

MIX = 8 * ["video"] + 4 * ["audio"] + ["manifest"]


class Presentation:
    """Paths of one server, by kind: all, or so many of each."""

    def __init__(self, port, manifest, most=None):
        self.manifest = [manifest]
        self.video, self.audio = [], []
        folder = pathlib.PurePosixPath(manifest).parent
        for stream in ET.fromstring(get(port, manifest)[1]).iter("StreamIndex"):
            bitrates = [quality.get("Bitrate") for quality in stream.iter("QualityLevel")]
            fragments = self.audio if stream.get("Type") == "audio" else self.video
            for start, bitrate in itertools.product(starts(stream), bitrates):
                url = stream.get("Url").replace("{bitrate}", bitrate)
                fragments.append(f"{folder}/{url.replace('{start time}', str(start))}")
        self.video, self.audio = self.video[:most], self.audio[:most]

    def all(self):
        return self.video + self.audio + self.manifest

    def of(self, kind):
        """Paths to ask for one after the other, and then from the beginning."""
        if kind == "mix":
            lists = {name: itertools.cycle(self.of(name)) for name in MIX}
            rounds = -(-len(self.video) // MIX.count("video"))
            # Spread, so that no kind comes in a row.
            order = sorted(range(len(MIX)), key=lambda i: i * 5 % len(MIX))
            return [next(lists[MIX[i]]) for _ in range(rounds) for i in order]
        return {"video": self.video, "audio": self.audio}.get(kind, self.manifest)


def starts(stream):
    """Start times of the chunks of a stream."""
    time = 0
    for chunk in stream.iter("c"):
        time = int(chunk.get("t", time))
        for _ in range(int(chunk.get("r", 1))):
            yield time
            time += int(chunk.get("d", 0))
