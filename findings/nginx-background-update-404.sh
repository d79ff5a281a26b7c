#!/usr/bin/env bash
# nginx: with `updating` and a background update, an expired 404 is sent once more, however old it is
#
# Version: nginx 1.22.1, the package of Debian 12.
#
# Expected: `proxy_cache_use_stale updating` bridges the moment of an update: a 404 with
# `Cache-Control: max-age=1` is gone from the cache soon after 1 s, and who asks for the film
# 10 s later, when the origin has it, gets the film.
#
# Observed: with `proxy_cache_background_update on`, the first who asks gets the 404 (status STALE),
# while nginx fetches the film; the next gets the film. It does not matter how long ago the 404
# expired: it is sent as long as it is in the cache (`inactive`, 10 minutes by default, starts
# again with each request). Without the background update the first who asks waits for the film.
# With the background update, and `stale-while-revalidate=1` of the response in place of `updating`,
# the first who asks gets the film too.
#
# Why it matters: the two directives are often advised together, and do no harm to a film that does
# not change. But a 404 is the answer to whoever looked before the film was there, and the viewer who
# then asks first, minutes later or, with a long `inactive`, days, is told that there is no film. The
# origin's `max-age=1` does not prevent it. An origin should send `stale-while-revalidate` with its
# films, and the cache should do without `updating`.
#
# Output on 2026-11-29 (a 404 of `max-age=1`, then the film arrives; the answers 10 s after the 404):
#   updating, background update:                404 STALE, then 200 HIT
#   updating:                                   200 EXPIRED, then 200 HIT
#   stale-while-revalidate, background update:  200 EXPIRED, then 200 HIT
#   PASS: an expired 404 is sent once more
set -euo pipefail

work=$(mktemp -d)
processes=()
trap 'for process in "${processes[@]}"; do kill "$process" 2> /dev/null || true; done; wait; rm -rf "$work"' EXIT
cd "$work"

# The packages are unpacked and not installed. Those without a version are libraries that nginx needs.
apt-get download -qq -o APT::Sandbox::User=root 'nginx=1.22.1-*' libssl3 libpcre2-8-0 > /dev/null
for package in ./*.deb; do dpkg-deb -x "$package" root; done
libraries=$(dirname "$(find "$work/root" -name libssl.so.3)")
nginx() {
    LD_LIBRARY_PATH=$libraries exec "$work/root/usr/sbin/nginx" -p "$work" -e stderr "$@"
}
(nginx -v)

# An origin that has the film as soon as there is a file "film".
cat > origin.py <<'PY'
import http.server
import pathlib


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        there = pathlib.Path("film").exists()
        body = b"film\n" if there else b"no film\n"
        age = "max-age=60" if there else "max-age=1"
        if self.path.startswith("/header/"):
            age += ", stale-while-revalidate=1"
        self.send_response(200 if there else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", age)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
print(server.server_port, flush=True)
server.serve_forever()
PY
python3 origin.py > origin.txt 2> /dev/null &
processes+=($!)
for _ in $(seq 100); do
    if [ -s origin.txt ]; then break; fi
    sleep 0.1
done
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
{
    if [ "$(id -u)" = 0 ]; then echo 'user root;'; fi
    cat <<CONF
daemon off;
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path temp/body;
    proxy_temp_path temp/proxy;
    fastcgi_temp_path temp/fastcgi;
    uwsgi_temp_path temp/uwsgi;
    scgi_temp_path temp/scgi;
    proxy_cache_path cache keys_zone=films:1m;
    proxy_cache films;
    add_header X-Cache \$upstream_cache_status always;
    server {
        listen 127.0.0.1:$port;
        location /background/ {
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
            proxy_pass http://127.0.0.1:$(cat origin.txt);
        }
        location /updating/ {
            proxy_cache_use_stale updating;
            proxy_pass http://127.0.0.1:$(cat origin.txt);
        }
        location /header/ {
            proxy_cache_background_update on;
            proxy_pass http://127.0.0.1:$(cat origin.txt);
        }
    }
}
CONF
} > nginx.conf
mkdir temp
nginx -c "$work/nginx.conf" 2> errors.txt &
processes+=($!)

# The status and the header X-Cache of an answer.
cat > get.py <<'PY'
import sys
import urllib.error
import urllib.request

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(sys.argv[1], timeout=20)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.headers["X-Cache"])
PY
get() { # FOLDER
    python3 get.py "http://127.0.0.1:$port/$1/film.ism/Manifest"
}
for _ in $(seq 100); do
    if [ -s nginx.pid ]; then break; fi
    sleep 0.1
done

for folder in background updating header; do
    if [ "$(get "$folder")" != '404 MISS' ]; then echo 'FAIL: the first answer is not a fetched 404'; exit 1; fi
done
touch film
sleep 10
result=''
show() { # NAME FOLDER
    local first
    first=$(get "$2")
    sleep 1
    first+=", then $(get "$2")"
    printf '%-43s %s\n' "$1:" "$first"
    result+="$first;"
}
show 'updating, background update' background
show 'updating' updating
show 'stale-while-revalidate, background update' header
fetched='200 EXPIRED, then 200 HIT;'
if [ "$result" = "404 STALE, then 200 HIT;$fetched$fetched" ]; then
    echo 'PASS: an expired 404 is sent once more'
else
    echo 'FAIL: the behaviour has changed'
    exit 1
fi
