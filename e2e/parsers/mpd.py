#!/usr/bin/env python3
"""Reads the MPDs of a presentation with the Python package mpegdash, and prints them as JSON.

    mpd.py COLLECTED

dash.mjs compares them; it describes the form.
"""

import json
import sys
from pathlib import Path
from urllib.parse import urljoin

from mpegdash.parser import MPEGDASHParser


def segments(template, identifier, url):
    def filled(text, time=0):
        return urljoin(url, text.replace("$RepresentationID$", identifier).replace("$Time$", str(time)))

    offset, now, found = template.presentation_time_offset or 0, 0, []
    for entry in template.segment_timelines[0].Ss:
        now = entry.t if entry.t is not None else now
        for _ in range((entry.r or 0) + 1):
            found.append({
                "url": filled(template.media, now),
                "map": filled(template.initialization),
                "start": (now - offset) / template.timescale,
                "duration": entry.d / template.timescale,
            })
            now += entry.d
    return found


def representations(read, url):
    for of in read.periods[0].adaptation_sets:
        [template] = of.segment_templates
        for one in of.representations:
            yield {
                "id": one.id,
                "kind": of.content_type,
                "language": of.lang,
                "bandwidth": one.bandwidth,
                "codecs": one.codecs,
                "size": one.width and [one.width, one.height],
                "segments": segments(template, one.id, url),
            }


def main():
    folder = Path(sys.argv[1])
    film = json.loads((folder / "expected.json").read_text())
    found = {}
    for name in ("manifest.mpd", "trick.mpd"):
        url = f"{film['url']}/{name}"
        body = film["bodies"][url]
        if body["status"] == 200:
            read = MPEGDASHParser.parse((folder / body["file"]).read_text())
            found[name] = list(representations(read, url))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
