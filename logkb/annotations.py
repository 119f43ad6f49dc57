"""Reports -> GitHub workflow commands: at most ten annotations, with file and line where the log names them.

Syntax and escaping as GitHub's "Workflow commands for GitHub Actions" and the runner's own library have them.
"""

from __future__ import annotations

from collections.abc import Sequence

from logkb.masking import mask_report
from logkb.records import Finding, Report
from logkb.redact import Redactor
from logkb.report import KNOWN, words_for
from logkb.spots import Spot, spot_of

# The runner shows ten annotations of a level for a step; more would push out those of other tools.
LIMIT = 10
MAX_MESSAGE = 4000
# What is only possible, and not even that, is not worth an annotation.
LEAST = 0.15
LEVELS = ("error", "warning", "notice")
JOINER = "\u2060"


def render_annotations(reports: Sequence[Report], *, roots: Sequence[str] = (), article_url: str = "") -> str:
    """One workflow command a line. A cause is an error (a warning below 50 %), what follows from it or is possible a notice."""
    redactor = Redactor()
    rows: dict[tuple[str, str, Spot | None], tuple[int, float, str]] = {}
    for report in reports:
        if report.outcome == "passed":
            continue
        shown = mask_report(report, redactor)
        for finding, masked in zip(report.findings, shown.findings, strict=True):
            if finding.role == "possible" and finding.confidence < LEAST:
                continue
            spot = spot_of(masked, roots)
            key = (finding.cause, finding.fingerprint, spot)
            level = level_of(masked)
            if key not in rows or rows[key][0] > LEVELS.index(level):
                rows[key] = (LEVELS.index(level), -masked.confidence, _command(level, masked, spot, article_url))
        if not report.findings or report.findings[0].confidence < KNOWN:
            text = f"{shown.source}: the build {_outcome(report)}, and logkb does not know why"
            rows["", report.source, None] = (2, 0.0, f"::notice title=logkb::{data(text)}")
    return "".join(f"{row[2]}\n" for row in sorted(rows.values())[:LIMIT])


def level_of(finding: Finding) -> str:
    """`error`, `warning` or `notice`: only what broke the build is an error."""
    if finding.role == "cause":
        return "error" if finding.confidence >= KNOWN else "warning"
    return "notice"


def data(text: str) -> str:
    """Text as the data of a command: on one line, and no command of its own."""
    text = text[:MAX_MESSAGE].replace("##[", f"##{JOINER}[")
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_of(text: str) -> str:
    """Text as the value of a command's property."""
    return data(text[:255]).replace(":", "%3A").replace(",", "%2C")


def _command(level: str, finding: Finding, spot: Spot | None, article_url: str) -> str:
    properties = []
    if spot:
        properties.append(f"file={property_of(spot.path)}")
        properties += [f"line={spot.line}"] if spot.line else []
        properties += [f"col={spot.column}"] if spot.line and spot.column else []
    title = f"{finding.title} ({finding.role})" if finding.role != "cause" else finding.title
    properties.append(f"title={property_of(title)}")
    lines = [finding.message, f"logkb is {finding.confidence:.0%} sure: {words_for(finding.confidence)}."]
    lines += [f"Line {item.line} of the log: {item.text[:400]}" for item in finding.evidence[:1]]
    lines += [f"First: {finding.fixes[0]}"] if finding.fixes and finding.role == "cause" else []
    lines += [f"Settle it with: {finding.check}"] if finding.check else []
    more = article_url.replace("{cause}", finding.cause) or f"logkb explain {finding.cause}"
    text = "\n".join([*lines, f"More: {more}"])
    return f"::{level} {','.join(properties)}::{data(text)}"


def _outcome(report: Report) -> str:
    return "failed" if report.outcome == "failed" else "ended unclearly"
