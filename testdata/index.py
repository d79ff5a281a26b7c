#!/usr/bin/env python3
"""Writes the server manifest (.ism) and client manifest (.ismc) that announce the tracks of .ismv and .isma files.

    index.py OUT.ism [options] FILE:TRACK:BITRATE[:NAME[:LANGUAGE]] ...

FILE is relative to OUT.ism, TRACK the track_ID in it, BITRATE in bits/s. Without NAME the stream is called after its
kind, `video` or `audio`. Codec data, times and offsets are read out of the media. ../ci/compare.py imports the reading
half of this file; neither shares code with the crate, so that they can judge it.
"""

import argparse
import struct
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from uuid import UUID

TIMESCALE = 10_000_000  # ticks per second, of the media and of the manifests
ROUNDING = 3  # ticks by which the times of two tracks may differ and still be the same chunk
TFXD = UUID("6d1d9b05-42d5-44e6-80e2-141daff757b2").bytes
CONTAINERS = {"moov", "trak", "mdia", "minf", "stbl", "mvex", "moof", "traf", "mfra"}


# ---- Reading: boxes, the moov and the mfra, one fragment ----


@dataclass
class Box:
    """Where a box lies: `start` of its header, `body` after it, `end`; byte offsets into the file."""

    kind: str
    start: int
    body: int
    end: int


def boxes(data, start, end):
    """The boxes that follow one another from `start` to `end`."""
    found = []
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        elif size == 0:
            size = end - start
        if size < body - start or start + size > end:
            raise ValueError(f"box {kind!r} at byte {start}: {size} bytes do not fit")
        found.append(Box(kind.decode("latin-1"), start, body, start + size))
        start += size
    return found


def walk(data, start, end, path=""):
    """All boxes below, outermost first, each with its path: `moov/trak/tkhd`."""
    for box in boxes(data, start, end):
        here = path + box.kind
        yield here, box
        if box.kind in CONTAINERS:
            yield from walk(data, box.body, box.end, here + "/")


@dataclass
class Track:
    """What `moov` and `mfra` tell about a track."""

    id: int
    kind: str  # video or audio
    timescale: int
    fourcc: str = ""  # as in a manifest: H264 or AACL
    private: bytes = b""  # CodecPrivateData
    width: int = 0
    height: int = 0
    rate: int = 0
    channels: int = 0
    defaults: tuple = (0, 0, 0)  # sample duration, size and flags out of trex
    fragments: list = field(default_factory=list)  # (time in ticks, byte offset of the moof)


@dataclass
class Sample:
    """One entry of a `trun`, with what `tfhd` and `trex` add."""

    start: int  # byte offset in the file
    size: int
    duration: int
    flags: int
    composition: int  # composition time minus decode time, in ticks

    @property
    def end(self):
        return self.start + self.size


@dataclass
class Fragment:
    """A `moof`, the `mdat` after it, and the samples it describes."""

    moof: Box
    mdat: Box
    track_id: int = 0
    samples: list = field(default_factory=list)
    key: list = field(default_factory=list)  # for each sample, whether it can be decoded on its own
    tfxd: bytes = b""

    @property
    def duration(self):
        return sum(sample.duration for sample in self.samples)


def read_media(data):
    """The tracks of a file by track_ID: the moov for codecs, the mfra for times and offsets."""
    tracks = {}
    for path, box in walk(data, 0, len(data)):
        body = box.body
        if path == "moov/trak/tkhd":
            (track_id,) = struct.unpack_from(">I", data, body + (20 if data[body] == 1 else 12))
            track = tracks[track_id] = Track(track_id, "", 0)
        elif path == "moov/trak/mdia/mdhd":
            (track.timescale,) = struct.unpack_from(">I", data, body + (20 if data[body] == 1 else 12))
        elif path == "moov/trak/mdia/hdlr":
            track.kind = {b"vide": "video", b"soun": "audio"}[data[body + 8 : body + 12]]
        elif path == "moov/trak/mdia/minf/stbl/stsd":
            entry = boxes(data, body + 8, box.end)[0]
            {"avc1": read_avc1, "mp4a": read_mp4a}[entry.kind](data, entry, track)
        elif path == "moov/mvex/trex":
            track_id, _, *defaults = struct.unpack_from(">5I", data, body + 4)
            tracks[track_id].defaults = tuple(defaults)
        elif path == "mfra/tfra":
            read_tfra(data, box, tracks)
    return tracks


def read_avc1(data, entry, track):
    """SPS and PPS as CodecPrivateData wants them: each after the start code 00 00 00 01."""
    track.fourcc = "H264"
    track.width, track.height = struct.unpack_from(">2H", data, entry.body + 24)
    avcc = next(box for box in boxes(data, entry.body + 78, entry.end) if box.kind == "avcC")
    at = avcc.body + 5
    for mask in (0x1F, 0xFF):  # the low 5 bits count the SPS, all 8 the PPS
        count, at = data[at] & mask, at + 1
        for _ in range(count):
            (length,) = struct.unpack_from(">H", data, at)
            track.private += b"\0\0\0\1" + data[at + 2 : at + 2 + length]
            at += 2 + length


def read_mp4a(data, entry, track):
    """The AudioSpecificConfig. It also gives rate and channels: the sample entry's own channel count is always 2."""
    esds = next(box for box in boxes(data, entry.body + 28, entry.end) if box.kind == "esds")
    at = esds.body + 4
    while True:
        tag, at, length = data[at], at + 1, 0
        while data[at] & 0x80:  # seven bits of the length a byte; the top bit says that more follow
            length, at = length << 7 | data[at] & 0x7F, at + 1
        length, at = length << 7 | data[at], at + 1
        if tag == 5:
            break
        at += {3: 3, 4: 13}[tag]  # the fields before the descriptors inside
    config = data[at : at + length]
    object_type, rate_index, channels = config[0] >> 3, (config[0] & 7) << 1 | config[1] >> 7, config[1] >> 3 & 15
    if object_type != 2:
        raise ValueError(f"audio object type {object_type}, only AAC-LC (2) is known")
    rates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]
    track.fourcc, track.private, track.rate, track.channels = "AACL", config, rates[rate_index], channels


def read_tfra(data, box, tracks):
    """Times and moof offsets. Entries that name the same moof are one fragment: the first counts."""
    wide = data[box.body] == 1
    track_id, lengths, count = struct.unpack_from(">3I", data, box.body + 4)
    numbers = sum((lengths >> shift & 3) + 1 for shift in (4, 2, 0))
    at, seen = box.body + 16, set()
    for _ in range(count):
        time, offset = struct.unpack_from(">2Q" if wide else ">2I", data, at)
        at += (16 if wide else 8) + numbers
        if offset not in seen:
            seen.add(offset)
            tracks[track_id].fragments.append((time, offset))


def read_fragment(data, offset, track):
    """The fragment whose `moof` starts at `offset`."""
    top = iter(boxes(data, offset, len(data)))
    moof = next(top)
    mdat = next(box for box in top if box.kind == "mdat")
    if moof.kind != "moof":
        raise ValueError(f"{moof.kind} instead of moof at byte {offset}")
    found = Fragment(moof, mdat)
    defaults, sdtp = list(track.defaults), None
    for path, box in walk(data, moof.start, moof.end):
        if path == "moof/traf/tfhd":
            flags, found.track_id = struct.unpack_from(">2I", data, box.body)
            at = box.body + 8 + 8 * bool(flags & 1) + 4 * bool(flags & 2)
            for i, bit in enumerate((0x8, 0x10, 0x20)):
                if flags & bit:
                    (defaults[i],) = struct.unpack_from(">I", data, at)
                    at += 4
        elif path == "moof/traf/trun":
            found.samples += read_trun(data, box, moof.start, defaults)
        elif path == "moof/traf/sdtp":
            sdtp = data[box.body + 4 : box.end]
        elif path == "moof/traf/uuid" and data[box.body : box.body + 16] == TFXD:
            found.tfxd = data[box.start : box.end]
    found.key = key_samples(found.samples, sdtp)
    return found


def read_trun(data, box, moof_start, defaults):
    word, count = struct.unpack_from(">2I", data, box.body)
    at = box.body + 8
    if not word & 1:
        raise ValueError("trun without data_offset")
    (data_offset,) = struct.unpack_from(">i", data, at)
    at, position, samples = at + 4, moof_start + data_offset, []
    first_flags = None
    if word & 4:
        (first_flags,) = struct.unpack_from(">I", data, at)
        at += 4
    for i in range(count):
        values = [*defaults, 0]  # duration, size, flags, composition offset
        if i == 0 and first_flags is not None:
            values[2] = first_flags
        for j, bit in enumerate((0x100, 0x200, 0x400, 0x800)):
            if word & bit:  # composition offsets are signed, whatever the version says
                (values[j],) = struct.unpack_from(">i" if bit == 0x800 else ">I", data, at)
                at += 4
        duration, size, flags, composition = values
        samples.append(Sample(position, size, duration, flags, composition))
        position += size
    return samples


def key_samples(samples, sdtp):
    """sdtp decides; else the flags, if they say anything at all; else only the first sample is a key sample."""
    if sdtp:
        return [byte >> 4 & 3 == 2 for byte in sdtp]
    depends = [sample.flags >> 24 & 3 for sample in samples]
    non_sync = [sample.flags >> 16 & 1 for sample in samples]
    if any(depends) or any(non_sync):
        return [not n and d != 1 for d, n in zip(depends, non_sync)]
    return [i == 0 for i in range(len(samples))]


# ---- Writing: the two manifests ----


@dataclass
class Entry:
    """One argument of the command line, with the track it names and that track's chunks."""

    src: str
    track: Track
    bitrate: int
    name: str  # as given, may be empty
    language: str
    chunks: list  # (start, duration), in ticks

    @property
    def stream(self):
        return self.name or self.track.kind

    def details(self):
        """The attributes of a QualityLevel that describe the codec."""
        track = self.track
        if track.kind == "video":
            size = {"MaxWidth": track.width, "MaxHeight": track.height}
        else:
            wave = {"AudioTag": 255, "BitsPerSample": 16, "PacketSize": 4}
            size = {"SamplingRate": track.rate, "Channels": track.channels, **wave}
        return {"FourCC": track.fourcc, "CodecPrivateData": track.private.hex().upper(), **size}


def read_entry(folder, argument):
    src, track_id, bitrate, name, language = (argument.split(":") + ["", ""])[:5]
    data = (folder / src).read_bytes()
    track = read_media(data)[int(track_id)]
    starts = [time for time, _ in track.fragments]
    last = read_fragment(data, track.fragments[-1][1], track)
    ends = starts[1:] + [starts[-1] + last.duration]
    entry = Entry(src, track, int(bitrate), name, language, [(t, end - t) for t, end in zip(starts, ends)])

    if track.timescale != TIMESCALE:
        raise SystemExit(f"{argument}: timescale {track.timescale}, wanted {TIMESCALE}")
    samples = [s for _, offset in track.fragments for s in read_fragment(data, offset, track).samples]
    average = sum(s.size for s in samples) * 8 * TIMESCALE / sum(s.duration for s in samples)
    if not 0.8 < average / entry.bitrate < 1.2:
        raise SystemExit(f"{argument}: the average is {average:.0f} bits/s, too far from {bitrate}")
    return entry


def client_manifest(entries, runs):
    """`runs`: equal chunks as one `c` with `r`, which needs version 2.2; else `d` on each `c`."""
    streams = {name: list(group) for name, group in groupby(entries, lambda entry: entry.stream)}
    end = max(sum(entry.chunks[-1]) for entry in entries)
    start = min(entry.chunks[0][0] for entry in entries)
    version = {"MajorVersion": 2, "MinorVersion": 2 if runs else 0}
    root = element(None, "SmoothStreamingMedia", **version, TimeScale=TIMESCALE, Duration=end - start)
    for name, levels in streams.items():
        first = levels[0]
        for other in levels:
            if len(other.chunks) != len(first.chunks) or any(
                abs(a - b) > ROUNDING for one, two in zip(first.chunks, other.chunks) for a, b in zip(one, two)
            ):
                raise SystemExit(f"{other.src}: its chunks are not those of {first.src}")
        stream = element(root, "StreamIndex", Type=first.track.kind, Name=name)
        add(stream, TimeScale=TIMESCALE, Chunks=len(first.chunks), QualityLevels=len(levels))
        if first.language:
            add(stream, Language=first.language)
        if first.track.kind == "video":
            width, height = max(e.track.width for e in levels), max(e.track.height for e in levels)
            add(stream, MaxWidth=width, MaxHeight=height, DisplayWidth=width, DisplayHeight=height)
        add(stream, Url=f"QualityLevels({{bitrate}})/Fragments({name}={{start time}})")
        for i, level in enumerate(levels):
            element(stream, "QualityLevel", Index=i, Bitrate=level.bitrate, **level.details())
        for i, (time, count, duration) in enumerate(chunk_runs(first.chunks, runs)):
            c = element(stream, "c")
            if i == 0:
                add(c, t=time)
            add(c, d=duration)
            if count > 1:
                add(c, r=count)
    return text(root)


def chunk_runs(chunks, joined):
    """(start, count, duration): neighbours of equal duration together, if `joined`."""
    key = (lambda item: item[1][1]) if joined else (lambda item: item[0])
    for _, group in groupby(enumerate(chunks), key):
        run = [chunk for _, chunk in group]
        yield run[0][0], len(run), run[0][1]


def server_manifest(entries, client, options):
    prefix = options.prefix + ":" if options.prefix else ""
    namespace = {"xmlns" + (":" + options.prefix if prefix else ""): "http://www.w3.org/2001/SMIL20/Language"}
    smil = element(None, prefix + "smil", **namespace)
    if client:
        head = element(smil, prefix + "head")
        element(head, prefix + "meta", name="clientManifestRelativePath", content=client)
    switch = element(element(smil, prefix + "body"), prefix + "switch")
    for entry in entries:
        track = element(switch, prefix + entry.track.kind, src=entry.src, systemBitrate=entry.bitrate)
        if entry.language:
            add(track, systemLanguage=entry.language)
        params = {"trackID": entry.track.id}
        if options.repeat_bitrate:
            params["systemBitrate"] = entry.bitrate
        if entry.name:
            params["trackName"] = entry.name
        if options.details:
            params |= {"timeScale": TIMESCALE, **entry.details()}
        for name, value in params.items():
            element(track, prefix + "param", name=name, value=value, **{options.value_type: "data"})
    return text(smil)


def element(parent, tag, **attributes):
    new = ET.Element(tag) if parent is None else ET.SubElement(parent, tag)
    add(new, **attributes)
    return new


def add(to, **attributes):
    for name, value in attributes.items():
        to.set(name, str(value))


def text(root):
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ism", type=Path, metavar="OUT.ism")
    parser.add_argument("tracks", nargs="+", metavar="FILE:TRACK:BITRATE[:NAME[:LANGUAGE]]")
    parser.add_argument("--chunks", choices=["full", "runs", "none"], default="full", help="layout of the .ismc")
    parser.add_argument("--value-type", choices=["valuetype", "valueType"], default="valuetype", help="spelling")
    parser.add_argument("--details", action="store_true", help="codec params in the .ism too")
    parser.add_argument("--repeat-bitrate", action="store_true", help="systemBitrate in the .ism as a param too")
    parser.add_argument("--prefix", default="", help="namespace prefix in the .ism")
    parser.add_argument("--bom", action="store_true", help="byte order mark at the start of the .ism")
    options = parser.parse_args()

    entries = [read_entry(options.ism.parent, argument) for argument in options.tracks]
    client = None
    if options.chunks != "none":
        client = options.ism.with_suffix(".ismc")
        client.write_text(client_manifest(entries, options.chunks == "runs"), encoding="utf-8")
    ism = server_manifest(entries, client and client.name, options)
    options.ism.write_text(ism, encoding="utf-8-sig" if options.bom else "utf-8")


if __name__ == "__main__":
    main()
