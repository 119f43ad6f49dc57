"""The rule doctor: each check reports what is wrong, with its place, and is silent when nothing is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from logkb import doctor, stress
from logkb.articles import Article
from logkb.check import CheckResult
from logkb.doctor import Catalogue, Hit, ScannedLog, ScannedSample
from logkb.errors import Location, Problem
from logkb.records import Cause, Explanation, Rule
from logkb.rules import load_rule_file
from tests.conftest import rule_text

Check = Callable[[Catalogue], Iterator[Problem]]


def rules_of(folder: Path, *changes: dict[str, object]) -> tuple[Rule, ...]:
    path = folder / "rules.toml"
    path.write_text("\n".join(rule_text(**change) for change in changes), encoding="utf-8")
    loaded = load_rule_file(path)
    assert loaded.problems == ()
    return loaded.rules


def catalogue(rules: tuple[Rule, ...] = (), **parts: Any) -> Catalogue:
    return Catalogue(**{"rules": rules, "articles": (), "logs": (), "samples": ()} | parts)


def log(
    name: str, *hits: Hit, cause: str | None = "disk-full", group: str = "one/apt", leading: tuple[str, ...] = ()
) -> ScannedLog:
    return ScannedLog(Path(name), cause, group, hits, leading)


def hit(rule: str, line: int = 1, **captures: str) -> Hit:
    return Hit(rule, line, captures)


def article_in(folder: Path, cause: str, text: str = "", explained_by: tuple[Explanation, ...] = ()) -> Article:
    path = folder / f"{cause}.md"
    path.write_text(text, encoding="utf-8")
    head = Cause(cause, cause, "host", (), False, explained_by, (), "", "2026-01-01", 180, Location(path))
    return Article(head, "", (), "", 1, text)


def told(check: Check, given: Catalogue) -> list[tuple[str, str]]:
    return [(problem.subject, problem.what) for problem in check(given)]


ONE: dict[str, object] = {"id": "one"}
TWO: dict[str, object] = {"id": "two"}


def test_a_rule_that_no_log_reaches_is_told_with_its_place(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, ONE, TWO)
    (problem,) = doctor.unreached(catalogue(rules, logs=(log("a.log", hit("one")),)))
    assert str(problem).startswith(
        f"{tmp_path / 'rules.toml'}:{rules[1].location.line}: two: no log of the corpus reaches the rule; "
    )


def test_without_a_corpus_no_rule_is_called_unreached(tmp_path: Path) -> None:
    assert told(doctor.unreached, catalogue(rules_of(tmp_path, ONE))) == []


@pytest.mark.parametrize(
    ("one", "two", "hits", "shadowed"),
    [
        ({}, {}, [hit("two", 1), hit("one", 1), hit("two", 2)], ["one"]),
        ({}, {}, [hit("two", 1), hit("one", 1), hit("one", 2)], ["two"]),
        ({}, {}, [hit("two", 1), hit("one", 1)], ["two"]),
        ({}, {}, [hit("two", 1), hit("one", 2)], []),
        ({}, {"strength": "medium"}, [hit("two", 1), hit("one", 1), hit("two", 2)], []),
        ({"fix": "mend {what}"}, {}, [hit("two", 1), hit("one", 1), hit("two", 2)], []),
        ({}, {"pattern": "^tool: failed", "message": "x", "fingerprint": [], "should_match": [{"line": "tool: failed a"}]},
         [hit("two", 1), hit("one", 1), hit("two", 2)], []),
    ],
)  # fmt: skip
def test_a_rule_is_shadowed_when_another_says_all_that_it_says(
    tmp_path: Path, one: dict[str, object], two: dict[str, object], hits: list[Hit], shadowed: list[str]
) -> None:
    rules = rules_of(tmp_path, ONE | one, TWO | two)
    assert [subject for subject, _ in told(doctor.shadowed, catalogue(rules, logs=(log("a.log", *hits),)))] == shadowed


def test_a_rule_of_another_cause_shadows_when_it_matches_all_samples(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, ONE, TWO | {"cause": "dns-failure"})
    both, alone = ScannedSample("one", (hit("one"), hit("two"))), ScannedSample("one", (hit("one"),))
    assert told(doctor.shadowed, catalogue(rules, samples=(both,))) == [
        ("one", "two (cause dns-failure) matches all samples of the rule")
    ]
    assert told(doctor.shadowed, catalogue(rules, samples=(both, alone))) == []
    symptom = article_in(tmp_path, "disk-full", explained_by=(Explanation("dns-failure", 0.3, "dig example.org"),))
    assert told(doctor.shadowed, catalogue(rules, samples=(both,), articles=(symptom,))) == []


def test_a_strong_rule_that_leads_on_a_passed_log_is_an_error_and_one_that_only_fires_is_a_note(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, ONE, TWO, {"id": "three", "strength": "medium"})
    passed = log("ok.log", hit("one", 3), hit("two", 5), hit("three", 6), cause=None, leading=("one", "three"))
    given = catalogue(rules, logs=(passed, log("bad.log", hit("two"))))
    assert told(doctor.leading_on_passed, given) == [
        ("one", "the strong rule leads the findings on ok.log:3, and that build passed")
    ]
    assert told(doctor.fires_on_passed, given) == [("two", "the strong rule fires on ok.log:5, and that build passed")]


@pytest.mark.parametrize(
    ("one", "two", "varies"),
    [
        ("/tmp/build-81x/a.c", "/tmp/build-92y/a.c", True),
        ("layer 3f2a9c81d0", "layer 77ab1290ce", True),
        ("process 4711", "process 4712", True),
        ("after 3.2s", "after 14.9s", True),
        ("libfoo", "libbar", False),
        ("torch==2.1.0", "torch==2.1.1", False),
        ("process 4711", "process 4711", False),
        ("status 500", "status 503", False),
    ],
)
def test_a_fingerprint_that_varies_between_runs_is_told(tmp_path: Path, one: str, two: str, varies: bool) -> None:
    rules = rules_of(tmp_path, ONE)
    logs = (log("a.log", hit("one", what=one)), log("b.log", hit("one", what=two)))
    assert bool(told(doctor.volatile_fingerprints, catalogue(rules, logs=logs))) is varies


def test_runs_of_different_recipes_may_differ(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, ONE)
    logs = (log("a.log", hit("one", what="process 4711")), log("b.log", hit("one", what="process 4712"), group="two/apt"))
    assert told(doctor.volatile_fingerprints, catalogue(rules, logs=logs)) == []


def test_a_pattern_that_differs_in_group_names_alone_is_a_duplicate(tmp_path: Path) -> None:
    other = TWO | {"pattern": r"^tool: failed (?P<name>\S+)", "message": "{name}", "fingerprint": [], "should_match": [{"line": "tool: failed a"}]}  # fmt: skip
    given = catalogue(rules_of(tmp_path, ONE, other))
    assert told(doctor.exact_duplicates, given) == [("two", f"the pattern is that of one ({tmp_path / 'rules.toml'}:1)")]
    assert told(doctor.near_duplicates, given) == []


def test_patterns_with_one_keyword_and_the_same_words_are_near_duplicates(tmp_path: Path) -> None:
    near = TWO | {"pattern": r"^tool: failed +(?P<what>[^ ]+)"}
    far: dict[str, object] = {"id": "three", "pattern": r"^tool: failed (?P<what>\S+)$|^tool: failed after"}
    given = catalogue(rules_of(tmp_path, ONE, near, far))
    assert [subject for subject, _ in told(doctor.near_duplicates, given)] == ["two"]
    assert told(doctor.exact_duplicates, given) == []


def test_rules_articles_and_examples_belong_together(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, ONE, TWO | {"cause": "no-such-cause"})
    articles = (article_in(tmp_path, "disk-full"), article_in(tmp_path, "lonely"))
    given = catalogue(rules, articles=articles, logs=(log("a.log"),))
    assert told(doctor.without_article, given) == [("two", "cause 'no-such-cause' has no article")]
    assert told(doctor.articles_alone, given) == [
        ("lonely", "no rule names this cause"), ("lonely", "no log of the corpus has this cause"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("[a](https://example.org/a)", ""),
        ("[a](https://example.org/a_(b)) and <https://example.org/>.", ""),
        ("over https: a prompt", ""),
        ('[a](https://example.org/ "A title") and https://example.org/x, too', ""),
        ("[other](disk-full.md) and [here](#fix)", ""),
        ("[a](https://example.org/a", "is not closed"),
        ("[a](https://example.org/a b)", "holds a space"),
        ("[a](https:/example.org/a)", "is not https://host/…"),
        ("[a](htps://example.org/a)", "is not https://host/…"),
        ("[a](www.example.org/a)", "is not https://host/…"),
        ("[a](https://example/a)", "is not https://host/…"),
        ("[a]()", "is not https://host/…"),
        ("see https:///nowhere", "is not https://host/…"),
    ],
)
def test_a_malformed_link_is_told(line: str, mistake: str) -> None:
    found = list(doctor.link_mistakes(line))
    assert len(found) == bool(mistake), found
    assert all(mistake in what for what in found)


def test_links_in_code_are_left_alone_and_the_line_is_named(tmp_path: Path) -> None:
    text = "# T\n\n```sh\ncurl https://$HOST/\n```\n`https://$HOST/` and [a](https://bad host/)\n"
    (problem,) = doctor.malformed_links(catalogue(articles=(article_in(tmp_path, "disk-full", text),)))
    assert str(problem.location) == f"{tmp_path / 'disk-full.md'}:6"


@pytest.mark.parametrize(
    ("pattern", "line", "lost"),
    [
        ("^tool: failed", "tool: failed", ""),
        ("^tool: failed /usr/lib/x", "tool: failed /usr/lib/x", ""),
        (r"^tool: failed /\S+/x", "tool: failed /usr/lib/x", ""),
        ("^tool: failed /.{8}x", "tool: failed /usr/lib/x", "other paths"),
        (r"^\[\d\d:\d\d:\d\d\] tool: failed", "[07:08:09] tool: failed", None),
    ],
)
def test_a_rule_that_loses_its_dressed_sample_is_told(tmp_path: Path, pattern: str, line: str, lost: str | None) -> None:
    rule = rules_of(tmp_path, {"pattern": pattern, "message": "x", "fingerprint": [], "should_match": [{"line": line}]})[0]
    found = [problem.what for problem in stress.check_dressing(rule)]
    # A sample that the engine does not match at all is for the other checks.
    assert found == ([f"the rule loses its sample behind {lost}"] if lost else [])


def test_each_dress_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = rules_of(tmp_path, {})[0]
    monkeypatch.setattr(stress, "DRESSES", (*stress.DRESSES, ("soot", lambda lines: "".join(f"soot {line}\n" for line in lines))))
    assert [problem.what for problem in stress.check_dressing(rule)] == ["the rule loses its sample behind soot"]


@pytest.mark.parametrize(("name", "dress"), stress.DRESSES)
def test_a_dress_changes_every_line(name: str, dress: stress.Dress) -> None:
    raw = dress(["one two", "three"])
    assert raw.count("\n") == 2, name
    assert raw != "one two\nthree\n"


@pytest.mark.parametrize(
    ("text", "pattern", "moved"),
    [
        ("open /usr/lib/x.so", "open", "open /mnt/agent-7/work/lib/x.so"),
        ("open /usr/lib/x.so", "open /usr/", "open /usr/lib/x.so"),
        ("get https://host/usr/lib/x", "get", "get https://host/usr/lib/x"),
        ("a relative/path/x and /", "a", "a relative/path/x and /"),
    ],
)
def test_paths_move_unless_the_pattern_names_them(text: str, pattern: str, moved: str) -> None:
    assert stress.elsewhere(text, pattern) == moved


@pytest.mark.parametrize(
    ("pattern", "slow"),
    [
        (r"^tool: failed (?P<what>\S+)", False),
        (r"tool: failed (?P<what>\w*\w*\w*\w*)!", True),
        (r"(?P<what>\S*) \S*tool: failed .* .* .* !", True),
    ],
)
def test_slow_patterns_are_measured(tmp_path: Path, pattern: str, slow: bool) -> None:
    sample: dict[str, object] = {"line": "a tool: failed a b c !" if ".*" in pattern else "tool: failed alpha!"}
    rule = rules_of(tmp_path, {"pattern": pattern, "should_match": [sample]})[0]
    found = [problem.what for problem in stress.check_speed(rule)]
    assert bool(found) is slow
    assert all("ms on a line of" in what for what in found)


def test_adversarial_lines_hold_the_keyword(tmp_path: Path) -> None:
    rule = rules_of(tmp_path, {})[0]
    lines = [make(stress.ADVERSARIAL_LENGTH) for make in stress.adversarial_lines(rule, rule.pattern)]
    assert len(lines) > 20
    assert all(rule.keywords[0] in line for line in lines)
    assert max(map(len, lines)) >= stress.ADVERSARIAL_LENGTH


def test_both_results_join_and_what_both_report_stands_once() -> None:
    problem, other = Problem(Location(Path("b")), "x", "mend"), Problem(Location(Path("a")), "y", "mend")
    joined = doctor.combine(CheckResult(2, 1, (problem,), ()), CheckResult(2, 1, (problem, other), (other,)))
    assert joined == CheckResult(2, 1, (other, problem), (other,))


def test_the_catalogue_is_read_with_its_corpus(tmp_path: Path) -> None:
    (tmp_path / "patterns").mkdir()
    (tmp_path / "patterns" / "mine.toml").write_text(rule_text(id="mine-failed"))
    for folder, cause in (("disk-full", "disk-full"), ("passing", "passing"), ("disk-full", "wrong")):
        (tmp_path / "corpus" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "corpus" / folder / f"{cause}.log").write_text("tool: failed beta\n")
        (tmp_path / "corpus" / folder / f"{cause}.toml").write_text(f"cause = '{cause}'\n")
    empty = tmp_path / "empty"
    (empty / "patterns").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "data_root", lambda: empty)
        given, problems = doctor.read_catalogue([tmp_path])
    mine = [found for found in given.logs if any(hit.rule == "mine-failed" for hit in found.hits)]
    assert [(found.path.name, found.cause) for found in mine] == [("disk-full.log", "disk-full"), ("passing.log", None)]
    assert mine[1].leading[:1] == ("mine-failed",)
    assert [hit.rule for sample in given.samples for hit in sample.hits] == ["mine-failed"]
    assert len(problems) == 1
    assert "says 'wrong' in the folder 'disk-full'" in problems[0].what
