"""The formats in which all logs together are one document: GitHub annotations, GitLab Code Quality, SARIF, JUnit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from logkb.records import Report
from logkb.report import select


def render_document(
    format: str,
    reports: Sequence[Report],
    *,
    top: int | None = None,
    min_confidence: float = 0.0,
    roots: Sequence[str] = (),
    article_url: str = "",
    article: Callable[[str], str | None] = lambda cause: None,
) -> str:
    """One document for all reports. `format` is github, gitlab, sarif or junit; `roots` are folders of the check-out."""
    shown = [replace(report, findings=select(report, top, min_confidence)) for report in reports]
    if format == "github":
        from logkb.annotations import render_annotations

        return render_annotations(shown, roots=roots, article_url=article_url)
    if format == "gitlab":
        from logkb.codequality import render_code_quality

        return render_code_quality(shown, roots=roots)
    if format == "sarif":
        from logkb.sarif import render_sarif

        return render_sarif(shown, article=article, roots=roots, article_url=article_url)
    from logkb.junit import render_junit

    return render_junit(shown)
