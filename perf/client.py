"""Single requests to a server on this machine."""

import http.client
import sys
import time


def get(port, path, coding="identity"):
    """The coding of a body, if it has one, and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Accept-Encoding": coding})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status != 200:
        sys.exit(f"{path} of port {port}: {response.status} {response.reason}")
    return response.headers.get("Content-Encoding"), content


def compressed(port, path):
    """The form that is made behind the back of the first request; None where none is made."""
    for _ in range(50):
        coding, content = get(port, path, "gzip")
        if coding == "gzip":
            return content
        time.sleep(0.1)
    return None
