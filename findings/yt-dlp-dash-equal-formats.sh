#!/usr/bin/env bash
# yt-dlp: two sounds of a DASH film that differ only in their segments are stored one behind the other
#
# Version: yt-dlp 2026.10.26 (PyPI), with ffmpeg 9.0.2, the binary in the PyPI package
# imageio-ffmpeg 0.8.1, for making the films and decoding.
#
# Expected: `-F` lists two formats, with the identifiers of the two Representations, perhaps without
# their labels, and each of them can be downloaded.
#
# Observed: one format is listed, and the second identifier is "not available". The one that is
# listed has the segments of both: the film's sound from beginning to end, and behind it the
# commentary's, in one file, with exit status 0. The times of the second half begin at 0 again. With a
# bandwidth that differs by 1 bit per second, both formats are listed, and each is complete.
#
# Why it matters: yt-dlp compares all that it knows of two formats except the identifier and the
# segments, and takes equal ones for parts of one that goes on in the next Period. Languages, bandwidths
# and codecs it knows; roles, accessibility and labels it does not. A commentary or an audio
# description usually has the language, the codec and the declared bitrate of the film's sound. An
# origin that declares the bitrates of its encoder, as Smooth Streaming does, should make them differ
# if such a film has to be fetched with yt-dlp.
#
# Output on 2026-11-29:
#   equal bandwidths: formats 0; sound 0: 6 segments, 4 s at 440 Hz, 4 s at 880 Hz; sound 1: not available
#   1 bit/s apart:    formats 1, 0; sound 0: 3 segments, 4 s at 440 Hz; sound 1: 3 segments, 4 s at 880 Hz
#   PASS: two sounds are stored one behind the other
set -euo pipefail

work=$(mktemp -d)
server=''
trap 'if [ -n "$server" ]; then kill "$server" 2> /dev/null || true; fi; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check yt-dlp==2026.10.26 imageio-ffmpeg==0.8.1
ln -s "$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" venv/bin/ffmpeg
ffmpeg=venv/bin/ffmpeg

# The sound of a film, at 440 Hz, and a commentary, at 880 Hz. The film has no pictures.
"$ffmpeg" -v error -f lavfi -i sine=frequency=440:sample_rate=48000:duration=4 \
    -f lavfi -i sine=frequency=880:sample_rate=48000:duration=4 -map 0 -map 1 \
    -c:a aac -b:a 64k -metadata:s:a:0 language=eng -metadata:s:a:1 language=eng \
    -bsf:a setts=ts=TS-STARTPTS -flags +bitexact -seg_duration 2 \
    -adaptation_sets 'id=0,streams=0 id=1,streams=1' -f dash film.mpd
python3 - <<'PY'
import re

role = '<{} schemeIdUri="urn:mpeg:dash:role:2011" value="{}"/>'
text = open("film.mpd").read()
sets = re.findall(r"<AdaptationSet .*?>", text)
assert len(sets) == 2
text = text.replace(sets[0], sets[0] + "<Label>Film</Label>" + role.format("Role", "main"))
text = text.replace(sets[1], sets[1] + "<Label>Commentary</Label>" + role.format("Role", "commentary"))
open("equal.mpd", "w").write(text)
assert text.count('bandwidth="64000"') == 2
open("apart.mpd", "w").write(text.replace('bandwidth="64000"', 'bandwidth="64001"', 1))
PY
python3 -u -m http.server 0 --bind 127.0.0.1 > server.txt 2> /dev/null &
server=$!
port=''
for _ in $(seq 100); do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' server.txt)
    if [ -n "$port" ]; then break; fi
    sleep 0.1
done

fetch() {
    venv/bin/yt-dlp --ignore-config --no-cache-dir --quiet --no-warnings --fixup never \
        --ffmpeg-location venv/bin/ffmpeg "$@" 2>&1
}

# The pitch of each second, counted by its waves.
cat > pitch.py <<'PY'
import array
import itertools
import sys

samples = array.array("h", sys.stdin.buffer.read())
pitches = []
for at in range(0, len(samples) - 24_000, 48_000):
    part = samples[at + 4_800:at + 24_000]
    waves = sum(one < 0 <= other for one, other in itertools.pairwise(part))
    pitches.append(round(waves * 48_000 / len(part) / 440) * 440)
runs = [(pitch, len(list(run))) for pitch, run in itertools.groupby(pitches)]
print(", ".join(f"{seconds} s at {pitch} Hz" for pitch, seconds in runs))
PY
sound() { # NAME ID: what yt-dlp stores for this Representation
    local file=$1-$2.m4a said
    if ! said=$(fetch -f "$2" -o "$file" "http://127.0.0.1:$port/$1.mpd"); then
        [[ $said == *'Requested format is not available'* ]] && echo 'not available' || echo "$said"
        return
    fi
    # By the frames alone: times that go back make ffmpeg drop some.
    "$ffmpeg" -v quiet -y -i "$file" -c copy "$file.aac"
    echo "$(grep -ao moof "$file" | wc -l) segments, $("$ffmpeg" -v quiet -i "$file.aac" -f s16le - | python3 pitch.py)"
}
film() { # NAME
    local formats
    formats=$(fetch -J "http://127.0.0.1:$port/$1.mpd" |
        python3 -c 'import json, sys; print(*(f["format_id"] for f in json.load(sys.stdin)["formats"]), sep=", ")')
    echo "formats $formats; sound 0: $(sound "$1" 0); sound 1: $(sound "$1" 1)"
}
equal=$(film equal)
apart=$(film apart)
echo "equal bandwidths: $equal"
echo "1 bit/s apart:    $apart"

if [ "$equal" = 'formats 0; sound 0: 6 segments, 4 s at 440 Hz, 4 s at 880 Hz; sound 1: not available' ] &&
    [ "$apart" = 'formats 1, 0; sound 0: 3 segments, 4 s at 440 Hz; sound 1: 3 segments, 4 s at 880 Hz' ]; then
    echo 'PASS: two sounds are stored one behind the other'
else
    echo 'FAIL: the behaviour has changed'
    exit 1
fi
