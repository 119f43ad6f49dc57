"""The knowledge base: where its SQLite file lies, whether it is current, and opening it with the standard library alone.

The file is derived from rules and articles, and only ever replaced as a whole: who has it open keeps reading the old one.
`kb_build` makes it, with sqlite-utils.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import zlib
from collections.abc import Sequence

from logkb import places
from logkb.kb_schema import CONTENT, SCHEMA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import TypeAlias

Folder: TypeAlias = "str | PathLike[str]"


def roots_of(overlays: Sequence[Folder]) -> list[str]:
    """The folders that the knowledge comes from: the shipped one, then the user's, whose entries win."""
    return [places.data_root(), *(os.path.abspath(folder) for folder in overlays)]  # noqa: PTH100


def kb_path(overlays: Sequence[Folder] = ()) -> str:
    """Where the database of the shipped knowledge and these overlays lies, whether it exists or not."""
    name = zlib.crc32(repr(roots_of(overlays)).encode())
    return os.path.join(places.cache_dir(), f"kb-{name:08x}.sqlite")  # noqa: PTH118


def open_kb(overlays: Sequence[Folder] = ()) -> sqlite3.Connection:
    """A read-only connection to a database that fits the files as they are now; built first when there is none.

    A damaged file, or one that others may write, is built anew. When the cache folder cannot be written, the database
    is made in memory.
    """
    return _current(overlays) or build_kb(overlays)


def build_kb(overlays: Sequence[Folder] = ()) -> sqlite3.Connection:
    """Build the database anew, replace the file, and open it."""
    from logkb.kb_build import build

    return build(kb_path(overlays), roots_of(overlays), facts(roots_of(overlays))) or connect(kb_path(overlays))


def facts(roots: Sequence[str]) -> str:
    """What the database depends on: name, size and time of every rule file and article."""
    found = []
    synonyms = os.path.join(places.PACKAGE, "data", "synonyms.toml")  # noqa: PTH118
    for path in (synonyms, *(path for root in roots for path in (*places.rule_files(root), *places.article_files(root)))):
        try:
            status = os.stat(path)  # noqa: PTH116
        except OSError:
            continue
        found.append((path, status.st_size, status.st_mtime_ns))
    return repr((CONTENT, found))


def connect(path: str) -> sqlite3.Connection:
    """Open a file for reading only. It is never changed in place, so it needs no locks and no side files."""
    place = os.path.abspath(path).replace(os.sep, "/")  # noqa: PTH100
    for sign, escaped in (("%", "%25"), ("?", "%3f"), ("#", "%23")):
        place = place.replace(sign, escaped)
    place = place if place.startswith("/") else f"/{place}"
    return sqlite3.connect(f"file:{place}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def _current(overlays: Sequence[Folder]) -> sqlite3.Connection | None:
    path = kb_path(overlays)
    if not _private(path):
        return None
    connection = None
    try:
        connection = connect(path)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        known = connection.execute("SELECT value FROM meta WHERE key = 'files'").fetchone()[0]
    except (sqlite3.Error, TypeError):
        version, known = 0, ""
    if known != facts(roots_of(overlays)) or version > SCHEMA or connection is None:
        if connection is not None:
            connection.close()
        return None
    if version < SCHEMA:
        connection.close()
        from logkb.kb_build import upgrade

        return connect(path) if upgrade(path) else None
    return connection


def _private(path: str) -> bool:
    """Whether the file is there, is the user's own, and nobody else may write it."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return False
    own = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)
    return own and stat.S_ISREG(status.st_mode)
