"""Logs that nobody could name come back in clusters, the largest first, each with a rule that loads."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest

from logkb.analysis import Analyzer
from logkb.drafts import Draft, one_line, slug, toml_text
from logkb.errors import UsageError
from logkb.gaps import Unnamed, cleaned, cluster, draft_rule, log_files, render_gaps, shape, similarity, survey, telling_line, words
from logkb.knowledge import Knowledge

LICENCE = "frobnicate: error: no licence for feature '{}' on host build-{}"
MODEM = "gizmo: cannot open modem {}: carrier lost after {} s"


def unnamed(name: str, *lines: str) -> Unnamed:
    text = "\n".join(lines)
    return Unnamed(Path(name), text, cleaned(text))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        line = LICENCE.format(["mesh", "solver", "mesh"][number], number)
        (tmp_path / f"a{number}.log").write_text(f"start\ndoing {number}\n{line}\nProcess exited with code {number + 1}\n")
    (tmp_path / "b.txt").write_text(MODEM.format("/dev/ttyS0", 3) + "\n")
    (tmp_path / "full.log").write_text("tar: a/b: Cannot write: No space left on device\nmake: *** [all] Error 2\n")
    (tmp_path / "passed.log").write_text("Done. Your build exited with 0.\n")
    (tmp_path / "notes.md").write_text("no log\n")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.log").write_text(LICENCE.format("x", 1))
    (tmp_path / "bad.log.gz").write_bytes(b"\x1f\x8b\x08\x00broken")
    return tmp_path


def test_the_unnamed_logs_come_in_clusters_with_the_largest_first(folder: Path, shipped: Knowledge) -> None:
    found = survey(folder, Analyzer(shipped, classify=False))
    assert (found.logs, found.unnamed) == (7, 4)
    assert [[path.name for path in gap.logs] for gap in found.gaps] == [["a0.log", "a1.log", "a2.log"], ["b.txt"]]
    assert "no licence for feature" in found.gaps[0].line
    assert LICENCE.format("mesh", 0) in found.gaps[0].excerpt
    assert found.unreadable == () or "bad.log.gz" in found.unreadable[0]


def test_a_survey_reads_as_text_with_a_draft_for_each_cluster(folder: Path, shipped: Knowledge) -> None:
    found = survey(folder, Analyzer(shipped, classify=False))
    text = render_gaps(found)
    assert text.startswith("4 of 7 logs without a name, in 2 clusters")
    assert text.count("[[rule]]") == 2
    assert render_gaps(found, top=1).count("[[rule]]") == 1


def test_a_folder_without_logs_is_told(tmp_path: Path, shipped: Knowledge) -> None:
    with pytest.raises(UsageError, match="no logs below it"):
        survey(tmp_path, Analyzer(shipped, classify=False))
    with pytest.raises(UsageError, match="no such folder"):
        log_files(tmp_path / "none")


def test_the_order_of_the_logs_does_not_matter() -> None:
    logs = [unnamed(f"{number}.log", LICENCE.format("abc"[number % 3], number)) for number in range(8)]
    logs += [unnamed(f"m{number}.log", MODEM.format(f"/dev/tty{number}", number)) for number in range(5)]
    expected = cluster(logs)
    assert [len(gap.logs) for gap in expected] == [8, 5]
    for seed in range(5):
        shuffled = random.Random(seed).sample(logs, len(logs))
        assert cluster(shuffled) == expected


@pytest.mark.parametrize(
    ("lines", "telling"),
    [
        (["compiling a.c", "gizmo: error: cannot find the widget", "cleaning up the workspace"], 1),
        (["gizmo: error: the first thing broke", "gizmo: error: the second thing broke"], 1),
        (["warning: deprecated thing, error-prone", "fatal: the repository is gone"], 1),
        (["all is quiet here", "nothing to see", "the end"], 1),
        (["gizmo: fatal: cannot start the engine", "WRAPPER error: command failed"], 0),
    ],
)
def test_the_telling_line_speaks_of_the_failure(lines: list[str], telling: int) -> None:
    from collections import Counter

    assert telling_line(lines, Counter(), 1, lambda line: line.startswith("WRAPPER")) == lines[telling]


def test_a_line_that_most_logs_share_tells_nothing() -> None:
    logs = [
        unnamed(f"{number}.log", f"part{'abcdefghijklmnop'[number] * 4} error: odd", "the job failed, see the wiki")
        for number in range(16)
    ]
    assert all("odd" in gap.line for gap in cluster(logs))


@pytest.mark.parametrize(
    ("line", "shaped"),
    [
        ("at /builds/x/y.c:12:3", "at <path>:<n>"),
        ("layer 3f2a9c81d0ab gone", "layer <id> gone"),
        ("get https://host/a?b=c failed", "get <url> failed"),
        ("no 'mesh' after 3.2 s", "no <text> after <n> s"),
    ],
)
def test_the_shape_keeps_what_stays_from_run_to_run(line: str, shaped: str) -> None:
    assert shape(line) == shaped


@pytest.mark.parametrize(("one", "other", "share"), [("a b", "a b", 1.0), ("a b", "b c", 1 / 3), ("a", "b", 0.0), ("", "", 0.0)])
def test_similarity_is_the_share_of_common_words(one: str, other: str, share: float) -> None:
    assert similarity(words(one), words(other)) == pytest.approx(share)


@pytest.mark.parametrize(
    "lines",
    [
        [LICENCE.format("mesh", 1), LICENCE.format("solver", 22)],
        [MODEM.format("/dev/ttyS0", 3)],
        ["gizmo: cannot load plugin alpha today", "gizmo: cannot load plugin beta today"],
        ["strange (brackets) [and] {braces} \\ back $ dollar ^ caret failed"],
        ["it's an \"odd\" `quote` ''' failure"],
        ["a line with ü, → and 漢字 failed badly"],
    ],
)
def test_a_draft_loads_and_matches_its_samples(lines: list[str]) -> None:
    draft = draft_rule(lines)
    assert draft is not None
    assert draft.mistake() == ""
    assert draft.samples[0] == lines[0]


def test_a_draft_captures_what_changes_in_the_cluster() -> None:
    draft = draft_rule(["gizmo: cannot load plugin alpha today", "gizmo: cannot load plugin beta today"])
    assert draft is not None
    assert draft.pattern == r"^\s*gizmo: cannot load plugin (?P<what>\S+) today"
    assert draft.fingerprint == ("what",)
    assert len(draft.samples) == 2


@pytest.mark.parametrize("lines", [["ab"], ["1 2 3"], ["%"]])
def test_a_line_that_is_too_short_gets_no_draft(lines: list[str]) -> None:
    draft = draft_rule(lines)
    assert draft is None or draft.mistake() == ""


def test_secrets_are_masked_in_what_is_shown(tmp_path: Path, shipped: Knowledge) -> None:
    token = "ghp_" + "a1B2" * 9
    (tmp_path / "a.log").write_text(f"gizmo: error: cannot log in with {token} at the frobnicator\n")
    found = survey(tmp_path, Analyzer(shipped, classify=False))
    assert found.unnamed == 1
    assert token not in render_gaps(found)


@pytest.mark.parametrize(
    "text", ["plain", "it's", "'''", 'a"b', "a\\b", "line\nbreak", "\x00\x1b\x7f", "]]\n[[rule]]\nid='x'", "ü→"]
)
def test_any_text_is_one_toml_value(text: str) -> None:
    assert tomllib.loads(f"value = {toml_text(text)}") == {"value": text}


def test_a_comment_cannot_leave_its_line() -> None:
    draft = Draft(
        "one", "one", ("tool failed",), "tool failed", "x", ("tool failed",), comments=("a\n[[rule]]\r\nid = 'evil'\x00",)
    )
    assert draft.mistake() == ""
    assert draft.toml().count("\n[[rule]]\n") == 1
    assert one_line("a\nb\x1b[1m") == "a b [1m"


@pytest.mark.parametrize(
    ("text", "name"), [("No such File!", "no-such-file"), ("", "unnamed"), ("--", "unnamed"), ("ä" * 9, "unnamed")]
)
def test_a_slug_is_an_id(text: str, name: str) -> None:
    assert slug(text) == name
