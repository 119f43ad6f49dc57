"""The text as a person reads it: without colours, and with wrapped lines joined. Each character knows where it stood."""

from __future__ import annotations

import re
import string
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from logkb.clean import ANSI, CARET_ESC, LOST_ESC, clean_line

# Lines of a terminal's width were cut by one; so may be a line of any other width from here on, if a word as long as a
# secret goes over its end.
TERMINALS = frozenset((80, 100, 120, 132, 160, 200))
WRAPPED = 60
LONG_WORD = 16
BLANK = " \t\r"
TOKEN = frozenset(string.ascii_letters + string.digits + "_+/=.%~-")
MAX_LINE = 10_000
# Stands between groups of joined lines: no secret reaches over it.
BETWEEN = "\n\x00" * 3 + "\n"
NOWHERE = (-1, -1)


@dataclass(frozen=True, slots=True)
class View:
    """A text with pieces left out. `starts` says where each kept piece starts in `text`, `origins` where it stood before."""

    text: str
    starts: list[int]
    origins: list[int]

    def fragments(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where `text[start:end]` stood before, piece by piece."""
        index = bisect_right(self.starts, start) - 1
        while start < end:
            stop = min(end, self.starts[index + 1] if index + 1 < len(self.starts) else end)
            origin = self.origins[index] + start - self.starts[index]
            if stop > start and self.origins[index] >= 0:
                yield origin, origin + stop - start
            start, index = stop, index + 1


@cache
def codes() -> re.Pattern[str]:
    """What no reader sees: escape codes (also those that lost their ESC in a paste), NULs, zero-width characters."""
    pieces = [code.decode("latin-1") for code in (ANSI, CARET_ESC, LOST_ESC)]
    return re.compile("|".join([*pieces, "[\x00\u00ad\u200b-\u200d\u2060\ufeff]"]))


def uncoloured(text: str) -> View:
    """The text without what `codes` names."""
    if text.isascii() and not any(mark in text for mark in ("\x1b", "\x00", "[", "^[")):
        return View(text, [0], [0])
    return _without(text, [(found.start(), found.end()) for found in codes().finditer(text) if found[0]])


def _without(text: str, gaps: list[tuple[int, int]]) -> View:
    parts: list[str] = []
    starts, origins = [0], [0]
    length = position = 0
    for start, end in gaps:
        parts.append(text[position:start])
        length += start - position
        position = end
        starts.append(length)
        origins.append(end)
    parts.append(text[position:])
    return View("".join(parts), starts, origins)


def joined(text: str) -> View:
    """The groups of lines that may each be one wrapped line, joined; the rest is left out. `text` has no colours.

    Two lines are joined where a backslash ends the first, or where the first looks as if a terminal had cut it. A CI prefix
    of the second line is left out.
    """
    pieces: list[tuple[int, int]] = []
    group: list[tuple[int, int]] = []
    position = 0
    while position <= len(text):
        stop = text.find("\n", position)
        stop = len(text) if stop < 0 else stop
        begin = position
        if group:
            begin += line_prefix(text[position:stop])
            if text[group[-1][1]] == "\\":
                begin += len(text[begin:stop]) - len(text[begin:stop].lstrip(BLANK))
        end = _wrapped_end(text, begin, stop)
        group.append((begin, stop if end is None else end))
        if end is None:
            if len(group) > 1:
                pieces += (*group, NOWHERE)
            group = []
        position = stop + 1
    parts, starts, origins = [], [], []
    length = 0
    for begin, end in pieces:
        part = BETWEEN if begin < 0 else text[begin:end]
        starts.append(length)
        origins.append(begin)
        parts.append(part)
        length += len(part)
    return View("".join(parts), starts, origins)


def _wrapped_end(text: str, begin: int, stop: int) -> int | None:
    """Where the line's own text ends if the next line continues it, else None."""
    end = stop
    while end > begin and text[end - 1] == "\r":
        end -= 1
    if stop >= len(text) or end == begin:
        return None
    if text[end - 1] == "\\":
        return end - 1
    if end - begin < WRAPPED:
        return None
    after = text.find("\n", stop + 1)
    following = text[stop + 1 : after if after >= 0 else len(text)].rstrip("\r")
    following = following[line_prefix(following) :]
    width = end - begin - line_prefix(text[begin:end])
    # What one terminal cut is nowhere wider than at its first cut.
    if len(following) > width:
        return None
    if width in TERMINALS or end - begin in TERMINALS:
        return end
    if len(following) in TERMINALS:
        return None
    tail = text[max(begin, end - LONG_WORD) : end].split()
    head = following.split(None, 1)
    if not head or not tail or following[0] not in TOKEN or text[end - 1] not in TOKEN:
        return None
    # The next line of a log that nothing has cut starts with a word: "Error: …" belongs to no token.
    word = head[0].rstrip(":;,.!?")
    plain = word.isalpha() and (word.islower() or word.istitle() or word.isupper())
    return end if not plain and len(tail[-1]) + len(head[0]) >= LONG_WORD else None


def line_prefix(line: str) -> int:
    """How many characters of CI timestamp and builder prefix the line starts with."""
    if len(line) > MAX_LINE:
        return 0
    shown = line.rstrip()
    text = clean_line(line).text
    return len(shown) - len(text) if text and shown.endswith(text) else 0
