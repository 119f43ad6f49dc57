"""A fake GitHub in a bad mood, as a process of its own: `python -m tests.storm_forge --seed 7`.

A small share of the requests goes wrong, by a seeded choice: server errors, lost connections before and after the work was done,
secondary and primary rate limits, answers that trickle. `/_fake/calm` ends that, and `/_fake/count` says how many requests there were.
"""

from __future__ import annotations

import argparse
import random
import threading
from collections.abc import Callable

from tests.fakes.github import FakeGitHub, primary_limit, secondary_limit
from tests.fakes.server import Answer, Fault, Request

# The share of requests that go wrong, each a row: share, what happens.
MOODS: tuple[tuple[float, Callable[[], Fault]], ...] = (
    (0.006, lambda: Fault(answer=Answer(502, b"<html>Bad Gateway</html>"))),
    (0.004, lambda: Fault(drop=True)),
    (0.004, lambda: Fault(drop=True, after_work=True)),
    (0.003, lambda: Fault(cut=20)),
    (0.003, lambda: Fault(pause=0.02)),
    (0.001, lambda: Fault(answer=secondary_limit(3))),
    (0.001, lambda: Fault(answer=primary_limit(3))),
)


class StormGitHub(FakeGitHub):
    """Goes wrong by a seeded choice."""

    def __init__(self, port: int = 0, *, seed: int = 0) -> None:
        self._moods = random.Random(seed)
        self.calm = False
        self.went_wrong = 0
        super().__init__(port)

    def answer(self, request: Request) -> Answer | None:
        with self.lock:
            if not self.calm and not self.faults and not request.path.startswith("/_fake/"):
                dice = self._moods.random()
                for share, fault in MOODS:
                    dice -= share
                    if dice < 0:
                        self.went_wrong += 1
                        self.plan(fault())
                        break
            made = super().answer(request)
            self.faults = [fault for fault in self.faults if fault.times]
            return made

    def control(self, request: Request) -> Answer | None:
        if request.path == "/_fake/calm":
            self.calm = True
            return Answer(200, {"went_wrong": self.went_wrong})
        if request.path == "/_fake/count":
            return Answer(200, {"requests": len(self.requests)})
        return super().control(request)


def main() -> None:
    """Print the address, and serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    server = StormGitHub(seed=parser.parse_args().seed).start()
    print(server.url, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
