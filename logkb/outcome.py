"""Did the build fail at all? Read from the marks: rules that name no cause but a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from logkb.records import Match, Outcome


def verdict(matches: Sequence[Match]) -> tuple[Outcome, Match | None]:
    """The outcome, and the match that settled it.

    A strong mark is the job's own last word ("Your build exited with 1"), and the last of them wins. A medium mark is
    one tool's word, which a later step may overrule: there the last one wins too, unless a strong rule names a
    cause behind it. Without any mark a strong rule says failed, and everything else is unclear.
    """
    strong = [match for match in matches if match.rule.marks and match.rule.strength == "strong"]
    if strong:
        last = max(strong, key=lambda match: match.line)
        return last.rule.marks or "unclear", last
    named = [match for match in matches if match.rule.cause and match.rule.strength == "strong" and match.level != "warning"]
    medium = [match for match in matches if match.rule.marks and match.rule.strength == "medium"]
    if medium:
        last = max(medium, key=lambda match: match.line)
        if last.rule.marks == "passed" and any(match.line > last.line for match in named):
            return "failed", None
        return last.rule.marks or "unclear", last
    return ("failed", None) if named else ("unclear", None)
