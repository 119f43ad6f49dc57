"""A report as it may leave this machine: secrets masked, with one number for each throughout, control characters out."""

from __future__ import annotations

from dataclasses import replace

from logkb.records import Evidence, Finding, Report
from logkb.redact import Redactor
from logkb.report import safe

# For a capture that is a secret only where it stands: in its line it has a placeholder, alone nothing gives it away.
MASKED = "<masked>"


def mask(text: str) -> str:
    """The text without secrets and control characters, with as many lines as it had."""
    return _mask(text, Redactor())


def mask_report(report: Report, redactor: Redactor) -> Report:
    """The report without secrets; lines keep their numbers. Reports that one `redactor` has masked share their placeholders."""
    excerpt = report.excerpt
    return replace(
        report,
        source=_mask(report.source, redactor),
        findings=tuple(_finding(finding, redactor) for finding in report.findings),
        excerpt=None if excerpt is None else replace(excerpt, text=_mask(excerpt.text, redactor)),
        warnings=tuple(_mask(warning, redactor) for warning in report.warnings),
    )


def _mask(text: str, redactor: Redactor) -> str:
    # A file's name may hold bytes that are no text; they came as lone surrogates, which cannot be written.
    return safe(redactor.redact(text)).encode("utf-8", "replace").decode("utf-8")


def _finding(finding: Finding, redactor: Redactor) -> Finding:
    evidence = tuple(_evidence(item, redactor) for item in finding.evidence)
    hidden = sorted(
        {
            value
            for before, after in zip(finding.evidence, evidence, strict=True)
            for name, value in before.captures.items()
            if after.captures[name] == MASKED
        },
        key=len,
        reverse=True,
    )

    def shown(text: str) -> str:
        for value in hidden:
            text = text.replace(value, MASKED)
        return _mask(text, redactor)

    return replace(
        finding,
        title=_mask(finding.title, redactor),
        confirm=_mask(finding.confirm, redactor),
        message=shown(finding.message),
        step=None if finding.step is None else shown(finding.step),
        evidence=evidence,
        fixes=tuple(map(shown, finding.fixes)),
        check=None if finding.check is None else shown(finding.check),
        reasons=tuple(map(shown, finding.reasons)),
    )


def _evidence(item: Evidence, redactor: Redactor) -> Evidence:
    text = _mask(item.text, redactor)
    captures = {
        name: MASKED if value and value in item.text and safe(value) not in text else _mask(value, redactor)
        for name, value in item.captures.items()
    }
    return replace(item, text=text, captures=captures)
