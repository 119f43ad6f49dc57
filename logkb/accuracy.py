"""`logkb evaluate`: measure, and tell it as tables, JSON, or a page with plots."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from logkb.analysis import Analyzer
from logkb.corpus import read_corpus, read_manifest
from logkb.errors import UsageError
from logkb.evaluation import Scores, cross_validate, details, judge, plot_reliability, scan_all, score, table
from logkb.knowledge import load_knowledge

Progress = Callable[[int, int], None]
NOTES = "\n## Notes\n"
MODELS = ("logistic", "svm", "sgd", "bayes")


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows of (name, scores); the first row is the figure that counts. `models` compares the classifiers alone."""

    what: str
    command: str
    rows: tuple[tuple[str, Scores], ...]
    models: tuple[tuple[str, Scores], ...] = ()


def measure(corpus: Path, manifest: Path | None, root: Path | None, progress: Progress | None = None) -> Measured:
    """Measure on a manifest's logs with the shipped model, or on a corpus by cross-validation. Raises `UsageError`."""
    if manifest is not None:
        analyzer = Analyzer(load_knowledge())
        scanned = scan_all(read_manifest(manifest, root or manifest.parent), analyzer, progress)
        families = {cause.id: cause.family for cause in analyzer.knowledge.causes.values()}
        rows = [
            ("both", score(judge(scanned, analyzer), families)),
            ("rules alone", score(judge(scanned, analyzer, classifier=False), families)),
            ("classifier alone", score(judge(scanned, analyzer, rules=False), families)),
        ]
        return Measured(
            f"the labelled logs of {manifest.name}", f"logkb evaluate --manifest {manifest.name} --root DIR", tuple(rows)
        )
    examples, problems = read_corpus(corpus)
    if problems or not examples:
        raise UsageError("\n".join(map(str, problems)) or f"{corpus}: no labelled logs; they lie in <cause>/<name>.log + .toml")
    analyzer = Analyzer(load_knowledge(), classify=False)
    scanned = scan_all(examples, analyzer, progress)
    families = {cause.id: cause.family for cause in analyzer.knowledge.causes.values()}
    rows = [
        ("both", score(cross_validate(scanned, analyzer), families)),
        ("rules alone", score(judge(scanned, analyzer, classifier=False), families)),
        ("classifier alone", score(cross_validate(scanned, analyzer, rules=False), families)),
    ]
    models = [
        (kind, score(cross_validate(scanned, analyzer, rules=False, kind=kind), families)) for kind in MODELS if kind != "logistic"
    ]
    return Measured("the corpus, cross-validated", "logkb evaluate", tuple(rows), (("logistic", rows[2][1]), *models))


def print_measured(measured: Measured, *, as_json: bool) -> str:
    """Tables in Markdown, or JSON."""
    if as_json:
        return json.dumps(
            {
                "what": measured.what,
                "rows": {name: dataclasses.asdict(scores) for name, scores in measured.rows},
                "models": {name: dataclasses.asdict(scores) for name, scores in measured.models},
            },
            indent=1,
        )
    parts = [f"On {measured.what}:", table(measured.rows), details(measured.rows[0][1])]
    if measured.models:
        parts.append("The classifier alone, by model:\n\n" + table(measured.models))
    return "\n\n".join(parts)


def write_page(measured: Measured, path: Path) -> None:
    """The page, and the reliability diagram beside it. What a person wrote below the heading of the notes stays."""
    plot = path.with_suffix(".png")
    notes = path.read_text(encoding="utf-8").partition(NOTES) if path.exists() else ("", "", "")
    plot_reliability(measured.rows[:1], plot)
    path.write_text(
        f"# Measured on {measured.what}\n\nWritten by `{measured.command} --write {path.name}`.\n\n"
        f"{table(measured.rows)}\n\n![Reliability diagram]({plot.name})\n\n{details(measured.rows[0][1])}\n"
        + (f"The classifier alone, by model:\n\n{table(measured.models)}\n" if measured.models else "")
        + "".join(notes[1:]),
        encoding="utf-8",
    )
