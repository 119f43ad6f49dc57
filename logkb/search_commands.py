"""What `logkb search` and `logkb kb` do, apart from parsing. Few imports: a search takes less time than importing rich."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from logkb import kb, places
from logkb.lookup import Hit, SearchResult, search_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "logkb.search/1"
FORMATS = ("text", "json")
MAX_LIMIT = 100
MAX_QUERY_BYTES = 256 * 1024
DEFAULT_WIDTH, MIN_WIDTH, MAX_WIDTH = 100, 40, 120
BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"
INDENT = "   "


class SearchOptions(NamedTuple):
    """The options of `logkb search` and their defaults; both parsers read them here."""

    format: str = "text"
    family: str | None = None
    limit: int = 5
    kb: str | Path | None = None


def run_search(words: list[str], options: SearchOptions) -> int:
    """Search and print. 0: found, or the nearest shown; 1: nothing at all. Without words the query is standard input."""
    query = " ".join(words)
    if not words or words == ["-"]:
        if sys.stdin.isatty():
            from logkb.errors import UsageError

            raise UsageError("no words; give some, or pipe a piece of a log in: tail -20 build.log | logkb search")
        query = sys.stdin.buffer.read(MAX_QUERY_BYTES).decode("utf-8", "replace")
    folders = places.overlays(options.kb)
    _tell_if_building(folders)
    result = search_once(query, folders, options.family, options.limit)
    # An odd terminal encoding loses a sign, not the answer.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    print(dump_result(result) if options.format == "json" else "\n".join(_rows(result, *_look())))
    return 0 if result.hits else 1


def dump_result(result: SearchResult) -> str:
    """One line of JSON: the contract `logkb.search/1`."""
    import json

    query = result.query.encode("utf-8", "replace").decode()
    hits = [
        {
            "cause": hit.cause, "title": hit.title, "family": hit.family, "score": hit.score, "matched": hit.matched,
            "rule": hit.rule, "fix": hit.fix, "snippet": [{"text": text, "match": lit} for text, lit in hit.snippet],
            "article": f"causes/{hit.cause}",
        }
        for hit in result.hits
    ]  # fmt: skip
    document = {"schema": SCHEMA, "query": query, "exact": result.exact, "note": result.note, "hits": hits}
    return json.dumps(document, ensure_ascii=False)


def _tell_if_building(folders: tuple[str, ...]) -> None:
    if sys.stderr.isatty() and not os.path.exists(kb.kb_path(folders)):  # noqa: PTH110
        print("logkb: building the search index; this takes some seconds, once", file=sys.stderr)


def _look() -> tuple[int, bool]:
    """(width, bold) for standard output."""
    terminal = sys.stdout.isatty()
    bold = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit():
        width = int(columns)
    else:
        try:
            width = os.get_terminal_size(sys.stdout.fileno()).columns
        except (OSError, ValueError):
            width = DEFAULT_WIDTH
    return max(MIN_WIDTH, min(MAX_WIDTH, width)), bold


def _rows(result: SearchResult, width: int, bold: bool) -> list[str]:
    rows = [_printable(result.note)] if result.note else []
    for number, hit in enumerate(result.hits, 1):
        rows += [""] * bool(rows) + _hit(number, hit, width, bold)
    if result.hits:
        first = f"All of it: logkb explain {result.hits[0].cause}"
        rows += ["", f"{DIM}{first}{PLAIN}" if bold else first]
    return rows


def _hit(number: int, hit: Hit, width: int, bold: bool) -> list[str]:
    head = f"{number}. {hit.title}  [{hit.cause}]  {hit.family}"
    rows = [f"{BOLD}{head}{PLAIN}" if bold else head]
    if hit.matched == "rule":
        rows.append(f"{INDENT}The rule {hit.rule} names it.")
    rows += _wrapped(hit.snippet, width, bold)
    if hit.fix:
        rows += _wrapped(((f"Fix: {hit.fix}", False),), width, bold)
    return rows


def _wrapped(pieces: tuple[tuple[str, bool], ...], width: int, bold: bool) -> list[str]:
    """The pieces in lines of at most `width`, broken at spaces, the highlights bold."""
    rows, row, used = [], INDENT, len(INDENT)
    glued = True
    for text, lit in pieces:
        for index, word in enumerate(_printable(text).split(" ")):
            if index and not glued:
                if used + 1 + len(word) > width:
                    rows.append(row)
                    row, used = INDENT, len(INDENT)
                else:
                    row, used = f"{row} ", used + 1
            row += f"{BOLD}{word}{PLAIN}" if lit and bold and word else word
            used += len(word)
            glued = used == len(INDENT)
    return [*rows, row]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text)
