"""A broken rule gets file:line, what is wrong and how to mend it; it never hides the other errors or the good rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from logkb.rules import load_rule_file, load_rule_files
from tests.conftest import rule_text


def problems_of(folder: Path, text: str) -> list[str]:
    path = folder / "bad.toml"
    path.write_text(text, encoding="utf-8")
    return [str(problem).replace(str(path), "bad.toml") for problem in load_rule_file(path).problems]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "bad.toml:1: rule without id: 'id' is missing; add id = '…'"),
        ({"id": "Bad_Id"}, "bad.toml:2: Bad_Id: id 'Bad_Id' is not lower-case words joined by '-'; write it like 'pip-no-space'"),
        ({"cause": None}, "needs either 'cause' or 'marks'; name the cause id, or marks = 'failed' or 'passed'"),
        ({"marks": "failed"}, "needs either 'cause' or 'marks'"),
        ({"cause": None, "marks": "broken"}, "unknown mark 'broken'; use 'failed' or 'passed'"),
        ({"strength": "huge"}, "bad.toml:4: tool-failed: unknown strength 'huge'; use 'strong', 'medium' or 'weak'"),
        ({"keyword": None}, "'keyword' is missing or not a text; name a literal that every matching line holds"),
        ({"keyword": "abc"}, "keyword 'abc' is shorter than 4 characters; use a longer literal"),
        ({"keyword": []}, "'keyword' is missing or not a text"),
        ({"pattern": "(unclosed"}, "bad.toml:6: tool-failed: the pattern does not compile: missing )"),
        ({"pattern": "(?P<what>.*)"}, "the pattern matches an empty line; anchor it on words that the tool prints"),
        ({"pattern": "^tool: failed (?P<what>(?:a+)+)$"}, "a repeat inside a repeat can take exponential time"),
        ({"message": "{nothing}"}, "'message' names '{nothing}', which is no capture; name a (?P<…>) group of the pattern"),
        ({"message": "{broken"}, "'message' is not a valid template"),
        ({"message": "{what.__class__}"}, "'message' names '{what.__class__}', which is no capture"),
        ({"fix": "mend {nothing}"}, "'fix' names '{nothing}', which is no capture"),
        ({"fingerprint": ["path"]}, "fingerprint names 'path', which is no capture"),
        ({"fingerprint": "what"}, "'fingerprint' is not a list of texts; write fingerprint = ['…']"),
        ({"should_match": []}, "no should_match sample; add [[rule.should_match]] with a line that the tool prints"),
        ({"should_match": [{"text": "x"}]}, "a sample is not a line with captures"),
        ({"should_not_match": "x"}, "'should_not_match' is not a list of texts"),
        ({"colour": "red"}, "unknown key 'colour'; known keys: cause, fingerprint, fix,"),
        ({"followed_by": {"pattern": "x", "within": 99}}, "within = 99 is out of range; use 1 to 50 lines"),
        ({"followed_by": {"within": 2}}, "'followed_by' is not complete"),
        ({"followed_by": {"pattern": "(x"}}, "the pattern does not compile"),
        ({"followed_by": {"pattern": "xx"}, "preceded_by": {"pattern": "xx"}}, "both followed_by and preceded_by"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_its_mend(tmp_path: Path, change: dict[str, object], message: str) -> None:
    found = problems_of(tmp_path, rule_text(**change))
    assert any(message in problem for problem in found), found
    assert all(problem.startswith("bad.toml:") for problem in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]\n", "bad.toml:1: not valid TOML"),
        ("a = 1\nb = \n", "bad.toml:2: not valid TOML"),
        ("[rule]\nid = 'x'\n", "'rule' is not a list of tables; write [[rule]] (two brackets)"),
        ("[rules]\nx = 1\n", "unknown table 'rules'; a rule file holds only [[rule]] tables"),
    ],
)
def test_a_file_that_is_no_rule_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    assert any(message in problem for problem in problems_of(tmp_path, text))


def test_all_mistakes_are_told_at_once_and_good_rules_load(tmp_path: Path) -> None:
    path = tmp_path / "mixed.toml"
    path.write_text(rule_text(id="one", pattern="(") + rule_text(id="two") + rule_text(id="three", strength="x", message=None))
    loaded = load_rule_file(path)
    assert [rule.id for rule in loaded.rules] == ["two"]
    assert [problem.subject for problem in loaded.problems] == ["one", "three", "three"] or len(loaded.problems) >= 3


def test_an_id_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(rule_text())
    (tmp_path / "b.toml").write_text(rule_text())
    loaded = load_rule_files([tmp_path / "a.toml", tmp_path / "b.toml"])
    assert len(loaded.rules) == 1
    assert "the id is taken by" in str(loaded.problems[0])


def test_a_file_that_is_not_utf8_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in str(load_rule_file(tmp_path / "a.toml").problems[0])
