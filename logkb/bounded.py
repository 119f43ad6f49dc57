"""A source that a server reads: it ends with an error beyond a limit, and at once when it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

from logkb.errors import InputError
from logkb.source import Source

MEGABYTE = 1024**2


class TooLarge(InputError):
    """The input, or what it unpacks to, is beyond the limit."""


class Stopped(Exception):
    """The server stops, or nobody waits for the answer any more."""


class Bounded(Source):
    """At most `limit` bytes after unpacking. `seen` hears how many bytes of the input were read so far."""

    def __init__(
        self,
        name: str,
        open_stream: Callable[[], BinaryIO],
        *,
        size: int | None,
        limit: int,
        stopping: threading.Event,
        seen: Callable[[int], None] = lambda read: None,
    ) -> None:
        super().__init__(name, open_stream, size=size)
        self._limit, self._stopping, self._seen = limit, stopping, seen

    def blocks(self) -> Iterator[bytes]:
        """As the source's; raises `TooLarge` and `Stopped`, too."""
        size = 0
        for block in super().blocks():
            size += len(block)
            if self._stopping.is_set():
                raise Stopped
            if size > self._limit:
                raise TooLarge(
                    f"{self.name}: unpacks to more than {self._limit // MEGABYTE} MB; unpack it yourself and send the part that"
                    " failed, or use `logkb analyze`, which has no such limit"
                )
            self._seen(self.consumed)
            yield block
