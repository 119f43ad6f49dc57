"""Reports -> GitLab's Code Quality report (the subset of Code Climate's format that GitLab reads)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from logkb.annotations import LEAST
from logkb.masking import mask_report
from logkb.records import Finding, Report
from logkb.redact import Redactor
from logkb.report import KNOWN
from logkb.spots import Spot, spot_of

# GitLab wants a path in the repository. Where the log names none, what runs the build is the place to begin.
FALLBACK = ".gitlab-ci.yml"
MAX_DESCRIPTION = 600


def render_code_quality(reports: Sequence[Report], *, roots: Sequence[str] = (), fallback: str = FALLBACK) -> str:
    """One JSON document. The same failure in several logs is one entry; fingerprints are unique and stay from run to run."""
    redactor = Redactor()
    entries: dict[str, dict[str, Any]] = {}
    for report in reports:
        if report.outcome == "passed":
            continue
        shown = mask_report(report, redactor)
        for finding, masked in zip(report.findings, shown.findings, strict=True):
            if finding.role == "possible" and finding.confidence < LEAST:
                continue
            spot = spot_of(masked, roots)
            entry = _entry(masked, spot or Spot(fallback, 1), _fingerprint(finding, spot))
            known = entries.setdefault(entry["fingerprint"], entry)
            if RANKS.index(entry["severity"]) < RANKS.index(known["severity"]):
                entries[entry["fingerprint"]] = entry
    return json.dumps(list(entries.values()), ensure_ascii=False, indent=2) + "\n"


RANKS = ("blocker", "critical", "major", "minor", "info")


def severity_of(finding: Finding) -> str:
    """GitLab's word: a cause is a blocker (from 90 %), critical or major (below 50 %); what follows from it is minor."""
    if finding.role == "cause":
        return "blocker" if finding.confidence >= 0.9 else "critical" if finding.confidence >= KNOWN else "major"
    return "minor" if finding.role == "consequence" else "info"


def _entry(finding: Finding, spot: Spot, fingerprint: str) -> dict[str, Any]:
    role = "" if finding.role == "cause" else f"{finding.role}: "
    first = f" First: {finding.fixes[0]}" if finding.fixes and finding.role == "cause" else ""
    description = f"{role}{finding.title} ({finding.confidence:.0%}): {finding.message}.{first}"
    return {
        "description": " ".join(description.split())[:MAX_DESCRIPTION],
        "check_name": finding.cause,
        "fingerprint": fingerprint,
        "severity": severity_of(finding),
        "location": {"path": spot.path, "lines": {"begin": spot.line or 1}},
    }


def _fingerprint(finding: Finding, spot: Spot | None) -> str:
    """64 hexadecimal digits from what does not change when the same failure comes again: never a line, a time or a log's name."""
    chosen = (finding.cause, finding.fingerprint, spot.path if spot else "")
    return hashlib.sha256("\x00".join(chosen).encode("utf-8", "replace")).hexdigest()
