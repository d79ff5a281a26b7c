#!/usr/bin/env python3
"""Reads the playlists of a presentation with the Python package m3u8, in its strict mode, and prints them as JSON.

    playlists.py COLLECTED

hls.mjs compares them; it describes the form.
"""

import json
import sys
from datetime import timezone
from pathlib import Path
from urllib.parse import urljoin

import m3u8

PLAYLIST = "application/vnd.apple.mpegurl"


def variant(of, info):
    return {
        "uri": of.uri,
        "bandwidth": info.bandwidth,
        "average": getattr(info, "average_bandwidth", None),
        "codecs": info.codecs,
        "size": info.resolution and list(info.resolution),
    }


def multivariant(read):
    return {
        "variants": [
            variant(of, of.stream_info) | {"audio": of.stream_info.audio, "subtitles": of.stream_info.subtitles}
            for of in read.playlists
        ],
        "keyFrames": [variant(of, of.iframe_stream_info) for of in read.iframe_playlists],
        "renditions": [
            {
                "type": of.type,
                "group": of.group_id,
                "name": of.name,
                "language": of.language,
                "isDefault": of.default == "YES",
                "uri": of.uri,
            }
            for of in read.media
        ],
    }


def media(read, url):
    return {
        "target": read.target_duration,
        "isWhole": read.is_endlist,
        "isKeyFrames": read.is_i_frames_only,
        "segments": [
            {
                "url": urljoin(url, of.uri),
                "duration": of.duration,
                "map": of.init_section and urljoin(url, of.init_section.uri),
                "date": of.current_program_date_time.astimezone(timezone.utc).timestamp() * 1000,
                "isDiscontinuous": of.discontinuity,
                "key": of.key and of.key.keyformat,
            }
            for of in read.segments
        ],
    }


def main():
    folder = Path(sys.argv[1])
    film = json.loads((folder / "expected.json").read_text())
    found = {"media": {}}
    for url, body in film["bodies"].items():
        if body["type"] == PLAYLIST:
            read = m3u8.M3U8((folder / body["file"]).read_text(), base_uri=url, strict=True)
            if read.is_variant:
                found["multivariant"] = multivariant(read)
            else:
                found["media"][url] = media(read, url)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
