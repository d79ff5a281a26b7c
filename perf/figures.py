"""Figures of several rounds, and the tables that show them."""

import statistics
from typing import NamedTuple

from presentation import KINDS

BASE = "nginx, files"

COLUMNS = {
    "cpu": "CPU µs a request",
    "ratio": "× nginx",
    "wrk": "CPU µs of wrk",
    "requests": "requests/s",
    "megabytes": "MB/s",
    "p50": "p50 ms",
    "p99": "p99 ms",
    "memory": "memory MiB",
}


class Spread(NamedTuple):
    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self):
        return f"{digits(self.middle)} ({digits(self.low)}–{digits(self.high)})"


class Case(NamedTuple):
    """One kind of requests over some connections: what each server took in each round."""

    kind: str
    connections: int
    rounds: dict

    def spread(self, server, column):
        if column == "ratio":
            return self.ratio(server)
        return Spread.of([turn[column] for turn in self.counted(server)])

    def ratio(self, server):
        """Processor time of a round, as a multiple of that of nginx in the same round."""
        own, base = ([turn["cpu"] for turn in self.counted(name)] for name in (server, BASE))
        return Spread.of([a / b for a, b in zip(own, base)])

    def counted(self, server):
        """The first round warms up."""
        return self.rounds[server][1:] or self.rounds[server]


def digits(value):
    places = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{places}f}"


def tables(cases):
    """Markdown, a table for each kind."""
    text = ""
    for kind in dict.fromkeys(case.kind for case in cases):
        text += f"\n### {KINDS[kind][0].upper()}{KINDS[kind][1:]}\n\n"
        text += f"| connections | server | {' | '.join(COLUMNS.values())} |\n"
        text += "|" + "---|" * (2 + len(COLUMNS)) + "\n"
        for case in cases:
            for server in case.rounds if case.kind == kind else []:
                spreads = [str(case.spread(server, column)) for column in COLUMNS]
                text += f"| {case.connections} | {server} | {' | '.join(spreads)} |\n"
    return text
