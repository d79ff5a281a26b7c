#!/usr/bin/env bash
# Shows that the judges of play.sh can fail: plays testdata/ladder through faulty.py, one fault after the other.
#
#   faults.sh HOST:PORT [MEDIA_DIR]
#
# HOST:PORT  the origin, which serves MEDIA_DIR (testdata/ of this repository)
#
# Prints each client's result under each fault. The status is non-zero if a client that has to notice a fault played, or
# if one failed without a fault. Not every client can notice everything: browsers and GStreamer show what they decode,
# and nobody compares it. Takes about six minutes; run it after changing a judge.
#
# PLAYERS  folder of install.sh; default: target/players of this repository.
# PORT     port of faulty.py; default: 18091.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
[ $# = 1 ] || [ $# = 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
origin=$1
media=$(cd "${2:-$here/../../testdata}" && pwd)/ladder
players=${PLAYERS:-$here/../../target/players}
port=${PORT:-18091}
url=http://127.0.0.1:$port/ladder/ladder.ism/Manifest

browsers='dash.js shaka rxplayer'
all="playbin playbin3 vlc yt-dlp $browsers"
wrong=0 proxy=

trap '[ -z "$proxy" ] || kill "$proxy"' EXIT

clients() {
    "$here/gstreamer.py" --timeout 20 "$url" || true
    "$here/vlc.py" "$url" "$media" || true
    "$here/ytdlp.py" --players "$players" "$url" "$media" || true
    local player
    for player in dashjs shaka rxplayer; do
        "$here/$player.mjs" --players "$players" --timeout 12 "$url" || true
    done
}

fault() { # WHAT "CLIENTS THAT HAVE TO FAIL" FAULTY_OPTION...
    local what=$1 must=$2 word client rest lines=0
    shift 2
    echo "--- $what"
    "$here/faulty.py" "$origin" --port "$port" "$@" >/dev/null &
    proxy=$!
    for _ in $(seq 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        sleep 0.1
    done
    while read -r word client rest; do
        echo "$word  $client  $rest"
        lines=$((lines + 1))
        if [ "$word" = played ] && [[ " $must " = *" $client "* ]]; then
            echo "wrong: $client has to fail"
            wrong=$((wrong + 1))
        elif [ "$word" = failed ] && [ -z "$must" ]; then
            echo "wrong: $client has to play"
            wrong=$((wrong + 1))
        fi
    done < <(clients)
    if [ "$lines" != "$(wc -w <<<"$all")" ]; then
        echo "wrong: $lines results"
        wrong=$((wrong + 1))
    fi
    kill "$proxy"
    wait "$proxy" || true
    proxy=
}

fault 'no fault' ''
fault 'a video fragment is missing' "$all" --missing 'Fragments\(video=120000000\)'
fault 'the last video fragment is missing' "$all" --missing 'Fragments\(video=220000000\)'
fault 'an audio fragment is missing' "$all" --missing 'Fragments\(audio_(eng|fra)=120106666\)'
fault 'half of a video fragment is missing' 'vlc yt-dlp' --cut 'Fragments\(video=120000000\)'
fault 'a video fragment is damaged' 'vlc yt-dlp' --damaged 'Fragments\(video=120000000\)'
fault 'an audio fragment is damaged' 'vlc yt-dlp' --damaged 'Fragments\(audio_(eng|fra)=120106666\)'
fault 'a video fragment has the content of the first' 'vlc yt-dlp' --moved 'Fragments\(video=120000000\)'
fault 'an audio fragment has the content of the first' 'vlc yt-dlp' --moved 'Fragments\(audio_(eng|fra)=120106666\)'
fault 'Duration is 6 s too long' "$all" --manifest 'Duration="240000000"' 'Duration="300000000"'
fault 'Duration is 0.2 s too long' "$browsers" --manifest 'Duration="240000000"' 'Duration="242000000"'
fault 'other sites may not read' "$browsers" --header '^access-control-allow-origin:' 'http://127.0.0.1:1'
fault 'the manifest comes as text/xml' 'shaka' --header '^content-type: application/vnd.ms-sstr' 'text/xml'

echo "faults: $wrong wrong"
[ "$wrong" = 0 ]
