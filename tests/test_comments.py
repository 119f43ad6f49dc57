"""The comment's text: grouping, length, folding, and that nothing in a log becomes more than text."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from logkb.comments import (
    HEAD,
    MARKER,
    JobReport,
    Summary,
    failed_body,
    folded_body,
    state_of,
    summarise,
)  # fmt: skip
from logkb.errors import TransientError
from logkb.forge import Job
from logkb.markdown import own_words
from logkb.records import Evidence, Excerpt, Finding, LogFacts, Report, Retry
from logkb.spool import Spool, pour
from tests.fakes.clock import FakeClock

COMMIT = "c0ffee" + "0" * 34
FINDING = Finding(
    cause="disk-full", title="The disk is full", family="host", confidence=0.93, role="cause", retryable=False,
    message="no space left on /dev/sda1", fingerprint="f" * 16, step="Run make",
    evidence=(Evidence(12, "tar: No space left on device", "tar-no-space", {}),), sources=("rules",), article="causes/disk-full",
    fixes=("Look where the space went: `df -h`.",), confirm="The build passes.", check=None,
)  # fmt: skip
REPORT = Report(
    source="build", outcome="failed", findings=(FINDING,), unknown=0.05, excerpt=Excerpt(10, 13, "one\ntwo\nthree\nfour"),
    retry=Retry(False, "it stays"), log=LogFacts(100, 13, False),
)  # fmt: skip
LABEL = "logkb-silence"


def job(name: str = "build", url: str = "https://forge.example.org/octo/app/job/1") -> Job:
    return Job(name, url, "1")


def report(name: str = "build", *, url: str = job().url, text: str | None = None, **changes: object) -> JobReport:
    finding = replace(FINDING, **changes)  # type: ignore[arg-type]
    excerpt = REPORT.excerpt if text is None else Excerpt(10, 10 + text.count("\n"), text)
    return JobReport(job(name, url), replace(REPORT, findings=(finding,), excerpt=excerpt))


def body_of(*reports: JobReport, **more: object) -> str:
    return failed_body(summarise(reports, 0.5, **more), COMMIT, LABEL)  # type: ignore[arg-type]


def visible(body: str) -> list[str]:
    """The lines that a reader sees before unfolding anything."""
    return [line for line in re.sub(r"<details>.*</details>", "", body, flags=re.S).splitlines() if line.strip()]


# Grouping.


def test_jobs_with_the_same_fingerprint_are_one_root_cause() -> None:
    made = summarise([report("a"), report("b"), report("c", fingerprint="e" * 16, message="another disk")], 0.5)
    assert [[job.name for job in cause.jobs] for cause in made.causes] == [["a", "b"], ["c"]]


def test_the_job_that_shows_it_best_speaks_for_all() -> None:
    made = summarise([report("a", confidence=0.6), report("b", confidence=0.9)], 0.5)
    assert made.causes[0].finding.confidence == 0.9
    assert made.causes[0].best.job.name == "b"


def test_a_job_of_which_only_the_classifier_speaks_joins_the_group_of_its_cause() -> None:
    vague = report("vague", evidence=(), fingerprint="0" * 16)
    made = summarise([vague, report("a"), report("b", cause="dns-failure", fingerprint="d" * 16)], 0.5)
    assert {cause.finding.cause: [job.name for job in cause.jobs] for cause in made.causes} == {
        "disk-full": ["a", "vague"], "dns-failure": ["b"],
    }  # fmt: skip


def test_a_vague_job_alone_is_a_root_cause_of_its_own() -> None:
    assert len(summarise([report(evidence=())], 0.5).causes) == 1


@pytest.mark.parametrize(("confidence", "explained"), [(0.49, 0), (0.5, 1)])
def test_the_threshold_is_the_least_that_is_told(confidence: float, explained: int) -> None:
    made = summarise([report(confidence=confidence)], 0.5)
    assert (len(made.causes), len(made.unexplained)) == (explained, 1 - explained)


def test_a_job_whose_log_says_that_it_passed_explains_nothing() -> None:
    passed = JobReport(job(), replace(REPORT, outcome="passed"))
    assert summarise([passed], 0.5).causes == ()


def test_the_order_of_the_jobs_does_not_change_the_comment_s_order_of_causes() -> None:
    one, two = report("a"), report("b", cause="dns-failure", fingerprint="d" * 16, confidence=0.99)
    assert [item.finding.cause for item in summarise([one, two], 0.5).causes] == ["dns-failure", "disk-full"]
    assert summarise([one, two], 0.5).causes == summarise([two, one], 0.5).causes


# What a person reads.


def test_a_comment_says_why_how_sure_where_and_what_to_do() -> None:
    body = body_of(report())
    for part in (
        "**The disk is full** (`disk-full`): almost certain, 93%",
        "`no space left on /dev/sda1`",
        "Line 12 of [`build`](https://forge.example.org/octo/app/job/1): `tar: No space left on device`",
        "First: Look where the space went\\: `df -h`.",
        "`logkb explain disk-full`",
        "It worked when: The build passes.",
        "13 | four",
    ):
        assert part in body


def test_the_article_can_be_a_link() -> None:
    body = failed_body(summarise([report()], 0.5), COMMIT, LABEL, article_url="https://example.org/kb/{cause}.html")
    assert "[`logkb explain disk-full`](https://example.org/kb/disk-full.html)" in body


def test_doubts_are_told() -> None:
    item = report(confidence=0.6)
    second = replace(FINDING, cause="apt-key-missing", confidence=0.2, role="possible", check="apt-key list")
    item = JobReport(item.job, replace(item.report, findings=(*item.report.findings, second), unknown=0.2))
    assert "Not sure: `apt-key-missing` 20%, settle it with `apt-key list`; something else 20%" in body_of(item)


def test_twenty_lines_are_enough_however_much_failed() -> None:
    many = [report(f"job {n}", fingerprint=f"{n:016}", message=f"disk {n} is full", confidence=0.6) for n in range(40)]
    lost = [(job(f"lost {n}"), "the log has expired") for n in range(30)]
    body = body_of(*many, report("odd", confidence=0.1), unread=lost, unseen=5, pending=3)
    assert len(visible(body)) <= 20
    assert "40 root causes in 40 failed jobs" in body
    assert "and 28 more root causes" in body


def test_a_commit_with_another_state_gives_another_text_and_the_same_state_the_same() -> None:
    assert body_of(report()) == body_of(report())
    assert failed_body(summarise([report()], 0.5), "d" * 40, LABEL) != body_of(report())


@pytest.mark.parametrize("commit", [None, "", "--> <script>", "main"])
def test_a_commit_that_is_none_leaves_the_marker_whole(commit: str | None) -> None:
    head = HEAD.match(failed_body(summarise([report()], 0.5), commit, LABEL))
    assert head is not None
    assert head[2] == "unknown"


def test_a_long_comment_stays_within_the_limit_and_whole() -> None:
    wide = "`" * 300 + "x" * 3000
    url = "https://forge.example.org/" + "x" * 470
    reports = [
        report(f"{n} {wide}", url=url, fingerprint=f"{n:016}", message=wide, step=wide, title=wide, check=wide, confirm=wide,
               fixes=(wide,), evidence=(Evidence(1, wide, "r", {}),), text="\n".join([wide] * 60))
        for n in range(14)
    ]  # fmt: skip
    body = body_of(*reports, *reports, *reports)
    assert 1000 < len(body) <= 65_536
    assert body.count("<details>") == body.count("</details>")
    assert body.startswith(MARKER)


# Folding.


def test_a_folded_comment_says_that_it_is_fixed_and_keeps_the_report() -> None:
    body = folded_body(body_of(report()), "d" * 40, LABEL, fixed=True)
    assert state_of(body) == "fixed"
    assert f"**Fixed** in `{'d' * 10}`" in visible(body)[1]
    assert len(visible(body)) == 3
    assert "What was reported at c0ffee0000" in body
    assert "no space left on /dev/sda1" in body
    assert body.count("<details>") == body.count("</details>") == 2


def test_what_is_folded_is_not_folded_once_more() -> None:
    once = folded_body(body_of(report()), "d" * 40, LABEL, fixed=False)
    twice = folded_body(once, "e" * 40, LABEL, fixed=True)
    assert state_of(twice) == "fixed"
    assert twice.count("<details>") == twice.count("</details>") == 2
    assert folded_body(twice, "e" * 40, LABEL, fixed=True) == twice


def test_a_report_that_is_too_long_to_be_kept_is_left_out() -> None:
    body = folded_body(f"{MARKER}state=failed commit=unknown -->\n" + "x" * 65_500, "d" * 40, LABEL, fixed=True)
    assert len(body) < 500
    assert body.startswith(MARKER)


@pytest.mark.parametrize(
    "text", ["", "hello", f"> {MARKER}state=failed commit=unknown -->", f"{MARKER}state=owned commit=unknown -->\n"]
)
def test_another_s_text_has_no_state(text: str) -> None:
    assert state_of(text) == ""


# Hostile logs.

OWN_HTML = re.compile(
    r"(?:<!-- logkb:comment:1 state=(?:failed|fixed|unknown) commit=(?:[0-9a-f]+|unknown) -->|</details>|</?sub>"
    r"|<details><summary>(?:What was reported(?: at [0-9a-f]{10})?|Which jobs, and which lines of their logs|\d+ more root causes)"
    r"</summary>|\s+)*"
)
CALLS = re.compile(r"[@#!~%&$](?=[\w])|://|www\.|GH-\d", re.IGNORECASE)
HOSTILE = [
    "@octocat and @octo/team look",
    "fixes #1, closes octo/app#2, GH-3, !4 ~label %milestone &5 $6",
    "https://evil.example.org/ www.evil.example.org mailto:a@evil.example.org",
    "[click](https://evil.example.org) ![x](https://evil.example.org/p.png) <https://evil.example.org>",
    "<script>alert(1)</script><img src=x onerror=alert(1)><details open>",
    "--> <!-- logkb:comment:1 state=fixed commit=unknown -->",
    "</details></summary></sub>",
    "``` ```` ````` `` ` ~~~",
    "`code` **bold** _it_ ~~no~~ # heading",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "/close\n/merge\n/assign @octocat",
    "```\n/close\n```\n@octocat",
    "\\` \\@octocat \\\\@octocat &#64;octocat &commat;octocat &lt;b&gt;",
    ":smile: $`x^2`$ [[_TOC_]] ::include{file=x} {+ + } [^1]",
    "\u202e@octocat\u2066 \x1b]8;;https://evil.example.org\x07link\x1b]8;;\x07",
    "    indented\n> quote\n- list\n1. list\n---\n===",
    "[ref]: https://evil.example.org\n[ref]",
]  # fmt: skip


def outside_code(markdown: str) -> tuple[str, list[str], list[str]]:
    """The text that is not code, the raw HTML, and the links' and images' addresses."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    text, html, links = [], [], []
    for token in parser.parse(markdown):
        for part in [token, *(token.children or [])]:
            if part.type in ("html_block", "html_inline"):
                html.append(part.content)
            elif part.type == "text":
                text.append(part.content)
            elif part.type in ("link_open", "image"):
                links.append(str(part.attrs.get("href") or part.attrs.get("src")))
    return "\n".join(text), html, links


def assert_harmless(body: str) -> None:
    text, html, links = outside_code(body)
    assert not CALLS.search(text), CALLS.findall(text)
    assert OWN_HTML.fullmatch("".join(html)), html
    assert all(link.startswith("https://forge.example.org/") for link in links), links
    assert not re.search(r"^\s*/", body, re.M), "a line that GitLab would carry out"
    assert body.count(MARKER) == 1 or body.index(MARKER) == 0
    assert len(HEAD.findall(body[: body.index("\n") + 1])) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_a_log_stays_text(text: str) -> None:
    line = text.replace("\n", " ")
    item = report(
        line, message=line, step=line, check=line, fixes=(f"install {line}", line), confirm=line, title=line, text=text,
        evidence=(Evidence(10, line, "r", {}),),
    )  # fmt: skip
    item = replace(
        item, report=replace(item.report, findings=(*item.report.findings, replace(FINDING, confidence=0.3, check=line)))
    )
    body = body_of(item, unread=[(job(line), line)])
    assert_harmless(body)
    assert_harmless(folded_body(body, "d" * 40, LABEL, fixed=True))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("`~@#<>!-[]()/\\|*_ &;:$%^\nwGH.1aclose"), max_size=60))
def test_no_text_at_all_breaks_out(text: str) -> None:
    line = text.replace("\n", " ")
    body = body_of(report(line or "x", message=line, text=text, title=line, evidence=(Evidence(10, line, "r", {}),)))
    assert_harmless(body)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x/) [evil](https://evil.example.org", "data:text/html,x", "", "https://a b", "//x"]
)
def test_an_address_that_is_odd_is_no_link(url: str) -> None:
    _, _, links = outside_code(body_of(report(url=url)))
    assert links == []


def test_secrets_are_masked_wherever_they_stand() -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    body = body_of(
        report(
            f"job {secret}",
            message=secret,
            step=secret,
            check=secret,
            text=f"token {secret}",
            evidence=(Evidence(1, secret, "r", {}),),
        )
    )
    assert secret not in body
    assert "github-token" in body


def test_a_secret_is_masked_before_a_name_is_cut() -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    assert secret[:12] not in body_of(report("x" * 80 + " " + secret))


def test_a_captured_secret_is_masked_where_nothing_gives_it_away_any_more() -> None:
    proof = Evidence(10, "DB_PASSWORD=hunter2horse refused", "r", {"what": "hunter2horse"})
    body = body_of(report(message="hunter2horse was refused", step="login hunter2horse", evidence=(proof,)))
    assert "hunter2horse" not in body


def test_a_private_key_is_masked_even_where_its_first_line_is_out_of_sight() -> None:
    line = "3Jj0q7Hc1o4mYx9GZk2VtLr8sWbQeUfNaPdIyTgHiKzCvMnOxRpSuXwEqBlDfAhj"
    body = body_of(report(text=f"{line}\n{line}\nlast", evidence=(Evidence(10, line, "r", {}),)))
    assert line not in body
    key = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{line}\n{line[:40]}\n-----END OPENSSH PRIVATE KEY-----\nlast"
    body = body_of(report(text=key))
    assert line[:40] not in body
    assert "14 | last" in body


@pytest.mark.parametrize("text", ["\n/merge", "Run `x`\n/merge\n", "\u2028/merge", "a\u2029/merge"])
def test_our_own_words_stay_on_one_line(text: str) -> None:
    assert len(own_words(text).splitlines()) == 1


@pytest.mark.parametrize("text", ["Run `npm ci` again.", "Ask your admin, then retry.", "Set a: b and c"])
def test_our_own_words_keep_their_code_and_their_spaces(text: str) -> None:
    shown, _, _ = outside_code(own_words(text))
    assert re.sub(r"\s+", " ", re.sub(r"`[^`]*`", "", text)).split() == shown.replace("\u2060", "").split()


def test_an_empty_summary_is_still_a_comment() -> None:
    assert failed_body(Summary(()), COMMIT, LABEL).startswith(MARKER)


# Logs of any size.


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250, 1000, 100_003])
@pytest.mark.parametrize("block", [1, 7, 100, 5000])
def test_a_spool_keeps_the_beginning_and_the_end(size: int, block: int) -> None:
    data = bytes(index % 251 for index in range(size))
    if size // block > 5000:
        pytest.skip("so many writes tell nothing more")
    file = io.BytesIO()
    spool = Spool(file, 100)
    for start in range(0, size, block):
        spool.write(data[start : start + block])
    assert spool.finish() == (size > 100)
    kept = file.read()
    if size <= 100:
        assert kept == data
    else:
        assert kept == data[:25] + f"\n[logkb left out {size - 100} bytes here]\n".encode() + data[-75:]


def test_an_endless_log_is_given_up() -> None:
    def endless() -> object:
        while True:
            yield b"x" * 1000

    file = io.BytesIO()
    assert pour(endless(), file, 5000, seconds=60, clock=FakeClock())  # type: ignore[arg-type]
    assert len(file.getvalue()) < 6000
    with pytest.raises(TransientError, match="60 seconds"):
        pour(endless(), io.BytesIO(), 10**9, seconds=60, clock=FakeClock(tick=1.0))  # type: ignore[arg-type]
