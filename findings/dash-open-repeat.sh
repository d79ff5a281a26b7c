#!/usr/bin/env bash
# mpd-parser, RxPlayer and others: segments disappear if a SegmentTimeline ends in r="-1"
#
# Version: mpd-parser 1.4.0 (the DASH parser of video.js) and RxPlayer 4.5.0 (both npm), streamlink 8.6.3
# and yt-dlp 2026.10.26 (both PyPI), and ffmpeg 9.0.2, the binary in the PyPI package
# imageio-ffmpeg 0.8.1.
#
# Expected: ISO/IEC 23009-1 lets a negative `S@r` repeat a segment until the next `S` or the end of the
# Period. A film of 8 s in segments of 2 s has four segments, whether the manifest says `r="3"` or
# `r="-1"`, and whatever the `presentationTimeOffset` is.
#
# Observed: with `r="3"` all five find four segments. With `r="-1"` streamlink finds none, and yt-dlp and
# ffmpeg find one (ffmpeg none if there is also `startNumber="1"`): they do not give negative numbers
# a meaning of their own. The two players count correctly as long as the media begins at 0. If it
# begins later, they take the end of the Period without the `presentationTimeOffset` and compare it with
# times that include it. If the offset is larger than the length of the film, no segment is left; if it
# is smaller, the end of the film is missing. Neither parser reports an error. GStreamer 1.22.0
# (dashdemux) asks for the four segments, and for a fifth.
#
# Why it matters: Smooth timelines often do not begin at 0: an archive of a live event begins at the
# time of day or the hours since the encoder started. The DASH manifest for it has that start as
# `presentationTimeOffset`, and `r="-1"` looks like the natural way to write chunks of equal length.
# A test with a film that begins at 0 does not show the fault of the players. An origin that writes
# the count, which it knows for an archive, is read correctly by all of them.
#
# Output on 2026-11-28 (media segments that each of them finds):
#                           mpd-parser  RxPlayer  streamlink  yt-dlp  ffmpeg
#   r="3", begins at 0:              4         4           4       4       4
#   r="-1", begins at 0:             4         4           0       1       1
#   r="3", begins at 100:            4         4           4       4       4
#   r="-1", begins at 100:           0         0           0       1       1
#   r="3", begins at 4:              4         4           4       4       4
#   r="-1", begins at 4:             2         2           0       1       1
#   PASS: r="-1" hides segments from all five
set -euo pipefail

work=$(mktemp -d)
server=''
trap 'if [ -n "$server" ]; then kill "$server" 2> /dev/null || true; fi; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    imageio-ffmpeg==0.8.1 streamlink==8.6.3 yt-dlp==2026.10.26
printf '{ "private": true }\n' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts mpd-parser@1.4.0 rx-player@4.5.0 > /dev/null
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')

# Films of 8 s in four segments of 2 s, with times that begin at 0, at 100 and at 4 s. Each has a manifest
# with the count and one without.
for begin in 0 100 4; do
    mkdir "$begin"
    (cd "$begin" && "$ffmpeg" -v error -f lavfi -i testsrc2=size=320x180:rate=25:duration=8 \
        -c:v libx264 -threads 1 -preset ultrafast -g 50 -flags +bitexact -output_ts_offset "$begin" \
        -seg_duration 2 -init_seg_name init.mp4 -media_seg_name 'video-$Time$.m4s' -f dash made.mpd)
    start=$((begin * 12800))
    for file in "$start" $((start + 25600)) $((start + 51200)) $((start + 76800)); do
        [ -f "$begin/video-$file.m4s" ] || { echo "FAIL: a segment is not there"; exit 1; }
    done
    for repeat in 3 -1; do
        cat > "$begin/$repeat.mpd" <<XML
<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011"
 type="static" mediaPresentationDuration="PT8S" minBufferTime="PT2S">
<Period id="0" start="PT0S"><AdaptationSet contentType="video" mimeType="video/mp4">
<SegmentTemplate timescale="12800" presentationTimeOffset="$start" initialization="init.mp4"
 media="video-\$Time\$.m4s"><SegmentTimeline><S t="$start" d="25600" r="$repeat"/></SegmentTimeline></SegmentTemplate>
<Representation id="v" bandwidth="700000" codecs="avc1.42c00c" width="320" height="180"/>
</AdaptationSet></Period></MPD>
XML
    done
done

cat > players.cjs <<'JS'
const xml = require('fs').readFileSync(process.argv[2], 'utf8');
const url = 'http://127.0.0.1/film.mpd';
const parsed = require('mpd-parser').parse(xml, { manifestUri: url });
const segments = parsed.playlists[0].segments.filter((segment) => segment.uri.startsWith('video'));

const rx = require('./node_modules/rx-player/dist/commonjs/parsers/manifest/dash/js-parser').default;
const manifest = rx(xml, { unsafelyBaseOnPreviousManifest: null, url }).value.parsed;
const [representation] = manifest.periods[0].adaptations.video[0].representations;
console.log(segments.length, representation.index.getSegments(0, 1000).length);
JS

cat > loaders.py <<'PY'
import sys
import xml.etree.ElementTree as ET

from streamlink.stream.dash.manifest import MPD
from streamlink.utils.parse import parse_xml
from yt_dlp import YoutubeDL
from yt_dlp.extractor.generic import GenericIE

xml = open(sys.argv[1]).read()
url = "http://127.0.0.1/"
mpd = MPD(parse_xml(xml, ignore_ns=True), base_url=url, url=url + "film.mpd")
segments = mpd.periods[0].adaptationSets[0].representations[0].segments()
formats = GenericIE(YoutubeDL({"quiet": True}))._parse_mpd_formats(
    ET.fromstring(xml), mpd_base_url=url, mpd_url=url + "film.mpd")
fragments = formats[0].get("fragments") or []
print(
    sum("video-" in segment.uri for segment in segments),
    sum("video-" in str(fragment) for fragment in fragments),
)
PY

python3 -u -m http.server 0 --bind 127.0.0.1 > server.txt 2> requests.txt &
server=$!
port=''
for _ in $(seq 100); do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' server.txt)
    if [ -n "$port" ]; then break; fi
    sleep 0.1
done

row() {
    local players loaders asked
    players=$(node players.cjs "$1/$2.mpd")
    loaders=$(venv/bin/python loaders.py "$1/$2.mpd")
    : > requests.txt
    "$ffmpeg" -v quiet -i "http://127.0.0.1:$port/$1/$2.mpd" -c copy -f null - < /dev/null || true
    asked=$(grep -ao 'GET [^ ]*video-[0-9]*.m4s' requests.txt | sort -u | wc -l)
    echo "$players $loaders $asked"
}
printf '%-22s%12s%10s%12s%8s%8s\n' '' mpd-parser RxPlayer streamlink yt-dlp ffmpeg
result=''
for begin in 0 100 4; do
    for repeat in 3 -1; do
        numbers=$(row "$begin" "$repeat")
        result+="$numbers;"
        # The numbers are separate arguments.
        printf '%-22s%12s%10s%12s%8s%8s\n' "r=\"$repeat\", begins at $begin:" $numbers
    done
done
if [ "$result" = '4 4 4 4 4;4 4 0 1 1;4 4 4 4 4;0 0 0 1 1;4 4 4 4 4;2 2 0 1 1;' ]; then
    echo 'PASS: r="-1" hides segments from all five'
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
