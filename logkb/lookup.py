"""A query -> the causes that answer it: pasted log lines through the rules, everything through the full-text index.

The records are named tuples and the imports few, because importing `dataclasses` would cost as much as the search.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from logkb import kb
from logkb.search_plan import Plan, nearest, plan
from logkb.search_rules import rules_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from logkb.knowledge import Knowledge

# What a word is worth, by where it stands: the columns of articles_fts and rules_fts, in their order (kb_build).
ARTICLE_WEIGHTS = (10.0, 8.0, 3.0, 3.0, 1.5, 1.0, 0.5, 1.0)
RULE_WEIGHTS = (2.0, 1.0, 0.5)
# An article's score and that of the nearest rule's message are added with these weights.
ARTICLE, RULE = 1.0, 0.5
CANDIDATES = 60
# Where a person reads; the other columns are titles and lists of words.
READABLE = "{symptoms reasons fix other}"
START, STOP = "\x02", "\x03"
SNIPPET_WORDS, LEAD = 24, 160
MAX_PASTE = 256 * 1024


class Hit(NamedTuple):
    """One cause that answers a query.

    `score` is for sorting only (higher is better); `snippet` are pieces of the article's text, each with whether it
    is a word of the query; `fix` is the first step of the article. `matched` says how it was found: by a `rule` that
    names it (then `rule` is its id), by the `text`, or as the nearest when nothing fits (`near`).
    """

    cause: str
    title: str
    family: str
    score: float
    snippet: tuple[tuple[str, bool], ...]
    fix: str
    matched: Literal["rule", "text", "near"]
    rule: str | None = None


class SearchResult(NamedTuple):
    """The hits, best first. `exact` is false when nothing fits and the hits are the nearest; `note` then says so.

    `note` also names the words that were searched for in place of misspelt ones; often it is empty.
    """

    query: str
    hits: tuple[Hit, ...]
    exact: bool
    note: str = ""


def search(
    query: str,
    *,
    knowledge: Knowledge | None = None,
    overlays: Sequence[kb.Folder] = (),
    family: str | None = None,
    limit: int = 10,
) -> SearchResult:
    """The causes that answer a query: words, a question, or a pasted piece of a log of any length and content.

    `overlays` are the user's folders of rules and articles; `knowledge` (of the same folders) saves loading it when a paste
    of several lines is analysed. The database is built at the first call, which takes some seconds, and shared by the
    calls of one thread. Raises `UsageError` for a family that does not exist.
    """
    from logkb.kb_shared import shared_kb

    return answer(lambda fresh: shared_kb(overlays, fresh=fresh), query, knowledge, overlays, family, limit)


def search_once(query: str, overlays: Sequence[kb.Folder] = (), family: str | None = None, limit: int = 10) -> SearchResult:
    """Like `search`, for a process that asks once and ends."""
    taken: list[sqlite3.Connection] = []

    def opened(fresh: bool) -> sqlite3.Connection:
        taken.append(kb.build_kb(overlays) if fresh else kb.open_kb(overlays))
        return taken[-1]

    try:
        return answer(opened, query, None, overlays, family, limit)
    finally:
        for base in taken:
            base.close()


def answer(
    opened: Callable[[bool], sqlite3.Connection],
    query: str,
    knowledge: Knowledge | None,
    overlays: Sequence[kb.Folder],
    family: str | None,
    limit: int,
) -> SearchResult:
    """Ask the database that `opened` gives; a damaged one is noticed by SQLite, and then `opened(True)` builds it anew."""
    query = query[:MAX_PASTE]
    try:
        return _answer(opened(False), query, knowledge, overlays, family, limit)
    except sqlite3.DatabaseError:
        try:
            return _answer(opened(True), query, knowledge, overlays, family, limit)
        except sqlite3.DatabaseError as error:
            from logkb.errors import LogkbError

            raise LogkbError(f"{kb.kb_path(overlays)}: cannot be read, nor built anew ({error}); remove the file") from None


def _answer(
    base: sqlite3.Connection,
    query: str,
    knowledge: Knowledge | None,
    overlays: Sequence[kb.Folder],
    family: str | None,
    limit: int,
) -> SearchResult:
    if family is not None:
        _known_family(base, family)
    named = _named(base, query, knowledge, overlays)
    wanted = plan(base, query)
    exact = bool(named) or wanted.fits
    if not wanted.match:
        wanted = nearest(base, query)
    scores = _scores(base, wanted.match, family)
    if family is not None:
        inside = {cause for (cause,) in base.execute("SELECT cause FROM articles WHERE family = ?", (family,))}
        kept = {cause: rule for cause, rule in named.items() if cause in inside}
        if not kept and not scores:
            elsewhere = _answer(base, query, knowledge, overlays, None, limit)
            hits = tuple(hit._replace(matched="near") for hit in elsewhere.hits)
            note = f"Nothing in the family '{family}'" + ("; the nearest elsewhere:" if hits else ".")
            return SearchResult(query, hits, False, note)
        named = kept
    ranked = [*named, *(cause for cause in sorted(scores, key=lambda cause: (-scores[cause], cause)) if cause not in named)]
    found = _hits(base, ranked[: max(0, limit)], scores, named, wanted.match, exact)
    return SearchResult(query, found, exact and bool(found), _note(wanted, exact, bool(found)))


def _known_family(base: sqlite3.Connection, family: str) -> None:
    families = [name for (name,) in base.execute("SELECT DISTINCT family FROM articles ORDER BY family")]
    if family not in families:
        from logkb.errors import UsageError
        from logkb.knowledge import suggestion

        raise UsageError(f"unknown family '{family}'{suggestion(family, families)}; families: {', '.join(families)}")


def _named(base: sqlite3.Connection, query: str, knowledge: Knowledge | None, overlays: Sequence[kb.Folder]) -> dict[str, str]:
    """cause -> rule, the likeliest first: what the rules say of a pasted line or log."""
    if "\n" not in query.strip():
        found = rules_on(base, query.strip("\n"))
        causes = dict.fromkeys(one.cause for one in found)
        if len(causes) < 2:
            return {cause: next(one.rule for one in found if one.cause == cause) for cause in causes}
    # Several lines, or several causes: which of them is the root is for the analysis to say.
    from logkb.search_log import named_in

    return named_in(query, knowledge, overlays)


def _scores(base: sqlite3.Connection, match: str, family: str | None) -> dict[str, float]:
    """How well each cause fits: its article's bm25, and that of the rule of it that fits best."""
    if not match:
        return {}
    values = {"match": match, "family": family, "limit": CANDIDATES}
    inside = family is not None
    scores = {cause: -ARTICLE * rank for cause, rank in base.execute(_ask("articles", ARTICLE_WEIGHTS, inside), values)}
    best: dict[str, float] = {}
    for cause, rank in base.execute(_ask("rules", RULE_WEIGHTS, inside), values):
        best.setdefault(cause, -RULE * rank)
    return {cause: scores.get(cause, 0.0) + best.get(cause, 0.0) for cause in {**scores, **best}}


def _ask(table: str, weights: Sequence[float], inside: bool) -> str:
    """The best rows of a table, with their causes. Joining is left for the few best rows: it costs more than ranking."""
    rank = f"bm25({table}_fts, {', '.join(map(str, weights))})"
    family = "(SELECT cause FROM articles WHERE family = :family)"
    only = f" AND rowid IN (SELECT id FROM {table} WHERE cause IN {family})" if inside else ""
    return (
        f"SELECT {table}.cause, score FROM (SELECT rowid AS number, {rank} AS score FROM {table}_fts "
        f"WHERE {table}_fts MATCH :match{only} ORDER BY score LIMIT :limit) JOIN {table} ON {table}.id = number ORDER BY score"
    )


def _hits(
    base: sqlite3.Connection,
    causes: Sequence[str],
    scores: dict[str, float],
    named: dict[str, str],
    match: str,
    exact: bool,
) -> tuple[Hit, ...]:
    marks = ", ".join("?" * len(causes))
    asked = f"SELECT cause, id, title, family, first_fix, lead FROM articles WHERE cause IN ({marks})"
    rows = {cause: row for cause, *row in base.execute(asked, list(causes))}
    snippets = _snippets(base, [rows[cause][0] for cause in causes if cause in rows], match)
    hits = []
    for cause in causes:
        if cause not in rows:
            continue
        number, title, family, fix, lead = rows[cause]
        snippet = _pieces(snippets.get(number) or (lead if len(lead) <= LEAD else f"{lead[:LEAD]}…"))
        matched: Literal["rule", "text", "near"] = "rule" if cause in named else "text" if exact else "near"
        hits.append(Hit(cause, title, family, round(scores.get(cause, 0.0), 3), snippet, fix, matched, named.get(cause)))
    return tuple(hits)


def _snippets(base: sqlite3.Connection, numbers: Sequence[int], match: str) -> dict[int, str]:
    if not match or not numbers:
        return {}
    marks = ", ".join("?" * len(numbers))
    asked = (
        f"SELECT rowid, snippet(articles_fts, -1, ?, ?, '…', {SNIPPET_WORDS}) FROM articles_fts "
        f"WHERE articles_fts MATCH ? AND rowid IN ({marks})"
    )
    return dict(base.execute(asked, (START, STOP, f"{READABLE} : ({match})", *numbers)))


def _pieces(marked: str) -> tuple[tuple[str, bool], ...]:
    pieces: list[tuple[str, bool]] = []
    for number, part in enumerate(" ".join(marked.split()).split(START)):
        lit, stop, plain = part.partition(STOP)
        pieces += [(lit, True), (plain, False)] if number and stop else [(part, False)]
    return tuple((text, lit) for text, lit in pieces if text)


def _note(wanted: Plan, exact: bool, found: bool) -> str:
    if not found:
        return "Nothing is near this; `logkb causes` lists all causes."
    if not exact:
        return "No article holds these words; the nearest:"
    mended = dict.fromkeys(word for word, _ in wanted.mended)
    told = [f"'{word}' as {' or '.join(right for wrong, right in wanted.mended if wrong == word)}" for word in mended]
    return f"Read {', '.join(told)}." if told else ""
