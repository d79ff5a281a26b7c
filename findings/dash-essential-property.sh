#!/usr/bin/env bash
# mpd-parser, yt-dlp and streamlink: key frames for trick play, and tracks of an unknown scheme, are offered as the film
#
# Version: mpd-parser 1.4.0 (npm; the DASH parser of video.js), yt-dlp 2026.10.26 and streamlink 8.6.3 (both
# PyPI), and ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1, to make the film.
#
# Expected: an `EssentialProperty` says that an Adaptation Set is of use only to clients that know its
# scheme; all others ignore the set (ISO/IEC 23009-1, 5.8.4.8). By DASH-IF IOP, 3.2.9, it keeps sets of key
# frames for trick play away from clients that would play them as the film. So a client offers one
# quality here, or offers the key frames apart.
#
# Observed: all three offer the set of key frames as a quality of the film, and also a set whose scheme
# nobody knows. None of them says anything of the property. yt-dlp's "best" is the set of key frames if
# its pictures are larger, as here: the file that it stores has one picture per 2 s.
#
# Why it matters: an origin that writes trick-mode sets into its only manifest, as the guideline
# recommends, changes what such clients play and store. A manifest of its own for trick play avoids that.
#
# Output on 2026-11-29 (qualities that each of them offers; the one that yt-dlp takes):
#   mpd-parser:   film keys odd
#   yt-dlp:       film keys odd; takes keys
#   streamlink:   film keys odd
#   PASS: a set with an EssentialProperty is offered as the film
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    imageio-ffmpeg==0.8.1 streamlink==8.6.3 yt-dlp==2026.10.26
printf '{ "private": true }\n' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts mpd-parser@1.4.0 > /dev/null
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')

# A film of 8 s in four segments, and key frames of it in larger pictures, one for each segment.
make() { # NAME RATE WIDTH HEIGHT
    mkdir "$1"
    (cd "$1" && "$ffmpeg" -v error -f lavfi -i testsrc2=size="$3"x"$4":rate=25:duration=8 -r "$2" -c:v libx264 -threads 1 \
        -preset ultrafast -crf 30 -force_key_frames 'expr:gte(t,n_forced*2)' -flags +bitexact -seg_duration 2 \
        -init_seg_name init.mp4 -media_seg_name '$Number$.m4s' -f dash made.mpd)
    [ "$(find "$1" -name '[1-4].m4s' | wc -l)" = 4 ] || { echo "FAIL: $1 does not have four segments"; exit 1; }
}
make film 25 320 180
make keys 1/2 1920 1080
make odd 25 640 360

bandwidth() { echo $(($(cat "$1"/[1-4].m4s | wc -c))); } # of 8 s: bytes are bits per second

set_of() { # ID FOLDER NAME WIDTH HEIGHT PROPERTY
    printf '<AdaptationSet id="%s" contentType="video" mimeType="video/mp4" segmentAlignment="true">%s' "$1" "$6"
    printf '<SegmentTemplate duration="2" startNumber="1" initialization="%s/init.mp4" media="%s/$Number$.m4s"/>' "$2" "$2"
    printf '<Representation id="%s" bandwidth="%s" codecs="avc1.42c028" width="%s" height="%s"/></AdaptationSet>\n' \
        "$3" "$(bandwidth "$2")" "$4" "$5"
}
property() { printf '<EssentialProperty schemeIdUri="%s" value="1"/>' "$1"; }
{
    printf '<?xml version="1.0" encoding="utf-8"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
    printf ' profiles="urn:mpeg:dash:profile:isoff-live:2011" mediaPresentationDuration="PT8S" minBufferTime="PT2S">\n<Period>\n'
    set_of 1 film film 320 180 ''
    set_of 2 keys keys 1920 1080 "$(property http://dashif.org/guidelines/trickmode)"
    set_of 3 odd odd 640 360 "$(property urn:example:nobody:knows)"
    printf '</Period></MPD>\n'
} > film.mpd

cat > parser.cjs <<'JS'
const { parse } = require('mpd-parser');
const parsed = parse(require('fs').readFileSync('film.mpd', 'utf8'), { manifestUri: 'http://127.0.0.1/film.mpd' });
console.log(parsed.playlists.map((playlist) => playlist.attributes.NAME).sort().join(' '));
JS
cat > loaders.py <<'PY'
import xml.etree.ElementTree as ET

from streamlink.stream.dash.manifest import MPD
from streamlink.utils.parse import parse_xml
from yt_dlp import YoutubeDL
from yt_dlp.extractor.generic import GenericIE

xml, url = open("film.mpd").read(), "http://127.0.0.1/"
loader = YoutubeDL({"quiet": True, "simulate": True})
formats = GenericIE(loader)._parse_mpd_formats(ET.fromstring(xml), mpd_base_url=url, mpd_url=url + "film.mpd")
names = " ".join(sorted(one["format_id"] for one in formats))
taken = loader.process_ie_result({"id": "film", "title": "film", "formats": formats}, download=False)
print(names + "; takes " + taken["format_id"])
mpd = MPD(parse_xml(xml, ignore_ns=True), base_url=url, url=url + "film.mpd")
sets = mpd.periods[0].adaptationSets
print(" ".join(sorted(one.id for of in sets for one in of.representations)))
PY
parser=$(node parser.cjs)
{ read -r ytdlp; read -r streamlink; } < <(venv/bin/python loaders.py)
printf '%-13s %s\n' mpd-parser: "$parser" yt-dlp: "$ytdlp" streamlink: "$streamlink"
if [ "$parser|$ytdlp|$streamlink" = 'film keys odd|film keys odd; takes keys|film keys odd' ]; then
    echo 'PASS: a set with an EssentialProperty is offered as the film'
else
    echo 'FAIL: the behaviour has changed'
    exit 1
fi
