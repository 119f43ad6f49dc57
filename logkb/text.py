"""Report -> the text that a tired engineer reads: cause, why we think so, what to do first, how to know that it worked."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from logkb.records import Excerpt, Finding, Report
from logkb.report import KNOWN, SHOWN_EVIDENCE, safe, select, words_for

DEFAULT_WIDTH = 100
MIN_WIDTH = 40
INDENT = "   "


@dataclass(frozen=True, slots=True)
class Row:
    """One line of output and how to show it: a rich style, or '' for plain."""

    text: str
    style: str = ""


def render(
    report: Report, *, width: int, top: int | None = None, context: int = 0, min_confidence: float = 0.0, why: bool = False
) -> list[Row]:
    """The rows of a report, no longer than `width` characters where text can be wrapped or cut."""
    width = max(MIN_WIDTH, width)
    rows = list(_rows(report, width, top, context, min_confidence))
    if why:
        rows += _reasons(select(report, top, min_confidence), width)
    return [Row(safe(row.text), row.style) for row in rows]


def width_of(stream: TextIO) -> int:
    """COLUMNS if set, else the terminal's width, else a default for pipes."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return DEFAULT_WIDTH


def print_rows(rows: Sequence[Row], stream: TextIO | None = None) -> None:
    """Print with colours on a terminal (unless NO_COLOR is set), else as plain text."""
    stream = stream or sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        stream.write("".join(f"{row.text}\n" for row in rows))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for row in rows:
        console.print(Text(row.text, style=row.style))


def _rows(report: Report, width: int, top: int | None, context: int, min_confidence: float) -> Iterator[Row]:
    lines = f"{report.log.lines:,} line{'s' if report.log.lines != 1 else ''}"
    cut = ", cut short" if report.log.truncated else ""
    yield Row(f"{report.source}: {_outcome(report)} ({lines}{cut})", "bold")
    findings = select(report, top, min_confidence)
    if report.outcome == "passed":
        return
    if not findings or findings[0].confidence < KNOWN:
        yield Row("")
        yield from _wrapped(unknown_words(report), width, "", "yellow")
    for number, finding in enumerate([item for item in findings if item.role == "cause" or item is findings[0]], 1):
        yield Row("")
        yield from _finding(number, finding, width)
    yield from _others([item for item in findings[1:] if item.role != "cause"], width)
    shown = context or (0 if findings and findings[0].evidence else 12)
    if report.excerpt and shown:
        yield Row("")
        yield from _excerpt(report.excerpt, findings[0] if findings else None, shown, width)
    if findings:
        yield Row("")
        yield from _wrapped(f"Something else: {report.unknown:.0%}. Retry: {_retry(report)}.", width, "", "dim")


def _outcome(report: Report) -> str:
    words = {"failed": "the build failed", "passed": "the build passed", "unclear": "unclear whether the build failed"}
    return words[report.outcome]


def unknown_words(report: Report) -> str:
    """Why a report names no likely cause."""
    if report.log.lines == 0:
        return "The log is empty: nothing can be said. Check that the command's output, with 2>&1, went into it."
    if report.findings:
        return f"We are not sure: {report.unknown:.0%} that none of these is the root cause."
    if report.outcome == "unclear":
        return "No failure stands in this log, and no sign that it passed. If the build failed, the part that says so is missing."
    missing = " The log was cut short; the reason may be in the missing part." if report.log.truncated else ""
    return f"We do not know why: no rule knows a line of this log.{missing} The end of it:"


def _finding(number: int, finding: Finding, width: int) -> Iterator[Row]:
    confidence = f"{finding.confidence:.0%}, {words_for(finding.confidence)}"
    yield Row(f"{number}. {finding.title}  [{finding.cause}]  {confidence}", "bold red" if number == 1 else "bold")
    if finding.message != finding.title:
        yield from _wrapped(finding.message, width, INDENT)
    if finding.step:
        yield Row(_cut(f"{INDENT}Step: {finding.step}", width))
    if finding.evidence:
        yield Row(f"{INDENT}Why we think so:", "bold")
        shown = finding.evidence[:SHOWN_EVIDENCE]
        digits = max(len(str(item.line)) for item in shown)
        for item in sorted(shown, key=lambda item: item.line):
            yield Row(_cut(f"{INDENT}  {item.line:>{digits}} | {item.text.strip()}", width), "cyan")
    if finding.check:
        yield from _wrapped(f"Settle it with: {finding.check}", width, INDENT, "green")
    if finding.fixes:
        yield Row(f"{INDENT}What to do first:", "bold")
        yield from _wrapped(f"{finding.fixes[0]}", width, INDENT + "  ", "green")
        for fix in finding.fixes[1:3]:
            yield from _wrapped(f"then: {fix}", width, INDENT + "  ")
    if finding.confirm:
        yield Row(f"{INDENT}How to know that it worked:", "bold")
        yield from _wrapped(finding.confirm, width, INDENT + "  ")
    yield Row(f"{INDENT}All of it: logkb explain {finding.cause}", "dim")


def _others(findings: Sequence[Finding], width: int) -> Iterator[Row]:
    for role, heading in (("consequence", "A consequence, not the cause:"), ("possible", "Also possible:")):
        chosen = [item for item in findings if item.role == role]
        if chosen:
            yield Row("")
            yield Row(heading, "bold")
        for item in chosen:
            where = f" (line {item.evidence[0].line})" if item.evidence else ""
            settle = f"; settle it with: {item.check}" if item.check else ""
            yield from _wrapped(f"{item.title} [{item.cause}] {item.confidence:.0%}{where}{settle}", width, INDENT)


def _reasons(findings: Sequence[Finding], width: int) -> Iterator[Row]:
    """What moved the ranking, in log-odds: rules, the classifier and its strongest terms, the graph."""
    for finding in findings:
        yield Row("")
        yield Row(f"Why [{finding.cause}] stands at {finding.confidence:.0%}, in log-odds:", "bold")
        for reason in finding.reasons:
            yield from _wrapped(reason, width, INDENT)


def _excerpt(excerpt: Excerpt, finding: Finding | None, shown: int, width: int) -> Iterator[Row]:
    lines = list(enumerate(excerpt.text.split("\n"), excerpt.first_line))
    proof = {item.line for item in finding.evidence} if finding else set()
    if len(lines) > shown:
        centre = next((index for index, (number, _) in enumerate(lines) if number in proof), len(lines) - 1)
        start = max(0, min(centre - shown // 3, len(lines) - shown))
        lines = lines[start : start + shown]
    digits = len(str(lines[-1][0]))
    for number, text in lines:
        mark = ">" if number in proof else " "
        yield Row(_cut(f"{mark} {number:>{digits}} | {text}", width), "cyan" if number in proof else "dim")


def _retry(report: Report) -> str:
    return f"{'yes' if report.retry.safe else 'no'}, {report.retry.why}"


def _wrapped(text: str, width: int, indent: str, style: str = "") -> Iterator[Row]:
    for line in textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False) or [indent]:
        yield Row(line, style)


def _cut(text: str, width: int) -> str:
    text = text.replace("\t", "    ")
    return text if len(text) <= width else text[: width - 1] + "…"
