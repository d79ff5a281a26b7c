#!/usr/bin/env bash
# Plays every presentation of a folder from a running origin, with every client, one after the other: as Smooth Streaming,
# as DASH and as HLS.
#
#   play.sh BASE_URL MEDIA_DIR
#
# Presentations are MEDIA_DIR/NAME.ism and MEDIA_DIR/FOLDER/NAME.ism; deeper ones are for tests, not for players. Each has
# to be served at BASE_URL/<path of NAME.ism below MEDIA_DIR>/Manifest.
# Prints a line for each client and presentation, and a sum; the status is non-zero if one of them failed.
#
# PLAYERS  folder of install.sh; default: target/players of this repository.
# LIMIT    seconds after which a client is stopped and has failed; default: 120.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ $# = 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
base=${1%/}
media=$(cd "$2" && pwd)
players=${PLAYERS:-$here/../../target/players}
limit=${LIMIT:-120}

percent_encode() { python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$1"; }

played=0 failed=0

run() { # PRESENTATION LINES COMMAND...: the command has to print LINES lines, each played or failed.
    local presentation=$1 lines=$2 status=0 said good bad
    shift 2
    said=$(timeout --kill-after=10 "$limit" "$@" </dev/null) || status=$?
    [ -z "$said" ] || echo "$said"
    good=$(grep -c '^played ' <<<"$said") || true
    bad=$(grep -c '^failed ' <<<"$said") || true
    if [ $((good + bad)) != "$lines" ] || { [ "$status" = 0 ] && [ "$bad" != 0 ]; } || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
        echo "failed  $(basename "$1")  $presentation  status $status after $((good + bad)) of $lines results (124: LIMIT)"
        bad=$((bad + 1))
    fi
    played=$((played + good)) failed=$((failed + bad))
}

found=0
while IFS= read -r -d '' ism; do
    found=$((found + 1))
    relative=${ism#"$media"/}
    url=$base/$(percent_encode "$relative")/Manifest
    run "$relative" 2 "$here/gstreamer.py" "$url"
    run "$relative" 1 "$here/vlc.py" "$url" "$(dirname "$ism")"
    run "$relative" 1 "$here/ytdlp.py" --players "$players" "$url" "$(dirname "$ism")"
    for player in dashjs shaka rxplayer; do
        run "$relative" 1 "$here/$player.mjs" --players "$players" "$url"
    done
    for format in dash hls; do
        run "$relative as $format" 2 "$here/gstreamer.py" --format "$format" "$url"
    done
    run "$relative as DASH and HLS" 2 "$here/segmented.py" "$url"
    for client in hls.js shaka-hls shaka-dash dashjs-dash rx-dash; do
        run "$relative with $client" 1 "$here/segmented.mjs" "$client" --players "$players" "$url"
    done
done < <(find "$media" -maxdepth 2 -type f -name '*.ism' -print0 | sort -z)

# Text has a presentation of its own.
text=dialects/captions/captions.ism
if [ -f "$media/$text" ]; then
    for client in hls.js shaka-hls shaka-stpp shaka-wvtt dashjs-stpp dashjs-wvtt rx-stpp rx-wvtt; do
        run "$text with $client" 1 "$here/text.mjs" "$client" --players "$players" "$base/$text"
    done
fi

[ "$found" != 0 ] || { echo "play.sh: no .ism in $media or a folder of it" >&2; exit 1; }
echo "players: $played passed, $failed failed"
[ "$failed" = 0 ]
