"""What the judges in Python share: arguments, expectations and the printed line."""

import argparse
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "players"))

from presentation import Failed


class Film:
    """A presentation that collect.py has collected."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.__dict__.update(json.loads((self.folder / "expected.json").read_text()))

    def tracks(self, *kinds):
        for stream in self.streams:
            if stream["kind"] in kinds and not stream["is_sparse"]:
                yield from ((stream, track) for track in stream["tracks"])

    def representation(self, name):
        for one in self.representations:
            if one["id"] == name:
                return one
        raise Failed(f"{name} is not in the MPD")

    def read(self, url):
        body = self.bodies.get(url)
        if body is None or body["status"] != 200:
            raise Failed(f"{url}: {'not named' if body is None else body['status']}")
        return (self.folder / body["file"]).read_bytes()


def main(name, document, judge):
    """Calls `judge` with each film and the folder of install.sh: it returns what it saw, or raises.

    `None` if the film is not one for this judge.
    """
    options = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--parsers", type=Path, default=Path(__file__).parent / "../../target/parsers")
    options.add_argument("collected", type=Path, nargs="+", help="folder that collect.py has written")
    given = options.parse_args()
    failed = 0
    for folder in given.collected:
        film = Film(folder)
        try:
            word, seen = "passed", judge(film, given.parsers.resolve())
        except Failed as error:
            word, seen = "failed", error
        except Exception as error:
            word, seen = "failed", repr(error)
        if seen is None:
            continue
        failed += word == "failed"
        print(f"{word}  {name:<12}  {film.path}  {seen}", flush=True)
    sys.exit(1 if failed else 0)
