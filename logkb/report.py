"""Report -> text (plain), JSON. Text from a log is data: control characters never reach a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from logkb.records import Finding, Report

SCHEMA = "logkb.report/1"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
SHOWN_EVIDENCE = 3
KNOWN = 0.5


def safe(text: str) -> str:
    """The text without control and direction-changing characters and without line ends other than a newline; a tab stays."""
    return CONTROL.sub("�", text)


def words_for(confidence: float) -> str:
    """The confidence in words, so that nobody has to weigh a figure at 2 a.m.; they fit the percentage shown beside them."""
    confidence = round(confidence, 2)
    if confidence >= 0.9:
        return "almost certain"
    if confidence >= 0.7:
        return "likely"
    if confidence >= KNOWN:
        return "more likely than not"
    return "possible" if confidence >= 0.15 else "unlikely"


def to_json(report: Report, *, top: int | None = None, min_confidence: float = 0.0) -> dict[str, Any]:
    """The report as the JSON contract `logkb.report/1` has it."""
    findings = select(report, top, min_confidence)
    return {
        "schema": SCHEMA,
        "source": report.source,
        "outcome": report.outcome,
        "findings": [_finding_json(finding) for finding in findings],
        "unknown": report.unknown,
        "excerpt": None
        if report.excerpt is None
        else {
            "first_line": report.excerpt.first_line,
            "last_line": report.excerpt.last_line,
            "text": report.excerpt.text,
        },
        "retry": {"safe": report.retry.safe, "why": report.retry.why},
        "log": {"bytes": report.log.bytes, "lines": report.log.lines, "truncated": report.log.truncated},
    }


def _finding_json(finding: Finding) -> Mapping[str, Any]:
    return {
        "cause": finding.cause,
        "title": finding.title,
        "family": finding.family,
        "confidence": finding.confidence,
        "role": finding.role,
        "retryable": finding.retryable,
        "message": finding.message,
        "fingerprint": finding.fingerprint,
        "step": finding.step,
        "evidence": [
            {"line": item.line, "text": item.text, "rule": item.rule, "captures": dict(item.captures)} for item in finding.evidence
        ],
        "from": list(finding.sources),
        "article": finding.article,
        "fixes": list(finding.fixes),
        "check": finding.check,
    }


def dump_json(report: Report, *, top: int | None = None, min_confidence: float = 0.0) -> str:
    """One line of JSON, without a line break inside."""
    import json

    return json.dumps(to_json(report, top=top, min_confidence=min_confidence), ensure_ascii=False)


def select(report: Report, top: int | None, min_confidence: float) -> tuple[Finding, ...]:
    """The findings at or above the confidence, at most `top` of them."""
    kept = tuple(finding for finding in report.findings if finding.confidence >= min_confidence)
    return kept if top is None else kept[:top]
