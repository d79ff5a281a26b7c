"""Fragmented MP4 as encoders push it and players get it: tracks, fragments, samples. Shares no code with the crate."""

import struct
from dataclasses import dataclass, field
from uuid import UUID

TFXD = UUID("6d1d9b05-42d5-44e6-80e2-141daff757b2").bytes
TFRF = UUID("d4807ef2-ca39-4695-8e54-26cb9e46a79f").bytes
SERVER_MANIFEST = UUID("a5d40b30-e814-11dd-ba2f-0800200c9a66").bytes
CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf", b"mfra")


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def boxes(data, start=0, end=None):
    """Kind, beginning, beginning of the body, and end of each box."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        size = size or end - start
        yield kind, start, body, start + size
        start += size


def walk(data, start=0, end=None):
    """All boxes, outermost first."""
    for found in boxes(data, start, end):
        yield found
        if found[0] in CONTAINERS:
            yield from walk(data, found[2], found[3])


@dataclass
class Track:
    number: int
    kind: bytes = b""
    timescale: int = 0
    defaults: tuple = (0, 0, 0)
    """Duration, size and flags of a sample, as `trex` has them."""


@dataclass
class Sample:
    data: bytes
    duration: int
    composition: int
    flags: int


@dataclass
class Fragment:
    track: int
    samples: list = field(default_factory=list)
    time: int = None
    """As `tfxd` says it (signed), or `tfdt`."""
    says: int = None
    """The duration that `tfxd` says."""
    following: list = field(default_factory=list)
    """Times and durations in `tfrf`."""
    flags_are_said: bool = True
    """That the flags are in the fragment, and not in `trex`."""

    @property
    def duration(self):
        return sum(sample.duration for sample in self.samples)

    @property
    def bytes(self):
        return b"".join(sample.data for sample in self.samples)


def tracks_of(data):
    """Tracks by number, from a `moov`."""
    tracks, track = {}, None
    for kind, _, body, _ in walk(data):
        wide = data[body : body + 1] == b"\1"
        if kind == b"tkhd":
            (number,) = struct.unpack_from(">I", data, body + (20 if wide else 12))
            track = tracks[number] = Track(number)
        elif kind == b"mdhd":
            (track.timescale,) = struct.unpack_from(">I", data, body + (20 if wide else 12))
        elif kind == b"hdlr" and track and not track.kind:
            track.kind = data[body + 8 : body + 12]
        elif kind == b"trex":
            number, _, *defaults = struct.unpack_from(">5I", data, body + 4)
            tracks[number].defaults = tuple(defaults)
        elif kind == b"moof":
            break
    return tracks


def fragments_of(data, tracks=None):
    """Each `moof` with its whole `mdat` as bytes, and what they say."""
    moof = None
    for kind, start, _, end in boxes(data):
        if kind == b"moof":
            moof = start, end
        elif kind == b"mdat" and moof and end <= len(data):
            yield data[moof[0] : moof[1]] + data[start:end], fragment(data, *moof, tracks or {})
            moof = None


def fragment(data, start, end, tracks):
    """What a `moof` with one track says, with its samples."""
    found, base, at = None, start, None
    for kind, _, body, close in walk(data, start, end):
        if kind == b"tfhd":
            flags, number = struct.unpack_from(">2I", data, body)
            found = Fragment(number)
            place = body + 8
            if flags & 1:
                (base,) = struct.unpack_from(">Q", data, place)
                place += 8
            place += 4 * bool(flags & 2)
            defaults = list(tracks[number].defaults) if number in tracks else [0, 0, 0]
            for i, bit in enumerate((8, 16, 32)):
                if flags & bit:
                    (defaults[i],) = struct.unpack_from(">I", data, place)
                    place += 4
            found.flags_are_said = bool(flags & 32)
        elif kind == b"tfdt":
            (found.time,) = struct.unpack_from(">Q" if data[body] == 1 else ">I", data, body + 4)
        elif kind == b"trun":
            at = run(data, body, base, at, defaults, found)
        elif kind == b"uuid" and data[body : body + 16] == TFXD:
            found.time, found.says = struct.unpack_from(">qQ" if data[body + 16] == 1 else ">2I", data, body + 20)
        elif kind == b"uuid" and data[body : body + 16] == TFRF:
            form, size = (">2Q", 16) if data[body + 16] == 1 else (">2I", 8)
            found.following = [struct.unpack_from(form, data, body + 21 + size * i) for i in range(data[body + 20])]
    return found


def run(data, body, base, at, defaults, found):
    """Adds the samples of a `trun`; says where the next one's begin."""
    flags, count = struct.unpack_from(">2I", data, body)
    place, first = body + 8, None
    if flags & 1:
        at = base + struct.unpack_from(">i", data, place)[0]
        place += 4
    if flags & 4:
        (first,) = struct.unpack_from(">I", data, place)
        place += 4
    found.flags_are_said = found.flags_are_said or bool(flags & 0x400)
    for number in range(count):
        values = [*defaults, 0]
        if number == 0 and first is not None:
            values[2] = first
        for i, bit in enumerate((0x100, 0x200, 0x400, 0x800)):
            if flags & bit:
                (values[i],) = struct.unpack_from(">i" if bit == 0x800 else ">I", data, place)
                place += 4
        duration, size, sample_flags, composition = values
        found.samples.append(Sample(data[at : at + size], duration, composition, sample_flags))
        at += size
    return at


def written(track, samples, time, number=1, tfxd=True):
    """A fragment with these samples, as ffmpeg writes sound."""
    entries = b"".join(struct.pack(">3Ii", sample.duration, len(sample.data), sample.flags, sample.composition) for sample in samples)
    duration = sum(sample.duration for sample in samples)
    times = box(b"uuid", TFXD, b"\1\0\0\0", struct.pack(">qQ", time, duration)) if tfxd else b""

    def moof(offset):
        trun = box(b"trun", struct.pack(">2Ii", 0x01000F01, len(samples), offset), entries)
        traf = box(b"traf", box(b"tfhd", struct.pack(">2I", 0x020000, track)), trun, times)
        return box(b"moof", box(b"mfhd", struct.pack(">2I", 0, number)), traf)

    return moof(len(moof(0)) + 8) + box(b"mdat", b"".join(sample.data for sample in samples))


def server_manifest(entries):
    """The box of a live server manifest: (kind, number, name, bitrate, language) for each track."""
    lines = []
    for kind, number, name, bitrate, language in entries:
        element = {b"vide": "video", b"soun": "audio"}.get(kind, "textstream")
        params = {"systemBitrate": bitrate, "trackID": number, "systemLanguage": language, "trackName": name}
        inner = "".join(f'<param name="{key}" value="{value}" valuetype="data"/>' for key, value in params.items() if value)
        lines.append(f'<{element} systemBitrate="{bitrate}">{inner}</{element}>')
    text = (
        '<?xml version="1.0" encoding="utf-8"?><smil xmlns="http://www.w3.org/2001/SMIL20/Language">'
        f'<head><meta name="creator" content="replay"/></head><body><switch>{"".join(lines)}</switch></body></smil>'
    )
    return box(b"uuid", SERVER_MANIFEST, b"\0\0\0\0", text.encode())
