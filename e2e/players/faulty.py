#!/usr/bin/env python3
"""Passes requests on to an origin and spoils some of its answers, to see that the players' judges can fail.

The patterns are searched in the path with its percent-encoding undone, such as
`/ladder/ladder.ism/QualityLevels(60000)/Fragments(video=120000000)`.
"""

import argparse
import http.client
import re
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "range"}
"""Headers that are the proxy's own business. Without `Range`, which ffmpeg sends always, answers come whole."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults = None

    def pass_on(self):
        status, headers, body = self.ask(self.path)
        if status == 200 and self.command != "OPTIONS":
            status, body = self.spoil(unquote(self.path), body)
        self.send_response(status)
        for name, value in headers:
            if matches(self.faults.header and self.faults.header[0], f"{name}: {value}"):
                value = self.faults.header[1]
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_OPTIONS = pass_on

    def spoil(self, path, body):
        """The status and body that an answer of 200 is turned into."""
        if matches(self.faults.missing, path):
            return 404, b""
        if matches(self.faults.moved, path):
            _, _, body = self.ask(re.sub(r"([=/])\d+(%29|\)|\.m4s)$", r"\g<1>0\2", self.path))
        if matches(self.faults.damaged, path):
            body = damaged(body)
        if matches(self.faults.cut, path):
            body = body[: len(body) // 2]
        if path.endswith("/Manifest"):
            for old, new in self.faults.manifest:
                body = body.replace(old.encode(), new.encode())
        return 200, body

    def ask(self, path):
        """The origin's answer; for a HEAD request that of the GET, so that lengths agree."""
        origin = http.client.HTTPConnection(self.faults.origin, timeout=30)
        method = "GET" if self.command == "HEAD" else self.command
        asked = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        origin.request(method, path, headers=asked)
        answer = origin.getresponse()
        body = answer.read()
        origin.close()
        return answer.status, [pair for pair in answer.getheaders() if pair[0].lower() not in HOP], body

    def log_message(self, *_):
        pass


def matches(pattern, text):
    return pattern is not None and re.search(pattern, text) is not None


def damaged(fragment):
    """The fragment with a hundred bytes in the middle of its samples inverted; sizes and boxes stay."""
    middle = (fragment.index(b"mdat") + len(fragment)) // 2
    return fragment[:middle] + bytes(255 - byte for byte in fragment[middle : middle + 100]) + fragment[middle + 100 :]


class Proxy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Players close connections as they like."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("origin", help="host:port to pass requests on to")
    options.add_argument("--port", type=int, default=18091, help="port on 127.0.0.1 to listen on (%(default)s)")
    options.add_argument("--missing", metavar="PATTERN", help="answer 404")
    options.add_argument("--damaged", metavar="PATTERN", help="invert a hundred bytes of the samples")
    options.add_argument("--cut", metavar="PATTERN", help="leave out the second half")
    options.add_argument("--moved", metavar="PATTERN", help="answer with the fragment of the stream's time 0")
    options.add_argument("--manifest", metavar=("OLD", "NEW"), nargs=2, action="append", default=[], help="replace text")
    options.add_argument("--header", metavar=("PATTERN", "VALUE"), nargs=2, help="replace a header's value")
    Handler.faults = options.parse_args()
    with Proxy(("127.0.0.1", Handler.faults.port), Handler) as server:
        print(f"listening on 127.0.0.1:{Handler.faults.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit()
