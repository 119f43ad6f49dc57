"""Training and labelling: the corpus and the user's labels -> a model file, from which the next analysis predicts."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from logkb import paths
from logkb.analysis import Analyzer
from logkb.clean import normalise
from logkb.corpus import Example, read_corpus
from logkb.errors import UsageError
from logkb.redact import redact
from logkb.rules import IDENTIFIER
from logkb.source import Source
from logkb.training import Document, fit, read_documents, write_model

Progress = Callable[[int, int], None]
MAX_LABELLED = 4 * 1024**2


def training_file() -> Path:
    """What the shipped model was trained on, as the classifier reads it: excerpts, not whole logs."""
    return paths.PACKAGE / "data" / "training.jsonl.gz"


def train(analyzer: Analyzer, overlay: Path | None, corpus: Path | None, progress: Progress | None = None) -> tuple[Path, str]:
    """Train and write a model; returns its path and a summary.

    With `corpus` the shipped model is made anew from that folder. Otherwise the shipped excerpts and the labels of the
    overlay (`corpus/<cause>/` in it) give the overlay's own model, which wins from then on. Raises `UsageError`.
    """
    if corpus is not None:
        examples, problems = read_corpus(corpus)
        if problems or not examples:
            raise UsageError("\n".join(map(str, problems)) or f"{corpus}: no labelled logs; they lie in <cause>/<name>.log + .toml")
        documents = read_documents(examples, analyzer, progress)
        _save_documents(documents, training_file())
        target = paths.model_file()
    else:
        if overlay is None:
            raise UsageError("no folder to train for; label a log first (logkb label LOG CAUSE), or name one with --kb")
        labelled, problems = read_corpus(overlay / "corpus")
        if problems:
            raise UsageError("\n".join(map(str, problems)))
        documents = [*_load_documents(training_file()), *read_documents(labelled, analyzer, progress)]
        target = overlay / "model.bin"
    fitted = fit(documents)
    facts: dict[str, object] = {"documents": len(documents), "classes": len(fitted.classes), "trained": _fingerprint(documents)}
    write_model(fitted, target, facts)
    return target, f"{len(documents)} logs, {len(fitted.classes)} classes, {len(fitted.vectoriser.vocabulary_)} features"


def label(log: Path | None, data: bytes, cause: str, overlay: Path) -> Path:
    """Put a masked copy of a log into the overlay as an example of `cause`; returns its path. Raises `UsageError`."""
    if not IDENTIFIER.fullmatch(cause):
        raise UsageError(f"cause '{cause}' is not lower-case words joined by '-'; write it like 'licence-missing'")
    if not data.strip():
        raise UsageError("the log is empty; there is nothing to learn from")
    text = redact(normalise(data).decode("utf-8", "replace"))
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    folder = overlay / "corpus" / cause
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.log"
    path.write_text(text, encoding="utf-8")
    source = json.dumps(log.name if log else "standard input")
    facts = [f'cause = "{cause}"', f'family = "label-{name}"', f"source = {source}", f"recorded = {date.today()}"]
    path.with_suffix(".toml").write_text("\n".join(facts) + "\n", encoding="utf-8")
    return path


def read_log(source: Source) -> bytes:
    """A log to label, unpacked, at most its last four megabytes."""
    data = b""
    for block in source.blocks():
        data = (data + block)[-MAX_LABELLED:]
    return data


def _save_documents(documents: Sequence[Document], path: Path) -> None:
    rows = [
        json.dumps({"label": document.label, "group": document.example.group, "lines": document.lines}, ensure_ascii=False)
        for document in documents
    ]
    path.write_bytes(gzip.compress("\n".join(rows).encode(), mtime=0))


def _load_documents(path: Path) -> list[Document]:
    try:
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); install logkb again") from None
    return [
        Document(
            Example(path, None if row["label"] == "passing" else row["label"], (), row["group"], row["group"], "", None, False),
            tuple(row["lines"]),
        )
        for row in rows
    ]


def _fingerprint(documents: Sequence[Document]) -> str:
    digest = hashlib.sha256()
    for document in documents:
        digest.update(repr((document.label, document.lines)).encode("utf-8", "replace"))
    return digest.hexdigest()[:16]
