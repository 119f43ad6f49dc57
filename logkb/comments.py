"""Reports of several failed jobs -> one comment: grouped by root cause, masked, short, and safe whatever the logs hold.

Every line of the comment begins with words of ours, never with text from a log: GitLab carries out lines that begin with a
slash command. Text from a log stands only in code, where neither forge looks for mentions, references or links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from logkb.forge import Job
from logkb.markdown import LIMIT, MAX_LINE, article_link, code, fence, own_words
from logkb.masking import mask_report
from logkb.records import Excerpt, Finding, Report
from logkb.redact import Redactor, redact
from logkb.report import words_for

MARKER = "<!-- logkb:comment:1 "
HEAD = re.compile(r"<!-- logkb:comment:1 state=(failed|fixed|unknown) commit=([0-9a-f]{7,64}|unknown) -->\n")
# In full; the others get a line each, so that a comment stays readable at a glance.
WHOLE, LISTED, NAMED = 2, 10, 8
LINKED = 20
EXCERPT_LINES = 24


@dataclass(frozen=True, slots=True)
class JobReport:
    """A failed job and what its log says; `shortened`: the middle of its log was not read."""

    job: Job
    report: Report
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class RootCause:
    """One root cause, the job that shows it best, and all the jobs that it broke."""

    finding: Finding
    best: JobReport
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All that a comment tells. `unread` are jobs with the reason why their log was not read; `unseen` counts further jobs."""

    causes: tuple[RootCause, ...]
    unexplained: tuple[Job, ...] = ()
    unread: tuple[tuple[Job, str], ...] = ()
    unseen: int = 0
    pending: int = 0


def summarise(
    reports: Sequence[JobReport], threshold: float, *, unread: Sequence[tuple[Job, str]] = (), unseen: int = 0, pending: int = 0
) -> Summary:
    """Group the jobs by (cause, fingerprint) of their first finding at or above `threshold` (0 to 1), most jobs first.

    A job of which only the classifier speaks has no fingerprint of its own; it joins the largest group of its cause.
    """
    groups: dict[tuple[str, str], list[JobReport]] = {}
    vague: list[JobReport] = []
    unexplained: list[Job] = []
    for item in reports:
        first = item.report.findings[0] if item.report.findings else None
        if first is None or first.confidence < threshold or item.report.outcome == "passed":
            unexplained.append(item.job)
        elif first.evidence:
            groups.setdefault((first.cause, first.fingerprint), []).append(item)
        else:
            vague.append(item)
    for item in vague:
        first = item.report.findings[0]
        same = max((key for key in groups if key[0] == first.cause), key=lambda key: len(groups[key]), default=None)
        groups.setdefault(same or (first.cause, first.fingerprint), []).append(item)
    redactor = Redactor()
    causes = [_root_cause(items, redactor) for items in groups.values()]
    causes.sort(key=lambda cause: (-len(cause.jobs), -cause.finding.confidence, cause.finding.cause, cause.finding.fingerprint))
    return Summary(tuple(causes), tuple(unexplained), tuple(unread), unseen, pending)


def _root_cause(items: Sequence[JobReport], redactor: Redactor) -> RootCause:
    best = max(items, key=lambda item: (bool(item.report.findings[0].evidence), item.report.findings[0].confidence))
    best = JobReport(best.job, mask_report(best.report, redactor), best.shortened)
    return RootCause(best.report.findings[0], best, tuple(item.job for item in items))


def failed_body(summary: Summary, commit: str | None, silence_label: str, *, article_url: str = "") -> str:
    """The comment for a failed build, at most 65,536 characters. The same summary gives the same text.

    `article_url` is where a cause's article can be read, with `{cause}` for its id; without it the command is named.
    """
    causes, count = summary.causes, sum(len(cause.jobs) for cause in summary.causes)
    where = f" at {_short(commit)}" if commit else ""
    what = f"{_count(len(causes), 'root cause')} in {_count(count, 'failed job')}"
    parts = [f"**Why the build failed**{where}: {what}."]
    parts += [_whole(cause, number if len(causes) > 1 else 0, article_url) for number, cause in enumerate(causes[:WHOLE], 1)]
    if rest := causes[WHOLE:]:
        lines = [_in_short(cause, number) for number, cause in enumerate(rest[:LISTED], WHOLE + 1)]
        lines += [f"- and {_count(len(rest) - LISTED, 'more root cause')}"] if len(rest) > LISTED else []
        parts.append(_folded(f"{_count(len(rest), 'more root cause')}", "\n".join(lines)))
    if notes := _notes(summary):
        parts.append(" ".join(notes))
    optional = [_folded("Which jobs, and which lines of their logs", "\n\n".join(map(_details, causes[:WHOLE])))]
    return _assembled("failed", commit, parts, optional, silence_label)


def folded_body(old: str, commit: str, silence_label: str, *, fixed: bool) -> str:
    """The comment once its report is past: in a sentence why, and the old report below it, folded."""
    at = _short(commit)
    reason = (
        f"**Fixed** in {at}: no job fails any more."
        if fixed
        else f"The build still fails at {at}, for a reason that logkb does not know."
    )
    head = HEAD.match(old)
    past = old[head.end() :] if head else old
    then = f" at {head[2][:10]}" if head and head[2] != "unknown" else ""
    past = past.split("\n\n<sub>", 1)[0].strip()
    if head and head[1] != "failed":
        # What was folded already is not folded once more.
        _, opened, rest = past.partition("<details>")
        optional = [opened + rest] if opened else []
    else:
        optional = [_folded(f"What was reported{then}", past)]
    return _assembled("fixed" if fixed else "unknown", commit, [reason], optional, silence_label)


def state_of(body: str) -> str:
    """`failed`, `fixed`, or `unknown` (it failed again, and nobody knows why); empty for another's text."""
    head = HEAD.match(body)
    return head[1] if head else ""


def _assembled(state: str, commit: str | None, parts: Iterable[str], optional: Sequence[str], silence_label: str) -> str:
    known = commit if commit and re.fullmatch(r"[0-9a-f]{7,64}", commit) else "unknown"
    head = f"{MARKER}state={state} commit={known} -->\n"
    foot = f"<sub>logkb read the logs of the failed jobs; the label {code(silence_label)} keeps it quiet.</sub>"
    for body in ([*parts, *optional, foot], [*parts, foot]):
        text = head + "\n\n".join(body) + "\n"
        if len(text) <= LIMIT:
            return text
    # Only absurd names and messages lead here; whole parts go, so that nothing is left open.
    kept, size = [], len(head) + len(foot) + 2
    for part in parts:
        size += len(part) + 2
        if size <= LIMIT - 200:
            kept.append(part)
    return head + "\n\n".join([*kept, foot]) + "\n"


def _whole(cause: RootCause, number: int, article_url: str) -> str:
    finding = cause.finding
    numbered = f"{number}. " if number else ""
    sure = f"{words_for(finding.confidence)}, {finding.confidence:.0%}"
    lines = [f"**{numbered}{own_words(finding.title)}** ({code(finding.cause)}): {sure}, in {_jobs(cause.jobs)}"]
    lines.append(f"- What: {code(finding.message)}")
    if finding.evidence:
        line = finding.evidence[0]
        lines.append(f"- Line {line.line} of {_link(cause.best.job)}: {code(line.text)}")
    if finding.fixes:
        lines.append(f"- First: {_fix(finding.fixes[0])}")
    if finding.confirm:
        lines.append(f"- It worked when: {own_words(finding.confirm)}")
    if doubt := _doubt(cause):
        lines.append(f"- Not sure: {doubt}")
    lines.append(f"- More: {article_link(finding.cause, article_url)}")
    return "\n".join(lines)


def _doubt(cause: RootCause) -> str:
    report = cause.best.report
    others = [item for item in report.findings[1:] if item.confidence >= 0.1][:1]
    said = [
        f"{code(item.cause)} {item.confidence:.0%}" + (f", settle it with {code(item.check)}" if item.check else "")
        for item in others
    ]
    return "; ".join([*said, f"something else {report.unknown:.0%}"]) if said or report.unknown >= 0.1 else ""


def _in_short(cause: RootCause, number: int) -> str:
    finding = cause.finding
    what = f"{own_words(finding.title)} ({code(finding.cause)}), {finding.confidence:.0%}"
    return f"- {number}. {what}, in {_jobs(cause.jobs)}: {code(finding.message)}"


def _details(cause: RootCause) -> str:
    parts = [f"{code(cause.finding.cause)} in:\n\n" + "\n".join(f"- {_link(job)}" for job in cause.jobs[:LINKED])]
    if len(cause.jobs) > LINKED:
        parts[0] += f"\n- and {_count(len(cause.jobs) - LINKED, 'more job')}"
    if cause.finding.step:
        parts.append(f"Step: {code(cause.finding.step)}")
    excerpt = cause.best.report.excerpt
    if excerpt is not None:
        cut = "; the middle of this log was left out, so numbers behind it are too low" if cause.best.shortened else ""
        parts.append(f"The log of {_link(cause.best.job)}{cut}:")
        parts.append(_excerpt(excerpt, cause.finding))
    return "\n\n".join(parts)


def _excerpt(excerpt: Excerpt, finding: Finding) -> str:
    lines = excerpt.text.split("\n")
    # The window round the first evidence that the excerpt holds, or its end, where a failure shows.
    numbers = [item.line for item in finding.evidence if excerpt.first_line <= item.line <= excerpt.last_line]
    middle = (numbers[0] if numbers else excerpt.last_line) - excerpt.first_line
    start = max(0, min(middle - EXCERPT_LINES // 2, len(lines) - EXCERPT_LINES))
    shown = lines[start : start + EXCERPT_LINES]
    body = "\n".join(f"{number} | {line[:MAX_LINE]}" for number, line in enumerate(shown, excerpt.first_line + start))
    return fence(body)


def _notes(summary: Summary) -> list[str]:
    notes = []
    if summary.unexplained:
        notes.append(f"Not explained: {_named(summary.unexplained)}.")
    if summary.unread:
        notes.append(f"Not read: {_named([job for job, _ in summary.unread])} ({own_words(summary.unread[0][1])}).")
    if summary.unseen:
        notes.append(f"Not looked at: {_count(summary.unseen, 'more failed job')}.")
    if summary.pending:
        notes.append(f"When this was written, {_count(summary.pending, 'job')} had not finished.")
    return notes


def _fix(text: str) -> str:
    """An article's step is a sentence; a rule's own fix is a command with captured words in it."""
    return own_words(text) if "`" in text or text.rstrip().endswith((".", ":", ")")) else code(text)


def _jobs(jobs: Sequence[Job]) -> str:
    return _link(jobs[0]) if len(jobs) == 1 else f"{len(jobs)} jobs"


def _named(jobs: Sequence[Job]) -> str:
    more = f" and {len(jobs) - NAMED} more" if len(jobs) > NAMED else ""
    return ", ".join(map(_link, jobs[:NAMED])) + more


def _link(job: Job) -> str:
    """The job's name, which the author of a pull request may choose, linked to its page on the forge."""
    parts = urlsplit(job.url)
    sound = parts.scheme in ("http", "https") and re.fullmatch(r"[A-Za-z0-9._~:/?#@!&=+%-]{1,500}", job.url)
    # Masked before it is cut, because half a secret looks like none.
    name = code(redact(job.name)[:100])
    return f"[{name}]({job.url})" if sound else name


def _folded(summary: str, text: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def _short(commit: str) -> str:
    return code(commit[:10])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
