"""Report -> Markdown for a comment or a job summary. Secrets are masked; text from the log never becomes markup."""

from __future__ import annotations

import re

from logkb.records import Excerpt, Finding, Report
from logkb.redact import redact
from logkb.report import KNOWN, safe, select, words_for

LIMIT = 65_536
SHOWN = 2
MAX_LINE = 400
# Every character that CommonMark or GitHub could read as markup, a mention or a reference.
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~@&:-])")


def render_markdown(report: Report, *, top: int | None = None, context: int = 12, min_confidence: float = 0.0) -> str:
    """At most 65,536 characters (GitHub's limit for a comment), readable without unfolding anything."""
    findings = select(report, top, min_confidence)
    parts = [_headline(report, findings)]
    parts += [_finding(finding, first=index == 0) for index, finding in enumerate(_shown(findings))]
    unsure = _unsure(report, findings)
    if unsure:
        parts.append(unsure)
    if report.excerpt and report.outcome != "passed" and context:
        parts.append(_excerpt(report.excerpt, context))
    text = "\n\n".join(parts) + "\n"
    if len(text) > LIMIT:
        text = "\n\n".join(parts[:-1])[: LIMIT - 40].rsplit("\n\n", 1)[0] + "\n\n(shortened)\n"
    return text


def escape(text: str) -> str:
    """Log text as plain Markdown text: one line, no markup, no mention, no reference, no raw HTML."""
    return SPECIAL.sub(r"\\\1", " ".join(safe(redact(text)).split()))


def code(text: str) -> str:
    """Log text as inline code, fenced by more backticks than it holds."""
    text = " ".join(safe(redact(text)).split())[:MAX_LINE]
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fence(text: str) -> str:
    """Log text as a block, fenced by more backticks than it holds."""
    text = safe(redact(text))
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}text\n{text}\n{ticks}"


def _shown(findings: tuple[Finding, ...]) -> list[Finding]:
    return [item for index, item in enumerate(findings) if index == 0 or item.role == "cause"][:SHOWN]


def _headline(report: Report, findings: tuple[Finding, ...]) -> str:
    if report.outcome == "passed":
        return f"**{escape(report.source)}: the build passed.**"
    if not findings or findings[0].confidence < KNOWN:
        return f"**{escape(report.source)}: we do not know why the build failed.** The lines below are where to look."
    first = findings[0]
    return f"**{escape(first.title)}** (`{first.cause}`): {words_for(first.confidence)}, {first.confidence:.0%}."


def _finding(finding: Finding, *, first: bool) -> str:
    lines = (
        []
        if first and finding.confidence >= KNOWN
        else [f"**{escape(finding.title)}** (`{finding.cause}`), {finding.confidence:.0%}"]
    )
    lines.append(escape(finding.message))
    if finding.step:
        lines.append(f"Step: {code(finding.step)}")
    lines += [f"- line {item.line}: {code(item.text)}" for item in finding.evidence[:3]]
    if finding.fixes:
        lines.append(f"\n**First:** {_own(finding.fixes[0])}")
    if finding.confirm:
        lines.append(f"\n**It worked when:** {_own(finding.confirm)}")
    lines.append(f"\nArticle: `logkb explain {finding.cause}`")
    return "\n".join(lines)


def _own(text: str) -> str:
    """A sentence of ours (an article, a rule's fix): inline code stays, the rest is escaped."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") and len(part) > 2 else escape_inline(part) for part in parts)


def escape_inline(text: str) -> str:
    """Like `escape`, keeping the spaces at both ends."""
    head = text[: len(text) - len(text.lstrip())]
    tail = text[len(text.rstrip()) :] if text.strip() else ""
    return f"{head}{escape(text)}{tail}"


def _unsure(report: Report, findings: tuple[Finding, ...]) -> str:
    if report.outcome == "passed" or not findings:
        return ""
    rest = [item for item in findings if item not in _shown(findings)]
    lines = [
        f"- {escape(item.title)} (`{item.cause}`): {item.role}, {item.confidence:.0%}"
        + (f"; settle it with {code(item.check)}" if item.check else "")
        for item in rest[:3]
    ]
    lines.append(f"- something else: {report.unknown:.0%}")
    return "What we are not sure of:\n\n" + "\n".join(lines)


def _excerpt(excerpt: Excerpt, context: int) -> str:
    lines = excerpt.text.split("\n")[: max(context, 1) * 2]
    body = "\n".join(f"{number} | {line[:MAX_LINE]}" for number, line in enumerate(lines, excerpt.first_line))
    summary = f"Lines {excerpt.first_line} to {excerpt.first_line + len(lines) - 1} of the log"
    return f"<details><summary>{summary}</summary>\n\n{fence(body)}\n\n</details>"
