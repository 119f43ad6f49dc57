"""Time that passes only when somebody waits."""

from __future__ import annotations


class FakeClock:
    """`sleeps` holds the pauses in seconds, in order. With `tick` every look at the clock costs so many seconds."""

    def __init__(self, tick: float = 0.0) -> None:
        self.time = 0.0
        self.tick = tick
        self.sleeps: list[float] = []

    def now(self) -> float:
        self.time += self.tick
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds
