"""`analyze(log, knowledge) -> Report`: the one door to everything below it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from logkb.errors import Location
from logkb.excerpt import pick_excerpt, readable_lines
from logkb.knowledge import Knowledge, load_knowledge, without_article
from logkb.matcher import Matcher
from logkb.outcome import Verdict, verdict
from logkb.packages import install_hint
from logkb.ranking import Scene, rank
from logkb.records import (
    Evidence,
    Finding,
    LogFacts,
    Match,
    Outcome,
    Prediction,
    Ranked,
    Report,
    Retry,
    Scan,
)  # fmt: skip
from logkb.source import Source

if TYPE_CHECKING:
    from logkb.classifier import Classifier

Input = str | os.PathLike[str] | bytes | BinaryIO | Source
# What a capture may hold to appear in a suggested command: nothing that a shell reads as more than a word.
PLAIN_WORD = r"[A-Za-z0-9@][A-Za-z0-9._+@/:=-]{0,120}"
# Stands for a capture that the line did not have, until the sentence is complete; logs hold no such character after cleaning.
GONE = "\x00"
RETRY_CONFIDENCE = 0.6
# Where the rules alone are this sure, the classifier could only confirm them, and would cost a fifth of the time.
SURE = 0.9


class Analyzer:
    """Knowledge and a matcher, loaded once for many logs."""

    def __init__(self, knowledge: Knowledge | None = None, *, engine: str = "auto", classify: bool = True) -> None:
        self.knowledge = knowledge or load_knowledge()
        self.matcher = Matcher(self.knowledge.rules, cache=self.knowledge.cache, engine=engine)
        self._classifier: Classifier | None = None
        self._model = self.knowledge.model if classify else None

    def analyze(
        self, log: Input, *, name: str | None = None, progress: Callable[[int], None] | None = None, why: bool = False
    ) -> Report:
        """Analyse one log; see `logkb.analyze`. With `why` the reasons of the findings name the classifier's strongest terms."""
        source = _source(log, name)
        scan = self.matcher.scan(source, progress)
        said = verdict(scan)
        report = report_of(source.name, scan, said, lambda: self.predict(scan, said), self.knowledge, sure=1.0 if why else SURE)
        return replace(report, findings=self._with_terms(report.findings, scan, said)) if why else report

    def _with_terms(self, findings: tuple[Finding, ...], scan: Scan, said: Verdict) -> tuple[Finding, ...]:
        if self._classifier is None:
            return findings
        lines = readable_lines(scan, said.line or None)
        told = []
        for finding in findings:
            known = finding.cause in self._classifier.classes and "classifier" in finding.sources
            terms = self._classifier.terms(lines, finding.cause) if known else ()
            said_by = ", ".join(f"{term.feature!r} {term.weight:+.2f}" for term in terms)
            told.append(replace(finding, reasons=(*finding.reasons, f"the classifier's terms: {said_by}")) if terms else finding)
        return tuple(told)

    def predict(self, scan: Scan, said: Verdict) -> tuple[Prediction, ...]:
        """The classifier's word on a scanned log; empty without a model. Raises `InputError` when the model is damaged."""
        if self._model is None:
            return ()
        if self._classifier is None:
            from logkb.classifier import PASSING, Classifier

            self._classifier = Classifier(self._model)
            for name in self._classifier.classes:
                if name != PASSING and name not in self.knowledge.causes:
                    self.knowledge.causes[name] = without_article(name, Location(self._model))
        return self._classifier.predict(readable_lines(scan, said.line or None))


def analyze(log: Input, knowledge: Knowledge | None = None, *, name: str | None = None) -> Report:
    """Say why the build that wrote this log failed.

    `log` is a path (text or PathLike), the log itself as bytes, or an open binary stream; compressed logs are
    unpacked. Confidences are probabilities from 0 to 1; findings are sorted by them. Raises `InputError` when the
    log cannot be read. To analyse many logs, keep one `Analyzer`.
    """
    return Analyzer(knowledge).analyze(log, name=name)


def _source(log: Input, name: str | None) -> Source:
    if isinstance(log, Source):
        return log
    if isinstance(log, bytes):
        return Source.from_bytes(log, name or "<bytes>")
    if isinstance(log, str | os.PathLike):
        source = Source.from_path(Path(log))
        source.name = name or source.name
        return source
    return Source.from_stream(log, name or getattr(log, "name", None) or "-")


def report_of(
    name: str, scan: Scan, said: Verdict, predict: Callable[[], Sequence[Prediction]], knowledge: Knowledge, sure: float = SURE
) -> Report:
    """Rank what a scan says, and the classifier where the rules leave a doubt, and make the report. `name` is the input's."""
    ranked: tuple[Ranked, ...] = ()
    unknown = 1.0
    if said.outcome != "passed":
        scene = scene_of(said, scan)
        ranked, unknown = rank(scan.matches, (), knowledge.causes, scene)
        if not ranked or ranked[0].confidence < sure:
            ranked, unknown = rank(scan.matches, predict(), knowledge.causes, scene)
    findings = tuple(_finding(item, knowledge.cache) for item in ranked)
    evidence = ranked[0].matches if ranked else ()
    return Report(
        source=name, outcome=said.outcome, findings=findings, unknown=round(unknown, 4),
        excerpt=pick_excerpt(scan, evidence, said.line or None) if said.outcome != "passed" else None,
        retry=_retry(said.outcome, findings), log=LogFacts(scan.size, scan.lines, scan.truncated), warnings=scan.warnings,
    )  # fmt: skip


def scene_of(said: Verdict, scan: Scan) -> Scene:
    """Where the build died, for the ranking."""
    return Scene(line=said.line or scan.lines, step=said.step, lines=scan.lines, clear=said.outcome == "failed")


def _finding(item: Ranked, cache: Path | None) -> Finding:
    cause, best = item.cause, item.matches[0] if item.matches else None
    evidence = tuple(Evidence(match.line, match.text, match.rule.id, match.captures) for match in item.matches)
    fixes = cause.fixes
    if best is not None:
        hints = (install_hint(cause.id, best.captures, cache), _specific_fix(best))
        fixes = (*(hint for hint in hints if hint), *fixes)
    return Finding(
        cause=cause.id, title=cause.title, family=cause.family, confidence=round(item.confidence, 4), role=item.role,
        retryable=cause.retryable, message=_fill(best.rule.message, best.captures) if best else cause.title,
        fingerprint=_fingerprint(cause.id, best), step=best.step if best else None, evidence=evidence,
        sources=item.sources, article=f"causes/{cause.id}", fixes=fixes, confirm=cause.confirm, check=item.check,
        reasons=item.reasons,
    )  # fmt: skip


def _fill(template: str, captures: Mapping[str, str]) -> str:
    """The template with the captures; an absent one leaves nothing beside a word, and an ellipsis where it stood alone."""

    class Missing(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return GONE

    filled = template.format_map(Missing(captures))
    return re.sub(rf"(?<=\w){GONE}|{GONE}(?=\w)", "", filled).replace(GONE, "…") if GONE in filled else filled


def _specific_fix(match: Match) -> str | None:
    """The rule's own fix with its captures, or None when a capture is missing or is more than a plain word."""
    if match.rule.fix is None:
        return None
    named = set(re.findall(r"\{(\w+)\}", match.rule.fix))
    if any(not re.fullmatch(PLAIN_WORD, match.captures.get(name, "")) for name in named):
        return None
    fix = _fill(match.rule.fix, match.captures)
    # A command alone is set as one; a sentence brings its own marks.
    return f"`{fix}`" if "`" not in fix and not fix[:1].isupper() else fix


def _fingerprint(cause: str, match: Match | None) -> str:
    """16 hexadecimal digits that stay the same when the same failure comes again: the cause and the chosen captures.

    FNV-1a over 64 bits (its authors' offset basis and prime): short input, nobody to deceive, and no OpenSSL to load.
    """
    chosen = [f"{key}={match.captures.get(key, '')}" for key in match.rule.fingerprint] if match else []
    value = 0xCBF29CE484222325
    for byte in "\x00".join([cause, *chosen]).encode("utf-8", "replace"):
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def _retry(outcome: Outcome, findings: Sequence[Finding]) -> Retry:
    if outcome == "passed":
        return Retry(False, "the build passed")
    lasting = [item for item in findings if item.role == "cause" and not item.retryable]
    if not findings or findings[0].confidence < RETRY_CONFIDENCE:
        return Retry(False, "the cause is not certain enough to call it transient")
    if not findings[0].retryable:
        return Retry(False, f"{findings[0].cause} stays until it is mended")
    if lasting:
        return Retry(False, f"{lasting[0].cause} may be behind it, and that stays until it is mended")
    return Retry(True, f"{findings[0].cause} is transient; retry once, and read the article if it comes again")
