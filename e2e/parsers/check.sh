#!/usr/bin/env bash
# Has parsers of others read what a running origin serves as DASH and HLS, and compares what they find with the Smooth
# manifests, the fragments of Smooth Streaming and the stored files.
#
#   check.sh BASE_URL [MEDIA_DIR]
#
# MEDIA_DIR  folder whose .ism files are served below BASE_URL, however deep; default: testdata of this repository.
# Prints a line for each judge and presentation, and a sum; the status is non-zero if one of them failed or is missing.
#
# PARSERS  folder of install.sh; default: target/parsers of this repository.
# LIMIT    seconds after which a judge is stopped and has failed; default: 1200.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ $# = 1 ] || [ $# = 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
media=${2:-$here/../../testdata}
parsers=${PARSERS:-$here/../../target/parsers}
limit=${LIMIT:-1200}

export PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/collect.py" "$1" "$media" "$work/collected"
collected=("$work"/collected/*)

passed=0 failed=0

run() { # NUMBER COMMAND...: the command has to print a line per presentation, NUMBER times; 0 for any number of lines.
    local lines=$(($1 * ${#collected[@]})) status=0 said good bad
    shift
    said=$(timeout --kill-after=10 "$limit" "$@" --parsers "$parsers" "${collected[@]}" </dev/null) || status=$?
    [ -z "$said" ] || echo "$said"
    good=$(grep -c '^passed ' <<<"$said") || true
    bad=$(grep -c '^failed ' <<<"$said") || true
    if [ $((good + bad)) = 0 ] || { [ "$lines" != 0 ] && [ $((good + bad)) != "$lines" ]; } ||
        [ $((status != 0)) != $((bad != 0)) ]; then
        echo "failed  ${2##*/}  status $status after $((good + bad)) of $lines results (124: LIMIT)"
        bad=$((bad + 1))
    fi
    passed=$((passed + good)) failed=$((failed + bad))
}

run 1 node "$here/mp4box.mjs"
run 1 python3 "$here/packager.py"
run 3 node "$here/hls.mjs"
run 2 node "$here/dash.mjs"
run 0 "$parsers/venv/bin/python" "$here/playready.py"

echo "parsers: $passed passed, $failed failed"
[ "$failed" = 0 ]
