#!/usr/bin/env python3
"""An S3 server that checks signatures with botocore, and whose objects have their own keys as content.

    signed.py PORT

The key is `key`, the secret `secret`, and a session token, if there is one, `token`. A request must be signed
for the path as Amazon reads it: decoded, and encoded again by its own rules (all but letters, digits and
`-._~/`). So a path that is sent in another form than it was signed in is refused.
"""

import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signature(handler, key):
    """The signature that botocore makes of a request, and the one that came with it."""
    fields = handler.headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(",")
    fields = dict(field.strip().split("=", 1) for field in fields)
    user, _, region, service, _ = fields["Credential"].split("/")
    headers = {name: handler.headers[name] for name in fields["SignedHeaders"].split(";")}
    if user != "key" or headers.get("x-amz-security-token", "token") != "token":
        return None, fields["Signature"]
    path = urllib.parse.quote(key, safe="/-._~")
    url = f"http://{handler.headers['Host']}/{path}"
    request = AWSRequest(method=handler.command, url=url, headers=headers)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = S3SigV4Auth(Credentials("key", "secret"), service, region)
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return auth.signature(text, request), fields["Signature"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        key = urllib.parse.unquote(self.path.split("?", 1)[0].lstrip("/"))
        expected, given = signature(self, key)
        if expected != given:
            return self.answer(403, {}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        content = key.encode()
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        first, last = int(first), min(int(last), len(content) - 1)
        headers = {
            "ETag": '"1"', "Last-Modified": "Sun, 29 Nov 2026 08:00:00 GMT",
            "Content-Range": f"bytes {first}-{last}/{len(content)}",
        }
        self.answer(206, headers, content[first : last + 1])


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
