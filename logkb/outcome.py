"""Did the build fail at all? Read from the marks: rules that name no cause but a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logkb.records import Match, Outcome, Scan

# Without a verdict, only what stands this close to the log's end says how the build went.
LAST_LINES = 15


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
    cause behind it. Then what the CI system flagged as an error, a strong rule at the very end, or a weak mark speaks;
    else it is unclear.
    """
    strong, medium, weak = (_marks(scan.matches, strength) for strength in ("strong", "medium", "weak"))
    if strong:
        return _settled(_failing_tool(strong[-1], medium))
    named = max((match.line for match in scan.matches if _names_a_cause(match)), default=0)
    if medium and medium[-1].rule.marks == "failed":
        return _settled(medium[-1])
    if medium:
        return Verdict("failed", scan.last_error) if scan.last_error or named > medium[-1].line else _settled(medium[-1])
    if scan.last_error:
        return Verdict("failed", scan.last_error)
    good = [match for match in weak if match.rule.marks == "passed" and scan.lines - match.line < LAST_LINES]
    if good and good[-1].line > named and weak[-1].rule.marks == "passed":
        return _settled(good[-1])
    if named and named > scan.lines - LAST_LINES:
        return Verdict("failed")
    if scan.flags_errors:
        return Verdict("passed", scan.lines)
    if named:
        return Verdict("unclear")
    bad = [match for match in weak if match.rule.marks == "failed"]
    return _settled(bad[-1]) if bad else Verdict("unclear")


def _marks(matches: Sequence[Match], strength: str) -> list[Match]:
    found = [match for match in matches if match.rule.marks and match.rule.strength == strength]
    return sorted(found, key=lambda match: match.line)


def _failing_tool(last: Match, medium: list[Match]) -> Match:
    """Where a failed job died: at the last tool that said so, since behind it the job only cleans up."""
    if last.rule.marks == "passed":
        return last
    said = [match for match in medium if match.rule.marks == "failed" and match.line <= last.line]
    return said[-1] if said else last


def _names_a_cause(match: Match) -> bool:
    return match.rule.cause is not None and match.rule.strength == "strong" and match.level != "warning"


def _settled(match: Match) -> Verdict:
    return Verdict(match.rule.marks or "unclear", match.line, match.step)
