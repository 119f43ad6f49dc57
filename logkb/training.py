"""Fit the classifier with scikit-learn, and write it as a model file. Only this module and `evaluation` import scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logkb.analysis import Analyzer
from logkb.classifier import OFFSET, PASSING, save_model, tokens
from logkb.corpus import Example
from logkb.errors import UsageError
from logkb.excerpt import readable_lines
from logkb.outcome import verdict
from logkb.records import Scan
from logkb.source import Source

MAX_FEATURES = 12_000
MIN_DOCUMENTS = 3
MIN_EXAMPLES = 3
SEED = 20261121
# Smaller is smoother; chosen on out-of-fold log loss (docs/accuracy.md).
REGULARISATION = 30.0


@dataclass(frozen=True, slots=True)
class Document:
    """An example as the classifier reads it."""

    example: Example
    lines: tuple[str, ...]

    @property
    def label(self) -> str:
        """The class: the cause, or `passing`."""
        return self.example.cause or PASSING


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted vectoriser and linear model, rounded to what the model file keeps."""

    vectoriser: Any
    model: Any
    classes: tuple[str, ...]


def read_documents(
    examples: Sequence[Example], analyzer: Analyzer, progress: Callable[[int, int], None] | None = None
) -> list[Document]:
    """Scan each log and keep what the classifier reads of it. `progress` gets (done, all)."""
    documents = []
    for number, example in enumerate(examples, 1):
        scan = analyzer.matcher.scan(Source.from_path(example.path))
        documents.append(Document(example, tuple(lines_of(scan))))
        if progress is not None:
            progress(number, len(examples))
    return documents


def lines_of(scan: Scan) -> list[str]:
    """What the classifier reads of a scanned log."""
    said = verdict(scan)
    return readable_lines(scan, said.line or None)


def fit(documents: Sequence[Document], *, kind: str = "logistic") -> Fitted:
    """Fit on the documents; deterministic. Classes with fewer than three examples are left to the rules.

    Raises `UsageError` when scikit-learn is not installed or there is nothing to learn from.
    """
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.feature_selection import chi2
    except ImportError:
        raise UsageError("training needs scikit-learn; install it with: pip install 'logkb[train]'") from None
    import numpy

    counts: dict[str, int] = {}
    for document in documents:
        counts[document.label] = counts.get(document.label, 0) + 1
    kept = [document for document in documents if counts[document.label] >= MIN_EXAMPLES]
    labels = [document.label for document in kept]
    if len(set(labels)) < 2:
        raise UsageError(f"nothing to learn from: fewer than two causes have {MIN_EXAMPLES} examples; record or label more logs")
    texts = [document.lines for document in kept]
    wide = TfidfVectorizer(analyzer=tokens, sublinear_tf=True, min_df=MIN_DOCUMENTS)
    matrix = wide.fit_transform(texts)
    names = wide.get_feature_names_out()
    if len(names) > MAX_FEATURES:
        scores = numpy.nan_to_num(chi2(matrix, labels)[0])
        names = names[numpy.sort(numpy.argsort(-scores, kind="stable")[:MAX_FEATURES])]
    vectoriser = TfidfVectorizer(analyzer=tokens, sublinear_tf=True, vocabulary=list(names))
    matrix = vectoriser.fit_transform(texts)
    vectoriser.idf_ = vectoriser.idf_.astype(numpy.float32).astype(numpy.float64)
    model = make_model(kind)
    model.fit(vectoriser.transform(texts), labels)
    if hasattr(model, "coef_"):
        _round(model)
    return Fitted(vectoriser, model, tuple(model.classes_))


def make_model(kind: str) -> Any:
    """One of the linear models that were compared: logistic, svm, sgd or bayes."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.naive_bayes import ComplementNB
    from sklearn.svm import LinearSVC

    if kind == "logistic":
        return LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=200, tol=1e-3, random_state=SEED)
    if kind == "svm":
        return CalibratedClassifierCV(LinearSVC(C=1.0, class_weight="balanced", random_state=SEED), cv=3, ensemble=False)
    if kind == "sgd":
        return SGDClassifier(loss="log_loss", alpha=1e-5, class_weight="balanced", max_iter=50, random_state=SEED)
    if kind == "bayes":
        return ComplementNB(alpha=0.1)
    raise UsageError(f"unknown model '{kind}'; use logistic, svm, sgd or bayes")


def _round(model: Any) -> None:
    """Round the weights to eight bits a class, so that the model file holds exactly this model."""
    import numpy

    scales = numpy.maximum(numpy.abs(model.coef_).max(axis=1), 1e-9) / 127
    model.coef_ = numpy.rint(model.coef_ / scales[:, None]) * scales[:, None]


def write_model(fitted: Fitted, path: Path, facts: dict[str, object]) -> None:
    """Write a fitted logistic model as a model file."""
    import numpy

    coefficients = fitted.model.coef_
    scales = numpy.maximum(numpy.abs(coefficients).max(axis=1), 1e-9) / 127
    levels = (numpy.rint(coefficients / scales[:, None]) + OFFSET).astype(numpy.uint8)
    rows = (bytes(row) for row in levels.T)
    features = sorted(fitted.vectoriser.vocabulary_, key=fitted.vectoriser.vocabulary_.__getitem__)
    save_model(
        path,
        fitted.classes,
        features,
        [float(value) for value in fitted.vectoriser.idf_],
        rows,
        [float(scale) for scale in scales],
        [float(value) for value in fitted.model.intercept_],
        facts,
    )
