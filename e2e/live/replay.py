#!/usr/bin/env python3
"""Recordings are pushed again as encoders would, in many forms, and what is served and archived is what was pushed.

    replay.py [--serve target/release/examples/serve] [--only WORD] [FILE.ism...]

Pushes presentations of testdata/ (or those named) to `serve --live --live-archive`: with the manifest box before or
behind `ftyp`, or without; with tfxd and without; in pieces of 1 byte, of 7, and of any size; in one request and in one for
each fragment; with reconnects that send the last two fragments again; by two encoders that cut the sound at other
times; with the sound in one piece at the end; with times that count from 1970 in ticks of 100 ns; with boxes between the fragments that are no part of
them; by encoders that shut down their side of the connection behind the body; and as CMAF, a segment in each request. A follower reads the manifest while
fragments are pushed, and fetches each chunk as soon as it is listed. In each case:

- every fragment that is served live has the samples (bytes, durations, composition times) and the time of one that was
  pushed; chunks of a stream ascend, and do not overlap
- after the end, the film has the same fragments, byte for byte but for `tfrf`, and each one that was pushed
- the archive has the same: its files have each fragment once, with samples and times

The cases run at once. Prints a line for each; the status is non-zero if one failed.
"""

import argparse
import http.client
import pathlib
import random
import re
import socket
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as tree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(1, str(HERE.parent / "http"))

from check import announced
from media import Fragment, Track, box, boxes, fragments_of, server_manifest, tracks_of, written
from wire import Server, is_read

END = (8).to_bytes(4, "big") + b"mfra"
PACE = 0.03
"""Seconds between two fragments of a body: a follower sees many states of the event."""

AWAY = 1
"""Seconds until an encoder begins again, or ends."""

PATIENCE = 60
"""Seconds until an event that has ended is a film: more than it needs, so that only what never comes is late."""


@dataclass
class Pushed:
    data: bytes
    media: Fragment
    track: Track


class Body:
    """What one encoder connection pushes: header boxes, then fragments."""

    def __init__(self, name, file, entries):
        data = file.read_bytes()
        self.name = name
        parts = {kind: data[start:end] for kind, start, _, end in boxes(data) if kind in (b"ftyp", b"moov")}
        self.ftyp, self.moov = parts.get(b"ftyp", b""), parts[b"moov"]
        self.tracks = tracks_of(self.moov)
        self.manifest = server_manifest([(self.tracks[number].kind, number, *rest) for number, *rest in entries])
        wanted = {number for number, *_ in entries}
        self.fragments = []
        reached = dict.fromkeys(self.tracks, 0)
        for bytes_, media in fragments_of(data, self.tracks):
            if media.track not in wanted:
                continue
            if media.time is None:
                media.time = reached[media.track]
            reached[media.track] = media.time + media.duration
            self.fragments.append(Pushed(bytes_, media, self.tracks[media.track]))

    def header(self, order):
        parts = {"f": self.ftyp, "l": self.manifest, "m": self.moov}
        return b"".join(parts[letter] for letter in order)


def film(path):
    """The bodies of a presentation: one for each file of its `.ism`."""
    text = path.read_bytes()
    root = tree.fromstring(text)
    files = {}
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        if kind not in ("video", "audio"):
            continue
        params = {param.get("name"): param.get("value") for param in element if param.get("name")}
        bitrate = int(element.get("systemBitrate") or params.get("systemBitrate") or 0)
        language = element.get("systemLanguage") or params.get("systemLanguage") or ""
        entry = int(params["trackID"]), params.get("trackName") or kind, bitrate, language
        files.setdefault(element.get("src"), []).append(entry)
    return [Body(f"s{number}", path.parent / src, entries) for number, (src, entries) in enumerate(files.items())]


# ---- Forms of pushing ----


class Push:
    """A long push, whose body goes in chunks of given sizes."""

    def __init__(self, address, path, sizes, method="POST"):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sizes, self.left = sizes, b""
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nUser-Agent: replay\r\n\r\n"
        self.socket.sendall(head.encode())

    def send(self, data, flush=True):
        """Sends as many whole pieces as there are; the rest, too, if it may."""
        data, at = self.left + data, 0
        while at < len(data):
            size = next(self.sizes)
            if size > len(data) - at and not flush:
                break
            piece = data[at : at + size]
            self.socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            at += len(piece)
        self.left = data[at:]

    def end(self, *, shut=False):
        """Ends the body, and with `shut` the side of the connection that sends; returns the status."""
        self.send(b"")
        self.socket.sendall(b"0\r\n\r\n")
        if shut:
            self.socket.shutdown(socket.SHUT_WR)
        answer = b""
        while b"\r\n" not in answer:
            more = self.socket.recv(4096)
            if not more:
                return None
            answer += more
        self.socket.close()
        return int(answer.split()[1])

    def wait_until_read(self):
        """Until the server has taken what was sent, which a machine that is busy does later."""
        until = time.monotonic() + PATIENCE
        while not is_read(self.socket) and time.monotonic() < until:
            time.sleep(0.02)

    def cut_off(self):
        self.socket.close()


def constant(size):
    while True:
        yield size


def any_size(seed):
    chance = random.Random(seed)
    while True:
        yield chance.choice((1, 2, 7, 8, 9, 100, 1000, 4096, chance.randrange(1, 50000)))


def request(address, method, path, body):
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    connection.request(method, path, body)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def in_order(bodies):
    """All fragments of all bodies as encoders send them: by time, the header first."""
    all_ = [(pushed.media.time / pushed.track.timescale, number, pushed) for number, body in enumerate(bodies) for pushed in body.fragments]
    return [(number, pushed) for _, number, pushed in sorted(all_, key=lambda each: each[:2])]


def push_long(address, point, bodies, *, order="flm", sizes=None, method="POST", query="", pace=PACE, shut=False):
    pushes = [Push(address, f"/{point}.isml/Streams({body.name}){query}", sizes or constant(32768), method) for body in bodies]
    for push, body in zip(pushes, bodies):
        push.send(body.header(order), flush=False)
    for number, pushed in in_order(bodies):
        pushes[number].send(pushed.data, flush=False)
        time.sleep(pace)
    # The event would end with one stream if the others were not there yet.
    for push in pushes:
        push.wait_until_read()
    time.sleep(AWAY if len(pushes) > 1 else 0)
    statuses = []
    for push in pushes:
        push.send(END)
        statuses.append(push.end(shut=shut))
    return statuses


def push_parts(address, point, bodies, *, header_each, order="flm"):
    """A request for each fragment."""
    statuses = []
    paths = [f"/{point}.isml/Streams({body.name})" for body in bodies]
    for path, body in zip(paths, bodies):
        statuses.append(request(address, "POST", path, body.header(order)))
    for number, pushed in in_order(bodies):
        data = bodies[number].header(order) + pushed.data if header_each else pushed.data
        statuses.append(request(address, "POST", paths[number], data))
        time.sleep(PACE / 2)
    for path, body in zip(paths, bodies):
        statuses.append(request(address, "POST", path, body.header(order) + END if header_each else END))
    return statuses


def push_again(address, point, bodies, *, every, order="flm"):
    """Connections are lost behind every few fragments, in the middle of one; the next sends the last two again."""
    statuses, sizes = [], any_size(4)
    paths = [f"/{point}.isml/Streams({body.name})" for body in bodies]
    pushes = [Push(address, path, sizes) for path in paths]
    sent = [[] for _ in bodies]
    for push, body in zip(pushes, bodies):
        push.send(body.header(order))
    for number, pushed in in_order(bodies):
        if sent[number] and len(sent[number]) % every == 0:
            pushes[number].send(pushed.data[: len(pushed.data) // 2])
            pushes[number].wait_until_read()
            time.sleep(AWAY)
            pushes[number].cut_off()
            pushes[number] = Push(address, paths[number], sizes)
            pushes[number].send(bodies[number].header(order))
            for again in sent[number][-2:]:
                pushes[number].send(again.data)
        pushes[number].send(pushed.data)
        sent[number].append(pushed)
        time.sleep(PACE)
    for push in pushes:
        push.send(END)
        statuses.append(push.end())
    return statuses


def push_twice(address, point, bodies, other):
    """Two encoders at once; the second one is a moment behind."""
    results = [None, None]

    def run(number, those, query):
        time.sleep(number * PACE * 2)
        results[number] = push_long(address, point, those, query=query)

    threads = [threading.Thread(target=run, args=each) for each in ((0, bodies, "?encoder=a"), (1, other, "?encoder=b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results[0] + results[1] if all(results) else [None]


def push_segments(address, point, bodies, *, method="PUT"):
    """CMAF: a header, then a segment in each request, of each track by itself."""
    statuses, names = [], []
    for body in bodies:
        kind = "v" if any(track.kind == b"vide" for track in body.tracks.values()) else "a"
        names.append((f"/{point}.isml/{body.name}", kind))
        statuses.append(request(address, method, f"{names[-1][0]}.cmf{kind}", body.ftyp + body.moov))
    for count, (number, pushed) in enumerate(in_order(bodies)):
        path, kind = names[number]
        statuses.append(request(address, method, f"{path}/{count}.cmf{kind}", pushed.data))
        time.sleep(PACE / 2)
    for path, kind in names:
        statuses.append(request(address, method, f"{path}/end.cmf{kind}", END))
    return statuses


# ---- Forms of bodies ----


def without_tfxd(bodies):
    for body in bodies:
        reached = {}
        for pushed in body.fragments:
            media = pushed.media
            media.time = reached.get(media.track, 0)
            reached[media.track] = media.time + media.duration
            pushed.data = written(media.track, media.samples, 0, tfxd=False)
    return bodies


def since_1970(bodies):
    """Times that a floating-point number of 64 bits cannot have."""
    for body in bodies:
        for pushed in body.fragments:
            media = pushed.media
            media.time += 1_764_310_000 * pushed.track.timescale + 1
            pushed.data = written(media.track, media.samples, media.time)
    return bodies


def boxes_between(bodies):
    """Boxes in front of and behind each fragment: types of segments, clocks, indexes, messages, and some that nobody knows."""
    for body in bodies:
        for pushed in body.fragments:
            track, time = pushed.media.track.to_bytes(4, "big"), max(0, pushed.media.time).to_bytes(8, "big")
            timescale = pushed.track.timescale.to_bytes(4, "big")
            before = [
                box(b"styp", b"msdh", bytes(4), b"msdhmsix"),
                box(b"prft", b"\1\0\0\x18", track, time, time),
                box(b"sidx", b"\1\0\0\0", track, timescale, time, bytes(10), b"\0\1", len(pushed.data).to_bytes(4, "big"), bytes(4), b"\x90\0\0\0"),
                box(b"emsg", b"\1\0\0\0", timescale, time, bytes(4), track, b"urn:x\0", b"1\0", b"message"),
            ]
            pushed.data = b"".join(before) + pushed.data + box(b"free", bytes(100)) + box(b"uuid", bytes(16), b"unknown") + box(b"skip")
    return bodies


def sound_at_the_end(bodies):
    """All sound is one fragment, behind everything else."""
    for body in bodies:
        sound = [pushed for pushed in body.fragments if pushed.track.kind == b"soun"]
        if not sound:
            continue
        samples = [sample for pushed in sound for sample in pushed.media.samples]
        first = sound[0]
        data = written(first.media.track, samples, first.media.time)
        ((_, media),) = fragments_of(data, body.tracks)
        body.fragments = [pushed for pushed in body.fragments if pushed.track.kind != b"soun"] + [Pushed(data, media, first.track)]
    return bodies


def cut_elsewhere(bodies):
    """The sound in fragments that begin at other samples."""
    for body in bodies:
        by_track = {}
        for pushed in body.fragments:
            if pushed.track.kind == b"soun":
                by_track.setdefault(pushed.media.track, []).append(pushed)
        for number, sound in by_track.items():
            samples = [sample for pushed in sound for sample in pushed.media.samples]
            count, at, cut = len(sound[0].media.samples), sound[0].media.time, []
            first = count // 2
            for start, end in zip([0, *range(first, len(samples), count)], [*range(first, len(samples), count), len(samples)]):
                data = written(number, samples[start:end], at)
                ((_, media),) = fragments_of(data, body.tracks)
                cut.append(Pushed(data, media, sound[0].track))
                at += media.duration
            body.fragments = [pushed for pushed in body.fragments if pushed.media.track != number] + cut
    return bodies


# ---- What is served ----


class Follower(threading.Thread):
    """Fetches each chunk once it is listed, and again while it is answered with 412."""

    def __init__(self, address, point):
        super().__init__(daemon=True)
        self.address, self.point = address, point
        self.taken, self.faults, self.lists, self.early = {}, [], 0, set()
        self.has_ended = threading.Event()

    def get(self, path):
        return get(self.address, f"/{self.point}.isml/{path}")

    def run(self):
        known = {}
        while not self.has_ended.wait(0.03):
            status, manifest = self.get("Manifest")
            if status != 200:
                if status not in (404, 412) or self.lists:
                    self.faults.append(f"the manifest: {status}")
                continue
            self.lists += 1
            listed = list(announced(manifest))
            for url, name, start, duration in listed:
                if known.setdefault((name, start), duration) != duration:
                    self.faults.append(f"{name} at {start} lasts {known[name, start]}, then {duration}")
                if url not in self.taken:
                    status, data = self.get(quote(url, safe="/(),="))
                    if status == 412:  # A quality that another connection pushes may come a moment later.
                        self.early.add(url)
                        continue
                    self.taken[url] = data
                    if status != 200:
                        self.faults.append(f"{url}: {status}")


def get(address, path):
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def of_film(address, point):
    """Each fragment of the film, as soon as it is one."""
    until = time.monotonic() + PATIENCE
    while True:
        status, manifest = get(address, f"/{point}.isml/Manifest")
        if status == 200 and b"IsLive=" not in manifest:
            break
        if time.monotonic() > until:
            raise AssertionError(f"it is no film after {PATIENCE} s: {status} {manifest[:200]!r}")
        time.sleep(0.1)
    served = {}
    for url, _, start, duration in announced(manifest):
        status, data = get(address, f"/{point}.isml/{quote(url, safe='/(),=')}")
        if status != 200:
            raise AssertionError(f"{url} of the film: {status}")
        served[url] = data, start, duration
    return served


def like(one, other):
    """Samples are compared by bytes, durations and composition times. Without `tfxd`, the time of a fragment is that of its first
    sample: composition times count from there."""
    shift = other.samples[0].composition if other.says is None and other.samples else 0
    sums = lambda media, shift: [(sample.data, sample.duration, sample.composition - shift) for sample in media.samples]
    return sums(one, 0) == sums(other, shift)


def samples_of(data):
    return [media.bytes for _, media in fragments_of(data)]


def judge_fragment(pushed, data, start, where):
    """What is wrong with a served fragment, and which pushed one it is. What begins before 0 is served at 0."""
    found = list(fragments_of(data))
    if len(found) != 1:
        return f"{where}: {len(found)} fragments", None
    media = found[0][1]
    source = pushed.get(media.bytes)
    if source is None:
        return f"{where}: {len(media.bytes)} bytes of samples that nobody pushed", None
    for each in source:
        if like(media, each.media) and media.time == start == max(0, each.media.time):
            return None, each
    each = source[0]
    if not like(media, each.media):
        return f"{where}: samples of other durations or composition times than were pushed", each
    return f"{where}: pushed for {each.media.time}, served for {media.time}", each


def audit(bodies, others, follower, served, archive, point):
    """Sentences about what is wrong."""
    wrong, pushed = list(follower.faults), {}
    for body in [*bodies, *others]:
        for each in body.fragments:
            pushed.setdefault(each.media.bytes, []).append(each)
    for url, data in follower.taken.items():
        start = int(re.search(r"=(\d+)\)", url)[1])
        sentence, _ = judge_fragment(pushed, data, start, f"live {url}")
        wrong += [sentence] if sentence else []
    reached, found = {}, set()
    for url, (data, start, duration) in sorted(served.items(), key=lambda item: (item[0].partition("=")[0], item[1][1])):
        sentence, source = judge_fragment(pushed, data, start, f"film {url}")
        wrong += [sentence] if sentence else []
        key = url.rpartition("=")[0]
        if start < reached.get(key, 0) - 10:
            wrong.append(f"film {url} begins before {reached[key]}, the end of the one before")
        reached[key] = start + duration
        if source:
            found.add(source.media.bytes)
    for url, data in follower.taken.items():
        if url not in served:
            wrong.append(f"the film lacks {url}, which was live")
        elif samples_of(data) != samples_of(served[url][0]):
            wrong.append(f"the film has other samples for {url}")
    if not others:
        missing = [key for key in pushed if key not in found]
        wrong += [f"not in the film: {each.track.kind.decode()} at {each.media.time}" for key in missing for each in pushed[key][:1]]
    wrong += audit_archive(pushed, found, archive, point)
    return wrong


def audit_archive(pushed, found, archive, point):
    wrong, kept = [], set()
    files = [file for file in archive.iterdir() if re.fullmatch(rf"{re.escape(point)}([-_.].*)?\.isma?[mtv]?", file.name) and file.suffix in (".ismv", ".isma", ".ismt")]
    for file in files:
        data = file.read_bytes()
        tracks, before = tracks_of(data), {}
        for bytes_, media in fragments_of(data, tracks):
            sentence, source = judge_fragment(pushed, bytes_, media.time, f"archive {file.name}")
            if sentence:
                wrong.append(sentence)
            if media.time <= before.get(media.track, -1):
                wrong.append(f"archive {file.name}: {media.time} comes behind {before[media.track]}")
            before[media.track] = media.time
            if media.bytes in kept:
                wrong.append(f"archive {file.name}: {media.time} is there twice")
            kept.add(media.bytes)
    if not files:
        wrong.append(f"the archive has no file of {point}: {sorted(file.name for file in archive.iterdir())}")
    wrong += [f"not archived, but in the film: {pushed[key][0].media.time}" for key in found - kept]
    wrong += [f"archived, but not in the film: {pushed[key][0].media.time}" for key in kept - found if key in pushed]
    return wrong


# ---- The cases ----

CASES = {
    "manifest-behind-ftyp": dict(push=push_long, order="flm"),
    "manifest-first": dict(push=push_long, order="lfm"),
    "no-manifest": dict(push=push_long, order="fm"),
    "no-ftyp": dict(push=push_long, order="lm", method="PUT"),
    "bytes": dict(push=push_long, sizes=lambda: constant(1), films=("archive",)),
    "sevens": dict(push=push_long, sizes=lambda: constant(7), films=("ffmpeg", "recording", "wide")),
    "odd": dict(push=push_long, sizes=lambda: any_size(18)),
    "at-once": dict(push=push_long, pace=0, films=("ladder", "bframes", "ffmpeg", "archive", "captions", "wide")),
    "no-tfxd": dict(push=push_long, form=without_tfxd, films=("ladder", "ffmpeg")),
    "sound-at-the-end": dict(push=push_long, form=sound_at_the_end, films=("ladder", "bframes")),
    "since-1970": dict(push=push_long, form=since_1970, films=("ladder", "bframes", "ffmpeg")),
    "boxes-between": dict(push=push_long, form=boxes_between, sizes=lambda: any_size(5), films=("ladder", "split", "encoder")),
    "shut-down": dict(push=push_long, shut=True, films=("ladder", "split", "ffmpeg", "archive", "encoder", "captions", "wide")),
    "fragment-each": dict(push=push_parts, header_each=False, films=("ladder", "split", "bframes", "ntsc", "ffmpeg", "archive", "captions", "encoder", "wide")),
    "header-each": dict(push=push_parts, header_each=True, films=("ladder", "split", "ntsc", "wide")),
    "reconnects": dict(push=push_again, every=4, films=("ladder", "split", "bframes", "ffmpeg")),
    "two-encoders": dict(push=push_twice, other=cut_elsewhere, films=("ladder", "split", "bframes")),
    "segments": dict(push=push_segments, films=("cmaf", "split")),
}
FILMS = ("ladder", "split", "bframes", "ntsc", "dialects/ffmpeg", "dialects/encoder", "dialects/recording", "dialects/archive", "dialects/captions", "dialects/wide")


def run(address, archive, number, path, name, case):
    point = f"{name}-{path.stem}-{number}"
    options = {key: value for key, value in case.items() if key not in ("push", "films", "form", "other")}
    if callable(options.get("sizes")):
        options["sizes"] = options["sizes"]()
    bodies, others = case.get("form", lambda all_: all_)(film(path)), []
    if "other" in case:
        others = case["other"](film(path))
        options["other"] = others
    follower = Follower(address, point)
    follower.start()
    began = time.monotonic()
    try:
        statuses = case["push"](address, point, bodies, **options)
        wrong = [f"pushes are answered with {sorted(set(map(str, statuses)))}"] if set(statuses) != {200} else []
        served = of_film(address, point)
        follower.has_ended.set()
        follower.join()
        time.sleep(0.2)
        wrong += audit(bodies, others, follower, served, archive, point)
        count = f"{sum(len(body.fragments) for body in bodies)} fragments, {len(follower.taken)} fetched live" + (f" ({len(follower.early)} at a second try)" if follower.early else "")
    except (AssertionError, OSError, http.client.HTTPException) as error:
        follower.has_ended.set()
        wrong, count = [*follower.faults[:3], f"{type(error).__name__}: {error}"], "broken off"
    said = f"{path.stem}: {name}: {count}, {time.monotonic() - began:.1f} s"
    more = [f"and {len(wrong) - 6} more"] if len(wrong) > 6 else []
    print("\n       ".join([f"{'FAIL' if wrong else 'ok  '} {said}", *wrong[:6], *more]) + "\n", end="", flush=True)
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", default=ROOT / "target/release/examples/serve")
    parser.add_argument("--only", default="", help="the cases whose name, FILM:CASE, has this")
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--log", type=pathlib.Path, help="where the log of the server goes")
    parser.add_argument("films", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    named = [ROOT / "testdata" / name / f"{pathlib.Path(name).name}.ism" for name in (*FILMS, "dialects/cmaf")]
    jobs = []
    for name, case in CASES.items():
        for path in options.films or named:
            wanted = case.get("films") or [pathlib.Path(each).name for each in FILMS]
            if (options.films or path.stem in wanted) and options.only in f"{path.stem}:{name}":
                jobs.append((len(jobs), path, name, case))
    with tempfile.TemporaryDirectory() as folder:
        archive = pathlib.Path(folder) / "archive"
        archive.mkdir()
        arguments = ["--live", "--live-window", "0", "--live-archive", archive]
        if options.log:
            arguments += ["--log-file", options.log]
        with Server(options.serve, folder, *arguments) as server, ThreadPoolExecutor(options.threads) as pool:
            results = list(pool.map(lambda job: run(server.address, archive, *job), jobs))
            is_running = server.process.poll() is None
    if not is_running:
        print("FAIL the server has ended")
    print(f"{sum(results)} of {len(results)} replays are served and archived as they were pushed")
    sys.exit(not (all(results) and is_running))


if __name__ == "__main__":
    main()
