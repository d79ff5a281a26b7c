#!/usr/bin/env bash
# Installs the judges of HTTP: nginx, Varnish and REDbot; and wrk, which asks us and nginx in turn.
#
#   install.sh [FOLDER]
#
# FOLDER  where REDbot goes; default: target/http of this repository.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../target/http}
redbot=2.7.1
httplint=2026.10.4

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

if ! { command -v nginx && command -v varnishd && command -v wrk; } >/dev/null; then
    # They are run in folders and on ports of their own: the services that the packages start are of no use.
    as_root apt-get -q update
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y install --no-install-recommends nginx varnish wrk
fi
python3 -c 'import ensurepip, venv' 2>/dev/null ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends python3-venv

if ! "$folder/bin/python" -m pip list 2>/dev/null | grep -q "^redbot *$redbot$"; then
    python3 -m venv --clear "$folder"
    # What it says of a response is in the lint: both are held.
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "redbot==$redbot" "httplint==$httplint"
fi

nginx -v
varnishd -V 2>&1 | sed -n 1p
"$folder/bin/python" -m pip list 2>/dev/null | grep -E '^(redbot|httplint) '
