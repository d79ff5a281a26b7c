#!/usr/bin/env bash
# Tries all of `deploy/`: the proxies with their configurations, the systemd unit, the container file, and CloudFront's.
#
#   check.sh [SERVE]
#
# SERVE  the example server; default: target/release/examples/serve. DEPLOY names the folder of install.sh; default: target/deploy.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
serve=${1:-$root/target/release/examples/serve}
tools=${DEPLOY:-$root/target/deploy}/bin

# The proxies mostly wait for what grows old in them: the others are tried meanwhile.
log=$(mktemp)
proxies=
ended() {
    # One of the others has failed.
    [ -z "$proxies" ] || { kill "$proxies" 2>/dev/null && wait "$proxies" || true; cat "$log"; }
    rm -f "$log"
}
trap ended EXIT
python3 "$here/proxies.py" "$serve" >"$log" 2>&1 &
proxies=$!
"$tools/python" "$here/cloudfront.py" "$serve"
"$tools/python" "$here/container.py" "$serve" "$tools/hadolint"
python3 "$here/unit.py" "$serve"
result=0
wait "$proxies" || result=$?
proxies=
cat "$log"
exit "$result"
