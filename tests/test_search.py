"""Searching: any text is a query, pasted lines go through the rules, misspelt words are mended, the fast path stays fast."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import logkb
from logkb import kb, paths
from logkb.analysis import Analyzer
from logkb.errors import UsageError
from logkb.kb_build import collect, is_plain
from logkb.knowledge import Knowledge
from logkb.lookup import search
from logkb.quick_search import NAMES, parse_search
from logkb.records import Rule
from logkb.search_commands import SearchOptions
from logkb.search_evaluation import measure_search, quality, ranks, read_queries
from logkb.search_rules import rules_on
from logkb.search_text import compounds, distance, words

QUERIES = paths.data_root() / "corpus" / "queries.tsv"


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    """The shipped rules that name a cause, with their samples."""
    return [rule for rule in collect(kb.roots_of(())).rules.values() if rule.cause is not None]


@pytest.fixture(scope="module")
def base(cache_folder: Path) -> Iterator[sqlite3.Connection]:
    """The shipped knowledge base."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGKB_CACHE_DIR", str(cache_folder))
        with closing(kb.open_kb()) as opened:
            yield opened


def run(*arguments: str, stdin: bytes = b"", more: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "logkb", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, env={**os.environ, **(more or {})})


# What people paste, whatever signs stand in it.
HOSTILE = st.one_of(
    st.text(),
    st.text(st.characters(codec=None, categories=None, exclude_categories=()), max_size=60),
    st.lists(st.sampled_from(['"', "'", "(", ")", "*", "AND", "OR", "NOT", "NEAR(", "{title} :", "^", "-", "+", ":", "\x00", "\x02",
                              "\x03", "\x1e", "😀", "\ud800", "error", "docker", "{", "%s", "; DROP TABLE articles;", "c++", "\u202e"]))
    .map(" ".join),
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE)
def test_any_text_is_a_valid_query(query: str) -> None:
    result = search(query)
    assert result.query == query
    assert result.exact is False or result.hits
    assert len({hit.cause for hit in result.hits}) == len(result.hits) <= 10
    assert all("\x02" not in text and "\x03" not in text for hit in result.hits for text, _ in hit.snippet)


@pytest.mark.parametrize(
    "query",
    ["", " ", "\n\n", "\x00", "a" * 300_000, "x y " * 5_000, '"' * 10_000, "😀", "\ud800\udfff", "the of and", "-1", "AND OR NOT"],
    ids=lambda query: repr(query[:12]),
)
def test_empty_huge_and_odd_queries_are_answered(query: str) -> None:
    result = search(query)
    assert result.exact is False or result.hits


def test_ten_kilobytes_of_a_log_go_through_the_rules() -> None:
    log = "".join(f"#7 {number}.1 Get:{number} http://mirror.example.org/pool/p{number}.deb\n" for number in range(200))
    result = search(
        log + "E: Unable to locate package libfoo-dev\nThe command '/bin/sh -c apt-get install' returned a non-zero code: 100\n"
    )
    assert (result.hits[0].cause, result.hits[0].matched) == ("apt-package-not-found", "rule")


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("E: Unable to locate package libfoo-dev", "apt-package-not-found"),
        ("npm ERR! code ERESOLVE", "npm-peer-conflict"),
        ("2026-01-05T10:11:12.1234567Z npm error code EINTEGRITY", "npm-integrity"),
        ("\x1b[31mERROR: No matching distribution found for torch==9.9.9\x1b[0m", "python-no-matching-distribution"),
        ("#12 3.456 /usr/bin/ld: cannot find -lfoo", "missing-library"),
        (
            "Get:1 http://example.org bookworm InRelease\n  At least one invalid signature was encountered.\n",
            "apt-signature-invalid",
        ),
    ],
)
def test_a_pasted_line_names_its_cause_first_with_the_article_s_fix(line: str, cause: str, shipped: Knowledge) -> None:
    first = search(line).hits[0]
    assert (first.cause, first.matched) == (cause, "rule")
    assert first.rule in {rule.id for rule in shipped.rules if rule.cause == cause}
    assert first.fix == shipped.causes[cause].fixes[0]


def test_every_rule_of_one_line_is_found_by_its_samples_as_the_engine_finds_it(rules: list[Rule], base: sqlite3.Connection) -> None:
    lost = 0
    asked = 0
    for rule in rules[::8]:
        if rule.neighbour is not None:
            continue
        for sample in rule.should_match:
            if "\n" in sample.text or "\r" in sample.text:
                continue
            asked += 1
            named = rules_on(base, sample.text)
            lost += rule.cause not in {one.cause for one in named}
            assert named, f"{rule.id}: {sample.text}"
    # A line behind a CI prefix that another rule already names is not taken apart again.
    assert asked > 100
    assert lost <= asked // 200


def test_patterns_that_run_on_the_standard_library_say_there_what_they_say_on_regex(rules: list[Rule]) -> None:
    tried = [rule for rule in rules[::6] if is_plain(rule.pattern)]
    assert len(tried) > 100
    for rule in tried:
        ours, theirs = re.compile(rule.pattern, re.ASCII), regex.compile(rule.pattern, regex.ASCII)
        for sample in (*rule.should_match, *rule.should_not_match):
            one, other = ours.search(sample.text), theirs.search(sample.text)
            assert (one is None) == (other is None), f"{rule.id}: {sample.text}"
            assert one is None or other is None or (one.span(), one.groupdict()) == (other.span(), other.groupdict()), rule.id


@pytest.mark.parametrize("pattern", [r"[[:alpha:]]x", r"[a--b]", r"(?:abc){e<=1}", r"\p{Lu}", r"\m", r"(?|a|b)"])
def test_patterns_that_only_regex_knows_are_not_plain(pattern: str) -> None:
    assert not is_plain(pattern)


def test_when_several_causes_claim_a_line_the_analysis_orders_them(
    shipped: Knowledge, rules: list[Rule], base: sqlite3.Connection
) -> None:
    analyzer = Analyzer(shipped, classify=False)
    claimed = [
        sample.text
        for rule in rules[::8]
        for sample in rule.should_match
        if "\n" not in sample.text and len({one.cause for one in rules_on(base, sample.text)}) > 1
    ][:5]
    assert claimed
    for line in claimed:
        report = analyzer.analyze(line.encode())
        assert search(line, knowledge=shipped).hits[0].cause == report.findings[0].cause


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("no spcae left on devcie", "disk-full"),
        ("gradel deamon disapeared", "gradle-daemon-lost"),
        ("libsecco", "libseccomp-outdated"),
        ("ERESOLV", "npm-peer-conflict"),
        ("OutOfMemoryErr", "out-of-memory"),
        ("module not found error", "python-module-missing"),
    ],
)
def test_misspelt_and_cut_words_are_found(query: str, cause: str) -> None:
    assert cause in [hit.cause for hit in search(query).hits[:3]]


def test_a_mended_word_is_told() -> None:
    assert search("no space left on devcie").note == "Read 'devcie' as device."


def test_nothing_found_gives_the_nearest_and_says_so() -> None:
    result = search("gradel")
    assert not result.exact
    assert result.hits
    assert {hit.matched for hit in result.hits} == {"near"}
    assert "nearest" in result.note


def test_when_nothing_is_near_the_note_says_where_to_look() -> None:
    result = search("😀 ✨")
    assert result.hits == ()
    assert not result.exact
    assert "logkb causes" in result.note


def test_a_family_keeps_the_others_out(shipped: Knowledge) -> None:
    result = search("not found", family="node")
    assert result.hits
    assert {hit.family for hit in result.hits} == {"node"}
    assert all(shipped.causes[hit.cause].family == "node" for hit in result.hits)


def test_a_family_without_a_hit_shows_the_nearest_elsewhere() -> None:
    result = search("ERESOLVE", family="apple")
    assert not result.exact
    assert result.hits[0].cause == "npm-peer-conflict"
    assert "apple" in result.note


def test_an_unknown_family_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="unknown family 'nodes', did you mean node"):
        search("x", family="nodes")


def test_a_snippet_marks_the_words_of_the_query() -> None:
    lit = {text.lower() for hit in search("seccomp clone3").hits[:1] for text, marked in hit.snippet if marked}
    assert lit & {"seccomp", "clone3"}


def test_the_limit_holds() -> None:
    assert [len(search("docker", limit=limit).hits) for limit in (1, 3)] == [1, 3]


def test_the_package_itself_can_be_asked() -> None:
    assert logkb.search("ERESOLVE").hits[0].cause == "npm-peer-conflict"
    hit = logkb.search("ERESOLVE").hits[0]
    assert isinstance(hit, logkb.Hit)
    assert hit._replace(rule="x").rule == "x"
    with pytest.raises(AttributeError):
        hit.cause = "other"  # type: ignore[misc]


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    article = (paths.data_root() / "docs" / "causes" / "disk-full.md").read_text(encoding="utf-8")
    folder = tmp_path / "own" / "causes"
    folder.mkdir(parents=True)
    (folder / "licence-missing.md").write_text(article.replace("# The disk", "# The frobnicator's licence", 1), encoding="utf-8")
    return tmp_path / "own"


def test_the_user_s_own_articles_are_found(overlay: Path) -> None:
    assert search("frobnicator", overlays=[overlay]).hits[0].cause == "licence-missing"
    assert search("frobnicator licence").hits[0].cause != "licence-missing"


def test_the_queries_are_many_and_cover_every_cause(shipped: Knowledge) -> None:
    queries = read_queries(QUERIES)
    assert len(queries) >= 200
    assert len({query.text for query in queries}) == len(queries)
    asked = {cause for query in queries for cause in query.causes}
    assert asked <= set(shipped.causes)
    assert {"line", "words", "typo", "code"} == {query.kind for query in queries}
    assert len(asked) >= 133


def test_a_wrong_line_of_the_queries_is_told_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "q.tsv"
    path.write_text("# head\ndisk-full\twords\tfull disk\nno tabs here\n")
    with pytest.raises(UsageError, match=r"q\.tsv:3: not three parts"):
        read_queries(path)


def test_the_figures_are_what_they_are_called(tmp_path: Path) -> None:
    path = tmp_path / "q.tsv"
    path.write_text("a\twords\tone\nb|c\twords\ttwo\nd\twords\tthree\n")
    answers = {"one": ["a"], "two": ["x", "c"], "three": ["x"]}
    places = ranks(read_queries(path), lambda text: answers[text])
    assert places == (1, 2, 0)
    figures = quality(places)
    assert (figures.recall_1, figures.recall_5, figures.mrr) == (1 / 3, 2 / 3, 0.5)


def test_search_is_as_good_as_promised_on_the_queries_that_nobody_tuned_on() -> None:
    rows = dict(measure_search())
    for name in ("all", "held out"):
        assert rows[name].recall_1 >= 0.85
        assert rows[name].recall_5 >= 0.97
        assert rows[name].mrr >= 0.90


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["search", "a", "b"], (["a", "b"], SearchOptions())),
        (["search", "--limit", "3", "a", "--family=node"], (["a"], SearchOptions(limit=3, family="node"))),
        (["search", "-f", "json", "--", "--limit"], (["--limit"], SearchOptions(format="json"))),
        (["search", "--- FAIL: TestX (0.00s)"], (["--- FAIL: TestX (0.00s)"], SearchOptions())),
        (["search", "-"], (["-"], SearchOptions())),
        (["search", "--kb"], None),
        (["search", "--help"], None),
        (["search", "--famly", "x"], None),
        (["search", "a", "--limit", "0"], None),
        (["search", "a", "--format", "xml"], None),
        (["analyze", "x"], None),
    ],
)
def test_the_short_parser_reads_plain_options_and_leaves_the_rest(
    arguments: list[str], expected: tuple[list[str], SearchOptions] | None
) -> None:
    assert parse_search(arguments) == expected


def test_both_parsers_know_the_same_options() -> None:
    import typer

    from logkb.cli import app

    command = typer.main.get_command(app).commands["search"]  # type: ignore[attr-defined]
    named = {name for option in command.params for name in option.opts if name.startswith("-")}
    assert named - {"-h", "--help"} == set(NAMES)
    assert {option.name: option.default for option in command.params if option.name in SearchOptions()._asdict()}["limit"] == 5


def test_the_fast_path_imports_nothing_heavy() -> None:
    code = (
        "import sys; from logkb.__main__ import _run; _run(['search', 'inodes']);"
        "heavy = {'dataclasses', 'pathlib', 'json', 'typer', 'rich', 'sqlite_utils', 'regex', 'logkb.knowledge'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    kb.open_kb().close()
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(paths.PACKAGE.parent)!r}); {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stderr.strip() == "[]"
    assert "inode-exhausted" in done.stdout


def test_text_output_has_no_escape_codes_in_a_pipe_and_names_the_rule() -> None:
    done = run("search", "E: Unable to locate package foo")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert b"[apt-package-not-found]" in done.stdout.splitlines()[0]
    assert b"The rule " in done.stdout
    assert b"logkb explain apt-package-not-found" in done.stdout


def test_json_output_is_the_contract() -> None:
    done = run("search", "--format", "json", "--limit", "2", "exit code 137")
    document = json.loads(done.stdout)
    assert document["schema"] == "logkb.search/1"
    assert len(document["hits"]) == 2
    assert {"cause", "title", "family", "score", "matched", "rule", "fix", "snippet", "article"} == set(document["hits"][0])
    assert all(set(piece) == {"text", "match"} for hit in document["hits"] for piece in hit["snippet"])


def test_a_query_comes_from_standard_input_as_well() -> None:
    done = run("search", stdin=b"fatal: detected dubious ownership in repository at '/src'\n")
    assert b"[git-dubious-ownership]" in done.stdout.splitlines()[0]
    assert run("search", "-", stdin=bytes(range(256)) * 50).returncode in (0, 1)


@pytest.mark.parametrize("more", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_an_odd_terminal_encoding_loses_signs_and_not_the_answer(more: dict[str, str]) -> None:
    done = run("search", "déjà vu no space left 😀", more=more)
    assert done.returncode == 0, done.stderr
    assert b"[disk-full]" in done.stdout


def test_nothing_at_all_is_status_one_and_wrong_use_is_two() -> None:
    assert run("search", "😀").returncode == 1
    wrong = run("search", "x", "--family", "nope")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(b"logkb: unknown family 'nope'")
    assert run("search", "x", "--kb", "/no/such/folder").returncode == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("E: Unable", ["e", "unable"]),
        ("C++ and C#", ["cpp", "and", "csharp"]),
        ("a_b-c.d", ["a", "b", "c", "d"]),
        ("\x00", []),
        ("Ünïcode", ["ünïcode"]),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_identifiers_come_apart() -> None:
    assert list(compounds("ERR_PNPM_OUTDATED_LOCKFILE")) == [["err", "pnpm", "outdated", "lockfile"]]
    assert ["module", "not", "found", "error"] in list(compounds("ModuleNotFoundError:"))
    assert ["json", "decode", "error"] in list(compounds("JSONDecodeError"))


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_the_distance_is_symmetric_and_bounded(one: str, other: str) -> None:
    found = distance(one, other, 3)
    assert found == distance(other, one, 3)
    assert (found == 0) == (one == other)
    assert found <= 4


@pytest.mark.parametrize(
    ("one", "other", "expected"), [("devcie", "device", 1), ("eror", "error", 1), ("abc", "xyz", 3), ("abcdef", "", 3)]
)
def test_swaps_of_neighbours_count_once(one: str, other: str, expected: int) -> None:
    assert distance(one, other, 2) == expected


def on_a_terminal(*arguments: str, more: dict[str, str]) -> bytes:
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    command = [sys.executable, "-m", "logkb", "search", *arguments]
    done = subprocess.run(command, stdout=theirs, check=True, env={**environment, "TERM": "xterm", **more})
    os.close(theirs)
    shown = os.read(ours, 1 << 16)
    os.close(ours)
    assert done.returncode == 0
    return shown


def test_a_terminal_shows_what_was_found_in_bold_unless_colours_are_refused() -> None:
    assert b"\x1b[1mseccomp\x1b[0m" in on_a_terminal("seccomp", "--limit", "1", more={})
    assert b"\x1b" not in on_a_terminal("seccomp", "--limit", "1", more={"NO_COLOR": "1"})
    assert b"\x1b" not in on_a_terminal("seccomp", "--limit", "1", more={"TERM": "dumb"})


def test_lines_keep_to_the_terminal_s_width() -> None:
    shown = on_a_terminal("seccomp", "--limit", "2", more={"COLUMNS": "60", "NO_COLOR": "1"}).decode()
    assert all(len(line) <= 60 for line in shown.splitlines() if line.startswith("   ") and " " in line.strip())
