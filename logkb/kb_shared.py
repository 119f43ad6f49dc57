"""One open knowledge base a thread, for programs that search again and again (a server, a session of Python)."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Sequence

from logkb.kb import Folder, build_kb, facts, kb_path, open_kb, roots_of

# Seconds between two looks at the rules and articles: looking at ten thousand files takes longer than a search.
CHECK_EVERY = 1.0


class _Open:
    """A connection, when it was checked, and the files' facts then. It is closed with its thread."""

    def __init__(self, connection: sqlite3.Connection, checked: float, seen: str) -> None:
        self.connection, self.checked, self.seen = connection, checked, seen

    def __del__(self) -> None:
        self.connection.close()


class _Kept(threading.local):
    """What this thread has open, by process (SQLite's connections must not cross a fork) and path."""

    def __init__(self) -> None:
        self.open: dict[tuple[int, str], _Open] = {}


_kept = _Kept()


def shared_kb(overlays: Sequence[Folder] = (), *, fresh: bool = False) -> sqlite3.Connection:
    """This thread's connection; opened anew when rules or articles have changed, built anew when `fresh`."""
    key = (os.getpid(), kb_path(overlays))
    now = time.monotonic()
    known = None if fresh else _kept.open.get(key)
    if known is None or now - known.checked >= CHECK_EVERY:
        seen = facts(roots_of(overlays))
        if known is None or known.seen != seen:
            known = _kept.open[key] = _Open(build_kb(overlays) if fresh else open_kb(overlays), now, seen)
        known.checked = now
    return known.connection
