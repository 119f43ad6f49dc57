"""What `logkb kb` does, apart from parsing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from logkb.errors import LogkbError
from logkb.kb import build_kb, kb_path, open_kb
from logkb.kb_schema import SCHEMA
from logkb.places import overlays

COUNTED = ("articles", "rules", "explanations", "synonyms", "vocabulary")
INDEXES = ("articles_fts", "rules_fts", "vocabulary_fts")


def run_build(kb: Path | None) -> int:
    """Build the database of the shipped knowledge and the user's own, and say where it is."""
    folders = overlays(kb)
    build_kb(folders).close()
    path = _written(folders)
    print(f"wrote {path} ({path.stat().st_size // 1024:,} KB)")
    return 0


def run_path(kb: Path | None) -> int:
    """Print the path of a current database."""
    folders = overlays(kb)
    open_kb(folders).close()
    print(_written(folders))
    return 0


def run_info(kb: Path | None) -> int:
    """Print what the database holds, a line each; 1 when it is damaged."""
    folders = overlays(kb)
    path = Path(kb_path(folders))
    base = open_kb(folders)
    try:
        rows = list(_facts(base))
    except sqlite3.DatabaseError as error:
        print(f"damaged\t{error}; `logkb kb build` makes it anew")
        return 1
    finally:
        base.close()
    print(f"path\t{path if path.is_file() else 'in memory: the cache folder cannot be written'}")
    for name, value in rows:
        print(f"{name}\t{value}")
    return 0


def _facts(base: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    yield "schema", f"{base.execute('PRAGMA user_version').fetchone()[0]} (this logkb: {SCHEMA})"
    yield "sqlite", sqlite3.sqlite_version
    for table in COUNTED:
        yield table, f"{base.execute(f'SELECT count(*) FROM {table}').fetchone()[0]:,}"
    problems = [row[0] for row in base.execute("PRAGMA integrity_check(3)")]
    if problems != ["ok"]:
        raise sqlite3.DatabaseError("; ".join(problems))
    # The check of the indexes is an INSERT, which a copy in memory allows.
    copy = sqlite3.connect(":memory:")
    try:
        base.backup(copy)
        for index in INDEXES:
            copy.execute(f"INSERT INTO {index}({index}, rank) VALUES ('integrity-check', 1)")
    finally:
        copy.close()
    yield "checked", "sound"


def _written(folders: tuple[str, ...]) -> Path:
    path = Path(kb_path(folders))
    if not path.is_file():
        raise LogkbError(f"{path.parent}: cannot be written; set LOGKB_CACHE_DIR to a folder that can")
    return path
