"""The part of the log that a person should read: the lines round the evidence, or the end of the log."""

from __future__ import annotations

from collections.abc import Sequence

from logkb.records import Excerpt, Line, Match, Scan

MAX_LINES = 60
NEAR = 12
TAIL_SHOWN = 30


def pick_excerpt(scan: Scan, evidence: Sequence[Match], stop: int | None) -> Excerpt | None:
    """The context of the first evidence, joined with what stands close by; without evidence, the lines before `stop`
    (the raw line of the verdict), else the last lines. None for an empty log."""
    if not evidence:
        return _tail(scan.tail, stop)
    shown = {line.number: line.text for line in evidence[0].context}
    for match in evidence[1:]:
        numbers = [line.number for line in match.context]
        if numbers and numbers[0] <= max(shown) + NEAR and numbers[-1] >= min(shown) - NEAR:
            merged = {**shown, **{line.number: line.text for line in match.context}}
            if max(merged) - min(merged) < MAX_LINES:
                shown = merged
    numbers = sorted(shown)
    return Excerpt(numbers[0], numbers[-1], "\n".join(shown[number] for number in numbers))


def _tail(tail: Sequence[Line], stop: int | None) -> Excerpt | None:
    lines = [line for line in tail if stop is None or line.number <= stop] or list(tail)
    while lines and not lines[-1].text.strip():
        lines.pop()
    lines = lines[-TAIL_SHOWN:]
    if not lines:
        return None
    return Excerpt(lines[0].number, lines[-1].number, "\n".join(line.text for line in lines))
