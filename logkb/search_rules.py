"""A pasted line -> the rules that match it, straight from the database: no engine is built for one line.

The patterns and the order of the checks are the matcher's. Shipped patterns that the standard library reads the same way
run on it, since importing `regex` costs more than the search; all others run on `regex` with its timeout.
"""

from __future__ import annotations

import marshal
import sqlite3
from typing import NamedTuple

from logkb.kb_schema import HEAD
from logkb.needs import holds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_LINE = 2_000
TIMEOUT = 0.2
# What task runners print before a line ("web:build: …"), as clean.py strips it.
TASKS = ("build", "test", "lint", "check", "compile", "install", "dev", "prepare")
STRENGTHS = ("strong", "medium", "weak")


class Named(NamedTuple):
    """A rule that matches a line, and the cause that it names."""

    cause: str
    rule: str
    strength: str


def rules_on(base: sqlite3.Connection, line: str) -> list[Named]:
    """The rules that match one line, the strongest first. Rules over several lines cannot match one."""
    # SQLite takes no lone surrogates.
    text = line.rstrip()[:MAX_LINE].encode("utf-8", "replace").decode()
    numbers = _candidates(base, text)
    if not numbers:
        return []
    marks = ", ".join("?" * len(numbers))
    asked = f"SELECT cause, rule, strength, pattern, required, plain FROM rules WHERE several_lines = 0 AND id IN ({marks})"
    rows = base.execute(asked, numbers).fetchall()
    found = _confirmed(rows, text) or (_confirmed(rows, text.lstrip()) if text[:1].isspace() else [])
    if not found and _dressed(text):
        from logkb.clean import clean_line, normalise

        cleaned = clean_line(normalise(text.encode("utf-8", "replace")).decode("utf-8", "replace")).text
        found = _confirmed(rows, cleaned) if cleaned != text else []
    return sorted(found, key=lambda named: STRENGTHS.index(named.strength))


def _dressed(text: str) -> bool:
    """Whether a line can carry escape codes or a CI system's prefix at all: finding out for sure takes an import."""
    head = text[:200]
    return (
        not head[:1].isalpha() or not text.isascii() or any(sign in head for sign in "\x1b\t|") or "[0m" in text
        or (":" in head and any(task in head for task in TASKS)) or head.startswith(("travis_", "section_"))
    )  # fmt: skip


def _candidates(base: sqlite3.Connection, text: str) -> list[int]:
    heads = list({text[start : start + HEAD] for start in range(len(text) - HEAD + 1)})
    marks = ", ".join("?" * len(heads))
    rows = base.execute(f"SELECT keyword, rules FROM keywords WHERE head IN ({marks})", heads)
    return sorted({int(number) for keyword, rules in rows if keyword in text for number in rules.split()})


def _confirmed(rows: list[tuple[str, str, str, str, bytes, int]], text: str) -> list[Named]:
    found = []
    for cause, rule, strength, pattern, required, plain in rows:
        if holds(marshal.loads(required), text) and _matches(pattern, text, bool(plain)):
            found.append(Named(cause, rule, strength))
    return found


def _matches(pattern: str, text: str, plain: bool) -> Any:
    if plain:
        import re

        return re.search(pattern, text, re.ASCII)
    import regex

    try:
        return regex.search(pattern, text, regex.ASCII, timeout=TIMEOUT)
    except TimeoutError:
        return None
