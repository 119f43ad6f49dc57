"""The words of a query -> what to ask the full-text index: rare words first, misspelt ones mended, identifiers as phrases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from logkb.search_text import compounds, distance, informative, quoted, words

# So many words of a long paste are looked up, and so many at most are searched for.
MAX_LOOKED_UP = 400
MAX_TERMS = 24
# Rows that the index may have to score: what costs time in a large knowledge base. Common words are left out above it.
MAX_ROWS = 1_500
# Only short queries are typed by hand, and misspelt.
MAX_TYPED = 16
MAX_MENDED = 8
MIN_MENDED = 4
NEARBY = 40
# So many known words make a query's own, however many strange ones (paths, names) stand beside them.
ENOUGH = 3


class Plan(NamedTuple):
    """`match` is the expression for the index ('' when no word is known), `fits` says that it asks for the query's own
    words, `mended` are pairs of a misspelt word and one that stands for it."""

    match: str
    fits: bool
    mended: tuple[tuple[str, str], ...]


def plan(base: sqlite3.Connection, query: str) -> Plan:
    """What to ask the index for a query of any length and content."""
    spoken = words(query)
    found = informative(spoken)
    if len(found) > MAX_LOOKED_UP:
        found = found[: MAX_LOOKED_UP // 2] + found[-MAX_LOOKED_UP // 2 :]
    rows = _rows(base, found)
    unknown = [word for word in found if word not in rows]
    mended = _mended(base, unknown, found) if len(found) <= MAX_TYPED else []
    rows |= _rows(base, [right for _, right in mended])
    joined = _rows(base, _joined(spoken)) if len(spoken) <= MAX_TYPED else {}
    rows |= joined
    wanted = dict.fromkeys([word for word in found if word in rows] + [right for _, right in mended] + list(joined))
    terms = _affordable(sorted(wanted, key=lambda word: rows[word]), rows)
    phrases = [quoted(parts) for parts in _phrases(base, query, rows)]
    match = " OR ".join(dict.fromkeys([*(quoted([term]) for term in terms), *phrases]))
    known = [word for word in found if word in rows]
    strange = [word for word in unknown if word.isalpha()]
    return Plan(match, bool(known) and (len(known) >= ENOUGH or len(known) >= len(strange)), tuple(mended))


def nearest(base: sqlite3.Connection, query: str) -> Plan:
    """When no word is known and none can be mended: the known words that share most with them."""
    near = [one for word in informative(words(query))[:MAX_MENDED] for one in _like(base, _grams(word))[:3]]
    return Plan(" OR ".join(dict.fromkeys(quoted([word]) for word in near)), False, ())


def _rows(base: sqlite3.Connection, found: Sequence[str]) -> dict[str, int]:
    """How many articles and rules hold each of the words that any holds."""
    marks = ", ".join("?" * len(found))
    return dict(base.execute(f"SELECT term, articles + rules FROM vocabulary WHERE term IN ({marks})", list(found)))


def _joined(spoken: Sequence[str]) -> list[str]:
    """Three words or four written as one: `module not found error` is `ModuleNotFoundError` in a log."""
    spans = (spoken[start : start + count] for count in (3, 4) for start in range(len(spoken) - count + 1))
    return ["".join(span) for span in spans if all(word.isalpha() for word in span)]


def _affordable(terms: Iterable[str], rows: dict[str, int]) -> list[str]:
    taken: list[str] = []
    spent = 0
    for term in terms:
        spent += rows[term]
        if taken and (spent > MAX_ROWS or len(taken) == MAX_TERMS):
            break
        taken.append(term)
    return taken


def _phrases(base: sqlite3.Connection, query: str, rows: dict[str, int]) -> list[list[str]]:
    """Identifiers of the query whose every part is known, and what people also call a phrase of the query."""
    phrases = [parts for parts in compounds(query) if all(part in rows for part in parts)]
    sequence = f" {' '.join(words(query))} "
    if len(sequence) < 2_000:
        phrases += [means.split() for term, means in base.execute("SELECT term, means FROM synonyms") if f" {term} " in sequence]
    return phrases[:MAX_TERMS]


def _mended(base: sqlite3.Connection, unknown: Sequence[str], found: Sequence[str]) -> list[tuple[str, str]]:
    """(misspelt or cut word, known word): the words that hold it, else the nearest by edit distance."""
    mended = []
    for word in unknown[:MAX_MENDED]:
        if len(word) < MIN_MENDED or not word.isalpha():
            continue
        holding = _like(base, [word])
        near = [(0, one) for one in holding if one.startswith(word)][:3] or [(0, one) for one in holding][:3]
        if not near:
            most = 1 if len(word) < 8 else 2
            near = [(distance(word, one, most), one) for one in _like(base, _grams(word))]
            near = sorted(pair for pair in near if pair[0] <= most)
            near = [pair for pair in near if pair[0] == near[0][0]][:3]
        mended += [(word, one) for _, one in near if one not in found]
    return mended


def _grams(word: str) -> list[str]:
    return [word[start : start + 3] for start in range(len(word) - 2)]


def _like(base: sqlite3.Connection, pieces: Sequence[str]) -> list[str]:
    """Words with any of these pieces of three letters or more, those with the most of them first."""
    if not pieces:
        return []
    match = " OR ".join(quoted([piece]) for piece in pieces)
    ask = "SELECT term FROM vocabulary_fts WHERE vocabulary_fts MATCH ? ORDER BY rank LIMIT ?"
    return [term for (term,) in base.execute(ask, (match, NEARBY))]
