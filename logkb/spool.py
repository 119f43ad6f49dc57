"""An endless stream into a file of bounded size: its beginning and its end, where a failure shows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from typing import BinaryIO

from logkb.errors import TransientError
from logkb.waiting import Clock

# Of the bytes that are kept, the part that the beginning gets: set-up is short, and failures are at the end.
HEAD = 0.25
# Whatever a server sends beyond so many times the limit is not read.
READ = 16
BLOCK = 256 * 1024


class Spool:
    """Write a stream; `finish` leaves a file with its first quarter and its last three quarters of `limit` bytes."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._head = int(limit * HEAD)
        self._ring = max(1, limit - self._head)
        self.total = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        if self.total < self._head:
            part = data[: self._head - self.total]
            self._file.write(part)
            self.total += len(part)
            data = data[len(part) :]
        # What one block brings beyond the ring would be overwritten by itself.
        skipped = max(0, len(data) - self._ring)
        self.total += skipped
        data = data[skipped:]
        while data:
            place = (self.total - self._head) % self._ring
            part = data[: self._ring - place]
            self._file.seek(self._head + place)
            self._file.write(part)
            self.total += len(part)
            data = data[len(part) :]

    def finish(self) -> bool:
        """Put the kept parts in order and rewind; True when the middle was left out."""
        left_out = self.total - self._head - self._ring
        if left_out > 0:
            place = (self.total - self._head) % self._ring
            with tempfile.TemporaryFile() as spare:
                self._file.seek(self._head + place)
                shutil.copyfileobj(self._file, spare, BLOCK)
                self._file.seek(self._head)
                rest = place
                while rest:
                    block = self._file.read(min(BLOCK, rest))
                    spare.write(block)
                    rest -= len(block)
                spare.seek(0)
                self._file.seek(self._head)
                self._file.write(f"\n[logkb left out {left_out} bytes here]\n".encode())
                shutil.copyfileobj(spare, self._file, BLOCK)
        self._file.seek(0)
        return left_out > 0


def pour(blocks: Iterable[bytes], into: BinaryIO, limit: int, *, seconds: float, clock: Clock) -> bool:
    """Write what a server sends, however slowly and however much; True when something was left out.

    Raises `TransientError` when it takes more than `seconds`.
    """
    spool, end = Spool(into, limit), clock.now() + seconds
    for block in blocks:
        spool.write(block)
        if clock.now() > end:
            raise TransientError(f"a log came so slowly that {seconds:.0f} seconds were not enough; try again later")
        if spool.total > limit * READ:
            spool.finish()
            return True
    return spool.finish()
