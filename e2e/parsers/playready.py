#!/usr/bin/env python3
"""Reads what the MPD and the playlists of an encrypted presentation say of PlayReady with pyplayready.

The header object of the Smooth manifest, `mspr:pro` and `cenc:pssh` in the MPD, and the keys in the playlists have to be
one header, whose key is that of `cenc:default_KID` and of `KEYID`.
"""

import base64
import re
import xml.etree.ElementTree as ElementTree
from uuid import UUID

from pyplayready.system.pssh import PSSH

from judge import Failed, main

NAMES = {"": "urn:mpeg:dash:schema:mpd:2011", "cenc": "urn:mpeg:cenc:2013", "mspr": "urn:microsoft:playready"}

SYSTEM = "urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95"


def judge(film, parsers):
    if film.protection is None:
        return None
    stored = header(film.protection)
    [key] = {key.value for key in stored.key_ids}
    text = stored.dumps()
    found = 0
    for name in ("manifest.mpd", "trick.mpd"):
        for of in ElementTree.fromstring(film.read(f"{film.url}/{name}")).iterfind("Period/AdaptationSet", NAMES):
            protections = {one.get("schemeIdUri").lower(): one for one in of.iterfind("ContentProtection", NAMES)}
            declared = protections["urn:mpeg:dash:mp4protection:2011"].get(f"{{{NAMES['cenc']}}}default_KID")
            same(UUID(declared), key, f"{name}: default_KID")
            same(declared, declared.lower(), f"{name}: letters of default_KID")
            for element in ("cenc:pssh", "mspr:pro"):
                same(header(protections[SYSTEM].find(element, NAMES).text).dumps(), text, f"{name}: {element}")
            found += 1
    for url, body in film.bodies.items():
        if body["type"] == "application/vnd.apple.mpegurl":
            for line in re.findall(r"^#EXT-X-(?:SESSION-)?KEY:(.*)", film.read(url).decode(), re.MULTILINE):
                attributes = dict(re.findall(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)', line))
                data = attributes["URI"].strip('"').partition("base64,")[2]
                same(header(data).dumps(), text, f"{url}: URI")
                same(UUID(attributes["KEYID"].removeprefix("0x")), key, f"{url}: KEYID")
                same(attributes["KEYFORMAT"], '"com.microsoft.playready"', f"{url}: KEYFORMAT")
                found += 1
    for name in (one["init"] for one in film.representations):
        data = film.read(name)
        at = data.find(b"pssh") - 4
        if at >= 0:
            box = data[at : at + int.from_bytes(data[at : at + 4], "big")]
            same(header(base64.b64encode(box).decode()).dumps(), text, f"{name}: pssh")
            found += 1
    return f"key {key} in {found} places"


def header(text):
    try:
        [one] = PSSH(text).wrm_headers
    except Exception as error:
        raise Failed(f"{text[:40]}…: {error!r}") from error
    return one


def same(found, wanted, place):
    if found != wanted:
        raise Failed(f"{place}: {found} instead of {wanted}")


if __name__ == "__main__":
    main("pyplayready", __doc__, judge)
