#!/usr/bin/env python3
"""Writes the named seeds of the fuzz corpus: tiny valid files, manifests in every dialect, heads
of the presentations in testdata/, and hostile inputs that are named after what they are.

    fuzz/seeds.py [FOLDER]      default: the corpus folder beside this script

The boxes are put together here, by hand, and not by the crate: a seed does not depend on what it
tests. The same script writes the same bytes each time.
"""

import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTDATA = HERE.parent / "testdata"

# --- numbers and boxes ---------------------------------------------------------------------------


def u8(*n):
    return bytes(n)


def u16(*n):
    return struct.pack(f">{len(n)}H", *n)


def u32(*n):
    return struct.pack(f">{len(n)}I", *(i & 0xFFFFFFFF for i in n))


def u64(*n):
    return struct.pack(f">{len(n)}Q", *(i & (2**64 - 1) for i in n))


def box(kind, *parts):
    body = b"".join(parts)
    return u32(8 + len(body)) + kind.encode() + body


def full(kind, version, flags, *parts):
    return box(kind, u32(version << 24 | flags), *parts)


def ext(guid, version, flags, *parts):
    return box("uuid", bytes.fromhex(guid.replace("-", "")), u32(version << 24 | flags), *parts)


def large(kind, *parts):
    body = b"".join(parts)
    return u32(1) + kind.encode() + u64(16 + len(body)) + body


def to_end(kind, *parts):
    return u32(0) + kind.encode() + b"".join(parts)


TFXD = "6d1d9b05-42d5-44e6-80e2-141daff757b2"
TFRF = "d4807ef2-ca39-4695-8e54-26cb9e46a79f"
LIVE_SERVER_MANIFEST = "a5d40b30-e814-11dd-ba2f-0800200c9a66"
STREAM_MANIFEST = "3c2fe51b-efee-40a3-ae81-5300199dc348"
PIFF_TENC = "8974dbce-7be7-4c51-84f9-7148f9882554"
PIFF_PSSH = "d08a4f18-10f3-4a82-b6c8-32d8aba183d3"
PIFF_SENC = "a2394f52-5a9b-4f14-a244-6c427c648df4"

# --- a moov --------------------------------------------------------------------------------------

SPS = bytes.fromhex("6764000BACB2051BF26022000003000200000300641E285490")
PPS = bytes.fromhex("68EBCCB22C")
H265 = [
    bytes.fromhex("40010C01FFFF01600000030090000003000003003C959809"),
    bytes.fromhex(
        "42010101600000030090000003000003003CA00A080B9F796566924CAF016808000003000800000300C84000"
    ),
    bytes.fromhex("4401C172B46240"),
]


def visual(fmt, *boxes, width=160, height=90):
    rest = u32(0x480000, 0x480000, 0) + u16(1) + bytes(32) + u16(24, 0xFFFF)
    return box(fmt, bytes(6), u16(1), bytes(16), u16(width, height), rest, *boxes)


def avc1(fmt="avc1"):
    config = u8(1, 0x64, 0, 11, 0xFF, 0xE1) + u16(len(SPS)) + SPS + u8(1) + u16(len(PPS)) + PPS
    return visual(fmt, box("avcC", config, u8(0xFD, 0xF8, 0xF8, 0)))


def hvc1():
    general = bytes.fromhex("0101600000009000000000003CF000FCFDF8F800000F")
    arrays = b"".join(
        u8(0x80 | kind) + u16(1, len(unit)) + unit for kind, unit in zip((32, 33, 34), H265)
    )
    return visual("hvc1", box("hvcC", general, u8(3), arrays))


def mp4a(specific=b"\x11\x88", rate=48000, channels=1, object_type=0x40):
    config = u8(object_type, 0x15, 0, 0, 0) + u32(48000, 48000)
    config += u8(5, len(specific)) + specific if specific else b""
    es = u8(0, 1, 0, 4, len(config)) + config + u8(6, 1, 2)
    esds = full("esds", 0, 0, u8(3, len(es)), es)
    fields = bytes(8) + u16(channels, 16) + u32(0, (rate & 0xFFFF) << 16)
    return box("mp4a", bytes(6), u16(1), fields, esds)


def sound(fmt, *boxes, rate=48000, channels=2):
    fields = bytes(8) + u16(channels, 16) + u32(0, (rate & 0xFFFF) << 16)
    return box(fmt, bytes(6), u16(1), fields, *boxes)


def wave(tag, extra=b"", channels=2, rate=44100, bytes_per_second=16000, align=2973, bits=16):
    fields = struct.pack("<HHIIHHH", tag, channels, rate, bytes_per_second, align, bits, len(extra))
    return fields + extra


# Sequence header and entry point of the advanced profile.
VC1 = bytes.fromhex("0000010FCBF21E2D8A5A0000010E4A0FE1E0")
KEY_ID = bytes(range(16))
EC3 = u16(0x0C00) + u8(0x20, 0x0F, 0x00)


def protected(entry, scheme=b"cenc"):
    """An entry as it is when its samples are encrypted."""
    kind = b"encv" if entry[4:8] in (b"avc1", b"hvc1", b"vc-1") else b"enca"
    tenc = full("tenc", 0, 0, u8(0, 0, 1, 8), KEY_ID)
    if scheme == b"piff":
        tenc = ext(PIFF_TENC, 0, 0, u32(0x108), KEY_ID)
    sinf = box(
        "sinf",
        box("frma", entry[4:8]),
        full("schm", 0, 0, scheme, u32(0x10000)),
        box("schi", tenc),
    )
    return u32(len(entry) + len(sinf)) + kind + entry[8:] + sinf


def other_entries():
    """An entry of each codec beside the usual ones."""
    constant = full("tenc", 1, 0, u8(0, 0x19, 1, 0), KEY_ID, u8(8), bytes(8))
    return [
        visual("vc-1", box("dvc1", u8(0xCC, 0xCA, 0, 0, 0, 0, 0x25), VC1)),
        visual("ovc1", VC1),
        visual("dvh1", hvc1()[86:], box("dvcC", u8(1, 0), u16(0x0A34), bytes(20))),
        visual("dvav", avc1()[86:], box("dvvC", u8(1, 0), u16(0x1234), bytes(20))),
        sound("wma ", box("wfex", wave(0x162, bytes(18)))),
        sound("owma", wave(0x161, bytes(10))),
        sound("ac-3", box("dac3", u8(0x10, 0x3D, 0xE0))),
        sound("ec-3", box("dec3", EC3)),
        sound("ec-3", box("dec3", u16(0x1400), u8(0x20, 0x0F, 0x02, 0x40))),
        sound("Opus", box("dOps", u8(0, 2), u16(312), u32(48000), u16(0), u8(0))),
        sound("Opus", box("dOps", u8(0, 6), u16(312), u32(48000), u16(0), u8(1, 4, 2), bytes(6))),
        sound(".mp3"),
        mp4a(b"", object_type=0x6B),
        mp4a(bytes.fromhex("EB098800")),
        mp4a(bytes.fromhex("2B118800")),
        mp4a(bytes.fromhex("131056E598")),
        box("wvtt", bytes(6), u16(1), box("vttC", b"WEBVTT")),
        box("dfxp", bytes(6), u16(1)),
        protected(avc1()),
        protected(avc1(), b"piff"),
        protected(mp4a()),
        protected(mp4a(), b"piff"),
        protected(sound("wma ", box("wfex", wave(0x162, bytes(18)))), b"piff"),
        visual("encv", box("sinf", box("frma", b"avc1"), box("schi", constant))),
        visual("encv", box("sinf", box("schi"))),
    ]


def stpp():
    return box("stpp", bytes(6), u16(1), b"http://www.w3.org/ns/ttml\0\0\0")


def trak(track_id, handler, timescale, entry, language="und", version=0):
    wide = u64 if version else u32
    packed = sum((ord(c) - 0x60) << s for c, s in zip(language, (10, 5, 0)))
    tkhd = full("tkhd", version, 7, wide(0, 0), u32(track_id, 0), wide(0), bytes(52), u32(0, 0))
    mdhd = full("mdhd", version, 0, wide(0, 0), u32(timescale), wide(0), u16(packed, 0))
    hdlr = full("hdlr", 0, 0, u32(0), handler.encode(), bytes(13))
    stbl = box("stbl", full("stsd", 0, 0, u32(1), entry), full("stsz", 0, 0, u32(0, 0)))
    return box("trak", tkhd, box("mdia", mdhd, hdlr, box("minf", stbl)))


def trex(track_id, duration=0, size=0, flags=0):
    return full("trex", 0, 0, u32(track_id, 1, duration, size, flags))


def moov(*traks, trexs=None, fragmented=True):
    mvhd = full("mvhd", 0, 0, u32(0, 0, 1000, 0), bytes(80))
    trexs = [trex(n + 1) for n in range(len(traks))] if trexs is None else trexs
    mvex = [box("mvex", full("mehd", 0, 0, u32(0)), *trexs)] if fragmented else []
    return box("moov", mvhd, *traks, *mvex)


FTYP = box("ftyp", b"isml", u32(1), b"piffiso2")
VIDEO = trak(1, "vide", 10_000_000, avc1())
AUDIO = trak(2, "soun", 10_000_000, mp4a(), "eng")

# --- fragments -----------------------------------------------------------------------------------

KEY, OTHER = 0x02000000, 0x01010000


class Samples:
    """A run: (duration, size, flags, composition offset) a sample; None where there is none."""

    def __init__(self, *samples, version=0, first_flags=None, offset=True):
        self.samples, self.version = samples, version
        self.first_flags, self.offset = first_flags, offset

    def bytes(self):
        return sum(size or 0 for _, size, _, _ in self.samples)

    def trun(self, data_offset):
        there = [n for n in range(4) if self.samples and self.samples[0][n] is not None]
        flags = sum(0x100 << n for n in there)
        head = b""
        if self.offset:
            flags, head = flags | 1, u32(data_offset)
        if self.first_flags is not None:
            flags, head = flags | 4, head + u32(self.first_flags)
        entries = b"".join(u32(*(s[n] for n in there)) for s in self.samples)
        return full("trun", self.version, flags, u32(len(self.samples)), head, entries)


def gop(keys="k...", size=6, ticks=5_000_000, **options):
    flags = {"k": KEY, ".": OTHER}
    return Samples(*((ticks, size, flags[c], 0) for c in keys), **options)


def fragment(
    track_id, runs, extra=(), tfhd=(0x20000, b""), payload=None, between=b"", mdat=None, front=()
):
    """`extra`: boxes of the traf, or functions of the traf's place that give one."""
    total = sum(run.bytes() for run in runs)
    payload = bytes(i * 7 & 0xFF for i in range(total)) if payload is None else payload
    mdat = box("mdat", payload) if mdat is None else mdat
    header = 16 if mdat[:4] == u32(1) else 8

    def moof(data):
        truns = []
        for run in runs:
            truns.append(run.trun(data))
            data += run.bytes()
        head = full("tfhd", 0, tfhd[0], u32(track_id), tfhd[1])
        return box("moof", full("mfhd", 0, 0, u32(1)), box("traf", head, *front, *truns, *extra))

    return moof(len(moof(0)) + len(between) + header) + between + mdat


def tfxd(time, duration=20_000_000, version=1):
    wide = u64 if version else u32
    return ext(TFXD, version, 0, wide(time), wide(duration))


def tfdt(time, version=1):
    return full("tfdt", version, 0, (u64 if version else u32)(time))


def tfra(track_id, entries, version=1, widths=0, number=b"\1\1\1"):
    wide = u64 if version else u32
    rows = b"".join(wide(time, offset) + number for time, offset in entries)
    return full("tfra", version, 0, u32(track_id, widths, len(entries)), rows)


def mfra(*boxes):
    size = 8 + sum(map(len, boxes)) + 16
    return box("mfra", *boxes, full("mfro", 0, 0, u32(size)))


def sidx(track_id, references, first_offset=0, timescale=10_000_000, earliest=0, version=0):
    """`references`: (size, duration), of an index if the size is below 0."""
    wide = u64 if version else u32
    word = lambda size: 2**31 - size if size < 0 else size
    rows = b"".join(u32(word(size), ticks, 0x90000000) for size, ticks in references)
    body = wide(earliest) + wide(first_offset) + u16(0, len(references)) + rows
    return full("sidx", version, 0, u32(track_id, timescale), body)


def by_sidx(make, head=None, count=3, ticks=20_000_000):
    """A file without an mfra. `make`: the fragments, to all that follows the header."""
    head = FTYP + moov(VIDEO, trexs=[trex(1, 5_000_000, 6, OTHER)]) if head is None else head
    made = [one for _, _, one in fragments(1, count, ticks, extra=lambda time: [tfdt(time)])]
    return head + make(made)


def movie(head, fragments, index=None, tail=b""):
    """`fragments`: (track, time, bytes). `index` makes the mfra of the places, if it is other."""
    places, data = {}, head
    for track_id, time, bytes_ in fragments:
        if track_id:
            places.setdefault(track_id, []).append((time, len(data)))
        data += bytes_
    make = index or (lambda places: mfra(*(tfra(t, places[t]) for t in sorted(places))))
    return data + make(places) + tail


def fragments(track_id, count=3, ticks=20_000_000, first=0, runs=None, extra=lambda time: ()):
    out = []
    for number in range(count):
        time = first + number * ticks
        made = [gop()] if runs is None else runs(number)
        out.append((track_id, time, fragment(track_id, made, extra(time))))
    return out


def interleaved(*tracks):
    return [one for row in zip(*tracks) for one in row]


# --- the container of the opening target ---------------------------------------------------------


def part(letter, data):
    return letter.encode() + struct.pack(">I", len(data))[1:] + data


def media(number, data):
    """A media file, with zeros as holes."""
    out, left = b"", data
    while left:
        at = left.find(bytes(24))
        at = len(left) if at < 0 else at
        out += part("123"[number - 1], left[:at]) if at else b""
        left = left[at:]
        zeros = len(left) - len(left.lstrip(b"\0"))
        out += "xyz"[number - 1].encode() + struct.pack(">I", zeros)[1:] if zeros else b""
        left = left[zeros:]
    return out or part("123"[number - 1], b"")


def files(server, *movies, client=None, fails=b""):
    out = part("s", server)
    out += part("c", client) if client is not None else b""
    out += part("e", fails) if fails else b""
    return out + b"".join(media(n + 1, m) for n, m in enumerate(movies) if m is not None)


def fragment_folder(manifest, files, fails=b""):
    """`film.ism` as a folder: its manifest, and files by their paths."""
    out = part("m", manifest) + (part("e", fails) if fails else b"")
    return out + b"".join(part("f", path.encode() + b"\0" + data) for path, data in files.items())


def smil(*tracks, client="film.ismc"):
    """(element, file, bitrate, track id, name)"""
    meta = f'<meta name="clientManifestRelativePath" content="{client}"/>' if client else ""
    rows = ""
    for element, src, bitrate, track_id, name in tracks:
        rate = f' systemBitrate="{bitrate}"' if bitrate is not None else ""
        params = f'<param name="trackID" value="{track_id}" valuetype="data"/>' if track_id else ""
        params += f'<param name="trackName" value="{name}" valuetype="data"/>' if name else ""
        rows += f'<{element} src="{src}"{rate}>{params}</{element}>'
    return (
        '<smil xmlns="http://www.w3.org/2001/SMIL20/Language">'
        f"<head>{meta}</head><body><switch>{rows}</switch></body></smil>"
    ).encode()


def ismc(*streams, attributes=""):
    """(kind, name, qualities, chunks)"""
    rows = ""
    for kind, name, qualities, chunks in streams:
        named = f' Name="{name}"' if name else ""
        levels = "".join(
            f'<QualityLevel Index="{i}" Bitrate="{q}" FourCC="H264" CodecPrivateData="00"/>'
            for i, q in enumerate(qualities)
        )
        rows += (
            f'<StreamIndex Type="{kind}"{named} QualityLevels="{len(qualities)}" Chunks="3"'
            f' Url="QualityLevels({{bitrate}})/Fragments({name or kind}={{start time}})">'
            f"{levels}{chunks}</StreamIndex>"
        )
    return (
        f'<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" Duration="60000000"{attributes}>'
        f"{rows}</SmoothStreamingMedia>"
    ).encode()


FULL = '<c t="0" d="20000000"/><c d="20000000"/><c d="20000000"/>'
RUN = '<c t="0" d="20000000" r="3"/>'
V = ("video", "1.ismv", 60000, 1, None)
A = ("audio", "1.ismv", 48000, 2, "audio_eng")
CLIENT = ismc(("video", None, [60000], FULL), ("audio", "audio_eng", [48000], RUN))
ONE_VIDEO = ismc(("video", None, [60000], FULL))


def tiny(video=None, audio=None, head=None, **options):
    head = FTYP + moov(VIDEO, AUDIO) if head is None else head
    video = fragments(1, extra=lambda t: (tfxd(t),)) if video is None else video
    audio = fragments(2, runs=lambda _: [gop("kkkk")]) if audio is None else audio
    return movie(head, interleaved(video, audio), **options)


def one_video(runs=None, extra=lambda time: (), head=None, made=None, **options):
    head = FTYP + moov(VIDEO, trexs=[trex(1, 5_000_000, 6, OTHER)]) if head is None else head
    made = fragments(1, runs=runs, extra=extra) if made is None else made
    return files(smil(V), movie(head, made, **options), client=ONE_VIDEO)


def announced_by_other_formats():
    """What manifests of DASH and HLS announce of tracks: the range of pictures, the channels of sound."""
    out = {}
    for name, colour, entry in [
        ("of-perceptual-quantizer-beside-e-ac-3", b"nclx" + u16(9, 16, 9) + u8(0x80), sound("ec-3", box("dec3", EC3))),
        ("of-hybrid-log-gamma-beside-ac-3", b"nclx" + u16(9, 18, 9) + u8(0), sound("ac-3", box("dac3", u8(0x10, 0x3D, 0xE0)))),
        ("of-standard-range-beside-six-channels", b"nclc" + u16(1, 1, 1), mp4a(specific=b"", channels=6)),
    ]:
        pictures = visual("avc1", avc1()[86:], box("colr", colour))
        head = FTYP + moov(trak(1, "vide", 10_000_000, pictures), trak(2, "soun", 10_000_000, entry))
        out[name] = files(smil(V, A), tiny(head=head))
    return out


def progressive():
    """Films whose samples are in their headers: behind the samples, or before them."""
    out = {}
    both, tables = smil(V, A, client=None), sample_tables()
    chosen = ("video-and-sound", "no-edits", "times-of-64-bits", "a-late-start", "an-edit-inside-of-a-group",
              "chunks-of-seconds", "all-are-key-frames", "no-key-frame", "no-key-frame-at-the-start", "dependencies",
              "one-size", "16-million-samples-of-one-size", "offsets-of-64-bits",
              "offsets-beyond-the-file", "offsets-that-step-back", "samples-on-samples", "more-durations",
              "the-longest-durations", "durations-of-years", "the-largest-offsets-of-composition", "a-timescale-of-0",
              "the-largest-timescale", "no-samples", "no-tables", "samples-in-this-file", "samples-in-another-file",
              "a-dref-without-sizes")
    ftyp = box("ftyp", b"isom", u32(512), b"isommp41")
    for name in chosen:
        length, header = struct.unpack(">I", tables[name][:4])[0], tables[name][4:]
        media = u32(1) + b"mdat" + u64(length - 24) + bytes(n % 251 + 1 for n in range(length - 40))
        out[f"progressive-{name}"] = files(both, ftyp + media + header)
        if name in ("video-and-sound", "no-edits"):
            out[f"progressive-{name}-header-first"] = files(both, ftyp + header + media)
            out[f"progressive-{name}-cut-off"] = files(both, ftyp + media + header[:-9])
            out[f"progressive-{name}-as-announced"] = files(smil(V, A), ftyp + media + header, client=CLIENT)
    # Samples in the header, and fragments behind it: in front of them, among them, and without times.
    for name, first, extra in [
        ("before-the-fragments", 51200, lambda time: [tfdt(time)]),
        ("among-the-fragments", 0, lambda time: [tfdt(time)]),
        ("and-fragments-without-times", 51200, lambda time: []),
    ]:
        length, header = struct.unpack(">I", tables["no-edits"][:4])[0], tables["no-edits"][4:]
        media = u32(1) + b"mdat" + u64(length - 24) + bytes(n % 251 + 1 for n in range(length - 40))
        head = ftyp + media + box("moov", header[8:], box("mvex", trex(1), trex(2)))
        runs = lambda number: [gop(ticks=6400)]
        made = [*fragments(1, 2, 25600, first, runs, extra), *fragments(2, 2, 25600, 4 * first, runs, extra)]
        for indexed, index in [("", None), ("-without-an-index", lambda places: b"")]:
            out[f"header-samples-{name}{indexed}"] = files(both, movie(head, made, index))
    # Two qualities of which one has other key frames.
    one, other = (u32(1) + b"mdat" + u64(576) + bytes(560) + tables[n][4:] for n in ("chunks-of-seconds", "all-are-key-frames"))
    two = smil(V, ("video", "2.ismv", 120_000, 1, None), A, client=None)
    out["progressive-with-other-key-frames"] = files(two, ftyp + one, ftyp + other)
    out["progressive-beside-fragments"] = files(two, ftyp + one, tiny())
    return out


def openings():
    out = progressive()
    both = smil(V, A)
    out["tiny"] = files(both, tiny(), client=CLIENT)
    out["tiny-without-client-manifest"] = files(both, tiny())
    out["tiny-that-names-no-client-manifest"] = files(smil(V, A, client=None), tiny())
    out["tiny-with-client-manifest-in-utf-16"] = files(
        both, tiny(), client=CLIENT.decode().encode("utf-16")
    )
    mislabelled = b'<?xml version="1.0" encoding="utf-16"?>' + CLIENT
    out["tiny-that-says-utf-16-and-is-utf-8"] = files(both, tiny(), client=mislabelled)
    out["tiny-with-client-manifest-of-nonsense"] = files(both, tiny(), client=b"<a/>")
    out.update(announced_by_other_formats())
    for number in range(4):
        for kind, word in enumerate(("is-gone", "has-changed", "is-denied", "fails")):
            out[f"tiny-where-read-{number}-{word}"] = files(
                both, tiny(), client=CLIENT, fails=u8(kind << 6 | number)
            )
    # Bitrates that each manifest has in its own way: paired by the nearest, by size, by order.
    ladder = [("video", "1.ismv", bitrate, 1, None) for bitrate in (300_000, 61_000, 1_500_000, 9_000_000)]
    sizes = smil(*ladder).replace(b'systemBitrate="9000000">', b'systemBitrate="9000000" MaxWidth="160" MaxHeight="90">')
    announced = ismc(("video", None, [1_490_000, 60_000, 290_000, 70_000_000], FULL))
    announced = announced.replace(b'Bitrate="70000000"', b'Bitrate="70000000" MaxWidth="160" MaxHeight="90"')
    out["bitrates-that-differ-between-the-manifests"] = files(sizes, tiny(), client=announced)
    twins = ismc(("video", None, [5, 6, 7, 8, 9], FULL), ("video", "v2", [5, 60_000], FULL))
    out["bitrates-of-which-none-is-near"] = files(smil(*ladder, A), tiny(), client=twins)
    # Elements that give one number to several tracks of a file.
    two = [("video", "1.ismv", bitrate, 1, None) for bitrate in (120_000, 60_000)]
    more = fragments(2, runs=lambda _: [gop("k...........")])
    pictures = lambda entry: movie(
        FTYP + moov(VIDEO, trak(2, "vide", 10_000_000, entry)), interleaved(fragments(1), more)
    )
    announced = ismc(("video", None, [60_000, 120_000], FULL))
    out["two-elements-of-one-number-by-rank"] = files(smil(*two), pictures(avc1()), client=announced)
    private_data = b"\0\0\0\1" + SPS + b"\0\0\0\1" + PPS
    known = announced.replace(b'CodecPrivateData="00"', b'CodecPrivateData="%s"' % private_data.hex().encode(), 1)
    out["two-elements-of-one-number-by-configuration"] = files(smil(*two), pictures(hvc1()), client=known)
    out["two-elements-of-one-number-without-a-manifest"] = files(smil(*two, client=None), pictures(hvc1()))
    tongues = [("audio", "1.ismv", 48_000, 1, name) for name in ("a", "b", "c")]
    said = smil(*tongues, client=None).decode()
    for language in ("fra", "eng", "deu"):
        said = said.replace('<audio src="1.ismv" systemBitrate', f'<audio src="1.ismv" systemLanguage="{language}" systemBitrate', 1)
        said = said.replace('<audio src="1.ismv" systemLanguage', '<audio  src="1.ismv" systemLanguage', 1)
    sounds = [trak(n + 1, "soun", 10_000_000, mp4a(), name) for n, name in enumerate(("eng", "fra", "und"))]
    voices = movie(FTYP + moov(*sounds), interleaved(*(fragments(n + 1) for n in range(3))))
    out["three-elements-of-one-number-by-language"] = files(said.encode(), voices)
    secret = moov(
        ext(PIFF_PSSH, 0, 0, KEY_ID, u32(3), b"pro"),
        full("pssh", 0, 0, KEY_ID, u32(3), b"pr1"),
        trak(1, "vide", 10_000_000, protected(avc1())),
        trak(2, "soun", 10_000_000, protected(mp4a(), b"piff"), "eng"),
        trexs=[trex(1), trex(2)],
    )
    out["encrypted-without-client-manifest"] = files(both, tiny(head=FTYP + secret))
    traks = [trak(n + 1, "soun", 10_000_000, entry) for n, entry in enumerate(other_entries())]
    codecs = [("audio", "1.ismv", n + 1, n + 1, f"a{n}") for n in range(len(traks))]
    sounds = [one for n in range(len(traks)) for one in fragments(n + 1, 1)]
    out["all-other-codecs"] = files(smil(*codecs), movie(FTYP + moov(*traks), sounds))
    long = tiny(head=FTYP + box("moov", moov(VIDEO, AUDIO)[8:], box("udta", bytes(12_000))))
    for number in (3, 4):
        out[f"long-where-read-{number}-fails"] = files(
            both, long + box("free", bytes(20_000)), client=CLIENT, fails=u8(0xC0 | number)
        )

    # Three files, of which the third is not there: its track is cut out of the manifest.
    video = lambda: movie(FTYP + moov(VIDEO), fragments(1))
    sound = movie(
        FTYP + moov(trak(1, "soun", 48000, mp4a())),
        fragments(1, 3, 96000, runs=lambda _: [gop("kkk", ticks=32000)]),
    )
    ladder = ismc(("video", None, [9, 60000], FULL), ("audio", None, [48000], RUN))
    tracks = [("video", "1.ismv", 60000, 1, None), ("audio", "2.ismv", 48000, 1, None)]
    lost = ("video", "3.ismv", 9, 1, None)
    out["three-files-of-which-one-is-missing"] = files(
        smil(*tracks, lost), video(), sound, client=ladder
    )
    out["three-files"] = files(smil(*tracks, lost), video(), sound, video(), client=ladder)
    out["three-files-of-which-two-are-one"] = files(
        smil(V, ("video", "./1.ismv", 7, 1, "other")), video()
    )

    # What heads of fragments look like.
    out["key-frames-inside-of-fragments"] = one_video(lambda _: [gop("..k.k.")])
    out["key-frames-of-two-runs"] = one_video(lambda _: [gop("k.."), gop("..k", offset=False)])
    out["key-frames-by-sdtp"] = one_video(
        lambda _: [Samples(*((5_000_000, 6, None, 40),) * 4)],
        lambda _: (full("sdtp", 0, 0, u8(0x24, 0x14, 0x24, 0x14)),),
    )
    out["key-frames-by-sdtp-that-is-longer-than-the-run"] = one_video(
        lambda _: [Samples(*((5_000_000, 6, None, 0),) * 4)],
        lambda _: (full("sdtp", 0, 0, u8(0x14, 0x14, 0x14, 0x14, 0x24)),),
    )
    out["key-frames-by-first-sample-flags"] = one_video(
        lambda _: [Samples(*((5_000_000, 6, None, None),) * 4, first_flags=KEY)]
    )
    out["samples-by-defaults-alone"] = one_video(
        made=[
            (1, 0, fragment(1, [Samples(*((None,) * 4,) * 4, first_flags=KEY)], payload=bytes(24)))
        ]
    )
    iv = b"".join(u64(n) + u16(1, 2) + u32(4) for n in range(4))
    out["encrypted-by-senc"] = one_video(
        lambda _: [gop("k.k.")],
        lambda _: (
            full("senc", 0, 2, u32(4), iv),
            full("saiz", 0, 0, u8(16), u32(4)),
            full("saio", 0, 0, u32(1, 148)),
        ),
    )
    out["encrypted-by-piff"] = one_video(
        lambda _: [gop("k.k.")],
        lambda _: (
            ext(PIFF_SENC, 0, 3, u32(0x108), bytes(16), u32(4), iv),
            full("saiz", 0, 1, b"cenc", u32(0), u8(0), u32(4), u8(16, 16, 16, 16)),
        ),
    )
    out["groups-and-parts-of-samples"] = one_video(
        lambda _: [gop("..k.k.")],
        lambda _: (
            full("sbgp", 0, 0, b"rap ", u32(3, 2, 0, 3, 1, 1, 2)),
            full("sbgp", 1, 0, b"seig", u32(0, 1, 6, 1)),
            full("subs", 0, 0, u32(2, 3), u16(1), bytes(8), u32(2), u16(1), bytes(8)),
            full("subs", 1, 0, u32(1, 5), u16(2), bytes(20)),
        ),
    )
    out["times-by-tfdt-and-shifted"] = one_video(
        made=fragments(1, first=7_000_000, extra=lambda t: (tfdt(t),))
    )
    early = 2**64 - 213_333
    out["a-start-before-0"] = files(
        smil(V),
        movie(
            FTYP + moov(VIDEO),
            [
                (1, early, fragment(1, [gop()], (tfxd(early),))),
                (1, 19_786_667, fragment(1, [gop()], (tfxd(19_786_667),))),
            ],
        ),
    )
    out["an-mdat-of-64-bit-size-behind-a-free"] = one_video(
        made=[
            (1, 0, fragment(1, [gop()], between=box("free", bytes(9)), mdat=large("mdat", bytes(24))))
        ]
    )
    out["fragments-with-styp-and-sidx-between"] = one_video(
        made=[
            one
            for made in fragments(1)
            for one in (made, (0, 0, box("styp", b"msdh")), (0, 0, box("sidx", bytes(24))))
        ]
    )
    out["random-access-points-inside-of-fragments"] = one_video(
        index=lambda p: mfra(
            tfra(1, p[1][:1] + [(5_000_000, p[1][0][1])] + p[1][1:]), tfra(1, p[1])
        )
    )
    out["an-index-of-32-bit-times-and-wide-numbers"] = one_video(
        index=lambda p: mfra(tfra(1, p[1], 0, 0x3F, u32(1, 1, 1)))
    )
    out["an-index-with-a-box-behind-it"] = one_video(tail=box("free", b"end"))
    slots = Samples(*((None,) * 4,) * 5000, first_flags=OTHER)
    out["5000-key-frames-that-take-no-bytes"] = one_video(
        head=FTYP + moov(VIDEO, trexs=[trex(1, 4000, 0, KEY)]),
        made=[(1, 0, fragment(1, [slots], payload=b""))],
    )
    many = Samples(*((50_000, 200, KEY if n % 60 == 0 else OTHER, 0) for n in range(400)))
    out["a-head-longer-than-the-first-look"] = one_video(
        made=[(1, n * 20_000_000, fragment(1, [many], payload=bytes(80_000))) for n in (0, 1)]
    )
    for name, units in {
        "a-chunk-that-begins-without-a-key-frame": u32(2) + b"\x41\x98",
        "a-chunk-that-begins-with-a-point-of-recovery": u32(5) + b"\x06\x06\x01\xc4\x80" + u32(2) + b"\x41\x98",
        "a-unit-longer-than-its-sample": u32(-1 & 0xFFFFFFFF) + b"\x41\x98",
        "information-whose-size-has-no-end": u32(300) + b"\x06" + b"\xff" * 299,
        "units-of-one-byte": (u32(1) + b"\x09") * 200,
    }.items():
        run = Samples((20_000_000, len(units), 0, 0))
        out[name] = one_video(made=[(1, 0, fragment(1, [run], payload=units))])
    shown = [60_000_000, 20_000_000, 40_000_000, 80_000_000]
    out["times-at-which-pictures-are-shown"] = files(
        both,
        movie(
            FTYP + moov(VIDEO, AUDIO),
            interleaved(
                [
                    (1, time, fragment(1, [gop()], (tfxd(time, shown[min(n + 1, 3)] - time),)))
                    for n, time in enumerate(shown)
                ],
                fragments(2, runs=lambda _: [gop("kkkk")]),
            ),
        ),
    )
    out["a-track-whose-clock-cannot-be-read"] = files(
        both, tiny(head=FTYP + moov(VIDEO.replace(b"mdhd", b"hdlr", 1), AUDIO)), client=CLIENT
    )
    out["an-index-of-one-track-that-cannot-be-read"] = files(
        both,
        tiny(index=lambda p: mfra(tfra(1, p[1])[:-5] + bytes(5), full("tfra", 1, 0, u32(2, 0, 99)))),
        client=CLIENT,
    )
    out["a-free-between-a-head-and-its-mdat"] = one_video(
        made=[
            (1, n * 20_000_000, fragment(1, [many], payload=bytes(80_000), between=box("free", bytes(2000))))
            for n in (0, 1)
        ]
    )
    out["a-moov-behind-a-long-box"] = one_video(
        head=FTYP + box("free", bytes(9000)) + moov(VIDEO), tail=box("free", bytes(20_000))
    )
    out["a-moov-behind-two-long-boxes"] = one_video(
        head=FTYP + box("free", bytes(9000)) + box("free", bytes(9000)) + moov(VIDEO),
        tail=box("free", bytes(20_000)),
    )
    out["a-moov-longer-than-the-head"] = one_video(
        head=FTYP + box("moov", moov(VIDEO)[8:], box("udta", bytes(12_000))),
        tail=box("free", bytes(20_000)),
    )
    out["a-moov-behind-five-long-boxes"] = one_video(
        head=FTYP + box("free", bytes(9000)) * 5 + moov(VIDEO), tail=box("free", bytes(20_000))
    )
    # A moov just before the end of the first read, and an index that leads to before it.
    front = FTYP + box("free", bytes(8170 - len(FTYP) - 8))
    out["an-index-that-leads-over-the-end-of-the-first-read"] = one_video(
        head=front + moov(VIDEO),
        made=[(0, 0, box("free", bytes(8000)))],
        index=lambda _: mfra(tfra(1, [(0, 8000), (20_000_000, 8300)])),
    )
    out["hevc-and-he-aac-generated"] = files(
        smil(V, A, client=None),
        tiny(
            head=FTYP
            + moov(
                trak(1, "vide", 10_000_000, hvc1(), version=1),
                trak(2, "soun", 10_000_000, mp4a(bytes.fromhex("2B118800")), "fra"),
            )
        ),
    )
    out["text-and-an-unknown-codec-generated"] = files(
        smil(
            ("textstream", "1.ismv", None, 1, None),
            ("video", "1.ismv", None, 2, None),
            client=None,
        ),
        tiny(
            head=FTYP
            + moov(
                trak(1, "subt", 10_000_000, stpp(), "eng"),
                trak(2, "vide", 10_000_000, visual("vp09", box("vpcC", bytes(12)))),
            )
        ),
    )
    out["sound-of-two-languages-generated"] = files(
        smil(("audio", "1.ismv", 9, 1, None), ("audio", "1.ismv", 9, 2, None), client=None),
        tiny(head=FTYP + moov(*(trak(n + 1, "soun", 10_000_000, mp4a(), l) for n, l in enumerate(("eng", "fra"))))),
    )
    ladder = [("video", "1.ismv", None, 0, None), ("video", "2.ismv", None, 0, None)]
    out["tracks-without-number-and-bitrate-generated"] = files(
        smil(*ladder, client=None),
        movie(FTYP + moov(VIDEO), fragments(1)),
        movie(FTYP + moov(VIDEO), fragments(1, 2)),
    )
    profile = ismc(("video", None, [60000], FULL)).replace(
        b'CodecPrivateData="00"/>',
        b'><CustomAttributes><Attribute Name="a" Value="b"/></CustomAttributes></QualityLevel>',
    )
    out["a-quality-with-custom-attributes"] = files(smil(V), video(), client=profile)
    embedded = ismc(("video", None, [60000], FULL), ("text", "cues", [0], "<c><f>QUJD</f></c>"))
    embedded = embedded.replace(b'Name="cues"', b'Name="cues" ManifestOutput="TRUE"')
    out["a-stream-embedded-in-the-manifest"] = files(smil(V), video(), client=embedded)
    for name, chunks in {
        "chunks-that-step-back": '<c t="20000000" d="1"/><c t="0" d="1"/><c t="40000000" d="1"/>',
        "chunks-that-step-back-ten-times": "".join(f'<c t="{9 - n}" d="1"/>' for n in range(10)),
        "chunks-of-no-duration": '<c t="0" d="0" r="5"/><c t="20000000"/><c t="40000000"/>',
        "c-r-claims-a-million-chunks": '<c t="0" d="20000000" r="1000000"/>',
        "c-r-claims-2-to-the-64-chunks": '<c t="0" d="0" r="18446744073709551615"/>',
        "chunks-at-the-end-of-time": '<c t="18446744073709551615" d="0"/>',
        "chunks-without-media": '<c t="0" d="20000000" r="16"/><c t="900000000"/>',
        "chunks-a-tick-off": '<c t="1" d="20000001"/><c d="19999999"/><c t="40000003"/>',
    }.items():
        out[name] = files(smil(V), video(), client=ismc(("video", None, [60000], chunks)))
    slow = ismc(("video", None, [60000], '<c t="0" d="2" r="3"/>'), attributes=' TimeScale="1"')
    out["a-client-manifest-in-seconds"] = files(smil(V), video(), client=slow)

    # Files that nothing, or not everything, can be cut out of.
    bad = lambda name, movie: out.update({name: files(smil(V), movie, client=ONE_VIDEO)})
    bad("an-empty-file", b"")
    bad("a-progressive-file", FTYP + moov(VIDEO, fragmented=False) + box("mdat", bytes(9)))
    bad("an-mdat-before-the-moov", FTYP + box("mdat", bytes(9)) + moov(VIDEO))
    bad("a-file-without-index", movie(FTYP + moov(VIDEO), fragments(1), lambda _: b""))
    # A scout looks for a fragment far ahead, and may meet one inside of another box.
    apart = lambda one, lure=b"": box("free", bytes(40_000), lure, bytes(40_000 - len(one) - len(lure))) + one
    wide = lambda count, lure=b"": [(1, time, apart(one, lure)) for _, time, one in fragments(1, count)]
    bad("a-file-without-index-for-scouts", movie(FTYP + moov(VIDEO), wide(40), lambda _: b""))
    lured = wide(22, fragments(1, 1)[0][2])
    bad("a-file-without-index-that-misleads-scouts", movie(FTYP + moov(VIDEO), lured, lambda _: b""))
    bad("a-file-cut-in-the-middle", video()[:-200])
    # Files whose index is a sidx.
    TICKS = 20_000_000
    each = lambda made: [(len(one), TICKS) for one in made]
    all_of = b"".join
    inner = lambda made: sidx(1, each(made)) + all_of(made)
    chained = lambda made: (
        sidx(1, [(len(made[0]), TICKS), (-len(inner(made[1:])), 2 * TICKS)]) + made[0] + inner(made[1:])
    )
    nested = lambda made: (
        sidx(1, [(-len(inner(made[:2])), 2 * TICKS), (-len(inner(made[2:])), TICKS)], version=1)
        + inner(made[:2])
        + inner(made[2:])
    )
    inside = inner([one for _, _, one in fragments(1)])
    for _ in range(6):
        inside = sidx(1, [(-len(inside), 3 * TICKS)]) + inside
    for name, make in {
        "sidx": inner,
        "sidx-of-64-bits-behind-free": lambda made: box("free", b"x")
        + sidx(1, each(made), version=1, earliest=2**33)
        + all_of(made),
        "sidx-with-a-box-behind-the-last": lambda made: inner(made) + box("free", b"end"),
        "sidx-of-a-chain": chained,
        "sidx-of-two-levels": nested,
        "sidx-of-seven-levels": lambda made: inside,
        "sidx-in-front-of-each": lambda made: all_of(inner([one]) for one in made),
        "sidx-of-two-tracks": lambda made: sidx(2, each(made), first_offset=len(sidx(1, each(made))))
        + sidx(1, each(made))
        + all_of(made),
        "sidx-twice-for-one-track": lambda made: sidx(1, each(made), first_offset=32 + 12 * len(made))
        + sidx(1, each(made))
        + all_of(made),
        "sidx-of-subsegments-of-several-fragments": lambda made: sidx(1, [(sum(map(len, made)), 3 * TICKS)])
        + all_of(made),
        "sidx-without-priming": lambda made: sidx(1, [(len(made[0]), TICKS - 213_333)] + each(made[1:]), earliest=5)
        + all_of(made),
        "sidx-of-other-times": lambda made: sidx(1, [(len(one), TICKS + 77) for one in made]) + all_of(made),
        "sidx-of-another-timescale": lambda made: sidx(1, [(len(one), 2000) for one in made], timescale=1000)
        + all_of(made),
        "sidx-of-a-timescale-of-0": lambda made: sidx(1, each(made), timescale=0) + all_of(made),
        "sidx-at-the-end-of-time": lambda made: sidx(1, each(made), version=1, earliest=2**64 - 1) + all_of(made),
        "sidx-of-a-coarse-clock-at-the-end-of-time": lambda made: sidx(
            1, each(made), version=1, earliest=2**63, timescale=1
        )
        + all_of(made),
        "sidx-of-one-byte-less": lambda made: sidx(1, [(len(one) - 1, TICKS) for one in made]) + all_of(made),
        "sidx-that-leads-out-of-the-file": lambda made: sidx(1, [(len(one) + 1, TICKS) for one in made]) + all_of(made),
        "sidx-with-an-offset-of-2-to-the-64": lambda made: sidx(1, each(made), first_offset=2**64 - 1, version=1)
        + all_of(made),
        "sidx-of-no-references": lambda made: sidx(1, []) + all_of(made),
        "sidx-of-references-of-no-bytes": lambda made: sidx(1, [(0, TICKS)] * 9) + all_of(made),
        "sidx-of-an-index-that-is-none": lambda made: sidx(1, [(-len(made[0]), TICKS)]) + all_of(made),
        "sidx-that-leads-to-itself": lambda made: sidx(1, [(-44, TICKS)], first_offset=2**64 - 52, version=1)
        + all_of(made),
        "sidx-claims-65535-references": lambda made: sidx(1, each(made))[:30]
        + u16(0xFFFF)
        + sidx(1, each(made))[32:]
        + all_of(made),
        "sidx-of-an-encrypted-file": lambda made: inner(
            [fragment(1, [gop()], [tfdt(n * TICKS), full("senc", 0, 0, u32(4), bytes(32))]) for n in range(3)]
        ),
        "sidx-cut-in-the-last-fragment": lambda made: inner(made)[:-9],
    }.items():
        out[name] = files(smil(V, client=None), by_sidx(make))
        if name in ("sidx", "sidx-of-other-times", "sidx-without-priming"):
            bad(name + "-beside-a-client-manifest", by_sidx(make))
    bad("a-moov-of-no-boxes", FTYP + box("moov"))
    bad("a-moov-of-size-2-to-the-64-less-1", FTYP + u32(1) + b"moov" + u64(-1))
    bad("a-free-of-size-2-to-the-64-less-8", FTYP + u32(1) + b"free" + u64(-8) + moov(VIDEO))
    bad("a-moov-of-size-0", FTYP + to_end("moov", moov(VIDEO)[8:]))
    bad("a-timescale-of-0", movie(FTYP + moov(trak(1, "vide", 0, avc1())), fragments(1)))
    deep = b""
    for _ in range(40):
        deep = box("trak", deep)
    bad("a-moov-nested-40-deep", FTYP + box("moov", deep))
    for name, index in {
        "mfro-claims-more-than-the-file": lambda p: mfra(tfra(1, p[1]))[:-4] + u32(0xFFFFFFF0),
        "mfro-claims-0": lambda p: mfra(tfra(1, p[1]))[:-4] + u32(0),
        "mfra-of-size-0": lambda p: to_end("mfra", mfra(tfra(1, p[1]))[8:]),
        "tfra-claims-4-billion-entries": lambda p: mfra(
            full("tfra", 1, 0, u32(1, 0, 0xFFFFFFFF), bytes(19))
        ),
        "tfra-claims-4-billion-wide-entries": lambda p: mfra(
            full("tfra", 1, 0, u32(1, 0x3F, 0xFFFFFFFF), bytes(28))
        ),
        "tfra-leads-beyond-the-end": lambda p: mfra(tfra(1, [(0, 2**63), (1, 2**64 - 1)])),
        "tfra-leads-to-the-last-byte": lambda p: mfra(tfra(1, [(0, p[1][2][1] + 199)])),
        "tfra-leads-into-the-moov": lambda p: mfra(tfra(1, [(t, 40 + t // 10**7) for t, _ in p[1]])),
        "tfra-goes-backwards": lambda p: mfra(tfra(1, p[1][::-1])),
        "tfra-of-another-track": lambda p: mfra(tfra(2, p[1])),
        "tfra-of-times-at-the-end-of-time": lambda p: mfra(
            tfra(1, [(2**63 - 1 - 3 + n, o) for n, (_, o) in enumerate(p[1])])
        ),
        "tfra-of-one-time-for-all": lambda p: mfra(tfra(1, [(0, o) for _, o in p[1]])),
        "tfra-of-no-entries": lambda p: mfra(tfra(1, [])),
    }.items():
        bad(name, movie(FTYP + moov(VIDEO), fragments(1), index))
        if "end-of-time" in name or "one-time" in name:
            out[name + "-generated"] = files(
                smil(V, client=None), movie(FTYP + moov(VIDEO), fragments(1), index)
            )
    one = fragment(1, [gop()])
    absolute = fragment(1, [gop()], tfhd=(1, u64(1000)))
    for name, made in {
        "moof-with-free-of-size-0": box("moof", to_end("free")),
        "moof-of-size-0": u32(0) + one[4:],
        "moof-of-size-4": u32(4) + one[4:],
        "moof-of-two-tracks": box("moof", box("traf"), box("traf")) + box("mdat"),
        "moof-without-traf": box("moof", full("mfhd", 0, 0, u32(1))) + box("mdat", bytes(9)),
        "moof-without-mdat": one[: one.index(b"mdat") - 4],
        "mdat-of-size-0": one[: one.index(b"mdat") - 4] + u32(0) + one[one.index(b"mdat") :],
        "mdat-of-size-2-to-the-64": one[: one.index(b"mdat") - 4] + u32(1) + b"mdat" + u64(-1),
        "tfhd-with-absolute-offset": absolute,
        "a-fragment-of-another-track": fragment(7, [gop()]),
        "a-fragment-of-another-time": fragment(1, [gop()], (tfxd(123),)),
        "tfxd-of-a-duration-without-end": fragment(1, [Samples()], (tfxd(0, 2**64 - 1),)),
        "trun-claims-4-billion-samples-in-20-bytes": fragment(
            1, [], [full("trun", 0, 0, u32(0xFFFFFFFF))]
        ),
        "trun-claims-4-billion-samples-with-sizes": fragment(
            1, [], [full("trun", 0, 0x200, u32(0xFFFFFFFF, 1))]
        ),
        "trun-before-its-moof": fragment(1, [], [full("trun", 0, 0x201, u32(1, -9, 1))]),
        "trun-beyond-its-mdat": fragment(1, [], [full("trun", 0, 0x201, u32(1, 200, 0xFFFFFFFF))]),
        "trun-of-no-samples": fragment(1, [Samples()]),
        "runs-that-overlap": fragment(1, [gop("k.."), gop("k..")], payload=bytes(36)),
        "a-key-frame-longer-than-32-bits": fragment(1, [gop("k..k", ticks=0xFFFFFFFF)]),
        "composition-offsets-at-their-edges": fragment(
            1, [Samples(*((9, 6, f, 2**31 - 1) for f in (OTHER, KEY, OTHER)), version=1)]
        ),
        "senc-claims-4-billion-entries": fragment(
            1, [gop()], [full("senc", 0, 0, u32(0xFFFFFFFF))]
        ),
        "senc-of-unclear-layout": fragment(1, [gop()], [full("senc", 0, 0, u32(4), bytes(33))]),
        "saiz-claims-4-billion-sizes": fragment(
            1, [gop()], [full("saiz", 0, 0, u8(8), u32(0xFFFFFFFF))]
        ),
        "saio-of-many-offsets": fragment(1, [gop()], [full("saio", 0, 0, u32(3, 0, 1, 2))]),
        "sbgp-of-more-samples-than-there-are": fragment(
            1, [gop()], [full("sbgp", 0, 0, b"rap ", u32(2, 0xFFFFFFFF, 1, 0xFFFFFFFF, 2))]
        ),
        "subs-of-samples-that-are-not-there": fragment(
            1, [gop()], [full("subs", 0, 0, u32(2, 0, 0, 0xFFFFFFFF, 0)[:-2])]
        ),
    }.items():
        bad(name, movie(FTYP + moov(VIDEO), [(1, 0, made)]))
        bad(name + "-in-the-middle", movie(
            FTYP + moov(VIDEO), [(1, 0, one), (1, 20_000_000, made), (1, 40_000_000, one)]
        ))
    bad("tfxd-of-a-duration-without-end-generated", b"")
    out["tfxd-of-a-duration-without-end-generated"] = files(
        smil(V, client=None),
        movie(FTYP + moov(VIDEO), [(1, 5, fragment(1, [Samples()], (tfxd(5, 2**64 - 1),)))]),
    )

    # Server manifests that lead elsewhere.
    for name, src in {
        "a-name-that-leads-out": "../1.ismv",
        "a-name-that-is-the-manifest-itself": "film.ism",
        "a-name-that-is-the-client-manifest": "film.ismc",
        "a-name-with-a-backslash": ".\\1.ismv",
        "a-name-with-a-scheme": "http://h/1.ismv",
        "no-name": "",
    }.items():
        out[name] = files(smil(("video", src, 60000, 1, None)), video(), client=ONE_VIDEO)
    out["a-client-manifest-that-is-the-media"] = files(smil(V, client="1.ismv"), video())
    out["a-client-manifest-that-is-the-manifest-itself"] = files(smil(V, client="film.ism"), video())
    out["no-track-at-all"] = files(smil(), client=CLIENT)
    out["nothing"] = b""
    out["one-track-twice"] = files(smil(V, V), video(), client=ONE_VIDEO)
    out["two-streams-of-one-name"] = files(
        smil(V, ("video", "1.ismv", 60000, 1, "video")),
        video(),
        client=ismc(("video", None, [60000], FULL), ("video", None, [60000, 60000], FULL)),
    )

    # Folders with a file per fragment.
    def cut(time, extra=()):
        return fragment(1, [gop()], (tfxd(time), *extra))

    level, starts = "QualityLevels(60000)", (0, 20_000_000, 40_000_000)
    named = {f"{level}/Fragments(video={time})": cut(time) for time in starts}
    out["folder"] = fragment_folder(ONE_VIDEO, named)
    out["folder-of-percent-encoded-names"] = fragment_folder(
        ONE_VIDEO, {path.replace("(", "%28").replace(")", "%29"): file for path, file in named.items()}
    )
    out["folder-of-zeros-before-times-and-other-letters"] = fragment_folder(
        ONE_VIDEO, {path.replace("Fragments(video=", "fragments(VIDEO=00"): file for path, file in named.items()}
    )
    late = {f"{level}/Fragments(video={time + 213_333})": cut(time + 213_333) for time in starts}
    durations = "".join(f'<c n="{n}" d="20000000"/>' for n in range(3))
    out["folder-of-durations-alone"] = fragment_folder(ismc(("video", None, [60000], durations)), late)
    window = '<c n="1" d="20000000"/><c n="2" d="20000000"/>'
    out["folder-of-the-last-durations"] = fragment_folder(ismc(("video", None, [60000], window)), late)
    out["folder-of-a-run-without-end"] = fragment_folder(
        ismc(("video", None, [60000], '<c d="20000000" r="4000"/>')), late
    )
    ahead = {f"{level}/Fragments(video=60000001)": cut(60_000_001, (box("free", bytes(53)),))}
    out["folder-that-is-live"] = fragment_folder(
        ismc(("video", None, [60000], FULL), attributes=' IsLive="TRUE"'), {**named, **ahead}
    )
    out["folder-where-a-file-is-missing"] = fragment_folder(
        ismc(("video", None, [60000, 7], FULL)), dict(list(named.items())[::2])
    )
    first, second = list(named)[:2]
    out["folder-of-files-that-are-no-fragments"] = fragment_folder(
        ONE_VIDEO,
        {
            first: cut(0) + cut(20_000_000),
            second: box("styp", b"msdh", u32(0)) + box("sidx", bytes(40)) + cut(5)[:-1],
            f"{level}/Fragments(video=40000000)": box("moof", bytes(4)),
        },
    )
    captions = (
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' Duration='80000000'>"
        "<StreamIndex Type='text' Subtype='CAPT' Name='t' Url='QualityLevels({bitrate})/Fragments(t={start time})'>"
        "<QualityLevel Bitrate='7' FourCC='TTML'/><c t='0' d='20000000' r='4'/></StreamIndex></SmoothStreamingMedia>"
    ).encode()

    def ttml(begin, end, namespace="ns/ttml", text="a<br/><span>b</span> &amp; c"):
        return (
            f'<tt xmlns="http://www.w3.org/{namespace}"><body><div>'
            f'<p begin="{begin}s" end="{end}s">{text}</p></div></body></tt>'
        ).encode()

    def text(time, *documents):
        ticks = 20_000_000 // len(documents)
        samples = Samples(*((ticks, len(document), 0, 0) for document in documents))
        return fragment(1, [samples], (tfxd(time),), payload=b"".join(documents))

    def styled(align, display, origin):
        old = "http://www.w3.org/2006/10/ttaf1"
        return (
            f'<tt xmlns="{old}" xmlns:tts="{old}#styling"><head><layout><region xml:id="r" tts:origin="{origin}" '
            f'tts:extent="60% 15%" tts:textAlign="{align}" tts:displayAlign="{display}"/></layout></head><body><div>'
            '<p begin="0.5s" end="1.5s" region="r"><span tts:fontStyle="italic" tts:fontWeight="bold" '
            'tts:textDecoration="underline" tts:color="red" tts:backgroundColor="#000080">a</span><br/>b &amp; &lt;c</p>'
            "</div></body></tt>"
        ).encode()

    rich = [(ttml(0.5, 1.5),), (styled("center", "after", "20% 80%"),), (styled("right", "before", "40% 5%"),),
            (styled("start", "center", "0% 40%"),)]
    out["folder-of-captions-with-styles"] = fragment_folder(
        captions, {f"QualityLevels(7)/Fragments(t={n * 20_000_000})": text(n * 20_000_000, *made) for n, made in enumerate(rich)}
    )
    documents = [
        (ttml(0.5, 1.5, "2006/10/ttaf1"),),
        (ttml(0.5, 1.5),),
        (ttml(4, 5.5), ttml(4.5, 6), b" "),
        (ttml(0, 1), b"<tt"),
    ]
    out["folder-of-captions"] = fragment_folder(
        captions,
        {
            f"QualityLevels(7)/Fragments(t={n * 20_000_000})": text(n * 20_000_000, *made)
            for n, made in enumerate(documents)
        },
    )
    unclear = [ttml(0, 4), ttml(1, 3, text='<set tts:color="red"/>a'), ttml(1, 3), ttml(0.5, 0.7)]
    out["folder-of-captions-whose-times-are-unclear"] = fragment_folder(
        captions,
        {f"QualityLevels(7)/Fragments(t={n * 20_000_000})": text(n * 20_000_000, made) for n, made in enumerate(unclear)},
    )
    for name, pictures, sounds in (("before", 24_000_000, 0), ("after", 0, 24_000_000)):
        video = fragments(1, first=pictures, extra=lambda t: (tfxd(t),))
        audio = fragments(2, first=sounds, runs=lambda _: [gop("kkkk")], extra=lambda t: (tfxd(t),))
        out[f"sound-{name}-the-pictures"] = files(smil(V, A, client=None), tiny(video=video, audio=audio))
    late = [(1, time, fragment(1, [gop()], (tfxd(time),))) for time in (0, 20_000_000, 70_000_000)]
    whole = fragments(2, count=3, ticks=30_000_000, runs=lambda _: [gop("kkkkkk")], extra=lambda t: (tfxd(t, 30_000_000),))
    out["a-gap-in-the-pictures-alone"] = files(smil(V, A, client=None), tiny(video=late, audio=whole))
    out["folder-where-a-list-fails"] = fragment_folder(ONE_VIDEO, named, fails=b"\x02")
    out["folder-without-files"] = fragment_folder(CLIENT, {"x": b""})

    # The head of a real file, with two fragments of each track and holes for their samples.
    for folder, name in (("ladder", "ladder"), ("bframes", "bframes"), ("ntsc", "ntsc_high")):
        out[f"head-of-{folder}"] = head_of_testdata(folder, name)
    return out


def boxes_of(data, at=0, end=None):
    end = len(data) if end is None else end
    while at + 8 <= end:
        size = struct.unpack_from(">I", data, at)[0]
        yield data[at + 4 : at + 8], at, size
        at += size


def head_of_testdata(folder, name):
    data = (TESTDATA / folder / f"{name}.ismv").read_bytes()
    top = list(boxes_of(data))
    head = b"".join(data[at : at + size] for kind, at, size in top if kind in (b"ftyp", b"moov"))
    kept, seen = [], {}
    for (kind, at, size), (_, mdat, mdat_size) in zip(top, top[1:]):
        if kind != b"moof":
            continue
        track_id = struct.unpack_from(">I", data, data.index(b"tfhd", at) + 8)[0]
        number = seen[track_id] = seen.get(track_id, -1) + 1
        if number < 1:
            hollow = data[mdat : mdat + 8] + bytes(mdat_size - 8)
            kept.append((track_id, time_in(data, track_id, number), data[at : at + size] + hollow))
    server = (TESTDATA / folder / f"{folder}.ism").read_bytes()
    server = server.replace(f"{name}.ismv".encode(), b"1.ismv")
    server = server.replace(f"{folder}.ismc".encode(), b"film.ismc")
    client = TESTDATA / folder / f"{folder}.ismc"
    client = client.read_bytes() if client.exists() else None
    return files(server, movie(head, kept), client=client)


def time_in(data, track_id, number):
    at = data.rindex(b"mfra") - 4
    for kind, at, size in boxes_of(data, at + 8):
        if kind == b"tfra":
            version, found, widths = data[at + 8], *struct.unpack_from(">II", data, at + 12)
            if found == track_id:
                width = 8 if version else 4
                row = 2 * width + sum((widths >> s & 3) + 1 for s in (0, 2, 4))
                place = at + 24 + number * row
                return int.from_bytes(data[place : place + width], "big")
    raise ValueError(f"no track {track_id}")


# --- boxes ---------------------------------------------------------------------------------------


def boxes():
    out = {}
    for folder, name in (
        ("ladder", "ladder.ismv"),
        ("split", "split_audio.isma"),
        ("bframes", "bframes.ismv"),
        ("ntsc", "ntsc_low.ismv"),
    ):
        data = (TESTDATA / folder / name).read_bytes()
        top = list(boxes_of(data))
        cut = lambda kind: next(data[at : at + size] for k, at, size in top if k == kind)
        out[f"{folder}-ftyp-moov"] = cut(b"ftyp") + cut(b"moov")
        out[f"{folder}-moof"] = cut(b"moof")
        out[f"{folder}-mfra"] = cut(b"mfra")
    out["tiny-movie"] = tiny()
    out["manifests-of-ingest"] = ext(LIVE_SERVER_MANIFEST, 0, 0, b"<smil/>") + ext(STREAM_MANIFEST, 0, 0, b"<smil/>")
    out["sidx"] = sidx(1, [(100, 5), (-100, 2**31 - 1)]) + sidx(2, [(9, 1)], 2**40, 1, 2**63, version=1)
    for name, data in sample_tables().items():
        if name in ("video-and-sound", "offsets-of-64-bits", "sizes-of-12-bits", "two-edits"):
            # Behind the length of the file.
            out[f"moov-with-{name}"] = data[data.index(b"moov") - 4 :]
    out["hevc-moov"] = moov(trak(1, "vide", 10_000_000, hvc1(), version=1))
    out["stsd-of-every-codec"] = full(
        "stsd", 0, 0, u32(5), avc1("avc3"), hvc1(), mp4a(), stpp(), visual("vp09")
    )
    entries = other_entries()
    out["stsd-of-all-other-codecs"] = full("stsd", 0, 0, u32(len(entries)), *entries)
    system = KEY_ID + u32(3) + b"pro"
    out["moov-with-protection-of-every-sort"] = moov(
        full("pssh", 0, 0, system),
        full("pssh", 1, 0, KEY_ID, u32(2), KEY_ID, KEY_ID, u32(0)),
        ext(PIFF_PSSH, 0, 0, system),
    )
    out["pssh-claims-4-billion-keys"] = full("pssh", 1, 0, KEY_ID, u32(0xFFFFFFFF), KEY_ID)
    out["dops-of-255-channels-and-no-mapping"] = box("dOps", u8(0, 255), bytes(8), u8(1))
    out["wfex-of-65535-bytes-and-none"] = box("wfex", wave(0x162)[:-2] + b"\xff\xff")
    old = mp4a()
    old = old[:16] + u16(1) + old[18:36] + bytes(16) + old[36:]
    out["stsd-of-quicktime-sound"] = full("stsd", 0, 0, u32(1), u32(len(old)) + old[4:])
    out["esds-of-long-lengths"] = full(
        "esds", 0, 0, bytes.fromhex("03808080220000000480808014401500000000000000000000000580808002121006808080010 2".replace(" ", ""))
    )
    out["esds-that-depends-on-others"] = full(
        "esds", 0, 0, bytes.fromhex("031600 01e0 0002 0161 0003 040d 40150000000000000000000000".replace(" ", ""))
    )
    for version in (0, 1, 2):
        wide = u64 if version else u32
        out[f"times-of-version-{version}"] = b"".join(
            [
                full("mvhd", version, 0, wide(1, 2), u32(3), wide(4), bytes(80)),
                full("tkhd", version, 7, wide(1, 2), u32(3, 4), wide(5), bytes(60)),
                full("mdhd", version, 0, wide(1, 2), u32(3), wide(4), u16(0x55C4, 0)),
                full("mehd", version, 0, wide(1)),
                tfdt(2**32 - 1, version),
                tfxd(2**32 - 1, 5, version),
                ext(TFRF, version, 0, u8(2), wide(1, 2, 3, 4)),
                full("saio", version, 1, b"cenc", u32(0, 2), wide(1, 2)),
                full("sbgp", version, 0, b"rap ", u32(*([9] if version else []), 1, 2, 3)),
                full("subs", version, 0, u32(1, 2), u16(1), bytes(10 if version else 8)),
                full("tfra", version, 0, u32(1, 0x15, 1), wide(1, 2), u16(1, 1, 1)),
            ]
        )
    out["tfhd-of-every-field"] = full("tfhd", 0, 0x3003B, u32(1), u64(2), u32(3, 4, 5, 6))
    for flags in range(0, 0x1000, 0x100):
        entry = bytes(range(4 * bin(flags).count("1")))
        out["trun-of-every-layout"] = out.get("trun-of-every-layout", b"") + full(
            "trun", flags >> 8 & 1, flags | 5, u32(2, 100, KEY), entry, entry
        )
    out["tfra-of-every-width"] = b"".join(
        full("tfra", 1, 0, u32(1, w, 1), bytes(19 + (w & 3) + (w >> 2 & 3) + (w >> 4 & 3)))
        for w in range(64)
    )
    iv = bytes(8) + u16(1, 2) + u32(4)
    out["encryption-of-every-sort"] = b"".join(
        [
            full("senc", 0, 2, u32(2), iv, iv),
            full("senc", 0, 0, u32(2), bytes(16)),
            full("senc", 0, 0, u32(1), bytes(16)),
            full("senc", 0, 2, u32(2), u16(0, 1), bytes(6)),
            ext(PIFF_SENC, 0, 3, u32(0x108), bytes(16), u32(1), iv),
            ext(PIFF_SENC, 0, 1, u32(0x110), bytes(16), u32(1), bytes(16)),
            full("saiz", 0, 0, u8(0), u32(2), u8(16, 16)),
            full("saiz", 0, 1, b"cenc", u32(0), u8(16), u32(2)),
        ]
    )
    out["sizes-of-every-form"] = (
        large("free", b"abc")
        + large("moof", full("mfhd", 0, 0, u32(1)))
        + u32(1) + b"uuid" + u64(35) + bytes(16) + b"abc"
        + box("moov", u32(0) + b"uuid" + bytes(16) + b"abc")
        + to_end("mdat", b"to the end")
    )
    out["padding-inside-of-containers"] = box("moov", box("trak", bytes(7)), bytes(4))
    out["rests-behind-every-field"] = b"".join(
        [
            full("mfhd", 0, 0, u32(1), b"rest"),
            full("tfhd", 0, 0, u32(1), b"rest"),
            full("trun", 0, 0, u32(0), b"rest"),
            full("mfro", 0, 0, u32(1), b"rest"),
            full("tfra", 0, 0, u32(1, 0, 0), b"rest"),
            full("stsz", 0, 0, u32(1, 2), b"rest"),
            box("ftyp", b"isml", u32(0), b"abc"),
        ]
    )
    out["nothing"] = b""

    # Hostile.
    out["moof-with-free-of-size-0"] = FTYP + box("moof", to_end("free"))
    out["size-0-at-every-depth"] = to_end("moov", to_end("trak", to_end("mdia", to_end("free"))))
    out["size-7"] = u32(7) + b"free"
    out["size-1-without-64-bits"] = u32(1) + b"mdat" + bytes(7)
    out["64-bit-size-of-15"] = u32(1) + b"mdat" + u64(15)
    for name, size in {"2-to-the-64-less-1": -1, "2-to-the-63": 2**63, "2-to-the-64-less-16": -16}.items():
        out[f"64-bit-size-of-{name}"] = u32(1) + b"mdat" + u64(size) + bytes(8)
        out[f"64-bit-size-of-{name}-in-a-moof"] = box("moof", u32(1) + b"free" + u64(size))
    out["uuid-of-size-23"] = u32(23) + b"uuid" + bytes(15)
    out["a-child-longer-than-its-parent"] = box("moof", u32(17) + b"traf")
    deep = b""
    for _ in range(400):
        deep = box("moov", deep)
    out["nested-400-deep"] = deep
    out["nested-17-deep"] = deep[-17 * 8 :]
    for n in range(17):
        start = len(out["nested-17-deep"]) - (17 - n) * 8
        data = bytearray(out["nested-17-deep"])
        data[start : start + 4] = u32((17 - n) * 8)
        out["nested-17-deep"] = bytes(data)
    out["500-empty-boxes"] = box("free") * 500
    out["trun-claims-4-billion-samples-in-20-bytes"] = full("trun", 0, 1, u32(0xFFFFFFFF, 0))
    out["trun-claims-4-billion-samples-with-sizes"] = full("trun", 0, 0x200, u32(0xFFFFFFFF, 1))
    out["trun-claims-268-million-samples-of-16-bytes"] = full("trun", 0, 0xF00, u32(0x10000000))
    out["tfra-claims-4-billion-entries"] = full("tfra", 1, 0, u32(1, 0x3F, 0xFFFFFFFF), bytes(28))
    out["tfra-claims-one-entry-and-has-none"] = full("tfra", 0, 0, u32(1, 0, 1))
    out["sbgp-claims-4-billion-runs"] = full("sbgp", 0, 0, b"rap ", u32(0xFFFFFFFF), bytes(8))
    out["subs-claims-4-billion-entries"] = full("subs", 0, 0, u32(0xFFFFFFFF), bytes(6))
    out["subs-claims-65535-parts"] = full("subs", 0, 0, u32(1, 1), u16(0xFFFF))
    out["senc-claims-4-billion-entries-without-bytes"] = full("senc", 0, 0, u32(0xFFFFFFFF))
    out["saiz-claims-4-billion-sizes"] = full("saiz", 0, 0, u8(0), u32(0xFFFFFFFF))
    out["saiz-claims-4-billion-samples-without-bytes"] = full("saiz", 0, 0, u8(1), u32(0xFFFFFFFF))
    out["saio-claims-4-billion-offsets"] = full("saio", 0, 0, u32(0xFFFFFFFF), bytes(12))
    out["stsd-claims-4-billion-entries"] = full("stsd", 0, 0, u32(0xFFFFFFFF), stpp())
    out["stsd-with-an-entry-to-the-end"] = full("stsd", 0, 0, u32(1), u32(0) + stpp()[4:])
    out["stsd-with-an-entry-of-size-8"] = full("stsd", 0, 0, u32(1), box("avc1"))
    out["tfrf-claims-255-entries"] = ext(TFRF, 1, 0, u8(255), bytes(16))
    out["avcc-claims-31-sets"] = box("avcC", u8(1, 0x64, 0, 11, 0xFF, 0xFF), u16(0xFFFF))
    out["hvcc-claims-255-arrays-of-65535-units"] = box("hvcC", bytes(22), u8(255, 33), u16(0xFFFF, 0))
    out["esds-of-a-descriptor-longer-than-itself"] = full("esds", 0, 0, u8(3, 0xFF, 0xFF, 0xFF, 0x7F))
    return out


# --- manifests -----------------------------------------------------------------------------------


def server_manifests():
    out = {}
    text = lambda name: (TESTDATA / name / f"{name}.ism").read_bytes()
    for name in ("ladder", "split", "ntsc"):
        out[name] = text(name)
    out["with-utf-8-mark"] = b"\xef\xbb\xbf" + text("ladder")
    as_text = text("ladder").decode().replace("utf-8", "utf-16")
    out["in-utf-16-little-endian"] = b"\xff\xfe" + as_text.encode("utf-16-le")
    out["in-utf-16-big-endian-without-mark"] = as_text.encode("utf-16-be")
    out["says-utf-16-and-is-utf-8"] = as_text.encode()
    out["in-latin-1"] = (
        '<?xml version="1.0" encoding="iso-8859-1"?><smil><body><switch>'
        '<audio src="d\xe9j\xe0.ismv" systemLanguage="fra"/></switch></body></smil>'
    ).encode("latin-1")
    out["in-shift-jis"] = (
        '<?xml version="1.0" encoding="shift_jis"?><smil><body>'
        '<textstream src="\u5b57\u5e55.ismt"/></body></smil>'
    ).encode("shift_jis")
    out["with-prefixes-and-foreign-elements"] = b"""<?xml version="1.0"?>
<s:smil xmlns:s="http://www.w3.org/2001/SMIL20/Language" xmlns:x="urn:x">
  <s:head><s:meta name="creator" content="x &amp; y"/><x:thing><x:audio src="no"/></x:thing></s:head>
  <s:body><s:switch><x:a/>
    <s:video src="v.ismv">
      <s:param name="systemBitrate" value="500000" valueType="data"></s:param>
      <s:param name="TrackID" value=" 1 " valueType="data"/>
      <s:metadata><x:y/></s:metadata>
    </s:video></s:switch></s:body>
</s:smil>"""
    out["without-head-bitrates-or-numbers"] = (
        b"<smil><body><switch><video src='a.mp4'/><video src='b.mp4'/><audio src='a.mp4'/></switch></body></smil>"
    )
    out["tracks-in-par-and-seq"] = (
        b"<smil><body><par><video src='a'/><seq><audio src='b'/></seq></par>"
        b"<textstream src='c' systemLanguage='eng' Subtype='SUBT'><param name='trackName' value='cc'/></textstream></body></smil>"
    )
    out["every-param"] = b"""<smil xmlns="http://www.w3.org/2001/SMIL20/Language">
<head><meta name="clientManifestRelativePath" content="film &quot;1&quot;.ismc"/><meta content="only"/></head>
<body><switch><video src="film%201.ismv" systemBitrate="1 000" width='640' height='360'>
<param name="trackID" value="1"/><param name="trackName" value="v&#10;w"/><param name="timeScale" value="90000"/>
<param name="FourCC" value="HVC1"/><param name="CodecPrivateData" value="00000001"/><param name="MaxWidth" value="640"/>
<param name="hardwareProfile" value="1000"/><param value="nameless"/><param/></video></switch></body></smil>"""
    out["for-live"] = (
        b'<smil><head><meta name="lookAheadFragmentCount" content="2"/><meta name="dvrWindowLength" content="0"/></head>'
        b'<body><switch><video src="Streams(x)" systemBitrate="1"><param name="timescale" value="1"/></video></switch></body></smil>'
    )
    out["comments-instructions-and-cdata"] = (
        b"<?xml version='1.0'?><!-- a --><?p i?><smil><![CDATA[<video/>]]><body>&lt;<video src='&#x41;'/></body></smil><!-- z -->\n"
    )
    out.update(hostile_xml("smil", "<body><video", "/></body>"))
    many = "".join(f"<video src='{n}'/>" for n in range(200))
    out["200-tracks"] = f"<smil><body>{many}</body></smil>".encode()
    return out


def client_manifests():
    out = {}
    text = lambda name: (TESTDATA / name / f"{name}.ismc").read_bytes()
    for name in ("ladder", "split", "ntsc"):
        out[name] = text(name)
    as_text = text("split").decode().replace("utf-8", "utf-16")
    out["in-utf-16-with-mark"] = as_text.encode("utf-16")
    out["says-utf-16-and-is-utf-8"] = as_text.encode()
    stream = lambda inside, attributes="Type='video'": (
        f"<SmoothStreamingMedia MajorVersion='2' MinorVersion='0' Duration='0'>"
        f"<StreamIndex {attributes}>{inside}</StreamIndex></SmoothStreamingMedia>"
    ).encode()
    out["of-version-1"] = b"""<?xml version="1.0"?>
<SmoothStreamingMedia MajorVersion="1" MinorVersion="0" Duration="40000000">
  <StreamIndex Type="video" Subtype="WVC1" Chunks="2" Url="QualityLevels({bitrate})/Fragments(video={start time})">
    <QualityLevel Bitrate="350000" FourCC="WVC1" Width="320" Height="176" CodecPrivateData="250000010F" />
    <c n="0" d="20000000" /><c n="1" d="20000000" />
  </StreamIndex>
  <StreamIndex Type="audio" Subtype="WmaPro" Chunks="2">
    <QualityLevel Bitrate="64000" WaveFormatEx="620102004" /><c n="0" d="20201360" /><c n="1" d="19798640" />
  </StreamIndex>
</SmoothStreamingMedia>"""
    out["of-a-live-event"] = b"""<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" TimeScale="10000000" Duration="0"
 LookAheadFragmentCount="2" IsLive="TRUE" DVRWindowLength="600000000" CanSeek="1" CanPause="false">
 <StreamIndex Type="video" Name="video" Chunks="0" QualityLevels="1"><QualityLevel Index="0" Bitrate="1" FourCC="HEV1"/>
 <c t="636000000000000000" d="20000000" r="30"/><c/></StreamIndex></SmoothStreamingMedia>"""
    out["protected"] = b"""<SmoothStreamingMedia MajorVersion="2" MinorVersion="1" Duration="9"><Protection>
<ProtectionHeader SystemID="{9A04F079-9840-4286-AB92-E65BE0885F95}">
  AAAA
  BBBB==
</ProtectionHeader><ProtectionHeader SystemID="none"/><Other/></Protection></SmoothStreamingMedia>"""
    out["custom-attributes"] = stream(
        "<QualityLevel Bitrate='5'><CustomAttributes><Attribute Name='a' Value='b'/><Attribute/></CustomAttributes></QualityLevel>"
        "<QualityLevel Bitrate='5' MaxWidth='2' Width='1'/>"
    )
    out["sparse-and-embedded"] = stream(
        "<QualityLevel Index='0' Bitrate='1000' FourCC='DATA'/><c t='100'><f i='0' s='3' q='1'>QU\nJD</f><f/></c><c t='900'><f>R&#x41;==</f></c>",
        "Type='text' Name='cues' Subtype='DATA' ParentStreamIndex='video' ManifestOutput='TRUE' Scheme='urn:scte'",
    )
    out["attributes-of-chunks-that-are-unknown"] = stream(
        "<QualityLevel Bitrate='1'/><c t='0' d='20' x='y' name='a=&quot;b&amp;'><f i='0' s='3' q='1' z='&lt;' zz=''>QUJD</f></c>"
        "<c d='20' x='' other='1'/><c d='20' n='no number'/>",
        "Type='text' Name='cues' ManifestOutput='TRUE'",
    )
    out["captions"] = stream(
        "<QualityLevel Bitrate='0' FourCC='TTML' CodecPrivateData=''/><c d='1' r='4'/>",
        "Type='text' Subtype='CAPT' Language='eng' Name='caption &amp; more'",
    )
    aac = "<QualityLevel Bitrate='9' FourCC='{}' CodecPrivateData='{}' SamplingRate='48000' Channels='2' BitsPerSample='16' PacketSize='4' AudioTag='255'/>"
    out["sound-of-every-profile"] = stream(
        "".join(aac.format(*one) for one in (("AACL", "1190"), ("AACH", "2B118800"), ("AACP", "EB098800"), ("AACH", ""), ("AACL", ""))),
        "Type='audio' TimeScale='48000'",
    )
    one = "<QualityLevel Bitrate='{}' FourCC='{}' CodecPrivateData='{}' SamplingRate='44100' Channels='2' BitsPerSample='16' PacketSize='2973' AudioTag='{}'/>"
    out["sound-of-all-other-codecs"] = stream(
        "".join(
            one.format(number, *quality)
            for number, quality in enumerate(
                [
                    ("WMAP", "1000030000000000000000000000E00042C0", 354),
                    ("WMA2", "008800000F0000000000", 353),
                    ("WMAP", "", 85),
                    ("EC-3", "00063F000000AF87FBA7022DFB42A4D405CD93843BDD0700200F00", 65534),
                    ("AC-3", "", 65534),
                    ("OPUS", "", 0),
                    ("MP3", "", 85),
                    ("DTSC", "00", 0),
                ]
            )
        )
        + f"<QualityLevel Bitrate='90' WaveFormatEx='{wave(0x161, bytes(10)).hex()}'/>"
        + f"<QualityLevel Bitrate='91' FourCC='WMAP' WaveFormatEx='{wave(0x162, bytes(18)).hex()}'/>",
        "Type='audio'",
    )
    out["captions-of-all-other-codecs"] = stream(
        "<QualityLevel Bitrate='1' FourCC='WVTT' CodecPrivateData='574542565454'/>"
        "<QualityLevel Bitrate='2' FourCC='DFXP'/><QualityLevel Bitrate='3' FourCC='XXXX'/>",
        "Type='text'",
    )
    h264 = "00000001" + SPS.hex() + "00000001" + PPS.hex()
    h265 = "".join("00000001" + unit.hex() for unit in H265)
    out["pictures-of-every-codec"] = stream(
        f"<QualityLevel Bitrate='1' FourCC='H264' CodecPrivateData='{h264}' MaxWidth='160' MaxHeight='90'/>"
        f"<QualityLevel Bitrate='2' FourCC='avc1' CodecPrivateData='{h264}' NALUnitLengthField='2'/>"
        f"<QualityLevel Bitrate='3' FourCC='HVC1' CodecPrivateData='{h265}'/>"
        f"<QualityLevel Bitrate='4' FourCC='hev1' CodecPrivateData='{h265}' NALUnitLengthField='1'/>"
        f"<QualityLevel Bitrate='5' FourCC='WVC1' CodecPrivateData='250000010FD3FE27F1678A27F859E80C9082E948C1CD400000010E5A67F840'/>"
        f"<QualityLevel Bitrate='6' FourCC='DVH1' CodecPrivateData='{h265}'><CustomAttributes><Attribute Name='codecs' Value='dvh1.05.06'/></CustomAttributes></QualityLevel>"
        f"<QualityLevel Bitrate='7' FourCC='DVAV' CodecPrivateData='{h264}'/>"
    )
    for name, chunks in {
        "chunks-by-start-alone": "<c t='0'/><c t='20'/><c t='45'/>",
        "chunks-by-duration-alone": "<c d='20'/><c d='25'/><c/>",
        "chunks-with-gaps-and-runs": "<c t='5' d='2' r='3'/><c d='2'/><c t='100' d='2' r='20'/><c n='7' d='2'/><c t='1' d='1'/>",
        "chunks-from-before-0": "<c t='18446744073709338283' d='213332'/>",
        "chunks-of-no-duration": "<c t='0' d='0' r='5'/><c t='0' d='5' r='2'/>",
        "chunks-numbered-to-the-end": "<c n='4294967295' t='0' d='1' r='3'/>",
        "c-r-claims-a-million-chunks": "<c t='0' d='20000000' r='1000000'/>",
        "c-r-claims-5-billion-chunks": "<c t='0' d='1' r='5000000000'/>",
        "c-r-claims-2-to-the-64-chunks": "<c t='0' d='0' r='18446744073709551615'/><c d='0' r='9'/>",
        "c-r-goes-beyond-64-bits": "<c t='0' d='2' r='18446744073709551615'/>",
        "c-r-of-0": "<c t='0' d='2' r='0'/>",
        "c-r-without-duration": "<c t='0' r='2'/>",
    }.items():
        out[name] = stream(chunks)
    out["numbers-that-are-none"] = stream(
        "<QualityLevel Bitrate='1' MaxWidth='a' Width='5' Index='-1' Channels=''/>",
        "Type='VIDEO' MaxWidth='a' Index='b' TimeScale='0' ManifestOutput='maybe'",
    ).replace(b"Duration='0'", b"Duration='0' IsLive='perhaps' TimeScale='x' DVRWindowLength='-5'")
    out["counts-that-are-no-numbers"] = stream("", "Type='video' Chunks='many' QualityLevels='some'")
    out["versions-that-are-no-numbers"] = (
        b"<SmoothStreamingMedia MajorVersion='two' MinorVersion='x' Duration='long'/>"
    )
    out["attributes-that-are-unknown"] = stream("<QualityLevel Bitrate='1' a:b='c' d='&lt;'/>", "Type='audio' e='f'")
    # Beside the media of the `tiny` film: what the lenient reading corrects.
    good = "<QualityLevel Bitrate='60000'/><c t='0' d='20000000'/><c d='20000000'/><c d='20000000'/>"
    for name, inside in {
        "of-a-film-with-numbers-with-a-fraction": good.replace("60000", "60000.0").replace("d='2", "d=' 2", 1),
        "of-a-film-with-durations-with-a-fraction": good.replace("000'", "000.4'"),
        "of-a-film-with-empty-times": good.replace("<c d=", "<c t='' d=").replace("/><c", " r=''/><c"),
        "of-a-film-with-a-quality-without-bitrate": "<QualityLevel Bitrate=''/>" + good,
        "of-a-film-with-a-quality-without-media": "<QualityLevel Bitrate='-1'/>" + good + "<QualityLevel Bitrate='9'/>",
        "of-a-film-from-before-0": good.replace("<c t='0' d='20000000'/><c", "<c t='-5' d='20000005'/><c t='20000000'"),
        "of-a-film-beside-a-stream-of-no-type": good + "</StreamIndex><StreamIndex Type='data'><c d='x'/>",
        "of-a-film-beside-chunks-without-a-quality": good + "</StreamIndex><StreamIndex Type='audio'><c t='0' d='9'/>",
        "of-a-film-beside-a-stream-of-impossible-times": good + "</StreamIndex><StreamIndex Type='audio'><c d='-1'/>",
    }.items():
        out[name] = stream(inside, "Type='video' QualityLevels='2.0' Chunks='3'")
    out.update(hostile_xml("SmoothStreamingMedia", "<StreamIndex Type='video'", "/>"))
    return out


def hostile_xml(root, before, after):
    doc = lambda inside, prolog="": f"{prolog}<{root}>{inside}</{root}>".encode()
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x"}">' for n in range(10))
    attributes = lambda count: "".join(f" a{n}=''" for n in range(count))
    return {
        "xml-entity-bomb": doc("&e9;", f"<!DOCTYPE r [{entities}]>"),
        "xml-external-entity": doc("&e;", '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        "xml-unknown-entity": doc(f"{before} b='&e;'{after}"),
        "xml-nested-65-deep": doc("<a>" * 64 + "</a>" * 64),
        "xml-nested-2000-deep": doc("<a>" * 2000),
        "xml-257-attributes": doc(f"{before}{attributes(257)}{after}"),
        "xml-255-attributes": doc(f"{before}{attributes(255)}{after}"),
        "xml-attribute-twice": doc(f"{before} b='' b=''{after}"),
        "xml-two-roots": doc("") + doc(""),
        "xml-unclosed": f"<{root}>{before}".encode(),
        "xml-control-character": doc(f"{before} b='&#1;'{after}"),
        "xml-half-a-character": doc("").replace(b"><", b">\xe2\x82<"),
        "xml-quotes-in-names": doc(f"{before} b'c=\"'\"{after}"),
        "xml-a-value-that-ends-like-an-attribute": doc(f"{before} a='c b=' b='x'{after}"),
        "xml-an-empty-document": b"",
        "xml-half-a-utf-16-pair": b"\xff\xfe" + doc("").decode().encode("utf-16-le") + b"\x00\xd8",
        "xml-declares-what-it-is-not": b"<?xml version='1.0' encoding='utf-16le'?>" + doc(""),
        "xml-declares-the-replacement": b"<?xml version='1.0' encoding='iso-2022-kr'?>" + doc(""),
    }


# --- captions ------------------------------------------------------------------------------------


def ttml(body, head="", attributes="", base="http://www.w3.org/ns/ttml", style="styling"):
    names = f'xmlns="{base}" xmlns:tts="{base}#{style}" xmlns:ttp="{base}#parameter"'
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<tt {names} xml:lang="en"{attributes}>\n'
        f"<head>{head}</head>\n<body>{body}</body></tt>\n"
    ).encode()


def captions():
    p = lambda text, begin="1s", end="12s", more="": (
        f'<p begin="{begin}" end="{end}"{more}>{text}</p>'
    )
    div = lambda *inside: ttml(f"<div>{''.join(inside)}</div>")
    draft = "http://www.w3.org/2006/{}/ttaf1"
    region = (
        '<layout><region xml:id="top" tts:origin="10% 5%" tts:extent="80% 20%"/>'
        '<region xml:id="low"><style tts:origin="64px 288px"/><style tts:extent="512px 54px"/>'
        '<style tts:displayAlign="after"/><style tts:textAlign="center"/></region></layout>'
    )
    styles = (
        '<styling><style xml:id="a" tts:color="yellow"/><style xml:id="b" style="a c" '
        'tts:fontStyle="italic"/><style xml:id="c" style="b" tts:backgroundColor="#0000ff"/></styling>'
    )
    rates = ' ttp:frameRate="30" ttp:frameRateMultiplier="1000 1001" ttp:subFrameRate="2"'
    square = "".join(p("a", f"{n}ms", "20s") for n in range(300))
    return {
        "one-caption": div(p("one")),
        "no-captions": ttml(""),
        "the-drafts-of-2006-10": ttml(
            f"<div>{p('a')}</div>", base=draft.format("10"), style="style"
        ),
        "the-drafts-of-2006-04": ttml(
            f"<div>{p('a')}</div>", base=draft.format("04"), style="style"
        ),
        "a-prefix-for-everything": b"<t:tt xmlns:t='http://www.w3.org/ns/ttml'><t:body><t:div>"
        b"<t:p begin='0s' dur='2s'>a<t:br/>b</t:p></t:div></t:body></t:tt>",
        "no-namespace": b"<tt><body><div><p end='1s' tts:fontWeight='bold'>a</p></div></body></tt>",
        "clock-times": div(p("a", "00:00:01.250", "00:00:02"), p("b", "00:00:03:12", "00:00:04:29")),
        "frames-of-ntsc": ttml(f"<div>{p('a', '30f', '00:00:09:29.1')}</div>", "", rates),
        "a-time-code-with-dropped-frames": ttml(
            f"<div>{p('a', '00:00:01:00', '00:00:11:15')}</div>",
            "",
            rates + ' ttp:timeBase="smpte" ttp:dropMode="dropNTSC"',
        ),
        "ticks-of-smooth-streaming": ttml(
            f"<div>{p('a', '10000000t', '123456789t')}</div>", "", ' ttp:tickRate="10000000"'
        ),
        "a-sequence": ttml(
            '<div timeContainer="seq"><p dur="2s">a</p><p begin="1s" dur="4s">b</p>'
            '<p timeContainer="seq"><span dur="3s">c</span> <span dur="3s">d</span></p><p>e</p></div>'
        ),
        "spans-with-times": div(p('a <span begin="1s">b</span> <span end="9s">c</span>')),
        "captions-that-overlap": div(p("a"), p("b", "2s", "14s"), p("c", "3s", "5s"), p("d")),
        "regions-and-styles": ttml(
            f"<div>{p('a', more=' region=' + chr(34) + 'top' + chr(34))}"
            f"{p('b<span tts:color=' + chr(34) + '#FF0000' + chr(34) + '>c</span>', more=' region=' + chr(34) + 'low' + chr(34))}</div>",
            region,
            ' tts:extent="640px 360px"',
        ),
        "styles-in-a-circle": ttml(f"<div>{p('a', more=' style=' + chr(34) + 'b' + chr(34))}</div>", styles),
        "markup-as-text": div(p("&lt;b&gt; --&gt; &amp;amp; <![CDATA[</c> & -->]]>")),
        "empty-lines": ttml(
            '<div xml:space="preserve">' + p("\n\n a \n\n<br/><br/>\tb&#13;&#10;&#13; \n") + "</div>"
        ),
        "images": ttml(
            '<div xmlns:smpte="http://www.smpte-ra.org/schemas/2052-1/2010/smpte-tt" '
            'smpte:backgroundImage="#a"/><div>' + p('<image src="a.png"/>') + "</div>"
        ),
        "times-that-cannot-be-read": div(p("a", "x", "1:2:3:4:5"), p("b", "-1s", "2d"), p("c", "1s", "")),
        "times-at-the-end-of-time": div(
            p("a", "999999999999h", "1s"), p("b", "1844674407370955161s", "99999999999999999s")
        ),
        "times-of-many-digits": div(p("a", "0.000000000000000001s", "0.99999999999999999999999s")),
        "rates-at-their-limits": ttml(
            f"<div>{p('a', '4294967295f', '1t')}</div>",
            "",
            ' ttp:frameRate="4294967295" ttp:frameRateMultiplier="4294967295 1" ttp:tickRate="1"'
            ' ttp:subFrameRate="4294967295"',
        ),
        "three-hundred-captions-at-once": div(square),
        "utf-16": b"\xff\xfe" + div(p("\u00e4")).decode().encode("utf-16-le"),
        **{
            f"{name}": data
            for name, data in hostile_xml("tt", "<body", "/>").items()
        },
    }


def subtitles():
    times = "00:00:01,000 --> 00:00:02,500"
    srt = f"1\n{times}\n<i>One</i>\ntwo\n\n2\n00:00:03,000 --> 00:00:04,000\nThree\n"
    vtt = "WEBVTT\n\n00:01.000 --> 00:02.500 align:start line:0\n<v Roger>One &amp; <i>two</i>\n"
    many = "".join(f"00:00:{n % 60:02},{n} --> 00:01:00,000\n{n}\n" for n in range(100, 300))
    film = captions()
    texts = {
        "subrip": srt,
        "subrip-without-numbers": srt.replace("1\n", "", 1).replace("\n2\n", ""),
        "subrip-with-carriage-returns": srt.replace("\n", "\r\n"),
        "subrip-with-returns-alone": srt.replace("\n", "\r"),
        "subrip-with-points": srt.replace(",", "."),
        "subrip-without-an-end": srt.rstrip(),
        "subrip-with-empty-lines": f"{times}\n\n\na\n\n \nb\n\n\n",
        "subrip-of-numbers": f"{times}\n1\n2\n3\n{times}\n4\n\n5\n6\n{times}\n7",
        "subrip-in-any-order": f"00:00:09,000 --> 00:00:10,000\na\n{times}\nb\n{times}\nc",
        "subrip-that-overlaps": many,
        "tags-of-subrip": f"{times}\n<b><i><u><font color='#ff0' size=2>a</b>b</font></i><laughs>c</u></x><",
        "codes-of-substation": f"{times}\n{{\\an8}}{{\\i1\\b1}}a{{\\i0}}b{{\\pos(1,2)}}{{\\}}{{c}}{{\\an}}{{",
        "open-tags-without-end": f"{times}\n" + "<i>" * 100 + "a" + "</b>" * 100 + "<" * 100,
        "colours-that-change": f"{times}\n" + "<b><i><u>" + "<font color=red>a<font color=lime>b" * 40,
        "times-that-cannot-be-read": f"00:00:02,000 --> 00:00:01,000\na\n-1:00 --> 2:00\nb\n0:0:0 --> 1:x\n{times}\nc",
        "times-at-their-limits": "9999999:99:99,9999999 --> 9999999:99:99.99999999\na\n0:0 --> 9999999:59:59:9\nb",
        "coordinates": f"{times} X1:100 X2:200 Y1:1 Y2:2\na",
        "characters-that-xml-cannot-hold": f"{times}\na\x01b\x1f\ufffec&#1;&#xFFFE;&#0;",
        "references": f"{times}\n&amp;&lt;&gt;&nbsp;&lrm;&#65;&#x1F600;&;&#;&#x;&nope;&amp",
        "webvtt": vtt,
        "webvtt-without-cues": "WEBVTT",
        "webvtt-with-a-title": "WEBVTT a title\nKind: captions\n\n00:01.000 --> 00:02.000\na\n",
        "webvtt-blocks": "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\n\nNOTE a\nb\n\nSTYLE\n::cue {}\n\n"
        "REGION\nid:r width:40% lines:3 regionanchor:0%,100% viewportanchor:10%,30%\n\nid\n00:01.000 --> 00:02.000 region:r\na",
        "webvtt-settings": "WEBVTT\n\n" + "".join(
            f"00:0{n}.000 --> 00:0{n}.500 {settings}\na\n\n"
            for n, settings in enumerate([
                "vertical:rl line:0", "vertical:lr position:10%,line-left size:35%", "line:-3 align:end", "line:50%,center",
                "position:100%,line-right align:left size:100%", "size:0%", "line:100%,end position:0%", "align:x line:y size:101%",
            ])
        ),
        "webvtt-tags": "WEBVTT\n\n00:01.000 --> 00:02.000\n<c.yellow.bg_blue.x>a<00:01.500>b</c> <ruby>c<rt>d</ruby><lang en>e<rt>f</v></c>",
        "webvtt-from-right-to-left": "WEBVTT\n\n00:01.000 --> 00:02.000 align:start\n- \u05e9\u05dc\u05d5\u05dd",
        "webvtt-times-without-lines-between": "WEBVTT\n00:01.000 --> 00:02.000\na\n00:01.500 --> 00:03.000\nb --> c",
        "nothing-but-line-ends": "\n" * 3000,
        "no-captions": "a text without times",
    }
    encoded = {
        "subrip-in-windows-1252": f"{times}\n\u00e9\u2013".encode("cp1252"),
        "subrip-in-utf-16": b"\xff\xfe" + srt.encode("utf-16-le"),
        "webvtt-with-a-mark": b"\xef\xbb\xbf" + vtt.encode(),
        "webvtt-in-big-utf-16": b"\xfe\xff" + vtt.encode("utf-16-be") + b"\0",
        **{f"ttml-{name}": film[name] for name in (
            "the-drafts-of-2006-10", "a-prefix-for-everything", "no-namespace", "clock-times", "frames-of-ntsc",
            "a-time-code-with-dropped-frames", "a-sequence", "spans-with-times", "captions-that-overlap", "regions-and-styles",
            "markup-as-text", "empty-lines", "images", "times-that-cannot-be-read", "times-at-the-end-of-time", "utf-16",
        )},
    }
    return {**{name: text.encode() for name, text in texts.items()}, **encoded}


# --- request paths -------------------------------------------------------------------------------


def request_paths():
    lines = {
        "fragments": "QualityLevels(307200)/Fragments(video=20000000)",
        "fragments-with-slash": "/QualityLevels(307200)/Fragments(video=20000000)",
        "key-frames": "QualityLevels(350000)/KeyFrames(video=610275114)",
        "raw-fragments": "QualityLevels(64000)/RawFragments(audio_eng=0)",
        "fragment-info": "QualityLevels(64000)/FragmentInfo(audio_eng=18446744073709551615)",
        "attributes": "QualityLevels(5,Compatibility=Handheld,b=c)/Fragments(video=1968000)",
        "any-letter-case": "qualitylevels(5)/FRAGMENTS(video=0)",
        "percent-encoded": "QualityLevels%285%2Ca=b%29/Fragments%28audio_fr%20%C3%A9%3Dx%3D0%29",
        "encoded-twice": "QualityLevels(5)/Fragments(a%2525=0)",
        "encoded-slash": "QualityLevels(5)/Fragments(a%2Fb=0)",
        "encoded-backslash-and-zero": "QualityLevels(5)/Fragments(a%5C%00=0)",
        "encoded-half-a-character": "QualityLevels(5)/Fragments(a%E2%82=0)",
        "lone-percent": "QualityLevels(5%)/Fragments(v%2=0)",
        "parentheses-inside": "QualityLevels(5,a=(b))/Fragments(v(1)=0)",
        "a-stream-of-spaces-that-grows": "QualityLevels(5)/Fragments(" + " " * 2000 + "=0)",
        "bitrate-of-33-bits": "QualityLevels(4294967296)/Fragments(video=0)",
        "time-of-65-bits": "QualityLevels(5)/Fragments(video=18446744073709551616)",
        "time-as-a-double": "QualityLevels(5)/Fragments(video=18446744073709552000)",
        "time-before-0": "QualityLevels(5)/Fragments(video=-213333)",
        "a-path-of-5000-bytes": "QualityLevels(5)/Fragments(" + "v" * 5000 + "=0)",
        "for-hls": "QualityLevels(5)/Fragments(video=0,format=m3u8-aapl)",
        "manifest": "Manifest",
        "manifest-for-hls": "film.ism/manifest(format=m3u8-aapl)",
        "manifest-options": "Manifest( Format = mpd-time-cmaf , encryption=cenc )",
        "manifest-filter": "manifest(filter=NameA;NameB)",
        "manifest-options-malformed": "Manifest(format=,=x,(a))",
        "manifest-query": "Manifest?token=a&aws.manifestfilter=video_height:1-720",
        "manifest-query-of-times": "Manifest?t=2026-11-21T10:00:00&vbegin=1&start=1763719200",
        "manifest-query-past-caches": "Manifest?t=1690000000&_=1690000000123",
        "virtual-playlist": ".m3u8",
        "playlist": "master.m3u8",
        "playlist-of-a-track": "audio_fr%20%C3%A9-64000~2.m3u8",
        "mpd": "/manifest.mpd?t=1690000000",
        "mpd-alone": "manifest.mpd",
        "mpd-with-key-frames": "trick.mpd",
        "header-of-a-track": "video-952962/init.mp4",
        "segment": "video-952962.key/18446744073709551615.m4s",
        "segment-of-text": "a%2Fb-0.vtt/0.vtt",
        "captions-of-an-event": "captions-1.vtt/5-18446744073709551615.vtt",
        "segment-without-a-time": "video-952962/-1.m4s",
        "virtual-mpd": "film.MPD",
        "url": "/films/a%20b.ism/QualityLevels(5)/Fragments(video=0)",
        "url-of-a-presentation": "/films/a:b%3F.ism",
        "url-of-a-presentation-with-slash": "films/film.ISML/",
        "url-with-folders-of-that-name": "a.ism/" * 6 + "Manifest",
        "url-that-leads-out": "/../../film.ism/Manifest",
        "url-that-leads-out-encoded": "/%2e%2e/film%2eism/Manifest",
        "url-that-leads-out-encoded-as-one": "/..%2ffilm.ism/Manifest",
        "url-with-empty-segments": "//a//film.ism/Manifest",
        "url-that-begins-with-an-encoded-empty-segment": "/%00/film.ism",
        "name-and-reference": "films/film.ism\nfilm_1.ismv",
        "reference-percent-encoded-twice": "films/a%20b.ism\na%2520b.ismv",
        "reference-in-a-folder": "film.ism\n./media\\film%201.ismv",
        "reference-that-leads-out": "films/film.ism\n..\\..\\etc/passwd",
        "reference-that-leads-out-encoded": "films/film.ism\n%2e%2e%2fpasswd",
        "reference-with-a-dot-and-a-slash": "films/film.ism\n.//etc/passwd",
        "reference-with-a-drive": "film.ism\nC:\\film.ismv",
        "reference-with-an-encoded-scheme": "film.ism\nhttp%3A//h/film.ismv",
        "reference-to-a-share": "film.ism\n\\\\host\\share\\film.ismv",
        "reference-of-no-text": "film.ism\n %FF%2e%2e/x ",
        "reference-of-nothing": "film.ism\n",
        "name-with-a-colon": "x/C:y",
        "name-of-4096-bytes": "a/" * 2047 + "aa",
        "name-of-4097-bytes": "a/" * 2048 + "a",
        "name-of-dots": ".../..a/b..",
    }
    return {name: text.encode() for name, text in lines.items()}


def http_requests():
    manifest = "/films/azure.ism/Manifest"
    video = "/films/azure.ism/QualityLevels(VIDEO)/Fragments(video=TIME)"
    etag = '"0123456789abcdef0123456789abcdef-m0"'
    requests = {
        "manifest": ("GET", manifest),
        "head-of-a-manifest": ("HEAD", manifest),
        "presentation": ("GET", "/films/azure.ism?token=1"),
        "fragment": ("GET", video),
        "fragment-info": ("GET", video.replace("Fragments", "FragmentInfo")),
        "key-frames-in-ranges": ("GET", video.replace("Fragments", "KeyFrames"), "Range: bytes=0-9,400-"),
        "another-method": ("POST", manifest),
        "options": ("OPTIONS", "*"),
        "preflight": ("OPTIONS", video, "Origin: https://tv.example.com",
            "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: range"),
        "of-a-page": ("GET", video, "Origin: https://tv.example.com"),
        "of-a-page-elsewhere": ("GET", manifest, "Origin: https://example.org"),
        "none-match-any": ("GET", video, "If-None-Match: *"),
        "none-match-list": ("GET", manifest, f'If-None-Match: "a,b", W/{etag},, "', "If-None-Match: x"),
        "match-none": ("GET", manifest, f"If-Match: {etag}"),
        "match-any": ("HEAD", video, "If-Match: *"),
        "modified-since": ("GET", manifest, "If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT"),
        "modified-since-no-date": ("GET", manifest, "If-Modified-Since: yesterday"),
        "unmodified-since": ("GET", "/films/poster%20one.jpg",
            "If-Unmodified-Since: Saturday, 29-Oct-94 19:43:31 GMT"),
        "range-of-one": ("GET", video, "Range: bytes=0-0"),
        "range-suffix": ("GET", video, "Range: bytes=-500"),
        "range-beyond": ("GET", video, "Range: bytes=99999999-"),
        "range-of-65-bits": ("GET", video, "Range: bytes=18446744073709551616-18446744073709551617"),
        "ranges": ("GET", video, "Range: bytes=0-9, 1000-1009, 500-509"),
        "ranges-that-touch": ("GET", manifest, "Range: bytes=0-99,50-149,200-"),
        "ranges-too-many": ("GET", video, "Range: bytes=" + ",".join(f"{n * 200}-{n * 200}" for n in range(40))),
        "range-malformed": ("GET", video, "Range: bytes=5-2,-,a-b"),
        "if-range": ("GET", video, f"If-Range: {etag}", "Range: bytes=0-9"),
        "if-range-date": ("GET", manifest, "If-Range: Sun Nov  6 08:49:37 1994", "Range: bytes=0-9"),
        "file": ("GET", "/films/poster%20one.jpg", "Range: bytes=2-5"),
        "file-of-nothing": ("GET", "/empty.txt", "Range: bytes=0-"),
        "file-that-is-media": ("GET", "/films/azure_60.mp4"),
        "file-that-is-hidden": ("GET", "/films/%2ehidden"),
        "file-refused": ("GET", "/films/spare.ismv"),
        "path-that-leads-out": ("GET", "/films/%2e%2e/%2e%2e/etc/passwd"),
        "client-access-policy": ("GET", "/clientaccesspolicy.xml"),
        "cross-domain": ("GET", "/crossdomain.xml", "Accept-Encoding: gzip;q=0.5, br, *;q=0"),
        "another-output": ("GET", manifest + "(format=m3u8-aapl)"),
        "absolute-target": ("GET", "http://example.com" + manifest),
    }
    fill = lambda target: target.replace("VIDEO", "60000").replace("TIME", "1596671758880")
    return {
        name: "\n".join([f"{method} {fill(target)}", *fields]).encode()
        for name, (method, target, *fields) in requests.items()
    }


def fragments_of(inputs):
    """What lies between header and index of the first media file of each input."""
    out = {}
    for name, data in inputs.items():
        at, file = 0, b""
        while at + 4 <= len(data):
            letter, length = chr(data[at]), int.from_bytes(data[at + 1 : at + 4])
            at += 4
            if letter == "x":
                file += bytes(length)
            elif letter == "1":
                file += data[at : at + length]
            at += 0 if letter in "xyz" else length
        first, last = file.find(b"moof"), file.rfind(b"mfra")
        found = file[first - 4 : last - 4 if last > first else None] if first > 0 else b""
        if 0 < len(found) < 16_384 and found not in out.values():
            out[name] = found
    return out


def cmaf():
    """Fragments behind 16 bytes of settings: kind, defaults of the file, start, delay, protection."""
    settings = lambda kind=0, start=40_040_000, delay=0, shift=0, by=0, iv=8: (
        u8(kind, 10, 6, 2) + u32(start, delay) + u8(shift, by, iv, 7)
    )
    senc = lambda flags, *entries: u32(len(entries)) + b"".join(entries)
    entry = lambda clear: bytes(8) + u16(1, clear) + u32(1)
    piff = lambda flags, *parts: ext(PIFF_SENC, 0, flags, *parts)
    sdtp = full("sdtp", 0, 0, u8(0x24, 0x14, 0x14, 0x14))
    ordered = Samples((10, 6, KEY, 20), (10, 6, OTHER, 40), (10, 6, OTHER, -10))
    claim = lambda count: fragment(
        1, [], extra=[full("trun", 0, 1, u32(count, 96))], tfhd=(0x20030, u32(6, KEY)), payload=bytes(60)
    )
    one = lambda *extra, **options: fragment(1, [gop()], extra=extra, **options)
    return {
        "times-of-smooth": settings() + one(tfxd(40_040_000), full("free", 0, 0)),
        "pictures-out-of-order": settings(start=0) + fragment(1, [ordered]),
        "pictures-out-of-order-with-a-delay": settings(start=0, delay=20) + fragment(1, [ordered]),
        "a-start-before-0": settings(start=-5) + one(),
        "a-start-of-60-bits": settings(start=0x7FFF_FFFF, shift=31) + one(),
        "a-start-of-decoding": settings(by=1) + one(tfdt(5)),
        "three-runs": settings() + fragment(1, [gop(), ordered, gop("k.")]),
        "flags-by-sdtp": settings() + one(sdtp),
        "flags-by-a-short-sdtp": settings() + one(full("sdtp", 0, 0, u8(0x14, 0x24))),
        "sound": settings(kind=1) + one(),
        "defaults-of-the-file": settings(kind=1) + claim(10),
        "a-claim-of-four-billion-samples": settings() + claim(-1),
        "an-absolute-offset": settings() + one(tfhd=(1, u64(1000))),
        "an-mdat-of-64-bits": settings() + one(mdat=large("mdat", bytes(24))),
        "a-box-before-the-mdat": settings() + one(between=box("free", bytes(5))),
        "no-samples": settings() + fragment(1, []),
        "ivs-of-piff": settings() + one(piff(0, senc(0, *[bytes(8)] * 4))),
        "subsamples-of-piff": settings() + one(piff(2, senc(2, *map(entry, range(4))))),
        "a-key-of-its-own": settings()
        + one(piff(1, u32(0x108), bytes(16), senc(0, *[bytes(8)] * 4))),
        "in-the-clear": settings() + one(piff(1, u32(0), bytes(16), senc(0))),
        "ivs-in-the-mdat": settings()
        + one(full("saiz", 0, 0, u8(6), u32(1)), full("saio", 0, 0, u32(1, 240)), payload=bytes(400)),
    }


def rewritten():
    """Fragments with several `traf`s behind 8 bytes of settings: track, defaults of the file, start."""
    settings = lambda track=2, start=1000, size=6: u8(track, 10, size, 2) + u32(start)
    mixed = Samples((10, 6, KEY, 20), (10, 7, OTHER, 40), (10, 8, OTHER, -10))

    def shared(*trafs, start=1000, extra=(), mdat=None):
        """Each `traf`: its track, its runs, and its base: `a`bsolute, `m`oof, or `i`mplicit."""
        total = sum(run.bytes() for _, runs, _ in trafs for run in runs)

        def moof(data):
            out = b""
            for number, (track_id, runs, base) in enumerate(trafs):
                flags, field = {"a": (1, u64(start)), "m": (0x20000, b""), "i": (0, b"")}[base]
                truns = []
                for run in runs:
                    truns.append(run.trun(data))
                    data += run.bytes()
                head = full("tfhd", 0, flags, u32(track_id), field)
                out += box("traf", head, tfdt(500), *truns, *extra)
            return box("moof", full("mfhd", 0, 0, u32(1)), out)

        body = bytes(i * 7 & 0xFF for i in range(total))
        return moof(len(moof(0)) + 8) + (box("mdat", body) if mdat is None else mdat)

    silent = lambda *samples: Samples(*samples, offset=False)
    two = lambda base, **options: shared((1, [gop()], base), (2, [mixed], base), **options)
    return {
        "two-tracks-from-the-start-of-the-file": settings() + two("a"),
        "two-tracks-from-their-moof": settings() + two("m"),
        "the-first-of-two-tracks": settings(1) + two("a"),
        "a-track-that-is-not-there": settings(3) + two("a"),
        "another-start": settings(start=7) + two("a"),
        "behind-the-track-before": settings()
        + shared((1, [gop()], "i"), (2, [silent((10, 6, KEY, 0), (10, 9, OTHER, 5))], "i")),
        "three-runs": settings() + shared((1, [gop()], "a"), (2, [gop(), mixed, gop("k.")], "a")),
        "two-trafs-of-one-track": settings() + shared((2, [gop()], "m"), (1, [mixed], "m"), (2, [mixed], "m")),
        "boxes-with-an-entry-per-sample": settings() + two("m", extra=[full("sdtp", 0, 0, u8(0x24, 0x14, 0x14, 0x14))]),
        "ivs": settings() + two("m", extra=[full("senc", 0, 0, u32(3), bytes(24))]),
        "ivs-elsewhere": settings()
        + two("m", extra=[full("saiz", 0, 0, u8(8), u32(3)), full("saio", 0, 0, u32(1, 40))]),
        "times-of-smooth": settings() + two("a", extra=[tfxd(40_040_000)]),
        "an-mdat-that-is-too-short": settings() + two("a", mdat=box("mdat", bytes(30))),
        "an-mdat-of-64-bits": settings() + two("a", mdat=large("mdat", bytes(80))),
        "defaults-of-the-file": settings(size=5)
        + shared((2, [], "m"), extra=[full("trun", 0, 0, u32(4))], mdat=box("mdat", bytes(20))),
        "a-claim-of-four-billion-samples": settings()
        + shared((2, [], "m"), extra=[full("trun", 0, 0, u32(-1))], mdat=box("mdat", bytes(20))),
    }


def smooth_push(*boxes, manifest=True, header=None):
    """What an encoder pushes: brands, a live server manifest, a `moov`, and these boxes."""
    text = smil(
        ("video", "Streams", 700_000, 1, "v"),
        ("audio", "Streams", 64_000, 2, ""),
    )
    named = ext(LIVE_SERVER_MANIFEST, 0, 0, text) if manifest else b""
    head = moov(VIDEO, AUDIO) if header is None else header
    return FTYP + named + head + b"".join(boxes)


def commands():
    """A stream of SCTE 35: the break and the time signal of the examples in SCTE 35, 14.1 and 14.2."""
    sections = [
        bytes.fromhex(of)
        for of in (
            "FC302F000000000000FFFFF014054800008F7FEFFE7369C02EFE0052CCF500000000000A0008435545490000013562DBA30A",
            "FC3034000000000000FFFFF00506FE72BD0050001E021C435545494800008E7FCF0001A599B00808000000002CA0A18A3402009AC9D17E",
        )
    ]
    return sparse(b"urn:scte:scte35:2013:bin", sections)


def sparse(scheme, sections):
    """Pictures, and a sparse stream of messages."""
    text = smil(("video", "Streams", 700_000, 1, "v"), ("textstream", "Streams", 0, 2, "ads")).replace(
        b'<textstream src="Streams" systemBitrate="0">',
        b'<textstream src="Streams" systemBitrate="0"><param name="Subtype" value="DATA"/><param name="parentTrackName" value="v"/>'
        b'<param name="Scheme" value="%b"/>' % scheme,
    )

    def message(number, time, section):
        payload = u32(1, number, 10_000_000) + section
        return fragment(2, [Samples((10_000_000, len(payload), KEY, 0))], [tfxd(time, 10_000_000)], payload=payload)

    head = moov(VIDEO, trak(2, "meta", 10_000_000, box("urim", bytes(6), u16(1))))
    pictures = [fragment(1, [gop()], [tfxd(n * 20_000_000)]) for n in range(6)]
    messages = [message(n, n * 30_000_000, section) for n, section in enumerate(sections * 2)]
    both = [one for n in range(4) for one in (pictures[n], messages[n])]
    return FTYP + ext(LIVE_SERVER_MANIFEST, 0, 0, text) + head + b"".join([*both, *pictures[4:]]) + box("mfra")


def captions_at(number):
    """A chunk of pictures, and behind each other one a caption: None stands for the pictures. The third is broken."""
    times = f'begin="{2 * number}s" end="{2 * number + 3}s"'
    document = f'<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p {times}>a<br/>b</p></div></body></tt>'.encode()
    document = document if number != 4 else document[:-9]
    caption = fragment(
        3, [Samples((30_000_000, len(document), KEY, 0))], [tfxd(number * 20_000_000, 30_000_000)], payload=document
    )
    return [None, caption] if number % 2 == 0 else [None]


def live_pushes():
    """Bodies behind two bytes of settings: the longest piece, and where the random numbers begin."""
    settings = lambda piece=40, seed=1: u8(piece, seed)
    one = lambda track=1, time=0, *extra, **options: fragment(
        track, [gop()], [tfxd(time), *extra], **options
    )
    end = box("mfra")
    styp = lambda *brands: box("styp", b"msdh", u32(0), b"msdh", *brands)
    elst = box("edts", full("elst", 0, 0, u32(1, 0, 20, 0x10000)))
    delayed = box("edts", full("elst", 0, 0, u32(2, 676, -1, 0x10000, 0, 0, 0x10000)))
    edited = lambda track, more=elst: u32(len(track) + len(more)) + track[4:] + more
    cmaf = lambda time: fragment(1, [gop()], front=[tfdt(time)])
    role = lambda value: full("kind", 0, 0, b"urn:mpeg:dash:role:2011\0" + value + b"\0")
    goes_on = box("styp", b"cmfl", u32(0), b"cmfl")
    tfrf = ext(TFRF, 1, 0, u8(1), u64(20_000_000, 20_000_000))
    senc = full("senc", 0, 0, u32(4), bytes(32))
    aux = [full("saiz", 0, 0, u8(8), u32(4)), full("saio", 0, 0, u32(1, 229)), senc]
    two = lambda base: box(
        "moof",
        full("mfhd", 0, 0, u32(1)),
        *(box("traf", full("tfhd", 0, base, u32(n), *([u64(0)] if base == 1 else []))) for n in (1, 2)),
    )
    streams = b'<smil><body><ref src="Streams(a)"/><ref src="x.isml/Events(1)/Streams(b)"/></body></smil>'
    point = b"""<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head>
<meta name="module" content="liveSmoothStreaming"/><meta name="sourceType" content="Push"/>
<meta name="publishing" content="Fragments;Streams"/><meta name="estimatedTime" content="60"/>
<meta name="lookaheadChunks" content="2"/><meta name="manifestWindowLength" content="0"/>
<meta name="startOnFirstRequest" content="True"/><meta name="restartOnEncoderReconnect" content="maybe"/>
<meta name="archivePath" content="D:\\a"/><meta name="archiveSegmentLength" content="x"/></head>
<body><par><ref src="http://a/b.isml"/></par></body></smil>"""
    utf_16 = streams.decode().encode("utf-16")
    both = [one(1, 0), one(2, -213_333), one(1, 20_000_000), one(2, 20_000_000)]
    return {
        "smooth": settings() + smooth_push(*both, end),
        "smooth-byte-by-byte": settings(1) + smooth_push(*both, end),
        "the-manifest-first": settings()
        + ext(LIVE_SERVER_MANIFEST, 0, 0, smil(("audio", "x", 1, 2, "a")))
        + smooth_push(*both, manifest=False),
        "the-manifest-last": settings()
        + moov(VIDEO, AUDIO)
        + ext(LIVE_SERVER_MANIFEST, 0, 0, smil(("video", "x", 0, 1, "")))
        + one(),
        "a-manifest-that-is-none": settings() + ext(LIVE_SERVER_MANIFEST, 0, 0, b"<html/>") + moov(VIDEO) + one(),
        "a-stream-manifest": settings()
        + FTYP
        + ext(STREAM_MANIFEST, 0, 0, streams)
        + ext(STREAM_MANIFEST, 0, 0, utf_16)
        + moov(VIDEO)
        + end,
        "a-stream-manifest-alone": streams,
        "a-publishing-point": point,
        "a-header-alone": settings() + smooth_push(),
        "a-header-that-is-repeated": settings()
        + smooth_push(one(), smooth_push(one()), moov(VIDEO, trak(2, "soun", 48000, mp4a())), one()),
        "codecs": settings()
        + moov(*(trak(n + 1, "vide" if n < 2 else "soun", 9000, e) for n, e in enumerate(other_entries()[:6]))),
        "text-without-a-name": settings()
        + smooth_push(one(3), header=moov(VIDEO, AUDIO, trak(3, "subt", 10_000_000, stpp(), "deu"))),
        **{
            f"captions-{piece}": settings(piece)
            + smooth_push(
                *(caption if caption else one(1, n * 20_000_000) for n in range(6) for caption in captions_at(n)),
                end,
                header=moov(VIDEO, trak(3, "subt", 10_000_000, stpp(), "deu")),
            )
            for piece in (250, 252)
        },
        **{f"commands-of-scte-35-{piece}": settings(piece) + commands() for piece in (250, 252)},
        **{
            f"tags-of-id3-{piece}": settings(piece)
            + sparse(b"http://www.id3.org/", [b"ID3\4\0" + u8(flags, 0, 0, 0, 5) + bytes(15) for flags in (0, 0x10)])
            for piece in (250, 252)
        },
        **{
            f"encrypted-cmaf-whose-pictures-are-reordered-{number}": settings()
            + box("ftyp", b"cmf2", u32(0), b"cmfc")
            + moov(VIDEO)
            + b"".join(
                styp() + fragment(1, runs, [senc], front=[tfdt(time)]) for time in (0, 20_000_000)
            )
            for number, runs in enumerate(
                (
                    [Samples(*((5_000_000, 6, flags, offset) for flags, offset in ((KEY, 10), (OTHER, 20), (OTHER, 0), (OTHER, 10))))],
                    [Samples((5_000_000, 6, KEY, 10), (5_000_000, 6, OTHER, 0)), Samples((5_000_000, 6, OTHER, None), (5_000_000, 6, OTHER, None))],
                )
            )
        },
        "times-of-32-bits": settings()
        + smooth_push(fragment(1, [gop()], [tfxd(5, version=0)], between=box("free", bytes(5)))),
        "a-time-of-a-later-version": settings()
        + smooth_push(fragment(1, [gop()], [ext(TFXD, 2, 0, u64(5, 6), bytes(8))])),
        "announced-by-the-encoder": settings() + smooth_push(one(1, 0, tfrf), one(1, 20_000_000, box("free", bytes(53)))),
        "auxiliary-information": settings() + smooth_push(fragment(1, [gop()], [tfxd(0), *aux])),
        "an-mdat-of-64-bits": settings() + smooth_push(one(mdat=large("mdat", bytes(24)))),
        "an-offset-that-is-wrong": settings()
        + smooth_push(one().replace(u32(184), u32(50))),
        "three-runs": settings() + smooth_push(fragment(1, [gop(), gop("k."), gop("k")], [tfxd(0)])),
        "cmaf": settings()
        + box("ftyp", b"cmf2", u32(0), b"cmfc")
        + moov(edited(VIDEO))
        + styp()
        + full("prft", 1, 0, bytes(24))
        + cmaf(20)
        + cmaf(20_000_020)
        + styp(b"lmsg")
        + full("sidx", 1, 0, bytes(40))
        + cmaf(40_000_020),
        "chunks-of-segments": settings()
        + moov(VIDEO)
        + b"".join(
            styp() + fragment(1, [gop()], front=[tfdt(time)]) + fragment(1, [gop("....")], front=[tfdt(time + 20_000_000)])
            for time in (0, 40_000_000)
        ),
        "chunks-that-say-that-they-are-some": settings()
        + moov(VIDEO)
        + b"".join(
            styp(b"cmfs")
            + cmaf(time)
            + goes_on
            + fragment(1, [gop("....")], front=[tfdt(time + 20_000_000)])
            + (goes_on + box("styp", b"cmfl", u32(0), b"lmsg") if time else b"")
            for time in (0, 40_000_000)
        ),
        "an-empty-edit": settings() + moov(edited(VIDEO, delayed)) + cmaf(0) + cmaf(20_000_000),
        "what-tracks-are-for": settings()
        + moov(
            edited(AUDIO, box("udta", role(b"alternate"), role(b"description"), u32(0))),
            trak(3, "meta", 1000, box("evte", bytes(6), u16(1))),
        )
        + box("emsg", bytes(20))
        + fragment(2, [gop("kk")], front=[tfdt(0)])
        + fragment(3, [gop("k")], front=[tfdt(0)]),
        "fragments-without-samples": settings()
        + moov(VIDEO)
        + cmaf(0)
        + fragment(1, [], front=[tfdt(20_000_000)])
        + fragment(1, [], front=[tfdt(40_000_000)], mdat=b"")
        + cmaf(60_000_000)
        + fragment(1, [], front=[tfdt(80_000_000)], mdat=b""),
        "chunks-of-sound-and-of-pictures": settings()
        + moov(VIDEO, AUDIO)
        + cmaf(0)
        + fragment(2, [gop("kk")], front=[tfdt(0)])
        + fragment(1, [gop("....")], [full("sdtp", 0, 0, u8(0x14, 0x14, 0x14, 0x14))], front=[tfdt(20_000_000)])
        + fragment(1, [gop("..")], front=[tfdt(40_000_000)])
        + cmaf(50_000_000),
        "no-times": settings() + smooth_push(fragment(1, [gop()]), fragment(1, [gop()])),
        "defaults-of-the-header": settings()
        + moov(VIDEO, trexs=[trex(1, 10, 6, OTHER)])
        + fragment(1, [], [full("trun", 0, 0, u32(4))], payload=bytes(24)),
        "an-absolute-offset": settings()
        + moov(VIDEO)
        + fragment(1, [gop()], [tfxd(0)], tfhd=(1, u64(len(moov(VIDEO))))),
        "samples-that-are-a-part-of-the-mdat": settings()
        + moov(VIDEO)
        + fragment(1, [gop()], front=[tfdt(7)], payload=bytes(40)),
        "two-tracks-in-a-moof": settings() + smooth_push(two(1), box("mdat", bytes(9))),
        "two-tracks-from-their-moof": settings() + smooth_push(two(0x20000), box("mdat", bytes(9)), one()),
        "broken-and-then-whole": settings()
        + smooth_push(
            one().replace(u32(184), u32(-1)).replace(b"trun\0\0\x07", b"trun\0\0\x0f"),
            one(9),
            fragment(1, [], [tfxd(0)]),
            one(mdat=box("mdat", bytes(5))),
            one(1, 2**63 - 9),
            box("mdat", bytes(3)),
            box("moof", bytes(3)),
            one(1, 60_000_000),
            end,
        ),
        "a-moof-without-its-mdat": settings() + smooth_push(one()[:-32], one()),
        "a-size-of-0": settings() + FTYP + to_end("moov", bytes(50)),
        "a-size-that-cannot-be": settings() + smooth_push(u32(7) + b"moof"),
        "a-moov-of-a-terabyte": settings() + u32(1) + b"moov" + u64(2**40),
        "an-mdat-of-a-terabyte": settings() + smooth_push(one(mdat=u32(1) + b"mdat" + u64(2**40) + bytes(24))),
        "no-header": settings() + one(),
        "a-film": settings() + FTYP + box("mdat", bytes(9)) + moov(VIDEO),
        "a-request": settings() + b"POST /x.isml/Streams(a) HTTP/1.1\r\n\r\n",
        "cut-off-in-a-moof": settings() + smooth_push(*both)[:-80],
        "cut-off-in-an-mdat": settings() + smooth_push(*both)[:-8],
        "a-window-that-moves": settings(39)
        + smooth_push(*(one(1, 20_000_000 * n) for n in range(30)), end, manifest=False, header=moov(VIDEO)),
    }


def buckets():
    """Answers of an object store: what is asked, then an answer per request (`bodies/bucket.rs`)."""
    asked = u8(10, 10) + u8(0, 10, 20, 30, 30, 40, 0, 100) + u8(0)
    # A whole answer, with an ETag, of an object of 100 bytes.
    right, other, weak, empty, timed = (u8(100, tags, 100) for tags in (1, 2, 3, 4, 24))
    listed = u8(3, 0) + u8(1, 100) + u8(2, 1, 100) + u8(4, 1, 100) + u8(2, 0, 1, 100, 2, 1, 100)
    unequal = lambda *lengths: u8(200, 1, 100) + u8(*lengths, 0)
    return {
        "right": asked + right * 12 + listed,
        "below-a-prefix": asked[:-1] + u8(3) + right * 12 + listed,
        "another-version": asked + right * 2 + other * 10,
        "another-version-in-the-tail": asked + right + other + right * 10,
        "another-size": asked + right * 2 + u8(100, 1, 50) * 10,
        "weak-tags": asked + weak * 12,
        "empty-tags-without-a-time": asked + empty * 12,
        "times-alone": asked + timed * 12,
        "a-version-beside-the-same-time": asked + timed + u8(100, 36, 100) * 11,
        "versions-of-which-one-is-gone": asked + u8(100, 6, 100) * 2 + u8(10) + u8(100, 12, 100) * 8,
        "a-version-that-comes-and-goes": asked + u8(100, 7, 100) * 2 + right * 4 + u8(100, 13, 100) * 4,
        "short": asked + unequal(5) * 12,
        "long": asked + unequal(20) * 12,
        "in-parts": asked + unequal(4, 6) * 12,
        "in-parts-that-are-too-long": asked + unequal(4, 6, 1) * 12,
        "broken-off": asked + (u8(200, 1, 100, 5, 255, 2)) * 12,
        "another-range": asked + u8(230, 1, 100, 20, 30, 10, 0) * 12,
        "a-range-that-ends-before-it-begins": asked + u8(230, 1, 100, 30, 20, 10, 0) * 12,
        "a-size-near-the-end-of-all": u8(255, 255) + asked[2:] + u8(100, 1, 255) * 12,
        "compressed": asked + u8(255, 1, 100, 0, 10, 10, 0) * 12,
        "no-bytes": asked + u8(8) * 2 + u8(100, 1, 0) * 8,
        "no-suffixes": asked + right + u8(5) + right * 10,
        "range-is-gone-and-the-object-shorter": asked + right * 2 + u8(8, 100, 1, 20) * 6,
        "condition-fails-in-the-body": asked + right * 2 + u8(200, 1, 100, 255, 2) * 6,
        "ends-in-the-body": asked + right * 2 + u8(200, 1, 100, 5, 255, 9) * 6,
        **{f"failure-{kind}": asked + right * 2 + u8(kind) * 10 for kind in range(11)},
        "a-long-listing": asked + right * 12 + u8(7) + u8(0, 1, 100) * 7,
        "nothing": b"",
    }


def varint(number):
    out = b""
    while number >= 0x80:
        out += u8(number & 0x7F | 0x80)
        number >>= 7
    return out + u8(number)


def index_files():
    """Lists of boxes in index files of the film without an index, as `src/index/index_file.rs` writes them."""
    media, data = b"", openings()["a-file-without-index"]
    while data:
        length = int.from_bytes(data[1:4], "big")
        if data[:1] == b"x":
            media, data = media + bytes(length), data[4:]
            continue
        media += data[4 : 4 + length] if data[:1] == b"1" else b""
        data = data[4 + length :]
    tops, at = [], 0
    while at < len(media):
        length = int.from_bytes(media[at : at + 4], "big")
        tops.append((media[at + 4 : at + 8], at, length))
        at += length
    start = next(at + length for kind, at, length in tops if kind == b"moov")
    fragments = []
    for (kind, at, length), (_, _, mdat) in zip(tops, tops[1:]):
        if kind == b"moof":
            tfhd = media.index(b"tfhd", at)
            fragments.append((int.from_bytes(media[tfhd + 8 : tfhd + 12], "big"), length, length + mdat))
    one = lambda track, moof, length, flags=1, times=b"": (
        u8(flags) + varint(track) + varint(moof) + varint(length) + varint(20_000_000) + varint(0) + times
    )
    head = lambda size=len(media), at=start: varint(size) + varint(at)
    every = b"".join(one(*fragment) for fragment in fragments)
    other = lambda kind, header, length: u8(0) + kind + varint(header) + varint(length)
    track, moof, length = fragments[0]
    return {
        "nothing": b"",
        "every-fragment": head() + every,
        "every-fragment-with-times": head() + b"".join(one(*f, 3, varint(40_000_000)) for f in fragments),
        "the-first-fragment": head() + one(*fragments[0]),
        "fragments-of-another-track": head() + b"".join(one(track % 2 + 1, *rest) for track, *rest in fragments),
        "fragments-that-are-too-long": head() + one(track, moof, length + 8) + every[len(one(*fragments[0])) :],
        "fragments-that-are-too-short": head() + one(track, moof, length - 1) * 3,
        "fragments-of-nine-bytes": head() + one(track, 9, 9) * 40,
        "times-that-step-back": head() + one(*fragments[0], 3, varint(100)) + one(*fragments[1], 3, varint(199)),
        "of-a-longer-file": head(len(media) + 1) + every,
        "from-another-byte": head(at=start + 1) + every,
        "one-box-over-all": head() + other(b"free", 8, len(media) - start),
        "a-box-beyond-the-end": head() + other(b"free", 8, len(media) - start + 1),
        "boxes-of-no-bytes": head() + other(b"free", 0, 0) * 9,
        "a-number-of-70-bits": head() + u8(1) + b"\xff" * 9 + b"\x7f",
        "unknown-flags": head() + u8(0x81) + every[1:],
        "cut-in-a-box": head() + every[:-3],
    }


def sample_tables():
    """The length of a file, and its `moov`: tables in every form, and tables that lie."""

    def runs(kind, *pairs, version=0):
        return full(kind, version, 0, u32(len(pairs)), *(u32(*pair) for pair in pairs))

    def words(kind, *numbers):
        return full(kind, 0, 0, u32(len(numbers), *numbers))

    def co64(*offsets):
        return full("co64", 0, 0, u32(len(offsets)), u64(*offsets))

    def stsz(*sizes):
        return full("stsz", 0, 0, u32(0, len(sizes), *sizes))

    def stz2(bits, count, data):
        return full("stz2", 0, 0, u32(bits, count), data)

    def elst(*edits, version=0):
        pack = u64 if version else u32
        return box("edts", full("elst", version, 0, u32(len(edits)), *(pack(*e[:2]) + u32(e[2]) for e in edits)))

    video = {
        "stts": runs("stts", (8, 512)),
        "ctts": runs("ctts", (1, 1024), (1, 2560), (1, 1024), (1, 0), (4, 1024)),
        "stsc": runs("stsc", (1, 3, 1), (3, 2, 1)),
        "sizes": stsz(90, 30, 12, 10, 80, 25, 9, 8),
        "stco": words("stco", 40, 200, 400),
        "stss": words("stss", 1, 5),
        "sdtp": b"",
    }
    sound = {
        "stts": runs("stts", (14, 1024), (1, 500)),
        "stsc": runs("stsc", (1, 5, 1)),
        "sizes": stsz(*range(5, 20)),
        "stco": words("stco", 172, 300, 500),
    }

    def track(track_id, handler, timescale, entry, tables, edits=b"", header=0, dinf=b""):
        stsd = full("stsd", 0, 0, u32(1), entry)
        minf = box("minf", dinf, box("stbl", stsd, *tables.values()))
        if header:
            mdhd = full("mdhd", 1, 0, u64(0, 0), u32(timescale), u64(4096), u16(0x55C4, 0))
        else:
            mdhd = full("mdhd", 0, 0, u32(0, 0, timescale, 4096), u16(0x55C4, 0))
        hdlr = full("hdlr", 0, 0, u32(0), handler.encode(), bytes(13))
        tkhd = full("tkhd", 0, 7, u32(0, 0, track_id, 0, 4096), bytes(60))
        return box("trak", tkhd, edits, box("mdia", mdhd, hdlr, minf))

    def film(v=None, s=None, length=600, edits=(elst((320, 1024, 65536)), elst((320, 1024, 65536))), scales=(12800, 48000), header=0, dinf=b""):
        mvhd = full("mvhd", 0, 0, u32(0, 0, 1000, 320), bytes(80))
        one = track(1, "vide", scales[0], avc1(), {**video, **(v or {})}, edits[0], header, dinf)
        two = track(2, "soun", scales[1], mp4a(), {**sound, **(s or {})}, edits[1], header)
        return u32(length) + box("moov", mvhd, one, two)

    def dinf(*entries):
        return box("dinf", full("dref", 0, 0, u32(len(entries)), *entries))

    seconds = {"stts": runs("stts", (8, 12800)), "ctts": b""}
    return {
        "nothing": b"",
        "video-and-sound": film(),
        "no-edits": film(edits=(b"", b"")),
        "samples-in-this-file": film(dinf=dinf(full("url ", 0, 1), full("url ", 0, 1))),
        "samples-in-another-file": film(dinf=dinf(full("url ", 0, 1), full("url ", 0, 0, b"other.mp4\0"))),
        "a-dref-without-sizes": film(dinf=dinf(u32(0), b"url ", u32(1))),
        "times-of-64-bits": film(edits=(elst((1 << 33, -1, 65536), (0, 1024, 65536), version=1), b""), header=1),
        "a-late-start": film(edits=(b"", elst((40, -1, 65536), (320, 1024, 65536)))),
        "an-edit-at-half-the-rate": film(edits=(elst((320, 0, 32768)), b"")),
        "two-edits": film(edits=(elst((9, 0, 65536), (9, 512, 65536)), b"")),
        "an-edit-beyond-the-end": film(edits=(elst((320, 0x7FFFFFFF, 65536)), b"")),
        "an-edit-inside-of-a-group": film(seconds, edits=(elst((320, 32000, 65536)), b"")),
        "chunks-of-seconds": film(seconds),
        "all-are-key-frames": film({"stss": b"", **seconds}),
        "no-key-frame": film({"stss": words("stss")}),
        "no-key-frame-at-the-start": film({"stss": words("stss", 3, 5)}),
        "key-frames-beyond-the-end": film({"stss": words("stss", 1, 9, 0xFFFFFFFF)}),
        "key-frames-that-step-back": film({"stss": words("stss", 1, 5, 4)}),
        "a-key-frame-0": film({"stss": words("stss", 0, 1)}),
        "dependencies": film({"sdtp": full("sdtp", 0, 0, u8(0x24, 0x14, 0x18, 0x18, 0x24, 0x14, 0x18, 0x58))}),
        "dependencies-of-fewer": film({"sdtp": full("sdtp", 0, 0, u8(0x24, 0x14))}),
        "sizes-of-4-bits": film(s={"sizes": stz2(4, 15, bytes(range(0x10, 0x18)))}),
        "sizes-of-8-bits": film(s={"sizes": stz2(8, 15, bytes(range(15)))}),
        "sizes-of-16-bits": film(s={"sizes": stz2(16, 15, u16(*range(15)))}),
        "sizes-of-12-bits": film(s={"sizes": stz2(12, 15, bytes(30))}),
        "one-size": film(s={"sizes": full("stsz", 0, 0, u32(7, 15))}),
        "4-billion-samples-of-one-size": film({"sizes": full("stsz", 0, 0, u32(1, 0xFFFFFFFF))}),
        "16-million-samples-of-one-size": film({"sizes": full("stsz", 0, 0, u32(1, 1 << 24))}),
        "60000-samples-without-bytes": film(
            {
                "sizes": stz2(4, 60000, bytes(30000)),
                "stts": runs("stts", (60000, 1)),
                "stsc": runs("stsc", (1, 60000, 1)),
                "stss": b"",
            }
        ),
        "stsz-claims-4-billion-sizes": film({"sizes": full("stsz", 0, 0, u32(0, 0xFFFFFFFF, 1, 2))}),
        "stco-claims-4-billion-chunks": film({"stco": full("stco", 0, 0, u32(0xFFFFFFFF, 40))}),
        "offsets-of-64-bits": film({"stco": co64(40, 200, 400)}),
        "offsets-at-the-end-of-all": film({"stco": co64(40, 2**64 - 60, 400)}),
        "offsets-beyond-the-file": film({"stco": words("stco", 40, 200, 700)}),
        "offsets-that-step-back": film({"stco": words("stco", 400, 200, 40)}),
        "samples-on-samples": film({"stco": words("stco", 40, 40, 40)}),
        "a-file-that-is-cut": film(length=310),
        "more-durations": film({"stts": runs("stts", (9, 512))}),
        "fewer-durations": film({"stts": runs("stts", (7, 512))}),
        "no-durations": film({"stts": runs("stts", (8, 0))}),
        "a-duration-of-0-in-the-middle": film({"stts": runs("stts", (3, 512), (1, 0), (4, 512))}),
        "durations-of-runs-of-0": film({"stts": runs("stts", *((0, 5),) * 40, (8, 512))}),
        "durations-below-0": film({"stts": runs("stts", (3, 512), (5, 0xFFFFFE00))}),
        "the-longest-durations": film({"stts": runs("stts", (8, 0x7FFFFFFF))}, scales=(1, 48000)),
        "durations-of-years": film({"stts": runs("stts", (8, 0x7FFFFFFF))}),
        "offsets-of-composition-below-0": film({"ctts": runs("ctts", (1, 0), (1, 1536), (6, 0xFFFFFC00), version=1)}),
        "the-largest-offsets-of-composition": film({"ctts": runs("ctts", (4, 0x7FFFFFFF), (4, 0x80000000))}),
        "fewer-offsets-of-composition": film({"ctts": runs("ctts", (2, 1024))}),
        "more-offsets-of-composition": film({"ctts": runs("ctts", (99, 1024))}),
        "chunks-that-begin-with-2": film({"stsc": runs("stsc", (2, 3, 1))}),
        "chunks-that-do-not-ascend": film({"stsc": runs("stsc", (1, 3, 1), (3, 2, 1), (3, 2, 1))}),
        "chunks-without-samples": film({"stsc": runs("stsc", (1, 0, 1))}),
        "chunks-for-fewer-samples": film({"stsc": runs("stsc", (1, 2, 1))}),
        "chunks-for-4-billion-samples": film({"stsc": runs("stsc", (1, 0xFFFFFFFF, 1))}),
        "another-coding-in-the-middle": film({"stsc": runs("stsc", (1, 3, 1), (3, 2, 2))}),
        "a-coding-that-is-missing": film({"stsc": runs("stsc", (1, 3, 7), (3, 2, 7))}),
        "a-timescale-of-0": film(scales=(0, 48000)),
        "the-largest-timescale": film(scales=(0xFFFFFFFF, 48000)),
        "other-timescales": film(scales=(90000, 1)),
        "no-samples": film(
            {
                "stts": runs("stts"),
                "ctts": b"",
                "stsc": runs("stsc"),
                "sizes": stsz(),
                "stco": words("stco"),
                "stss": b"",
            }
        ),
        "no-tables": film({key: b"" for key in video}),
    }


def live_journals():
    """Records of journals of live events, as `src/live/journal/record.rs` writes them."""
    u64 = lambda *n: b"".join(x.to_bytes(8, "big") for x in n)
    text = lambda data: u32(len(data)) + data
    smil = lambda src: b'<smil><body><switch><video src="%s" systemBitrate="400000"><param name="trackID" value="1"/></video></switch></body></smil>' % src
    to = lambda letter: lambda record: letter + u16(len(record)) + record
    j, h = to(b"j"), to(b"h")
    began = u8(1) + u64(7, 1 << 60) + u8(1) + b"e"
    file = lambda number, name: u8(3) + u32(number) + text(name) + text(smil(name)) + text(b"key%d" % number) + b"ftypmoov"
    placed = lambda number, time, start, length=100: u8(5) + u32(number) + u64(time, 20, start, 60, 68, length, 9)
    held = lambda number, time: u8(4) + u32(number) + u64(time, 20) + b"moofmdat"
    early = lambda key, time: u8(9) + text(smil(b"v.ismv")) + text(key) + text(b"ftypmoov") + u64(time, 20) + b"moofmdat"
    moved = lambda shift: u8(13) + u64(shift) + text(b"video") + b"192.0.2.1"
    ended = lambda flag, encoder: u8(19) + u8(flag) + text(b"video") + encoder
    header = lambda boxes: u8(17) + u8(1) + text(b"video") + text(b"192.0.2.1") + boxes
    cut = lambda number, length: u8(6) + u32(number) + u64(length)
    whole = [
        began, file(1, b"v.ismv"), file(2, b"a.isma"), u8(2) + u64(1234),
        placed(1, 0, 8), placed(2, 0, 8), placed(1, 20, 108), placed(2, 20, 108), placed(1, 40, 208),
    ]
    held_all = [began, early(b"key1", 0), held(1, 40), held(1, 60), held(2, 40), held(2, (1 << 64) - 5), early(b"new", 0)]
    event = b"".join(map(j, whole)) + b"".join(map(h, held_all))
    return {
        "an-event-that-goes-on": event,
        "fragments-that-are-wrong": event + b"\0" * 3,
        "cut-and-published-again": event + j(cut(1, 208)) + j(placed(1, 40, 208, 90)) + j(cut(2, 8)),
        "cut-where-no-fragment-begins": event + j(cut(1, 209)) + j(placed(1, 60, 308)),
        "stopped": event + j(u8(7)) + j(placed(1, 60, 308)),
        "closed": event + j(u8(7)) + j(u8(8)),
        "closed-and-not-stopped": event + j(u8(8)),
        "declared-again": event + j(file(1, b"v.ismv")) + j(file(2, b"other.isma")),
        "a-later-version": event + j(u8(77) + b"anything") + j(placed(1, 60, 308)),
        "times-that-step-back": event + j(placed(1, 20, 308)),
        "a-fragment-that-overlaps": event + j(placed(1, 60, 307)),
        "a-fragment-without-bytes": event + j(placed(1, 60, 308, 0)),
        "a-fragment-beyond-all-bytes": event + j(placed(1, 60, 308, (1 << 64) - 1)),
        "files-of-the-future": j(began) + j(file(2, b"v.ismv")) + j(file(0, b"v.ismv")),
        "another-event-is-held": j(began) + j(file(1, b"v.ismv")) + h(u8(1) + u64(8, 1) + u8(0)) + h(held(1, 0)),
        "held-in-the-journal": j(began) + j(file(1, b"v.ismv")) + j(held(1, 0)) + j(early(b"k", 0)),
        "encoders-that-are-moved": event + j(moved(10_000_000_000)) + j(moved((1 << 64) - 20)) + j(placed(1, 60, 308)),
        "moved-without-an-encoder": event + j((u8(13) + u64(9) + text(b"video"))) + j(u8(13) + u64(9) + u32(9) + b"v"),
        "encoders-that-have-ended": event + j(ended(1, b"192.0.2.1")) + j(ended(1, b"b")) + j(ended(1, b"b")) + j(ended(0, b"192.0.2.1")),
        "an-end-of-nobody": event + j(u8(19) + u8(1) + u32(9) + b"v") + j(placed(1, 60, 308)),
        "headers-of-encoders": event + j(header(b"moov")) + j(header(b"ftyp")) + j(placed(1, 60, 308)),
        "a-header-of-nobody": event + j(u8(17) + u8(0) + text(b"video") + u32(9) + b"1"),
        "films-that-are-due": j(began) + j(u8(10) + b"events/news.isml") + j(u8(18) + began[1:]) + j(u8(18) + u64(3)) + j(u8(8)),
        "the-record-of-a-point": j(began) + j(u8(10) + b"events/news.isml") + j(u8(11) + b"events/news.ism")
        + j(u8(12) + "première".encode()) + j(u8(7)) + j(u8(8)),
        "a-point-with-a-name-that-leaves": j(began) + j(u8(10) + b"../news.isml") + j(u8(11) + b"/news.ism") + j(u8(12) + b"\xff"),
        "no-beginning": j(file(1, b"v.ismv")) + j(began) + h(held(1, 0)),
        "began-twice": j(began) + j(began),
        "short-records": b"".join(j(record[:-1]) for record in whole[:2]) + j(b""),
        "a-name-that-leaves": j(began) + j(file(1, b"../v.ismv")),
        "raw": b"rSOjrnl\0\1" + u32(1) + u64(0) + b"\7",
        "raw-of-another-version": b"rSOjrnl\0\2",
        "raw-of-another-kind": b"rftypisml",
    }


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    targets = {
        "boxes": boxes(),
        "bucket": buckets(),
        "captions": captions(),
        "subtitles": subtitles(),
        "request_paths": request_paths(),
        "http_requests": http_requests(),
        "server_manifest": server_manifests(),
        "client_manifest": client_manifests(),
        "opening": openings(),
        "fragments": fragments_of(openings()),
        "cmaf": cmaf(),
        "rewritten": rewritten(),
        "live_push": live_pushes(),
        "index_file": index_files(),
        "live_journal": live_journals(),
        "sample_tables": sample_tables(),
        "index": {name: data for name, data in openings().items() if len(data) < 8704},
    }
    for target, seeds in targets.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, data in seeds.items():
            (folder / target / name).write_bytes(data)
        print(f"{target}: {len(seeds)} seeds, {sum(map(len, seeds.values()))} bytes")


if __name__ == "__main__":
    main()
