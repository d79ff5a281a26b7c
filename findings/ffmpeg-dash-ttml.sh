#!/usr/bin/env bash
# ffmpeg -f dash: TTML subtitles are listed as sound, and all but the first are lost
#
# Version: ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1. Debian's 5.1.9 refuses the
# job with a message ("Fragmentation is not currently supported for TTML").
#
# Expected: every subtitle is in the segment of its time, and one that crosses a border is in both. This
# is what `ffmpeg -f ismv` makes of the same input: it splits the subtitle at the border, and repeats
# its text. If the DASH muxer cannot do this, it refuses the job, as version 5 does.
#
# Observed: the first subtitle is stored, all later ones are lost. The muxer closes one text segment per
# subtitle, but the TTML document in each segment after the first is empty. The tfdt of these segments
# stays at the end of the first, while the manifest gives each the time of its subtitle. The manifest
# lists the track as `contentType="audio"`, `mimeType="audio/mp4"`, `codecs=""` with 0 channels and 0 Hz,
# although the initialization segment has a correct `stpp` sample entry. ffmpeg prints no error and
# exits with 0.
#
# Why it matters: this is the usual command to turn a film with captions into DASH or CMAF, and the
# same ffmpeg writes correct text with `-f ismv` and into one fragmented file (`-movflags cmaf`). So a
# Smooth title keeps its captions, while the DASH copy of the same source has an audio track without a
# codec, and correcting the manifest by hand brings back one caption only.
#
# Output on 2026-11-28:
#   -f ismv: exit status 0, 6 text fragments, subtitles: One Two Two Two Three
#   -f dash: exit status 0, 3 text segments, subtitles: One
#   manifest: contentType="audio" mimeType="audio/mp4" codecs=""
#   times in the manifest, in microseconds: 1000000 2000000 7000000
#   tfdt of the segments, in microseconds:  0 2000000 2000000
#   -f mp4 -movflags cmaf: subtitles: One Two Two Two Three
#   PASS: the text is listed as sound, and only the first subtitle is stored
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -version | head -n 1

cat > film.srt <<'SRT'
1
00:00:01,000 --> 00:00:02,000
One

2
00:00:03,000 --> 00:00:07,000
Two

3
00:00:09,000 --> 00:00:10,000
Three
SRT
# 12 s of picture in fragments of 2 s, with the subtitles.
input=(-f lavfi -i testsrc2=size=320x180:rate=25:duration=12 -i film.srt -map 0 -map 1
       -c:v libx264 -threads 1 -preset ultrafast -g 50 -c:s ttml -flags +bitexact)

# The words of all subtitles in the named files, in the order of the files.
words() { cat "$@" | grep -ao '<span[^>]*>[^<]*' | sed 's/.*>//' | paste -sd ' '; }

ismv=0 dash=0
"$ffmpeg" -v error "${input[@]}" -frag_duration 2000000 -f ismv film.ismv || ismv=$?
"$ffmpeg" -v error "${input[@]}" -seg_duration 2 -f dash film.mpd || dash=$?
"$ffmpeg" -v error "${input[@]}" -movflags cmaf film.mp4
grep -q stpp init-stream1.m4s || { echo "FAIL: the second track is not the text"; exit 1; }

fragments=$(grep -aoE '<tt( |$)' film.ismv | wc -l)
segments=(chunk-stream1-*.m4s)
listed=$(python3 - <<'PY'
import re

track = open("film.mpd").read().split("<AdaptationSet")[2]
print(*[re.search(f'{name}="[^"]*"', track).group() for name in ("contentType", "mimeType", "codecs")])
now, starts = 0, []
assert 'timescale="1000000"' in track
for element in re.findall("<S [^>]*>", track):
    value = {name: int(number) for name, number in re.findall('([tdr])="([0-9]+)"', element)}
    now = value.get("t", now)
    for _ in range(value.get("r", 0) + 1):
        starts.append(now)
        now += value["d"]
print(*starts)
PY
)
stored=$(python3 - "${segments[@]}" <<'PY'
import sys


def decode_time(name):
    data = open(name, "rb").read()
    at = data.index(b"tfdt")
    assert data[at + 4] == 1
    return int.from_bytes(data[at + 8:at + 16], "big")


print(*map(decode_time, sys.argv[1:]))
PY
)
kind=$(head -n 1 <<< "$listed")
starts=$(tail -n 1 <<< "$listed")
first="exit status $ismv, $fragments text fragments, subtitles: $(words film.ismv)"
second="exit status $dash, ${#segments[@]} text segments, subtitles: $(words "${segments[@]}")"
third=$(words film.mp4)
echo "-f ismv: $first"
echo "-f dash: $second"
echo "manifest: $kind"
echo "times in the manifest, in microseconds: $starts"
echo "tfdt of the segments, in microseconds:  $stored"
echo "-f mp4 -movflags cmaf: subtitles: $third"

if [ "$first" = 'exit status 0, 6 text fragments, subtitles: One Two Two Two Three' ] &&
    [ "$second" = 'exit status 0, 3 text segments, subtitles: One' ] &&
    [ "$kind" = 'contentType="audio" mimeType="audio/mp4" codecs=""' ] &&
    [ "$starts" = '1000000 2000000 7000000' ] && [ "$stored" = '0 2000000 2000000' ] &&
    [ "$third" = 'One Two Two Two Three' ]; then
    echo "PASS: the text is listed as sound, and only the first subtitle is stored"
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
