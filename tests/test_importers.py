"""Other people's rules become drafts that load and match; what cannot is listed with the reason, and hostile files are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from logkb.errorformat import read_errorformat, to_regex
from logkb.errors import InputError, UsageError
from logkb.importers import import_rules, render_imported, translate
from logkb.literals import examples_of, ignores_case, keywords_of
from logkb.matcher import Matcher
from logkb.rules import load_rule_file
from logkb.source import Source

MATCHER = {
    "problemMatcher": [
        {
            "owner": "gizmo-compile",
            "pattern": [
                {
                    "regexp": r"^(?:\x1B\[\d+m)*([^(\s]+)\((\d+),(\d+)\): (error|warning) (GZ\d+): (.*)$",
                    "file": 1, "line": 2, "column": 3, "severity": 4, "code": 5, "message": 6,
                }
            ],
        },
        {
            "owner": "stylish",
            "pattern": [
                {"regexp": r"^File: ([^\s].*)$", "file": 1},
                {"regexp": r"^\s+(\d+):(\d+)\s+problem:\s+(.*)$", "line": 1, "column": 2, "message": 3, "loop": True},
            ],
        },
        {"owner": "too-vague", "pattern": [{"regexp": r"^(.+):(\d+):(.+)$", "file": 1, "line": 2, "message": 3}]},
        {"owner": "broken", "pattern": [{"regexp": "((", "message": 1}]},
    ]
}  # fmt: skip

BFA = """<?xml version='1.1' encoding='UTF-8'?>
<com.sonyericsson.jenkins.plugins.bfa.PluginImpl plugin="build-failure-analyzer@2.5">
  <knowledgeBase class="com.sonyericsson.jenkins.plugins.bfa.db.LocalFileKnowledgeBase"><causes><entry><string>1</string>
    <com.sonyericsson.jenkins.plugins.bfa.model.FailureCause>
      <id>1</id><name>Licence server down</name><description>Ask the &lt;tools&gt; team.
[[rule]]</description>
      <indications>
        <com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication>
          <pattern>.*FlexLM error: (-?\\d+),.*</pattern>
        </com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication>
        <com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication>
          <pattern>(?i)licence checkout failed</pattern>
        </com.sonyericsson.jenkins.plugins.bfa.model.indication.BuildLogIndication>
        <com.sonyericsson.jenkins.plugins.bfa.model.indication.MultilineBuildLogIndication>
          <pattern>one.*two</pattern>
        </com.sonyericsson.jenkins.plugins.bfa.model.indication.MultilineBuildLogIndication>
      </indications>
    </com.sonyericsson.jenkins.plugins.bfa.model.FailureCause></entry></causes></knowledgeBase>
</com.sonyericsson.jenkins.plugins.bfa.PluginImpl>
"""

KNOWN = {"ErrorMessage": "Could not resolve SDK 'Gizmo.Sdk' (it's gone)", "BuildRetry": True, "ExcludeConsoleLog": False}
PATTERN = {"ErrorPattern": r"The process cannot access the file '.+gizmo\.dll'"}
EFM = r"""" Vim compiler file
CompilerSet errorformat=
    \%-GIgnored%.%#,
    \%f:%l:%c:\ fatal\ problem:\ %m,
    \%EERROR\ in\ %f\\,\ line\ %l%.%#,
    \%C\ \ %m,
    \%f:%l:%m
"""


def write(folder: Path, name: str, text: str | Mapping[str, object]) -> Path:
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text", "causes", "refused"),
    [
        ("matcher.json", MATCHER, ["gizmo-compile", "stylish"], {"too-vague": "no literal", "broken": "does not compile"}),
        ("bfa.xml", BFA, ["licence-server-down"] * 2, {"Licence server down": "spans several lines"}),
        ("issue.json", KNOWN, ["could-not-resolve-sdk-gizmo-sdk-it-s-gone"], {}),
        ("issue.md", f"# Flaky\n```json\n{json.dumps(PATTERN)}\n```\n", ["issue-md"], {}),
        ("gizmo.vim", EFM, ["errorformat-fatal-problem", "errorformat-error-line"],
         {"errorformat Ignored": "hides lines", "errorformat ": "no literal"}),
    ],
)  # fmt: skip
def test_a_file_becomes_drafts_that_load_and_the_rest_is_listed(
    tmp_path: Path, name: str, text: str | Mapping[str, object], causes: list[str], refused: dict[str, str]
) -> None:
    imported, target = import_rules(write(tmp_path, name, text), tmp_path / "kb")
    assert target == tmp_path / "kb" / "patterns" / f"imported-{Path(name).stem}.toml"
    loaded = load_rule_file(target)
    assert loaded.problems == ()
    assert [rule.cause for rule in loaded.rules] == causes
    assert {rule.strength for rule in loaded.rules} == {"medium"}
    assert len({rule.id for rule in loaded.rules}) == len(loaded.rules)
    matcher = Matcher(loaded.rules)
    for rule in loaded.rules:
        scan = matcher.scan(Source.from_bytes(rule.should_match[0].text.encode()))
        assert rule.id in {match.rule.id for match in scan.matches}
    for label, why in refused.items():
        assert any(found == label and why in reason for found, reason in imported.refused), imported.refused
        assert label.strip() in target.read_text()
    assert f"{len(causes)} draft" in render_imported(imported, target)


@pytest.mark.parametrize(
    ("text", "line", "captures"),
    [
        (MATCHER, "src/a.gz(3,14): error GZ0042: the widget is loose",
         {"file": "src/a.gz", "line": "3", "column": "14", "severity": "error", "code": "GZ0042", "message": "the widget is loose"}),
        (MATCHER, "File: src/a.js\n  3:14  problem:  loose widget",
         {"file": "src/a.js", "line": "3", "column": "14", "message": "loose widget"}),
        (BFA, "12:00 FlexLM error: -97, no server", {}),
        (BFA, "LICENCE CHECKOUT FAILED", {}),
        (KNOWN, "x.csproj: Could not resolve SDK 'Gizmo.Sdk' (it's gone)!", {}),
        (EFM, "C:/a b/c.gz:3:14: fatal problem: loose", {"file": "C:/a b/c.gz", "line": "3", "column": "14", "message": "loose"}),
        (EFM, "ERROR in a.gz, line 7 and so on", {"file": "a.gz", "line": "7"}),
    ],
)  # fmt: skip
def test_a_draft_matches_what_the_original_matches(
    tmp_path: Path, text: str | Mapping[str, object], line: str, captures: dict[str, str]
) -> None:
    _, target = import_rules(write(tmp_path, "rules.any", text), tmp_path)
    assert target is not None
    matches = Matcher(load_rule_file(target).rules).scan(Source.from_bytes(line.encode())).matches
    assert [dict(match.captures) for match in matches] == [captures]


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        '<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/hostname"><x/>',
        '<?xml version="1.1"?><!DOCTYPE x><x/>',
        "<x>" * 100 + "</x>" * 100,
        "<x><y></x>",
        "<x>&nothing;</x>",
        '<?xml version="1.0" encoding="no-such"?><x/>',
        "{broken",
        "[" * 100_000,
    ],
)
def test_a_hostile_or_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        import_rules(write(tmp_path, "bad", text), tmp_path)
    assert not (tmp_path / "patterns").exists()


def test_a_hostile_file_in_utf16_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.xml"
    path.write_bytes(b"<" + "<!DOCTYPE x><x/>".encode("utf-16"))
    with pytest.raises(InputError):
        import_rules(path, tmp_path)


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", UsageError), (b'{"a": 1}', UsageError), (b"[]", UsageError), (b"just text\n", UsageError), (b"\xff\xfe%", InputError)],
)
def test_a_file_of_no_known_form_is_told(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        translate(data, "x")


def test_a_missing_file_and_an_existing_target_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        import_rules(tmp_path / "none", tmp_path)
    path = write(tmp_path, "issue.json", KNOWN)
    import_rules(path, tmp_path)
    with pytest.raises(UsageError, match="exists already"):
        import_rules(path, tmp_path)


def test_nothing_is_written_when_nothing_can_be_translated(tmp_path: Path) -> None:
    imported, target = import_rules(write(tmp_path, "x.json", {"ErrorPattern": r"\d+"}), tmp_path)
    assert target is None
    assert not (tmp_path / "patterns").exists()
    assert "nothing written" in render_imported(imported, target)


@pytest.mark.parametrize("name", ["x\n[[rule]]\nid='evil'", "'''\"\"\"", "\x1b[31m\x00", "# {message.__class__}", "ü" * 500, ""])
def test_a_hostile_name_stays_a_text(tmp_path: Path, name: str) -> None:
    document = {"problemMatcher": [{"owner": name, "pattern": [{"regexp": "^gizmo: (.*)$", "message": 1}]}]}
    _, target = import_rules(write(tmp_path, "x.json", document), tmp_path)
    assert target is not None
    loaded = load_rule_file(target)
    assert loaded.problems == ()
    assert len(loaded.rules) == 1
    assert loaded.rules[0].id != "evil"


@pytest.mark.parametrize(
    ("pattern", "regex"),
    [
        ("%f:%l: %m", r"^(?P<file>(?:[A-Za-z]:)?[^:]+):(?P<line>\d+): (?P<message>\S.*)$"),
        ("%t%n|%v%%", r"^(?P<type>\w)(?P<code>\d+)\|(?P<column>\d+)%$"),
        ("%*[^:]: %l %l", r"^[^:]+: (?P<line>\d+) \d+$"),
        (r"%*\d%.%#x%r", r"^\d+.*x.*$"),
        (r"a%\(b%\|c%\)%\?", r"^a(?:b|c)?$"),
        (r"%+Eerror\, %m", r"^error, (?P<message>\S.*)$"),
    ],
)
def test_errorformat_becomes_a_regular_expression(pattern: str, regex: str) -> None:
    assert to_regex(pattern) == regex
    re.compile(regex)


@pytest.mark.parametrize("pattern", ["%-G%.%#", "%C%m", "%Z%p^", "%DEntering %f", "%&", r"a%\@=b", "%*?"])
def test_what_errorformat_cannot_say_in_one_line_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError):
        to_regex(pattern)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("%f:%l: %m,%f: fatal %m\n", 2),
        ("set efm=%f:%l:\\ %m\\,\\ and\\ more,%m\n", 2),
        ("let &errorformat = '%f: it''s %m'\n", 1),
        ('" only a comment with %f\n', 0),
    ],
)
def test_an_errorformat_is_split_at_its_commas(text: str, count: int) -> None:
    assert len(list(read_errorformat(text))) == count


@pytest.mark.parametrize(
    ("pattern", "keywords"),
    [
        ("error: (.*) failed badly", (" failed badly",)),
        (r"(?:abcd)?efghi\d", ("efghi",)),
        ("(?:first one|second)", ("first one", "second")),
        ("(?:first one|2)", ()),
        (r"ab+cdefg", ("cdefg",)),
        (r"\d+", ()),
        (r"word(?= ahead) ahead", ("word ahead",)),
    ],
)
def test_a_keyword_stands_in_every_match(pattern: str, keywords: tuple[str, ...]) -> None:
    assert keywords_of(pattern) == keywords


@pytest.mark.parametrize(
    "pattern",
    [r"^a\s+(?P<x>[^:\s]+):(\d{3,5})$", r"(a)b\1", r"[A-Z_]{2}[^\w]\W\S", "(?i)abc|def", r"x{3,}?y*+(?>z)", "[^a]+.*", r"\bword\b"],
)
def test_an_example_matches_its_pattern(pattern: str) -> None:
    assert any(re.search(pattern, text) for text in examples_of(pattern))


def test_case_is_ignored_when_the_pattern_says_so() -> None:
    assert ignores_case("(?i)abc")
    assert not ignores_case("abc")


@pytest.mark.parametrize("pattern", ["(", "a" * 5000, "(" * 2000 + ")" * 2000, "a{2,1}"])
def test_a_pattern_that_is_none_is_told(pattern: str) -> None:
    with pytest.raises(UsageError):
        keywords_of(pattern)
