"""Fragments as ranges of the files that hold them: what a file server can do with the files as they lie."""

import mmap
import sys

KINDS = {"video", "audio"}

# So much of a fragment is looked for.
BEGINNING = 512


class Ranges:
    """For each fragment the path of its file, and its bytes as a `Range` field has them, by kind."""

    def __init__(self, presentation, www, media):
        files = [file for file in sorted(media.rglob("*")) if file.suffix in (".ismv", ".isma")]
        self.media, self.files, self.found = media, [Searched(file) for file in files], {}
        self.video = [self.place(www, path) for path in presentation.video]
        self.audio = [self.place(www, path) for path in presentation.audio]

    def of(self, kind):
        return {"video": self.video, "audio": self.audio}[kind]

    def place(self, www, path):
        content = (www / path.removeprefix("/")).read_bytes()
        level = path.rsplit("/", 1)[0]
        # All fragments of a track and kind are in one file, mostly.
        for file in [self.found[level]] if level in self.found else self.files:
            start = file.find(content)
            if start is not None:
                self.found[level] = file
                return f"/{file.path.relative_to(self.media)}", f"bytes={start}-{start + len(content) - 1}"
        sys.exit(f"{path} is in no file of {self.media}")


class Searched:
    """A file that is searched in order."""

    def __init__(self, path):
        self.path, self.behind = path, 0
        with path.open("rb") as file:
            self.content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def find(self, content):
        for begin in (self.behind, 0):
            start = self.content.find(content[:BEGINNING], begin)
            if start >= 0 and self.content[start : start + len(content)] == content:
                self.behind = start + len(content)
                return start
        return None
