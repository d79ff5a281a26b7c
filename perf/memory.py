"""The most memory that processes take over a while."""

import threading

from common import own_memory

EVERY = 0.1


class HighestMemory:
    """Looks at processes ten times a second while its context lasts; `mebibytes` is what it saw."""

    def __init__(self, pids):
        self.pids, self.highest, self.end = pids, 0, threading.Event()
        self.watcher = threading.Thread(target=self.watch)

    def watch(self):
        while True:
            self.highest = max(self.highest, sum(own_memory(pid) for pid in self.pids))
            if self.end.wait(EVERY):
                return

    def __enter__(self):
        self.watcher.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.watcher.join()

    @property
    def mebibytes(self):
        return self.highest / (1 << 20)
