#!/usr/bin/env bash
# Uses the page of a running server as a person would, in Chromium and Firefox.
#
#   check.sh URL [SERVE]
#
# URL    of a server of testdata/, for example http://127.0.0.1:18080
# SERVE  the program `serve`, which is started once more with hostile names; default: target/release/examples/serve
#
# PAGE names the folder of install.sh (target/page), SHOTS one for screenshots (target/page/screenshots).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
url=${1:?check.sh URL [SERVE]}
serve=${2:-$root/target/release/examples/serve}
export PAGE=${PAGE:-$root/target/page}
export SHOTS=${SHOTS:-$PAGE/screenshots}

exec node "$here/check.mjs" "$url" "$serve"
