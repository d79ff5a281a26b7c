#!/usr/bin/env python3
"""Segments of CMAF, as DASH and HLS have them, beside the same chunks as fragments of Smooth Streaming.

    python3 perf/segments.py
    python3 perf/segments.py --vod-nginx BINARY --vod-content FOLDER

Needs wrk. Each server has one worker, and serves both forms from one process. In each round every server
has a turn with each form, one after the other, each time another one first; the first round warms up. What
counts is the processor time per request: of a segment as a multiple of that of the fragment in the same
round, and, with nginx-vod-module, as a multiple of that of the module's segments of the same media, as DASH
and as HLS. It
fails if a segment does not have the samples of its fragment, never on time.
"""

import argparse
import contextlib
import json
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import xml.etree.ElementTree as ET

import vod_module
from client import get
from common import Server, write_film
from compare import FRAGMENT_BYTES, SERVER_MANIFEST, show, take_turn
from machine import machine
from nginx import Nginx
from presentation import Presentation
from wrk import write_script

MANIFEST = f"{SERVER_MANIFEST}/Manifest"
# Processor time of a segment, in that of the fragment and in that of the module's segment.
BAR, BAR_OF_MODULE = 1.15, 0.7
KINDS = ["video", "audio"]
MODULE = "nginx-vod-module"
DASH = "{urn:mpeg:dash:schema:mpd:2011}"


def main():
    options = arguments()
    if not shutil.which("wrk"):
        sys.exit("wrk is not there: apt install wrk")
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = pathlib.Path(temporary)
        show("the content is made")
        if options.vod_nginx:
            vod_module.write_fragmented(options.vod_content, folder / "media/film")
        else:
            write_film(folder / "media/film", options.film, *FRAGMENT_BYTES)
        servers = {}
        for name, program, extra in [
            ("serve, nothing kept", "serve", ["--hot-memory", "0"]),
            ("serve, hot fragments kept", "serve", ["--hot-memory", str(options.hot_memory)]),
            ("sendfile", "sendfile", ["--copy-younger", "0"]),
        ]:
            server = Server(
                folder / "media", *extra, workers=1, program=program, programs=options.programs
            )
            servers[name] = stack.enter_context(server)
        forms = {}
        for name, server in servers.items():
            show(f"{name}: every segment is compared with its fragment")
            forms[name] = same_chunks(server.port, options.fragments)
        if options.vod_nginx:
            content = options.vod_content.resolve()
            sites = vod_module.DASH_SITE + vod_module.HLS_SITE
            nginx = Nginx(folder / "vod", content, sites, options.vod_nginx.resolve())
            servers[MODULE] = stack.enter_context(nginx)
            forms[MODULE] = {
                "segments": module_segments(nginx.port, content, options.fragments),
                "segments of HLS": module_segments_of_hls(nginx.port, content, options.fragments),
            }
        about = machine()
        rounds = {kind: measure(kind, servers, forms, options, folder) for kind in KINDS}
    print("".join(f"- {name}: {value}\n" for name, value in about.items()))
    for kind in KINDS:
        print_table(kind, rounds[kind])
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "rounds": named(rounds)}, indent=1) + "\n")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--connections", metavar="N", type=int, default=32, help="how many at one time [default: %(default)s]")
    add("--rounds", metavar="N", type=int, default=10, help="turns of each; the first warms up [default: %(default)s]")
    add("--seconds", metavar="N", type=int, default=1, help="whole seconds of a turn [default: %(default)s]")
    add("--film", metavar="SECONDS", type=int, default=600, help="length of the film [default: %(default)s]")
    add("--fragments", metavar="N", type=int, help="asks for the first N of video and of audio only [default: for all]")
    add("--hot-memory", metavar="MIB", type=int, default=512, help="what `serve` may keep of fragments in the series that keeps them [default: %(default)s]")
    add("--programs", metavar="FOLDER", type=pathlib.Path, help="has `serve` and `sendfile` [default: they are built]")
    add("--json", metavar="FILE", type=pathlib.Path, help="writes the figures of all rounds [default: not written]")
    add("--vod-nginx", metavar="BINARY", type=pathlib.Path, help="an nginx with nginx-vod-module, which then joins [default: none]")
    add("--vod-content", metavar="FOLDER", type=pathlib.Path, help="film-1.mp4, …, film-sound.mp4 for it [default: none]")
    options = parser.parse_args()
    if bool(options.vod_nginx) != bool(options.vod_content):
        parser.error("--vod-nginx and --vod-content belong together")
    return options


def same_chunks(port, most):
    """Paths of fragments and of the segments of the same chunks, by form and kind."""
    presentation = Presentation(port, MANIFEST, most)
    fragments = {kind: presentation.of(kind) for kind in KINDS}
    segments = {kind: [segment_of(path) for path in fragments[kind]] for kind in KINDS}
    for kind in KINDS:
        for fragment, segment in zip(fragments[kind], segments[kind]):
            if payload(get(port, fragment)[1]) != payload(get(port, segment)[1]):
                sys.exit(f"{segment} has other samples than {fragment}")
    return {"fragments": fragments, "segments": segments}


def segment_of(path):
    address = re.fullmatch(r"(.*/)QualityLevels\((\d+)\)/Fragments\(([^=]+)=(\d+)\)", path)
    folder, bitrate, stream, time = address.groups()
    return f"{folder}{stream}-{bitrate}/{time}.m4s"


def payload(body):
    """The content of the `mdat` at the end of a fragment."""
    at = 0
    while body[at + 4 : at + 8] != b"mdat":
        at += int.from_bytes(body[at : at + 4], "big")
    return body[at + 8 :]


def module_segments(port, content, most):
    """Paths of the module's segments, by kind, in the order in which ours are: time by time."""
    manifest = vod_module.dash_manifest(content)
    folder = manifest.rsplit("/", 1)[0]
    found = {}
    for adaptation in ET.fromstring(get(port, manifest)[1]).iter(f"{DASH}AdaptationSet"):
        representations = list(adaptation.iter(f"{DASH}Representation"))
        template = next(adaptation.iter(f"{DASH}SegmentTemplate"))
        repeats = (int(s.get("r", 0)) + 1 for s in template.iter(f"{DASH}S"))
        kind = "video" if "video" in representations[0].get("mimeType", "video") else "audio"
        for number in range(sum(repeats)):
            for representation in representations:
                path = template.get("media").replace("$RepresentationID$", representation.get("id"))
                path = path.replace("$Number$", str(number + int(template.get("startNumber", 1))))
                found.setdefault(kind, []).append(f"{folder}/{path}")
    return checked(port, found, most)


def module_segments_of_hls(port, content, most):
    """The same of the module's playlists."""
    found = {}
    for kind, playlists in vod_module.playlists(content).items():
        renditions = []
        for playlist in playlists:
            lines = get(port, playlist)[1].decode().split()
            folder = playlist.rsplit("/", 1)[0]
            renditions.append([f"{folder}/{line}" for line in lines if line.endswith(".m4s")])
        found[kind] = [path for paths in zip(*renditions) for path in paths]
    return checked(port, found, most)


def checked(port, found, most):
    for kind in KINDS:
        found[kind] = found[kind][:most]
        for path in found[kind][:4]:
            assert len(payload(get(port, path)[1])) > 1000
    return found


def measure(kind, servers, forms, options, folder):
    """CPU µs of all turns, by server and form."""
    turns = [(name, form) for name in servers for form in forms[name]]
    rounds = {turn: [] for turn in turns}
    scripts = {}
    for name, form in turns:
        scripts[name, form] = folder / f"{len(scripts)}.lua"
        write_script(scripts[name, form], forms[name][form][kind])
    for number in range(options.rounds):
        first = number % len(turns)
        for name, form in turns[first:] + turns[:first]:
            turn = take_turn(
                servers[name], scripts[name, form], options.connections, options.seconds, "identity"
            )
            if number > 0 or options.rounds == 1:
                rounds[name, form].append(turn["cpu"])
        took = ", ".join(f"{name} {form} {cpu[-1]:.1f}" for (name, form), cpu in rounds.items() if cpu)
        show(f"{kind}, round {number + 1} of {options.rounds}: µs: {took}")
    return rounds


def print_table(kind, rounds):
    print(f"| {kind} | fragment | segment | × fragment (bar: {BAR}) | × module's DASH (bar: {BAR_OF_MODULE}) | × module's HLS |")
    print("|---|---|---|---|---|---|")
    module, hls = rounds.get((MODULE, "segments")), rounds.get((MODULE, "segments of HLS"))
    for name in dict.fromkeys(name for name, _ in rounds):
        segments = rounds[name, "segments"]
        fragments = rounds.get((name, "fragments"))
        cells = [middle(fragments), middle(segments), ratio(segments, fragments)]
        print(f"| {name} | {' | '.join(cells)} | {ratio(segments, module)} | {ratio(segments, hls)} |")
    print()


def middle(values):
    return f"{statistics.median(values):.1f} µs" if values else ""


def ratio(values, base):
    """Median of the ratios of single rounds, with the lowest and the highest."""
    if not base or values is base:
        return ""
    ratios = sorted(value / other for value, other in zip(values, base))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"


def named(rounds):
    of_kind = lambda turns: {f"{name}: {form}": cpu for (name, form), cpu in turns.items()}
    return {kind: of_kind(turns) for kind, turns in rounds.items()}


if __name__ == "__main__":
    main()
