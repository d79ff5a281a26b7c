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

"$tools/python" "$here/cloudfront.py" "$serve"
"$tools/python" "$here/container.py" "$serve" "$tools/hadolint"
python3 "$here/unit.py" "$serve"
python3 "$here/proxies.py" "$serve"
