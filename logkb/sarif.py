"""Reports -> SARIF 2.1.0 (OASIS), one run for all logs, in the part of it that GitHub's code scanning reads, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from logkb import __version__
from logkb.annotations import level_of
from logkb.masking import mask_report
from logkb.records import Evidence, Finding, Report
from logkb.redact import Redactor
from logkb.report import words_for
from logkb.spots import Spot, spot_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "SRCROOT"
SARIF_LEVELS = {"error": "error", "warning": "warning", "notice": "note"}


def render_sarif(
    reports: Sequence[Report],
    *,
    article: Callable[[str], str | None] = lambda cause: None,
    roots: Sequence[str] = (),
    article_url: str = "",
) -> str:
    """One JSON document. `article` gives the Markdown of a cause's article; rank is the confidence in per cent."""
    redactor = Redactor()
    masked = [mask_report(report, redactor) for report in reports]
    findings = {finding.cause: finding for report in masked for finding in reversed(report.findings)}
    causes = list(findings)
    results = [
        _result(finding, causes.index(finding.cause), index, report, roots)
        for index, report in enumerate(masked)
        for finding in report.findings
    ]
    run = {
        "tool": {
            "driver": {
                "name": "logkb",
                "semanticVersion": __version__,
                "rules": [_rule(findings[cause], article(cause), article_url) for cause in causes],
            }
        },
        "columnKind": "utf16CodeUnits",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The repository's top folder."}}},
        "artifacts": [
            {
                "location": {"uri": _uri(report.source)},
                "roles": ["analysisTarget"],
                "length": report.log.bytes,
                "properties": {"input": number, "outcome": report.outcome, "unknown": report.unknown, "lines": report.log.lines},
            }
            for number, report in enumerate(masked, 1)
        ],
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _notifications(masked)}],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(finding: Finding, article: str | None, article_url: str) -> dict[str, Any]:
    steps = "\n".join(f"{number}. {fix}" for number, fix in enumerate(finding.fixes, 1)) or f"logkb explain {finding.cause}"
    rule: dict[str, Any] = {
        "id": finding.cause,
        "name": "".join(part.capitalize() for part in finding.cause.split("-")),
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": finding.title},
        "help": {"text": steps, "markdown": article or steps},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": sorted({"ci", finding.family})},
    }
    if article_url:
        rule["helpUri"] = article_url.replace("{cause}", finding.cause)
    return rule


def _result(finding: Finding, rule: int, log: int, report: Report, roots: Sequence[str]) -> dict[str, Any]:
    spot = spot_of(finding, roots)
    in_log = [_in_log(item, log, report) for item in finding.evidence]
    lines = [f"{finding.title}: {finding.message}", f"{finding.confidence:.0%}, {words_for(finding.confidence)}"]
    lines += [f"step: {finding.step}"] if finding.step else []
    result: dict[str, Any] = {
        "ruleId": finding.cause,
        "ruleIndex": rule,
        "level": SARIF_LEVELS[level_of(finding)],
        "rank": round(finding.confidence * 100, 2),
        "message": {"text": "\n".join(lines)},
        "locations": [_in_sources(spot)] if spot else in_log[:1] or [_log_itself(log, report)],
        "partialFingerprints": {"logkbFinding/v1": finding.fingerprint},
        "properties": {"role": finding.role, "confidence": finding.confidence, "retryable": finding.retryable},
    }
    related = in_log if spot else in_log[1:]
    if related:
        result["relatedLocations"] = [{"id": number, **location} for number, location in enumerate(related, 1)]
    return result


def _in_sources(spot: Spot) -> dict[str, Any]:
    region = {"startLine": spot.line or 1}
    if spot.line and spot.column:
        region["startColumn"] = spot.column
    location = {"uri": quote(spot.path, safe="/"), "uriBaseId": ROOT}
    return {"physicalLocation": {"artifactLocation": location, "region": region}}


def _in_log(item: Evidence, log: int, report: Report) -> dict[str, Any]:
    location = {"uri": _uri(report.source), "index": log}
    region = {"startLine": item.line, "snippet": {"text": item.text}}
    message = {"text": f"line {item.line} of the log, rule {item.rule}"}
    return {"physicalLocation": {"artifactLocation": location, "region": region}, "message": message}


def _log_itself(log: int, report: Report) -> dict[str, Any]:
    first = report.excerpt.first_line if report.excerpt else 1
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(report.source), "index": log}, "region": {"startLine": first}}}


def _notifications(reports: Sequence[Report]) -> list[dict[str, Any]]:
    return [{"level": "warning", "message": {"text": warning}} for report in reports for warning in report.warnings]


def _uri(source: str) -> str:
    path = PurePath(source)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), safe="/")
