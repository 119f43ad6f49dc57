"""The logs that a model has asked about: opened again for some of their lines, in bounded memory, and forgotten in turn."""

from __future__ import annotations

import contextlib
import functools
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from logkb.bounded import Bounded
from logkb.errors import InputError
from logkb.log import Log
from logkb.mcp_paths import open_below
from logkb.redact import Redactor
from logkb.report import safe
from logkb.web_log import chunk_text

# A private key is known by its first line, so that many lines above those that are shown are masked together with them.
ABOVE, BELOW = 400, 60
# What is masked of a line, and what is shown of it at most; a secret that the first cuts is not reached by the second.
MASKED, SHOWN = 8000, 2000


@dataclass(slots=True)
class KeptLog:
    """A log that can be read again: a path below a root, or a file without a name that lives as long as its analysis.

    `lines` is the number of its lines (None: not counted yet). One call at a time reads it.
    """

    name: str
    path: str | None = None
    file: BinaryIO | None = None
    size: int | None = None
    changed: int = 0
    lines: int | None = None
    redactor: Redactor = field(default_factory=Redactor)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Analysis:
    """One call of `analyze_log`; its logs are numbered from 1."""

    id: str
    logs: tuple[KeptLog, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Masked lines with their numbers; `more`: others follow. `total` is None when the end was not reached."""

    rows: tuple[tuple[int, str], ...]
    more: bool
    changed: bool = False


class Logs:
    """The analyses that can be asked for lines; the oldest goes when there are too many."""

    def __init__(self, roots: Sequence[Path], kept: int, log_bytes: int) -> None:
        self._roots, self._kept, self._log_bytes = roots, kept, log_bytes
        self._analyses: OrderedDict[str, Analysis] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, logs: Sequence[KeptLog]) -> Analysis:
        """Keep the logs of an analysis under an id that nobody can guess."""
        made = Analysis(secrets.token_hex(6), tuple(logs))
        with self._lock:
            self._analyses[made.id] = made
            gone = [self._analyses.popitem(last=False)[1] for _ in range(len(self._analyses) - self._kept)]
        for analysis in gone:
            _close(analysis)
        return made

    def get(self, identifier: str) -> Analysis:
        """The analysis with this id. Raises `InputError`."""
        with self._lock:
            found = self._analyses.get(identifier)
            if found is not None:
                self._analyses.move_to_end(identifier)
        if found is None:
            raise InputError(f"no analysis '{safe(identifier)[:40]}' is known (any more); call analyze_log again for a new id")
        return found

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            gone = list(self._analyses.values())
            self._analyses.clear()
        for analysis in gone:
            _close(analysis)

    @contextlib.contextmanager
    def source(self, log: KeptLog, stopping: threading.Event, seen: list[int] | None = None) -> Iterator[Bounded]:
        """The log from its beginning. Raises `InputError` when it is not there any more."""
        progress = seen if seen is not None else [0]

        def note(read: int) -> None:
            progress[0] = read

        with log.lock:
            if log.path is None:
                kept = log.file
                if kept is None or kept.closed:
                    raise InputError("this log is not kept any more; call analyze_log again")
                kept.seek(0)
                # Without a size it is not closed at its end.
                opener = functools.partial(_same, kept)
                yield Bounded(log.name, opener, size=None, limit=self._log_bytes, stopping=stopping, seen=note)
                return
            opened = open_below(log.path, self._roots)
            log.size, log.changed = opened.size, opened.changed
            with opened.file as file:
                opener = functools.partial(_same, file)
                yield Bounded(log.name, opener, size=None, limit=self._log_bytes, stopping=stopping, seen=note)

    def lines(self, log: KeptLog, start: int, count: int, stopping: threading.Event) -> Lines:
        """`count` lines from `start` on (from 1; below 0 it counts from the end). Raises `InputError` as the source does."""
        before = (log.size, log.changed)
        if start < 0:
            start = max(1, self._count(log, stopping) + 1 + start)
        with self.source(log, stopping) as source:
            first = max(1, start - ABOVE)
            rows, more = _region(Log(source), first, start + count + BELOW)
            masked = log.redactor.redact("\n".join(rows)).split("\n") if rows else []
        shown = tuple((first + at, row) for at, row in enumerate(masked) if start <= first + at < start + count)
        changed = log.path is not None and before[0] is not None and before != (log.size, log.changed)
        return Lines(shown, more or first + len(rows) > start + count, changed)

    def _count(self, log: KeptLog, stopping: threading.Event) -> int:
        known = log.lines
        if known is not None and log.path is None:
            return known
        total = 0
        last = b"\n"
        with self.source(log, stopping) as source:
            for block in source.blocks():
                total += block.count(b"\n")
                last = block[-1:] or last
        return total + (last != b"\n")


def _same(file: BinaryIO) -> BinaryIO:
    return file


def _close(analysis: Analysis) -> None:
    for log in analysis.logs:
        with log.lock:
            if log.file is not None:
                log.file.close()


def _region(log: Log, first: int, end: int) -> tuple[list[str], bool]:
    """The lines from `first` to before `end`, each cut, and whether others follow. Chunks before them are not decoded."""
    rows: list[str] = []
    for chunk in log.chunks():
        last = max(chunk.numbers) if chunk.numbers else chunk.first_line + chunk.data.count(b"\n")
        if last < first:
            continue
        texts = chunk_text(chunk).split("\n")
        if not texts[-1]:
            texts.pop()
        for number, text in enumerate(texts, chunk.first_line):
            if number >= end:
                return rows, True
            if number >= first:
                rows.append(text[:MASKED] + ("…" if len(text) > MASKED else ""))
    return rows, False
