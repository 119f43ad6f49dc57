"""How often is logkb right, and does its confidence mean what it says? On the corpus (cross-validated) or any labelled folder."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from logkb.analysis import Analyzer, report_of
from logkb.corpus import Example
from logkb.outcome import Verdict, verdict
from logkb.records import Prediction, Report, Scan
from logkb.source import Source
from logkb.training import Document, fit, lines_of

FOLDS = 5
PRECISION = 0.95
NAMED = 0.5
BINS = 10
# A proof may stand this many lines beside the line that a person chose.
NEAR = 2

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled log and the report on it."""

    example: Example
    report: Report

    @property
    def right(self) -> bool:
        """The first finding is the cause, or another fair answer."""
        return bool(self.report.findings) and self.report.findings[0].cause in self.fair

    @property
    def fair(self) -> set[str]:
        """The causes that count as right."""
        return {str(self.example.cause), *self.example.accept}


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of the reliability diagram: how many first findings, their mean confidence, how many were right."""

    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares from 0 to 1; `calibration` is the expected calibration error over ten bins, weighted by their size."""

    failed: int
    passed: int
    first: float
    first_by_cause: float
    first_by_project: float
    first_three: float
    line: float
    lines: int
    named: float
    calibration: float
    false_alarms: float
    bins: tuple[Bin | None, ...]
    families: tuple[tuple[str, int, float], ...]
    confusions: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """A labelled log, scanned once for all that follows."""

    example: Example
    scan: Scan
    said: Verdict


def scan_all(examples: Sequence[Example], analyzer: Analyzer, progress: Progress | None = None) -> list[Scanned]:
    """Scan each log. `progress` gets (done, all)."""
    scanned = []
    for number, example in enumerate(examples, 1):
        scan = analyzer.matcher.scan(Source.from_path(example.path))
        scanned.append(Scanned(example, scan, verdict(scan)))
        if progress is not None:
            progress(number, len(examples))
    return scanned


def judge(scanned: Iterable[Scanned], analyzer: Analyzer, *, rules: bool = True, classifier: bool = True) -> list[Judged]:
    """Reports with the shipped model; `rules` and `classifier` leave one of them out, for the ablation."""
    return [_judged(item, analyzer.predict(item.scan, item.said) if classifier else (), analyzer, rules=rules) for item in scanned]


def cross_validate(
    scanned: Sequence[Scanned], analyzer: Analyzer, *, rules: bool = True, kind: str = "logistic", folds: int = FOLDS
) -> list[Judged]:
    """Reports with a classifier that has seen no log of the same recipe family and tool."""
    from sklearn.model_selection import GroupKFold

    documents = [Document(item.example, tuple(lines_of(item.scan))) for item in scanned]
    groups = [item.example.group for item in scanned]
    judged: list[Judged] = []
    for train, test in GroupKFold(n_splits=folds).split(documents, groups=groups):
        fitted = fit([documents[index] for index in train], kind=kind)
        chances = fitted.model.predict_proba(fitted.vectoriser.transform([documents[index].lines for index in test]))
        for index, row in zip(test, chances, strict=True):
            predictions = tuple(Prediction(name, float(chance)) for name, chance in zip(fitted.classes, row, strict=True))
            judged.append(_judged(scanned[index], predictions, analyzer, rules=rules))
    return judged


def _judged(item: Scanned, predictions: Sequence[Prediction], analyzer: Analyzer, *, rules: bool) -> Judged:
    scan = item.scan
    if not rules:
        scan = dataclasses.replace(scan, matches=tuple(match for match in scan.matches if match.rule.marks))
    return Judged(item.example, report_of(str(item.example.path), scan, item.said, lambda: predictions, analyzer.knowledge))


def score(judged: Sequence[Judged], families: dict[str, str]) -> Scores:
    """Sum up. `families` maps a cause to its family."""
    failed = [item for item in judged if item.example.cause is not None]
    passed = [item for item in judged if item.example.cause is None]
    by_cause: dict[str, list[bool]] = defaultdict(list)
    by_project: dict[tuple[str, str], list[bool]] = defaultdict(list)
    by_family: dict[str, list[bool]] = defaultdict(list)
    confusions: Counter[tuple[str, str]] = Counter()
    for item in failed:
        cause = str(item.example.cause)
        by_cause[cause].append(item.right)
        by_project[item.example.project, cause].append(item.right)
        by_family[families.get(cause, "other")].append(item.right)
        if not item.right:
            confusions[cause, item.report.findings[0].cause if item.report.findings else "unknown"] += 1
    told = [(item.report.findings[0].confidence, item.right) for item in failed if item.report.findings]
    lined = [_line_right(item) for item in failed if item.example.key_lines is not None]
    bins = _bins(told)
    return Scores(
        failed=len(failed),
        passed=len(passed),
        first=_mean([item.right for item in failed]),
        first_by_cause=_mean([_mean(found) for found in by_cause.values()]),
        first_by_project=_mean([_mean(found) for found in by_project.values()]),
        first_three=_mean([bool(item.fair & {found.cause for found in item.report.findings[:3]}) for item in failed]),
        line=_mean(lined),
        lines=len(lined),
        named=_named(told, len(failed)),
        calibration=sum(found.count * abs(found.confidence - found.right) for found in bins if found) / max(1, len(told)),
        false_alarms=_mean([any(found.confidence >= NAMED for found in item.report.findings) for item in passed]),
        bins=bins,
        families=tuple((name, len(found), _mean(found)) for name, found in sorted(by_family.items())),
        confusions=tuple((one, other, count) for (one, other), count in confusions.most_common(15)),
    )


def _line_right(item: Judged) -> bool:
    first, last = item.example.key_lines or (0, 0)
    findings = item.report.findings
    return bool(findings) and any(first - NEAR <= proof.line <= last + NEAR for proof in findings[0].evidence)


def _bins(told: Sequence[tuple[float, bool]]) -> tuple[Bin | None, ...]:
    made: list[Bin | None] = []
    for number in range(BINS):
        held = [(confidence, right) for confidence, right in told if min(BINS - 1, int(confidence * BINS)) == number]
        made.append(Bin(len(held), _mean([one for one, _ in held]), _mean([right for _, right in held])) if held else None)
    return tuple(made)


def _named(told: Sequence[tuple[float, bool]], total: int) -> float:
    """The largest share of logs, most confident first, of which 95 % are right."""
    best = right = 0
    for count, (_, hit) in enumerate(sorted(told, key=lambda pair: (-pair[0], not pair[1])), 1):
        right += hit
        best = count if right / count >= PRECISION else best
    return best / total if total else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def table(rows: Sequence[tuple[str, Scores]]) -> str:
    """A Markdown table, one row a name."""
    names = ("", "logs", "first right", "by cause", "by project", "first three", "right line", "named at ≥ 95 %")
    head = f"| {' | '.join((*names, 'calibration error', 'false alarms'))} |\n{'|---' * 10}|\n"
    return head + "\n".join(
        f"| {name} | {one.failed} + {one.passed} | {one.first:.3f} | {one.first_by_cause:.3f} | {one.first_by_project:.3f} "
        f"| {one.first_three:.3f} | {one.line:.3f} of {one.lines} | {one.named:.3f} "
        f"| {one.calibration:.3f} | {one.false_alarms:.3f} |"
        for name, one in rows
    )


def details(scores: Scores) -> str:
    """Families, the reliability bins and the confusions, as Markdown."""
    families = "\n".join(f"| {name} | {count} | {right:.3f} |" for name, count, right in scores.families)
    bins = "\n".join(
        f"| {number / BINS:.1f} to {(number + 1) / BINS:.1f} | {found.count} | {found.confidence:.3f} | {found.right:.3f} |"
        for number, found in enumerate(scores.bins)
        if found
    )
    confused = "\n".join(f"| {one} | {other} | {count} |" for one, other, count in scores.confusions)
    return (
        f"| family | logs | first right |\n|---|---|---|\n{families}\n\n"
        f"| confidence | logs | mean confidence | right |\n|---|---|---|---|\n{bins}\n\n"
        f"| is | was taken for | logs |\n|---|---|---|\n{confused}\n"
    )


def plot_reliability(named: Sequence[tuple[str, Scores]], path: Path) -> None:
    """The reliability diagram as PNG: mean confidence against the share that was right."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5.2, 5), dpi=110)
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey", label="what it says")
    for name, scores in named:
        shown = [found for found in scores.bins if found]
        axes.plot([one.confidence for one in shown], [one.right for one in shown], marker="o", label=name)
        for one in shown:
            axes.annotate(str(one.count), (one.confidence, one.right), textcoords="offset points", xytext=(4, -10), fontsize=7)
    axes.set(xlabel="confidence of the first finding", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)
