#!/usr/bin/env bash
# Players in a browser, on pages of a site that the server allows and of one that it does not.
#
#   pages.sh [target/release/examples/serve]
#
# A page that is allowed has to play with the answers that name it, and one that is not has to fail.
#
# PLAYERS  folder of players/install.sh; default: target/players of this repository.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
binary=${1:-$here/../../target/release/examples/serve}
players=${PLAYERS:-$here/../../target/players}
log=$(mktemp)
server=
trap '[ -z "$server" ] || kill "$server"; rm -f "$log"' EXIT

start() { # ALLOWED_ORIGIN
    # The shell in the background empties the file too, perhaps after the first look at it: the line of the server before would be read.
    : >"$log"
    "$binary" "$here/../../testdata" --listen 127.0.0.1:0 --allow-origin "$1" >"$log" &
    server=$!
    for _ in $(seq 600); do
        grep -q '^listening' "$log" && break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    local address
    address=$(sed -n 's/^listening on \([0-9.:]*\).*/\1/p' "$log")
    [ -n "$address" ] || { echo "the server that allows $1 does not listen" >&2; exit 1; }
    url=http://$address/ladder/ladder.ism/Manifest
}

stop() {
    kill "$server"
    wait "$server" || true
    server=
}

start 'http://127.0.0.1:*'
for player in dashjs shaka rxplayer; do
    "$here/../players/$player.mjs" --players "$players" "$url"
done
stop

start 'https://tv.example.com'
for player in dashjs shaka rxplayer; do
    if said=$("$here/../players/$player.mjs" --players "$players" "$url"); then
        echo "a page of a site that is not allowed plays: $said" >&2
        exit 1
    fi
    # For that reason, and not for another.
    [[ $said == failed*'blocked by CORS policy'* ]] || { echo "$said" >&2; exit 1; }
    echo "$player: refused, as it should"
done
stop
