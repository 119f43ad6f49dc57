"""Scans and reports of one or several logs -> what `analyze_log` answers: one entry a root cause, masked, within a budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from logkb.analysis import Analyzer, report_of
from logkb.excerpt import NEAR
from logkb.masking import MASKED, mask_report
from logkb.mcp_models import (
    AnalysisResult,
    EvidenceLine,
    FindingResult,
    LogResult,
    RetryResult,
    UntrustedText,
)
from logkb.mcp_pack import BYTES_A_TOKEN, Key, Packed, pack, tokens, visible
from logkb.outcome import verdict
from logkb.records import Evidence, Finding, Report, Scan
from logkb.redact import Redactor
from logkb.report import KNOWN, words_for
from logkb.source import Source

SHORT, LONG = 3, 8
EVIDENCE = 3
# The last lines of a log that come before any further evidence; and how far round a line its context goes.
END, AROUND = 5, 12
WORDS = 300
# Findings below this probability are shown on request; so are the lines that only lead to the end, where the cause is known.
LIKELY, LEADING = 0.05, 15
# The part of the budget that findings may take before the least likely go.
SHARE = 0.55


@dataclass(frozen=True, slots=True)
class Read:
    """A log that was analysed: its masked report, and its lines of interest, masked, by their numbers."""

    name: str
    report: Report
    lines: dict[int, str]
    tail: tuple[int, ...]
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One root cause, in the log that shows it best, and the numbers of all logs that show it."""

    finding: Finding
    log: int
    logs: tuple[int, ...]
    evidence: tuple[tuple[Key, Evidence], ...]


def read_log(analyzer: Analyzer, source: Source, redactor: Redactor, *, name: str = "", shortened: bool = False) -> Read:
    """Analyse a log. Raises `InputError` as the source does."""
    scan = analyzer.matcher.scan(source)
    said = verdict(scan)
    report = report_of(source.name, scan, said, lambda: analyzer.predict(scan, said), analyzer.knowledge)
    report = mask_report(report, redactor)
    lines = _lines(scan, report, said.line, redactor)
    return Read(name, report, lines, _tail(scan, said.line), shortened)


def answer(identifier: str, logs: Sequence[Read], notes: Sequence[str], *, budget: int, details: bool) -> AnalysisResult:
    """The typed answer; written as JSON it has at most `budget` tokens, unless one line of evidence alone has more."""
    entries = _entries(logs)
    likely = [entry for at, entry in enumerate(entries) if details or at == 0 or entry.finding.confidence >= LIKELY]
    shown = likely[: LONG if details else SHORT]
    for count in range(len(shown), -1, -1):
        result = _result(identifier, logs, entries[:count], len(entries) - count, notes, details)
        base = tokens(result.model_dump_json(exclude_none=True))
        if base <= budget * SHARE or count <= 1:
            shown = shown[:count]
            break
    packed = _packed(logs, shown, max(1, budget - base), whole=details)
    result.log.text = packed.text
    result.lines_left_out = sum(read.report.log.lines for read in logs) - len(packed.shown)
    return result


def readable(result: AnalysisResult) -> str:
    """The answer as text. What came from the log stands between its marks and nowhere else."""
    said = [f"Outcome: {result.outcome}. Analysis {result.analysis_id}."]
    for number, item in enumerate(result.findings, 1):
        where = ", ".join(f"{at.log}:{at.line}" if len(result.logs) > 1 else str(at.line) for at in item.evidence)
        said.append(
            f"{number}. {item.cause}: {item.title} ({item.role}; {item.in_words}, {item.confidence:.0%})"
            + (f"; lines {where}" if where else "; no line names it")
            + (f"; in logs {', '.join(map(str, item.logs))}" if item.logs else "")
        )
        said += [f"   Fix: {fix}" for fix in item.fixes]
        said += [f"   Settle it: {item.check}"] if item.check else []
        said += [f"   It worked when: {item.confirm}"] if item.confirm else []
    if not result.findings and result.outcome != "passed":
        said.append("No cause is known for this log; the lines below are where to look.")
    if result.findings_left_out:
        said.append(f"Less likely findings left out: {result.findings_left_out}.")
    if result.outcome != "passed":
        again = "yes" if result.retry.safe else "no"
        said.append(f"None of these: {result.unknown:.0%}. Retry unchanged: {again}, {result.retry.why}.")
    said += result.notes
    said += [f"Lines left out: {result.lines_left_out}; get_lines shows them.", result.log.notice, result.log.text]
    return "\n".join(said)


def _entries(logs: Sequence[Read]) -> list[Entry]:
    """Findings of all logs by (cause, fingerprint): what broke most jobs comes first, then what is likeliest."""
    groups: dict[tuple[str, str], list[tuple[int, int, Finding]]] = {}
    for number, read in enumerate(logs, 1):
        for rank, finding in enumerate(read.report.findings):
            # Without evidence only the classifier speaks, which knows no fingerprint.
            key = (finding.cause, finding.fingerprint if finding.evidence else "")
            groups.setdefault(key, []).append((number, rank, finding))
    made = []
    for group in groups.values():
        number, _, best = max(group, key=lambda item: (bool(item[2].evidence), item[2].confidence, -item[0]))
        evidence = tuple(((log, item.line), item) for log, _, finding in group for item in finding.evidence[:EVIDENCE])
        mine = sorted(evidence, key=lambda pair: pair[0][0] != number)
        first = sum(rank == 0 for _, rank, _ in group)
        made.append((-first, -best.confidence, Entry(best, number, tuple(item[0] for item in group), tuple(mine))))
    made.sort(key=lambda item: item[:2])
    return [entry for _, _, entry in made]


def _result(
    identifier: str, logs: Sequence[Read], entries: Sequence[Entry], left_out: int, notes: Sequence[str], details: bool
) -> AnalysisResult:
    several = len(logs) > 1
    worst = max(logs, key=lambda read: ("passed", "unclear", "failed").index(read.report.outcome)).report
    first = logs[entries[0].log - 1].report if entries else worst
    return AnalysisResult(
        analysis_id=identifier,
        outcome=worst.outcome,
        findings=[_finding(entry, several=several, details=details) for entry in entries],
        findings_left_out=left_out,
        unknown=first.unknown,
        retry=RetryResult(safe=first.retry.safe and not several, why=first.retry.why),
        logs=[
            LogResult(
                outcome=read.report.outcome, lines=read.report.log.lines, bytes=read.report.log.bytes,
                truncated=read.report.log.truncated or read.shortened,
            )
            for read in logs
        ],
        notes=[*notes, *_notes(logs)],
        log=UntrustedText(text=""),
        lines_left_out=sum(read.report.log.lines for read in logs),
    )  # fmt: skip


def _notes(logs: Sequence[Read]) -> Iterator[str]:
    """Warnings name members of archives, which strangers choose, so that only what they mean is told."""
    odd = [str(number) for number, read in enumerate(logs, 1) if read.report.warnings]
    if odd:
        yield f"Log {', '.join(odd)}: a part was damaged or ends early; what could be read was analysed."
    if any(read.shortened for read in logs):
        yield "The middle of a long log was not fetched."


def _finding(entry: Entry, *, several: bool, details: bool) -> FindingResult:
    finding = entry.finding
    more: dict[str, Any] = {}
    if details:
        more = {
            "confirm": finding.confirm or None, "family": finding.family, "retryable": finding.retryable,
            "rules": list(dict.fromkeys(item.rule for item in finding.evidence)),
            "reasons": [visible(reason)[:WORDS] for reason in finding.reasons],
        }  # fmt: skip
    return FindingResult(
        cause=finding.cause, title=finding.title, confidence=finding.confidence, in_words=words_for(finding.confidence),
        role=finding.role, evidence=[EvidenceLine(log=log, line=line) for (log, line), _ in entry.evidence[:EVIDENCE]],
        logs=sorted(set(entry.logs)) if several else None,
        fixes=[visible(fix)[:WORDS] for fix in finding.fixes[: None if details else 1]],
        check=None if finding.check is None else visible(finding.check)[:WORDS], **more,
    )  # fmt: skip


def _lines(scan: Scan, report: Report, stop: int, redactor: Redactor) -> dict[int, str]:
    """The lines that may be shown, masked: evidence with its surroundings, what stands round the verdict, and the end."""
    proving = {(item.line, item.rule) for finding in report.findings[:LONG] for item in finding.evidence[:EVIDENCE]}
    chosen = {line.number: line.text for line in scan.tail}
    exact: dict[int, str] = {}
    for match in scan.matches:
        if (match.line, match.rule.id) in proving or match.line == stop:
            chosen.update((line.number, line.text) for line in match.context)
            exact[match.line] = match.text
    chosen.update(exact)
    masked: dict[int, str] = {}
    for run in _runs(sorted(chosen)):
        # Each run by itself: one that begins inside a private key is known by its first lines.
        texts = redactor.redact("\n".join(chosen[number].replace("\n", " ") for number in run)).split("\n")
        masked.update(zip(run, map(visible, texts), strict=True))
    return masked


def _runs(numbers: Sequence[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _tail(scan: Scan, stop: int) -> tuple[int, ...]:
    """The end of the log, the last line first: where the build gave up, before the steps that only clean up."""
    told = [line.number for line in reversed(scan.tail) if line.text.strip()]
    last = told[:END]
    before = [number for number in told if stop and stop - NEAR < number <= stop]
    return tuple(dict.fromkeys((*last[:2], *before[:END], *told)))


def _packed(logs: Sequence[Read], entries: Sequence[Entry], budget: int, *, whole: bool) -> Packed:
    texts = {(number, line): text for number, read in enumerate(logs, 1) for line, text in read.lines.items()}
    evidence: dict[Key, str] = {}
    for entry in entries:
        for key, item in entry.evidence:
            if key in texts:
                evidence.setdefault(key, _anchor(item, texts[key]))
    order = [key for key in dict.fromkeys(_order(logs, entries, whole=whole)) if key in texts]
    width = max(60, min(WORDS, budget * BYTES_A_TOKEN // 12))
    heads = {number: _heads(number, read, entries, width, several=len(logs) > 1) for number, read in enumerate(logs, 1)}
    totals = {number: read.report.log.lines for number, read in enumerate(logs, 1)}
    return pack(texts, order, evidence, heads, totals, budget)


def _order(logs: Sequence[Read], entries: Sequence[Entry], *, whole: bool) -> Iterator[Key]:
    first = [entry.evidence[0][0] for entry in entries if entry.evidence]
    yield from first
    best = entries[0].log if entries else 1
    ranked = sorted(range(1, len(logs) + 1), key=lambda number: number != best)
    ends = [[(number, line) for line in logs[number - 1].tail] for number in ranked]
    for tail in ends:
        yield from tail[: END if len(logs) == 1 else 2]
    for entry in entries:
        yield from (key for key, _ in entry.evidence)
    around = [(log, line + step * side) for step in range(1, AROUND) for log, line in first for side in (1, -1)]
    known = bool(entries) and entries[0].finding.confidence >= KNOWN
    rest = [key for tail in ends for key in (tail[:LEADING] if known and not whole else tail)]
    for one, other in zip_longest(around, rest):
        yield from (key for key in (one, other) if key is not None)


def _heads(number: int, read: Read, entries: Sequence[Entry], width: int, *, several: bool) -> list[str]:
    heads = [f"job: {visible(read.report.source)[:width]}"] if several or read.name else []
    for rank, entry in enumerate(entries, 1):
        if entry.log == number and entry.evidence:
            step = f" (step: {visible(entry.finding.step)[: width // 2]})" if entry.finding.step else ""
            heads.append(f"finding {rank}: {visible(' '.join(entry.finding.message.split()))[:width]}{step}")
    return heads


def _anchor(item: Evidence, text: str) -> str:
    """What of a long line must stay in sight: the longest captured word that it shows."""
    words = [value for value in item.captures.values() if value and value != MASKED and visible(value) in text]
    return max(map(visible, words), key=len, default="")
