"""Rules x lines -> matches: candidates from the engine, confirmed and captured by `regex` with a timeout.

A rule keeps its first matches of the log and those of the log's tail (the quota), so that a dense log stays fast
and its end, where builds say why they died, is always read whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from logkb.clean import CleanLine, clean_line
from logkb.engine import Needle, build_engine
from logkb.knowledge import StoredRules
from logkb.log import MAX_LINE, Chunk, Log
from logkb.needs import holds
from logkb.records import Line, Match, Rule, Scan
from logkb.source import Source
from logkb.steps import MARKERS, StepTracker

# Seconds that one confirmation may take; a reviewed pattern needs microseconds (study: 8 us with the timeout).
TIMEOUT = 0.2
FIRST_QUOTA = 40
TAIL_QUOTA = 40
CONTEXT_BEFORE, CONTEXT_AFTER = 4, 8
TAIL_LINES = 80
SHOWN_LINE = 2_000
# After so many candidates of a rule that were no match, only so many more are tried in each chunk.
PATIENCE, CHUNK_PATIENCE = 1_500, 8
NEIGHBOUR_BYTES = 32 * 1024
# A chunk below this holds few keywords twice: asking for every occurrence at once opens one database instead of two.
SMALL = 64 * 1024


class Matcher:
    """All rules, ready to scan. Building it compiles or loads the engine's database; scanning is re-usable."""

    def __init__(self, rules: Sequence[Rule], *, cache: Path | None = None, engine: str = "auto") -> None:
        self.rules = rules
        self._engine = build_engine(self._needles, cache, prefer=engine, identity=_identity(rules))
        self._compiled: dict[str, Any] = {}

    def _needles(self) -> list[Needle]:
        needles = [Needle(rule.keywords) for rule in self.rules]
        return needles + [Needle(marker.keywords, every=True) for marker in MARKERS]

    @property
    def engine(self) -> str:
        """The name of the engine in use."""
        return self._engine.name

    def scan(self, source: Source, progress: Callable[[int], None] | None = None) -> Scan:
        """Read the whole source once. `progress` gets the bytes consumed so far. Raises `InputError` as the source does."""
        log = Log(source)
        run = _Run(self)
        previous: Chunk | None = None
        waiting: Chunk | None = None
        for chunk in log.chunks():
            if waiting is not None:
                run.chunk(waiting, previous, chunk)
            previous, waiting = waiting, chunk
            if progress is not None:
                progress(source.consumed)
        if waiting is not None:
            run.chunk(waiting, previous, None)
        return Scan(
            matches=tuple(run.matches), tail=tuple(run.tail), lines=log.lines, size=log.size,
            truncated=log.truncated or run.cut, last_error=run.tracker.last_error,
            flags_errors=run.tracker.flags_errors, warnings=(*source.warnings, *run.warnings),
        )  # fmt: skip

    def search(self, pattern: str, text: str) -> Any:
        """`regex` with the timeout; a pattern that takes too long does not match. Compiled at its first use."""
        import regex

        compiled = self._compiled.get(pattern)
        if compiled is None:
            compiled = self._compiled[pattern] = regex.compile(pattern, regex.ASCII)
        return compiled.search(text, timeout=TIMEOUT)


def _by_place(pair: tuple[int, int]) -> tuple[int, int]:
    return pair[1], pair[0]


def _identity(rules: Sequence[Rule]) -> bytes | None:
    """What stands for the keywords of the rules and of the step markers, or None when that is not known without reading them."""
    if not isinstance(rules, StoredRules):
        return None
    return rules.identity + repr([marker.keywords for marker in MARKERS]).encode()


class _Run:
    """The state of one scan."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self.rules = matcher.rules
        self.matches: list[Match] = []
        self.tail: deque[Line] = deque(maxlen=TAIL_LINES)
        self.warnings: list[str] = []
        self.cut = False
        self.tracker = StepTracker()
        self._taken = [0] * len(self.rules)
        self._tail_taken = [0] * len(self.rules)
        self._rejected = [0] * len(self.rules)
        self._slow: set[str] = set()

    def chunk(self, chunk: Chunk, previous: Chunk | None, following: Chunk | None) -> None:
        data = chunk.data
        pairs = self._candidates(data, chunk.tail)
        if pairs:
            self._lines(chunk, pairs, previous.data if previous else b"", following.data if following else b"")
        if chunk.tail:
            self._remember_tail(chunk)

    def _candidates(self, data: bytes, tail: bool) -> list[tuple[int, int]]:
        engine, count = self.matcher._engine, len(self.rules)
        quota, taken = (TAIL_QUOTA, self._tail_taken) if tail else (FIRST_QUOTA, self._taken)
        if len(data) < SMALL:
            pairs = {pair for pair in engine.all(data) if pair[0] >= count or taken[pair[0]] < quota}
            return sorted(pairs, key=_by_place)
        first = engine.first(data)
        wanted = frozenset(index for index, _ in first if index < count and taken[index] < quota)
        pairs = {pair for pair in first if pair[0] >= count}
        if wanted:
            pairs.update(engine.all(data, wanted))
        return sorted(pairs, key=_by_place)

    def _lines(self, chunk: Chunk, pairs: list[tuple[int, int]], before: bytes, after: bytes) -> None:
        data = chunk.data
        taken, quota = (self._tail_taken, TAIL_QUOTA) if chunk.tail else (self._taken, FIRST_QUOTA)
        position = index = 0
        line_start, line_end = 0, -1
        clean: CleanLine | None = None
        raw = ""
        fed = False
        seen: set[int] = set()
        rejected: dict[int, int] = {}
        for pattern, offset in pairs:
            if offset > line_end:
                line_start = data.rfind(b"\n", 0, offset) + 1
                line_end = data.find(b"\n", offset)
                line_end = len(data) if line_end < 0 else line_end
                index += data.count(b"\n", position, line_start)
                position = line_start
                raw = data[line_start : min(line_end, line_start + MAX_LINE)].decode("utf-8", "replace")
                self.cut = self.cut or line_end - line_start > MAX_LINE
                clean, fed = None, False
                seen.clear()
            if pattern >= len(self.rules):
                if not fed and MARKERS[pattern - len(self.rules)].marks(raw):
                    self.tracker.feed(raw, chunk.number(index))
                    fed = True
                continue
            if pattern in seen or taken[pattern] >= quota or (not chunk.tail and self._hopeless(pattern, rejected)):
                continue
            seen.add(pattern)
            if clean is None:
                clean = clean_line(raw)
            match = self._confirm(self.rules[pattern], clean, data, line_start, line_end, before, after, chunk.number(index))
            if match is None:
                rejected[pattern] = rejected.get(pattern, 0) + 1
                self._rejected[pattern] += 1
            else:
                taken[pattern] += 1
                self.matches.append(match)

    def _hopeless(self, pattern: int, rejected: dict[int, int]) -> bool:
        """A keyword that stands in every line of a huge log, and hardly ever in a match, may not take all the time."""
        return self._rejected[pattern] > PATIENCE and rejected.get(pattern, 0) >= CHUNK_PATIENCE

    def _confirm(
        self, rule: Rule, clean: CleanLine, data: bytes, start: int, end: int, before: bytes, after: bytes, number: int
    ) -> Match | None:
        text = clean.text
        if not any(keyword in text for keyword in rule.keywords) or not holds(rule.required, text):
            return None
        try:
            found = self.matcher.search(rule.pattern, clean.text)
        except TimeoutError:
            self._too_slow(rule)
            return None
        if found is None:
            return None
        captures = {key: value.strip() for key, value in found.groupdict().items() if value is not None}
        if rule.neighbour is not None:
            near = self._near(rule, data, start, end, before, after)
            if near is None:
                return None
            captures = {**near, **captures}
        return Match(
            rule=rule, line=number, text=clean.text[:SHOWN_LINE], captures=captures,
            step=self.tracker.step_of(clean), level=clean.level, context=self._context(data, start, end, before, after, number),
        )  # fmt: skip

    def _near(self, rule: Rule, data: bytes, start: int, end: int, before: bytes, after: bytes) -> dict[str, str] | None:
        assert rule.neighbour is not None
        within = rule.neighbour.within
        if rule.neighbour.after:
            text = data[end + 1 : end + 1 + NEIGHBOUR_BYTES]
            if len(text) < NEIGHBOUR_BYTES:
                text += after[: NEIGHBOUR_BYTES - len(text)]
            lines = text.split(b"\n", within)[:within]
        else:
            text = data[max(0, start - NEIGHBOUR_BYTES) : start]
            if start < NEIGHBOUR_BYTES and before:
                text = before[start - NEIGHBOUR_BYTES :] + text
            lines = text.removesuffix(b"\n").rsplit(b"\n", within)[-within:][::-1]
        for raw in lines:
            try:
                found = self.matcher.search(rule.neighbour.pattern, clean_line(raw.decode("utf-8", "replace")).text)
            except TimeoutError:
                self._too_slow(rule)
                return None
            if found is not None:
                return {key: value.strip() for key, value in found.groupdict().items() if value is not None}
        return None

    def _too_slow(self, rule: Rule) -> None:
        if rule.id not in self._slow:
            self._slow.add(rule.id)
            self.warnings.append(f"rule {rule.id} ({rule.location}) took too long on a line and was left out there")

    def _context(self, data: bytes, start: int, end: int, before: bytes, after: bytes, number: int) -> tuple[Line, ...]:
        head = data[max(0, start - 8192) : max(0, start - 1)] if start else b""
        if start < 8192 and before:
            head = before[-8192:] + head if start else before[-8192:].removesuffix(b"\n")
        tail = data[end + 1 : end + 8193] or after[:8192]
        above = head.split(b"\n")[-CONTEXT_BEFORE:] if head else []
        below = tail.split(b"\n")[:CONTEXT_AFTER] if tail else []
        if below and not below[-1]:
            below.pop()
        first = number - len(above)
        raw = [*above, data[start:end], *below]
        return tuple(Line(first + offset, line[:SHOWN_LINE].decode("utf-8", "replace").rstrip()) for offset, line in enumerate(raw))

    def _remember_tail(self, chunk: Chunk) -> None:
        body = chunk.data.removesuffix(b"\n")
        if not body:
            return
        total = body.count(b"\n") + 1
        last = body.rsplit(b"\n", TAIL_LINES)[-min(TAIL_LINES, total) :]
        first = total - len(last)
        for offset, raw in enumerate(last):
            text = raw[:SHOWN_LINE].decode("utf-8", "replace").rstrip()
            self.tail.append(Line(chunk.number(first + offset), text))
