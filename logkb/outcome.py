"""Did the build fail at all? Read from the marks: rules that name no cause but a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logkb.records import Match, Outcome, Scan


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, and where the log gives it: the raw line (0 when it does not) and its step."""

    outcome: Outcome
    line: int = 0
    step: str | None = None


def verdict(scan: Scan) -> Verdict:
    """Read the outcome.

    A strong mark is the job's own last word ("Your build exited with 1"), and the last of them wins. A medium mark is
    one tool's word, which a later step may overrule: there the last one wins too, unless a strong rule names a
    cause behind it. Then the CI system's error flag, a strong rule or a weak mark says failed; else it is unclear.
    """
    marks = {strength: _marks(scan.matches, strength) for strength in ("strong", "medium", "weak")}
    named = [match for match in scan.matches if match.rule.cause and match.rule.strength == "strong" and match.level != "warning"]
    if marks["strong"]:
        return _settled(marks["strong"][-1])
    if marks["medium"]:
        last = marks["medium"][-1]
        if last.rule.marks == "passed" and (scan.last_error or any(match.line > last.line for match in named)):
            return Verdict("failed", scan.last_error)
        return _settled(last)
    if scan.last_error or named:
        return Verdict("failed", scan.last_error)
    return _settled(marks["weak"][-1]) if marks["weak"] else Verdict("unclear")


def _marks(matches: Sequence[Match], strength: str) -> list[Match]:
    found = [match for match in matches if match.rule.marks and match.rule.strength == strength]
    return sorted(found, key=lambda match: match.line)


def _settled(match: Match) -> Verdict:
    return Verdict(match.rule.marks or "unclear", match.line, match.step)
