#!/usr/bin/env bash
# Plays every presentation of a folder from a running origin, with every client: as Smooth Streaming, as DASH and as HLS.
# GStreamer plays first, alone; of the others, which mostly wait for the clock, some play at a time.
#
#   play.sh BASE_URL MEDIA_DIR
#
# Presentations are MEDIA_DIR/NAME.ism and MEDIA_DIR/FOLDER/NAME.ism; deeper ones are for tests, not for players. Each has
# to be served at BASE_URL/<path of NAME.ism below MEDIA_DIR>/Manifest.
# Prints a line for each client and presentation, and a sum; the status is non-zero if one of them failed.
#
# PLAYERS  folder of install.sh; default: target/players of this repository.
# JOBS     how many clients play at a time; default: 3.
# LIMIT    seconds after which a client is stopped and has failed; default: 600.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ $# = 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
base=${1%/}
media=$(cd "$2" && pwd)
players=${PLAYERS:-$here/../../target/players}
limit=${LIMIT:-600}
jobs=${JOBS:-3}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

percent_encode() { python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1]))' "$1"; }

started=0

run() { # PRESENTATION LINES COMMAND...: the command has to print LINES lines, each played or failed.
    local presentation=$1 lines=$2 status=0 said good bad
    shift 2
    said=$(timeout --kill-after=10 "$limit" "$@" </dev/null) || status=$?
    good=$(grep -c '^played ' <<<"$said") || true
    bad=$(grep -c '^failed ' <<<"$said") || true
    if [ $((good + bad)) != "$lines" ] || { [ "$status" = 0 ] && [ "$bad" != 0 ]; } || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
        said+=$'\n'"failed  $(basename "$1")  $presentation  status $status after $((good + bad)) of $lines results (124: LIMIT)"
    fi
    sed '/^$/d' <<<"$said" | tee "$results/$started"
}

beside() { # The same, beside others.
    while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do wait -n; done
    started=$((started + 1))
    run "$@" &
}

readarray -d '' -t presentations < <(find "$media" -maxdepth 2 -type f -name '*.ism' -print0 | sort -z)

name() { # FILE.ism: sets what the loops below call it
    relative=${1#"$media"/}
    folder=$(dirname "$1")
    url=$base/$(percent_encode "$relative")/Manifest
}

for ism in "${presentations[@]}"; do
    name "$ism"
    for format in smooth dash hls; do
        started=$((started + 1))
        (run "$relative as $format" 2 "$here/gstreamer.py" --format "$format" "$url")
    done
done

for ism in "${presentations[@]}"; do
    name "$ism"
    for format in smooth dash hls; do
        beside "$relative as $format" 1 "$here/vlc.py" --format "$format" "$url" "$folder"
    done
    for client in hls.js shaka-hls video.js-hls shaka-dash dashjs-dash rx-dash video.js-dash hls.js-firefox dashjs-dash-firefox; do
        beside "$relative with $client" 1 "$here/segmented.mjs" "$client" --players "$players" "$url"
    done
    for player in dashjs shaka rxplayer; do
        beside "$relative" 1 "$here/$player.mjs" --players "$players" "$url"
    done
    beside "$relative" 1 "$here/ytdlp.py" --players "$players" "$url" "$folder"
    beside "$relative as DASH and HLS" 2 "$here/segmented.py" "$url"
    beside "$relative as DASH and HLS" 2 "$here/mpv.py" "$url" "$folder"
done

# Text has a presentation of its own.
text=dialects/captions/captions.ism
if [ -f "$media/$text" ]; then
    for client in hls.js shaka-hls shaka-stpp shaka-wvtt dashjs-stpp dashjs-wvtt rx-stpp rx-wvtt; do
        beside "$text with $client" 1 "$here/text.mjs" "$client" --players "$players" "$base/$text"
    done
fi
wait

[ "${#presentations[@]}" != 0 ] || { echo "play.sh: no .ism in $media or a folder of it" >&2; exit 1; }
if [ "$(find "$results" -type f | wc -l)" != "$started" ]; then
    echo "play.sh: a client left no result" >&2
    exit 1
fi
played=$(cat "$results"/* | grep -c '^played ') || true
failed=$(cat "$results"/* | grep -c '^failed ') || true
echo "players: $played passed, $failed failed"
[ "$failed" = 0 ]
