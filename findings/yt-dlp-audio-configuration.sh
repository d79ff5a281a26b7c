#!/usr/bin/env bash
# yt-dlp: the sound of a Smooth stream is stored without its decoder configuration
#
# Version: yt-dlp 2026.10.26 (PyPI), with ffmpeg 9.0.2, the binary in the PyPI package
# imageio-ffmpeg 0.8.1, for making the stream, merging and repackaging.
#
# Expected: the header that yt-dlp writes in front of the fragments has for AAC an `mp4a` sample entry
# with an `esds` box, made from `CodecPrivateData`, as it has for video an `avcC`. The merged .mp4 is
# then like any other.
#
# Observed: the `mp4a` entry has 36 bytes and no `esds`; the `CodecPrivateData` of audio is not used.
# Merging makes an `esds`, but one without the DecoderSpecificInfo. ffmpeg plays both files,
# because its decoder guesses the configuration from the rate and the channels. Copying the merged
# file to Matroska fails. `ffmpeg -f smoothstreaming` makes of it, with exit status 0, a manifest with
# the text `CodecPrivateData="(null)"`. Sound of 96,000 Hz cannot be stored at all: the rate does not
# fit into the 16 bits that yt-dlp has for it, and the download ends with an error.
#
# Why it matters: yt-dlp is the usual tool to fetch a Smooth title or to check an origin. The files
# look complete and ffmpeg plays them, so the lost configuration is noticed much later, in another
# tool, and is taken for a fault of the origin or of the encoder: mkvmerge 74.0 lists no sound in the
# .isma, mediabunny 1.61.0 reports an error for that of the .mp4. If such files are packaged for Smooth
# again, players get `(null)` where they expect hex digits. Keep the manifest, or encode the sound again.
#
# Output on 2026-11-28:
#   manifest:       CodecPrivateData="118856e500"
#   film.isma:      mp4a of 36 bytes, esds 0, DecoderSpecificInfo 0
#   film.mp4:       mp4a of 100 bytes, esds 1, DecoderSpecificInfo 0
#   to Matroska:    Error parsing AAC extradata, unable to determine samplerate.
#   to Smooth:      exit status 0, CodecPrivateData="(null)"
#   96,000 Hz:      ERROR: 'H' format requires 0 <= number <= 65535
#   PASS: the configuration of the sound is lost
set -euo pipefail

work=$(mktemp -d)
server=''
trap 'if [ -n "$server" ]; then kill "$server" 2> /dev/null || true; fi; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check yt-dlp==2026.10.26 imageio-ffmpeg==0.8.1
ln -s "$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" venv/bin/ffmpeg
ffmpeg=venv/bin/ffmpeg

# A film, and a sound of 96,000 Hz, as folders that any web server can serve. All times begin at 0.
"$ffmpeg" -v error -f lavfi -i testsrc2=size=320x180:rate=25:duration=4 \
    -f lavfi -i sine=frequency=440:sample_rate=48000:duration=4 \
    -c:v libx264 -threads 1 -preset ultrafast -g 50 -c:a aac -bsf:a setts=ts=TS-STARTPTS \
    -flags +bitexact -f smoothstreaming film.ism
"$ffmpeg" -v error -f lavfi -i sine=frequency=440:sample_rate=96000:duration=4 \
    -c:a aac -bsf:a setts=ts=TS-STARTPTS -flags +bitexact -f smoothstreaming high.ism
python3 -u -m http.server 0 --bind 127.0.0.1 > server.txt 2> /dev/null &
server=$!
port=''
for _ in $(seq 100); do
    port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' server.txt)
    if [ -n "$port" ]; then break; fi
    sleep 0.1
done

fetch() {
    venv/bin/yt-dlp --ignore-config --no-cache-dir --quiet --no-warnings --ffmpeg-location venv/bin/ffmpeg \
        -f "$2" -o "$3" "http://127.0.0.1:$port/$1.ism/Manifest"
}
fetch film bestaudio film.isma
fetch film bestvideo+bestaudio film.mp4
high=$(fetch high bestaudio high.isma 2>&1 || true)
high=$(grep -o 'ERROR: .*' <<< "$high" || true)

cat > look.py <<'PY'
import sys


def boxes(data):
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        yield data[at + 4:at + 8], data[at + 8:at + size]
        at += max(size, 8)


def inside(data, *path):
    return [] if not path else [
        found
        for name, body in boxes(data) if name == path[0]
        for found in ([body] if len(path) == 1 else inside(body, *path[1:]))
    ]


film = open(sys.argv[1], "rb").read()
tables = inside(film, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
entry = [body for table in tables for name, body in boxes(table[8:]) if name == b"mp4a"][0]
children = inside(entry[28:], b"esds")
# ffmpeg writes each length of a descriptor with four bytes, so tag 5 can be found by its look.
specific = sum(b"\x05\x80\x80\x80" in child for child in children)
print(f"mp4a of {8 + len(entry)} bytes, esds {len(children)}, DecoderSpecificInfo {specific}")
PY
# The look must find a configuration where there is one.
"$ffmpeg" -v error -f lavfi -i sine=duration=1 -c:a aac -flags +bitexact control.mp4
if [[ $(python3 look.py control.mp4) != *'esds 1, DecoderSpecificInfo 1' ]]; then
    echo "FAIL: the control has no configuration"
    exit 1
fi

attribute() { grep -o 'FourCC="AACL".*' "$1" | grep -o 'CodecPrivateData="[^"]*"'; }
manifest=$(attribute film.ism/Manifest)
isma=$(python3 look.py film.isma)
merged=$(python3 look.py film.mp4)
matroska=$("$ffmpeg" -v error -i film.mp4 -c copy film.mkv 2>&1 || true)
matroska=$(grep -o 'Error parsing AAC.*' <<< "$matroska" | head -n 1 || true)
status=0
"$ffmpeg" -v error -i film.mp4 -c copy -f smoothstreaming again.ism || status=$?
again=$(attribute again.ism/Manifest)
echo "manifest:       $manifest"
echo "film.isma:      $isma"
echo "film.mp4:       $merged"
echo "to Matroska:    $matroska"
echo "to Smooth:      exit status $status, $again"
echo "96,000 Hz:      $high"

if [ "$manifest" = 'CodecPrivateData="118856e500"' ] &&
    [ "$isma" = 'mp4a of 36 bytes, esds 0, DecoderSpecificInfo 0' ] &&
    [[ $merged == *'esds 1, DecoderSpecificInfo 0' ]] && [ -n "$matroska" ] &&
    [ "$status $again" = '0 CodecPrivateData="(null)"' ] && [[ $high == *65535* ]]; then
    echo "PASS: the configuration of the sound is lost"
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
