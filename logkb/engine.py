"""All patterns at once over a chunk: Hyperscan in block mode, or Aho-Corasick over the keywords.

Both give candidates, a superset of the lines that match; the matcher confirms them with `regex`. Stream mode is
avoided (it crashed in our measurements), and only a database that was saved and loaded is ever scanned with.
"""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from logkb.cache import read_private, write_private

# Part of the cache's key: raise it when the rewriting below changes.
REWRITER = "1"
PREFIX_END = rb"(?:^|[\s|>\]:0-9])"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the scan looks for: a regular expression and the literals of which every match holds one."""

    expression: str
    keywords: tuple[str, ...]
    every: bool = False


class Engine(Protocol):
    """Finds candidates. `every` patterns report all their lines in `first`; the others at least once a chunk."""

    name: str

    def first(self, data: bytes) -> list[tuple[int, int]]:
        """(pattern index, an offset in the line) for each pattern that occurs, at least once."""
        ...

    def all(self, data: bytes, wanted: frozenset[int]) -> list[tuple[int, int]]:
        """(pattern index, an offset in the line) for every occurrence of the wanted patterns."""
        ...


def build_engine(patterns: Sequence[Pattern], cache: Path | None, *, prefer: str = "auto") -> Engine:
    """The fastest engine that this machine has: 'hyperscan', else 'aho-corasick'. `cache` is a folder, or None."""
    if prefer in ("auto", "hyperscan"):
        try:
            import hyperscan  # noqa: F401
        except ImportError:
            if prefer == "hyperscan":
                raise
        else:
            return HyperscanEngine(patterns, cache)
    return AhoCorasickEngine(patterns)


class HyperscanEngine:
    """Two databases of the same patterns: one reports each pattern once a chunk, the other each occurrence."""

    name = "hyperscan"

    def __init__(self, patterns: Sequence[Pattern], cache: Path | None) -> None:
        import hyperscan

        self._hyperscan = hyperscan
        expressions = [_rewrite(pattern) for pattern in patterns]
        facts = (REWRITER, getattr(hyperscan, "__version__", ""), sys.platform, platform.machine())
        shapes = [(expression, pattern.every) for expression, pattern in zip(expressions, patterns, strict=True)]
        key = hashlib.sha256(repr((facts, shapes)).encode()).hexdigest()
        self._databases = self._open(cache, key, patterns, expressions)

    def _open(self, cache: Path | None, key: str, patterns: Sequence[Pattern], expressions: list[bytes]) -> tuple[Any, Any]:
        path = None if cache is None else cache / f"rules-{key[:24]}.hsdb"
        stored = None if path is None else read_private(path, key.encode())
        if stored is not None:
            length = int.from_bytes(stored[:8], "big")
            try:
                return self._load(stored[8 : 8 + length]), self._load(stored[8 + length :])
            except self._hyperscan.error:
                pass  # made for another processor: compile anew
        once, each = self._compile(patterns, expressions)
        if path is not None:
            write_private(path, key.encode(), len(once).to_bytes(8, "big") + once + each)
        return self._load(once), self._load(each)

    def _load(self, blob: bytes) -> Any:
        database = self._hyperscan.loadb(blob, self._hyperscan.HS_MODE_BLOCK)
        database.scratch = self._hyperscan.Scratch(database)
        return database

    def _compile(self, patterns: Sequence[Pattern], expressions: list[bytes]) -> tuple[bytes, bytes]:
        hs = self._hyperscan
        base = hs.HS_FLAG_MULTILINE | hs.HS_FLAG_PREFILTER
        try:
            hs.Database(mode=hs.HS_MODE_BLOCK).compile(expressions=expressions, flags=[base] * len(expressions))
        except hs.error:
            expressions = [
                expression if self._compiles(expression, base) else _literals(pattern)
                for expression, pattern in zip(expressions, patterns, strict=True)
            ]
        blobs = []
        for single in (hs.HS_FLAG_SINGLEMATCH, 0):
            flags = [base | (0 if pattern.every else single) for pattern in patterns]
            database = hs.Database(mode=hs.HS_MODE_BLOCK)
            database.compile(expressions=expressions, ids=list(range(len(expressions))), elements=len(expressions), flags=flags)
            blobs.append(hs.dumpb(database))
        return blobs[0], blobs[1]

    def _compiles(self, expression: bytes, flags: int) -> bool:
        try:
            self._hyperscan.Database(mode=self._hyperscan.HS_MODE_BLOCK).compile(expressions=[expression], flags=[flags])
        except self._hyperscan.error:
            return False
        return True

    def first(self, data: bytes) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []

        def note(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append((index, end - 1))

        self._databases[0].scan(data, match_event_handler=note)
        return found

    def all(self, data: bytes, wanted: frozenset[int]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []

        def note(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            if index in wanted:
                found.append((index, end - 1))

        self._databases[1].scan(data, match_event_handler=note)
        return found


class AhoCorasickEngine:
    """Candidates are the lines that hold a keyword: more of them than Hyperscan finds, the same after confirming."""

    name = "aho-corasick"

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        import ahocorasick_rs

        owners: dict[bytes, list[int]] = {}
        for index, pattern in enumerate(patterns):
            for keyword in pattern.keywords:
                owners.setdefault(keyword.encode(), []).append(index)
        self._owners = [tuple(indexes) for indexes in owners.values()]
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            list(owners), implementation=ahocorasick_rs.Implementation.ContiguousNFA
        )

    def first(self, data: bytes) -> list[tuple[int, int]]:
        return [
            (index, start)
            for keyword, start, _ in self._automaton.find_matches_as_indexes(data, overlapping=True)
            for index in self._owners[keyword]
        ]

    def all(self, data: bytes, wanted: frozenset[int]) -> list[tuple[int, int]]:
        return [pair for pair in self.first(data) if pair[0] in wanted]


_TAIL_REPEAT = re.compile(r"(\(\?P<\w+>|\(\?:|\()?(\.|\\S|\\w|\[\^?[^\]\\]{1,20}\])([+*])\??(\))?\$?$")


def _rewrite(pattern: Pattern) -> bytes:
    """A superset of the pattern for raw lines: any CI prefix before `^`, white space before `$`, no open repeat at the end."""
    text = pattern.expression
    if found := _TAIL_REPEAT.search(text):
        opened, atom, repeat, closed = found.groups()
        if bool(opened) == bool(closed) and not _escaped(text, found.start()):
            text = text[: found.start()] + (atom if repeat == "+" else "")
    if not text.isascii():
        return _literals(pattern)
    out: list[str] = []
    position, in_class = 0, False
    while position < len(text):
        char = text[position]
        if char == "\\":
            out.append(text[position : position + 2])
            position += 2
            continue
        if in_class:
            in_class = char != "]" or text[position - 1] == "["
        elif char == "[":
            in_class = True
            if text[position + 1 : position + 2] == "^":
                out.append("[^")
                position += 2
                if text[position : position + 1] == "]":
                    out.append("\\]")
                    position += 1
                continue
        elif char == "^":
            out.append(PREFIX_END.decode())
            position += 1
            continue
        elif char == "$":
            out.append(r"(?:\s*$)")
            position += 1
            continue
        elif char == "{" and (bounds := re.match(r"\{(\d*),(\d+)\}", text[position:])):
            # `regex` counts characters, Hyperscan bytes: an upper bound could miss a line with non-ASCII text.
            out.append(f"{{{bounds[1] or 0},}}")
            position += bounds.end()
            continue
        out.append(char)
        position += 1
    return "".join(out).encode()


def _escaped(text: str, position: int) -> bool:
    backslashes = len(text[:position]) - len(text[:position].rstrip("\\"))
    return backslashes % 2 == 1


def _literals(pattern: Pattern) -> bytes:
    return b"|".join(re.escape(keyword.encode()) for keyword in pattern.keywords)
