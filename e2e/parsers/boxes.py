"""Boxes of stored media: samples of a fragment of Smooth Streaming, and what the header of a file says of its tracks."""

from typing import NamedTuple


class Defaults(NamedTuple):
    """Duration, size and flags of samples that say nothing (`trex`)."""

    duration: int = 0
    size: int = 0
    flags: int = 0


class Header(NamedTuple):
    """A track in the `moov` of a file."""

    timescale: int
    defaults: Defaults


class Sample(NamedTuple):
    """A sample: duration and composition offset in ticks of the media, flags, and its bytes."""

    duration: int
    offset: int
    flags: int
    data: bytes


def children(data, start=0, end=None):
    """The boxes of a stretch: type, start of the content, end."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, at = int.from_bytes(data[start : start + 4], "big"), start + 8
        if size == 1:
            size, at = int.from_bytes(data[at : at + 8], "big"), at + 8
        elif size == 0:
            size = end - start
        if size < at - start or start + size > end:
            raise ValueError(f"a box at {start} ends outside")
        yield data[start + 4 : start + 8].decode("latin-1"), at, start + size
        start += size


def only(data, path, start=0, end=None):
    """The first box at a path: start of its content, and end."""
    for name in path:
        start, end = next((box[1], box[2]) for box in children(data, start, end) if box[0] == name)
    return start, end


def number(data, at, length=4):
    return int.from_bytes(data[at : at + length], "big")


def headers(file):
    """The tracks of a stored file by their numbers."""
    data = file.read_bytes()
    # A recording may be cut off behind its header.
    moov = next((at, end) for name, at, end in children(data) if name == "moov")
    timescales, defaults = {}, {}
    for name, at, end in children(data, *moov):
        if name == "trak":
            head, _ = only(data, ["tkhd"], at, end)
            media, _ = only(data, ["mdia", "mdhd"], at, end)
            track = number(data, head + (20 if data[head] == 1 else 12))
            timescales[track] = number(data, media + (20 if data[media] == 1 else 12))
        elif name == "mvex":
            for kind, inside, _ in children(data, at, end):
                if kind == "trex":
                    track, _, *rest = (number(data, inside + 4 + 4 * i) for i in range(5))
                    defaults[track] = Defaults(*rest)
    return {track: Header(scale, defaults.get(track, Defaults())) for track, scale in timescales.items()}


def samples(fragment, defaults):
    """The samples of a fragment with one `moof` and one track."""
    boxes = list(children(fragment))
    _, moof, moof_end = next(box for box in boxes if box[0] == "moof")
    mdat = next(at for name, at, _ in boxes if name == "mdat")
    traf, traf_end = only(fragment, ["traf"], moof, moof_end)
    found, place = [], None
    for name, at, _ in children(fragment, traf, traf_end):
        if name == "tfhd":
            defaults = of_fragment(fragment, at, defaults)
        elif name == "trun":
            # The content of a `moof` is 8 bytes behind its start.
            first, run = of_run(fragment, at, defaults)
            place = moof - 8 + first if first is not None else mdat if place is None else place
            for duration, size, flags, offset in run:
                found.append(Sample(duration, offset, flags, fragment[place : place + size]))
                place += size
    return found


def of_fragment(data, at, defaults):
    """Reads `tfhd`."""
    flags, at = number(data, at + 1, 3), at + 8
    at += 8 * bool(flags & 1) + 4 * bool(flags & 2)
    values = list(defaults)
    for place, flag in enumerate((8, 0x10, 0x20)):
        if flags & flag:
            values[place], at = number(data, at), at + 4
    return Defaults(*values)


def of_run(data, at, defaults):
    """Reads `trun`: where its data begin in the fragment, if it says so; (duration, size, flags, offset) of each sample."""
    flags, count, at = number(data, at + 1, 3), number(data, at + 4), at + 8
    first = first_flags = None
    if flags & 1:
        first, at = int.from_bytes(data[at : at + 4], "big", signed=True), at + 4
    if flags & 4:
        first_flags, at = number(data, at), at + 4
    run = []
    for nth in range(count):
        values = list(defaults)
        for place, flag in enumerate((0x100, 0x200, 0x400)):
            if flags & flag:
                values[place], at = number(data, at), at + 4
        if nth == 0 and first_flags is not None:
            values[2] = first_flags
        offset = 0
        if flags & 0x800:
            # Writers store negative offsets in version 0 too.
            offset, at = int.from_bytes(data[at : at + 4], "big", signed=True), at + 4
        run.append((*values, offset))
    return first, run
