#!/usr/bin/env bash
# GStreamer ismlmux: the "ISML muxer" writes no Smooth Streaming times and no live manifest
#
# Version: GStreamer 1.22.0, the packages of Debian 12 (gstreamer1.0-plugins-good). The input is made
# by ffmpeg 9.0.2, the binary in the PyPI package imageio-ffmpeg 0.8.1.
#
# Expected: `ismlmux` is described as a muxer for ISML files, so its output was expected to be what
# `ffmpeg -f ismv` writes: the brand `piff`, tracks in units of 10,000,000 a second, a tfxd box with
# time and duration in every fragment and no `tfdt`, and an `mfra` index at the end.
#
# Observed: apart from its first brand the output is a common fragmented MP4. The brands are `isml`
# and `iso2`. Each track has a timescale of its own (2,500 for 25 frames a second, and 48,000).
# Fragments have `tfdt`, and neither tfxd nor tfrf. There is no index, and no live server manifest;
# the one `uuid` box in front holds XMP metadata. `trak-timescale=10000000` and `streamable=false`
# give the unit and an `mfra`, but no tfxd, no manifest and no `piff`. (`fragment-duration` has to be
# given: its default is 0, with which the element refuses to start.)
#
# Why it matters: a Smooth ingest point learns the streams from the live server manifest and the
# times from tfxd, so it cannot start a channel from this output. The name of the element and its
# first brand lead an operator to search for the fault in the server. A reader of such files has to
# take times from `tfdt`, in the timescale of each track. To push Smooth from GStreamer, hand the
# streams to ffmpeg's muxer.
#
# Output on 2026-11-28:
#   ffmpeg:                     brands isml piff, manifest 1, timescales 10000000, fragments 6, tfxd 6, tfdt 0, mfra 1
#   ismlmux:                    brands isml iso2, manifest 0, timescales 2500 48000, fragments 7, tfxd 0, tfdt 7, mfra 0
#   ismlmux, unit of 10 MHz:    brands isml iso2, manifest 0, timescales 10000000, fragments 7, tfxd 0, tfdt 7, mfra 1
#   PASS: ismlmux writes neither tfxd nor a live server manifest
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')

# The packages are unpacked and not installed. Those without a version are libraries that they need.
apt-get download -qq -o APT::Sandbox::User=root \
    'libgstreamer1.0-0=1.22.0-*' 'libgstreamer-plugins-base1.0-0=1.22.0-*' \
    'gstreamer1.0-tools=1.22.0-*' 'gstreamer1.0-plugins-good=1.22.0-*' \
    libglib2.0-0 libdw1 libelf1 libunwind8 liborc-0.4-0 > /dev/null
for package in ./*.deb; do dpkg-deb -x "$package" root; done
libraries=$(dirname "$(find "$work/root" -name libgstreamer-1.0.so.0)")
gst() {
    LD_LIBRARY_PATH=$libraries GST_REGISTRY=$work/registry GST_PLUGIN_PATH_1_0='' \
        GST_PLUGIN_SYSTEM_PATH_1_0=$libraries/gstreamer-1.0 \
        GST_PLUGIN_SCANNER=$libraries/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner \
        timeout 60 "$work/root/usr/bin/$1" "${@:2}"
}
gst gst-launch-1.0 --version | head -n 1

"$ffmpeg" -v error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=6 \
    -f lavfi -i sine=frequency=440:sample_rate=48000:duration=6 \
    -c:v libx264 -threads 1 -preset ultrafast -g 50 -c:a aac -flags +bitexact film.mp4
"$ffmpeg" -v error -y -i film.mp4 -c copy -movflags isml+frag_keyframe -f ismv ffmpeg.isml

# Fragments of 2 s, with the other options of `ismlmux` as given.
mux() {
    gst gst-launch-1.0 -q filesrc location=film.mp4 ! qtdemux name=film \
        film.video_0 ! queue ! mux.video_0 film.audio_0 ! queue ! mux.audio_0 \
        ismlmux name=mux fragment-duration=2000 "${@:2}" ! filesink location="$1"
}
mux ismlmux.isml
mux unit.isml trak-timescale=10000000 streamable=false

cat > look.py <<'PY'
import sys
import uuid

TFXD = uuid.UUID("6d1d9b05-42d5-44e6-80e2-141daff757b2").bytes
TFRF = uuid.UUID("d4807ef2-ca39-4695-8e54-26cb9e46a79f").bytes
MANIFEST = uuid.UUID("a5d40b30-e814-11dd-ba2f-0800200c9a66").bytes
CONTAINERS = {b"moov", b"trak", b"mdia", b"moof", b"traf"}


def boxes(data):
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        assert 8 <= size <= len(data) - at, "a box with a size of 32 bits"
        name, body = data[at + 4:at + 8], data[at + 8:at + size]
        yield name, body
        if name in CONTAINERS:
            yield from boxes(body)
        at += size


found = list(boxes(open(sys.argv[1], "rb").read()))
brands = [body for name, body in found if name == b"ftyp"][0]
brands = {brands[i:i + 4].decode() for i in [0, *range(8, len(brands), 4)]}
units = []
for name, body in found:
    if name == b"mdhd":
        at = 20 if body[0] else 12
        units.append(int.from_bytes(body[at:at + 4], "big"))
kinds = [body[:16] for name, body in found if name == b"uuid"]
assert TFRF not in kinds
names = [name for name, _ in found]
print(
    f"brands {' '.join(sorted(brands))}, manifest {kinds.count(MANIFEST)}, "
    f"timescales {' '.join(map(str, sorted(set(units))))}, fragments {names.count(b'moof')}, "
    f"tfxd {kinds.count(TFXD)}, tfdt {names.count(b'tfdt')}, mfra {names.count(b'mfra')}"
)
PY
of_ffmpeg=$(python3 look.py ffmpeg.isml)
plain=$(python3 look.py ismlmux.isml)
unit=$(python3 look.py unit.isml)
echo "ffmpeg:                     $of_ffmpeg"
echo "ismlmux:                    $plain"
echo "ismlmux, unit of 10 MHz:    $unit"

fragments=$(sed -n 's/.*fragments \([0-9]*\),.*/\1/p' <<< "$plain")
if [ "$of_ffmpeg" = "brands isml piff, manifest 1, timescales 10000000, fragments 6, tfxd 6, tfdt 0, mfra 1" ] &&
    [ "$fragments" -ge 6 ] &&
    [ "$plain" = "brands isml iso2, manifest 0, timescales 2500 48000, fragments $fragments, tfxd 0, tfdt $fragments, mfra 0" ] &&
    [ "$unit" = "brands isml iso2, manifest 0, timescales 10000000, fragments $fragments, tfxd 0, tfdt $fragments, mfra 1" ]; then
    echo "PASS: ismlmux writes neither tfxd nor a live server manifest"
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
