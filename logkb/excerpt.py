"""The part of the log that a person should read, and the lines that the classifier reads."""

from __future__ import annotations

from collections.abc import Sequence

from logkb.records import Excerpt, Line, Match, Scan

MAX_LINES = 60
NEAR = 12
TAIL_SHOWN = 30
# What the classifier reads: the last matches' surroundings, and the end of the log before its verdict.
READ_MATCHES = 6
READ_TAIL = 40


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


def readable_lines(scan: Scan, stop: int | None) -> list[str]:
    """What the classifier reads, in line order: the surroundings of the last matches before `stop` (the raw line of the
    verdict), and the end of the log up to there. It depends on the log and the rules alone, not on their ranking."""
    chosen: dict[int, str] = {}
    marked = [match for match in scan.matches if stop is None or match.line <= stop]
    for match in sorted(marked, key=lambda match: match.line)[-READ_MATCHES:]:
        chosen.update((line.number, line.text) for line in match.context)
    tail = [line for line in scan.tail if stop is None or line.number <= stop] or list(scan.tail)
    chosen.update((line.number, line.text) for line in tail[-READ_TAIL:])
    return [chosen[number] for number in sorted(chosen)]


def _tail(tail: Sequence[Line], stop: int | None) -> Excerpt | None:
    lines = [line for line in tail if stop is None or line.number <= stop] or list(tail)
    while lines and not lines[-1].text.strip():
        lines.pop()
    lines = lines[-TAIL_SHOWN:]
    if not lines:
        return None
    return Excerpt(lines[0].number, lines[-1].number, "\n".join(line.text for line in lines))
