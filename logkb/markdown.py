"""Report -> Markdown for a comment or a job summary. Secrets are masked; text from the log never becomes markup.

Text from a log stands in code only, where a forge looks for no mention, reference, link or closing keyword.
"""

from __future__ import annotations

import re

from logkb.masking import mask_report
from logkb.records import Excerpt, Finding, Report
from logkb.redact import Redactor, redact
from logkb.report import KNOWN, safe, select, words_for

# GitHub stores 262,144 bytes of a comment, and takes 65,536 code points of a pull request's text. A text of 65,536 code
# points keeps within both, whatever its characters.
LIMIT = 65_536
SHOWN = 2
MAX_LINE = 400
# Every character that CommonMark or GitHub could read as markup, a mention or a reference.
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~@&:-])")
# What a forge looks for after Markdown is rendered, when an escaping backslash is long gone:
# @name, #1, !1, GH-1, :tada:, x://y, www.
SIGILS = re.compile(r"(?<=[@#!~%&$:])(?=\\?[\w.])|(?<=:)(?=//|\\/)|(?<=\bwww)(?=\.)|(?<=\bGH\\-)(?=\d)", re.IGNORECASE)
JOINER = "\u2060"


def render_markdown(
    report: Report,
    *,
    top: int | None = None,
    context: int = 12,
    min_confidence: float = 0.0,
    article_url: str = "",
    redactor: Redactor | None = None,
) -> str:
    """At most 65,536 characters (GitHub's limit for a comment), at most 20 lines of which are not folded.

    `article_url` is where a cause's article can be read, with `{cause}` for its id; without it the command is named.
    """
    report = mask_report(report, redactor or Redactor())
    findings = select(report, top, min_confidence)
    shown = _shown(findings)
    parts = [_headline(report, findings)]
    parts += [_finding(finding, first=index == 0, article_url=article_url) for index, finding in enumerate(shown)]
    if unsure := _unsure(report, findings):
        parts.append(unsure)
    folded = [_evidence(shown)] if any(finding.evidence for finding in shown) else []
    if report.excerpt and report.outcome != "passed" and context:
        folded.append(_excerpt(report.excerpt, context))
    for kept in (folded, folded[:1], []):
        text = "\n\n".join([*parts, *kept]) + "\n"
        if len(text) <= LIMIT:
            return text
    # Only absurd messages lead here; whole parts go, so that nothing is left open.
    while len("\n\n".join(parts)) > LIMIT - 40 and len(parts) > 1:
        parts.pop()
    return "\n\n".join([*parts, "(shortened)"]) + "\n"


def escape(text: str) -> str:
    """Text as plain Markdown: one line, no markup, no mention, no reference, no link, no raw HTML."""
    return SIGILS.sub(JOINER, SPECIAL.sub(r"\\\1", " ".join(safe(redact(text)).split())))


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
        return f"**The build passed:** {code(report.source)}"
    if not findings or findings[0].confidence < KNOWN:
        return f"**We do not know why the build failed:** {code(report.source)}. The folded lines below are where to look."
    first = findings[0]
    return f"**{escape(first.title[:MAX_LINE])}** ({code(first.cause)}): {words_for(first.confidence)}, {first.confidence:.0%}."


def _finding(finding: Finding, *, first: bool, article_url: str) -> str:
    sure = f"{words_for(finding.confidence)}, {finding.confidence:.0%}"
    lines = [] if first and finding.confidence >= KNOWN else [f"**{escape(finding.title)}** ({code(finding.cause)}): {sure}"]
    lines.append(f"- What: {code(finding.message)}")
    if finding.step:
        lines.append(f"- Step: {code(finding.step)}")
    if finding.evidence:
        lines.append(f"- Line {finding.evidence[0].line}: {code(finding.evidence[0].text)}")
    if finding.fixes:
        lines.append(f"- **First:** {own_words(finding.fixes[0])}")
    if finding.confirm and first:
        lines.append(f"- It worked when: {own_words(finding.confirm)}")
    lines.append(f"- Article: {article_link(finding.cause, article_url)}")
    return "\n".join(lines)


def article_link(cause: str, article_url: str = "") -> str:
    """Where the article of a cause is: a link, when `article_url` (with `{cause}` in it) says so, else the command."""
    command = code(f"logkb explain {cause}")
    url = article_url.replace("{cause}", cause)
    return f"[{command}]({url})" if re.fullmatch(r"https?://[A-Za-z0-9._~:/?#@!&=+%-]{1,500}", url) else command


def own_words(text: str) -> str:
    """A sentence of ours (an article, a rule's fix): inline code stays, the rest is escaped."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(code(part) if index % 2 else escape_inline(part) for index, part in enumerate(parts))


def escape_inline(text: str) -> str:
    """Like `escape`, keeping a space at both ends."""
    head = " " if text[:1].isspace() else ""
    tail = " " if text[-1:].isspace() and text.strip() else ""
    return f"{head}{escape(text)}{tail}"


def _unsure(report: Report, findings: tuple[Finding, ...]) -> str:
    if report.outcome == "passed" or not findings:
        return ""
    rest = [item for item in findings if item not in _shown(findings)]
    lines = [
        f"- {escape(item.title)} ({code(item.cause)}): {item.role}, {item.confidence:.0%}"
        + (f"; settle it with {code(item.check)}" if item.check else "")
        for item in rest[:2]
    ]
    lines.append(f"- something else: {report.unknown:.0%}")
    return "What we are not sure of:\n" + "\n".join(lines)


def _evidence(findings: list[Finding]) -> str:
    items = sorted({(item.line, item.text[:MAX_LINE]) for finding in findings for item in finding.evidence})
    body = "\n".join(f"{line} | {text}" for line, text in items)
    return _folded(f"The evidence: {len(items)} line{'s' if len(items) > 1 else ''}", body)


def _excerpt(excerpt: Excerpt, context: int) -> str:
    lines = excerpt.text.split("\n")[: max(context, 1) * 2]
    body = "\n".join(f"{number} | {line[:MAX_LINE]}" for number, line in enumerate(lines, excerpt.first_line))
    return _folded(f"Lines {excerpt.first_line} to {excerpt.first_line + len(lines) - 1} of the log", body)


def _folded(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{fence(body)}\n\n</details>"
