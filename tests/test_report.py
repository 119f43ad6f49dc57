"""What people and programs read: the JSON contract, the text, the Markdown. Hostile text stays text."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from logkb import Evidence, Excerpt, Finding, LogFacts, Report, Retry, dump_json
from logkb.markdown import LIMIT, code, escape, fence, render_markdown
from logkb.report import safe
from logkb.text import render

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "source", "outcome", "findings", "unknown", "excerpt", "retry", "log"],
    "properties": {
        "schema": {"const": "logkb.report/1"},
        "source": {"type": "string"},
        "outcome": {"enum": ["failed", "passed", "unclear"]},
        "unknown": {"type": "number", "minimum": 0, "maximum": 1},
        "excerpt": {
            "type": ["object", "null"],
            "required": ["first_line", "last_line", "text"],
            "additionalProperties": False,
            "properties": {"first_line": {"type": "integer"}, "last_line": {"type": "integer"}, "text": {"type": "string"}},
        },
        "retry": {
            "type": "object",
            "required": ["safe", "why"],
            "additionalProperties": False,
            "properties": {"safe": {"type": "boolean"}, "why": {"type": "string"}},
        },
        "log": {
            "type": "object",
            "required": ["bytes", "lines", "truncated"],
            "additionalProperties": False,
            "properties": {"bytes": {"type": "integer"}, "lines": {"type": "integer"}, "truncated": {"type": "boolean"}},
        },
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": [
                    "cause", "title", "family", "confidence", "role", "retryable", "message", "fingerprint", "step",
                    "evidence", "from", "article", "fixes", "check",
                ],
                "properties": {
                    "cause": {"type": "string"}, "title": {"type": "string"}, "family": {"type": "string"},
                    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                    "role": {"enum": ["cause", "consequence", "possible"]}, "retryable": {"type": "boolean"},
                    "message": {"type": "string"}, "fingerprint": {"type": "string"}, "step": {"type": ["string", "null"]},
                    "from": {"type": "array", "items": {"enum": ["rules", "classifier", "graph"]}},
                    "article": {"type": "string", "pattern": "^causes/"}, "check": {"type": ["string", "null"]},
                    "fixes": {"type": "array", "items": {"type": "string"}},
                    "evidence": {
                        "type": "array",
                        "items": {
                            "type": "object", "additionalProperties": False,
                            "required": ["line", "text", "rule", "captures"],
                            "properties": {"line": {"type": "integer", "minimum": 1}, "text": {"type": "string"},
                                           "rule": {"type": "string"}, "captures": {"type": "object"}},
                        },
                    },
                },
            },
        },
    },
}  # fmt: skip

HOSTILE = (
    "\x1b]0;title\x07\x1b[2J<script>alert(1)</script> [x](javascript:x) ![i](http://example.org/i) @everyone #1 ``` ````` `a`"
    " \u202egnp.exe <!-- marker --> </details> **bold** | a | b |"
)


def finding(**change: object) -> Finding:
    made = Finding(
        cause="disk-full", title="The disk is full", family="host", confidence=0.93, role="cause", retryable=False,
        message="no space left for x.deb", fingerprint="0123456789abcdef", step="RUN apt-get update",
        evidence=(Evidence(812, "E: No space left on device", "apt-no-space", {"path": "x.deb"}),), sources=("rules",),
        article="causes/disk-full", fixes=("See what fills the disk: `df -h`", "Free some space"), confirm="`df -h` shows space",
        check=None,
    )  # fmt: skip
    return dataclasses.replace(made, **change)  # type: ignore[arg-type]


def report(*findings: Finding, **change: object) -> Report:
    made = Report("build.log", "failed", findings, 0.05, Excerpt(810, 813, "a\nb\nE: No space left on device\nd"),
                  Retry(False, "disk-full stays until it is mended"), LogFacts(12345, 900, False))  # fmt: skip
    return dataclasses.replace(made, **change)  # type: ignore[arg-type]


def text_of(made: Report, *, width: int = 100, context: int = 0, why: bool = False) -> str:
    return "\n".join(row.text for row in render(made, width=width, context=context, why=why))


@pytest.mark.parametrize(
    "made",
    [
        report(finding()),
        report(),
        report(outcome="passed", excerpt=None, unknown=1.0),
        report(finding(message=HOSTILE, evidence=(Evidence(1, HOSTILE, "r", {"x": HOSTILE}),)), source=HOSTILE),
    ],
)
def test_the_json_keeps_its_contract_on_one_line(made: Report) -> None:
    line = dump_json(made)
    assert "\n" not in line
    Draft202012Validator(SCHEMA).validate(json.loads(line))


def test_the_text_says_cause_proof_first_step_and_confirmation() -> None:
    assert text_of(report(finding())).splitlines() == [
        "build.log: the build failed (900 lines)",
        "",
        "1. The disk is full  [disk-full]  93%, almost certain",
        "   no space left for x.deb",
        "   Step: RUN apt-get update",
        "   Why we think so:",
        "     812 | E: No space left on device",
        "   What to do first:",
        "     See what fills the disk: `df -h`",
        "     then: Free some space",
        "   How to know that it worked:",
        "     `df -h` shows space",
        "   All of it: logkb explain disk-full",
        "",
        "Something else: 5%. Retry: no, disk-full stays until it is mended.",
    ]


def test_consequences_and_possible_causes_stand_apart_with_their_checks() -> None:
    text = text_of(
        report(
            finding(),
            finding(cause="apt-signature-invalid", title="Signature", role="consequence", confidence=0.03),
            finding(cause="clock-skew", title="Clock", role="possible", confidence=0.02, evidence=(), check="date -u"),
        )
    )
    assert "A consequence, not the cause:\n   Signature [apt-signature-invalid] 3% (line 812)" in text
    assert "Also possible:\n   Clock [clock-skew] 2%; settle it with: date -u" in text


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (report(), "We do not know why: no rule knows a line of this log."),
        (report(log=LogFacts(0, 0, False), outcome="unclear", excerpt=None), "The log is empty"),
        (report(outcome="unclear"), "No failure stands in this log"),
        (report(log=LogFacts(9, 9, True)), "may be in the missing part"),
        (report(finding(confidence=0.2), unknown=0.6), "We are not sure: 60%"),
    ],
)
def test_what_we_do_not_know_is_said_with_its_reason(made: Report, words: str) -> None:
    assert words in " ".join(text_of(made).split())


def test_why_shows_what_moved_the_ranking() -> None:
    text = text_of(report(finding(reasons=("+2.70 rule apt-no-space (strong) on line 812",))), why=True)
    assert "Why [disk-full] stands at 93%, in log-odds:\n   +2.70 rule apt-no-space (strong) on line 812" in text


def test_the_words_fit_the_percentage_shown() -> None:
    assert "90%, almost certain" in text_of(report(finding(confidence=0.8975)))


def test_a_passed_build_gets_one_line() -> None:
    assert text_of(report(outcome="passed")) == "build.log: the build passed (900 lines)"


@pytest.mark.parametrize("width", [40, 60, 200])
def test_the_width_is_respected(width: int) -> None:
    long = finding(message="word " * 60, evidence=(Evidence(1, "x" * 500, "r", {}),), fixes=("do " * 60,))
    lines = text_of(report(long), width=width, context=4).splitlines()
    assert max(map(len, lines[1:])) <= max(width, len(lines[2]))
    assert all(len(line) <= width for line in lines[3:])


def test_the_context_marks_the_evidence() -> None:
    text = text_of(report(finding()), context=4)
    assert "> 812 | E: No space left on device" in text
    assert "  813 | d" in text


@given(st.text(max_size=200))
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    made = report(finding(message=text, step=text, evidence=(Evidence(1, text, "r", {}),)), source=text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text_of(made, context=3).replace("\t", ""))


def html_of(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


@given(st.text(st.characters(codec="utf-8"), max_size=120) | st.just(HOSTILE))
def test_log_text_never_becomes_markup(text: str) -> None:
    rendered = html_of(f"{escape(text)}\n\n{code(text)}\n\n{fence(text)}")
    tags = set(re.findall(r"</?([a-z0-9]+)", rendered))
    assert tags <= {"p", "code", "pre"}
    assert rendered.count("<pre>") == 1


def test_hostile_text_mentions_nobody_and_runs_nothing() -> None:
    made = report(finding(title=HOSTILE, message=HOSTILE, step=HOSTILE, evidence=(Evidence(1, HOSTILE, "r", {}),)), source=HOSTILE,
                  excerpt=Excerpt(1, 2, f"{HOSTILE}\n</details>"))  # fmt: skip
    rendered = html_of(render_markdown(made))
    assert "<script" not in rendered
    assert "<img" not in rendered
    assert "<a " not in rendered
    assert rendered.count("</details>") == 2
    outside = re.sub(r"<(code|pre).*?</\1>", "", rendered, flags=re.S)
    assert "@everyone" not in re.sub(r"\\@", "", render_markdown(made).split("```")[0]) or "@everyone" not in outside.replace(
        "\\@", ""
    )


def test_the_comment_is_short_masked_and_complete() -> None:
    token = "gh" + "p_" + "a" * 36
    text = render_markdown(report(finding(evidence=(Evidence(812, f"push with {token}", "r", {}),))))
    assert text.startswith("**The disk is full** (`disk-full`): almost certain, 93%.")
    assert "- Line 812: `push with <github-token:1>`" in text
    assert "- **First:** See what fills the disk\\: `df -h`" in text
    assert "- Article: `logkb explain disk-full`" in text
    assert "something else: 5%" in text


def test_the_evidence_is_folded_and_fenced() -> None:
    ticks = finding(evidence=(Evidence(812, "a ````` b", "r", {}), Evidence(813, "second", "r", {})))
    text = render_markdown(report(ticks))
    assert (
        "<details><summary>The evidence: 2 lines</summary>\n\n``````text\n812 | a ````` b\n813 | second\n``````\n\n</details>"
        in text
    )


@pytest.mark.parametrize("title", ["a" * 200_000, "_" * 200_000])
def test_a_title_of_any_length_leaves_the_comment_within_its_limit(title: str) -> None:
    assert len(render_markdown(report(finding(title=title)))) <= LIMIT


@pytest.mark.parametrize("character", "\x00\x1b\x7f\x85\x9b\u061c\u200e\u2028\u2029\u202a\u202e\u2066\u2069")
def test_what_steers_a_terminal_or_ends_a_line_is_shown_and_not_done(character: str) -> None:
    assert safe(f"a{character}/b") == "a�/b"


def test_the_comment_is_readable_at_twenty_lines() -> None:
    full = [finding(check="df -h", cause=f"cause-{number}", role="cause" if number < 3 else "possible") for number in range(6)]
    text = render_markdown(report(*full))
    assert len(text.split("<details>")[0].strip().splitlines()) <= 20


def test_the_article_is_linked_where_one_knows_where_it_is() -> None:
    text = render_markdown(report(finding()), article_url="https://example.org/kb/{cause}.html")
    assert "- Article: [`logkb explain disk-full`](https://example.org/kb/disk-full.html)" in text
    assert "](" not in render_markdown(report(finding()), article_url="https://example.org/) [x](y")


REFERENCES = ["@octocat", "#12", "GH-12", "octo/repo#1", "Fixes #12", "Closes https://example.org/o/r/issues/1", "www.example.org", "!5", "&2", "~bug", "%1", ":tada:"]  # fmt: skip


@pytest.mark.parametrize("text", REFERENCES)
def test_log_text_mentions_and_closes_nothing(text: str) -> None:
    made = report(finding(title=text, message=text, step=text, fixes=(text,), confirm=text, check=text,
                          evidence=(Evidence(1, text, "r", {}),)), source=text, excerpt=Excerpt(1, 1, text))  # fmt: skip
    rendered = html_of(render_markdown(made))
    outside = re.sub(r"<[^>]*>", "", re.sub(r"<(code|pre).*?</\1>", "", rendered, flags=re.S))
    assert text not in outside
    assert not re.search(r"(?:^|[^\w`])(?:@|#|!|&|%|~)(?=[A-Za-z0-9])", outside.replace("&amp;", "&").replace("&lt;", ""))
    assert not re.search(r"GH-\d|www\.|://|:tada:", outside)


def test_the_same_secret_has_one_number_in_all_of_the_comment() -> None:
    first, second = ("gh" + "p_" + letter * 36 for letter in "ab")
    made = report(finding(message=second, evidence=(Evidence(1, first, "r", {}), Evidence(2, second, "r", {}))),
                  excerpt=Excerpt(1, 2, f"{first}\n{second}"))  # fmt: skip
    text = render_markdown(made)
    assert "1 | <github-token:1>\n2 | <github-token:2>" in text
    assert "- What: `<github-token:2>`" in text


def test_the_comment_never_passes_github_s_limit() -> None:
    huge = finding(message="m" * 40_000, evidence=tuple(Evidence(n, "e" * 5000, "r", {}) for n in range(1, 7)))
    assert len(render_markdown(report(huge, huge, excerpt=Excerpt(1, 60, "\n".join(["x" * 3000] * 60))), context=60)) <= LIMIT
