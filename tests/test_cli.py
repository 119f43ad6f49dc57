"""The command as a person meets it: a process with arguments, a pipe, an exit status."""

from __future__ import annotations

import dataclasses
import gzip
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from logkb.commands import AnalyzeOptions
from logkb.quick import parse_analyze

LOG = b"tar: a/b: Cannot write: No space left on device\nmake: *** [all] Error 2\n"
PASSED = b"Done. Your build exited with 0.\n"


def logkb(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "NO_COLOR": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-m", "logkb", *map(str, arguments)], input=stdin, capture_output=True, cwd=cwd, env=env, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "build.log"
    path.write_bytes(LOG)
    return path


def test_a_log_from_standard_input_and_from_a_file_say_the_same(log: Path) -> None:
    piped, named = logkb("analyze", "-f", "json", stdin=LOG), logkb("analyze", "--format=json", log)
    one, two = json.loads(piped.stdout), json.loads(named.stdout)
    assert one.pop("source") == "standard input"
    assert two.pop("source") == str(log)
    assert one == two
    assert one["findings"][0]["cause"] == "disk-full"


def test_several_logs_give_one_document_a_line_in_the_order_given(tmp_path: Path, log: Path) -> None:
    packed, passed = tmp_path / "b.log.gz", tmp_path / "c.log"
    packed.write_bytes(gzip.compress(LOG))
    passed.write_bytes(PASSED)
    done = logkb("analyze", "--format", "json", log, passed, packed)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(item["source"], item["outcome"]) for item in documents] == [
        (str(log), "failed"), (str(passed), "passed"), (str(packed), "failed"),
    ]  # fmt: skip


def test_an_input_that_cannot_be_read_is_told_and_the_others_are_analysed(tmp_path: Path, log: Path) -> None:
    done = logkb("analyze", tmp_path / "none.log", tmp_path, log, "-f", "json")
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert "none.log: no such file; check the path" in done.stderr
    assert "is a directory; name a log file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("stdin", "options", "status"),
    [
        (LOG, [], 0),
        (b"", [], 0),
        (LOG, ["--exit-code"], 0),
        (LOG, ["--exit-code", "--min-confidence", "0.9999"], 1),
        (b"nothing\n", ["--exit-code"], 1),
        (b"nothing\n", [], 0),
        (LOG, ["--top", "0"], 2),
        (LOG, ["--format", "xml"], 2),
        (LOG, ["--kb", "/nowhere"], 2),
        (LOG, ["--engine", "steam"], 2),
        (LOG, ["--no-such-option"], 2),
    ],
)
def test_the_exit_status(stdin: bytes, options: list[str], status: int) -> None:
    done = logkb("analyze", *options, stdin=stdin)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "data", [b"\x00" * 5000, bytes(range(256)) * 50, b"\x1f\x8b\x08\x00broken", b"PK\x03\x04broken", b"\xff\xfe"]
)
def test_bad_input_is_never_a_traceback(data: bytes) -> None:
    done = logkb("analyze", stdin=data)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr


def test_piped_text_is_plain_and_as_wide_as_columns(log: Path) -> None:
    text = logkb("analyze", log, COLUMNS="60").stdout
    assert "\x1b" not in text
    assert all(len(line) <= 60 for line in text.splitlines()[4:])


def test_top_and_min_confidence_choose_the_findings() -> None:
    assert len(json.loads(logkb("analyze", "-f", "json", "--top", "1", stdin=LOG).stdout)["findings"]) == 1
    assert json.loads(logkb("analyze", "-f", "json", "--min-confidence", "1", stdin=LOG).stdout)["findings"] == []


def test_a_reader_that_goes_away_is_no_error(log: Path) -> None:
    command = f"{sys.executable} -m logkb analyze {' '.join([str(log)] * 50)} | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_explain_prints_the_article_and_a_typo_gets_a_suggestion() -> None:
    assert logkb("explain", "disk-full").stdout.startswith("# ")
    done = logkb("explain", "disk-ful")
    assert done.returncode == 2
    assert "unknown cause 'disk-ful', did you mean disk-full" in done.stderr


def test_causes_and_rules_are_listed() -> None:
    assert "disk-full\thost\t" in logkb("causes", "--family", "host").stdout
    assert "did you mean host" in logkb("causes", "--family", "hos").stderr
    listed = logkb("rules", "--cause", "disk-full").stdout.splitlines()
    assert listed
    assert all(line.split("\t")[1] == "disk-full" for line in listed)


def test_rules_test_shows_which_rule_fires_where(log: Path) -> None:
    fired = [line.split("\t") for line in logkb("rules", "--test", log).stdout.splitlines()]
    assert ("1", "disk-full") in {(line[0], line[2]) for line in fired}
    assert ("2", "make-error") in {(line[0], line[1]) for line in fired}


def test_a_new_rule_and_its_article_work_at_once(tmp_path: Path) -> None:
    line = "mytool: no licence found for host 17"
    assert logkb("new", "rule", "mytool-no-licence", "--cause", "licence-missing", "--line", line, cwd=tmp_path).returncode == 0
    assert logkb("new", "article", "licence-missing", "--title", "No licence", cwd=tmp_path).returncode == 0
    done = logkb("analyze", "-f", "json", stdin=b"mytool: no licence found for host 4\nmake: *** [all] Error 1\n", cwd=tmp_path)
    assert json.loads(done.stdout)["findings"][0]["cause"] == "licence-missing"
    again = logkb("new", "rule", "mytool-no-licence", "--cause", "licence-missing", "--line", line, cwd=tmp_path)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_why_names_rules_and_the_classifier_s_terms(log: Path) -> None:
    text = logkb("analyze", "--why", log).stdout
    assert "stands at" in text
    assert "rule os-no-space-left" in text
    assert "the classifier" in text


def test_version_and_help() -> None:
    assert logkb("--version").stdout.startswith("logkb ")
    assert "Say why a build failed" in logkb("--help").stdout
    assert "--install-completion" in logkb("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["analyze"], ([], AnalyzeOptions())),
        (["analyze", "a", "--top", "2", "-f", "json", "b"], ([Path("a"), Path("b")], AnalyzeOptions("json", 2))),
        (
            ["analyze", "--min-confidence=0.5", "--exit-code", "-"],
            ([Path("-")], AnalyzeOptions(min_confidence=0.5, exit_code=True)),
        ),
        (["analyze", "--help"], None),
        (["analyze", "--top", "x"], None),
        (["analyze", "--top"], None),
        (["analyze", "--format", "xml"], None),
        (["explain", "disk-full"], None),
        ([], None),
    ],
)
def test_the_short_way_reads_plain_options_and_leaves_the_rest(arguments: list[str], expected: object) -> None:
    assert parse_analyze(arguments) == expected


def test_both_parsers_know_the_same_options() -> None:
    from logkb.cli import analyze

    full = {name: parameter.default for name, parameter in inspect.signature(analyze).parameters.items() if name != "logs"}
    short = {field.name: field.default for field in dataclasses.fields(AnalyzeOptions)}
    assert {name: getattr(value, "value", value) for name, value in full.items()} == short


def test_gaps_shows_what_nobody_could_name_with_a_draft(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("gizmo: error: cannot find the flux capacitor\n")
    done = logkb("gaps", tmp_path)
    assert done.returncode == 0
    assert "1 of 1 logs without a name" in done.stdout
    assert "[[rule]]" in done.stdout
    assert logkb("gaps", tmp_path / "none").returncode == 2


def test_rules_are_imported_into_the_overlay(tmp_path: Path) -> None:
    issue = tmp_path / "issue.json"
    issue.write_text(json.dumps({"ErrorMessage": "gizmo: the flux capacitor is gone"}))
    done = logkb("import", "rules", issue, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".logkb" / "patterns" / "imported-issue.toml").is_file()
    assert logkb("import", "rules", issue, cwd=tmp_path).returncode == 2
    issue.write_text(json.dumps({"ErrorMessage": "no"}))
    assert logkb("import", "rules", issue, "--in", tmp_path / "other", cwd=tmp_path).returncode == 1
