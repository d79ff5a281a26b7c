#!/usr/bin/env bash
# GStreamer mssdemux2 (that of playbin3): a live Smooth presentation is looked at for ever and never played
#
# Version: GStreamer 1.22.0, the packages of Debian 12. The input is made by ffmpeg 9.0.2, the binary in the
# PyPI package imageio-ffmpeg 0.8.1.
#
# Expected: GStreamer has two demuxers for Smooth Streaming, `mssdemux` (playbin) and `mssdemux2` (playbin3).
# Both read live manifests: their logs name the count of look-ahead fragments. So both were expected to play
# fragments that a live manifest lists and that are there.
#
# Observed: `mssdemux2` plays the film if the manifest does not say `IsLive`. If it does, the element fetches
# the manifest again every few seconds and never asks for a fragment. Its log shows why: before each fragment
# of a live stream it waits one second, and after the second it decides again that it has to wait. The count
# of look-ahead fragments and the window make no difference. `mssdemux` plays both forms. There is no error,
# and the player shows nothing for as long as it runs.
#
# Why it matters: an application that moved from playbin to playbin3, as GStreamer advises, plays films of a
# Smooth origin and none of its live channels. The origin's log shows a healthy client that polls the
# manifest. An origin can offer HLS or DASH to such clients, or the operator can have playbin used.
#
# Output on 2026-11-29:
#   mssdemux, film:      fragments are fetched
#   mssdemux, live:      fragments are fetched
#   mssdemux2, film:     fragments are fetched
#   mssdemux2, live:     manifests 3, fragments 0
#   mssdemux2, live, no look-ahead: manifests 3, fragments 0
#   PASS: mssdemux2 fetches no fragment of a live presentation
set -euo pipefail

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')

# The packages are unpacked and not installed. Those without a version are libraries that they need.
apt-get download -qq -o APT::Sandbox::User=root \
    'libgstreamer1.0-0=1.22.0-*' 'libgstreamer-plugins-base1.0-0=1.22.0-*' 'libgstreamer-plugins-bad1.0-0=1.22.0-*' \
    'gstreamer1.0-tools=1.22.0-*' 'gstreamer1.0-plugins-base=1.22.0-*' \
    'gstreamer1.0-plugins-good=1.22.0-*' 'gstreamer1.0-plugins-bad=1.22.0-*' \
    libglib2.0-0 libdw1 libelf1 libunwind8 liborc-0.4-0 libsoup-3.0-0 libnghttp2-14 libpsl5 libxml2 libicu72 > /dev/null
for package in ./*.deb; do dpkg-deb -x "$package" root; done
libraries=$(dirname "$(find "$work/root" -name libgstreamer-1.0.so.0)")
gst() { # SECONDS ARGUMENT...
    LD_LIBRARY_PATH=$libraries GST_REGISTRY=$work/registry GST_PLUGIN_PATH_1_0='' \
        GST_PLUGIN_SYSTEM_PATH_1_0=$libraries/gstreamer-1.0 \
        GST_PLUGIN_SCANNER=$libraries/gstreamer1.0/gstreamer-1.0/gst-plugin-scanner \
        timeout --signal=INT --kill-after=5 "$1" "$work/root/usr/bin/gst-launch-1.0" "${@:2}"
}
gst 60 --version | head -n 1

# Thirty seconds in chunks of two, as files; the manifests are written here, with the time of each file.
mkdir www
"$ffmpeg" -v error -y -f lavfi -i testsrc2=size=320x180:rate=25:duration=30 \
    -c:v libx264 -threads 1 -preset ultrafast -g 50 -b:v 300k -flags +bitexact film.mp4
"$ffmpeg" -v error -y -i film.mp4 -c copy -f smoothstreaming -min_frag_duration 2000000 www/film.ism

cat > serve.py <<'PY'
import http.server
import pathlib
import re
import sys

film = pathlib.Path("www/film.ism")
bitrate = re.search(r"\d+", next(film.glob("QualityLevels*")).name)[0]
times = sorted(int(re.search(r"video=(\d+)", path.name)[1]) for path in film.glob("*/Fragments(video=*"))
quality = re.search(r"<QualityLevel .*?/>", (film / "Manifest").read_text())[0]
chunks = "".join(f'<c t="{time}" d="20000000"/>' for time in times)


def manifest(root):
    return f"""<?xml version="1.0" encoding="utf-8"?>
<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" {root}>
<StreamIndex Type="video" Name="video" QualityLevels="1" Chunks="{len(times)}" Url="QualityLevels({{bitrate}})/Fragments(video={{start time}})">
{quality}{chunks}</StreamIndex></SmoothStreamingMedia>"""


LIVE = 'Duration="0" IsLive="TRUE" DVRWindowLength="600000000"'
for name, root in {
    "film": f'Duration="{20000000 * len(times)}"',
    "live": f'{LIVE} LookAheadFragmentCount="2"',
    "live-none": f'{LIVE} LookAheadFragmentCount="0"',
}.items():
    folder = pathlib.Path("www", name + ".isml")
    folder.mkdir()
    (folder / f"QualityLevels({bitrate})").symlink_to((film / f"QualityLevels({bitrate})").resolve())
    (folder / "Manifest").write_text(manifest(root))


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *given):
        super().__init__(*given, directory="www")

    def log_message(self, form, *given):
        print(form % given, flush=True)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
pathlib.Path("port.new").write_text(str(server.server_port))
pathlib.Path("port.new").rename("port")
server.serve_forever()
PY
python3 serve.py > requests.log 2> server.log &
server=$!
until [ -s port ]; do sleep 0.1; done
url=http://127.0.0.1:$(cat port)

# What was fetched in twelve seconds: the number of manifests and of fragments.
fetched() { # PIPELINE...
    local before
    before=$(wc -l < requests.log)
    gst 12 -q "$@" > gst.log 2>&1 || true
    tail -n "+$((before + 1))" requests.log > now.log
    echo "manifests $(grep -c Manifest now.log), fragments $(grep -c Fragments now.log)"
}
one() { fetched souphttpsrc "location=$url/$1.isml/Manifest" ! mssdemux name=demux demux. ! queue ! fakesink sync=true; }
two() { fetched urisourcebin "uri=$url/$1.isml/Manifest" name=demux demux. ! queue ! fakesink; }
brief() { if [[ $1 = *"fragments 0" ]]; then echo "$1"; else echo "fragments are fetched"; fi; }

one_film=$(one film) one_live=$(one live) two_film=$(two film) two_live=$(two live) two_none=$(two live-none)
echo "mssdemux, film:      $(brief "$one_film")"
echo "mssdemux, live:      $(brief "$one_live")"
echo "mssdemux2, film:     $(brief "$two_film")"
echo "mssdemux2, live:     $(brief "$two_live")"
echo "mssdemux2, live, no look-ahead: $(brief "$two_none")"

is_played() { [[ $1 =~ fragments\ [1-9] ]]; }
is_only_looked_at() { [[ $1 =~ ^manifests\ [2-9],\ fragments\ 0$ ]]; }
if is_played "$one_film" && is_played "$one_live" && is_played "$two_film" &&
    is_only_looked_at "$two_live" && is_only_looked_at "$two_none"; then
    echo "PASS: mssdemux2 fetches no fragment of a live presentation"
else
    echo "FAIL: the behaviour has changed"
    exit 1
fi
