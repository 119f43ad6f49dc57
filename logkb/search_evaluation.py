"""How often `logkb search` puts the right article first, on the queries of `corpus/queries.tsv`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from logkb import paths
from logkb.errors import UsageError
from logkb.lookup import search

DEPTH = 10
# Every third query is held out: nothing is tuned on it.
HELD_OUT = 3


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody typed or pasted, its kind (line, words, typo, code), and the causes that are right."""

    text: str
    kind: str
    causes: tuple[str, ...]
    held_out: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares from 0 to 1 over `queries` queries: right at the first place, among the first five; 1 / rank on average."""

    queries: int
    recall_1: float
    recall_5: float
    mrr: float


def read_queries(path: Path) -> tuple[Query, ...]:
    """Read `cause, kind, query` a line, separated by tabs; '#' starts a comment. Raises `UsageError` with every wrong line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); it lies in a clone of logkb, not in the package") from None
    queries: list[Query] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split("\t")
        if len(parts) != 3 or not all(parts):
            wrong.append(f"{path}:{number}: not three parts; write cause, kind and query with a tab between them")
            continue
        queries.append(Query(parts[2], parts[1], tuple(parts[0].split("|")), len(queries) % HELD_OUT == HELD_OUT - 1))
    if wrong:
        raise UsageError("\n".join(wrong))
    return tuple(queries)


def ranks(queries: Sequence[Query], ask: Callable[[str], Sequence[str]]) -> tuple[int, ...]:
    """The place of the first right cause for each query, from 1; 0 when none is among the answers."""
    found = []
    for query in queries:
        answers = ask(query.text)
        found.append(next((place for place, cause in enumerate(answers, 1) if cause in query.causes), 0))
    return tuple(found)


def quality(places: Iterable[int]) -> Quality:
    """The figures for these places."""
    all_places = tuple(places)
    count = max(1, len(all_places))
    return Quality(
        len(all_places),
        sum(place == 1 for place in all_places) / count,
        sum(1 <= place <= 5 for place in all_places) / count,
        sum(1 / place for place in all_places if place) / count,
    )


def measure_search(path: Path | None = None) -> tuple[tuple[str, Quality], ...]:
    """(name, figures): all queries, those that are tuned on, those held out, and each kind. Raises `UsageError`."""
    queries = read_queries(path or paths.data_root() / "corpus" / "queries.tsv")
    found = ranks(queries, lambda text: [hit.cause for hit in search(text, limit=DEPTH).hits])

    def of(name: str, wanted: Callable[[Query], bool]) -> tuple[str, Quality]:
        return name, quality(place for query, place in zip(queries, found, strict=True) if wanted(query))

    kinds = dict.fromkeys(query.kind for query in queries)
    return (
        of("all", lambda query: True),
        of("tuned on", lambda query: not query.held_out),
        of("held out", lambda query: query.held_out),
        *(of(kind, lambda query, kind=kind: query.kind == kind) for kind in kinds),  # type: ignore[misc]
    )


def print_search(rows: Sequence[tuple[str, Quality]], *, as_json: bool) -> str:
    """A table in Markdown, or JSON."""
    if as_json:
        return json.dumps({name: asdict(figures) for name, figures in rows}, indent=1)
    head = "| queries | count | right first | right in the first five | mean reciprocal rank |\n|---|--:|--:|--:|--:|"
    lines = (f"| {name} | {one.queries} | {one.recall_1:.3f} | {one.recall_5:.3f} | {one.mrr:.3f} |" for name, one in rows)
    return "\n".join((head, *lines))
