#!/usr/bin/env bash
# Installs what check.sh needs, on a Debian-like machine that has apt, Node and npm.
#
#   install.sh [FOLDER]
#
# FOLDER  where what drives browsers goes; default: target/page of this repository.
#
# What is already there in the pinned version is left alone, so a second run takes a second.
# The first failure ends the script with a non-zero status.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../target/page}

npm_packages=(
    playwright-core@1.65.1
    puppeteer-core@24.43.1 # for Firefox, of which playwright-core wants a build of its own; 25 needs Node 22
    axe-core@4.14.1
)

say() { echo "install: $*"; }
fail() { echo "install: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

npm_has() { # NAME@VERSION: is it in FOLDER in this version?
    grep -qs "\"version\": \"${1##*@}\"" "$folder/node_modules/${1%@*}/package.json"
}

for tool in node npm; do
    command -v "$tool" >/dev/null || fail "needs $tool, and it is not on the PATH"
done

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v firefox-esr >/dev/null || missing+=(firefox-esr)
dpkg-query -W -f '${db:Status-Status}' fonts-dejavu-core 2>/dev/null | grep -qx installed || missing+=(fonts-dejavu-core)
if [ ${#missing[@]} -gt 0 ]; then
    say "apt: ${missing[*]}"
    as_root apt-get -q update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "${missing[@]}"
else
    say "apt: all there"
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
else
    say "npm: all there"
fi

for package in "${npm_packages[@]}"; do
    npm_has "$package" || fail "$package is not in $folder/node_modules after npm install"
    echo "$package"
done
say "done"
