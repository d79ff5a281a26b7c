#!/usr/bin/env bash
# Installs what check.py runs beside the players and parsers of the folders next to this one: ffmpeg and MediaInfo.
set -euo pipefail

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

if ! command -v ffmpeg >/dev/null || ! command -v mediainfo >/dev/null; then
    as_root apt-get -q update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends ffmpeg mediainfo
fi
mediainfo --Version | sed -n 2p
