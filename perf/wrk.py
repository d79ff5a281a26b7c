"""Load: wrk with one thread, asking for a list of paths, round and round."""

import json
import sys

from common import run

SCRIPT = """
local paths = {{ {paths} }}
local ranges = {{ {ranges} }}
local requests, at = {{}}, 0

function init()
    for i, path in ipairs(paths) do
        wrk.headers["Range"] = ranges[i]
        requests[i] = wrk.format("GET", path)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format(
        '{{"requests": %d, "microseconds": %d, "bytes": %.0f, "errors": %d, "p50": %d, "p99": %d}}',
        summary.requests, summary.duration, summary.bytes,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"""


def write_script(file, requests):
    """Writes a script that requests paths, or pairs of a path and a range."""
    pairs = [request if isinstance(request, tuple) else (request, None) for request in requests]
    paths = ", ".join(json.dumps(path) for path, _ in pairs)
    ranges = ", ".join(json.dumps(range) for _, range in pairs if range)
    file.write_text(SCRIPT.format(paths=paths, ranges=ranges))


def load(port, script, connections, seconds, coding="identity"):
    """Results of some seconds; an error ends the program. Latencies are in microseconds."""
    output = run(
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script,
        "-H", f"Accept-Encoding: {coding}", f"http://127.0.0.1:{port}",
    )
    result = json.loads(output.splitlines()[-1])
    if result["errors"] or not result["requests"]:
        sys.exit(output)
    return result
