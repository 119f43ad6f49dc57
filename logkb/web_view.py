"""A kept report -> what its page shows, in the order in which a tired person reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logkb.knowledge import Knowledge
from logkb.records import Evidence, Excerpt, Finding, LogFacts, Report, Retry
from logkb.report import KNOWN, words_for
from logkb.text import unknown_words
from logkb.web_store import Kept

OUTCOMES = {"failed": "The build failed", "passed": "The build passed", "unclear": "Unclear whether the build failed"}
SHOWN_PROOF = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding, with its confidence in per cent and in words and its lines in the log's order."""

    finding: Finding
    percent: int
    words: str
    proof: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A report's page. `lead` are root causes, the first in full; `unsure` is what to say when none of them is likely."""

    report: Report
    headline: str
    unsure: str
    lead: tuple[Shown, ...]
    consequences: tuple[Shown, ...]
    possible: tuple[Shown, ...]
    unknown_percent: int
    evidence: tuple[int, ...]


def view_of(kept: Kept, knowledge: Knowledge) -> View:
    """What the page of a kept report shows."""
    report = read_report(json.loads(kept.document), knowledge, kept.warnings)
    findings = report.findings
    lead = [item for item in findings if item.role == "cause" or item is findings[0]]
    unsure = report.outcome != "passed" and (not findings or findings[0].confidence < KNOWN)
    proof = {item.line for finding in findings for item in finding.evidence}
    first = [item.line for item in findings[0].evidence] if findings else []
    if findings and not unsure:
        headline = findings[0].title
    else:
        headline = OUTCOMES[report.outcome] if not unsure else "No cause is certain" if findings else "No known cause"
    if report.outcome == "unclear" and not findings:
        headline = OUTCOMES["unclear"] if report.log.lines else "The log is empty"
    return View(
        report=report, headline=headline, unsure=unknown_words(report) if unsure else "",
        lead=tuple(_shown(item) for item in lead),
        consequences=tuple(_shown(item) for item in findings[1:] if item.role == "consequence"),
        possible=tuple(_shown(item) for item in findings[1:] if item.role == "possible"),
        unknown_percent=round(100 * report.unknown), evidence=tuple(sorted(proof, key=lambda line: (line not in first, line))),
    )  # fmt: skip


def _shown(finding: Finding) -> Shown:
    proof = tuple(sorted(finding.evidence[:SHOWN_PROOF], key=lambda item: item.line))
    return Shown(finding, round(100 * finding.confidence), words_for(finding.confidence), proof)


def read_report(document: Mapping[str, Any], knowledge: Knowledge, warnings: tuple[str, ...] = ()) -> Report:
    """The JSON document back into a report; how to confirm a fix comes from the knowledge of today."""

    def finding(raw: Mapping[str, Any]) -> Finding:
        known = knowledge.causes.get(raw["cause"])
        same = {key: raw[key] for key in ("cause", "title", "family", "confidence", "role", "retryable", "message", "fingerprint")}
        evidence = tuple(Evidence(item["line"], item["text"], item["rule"], item["captures"]) for item in raw["evidence"])
        return Finding(
            **same, step=raw["step"], evidence=evidence, sources=tuple(raw["from"]), article=raw["article"],
            fixes=tuple(raw["fixes"]), confirm=known.confirm if known else "", check=raw["check"],
        )  # fmt: skip

    excerpt = document["excerpt"]
    return Report(
        source=document["source"], outcome=document["outcome"], findings=tuple(finding(raw) for raw in document["findings"]),
        unknown=document["unknown"], excerpt=Excerpt(**excerpt) if excerpt else None, retry=Retry(**document["retry"]),
        log=LogFacts(**document["log"]), warnings=warnings,
    )  # fmt: skip
