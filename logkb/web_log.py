"""A masked log on disk that opens at any line: written in one pass with an index of offsets, read a page at a time.

The file holds one line of text for each raw line. The index has one record (line, offset) for every few hundred lines, and is
read where it lies, so that neither costs memory, whatever the log's size.
"""

from __future__ import annotations

import bisect
import math
import os
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, overload

from logkb.log import Chunk, Log
from logkb.redact import Redactor
from logkb.report import safe
from logkb.source import Source
from logkb.web_sections import Section, Sections

EVERY = 256
MAX_SHOWN = 4000
# What is cut off a line before it is masked: far enough behind what is shown that no secret goes over both.
MAX_MASKED = 16_000
# Beyond so many lines nobody scrolls, and a hostile log of empty lines would keep the server busy for long.
MAX_LINES = 10_000_000
# A page may be asked for at most this long.
MAX_COUNT = 2000
MAX_HITS = 10_000
# Ends a line that was cut; `safe` leaves no control character that could be mistaken for it.
CUT = "\x1e"
_RECORD = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line as it is shown; `cut` says that it goes on."""

    number: int
    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Hits:
    """The lines that hold a text, in order; `more` says that there are further ones."""

    lines: tuple[int, ...]
    more: bool


def write_log(
    source: Source,
    folder: Path,
    redactor: Redactor,
    ready: Callable[[int], None] = lambda lines: None,
    *,
    seconds: float = math.inf,
) -> tuple[int, tuple[Section, ...]]:
    """Write `log.txt` and `log.idx` into a folder; returns the number of lines and the steps. `ready` hears how many lines
    can be read so far; after so many `seconds` the rest of the log is left out. Raises `InputError` as the source does."""
    sections = Sections()
    end = time.monotonic() + seconds
    long: deque[bool] = deque()
    written = offset = 0
    waiting: list[bytes] = []
    with (folder / "log.txt").open("wb") as text, (folder / "log.idx").open("wb") as index:

        def flush() -> None:
            nonlocal written, offset
            index.write(_RECORD.pack(written + 1, offset))
            data = b"".join(waiting)
            text.write(data)
            text.flush()
            index.flush()
            written, offset = written + len(waiting), offset + len(data)
            waiting.clear()
            ready(written)

        for line in redactor.lines(_cut(_lines(Log(source), sections), long, end)):
            shown = safe(line)
            if long.popleft() or len(shown) > MAX_SHOWN:
                shown = shown[:MAX_SHOWN] + CUT
            waiting.append(shown.encode("utf-8", "replace") + b"\n")
            if len(waiting) >= EVERY:
                flush()
        if waiting:
            flush()
    return written, tuple(Section(item.line, safe(redactor.redact(item.name))) for item in sections.found)


def _cut(lines: Iterable[str], long: deque[bool], end: float) -> Iterator[str]:
    """Lines no longer than what is masked, until the time has come; `long` gets whether each of them goes on."""
    for line in lines:
        long.append(len(line) > MAX_MASKED)
        yield line[:MAX_MASKED]
        if time.monotonic() > end:
            return


def _lines(log: Log, sections: Sections) -> Iterator[str]:
    """The log's lines before they are masked, each on its raw number; the steps are noted on the way."""
    number = 1
    for chunk in log.chunks():
        text = chunk_text(chunk)
        sections.feed(text, number)
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        number += len(lines)
        yield from lines
        if number > MAX_LINES:
            return
    # A last line of nothing but codes has neither text nor an end.
    while number <= log.lines:
        yield ""
        number += 1


def chunk_text(chunk: Chunk) -> str:
    """The chunk's lines, one for each raw line, each with a newline (the last one of a log may have none)."""
    text = chunk.data.decode("utf-8", "replace")
    if chunk.numbers is None:
        return text
    # One raw line of rawjson holds several lines of a log, or none; each keeps its raw number.
    rows: dict[int, list[str]] = {}
    for number, row in zip(chunk.numbers, text.split("\n"), strict=False):
        rows.setdefault(number, []).append(row)
    last = max(chunk.numbers)
    return "".join(" ⏎ ".join(rows.get(number, ())) + "\n" for number in range(chunk.first_line, last + 1))


class _Index:
    """The records of an index file, as a sequence that `bisect` can search."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __len__(self) -> int:
        return os.fstat(self._file.fileno()).st_size // _RECORD.size

    @overload
    def __getitem__(self, index: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[int, int]]: ...
    def __getitem__(self, index: int | slice) -> tuple[int, int] | list[tuple[int, int]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        self._file.seek(index * _RECORD.size)
        line, offset = _RECORD.unpack(self._file.read(_RECORD.size))
        return line, offset


def read_lines(folder: Path, start: int, count: int) -> tuple[ShownLine, ...]:
    """At most `count` lines from the line with this raw number (from 1); none where the log has ended."""
    try:
        with (folder / "log.txt").open("rb") as text, (folder / "log.idx").open("rb") as index:
            records = _Index(index)
            at = bisect.bisect_right(records, start, key=lambda record: record[0]) - 1
            if at < 0:
                return ()
            number, offset = records[at]
            text.seek(offset)
            while number < start and text.readline():
                number += 1
            lines = []
            for number in range(start, start + min(count, MAX_COUNT)):
                line = text.readline()
                if not line.endswith(b"\n"):
                    break
                shown = line[:-1].decode("utf-8", "replace")
                lines.append(ShownLine(number, shown.removesuffix(CUT), shown.endswith(CUT)))
            return tuple(lines)
    except FileNotFoundError:
        return ()


def find_lines(folder: Path, words: str, limit: int = MAX_HITS) -> Hits:
    """The lines that hold these words, whatever the case of ASCII letters."""
    wanted = words.encode("utf-8", "replace").lower()
    found: list[int] = []
    number = 1
    carry = b""
    if not wanted or b"\n" in wanted:
        return Hits((), False)
    try:
        with (folder / "log.txt").open("rb") as text:
            while block := text.read(1024**2):
                end = block.rfind(b"\n") + 1
                data, carry = (carry + block[:end]).lower(), block[end:] if end else carry + block
                position = 0
                while end and (at := data.find(wanted, position)) >= 0:
                    number += data.count(b"\n", position, at)
                    if len(found) == limit:
                        return Hits(tuple(found), True)
                    found.append(number)
                    position = data.find(b"\n", at) + 1
                    number += 1
                number += data.count(b"\n", position) if end else 0
    except FileNotFoundError:
        pass
    return Hits(tuple(found), False)
