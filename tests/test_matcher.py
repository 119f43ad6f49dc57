"""Matches: captures, several lines, quotas, and patterns that take too long."""

from __future__ import annotations

import time

import pytest

from logkb import matcher as matcher_module
from logkb.matcher import FIRST_QUOTA, TAIL_QUOTA
from logkb.records import Match
from logkb.source import Source
from tests.conftest import RuleMaker

FOLLOWED = {
    "followed_by": {"pattern": "^because (?P<why>.+)$", "within": 3},
    "should_match": [{"line": "tool: failed a\nbecause b"}],
}
PRECEDED = {"preceded_by": {"pattern": "^step (?P<step>.+)$", "within": 3}, "should_match": [{"line": "step b\ntool: failed a"}]}

NEXT_TO = {**PRECEDED, "preceded_by": {"pattern": "^step (?P<step>.+)$", "within": 1}}


def matches(matcher_of: RuleMaker, text: str, **rule: object) -> tuple[Match, ...]:
    return matcher_of(rule).scan(Source.from_bytes(text.encode())).matches


def test_captures_and_context_come_with_the_match(matcher_of: RuleMaker) -> None:
    (match,) = matches(matcher_of, "one\ntwo\n[10:00:00] tool: failed alpha\nfour\n")
    assert match.captures == {"what": "alpha"}
    assert match.text == "tool: failed alpha"
    assert [(line.number, line.text) for line in match.context] == [
        (1, "one"),
        (2, "two"),
        (3, "[10:00:00] tool: failed alpha"),
        (4, "four"),
    ]


@pytest.mark.parametrize(
    ("rule", "text", "captures"),
    [
        (FOLLOWED, "tool: failed a\n\nx\nbecause b\n", {"what": "a", "why": "b"}),
        (FOLLOWED, "tool: failed a\n1\n2\n3\nbecause b\n", None),
        (FOLLOWED, "because b\ntool: failed a\n", None),
        (FOLLOWED, "#1 0.1 tool: failed a\n#1 0.2 because b\n", {"what": "a", "why": "b"}),
        (PRECEDED, "step b\nx\ntool: failed a\n", {"what": "a", "step": "b"}),
        (PRECEDED, "step b\n1\n2\n3\ntool: failed a\n", None),
        (NEXT_TO, "step b\ntool: failed a", {"what": "a", "step": "b"}),
        (NEXT_TO, "step b\nx\ntool: failed a", None),
        (PRECEDED, "step far\nstep near\ntool: failed a\n", {"what": "a", "step": "near"}),
    ],
)
def test_a_rule_over_several_lines(
    matcher_of: RuleMaker, rule: dict[str, object], text: str, captures: dict[str, str] | None
) -> None:
    found = matches(matcher_of, text, **rule)
    assert [match.captures for match in found] == ([captures] if captures else [])


@pytest.mark.parametrize("rule", [FOLLOWED, PRECEDED])
def test_the_lines_of_a_rule_may_lie_in_different_chunks(matcher_of: RuleMaker, rule: dict[str, object]) -> None:
    pair = "tool: failed a\nbecause b\n" if rule is FOLLOWED else "step b\ntool: failed a\n"
    for offset in range(0, 60, 7):
        filler = "x" * 63 + "\n"
        head = filler * 4095 + "y" * (63 - offset) + "\n"
        found = matches(matcher_of, head + pair + filler * 20_000, **rule)
        assert len(found) == 1, offset


def test_a_dense_rule_keeps_its_first_matches_and_those_of_the_tail(matcher_of: RuleMaker) -> None:
    line = "tool: failed alpha " + "x" * 60 + "\n"
    count = 100_000
    found = matches(matcher_of, line * count)
    numbers = [match.line for match in found]
    assert len(numbers) == FIRST_QUOTA + TAIL_QUOTA
    assert numbers[:FIRST_QUOTA] == list(range(1, FIRST_QUOTA + 1))
    assert numbers[FIRST_QUOTA] > count // 2


def test_a_dense_rule_does_not_hide_a_rare_one(matcher_of: RuleMaker) -> None:
    dense: dict[str, object] = {}
    rare: dict[str, object] = {"id": "rare", "keyword": "rare thing", "pattern": "rare thing", "message": "r", "fingerprint": [],
                       "should_match": [{"line": "rare thing"}]}  # fmt: skip
    text = "tool: failed alpha\n" * 50_000 + "rare thing\n" + "tool: failed alpha\n" * 50_000
    found = matcher_of(dense, rare).scan(Source.from_bytes(text.encode())).matches
    assert [match.line for match in found if match.rule.id == "rare"] == [50_001]


@pytest.mark.parametrize("engine", ["hyperscan", "aho-corasick"])
def test_a_hostile_pattern_is_stopped_and_named(matcher_of: RuleMaker, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matcher_module, "TIMEOUT", 0.05)
    slow = matcher_of(
        {"pattern": "^tool: failed (?P<what>(?:a|aa|aaa)*)(?:b|c)$", "should_match": [{"line": "tool: failed ab"}]}, engine=engine
    )
    started = time.monotonic()
    scan = slow.scan(Source.from_bytes(b"tool: failed " + b"a" * 5000 + b"d\n" + b"tool: failed aab\n"))
    assert time.monotonic() - started < 20
    assert [match.line for match in scan.matches] == [2]
    if scan.warnings:
        assert "tool-failed" in scan.warnings[0]
        assert "took too long" in scan.warnings[0]
