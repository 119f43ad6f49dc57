"""One probability a cause: wrappers never win, the graph moves weight to the deeper cause, the unknown is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logkb.errors import Location
from logkb.ranking import Scene, rank
from logkb.records import Cause, Explanation, Level, Match, Prediction, Ranked, Rule, Strength

HERE = Location(Path("x.toml"))
STRENGTHS: tuple[Strength, ...] = ("strong", "medium", "weak")


def cause(name: str, *deeper: tuple[str, float]) -> Cause:
    explained = tuple(Explanation(other, share, f"check {other}") for other, share in deeper)
    return Cause(name, name, "host", (), False, explained, (), "", "", 0, HERE)


CAUSES = {
    item.id: item
    for item in (
        cause("signature", ("disk", 0.5), ("clock", 0.2)),
        cause("disk"),
        cause("clock"),
        cause("wheel", ("header", 0.5), ("disk", 0.1)),
        cause("header"),
        cause("tests"),
    )
}


def match(
    name: str, line: int, strength: Strength = "strong", *, step: str | None = None, level: Level = "plain", rule: str = ""
) -> Match:
    made = Rule(rule or f"{name}-{strength}", name, None, strength, ("x",), "x", "m", (), None, None, (), (), HERE)
    return Match(made, line, "text", {}, step, level, ())


def ranked(
    *matches: Match, line: int = 1000, step: str | None = None, predictions: tuple[Prediction, ...] = ()
) -> tuple[Ranked, ...]:
    return rank(matches, predictions, CAUSES, Scene(line, step, 1000, clear=True))[0]


def roles(items: tuple[Ranked, ...]) -> dict[str, str]:
    return {item.cause.id: item.role for item in items}


def test_a_symptom_becomes_a_consequence_when_the_deeper_cause_has_evidence() -> None:
    found = ranked(match("signature", 990), match("disk", 985))
    assert roles(found) == {"disk": "cause", "signature": "consequence"}
    assert found[0].cause.id == "disk"
    assert found[0].confidence > 0.9


def test_without_evidence_the_deeper_causes_are_possible_each_with_its_check() -> None:
    found = ranked(match("signature", 990))
    assert roles(found) == {"signature": "cause", "disk": "possible", "clock": "possible"}
    assert [item.check for item in found] == [None, "check disk", "check clock"]
    assert found[0].confidence > 0.7


def test_a_warning_is_no_evidence_for_a_deeper_cause() -> None:
    assert ranked(match("signature", 990), match("disk", 985, level="warning"))[0].cause.id == "signature"


def test_a_chain_ends_at_its_root() -> None:
    found = ranked(match("wheel", 995), match("header", 990), match("disk", 980))
    assert roles(found)["wheel"] == "consequence"


@pytest.mark.parametrize(("better", "worse"), [("strong", "medium"), ("medium", "weak")])
def test_a_stronger_rule_speaks_louder(better: Strength, worse: Strength) -> None:
    assert ranked(match("tests", 990, worse), match("clock", 980, better))[0].cause.id == "clock"


def test_what_stands_near_the_failure_speaks_louder() -> None:
    assert ranked(match("tests", 20_100), match("clock", 100), line=20_150)[0].cause.id == "tests"


def test_what_stands_in_the_failed_step_speaks_louder() -> None:
    assert ranked(match("tests", 990, step="Test"), match("clock", 991, step="Clean up"), step="Test")[0].cause.id == "tests"


def test_rules_that_agree_raise_the_confidence() -> None:
    one = ranked(match("tests", 990, "medium"))[0].confidence
    two = ranked(match("tests", 990, "medium"), match("tests", 991, "medium", rule="other"))[0].confidence
    assert two > one


def test_a_weak_rule_alone_leaves_the_unknown_ahead() -> None:
    found, unknown = rank([match("tests", 990, "weak")], (), CAUSES, Scene(1000, None, 1000, clear=True))
    assert unknown > found[0].confidence


def test_nothing_is_all_unknown() -> None:
    assert rank([], (), CAUSES, Scene(0, None, 0, clear=False)) == ((), 1.0)


def test_a_prediction_joins_the_rules() -> None:
    alone = ranked(match("tests", 990, "medium"), match("clock", 990, "medium"))
    joined = ranked(match("tests", 990, "medium"), match("clock", 990, "medium"), predictions=(Prediction("clock", 0.9),))
    assert alone[0].confidence < joined[0].confidence
    assert joined[0].cause.id == "clock"
    assert joined[0].sources == ("rules", "classifier")


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(CAUSES)), st.integers(1, 1000), st.sampled_from(STRENGTHS)),
        max_size=30,
    )
)
def test_the_probabilities_add_up_to_one_at_most_and_are_sorted(found: list[tuple[str, int, Strength]]) -> None:
    items, unknown = rank([match(*item) for item in found], (), CAUSES, Scene(1000, None, 1000, clear=True))
    confidences = [item.confidence for item in items]
    assert sum(confidences) + unknown <= 1 + 1e-9
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 < value <= 1 for value in (*confidences, unknown))


def test_the_line_that_names_the_test_stands_before_the_sum_that_counts_them() -> None:
    suite = replace(cause("suite"), family="tests")
    count = match("suite", 950, "strong")
    name = match("suite", 900, "medium", rule="suite-name")
    name = replace(name, rule=replace(name.rule, fingerprint=("test",)))
    found = rank([count, name], (), {"suite": suite}, Scene(1000, None, 1000, clear=True))[0]
    assert [item.line for item in found[0].matches] == [900, 950]
    other = rank([count, name], (), {"suite": cause("suite")}, Scene(1000, None, 1000, clear=True))[0]
    assert [item.line for item in other[0].matches] == [950, 900]
