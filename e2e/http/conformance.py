#!/usr/bin/env python3
"""What REDbot, a lint for HTTP by its specifications, says of each kind of response.

    conformance.py http://127.0.0.1:18080 path/to/redbot

Each note that it may make is listed here: any other fails.
"""

import subprocess
import sys
import time
import urllib.request

FINE = {
    "The server's clock is correct.",
    "The Content-Length header is correct.",
    "This response allows all caches to store it.",
    "In exceptional circumstances, caches can serve this response stale.",
}
VALIDATED = {
    "If-None-Match conditional requests are supported.",
    "If-Modified-Since conditional requests are supported.",
    "A ranged request returned the correct partial content.",
}
# It knows a file that begins with `ftyp`; a fragment begins with `moof`.
FRAGMENT = "The content doesn't match the declared Content-Type."
# Of files that are passed through.
NOT_SNIFFED = "This response instructs browsers not to 'sniff' its media type."
# With a time or a size in them, or of what the network did.
ANY = ("The resource last changed ", "This response is fresh for ", "Content negotiation for ", "The resource could not be found.")

KINDS = {
    "/ladder/ladder.ism/Manifest": VALIDATED,
    "/bframes/bframes.ism/QualityLevels(150000)/Fragments(video=800000)": VALIDATED,
    "/bframes/bframes.ism/QualityLevels(150000)/KeyFrames(video=800000)": VALIDATED,
    "/ladder/ladder.txt": VALIDATED | {NOT_SNIFFED},
    "/crossdomain.xml": VALIDATED - {"If-Modified-Since conditional requests are supported."},
    "/none.ism/Manifest": set(),
}


def main():
    base, redbot = sys.argv[1:3]
    # A manifest is compressed once it was asked for: then what is told of it does not change.
    for coding in ("br", "gzip"):
        request = urllib.request.Request(f"{base}/ladder/ladder.ism/Manifest", headers={"Accept-Encoding": coding})
        while urllib.request.urlopen(request).headers["Content-Encoding"] != coding:
            time.sleep(0.05)
    for path, wanted in KINDS.items():
        report = subprocess.run([redbot, "-o", "text", base + path], capture_output=True, text=True, timeout=60, check=True).stdout
        notes = {line.strip()[2:] for line in report.splitlines() if line.startswith("  * ")}
        known = FINE | VALIDATED | {NOT_SNIFFED} | ({FRAGMENT} if "QualityLevels" in path else set())
        odd = {note for note in notes - known if not note.startswith(ANY)}
        missing = (FINE | wanted) - notes
        assert not odd and not missing, f"{path}: {sorted(odd)}, without {sorted(missing)}\n{report}"
        print(f"{path}: {len(notes)} notes, all well")


if __name__ == "__main__":
    main()
