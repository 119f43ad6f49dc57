"""Waiting for a server that is busy: bounded, and without needing time in a test."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from logkb.errors import TransientError

T = TypeVar("T")
# Seconds: the first pause after an error that came without advice, and the longest one.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0


class Clock(Protocol):
    """Time, so that a test needs none."""

    def now(self) -> float:
        """Seconds that only grow."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        time.sleep(seconds)


class Patience:
    """Repeats what failed for a passing reason, as long as all pauses together stay within `total` seconds."""

    def __init__(self, total: float, clock: Clock | None = None) -> None:
        self._left = total
        self._clock = clock or RealClock()

    def run(self, call: Callable[[], T]) -> T:
        """The call's result. Raises its `TransientError` when the server asks for more time than is left."""
        pause = FIRST_PAUSE
        while True:
            try:
                return call()
            except TransientError as error:
                # Some jitter, so that the workers of one server do not come back in step.
                wait = error.retry_after if error.retry_after is not None else pause * random.uniform(0.5, 1.0)
                if wait > self._left:
                    raise
                self._left -= max(wait, FIRST_PAUSE / 2)
                self._clock.sleep(wait)
                pause = min(pause * 2, LONGEST_PAUSE)
