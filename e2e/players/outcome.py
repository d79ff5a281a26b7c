"""One line for each client and presentation: `played` or `failed`, the client, the path, the time taken, what was seen."""

import time
from urllib.parse import unquote, urlsplit

from presentation import Failed


def attempt(client, url, play):
    """Calls `play`, which returns what it saw or raises `Failed`; prints the line; tells whether it played."""
    path = unquote(urlsplit(url).path)
    started = time.monotonic()
    try:
        word, seen = "played", play()
    except Failed as error:
        word, seen = "failed", error
    print(f"{word}  {client:<8}  {path}  {time.monotonic() - started:.1f} s  {seen}", flush=True)
    return word == "played"
