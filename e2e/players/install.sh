#!/usr/bin/env bash
# Installs the real players that play.sh runs, on a Debian-like machine that has apt, Node and Python.
#
#   install.sh [FOLDER]
#
# FOLDER  where yt-dlp, the players in JavaScript and what drives browsers go; default: target/players of this repository.
#
# What is already there in the pinned version is left alone, so a second run takes a second.
# The first failure ends the script with a non-zero status.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../target/players}

apt_packages=(
    ffmpeg
    gstreamer1.0-tools gstreamer1.0-libav
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    vlc-bin vlc-plugin-base vlc-plugin-video-output
    mpv
    fonts-dejavu-core
)
yt_dlp=2026.10.26
imageio_ffmpeg=0.8.1 # a static ffmpeg 9.0.2, as an encoder beside Debian's
rx_player=rx-player@4.5.0
esbuild=esbuild@0.28.2
npm_packages=(
    playwright-core@1.65.1
    puppeteer-core@24.43.1 # for Firefox, of which playwright-core wants a build of its own; 25 needs Node 22
    dashjs@5.2.1
    shaka-player@4.16.50 codem-isoboxer@0.3.10 # 5 has dropped Smooth Streaming; 4 wants codem-isoboxer beside it
    "$rx_player" "$esbuild"
    hls.js@1.7.4
    video.js@8.24.1
    shaka-player-5@npm:shaka-player@5.2.12 # for DASH and HLS; beside the one for Smooth Streaming, under another name
)

say() { echo "install: $*"; }
fail() { echo "install: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

as_nobody() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

has_browser() {
    command -v chromium || command -v google-chrome || command -v chromium-browser
}

npm_has() { # NAME@VERSION or NAME@npm:OTHER@VERSION: is it in FOLDER in this version?
    local name=${1%@*}
    grep -qs "\"version\": \"${1##*@}\"" "$folder/node_modules/${name%@npm:*}/package.json"
}

for tool in apt-get node npm python3; do
    command -v "$tool" >/dev/null || fail "needs $tool, and it is not on the PATH"
done

has_firefox() {
    command -v firefox-esr || command -v firefox
}

wanted=("${apt_packages[@]}")
has_firefox >/dev/null || wanted+=(firefox-esr)
has_browser >/dev/null || wanted+=(chromium)
python3 -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv)
missing=()
for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "apt: ${missing[*]}"
    as_root apt-get -q update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "${missing[@]}"
else
    say "apt: all there"
fi

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

if [ "$("$folder/venv/bin/yt-dlp" --version 2>/dev/null)" = "$yt_dlp" ]; then
    say "yt-dlp $yt_dlp: there"
else
    say "yt-dlp $yt_dlp: into $folder/venv"
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "yt-dlp==$yt_dlp"
fi

if "$folder/venv/bin/python" -c "import imageio_ffmpeg as it; assert it.__version__ == '$imageio_ffmpeg'" 2>/dev/null; then
    say "imageio-ffmpeg $imageio_ffmpeg: there"
else
    say "imageio-ffmpeg $imageio_ffmpeg: into $folder/venv"
    "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "imageio-ffmpeg==$imageio_ffmpeg"
fi
ln -sf "$("$folder/venv/bin/python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" "$folder/ffmpeg"

missing=()
for package in "${npm_packages[@]}"; do
    npm_has "$package" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "npm: ${npm_packages[*]} into $folder/node_modules"
    npm install --prefix "$folder" --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
        --loglevel=error "${npm_packages[@]}"
else
    say "npm: all there"
fi

# RxPlayer comes as modules only, with nothing that a script tag could load.
bundle="// $rx_player by $esbuild"
if [ "$(head -n 1 "$folder/rx-player.js" 2>/dev/null)" = "$bundle" ]; then
    say "$rx_player: bundled"
else
    say "$rx_player: into $folder/rx-player.js"
    (cd "$folder" && node_modules/.bin/esbuild --bundle --minify --log-level=warning --banner:js="$bundle" \
        --outfile=rx-player.js <<<'import RxPlayer from "rx-player"; globalThis.RxPlayer = RxPlayer;')
fi

# The proof that everything starts: what apt and npm report is not enough.
for factory in mssdemux mssdemux2 dashdemux dashdemux2 hlsdemux hlsdemux2 avdec_h264 avdec_aac mp4mux curlhttpsink; do
    gst-inspect-1.0 --exists "$factory" || fail "GStreamer has no $factory: look at 'gst-inspect-1.0 -b'"
done
ffmpeg -version | sed -n '1s/ Copyright.*//p'
gst-launch-1.0 --version | sed -n '1p'
# VLC refuses to run as root, even for this.
as_nobody vlc --version 2>/dev/null | sed -n '1p' | grep . || fail "vlc does not start"
mpv --version | sed -n '1s/ Copyright.*//p'
"$folder/ffmpeg" -version | sed -n '1s/ Copyright.*//p'
"$folder/venv/bin/yt-dlp" --version | sed 's/^/yt-dlp /'
"$(has_browser)" --version 2>/dev/null || fail "$(has_browser) does not start"
"$(has_firefox)" --version 2>/dev/null || fail "$(has_firefox) does not start"
for package in "${npm_packages[@]}"; do
    npm_has "$package" || fail "$package is not in $folder/node_modules after npm install"
    echo "$package"
done
say "done"
