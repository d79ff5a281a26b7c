#!/usr/bin/env bash
# nginx: `stale-if-error` of a response does not help if the origin answers with an error
#
# Version: nginx 1.22.1, the package of Debian 12.
#
# Expected: a cached response with `stale-if-error=60` is sent for 60 s beyond its age if the origin
# answers 500, 502, 503 or 504. RFC 5861, section 4, names these four; nginx's documentation of
# `proxy_cache_use_stale` says "in case of an error".
#
# Observed: nginx heeds it only if it gets no response: the origin closes the connection or is too slow.
# All four statuses are passed on to the client, and the stale response stays unused in the cache.
# With `proxy_cache_use_stale http_500 http_502 http_503 http_504` it is sent, without a limit of time.
# This is on purpose since nginx 1.19.3; from 1.11.10 to 1.19.2 the header also covered the statuses.
#
# Why it matters: an origin that cannot reach its storage, or is about to stop, is still there and
# answers 503. That is the case for which it sends `stale-if-error`, and a test that stops the origin
# shows that the header works. Then a failing disk interrupts each film as its responses expire,
# in spite of a full cache. Whoever puts nginx in front of an origin has to repeat in the directive what
# the header says.
#
# Output on 2026-11-29 (the answer to the client once the response with `max-age=1` has expired):
#   the origin:         500          502          503          504          closes       is slow
#   stale-if-error:     500 EXPIRED  502 EXPIRED  503 EXPIRED  504 EXPIRED  200 STALE    200 STALE
#   and the directive:  200 STALE    200 STALE    200 STALE    200 STALE    200 STALE    200 STALE
#   PASS: stale-if-error does not apply to the statuses of RFC 5861
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

# The first answer for each path can be cached; all later ones are as the end of the path says.
cat > origin.py <<'PY'
import http.server
import time

seen = set()


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind = self.path.rsplit("/", 1)[1]
        first = self.path not in seen
        seen.add(self.path)
        if not first and kind == "closes":
            return
        if not first and kind == "slow":
            time.sleep(3)
        body = b"film\n" if first else b"failure\n"
        self.send_response(200 if first or not kind.isdigit() else int(kind))
        self.send_header("Content-Length", str(len(body)))
        if first:
            self.send_header("Cache-Control", "max-age=1, stale-if-error=60")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
server.daemon_threads = True
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
    proxy_read_timeout 1s;
    add_header X-Cache \$upstream_cache_status always;
    server {
        listen 127.0.0.1:$port;
        location /header/ {
            proxy_pass http://127.0.0.1:$(cat origin.txt);
        }
        location /directive/ {
            proxy_cache_use_stale http_500 http_502 http_503 http_504;
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
get() { # PATH
    python3 get.py "http://127.0.0.1:$port/$1"
}
for _ in $(seq 100); do
    if [ -s nginx.pid ]; then break; fi
    sleep 0.1
done

kinds=(500 502 503 504 closes slow)
for kind in "${kinds[@]}"; do
    for by in header directive; do
        if [ "$(get "$by/$kind")" != '200 MISS' ]; then echo 'FAIL: the first answer is not fetched'; exit 1; fi
    done
done
sleep 3
row() { # NAME FOLDER
    local kind
    printf '%-20s' "$1:"
    for kind in "${kinds[@]}"; do printf '%-13s' "$(get "$2/$kind")"; done
}
printf '%-20s%-13s%-13s%-13s%-13s%-13s%s\n' 'the origin:' 500 502 503 504 closes 'is slow'
header=$(row stale-if-error header)
directive=$(row 'and the directive' directive)
echo "$header" | sed 's/ *$//'
echo "$directive" | sed 's/ *$//'

stale='200 STALE 200 STALE'
if [ "$(tr -s ' ' <<< "$header")" = "stale-if-error: 500 EXPIRED 502 EXPIRED 503 EXPIRED 504 EXPIRED $stale " ] &&
    [ "$(tr -s ' ' <<< "$directive")" = "and the directive: $stale $stale $stale " ]; then
    echo 'PASS: stale-if-error does not apply to the statuses of RFC 5861'
else
    echo 'FAIL: the behaviour has changed'
    exit 1
fi
