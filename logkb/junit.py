"""Reports -> JUnit XML: a suite for each log, in which the build is a test case that failed, passed or was skipped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from logkb.masking import mask_report
from logkb.records import Finding, Report
from logkb.redact import Redactor
from logkb.report import KNOWN, words_for

# What XML 1.0 cannot hold, not even escaped.
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(reports: Sequence[Report]) -> str:
    """One XML document, as Jenkins, GitLab and others read it."""
    redactor = Redactor()
    root = ElementTree.Element("testsuites", name="logkb")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for report in reports:
        shown = mask_report(report, redactor)
        suite = ElementTree.SubElement(root, "testsuite", name=_clean(shown.source))
        counts = {"tests": 1, "failures": 0, "errors": 0, "skipped": 0}
        case = ElementTree.SubElement(suite, "testcase", name="build", classname=f"logkb.{_clean(shown.source)}", time="0")
        if shown.outcome == "unclear" and not _known(shown):
            counts["skipped"] = 1
            ElementTree.SubElement(case, "skipped", message="no failure stands in this log, and no sign of success")
        elif shown.outcome != "passed":
            counts["failures"] = 1
            _failure(case, shown)
        for name, count in counts.items():
            suite.set(name, str(count))
            totals[name] += count
        suite.set("time", "0")
    for name, count in totals.items():
        root.set(name, str(count))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _known(report: Report) -> bool:
    return bool(report.findings) and report.findings[0].confidence >= KNOWN


def _failure(case: ElementTree.Element, report: Report) -> None:
    if not _known(report):
        failure = ElementTree.SubElement(case, "failure", type="unknown", message="the build failed, and logkb does not know why")
        failure.text = _clean(report.excerpt.text if report.excerpt else "")
        _others(case, report.findings)
        return
    first = report.findings[0]
    failure = ElementTree.SubElement(case, "failure", type=first.cause, message=_clean(f"{first.title}: {first.message}"))
    lines = [f"{first.confidence:.0%}, {words_for(first.confidence)}"]
    lines += [f"step: {first.step}"] if first.step else []
    lines += [f"{item.line} | {item.text}" for item in first.evidence]
    lines += [f"do: {fix}" for fix in first.fixes]
    lines.append(f"more: logkb explain {first.cause}")
    failure.text = _clean("\n".join(lines))
    _others(case, report.findings[1:])


def _others(case: ElementTree.Element, findings: Sequence[Finding]) -> None:
    if findings:
        lines = [f"{item.role}: {item.title} [{item.cause}] {item.confidence:.0%}" for item in findings]
        ElementTree.SubElement(case, "system-out").text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    return ILLEGAL.sub("�", text)
