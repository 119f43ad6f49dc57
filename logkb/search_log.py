"""Several pasted lines, or one that several rules claim: the analysis says which cause is the root."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from logkb.analysis import Analyzer
from logkb.kb import Folder
from logkb.knowledge import Knowledge, load_knowledge

# One engine, made for the knowledge that was asked for last; its scratch space serves one scan at a time.
_lock = threading.Lock()
_kept: tuple[Knowledge, tuple[str, ...], Analyzer] | None = None


def named_in(text: str, knowledge: Knowledge | None, overlays: Sequence[Folder]) -> dict[str, str]:
    """cause -> the rule that names it, the likeliest cause first, in a piece of a log."""
    with _lock:
        report = _analyzer(knowledge, overlays).analyze(text.encode("utf-8", "replace"), name="query")
    return {finding.cause: finding.evidence[0].rule for finding in report.findings if finding.evidence}


def _analyzer(knowledge: Knowledge | None, overlays: Sequence[Folder]) -> Analyzer:
    global _kept  # noqa: PLW0603
    wanted = tuple(str(folder) for folder in overlays)
    if _kept is None or _kept[1] != wanted or (knowledge is not None and _kept[0] is not knowledge):
        known = knowledge or load_knowledge([Path(folder) for folder in overlays])
        _kept = (known, wanted, Analyzer(known, classify=False))
    return _kept[2]
