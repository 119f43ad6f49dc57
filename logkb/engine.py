"""All rules at once over a chunk: a Hyperscan database in block mode, or an Aho-Corasick automaton.

Both look for the rules' keywords, literals of which every matching line holds one, and so give the same candidates;
the matcher confirms them with `regex`. Hyperscan could run the expressions themselves, but that was sixteen times slower
over the same log for as many candidates, and lost a match in one case (docs/decisions/0002).
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Any, Protocol

from logkb.cache import read_private, short_name, write_private


@dataclass(frozen=True, slots=True)
class Needle:
    """What one rule looks for. With `every`, all its lines are reported at once, not only the first of a chunk."""

    keywords: tuple[str, ...]
    every: bool = False


class Engine(Protocol):
    """Finds candidates: (needle's index, an offset of its keyword in the data)."""

    name: str

    def first(self, data: bytes) -> list[tuple[int, int]]:
        """Each needle that occurs, at least once; every occurrence of those with `every`."""
        ...

    def all(self, data: bytes, wanted: frozenset[int] | None = None) -> list[tuple[int, int]]:
        """Every occurrence of the wanted needles (None: of all)."""
        ...


def build_engine(
    needles: Sequence[Needle] | Callable[[], Sequence[Needle]],
    cache: Path | None,
    *,
    prefer: str = "auto",
    identity: bytes | None = None,
) -> Engine:
    """The fastest engine that this machine has: 'hyperscan', else 'aho-corasick'. `cache` is a folder, or None.

    Who knows an `identity` of the needles, the same for the same needles in the same order, spares looking at them when a
    compiled database is in the cache; `needles` may then be a function that makes them.
    """
    make = needles if callable(needles) else lambda: needles
    if prefer in ("auto", "hyperscan"):
        try:
            return HyperscanEngine(make, cache, identity)
        except ImportError:
            if prefer == "hyperscan":
                raise
    return AhoCorasickEngine(make())


class _Keywords:
    """Distinct keywords, and the needles that each belongs to."""

    def __init__(self, needles: Sequence[Needle]) -> None:
        owners: dict[bytes, list[int]] = {}
        for index, needle in enumerate(needles):
            for keyword in dict.fromkeys(needle.keywords):
                owners.setdefault(keyword.encode(), []).append(index)
        self.literals = list(owners)
        self.owners = [tuple(indexes) for indexes in owners.values()]
        self.every = [any(needles[index].every for index in indexes) for indexes in self.owners]


class HyperscanEngine:
    """Two databases of the same keywords: one reports each once a chunk, the other each occurrence. Each is opened at first use."""

    name = "hyperscan"

    def __init__(self, needles: Callable[[], Sequence[Needle]], cache: Path | None, identity: bytes | None) -> None:
        import hyperscan

        self._hyperscan = hyperscan
        self._needles = needles
        self._cache = cache
        machine = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")
        if identity is None:
            identity = marshal.dumps([(needle.keywords, needle.every) for needle in needles()], 2)
        facts = (getattr(hyperscan, "__version__", ""), sys.platform, machine, identity)
        self._key = marshal.dumps(facts, 2)
        self._opened: dict[str, tuple[Any, list[tuple[int, ...]]]] = {}
        # Scratch space serves one scan at a time, and a scan lets other threads run.
        self._own = local()

    def first(self, data: bytes) -> list[tuple[int, int]]:
        database, owners = self._database("once")
        return [(index, end - 1) for keyword, end in self._scan("once", database, data) for index in owners[keyword]]

    def all(self, data: bytes, wanted: frozenset[int] | None = None) -> list[tuple[int, int]]:
        database, owners = self._database("each")
        chosen: Sequence[Sequence[int]] = owners
        if wanted is not None:
            chosen = [[index for index in indexes if index in wanted] for indexes in owners]
        return [(index, end - 1) for keyword, end in self._scan("each", database, data) for index in chosen[keyword]]

    def _database(self, kind: str) -> tuple[Any, list[tuple[int, ...]]]:
        if kind not in self._opened:
            self._opened[kind] = self._open(kind)
        return self._opened[kind]

    def _open(self, kind: str) -> tuple[Any, list[tuple[int, ...]]]:
        path = None if self._cache is None else self._cache / f"{kind}-{short_name(self._key)}.hsdb"
        stored = None if path is None else read_private(path, self._key)
        if stored is not None:
            blob, owners = marshal.loads(stored)
            try:
                return self._load(blob), owners
            except self._hyperscan.error:
                pass  # made for another processor: compile anew
        keywords = _Keywords(self._needles())
        blob = self._compile(keywords, single=kind == "once")
        if path is not None:
            write_private(path, self._key, marshal.dumps((blob, keywords.owners)))
        return self._load(blob), keywords.owners

    def _load(self, blob: bytes) -> Any:
        # A database straight from compile() crashed in stream mode; one that was saved and loaded never did.
        return self._hyperscan.loadb(blob, self._hyperscan.HS_MODE_BLOCK)

    def _scan(self, kind: str, database: Any, data: bytes) -> list[tuple[int, int]]:
        scratches: dict[str, Any] = self._own.__dict__
        if kind not in scratches:
            scratches[kind] = self._hyperscan.Scratch(database)
        found: list[tuple[int, int]] = []

        def note(keyword: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append((keyword, end))

        database.scan(data, match_event_handler=note, scratch=scratches[kind])
        return found

    def _compile(self, keywords: _Keywords, *, single: bool) -> bytes:
        hs = self._hyperscan
        literals = keywords.literals
        once = hs.HS_FLAG_SINGLEMATCH if single else 0
        database = hs.Database(mode=hs.HS_MODE_BLOCK)
        database.compile(
            expressions=literals,
            ids=list(range(len(literals))),
            elements=len(literals),
            flags=[0 if every else once for every in keywords.every],
            literal=True,
        )
        return bytes(hs.dumpb(database))


class AhoCorasickEngine:
    """The same keywords in an automaton, where Hyperscan has no wheel."""

    name = "aho-corasick"

    def __init__(self, needles: Sequence[Needle]) -> None:
        import ahocorasick_rs

        self._owners = _Keywords(needles).owners
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            _Keywords(needles).literals, implementation=ahocorasick_rs.Implementation.ContiguousNFA
        )

    def first(self, data: bytes) -> list[tuple[int, int]]:
        found = self._automaton.find_matches_as_indexes(data, overlapping=True)
        return [(index, end - 1) for keyword, _, end in found for index in self._owners[keyword]]

    def all(self, data: bytes, wanted: frozenset[int] | None = None) -> list[tuple[int, int]]:
        found = self.first(data)
        return found if wanted is None else [pair for pair in found if pair[0] in wanted]
